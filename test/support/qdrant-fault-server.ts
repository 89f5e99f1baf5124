// A server on loopback that takes the calls of a Qdrant, so that it can go wrong in named ways when a test tells it to. It never
// counts as conformance: it knows no graph, no strict mode and no quantisation, and whatever it accepts, a Qdrant may refuse.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Point { id: string; vector: number[]; payload: Record<string, unknown> }
interface Collection { size: number; distance: string; metadata: Record<string, unknown> | undefined; indexes: Set<string>; points: Map<string, Point> }
interface Condition { key?: string; match?: { value?: unknown; any?: unknown[] }; has_id?: string[] }
interface Filter { must?: Condition[]; must_not?: Condition[] }
interface Body {
  vectors?: { size: number; distance: string }; metadata?: Record<string, unknown>; field_name?: string; points?: (Point | string)[];
  query?: number[] | string; filter?: Filter; limit?: number; with_payload?: string[] | boolean;
}
/** One request, and what was answered; `answer` is undefined where a fault took its place. */
export interface QdrantExchange { method: string; path: string; query: Record<string, string>; headers: IncomingHttpHeaders; body: unknown; status: number; answer: unknown }
/** Takes the place of an answer. `carryOut` does what was asked for and gives the answer that a well server would send. */
export type QdrantFault = (response: ServerResponse, carryOut: () => { status: number; answer: unknown }, request: IncomingMessage) => void;

export interface QdrantFaultServer {
  url: string;
  asked: QdrantExchange[];
  collections: Map<string, Collection>;
  /** The next requests meet these, in this order; undefined lets one through. After that it is well. */
  misbehave(...faults: (QdrantFault | undefined)[]): void;
  /** Every request meets it until it is undefined again; `misbehave` goes first. */
  always: QdrantFault | undefined;
  /** Calls without this key are refused; undefined asks for none. */
  apiKey: string | undefined;
  /** Stops listening and cuts every connection, as a crash does; `start` listens at the same address again, `empty` without what it had. */
  stop(): Promise<void>;
  start(options?: { empty: boolean }): Promise<void>;
}

/** Does what was asked for, and its connection breaks before the answer. */
export const cutAfterwards: QdrantFault = (response, carryOut) => { carryOut(); response.destroy(); };
export const cut: QdrantFault = (response) => { response.destroy(); };
export const silence: QdrantFault = () => {};
/** A body as it is, under any code and type. */
export function say(status: number, type: string, body: string, headers: Record<string, string> = {}): QdrantFault {
  return (response) => { response.writeHead(status, { 'content-type': type, ...headers }).end(body); };
}
/** An error in Qdrant's own form. */
export function fail(status: number, error: string): QdrantFault { return say(status, 'application/json', JSON.stringify({ status: { error }, time: 0, result: null })); }
/** Begins the right answer, and its connection breaks in the middle of it. */
export const cutHalfway: QdrantFault = (response, carryOut) => {
  const text = JSON.stringify(carryOut().answer);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
  response.write(text.slice(0, text.length / 2), () => { setTimeout(() => response.destroy(), 10); });
};

export async function startQdrantFaultServer(): Promise<QdrantFaultServer> {
  const faults: (QdrantFault | undefined)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://127.0.0.1');
      const text = Buffer.concat(chunks).toString();
      const exchange: QdrantExchange = { method: request.method ?? '', path: url.pathname, query: Object.fromEntries(url.searchParams), headers: request.headers, body: text === '' ? undefined : JSON.parse(text), status: 0, answer: undefined };
      self.asked.push(exchange);
      const fault = faults.length > 0 ? faults.shift() : self.always;
      const carryOut = () => answerCall(self.collections, exchange);
      if (fault) { fault(response, carryOut, request); return; }
      if (self.apiKey !== undefined && request.headers['api-key'] !== self.apiKey) { say(401, 'text/plain', 'Must provide an API key or an Authorization bearer token')(response, carryOut, request); return; }
      Object.assign(exchange, carryOut());
      response.writeHead(exchange.status, { 'content-type': 'application/json' }).end(JSON.stringify(exchange.answer));
    });
  });
  const listen = (port: number) => new Promise<void>((done, failed) => { server.once('error', failed); server.listen(port, '127.0.0.1', done); });
  let port = 0;
  const self: QdrantFaultServer = {
    url: '', asked: [], collections: new Map(), always: undefined, apiKey: undefined,
    misbehave: (...more) => { faults.push(...more); },
    stop: () => new Promise((done) => { server.close(() => { done(); }); server.closeAllConnections(); }),
    async start(options) { if (options?.empty) self.collections.clear(); await listen(port); },
  };
  await listen(0);
  port = (server.address() as AddressInfo).port;
  self.url = `http://127.0.0.1:${port}`;
  return self;
}

