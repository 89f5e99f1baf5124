// A Qdrant that is down, slow, locked, emptied, half dead or something else: each time the right class of error with a sentence, in
// bounded time, no vector believed to be kept that is not, and the key with nobody else. Against the fault server: no conformance.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { queryQdrant } from '../../../agent/push/qdrant-query.ts';
import { createQdrantWriter } from '../../../agent/push/qdrant-writer.ts';
import { EngineRefused, EngineUnreachable, type VectorItem } from '../../../agent/push/vector-writer.ts';
import { SEARCH_ASK_TIMEOUT_MS } from '../../../protocol/limits.ts';
import type { VectorQuestion } from '../../../protocol/link.ts';
import { qdrantCollection, qdrantPointId, readQdrantAddress } from '../../../protocol/qdrant.ts';
import { spaceKey, type VectorSpace, vectorToText } from '../../../protocol/vector.ts';
import { createQdrantReader } from '../../../worker/search/qdrant.ts';
import { EngineDown } from '../../../worker/search/reader.ts';
import { cut, cutAfterwards, cutHalfway, fail, type QdrantFault, type QdrantFaultServer, say, silence, startQdrantFaultServer } from '../../support/qdrant-fault-server.ts';

const KEY = 'the-secret-key-42';
const SPACE: VectorSpace = { profile: 'standard', model: 'a/model', revision: '0123456789ab', dtype: 'q8', preprocessing: 1, dimension: 4 };
const hashOf = (n: number) => n.toString(16).padStart(64, '0');
const itemOf = (n: number): VectorItem => ({ sha256: hashOf(n), vector: new Float32Array([1, 0, 0, 0]), kind: 'image', camera: null });
const items = (count: number) => Array.from({ length: count }, (_, n) => itemOf(n));
const QUESTION: VectorQuestion = { space: SPACE, near: { vector: vectorToText(new Float32Array([1, 0, 0, 0])) }, against: vectorToText(new Float32Array([0, 1, 0, 0])), terms: [], limit: 10 };
const TIMEOUTS = { callMs: 300, writeMs: 300 };

let server: QdrantFaultServer;
beforeEach(async () => { server = await startQdrantFaultServer(); server.apiKey = KEY; });
afterEach(() => server.stop());

const writer = (apiKey: string | undefined = KEY) => createQdrantWriter({ url: server.url, apiKey }, TIMEOUTS);
async function fails(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(() => undefined, (e: unknown) => e);
  if (!(error instanceof Error)) throw new Error('it did not fail');
  return error;
}

/** Fault, the writer's class, and what the sentence must hold. */
const EVERY_CALL: [string, QdrantFault, typeof EngineRefused | typeof EngineUnreachable, RegExp][] = [
  ['is silent', silence, EngineUnreachable, /did not answer in time/],
  ['cuts the connection', cut, EngineUnreachable, /cannot be reached: the connection broke/],
  ['cuts its answer', cutHalfway, EngineUnreachable, /the connection broke|not whole/],
  ['refuses the key', say(401, 'text/plain', 'Invalid API key or JWT'), EngineRefused, /does not take the key: check QDRANT_API_KEY/],
  ['forbids', fail(403, `Forbidden: Write access required, not ${KEY}`), EngineRefused, /does not let this key do that.*Write access required, not …/],
  ['is in trouble', fail(500, `Service internal error: disk of ${KEY}`), EngineUnreachable, /in trouble \(500\): Service internal error: disk of …/],
  ['is starting', say(503, 'text/html', '<html>busy</html>'), EngineUnreachable, /in trouble \(503\)\./],
  ['is asked too much', fail(429, 'Rate limiting exceeded'), EngineUnreachable, /asked too much/],
  ['says when to come again', say(429, 'application/json', '{}', { 'retry-after': '5' }), EngineUnreachable, /asked too much/],
  ['finds the input wrong', fail(400, 'Wrong input: Vector dimension error: expected dim: 8, got 4'), EngineRefused, /refuses \(400\): Wrong input: Vector dimension error: expected dim: 8, got 4/],
  ['is a page', say(200, 'text/html', `<!doctype html><title>Welcome ${KEY}</title>`), EngineRefused, /is no Qdrant/],
  ['is another API', say(200, 'application/json', '{"hello":"world"}'), EngineRefused, /is no Qdrant/],
  ['has no such page', say(404, 'text/html', '<h1>404</h1>'), EngineRefused, /is no Qdrant/],
  ['says nothing at length', say(204, 'text/plain', ''), EngineRefused, /is no Qdrant/],
  ['sends broken JSON', say(200, 'application/json', '{"result": {"poi'), EngineUnreachable, /not whole/],
  ['gives other types', say(200, 'application/json', '{"result": {"points": "many", "count": -1, "status": 7, "collections": {}}}'), EngineRefused, /is no Qdrant/],
];

