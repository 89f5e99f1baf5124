// Orders, their steps and the trash, as the agent has them. A step is written before its file is touched; a step with an
// outcome is its receipt, and waits to be told. What the rules are is agent/orders' to know.
import { ENDED_STATES, isEnded, MAX_REPORT_RECEIPTS, OrderBody, type Order, type OrderKind, type OrderProgress, type OrderReport, type OrderState, type Outcome, type Receipt } from '../../protocol/orders.ts';
import type { Catalog } from './catalog.ts';

export interface OrderRow { order_id: string; kind: OrderKind; body: OrderBody; given_ms: number; state: OrderState; cancelled: boolean; planned: boolean; waiting_for: string | null; reason: string | null; ended_ms: number | null; target: OrderTarget | null }

/** The folder that copies go to: on which volume, relative to its top. So an order finds it again however the drive is mounted then. `label`: what the drive called itself, for it may be none of the library's. */
export interface OrderTarget { volume_id: string; path: string; label: string }

/** What is being done to a step's file right now, as far as the catalog knows. */
export type Doing = 'moving' | 'returning' | 'restoring' | 'removing' | 'writing';

export interface Step {
  order_id: string; n: number; unit: number; role: 'asset' | 'sidecar'; volume_id: string; path: string; sha256: string | null; size_bytes: number;
  to_path: string | null; doing: Doing | null; began_ms: number | null; will: Outcome | null; outcome: Outcome | null; reason: string | null; at_ms: number | null;
  from_order: string | null; from_n: number | null;
}
export type NewStep = Pick<Step, 'unit' | 'role' | 'volume_id' | 'path' | 'sha256' | 'size_bytes'> & Partial<Pick<Step, 'to_path' | 'outcome' | 'reason' | 'from_order' | 'from_n'>>;

export interface TrashRow { order_id: string; n: number; unit: number; role: 'asset' | 'sidecar'; volume_id: string; path: string; trash_path: string; sha256: string; size_bytes: number; file: string; at_ms: number }

const STEP_COLUMNS = 'order_id, n, unit, role, volume_id, path, sha256, size_bytes, to_path, doing, began_ms, will, outcome, reason, at_ms, from_order, from_n';

/** Takes an order; one that is known stays as it is. */
export function takeOrder(catalog: Catalog, order: Order): void {
  catalog.transact(() => {
    catalog.prepare("INSERT INTO orders (order_id, kind, given_ms, state, cancelled, revision) VALUES (?, ?, ?, 'running', ?, ?) ON CONFLICT (order_id) DO NOTHING")
      .run(order.order_id, order.body.kind, order.given_at_ms, Number(order.cancelled), catalog.nextRevision());
    catalog.prepare('INSERT INTO order_bodies (order_id, body) VALUES (?, ?) ON CONFLICT (order_id) DO NOTHING').run(order.order_id, JSON.stringify(order.body));
  });
}

/**
 * What the Worker says of an order that it holds for open: whether it is known here. A cancellation is noted; one that has
 * ended here is told again, with all its receipts, for the Worker may be an older copy of itself.
 */
export function noteOpen(catalog: Catalog, orderId: string, cancelled: boolean): boolean {
  const known = getOrder(catalog, orderId);
  if (!known) return false;
  catalog.transact(() => {
    if (isEnded(known.state) && catalog.prepare('SELECT 1 FROM orders WHERE order_id = ? AND revision <= pushed_revision').get(orderId)) {
      catalog.prepare('UPDATE orders SET pushed_revision = 0 WHERE order_id = ?').run(orderId);
      catalog.prepare('UPDATE order_steps SET pushed_revision = 0 WHERE order_id = ?').run(orderId);
    } else if (cancelled && !known.cancelled) catalog.prepare('UPDATE orders SET cancelled = 1 WHERE order_id = ?').run(orderId);
  });
  return true;
}

export function getOrder(catalog: Catalog, orderId: string): OrderRow | undefined {
  const row = catalog.prepare('SELECT * FROM orders JOIN order_bodies USING (order_id) WHERE order_id = ?').get(orderId);
  return row ? toOrder(row) : undefined;
}

/** Asked before each file. */
export function isCancelled(catalog: Catalog, orderId: string): boolean {
  return catalog.prepare('SELECT cancelled FROM orders WHERE order_id = ?').get(orderId)?.['cancelled'] === 1;
}

