// What the page's grid is for the other islands (selection, viewer): a list of tiles by index, of which some are in the DOM.
// There is at most one grid on a page.

/** Fired on `document.body` after tiles came into the DOM: marks (selected, favourite) are put on them then. */
export const GRID_TILES_EVENT = 'grid-tiles';
/** Fired on `document.body` after the layout changed: indices of before mean nothing any more. */
export const GRID_LAYOUT_EVENT = 'grid-layout';

export interface GridView {
  /** The element that holds the tiles. */
  readonly element: HTMLElement;
  /** The address of the page's grid, as `/grid/…?of=` takes it. */
  readonly of: string;
  /** Tiles in the whole grid. */
  readonly count: number;
  /** Where a tile in the DOM stands. */
  indexOf(tile: Element): number | undefined;
  /** The tile at an index, where it is in the DOM. */
  tileAt(index: number): HTMLElement | undefined;
  /** Where an asset stands, if it is loaded. */
  find(sha256: string): number | undefined;
  /** First index and end of the group of one title that an index lies in: a day, or a month where days are not told apart. */
  rangeOf(index: number): { from: number; end: number };
  /** Hashes from an index up to an end; asks for those that are not loaded. Rejects where the network fails. */
  hashes(from: number, end: number): Promise<string[]>;
  /** The tile under a point of the window, or the nearest in that row. */
  indexAt(x: number, y: number): number | undefined;
  /** The neighbour in a direction, as the eye sees it. */
  step(index: number, way: 'left' | 'right' | 'up' | 'down'): number;
  /** Brings an index into view. */
  reveal(index: number): void;
  /** Takes these out of the layout at once, before the server knows; `refresh` brings the truth. */
  drop(sha256s: ReadonlySet<string>): void;
  /** Asks for the layout anew, and keeps what is looked at in its place. */
  refresh(): Promise<void>;
}

/** The hash that a tile's address names. */
export function tileHash(tile: Element): string {
  return /^\/a\/([0-9a-f]{64})/.exec(tile.getAttribute('href') ?? '')?.[1] ?? '';
}

let current: GridView | undefined;
export function setGrid(view: GridView | undefined): void { current = view; }
export function theGrid(): GridView | undefined { return current; }
