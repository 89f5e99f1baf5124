// What every order works with, and the drives that it may work on: a drive is looked at again before each unit, and a file is
// believed to be gone only while its drive is seen to be the one that it was.
import { dirname } from 'node:path';
import type { Stats } from 'node:fs';
import type { Catalog } from '../catalog/catalog.ts';
import { getFile, joinPath, listCopies, splitPath, type FileRow } from '../catalog/files.ts';
import { endStep, listOpenSteps, targetLabel, type Ending, type Step } from '../catalog/orders.ts';
import type { Folder } from '../catalog/relations.ts';
import { getVolume } from '../catalog/volumes.ts';
import type { FileAccess } from '../files/access.ts';
import type { FileChanges } from '../files/changes.ts';
import { FileError } from '../files/errors.ts';
import { absolutePath } from '../volumes/identify.ts';
import type { Volume } from '../volumes/types.ts';
import type { Volumes } from '../volumes/volumes.ts';
import type { ExportFacts, Outcome } from '../../protocol/orders.ts';

export interface OrderContext {
  catalog: Catalog;
  files: FileAccess;
  changes: FileChanges;
  volumes: Pick<Volumes, 'get' | 'list' | 'find'>;
  now(): number;
  signal: AbortSignal;
  /** Of a folder: for each media file's name the sidecars beside it that speak of it. */
  sidecarsOf(folder: Folder): Map<string, string[]>;
  /** Absolute paths of our own data, where nothing of the owner's belongs. */
  ownFolders: readonly string[];
  /** Whether a path leads into another program's package. */
  inPackage(path: string): boolean;
  /** What the library says of these assets (at most MAX_FACTS_ASSETS). Throws while the Worker is out of reach. */
  exportFacts(sha256s: readonly string[]): Promise<ExportFacts>;
  /** Something is to be told. */
  onChange(): void;
}

/** The drive is not connected, or another one stands in its place. */
export class DriveLeft extends Error {
  readonly volumeId: string;
  constructor(volumeId: string) { super(`volume ${volumeId} is not connected`); this.name = 'DriveLeft'; this.volumeId = volumeId; }
}

/** One run of one order, from where the last one stopped: a drive that left and comes back is met anew by the next. */
export interface Run {
  /** The volume as it is now. Throws DriveLeft where it is away, or is mounted otherwise than when this run first met it. */
  at(volumeId: string): Promise<Volume>;
  /** The same by a look at its mount point alone, where it was met a moment ago: for reads, whose trouble is followed by `at`. */
  near(volumeId: string): Promise<Volume>;
  /** Files (by `fileKey`) that the order was still to take away when the run began: none of them counts as a copy that stays. */
  leaving(): ReadonlySet<string>;
  /** Those of them that hold this asset, as the system sees them now (`liveKey`): one may be shown under a path of another volume too. */
  leavingNow(sha256: string): Promise<ReadonlySet<string>>;
}

/** A drive that was met so lately need not be sought among all mounts again before each read. */
const NEAR_MS = 1_000;

