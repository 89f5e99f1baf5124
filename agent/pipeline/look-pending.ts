// The stage that looks at grids that were made without it: those of a catalog from before, or after the rules of looks changed. From
// renditions, so that it needs no drive. Each look is kept before the next is begun, so it can stop anywhere.
import type { Catalog } from '../catalog/catalog.ts';
import { dropLookTask, listLooksDue, putLook, type Look, type LookTask } from '../catalog/looks.ts';
import { DiskFullError } from '../files/room.ts';
import { renditionKey, type RenditionId } from '../../protocol/rendition.ts';
import { GRID_VERSION } from '../../protocol/versions.ts';
import { RenditionsAway } from './embed-pending.ts';
import { lookOf } from './look.ts';
import { loadSharp } from './render.ts';

/** Looked up at once. */
const PAGE_ASSETS = 200;
/** At work at once: most of the time is spent waiting for the Worker. */
const WORKERS = 2;

export interface LookContext {
  catalog: Catalog;
  /** A rendition that is not in the spool; undefined where it is not kept. Throws RenditionsAway. */
  fetchRendition(id: RenditionId, signal: AbortSignal | undefined): Promise<Uint8Array | undefined>;
  /** Waited for before each picture. */
  idle?: (() => Promise<void>) | undefined;
  onLooked?: (() => void) | undefined;
}

/** Looks at all that can be had now. Returns how many it looked at, and how many must wait. Throws DiskFullError. */
export async function lookPending(ctx: LookContext, signal?: AbortSignal): Promise<{ looked: number; waiting: number }> {
  const report = { looked: 0, waiting: 0 };
  for (let after = '', away = false; !away && !signal?.aborted;) {
    const tasks = listLooksDue(ctx.catalog, after, PAGE_ASSETS);
    const last = tasks.at(-1);
    if (!last) break;
    after = last.sha256;
    let next = 0;
    const work = async (): Promise<void> => {
      for (let task = tasks[next]; task && !away && !signal?.aborted; task = tasks[next]) {
        next += 1;
        await ctx.idle?.();
        try { report[await lookAt(ctx, task, signal)] += 1; } catch (error) {
          if (signal?.aborted) return;
          if (!(error instanceof RenditionsAway)) throw error;
          away = true;
          report.waiting += 1;
        }
        ctx.onLooked?.();
      }
    };
    const results = await Promise.allSettled(Array.from({ length: WORKERS }, work));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
  return report;
}

async function lookAt(ctx: LookContext, task: LookTask, signal: AbortSignal | undefined): Promise<'looked' | 'waiting'> {
  ctx.catalog.assertRoom();
  // Its grid is being made anew: that will be looked at.
  if (task.gridVersion < GRID_VERSION) { dropLookTask(ctx.catalog, task.sha256); return 'looked'; }
  const id: RenditionId = { sha256: task.sha256, name: 'grid', version: task.gridVersion };
  const spooled = ctx.catalog.prepare('SELECT bytes FROM spool WHERE key = ?').get(renditionKey(id))?.['bytes'] as Uint8Array | undefined;
  const bytes = spooled ?? await ctx.fetchRendition(id, signal);
  if (!bytes) return 'waiting';
  const look = await decode(bytes);
  ctx.catalog.transact(() => { putLook(ctx.catalog, task, look); });
  return 'looked';
}

/** null where it cannot be read: no other try would read it. */
async function decode(bytes: Uint8Array): Promise<Look | null> {
  try { return await lookOf((await loadSharp())(bytes)); } catch (error) {
    if (error instanceof DiskFullError) throw error;
    return null;
  }
}
