// Scans, and the only door through which a location becomes missing (promise 2).
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { ScanComplete, ScanRow } from '../../protocol/rows.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';
import { scans } from '../db/schema.ts';
import { handOver } from './successors.ts';
import { markSql, markUnresolved, resolveMarked } from './timeline-items.ts';
import { retireReplaced } from './volumes.ts';

const UPSERT = bulkUpsertSql({
  table: 'scans', columns: ['scan_id', 'revision', 'volume_id', 'root_id', 'state', 'started_ms', 'ended_ms', 'counts', 'vanished', 'reason'], key: ['scan_id'],
  when: 'excluded.revision > scans.revision',
});
/** Marks of applied parts that are kept; a part is repeated at once or never. */
const COMPLETIONS_KEPT = 1_000;

const FRESH = 'NOT EXISTS (SELECT 1 FROM completions c WHERE c.scan_id = ?1 AND c.part = ?2)';
// A moved file's old row goes only where its hash is known to be elsewhere; else it is marked like any other that was not found.
const ELSEWHERE = `EXISTS (SELECT 1 FROM locations o WHERE o.sha256 = locations.sha256 AND o.missing_since_ms IS NULL
  AND NOT (o.volume_id = ?3 AND o.path IN (SELECT value FROM json_each(?4))))`;
export const MOVED_SQL = `SELECT DISTINCT l.sha256 AS sha256 FROM json_each(?2) j CROSS JOIN locations l ON l.volume_id = ?1 AND l.path = j.value`;
export const DELETE_MOVED_SQL = `DELETE FROM locations WHERE volume_id = ?3 AND path IN (SELECT value FROM json_each(?4)) AND ${ELSEWHERE} AND ${FRESH}`;
export const DELETE_MOVED_EVIDENCE_SQL = `DELETE FROM evidence WHERE volume_id = ?3 AND path IN (SELECT value FROM json_each(?4))
AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.volume_id = evidence.volume_id AND l.path = evidence.path) AND ${FRESH}`;
export const MARK_MISSING_SQL = `UPDATE locations SET missing_since_ms = ?5 WHERE volume_id = ?3 AND path IN (SELECT value FROM json_each(?4))
AND missing_since_ms IS NULL AND ${FRESH}`;
// Before they are marked missing: their copies are counted again. A completion names some thousands, so the marks stay bounded.
export const MARK_GONE_SQL = markSql(`SELECT DISTINCT l.sha256 AS sha256 FROM json_each(?4) j CROSS JOIN locations l ON l.volume_id = ?3 AND l.path = j.value WHERE l.missing_since_ms IS NULL AND ${FRESH}`, '?5');

export interface CompleteAnswer { marked: number; removed: number }
export type CompleteOutcome = { ok: true; answer: CompleteAnswer; changed: boolean } | { ok: false; reason: string };

export function upsertScans(db: D1Database, rows: readonly ScanRow[]): D1PreparedStatement {
  return db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [
    r.scan_id, r.revision, r.volume_id, r.root_id, r.state, r.started_ms, r.ended_ms, r.counts, r.vanished, cleanText(r.reason),
  ])));
}

/**
 * Marks what a completed scan did not find and removes the old rows of what moved; of a scan that asks, only the latter.
 * `ok` is false, with a sentence, where the scan is unknown, in any other state or of another volume. The same call again changes nothing and says so (zeros), even when
 * a marked file has come back since.
 */
export async function completeScan(db: D1Database, scanId: string, body: ScanComplete, nowMs: number): Promise<CompleteOutcome> {
  const scan = await drizzle(db).select().from(scans).where(eq(scans.scan_id, scanId)).get();
  if (!scan) return { ok: false, reason: `The Worker knows no scan ${scanId}; push its row first.` };
  // A scan that waits for the owner's word has walked to its end all the same: what it found moved is moved.
  const asks = scan.state === 'question' && body.missing.length === 0;
  if (scan.state !== 'completed' && !asks) return { ok: false, reason: `Scan ${scanId} is ${scan.state}; only a completed scan may make locations missing.` };
  if (scan.volume_id !== body.volume_id) return { ok: false, reason: `Scan ${scanId} was of another volume.` };

  const part = await partOf(body);
  const missing = JSON.stringify(body.missing);
  const moved = JSON.stringify(body.moved_from);
  const touched = (await db.prepare(MOVED_SQL).bind(body.volume_id, moved).all<{ sha256: string }>()).results.map((r) => r.sha256);
  const key = [scanId, part, body.volume_id] as const;
  const statements = [
    db.prepare(MARK_GONE_SQL).bind(...key, missing, crypto.randomUUID()),
    db.prepare(DELETE_MOVED_SQL).bind(...key, moved),
    db.prepare(DELETE_MOVED_EVIDENCE_SQL).bind(...key, moved),
    db.prepare(MARK_MISSING_SQL).bind(...key, asks ? '[]' : moved, body.at_ms),
    db.prepare(MARK_MISSING_SQL).bind(...key, missing, body.at_ms),
    // Last, for the others ask whether it is there.
    db.prepare('INSERT INTO completions (scan_id, part, at_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING').bind(scanId, part, nowMs),
    db.prepare('DELETE FROM completions WHERE (scan_id, part) IN (SELECT scan_id, part FROM completions ORDER BY at_ms DESC LIMIT -1 OFFSET ?1)').bind(COMPLETIONS_KEPT),
  ];
  if (body.moved_from.length > 0) statements.push(...retireReplaced(db));
  if (touched.length > 0) statements.push(markUnresolved(db, touched));
  const done = await db.batch(statements);
  const changes = done.map((d) => d.meta.changes);
  const answer: CompleteAnswer = { removed: changes[1] ?? 0, marked: (changes[3] ?? 0) + (changes[4] ?? 0) };
  // The last location of an edited file's old content may have gone.
  await handOver(db, nowMs);
  await resolveMarked(db, nowMs);
  return { ok: true, answer, changed: answer.removed + answer.marked > 0 };
}

/** The name of one part of a completion: a hash of what it says. */
async function partOf(body: ScanComplete): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([body.volume_id, body.missing, body.moved_from]));
  return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((b) => b.toString(16).padStart(2, '0')).join('');
}
