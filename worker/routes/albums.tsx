// `/albums`: the albums that came with an export, and the grid of one, oldest first.
import { Hono } from 'hono';
import { AlbumsPage } from '../../views/albums.tsx';
import { GridPage } from '../../views/grid.tsx';
import { albumAddress } from '../../views/parts/addresses.ts';
import { sayCount } from '../../views/parts/words.ts';
import type { App } from '../env.ts';
import { NotFound } from '../errors.tsx';
import { loadGridPiece } from '../middleware/grid.ts';
import { loadFrame, sendPage } from '../middleware/page.tsx';
import { countAlbum, findAlbumTitle, listAlbums } from '../store/album-pages.ts';

/** Covers on a page: counting them looks at every photo inside. */
const ALBUMS_SHOWN = 60;

export const albums = new Hono<App>();

albums.get('/albums', async (c) => {
  const after = { title: c.req.query('title') ?? '', albumId: Number(c.req.query('id') ?? 0) || 0 };
  const [frame, page] = await Promise.all([loadFrame(c), listAlbums(c.env.DB, after, ALBUMS_SHOWN)]);
  const next = page.next ? `/albums?${new URLSearchParams({ title: page.next.title, id: String(page.next.albumId) }).toString()}` : null;
  return sendPage(c, <AlbumsPage frame={frame} albums={page.albums} next={next} first={after.title === '' && next === null} />);
});

albums.get('/albums/:id{[0-9]{1,15}}', async (c) => {
  const id = Number(c.req.param('id'));
  const title = await findAlbumTitle(c.env.DB, id);
  if (title === undefined) throw new NotFound('There is no such album.');
  const at = { grid: { kind: 'album', album_id: id } as const, address: albumAddress(id) };
  const piece = await loadGridPiece(c.env.DB, at, { from: c.req.query('from'), until: c.req.query('until'), near: c.req.query('near') });
  const [frame, count] = await Promise.all([loadFrame(c), countAlbum(c.env.DB, id)]);
  return sendPage(c, <GridPage frame={frame} section="albums" title={title} lead={sayCount(count, 'photo or video', 'photos and videos')} crumbs={[{ href: '/albums', label: 'Albums' }]} piece={piece} empty="Nothing of this album is in the library any more." />);
});
