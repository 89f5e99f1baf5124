// One scan of one root, or of several: walk, read what is new, settle what is gone. Decides what every file seen counts
// as (promise 8) and alone may conclude that a file is missing (promise 2).
import { createHash, randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { availableParallelism } from 'node:os';
import { VANISH_ASK_FILES, VANISH_ASK_SHARE } from '../../protocol/limits.ts';
import type { AssetFacts, ScanCounts } from '../../protocol/rows.ts';
import { FACTS_VERSION } from '../../protocol/versions.ts';
import type { ProblemCode, SeenAs } from '../../protocol/words.ts';
import { factsVersion, getAsset, putAsset } from '../catalog/assets.ts';
import { DiskFullError } from '../files/room.ts';
import {
  countKnown, demoteFile, dropFile, forgetHash, getFile, joinPath, listByInode, listCopies, listFolder, listKnownFolders, listLost, listMissingCopies, markMissing, markSeenAgain, putFile, splitPath,
  updateStats, ROW_ASSET, ROW_FAILED, ROW_HAS_HASH, ROW_MISSING, ROW_SIDECAR, ROW_STALE, type FileRow, type FileSeenAs, type FileWrite, type FolderRow,
} from '../catalog/files.ts';
import { getFolderStamp, putFolderStamp } from '../catalog/folder-stamps.ts';
import { getProblem, listProblems, recordProblem, solveProblem } from '../catalog/problems.ts';
import { completeRoot, listRoots, type Root } from '../catalog/roots.ts';
import { putSidecar } from '../catalog/sidecars.ts';
import { getScan, KEPT, keptPaths, lastScan, listQuestions, putScan, queueCompletion, settleEarlierScans, type Scan } from '../catalog/scans.ts';
import { isEditedFrom, noteSuccessor, noteUnread, settleSuccessors, takeUnread } from '../catalog/successors.ts';
import { putVolume } from '../catalog/volumes.ts';
import { icloudName, inodeText, isDataless, sameStat } from '../files/access.ts';
import { FileError, isDeviceTrouble, isReadTrouble } from '../files/errors.ts';
import { absolutePath } from '../volumes/identify.ts';
import type { ConnectedVolume, FailedFile, ScanContext, ScanReport } from './context.ts';
import { isEdit } from './edited.ts';
import { BYTES_IN_FLIGHT, createBudget, readOnce, type ReadResult } from './hash.ts';
import { hashRules, isInPackage } from './ignore.ts';
import { titleKey } from './match.ts';
import { readSidecar, type SidecarRead } from './sidecars.ts';
import { ReadError, type QuickRead } from './types.ts';
import { judgeKnownFolder, walkRoot, type WalkResult, type WalkVisitor } from './walk.ts';

/** One file more than there are cores: while one is read from the drive, the others decode. */
const DEFAULT_CONCURRENCY = availableParallelism() + 1;
/** The walk runs ahead by this many files, so that an estimate has a total; some 5 MB of names. */
const QUEUE_AHEAD = 20_000;
/** A change in the same moment as the read could hide behind an equal mtime: FAT keeps 2 s. */
const RACY_MS = 2_000;
const PROGRESS_INTERVAL_MS = 200;
/** As many read errors without one success between them are a dying drive, and going on would only wear it. */
const READ_ERRORS_IN_A_ROW = 100;
/** Paths in one completion: the protocol's bound. */
export const COMPLETION_PATHS = 5_000;
const QUESTION_EXAMPLES = 10;
const MAX_REASON = 1_000;

/** Ends the scan before it is complete: nothing is concluded from it. The message is for people. */
export class ScanStopped extends Error {
  constructor(message: string) { super(message); this.name = 'ScanStopped'; }
}

interface Job { dir: string; name: string }
interface FolderFile { name: string; stat: Stats }

/** What is known of one scan while it runs. */
interface Run {
  ctx: ScanContext; root: Root; nested: Root[]; volume: ConnectedVolume; mountDev: number; mountIno: number;
  scanId: string; startedMs: number; startRevision: number; rulesHash: string;
  counts: ScanCounts; failed: FailedFile[];
  /** Paths with a problem in this scan: their problems stay. */
  failing: Set<string>;
  /** Known rows whose file was not in its folder. */
  vanished: Vanished[];
  queue: Job[]; queueAt: number; active: number; walked: boolean; wake: (() => void)[];
  /** What ended the scan early. */
  halt: unknown;
  inFlight: Map<string, Promise<unknown>>;
  readErrors: number; nextCheck: Promise<void> | null; check: Promise<void> | null; toldAt: number;
  walk: WalkResult | null;
  /** A copy under a new path was written in this run, and the catalog was told so. */
  newCopies: boolean;
}

interface Vanished { path: string; isAsset: boolean }

/** One root, with the roots that lie in it. */
export async function scanRoot(ctx: ScanContext, root: Root): Promise<ScanReport> {
  const [report] = await scanRoots(ctx, [root]);
  if (!report) throw new Error(`root ${root.root_id} gave no report`);
  return report;
}

/**
 * Scans roots, none of them twice where one lies in another (the outer one's report then covers the inner). All are
 * walked before any is concluded, so that a file that went from one to another is moved, not missing. Never throws for
 * what files and drives do; throws what is a bug.
 */
export async function scanRoots(ctx: ScanContext, roots: readonly Root[]): Promise<ScanReport[]> {
  ctx.files.refresh();
  const outer = roots.filter((r) => !roots.some((other) => other.root_id !== r.root_id && other.volume_id === r.volume_id && isInside(other.path, r.path)));
  const runs: (Run | ScanReport)[] = [];
  for (const root of outer) {
    const run = await startRun(ctx, root);
    runs.push(run);
    if ('ctx' in run) await walkAndRead(run);
  }
  const reports: ScanReport[] = [];
  for (const run of runs) reports.push('ctx' in run ? await concludeRun(run) : run);
  return reports;
}

function isInside(folder: string, path: string): boolean {
  return folder === '' ? path !== '' : path.startsWith(`${folder}/`);
}

const NO_COUNTS: ScanCounts = { seen: 0, indexed: 0, changed: 0, moved: 0, unchanged: 0, duplicate: 0, sidecar: 0, ignored: 0, failed: 0 };

async function startRun(ctx: ScanContext, root: Root): Promise<Run | ScanReport> {
  const scanId = randomUUID();
  const refuse = (reason: string, mountPoint: string | null): ScanReport => ({
    scan_id: scanId, root_id: root.root_id, volume_id: root.volume_id, root_path: root.path, mount_point: mountPoint, state: 'stopped', reason,
    counts: { ...NO_COUNTS }, failed: [], skipped: [], vanished: 0, marked_missing: 0, question: null,
  });
  const volume = await ctx.volumes.get(root.volume_id);
  if (!volume) return refuse('Its drive is not connected.', null);
  let mount: Stats;
  let reason = `The folder ${root.path} is not there.`;
  try {
    mount = ctx.files.lstat(volume.mount_point);
    const top = ctx.files.lstat(absolutePath(volume.mount_point, root.path));
    if (!top.isDirectory()) return refuse(reason, volume.mount_point);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (error.errno !== 'ENOENT') reason = error.message;
    return refuse(reason, volume.mount_point);
  }
  putVolume(ctx.catalog, volume);
  const nested = listRoots(ctx.catalog).filter((r) => r.root_id !== root.root_id && r.volume_id === root.volume_id && isInside(root.path, r.path));
  const run: Run = {
    ctx, root, nested, volume, mountDev: mount.dev, mountIno: mount.ino, scanId, startedMs: ctx.now(), startRevision: ctx.catalog.revision(), rulesHash: hashRules([root, ...nested]),
    counts: { ...NO_COUNTS }, failed: [], failing: new Set(), vanished: [], queue: [], queueAt: 0, active: 0, walked: false, wake: [], halt: undefined,
    inFlight: new Map(), readErrors: 0, nextCheck: null, check: null, toldAt: 0, walk: null, newCopies: false,
  };
  return run;
}

// ---- Counting ----

function count(run: Run, as: SeenAs): void {
  run.counts.seen += 1;
  run.counts[as] += 1;
}

function countFailed(run: Run, path: string, code: ProblemCode, reason: string): void {
  count(run, 'failed');
  run.failed.push({ path, code, reason });
  run.failing.add(path);
}

function fail(run: Run, path: string, code: ProblemCode, reason: string, stage: string): void {
  countFailed(run, path, code, reason);
  recordProblem(run.ctx.catalog, { volume_id: run.volume.volume_id, path, code, reason: reason.slice(0, MAX_REASON), stage, at_ms: run.ctx.now() });
}

function tellProgress(run: Run, always: boolean): void {
  const now = performance.now();
  if (!run.ctx.onProgress || (!always && now - run.toldAt < PROGRESS_INTERVAL_MS)) return;
  run.toldAt = now;
  run.ctx.onProgress({ root: run.root.root_id, counts: { ...run.counts }, pending: run.queue.length - run.queueAt + run.active, walked: run.walked });
}

// ---- First part: walk, and read what is new ----

async function walkAndRead(run: Run): Promise<void> {
  const { ctx, volume } = run;
  try {
    run.walk = await walkRoot({
      files: ctx.files, mountPoint: volume.mount_point, roots: [run.root, ...run.nested], exactNames: volume.exact_names, lastingInodes: volume.fs_id !== null,
      ownFolders: new Set(ctx.ownFolders ?? []), mountPoints: ctx.volumes.mountPoints(), signal: ctx.signal,
    }, createVisitor(run));
  } catch (error) { run.halt ??= error; }
  run.walked = true;
  await drain(run, 0);
  tellProgress(run, true);
}

function createVisitor(run: Run): WalkVisitor {
  const { ctx, volume } = run;
  const { platform } = ctx.files;
  const lasting = volume.fs_id !== null;
  // Of the folder being walked: what the catalog has, which names account for a row without being it, what is to be read.
  let rows = new Map<string, FolderRow>();
  let seen = new Set<string>();
  let fresh: string[] = [];
  let files: FolderFile[] = [];

  function judgeFile(dir: string, { name, stat }: FolderFile): void {
    const row = rows.get(name);
    const sameContent = row !== undefined && row[1] === stat.size && row[2] === stat.mtimeMs;
    // A known file that the cloud took back keeps size and mtime: it is still that file.
    if (isDataless(stat, platform) && !(sameContent && (row[5] & ROW_ASSET) !== 0)) {
      if (row) seen.add(name);
      notePlaceholder(run, joinPath(dir, name));
      return;
    }
    const same = sameContent && (row[5] & ROW_STALE) === 0 && (!lasting || isDataless(stat, platform) || (row[3] === stat.ctimeMs && (row[4] === null || row[4] === stat.ino)));
    // Left in the map, a row has vanished; deleting is cheaper than a second set for the many that are unchanged.
    if (row) rows.delete(name);
    if (same) countUnchanged(run, dir, name, row);
    else if (icloudName(name) !== undefined && platform === 'darwin') {
      seen.add(icloudName(name) ?? '');
      notePlaceholder(run, joinPath(dir, name));
    } else fresh.push(name);
  }

  return {
    enterFolder: () => {
      rows = new Map();
      seen = new Set();
      fresh = [];
      files = [];
    },
    file: (_dir, name, stat) => { files.push({ name, stat }); },
    ignored: (_dir, name, _reason, there) => {
      if (there) seen.add(name);
      count(run, 'ignored');
    },
    failed: (dir, name, error) => {
      seen.add(name);
      fail(run, joinPath(dir, name), error.code, error.message, 'walk');
      if (isReadTrouble(error)) countReadError(run);
    },
    leaveFolder: (dir) => {
      const stamp = stampFolder(files, lasting);
      const known = getFolderStamp(ctx.catalog, volume.volume_id, dir);
      if (known?.stamp === stamp) {
        for (const as of ['unchanged', 'sidecar', 'ignored'] as const) { run.counts[as] += known[as]; run.counts.seen += known[as]; }
        return;
      }
      for (const row of listFolder(ctx.catalog, volume.volume_id, dir, FACTS_VERSION)) rows.set(row[0], row);
      const counted = { ...run.counts };
      // A failed file or one with a missing mark needs its row looked at each time.
      const plain = rows.size === files.length && [...rows.values()].every((row) => (row[5] & (ROW_FAILED | ROW_MISSING)) === 0);
      for (const file of files) judgeFile(dir, file);
      for (const [name, row] of rows) if (!seen.has(name)) noteVanished(run, joinPath(dir, name), row);
      const [unchanged, sidecar, ignored] = (['unchanged', 'sidecar', 'ignored'] as const).map((as) => run.counts[as] - counted[as]) as [number, number, number];
      if (plain && files.length > 0 && unchanged + sidecar + ignored === files.length) ctx.catalog.transact(() => { putFolderStamp(ctx.catalog, volume.volume_id, dir, { stamp, unchanged, sidecar, ignored }); });
      rows = new Map();
      // In the order of names: files that belong together (a RAW pair, a Live Photo) are read together.
      for (const name of fresh.sort()) run.queue.push({ dir, name });
      if (fresh.length > 0) pump(run);
    },
    folderFailed: (dir, error) => {
      run.failing.add(dir);
      recordProblem(ctx.catalog, { volume_id: volume.volume_id, path: dir, code: error.code, reason: error.message, stage: 'walk', at_ms: ctx.now() });
      if (isReadTrouble(error)) countReadError(run);
    },
    checkVolume: () => checkVolume(run),
    judgeMount: async (absolute) => {
      const found = await ctx.volumes.find(absolute).catch(() => undefined);
      if (!found) return 'it cannot be told which drive is mounted here';
      if (found.volume.volume_id !== volume.volume_id) return `another drive is mounted here (${found.volume.label})`;
      const alias = found.path !== relativePath(volume, absolute);
      const walkedAnyway = [run.root, ...listRoots(ctx.catalog)].some((r) => r.volume_id === volume.volume_id && (r.path === found.path || r.path === '' || isInside(r.path, found.path)));
      return alias && walkedAnyway ? `the same folder as ${found.path}` : undefined;
    },
    pace: async () => {
      tellProgress(run, false);
      if (run.halt !== undefined) throw run.halt;
      if (run.queue.length - run.queueAt > QUEUE_AHEAD) await drain(run, QUEUE_AHEAD / 2);
    },
  };
}

/**
 * One hash over what the files of a folder are compared by, in the order in which they were listed (another order costs
 * a look at the rows, no more). Blocks are in it for files that the cloud took back.
 */
function stampFolder(files: readonly FolderFile[], lasting: boolean): string {
  const stats = new Float64Array(files.length * 5);
  let names = `${FACTS_VERSION}.${Number(lasting)}`;
  let at = 0;
  for (const { name, stat } of files) {
    names += `/${name}`;
    stats[at] = stat.size; stats[at + 1] = stat.mtimeMs; stats[at + 2] = lasting ? stat.ctimeMs : 0; stats[at + 3] = lasting ? stat.ino : 0; stats[at + 4] = stat.blocks;
    at += 5;
  }
  return createHash('sha256').update(names).update('//').update(stats).digest('base64');
}

function relativePath(volume: ConnectedVolume, absolute: string): string {
  return volume.mount_point === '/' ? absolute.slice(1) : absolute.slice(volume.mount_point.length + 1);
}

/** Never opened, for that would download it. */
function notePlaceholder(run: Run, path: string): void {
  count(run, 'ignored');
  run.failing.add(path);
  recordProblem(run.ctx.catalog, {
    volume_id: run.volume.volume_id, path, code: 'placeholder', stage: 'walk', at_ms: run.ctx.now(),
    reason: 'Its content is in the cloud and not on this drive. Opening it would download it, so it was left alone.',
  });
}

function countUnchanged(run: Run, dir: string, name: string, row: FolderRow): void {
  const flags = row[5];
  if (flags & ROW_MISSING) run.ctx.catalog.transact(() => markSeenAgain(run.ctx.catalog, run.volume.volume_id, dir, name));
  if (flags & ROW_ASSET) { count(run, 'unchanged'); return; }
  if (!(flags & ROW_FAILED)) { count(run, flags & ROW_SIDECAR ? 'sidecar' : 'ignored'); return; }
  const path = joinPath(dir, name);
  const problem = getProblem(run.ctx.catalog, run.volume.volume_id, path);
  countFailed(run, path, problem?.code ?? 'other', problem?.reason ?? 'It could not be read.');
}

function noteVanished(run: Run, path: string, row: FolderRow): void {
  // Already marked, or already told: nothing new.
  if (row[5] & ROW_MISSING) return;
  run.vanished.push({ path, isAsset: (row[5] & ROW_HAS_HASH) !== 0 });
}

// ---- The readers' queue ----

function pump(run: Run): void {
  const limit = run.ctx.concurrency ?? DEFAULT_CONCURRENCY;
  while (run.halt === undefined && run.active < limit && run.queueAt < run.queue.length) {
    const job = run.queue[run.queueAt] as Job;
    run.queueAt += 1;
    if (run.queueAt === QUEUE_AHEAD) { run.queue.splice(0, run.queueAt); run.queueAt = 0; }
    run.active += 1;
    void processFile(run, job).catch((error: unknown) => { run.halt ??= error; }).finally(() => {
      run.active -= 1;
      if (run.ctx.signal?.aborted) run.halt ??= run.ctx.signal.reason;
      pump(run);
      tellProgress(run, false);
      for (const wake of run.wake.splice(0)) wake();
    });
  }
}

/** Waits until at most `left` files wait to be read (0: and none is being read), or the scan was halted and its readers are done. */
async function drain(run: Run, left: number): Promise<void> {
  const waits = (): boolean => (run.halt !== undefined ? run.active > 0 : run.queue.length - run.queueAt > left || (left === 0 && run.active > 0));
  while (waits()) await new Promise<void>((resolve) => { run.wake.push(resolve); });
}

/**
 * Looks whether the volume is still the one that it was. Callers at one time share a look, but never one that began
 * before their own trouble. Throws ScanStopped where it has gone.
 */
function checkVolume(run: Run): Promise<void> {
  if (run.nextCheck) return run.nextCheck;
  const before = run.check ?? Promise.resolve();
  run.nextCheck = before.catch(() => undefined).then(() => {
    run.check = run.nextCheck;
    run.nextCheck = null;
    return lookAtVolume(run);
  });
  return run.nextCheck;
}

async function lookAtVolume(run: Run): Promise<void> {
  const now = await run.ctx.volumes.get(run.volume.volume_id);
  const gone = `The drive ${run.volume.label} was unplugged.`;
  if (!now || now.mount_point !== run.volume.mount_point) throw new ScanStopped(gone);
  try {
    const mount = run.ctx.files.lstat(now.mount_point);
    if (mount.dev !== run.mountDev || mount.ino !== run.mountIno) throw new ScanStopped(gone);
    run.ctx.files.lstat(absolutePath(now.mount_point, run.root.path));
  } catch (error) {
    if (error instanceof FileError) throw new ScanStopped(error.errno === 'ENOENT' ? `The folder ${run.root.path} has gone.` : gone);
    throw error;
  }
}

function countReadError(run: Run): void {
  run.readErrors += 1;
  if (run.readErrors >= READ_ERRORS_IN_A_ROW) throw new ScanStopped(`The drive ${run.volume.label} gives one read error after the other. Check it before scanning again.`);
}

const budget = createBudget(BYTES_IN_FLIGHT);

async function processFile(run: Run, job: Job): Promise<void> {
  const { ctx } = run;
  const path = joinPath(job.dir, job.name);
  const absolute = absolutePath(run.volume.mount_point, path);
  ctx.catalog.assertRoom();
  try {
    const row = getFile(ctx.catalog, run.volume.volume_id, job.dir, job.name);
    const stat = ctx.files.lstat(absolute);
    if (!stat.isFile()) throw new FileError('changed_while_read', '', 'It was a file and is something else now.');
    const inode = run.volume.fs_id === null ? null : inodeText(stat);
    // Another path to a file that is being read right now: wait for its hash rather than reading it again.
    const inodeKey = inode !== null && stat.nlink > 1 ? `inode ${inode}` : null;
    if (inodeKey) for (let other = run.inFlight.get(inodeKey); other; other = run.inFlight.get(inodeKey)) await other.catch(() => undefined);
    if (!row && inode !== null && takeKnownInode(run, job, stat, inode)) return;
    if (row && keepDamaged(run, job, row, stat)) return;
    const work = readOnce(ctx.files, ctx.reader, absolute, job.name, budget, (read) => useRead(run, job, row, read));
    if (!inodeKey) { await work; } else {
      run.inFlight.set(inodeKey, work);
      try { await work; } finally { if (run.inFlight.get(inodeKey) === work) run.inFlight.delete(inodeKey); }
    }
    run.readErrors = 0;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (isDeviceTrouble(error)) await checkVolume(run);
    fail(run, path, error.code, error.message, 'read');
    if (isReadTrouble(error)) countReadError(run);
  }
}

/**
 * A path that was not known, of an inode that was: a rename or a hard link, and its bytes need no reading. Size, mtime
 * and time of birth must agree, for inodes are given out anew; without a time of birth the file is read.
 */
function takeKnownInode(run: Run, job: Job, stat: Stats, inode: string): boolean {
  const { catalog } = run.ctx;
  if (!(stat.birthtimeMs > 0)) return false;
  const same = listByInode(catalog, run.volume.volume_id, inode).find((f) =>
    f.size_bytes === stat.size && f.mtime_ms === stat.mtimeMs && f.birth_ms === stat.birthtimeMs && f.fs_id === run.volume.fs_id && !f.racy && f.read_version >= FACTS_VERSION);
  if (!same?.sha256 || (factsVersion(catalog, same.sha256) ?? 0) < FACTS_VERSION) return false;
  const { sha256 } = same;
  catalog.transact(() => {
    noteNewCopy(run);
    putFile(catalog, { ...fileWrite(run, job, stat, 'asset', sha256), verified_ms: same.verified_ms });
  });
  settleSolved(run, job);
  count(run, 'duplicate');
  return true;
}

/** Bytes that a verification found damaged are no edit, whatever touched the file since, while its size and date stay: it waits to be mended. */
function keepDamaged(run: Run, job: Job, row: FileRow, stat: Stats): boolean {
  if (row.damaged_ms === null || row.sha256 === null || row.missing_since_ms !== null || row.size_bytes !== stat.size || row.mtime_ms !== stat.mtimeMs) return false;
  run.ctx.catalog.transact(() => { updateStats(run.ctx.catalog, { ...fileWrite(run, job, stat, 'asset', row.sha256), verified_ms: row.verified_ms }); });
  settleSolved(run, job);
  count(run, 'unchanged');
  return true;
}

function newCopiesKey(run: Run): string { return `new_copies:${run.root.root_id}`; }

/** Kept in the catalog until a scan has looked whether they are files that went missing: a crash in between forgets nothing. */
function noteNewCopy(run: Run): void {
  if (!run.newCopies) run.ctx.catalog.setMeta(newCopiesKey(run), '1');
  run.newCopies = true;
}

function fileWrite(run: Run, job: Job, stat: Stats, seenAs: FileSeenAs, sha256: string | null): FileWrite {
  const lasting = run.volume.fs_id !== null;
  const path = joinPath(job.dir, job.name);
  const now = run.ctx.now();
  return {
    volume_id: run.volume.volume_id, dir: job.dir, name: job.name, size_bytes: stat.size, mtime_ms: stat.mtimeMs, ctime_ms: stat.ctimeMs, birth_ms: stat.birthtimeMs,
    fs_id: lasting ? run.volume.fs_id : null, inode: lasting ? inodeText(stat) : null, seen_as: seenAs, sha256, in_package: isInPackage(path),
    racy: Math.abs(now - stat.mtimeMs) < RACY_MS, read_version: FACTS_VERSION, missing_since_ms: null,
    time_claims: seenAs === 'asset' ? run.ctx.reader.nameClaims(job.name, stat.mtimeMs) : [],
  };
}

function settleSolved(run: Run, job: Job): void {
  solveProblem(run.ctx.catalog, run.volume.volume_id, joinPath(job.dir, job.name));
}

async function useRead(run: Run, job: Job, row: FileRow | undefined, read: ReadResult): Promise<void> {
  if ('bytes' in read) { await useSidecar(run, job, row, read); return; }
  if (!('sha256' in read)) { writeOther(run, job, row, read.stat, read.type); return; }
  const { catalog } = run.ctx;
  // The same bytes at another path, being made right now: once is enough, whatever comes of it.
  for (let other = run.inFlight.get(read.sha256); other; other = run.inFlight.get(read.sha256)) await other.catch(() => undefined);
  const version = factsVersion(catalog, read.sha256);
  if (version !== undefined && version >= FACTS_VERSION) {
    catalog.transact(() => {
      const facts = row && row.sha256 !== read.sha256 ? getAsset(catalog, read.sha256)?.facts : undefined;
      if (facts) noteEdit(run, job, row, read.stat, facts, true);
      writeAssetFile(run, job, row, read.stat, read.sha256);
    });
    settleSolved(run, job);
    countAsset(run, row, read.sha256, true);
    return;
  }
  const made = makeAsset(run, job, row, read, version !== undefined);
  run.inFlight.set(read.sha256, made);
  try { await made; } finally { run.inFlight.delete(read.sha256); }
}

/** What an asset's file counts as, by what was known of its path and its hash. `moved` is told from `duplicate` at the end. */
function countAsset(run: Run, row: FileRow | undefined, sha256: string, known: boolean): void {
  const before = row?.seen_as === 'asset' ? row.sha256 : null;
  if (before === sha256) count(run, 'unchanged');
  else if (before !== null && row?.missing_since_ms === null) count(run, 'changed');
  else count(run, known ? 'duplicate' : 'indexed');
}

/** The file's row; one that differs in nothing that the Worker knows is not pushed again. */
function writeAssetFile(run: Run, job: Job, row: FileRow | undefined, stat: Stats, sha256: string): void {
  const next = { ...fileWrite(run, job, stat, 'asset', sha256), verified_ms: run.ctx.now() };
  if (row?.sha256 !== sha256) noteNewCopy(run);
  const same = row && row.seen_as === 'asset' && row.sha256 === sha256 && row.size_bytes === stat.size && row.mtime_ms === stat.mtimeMs && row.inode === next.inode
    && row.fs_id === next.fs_id && row.missing_since_ms === null && JSON.stringify(row.time_claims) === JSON.stringify(next.time_claims);
  if (same) updateStats(run.ctx.catalog, next);
  else putFile(run.ctx.catalog, next);
}

async function makeAsset(run: Run, job: Job, row: FileRow | undefined, read: Extract<ReadResult, { sha256: string }>, known: boolean): Promise<void> {
  const { ctx } = run;
  let quick: QuickRead;
  try {
    quick = await ctx.reader.quick(read.source, read.type);
    // Where the reader went back to the drive, what it made counts only if the file is still there as it was.
    if (read.source.bytes === null) confirmUnchanged(run, read.source.path, read.stat);
  } catch (error) {
    if (error instanceof FileError) throw error;
    confirmUnchanged(run, read.source.path, read.stat);
    if (error instanceof ReadError) { writeFailed(run, job, row, read.stat, error.code, error.message, error.stage); return; }
    writeFailed(run, job, row, read.stat, 'other', `It could not be read: ${error instanceof Error ? error.message : String(error)}`, 'read');
    return;
  }
  const facts: AssetFacts = { ...quick.facts, sha256: read.sha256, size_bytes: read.stat.size };
  ctx.catalog.transact(() => {
    noteEdit(run, job, row, read.stat, facts, known);
    putAsset(ctx.catalog, { facts, rawMetadata: quick.rawMetadata, factsVersion: FACTS_VERSION, grid: quick.grid, preview: quick.preview, unfinished: quick.unfinished });
    writeAssetFile(run, job, row, read.stat, read.sha256);
  });
  settleSolved(run, job);
  countAsset(run, row, read.sha256, known);
}

/**
 * Notes that a path's new content succeeds its old one, where that is an edit. Content that was known before did not come
 * from an edit: it was copied or moved here, unless it is what was edited before and the edit was taken back.
 */
function noteEdit(run: Run, job: Job, row: FileRow | undefined, stat: Stats, facts: AssetFacts, known: boolean): void {
  if (!row) return;
  const { catalog } = run.ctx;
  const key = { volume_id: run.volume.volume_id, dir: job.dir, name: job.name };
  const unread = takeUnread(catalog, key);
  const before = row.sha256 ?? unread;
  if (before === undefined || before === facts.sha256) return;
  if (known && !isEditedFrom(catalog, before, facts.sha256)) return;
  const old = getAsset(catalog, before)?.facts;
  if (!old) return;
  const next = { facts, inode: run.volume.fs_id === null ? null : inodeText(stat), birth_ms: stat.birthtimeMs, ctime_ms: stat.ctimeMs };
  // A path that was empty for a while, or held something else, may hold anything now.
  const certain = row.missing_since_ms !== null || row.seen_as !== 'asset';
  if (isEdit({ facts: old, inode: row.inode, birth_ms: row.birth_ms, ctime_ms: row.ctime_ms }, next, certain)) noteSuccessor(catalog, before, facts.sha256);
}

/** Throws FileError where the path does not show the same file any more: then the drive, not the file, is at fault. */
function confirmUnchanged(run: Run, absolute: string, stat: Stats): void {
  if (!sameStat(stat, run.ctx.files.lstat(absolute))) throw new FileError('changed_while_read', '', 'It changed while it was being read.');
}

type Other = Exclude<ReadResult['type'], { as: 'asset' | 'sidecar' }>;

function writeOther(run: Run, job: Job, row: FileRow | undefined, stat: Stats, type: Other): void {
  if (type.as === 'failed') { writeFailed(run, job, row, stat, type.code, type.reason, 'identify'); return; }
  writeNoAsset(run, row, fileWrite(run, job, stat, type.as, null));
  settleSolved(run, job);
  count(run, type.as);
}

/** A sidecar is kept as it was read; pipeline/relate.ts finds what it is about. One that cannot be read is a failure by name. */
async function useSidecar(run: Run, job: Job, row: FileRow | undefined, { stat, type, bytes }: Extract<ReadResult, { bytes: unknown }>): Promise<void> {
  const { catalog } = run.ctx;
  if (!bytes) { writeFailed(run, job, row, stat, 'too_large', `It is larger than any sidecar (${Math.round(stat.size / 1e6)} MB) and was not read.`, 'sidecar'); return; }
  let read: SidecarRead;
  try { read = await readSidecar(job.name, type.format, bytes); } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    writeFailed(run, job, row, stat, error.code, error.message, error.stage);
    return;
  }
  catalog.transact(() => {
    writeNoAsset(run, row, fileWrite(run, job, stat, 'sidecar', null));
    putSidecar(catalog, { volume_id: run.volume.volume_id, dir: job.dir }, {
      name: job.name, format: read.format, title: read.title, title_key: read.format === 'takeout' && read.title !== null ? titleKey(read.title) : null, album_title: read.album?.title ?? null, said: JSON.stringify(read.said),
    });
  });
  settleSolved(run, job);
  count(run, 'sidecar');
}

