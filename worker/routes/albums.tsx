// `/albums`: all albums, one of them as a grid in its order, and what the owner does with it; the same in JSON.
import { Hono } from 'hono';
import * as z from 'zod';
import { MAX_QUERY_CHARS, type SearchSort } from '../../protocol/search.ts';
import { AlbumSort, Sha256 } from '../../protocol/words.ts';
import { Originals, type OriginalsFacts } from '../../views/copies.tsx';
import { AlbumPage, AlbumsPage, ArrangePage, AwayAlbumPage, type Refused } from '../../views/albums.tsx';
import { tileId } from '../../views/timeline.tsx';
import { albumAddress, withQuery } from '../../views/parts/addresses.ts';
import type { App } from '../env.ts';
import { BadRequest, NotFound } from '../errors.tsx';
import { readJson } from '../middleware/body.ts';
import { findBy, loadFoundPiece } from '../middleware/found.ts';
import { albumGrid, loadGridPiece } from '../middleware/grid.ts';
import { loadKnownDrives, sumOriginals } from '../middleware/known-drives.ts';
import { loadFrame, readForm, readWhere, sendBack, sendFragment, sendPage, type PageContext } from '../middleware/page.tsx';
import { tellLibrary } from '../middleware/tell.ts';
import { requireOwner } from '../middleware/token.ts';
import { runSearch } from '../search/search.ts';
import { findAlbum, listAlbumNames, makeAlbum, readTitle, renameAlbum, setAlbumRemoved, setCover, type Album } from '../store/albums.ts';
import { moveInAlbum, setAlbumSort, type MoveTo } from '../store/album-order.ts';
import { listAlbums } from '../store/album-pages.ts';
import { listAlbumOriginals, ORIGINALS_COUNTED } from '../store/copies.ts';
import { applyCorrection, findEdit } from '../store/corrections.ts';
import { countGrid, findGridCursor, listGrid } from '../store/grids.ts';
import { listTags } from '../store/tag-pages.ts';
import { findTile } from '../store/timeline.ts';
import { forgetNames } from '../store/vocabulary.ts';

/** Covers on a page: counting them looks at every photo inside. */
const ALBUMS_SHOWN = 60;
const TAGS_COUNTED = 500;
/** A name and a search, in any script. */
const MAX_ALBUM_BYTES = 20_000;
const MAX_QUERY_TYPED = 2 * MAX_QUERY_CHARS;

const NewAlbum = z.object({ title: z.string(), query: z.string().max(MAX_QUERY_TYPED).nullish() });
const AlbumPatch = z.object({
  title: z.string(), sort: AlbumSort, cover_sha256: Sha256.nullable(),
  /** In the owner's order, which the album then has. */
  move: z.object({ sha256: Sha256, to: z.enum(['first', 'last']).or(z.object({ before: Sha256 })).or(z.object({ after: Sha256 })) }),
}).partial().strict();

const DONE: Record<string, string> = { name: 'Renamed.', sort: 'The order is changed.', restored: 'The album is back.', made: 'The album is made.', moved: 'Moved.', cover: 'That is the cover now.' };

export const albums = new Hono<App>();
albums.use('/api/albums', requireOwner);
albums.use('/api/albums/*', requireOwner);

albums.get('/api/albums', async (c) => c.json({ albums: await listAlbumNames(c.env.DB) }));

albums.post('/api/albums', async (c) => {
  const { title, query } = await readBody(c, NewAlbum);
  const named = readTitle(title);
  if (!named.ok) throw new BadRequest(named.wrong);
  return c.json({ album_id: await make(c, named.title, query?.trim() || null) });
});

