// What lies at a path of a drive: one file, or all below a folder; and what of it lies in the trash.
import { MAX_ORDER_ASSETS } from '../../protocol/orders.ts';

const END = '\u{10FFFF}';
export const AT_PATH_SQL = 'SELECT sha256, path FROM locations WHERE volume_id = ?1 AND path = ?2 AND missing_since_ms IS NULL';
export const BELOW_PATH_SQL = 'SELECT sha256, path FROM locations WHERE volume_id = ?1 AND path >= ?2 AND path < ?3 AND missing_since_ms IS NULL ORDER BY path LIMIT ?4';
export const TRASHED_AT_SQL = "SELECT sha256, path FROM trash_files INDEXED BY trash_files_by_volume WHERE volume_id = ?1 AND (path = ?2 OR (path >= ?3 AND path < ?4)) AND sha256 IS NOT NULL AND role = 'asset' LIMIT ?5";
export const ELSEWHERE_SQL = `SELECT DISTINCT l.sha256 FROM (SELECT DISTINCT value->>2 AS sha256 FROM json_each(?1)) j CROSS JOIN locations l ON l.sha256 = j.sha256 AND l.missing_since_ms IS NULL
  WHERE (l.volume_id, l.path) NOT IN (SELECT value->>0, value->>1 FROM json_each(?1))`;

export interface FoundFile { volume_id: string; path: string; sha256: string }

/** What lies at a path of a volume ('' is its top), at most MAX_ORDER_ASSETS + 1 files; `trashed`: what lay there and lies in the trash. */
export async function filesAt(db: D1Database, volumeId: string, path: string, trashed: boolean): Promise<FoundFile[]> {
  const [from, to] = path === '' ? ['', END] : [`${path}/`, `${path}0`];
  const read = async (sql: string, ...values: unknown[]) => (await db.prepare(sql).bind(volumeId, ...values).all<{ sha256: string; path: string }>()).results.map((r) => ({ volume_id: volumeId, ...r }));
  if (trashed) return read(TRASHED_AT_SQL, path, from, to, MAX_ORDER_ASSETS + 1);
  const exact = path === '' ? [] : await read(AT_PATH_SQL, path);
  return exact.length > 0 ? exact : read(BELOW_PATH_SQL, from, to, MAX_ORDER_ASSETS + 1);
}

/** Hashes of these files that lie in others too. */
export async function hashesElsewhere(db: D1Database, files: readonly FoundFile[]): Promise<Set<string>> {
  const rows = JSON.stringify(files.map((f) => [f.volume_id, f.path, f.sha256]));
  return new Set((await db.prepare(ELSEWHERE_SQL).bind(rows).all<{ sha256: string }>()).results.map((r) => r.sha256));
}
