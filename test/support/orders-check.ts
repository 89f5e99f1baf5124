// What must hold of the drives whatever happens to an order: every original's bytes are where they lay or in the trash, nobody
// else's file is touched, every copy has a receipt, and receipts and catalog say what is so.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { joinPath } from '../../agent/catalog/files.ts';
import type { Catalog } from '../../agent/catalog/catalog.ts';
import { getOrder } from '../../agent/catalog/orders.ts';
import { isDone, isEnded, type OrderState, type Outcome } from '../../protocol/orders.ts';

const TRASH = '.jharokha-trash';

interface Seen { sha256: string; mtimeMs: number; inode: string }
interface Drive { volume_id: string; mount_point: string }

/** Where inodes do not last nothing but its path tells a file from another of the same bytes. */
function seenOf(path: string, stat: Stats, inodes: boolean): Seen {
  return { sha256: createHash('sha256').update(readFileSync(path)).digest('hex'), mtimeMs: stat.mtimeMs, inode: inodes ? `${stat.dev}:${stat.ino}` : path };
}

/** Every file under a folder, by its absolute path, and every folder. */
function readTree(top: string, inodes = true, files = new Map<string, Seen>(), folders = new Set<string>()): { files: Map<string, Seen>; folders: Set<string> } {
  for (const name of readdirSync(top)) {
    const path = join(top, name);
    const stat = lstatSync(path);
    if (stat.isDirectory()) { folders.add(path); readTree(path, inodes, files, folders); continue; }
    files.set(path, seenOf(path, stat, inodes));
  }
  return { files, folders };
}

function isInTrash(path: string): boolean { return path.split('/').includes(TRASH); }

/** Of the two steps of a mend the first trashes. */
function trashes(step: StepRow): boolean { return step.kind === 'trash' || (step.kind === 'mend' && step.n % 2 === 0); }

/** What becomes of a file of the owner's, as against what is read from it. */
const MOVES: readonly (Outcome | null)[] = ['trashed', 'restored', 'emptied'];
const COPIES: readonly (Outcome | null)[] = ['copied', 'exported', 'already'];

interface StepRow { order_id: string; kind: string; n: number; role: 'asset' | 'sidecar'; volume_id: string; path: string; sha256: string | null; to_path: string | null; outcome: Outcome | null; reason: string | null; revision: number; from_order: string | null; from_n: number | null }

/** Of a part that was left: what became of its step. */
function sayPart(path: string, steps: readonly StepRow[]): string {
  const [, order, n] = /\.jharokha-part-(.{36})-(\d+)$/.exec(path) ?? [];
  const step = steps.find((s) => s.order_id === order && s.n === Number(n));
  return step ? ` (${step.path}: ${step.outcome ?? ''} ${step.reason ?? ''} ${step.to_path ?? ''})` : '';
}

export interface Watch {
  /** The file that lay at `place` (absolute) was changed by somebody else and lies at `now`. */
  changed(place: string, now: string): void;
  /** Somebody else made a file. */
  added(path: string): void;
  /** Somebody else took a file away: its bytes are none of ours to account for. */
  removed(place: string): void;
  /** What does not hold, in words; nothing where all is well. All drives are connected, and the orders have ended. */
  check(catalog: Catalog): string[];
  /** What the drives and the orders' tables hold, as one text: equal where nothing happened. */
  snapshot(catalog: Catalog): string;
}

