// The look of a picture: the same from version to version, none where nothing shows; hashes found as by comparing all with all.
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Look } from '../../../agent/catalog/looks.ts';
import { seededRandom } from '../../../agent/files/faults.ts';
import { bitsOf, BURST_BITS, distance, lookOf, looksSame, NEAR_BITS, NEAR_BITS_ALONE } from '../../../agent/pipeline/look.ts';
import { createLookIndex } from '../../../agent/pipeline/look-index.ts';
import { fromPixels, gridSize, renderGrid, toPixels } from '../../../agent/pipeline/render.ts';
import { sceneOf, VERSIONS } from '../../support/make-scene.ts';

const SIZE = { width: 800, height: 600 };
async function look(picture: Sharp): Promise<Look> {
  const found = await lookOf(picture.clone());
  if (!found) throw new Error('it shows too little');
  return found;
}

describe('a look', () => {
  test('is the same every time, and the same number as ever', async () => {
    const [a, b] = [await look(await sceneOf(1)), await look(await sceneOf(1))];
    expect(a).toEqual(b);
    expect(Array.from({ length: 32 }, (_, i) => bitsOf(1 << i))).toEqual(Array(32).fill(1));
    expect([bitsOf(-1), bitsOf(0), bitsOf(0x55555555), distance({ hi: -1, lo: 0 }, { hi: 0, lo: 3 })]).toEqual([32, 0, 16, 34]);
  });

  test('stays with every version that programs make of a picture', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const original = await look(await sceneOf(seed));
      for (const [name, make] of Object.entries(VERSIONS)) {
        const version = await look(sharp(await make(await sceneOf(seed), SIZE).toBuffer()));
        expect(distance(original, version), `${seed} ${name}`).toBeLessThanOrEqual(NEAR_BITS_ALONE);
        expect(looksSame(original.fine, version.fine), `${seed} ${name}`).toBe(true);
      }
    }
  });

  test('of the grid is that of the rendition, to a bit or two', async () => {
    for (const seed of [1, 2, 3]) {
      const pixels = await toPixels(await sceneOf(seed), SIZE);
      const grid = await renderGrid(pixels, gridSize(SIZE.width, SIZE.height));
      if (!grid.look) throw new Error('no look');
      expect(distance(grid.look, await look(sharp(grid.bytes)))).toBeLessThanOrEqual(2);
      expect(distance(grid.look, await look(await fromPixels(pixels)))).toBeLessThanOrEqual(2);
    }
  });

  test('is another for another picture, and for another moment of one scene', async () => {
    const looks = await Promise.all(Array.from({ length: 40 }, async (_, i) => look(await sceneOf(100 + i, { width: 300, height: 200 }))));
    looks.forEach((a, i) => { looks.slice(i + 1).forEach((b) => { expect(distance(a, b)).toBeGreaterThan(BURST_BITS); }); });
    const same = (a: Look, b: Look) => distance(a, b) <= NEAR_BITS && looksSame(a.fine, b.fine);
    for (const seed of [1, 2, 3, 4, 5, 6]) expect(same(await look(await sceneOf(seed)), await look(await sceneOf(seed, SIZE, 0.4))), String(seed)).toBe(false);
  });

  test('is none where nothing shows: black, white, one colour, a clear sky, noise in the dark', async () => {
    const flat = (background: string) => sharp({ create: { width: 640, height: 480, channels: 3, background } });
    for (const colour of ['#000', '#fff', '#8090a0']) expect(await lookOf(flat(colour)), colour).toBeNull();
    const random = seededRandom(7);
    const painted = (at: (x: number, y: number) => number) => sharp(Buffer.from(Array.from({ length: 200 * 150 }, (_, i) => Math.max(0, Math.min(255, Math.round(at(i % 200, Math.floor(i / 200))))))), { raw: { width: 200, height: 150, channels: 1 } });
    for (const [name, sky] of [['down', painted((_, y) => 90 + y)], ['aslant', painted((x, y) => 60 + y * 0.8 + x * 0.2 + random() * 12)], ['dark', painted(() => random() * 14)]] as const) expect(await lookOf(sky), name).toBeNull();
  });

  test('sees transparency as white, and is satisfied with one channel', async () => {
    const grey = await look((await sceneOf(3)).greyscale());
    expect(distance(grey, await look(await sceneOf(3)))).toBeLessThanOrEqual(NEAR_BITS);
    expect(await lookOf(sharp({ create: { width: 64, height: 64, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } }))).toBeNull();
  });
});

describe('the index', () => {
  const hashes = (n: number, seed: number) => {
    const random = seededRandom(seed);
    const word = () => Math.floor(random() * 2 ** 32) | 0;
    const hi = Int32Array.from({ length: n }, word), lo = Int32Array.from({ length: n }, word);
    // Half of them are others with some bits turned.
    for (let i = 0; i < n; i += 2) {
      const from = Math.floor(random() * n);
      hi[i] = hi[from] as number; lo[i] = lo[from] as number;
      for (let k = Math.floor(random() * 12); k > 0; k -= 1) { const bit = Math.floor(random() * 64); if (bit < 32) hi[i] = (hi[i] as number) ^ (1 << bit); else lo[i] = (lo[i] as number) ^ (1 << (bit - 32)); }
    }
    return { hi, lo };
  };

  test.each([1, 2, 3])('finds what comparing all with all finds, each once (seed %i)', (seed) => {
    const { hi, lo } = hashes(600, seed);
    const index = createLookIndex(hi, lo);
    for (let of = 0; of < hi.length; of += 1) {
      for (const bits of [0, 3, 7]) {
        const all = [...hi.keys()].filter((at) => at !== of && distance({ hi: hi[of] as number, lo: lo[of] as number }, { hi: hi[at] as number, lo: lo[at] as number }) <= bits);
        expect(index.near(of, bits).sort((a, b) => a - b)).toEqual(all);
      }
    }
    expect(() => index.near(0, 8)).toThrow('within 7 bits');
  });

  test('asks after each of 100,000 in seconds', () => {
    const { hi, lo } = hashes(100_000, 9);
    const began = performance.now();
    const index = createLookIndex(hi, lo);
    let pairs = 0;
    for (let of = 0; of < hi.length; of += 1) pairs += index.near(of, NEAR_BITS).length;
    expect(pairs).toBeGreaterThan(10_000);
    // Half a second on a core of its own; all with all would be minutes.
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
