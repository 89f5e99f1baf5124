// Trash: move, then hash, put back on a mismatch (promise 7). Files of one unit go together or not at all. Every step is written
// to the catalog before it is taken and finds by itself where its file is, so that it can be repeated after any end.
import { dropFile, listCopies } from '../catalog/files.ts';
import { endStep, markDoing, putTrash, type Step } from '../catalog/orders.ts';
import type { Root } from '../catalog/roots.ts';
import { FileError, isDeviceTrouble } from '../files/errors.ts';
import { absolutePath } from '../volumes/identify.ts';
import type { Volume } from '../volumes/types.ts';
import type { OrderOf, Outcome } from '../../protocol/orders.ts';
import { BESIDE, DriveLeft, end, endAll, fileKey, findGoodCopy, hashFile, isSameFile, look, parentOf, rowOf, sayTrouble, type OrderContext, type Run } from './context.ts';

/** Ignored by every scan (pipeline/ignore.ts). */
export const TRASH_FOLDER = '.jharokha-trash';
const MANIFEST = 'manifest.jsonl';
const ABOUT = 'about.txt';
const ABOUT_TEXT = `Files in this folder were put into the trash of Jharokha by its owner. Each folder is one order; its ${MANIFEST} says for each file
(a line of JSON, by its number, which is the name of the folder that it lies in) where it lay and what its SHA-256 is. They may
be put back by hand. Jharokha restores and empties them from its Trash page.
`;
/** A clock of a drive may be this much coarser than the computer's. */
const CLOCK_MS = 2_000;

/** The folder in which a file's trash lies: at the top of the folder that is indexed, for there one may write if anywhere. */
export function trashBase(roots: readonly Pick<Root, 'volume_id' | 'path'>[], volumeId: string, path: string): string {
  const above = roots.filter((r) => r.volume_id === volumeId && (r.path === '' || path.startsWith(`${r.path}/`))).map((r) => r.path);
  const base = above.sort((a, b) => a.length - b.length)[0] ?? '';
  return base === '' ? TRASH_FOLDER : `${base}/${TRASH_FOLDER}`;
}

/** Where step `n` of an order puts its file. */
export function trashPath(base: string, orderId: string, n: number, name: string): string { return `${base}/${orderId}/${n}/${name}`; }

interface Places { source: string; trash: string }

export function placesOf(volume: Volume, step: Step): Places {
  return { source: absolutePath(volume.mount_point, step.path), trash: absolutePath(volume.mount_point, step.to_path ?? '') };
}

/** The folder of the order on this drive: .jharokha-trash/ORDER. */
function orderFolder(trash: string): string { return parentOf(parentOf(trash)); }

/** Takes one unit through to its receipts. Throws DriveLeft (nothing is concluded, the unit stays open). */
export async function trashUnit(ctx: OrderContext, run: Run, order: OrderOf<'trash'>, unit: Step[]): Promise<void> {
  const volume = await run.at(unit[0]?.volume_id ?? '');
  if (unit.some((s) => s.doing === 'returning')) { await putBack(ctx, run, volume, unit); return; }
  if (!unit.some((s) => s.doing === 'moving')) {
    unit = await judge(ctx, run, volume, order, unit);
    if (unit.length === 0) return;
    markDoing(ctx.catalog, unit, 'moving', ctx.now());
    try { prepareFolder(ctx, volume, unit); } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await run.at(volume.volume_id);
      endAll(ctx, unit, sayTrouble(error));
      return;
    }
  } else assertOrderFolder(ctx, volume, unit);
  await moveAndHash(ctx, run, volume, unit);
}

const GONE = { outcome: 'gone', reason: 'Nothing has this name any more. The next scan says what became of it.' } as const;

