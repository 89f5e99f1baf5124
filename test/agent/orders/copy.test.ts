import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileChanges, MOVE_CALLS, withChangeFaults, type FileChanges } from '../../../agent/files/changes.ts';
import { FileError } from '../../../agent/files/errors.ts';
import { seededRandom } from '../../../agent/files/faults.ts';
import { relateMarked } from '../../../agent/pipeline/relate.ts';
import { addRoot } from '../../../agent/pipeline/index.ts';
import { scanRoot } from '../../../agent/pipeline/scan.ts';
import type { OrderBody } from '../../../protocol/orders.ts';
import { copyTree } from '../../support/orders-world.ts';
import { createScene, png, put, sha, type Scene } from '../scan/scene.ts';
import { dyingChanges, filesIn, give, goOn, openCount, openOrders, outcomes, picture, stepsOf, type Receipted } from './copies-scene.ts';

let scene: Scene;
let red: string;
beforeEach(() => { scene = createScene(); red = scene.drives.plugIn('red'); });
afterEach(() => { scene.close(); });

const hash = (seed: number) => sha(png(seed));
const copy = (seeds: number[], rest: Partial<Extract<OrderBody, { kind: 'copy' }>> = {}): OrderBody => ({ kind: 'copy', sha256s: seeds.map(hash), volume_id: 'uuid:red', folder: 'backup', ...rest });

async function scanAll(): Promise<void> {
  for (const path of ['', '../red']) await scanRoot(scene.ctx, await addRoot(scene.ctx, join(scene.top, path)));
  await relateMarked(scene.ctx);
}

/** A pair as RAW and JPEG are one, said by hand: its files need not be real ones. */
function pair(member: number, primary: number, type = 'raw'): void {
  scene.catalog.db.prepare("INSERT INTO stacks (member_sha256, primary_sha256, type, basis, removed, revision) VALUES (?, ?, ?, 'test', 0, 1)").run(hash(member), hash(primary), type);
}

/** Fails the calls that `fails` picks with this errno. */
function failing(errno: string, fails: (op: string, path: string, call: number) => boolean): FileChanges {
  let call = 0;
  return withChangeFaults(createFileChanges(), (path, op) => {
    call += 1;
    if (fails(op, path, call)) throw new FileError(errno === 'ENOSPC' ? 'disk_full' : 'other', errno, `injected ${errno}`);
    return undefined;
  });
}

