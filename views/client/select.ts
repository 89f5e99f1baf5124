// Selecting in the page's grid: by the check at a tile's corner, run, drag, day and keys. Marks what is seen, and tells the
// rest of the page with `selection` on the body; what is then done is actions.ts's.
import { GRID_LAYOUT_EVENT, GRID_TILES_EVENT, theGrid, tileHash, type GridView } from './grid/view.ts';
import { ARROWS, isOtherDialogOpen, isPageKey, isTyped } from './keys.ts';
import { Selection } from './selection.ts';
import { startDraw, takeClick } from './select-draw.ts';
import { say } from './toast.ts';

/** Fired on `document.body` whenever something else is selected. */
export const SELECTION_EVENT = 'selection';
/** More are not asked for by name, and nothing is done to them at once. */
export const MAX_SELECTED = 100_000;
/** What one question for hashes answers. */
const MAX_ASKED = 20_000;
/** The check with a rim that a pointer is granted. */
const CHECK_PX = 40;
/** Hashes are asked for once the hand rests. */
const REST_MS = 300;

const selection = new Selection();
/** Moves with the layout: an answer to an older one says nothing any more. */
let layout = 0;
let count = 0;
let resting: ReturnType<typeof setTimeout> | undefined;
let coming: Promise<void> | undefined;

export function selectedCount(): number { return selection.count; }
/** The hashes of those whose hashes are known: all of them soon after the hand rests. */
export function knownSelected(): string[] { return selection.list(); }
export function clearSelection(): void {
  if (selection.count === 0) return;
  selection.clear();
  changed();
}

/** The hashes of all that are selected; asks for those that are not known. Rejects where the network fails. */
export async function collectSelected(): Promise<string[]> {
  // Again, where the layout moved meanwhile and some are to be asked for under other places.
  for (let round = 0; round < 3; round += 1) {
    await (coming ??= askUnknown().finally(() => { coming = undefined; }));
    if (selection.unknown(MAX_ASKED).length === 0) break;
  }
  return selection.list();
}

async function askUnknown(): Promise<void> {
  const grid = theGrid();
  const asked = layout;
  if (!grid) return;
  for (const { from, end } of selection.unknown(MAX_ASKED)) {
    const hashes = await grid.hashes(from, end);
    if (asked !== layout) return;
    selection.learn(from, hashes);
  }
}

/** Selects these, wherever they stand: what was done to them did not come about. */
export function selectAgain(hashes: readonly string[]): void {
  selection.put(hashes, (sha256) => theGrid()?.find(sha256));
  changed();
}

/** Tiles that are in the page now. */
export function seenTiles(): Iterable<HTMLAnchorElement> { return theGrid()?.element.querySelectorAll<HTMLAnchorElement>('a.tile') ?? []; }

export function startSelect(): void {
  if (!document.querySelector('#doing')) return;
  document.body.addEventListener(GRID_TILES_EVENT, () => { count = theGrid()?.count ?? 0; if (selection.count > 0) mark(); markDays(); });
  document.body.addEventListener(GRID_LAYOUT_EVENT, () => {
    const grid = theGrid();
    layout += 1;
    const lost = grid ? selection.moved(count, grid.count, (sha256) => grid.find(sha256)) : 0;
    count = grid?.count ?? 0;
    if (lost > 0) say(`${lost.toLocaleString('en')} that had not been loaded are no longer selected: the library changed.`);
    changed();
  });
  // The grid may have come before anyone listened.
  count = theGrid()?.count ?? 0;
  markDays();
  listenClicks();
  listenKeys();
  let drawn: number | undefined;
  startDraw({
    indexOf: (target) => gridTile(target)?.index,
    mayDraw: (event) => selection.count > 0 || onCheck(event, gridTile(event.target)?.tile),
    begin(index) { drawn = index; toggle(index); },
    over(x, y) {
      const index = theGrid()?.indexAt(x, y);
      if (index !== undefined && index !== drawn) { drawn = index; reach(index); }
    },
  });
}

function changed(): void {
  mark();
  markDays();
  document.body.classList.toggle('selecting', selection.count > 0);
  document.body.dispatchEvent(new CustomEvent(SELECTION_EVENT));
  clearTimeout(resting);
  resting = setTimeout(() => {
    if (selection.count === 0 || selection.count > MAX_SELECTED) return;
    // Whoever acts on them asks again, and says so where nobody answers.
    collectSelected().then(() => document.body.dispatchEvent(new CustomEvent(SELECTION_EVENT)), () => undefined);
  }, REST_MS);
}

/** While selecting a tile is a check box, to the eye and to the ear. */
function mark(): void {
  const grid = theGrid();
  if (!grid) return;
  const before = selection.count;
  for (const tile of seenTiles()) {
    const index = grid.indexOf(tile);
    if (index === undefined) continue;
    const on = selection.meet(index, tileHash(tile));
    if (selection.count > 0) {
      if (tile.getAttribute('aria-checked') !== String(on)) { tile.setAttribute('role', 'checkbox'); tile.setAttribute('aria-checked', String(on)); }
    } else if (tile.hasAttribute('aria-checked')) { tile.removeAttribute('role'); tile.removeAttribute('aria-checked'); }
  }
  if (selection.count !== before) document.body.dispatchEvent(new CustomEvent(SELECTION_EVENT));
}