function writeFailed(run: Run, job: Job, row: FileRow | undefined, stat: Stats, code: ProblemCode, reason: string, stage: string): void {
  run.ctx.catalog.transact(() => {
    writeNoAsset(run, row, fileWrite(run, job, stat, 'failed', null));
    fail(run, joinPath(job.dir, job.name), code, reason, stage);
  });
}

function writeNoAsset(run: Run, row: FileRow | undefined, next: FileWrite): void {
  const { catalog } = run.ctx;
  catalog.transact(() => {
    if (!row?.sha256) { putFile(catalog, next); return; }
    noteUnread(catalog, next, row.sha256);
    demoteFile(catalog, next);
  });
}

// ---- Second part: what is gone ----

async function concludeRun(run: Run): Promise<ScanReport> {
  const { ctx } = run;
  try {
    if (run.halt === undefined) await checkVolume(run);
  } catch (error) { run.halt ??= error; }
  if (run.halt !== undefined) return stopRun(run, run.halt);
  try {
    return ctx.catalog.transact(() => settleRun(run));
  } catch (error) { return stopRun(run, error); }
}

/** The reason in words, or undefined for what is a bug and must be thrown. */
function stopReason(run: Run, error: unknown): string | undefined {
  if (run.ctx.signal?.aborted) return 'It was stopped.';
  if (error instanceof ScanStopped || error instanceof DiskFullError) return error.message;
  return undefined;
}

