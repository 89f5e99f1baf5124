// The table of steps and faults: every call that an order makes, disturbed in every way, and what must hold afterwards. SIGKILLs
// are of real processes; what else can happen to a drive happens in this one.
import { spawn } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { getOrder } from '../../agent/catalog/orders.ts';
import { explainError } from '../../agent/files/errors.ts';
import { isEnded, type Order, type OrderState } from '../../protocol/orders.ts';
import type { Hook, Op } from '../support/orders-hooks.ts';
import { copyTree, makeTemplates, openWorld, overwrite, DRIVES, SCENARIOS, templateOf, type DriveName, type Scenario, type Templates, type World } from '../support/orders-world.ts';
import type { Ground } from '../support/fake-volumes.ts';
import { createDice, type Dice } from '../support/random.ts';
import type { Job } from './order-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NODE = join(ROOT, 'node_modules/.bin/node');

/** Kinds of orders, which are the table's first column; each is run in all its scenarios. */
const KINDS = { trash: ['trash', 'duplicates'], restore: ['restore'], empty: ['empty', 'empty spares'], copy: ['copy'], export: ['export'], mend: ['mend'], verify: ['verify'] } as const satisfies Record<string, readonly Scenario[]>;
type Kind = keyof typeof KINDS;

export const FAULTS = ['kill before', 'kill after', 'EIO', 'unplugged', 'read-only', 'full', 'changed', 'competitor'] as const;
export type FaultKind = (typeof FAULTS)[number];

/** Calls that write; of them those that need room. */
const WRITES = new Set<Op>(['makeFolder', 'makeFolders', 'moveIntoNew', 'moveNoReplace', 'remove', 'removeFolder', 'append', 'link', 'rename', 'unlink', 'hold', 'create', 'write', 'sync', 'setTimes']);
const NEEDS_ROOM = new Set<Op>(['makeFolder', 'makeFolders', 'moveIntoNew', 'moveNoReplace', 'append', 'link', 'rename', 'hold', 'create', 'write', 'sync']);
/** System calls within moveNoReplace. */
const INNER = new Set<Op>(['link', 'rename', 'unlink', 'hold']);

/** Why a cell cannot occur; null where it can. */
function whyNot(kind: Kind, op: Op, fault: FaultKind, ground: Ground | undefined): string | null {
  if (ground && op === 'link' && fault === 'kill after') return `${ground.fsType} has no hard links: none is ever made`;
  if (op === 'commit' && fault === 'EIO') return 'the catalog does not lie on the drive';
  if (fault === 'read-only' && !WRITES.has(op)) return 'it writes nothing';
  if (fault === 'full' && !NEEDS_ROOM.has(op)) return 'it needs no room';
  // Between the last look at a file and its unlinking no program can look once more.
  if (fault === 'changed' && kind === 'empty' && op === 'remove') return 'nothing can look between the last look and this';
  if (fault === 'competitor' && op === 'rename') return 'the name is held by then; a look at the holder is the last thing before';
  if (fault === 'competitor' && kind === 'verify') return 'it takes no name';
  // While a file lies at its name, no name is free.
  if (fault === 'competitor' && kind === 'trash' && (op === 'makeFolders' || op === 'append')) return 'no name is free yet';
  if (fault === 'competitor' && kind === 'mend' && (['append', 'makeFolder', 'moveIntoNew', 'unlink'] as Op[]).includes(op)) return 'no name is free then';
  return null;
}

interface Count { scenario: Scenario; links: boolean; op: Op; calls: number }
export interface Cell { kind: Kind; op: Op; fault: FaultKind; why: string | null; runs: number; broken: number; kills: number }
export interface Outcome { seed: number; cell: Cell; scenario: Scenario; n: number; links: boolean; wrong: string[]; kills: number; fired: boolean }
export interface Table { cells: Cell[]; templates: Templates; counts: Count[]; child: string; remove(): void }

