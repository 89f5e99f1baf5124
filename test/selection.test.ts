// The model of what is selected: runs, toggles, and what outlives a new layout.
import { describe, expect, test } from 'vitest';
import { Runs, Selection } from '../views/client/selection.ts';

const runs = (r: Runs) => [...r.all()].map(({ from, end }) => [from, end]);
const hash = (n: number) => `hash-${n}`;
const hashes = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => hash(from + i));
const picked = (s: Selection, below: number) => Array.from({ length: below }, (_, i) => i).filter((i) => s.has(i));

describe('runs', () => {
  test('join where they meet, and are cut where something is taken out', () => {
    const r = new Runs();
    r.add(5, 8);
    r.add(10, 12);
    expect(runs(r)).toEqual([[5, 8], [10, 12]]);
    r.add(8, 10);
    expect(runs(r)).toEqual([[5, 12]]);
    r.remove(6, 7);
    r.remove(11, 30);
    expect(runs(r)).toEqual([[5, 6], [7, 11]]);
    expect(r.size).toBe(5);
    r.add(0, 100);
    expect(runs(r)).toEqual([[0, 100]]);
    r.remove(0, 100);
    expect([runs(r), r.size]).toEqual([[], 0]);
  });

  test('are what a plain set is, after any doing', () => {
    let seed = 7;
    const random = (n: number) => { seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648; return seed % n; };
    const r = new Runs();
    const plain = new Set<number>();
    for (let round = 0; round < 3_000; round += 1) {
      const from = random(60);
      const end = from + random(12);
      const add = random(2) === 0;
      if (add) r.add(from, end); else r.remove(from, end);
      for (let i = from; i < end; i += 1) if (add) plain.add(i); else plain.delete(i);
      if (r.size !== plain.size) throw new Error(`size after ${round}`);
    }
    expect(Array.from({ length: 80 }, (_, i) => i).filter((i) => r.has(i))).toEqual([...plain].sort((a, b) => a - b));
    for (const [i, [from = 0]] of runs(r).entries()) if (i > 0) expect(from).toBeGreaterThan(runs(r)[i - 1]?.[1] ?? 0);
  });
});

describe('selection', () => {
  test('a run follows the hand, forwards and back, and leaves what was selected before as it was', () => {
    const s = new Selection();
    s.begin(3, true);
    s.begin(10, true);
    s.extend(14);
    expect(picked(s, 20)).toEqual([3, 10, 11, 12, 13, 14]);
    s.extend(2);
    expect(picked(s, 20)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    s.extend(10);
    expect(picked(s, 20)).toEqual([3, 10]);
    s.begin(3, false);
    s.extend(12);
    expect([picked(s, 20), s.count]).toEqual([[], 0]);
  });

  test('knows hashes that were seen or asked for, and which are still to be asked for', () => {
    const s = new Selection();
    s.set(0, 1_000, true);
    expect(s.meet(500, hash(500))).toBe(true);
    expect(s.meet(1_000, hash(1_000))).toBe(false);
    expect(s.unknown(300)).toEqual([{ from: 0, end: 300 }, { from: 300, end: 600 }, { from: 600, end: 900 }, { from: 900, end: 1_000 }]);
    for (const { from, end } of s.unknown(300)) s.learn(from, hashes(from, end));
    expect(s.unknown(300)).toEqual([]);
    s.set(10, 990, false);
    expect(s.list()).toEqual([...hashes(0, 10), ...hashes(990, 1_000)]);
  });

  test('outlives a new layout by hash: found at once, or when its tile is seen; once each', () => {
    const s = new Selection();
    s.set(10, 14, true);
    s.learn(10, hashes(10, 14));
    // Two that are new stand before all; of the four only 12 and 13 are loaded.
    const lost = s.moved(100, 102, (sha256) => ({ [hash(12)]: 14, [hash(13)]: 15 })[sha256]);
    expect([lost, s.count, picked(s, 30)]).toEqual([0, 4, [14, 15]]);
    expect(s.meet(12, hash(10))).toBe(true);
    expect(s.meet(16, hash(14))).toBe(false);
    expect(s.count).toBe(4);
    expect(s.list().sort()).toEqual(hashes(10, 14));
    // A run over the last that has no place yet: it counts once, as soon as its hash is known there.
    s.set(12, 16, true);
    s.learn(12, hashes(10, 14));
    expect([s.count, s.list().sort()]).toEqual([4, hashes(10, 14)]);
    s.clear();
    expect([s.count, s.list()]).toEqual([0, []]);
  });

  test('stays as it is where only sizes changed; a tile at another place than was believed counts by its hash', () => {
    const s = new Selection();
    s.set(10, 1_000, true);
    s.learn(10, hashes(10, 1_000));
    const loaded = (shift: number) => (sha256: string) => { const n = Number(sha256.slice(5)); return n < 30 ? n + shift : undefined; };
    expect([s.moved(2_000, 2_000, loaded(0)), s.hasAll(10, 1_000)]).toEqual([0, true]);
    // One was added before and one went behind: nothing that is loaded shows it.
    expect([s.meet(500, hash(499)), s.count]).toEqual([true, 990]);
    expect([s.meet(1_000, hash(999)), s.meet(10, hash(9)), s.list().length]).toEqual([true, false, 990]);
    expect([s.moved(2_000, 2_000, loaded(1)), s.has(11), s.count]).toEqual([0, true, 990]);
  });

  test('a run that is taken away takes along what is selected by hash alone, once its hashes are known', () => {
    const s = new Selection();
    s.put([hash(1), hash(2)], () => undefined);
    s.set(0, 10, false);
    expect(s.adrift).toBe(true);
    s.forget(hashes(0, 10));
    expect(s.count).toBe(0);
  });

  test('all of a grid stays all of it; of less, what nobody asked for is lost and said', () => {
    const s = new Selection();
    s.set(0, 1_000_000, true);
    expect(s.moved(1_000_000, 1_000_005, () => undefined)).toBe(0);
    expect([s.count, s.has(1_000_004)]).toEqual([1_000_005, true]);
    s.clear();
    s.set(0, 500, true);
    s.learn(0, hashes(0, 100));
    expect(s.moved(1_000, 1_001, () => undefined)).toBe(400);
    expect(s.count).toBe(100);
  });

  test('drawing over a million takes no time by the tile', () => {
    const s = new Selection();
    for (let i = 0; i < 1_000; i += 2) s.set(i * 10, i * 10 + 3, true);
    s.begin(500_000, true);
    const start = performance.now();
    for (let i = 0; i < 1_000; i += 1) { s.extend(500_000 + i * 400); s.meet(i, hash(i)); }
    expect(s.count).toBeGreaterThan(399_000);
    // A thousand frames: a tile at a time would be 200 million steps.
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
