// What a place's and an album's page show: tiles in the grid's own order, by key in both directions. Reads only.
import * as z from 'zod';
import { Tile, TILE_COLUMNS, type Cursor } from './timeline.ts';
import { UNKNOWN_SORT_MS } from './timeline-items.ts';

/** A place is shown newest first, an album oldest first; what has no date is last in both. */
export type Grid = { kind: 'place'; country_code: string; region: string | null; city: string | null } | { kind: 'album'; album_id: number };
/** In the grid's order: what follows the cursor, or what is before it. */
export type Way = 'following' | 'preceding';

/** Where undated tiles stand in an album. */
const LAST_MS = 9e15;
const ALBUM_KEY = `CASE WHEN t.sort_ms = ${UNKNOWN_SORT_MS} THEN ${LAST_MS} ELSE t.sort_ms END`;
const PLACE_SET = `SELECT t.sort_ms AS key_ms, t.asset_id FROM places p INDEXED BY places_by_name CROSS JOIN timeline_items t INDEXED BY timeline_items_by_cell ON t.cell = p.cell AND t.shown = 1
  WHERE p.country_code IS ?1->>0 AND p.region IS ?1->>1 AND p.city IS ?1->>2`;
// A member of a stack is shown as its primary, once, whichever of them lies in the album.
const ALBUM_SET = `SELECT DISTINCT ${ALBUM_KEY} AS key_ms, t.asset_id FROM album_assets m CROSS JOIN assets a ON a.sha256 = m.sha256 CROSS JOIN timeline_items i ON i.asset_id = a.asset_id
  CROSS JOIN assets o ON o.sha256 = coalesce(i.primary_sha256, i.sha256) CROSS JOIN timeline_items t ON t.asset_id = o.asset_id WHERE m.album_id = ?1->>0`;

/** What a kind of grid is: the SQL of its set (`?1`: JSON list of `of`), each with the key that orders it, and which way. */
const SETS: { [K in Grid['kind']]: { sql: string; ascending: boolean; of: (grid: Extract<Grid, { kind: K }>) => string } } = {
  place: { sql: PLACE_SET, ascending: false, of: (grid) => JSON.stringify([grid.country_code, grid.region, grid.city]) },
  album: { sql: ALBUM_SET, ascending: true, of: (grid) => JSON.stringify([grid.album_id]) },
};
export function setOf(kind: Grid['kind']): { sql: string; ascending: boolean; of: (grid: Grid) => string } {
  return SETS[kind] as { sql: string; ascending: boolean; of: (grid: Grid) => string };
}

/** Only keys are sorted, and as many kept as are asked for; the tiles' other columns are read for those. */
export function gridSql(kind: Grid['kind'], way: Way): string {
  const { sql, ascending } = setOf(kind);
  const up = ascending === (way === 'following');
  const order = up ? 'ASC' : 'DESC';
  return `SELECT ${TILE_COLUMNS} FROM (SELECT * FROM (${sql}) WHERE (key_ms, asset_id) ${up ? '>' : '<'} (?2, ?3) ORDER BY key_ms ${order}, asset_id ${order} LIMIT ?4) k
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

/** Where a tile stands in this grid. */
export function gridCursor(grid: Grid, tile: Pick<Tile, 'sort_ms' | 'asset_id'>): Cursor {
  return { sortMs: grid.kind === 'album' && tile.sort_ms === UNKNOWN_SORT_MS ? LAST_MS : tile.sort_ms, assetId: tile.asset_id };
}

/** Before everything in this grid. */
export function gridStart(grid: Grid): Cursor {
  return grid.kind === 'album' ? { sortMs: -LAST_MS, assetId: 0 } : { sortMs: LAST_MS, assetId: 0 };
}
