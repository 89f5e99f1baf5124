// What agent and Worker both say to a Qdrant: its address, the names of collections and points, the question of a search, and what
// its failures mean. The calls themselves are handed in, so nothing here does I/O.
import * as z from 'zod';
import type { VectorAnswer, VectorQuestion } from './link.ts';
import { isAtHome } from './nominatim-url.ts';
import { spaceKey, textToVector } from './vector.ts';
import { Sha256 } from './words.ts';

/** Most points of one upsert: 768 numbers each are 4 MB of JSON, far below the 32 MB that a Qdrant takes. */
export const MAX_QDRANT_POINTS = 500;
/** Most hits of one question, as `VectorQuestion` bounds them. Strict mode holds the collection to it. */
export const MAX_QDRANT_HITS = 5_000;
/** Twice as many candidates by their eight bits as are then scored by their floats. */
const OVERSAMPLING = 2;
/** Breadth of the graph's search, which is at least as wide as the limit: the default of 100 loses a hit in a hundred at a limit of 100. */
const HNSW_EF = 256;
const MAX_REASON_CHARS = 300;

/** Where the owner's Qdrant lies, and its key: QDRANT_URL and QDRANT_API_KEY as they were given. */
export interface QdrantOptions { url: string; apiKey?: string | undefined }

/** `refused`: trying again is useless; `unreachable`: worth trying again; `missing`: the collection or the point is not there. */
export type QdrantTrouble = 'refused' | 'unreachable' | 'missing';

/** The message is a sentence for people and never holds the key. */
export class QdrantError extends Error {
  override name = 'QdrantError';
  readonly trouble: QdrantTrouble;
  constructor(trouble: QdrantTrouble, message: string) { super(message); this.trouble = trouble; }
}

export interface QdrantAddress {
  /** Scheme, host, port and path, without a slash at the end: what messages and the catalog call it. */
  href: string;
  apiKey: string | undefined;
  /** What the client's constructor takes. */
  client: { url: string; port: number; prefix: string; headers: Record<string, string>; timeout: number; checkCompatibility: boolean };
}

/**
 * Where Qdrant is, as it will be asked. Throws QdrantError for an address or a key that cannot be used. Without a port it is
 * 6333, as in Qdrant's own clients. Vectors tell what is in a picture: they and the key go over the open network encrypted only.
 */
export function readQdrantAddress({ url: text, apiKey }: QdrantOptions): QdrantAddress {
  const key = apiKey === undefined || apiKey === '' ? undefined : apiKey;
  const refuse = (why: string) => new QdrantError('refused', hideKey(why, key));
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw refuse('QDRANT_URL is not the address of a server: it begins with http:// or https://.');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') throw refuse('QDRANT_URL has no user, question mark or # in it; the key goes into QDRANT_API_KEY.');
  if (url.protocol === 'http:' && !isAtHome(url.hostname)) throw refuse(`QDRANT_URL: ${url.hostname} would be told vectors and the key in the clear: use https:// (http:// is for servers on this computer and in the home network).`);
  if (key !== undefined && !/^[\x21-\x7e]{1,1000}$/.test(key)) throw refuse('QDRANT_API_KEY holds characters that no key has: a space, a line break or a letter beyond ASCII.');
  // URL drops the scheme's own port, and the client would then take 6333 for it.
  const named = /^https?:\/\/(?:\[[^\]]*\]|[^/:]*):(\d+)/i.exec(text.trim())?.[1];
  const port = named === undefined ? 6_333 : Number(named);
  const prefix = url.pathname.replace(/\/+$/, '');
  return {
    href: hideKey(`${url.protocol}//${url.hostname}:${port}${prefix}`, key), apiKey: key,
    client: {
      url: `${url.protocol}//${url.hostname}`, port, prefix,
      // As a header, for with `apiKey` the client warns on the console about plain http, which is for this computer alone.
      headers: key === undefined ? {} : { 'api-key': key },
      // Every call has a deadline of its own that covers the whole answer.
      timeout: Number.POSITIVE_INFINITY, checkCompatibility: false,
    },
  };
}

/** Begins the name of every collection of ours; nothing else is ever dropped. */
const COLLECTION = /^jharokha_(standard|light)_[0-9a-f]{8}$/;
export function isOurCollection(name: string): boolean { return COLLECTION.test(name); }

/** A collection for each space: `jharokha_light_ab12cd34`, the end from the hash of the space's key. */
export async function qdrantCollection(space: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(space)));
  const profile = space.startsWith('light/') ? 'light' : 'standard';
  return `jharokha_${profile}_${[...digest.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join('')}`;
}

