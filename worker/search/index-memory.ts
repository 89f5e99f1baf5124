// One space of the embedded index in memory, as scans want it, and the answers to questions about it. Two tiers: up to
// `exactBytes` of codes every row lies here and every row that passes the filter is compared (`exact`); beyond that a
// bit a component lies here, picks candidates, and these are compared by their rows from disk (`coarse`). ADR 12 has the figures.
import type { VectorAnswer } from '../../protocol/link.ts';
import { bodyOf, bytesToHex, columnViews, emptyMarks, hexToBytes, markViews, BLOCK_SLOTS, FLAG_SHOWN, type IndexStore, type SlotColumns, type StoredSpace, type StoredVector } from './index-store.ts';
import { makeTest, type Columns, type Terms } from './index-filter.ts';
import { rowStride, roundUp, Scanner, SCRATCH_ROWS, toWeightQuery, type IntQuery } from './scan.ts';
import { Best, pickBest, type Hit } from './best.ts';
import type { IndexTier } from './reader.ts';
import type { PackedVector } from '../../protocol/vector.ts';

/** Where one tier ends and how far the other looks. Tests make them small. */
export interface Limits {
  /** Codes in memory beyond which signs answer first. */
  exactBytes: number;
  /** Rows that differing bits leave over for the finer look by weighed bits, at least, and as a share of those that passed. */
  weighed: number; weighedShare: number;
  /** Rows that are then read from disk and compared exactly. */
  candidates: number;
}
/** 110,000 vectors of 768 bytes: with columns and all, some 95 MB of an isolate's 128. */
export const LIMITS: Limits = { exactBytes: 110_000 * 768, weighed: 16_384, weighedShare: 0.03, candidates: 2_000 };
/** Rows by which mean and deviation are estimated where not all are compared. */
const SAMPLE = 400;
/** Vectors by which a space's mean is found. */
const MEAN_SAMPLE = 20_000;
/** The mean is found anew once there are so many times as many vectors. */
const MEAN_STALE = 4;
/** In memory alone: this slot has a vector in this space. */
const FLAG_VECTOR = 128;

export interface Question {
  query: IntQuery; against: IntQuery | null;
  /** The query as it came, for signs about the mean. */
  vector: ArrayLike<number>;
  /** The asset that is asked about, which does not answer itself. */
  except: number; terms: Terms; limit: number;
}

export class LoadedSpace {
  readonly key: string;
  readonly tier: IndexTier;
  private readonly store: IndexStore;
  private readonly space: StoredSpace;
  private readonly scanner: Scanner;
  private readonly mean: Float32Array | undefined;
  private readonly limits: Limits;
  private columns: Columns;
  /** `exact`: one by a row's length. `coarse`: how far a row reaches from the mean along its own signs. */
  private factors: Float32Array;
  /** `coarse` alone: the product with the mean. */
  private leans: Float32Array;
  /** `exact` alone; `coarse` reads hashes with its candidates. */
  private hashes: Uint8Array;
  private slots = 0;
  private picked = new Uint32Array(0);

  /** Reads the space from disk. In a transaction, for sign codes may have to be written. */
  constructor(store: IndexStore, space: StoredSpace, limits: Limits) {
    const capacity = store.capacity();
    const dimension = space.dimension;
    this.store = store;
    this.key = space.key;
    this.limits = limits;
    this.tier = capacity * rowStride(dimension) <= limits.exactBytes ? 'exact' : 'coarse';
    this.scanner = new Scanner(dimension, this.tier === 'exact' ? 'rows' : 'signs');
    this.columns = { day: new Int32Array(0), place: new Uint32Array(0), camera: new Uint32Array(0), traits: new Uint16Array(0), flags: new Uint8Array(0) };
    this.factors = new Float32Array(0);
    this.leans = new Float32Array(0);
    this.hashes = new Uint8Array(0);
    this.grow(capacity);
    for (const { block, body } of store.columnBlocks()) {
      const views = columnViews(body);
      const from = block * BLOCK_SLOTS;
      for (const name of ['day', 'place', 'camera', 'traits', 'flags'] as const) {
        const to = this.columns[name];
        to.set(views[name].subarray(0, to.length - from), from);
      }
    }
    this.space = space;
    if (this.tier === 'exact') { for (const vector of store.vectors(space)) this.keepRow(vector); return; }
    this.mean = space.mean && space.vectors <= MEAN_STALE * space.marked_vectors ? new Float32Array(space.mean) : this.mark();
    for (const { block, body } of store.markBlocks(space)) {
      const views = markViews(body);
      for (let i = 0; i < BLOCK_SLOTS; i += 1) this.keepMark(block * BLOCK_SLOTS + i, views, i);
    }
  }

