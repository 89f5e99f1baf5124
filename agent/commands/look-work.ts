// What the engine does for look-alikes: looks that are still to be made, bursts that hang on them, groups. Behind previews, and
// again whenever something changed that they hang on.
import { setTimeout as sleep } from 'node:timers/promises';
import { reason } from '../config.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { countLooksDue } from '../catalog/looks.ts';
import { hasMarks } from '../catalog/relations.ts';
import { RenditionsAway } from '../pipeline/embed-pending.ts';
import { lookPending } from '../pipeline/look-pending.ts';
import { findNear, isNearDue } from '../pipeline/near.ts';
import { fetchRendition, WorkerUnreachable, type WorkerAddress } from '../push/client.ts';

export interface LookWorkContext {
  catalog: Catalog; worker: WorkerAddress;
  /** Work in the background; else only `settle` works. */
  background: boolean;
  /** Resolves once nothing is scanned or rendered. */
  untilIdle(): Promise<void>;
  /** Relates what is marked, when its turn has come. */
  relate(): Promise<void>;
  signal: AbortSignal;
  onChange(): void;
  warn(line: string): void;
}

export interface LookWork {
  /** Something may be to be done: looks as soon as it can, in the background. */
  wake(): void;
  /** For a command that ends: does all that can be done. Never rejects. */
  settle(): Promise<void>;
  toLook(): number;
  ended(): Promise<void>;
}

/** Groups are made anew as a whole, so after a run it rests ten times as long, and a quarter of an hour at most. */
const REST_FACTOR = 10;
const MAX_REST_MS = 900_000;

export function createLookWork(ctx: LookWorkContext): LookWork {
  const { catalog, signal } = ctx;
  const idle = ctx.background ? ctx.untilIdle : undefined;
  let run: Promise<void> | undefined;
  let again = false;
  let trouble = '';

  async function work(): Promise<void> {
    try {
      await idle?.();
      if (countLooksDue(catalog) > 0) {
        await lookPending({
          catalog, idle, onLooked: ctx.onChange,
          fetchRendition: async (id, stop) => {
            try { return await fetchRendition(ctx.worker, id, stop); } catch (error) { throw error instanceof WorkerUnreachable ? new RenditionsAway(error.message, { cause: error }) : error; }
          },
        }, signal);
      }
      // What was looked at may be of a burst, and what is shown under another takes no part in groups.
      if (!signal.aborted && hasMarks(catalog)) await ctx.relate();
      if (!signal.aborted && await findNear({ catalog, idle }, signal)) ctx.onChange();
    } catch (error) {
      if (signal.aborted || reason(error) === trouble) return;
      trouble = reason(error);
      ctx.warn(`Look-alikes are not looked for now: ${trouble}`);
    }
  }

  function wake(): void {
    if (signal.aborted || !ctx.background || (countLooksDue(catalog) === 0 && !hasMarks(catalog) && !isNearDue(catalog))) return;
    again = true;
    run ??= (async () => {
      while (again && !signal.aborted) {
        again = false;
        const began = performance.now();
        await work();
        await sleep(Math.min(MAX_REST_MS, (performance.now() - began) * REST_FACTOR), undefined, { signal, ref: false }).catch(() => {});
      }
    })().finally(() => { run = undefined; ctx.onChange(); });
  }

  return { wake, settle: async () => { if (!ctx.background) await work(); }, toLook: () => countLooksDue(catalog), ended: async () => { await run; } };
}
