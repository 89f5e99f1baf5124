// Copies onto another drive, of orders to copy and to export. A file is written under a name of our own, read back and compared,
// and only then given its name, which is never one that is taken. It may end anywhere: the next run finds what is there.
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { joinPath, listCopies, splitPath } from '../catalog/files.ts';
import { endStep, markDoing, markUndone, type Ending, type OrderTarget, type Step } from '../catalog/orders.ts';
import { isDataless } from '../files/access.ts';
import { isPlaceholder, type NewFile } from '../files/changes.ts';
import { FileError } from '../files/errors.ts';
import { absolutePath } from '../volumes/identify.ts';
import type { Volume } from '../volumes/types.ts';
import { DriveLeft, driveName, Interrupted, isSameFile, look, parentOf, passFile, sayTrouble, type OrderContext, type Run } from './context.ts';
import { fitPath, foldName, numberedNames } from './names.ts';

/** A file of a unit, and where it is to go. */
export interface Wish {
  step: Step;
  /** Folder relative to the top of the target's volume, and the name in it, if that is free. */
  dir: string; name: string;
  /** What is written, where it comes from no file. */
  made: Buffer | null;
}

/** Where an order's copies go. */
export interface Destination {
  outcome: 'copied' | 'exported';
  volumeId: string;
  place(unit: readonly Step[], target: Volume): Promise<Wish[]>;
  /** A copy's place as its receipt says it. */
  say(target: Volume, path: string): string;
}

/** Each file at its path on the drive that it comes from, below the target's folder; as the target can hold it. */
export function copyDestination(target: OrderTarget): Destination {
  return {
    outcome: 'copied', volumeId: target.volume_id, say: (_, path) => path,
    place: async (unit, { fs_type }) => unit.map((step): Wish => {
      const { dir, name } = splitPath(fitPath(step.path, fs_type));
      return { step, dir: [target.path, dir].filter((part) => part !== '').join('/'), name, made: null };
    }),
  };
}

/** Nothing more of the order can be done: the drive that it goes to is full, or cannot be written. */
export class OrderStopped extends Error {
  readonly ending: { outcome: 'failed' | 'refused'; reason: string };
  constructor(ending: OrderStopped['ending']) { super(ending.reason); this.name = 'OrderStopped'; this.ending = ending; }
}

/** What the target refused; what a source refuses is a plain FileError. */
class TargetTrouble extends Error {
  readonly refusal: FileError;
  constructor(refusal: FileError) { super(refusal.message); this.refusal = refusal; }
}

/** What is remembered of the target from one unit to the next. */
interface Memory {
  /** Folders that were seen to lie where their path says, without a link in between. */
  checked: Set<string>;
  /** Of folders on volumes that fold names: the names there, by how they fold. */
  folded: Map<string, Map<string, string>>;
  /** The last number that a name got, where many have the same. */
  numbers: Map<string, number>;
  /** Names that units at work are to get (as they fold), each until its unit has ended. */
  reserved: Map<string, Promise<void>>;
  /** Units choose their names one after the other, in the order of the plan: so the same order comes to the same names. */
  choosing: Promise<void>;
  /** One file is read and written at a time: two at once would make hard disks move their heads between them. */
  streaming: Promise<unknown>;
}

export interface Copier { (unit: readonly Step[]): Promise<void> }

interface Job { ctx: OrderContext; run: Run; dest: Destination; target: Volume; memory: Memory; /** Resolves when this unit is through. */ through: Promise<void> }

/** Below this every number is tried, so that a copy of the same content is found whatever order they came in. */
const TRY_ALL_NUMBERS = 50;
const MAX_NUMBER = 100_000;

