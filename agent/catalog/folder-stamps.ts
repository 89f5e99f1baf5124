// One hash over the stats of all files of a folder, so that a folder in which nothing changed is known as such without
// reading its rows. Derived from `files`: the schema's triggers drop a stamp with every change of a row that it speaks for.
import type { Catalog } from './catalog.ts';

/** `stamp` as the walk makes it, and what the folder's files count as. */
export interface FolderStamp { stamp: string; unchanged: number; sidecar: number; ignored: number }

export function getFolderStamp(catalog: Catalog, volumeId: string, dir: string): FolderStamp | undefined {
  return catalog.prepare('SELECT stamp, unchanged, sidecar, ignored FROM folder_stamps WHERE volume_id = ? AND dir = ?').get(volumeId, dir) as FolderStamp | undefined;
}

/** Call only with a stamp of the very stats that the folder's rows were just compared with, all of them and equal. */
export function putFolderStamp(catalog: Catalog, volumeId: string, dir: string, s: FolderStamp): void {
  catalog.prepare(`INSERT INTO folder_stamps (volume_id, dir, stamp, unchanged, sidecar, ignored) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (volume_id, dir) DO UPDATE SET stamp = excluded.stamp, unchanged = excluded.unchanged, sidecar = excluded.sidecar, ignored = excluded.ignored`)
    .run(volumeId, dir, s.stamp, s.unchanged, s.sidecar, s.ignored);
}
