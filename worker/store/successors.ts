// Who succeeds whom (promise 3): the agent says that a file was edited in place, and once the old content is nowhere any
// more, not even missing, the new one takes over what the owner did with it: what it has none of itself. The old one keeps
// its own, so that it is as it was should it come back. Runs after whatever could set a hand-over free; crash-safe, for
// what waits says so itself (handed_at_ms NULL), and handing on twice changes nothing.
import type { SuccessorRow } from '../../protocol/rows.ts';
import { bulkUpsertSql } from '../db/bulk.ts';
import { ofOwner } from './album-members.ts';
import { editSide, OWNER_FIELDS, tagEntries, togetherWith, type OwnerField } from './owner-fields.ts';
import { refreshNearSql } from './near.ts';
import { markSql } from './timeline-items.ts';

/** For people, on the page of changes. */
const SUMMARY = 'Handed on to edited files';
/** Hand-overs of one transaction; more go round again. */
const ROUND = 2_000;
/** No chain of edits is longer; the rest goes on with the next batch. */
const MAX_ROUNDS = 100;

const UPSERT = bulkUpsertSql({
  table: 'successors', columns: ['old_sha256', 'new_sha256', 'revision', 'handed_at_ms'], key: ['old_sha256'], when: 'excluded.revision > successors.revision',
});
export const WAITING_SQL = `SELECT old_sha256 FROM successors s INDEXED BY successors_by_handed WHERE s.handed_at_ms IS NULL
AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.sha256 = s.old_sha256) LIMIT 1`;
// One old content a new one and round, so that of two that say different things the same one always wins. -1: in this round.
export const TAKE_SQL = `UPDATE successors SET handed_at_ms = -1 WHERE old_sha256 IN (SELECT min(s.old_sha256) FROM successors s INDEXED BY successors_by_handed
  WHERE s.handed_at_ms IS NULL AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.sha256 = s.old_sha256) GROUP BY s.new_sha256 LIMIT ${ROUND})`;
const TAKEN = 'successors s INDEXED BY successors_by_handed';
const EDIT = '(SELECT max(edit_id) FROM edits)';

const lacking = (old: string, next: string) => `m.sha256 = ${old} AND ${ofOwner('m')} AND NOT EXISTS (SELECT 1 FROM album_assets n WHERE n.album_id = m.album_id AND n.sha256 = ${next} AND ${ofOwner('n')})`;
const handed = (field: OwnerField) => `CASE WHEN ${togetherWith(field).map((f) => `c.${f} IS NULL`).join(' AND ')} THEN o.${field} ELSE c.${field} END`;
const albums = (layer: string, position: string) => `(SELECT json_group_array(json_array(m.album_id, ${layer}, ${position}) ORDER BY m.album_id) FROM album_assets m WHERE ${lacking('s.old_sha256', 's.new_sha256')})`;
export const HAND_ROWS_SQL = `INSERT INTO edit_rows (edit_id, sha256, before, after) SELECT ${EDIT}, x.sha256, x.before, x.after FROM (
  SELECT s.new_sha256 AS sha256, ${editSide((f) => `c.${f}`, tagEntries('c.tags', handed('tags')), albums('NULL', 'NULL'))} AS before,
    ${editSide(handed, tagEntries(handed('tags'), 'c.tags'), albums('m.layer', 'm.position'))} AS after
  FROM ${TAKEN} LEFT JOIN curation o ON o.sha256 = s.old_sha256 LEFT JOIN curation c ON c.sha256 = s.new_sha256 WHERE s.handed_at_ms = -1) x WHERE x.before IS NOT x.after`;
