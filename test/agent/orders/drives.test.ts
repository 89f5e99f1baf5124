// Orders and the drives that they run on: read-only, full, refusing, dying, leaving and coming back, mistaken for others; orders
// that come twice, out of turn, late, or are given up; and a clock that is off.
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileError } from '../../../agent/files/errors.ts';
import { DiskFullError } from '../../../agent/files/room.ts';
import { addRoot } from '../../../agent/pipeline/index.ts';
import type { Hook } from '../../support/orders-hooks.ts';
import { png, put } from '../scan/scene.ts';
import { at, createOrdersScene, hash, refusal, type OrdersScene } from './orders-scene.ts';

let s: OrdersScene;
beforeEach(async () => {
  s = createOrdersScene();
  for (const i of [1, 2, 3]) s.picture(`p/${i}.png`, i);
  await s.addRoot();
  await s.index();
});
afterEach(() => { s.close(); });

const THREE = [1, 2, 3].map(hash);
const trashAll = () => s.give({ kind: 'trash', sha256s: THREE, last_copies: true });
const error = (code: string): FileError => new FileError(code === 'ENOENT' ? 'vanished' : 'other', code, `${code}: injected`);
/** Every call of these kinds fails so. */
function always(code: string, ...ops: string[]): Hook { return { before: (op) => { if (ops.includes(op)) throw ['link', 'rename', 'unlink', 'hold'].includes(op) ? refusal(code) : error(code); } }; }
const CHANGES = ['makeFolder', 'makeFolders', 'moveIntoNew', 'moveNoReplace', 'remove', 'removeFolder', 'append', 'link', 'rename', 'unlink', 'hold'];
const outcomesOf = (id: string): unknown[] => [...new Set(Object.values(s.outcomes(id)))];

