// The folders inside one appear below the button that asked for them: on a small screen they are brought into view.

export function startFolders(): void {
  document.addEventListener('htmx:after:swap', (event) => {
    const target = (event as CustomEvent<{ ctx?: { target?: unknown } }>).detail.ctx?.target;
    if (target instanceof Element && target.id === 'browse') document.querySelector('#browse')?.scrollIntoView({ block: 'nearest' });
  });
}
