// The one door to the owner's files: every look and every read goes through here, so that every error can be
// injected. It only ever opens for reading; nothing in it writes, moves or renames.
import { createHash } from 'node:crypto';
import { constants, lstatSync, readdirSync, realpathSync, type Stats } from 'node:fs';
import { open as openHandle, type FileHandle } from 'node:fs/promises';
import { explainError, FileError } from './errors.ts';
import { readFaults, withFaults } from './faults.ts';

/** Read in one go up to here, so that hash, facts and renditions share one read; RAW stills stay below, films do not. A decoding slot holds one. */
export const WHOLE_FILE_BYTES = 64 * 1024 * 1024;
/** 1 to 4 MiB reads give node:crypto its full 1.7 GB/s (64 KiB reads fall to a third). */
export const CHUNK_BYTES = 4 * 1024 * 1024;
/** Chunks of a file that is passed through: small enough to lie in the processor's cache from the read to the hash to the write. */
const PASS_BYTES = 1024 * 1024;
/** What `identify` needs. */
export const HEAD_BYTES = 4_096;
/** The first read: enough for the head and for most metadata, little enough to waste on a file that is no picture. */
const FIRST_READ_BYTES = 256 * 1024;

/** Without following links, without waiting on a FIFO that took the file's name; for reading alone. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

export interface Listing {
  /** Names as the file system gives them, in no order. */
  names: string[];
  /** Names that are not UTF-8, with the odd bytes written as \xNN: they can be shown, not opened. */
  badNames: string[];
}

