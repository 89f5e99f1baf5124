// What every vector engine must do, whichever it is. A test file opens an engine and hands it in: describeVectorEngine('embedded', open).
// Judged against a plain float32 computation. Pure: runs in Node and in workerd.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VectorItem } from '../../agent/push/vector-writer.ts';
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';
import { traitBit, type FilterTerm } from '../../protocol/search.ts';
import { spaceKey, toUnit, vectorToText, type VectorSpace } from '../../protocol/vector.ts';
import type { IndexColumns, VectorReader } from '../../worker/search/reader.ts';
import { createVectorMaker, madeHash, mix } from './make-vectors.ts';

export interface OpenedEngine {
  put(space: VectorSpace, items: readonly VectorItem[]): Promise<void>;
  remove(space: VectorSpace, sha256s: readonly string[]): Promise<void>;
  dropOthers(space: VectorSpace): Promise<void>;
  reader: VectorReader;
  /** Where the engine keeps columns of its own; without them none of its assets is shown. */
  setColumns?(rows: readonly IndexColumns[]): Promise<void>;
  removeColumns?(sha256s: readonly string[]): Promise<void>;
  /** Terms that this engine promises to keep to. */
  keeps(term: FilterTerm): boolean;
  /** A new process on the same data, where the engine can be ended. */
  restart?(): Promise<void>;
  close(): Promise<void>;
}

/** Cosines may be off by this much, for vectors are kept in eight bits. */
const TOLERANCE = 0.01;
const SPACE: VectorSpace = { profile: 'light', model: 'conformance', revision: '0123456789ab', dtype: 'q8', preprocessing: 1, dimension: 64 };
const OTHER: VectorSpace = { ...SPACE, revision: 'ba9876543210' };

interface Asset extends VectorItem { columns: IndexColumns }

const PLACES = [['IN', 'Goa', 'Panaji'], ['IN', 'Goa', 'Margao'], ['IN', 'Kerala', 'Kochi'], ['PT', 'Goa', 'Panaji'], ['PT', null, null], [null, null, null]] as const;
const CAMERAS = ['Canon EOS R6', 'Pixel 8', null] as const;

/** Assets with every mix of columns. Photos are `photo`, videos are `video`; the rarer traits lie on photos. */
function makeAsset(n: number, vector: Float32Array): Asset {
  const sha256 = madeHash(n);
  const dice = mix(n, 77);
  const video = dice % 5 === 0;
  const place = PLACES[(dice >>> 3) % PLACES.length] ?? PLACES[5];
  const camera = CAMERAS[(dice >>> 7) % CAMERAS.length] ?? null;
  const traits = video ? traitBit('video') : traitBit('photo') | ((dice >>> 9) % 4 === 0 ? traitBit('screenshot') : 0);
  const day = (dice >>> 11) % 9 === 0 ? 0 : (2018 + ((dice >>> 12) % 6)) * 10_000 + (1 + ((dice >>> 15) % 12)) * 100 + 1 + ((dice >>> 19) % 28);
  return {
    sha256, vector, kind: video ? 'video' : 'image', camera,
    columns: { sha256, day, traits, favourite: (dice >>> 24) % 6 === 0, shown: true, country_code: place[0], region: place[1], city: place[2], camera },
  };
}

function clustered(count: number, seed = 5): { assets: Asset[]; queries: Float32Array[] } {
  const maker = createVectorMaker({ dimension: SPACE.dimension, seed, assets: count, themes: 20, eventSize: 12 });
  return {
    assets: Array.from({ length: count }, (_, i) => makeAsset(i, maker.asset(i))),
    queries: [...Array.from({ length: 6 }, (_, i) => maker.imageQuery(i)), ...Array.from({ length: 6 }, (_, i) => maker.textQuery(i))],
  };
}

/** No structure at all: every direction is as likely. */
function scattered(count: number, seed: number): Asset[] {
  return Array.from({ length: count }, (_, i) => makeAsset(i, toUnit(Array.from({ length: SPACE.dimension }, (__, j) => mix(mix(seed, i), j) / 2 ** 31 - 1 + (mix(mix(seed + 1, i), j) / 2 ** 31 - 1)))));
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  for (let i = 0; i < a.length; i += 1) dot += (a[i] as number) * (b[i] as number);
  return dot;
}

