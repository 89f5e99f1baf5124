// What a grid of its own shows (a place, an album, a folder, …): tiles in the grid's order, by key in both directions. Reads only.
import * as z from 'zod';
import { ALBUM_NEWEST_SET, ALBUM_OWN_SET, ALBUM_SET, ARCHIVE_SET, BOX_SET, boxParameter, COPIES_ONLY_SET, COPIES_SET, COPIES_STALE_BACK, COPIES_STALE_SET, FAVOURITES_SET, FOLDER_SET, folderParameter, LAST_MS, PLACE_SET, TAG_SET } from './grid-sets.ts';
import type { Box } from '../../protocol/map.ts';
import type { AlbumSort } from '../../protocol/words.ts';
import { Tile, TILE_COLUMNS, type Cursor } from './timeline.ts';
import { UNKNOWN_SORT_MS } from './timeline-items.ts';

/** Newest first, but for albums that are oldest first (`album`) or in the owner's order, and for what was verified longest ago; what has no date is last in all. */
export type Grid = { kind: 'place'; country_code: string; region: string | null; city: string | null } | { kind: 'album' | 'album-newest' | 'album-own'; album_id: number }
  | { kind: 'favourites' | 'archive' } | { kind: 'tag'; tag: string } | { kind: 'folder'; volume_id: string; path: string } | { kind: 'box'; box: Box }
  | { kind: 'copies'; safety: number } | { kind: 'copies-only'; volume_id: string } | { kind: 'copies-stale'; before_ms: number };
/** In the grid's order: what follows the cursor, or what is before it. */
export type Way = 'following' | 'preceding';

/** The kind of an album's grid in an order. */
export const albumKind = (sort: AlbumSort) => (sort === 'oldest' ? 'album' as const : `album-${sort}` as const);
const albumOf = (grid: Grid): string => JSON.stringify('album_id' in grid ? [grid.album_id] : []);
/** What a kind of grid is: the SQL of its set (`?1`: JSON list of `of`), each with the key that orders it, and which way; `back`: the same for what is before a cursor, where that is asked otherwise; `by`: what its titles say. */
const SETS: { [K in Grid['kind']]: { sql: string; back?: string; ascending: boolean; by: 'month' | 'none'; of: (grid: Extract<Grid, { kind: K }>) => string } } = {
  place: { sql: PLACE_SET, ascending: false, by: 'month', of: (grid) => JSON.stringify([grid.country_code, grid.region, grid.city]) },
  album: { sql: ALBUM_SET, ascending: true, by: 'month', of: albumOf },
  'album-newest': { sql: ALBUM_NEWEST_SET, ascending: false, by: 'month', of: albumOf },
  'album-own': { sql: ALBUM_OWN_SET, ascending: true, by: 'none', of: albumOf },
  favourites: { sql: FAVOURITES_SET, ascending: false, by: 'month', of: () => '[]' },
  archive: { sql: ARCHIVE_SET, ascending: false, by: 'month', of: () => '[]' },
  tag: { sql: TAG_SET, ascending: false, by: 'month', of: (grid) => JSON.stringify([grid.tag]) },
  box: { sql: BOX_SET, ascending: false, by: 'month', of: (grid) => boxParameter(grid.box) },
  folder: { sql: FOLDER_SET, ascending: false, by: 'month', of: (grid) => folderParameter(grid.volume_id, grid.path) },
  copies: { sql: COPIES_SET, ascending: false, by: 'month', of: (grid) => JSON.stringify([grid.safety]) },
  'copies-only': { sql: COPIES_ONLY_SET, ascending: false, by: 'month', of: (grid) => JSON.stringify([grid.volume_id]) },
  'copies-stale': { sql: COPIES_STALE_SET, back: COPIES_STALE_BACK, ascending: true, by: 'none', of: (grid) => JSON.stringify([grid.before_ms]) },
};
export function setOf(kind: Grid['kind']): { sql: string; back?: string; ascending: boolean; by: 'month' | 'none'; of: (grid: Grid) => string } {
  return SETS[kind] as { sql: string; back?: string; ascending: boolean; by: 'month' | 'none'; of: (grid: Grid) => string };
}
export const GRID_KINDS = Object.keys(SETS) as Grid['kind'][];

