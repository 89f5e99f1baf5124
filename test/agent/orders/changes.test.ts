// The one door through which anything is changed: nothing is ever replaced, whoever comes in between two system calls, and what an
// end leaves behind is known for what it is.
import { existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileChanges, isPlaceholder, MOVE_CALLS, type MoveCalls } from '../../../agent/files/changes.ts';
import { hookCalls, type Hook } from '../../support/orders-hooks.ts';
import { moveOut } from '../../../agent/orders/trash.ts';
import { createFileAccess } from '../../../agent/files/access.ts';
import type { OrderContext } from '../../../agent/orders/context.ts';

let folder: string;
const p = (name: string): string => join(folder, name);
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'jharokha-changes-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

const END = new Error('the end');
const errnoOf = (work: () => void): string => { try { work(); return ''; } catch (error) { return (error as { errno?: string }).errno ?? 'thrown'; } };
const changesWith = (links: boolean, hook: Hook = { before: () => undefined }) => createFileChanges({ calls: hookCalls(links, () => hook) });

describe.each([['with hard links', true], ['without', false]])('moveNoReplace %s', (_how, links) => {
  test('moves, with bytes, time and inode', () => {
    writeFileSync(p('a'), 'mine');
    utimesSync(p('a'), 1_500_000_000, 1_500_000_000);
    const { ino } = statSync(p('a'));
    changesWith(links).moveNoReplace(p('a'), p('b'));
    expect([existsSync(p('a')), readFileSync(p('b'), 'utf8'), statSync(p('b')).mtimeMs, statSync(p('b')).ino]).toEqual([false, 'mine', 1_500_000_000_000, ino]);
  });

  test.each([['a file', (at: string) => { writeFileSync(at, 'theirs'); }], ['an empty file', (at: string) => { writeFileSync(at, ''); }], ['a folder', (at: string) => { mkdirSync(at); }], ['a dangling link', (at: string) => { symlinkSync('/nowhere', at); }]])('never onto %s', (_what, make) => {
    writeFileSync(p('a'), 'mine');
    make(p('b'));
    const before = lstatSync(p('b'));
    expect(errnoOf(() => { changesWith(links).moveNoReplace(p('a'), p('b')); })).toBe('EEXIST');
    expect([lstatSync(p('b')).ino, lstatSync(p('b')).size]).toEqual([before.ino, before.size]);
    expect(readFileSync(p('a'), 'utf8')).toBe('mine');
  });

  test('a competitor that makes the name before any call keeps it', () => {
    const ops = links ? ['link'] as const : ['link', 'hold'] as const;
    for (const op of ops) {
      rmSync(p('b'), { force: true });
      writeFileSync(p('a'), 'mine');
      const made = errnoOf(() => { changesWith(links, { before: (now) => { if (now === op) writeFileSync(p('b'), 'theirs', { flag: 'wx' }); } }).moveNoReplace(p('a'), p('b')); });
      expect([made, readFileSync(p('a'), 'utf8'), readFileSync(p('b'), 'utf8')]).toEqual(['EEXIST', 'mine', 'theirs']);
    }
  });

  test('a folder goes to a new name, and to none that holds something', () => {
    mkdirSync(p('d'));
    writeFileSync(p('d/x'), 'x');
    changesWith(links).moveNoReplace(p('d'), p('e'));
    expect(readFileSync(p('e/x'), 'utf8')).toBe('x');
    mkdirSync(p('f'));
    expect(errnoOf(() => { changesWith(links).moveNoReplace(p('e'), p('f')); })).toBe('EEXIST');
    writeFileSync(p('g'), '');
    expect(errnoOf(() => { changesWith(links).moveNoReplace(p('e'), p('g')); })).toBe('EEXIST');
    expect(readFileSync(p('e/x'), 'utf8')).toBe('x');
  });
});