describe('a Qdrant that', () => {
  test.each(EVERY_CALL)('%s', async (_name, fault, expected, sentence) => {
    server.always = fault;
    const started = performance.now();
    const calls = [writer().prepare(SPACE), writer().write(SPACE, items(3)), writer().remove(SPACE, [hashOf(1)]), writer().count(SPACE), writer().dropOthers(SPACE)];
    for (const error of await Promise.all(calls.map(fails))) {
      expect(error).toBeInstanceOf(expected);
      expect(error.message).toMatch(sentence);
      expect(`${error.message}${error.stack}${String(error.cause)}`).not.toContain(KEY);
      expect(error.message.length).toBeLessThan(600);
    }
    const reader = createQdrantReader({ url: server.url, apiKey: KEY });
    const [asked, near, counted, overLink] = await Promise.all([
      fails(reader.query(QUESTION)), fails(reader.query({ ...QUESTION, near: { sha256: hashOf(1) } })), fails(reader.count(spaceKey(SPACE))), fails(queryQdrant({ url: server.url, apiKey: KEY }, QUESTION)),
    ]);
    for (const error of [asked, near, counted]) {
      expect(error).toBeInstanceOf(EngineDown);
      expect(error?.message).toMatch(sentence);
      expect(`${error?.message}${error?.stack}`).not.toContain(KEY);
    }
    expect(overLink).toBeInstanceOf(expected);
    expect(performance.now() - started).toBeLessThan(SEARCH_ASK_TIMEOUT_MS + 1_500);
  });

  test('is down: nothing listens there', async () => {
    await server.stop();
    for (const error of [await fails(writer().prepare(SPACE)), await fails(writer().write(SPACE, items(1))), await fails(writer().count(SPACE))]) {
      expect(error).toBeInstanceOf(EngineUnreachable);
      expect(error.message).toMatch(/not running, or not there/);
    }
    const error = await fails(createQdrantReader({ url: server.url, apiKey: KEY }).query(QUESTION));
    expect(error).toBeInstanceOf(EngineDown);
    expect(error.message).toContain(server.url);
    await server.start();
  });

  test('is well again answers again, with the same writer and reader', async () => {
    const one = writer();
    const reader = createQdrantReader({ url: server.url, apiKey: KEY });
    await one.prepare(SPACE);
    server.misbehave(fail(503, 'Service Unavailable'));
    await fails(one.write(SPACE, items(2)));
    await one.write(SPACE, items(2));
    await server.stop();
    await fails(one.count(SPACE));
    await fails(reader.query(QUESTION));
    await server.start();
    expect(await one.count(SPACE)).toBe(2);
    expect((await reader.query(QUESTION)).hits).toEqual([{ sha256: hashOf(0), score: 1, against: 0 }, { sha256: hashOf(1), score: 1, against: 0 }]);
  });

  test('has another key, or wants one where none is given', async () => {
    for (const key of ['another', undefined]) {
      const options = { url: server.url, apiKey: key };
      const error = await fails(createQdrantWriter(options, TIMEOUTS).prepare(SPACE));
      expect(error).toBeInstanceOf(EngineRefused);
      expect(error.message).toMatch(key ? /does not take the key: check QDRANT_API_KEY/ : /wants a key: set QDRANT_API_KEY/);
      expect((await fails(createQdrantReader(options).query(QUESTION))).message).toBe(error.message);
    }
  });
});

