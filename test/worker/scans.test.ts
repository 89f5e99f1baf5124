// Promise 2 on the Worker's side: only the completion of a completed scan makes a location missing, and once.
import { reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { asset, askAsAgent, countRows, createSender, evidence, exif, hashOf, location, migrate, postJson, scan, volume, VOLUME } from './support.ts';

beforeEach(async () => { await reset(); await migrate(); });

const complete = (more: object = {}, id = 's1') => postJson(`/sync/scans/${id}/complete`, { agent_id: 'a1', volume_id: VOLUME, at_ms: 777, missing: [], moved_from: [], ...more });
async function missing(): Promise<Record<string, number | null>> {
  const { results } = await env.DB.prepare('SELECT path, missing_since_ms FROM locations ORDER BY path').all<{ path: string; missing_since_ms: number | null }>();
  return Object.fromEntries(results.map((r) => [r.path, r.missing_since_ms]));
}
async function start() {
  const send = createSender();
  await send({ volumes: [volume()], scans: [scan()], assets: [asset(1), asset(2)], locations: [location(1, 'a.jpg'), location(2, 'b.jpg')], evidence: [evidence('a.jpg'), evidence('b.jpg')] });
  return send;
}

describe('a completion', () => {
  it('marks what it names, deletes nothing, and keeps the first date', async () => {
    const send = await start();
    expect(await (await complete({ missing: ['a.jpg', 'never.jpg'] })).json()).toEqual({ marked: 1, removed: 0 });
    expect(await missing()).toEqual({ 'a.jpg': 777, 'b.jpg': null });
    expect(await countRows('timeline_items')).toBe(2);
    await send({ scans: [scan({ scan_id: 's2' })] });
    await complete({ missing: ['a.jpg'], at_ms: 999 }, 's2');
    expect(await missing()).toMatchObject({ 'a.jpg': 777 });
  });

  it('that comes again after the file came back does nothing', async () => {
    const send = await start();
    await complete({ missing: ['a.jpg'] });
    await send({ locations: [location(1, 'a.jpg', { revision: 2 })] });
    expect(await missing()).toMatchObject({ 'a.jpg': null });
    expect(await (await complete({ missing: ['a.jpg'] })).json()).toEqual({ marked: 0, removed: 0 });
    expect(await missing()).toMatchObject({ 'a.jpg': null });
  });

  it('may come in parts', async () => {
    await start();
    await complete({ missing: ['a.jpg'] });
    await complete({ missing: ['b.jpg'] });
    expect(await missing()).toEqual({ 'a.jpg': 777, 'b.jpg': 777 });
  });

  it('is refused for a scan that is unknown, not completed or of another volume', async () => {
    const send = await start();
    expect((await complete({ missing: ['a.jpg'] }, 'unknown')).status).toBe(409);
    for (const state of ['running', 'stopped', 'question'] as const) {
      await send({ scans: [scan({ scan_id: state, state })] });
      expect((await complete({ missing: ['a.jpg'] }, state)).status, state).toBe(409);
    }
    expect((await complete({ missing: ['a.jpg'], volume_id: 'uuid:other' })).status).toBe(409);
    expect((await complete({ missing: 'a.jpg' })).status).toBe(400);
    expect((await complete({ missing: [''] })).status).toBe(400);
    expect(await missing()).toEqual({ 'a.jpg': null, 'b.jpg': null });
  });

  it('touches no other volume', async () => {
    const send = await start();
    await send({ volumes: [volume({ volume_id: 'uuid:other' })], locations: [location(1, 'a.jpg', { volume_id: 'uuid:other' })] });
    await complete({ missing: ['a.jpg'] });
    expect(await env.DB.prepare("SELECT missing_since_ms FROM locations WHERE volume_id = 'uuid:other'").first('missing_since_ms')).toBeNull();
  });
});

describe('a move', () => {
  it('takes the old row away with its evidence, and the time follows the new name', async () => {
    const send = createSender();
    const claim = (day: string) => [{ ...exif(`${day}T00:00:00`), source: 'name' as const }];
    await send({ volumes: [volume()], scans: [scan()], assets: [asset(1, { time_claims: [] })], locations: [location(1, 'old.jpg')], evidence: [evidence('old.jpg', { time_claims: claim('2020-01-01') })] });
    await send({ locations: [location(1, 'new.jpg', { revision: 2 })], evidence: [evidence('new.jpg', { revision: 2, time_claims: claim('2021-01-01') })] });
    expect(await env.DB.prepare('SELECT taken_at FROM timeline_items').first('taken_at')).toBe('2020-01-01T00:00:00');
    expect(await (await complete({ moved_from: ['old.jpg'] })).json()).toEqual({ marked: 0, removed: 1 });
    expect(await missing()).toEqual({ 'new.jpg': null });
    expect(await countRows('evidence')).toBe(1);
    expect(await env.DB.prepare('SELECT taken_at FROM timeline_items').first('taken_at')).toBe('2021-01-01T00:00:00');
    expect(await env.DB.prepare('SELECT month FROM timeline_buckets').first('month')).toBe(202101);
  });

  it('whose new place never arrived is marked missing, not dropped', async () => {
    await start();
    await complete({ moved_from: ['a.jpg', 'b.jpg'] });
    expect(await missing()).toEqual({ 'a.jpg': 777, 'b.jpg': 777 });
    expect(await countRows('timeline_items')).toBe(2);
  });

  it('is taken from a scan that asks, which marks nothing', async () => {
    const send = await start();
    await send({ scans: [scan({ scan_id: 'asks', state: 'question' })], locations: [location(1, 'moved.jpg')] });
    expect(await (await complete({ moved_from: ['a.jpg', 'b.jpg'] }, 'asks')).json()).toEqual({ marked: 0, removed: 1 });
    expect(await missing()).toEqual({ 'b.jpg': null, 'moved.jpg': null });
  });

  it('of two copies at once does not let each count on the other', async () => {
    const send = await start();
    await send({ locations: [location(1, 'a2.jpg')] });
    await complete({ moved_from: ['a.jpg', 'a2.jpg'] });
    expect(await missing()).toMatchObject({ 'a.jpg': 777, 'a2.jpg': 777 });
  });
});

describe('known locations', () => {
  it('are listed in byte order, without the missing, from where one stopped', async () => {
    const send = await start();
    await send({ locations: ['Z.jpg', 'é.jpg', '🎞.jpg'].map((path, n) => location(n + 10, path)) });
    await complete({ missing: ['b.jpg'] });
    const known = async (after: string) => (await askAsAgent(`/sync/locations?volume_id=${VOLUME}&after=${encodeURIComponent(after)}`)).json();
    expect(await known('')).toEqual({ paths: ['Z.jpg', 'a.jpg', 'é.jpg', '🎞.jpg'], next: null });
    expect(await known('a.jpg')).toEqual({ paths: ['é.jpg', '🎞.jpg'], next: null });
    expect((await askAsAgent('/sync/locations')).status).toBe(400);
  });
  it('go on where a full answer ended', async () => {
    await env.DB.prepare(`INSERT INTO locations (volume_id, path, revision, sha256, size_bytes, mtime_ms, in_package)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001) SELECT ?1, printf('p%05d', i), 1, ?2, 1, 1, 0 FROM n`).bind(VOLUME, hashOf(1)).run();
    const first = (await (await askAsAgent(`/sync/locations?volume_id=${VOLUME}`)).json()) as { paths: string[]; next: string };
    expect([first.paths.length, first.next]).toEqual([5000, 'p05000']);
    expect(await (await askAsAgent(`/sync/locations?volume_id=${VOLUME}&after=${first.next}`)).json()).toEqual({ paths: ['p05001'], next: null });
  });
});
