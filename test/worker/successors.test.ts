// A file edited in place hands on what the owner did (promise 3): once, in any order of rows, along chains, and not while
// the old content is anywhere.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyCorrection, listEdits, undoEdit } from '../../worker/store/corrections.ts';
import { handOver } from '../../worker/store/successors.ts';
import { asset, askAsAgent, countRows, createSender, hashOf, item, location, meterWrites, migrate, postJson, scan, volume } from './support.ts';

const NOW = Date.UTC(2026, 0, 1);
let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

const curate = (n: number, change: Parameters<typeof applyCorrection>[1]['change']) => applyCorrection(env.DB, { scope: { kind: 'assets', sha256s: [hashOf(n)] }, change, summary: 'Test', nowMs: NOW });
const successor = (from: number, to: number, revision = 5) => ({ old_sha256: hashOf(from), new_sha256: hashOf(to), revision });
const curation = (n: number) => env.DB.prepare('SELECT * FROM curation WHERE sha256 = ?').bind(hashOf(n)).first<Record<string, unknown>>();
const members = async () => (await env.DB.prepare('SELECT album_id, sha256, layer, position FROM album_assets ORDER BY album_id, sha256, layer').all<{ album_id: number; sha256: string; layer: string; position: number | null }>()).results.map((r) => [r.album_id, Number.parseInt(r.sha256, 16), r.layer, r.position]);

/** Asset 1 at a.jpg, a favourite with a description and a position, in an album of the owner's as its cover. */
async function seed(): Promise<void> {
  await send({ volumes: [volume()], assets: [asset(1)], locations: [location(1, 'a.jpg')] });
  await curate(1, { favourite: true, description: 'Home', position: { latitude: 44.17, longitude: 9.61 } });
  await env.DB.prepare("INSERT INTO albums (album_id, album_key, title, sort, cover_sha256) VALUES (7, 'key', 'Best', 'own', ?)").bind(hashOf(1)).run();
  await env.DB.prepare("INSERT INTO album_assets VALUES (7, ?, 'owner', 2.5), (8, ?, 'left', NULL), (9, ?, 'import', NULL)").bind(hashOf(1), hashOf(1), hashOf(1)).run();
}
const EDITED = { assets: [asset(2, { revision: 4 })], locations: [location(2, 'a.jpg', { revision: 4 })] };

