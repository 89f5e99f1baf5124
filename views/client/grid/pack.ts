// Packs tiles into justified rows. Pure, and quick: a million tiles in some tens of milliseconds.
import { levelRatio } from '../../../protocol/layout.ts';

/** Ratios by level: the packer's inner loop looks up and adds, nothing else. */
export const RATIOS = Float64Array.from({ length: 63 }, (_, level) => levelRatio(level));

/** Rows of one group, from its top. A row reaches to the next one's first tile. */
export interface Rows { first: Uint32Array; top: Int32Array; height: Uint16Array; width: Uint16Array }
export interface RowSize { width: number; row: number; gap: number }

/** How much the last row of a day, which keeps the height, may fall short of the width before it is no longer stretched to it. */
const NEARLY_FULL = 0.92;
/** A box that is wider than this is cut off by the 16 bits it is kept in. */
const MAX_SIDE = 65_535;

/** Gathers rows; one is used again and again, so that nothing is allocated while a layout is made. */
export class RowBuffer {
  count = 0;
  #first = new Uint32Array(1024);
  #top = new Int32Array(1024);
  #height = new Uint16Array(1024);
  #width = new Uint16Array(1024);

  push(first: number, top: number, height: number, width: number): void {
    const at = this.count;
    if (at === this.#first.length) this.#grow();
    this.#first[at] = first;
    this.#top[at] = top;
    this.#height[at] = height;
    this.#width[at] = width;
    this.count = at + 1;
  }
  /** What was gathered, in arrays of its own; empties the buffer. */
  take(): Rows {
    const rows = { first: this.#first.slice(0, this.count), top: this.#top.slice(0, this.count), height: this.#height.slice(0, this.count), width: this.#width.slice(0, this.count) };
    this.count = 0;
    return rows;
  }
  #grow(): void {
    const grown = <T extends Uint32Array | Int32Array | Uint16Array>(into: T, from: T): T => { into.set(from); return into; };
    const length = this.#first.length * 2;
    this.#first = grown(new Uint32Array(length), this.#first);
    this.#top = grown(new Int32Array(length), this.#top);
    this.#height = grown(new Uint16Array(length), this.#height);
    this.#width = grown(new Uint16Array(length), this.#width);
  }
}

/**
 * Rows for the tiles `[from, end)` of `levels`, the first at `top`; returns the bottom of the last. A row is closed where
 * its height comes nearest to `size.row`, before or behind the tile that brings it below. All rows but the last depend
 * only on tiles up to the one behind them, so what is known of a beginning stands when the rest comes.
 */
export function packRows(levels: Uint8Array, from: number, end: number, top: number, size: RowSize, into: RowBuffer): number {
  const { width, row, gap } = size;
  let y = top;
  let first = from;
  let sum = 0;
  for (let i = from; i < end; i++) {
    const ratio = RATIOS[levels[i] as number] as number;
    const n = i - first;
    const height = (width - n * gap) / (sum + ratio);
    if (height > row) { sum += ratio; continue; }
    // Without this tile the row would be higher than wanted, with it lower: whichever is nearer.
    const without = n === 0 ? Infinity : (width - (n - 1) * gap) / sum;
    if (without / row < row / height) {
      y = close(into, first, y, without, width, gap);
      first = i;
      sum = ratio;
      // A panorama alone may be as wide as the page.
      if (width / ratio <= row) { y = close(into, i, y, width / ratio, width, gap); first = i + 1; sum = 0; }
    } else {
      y = close(into, first, y, height, width, gap);
      first = i + 1;
      sum = 0;
    }
  }
  if (first < end) {
    const n = end - first;
    const natural = sum * row + (n - 1) * gap;
    y = natural >= width * NEARLY_FULL ? close(into, first, y, (width - (n - 1) * gap) / sum, width, gap) : close(into, first, y, row, Math.min(width, Math.round(natural)), gap);
  }
  return end > from ? y - gap : y;
}

function close(into: RowBuffer, first: number, top: number, height: number, width: number, gap: number): number {
  const whole = Math.max(1, Math.min(MAX_SIDE, Math.round(height)));
  into.push(first, top, whole, width);
  return top + whole + gap;
}
