// Restore: from the trash back to where it lay, never over another file, with its row as it was, so that it returns with all that
// is known of it. And empty: what lies in the trash is hashed once more and then unlinked, the one thing that cannot be undone.
import type { Stats } from 'node:fs';
import { listCopies, putFile, splitPath, type FileRow } from '../catalog/files.ts';
import { dropTrash, endStep, getTrash, isTrashEmptyOf, markDoing, type Ending, type Step } from '../catalog/orders.ts';
import { inodeText, sameStat } from '../files/access.ts';
import { FileError } from '../files/errors.ts';
import type { Volume } from '../volumes/types.ts';
import type { OrderOf, Outcome } from '../../protocol/orders.ts';
import { assertDrive, DriveLeft, driveName, end, endAll, findGoodCopy, hashFile, look, parentOf, sayTrouble, type OrderContext, type Run } from './context.ts';
import { hasManifest, moveOut, placesOf, tidy, tidyOrder, whereIs } from './trash.ts';

interface Wrong { step: Step; outcome: Outcome; reason: string }

const NOT_THERE = { outcome: 'gone', reason: 'It does not lie in the trash any more.' } as const;

/** What is not there is gone only where its drive is the one that it lay on. */
async function assertSame(ctx: OrderContext, run: Run, volume: Volume, trash: string): Promise<void> {
  await assertDrive(ctx, run, volume);
  if (!hasManifest(ctx, trash)) throw new DriveLeft(volume.volume_id);
}

/** Ends a step whose file left the trash, in whatever way: it is listed there no more, and its order's folder goes with the last. */
function leave(ctx: OrderContext, volume: Volume, step: Step, ending: Ending, also?: () => void): void {
  const { trash } = placesOf(volume, step);
  ctx.catalog.transact(() => {
    also?.();
    dropTrash(ctx.catalog, step.from_order ?? '', step.from_n ?? -1);
    endStep(ctx.catalog, step, { to_path: null, ...ending }, ctx.now());
  });
  if (isTrashEmptyOf(ctx.catalog, step.from_order ?? '', volume.volume_id)) tidyOrder(ctx, trash);
  ctx.onChange();
}

// ---- Restore ----

/** Takes one unit out of the trash. Throws DriveLeft, or FileError where it cannot be seen what lies where (the unit stays open). */
export async function restoreUnit(ctx: OrderContext, run: Run, unit: Step[]): Promise<void> {
  const volume = await run.at(unit[0]?.volume_id ?? '');
  const begun = unit.some((s) => s.doing === 'restoring');
  const here: Step[] = [];
  // What somebody else took out of the trash does not keep the others there.
  for (const step of unit) {
    if (whereIs(ctx, placesOf(volume, step)) !== 'neither') { here.push(step); continue; }
    await assertSame(ctx, run, volume, placesOf(volume, step).trash);
    leave(ctx, volume, step, NOT_THERE);
  }
  if (here.length === 0) return;
  if (!begun) {
    const wrong = judgeRestore(ctx, volume, here);
    if (wrong) { endAll(ctx, here, wrong, wrong.step); return; }
    markDoing(ctx.catalog, here, 'restoring', ctx.now());
  }
  for (const step of here) await restoreOne(ctx, run, volume, step, begun);
}

const taken = (step: Step) => ({ outcome: 'name_taken', reason: `Another file is at ${step.path} now. Move or rename that one, then restore again.` }) as const;

/** Before the first is moved: none of the unit's names is taken. */
function judgeRestore(ctx: OrderContext, volume: Volume, unit: readonly Step[]): Wrong | undefined {
  for (const step of unit) {
    if (volume.read_only) return { step, outcome: 'refused', reason: 'The drive can only be read.' };
    if (whereIs(ctx, placesOf(volume, step)) === 'both') return { step, ...taken(step) };
  }
  return undefined;
}

