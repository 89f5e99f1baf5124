// Buckets: a month's days, counts and ratios in one row, rebuilt from timeline_items for the months that changed.
import { PIECE_TILES } from '../../protocol/limits.ts';

// Walks a month's days newest first by seeks in its index (`tops` are the last moments of days), then reads each day's
// range in the index's own order, so that nothing is sorted: 8 ms for a month of 70,000, against 50 ms for GROUP BY with an
// ordered group_concat. A ratio is one character, so the text's length is the count. Where each piece begins (`cuts`) is
// counted off in the same order (28 ms; skipping by OFFSET is slower where thousands share a second). A version is higher than all before it, so that a page can ask what changed since.
const DAY_START = 'd.top - ((d.top % 86400000) + 86400000) % 86400000';
export const REBUILD_BUCKETS_SQL = `INSERT INTO timeline_buckets (month, count, days, version, cuts)
WITH RECURSIVE tops (month, top) AS (
  SELECT m.value, (SELECT max(t.sort_ms) FROM timeline_items t WHERE t.month = m.value AND t.shown = 1) FROM json_each(?1) m
  UNION ALL
  SELECT d.month, (SELECT max(t.sort_ms) FROM timeline_items t WHERE t.month = d.month AND t.shown = 1 AND t.sort_ms < ${DAY_START})
  FROM tops d WHERE d.top IS NOT NULL
), days (month, day, ratios) AS MATERIALIZED (
  SELECT d.month, (SELECT t.day FROM timeline_items t WHERE t.month = d.month AND t.shown = 1 AND t.sort_ms = d.top LIMIT 1),
    (SELECT group_concat(ratio, '') FROM (SELECT t.ratio AS ratio FROM timeline_items t
      WHERE t.month = d.month AND t.shown = 1 AND t.sort_ms BETWEEN ${DAY_START} AND d.top ORDER BY t.sort_ms DESC, t.asset_id DESC))
  FROM tops d WHERE d.top IS NOT NULL
), cuts (month, cuts) AS MATERIALIZED (
  SELECT month, json_group_array(json_array(sort_ms, asset_id) ORDER BY sort_ms DESC, asset_id DESC) FROM (
    SELECT t.month, t.sort_ms, t.asset_id, row_number() OVER (PARTITION BY t.month ORDER BY t.sort_ms DESC, t.asset_id DESC) - 1 AS n
    FROM json_each(?1) m CROSS JOIN timeline_items t ON t.month = m.value AND t.shown = 1) WHERE n % ${PIECE_TILES} = 0 GROUP BY month
)
SELECT d.month, sum(length(d.ratios)), json_group_array(json_array(d.day, length(d.ratios), d.ratios) ORDER BY d.day DESC), max(?2, (SELECT coalesce(max(version), 0) + 1 FROM timeline_buckets)), c.cuts
FROM days d CROSS JOIN cuts c ON c.month = d.month WHERE true GROUP BY d.month
ON CONFLICT (month) DO UPDATE SET count = excluded.count, days = excluded.days, version = excluded.version, cuts = excluded.cuts
WHERE timeline_buckets.days IS NOT excluded.days OR timeline_buckets.cuts IS NOT excluded.cuts`;
export const DROP_EMPTY_BUCKETS_SQL = `DELETE FROM timeline_buckets WHERE month IN (SELECT value FROM json_each(?1))
AND NOT EXISTS (SELECT 1 FROM timeline_items t WHERE t.month = timeline_buckets.month AND t.shown = 1)`;
export const COUNT_SHOWN_SQL = 'SELECT coalesce(sum(count), 0) AS n FROM timeline_buckets';

/** A month that comes back must not repeat a version that a page may still hold, so versions follow the clock where they can. */
export function rebuildBuckets(db: D1Database, months: readonly number[], nowMs: number): D1PreparedStatement[] {
  const list = JSON.stringify(months);
  return [db.prepare(REBUILD_BUCKETS_SQL).bind(list, nowMs), db.prepare(DROP_EMPTY_BUCKETS_SQL).bind(list)];
}

/** Assets in the timeline; reads one row a month. */
export async function countShown(db: D1Database): Promise<number> {
  return (await db.prepare(COUNT_SHOWN_SQL).first<number>('n')) ?? 0;
}