/** Counts the calls of undisturbed runs, and makes the table of all cells. `ground`: on which file system. */
export async function prepareTable(ground?: Ground): Promise<Table> {
  const templates = await makeTemplates(ground);
  const counts: Count[] = [];
  for (const scenario of SCENARIOS) {
    for (const links of [true, false]) {
      const { template, body } = templateOf(templates, scenario);
      const world = openWorld(template, { links });
      const calls = new Map<Op, number>();
      world.setHook({ before: (op) => { calls.set(op, (calls.get(op) ?? 0) + 1); } });
      const id = await world.run(body);
      const wrong = [...(world.state(id) === 'done' ? [] : [`it is ${world.state(id)}`]), ...await world.verify()];
      world.remove();
      if (wrong.length > 0) throw new Error(`an undisturbed ${scenario} (${links ? 'with' : 'without'} hard links) is wrong:\n${wrong.join('\n')}`);
      for (const [op, n] of calls) if (links || INNER.has(op) || op === 'moveNoReplace') counts.push({ scenario, links, op, calls: n });
    }
  }
  const cells: Cell[] = [];
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const ops = new Set(counts.filter((c) => (KINDS[kind] as readonly Scenario[]).includes(c.scenario)).map((c) => c.op));
    for (const op of ops) for (const fault of FAULTS) cells.push({ kind, op, fault, why: whyNot(kind, op, fault, ground), runs: 0, broken: 0, kills: 0 });
  }
  const child = join(templates.folder, 'order-process.mjs');
  // Built beside the templates, with everything in it: a run then takes a fraction of a second.
  await build({ entryPoints: [join(ROOT, 'test/torture/order-process.ts')], bundle: true, platform: 'node', format: 'esm', target: 'node24', outfile: child, logLevel: 'error', banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" } });
  return { cells, templates, counts, child, remove: () => { templates.remove(); } };
}

/** One run: everything about it follows from the seed. */
export async function runOne(table: Table, cell: Cell, seed: number): Promise<Outcome> {
  const dice = createDice(seed);
  for (let attempt = 0; ; attempt += 1) {
    const count = dice.pick(table.counts.filter((c) => (KINDS[cell.kind] as readonly Scenario[]).includes(c.scenario) && c.op === cell.op));
    const n = 1 + Math.floor(dice.next() * count.calls);
    const { template, body } = templateOf(table.templates, count.scenario);
    const world = openWorld(template, { links: count.links });
    const outcome: Outcome = { seed, cell, scenario: count.scenario, n, links: count.links, wrong: [], kills: 0, fired: false };
    try {
      const order = world.orderOf(body);
      if (cell.fault === 'kill before' || cell.fault === 'kill after') await runKilled(table, world, order, cell, n, dice, outcome);
      else await runDisturbed(world, order, cell, n, dice, outcome);
      // Some moments are none for some faults (nothing left to change): another one is taken.
      if (!outcome.fired && outcome.wrong.length === 0 && attempt < 20) continue;
      if (!outcome.fired) outcome.wrong.push('the fault could not be brought about');
      outcome.wrong.push(...await world.verify());
    } catch (error) { outcome.wrong.push(error instanceof Error ? error.stack ?? error.message : String(error)); } finally { world.remove(); }
    cell.runs += 1;
    cell.kills += outcome.kills;
    if (outcome.wrong.length > 0) cell.broken += 1;
    return outcome;
  }
}

// ---- SIGKILL ----

async function runKilled(table: Table, world: World, order: Order, cell: Cell, n: number, dice: Dice, outcome: Outcome): Promise<void> {
  world.letGo();
  const after = cell.fault === 'kill after';
  const killed = await runProcess(table, world, order, { op: cell.op, n, after });
  outcome.fired = killed;
  outcome.kills += Number(killed);
  // Sometimes it is killed once more, wherever it is by then.
  if (dice.next() < 0.25 && await runProcess(table, world, order, { op: 'commit', n: 1 + Math.floor(dice.next() * 6), after: dice.next() < 0.5 })) outcome.kills += 1;
  for (let i = 0; i < 5; i += 1) {
    if (await runProcess(table, world, order, null)) outcome.wrong.push('it ended by SIGKILL unasked');
    if (isOver(world, order)) break;
    world.letGo();
  }
}

async function runProcess(table: Table, world: World, order: Order, kill: Job['kill']): Promise<boolean> {
  const file = (name: string) => join(world.drives.folder, name);
  const job: Job = { catalogFile: world.catalogFile, volumesFile: world.drives.file, order, links: world.links, kill };
  writeFileSync(file('job.json'), JSON.stringify(job));
  const child = spawn(NODE, [table.child, file('job.json')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done) => { child.once('exit', (c, s) => { done([c, s]); }); });
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`the order's process ended with ${code ?? signal ?? ''}: ${said}`);
  return signal === 'SIGKILL';
}

function isOver(world: World, order: Order): boolean {
  const row = getOrder(world.catalog(), order.order_id);
  return row !== undefined && isEnded(row.state as OrderState);
}

// ---- What else happens to a drive ----