  /** Still the tier that its size asks for. */
  get fits(): boolean { return this.tier === 'coarse' || this.slots * this.scanner.stride <= this.limits.exactBytes; }

  /** Bytes that this space takes in memory: WebAssembly's and typed arrays. */
  get bytes(): number {
    return this.scanner.bytes + this.factors.byteLength + this.leans.byteLength + this.hashes.byteLength + this.picked.byteLength + Object.values(this.columns).reduce((sum: number, c: Columns[keyof Columns]) => sum + c.byteLength, 0);
  }

  private grow(slots: number): void {
    if (slots > this.factors.length) {
      // An eighth more than needed, so that a library that is being indexed does not copy everything with every pack.
      const room = roundUp(Math.ceil(slots * (this.slots === 0 ? 1 : 1.125)), BLOCK_SLOTS);
      const c = this.columns;
      this.columns = { day: copyInto(new Int32Array(room), c.day), place: copyInto(new Uint32Array(room), c.place), camera: copyInto(new Uint32Array(room), c.camera), traits: copyInto(new Uint16Array(room), c.traits), flags: copyInto(new Uint8Array(room), c.flags) };
      this.factors = copyInto(new Float32Array(room), this.factors);
      if (this.tier === 'exact') this.hashes = copyInto(new Uint8Array(room * 32), this.hashes);
      else this.leans = copyInto(new Float32Array(room), this.leans);
      this.picked = new Uint32Array(room);
      this.scanner.reserve(room);
    }
    this.slots = Math.max(this.slots, slots);
  }

  private keepRow({ slot, sha256, factor, codes }: StoredVector): void {
    this.scanner.setRow(slot, new Uint8Array(codes.buffer, codes.byteOffset, codes.length));
    this.factors[slot] = factor;
    this.hashes.set(sha256, slot * 32);
    this.columns.flags[slot] = (this.columns.flags[slot] as number) | FLAG_VECTOR;
  }

  /** What place `at` of a block says, if anything. */
  private keepMark(slot: number, { reach, lean, present, signs }: ReturnType<typeof markViews>, at: number): void {
    if (!present[at]) return;
    this.scanner.setRow(slot, signs.subarray(at * this.scanner.stride, (at + 1) * this.scanner.stride));
    this.factors[slot] = reach[at] as number;
    this.leans[slot] = lean[at] as number;
    this.columns.flags[slot] = (this.columns.flags[slot] as number) | FLAG_VECTOR;
  }

  /** Finds the mean and writes every row's signs about it. */
  private mark(): Float32Array {
    const { store, space } = this;
    const { dimension } = space;
    const sums = new Float64Array(dimension);
    let seen = 0;
    const step = Math.max(1, Math.floor(this.slots / MEAN_SAMPLE));
    for (const { factor, codes } of store.vectorsAt(space, Array.from({ length: Math.ceil(this.slots / step) }, (_, i) => i * step))) {
      for (let i = 0; i < dimension; i += 1) sums[i] = (sums[i] as number) + (codes[i] as number) * factor;
      seen += 1;
    }
    const mean = Float32Array.from(sums, (s) => s / Math.max(1, seen));
    store.resetMarks(space, mean);
    let block = -1;
    let body = new ArrayBuffer(0);
    for (const vector of store.vectors(space)) {
      const its = Math.floor(vector.slot / BLOCK_SLOTS);
      if (its !== block) {
        if (block >= 0) store.putMarkBlock(space, block, body);
        block = its;
        body = emptyMarks(this.scanner.stride);
      }
      writeMark(body, vector.slot % BLOCK_SLOTS, this.scanner.stride, vector, mean);
    }
    if (block >= 0) store.putMarkBlock(space, block, body);
    return mean;
  }

  /** After the transaction that wrote them. */
  put(slots: readonly number[], items: readonly PackedVector[]): void {
    this.grow(slots.reduce((most, s) => Math.max(most, s + 1), 0));
    for (const [i, item] of items.entries()) {
      const slot = slots[i] as number;
      const vector = vectorOf(slot, item);
      if (!this.mean) { this.keepRow(vector); continue; }
      const body = emptyMarks(this.scanner.stride);
      writeMark(body, 0, this.scanner.stride, vector, this.mean);
      this.keepMark(slot, markViews(body), 0);
    }
  }

