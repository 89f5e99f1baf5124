// The second phase: renditions that the first read left over, made whenever a copy of the asset can be reached. Changes
// nothing but assets and the spool; a drive that is away costs nothing and loses nothing.
import { availableParallelism } from 'node:os';
import { getAsset, listUnfinished, putRest } from '../catalog/assets.ts';
import { joinPath, type FileRow } from '../catalog/files.ts';
import { WHOLE_FILE_BYTES } from '../files/access.ts';
import { FileError } from '../files/errors.ts';
import { DiskFullError } from '../files/room.ts';
import type { ProblemCode } from '../../protocol/words.ts';
import type { ConnectedVolume, ScanContext } from './context.ts';
import { copiesInReach, openCopy, type OpenCopy, type VolumesSeen } from './copies.ts';
import { BYTES_IN_FLIGHT, createBudget } from './hash.ts';
import { ReadError, type ByteFacts } from './types.ts';

/** Assets looked up at once; within a page they are read in the order of their paths, which spares a disk its seeks. */
const PAGE_ASSETS = 500;
/** Decoding is all there is to do here, so a file a core. */
const DEFAULT_CONCURRENCY = availableParallelism();
const MAX_REASON = 1_000;

export interface RenderReport {
  /** Assets that have now all that can be made of them; those of which something could not be made; those with no copy in reach. */
  rendered: number; failed: number; away: number;
}

export type RenderContext = Pick<ScanContext, 'files' | 'volumes' | 'catalog' | 'reader' | 'concurrency'> & {
  /** After each asset; `left` counts what this run still has before it. */
  onRendered?: ((report: RenderReport) => void) | undefined;
};

interface Task { sha256: string; copies: FileRow[] }

/**
 * Makes what is missing, until nothing is left that can be made now or `signal` ends it (then it returns what was
 * done). Each asset is written in one transaction, so it can stop anywhere. Throws DiskFullError, and bugs.
 */
export async function renderPending(ctx: RenderContext, signal?: AbortSignal): Promise<RenderReport> {
  const report: RenderReport = { rendered: 0, failed: 0, away: 0 };
  ctx.files.refresh();
  for (let after = ''; !signal?.aborted;) {
    const hashes = listUnfinished(ctx.catalog, after, PAGE_ASSETS);
    const last = hashes.at(-1);
    if (last === undefined) break;
    after = last;
    await renderPage(ctx, hashes, report, signal);
  }
  return report;
}

async function renderPage(ctx: RenderContext, hashes: readonly string[], report: RenderReport, signal: AbortSignal | undefined): Promise<void> {
  const volumes: VolumesSeen = new Map();
  const tasks: Task[] = [];
  for (const sha256 of hashes) tasks.push({ sha256, copies: await copiesInReach(ctx, sha256, volumes) });
  const keyOf = (t: Task): string => { const c = t.copies[0]; return c ? `${c.volume_id}/${joinPath(c.dir, c.name)}` : ''; };
  tasks.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  let next = 0;
  const work = async (): Promise<void> => {
    for (let task = tasks[next]; task && !signal?.aborted; task = tasks[next]) {
      next += 1;
      report[await renderAsset(ctx, task, volumes)] += 1;
      ctx.onRendered?.({ ...report });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: ctx.concurrency ?? DEFAULT_CONCURRENCY }, work));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

const budget = createBudget(BYTES_IN_FLIGHT);

/** Tries each copy in reach. A file that cannot be reached or is not what it was says nothing of the asset. */
async function renderAsset(ctx: RenderContext, task: Task, volumes: VolumesSeen): Promise<keyof RenderReport> {
  ctx.catalog.assertRoom();
  const asset = getAsset(ctx.catalog, task.sha256);
  if (!asset) return 'away';
  const { sha256: _sha, size_bytes: _size, ...facts } = asset.facts;
  for (const copy of task.copies) {
    const volume = volumes.get(copy.volume_id);
    if (!volume) continue;
    const done = await renderCopy(ctx, copy, volume, facts);
    if (done) return done;
  }
  return 'away';
}

async function renderCopy(ctx: RenderContext, copy: FileRow, volume: ConnectedVolume, facts: ByteFacts): Promise<'rendered' | 'failed' | undefined> {
  const sha256 = copy.sha256 ?? '';
  const held = Math.min(copy.size_bytes, WHOLE_FILE_BYTES);
  await budget.take(held);
  let open: OpenCopy | undefined;
  try {
    open = await openCopy(ctx, copy, volume);
    if (!open) return undefined;
    try {
      const rest = await ctx.reader.rest(open.source, facts);
      if (open.source.bytes === null && !open.isUnchanged()) return undefined;
      ctx.catalog.transact(() => putRest(ctx.catalog, sha256, rest));
      return rest.preview || rest.grid ? 'rendered' : 'failed';
    } catch (error) {
      // The drive went while it was read: no word against the file.
      if (error instanceof FileError || !open.isUnchanged()) return undefined;
      const problem = describe(error);
      ctx.catalog.transact(() => putRest(ctx.catalog, sha256, { grid: null, preview: null, problems: [problem], width: null, height: null, color: null }));
      return 'failed';
    }
  } finally {
    await open?.close();
    budget.give(held);
  }
}

/** What the reader threw, as the asset's problem. What is no ReadError and comes from the catalog is passed on. */
function describe(error: unknown): { code: ProblemCode; reason: string } {
  if (error instanceof ReadError) return { code: error.code, reason: error.message.slice(0, MAX_REASON) };
  if (error instanceof DiskFullError) throw error;
  return { code: 'other', reason: `It could not be rendered: ${error instanceof Error ? error.message : String(error)}`.slice(0, MAX_REASON) };
}
