// Batches as the design defines them: idempotent, in order, by epoch, by revision, one bad row rejected alone, and a
// library that does not depend on the order or on a crash in between.
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { reset } from 'cloudflare:test';
import { applyBatch } from '../../worker/store/ingest.ts';
import { RESOLVE_INPUT_SQL } from '../../worker/store/resolve-input.ts';
import { markUnresolved, resolveMarked } from '../../worker/store/timeline-items.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_ROWS } from '../../protocol/limits.ts';
import { askAsAgent, asset, batch, countRows, createSender, evidence, exif, hashOf, interruptRead, item, librarySnapshot, location, meterWrites, migrate, mtime, postJson, problem, VOLUME, volume, settleFeed } from './support.ts';

beforeEach(async () => { await reset(); await migrate(); });

const one = () => ({ volumes: [volume()], assets: [asset(1)], locations: [location(1, 'a.jpg')], evidence: [evidence('a.jpg')] });

async function bucket(month: number) {
  const row = await env.DB.prepare('SELECT * FROM timeline_buckets WHERE month = ?').bind(month).first<{ count: number; days: string; version: number }>();
  return row && { ...row, days: JSON.parse(row.days) as [number, number, string][] };
}

describe('batches', () => {
  it('puts an asset with its place into the timeline and its month', async () => {
    await createSender()(one());
    expect(await item(1)).toMatchObject({ taken_at: '2024-05-06T07:08:09', taken_at_source: 'exif_original', utc_offset_minutes: 120, month: 202405, day: 20240506, shown: 1, grid_version: 2 });
    expect(await bucket(202405)).toMatchObject({ count: 1, days: [[20240506, 1, expect.stringMatching(/^.$/)]] });
  });

  it('shows nothing of an asset that has no location yet', async () => {
    const send = createSender();
    await send({ assets: [asset(1)] });
    expect(await item(1)).toBeNull();
    await send({ locations: [location(1, 'a.jpg')] });
    expect(await item(1)).not.toBeNull();
  });

  it('shows an asset whose facts come after its location', async () => {
    const send = createSender();
    await send({ locations: [location(1, 'a.jpg')], evidence: [evidence('a.jpg')] });
    expect(await item(1)).toBeNull();
    await send({ assets: [asset(1, { time_claims: [] })] });
    expect(await item(1)).toMatchObject({ taken_at_source: 'mtime' });
  });

  it('answers a repeated batch with the same words and changes nothing', async () => {
    const body = batch(1, { ...one(), assets: [asset(1), { sha256: 'nonsense' }] });
    const first = await (await postJson('/sync/batches', body)).text();
    expect(first).toContain('nonsense');
    const before = await librarySnapshot();
    expect(await (await postJson('/sync/batches', { ...body, assets: [asset(2)], locations: [location(2, 'b.jpg')] })).text()).toBe(first);
    expect(await librarySnapshot()).toEqual(before);
  });

  it('takes one batch that is sent twice at once as one', async () => {
    const answers = await Promise.all([1, 2, 3].map(async () => (await postJson('/sync/batches', batch(1, one()))).text()));
    expect(new Set(answers)).toEqual(new Set(['{"acked_seq":1,"rejected":[]}']));
    expect(await countRows('batches')).toBe(1);
    expect(await bucket(202405)).toMatchObject({ count: 1 });
  });

  it('keeps the last answers and no more', async () => {
    const send = createSender();
    for (let i = 0; i < 55; i += 1) await send(i === 0 ? one() : {});
    expect(await countRows('batches')).toBe(50);
    expect(await (await postJson('/sync/batches', batch(1))).json()).toEqual({ acked_seq: 55, rejected: [] });
  });

  it('refuses a gap and says what is acknowledged', async () => {
    await createSender()(one());
    const response = await postJson('/sync/batches', batch(3));
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ acked_seq: 1, epoch: 'e1' });
    expect((await postJson('/sync/batches', batch(2))).status).toBe(200);
  });

  it('takes a new epoch from its first batch only, and an epoch that was left never again', async () => {
    const send = createSender('e1');
    await send(one());
    expect((await postJson('/sync/batches', batch(2, { epoch: 'e2' }))).status).toBe(409);
    expect((await postJson('/sync/batches', batch(1, { epoch: 'e2' }))).status).toBe(200);
    const late = await postJson('/sync/batches', batch(1, { epoch: 'e1' }));
    expect(late.status).toBe(409);
    expect(await (await askAsAgent('/sync/state?agent_id=a1')).json()).toMatchObject({ epoch: 'e2', acked_seq: 1, max_revision: 1 });
  });

  it('refuses a newer protocol by naming its own, whatever else the batch looks like', async () => {
    const response = await postJson('/sync/batches', { protocol: 2, something: 'new' });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ protocol: 1 });
  });

  it('refuses what is too large before reading it all', async () => {
    expect((await postJson('/sync/batches', 'x'.repeat(MAX_BATCH_BYTES + 1))).status).toBe(413);
    expect((await postJson('/sync/batches', batch(1, { problems: Array.from({ length: MAX_BATCH_ROWS + 1 }, () => 0) }))).status).toBe(413);
    const endless = new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(100_000)); } });
    expect((await askAsAgent('/sync/batches', { method: 'POST', body: endless })).status).toBe(413);
  });

  it('refuses what is no batch', async () => {
    for (const body of ['', '{', 'null', '[]', '"x"', '{"protocol":1}', JSON.stringify({ ...batch(1), seq: 0 }), JSON.stringify({ ...batch(1), assets: {} })]) {
      expect((await postJson('/sync/batches', body)).status, body).toBe(400);
    }
  });

  it('rejects bad rows alone, by name and reason', async () => {
    const answer = await createSender()({
      assets: [asset(1), { ...asset(2), width: -1 }, { ...asset(3), sha256: 'XYZ' }, null, 7],
      locations: [location(1, 'a.jpg'), location(1, 'nul\0.jpg'), location(1, 'half\ud800.jpg'), { ...location(1, 'b.jpg'), mtime_ms: 1.5 }],
      problems: [{ ...problem('x'), code: 'no such code' }, problem('fine')],
    });
    expect(answer.rejected.map((r) => r.row.split(' (')[0])).toEqual(['assets 1', 'assets 2', 'assets 3', 'assets 4', 'locations 1', 'locations 2', 'locations 3', 'problems 0']);
    expect(answer.rejected[0]?.row).toContain(hashOf(2));
    expect(answer.rejected.every((r) => r.reason.length > 0)).toBe(true);
    expect(await countRows('locations')).toBe(1);
    expect(await countRows('problems')).toBe(1);
    expect(await item(1)).not.toBeNull();
  });
});

