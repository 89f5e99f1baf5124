// The scan: rows of bytes in WebAssembly's memory and three loops over some of them (scripts/make-scan-wasm.ts wrote
// scan.wasm). Knows numbers alone, no assets.
import scanWasm from './scan.wasm';

interface Loops {
  memory: WebAssembly.Memory;
  /** result[k] = sum of row[i] (int8) * query[i] (int16) for row number picked[k]; `stride` a multiple of 64, of 16 for the others. */
  dot: Loop;
  /** result[k] = bits in which row and query differ. */
  differ: Loop;
  /** result[k] = sum, over the bits set in the row, of the query's weights (0 to 15, as four planes of bits). */
  weigh: Loop;
}
type Loop = (rows: number, stride: number, picked: number, count: number, query: number, result: number) => void;

/** Rows in one call of a loop. */
const BATCH = 16_384;
/** Candidates that are looked at closely lie in a place of their own, so many at a time. */
export const SCRATCH_ROWS = 256;
/**
 * An int16 query has 13 bits: over 4,096 components a sum of products with int8 then just stays within 32 bits, and the
 * query's own rounding is far below that of the rows.
 */
const QUERY_MAX = 4_095;
const MAX_DIMENSION = 4_096;
/** Largest weight of `weigh`: four bits. */
const WEIGHT_MAX = 15;
const QUERY_AT = 0;
const PICKED_AT = QUERY_AT + 2 * MAX_DIMENSION;
const RESULT_AT = PICKED_AT + 4 * BATCH;
const SCRATCH_AT = RESULT_AT + 4 * BATCH;
const PAGE_BYTES = 65_536;

/** A query in 13 bits: `scale` makes a sum of products with unit rows a cosine. */
export interface IntQuery { codes: Int16Array; scale: number }

export function toIntQuery(vector: ArrayLike<number>): IntQuery {
  let largest = 0;
  for (let i = 0; i < vector.length; i += 1) largest = Math.max(largest, Math.abs(vector[i] as number));
  if (!(largest > 0) || !Number.isFinite(largest)) throw new Error('a query without direction');
  const codes = Int16Array.from({ length: vector.length }, (_, i) => Math.round(((vector[i] as number) / largest) * QUERY_MAX));
  let sum = 0;
  for (const c of codes) sum += c * c;
  return { codes, scale: 1 / Math.sqrt(sum) };
}

/** A query for rows of signs: weight of bit i is `low + step * w`, w in four bits; `level` is the mean size of a component. */
export interface WeightQuery { planes: Uint8Array; signs: Uint8Array; low: number; step: number; sum: number; level: number }

/** `centred`: the query less the space's mean. */
export function toWeightQuery(centred: Float32Array, stride: number): WeightQuery {
  let squares = 0;
  for (const v of centred) squares += v * v;
  // The few components far out would cost all others their precision.
  const most = 2.5 * Math.sqrt(squares / centred.length) || 1;
  const step = (2 * most) / WEIGHT_MAX;
  const planes = new Uint8Array(stride * 4);
  const signs = new Uint8Array(stride);
  let sum = 0;
  let sizes = 0;
  for (let i = 0; i < centred.length; i += 1) {
    const v = Math.max(-most, Math.min(most, centred[i] as number));
    const weight = Math.round((v + most) / step);
    sum += weight * step - most;
    sizes += Math.abs(v);
    const byte = i >> 3;
    const bit = 1 << (i & 7);
    if (v > 0) signs[byte] = (signs[byte] as number) | bit;
    for (let p = 0; p < 4; p += 1) if ((weight >> p) & 1) { const at = (byte >> 4) * 64 + p * 16 + (byte & 15); planes[at] = (planes[at] as number) | bit; }
  }
  return { planes, signs, low: -most, step, sum, level: sizes / centred.length };
}

export class Scanner {
  /** Bytes of a row in memory, the rest zeros. */
  readonly stride: number;
  private readonly loops: Loops;
  private readonly rowsAt: number;
  /** Bytes of a row that is looked at closely. */
  private readonly scratchStride: number;