function stopRun(run: Run, error: unknown): ScanReport {
  const reason = stopReason(run, error);
  if (reason === undefined) throw error;
  const report = reportOf(run, { state: 'stopped', reason });
  // On a full disk not even this can be kept; the report says it all the same.
  try { keepScan(run, report, null); } catch (failure) { if (!(failure instanceof DiskFullError)) throw failure; }
  return report;
}

function reportOf(run: Run, end: Pick<ScanReport, 'state' | 'reason'> & Partial<ScanReport>): ScanReport {
  return {
    scan_id: run.scanId, root_id: run.root.root_id, volume_id: run.volume.volume_id, root_path: run.root.path, mount_point: run.volume.mount_point,
    counts: { ...run.counts }, failed: run.failed, skipped: run.walk?.skipped ?? [], vanished: 0, marked_missing: 0, question: null, ...end,
  };
}

function keepScan(run: Run, report: ScanReport, vanishedPaths: string[] | null): void {
  const { catalog } = run.ctx;
  const c = report.counts;
  const last = lastScan(catalog, run.root.root_id);
  const news = c.indexed + c.changed + c.moved + c.duplicate > 0 || report.state !== 'completed' || report.vanished > 0 || last === undefined || last.state !== 'completed' || last.counts.failed !== c.failed;
  putScan(catalog, {
    scan_id: run.scanId, volume_id: run.volume.volume_id, root_id: run.root.root_id, state: report.state, started_ms: run.startedMs, ended_ms: run.ctx.now(), counts: c,
    vanished: report.vanished, reason: report.reason, vanished_paths: vanishedPaths,
  }, news);
}