describe('revisions', () => {
  it('never lets an older fact overwrite a newer one', async () => {
    const send = createSender();
    await send({ assets: [asset(1, { revision: 5, camera: 'new' })], locations: [location(1, 'a.jpg', { revision: 5 })], evidence: [evidence('a.jpg', { revision: 5 })], volumes: [volume({ revision: 5, label: 'new' })], problems: [problem('p', { revision: 5, reason: 'new' })] });
    await send({ assets: [asset(1, { revision: 4, camera: 'old' })], locations: [location(2, 'a.jpg', { revision: 4 })], evidence: [evidence('a.jpg', { revision: 4, time_claims: [] })], volumes: [volume({ revision: 4, label: 'old' })], problems: [problem('p', { revision: 4, solved: true })] });
    expect(await env.DB.prepare('SELECT camera FROM assets').first('camera')).toBe('new');
    expect(await env.DB.prepare('SELECT sha256 FROM locations').first('sha256')).toBe(hashOf(1));
    expect(await env.DB.prepare('SELECT time_claims FROM evidence').first('time_claims')).not.toBe('[]');
    expect(await env.DB.prepare('SELECT label FROM volumes').first('label')).toBe('new');
    expect(await env.DB.prepare('SELECT reason FROM problems').first('reason')).toBe('new');
    await send({ problems: [problem('p', { revision: 6, solved: true })] });
    expect(await countRows('problems')).toBe(0);
  });

  it('takes the newest of one batch wherever it stands in it', async () => {
    await createSender()({ assets: [asset(1, { revision: 3, camera: 'three' }), asset(1, { revision: 2, camera: 'two' })], locations: [location(1, 'a.jpg', { revision: 9 }), location(2, 'a.jpg', { revision: 8 })] });
    expect(await env.DB.prepare('SELECT camera FROM assets').first('camera')).toBe('three');
    expect(await env.DB.prepare('SELECT sha256 FROM locations').first('sha256')).toBe(hashOf(1));
  });

  it('keeps a rendition that was mentioned when a new catalog starts again without', async () => {
    await createSender('e1')(one());
    await createSender('e2')({ assets: [asset(1, { revision: 10, facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } })] });
    expect(await item(1)).toMatchObject({ grid_version: 2 });
  });

  it('follows a path whose content changed: the new asset is shown, the one that is nowhere is not', async () => {
    const send = createSender();
    await send(one());
    await send({ assets: [asset(2, { revision: 2, time_claims: [exif('2023-01-01T00:00:00')] })], locations: [location(2, 'a.jpg', { revision: 2 })] });
    expect(await item(1)).toBeNull();
    expect(await item(2)).toMatchObject({ month: 202301 });
    expect(await bucket(202405)).toBeNull();
  });

  it('writes no row but the mark when nothing changed', async () => {
    const rows = { ...one(), problems: [problem('p')] };
    await createSender()(rows);
    const meter = meterWrites(env.DB);
    const outcome = await applyBatch(meter.db, batch(2, rows), Date.now());
    expect(outcome).toMatchObject({ kind: 'applied', libraryChanged: false, problemsChanged: false });
    // The agent's row and the batch's.
    expect(meter.rowsWritten()).toBe(2);
    await applyBatch(meter.db, batch(2, rows), Date.now());
    expect(meter.rowsWritten()).toBe(2);
    const version = (await bucket(202405))?.version;
    expect((await postJson('/sync/batches', batch(3, { assets: [asset(1, { revision: 2, lens: 'other' })] }))).status).toBe(200);
    expect((await bucket(202405))?.version).toBe(version);
  });

  it('keeps the owner’s words on a volume', async () => {
    const send = createSender();
    await send(one());
    await env.DB.prepare("UPDATE volumes SET owner_label = 'Mine', note = 'in the drawer'").run();
    await send({ volumes: [volume({ revision: 2, label: 'renamed' })] });
    expect(await env.DB.prepare('SELECT label, owner_label, note FROM volumes').first()).toEqual({ label: 'renamed', owner_label: 'Mine', note: 'in the drawer' });
  });
});