  remove(slots: readonly number[]): void {
    for (const slot of slots) if (slot < this.slots) this.columns.flags[slot] = (this.columns.flags[slot] as number) & ~FLAG_VECTOR;
  }

  setColumns(rows: readonly SlotColumns[]): void {
    this.grow(rows.reduce((most, r) => Math.max(most, r.slot + 1), 0));
    const c = this.columns;
    for (const { slot, day, place, camera, traits, flags } of rows) {
      c.day[slot] = day; c.place[slot] = place; c.camera[slot] = camera; c.traits[slot] = traits;
      c.flags[slot] = flags | ((c.flags[slot] as number) & FLAG_VECTOR);
    }
  }

  /** Slots that are shown, have a vector and pass the terms. */
  private pick(terms: Terms, except: number): Uint32Array {
    const { applied, test } = makeTest(this.columns, terms, this.store);
    const wanted = FLAG_SHOWN | FLAG_VECTOR;
    const { flags } = this.columns;
    let count = 0;
    for (let slot = 0; slot < this.slots; slot += 1) {
      if (((flags[slot] as number) & wanted) !== wanted || slot === except || (test && !test(slot))) continue;
      this.picked[count] = slot;
      count += 1;
    }
    this.applied = applied;
    return this.picked.subarray(0, count);
  }
  private applied: boolean[] = [];

  answer(question: Question): VectorAnswer {
    const picked = this.pick(question.terms, question.except);
    const found = this.tier === 'exact' ? this.scan(question, picked) : this.search(question, picked);
    return {
      hits: found.hits.map((h) => ({ sha256: h.sha256, score: h.score, against: h.against })), applied: this.applied,
      mean: found.looked === 0 ? null : found.sum / found.looked,
      deviation: found.looked === 0 ? null : Math.sqrt(Math.max(0, found.squares / found.looked - (found.sum / found.looked) ** 2)), looked_at: picked.length,
    };
  }

  /** Every picked row. */
  private scan({ query, against, limit }: Question, picked: Uint32Array): Found {
    const { factors, hashes } = this;
    const best = new Best(limit, (a, b) => compareBytes(hashes, a * 32, hashes, b * 32));
    let sum = 0;
    let squares = 0;
    this.scanner.dot(query, picked, (results, from) => {
      for (let i = 0; i < results.length; i += 1) {
        const slot = picked[from + i] as number;
        const score = (results[i] as number) * (factors[slot] as number) * query.scale;
        sum += score;
        squares += score * score;
        if (score >= best.least) best.offer(score, slot);
      }
    });
    const ordered = best.take();
    const hits: Hit[] = ordered.map(({ score, id }) => ({ score, against: null, sha256: bytesToHex(hashes.subarray(id * 32, id * 32 + 32)) }));
    if (against) this.scanner.dot(against, Uint32Array.from(ordered, (o) => o.id), (results, from) => { for (const [i, r] of results.entries()) (hits[from + i] as Hit).against = r * (factors[(ordered[from + i] as { id: number }).id] as number) * against.scale; });
    return { hits, sum, squares, looked: picked.length };
  }

  /** Candidates by their bits, then by their rows. */
  private search(question: Question, picked: Uint32Array): Found {
    const { vector, limit } = question;
    const wanted = Math.max(this.limits.candidates, 2 * limit);
    if (picked.length <= wanted) return this.compare(question, Array.from(picked));
    const mean = this.mean as Float32Array;
    let length = 0;
    for (let i = 0; i < vector.length; i += 1) length += (vector[i] as number) ** 2;
    length = Math.sqrt(length);
    const weights = toWeightQuery(Float32Array.from(mean, (m, i) => (vector[i] as number) / length - m), this.scanner.stride);

    // About the product of row and query, but for what all rows have in common: what it has of the mean, and how far it
    // reaches from it along its signs times what the query has along these signs.
    const { factors, leans } = this;
    const alike = new Float32Array(picked.length);
    this.scanner.differ(weights.signs, picked, (results, from) => {
      for (let i = 0; i < results.length; i += 1) {
        const slot = picked[from + i] as number;
        alike[from + i] = (leans[slot] as number) + (factors[slot] as number) * weights.level * (vector.length - 2 * (results[i] as number));
      }
    });
    const coarse = pickBest(picked, alike, Math.max(this.limits.weighed, wanted, Math.ceil(picked.length * this.limits.weighedShare)));

    const bits = new Uint16Array(coarse.length);
    this.scanner.differ(new Uint8Array(this.scanner.stride), coarse, (results, from) => { bits.set(results, from); });
    const likely = new Float32Array(coarse.length);
    this.scanner.weigh(weights.planes, coarse, (results, from) => {
      for (let i = 0; i < results.length; i += 1) {
        const slot = coarse[from + i] as number;
        likely[from + i] = (leans[slot] as number) + (factors[slot] as number) * (2 * (weights.step * (results[i] as number) + weights.low * (bits[from + i] as number)) - weights.sum);
      }
    });
    const found = this.compare(question, Array.from(pickBest(coarse, likely, wanted)));
    const step = picked.length / SAMPLE;
    return { ...this.compare({ ...question, limit: 1 }, Array.from({ length: SAMPLE }, (_, i) => picked[Math.floor(i * step)] as number)), hits: found.hits };
  }

