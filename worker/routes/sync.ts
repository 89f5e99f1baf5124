// What the agent pushes and asks (docs/sync-protocol.md). Token on every call; bodies bounded; the store does the work.
import { Hono } from 'hono';
import { CurationChunk, CurationPart, MAX_CURATION_CHUNK_BYTES } from '../../protocol/curation.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_ROWS, MAX_PACK_BYTES, MAX_PROXY_PARTS, PROTOCOL_VERSION, PROXY_PART_BYTES, TRANSFER_PART_BYTES } from '../../protocol/limits.ts';
import { FactsQuestion, OrderId, OrderReport } from '../../protocol/orders.ts';
import { decodePack, type PackItem } from '../../protocol/pack.ts';
import { UploadComplete, UploadStart } from '../../protocol/proxy.ts';
import { parseProxyKey, proxyKey, type ProxyId } from '../../protocol/rendition.ts';
import { BATCH_ROWS, Batch, ScanComplete, type BatchList } from '../../protocol/rows.ts';
import { TransferEnd, TransferId } from '../../protocol/transfer.ts';
import { MAX_VECTOR_PACK_BYTES, SpaceKey, VectorRemoval, VectorDrop } from '../../protocol/vector.ts';
import { Sha256 } from '../../protocol/words.ts';
import type { App } from '../env.ts';
import { BadRequest, Conflict, Gone, NotFound, TooLarge } from '../errors.tsx';
import { notifyPages, openTransfers } from '../link/client.ts';
import type { Told } from '../link/transfers.ts';
import { readBytes, readJson } from '../middleware/body.ts';
import { tellLibrary } from '../middleware/tell.ts';
import { requireToken } from '../middleware/token.ts';
import { countVectors, dropOtherVectors, putVectors, removeVectors } from '../search/embedded.ts';
import { readSyncState } from '../store/batches.ts';
import { readCuration } from '../store/curation-export.ts';
import { importCuration } from '../store/curation-import.ts';
import { readExportFacts } from '../store/export-facts.ts';
import { applyBatch, finish } from '../store/ingest.ts';
import { listKnownLocations } from '../store/locations.ts';
import { applyReport, listOpenOrders, readOrder } from '../store/orders.ts';
import { listWantedPlaces } from '../store/places.ts';
import { completeUpload, ProxyRefused, startUpload, storePart, storeProxy } from '../store/proxies.ts';
import { storeRenditions } from '../store/renditions.ts';
import { completeScan } from '../store/scans.ts';

/** 5,000 paths of PATH_MAX would be 20 MB; real ones are some 100 bytes. The agent splits by bytes as by count. */
const MAX_COMPLETE_BYTES = 4_000_000;
/** The receipts of all parts of the largest upload are some 30 KB. */
const MAX_UPLOAD_WORDS_BYTES = 100_000;
/** 500 hashes are 34 KB. */
const MAX_FACTS_BYTES = 50_000;
/** 5,000 hashes are 335 KB. */
const MAX_VECTOR_WORDS_BYTES = 500_000;
/** 1,000 receipts with paths of PATH_MAX twice would be 12 MB; real ones are some 0.4 MB. */
const MAX_REPORT_BYTES = 16_000_000;

export const sync = new Hono<App>();
sync.use('/sync/*', requireToken);

sync.post('/sync/renditions', async (c) => {
  const body = await readBytes(c.req.raw, MAX_PACK_BYTES);
  let items: PackItem[];
  try { items = decodePack(body); } catch (error) { throw new BadRequest(`This pack cannot be read: ${error instanceof Error ? error.message : 'unknown'}.`); }
  return c.json(await storeRenditions(c.env.RENDITIONS, items));
});

/** A proxy of at most one part, in one request. */
sync.put('/sync/proxies/:sha/:version', async (c) => {
  const id = proxyId(c.req.param('sha'), c.req.param('version'));
  const sha256 = hashSaid(c.req.query('sha256'));
  const bytes = await readBytes(c.req.raw, PROXY_PART_BYTES);
  return c.json(await refusing(() => storeProxy(c.env.RENDITIONS, id, bytes, sha256)));
});

