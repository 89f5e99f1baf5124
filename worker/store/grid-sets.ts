// The sets that grids of their own show: SQL that lists, for `?1` (a JSON list), the tiles with the key that orders them.
// An asset under another is shown as that other, once. grids.ts pages through them.
import { runsOf, type Box } from '../../protocol/map.ts';
import { isMember } from './album-members.ts';
import { UNKNOWN_SORT_MS } from './timeline-items.ts';

/** Where undated tiles stand where the oldest come first. */
export const LAST_MS = 9e15;
/** Where, in an order by hand, what has no place yet stands: behind all that has, by its time. Times are some 1e14 at most. */
const BEHIND = 1e15;

/** From a row `i` of timeline_items to the one `t` that is shown for it. */
const AS_PRIMARY = 'CROSS JOIN assets o ON o.sha256 = coalesce(i.primary_sha256, i.sha256) CROSS JOIN timeline_items t ON t.asset_id = o.asset_id';
const IN_ALBUM = `FROM album_assets m CROSS JOIN assets a ON a.sha256 = m.sha256 CROSS JOIN timeline_items i ON i.asset_id = a.asset_id ${AS_PRIMARY} WHERE m.album_id = ?1->>0 AND ${isMember('m')}`;

/** `?1`: country code, region, city. */
export const PLACE_SET = `SELECT t.sort_ms AS key_ms, t.asset_id FROM places p INDEXED BY places_by_name CROSS JOIN timeline_items t INDEXED BY timeline_items_by_cell ON t.cell = p.cell AND t.shown = 1
  WHERE p.country_code IS ?1->>0 AND p.region IS ?1->>1 AND p.city IS ?1->>2`;
/** `?1`: the album's number; the oldest first, the newest first, by hand. */
export const ALBUM_SET = `SELECT DISTINCT CASE WHEN t.sort_ms = ${UNKNOWN_SORT_MS} THEN ${LAST_MS} ELSE t.sort_ms END AS key_ms, t.asset_id ${IN_ALBUM}`;
export const ALBUM_NEWEST_SET = `SELECT DISTINCT t.sort_ms AS key_ms, t.asset_id ${IN_ALBUM}`;
export const ALBUM_OWN_SET = `SELECT coalesce(min(m.position), CASE WHEN t.sort_ms = ${UNKNOWN_SORT_MS} THEN ${LAST_MS} ELSE ${BEHIND} + t.sort_ms END) AS key_ms, t.asset_id ${IN_ALBUM} GROUP BY t.asset_id`;
/** `?1`: nothing. */
export const FAVOURITES_SET = `SELECT t.sort_ms AS key_ms, t.asset_id FROM timeline_items t INDEXED BY timeline_items_favourite WHERE t.favourite = 1 AND t.primary_sha256 IS NULL AND t.sort_ms >= ${UNKNOWN_SORT_MS} AND ?1 IS NOT NULL`;
export const ARCHIVE_SET = `SELECT t.sort_ms AS key_ms, t.asset_id FROM timeline_items t INDEXED BY timeline_items_archived WHERE t.archived = 1 AND t.primary_sha256 IS NULL AND t.sort_ms >= ${UNKNOWN_SORT_MS} AND ?1 IS NOT NULL`;
/** `?1`: the tag. */
// Once a tile, without DISTINCT: so a page reads the index in its order, and no more of it than it shows.
export const TAG_SET = `SELECT g.sort_ms AS key_ms, g.asset_id FROM asset_tags g WHERE g.tag = ?1->>0
  AND NOT EXISTS (SELECT 1 FROM asset_tags d WHERE d.tag = g.tag AND d.sort_ms = g.sort_ms AND d.asset_id = g.asset_id AND d.own_id < g.own_id)`;
