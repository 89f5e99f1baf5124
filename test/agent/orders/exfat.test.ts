// Orders on a real exFAT: no hard links, names of one case, no inodes that last (npm run torture -- exfat has all of it).
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OrderBody } from '../../../protocol/orders.ts';
import { mountExfat, type Exfat } from '../../support/exfat.ts';
import { standInFacts } from '../../support/orders-facts.ts';
import { openWorld, templateOf } from '../../support/orders-world.ts';
import { occurring, prepareTable, sayOutcome, torture, type Table } from '../../torture/orders.ts';
import { createScene, png, put, sha, type Scene } from '../scan/scene.ts';
import { filesIn, give } from './copies-scene.ts';

const ground = mountExfat();
afterAll(() => { if (typeof ground !== 'string') ground.remove(); });

describe.skipIf(typeof ground === 'string')(`orders on exFAT${typeof ground === 'string' ? ` (skipped: ${ground})` : ''}`, () => {
  let table: Table;
  beforeAll(async () => { if (typeof ground !== 'string') table = await prepareTable(ground); });
  afterAll(() => { table?.remove(); });

  test('killed and disturbed at calls spread over all of the table, they lose nothing', async () => {
    const cells = occurring(table);
    const report = await torture(table, 40, 9_000, Array.from({ length: 40 }, (_, i) => cells[Math.floor(i * cells.length / 40)] as (typeof cells)[number]));
    expect(report.broken.map(sayOutcome)).toEqual([]);
    expect(report.kills).toBeGreaterThan(0);
  });

  test('a name in another case is taken, and nothing is written over', async () => {
    const { template } = templateOf(table.templates, 'copy');
    const world = openWorld(template);
    try {
      const sha256s = [sha(png(2)), sha(png(10))];
      // What lies there differs from what is copied in its case alone.
      put(join(world.mounts.red, 'COPIES/photos/2020/Stays.png'), png(78));
      const id = await world.run(OrderBody.parse({ kind: 'copy', sha256s, volume_id: 'uuid:red', folder: 'Copies' }));
      expect(world.state(id)).toBe('done');
      expect(readFileSync(join(world.mounts.red, 'COPIES/photos/2020/Stays.png'))).toEqual(png(78));
      const to = world.catalog().db.prepare("SELECT to_path FROM order_steps WHERE order_id = ? AND path LIKE '%stays.png'").get(id)?.['to_path'];
      expect(String(to).toLowerCase()).not.toBe('copies/photos/2020/stays.png');
      expect(readFileSync(join(world.mounts.red, String(to)))).toEqual(png(10));
      expect(existsSync(join(world.mounts.red, 'copies/PHOTOS/2019/LIVE.png'))).toBe(true);
    } finally { world.remove(); }
  });
});

describe.skipIf(typeof ground === 'string')(`from another file system onto exFAT${typeof ground === 'string' ? ` (skipped: ${ground})` : ''}`, () => {
  let scene: Scene;
  let red: string;
  beforeEach(async () => {
    scene = createScene();
    red = scene.drives.plugIn('red', { mount_point: join((ground as Exfat).base, `red ${randomUUID()}`), fs_type: 'exfat' });
    ['plain.png', 'a:b.png', 'what?/in a folder.png', 'two\nlines.png', '"quoted".png', 'NUL.png', `${'é'.repeat(120)}.png`].forEach((path, i) => { scene.picture(path, i + 1); });
    await scene.addRoot();
    await scene.scan();
  });
  afterEach(() => { scene.close(); });

  const all = [1, 2, 3, 4, 5, 6, 7].map((n) => sha(png(n)));

  test('a copy keeps the names that it can and gives the others such as exFAT can hold', async () => {
    const { order, steps } = await give(scene, OrderBody.parse({ kind: 'copy', sha256s: all, volume_id: 'uuid:red', folder: 'backup' }));
    expect(order).toMatchObject({ state: 'done', reason: expect.stringContaining('‘red’') });
    expect(steps.map((s) => s.outcome)).toEqual(all.map(() => 'copied'));
    expect(filesIn(join(red, 'backup')).sort()).toEqual(['-quoted-.png', 'NUL_.png', 'a-b.png', 'plain.png', 'twolines.png', 'what-/in a folder.png', `${'é'.repeat(118)}.png`].sort());
    for (const s of steps) expect(sha(readFileSync(join(red, s.to_path ?? ''))), s.path).toBe(s.sha256);
    // Given anew, all are there.
    const again = await give(scene, OrderBody.parse({ kind: 'copy', sha256s: all, volume_id: 'uuid:red', folder: 'backup' }), {}, '00000000-0000-4000-8000-000000000002');
    expect(again.steps.map((s) => s.outcome)).toEqual(all.map(() => 'already'));
    expect(filesIn(join(red, 'backup'))).toHaveLength(7);
  });

  test('so does an export', async () => {
    const { steps } = await give(scene, OrderBody.parse({ kind: 'export', sha256s: all, folder: join(red, 'out'), template: '{album}' }), { exportFacts: standInFacts });
    expect(new Set(steps.map((s) => s.outcome))).toEqual(new Set(['exported']));
    expect(filesIn(join(red, 'out'))).toHaveLength(14);
  });
});