/** Everything that a completed walk allows to be concluded, in one transaction. */
function settleRun(run: Run): ScanReport {
  const { ctx, volume, root } = run;
  const { catalog } = ctx;
  collectGoneFolders(run);
  const gone = run.vanished.filter((v) => v.isAsset).map((v) => v.path);
  for (const v of run.vanished) if (!v.isAsset) dropFile(catalog, volume.volume_id, v.path);
  const lost = listLost(catalog, volume.volume_id, root.path).map((f) => joinPath(f.dir, f.name));
  const { left, movedFrom } = settleMoves(run, [...new Set([...gone, ...lost])]);
  solveGoneProblems(run);
  const decision = decideMissing(run, left);
  // The same question once more keeps its name, so that an answer on its way still finds it.
  const asked = decision.state === 'question' ? listQuestions(catalog).find((q) => q.root_id === root.root_id && isSameList(q.vanished_paths ?? [], left)) : undefined;
  if (asked) { run.scanId = asked.scan_id; run.startedMs = asked.started_ms; }
  settleEarlierScans(catalog, root.root_id, run.scanId);
  const missing = decision.mark ? left : [];
  const atMs = ctx.now();
  for (const path of missing) markMissing(catalog, volume.volume_id, path, atMs);
  settleSuccessors(catalog);
  queueCompletion(catalog, run.scanId, { agent_id: catalog.agentId, volume_id: volume.volume_id, at_ms: atMs, missing, moved_from: movedFrom }, COMPLETION_PATHS);
  if (decision.state === 'completed') {
    completeRoot(catalog, root.root_id, run.rulesHash, atMs, catalog.revision());
    for (const inner of run.nested) {
      const within = run.nested.filter((r) => isInside(inner.path, r.path));
      completeRoot(catalog, inner.root_id, hashRules([inner, ...within]), atMs, catalog.revision());
    }
  }
  const question = decision.state === 'question'
    ? { scan_id: run.scanId, volume_id: volume.volume_id, label: volume.label, vanished: left.length, known: decision.known, examples: left.slice(0, QUESTION_EXAMPLES) }
    : null;
  const report = reportOf(run, { state: decision.state, reason: decision.reason, vanished: left.length, marked_missing: missing.length, question });
  keepScan(run, report, question ? left : null);
  return report;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  const inB = new Set(b);
  return a.length === inB.size && a.every((path) => inB.has(path));
}

