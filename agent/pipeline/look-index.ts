// Hashes near to a hash, without comparing all with all: multi-index hashing (Norouzi, Punjani, Fleet 2012). Of two hashes that
// differ in at most 7 bits, one of four 16-bit bands differs in one bit at most; so each band's table is asked for 17 keys. Pure.
import { bitsOf } from './look.ts';

const BANDS = 4;
const KEYS = 1 << 16;
/** What four bands can promise. */
export const MAX_INDEX_BITS = 7;

export interface LookIndex {
  /** Positions of all hashes within so many bits of the one at `of`, itself left out, in no order. */
  near(of: number, bits: number): number[];
}

/** Over hashes in two halves of 32 bits. Each table holds the hashes too, in its own order, so that a key's are read in one run of memory. 50 bytes a hash. */
export function createLookIndex(hi: Int32Array, lo: Int32Array): LookIndex {
  const bandOf = (band: number, h: number, l: number): number => {
    const half = band < 2 ? h : l;
    return (band % 2 === 0 ? half : half >>> 16) & 0xffff;
  };
  const tables = Array.from({ length: BANDS }, (_, band) => {
    const keyOf = (at: number): number => bandOf(band, hi[at] as number, lo[at] as number);
    const starts = new Uint32Array(KEYS + 1);
    for (let at = 0; at < hi.length; at += 1) { const next = keyOf(at) + 1; starts[next] = (starts[next] as number) + 1; }
    for (let key = 0; key < KEYS; key += 1) starts[key + 1] = (starts[key + 1] as number) + (starts[key] as number);
    const free = starts.slice(0, KEYS);
    const items = new Uint32Array(hi.length);
    const halves = new Int32Array(hi.length * 2);
    for (let at = 0; at < hi.length; at += 1) {
      const key = keyOf(at);
      const to = free[key] as number;
      free[key] = to + 1;
      items[to] = at;
      halves[to * 2] = hi[at] as number;
      halves[to * 2 + 1] = lo[at] as number;
    }
    return { starts, items, halves };
  });
  return {
    near(of, bits) {
      if (bits > MAX_INDEX_BITS) throw new Error(`this index finds what is within ${MAX_INDEX_BITS} bits`);
      const found: number[] = [];
      const h = hi[of] as number, l = lo[of] as number;
      for (let band = 0; band < BANDS; band += 1) {
        const { starts, items, halves } = tables[band] as (typeof tables)[number];
        const own = bandOf(band, h, l);
        for (let flip = -1; flip < 16; flip += 1) {
          const key = flip < 0 ? own : own ^ (1 << flip);
          for (let i = starts[key] as number, end = starts[key + 1] as number; i < end; i += 1) {
            const x = h ^ (halves[i * 2] as number), y = l ^ (halves[i * 2 + 1] as number);
            if (bitsOf(x) + bitsOf(y) > bits) continue;
            const at = items[i] as number;
            if (at !== of && firstBand(x, y) === band) found.push(at);
          }
        }
      }
      return found;
    },
  };
}

/** The first band in which two hashes differ by one bit at most: only that one's table gives the pair. */
function firstBand(x: number, y: number): number {
  return bitsOf(x & 0xffff) <= 1 ? 0 : bitsOf(x >>> 16) <= 1 ? 1 : bitsOf(y & 0xffff) <= 1 ? 2 : 3;
}
