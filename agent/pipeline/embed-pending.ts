// The stage that embeds pictures: from their renditions, so that it needs no drive, newest first, as many at once as the model has
// workers. Changes nothing but the catalog's vectors; what cannot be done now stays on the list.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Catalog } from '../catalog/catalog.ts';
import { dropVectorTask, listVectorsToMake, orderVectorsDue, putNoVector, putVector, type SpaceRow, type VectorTask } from '../catalog/vectors.ts';
import { DiskFullError } from '../files/room.ts';
import { GRID_HEIGHT_PX, GRID_MAX_WIDTH_PX } from '../../protocol/limits.ts';
import { renditionKey, type RenditionId } from '../../protocol/rendition.ts';
import { toUnit } from '../../protocol/vector.ts';
import { GRID_VERSION } from '../../protocol/versions.ts';
import type { Embedder } from './embed/embedder.ts';

/** Nobody who keeps renditions can be reached now. */
export class RenditionsAway extends Error { override name = 'RenditionsAway'; }
/** The model no longer answers, whatever it is given: it must be opened anew. */
export class EmbedderDown extends Error { override name = 'EmbedderDown'; }

export interface EmbedReport {
  /** Vectors made; pictures of which none can be made; those whose rendition cannot be had now. */
  made: number; failed: number; waiting: number;
}

export interface EmbedContext {
  catalog: Catalog;
  space: SpaceRow;
  embedder: Embedder;
  /** Pictures at work at once. */
  workers: number;
  /** A rendition that is not in the spool, from where it is kept; undefined where it is not there. Throws RenditionsAway. */
  fetchRendition(id: RenditionId, signal: AbortSignal | undefined): Promise<Uint8Array | undefined>;
  /** Pictures at work when the model went down: tried first and alone, and given up where it goes down again. Filled and emptied here; the caller keeps it. */
  suspects: Map<string, VectorTask>;
  /** Waited for before each picture: what people wait for comes first. */
  idle?: (() => Promise<void>) | undefined;
  /** After each picture. */
  onMade?: ((report: EmbedReport) => void) | undefined;
}

/** Shorter side of what the models look at; a rendition with less would be enlarged. */
const MODEL_PX = 224;
/** Looked up at once. */
const PAGE_ASSETS = 64;
const MAX_REASON = 300;
/** One grey pixel, as PNG: what every model can read. */
const PROBE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==', 'base64');

/**
 * Embeds until nothing is left that can be had now, or `signal` ends it. A vector is kept before the next picture is begun, so
 * it can stop anywhere. Throws EmbedderDown, DiskFullError, and bugs; not RenditionsAway: those count as waiting.
 */
export async function embedPending(ctx: EmbedContext, signal?: AbortSignal): Promise<EmbedReport> {
  const report: EmbedReport = { made: 0, failed: 0, waiting: 0 };
  // What came while it worked, or could not be had in the first pass, gets another one; a pass without any news is the last.
  for (let news = true; news && !signal?.aborted;) {
    const before = report.made + report.failed;
    report.waiting = 0;
    const reachedEnd = await embedPass(ctx, report, signal);
    news = reachedEnd && report.made + report.failed > before;
  }
  return report;
}