/** Folders that the catalog knows and that are gone with all they held. */
function collectGoneFolders(run: Run): void {
  if (!run.walk) return;
  for (const dir of listKnownFolders(run.ctx.catalog, run.volume.volume_id, run.root.path)) {
    if (judgeKnownFolder(run.walk, dir, run.root.path) !== 'gone') continue;
    for (const row of listFolder(run.ctx.catalog, run.volume.volume_id, dir, FACTS_VERSION)) noteVanished(run, joinPath(dir, row[0]), row);
  }
}

/**
 * Pairs paths that are gone (or were marked missing before) with copies of the same hash on the volume that were first
 * seen since the last completed scan: those files moved. Their old rows go; the counts say `moved` for `duplicate`.
 */
function settleMoves(run: Run, gone: string[]): { left: string[]; movedFrom: string[] } {
  const { catalog } = run.ctx;
  const volumeId = run.volume.volume_id;
  const goneSet = new Set(gone);
  const used = new Set<string>();
  const movedFrom: string[] = [];
  const move = (path: string): boolean => {
    const { dir, name } = splitPath(path);
    const old = getFile(catalog, volumeId, dir, name);
    if (!old?.sha256) return false;
    const since = Math.max(old.added_revision, run.root.completed_revision);
    const candidates = listCopies(catalog, old.sha256).filter((c) => {
      const at = joinPath(c.dir, c.name);
      return c.volume_id === volumeId && c.added_revision > since && !goneSet.has(at) && !used.has(at) && isThere(run, at, c);
    });
    const to = candidates.find((c) => c.name === name) ?? candidates[0];
    if (!to) return false;
    used.add(joinPath(to.dir, to.name));
    if (old.seen_as === 'asset') dropFile(catalog, volumeId, path); else forgetHash(catalog, volumeId, path);
    if (to.added_revision > run.startRevision && run.counts.duplicate > 0) { run.counts.duplicate -= 1; run.counts.moved += 1; }
    movedFrom.push(path);
    return true;
  };
  const left = gone.filter((path) => !move(path));
  if (catalog.getMeta(newCopiesKey(run)) === '1') for (const f of listMissingCopies(catalog, volumeId)) move(joinPath(f.dir, f.name));
  catalog.setMeta(newCopiesKey(run), '0');
  return { left, movedFrom };
}

