// The service worker (ADR 19): Jharokha opens without network on what this browser has kept. Online it changes nothing but
// speed: pages and grids are always asked of the network first, only what can never change is answered from here.
import { KEPT_AT_MOST, kindOf, mayKeep, OFFLINE_PATH, PATIENCE_MS } from './rules.ts';
import { createRenditions } from './renditions.ts';

declare const self: ServiceWorkerGlobalScope;
/** Set by the build: a hash of everything in the shell, and the addresses in it. */
declare const BUILD: string;
declare const SHELL: readonly string[];

const SHELL_CACHE = `jharokha-shell-${BUILD}`;
/** Of this build too: a page names the script it was made for, and a layout's form is that script's. */
const CACHES = { page: `jharokha-page-${BUILD}`, grid: `jharokha-grid-${BUILD}` } as const;
const renditions = createRenditions();

self.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    await (await caches.open(SHELL_CACHE)).addAll(SHELL.map((path) => new Request(path, { cache: 'reload' })));
    await self.skipWaiting();
  })());
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    const current: string[] = [SHELL_CACHE, ...Object.values(CACHES)];
    const old = (await caches.keys()).filter((name) => /^jharokha-(shell|page|grid)-/.test(name) && !current.includes(name));
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', (event) => {
  const kind = kindOf(event.request, self.location.origin);
  if (kind === undefined) return;
  if (kind === 'shell') event.respondWith(answerShell(event.request));
  else if (kind === 'rendition') event.respondWith(answerRendition(event, event.request));
  else event.respondWith(answerFresh(event, event.request, kind));
});

self.addEventListener('message', (event) => {
  const asked = event.data as { ask?: unknown; urls?: unknown } | null;
  if (asked?.ask === 'forget') event.waitUntil(forget().then(() => { event.ports[0]?.postMessage('done'); }));
  // A first page is there before we are: it says what it has loaded.
  if (asked?.ask === 'keep' && Array.isArray(asked.urls)) event.waitUntil(keepAll(asked.urls.filter((url): url is string => typeof url === 'string')));
});

async function answerShell(request: Request): Promise<Response> {
  return (await (await caches.open(SHELL_CACHE)).match(request, { ignoreVary: true })) ?? fetch(request);
}

async function answerRendition(event: ExtendableEvent, request: Request): Promise<Response> {
  const kept = await renditions.find(request).catch(() => undefined);
  if (kept) return kept;
  const fresh = await fetch(request);
  if (mayKeep(fresh)) event.waitUntil(renditions.keep(request, fresh.clone()).catch(() => makeRoom()));
  return fresh;
}

/** The network's answer; what was kept only where there is none, or none in time. */
async function answerFresh(event: ExtendableEvent, request: Request, kind: 'page' | 'grid'): Promise<Response> {
  const asked = fetch(request).then((fresh) => {
    if (mayKeep(fresh)) event.waitUntil(keep(kind, request, fresh.clone()).catch(() => makeRoom()));
    return fresh;
  });
  const late = new Promise<undefined>((resolve) => { setTimeout(() => { resolve(undefined); }, PATIENCE_MS); });
  const first = await Promise.race([asked.catch(() => undefined), late]);
  if (first) return first;
  const kept = await findKept(kind, request);
  if (kept) { event.waitUntil(asked.catch(() => undefined)); return kept; }
  // Nothing kept: then the network may take its time.
  return asked.catch(async (error: unknown) => {
    const page = request.mode === 'navigate' ? await (await caches.open(SHELL_CACHE)).match(OFFLINE_PATH, { ignoreVary: true }) : undefined;
    if (page) return page;
    throw error;
  });
}

async function findKept(kind: 'page' | 'grid', request: Request): Promise<Response | undefined> {
  const cache = await caches.open(CACHES[kind]);
  let kept = await cache.match(request);
  // The whole timeline is laid out from one page: any place in it can be opened from that.
  if (!kept && request.mode === 'navigate' && new URL(request.url).pathname === '/') kept = await cache.match('/');
  if (!kept) return undefined;
  void tellPages();
  if (request.mode !== 'navigate') return kept;
  // The page says that it is a kept one, without any script.
  return new Response((await kept.text()).replace('<html ', '<html data-kept="away" '), { headers: kept.headers });
}

/** A page that was there before its network went learns from this that it shows what was kept. */
async function tellPages(): Promise<void> {
  for (const client of await self.clients.matchAll({ type: 'window' })) client.postMessage('kept');
}

async function keep(kind: 'page' | 'grid', request: Request, response: Response): Promise<void> {
  const cache = await caches.open(CACHES[kind]);
  // Anew at the end of the list, which is in the order of writing.
  await cache.delete(request);
  await cache.put(request, response);
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - KEPT_AT_MOST[kind])).map((key) => cache.delete(key)));
}

/** The first page itself and what it has loaded. The page is asked as a browser asks it, not as htmx does. */
async function keepAll(urls: readonly string[]): Promise<void> {
  for (const [i, url] of urls.entries()) {
    const request = new Request(url, { credentials: 'same-origin' });
    const kind = i === 0 ? 'page' : kindOf(request, self.location.origin);
    if (kind === undefined || kind === 'shell' || (i === 0 && kindOf({ method: 'GET', mode: 'navigate', url: request.url, headers: request.headers }, self.location.origin) !== 'page')) continue;
    const response = await fetch(request).catch(() => undefined);
    if (!response || !mayKeep(response)) continue;
    await (kind === 'rendition' ? renditions.keep(request, response) : keep(kind, request, response)).catch(() => makeRoom());
  }
}

/** The browser has no room for more: what is easiest to get again goes. */
async function makeRoom(): Promise<void> { await renditions.forget(); }

async function forget(): Promise<void> {
  await Promise.all([caches.delete(CACHES.page), caches.delete(CACHES.grid), renditions.forget()]);
}
