// Keeps the map's squares: how many assets lie in each, how far they reach and which is the newest. The resolver marks the
// finest squares that it touched (`map_due`), in its own transaction; a refresh counts them again from timeline_items, and
// their parents from their children. One transaction a slice, so that two at once, or a crash, do no harm.
import { COARSEST_LEVEL, FINEST_LEVEL, LEVEL_STEP } from '../../protocol/map.ts';
import { STILL } from './item-columns.ts';

/** Finest squares counted in one go: some 40 ms of D1. */
const SLICE = 2_000;

/** Marks the squares of `?1` (JSON list) in the resolver's transaction. */
export const MARK_SQUARES_SQL = `INSERT INTO map_due (square) SELECT value FROM json_each(?1) WHERE ${STILL} ON CONFLICT (square) DO NOTHING`;

const DUE = `SELECT square FROM map_due ORDER BY square LIMIT ${SLICE}`;
const COLUMNS = 'square, count, latitude, longitude, west, south, east, north, newest_ms, newest_id';
const REPLACE = `ON CONFLICT (square) DO UPDATE SET count = excluded.count, latitude = excluded.latitude, longitude = excluded.longitude,
  west = excluded.west, south = excluded.south, east = excluded.east, north = excluded.north, newest_ms = excluded.newest_ms, newest_id = excluded.newest_id`;
// A square that has lost all stays with a count of 0 until its parents have heard of it.
export const COUNT_FINEST_SQL = `INSERT INTO map_squares (${COLUMNS})
SELECT d.square, count(t.asset_id), total(t.latitude), total(t.longitude), min(t.longitude), min(t.latitude), max(t.longitude), max(t.latitude), max(t.sort_ms),
  (SELECT n.asset_id FROM timeline_items n INDEXED BY timeline_items_by_square WHERE n.square = d.square AND n.shown = 1 ORDER BY n.sort_ms DESC, n.asset_id DESC LIMIT 1)
FROM (${DUE}) d LEFT JOIN timeline_items t INDEXED BY timeline_items_by_square ON t.square = d.square AND t.shown = 1 WHERE true GROUP BY d.square ${REPLACE}`;

/** Counts the parents, `shift` bits above the finest squares that are due, from their sixteen children. */
export function countParentsSql(shift: number): string {
  const children = `BETWEEN d.square * ${4 ** LEVEL_STEP} AND d.square * ${4 ** LEVEL_STEP} + ${4 ** LEVEL_STEP - 1}`;
  return `INSERT INTO map_squares (${COLUMNS})
SELECT d.square, total(s.count), total(s.latitude), total(s.longitude), min(s.west), min(s.south), max(s.east), max(s.north), max(s.newest_ms),
  (SELECT n.newest_id FROM map_squares n WHERE n.square ${children} AND n.count > 0 ORDER BY n.newest_ms DESC, n.newest_id DESC LIMIT 1)
FROM (SELECT DISTINCT square >> ${shift} AS square FROM (${DUE})) d LEFT JOIN map_squares s ON s.square ${children} WHERE true GROUP BY d.square ${REPLACE}`;
}
const PARENT_SHIFTS = Array.from({ length: (FINEST_LEVEL - COARSEST_LEVEL) / LEVEL_STEP }, (_, i) => 2 * LEVEL_STEP * (i + 1));
const DROP_EMPTY_SQL = 'DELETE FROM map_squares WHERE count = 0';
const DROP_DUE_SQL = `DELETE FROM map_due WHERE square IN (${DUE})`;

/** Counts what is due until nothing is or the time is over. Returns whether nothing is. */
export async function refreshSquares(db: D1Database, budgetMs: number): Promise<boolean> {
  const until = Date.now() + budgetMs;
  for (;;) {
    if (await db.prepare('SELECT 1 FROM map_due LIMIT 1').first() === null) return true;
    if (Date.now() >= until) return false;
    await db.batch([COUNT_FINEST_SQL, ...PARENT_SHIFTS.map(countParentsSql), DROP_EMPTY_SQL, DROP_DUE_SQL].map((sql) => db.prepare(sql)));
  }
}

/** Empties the squares and marks all: they are then made from the library as it is. */
export async function rebuildSquares(db: D1Database): Promise<void> {
  await db.batch([
    db.prepare('DELETE FROM map_squares'),
    db.prepare('INSERT INTO map_due (square) SELECT DISTINCT square FROM timeline_items INDEXED BY timeline_items_by_square WHERE square IS NOT NULL AND shown = 1 ON CONFLICT (square) DO NOTHING'),
  ]);
}
