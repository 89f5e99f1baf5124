// The embedded index in real workerd: the suite of every engine, in both of its tiers; its routes; what it refuses.
import { evictDurableObject, reset, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { VectorQuestion } from '../../protocol/link.ts';
import type { FilterTerm } from '../../protocol/search.ts';
import { encodeVectorPack, MAX_VECTOR_PACK_BYTES, quantise, spaceKey, vectorToText, type VectorSpace } from '../../protocol/vector.ts';
import { createEmbeddedReader, openIndex, removeIndexColumns, setIndexColumns } from '../../worker/search/embedded.ts';
import { LIMITS, type Limits } from '../../worker/search/index-memory.ts';
import { EngineDown, type IndexColumns } from '../../worker/search/reader.ts';
import { describeVectorEngine, type OpenedEngine } from '../vectors/conformance.ts';
import { createVectorMaker, madeHash } from '../vectors/make-vectors.ts';
import { ask, askAsAgent, migrate, postJson } from './support.ts';

const SPACE: VectorSpace = { profile: 'light', model: 'm', revision: '0123456789ab', dtype: 'q8', preprocessing: 1, dimension: 32 };
const packOf = (space: VectorSpace, items: readonly { sha256: string; vector: Float32Array }[]) => encodeVectorPack(space, items.map(({ sha256, vector }) => ({ sha256, ...quantise(vector) })));
const post = (body: Uint8Array<ArrayBuffer>) => askAsAgent('/sync/vectors', { method: 'POST', body });
const keeps = (term: FilterTerm) => ['date', 'place', 'camera', 'type', 'favourite'].includes(term.kind);
const columnsOf = (sha256: string, more: Partial<IndexColumns> = {}): IndexColumns => ({ sha256, day: 0, traits: 1, favourite: false, shown: true, country_code: null, region: null, city: null, camera: null, ...more });
const setLimits = (limits: Partial<Limits>) => runInDurableObject(openIndex(env), (index) => { index.limits = { ...LIMITS, ...limits }; });
const stats = () => openIndex(env).stats();
const reader = createEmbeddedReader(env);
/** Everything by signs, also what is far too small for them: a few hundred candidates for a thousand rows. */
const BY_SIGNS: Partial<Limits> = { exactBytes: 0, weighed: 1_000, weighedShare: 0, candidates: 700 };

/** `reset` does not see the storage of an object that was evicted. */
async function empty(): Promise<void> {
  await reset();
  await migrate();
  await openIndex(env).clear();
}

/** Through the whole Worker, as agent and feed do it. */
async function open(limits: Partial<Limits>): Promise<OpenedEngine> {
  await empty();
  await setLimits(limits);
  const done = async (response: Response) => { if (!response.ok) throw new Error(`${response.status} ${await response.text()}`); };
  return {
    put: async (space, items) => done(await post(packOf(space, items))),
    remove: async (space, sha256s) => done(await postJson('/sync/vectors/remove', { space, sha256s })),
    dropOthers: async (space) => done(await postJson('/sync/vectors/drop-others', { space })),
    setColumns: (rows) => setIndexColumns(env, rows), removeColumns: (sha256s) => removeIndexColumns(env, sha256s),
    reader, keeps,
    restart: async () => { await evictDurableObject(openIndex(env)); await setLimits(limits); },
    close: () => Promise.resolve(),
  };
}

describeVectorEngine('embedded', () => open({}));
describeVectorEngine('embedded, by signs', () => open(BY_SIGNS));

describe('the embedded index', () => {
  beforeEach(empty);
  const maker = createVectorMaker({ dimension: 32, seed: 3, assets: 400, themes: 10, eventSize: 10 });
  const items = Array.from({ length: 400 }, (_, i) => ({ sha256: madeHash(i), vector: maker.asset(i) }));
  const question = (more: Partial<VectorQuestion> = {}): VectorQuestion => ({ space: SPACE, near: { vector: vectorToText(maker.imageQuery(1)) }, against: null, terms: [], limit: 400, ...more });
  const fill = async (some = items) => {
    await setIndexColumns(env, some.map((i) => columnsOf(i.sha256)));
    expect((await post(packOf(SPACE, some))).status).toBe(200);
  };

  it('answers the agent over its routes', async () => {
    const response = await post(packOf(SPACE, items.slice(0, 7)));
    expect(await response.json()).toEqual({ stored: 7 });
    const count = async () => (await askAsAgent(`/sync/vectors?space=${encodeURIComponent(spaceKey(SPACE))}`)).json();
    expect(await count()).toEqual({ count: 7 });
    expect(await (await postJson('/sync/vectors/remove', { space: SPACE, sha256s: [items[0]?.sha256, madeHash(77_777)] })).json()).toEqual({ removed: 1 });
    expect(await count()).toEqual({ count: 6 });
    expect(await (await postJson('/sync/vectors/drop-others', { space: { ...SPACE, dtype: 'fp32' } })).json()).toEqual({ dropped: 1 });
    expect(await count()).toEqual({ count: 0 });
  });

  it('lets nobody in without the token', async () => {
    expect((await ask('/sync/vectors', { method: 'POST', body: packOf(SPACE, items.slice(0, 1)) })).status).toBe(401);
    expect((await ask('/sync/vectors?space=x')).status).toBe(401);
    expect((await ask('/sync/vectors/remove', { method: 'POST', body: '{}' })).status).toBe(401);
  });

  it.each([
    ['nothing', () => new Uint8Array(0), 'ends too early'],
    ['text', () => new TextEncoder().encode('these are no vectors'), 'ends too early'],
    ['half a pack', () => packOf(SPACE, items.slice(0, 3)).slice(0, -5), 'should hold 3 vectors of 32'],
    ['a pack and more', () => Uint8Array.from([...packOf(SPACE, items.slice(0, 1)), 0]), 'should hold 1 vectors of 32'],
    ['no scale', () => encodeVectorPack(SPACE, [{ sha256: madeHash(1), scale: Number.NaN, codes: new Int8Array(32).fill(1) }]), 'has no scale'],
    ['no direction', () => encodeVectorPack(SPACE, [{ sha256: madeHash(1), scale: 1, codes: new Int8Array(32) }]), 'has no direction'],
    ['a hash that is none', () => encodeVectorPack(SPACE, [{ sha256: 'DROP TABLE', scale: 1, codes: new Int8Array(32).fill(1) }]), 'sha256s.0'],
    ['no items', () => encodeVectorPack(SPACE, []), 'sha256s'],
    ['a space of no dimension', () => encodeVectorPack({ ...SPACE, dimension: 0 }, [{ sha256: madeHash(1), scale: 1, codes: new Int8Array(0) }]), 'space.dimension'],
  ] as const)('refuses %s with a sentence, and keeps nothing of it', async (_, make, says) => {
    await fill(items.slice(0, 5));
    const response = await post(Uint8Array.from(make()));
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain(says);
    expect(await reader.count(spaceKey(SPACE))).toBe(5);
  });

  it('refuses bodies that are too large or no JSON', async () => {
    expect((await post(new Uint8Array(MAX_VECTOR_PACK_BYTES + 1))).status).toBe(413);
    expect((await postJson('/sync/vectors/remove', '{')).status).toBe(400);
    expect((await postJson('/sync/vectors/remove', { space: SPACE, sha256s: ['x'] })).status).toBe(400);
    expect((await postJson('/sync/vectors/drop-others', { space: 'all' })).status).toBe(400);
    expect((await askAsAgent('/sync/vectors')).status).toBe(400);
  });

  it('refuses columns and questions that are none, by name', async () => {
    await fill(items.slice(0, 5));
    await expect(setIndexColumns(env, [columnsOf(madeHash(1)), columnsOf('x')])).rejects.toThrow(EngineDown);
    await expect(setIndexColumns(env, [columnsOf(madeHash(1), { day: Number.NaN })])).rejects.toThrow('no day');
    await expect(reader.query(question({ near: { vector: vectorToText(new Float32Array(32)) } }))).rejects.toThrow('none of 32 numbers');
    await expect(reader.query(question({ against: 'AAAA' }))).rejects.toThrow(EngineDown);
    expect((await reader.query(question())).hits).toHaveLength(5);
  });

  it('keeps a pack whole or not at all', async () => {
    await fill(items.slice(0, 5));
    const bad = encodeVectorPack(SPACE, [...items.slice(5, 9).map((i) => ({ sha256: i.sha256, ...quantise(i.vector) })), { sha256: madeHash(9_999), scale: 1, codes: new Int8Array(32) }]);
    expect((await post(bad)).status).toBe(400);
    expect(await reader.count(spaceKey(SPACE))).toBe(5);
    const twice = await post(packOf(SPACE, [{ ...(items[6] as (typeof items)[number]), vector: maker.asset(0) }, items[6] as (typeof items)[number]]));
    expect(await twice.json()).toEqual({ stored: 1 });
    await setIndexColumns(env, [columnsOf(madeHash(6))]);
    expect((await reader.query(question({ near: { vector: vectorToText(maker.asset(6)) }, limit: 1 }))).hits[0]).toMatchObject({ sha256: madeHash(6), score: expect.closeTo(1, 3) as number });
  });

  it('gives slots back, and what takes them over has nothing of the old', async () => {
    await setIndexColumns(env, items.slice(0, 100).map((i) => columnsOf(i.sha256, { favourite: true, camera: 'A', day: 20200101 })));
    await post(packOf(SPACE, items.slice(0, 100)));
    await reader.query(question());
    const { slots } = await stats();
    expect(slots).toBe(100);
    const gone = items.slice(0, 60).map((i) => i.sha256);
    await removeIndexColumns(env, gone);
    await postJson('/sync/vectors/remove', { space: SPACE, sha256s: gone });
    await post(packOf(SPACE, items.slice(200, 260)));
    expect((await stats()).slots).toBe(100);
    expect((await reader.query(question())).hits).toHaveLength(40);
    await setIndexColumns(env, items.slice(200, 260).map((i) => columnsOf(i.sha256)));
    for (const round of ['in memory', 'from disk']) {
      const favourites = await reader.query(question({ terms: [{ term: { kind: 'favourite' }, negated: false }] }));
      expect(favourites.hits.map((h) => h.sha256).sort(), round).toEqual(items.slice(60, 100).map((i) => i.sha256).sort());
      expect((await reader.query(question())).hits).toHaveLength(100);
      await evictDurableObject(openIndex(env));
    }
  });

  it('changes from one tier to the other as it grows, in the middle of writing', async () => {
    await setLimits({ ...BY_SIGNS, exactBytes: 100 * 64 });
    await fill(items.slice(0, 90));
    const before = await reader.query(question({ limit: 10 }));
    expect(await stats()).toMatchObject({ tier: 'exact' });
    await fill(items.slice(90));
    const after = await reader.query(question({ limit: 400 }));
    expect((await stats()).tier).toBe('coarse');
    expect(after.hits).toHaveLength(400);
    const scores = new Map(after.hits.map((h) => [h.sha256, h.score]));
    for (const hit of before.hits) expect(scores.get(hit.sha256)).toBeCloseTo(hit.score, 6);
    // Signs that were written on the way hold after a new start.
    await evictDurableObject(openIndex(env));
    await setLimits({ ...BY_SIGNS, exactBytes: 100 * 64 });
    expect((await reader.query(question({ limit: 400 }))).hits).toEqual(after.hits);
  });

  it('forgets everything when told, and fills again', async () => {
    await fill();
    expect((await reader.query(question({ limit: 3 }))).hits).toHaveLength(3);
    await openIndex(env).clear();
    expect(await stats()).toMatchObject({ slots: 0, rows: 0 });
    expect((await reader.query(question())).hits).toEqual([]);
    await fill();
    expect((await reader.query(question())).hits).toHaveLength(400);
  });

  it('sums without overflow where every component is as large as it can be', async () => {
    const space = { ...SPACE, dimension: 4_096 };
    await setIndexColumns(env, [columnsOf(madeHash(1)), columnsOf(madeHash(2))]);
    await post(encodeVectorPack(space, [{ sha256: madeHash(1), scale: 1, codes: new Int8Array(4_096).fill(127) }, { sha256: madeHash(2), scale: 1, codes: new Int8Array(4_096).fill(-128) }]));
    const { hits } = await reader.query(question({ space, near: { vector: vectorToText(new Float32Array(4_096).fill(1 / 64)) } }));
    expect(hits.map((h) => [h.sha256, Math.round(h.score * 1e4) / 1e4])).toEqual([[madeHash(1), 1], [madeHash(2), -1]]);
  });
});