/** Carries out units of one order in one run. Throws DriveLeft (the unit stays open) and OrderStopped (it has ended). */
export function openCopier(ctx: OrderContext, run: Run, dest: Destination): Copier {
  const memory: Memory = { checked: new Set(), folded: new Map(), numbers: new Map(), reserved: new Map(), choosing: Promise.resolve(), streaming: Promise.resolve() };
  return async (unit) => {
    const { promise: through, resolve } = Promise.withResolvers<void>();
    const turn = memory.choosing;
    const chosen = Promise.withResolvers<void>();
    memory.choosing = turn.then(() => chosen.promise);
    let job: Job | undefined;
    try {
      job = { ctx, run, dest, memory, target: await run.near(dest.volumeId), through };
      await turn;
      const wishes = await chooseUnit(job, unit).finally(chosen.resolve);
      if (wishes.length > 0) await copyUnit(job, unit, wishes);
    } catch (error) {
      if (!job) throw error;
      if (error instanceof TargetTrouble) { await endByTarget(job, unit, error.refusal); return; }
      if (error instanceof DriveLeft && error.volumeId !== dest.volumeId && dropParts(job, unit) === '') { await run.near(dest.volumeId); markUndone(ctx.catalog, unit); }
      throw error;
    } finally {
      chosen.resolve();
      for (const [name, owner] of memory.reserved) if (owner === through) memory.reserved.delete(name);
      resolve();
    }
    ctx.onChange();
  };
}

/** Whatever a call that touches the target throws is the target's. */
function onTarget<T>(call: () => T): T {
  try { return call(); } catch (error) { throw error instanceof FileError ? new TargetTrouble(error) : error; }
}
async function onTargetSoon<T>(call: () => Promise<T>): Promise<T> {
  try { return await call(); } catch (error) { throw error instanceof FileError ? new TargetTrouble(error) : error; }
}

function at(job: Job, path: string): string { return absolutePath(job.target.mount_point, path); }

/** Beside where it will lie, so that it gets its name by a rename; ignored by every scan (pipeline/ignore.ts). */
function partOf(job: Job, step: Step): string { return at(job, joinPath(splitPath(step.to_path ?? '').dir, `.jharokha-part-${step.order_id}-${step.n}`)); }

interface Ready { step: Step; sha256: string; note: string | null }

/** What of the unit is still to be written, each with its name. */
async function chooseUnit(job: Job, unit: readonly Step[]): Promise<Wish[]> {
  const open = await settleInterrupted(job, unit);
  return open.length === 0 ? [] : chooseNames(job, await job.dest.place(open, job.target));
}

async function copyUnit(job: Job, unit: readonly Step[], wishes: readonly Wish[]): Promise<void> {
  const { ctx, run, dest } = job;
  await begin(job, wishes);
  const ready: Ready[] = [];
  const read = new Set<string>();
  for (const wish of wishes) {
    const made = await makePart(job, wish, read);
    if ('step' in made) { wish.step.sha256 = made.sha256; ready.push(made); continue; }
    const left = dropParts(job, wish.step.role === 'asset' ? unit : [wish.step]);
    // Where another drive came in between, nothing was dropped.
    await run.near(dest.volumeId);
    const ending = { ...made, reason: `${made.reason ?? ''}${left}` };
    if (wish.step.role === 'asset') { endUnit(ctx, unit, wish.step, ending); return; }
    // A file does without what is said of it.
    ctx.catalog.transact(() => { endStep(ctx.catalog, wish.step, { to_path: null, ...ending }, ctx.now()); });
  }
  // With the hashes of what has none yet, so that whoever comes after an end knows its own files.
  markDoing(ctx.catalog, ready.map((r) => r.step), 'writing', ctx.now());
  await nameParts(job, wishes, ready);
  await finish(job, ready);
}

/** Looks at the drive before its folders are made, and before anything is written into them: no copy is to lie where it was mounted. */
async function begin(job: Job, wishes: readonly Wish[]): Promise<void> {
  markDoing(job.ctx.catalog, wishes.map((w) => w.step), 'writing', job.ctx.now());
  await job.run.near(job.dest.volumeId);
  for (const dir of new Set(wishes.map((w) => splitPath(w.step.to_path ?? '').dir))) makeFolder(job, dir);
  await job.run.near(job.dest.volumeId);
}

