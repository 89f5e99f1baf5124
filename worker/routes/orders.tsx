// `/orders` and `/trash`: an order is drafted, shown with what it would do, and given by a second word; then its state and its
// receipts. What is looked up is the agent's; what is kept is store/orders.ts's.
import { Hono } from 'hono';
import * as z from 'zod';
import { isEnded, MAX_ORDER_ASSETS, OrderBody, OrderId, type OrderPlan, type OrderState } from '../../protocol/orders.ts';
import { Sha256 } from '../../protocol/words.ts';
import { Draft, DraftPage, OrderBody as OrderBodyPart, OrderPage, OrderRows, OrdersPage, sayPlugIn, type CopyFields, type ExportFields, type OrderBodyView, type OrderView, type PlannedDrive, type ReceiptView } from '../../views/orders.tsx';
import { withQuery } from '../../views/parts/addresses.ts';
import { LAST_COPY_WORDS, orderTitle } from '../../views/parts/order-words.ts';
import { sayCount } from '../../views/parts/words.ts';
import { TrashBody, TrashPage } from '../../views/trash.tsx';
import type { App } from '../env.ts';
import { BadRequest, Conflict, NotFound } from '../errors.tsx';
import { askAgent, getPresence, notifyPages, wakeOrders } from '../link/client.ts';
import { isJson, readFields, readJson } from '../middleware/body.ts';
import { loadKnownDrives, type KnownDrive, type KnownDrives } from '../middleware/known-drives.ts';
import { loadConnected, loadFrame, readForm, sayRefusal, sendBack, sendFragment, sendPage, wantsFragment, type PageContext } from '../middleware/page.tsx';
import { tellLibrary } from '../middleware/tell.ts';
import { requireOwner } from '../middleware/token.ts';
import { driveLabel, findDrive } from '../store/drives.ts';
import { cancelOrder, countOutcomes, draftOrder, fillDraft, findOrder, giveOrder, listOrders, listReceipts, readOrder, RECEIPTS_SHOWN, type OrderFacts } from '../store/orders.ts';
import { filesAt, hashesElsewhere, type FoundFile } from '../store/paths.ts';
import { countSpareTrash, listPlanTiles, listTrash, listTrashDrives, untrash, withMembers } from '../store/trash.ts';

/** 20,000 hashes, as JSON or as a form. */
const MAX_ASK_BYTES = 2_000_000;
const ORDERS_SHOWN = 50;
const TRASH_SHOWN = 200;
/** Pictures beside a question: enough to see that they are the right ones. */
const TILES_SHOWN = 12;
/** Paths of duplicates beside a question; their number stands above. */
const COPIES_SHOWN = 50;
/** Receipts that one step of a download reads. */
const RECEIPTS_READ = 2_000;

export const orders = new Hono<App>();
orders.use('/api/orders', requireOwner);
orders.use('/api/orders/*', requireOwner);
// Whatever else runs on this machine orders nothing: a form of our own pages, or the token.
orders.on('POST', ['/orders', '/orders/*', '/trash'], requireOwner);

// ── drafting and giving ──

/** A draft of what a page or a command asks for; hashes are tiles, and what is shown as one with them goes with them. */
async function draft(c: PageContext, asked: OrderBody, drive?: string): Promise<string> {
  const nowMs = Date.now();
  const count = countOf(asked);
  let body: OrderBody = asked;
  if (body.kind === 'trash' && body.copies === null) body = { ...body, sha256s: await withMembers(c.env.DB, body.sha256s) };
  return draftOrder(c.env.DB, await withVolumes(c, body), orderTitle(asked, count, drive), nowMs);
}

/** Of how many things its title speaks; null: of everything. */
function countOf(body: OrderBody): number | null {
  return body.kind === 'mend' ? body.files.length : body.kind === 'trash' && body.copies !== null ? body.copies.length : 'sha256s' in body ? body.sha256s?.length ?? null : null;
}

/** Where it names none, an order may act on the drives that are connected at this moment, and on no other. */
async function withVolumes(c: PageContext, body: OrderBody): Promise<OrderBody> {
  return 'volumes' in body ? { ...body, volumes: [...await loadConnected(c)] } : body;
}

