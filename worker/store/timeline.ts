// What the timeline reads: tiles in keyset order, newest first, and the months there are. Reads only.
import * as z from 'zod';
import { AssetKind, type Sha256 } from '../../protocol/words.ts';
import { wallMs } from '../../protocol/time.ts';

/** A place between two tiles: everything before it in `(sort_ms, asset_id)` is older. */
export interface Cursor { sortMs: number; assetId: number }

export const Tile = z.object({
  asset_id: z.int(), sha256: z.string(), kind: AssetKind, width: z.int().nullable(), height: z.int().nullable(), duration_ms: z.int().nullable(), color: z.string().nullable(),
  grid_version: z.int(), favourite: z.int(), preview_version: z.int(), taken_at: z.string().nullable(), sort_ms: z.number(), month: z.int(), day: z.int(),
  live_sha256: z.string().nullable(), live_proxy_version: z.int(), members: z.int(), shown: z.int(),
});
export type Tile = z.infer<typeof Tile>;
export interface MonthCount { month: number; count: number }

export const TILE_COLUMNS = 'asset_id, sha256, kind, width, height, duration_ms, color, grid_version, favourite, preview_version, taken_at, sort_ms, month, day, live_sha256, live_proxy_version, members, shown';
// A row value would be one seek by its first part alone, and thousands of assets can share a second: so the rest of the
// cursor's own moment, then what lies beyond it, each a seek in `timeline_items_shown`. Only the keys of the tiles are sorted.
const inOrder = (sign: '<' | '>', ms: string, id: string) => (sign === '<' ? `${ms} DESC, ${id} DESC` : `${ms} ASC, ${id} ASC`);
const keysBeside = (sign: '<' | '>') => {
  const part = (where: string) => `SELECT * FROM (SELECT sort_ms AS key_ms, asset_id FROM timeline_items WHERE shown = 1 AND ${where} ORDER BY ${inOrder(sign, 'sort_ms', 'asset_id')} LIMIT ?3)`;
  return `${part(`sort_ms = ?1 AND asset_id ${sign} ?2`)} UNION ALL ${part(`sort_ms ${sign} ?1`)} ORDER BY ${inOrder(sign, '1', '2')} LIMIT ?3`;
};
const beside = (sign: '<' | '>', columns: string) => `SELECT ${columns} FROM (${keysBeside(sign)}) k CROSS JOIN timeline_items USING (asset_id) ORDER BY ${inOrder(sign, 'k.key_ms', 'asset_id')}`;
/** Times and ids of the tiles that OLDER_SQL gives, for what else is asked of the same. */
export const OLDER_KEYS = keysBeside('<');
export const OLDER_SQL = beside('<', TILE_COLUMNS);
export const NEWER_SQL = beside('>', TILE_COLUMNS);
export const MONTHS_SQL = 'SELECT month, count FROM timeline_buckets ORDER BY month DESC';
export const UNDATED_SQL = `SELECT ${TILE_COLUMNS} FROM timeline_items WHERE shown = 1 AND month = 0 ORDER BY sort_ms DESC, asset_id DESC LIMIT 1`;
export const TILE_SQL = `SELECT ${TILE_COLUMNS} FROM timeline_items WHERE asset_id = (SELECT asset_id FROM assets WHERE sha256 = ?1)`;
export const TILES_SQL = `SELECT ${TILE_COLUMNS} FROM timeline_items WHERE asset_id IN (SELECT a.asset_id FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value)`;

/** Newer than everything that can be in the library. */
export const NEWEST: Cursor = { sortMs: 9e15, assetId: 0 };

export async function listOlder(db: D1Database, from: Cursor, limit: number): Promise<Tile[]> {
  return z.array(Tile).parse((await db.prepare(OLDER_SQL).bind(from.sortMs, from.assetId, limit).all()).results);
}

/** Tiles newer than `from`, the nearest of them, returned newest first as everywhere. */
export async function listNewer(db: D1Database, from: Cursor, limit: number): Promise<Tile[]> {
  return z.array(Tile).parse((await db.prepare(NEWER_SQL).bind(from.sortMs, from.assetId, limit).all()).results).reverse();
}

/** Months that have anything, newest first; month 0 is what has no date. */
export async function listMonths(db: D1Database): Promise<MonthCount[]> {
  const rows = await db.prepare(MONTHS_SQL).all<MonthCount>();
  return rows.results.filter((row) => row.count > 0);
}

