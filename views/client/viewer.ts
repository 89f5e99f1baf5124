// The viewer as a layer over a grid: opens at once with the picture the tile already has, steps by key and touch, and
// closes to the same place. On the viewer's own page it steps in the same way.
import htmx from 'htmx.org';
import { playLive, playLiveOnce } from './moving.ts';
import { isOtherDialogOpen, isPageKey } from './keys.ts';

/** A finger that went this far sideways, and mostly sideways, turns the page. */
const SWIPE_PX = 48;
/** Fragments kept for stepping back and forth. */
const MAX_KEPT = 24;
/** The panel's state outlives the page. */
const FACTS_KEY = 'jharokha-facts';
const WIDE = matchMedia('(width >= 900px)');

const kept = new Map<string, Promise<string>>();

export function startViewer(): void {
  const layer = document.querySelector<HTMLElement>('#viewer');
  if (!layer) return;
  const dialog = layer instanceof HTMLDialogElement ? layer : null;
  let pageTitle = document.title;
  let opener: HTMLElement | null = null;
  /** Steps made in the layer replace one entry of the history, so that going back once leaves it. */
  let turn = 0;
  /** A correction was saved: the grid behind may show it elsewhere, so leaving asks for the page anew. */
  let corrected = false;

  const settle = () => {
    playLiveOnce(layer);
    showFacts(layer);
    showFullWhenLoaded(layer);
    preloadNeighbours(layer);
    const title = layer.querySelector<HTMLElement>('.viewer-body')?.dataset['title'];
    if (title) document.title = title;
  };
  const show = async (address: string): Promise<void> => {
    const mine = ++turn;
    let html: string;
    try { html = await fetchFragment(address); } catch { if (mine === turn) location.assign(address); return; }
    if (mine !== turn) return;
    layer.innerHTML = html;
    htmx.process(layer);
    layer.focus();
    settle();
  };
  const open = (address: string, tile: HTMLElement | null): void => {
    if (!dialog) return;
    opener = tile;
    layer.replaceChildren();
    if (tile) layer.append(drawDraft(tile));
    if (!dialog.open) { pageTitle = document.title; dialog.showModal(); }
    void show(address);
  };
  const close = (): void => {
    turn++;
    if (!dialog) return;
    const tile = tileOf(layer) ?? opener;
    if (corrected) { location.reload(); return; }
    if (dialog.open) dialog.close();
    layer.replaceChildren();
    document.title = pageTitle;
    tile?.focus({ preventScroll: true });
    if (tile && !isInView(tile)) tile.scrollIntoView({ block: 'center', behavior: 'instant' });
  };
  /** The link's own address brings back the place where a tile is that the page has not loaded. */
  const leave = (): void => {
    const link = layer.querySelector<HTMLAnchorElement>('[data-viewer="close"]');
    const here = !layer.querySelector('.viewer-body') || tileOf(layer) !== null;
    if (dialog && here && !corrected) history.back();
    else if (link) location.assign(link.href);
  };
  const step = (way: 'newer' | 'older'): void => {
    const link = layer.querySelector<HTMLAnchorElement>(`[data-viewer="${way}"]`);
    if (link) go(link.href);
  };
  const go = (address: string): void => {
    history.replaceState({ viewer: true }, '', address);
    void show(address);
  };

  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || !(event.target instanceof Element)) return;
    const tile = event.target.closest<HTMLAnchorElement>('a.tile');
    if (tile && dialog) {
      event.preventDefault();
      history.pushState({ viewer: true }, '', tile.href);
      open(tile.href, tile);
      return;
    }
    const control = event.target.closest<HTMLElement>('[data-viewer]');
    if (!control || !layer.contains(control)) return;
    const what = control.dataset['viewer'];
    // A page of its own.
    if (what === 'similar') return;
    event.preventDefault();
    if (what === 'facts') toggleFacts(layer);
    else if (what === 'live') playLive(layer);
    else if (what === 'close') leave();
    else if (control instanceof HTMLAnchorElement && control.getAttribute('aria-current') === null) go(control.href);
  });

  document.addEventListener('keydown', (event) => {
    if (dialog && !dialog.open) return;
    // Escape in a form leaves the form alone.
    const form = event.key === 'Escape' && event.target instanceof Element ? event.target.closest('.correct') : null;
    if (form) { event.preventDefault(); form.querySelector<HTMLElement>('[data-cancel]')?.click(); return; }
    // A video's own controls take the arrows.
    if (event.target instanceof HTMLVideoElement && event.key.startsWith('Arrow')) return;
    if (!isPageKey(event) || isOtherDialogOpen(layer)) return;
    if (event.key === 'ArrowLeft') step('newer');
    else if (event.key === 'ArrowRight') step('older');
    else if (event.key === 'i') toggleFacts(layer);
    else if (event.key === 'l') layer.querySelector<HTMLElement>('[data-viewer="similar"]')?.click();
    else if (event.key === 'Escape') leave();
    else return;
    event.preventDefault();
  });
  dialog?.addEventListener('cancel', (event) => event.preventDefault());

  addEventListener('popstate', () => {
    if (!dialog) return;
    if (location.pathname.startsWith('/a/')) open(location.href, null);
    else if (dialog.open) close();
  });

  // Every fragment that was kept may say something else after a correction, and so may the grid.
  layer.addEventListener('htmx:after:swap', () => { if (layer.querySelector('[data-changed]')) { kept.clear(); corrected = true; } });

  let start: { x: number; y: number } | null = null;
  layer.addEventListener('touchstart', (event) => {
    const touch = event.touches.length === 1 ? event.touches[0] : undefined;
    start = touch && event.target instanceof Element && event.target.closest('.stage') && !(event.target instanceof HTMLVideoElement && event.target.controls) ? { x: touch.clientX, y: touch.clientY } : null;
  }, { passive: true });
  layer.addEventListener('touchend', (event) => {
    const touch = event.changedTouches[0];
    if (!start || !touch || (visualViewport?.scale ?? 1) > 1.05) return;
    const dx = touch.clientX - start.x;
    const dy = touch.clientY - start.y;
    start = null;
    if (Math.abs(dx) > SWIPE_PX && Math.abs(dx) > 2 * Math.abs(dy)) step(dx > 0 ? 'newer' : 'older');
  }, { passive: true });

  if (!dialog) settle();
}