export function openRun(ctx: Pick<OrderContext, 'volumes' | 'files' | 'catalog' | 'now'>, orderId: string): Run {
  let leaving: { keys: Set<string>; steps: Map<string, Step[]> } | undefined;
  const leavingNow = new Map<string, Set<string>>();
  const known = new Map<string, { volume: Volume; dev: number; ino: number; metMs: number }>();
  const left = new Set<string>();
  const leave = (volumeId: string): DriveLeft => { left.add(volumeId); return new DriveLeft(volumeId); };
  const isMounted = (volume: Volume, first: { dev: number; ino: number }): boolean => {
    const mount = look(ctx.files, volume.mount_point);
    return mount !== undefined && mount.dev === first.dev && mount.ino === first.ino;
  };
  const readLeaving = (): NonNullable<typeof leaving> => {
    if (leaving) return leaving;
    leaving = { keys: new Set(), steps: new Map() };
    for (const step of listOpenSteps(ctx.catalog, orderId)) {
      // What leaves the trash was no copy before.
      if (step.from_order !== null) continue;
      const row = rowOf(ctx.catalog, step);
      if (row) leaving.keys.add(fileKey(row));
      if (step.sha256 === null) continue;
      const same = leaving.steps.get(step.sha256);
      if (same) same.push(step);
      else leaving.steps.set(step.sha256, [step]);
    }
    return leaving;
  };
  const at = async (volumeId: string): Promise<Volume> => {
    const volume = left.has(volumeId) ? undefined : await ctx.volumes.get(volumeId);
    if (!volume) throw leave(volumeId);
    try {
      // One look: another drive may come in between two.
      const { dev, ino } = ctx.files.lstat(volume.mount_point);
      const first = known.get(volumeId);
      if (first && (first.volume.mount_point !== volume.mount_point || first.dev !== dev || first.ino !== ino)) throw leave(volumeId);
      known.set(volumeId, { volume, dev, ino, metMs: ctx.now() });
      return volume;
    } catch (error) {
      if (error instanceof FileError) throw leave(volumeId);
      throw error;
    }
  };
  return {
    at,
    near: async (volumeId) => {
      const first = known.get(volumeId);
      if (!first || left.has(volumeId) || Math.abs(ctx.now() - first.metMs) > NEAR_MS) return at(volumeId);
      try { if (isMounted(first.volume, first)) return first.volume; } catch (error) { if (!(error instanceof FileError)) throw error; }
      throw leave(volumeId);
    },
    leaving: () => readLeaving().keys,
    leavingNow: async (sha256) => {
      let keys = leavingNow.get(sha256);
      if (keys) return keys;
      leavingNow.set(sha256, keys = new Set());
      for (const step of readLeaving().steps.get(sha256) ?? []) {
        try {
          const { mount_point } = await at(step.volume_id);
          const stat = look(ctx.files, absolutePath(mount_point, step.path)) ?? (step.to_path === null ? undefined : look(ctx.files, absolutePath(mount_point, step.to_path)));
          if (stat) keys.add(liveKey(stat));
        } catch (error) { if (!(error instanceof FileError) && !(error instanceof DriveLeft)) throw error; }
      }
      return keys;
    },
  };
}

/** What the catalog has at a step's place. */
export function rowOf(catalog: Catalog, step: Pick<Step, 'volume_id' | 'path'>): FileRow | undefined {
  const { dir, name } = splitPath(step.path);
  return getFile(catalog, step.volume_id, dir, name);
}

