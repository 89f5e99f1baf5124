// Buckets: a month's days, counts and ratios in one row, rebuilt from timeline_items for the months that changed.

// Aggregates take their order from the index's own (month, sort_ms, asset_id), so nothing is sorted; a day's characters
// are its assets newest first. The version moves only with the content: a page compares it, nothing else does.
export const REBUILD_BUCKETS_SQL = `INSERT INTO timeline_buckets (month, count, days, version)
SELECT month, sum(n), json_group_array(json_array(day, n, ratios) ORDER BY day DESC), ?2 FROM (
  SELECT t.month AS month, t.day AS day, count(*) AS n, group_concat(t.ratio, '' ORDER BY t.sort_ms DESC, t.asset_id DESC) AS ratios
  FROM json_each(?1) m CROSS JOIN timeline_items t INDEXED BY timeline_items_by_month ON t.month = m.value AND t.shown = 1
  GROUP BY t.month, t.day
) WHERE true GROUP BY month
ON CONFLICT (month) DO UPDATE SET count = excluded.count, days = excluded.days, version = timeline_buckets.version + 1
WHERE timeline_buckets.days IS NOT excluded.days`;
export const DROP_EMPTY_BUCKETS_SQL = `DELETE FROM timeline_buckets WHERE month IN (SELECT value FROM json_each(?1))
AND NOT EXISTS (SELECT 1 FROM timeline_items t WHERE t.month = timeline_buckets.month AND t.shown = 1)`;
export const COUNT_SHOWN_SQL = 'SELECT coalesce(sum(count), 0) AS n FROM timeline_buckets';

/** A month that comes back must not repeat a version that a page may still hold, so new rows start from the clock. */
export function rebuildBuckets(db: D1Database, months: readonly number[], nowMs: number): D1PreparedStatement[] {
  const list = JSON.stringify(months);
  return [db.prepare(REBUILD_BUCKETS_SQL).bind(list, nowMs), db.prepare(DROP_EMPTY_BUCKETS_SQL).bind(list)];
}

/** Assets in the timeline; reads one row a month. */
export async function countShown(db: D1Database): Promise<number> {
  return (await db.prepare(COUNT_SHOWN_SQL).first<number>('n')) ?? 0;
}
