// Ratings, tags and albums as edits: layered over what exports and files say, undone exactly, whatever came in between.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { CorrectionChange, type CorrectionScope } from '../../protocol/correction.ts';
import { createDice } from '../support/random.ts';
import { makeAlbum, renameAlbum, setAlbumRemoved } from '../../worker/store/albums.ts';
import { applyCorrection, undoEdit } from '../../worker/store/corrections.ts';
import { feedSearch } from '../../worker/search/feed.ts';
import { ask, asset, countRows, createSender, evidence, hashOf, item, location, migrate, postJson, volume } from './support.ts';

const NOW = Date.UTC(2026, 0, 1);
let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

/** Assets 1 to n; the first `imported` of them lie in the album of an export, and all are tagged `sea` in the file. */
async function seed(n: number, imported = 0): Promise<void> {
  for (let from = 1; from <= n; from += 700) {
    const numbers = Array.from({ length: Math.min(700, n - from + 1) }, (_, i) => from + i);
    await send({
      volumes: [volume()], assets: numbers.map((i) => asset(i, { tags: ['sea'] })), locations: numbers.map((i) => location(i, `${i}.jpg`)),
      evidence: numbers.filter((i) => i <= imported).map((i) => evidence(`${i}.jpg`, { albums: [{ key: 'k', title: 'Trip' }] })),
    });
  }
}
const scope = (...numbers: number[]): CorrectionScope => ({ kind: 'assets', sha256s: numbers.map(hashOf) });
async function edit(of: CorrectionScope, change: CorrectionChange): Promise<number> {
  const done = await applyCorrection(env.DB, { scope: of, change, summary: 'Test', nowMs: NOW });
  if (done.kind !== 'done') throw new Error(done.kind);
  return done.editId;
}
const make = (title = 'Mine', query: string | null = null) => makeAlbum(env.DB, { title, query, nowMs: NOW });
const tagsOf = async (n: number) => JSON.parse(String((await item(n))?.['tags'])) as string[];
const albumsOf = async (n: number) => JSON.parse(String((await item(n))?.['albums'])) as string[];
const rows = async (sql: string) => (await env.DB.prepare(sql).all()).results;
/** Everything that an undo must bring back. */
const ownWord = async () => ({
  curation: (await rows('SELECT * FROM curation ORDER BY sha256')).map(({ changed_at_ms: _at, ...row }) => row), albums: await rows('SELECT * FROM album_assets ORDER BY album_id, sha256, layer'),
  items: await rows('SELECT sha256, favourite, archived, rating, tags, albums, shown FROM timeline_items ORDER BY sha256'), buckets: await rows('SELECT month, count, days FROM timeline_buckets ORDER BY month'),
});
const importId = async () => (await env.DB.prepare("SELECT album_id FROM albums WHERE import_key = 'k'").first<number>('album_id')) ?? 0;

