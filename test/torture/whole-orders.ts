// Orders of a whole instance, Worker and agent as real processes: killed while an order runs, at a call of the agent's, or either or
// both at a moment, and started again until the order has ended. Then the drive, the catalog's receipts and the Worker's must agree.
import { copyFileSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDataDir } from '../../agent/config.ts';
import { openCatalog } from '../../agent/catalog/catalog.ts';
import type { Fault } from '../../agent/files/faults.ts';
import { isEnded, type OrderState } from '../../protocol/orders.ts';
import { createFakeVolumes, type FakeVolumes } from '../support/fake-volumes.ts';
import { freePort, killAgentOnly, killGroup, killWorkerOnly, startUp, stopUp, waitIdle, type Up } from '../support/instance.ts';
import { makeLibrary } from '../support/library.ts';
import { copyTree, rot } from '../support/orders-world.ts';
import { checkRows, watchDrives } from '../support/orders-check.ts';
import { createDice, type Dice } from '../support/random.ts';
import { openD1 } from '../support/snapshot.ts';

const WAIT_MS = 60_000;
const WRITES_COPY = ['create', 'setTimes', 'moveNoReplace', 'makeFolders', 'syncFolder', 'open', 'read'] as const;
/** Calls at which the agent ends itself; every unit makes each of them. */
const CALLS = {
  trash: ['lstat', 'append', 'syncFolder', 'makeFolder', 'moveIntoNew', 'open', 'read'], restore: ['lstat', 'makeFolders', 'moveNoReplace', 'syncFolder', 'removeFolder', 'open', 'read'], empty: ['open', 'read', 'remove', 'removeFolder', 'syncFolder'],
  copy: WRITES_COPY, export: WRITES_COPY, mend: [...WRITES_COPY, 'append', 'moveIntoNew'], verify: ['lstat', 'open', 'read'],
} as const satisfies Record<string, readonly Fault['op'][]>;
type Kind = keyof typeof CALLS;
const CHANGES: readonly Fault['op'][] = ['create', 'setTimes', 'moveNoReplace', 'makeFolders', 'syncFolder', 'append', 'moveIntoNew'];
/** On which paths: none that the scan after the order would read. */
function matchOf(kind: Kind, op: Fault['op']): string {
  switch (kind) {
    case 'trash': case 'restore': case 'empty': return 'jharokha-trash';
    case 'copy': return CHANGES.includes(op) ? '/red/' : '/blue/|jharokha-part';
    case 'export': return CHANGES.includes(op) ? '/green/' : '/blue/|jharokha-part';
    case 'mend': return CHANGES.includes(op) ? '/blue/' : 'jharokha-part';
    case 'verify': return '/(blue|red)/';
  }
}
/** All but the last are indexed. */
const DRIVES = ['blue', 'red', 'green'] as const;
const FLOWS = ['trash', 'copy', 'export', 'mend'] as const;

/** `paths`: of files on blue of which red has a copy. */
export interface WholeTemplate { folder: string; hashes: string[]; paths: string[]; remove(): void }
export interface WholeOutcome { seed: number; kills: string[]; wrong: string[]; log: string }

interface Place { drives: FakeVolumes; tops: string[]; dataDir: string; env: Record<string, string> }

function openPlace(template?: WholeTemplate): Place {
  const drives = createFakeVolumes();
  const tops = DRIVES.map((name) => drives.plugIn(name));
  const dataDir = join(drives.folder, 'data');
  if (template) {
    DRIVES.forEach((name, i) => { copyTree(join(template.folder, name), tops[i] as string); });
    copyTree(join(template.folder, 'data'), dataDir);
  }
  return { drives, tops, dataDir, env: { JHAROKHA_TEST_VOLUMES: drives.file, JHAROKHA_TEST_FAULTS: join(drives.folder, 'faults.json') } };
}