  /** Rows from disk, compared exactly. */
  private compare({ query, against, limit }: Question, slots: number[]): Found {
    const hashes = new Uint8Array(slots.length * 32);
    const factors = new Float32Array(slots.length);
    const others = against ? new Float32Array(slots.length) : undefined;
    const best = new Best(limit, (a, b) => compareBytes(hashes, a * 32, hashes, b * 32));
    let sum = 0;
    let squares = 0;
    let looked = 0;
    let waiting = 0;
    const flush = () => {
      const from = looked - waiting;
      if (against && others) this.scanner.dotScratch(against, waiting).forEach((r, i) => { others[from + i] = r * (factors[from + i] as number) * against.scale; });
      const results = this.scanner.dotScratch(query, waiting);
      for (let i = 0; i < waiting; i += 1) {
        const score = (results[i] as number) * (factors[from + i] as number) * query.scale;
        sum += score;
        squares += score * score;
        if (score >= best.least) best.offer(score, from + i);
      }
      waiting = 0;
    };
    for (const { sha256, factor, codes } of this.store.vectorsAt(this.space, slots)) {
      this.scanner.setScratch(waiting, new Uint8Array(codes.buffer, codes.byteOffset, codes.length));
      hashes.set(sha256, looked * 32);
      factors[looked] = factor;
      looked += 1;
      waiting += 1;
      if (waiting === SCRATCH_ROWS) flush();
    }
    if (waiting > 0) flush();
    return { hits: best.take().map(({ score, id }) => ({ score, against: others ? (others[id] as number) : null, sha256: bytesToHex(hashes.subarray(id * 32, id * 32 + 32)) })), sum, squares, looked };
  }
}

interface Found { hits: Hit[]; sum: number; squares: number; looked: number }

/** Writes what is known of a vector about the mean into its place of a block. */
export function writeMark(body: ArrayBuffer, at: number, stride: number, { codes, factor }: StoredVector, mean: Float32Array): void {
  const { reach, lean, present, signs } = markViews(body);
  const its = signs.subarray(at * stride, (at + 1) * stride);
  its.fill(0);
  let squares = 0;
  let sum = 0;
  let product = 0;
  for (let i = 0; i < codes.length; i += 1) {
    const x = (codes[i] as number) * factor;
    const v = x - (mean[i] as number);
    product += x * (mean[i] as number);
    squares += v * v;
    sum += Math.abs(v);
    if (v > 0) its[i >> 3] = (its[i >> 3] as number) | (1 << (i & 7));
  }
  reach[at] = sum === 0 ? 0 : squares / sum;
  lean[at] = product;
  present[at] = 1;
}

/** As it will come back from disk. */
export function vectorOf(slot: number, item: PackedVector): StoredVector {
  const body = bodyOf(item);
  return { slot, sha256: hexToBytes(item.sha256), factor: new Float32Array(body.buffer, 32, 1)[0] as number, codes: item.codes };
}

function compareBytes(a: Uint8Array, fromA: number, b: Uint8Array, fromB: number): number {
  for (let i = 0; i < 32; i += 1) {
    const difference = (a[fromA + i] as number) - (b[fromB + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function copyInto<T extends Int32Array | Uint32Array | Uint16Array | Uint8Array | Float32Array>(to: T, from: T): T { to.set(from); return to; }