/** An export with the drive that its folder lies on: what comes to have that path later is another. */
function onDrive(body: OrderBody, plan: OrderPlan | null): OrderBody {
  return body.kind === 'export' && body.volume_id === '' && plan?.target ? { ...body, volume_id: plan.target.volume_id } : body;
}

type Given = { ok: true } | { ok: false; why: string; plan: OrderPlan | null };

/** Gives a draft, if it may be: looked up once more, for what was connected when the page was made may be away. */
async function give(c: PageContext, orderId: string, word: string): Promise<Given> {
  const draftOf = await readOrder(c.env.DB, orderId);
  if (!draftOf) throw new NotFound('There is no such order.');
  const body = await withVolumes(c, draftOf.body);
  let plan: OrderPlan;
  try { plan = await askAgent(c.env, 'plan_order', { body }); } catch (error) { return { ok: false, why: sayRefusal(error).text, plan: null }; }
  if (plan.blocked !== null) return { ok: false, why: plan.blocked, plan };
  if (plan.files === 0) return { ok: false, why: plan.away.length > 0 ? sayPlugIn(planned(await loadKnownDrives(c), plan.away)) : plan.note ?? 'There is no file that this could be done to.', plan };
  const needed = plan.last_copies > 0 ? LAST_COPY_WORDS[body.kind] : undefined;
  if (needed !== undefined && word.trim().toLowerCase() !== needed) return { ok: false, why: `Type the word ${needed}: of ${sayCount(plan.last_copies, 'of them', 'of them')} no other copy is known.`, plan };
  const given = 'last_copies' in body ? { ...body, last_copies: needed !== undefined } : onDrive(body, plan);
  if (!(await giveOrder(c.env.DB, orderId, given, Date.now()))) throw new Conflict('This order was given before. Its page says how it stands.');
  await wakeOrders(c.env);
  await notifyPages(c.env, 'orders');
  return { ok: true };
}

/** What needs no second word: nothing is lost by it, and it can be stopped. */
function isHarmless(body: OrderBody): boolean { return body.kind === 'restore' || body.kind === 'verify'; }

async function giveAtOnce(c: PageContext, body: OrderBody): Promise<{ orderId: string; given: Given }> {
  const drive = body.kind === 'verify' ? await findDrive(c.env.DB, body.volume_id) : undefined;
  const orderId = await draft(c, body, drive && driveLabel(drive));
  const given = await give(c, orderId, '');
  if (!given.ok) await cancelOrder(c.env.DB, orderId);
  return { orderId, given };
}

/** From a form's fields: `kind`, and `sha256` and `copy` as often as needed (a copy is its volume, a line's end, its path). */
async function readAsk(c: PageContext): Promise<OrderBody> {
  let asked: unknown;
  if (isJson(c.req.raw)) asked = await readJson(c.req.raw, MAX_ASK_BYTES);
  else {
    const form = await readFields(c.req.raw, MAX_ASK_BYTES);
    // A browser sends each line's end as CRLF, those inside a name too.
    const copies = form.getAll('copy').map((text) => text.replaceAll('\r\n', '\n')).map((text) => ({ volume_id: text.slice(0, text.indexOf('\n')), path: text.slice(text.indexOf('\n') + 1) }));
    // A form of copies with none ticked means none of them, and not the whole asset.
    if ((form.has('copies') && copies.length === 0) || (form.get('kind') === 'trash' && !form.has('sha256'))) throw new BadRequest('Nothing was ticked, so there is nothing to move.');
    const fields = Object.fromEntries([...form].filter(([name]) => name !== 'sha256' && name !== 'copy'));
    asked = { ...fields, sha256s: form.getAll('sha256'), ...(copies.length > 0 ? { copies, files: copies } : {}), ...(fields['share'] === undefined ? {} : { share: Number(fields['share']) }), ...(fields['slowly'] === undefined ? {} : { slowly: true }) };
  }
  const parsed = OrderBody.safeParse(asked);
  if (!parsed.success) throw new BadRequest(`This order cannot be read: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}.`);
  return parsed.data;
}

