// The exact layout of a grid: every tile's ratio, its groups, and where pieces begin. Reads only.
import { keyText, type GridLayout, type LayoutGroup } from '../../protocol/layout.ts';
import { PIECE_TILES } from '../../protocol/limits.ts';
import { setOf, type Grid } from './grids.ts';
import { cursorAfter, OLDER_KEYS, TILE_COLUMNS, type Cursor, type Tile } from './timeline.ts';

/** Tiles that a place, an album or a folder shows as one grid; beyond, the rest is paged by links. */
export const MAX_GRID_TILES = 100_000;

export const BUCKETS_SQL = 'SELECT month, version, cuts, days FROM timeline_buckets WHERE version > ?1 ORDER BY month DESC';
export const BUCKET_KEYS_SQL = 'SELECT json_group_array(month ORDER BY month DESC) AS keys, coalesce(max(version), 0) AS version FROM timeline_buckets';
export const CUTS_SQL = 'SELECT cuts FROM timeline_buckets WHERE month = ?1';
const AT = 'SELECT count(*) FROM timeline_items WHERE month = ?1 AND shown = 1 AND sort_ms';
/** Tiles from a cut (`?4`, `?5`) down to one that follows it (`?2`, `?3`); nothing beside those is read, however many share a second. */
export const BETWEEN_SQL = `SELECT CASE WHEN ?2 = ?4 THEN (${AT} = ?2 AND asset_id > ?3 AND asset_id <= ?5)
  ELSE (${AT} = ?4 AND asset_id <= ?5) + (${AT} > ?2 AND sort_ms < ?4) + (${AT} = ?2 AND asset_id > ?3) END AS n`;
/** Day and place of those of these tiles (`?1`, JSON list of ids) that have a place. */
export const DAY_PLACES_SQL = `SELECT t.day, p.country, p.city, p.distance_m FROM json_each(?1) j CROSS JOIN timeline_items t ON t.asset_id = j.value CROSS JOIN places p ON p.cell = t.cell AND p.rank > 0 ORDER BY j.key`;
/** A run (`?1` to `?3` as in OLDER_SQL), each tile with its month's version and its place. */
export const RUN_SQL = `SELECT ${TILE_COLUMNS.split(', ').map((column) => `t.${column}`).join(', ')}, v.version, p.country, p.city, p.distance_m
  FROM (${OLDER_KEYS}) k CROSS JOIN timeline_items t ON t.asset_id = k.asset_id LEFT JOIN timeline_buckets v INDEXED BY timeline_buckets_versions ON v.month = t.month LEFT JOIN places p ON p.cell = t.cell AND p.rank > 0
  ORDER BY k.key_ms DESC, t.asset_id DESC`;

interface TilePlace { day: number; country: string | null; city: string | null; distance_m: number | null }
export type DayPlace = TilePlace & { n: number };
type RunRow = Tile & TilePlace & { version: number | null };
interface BucketRow { month: number; version: number; cuts: string; days: string }

/** What the timeline's layout is now, without reading it: the highest version, and the months that there are. */
export async function readTimelineKeys(db: D1Database): Promise<{ version: number; keys: number[] }> {
  const row = await db.prepare(BUCKET_KEYS_SQL).first<{ keys: string; version: number }>();
  return { version: row?.version ?? 0, keys: JSON.parse(row?.keys ?? '[]') as number[] };
}

/** The timeline's layout, of the months that changed after `since`. Both are read at one moment. */
export async function readTimelineLayout(db: D1Database, since: number): Promise<GridLayout> {
  const [keys, buckets] = await db.batch<Record<string, unknown>>([db.prepare(BUCKET_KEYS_SQL), db.prepare(BUCKETS_SQL).bind(since)]);
  const head = keys?.results[0] as { keys: string; version: number } | undefined;
  const groups = ((buckets?.results ?? []) as unknown as BucketRow[]).map(({ month, version, cuts, days }): LayoutGroup => ({
    key: month, version, cuts: (JSON.parse(cuts) as [number, number][]).map(([sortMs, assetId]) => keyText(sortMs, assetId)),
    days: (JSON.parse(days) as [number, number, string][]).map(([day, , ratios]) => ({ day: day % 100, ratios })),
  }));
  return { by: 'day', version: head?.version ?? 0, keys: JSON.parse(head?.keys ?? '[]') as number[], groups };
}

