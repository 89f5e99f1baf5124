// `/map`: the map of the world, its clusters, the newest of a view, and the grid of a box.
import { Hono } from 'hono';
import { LAND_FINE_URL, LAND_URL, MAP_SCRIPT_URL, MAP_STYLE_URL } from '../../.build/static.ts';
import { MAX_ZOOM, MIN_ZOOM, readBox, type Box, type ClustersAnswer } from '../../protocol/map.ts';
import { tileOrigin } from '../../protocol/tile-url.ts';
import { GridPage } from '../../views/grid.tsx';
import { MapPage, MapPhotos } from '../../views/map.tsx';
import { boxAddress } from '../../views/parts/addresses.ts';
import { sayThings } from '../../views/parts/words.ts';
import type { App } from '../env.ts';
import { BadRequest, NotFound } from '../errors.tsx';
import { loadGridPiece, readGrid } from '../middleware/grid.ts';
import { loadFrame, readWhere, sendFragment, sendPage, type PageContext } from '../middleware/page.tsx';
import { countGrid } from '../store/grids.ts';
import { listNewestInBox, readMapView, readWhole } from '../store/map.ts';
import { refreshSquares } from '../store/map-squares.ts';
import { readTiles } from '../store/map-tiles.ts';

/** Photos beside the map; the rest of the view is a grid of its own. */
const PHOTOS = 100;
/** What is not counted yet is, for so long, before an answer. */
const REFRESH_MS = 250;

export const map = new Hono<App>();

map.get('/map', async (c) => {
  const [frame, tiles, counted] = await Promise.all([loadFrame(c), readTiles(c.env.DB), refreshSquares(c.env.DB, REFRESH_MS)]);
  if (tiles !== null) c.set('imageOrigin', tileOrigin(tiles));
  const whole = await readWhole(c.env.DB);
  return sendPage(c, <MapPage frame={frame} any={whole !== undefined || !counted} whole={whole?.box} tiles={tiles} scriptUrl={MAP_SCRIPT_URL} styleUrl={MAP_STYLE_URL} landUrl={LAND_URL} landFineUrl={LAND_FINE_URL} />);
});

map.get('/map/clusters', async (c) => {
  const { box, zoom } = readView(c);
  const counted = await refreshSquares(c.env.DB, REFRESH_MS);
  const { clusters, total } = await readMapView(c.env.DB, box, zoom);
  return c.json({ clusters, total, waiting: !counted } satisfies ClustersAnswer);
});

map.get('/map/photos', async (c) => {
  const { box, zoom } = readView(c);
  const { tiles, inView } = await listNewestInBox(c.env.DB, box, zoom, PHOTOS);
  return sendFragment(c, <MapPhotos tiles={tiles} address={boxAddress(box)} count={inView.count} exact={inView.exact} />);
});

map.get('/map/box/:box', async (c) => {
  const at = readGrid(new URL(c.req.url).pathname);
  if (at?.grid.kind !== 'box') throw new BadRequest('A part of the map is named by its west, south, east and north in degrees, as in /map/box/9.5,44,9.8,44.3.');
  const piece = await loadGridPiece(c.env.DB, at, readWhere(c));
  const [frame, count] = await Promise.all([loadFrame(c), countGrid(c.env.DB, at.grid)]);
  if (count === 0) throw new NotFound('No photo was taken in this part of the map.');
  return sendPage(c, <GridPage frame={frame} section="places" title="Part of the map" lead={sayThings(count)} crumbs={[{ href: '/places', label: 'Places' }, { href: mapOf(at.grid.box), label: 'Map' }]} piece={piece} empty="Nothing more here." />);
});

function mapOf(box: Box): string {
  return `/map?box=${boxAddress(box).split('/').at(-1) ?? ''}`;
}

function readView(c: PageContext): { box: Box; zoom: number } {
  const box = readBox([c.req.query('w'), c.req.query('s'), c.req.query('e'), c.req.query('n')]);
  if (!box) throw new BadRequest('A view has a west, south, east and north in degrees (w, s, e, n), south not above north.');
  const typed = c.req.query('zoom') ?? '';
  const zoom = Number(typed);
  if (!/^\d{1,2}(\.\d{1,6})?$/.test(typed) || zoom < MIN_ZOOM || zoom > MAX_ZOOM) throw new BadRequest(`A view has a zoom from ${MIN_ZOOM} to ${MAX_ZOOM}.`);
  return { box, zoom };
}
