// Curation out of one library and into another: equal, once, whatever is indexed first, and without undoing what is newer.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { listNear, MOST_NEAR } from '../../worker/store/near.ts';
import { CURATION_CHUNK_LINES, CURATION_PARTS, CurationPage, ChunkAnswer, type AlbumLine, type AssetLine, type CurationLine } from '../../protocol/curation.ts';
import { applyCorrection, listEdits, undoEdit } from '../../worker/store/corrections.ts';
import { createDice } from '../support/random.ts';
import { ask, askAsAgent, asset, countRows, createSender, evidence, hashOf, item, location, migrate, postJson, settleFeed, volume, VOLUME } from './support.ts';

const NOW = Date.UTC(2026, 0, 1);
let send: ReturnType<typeof createSender>;
async function fresh(): Promise<void> { await settleFeed(); await reset(); await migrate(); send = createSender(); }
beforeEach(fresh);

const line = (n: number, more: Partial<AssetLine> = {}): AssetLine => ({
  type: 'asset', sha256: hashOf(n), changed_at_ms: 1_000, favourite: null, archived: null, rating: null, taken_at: null, utc_offset_minutes: null, time_shift_s: null, position: null, description: null, tags: null, ...more,
});
const album = (ref: string, more: Partial<AlbumLine> = {}): AlbumLine => ({ type: 'album', album: ref, title: 'Best', owner_title: null, sort: 'oldest', cover: null, query: null, made_at_ms: 5, removed_at_ms: null, ...more });
const member = (ref: string, n: number, layer: 'owner' | 'left' = 'owner', position: number | null = null): CurationLine => ({ type: 'member', album: ref, sha256: hashOf(n), layer, position });

async function exportAll(): Promise<CurationLine[]> {
  const lines: CurationLine[] = [];
  for (const part of CURATION_PARTS) {
    for (let after: string | null = ''; after !== null;) {
      const page: CurationPage = CurationPage.parse(await (await askAsAgent(`/sync/curation?part=${part}&after=${encodeURIComponent(after)}`)).json());
      lines.push(...page.lines);
      after = page.next;
    }
  }
  return lines;
}
async function importAll(lines: readonly CurationLine[], more: { replace?: boolean; dry_run?: boolean } = {}): Promise<ChunkAnswer['imported']> {
  const sum: ChunkAnswer['imported'] = Object.fromEntries(CURATION_PARTS.map((p) => [p, { applied: 0, unchanged: 0, kept: 0, waiting: 0 }])) as ChunkAnswer['imported'];
  let edit_id: number | null = null;
  for (let from = 0; from < lines.length; from += CURATION_CHUNK_LINES) {
    const response = await postJson('/sync/curation', { lines: lines.slice(from, from + CURATION_CHUNK_LINES), replace: false, dry_run: false, edit_id, name: 'a file', ...more });
    if (response.status !== 200) throw new Error(await response.text());
    const answer: ChunkAnswer = ChunkAnswer.parse(await response.json());
    edit_id = answer.edit_id;
    for (const part of CURATION_PARTS) for (const key of ['applied', 'unchanged', 'kept', 'waiting'] as const) sum[part][key] += answer.imported[part][key];
  }
  return sum;
}
const index = (numbers: readonly number[]) => send({
  volumes: [volume()], assets: numbers.map((n) => asset(n)), locations: numbers.map((n) => location(n, `DCIM/${n}.jpg`)),
  evidence: numbers.map((n) => evidence(`DCIM/${n}.jpg`, n <= 3 ? { albums: [{ key: 'Photos/Rome', title: 'Rome' }] } : {})),
});
/** All that pages show of it, without the numbers of the database. */
async function shown(): Promise<unknown> {
  const all = async (sql: string) => (await env.DB.prepare(sql).all()).results;
  return {
    items: await all('SELECT sha256, taken_at, utc_offset_minutes, latitude, longitude, cell, description, favourite, archived, rating, tags, albums, shown FROM timeline_items ORDER BY sha256'),
    curation: await all('SELECT * FROM curation ORDER BY sha256'),
    albums: await all('SELECT import_key, album_key, title, owner_title, sort, cover_sha256, query, made_at_ms, removed_at_ms FROM albums ORDER BY coalesce(album_key, import_key)'),
    members: await all('SELECT coalesce(album_key, import_key) AS k, m.sha256, m.layer, m.position FROM album_assets m JOIN albums USING (album_id) ORDER BY 1, 2, 3'),
    alike: await all('SELECT * FROM near_kept ORDER BY sha256'),
    drives: await all('SELECT volume_id, owner_label, note FROM volumes'),
    settings: await all("SELECT value FROM settings WHERE key = 'home_zone'"),
    docs: await all('SELECT sha256, description, albums, tags FROM search_docs ORDER BY sha256'),
  };
}

