// Carries out orders, one after the other: takes them as the Worker has them, plans each once, walks through its units, and leaves
// receipts. It may end anywhere and goes on from the catalog; what was carried out is never carried out again.
import { isCancelled, listOpenOrders, listOpenUnit, listOpenUnits, putPlan, putVerifyPlan, noteOpen, setOrderState, takeOrder, getOrder, type OrderRow, type Step } from '../catalog/orders.ts';
import { FileError } from '../files/errors.ts';
import { DiskFullError } from '../files/room.ts';
import type { Order, OrderBody, OrderPlan } from '../../protocol/orders.ts';
import { DriveLeft, driveName, endAll, Interrupted, openRun, sayTrouble, type OrderContext, type Run } from './context.ts';
import { copyDestination, openCopier, OrderStopped } from './copy.ts';
import { planCopies, rootsNear, sayNotIndexed } from './copy-plan.ts';
import { exportDestination } from './export.ts';
import { mendUnit, planMend } from './mend.ts';
import { planOrder } from './plan.ts';
import { emptyUnit, restoreUnit } from './restore.ts';
import { trashUnit } from './trash.ts';
import { planVerify, slowPace, verifyUnit } from './verify.ts';

export interface OrdersOptions extends OrderContext {
  /** Before each order: tests change what fails. */
  refresh(): void;
  onEnded(order: OrderRow): void;
  warn(line: string): void;
}