/**
 * Qdrant's ids are UUIDs: the hash's halves, one upon the other, with the marks of version 8 (RFC 9562: whatever one likes). The
 * payload keeps the whole hash.
 */
export function qdrantPointId(sha256: string): string {
  const folded = BigInt(`0x${sha256.slice(0, 32)}`) ^ BigInt(`0x${sha256.slice(32)}`);
  const hex = folded.toString(16).padStart(32, '0');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** Seven digits are more than a float32 has at these sizes, and halve the JSON. */
export function qdrantNumbers(vector: Float32Array): number[] {
  return Array.from(vector, (v) => Math.round(v * 1e7) / 1e7);
}

interface Condition { key: string; match: { value: string } | { any: string[] } }
export interface QdrantFilter { must?: Condition[]; must_not?: Condition[] }

/** The terms that a point's payload can answer for good: kind and camera. `applied` says which those were. */
export function qdrantFilter(terms: VectorQuestion['terms']): { filter: QdrantFilter | undefined; applied: boolean[] } {
  const must: Condition[] = [], mustNot: Condition[] = [];
  const applied = terms.map(({ term, negated }) => {
    const condition = conditionOf(term);
    if (!condition) return false;
    (negated ? mustNot : must).push(condition);
    return true;
  });
  const filter: QdrantFilter = { ...(must.length > 0 && { must }), ...(mustNot.length > 0 && { must_not: mustNot }) };
  return { filter: must.length + mustNot.length > 0 ? filter : undefined, applied };
}

function conditionOf(term: VectorQuestion['terms'][number]['term']): Condition | undefined {
  if (term.kind === 'camera') return { key: 'camera', match: { any: term.cameras } };
  if (term.kind === 'type' && (term.type === 'video' || term.type === 'photo')) return { key: 'kind', match: { value: term.type === 'video' ? 'video' : 'image' } };
  return undefined;
}

/** How every call leaves: a redirect would carry the key to wherever it points. */
export interface CallInit { redirect: 'manual'; signal: AbortSignal }
interface Answered { data: unknown }
/** The part of the client's API that a question needs. */
export interface QdrantQueryApi {
  queryPoints(body: { collection_name: string; query: number[] | string; filter?: QdrantFilter | { must: { has_id: string[] }[] }; params: object; limit: number; with_payload: string[] | false }, init: CallInit): Promise<Answered>;
  countPoints(body: { collection_name: string; filter?: QdrantFilter; exact: boolean }, init: CallInit): Promise<Answered>;
}

const Hits = z.object({ points: z.array(z.object({ id: z.union([z.string(), z.number(), z.bigint()]), score: z.number(), payload: z.record(z.string(), z.unknown()).nullish() })) });
export const QdrantCount = z.object({ count: z.int().nonnegative() });

/** One call and its `result`. Throws QdrantError, whatever happens. */
export async function callQdrant<T>(address: QdrantAddress, signal: AbortSignal, result: z.ZodType<T>, call: (init: CallInit) => Promise<Answered>): Promise<T> {
  let data: unknown;
  try { data = (await call({ redirect: 'manual', signal })).data; } catch (error) { throw nameFailure(error, address); }
  const parsed = z.object({ result }).safeParse(data);
  if (!parsed.success) throw new QdrantError('refused', notQdrant(address));
  return parsed.data.result;
}

/** For what may be gone without harm. */
export function unlessMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof QdrantError && error.trouble === 'missing') return instead;
    throw error;
  };
}

/**
 * A search's question, within `timeoutMs` for all of its calls. Exact for terms; approximate for what is nearest where the
 * collection is large enough for a graph. A null prompt's scores are asked for in a second call, over the hits alone and by
 * their floats: as vectors they would be a thousand times as many bytes.
 */