describe('copies onto a drive', () => {
  test('are verified, keep their paths and dates, and change no original', async () => {
    for (let i = 1; i <= 4; i += 1) scene.picture(`2020/trip/p${i}.png`, i);
    put(scene.at('2020/trip/p1.png.xmp'), '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF></rdf:RDF></x:xmpmeta>');
    put(scene.at('2020/trip/p2.AAE'), '<plist/>');
    await scanAll();
    const before = picture(scene.top);
    const { order, steps, orders, ended, warned } = await give(scene, copy([1, 2, 3]));
    expect(warned).toEqual([]);
    expect(order.state).toBe('done');
    expect(ended).toHaveLength(1);
    expect(outcomes(steps)).toEqual({ '2020/trip/p1.png': 'copied', '2020/trip/p2.png': 'copied', '2020/trip/p3.png': 'copied', '2020/trip/p1.png.xmp': 'copied', '2020/trip/p2.AAE': 'copied' });
    expect(steps[0]?.to_path).toBe('backup/2020/trip/p1.png');
    expect(filesIn(red)).toEqual(['p1.png', 'p1.png.xmp', 'p2.AAE', 'p2.png', 'p3.png'].map((n) => `backup/2020/trip/${n}`));
    for (const name of ['p1.png', 'p2.AAE']) {
      const [from, to] = [statSync(scene.at(`2020/trip/${name}`)), statSync(join(red, 'backup/2020/trip', name))];
      expect(readFileSync(join(red, 'backup/2020/trip', name)).equals(readFileSync(scene.at(`2020/trip/${name}`)))).toBe(true);
      expect(to.mtimeMs).toBe(from.mtimeMs);
    }
    expect(picture(scene.top)).toEqual(before);
    // The next scan finds them as copies; then there is nothing left to copy.
    await scanAll();
    expect(await orders.plan(copy([1, 2, 3]))).toMatchObject({ files: 0, note: 'Copies of 3 are on ‘red’ already; they are left as they are.' });
    expect((await give(scene, copy([1, 2, 3, 4]), {}, '00000000-0000-4000-8000-000000000002')).steps.map((s) => s.outcome)).toEqual(['already', 'already', 'already', 'copied']);
  });

  test('are planned with what they need and where it lies', async () => {
    scene.picture('a.png', 1);
    scene.picture('b.png', 2);
    await scanAll();
    const { orders } = openOrders(scene);
    expect(await orders.plan(copy([1, 2]))).toMatchObject({ assets: 2, files: 2, sidecars: 0, drives: [{ label: 'blue', files: 2 }], away: [], blocked: null, note: null });
  });

  test('say where the folder is not indexed', async () => {
    scene.picture('a.png', 1);
    await addRoot(scene.ctx, scene.top);
    await scene.scan();
    const { order, orders } = await give(scene, copy([1]));
    expect(order).toMatchObject({ state: 'done', reason: expect.stringContaining('is not indexed') as string });
    expect((await orders.plan(copy([1]))).note).toContain('is not indexed');
  });

  test('a copy anywhere on the drive is one, while it is there', async () => {
    scene.picture('a.png', 1);
    put(join(red, 'elsewhere/x.png'), png(1));
    await scanAll();
    expect((await give(scene, copy([1]))).steps[0]).toMatchObject({ outcome: 'already', to_path: 'elsewhere/x.png' });
    rmSync(join(red, 'elsewhere/x.png'));
    expect((await give(scene, copy([1]), {}, '00000000-0000-4000-8000-000000000002')).steps[0]?.outcome).toBe('copied');
  });

  test('never write over anything: the same content is already there, other content gets the next name', async () => {
    scene.picture('a.png', 1);
    scene.picture('b.png', 2);
    scene.picture('c.png', 3);
    await scanAll();
    put(join(red, 'backup/a.png'), png(1));
    put(join(red, 'backup/b.png'), png(99));
    put(join(red, 'backup/b (2).png'), 'x');
    mkdirSync(join(red, 'backup/c.png'));
    const theirs = picture(red);
    const { steps } = await give(scene, copy([1, 2, 3]));
    expect(steps.map((s) => [s.outcome, s.to_path])).toEqual([['already', 'backup/a.png'], ['copied', 'backup/b (3).png'], ['copied', 'backup/c (2).png']]);
    expect(picture(red)).toMatchObject(theirs);
  });

  test('files that belong together go together and keep one stem', async () => {
    scene.picture('2020/I.png', 1);
    put(scene.at('2020/I.JPG.png'), png(2));
    put(scene.at('2020/I.png.xmp'), '<x:xmpmeta><rdf:RDF></rdf:RDF></x:xmpmeta>');
    await scanAll();
    scene.catalog.db.exec("UPDATE files SET name = 'I.CR3' WHERE name = 'I.JPG.png'");
    put(scene.at('2020/I.CR3'), png(2));
    pair(2, 1);
    put(join(red, 'backup/2020/I.CR3'), 'another raw');
    // Asked for one, both go.
    const { steps } = await give(scene, copy([2]));
    expect(steps.map((s) => [s.role, s.outcome, s.to_path])).toEqual([['asset', 'copied', 'backup/2020/I (2).png'], ['asset', 'copied', 'backup/2020/I (2).CR3'], ['sidecar', 'copied', 'backup/2020/I (2).png.xmp']]);
    expect(new Set(steps.map((s) => s.unit)).size).toBe(1);
  });

  test('two files of one name from two drives both arrive', async () => {
    const green = scene.drives.plugIn('green');
    scene.picture('x/a.png', 1);
    put(join(green, 'x/a.png'), png(2));
    await scanAll();
    await scanRoot(scene.ctx, await addRoot(scene.ctx, green));
    const { steps } = await give(scene, copy([1, 2]));
    expect(steps.map((s) => s.outcome)).toEqual(['copied', 'copied']);
    expect(filesIn(red)).toEqual(['backup/x/a (2).png', 'backup/x/a.png']);
  });

  test('one half of a pair that cannot be read keeps the other back', async () => {
    scene.picture('a.png', 1);
    scene.picture('b.png', 2);
    await scanAll();
    pair(2, 1);
    scene.files.setFaults([{ match: 'b\\.png$', op: 'read', error: 'EIO' }]);
    const { steps } = await give(scene, copy([1]));
    expect(outcomes(steps)).toEqual({ 'a.png': 'refused', 'b.png': 'failed' });
    expect(filesIn(red)).toEqual([]);
  });

  test('of a file that is not what was ordered nothing is left behind', async () => {
    scene.picture('a.png', 1);
    scene.picture('b.png', 2);
    scene.picture('c.png', 3);
    await scanAll();
    put(scene.at('a.png'), png(50), statSync(scene.at('a.png')).mtimeMs / 1000);
    rmSync(scene.at('b.png'));
    scene.files.setFaults([{ match: 'blue/c\\.png$', op: 'read', effect: 'changes' }]);
    const { steps, order } = await give(scene, copy([1, 2, 3]));
    expect(outcomes(steps)).toEqual({ 'a.png': 'changed', 'b.png': 'gone', 'c.png': 'changed' });
    expect(order.state).toBe('done');
    expect(filesIn(red)).toEqual([]);
  });

  test('another copy of the same content is read where the first is not right', async () => {
    const green = scene.drives.plugIn('green');
    scene.picture('a.png', 1);
    put(join(green, 'same.png'), png(1));
    await scanAll();
    await scanRoot(scene.ctx, await addRoot(scene.ctx, green));
    scene.files.setFaults([{ match: 'blue/a\\.png$', op: 'open', error: 'EIO' }]);
    expect((await give(scene, copy([1]))).steps[0]).toMatchObject({ outcome: 'copied', to_path: 'backup/a.png', reason: 'Read from its copy on ‘green’: same.png' });
  });

  test('what the drive gives back is compared with what was written', async () => {
    scene.picture('a.png', 1);
    await scanAll();
    scene.files.setFaults([]);
    const files = { ...scene.files, open: async (path: string) => { const f = await scene.files.open(path); return path.includes('.jharokha-part') ? { ...f, pass: () => Promise.resolve({ sha256: 'f'.repeat(64) }) } : f; } };
    expect((await give(scene, copy([1]), { files })).steps[0]).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('gave back other bytes') as string });
    expect(filesIn(red)).toEqual([]);
  });

  test('a name that is taken while a copy is written is left as it is', async () => {
    scene.picture('a.png', 1);
    scene.picture('b.png', 2);
    await scanAll();
    pair(2, 1);
    const changes = withChangeFaults(createFileChanges(), (path, op) => { if (op === 'setTimes' && path.endsWith('-1')) put(join(red, 'backup/b.png'), 'mine'); return undefined; });
    const { steps } = await give(scene, copy([1]), { changes });
    expect(steps.map((s) => s.to_path)).toEqual(['backup/a (2).png', 'backup/b (2).png']);
    expect(filesIn(red)).toEqual(['backup/a (2).png', 'backup/b (2).png', 'backup/b.png']);
    expect(readFileSync(join(red, 'backup/b.png'), 'utf8')).toBe('mine');
  });

  test('on a volume that folds names a name that folds together is taken', async () => {
    const usb = scene.drives.plugIn('usb', { fs_type: 'exfat' });
    scene.picture('caf\u00e9.png', 1);
    scene.picture('B.png', 2);
    await scanAll();
    put(join(usb, 'backup/CAFE\u0301.PNG'), 'x');
    put(join(usb, 'backup/b.PNG'), png(2));
    const { steps } = await give(scene, copy([1, 2], { volume_id: 'uuid:usb' }));
    expect(Object.fromEntries(steps.map((s) => [s.path, [s.outcome, s.to_path]]))).toEqual({ 'caf\u00e9.png': ['copied', 'backup/caf\u00e9 (2).png'], 'B.png': ['already', 'backup/B.png'] });
    // Where names are exact, both forms are two names.
    put(join(red, 'backup/cafe\u0301.png'), 'x');
    expect((await give(scene, copy([1]), {}, '00000000-0000-4000-8000-000000000002')).steps[0]?.to_path).toBe('backup/caf\u00e9.png');
  });

  test('what lies in another program\u2019s library is not copied by its folders', async () => {
    scene.picture('My.photoslibrary/originals/A/a.png', 1);
    await scanAll();
    expect((await give(scene, copy([1]))).steps[0]).toMatchObject({ outcome: 'refused' });
  });
});

