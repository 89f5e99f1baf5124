// `trash`, `restore`, `empty-trash`, `verify`, `copy`, `export`: an order given through the Worker, as a page gives it, and
// followed to its end. With --dry-run only what it would do is said.
import { isAbsolute, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { isDone, isEnded, MAX_ORDER_ASSETS, OrderPlan, OrderProgress, OrderState, Outcome, type OrderBody, type OrderOf } from '../../protocol/orders.ts';
import { Sha256 } from '../../protocol/words.ts';
import { CommandError, EXIT, type Options } from '../config.ts';
import { sayBytes } from '../orders/context.ts';
import { callWorker, WorkerRefused } from '../push/client.ts';
import { findDrive, listDrives, type NamedDrive } from './drive-names.ts';
import { connectOrStart, type Instance } from './instance.ts';
import { clearProgress, printJson, printLine, safe, say, showLine } from './print.ts';

const POLL_MS = 250;
const Given = z.object({ order_id: z.string() });
const Planned = z.object({ plan: OrderPlan });
const Paths = z.object({ files: z.array(z.object({ volume_id: z.string(), path: z.string(), sha256: z.string() })), elsewhere: z.array(z.string()), unknown: z.array(z.string()) });
type Paths = z.infer<typeof Paths>;
const Shown = z.object({
  n: z.int(), role: z.string(), volume_id: z.string(), path: z.string(), sha256: z.string().nullable(), size_bytes: z.number(), outcome: Outcome, reason: z.string().nullable(), to_path: z.string().nullable(), at_ms: z.number(),
});
const Order = z.object({
  order_id: z.string(), kind: z.string(), title: z.string(), state: OrderState.or(z.literal('draft')), progress: OrderProgress, reason: z.string().nullable(),
  counts: z.array(z.object({ outcome: Outcome, n: z.int() })), receipts: z.array(Shown), next: z.int().nullable(),
});
type Order = z.infer<typeof Order>;

export async function run(options: Options): Promise<number> {
  const instance = await connectOrStart(options);
  try {
    let worst: number = EXIT.ok;
    for (const body of await readBodies(instance, options)) {
      if (options.dryRun) {
        const planned = await plan(instance, body);
        printPlan(body, planned, options);
        // As it would end if it were given.
        if (planned.blocked !== null) worst = Math.max(worst, EXIT.fatal);
        continue;
      }
      worst = Math.max(worst, await giveAndFollow(instance, body, options));
    }
    return worst;
  } finally { clearProgress(); await instance.close(); }
}

async function readBodies(instance: Instance, options: Options): Promise<OrderBody[]> {
  const { order, args, all } = options;
  switch (options.command) {
    case 'trash': return trashBodies(await find(instance, args, false), order.lastCopies);
    case 'restore': return (await partsOfTrash(instance, args, all)).map((part) => ({ kind: 'restore', ...part }));
    case 'empty-trash': return (await partsOfTrash(instance, args, true)).map((part) => ({ kind: 'empty', ...part, last_copies: order.lastCopies }));
    case 'verify': return (await connectedDrives(instance, args)).map((drive) => ({ kind: 'verify', volume_id: drive.volume_id, share: order.share, slowly: order.slowly }));
    case 'copy': {
      const [drive] = await connectedDrives(instance, order.to === null ? [] : [order.to]);
      if (order.to === null || !drive) throw new CommandError('Say onto which drive: --to DRIVE, by its name or where it is mounted.', EXIT.usage);
      return [{ kind: 'copy', sha256s: await need(instance, args), volume_id: drive.volume_id, folder: order.into }];
    }
    default:
      if (order.to === null) throw new CommandError('Say into which folder: --to FOLDER.', EXIT.usage);
      return [{ kind: 'export', sha256s: await need(instance, args), volume_id: '', folder: resolve(order.to), template: order.template, sidecars: order.sidecars }];
  }
}

interface Found extends Omit<Paths, 'unknown'> { hashes: string[] }

/** Hashes as they are, and what lies at paths. */
async function find(instance: Instance, args: readonly string[], trashed: boolean): Promise<Found> {
  if (args.length === 0) throw new CommandError('Say which: SHA-256 hashes, files or folders.', EXIT.usage);
  const hashes = args.filter((word) => Sha256.safeParse(word).success);
  const paths = args.filter((word) => !Sha256.safeParse(word).success).map((word) => (isAbsolute(word) ? word : resolve(word)));
  const { unknown, ...found } = paths.length === 0 ? { files: [], elsewhere: [], unknown: [] } : Paths.parse(await post(instance, '/api/orders/paths', { paths, trashed }));
  if (unknown.length > 0) throw new CommandError(`${trashed ? 'Nothing in the trash lay' : 'Nothing of the library lies'} at ${unknown.slice(0, 5).map((path) => safe(path)).join(', ')}${unknown.length > 5 ? ` and ${unknown.length - 5} more` : ''}.`, EXIT.usage);
  return { hashes: [...new Set(hashes)], ...found };
}

async function need(instance: Instance, args: readonly string[]): Promise<string[]> {
  const { hashes, files } = await find(instance, args, false);
  const all = [...new Set([...hashes, ...files.map((f) => f.sha256)])];
  if (all.length > MAX_ORDER_ASSETS) throw tooMany(all.length);
  return all;
}

type PartOfTrash = Pick<OrderOf<'restore'>, 'sha256s' | 'files' | 'of_order' | 'volumes'>;

/** A hash means all that lies in the trash of it; a path means what lay there alone. `all`: without either, everything. */
async function partsOfTrash(instance: Instance, args: readonly string[], all: boolean): Promise<PartOfTrash[]> {
  const rest = { of_order: null, volumes: [] };
  if (all && args.length === 0) return [{ sha256s: null, files: null, ...rest }];
  const { hashes, files } = await find(instance, args, true);
  const asked = new Set(hashes);
  const places = files.filter((f) => !asked.has(f.sha256));
  if (Math.max(hashes.length, places.length) > MAX_ORDER_ASSETS) throw tooMany(Math.max(hashes.length, places.length));
  return [
    ...(hashes.length > 0 ? [{ sha256s: hashes, files: null, ...rest }] : []),
    ...(places.length > 0 ? [{ sha256s: [...new Set(places.map((f) => f.sha256))], files: places.map(({ volume_id, path }) => ({ volume_id, path })), ...rest }] : []),
  ];
}

function tooMany(count: number): CommandError {
  return new CommandError(`One order takes ${MAX_ORDER_ASSETS.toLocaleString('en')} photos and videos at most; these are ${count.toLocaleString('en')}.`, EXIT.usage);
}

/** A hash means all of its copies; a path means that file alone, so where others stay only that copy goes, and the photo stays. */
function trashBodies({ hashes, files, elsewhere }: Found, lastCopies: boolean): OrderBody[] {
  const asked = new Set(hashes);
  const stays = new Set(elsewhere);
  const some = files.filter((f) => !asked.has(f.sha256) && stays.has(f.sha256));
  const whole = [...new Set([...hashes, ...files.filter((f) => !stays.has(f.sha256)).map((f) => f.sha256)])];
  const bodies: OrderBody[] = [];
  if (whole.length > 0) bodies.push({ kind: 'trash', sha256s: whole, volumes: [], copies: null, last_copies: lastCopies });
  if (some.length > 0) bodies.push({ kind: 'trash', sha256s: [...new Set(some.map((f) => f.sha256))], volumes: [], copies: some.map(({ volume_id, path }) => ({ volume_id, path })), last_copies: false });
  return bodies;
}

/** Connected drives by name; all of them where none is named. */
async function connectedDrives(instance: Instance, names: readonly string[]): Promise<NamedDrive[]> {
  const drives = await listDrives(instance);
  if (names.length === 0) return drives.filter((d) => d.state === 'present');
  return names.map((name) => {
    const drive = findDrive(drives, name);
    if (drive.state === 'away') throw new CommandError(`${safe(drive.volume)} is away. Plug it in first.`);
    return drive;
  });
}

async function post(instance: Instance, path: string, body: unknown): Promise<unknown> {
  try { return await (await callWorker(instance.worker, path, { method: 'POST', body: JSON.stringify(body), type: 'application/json' })).json(); } catch (error) {
    if (error instanceof WorkerRefused && typeof error.body === 'object' && error.body !== null && 'error' in error.body) throw new CommandError(String(error.body.error), error.status === 400 ? EXIT.usage : EXIT.fatal);
    throw error;
  }
}

async function plan(instance: Instance, body: OrderBody): Promise<OrderPlan> {
  return Planned.parse(await post(instance, '/api/orders', { body, dry: true })).plan;
}

function count(n: number, one: string, many = `${one}s`): string { return `${n.toLocaleString('en')} ${n === 1 ? one : many}`; }

function printPlan(body: OrderBody, planned: OrderPlan, { json }: Options): void {
  if (json) { printJson({ kind: body.kind, dry_run: true, ...planned }); return; }
  if (planned.blocked !== null) { printLine(safe(planned.blocked)); return; }
  printLine(`${count(planned.files, 'file')} of ${count(planned.assets, 'photo or video', 'photos and videos')}, ${sayBytes(planned.bytes)}${planned.sidecars > 0 ? `, and ${count(planned.sidecars, 'sidecar')}` : ''}. Nothing was done.`);
  for (const drive of planned.drives) printLine(`  ${safe(drive.label)}: ${count(drive.files, 'file')}`);
  for (const drive of planned.away) printLine(`  ${safe(drive.label)}, away: ${count(drive.files, 'file')} there ${drive.files === 1 ? 'stays' : 'stay'}`);
  if (planned.target) printLine(`  onto ${safe(planned.target.label)}`);
  if (planned.note) printLine(safe(planned.note));
  if (planned.last_copies > 0) printLine(`Of ${planned.last_copies.toLocaleString('en')} no other copy is known: --last-copies lets them go too.`);
  for (const file of planned.refused.files) printLine(`  left alone: ${safe(file.path)}: ${file.reason}`);
}

async function giveAndFollow(instance: Instance, body: OrderBody, options: Options): Promise<number> {
  const { order_id: id } = Given.parse(await post(instance, '/api/orders', { body, last_copies: options.order.lastCopies }));
  let order = await readOrder(instance, id, -1);
  let told = '';
  while (order.state === 'draft' || !isEnded(order.state)) {
    if (order.state === 'waiting' && order.reason !== null && order.reason !== told) { told = order.reason; say(safe(told)); }
    // A command that started the agent for itself does not wait for a drive: the next start goes on.
    if (order.state === 'waiting' && instance.engine) break;
    showLine(`${order.title}: ${order.progress.files_done.toLocaleString('en')} of ${order.progress.files.toLocaleString('en')} files`);
    await sleep(POLL_MS);
    order = await readOrder(instance, id, -1);
  }
  const receipts = [...order.receipts];
  for (let next = order.next; next !== null;) {
    const more = await readOrder(instance, id, next);
    receipts.push(...more.receipts);
    next = more.next;
  }
  // What it changed is in the library before the command ends.
  if (instance.engine) await instance.engine.settled();
  const notDone = receipts.filter((r) => !isDone(r.outcome));
  if (options.json) printJson({ order_id: id, kind: order.kind, state: order.state, reason: order.reason, counts: Object.fromEntries(order.counts.map((c) => [c.outcome, c.n])), receipts });
  else {
    clearProgress();
    for (const r of notDone) printLine(`${r.outcome}: ${safe(r.path)}${r.reason === null ? '' : `: ${safe(r.reason)}`}`);
    printLine(`${order.title}: ${order.counts.length === 0 ? 'there was nothing to do' : order.counts.map((c) => `${c.n.toLocaleString('en')} ${c.outcome.replaceAll('_', ' ')}`).join(', ')}.${order.reason === null ? '' : ` ${order.reason}`} Receipts: order ${id}.`);
  }
  return order.state === 'failed' ? EXIT.fatal : notDone.length > 0 || order.state !== 'done' ? EXIT.someFailed : EXIT.ok;
}

async function readOrder(instance: Instance, id: string, after: number): Promise<Order> {
  return Order.parse(await (await callWorker(instance.worker, `/api/orders/${id}?after=${after}`)).json());
}
