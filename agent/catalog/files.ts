// Every file that was seen, by volume, folder and name. What a re-scan compares against.
import type { TimeClaim } from '../../protocol/rows.ts';
import type { Catalog } from './catalog.ts';
import { markFolder, markShownOver } from './relations.ts';
import { forgetSidecar } from './sidecars.ts';

export type FileSeenAs = 'asset' | 'sidecar' | 'ignored' | 'failed';

export interface FileRow {
  volume_id: string; dir: string; name: string;
  size_bytes: number; mtime_ms: number; ctime_ms: number; birth_ms: number; fs_id: string | null; inode: string | null;
  seen_as: FileSeenAs; sha256: string | null; in_package: boolean; racy: boolean; read_version: number; added_revision: number;
  time_claims: TimeClaim[]; missing_since_ms: number | null; verified_ms: number | null; damaged_ms: number | null; revision: number; pushed_revision: number;
}

/** One row of `listFolder`, as a short array, for the walk makes no object a file: 100,000 rows of ten columns took twice as long. */
export type FolderRow = [name: string, size: number, mtime: number, ctime: number, inode: number | null, flags: number];

/** Bits of a FolderRow's flags. */
export const ROW_ASSET = 1;
export const ROW_SIDECAR = 2;
export const ROW_FAILED = 4;
export const ROW_HAS_HASH = 8;
/** To be read again whatever its stats say: racy, or judged by an older reader. */
export const ROW_STALE = 16;
export const ROW_MISSING = 32;

export function joinPath(dir: string, name: string): string { return dir === '' ? name : `${dir}/${name}`; }

export function splitPath(path: string): { dir: string; name: string } {
  const at = path.lastIndexOf('/');
  return at < 0 ? { dir: '', name: path } : { dir: path.slice(0, at), name: path.slice(at + 1) };
}

/** All rows of one folder, not of those below. Rows judged by a reader older than `readVersion` are stale. */
export function listFolder(catalog: Catalog, volumeId: string, dir: string, readVersion: number): FolderRow[] {
  return catalog.prepare(`SELECT name, size_bytes, mtime_ms, ctime_ms, CAST(inode AS INTEGER),
    (CASE seen_as WHEN 'asset' THEN ${ROW_ASSET} WHEN 'sidecar' THEN ${ROW_SIDECAR} WHEN 'failed' THEN ${ROW_FAILED} ELSE 0 END) + (sha256 IS NOT NULL) * ${ROW_HAS_HASH}
    + (racy OR read_version < ?3) * ${ROW_STALE} + (missing_since_ms IS NOT NULL) * ${ROW_MISSING} FROM files WHERE volume_id = ?1 AND dir = ?2`, true)
    .all(volumeId, dir, readVersion) as unknown as FolderRow[];
}

/** Folders at or below `top` ('' is the whole volume) that have rows, in byte order. One seek a folder. */
export function* listKnownFolders(catalog: Catalog, volumeId: string, top: string): Generator<string> {
  if (catalog.prepare('SELECT 1 FROM files WHERE volume_id = ? AND dir = ? LIMIT 1').get(volumeId, top)) yield top;
  const next = top === ''
    ? catalog.prepare("SELECT dir FROM files WHERE volume_id = ? AND dir > ? AND '' = ? ORDER BY dir LIMIT 1", true)
    : catalog.prepare('SELECT dir FROM files WHERE volume_id = ? AND dir > ? AND dir < ? ORDER BY dir LIMIT 1', true);
  let last = top === '' ? '' : `${top}/`;
  for (;;) {
    const row = next.get(volumeId, last, top === '' ? '' : `${top}0`) as unknown as [string] | undefined;
    if (!row) return;
    last = row[0];
    yield last;
  }
}

export function getFile(catalog: Catalog, volumeId: string, dir: string, name: string): FileRow | undefined {
  const row = catalog.prepare('SELECT * FROM files WHERE volume_id = ? AND dir = ? AND name = ?').get(volumeId, dir, name);
  return row ? toFile(row) : undefined;
}

/** Assets' rows on a volume that had this inode. INDEXED BY here and below: left alone, SQLite walks the volume's rows in their order. */
export function listByInode(catalog: Catalog, volumeId: string, inode: string): FileRow[] {
  return catalog.prepare("SELECT * FROM files INDEXED BY files_by_inode WHERE volume_id = ? AND inode = ? AND seen_as = 'asset' LIMIT 50").all(volumeId, inode).map(toFile);
}