/** A run of the timeline with its months' versions and its days' places, in one question. */
export async function readTimelineRun(db: D1Database, from: Cursor, n: number): Promise<{ tiles: Tile[]; versions: Record<number, number>; places: DayPlace[] }> {
  // Unchecked, as a check of 200 rows takes a tenth of a piece's time: the columns are those of Tile, which the checked reads hold to it.
  const tiles = (await db.prepare(RUN_SQL).bind(from.sortMs, from.assetId, n).all<RunRow>()).results;
  return { tiles, places: countPlaces(tiles), versions: Object.fromEntries(tiles.map(({ month, version }) => [month, version ?? 0])) };
}

/** For each day of these tiles the places that most of them were taken at, the most first. */
export async function listDayPlaces(db: D1Database, assetIds: readonly number[]): Promise<DayPlace[]> {
  return countPlaces((await db.prepare(DAY_PLACES_SQL).bind(JSON.stringify(assetIds)).all<TilePlace>()).results);
}

/** Tiles in the grid's order, so that of two places with as many the same one is first whoever asks. */
function countPlaces(tiles: readonly TilePlace[]): DayPlace[] {
  const places = new Map<string, DayPlace>();
  for (const { day, country, city, distance_m } of tiles) {
    if (country === null && city === null) continue;
    const key = JSON.stringify([day, country, city]);
    const known = places.get(key);
    if (known) known.n += 1;
    else places.set(key, { day, country, city, distance_m, n: 1 });
  }
  return [...places.values()].sort((a, b) => b.n - a.n);
}

/** Where a shown tile stands in its month, from 0; reads at most a piece of the index. */
export async function findOffset(db: D1Database, tile: Pick<Tile, 'sort_ms' | 'asset_id' | 'month'>): Promise<number> {
  const cuts = JSON.parse((await db.prepare(CUTS_SQL).bind(tile.month).first<string>('cuts')) ?? '[]') as [number, number][];
  const follows = ([sortMs, assetId]: readonly [number, number]) => tile.sort_ms < sortMs || (tile.sort_ms === sortMs && tile.asset_id <= assetId);
  const piece = cuts.findLastIndex(follows);
  const start = cuts[piece];
  if (!start) return 0;
  const { sortMs, assetId } = cursorAfter(tile);
  return piece * PIECE_TILES + ((await db.prepare(BETWEEN_SQL).bind(tile.month, sortMs, assetId, ...start).first<number>('n')) ?? 0);
}

/** SQL of all tiles of a grid's set in the grid's order, each with what the layout needs of it. */
export function layoutSql(kind: Grid['kind']): string {
  const { sql, ascending } = setOf(kind);
  const order = ascending ? 'ASC' : 'DESC';
  return `SELECT k.key_ms, k.asset_id, i.month, i.ratio FROM (${sql}) k CROSS JOIN timeline_items i ON i.asset_id = k.asset_id ORDER BY k.key_ms ${order}, k.asset_id ${order} LIMIT ${MAX_GRID_TILES}`;
}

/** The layout of a grid of its own, as far as a grid goes: grouped by month, or not at all where the owner ordered it. */
export async function readGridLayout(db: D1Database, grid: Grid): Promise<GridLayout> {
  const { by, of } = setOf(grid.kind);
  const { results } = await db.prepare(layoutSql(grid.kind)).bind(of(grid)).all<{ key_ms: number; asset_id: number; month: number; ratio: string }>();
  const groups = new Map<number, { cuts: string[]; ratios: string[] }>();
  for (const { key_ms, asset_id, month, ratio } of results) {
    const key = by === 'month' ? month : 0;
    let group = groups.get(key);
    if (!group) groups.set(key, group = { cuts: [], ratios: [] });
    if (group.ratios.length % PIECE_TILES === 0) group.cuts.push(keyText(key_ms, asset_id));
    group.ratios.push(ratio);
  }
  return { by, version: 0, keys: [...groups.keys()], groups: [...groups].map(([key, { cuts, ratios }]) => ({ key, version: 0, cuts, days: [{ day: 0, ratios: ratios.join('') }] })) };
}
