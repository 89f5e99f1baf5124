// A scene (see scan/scene.ts) with orders that are carried out in it, a watch over its drives, and a hook at every call.
import { randomUUID } from 'node:crypto';
import type { Step } from '../../../agent/catalog/orders.ts';
import { createFileAccess } from '../../../agent/files/access.ts';
import { createFileChanges } from '../../../agent/files/changes.ts';
import { createOrders, type Orders } from '../../../agent/orders/orders.ts';
import { isInPackage } from '../../../agent/pipeline/ignore.ts';
import { scanAll } from '../../../agent/pipeline/index.ts';
import { relateMarked } from '../../../agent/pipeline/relate.ts';
import { sidecarsOfFolder } from '../../../agent/pipeline/relate-folders.ts';
import { OrderBody, type Order, type OrderPlan } from '../../../protocol/orders.ts';
import { checkRows, watchDrives, type Watch } from '../../support/orders-check.ts';
import type { FakeVolume } from '../../support/fake-volumes.ts';
import { hookAccess, hookCalls, hookCatalog, hookChanges, NO_HOOK, type Hook } from '../../support/orders-hooks.ts';
import { createScene, png, sha, type Scene } from '../scan/scene.ts';

type Draft<T> = T extends { kind: 'trash' | 'restore' | 'empty' } ? Partial<Omit<T, 'kind'>> & { kind: T['kind'] } : never;

export interface OrdersScene extends Scene {
  orders: Orders;
  /** Drives that orders act on where they name none. */
  all: string[];
  /** Every root is scanned and related. */
  index(): Promise<void>;
  body(draft: Draft<OrderBody>): OrderBody;
  plan(draft: Draft<OrderBody>): Promise<OrderPlan>;
  order(draft: Draft<OrderBody>, cancelled?: boolean): Order;
  /** Gives an order and waits until nothing more can be done. */
  give(draft: Draft<OrderBody> | Order): Promise<string>;
  /** Goes on with what is open. */
  wake(): Promise<void>;
  state(orderId: string): string;
  steps(orderId: string): Step[];
  /** What became of each path. */
  outcomes(orderId: string): Record<string, string | null>;
  trash(): string[];
  setHook(hook: Hook | null): void;
  warnings: string[];
  /** Notes everything on the drives as it is now. */
  watch(): Watch;
  /** All that must hold: see orders-check.ts. */
  wrong(watch: Watch): Promise<string[]>;
  /** By how much the clock is off. */
  clock: { offMs: number };
}

export const hash = (seed: number): string => sha(png(seed));

export function createOrdersScene(options: { volume?: Partial<FakeVolume>; links?: boolean; stop?: AbortController } = {}): OrdersScene {
  const scene = createScene(options.volume ? { volume: options.volume } : {});
  let hook = NO_HOOK;
  const warnings: string[] = [];
  const clock = { offMs: 0 };
  let given = 0;
  const known = new Map<string, Order>();
  const { catalog, volumes } = scene;
  const orders = createOrders({
    catalog: hookCatalog(catalog, () => hook), files: hookAccess(createFileAccess(), () => hook), changes: hookChanges(createFileChanges({ calls: hookCalls(options.links ?? true, () => hook) }), () => hook), volumes,
    now: () => Date.now() + clock.offMs, signal: (options.stop ?? new AbortController()).signal, sidecarsOf: (folder) => sidecarsOfFolder(catalog, folder), inPackage: isInPackage, ownFolders: [], exportFacts: async () => ({ items: [] }), refresh: () => undefined, onChange: () => undefined,
    onEnded: () => undefined, warn: (line) => { warnings.push(line); },
  });
  const connected = (): { volume_id: string; mount_point: string }[] => desk.all.map((volume_id) => ({ volume_id, mount_point: catalog.db.prepare('SELECT last_mount_point AS p FROM volumes WHERE volume_id = ?').get(volume_id)?.['p'] as string }));
  const desk: OrdersScene = Object.assign(scene, {
    orders, all: ['uuid:blue'], warnings, clock,
    index: async () => { await scanAll(scene.ctx); await relateMarked(scene.ctx); },
    body: (draft: Draft<OrderBody>) => OrderBody.parse({ ...(draft.kind === 'trash' ? {} : { sha256s: null }), volumes: desk.all, ...draft }),
    plan: (draft: Draft<OrderBody>) => orders.plan(desk.body(draft)),
    order: (draft: Draft<OrderBody>, cancelled = false) => ({ order_id: randomUUID(), given_at_ms: 1_700_000_000_000 + (given += 1), cancelled, body: desk.body(draft) }),
    give: async (draft: Draft<OrderBody> | Order) => {
      const order = 'order_id' in draft ? draft : desk.order(draft);
      known.set(order.order_id, order);
      await orders.take([{ order_id: order.order_id, cancelled: order.cancelled }], async () => order);
      await orders.settled();
      return order.order_id;
    },
    wake: async () => { orders.wake(); await orders.settled(); },
    state: (id: string) => String(catalog.db.prepare('SELECT state FROM orders WHERE order_id = ?').get(id)?.['state']),
    steps: (id: string) => catalog.db.prepare('SELECT * FROM order_steps WHERE order_id = ? ORDER BY n').all(id) as unknown as Step[],
    outcomes: (id: string) => Object.fromEntries(desk.steps(id).map((s) => [s.path, s.outcome])),
    trash: () => catalog.db.prepare('SELECT path FROM trash ORDER BY path').all().map((r) => String(r['path'])),
    setHook: (next: Hook | null) => { hook = next ?? NO_HOOK; },
    watch: () => watchDrives(connected(), catalog),
    wrong: async (watch: Watch) => {
      hook = NO_HOOK;
      const found = watch.check(catalog);
      const before = watch.snapshot(catalog);
      for (const order of known.values()) await desk.give(order);
      if (watch.snapshot(catalog) !== before) found.push('a repetition changed something');
      for (const report of await scanAll(scene.ctx)) if (report.state !== 'completed') found.push(`the scan is ${report.state}: ${report.reason ?? ''}`);
      await relateMarked(scene.ctx);
      return [...found, ...checkRows(connected(), catalog, (path) => /\.(png|mov|dng)$/.test(path))];
    },
  });
  return desk;
}

/** Calls `then` before the n-th call of this kind, once. */
export function at(op: Parameters<Hook['before']>[0], n: number, then: (path: string, to?: string) => void): Hook {
  let met = 0;
  return { before: (now, path, to) => { if (now === op && (met += 1) === n) then(path, to); } };
}

/** What a file system would say. */
export function refusal(code: string): Error { return Object.assign(new Error(`${code}: injected`), { code }); }
