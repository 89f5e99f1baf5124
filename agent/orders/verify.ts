// Verify: reads a drive's files again and compares their bytes with what the catalog knows, so that a silent change is found
// while a good copy is still somewhere. It changes nothing on any drive.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stats } from 'node:fs';
import { joinPath, listCopies, markDamaged, markVerified, type FileRow } from '../catalog/files.ts';
import { countFilesToVerify, endStep, type Ending, type Step } from '../catalog/orders.ts';
import { getVolume } from '../catalog/volumes.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { isDataless } from '../files/access.ts';
import { FileError } from '../files/errors.ts';
import { absolutePath } from '../volumes/identify.ts';
import type { Volume } from '../volumes/types.ts';
import type { OrderOf, OrderPlan } from '../../protocol/orders.ts';
import { driveName, fileKey, firstGoodCopy, isSameFile, look, passFile, rowOf, type OrderContext, type Run } from './context.ts';
import { EMPTY_PLAN } from './plan.ts';

/** Slowly: after so long at work the drive rests for as long, so that half of it is free for whoever else wants it, and no wait is long. */
const WORK_MS = 250;

/** Called with each chunk that was read; may make its reader wait. */
export type Pace = () => Promise<void>;

/** One for a whole run, for most files are read in less than a stretch. */
export function slowPace(signal: AbortSignal): Pace {
  let began = performance.now();
  return async () => {
    const worked = performance.now() - began;
    if (worked < WORK_MS) return;
    await sleep(worked, undefined, { signal }).catch(() => undefined);
    began = performance.now();
  };
}

export function planVerify(catalog: Catalog, order: OrderOf<'verify'>): OrderPlan {
  const volume = getVolume(catalog, order.volume_id);
  const { files, bytes, assets } = countFilesToVerify(catalog, order.volume_id, order.share);
  if (!volume || files === 0) return { ...EMPTY_PLAN, blocked: `Nothing on ${volume ? `‘${volume.label}’` : 'this drive'} is indexed, so there is nothing to compare it with.` };
  return { ...EMPTY_PLAN, assets, files, bytes, drives: [{ volume_id: order.volume_id, label: volume.label, files, bytes }] };
}

/** Reads one file, by whichever of its paths comes first. Throws DriveLeft (the unit stays open). */
export async function verifyUnit(ctx: OrderContext, run: Run, unit: readonly Step[], pace?: Pace): Promise<void> {
  const volume = await run.near(unit[0]?.volume_id ?? '');
  let last: { stat: Stats; ending: Ending } | undefined;
  const endings: { step: Step; ending: Ending }[] = [];
  for (const step of unit) {
    const absolute = absolutePath(volume.mount_point, step.path);
    try {
      const stat = look(ctx.files, absolute);
      if (stat && last && isSameFile(last.stat, stat)) { endings.push({ step, ending: last.ending }); continue; }
      const ending = stat ? await compare(ctx, run, volume, step, absolute, stat, pace) : await vanished(run, volume);
      if (stat) last = { stat, ending };
      endings.push({ step, ending });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      endings.push({ step, ending: await sayReadTrouble(run, volume, error) });
    }
  }
  ctx.catalog.transact(() => {
    const atMs = ctx.now();
    for (const { step, ending } of endings) {
      endStep(ctx.catalog, step, { to_path: null, ...ending }, atMs);
      if (ending.outcome === 'verified') markVerified(ctx.catalog, step, atMs);
      else if (ending.outcome === 'damaged') markDamaged(ctx.catalog, step, atMs);
    }
  });
  ctx.onChange();
}

/** Gone only while the drive is what it was. */
async function vanished(run: Run, volume: Volume): Promise<Ending> {
  await run.at(volume.volume_id);
  return { outcome: 'gone', reason: 'Nothing has this name any more. The next scan says what became of it.' };
}

async function sayReadTrouble(run: Run, volume: Volume, error: FileError): Promise<Ending> {
  await run.at(volume.volume_id);
  if (error.errno === 'ENOENT' || error.errno === 'ENOTDIR') return vanished(run, volume);
  return error.code === 'changed_while_read' ? EDITED : { outcome: 'failed', reason: error.message };
}

const EDITED: Ending = { outcome: 'edited', reason: 'It was edited since it was last scanned. The next scan reads it.' };

async function compare(ctx: OrderContext, run: Run, volume: Volume, step: Step, absolute: string, stat: Stats, pace: Pace | undefined): Promise<Ending> {
  if (isDataless(stat, ctx.files.platform)) return { outcome: 'refused', reason: 'Its content is in the cloud and not on this drive. Opening it would download it, so it was left alone.' };
  const row = rowOf(ctx.catalog, step);
  if (!stat.isFile() || !isAsOrdered(row, step) || stat.size !== row.size_bytes) return EDITED;
  const read = (): Promise<string> => passFile(ctx, absolute, pace);
  if (await read() === step.sha256) return { outcome: 'verified' };
  // Of another drive in its place nothing is believed; a date that differs, or was too new when it was read, tells of an edit.
  await run.at(volume.volume_id);
  if (stat.mtimeMs !== row.mtime_ms || row.racy) return EDITED;
  // Once more: a bad cable or memory may have changed the bytes on their way.
  if (await read() === step.sha256) return { outcome: 'verified', reason: 'It was read twice: the first time with other bytes, then with the right ones. The drive, its cable or the computer’s memory may be failing.' };
  await run.at(volume.volume_id);
  // A scan may have read it meanwhile, and knows better.
  if (!isAsOrdered(rowOf(ctx.catalog, step), step)) return EDITED;
  const kept = row.ctime_ms === stat.ctimeMs ? '' : ' Something wrote to it and kept its date.';
  return { outcome: 'damaged', reason: `Its bytes have changed, though its size and date have not.${kept} ${await whereGood(ctx, run, row, step.sha256 ?? '')}` };
}

function isAsOrdered(row: FileRow | undefined, step: Step): row is FileRow {
  return row !== undefined && row.seen_as === 'asset' && row.sha256 === step.sha256;
}

/** Where a good copy lies: read just now, or known on a drive that is not here. */
async function whereGood(ctx: OrderContext, run: Run, damaged: FileRow, sha256: string): Promise<string> {
  const others = listCopies(ctx.catalog, sha256).filter((copy) => fileKey(copy) !== fileKey(damaged));
  const good = await firstGoodCopy(ctx, run, sha256, others);
  if (good) return `A good copy is on ‘${driveName(ctx.catalog, good.volume_id)}’, read just now: ${joinPath(good.dir, good.name)}`;
  const names = [...new Set(others.map((copy) => copy.volume_id))].map((id) => `‘${driveName(ctx.catalog, id)}’`);
  return names.length > 0 ? `Another copy is known on ${names.join(', ')}; it could not be read now.` : 'No other copy of it is known.';
}
