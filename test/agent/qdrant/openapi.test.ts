// Every call that the writer, the reader and the agent's answer over the link make, recorded from the real code and held to Qdrant's
// own description; and answers of the described shapes, which that code must read.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queryQdrant } from '../../../agent/push/qdrant-query.ts';
import { createQdrantWriter } from '../../../agent/push/qdrant-writer.ts';
import { EngineUnreachable, type VectorItem } from '../../../agent/push/vector-writer.ts';
import type { VectorQuestion } from '../../../protocol/link.ts';
import { qdrantPointId } from '../../../protocol/qdrant.ts';
import { spaceKey, type VectorSpace, vectorToText } from '../../../protocol/vector.ts';
import { createQdrantReader } from '../../../worker/search/qdrant.ts';
import { findQdrantDescription, type QdrantDescription } from '../../support/qdrant-openapi.ts';
import { type QdrantFault, type QdrantFaultServer, startQdrantFaultServer } from '../../support/qdrant-fault-server.ts';

const SPACE: VectorSpace = { profile: 'light', model: 'a/model', revision: '0123456789ab', dtype: 'q8', preprocessing: 1, dimension: 4 };
const hashOf = (n: number) => n.toString(16).padStart(64, '0');
const unit = (n: number) => new Float32Array([Math.cos(n), Math.sin(n), 0, 0]);
const itemOf = (n: number, more: Partial<VectorItem> = {}): VectorItem => ({ sha256: hashOf(n), vector: unit(n / 1_000), kind: 'image', camera: null, ...more });
const ask = (more: Partial<VectorQuestion> = {}): VectorQuestion => ({ space: SPACE, near: { vector: vectorToText(unit(0)) }, against: null, terms: [], limit: 10, ...more });

const found = findQdrantDescription();
const { description } = found;

let server: QdrantFaultServer;
beforeAll(async () => { server = await startQdrantFaultServer(); });
afterAll(() => server.stop());