function holds({ term, negated }: VectorQuestion['terms'][number], c: IndexColumns): boolean {
  const yes = term.kind === 'date' ? c.day > 0 && term.ranges.some(([from, to]) => c.day >= from && c.day <= to)
    : term.kind === 'place' ? term.places.some((p) => c.country_code === p.country_code && (p.region === null || c.region === p.region) && (p.city === null || c.city === p.city))
      : term.kind === 'camera' ? c.camera !== null && term.cameras.includes(c.camera)
        : term.kind === 'type' ? (c.traits & traitBit(term.type)) !== 0
          : term.kind === 'favourite' ? c.favourite : false;
  return yes !== negated;
}

/** Every asset of the suite as it should come: exact cosines, best first, equal ones by hash. */
function judge(assets: readonly Asset[], query: Float32Array): { sha256: string; score: number }[] {
  return assets.map((a) => ({ sha256: a.sha256, score: cosine(a.vector, query) })).sort((a, b) => b.score - a.score || (a.sha256 < b.sha256 ? -1 : 1));
}

/** The hits are the nearest `limit` of `assets` in order, as far as eight bits can tell. */
function expectNearest(answer: VectorAnswer, assets: readonly Asset[], query: Float32Array, limit: number): void {
  const exact = judge(assets, query);
  const scores = new Map(exact.map((e) => [e.sha256, e.score]));
  expect(answer.hits.length).toBe(Math.min(limit, assets.length));
  expect(new Set(answer.hits.map((h) => h.sha256)).size).toBe(answer.hits.length);
  for (const [i, hit] of answer.hits.entries()) {
    const score = scores.get(hit.sha256);
    expect(score, `${hit.sha256} is none of the assets asked for`).toBeDefined();
    expect(Math.abs(hit.score - (score as number))).toBeLessThan(TOLERANCE);
    const before = answer.hits[i - 1];
    if (before) expect(before.score > hit.score || (before.score === hit.score && before.sha256 < hit.sha256), `hit ${i} is out of order`).toBe(true);
  }
  const found = new Set(answer.hits.map((h) => h.sha256));
  const last = answer.hits.at(-1)?.score ?? -1;
  for (const e of exact.slice(0, limit)) if (e.score > last + 2 * TOLERANCE) expect(found.has(e.sha256), `${e.sha256} with ${e.score} is missing; the last hit has ${last}`).toBe(true);
  const wanted = exact.slice(0, limit);
  if (wanted.length > 0) expect(wanted.filter((e) => found.has(e.sha256)).length / wanted.length).toBeGreaterThanOrEqual(0.9);
}

