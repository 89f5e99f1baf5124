// A tiny server that keeps what the agent tells of the search, as the Worker does, and fails as told. For tests of the agent's side
// alone: it ranks nothing and is no engine. The real Worker has its own tests.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorkerAddress } from '../../agent/push/client.ts';
import { decodeVectorPack, QueryEmbeddings, SearchSpace, spaceKey, textToVector } from '../../protocol/vector.ts';

const TOKEN = 'token-of-a-test';

export interface FakeSearchWorker {
  address: WorkerAddress;
  /** Vectors by space and hash; what was told of where to search, each time; kept embeddings by space; previews by path. */
  spaces: Map<string, Map<string, Int8Array>>; told: SearchSpace[]; texts: Map<string, Map<string, Float32Array>>; previews: Map<string, Uint8Array>;
  vocabulary: string[];
  /** Every request as `METHOD path`, in order. */
  asked: string[];
  /** Answers for each request: 0 as usual, a status, or -1 for a connection that breaks after the work was done. */
  answer: (asked: string) => number;
  stop(): Promise<void>;
}

export async function startFakeSearchWorker(): Promise<FakeSearchWorker> {
  const server = createServer((request, response) => { void serve(request, response); });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const fake: FakeSearchWorker = {
    address: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: TOKEN },
    spaces: new Map(), told: [], texts: new Map(), previews: new Map(), vocabulary: [], asked: [], answer: () => 0,
    stop: () => new Promise((done) => { server.closeAllConnections(); server.close(() => { done(); }); }),
  };
  const of = <T>(all: Map<string, Map<string, T>>, space: string): Map<string, T> => { const found = all.get(space) ?? new Map<string, T>(); all.set(space, found); return found; };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', fake.address.url);
    const asked = `${request.method} ${url.pathname}`;
    fake.asked.push(asked);
    const fault = request.headers.authorization === `Bearer ${TOKEN}` ? fake.answer(asked) : 401;
    if (fault > 0) { response.writeHead(fault, { 'content-type': 'application/json' }).end(JSON.stringify({ error: `fault ${fault}` })); return; }
    const { status, body } = work(asked, url, Buffer.concat(chunks));
    if (fault < 0) { response.destroy(); return; }
    if (body instanceof Uint8Array) response.writeHead(status).end(body);
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
  function work(asked: string, url: URL, bytes: Buffer): { status: number; body: unknown } {
    const space = url.searchParams.get('space') ?? '';
    const json = (): never => JSON.parse(bytes.toString()) as never;
    if (asked.startsWith('GET /r/')) { const found = fake.previews.get(url.pathname); return found ? { status: 200, body: found } : { status: 404, body: {} }; }
    switch (asked) {
      case 'POST /sync/vectors': {
        const pack = decodeVectorPack(Uint8Array.from(bytes));
        for (const item of pack.items) of(fake.spaces, spaceKey(pack.space)).set(item.sha256, item.codes);
        return { status: 200, body: {} };
      }
      case 'GET /sync/vectors': return { status: 200, body: { count: fake.spaces.get(space)?.size ?? 0 } };
      case 'POST /sync/vectors/remove': {
        const said = json() as { space: SearchSpace['space']; sha256s: string[] };
        for (const sha256 of said.sha256s) fake.spaces.get(spaceKey(said.space))?.delete(sha256);
        return { status: 200, body: {} };
      }
      case 'POST /sync/vectors/drop-others': {
        const kept = spaceKey((json() as { space: SearchSpace['space'] }).space);
        for (const key of fake.spaces.keys()) if (key !== kept) fake.spaces.delete(key);
        return { status: 200, body: {} };
      }
      case 'PUT /sync/search-space': fake.told.push(SearchSpace.parse(json())); return { status: 200, body: {} };
      case 'PUT /sync/query-embeddings': {
        const said = QueryEmbeddings.parse(json());
        const active = fake.told.at(-1);
        if (!active || spaceKey(active.space) !== spaceKey(said.space)) return { status: 409, body: { error: 'Searches are made in another space.' } };
        for (const { text, vector } of said.items) of(fake.texts, spaceKey(said.space)).set(text, textToVector(vector, said.space.dimension) as Float32Array);
        return { status: 200, body: {} };
      }
      case 'GET /sync/vocabulary': return { status: 200, body: { texts: fake.vocabulary.filter((t) => !fake.texts.get(space)?.has(t)) } };
      default: return { status: 404, body: { error: 'not here' } };
    }
  }
  return fake;
}