describe('resolving', () => {
  it('gives the same library in whatever order and slices the rows come', async () => {
    const rows = Array.from({ length: 40 }, (_, n) => ({
      asset: asset(n, { width: 100 + n * 10, time_claims: n % 3 === 0 ? [] : [exif(`202${n % 5}-0${1 + (n % 9)}-1${n % 9}T10:00:0${n % 7}`)] }),
      location: location(n, `d/${n}.jpg`, { mtime_ms: n }),
      evidence: evidence(`d/${n}.jpg`, { time_claims: n % 6 === 0 ? [] : [mtime(1_500_000_000_000 + n * 86_400_000)] }),
    }));
    await createSender()({ assets: rows.map((r) => r.asset), locations: rows.map((r) => r.location), evidence: rows.map((r) => r.evidence) });
    const order = (s: { items: { sha256: string; sort_ms: number }[] }) => JSON.stringify(s.items);
    const whole = (await librarySnapshot()) as { items: { sha256: string; sort_ms: number }[]; buckets: unknown };
    await settleFeed(); await reset(); await migrate();
    const send = createSender();
    for (const r of [...rows].reverse()) await send({ evidence: [r.evidence] });
    for (let i = 0; i < rows.length; i += 7) await send({ locations: rows.slice(i, i + 7).map((r) => r.location) });
    for (let i = 0; i < rows.length; i += 5) await send({ assets: rows.slice(i, i + 5).map((r) => r.asset) });
    const pieces = (await librarySnapshot()) as { items: { sha256: string; sort_ms: number }[]; buckets: unknown };
    expect(order(pieces)).toBe(order(whole));
    expect(pieces.buckets).toEqual(whole.buckets);
    expect(whole.items).toHaveLength(40);
  });

  it('finishes what a crash between the rows and their answer left, with the repeat, a later batch or the first question', async () => {
    for (const finish of [
      () => postJson('/sync/batches', batch(1, one())), () => postJson('/sync/batches', batch(2)), () => askAsAgent('/sync/state?agent_id=a1'),
    ]) {
      await settleFeed(); await reset(); await migrate();
      await createSender()(one());
      const whole = await librarySnapshot();
      // The state after the first commit and before the second.
      await env.DB.batch([env.DB.prepare('DELETE FROM timeline_items'), env.DB.prepare('DELETE FROM timeline_buckets'), markUnresolved(env.DB, [hashOf(1)])]);
      expect((await finish()).status).toBe(200);
      expect(await librarySnapshot()).toEqual(whole);
    }
  });

  it('writes no answer from facts that changed while it was thinking', async () => {
    const now = Date.now();
    const claims = (wall: string) => ({ evidence: [evidence('a.jpg', { revision: wall === '2002-02-02T00:00:00' ? 2 : 1, time_claims: [{ ...exif(wall), source: 'name' as const }] })] });
    let meanwhile: Promise<unknown> | undefined;
    const db = interruptRead(env.DB, RESOLVE_INPUT_SQL, () => { meanwhile = applyBatch(env.DB, batch(1, { agent_id: 'a2', ...claims('2002-02-02T00:00:00') }), now); return meanwhile; });
    await applyBatch(db, batch(1, { assets: [asset(1, { time_claims: [] })], locations: [location(1, 'a.jpg')], ...claims('2001-01-01T00:00:00') }), now);
    expect(await meanwhile).toMatchObject({ kind: 'applied' });
    expect(await item(1)).toMatchObject({ taken_at: '2002-02-02T00:00:00' });
    expect(await countRows('unresolved')).toBe(0);
  });

  it('resolves again when evidence comes alone', async () => {
    const send = createSender();
    await send({ assets: [asset(1, { time_claims: [] })], locations: [location(1, 'a.jpg')] });
    expect(await item(1)).toMatchObject({ taken_at: null, month: 0 });
    await send({ evidence: [evidence('a.jpg')] });
    expect(await item(1)).toMatchObject({ taken_at_source: 'mtime', month: 202311 });
    expect(await bucket(0)).toBeNull();
  });

  it('gives a month a new version when its picture changes, and only then', async () => {
    const send = createSender();
    await send({ assets: [asset(1), asset(2, { time_claims: [exif('2024-05-06T08:00:00')] })], locations: [location(1, 'a'), location(2, 'b')] });
    const first = (await bucket(202405))?.version ?? 0;
    await send({ assets: [asset(1, { revision: 2, color: '#010203' })] });
    expect((await bucket(202405))?.version).toBe(first);
    await send({ assets: [asset(1, { revision: 3, width: 900 })] });
    const second = (await bucket(202405))?.version ?? 0;
    expect(second).toBeGreaterThan(first);
    // The two change places: the row of ratios may stay as it is, and what a piece begins with does not.
    await send({ assets: [asset(1, { revision: 4, width: 900, time_claims: [exif('2024-05-06T09:00:00')] })] });
    expect((await bucket(202405))?.version).toBeGreaterThan(second);
  });

  it('has no news when a new catalog says the same again', async () => {
    await createSender('e1')(one());
    const again = { assets: [asset(1, { revision: 7 })], locations: [location(1, 'a.jpg', { revision: 7 })], evidence: [evidence('a.jpg', { revision: 7 })] };
    expect(await applyBatch(env.DB, batch(1, { epoch: 'e2', ...again }), Date.now())).toMatchObject({ kind: 'applied', libraryChanged: false });
  });

  it('writes one answer when many batches touch one asset at once', async () => {
    const now = Date.now();
    await Promise.all(Array.from({ length: 6 }, (_, n) => applyBatch(env.DB, batch(1, {
      agent_id: `agent-${n}`, assets: [asset(1)], locations: [location(1, `${n}.jpg`)],
      evidence: [evidence(`${n}.jpg`, { time_claims: [{ source: 'exif_original', wall: `2001-01-0${n + 1}T00:00:00`, utc_ms: null, offset_minutes: null, offset_source: null }] })],
    }) , now)));
    // The earliest wall time of equal rank, over all six files, whichever came last.
    expect(await item(1)).toMatchObject({ taken_at: '2001-01-01T00:00:00' });
    expect(await countRows('unresolved')).toBe(0);
    expect(await bucket(200101)).toMatchObject({ count: 1 });
    expect(await resolveMarked(env.DB, now)).toBe(false);
  });

  it('orders a month newest first, across days and before 1970', async () => {
    await createSender()({
      assets: [asset(1, { width: 100, height: 100, time_claims: [exif('1969-12-30T23:00:00')] }), asset(2, { width: 800, height: 100, time_claims: [exif('1969-12-31T01:00:00')] }), asset(3, { width: 100, height: 800, time_claims: [exif('1969-12-31T02:00:00')] }), asset(4, { time_claims: [] })],
      locations: [1, 2, 3, 4].map((n) => location(n, `${n}.jpg`)),
    });
    expect((await bucket(196912))?.days).toEqual([[19691231, 2, 'A-'], [19691230, 1, 'f']]);
    expect(await bucket(0)).toMatchObject({ count: 1, days: [[0, 1, expect.any(String)]] });
  });

  it('lets the owner outrank the file, and an archived asset leave the timeline', async () => {
    const send = createSender();
    await send(one());
    await env.DB.prepare("INSERT INTO curation (sha256, archived, taken_at, changed_at_ms) VALUES (?, 1, '1999-01-01T00:00:00', 1)").bind(hashOf(1)).run();
    await send({ assets: [asset(1, { revision: 2 })] });
    expect(await item(1)).toMatchObject({ taken_at: '1999-01-01T00:00:00', taken_at_source: 'owner', shown: 0 });
    expect(await countRows('timeline_buckets')).toBe(0);
  });

  it('guesses from the library’s home zone, which a travelling laptop does not move and the owner can', async () => {
    const send = createSender();
    const rows = { assets: [asset(1, { time_claims: [] })], locations: [location(1, 'a.jpg')], evidence: [evidence('a.jpg', { time_claims: [mtime(Date.UTC(2024, 0, 1, 12))] })] };
    await send({ ...rows, home_zone: 'Europe/Rome' });
    await send({ home_zone: 'Asia/Tokyo', assets: [asset(1, { revision: 2, time_claims: [] })] });
    expect(await item(1)).toMatchObject({ taken_at: '2024-01-01T13:00:00', utc_offset_source: 'home' });
    const put = await askAsAgent('/api/settings', { method: 'PUT', body: JSON.stringify({ home_zone: 'Asia/Tokyo' }) });
    expect(await put.json()).toEqual({ home_zone: 'Asia/Tokyo' });
    expect(await item(1)).toMatchObject({ taken_at: '2024-01-01T21:00:00' });
    expect((await askAsAgent('/api/settings', { method: 'PUT', body: JSON.stringify({ home_zone: 'Mars/Base' }) })).status).toBe(400);
    expect((await askAsAgent('/api/settings', { method: 'PUT', body: JSON.stringify({ nonsense: 1 }) })).status).toBe(400);
  });
});