describe('a library indexed afresh', () => {
  it.each([1, 2])('has from the file what the old one had, whether files are indexed before or after (seed %i)', async (seed) => {
    const dice = createDice(seed);
    const numbers = Array.from({ length: 60 }, (_, i) => i + 1);
    await index(numbers);
    const lines = randomLines(dice, numbers);
    await importAll(lines);
    await ask('/api/settings', { method: 'PUT', body: JSON.stringify({ home_zone: 'Asia/Tokyo' }), headers: { 'Content-Type': 'application/json' } });
    await env.DB.prepare("UPDATE volumes SET owner_label = 'Holidays', note = 'in the drawer'").run();
    const said = await exportAll();
    expect(said.filter((l) => l.type !== 'setting' && l.type !== 'volume')).toEqual(lines);
    await settleFeed();
    const before = await shown();
    for (const way of ['before', 'after', 'between'] as const) {
      await fresh();
      if (way === 'before') await index(dice.shuffle(numbers));
      if (way === 'between') await index(dice.shuffle(numbers).slice(0, 30));
      const done = await importAll(said);
      expect(done.asset).toMatchObject({ applied: lines.filter((l) => l.type === 'asset').length, kept: 0 });
      if (way === 'after') expect(done.asset.waiting).toBe(done.asset.applied);
      if (way !== 'before') await index(numbers);
      await settleFeed();
      expect(await shown(), way).toEqual(before);
      expect(await exportAll(), way).toEqual(said);
      expect(await countRows('unresolved')).toBe(0);
      // Once more changes nothing, whatever wins.
      for (const replace of [false, true]) {
        const again = await importAll(said, { replace });
        for (const part of CURATION_PARTS) expect(again[part], part).toMatchObject({ applied: 0, kept: 0 });
      }
      expect(await exportAll(), way).toEqual(said);
    }
  });

  it('in chunks of thousands is one edit each twenty thousand, and pages keep their order', async () => {
    const lines = Array.from({ length: 22_500 }, (_, i) => line(i + 1, { favourite: true }));
    await importAll([album('own:big'), ...lines, ...Array.from({ length: 4_100 }, (_, i) => member('own:big', i + 1, 'owner', i))]);
    const edits = await listEdits(env.DB, 1e9, 10);
    expect(edits.map((e) => e.assets)).toEqual([4_601, 21_999]);
    const said = await exportAll();
    expect(said.length).toBe(1 + 22_500 + 4_100);
    expect(said.filter((l) => l.type === 'member').at(-1)).toEqual(member('own:big', 4_100, 'owner', 4_099));
  });
});