describe('a successor', () => {
  it('takes over fields, memberships with their place, and the cover; the old one does not show', async () => {
    await seed();
    await send({ ...EDITED, successors: [successor(1, 2)] });
    expect(await item(1)).toBeNull();
    expect(await item(2)).toMatchObject({ favourite: 1, description: 'Home', latitude: 44.17 });
    expect(await members()).toEqual([[7, 1, 'owner', 2.5], [7, 2, 'owner', 2.5], [8, 1, 'left', null], [8, 2, 'left', null]]);
    expect(await env.DB.prepare('SELECT cover_sha256 FROM albums').first('cover_sha256')).toBe(hashOf(2));
    // The old one keeps its own, for a copy of it may come back.
    expect(await curation(1)).toMatchObject({ favourite: 1 });
    expect(await countRows('unresolved')).toBe(0);
  });

  it('keeps what it has itself: a position or a time is taken whole or not at all', async () => {
    await seed();
    await curate(1, { taken_at: '2001-02-03T04:05:06', utc_offset_minutes: 60 });
    await send({ assets: [asset(2)], locations: [location(2, 'b.jpg')] });
    await curate(2, { favourite: false, position: 'none', utc_offset_minutes: 120 });
    await send({ locations: [location(2, 'a.jpg', { revision: 4 })], successors: [successor(1, 2)] });
    expect(await curation(2)).toMatchObject({ favourite: 0, no_position: 1, latitude: null, cell: null, description: 'Home', taken_at: null, utc_offset_minutes: 120 });
  });

  it('of an asset that lay in albums alone has no row of curation, and takes over those', async () => {
    await send({ volumes: [volume()], assets: [asset(1)], locations: [location(1, 'a.jpg')] });
    await env.DB.prepare("INSERT INTO album_assets VALUES (7, ?, 'owner', NULL)").bind(hashOf(1)).run();
    await send({ ...EDITED, successors: [successor(1, 2)] });
    expect(await members()).toEqual([[7, 1, 'owner', null], [7, 2, 'owner', null]]);
    expect(await countRows('curation')).toBe(0);
    expect((await listEdits(env.DB, 1e9, 5)).map((e) => e.assets)).toEqual([1]);
  });

  it('is undone as one edit', async () => {
    await seed();
    await send({ ...EDITED, successors: [successor(1, 2)] });
    const [edit] = await listEdits(env.DB, 1e9, 5);
    expect(edit).toMatchObject({ summary: 'Handed on to edited files', assets: 1 });
    expect(await env.DB.prepare("SELECT before->>'albums' AS b, after->>'albums' AS a FROM edit_rows WHERE edit_id = ?").bind(edit?.edit_id).first()).toEqual({ b: '[[7,null,null],[8,null,null]]', a: '[[7,"owner",2.5],[8,"left",null]]' });
    expect(await undoEdit(env.DB, edit?.edit_id ?? 0, NOW)).toMatchObject({ now: true, restored: 1 });
    expect(await curation(2)).toBeNull();
    expect(await item(2)).toMatchObject({ favourite: 0, description: null });
    // Nothing brings it back by itself.
    await send({ problems: [] });
    expect(await curation(2)).toBeNull();
  });

  it('comes before its own rows, or long after', async () => {
    await seed();
    await send({ successors: [successor(1, 2)] });
    // The old content still lies there: nothing yet.
    expect(await curation(2)).toBeNull();
    await send(EDITED);
    expect(await item(2)).toMatchObject({ favourite: 1, description: 'Home' });
  });

  it('waits while the old content is somewhere, missing too, and goes on when its last row goes', async () => {
    await seed();
    await send({ volumes: [volume({ volume_id: 'uuid:away', label: 'Away' })], locations: [location(1, 'copy.jpg', { volume_id: 'uuid:away' })], scans: [scan({ volume_id: 'uuid:away' })] });
    await send({ ...EDITED, successors: [successor(1, 2)] });
    expect(await curation(2)).toBeNull();
    expect(await item(1)).toMatchObject({ favourite: 1 });
    const complete = (body: object) => postJson('/sync/scans/s1/complete', { agent_id: 'a1', volume_id: 'uuid:away', at_ms: 5, missing: [], moved_from: [], ...body });
    expect((await complete({ missing: ['copy.jpg'] })).status).toBe(200);
    expect(await curation(2)).toBeNull();
    // The backup is brought up to date: the same edit there.
    await send({ locations: [location(2, 'copy.jpg', { volume_id: 'uuid:away', revision: 9 })] });
    expect(await item(2)).toMatchObject({ favourite: 1 });
    expect(await item(1)).toBeNull();
  });

  it('hands on along a chain, whichever link comes first', async () => {
    for (const order of [[[1, 2], [2, 3]], [[2, 3], [1, 2]]] as const) {
      await reset(); await migrate(); send = createSender();
      await seed();
      await send(EDITED);
      await send({ assets: [asset(3, { revision: 6 })], locations: [location(3, 'a.jpg', { revision: 6 })] });
      for (const [from, to] of order) await send({ successors: [successor(from, to)] });
      expect(await item(3), String(order)).toMatchObject({ favourite: 1, description: 'Home' });
      expect((await members()).filter((m) => m[1] === 3)).toEqual([[7, 3, 'owner', 2.5], [8, 3, 'left', null]]);
      expect(await env.DB.prepare('SELECT count(*) AS n FROM successors WHERE handed_at_ms IS NULL OR handed_at_ms < 0').first('n')).toBe(0);
    }
  });

  it('of two old ones takes what each says, the least hash first, and a circle ends', async () => {
    await seed();
    await send({ assets: [asset(4)], locations: [location(4, 'b.jpg')] });
    await curate(4, { description: 'Other', archived: true });
    await send({ ...EDITED, successors: [successor(1, 2), successor(4, 2)] });
    await send({ locations: [location(2, 'b.jpg', { revision: 4 })] });
    expect(await curation(2)).toMatchObject({ description: 'Home', favourite: 1, archived: 1 });
    await env.DB.prepare('DELETE FROM locations').run();
    await send({ successors: [successor(2, 1, 9)] });
    expect(await env.DB.prepare('SELECT count(*) AS n FROM successors WHERE handed_at_ms > 0').first('n')).toBe(3);
  });

  it('is handed to once: a repeat, an older row and a quiet sync write nothing', async () => {
    await seed();
    await send({ ...EDITED, successors: [successor(1, 2)] });
    await curate(2, { favourite: null });
    await send({ successors: [successor(1, 2), successor(1, 9, 1)] });
    expect(await curation(2)).toMatchObject({ favourite: null, description: 'Home' });
    const metered = meterWrites(env.DB);
    expect(await handOver(metered.db, NOW)).toBe(false);
    expect(metered.rowsWritten()).toBe(0);
  });

  it('survives a crash between its row and the hand-over', async () => {
    await seed();
    await send(EDITED);
    await env.DB.prepare('INSERT INTO successors VALUES (?, ?, 5, NULL)').bind(hashOf(1), hashOf(2)).run();
    expect((await askAsAgent('/sync/state?agent_id=a1')).status).toBe(200);
    expect(await item(2)).toMatchObject({ favourite: 1 });
  });

  it('takes thousands in one go', async () => {
    const all = Array.from({ length: 3_000 }, (_, i) => i + 1);
    await env.DB.prepare("INSERT INTO curation (sha256, favourite, changed_at_ms) SELECT value, 1, 1 FROM json_each(?)").bind(JSON.stringify(all.map(hashOf))).run();
    await send({ successors: all.map((n) => successor(n, n + 10_000)) });
    expect(await env.DB.prepare('SELECT count(*) AS n FROM curation WHERE favourite = 1').first('n')).toBe(6_000);
    expect(await countRows('unresolved')).toBe(0);
  });

  it('is refused by name where it is none', async () => {
    const answer = await send({ successors: [{ old_sha256: 'x', new_sha256: hashOf(1), revision: 1 }] });
    expect(answer.rejected[0]?.row).toBe('successors 0 (x)');
  });
});