describe('a drive that does not let itself be changed', () => {
  test.each([['EROFS', 'refused'], ['EACCES', 'refused'], ['EPERM', 'refused'], ['ENOSPC', 'failed'], ['EDQUOT', 'failed'], ['EIO', 'failed'], ['ENXIO', 'failed']])('%s on every change', async (code, outcome) => {
    const watch = s.watch();
    s.setHook(always(code, ...CHANGES));
    const id = await trashAll();
    expect(outcomesOf(id)).toEqual([outcome]);
    expect(await s.wrong(watch)).toEqual([]);
    const again = await trashAll();
    expect(outcomesOf(again)).toEqual(['trashed']);
    for (const kind of ['restore', 'empty'] as const) {
      s.setHook(always(code, ...CHANGES));
      expect(outcomesOf(await s.give(kind === 'empty' ? { kind, last_copies: true } : { kind }))).toEqual([outcome]);
      expect(watch.check(s.catalog)).toEqual([]);
    }
    s.setHook(null);
    await s.give({ kind: 'restore' });
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('a volume that is mounted to be read alone', async () => {
    const fixed = vi.spyOn(s.volumes, 'get');
    const [real] = await s.volumes.list();
    const watch = s.watch();
    fixed.mockResolvedValue({ ...(real as NonNullable<typeof real>), ...(await s.volumes.list()).find((v) => v.volume_id === 'uuid:blue'), read_only: true });
    const id = await trashAll();
    expect(s.steps(id)).toMatchObject([1, 2, 3].map(() => ({ outcome: 'refused', reason: 'The drive can only be read.' })));
    fixed.mockRestore();
    expect(await s.wrong(watch)).toEqual([]);
  });

  test.each(['append', 'makeFolders', 'makeFolder'] as const)('full at %s of one file: that one stays, the others go', async (op) => {
    const watch = s.watch();
    s.setHook(at(op, 2, () => { throw error('ENOSPC'); }));
    const id = await trashAll();
    expect(Object.values(s.outcomes(id)).sort()).toEqual(['failed', 'trashed', 'trashed']);
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('what cannot be read in the trash is put back, and what cannot be put back is listed', async () => {
    const watch = s.watch();
    s.setHook({ before: (op, path) => { if ((op === 'read' || op === 'open') && path.includes('2.png')) throw error('EIO'); } });
    expect(s.outcomes(await trashAll())).toEqual({ 'p/1.png': 'trashed', 'p/2.png': 'failed', 'p/3.png': 'trashed' });
    expect(await s.wrong(watch)).toEqual([]);
    // And one that cannot even go back.
    s.setHook({ before: (op, path) => { if (((op === 'read' || op === 'open') && path.includes('2.png')) || op === 'moveNoReplace') throw error('EIO'); } });
    const id = await s.give({ kind: 'trash', sha256s: [hash(2)], last_copies: true });
    expect(s.steps(id)).toMatchObject([{ outcome: 'failed', sha256: hash(2) }]);
    expect(s.trash()).toEqual(['p/1.png', 'p/2.png', 'p/3.png']);
    expect(watch.check(s.catalog)).toEqual([]);
    s.setHook(null);
    await s.give({ kind: 'restore' });
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('where it cannot be seen what lies where, nothing is said until it can', async () => {
    const watch = s.watch();
    let dead = false;
    s.setHook({ before: (op) => { if (op === 'read') dead = true; if (dead && op === 'lstat') throw error('EIO'); if (dead && op !== 'commit') throw error('EIO'); } });
    const id = await trashAll();
    // The mount itself cannot be looked at: for the order the drive has left.
    expect(s.state(id)).toBe('waiting');
    s.setHook({ before: (op, path) => { if (op === 'lstat' && path.includes('.png')) throw error('EIO'); } });
    await s.wake();
    expect(s.state(id)).toBe('waiting');
    expect(s.catalog.db.prepare('SELECT waiting_for, reason FROM orders').get()).toMatchObject({ waiting_for: 'uuid:blue' });
    s.setHook(null);
    await s.wake();
    expect(s.state(id)).toBe('done');
    expect(await s.wrong(watch)).toEqual([]);
  });
});

describe('a drive that leaves', () => {
  const OPS = ['lstat', 'makeFolders', 'append', 'syncFolder', 'makeFolder', 'moveIntoNew', 'open', 'read', 'commit'] as const;

  test.each(OPS.flatMap((op) => (['gone', 'left_empty', 'left_listed_and_empty'] as const).map((how) => [op, how] as const)))('at %s, its mount point %s: the rest is as it was, and what was begun is finished', async (op, how) => {
    const watch = s.watch();
    s.setHook(at(op, op === 'commit' ? 6 : 2, () => { s.drives.unplug('blue', how); }));
    const id = await trashAll();
    s.setHook(null);
    const said = s.state(id);
    s.drives.replug('blue');
    await s.wake();
    expect(['done', 'waiting']).toContain(said);
    expect(s.state(id)).toBe('done');
    expect(await s.wrong(watch)).toEqual([]);
    if (said === 'done') expect(outcomesOf(id)).toContain('away');
  });

  test('what was not begun is never done later', async () => {
    const order = s.order({ kind: 'trash', sha256s: THREE, last_copies: true });
    s.drives.unplug('blue');
    const id = await s.give(order);
    expect(outcomesOf(id)).toEqual(['away']);
    s.drives.replug('blue');
    await s.wake();
    await s.give(order);
    expect(existsSync(s.at('p/1.png'))).toBe(true);
    expect(s.state(id)).toBe('done');
  });

  test('another drive in its place, or an empty folder, is taken for no drive of which files are gone', async () => {
    const id0 = await trashAll();
    expect(outcomesOf(id0)).toEqual(['trashed']);
    s.drives.unplug('blue', 'left_listed_and_empty');
    for (const draft of [{ kind: 'restore' }, { kind: 'empty', last_copies: true }] as const) {
      const id = await s.give(draft);
      expect(outcomesOf(id)).toEqual(['away']);
    }
    // With something on it that is none of ours.
    writeFileSync(s.at('other.txt'), 'x');
    for (const draft of [{ kind: 'restore' }, { kind: 'empty', last_copies: true }] as const) expect(outcomesOf(await s.give(draft))).toEqual(['away']);
    expect(readdirSync(s.top)).toEqual(['other.txt']);
    s.drives.replug('blue');
    expect(s.trash()).toHaveLength(3);
    expect(outcomesOf(await s.give({ kind: 'restore' }))).toEqual(['restored']);
  });

  test('its clone takes nothing from it', async () => {
    const clone = join(s.drives.folder, 'clone');
    cpSync(s.top, clone, { recursive: true, preserveTimestamps: true });
    const watch = s.watch();
    const original = join(s.drives.folder, 'original');
    // In the middle of a unit the clone takes the place of the drive.
    s.setHook(at('read', 2, () => { renameSync(s.top, original); renameSync(clone, s.top); }));
    const id = await trashAll();
    expect(s.state(id)).toBe('waiting');
    expect([1, 2, 3].every((i) => existsSync(s.at(`p/${i}.png`)))).toBe(true);
    renameSync(s.top, clone);
    renameSync(original, s.top);
    s.setHook(null);
    await s.wake();
    expect(s.state(id)).toBe('done');
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('two drives that claim to be one are neither', async () => {
    const clone = join(s.drives.folder, 'clone');
    cpSync(s.top, clone, { recursive: true, preserveTimestamps: true });
    s.drives.plugIn('clone', { volume_id: 'uuid:blue', mount_point: clone });
    expect(outcomesOf(await trashAll())).toEqual(['away']);
    expect([s.top, clone].every((top) => [1, 2, 3].every((i) => existsSync(join(top, `p/${i}.png`))))).toBe(true);
  });

  test('one drive of two of one name: each file goes on its own', async () => {
    const other = s.drives.plugIn('other', { label: 'blue' });
    s.all.push('uuid:other');
    put(join(other, 'p/1.png'), png(1));
    await addRoot(s.ctx, other);
    await s.index();
    const watch = s.watch();
    const id = await s.give({ kind: 'trash', sha256s: [hash(1)], volumes: ['uuid:other'] });
    expect(s.steps(id)).toMatchObject([{ volume_id: 'uuid:other', outcome: 'trashed' }]);
    expect(existsSync(s.at('p/1.png'))).toBe(true);
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('a mount point that has vanished is not made anew', async () => {
    await trashAll();
    s.setHook(at('makeFolders', 1, () => { s.drives.unplug('blue', 'gone'); }));
    await s.give({ kind: 'restore' });
    expect(existsSync(s.top)).toBe(false);
    s.setHook(null);
    s.drives.replug('blue');
    await s.wake();
    await s.give({ kind: 'restore' });
    expect([1, 2, 3].every((i) => existsSync(s.at(`p/${i}.png`)))).toBe(true);
  });
});

describe('orders as they come', () => {
  test('twice, at once, and again after their end: carried out once', async () => {
    const watch = s.watch();
    const order = s.order({ kind: 'trash', sha256s: THREE, last_copies: true });
    const open = [{ order_id: order.order_id, cancelled: false }];
    await Promise.all([s.orders.take(open, async () => order), s.orders.take(open, async () => order), s.orders.take([...open, ...open], async () => order)]);
    await s.orders.settled();
    await s.give({ kind: 'restore' });
    await s.give(order);
    expect(existsSync(s.at('p/1.png'))).toBe(true);
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('a restore before the trash that it is of finds nothing; the trash stands', async () => {
    const trash = s.order({ kind: 'trash', sha256s: THREE, last_copies: true });
    const restore = s.order({ kind: 'restore' });
    await s.give(restore);
    await s.give(trash);
    await s.give(restore);
    expect(s.steps(restore.order_id)).toEqual([]);
    expect(s.trash()).toHaveLength(3);
  });

  test('given up in the middle: what went has gone, the rest stays, each with its receipt', async () => {
    const watch = s.watch();
    const order = s.order({ kind: 'trash', sha256s: THREE, last_copies: true });
    s.setHook(at('read', 2, () => { s.catalog.db.exec('UPDATE orders SET cancelled = 1'); }));
    await s.give(order);
    expect(s.outcomes(order.order_id)).toEqual({ 'p/1.png': 'trashed', 'p/2.png': 'trashed', 'p/3.png': 'cancelled' });
    expect(s.state(order.order_id)).toBe('cancelled');
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('given up before its turn: nothing is done', async () => {
    const id = await s.give(s.order({ kind: 'trash', sha256s: THREE, last_copies: true }, true));
    expect(outcomesOf(id)).toEqual(['cancelled']);
    expect(s.state(id)).toBe('cancelled');
  });

  test('given up while its drive is away in the middle of a file: that file is finished', async () => {
    const watch = s.watch();
    const order = s.order({ kind: 'trash', sha256s: THREE, last_copies: true });
    s.setHook(at('read', 2, () => { s.drives.unplug('blue'); }));
    await s.give(order);
    s.setHook(null);
    await s.orders.take([{ order_id: order.order_id, cancelled: true }], async () => order);
    await s.orders.settled();
    expect(s.state(order.order_id)).toBe('waiting');
    s.drives.replug('blue');
    await s.wake();
    expect(s.outcomes(order.order_id)).toMatchObject({ 'p/1.png': 'trashed', 'p/2.png': 'trashed' });
    expect(s.state(order.order_id)).toBe('cancelled');
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('one that cannot be fetched keeps nothing before it, and a wish at the very end is not lost', async () => {
    const [first, second] = [s.order({ kind: 'trash', sha256s: [hash(1)], last_copies: true }), s.order({ kind: 'trash', sha256s: [hash(2)], last_copies: true })];
    const open = [first, second].map((o) => ({ order_id: o.order_id, cancelled: false }));
    await expect(s.orders.take(open, async (id) => { if (id === second.order_id) throw new Error('no network'); return first; })).rejects.toThrow('no network');
    await s.orders.settled();
    expect(s.outcomes(first.order_id)).toEqual({ 'p/1.png': 'trashed' });
    // Taken in the tick in which nothing is left to do.
    for (let i = 0; i < 20; i += 1) {
      s.orders.wake();
      for (let tick = 0; tick < i; tick += 1) await Promise.resolve();
      const order = s.order({ kind: 'restore' });
      await s.orders.take([{ order_id: order.order_id, cancelled: false }], async () => order);
      await s.orders.settled();
      expect(s.state(order.order_id)).toBe('done');
    }
  });

  test('stopped in the middle, it goes on at the next start', async () => {
    s.close();
    const stop = new AbortController();
    s = createOrdersScene({ stop });
    for (const i of [1, 2, 3]) s.picture(`p/${i}.png`, i);
    await s.addRoot();
    await s.index();
    s.setHook(at('read', 2, () => { stop.abort(); }));
    const id = await trashAll();
    expect(Object.values(s.outcomes(id))).toEqual(['trashed', 'trashed', null]);
    expect(s.state(id)).toBe('running');
  });

  test.each(Array.from({ length: 8 }, (_, i) => [i + 2]))('the catalog’s disk is full from the %i. commit on: nothing is lost, and it goes on once there is room', async (n) => {
    const watch = s.watch();
    let commits = 0;
    s.setHook({ before: (op) => { if (op === 'commit' && (commits += 1) >= n) throw new DiskFullError('/data'); } });
    const id = await trashAll();
    s.setHook(null);
    await s.wake();
    expect(outcomesOf(id)).toEqual(['trashed']);
    commits = 0;
    s.setHook({ before: (op) => { if (op === 'commit' && (commits += 1) >= n) throw new DiskFullError('/data'); } });
    await s.give({ kind: 'restore' });
    s.setHook(null);
    await s.wake();
    expect(await s.wrong(watch)).toEqual([]);
    expect(s.trash()).toEqual([]);
  });

  test('what nobody foresaw stops one order and no other, and is tried again', async () => {
    const watch = s.watch();
    s.setHook(at('makeFolder', 1, () => { throw new Error('a bug'); }));
    const first = await s.give({ kind: 'trash', sha256s: [hash(1)], last_copies: true });
    expect(s.state(first)).toBe('waiting');
    const second = await s.give({ kind: 'trash', sha256s: [hash(2)], last_copies: true });
    expect(s.state(second)).toBe('done');
    expect(s.outcomes(first)).toEqual({ 'p/1.png': 'trashed' });
    expect(await s.wrong(watch)).toEqual([]);
  });
});

describe('clocks and kinds of drives', () => {
  test.each([[-86_400_000], [86_400_000]])('a clock that is off by %i ms changes nothing', async (off) => {
    const watch = s.watch();
    s.clock.offMs = off;
    const id = await trashAll();
    expect(outcomesOf(id)).toEqual(['trashed']);
    s.clock.offMs = 0;
    // Somebody's own empty file at the name, made meanwhile, is not taken for ours.
    writeFileSync(s.at('p/1.png'), '');
    watch.added(s.at('p/1.png'));
    const back = await s.give({ kind: 'restore' });
    expect(s.outcomes(back)).toEqual({ 'p/1.png': 'name_taken', 'p/2.png': 'restored', 'p/3.png': 'restored' });
    expect(watch.check(s.catalog)).toEqual([]);
    expect(await s.wrong(watch).then((w) => w.filter((x) => !x.includes('1.png')))).toEqual([]);
  });

  test.each([['exfat', false], ['apfs', true], ['vfat', false]])('there and back on %s', async (fsType, links) => {
    s.close();
    s = createOrdersScene({ volume: { fs_type: fsType }, links });
    for (const i of [1, 2, 3]) s.picture(`p/${i}.png`, i);
    await s.addRoot();
    await s.index();
    const watch = s.watch();
    expect(outcomesOf(await trashAll())).toEqual(['trashed']);
    expect(await s.wrong(watch)).toEqual([]);
    expect(outcomesOf(await s.give({ kind: 'restore' }))).toEqual(['restored']);
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('the catalog lost its last commits with the power: what lies in the trash is found there', async () => {
    const watch = s.watch();
    s.setHook(at('read', 2, () => { throw new Error('the power goes'); }));
    const id = await trashAll();
    s.catalog.db.exec('UPDATE order_steps SET doing = NULL, began_ms = NULL');
    s.setHook(null);
    await s.wake();
    expect(outcomesOf(id)).toEqual(['trashed']);
    expect(await s.wrong(watch)).toEqual([]);
  });

  test('a line of the list is there before its file moves, though an earlier file made the list', async () => {
    s.setHook(at('append', 3, () => { throw new Error('the end'); }));
    const id = await trashAll();
    s.setHook(null);
    await s.wake();
    expect(outcomesOf(id)).toEqual(['trashed']);
    const list = readFileSync(s.at(`.jharokha-trash/${id}/manifest.jsonl`), 'utf8').trim().split('\n').map((l) => (JSON.parse(l) as { path: string }).path);
    expect(new Set(list)).toEqual(new Set(['p/1.png', 'p/2.png', 'p/3.png']));
  });
});
