// The grid by keys: arrows go from tile to tile, also where none is loaded yet; Home and End to its ends; + and - change the size.
// A focus whose tile has left the DOM comes back with it.
import { ARROWS, isOtherDialogOpen, isPageKey } from '../keys.ts';
import type { GridCore } from './core.ts';
import { GRID_TILES_EVENT } from './view.ts';

export function startWalk(current: () => GridCore | undefined, resize: (by: 1 | -1) => void): void {
  /** The focused tile, wherever it is; and whether it waits for its tile to come. */
  let at: number | undefined;
  let waits = false;
  const focus = (grid: GridCore, index: number): void => {
    at = index;
    grid.reveal(index);
    const tile = grid.tileAt(index);
    waits = !tile;
    if (tile) tile.focus({ preventScroll: true });
    else grid.element.focus({ preventScroll: true });
  };
  document.addEventListener('focusin', (event) => {
    const grid = current();
    if (!grid || !(event.target instanceof Element)) return;
    if (event.target === grid.element) return;
    const tile = event.target.closest('.tile');
    at = tile ? grid.indexOf(tile) : undefined;
    waits = false;
  });
  // A row that goes takes the focus with it: the grid itself holds it meanwhile.
  document.addEventListener('focusout', (event) => {
    const grid = current();
    const gone = event.target;
    if (!grid || at === undefined || event.relatedTarget !== null || !(gone instanceof Element) || !gone.matches('.tile')) return;
    queueMicrotask(() => {
      if (gone.isConnected || document.activeElement !== document.body) return;
      waits = true;
      grid.element.focus({ preventScroll: true });
    });
  });
  document.body.addEventListener(GRID_TILES_EVENT, () => {
    const grid = current();
    if (!grid || !waits || at === undefined || document.activeElement !== grid.element) return;
    const tile = grid.tileAt(at);
    if (tile) { waits = false; tile.focus({ preventScroll: true }); }
  });

  document.addEventListener('keydown', (event) => {
    const grid = current();
    if (!grid || !isPageKey(event) || isOtherDialogOpen(null)) return;
    const target = event.target;
    const onTile = target instanceof Element && (target === grid.element || target.closest('.tile') !== null);
    const onPage = target === document.body || target === document.documentElement || (target instanceof Element && target.id === 'main');
    const way = ARROWS[event.key];
    if (way && onTile && !event.shiftKey && at !== undefined) focus(grid, grid.step(at, way));
    else if (event.key === 'Enter' && target === grid.element && at !== undefined) grid.tileAt(at)?.click();
    else if ((event.key === 'Home' || event.key === 'End') && (onTile || onPage) && grid.count > 0) {
      grid.jump(event.key === 'Home' ? -Infinity : Infinity);
      if (onTile) focus(grid, event.key === 'Home' ? 0 : grid.count - 1);
    } else if ((event.key === '+' || event.key === '=' || event.key === '-') && (onTile || onPage)) resize(event.key === '-' ? -1 : 1);
    else return;
    event.preventDefault();
  });
}