/** Two drives that are indexed and synced, the second with some copies of what the first has, and one that is neither; with the data folder that knows them. */
export async function makeWholeTemplate(): Promise<WholeTemplate> {
  const folder = mkdtempSync(join(tmpdir(), 'jharokha-whole-orders-'));
  const place = openPlace();
  const [blue = '', red = ''] = place.tops;
  await makeLibrary(blue, 8);
  const paths = readdirSync(blue, { recursive: true }).map(String).filter((path) => path.endsWith('.jpg') && !/^(Odd|Copies)|\/\._/.test(path) && lstatSync(join(blue, path)).nlink === 1).sort().filter((_, i) => i % 2 === 0);
  for (const path of paths) {
    const to = join(red, 'Copies', path);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(blue, path), to);
    const { mtime } = lstatSync(join(blue, path));
    utimesSync(to, mtime, mtime);
  }
  const up = startUp(place.dataDir, await freePort(), [blue, red], place.env);
  await waitIdle(up);
  await stopUp(up);
  const catalog = openCatalog(join(place.dataDir, 'catalog.db'));
  const hashes = catalog.db.prepare("SELECT DISTINCT sha256 FROM files WHERE seen_as = 'asset'").all().map((r) => String(r['sha256']));
  catalog.close();
  DRIVES.forEach((name, i) => { copyTree(place.tops[i] as string, join(folder, name)); });
  copyTree(place.dataDir, join(folder, 'data'));
  place.drives.remove();
  return { folder, hashes, paths, remove: () => { rmSync(folder, { recursive: true, force: true }); } };
}