async function restoreOne(ctx: OrderContext, run: Run, volume: Volume, step: Step, begun: boolean): Promise<void> {
  const places = placesOf(volume, step);
  const before = whereIs(ctx, places);
  let trouble: { outcome: Outcome; reason: string } | undefined;
  if (before !== 'source') {
    try {
      ctx.changes.makeFolders(parentOf(places.source), volume.mount_point);
      moveOut(ctx, places);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      trouble = sayTrouble(error);
    }
    await run.at(volume.volume_id);
  } else tidy(ctx, places.trash);
  // What the receipt says is what is seen, whichever call it was that failed.
  const where = before === 'source' ? before : whereIs(ctx, places);
  if (where === 'neither') { await assertSame(ctx, run, volume, places.trash); leave(ctx, volume, step, NOT_THERE); return; }
  if (where !== 'source') { end(ctx, step, where === 'both' ? taken(step) : trouble ?? taken(step)); return; }
  let read: { sha256: string; stat: Stats } | undefined;
  try { read = await hashFile(ctx.files, places.source); } catch (error) {
    if (!(error instanceof FileError)) throw error;
    trouble = sayTrouble(error);
    if (!look(ctx.files, places.source)) { await assertSame(ctx, run, volume, places.trash); leave(ctx, volume, step, NOT_THERE); return; }
  }
  await run.at(volume.volume_id);
  const same = read !== undefined && (step.sha256 === null || read.sha256 === step.sha256);
  // It was not in the trash, and nothing was begun: what has its name is it, put back by hand, or another file.
  if (before === 'source' && !begun && !same) { leave(ctx, volume, step, { outcome: 'gone', reason: 'It does not lie in the trash any more, and what has its name now is not known to be it.' }); return; }
  const reason = same ? null : read ? 'It is back, and its bytes are not those that were trashed.' : `It is back, and could not be read there just now: ${trouble?.reason ?? ''}`;
  const trashed = getTrash(ctx.catalog, step.from_order ?? '', step.from_n ?? -1);
  const row = trashed ? JSON.parse(trashed.file) as FileRow | null : null;
  leave(ctx, volume, step, { outcome: 'restored', sha256: read?.sha256 ?? step.sha256, reason }, () => {
    // With other bytes, and for sidecars: the next scan reads it.
    if (!read || row?.seen_as !== 'asset' || row.sha256 !== read.sha256) return;
    putFile(ctx.catalog, {
      ...row, ...splitPath(step.path), volume_id: step.volume_id, size_bytes: read.stat.size, mtime_ms: read.stat.mtimeMs, ctime_ms: read.stat.ctimeMs, birth_ms: read.stat.birthtimeMs,
      inode: volume.fs_id === null ? null : inodeText(read.stat), fs_id: volume.fs_id, missing_since_ms: null,
    });
  });
}

// ---- Empty ----

/** Unlinks one unit of the trash. Throws DriveLeft, or FileError where it cannot be seen what lies where (the unit stays open). */
export async function emptyUnit(ctx: OrderContext, run: Run, order: OrderOf<'empty'>, unit: Step[]): Promise<void> {
  const volume = await run.at(unit[0]?.volume_id ?? '');
  const here: Step[] = [];
  for (const step of unit) {
    const { trash } = placesOf(volume, step);
    if (look(ctx.files, trash)) { here.push(step); continue; }
    await assertSame(ctx, run, volume, trash);
    // Unlinked before an end; or somebody else took it, which does not keep the others here.
    if (step.doing === 'removing') tidy(ctx, trash);
    leave(ctx, volume, step, step.doing === 'removing' ? { outcome: 'emptied' } : NOT_THERE);
  }
  if (here.length === 0) return;
  // After an interruption too: the copy that was found right then may be gone by now.
  const lacking = await judgeEmpty(ctx, run, volume, order, here);
  if (lacking) { endAll(ctx, here, lacking, lacking.step); return; }
  const stats = new Map<Step, Stats>();
  for (const step of here) {
    const wrong = await readOnceMore(ctx, run, volume, step, stats);
    if (wrong) { endAll(ctx, here, wrong, wrong.step); return; }
  }
  markDoing(ctx.catalog, here, 'removing', ctx.now());
  for (const step of here) await emptyOne(ctx, run, volume, step, stats.get(step));
}

/** What is unlinked is what was ordered, or the whole unit stays. */
async function readOnceMore(ctx: OrderContext, run: Run, volume: Volume, step: Step, stats: Map<Step, Stats>): Promise<Wrong | undefined> {
  try {
    const { sha256, stat } = await hashFile(ctx.files, placesOf(volume, step).trash);
    stats.set(step, stat);
    return step.sha256 === sha256 ? undefined : { step, outcome: 'changed', reason: 'Its bytes are not those that were trashed, so it was left in the trash.' };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await run.at(volume.volume_id);
    return { step, ...sayTrouble(error) };
  }
}

async function emptyOne(ctx: OrderContext, run: Run, volume: Volume, step: Step, read: Stats | undefined): Promise<void> {
  const { trash } = placesOf(volume, step);
  let trouble: { outcome: Outcome; reason: string } | undefined;
  try {
    const now = look(ctx.files, trash);
    if (!now) { await assertSame(ctx, run, volume, trash); leave(ctx, volume, step, NOT_THERE); return; }
    if (!read || !sameStat(read, now)) { end(ctx, step, { outcome: 'changed', reason: 'It changed while it was being read, so it was left in the trash.' }); return; }
    ctx.changes.remove(trash);
    ctx.changes.syncFolder(parentOf(trash));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    trouble = sayTrouble(error);
  }
  await run.at(volume.volume_id);
  if (look(ctx.files, trash)) { end(ctx, step, trouble ?? { outcome: 'failed', reason: 'It is still there.' }); return; }
  // A call that failed and did it all the same; where it did not fail, nothing needs to be asked.
  if (trouble && !hasManifest(ctx, trash)) throw new DriveLeft(volume.volume_id);
  tidy(ctx, trash);
  leave(ctx, volume, step, { outcome: 'emptied' });
}

/** Why the last copy of an asset would go, unasked. */
async function judgeEmpty(ctx: OrderContext, run: Run, volume: Volume, order: OrderOf<'empty'>, unit: readonly Step[]): Promise<Wrong | undefined> {
  for (const step of unit) {
    if (volume.read_only) return { step, outcome: 'refused', reason: 'The drive can only be read.' };
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
