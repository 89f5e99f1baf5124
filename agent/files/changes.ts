// The one door through which anything of the owner's is moved, made or removed, and only agent/orders goes through it. Nothing
// here ever writes over what exists: names are made anew or the call fails. Every call may be made to fail in tests.
import { closeSync, constants, fstatSync, fsyncSync, futimesSync, linkSync, lstatSync, mkdirSync, openSync, readSync, renameSync, rmdirSync, unlinkSync, utimesSync, writeSync, type Stats } from 'node:fs';
import { open as openHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createFaults, readFaults, type FaultOp } from './faults.ts';
import { explainError } from './errors.ts';

/** File systems without hard links (exFAT, FAT, some shares) say one of these. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL', 'EACCES', 'EXDEV']);
/** The time of an empty file of ours that holds a name: by it a later run knows what an interrupted one left. Even, for FAT keeps two seconds. */
const PLACEHOLDER_S = 330_000_330;

/** A file that did not exist before. `close` always must be called. */
export interface NewFile {
  write(bytes: Buffer): Promise<void>;
  /** On disk, as far as the drive tells the truth. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** All methods throw FileError for what the file system refuses; `errno` EEXIST where a name is taken. Paths are absolute. */
export interface FileChanges {
  /** A folder that did not exist. Its parent must. */
  makeFolder(path: string): void;
  /** A folder with all above it, whatever of them exists; `below` must, for a drive that has left is not made anew as a folder. */
  makeFolders(path: string, below?: string): void;
  /** Into a folder that `makeFolder` just made, where nothing can have the name. Atomic. */
  moveIntoNew(from: string, to: string): void;
  /**
   * Never onto an existing name, whoever makes it meanwhile: by a second name for the file and the removal of the first, so an
   * end between the two leaves one file under both. Where there are no hard links, an empty file of our own takes the name first
   * and is then replaced; if it is anything but that empty file by then, the call fails. An end between those two leaves it there
   * (`isPlaceholder`).
   */
  moveNoReplace(from: string, to: string): void;
  /** Unlinks one file. */
  remove(path: string): void;
  /** Removes a folder that is empty. */
  removeFolder(path: string): void;
  /** Adds whole lines to a file of our own (made where it is not there), on disk when it returns. A line that was cut short stays one of its own. */
  append(path: string, text: string): void;
  /** What was moved or made in this folder is on disk. Does nothing where a folder cannot be synced. */
  syncFolder(path: string): void;
  /** Makes a file that did not exist. */
  create(path: string): Promise<NewFile>;
  setTimes(path: string, mtimeMs: number): void;
}

/** The system calls of `moveNoReplace`: tests come in between them. */
export interface MoveCalls {
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  lstat(path: string): Stats;
  /** Makes an empty file that did not exist. Its stats, with the time of a placeholder where that can be set. */
  hold(path: string): Stats;
  makeFolder(path: string): void;
  removeFolder(path: string): void;
}
export const MOVE_CALLS: MoveCalls = { link: linkSync, rename: renameSync, unlink: unlinkSync, lstat: lstatSync, hold, makeFolder: mkdirSync, removeFolder: rmdirSync };

export function createFileChanges(options: { platform?: NodeJS.Platform; faultsFile?: string | undefined; calls?: MoveCalls } = {}): FileChanges & { refresh(): void } {
  const platform = options.platform ?? process.platform;
  const real = createRealChanges(platform, options.calls ?? MOVE_CALLS);
  const faultsFile = options.faultsFile ?? process.env['JHAROKHA_TEST_FAULTS'];
  if (!faultsFile) return { ...real, refresh: () => undefined };
  const faults = createFaults([], platform);
  return { ...withChangeFaults(real, faults.meet), refresh: () => { faults.setFaults(readFaults(faultsFile)); } };
}

/** `changes`, each call first told to `meet` with the path that it is about (of a move, where it goes). */
export function withChangeFaults(changes: FileChanges, meet: (path: string, op: FaultOp) => { effect?: string } | undefined): FileChanges {
  const around = <A extends [string, ...unknown[]], R>(op: keyof FileChanges, call: (...args: A) => R) => (...args: A): R => {
    const path = op === 'moveIntoNew' || op === 'moveNoReplace' ? String(args[1]) : args[0];
    const fault = meet(path, op);
    const done = call(...args);
    if (fault?.effect !== 'kill_after') return done;
    const kill = (): void => { process.kill(process.pid, 'SIGKILL'); };
    if (done instanceof Promise) return done.finally(kill) as R;
    kill();
    return done;
  };
  return {
    makeFolder: around('makeFolder', changes.makeFolder), makeFolders: around('makeFolders', changes.makeFolders), moveIntoNew: around('moveIntoNew', changes.moveIntoNew),
    moveNoReplace: around('moveNoReplace', changes.moveNoReplace), remove: around('remove', changes.remove), removeFolder: around('removeFolder', changes.removeFolder),
    append: around('append', changes.append), syncFolder: around('syncFolder', changes.syncFolder), setTimes: around('setTimes', changes.setTimes),
    create: async (path) => {
      const file = await around('create', changes.create)(path);
      // What a full or dying drive refuses, it refuses in the middle of a file.
      return { ...file, write: async (bytes) => { meet(`${path}#write`, 'create'); await file.write(bytes); } };
    },
  };
}

function createRealChanges(platform: NodeJS.Platform, calls: MoveCalls): FileChanges {
  const guard = <T>(fn: () => T): T => { try { return fn(); } catch (error) { throw explainError(error, platform); } };
  return {
    makeFolder: (path) => { guard(() => { mkdirSync(path); }); },
    makeFolders: (path, below) => { guard(() => { if (below === undefined) mkdirSync(path, { recursive: true }); else makeBelow(path, below); }); },
    moveIntoNew: (from, to) => { guard(() => { renameSync(from, to); }); },
    moveNoReplace: (from, to) => { guard(() => { moveNoReplace(from, to, calls); }); },
    remove: (path) => { guard(() => { unlinkSync(path); }); },
    removeFolder: (path) => { guard(() => { rmdirSync(path); }); },
    append: (path, text) => { guard(() => { append(path, text); }); },
    syncFolder: (path) => { syncFolder(path); },
    create: (path) => create(path, platform),
    setTimes: (path, mtimeMs) => { guard(() => { utimesSync(path, mtimeMs / 1000, mtimeMs / 1000); }); },
  };
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function makeBelow(path: string, below: string): void {
  if (path === below || !path.startsWith(below)) return;
  makeBelow(dirname(path), below);
  try { mkdirSync(path); } catch (error) { if (codeOf(error) !== 'EEXIST' || !lstatSync(path).isDirectory()) throw error; }
}

function moveNoReplace(from: string, to: string, calls: MoveCalls): void {
  try { calls.link(from, to); } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error;
    replacePlaceholder(from, to, calls);
    return;
  }
  calls.unlink(from);
}

/** Without hard links: see FileChanges.moveNoReplace. */
function replacePlaceholder(from: string, to: string, calls: MoveCalls): void {
  // A folder replaces no folder but an empty one, whoever made it.
  if (calls.lstat(from).isDirectory()) {
    calls.makeFolder(to);
    try { calls.rename(from, to); } catch (error) { try { calls.removeFolder(to); } catch { /* something lies in it, or the drive has gone */ } throw error; }
    return;
  }
  const made = calls.hold(to);
  const isOurs = (now: Stats): boolean => now.isFile() && now.size === 0 && now.mtimeMs === made.mtimeMs;
  try {
    if (!isOurs(calls.lstat(to))) throw Object.assign(new Error(`EEXIST: ${to} was written meanwhile`), { code: 'EEXIST' });
    calls.rename(from, to);
  } catch (error) {
    // Ours alone, and only while it is empty.
    try { if (isOurs(calls.lstat(to))) calls.unlink(to); } catch { /* it is gone with its drive */ }
    throw error;
  }
}

function hold(path: string): Stats {
  const fd = openSync(path, 'wx');
  try {
    try { futimesSync(fd, PLACEHOLDER_S, PLACEHOLDER_S); } catch { /* some shares keep their own time: an end right now then leaves an empty file */ }
    return fstatSync(fd);
  } finally { closeSync(fd); }
}

/** The empty file that an interrupted `moveNoReplace` left: nobody else's has its time, and whoever writes to it changes that. */
export function isPlaceholder(stat: Stats): boolean { return stat.isFile() && stat.size === 0 && stat.mtimeMs === PLACEHOLDER_S * 1000; }

function append(path: string, text: string): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0), 0o600);
  try {
    const { size } = fstatSync(fd);
    const last = Buffer.alloc(1, '\n');
    if (size > 0) readSync(fd, last, 0, 1, size - 1);
    const bytes = Buffer.from(last[0] === 0x0a ? text : `\n${text}`);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally { closeSync(fd); }
}

function syncFolder(path: string): void {
  let fd: number;
  try { fd = openSync(path, constants.O_RDONLY); } catch { return; }
  try { fsyncSync(fd); } catch { /* FUSE and network drives often cannot */ } finally { closeSync(fd); }
}

async function create(path: string, platform: NodeJS.Platform): Promise<NewFile> {
  try {
    const handle = await openHandle(path, 'wx');
    const guard = async (work: () => Promise<unknown>): Promise<void> => { try { await work(); } catch (error) { throw explainError(error, platform); } };
    return {
      write: (bytes) => guard(async () => { for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten; }),
      sync: () => guard(() => handle.sync()),
      close: () => guard(() => handle.close()),
    };
  } catch (error) { throw explainError(error, platform); }
}