/** The folder, where its path says: a link in between would lead the copies elsewhere. */
function makeFolder(job: Job, dir: string): void {
  const { ctx, memory } = job;
  const absolute = at(job, dir);
  onTarget(() => { ctx.changes.makeFolders(absolute, job.target.mount_point); });
  if (memory.checked.has(dir)) return;
  const real = onTarget(() => ctx.files.realpath(absolute));
  const same = job.target.exact_names ? real === absolute : foldName(real) === foldName(absolute);
  if (!same) throw new TargetTrouble(new FileError('other', 'ELOOP', `A link stands in the way: ${absolute} is ${real}.`));
  memory.checked.add(dir);
}

/** Ends what an earlier run had written and named; the rest of the unit. */
async function settleInterrupted(job: Job, unit: readonly Step[]): Promise<Step[]> {
  const { ctx } = job;
  const open: Step[] = [];
  const done: Ready[] = [];
  let refusal: TargetTrouble | undefined;
  for (const step of unit) {
    if (step.doing !== 'writing' || step.to_path === null) { open.push(step); continue; }
    const [part, final] = [partOf(job, step), at(job, step.to_path)];
    const [p, f] = [onTarget(() => look(ctx.files, part)), onTarget(() => look(ctx.files, final))];
    // Under both names it is a copy, though the drive may not let the first be removed.
    const note = p && f && isSameFile(p, f) ? dropParts(job, [step]).trim() : '';
    if (p && f && isPlaceholder(f)) try { ctx.changes.remove(final); } catch (error) { if (!(error instanceof FileError)) throw error; refusal ??= new TargetTrouble(error); }
    const ours = f !== undefined && f.isFile() && (!p || isSameFile(p, f)) && step.sha256 !== null;
    const sha256 = ours ? await onTargetSoon(() => passFile(ctx, final)) : undefined;
    if (sha256 !== undefined && sha256 === step.sha256) done.push({ step, sha256, note: note === '' ? null : note });
    else open.push(step);
  }
  if (done.length > 0) await finish(job, done);
  if (refusal) throw refusal;
  return open;
}

/** Every folder of these is on disk; then they end, unless all of it was seen on a drive that came in between. */
async function finish(job: Job, ready: readonly Ready[]): Promise<void> {
  const { ctx, dest, target } = job;
  for (const dir of new Set(ready.map((r) => parentOf(at(job, r.step.to_path ?? ''))))) onTarget(() => { ctx.changes.syncFolder(dir); });
  await job.run.near(dest.volumeId);
  const atMs = ctx.now();
  ctx.catalog.transact(() => {
    for (const { step, sha256, note } of ready) endStep(ctx.catalog, step, { outcome: dest.outcome, sha256, reason: note, to_path: dest.say(target, step.to_path ?? '') }, atMs);
  });
}

// ---- Names ----

type Taken = 'free' | 'same' | 'other';

/** Gives each file of the unit its place (`to_path`), the same number for all; those that lie there already end. */
async function chooseNames(job: Job, wishes: readonly Wish[]): Promise<Wish[]> {
  const { memory, target } = job;
  // What an earlier run had chosen, while it is still free.
  if (wishes.every((w) => w.step.to_path !== null && w.step.doing === 'writing' && findTaken(job, w.step.to_path) === undefined)) {
    for (const { step } of wishes) memory.reserved.set(foldName(step.to_path ?? ''), job.through);
    return [...wishes];
  }
  const first = wishes.find((w) => w.step.role === 'asset') ?? wishes[0];
  const key = `${first?.dir ?? ''}\0${foldName(first?.name ?? '')}`;
  const from = memory.numbers.get(key) ?? 1;
  for (let number = from > TRY_ALL_NUMBERS ? from : 1; number < MAX_NUMBER; number += 1) {
    const names = numberedNames(wishes.map((w) => ({ role: w.step.role, from: splitPath(w.step.path).name, to: w.name })), number, target.exact_names);
    const paths = wishes.map((w, i) => joinPath(w.dir, names[i] ?? ''));
    const found: Taken[] = [];
    await untilFree(job, paths);
    for (const [i, wish] of wishes.entries()) found.push(await judgeName(job, wish, paths[i] ?? ''));
    // Another unit may have chosen one of them meanwhile.
    if (paths.some((path) => memory.reserved.has(foldName(path)))) { number -= 1; continue; }
    const assets = wishes.flatMap((w, i) => (w.step.role === 'asset' ? [found[i]] : []));
    // Where all media are there already, another sidecar of theirs is no reason to have them twice.
    const mediaThere = assets.length > 0 && assets.every((f) => f === 'same');
    if (found.some((f, i) => f === 'other' && !(mediaThere && wishes[i]?.step.role === 'sidecar'))) continue;
    memory.numbers.set(key, number);
    for (const path of paths) memory.reserved.set(foldName(path), job.through);
    return settleNames(job, wishes, names, found);
  }
  throw new TargetTrouble(new FileError('other', 'EEXIST', 'Too many files have this name there.'));
}