albums.patch('/api/albums/:id', async (c) => {
  const album = await needAlbum(c);
  const patch = await readBody(c, AlbumPatch);
  if (patch.title !== undefined) {
    const named = readTitle(patch.title);
    if (!named.ok) throw new BadRequest(named.wrong);
    await renameAlbum(c.env.DB, album.album_id, named.title, Date.now());
  }
  if (patch.sort !== undefined) await changeSort(c, album, patch.sort);
  if (patch.cover_sha256 !== undefined) await setCover(c.env.DB, album.album_id, patch.cover_sha256);
  if (patch.move) await move(c, album, patch.move.sha256, patch.move.to);
  await tell(c);
  const { album_id, title, sort, cover_sha256, query } = await needAlbum(c);
  return c.json({ album_id, title, sort, cover_sha256, query });
});

for (const [path, removed] of [['/api/albums/:id', true], ['/api/albums/:id/restore', false]] as const) {
  albums.on(removed ? 'DELETE' : 'POST', path, async (c) => {
    const album = await needAlbum(c, { away: true });
    await setAlbumRemoved(c.env.DB, album.album_id, removed, Date.now());
    await tell(c);
    return c.json({ album_id: album.album_id, removed });
  });
}

albums.get('/albums', (c) => sendAlbums(c));

albums.post('/albums', async (c) => {
  const form = await readForm(c);
  const [title, query] = [form['title'] ?? '', (form['query'] ?? '').trim()];
  const named = readTitle(title);
  const wrong = !named.ok ? named.wrong : query.length > MAX_QUERY_TYPED ? `A search has at most ${MAX_QUERY_TYPED} characters.` : undefined;
  if (wrong !== undefined || !named.ok) return sendAlbums(c, { title, query, wrong: wrong ?? '' });
  return sendBack(c, withQuery(albumAddress(await make(c, named.title, query || null)), { done: 'made' }));
});

albums.get('/albums/:id{[0-9]{1,15}}', (c) => sendAlbum(c));
albums.get('/albums/:id{[0-9]{1,15}}/:sort{newest|own}', (c) => sendAlbum(c));

albums.post('/albums/:id{[0-9]{1,15}}/name', async (c) => {
  const album = await needAlbum(c);
  const title = (await readForm(c))['title'] ?? '';
  const named = readTitle(title);
  if (!named.ok) return sendAlbum(c, { title, wrong: named.wrong });
  await renameAlbum(c.env.DB, album.album_id, named.title, Date.now());
  await tell(c);
  return sendBack(c, withQuery(addressOf(album), { done: 'name' }));
});

albums.post('/albums/:id{[0-9]{1,15}}/sort', async (c) => {
  const album = await needAlbum(c);
  const sort = AlbumSort.safeParse((await readForm(c))['sort']);
  if (!sort.success) throw new BadRequest('An album is in one of three orders: oldest, newest, own.');
  await changeSort(c, album, sort.data);
  return sendBack(c, withQuery(addressOf({ ...album, sort: sort.data }), { done: 'sort' }));
});

albums.post('/albums/:id{[0-9]{1,15}}/remove', async (c) => {
  const album = await needAlbum(c);
  await setAlbumRemoved(c.env.DB, album.album_id, true, Date.now());
  await tell(c);
  return sendBack(c, withQuery('/albums', { removed: album.album_id }));
});

albums.post('/albums/:id{[0-9]{1,15}}/restore', async (c) => {
  const album = await needAlbum(c, { away: true });
  await setAlbumRemoved(c.env.DB, album.album_id, false, Date.now());
  await tell(c);
  return sendBack(c, withQuery(addressOf(album), { done: 'restored' }));
});

/** The line that says what is connected, anew. */
albums.get('/albums/:id{[0-9]{1,15}}/originals', async (c) => sendFragment(c, <Originals originals={await loadOriginals(c, await needAlbum(c))} />));

