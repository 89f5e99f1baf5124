// Files and folders that could not be used, by name and reason. One row a path; solved rows leave the page.
import type { ProblemCode } from '../../protocol/words.ts';
import type { Catalog } from './catalog.ts';

export interface Problem { volume_id: string; path: string; code: ProblemCode; reason: string; stage: string; at_ms: number }

/** What the protocol takes. */
const MAX_REASON = 1_000;

/** Writes it unless the same is already there. Inside the caller's transaction or its own. */
export function recordProblem(catalog: Catalog, p: Problem): void {
  const reason = p.reason.slice(0, MAX_REASON);
  const old = catalog.prepare('SELECT code, reason, stage, solved FROM problems WHERE volume_id = ? AND path = ?').get(p.volume_id, p.path);
  if (old && old['solved'] === 0 && old['code'] === p.code && old['reason'] === reason && old['stage'] === p.stage) return;
  catalog.transact(() => catalog.prepare(`INSERT INTO problems (volume_id, path, code, reason, stage, at_ms, solved, revision) VALUES (?, ?, ?, ?, ?, ?, 0, ?)
    ON CONFLICT (volume_id, path) DO UPDATE SET code = excluded.code, reason = excluded.reason, stage = excluded.stage, at_ms = excluded.at_ms, solved = 0, revision = excluded.revision`)
    .run(p.volume_id, p.path, p.code, reason, p.stage, p.at_ms, catalog.nextRevision()));
}

export function solveProblem(catalog: Catalog, volumeId: string, path: string): void {
  if (!catalog.prepare('SELECT 1 FROM problems WHERE volume_id = ? AND path = ? AND solved = 0').get(volumeId, path)) return;
  catalog.transact(() => catalog.prepare('UPDATE problems SET solved = 1, revision = ? WHERE volume_id = ? AND path = ?').run(catalog.nextRevision(), volumeId, path));
}

export function getProblem(catalog: Catalog, volumeId: string, path: string): Problem | undefined {
  const row = catalog.prepare('SELECT * FROM problems WHERE volume_id = ? AND path = ? AND solved = 0').get(volumeId, path);
  return row ? (row as unknown as Problem) : undefined;
}

/** Unsolved problems of a volume at or below a folder ('' is the whole volume), by path. */
export function listProblems(catalog: Catalog, volumeId: string, folder: string): Problem[] {
  const rows = folder === ''
    ? catalog.prepare('SELECT volume_id, path, code, reason, stage, at_ms FROM problems WHERE volume_id = ? AND solved = 0 ORDER BY path').all(volumeId)
    : catalog.prepare("SELECT volume_id, path, code, reason, stage, at_ms FROM problems WHERE volume_id = ?1 AND (path = ?2 OR (path > ?2 || '/' AND path < ?2 || '0')) AND solved = 0 ORDER BY path").all(volumeId, folder);
  return rows as unknown as Problem[];
}
