// Copies: files and not paths, drives and not mounts, what is missing or damaged is none; counts that stay right whatever
// happens; lists without gap or repeat; what is best kept of duplicates; the pages.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OrderBody, Outcome } from '../../protocol/orders.ts';
import type { LocationRow } from '../../protocol/rows.ts';
import { loadGridPiece, readGrid } from '../../worker/middleware/grid.ts';
import { sumOriginals } from '../../worker/middleware/known-drives.ts';
import { COUNTS_SQL, countCopies, countDriveCopies, DAMAGED_COUNTS_SQL, listAlbumOriginals, listAlbumsKept, listDamaged, listOriginals, listYearsKept, STALE_DAYS } from '../../worker/store/copies.ts';
import { chooseBest, groupPaths, listDuplicates, MOST_SPARE, suggest, type Choice, type PathRow } from '../../worker/store/duplicates.ts';
import { gridStart, listGrid, type Grid } from '../../worker/store/grids.ts';
import { draftOrder, giveOrder } from '../../worker/store/orders.ts';
import { markUnresolved, resolveMarked } from '../../worker/store/timeline-items.ts';
import { ask, asset, createSender, evidence, exif, hashOf, location, migrate, postJson, scan, volume, VOLUME } from './support.ts';

const T7 = 'uuid:t7';
const DAY_MS = 86_400_000;
const NOW = Date.now();
let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

