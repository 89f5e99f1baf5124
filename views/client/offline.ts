// Registers the service worker (views/offline/), tells it what a first page had loaded before it was there, keeps the quiet
// line of a page that shows what was kept, and forgets all of it on the settings page.

export function startOffline(): void {
  const container = 'serviceWorker' in navigator ? navigator.serviceWorker : undefined;
  if (!container) return;
  const root = document.documentElement;
  container.addEventListener('message', (event) => { if (event.data === 'kept') root.dataset['kept'] = 'away'; });
  // The live line opens only where the site itself answers.
  new MutationObserver(() => { if (root.dataset['live'] === 'open' && root.dataset['kept'] === 'away') root.dataset['kept'] = 'back'; }).observe(root, { attributeFilter: ['data-live'] });
  offerForgetting(container);
  const register = () => {
    const first = container.controller === null;
    container.register('/sw.js', { updateViaCache: 'none' }).then(
      () => { if (first) container.addEventListener('controllerchange', () => { sayLoaded(container.controller); }, { once: true }); },
      // Without it everything works but being offline; a private window refuses it, for one.
      () => undefined,
    );
  };
  if (document.readyState === 'complete') register();
  else addEventListener('load', register, { once: true });
}

function sayLoaded(worker: ServiceWorker | null): void {
  const loaded = performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.startsWith(`${location.origin}/`));
  worker?.postMessage({ ask: 'keep', urls: [location.href, ...new Set(loaded)] });
}

/** The settings page's button; it stays where it is and says what came of it. */
function offerForgetting(container: ServiceWorkerContainer): void {
  const button = document.querySelector<HTMLButtonElement>('#forget-kept');
  const said = document.querySelector<HTMLElement>('#kept-said');
  if (!button || !said) return;
  const show = async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith('jharokha-renditions-'));
    const counts = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys()).length));
    const pictures = counts.reduce((sum, count) => sum + count, 0);
    said.textContent = pictures === 0 ? 'No pictures are kept in this browser now.' : `${pictures.toLocaleString('en')} ${pictures === 1 ? 'picture is' : 'pictures are'} kept in this browser.`;
  };
  button.addEventListener('click', () => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => { void show(); }, { once: true });
    port1.start();
    void container.ready.then((registration) => { registration.active?.postMessage({ ask: 'forget' }, [port2]); });
  });
  void show();
}