/** Waits for units that are to get one of these names. Nobody waits who has chosen, so none waits for another in a circle. */
async function untilFree(job: Job, paths: readonly string[]): Promise<void> {
  for (const path of paths) for (let owner = job.memory.reserved.get(foldName(path)); owner; owner = job.memory.reserved.get(foldName(path))) await owner;
}

async function settleNames(job: Job, wishes: readonly Wish[], names: readonly string[], found: readonly Taken[]): Promise<Wish[]> {
  const { ctx, dest, target } = job;
  const free: Wish[] = [];
  // A part under another name is none any more: it would be left behind.
  dropParts(job, wishes.filter((w, i) => w.step.to_path !== joinPath(w.dir, names[i] ?? '')).map((w) => w.step));
  await job.run.near(dest.volumeId);
  ctx.catalog.transact(() => {
    wishes.forEach((wish, i) => {
      const path = joinPath(wish.dir, names[i] ?? '');
      wish.step.to_path = path;
      if (found[i] === 'free') free.push(wish);
      else if (found[i] === 'same') endStep(ctx.catalog, wish.step, { outcome: 'already', reason: 'A file with the same content has this name there.', to_path: dest.say(target, path) }, ctx.now());
      else endStep(ctx.catalog, wish.step, { outcome: 'name_taken', reason: `Another file is at ${dest.say(target, path)} already; it was left as it is.`, to_path: null }, ctx.now());
    });
  });
  return free;
}

/** What has this name there, or one that the volume takes for the same. */
function findTaken(job: Job, path: string): string | undefined {
  const { ctx, memory, target } = job;
  if (onTarget(() => look(ctx.files, at(job, path)))) return path;
  if (target.exact_names) return undefined;
  const { dir, name } = splitPath(path);
  let names = memory.folded.get(dir);
  if (!names) {
    const listed = onTarget(() => (look(ctx.files, at(job, dir)) ? ctx.files.list(at(job, dir)).names : []));
    names = new Map(listed.map((n) => [foldName(n), n]));
    memory.folded.set(dir, names);
  }
  const other = names.get(foldName(name));
  return other !== undefined && onTarget(() => look(ctx.files, at(job, joinPath(dir, other)))) ? joinPath(dir, other) : undefined;
}

async function judgeName(job: Job, wish: Wish, path: string): Promise<Taken> {
  const { ctx } = job;
  const taken = findTaken(job, path);
  if (taken === undefined) return 'free';
  const there = onTarget(() => look(ctx.files, at(job, taken)));
  if (!there?.isFile()) return 'other';
  const hashThere = () => onTargetSoon(() => passFile(ctx, at(job, taken)));
  if (wish.made) return there.size === wish.made.length && wish.made.equals(await readWhole(job, taken)) ? 'same' : 'other';
  if (wish.step.sha256 !== null) return there.size === wish.step.size_bytes && await hashThere() === wish.step.sha256 ? 'same' : 'other';
  // A sidecar has no hash in the catalog.
  try {
    const source = absolutePath((await job.run.near(wish.step.volume_id)).mount_point, wish.step.path);
    const stat = look(ctx.files, source);
    return stat?.isFile() && stat.size === there.size && await passFile(ctx, source) === await hashThere() ? 'same' : 'other';
  } catch (error) {
    if (error instanceof FileError) return 'other';
    throw error;
  }
}