function randomLines(dice: ReturnType<typeof createDice>, numbers: readonly number[]): CurationLine[] {
  const maybe = <T>(make: () => T): T | null => (dice.next() < 0.4 ? make() : null);
  const words = ['Ελλάδα', 'a "b" \\ <i>', '日本', 'x'.repeat(200), 'é', '~'];
  const albums = [album('import:Photos/Rome', { title: 'Rome', owner_title: 'Roma', sort: 'own', cover: hashOf(2), made_at_ms: null }), album('own:aaa', { cover: hashOf(5), sort: 'newest' }), album('own:bbb', { title: '<b>', query: 'beach -snow', removed_at_ms: 77 })];
  const assets = numbers.filter(() => dice.next() < 0.7).map((n) => line(n, {
    changed_at_ms: Math.floor(dice.next() * 1e12), favourite: maybe(() => dice.next() < 0.5), archived: maybe(() => dice.next() < 0.5), rating: maybe(() => dice.pick([0, 1, 5])),
    ...(dice.next() < 0.3 ? { taken_at: '1999-12-31T23:59:59', utc_offset_minutes: maybe(() => -210) } : { time_shift_s: maybe(() => 3_601) }),
    position: maybe(() => dice.pick([{ latitude: -33.8568, longitude: 151.2153 }, { latitude: 0, longitude: 0 }, 'none' as const])), description: maybe(() => dice.pick([...words, ''])),
    tags: maybe(() => ({ add: [dice.pick(words)], remove: dice.some(1, () => dice.pick(words)) })),
  }));
  const members = ['import:Photos/Rome', 'own:aaa'].flatMap((ref) => numbers.filter(() => dice.next() < 0.3).map((n) => member(ref, n, ref.startsWith('import') && n <= 3 ? 'left' : 'owner', maybe(() => dice.next()))));
  const alike = numbers.filter(() => dice.next() < 0.2).map((n): CurationLine => ({ type: 'alike', sha256: hashOf(n), kept: `00000000-0000-4000-8000-00000000000${n % 3}`, at_ms: Math.floor(dice.next() * 1e12) }));
  return [...albums, ...assets, ...members, ...alike.toSorted((a, b) => ('sha256' in a && 'sha256' in b && a.sha256 < b.sha256 ? -1 : 1))];
}

