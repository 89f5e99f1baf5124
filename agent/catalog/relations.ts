// Which file is shown under which, as found in each folder, what that comes to (stacks), and what must be looked at again.
// The rules are pipeline/pairs.ts's; the marks are written in the transaction of the change that they speak of.
import type { StackType } from '../../protocol/words.ts';
import type { Catalog } from './catalog.ts';

export interface Folder { volume_id: string; dir: string }
export interface RelationRow { member: string; primary: string; type: StackType; basis: string }

// ---- Marks ----

export function markFolder(catalog: Catalog, volumeId: string, dir: string): void {
  catalog.prepare('INSERT OR IGNORE INTO folders_to_relate (volume_id, dir) VALUES (?, ?)').run(volumeId, dir);
}

/** Marks the folders of every copy of an asset. */
export function markFoldersOf(catalog: Catalog, sha256: string): void {
  catalog.prepare('INSERT OR IGNORE INTO folders_to_relate (volume_id, dir) SELECT volume_id, dir FROM files INDEXED BY files_by_sha256 WHERE sha256 = ?').run(sha256);
}

/** Marks the folders, this one or others, where the hash of this file is shown over another. */
export function markShownOver(catalog: Catalog, volumeId: string, dir: string, name: string): void {
  catalog.prepare(`INSERT OR IGNORE INTO folders_to_relate (volume_id, dir) SELECT r.volume_id, r.dir FROM files f CROSS JOIN relations r INDEXED BY relations_by_primary ON r.primary_sha256 = f.sha256
    WHERE f.volume_id = ? AND f.dir = ? AND f.name = ?`).run(volumeId, dir, name);
}

/** The next marked folder in byte order, or undefined where nothing is left to be related. */
export function nextMarkedFolder(catalog: Catalog): Folder | undefined {
  return catalog.prepare('SELECT volume_id, dir FROM folders_to_relate ORDER BY volume_id, dir LIMIT 1').get() as unknown as Folder | undefined;
}

export function unmarkFolder(catalog: Catalog, { volume_id, dir }: Folder): void {
  catalog.prepare('DELETE FROM folders_to_relate WHERE volume_id = ? AND dir = ?').run(volume_id, dir);
}

/** True where something must be related again; titles that were not looked for yet are marked too. */
export function hasMarks(catalog: Catalog): boolean {
  return catalog.prepare('SELECT 1 WHERE EXISTS (SELECT 1 FROM folders_to_relate) OR EXISTS (SELECT 1 FROM keys_to_relate)').get() !== undefined;
}

export type KeyKind = 'member' | 'title';

export function markKey(catalog: Catalog, kind: KeyKind, key: string): void {
  catalog.prepare('INSERT OR IGNORE INTO keys_to_relate (kind, key) VALUES (?, ?)').run(kind, key);
}

export function listMarkedKeys(catalog: Catalog, kind: KeyKind, limit: number): string[] {
  return catalog.prepare('SELECT key FROM keys_to_relate WHERE kind = ? ORDER BY key LIMIT ?').all(kind, limit).map((r) => r['key'] as string);
}

export function unmarkKeys(catalog: Catalog, kind: KeyKind, keys: Iterable<string>): void {
  const remove = catalog.prepare('DELETE FROM keys_to_relate WHERE kind = ? AND key = ?');
  for (const key of keys) remove.run(kind, key);
}

// ---- Folders of one name ----

/** Folders with files whose path ends in this part, in byte order. */
export function listFoldersNamed(catalog: Catalog, leaf: string): Folder[] {
  return catalog.prepare('SELECT volume_id, dir FROM related_folders WHERE leaf = ? ORDER BY volume_id, dir').all(leaf) as unknown as Folder[];
}

/** True where one of the folders of this name is of an export. */
export function isExport(catalog: Catalog, leaf: string): boolean {
  return catalog.prepare('SELECT 1 FROM related_folders INDEXED BY related_exports WHERE leaf = ? AND takeout + album > 0 LIMIT 1').get(leaf) !== undefined;
}