function isThere(run: Run, path: string, row: FileRow): boolean {
  try {
    const stat = run.ctx.files.lstat(absolutePath(run.volume.mount_point, path));
    return stat.isFile() && stat.size === row.size_bytes && stat.mtimeMs === row.mtime_ms;
  } catch { return false; }
}

interface Decision { state: 'completed' | 'question'; mark: boolean; reason: string | null; known: number }

/** Promise 2: whether what was not found may be marked, must be asked about, or says nothing. */
function decideMissing(run: Run, left: readonly string[]): Decision {
  if (left.length === 0) return { state: 'completed', mark: false, reason: null, known: 0 };
  if (run.root.rules_hash !== run.rulesHash) {
    return { state: 'completed', mark: false, reason: 'What is excluded has changed since the last complete scan, so nothing was marked missing this time.', known: 0 };
  }
  const known = countKnown(run.ctx.catalog, run.volume.volume_id);
  const many = left.length > VANISH_ASK_FILES && left.length > known * VANISH_ASK_SHARE;
  if (!many && run.volume.identity !== 'weak' && !run.walk?.emptyTop) return { state: 'completed', mark: true, reason: null, known };
  const kept = keptPaths(run.ctx.catalog, run.root.root_id);
  if (left.every((path) => kept.has(path))) return { state: 'completed', mark: false, reason: null, known };
  const why = run.walk?.emptyTop ? 'The folder is empty: the drive may not be there.' : many ? 'Many files are gone at once.' : 'This drive cannot be told from another like it.';
  return { state: 'question', mark: false, reason: why, known };
}