albums.get('/albums/:id{[0-9]{1,15}}/arrange', async (c) => {
  const album = await needAlbum(c);
  if (album.query !== null) throw new NotFound('An album that a search fills has no order of its own.');
  const { grid } = albumGrid(album.album_id, album.sort);
  const page = await loadGridPiece(c.env.DB, { grid, address: `${albumAddress(album.album_id)}/arrange` }, readWhere(c));
  const edit = await findEdit(c.env.DB, Number(c.req.query('taken') ?? 0) || 0);
  return sendPage(c, <ArrangePage frame={await loadFrame(c)} album={album} tiles={page.tiles} newer={page.newer} older={page.older} said={DONE[c.req.query('done') ?? '']} undo={edit?.undone_at_ms === null ? edit.edit_id : undefined} />);
});

albums.post('/albums/:id{[0-9]{1,15}}/arrange', async (c) => {
  const album = await needAlbum(c);
  const form = await readForm(c);
  const sha256 = Sha256.safeParse(form['sha256']);
  if (!sha256.success) throw new BadRequest('Say which photo.');
  const back = `${albumAddress(album.album_id)}/arrange`;
  const at = (more: Record<string, string | number>) => sendBack(c, `${withQuery(back, { near: sha256.data, ...more })}#${tileId(sha256.data)}`);
  const what = form['do'] ?? '';
  if (what === 'cover') {
    await setCover(c.env.DB, album.album_id, sha256.data);
    return at({ done: 'cover' });
  }
  if (what === 'take') {
    const done = await applyCorrection(c.env.DB, { scope: { kind: 'assets', sha256s: [sha256.data] }, change: { albums_remove: [album.album_id] }, summary: `Taken out of ‘${album.title}’`, nowMs: Date.now() });
    await tell(c);
    return sendBack(c, withQuery(back, done.kind === 'done' ? { taken: done.editId } : {}));
  }
  const to = what === 'first' || what === 'last' ? what : what === 'earlier' || what === 'later' ? await besideTile(c, album, sha256.data, what) : undefined;
  if (to === undefined) throw new BadRequest('A photo is moved to the beginning, earlier, later, or to the end.');
  // At the end already: nothing to do.
  if (to !== null) await move(c, album, sha256.data, to);
  return at({ done: 'moved' });
});

/** Where one step earlier or later is; null at the very end. */
async function besideTile(c: PageContext, album: Album, sha256: string, what: 'earlier' | 'later'): Promise<MoveTo | null> {
  const tile = await findTile(c.env.DB, sha256);
  if (!tile) throw new NotFound('It does not lie in this album.');
  const { grid } = albumGrid(album.album_id, album.sort);
  const beside = (await listGrid(c.env.DB, grid, await findGridCursor(c.env.DB, grid, tile), what === 'earlier' ? 'preceding' : 'following', 1))[0];
  if (!beside) return null;
  return what === 'earlier' ? { before: beside.sha256 } : { after: beside.sha256 };
}

async function move(c: PageContext, album: Album, sha256: string, to: MoveTo): Promise<void> {
  await changeSort(c, album, 'own');
  if (!(await moveInAlbum(c.env.DB, album.album_id, sha256, to))) throw new NotFound('It does not lie in this album.');
}

async function changeSort(c: PageContext, album: Album, sort: AlbumSort): Promise<void> {
  if (sort === 'own' && album.query !== null) throw new BadRequest('An album that a search fills has no order of its own.');
  await setAlbumSort(c.env.DB, album.album_id, album.sort, sort);
}

async function make(c: PageContext, title: string, query: string | null): Promise<number> {
  const albumId = await makeAlbum(c.env.DB, { title, query, nowMs: Date.now() });
  if (query !== null) {
    const found = await runSearch(c.env, { text: query, sort: 'relevance', weaker: false, offset: 0, limit: 1, nowMs: Date.now() });
    const best = found.results[0];
    if (best) await setCover(c.env.DB, albumId, best.sha256);
  }
  await tell(c);
  return albumId;
}