orders.post('/orders/plan', async (c) => {
  const orderId = await draft(c, await readAsk(c));
  return isJson(c.req.raw) ? c.json({ order_id: orderId, address: `/orders/${orderId}` }) : sendBack(c, `/orders/${orderId}`);
});

orders.post('/orders', async (c) => {
  const body = await readAsk(c);
  if (!isHarmless(body)) throw new BadRequest('Such an order is looked at first, under /orders/plan.');
  const { orderId, given } = await giveAtOnce(c, body);
  if (!given.ok) throw new Conflict(given.why);
  return isJson(c.req.raw) ? c.json({ order_id: orderId, address: `/orders/${orderId}` }) : sendBack(c, `/orders/${orderId}`);
});

orders.post('/orders/:id/give', async (c) => {
  const id = orderIdOf(c);
  const fields = await readForm(c);
  // What stands in its form and was not looked up yet is not what was shown.
  if (fields['folder'] !== undefined && await fill(c, id, fields)) return sendDraft(c, await needOrder(c, id), 'Where it goes was changed just now. This is what would be done: say so once more.', 422);
  const given = await give(c, id, fields['word'] ?? '');
  return given.ok ? sendBack(c, `/orders/${id}`) : sendDraft(c, await needOrder(c, id), given.why, 422);
});

/** The particulars of a copy or an export, before it is given. */
orders.post('/orders/:id/fill', async (c) => {
  const id = orderIdOf(c);
  await fill(c, id, await readForm(c));
  return sendBack(c, `/orders/${id}`);
});

/** Puts what a form says of where it goes into the draft. False where that is what stands there already. */
async function fill(c: PageContext, id: string, fields: Record<string, string>): Promise<boolean> {
  const draftOf = await readOrder(c.env.DB, id);
  if (!draftOf) throw new NotFound('There is no such order.');
  const { body } = draftOf;
  const text = (name: string) => (fields[name] ?? '').trim();
  const filled = body.kind === 'copy' ? { ...body, volume_id: fields['volume_id'] ?? '', folder: text('folder') } : body.kind === 'export' ? { ...body, volume_id: '', folder: text('folder'), template: text('template'), sidecars: fields['sidecars'] === 'yes' } : body;
  const parsed = OrderBody.safeParse(filled);
  if (!parsed.success) throw new BadRequest(`This form cannot be read: ${parsed.error.issues[0]?.message ?? ''}.`);
  if (JSON.stringify(parsed.data) === JSON.stringify(body.kind === 'export' ? { ...body, volume_id: '' } : body)) return false;
  const drive = parsed.data.kind === 'copy' ? await findDrive(c.env.DB, parsed.data.volume_id) : undefined;
  if (!(await fillDraft(c.env.DB, id, parsed.data, orderTitle(parsed.data, countOf(parsed.data), drive && driveLabel(drive))))) throw new Conflict('This order was given before. Its page says how it stands.');
  return true;
}

// An answer to a form stands at its address: who loads it again means the order.
orders.get('/orders/:id/:verb{give|fill|cancel|undo}', (c) => c.redirect(`/orders/${orderIdOf(c)}`, 303));

orders.post('/orders/:id/cancel', async (c) => {
  const id = orderIdOf(c);
  const order = await needOrder(c, id);
  await cancelOrder(c.env.DB, id);
  if (order.state === 'draft') return sendBack(c, order.kind === 'empty' || order.kind === 'restore' ? '/trash' : '/');
  await wakeOrders(c.env);
  await notifyPages(c.env, 'orders');
  return sendBack(c, `/orders/${id}`);
});

/** A trash order back: everything that it moved. */
orders.post('/orders/:id/undo', async (c) => {
  const id = orderIdOf(c);
  const order = await needOrder(c, id);
  if (order.kind !== 'trash' || order.ended_at_ms === null) throw new BadRequest('Only what was moved to the trash can be put back.');
  const hashes = await trashedBy(c, id);
  if (hashes.length === 0) throw new Conflict('Nothing of this order lies in the trash any more.');
  const { orderId, given } = await giveAtOnce(c, { kind: 'restore', sha256s: hashes, files: null, of_order: id, volumes: [] });
  if (!given.ok) return sendOrder(c, order, { wrong: given.why });
  return sendBack(c, `/orders/${orderId}`);
});