async function ask<T>(up: Up, dataDir: string, path: string, body?: unknown): Promise<T> {
  const headers = { Authorization: `Bearer ${openDataDir(dataDir).token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) };
  const answer = await fetch(`${up.url}${path}`, { headers, signal: AbortSignal.timeout(20_000), ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return await answer.json() as T;
}

/** Trash, then restore or empty; copies, which are then verified; an export; damage, which is found and mended. Each order is killed once while it runs. */
export async function runWhole(template: WholeTemplate, seed: number): Promise<WholeOutcome> {
  const dice = createDice(seed);
  const place = openPlace(template);
  const outcome: WholeOutcome = { seed, kills: [], wrong: [], log: '' };
  const list = DRIVES.map((name, i) => ({ volume_id: `uuid:${name}`, mount_point: place.tops[i] as string }));
  const port = await freePort();
  let up: Up | undefined;
  try {
    const before = openCatalog(join(place.dataDir, 'catalog.db'));
    const watch = watchDrives(list, before);
    before.close();
    const sha256s = dice.shuffle(template.hashes).slice(0, 3 + Math.floor(dice.next() * (template.hashes.length - 3)));
    const ids: string[] = [];
    const [blue = '', , green = ''] = place.tops;
    const run = async (kind: Kind, body: Record<string, unknown>): Promise<void> => {
      up = await killDuring(place, port, up, kind, { kind, ...body }, dice, outcome, ids);
      await untilEnded(up, place, ids.at(-1) ?? '');
    };
    switch (dice.pick(FLOWS)) {
      case 'trash': {
        await run('trash', { sha256s, volumes: ['uuid:blue'], last_copies: true });
        const then = dice.pick(['restore', 'empty'] as const);
        await run(then, { sha256s, volumes: ['uuid:blue'], ...(then === 'restore' ? {} : { last_copies: true }) });
        break;
      }
      case 'copy':
        await run('copy', { sha256s, volume_id: 'uuid:red', folder: 'Copies' });
        await run('verify', { volume_id: 'uuid:red' });
        break;
      case 'export':
        await run('export', { sha256s, folder: join(green, 'Export') });
        break;
      case 'mend': {
        up = startUp(place.dataDir, port, [], place.env);
        await waitIdle(up);
        const rotten = dice.shuffle(template.paths).slice(0, 1 + Math.floor(dice.next() * template.paths.length));
        for (const path of rotten) { rot(join(blue, path)); watch.changed(join(blue, path), join(blue, path)); }
        // Either: until a verification has found it the scan of a start takes for an edit what was written here, for unlike what a dying drive does it moved the ctime.
        if (dice.next() < 0.3) await run('verify', { volume_id: 'uuid:blue' });
        else await run('mend', { files: rotten.map((path) => ({ volume_id: 'uuid:blue', path })), volumes: ['uuid:blue', 'uuid:red'] });
      }
    }
    // Once more, so that a scan has seen what the orders left.
    if (!up) throw new Error('nothing runs');
    await waitIdle(up);
    outcome.log = up.log();
    await stopUp(up);
    up = startUp(place.dataDir, port, [], place.env);
    await waitIdle(up);
    await stopUp(up);
    up = undefined;
    const catalog = openCatalog(join(place.dataDir, 'catalog.db'));
    outcome.wrong.push(...watch.check(catalog), ...checkRows(list.slice(0, 2), catalog, (path) => !path.includes('/Odd/') && /\.(jpg|jpeg|png|webp|heic)$/i.test(path) && !path.includes('/._')));
    const told = (sql: string, db: { prepare(sql: string): { all(): unknown[] } }) => db.prepare(sql).all().map((r) => JSON.stringify(r));
    const mine = told('SELECT order_id, n, path, outcome FROM order_steps ORDER BY order_id, n', catalog.db);
    const d1 = openD1(place.dataDir);
    const theirs = told('SELECT order_id, n, path, outcome FROM receipts ORDER BY order_id, n', d1);
    // Of what was verified nothing is kept here once it is told.
    const both = new Set([...mine, ...theirs.filter((text) => text.includes('"verified"'))]);
    if (theirs.length !== both.size || !theirs.every((text) => both.has(text))) outcome.wrong.push(`the Worker’s receipts are others: ${theirs.length} for ${mine.length}`);
    d1.close();
    catalog.close();
  } catch (error) {
    outcome.wrong.push(error instanceof Error ? error.stack ?? error.message : String(error));
    if (up) outcome.log = up.log();
  } finally {
    if (up) { killGroup(up); await up.ended; }
    place.drives.remove();
  }
  return outcome;
}

/** Gives the order to a running instance, ends it while the order runs, and starts it again. */
async function killDuring(place: Place, port: number, running: Up | undefined, kind: Kind, body: Record<string, unknown>, dice: Dice, outcome: WholeOutcome, ids: string[]): Promise<Up> {
  const faults = place.env['JHAROKHA_TEST_FAULTS'] ?? '';
  const atCall = dice.next() < 0.6;
  const op = dice.pick(CALLS[kind]);
  const fault: Fault = { match: matchOf(kind, op), op, effect: dice.next() < 0.5 ? 'kill' : 'kill_after', after: Math.floor(dice.next() * 5), times: 1 };
  writeFileSync(faults, JSON.stringify([]));
  const up = running ?? startUp(place.dataDir, port, [], place.env);
  await waitIdle(up);
  writeFileSync(faults, JSON.stringify(atCall ? [fault] : []));
  const given = await ask<{ order_id: string }>(up, place.dataDir, '/api/orders', { body, last_copies: true });
  ids.push(given.order_id);
  const after = Math.round(dice.next() * 400);
  if (atCall) {
    // The call may be one that this order makes less often: then nobody is killed.
    await Promise.race([up.ended, untilEnded(up, place, given.order_id).catch(() => undefined)]);
    if (up.child.exitCode === null && up.child.signalCode === null && existsSync(join(place.dataDir, 'run.json')) && await isWell(up, place, given.order_id)) return up;
    outcome.kills.push(`${kind}: agent at ${op} ${(fault.after ?? 0) + 1}`);
    killGroup(up);
  } else {
    await sleep(after);
    const which = dice.pick(['agent', 'Worker', 'all'] as const);
    if (which === 'Worker' && killWorkerOnly(up)) { outcome.kills.push(`${kind}: Worker after ${after} ms`); return up; }
    const agentOnly = which === 'agent' && killAgentOnly(place.dataDir);
    if (!agentOnly) killGroup(up);
    outcome.kills.push(`${kind}: ${agentOnly ? 'agent' : 'all'} after ${after} ms`);
  }
  await up.ended;
  killGroup(up);
  writeFileSync(faults, JSON.stringify([]));
  return startUp(place.dataDir, port, [], place.env);
}

async function stateOf(up: Up, place: Place, id: string): Promise<OrderState | undefined> {
  try { return (await ask<{ state: OrderState }>(up, place.dataDir, `/api/orders/${id}`)).state; } catch { return undefined; }
}

async function isWell(up: Up, place: Place, id: string): Promise<boolean> { const state = await stateOf(up, place, id); return state !== undefined && isEnded(state); }

async function untilEnded(up: Up, place: Place, id: string): Promise<void> {
  for (const until = Date.now() + WAIT_MS; Date.now() < until && up.child.exitCode === null && up.child.signalCode === null; await sleep(100)) if (await isWell(up, place, id)) return;
  throw new Error(`order ${id} did not end: ${await stateOf(up, place, id) ?? 'no answer'}`);
}
