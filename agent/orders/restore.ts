// Restore: from the trash back to where it lay, never over another file, with its row as it was, so that it returns with all that
// is known of it. And empty: what lies in the trash is hashed once more and then unlinked, the one thing that cannot be undone.
import { listCopies, putFile, splitPath, type FileRow } from '../catalog/files.ts';
import { dropTrash, endStep, getTrash, isTrashEmptyOf, markDoing, type Step } from '../catalog/orders.ts';
import { inodeText, sameStat } from '../files/access.ts';
import { FileError } from '../files/errors.ts';
import type { Volume } from '../volumes/types.ts';
import type { OrderOf, Outcome } from '../../protocol/orders.ts';
import { DriveLeft, driveName, end, endAll, findGoodCopy, hashFile, look, parentOf, sayTrouble, type OrderContext, type Run } from './context.ts';
import { hasManifest, moveOut, placesOf, tidy, tidyOrder, whereIs } from './trash.ts';

/** Takes one unit out of the trash. Throws DriveLeft (the unit stays open). */
export async function restoreUnit(ctx: OrderContext, run: Run, unit: Step[]): Promise<void> {
  const volume = await run.at(unit[0]?.volume_id ?? '');
  if (!unit.some((s) => s.doing === 'restoring')) {
    const wrong = judgeRestore(ctx, volume, unit);
    if (wrong) {
      await run.at(volume.volume_id);
      endAll(ctx, unit, wrong, wrong.step);
      return;
    }
    markDoing(ctx.catalog, unit, 'restoring', ctx.now());
  }
  for (const step of unit) await restoreOne(ctx, run, volume, step);
}

/** Before the first is moved: all of the unit are there, and none of their names is taken. */
function judgeRestore(ctx: OrderContext, volume: Volume, unit: readonly Step[]): { step: Step; outcome: Outcome; reason: string } | undefined {
  for (const step of unit) {
    if (volume.read_only) return { step, outcome: 'refused', reason: 'The drive can only be read.' };
    const places = placesOf(volume, step);
    try {
      const where = whereIs(ctx, places);
      if (where === 'both') return { step, outcome: 'name_taken', reason: `Another file is at ${step.path} now. Move or rename that one, then restore again.` };
      if (where === 'neither') return { step, outcome: 'gone', reason: 'It does not lie in the trash any more.' };
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return { step, ...sayTrouble(error) };
    }
  }
  return undefined;
}

async function restoreOne(ctx: OrderContext, run: Run, volume: Volume, step: Step): Promise<void> {
  const places = placesOf(volume, step);
  try {
    const where = whereIs(ctx, places);
    if (where === 'neither') { await assertSame(ctx, run, volume, places.trash); end(ctx, step, { outcome: 'gone', reason: 'It does not lie in the trash any more.' }); return; }
    if (where !== 'source') {
      ctx.changes.makeFolders(parentOf(places.source));
      if (moveOut(ctx, places, step.began_ms ?? 0)) {
        end(ctx, step, { outcome: 'name_taken', reason: `Another file is at ${step.path} now. Move or rename that one, then restore again.` });
        return;
      }
    } else tidy(ctx, places.trash);
    const { sha256, stat } = await hashFile(ctx.files, places.source);
    const trashed = getTrash(ctx.catalog, step.from_order ?? '', step.from_n ?? -1);
    const row = trashed ? JSON.parse(trashed.file) as FileRow | null : null;
    ctx.catalog.transact(() => {
      // With other bytes, and for sidecars: the next scan reads it.
      if (row && row.seen_as === 'asset' && row.sha256 === sha256) {
        putFile(ctx.catalog, {
          ...row, ...splitPath(step.path), volume_id: step.volume_id, size_bytes: stat.size, mtime_ms: stat.mtimeMs, ctime_ms: stat.ctimeMs, birth_ms: stat.birthtimeMs,
          inode: volume.fs_id === null ? null : inodeText(stat), fs_id: volume.fs_id, missing_since_ms: null,
        });
      }
      dropTrash(ctx.catalog, step.from_order ?? '', step.from_n ?? -1);
      endStep(ctx.catalog, step, { outcome: 'restored', sha256, to_path: null, reason: step.sha256 === null || sha256 === step.sha256 ? null : 'It is back, and its bytes are not those that were trashed.' }, ctx.now());
    });
    if (isTrashEmptyOf(ctx.catalog, step.from_order ?? '', volume.volume_id)) tidyOrder(ctx, places.trash);
    ctx.onChange();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await run.at(volume.volume_id);
    end(ctx, step, sayTrouble(error));
  }
}