describe('whose word wins', () => {
  beforeEach(async () => { await index([1, 2, 3, 4]); });
  const curate = (n: number, change: Parameters<typeof applyCorrection>[1]['change'], nowMs = NOW) => applyCorrection(env.DB, { scope: { kind: 'assets', sha256s: [hashOf(n)] }, change, summary: 'x', nowMs });

  it('of look-alikes that stay is the later one, and a group of them is shown no more', async () => {
    const near = (n: number) => ({ member_sha256: hashOf(n), group_sha256: hashOf(1), spare_bytes: 5, revision: 1, removed: false });
    await send({ near: [near(1), near(2)] });
    const listed = async () => (await listNear(env.DB, MOST_NEAR, 9)).groups.length;
    const kept = (n: number, at_ms: number, last = 1): CurationLine => ({ type: 'alike', sha256: hashOf(n), kept: `00000000-0000-4000-8000-00000000000${last}`, at_ms });
    expect((await importAll([kept(1, 5), kept(2, 5), kept(9, 5)], { dry_run: true })).alike).toEqual({ applied: 3, unchanged: 0, kept: 0, waiting: 1 });
    expect(await listed()).toBe(1);
    await importAll([kept(1, 5), kept(2, 5), kept(9, 5)]);
    expect(await listed()).toBe(0);
    expect((await importAll([kept(1, 4, 2), kept(2, 6, 2)])).alike).toEqual({ applied: 1, unchanged: 0, kept: 1, waiting: 0 });
    // Two words are no one word about all of them.
    expect(await listed()).toBe(1);
    expect((await importAll([kept(1, 4, 2)], { replace: true })).alike).toMatchObject({ applied: 1 });
    expect(await listed()).toBe(0);
  });

  it('of one asset is the later one, whole; with --replace the file’s', async () => {
    await curate(1, { favourite: true, description: 'here' });
    await curate(2, { favourite: true });
    const file = [line(1, { changed_at_ms: NOW - 1, archived: true }), line(2, { changed_at_ms: NOW + 1, description: 'file' })];
    expect((await importAll(file, { dry_run: true })).asset).toEqual({ applied: 1, unchanged: 0, kept: 1, waiting: 0 });
    expect(await item(2)).toMatchObject({ favourite: 1, description: null });
    expect((await importAll(file)).asset).toEqual({ applied: 1, unchanged: 0, kept: 1, waiting: 0 });
    expect([await item(1), await item(2)]).toMatchObject([{ favourite: 1, description: 'here', archived: 0 }, { favourite: 0, description: 'file' }]);
    expect((await importAll(file, { replace: true })).asset).toEqual({ applied: 1, unchanged: 1, kept: 0, waiting: 0 });
    expect(await item(1)).toMatchObject({ favourite: 0, description: null, archived: 1 });
  });

  it('can be taken back as one edit', async () => {
    await curate(1, { favourite: true });
    const before = await exportAll();
    await importAll([line(1, { changed_at_ms: NOW + 9, description: 'file' }), line(2, { rating: 3 }), line(99, { favourite: true })]);
    const [edit] = await listEdits(env.DB, 1e9, 1);
    expect(edit).toMatchObject({ assets: 3, summary: 'Read back from a file' });
    await undoEdit(env.DB, edit?.edit_id ?? 0, NOW);
    expect(await exportAll()).toEqual(before);
    expect([await item(1), await item(2)]).toMatchObject([{ favourite: 1, description: null }, { rating: null }]);
  });

  it('keeps tags and albums of an asset in its row of the edit, entry by entry', async () => {
    await importAll([album('own:a'), album('own:b'), line(1, { tags: { add: ['sea'], remove: ['x'] } }), member('own:a', 1, 'owner', 2), member('own:b', 1), member('own:b', 2)]);
    const id = (ref: string) => env.DB.prepare('SELECT album_id AS id FROM albums WHERE album_key = ?').bind(ref).first('id');
    const [a, b] = [await id('a'), await id('b')];
    const sides = async () => (await env.DB.prepare("SELECT before->'tags' AS t0, after->'tags' AS t1, before->'albums' AS a0, after->'albums' AS a1 FROM edit_rows ORDER BY edit_id, sha256").all<Record<string, string>>()).results.map((r) => Object.values(r).map((v) => JSON.parse(v) as unknown));
    expect(await sides()).toEqual([
      [[['sea', null], ['x', null]], [['sea', 'add'], ['x', 'remove']], [[a, null, null], [b, null, null]], [[a, 'owner', 2], [b, 'owner', null]]],
      [[], [], [[b, null, null]], [[b, 'owner', null]]],
    ]);
    await importAll([album('own:a'), line(1, { changed_at_ms: NOW, tags: { add: ['sea', 'sun'], remove: [] } }), member('own:a', 1, 'left')], { replace: true });
    expect((await sides()).at(-1)).toEqual([[['sea', 'add'], ['sun', null], ['x', 'remove']], [['sea', 'add'], ['sun', 'add'], ['x', null]], [[a, 'owner', 2]], [[a, 'left', null]]]);
  });

  it('of an album, a membership and a drive is the library’s own; what nobody said is filled in', async () => {
    await importAll([album('own:a', { title: 'Here', sort: 'own', cover: hashOf(1) }), member('own:a', 1, 'owner', 1), member('own:a', 2)]);
    await env.DB.prepare("UPDATE volumes SET owner_label = 'Here'").run();
    const file: CurationLine[] = [{ type: 'volume', volume_id: VOLUME, label: 'File', note: 'a note' }, album('own:a', { title: 'File', sort: 'newest', cover: hashOf(2), query: 'q' }), member('own:a', 1, 'left'), member('own:a', 2, 'owner', 7), member('own:a', 3)];
    const done = await importAll(file);
    expect([done.volume, done.album, done.member]).toMatchObject([{ applied: 1 }, { applied: 1 }, { applied: 2, kept: 1 }]);
    const stored = await exportAll();
    expect(stored.find((l) => l.type === 'volume')).toMatchObject({ label: 'Here', note: 'a note' });
    expect(stored.find((l) => l.type === 'album')).toMatchObject({ title: 'Here', sort: 'own', cover: hashOf(1), query: 'q' });
    expect(stored.filter((l) => l.type === 'member')).toEqual([member('own:a', 1, 'owner', 1), member('own:a', 2, 'owner', 7), member('own:a', 3)]);
    await importAll(file, { replace: true });
    expect((await exportAll()).filter((l) => l.type !== 'setting')).toEqual(file);
  });

  it('of the home zone is what the owner chose, and of two choices the later', async () => {
    const zone = (value: string, changed_at_ms: number | null): CurationLine => ({ type: 'setting', key: 'home_zone', value, changed_at_ms });
    const present = async () => (await exportAll()).find((l) => l.type === 'setting');
    expect(await present()).toEqual(zone('Europe/Rome', null));
    expect((await importAll([zone('Nowhere/At_all', null)])).setting.kept).toBe(1);
    await importAll([zone('Asia/Tokyo', null)]);
    await importAll([zone('Africa/Lagos', 2_000)]);
    await importAll([zone('Asia/Tokyo', null), zone('Asia/Tokyo', 1_000)]);
    expect(await present()).toEqual(zone('Africa/Lagos', 2_000));
    await importAll([zone('Asia/Tokyo', 1_000)], { replace: true });
    expect(await present()).toEqual(zone('Asia/Tokyo', 1_000));
  });

  it('goes on to a successor where the content was edited since', async () => {
    await send({ assets: [asset(9)], locations: [location(9, 'DCIM/4.jpg', { revision: 5 })], successors: [{ old_sha256: hashOf(4), new_sha256: hashOf(9), revision: 5 }] });
    await importAll([album('own:a'), line(4, { favourite: true }), member('own:a', 4)]);
    expect(await item(9)).toMatchObject({ favourite: 1 });
    expect((await exportAll()).filter((l) => l.type === 'member')).toEqual([member('own:a', 4), member('own:a', 9)]);
  });
});