/** Whether every file of the unit is still what was ordered; what is not ends here. Nothing was touched yet. */
async function judge(ctx: OrderContext, run: Run, volume: Volume, order: OrderOf<'trash'>, unit: Step[]): Promise<Step[]> {
  if (volume.read_only) { endAll(ctx, unit, { outcome: 'refused', reason: 'The drive can only be read.' }); return []; }
  const here: Step[] = [];
  let wrong: { step: Step; outcome: Outcome; reason: string } | undefined;
  for (const step of unit) {
    try {
      const stat = look(ctx.files, placesOf(volume, step).source);
      if (!stat) {
        // Gone only while the drive is what it was.
        await run.at(volume.volume_id);
        end(ctx, step, GONE);
      } else if (!stat.isFile() || (step.role === 'asset' && stat.size !== step.size_bytes)) wrong ??= { step, outcome: 'changed', reason: 'It is another file now than the one that was ordered.' };
      else here.push(step);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (isDeviceTrouble(error)) await run.at(volume.volume_id);
      wrong ??= { step, ...sayTrouble(error) };
    }
  }
  if (wrong) { endAll(ctx, unit.filter((s) => s.outcome === null), wrong, wrong.step); return []; }
  // Sidecars alone are no unit: what they speak of is gone.
  if (!here.some((s) => s.role === 'asset')) { endAll(ctx, here, { outcome: 'gone', reason: 'The file that it belongs to is gone.' }); return []; }
  const lacking = await findLacking(ctx, run, order, here);
  if (lacking) { endAll(ctx, here, lacking); return []; }
  return here;
}

/** Why an asset of the unit would be left without a copy, or without one that was read just now. */
async function findLacking(ctx: OrderContext, run: Run, order: OrderOf<'trash'>, unit: readonly Step[]): Promise<{ outcome: Outcome; reason: string } | undefined> {
  for (const { role, sha256 } of unit) {
    if (role !== 'asset' || sha256 === null) continue;
    const stays = listCopies(ctx.catalog, sha256).filter((copy) => !run.leaving().has(fileKey(copy)));
    if (stays.length === 0 && !order.last_copies) return { outcome: 'last_copy', reason: 'No other copy of it is known, and the order did not say that the last one may go.' };
    if (order.copies !== null && !(await findGoodCopy(ctx, run, sha256, order.volumes))) {
      return { outcome: 'last_copy', reason: 'None of the copies that would stay could be read and found right just now.' };
    }
  }
  return undefined;
}

/** The order's folder with a line for each file, on disk before the first of them moves: so the trash can be read without us. */
function prepareFolder(ctx: OrderContext, volume: Volume, unit: readonly Step[]): void {
  const first = unit[0];
  if (!first) return;
  const folder = orderFolder(placesOf(volume, first).trash);
  const about = `${parentOf(folder)}/${ABOUT}`;
  ctx.changes.makeFolders(folder);
  if (!look(ctx.files, about)) ctx.changes.append(about, ABOUT_TEXT);
  ctx.changes.append(`${folder}/${MANIFEST}`, unit.map((s) => `${JSON.stringify({ n: s.n, unit: s.unit, role: s.role, path: s.path, sha256: s.sha256, size_bytes: s.size_bytes, at_ms: s.began_ms })}\n`).join(''));
  ctx.changes.syncFolder(folder);
}

/** Whether this drive has the folder that a trashed file was put into: one without it is another drive. */
export function hasManifest(ctx: OrderContext, trash: string): boolean { return look(ctx.files, `${orderFolder(trash)}/${MANIFEST}`) !== undefined; }

/** Removes the order's folder from the drive once nothing lies in it but its list. */
export function tidyOrder(ctx: OrderContext, trash: string): void {
  const folder = orderFolder(trash);
  try {
    if (ctx.files.list(folder).names.some((name) => name !== MANIFEST)) return;
    ctx.changes.remove(`${folder}/${MANIFEST}`);
    ctx.changes.removeFolder(folder);
  } catch (error) { if (!(error instanceof FileError)) throw error; }
}

