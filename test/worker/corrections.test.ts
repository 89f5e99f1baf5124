// Corrections: one edit each, over one asset or ten thousand, undone exactly, and never overwritten by a sync.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CorrectionChange, CorrectionScope } from '../../protocol/correction.ts';
import type { AssetRow } from '../../protocol/rows.ts';
import { applyCorrection, countScope, listEdits, newestEdit, undoEdit } from '../../worker/store/corrections.ts';
import { asset, countRows, createSender, evidence, exif, hashOf, item, librarySnapshot, location, migrate, volume } from './support.ts';

const NOW = Date.UTC(2026, 0, 1);
const CAMERA = 'Box "Brownie" \'12';
let send: ReturnType<typeof createSender>;

beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

const curation = async () => (await env.DB.prepare('SELECT * FROM curation ORDER BY sha256').all()).results;
const marks = () => countRows('unresolved');

/** Assets 1 to n: one a minute from 7:08 on 6 May 2024, by one camera. */
async function seed(n: number, more: (i: number) => Partial<AssetRow> = () => ({})): Promise<void> {
  for (let from = 1; from <= n; from += 700) {
    const numbers = Array.from({ length: Math.min(700, n - from + 1) }, (_, i) => from + i);
    await send({
      volumes: [volume()], assets: numbers.map((i) => asset(i, { camera: CAMERA, time_claims: [exif(wallOf(i))], ...more(i) })),
      locations: numbers.map((i) => location(i, `DCIM/${i}.jpg`)),
    });
  }
}
const wallOf = (i: number) => new Date(Date.UTC(2024, 4, 6, 7, 7 + i, 9)).toISOString().slice(0, 19);
const assets = (...numbers: number[]): CorrectionScope => ({ kind: 'assets', sha256s: numbers.map(hashOf) });
const correct = (scope: CorrectionScope, change: CorrectionChange, nowMs = NOW) => applyCorrection(env.DB, { scope, change, summary: 'Test', nowMs });
async function edit(scope: CorrectionScope, change: CorrectionChange): Promise<number> {
  const done = await correct(scope, change);
  if (done.kind !== 'done') throw new Error(done.kind);
  return done.editId;
}

