// A door to files at which anything can happen at any call that an order makes.
import type { Catalog } from '../../agent/catalog/catalog.ts';
import type { FileAccess, OpenFile } from '../../agent/files/access.ts';
import { MOVE_CALLS, withChangeFaults, type FileChanges, type MoveCalls } from '../../agent/files/changes.ts';

/** Every call at which an order meets the world: those of FileAccess and FileChanges, the system calls of a move, and commits of the catalog. */
export type Op = 'lstat' | 'list' | 'open' | 'read' | keyof FileChanges | keyof MoveCalls | 'commit';
/** Told before each call; what it throws the call throws. `after` is told when it has been made. */
export interface Hook { before(op: Op, path: string, to?: string): void | Promise<void>; after?(op: Op, path: string): void }

export const NO_HOOK: Hook = { before: () => undefined };

export function hookAccess(access: FileAccess, hook: () => Hook): FileAccess {
  const around = <T>(op: Op, path: string, call: () => T): T => { void hook().before(op, path); const done = call(); hook().after?.(op, path); return done; };
  return {
    ...access,
    lstat: (path) => around('lstat', path, () => access.lstat(path)),
    list: (path) => around('list', path, () => access.list(path)),
    open: async (path): Promise<OpenFile> => {
      void hook().before('open', path);
      const file = await access.open(path);
      hook().after?.('open', path);
      return { ...file, hash: async () => { void hook().before('read', path); const read = await file.hash(); hook().after?.('read', path); return read; } };
    },
  };
}

export function hookChanges(changes: FileChanges & { refresh(): void }, hook: () => Hook): FileChanges & { refresh(): void } {
  const wrapped = withChangeFaults(changes, (path, op) => { void hook().before(op as Op, path); return undefined; });
  return { ...wrapped, refresh: changes.refresh };
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
