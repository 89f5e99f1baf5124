// A copy of an asset, opened for a stage that comes later than the scan: only where the file is still what it was when it was
// hashed. A drive that has left, or a file that has changed, is no copy in reach, and says nothing of the asset.
import { joinPath, listCopies, type FileRow } from '../catalog/files.ts';
import { inodeText, isDataless, sameStat, WHOLE_FILE_BYTES, type OpenFile } from '../files/access.ts';
import { FileError } from '../files/errors.ts';
import { absolutePath } from '../volumes/identify.ts';
import type { ConnectedVolume, ScanContext } from './context.ts';
import { sourceOf } from './hash.ts';
import type { FileSource } from './types.ts';

export interface OpenCopy {
  source: FileSource;
  /** False once the file is not as it was opened; also where it cannot be looked at any more. */
  isUnchanged(): boolean;
  close(): Promise<void>;
}

/** Connected volumes by id, each looked up once. */
export type VolumesSeen = Map<string, ConnectedVolume | undefined>;

/** The copies of an asset on volumes that are connected. */
export async function copiesInReach(ctx: Pick<ScanContext, 'catalog' | 'volumes'>, sha256: string, seen: VolumesSeen): Promise<FileRow[]> {
  const copies: FileRow[] = [];
  for (const copy of listCopies(ctx.catalog, sha256)) {
    if (!seen.has(copy.volume_id)) seen.set(copy.volume_id, await ctx.volumes.get(copy.volume_id));
    if (seen.get(copy.volume_id)) copies.push(copy);
  }
  return copies;
}

/**
 * Opens a copy, or undefined. What is small enough to be read whole is hashed on the way: stats can lie, and what is made of it
 * is kept for good. Of larger ones the caller asks `isUnchanged` when it is done.
 */
export async function openCopy(ctx: Pick<ScanContext, 'files'>, copy: FileRow, volume: ConnectedVolume): Promise<OpenCopy | undefined> {
  const absolute = absolutePath(volume.mount_point, joinPath(copy.dir, copy.name));
  let file: OpenFile | undefined;
  let kept = false;
  try {
    const stat = ctx.files.lstat(absolute);
    const asKnown = stat.isFile() && stat.size === copy.size_bytes && stat.mtimeMs === copy.mtime_ms && (volume.fs_id === null || copy.inode === null || inodeText(stat) === copy.inode);
    if (!asKnown || isDataless(stat, ctx.files.platform)) return undefined;
    const opened = file = await ctx.files.open(absolute);
    let bytes: Buffer | null = null;
    if (stat.size <= WHOLE_FILE_BYTES) {
      const read = await opened.hash();
      if (read.sha256 !== copy.sha256) return undefined;
      bytes = read.bytes;
    }
    kept = true;
    return {
      source: sourceOf(opened, copy.name, bytes), close: () => opened.close(),
      isUnchanged: () => { try { return sameStat(opened.stat, ctx.files.lstat(absolute)); } catch { return false; } },
    };
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  } finally { if (!kept) await file?.close(); }
}
