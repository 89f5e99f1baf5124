// The last phase: small MP4s of videos and of motion photos' videos, one at a time (the encoder uses every core), newest first.
// Changes nothing but assets and the folder where proxies wait for the Worker; a drive that is away costs and loses nothing.
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listProxiesToMake, putNoProxy, putProxy, spooledBytes, spoolName, type ProxyCursor, type ProxyTask } from '../catalog/proxies.ts';
import { FileError } from '../files/errors.ts';
import { DiskFullError } from '../files/room.ts';
import { NO_PROXY } from '../../protocol/proxy.ts';
import { PROXY_VERSION } from '../../protocol/versions.ts';
import type { AssetProblem } from '../../protocol/rows.ts';
import type { ScanContext } from './context.ts';
import { copiesInReach, openCopy, type VolumesSeen } from './copies.ts';
import { partOf, type ProxyMaker, type ProxyRead } from './proxy.ts';
import { formatOfMime } from './reader.ts';
import { ReadError } from './types.ts';

/** Assets looked up at once. */
const PAGE_ASSETS = 50;
/** Made and waiting: with a Worker out of reach, making stops here rather than fill the disk. */
const MAX_SPOOLED_BYTES = 2_000_000_000;
/** Less than this short of what the container says is a matter of rounding, edit lists and sound that ends earlier. */
const CUT_SLACK_S = 1;
const CUT_SLACK_SHARE = 0.1;
const MAX_REASON = 300;

export interface ProxyReport {
  /** Assets that have one now; those of which none can be made; those with no copy in reach. */
  made: number; failed: number; away: number;
}

export type ProxyContext = Pick<ScanContext, 'files' | 'volumes' | 'catalog'> & {
  maker: ProxyMaker;
  /** Where made proxies wait; made if it is not there. */
  spool: string;
  /** Waited for before each asset: what people wait for comes first. */
  idle?: (() => Promise<void>) | undefined;
  /** After each asset. */
  onMade?: ((report: ProxyReport) => void) | undefined;
};

/**
 * Makes proxies until nothing is left that can be made now, or the spool is full, or `signal` ends it. The MP4 is in the
 * spool before the catalog knows of it, so it can stop anywhere. Throws DiskFullError, and bugs.
 */
export async function proxyPending(ctx: ProxyContext, signal?: AbortSignal): Promise<ProxyReport> {
  const report: ProxyReport = { made: 0, failed: 0, away: 0 };
  ctx.files.refresh();
  mkdirSync(ctx.spool, { recursive: true, mode: 0o700 });
  for (let after: ProxyCursor = { newestMs: Infinity, sha256: '' }; !signal?.aborted;) {
    const tasks = listProxiesToMake(ctx.catalog, after, PAGE_ASSETS);
    const last = tasks.at(-1);
    if (last === undefined) break;
    after = last;
    for (const task of tasks) {
      await ctx.idle?.();
      if (signal?.aborted || spooledBytes(ctx.spool) > MAX_SPOOLED_BYTES) return report;
      const done = await proxyAsset(ctx, task, signal);
      if (!done) return report;
      report[done] += 1;
      ctx.onMade?.({ ...report });
    }
  }
  return report;
}

/** Tries each copy in reach; undefined where it was told to stop. */
async function proxyAsset(ctx: ProxyContext, task: ProxyTask, signal: AbortSignal | undefined): Promise<keyof ProxyReport | undefined> {
  ctx.catalog.assertRoom();
  // Anew for each: making one may take an hour, and drives come and go.
  const volumes: VolumesSeen = new Map();
  for (const copy of await copiesInReach(ctx, task.sha256, volumes)) {
    const volume = volumes.get(copy.volume_id);
    const open = volume && await openCopy(ctx, copy, volume);
    if (!open) continue;
    const part = join(ctx.spool, `${task.sha256}.part`);
    try {
      const { motion, mime } = task.facts;
      const source = motion ? partOf(open.source, motion.offset_bytes, motion.length_bytes) : open.source;
      const read = await ctx.maker.make(source, motion ? 'mp4' : formatOfMime(mime), part, signal);
      if (read.code === 'disk_full') throw new DiskFullError(dirname(ctx.spool));
      // The drive went, or the file was changed, while it was read: no word for or against the file. What was read whole and
      // hashed before is what it was, wherever it is now.
      if (open.source.bytes === null && !open.isUnchanged()) continue;
      return keep(ctx, task.sha256, part, read);
    } catch (error) {
      if (signal?.aborted) return undefined;
      if (error instanceof FileError || !open.isUnchanged()) continue;
      if (!(error instanceof ReadError)) throw error;
      putNoProxy(ctx.catalog, task.sha256, { code: error.code, reason: sayWhy(error.message) });
      return 'failed';
    } finally {
      rmSync(part, { force: true });
      await open.close();
    }
  }
  return 'away';
}

function keep(ctx: ProxyContext, sha256: string, part: string, read: ProxyRead): keyof ProxyReport {
  const { made } = read;
  if (!made) {
    putNoProxy(ctx.catalog, sha256, { code: read.code ?? 'other', reason: sayWhy(read.reason ?? 'unknown') });
    return 'failed';
  }
  renameSync(part, join(ctx.spool, spoolName(sha256, PROXY_VERSION)));
  putProxy(ctx.catalog, sha256, cutOf(made.durationS, made.saidS));
  return 'made';
}

function cutOf(durationS: number, saidS: number | null): AssetProblem | null {
  if (saidS === null || durationS >= saidS - Math.max(CUT_SLACK_S, saidS * CUT_SLACK_SHARE)) return null;
  return { code: 'truncated', reason: `only ${Math.round(durationS)} of ${Math.round(saidS)} seconds of it can be played` };
}

function sayWhy(reason: string): string { return `${NO_PROXY} (${reason})`.slice(0, MAX_REASON); }