/** A unit that was begun has its line in the order's folder; a drive without it is another drive. */
function assertOrderFolder(ctx: OrderContext, volume: Volume, unit: readonly Step[]): void {
  const first = unit[0];
  if (!first) return;
  const places = unit.map((s) => placesOf(volume, s));
  if (hasManifest(ctx, places[0]?.trash ?? '')) return;
  // Ended before the folder was made: then nothing moved, and all lie where they lay.
  if (places.every((p) => look(ctx.files, p.source))) { prepareFolder(ctx, volume, unit); return; }
  throw new DriveLeft(volume.volume_id);
}

type Where = 'source' | 'trash' | 'both names' | 'both' | 'neither';

export function whereIs(ctx: OrderContext, { source, trash }: Places): Where {
  const [s, t] = [look(ctx.files, source), look(ctx.files, trash)];
  if (s && t) return isSameFile(s, t) ? 'both names' : 'both';
  return s ? 'source' : t ? 'trash' : 'neither';
}

async function moveAndHash(ctx: OrderContext, run: Run, volume: Volume, unit: Step[]): Promise<void> {
  const moved: { step: Step; sha256: string }[] = [];
  let wrong: { step: Step; outcome: Outcome; reason: string } | undefined;
  let at = unit[0];
  try {
    for (at of unit) moveIn(ctx, placesOf(volume, at));
    for (at of unit) {
      const { source, trash } = placesOf(volume, at);
      ctx.changes.syncFolder(parentOf(trash));
      ctx.changes.syncFolder(parentOf(source));
    }
    for (at of unit) {
      const { sha256 } = await hashFile(ctx.files, placesOf(volume, at).trash);
      if (at.sha256 !== null && at.sha256 !== sha256) { wrong = { step: at, outcome: 'changed', reason: 'It had other bytes than those that were ordered, so it was put back.' }; break; }
      moved.push({ step: at, sha256 });
    }
  } catch (error) {
    if (!(error instanceof FileError) || !at) throw error;
    await run.at(volume.volume_id);
    assertOrderFolder(ctx, volume, unit);
    wrong = { step: at, ...(error.errno === 'ENOENT' ? GONE : sayTrouble(error)) };
  }
  if (wrong) {
    for (const step of unit) {
      step.will = step === wrong.step ? wrong.outcome : 'refused';
      step.reason = step === wrong.step ? wrong.reason : BESIDE;
    }
    markDoing(ctx.catalog, unit, 'returning', ctx.now());
    await putBack(ctx, run, volume, unit);
    return;
  }
  const atMs = ctx.now();
  ctx.catalog.transact(() => {
    for (const { step, sha256 } of moved) {
      const row = rowOf(ctx.catalog, step);
      putTrash(ctx.catalog, {
        order_id: step.order_id, n: step.n, unit: step.unit, role: step.role, volume_id: step.volume_id, path: step.path, trash_path: step.to_path ?? '', sha256, size_bytes: step.size_bytes,
        file: JSON.stringify(row ?? null), at_ms: atMs,
      });
      // Something else may have taken the name meanwhile, and been read: that is not ours.
      if (row && (row.sha256 === step.sha256 || row.seen_as === 'sidecar')) dropFile(ctx.catalog, step.volume_id, step.path);
      endStep(ctx.catalog, step, { outcome: 'trashed', sha256 }, atMs);
    }
  });
  ctx.onChange();
}

/** Moves one file into its own new folder of the trash, from wherever an earlier try left it. */
function moveIn(ctx: OrderContext, places: Places): void {
  const where = whereIs(ctx, places);
  // A file that has come to the old name since is another one, and stays.
  if (where === 'trash' || where === 'both') return;
  if (where === 'both names') { ctx.changes.remove(places.source); return; }
  if (where === 'neither') throw new FileError('vanished', 'ENOENT', 'It was there a moment ago and is gone.');
  try { ctx.changes.makeFolder(parentOf(places.trash)); } catch (error) {
    // Of an earlier try, which ended before the move: empty, or none of ours.
    if (!(error instanceof FileError) || error.errno !== 'EEXIST' || ctx.files.list(parentOf(places.trash)).names.length > 0) throw error;
  }
  ctx.changes.moveIntoNew(places.source, places.trash);
}

