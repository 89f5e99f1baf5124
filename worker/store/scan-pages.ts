// Scans as pages show them: the last ones with promise 8's numbers, and one that asks. Reads only.
import * as z from 'zod';
import { ScanCounts } from '../../protocol/rows.ts';
import { ScanState } from '../../protocol/words.ts';

const NO_COUNTS: ScanCounts = { seen: 0, indexed: 0, changed: 0, moved: 0, unchanged: 0, duplicate: 0, sidecar: 0, ignored: 0, failed: 0 };
const Scan = z.object({
  scan_id: z.string(), volume_id: z.string(), root_id: z.string(), state: ScanState, started_ms: z.number(), ended_ms: z.number().nullable(),
  counts: z.string().transform((text): ScanCounts => { try { return ScanCounts.parse(JSON.parse(text)); } catch { return NO_COUNTS; } }),
  vanished: z.int(), reason: z.string().nullable(),
});
export type Scan = z.infer<typeof Scan>;

export const VOLUME_SCANS_SQL = 'SELECT scan_id, volume_id, root_id, state, started_ms, ended_ms, counts, vanished, reason FROM scans WHERE volume_id = ?1 ORDER BY started_ms DESC LIMIT ?2';
export const SCAN_SQL = 'SELECT scan_id, volume_id, root_id, state, started_ms, ended_ms, counts, vanished, reason FROM scans WHERE scan_id = ?1';

/** The last scans of one drive, newest first. */
export async function listScans(db: D1Database, volumeId: string, limit: number): Promise<Scan[]> {
  return z.array(Scan).parse((await db.prepare(VOLUME_SCANS_SQL).bind(volumeId, limit).all()).results);
}

export async function findScan(db: D1Database, scanId: string): Promise<Scan | undefined> {
  const row = await db.prepare(SCAN_SQL).bind(scanId).first();
  return row ? Scan.parse(row) : undefined;
}
