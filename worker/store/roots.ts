// Roots: folders being indexed, as the agent has them. A removed root leaves its assets and locations as they are.
import { asc } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { RootRow } from '../../protocol/rows.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';
import { roots } from '../db/schema.ts';

const UPSERT = bulkUpsertSql({
  table: 'roots', columns: ['root_id', 'revision', 'volume_id', 'path', 'excludes', 'removed'], key: ['root_id'], when: 'excluded.revision > roots.revision',
});

export interface Root { root_id: string; volume_id: string; path: string; excludes: string[]; removed: boolean }

export function upsertRoots(db: D1Database, rows: readonly RootRow[]): D1PreparedStatement {
  return db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [r.root_id, r.revision, r.volume_id, r.path, r.excludes.map(cleanText), r.removed])));
}

/** All roots, removed ones too, by volume and path; a person has tens. */
export async function listRoots(db: D1Database): Promise<Root[]> {
  const rows = await drizzle(db).select().from(roots).orderBy(asc(roots.volume_id), asc(roots.path));
  return rows.map((r) => ({ root_id: r.root_id, volume_id: r.volume_id, path: r.path, excludes: JSON.parse(r.excludes) as string[], removed: r.removed === 1 }));
}