describe('tags', () => {
  it('are added to what was found and taken from it, and follow no later sync', async () => {
    await seed(2);
    await edit(scope(1, 2), { tags_add: ['  boat ', 'ß"\'<b>,{}'], tags_remove: ['sea'] });
    expect(await tagsOf(1)).toEqual(['  boat ', 'ß"\'<b>,{}']);
    await send({ assets: [asset(1, { revision: 2, tags: ['sea', 'sky'] })] });
    expect(await tagsOf(1)).toEqual(['  boat ', 'sky', 'ß"\'<b>,{}']);
    await edit(scope(1), { tags_add: ['sea'] });
    expect(await tagsOf(1)).toContain('sea');
    expect(CorrectionChange.parse({ tags_add: ['  boat '] })).toEqual({ tags_add: ['boat'] });
    for (const wrong of [{ tags_add: [] }, { tags_add: [' '] }, { tags_add: ['a'], tags_remove: ['a'] }, { rating: 6 }, { albums_add: [1], albums_remove: [1] }]) expect(CorrectionChange.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  });

  it('of an earlier edit are taken back without those of a later one', async () => {
    await seed(2);
    const first = await edit(scope(1, 2), { tags_add: ['a', 'b'], tags_remove: ['sea'] });
    await edit(scope(1), { tags_add: ['c'], tags_remove: ['b'] });
    expect(await undoEdit(env.DB, first, NOW)).toEqual({ now: true, restored: 2, kept: 1 });
    expect([await tagsOf(1), await tagsOf(2)]).toEqual([['c', 'sea'], ['sea']]);
    expect(await rows('SELECT sha256, tags FROM curation')).toEqual([{ sha256: hashOf(1), tags: '{"add":["c"],"remove":["b"]}' }]);
  });
});

describe('albums', () => {
  it('hold what the owner put in beside what an export says, and not what was taken out', async () => {
    await seed(3, 2);
    const [trip, mine] = [await importId(), await make()];
    const into = await edit(scope(1, 3), { albums_add: [mine, trip] });
    expect([await albumsOf(1), await albumsOf(3)].map((list) => list.toSorted())).toEqual([['Mine', 'Trip'], ['Mine', 'Trip']]);
    // The first was in the export's album already, and stays there by the export's word alone.
    expect(await rows(`SELECT sha256, layer FROM album_assets WHERE album_id = ${trip} ORDER BY sha256`)).toEqual([{ sha256: hashOf(1), layer: 'import' }, { sha256: hashOf(2), layer: 'import' }, { sha256: hashOf(3), layer: 'owner' }]);
    const out = await edit(scope(1, 2, 3), { albums_remove: [trip] });
    expect([await albumsOf(1), await albumsOf(2), await albumsOf(3)]).toEqual([['Mine'], [], ['Mine']]);
    // An export that comes again brings nothing back.
    await send({ evidence: [evidence('2.jpg', { revision: 2, albums: [{ key: 'k', title: 'Trip' }] })] });
    expect(await albumsOf(2)).toEqual([]);
    await undoEdit(env.DB, out, NOW);
    expect([await albumsOf(2), (await albumsOf(3)).toSorted()]).toEqual([['Trip'], ['Mine', 'Trip']]);
    await undoEdit(env.DB, into, NOW);
    expect([await albumsOf(1), await albumsOf(2), await albumsOf(3)]).toEqual([['Trip'], ['Trip'], []]);
    expect(await countRows('curation')).toBe(0);
  });

  it('follow the export when it lets go, and keep the owner’s', async () => {
    await seed(2, 2);
    const mine = await make();
    await edit(scope(1), { albums_add: [mine] });
    await send({ evidence: [evidence('1.jpg', { revision: 2 })] });
    expect([await albumsOf(1), await albumsOf(2)]).toEqual([['Mine'], ['Trip']]);
  });

  it('are left by the whole stack, counted as one', async () => {
    await send({
      volumes: [volume()], assets: [asset(1), asset(2, { mime: 'image/x-adobe-dng' })], locations: [location(1, '1.jpg'), location(2, '1.dng')],
      evidence: [evidence('1.jpg', { albums: [{ key: 'k', title: 'Trip' }] }), evidence('1.dng', { albums: [{ key: 'k', title: 'Trip' }] })],
      stacks: [{ member_sha256: hashOf(2), primary_sha256: hashOf(1), type: 'raw', basis: 'name', revision: 1, removed: false }],
    });
    const before = await ownWord();
    const done = await applyCorrection(env.DB, { scope: scope(1), change: { albums_remove: [await importId()] }, summary: 'Test', nowMs: NOW });
    expect(done).toMatchObject({ kind: 'done', assets: 1 });
    expect([await albumsOf(1), await albumsOf(2)]).toEqual([[], []]);
    await undoEdit(env.DB, 1, NOW);
    expect(await ownWord()).toEqual(before);
  });

  it('that are not there, are smart or are away take nothing in', async () => {
    await seed(1);
    const [smart, gone] = [await make('Smart', 'beach'), await make('Gone')];
    await setAlbumRemoved(env.DB, gone, true, NOW);
    for (const id of [smart, gone, 999]) expect(await applyCorrection(env.DB, { scope: scope(1), change: { albums_add: [id] }, summary: '', nowMs: NOW })).toEqual({ kind: 'no-such-album', albumIds: [id] });
    expect(await countRows('edits')).toBe(0);
  });

  it('under another name or away are so for every asset and for the search', async () => {
    await seed(2, 1);
    const trip = await importId();
    await renameAlbum(env.DB, trip, 'Sommer', NOW);
    // Who joins later hears of the name too.
    await send({ evidence: [evidence('2.jpg', { revision: 2, albums: [{ key: 'k', title: 'Trip' }] })] });
    expect([await albumsOf(1), await albumsOf(2)]).toEqual([['Sommer'], ['Sommer']]);
    const doc = async () => { await feedSearch(env, { budgetMs: 5_000 }); return (await rows('SELECT albums FROM search_docs ORDER BY asset_id')).map((row) => row['albums']); };
    expect(await doc()).toEqual(['sommer', 'sommer']);
    await setAlbumRemoved(env.DB, trip, true, NOW);
    expect([await albumsOf(1), await doc()]).toEqual([[], ['', '']]);
    await setAlbumRemoved(env.DB, trip, false, NOW);
    await renameAlbum(env.DB, trip, 'Trip', NOW);
    expect([await albumsOf(1), await doc(), await rows('SELECT owner_title FROM albums')]).toEqual([['Trip'], ['trip', 'trip'], [{ owner_title: null }]]);
  });
});

describe('the api', () => {
  const change = (body: unknown, headers: Record<string, string> = {}) => ask('/api/corrections', { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } });
  const OWN_PAGE = { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://127.0.0.1:8420', Host: '127.0.0.1:8420' };

  it('is open to our own pages and to the token, and to nobody else', async () => {
    await seed(1);
    const body = { scope: scope(1), change: { rating: 4 } };
    expect((await change(body)).status).toBe(401);
    expect((await change(body, { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil.example' })).status).toBe(403);
    expect(await (await change(body, OWN_PAGE)).json()).toEqual({ edit_id: 1, assets: 1 });
    expect((await item(1))?.['rating']).toBe(4);
    expect(await (await postJson('/api/edits/1/undo', {})).json()).toEqual({ undone_now: true, restored: 1, kept: 0 });
    expect((await ask('/api/list', { headers: OWN_PAGE })).status).toBe(401);
  });

  it('makes albums and lists them, and says what it refuses', async () => {
    await seed(2, 1);
    const made = await (await postJson('/api/albums', { title: '  Two\n words <b> ' })).json<{ album_id: number }>();
    await postJson('/api/albums', { title: 'Beaches', query: 'beach' });
    expect(await (await change({ scope: scope(1, 2), change: { albums_add: [made.album_id] } }, OWN_PAGE)).json()).toEqual({ edit_id: 1, assets: 2 });
    expect((await (await ask('/api/albums', { headers: OWN_PAGE })).json<{ albums: unknown[] }>()).albums).toMatchObject([{ title: 'Beaches', count: null, smart: true }, { title: 'Trip', count: 1, smart: false }, { title: 'Two words <b>', count: 2, smart: false }]);
    for (const title of ['', ' \n ', 'x'.repeat(201)]) expect((await postJson('/api/albums', { title })).status).toBe(400);
    expect((await postJson('/api/albums', '{')).status).toBe(400);
    expect((await change({ scope: scope(1), change: { albums_add: [77] } }, OWN_PAGE)).status).toBe(404);
    expect((await rows('SELECT summary FROM edits'))).toEqual([{ summary: 'Put into ‘Two words <b>’' }]);
  });
});

describe('any edits', () => {
  it('taken back from the last to the first leave everything as it was; in any order, nothing of their own', async () => {
    for (let round = 1; round <= 8; round += 1) {
      await reset();
      await migrate();
      send = createSender();
      await seed(6, 3);
      const dice = createDice(round);
      const albums = [await importId(), await make('A'), await make('B')];
      const start = await ownWord();
      const [ids, states]: [number[], unknown[]] = [[], [start]];
      for (let i = 0; i < 7; i += 1) {
        const put = dice.shuffle(albums).slice(0, 2);
        const change: CorrectionChange = dice.pick<CorrectionChange>([
          { rating: dice.pick([null, 0, 3]) }, { favourite: dice.pick([true, false, null]), tags_add: [dice.pick(['a', 'b', 'sea'])] }, { tags_add: ['a'], tags_remove: ['b', 'sea'] }, { tags_remove: ['a'] },
          { albums_add: put }, { albums_remove: put }, { albums_add: put.slice(0, 1), albums_remove: put.slice(1), archived: dice.pick([true, false]) },
        ]);
        const done = await applyCorrection(env.DB, { scope: scope(...[1, 2, 3, 4, 5, 6].filter(() => dice.next() < 0.6), 1), change, summary: '', nowMs: NOW });
        if (done.kind !== 'done') continue;
        ids.push(done.editId);
        states.push(await ownWord());
      }
      if (round % 2) {
        for (const [i, id] of [...ids.entries()].reverse()) { await undoEdit(env.DB, id, NOW); expect((await ownWord()).items, `round ${round}`).toEqual((states[i] as typeof start).items); }
        expect(await ownWord(), `round ${round}`).toEqual(start);
      } else {
        for (const id of dice.shuffle(ids)) await undoEdit(env.DB, id, NOW);
        for (const id of ids) expect(await undoEdit(env.DB, id, NOW)).toEqual({ now: false, restored: 0, kept: 0 });
        expect(await countRows('unresolved')).toBe(0);
      }
    }
  });

  it('over 10,000 assets are one edit, and undone exactly', async () => {
    await seed(10_000, 2_000);
    const mine = await make();
    const before = await ownWord();
    const all: CorrectionScope = { kind: 'assets', sha256s: Array.from({ length: 10_000 }, (_, i) => hashOf(i + 1)) };
    const body = JSON.stringify({ scope: all, change: { favourite: true, rating: 5, tags_add: ['x'], tags_remove: ['sea'], albums_add: [mine], albums_remove: [await importId()] } });
    const done = await (await postJson('/api/corrections', body)).json<{ edit_id: number; assets: number }>();
    expect(done.assets).toBe(10_000);
    expect([await tagsOf(10_000), await albumsOf(1), (await item(5_000))?.['rating']]).toEqual([['x'], ['Mine'], 5]);
    expect(await undoEdit(env.DB, done.edit_id, NOW)).toEqual({ now: true, restored: 10_000, kept: 0 });
    expect(await ownWord()).toEqual(before);
  });
});