/** All copies of an asset that are not missing, on every volume. */
export function listCopies(catalog: Catalog, sha256: string): FileRow[] {
  return catalog.prepare("SELECT * FROM files INDEXED BY files_by_sha256 WHERE sha256 = ? AND seen_as = 'asset' AND missing_since_ms IS NULL ORDER BY volume_id, dir, name").all(sha256).map(toFile);
}

/** Assets' files of a volume that are not missing. */
export function countKnown(catalog: Catalog, volumeId: string): number {
  return catalog.prepare('SELECT count(*) AS n FROM files WHERE volume_id = ? AND sha256 IS NOT NULL AND missing_since_ms IS NULL').get(volumeId)?.['n'] as number;
}

/** `verified_ms` left out: these bytes were not read to their end. */
export type FileWrite = Omit<FileRow, 'added_revision' | 'revision' | 'pushed_revision' | 'verified_ms' | 'damaged_ms'> & Partial<Pick<FileRow, 'verified_ms'>>;

/**
 * Writes a file's row inside the caller's transaction; it is due to be pushed. What was known of a sidecar of this name
 * is forgotten: who read one writes it afterwards.
 */
export function putFile(catalog: Catalog, f: FileWrite): void {
  markChange(catalog, f.volume_id, f.dir, f.name);
  const revision = catalog.nextRevision();
  catalog.prepare(`INSERT INTO files (volume_id, dir, name, size_bytes, mtime_ms, ctime_ms, birth_ms, fs_id, inode, seen_as, sha256, in_package, racy, read_version, added_revision, time_claims, missing_since_ms, verified_ms, revision)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (volume_id, dir, name) DO UPDATE SET size_bytes = excluded.size_bytes, mtime_ms = excluded.mtime_ms,
    ctime_ms = excluded.ctime_ms, birth_ms = excluded.birth_ms, fs_id = excluded.fs_id, inode = excluded.inode, seen_as = excluded.seen_as, sha256 = excluded.sha256, in_package = excluded.in_package,
    racy = excluded.racy, read_version = excluded.read_version, time_claims = excluded.time_claims, missing_since_ms = excluded.missing_since_ms, verified_ms = excluded.verified_ms, damaged_ms = NULL, revision = excluded.revision`)
    .run(f.volume_id, f.dir, f.name, f.size_bytes, f.mtime_ms, f.ctime_ms, f.birth_ms, f.fs_id, f.inode, f.seen_as, f.sha256, Number(f.in_package), Number(f.racy), f.read_version, revision,
      JSON.stringify(f.time_claims), f.missing_since_ms, f.verified_ms ?? null, revision);
}

/** The file lost its missing mark: it was seen again as it was. A burst has it again. */
export function markSeenAgain(catalog: Catalog, volumeId: string, dir: string, name: string): void {
  markFolder(catalog, volumeId, dir);
  catalog.prepare('UPDATE files SET missing_since_ms = NULL, revision = ? WHERE volume_id = ? AND dir = ? AND name = ? AND missing_since_ms IS NOT NULL').run(catalog.nextRevision(), volumeId, dir, name);
}

/** Stats alone changed (a rename touches ctime): nothing that the Worker is told. */
export function updateStats(catalog: Catalog, f: Pick<FileRow, 'volume_id' | 'dir' | 'name' | 'ctime_ms' | 'birth_ms' | 'racy' | 'read_version' | 'inode' | 'fs_id' | 'verified_ms'>): void {
  catalog.prepare('UPDATE files SET ctime_ms = ?, birth_ms = ?, racy = ?, read_version = ?, inode = ?, fs_id = ?, verified_ms = ? WHERE volume_id = ? AND dir = ? AND name = ?')
    .run(f.ctime_ms, f.birth_ms, Number(f.racy), f.read_version, f.inode, f.fs_id, f.verified_ms, f.volume_id, f.dir, f.name);
}

/** All of a file's bytes were read and were those of `sha256`. Local alone: nothing is pushed. */
export function markVerified(catalog: Catalog, { volume_id, path, sha256 }: { volume_id: string; path: string; sha256: string | null }, atMs: number): void {
  const { dir, name } = splitPath(path);
  catalog.prepare("UPDATE files SET verified_ms = ?, damaged_ms = NULL WHERE volume_id = ? AND dir = ? AND name = ? AND sha256 = ? AND seen_as = 'asset'").run(atMs, volume_id, dir, name, sha256);
}