async function readWhole(job: Job, path: string): Promise<Buffer> {
  return onTargetSoon(async () => {
    const file = await job.ctx.files.open(at(job, path));
    try { return await file.read(0, file.stat.size); } finally { await file.close(); }
  });
}

/**
 * The parts get their names, all or none. Where something took one of them meanwhile, those that were given are taken back (they are
 * ours: they were given just now) and all get the next ones.
 */
async function nameParts(job: Job, wishes: readonly Wish[], ready: readonly Ready[]): Promise<void> {
  const { ctx, memory } = job;
  for (;;) {
    // Once more just before: writing may have taken long, and from here to the receipts nothing is waited for.
    await job.run.near(job.dest.volumeId);
    const named: { part: string; final: string }[] = [];
    let taken = false;
    for (const { step } of ready) {
      const [part, final] = [partOf(job, step), at(job, step.to_path ?? '')];
      try { ctx.changes.moveNoReplace(part, final); } catch (error) {
        if (!(error instanceof FileError)) throw error;
        if (error.errno !== 'EEXIST') throw new TargetTrouble(error);
        taken = true;
        break;
      }
      named.push({ part, final });
      const { dir, name } = splitPath(step.to_path ?? '');
      memory.folded.get(dir)?.set(foldName(name), name);
    }
    if (!taken) return;
    for (const { part, final } of named) onTarget(() => { ctx.changes.moveNoReplace(final, part); });
    await renumber(job, wishes.filter((w) => ready.some((r) => r.step === w.step)));
  }
}

/** The next number at which all are free; parts stay where they are, for only the name changes. */
async function renumber(job: Job, wishes: readonly Wish[]): Promise<void> {
  for (let number = 2; number < MAX_NUMBER; number += 1) {
    const names = numberedNames(wishes.map((w) => ({ role: w.step.role, from: splitPath(w.step.path).name, to: w.name })), number, job.target.exact_names);
    if (wishes.some((w, i) => findTaken(job, joinPath(w.dir, names[i] ?? '')) !== undefined)) continue;
    wishes.forEach((w, i) => { w.step.to_path = joinPath(w.dir, names[i] ?? ''); });
    markDoing(job.ctx.catalog, wishes.map((w) => w.step), 'writing', job.ctx.now());
    return;
  }
}

// ---- Bytes ----

/** Writes one file's part from the first source that has its bytes; how it ended where none has. `read`: volumes that this unit was read from. */
async function makePart(job: Job, wish: Wish, read: Set<string>): Promise<Ready | Ending> {
  const { ctx, run } = job;
  const { step } = wish;
  const part = partOf(job, step);
  if (wish.made) { dropParts(job, [step]); return checkPart(job, step, await writeBytes(job, part, wish.made), null, null); }
  const kept = await keptPart(job, step);
  let trouble: Ending | undefined;
  let away: DriveLeft | undefined;
  const sources = sourcesOf(ctx, step).filter((s) => s.volume_id !== job.dest.volumeId || s.path !== step.to_path);
  if (sources.length === 0) return { outcome: 'gone', reason: 'No copy of it is known any more.' };
  for (const source of sources) {
    try {
      const volume = await run.near(source.volume_id);
      const absolute = absolutePath(volume.mount_point, source.path);
      const stat = look(ctx.files, absolute);
      if (!stat) { await run.at(source.volume_id); trouble ??= { outcome: 'gone', reason: 'Nothing has this name any more. The next scan says what became of it.' }; continue; }
      if (!stat.isFile()) { trouble ??= CHANGED; continue; }
      if (isDataless(stat, ctx.files.platform)) { trouble ??= { outcome: 'refused', reason: 'Its content is in the cloud and not on this drive. Opening it would download it, so it was left alone.' }; continue; }
      if (!kept) dropParts(job, [step]);
      const written = kept ? { sha256: kept, stat } : await writeFile(job, absolute, part);
      if (step.sha256 !== null && written.sha256 !== step.sha256) { await run.at(source.volume_id); dropParts(job, [step]); trouble ??= CHANGED; continue; }
      read.add(source.volume_id);
      const other = source.volume_id === step.volume_id && source.path === step.path ? null : `Read from its copy on ‘${driveName(ctx.catalog, source.volume_id)}’: ${source.path}`;
      return await checkPart(job, step, written.sha256, written.stat, other);
    } catch (error) {
      if (error instanceof DriveLeft) { away ??= error; dropParts(job, [step]); continue; }
      if (!(error instanceof FileError)) throw error;
      dropParts(job, [step]);
      try { await run.at(source.volume_id); } catch (left) { if (!(left instanceof DriveLeft)) throw left; away ??= left; continue; }
      trouble ??= error.errno === 'ENOENT' ? { outcome: 'gone', reason: error.message } : sayTrouble(error);
    }
  }
  if (trouble) return trouble;
  if (away && (step.role === 'asset' || read.has(step.volume_id))) throw away;
  return { outcome: 'away', reason: `‘${driveName(ctx.catalog, step.volume_id)}’ was not connected when its turn came.` };
}