/** Only keys are sorted, and as many kept as are asked for; the tiles' other columns are read for those. */
export function gridSql(kind: Grid['kind'], way: Way): string {
  const { sql, back = sql, ascending } = setOf(kind);
  const up = ascending === (way === 'following');
  const order = up ? 'ASC' : 'DESC';
  return `SELECT ${TILE_COLUMNS} FROM (SELECT * FROM (${way === 'preceding' ? back : sql}) WHERE (key_ms, asset_id) ${up ? '>' : '<'} (?2, ?3) ORDER BY key_ms ${order}, asset_id ${order} LIMIT ?4) k
    CROSS JOIN timeline_items USING (asset_id) ORDER BY k.key_ms ${order}, asset_id ${order}`;
}

/** Tiles beside the cursor, nearest first for `following`, nearest last for `preceding`: as they stand in the grid. */
export async function listGrid(db: D1Database, grid: Grid, from: Cursor, way: Way, limit: number): Promise<Tile[]> {
  const tiles = z.array(Tile).parse((await db.prepare(gridSql(grid.kind, way)).bind(setOf(grid.kind).of(grid), from.sortMs, from.assetId, limit).all()).results);
  return way === 'following' ? tiles : tiles.reverse();
}

/** Hashes alone, of as many as can be selected at once. */
export async function listGridHashes(db: D1Database, grid: Grid, from: Cursor, limit: number): Promise<string[]> {
  const { results } = await db.prepare(gridSql(grid.kind, 'following').replace(TILE_COLUMNS, 'sha256')).bind(setOf(grid.kind).of(grid), from.sortMs, from.assetId, limit).all<{ sha256: string }>();
  return results.map((row) => row.sha256);
}

/** The cursor that the tile of this key follows. */
export function gridCursorAt(grid: Grid, key: Cursor): Cursor {
  return { sortMs: key.sortMs, assetId: key.assetId + (setOf(grid.kind).ascending ? -1 : 1) };
}

export function countSql(kind: Grid['kind']): string { return `SELECT count(*) AS n FROM (${setOf(kind).sql})`; }

/** How many a grid shows. */
export async function countGrid(db: D1Database, grid: Grid): Promise<number> {
  return (await db.prepare(countSql(grid.kind)).bind(setOf(grid.kind).of(grid)).first<number>('n')) ?? 0;
}

export const OWN_KEY_SQL = `SELECT key_ms FROM (${ALBUM_OWN_SET}) WHERE asset_id = ?2`;

export const VERIFIED_KEY_SQL = 'SELECT verified_ms AS key_ms FROM asset_copies c WHERE c.asset_id = ?1';

/** Where a tile stands in this grid; of an order by hand only the album knows, of a verification only the copies. */
export async function findGridCursor(db: D1Database, grid: Grid, tile: Pick<Tile, 'sort_ms' | 'asset_id'>): Promise<Cursor> {
  if (grid.kind === 'copies-stale') return { sortMs: (await db.prepare(VERIFIED_KEY_SQL).bind(tile.asset_id).first<number>('key_ms')) ?? LAST_MS, assetId: tile.asset_id };
  if (grid.kind !== 'album-own') return gridCursor(grid, tile);
  return { sortMs: (await db.prepare(OWN_KEY_SQL).bind(albumOf(grid), tile.asset_id).first<number>('key_ms')) ?? LAST_MS, assetId: tile.asset_id };
}

/** Where a tile stands in a grid that is in the order of time. */
export function gridCursor(grid: Grid, tile: Pick<Tile, 'sort_ms' | 'asset_id'>): Cursor {
  return { sortMs: grid.kind === 'album' && tile.sort_ms === UNKNOWN_SORT_MS ? LAST_MS : tile.sort_ms, assetId: tile.asset_id };
}

/** Before everything in this grid. */
export function gridStart(grid: Grid): Cursor {
  return setOf(grid.kind).ascending ? { sortMs: -LAST_MS, assetId: 0 } : { sortMs: LAST_MS, assetId: 0 };
}
