// Which tiles show a heart: what the page says, and over it what was just done and may not be saved yet.
import { GRID_TILES_EVENT, tileHash } from './grid/view.ts';
import { seenTiles, SELECTION_EVENT } from './select.ts';

const HEART = 'tile-favourite';
/** What was done here, which pieces that were asked for before do not say. */
const done = new Map<string, boolean>();
/** What the page said of the tiles that show something else now. */
const said = new WeakMap<Element, boolean>();
/** Tiles that left the page with a heart may come back without its reason. */
let touched = false;

export function startHearts(): void {
  document.body.addEventListener(GRID_TILES_EVENT, () => { if (touched) draw(); });
}

/** Shows or takes away hearts at once. Returns what takes that back. */
export function setHearts(hashes: readonly string[], on: boolean): () => void {
  touched = true;
  const before = hashes.map((sha256) => done.get(sha256));
  for (const sha256 of hashes) done.set(sha256, on);
  tell();
  return () => {
    hashes.forEach((sha256, i) => {
      const was = before[i];
      if (was === undefined) done.delete(sha256); else done.set(sha256, was);
    });
    tell();
  };
}

/** Whether all of these are known to be favourites. */
export function areFavourites(hashes: readonly string[]): boolean {
  // A tile's id: views/timeline.tsx.
  return hashes.length > 0 && hashes.every((sha256) => done.get(sha256) ?? document.getElementById(`a-${sha256.slice(0, 20)}`)?.classList.contains(HEART) === true);
}

/** What can be done to the selected depends on it. */
function tell(): void {
  draw();
  document.body.dispatchEvent(new CustomEvent(SELECTION_EVENT));
}

function draw(): void {
  for (const tile of seenTiles()) {
    const on = done.get(tileHash(tile)) ?? said.get(tile);
    if (on === undefined) continue;
    if (!said.has(tile)) said.set(tile, tile.classList.contains(HEART));
    tile.classList.toggle(HEART, on);
  }
}