describe.skipIf(!description)(`calls of a Qdrant${description ? '' : ` (skipped: ${found.reason})`}`, () => {
  const api = description as QdrantDescription;

  test('are all as its description says, and so are the answers of the fault server', async () => {
    const writer = createQdrantWriter({ url: server.url });
    await writer.prepare({ ...SPACE, model: 'an/older' });
    await writer.prepare(SPACE);
    await writer.prepare(SPACE);
    await writer.write(SPACE, Array.from({ length: 500 }, (_, n) => itemOf(n, n % 2 ? { kind: 'video', camera: 'Canon EOS R6' } : {})));
    await writer.remove(SPACE, [hashOf(499), hashOf(498)]);
    expect(await writer.count(SPACE)).toBe(498);
    await writer.dropOthers(SPACE);
    expect(server.collections.size).toBe(1);

    const reader = createQdrantReader({ url: server.url, apiKey: 'a-key' });
    for (const asked of [reader.query, (q: VectorQuestion) => queryQdrant({ url: server.url }, q)]) {
      expect((await asked(ask())).hits[0]?.sha256).toBe(hashOf(0));
      expect((await asked(ask({ near: { sha256: hashOf(0) } }))).hits[0]?.sha256).toBe(hashOf(1));
      expect((await asked(ask({ near: { sha256: hashOf(999) } }))).hits).toEqual([]);
      expect(await asked(ask({ space: { ...SPACE, model: 'no/such' } }))).toMatchObject({ hits: [], looked_at: 0 });
      const filtered = await asked(ask({
        against: vectorToText(unit(1)), terms: [
          { term: { kind: 'type', type: 'video' }, negated: false }, { term: { kind: 'type', type: 'photo' }, negated: true }, { term: { kind: 'favourite' }, negated: false },
          { term: { kind: 'camera', cameras: ['Canon EOS R6', 'another'] }, negated: false }, { term: { kind: 'camera', cameras: ['another'] }, negated: true },
        ],
      }));
      expect(filtered).toMatchObject({ applied: [true, true, false, true, true], looked_at: 249, mean: null, deviation: null });
      expect(filtered.hits.map((h) => h.sha256)).toEqual(Array.from({ length: 10 }, (_, n) => hashOf(2 * n + 1)));
      for (const { against, sha256 } of filtered.hits) expect(against).toBeCloseTo(Math.cos(1 - Number.parseInt(sha256, 16) / 1_000), 4);
    }
    expect(await reader.count(spaceKey(SPACE))).toBe(498);

    const wrong = server.asked.flatMap(({ method, path, query, body, status, answer }) => {
      const request = api.checkRequest(method, path, query, body);
      const answered = status === 200 && request.operation ? api.checkAnswer(request.operation, answer) : [];
      return [...request.wrong, ...answered].map((why) => `${method} ${path}: ${why}`);
    });
    expect(wrong).toEqual([]);
    expect([...new Set(server.asked.map(({ method, path, query, body }) => api.checkRequest(method, path, query, body).operation))].sort()).toEqual([
      'count_points', 'create_collection', 'create_field_index', 'delete_collection', 'delete_points', 'get_collection', 'get_collections', 'query_points', 'upsert_points',
    ]);
  });

  test('the check finds what is wrong', () => {
    const body = { vectors: { size: 4, distance: 'Cosine' } };
    const check = (more: object, query: Record<string, string> = {}) => api.checkRequest('PUT', '/collections/x', query, { ...body, ...more }).wrong;
    expect(check({})).toEqual([]);
    expect(check({ quantisation_config: {} })).not.toEqual([]);
    expect(check({ quantization_config: { scalar: { type: 'int4' } } })).not.toEqual([]);
    expect(check({ strict_mode_config: { enabled: 'yes' } })).not.toEqual([]);
    expect(check({ vectors: { size: 4, distance: 'Hamming' } })).not.toEqual([]);
    expect(check({}, { wait: 'true' })).toEqual(['the query\'s wait is not known']);
    expect(api.checkRequest('PUT', '/collections/x/points', { wait: 'maybe' }, { points: [] }).wrong).not.toEqual([]);
    expect(api.checkRequest('PUT', '/collections/x/points', {}, { points: [{ id: 'no-uuid', vector: [1] }] }).wrong).not.toEqual([]);
    expect(api.checkRequest('POST', '/collections/x/points/query', {}, { query: [1], filter: { must: [{ key: 'kind', match: { valu: 'image' } }] } }).wrong).not.toEqual([]);
    expect(api.checkRequest('POST', '/collections/x/points/search', {}, { vector: [1], limit: 1 }).wrong).toEqual(['POST /collections/x/points/search is no call of Qdrant\'s']);
    expect(api.checkAnswer('count_points', { result: { count: 'many' } })).not.toEqual([]);
  });

  describe.each(['full', 'bare'] as const)('answers of the described shapes, %s', (extent) => {
    const known = {
      VectorParams: { size: 4, distance: 'Cosine' }, UpdateStatus: 'completed', CountResult: { count: 3 }, Payload: { sha256: hashOf(7) },
      // As `vectors` is the collection's own part that is read, it is there however bare the rest.
      CollectionParams: { vectors: { size: 4, distance: 'Cosine' } },
    };
    const answerWith = (more: Record<string, unknown>, replace?: (operation: string, answer: { result: unknown }) => void): QdrantFault => (response, _carryOut, request) => {
      const last = server.asked.at(-1);
      const { operation } = api.checkRequest(request.method ?? '', last?.path ?? '', last?.query ?? {}, last?.body);
      if (!operation) throw new Error(`no operation: ${request.url}`);
      const answer = api.makeAnswer(operation, extent, { ...known, ...more }) as { result: unknown };
      replace?.(operation, answer);
      expect(api.checkAnswer(operation, answer)).toEqual([]);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };

    test('are read by the writer', async () => {
      server.always = answerWith({});
      try {
        const writer = createQdrantWriter({ url: server.url });
        await writer.prepare(SPACE);
        await writer.write(SPACE, [itemOf(1)]);
        await writer.remove(SPACE, [hashOf(1)]);
        expect(await writer.count(SPACE)).toBe(3);
        await writer.dropOthers(SPACE);
        server.always = answerWith({ UpdateStatus: 'acknowledged' });
        await expect(writer.write(SPACE, [itemOf(1)])).rejects.toThrow(EngineUnreachable);
        server.always = answerWith({ UpdateStatus: 'wait_timeout' });
        await expect(writer.write(SPACE, [itemOf(1)])).rejects.toThrow('did not write them in time');
      } finally { server.always = undefined; }
    });

    test('are read by the reader', async () => {
      server.always = answerWith({}, (operation, answer) => {
        if (operation === 'query_points') answer.result = { points: [...(answer.result as { points: unknown[] }).points, ...[3, 2].map((n) => ({ id: qdrantPointId(hashOf(n)), version: 1, score: 0.25, payload: { sha256: hashOf(n) } }))] };
      });
      try {
        const { hits, looked_at } = await createQdrantReader({ url: server.url }).query(ask({ against: vectorToText(unit(1)) }));
        // Equal scores by hash; the made point (0.5) is first where it is.
        expect(hits.map((h) => [h.sha256, h.score])).toEqual([...(extent === 'full' ? [[hashOf(7), 0.5]] : []), [hashOf(2), 0.25], [hashOf(3), 0.25]]);
        expect(looked_at).toBe(3);
      } finally { server.always = undefined; }
    });
  });
});