export async function askQdrant(question: VectorQuestion, api: QdrantQueryApi, address: QdrantAddress, timeoutMs: number): Promise<VectorAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { space, near, limit } = question;
  const collection_name = await qdrantCollection(spaceKey(space));
  const own = 'sha256' in near ? near.sha256 : undefined;
  const query = 'sha256' in near ? qdrantPointId(near.sha256) : readVector(near.vector, space.dimension);
  const against = question.against === null ? null : readVector(question.against, space.dimension);
  const { filter, applied } = qdrantFilter(question.terms);
  const params = { hnsw_ef: HNSW_EF, quantization: { rescore: true, oversampling: OVERSAMPLING } };
  const [found, { count }] = await Promise.all([
    // Neither a collection nor a point that is not there is a failure: there is nothing near then.
    callQdrant(address, signal, Hits, (init) => api.queryPoints({ collection_name, query, ...(filter && { filter }), params, limit, with_payload: ['sha256'] }, init)).catch(unlessMissing({ points: [] })),
    callQdrant(address, signal, QdrantCount, (init) => api.countPoints({ collection_name, ...(filter && { filter }), exact: true }, init)).catch(unlessMissing({ count: 0 })),
  ]);
  const hits = found.points.flatMap(({ id, score, payload }) => {
    const sha256 = Sha256.safeParse(payload?.['sha256']);
    // A point without a hash is not ours.
    return sha256.success && sha256.data !== own ? [{ id: String(id), sha256: sha256.data, score }] : [];
  });
  hits.sort((a, b) => b.score - a.score || (a.sha256 < b.sha256 ? -1 : 1));
  const scores = new Map<string, number>();
  if (against !== null && hits.length > 0) {
    const body = { collection_name, query: against, filter: { must: [{ has_id: hits.map((h) => h.id) }] }, params: { exact: true, quantization: { ignore: true } }, limit: hits.length, with_payload: false as const };
    for (const { id, score } of (await callQdrant(address, signal, Hits, (init) => api.queryPoints(body, init))).points) scores.set(String(id), score);
  }
  return { hits: hits.map(({ id, sha256, score }) => ({ sha256, score, against: scores.get(id) ?? null })), applied, mean: null, deviation: null, looked_at: count };
}

function readVector(text: string, dimension: number): number[] {
  const vector = textToVector(text, dimension);
  if (!vector) throw new QdrantError('refused', `The question holds no vector of ${dimension} numbers.`);
  return qdrantNumbers(vector);
}

function notQdrant(address: QdrantAddress): string { return `What answers at ${address.href} is no Qdrant, or one before version 1.10: check QDRANT_URL.`; }

const ErrorBody = z.object({ status: z.object({ error: z.string() }) });

/** What a call's failure means. The client throws errors with `status` and `data` for answers, and whatever fetch throws for the rest. */
export function nameFailure(error: unknown, address: QdrantAddress): QdrantError {
  if (error instanceof QdrantError) return error;
  const { status, data, name = '', cause } = (typeof error === 'object' && error !== null ? error : {}) as { status?: unknown; data?: unknown; name?: string; cause?: unknown };
  const at = `The Qdrant at ${address.href}`;
  const away = (why: string) => new QdrantError('unreachable', `${at} ${why}`);
  if (typeof status === 'number') return nameStatus(status, data, address);
  if (name === 'TimeoutError' || name === 'AbortError') return away('did not answer in time.');
  if (name === 'QdrantClientResourceExhaustedError') return away('is asked too much (429).');
  // A code of 2xx without an answer.
  if (name === 'QdrantClientUnexpectedResponseError') return new QdrantError('refused', notQdrant(address));
  if (name === 'SyntaxError') return away('sent an answer that is not whole.');
  const code = typeof cause === 'object' && cause !== null ? String((cause as { code?: unknown }).code ?? '') : '';
  if (code === 'ECONNREFUSED') return away('is not running, or not there: nothing takes the connection.');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return away('has a name that no server is known by.');
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) return away('has a certificate that this computer does not trust.');
  return away('cannot be reached: the connection broke.');
}

function nameStatus(status: number, data: unknown, address: QdrantAddress): QdrantError {
  const at = `The Qdrant at ${address.href}`;
  const body = ErrorBody.safeParse(data);
  const said = body.success ? `: ${hideKey(body.data.status.error.replace(/\s+/g, ' '), address.apiKey).slice(0, MAX_REASON_CHARS)}` : '';
  if (status === 401 || (status === 403 && !body.success)) return new QdrantError('refused', `${at} ${address.apiKey === undefined ? 'wants a key: set QDRANT_API_KEY.' : 'does not take the key: check QDRANT_API_KEY.'}`);
  if (status === 403) return new QdrantError('refused', `${at} does not let this key do that: check QDRANT_API_KEY${said}`);
  if (status === 0 || (status >= 300 && status < 400)) return new QdrantError('refused', `What answers at ${address.href} sends elsewhere, which is not followed for the key's sake: give QDRANT_URL the address itself.`);
  if (status === 408 || status === 429 || status >= 500) return new QdrantError('unreachable', `${at} ${status === 429 ? 'is asked too much' : 'is in trouble'} (${status})${said || '.'}`);
  if (!body.success) return new QdrantError('refused', notQdrant(address));
  if (status === 404) return new QdrantError('missing', `${at} does not have that (404)${said}`);
  return new QdrantError('refused', `${at} refuses (${status})${said}`);
}

/** What a server or an address says may hold the key. */
function hideKey(text: string, key: string | undefined): string { return key === undefined ? text : text.replaceAll(key, '…'); }
