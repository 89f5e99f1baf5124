// Albums' lives, orders by hand, and the grids of what the owner keeps: favourites, the archive, tags, folders of a drive.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CorrectionChange } from '../../protocol/correction.ts';
import { createDice } from '../support/random.ts';
import { folderAddress, tagAddress } from '../../views/parts/addresses.ts';
import { albumGrid, readGrid } from '../../worker/middleware/grid.ts';
import { moveInAlbum, setAlbumSort } from '../../worker/store/album-order.ts';
import { makeAlbum } from '../../worker/store/albums.ts';
import { applyCorrection, undoEdit } from '../../worker/store/corrections.ts';
import { listSubfolders } from '../../worker/store/folder-pages.ts';
import { countGrid, findGridCursor, gridStart, listGrid, type Grid } from '../../worker/store/grids.ts';
import { listTags } from '../../worker/store/tag-pages.ts';
import { ask, askAsAgent, asset, countRows, createSender, evidence, exif, hashOf, location, migrate, postJson, scan, VOLUME, volume } from './support.ts';

const NOW = Date.UTC(2026, 0, 1);
const HOSTILE = ['..', '.', '~', '~~a', '<script>alert(1)</script>', '%2F..%2F', 'Ö\u202Epgj', '?#&=+ ', '\\', "x' OR 1=1 --", '日本', '👩‍👩‍👧'];
let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