describe('hostile text', () => {
  it('keeps names of every kind apart and gives them back as they came', async () => {
    const names = ["'; DROP TABLE assets; --", 'new\nline.jpg', '\u202egpj.exe', '<script>alert(1)</script>', 'e\u0301.jpg', '\u00e9.jpg', '🎞️.jpg', '%00', '"', '\\', ' ', 'a'.repeat(4096)];
    await createSender()({ volumes: [volume({ label: 'x\0y\ud800' })], assets: names.map((_, n) => asset(n, { camera: 'cam\0era\udfff' })), locations: names.map((name, n) => location(n, name)) });
    const { results } = await env.DB.prepare('SELECT path FROM locations WHERE volume_id = ? ORDER BY sha256').bind(VOLUME).all<{ path: string }>();
    expect(results.map((r) => r.path)).toEqual(names);
    expect(await env.DB.prepare('SELECT label FROM volumes').first('label')).toBe('x\ufffdy\ufffd');
    expect(await env.DB.prepare('SELECT camera FROM assets LIMIT 1').first('camera')).toBe('cam\ufffdera\ufffd');
    const list = new TextDecoder().decode(await (await askAsAgent('/api/list')).arrayBuffer());
    expect(list.trimEnd().split('\n')).toHaveLength(names.length);
  });
});
