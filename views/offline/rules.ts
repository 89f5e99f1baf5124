// What is kept for a time without network, and how: a list of what may be, so that nothing else ever is (no sync, no API, no live line).

/** `shell`: of this build. `page`, `grid`: asked of the network first. `rendition`: never changes. */
export type Kept = 'shell' | 'page' | 'grid' | 'rendition';

/** So many of each kind are kept; the oldest go. Renditions have bounds of their own (renditions.ts). */
export const KEPT_AT_MOST = { page: 80, grid: 400 } as const;
/** A network that says nothing for so long is taken for none where something is kept. */
export const PATIENCE_MS = 4_000;
export const OFFLINE_PATH = '/offline';

const SHELL = /^\/(s\/[^/]+|favicon\.svg|icon-[a-z0-9-]+\.png|site\.webmanifest|offline)$/;
const GRID = /^\/grid\/(layout|piece|hashes|locate)$/;
/** Grids and previews; videos are too large. */
const RENDITION = /^\/r\/[0-9a-f]{64}\/(grid|preview)\.\d+\.webp$/;
/** Machines' paths, forms' answers, and what is only true now. */
const NEVER = /^\/(sync|api|link|live|healthz|doctor|progress|originals|sw\.js|p|settings)(\/|$)/;

/** What a request is for; undefined: not ours to answer. Anything but a plain GET of this site goes past us, as its sender meant it. */
export function kindOf(request: Pick<Request, 'method' | 'url' | 'mode' | 'headers'>, origin: string): Kept | undefined {
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== origin || NEVER.test(url.pathname) || request.headers.has('range')) return undefined;
  if ((request.headers.get('accept') ?? '').includes('text/event-stream')) return undefined;
  if (SHELL.test(url.pathname)) return 'shell';
  if (RENDITION.test(url.pathname)) return 'rendition';
  if (GRID.test(url.pathname)) return 'grid';
  // The viewer's layer is a page too, though a script asks for it.
  const layer = request.headers.get('hx-request') !== null && /^\/a\/[0-9a-f]{64}$/.test(url.pathname);
  return request.mode === 'navigate' || layer ? 'page' : undefined;
}

/** Whether an answer may be kept: whole, our own, and no error. */
export function mayKeep(response: Pick<Response, 'status' | 'type' | 'redirected' | 'headers'>): boolean {
  return response.status === 200 && response.type === 'basic' && !response.redirected && !(response.headers.get('cache-control') ?? '').includes('no-store');
}
