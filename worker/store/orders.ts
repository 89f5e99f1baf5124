// Orders as the Worker keeps them: drafts, which the owner has yet to confirm, orders on their way, and their receipts. The agent
// fetches what is open and tells what became of it; telling twice changes nothing.
import * as z from 'zod';
import { OrderBody, OrderKind, OrderProgress, OrderState, Outcome, type OpenOrders, type Order, type OrderReport, type Receipt } from '../../protocol/orders.ts';
import { cleanText } from '../db/bulk.ts';
import { finish } from './ingest.ts';
import { markUnresolved } from './timeline-items.ts';
import { trashStatements } from './trash.ts';

/** A draft that nobody confirmed is swept when another is made. */
const DRAFT_MS = 86_400_000;
export const RECEIPTS_SHOWN = 200;

const NO_PROGRESS: OrderProgress = { files_done: 0, files: 0, bytes_done: 0, bytes: 0 };

const Row = z.object({
  order_id: z.string(), kind: OrderKind, title: z.string(), given_at_ms: z.number(), state: z.union([OrderState, z.literal('draft')]), cancelled: z.int(),
  progress: z.string().transform((text): OrderProgress => { try { return OrderProgress.parse(JSON.parse(text)); } catch { return NO_PROGRESS; } }),
  waiting_for: z.string().nullable(), reason: z.string().nullable(), ended_at_ms: z.number().nullable(),
});
export type OrderFacts = z.infer<typeof Row>;
const COLUMNS = 'order_id, kind, title, given_at_ms, state, cancelled, progress, waiting_for, reason, ended_at_ms';

export const ORDERS_SQL = `SELECT ${COLUMNS} FROM orders INDEXED BY orders_by_time WHERE (given_at_ms, order_id) < (?1, ?2) AND state <> 'draft' ORDER BY given_at_ms DESC, order_id DESC LIMIT ?3`;
export const OPEN_ORDERS_SQL = "SELECT order_id, cancelled FROM orders INDEXED BY orders_open WHERE ended_at_ms IS NULL AND state <> 'draft' ORDER BY given_at_ms, order_id";
export const RECEIPTS_SQL = 'SELECT n, unit, role, volume_id, path, sha256, size_bytes, outcome, reason, to_path, at_ms FROM receipts WHERE order_id = ?1 AND n > ?2 ORDER BY n LIMIT ?3';
export const OUTCOMES_SQL = "SELECT outcome, count(*) AS n FROM receipts INDEXED BY receipts_by_outcome WHERE order_id = ?1 GROUP BY outcome";

/** Writes an order down before it is given: what it would do is looked at first. */
export async function draftOrder(db: D1Database, body: OrderBody, title: string, nowMs: number): Promise<string> {
  const orderId = crypto.randomUUID();
  await db.batch([
    db.prepare("DELETE FROM orders WHERE state = 'draft' AND given_at_ms < ?1 AND ended_at_ms IS NULL").bind(nowMs - DRAFT_MS),
    db.prepare("INSERT INTO orders (order_id, kind, body, title, given_at_ms, state, progress) VALUES (?1, ?2, ?3, ?4, ?5, 'draft', ?6)").bind(orderId, body.kind, JSON.stringify(body), title, nowMs, JSON.stringify(NO_PROGRESS)),
  ]);
  return orderId;
}

/** A draft with other particulars. */
export async function fillDraft(db: D1Database, orderId: string, body: OrderBody, title: string): Promise<boolean> {
  return (await db.prepare("UPDATE orders SET body = ?2, title = ?3 WHERE order_id = ?1 AND state = 'draft'").bind(orderId, JSON.stringify(body), title).run()).meta.changes > 0;
}

/** Gives a draft, as `body` (its volumes and its words are those of this moment). False where it was given before or is none. */
export async function giveOrder(db: D1Database, orderId: string, body: OrderBody, nowMs: number): Promise<boolean> {
  const done = await db.prepare("UPDATE orders SET state = 'given', body = ?2, given_at_ms = ?3 WHERE order_id = ?1 AND state = 'draft'").bind(orderId, JSON.stringify(body), nowMs).run();
  return done.meta.changes > 0;
}

export async function findOrder(db: D1Database, orderId: string): Promise<OrderFacts | undefined> {
  const row = await db.prepare(`SELECT ${COLUMNS} FROM orders WHERE order_id = ?1`).bind(orderId).first();
  return row ? Row.parse(row) : undefined;
}

export async function readOrder(db: D1Database, orderId: string): Promise<Order | undefined> {
  const row = await db.prepare('SELECT body, given_at_ms, cancelled FROM orders WHERE order_id = ?1').bind(orderId).first<{ body: string; given_at_ms: number; cancelled: number }>();
  return row ? { order_id: orderId, given_at_ms: row.given_at_ms, cancelled: row.cancelled === 1, body: OrderBody.parse(JSON.parse(row.body)) } : undefined;
}

export async function listOpenOrders(db: D1Database): Promise<OpenOrders> {
  const { results } = await db.prepare(OPEN_ORDERS_SQL).all<{ order_id: string; cancelled: number }>();
  return { orders: results.map((r) => ({ order_id: r.order_id, cancelled: r.cancelled === 1 })) };
}