sync.post('/sync/proxies/:sha/:version/uploads', async (c) => {
  const id = proxyId(c.req.param('sha'), c.req.param('version'));
  const said = UploadStart.safeParse(await readJson(c.req.raw, MAX_UPLOAD_WORDS_BYTES));
  if (!said.success) throw new BadRequest(`This upload cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  return c.json(await startUpload(c.env.RENDITIONS, id, said.data));
});

sync.post('/sync/proxies/:sha/:version/uploads/complete', async (c) => {
  const id = proxyId(c.req.param('sha'), c.req.param('version'));
  const said = UploadComplete.safeParse(await readJson(c.req.raw, MAX_UPLOAD_WORDS_BYTES));
  if (!said.success) throw new BadRequest(`This upload cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  return c.json(await refusing(() => completeUpload(c.env.RENDITIONS, id, said.data)));
});

sync.put('/sync/proxies/:sha/:version/uploads/:part', async (c) => {
  const id = proxyId(c.req.param('sha'), c.req.param('version'));
  const part = Number(c.req.param('part'));
  const uploadId = c.req.query('upload_id');
  if (!Number.isInteger(part) || part < 1 || part > MAX_PROXY_PARTS || !uploadId) throw new BadRequest('Say which part of which upload_id.');
  const sha256 = hashSaid(c.req.query('sha256'));
  const bytes = await readBytes(c.req.raw, PROXY_PART_BYTES);
  return c.json(await refusing(() => storePart(c.env.RENDITIONS, id, uploadId, part, bytes, sha256)));
});

function proxyId(sha256: string, version: string): ProxyId {
  const id = parseProxyKey(proxyKey({ sha256, version: Number(version) }));
  if (!id) throw new BadRequest('This is no proxy\u2019s address.');
  return id;
}

function hashSaid(sha256: string | undefined): string {
  const parsed = Sha256.safeParse(sha256);
  if (!parsed.success) throw new BadRequest('Say the sha256 of the bytes.');
  return parsed.data;
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try { return await work(); } catch (error) {
    if (error instanceof ProxyRefused) throw error.again ? new Conflict(error.message) : new BadRequest(error.message);
    throw error;
  }
}

sync.post('/sync/batches', async (c) => {
  const json = await readJson(c.req.raw, MAX_BATCH_BYTES);
  // Before the envelope's own check: a newer protocol's may look different.
  const protocol = (json as { protocol?: unknown } | null)?.protocol;
  if (typeof protocol === 'number' && protocol > PROTOCOL_VERSION) throw new Conflict(`This Worker speaks protocol ${PROTOCOL_VERSION}; update it.`, { protocol: PROTOCOL_VERSION });
  const parsed = Batch.safeParse(json);
  if (!parsed.success) throw new BadRequest(`This batch cannot be read: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}.`);
  const rows = (Object.keys(BATCH_ROWS) as BatchList[]).reduce((n, list) => n + parsed.data[list].length, 0);
  if (rows > MAX_BATCH_ROWS) throw new TooLarge(`A batch has at most ${MAX_BATCH_ROWS} rows; this one has ${rows}.`);

  const outcome = await applyBatch(c.env.DB, parsed.data, Date.now());
  if (outcome.kind === 'gap') throw new Conflict(`This batch is out of order: ${outcome.ackedSeq} is acknowledged.`, { acked_seq: outcome.ackedSeq, epoch: outcome.epoch });
  if (outcome.libraryChanged) c.executionCtx.waitUntil(tellLibrary(c));
  if (outcome.problemsChanged) c.executionCtx.waitUntil(notifyPages(c.env, 'problems'));
  return c.json(outcome.answer);
});

sync.get('/sync/state', async (c) => {
  const agentId = c.req.query('agent_id');
  if (!agentId) throw new BadRequest('Say which agent_id.');
  // An agent asks this when it starts: what a killed Worker left half done is finished now, without waiting for a batch.
  if (await finish(c.env.DB, Date.now())) c.executionCtx.waitUntil(tellLibrary(c));
  return c.json(await readSyncState(c.env.DB, agentId));
});

sync.get('/sync/locations', async (c) => {
  const volumeId = c.req.query('volume_id');
  if (!volumeId) throw new BadRequest('Say which volume_id.');
  return c.json(await listKnownLocations(c.env.DB, volumeId, c.req.query('after') ?? ''));
});

/** Cells in one answer: a page for the agent to name before it asks again. */
const WANTED_PLACES = 500;

sync.get('/sync/places/wanted', async (c) => {
  const rank = Number(c.req.query('rank'));
  if (!Number.isInteger(rank) || rank < 1) throw new BadRequest('Say below which rank.');
  return c.json({ places: await listWantedPlaces(c.env.DB, rank, WANTED_PLACES) });
});

sync.post('/sync/scans/:id/complete', async (c) => {
  const parsed = ScanComplete.safeParse(await readJson(c.req.raw, MAX_COMPLETE_BYTES));
  if (!parsed.success) throw new BadRequest(`This completion cannot be read: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}.`);
  const outcome = await completeScan(c.env.DB, c.req.param('id'), parsed.data, Date.now());
  if (!outcome.ok) throw new Conflict(outcome.reason);
  if (outcome.changed) c.executionCtx.waitUntil(tellLibrary(c));
  return c.json(outcome.answer);
});

/** The embedded index (docs/sync-protocol.md, Vectors). */
sync.post('/sync/vectors', async (c) => c.json(await putVectors(c.env, await readBytes(c.req.raw, MAX_VECTOR_PACK_BYTES))));

sync.get('/sync/vectors', async (c) => {
  const space = SpaceKey.safeParse(c.req.query('space'));
  if (!space.success) throw new BadRequest('Say which space.');
  return c.json({ count: await countVectors(c.env, space.data) });
});

sync.post('/sync/vectors/remove', async (c) => {
  const said = VectorRemoval.safeParse(await readJson(c.req.raw, MAX_VECTOR_WORDS_BYTES));
  if (!said.success) throw new BadRequest(`This removal cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  return c.json(await removeVectors(c.env, said.data.space, said.data.sha256s));
});

sync.post('/sync/vectors/drop-others', async (c) => {
  const said = VectorDrop.safeParse(await readJson(c.req.raw, MAX_VECTOR_WORDS_BYTES));
  if (!said.success) throw new BadRequest(`This cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  return c.json(await dropOtherVectors(c.env, said.data.space));
});

/** Orders that have not ended; one whole; and what became of it. */
sync.get('/sync/orders', async (c) => c.json(await listOpenOrders(c.env.DB)));

sync.get('/sync/orders/:id', async (c) => {
  const order = await readOrder(c.env.DB, orderId(c.req.param('id')));
  if (!order) throw new NotFound('There is no such order.');
  return c.json(order);
});

/** What an export says of its assets. */
sync.post('/sync/orders/facts', async (c) => {
  const said = FactsQuestion.safeParse(await readJson(c.req.raw, MAX_FACTS_BYTES));
  if (!said.success) throw new BadRequest(`This question cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  return c.json(await readExportFacts(c.env.DB, said.data.sha256s));
});

sync.post('/sync/orders/:id', async (c) => {
  const said = OrderReport.safeParse(await readJson(c.req.raw, MAX_REPORT_BYTES));
  if (!said.success) throw new BadRequest(`This report cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  const id = orderId(c.req.param('id'));
  if (!(await applyReport(c.env.DB, id, said.data, Date.now()))) throw new NotFound('There is no such order.');
  c.executionCtx.waitUntil(notifyPages(c.env, 'orders'));
  if (said.data.receipts.length > 0) c.executionCtx.waitUntil(tellLibrary(c));
  return c.json({});
});

function orderId(text: string): string {
  const id = OrderId.safeParse(text);
  if (!id.success) throw new BadRequest('This is no order’s number.');
  return id.data;
}

/** What the owner did, as lines of a file and back (protocol/curation.ts). */
sync.get('/sync/curation', async (c) => {
  const part = CurationPart.safeParse(c.req.query('part'));
  if (!part.success) throw new BadRequest(`Say which part: ${CurationPart.options.join(', ')}.`);
  return c.json(await readCuration(c.env.DB, part.data, c.req.query('after') ?? ''));
});

sync.post('/sync/curation', async (c) => {
  const said = CurationChunk.safeParse(await readJson(c.req.raw, MAX_CURATION_CHUNK_BYTES));
  if (!said.success) throw new BadRequest(`This curation cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  const { changed, ...answer } = await importCuration(c.env.DB, said.data, Date.now());
  if (changed) c.executionCtx.waitUntil(tellLibrary(c));
  return c.json(answer);
});

/** Parts of originals on their way to a browser. 410: nobody waits for them any more. */
sync.put('/sync/transfers/:id/:n', async (c) => {
  const n = Number(c.req.param('n'));
  if (!Number.isInteger(n) || n < 0) throw new BadRequest('Say which part.');
  const length = Number(c.req.header('content-length') ?? Number.NaN);
  if (!(length > 0 && length <= TRANSFER_PART_BYTES)) throw new TooLarge(`A part has a declared length of at most ${TRANSFER_PART_BYTES} bytes.`);
  // Handed on as it comes in: read here first, a part takes five times as long (ADR 21).
  const answer = await openTransfers(c.env).fetch(new Request(`http://transfers/${transferId(c.req.param('id'))}/${n}`, { method: 'PUT', headers: { 'Content-Length': String(length) }, body: c.req.raw.body }));
  return c.json(roomOf(await answer.json<Told>()));
});

sync.post('/sync/transfers/:id/wait', async (c) => c.json(roomOf(await openTransfers(c.env).wait(transferId(c.req.param('id'))))));

sync.post('/sync/transfers/:id/end', async (c) => {
  const said = TransferEnd.safeParse(await readJson(c.req.raw, MAX_UPLOAD_WORDS_BYTES));
  if (!said.success) throw new BadRequest(`This end cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  await openTransfers(c.env).end(transferId(c.req.param('id')), said.data);
  return c.json({});
});

function transferId(text: string): TransferId {
  const id = TransferId.safeParse(text);
  if (!id.success) throw new BadRequest('This is no transfer\u2019s number.');
  return id.data;
}

function roomOf(told: Told): { room: boolean } {
  if (told.ok) return { room: told.room };
  throw told.why === 'ended' ? new Gone('Nobody waits for this any more.') : new Conflict('It is not this part’s turn.');
}