async function runDisturbed(world: World, order: Order, cell: Cell, n: number, dice: Dice, outcome: Outcome): Promise<void> {
  let met = 0;
  const lasting = dice.next() < 0.5;
  let stricken: string | undefined;
  const known = new Set<DriveName>();
  const hook: Hook = {
    before: (op, path, to) => {
      if (op === cell.op) met += 1;
      // Of a drive that fails for good the calls that follow fail too.
      if (stricken !== undefined && fails(cell.fault, op) && path.startsWith(stricken)) fail(cell.fault, op, path);
      // A plan looks at drives too; only the run that follows remembers which it met.
      if (outcome.fired || op !== cell.op || met < n) { for (const drive of DRIVES) if (op === 'lstat' && path === world.mounts[drive] && getOrder(world.catalog(), order.order_id)?.planned) known.add(drive); return; }
      outcome.fired = strike(world, cell, op, path, to, dice, (mount) => { stricken = mount; }, lasting, known);
      if (outcome.fired && (cell.fault === 'EIO' || cell.fault === 'read-only' || cell.fault === 'full')) fail(cell.fault, op, path);
    },
  };
  world.setHook(hook);
  await world.give(order);
  for (let i = 0; i < 5; i += 1) {
    // The drive is well again, and back.
    stricken = undefined;
    for (const drive of DRIVES) if (isAside(world, drive)) { outcome.wrong.push(...strays(world, drive)); world.drives.replug(drive); }
    if (isOver(world, order)) break;
    world.orders().wake();
    await world.orders().settled();
  }
}

function fails(fault: FaultKind, op: Op): boolean {
  return fault === 'EIO' ? op !== 'commit' : fault === 'read-only' ? WRITES.has(op) : fault === 'full' && NEEDS_ROOM.has(op);
}

function fail(fault: FaultKind, op: Op, path: string): void {
  const code = fault === 'EIO' ? 'EIO' : fault === 'read-only' ? 'EROFS' : 'ENOSPC';
  const error = Object.assign(new Error(`${code}: injected, ${op} ${path}`), { code });
  throw INNER.has(op) ? error : explainError(error, 'linux');
}

function aside(world: World, drive: DriveName): string { return join(world.drives.folder, `.aside-${drive}`); }
function isAside(world: World, drive: DriveName): boolean { return existsSync(aside(world, drive)); }

/** Files that were written where the drive had been: onto the computer's own disk, or onto another drive. An empty folder is what may come between a look and a call. */
function strays(world: World, drive: DriveName): string[] {
  const mount = world.mounts[drive];
  if (!existsSync(mount)) return [];
  // In a clone that came between a look and a call one file may have gone into the clone's own trash.
  const there = new Set(readdirSync(mount, { recursive: true }).map((path) => basename(String(path))));
  const isClone = readdirSync(aside(world, drive)).every((name) => there.has(name));
  return isClone ? [] : readdirSync(mount, { recursive: true }).map(String).filter((path) => path !== STRANGERS && !lstatSync(join(mount, path)).isDirectory()).map((path) => `written where the drive had been: ${join(mount, path)}`);
}

/** Brings the fault about; false where this moment is none for it. */
function strike(world: World, cell: Cell, op: Op, path: string, to: string | undefined, dice: Dice, strickenAt: (mount: string) => void, lasting: boolean, known: ReadonlySet<DriveName>): boolean {
  const drive = path.startsWith(world.mounts.red + sep) || path === world.mounts.red ? 'red' : path.startsWith(world.mounts.blue) ? 'blue' : dice.pick(['blue', 'red'] as const);
  switch (cell.fault) {
    case 'EIO': case 'full': if (lasting) strickenAt(world.mounts[drive]); return true;
    case 'read-only': strickenAt(world.mounts[drive]); return true;
    case 'unplugged': unplug(world, drive, dice.pick(['gone', 'left_empty', ...(known.has(drive) ? ['left_listed_and_empty', 'another', 'clone'] as const : [])] as const)); return true;
    case 'changed': return change(world, op, dice);
    case 'competitor': return compete(world, op, to ?? path, dice);
    default: return false;
  }
}

/** The drive leaves; `another` or its `clone` comes in its place, under its name and id. One that the order had not met yet nothing tells from it. */
const STRANGERS = 'of another drive.txt';

function unplug(world: World, drive: DriveName, how: 'gone' | 'left_empty' | 'left_listed_and_empty' | 'another' | 'clone'): void {
  const mount = world.mounts[drive];
  const clone = join(world.drives.folder, 'clone');
  if (how === 'clone') copyTree(mount, clone);
  world.drives.unplug(drive, how === 'another' || how === 'clone' ? 'left_listed_and_empty' : how);
  if (how === 'another') writeFileSync(join(mount, STRANGERS), 'x');
  if (how === 'clone') { rmdirSync(mount); renameSync(clone, mount); }
}

