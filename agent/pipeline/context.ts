// What a scan is handed, and what it hands back. Types only.
import type { ScanCounts } from '../../protocol/rows.ts';
import type { ScanQuestion } from '../../protocol/link.ts';
import type { ProblemCode, ScanState, VolumeIdentity } from '../../protocol/words.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { FileAccess } from '../files/access.ts';
import type { Reader } from './types.ts';

/** A connected volume as a scan needs it; agent/volumes makes them. */
export interface ConnectedVolume {
  volume_id: string; identity: VolumeIdentity; label: string; mount_point: string; fs_type: string;
  capacity_bytes: number | null; free_bytes: number | null; read_only: boolean;
  /** For (fs_id, inode) pairs; null where inodes do not last. */
  fs_id: string | null;
  /** False where `A` and `a` are one name. */
  exact_names: boolean;
}

export interface ConnectedVolumes {
  /** A fresh look; undefined where it is not connected. */
  get(volumeId: string): Promise<ConnectedVolume | undefined>;
  /** The volume of an absolute path, and the path on it. */
  find(path: string): Promise<{ volume: ConnectedVolume; path: string } | undefined>;
  mountPoints(): ReadonlySet<string>;
}

export interface ScanProgress {
  root: string; counts: ScanCounts;
  /** Files found and not yet read. A lower bound until `walked`. */
  pending: number; walked: boolean;
}

export interface ScanContext {
  files: FileAccess; volumes: ConnectedVolumes; catalog: Catalog; reader: Reader;
  now: () => number;
  /** At most every PROGRESS_INTERVAL_MS, and once at the end of each root. */
  onProgress?: ((progress: ScanProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Absolute folders that are never walked: the data folder. */
  ownFolders?: readonly string[] | undefined;
  /** Files at work at once; default: see scan.ts. */
  concurrency?: number | undefined;
}

export interface FailedFile { path: string; code: ProblemCode; reason: string }
export interface SkippedFolder { path: string; reason: string }

/** Promise 8's account of one scan. Paths are relative to the volume's mount point. */
export interface ScanReport {
  scan_id: string; root_id: string; volume_id: string; root_path: string; mount_point: string | null;
  state: ScanState;
  /** Why it stopped or marked nothing, for people; null where there is nothing to say. */
  reason: string | null;
  counts: ScanCounts; failed: FailedFile[]; skipped: SkippedFolder[];
  /** Known copies that were not found, less those found again elsewhere; and how many of them were marked missing. */
  vanished: number; marked_missing: number;
  /** Set where the state is `question`. */
  question: ScanQuestion | null;
}