/** A look at a path: undefined where nothing has that name, or could have it. Throws FileError for anything else. */
export function look(files: Pick<FileAccess, 'lstat'>, absolute: string): Stats | undefined {
  try { return files.lstat(absolute); } catch (error) {
    if (error instanceof FileError && (error.errno === 'ENOENT' || error.errno === 'ENOTDIR' || error.errno === 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

/** SHA-256 and stats of a file that did not change while it was read. */
export async function hashFile(files: FileAccess, absolute: string): Promise<{ sha256: string; stat: Stats }> {
  const file = await files.open(absolute);
  try { return { sha256: (await file.hash()).sha256, stat: file.stat }; } finally { await file.close(); }
}

/**
 * Two names of one file, so surely that one of them may be removed: shares may give two files one inode, but those agree in nothing
 * else, and count one name each.
 */
export function isSameFile(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.nlink > 1 && b.nlink > 1 && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

/** What two looks at one moment show of one file, whatever path leads to it. */
export function liveKey(stat: Stats): string { return `${stat.dev}:${stat.ino}`; }

/** The run is being ended from outside: nothing is concluded, and the next one goes on. */
export class Interrupted extends Error { constructor() { super('it was stopped'); this.name = 'Interrupted'; } }

/** SHA-256 of a file by chunks, each given to `use` too: of any size without holding it, and ended soon where the agent stops. */
export async function passFile(ctx: Pick<OrderContext, 'files' | 'signal'>, absolute: string, use?: (bytes: Buffer) => Promise<void>): Promise<string> {
  const file = await ctx.files.open(absolute);
  try {
    return (await file.pass(async (bytes) => {
      if (ctx.signal.aborted) throw new Interrupted();
      await use?.(bytes);
    })).sha256;
  } finally { await file.close(); }
}

/** What tells one file from another: its inode where inodes last, however many paths and mounts show it; else its place. */
export function fileKey(row: Pick<FileRow, 'fs_id' | 'inode' | 'volume_id' | 'dir' | 'name'>): string {
  return row.fs_id !== null && row.inode !== null ? `${row.fs_id}\0${row.inode}` : `${row.volume_id}\0\0${row.dir}/${row.name}`;
}

/** A copy of this asset that stays, on one of `volumes`, whose bytes were read and found right just now; never the file that leaves by another path. */
export function findGoodCopy(ctx: OrderContext, run: Run, sha256: string, volumes: readonly string[]): Promise<FileRow | undefined> {
  return firstGoodCopy(ctx, run, sha256, listCopies(ctx.catalog, sha256).filter((copy) => !run.leaving().has(fileKey(copy)) && volumes.includes(copy.volume_id)));
}

/** The first of these whose bytes were read just now and are those of the hash. */
export async function firstGoodCopy(ctx: OrderContext, run: Run, sha256: string, copies: readonly FileRow[]): Promise<FileRow | undefined> {
  for (const copy of copies) {
    try {
      const volume = await run.at(copy.volume_id);
      const read = await hashFile(ctx.files, absolutePath(volume.mount_point, joinPath(copy.dir, copy.name)));
      if (read.sha256 === sha256 && !(await run.leavingNow(sha256)).has(liveKey(read.stat))) return copy;
    } catch (error) {
      if (!(error instanceof FileError) && !(error instanceof DriveLeft)) throw error;
    }
  }
  return undefined;
}

/** What a drive is called: one of the library's, or one that copies went onto. */
export function driveLabel(catalog: Catalog, volumeId: string): string | undefined { return getVolume(catalog, volumeId)?.label ?? targetLabel(catalog, volumeId); }
/** The same for a sentence. */
export function driveName(catalog: Catalog, volumeId: string): string { return driveLabel(catalog, volumeId) ?? 'a drive'; }

/** As people read sizes of drives. */
export function sayBytes(bytes: number): string {
  const unit = (['GB', 'MB', 'kB'] as const).find((_, i) => bytes >= 1000 ** (3 - i)) ?? 'bytes';
  const value = bytes / { GB: 1e9, MB: 1e6, kB: 1e3, bytes: 1 }[unit];
  return `${value >= 100 || unit === 'bytes' ? Math.round(value) : value.toFixed(1)} ${unit}`;
}

/** What a refusal of the file system means for an order: its outcome, and a sentence. */
export function sayTrouble(error: FileError): { outcome: Outcome; reason: string } {
  switch (error.errno) {
    case 'EROFS': return { outcome: 'refused', reason: 'The drive can only be read.' };
    case 'EACCES': case 'EPERM': return { outcome: 'refused', reason: 'The system does not let this program change the folder that it lies in.' };
    case 'ENOSPC': case 'EDQUOT': return { outcome: 'failed', reason: 'The drive has no room left.' };
    case 'EEXIST': return { outcome: 'name_taken', reason: 'Another file has that name.' };
    case 'ENAMETOOLONG': return { outcome: 'refused', reason: 'Its name would be too long there.' };
    case 'EXDEV': return { outcome: 'refused', reason: 'Another drive is mounted in between.' };
    default: return { outcome: error.code === 'changed_while_read' ? 'changed' : 'failed', reason: error.message };
  }
}

/** Throws DriveLeft where the volume is not the one that it was, or shows nothing at all: a folder on which no drive is mounted. */
export async function assertDrive(ctx: OrderContext, run: Run, volume: Volume): Promise<void> {
  await run.at(volume.volume_id);
  const { names, badNames } = ctx.files.list(volume.mount_point);
  if (names.length + badNames.length === 0) throw new DriveLeft(volume.volume_id);
}

export const parentOf = dirname;

/** Of files that did not go because one that belongs to them could not. */
export const BESIDE = 'A file that belongs to it could not be moved, and they go together or not at all.';

export function end(ctx: OrderContext, step: Step, ending: Ending): void {
  ctx.catalog.transact(() => { endStep(ctx.catalog, step, { to_path: null, ...ending }, ctx.now()); });
  ctx.onChange();
}

/** Ends a whole unit: `cause` with its own words, the others because of it. */
export function endAll(ctx: OrderContext, unit: readonly Step[], ending: { outcome: Outcome; reason: string }, cause?: Step): void {
  ctx.catalog.transact(() => {
    for (const step of unit) {
      const own = cause === undefined || step === cause;
      endStep(ctx.catalog, step, { outcome: own ? ending.outcome : 'refused', reason: own ? ending.reason : BESIDE, to_path: null }, ctx.now());
    }
  });
  ctx.onChange();
}
