// Mend: a damaged file goes into the trash of its drive, and a copy that was read just now takes its place. Two steps a file: the one
// that trashes (trash.ts) and the one that writes (copy.ts); the second is begun before the first, so that neither is done alone.
import { listCopies, splitPath, type FileRow } from '../catalog/files.ts';
import { endStep, listUnit, markDoing, type Ending, type NewStep, type Step } from '../catalog/orders.ts';
import { listRoots } from '../catalog/roots.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { FileError } from '../files/errors.ts';
import { absolutePath } from '../volumes/identify.ts';
import type { OrderOf } from '../../protocol/orders.ts';
import { DriveLeft, fileKey, firstGoodCopy, look, passFile, rowOf, sayTrouble, type OrderContext, type Run } from './context.ts';
import { openCopier } from './copy.ts';
import { sumUp, type Planned } from './plan.ts';
import { trashBase, trashPath, trashUnit } from './trash.ts';

export function planMend(catalog: Catalog, orderId: string, order: OrderOf<'mend'>): Planned {
  const volumes = new Set(order.volumes);
  const roots = listRoots(catalog);
  const steps: NewStep[] = [];
  const seen = new Set<string>();
  for (const place of order.files) {
    const row = rowOf(catalog, place);
    if (!row || row.seen_as !== 'asset' || row.sha256 === null || seen.has(fileKey(row))) continue;
    seen.add(fileKey(row));
    const why = !volumes.has(row.volume_id) ? { outcome: 'away', reason: 'Its drive was not connected when the order was given.' } as const
      : row.in_package ? { outcome: 'refused', reason: 'It lies inside another program’s library, which takes no orders from here.' } as const
        : othersOf(catalog, row).length === 0 ? { outcome: 'refused', reason: 'No other copy of it is known, so there is nothing to mend it with.' } as const : undefined;
    const step = { unit: seen.size - 1, role: 'asset', volume_id: place.volume_id, path: place.path, size_bytes: row.size_bytes } as const;
    // What is trashed has a hash that nobody knows yet; what is written has the one that it should have.
    steps.push({ ...step, sha256: null, to_path: why ? null : trashPath(trashBase(roots, place.volume_id, place.path), orderId, steps.length, row.name), ...why });
    steps.push({ ...step, sha256: row.sha256, ...why });
  }
  const plan = sumUp(catalog, steps.filter((s) => s.sha256 !== null));
  return { steps, plan: { ...plan, blocked: steps.length === 0 ? 'None of these files is known here.' : null } };
}

function othersOf(catalog: Catalog, row: FileRow): FileRow[] { return listCopies(catalog, row.sha256 ?? '').filter((copy) => fileKey(copy) !== fileKey(row)); }

/** Takes one file through. Throws DriveLeft (the unit stays open). */
export async function mendUnit(ctx: OrderContext, run: Run, order: OrderOf<'mend'>, unit: readonly Step[]): Promise<void> {
  const all = listUnit(ctx.catalog, unit[0]?.order_id ?? '', unit[0]?.unit ?? -1);
  const [away, back] = [all[0], unit.find((s) => s.n === all[1]?.n)];
  if (!away || !back) return;
  const volume = await run.at(back.volume_id);
  if (away.outcome === null) {
    if (away.doing === null) {
      const wrong = await judge(ctx, run, absolutePath(volume.mount_point, back.path), back);
      if ('outcome' in wrong) { endBoth(ctx, [away, back], wrong); return; }
      away.sha256 = wrong.damaged;
      back.to_path = back.path;
      markDoing(ctx.catalog, [back], 'writing', ctx.now());
    }
    // With the hash that was just found: trash.ts puts back what is not that any more. The good copies are others by their bytes.
    await trashUnit(ctx, run, { kind: 'trash', sha256s: [], volumes: order.volumes, copies: null, last_copies: true }, [away]);
  }
  const trashed = listUnit(ctx.catalog, back.order_id, back.unit)[0];
  if (trashed?.outcome !== 'trashed') { endBoth(ctx, [back], { outcome: trashed?.outcome ?? 'failed', reason: trashed?.reason ?? null }); return; }
  const { dir, name } = splitPath(back.path);
  const write = openCopier(ctx, run, { outcome: 'copied', volumeId: volume.volume_id, say: (_, path) => path, place: async ([step]) => (step ? [{ step, dir, name, made: null }] : []) });
  try { await write([back]); } catch (error) {
    // Its place is empty now: it waits for the drive that has the good copy.
    if (error instanceof DriveLeft && back.outcome === null) { back.to_path = back.path; markDoing(ctx.catalog, [back], 'writing', ctx.now()); }
    throw error;
  }
}

/** The hash of what is there, where it is damaged and a good copy was read just now; else why nothing is done. */
async function judge(ctx: OrderContext, run: Run, absolute: string, step: Step): Promise<{ damaged: string } | Ending> {
  const row = rowOf(ctx.catalog, step);
  try {
    const stat = look(ctx.files, absolute);
    if (!stat) { await run.at(step.volume_id); return { outcome: 'gone', reason: 'Nothing has this name any more. The next scan says what became of it.' }; }
    if (!row || row.sha256 === null || row.sha256 !== step.sha256 || !stat.isFile() || stat.size !== row.size_bytes || stat.mtimeMs !== row.mtime_ms) return { outcome: 'edited', reason: 'It was edited, which is no damage. The next scan reads it.' };
    const damaged = await passFile(ctx, absolute);
    if (damaged === step.sha256) return { outcome: 'verified', reason: 'Its bytes are right, so it was left as it is.' };
    const good = await firstGoodCopy(ctx, run, row.sha256, othersOf(ctx.catalog, row));
    return good ? { damaged } : { outcome: 'refused', reason: 'No other copy of it could be read and found right just now, so it was left as it is.' };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await run.at(step.volume_id);
    return sayTrouble(error);
  }
}

function endBoth(ctx: OrderContext, steps: readonly Step[], ending: Ending): void {
  ctx.catalog.transact(() => { for (const step of steps) endStep(ctx.catalog, step, { to_path: null, ...ending }, ctx.now()); });
  ctx.onChange();
}
