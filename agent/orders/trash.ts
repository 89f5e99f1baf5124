// Trash: move, then hash, put back on a mismatch (promise 7). Files of one unit go together or not at all. Every step is written
// to the catalog before it is taken and finds by itself where its file is, so that it can be repeated after any end.
import type { Stats } from 'node:fs';
import { dropFile, listCopies } from '../catalog/files.ts';
import { endStep, markDoing, putTrash, type Step } from '../catalog/orders.ts';
import type { Root } from '../catalog/roots.ts';
import { isPlaceholder } from '../files/changes.ts';
import { FileError, isDeviceTrouble } from '../files/errors.ts';
import { absolutePath } from '../volumes/identify.ts';
import type { Volume } from '../volumes/types.ts';
import type { OrderOf, Outcome } from '../../protocol/orders.ts';
import { assertDrive, BESIDE, DriveLeft, end, endAll, fileKey, findGoodCopy, hashFile, isSameFile, look, parentOf, rowOf, sayTrouble, type OrderContext, type Run } from './context.ts';

/** Ignored by every scan (pipeline/ignore.ts). */
export const TRASH_FOLDER = '.jharokha-trash';
const MANIFEST = 'manifest.jsonl';
const ABOUT = 'about.txt';
const ABOUT_TEXT = `Files in this folder were put into the trash of Jharokha by its owner. Each folder is one order; its ${MANIFEST} says for each file
(a line of JSON, by its number, which is the name of the folder that it lies in) where it lay and what its SHA-256 is. They may
be put back by hand. Jharokha restores and empties them from its Trash page.
`;

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

/**
 * Takes one unit through to its receipts. Throws DriveLeft, or FileError where it cannot be seen what lies where: nothing is
 * concluded then, and the unit stays open.
 */
export async function trashUnit(ctx: OrderContext, run: Run, order: OrderOf<'trash'>, unit: Step[]): Promise<void> {
  const volume = await run.at(unit[0]?.volume_id ?? '');
  if (unit.some((s) => s.doing === 'returning')) { await putBack(ctx, run, volume, unit); return; }
  // An earlier try ended after the first of its files had moved; the catalog may know less of it than the drive.
  if (unit.some((s) => look(ctx.files, placesOf(volume, s).trash))) {
    const lacking = await findLacking(ctx, run, order, unit);
    markDoing(ctx.catalog, unit, 'moving', ctx.now());
    if (lacking) await giveUp(ctx, run, volume, unit, lacking);
    else await moveAndHash(ctx, run, volume, unit);
    return;
  }
  // Before that everything is judged anew: what was true when it began may not be.
  unit = await judge(ctx, run, volume, order, unit);
  if (unit.length === 0) return;
  markDoing(ctx.catalog, unit, 'moving', ctx.now());
  try { prepareFolder(ctx, volume, unit); } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await run.at(volume.volume_id);
    endAll(ctx, unit, sayTrouble(error));
    return;
  }
  await moveAndHash(ctx, run, volume, unit);
}

const GONE = { outcome: 'gone', reason: 'Nothing has this name any more. The next scan says what became of it.' } as const;
const OTHER_FILE = 'It is another file now than the one that was ordered.';

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
        await assertDrive(ctx, run, volume);
        end(ctx, step, GONE);
      } else if (isOther(step, stat)) wrong ??= { step, outcome: 'changed', reason: OTHER_FILE };
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

/** Not what was ordered, as far as a look can tell; a sidecar may have been written anew. */
function isOther(step: Step, stat: Stats): boolean { return !stat.isFile() || (step.role === 'asset' && stat.size !== step.size_bytes); }

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
  const trash = parentOf(folder);
  const known = look(ctx.files, `${folder}/${MANIFEST}`) !== undefined;
  ctx.changes.makeFolders(folder, parentOf(trash));
  if (!look(ctx.files, `${trash}/${ABOUT}`)) ctx.changes.append(`${trash}/${ABOUT}`, ABOUT_TEXT);
  ctx.changes.append(`${folder}/${MANIFEST}`, unit.map((s) => `${JSON.stringify({ n: s.n, unit: s.unit, role: s.role, path: s.path, sha256: s.sha256, size_bytes: s.size_bytes, at_ms: s.began_ms })}\n`).join(''));
  ctx.changes.syncFolder(folder);
  if (!known) for (const above of [trash, parentOf(trash)]) ctx.changes.syncFolder(above);
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

type Where = 'source' | 'trash' | 'both names' | 'both' | 'neither';

