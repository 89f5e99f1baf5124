// Vectors like those of a photo library, seeded and made by number: themes, within them events (bursts of one day), within
// them photos; a common direction that all share, as CLIP's have, and a spectrum that falls. Pure: runs in Node and in workerd.

export interface VectorMaker {
  /** Asset `i`'s vector, of length 1: the same for the same number and seed, in any order. */
  asset(i: number): Float32Array;
  /** A picture that is not among the assets, of one of their events. */
  imageQuery(i: number): Float32Array;
  /** What a text tower gives: it shares a theme with some assets, and lies far from all (a cosine of some 0.3). */
  textQuery(i: number): Float32Array;
}

export interface MakerOptions { dimension: number; seed: number; assets: number; themes?: number; eventSize?: number }

/** 32 bits that look random, from two numbers. */
export function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/** 64 hex digits for a number, spread like real hashes. */
export function madeHash(n: number, seed = 1): string {
  let text = '';
  for (let i = 0; i < 8; i += 1) text += mix(mix(n, seed), i).toString(16).padStart(8, '0');
  return text;
}

const TABLE_BITS = 18;

/** Normally distributed numbers, made once; a vector is a run of them that starts anywhere. */
function makeNormals(seed: number, count: number): Float32Array {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((mix(seed, i) + 1) / 4_294_967_297));
    const angle = (2 * Math.PI * mix(seed, i + 1)) / 4_294_967_296;
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

export function createVectorMaker({ dimension, seed, assets, themes = 200, eventSize = 60 }: MakerOptions): VectorMaker {
  const normals = makeNormals(seed, (1 << TABLE_BITS) + dimension);
  // Energy of the axes before they are mixed: falls like a real model's.
  const weights = Float32Array.from({ length: dimension }, (_, j) => 1 / Math.sqrt(1 + (j * 64) / dimension));
  const energy = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0));
  for (let j = 0; j < dimension; j += 1) weights[j] = (weights[j] as number) / energy;
  const block = Math.min(256, dimension & -dimension);
  const events = Math.max(1, Math.ceil(assets / eventSize));

  /** Adds a run of noise, whose length is about `amount`. */
  const add = (to: Float32Array, kind: number, n: number, amount: number) => {
    const from = mix(mix(seed, kind), n) & ((1 << TABLE_BITS) - 1);
    for (let j = 0; j < dimension; j += 1) to[j] = (to[j] as number) + amount * (weights[j] as number) * (normals[from + j] as number);
  };
  /** Spreads each axis over all others, so that no component alone says much: two rounds of Hadamard's, in two orders. */
  const finish = (raw: Float32Array): Float32Array => {
    let from = raw;
    for (let round = 0; round < 2; round += 1) {
      for (let start = 0; start < dimension; start += block) {
        for (let half = 1; half < block; half *= 2) {
          for (let i = start; i < start + block; i += half * 2) {
            for (let j = i; j < i + half; j += 1) {
              const a = from[j] as number;
              const b = from[j + half] as number;
              from[j] = a + b;
              from[j + half] = a - b;
            }
          }
        }
      }
      const next = new Float32Array(dimension);
      const rows = dimension / block;
      for (let j = 0; j < dimension; j += 1) next[(j % block) * rows + Math.floor(j / block)] = (mix(seed + round, j) & 1 ? 1 : -1) * (from[j] as number);
      from = next;
    }
    let sum = 0;
    for (const v of from) sum += v * v;
    const length = Math.sqrt(sum);
    for (let j = 0; j < dimension; j += 1) from[j] = (from[j] as number) / length;
    return from;
  };
  const picture = (event: number, noise: number, n: number) => {
    const v = new Float32Array(dimension);
    add(v, 0, 0, 0.7);
    add(v, 1, mix(seed, event) % themes, 0.45);
    add(v, 2, event, 0.4);
    add(v, noise, n, 0.4);
    return finish(v);
  };
  return {
    // Events lie together in the order of numbers, as bursts lie together in a library.
    asset: (i) => picture(Math.floor(i / eventSize), 3, i),
    imageQuery: (i) => picture(mix(i, seed + 1) % events, 4, i),
    textQuery: (i) => {
      const v = new Float32Array(dimension);
      add(v, 5, 0, 0.85);
      add(v, 0, 0, 0.1);
      add(v, 1, mix(seed, mix(i, seed + 2) % events) % themes, 0.35);
      add(v, 6, i, 0.35);
      return finish(v);
    },
  };
}
