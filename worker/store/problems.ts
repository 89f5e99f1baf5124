// Files that could not be read and folders that were skipped (promise 8), as ingest writes them and `/api/problems` lists them.
import type { ProblemRow } from '../../protocol/rows.ts';
import { PAGE_ROWS } from '../../protocol/limits.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';

const UPSERT = bulkUpsertSql({
  table: 'problems', columns: ['volume_id', 'path', 'revision', 'code', 'reason', 'stage', 'at_ms'], key: ['volume_id', 'path'],
  when: 'excluded.revision > problems.revision',
});
export const DELETE_SOLVED_SQL = `DELETE FROM problems WHERE (volume_id, path) IN (SELECT value->>0, value->>1 FROM json_each(?1))
AND revision < (SELECT max(value->>2) FROM json_each(?1) j WHERE j.value->>0 = problems.volume_id AND j.value->>1 = problems.path)`;
export const LIST_PROBLEMS_SQL = `SELECT p.volume_id, coalesce(v.owner_label, v.label) AS volume, p.path, p.code, p.reason, p.stage, p.at_ms
FROM problems p LEFT JOIN volumes v ON v.volume_id = p.volume_id
WHERE (p.volume_id, p.path) > (?1, ?2) ORDER BY p.volume_id, p.path LIMIT ?3`;

export interface Problem { volume_id: string; volume: string | null; path: string; code: string; reason: string; stage: string; at_ms: number }

/** Open rows are upserted, solved ones taken away; a solved row older than the stored one does nothing. */
export function writeProblems(db: D1Database, rows: readonly ProblemRow[]): D1PreparedStatement[] {
  const open = rows.filter((r) => !r.solved);
  const solved = rows.filter((r) => r.solved);
  const statements: D1PreparedStatement[] = [];
  if (open.length > 0) statements.push(db.prepare(UPSERT).bind(JSON.stringify(open.map((r) => [r.volume_id, r.path, r.revision, r.code, cleanText(r.reason), cleanText(r.stage), r.at_ms]))));
  if (solved.length > 0) statements.push(db.prepare(DELETE_SOLVED_SQL).bind(JSON.stringify(solved.map((r) => [r.volume_id, r.path, r.revision]))));
  return statements;
}

/** One page after (volume, path), in that order; PAGE_ROWS at most. Start with two empty strings. */
export async function listProblemRows(db: D1Database, after: { volume_id: string; path: string }): Promise<Problem[]> {
  const { results } = await db.prepare(LIST_PROBLEMS_SQL).bind(after.volume_id, after.path, PAGE_ROWS).all<Problem>();
  return results;
}
