// Part of the torture of orders (npm run torture -- orders has all of it): some calls of each kind of order, killed and disturbed.
import { afterAll, beforeAll, expect, test } from 'vitest';
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
