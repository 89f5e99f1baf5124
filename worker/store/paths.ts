// What lies at a path of a drive: one file, or all below a folder; and what of it lies in the trash.
import { MAX_ORDER_ASSETS } from '../../protocol/orders.ts';

const END = '\u{10FFFF}';
export const AT_PATH_SQL = 'SELECT DISTINCT sha256 FROM locations WHERE volume_id = ?1 AND path = ?2 AND missing_since_ms IS NULL';
export const BELOW_PATH_SQL = 'SELECT DISTINCT sha256 FROM locations WHERE volume_id = ?1 AND path >= ?2 AND path < ?3 AND missing_since_ms IS NULL LIMIT ?4';
export const TRASHED_AT_SQL = "SELECT DISTINCT sha256 FROM trash_files INDEXED BY trash_files_by_volume WHERE volume_id = ?1 AND (path = ?2 OR (path >= ?3 AND path < ?4)) AND sha256 IS NOT NULL AND role = 'asset' LIMIT ?5";

/** Hashes at a path of a volume ('' is its top), at most MAX_ORDER_ASSETS + 1; `trashed`: those that lay there and lie in the trash. */
export async function hashesAt(db: D1Database, volumeId: string, path: string, trashed: boolean): Promise<string[]> {
  const [from, to] = path === '' ? ['', END] : [`${path}/`, `${path}0`];
  const read = async (sql: string, ...values: unknown[]) => (await db.prepare(sql).bind(...values).all<{ sha256: string }>()).results.map((r) => r.sha256);
  if (trashed) return read(TRASHED_AT_SQL, volumeId, path, from, to, MAX_ORDER_ASSETS + 1);
  const exact = path === '' ? [] : await read(AT_PATH_SQL, volumeId, path);
  return exact.length > 0 ? exact : read(BELOW_PATH_SQL, volumeId, from, to, MAX_ORDER_ASSETS + 1);
}