/** Orders that have not ended, the oldest first. */
export function listOpenOrders(catalog: Catalog): string[] {
  return catalog.prepare('SELECT order_id FROM orders INDEXED BY orders_open WHERE ended_ms IS NULL ORDER BY given_ms, order_id').all().map((r) => r['order_id'] as string);
}

/** Says how an order stands; due to be told where that is news. */
export function setOrderState(catalog: Catalog, orderId: string, state: OrderState, words: { waiting_for?: string | null; reason?: string | null; atMs: number }): void {
  const [waiting, reason] = [words.waiting_for ?? null, words.reason ?? null];
  catalog.transact(() => {
    catalog.prepare(`UPDATE orders SET state = ?2, waiting_for = ?3, reason = ?4, ended_ms = ?5, revision = ?6 WHERE order_id = ?1 AND ended_ms IS NULL
      AND (state IS NOT ?2 OR waiting_for IS NOT ?3 OR reason IS NOT ?4)`).run(orderId, state, waiting, reason, ENDED_STATES.includes(state) ? words.atMs : null, catalog.nextRevision());
  });
}

/** What a drive called itself when the last order went onto it. */
export function targetLabel(catalog: Catalog, volumeId: string): string | undefined {
  const row = catalog.prepare("SELECT json_extract(target, '$.label') AS label FROM orders WHERE json_extract(target, '$.volume_id') = ? ORDER BY given_ms DESC LIMIT 1").get(volumeId);
  return typeof row?.['label'] === 'string' ? row['label'] : undefined;
}