describe('a copy that cannot be', () => {
  beforeEach(async () => { scene.picture('a.png', 1); scene.picture('b.png', 2); scene.picture('c.png', 3); await scanAll(); });

  test.each([
    ['/abs', /without a slash/], ['a/../b', /without \. and \.\./], ['.jharokha-trash/x', /Jharokha’s own/], ['x/.JHAROKHA', /Jharokha’s own/], ['Old.photoslibrary/x', /another program/],
    ['file', /is a file/], ['file/below', /is a file/], ['link', /is a link/],
  ])('is refused for the folder %s', async (folder, said) => {
    put(join(red, 'file'), 'x');
    symlinkSync(scene.top, join(red, 'link'));
    const { order } = await give(scene, copy([1], { folder }));
    expect(order).toMatchObject({ state: 'failed', reason: expect.stringMatching(said) as string });
  });

  test('is refused where the drive is away, read-only, full beforehand, or nothing is known', async () => {
    const { orders } = openOrders(scene);
    expect((await orders.plan(copy([77]))).blocked).toBe('No file of these is known here.');
    const small = openOrders(scene, { volumes: { ...scene.volumes, get: async (id) => { const v = await scene.volumes.get(id); return v && { ...v, free_bytes: 1_000_000 }; } } });
    expect((await small.orders.plan(copy([1]))).blocked).toMatch(/^‘red’ has no room for these: they have \d+ bytes, 1\.0 MB are free there, so 15\.0 MB are lacking\.$/);
    const locked = openOrders(scene, { volumes: { ...scene.volumes, get: async (id) => { const v = await scene.volumes.get(id); return v && { ...v, read_only: true }; } } });
    expect((await locked.orders.plan(copy([1]))).blocked).toBe('‘red’ can only be read.');
    scene.drives.unplug('red');
    expect((await orders.plan(copy([1]))).blocked).toBe('‘red’ is not connected. Plug it in to copy to it.');
  });

  test('a drive that is full ends the rest quickly, and nothing half is left', async () => {
    const changes = failing('ENOSPC', (op, path) => op === 'create' && path.includes('#write') && /-[12]#/.test(path));
    const { order, steps } = await give(scene, copy([1, 2, 3]), { changes });
    expect(steps.map((s) => s.outcome)).toEqual(['copied', 'failed', 'failed']);
    expect(order).toMatchObject({ state: 'done', reason: '‘red’ is full. What was copied stays; make room and give the order again for the rest.' });
    expect(filesIn(red)).toEqual(['backup/a.png']);
  });

  test.each([['EROFS', 'refused', true], ['EACCES', 'refused', false], ['EIO', 'failed', false], ['ENAMETOOLONG', 'refused', false], ['EFBIG', 'refused', false]] as const)('%s at the target is named', async (errno, outcome, stops) => {
    const changes = failing(errno, (op, path) => op === 'create' && !path.includes('#') && path.endsWith('-0'));
    const { steps } = await give(scene, copy([1, 2, 3]), { changes });
    expect(steps[0]).toMatchObject({ outcome, reason: expect.stringMatching(/./) as string });
    if (!stops) expect(steps.map((s) => s.outcome).slice(1)).toEqual(['copied', 'copied']);
    expect(filesIn(red).filter((f) => f.includes('.jharokha'))).toEqual([]);
  });

  test('a folder that is a link by then leads nowhere', async () => {
    mkdirSync(join(red, 'backup'));
    scene.picture('sub/d.png', 4);
    await scanAll();
    symlinkSync(scene.top, join(red, 'backup/sub'));
    const before = filesIn(scene.top);
    expect((await give(scene, copy([4]))).steps[0]).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('has the name of a folder') as string });
    expect(filesIn(scene.top)).toEqual(before);
  });

  test('waits for a source drive, takes what it can meanwhile, and can be given up', async () => {
    const green = scene.drives.plugIn('green');
    put(join(green, 'g.png'), png(9));
    await scanRoot(scene.ctx, await addRoot(scene.ctx, green));
    scene.drives.unplug('green');
    const { orders } = openOrders(scene);
    expect(await orders.plan(copy([1, 9]))).toMatchObject({ files: 1, away: [{ label: 'green', files: 1 }], blocked: null });
    const { order, steps } = await give(scene, copy([1, 9]));
    expect(steps.map((s) => s.outcome)).toEqual(['copied', null]);
    expect(order).toMatchObject({ state: 'waiting', waiting_for: 'uuid:green' });
    scene.drives.replug('green');
    expect((await goOn(scene)).order.state).toBe('done');
    expect(filesIn(red)).toEqual(['backup/a.png', 'backup/g.png']);
  });

  test('waits for its target, which is met under another mount point, and goes on', async () => {
    let created = 0;
    const changes = withChangeFaults(createFileChanges(), (path, op) => {
      if (op === 'create' && !path.includes('#') && (created += 1) === 2) { scene.drives.unplug('red'); throw new FileError('vanished', 'ENOENT', 'gone'); }
      return undefined;
    });
    const { order } = await give(scene, copy([1, 2, 3]), { changes });
    expect(order).toMatchObject({ state: 'waiting', waiting_for: 'uuid:red' });
    scene.drives.replug('red');
    const done = await goOn(scene);
    expect(done.order.state).toBe('done');
    expect(done.steps.map((s) => s.outcome)).toEqual(['copied', 'copied', 'copied']);
    expect(filesIn(red)).toEqual(['backup/a.png', 'backup/b.png', 'backup/c.png']);
  });

  test('given up while it waits, it ends', async () => {
    scene.drives.unplug('blue');
    expect((await give(scene, copy([1, 2]))).order.state).toBe('waiting');
    scene.catalog.db.exec('UPDATE orders SET cancelled = 1');
    const { order, steps } = await goOn(scene);
    expect(order.state).toBe('cancelled');
    expect(steps.every((s) => s.outcome === 'cancelled')).toBe(true);
  });
});