/** Marked folders with files in them, and what their sidecars are. */
export function listMarkedFolders(catalog: Catalog): (Folder & FolderKind)[] {
  return catalog.prepare(`SELECT m.volume_id, m.dir, (SELECT coalesce(max(format = 'takeout'), 0) + 2 * coalesce(max(format = 'album'), 0) FROM sidecars s WHERE s.volume_id = m.volume_id AND s.dir = m.dir) AS kind
    FROM folders_to_relate m WHERE EXISTS (SELECT 1 FROM files f WHERE f.volume_id = m.volume_id AND f.dir = m.dir)`).all()
    .map((r) => ({ volume_id: r['volume_id'] as string, dir: r['dir'] as string, takeout: ((r['kind'] as number) & 1) === 1, album: ((r['kind'] as number) & 2) === 2 }));
}

/** What a folder holds: a Takeout sidecar of a file; a file about an album. */
export interface FolderKind { takeout: boolean; album: boolean }

/** Makes sure that a folder is found by its name; what it was known to hold it keeps, until `putRelatedFolder`. */
export function registerFolder(catalog: Catalog, leaf: string, { volume_id, dir }: Folder, kind: FolderKind): void {
  catalog.prepare(`INSERT INTO related_folders (leaf, volume_id, dir, takeout, album) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (leaf, volume_id, dir) DO UPDATE SET takeout = max(takeout, excluded.takeout), album = max(album, excluded.album) WHERE takeout < excluded.takeout OR album < excluded.album`)
    .run(leaf, volume_id, dir, Number(kind.takeout), Number(kind.album));
}

/** Remembers what a folder holds, or forgets it where `kind` is null: it has no files any more. */
export function putRelatedFolder(catalog: Catalog, leaf: string, { volume_id, dir }: Folder, kind: FolderKind | null): void {
  if (!kind) { catalog.prepare('DELETE FROM related_folders WHERE leaf = ? AND volume_id = ? AND dir = ?').run(leaf, volume_id, dir); return; }
  catalog.prepare(`INSERT INTO related_folders (leaf, volume_id, dir, takeout, album) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (leaf, volume_id, dir) DO UPDATE SET takeout = excluded.takeout, album = excluded.album WHERE takeout IS NOT excluded.takeout OR album IS NOT excluded.album`)
    .run(leaf, volume_id, dir, Number(kind.takeout), Number(kind.album));
}

/** Every folder with files, one after the other. */
export function* listRelatedFolders(catalog: Catalog): Generator<Folder> {
  const next = catalog.prepare('SELECT leaf, volume_id, dir FROM related_folders WHERE (leaf, volume_id, dir) > (?, ?, ?) ORDER BY leaf, volume_id, dir LIMIT 200');
  for (let at: [string, string, string] = ['', '', '']; ;) {
    const rows = next.all(...at);
    for (const row of rows) yield { volume_id: row['volume_id'] as string, dir: row['dir'] as string };
    const last = rows.at(-1);
    if (!last) return;
    at = [last['leaf'] as string, last['volume_id'] as string, last['dir'] as string];
  }
}

// ---- Relations and stacks ----

/** Makes a folder's relations these (at most one a member); returns the members of those that changed. In the caller's transaction. */
export function putRelations(catalog: Catalog, { volume_id, dir }: Folder, relations: readonly RelationRow[]): string[] {
  const changed: string[] = [];
  const text = (r: RelationRow) => `${r.primary} ${r.type} ${r.basis}`;
  const old = new Map(catalog.prepare('SELECT member_sha256 AS member, primary_sha256 AS "primary", type, basis FROM relations WHERE volume_id = ? AND dir = ?').all(volume_id, dir).map((r) => [r['member'] as string, text(r as unknown as RelationRow)]));
  for (const r of relations) {
    const before = old.get(r.member);
    old.delete(r.member);
    if (before === text(r)) continue;
    catalog.prepare('INSERT OR REPLACE INTO relations (volume_id, dir, member_sha256, primary_sha256, type, basis) VALUES (?, ?, ?, ?, ?, ?)').run(volume_id, dir, r.member, r.primary, r.type, r.basis);
    changed.push(r.member);
  }
  for (const member of old.keys()) {
    catalog.prepare('DELETE FROM relations WHERE volume_id = ? AND dir = ? AND member_sha256 = ?').run(volume_id, dir, member);
    changed.push(member);
  }
  return changed;
}