async function sendAlbums(c: PageContext, refused?: Refused): Promise<Response> {
  const after = { title: c.req.query('title') ?? '', albumId: Number(c.req.query('id') ?? 0) || 0 };
  const removedId = Number(c.req.query('removed') ?? 0) || 0;
  const [frame, page, favourites, archive, tags, removed] = await Promise.all([
    loadFrame(c), listAlbums(c.env.DB, after, ALBUMS_SHOWN), countGrid(c.env.DB, { kind: 'favourites' }), countGrid(c.env.DB, { kind: 'archive' }), listTags(c.env.DB, '', TAGS_COUNTED + 1),
    removedId > 0 ? findAlbum(c.env.DB, removedId) : undefined,
  ]);
  const next = page.next ? withQuery('/albums', { title: page.next.title, id: page.next.albumId }) : null;
  const counts = { favourites, archive, tags: Math.min(tags.length, TAGS_COUNTED), moreTags: tags.length > TAGS_COUNTED };
  return sendPage(c, <AlbumsPage frame={frame} albums={page.albums} next={next} first={after.title === ''} counts={counts} refused={refused} removed={removed && removed.removed_at_ms !== null ? removed : undefined} />, refused ? 422 : 200);
}

async function sendAlbum(c: PageContext, refused?: { title: string; wrong: string }): Promise<Response> {
  const album = await needAlbum(c, { away: true });
  if (album.removed_at_ms !== null) return sendPage(c, <AwayAlbumPage frame={await loadFrame(c)} album={album} />);
  // One address an order: it is what names the grid.
  const address = addressOf(album);
  const url = new URL(c.req.url);
  if (c.req.method === 'GET' && url.pathname !== address) return c.redirect(`${address}${url.search}`, 302);
  const status = refused ? 422 : 200;
  const said = DONE[c.req.query('done') ?? ''];
  if (album.query !== null) return sendSmart(c, album, album.query, { said, refused, status });
  const at = albumGrid(album.album_id, album.sort);
  const piece = await loadGridPiece(c.env.DB, at, readWhere(c));
  const [frame, count, originals] = await Promise.all([loadFrame(c), countGrid(c.env.DB, at.grid), loadOriginals(c, album)]);
  return sendPage(c, <AlbumPage frame={frame} album={album} count={count} piece={piece} originals={originals} said={said} refused={refused} />, status);
}

async function loadOriginals(c: PageContext, album: Album): Promise<OriginalsFacts> {
  const [originals, drives] = await Promise.all([listAlbumOriginals(c.env.DB, album.album_id), loadKnownDrives(c)]);
  return sumOriginals(originals, drives, originals.reduce((sum, { assets }) => sum + assets, 0) >= ORIGINALS_COUNTED);
}

/** A smart album is its search: the grid, and the viewer in it, are the search's own. */
async function sendSmart(c: PageContext, album: Album, query: string, more: { said: string | undefined; refused: { title: string; wrong: string } | undefined; status: 200 | 422 }): Promise<Response> {
  const sort: SearchSort = album.sort === 'oldest' ? 'oldest' : 'newest';
  const { answer, piece } = await loadFoundPiece(c.env, findBy(query, sort, null), readWhere(c));
  return sendPage(c, <AlbumPage frame={await loadFrame(c)} album={album} count={answer.total} piece={piece} said={more.said} refused={more.refused} />, more.status);
}

function addressOf(album: Album): string {
  return albumAddress(album.album_id, album.query === null ? album.sort : 'oldest');
}

async function needAlbum(c: PageContext, { away = false } = {}): Promise<Album> {
  const id = c.req.param('id') ?? '';
  const album = /^\d{1,15}$/.test(id) ? await findAlbum(c.env.DB, Number(id)) : undefined;
  if (!album || (album.removed_at_ms !== null && !away)) throw new NotFound('There is no such album.');
  return album;
}

async function tell(c: PageContext): Promise<void> {
  forgetNames();
  await tellLibrary(c);
}

async function readBody<T>(c: PageContext, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJson(c.req.raw, MAX_ALBUM_BYTES));
  if (!parsed.success) throw new BadRequest(`This album cannot be read: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}.`);
  return parsed.data;
}
