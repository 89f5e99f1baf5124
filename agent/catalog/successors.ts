// Which content took the place of which where a file was edited in place (pipeline/edited.ts decides what is an edit). It is
// noted with the change itself, and becomes true at the end of a completed scan that finds the old content nowhere: then it
// is pushed. revision 0: not so yet.
import type { Catalog } from './catalog.ts';

export interface PathKey { volume_id: string; dir: string; name: string }

/** In the transaction that gives a path its new content. A later edit of the same content is noted over an earlier one. */
export function noteSuccessor(catalog: Catalog, oldSha256: string, newSha256: string): void {
  catalog.prepare(`INSERT INTO successors (old_sha256, new_sha256) VALUES (?, ?)
    ON CONFLICT (old_sha256) DO UPDATE SET new_sha256 = excluded.new_sha256, revision = 0, pushed_revision = 0 WHERE new_sha256 IS NOT excluded.new_sha256`).run(oldSha256, newSha256);
}

/** True where `newSha256` was edited into `oldSha256` before: who takes an edit back returns to what was known. */
export function isEditedFrom(catalog: Catalog, oldSha256: string, newSha256: string): boolean {
  return catalog.prepare('SELECT 1 FROM successors WHERE old_sha256 = ? AND new_sha256 = ?').get(newSha256, oldSha256) !== undefined;
}

/**
 * Makes true what was noted, where no file of the catalog holds the old content: present, away, missing, or not yet settled
 * all count. In the transaction that ends a completed scan.
 */
export function settleSuccessors(catalog: Catalog): void {
  const free = catalog.prepare('SELECT old_sha256 FROM successors INDEXED BY successors_noted WHERE revision = 0 AND NOT EXISTS (SELECT 1 FROM files f INDEXED BY files_by_sha256 WHERE f.sha256 = successors.old_sha256)').all();
  for (const row of free) catalog.prepare('UPDATE successors SET revision = ? WHERE old_sha256 = ?').run(catalog.nextRevision(), row['old_sha256'] as string);
}

/** What a path held before something stood there that could not be read: half a file, in the middle of being saved. */
export function noteUnread(catalog: Catalog, { volume_id, dir, name }: PathKey, sha256: string): void {
  catalog.prepare('INSERT OR REPLACE INTO unread_edits (volume_id, dir, name, sha256) VALUES (?, ?, ?, ?)').run(volume_id, dir, name, sha256);
}

/** The same, once: it is forgotten with the answer. */
export function takeUnread(catalog: Catalog, { volume_id, dir, name }: PathKey): string | undefined {
  const sha256 = catalog.prepare('SELECT sha256 FROM unread_edits WHERE volume_id = ? AND dir = ? AND name = ?').get(volume_id, dir, name)?.['sha256'] as string | undefined;
  if (sha256 !== undefined) catalog.prepare('DELETE FROM unread_edits WHERE volume_id = ? AND dir = ? AND name = ?').run(volume_id, dir, name);
  return sha256;
}
