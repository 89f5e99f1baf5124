// A look: the perceptual hash of a picture, and what confirms a match of hashes. Pure but for the shrinking. Every number here
// was measured (docs/adr/0022-near-duplicates.md); whoever changes what a look is made of raises LOOK_VERSION.
import type { Sharp } from 'sharp';
import type { Look } from '../catalog/looks.ts';

/** The square that a look is made from, the waves across it that are looked at, and cells in a row of `fine`. */
const EDGE = 32;
const WAVES = 11;
const CELLS = 8;
/** Waves (of 64) that stand out from the noise by this much (grey levels) in a picture that shows something: a sky has 20 at most, one photo in 100 fewer than 28. */
const LOUD = 4;
const MIN_LOUD = 24;
/** A cell's grey is kept in 32nds of the picture's own spread. */
const FINE_STEPS = 32;

/** Bits in which two hashes of one picture may differ where the vectors confirm it, where nothing but the look can, and in two pictures of one burst. */
export const NEAR_BITS = 7;
export const NEAR_BITS_ALONE = 6;
export const BURST_BITS = 14;
/** How far any one cell may be off, in FINE_STEPS: what moved in a scene shows in its cell. */
const MAX_CELL = 0.6 * FINE_STEPS;
/** How far the mean colours may be apart: more saturation is 35 at most, a picture in black and white and its original often more. */
const MAX_COLOUR = 40;

// cos((2x + 1) u π / 64), by wave and place.
const COSINES = Array.from({ length: WAVES }, (_, u) => Float64Array.from({ length: EDGE }, (_, x) => Math.cos(((2 * x + 1) * u * Math.PI) / (2 * EDGE)) * (u === 0 ? Math.SQRT1_2 : 1)));
/** The 64 longest waves but the mean, the longest first: [down, across]. */
const ORDER = Array.from({ length: WAVES * WAVES - 1 }, (_, i) => [Math.floor((i + 1) / WAVES), (i + 1) % WAVES] as const)
  .sort(([a, b], [c, d]) => a + b - (c + d) || a - c).slice(0, 64);

/** The look of a picture that sharp has opened; null where it shows too little to be told from others. */
export async function lookOf(picture: Sharp): Promise<Look | null> {
  const { data, info } = await picture.flatten({ background: '#ffffff' }).resize(EDGE, EDGE, { fit: 'fill' }).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return lookOfSquare(data, info.channels);
}

/** From 32 x 32 pixels, interleaved. */
export function lookOfSquare(data: Uint8Array, channels: number): Look | null {
  const grey = new Float64Array(EDGE * EDGE);
  let blue = 0, red = 0;
  for (let i = 0; i < grey.length; i += 1) {
    const at = i * channels;
    const r = data[at] as number, g = data[channels < 3 ? at : at + 1] as number, b = data[channels < 3 ? at : at + 2] as number;
    const y = 0.299 * r + 0.587 * g + 0.114 * b;
    grey[i] = y;
    blue += b - y;
    red += r - y;
  }
  const waves = wavesOf(grey);
  if (waves.filter((wave) => Math.abs(wave) >= LOUD).length < MIN_LOUD) return null;
  let hi = 0, lo = 0;
  waves.forEach((wave, i) => { if (wave > 0) { if (i < 32) hi |= 1 << i; else lo |= 1 << (i - 32); } });
  return { hi, lo, fine: fineOf(grey, blue / grey.length, red / grey.length) };
}

/** The discrete cosine transform (type II, orthonormal), as far as it is looked at. */
function wavesOf(grey: Float64Array): number[] {
  const rows = new Float64Array(EDGE * WAVES);
  for (let y = 0; y < EDGE; y += 1) {
    for (let u = 0; u < WAVES; u += 1) {
      const cosines = COSINES[u] as Float64Array;
      let sum = 0;
      for (let x = 0; x < EDGE; x += 1) sum += (grey[y * EDGE + x] as number) * (cosines[x] as number);
      rows[y * WAVES + u] = sum;
    }
  }
  return ORDER.map(([v, u]) => {
    const cosines = COSINES[v] as Float64Array;
    let sum = 0;
    for (let y = 0; y < EDGE; y += 1) sum += (rows[y * WAVES + u] as number) * (cosines[y] as number);
    return (sum * 2) / EDGE;
  });
}

/** 64 cells, less the mean and by the spread (so that brightness and contrast do not count), then the mean colour as blue and red less grey. */
function fineOf(grey: Float64Array, blue: number, red: number): Int8Array {
  const cells = new Float64Array(CELLS * CELLS);
  const side = EDGE / CELLS;
  for (let i = 0; i < grey.length; i += 1) { const cell = Math.floor(i / EDGE / side) * CELLS + Math.floor((i % EDGE) / side); cells[cell] = (cells[cell] as number) + (grey[i] as number) / (side * side); }
  const mean = cells.reduce((sum, v) => sum + v, 0) / cells.length;
  const spread = Math.sqrt(cells.reduce((sum, v) => sum + (v - mean) ** 2, 0) / cells.length) || 1;
  const clamp = (v: number) => Math.max(-127, Math.min(127, Math.round(v)));
  return Int8Array.from([...Array.from(cells, (v) => clamp(((v - mean) / spread) * FINE_STEPS)), clamp(blue / 2), clamp(red / 2)]);
}

export function bitsOf(v: number): number {
  let n = v - ((v >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Bits in which two hashes differ. */
export function distance(a: Pick<Look, 'hi' | 'lo'>, b: Pick<Look, 'hi' | 'lo'>): number { return bitsOf(a.hi ^ b.hi) + bitsOf(a.lo ^ b.lo); }

/** True where nothing but a slight crop, another size, quality or brightness tells two pictures of near hashes apart. */
export function looksSame(a: Int8Array, b: Int8Array): boolean {
  const cells = CELLS * CELLS;
  for (let i = 0; i < cells; i += 1) if (Math.abs((a[i] as number) - (b[i] as number)) >= MAX_CELL) return false;
  return 2 * Math.hypot((a[cells] as number) - (b[cells] as number), (a[cells + 1] as number) - (b[cells + 1] as number)) < MAX_COLOUR;
}
