// Files that could not be read, for the page of problems: counted by code, listed by drive and path. Reads only.
import * as z from 'zod';
import { ProblemCode } from '../../protocol/words.ts';

const Problem = z.object({
  volume_id: z.string(), path: z.string(), code: ProblemCode, reason: z.string(), stage: z.string(), at_ms: z.number(), label: z.string(),
});
export type Problem = z.infer<typeof Problem>;
export interface ProblemCount { code: ProblemCode; count: number }
export interface ProblemCursor { volumeId: string; path: string }

export const PROBLEM_COUNTS_SQL = 'SELECT code, count(*) AS count FROM problems GROUP BY code';
export const PROBLEMS_SQL = `SELECT p.volume_id, p.path, p.code, p.reason, p.stage, p.at_ms, coalesce(v.owner_label, v.label, p.volume_id) AS label
  FROM problems p LEFT JOIN volumes v ON v.volume_id = p.volume_id
  WHERE p.code = ?1 AND (p.volume_id, p.path) > (?2, ?3) ORDER BY p.volume_id, p.path LIMIT ?4`;
export const PROBLEM_TOTAL_SQL = 'SELECT count(*) AS n FROM (SELECT 1 FROM problems LIMIT ?1)';
/** The rail shows at most this number, with a plus; counting further would cost every page. */
export const PROBLEMS_COUNTED = 999;

/** How many there are, up to `PROBLEMS_COUNTED + 1`. */
export async function countProblems(db: D1Database): Promise<number> {
  return (await db.prepare(PROBLEM_TOTAL_SQL).bind(PROBLEMS_COUNTED + 1).first<{ n: number }>())?.n ?? 0;
}

/** Counts by code, most first. */
export async function listProblemCounts(db: D1Database): Promise<ProblemCount[]> {
  const rows = z.array(z.object({ code: ProblemCode, count: z.int() })).parse((await db.prepare(PROBLEM_COUNTS_SQL).all()).results);
  return rows.sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}

export async function listProblems(db: D1Database, code: ProblemCode, after: ProblemCursor, limit: number): Promise<Problem[]> {
  return z.array(Problem).parse((await db.prepare(PROBLEMS_SQL).bind(code, after.volumeId, after.path, limit).all()).results);
}
