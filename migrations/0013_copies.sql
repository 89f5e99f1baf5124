-- Copies: of each asset how many files hold it, on how many drives, and how long ago they were last read. Kept by the resolver (worker/store/asset-copies.ts).

-- One row an asset that timeline_items holds. A file is one copy, however many paths or volumes show it (promise 4); what is missing or damaged is none.
-- No rowid: only so a list's cursor is one seek by all of its key.
CREATE TABLE asset_copies (
  asset_id INTEGER PRIMARY KEY, sort_ms INTEGER NOT NULL, year INTEGER NOT NULL,
  -- 0: stands under an asset that is kept just the same (a Live Photo's video), which is listed for both.
  counted INTEGER NOT NULL,
  -- drives: file systems. on_drives: JSON list of volume ids. by_drive: for each of those [its files, day of their oldest verification].
  files INTEGER NOT NULL, drives INTEGER NOT NULL, on_drives TEXT NOT NULL, by_drive TEXT NOT NULL, one_drive TEXT,
  -- 0: no copy is left that was found whole; 1: one copy; 2: several, all on one drive; 3: on two drives or more.
  safety INTEGER NOT NULL,
  -- What all copies but one take; but one a drive. verified_ms: of the copy that was not read for longest; 0: one was never. damaged: files.
  spare_bytes INTEGER NOT NULL, extra_bytes INTEGER NOT NULL, verified_ms INTEGER NOT NULL, damaged INTEGER NOT NULL
) WITHOUT ROWID;

-- How many assets there are of each sort, so that no page counts the library: added to and taken from in the same transaction.
-- kind: 'all' and 'under' (counted or not) by one_drive; 'year'; 'extra': several on one drive; 'drive' (files on it). files up to 3, drives up to 2; day: of verified_ms.
CREATE TABLE copy_counts (
  kind TEXT NOT NULL, name TEXT NOT NULL, files INTEGER NOT NULL, drives INTEGER NOT NULL, day INTEGER NOT NULL,
  assets INTEGER NOT NULL, copies INTEGER NOT NULL, spare_bytes INTEGER NOT NULL,
  PRIMARY KEY (kind, name, files, drives, day)
) WITHOUT ROWID;

INSERT INTO asset_copies (asset_id, sort_ms, year, counted, files, drives, on_drives, by_drive, one_drive, safety, spare_bytes, extra_bytes, verified_ms, damaged)
WITH kept AS MATERIALIZED (
  SELECT asset_id, sha256, primary_sha256, sort_ms, year, sum(sound) AS files, count(DISTINCT CASE WHEN sound > 0 THEN drive END) AS drives,
    json_group_array(volume_id ORDER BY volume_id) FILTER (WHERE sound > 0) AS on_drives, json_group_array(json_array(sound, verified_ms / 86400000) ORDER BY volume_id) FILTER (WHERE sound > 0) AS by_drive,
    coalesce(min(verified_ms), 0) AS verified_ms, sum(damaged) AS damaged
  FROM (
    SELECT asset_id, sha256, primary_sha256, sort_ms, year, volume_id, min(drive) AS drive, sum(found - damaged) AS sound, min(CASE WHEN damaged = 0 THEN verified_ms END) AS verified_ms, sum(damaged) AS damaged
    FROM (
      SELECT t.asset_id, t.sha256, t.primary_sha256, t.sort_ms, t.month / 100 AS year, min(l.volume_id) AS volume_id, min(coalesce(l.fs_id, l.volume_id)) AS drive, l.path IS NOT NULL AS found,
        max(coalesce(l.verified_at_ms, 0)) AS verified_ms, max(l.damaged_at_ms IS NOT NULL) AS damaged
      FROM timeline_items t LEFT JOIN locations l ON l.sha256 = t.sha256 AND l.missing_since_ms IS NULL
      WHERE NOT EXISTS (SELECT 1 FROM trashed x WHERE x.sha256 = t.sha256)
      GROUP BY t.asset_id, CASE WHEN l.inode IS NULL OR l.fs_id IS NULL THEN l.volume_id ELSE l.fs_id END, CASE WHEN l.inode IS NULL OR l.fs_id IS NULL THEN '/' || l.path ELSE l.inode END
    ) GROUP BY asset_id, volume_id
  ) GROUP BY asset_id
)
SELECT k.asset_id, k.sort_ms, k.year, CASE WHEN u.files = k.files AND u.drives = k.drives AND u.verified_ms / 86400000 <= k.verified_ms / 86400000 THEN 0 ELSE 1 END,
  k.files, k.drives, k.on_drives, k.by_drive, CASE WHEN k.drives = 1 THEN k.on_drives->>0 END, CASE WHEN k.files < 2 THEN k.files WHEN k.drives = 1 THEN 2 ELSE 3 END,
  max(k.files - 1, 0) * a.size_bytes, (k.files - k.drives) * a.size_bytes, k.verified_ms, k.damaged
FROM kept k CROSS JOIN assets a ON a.asset_id = k.asset_id LEFT JOIN kept u ON u.sha256 = k.primary_sha256;

INSERT INTO copy_counts (kind, name, files, drives, day, assets, copies, spare_bytes)
SELECT CASE c.counted WHEN 1 THEN 'all' ELSE 'under' END, coalesce(c.one_drive, ''), min(c.files, 3), min(c.drives, 2), c.verified_ms / 86400000, count(*), sum(c.files), sum(c.spare_bytes) FROM asset_copies c GROUP BY 1, 2, 3, 4, 5
UNION ALL SELECT 'year', CAST(c.year AS TEXT), min(c.files, 3), min(c.drives, 2), 0, count(*), sum(c.files), sum(c.spare_bytes) FROM asset_copies c WHERE c.counted = 1 GROUP BY 1, 2, 3, 4, 5
UNION ALL SELECT 'extra', '', 0, 0, 0, count(*), sum(c.files - c.drives), sum(c.extra_bytes) FROM asset_copies c WHERE c.counted = 1 AND c.files > c.drives HAVING count(*) > 0
UNION ALL SELECT 'drive', d.value, 0, 0, c.by_drive->>('$[' || d.key || '][1]'), count(*), sum(c.by_drive->>('$[' || d.key || '][0]')), 0 FROM asset_copies c CROSS JOIN json_each(c.on_drives) d GROUP BY 1, 2, 3, 4, 5;

CREATE INDEX asset_copies_by_safety ON asset_copies (safety, sort_ms) WHERE counted = 1 AND safety < 3;
CREATE INDEX asset_copies_only ON asset_copies (one_drive, sort_ms) WHERE counted = 1 AND safety = 1;
CREATE INDEX asset_copies_by_verified ON asset_copies (verified_ms) WHERE counted = 1 AND safety > 0;
CREATE INDEX asset_copies_by_spare ON asset_copies (spare_bytes) WHERE counted = 1 AND files > 1;
CREATE INDEX asset_copies_by_extra ON asset_copies (extra_bytes) WHERE counted = 1 AND files > drives;
CREATE INDEX copy_counts_empty ON copy_counts (kind) WHERE assets = 0;
CREATE INDEX locations_damaged ON locations (volume_id, path) WHERE damaged_at_ms IS NOT NULL AND missing_since_ms IS NULL;