/** Why a member is shown under another in this folder; undefined where it is not. */
export function basisOf(catalog: Catalog, { volume_id, dir }: Folder, member: string): string | undefined {
  return catalog.prepare('SELECT basis FROM relations WHERE volume_id = ? AND dir = ? AND member_sha256 = ?').get(volume_id, dir, member)?.['basis'] as string | undefined;
}

/**
 * Everything that hangs together with these hashes: the hashes, and all relations among them, from every folder. What a
 * member is shown under may be shown under something else elsewhere, so a change of one can change all of them. Undefined
 * where they are more than `limit`.
 */
export function readConnected(catalog: Catalog, from: Iterable<string>, limit = Infinity): { hashes: Set<string>; relations: RelationRow[] } | undefined {
  const columns = 'member_sha256 AS member, primary_sha256 AS "primary", type, basis';
  const byMember = catalog.prepare(`SELECT ${columns} FROM relations INDEXED BY relations_by_member WHERE member_sha256 = ?`);
  const byPrimary = catalog.prepare('SELECT DISTINCT member_sha256 AS member FROM relations INDEXED BY relations_by_primary WHERE primary_sha256 = ?');
  const stacked = catalog.prepare('SELECT primary_sha256 AS "primary" FROM stacks WHERE member_sha256 = ? AND removed = 0');
  const hashes = new Set(from);
  const relations: RelationRow[] = [];
  // A Set's iterator also visits what is added while it runs.
  for (const hash of hashes) {
    if (hashes.size > limit) return undefined;
    for (const row of byMember.all(hash)) { relations.push(row as unknown as RelationRow); hashes.add(row['primary'] as string); }
    for (const row of byPrimary.all(hash)) hashes.add(row['member'] as string);
    const was = stacked.get(hash);
    if (was) hashes.add(was['primary'] as string);
  }
  return { hashes, relations };
}

/** Makes the stacks of these hashes exactly `stacks`; rows that change nothing are not pushed again. In the caller's transaction. */
export function putStacks(catalog: Catalog, hashes: ReadonlySet<string>, stacks: readonly RelationRow[]): void {
  const next = new Map(stacks.map((s) => [s.member, s]));
  for (const hash of hashes) {
    const row = next.get(hash);
    if (row) {
      catalog.prepare(`INSERT INTO stacks (member_sha256, primary_sha256, type, basis, removed, revision) VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT (member_sha256) DO UPDATE SET
        primary_sha256 = excluded.primary_sha256, type = excluded.type, basis = excluded.basis, removed = 0, revision = excluded.revision
        WHERE primary_sha256 IS NOT excluded.primary_sha256 OR type IS NOT excluded.type OR basis IS NOT excluded.basis OR removed`).run(hash, row.primary, row.type, row.basis, catalog.nextRevision());
    } else catalog.prepare('UPDATE stacks SET removed = 1, revision = ? WHERE member_sha256 = ? AND removed = 0').run(catalog.nextRevision(), hash);
  }
}

/** Everything found on a volume under its old id is found under its new one; all of its folders are looked at again. */
export function moveRelated(catalog: Catalog, oldId: string, newId: string): void {
  for (const table of ['sidecars', 'relations']) catalog.prepare(`UPDATE OR REPLACE ${table} SET volume_id = ? WHERE volume_id = ?`).run(newId, oldId);
  for (const table of ['title_candidates', 'related_folders', 'folders_to_relate']) catalog.prepare(`DELETE FROM ${table} WHERE volume_id = ?`).run(oldId);
  catalog.prepare('INSERT OR IGNORE INTO folders_to_relate (volume_id, dir) SELECT DISTINCT volume_id, dir FROM files WHERE volume_id = ?').run(newId);
}