/** Where the files of the order lie now; of a mend's two steps the first says so. */
function whereabouts(world: World): { place: string; trash: string | undefined; now: string }[] {
  const rows = world.catalog().db.prepare("SELECT DISTINCT s.volume_id, s.path, coalesce(f.to_path, s.to_path) AS to_path FROM order_steps s JOIN orders o USING (order_id) LEFT JOIN order_steps f ON f.order_id = s.from_order AND f.n = s.from_n WHERE s.order_id = ? AND NOT (o.kind = 'mend' AND s.n % 2 = 1)")
    .all(world.ids.at(-1) ?? '') as { volume_id: string; path: string; to_path: string | null }[];
  return rows.flatMap((r) => {
    const mount = r.volume_id === 'uuid:red' ? world.mounts.red : world.mounts.blue;
    const [place, trash] = [join(mount, r.path), r.to_path === null || !isInTrash(r.to_path) ? undefined : join(mount, r.to_path)];
    const now = trash !== undefined && existsSync(trash) ? trash : existsSync(place) ? place : undefined;
    return now === undefined ? [] : [{ place, trash, now }];
  });
}

/** Names on the drives that files of the order are about to get. */
function wanted(world: World): string[] {
  const target = getOrder(world.catalog(), world.ids.at(-1) ?? '')?.target?.volume_id;
  const rows = world.catalog().db.prepare('SELECT volume_id, to_path FROM order_steps WHERE order_id = ? AND outcome IS NULL AND to_path IS NOT NULL').all(world.ids.at(-1) ?? '') as { volume_id: string; to_path: string }[];
  return rows.map((r) => join((target ?? r.volume_id) === 'uuid:red' ? world.mounts.red : world.mounts.blue, r.to_path));
}

function isInTrash(path: string): boolean { return path.split('/').includes('.jharokha-trash'); }

function change(world: World, op: Op, dice: Dice): boolean {
  const files = whereabouts(world).filter((f) => !isLinked(f.now));
  if (files.length === 0) return false;
  const { place, now } = dice.pick(files);
  // In the instant before a name is unlinked another file may take it, which nothing can see; what is written into the file stays.
  const inPlace = dice.next() < 0.5 || op === 'unlink';
  overwrite(now, inPlace, dice.next() < 0.5 ? 5 : undefined);
  world.watch.changed(place, now);
  return true;
}

/** Two names of one file would both change. */
function isLinked(path: string): boolean { return path.includes('link '); }

function compete(world: World, op: Op, target: string, dice: Dice): boolean {
  // The very name that is about to be made, or that of any file that is in the trash just now.
  const names = [
    ...(op === 'moveNoReplace' || op === 'link' || op === 'hold' ? [target] : []), ...(op === 'rename' ? [] : [...whereabouts(world).filter((f) => f.now !== f.place).map((f) => f.place), ...wanted(world)]),
  ].filter((path) => !existsSync(path) && !isInTrash(path) && existsSync(dirname(path)));
  if (names.length === 0) return false;
  const path = dice.pick(names);
  writeFileSync(path, dice.next() < 0.3 ? '' : `somebody else's ${dice.next()}`);
  world.watch.added(path);
  return true;
}

// ---- The whole ----

export interface TortureReport { runs: number; kills: number; broken: Outcome[]; ms: number }

/** `count` runs over these cells, each as often as the next; some at a time, for a process that starts waits a lot. The seed says the cell too. */
export async function torture(table: Table, count: number, seed: number, cells: readonly Cell[], onRun: (done: number) => void = () => undefined): Promise<TortureReport> {
  const started = performance.now();
  const report: TortureReport = { runs: 0, kills: 0, broken: [], ms: 0 };
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const cell = cells[(seed + i) % cells.length];
      if (!cell) return;
      const outcome = await runOne(table, cell, seed + i);
      report.runs += 1;
      report.kills += outcome.kills;
      if (outcome.wrong.length > 0) report.broken.push(outcome);
      onRun(report.runs);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  report.ms = performance.now() - started;
  return report;
}

export function occurring(table: Table): Cell[] { return table.cells.filter((c) => c.why === null); }

/** The table as text: runs in each cell, `-` where it cannot occur, and what is broken. */
export function showTable(table: Table): string {
  const lines = [['', ...FAULTS].map((t, i) => (i === 0 ? t.padEnd(24) : t.padStart(12))).join('')];
  const rows = [...new Set(table.cells.map((c) => `${c.kind}\0${c.op}`))];
  for (const row of rows) {
    const [kind, op] = row.split('\0');
    const its = table.cells.filter((c) => c.kind === kind && c.op === op);
    lines.push(`${kind ?? ''}: ${op ?? ''}`.padEnd(24) + FAULTS.map((f) => { const c = its.find((x) => x.fault === f); return (!c || c.why !== null ? '-' : c.broken > 0 ? `${c.runs} (${c.broken}!)` : String(c.runs)).padStart(12); }).join(''));
  }
  return lines.join('\n');
}

export function sayOutcome(o: Outcome): string {
  return `seed ${o.seed}: ${o.cell.kind} ${o.cell.op} × ${o.cell.fault}, ${o.scenario}, call ${o.n}${o.links ? '' : ', no hard links'}\n  ${o.wrong.slice(0, 12).join('\n  ')}`;
}
