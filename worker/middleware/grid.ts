// Grids (places, albums) as addresses name them: pieces for their pages, and neighbours for the viewer. Not a middleware of its own.
import { PIECE_TILES } from '../../protocol/limits.ts';
import { albumAddress, placeAddress, readPlaceSegment } from '../../views/parts/addresses.ts';
import type { Piece } from '../../views/timeline.tsx';
import { BadRequest } from '../errors.tsx';
import { gridCursor, gridStart, listGrid, type Grid } from '../store/grids.ts';
import { cursorAfter, cursorText, cutPiece, findTile, listNewer, listOlder, parseCursor, type Tile } from '../store/timeline.ts';

/** So many tiles before the one a reader comes back to are shown with it, so that it does not stand at the very top. */
const NEAR_TILES = 40;

/** The grid that a path names, with the path as we write it; undefined for any other. */
export function readGrid(path: string): { grid: Grid; address: string } | undefined {
  const album = /^\/albums\/(\d{1,15})$/.exec(path);
  if (album) return { grid: { kind: 'album', album_id: Number(album[1]) }, address: albumAddress(Number(album[1])) };
  const place = /^\/places\/([A-Z]{2})\/([^/]+)\/([^/]+)$/.exec(path);
  if (!place) return undefined;
  const [country, region, city] = place.slice(1).map(decode);
  if (typeof country !== 'string' || region === undefined || city === undefined) return undefined;
  return { grid: { kind: 'place', country_code: country, region, city }, address: placeAddress(country, region, city) };
}

/** A path's segment as a name; undefined where it is not even UTF-8. */
function decode(segment: string): string | null | undefined {
  try { return readPlaceSegment(decodeURIComponent(segment)); } catch { return undefined; }
}

/** A piece of the grid: what follows or is before a cursor, from a tile on, or the first. */
export async function loadGridPiece(db: D1Database, { grid, address }: { grid: Grid; address: string }, at: { from?: string | undefined; until?: string | undefined; near?: string | undefined }): Promise<Piece> {
  const key = (tile: Tile) => cursorText(gridCursor(grid, tile));
  if (at.until !== undefined) {
    const { tiles, more } = cutPiece(await listGrid(db, grid, readCursor(at.until), 'preceding', PIECE_TILES + 1), PIECE_TILES, 'newer');
    const [first, last] = [tiles[0], tiles.at(-1)];
    return { tiles, inside: address, newer: more && first ? `${address}?until=${key(first)}` : null, older: last ? `${address}?from=${key(last)}` : null };
  }
  const near = at.near === undefined || at.from !== undefined ? undefined : await findTile(db, at.near);
  const ahead = near ? await listGrid(db, grid, gridCursor(grid, near), 'preceding', NEAR_TILES) : [];
  // Few enough before it: then the grid simply begins at its start.
  const start = at.from !== undefined ? readCursor(at.from) : ahead.length === NEAR_TILES && ahead[0] ? gridCursor(grid, ahead[0]) : undefined;
  const { tiles, more } = cutPiece(await listGrid(db, grid, start ?? gridStart(grid), 'following', PIECE_TILES + 1), PIECE_TILES, 'older');
  const [first, last] = [tiles[0], tiles.at(-1)];
  const before = start !== undefined && first ? await listGrid(db, grid, gridCursor(grid, first), 'preceding', 1) : [];
  return {
    tiles, inside: address,
    newer: before.length > 0 && first ? `${address}?until=${key(first)}` : null, older: more && last ? `${address}?from=${key(last)}` : null,
  };
}

/** The nearest tiles on both sides, as they stand in the grid; the timeline where there is none. */
export async function loadNeighbours(db: D1Database, tile: Pick<Tile, 'sort_ms' | 'asset_id'>, inside: Grid | undefined, count: number): Promise<{ before: Tile[]; behind: Tile[] }> {
  const cursor = inside ? gridCursor(inside, tile) : cursorAfter(tile);
  const [before, behind] = await Promise.all(inside
    ? [listGrid(db, inside, cursor, 'preceding', count), listGrid(db, inside, cursor, 'following', count)]
    : [listNewer(db, cursor, count), listOlder(db, cursor, count)]);
  return { before, behind };
}

function readCursor(text: string) {
  const cursor = parseCursor(text);
  if (!cursor) throw new BadRequest('This address names no place in the grid.');
  return cursor;
}
