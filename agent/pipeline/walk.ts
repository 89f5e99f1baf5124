// Walks a root folder by folder and says what lies there. Reads no file, knows no catalog.
import type { Stats } from 'node:fs';
import { MAX_PATH_LENGTH } from '../../protocol/limits.ts';
import type { FileAccess, Listing } from '../files/access.ts';
import { explainError, FileError, isDeviceTrouble } from '../files/errors.ts';
import type { SkippedFolder } from './context.ts';
import { compileExcludes, isOwnFile, judgeFolder, type Excluded } from './ignore.ts';

/** The event loop gets a turn this often: the agent answers its socket while it walks. */
const SLICE_MS = 8;
/** Files between two looks at the clock. */
const FILES_PER_LOOK = 256;

export interface WalkRoot { path: string; excludes: readonly string[] }

export interface WalkOptions {
  files: FileAccess;
  mountPoint: string;
  /** The root to walk, then the roots inside it, whose own excludes hold below them. Paths relative to the mount point. */
  roots: readonly [WalkRoot, ...WalkRoot[]];
  exactNames: boolean;
  /** Inodes can be trusted to tell folders apart. */
  lastingInodes: boolean;
  ownFolders: ReadonlySet<string>;
  mountPoints: ReadonlySet<string>;
  signal?: AbortSignal | undefined;
}

/** Calls come in the order of the walk; `dir` is relative to the mount point. Whatever they throw ends the walk. */
export interface WalkVisitor {
  /** Before a folder's entries, all in one go, with `leaveFolder` after them. */
  enterFolder(dir: string): void;
  file(dir: string, name: string, stat: Stats): void;
  /** No regular file (a link, a FIFO), or one that the owner excluded. `there`: it may be the file that was known under this name. */
  ignored(dir: string, name: string, reason: string, there: boolean): void;
  failed(dir: string, name: string, error: FileError): void;
  leaveFolder(dir: string): void;
  /** A folder that could not be listed. */
  folderFailed(dir: string, error: FileError): void;
  /** An error that may mean that the volume has gone: throws where it has. */
  checkVolume(): Promise<void>;
  /** Why a folder that is a mount point, or lies on another device, is not entered; undefined to enter it. */
  judgeMount(absolute: string): Promise<string | undefined>;
  /** Between slices: waits where the readers cannot keep up. */
  pace(): Promise<void>;
}

export interface WalkResult {
  /** Folders that were listed without error, in the order of the walk. */
  listed: Set<string>;
  /** Folders that are there and were not, or not wholly, listed. */
  blocked: Set<string>;
  skipped: SkippedFolder[];
  /** The root's own folder has not a single entry. */
  emptyTop: boolean;
}

interface Pending { dir: string; rule: Rule; only: ReadonlySet<string> | null; dev: number }
interface Rule { path: string; excluded: Excluded }

/**
 * Walks `roots[0]` and what lies in it. Each folder is listed once, even where links of the file system (bind mounts,
 * linked folders) show it twice. A nested root inside a folder that is passed by is walked all the same.
 */
