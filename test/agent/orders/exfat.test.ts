// Orders on a real exFAT: no hard links, names of one case, no inodes that last (npm run torture -- exfat has all of it).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OrderBody } from '../../../protocol/orders.ts';
import { mountExfat } from '../../support/exfat.ts';
import { openWorld, templateOf } from '../../support/orders-world.ts';
import { occurring, prepareTable, sayOutcome, torture, type Table } from '../../torture/orders.ts';
import { png, put, sha } from '../scan/scene.ts';

const ground = mountExfat();

describe.skipIf(typeof ground === 'string')(`orders on exFAT${typeof ground === 'string' ? ` (skipped: ${ground})` : ''}`, () => {
  let table: Table;
  beforeAll(async () => { if (typeof ground !== 'string') table = await prepareTable(ground); });
  afterAll(() => {
    table?.remove();
    if (typeof ground !== 'string') ground.remove();
  });

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