/** Writes the whole plan at once; a step that comes with an outcome is refused already. */
export function putPlan(catalog: Catalog, orderId: string, steps: readonly NewStep[], atMs: number, target?: OrderTarget): void {
  catalog.transact(() => {
    catalog.prepare('DELETE FROM order_steps WHERE order_id = ?').run(orderId);
    const insert = catalog.prepare(`INSERT INTO order_steps (order_id, n, unit, role, volume_id, path, sha256, size_bytes, to_path, outcome, reason, at_ms, from_order, from_n, revision)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    steps.forEach((s, n) => {
      const outcome = s.outcome ?? null;
      insert.run(orderId, n, s.unit, s.role, s.volume_id, s.path, s.sha256, s.size_bytes, s.to_path ?? null, outcome, s.reason ?? null, outcome === null ? null : atMs, s.from_order ?? null, s.from_n ?? null,
        outcome === null ? 0 : catalog.nextRevision());
    });
    if (target) catalog.prepare('UPDATE orders SET target = ? WHERE order_id = ?').run(JSON.stringify(target), orderId);
    endPlan(catalog, orderId);
  });
}

/**
 * The plan of a verification, made by SQLite alone, for it may have a million steps: every file of an asset on the volume, or
 * `share` percent of them, those first that were not verified for longest. One unit a file, with a step for each of its paths.
 */
export function putVerifyPlan(catalog: Catalog, orderId: string, volumeId: string, share: number): void {
  catalog.transact(() => {
    catalog.prepare('DELETE FROM order_steps WHERE order_id = ?').run(orderId);
    catalog.prepare(`INSERT INTO order_steps (order_id, n, unit, role, volume_id, path, sha256, size_bytes)
      WITH f AS MATERIALIZED (${FILES_TO_VERIFY}),
        u AS (SELECT file, min(path) AS first FROM f GROUP BY file ORDER BY min(coalesce(verified_ms, 0)), first LIMIT (SELECT CAST((count(DISTINCT file) * ?2 + 99) / 100 AS INTEGER) FROM f)),
        -- In the order of folders, which is near that of a disk.
        w AS (SELECT file, row_number() OVER (ORDER BY first) - 1 AS unit FROM u)
      SELECT ?3, row_number() OVER (ORDER BY w.unit, f.path) - 1, w.unit, 'asset', ?1, f.path, f.sha256, f.size_bytes FROM f JOIN w ON w.file = f.file`).run(volumeId, share, orderId);
    endPlan(catalog, orderId);
  });
}

const FILES_TO_VERIFY = `SELECT CASE WHEN dir = '' THEN name ELSE dir || '/' || name END AS path, sha256, size_bytes, verified_ms,
  CASE WHEN fs_id IS NULL OR inode IS NULL THEN dir || '/' || name ELSE fs_id || ' ' || inode END AS file FROM files WHERE volume_id = ?1 AND seen_as = 'asset' AND sha256 IS NOT NULL AND missing_since_ms IS NULL`;

/** What such a plan comes to; paths of one file count once. */
export function countFilesToVerify(catalog: Catalog, volumeId: string, share: number): { files: number; bytes: number; assets: number } {
  const row = catalog.prepare(`WITH f AS (${FILES_TO_VERIFY}),
    u AS (SELECT min(sha256) AS sha256, max(size_bytes) AS size_bytes, min(coalesce(verified_ms, 0)) AS at, min(path) AS first FROM f GROUP BY file ORDER BY at, first LIMIT (SELECT CAST((count(DISTINCT file) * ?2 + 99) / 100 AS INTEGER) FROM f))
    SELECT count(*) AS files, coalesce(sum(size_bytes), 0) AS bytes, count(DISTINCT sha256) AS assets FROM u`).get(volumeId, share);
  return { files: Number(row?.['files'] ?? 0), bytes: Number(row?.['bytes'] ?? 0), assets: Number(row?.['assets'] ?? 0) };
}

function endPlan(catalog: Catalog, orderId: string): void {
  catalog.prepare(`UPDATE orders SET planned = 1, revision = ?2, files = s.files, files_done = s.files_done, bytes = s.bytes, bytes_done = s.bytes_done
    FROM (SELECT count(*) AS files, count(outcome) AS files_done, coalesce(sum(size_bytes), 0) AS bytes, coalesce(sum(size_bytes) FILTER (WHERE outcome IS NOT NULL), 0) AS bytes_done FROM order_steps WHERE order_id = ?1) s
    WHERE order_id = ?1`).run(orderId, catalog.nextRevision());
}

/** How many units are looked up at once. */
const UNITS_AHEAD = 1_000;

/** Units with open steps, each once: those that were begun first. Read as it goes, for an order may have a million. */
export function* listOpenUnits(catalog: Catalog, orderId: string): Generator<number> {
  const begun = catalog.prepare('SELECT DISTINCT unit FROM order_steps INDEXED BY order_steps_begun WHERE order_id = ? AND doing IS NOT NULL AND outcome IS NULL ORDER BY unit').all(orderId).map((r) => r['unit'] as number);
  yield* begun;
  const seen = new Set(begun);
  const next = catalog.prepare('SELECT DISTINCT unit FROM order_steps INDEXED BY order_steps_open WHERE order_id = ? AND outcome IS NULL AND unit > ? ORDER BY unit LIMIT ?');
  for (let last = -1; ;) {
    const units = next.all(orderId, last, UNITS_AHEAD).map((r) => r['unit'] as number);
    for (const unit of units) if (!seen.has(unit)) yield unit;
    if (units.length < UNITS_AHEAD) return;
    last = units.at(-1) ?? last;
  }
}

export function listOpenUnit(catalog: Catalog, orderId: string, unit: number): Step[] {
  return catalog.prepare(`SELECT ${STEP_COLUMNS} FROM order_steps INDEXED BY order_steps_open WHERE order_id = ? AND unit = ? AND outcome IS NULL ORDER BY n`).all(orderId, unit) as unknown as Step[];
}

/** All of a unit, ended or not. */
export function listUnit(catalog: Catalog, orderId: string, unit: number): Step[] {
  return catalog.prepare(`SELECT ${STEP_COLUMNS} FROM order_steps WHERE order_id = ? AND unit = ? ORDER BY n`).all(orderId, unit) as unknown as Step[];
}

export function listOpenSteps(catalog: Catalog, orderId: string): Step[] {
  return catalog.prepare(`SELECT ${STEP_COLUMNS} FROM order_steps INDEXED BY order_steps_open WHERE order_id = ? AND outcome IS NULL ORDER BY unit, n`).all(orderId) as unknown as Step[];
}

/** Whether a step of this order ended so for this hash. */
export function hasOutcome(catalog: Catalog, orderId: string, sha256: string, outcome: Outcome): boolean {
  return catalog.prepare('SELECT 1 FROM order_steps WHERE order_id = ? AND sha256 = ? AND outcome = ? LIMIT 1').get(orderId, sha256, outcome) !== undefined;
}

/** Written before a file is touched, so that whoever comes after a crash knows what to look for. */
export function markDoing(catalog: Catalog, steps: readonly Step[], doing: Doing, atMs: number): void {
  catalog.transact(() => {
    for (const s of steps) {
      catalog.prepare('UPDATE order_steps SET doing = ?, began_ms = ?, to_path = ?, sha256 = ?, will = ?, reason = ? WHERE order_id = ? AND n = ?').run(doing, atMs, s.to_path, s.sha256, s.will, s.reason, s.order_id, s.n);
      s.doing = doing;
      s.began_ms = atMs;
    }
  });
}

/** As if they had not been begun: nothing of them is left anywhere. */
export function markUndone(catalog: Catalog, steps: readonly Step[]): void {
  catalog.transact(() => {
    for (const s of steps) catalog.prepare('UPDATE order_steps SET doing = NULL, began_ms = NULL, to_path = NULL WHERE order_id = ? AND n = ? AND outcome IS NULL').run(s.order_id, s.n);
  });
}

/** Assets of open steps from a unit on. */
export function listOpenAssets(catalog: Catalog, orderId: string, fromUnit: number, limit: number): string[] {
  return catalog.prepare("SELECT sha256 FROM order_steps INDEXED BY order_steps_open WHERE order_id = ? AND unit >= ? AND outcome IS NULL AND role = 'asset' AND sha256 IS NOT NULL ORDER BY unit, n LIMIT ?").all(orderId, fromUnit, limit).map((r) => r['sha256'] as string);
}

/** Bytes of a step that are done, for progress and for going on; not told by itself. */
export function setDoneBytes(catalog: Catalog, step: Step, bytes: number): void {
  catalog.transact(() => {
    sumStep(catalog, step, bytes, false);
    catalog.prepare('UPDATE order_steps SET done_bytes = ? WHERE order_id = ? AND n = ?').run(bytes, step.order_id, step.n);
  });
}

/** Before a step changes: the order's sums. One that has ended is in them. */
function sumStep(catalog: Catalog, step: Step, doneBytes: number, ends: boolean): void {
  catalog.prepare(`UPDATE orders SET revision = ?5, files_done = files_done + ?4, bytes_done = bytes_done + ?3 - s.done_bytes FROM order_steps s
    WHERE orders.order_id = ?1 AND s.order_id = ?1 AND s.n = ?2 AND s.outcome IS NULL`).run(step.order_id, step.n, doneBytes, Number(ends), catalog.nextRevision());
}

export interface Ending { outcome: Outcome; reason?: string | null; to_path?: string | null; sha256?: string | null }

/** Ends a step: its receipt. In the caller's transaction, with what follows from it. */
export function endStep(catalog: Catalog, step: Step, ending: Ending, atMs: number): void {
  const toPath = ending.to_path === undefined ? step.to_path : ending.to_path;
  sumStep(catalog, step, step.size_bytes, true);
  catalog.prepare('UPDATE order_steps SET outcome = ?, reason = ?, to_path = ?, sha256 = ?, at_ms = ?, doing = NULL, done_bytes = size_bytes, revision = ? WHERE order_id = ? AND n = ?')
    .run(ending.outcome, ending.reason ?? null, toPath, ending.sha256 === undefined ? step.sha256 : ending.sha256, atMs, catalog.nextRevision(), step.order_id, step.n);
  step.outcome = ending.outcome;
}

export function countSteps(catalog: Catalog, orderId: string): OrderProgress {
  const row = catalog.prepare('SELECT files, files_done, bytes, bytes_done FROM orders WHERE order_id = ?').get(orderId);
  return { files: Number(row?.['files'] ?? 0), files_done: Number(row?.['files_done'] ?? 0), bytes: Number(row?.['bytes'] ?? 0), bytes_done: Number(row?.['bytes_done'] ?? 0) };
}

// ---- The trash ----

export function putTrash(catalog: Catalog, row: TrashRow): void {
  catalog.prepare('INSERT OR REPLACE INTO trash (order_id, n, unit, role, volume_id, path, trash_path, sha256, size_bytes, file, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(row.order_id, row.n, row.unit, row.role, row.volume_id, row.path, row.trash_path, row.sha256, row.size_bytes, row.file, row.at_ms);
}

export function dropTrash(catalog: Catalog, orderId: string, n: number): void {
  catalog.prepare('DELETE FROM trash WHERE order_id = ? AND n = ?').run(orderId, n);
}

export function getTrash(catalog: Catalog, orderId: string, n: number): TrashRow | undefined {
  return catalog.prepare('SELECT * FROM trash WHERE order_id = ? AND n = ?').get(orderId, n) as unknown as TrashRow | undefined;
}

/** Whether nothing of an order lies in the trash of a drive any more. */
export function isTrashEmptyOf(catalog: Catalog, orderId: string, volumeId: string): boolean {
  return catalog.prepare('SELECT 1 FROM trash WHERE order_id = ? AND volume_id = ? LIMIT 1').get(orderId, volumeId) === undefined;
}

/** Everything of the units in which one of these assets lies, or all there is; sidecars lie with their asset. */
export function listTrash(catalog: Catalog, sha256s: readonly string[] | null): TrashRow[] {
  if (sha256s === null) return catalog.prepare('SELECT * FROM trash ORDER BY order_id, n').all() as unknown as TrashRow[];
  return catalog.prepare(`SELECT * FROM trash WHERE (order_id, unit) IN (SELECT t.order_id, t.unit FROM json_each(?) j CROSS JOIN trash t INDEXED BY trash_by_sha256 ON t.sha256 = j.value) ORDER BY order_id, n`)
    .all(JSON.stringify(sha256s)) as unknown as TrashRow[];
}

// ---- What is told ----

/** The next report that the Worker has not got; `sent` goes to `acknowledgeReport` once it has. */
export function nextReport(catalog: Catalog): { orderId: string; report: OrderReport; sent: { revision: number; receipts: number[]; more: boolean } } | undefined {
  const order = catalog.prepare('SELECT * FROM orders INDEXED BY orders_to_push WHERE revision > pushed_revision ORDER BY revision LIMIT 1').get() as unknown as Omit<OrderRow, 'body'> & { revision: number } | undefined;
  if (!order) return undefined;
  const steps = catalog.prepare(`SELECT ${STEP_COLUMNS}, revision FROM order_steps INDEXED BY order_steps_to_push WHERE order_id = ? AND revision > pushed_revision ORDER BY n LIMIT ?`)
    .all(order.order_id, MAX_REPORT_RECEIPTS) as unknown as Step[];
  const more = steps.length === MAX_REPORT_RECEIPTS;
  // Its end is told last, with the last receipts.
  const state: OrderState = more && isEnded(order.state) ? 'running' : order.state;
  const report: OrderReport = {
    revision: order.revision, state, progress: countSteps(catalog, order.order_id), waiting_for: order.waiting_for, reason: order.reason, ended_at_ms: isEnded(state) ? order.ended_ms : null,
    receipts: steps.map(toReceipt),
  };
  return { orderId: order.order_id, report, sent: { revision: report.revision, receipts: steps.map((s) => s.n), more } };
}

export function acknowledgeReport(catalog: Catalog, orderId: string, sent: { revision: number; receipts: number[]; more: boolean }): void {
  catalog.transact(() => {
    const clean = catalog.prepare('UPDATE order_steps SET pushed_revision = revision WHERE order_id = ? AND n = ? AND outcome IS NOT NULL');
    for (const n of sent.receipts) clean.run(orderId, n);
    if (sent.more) return;
    catalog.prepare('UPDATE orders SET pushed_revision = ? WHERE order_id = ?').run(sent.revision, orderId);
    // Of a drive that was verified the files' rows say so (verified_ms); what was not right stays, to be told again.
    catalog.prepare(`DELETE FROM order_steps WHERE order_id = ?1 AND outcome = 'verified' AND revision <= pushed_revision
      AND EXISTS (SELECT 1 FROM orders WHERE order_id = ?1 AND kind = 'verify' AND ended_ms IS NOT NULL AND revision <= pushed_revision)`).run(orderId);
  });
}

export function hasReport(catalog: Catalog): boolean {
  return catalog.prepare('SELECT 1 FROM orders INDEXED BY orders_to_push WHERE revision > pushed_revision LIMIT 1').get() !== undefined;
}

function toReceipt(s: Step): Receipt {
  return { n: s.n, unit: s.unit, role: s.role, volume_id: s.volume_id, path: s.path, sha256: s.sha256, size_bytes: s.size_bytes, outcome: s.outcome ?? 'failed', reason: s.reason, to: s.to_path, from: s.from_order === null ? null : { order_id: s.from_order, n: s.from_n ?? 0 }, at_ms: s.at_ms ?? 0 };
}

function toOrder(row: Record<string, unknown>): OrderRow {
  return { ...(row as unknown as OrderRow), body: OrderBody.parse(JSON.parse(row['body'] as string)), cancelled: row['cancelled'] === 1, planned: row['planned'] === 1, target: row['target'] === null ? null : JSON.parse(row['target'] as string) as OrderTarget };
}
