// One file, read once: what it is by its head, then its hash with its content in the same read.
import type { Stats } from 'node:fs';
import type { FileAccess, OpenFile } from '../files/access.ts';
import { WHOLE_FILE_BYTES } from '../files/access.ts';
import { FileError } from '../files/errors.ts';
import { MAX_SIDECAR_BYTES } from './sidecars.ts';
import type { FileSource, Identified, Reader } from './types.ts';

/** Content held in memory at once by all files at work: three whole files at the most, so that the agent stays below 500 MB. */
export const BYTES_IN_FLIGHT = 3 * WHOLE_FILE_BYTES;

export interface Budget { take(bytes: number): Promise<void>; give(bytes: number): void }

/** A counting lock on memory, first come first served. A file larger than all of it waits until nothing else is held. */
export function createBudget(total: number): Budget {
  let held = 0;
  const waiting: { bytes: number; go: () => void }[] = [];
  const admit = (): void => {
    for (let next = waiting[0]; next && (held === 0 || held + next.bytes <= total); next = waiting[0]) {
      waiting.shift();
      held += next.bytes;
      next.go();
    }
  };
  return {
    take: (bytes) => new Promise((go) => { waiting.push({ bytes, go }); admit(); }),
    give: (bytes) => { held -= bytes; admit(); },
  };
}

export type ReadResult =
  | { stat: Stats; type: Exclude<Identified, { as: 'asset' | 'sidecar' }> }
  /** `bytes` is null for a sidecar larger than MAX_SIDECAR_BYTES. */
  | { stat: Stats; type: Extract<Identified, { as: 'sidecar' }>; bytes: Buffer | null }
  | { stat: Stats; type: Extract<Identified, { as: 'asset' }>; sha256: string; source: FileSource };

/**
 * Opens `path`, and where it is media or a sidecar reads it to the end. `use` gets the result while the file is open. A file that
 * changed while it was read is read once more, then given up. Throws FileError.
 */
export async function readOnce<T>(files: FileAccess, reader: Reader, path: string, name: string, budget: Budget, use: (read: ReadResult) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    let held = 0;
    let file: OpenFile | undefined;
    let read: ReadResult;
    try {
      try {
        held = Math.min(files.lstat(path).size, WHOLE_FILE_BYTES);
        await budget.take(held);
        file = await files.open(path);
        read = await readOpen(file, reader, name);
      } catch (error) {
        if (attempt === 1 && error instanceof FileError && error.code === 'changed_while_read') continue;
        throw error;
      }
      return await use(read);
    } finally {
      await file?.close();
      budget.give(held);
    }
  }
}

async function readOpen(file: OpenFile, reader: Reader, name: string): Promise<ReadResult> {
  const type = reader.identify(name, file.stat.size, file.head);
  if (type.as === 'sidecar') return { stat: file.stat, type, bytes: file.stat.size > MAX_SIDECAR_BYTES ? null : (await file.hash()).bytes };
  if (type.as !== 'asset') return { stat: file.stat, type };
  const { sha256, bytes } = await file.hash();
  return { stat: file.stat, type, sha256, source: sourceOf(file, name, bytes) };
}

/** The source that readers see of an opened file. */
export function sourceOf(file: OpenFile, name: string, bytes: Buffer | null): FileSource {
  return { path: file.path, name, sizeBytes: file.stat.size, mtimeMs: file.stat.mtimeMs, bytes, read: (offset, length) => file.read(offset, length) };
}
