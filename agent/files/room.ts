// Room on the disk that holds the data folder. Work stops while there is a little left, for a database that meets the
// very end of a disk cannot even say so, and the Worker, whose data lies beside the catalog, answers with riddles.
import { statfsSync } from 'node:fs';
import { MAX_PACK_BYTES } from '../../protocol/limits.ts';

/** A pack of renditions, once as it arrives and once in a journal, with its batch. */
const RESERVE_BYTES = 2 * MAX_PACK_BYTES;

/** The disk that holds the data folder has no room left. */
export class DiskFullError extends Error {
  constructor(folder: string) {
    super(`The disk that holds the data folder ${folder} is full: Jharokha needs ${RESERVE_BYTES / 1e6} MB free there. Make room, then scan again; it goes on where it stopped.`);
    this.name = 'DiskFullError';
  }
}

/** Throws DiskFullError where less than the reserve is left. A disk that does not tell has room. */
export function assertRoom(folder: string): void {
  let freeBytes: number;
  try {
    const s = statfsSync(folder);
    freeBytes = s.bavail * s.bsize;
  } catch { return; }
  if (freeBytes < RESERVE_BYTES) throw new DiskFullError(folder);
}
