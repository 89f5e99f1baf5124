// Grids (places, albums) as addresses name them: pieces for their pages, and neighbours for the viewer. Not a middleware of its own.
import { NEAR_TILES, PIECE_TILES } from '../../protocol/limits.ts';
import { readBox } from '../../protocol/map.ts';
import type { AlbumSort } from '../../protocol/words.ts';
import { albumAddress, BOX_PATH, boxAddress, copiesAddress, folderAddress, placeAddress, readPlaceSegment, tagAddress } from '../../views/parts/addresses.ts';
import type { Piece } from '../../views/timeline.tsx';
import { BadRequest } from '../errors.tsx';
import { DAY_MS } from '../store/asset-copies.ts';
import { staleDay } from '../store/copies.ts';
import { albumKind, findGridCursor, gridStart, listGrid, setOf, type Grid } from '../store/grids.ts';
import { cursorAfter, cursorText, cutPiece, findTile, listNewer, listOlder, parseCursor, type Tile } from '../store/timeline.ts';
import type { Where } from './page.tsx';

/** The grid that a path names, with the path as we write it; undefined for any other. */
export function readGrid(path: string): { grid: Grid; address: string } | undefined {
  const album = /^\/albums\/(\d{1,15})(?:\/(newest|own))?$/.exec(path);
  if (album) return albumGrid(Number(album[1]), (album[2] as AlbumSort | undefined) ?? 'oldest');
  if (path === '/favourites' || path === '/archive') return { grid: { kind: path === '/archive' ? 'archive' : 'favourites' }, address: path };
  const tag = decode(/^\/tags\/([^/]+)$/.exec(path)?.[1] ?? '~');
  if (typeof tag === 'string') return { grid: { kind: 'tag', tag }, address: tagAddress(tag) };
  const folder = /^\/volumes\/([^/]+)\/folders((?:\/[^/]+)*)$/.exec(path);
  if (folder) {
    const [volume, ...names] = [folder[1] ?? '', ...(folder[2] ?? '').split('/').slice(1)].map(decode);
    // A name with a slash in it is no name of a folder.
    if (typeof volume !== 'string' || !names.every((name) => typeof name === 'string' && name !== '' && !name.includes('/'))) return undefined;
    return { grid: { kind: 'folder', volume_id: volume, path: names.join('/') }, address: folderAddress(volume, names.join('/')) };
  }
  const copies = path.startsWith('/copies/') ? readCopies(path) : undefined;
  if (copies) return copies;
  const box = path.startsWith(BOX_PATH) ? readBox(path.slice(BOX_PATH.length).split(',')) : undefined;
  if (box) return { grid: { kind: 'box', box }, address: boxAddress(box) };
  const place = /^\/places\/([A-Z]{2})\/([^/]+)\/([^/]+)$/.exec(path);
  if (!place) return undefined;
  const [country, region, city] = place.slice(1).map(decode);
  if (typeof country !== 'string' || region === undefined || city === undefined) return undefined;
  return { grid: { kind: 'place', country_code: country, region, city }, address: placeAddress(country, region, city) };
}

/** The lists of `/copies` that are grids by safety, which is each one's place here. */
const SAFETIES = ['nowhere', 'one', 'together'] as const;
function readCopies(path: string): { grid: Grid; address: string } | undefined {
  const [list = '', drive] = path.slice('/copies/'.length).split('/', 3);
  if (drive !== undefined) {
    const volume = decode(drive);
    return list === 'one' && typeof volume === 'string' && volume !== '' ? { grid: { kind: 'copies-only', volume_id: volume }, address: copiesAddress('one', volume) } : undefined;
  }
  if (list === 'unverified') return { grid: { kind: 'copies-stale', before_ms: staleDay(Date.now()) * DAY_MS }, address: copiesAddress(list) };
  const safety = SAFETIES.findIndex((each) => each === list);
  return safety < 0 ? undefined : { grid: { kind: 'copies', safety }, address: copiesAddress(SAFETIES[safety] ?? 'one') };
}

/** An album's grid in an order. */
export function albumGrid(albumId: number, sort: AlbumSort): { grid: Grid; address: string } {
  return { grid: { kind: albumKind(sort), album_id: albumId }, address: albumAddress(albumId, sort) };
}

/** A path's segment as a name; undefined where it is not even UTF-8. */
function decode(segment: string): string | null | undefined {
  try { return readPlaceSegment(decodeURIComponent(segment)); } catch { return undefined; }
}

/** A piece of the grid: what follows or is before a cursor, from a tile on, or the first. */
export async function loadGridPiece(db: D1Database, { grid, address }: { grid: Grid; address: string }, at: Where): Promise<Piece> {
  const key = async (tile: Tile) => cursorText(await findGridCursor(db, grid, tile));
  const as = { inside: address, flat: setOf(grid.kind).by === 'none' };
  if (at.until !== undefined) {
    const { tiles, more } = cutPiece(await listGrid(db, grid, readCursor(at.until), 'preceding', PIECE_TILES + 1), PIECE_TILES, 'newer');
    const [first, last] = [tiles[0], tiles.at(-1)];
    return { tiles, ...as, newer: more && first ? `${address}?until=${await key(first)}` : null, older: last ? `${address}?from=${await key(last)}` : null };
  }
  const near = at.near === undefined || at.from !== undefined ? undefined : await findTile(db, at.near);
  const ahead = near ? await listGrid(db, grid, await findGridCursor(db, grid, near), 'preceding', NEAR_TILES) : [];
  // Few enough before it: then the grid simply begins at its start.
  const start = at.from !== undefined ? readCursor(at.from) : ahead.length === NEAR_TILES && ahead[0] ? await findGridCursor(db, grid, ahead[0]) : undefined;
  const { tiles, more } = cutPiece(await listGrid(db, grid, start ?? gridStart(grid), 'following', PIECE_TILES + 1), PIECE_TILES, 'older');
  const [first, last] = [tiles[0], tiles.at(-1)];
  const before = start !== undefined && first ? await listGrid(db, grid, await findGridCursor(db, grid, first), 'preceding', 1) : [];
  return {
    tiles, ...as,
    newer: before.length > 0 && first ? `${address}?until=${await key(first)}` : null, older: more && last ? `${address}?from=${await key(last)}` : null,
  };
}

/** The nearest tiles on both sides, as they stand in the grid; the timeline where there is none. */
export async function loadNeighbours(db: D1Database, tile: Pick<Tile, 'sort_ms' | 'asset_id'>, inside: Grid | undefined, count: number): Promise<{ before: Tile[]; behind: Tile[] }> {
  const cursor = inside ? await findGridCursor(db, inside, tile) : cursorAfter(tile);
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
