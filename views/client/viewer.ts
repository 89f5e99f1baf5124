// The viewer as a layer over a grid: opens at once with the picture the tile already has, steps by key, touch and strip, and closes
// to the same place. On the viewer's own page it steps in the same way.
import htmx from 'htmx.org';
import { theGrid } from './grid/view.ts';
import { isOtherDialogOpen, isPageKey } from './keys.ts';
import { playLive, playLiveOnce } from './moving.ts';
import { startCurate } from './viewer-curate.ts';
import { dropUnwanted, fetchFragment, forgetFragments, keptFragment, NoFragment, outdateFragments, preloadPictures } from './viewer-fetch.ts';
import { startSlideshow } from './viewer-slideshow.ts';
import { centreStrip, clearTold, drawBody, drawPicture, followPictures, growFrom, tell } from './viewer-stage.ts';
import { startZoom } from './viewer-zoom.ts';

/** The panel's state outlives the page. */
const FACTS_KEY = 'jharokha-facts';
const WIDE = matchMedia('(width >= 900px)');
/** A held key passes many by: only the one that it rests on is asked for. */
const REST_MS = 90;
/** What lies ahead is loaded once the stepping rests. */
const AHEAD_MS = 60;

type Way = 'newer' | 'older';

export function startViewer(): void {
  const layer = document.querySelector<HTMLElement>('#viewer');
  if (!layer) return;
  const dialog = layer instanceof HTMLDialogElement ? layer : null;
  const status = document.createElement('p');
  status.className = 'hidden-text';
  status.setAttribute('role', 'status');
  layer.append(status);
  let pageTitle = document.title;
  let opener: HTMLElement | null = null;
  let turn = 0;
  let lastWay: Way = 'older';
  /** What had the focus when a step began, until it ends. */
  let heldBy: string | undefined;
  /** A step that was asked for before it was known what stands beside. */
  let due: Way | undefined;
  let restTimer: ReturnType<typeof setTimeout> | undefined;
  let aheadTimer: ReturnType<typeof setTimeout> | undefined;
  /** Something was changed that the grid behind may show elsewhere, so leaving asks for the page anew. */
  let corrected = false;

  const body = () => layer.querySelector<HTMLElement>('.viewer-body');
  const settle = (): void => {
    const shown = body();
    playLiveOnce(layer);
    showFacts(layer);
    followPictures(layer);
    clearTimeout(aheadTimer);
    aheadTimer = setTimeout(loadAhead, AHEAD_MS);
    if (shown?.dataset['title']) document.title = shown.dataset['title'];
    if (shown?.dataset['label']) { if (dialog) layer.setAttribute('aria-label', shown.dataset['label']); status.textContent = shown.dataset['label']; }
  };
  /** Both neighbours whole, and the picture after the next in the direction of travel. */
  const loadAhead = (): void => {
    const [next, behind, last] = [beside(lastWay), beside(lastWay, 2), beside(lastWay === 'older' ? 'newer' : 'older')];
    const pages = [next, last].filter((link) => link !== null).map((link) => link.href);
    dropUnwanted(pages);
    for (const page of pages) void fetchFragment(page).catch(() => undefined);
    preloadPictures([next, last, behind].map((link) => link?.dataset['preload']).filter((url) => url !== undefined));
  };
  /** A link of the strip so far from the one in its middle. */
  const beside = (way: Way, far = 1): HTMLAnchorElement | null => {
    const links = [...layer.querySelectorAll<HTMLAnchorElement>('.strip a')];
    const at = links.findIndex((link) => link.hasAttribute('aria-current'));
    return at < 0 ? null : links[at + (way === 'older' ? far : -far)] ?? null;
  };

  /** The control that was used keeps the focus, if the next one has it too. */
  const holder = (): string | undefined => {
    const control = document.activeElement?.closest<HTMLElement>('[data-viewer]');
    if (!control || !layer.contains(control)) return undefined;
    const row = control.closest('.strip, .stack-row');
    return row ? `.${row.classList[0] ?? ''} [aria-current]` : `[data-viewer="${control.dataset['viewer'] ?? ''}"]`;
  };
  const put = (html: string, address: string): void => {
    const held = heldBy ?? holder();
    heldBy = undefined;
    zoom.reset();
    const next = document.createElement('template');
    next.innerHTML = html;
    const fresh = next.content.querySelector<HTMLElement>('.viewer-body');
    if (!fresh) { location.assign(address); return; }
    const old = body();
    if (old) old.replaceWith(fresh); else layer.prepend(fresh);
    htmx.process(fresh);
    if (held) fresh.querySelector<HTMLElement>(held)?.focus({ preventScroll: true });
    if (!layer.contains(document.activeElement)) layer.focus();
    settle();
    const way = due;
    due = undefined;
    if (way) step(way);
  };
  const show = async (address: string, replaces: boolean, stands?: Promise<void>): Promise<void> => {
    const mine = ++turn;
    clearTimeout(restTimer);
    const arrived = (html: string) => { if (replaces) history.replaceState({ viewer: true }, '', address); put(html, address); };
    const known = keptFragment(address);
    if (known !== undefined && !stands) { arrived(known); return; }
    dropUnwanted([address]);
    try {
      const [html] = await Promise.all([fetchFragment(address), stands]);
      if (mine === turn) arrived(html);
    } catch (error) {
      if (mine !== turn) return;
      slideshow.stop();
      const gone = error instanceof NoFragment && error.status === 404;
      // No second try brings back what was taken out.
      tell(layer, gone ? 'This one is no longer in the library.' : 'This one could not be loaded: Jharokha does not answer.', gone ? undefined : () => { void show(address, replaces); });
    }
  };
  const open = (address: string, tile: HTMLElement | null): void => {
    if (!dialog) return;
    opener = tile;
    lastWay = 'older';
    due = undefined;
    heldBy = undefined;
    showFacts(layer);
    body()?.remove();
    const draft = drawBody(tile, location.pathname.startsWith('/a/') ? '/' : location.href);
    layer.prepend(draft);
    if (!dialog.open) { pageTitle = document.title; dialog.showModal(); }
    layer.focus();
    void show(address, false, tile ? growFrom(tile, draft.querySelector('.picture-box')) : undefined);
  };
  const close = (): void => {
    turn++;
    clearTimeout(restTimer);
    clearTimeout(aheadTimer);
    slideshow.stop();
    if (!dialog) return;
    const [grid, stands] = [theGrid(), body()?.dataset['stands']];
    if (corrected && !grid) { location.reload(); return; }
    // A grid holds only what is near in the page: what was stepped to is brought there first.
    const at = stands === undefined ? undefined : grid?.find(stands);
    if (at !== undefined && grid?.tileAt(at) === undefined) grid?.reveal(at);
    const tile = tileOf(layer) ?? opener;
    if (corrected) { corrected = false; void grid?.refresh().catch(() => undefined); }
    zoom.reset();
    dropUnwanted([]);
    if (dialog.open) dialog.close();
    body()?.remove();
    layer.classList.remove('facts-on', 'bare');
    document.title = pageTitle;
    tile?.focus({ preventScroll: true });
    if (tile && !isInView(tile)) tile.scrollIntoView({ block: 'center', behavior: 'instant' });
  };
  /** The link's own address brings back the place where a tile is that the page has not loaded. */
  const leave = (): void => {
    const link = layer.querySelector<HTMLAnchorElement>('[data-viewer="close"]');
    const [grid, stands] = [theGrid(), body()?.dataset['stands']];
    const here = stands === undefined || tileOf(layer) !== null || grid?.find(stands) !== undefined;
    if (dialog && here && (grid || !corrected)) history.back();
    else if (link) location.assign(link.href);
  };
  /** What a link of the strip or of the stack shows already, until all of it has come. */
  const go = (link: HTMLAnchorElement, rests = false): void => {
    if (keptFragment(link.href) !== undefined) { void show(link.href, true); return; }
    turn++;
    heldBy ??= holder();
    zoom.reset();
    clearTimeout(aheadTimer);
    clearTold(layer);
    const shown = body();
    for (const old of layer.querySelectorAll('.picture:not(.leaving)')) old.remove();
    layer.querySelector('.stage')?.prepend(drawPicture(link));
    shown?.classList.add('viewer-draft');
    if (link.closest('.strip')) centreStrip(link);
    clearTimeout(restTimer);
    if (rests) restTimer = setTimeout(() => void show(link.href, true), REST_MS);
    else void show(link.href, true);
  };
  const step = (way: Way, held = false): void => {
    const link = beside(way);
    lastWay = way;
    // At the strip's end all waits for what is being stepped to, which brings a strip of its own.
    if (link) go(link, held && beside(way, 2) !== null);
    else if (!layer.querySelector('.strip a[aria-current]')) due = way;
  };

  const zoom = startZoom({
    layer, leave, beside,
    turn: (way) => { slideshow.stop(); step(way); },
    tap: () => { if (!slideshow.isOn() && !layer.querySelector('video.full')) layer.classList.toggle('bare'); },
  });
  const slideshow = startSlideshow({
    layer,
    nextPicture: () => beside('older')?.dataset['preload'],
    next: async () => {
      const link = beside('older');
      if (!link) return false;
      lastWay = 'older';
      await show(link.href, true);
      return true;
    },
    say: (text) => { status.textContent = text; },
  });
  const curate = startCurate({ layer, changed: (moves) => { forgetFragments(); if (moves) corrected = true; } });

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
    control.closest<HTMLElement>(':popover-open')?.hidePopover();
    // A page of its own, and files.
    if (what === 'similar' || what === 'download' || what === 'original' || what === 'trash') return;
    event.preventDefault();
    if (what === 'slideshow') { slideshow.toggle(); return; }
    slideshow.stop();
    if (what === 'facts') toggleFacts(layer);
    else if (what === 'live') playLive(layer);
    else if (what === 'close') leave();
    else if (what === 'newer' || what === 'older') step(what);
    else if (curate.press(control)) return;
    else if (control instanceof HTMLAnchorElement && control.getAttribute('aria-current') === null) go(control);
  });

  const press = (what: string): void => layer.querySelector<HTMLElement>(`.viewer-body:not(.viewer-draft) [data-viewer="${what}"]`)?.click();
  const KEYS: Record<string, (event: KeyboardEvent) => void> = {
    ArrowLeft: (event) => { slideshow.stop(); step('newer', event.repeat); }, ArrowRight: (event) => { slideshow.stop(); step('older', event.repeat); },
    i: () => toggleFacts(layer), l: () => press('similar'), d: () => press('download'), Delete: () => press('trash'), f: () => curate.mark('favourite'), e: () => curate.mark('archived'), a: () => curate.addAlbum(),
    s: () => slideshow.toggle(), '+': () => zoom.by('+'), '=': () => zoom.by('+'), '-': () => zoom.by('-'), '0': () => zoom.by('0'),
    Escape: () => { if (slideshow.isOn()) slideshow.stop(); else leave(); },
  };
  document.addEventListener('keydown', (event) => {
    if (dialog && !dialog.open) return;
    // Escape in a form leaves the form alone, and an open menu closes by itself.
    const form = event.key === 'Escape' && event.target instanceof Element ? event.target.closest('.correct') : null;
    if (form) { event.preventDefault(); form.querySelector<HTMLElement>('[data-cancel]')?.click(); return; }
    if (event.key === 'Escape' && layer.querySelector(':popover-open')) return;
    // A video's own controls take the arrows.
    if (event.target instanceof HTMLVideoElement && event.key.startsWith('Arrow')) return;
    if (!isPageKey(event) || isOtherDialogOpen(layer)) return;
    const does = event.key === ' ' && slideshow.isOn() && !(event.target instanceof HTMLButtonElement) ? () => slideshow.pause() : KEYS[event.key];
    if (!does || (event.repeat && !event.key.startsWith('Arrow') && !/[-+=]/.test(event.key))) return;
    event.preventDefault();
    does(event);
  });
  dialog?.addEventListener('cancel', (event) => event.preventDefault());

  addEventListener('popstate', () => {
    if (!dialog) return;
    if (location.pathname.startsWith('/a/')) open(location.href, null);
    else if (dialog.open) close();
  });

  // A small picture that is missing leaves its colour, not a broken sign.
  layer.addEventListener('error', (event) => { if (event.target instanceof HTMLImageElement && event.target.closest('.strip, .stack-row')) event.target.remove(); }, { capture: true });

  // Every fragment that was kept may say something else after a correction, and so may the grid.
  layer.addEventListener('htmx:after:swap', () => {
    if (layer.querySelector('[data-changed]')) { forgetFragments(); corrected = true; }
    // The focus was on an offer that went with its drive.
    if (document.activeElement === document.body) layer.focus({ preventScroll: true });
  });
  document.body.addEventListener('live-presence', outdateFragments);

  if (dialog) return;
  for (const image of layer.querySelectorAll<HTMLImageElement>('.strip img, .stack-row img')) if (image.complete && image.naturalWidth === 0) image.remove();
  settle();
}

/** The tile of what is shown, where the grid behind has it. */
function tileOf(layer: HTMLElement): HTMLElement | null {
  const id = layer.querySelector<HTMLElement>('.viewer-body')?.dataset['tile'];
  return id ? document.getElementById(id) : null;
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