export interface Orders {
  /** What an order would do; nothing is done. */
  plan(body: OrderBody): Promise<OrderPlan>;
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

const GIVEN_UP = { outcome: 'cancelled', reason: 'The order was given up before this file’s turn.' } as const;

/** Orders that only look or add may wait for a drive; the others never act on one that was plugged in later. */
function waitsForDrive(kind: OrderBody['kind']): boolean { return kind === 'verify' || kind === 'copy' || kind === 'export'; }

/**
 * Units at work at once. Copies: while some wait for the drive to have them on disk, the next is read (copy.ts reads one at a time).
 * A verification reads one file after the other, as it lies: two at a time were 1.14 times as fast from memory, 0.96 from a disk,
 * and a hard disk would have to move its head between them.
 */
function lanesOf(body: OrderBody): number { return body.kind === 'copy' || body.kind === 'export' ? 4 : 1; }

interface Walked {
  /** The drive that some units wait for. */
  left: string | undefined;
  /** Where it cannot be seen what lies where, and why. */
  unseen: { volumeId: string; reason: string } | undefined;
  /** Why the rest could not be done. */
  stopped: string | null;
}

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
            try { await carryOut(orderId); } catch (error) {
              if (error instanceof Interrupted) return;
              giveRest(orderId, error);
            }
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
    let order = getOrder(ctx.catalog, orderId);
    if (!order) return;
    if (!order.planned) {
      const { plan, write } = await planOf(orderId, order.body);
      if (plan.blocked !== null) { setOrderState(ctx.catalog, orderId, 'failed', { reason: plan.blocked, atMs: ctx.now() }); ctx.onChange(); ctx.onEnded(order); return; }
      write();
      order = getOrder(ctx.catalog, orderId) ?? order;
    }
    setOrderState(ctx.catalog, orderId, 'running', { atMs: ctx.now() });
    ctx.onChange();
    const { left, unseen, stopped } = await walkUnits(order);
    if (ctx.signal.aborted) return;
    if (left !== undefined) setOrderState(ctx.catalog, orderId, 'waiting', { waiting_for: left, reason: `Plug in ‘${driveName(ctx.catalog, left)}’ to go on.`, atMs: ctx.now() });
    else if (unseen) setOrderState(ctx.catalog, orderId, 'waiting', { waiting_for: unseen.volumeId, reason: `‘${driveName(ctx.catalog, unseen.volumeId)}’ could not be read: ${unseen.reason} Plug it in anew to go on.`, atMs: ctx.now() });
    else {
      setOrderState(ctx.catalog, orderId, isCancelled(ctx.catalog, orderId) ? 'cancelled' : 'done', { reason: stopped ?? lastWords(order), atMs: ctx.now() });
      ctx.onEnded(order);
    }
    ctx.onChange();
  }

  /** Of copies that no scan will find. */
  function lastWords({ kind, target }: OrderRow): string | null {
    return kind === 'copy' && target && !rootsNear(ctx.catalog, target).some((r) => r.holds) ? sayNotIndexed(driveName(ctx.catalog, target.volume_id)) : null;
  }

  /** Carries out all units that can be now. */
  async function walkUnits(order: OrderRow): Promise<Walked> {
    const { order_id: orderId, body } = order;
    const work = openWork(openRun(ctx, orderId), order);
    const units = listOpenUnits(ctx.catalog, orderId);
    let left: string | undefined;
    let unseen: Walked['unseen'];
    let stopped: OrderStopped['ending'] | undefined;
    const lane = async (): Promise<void> => {
      for (const number of units) {
        if (ctx.signal.aborted) return;
        const unit = listOpenUnit(ctx.catalog, orderId, number);
        const begun = unit.some((s) => s.doing !== null);
        if (!begun && stopped) { endAll(ctx, unit, stopped); continue; }
        if (!begun && isCancelled(ctx.catalog, orderId)) { endAll(ctx, unit, GIVEN_UP); continue; }
        try { await work(unit); } catch (error) {
          if (error instanceof OrderStopped) { stopped ??= error.ending; continue; }
          if (!(error instanceof DriveLeft) && !(error instanceof FileError)) throw error;
          const open = listOpenUnit(ctx.catalog, orderId, number);
          if (error instanceof FileError) {
            // It cannot be seen what lies where: only a unit of which nothing was touched ends on that.
            if (open.some((s) => s.doing !== null)) unseen = { volumeId: open[0]?.volume_id ?? '', reason: sayTrouble(error).reason };
            else endAll(ctx, open, sayTrouble(error));
            continue;
          }
          // Nothing of the owner's is half done in a copy: it need not wait for a drive that may never come.
          if (waitsForDrive(body.kind) && isCancelled(ctx.catalog, orderId)) { endAll(ctx, open, GIVEN_UP); continue; }
          if (open.some((s) => s.doing !== null) || waitsForDrive(body.kind)) {
            left = error.volumeId;
            // All its files lie there.
            if (body.kind === 'verify') return;
            continue;
          }
          endAll(ctx, open, { outcome: 'away', reason: `‘${driveName(ctx.catalog, error.volumeId)}’ was not connected when its turn came. Nothing was done there.` });
        }
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: lanesOf(body) }, lane));
    for (const done of lanes) if (done.status === 'rejected') throw done.reason;
    return { left, unseen, stopped: stopped?.reason ?? null };
  }

  /** How a unit is carried out, with what a run remembers from one to the next. */
  function openWork(run: Run, { order_id, body, target }: OrderRow): (unit: Step[]) => Promise<void> {
    switch (body.kind) {
      case 'trash': return (unit) => trashUnit(ctx, run, body, unit);
      case 'restore': return (unit) => restoreUnit(ctx, run, unit);
      case 'mend': return (unit) => mendUnit(ctx, run, body, unit);
      case 'empty': return (unit) => emptyUnit(ctx, run, body, unit);
      case 'verify': {
        const pace = body.slowly ? slowPace(ctx.signal) : undefined;
        return (unit) => verifyUnit(ctx, run, unit, pace);
      }
      case 'copy': case 'export': {
        if (!target) throw new Error('an order to copy was planned without its folder');
        return openCopier(ctx, run, body.kind === 'copy' ? copyDestination(target) : exportDestination(ctx, order_id, body, target));
      }
    }
  }

  /** What an order comes to, and how its steps are kept. */
  async function planOf(orderId: string, body: OrderBody): Promise<{ plan: OrderPlan; write(): void }> {
    if (body.kind === 'verify') return { plan: planVerify(ctx.catalog, body), write: () => { putVerifyPlan(ctx.catalog, orderId, body.volume_id, body.share); } };
    const { plan, steps, target } = body.kind === 'copy' || body.kind === 'export' ? await planCopies(ctx, body) : { ...(body.kind === 'mend' ? planMend(ctx.catalog, orderId, body) : planOrder(ctx, orderId, body)), target: undefined };
    return { plan, write: () => { putPlan(ctx.catalog, orderId, steps, ctx.now(), target); } };
  }

  return {
    plan: async (body) => (await planOf('plan', body)).plan,
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
