// HTTP to the Worker: one place that adds the token, bounds waiting and turns answers into values or errors.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import * as z from 'zod';
import { ExportFacts, OpenOrders, Order, type OrderReport } from '../../protocol/orders.ts';
import { BatchAnswer, KnownLocations, SyncState, WantedPlaces, type ScanComplete, type WantedPlace } from '../../protocol/rows.ts';
import { ChunkAnswer, CurationPage, type CurationChunk, type CurationPart } from '../../protocol/curation.ts';
import { PACK_MIME, PackAnswer, encodePack, type PackItem } from '../../protocol/pack.ts';
import { PartStored, ProxyStored, UploadStarted, type UploadComplete, type UploadStart } from '../../protocol/proxy.ts';
import { renditionUrl, type ProxyId, type RenditionId } from '../../protocol/rendition.ts';
import { PartTaken, type TransferEnd } from '../../protocol/transfer.ts';
import { VECTOR_PACK_MIME, Vocabulary, type QueryEmbeddings, type SearchSpace, type VectorSpace } from '../../protocol/vector.ts';

/** Longer than the slowest batch on a busy machine; a hung Worker is noticed all the same. */
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Waits before a broken connection is tried again, in milliseconds. A Worker closes connections that were idle, at times
 * just as the next request leaves; every call here may be repeated, for the Worker takes each once.
 */
const RETRY_MS = [0, 100, 500] as const;

export interface WorkerAddress { url: string; token: string }

/** The Worker cannot be reached, or is not itself: worth trying again later. */
export class WorkerUnreachable extends Error { override name = 'WorkerUnreachable'; }

/** The Worker answered and refused: trying the same again is useless. */
export class WorkerRefused extends Error {
  readonly status: number;
  readonly body: unknown;
  constructor(status: number, body: unknown) {
    const text = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : typeof body === 'string' ? body.slice(0, 300) : '';
    super(`the Worker refused (${status}): ${text}`);
    this.name = 'WorkerRefused'; this.status = status; this.body = body;
  }
}

/** Any call to the Worker. Throws WorkerUnreachable (network, 5xx, time-out) or WorkerRefused (4xx). */
export async function callWorker(at: WorkerAddress, path: string, init: { method?: string; body?: string | Uint8Array<ArrayBuffer>; type?: string; timeoutMs?: number; signal?: AbortSignal; large?: boolean } = {}): Promise<Response> {
  const timeout = AbortSignal.timeout(init.timeoutMs ?? REQUEST_TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([timeout, init.signal]) : timeout;
  let response: Response | undefined;
  for (let attempt = 0; !response; attempt += 1) {
    try {
      response = await (init.large ? sendLarge : fetch)(new URL(path, at.url), {
        method: init.method ?? 'GET', body: init.body ?? null,
        headers: { authorization: `Bearer ${at.token}`, ...(init.type ? { 'content-type': init.type } : {}) },
        signal,
      });
    } catch (error) {
      const wait = RETRY_MS[attempt];
      if (signal.aborted || wait === undefined) throw new WorkerUnreachable(error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error));
      await new Promise((done) => { setTimeout(done, wait); });
    }
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => '');
  if (response.status >= 500) throw new WorkerUnreachable(`the Worker answered ${response.status}: ${text.slice(0, 300)}`);
  let body: unknown = text;
  try { body = JSON.parse(text); } catch { /* text it stays */ }
  throw new WorkerRefused(response.status, body);
}

/** `fetch` for a body of megabytes, which the real one takes apart: a third to a sixth of the rate (ADR 21). */
function sendLarge(url: URL, init: { method: string; body: string | Uint8Array | null; headers: Record<string, string>; signal: AbortSignal }): Promise<Response> {
  return new Promise((done, fail) => {
    const length = init.body === null ? 0 : Buffer.byteLength(init.body);
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, { method: init.method, headers: { ...init.headers, 'content-length': length }, signal: init.signal }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => { chunks.push(chunk); }).on('error', fail).on('end', () => { done(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 500 })); });
    });
    request.on('error', fail);
    request.end(init.body);
  });
}

