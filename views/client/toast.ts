// One line at the foot of the page that says what was done, with the way back where there is one.

const SHOWN_MS = 8_000;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says it in place of what was said before. It stands in the topmost dialog, for all else is out of reach while one is open. */
export function say(text: string, undo?: () => Promise<void> | void): void {
  document.querySelector('.toast-said')?.remove();
  const toast = document.createElement('div');
  toast.className = 'toast toast-said';
  toast.setAttribute('role', 'status');
  const line = document.createElement('span');
  toast.append(line);
  if (undo) {
    const button = document.createElement('button');
    button.className = 'button';
    button.type = 'button';
    button.textContent = 'Undo';
    button.addEventListener('click', () => { toast.remove(); void undo(); });
    toast.append(button);
  }
  ([...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body).append(toast);
  // A status that is there before its words is read out.
  line.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => toast.remove(), SHOWN_MS);
}
