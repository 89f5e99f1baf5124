import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addRoot } from '../../../agent/pipeline/index.ts';
import { scanRoot } from '../../../agent/pipeline/scan.ts';
import type { OrderBody } from '../../../protocol/orders.ts';
import { createScene, png, put, sha, type Scene } from '../scan/scene.ts';
import { dyingChanges, filesIn, give, goOn, openCount, openOrders, ORDER } from './copies-scene.ts';

let scene: Scene;
let red: string;
beforeEach(async () => { await library(); });
afterEach(() => { scene.close(); });

const mend = (paths = ['a.png']): OrderBody => ({ kind: 'mend', files: paths.map((path) => ({ volume_id: 'uuid:blue', path })), volumes: ['uuid:blue', 'uuid:red'] });

async function library(): Promise<void> {
  scene = createScene();
  red = scene.drives.plugIn('red');
  scene.picture('a.png', 1);
  put(join(red, 'kept/a.png'), png(1));
  scene.picture('alone.png', 2);
  for (const path of ['', '../red']) await scanRoot(scene.ctx, await addRoot(scene.ctx, join(scene.top, path)));
}

function rot(path: string): string {
  const before = statSync(path);
  const bytes = readFileSync(path);
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  utimesSync(path, before.atime, before.mtime);
  return sha(bytes);
}

const kept = `.jharokha-trash/${ORDER}/0/a.png`;

describe('mending', () => {
  test('of what a verification found is offered still after a scan, which takes it for no edit until its date says so', async () => {
    // Written to, so that its ctime moved: as a faulty program or a repair of the file system leaves it.
    rot(scene.at('a.png'));
    rot(scene.at('alone.png'));
    const { steps } = await give(scene, { kind: 'verify', volume_id: 'uuid:blue', share: 100, slowly: false });
    expect(steps.map((s) => s.outcome)).toEqual(['damaged', 'damaged']);
    const all = () => scene.catalog.db.prepare("SELECT dir, name, sha256, revision FROM files WHERE seen_as = 'asset'").all();
    const before = all();
    expect((await scene.scan()).counts).toMatchObject({ unchanged: 2, changed: 0, indexed: 0 });
    expect((await scene.scan()).counts).toMatchObject({ unchanged: 2, changed: 0, indexed: 0 });
    expect(all()).toEqual(before);
    const id = '00000000-0000-4000-8000-000000000007';
    expect((await give(scene, mend(), {}, id)).steps.map((s) => s.outcome)).toEqual(['trashed', 'copied']);
    expect(readFileSync(scene.at('a.png'))).toEqual(png(1));
    expect((await scene.scan()).counts).toMatchObject({ changed: 0 });
    // Who saves it anew says that it is to be so: then it is read, and cannot be shown.
    utimesSync(scene.at('alone.png'), 1_700_000_000, 1_700_000_000);
    expect((await scene.scan())).toMatchObject({ counts: { unchanged: 1 }, failed: [{ path: 'alone.png' }] });
    // Mended, nothing is left of it: what is damaged anew is an edit until it is found.
    rot(scene.at('a.png'));
    expect((await scene.scan()).failed.map((f) => f.path).sort()).toEqual(['a.png', 'alone.png']);
  });

  test('puts the damaged file into the trash and a good copy in its place', async () => {
    const damaged = rot(scene.at('a.png'));
    expect(await openOrders(scene).orders.plan(mend())).toMatchObject({ files: 1, blocked: null });
    const { order, steps, warned } = await give(scene, mend());
    expect(warned).toEqual([]);
    expect(order.state).toBe('done');
    expect(steps).toMatchObject([{ outcome: 'trashed', sha256: damaged, to_path: kept }, { outcome: 'copied', sha256: sha(png(1)), to_path: 'a.png', reason: 'Read from its copy on ‘red’: kept/a.png' }]);
    expect(sha(readFileSync(scene.at('a.png')))).toBe(sha(png(1)));
    expect(sha(readFileSync(scene.at(kept)))).toBe(damaged);
    expect(statSync(scene.at('a.png')).mtimeMs).toBe(statSync(join(red, 'kept/a.png')).mtimeMs);
    expect((await scene.scan()).counts).toMatchObject({ unchanged: 2, failed: 0 });
  });

  test('leaves alone what is right, what was edited, what is gone, and what nothing could mend', async () => {
    const right = await give(scene, mend());
    expect(right.steps.map((s) => s.outcome)).toEqual(['verified', 'verified']);
    put(scene.at('a.png'), png(5));
    expect((await give(scene, mend(), {}, ORDER.replace(/1$/, '2'))).steps.map((s) => s.outcome)).toEqual(['edited', 'edited']);
    rmSync(scene.at('a.png'));
    expect((await give(scene, mend(), {}, ORDER.replace(/1$/, '3'))).steps.map((s) => s.outcome)).toEqual(['gone', 'gone']);
    expect((await give(scene, mend(['alone.png']), {}, ORDER.replace(/1$/, '4'))).steps.map((s) => [s.outcome, s.reason])[0]).toEqual(['refused', 'No other copy of it is known, so there is nothing to mend it with.']);
    expect((await give(scene, mend(['never.png']), {}, ORDER.replace(/1$/, '5'))).order).toMatchObject({ state: 'failed', reason: 'None of these files is known here.' });
  });

  test('does nothing where the other copy is away or damaged too', async () => {
    const damaged = rot(scene.at('a.png'));
    rot(join(red, 'kept/a.png'));
    expect((await give(scene, mend())).steps.map((s) => s.outcome)).toEqual(['refused', 'refused']);
    scene.drives.unplug('red');
    expect((await give(scene, mend(), {}, ORDER.replace(/1$/, '2'))).steps.map((s) => s.outcome)).toEqual(['refused', 'refused']);
    expect(sha(readFileSync(scene.at('a.png')))).toBe(damaged);
    expect(filesIn(scene.top).filter((f) => f.includes('trash'))).toEqual([]);
  });

  test('waits for the good copy where its drive leaves in the middle', async () => {
    rot(scene.at('a.png'));
    let opened = 0;
    const files = { ...scene.files, open: async (path: string) => { if (path.startsWith(red) && (opened += 1) === 2) scene.drives.unplug('red'); return scene.files.open(path); } };
    expect((await give(scene, mend(), { files })).order).toMatchObject({ state: 'waiting', waiting_for: 'uuid:red' });
    scene.drives.replug('red');
    expect((await goOn(scene)).steps.map((s) => s.outcome)).toEqual(['trashed', 'copied']);
    expect(sha(readFileSync(scene.at('a.png')))).toBe(sha(png(1)));
  });

  test.each(['before', 'after'] as const)('dying %s each call: the next run finishes', async (when) => {
    const counting = dyingChanges(Infinity);
    rot(scene.at('a.png'));
    await give(scene, mend(), { changes: counting });
    expect(counting.calls.length).toBeGreaterThan(8);
    for (let at = 0; at < counting.calls.length; at += 1) {
      scene.close();
      await library();
      const damaged = rot(scene.at('a.png'));
      await give(scene, mend(), { changes: dyingChanges(at, when) });
      const { order, steps } = await goOn(scene);
      expect(order.state, counting.calls[at]).toBe('done');
      expect(openCount(scene)).toBe(0);
      expect(steps.map((s) => s.outcome), counting.calls[at]).toEqual(['trashed', 'copied']);
      expect(sha(readFileSync(scene.at('a.png')))).toBe(sha(png(1)));
      expect(sha(readFileSync(scene.at(kept)))).toBe(damaged);
      expect(filesIn(scene.top).filter((f) => f.includes('part'))).toEqual([]);
    }
  });
});