const all = async (sql: string) => (await env.DB.prepare(sql).all<Record<string, unknown>>()).results;
const on = (volumeId: string, n: number, path: string, more: Partial<LocationRow> = {}) => location(n, path, { volume_id: volumeId, fs_id: volumeId, inode: `${n}-${path}`, ...more });
const copies = async (n: number) => env.DB.prepare('SELECT c.* FROM asset_copies c JOIN timeline_items t ON t.asset_id = c.asset_id WHERE t.sha256 = ?').bind(hashOf(n)).first<Record<string, unknown>>();
const complete = (missing: string[], moved_from: string[] = [], id = 's1') => postJson(`/sync/scans/${id}/complete`, { agent_id: 'a1', volume_id: VOLUME, at_ms: 777, missing, moved_from });
const volumes = [volume(), volume({ volume_id: T7, label: 'T7 Archive' })];
const get = async (path: string, headers: Record<string, string> = {}) => { const answer = await ask(path, { headers }); return { status: answer.status, text: await answer.text() }; };
const hashesIn = (html: string) => [...new Set([...html.matchAll(/href="\/a\/([0-9a-f]{64})/g)].map((m) => Number.parseInt(m[1] ?? '', 16)))];
/** What was found out of an asset's bytes, as an order's receipts set it. */
async function note(n: number, column: 'verified_at_ms' | 'damaged_at_ms', ms: number | null, volumeId = VOLUME): Promise<void> {
  await env.DB.batch([env.DB.prepare(`UPDATE locations SET ${column} = ? WHERE sha256 = ? AND volume_id = ?`).bind(ms, hashOf(n), volumeId), markUnresolved(env.DB, [hashOf(n)])]);
  await resolveMarked(env.DB, NOW);
}

/** The rows and their counts as migration 0013 makes them from what there is. */
async function expectAsMadeAnew(): Promise<void> {
  const state = async () => ({ copies: await all('SELECT * FROM asset_copies ORDER BY asset_id'), counts: await all('SELECT * FROM copy_counts ORDER BY kind, name, files, drives, day') });
  const kept = await state();
  const fill = env.TEST_MIGRATIONS.find((each) => each.name.startsWith('0013'))?.queries.filter((sql) => /^\s*(--.*\n\s*)*INSERT INTO/.test(sql)) ?? [];
  expect(fill).toHaveLength(2);
  await env.DB.batch(['DELETE FROM asset_copies', 'DELETE FROM copy_counts', ...fill].map((sql) => env.DB.prepare(sql)));
  expect(await state()).toEqual(kept);
}

describe('a copy', () => {
  it('is a file: hard links and mounts of one drive count once, names without an inode each', async () => {
    await send({
      volumes, assets: [asset(1), asset(2), asset(3)],
      locations: [
        location(1, 'a.jpg', { fs_id: 'F', inode: '7' }), location(1, 'linked.jpg', { fs_id: 'F', inode: '7' }), location(1, 'bound.jpg', { volume_id: T7, fs_id: 'F', inode: '7' }),
        location(2, 'b.jpg', { fs_id: 'F', inode: '8' }), location(2, 'sub/b.jpg', { volume_id: T7, fs_id: 'F', inode: '9' }),
        location(3, 'c.jpg', { fs_id: null, inode: null }), location(3, 'd.jpg', { fs_id: null, inode: null }), location(3, 'c.jpg', { volume_id: T7, fs_id: null, inode: null }),
      ],
    });
    expect(await copies(1)).toMatchObject({ files: 1, drives: 1, one_drive: VOLUME, safety: 1, spare_bytes: 0 });
    // Two files, and yet one drive: two volumes of one file system fail together.
    expect(await copies(2)).toMatchObject({ files: 2, drives: 1, safety: 2, spare_bytes: 1002, extra_bytes: 1002 });
    expect(await copies(3)).toMatchObject({ files: 3, drives: 2, one_drive: null, safety: 3, spare_bytes: 2006, extra_bytes: 1003, on_drives: JSON.stringify([VOLUME, T7]), by_drive: '[[2,0],[1,0]]' });
    await expectAsMadeAnew();
  });

  it('is not what a scan did not find; what is away is', async () => {
    await send({ volumes, scans: [scan()], assets: [asset(1), asset(2)], locations: [on(VOLUME, 1, 'a.jpg'), on(T7, 1, 'a.jpg'), on(VOLUME, 2, 'b.jpg')] });
    expect(await copies(1)).toMatchObject({ files: 2, drives: 2 });
    await complete(['a.jpg', 'b.jpg']);
    expect(await copies(1)).toMatchObject({ files: 1, one_drive: T7 });
    expect(await copies(2)).toMatchObject({ files: 0, drives: 0, safety: 0, one_drive: null, on_drives: '[]' });
    expect(await countCopies(env.DB, NOW)).toMatchObject({ assets: 2, one: 1, nowhere: 1, duplicates: 0 });
    await send({ locations: [on(VOLUME, 1, 'a.jpg', { revision: 2 })] });
    expect(await copies(1)).toMatchObject({ files: 2, drives: 2 });
    await expectAsMadeAnew();
  });

  it('is not what no longer holds those bytes', async () => {
    await send({ volumes, assets: [asset(1)], locations: [on(VOLUME, 1, 'a.jpg'), on(T7, 1, 'b <i>.jpg')] });
    await note(1, 'damaged_at_ms', NOW, T7);
    expect(await copies(1)).toMatchObject({ files: 1, one_drive: VOLUME, damaged: 1, safety: 1 });
    expect(await countCopies(env.DB, NOW)).toMatchObject({ one: 1, damaged: 1 });
    expect((await listDamaged(env.DB, null, { volumeId: '', path: '' }, 9)).map((file) => [file.volume_id, file.path, file.files, file.on_drives])).toEqual([[T7, 'b <i>.jpg', 1, [VOLUME]]]);
    expect(await listDamaged(env.DB, VOLUME, { volumeId: '', path: '' }, 9)).toEqual([]);
    expect((await get('/copies/damaged')).text).toContain('b &lt;i&gt;.jpg');
    expect((await get('/drives')).text).toContain(`href="/copies/damaged?on=${encodeURIComponent(T7)}"`);
    // Other bytes at the same path are another matter, and were never verified.
    await send({ assets: [asset(9)], locations: [on(T7, 9, 'b <i>.jpg', { revision: 3 })] });
    expect(await all(`SELECT verified_at_ms, damaged_at_ms FROM locations WHERE volume_id = '${T7}'`)).toEqual([{ verified_at_ms: null, damaged_at_ms: null }]);
    expect(await countCopies(env.DB, NOW)).toMatchObject({ damaged: 0, one: 2 });
    await expectAsMadeAnew();
  });

  it('of what stands under another is said once where both are kept the same', async () => {
    await send({
      volumes, assets: [asset(1), asset(2), asset(3), asset(4)],
      stacks: [{ member_sha256: hashOf(2), primary_sha256: hashOf(1), type: 'live', basis: 'x', revision: 1, removed: false }, { member_sha256: hashOf(4), primary_sha256: hashOf(3), type: 'live', basis: 'x', revision: 1, removed: false }],
      locations: [on(VOLUME, 1, 'a.jpg'), on(VOLUME, 2, 'a.mov'), on(VOLUME, 3, 'b.jpg'), on(T7, 3, 'b.jpg'), on(VOLUME, 4, 'b.mov')],
    });
    expect(await Promise.all([1, 2, 3, 4].map(async (n) => (await copies(n))?.['counted']))).toEqual([1, 0, 1, 1]);
    expect(await countCopies(env.DB, NOW)).toMatchObject({ assets: 3, one: 2 });
    await send({ locations: [on(T7, 1, 'a.jpg', { revision: 2 })] });
    expect((await copies(2))?.['counted']).toBe(1);
    await expectAsMadeAnew();
  });
});

describe('counts', () => {
  it('stay right through ingest, copies, moves, what goes missing and comes back, and what is trashed', async () => {
    const assets = Array.from({ length: 30 }, (_, i) => asset(i + 1, { time_claims: [exif(`${2018 + (i % 4)}-05-06T07:08:09`)] }));
    await send({ volumes, scans: [scan(), scan({ scan_id: 's2' })], assets, locations: assets.flatMap((_, i) => [on(VOLUME, i + 1, `${i + 1}.jpg`), ...(i % 3 === 0 ? [on(T7, i + 1, `${i + 1}.jpg`)] : []), ...(i % 5 === 0 ? [on(VOLUME, i + 1, `again/${i + 1}.jpg`)] : [])]) });
    await expectAsMadeAnew();
    expect(await countCopies(env.DB, NOW)).toMatchObject({ assets: 30, one: 16, together: 4, two_drives: 10, duplicates: 14, extra: 6, stale: 30, never: 30 });
    expect(await listYearsKept(env.DB)).toEqual([
      { year: 2021, assets: 7, three: 1, two_drives: 3, one: 4 }, { year: 2020, assets: 7, three: 0, two_drives: 2, one: 4 }, { year: 2019, assets: 8, three: 0, two_drives: 2, one: 4 }, { year: 2018, assets: 8, three: 1, two_drives: 3, one: 4 },
    ]);
    await complete(['2.jpg', '3.jpg', 'again/1.jpg'], ['4.jpg']);
    await expectAsMadeAnew();
    await send({ locations: [on(VOLUME, 4, 'elsewhere/4.jpg', { revision: 5 }), on(VOLUME, 2, '2.jpg', { revision: 5 })], assets: [asset(5, { revision: 7, time_claims: [exif('2011-01-01T00:00:00')] })] });
    await complete([], ['4.jpg'], 's2');
    await expectAsMadeAnew();
    await note(7, 'verified_at_ms', NOW - 3 * DAY_MS);
    await note(7, 'verified_at_ms', NOW - 2 * DAY_MS, T7);
    await note(8, 'verified_at_ms', NOW - (STALE_DAYS + 2) * DAY_MS);
    await expectAsMadeAnew();
    expect(await countCopies(env.DB, NOW)).toMatchObject({ stale: 28, never: 27, nowhere: 1 });
    await env.DB.batch([env.DB.prepare("INSERT INTO trashed (sha256, order_id, at_ms, sort_ms, item) VALUES (?, 'o', 1, 1, '{}')").bind(hashOf(9)), markUnresolved(env.DB, [hashOf(9)])]);
    await resolveMarked(env.DB, NOW);
    expect(await copies(9)).toBeNull();
    await expectAsMadeAnew();
    await env.DB.batch([env.DB.prepare('DELETE FROM trashed'), markUnresolved(env.DB, [hashOf(9)])]);
    await resolveMarked(env.DB, NOW);
    expect(await copies(9)).toMatchObject({ files: 1 });
    await expectAsMadeAnew();
    expect(await all('SELECT * FROM copy_counts WHERE assets <= 0')).toEqual([]);
  });

  it('follow what orders did: a copy in the trash, files read again', async () => {
    await send({ volumes, assets: [asset(1), asset(2)], locations: [on(VOLUME, 1, 'a.jpg'), on(VOLUME, 1, 'again/a.jpg'), on(VOLUME, 2, 'b.jpg')] });
    const given = async (body: OrderBody, outcomes: [n: number, path: string, outcome: Outcome][]) => {
      const id = await draftOrder(env.DB, body, 'an order', 1_000);
      await giveOrder(env.DB, id, body, 2_000);
      const receipts = outcomes.map(([n, path, outcome], i) => ({ n: i, unit: i, role: 'asset', volume_id: VOLUME, path, sha256: hashOf(n), size_bytes: 1000 + n, outcome, reason: null, to: outcome === 'trashed' ? `.jharokha-trash/${i}` : null, from: null, at_ms: NOW - DAY_MS }));
      expect((await postJson(`/sync/orders/${id}`, { revision: 10, state: 'done', progress: { files_done: 1, files: 1, bytes_done: 1, bytes: 1 }, waiting_for: null, reason: null, ended_at_ms: 5_000, receipts })).status).toBe(200);
    };
    await given({ kind: 'trash', sha256s: [hashOf(1)], volumes: [VOLUME], copies: [{ volume_id: VOLUME, path: 'again/a.jpg' }], last_copies: false }, [[1, 'again/a.jpg', 'trashed']]);
    expect(await copies(1)).toMatchObject({ files: 1, safety: 1 });
    await given({ kind: 'verify', volume_id: VOLUME, share: 100, slowly: false }, [[1, 'a.jpg', 'verified'], [2, 'b.jpg', 'damaged']]);
    expect(await countCopies(env.DB, NOW)).toMatchObject({ assets: 2, one: 1, nowhere: 1, damaged: 1, stale: 0, never: 0 });
    expect((await get('/drives')).text).toContain('verified yesterday');
    await given({ kind: 'trash', sha256s: [hashOf(1)], volumes: [VOLUME], copies: null, last_copies: true }, [[1, 'a.jpg', 'trashed']]);
    expect(await countCopies(env.DB, NOW)).toMatchObject({ assets: 1, one: 0 });
    await expectAsMadeAnew();
  });

  it('by drive say what is there, what is nowhere else and how long ago it was verified', async () => {
    await send({ volumes, assets: [asset(1), asset(2), asset(3)], locations: [on(VOLUME, 1, '1.jpg'), on(VOLUME, 2, '2.jpg'), on(T7, 2, '2.jpg'), on(T7, 3, '3.jpg'), on(T7, 3, '3 again.jpg')] });
    await note(2, 'verified_at_ms', NOW - 10 * DAY_MS, T7);
    await note(3, 'verified_at_ms', NOW - 200 * DAY_MS, T7);
    const drives = await countDriveCopies(env.DB, NOW);
    expect(drives.get(VOLUME)).toEqual({ files: 2, assets: 2, stale: 2, never: 2, oldest_ms: null, damaged: 0, only: 1 });
    expect(drives.get(T7)).toEqual({ files: 3, assets: 2, stale: 1, never: 0, oldest_ms: (Math.floor(NOW / DAY_MS) - 200) * DAY_MS, damaged: 0, only: 0 });
  });

  it('are read from some rows alone', async () => {
    for (const sql of [COUNTS_SQL, DAMAGED_COUNTS_SQL]) {
      const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...(sql.includes('?1') ? [1] : [])).all<{ detail: string }>();
      expect(results.map((row) => row.detail).join(' ')).toMatch(/SEARCH copy_counts|INDEX locations_damaged/);
    }
  });
});

describe('lists', () => {
  it('go on without gap or repeat where many share a key', async () => {
    const assets = Array.from({ length: 40 }, (_, i) => asset(i + 1, { size_bytes: i % 2 === 0 ? 5_000 : 7_000, time_claims: [exif(i < 20 ? '2020-01-01T00:00:00' : '2021-01-01T00:00:00')] }));
    await send({ volumes, assets, locations: assets.flatMap((_, i) => [on(VOLUME, i + 1, `${i + 1}.jpg`), ...(i % 4 === 0 ? [on(VOLUME, i + 1, `b/${i + 1}.jpg`)] : []), ...(i % 4 === 1 ? [on(T7, i + 1, `b/${i + 1}.jpg`)] : [])]) });
    for (const [grid, count] of [[{ kind: 'copies', safety: 1 }, 20], [{ kind: 'copies-only', volume_id: VOLUME }, 20], [{ kind: 'copies', safety: 2 }, 10], [{ kind: 'copies-stale', before_ms: NOW }, 40]] as [Grid, number][]) {
      const whole = (await listGrid(env.DB, grid, gridStart(grid), 'following', 100)).map((tile) => tile.asset_id);
      expect(new Set(whole).size, grid.kind).toBe(count);
      const seen: number[] = [];
      for (let at = gridStart(grid); ;) {
        const tiles = await listGrid(env.DB, grid, at, 'following', 3);
        const last = tiles.at(-1);
        if (!last) break;
        seen.push(...tiles.map((tile) => tile.asset_id));
        at = { sortMs: grid.kind === 'copies-stale' ? 0 : last.sort_ms, assetId: last.asset_id };
      }
      expect(seen).toEqual(whole);
    }
    for (const [set, count] of [['all', 20], ['extra', 10]] as const) {
      const seen: [number, number][] = [];
      for (let at: typeof MOST_SPARE | null = MOST_SPARE; at;) {
        const page: Awaited<ReturnType<typeof listDuplicates>> = await listDuplicates(env.DB, set, at, 3);
        seen.push(...page.groups.map(({ tile }): [number, number] => [tile.spare_bytes, tile.asset_id]));
        at = page.next;
      }
      expect(new Set(seen.map(([, id]) => id)).size).toBe(count);
      expect(seen).toEqual(seen.toSorted(([a, i], [b, j]) => b - a || j - i));
    }
  });

  it('have addresses of their own, for drives of any name, and nothing else has', async () => {
    for (const volumeId of ['uuid:t7', '..', '~', 'a/b', '<b>', '%2F', 'null']) {
      const grid = readGrid(new URL(`/copies/one/${volumeId === '~' ? '~~~' : volumeId === '..' ? '~~..' : encodeURIComponent(volumeId)}`, 'http://x').pathname);
      expect(grid?.grid, volumeId).toEqual({ kind: 'copies-only', volume_id: volumeId });
      expect(readGrid(new URL(grid?.address ?? '', 'http://x').pathname)).toEqual(grid);
    }
    for (const path of ['/copies', '/copies/', '/copies/constructor', '/copies/two', '/copies/one/', '/copies/one/~', '/copies/together/x', '/copies/one/%FF']) expect(readGrid(path), path).toBeUndefined();
    expect((await get('/copies/constructor')).status).toBe(404);
  });

  it('lead into the viewer, which steps in them', async () => {
    await send({ volumes, assets: [asset(1), asset(2), asset(3)], locations: [on(VOLUME, 1, '1.jpg'), on(VOLUME, 2, '2.jpg'), on(T7, 2, '2.jpg'), on(VOLUME, 3, '3.jpg')] });
    const page = await get('/copies/one');
    expect(hashesIn(page.text).sort()).toEqual([1, 3]);
    expect(page.text).toContain('?in=%2Fcopies%2Fone');
    expect((await get(`/a/${hashOf(1)}?in=${encodeURIComponent('/copies/one')}`)).text).toContain(`/a/${hashOf(3)}?in=%2Fcopies%2Fone`);
    const stale = readGrid('/copies/unverified');
    if (!stale) throw new Error('no such grid');
    await note(1, 'verified_at_ms', NOW);
    expect((await loadGridPiece(env.DB, stale, { near: hashOf(2) })).tiles.map((tile) => tile.sha256)).toEqual([hashOf(2), hashOf(3)]);
    expect((await ask('/grid/layout?of=%2Fcopies%2Funverified')).status).toBe(200);
  });
});

describe('what is best kept', () => {
  const choice = (path: string, more: Partial<Choice> & { volume?: string } = {}): Choice => ({ connected: true, fixed: false, damaged: false, in_album: false, sidecar: false, verified_at_ms: null, paths: [{ volume_id: more.volume ?? 'v', path }], ...more });
  it('goes by what is at hand, then by what cannot be moved, what was verified, where it lies', () => {
    const long = choice('a/very/long/path.jpg');
    expect(chooseBest([choice('a.jpg', { connected: false }), long])).toEqual({ index: 1, why: 'connected' });
    expect(chooseBest([choice('a.jpg'), { ...long, fixed: true }])).toEqual({ index: 1, why: 'fixed' });
    expect(chooseBest([choice('a.jpg'), { ...long, verified_at_ms: 5 * DAY_MS }])).toEqual({ index: 1, why: 'verified' });
    // Of one run, whichever came first.
    expect(chooseBest([choice('a.jpg', { verified_at_ms: 5 * DAY_MS + 1 }), { ...long, verified_at_ms: 5 * DAY_MS + 999 }])).toEqual({ index: 0, why: 'short' });
    expect(chooseBest([choice('a.jpg', { in_album: true }), { ...long, sidecar: true }])).toEqual({ index: 1, why: 'sidecar' });
    expect(chooseBest([choice('a.jpg'), { ...long, in_album: true }])).toEqual({ index: 1, why: 'album' });
    expect(chooseBest([long, choice('a.jpg')])).toEqual({ index: 1, why: 'short' });
    expect(chooseBest([choice('b.jpg'), choice('a.jpg')])).toEqual({ index: 1, why: 'same' });
    expect(chooseBest([choice('a.jpg', { damaged: true }), long])).toEqual({ index: 1, why: 'same' });
    expect(chooseBest([choice('a.jpg', { damaged: true })])).toBeUndefined();
  });

  it('stays on each drive, and only what is connected can go', () => {
    const [here, twice, backup] = [choice('a.jpg'), choice('b/a.jpg'), choice('c/a.jpg', { volume: 'w' })];
    expect(suggest([here, twice, backup])).toMatchObject({ best: { index: 0 }, offered: true, copies: [{ can: true, tick: false }, { can: true, tick: true }, { can: true, tick: false }], plugIn: [] });
    expect(suggest([here, { ...backup, connected: false }])).toMatchObject({ offered: false, copies: [{ tick: false }, { can: false, tick: false }], plugIn: ['w'] });
    expect(suggest([{ ...here, connected: false }, { ...backup, connected: false }])).toMatchObject({ offered: false, plugIn: ['v', 'w'] });
    expect(suggest([here, { ...twice, fixed: true }])).toMatchObject({ best: { index: 1, why: 'fixed' }, offered: true, copies: [{ can: true, tick: true }, { can: false, tick: false }] });
    expect(suggest([{ ...here, fixed: true }, { ...twice, fixed: true }])).toMatchObject({ offered: false, plugIn: [] });
    expect(suggest([here, { ...twice, damaged: true }, { ...backup, connected: false }])).toMatchObject({ offered: false, plugIn: ['w'] });
  });

  it('is told of files, each with all of its paths', () => {
    const row = (path: string, inode: string | null, more: Partial<PathRow> = {}): PathRow => ({ volume_id: 'v', path, fs_id: inode === null ? null : 'F', inode, in_package: 0, verified_at_ms: null, damaged_at_ms: null, in_album: 0, sidecar: 0, ...more });
    expect(groupPaths([row('a', '1'), row('b', '1', { verified_at_ms: 5, in_album: 1 }), row('c', '2'), row('d', null), row('e', null), row('a', '1', { volume_id: 'w' })]).map((file) => [file.paths.map(({ path }) => path).join(), file.verified_at_ms, file.in_album]))
      .toEqual([['a,b,a', 5, true], ['c', null, false], ['d', null, false], ['e', null, false]]);
  });
});

describe('pages', () => {
  it('say that there is nothing', async () => {
    for (const [path, words] of [['/copies', 'Nothing to count yet'], ['/duplicates', 'No duplicates'], ['/copies/one', 'None has only one copy.'], ['/copies/unverified', 'All were verified'], ['/copies/damaged', 'None is known.']] as const) {
      const page = await get(path);
      expect(page.status, path).toBe(200);
      expect(page.text, path).toContain(words);
    }
    expect((await get('/duplicates?from=x')).status).toBe(400);
    expect((await get('/drives')).text).not.toContain('href="/copies"');
  });

  it('count one, and say on which drive it is, by the owner’s own words', async () => {
    await send({ volumes, assets: [asset(1), asset(2)], locations: [on(VOLUME, 1, '1.jpg'), on(VOLUME, 2, '2.jpg'), on(T7, 2, '2.jpg')] });
    await env.DB.prepare("UPDATE volumes SET owner_label = 'Holi<b>days', note = 'drawer \u202E' WHERE volume_id = ?").bind(VOLUME).run();
    const page = (await get('/copies')).text;
    expect(page).toMatch(/<b class="num">1<\/b> has only one copy/);
    expect(page).toContain('only on ‘<bdi>Holi&lt;b&gt;days</bdi>’');
    expect(page).not.toContain('Holi<b>');
    expect(page).toContain('hx-trigger="live-presence from:body"');
    // A fragment is the body alone.
    const part = await get('/copies', { 'HX-Request': 'true', 'HX-Request-Type': 'partial' });
    expect(part.text).not.toContain('<html');
    expect(part.text).toContain('has only one copy');
    expect((await get('/drives')).text).toContain('1 only here');
    expect((await get(`/copies/one/${encodeURIComponent(VOLUME)}`)).text).toContain('Only on Holi&lt;b&gt;days');
    expect((await get('/duplicates')).text).toContain('Plug in ‘<bdi>Holi&lt;b&gt;days</bdi>’ (<bdi>drawer ⟨U+202E⟩</bdi>) and ‘<bdi>T7 Archive</bdi>’ to tidy this up.');
  });

  it('set duplicates side by side, each path once, whatever its name', async () => {
    const hostile = 'x/"><script>alert(1)</script>\n.jpg';
    await send({ volumes: [volume(), volume({ volume_id: T7, label: 'T7' })], assets: [asset(1)], locations: [on(VOLUME, 1, hostile), on(VOLUME, 1, 'Album/1.jpg')], evidence: [evidence('Album/1.jpg', { albums: [{ key: 'k', title: 'Goa' }] })] });
    const page = (await get('/duplicates')).text;
    expect(page).not.toContain('<script>alert');
    expect(page).toContain('album’s folder');
    expect(page).toMatch(/<b>2 copies<\/b>, 1.0 KB each/);
    // With nothing ticked the form asks for nothing, and not for the whole asset.
    const sent = await ask('/orders/plan', { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'http://127.0.0.1:8420' }, body: `kind=trash&sha256=${hashOf(1)}&copies=ticked` });
    expect([sent.status, await sent.text()]).toEqual([400, expect.stringContaining('Nothing was ticked')]);
    expect(await all('SELECT * FROM orders')).toEqual([]);
  });

  it('say of a search what is connected, after it has answered', async () => {
    await send({ volumes, scans: [scan()], assets: [asset(1), asset(2)], locations: [on(VOLUME, 1, 'goa 1.jpg'), on(T7, 2, 'goa 2.jpg')] });
    const page = (await get('/search?q=goa')).text;
    expect(page).toMatch(/id="originals"[^>]*hx-get="\/search\/originals\?q=goa"[^>]*><\/p>/);
    expect((await get('/search/originals?q=goa', { 'HX-Request-Type': 'partial' })).text).toMatch(/^All originals are on drives that are away: ‘<bdi>/);
    expect((await get('/search/originals?q=goa 2', { 'HX-Request-Type': 'partial' })).text).toMatch(/^The original is on a drive that is away: ‘<bdi>/);
    expect((await get('/search/originals?q=nothing-there', { 'HX-Request-Type': 'partial' })).text).toBe('');
    expect((await get('/search/originals', { 'HX-Request-Type': 'partial' })).text).toBe('');
    expect((await get('/search?q=nothing-there')).text).not.toContain('id="originals"');
  });

  it('say of an album what is connected', async () => {
    const inAlbum = (path: string, volumeId = VOLUME) => evidence(path, { volume_id: volumeId, albums: [{ key: 'k', title: 'Goa' }] });
    await send({ volumes, scans: [scan()], assets: [asset(1), asset(2), asset(3)], locations: [on(VOLUME, 1, '1.jpg'), on(T7, 1, '1.jpg'), on(T7, 2, '2.jpg'), on(VOLUME, 3, '3.jpg')], evidence: [inAlbum('1.jpg'), inAlbum('2.jpg', T7), inAlbum('3.jpg')] });
    const id = await env.DB.prepare('SELECT album_id FROM albums').first<number>('album_id') ?? 0;
    const originals = await listAlbumOriginals(env.DB, id);
    expect(originals.toSorted((a, b) => a.drives.length - b.drives.length || (a.drives[0] ?? '').localeCompare(b.drives[0] ?? ''))).toEqual([{ drives: [VOLUME], assets: 1 }, { drives: [T7], assets: 1 }, { drives: [VOLUME, T7], assets: 1 }]);
    const known = (...connected: string[]) => (volume_id: string) => ({ volume_id, label: volume_id, note: null, connected: connected.includes(volume_id), readOnly: false });
    expect(sumOriginals(originals, known(VOLUME), false)).toMatchObject({ assets: 3, away: 1, nowhere: 0, drives: [{ volume_id: T7 }] });
    expect(sumOriginals(originals, known(VOLUME, T7), false)).toMatchObject({ away: 0, drives: [] });
    expect(sumOriginals(originals, known(), true)).toMatchObject({ away: 3, capped: true });
    expect(sumOriginals(originals, known(), false)).toMatchObject({ away: 3 });
    expect((await get(`/albums/${id}`)).text).toContain('All originals are on drives that are away');
    const line = await get(`/albums/${id}/originals`, { 'HX-Request-Type': 'partial' });
    expect(line.text).toMatch(/^All originals are on drives that are away: ‘<bdi>/);
    expect(await listOriginals(env.DB, [hashOf(2)])).toEqual([{ drives: [T7], assets: 1 }]);
    expect((await listAlbumsKept(env.DB, { title: '', albumId: 0 }, 1)).albums).toEqual([{ album_id: id, title: 'Goa', sort: 'oldest', assets: 3, three: 0, two_drives: 1, one: 2 }]);
    expect((await listAlbumsKept(env.DB, { title: 'Goa', albumId: id }, 1)).albums).toEqual([]);
    await complete(['3.jpg']);
    expect((await get(`/albums/${id}`)).text).toContain('1 of 3 was not found whole any more.');
  });

  it('offer to verify a drive only while it is connected, and say what the last scan changed', async () => {
    await send({ volumes, roots: [{ root_id: 'r1', revision: 1, volume_id: VOLUME, path: 'Pictures', excludes: [], removed: false }], assets: [asset(1)], locations: [on(VOLUME, 1, '1.jpg')], scans: [scan({ started_ms: NOW - 1000, ended_ms: NOW, vanished: 2, counts: { ...scan().counts, indexed: 12, moved: 3 } })] });
    const page = (await get('/drives')).text;
    expect(page).not.toContain('Verify now');
    expect(page).toContain('scanned just now: 12 new, 3 moved, 2 not found any more');
    expect(page).toContain('not verified yet, plug it in to verify');
    expect(page).toContain('500 GB free of 1.0 TB');
    expect(page).toContain('exFAT');
    expect((await get(`/drives?head=${encodeURIComponent(VOLUME)}`, { 'HX-Request-Type': 'partial' })).text).toMatch(/^<span class="drive-icon">/);
  });
});