describe('a correction', () => {
  it('moves an asset to its new day, and a newer batch leaves it there', async () => {
    await seed(2);
    await edit(assets(1), { taken_at: '2019-02-03T04:05:06', utc_offset_minutes: -210 });
    expect(await item(1)).toMatchObject({ taken_at: '2019-02-03T04:05:06', taken_at_source: 'owner', utc_offset_minutes: -210, utc_offset_source: 'owner', day: 20190203 });
    expect((await env.DB.prepare('SELECT month, count FROM timeline_buckets ORDER BY month').all()).results).toEqual([{ month: 201902, count: 1 }, { month: 202405, count: 1 }]);
    const before = await librarySnapshot();
    await send({
      assets: [asset(1, { revision: 9, camera: CAMERA, time_claims: [exif('2001-01-01T00:00:00', 60)], latitude: 1, longitude: 2, gps_zone: 'Africa/Lagos', description: 'from the file' })],
      evidence: [evidence('DCIM/1.jpg', { revision: 9 })],
    });
    expect(await item(1)).toMatchObject({ taken_at: '2019-02-03T04:05:06', utc_offset_minutes: -210, description: 'from the file' });
    expect(await librarySnapshot()).toEqual(before);
    expect(await marks()).toBe(0);
  });

  it('sets, removes and gives back positions and descriptions', async () => {
    await seed(1, () => ({ latitude: 10, longitude: 10, gps_zone: 'Africa/Lagos', description: 'IMG' }));
    await edit(assets(1), { position: { latitude: 44.17, longitude: 9.61 } });
    expect(await item(1)).toMatchObject({ latitude: 44.17, longitude: 9.61, cell: '44.170,9.610', position_source: 'owner' });
    expect(await env.DB.prepare("SELECT rank FROM places WHERE cell = '44.170,9.610'").first()).toEqual({ rank: 0 });
    await edit(assets(1), { position: 'none', description: '' });
    expect(await item(1)).toMatchObject({ latitude: null, cell: null, position_source: null, description: null });
    await edit(assets(1), { position: null, description: null });
    expect(await item(1)).toMatchObject({ latitude: 10, position_source: 'file', description: 'IMG' });
  });

  it('of a zone gives each asset the offset of its own date', async () => {
    await seed(2, (i) => ({ time_claims: [exif(i === 1 ? '2024-01-15T12:00:00' : '2024-07-15T12:00:00')] }));
    await edit(assets(1, 2), { zone: 'America/New_York' });
    expect([await item(1), await item(2)]).toMatchObject([{ taken_at: '2024-01-15T12:00:00', utc_offset_minutes: -300 }, { taken_at: '2024-07-15T12:00:00', utc_offset_minutes: -240 }]);
  });

  it('of a shift adds to the earlier one, and leaves a time that the owner gave', async () => {
    await seed(3);
    await edit(assets(2), { taken_at: '2020-01-01T00:00:00' });
    await edit({ kind: 'camera', camera: CAMERA, from: null, to: null }, { shift_s: 3600 });
    await edit({ kind: 'camera', camera: CAMERA, from: null, to: null }, { shift_s: -1800 });
    expect([await item(1), await item(2), await item(3)]).toMatchObject([{ taken_at: '2024-05-06T07:38:09' }, { taken_at: '2020-01-01T00:00:00' }, { taken_at: '2024-05-06T07:40:09' }]);
    // What is shown moves: both kinds.
    await edit(assets(1, 2), { move_s: -86_400 });
    expect([await item(1), await item(2)]).toMatchObject([{ taken_at: '2024-05-05T07:38:09' }, { taken_at: '2019-12-31T00:00:00' }]);
  });

  it('reaches a day, a camera between days, a place, and nothing else', async () => {
    await seed(4, (i) => ({
      time_claims: [exif(`2024-05-0${i}T23:59:59`)], camera: i === 4 ? 'another' : CAMERA,
      ...(i < 3 ? { latitude: 44.17, longitude: i === 1 ? 9.61 : 9.612, gps_zone: 'Europe/Rome' } : {}),
    }));
    await send({ places: ['44.170,9.610', '44.170,9.612'].map((cell) => ({ cell, revision: 1, rank: 1, source: 'offline', street: null, neighbourhood: null, city: 'Levanto', region: null, country: 'Italy', country_code: 'IT', distance_m: 9, zone: 'Europe/Rome' })) });
    const reach = async (scope: CorrectionScope) => (await countScope(env.DB, scope)).assets;
    expect(await reach({ kind: 'day', day: 20240502 })).toBe(1);
    expect(await reach({ kind: 'day', day: 0 })).toBe(0);
    expect(await reach({ kind: 'camera', camera: CAMERA, from: null, to: null })).toBe(3);
    expect(await reach({ kind: 'camera', camera: CAMERA, from: 20240502, to: 20240503 })).toBe(2);
    expect(await reach({ kind: 'place', country_code: 'IT', region: null, city: 'Levanto' })).toBe(2);
    expect(await reach(assets(1, 1, 99))).toBe(1);
    expect(await correct(assets(99), { description: 'x' })).toEqual({ kind: 'nothing' });
    expect(await correct({ kind: 'camera', camera: "' OR 1=1 --", from: null, to: null }, { description: 'x' })).toEqual({ kind: 'nothing' });
    expect(await newestEdit(env.DB)).toBe(0);
  });

  it('of a Live Photo is the still’s, and its video follows', async () => {
    await seed(1);
    await send({
      assets: [asset(2, { kind: 'video', camera: CAMERA, time_claims: [exif('2024-05-06T05:08:10')] })], locations: [location(2, 'DCIM/1.mov')],
      stacks: [{ member_sha256: hashOf(2), primary_sha256: hashOf(1), type: 'live', basis: 'name', revision: 1, removed: false }],
    });
    await edit(assets(2), { taken_at: '2011-11-11T11:11:11' });
    expect([await item(1), await item(2)]).toMatchObject([{ taken_at: '2011-11-11T11:11:11' }, { taken_at: '2011-11-11T11:11:11' }]);
    expect((await curation()).map((row) => row['sha256'])).toEqual([hashOf(1)]);
    expect((await countScope(env.DB, { kind: 'camera', camera: CAMERA, from: null, to: null })).assets).toBe(1);
  });

  it('that is sent twice moves nothing twice', async () => {
    await seed(1);
    const twice = { scope: assets(1), change: { shift_s: 60 }, summary: 'Test', nowMs: NOW, afterEdit: 0 };
    const done = await Promise.all([applyCorrection(env.DB, twice), applyCorrection(env.DB, twice)]);
    expect(done.map((each) => each.kind).sort()).toEqual(['changed-meanwhile', 'done']);
    expect(await item(1)).toMatchObject({ taken_at: '2024-05-06T07:09:09' });
  });

  it('never shares a number with another that comes at the same moment', async () => {
    await seed(4);
    const done = await Promise.all([1, 2, 3, 4].map((n) => correct(assets(n), { description: `number ${n}` })));
    expect(done.map((each) => each.kind)).toEqual(['done', 'done', 'done', 'done']);
    expect((await listEdits(env.DB, 1e9, 10)).map((each) => [each.edit_id, each.assets])).toEqual([[4, 1], [3, 1], [2, 1], [1, 1]]);
    expect(await Promise.all([1, 2, 3, 4].map(async (n) => (await item(n))?.['description']))).toEqual(['number 1', 'number 2', 'number 3', 'number 4']);
  });
});