/** Assets 1 to n, one a minute; at these paths, else at the top. */
async function seed(n: number, paths: string[] = [], tags: (i: number) => string[] = () => []): Promise<void> {
  const numbers = Array.from({ length: n }, (_, i) => i + 1);
  await send({ volumes: [volume()], assets: numbers.map((i) => asset(i, { tags: tags(i), time_claims: [exif(new Date(Date.UTC(2024, 4, 6, 7, i)).toISOString().slice(0, 19))] })), locations: numbers.map((i) => location(i, paths[i - 1] ?? `${i}.jpg`)) });
}
async function edit(change: CorrectionChange, ...numbers: number[]): Promise<number> {
  const done = await applyCorrection(env.DB, { scope: { kind: 'assets', sha256s: numbers.map(hashOf) }, change, summary: '', nowMs: NOW });
  if (done.kind !== 'done') throw new Error(done.kind);
  return done.editId;
}
const numberOf = (sha256: string) => Number.parseInt(sha256, 16);
async function shown(grid: Grid): Promise<number[]> {
  const seen: number[] = [];
  for (let cursor = gridStart(grid); ;) {
    const part = await listGrid(env.DB, grid, cursor, 'following', 2);
    const last = part.at(-1);
    if (!last) break;
    seen.push(...part.map((tile) => numberOf(tile.sha256)));
    cursor = await findGridCursor(env.DB, grid, last);
  }
  expect(await countGrid(env.DB, grid)).toBe(seen.length);
  return seen;
}
const page = async (path: string, init: RequestInit = {}) => { const answer = await ask(path, { redirect: 'manual', ...init }); return { status: answer.status, text: await answer.text(), to: answer.headers.get('location') ?? '' }; };
const post = (path: string, fields: Record<string, string>) => page(path, { method: 'POST', body: new URLSearchParams(fields), headers: { Origin: 'http://127.0.0.1:8420', Host: '127.0.0.1:8420' } });
const hashesIn = (html: string) => [...html.matchAll(/href="\/a\/([0-9a-f]{64})/g)].map((m) => numberOf(m[1] ?? ''));

describe('an album', () => {
  it('is made, filled, renamed, ordered, deleted and brought back by plain forms', async () => {
    await seed(3);
    const made = await post('/albums', { title: 'A <i>trip</i>' });
    expect([made.status, made.to]).toEqual([303, '/albums/1?done=made']);
    expect((await page('/albums/1')).text).toContain('Nothing lies in this album yet.');
    await edit({ albums_add: [1] }, 1, 2, 3);
    expect(hashesIn((await page('/albums/1')).text)).toEqual([1, 2, 3]);
    expect((await post('/albums/1/name', { title: ' ' })).status).toBe(422);
    expect((await post('/albums/1/name', { title: 'x'.repeat(201) })).text).toContain('A name has at most 200 characters.');
    await post('/albums/1/name', { title: 'Goa' });
    expect((await post('/albums/1/sort', { sort: 'newest' })).to).toBe('/albums/1/newest?done=sort');
    // An address of another order leads to the one that the album has.
    expect((await page('/albums/1')).to).toBe('/albums/1/newest');
    expect(hashesIn((await page('/albums/1/newest')).text)).toEqual([3, 2, 1]);
    const list = (await page('/albums')).text;
    expect(list).toContain('href="/albums/1/newest"');
    expect(list).toContain('3 photos and videos');
    expect((await post('/albums/1/remove', {})).to).toBe('/albums?removed=1');
    const after = await page('/albums?removed=1');
    expect(after.text).toContain('action="/albums/1/restore"');
    expect(after.text).not.toContain('class="card"');
    expect((await page('/albums/1')).text).toContain('This album was deleted.');
    expect((await post('/albums/1/name', { title: 'x' })).status).toBe(404);
    await post('/albums/1/restore', {});
    expect(hashesIn((await page('/albums/1/newest')).text)).toEqual([3, 2, 1]);
    for (const [path, fields] of [['/albums/9/name', { title: 'x' }], ['/albums/9/remove', {}], ['/albums/9/sort', { sort: 'own' }]] as const) expect((await post(path, fields)).status).toBe(404);
    expect((await post('/albums/1/sort', { sort: 'best' })).status).toBe(400);
    expect((await post('/albums', { title: '' })).text).toContain('An album needs a name.');
    // Nothing of another site.
    expect((await page('/albums/1/remove', { method: 'POST', body: 'x=1', headers: { Origin: 'http://evil.example', 'Content-Type': 'application/x-www-form-urlencoded' } })).status).toBe(403);
  });

  it('of a name that means harm, or of the same name as another, is shown as text', async () => {
    for (const title of [...HOSTILE, 'same', 'same']) expect((await post('/albums', { title })).status, title).toBe(303);
    const { text } = await page('/albums');
    expect(text).not.toContain('<script>alert');
    expect(text.match(/class="card"/g)?.length).toBe(HOSTILE.length + 2);
    expect(await countRows('albums')).toBe(HOSTILE.length + 2);
  });

  it('is changed by machines as by forms', async () => {
    await seed(3);
    const { album_id: id } = await (await postJson('/api/albums', { title: 'M' })).json<{ album_id: number }>();
    await edit({ albums_add: [id] }, 1, 2, 3);
    const patch = (body: unknown) => askAsAgent(`/api/albums/${id}`, { method: 'PATCH', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
    expect(await (await patch({ title: 'N', sort: 'newest', cover_sha256: hashOf(2) })).json()).toEqual({ album_id: id, title: 'N', sort: 'newest', cover_sha256: hashOf(2), query: null });
    // The first move keeps the order that was.
    await patch({ move: { sha256: hashOf(1), to: 'first' } });
    expect(await shown(albumGrid(id, 'own').grid)).toEqual([1, 3, 2]);
    expect((await page('/albums')).text).toContain(`/r/${hashOf(2)}`);
    for (const wrong of [{ title: '' }, { sort: 'x' }, { move: { sha256: 'x', to: 'first' } }, { nothing: 1 }]) expect((await patch(wrong)).status, JSON.stringify(wrong)).toBe(400);
    expect((await patch({ move: { sha256: hashOf(9), to: 'first' } })).status).toBe(404);
    expect((await askAsAgent(`/api/albums/${id}`, { method: 'DELETE' })).status).toBe(200);
    expect((await patch({ title: 'x' })).status).toBe(404);
    expect((await askAsAgent(`/api/albums/${id}/restore`, { method: 'POST' })).status).toBe(200);
    expect((await ask(`/api/albums/${id}`, { method: 'DELETE' })).status).toBe(401);
  });

  it('that a search fills shows what it finds now, and has no order by hand', async () => {
    await seed(3);
    await edit({ description: 'a boat' }, 1, 3);
    const made = await post('/albums', { title: 'Boats', query: 'boat' });
    expect(hashesIn((await page(made.to)).text)).toEqual([3, 1]);
    expect((await page(made.to)).text).toContain('?in=%2Fsearch%3Fq%3Dboat');
    await edit({ description: 'another boat' }, 2);
    expect(hashesIn((await page(made.to)).text)).toEqual([3, 2, 1]);
    expect((await page('/albums/1/arrange')).status).toBe(404);
    expect((await post('/albums/1/sort', { sort: 'own' })).status).toBe(400);
    expect((await page('/albums')).text).toContain('Fills itself');
  });
});

describe('an order by hand', () => {
  it('holds after any moves, whatever stands close, and takes new ones at its end', async () => {
    await seed(9);
    const id = await makeAlbum(env.DB, { title: 'A', query: null, nowMs: NOW });
    await edit({ albums_add: [id] }, 1, 2, 3, 4, 5, 6, 7);
    await setAlbumSort(env.DB, id, 'oldest', 'own');
    const grid = albumGrid(id, 'own').grid;
    let model = await shown(grid);
    expect(model).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const dice = createDice(7);
    // Always into the same gap, which must run out of numbers; then anywhere.
    for (let i = 0; i < 60; i += 1) {
      const [moved = 0, anchor = 0] = i < 30 ? [model[i % 2 === 0 ? 6 : 5], model[1]] : dice.shuffle(model);
      const what = i < 30 ? 'after' : dice.pick(['before', 'after', 'first', 'last'] as const);
      const rest = model.filter((n) => n !== moved);
      const at = what === 'first' ? 0 : what === 'last' ? rest.length : rest.indexOf(anchor) + (what === 'after' ? 1 : 0);
      expect(await moveInAlbum(env.DB, id, hashOf(moved), what === 'before' ? { before: hashOf(anchor) } : what === 'after' ? { after: hashOf(anchor) } : what)).toBe(true);
      model = [...rest.slice(0, at), moved, ...rest.slice(at)];
      if (i % 10 === 9) expect(await shown(grid), `move ${i}`).toEqual(model);
    }
    expect(await shown(grid)).toEqual(model);
    await edit({ albums_add: [id] }, 9, 8);
    expect(await shown(grid)).toEqual([...model, 8, 9]);
    expect(await moveInAlbum(env.DB, id, hashOf(8), 'last')).toBe(true);
    expect(await shown(grid)).toEqual([...model, 9, 8]);
    // What is taken out and put back by an undo stands where it stood.
    const out = await edit({ albums_remove: [id] }, model[2] ?? 0);
    expect(await shown(grid)).toEqual([...model.filter((_, i) => i !== 2), 9, 8]);
    await undoEdit(env.DB, out, NOW);
    expect(await shown(grid)).toEqual([...model, 9, 8]);
    // Another order and back again: found as it was.
    await setAlbumSort(env.DB, id, 'own', 'newest');
    await setAlbumSort(env.DB, id, 'newest', 'own');
    expect(await shown(grid)).toEqual([...model, 9, 8]);
    expect(await moveInAlbum(env.DB, id, hashOf(99), 'first')).toBe(false);
    expect(await moveInAlbum(env.DB, id, hashOf(1), { before: hashOf(99) })).toBe(false);
  });

  it('is made on a page of plain forms', async () => {
    await seed(3);
    const id = await makeAlbum(env.DB, { title: 'A', query: null, nowMs: NOW });
    await edit({ albums_add: [id] }, 1, 2, 3);
    const arrange = (what: string, n: number) => post(`/albums/${id}/arrange`, { do: what, sha256: hashOf(n) });
    expect((await arrange('earlier', 2)).to).toContain(`/albums/${id}/arrange?near=`);
    expect(await shown(albumGrid(id, 'own').grid)).toEqual([2, 1, 3]);
    await arrange('later', 2);
    await arrange('first', 3);
    await arrange('first', 3);
    await arrange('earlier', 3);
    expect(await shown(albumGrid(id, 'own').grid)).toEqual([3, 1, 2]);
    const taken = await arrange('take', 1);
    const after = await page(taken.to);
    expect(after.text).toContain('Taken out of the album.');
    const undo = /action="(\/edits\/\d+\/undo)"/.exec(after.text)?.[1] ?? '';
    expect((await post(undo, { back: `/albums/${id}/arrange` })).to).toBe(`/albums/${id}/arrange`);
    expect((await post(undo, { back: 'https://evil.example/' })).to).toBe('/edits?done=undone');
    expect(await shown(albumGrid(id, 'own').grid)).toEqual([3, 1, 2]);
    for (const [what, n] of [['sideways', 1], ['first', 9], ['earlier', 9]] as const) expect((await arrange(what, n)).status).toBeGreaterThanOrEqual(400);
    expect((await post(`/albums/${id}/arrange`, { do: 'first', sha256: 'x' })).status).toBe(400);
  });
});

describe('what is kept apart', () => {
  it('stands in grids of its own, newest first, a stack once', async () => {
    await seed(5, [], (i) => (i < 4 ? ['sea', i === 2 ? 'sky' : 'sea'] : []));
    await edit({ favourite: true }, 1, 4);
    await edit({ archived: true }, 2, 4);
    expect([await shown({ kind: 'favourites' }), await shown({ kind: 'archive' }), await shown({ kind: 'tag', tag: 'sea' }), await shown({ kind: 'tag', tag: 'sky' })]).toEqual([[4, 1], [4, 2], [3, 2, 1], [2]]);
    expect(hashesIn((await page('/favourites')).text)).toEqual([4, 1]);
    expect((await page('/archive')).text).toContain('kept out of the timeline');
    expect(hashesIn((await page('/')).text)).not.toContain(4);
    const undo = await edit({ tags_add: ['sky'], tags_remove: ['sea'] }, 1, 3);
    expect(await listTags(env.DB, '', 10)).toEqual([{ tag: 'sea', count: 1 }, { tag: 'sky', count: 3 }]);
    await undoEdit(env.DB, undo, NOW);
    expect(await listTags(env.DB, '', 10)).toEqual([{ tag: 'sea', count: 3 }, { tag: 'sky', count: 1 }]);
    // 3 is an edited version of 1: it stands there as the original.
    await send({ stacks: [{ member_sha256: hashOf(3), primary_sha256: hashOf(1), type: 'edited', basis: 'name', revision: 1, removed: false }] });
    expect(await shown({ kind: 'tag', tag: 'sea' })).toEqual([2, 1]);
    // With its own time, wherever that is moved to; and as itself again.
    await edit({ taken_at: '2025-01-01T00:00:00' }, 1);
    expect(await shown({ kind: 'tag', tag: 'sea' })).toEqual([1, 2]);
    await edit({ tags_remove: ['sea'] }, 1);
    expect(await shown({ kind: 'tag', tag: 'sea' })).toEqual([1, 2]);
    await send({ stacks: [{ member_sha256: hashOf(3), primary_sha256: hashOf(1), type: 'edited', basis: 'name', revision: 2, removed: true }] });
    expect(await shown({ kind: 'tag', tag: 'sea' })).toEqual([3, 2]);
    await send({ stacks: [{ member_sha256: hashOf(3), primary_sha256: hashOf(1), type: 'edited', basis: 'name', revision: 3, removed: false }] });
    expect((await page('/tags/sea')).text).toContain('badge-stack');
    expect((await page('/tags/none')).status).toBe(404);
  });

  it('says in words that there is nothing', async () => {
    for (const [path, words] of [['/favourites', 'Press the heart'], ['/archive', 'Nothing is archived'], ['/tags', 'No tag yet'], ['/albums', 'No album yet']] as const) expect((await page(path)).text, path).toContain(words);
  });

  it('has addresses that no name breaks', async () => {
    await seed(HOSTILE.length, HOSTILE.map((name, i) => `DCIM/${name}/${i}.jpg`), (i) => [HOSTILE[i - 1] ?? '']);
    for (const [i, name] of HOSTILE.entries()) {
      for (const address of [tagAddress(name), folderAddress(VOLUME, `DCIM/${name}`)]) {
        expect(readGrid(new URL(address, 'http://x/').pathname)?.address, address).toBe(address);
        const { status, text } = await page(address);
        expect([status, hashesIn(text)], address).toEqual([200, [i + 1]]);
        expect(text).not.toContain('<script>alert');
      }
    }
    for (const path of ['/tags/%FF', '/tags/', '/volumes/%FF/folders/x', `/volumes/${VOLUME}/folders/a%2Fb`, `/volumes/${VOLUME}/folders//x`, '/volumes/none/folders']) expect((await page(path)).status, path).toBe(404);
  });
});

describe('a folder of a drive', () => {
  it('shows what lies directly inside and its subfolders, away or not, without what is missing', async () => {
    await seed(8, ['DCIM/a.jpg', 'DCIM/b.jpg', 'DCIM/sub/c.jpg', 'DCIM/sub/deep/d.jpg', 'DCIM-1/e.jpg', 'DCIM/sub-2/f.jpg', 'DCIM0/g.jpg', 'top.jpg']);
    await send({ evidence: [evidence('DCIM/a.jpg')] });
    const folder = (path: string): Grid => ({ kind: 'folder', volume_id: VOLUME, path });
    expect([await shown(folder('DCIM')), await shown(folder('')), await shown(folder('DCIM/sub')), await shown(folder('DCI')), await shown(folder('DCIM/a.jpg'))]).toEqual([[2, 1], [8], [3], [], []]);
    expect((await listSubfolders(env.DB, VOLUME, '', undefined, 10)).map((sub) => [sub.name, numberOf(sub.sha256 ?? '0')])).toEqual([['DCIM-1', 5], ['DCIM', 1], ['DCIM0', 7]]);
    expect((await listSubfolders(env.DB, VOLUME, 'DCIM', undefined, 1)).map((sub) => sub.name)).toEqual(['sub-2']);
    expect((await listSubfolders(env.DB, VOLUME, 'DCIM', 'sub-2', 10)).map((sub) => sub.name)).toEqual(['sub']);
    const { text } = await page(folderAddress(VOLUME, 'DCIM'));
    expect(text).toContain('2 photos and videos in this folder. ‘Blue SSD’ is away; this is how it was.');
    expect(text).toContain(`href="${folderAddress(VOLUME, 'DCIM/sub')}"`);
    expect((await page(`${folderAddress(VOLUME, 'DCIM/sub')}/`)).text).toContain(`href="${folderAddress(VOLUME, 'DCIM')}"`);
    await env.DB.prepare("UPDATE locations SET missing_since_ms = 1 WHERE path = 'DCIM/a.jpg'").run();
    expect(await shown(folder('DCIM'))).toEqual([2]);
    expect((await page(folderAddress(VOLUME, 'DCIM'))).text).toContain('1 more file was not found at the last scan.');
    expect((await page(folderAddress(VOLUME, 'Nowhere'))).status).toBe(404);
    await send({ scans: [scan()] });
    expect((await page('/drives')).status).toBe(200);
  });
});