/** A verification found other bytes under an unchanged size and date: until one of them changes no scan takes them for an edit. Local alone. */
export function markDamaged(catalog: Catalog, { volume_id, path, sha256 }: { volume_id: string; path: string; sha256: string | null }, atMs: number): void {
  const { dir, name } = splitPath(path);
  catalog.prepare("UPDATE files SET damaged_ms = ? WHERE volume_id = ? AND dir = ? AND name = ? AND sha256 = ? AND seen_as = 'asset'").run(atMs, volume_id, dir, name, sha256);
}

/** Paths at or below `top` that held an asset and now hold something else, and which no completed scan has told the Worker of. */
export function listLost(catalog: Catalog, volumeId: string, top: string): FileRow[] {
  return catalog.prepare("SELECT * FROM files INDEXED BY files_lost WHERE volume_id = ?1 AND seen_as <> 'asset' AND sha256 IS NOT NULL AND (?2 = '' OR dir = ?2 OR (dir > ?2 || '/' AND dir < ?2 || '0'))").all(volumeId, top).map(toFile);
}

/** Copies of an asset on one volume that were marked missing. */
export function listMissingCopies(catalog: Catalog, volumeId: string): FileRow[] {
  return catalog.prepare('SELECT * FROM files INDEXED BY files_missing WHERE volume_id = ? AND missing_since_ms IS NOT NULL AND sha256 IS NOT NULL').all(volumeId).map(toFile);
}

/** What was an asset is something else now. The hash stays until a completed scan has told the Worker; nothing is pushed. */
export function demoteFile(catalog: Catalog, f: FileWrite): void {
  markChange(catalog, f.volume_id, f.dir, f.name);
  catalog.prepare(`UPDATE files SET size_bytes = ?, mtime_ms = ?, ctime_ms = ?, birth_ms = ?, fs_id = ?, inode = ?, seen_as = ?, racy = ?, read_version = ?,
    sha256 = CASE WHEN missing_since_ms IS NULL THEN sha256 ELSE NULL END, missing_since_ms = NULL WHERE volume_id = ? AND dir = ? AND name = ?`)
    .run(f.size_bytes, f.mtime_ms, f.ctime_ms, f.birth_ms, f.fs_id, f.inode, f.seen_as, Number(f.racy), f.read_version, f.volume_id, f.dir, f.name);
}

/** Forgets the hash of a path that holds no asset any more. */
export function forgetHash(catalog: Catalog, volumeId: string, path: string): void {
  const { dir, name } = splitPath(path);
  catalog.prepare("UPDATE files SET sha256 = NULL WHERE volume_id = ? AND dir = ? AND name = ? AND seen_as <> 'asset'").run(volumeId, dir, name);
}

/** Marks a path missing: an asset's row stays, with the moment; one that is something else now forgets its old hash. Not pushed: the completion says it. A burst is without it. */
export function markMissing(catalog: Catalog, volumeId: string, path: string, atMs: number): void {
  const { dir, name } = splitPath(path);
  markFolder(catalog, volumeId, dir);
  catalog.prepare("UPDATE files SET missing_since_ms = ? WHERE volume_id = ? AND dir = ? AND name = ? AND seen_as = 'asset' AND missing_since_ms IS NULL").run(atMs, volumeId, dir, name);
  catalog.prepare("UPDATE files SET sha256 = NULL WHERE volume_id = ? AND dir = ? AND name = ? AND seen_as <> 'asset'").run(volumeId, dir, name);
}

/** Takes a row away: its file was found again under another name, or it never was an asset and is gone. */
export function dropFile(catalog: Catalog, volumeId: string, path: string): void {
  const { dir, name } = splitPath(path);
  markChange(catalog, volumeId, dir, name);
  catalog.prepare('DELETE FROM files WHERE volume_id = ? AND dir = ? AND name = ?').run(volumeId, dir, name);
}

/** Before a row changes: its folder, and those where its hash was shown over others, must be related again (pipeline/relate.ts). */
function markChange(catalog: Catalog, volumeId: string, dir: string, name: string): void {
  markFolder(catalog, volumeId, dir);
  markShownOver(catalog, volumeId, dir, name);
  forgetSidecar(catalog, volumeId, dir, name);
}

function toFile(row: Record<string, unknown>): FileRow {
  return {
    ...(row as unknown as FileRow), in_package: row['in_package'] === 1, racy: row['racy'] === 1, time_claims: JSON.parse(row['time_claims'] as string) as TimeClaim[],
  };
}
