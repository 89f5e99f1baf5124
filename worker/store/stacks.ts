// Which assets are shown under which, as the agent says it. The resolver decides what holds (resolve-input.ts).
import type { StackRow } from '../../protocol/rows.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';

const UPSERT = bulkUpsertSql({
  table: 'stacks', columns: ['member_sha256', 'primary_sha256', 'type', 'basis', 'revision', 'removed'], key: ['member_sha256'], when: 'excluded.revision > stacks.revision',
});
export const CHANGED_STACKS_SQL = `SELECT j.key AS i, s.primary_sha256 AS old FROM json_each(?1) j LEFT JOIN stacks s ON s.member_sha256 = j.value->>0
WHERE s.revision IS NULL OR s.revision < j.value->>1`;

/** Rows (`i`) that are new or newer, each with the primary that it had (`old`, null where none). */
export function selectChangedStacks(db: D1Database, rows: readonly StackRow[]): D1PreparedStatement {
  return db.prepare(CHANGED_STACKS_SQL).bind(JSON.stringify(rows.map((r) => [r.member_sha256, r.revision])));
}

export function upsertStacks(db: D1Database, rows: readonly StackRow[]): D1PreparedStatement {
  return db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [r.member_sha256, r.primary_sha256, r.type, cleanText(r.basis), r.revision, r.removed])));
}
