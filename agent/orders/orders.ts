// Carries out orders, one after the other: takes them as the Worker has them, plans each once, walks through its units, and leaves
// receipts. It may end anywhere and goes on from the catalog; what was carried out is never carried out again.
import { isCancelled, listOpenOrders, listOpenUnit, listOpenUnits, putPlan, noteOpen, setOrderState, takeOrder, getOrder, type OrderRow, type Step } from '../catalog/orders.ts';
import { FileError } from '../files/errors.ts';
import { DiskFullError } from '../files/room.ts';
import type { Order, OrderBody, OrderPlan } from '../../protocol/orders.ts';
import { DriveLeft, driveName, endAll, openRun, sayTrouble, type OrderContext, type Run } from './context.ts';
import { planOrder } from './plan.ts';
import { emptyUnit, restoreUnit } from './restore.ts';
import { trashUnit } from './trash.ts';

export interface OrdersOptions extends OrderContext {
  /** Before each order: tests change what fails. */
  refresh(): void;
  onEnded(order: OrderRow): void;
  warn(line: string): void;
}

export interface Orders {
  /** What an order would do; nothing is done. */
  plan(body: OrderBody): OrderPlan;
  /** What the Worker holds for open, and how one of them is fetched whole. Those that are known already are not begun anew. */
  take(open: readonly { order_id: string; cancelled: boolean }[], fetchOrder: (orderId: string) => Promise<Order>): Promise<void>;
  /** Goes on with what is open: after a start, and when a drive came or went. */
  wake(): void;
  /** An order is being carried out, or could be. */
  busy(): boolean;
  /** Resolves when nothing more can be done now. */
  settled(): Promise<void>;
}

/** The protocol's bound. */
const MAX_REASON = 1_000;

/** Orders that only look or add may wait for a drive; the others never act on one that was plugged in later. */
function waitsForDrive(kind: OrderBody['kind']): boolean { return kind === 'verify' || kind === 'copy' || kind === 'export'; }

export function createOrders(ctx: OrdersOptions): Orders {
  let running: Promise<void> | undefined;
  let again = false;

  function wake(): void {
    if (running) { again = true; return; }
    // It is over in the same moment in which it was last asked whether there is more: a wish that comes then begins a new one.
    running = Promise.resolve().then(async () => {
      try {
        do {
          again = false;
          for (const orderId of listOpenOrders(ctx.catalog)) {
            if (ctx.signal.aborted) return;
            try { await carryOut(orderId); } catch (error) { giveRest(orderId, error); }
          }
        } while (again && !ctx.signal.aborted);
      } finally { running = undefined; }
    });
  }

  /** What nobody foresaw stops an order until something wakes it, and no other order. */
  function giveRest(orderId: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    ctx.warn(`An order could not go on: ${reason}`);
    // On a full disk not even this can be kept; the next start goes on all the same.
    try { setOrderState(ctx.catalog, orderId, 'waiting', { reason: reason.slice(0, MAX_REASON), atMs: ctx.now() }); } catch (failure) { if (!(failure instanceof DiskFullError)) throw failure; }
    ctx.onChange();
  }

  async function carryOut(orderId: string): Promise<void> {
    ctx.refresh();
    const order = getOrder(ctx.catalog, orderId);
    if (!order) return;
    if (!order.planned) {
      const { steps, plan } = planOrder(ctx, orderId, order.body);
      if (plan.blocked !== null) { setOrderState(ctx.catalog, orderId, 'failed', { reason: plan.blocked, atMs: ctx.now() }); ctx.onChange(); ctx.onEnded(order); return; }
      putPlan(ctx.catalog, orderId, steps, ctx.now());
    }
    setOrderState(ctx.catalog, orderId, 'running', { atMs: ctx.now() });
    ctx.onChange();
    const run = openRun(ctx, orderId);
    let left: string | undefined;
    let unseen: { volumeId: string; reason: string } | undefined;
    for (const number of listOpenUnits(ctx.catalog, orderId)) {
      if (ctx.signal.aborted) return;
      const cancelled = isCancelled(ctx.catalog, orderId);
      const unit = listOpenUnit(ctx.catalog, orderId, number);
      const begun = unit.some((s) => s.doing !== null);
      if (cancelled && !begun) { endAll(ctx, unit, { outcome: 'cancelled', reason: 'The order was given up before this file’s turn.' }, undefined); continue; }
      try { await carryOutUnit(run, order, unit); } catch (error) {
        if (!(error instanceof DriveLeft) && !(error instanceof FileError)) throw error;
        const open = listOpenUnit(ctx.catalog, orderId, number);
        const stays = open.some((s) => s.doing !== null);
        if (error instanceof FileError) {
          // It cannot be seen what lies where: only a unit of which nothing was touched ends on that.
          if (stays) unseen = { volumeId: open[0]?.volume_id ?? '', reason: sayTrouble(error).reason };
          else endAll(ctx, open, sayTrouble(error));
        } else if (stays || waitsForDrive(order.kind)) left = error.volumeId;
        else endAll(ctx, open, { outcome: 'away', reason: `‘${driveName(ctx.catalog, error.volumeId)}’ was not connected when its turn came. Nothing was done there.` });
      }
    }
    if (left !== undefined) setOrderState(ctx.catalog, orderId, 'waiting', { waiting_for: left, reason: `Plug in ‘${driveName(ctx.catalog, left)}’ to go on.`, atMs: ctx.now() });
    else if (unseen) setOrderState(ctx.catalog, orderId, 'waiting', { waiting_for: unseen.volumeId, reason: `‘${driveName(ctx.catalog, unseen.volumeId)}’ could not be read: ${unseen.reason} Plug it in anew to go on.`, atMs: ctx.now() });
    else {
      setOrderState(ctx.catalog, orderId, isCancelled(ctx.catalog, orderId) ? 'cancelled' : 'done', { atMs: ctx.now() });
      ctx.onEnded(order);
    }
    ctx.onChange();
  }

  async function carryOutUnit(run: Run, order: OrderRow, unit: Step[]): Promise<void> {
    switch (order.body.kind) {
      case 'trash': await trashUnit(ctx, run, order.body, unit); return;
      case 'restore': await restoreUnit(ctx, run, unit); return;
      case 'empty': await emptyUnit(ctx, run, order.body, unit); return;
      default: throw new Error(`no way to carry out ${order.body.kind}`);
    }
  }

  return {
    plan: (body) => planOrder(ctx, 'plan', body).plan,
    take: async (open, fetchOrder) => {
      // One that cannot be fetched now does not keep those before it.
      try {
        for (const { order_id, cancelled } of open) if (!noteOpen(ctx.catalog, order_id, cancelled)) takeOrder(ctx.catalog, await fetchOrder(order_id));
      } finally {
        ctx.onChange();
        wake();
      }
    },
    wake,
    busy: () => running !== undefined,
    settled: async () => { while (running) await running; },
  };
}