/** What is not there is gone only where its drive is the one that it lay on. */
async function assertSame(ctx: OrderContext, run: Run, volume: Volume, trash: string): Promise<void> {
  await run.at(volume.volume_id);
  if (!hasManifest(ctx, trash)) throw new DriveLeft(volume.volume_id);
}

/** Unlinks one unit of the trash. Throws DriveLeft (the unit stays open). */
export async function emptyUnit(ctx: OrderContext, run: Run, order: OrderOf<'empty'>, unit: Step[]): Promise<void> {
  const volume = await run.at(unit[0]?.volume_id ?? '');
  if (!unit.some((s) => s.doing === 'removing')) {
    const wrong = await judgeEmpty(ctx, run, volume, order, unit);
    if (wrong) { endAll(ctx, unit, wrong, wrong.step); return; }
    markDoing(ctx.catalog, unit, 'removing', ctx.now());
  }
  for (const step of unit) {
    const { trash } = placesOf(volume, step);
    try {
      if (look(ctx.files, trash)) {
        // Read once more at the last moment: what is unlinked is what was ordered, or it stays.
        const { sha256, stat } = await hashFile(ctx.files, trash);
        if (step.sha256 !== sha256) { end(ctx, step, { outcome: 'changed', reason: 'Its bytes are not those that were trashed, so it was left in the trash.' }); continue; }
        const now = look(ctx.files, trash);
        if (!now || !sameStat(stat, now)) { end(ctx, step, { outcome: 'changed', reason: 'It changed while it was being read, so it was left in the trash.' }); continue; }
        ctx.changes.remove(trash);
        ctx.changes.syncFolder(parentOf(trash));
      } else await assertSame(ctx, run, volume, trash); // Unlinked before an end.
      tidy(ctx, trash);
      ctx.catalog.transact(() => {
        dropTrash(ctx.catalog, step.from_order ?? '', step.from_n ?? -1);
        endStep(ctx.catalog, step, { outcome: 'emptied', to_path: null }, ctx.now());
      });
      if (isTrashEmptyOf(ctx.catalog, step.from_order ?? '', volume.volume_id)) tidyOrder(ctx, trash);
      ctx.onChange();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await run.at(volume.volume_id);
      end(ctx, step, sayTrouble(error));
    }
  }
}

async function judgeEmpty(ctx: OrderContext, run: Run, volume: Volume, order: OrderOf<'empty'>, unit: readonly Step[]): Promise<{ step: Step; outcome: Outcome; reason: string } | undefined> {
  for (const step of unit) {
    if (volume.read_only) return { step, outcome: 'refused', reason: 'The drive can only be read.' };
    try {
      if (!look(ctx.files, placesOf(volume, step).trash)) { await assertSame(ctx, run, volume, placesOf(volume, step).trash); return { step, outcome: 'gone', reason: 'It does not lie in the trash any more.' }; }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await run.at(volume.volume_id);
      return { step, ...sayTrouble(error) };
    }
    if (step.role !== 'asset' || step.sha256 === null || order.last_copies) continue;
    const others = listCopies(ctx.catalog, step.sha256);
    if (others.length === 0) return { step, outcome: 'last_copy', reason: 'No other copy of it is known, and the order did not say that the last one may go.' };
    if (!(await findGoodCopy(ctx, run, step.sha256, order.volumes))) {
      const names = [...new Set(others.map((copy) => driveName(ctx.catalog, copy.volume_id)))].map((n) => `‘${n}’`).join(', ');
      return { step, outcome: 'last_copy', reason: `Its other copy (on ${names}) could not be read and found right just now, and the order did not say that the last one may go.` };
    }
  }
  return undefined;
}
