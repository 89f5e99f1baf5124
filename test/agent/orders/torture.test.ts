// Part of the torture of orders (npm run torture -- orders has all of it): some calls of each kind of order, killed and disturbed.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, SCENARIOS, templateOf, type World } from '../../support/orders-world.ts';
import { occurring, prepareTable, sayOutcome, torture, type Cell, type Table } from '../../torture/orders.ts';

let table: Table;
beforeAll(async () => { table = await prepareTable(); });
afterAll(() => { table.remove(); });

/** `count` of the cells, spread over all of them. */
function spread(cells: readonly Cell[], count: number): Cell[] {
  return Array.from({ length: count }, (_, i) => cells[Math.floor(i * cells.length / count)] as Cell);
}

const isKill = (c: Cell): boolean => c.fault.startsWith('kill');

test('real processes killed at any call of an order lose nothing', async () => {
  const report = await torture(table, 16, 4_000, spread(occurring(table).filter(isKill), 16));
  expect(report.broken.map(sayOutcome)).toEqual([]);
  expect(report.kills).toBeGreaterThanOrEqual(16);
});

test('drives that fail, leave, fill up and change at any call of an order lose nothing', async () => {
  const report = await torture(table, 36, 5_000, spread(occurring(table).filter((c) => !isKill(c)), 36));
  expect(report.broken.map(sayOutcome)).toEqual([]);
});

/** Every file on both drives, those in the trash too; not the trash's own lists, which say what was tried. */
function listFiles(world: World): string[] {
  return Object.values(world.mounts).flatMap((mount) => readdirSync(mount, { recursive: true, withFileTypes: true }).filter((e) => e.isFile() && e.name !== 'manifest.jsonl').map((e) => join(e.parentPath, e.name))).sort();
}

test.each(SCENARIOS)('%s: what was ordered already and is ordered anew under another id is not done twice', async (scenario) => {
  const { template, body } = templateOf(table.templates, scenario);
  const world = openWorld(template);
  try {
    await world.run(body);
    const files = listFiles(world);
    const again = await world.run(body);
    expect(listFiles(world)).toEqual(files);
    const outcomes = new Set(world.catalog().db.prepare('SELECT DISTINCT outcome FROM order_steps WHERE order_id = ?').all(again).map((r) => r['outcome']));
    for (const done of ['trashed', 'restored', 'emptied', 'copied', 'exported'] as const) expect(outcomes).not.toContain(done);
    expect(await world.verify()).toEqual([]);
  } finally { world.remove(); }
});

test('every cell is a call that an order makes', () => {
  for (const kind of ['trash', 'restore', 'empty']) {
    const ops = new Set(table.cells.filter((c) => c.kind === kind).map((c) => c.op));
    for (const op of ['lstat', 'list', 'open', 'read', 'syncFolder', 'removeFolder', 'commit'] as const) if (kind !== 'trash' || op !== 'list') expect(ops, kind).toContain(op);
  }
  const of = (kind: string) => new Set(table.cells.filter((c) => c.kind === kind).map((c) => c.op));
  for (const op of ['makeFolders', 'append', 'makeFolder', 'moveIntoNew', 'moveNoReplace', 'link', 'unlink', 'hold', 'rename'] as const) expect(of('trash')).toContain(op);
  for (const op of ['makeFolders', 'moveNoReplace', 'link', 'unlink', 'hold', 'rename', 'remove'] as const) expect(of('restore')).toContain(op);
  expect(of('empty')).toContain('remove');
  for (const kind of ['copy', 'export', 'mend']) for (const op of ['lstat', 'realpath', 'makeFolders', 'open', 'create', 'read', 'write', 'sync', 'setTimes', 'moveNoReplace', 'link', 'unlink', 'hold', 'rename', 'syncFolder', 'commit'] as const) expect(of(kind), kind).toContain(op);
  for (const op of ['makeFolder', 'append', 'moveIntoNew'] as const) expect(of('mend')).toContain(op);
  expect([...of('verify')].sort()).toEqual(['commit', 'lstat', 'open', 'read']);
});