/** Problems of paths that were looked at and are none any more: the file is gone, or was read. */
function solveGoneProblems(run: Run): void {
  for (const p of listProblems(run.ctx.catalog, run.volume.volume_id, run.root.path)) {
    if (run.failing.has(p.path) || !run.walk) continue;
    const parent = p.path === run.root.path ? p.path : splitPath(p.path).dir;
    if (run.walk.listed.has(p.path) || judgeKnownFolder(run.walk, parent, run.root.path) !== 'unknown') solveProblem(run.ctx.catalog, p.volume_id, p.path);
  }
}

/**
 * The owner's answer to a scan's question. `gone`: each path is looked for once more, on the same volume, and those
 * still not there are marked missing. `keep`: nothing changes, and the same paths are not asked about again. Throws
 * where there is no such question or the drive is not connected.
 */
export async function answerQuestion(ctx: ScanContext, scanId: string, answer: 'gone' | 'keep'): Promise<{ marked: number }> {
  const scan = getScan(ctx.catalog, scanId);
  if (!scan || scan.state !== 'question') throw new Error('This scan asks nothing any more: it was answered, or a later one found the files again.');
  const end = (change: Partial<Scan>): void => putScan(ctx.catalog, { ...scan, state: 'completed', ...change }, true);
  if (answer === 'keep') { end({ reason: KEPT }); return { marked: 0 }; }
  const volume = await ctx.volumes.get(scan.volume_id);
  if (!volume) throw new Error('Plug in the drive first: its files are looked for once more before they are marked missing.');
  const missing = (scan.vanished_paths ?? []).filter((path) => {
    try { return !ctx.files.lstat(absolutePath(volume.mount_point, path)).isFile() || isDemoted(ctx, scan.volume_id, path); } catch (error) {
      if (error instanceof FileError && (error.errno === 'ENOENT' || error.errno === 'ENOTDIR')) return true;
      if (error instanceof FileError) return false;
      throw error;
    }
  });
  ctx.catalog.transact(() => {
    const atMs = ctx.now();
    for (const path of missing) markMissing(ctx.catalog, scan.volume_id, path, atMs);
    queueCompletion(ctx.catalog, scanId, { agent_id: ctx.catalog.agentId, volume_id: scan.volume_id, at_ms: atMs, missing, moved_from: [] }, COMPLETION_PATHS);
    end({ reason: null, vanished_paths: null });
  });
  return { marked: missing.length };
}

function isDemoted(ctx: ScanContext, volumeId: string, path: string): boolean {
  const { dir, name } = splitPath(path);
  return getFile(ctx.catalog, volumeId, dir, name)?.seen_as !== 'asset';
}