/** One opened file. `hash` or `pass` may be called once; `close` always must be. */
export interface OpenFile {
  path: string;
  /** From the opened file itself. */
  stat: Stats;
  /** The first HEAD_BYTES, or less at the end of the file. */
  head: Buffer;
  /**
   * Reads on to the end: SHA-256 in hex, and the content where it is at most WHOLE_FILE_BYTES. The path is looked at
   * again afterwards: a file that is no longer as it was throws FileError `changed_while_read` or `vanished`.
   */
  hash(): Promise<{ sha256: string; bytes: Buffer | null }>;
  /**
   * The same in chunks, the next one read while `use` has the last, for whoever writes them elsewhere, rests, or holds no
   * content. `use` keeps none of them. Ends as `hash` does.
   */
  pass(use?: (bytes: Buffer) => Promise<void> | void): Promise<{ sha256: string }>;
  /** Reads up to `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** All methods throw FileError for what the file system refuses. */
export interface FileAccess {
  readonly platform: NodeJS.Platform;
  /** Never follows a link. Synchronous, for it is six times as fast so (358,000 a second). */
  lstat(path: string): Stats;
  list(folder: string): Listing;
  /** The path without links; throws where it is not there. */
  realpath(path: string): string;
  open(path: string): Promise<OpenFile>;
  /** Called at the start of each scan: re-reads the test faults, where there are any. */
  refresh(): void;
}

export interface FileAccessOptions {
  platform?: NodeJS.Platform;
  /** A JSON file of faults (see faults.ts), read again on every `refresh`. A test seam: JHAROKHA_TEST_FAULTS. */
  faultsFile?: string | undefined;
}

/** The real file system; with a faults file, wrapped so that it fails as that says. */
export function createFileAccess(options: FileAccessOptions = {}): FileAccess {
  const platform = options.platform ?? process.platform;
  const real = createRealAccess(platform);
  const faultsFile = options.faultsFile ?? process.env['JHAROKHA_TEST_FAULTS'];
  if (!faultsFile) return real;
  const faulty = withFaults(real, []);
  return { ...faulty, refresh: () => faulty.setFaults(readFaults(faultsFile)) };
}

function createRealAccess(platform: NodeJS.Platform): FileAccess {
  const guard = <T>(fn: () => T): T => { try { return fn(); } catch (error) { throw explainError(error, platform); } };
  return {
    platform,
    // Without a closure a call: this runs once for every file of every scan.
    lstat: (path) => { try { return lstatSync(path); } catch (error) { throw explainError(error, platform); } },
    list: (folder) => guard(() => listFolder(folder)),
    realpath: (path) => guard(() => realpathSync.native(path)),
    open: (path) => openFile(path, platform),
    refresh: () => undefined,
  };
}

function listFolder(folder: string): Listing {
  const names = readdirSync(folder);
  // Node turns bytes that are not UTF-8 into U+FFFD; only then is the dearer, exact listing needed.
  if (!names.some((n) => n.includes('\ufffd'))) return { names, badNames: [] };
  const good: string[] = [];
  const bad: string[] = [];
  for (const raw of readdirSync(folder, { encoding: 'buffer' })) {
    const text = raw.toString('utf8');
    if (Buffer.from(text, 'utf8').equals(raw)) good.push(text);
    else bad.push(spellBytes(raw));
  }
  return { names: good, badNames: bad };
}

function spellBytes(raw: Buffer): string {
  return [...raw].map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, '0')}`)).join('');
}

async function openFile(path: string, platform: NodeJS.Platform): Promise<OpenFile> {
  let handle: FileHandle;
  try { handle = await openHandle(path, OPEN_FLAGS); } catch (error) { throw explainError(error, platform); }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new FileError('changed_while_read', '', 'It was a file and is something else now.');
    const first = Buffer.allocUnsafeSlow(Math.min(stat.size, FIRST_READ_BYTES));
    const got = await fill(handle, first, 0, first.length, 0);
    // Only for who wants the content: a buffer of its size for every file that is passed through cost copies a third of their speed.
    let whole: Buffer | null = null;
    return {
      path, stat,
      head: first.subarray(0, Math.min(got, HEAD_BYTES)),
      hash: async () => {
        try {
          if (stat.size <= WHOLE_FILE_BYTES) {
            whole = first.length === stat.size ? first : Buffer.allocUnsafeSlow(stat.size);
            if (whole !== first) first.copy(whole, 0, 0, got);
          }
          return await hashRest(path, handle, stat, whole, first, got);
        } catch (error) { throw explainError(error, platform); }
      },
      pass: async (use) => {
        try { return { sha256: await passThrough(path, handle, stat, first.subarray(0, got), use) }; } catch (error) { throw explainError(error, platform); }
      },
      read: async (offset, length) => {
        if (whole && wholeIsRead.has(whole)) return whole.subarray(offset, Math.min(whole.length, offset + length));
        try {
          const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, stat.size - offset)));
          return buffer.subarray(0, await fill(handle, buffer, 0, buffer.length, offset));
        } catch (error) { throw explainError(error, platform); }
      },
      close: async () => { try { await handle.close(); } catch { /* A pulled drive may fail this; the descriptor is gone either way. */ } },
    };
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw explainError(error, platform);
  }
}

/** Buffers whose file was read to its end. */
const wholeIsRead = new WeakSet<Buffer>();

async function fill(handle: FileHandle, buffer: Buffer, at: number, length: number, position: number): Promise<number> {
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, at + done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

async function hashRest(path: string, handle: FileHandle, before: Stats, whole: Buffer | null, first: Buffer, got: number): Promise<{ sha256: string; bytes: Buffer | null }> {
  const hash = createHash('sha256');
  hash.update(first.subarray(0, got));
  let at = got;
  const chunk = whole ? null : Buffer.allocUnsafeSlow(CHUNK_BYTES);
  while (at < before.size) {
    const length = Math.min(CHUNK_BYTES, before.size - at);
    const n = await fill(handle, whole ?? (chunk as Buffer), whole ? at : 0, length, at);
    if (n === 0) break;
    hash.update(whole ? whole.subarray(at, at + n) : (chunk as Buffer).subarray(0, n));
    at += n;
  }
  const after = lstatSync(path);
  if (at !== before.size || !sameStat(before, after)) throw new FileError('changed_while_read', '', 'It changed while it was being read.');
  if (whole) wholeIsRead.add(whole);
  return { sha256: hash.digest('hex'), bytes: whole };
}

/** Chunks that are free: new ones would cost a page fault for every 4 KB. */
const freeChunks: Buffer[] = [];

async function passThrough(path: string, handle: FileHandle, before: Stats, first: Buffer, use?: (bytes: Buffer) => Promise<void> | void): Promise<string> {
  const hash = createHash('sha256');
  const chunks = [freeChunks.pop() ?? Buffer.allocUnsafeSlow(PASS_BYTES), freeChunks.pop() ?? Buffer.allocUnsafeSlow(PASS_BYTES)];
  let reading: Promise<Buffer> = Promise.resolve(first);
  const readAt = (position: number): void => {
    const chunk = chunks.reverse()[0] as Buffer;
    reading = fill(handle, chunk, 0, Math.min(PASS_BYTES, before.size - position), position).then((n) => chunk.subarray(0, n));
    // Met where it is waited for; a `use` that failed waits for nothing.
    reading.catch(() => undefined);
  };
  let at = 0;
  try {
    for (let bytes = first; bytes.length > 0; bytes = await reading) {
      at += bytes.length;
      readAt(at);
      hash.update(bytes);
      if (use) await use(bytes);
    }
  } finally {
    await reading.catch(() => undefined);
    freeChunks.push(...chunks);
  }
  if (at !== before.size || !sameStat(before, lstatSync(path))) throw new FileError('changed_while_read', '', 'It changed while it was being read.');
  return hash.digest('hex');
}

/** Nothing of the file has changed between two looks at it, as far as stats can tell. */
export function sameStat(a: Stats, b: Stats): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino && b.isFile();
}

/** The inode as text. Above 2^53 node's number is rounded, so such a file is treated as one without a lasting inode. */
export function inodeText(stat: Stats): string | null {
  return Number.isSafeInteger(stat.ino) && stat.ino > 0 ? String(stat.ino) : null;
}

/**
 * A cloud placeholder, which would be downloaded if it were opened. Node shows no st_flags (SF_DATALESS), so on macOS
 * a file with a size and without a single block is taken for one; at worst a wholly compressed tiny file is named on
 * the problems page.
 */
export function isDataless(stat: Stats, platform: NodeJS.Platform): boolean {
  return platform === 'darwin' && stat.size > 0 && stat.blocks === 0;
}

/** The name that an iCloud stub `.name.icloud` stands for, or undefined. */
export function icloudName(name: string): string | undefined {
  return /^\.(.+)\.icloud$/s.exec(name)?.[1];
}