/** A check beside each title, over all that stands under it. */
function markDays(): void {
  const grid = theGrid();
  if (!grid) return;
  for (const section of grid.element.querySelectorAll<HTMLElement>('.day')) {
    const before = section.previousElementSibling;
    const title = section.querySelector('.day-title, .month-title') ?? (before?.matches('.month-title') ? before : null);
    const range = rangeUnder(section);
    if (!title || !range) continue;
    let check = title.querySelector<HTMLButtonElement>('.day-check');
    if (!check) {
      check = document.createElement('button');
      check.type = 'button';
      check.className = 'day-check';
      check.setAttribute('aria-label', `Select all of ${title.textContent ?? ''}`);
      title.append(check);
      days.set(check, section);
    }
    const on = String(selection.count > 0 && selection.hasAll(range.from, range.end));
    if (check.getAttribute('aria-pressed') !== on) check.setAttribute('aria-pressed', on);
  }
}
/** Whose check a button is. */
const days = new WeakMap<Element, Element>();
function rangeUnder(section: Element): { from: number; end: number } | undefined {
  const grid = theGrid();
  const tile = section.querySelector('a.tile');
  const index = tile ? grid?.indexOf(tile) : undefined;
  return index === undefined ? undefined : grid?.rangeOf(index);
}

function setRange(from: number, end: number, on: boolean): void {
  selection.set(from, end, on);
  // Some of these may be selected by their hash alone.
  if (!on && selection.adrift) theGrid()?.hashes(from, end).then((hashes) => { selection.forget(hashes); changed(); }, () => undefined);
  changed();
}

function toggle(index: number): void {
  selection.begin(index, !selection.has(index));
  changed();
}
/** The end of the run that was reached last. */
let lead: number | undefined;
function reach(index: number): void {
  lead = index;
  selection.extend(index);
  changed();
}

function gridTile(target: EventTarget | null): { grid: GridView; tile: HTMLAnchorElement; index: number } | undefined {
  const grid = theGrid();
  const tile = target instanceof Element ? target.closest<HTMLAnchorElement>('a.tile') : null;
  if (!grid || !tile || !grid.element.contains(tile)) return undefined;
  const index = grid.indexOf(tile);
  return index === undefined ? undefined : { grid, tile, index };
}
/** Whether a pointer is on the check at a tile's corner. */
function onCheck(event: MouseEvent, tile: Element | undefined): boolean {
  const box = tile?.getBoundingClientRect();
  return box !== undefined && event.clientX - box.left < Math.min(CHECK_PX, box.width / 2) && event.clientY - box.top < Math.min(CHECK_PX, box.height / 2);
}

function listenClicks(): void {
  document.addEventListener('click', (event) => {
    const section = event.target instanceof Element ? days.get(event.target) : undefined;
    const range = section && rangeUnder(section);
    if (range) { setRange(range.from, range.end, !selection.hasAll(range.from, range.end)); return; }
    const at = gridTile(event.target);
    if (!at || event.button !== 0) return;
    const stop = () => { event.preventDefault(); event.stopPropagation(); };
    if (takeClick()) { stop(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // A mouse alone has a corner to aim at; a key or a finger opens, or toggles while selecting.
    const aimed = event instanceof PointerEvent && event.pointerType === 'mouse' && event.detail > 0 && onCheck(event, at.tile);
    if (!aimed && selection.count === 0 && !event.shiftKey) return;
    stop();
    if (event.shiftKey && selection.anchor !== undefined) reach(at.index);
    else toggle(at.index);
  }, { capture: true });
}

function listenKeys(): void {
  document.addEventListener('keydown', (event) => {
    const grid = theGrid();
    if (!grid || isOtherDialogOpen(null)) return;
    if (event.key.toLowerCase() === 'a' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      if (isTyped(event) || event.defaultPrevented || grid.count === 0) return;
      event.preventDefault();
      setRange(0, grid.count, true);
      return;
    }
    // An open menu closes by itself.
    if (!isPageKey(event) || (event.key === 'Escape' && document.querySelector(':popover-open'))) return;
    const at = gridTile(event.target);
    // A tile that has left the page leaves the keys to the grid.
    const from = at?.index ?? (event.target === grid.element ? lead : undefined);
    const way = ARROWS[event.key];
    if (event.key === 'Escape' && selection.count > 0) clearSelection();
    else if (event.key === 'x' && at) toggle(at.index);
    else if (event.key === ' ' && at && selection.count > 0) toggle(at.index);
    else if (way && event.shiftKey && from !== undefined) {
      const next = grid.step(from, way);
      if (selection.anchor === undefined) selection.begin(from, true);
      reach(next);
      focusAt(grid, next);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
}

/** The tile may come into the page only now. */
function focusAt(grid: GridView, index: number): void {
  grid.reveal(index);
  const tile = grid.tileAt(index);
  if (tile) { tile.focus({ preventScroll: true }); return; }
  document.body.addEventListener(GRID_TILES_EVENT, () => grid.tileAt(index)?.focus({ preventScroll: true }), { once: true });
}
