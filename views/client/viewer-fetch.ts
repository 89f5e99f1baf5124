// What the viewer loads ahead: fragments of the viewer's pages and the pictures of neighbours. What is no longer wanted is given up,
// so that a held arrow key leaves no queue behind.

/** Fragments kept for stepping back and forth. */
const MAX_KEPT = 24;

interface Kept { coming: Promise<string>; html?: string; stop: AbortController }
const kept = new Map<string, Kept>();
const pictures = new Map<string, HTMLImageElement>();

/** An answer that is no page of the viewer; 404 where the asset is gone, 0 where nobody answered. */
export class NoFragment extends Error {
  readonly status: number;
  constructor(status: number) { super(`${status}`); this.status = status; }
}

const keyOf = (address: string) => { const { pathname, search } = new URL(address, location.href); return pathname + search; };

/** The fragment, where it is here already. */
export function keptFragment(address: string): string | undefined {
  return kept.get(keyOf(address))?.html;
}

/** The fragment at this address; throws NoFragment. */
export function fetchFragment(address: string): Promise<string> {
  const key = keyOf(address);
  const known = kept.get(key);
  if (known) { kept.delete(key); kept.set(key, known); return known.coming; }
  const stop = new AbortController();
  const entry: Kept = { stop, coming: askFragment(key, stop.signal).then((html) => { entry.html = html; return html; }) };
  entry.coming.catch(() => { if (kept.get(key) === entry) kept.delete(key); });
  kept.set(key, entry);
  for (const old of kept.keys()) { if (kept.size <= MAX_KEPT) break; kept.delete(old); }
  return entry.coming;
}

/** The fragment as it is now, kept by nobody; throws NoFragment. */
export async function askFragment(address: string, signal: AbortSignal | null = null): Promise<string> {
  let answer: Response;
  try { answer = await fetch(address, { signal, headers: { 'HX-Request': 'true', 'HX-Request-Type': 'partial' } }); } catch { throw new NoFragment(0); }
  if (!answer.ok) throw new NoFragment(answer.status);
  return answer.text();
}

/** Something was changed: all that was kept may say something else. */
export function forgetFragments(): void {
  dropUnwanted([]);
  kept.clear();
}

/** Drives came or went: what was kept says where originals were. What is on its way comes. */
export function outdateFragments(): void { kept.clear(); }

/** Gives up what is still on its way and not among these. */
export function dropUnwanted(addresses: readonly string[]): void {
  const wanted = new Set(addresses.map(keyOf));
  for (const [key, entry] of kept) if (entry.html === undefined && !wanted.has(key)) { kept.delete(key); entry.stop.abort(); }
}

/** Loads these pictures, and gives up others that have not come yet. */
export function preloadPictures(urls: readonly string[]): void {
  for (const [url, image] of pictures) {
    if (urls.includes(url)) continue;
    if (!image.complete) image.src = '';
    pictures.delete(url);
  }
  for (const url of urls) {
    if (pictures.has(url)) continue;
    const image = new Image();
    image.src = url;
    pictures.set(url, image);
  }
}

/** Resolves once the picture can be drawn, or will never be. */
export async function pictureReady(url: string): Promise<void> {
  const image = pictures.get(url) ?? new Image();
  if (!image.src) image.src = url;
  await image.decode().catch(() => undefined);
}