describe('what waits', () => {
  it('is a drive’s name, for the drive; and it is exported meanwhile', async () => {
    const words: CurationLine = { type: 'volume', volume_id: VOLUME, label: 'Holidays', note: null };
    expect((await importAll([words])).volume).toMatchObject({ applied: 1, waiting: 1 });
    expect(await exportAll()).toEqual([words]);
    await send({ volumes: [volume()] });
    expect((await exportAll()).filter((l) => l.type === 'volume')).toEqual([words]);
    expect(await env.DB.prepare('SELECT owner_label FROM volumes').first('owner_label')).toBe('Holidays');
  });
});

describe('the routes', () => {
  it('want the token, a part that is one, and lines that are some', async () => {
    expect((await ask('/sync/curation?part=asset')).status).toBe(401);
    expect((await askAsAgent('/sync/curation?part=edits')).status).toBe(400);
    expect((await askAsAgent('/sync/curation?part=member&after=%7Bnot')).status).toBe(200);
    const chunk = { replace: false, dry_run: false, edit_id: null, name: 'x' };
    expect((await postJson('/sync/curation', { ...chunk, lines: [] })).status).toBe(400);
    expect((await postJson('/sync/curation', { ...chunk, lines: [{ ...line(1), sha256: 'x' }] })).status).toBe(400);
    expect((await postJson('/sync/curation', { ...chunk, lines: [line(1, { description: 'a\0b' })] })).status).toBe(400);
    expect((await postJson('/sync/curation', { ...chunk, lines: [line(1, { description: 'x'.repeat(9_999) })], name: 'y'.repeat(2_000_000) })).status).toBe(413);
  });
});