async function callJson<T extends z.ZodType>(at: WorkerAddress, path: string, schema: T, init: Parameters<typeof callWorker>[2] = {}): Promise<z.infer<T>> {
  const response = await callWorker(at, path, init);
  const parsed = schema.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) throw new WorkerUnreachable(`${path} answered something else than agreed: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}

export function pushPack(at: WorkerAddress, items: readonly PackItem[]): Promise<PackAnswer> {
  return callJson(at, '/sync/renditions', PackAnswer, { method: 'POST', body: encodePack(items), type: PACK_MIME });
}

/** `body` is the batch as it lies in the outbox, so that a repeat is the same bytes. */
export function pushBatch(at: WorkerAddress, body: string): Promise<BatchAnswer> {
  return callJson(at, '/sync/batches', BatchAnswer, { method: 'POST', body, type: 'application/json' });
}

export function fetchSyncState(at: WorkerAddress, agentId: string): Promise<SyncState> {
  return callJson(at, `/sync/state?agent_id=${encodeURIComponent(agentId)}`, SyncState);
}

export async function completeScan(at: WorkerAddress, scanId: string, body: ScanComplete): Promise<void> {
  await callWorker(at, `/sync/scans/${encodeURIComponent(scanId)}/complete`, { method: 'POST', body: JSON.stringify(body), type: 'application/json' });
}

export function fetchKnownLocations(at: WorkerAddress, volumeId: string, after: string): Promise<KnownLocations> {
  return callJson(at, `/sync/locations?volume_id=${encodeURIComponent(volumeId)}&after=${encodeURIComponent(after)}`, KnownLocations);
}

/** Cells that the Worker wants named better than below `rank`, those with the least first; at most a page of them. */
export async function fetchWantedPlaces(at: WorkerAddress, rank: number, signal: AbortSignal): Promise<WantedPlace[]> {
  return (await callJson(at, `/sync/places/wanted?rank=${rank}`, WantedPlaces, { signal })).places;
}

const MP4_MIME = 'video/mp4';

/** A proxy of at most one part. */
export function pushProxy(at: WorkerAddress, id: ProxyId, sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<ProxyStored> {
  return callJson(at, `/sync/proxies/${id.sha256}/${id.version}?sha256=${sha256}`, ProxyStored, { method: 'PUT', body: bytes, type: MP4_MIME });
}

export function startProxyUpload(at: WorkerAddress, id: ProxyId, body: UploadStart): Promise<UploadStarted> {
  return callJson(at, `/sync/proxies/${id.sha256}/${id.version}/uploads`, UploadStarted, { method: 'POST', body: JSON.stringify(body), type: 'application/json' });
}

/** `part` counts from 1. */
export function pushProxyPart(at: WorkerAddress, id: ProxyId, uploadId: string, part: number, sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<PartStored> {
  return callJson(at, `/sync/proxies/${id.sha256}/${id.version}/uploads/${part}?upload_id=${encodeURIComponent(uploadId)}&sha256=${sha256}`, PartStored, { method: 'PUT', body: bytes, type: MP4_MIME });
}

export function completeProxyUpload(at: WorkerAddress, id: ProxyId, body: UploadComplete): Promise<ProxyStored> {
  return callJson(at, `/sync/proxies/${id.sha256}/${id.version}/uploads/complete`, ProxyStored, { method: 'POST', body: JSON.stringify(body), type: 'application/json' });
}

/** A rendition as the Worker keeps it, or undefined where it has none. */
export async function fetchRendition(at: WorkerAddress, id: RenditionId, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try { return new Uint8Array(await (await callWorker(at, renditionUrl(id), signal ? { signal } : {})).arrayBuffer()); } catch (error) {
    if (error instanceof WorkerRefused && error.status === 404) return undefined;
    throw error;
  }
}

/** `body` as encodeVectorPack makes it. */
export async function pushVectorPack(at: WorkerAddress, body: Uint8Array<ArrayBuffer>): Promise<void> {
  await callWorker(at, '/sync/vectors', { method: 'POST', body, type: VECTOR_PACK_MIME });
}

/** Vectors of a space in the embedded index. */
export async function countVectors(at: WorkerAddress, space: string): Promise<number> {
  return (await callJson(at, `/sync/vectors?space=${encodeURIComponent(space)}`, z.object({ count: z.int().nonnegative() }))).count;
}

export async function removeVectors(at: WorkerAddress, space: VectorSpace, sha256s: readonly string[]): Promise<void> {
  await callWorker(at, '/sync/vectors/remove', { method: 'POST', body: JSON.stringify({ space, sha256s }), type: 'application/json' });
}

export async function dropOtherVectors(at: WorkerAddress, space: VectorSpace): Promise<void> {
  await callWorker(at, '/sync/vectors/drop-others', { method: 'POST', body: JSON.stringify({ space }), type: 'application/json' });
}

/** From now on searches are made in this space. */
export async function putSearchSpace(at: WorkerAddress, body: SearchSpace): Promise<void> {
  await callWorker(at, '/sync/search-space', { method: 'PUT', body: JSON.stringify(body), type: 'application/json' });
}

export async function putQueryEmbeddings(at: WorkerAddress, body: QueryEmbeddings): Promise<void> {
  await callWorker(at, '/sync/query-embeddings', { method: 'PUT', body: JSON.stringify(body), type: 'application/json' });
}

/** Names of the library whose embedding is not kept in the Worker yet. */
export async function fetchVocabulary(at: WorkerAddress, space: string): Promise<string[]> {
  return (await callJson(at, `/sync/vocabulary?space=${encodeURIComponent(space)}`, Vocabulary)).texts;
}

/** Lines of what the owner did, from a cursor on. */
export function fetchCuration(at: WorkerAddress, part: CurationPart, after: string): Promise<CurationPage> {
  return callJson(at, `/sync/curation?part=${part}&after=${encodeURIComponent(after)}`, CurationPage);
}

export function pushCuration(at: WorkerAddress, chunk: CurationChunk): Promise<ChunkAnswer> {
  return callJson(at, '/sync/curation', ChunkAnswer, { method: 'POST', body: JSON.stringify(chunk), type: 'application/json' });
}

/** Orders that have not ended, as the Worker has them. */
export async function fetchOpenOrders(at: WorkerAddress): Promise<OpenOrders['orders']> {
  return (await callJson(at, '/sync/orders', OpenOrders)).orders;
}

/** One order whole. */
export function fetchOrder(at: WorkerAddress, orderId: string): Promise<Order> {
  return callJson(at, `/sync/orders/${orderId}`, Order);
}

export async function pushOrderReport(at: WorkerAddress, orderId: string, report: OrderReport): Promise<void> {
  await callWorker(at, `/sync/orders/${orderId}`, { method: 'POST', body: JSON.stringify(report), type: 'application/json' });
}

/** Part `n` of a transfer; whether the next may come. Refused with 410 where nobody waits for it any more. */
export async function pushTransferPart(at: WorkerAddress, id: string, n: number, bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<boolean> {
  return (await callJson(at, `/sync/transfers/${id}/${n}`, PartTaken, { method: 'PUT', body: bytes, type: 'application/octet-stream', signal, large: true })).room;
}

/** Whether there is room for a part now; the Worker answers once there is, or after a while. */
export async function waitForRoom(at: WorkerAddress, id: string, signal: AbortSignal): Promise<boolean> {
  return (await callJson(at, `/sync/transfers/${id}/wait`, PartTaken, { method: 'POST', signal })).room;
}

export async function endTransfer(at: WorkerAddress, id: string, end: TransferEnd): Promise<void> {
  await callWorker(at, `/sync/transfers/${id}/end`, { method: 'POST', body: JSON.stringify(end), type: 'application/json' });
}

/** What the library says of these assets, at most MAX_FACTS_ASSETS; those that it does not have are left out. */
export function fetchExportFacts(at: WorkerAddress, sha256s: readonly string[]): Promise<ExportFacts> {
  return callJson(at, '/sync/orders/facts', ExportFacts, { method: 'POST', body: JSON.stringify({ sha256s }), type: 'application/json' });
}
