// Folders that the owner asked to index, by volume and path.
import { createHash } from 'node:crypto';
import type { Catalog } from './catalog.ts';

export interface Root {
  root_id: string; volume_id: string;
  /** Relative to the mount point; empty is the whole volume. */
  path: string;
  excludes: string[]; removed: boolean;
  rules_hash: string | null; completed_ms: number | null; completed_revision: number;
}

/** Adds a root or takes a removed one back; its id follows from volume and path, so that a new catalog names it alike. */
export function putRoot(catalog: Catalog, volumeId: string, path: string, excludes?: readonly string[]): Root {
  const rootId = createHash('sha256').update(`${volumeId}\0${path}`).digest('hex').slice(0, 16);
  const old = getRoot(catalog, rootId) ?? listRoots(catalog).find((r) => r.volume_id === volumeId && r.path === path);
  if (old && !old.removed && (excludes === undefined || JSON.stringify(excludes) === JSON.stringify(old.excludes))) return old;
  catalog.transact(() => catalog.prepare(`INSERT INTO roots (root_id, volume_id, path, excludes, removed, revision) VALUES (?, ?, ?, ?, 0, ?)
    ON CONFLICT (root_id) DO UPDATE SET excludes = excluded.excludes, removed = 0, revision = excluded.revision`)
    .run(old?.root_id ?? rootId, volumeId, path, JSON.stringify(excludes ?? old?.excludes ?? []), catalog.nextRevision()));
  return getRoot(catalog, old?.root_id ?? rootId) as Root;
}

/** Its files stay known where they lie; they are just not looked at any more. */
export function removeRoot(catalog: Catalog, rootId: string): void {
  catalog.transact(() => catalog.prepare('UPDATE roots SET removed = 1, revision = ? WHERE root_id = ? AND removed = 0').run(catalog.nextRevision(), rootId));
}

/** A pattern a line of `excludes`; see agent/pipeline/ignore.ts for what a pattern is. */
export function setExcludes(catalog: Catalog, rootId: string, excludes: readonly string[]): void {
  catalog.transact(() => catalog.prepare('UPDATE roots SET excludes = ?1, revision = ?2 WHERE root_id = ?3 AND excludes IS NOT ?1').run(JSON.stringify(excludes), catalog.nextRevision(), rootId));
}

export function getRoot(catalog: Catalog, rootId: string): Root | undefined {
  const row = catalog.prepare('SELECT * FROM roots WHERE root_id = ?').get(rootId);
  return row ? toRoot(row) : undefined;
}

/** Roots that are not removed, by volume and path. */
export function listRoots(catalog: Catalog): Root[] {
  return catalog.prepare('SELECT * FROM roots WHERE removed = 0 ORDER BY volume_id, path').all().map(toRoot);
}

/** Marks the end of a completed scan. Local alone: nothing is pushed. */
export function completeRoot(catalog: Catalog, rootId: string, rulesHash: string, atMs: number, revision: number): void {
  catalog.prepare('UPDATE roots SET rules_hash = ?, completed_ms = ?, completed_revision = ? WHERE root_id = ?').run(rulesHash, atMs, revision, rootId);
}

function toRoot(row: Record<string, unknown>): Root {
  return {
    root_id: row['root_id'] as string, volume_id: row['volume_id'] as string, path: row['path'] as string, excludes: JSON.parse(row['excludes'] as string) as string[],
    removed: row['removed'] === 1, rules_hash: row['rules_hash'] as string | null, completed_ms: row['completed_ms'] as number | null, completed_revision: row['completed_revision'] as number,
  };
}