class Refusal extends Error { readonly status: number; constructor(status: number, message: string) { super(message); this.status = status; } }

function answerCall(collections: Map<string, Collection>, { method, path, body }: QdrantExchange): { status: number; answer: unknown } {
  try {
    return { status: 200, answer: { result: carryOut(collections, method, path, (body ?? {}) as Body), status: 'ok', time: 0.001 } };
  } catch (error) {
    // A path that is none of its own is answered without a body.
    if (error instanceof Refusal) return { status: error.status, answer: error.message === '' ? undefined : { status: { error: error.message }, time: 0.001, result: null } };
    throw error;
  }
}

function carryOut(collections: Map<string, Collection>, method: string, path: string, body: Body): unknown {
  const [, top, name, ...rest] = path.split('/').map(decodeURIComponent);
  if (top !== 'collections') throw new Refusal(404, '');
  const call = [method, ...rest].join(' ');
  if (name === undefined) return { collections: [...collections.keys()].map((key) => ({ name: key })) };
  if (call === 'GET exists') return { exists: collections.has(name) };
  if (call === 'DELETE') return collections.delete(name);
  if (call === 'PUT') {
    if (collections.has(name)) throw new Refusal(409, `Wrong input: Collection \`${name}\` already exists!`);
    collections.set(name, { size: body.vectors?.size ?? 0, distance: body.vectors?.distance ?? '', metadata: body.metadata, indexes: new Set(), points: new Map() });
    return true;
  }
  const collection = collections.get(name);
  if (!collection) throw new Refusal(404, `Not found: Collection \`${name}\` doesn't exist!`);
  switch (call) {
    case 'GET': return describe(collection);
    case 'PUT index': collection.indexes.add(body.field_name ?? ''); return { operation_id: 1, status: 'completed' };
    case 'PUT points': return upsert(collection, (body.points ?? []) as Point[]);
    case 'POST points delete': for (const id of body.points ?? []) collection.points.delete(id as string); return { operation_id: 3, status: 'completed' };
    case 'POST points count': return { count: [...collection.points.values()].filter((p) => passes(p, body.filter)).length };
    case 'POST points query': return { points: search(collection, body) };
    default: throw new Refusal(404, '');
  }
}

/** As far as our client reads it, with what the description wants beside that. */
function describe({ size, distance, metadata, indexes, points }: Collection): unknown {
  return {
    status: 'green', optimizer_status: 'ok', points_count: points.size, segments_count: 1,
    config: {
      params: { vectors: { size, distance, on_disk: true }, shard_number: 1, replication_factor: 1, write_consistency_factor: 1, on_disk_payload: true },
      hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10_000, max_indexing_threads: 0 },
      optimizer_config: { deleted_threshold: 0.2, vacuum_min_vector_number: 1_000, default_segment_number: 0, flush_interval_sec: 5 },
      wal_config: { wal_capacity_mb: 32, wal_segments_ahead: 0 },
      ...(metadata && { metadata }),
    },
    payload_schema: Object.fromEntries([...indexes].map((key) => [key, { data_type: 'keyword', points: points.size }])),
  };
}

function upsert(collection: Collection, points: Point[]): unknown {
  const wrong = points.find((p) => p.vector.length !== collection.size);
  if (wrong) throw new Refusal(400, `Wrong input: Vector dimension error: expected dim: ${collection.size}, got ${wrong.vector.length}`);
  for (const point of points) collection.points.set(point.id, point);
  return { operation_id: 2, status: 'completed' };
}

function passes(point: Point, filter: Filter | undefined): boolean {
  const holds = ({ key = '', match, has_id }: Condition) => {
    if (has_id) return has_id.includes(point.id);
    const value = point.payload[key];
    return match?.any ? match.any.includes(value) : value === match?.value;
  };
  return (filter?.must ?? []).every(holds) && !(filter?.must_not ?? []).some(holds);
}

function search({ points }: Collection, { query, filter, limit = 10, with_payload }: Body): unknown[] {
  const own = typeof query === 'string' ? points.get(query) : undefined;
  if (typeof query === 'string' && !own) throw new Refusal(404, `Not found: No point with id ${query} found`);
  const vector = own?.vector ?? (query as number[]);
  const cosine = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0) / Math.hypot(...a) / Math.hypot(...b);
  return [...points.values()].filter((p) => p !== own && passes(p, filter))
    .map((p) => ({ id: p.id, version: 1, score: cosine(vector, p.vector), ...(with_payload && { payload: { sha256: p.payload['sha256'] } }) }))
    .sort((a, b) => b.score - a.score).slice(0, limit);
}
