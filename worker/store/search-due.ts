// Which assets' documents of the search must be written again. Each change of a fact that a document holds marks here, in
// the change's own transaction; worker/search/feed.ts reads and empties. Marking twice is harmless.
import type { PlaceRow } from '../../protocol/rows.ts';
import { cleanText } from '../db/bulk.ts';

/** Ends `INSERT INTO search_due (asset_id, mark) SELECT …`. Fifty-three bits, for JavaScript reads it as a number. */
const MARK = 'random() >> 11';
const AGAIN = 'ON CONFLICT (asset_id) DO UPDATE SET mark = excluded.mark';

/** Marks the assets of `?1` (JSON list of keys) while `condition` holds. */
export function dueSql(condition = 'true'): string {
  return `INSERT INTO search_due (asset_id, mark) SELECT value, ${MARK} FROM json_each(?1) WHERE ${condition} ${AGAIN}`;
}

// Before the rows are written, and only where they will say something else.
export const DUE_CELLS_SQL = `WITH told AS MATERIALIZED (SELECT j.value->>0 AS cell FROM json_each(?1) j CROSS JOIN places p ON p.cell = j.value->>0
  WHERE j.value->>1 >= p.rank AND json_array(p.rank > 0, p.street, p.neighbourhood, p.city, p.region, p.country, p.country_code) IS NOT json_array(true, j.value->>2, j.value->>3, j.value->>4, j.value->>5, j.value->>6, j.value->>7))
INSERT INTO search_due (asset_id, mark) SELECT asset_id, ${MARK} FROM (
  SELECT t.asset_id FROM told CROSS JOIN timeline_items t INDEXED BY timeline_items_by_cell ON t.cell = told.cell AND t.shown = 1
  UNION SELECT t.asset_id FROM told CROSS JOIN timeline_items t INDEXED BY timeline_items_archived_by_cell ON t.cell = told.cell AND t.archived = 1) WHERE true ${AGAIN}`;

/** Marks all that lies in cells whose names these rows change; stands before they are written. */
export function markCellsDue(db: D1Database, rows: readonly PlaceRow[]): D1PreparedStatement {
  return db.prepare(DUE_CELLS_SQL).bind(JSON.stringify(rows.map((r) => [r.cell, r.rank, ...[r.street, r.neighbourhood, r.city, r.region, r.country].map(cleanText), r.country_code])));
}

export const DUE_ALBUMS_SQL = (condition: string) => `INSERT INTO search_due (asset_id, mark) SELECT asset_id, ${MARK} FROM (
  SELECT DISTINCT a.asset_id FROM json_each(?1) j CROSS JOIN albums b ON b.import_key = j.value->>0 CROSS JOIN album_assets m ON m.album_id = b.album_id CROSS JOIN assets a ON a.sha256 = m.sha256
  WHERE j.value->>1 < b.title) WHERE ${condition} ${AGAIN}`;

/** Empties the words and marks everything: the documents are then made from the library as it is. Safe to run twice at once. */
export async function rebuildSearch(db: D1Database): Promise<void> {
  await db.batch([
    db.prepare("INSERT INTO search_words (search_words) VALUES ('delete-all')"),
    db.prepare("INSERT INTO search_names (search_names) VALUES ('delete-all')"),
    // A document that is gone while its columns stay elsewhere would never be looked at again.
    db.prepare(`INSERT INTO search_due (asset_id, mark) SELECT asset_id, ${MARK} FROM (SELECT asset_id FROM timeline_items UNION SELECT asset_id FROM search_docs) WHERE true ${AGAIN}`),
    db.prepare('DELETE FROM search_docs'),
  ]);
}