describe('undo', () => {
  it('brings everything back as it was, once', async () => {
    await seed(3, (i) => (i === 1 ? { latitude: 10.5, longitude: -3.25, gps_zone: 'Africa/Abidjan' } : {}));
    await edit(assets(2), { description: 'kept', favourite: true });
    const [before, owner] = [await librarySnapshot(), await curation()];
    const id = await edit(assets(1, 2, 3), { taken_at: '1999-12-31T23:59:59', position: { latitude: -33.8688197, longitude: 151.2092955 }, description: 'wrong' });
    expect(await undoEdit(env.DB, id, NOW + 1)).toEqual({ now: true, restored: 3, kept: 0 });
    expect(await librarySnapshot()).toEqual(before);
    expect((await curation()).map(({ changed_at_ms: _at, ...row }) => row)).toEqual(owner.map(({ changed_at_ms: _at, ...row }) => row));
    expect(await undoEdit(env.DB, id, NOW + 2)).toEqual({ now: false, restored: 0, kept: 0 });
    expect(await librarySnapshot()).toEqual(before);
    expect(await undoEdit(env.DB, 77, NOW)).toBeUndefined();
  });

  it('leaves a later edit of the same field alone, and says so', async () => {
    await seed(3);
    const first = await edit(assets(1, 2, 3), { taken_at: '2001-01-01T01:01:01', description: 'first' });
    await edit(assets(2), { taken_at: '2002-02-02T02:02:02' });
    await edit(assets(3), { taken_at: '2003-03-03T03:03:03', description: 'third' });
    expect(await undoEdit(env.DB, first, NOW)).toEqual({ now: true, restored: 2, kept: 2 });
    expect([await item(1), await item(2), await item(3)]).toMatchObject([
      { taken_at: wallOf(1), description: null }, { taken_at: '2002-02-02T02:02:02', description: null }, { taken_at: '2003-03-03T03:03:03', description: 'third' },
    ]);
  });

  it('never makes one position of two', async () => {
    await seed(1);
    const first = await edit(assets(1), { position: { latitude: 44, longitude: 9 } });
    const second = await edit(assets(1), { position: { latitude: 44, longitude: 10 } });
    expect(await undoEdit(env.DB, first, NOW)).toEqual({ now: true, restored: 0, kept: 1 });
    expect(await item(1)).toMatchObject({ latitude: 44, longitude: 10 });
    await undoEdit(env.DB, second, NOW);
    expect(await item(1)).toMatchObject({ latitude: 44, longitude: 9 });
  });

  it('happens once when it is asked for twice at once', async () => {
    await seed(1);
    const id = await edit(assets(1), { shift_s: 60 });
    const done = await Promise.all([undoEdit(env.DB, id, NOW), undoEdit(env.DB, id, NOW)]);
    expect(done.map((each) => each?.now).sort()).toEqual([false, true]);
    expect(await item(1)).toMatchObject({ taken_at: wallOf(1) });
    expect(await curation()).toEqual([]);
  });
});

describe('10,000 assets', () => {
  it('by one camera are shifted and undone, each time in one transaction and bounded rounds', async () => {
    await seed(10_000);
    const before = await librarySnapshot();
    const scope: CorrectionScope = { kind: 'camera', camera: CAMERA, from: null, to: null };
    const batches: number[] = [];
    const metered = new Proxy(env.DB, {
      get(target, name) {
        if (name === 'batch') return (statements: D1PreparedStatement[]) => { batches.push(statements.length); return target.batch(statements); };
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const done = await applyCorrection(metered, { scope, change: { shift_s: 5 * 3600 }, summary: 'Clock', nowMs: NOW });
    if (done.kind !== 'done') throw new Error(done.kind);
    expect(done.assets).toBe(10_000);
    expect(await item(1)).toMatchObject({ taken_at: '2024-05-06T12:08:09', taken_at_source: 'owner' });
    expect(await item(10_000)).toMatchObject({ taken_at: new Date(Date.UTC(2024, 4, 6, 12, 10_007, 9)).toISOString().slice(0, 19) });
    expect(await marks()).toBe(0);
    // The edit, then two batches a round of some 4,000: few statements, whatever the scope.
    expect(batches.length).toBeLessThanOrEqual(8);
    expect(Math.max(...batches)).toBeLessThan(16);
    expect(await undoEdit(env.DB, done.editId, NOW)).toEqual({ now: true, restored: 10_000, kept: 0 });
    expect(await librarySnapshot()).toEqual(before);
    expect(await curation()).toEqual([]);
  });

  it('a Worker that died after the edit was written loses nothing of it', async () => {
    await seed(2_500);
    const dying = new Proxy(env.DB, {
      get(target, name) {
        if (name === 'batch') {
          return async (statements: D1PreparedStatement[]) => { const done = await target.batch(statements); if ((await marks()) > 0) throw new Error('died'); return done; };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    await expect(applyCorrection(dying, { scope: { kind: 'camera', camera: CAMERA, from: null, to: null }, change: { shift_s: 60 }, summary: 'Clock', nowMs: NOW })).rejects.toThrow('died');
    expect(await marks()).toBe(2);
    expect(await item(2_500)).toMatchObject({ taken_at: wallOf(2_500) });
    // The next batch finishes it.
    await send({ assets: [asset(9_999)], locations: [location(9_999, 'x.jpg')] });
    expect(await marks()).toBe(0);
    expect(await item(2_500)).toMatchObject({ taken_at: wallOf(2_501) });
  });
});
