import { appendFileSync, linkSync, lstatSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getFile } from '../../../agent/catalog/files.ts';
import { acknowledgeReport, nextReport } from '../../../agent/catalog/orders.ts';
import type { OrderBody } from '../../../protocol/orders.ts';
import { createScene, png, put, type Scene } from '../scan/scene.ts';
import { give, goOn, openCount, openOrders, orderOf, outcomes, picture, stepsOf } from './copies-scene.ts';

let scene: Scene;
beforeEach(() => { scene = createScene(); });
afterEach(() => { scene.close(); });

const verify = (rest: Partial<Extract<OrderBody, { kind: 'verify' }>> = {}): OrderBody => ({ kind: 'verify', volume_id: 'uuid:blue', share: 100, slowly: false, ...rest });

/** Other bytes under the same size and date, as a dying drive or a careless program leaves them. */
function rot(path: string): void {
  const before = statSync(path);
  const bytes = readFileSync(path);
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  utimesSync(path, before.atime, before.mtime);
}

async function library(): Promise<void> {
  for (let i = 0; i < 6; i += 1) scene.picture(`2020/p${i}.png`, 100 + i);
  await scene.addRoot();
  await scene.scan();
}

describe('a verification', () => {
  test('reads every file, says what became of each, and touches none', async () => {
    await library();
    rot(scene.at('2020/p1.png'));
    put(scene.at('2020/p2.png'), png(999));
    appendFileSync(scene.at('2020/p3.png'), 'more');
    rmSync(scene.at('2020/p4.png'));
    // Touched and not changed: its bytes are what they were.
    utimesSync(scene.at('2020/p5.png'), 1_700_000_000, 1_700_000_000);
    scene.files.setFaults([{ match: 'p0\\.png$', op: 'read', error: 'EIO' }]);
    const before = picture(scene.top);
    const { order, steps, ended, warned } = await give(scene, verify());
    expect(outcomes(steps)).toEqual({ '2020/p0.png': 'failed', '2020/p1.png': 'damaged', '2020/p2.png': 'edited', '2020/p3.png': 'edited', '2020/p4.png': 'gone', '2020/p5.png': 'verified' });
    expect(order.state).toBe('done');
    expect(ended).toHaveLength(1);
    expect(warned).toEqual([]);
    expect(steps.find((s) => s.path.endsWith('p1.png'))?.reason).toBe('Its bytes have changed, though its size and date have not. Something wrote to it and kept its date. No other copy of it is known.');
    expect(picture(scene.top)).toEqual(before);
  });

  test('says where a good copy of a damaged file lies, read just now', async () => {
    const red = scene.drives.plugIn('red');
    scene.picture('a.png', 1);
    put(join(red, 'kept/a.png'), png(1));
    for (const root of [await scene.addRoot(), await scene.addRoot('../red')]) await scene.scan(root);
    rot(scene.at('a.png'));
    expect((await give(scene, verify())).steps[0]?.reason).toMatch(/A good copy is on ‘red’, read just now: kept\/a\.png$/);
    scene.drives.unplug('red');
    expect((await give(scene, verify(), {}, '00000000-0000-4000-8000-000000000002')).steps).toHaveLength(1);
    expect(stepsOf(scene, '00000000-0000-4000-8000-000000000002')[0]?.reason).toMatch(/Another copy is known on ‘red’; it could not be read now\.$/);
    // A copy that is damaged too is no good one.
    scene.drives.replug('red');
    rot(join(red, 'kept/a.png'));
    expect((await give(scene, verify(), {}, '00000000-0000-4000-8000-000000000003')).steps[0]?.reason).toMatch(/could not be read now/);
  });

  test('believes a second read over a first', async () => {
    await library();
    let reads = 0;
    const files = {
      ...scene.files,
      open: async (path: string) => {
        const file = await scene.files.open(path);
        return { ...file, pass: async (use?: (b: Buffer) => Promise<void> | void) => { const real = await file.pass(use); reads += 1; return path.endsWith('p0.png') && reads === 1 ? { sha256: 'f'.repeat(64) } : real; } };
      },
    };
    const { steps } = await give(scene, verify({ slowly: true }), { files });
    expect(steps.map((s) => s.outcome)).toEqual(Array(6).fill('verified'));
    expect(steps[0]?.reason).toMatch(/read twice/);
  });

  test('reads a file with several paths once', async () => {
    await library();
    linkSync(scene.at('2020/p0.png'), scene.at('2020/zz.png'));
    linkSync(scene.at('2020/p1.png'), scene.at('2020/yy.png'));
    await scene.scan();
    const opened: string[] = [];
    const files = { ...scene.files, open: (path: string) => { opened.push(path); return scene.files.open(path); } };
    const { steps, orders } = await give(scene, verify(), { files });
    expect(steps).toHaveLength(8);
    expect(steps.every((s) => s.outcome === 'verified')).toBe(true);
    expect(opened).toHaveLength(6);
    expect(await orders.plan(verify())).toMatchObject({ files: 6, assets: 6, blocked: null, drives: [{ label: 'blue', files: 6 }] });
    // Two paths that have become two files are two reads.
    rmSync(scene.at('2020/zz.png'));
    put(scene.at('2020/zz.png'), png(100), lstatSync(scene.at('2020/p0.png')).mtimeMs / 1000);
    expect((await give(scene, verify(), { files }, '00000000-0000-4000-8000-000000000002')).steps.every((s) => s.outcome === 'verified')).toBe(true);
    expect(opened).toHaveLength(13);
  });

  test('takes a share: those first that were not verified for longest', async () => {
    await library();
    scene.catalog.db.exec('UPDATE files SET verified_ms = 1000 + CAST(substr(name, 2, 1) AS INTEGER)');
    scene.catalog.db.exec("UPDATE files SET verified_ms = NULL WHERE name = 'p4.png'");
    const verified: string[] = [];
    for (let i = 2; i < 5; i += 1) verified.push(...(await give(scene, verify({ share: 33 }), {}, `00000000-0000-4000-8000-00000000000${i}`)).steps.map((s) => s.path));
    // 33 % of 6 are 2.
    expect(verified).toEqual(['p0', 'p4', 'p1', 'p2', 'p3', 'p5'].map((p) => `2020/${p}.png`));
    expect(Number(getFile(scene.catalog, 'uuid:blue', '2020', 'p0.png')?.verified_ms)).toBeGreaterThan(1_600_000_000_000);
  });

  test('a scan that read a file has verified it; a rename keeps that, and what was not right does not count', async () => {
    await library();
    const at = getFile(scene.catalog, 'uuid:blue', '2020', 'p0.png')?.verified_ms;
    expect(at).toBeGreaterThan(1_600_000_000_000);
    renameSync(scene.at('2020/p0.png'), scene.at('2020/renamed.png'));
    await scene.scan();
    expect(getFile(scene.catalog, 'uuid:blue', '2020', 'renamed.png')?.verified_ms).toBe(at);
    const before = getFile(scene.catalog, 'uuid:blue', '2020', 'p1.png')?.verified_ms;
    // Verifying writes nothing that a scan or the Worker would have to look at.
    const revision = scene.catalog.db.prepare('SELECT max(revision) AS r FROM files').get()?.['r'];
    await give(scene, verify());
    expect(scene.catalog.db.prepare('SELECT max(revision) AS r FROM files').get()?.['r']).toBe(revision);
    expect((await scene.scan()).counts.unchanged).toBe(6);
    expect(getFile(scene.catalog, 'uuid:blue', '2020', 'p1.png')?.verified_ms).toBeGreaterThan(before ?? Infinity);
    const last = getFile(scene.catalog, 'uuid:blue', '2020', 'p1.png')?.verified_ms;
    rot(scene.at('2020/p1.png'));
    await give(scene, verify(), {}, '00000000-0000-4000-8000-000000000002');
    expect(getFile(scene.catalog, 'uuid:blue', '2020', 'p1.png')?.verified_ms).toBe(last);
  });

  test('an edit within the clock\u2019s step of the last scan is no damage', async () => {
    await library();
    scene.catalog.db.exec("UPDATE files SET racy = 1 WHERE name = 'p0.png'");
    rot(scene.at('2020/p0.png'));
    expect((await give(scene, verify())).steps[0]?.outcome).toBe('edited');
  });

  test('a drive that leaves is waited for, and the order goes on where it stopped', async () => {
    await library();
    let opened = 0;
    const files = { ...scene.files, open: async (path: string) => { opened += 1; if (opened === 3) scene.drives.unplug('blue'); return scene.files.open(path); } };
    const { order } = await give(scene, verify({ slowly: true }), { files });
    expect(order).toMatchObject({ state: 'waiting', waiting_for: 'uuid:blue', reason: 'Plug in ‘blue’ to go on.' });
    expect(openCount(scene)).toBe(4);
    scene.drives.replug('blue');
    const done = await goOn(scene, { files });
    expect(done.order.state).toBe('done');
    expect(done.steps.map((s) => s.outcome)).toEqual(Array(6).fill('verified'));
    expect(opened).toBe(3 + 4);
  });

  test.each(['left_empty', 'left_listed_and_empty'] as const)('a mount point that is %s concludes nothing', async (how) => {
    await library();
    let opened = 0;
    const files = { ...scene.files, open: async (path: string) => { opened += 1; if (opened === 3) scene.drives.unplug('blue', how); return scene.files.open(path); } };
    const { order, steps } = await give(scene, verify(), { files });
    expect(order.state).toBe('waiting');
    expect(steps.filter((s) => s.outcome !== null && s.outcome !== 'verified')).toEqual([]);
  });

  test('another drive in its place concludes nothing', async () => {
    await library();
    let opened = 0;
    const files = { ...scene.files, open: async (path: string) => { opened += 1; if (opened === 2) { rot(scene.at('2020/p1.png')); scene.drives.swap('blue', 'uuid:other'); } return scene.files.open(path); } };
    const { order, steps } = await give(scene, verify({ slowly: true }), { files });
    expect(order.state).toBe('waiting');
    expect(steps.filter((s) => s.outcome !== null).map((s) => s.outcome)).toEqual(['verified']);
  });

  test('is given up between two files', async () => {
    await library();
    const ordering = openOrders(scene);
    let opened = 0;
    const files = { ...scene.files, open: (path: string) => { opened += 1; if (opened === 2) scene.catalog.db.exec('UPDATE orders SET cancelled = 1'); return scene.files.open(path); } };
    const { order, steps } = await give(scene, verify({ slowly: true }), { files });
    expect(order.state).toBe('cancelled');
    expect(steps.map((s) => s.outcome)).toEqual(['verified', 'verified', 'cancelled', 'cancelled', 'cancelled', 'cancelled']);
    expect(ordering.orders.busy()).toBe(false);
  });

  test('an agent that stops in the middle leaves the rest open', async () => {
    await library();
    const stop = new AbortController();
    let opened = 0;
    const files = { ...scene.files, open: (path: string) => { opened += 1; if (opened === 3) stop.abort(); return scene.files.open(path); } };
    const { order } = await give(scene, verify({ slowly: true }), { files, signal: stop.signal });
    expect(order.state).toBe('running');
    expect(openCount(scene)).toBe(4);
    expect((await goOn(scene)).order.state).toBe('done');
  });

  test('of a drive without indexed files is refused with the reason', async () => {
    const { order } = await give(scene, verify());
    expect(order).toMatchObject({ state: 'failed', reason: 'Nothing on this drive is indexed, so there is nothing to compare it with.' });
  });

  test('slowly rests as long as it works', async () => {
    await library();
    const files = { ...scene.files, open: async (path: string) => { const until = performance.now() + 100; while (performance.now() < until) { /* a slow drive */ } return scene.files.open(path); } };
    const started = performance.now();
    await give(scene, verify({ slowly: true }), { files });
    // 600 ms of work have two stretches of 250 ms in them.
    expect(performance.now() - started).toBeGreaterThan(1_050);
  });

  test('once it is told, only what was not right is kept', async () => {
    await library();
    rot(scene.at('2020/p1.png'));
    await give(scene, verify());
    const told = nextReport(scene.catalog);
    expect(told?.report).toMatchObject({ state: 'done', progress: { files: 6, files_done: 6 } });
    expect(told?.report.progress.bytes).toBe(told?.report.progress.bytes_done);
    expect(told?.report.receipts).toHaveLength(6);
    if (told) acknowledgeReport(scene.catalog, told.orderId, told.sent);
    expect(nextReport(scene.catalog)).toBeUndefined();
    expect(stepsOf(scene).map((s) => s.outcome)).toEqual(['damaged']);
    expect(orderOf(scene).state).toBe('done');
  });
});