  /** Whole rows or their signs are kept here; in the scratch place, whole rows. */
  constructor(dimension: number, kept: 'rows' | 'signs') {
    this.stride = kept === 'rows' ? rowStride(dimension) : signStride(dimension);
    this.scratchStride = rowStride(dimension);
    this.loops = new WebAssembly.Instance(scanWasm, {}).exports as unknown as Loops;
    this.rowsAt = SCRATCH_AT + SCRATCH_ROWS * this.scratchStride;
    this.reserve(0);
  }

  /** Room for so many rows; what is there stays. */
  reserve(rows: number): void {
    const missing = this.rowsAt + rows * this.stride - this.loops.memory.buffer.byteLength;
    if (missing > 0) this.loops.memory.grow(Math.ceil(missing / PAGE_BYTES));
  }

  get bytes(): number { return this.loops.memory.buffer.byteLength; }

  setRow(row: number, bytes: Uint8Array): void { this.view(this.rowsAt + row * this.stride, this.stride).set(bytes); }

  setScratch(row: number, bytes: Uint8Array): void { this.view(SCRATCH_AT + row * this.scratchStride, this.scratchStride).set(bytes); }

  /** Products with the rows `picked[from…]`, at most BATCH: a view that the next call overwrites. */
  private run(loop: Loop, rowsAt: number, stride: number, picked: Uint32Array, from: number): Int32Array {
    const count = Math.min(BATCH, picked.length - from);
    new Uint32Array(this.loops.memory.buffer, PICKED_AT, count).set(picked.subarray(from, from + count));
    loop(rowsAt, stride, PICKED_AT, count, QUERY_AT, RESULT_AT);
    return new Int32Array(this.loops.memory.buffer, RESULT_AT, count);
  }

  private each(loop: Loop, query: Uint8Array, picked: Uint32Array, visit: (results: Int32Array, from: number) => void): void {
    this.setQuery(query);
    for (let from = 0; from < picked.length; from += BATCH) visit(this.run(loop, this.rowsAt, this.stride, picked, from), from);
  }

  private setQuery(bytes: Uint8Array): void {
    const place = this.view(QUERY_AT, PICKED_AT - QUERY_AT);
    place.fill(0);
    place.set(bytes);
  }

  /** `visit` gets the products of rows `picked[from…]`, batch by batch. */
  dot(query: IntQuery, picked: Uint32Array, visit: (results: Int32Array, from: number) => void): void { this.each(this.loops.dot, bytesOf(query.codes), picked, visit); }

  differ(query: Uint8Array, picked: Uint32Array, visit: (results: Int32Array, from: number) => void): void { this.each(this.loops.differ, query, picked, visit); }

  weigh(planes: Uint8Array, picked: Uint32Array, visit: (results: Int32Array, from: number) => void): void { this.each(this.loops.weigh, planes, picked, visit); }

  /** Products with the first `count` rows of the scratch place. */
  dotScratch(query: IntQuery, count: number): Int32Array {
    this.setQuery(bytesOf(query.codes));
    return this.run(this.loops.dot, SCRATCH_AT, this.scratchStride, FIRST.subarray(0, count), 0);
  }

  private view(at: number, length: number): Uint8Array { return new Uint8Array(this.loops.memory.buffer, at, length); }
}

const FIRST = Uint32Array.from({ length: SCRATCH_ROWS }, (_, i) => i);

function bytesOf(codes: Int16Array): Uint8Array { return new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength); }

/** Bytes of a row in memory: `dot` takes 64 at a time. */
export function rowStride(dimension: number): number { return roundUp(dimension, 64); }
/** Bytes of a row's signs, in memory and on disk. */
export function signStride(dimension: number): number { return roundUp(Math.ceil(dimension / 8), 16); }

export function roundUp(n: number, to: number): number { return Math.ceil(n / to) * to; }