/** Orders before a moment, newest first. */
export async function listOrders(db: D1Database, before: { atMs: number; orderId: string }, limit: number): Promise<OrderFacts[]> {
  return z.array(Row).parse((await db.prepare(ORDERS_SQL).bind(before.atMs, before.orderId, limit).all()).results);
}

/** Asks for an end. One that the agent has not heard of ends here and now; a draft is forgotten. */
export async function cancelOrder(db: D1Database, orderId: string): Promise<boolean> {
  const done = await db.batch([
    db.prepare("DELETE FROM orders WHERE order_id = ?1 AND state = 'draft'").bind(orderId),
    db.prepare('UPDATE orders SET cancelled = 1 WHERE order_id = ?1 AND ended_at_ms IS NULL').bind(orderId),
  ]);
  return done.some((d) => d.meta.changes > 0);
}

const Shown = z.object({
  n: z.int(), unit: z.int(), role: z.enum(['asset', 'sidecar']), volume_id: z.string(), path: z.string(), sha256: z.string().nullable(), size_bytes: z.number(), outcome: Outcome,
  reason: z.string().nullable(), to_path: z.string().nullable(), at_ms: z.number(),
});
export type ReceiptFacts = z.infer<typeof Shown>;

export async function listReceipts(db: D1Database, orderId: string, after: number, limit: number = RECEIPTS_SHOWN): Promise<ReceiptFacts[]> {
  return z.array(Shown).parse((await db.prepare(RECEIPTS_SQL).bind(orderId, after, limit).all()).results);
}

export async function countOutcomes(db: D1Database, orderId: string): Promise<{ outcome: Outcome; n: number }[]> {
  return (await db.prepare(OUTCOMES_SQL).bind(orderId).all<{ outcome: Outcome; n: number }>()).results;
}

const WRITE_RECEIPTS = `INSERT INTO receipts (order_id, n, unit, role, volume_id, path, sha256, size_bytes, outcome, reason, to_path, at_ms)
SELECT ?2, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9, value->>10 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`;
const WRITE_STATE = `UPDATE orders SET state = ?2, progress = ?3, waiting_for = ?4, reason = ?5, ended_at_ms = ?6, revision = ?7 WHERE order_id = ?1 AND revision <= ?7 AND state <> 'draft'`;
export const VERIFIED_SQL = `UPDATE locations SET verified_at_ms = CASE WHEN j.value->>3 THEN j.value->>4 ELSE verified_at_ms END, damaged_at_ms = CASE WHEN j.value->>3 THEN NULL ELSE j.value->>4 END
FROM json_each(?1) j WHERE locations.volume_id = j.value->>0 AND locations.path = j.value->>1 AND locations.sha256 = j.value->>2`;

/**
 * Takes the agent's word. False where there is no such order. Receipts that are known stay as they were and have no effect again:
 * what they did may have been undone since.
 */
export async function applyReport(db: D1Database, orderId: string, report: OrderReport, nowMs: number): Promise<boolean> {
  const order = await readOrder(db, orderId);
  if (!order) return false;
  const known = new Set((await db.prepare('SELECT r.n FROM json_each(?2) j CROSS JOIN receipts r ON r.order_id = ?1 AND r.n = j.value').bind(orderId, JSON.stringify(report.receipts.map((r) => r.n))).all<{ n: number }>()).results.map((r) => r.n));
  const fresh = report.receipts.filter((r) => !known.has(r.n)).map(cleanReceipt);
  const statements: D1PreparedStatement[] = [
    db.prepare(WRITE_STATE).bind(orderId, report.state, JSON.stringify(report.progress), report.waiting_for, report.reason, report.ended_at_ms, report.revision),
  ];
  if (fresh.length > 0) statements.push(db.prepare(WRITE_RECEIPTS).bind(JSON.stringify(fresh.map((r) => [r.n, r.unit, r.role, r.volume_id, r.path, r.sha256, r.size_bytes, r.outcome, r.reason, r.to, r.at_ms])), orderId));
  // What was written in a damaged one's place was read there once more.
  const read = fresh.filter((r) => r.outcome === 'verified' || r.outcome === 'damaged' || (order.body.kind === 'mend' && r.outcome === 'copied'));
  if (read.length > 0) statements.push(db.prepare(VERIFIED_SQL).bind(JSON.stringify(read.map((r) => [r.volume_id, r.path, r.sha256, r.outcome === 'damaged' ? 0 : 1, r.at_ms]))));
  const { statements: trash, touched } = trashStatements(db, orderId, order.body, fresh);
  statements.push(...trash);
  // How safely an asset is kept goes by when its copies were verified.
  for (const r of read) if (r.sha256 !== null) touched.add(r.sha256);
  if (touched.size > 0) statements.push(markUnresolved(db, touched));
  await db.batch(statements);
  if (touched.size > 0) await finish(db, nowMs);
  return true;
}

function cleanReceipt(receipt: Receipt): Receipt {
  return { ...receipt, path: cleanText(receipt.path), reason: cleanText(receipt.reason), to: cleanText(receipt.to) };
}
