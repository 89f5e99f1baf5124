// Scans and what they found, and the completions that wait for the outbox to drain.
import type { ScanCounts, ScanComplete } from '../../protocol/rows.ts';
import type { ScanState } from '../../protocol/words.ts';
import type { Catalog } from './catalog.ts';

export interface Scan {
  scan_id: string; volume_id: string; root_id: string; state: ScanState; started_ms: number; ended_ms: number | null;
  counts: ScanCounts; vanished: number; reason: string | null; vanished_paths: string[] | null;
}

/** Scans of one root that are kept; older ones tell nobody anything. */
const KEPT_SCANS = 30;
/** Reason of a scan whose question was answered with `keep`. */
export const KEPT = 'kept';

/**
 * Writes a scan's row. With `tell` it is due to be pushed; a scan that found everything as it was is not, so that an
 * unchanged re-sync writes no row in D1.
 */
export function putScan(catalog: Catalog, scan: Scan, tell: boolean): void {
  catalog.transact(() => {
    const revision = tell ? catalog.nextRevision() : 0;
    catalog.prepare(`INSERT INTO scans (scan_id, volume_id, root_id, state, started_ms, ended_ms, counts, vanished, reason, vanished_paths, revision, pushed_revision)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (scan_id) DO UPDATE SET state = excluded.state, ended_ms = excluded.ended_ms, counts = excluded.counts,
      vanished = excluded.vanished, reason = excluded.reason, vanished_paths = excluded.vanished_paths, revision = max(revision, excluded.revision)`)
      .run(scan.scan_id, scan.volume_id, scan.root_id, scan.state, scan.started_ms, scan.ended_ms, JSON.stringify(scan.counts), scan.vanished, scan.reason,
        scan.vanished_paths ? JSON.stringify(scan.vanished_paths) : null, revision);
  });
}

export function getScan(catalog: Catalog, scanId: string): Scan | undefined {
  const row = catalog.prepare('SELECT * FROM scans WHERE scan_id = ?').get(scanId);
  return row ? toScan(row) : undefined;
}

/** The last scan of a root that has ended, or undefined. */
export function lastScan(catalog: Catalog, rootId: string): Scan | undefined {
  const row = catalog.prepare("SELECT * FROM scans WHERE root_id = ? AND state <> 'running' ORDER BY started_ms DESC, scan_id DESC LIMIT 1").get(rootId);
  return row ? toScan(row) : undefined;
}

/** Scans that wait for the owner's answer, oldest first. */
export function listQuestions(catalog: Catalog): Scan[] {
  return catalog.prepare("SELECT * FROM scans WHERE state = 'question' ORDER BY started_ms, scan_id").all().map(toScan);
}

/** The paths that the owner last said to keep under this root. */
export function keptPaths(catalog: Catalog, rootId: string): Set<string> {
  const row = catalog.prepare('SELECT vanished_paths FROM scans WHERE root_id = ? AND reason = ? ORDER BY started_ms DESC LIMIT 1').get(rootId, KEPT);
  return new Set(row ? (JSON.parse((row['vanished_paths'] as string | null) ?? '[]') as string[]) : []);
}

/** A new scan of a root has ended: its earlier questions lapse, scans that a crash cut short are closed, old rows go. */
export function settleEarlierScans(catalog: Catalog, rootId: string, scanId: string): void {
  for (const row of catalog.prepare("SELECT * FROM scans WHERE root_id = ? AND scan_id <> ? AND state IN ('question', 'running')").all(rootId, scanId)) {
    const old = toScan(row);
    putScan(catalog, { ...old, state: 'stopped', reason: old.state === 'question' ? 'A later scan looked again.' : 'It was cut short.', vanished_paths: null }, (row['revision'] as number) > 0);
  }
  catalog.prepare(`DELETE FROM scans WHERE root_id = ?1 AND scan_id <> ?2 AND reason IS NOT ?3 AND revision <= pushed_revision AND scan_id NOT IN
    (SELECT scan_id FROM scans WHERE root_id = ?1 ORDER BY started_ms DESC LIMIT ?4)`).run(rootId, scanId, KEPT, KEPT_SCANS);
}

/** Queues what the Worker will be told once everything before it has been pushed; cut into calls of `pathsPerCall`. */
export function queueCompletion(catalog: Catalog, scanId: string, body: ScanComplete, pathsPerCall: number): void {
  const parts = Math.ceil(Math.max(body.missing.length, body.moved_from.length) / pathsPerCall);
  for (let i = 0; i < parts; i += 1) {
    const part = { ...body, missing: body.missing.slice(i * pathsPerCall, (i + 1) * pathsPerCall), moved_from: body.moved_from.slice(i * pathsPerCall, (i + 1) * pathsPerCall) };
    catalog.prepare('INSERT INTO completions (scan_id, body) VALUES (?, ?)').run(scanId, JSON.stringify(part));
  }
}

function toScan(row: Record<string, unknown>): Scan {
  return {
    scan_id: row['scan_id'] as string, volume_id: row['volume_id'] as string, root_id: row['root_id'] as string, state: row['state'] as ScanState,
    started_ms: row['started_ms'] as number, ended_ms: row['ended_ms'] as number | null, counts: JSON.parse(row['counts'] as string) as ScanCounts,
    vanished: row['vanished'] as number, reason: row['reason'] as string | null, vanished_paths: row['vanished_paths'] === null ? null : (JSON.parse(row['vanished_paths'] as string) as string[]),
  };
}