export const HAND_FIELDS_SQL = `INSERT INTO curation (sha256, ${OWNER_FIELDS.join(', ')}, changed_at_ms) SELECT s.new_sha256, ${OWNER_FIELDS.map(handed).join(', ')}, ?1
FROM ${TAKEN} CROSS JOIN curation o ON o.sha256 = s.old_sha256 LEFT JOIN curation c ON c.sha256 = s.new_sha256 WHERE s.handed_at_ms = -1 AND (${OWNER_FIELDS.map((f) => `${handed(f)} IS NOT c.${f}`).join(' OR ')})
ON CONFLICT (sha256) DO UPDATE SET ${[...OWNER_FIELDS, 'changed_at_ms'].map((f) => `${f} = excluded.${f}`).join(', ')}`;
export const HAND_MEMBERS_SQL = `INSERT INTO album_assets (album_id, sha256, layer, position) SELECT m.album_id, s.new_sha256, m.layer, m.position
FROM ${TAKEN} CROSS JOIN album_assets m ON ${lacking('s.old_sha256', 's.new_sha256')} WHERE s.handed_at_ms = -1`;
const HAND_COVERS_SQL = `UPDATE albums SET cover_sha256 = (SELECT s.new_sha256 FROM successors s WHERE s.old_sha256 = albums.cover_sha256)
WHERE cover_sha256 IN (SELECT s.old_sha256 FROM ${TAKEN} WHERE s.handed_at_ms = -1)`;
// That look-alikes may all stay goes for what one of them became.
export const HAND_KEPT_SQL = `INSERT INTO near_kept (sha256, kept, at_ms) SELECT s.new_sha256, k.kept, k.at_ms FROM ${TAKEN} CROSS JOIN near_kept k ON k.sha256 = s.old_sha256 WHERE s.handed_at_ms = -1 ON CONFLICT (sha256) DO NOTHING`;
export const HAND_SHOWN_SQL = refreshNearSql(`SELECT n.group_sha256 FROM ${TAKEN} CROSS JOIN near n ON n.member_sha256 = s.new_sha256 WHERE s.handed_at_ms = -1`);
const MARK_SQL = markSql(`SELECT s.new_sha256 AS sha256 FROM ${TAKEN} WHERE s.handed_at_ms = -1`, '?1');
// What came late to a link of a chain goes on to the next one: only while there is something that it lacks, so that this ends.
export const ALONG_SQL = `UPDATE successors SET handed_at_ms = NULL WHERE handed_at_ms > 0 AND old_sha256 IN (SELECT s.new_sha256 FROM ${TAKEN} WHERE s.handed_at_ms = -1)
AND (EXISTS (SELECT 1 FROM edit_rows r WHERE r.edit_id = ${EDIT} AND r.sha256 = successors.old_sha256)
  OR EXISTS (SELECT 1 FROM album_assets m WHERE ${lacking('successors.old_sha256', 'successors.new_sha256')})
  OR EXISTS (SELECT 1 FROM near_kept k WHERE k.sha256 = successors.old_sha256 AND NOT EXISTS (SELECT 1 FROM near_kept n WHERE n.sha256 = successors.new_sha256)))`;

export function upsertSuccessors(db: D1Database, rows: readonly SuccessorRow[]): D1PreparedStatement {
  return db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [r.old_sha256, r.new_sha256, r.revision, null])));
}

/** Hands over what can be. Returns whether there was anything; the touched assets are marked, and the caller has them resolved. */
export async function handOver(db: D1Database, nowMs: number): Promise<boolean> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    // Nearly always there is nothing, and then nothing is written.
    if (!(await db.prepare(WAITING_SQL).first())) return round > 0;
    await db.batch([
      db.prepare(TAKE_SQL),
      db.prepare('INSERT INTO edits (at_ms, summary, assets) VALUES (?1, ?2, 0)').bind(nowMs, SUMMARY),
      db.prepare(HAND_ROWS_SQL),
      db.prepare(HAND_FIELDS_SQL).bind(nowMs),
      db.prepare(HAND_MEMBERS_SQL),
      db.prepare(HAND_COVERS_SQL),
      db.prepare(HAND_KEPT_SQL),
      db.prepare(HAND_SHOWN_SQL),
      db.prepare(MARK_SQL).bind(crypto.randomUUID()),
      db.prepare(ALONG_SQL),
      db.prepare(`UPDATE edits SET assets = (SELECT count(*) FROM edit_rows r WHERE r.edit_id = edits.edit_id) WHERE edit_id = ${EDIT}`),
      db.prepare(`DELETE FROM edits WHERE edit_id = ${EDIT} AND assets = 0`),
      db.prepare('UPDATE successors SET handed_at_ms = ?1 WHERE handed_at_ms = -1').bind(nowMs),
    ]);
  }
  return true;
}