describe('a collection that', () => {
  test.each([
    ['has another dimension', { size: 8 }, /keeps vectors of 8 in jharokha_standard_\w{8}, where this model's have 4 numbers/],
    ['compares otherwise', { distance: 'Dot' }, /compares by Dot/],
    ['is another model\'s', { metadata: { jharokha_space: 'light/another' } }, /keeps another model's vectors/],
  ])('%s is refused and left as it is', async (_name, change, sentence) => {
    await writer().prepare(SPACE);
    const collection = server.collections.get(await qdrantCollection(spaceKey(SPACE)));
    Object.assign(collection as object, change);
    const error = await fails(writer().prepare(SPACE));
    expect(error).toBeInstanceOf(EngineRefused);
    expect(error.message).toMatch(sentence);
    expect(server.collections.size).toBe(1);
    expect(server.asked.filter((a) => a.method === 'DELETE')).toEqual([]);
  });

  test('was emptied says so by its count, and takes everything again', async () => {
    const one = writer();
    await one.prepare(SPACE);
    await one.write(SPACE, items(5));
    server.collections.get(await qdrantCollection(spaceKey(SPACE)))?.points.clear();
    expect(await one.count(SPACE)).toBe(0);
    expect(await createQdrantReader({ url: server.url, apiKey: KEY }).query(QUESTION)).toMatchObject({ hits: [], looked_at: 0 });
    await one.write(SPACE, items(5));
    expect(await one.count(SPACE)).toBe(5);
  });

  test('is lost between two writes is made again, with its indexes, and the write fails', async () => {
    const one = writer();
    await one.prepare(SPACE);
    await one.write(SPACE, items(5));
    server.collections.clear();
    expect(await one.count(SPACE)).toBe(0);
    const error = await fails(one.write(SPACE, items(3)));
    expect(error).toBeInstanceOf(EngineUnreachable);
    expect(error.message).toMatch(/had lost its collection .* it was made again, and is to be filled again/);
    const [collection] = server.collections.values();
    expect([collection?.points.size, [...collection?.indexes ?? []]]).toEqual([0, ['kind', 'camera']]);
    await one.write(SPACE, items(3));
    expect(await one.count(SPACE)).toBe(3);
  });

  test('is made by two at once is made once', async () => {
    // Both are told that it is not there yet: neither is answered before both have asked.
    const waiting: (() => void)[] = [];
    const together: QdrantFault = (...call) => {
      waiting.push(() => { fail(404, 'Not found')(...call); });
      if (waiting.length === 2) for (const answer of waiting) answer();
    };
    server.misbehave(together, together);
    const patient = () => createQdrantWriter({ url: server.url, apiKey: KEY });
    await Promise.all([patient().prepare(SPACE), patient().prepare(SPACE)]);
    expect(server.collections.size).toBe(1);
    expect(server.asked.filter(({ method, path }) => method === 'PUT' && !path.endsWith('/index'))).toHaveLength(2);
  });

  test('lacks its indexes gets them: a first start was cut off', async () => {
    server.misbehave(undefined, undefined, undefined, cut);
    await fails(writer().prepare(SPACE));
    await writer().prepare(SPACE);
    expect([...server.collections.values()].map((c) => [...c.indexes])).toEqual([['kind', 'camera']]);
  });

  test('is not ours is never dropped', async () => {
    await writer().prepare(SPACE);
    await writer().prepare({ ...SPACE, revision: 'ffffffffffff' });
    const [ours] = server.collections.values();
    for (const name of ['holidays', 'jharokha_backup', 'jharokha_light_old', 'xjharokha_light_01234567', 'jharokha_light_01234567_copy']) server.collections.set(name, ours as NonNullable<typeof ours>);
    await writer().dropOthers(SPACE);
    expect([...server.collections.keys()].sort()).toEqual(['holidays', 'jharokha_backup', 'jharokha_light_01234567_copy', 'jharokha_light_old', await qdrantCollection(spaceKey(SPACE)), 'xjharokha_light_01234567'].sort());
  });
});

describe('a write', () => {
  // 500 points are two upserts: the fault meets the first or the second.
  const MIDWAY: [string, QdrantFault][] = [['cuts before', cut], ['cuts after', cutAfterwards], ['cuts its answer', cutHalfway], ['is silent', silence], ['fails', fail(500, 'Service internal error')]];
  test.each(MIDWAY.flatMap(([name, fault]) => [[name, 1, fault], [name, 2, fault]] as const))('is believed only when acknowledged: %s, upsert %d', async (_name, at, fault) => {
    const one = writer();
    await one.prepare(SPACE);
    server.misbehave(...(at === 1 ? [fault] : [undefined, fault]));
    expect(await fails(one.write(SPACE, items(500)))).toBeInstanceOf(EngineUnreachable);
    // The same again: ids come from the hash, so what was kept already is replaced.
    await one.write(SPACE, items(500));
    expect(await one.count(SPACE)).toBe(500);
  });

  test.each([[false, 500], [true, 0]])('that meets a restart fails, and its repetition ends whole (emptied: %s)', async (empty, kept) => {
    const one = writer();
    await one.prepare(SPACE);
    await one.write(SPACE, items(500));
    const restarted = new Promise<void>((done) => {
      server.misbehave(undefined, (response) => { response.destroy(); void server.stop().then(() => server.start({ empty })).then(done); });
    });
    expect(await fails(one.write(SPACE, items(500)))).toBeInstanceOf(EngineUnreachable);
    await restarted;
    expect(await one.count(SPACE)).toBe(kept);
    if (empty) expect((await fails(one.write(SPACE, items(500)))).message).toMatch(/made again/);
    await one.write(SPACE, items(500));
    expect(await one.count(SPACE)).toBe(500);
  });

  test('of a vector of another dimension sends nothing', async () => {
    const one = writer();
    await one.prepare(SPACE);
    const before = server.asked.length;
    const error = await fails(one.write(SPACE, [...items(3), { ...itemOf(9), vector: new Float32Array([1, 0]) }]));
    expect(error).toBeInstanceOf(EngineRefused);
    expect(error.message).toContain(`The vector of ${hashOf(9)} has 2 numbers`);
    expect(server.asked.length).toBe(before);
  });

  test('waits for its last upsert alone', async () => {
    const one = writer();
    await one.prepare(SPACE);
    await one.write(SPACE, items(500));
    expect(server.asked.filter((a) => a.path.endsWith('/points')).map((a) => [a.query['wait'], (a.body as { points: unknown[] }).points.length])).toEqual([['false', 256], ['true', 244]]);
  });
});

describe('the key', () => {
  let other: Server, otherUrl: string;
  const heard: string[] = [];
  beforeEach(async () => {
    heard.length = 0;
    other = createServer((request, response) => { heard.push(JSON.stringify(request.headers)); response.writeHead(200, { 'content-type': 'application/json' }).end('{"result":{"count":1}}'); });
    await new Promise<void>((done) => { other.listen(0, '127.0.0.1', done); });
    otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise<void>((done) => { other.closeAllConnections(); other.close(() => { done(); }); }));

  test.each([301, 302, 303, 307, 308])('follows no redirect (%d)', async (status) => {
    server.always = (response, _carryOut, request) => { response.writeHead(status, { location: otherUrl + (request.url ?? '') }).end(); };
    const reader = createQdrantReader({ url: server.url, apiKey: KEY });
    const errors = await Promise.all([writer().prepare(SPACE), writer().write(SPACE, items(1)), writer().remove(SPACE, [hashOf(1)]), writer().count(SPACE), writer().dropOthers(SPACE), queryQdrant({ url: server.url, apiKey: KEY }, QUESTION), reader.query(QUESTION), reader.count('x')].map(fails));
    for (const [i, error] of errors.entries()) {
      expect(error).toBeInstanceOf(i < 6 ? EngineRefused : EngineDown);
      expect(error.message).toMatch(/sends elsewhere, which is not followed/);
    }
    expect(heard).toEqual([]);
  });

  test('goes with every call to its own server', async () => {
    await writer().prepare(SPACE);
    await writer().write(SPACE, items(1));
    await createQdrantReader({ url: server.url, apiKey: KEY }).query(QUESTION);
    expect(server.asked.length).toBeGreaterThan(6);
    expect(server.asked.filter((a) => a.headers['api-key'] !== KEY)).toEqual([]);
  });

  test('that no header can hold is refused without being said', async () => {
    for (const apiKey of ['with a space', 'line\nbreak', 'schlüssel', 'x'.repeat(2_000)]) {
      const error = await fails(createQdrantWriter({ url: server.url, apiKey }, TIMEOUTS).count(SPACE));
      expect(error).toBeInstanceOf(EngineRefused);
      expect(error.message).toBe('QDRANT_API_KEY holds characters that no key has: a space, a line break or a letter beyond ASCII.');
      expect(await fails(createQdrantReader({ url: server.url, apiKey }).count('x'))).toBeInstanceOf(EngineDown);
    }
    expect(server.asked).toEqual([]);
  });
});

describe('an address', () => {
  test.each([
    ['http://127.0.0.1', 'http://127.0.0.1:6333'], ['http://localhost:80/', 'http://localhost:80'], ['https://q.example.org', 'https://q.example.org:6333'],
    ['https://q.example.org:443/vectors/', 'https://q.example.org:443/vectors'], ['http://[::1]:7000', 'http://[::1]:7000'], ['http://qdrant:6333', 'http://qdrant:6333'],
  ])('%s is asked as %s', (url, href) => { expect(readQdrantAddress({ url }).href).toBe(href); });

  test.each([
    ['', /begins with http/], ['127.0.0.1:6333', /begins with http/], ['ftp://127.0.0.1', /begins with http/], ['http://user:pass@127.0.0.1', /no user/], ['https://q.example.org/?api-key=1', /question mark/],
    ['http://q.example.org:6333', /in the clear/], ['http://8.8.8.8', /in the clear/],
  ])('%s cannot be used', async (url, sentence) => {
    const one = createQdrantWriter({ url, apiKey: KEY });
    expect(one.engine).toBe('qdrant');
    expect((await fails(one.prepare(SPACE))).message).toMatch(sentence);
    expect(await fails(one.prepare(SPACE))).toBeInstanceOf(EngineRefused);
    expect(await fails(createQdrantReader({ url, apiKey: KEY }).query(QUESTION))).toBeInstanceOf(EngineDown);
  });

  test('with a path is asked under it', async () => {
    await fails(createQdrantWriter({ url: `${server.url}/behind/a/proxy/`, apiKey: KEY }, TIMEOUTS).count(SPACE));
    expect(server.asked.at(-1)?.path).toMatch(/^\/behind\/a\/proxy\/collections\/jharokha_standard_\w{8}\/points\/count$/);
  });
});

test('a point\'s id is a UUID of its own for each hash', () => {
  const ids = new Set(Array.from({ length: 1_000 }, (_, n) => qdrantPointId(hashOf(n))));
  expect(ids.size).toBe(1_000);
  for (const id of [...ids, qdrantPointId('f'.repeat(64)), qdrantPointId(`${'0123456789abcdef'.repeat(4)}`)]) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(qdrantPointId(hashOf(1))).toBe('00000000-0000-8000-8000-000000000001');
});

test('a question whose vector has another dimension is refused before it is asked', async () => {
  const reader = createQdrantReader({ url: server.url, apiKey: KEY });
  for (const bad of [vectorToText(new Float32Array([1, 0])), 'not base64!', '']) {
    expect((await fails(reader.query({ ...QUESTION, near: { vector: bad } }))).message).toMatch(/no vector of 4 numbers/);
    expect(await fails(reader.query({ ...QUESTION, against: bad }))).toBeInstanceOf(EngineDown);
  }
  expect(server.asked).toEqual([]);
});