async function trashedBy(c: PageContext, orderId: string): Promise<string[]> {
  const hashes = new Set<string>();
  for (let after = -1; ;) {
    const receipts = await listReceipts(c.env.DB, orderId, after, RECEIPTS_READ);
    for (const r of receipts) if (r.outcome === 'trashed' && r.role === 'asset' && r.sha256 !== null && hashes.size < MAX_ORDER_ASSETS) hashes.add(r.sha256);
    const last = receipts.at(-1);
    if (!last || receipts.length < RECEIPTS_READ) return [...hashes];
    after = last.n;
  }
}

// ── pages ──

orders.get('/orders', async (c) => {
  const before = readCursor(c.req.query('before'));
  const rows = await listOrders(c.env.DB, { atMs: before.atMs, orderId: before.key }, ORDERS_SHOWN + 1);
  const drives = await loadKnownDrives(c);
  const shown = await Promise.all(rows.slice(0, ORDERS_SHOWN).map(async (order) => ({ ...viewOf(order, drives), counts: order.ended_at_ms === null ? [] : await countOutcomes(c.env.DB, order.order_id) })));
  const first = c.req.query('before') === undefined;
  if (wantsFragment(c)) return sendFragment(c, <OrderRows orders={shown} first={first} nowMs={Date.now()} />);
  const last = rows.length > ORDERS_SHOWN ? shown.at(-1) : undefined;
  return sendPage(c, <OrdersPage frame={await loadFrame(c)} orders={shown} first={first} nowMs={Date.now()} next={last ? withQuery('/orders', { before: `${last.given_at_ms}.${last.order_id}` }) : null} />);
});

orders.get('/orders/:id', async (c) => {
  const order = await needOrder(c, orderIdOf(c));
  return order.state === 'draft' ? sendDraft(c, order) : sendOrder(c, order);
});

orders.get('/orders/:id/state', async (c) => {
  return sendFragment(c, <OrderBodyPart {...await loadBody(c, await needOrder(c, orderIdOf(c)), -1)} />);
});