export async function walkRoot(options: WalkOptions, visitor: WalkVisitor): Promise<WalkResult> {
  const { files, roots } = options;
  const result: WalkResult = { listed: new Set(), blocked: new Set(), skipped: [], emptyTop: false };
  const rules = new Map(roots.map((r) => [r.path, { path: r.path, excluded: compileExcludes(r.excludes, options.exactNames) }]));
  const visited = new Set<string>();
  const met = new Set<string>();
  const absolute = (dir: string): string => (dir === '' ? options.mountPoint : options.mountPoint === '/' ? `/${dir}` : `${options.mountPoint}/${dir}`);
  const skip = (path: string, reason: string): void => { result.blocked.add(path); result.skipped.push({ path, reason }); };

  let sliceEnd = performance.now() + SLICE_MS;
  const pace = async (): Promise<void> => {
    if (performance.now() < sliceEnd) return;
    await new Promise<void>((resolve) => { setImmediate(resolve); });
    await visitor.pace();
    sliceEnd = performance.now() + SLICE_MS;
  };

  const stack: Pending[] = [];
  const start = async (root: WalkRoot): Promise<void> => {
    const rule = rules.get(root.path);
    if (!rule || met.has(root.path)) return;
    met.add(root.path);
    try {
      const stat = files.lstat(absolute(root.path));
      if (!stat.isDirectory()) throw new FileError('vanished', 'ENOTDIR', 'It is not a folder any more.');
      if (options.ownFolders.has(absolute(root.path))) { skip(root.path, 'Jharokha\'s own'); return; }
      const judged = root.path === '' ? { as: 'walk' as const } : judgeFolder(root.path.slice(root.path.lastIndexOf('/') + 1));
      visited.add(`${stat.dev}:${stat.ino}`);
      stack.push({ dir: root.path, rule, only: judged.as === 'package' ? judged.only : null, dev: stat.dev });
    } catch (error) { await folderTrouble(root.path, error); }
  };
  const folderTrouble = async (dir: string, error: unknown): Promise<void> => {
    const known = explainError(error, files.platform);
    if (!(known instanceof FileError)) throw known;
    if (isDeviceTrouble(known)) await visitor.checkVolume();
    result.blocked.add(dir);
    result.skipped.push({ path: dir, reason: known.message });
    visitor.folderFailed(dir, known);
  };

  for (const root of roots) {
    // Nested roots are met on the way; those behind a folder that was passed by are started by themselves.
    await start(root);
    for (let next = stack.pop(); next; next = stack.pop()) {
      options.signal?.throwIfAborted();
      await walkFolder(next);
      await pace();
    }
  }
  return result;

  async function walkFolder(at: Pending): Promise<void> {
    const { dir } = at;
    const here = absolute(dir);
    let listing: Listing;
    try { listing = files.list(here); } catch (error) { await folderTrouble(dir, error); return; }
    if (dir === roots[0].path) result.emptyTop = listing.names.length === 0 && listing.badNames.length === 0;
    const prefix = here.endsWith('/') ? here : `${here}/`;
    const folders: Pending[] = [];
    let untilLook = FILES_PER_LOOK;
    visitor.enterFolder(dir);
    for (const name of listing.badNames) visitor.failed(dir, name, new FileError('bad_name', '', 'Its name is not valid UTF-8, so it cannot be opened by name. Rename it.'));
    for (const name of listing.names) {
      if ((untilLook -= 1) === 0) { untilLook = FILES_PER_LOOK; options.signal?.throwIfAborted(); await pace(); }
      let stat: Stats;
      try { stat = files.lstat(prefix + name); } catch (error) {
        if (!(error instanceof FileError)) throw error;
        // Before it is put down to the file.
        if (isDeviceTrouble(error)) await visitor.checkVolume();
        // Whether it is a folder is not known: what is known below it stays as it is.
        result.blocked.add(dir === '' ? name : `${dir}/${name}`);
        visitor.failed(dir, name, error);
        continue;
      }
      if (stat.isFile()) { visitFile(at, name, stat); continue; }
      if (stat.isDirectory()) { const entered = await judge(at, name, prefix + name, stat); if (entered) folders.push(entered); continue; }
      visitor.ignored(dir, name, stat.isSymbolicLink() ? 'a link; what it leads to is indexed where it lies' : 'not a file (a pipe, socket or device)', false);
    }
    result.listed.add(dir);
    visitor.leaveFolder(dir);
    // Sorted so that the last pushed, which comes first, is the first by name.
    for (const folder of folders.sort((a, b) => (a.dir < b.dir ? 1 : -1))) stack.push(folder);
  }

  function visitFile(at: Pending, name: string, stat: Stats): void {
    const path = at.dir === '' ? name : `${at.dir}/${name}`;
    if (isOwnFile(name)) visitor.ignored(at.dir, name, 'Jharokha\'s own', true);
    else if (at.only) visitor.ignored(at.dir, name, 'belongs to another program', true);
    else if (at.rule.excluded(relative(at.rule.path, path), false)) visitor.ignored(at.dir, name, 'excluded', true);
    else if (path.length > MAX_PATH_LENGTH) visitor.failed(at.dir, name, new FileError('bad_name', '', `Its path is longer than ${MAX_PATH_LENGTH} characters.`));
    else visitor.file(at.dir, name, stat);
  }

  async function judge(at: Pending, name: string, here: string, stat: Stats): Promise<Pending | undefined> {
    const path = at.dir === '' ? name : `${at.dir}/${name}`;
    if (options.ownFolders.has(here)) { skip(path, 'Jharokha\'s own'); return undefined; }
    const nested = rules.get(path);
    const rule = nested ?? at.rule;
    const builtIn = judgeFolder(name);
    if (nested) met.add(path);
    if (builtIn.as === 'skip') { skip(path, builtIn.reason); return undefined; }
    if (at.only && !nested && !at.only.has(name.toLowerCase())) { skip(path, 'belongs to another program'); return undefined; }
    if (!nested && at.rule.excluded(relative(at.rule.path, path), true)) { skip(path, 'excluded'); return undefined; }
    if (stat.dev !== at.dev || options.mountPoints.has(here)) {
      const reason = await visitor.judgeMount(here);
      if (reason !== undefined) { skip(path, reason); return undefined; }
    }
    if (options.lastingInodes) {
      const key = `${stat.dev}:${stat.ino}`;
      if (visited.has(key)) { skip(path, 'the same folder under another name'); return undefined; }
      visited.add(key);
    }
    return { dir: path, rule, only: builtIn.as === 'package' ? builtIn.only : null, dev: stat.dev };
  }
}

function relative(folder: string, path: string): string {
  return folder === '' ? path : path.slice(folder.length + 1);
}

/**
 * What the walk says of a folder that the catalog knows and the walk did not list: `gone` where its nearest listed
 * parent had no such folder, `unknown` where it, or a parent, was passed by or could not be read.
 */
export function judgeKnownFolder(result: WalkResult, dir: string, top: string): 'listed' | 'gone' | 'unknown' {
  if (result.listed.has(dir)) return result.blocked.has(dir) ? 'unknown' : 'listed';
  for (let at = dir; ; at = at.includes('/') ? at.slice(0, at.lastIndexOf('/')) : '') {
    if (result.blocked.has(at)) return 'unknown';
    if (result.listed.has(at)) return 'gone';
    if (at === top || at === '') return 'unknown';
  }
}