/** Once down the list. False where it ended before: nobody who keeps renditions could be reached. */
async function embedPass(ctx: EmbedContext, report: EmbedReport, signal: AbortSignal | undefined): Promise<boolean> {
  let away = false;
  const fetchRendition: EmbedContext['fetchRendition'] = async (...args) => {
    if (away) return undefined;
    try { return await ctx.fetchRendition(...args); } catch (error) {
      if (!(error instanceof RenditionsAway)) throw error;
      away = true;
      return undefined;
    }
  };
  const run = async (task: VectorTask): Promise<void> => {
    const done = await embedAsset({ ...ctx, fetchRendition }, task, signal);
    if (!done) return;
    report[done] += 1;
    ctx.onMade?.({ ...report });
  };
  if (ctx.suspects.size > 0) await embedSuspects(ctx, run);
  for (let after: Pick<VectorTask, 'newestMs' | 'sha256'> = { newestMs: Infinity, sha256: '' }; !signal?.aborted && !away;) {
    while (orderVectorsDue(ctx.catalog, ctx.space.id)) await breathe();
    const tasks = listVectorsToMake(ctx.catalog, after, PAGE_ASSETS);
    const last = tasks.at(-1);
    if (last === undefined) return true;
    after = last;
    let next = 0;
    let ended = false;
    const work = async (): Promise<void> => {
      for (let task = tasks[next]; task && !ended && !signal?.aborted; task = tasks[next]) {
        next += 1;
        try {
          await ctx.idle?.();
          if (!signal?.aborted) await run(task);
        } catch (error) {
          ended = true;
          if (error instanceof EmbedderDown) ctx.suspects.set(task.sha256, task);
          throw error;
        }
      }
    };
    const results = await Promise.allSettled(Array.from({ length: ctx.workers }, work));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
  return false;
}

/** One after the other: the one at which the model goes down again is the one that does it. */
async function embedSuspects(ctx: EmbedContext, run: (task: VectorTask) => Promise<void>): Promise<void> {
  for (const task of ctx.suspects.values()) {
    ctx.suspects.delete(task.sha256);
    try { await run(task); } catch (error) {
      if (error instanceof EmbedderDown) putNoVector(ctx.catalog, ctx.space.id, task, 'The model crashed on it twice.');
      throw error;
    }
  }
}

/** undefined where it was told to stop. */
async function embedAsset(ctx: EmbedContext, task: VectorTask, signal: AbortSignal | undefined): Promise<keyof EmbedReport | undefined> {
  ctx.catalog.assertRoom();
  // Its preview is being made anew: the list hears of it when it is there.
  if (task.previewVersion <= 0) { dropVectorTask(ctx.catalog, task); return 'waiting'; }
  let bytes: Uint8Array | undefined;
  try {
    for (const picture of picturesFor(task)) bytes ??= readSpooled(ctx.catalog, picture) ?? await ctx.fetchRendition(picture, signal);
  } catch (error) { if (signal?.aborted) return undefined; throw error; }
  if (signal?.aborted) return undefined;
  if (!bytes) return 'waiting';
  try {
    const vector = await ctx.embedder.embedImage(bytes);
    if (signal?.aborted) return undefined;
    if (vector.length !== ctx.space.space.dimension) throw new Error(`the model made a vector of ${vector.length} for a space of ${ctx.space.space.dimension}`);
    putVector(ctx.catalog, ctx.space.id, task, toUnit(vector));
    return 'made';
  } catch (error) {
    if (signal?.aborted) return undefined;
    if (error instanceof DiskFullError) throw error;
    // The picture or the model? Whoever can read nothing at all is down.
    try { await ctx.embedder.embedImage(PROBE); } catch (down) { throw signal?.aborted ? error : new EmbedderDown(reasonOf(down), { cause: error }); }
    if (signal?.aborted) return undefined;
    putNoVector(ctx.catalog, ctx.space.id, task, reasonOf(error));
    return 'failed';
  }
}

/**
 * The rendition to embed, and another where that one is lost. The smallest that still has the model's pixels: a grid gives as good
 * a vector as a preview and is read in a third of the time (ADR 10). A grid's draft came from a picture that the camera embedded,
 * which may be another crop.
 */
export function picturesFor(task: VectorTask): RenditionId[] {
  const { sha256, width, height } = task;
  const scale = width === null || height === null ? 0 : Math.min(1, GRID_HEIGHT_PX / height, GRID_MAX_WIDTH_PX / width);
  const enough = width !== null && height !== null && (scale === 1 || Math.min(width, height) * scale >= MODEL_PX);
  const preview: RenditionId = { sha256, name: 'preview', version: task.previewVersion };
  return task.gridVersion >= GRID_VERSION && enough ? [{ sha256, name: 'grid', version: task.gridVersion }, preview] : [preview];
}

/** As it waits for the Worker. */
function readSpooled(catalog: Catalog, picture: RenditionId): Uint8Array | undefined {
  return catalog.prepare('SELECT bytes FROM spool WHERE key = ?').get(renditionKey(picture))?.['bytes'] as Uint8Array | undefined;
}

function reasonOf(error: unknown): string { return (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON); }