export async function findTile(db: D1Database, sha256: Sha256): Promise<Tile | undefined> {
  const row = await db.prepare(TILE_SQL).bind(sha256).first();
  return row ? Tile.parse(row) : undefined;
}

/** The tiles of these assets, in this order; what is not in the library is left out. */
export async function listTiles(db: D1Database, sha256s: readonly Sha256[]): Promise<Tile[]> {
  const tiles = z.array(Tile).parse((await db.prepare(TILES_SQL).bind(JSON.stringify(sha256s)).all()).results);
  const byHash = new Map(tiles.map((tile) => [tile.sha256, tile]));
  return sha256s.flatMap((sha256) => byHash.get(sha256) ?? []);
}

export const HASHES_SQL = beside('<', 'sha256');

/** Hashes alone, of as many as can be selected at once. */
export async function listHashesFrom(db: D1Database, from: Cursor, limit: number): Promise<string[]> {
  return (await db.prepare(HASHES_SQL).bind(from.sortMs, from.assetId, limit).all<{ sha256: string }>()).results.map((row) => row.sha256);
}

export const RATIOS_SQL = 'SELECT i.ratio, i.month FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value CROSS JOIN timeline_items i ON i.asset_id = a.asset_id ORDER BY j.key';

/** Ratio characters and months of these assets, in this order; what is not in the library is left out. */
export async function listRatios(db: D1Database, sha256s: readonly string[]): Promise<{ ratio: string; month: number }[]> {
  return (await db.prepare(RATIOS_SQL).bind(JSON.stringify(sha256s)).all<{ ratio: string; month: number }>()).results;
}

/** The cursor from which `older` starts with the newest undated tile; undefined where all have dates. */
export async function findUndated(db: D1Database): Promise<Cursor | undefined> {
  const row = await db.prepare(UNDATED_SQL).first();
  return row ? cursorAt(Tile.parse(row)) : undefined;
}

/** The cursor whose older side begins with this tile. */
export function cursorAt(tile: Pick<Tile, 'sort_ms' | 'asset_id'>): Cursor {
  return { sortMs: tile.sort_ms, assetId: tile.asset_id + 1 };
}

export function cursorAfter(tile: Pick<Tile, 'sort_ms' | 'asset_id'>): Cursor {
  return { sortMs: tile.sort_ms, assetId: tile.asset_id };
}

/** The cursor whose older side begins with the last moment of a year (`2023`) or month (`2023-10`); undefined for anything else. */
export function cursorOfMonth(text: string): Cursor | undefined {
  const m = /^(\d{4})(?:-(\d{2}))?$/.exec(text);
  if (!m) return undefined;
  const year = Number(m[1]);
  const month = m[2] === undefined ? 12 : Number(m[2]);
  if (month < 1 || month > 12 || (year === 9999 && month === 12)) return undefined;
  const next = month === 12 ? { year: year + 1, month: 1 } : { year, month: month + 1 };
  const ms = wallMs(`${String(next.year).padStart(4, '0')}-${String(next.month).padStart(2, '0')}-01T00:00:00`);
  return ms === undefined ? undefined : { sortMs: ms, assetId: 0 };
}

export function cursorText(cursor: Cursor): string {
  return `${cursor.sortMs}.${cursor.assetId}`;
}

/** Undefined for anything that `cursorText` does not write; -1 stands before the first id of all. */
export function parseCursor(text: string): Cursor | undefined {
  const m = /^(-?\d{1,16})\.(-1|\d{1,15})$/.exec(text);
  return m ? { sortMs: Number(m[1]), assetId: Number(m[2]) } : undefined;
}

/**
 * Cuts a piece so that it ends with a whole day where that costs at most half of it: the side away from the reader's
 * cursor is the last for `older` and the first for `newer`. `tiles` holds one more than `limit` where there are more.
 */
export function cutPiece(tiles: readonly Tile[], limit: number, side: 'older' | 'newer'): { tiles: Tile[]; more: boolean } {
  if (tiles.length <= limit) return { tiles: [...tiles], more: false };
  const outward = side === 'older' ? [...tiles] : [...tiles].reverse();
  const beyond = outward[limit];
  let end = limit;
  while (end > 0 && beyond && outward[end - 1]?.day === beyond.day) end--;
  const kept = outward.slice(0, end >= limit / 2 ? end : limit);
  return { tiles: side === 'older' ? kept : kept.reverse(), more: true };
}
