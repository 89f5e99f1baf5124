// A door to files at which anything can happen at any call that an order makes.
import type { Catalog } from '../../agent/catalog/catalog.ts';
import type { FileAccess, OpenFile } from '../../agent/files/access.ts';
import { MOVE_CALLS, type FileChanges, type MoveCalls } from '../../agent/files/changes.ts';

/** Every call at which an order meets the world: those of FileAccess, FileChanges and a new file, the system calls of a move, and commits of the catalog. */
export type Op = 'lstat' | 'list' | 'realpath' | 'open' | 'read' | 'write' | 'sync' | keyof FileChanges | keyof MoveCalls | 'commit';
/** Told before each call; what it throws the call throws. `after` is told when it has been made. */
export interface Hook { before(op: Op, path: string, to?: string): void | Promise<void>; after?(op: Op, path: string): void }

export const NO_HOOK: Hook = { before: () => undefined };

/** A call that takes its time, told before and after. */
async function aroundSoon<T>(hook: () => Hook, op: Op, path: string, call: () => Promise<T>): Promise<T> {
  void hook().before(op, path);
  const done = await call();
  hook().after?.(op, path);
  return done;
}

export function hookAccess(access: FileAccess, hook: () => Hook): FileAccess {
  const around = <T>(op: Op, path: string, call: () => T): T => { void hook().before(op, path); const done = call(); hook().after?.(op, path); return done; };
  return {
    ...access,
    lstat: (path) => around('lstat', path, () => access.lstat(path)),
    list: (path) => around('list', path, () => access.list(path)),
    realpath: (path) => around('realpath', path, () => access.realpath(path)),
    open: async (path): Promise<OpenFile> => {
      const file = await aroundSoon(hook, 'open', path, () => access.open(path));
      return { ...file, hash: () => aroundSoon(hook, 'read', path, () => file.hash()), pass: (use) => aroundSoon(hook, 'read', path, () => file.pass(use)) };
    },
  };
}

export function hookChanges(changes: FileChanges & { refresh(): void }, hook: () => Hook): FileChanges & { refresh(): void } {
  const around = <A extends [string, ...unknown[]]>(op: keyof FileChanges, call: (...args: A) => void) => (...args: A): void => {
    // Of a move, where it goes.
    const path = op === 'moveIntoNew' || op === 'moveNoReplace' ? String(args[1]) : args[0];
    void hook().before(op, path);
    call(...args);
    hook().after?.(op, path);
  };
  return {
    makeFolder: around('makeFolder', changes.makeFolder), makeFolders: around('makeFolders', changes.makeFolders), moveIntoNew: around('moveIntoNew', changes.moveIntoNew),
    moveNoReplace: around('moveNoReplace', changes.moveNoReplace), remove: around('remove', changes.remove), removeFolder: around('removeFolder', changes.removeFolder),
    append: around('append', changes.append), syncFolder: around('syncFolder', changes.syncFolder), setTimes: around('setTimes', changes.setTimes), refresh: changes.refresh,
    create: async (path) => {
      const file = await aroundSoon(hook, 'create', path, () => changes.create(path));
      return { write: (bytes) => aroundSoon(hook, 'write', path, () => file.write(bytes)), sync: () => aroundSoon(hook, 'sync', path, () => file.sync()), close: () => file.close() };
    },
  };
}

/** `links: false`: a file system without hard links, as exFAT is. */
export function hookCalls(links: boolean, hook: () => Hook): MoveCalls {
  const around = <A extends [string, ...unknown[]], R>(op: keyof MoveCalls, call: (...args: A) => R) => (...args: A): R => {
    void hook().before(op, args[0], typeof args[1] === 'string' ? args[1] : undefined);
    const done = call(...args);
    hook().after?.(op, args[0]);
    return done;
  };
  const none = (): void => { throw Object.assign(new Error('EPERM: no hard links here'), { code: 'EPERM' }); };
  return {
    link: around('link', links ? MOVE_CALLS.link : none), rename: around('rename', MOVE_CALLS.rename), unlink: around('unlink', MOVE_CALLS.unlink), hold: around('hold', MOVE_CALLS.hold),
    lstat: MOVE_CALLS.lstat, makeFolder: MOVE_CALLS.makeFolder, removeFolder: MOVE_CALLS.removeFolder,
  };
}

/** Commits of the catalog, told like calls. */
export function hookCatalog(catalog: Catalog, hook: () => Hook): Catalog {
  let depth = 0;
  return {
    ...catalog,
    transact: (fn) => {
      if (depth > 0) return catalog.transact(fn);
      void hook().before('commit', '');
      depth += 1;
      let done;
      try { done = catalog.transact(fn); } finally { depth -= 1; }
      hook().after?.('commit', '');
      return done;
    },
  };
}