/** Every file of the unit back to where it lay; one whose name is taken stays in the trash, and its receipt says so. */
async function putBack(ctx: OrderContext, run: Run, volume: Volume, unit: readonly Step[]): Promise<void> {
  for (const step of unit) {
    const places = placesOf(volume, step);
    const ending = { outcome: step.will ?? 'failed', reason: step.reason ?? 'It was put back after an interruption.' } as const;
    try {
      if (whereIs(ctx, places) === 'neither') {
        assertOrderFolder(ctx, volume, unit);
        end(ctx, step, { outcome: ending.outcome === 'gone' ? 'gone' : 'failed', reason: ending.outcome === 'gone' ? ending.reason : 'It is neither where it lay nor in the trash: something else moved it meanwhile.' });
      } else if (moveOut(ctx, places, step.began_ms ?? 0)) await keepInTrash(ctx, volume, step, 'name_taken', `${ending.reason} Another file has its name now.`);
      else end(ctx, step, ending);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await run.at(volume.volume_id);
      await keepInTrash(ctx, volume, step, 'failed', `${ending.reason} It could not be put back: ${sayTrouble(error).reason}`);
    }
  }
}

/**
 * From the trash to where it lay, never over another file. True where it must stay because its name is taken. Idempotent: after an
 * end between the two names, or after the empty file that holds the name, the next call finishes.
 */
export function moveOut(ctx: OrderContext, places: Places, beganMs: number): boolean {
  const where = whereIs(ctx, places);
  if (where === 'source') return false;
  if (where === 'neither') throw new FileError('vanished', 'ENOENT', 'It is neither where it lay nor in the trash.');
  if (where === 'both names') ctx.changes.remove(places.trash);
  else {
    if (where === 'both') {
      const [s, t] = [look(ctx.files, places.source), look(ctx.files, places.trash)];
      // The empty file of an interrupted move (files/changes.ts), made since this one was begun.
      const ours = s !== undefined && t !== undefined && s.isFile() && s.size === 0 && t.size > 0 && beganMs > 0 && s.mtimeMs >= beganMs - CLOCK_MS;
      if (!ours) return true;
      ctx.changes.remove(places.source);
    }
    try { ctx.changes.moveNoReplace(places.trash, places.source); } catch (error) {
      if (error instanceof FileError && error.errno === 'EEXIST') return true;
      throw error;
    }
  }
  ctx.changes.syncFolder(parentOf(places.source));
  tidy(ctx, places.trash);
  return false;
}

/** The file's own folder of the trash; whatever still lies there keeps it. */
export function tidy(ctx: OrderContext, trash: string): void {
  try { ctx.changes.removeFolder(parentOf(trash)); } catch (error) { if (!(error instanceof FileError)) throw error; }
}

/** It lies in the trash and could not leave it: it is listed there, so that it can be restored once its name is free. */
async function keepInTrash(ctx: OrderContext, volume: Volume, step: Step, outcome: Outcome, reason: string): Promise<void> {
  const { trash } = placesOf(volume, step);
  let sha256 = step.sha256 ?? '';
  try { sha256 = (await hashFile(ctx.files, trash)).sha256; } catch (error) { if (!(error instanceof FileError)) throw error; }
  const atMs = ctx.now();
  ctx.catalog.transact(() => {
    putTrash(ctx.catalog, {
      order_id: step.order_id, n: step.n, unit: step.unit, role: step.role, volume_id: step.volume_id, path: step.path, trash_path: step.to_path ?? '', sha256, size_bytes: step.size_bytes, file: 'null', at_ms: atMs,
    });
    endStep(ctx.catalog, step, { outcome, reason: `${reason} It lies in the trash: ${step.to_path ?? ''}`, sha256 }, atMs);
  });
  ctx.onChange();
}