describe('without hard links', () => {
  test('who writes into the held name keeps it, and ours stays where it is', () => {
    writeFileSync(p('a'), 'mine');
    // Between the making of the empty file and the last look at it.
    const calls: MoveCalls = { ...hookCalls(false, () => ({ before: () => undefined })), hold: (path) => { const stat = MOVE_CALLS.hold(path); writeFileSync(path, 'theirs'); return stat; } };
    expect(errnoOf(() => { createFileChanges({ calls }).moveNoReplace(p('a'), p('b')); })).toBe('EEXIST');
    expect([readFileSync(p('a'), 'utf8'), readFileSync(p('b'), 'utf8')]).toEqual(['mine', 'theirs']);
  });

  test('a failed move leaves no empty file behind', () => {
    writeFileSync(p('a'), 'mine');
    expect(() => { changesWith(false, { before: (op) => { if (op === 'rename') throw Object.assign(new Error('EROFS'), { code: 'EROFS' }); } }).moveNoReplace(p('a'), p('b')); }).toThrow();
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('a share that keeps its own times moves all the same', () => {
    writeFileSync(p('a'), 'mine');
    const calls: MoveCalls = { ...hookCalls(false, () => ({ before: () => undefined })), hold: (path) => { writeFileSync(path, '', { flag: 'wx' }); return lstatSync(path); } };
    createFileChanges({ calls }).moveNoReplace(p('a'), p('b'));
    expect(readFileSync(p('b'), 'utf8')).toBe('mine');
  });

  test('of an end between the two the empty file is known for ours, and nobody else’s is', () => {
    writeFileSync(p('a'), 'mine');
    const calls: MoveCalls = { ...hookCalls(false, () => ({ before: () => undefined })), rename: () => { throw END; }, unlink: () => { throw END; } };
    expect(() => { createFileChanges({ calls }).moveNoReplace(p('a'), p('b')); }).toThrow(END);
    expect(isPlaceholder(lstatSync(p('b')))).toBe(true);
    writeFileSync(p('theirs'), '');
    expect(isPlaceholder(lstatSync(p('theirs')))).toBe(false);
    // Who writes to it, or touches it, makes it theirs.
    utimesSync(p('b'), new Date(), new Date());
    expect(isPlaceholder(lstatSync(p('b')))).toBe(false);
  });
});

describe('out of the trash, after an end in the middle', () => {
  const trash = (): string => p('.jharokha-trash/o/0/a');
  const ctx = (links: boolean, hook?: Hook) => ({ files: createFileAccess(), changes: changesWith(links, hook) }) as unknown as OrderContext;
  beforeEach(() => { mkdirSync(p('.jharokha-trash/o/0'), { recursive: true }); writeFileSync(trash(), 'mine'); });

  test.each([['with hard links, both names', true, 'unlink'], ['without, the held name', false, 'rename']] as const)('%s', (_how, links, op) => {
    const places = { source: p('a'), trash: trash() };
    // The process ends there: nothing tidies up.
    const calls: MoveCalls = { ...hookCalls(links, () => ({ before: () => undefined })), [op]: () => { throw END; }, ...(op === 'rename' ? { unlink: () => { throw END; } } : {}) };
    expect(() => { moveOut({ ...ctx(links), changes: createFileChanges({ calls }) }, places); }).toThrow(END);
    expect(existsSync(p('a')) && existsSync(trash())).toBe(true);
    moveOut(ctx(links), places);
    expect([readFileSync(p('a'), 'utf8'), existsSync(trash()), statSync(p('a')).nlink]).toEqual(['mine', false, 1]);
    moveOut(ctx(links), places);
    expect(readFileSync(p('a'), 'utf8')).toBe('mine');
  });

  test('an empty file that somebody just began to write is not taken for ours', () => {
    writeFileSync(p('a'), '');
    moveOut(ctx(false), { source: p('a'), trash: trash() });
    expect([readFileSync(p('a'), 'utf8'), readFileSync(trash(), 'utf8')]).toEqual(['', 'mine']);
  });

  test('a share that gives two files one inode does not make them one', () => {
    writeFileSync(p('a'), 'else');
    const files = createFileAccess();
    const same = { ...ctx(true), files: { ...files, lstat: (path: string) => Object.assign(files.lstat(path), { ino: 7 }) } };
    moveOut(same, { source: p('a'), trash: trash() });
    expect([readFileSync(p('a'), 'utf8'), readFileSync(trash(), 'utf8')]).toEqual(['else', 'mine']);
  });

  test('a hard link that the owner made is the file itself', () => {
    linkSync(trash(), p('a'));
    moveOut(ctx(true), { source: p('a'), trash: trash() });
    expect([readFileSync(p('a'), 'utf8'), existsSync(trash())]).toEqual(['mine', false]);
  });
});

describe('the rest', () => {
  test('folders are made below what is there, and not through a file', () => {
    const changes = createFileChanges();
    changes.makeFolders(p('a/b/c'), folder);
    changes.makeFolders(p('a/b/c'), folder);
    expect(existsSync(p('a/b/c'))).toBe(true);
    expect(errnoOf(() => { changes.makeFolders(p('no/b'), p('no')); })).toBe('ENOENT');
    expect(existsSync(p('no'))).toBe(false);
    writeFileSync(p('f'), '');
    expect(['EEXIST', 'ENOTDIR']).toContain(errnoOf(() => { changes.makeFolders(p('f/x'), folder); }));
  });

  test('a line that was cut short stays one of its own', () => {
    const changes = createFileChanges();
    writeFileSync(p('list'), '{"n":0}\n{"n":');
    changes.append(p('list'), '{"n":1}\n');
    changes.append(p('list'), '{"n":2}\n');
    expect(readFileSync(p('list'), 'utf8').split('\n')).toEqual(['{"n":0}', '{"n":', '{"n":1}', '{"n":2}', '']);
    symlinkSync(p('list'), p('link'));
    expect(errnoOf(() => { changes.append(p('link'), 'x\n'); })).toBe('ELOOP');
  });
});