/** Copies, by how safely assets are kept (asset-copies.ts): `?1`: the safety; the drive that alone has them; the moment before which a verification is long ago. Each asset by itself, also one that stands under another. */
export const COPIES_SET = 'SELECT c.sort_ms AS key_ms, c.asset_id FROM asset_copies c INDEXED BY asset_copies_by_safety WHERE c.counted = 1 AND c.safety < 3 AND c.safety = ?1->>0';
export const COPIES_ONLY_SET = 'SELECT c.sort_ms AS key_ms, c.asset_id FROM asset_copies c INDEXED BY asset_copies_only WHERE c.counted = 1 AND c.safety = 1 AND c.one_drive = ?1->>0';
// What is before a cursor needs no bound above, which would take the place of the cursor's own seek.
export const COPIES_STALE_BACK = 'SELECT c.verified_ms AS key_ms, c.asset_id FROM asset_copies c INDEXED BY asset_copies_by_verified WHERE c.counted = 1 AND c.safety > 0 AND ?1 IS NOT NULL';
export const COPIES_STALE_SET = 'SELECT c.verified_ms AS key_ms, c.asset_id FROM asset_copies c INDEXED BY asset_copies_by_verified WHERE c.counted = 1 AND c.safety > 0 AND c.verified_ms < ?1->>0';

/**
 * What lies directly in a folder, by jumps in the index: a step a file, and a step a subfolder whatever it holds. `slash` is
 * 0 for a file. `?1`: the volume, the folder with a slash behind it ('' for the top), the end of its range, where to begin.
 */
export const FOLDER_ENTRIES = `WITH RECURSIVE entry (path) AS (
    SELECT (SELECT l.path FROM locations l WHERE l.volume_id = ?1->>0 AND l.path >= ?1->>3 AND l.path < ?1->>2 ORDER BY l.path LIMIT 1)
    UNION ALL SELECT (SELECT l.path FROM locations l WHERE l.volume_id = ?1->>0 AND l.path < ?1->>2
        AND l.path >= CASE WHEN instr(substr(entry.path, length(?1->>1) + 1), '/') > 0 THEN substr(entry.path, 1, length(?1->>1) + instr(substr(entry.path, length(?1->>1) + 1), '/') - 1) || '0' ELSE entry.path || char(1) END
      ORDER BY l.path LIMIT 1) FROM entry WHERE entry.path IS NOT NULL
  ) SELECT path, instr(substr(path, length(?1->>1) + 1), '/') AS slash FROM entry WHERE path IS NOT NULL`;
/** What was not found any more is not shown. */
export const FOLDER_SET = `SELECT DISTINCT t.sort_ms AS key_ms, t.asset_id FROM (${FOLDER_ENTRIES}) f CROSS JOIN locations l ON l.volume_id = ?1->>0 AND l.path = f.path AND l.missing_since_ms IS NULL
  CROSS JOIN assets a ON a.sha256 = l.sha256 CROSS JOIN timeline_items i ON i.asset_id = a.asset_id ${AS_PRIMARY} WHERE f.slash = 0`;

/** Runs of squares that a box is asked by; what they reach over beyond it is left out row by row. */
const BOX_RUNS = 96;
// Of the index alone: ?1 is [runs, west, south, east, north].
export const BOX_SET = `SELECT t.sort_ms AS key_ms, t.asset_id FROM json_each(?1, '$[0]') j CROSS JOIN timeline_items t INDEXED BY timeline_items_by_square ON t.square BETWEEN j.value->>0 AND j.value->>1 AND t.shown = 1
  WHERE t.latitude BETWEEN ?1->>2 AND ?1->>4 AND CASE WHEN ?1->>1 <= ?1->>3 THEN t.longitude BETWEEN ?1->>1 AND ?1->>3 ELSE t.longitude >= ?1->>1 OR t.longitude <= ?1->>3 END`;
export function boxParameter(box: Box): string {
  return JSON.stringify([runsOf(box, BOX_RUNS), box.west, box.south, box.east, box.north]);
}

/** After every path that there can be. */
const END = '\u{10FFFF}';
/** `?1` of a folder's queries: '' is the volume's top; with `after`, from behind that subfolder on. */
export function folderParameter(volumeId: string, path: string, after?: string): string {
  const begin = path === '' ? '' : `${path}/`;
  return JSON.stringify([volumeId, begin, path === '' ? END : `${path}0`, after === undefined ? begin : `${begin}${after}0`]);
}