/** The tile of what is shown, where the grid behind has it. */
function tileOf(layer: HTMLElement): HTMLElement | null {
  const id = layer.querySelector<HTMLElement>('.viewer-body')?.dataset['tile'];
  return id ? document.getElementById(id) : null;
}

function fetchFragment(address: string): Promise<string> {
  const { pathname, search } = new URL(address, location.href);
  const key = pathname + search;
  const known = kept.get(key);
  if (known) return known;
  const coming = fetch(key, { headers: { 'HX-Request': 'true', 'HX-Request-Type': 'partial' } }).then((answer) => {
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.text();
  });
  coming.catch(() => kept.delete(key));
  kept.set(key, coming);
  for (const old of kept.keys()) { if (kept.size <= MAX_KEPT) break; kept.delete(old); }
  return coming;
}

/** What a tile shows already, large, until the viewer's own fragment has come. */
function drawDraft(tile: HTMLElement): HTMLElement {
  const picture = document.createElement('div');
  picture.className = 'picture draft-only';
  const box = document.createElement('div');
  box.className = 'picture-box';
  box.style.cssText = tile.style.cssText;
  box.style.setProperty('--w', '99999');
  const image = tile.querySelector('img')?.cloneNode();
  if (image instanceof HTMLImageElement) { image.loading = 'eager'; box.append(image); }
  picture.append(box);
  return picture;
}

/** The preview covers the draft only once it can be drawn whole. */
function showFullWhenLoaded(layer: HTMLElement): void {
  const full = layer.querySelector<HTMLImageElement>('.picture-box .full');
  const draft = layer.querySelector<HTMLImageElement>('.picture-box .draft');
  if (!full || !draft) return;
  const drop = () => draft.classList.add('done');
  if (full.complete && full.naturalWidth > 0) drop();
  else full.addEventListener('load', drop, { once: true });
}

function preloadNeighbours(layer: HTMLElement): void {
  for (const link of layer.querySelectorAll<HTMLAnchorElement>('.step')) {
    void fetchFragment(link.href).catch(() => undefined);
    const picture = link.dataset['preload'];
    if (picture) new Image().src = picture;
  }
}

/** On a wide screen the facts are there unless put away; on a narrow one they come when asked for. */
function showFacts(layer: HTMLElement): void {
  layer.classList.toggle('facts-off', readFacts() === 'off');
}
function toggleFacts(layer: HTMLElement): void {
  if (!WIDE.matches) { layer.classList.toggle('facts-on'); return; }
  const off = layer.classList.toggle('facts-off');
  try { localStorage.setItem(FACTS_KEY, off ? 'off' : 'on'); } catch { /* no storage: it holds for this page */ }
}
function readFacts(): string | null {
  try { return localStorage.getItem(FACTS_KEY); } catch { return null; }
}

function isInView(element: Element): boolean {
  const box = element.getBoundingClientRect();
  return box.bottom > 60 && box.top < innerHeight;
}