/** Notes all files on the drives as they are before an order. What lies in the trash already is known by the catalog. `inodes`: whether those of the drives last. */
export function watchDrives(drives: readonly Drive[], catalog: Catalog, { inodes = true } = {}): Watch {
  const trees = () => {
    const all = { files: new Map<string, Seen>(), folders: new Set<string>() };
    for (const d of drives) readTree(d.mount_point, inodes, all.files, all.folders);
    return all;
  };
  const absolute = (volumeId: string, path: string): string => join(drives.find((d) => d.volume_id === volumeId)?.mount_point ?? '/nowhere', path);
  const before = trees();
  const ordered = new Set(catalog.db.prepare("SELECT DISTINCT sha256 FROM files WHERE seen_as = 'asset'").all().map((r) => String(r['sha256'])));
  const originals = new Map<string, Seen>();
  for (const [path, seen] of before.files) if (!isInTrash(path)) originals.set(path, seen);
  const inTrash = new Map<string, string>();
  for (const row of listTrashRows(catalog)) {
    const seen = before.files.get(absolute(row.volume_id, row.trash_path));
    if (seen) { originals.set(absolute(row.volume_id, row.path), seen); inTrash.set(absolute(row.volume_id, row.path), absolute(row.volume_id, row.trash_path)); }
  }
  const others = new Map<string, Seen>();
  const touched = new Set<string>();
  const lookAt = (path: string): Seen => seenOf(path, lstatSync(path), inodes);

  function check(now: Catalog): string[] {
    const wrong: string[] = [];
    const after = trees();
    const steps = listSteps(now);
    const rows = new Map(listTrashRows(now).map((r) => [absolute(r.volume_id, r.trash_path), r]));

    // Orders have ended, each with one receipt a file.
    for (const order of now.db.prepare('SELECT order_id, state, planned FROM orders').all() as { order_id: string; state: OrderState; planned: number }[]) {
      if (!isEnded(order.state)) wrong.push(`order ${order.order_id} is still ${order.state}`);
    }
    const places = new Map<string, StepRow[]>();
    const byPlace = new Set<string>();
    for (const step of steps) {
      const place = absolute(step.volume_id, step.path);
      if (step.outcome === null) wrong.push(`no receipt for ${place}`);
      const key = `${step.order_id}\0${place}\0${trashes(step)}`;
      // A sidecar that speaks of two pictures goes with the copy of each.
      if (byPlace.has(key) && !(step.role === 'sidecar' && (step.kind === 'copy' || step.kind === 'export'))) wrong.push(`two receipts in one order for ${place}`);
      byPlace.add(key);
      places.set(place, [...(places.get(place) ?? []), step]);
    }

    // Every original is in one place, and that is the place which its last receipt names.
    for (const [place, original] of originals) {
      const its = places.get(place) ?? [];
      const targets = new Set([...(inTrash.has(place) ? [inTrash.get(place) as string] : []), ...its.flatMap((s) => (s.to_path === null || !trashes(s) ? [] : [absolute(s.volume_id, s.to_path)])),
        ...its.flatMap((s) => { const from = s.from_order === null ? undefined : steps.find((t) => t.order_id === s.from_order && t.n === s.from_n); return from?.to_path ? [absolute(s.volume_id, from.to_path)] : []; })]);
      const found = [...(others.has(place) ? [] : [place]), ...targets].filter((path) => after.files.get(path)?.sha256 === original.sha256);
      const distinct = new Set(found.map((path) => after.files.get(path)?.inode));
      const lastMove = its.filter((s) => s.outcome !== null && (MOVES.includes(s.outcome) || (trashes(s) && s.to_path !== null))).at(-1);
      const said = lastMove === undefined ? (inTrash.has(place) ? 'trash' : 'place') : lastMove.outcome === 'restored' ? 'place' : lastMove.outcome === 'emptied' ? 'nowhere' : 'trash';
      if (said === 'nowhere') {
        if (distinct.size > 0) wrong.push(`emptied and still there: ${found.join(', ')}`);
        if (touched.has(place)) wrong.push(`emptied, though it had been changed: ${place}`);
        continue;
      }
      if (distinct.size === 0) { wrong.push(`LOST ${place} (${its.map((s) => `${s.kind} ${s.outcome}: ${s.reason ?? ''}`).join('; ')})`); continue; }
      if (distinct.size > 1) wrong.push(`twice: ${found.join(', ')}`);
      // One file under both names is what a drive leaves that let the second name be made and not the first be removed.
      if (found.length > 1 && !its.some((s) => s.outcome === 'failed' || s.outcome === 'refused')) wrong.push(`under both names: ${found.join(', ')}`);
      for (const path of found) if (after.files.get(path)?.mtimeMs !== original.mtimeMs) wrong.push(`other mtime: ${path}`);
      const at = found[0] === place ? 'place' : 'trash';
      if (found.length === 1 && at !== said) wrong.push(`receipts say ${said} of ${place}, and it is at ${found[0] ?? ''} (${its.map((s) => `${s.kind} ${s.outcome} ${s.reason ?? ''}`).join('; ')})`);
      for (const path of found) if (path !== place && !rows.has(path)) wrong.push(`lies in the trash and is not listed there: ${path}`);
    }

    // What a receipt calls a copy is there, with the bytes that were ordered; what it says of a file that was only read is so.
    const copies = new Set<string>();
    for (const step of steps) {
      if (['trash', 'restore', 'empty'].includes(step.kind) || trashes(step)) continue;
      const place = absolute(step.volume_id, step.path);
      const said = `${step.kind} ${step.outcome ?? ''} ${step.reason ?? ''}`;
      const there = touched.has(place) || others.has(place) ? undefined : after.files.get(place);
      if (COPIES.includes(step.outcome)) {
        const copy = step.kind === 'export' ? step.to_path ?? '' : absolute(step.kind === 'copy' ? getOrder(now, step.order_id)?.target?.volume_id ?? '' : step.volume_id, step.to_path ?? '');
        const is = after.files.get(copy);
        // Another order may have moved what was there already.
        const left = !is && (places.get(copy) ?? []).some((s) => trashes(s) && s.to_path !== null && s.revision > step.revision);
        if (left) continue;
        if (!is) wrong.push(`LOST, a copy of ${place} that receipts say is at ${copy} (${said})`);
        else if (step.sha256 === null ? step.outcome !== 'already' : is.sha256 !== step.sha256) wrong.push(`a copy with other bytes: ${copy} (${said})`);
        if (step.role === 'asset' && !ordered.has(step.sha256 ?? '')) wrong.push(`a copy of what nobody knew: ${copy} (${said})`);
        if (step.outcome !== 'already' && copies.has(copy)) wrong.push(`two receipts for one copy: ${copy}`);
        copies.add(copy);
      } else if (there && step.outcome === 'verified' && there.sha256 !== step.sha256) wrong.push(`verified with other bytes: ${place}`);
      else if (there && step.outcome === 'damaged' && there.sha256 === step.sha256) wrong.push(`called damaged, and it is not: ${place}`);
      else if (there && step.outcome === 'gone' && originals.has(place)) wrong.push(`called gone, and it is there: ${place} (${said})`);
    }

    // Nobody else's file is touched, and nothing is added but the trash folder, copies, and what a drive did not let be removed again.
    for (const [path, seen] of others) {
      const is = after.files.get(path);
      if (is?.sha256 !== seen.sha256 || is.mtimeMs !== seen.mtimeMs || is.inode !== seen.inode) wrong.push(`another's file was touched: ${path}`);
    }
    const isTold = (path: string): boolean => copies.has(path) || steps.some((s) => s.reason?.includes(path) === true);
    for (const path of after.files.keys()) if (!isInTrash(path) && !originals.has(path) && !others.has(path) && !isTold(path)) wrong.push(`added: ${path}${sayPart(path, steps)}`);
    const targets = [...new Set(steps.map((s) => s.order_id))].flatMap((id) => { const target = getOrder(now, id)?.target; return target ? [absolute(target.volume_id, target.path)] : []; });
    for (const path of after.folders) if (!isInTrash(path) && !before.folders.has(path) && !targets.some((t) => path === t || path.startsWith(`${t}/`))) wrong.push(`a folder was added: ${path}`);
    for (const path of before.folders) if (!isInTrash(path) && !after.folders.has(path)) wrong.push(`a folder is gone: ${path}`);

    // What went is what was ordered, as the catalog knew it; and what is listed as trash is there, as it is listed.
    for (const row of rows.values()) {
      const known = JSON.parse(row.file) as { seen_as: string; sha256: string | null } | null;
      const step = steps.find((s) => s.order_id === row.order_id && s.n === row.n);
      if (step?.kind === 'trash' && step.outcome === 'trashed' && known?.seen_as === 'asset' && known.sha256 !== row.sha256) wrong.push(`trashed with other bytes than were ordered: ${row.path}`);
    }
    for (const [path, row] of rows) {
      const is = after.files.get(path);
      if (!is) wrong.push(`listed in the trash and not there: ${path}`);
      else if (is.sha256 !== row.sha256 && !touched.has(absolute(row.volume_id, row.path))) wrong.push(`listed in the trash with another hash: ${path}`);
    }
    for (const step of steps) {
      if (step.outcome === null || isDone(step.outcome) || step.reason !== null) continue;
      wrong.push(`a refusal without a reason: ${step.path}`);
    }
    return wrong;
  }

  return {
    changed: (place, path) => { originals.set(place, lookAt(path)); touched.add(place); },
    added: (path) => { others.set(path, lookAt(path)); },
    removed: (place) => { originals.delete(place); },
    check,
    snapshot: (now) => JSON.stringify({ files: [...trees().files].sort(([a], [b]) => (a < b ? -1 : 1)), steps: listSteps(now), trash: listTrashRows(now) }),
  };
}