const CHANGED: Ending = { outcome: 'changed', reason: 'It has other bytes now than those that were ordered, so it was not copied. The next scan reads it.' };

/** The planned copy first, then the others that are known of the same content. */
function sourcesOf(ctx: OrderContext, step: Step): { volume_id: string; path: string }[] {
  const planned = { volume_id: step.volume_id, path: step.path };
  if (step.role !== 'asset' || step.sha256 === null) return [planned];
  const others = listCopies(ctx.catalog, step.sha256).map((c) => ({ volume_id: c.volume_id, path: joinPath(c.dir, c.name) }));
  return [planned, ...others.filter((c) => c.volume_id !== planned.volume_id || c.path !== planned.path)];
}

/** The hash of a part that an earlier run had finished. */
async function keptPart(job: Job, step: Step): Promise<string | undefined> {
  const part = partOf(job, step);
  const there = step.sha256 === null ? undefined : onTarget(() => look(job.ctx.files, part));
  if (!there?.isFile() || there.size !== step.size_bytes) return undefined;
  return await onTargetSoon(() => passFile(job.ctx, part)) === step.sha256 ? step.sha256 ?? undefined : undefined;
}

/** Hashes the source while it is read. */
async function writeFile(job: Job, source: string, part: string): Promise<{ sha256: string; stat: Stats }> {
  const { ctx } = job;
  const input = await ctx.files.open(source);
  try {
    const output = await openPart(job, part);
    const sha256 = await closing(output, () => inTurn(job.memory, async () => (await input.pass(async (bytes) => {
      if (ctx.signal.aborted) throw new Interrupted();
      await onTargetSoon(() => output.write(bytes));
    })).sha256));
    return { sha256, stat: input.stat };
  } finally { await input.close(); }
}

function inTurn<T>(memory: Memory, work: () => Promise<T>): Promise<T> {
  const mine = memory.streaming.then(work);
  memory.streaming = mine.catch(() => undefined);
  return mine;
}

/** On the drive alone: its folders may just have been made anew where it was mounted, for another unit. */
async function openPart(job: Job, part: string): Promise<NewFile> {
  await job.run.near(job.dest.volumeId);
  return onTargetSoon(() => job.ctx.changes.create(part));
}

async function writeBytes(job: Job, part: string, bytes: Buffer): Promise<string> {
  const output = await openPart(job, part);
  await closing(output, () => onTargetSoon(() => output.write(bytes)));
  return createHash('sha256').update(bytes).digest('hex');
}

/** On disk and closed after `work`; closed after its failure too, which is then the one that counts. */
async function closing<T>(output: NewFile, work: () => Promise<T>): Promise<T> {
  try {
    const done = await work();
    await onTargetSoon(() => output.sync());
    await onTargetSoon(() => output.close());
    return done;
  } catch (error) {
    await output.close().catch(() => undefined);
    throw error;
  }
}