describe('an end at any call', () => {
  /** What must be true however often it ended: each asked file once, whole, with its own bytes; no part; originals as they were. */
  function assertWhole(steps: readonly Receipted[], before: Record<string, string>): void {
    expect(openCount(scene)).toBe(0);
    expect(filesIn(red).filter((f) => f.includes('.jharokha'))).toEqual([]);
    expect(picture(scene.top)).toEqual(before);
    const hashes = filesIn(red).filter((f) => f !== 'backup/x/b.png').map((f) => sha(readFileSync(join(red, f))));
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(steps.map((s) => [s.path, s.outcome])).toEqual([['x/a.png', 'copied'], ['x/a.png.xmp', 'copied'], ['x/b.png', 'copied'], ['x/c.png', 'copied']]);
    expect(filesIn(red)).toEqual(['backup/x/a.png', 'backup/x/a.png.xmp', 'backup/x/b (2).png', 'backup/x/b.png', 'backup/x/c (2).png']);
    for (const s of steps) expect(sha(readFileSync(join(red, s.to_path ?? '')))).toBe(sha(readFileSync(scene.at(s.path))));
  }

  async function library(): Promise<Record<string, string>> {
    scene.picture('x/a.png', 1);
    put(scene.at('x/a.png.xmp'), '<x:xmpmeta><rdf:RDF></rdf:RDF></x:xmpmeta>');
    scene.picture('x/b.png', 2);
    scene.picture('x/c.png', 3);
    await scanAll();
    pair(3, 2);
    put(join(red, 'backup/x/b.png'), 'another');
    return picture(scene.top);
  }

  test.each(['before', 'after'] as const)('dying %s each one: the next run goes on and finishes', async (when) => {
    const counting = dyingChanges(Infinity);
    await library();
    await give(scene, copy([1, 2]), { changes: counting });
    expect(counting.calls.length).toBeGreaterThan(15);
    for (let at = 0; at < counting.calls.length; at += 1) {
      scene.close();
      scene = createScene();
      red = scene.drives.plugIn('red');
      const before = await library();
      const died = await give(scene, copy([1, 2]), { changes: dyingChanges(at, when) });
      if (at < counting.calls.length - 1) expect(died.order.state, counting.calls[at]).toBe('waiting');
      const done = await goOn(scene);
      expect(done.order.state).toBe('done');
      assertWhole(done.steps, before);
    }
  });

  test('dying again and again', async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      scene.close();
      scene = createScene();
      red = scene.drives.plugIn('red');
      const before = await library();
      const random = seededRandom(seed);
      let run = await give(scene, copy([1, 2]), { changes: dyingChanges(Math.floor(random() * 8), random() < 0.5 ? 'before' : 'after') });
      for (let n = 0; run.order.state !== 'done' && n < 60; n += 1) run = await goOn(scene, { changes: dyingChanges(Math.floor(random() * 9), random() < 0.5 ? 'before' : 'after') });
      if (run.order.state !== 'done') run = await goOn(scene);
      assertWhole(stepsOf(scene), before);
    }
  });

  test.each(['EIO', 'ENOSPC', 'EACCES'])('%s at each call leaves nothing half, loses nothing, and says so', async (errno) => {
    const counting = dyingChanges(Infinity);
    await library();
    await give(scene, copy([1, 2]), { changes: counting });
    for (let at = 1; at <= counting.calls.length; at += 1) {
      scene.close();
      scene = createScene();
      red = scene.drives.plugIn('red');
      const before = await library();
      const { order, steps, warned } = await give(scene, copy([1, 2]), { changes: failing(errno, (_, __, call) => call === at) });
      expect(warned, counting.calls[at - 1]).toEqual([]);
      expect(order.state).toBe('done');
      expect(picture(scene.top)).toEqual(before);
      expect(readFileSync(join(red, 'backup/x/b.png'), 'utf8')).toBe('another');
      for (const s of steps) {
        expect(s.outcome).not.toBeNull();
        if (s.outcome === 'copied') expect(sha(readFileSync(join(red, s.to_path ?? '')))).toBe(sha(readFileSync(scene.at(s.path))));
        else expect(s.reason).toMatch(/\.$|: \//);
      }
      const known = new Set([...steps.flatMap((s) => (s.to_path === null ? [] : [s.to_path])), 'backup/x/b.png']);
      expect(filesIn(red).filter((f) => !known.has(f)), `${errno} at ${counting.calls[at - 1] ?? ''}`).toEqual([]);
    }
  });

  test('a part that an earlier run finished is not written again, one that it did not is begun anew', async () => {
    scene.picture('a.png', 1);
    await scanAll();
    const calls = dyingChanges(Infinity);
    await give(scene, copy([1]), { changes: calls });
    const named = calls.calls.findIndex((c) => c.startsWith('moveNoReplace'));
    rmSync(join(red, 'backup'), { recursive: true });
    const id = '00000000-0000-4000-8000-000000000002';
    await give(scene, copy([1]), { changes: dyingChanges(named) }, id);
    const [part] = filesIn(red);
    expect(part).toBe(`backup/.jharokha-part-${id}-0`);
    const inode = statSync(join(red, part ?? '')).ino;
    await goOn(scene, {}, id);
    expect(statSync(join(red, 'backup/a.png')).ino).toBe(inode);
    // Half of one, of a run before.
    rmSync(join(red, 'backup'), { recursive: true });
    const other = '00000000-0000-4000-8000-000000000003';
    await give(scene, copy([1]), { changes: dyingChanges(named) }, other);
    writeFileSync(join(red, `backup/.jharokha-part-${other}-0`), 'half');
    utimesSync(join(red, `backup/.jharokha-part-${other}-0`), 1, 1);
    await goOn(scene, {}, other);
    expect(filesIn(red)).toEqual(['backup/a.png']);
    expect(sha(readFileSync(join(red, 'backup/a.png')))).toBe(hash(1));
  });

  test.each(['one file under both names', 'the empty file that holds the name', 'an empty file of somebody'] as const)('an end within the naming of a part: %s', async (how) => {
    scene.picture('a.png', 1);
    await scanAll();
    const counting = dyingChanges(Infinity);
    await give(scene, copy([1]), { changes: counting });
    rmSync(join(red, 'backup'), { recursive: true });
    const id = '00000000-0000-4000-8000-000000000002';
    await give(scene, copy([1]), { changes: dyingChanges(counting.calls.findIndex((c) => c.startsWith('moveNoReplace'))) }, id);
    const [part, final] = [join(red, `backup/.jharokha-part-${id}-0`), join(red, 'backup/a.png')];
    if (how === 'one file under both names') linkSync(part, final); else writeFileSync(final, '');
    // Its time tells it from one that somebody made just now.
    if (how === 'the empty file that holds the name') utimesSync(final, 330_000_330, 330_000_330);
    const { steps } = await goOn(scene, {}, id);
    expect(steps[0]).toMatchObject({ outcome: 'copied', to_path: how === 'an empty file of somebody' ? 'backup/a (2).png' : 'backup/a.png' });
    expect(filesIn(red)).toEqual(how === 'an empty file of somebody' ? ['backup/a (2).png', 'backup/a.png'] : ['backup/a.png']);
    expect(sha(readFileSync(join(red, steps[0]?.to_path ?? '')))).toBe(hash(1));
  });

  // Seeds 14 and 22 of the torture.
  test.each(['gone', 'left_empty'] as const)('nothing is written where the drive was mounted: %s', async (mountPoint) => {
    scene.picture('a.png', 1);
    await scanAll();
    const changes = withChangeFaults(createFileChanges(), (_, op) => { if (op === 'makeFolders') scene.drives.unplug('red', mountPoint); return undefined; });
    expect((await give(scene, copy([1]), { changes })).order).toMatchObject({ state: 'waiting', waiting_for: 'uuid:red' });
    expect(existsSync(red) ? filesIn(red) : []).toEqual([]);
    expect(existsSync(red)).toBe(mountPoint === 'left_empty');
    scene.drives.replug('red');
    expect((await goOn(scene)).steps[0]?.outcome).toBe('copied');
    expect(filesIn(red)).toEqual(['backup/a.png']);
  });

  // Seeds 2, 10 and 42: the receipt said copied of what lay on the clone, and a part that was removed there stayed here.
  test.each(['moveNoReplace', 'remove'] as const)('what was done on a clone that came in between (at %s) is not believed', async (at) => {
    scene.picture('a.png', 1);
    await scanAll();
    put(scene.at('a.png'), png(at === 'remove' ? 2 : 1));
    const changes = withChangeFaults(createFileChanges(), (_, op) => {
      if (op !== at) return undefined;
      scene.drives.unplug('red', 'left_listed_and_empty');
      copyTree(join(scene.drives.folder, '.aside-red'), red);
      return undefined;
    });
    expect((await give(scene, copy([1]), { changes })).steps[0]?.outcome).toBeNull();
    scene.drives.replug('red');
    expect((await goOn(scene)).steps[0]?.outcome).toBe(at === 'remove' ? 'changed' : 'copied');
    expect(filesIn(red)).toEqual(at === 'remove' ? [] : ['backup/a.png']);
  });

  // Seeds 1267 and 1295.
  test.each(['with hard links', 'without'])('a drive that cannot be written any more in the middle of naming: what stays is told, %s', async (links) => {
    scene.picture('a.png', 1);
    await scanAll();
    const refuse = (code: string) => (): never => { throw Object.assign(new Error(code), { code }); };
    const real = createFileChanges({ calls: { ...MOVE_CALLS, unlink: refuse('EROFS'), ...(links === 'without' ? { link: refuse('EPERM'), rename: refuse('EROFS') } : {}) } });
    const { steps: [step] } = await give(scene, copy([1]), { changes: { ...real, remove: () => { throw new FileError('other', 'EROFS', 'it can only be read'); } } });
    expect(step?.outcome).toBe(links === 'without' ? 'refused' : 'copied');
    const told = filesIn(red).filter((path) => path === step?.to_path || step?.reason?.includes(path));
    expect(told).toHaveLength(2);
    expect(told).toEqual(filesIn(red));
  });

  test('a folder that nobody may write is said', async () => {
    if (process.getuid?.() === 0) return;
    scene.picture('a.png', 1);
    await scanAll();
    chmodSync(red, 0o500);
    try { expect((await give(scene, copy([1]))).steps[0]?.outcome).toBe('refused'); } finally { chmodSync(red, 0o700); }
  });

  test('another drive in its place gets nothing', async () => {
    for (let i = 1; i <= 6; i += 1) scene.picture(`p${i}.png`, i);
    await scanAll();
    let clock = Date.now();
    const changes = withChangeFaults(createFileChanges(), (_, op) => { if (op === 'syncFolder') scene.drives.swap('red', 'uuid:other'); return undefined; });
    const { order, steps } = await give(scene, copy([1, 2, 3, 4, 5, 6]), { changes, now: () => (clock += 2_000) });
    expect(order).toMatchObject({ state: 'waiting', waiting_for: 'uuid:red' });
    // Those that were at work when it left.
    expect(steps.filter((s) => s.outcome !== null).length).toBeLessThanOrEqual(2);
  });
});