function listSteps(catalog: Catalog): StepRow[] {
  return catalog.db.prepare(`SELECT s.order_id, o.kind, s.n, s.role, s.volume_id, s.path, s.sha256, s.to_path, s.outcome, s.reason, s.revision, s.from_order, s.from_n FROM order_steps s JOIN orders o USING (order_id)
    ORDER BY s.revision, s.order_id, s.n`).all() as unknown as StepRow[];
}

interface TrashRow { order_id: string; n: number; volume_id: string; path: string; trash_path: string; sha256: string; file: string }

function listTrashRows(catalog: Catalog): TrashRow[] {
  return catalog.db.prepare('SELECT order_id, n, volume_id, path, trash_path, sha256, file FROM trash ORDER BY order_id, n').all() as unknown as TrashRow[];
}

/**
 * After a complete scan: rows of pictures say what lies there, nothing that is there is missing, and nothing is said to be there that is
 * not. `inodes`: the drives keep them, and with them a ctime: else no scan can see that bytes changed under an unchanged size and date.
 */
export function checkRows(drives: readonly Drive[], catalog: Catalog, isPicture: (path: string) => boolean, { inodes = true } = {}): string[] {
  const wrong: string[] = [];
  const rows = catalog.db.prepare("SELECT volume_id, dir, name, seen_as, sha256, size_bytes, mtime_ms, missing_since_ms, damaged_ms FROM files").all() as { volume_id: string; dir: string; name: string; seen_as: string; sha256: string | null; size_bytes: number; mtime_ms: number; missing_since_ms: number | null; damaged_ms: number | null }[];
  const isUnseen = (path: string, row: { size_bytes: number; mtime_ms: number }): boolean => { const stat = lstatSync(path); return !inodes && stat.size === row.size_bytes && stat.mtimeMs === row.mtime_ms; };
  for (const drive of drives) {
    const there = readTree(drive.mount_point).files;
    const known = new Map(rows.filter((r) => r.volume_id === drive.volume_id).map((r) => [join(drive.mount_point, joinPath(r.dir, r.name)), r]));
    for (const [path, seen] of there) {
      if (isInTrash(path) || path.includes('/.jharokha-part-') || !isPicture(path)) continue;
      const row = known.get(path);
      if (!row || row.seen_as !== 'asset') wrong.push(`not in the catalog: ${path}`);
      else if (row.missing_since_ms !== null) wrong.push(`missing, and it is there: ${path}`);
      // What a verification found damaged keeps the hash that it should have.
      else if (row.sha256 !== seen.sha256 && row.damaged_ms === null && !isUnseen(path, row)) wrong.push(`another hash in the catalog: ${path}`);
    }
    for (const [path, row] of known) if (row.seen_as === 'asset' && row.missing_since_ms === null && !there.has(path)) wrong.push(`in the catalog and not there: ${path}`);
  }
  return wrong;
}
