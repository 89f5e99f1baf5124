// Keeps asset_copies and its counts: of each asset that the resolver looked at, how many files hold it, on how many drives.
// All of it is worked out in the resolver's own transaction, behind timeline_items, from locations as they then are. So
// whoever changes where files lie, or what is known of their bytes (missing, verified, damaged), marks their hashes
// (markUnresolved, markSql); nobody else writes these tables.
import { STILL } from './item-columns.ts';

/** Milliseconds of a day: verifications are counted by the day (UTC). */
export const DAY_MS = 86_400_000;

const COLUMNS = ['asset_id', 'sort_ms', 'year', 'counted', 'files', 'drives', 'on_drives', 'by_drive', 'one_drive', 'safety', 'spare_bytes', 'extra_bytes', 'verified_ms', 'damaged'] as const;
const day = (ms: string): string => `${ms} / ${DAY_MS}`;
// Without both its file system and a lasting inode a file is known by its path alone.
const BY_PATH = 'l.inode IS NULL OR l.fs_id IS NULL';
/** A row `t` of timeline_items whose asset is the trash's page's. */
const NOT_TRASHED = 'NOT EXISTS (SELECT 1 FROM trashed x WHERE x.sha256 = t.sha256)';

/** `?1`: JSON list of asset ids, with those that they are stacked with. Migration 0013 says the same of all assets. */
export const UPSERT_COPIES_SQL = `INSERT INTO asset_copies (${COLUMNS.join(', ')})
WITH kept AS MATERIALIZED (
  SELECT asset_id, sha256, primary_sha256, sort_ms, year, sum(sound) AS files, count(DISTINCT CASE WHEN sound > 0 THEN drive END) AS drives,
    json_group_array(volume_id ORDER BY volume_id) FILTER (WHERE sound > 0) AS on_drives, json_group_array(json_array(sound, ${day('verified_ms')}) ORDER BY volume_id) FILTER (WHERE sound > 0) AS by_drive,
    coalesce(min(verified_ms), 0) AS verified_ms, sum(damaged) AS damaged
  FROM (
    SELECT asset_id, sha256, primary_sha256, sort_ms, year, volume_id, min(drive) AS drive, sum(found - damaged) AS sound, min(CASE WHEN damaged = 0 THEN verified_ms END) AS verified_ms, sum(damaged) AS damaged
    FROM (
      SELECT t.asset_id, t.sha256, t.primary_sha256, t.sort_ms, t.month / 100 AS year, min(l.volume_id) AS volume_id, min(coalesce(l.fs_id, l.volume_id)) AS drive, l.path IS NOT NULL AS found,
        max(coalesce(l.verified_at_ms, 0)) AS verified_ms, max(l.damaged_at_ms IS NOT NULL) AS damaged
      FROM json_each(?1) j CROSS JOIN timeline_items t ON t.asset_id = j.value LEFT JOIN locations l ON l.sha256 = t.sha256 AND l.missing_since_ms IS NULL
      WHERE ${NOT_TRASHED}
      GROUP BY t.asset_id, CASE WHEN ${BY_PATH} THEN l.volume_id ELSE l.fs_id END, CASE WHEN ${BY_PATH} THEN '/' || l.path ELSE l.inode END
    ) GROUP BY asset_id, volume_id
  ) GROUP BY asset_id
)
SELECT k.asset_id, k.sort_ms, k.year, CASE WHEN u.files = k.files AND u.drives = k.drives AND ${day('u.verified_ms')} <= ${day('k.verified_ms')} THEN 0 ELSE 1 END,
  k.files, k.drives, k.on_drives, k.by_drive, CASE WHEN k.drives = 1 THEN k.on_drives->>0 END, CASE WHEN k.files < 2 THEN k.files WHEN k.drives = 1 THEN 2 ELSE 3 END,
  max(k.files - 1, 0) * a.size_bytes, (k.files - k.drives) * a.size_bytes, k.verified_ms, k.damaged
FROM kept k CROSS JOIN assets a ON a.asset_id = k.asset_id LEFT JOIN kept u ON u.sha256 = k.primary_sha256 WHERE ${STILL}
ON CONFLICT (asset_id) DO UPDATE SET ${COLUMNS.slice(1).map((c) => `${c} = excluded.${c}`).join(', ')} WHERE ${COLUMNS.slice(1).map((c) => `asset_copies.${c} IS NOT excluded.${c}`).join(' OR ')}`;
export const DELETE_COPIES_SQL = `DELETE FROM asset_copies WHERE asset_id IN (SELECT value FROM json_each(?1))
AND NOT EXISTS (SELECT 1 FROM timeline_items t WHERE t.asset_id = asset_copies.asset_id AND ${NOT_TRASHED}) AND ${STILL}`;

// What these assets' rows add to the counts, `?3` times: -1 before they change, 1 after.
const MINE = 'json_each(?1) j CROSS JOIN asset_copies c ON c.asset_id = j.value';
export const ADD_COUNTS_SQL = `INSERT INTO copy_counts (kind, name, files, drives, day, assets, copies, spare_bytes)
SELECT kind, name, files, drives, day, ?3 * assets, ?3 * copies, ?3 * spare_bytes FROM (
  SELECT CASE c.counted WHEN 1 THEN 'all' ELSE 'under' END AS kind, coalesce(c.one_drive, '') AS name, min(c.files, 3) AS files, min(c.drives, 2) AS drives, ${day('c.verified_ms')} AS day,
    count(*) AS assets, sum(c.files) AS copies, sum(c.spare_bytes) AS spare_bytes FROM ${MINE} GROUP BY 1, 2, 3, 4, 5
  UNION ALL SELECT 'year', CAST(c.year AS TEXT), min(c.files, 3), min(c.drives, 2), 0, count(*), sum(c.files), sum(c.spare_bytes) FROM ${MINE} WHERE c.counted = 1 GROUP BY 1, 2, 3, 4, 5
  UNION ALL SELECT 'extra', '', 0, 0, 0, count(*), sum(c.files - c.drives), sum(c.extra_bytes) FROM ${MINE} WHERE c.counted = 1 AND c.files > c.drives HAVING count(*) > 0
  UNION ALL SELECT 'drive', d.value, 0, 0, c.by_drive->>('$[' || d.key || '][1]'), count(*), sum(c.by_drive->>('$[' || d.key || '][0]')), 0 FROM ${MINE} CROSS JOIN json_each(c.on_drives) d GROUP BY 1, 2, 3, 4, 5
) WHERE ${STILL}
ON CONFLICT (kind, name, files, drives, day) DO UPDATE SET assets = assets + excluded.assets, copies = copies + excluded.copies, spare_bytes = spare_bytes + excluded.spare_bytes`;
const DROP_EMPTY_SQL = 'DELETE FROM copy_counts WHERE assets = 0';

/** The statements of the resolver's transaction, to stand behind those that write timeline_items. `tokens`: the marks that it took (STILL). */
export function writeCopies(db: D1Database, assetIds: readonly number[], tokens: string): D1PreparedStatement[] {
  if (assetIds.length === 0) return [];
  const ids = JSON.stringify(assetIds);
  return [
    db.prepare(ADD_COUNTS_SQL).bind(ids, tokens, -1), db.prepare(DELETE_COPIES_SQL).bind(ids, tokens), db.prepare(UPSERT_COPIES_SQL).bind(ids, tokens),
    db.prepare(ADD_COUNTS_SQL).bind(ids, tokens, 1), db.prepare(DROP_EMPTY_SQL),
  ];
}