orders.get('/orders/:id/:file{receipts\\.(?:csv|json)}', async (c) => {
  const order = await needOrder(c, orderIdOf(c));
  const csv = c.req.param('file').endsWith('csv');
  const drives = await loadKnownDrives(c);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  c.executionCtx.waitUntil(writeReceipts(c, order, drives, csv, writable.getWriter()).catch(() => undefined));
  return new Response(readable, { headers: { 'Content-Type': csv ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8', 'Content-Disposition': `attachment; filename="receipts-${order.order_id}.${csv ? 'csv' : 'json'}"`, 'Cache-Control': 'private, no-cache' } });
});

async function writeReceipts(c: PageContext, order: OrderFacts, drives: KnownDrives, csv: boolean, writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
  const encoder = new TextEncoder();
  const columns = ['n', 'outcome', 'reason', 'role', 'drive', 'volume_id', 'path', 'sha256', 'size_bytes', 'to', 'at'] as const;
  // A spreadsheet runs what begins like a formula: such a text is made plain by an apostrophe, as they all understand it.
  const cell = (value: unknown) => { const text = String(value ?? ''); const plain = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text; return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain; };
  await writer.write(encoder.encode(csv ? `${columns.join(',')}\r\n` : `{"order_id":${JSON.stringify(order.order_id)},"kind":"${order.kind}","title":${JSON.stringify(order.title)},"state":"${order.state}","given_at":"${new Date(order.given_at_ms).toISOString()}","receipts":[`));
  for (let after = -1, first = true; ;) {
    const receipts = await listReceipts(c.env.DB, order.order_id, after, RECEIPTS_READ);
    const rows = receipts.map((r) => ({ n: r.n, outcome: r.outcome, reason: r.reason, role: r.role, drive: drives(r.volume_id).label, volume_id: r.volume_id, path: r.path, sha256: r.sha256, size_bytes: r.size_bytes, to: r.to_path, at: new Date(r.at_ms).toISOString() }));
    const text = csv ? rows.map((row) => `${columns.map((name) => cell(row[name])).join(',')}\r\n`).join('') : rows.map((row) => JSON.stringify(row)).join(',');
    if (text !== '') await writer.write(encoder.encode(!csv && !first ? `,${text}` : text));
    first = false;
    const last = receipts.at(-1);
    if (!last || receipts.length < RECEIPTS_READ) break;
    after = last.n;
  }
  if (!csv) await writer.write(encoder.encode(']}\n'));
  await writer.close();
}

orders.get('/trash', async (c) => sendTrash(c, { said: TRASH_DONE[c.req.query('done') ?? ''] }));

const TRASH_DONE: Record<string, string> = { back: 'Back in the library: its copies were never in the trash.' };

orders.post('/trash', async (c) => {
  const form = await readFields(c.req.raw, MAX_ASK_BYTES);
  const what = form.get('do') ?? '';
  const all = what.endsWith('-all');
  const chosen = z.array(Sha256).max(MAX_ORDER_ASSETS).safeParse(form.getAll('sha256'));
  if (!/^(restore|empty)(-all)?$/.test(what) || !chosen.success) throw new BadRequest('This form cannot be read.');
  if (!all && chosen.data.length === 0) return sendTrash(c, { wrong: 'Choose what it is about first.' }, 422);
  const sha256s = all ? null : chosen.data;
  if (what.startsWith('empty')) return sendBack(c, `/orders/${await draft(c, { kind: 'empty', sha256s, files: null, of_order: null, volumes: [], last_copies: false })}`);
  // Those of which nothing lies in a trash come back by this word alone.
  const back = await untrash(c.env.DB, sha256s, Date.now());
  if (back.length > 0) await tellLibrary(c);
  if (!all && back.length === chosen.data.length) return sendBack(c, '/trash?done=back');
  const { orderId, given } = await giveAtOnce(c, { kind: 'restore', sha256s, files: null, of_order: null, volumes: [] });
  return given.ok ? sendBack(c, `/orders/${orderId}`) : sendTrash(c, { wrong: given.why }, 422);
});

async function sendTrash(c: PageContext, words: { said?: string | undefined; wrong?: string | undefined }, status: 200 | 422 = 200): Promise<Response> {
  const before = readCursor(c.req.query('before'));
  const [tiles, trash, known, spare] = await Promise.all([listTrash(c.env.DB, { atMs: before.atMs, sha256: before.key }, TRASH_SHOWN + 1), listTrashDrives(c.env.DB), loadKnownDrives(c), countSpareTrash(c.env.DB)]);
  const drives = trash.map((each) => ({ ...known(each.volume_id), files: each.files, bytes: each.bytes })).sort((a, b) => Number(b.connected) - Number(a.connected));
  const last = tiles.length > TRASH_SHOWN ? tiles[TRASH_SHOWN - 1] : undefined;
  const here = c.req.query('before');
  const facts = { tiles: tiles.slice(0, TRASH_SHOWN), drives, spare, first: here === undefined, nowMs: Date.now(), next: last ? withQuery('/trash', { before: `${last.at_ms}.${last.sha256}` }) : null };
  if (wantsFragment(c)) return sendFragment(c, <TrashBody {...facts} />);
  return sendPage(c, <TrashPage frame={await loadFrame(c)} {...facts} address={here === undefined ? '/trash' : withQuery('/trash', { before: here })} {...words} />, status);
}

async function sendDraft(c: PageContext, order: OrderFacts, wrong?: string, status: 200 | 422 = 200): Promise<Response> {
  const whole = await readOrder(c.env.DB, order.order_id);
  if (!whole) throw new NotFound('There is no such order.');
  const fields = await fieldsOf(c, whole.body);
  const asks = fields !== null && (fields.kind === 'copy' ? fields.volume_id === '' : fields.folder === '');
  let plan: OrderPlan | null = null;
  let cannot: string | undefined;
  if (!asks) try { plan = await askAgent(c.env, 'plan_order', { body: await withVolumes(c, whole.body) }); } catch (error) { cannot = sayRefusal(error).text; }
  // What is shown is what is given.
  const pinned = onDrive(whole.body, plan);
  if (pinned !== whole.body) await fillDraft(c.env.DB, order.order_id, pinned, order.title);
  const known = await loadKnownDrives(c);
  const [drives, away] = [planned(known, plan?.drives ?? []), planned(known, plan?.away ?? [])];
  const hashes = 'sha256s' in whole.body && whole.body.sha256s !== null ? whole.body.sha256s.slice(0, TILES_SHOWN) : [];
  const view = { order: viewOf(order, known), plan, drives, away, target: plan?.target ? named(known, plan.target) : null, copies: whole.body.kind === 'trash' ? whole.body.copies?.slice(0, COPIES_SHOWN).map((copy) => ({ drive: known(copy.volume_id).label, path: copy.path })) ?? null : null, cannot, fields, tiles: await listPlanTiles(c.env.DB, hashes) };
  return wantsFragment(c) ? sendFragment(c, <Draft {...view} />) : sendPage(c, <DraftPage frame={await loadFrame(c)} {...view} wrong={wrong === cannot ? undefined : wrong} />, status);
}

/** What the owner is still to say, or may change. */
async function fieldsOf(c: PageContext, body: OrderBody): Promise<CopyFields | ExportFields | null> {
  if (body.kind !== 'copy' && body.kind !== 'export') return null;
  const { volumes } = await getPresence(c.env);
  const known = await loadKnownDrives(c);
  if (body.kind === 'copy') {
    const drives = volumes.filter((v) => !v.read_only).map((v) => named(known, v));
    // One that was chosen and has left stays chosen.
    const chosen = body.volume_id === '' || drives.some((d) => d.volume_id === body.volume_id) ? [] : [known(body.volume_id)];
    return { kind: 'copy', volume_id: body.volume_id, folder: body.folder, drives: [...chosen, ...drives] };
  }
  return { kind: 'export', folder: body.folder, template: body.template, sidecars: body.sidecars, places: volumes.filter((v) => !v.read_only && v.removable).map((v) => `${v.mount_point}/Export`) };
}

async function sendOrder(c: PageContext, order: OrderFacts, words: { wrong?: string } = {}): Promise<Response> {
  const after = Number(c.req.query('after') ?? -1);
  if (!Number.isInteger(after)) throw new BadRequest('This is no place among receipts.');
  return sendPage(c, <OrderPage frame={await loadFrame(c)} {...await loadBody(c, order, after)} first={after < 0} {...words} />);
}

async function loadBody(c: PageContext, order: OrderFacts, after: number): Promise<OrderBodyView> {
  const [drives, counts, receipts] = await Promise.all([loadKnownDrives(c), countOutcomes(c.env.DB, order.order_id), listReceipts(c.env.DB, order.order_id, after, RECEIPTS_SHOWN + 1)]);
  const shown = receipts.slice(0, RECEIPTS_SHOWN).map((r): ReceiptView => ({ ...r, drive: drives(r.volume_id).label }));
  return { order: viewOf(order, drives), counts, receipts: shown, next: receipts.length > RECEIPTS_SHOWN ? withQuery(`/orders/${order.order_id}`, { after: shown.at(-1)?.n ?? 0 }) : null, nowMs: Date.now() };
}

/** A drive that the library may not know: then by what it calls itself. */
function named(drives: KnownDrives, { volume_id, label }: { volume_id: string; label: string }): KnownDrive {
  const drive = drives(volume_id);
  return drive.label === volume_id ? { ...drive, label } : drive;
}

function planned(drives: KnownDrives, list: readonly { volume_id: string; files: number; bytes?: number }[]): PlannedDrive[] {
  return list.map((each) => ({ ...drives(each.volume_id), files: each.files, bytes: each.bytes ?? 0 }));
}

function viewOf(order: OrderFacts, drives: KnownDrives): OrderView {
  return { ...order, waitsFor: order.waiting_for === null ? null : drives(order.waiting_for) };
}

function orderIdOf(c: PageContext): string {
  const id = OrderId.safeParse(c.req.param('id'));
  if (!id.success) throw new NotFound('There is no such order.');
  return id.data;
}

async function needOrder(c: PageContext, id: string): Promise<OrderFacts> {
  const order = await findOrder(c.env.DB, id);
  if (!order) throw new NotFound('There is no such order.');
  return order;
}

/** `MS.KEY`: before that moment and key; before all of them where it is left out. */
function readCursor(text: string | undefined): { atMs: number; key: string } {
  if (text === undefined) return { atMs: Number.MAX_SAFE_INTEGER, key: '' };
  const found = /^(\d{1,16})\.([0-9a-f-]{1,64})$/.exec(text);
  if (!found) throw new BadRequest('This is no cursor of ours.');
  return { atMs: Number(found[1]), key: found[2] ?? '' };
}

// ── the command line ──

/** Only what it would do (`dry`), or given: a last copy by `word`. */
const Ask = z.object({ body: OrderBody, dry: z.boolean().default(false), last_copies: z.boolean().default(false) });

/** Absolute paths of this moment to what lies there: by the drives that are connected, the deepest mount point first. */
orders.post('/api/orders/paths', async (c) => {
  const parsed = z.object({ paths: z.array(z.string().min(1).max(8_192)).max(10_000), trashed: z.boolean().default(false) }).safeParse(await readJson(c.req.raw, MAX_ASK_BYTES));
  if (!parsed.success) throw new BadRequest('Say which paths.');
  const volumes = (await getPresence(c.env)).volumes.sort((a, b) => b.mount_point.length - a.mount_point.length);
  const found = new Map<string, FoundFile>();
  const unknown: string[] = [];
  for (const path of parsed.data.paths) {
    const volume = volumes.find((v) => path === v.mount_point || path.startsWith(v.mount_point.endsWith('/') ? v.mount_point : `${v.mount_point}/`));
    const files = volume ? await filesAt(c.env.DB, volume.volume_id, path.slice(volume.mount_point.length).replace(/^\/+|\/+$/g, ''), parsed.data.trashed) : [];
    if (files.length === 0) unknown.push(path);
    for (const file of files) found.set(`${file.volume_id}\0${file.path}`, file);
  }
  if (found.size > MAX_ORDER_ASSETS) throw new BadRequest(`One order takes ${MAX_ORDER_ASSETS} files at most. Name less.`);
  const files = [...found.values()];
  return c.json({ files, elsewhere: [...await hashesElsewhere(c.env.DB, files)], unknown });
});

orders.post('/api/orders', async (c) => {
  const parsed = Ask.safeParse(await readJson(c.req.raw, MAX_ASK_BYTES));
  if (!parsed.success) throw new BadRequest(`This order cannot be read: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}.`);
  const { body, dry, last_copies } = parsed.data;
  if (!(await getPresence(c.env)).connected) await askAgent(c.env, 'plan_order', { body });
  const drive = 'volume_id' in body ? await findDrive(c.env.DB, body.volume_id) : undefined;
  const orderId = await draft(c, body, drive && driveLabel(drive));
  if (dry) {
    const whole = await readOrder(c.env.DB, orderId);
    await cancelOrder(c.env.DB, orderId);
    return c.json({ plan: await askAgent(c.env, 'plan_order', { body: whole?.body ?? body }) });
  }
  const given = await give(c, orderId, last_copies ? LAST_COPY_WORDS[body.kind] ?? '' : '');
  if (!given.ok) { await cancelOrder(c.env.DB, orderId); return c.json({ error: given.why, plan: given.plan }, 409); }
  return c.json({ order_id: orderId });
});

orders.get('/api/orders/:id', async (c) => {
  const order = await needOrder(c, orderIdOf(c));
  const after = Number(c.req.query('after') ?? -1);
  if (!Number.isInteger(after)) throw new BadRequest('This is no place among receipts.');
  const receipts = isEnded(order.state as OrderState) ? await listReceipts(c.env.DB, order.order_id, after, RECEIPTS_READ) : [];
  return c.json({ ...order, cancelled: order.cancelled === 1, counts: await countOutcomes(c.env.DB, order.order_id), receipts, next: receipts.length === RECEIPTS_READ ? receipts.at(-1)?.n ?? null : null });
});

orders.post('/api/orders/:id/cancel', async (c) => {
  const id = orderIdOf(c);
  await needOrder(c, id);
  await cancelOrder(c.env.DB, id);
  await wakeOrders(c.env);
  return c.json({});
});