/** Registers the suite. `open` gives an empty engine each time. */
export function describeVectorEngine(name: string, open: () => Promise<OpenedEngine>): void {
  describe(`vector engine: ${name}`, () => {
    let engine: OpenedEngine;
    beforeEach(async () => { engine = await open(); });
    afterEach(async () => { await engine.close(); });

    const fill = async (assets: readonly Asset[], space = SPACE) => {
      await engine.setColumns?.(assets.map((a) => a.columns));
      for (let from = 0; from < assets.length; from += 500) await engine.put(space, assets.slice(from, from + 500));
    };
    const ask = (near: Float32Array | string, more: Partial<VectorQuestion> = {}) => engine.reader.query({
      space: SPACE, near: typeof near === 'string' ? { sha256: near } : { vector: vectorToText(near) }, against: null, terms: [], limit: 20, ...more,
    });
    const count = (space = SPACE) => engine.reader.count(spaceKey(space));

    it('finds the nearest in order, on clustered vectors', async () => {
      const { assets, queries } = clustered(1_500);
      await fill(assets);
      expect(await count()).toBe(1_500);
      for (const query of queries) expectNearest(await ask(query, { limit: 50 }), assets, query, 50);
    });

    it('finds the nearest in order, on vectors without structure', async () => {
      const assets = scattered(1_200, 3);
      await fill(assets);
      for (const query of scattered(5, 99).map((a) => a.vector)) expectNearest(await ask(query, { limit: 30 }), assets, query, 30);
    });

    it('gives as many as it is asked for, and all where there are fewer', async () => {
      const { assets, queries: [query] } = clustered(40);
      await fill(assets);
      expect((await ask(query as Float32Array, { limit: 1 })).hits).toHaveLength(1);
      expect((await ask(query as Float32Array, { limit: 5_000 })).hits).toHaveLength(40);
    });

    it('orders equal scores by hash', async () => {
      const { assets, queries: [query] } = clustered(30);
      const same = (assets[0] as Asset).vector;
      const twins = assets.map((a) => ({ ...a, vector: same }));
      await fill(twins);
      const hashes = twins.map((a) => a.sha256).sort();
      expect((await ask(query as Float32Array, { limit: 30 })).hits.map((h) => h.sha256)).toEqual(hashes);
    });

    it('says nothing where nothing is', async () => {
      const answer = await ask(scattered(1, 1)[0]?.vector as Float32Array);
      expect(answer.hits).toEqual([]);
      expect(await count()).toBe(0);
      expect((await ask(madeHash(1))).hits).toEqual([]);
    });

    it('looks for what is like an asset, which does not answer itself', async () => {
      const { assets } = clustered(300);
      await fill(assets);
      const one = assets[17] as Asset;
      const answer = await ask(one.sha256, { limit: 20 });
      expectNearest(answer, assets.filter((a) => a !== one), one.vector, 20);
      expect((await ask(madeHash(123_456))).hits).toEqual([]);
    });

    it('replaces the vector of a hash that comes again, and takes the same one twice without harm', async () => {
      const { assets, queries: [query] } = clustered(100);
      await fill(assets);
      await fill(assets);
      expect(await count()).toBe(100);
      const far = judge(assets, query as Float32Array).at(-1)?.sha256 as string;
      expect((await ask(query as Float32Array, { limit: 1 })).hits[0]?.sha256).not.toBe(far);
      const changed = assets.map((a) => (a.sha256 === far ? { ...a, vector: query as Float32Array } : a));
      await engine.put(SPACE, changed.filter((a) => a.sha256 === far));
      expect(await count()).toBe(100);
      expectNearest(await ask(query as Float32Array, { limit: 20 }), changed, query as Float32Array, 20);
      expect((await ask(query as Float32Array, { limit: 1 })).hits[0]?.sha256).toBe(far);
    });

    it('forgets what is removed at once, and takes it back', async () => {
      const { assets, queries: [query] } = clustered(200);
      await fill(assets);
      const best = judge(assets, query as Float32Array).slice(0, 5).map((e) => e.sha256);
      expect((await ask(query as Float32Array)).hits.length).toBe(20);
      await engine.remove(SPACE, [...best, madeHash(999_999)]);
      const rest = assets.filter((a) => !best.includes(a.sha256));
      expect(await count()).toBe(195);
      expectNearest(await ask(query as Float32Array), rest, query as Float32Array, 20);
      expect((await ask(best[0] as string)).hits).toEqual([]);
      await engine.remove(SPACE, best);
      await engine.put(SPACE, assets.filter((a) => best.includes(a.sha256)));
      expect(await count()).toBe(200);
      expectNearest(await ask(query as Float32Array), assets, query as Float32Array, 20);
    });

    it('never mixes two spaces, and drops the others when told', async () => {
      const first = clustered(120, 5);
      const second = clustered(80, 9);
      await fill(first.assets);
      await fill(second.assets, OTHER);
      const query = first.queries[0] as Float32Array;
      expect([await count(SPACE), await count(OTHER)]).toEqual([120, 80]);
      expectNearest(await ask(query), first.assets, query, 20);
      expectNearest(await ask(query, { space: OTHER }), second.assets, query, 20);
      expectNearest(await ask(query), first.assets, query, 20);
      await engine.remove(OTHER, [first.assets[3]?.sha256 as string]);
      expect([await count(SPACE), await count(OTHER)]).toEqual([120, 79]);
      await engine.dropOthers(SPACE);
      expect([await count(SPACE), await count(OTHER)]).toEqual([120, 0]);
      expect((await ask(query, { space: OTHER })).hits).toEqual([]);
      expectNearest(await ask(query), first.assets, query, 20);
    });

    it('refuses a vector or a question of another dimension', async () => {
      const { assets, queries: [query] } = clustered(10);
      await fill(assets);
      await expect(engine.put(SPACE, [{ ...(assets[0] as Asset), vector: toUnit([1, 2, 3, 4]) }])).rejects.toThrow();
      await expect(ask(toUnit([1, 2, 3, 4]))).rejects.toThrow();
      expect(await count()).toBe(10);
      expectNearest(await ask(query as Float32Array), assets, query as Float32Array, 20);
    });

    it('keeps to the terms that it says it keeps to, negated ones too', async () => {
      const { assets, queries: [query] } = clustered(900);
      await fill(assets);
      const terms: FilterTerm[] = [
        { kind: 'date', ranges: [[20200101, 20201231]] },
        { kind: 'date', ranges: [[20190301, 20190531], [20220101, 20220228]] },
        { kind: 'place', places: [{ country_code: 'IN', region: null, city: null }] },
        { kind: 'place', places: [{ country_code: 'IN', region: 'Goa', city: null }] },
        { kind: 'place', places: [{ country_code: 'IN', region: 'Goa', city: 'Panaji' }, { country_code: 'PT', region: null, city: null }] },
        { kind: 'place', places: [{ country_code: 'ZZ', region: null, city: null }] },
        { kind: 'camera', cameras: ['Pixel 8'] }, { kind: 'camera', cameras: ['Pixel 8', 'Canon EOS R6'] }, { kind: 'camera', cameras: ['none such'] },
        { kind: 'type', type: 'video' }, { kind: 'type', type: 'photo' }, { kind: 'type', type: 'screenshot' },
        { kind: 'favourite' },
        { kind: 'album', album_ids: [3] }, { kind: 'person', names: ['x'] }, { kind: 'tag', tags: ['x'] }, { kind: 'volume', volume_ids: ['x'] },
        { kind: 'file_name', text: 'x', whole: false }, { kind: 'words', text: 'snow' },
      ];
      const sets = [...terms.flatMap((term) => [[{ term, negated: false }], [{ term, negated: true }]]),
        [{ term: terms[9] as FilterTerm, negated: false }, { term: terms[2] as FilterTerm, negated: false }],
        [{ term: terms[9] as FilterTerm, negated: true }, { term: terms[13] as FilterTerm, negated: false }, { term: terms[6] as FilterTerm, negated: false }, { term: terms[0] as FilterTerm, negated: true }]];
      for (const set of sets) {
        const answer = await ask(query as Float32Array, { terms: set, limit: 25 });
        expect(answer.applied, JSON.stringify(set)).toEqual(set.map((t) => engine.keeps(t.term)));
        const kept = set.filter((t) => engine.keeps(t.term));
        expectNearest(answer, assets.filter((a) => kept.every((t) => holds(t, a.columns))), query as Float32Array, 25);
      }
    });

    it('tells the score against a null prompt beside each hit', async () => {
      const { assets, queries } = clustered(200);
      await fill(assets);
      const [query, nothing] = [queries[0] as Float32Array, queries[7] as Float32Array];
      expect((await ask(query)).hits.every((h) => h.against === null)).toBe(true);
      const byHash = new Map(assets.map((a) => [a.sha256, a]));
      const answer = await ask(query, { against: vectorToText(nothing) });
      expect(answer.hits).toHaveLength(20);
      for (const hit of answer.hits) expect(Math.abs((hit.against as number) - cosine((byHash.get(hit.sha256) as Asset).vector, nothing))).toBeLessThan(TOLERANCE);
    });

    it('tells mean and deviation over what it looked at, or that it does not know', async () => {
      const { assets, queries: [query] } = clustered(400);
      await fill(assets);
      const answer = await ask(query as Float32Array, { limit: 3 });
      const scores = assets.map((a) => cosine(a.vector, query as Float32Array));
      const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
      const deviation = Math.sqrt(scores.reduce((sum, s) => sum + (s - mean) ** 2, 0) / scores.length);
      expect(answer.mean === null).toBe(answer.deviation === null);
      if (answer.mean !== null && answer.deviation !== null) {
        expect(Math.abs(answer.mean - mean)).toBeLessThan(0.02);
        expect(Math.abs(answer.deviation - deviation)).toBeLessThan(0.02);
      }
    });

    it('shows no asset without columns or that is not shown, where it keeps columns', async () => {
      if (!engine.setColumns || !engine.removeColumns) { expect(engine.keeps({ kind: 'favourite' })).toBe(false); return; }
      const { assets, queries: [query] } = clustered(120);
      await engine.put(SPACE, assets);
      expect((await ask(query as Float32Array)).hits).toEqual([]);
      await engine.setColumns(assets.map((a, i) => ({ ...a.columns, shown: i % 3 !== 0 })));
      const shown = assets.filter((_, i) => i % 3 !== 0);
      expectNearest(await ask(query as Float32Array), shown, query as Float32Array, 20);
      await engine.removeColumns(shown.slice(0, 40).map((a) => a.sha256));
      expectNearest(await ask(query as Float32Array), shown.slice(40), query as Float32Array, 20);
      // What is not shown can be asked for its like all the same.
      expectNearest(await ask((assets[0] as Asset).sha256), shown.slice(40), (assets[0] as Asset).vector, 20);
      await engine.setColumns(assets.map((a) => ({ ...a.columns, traits: traitBit('video'), favourite: true })));
      expectNearest(await ask(query as Float32Array, { terms: [{ term: { kind: 'type', type: 'video' }, negated: false }, { term: { kind: 'favourite' }, negated: false }] }), assets, query as Float32Array, 20);
      expect(await count()).toBe(120);
    });

    it('holds through many small writes and removals in any order', async () => {
      const { assets, queries: [query] } = clustered(240);
      const now = new Map<string, Asset>();
      await engine.setColumns?.(assets.map((a) => a.columns));
      for (let step = 0; step < 60; step += 1) {
        const picked = Array.from({ length: 12 }, (_, i) => assets[mix(step, i) % assets.length] as Asset).filter((a, i, all) => all.indexOf(a) === i);
        if (step % 4 === 3) {
          await engine.remove(SPACE, picked.map((a) => a.sha256));
          for (const a of picked) now.delete(a.sha256);
        } else {
          const from = assets[mix(step, 99) % assets.length] as Asset;
          const written = picked.map((a, i) => ({ ...a, vector: i % 3 === 0 ? from.vector : a.vector }));
          await engine.put(SPACE, written);
          for (const a of written) now.set(a.sha256, a);
        }
        if (step % 5 === 0) expectNearest(await ask(query as Float32Array, { limit: 10 }), [...now.values()], query as Float32Array, 10);
      }
      expect(await count()).toBe(now.size);
      expectNearest(await ask(query as Float32Array, { limit: 300 }), [...now.values()], query as Float32Array, 300);
    });

    it('holds over a restart between writes', async () => {
      if (!engine.restart) { expect(name).not.toContain('embedded'); return; }
      const { assets, queries: [query] } = clustered(300);
      await fill(assets.slice(0, 150));
      await engine.restart();
      expect(await count()).toBe(150);
      expectNearest(await ask(query as Float32Array), assets.slice(0, 150), query as Float32Array, 20);
      await engine.remove(SPACE, assets.slice(0, 20).map((a) => a.sha256));
      await fill(assets.slice(150));
      await engine.restart();
      await fill(assets.slice(150, 160));
      expect(await count()).toBe(280);
      const terms: VectorQuestion['terms'] = [{ term: { kind: 'type', type: 'video' }, negated: true }];
      const rest = assets.slice(20);
      expectNearest(await ask(query as Float32Array), rest, query as Float32Array, 20);
      expectNearest(await ask(query as Float32Array, { terms }), engine.keeps((terms[0] as VectorQuestion['terms'][number]).term) ? rest.filter((a) => a.kind !== 'video') : rest, query as Float32Array, 20);
    });
  });
}