/** What was written is read back; with the date of its source. */
async function checkPart(job: Job, step: Step, sha256: string, stat: Stats | null, note: string | null): Promise<Ready | Ending> {
  const { ctx, dest } = job;
  const part = partOf(job, step);
  const back = await onTargetSoon(() => passFile(ctx, part));
  if (back !== sha256) { dropParts(job, [step]); return { outcome: 'failed', reason: `‘${driveName(ctx.catalog, dest.volumeId)}’ gave back other bytes than were written to it. Check the drive and its cable.` }; }
  if (stat) {
    // A share may not let its dates be set; a copy without it is one all the same.
    try { ctx.changes.setTimes(part, stat.mtimeMs); } catch (error) { if (!(error instanceof FileError) || !['EPERM', 'EACCES', 'ENOTSUP', 'EINVAL'].includes(error.errno)) throw error instanceof FileError ? new TargetTrouble(error) : error; }
  }
  return { step, sha256, note };
}

// ---- Ends ----

/** Takes away what was written of these and has no name yet, and what only holds a name; words about what could not be taken away. */
function dropParts(job: Job, steps: readonly Step[]): string {
  const left: string[] = [];
  for (const step of steps) {
    if (step.to_path === null || step.outcome !== null) continue;
    for (const path of [partOf(job, step), at(job, step.to_path)]) {
      try {
        const stat = look(job.ctx.files, path);
        if (stat && (path !== at(job, step.to_path) || isPlaceholder(stat))) job.ctx.changes.remove(path);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        left.push(path);
      }
    }
  }
  return left.length === 0 ? '' : ` What was written of it could not be removed: ${left.join(', ')}`;
}

const BESIDE = 'A file that belongs to it could not be copied, and they go together or not at all.';

function endUnit(ctx: OrderContext, unit: readonly Step[], cause: Step | undefined, ending: Ending): void {
  ctx.catalog.transact(() => {
    for (const step of unit) {
      if (step.outcome !== null) continue;
      const own = cause === undefined || step === cause;
      endStep(ctx.catalog, step, { outcome: own ? ending.outcome : 'refused', reason: own ? ending.reason ?? null : BESIDE, to_path: null }, ctx.now());
    }
  });
  ctx.onChange();
}

/** The target refused something. Where it has left, nothing is concluded. */
async function endByTarget(job: Job, unit: readonly Step[], refusal: FileError): Promise<void> {
  await job.run.at(job.dest.volumeId);
  const { stops, ...said } = sayTarget(job.target, refusal);
  const left = dropParts(job, unit);
  // What has its name already is a copy; the next run would find it so.
  const done = await settleInterrupted(job, unit).catch((error: unknown) => { if (error instanceof TargetTrouble) return unit; throw error; });
  await job.run.at(job.dest.volumeId);
  endUnit(job.ctx, done, undefined, { ...said, reason: `${said.reason}${left}` });
  if (stops) throw new OrderStopped(said);
}

function sayTarget(target: Volume, error: FileError): OrderStopped['ending'] & { stops: boolean } {
  const drive = `‘${target.label}’`;
  switch (error.errno) {
    case 'EROFS': return { outcome: 'refused', reason: `${drive} can only be read.`, stops: true };
    case 'ENOSPC': case 'EDQUOT': return { outcome: 'failed', reason: `${drive} is full. What was copied stays; make room and give the order again for the rest.`, stops: true };
    case 'EACCES': case 'EPERM': return { outcome: 'refused', reason: `The system does not let this program write there on ${drive}.`, stops: false };
    case 'ENAMETOOLONG': case 'EILSEQ': case 'EINVAL': return { outcome: 'refused', reason: `${drive} cannot have a file of this name.`, stops: false };
    // What a FUSE says of a name that its file system cannot hold.
    case 'ENOENT': return { outcome: 'refused', reason: `${drive} did not take it: its folder has gone meanwhile, or no file there can have this name.`, stops: false };
    case 'ENOTDIR': case 'EEXIST': return { outcome: 'refused', reason: `Something on ${drive} has the name of a folder or file that would be needed, and is none.`, stops: false };
    case 'EFBIG': return { outcome: 'refused', reason: `It is larger than a file can be on ${drive}.`, stops: false };
    case 'ELOOP': return { outcome: 'refused', reason: error.message, stops: false };
    default: return { outcome: 'failed', reason: `${drive} could not take it (${error.errno === '' ? error.code : error.errno}).`, stops: false };
  }
}
