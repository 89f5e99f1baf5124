// Folders of a volume as pages show them: subfolders with a picture, and what lies directly inside. By what is known of the
// drive, wherever it is. Reads only.
import * as z from 'zod';
import { AssetKind } from '../../protocol/words.ts';
import { FOLDER_ENTRIES, folderParameter } from './grid-sets.ts';

const Subfolder = z.object({ name: z.string(), sha256: z.string().nullable(), kind: AssetKind.nullable(), grid_version: z.int().nullable(), color: z.string().nullable() });
export type Subfolder = z.infer<typeof Subfolder>;

/** Files that are looked at for the picture of a subfolder; beyond, it has none. */
const COVER_TRIES = 30;
// Subfolders in the order of names, each with the first file below it that is shown.
export const SUBFOLDERS_SQL = `SELECT d.name, i.sha256, i.kind, i.grid_version, i.color FROM (
    SELECT substr(f.path, length(?1->>1) + 1, f.slash - 1) AS name, substr(f.path, 1, length(?1->>1) + f.slash - 1) AS whole FROM (${FOLDER_ENTRIES}) f WHERE f.slash > 0 LIMIT ?2) d
  LEFT JOIN timeline_items i ON i.asset_id = (SELECT a.asset_id FROM (SELECT l.sha256, l.missing_since_ms FROM locations l WHERE l.volume_id = ?1->>0 AND l.path >= d.whole || '/' AND l.path < d.whole || '0' ORDER BY l.path LIMIT ${COVER_TRIES}) x
    CROSS JOIN assets a ON a.sha256 = x.sha256 WHERE x.missing_since_ms IS NULL AND a.grid_version > 0 LIMIT 1)`;
export const MISSING_SQL = `SELECT count(*) AS n FROM (${FOLDER_ENTRIES}) f CROSS JOIN locations l ON l.volume_id = ?1->>0 AND l.path = f.path AND l.missing_since_ms IS NOT NULL WHERE f.slash = 0`;
export const HAS_BELOW_SQL = 'SELECT 1 AS n FROM locations l WHERE l.volume_id = ?1->>0 AND l.path >= ?1->>1 AND l.path < ?1->>2 LIMIT 1';

/** Subfolders after a name, at most `limit`. */
export async function listSubfolders(db: D1Database, volumeId: string, path: string, after: string | undefined, limit: number): Promise<Subfolder[]> {
  return z.array(Subfolder).parse((await db.prepare(SUBFOLDERS_SQL).bind(folderParameter(volumeId, path, after), limit).all()).results);
}

/** Files directly inside that were not found any more. */
export async function countMissing(db: D1Database, volumeId: string, path: string): Promise<number> {
  return (await db.prepare(MISSING_SQL).bind(folderParameter(volumeId, path)).first<number>('n')) ?? 0;
}

/** Whether anything at all is known below a folder. */
export async function hasBelow(db: D1Database, volumeId: string, path: string): Promise<boolean> {
  return (await db.prepare(HAS_BELOW_SQL).bind(folderParameter(volumeId, path)).first('n')) !== null;
}
