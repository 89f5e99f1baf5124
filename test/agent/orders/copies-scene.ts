// A drive with a scanned library and the orders that are given to it, for the orders that only read or add. A run may be made to
// end as a process ends: at one call of FileChanges, after which nothing more is written.
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getOrder, listOpenSteps, type OrderRow, type Step } from '../../../agent/catalog/orders.ts';
import { createFileChanges, withChangeFaults, type FileChanges } from '../../../agent/files/changes.ts';
import { createOrders, type Orders, type OrdersOptions } from '../../../agent/orders/orders.ts';
import { isInPackage } from '../../../agent/pipeline/ignore.ts';
import { sidecarsOfFolder } from '../../../agent/pipeline/relate-folders.ts';
import type { OrderBody } from '../../../protocol/orders.ts';
import { sha, type Scene } from '../scan/scene.ts';

export const ORDER = '00000000-0000-4000-8000-000000000001';

export interface Ordering { orders: Orders; changes: FileChanges; warned: string[]; ended: OrderRow[] }

export function openOrders(scene: Scene, options: Partial<OrdersOptions> = {}): Ordering {
  const [warned, ended]: [string[], OrderRow[]] = [[], []];
  const changes = options.changes ?? createFileChanges();
  const orders = createOrders({
    catalog: scene.catalog, files: scene.files, volumes: scene.volumes, now: () => Date.now(), signal: new AbortController().signal, sidecarsOf: (folder) => sidecarsOfFolder(scene.catalog, folder),
    inPackage: isInPackage, ownFolders: [], exportFacts: () => Promise.resolve({ items: [] }), onChange: () => {}, refresh: () => {}, onEnded: (order) => { ended.push(order); }, warn: (line) => { warned.push(line); }, ...options, changes,
  });
  return { orders, changes, warned, ended };
}

/** Gives an order and carries it out as far as it goes. */
export async function give(scene: Scene, body: OrderBody, options: Partial<OrdersOptions> = {}, orderId = ORDER): Promise<Ordering & { order: OrderRow; steps: Receipted[] }> {
  const ordering = openOrders(scene, options);
  await ordering.orders.take([{ order_id: orderId, cancelled: false }], () => Promise.resolve({ order_id: orderId, given_at_ms: 1, cancelled: false, body }));
  await ordering.orders.settled();
  return { ...ordering, order: orderOf(scene, orderId), steps: stepsOf(scene, orderId) };
}

/** Another process takes up what is open. */
export async function goOn(scene: Scene, options: Partial<OrdersOptions> = {}, orderId = ORDER): Promise<Ordering & { order: OrderRow; steps: Receipted[] }> {
  const ordering = openOrders(scene, options);
  ordering.orders.wake();
  await ordering.orders.settled();
  return { ...ordering, order: orderOf(scene, orderId), steps: stepsOf(scene, orderId) };
}

export function orderOf(scene: Scene, orderId = ORDER): OrderRow {
  const order = getOrder(scene.catalog, orderId);
  if (!order) throw new Error('no order');
  return order;
}

export type Receipted = Pick<Step, 'n' | 'unit' | 'role' | 'path' | 'sha256' | 'outcome' | 'reason' | 'to_path'>;

export function stepsOf(scene: Scene, orderId = ORDER): Receipted[] {
  return scene.catalog.db.prepare('SELECT n, unit, role, path, sha256, outcome, reason, to_path FROM order_steps WHERE order_id = ? ORDER BY n').all(orderId) as unknown as Receipted[];
}

export function outcomes(steps: readonly Receipted[]): Record<string, string | null> {
  return Object.fromEntries(steps.map((s) => [s.path, s.outcome]));
}

export function openCount(scene: Scene, orderId = ORDER): number { return listOpenSteps(scene.catalog, orderId).length; }

export class Died extends Error {}

/** Dies before the call of this number (from 0), or right after it; whatever is called later dies too. `calls` counts them. */
export function dyingChanges(at: number, when: 'before' | 'after' = 'before'): FileChanges & { calls: string[] } {
  const calls: string[] = [];
  let dead = false;
  const changes = withChangeFaults(createFileChanges(), (path, op) => {
    if (dead) throw new Died('dead');
    if (calls.length === at && when === 'before') { dead = true; throw new Died(`${op} ${path}`); }
    if (calls.length === at + 1 && when === 'after') { dead = true; throw new Died(`after ${calls.at(-1) ?? ''}`); }
    calls.push(`${op} ${path}`);
    return undefined;
  });
  return { ...changes, calls };
}

/** Every file below, with what must not change about an original: bytes, size, times, inode and mode. */
export function picture(folder: string): Record<string, string> {
  const all: Record<string, string> = {};
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const s = lstatSync(path);
    all[path.slice(folder.length + 1)] = [sha(readFileSync(path)), s.size, s.mtimeMs, s.ctimeMs, s.ino, s.mode, s.nlink].join(' ');
  }
  return all;
}

/** Paths of the files below, sorted; our own part files too. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(folder.length + 1)).sort();
}