export function whereIs(ctx: OrderContext, { source, trash }: Places): Where {
  const [s, t] = [look(ctx.files, source), look(ctx.files, trash)];
  if (s && t) return isSameFile(s, t) ? 'both names' : 'both';
  return s ? 'source' : t ? 'trash' : 'neither';
}

/** Throws DriveLeft where nothing at all of a unit that was begun is to be seen: the drive that shows so little is another one. */
async function assertSeen(ctx: OrderContext, run: Run, volume: Volume, unit: readonly Step[]): Promise<void> {
  await run.at(volume.volume_id);
  const places = unit.map((s) => placesOf(volume, s));
  if (!hasManifest(ctx, places[0]?.trash ?? '') && places.every((p) => whereIs(ctx, p) === 'neither')) throw new DriveLeft(volume.volume_id);
}

interface Wrong { step?: Step; outcome: Outcome; reason: string }

async function moveAndHash(ctx: OrderContext, run: Run, volume: Volume, unit: Step[]): Promise<void> {
  const moved: { step: Step; sha256: string; size: number }[] = [];
  let wrong: Wrong | undefined;
  let at = unit[0];
  if (!at) return;
  try {
    for (at of unit) makeRoom(ctx, placesOf(volume, at));
    // The names of the folders are on disk before anything moves into them.
    ctx.changes.syncFolder(orderFolder(placesOf(volume, at).trash));
    for (at of unit) moveIn(ctx, volume, at);
    for (at of unit) {
      const { source, trash } = placesOf(volume, at);
      ctx.changes.syncFolder(parentOf(trash));
      ctx.changes.syncFolder(parentOf(source));
    }
    for (at of unit) {
      const { sha256, stat } = await hashFile(ctx.files, placesOf(volume, at).trash);
      if (at.sha256 !== null && at.sha256 !== sha256) { wrong = { step: at, outcome: 'changed', reason: 'It had other bytes than those that were ordered, so it was put back.' }; break; }
      moved.push({ step: at, sha256, size: stat.size });
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await assertSeen(ctx, run, volume, unit);
    wrong = { step: at, ...(error.errno === 'ENOENT' ? GONE : sayTrouble(error)) };
  }
  if (wrong) { await giveUp(ctx, run, volume, unit, wrong); return; }
  // All of it may have been seen on a drive that came in between.
  await run.at(volume.volume_id);
  const atMs = ctx.now();
  ctx.catalog.transact(() => {
    for (const { step, sha256, size } of moved) {
      const row = rowOf(ctx.catalog, step);
      putTrash(ctx.catalog, {
        order_id: step.order_id, n: step.n, unit: step.unit, role: step.role, volume_id: step.volume_id, path: step.path, trash_path: step.to_path ?? '', sha256, size_bytes: size,
        file: JSON.stringify(row ?? null), at_ms: atMs,
      });
      // Something else may have taken the name meanwhile, and been read: that is not ours.
      if (row && (row.sha256 === step.sha256 || row.seen_as === 'sidecar')) dropFile(ctx.catalog, step.volume_id, step.path);
      endStep(ctx.catalog, step, { outcome: 'trashed', sha256 }, atMs);
    }
  });
  ctx.onChange();
}

/** The file's own new folder of the trash. */
function makeRoom(ctx: OrderContext, { trash }: Places): void {
  try { ctx.changes.makeFolder(parentOf(trash)); } catch (error) {
    // Of an earlier try: empty, or with this file in it.
    const isOurs = (name: string) => trash.endsWith(`/${name}`);
    if (!(error instanceof FileError) || error.errno !== 'EEXIST' || !ctx.files.list(parentOf(trash)).names.every(isOurs)) throw error;
  }
}

/** Moves one file into its folder, from wherever an earlier try left it. */
function moveIn(ctx: OrderContext, volume: Volume, step: Step): void {
  const places = placesOf(volume, step);
  const where = whereIs(ctx, places);
  // A file that has come to the old name since is another one, and stays.
  if (where === 'trash' || where === 'both') return;
  if (where === 'both names') { ctx.changes.remove(places.source); return; }
  const stat = look(ctx.files, places.source);
  if (!stat) throw new FileError('vanished', 'ENOENT', 'It was there a moment ago and is gone.');
  if (isOther(step, stat)) throw new FileError('changed_while_read', '', OTHER_FILE);
  ctx.changes.moveIntoNew(places.source, places.trash);
}

/** Nothing of the unit goes: all that moved is put back. Without a step of its own the reason is that of each. */
async function giveUp(ctx: OrderContext, run: Run, volume: Volume, unit: readonly Step[], wrong: Wrong): Promise<void> {
  for (const step of unit) {
    const own = wrong.step === undefined || step === wrong.step;
    step.will = own ? wrong.outcome : 'refused';
    step.reason = own ? wrong.reason : BESIDE;
  }
  markDoing(ctx.catalog, unit, 'returning', ctx.now());
  await putBack(ctx, run, volume, unit);
}

/** Every file of the unit back to where it lay; one that cannot go there stays in the trash, and its receipt says so. */
async function putBack(ctx: OrderContext, run: Run, volume: Volume, unit: readonly Step[]): Promise<void> {
  for (const step of unit) {
    const places = placesOf(volume, step);
    const will = { outcome: step.will ?? 'failed', reason: step.reason ?? 'It was put back after an interruption.' } as const;
    let trouble: FileError | undefined;
    try { moveOut(ctx, places); } catch (error) {
      if (!(error instanceof FileError)) throw error;
      trouble = error;
    }
    // What the receipt says is what is seen, on this very drive, whichever call it was that failed.
    await run.at(volume.volume_id);
    const where = whereIs(ctx, places);
    if (where === 'neither') {
      if (!hasManifest(ctx, places.trash)) throw new DriveLeft(volume.volume_id);
      end(ctx, step, will.outcome === 'gone' ? will : { outcome: 'gone', reason: 'It is neither where it lay nor in the trash: something else moved it meanwhile.' });
    } else if (where === 'source') end(ctx, step, will.outcome === 'gone' ? { outcome: 'failed', reason: 'It could not be moved. It lies where it lay.' } : will);
    else if (where === 'both') await keepInTrash(ctx, volume, step, 'name_taken', `${will.reason} Another file has its name now.`);
    else await keepInTrash(ctx, volume, step, 'failed', `${will.reason} It could not be put back: ${trouble ? sayTrouble(trouble).reason : 'another file had its name.'}`);
  }
}

/**
 * From the trash to where it lay, never over another file; where that has its name, it stays. Idempotent: after an end between the
 * two names, or after the empty file that holds the name, the next call finishes.
 */
export function moveOut(ctx: OrderContext, places: Places): void {
  const where = whereIs(ctx, places);
  if (where === 'neither') throw new FileError('vanished', 'ENOENT', 'It is neither where it lay nor in the trash.');
  if (where === 'both names') ctx.changes.remove(places.trash);
  else if (where !== 'source') {
    if (where === 'both') {
      const held = look(ctx.files, places.source);
      if (!held || !isPlaceholder(held)) return;
      ctx.changes.remove(places.source);
    }
    try { ctx.changes.moveNoReplace(places.trash, places.source); } catch (error) {
      if (error instanceof FileError && error.errno === 'EEXIST') return;
      throw error;
    }
  }
  ctx.changes.syncFolder(parentOf(places.source));
  tidy(ctx, places.trash);
}

/** The file's own folder of the trash; whatever still lies there keeps it. */
export function tidy(ctx: OrderContext, trash: string): void {
  try { ctx.changes.removeFolder(parentOf(trash)); } catch (error) { if (!(error instanceof FileError)) throw error; }
}

/** It lies in the trash and could not leave it: it is listed there, so that it can be restored once its name is free. */
async function keepInTrash(ctx: OrderContext, volume: Volume, step: Step, outcome: Outcome, reason: string): Promise<void> {
  const { trash } = placesOf(volume, step);
  let [sha256, size] = [step.sha256, step.size_bytes];
  try {
    const read = await hashFile(ctx.files, trash);
    [sha256, size] = [read.sha256, read.stat.size];
  } catch (error) { if (!(error instanceof FileError)) throw error; }
  const atMs = ctx.now();
  ctx.catalog.transact(() => {
    // Its row stays until a scan has told that it is not there.
    putTrash(ctx.catalog, {
      order_id: step.order_id, n: step.n, unit: step.unit, role: step.role, volume_id: step.volume_id, path: step.path, trash_path: step.to_path ?? '', sha256: sha256 ?? '', size_bytes: size,
      file: JSON.stringify(rowOf(ctx.catalog, step) ?? null), at_ms: atMs,
    });
    endStep(ctx.catalog, step, { outcome, reason: `${reason} It lies in the trash: ${step.to_path ?? ''}`, sha256 }, atMs);
  });
  ctx.onChange();
}
