// A whole search with a model in it: embeddings kept and asked for, engines that answer and that do not, filters that an
// engine does not apply, pages, weaker matches, negated words. The agent is this test's own end of the link, with vectors
// that mean colours and an exact search over them.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentFrame, VectorAnswer, VectorQuestion, WorkerFrame } from '../../protocol/link.ts';
import { MAX_QUERY_CHARS, type SearchAnswer } from '../../protocol/search.ts';
import { spaceKey, textToVector, toUnit, vectorToText, type VectorSpace } from '../../protocol/vector.ts';
import { findMeaning } from '../../worker/search/meaning.ts';
import { embedTexts, NULL_PROMPT } from '../../worker/search/query-embedding.ts';
import { KEPT_QUERIES, keepEmbeddings, listMissingTexts } from '../../worker/store/query-embeddings.ts';
import { buildFilter } from '../../worker/store/search-filter.ts';
import { feedSearch } from '../../worker/search/feed.ts';
import { askAsAgent, asset, countRows, createSender, evidence, hashOf, location, migrate, postJson, volume } from './support.ts';

const SPACE: VectorSpace = { profile: 'light', model: 'test', revision: 'aaaaaaaaaaaa', dtype: 'q8', preprocessing: 1, dimension: 4 };
const KEY = spaceKey(SPACE);
/** Red, green, blue, and how much of a picture it is at all. */
const MEANS: Record<string, number[]> = { red: [1, 0, 0, 0.3], green: [0, 1, 0, 0.3], blue: [0, 0, 1, 0.3], grey: [0.5, 0.5, 0.5, 0.3], [NULL_PROMPT]: [0, 0, 0, 1], nonsense: [-1, -1, -1, 0.1] };
const vectorOf = (text: string) => toUnit(MEANS[text] ?? [0.1, 0.1, 0.1, 1]);

const open: { close(): void }[] = [];
beforeEach(async () => { await reset(); await migrate(); });
afterEach(() => { for (const thing of open.splice(0)) thing.close(); });

interface Agent { asked: string[]; questions: VectorQuestion[]; close(): void }
interface Habits { model?: 'none' | 'silent' | 'wrong'; engine?: 'down' | 'silent'; applies?: boolean; mean?: boolean }

/** An agent that embeds colours and searches `pictures` exactly. */
async function startAgent(pictures: Map<string, Float32Array>, habits: Habits = {}): Promise<Agent> {
  const response = await askAsAgent('/link', { headers: { Upgrade: 'websocket' } });
  const socket = response.webSocket;
  if (!socket) throw new Error(`no socket: ${response.status}`);
  const agent: Agent = { asked: [], questions: [], close: () => { try { socket.close(1000); } catch { /* closed already */ } } };
  const send = (frame: AgentFrame) => { socket.send(JSON.stringify(frame)); };
  const welcome = new Promise<void>((done) => {
    socket.addEventListener('message', (event) => {
      const frame = JSON.parse(event.data as string) as WorkerFrame;
      if (frame.type === 'welcome') { done(); return; }
      if (frame.name === 'embed_query') {
        const { texts } = frame.args as { texts: string[] };
        agent.asked.push(...texts);
        if (habits.model === 'silent') return;
        if (habits.model === 'none') { send({ type: 'reply', id: frame.id, error: 'There is no model.' }); return; }
        send({ type: 'reply', id: frame.id, result: { vectors: texts.map((text) => (habits.model === 'wrong' ? 'AAAA' : vectorToText(vectorOf(text)))) } });
        return;
      }
      const question = frame.args as VectorQuestion;
      agent.questions.push(question);
      if (habits.engine === 'silent') return;
      if (habits.engine === 'down') { send({ type: 'reply', id: frame.id, error: 'Qdrant does not answer.' }); return; }
      send({ type: 'reply', id: frame.id, result: scan(pictures, question, habits) });
    });
  });
  socket.accept();
  send({ type: 'hello', protocol: 1, agent_id: 'a1', version: '0.1.0', host: 'mac' });
  await welcome;
  open.push(agent);
  return agent;
}

function scan(pictures: Map<string, Float32Array>, question: VectorQuestion, habits: Habits): VectorAnswer {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
  const near = 'vector' in question.near ? textToVector(question.near.vector, 4) : pictures.get(question.near.sha256);
  const against = question.against === null ? undefined : textToVector(question.against, 4);
  const own = 'sha256' in question.near ? question.near.sha256 : '';
  const all = near ? [...pictures].filter(([sha256]) => sha256 !== own).map(([sha256, v]) => ({ sha256, score: dot(near, v), against: against ? dot(against, v) : null })) : [];
  const mean = all.reduce((sum, h) => sum + h.score, 0) / Math.max(1, all.length);
  const deviation = Math.sqrt(all.reduce((sum, h) => sum + (h.score - mean) ** 2, 0) / Math.max(1, all.length));
  return {
    hits: all.sort((a, b) => b.score - a.score || (a.sha256 < b.sha256 ? -1 : 1)).slice(0, question.limit), applied: question.terms.map(() => habits.applies ?? false),
    mean: habits.mean === false ? null : mean, deviation: habits.mean === false ? null : deviation, looked_at: all.length,
  };
}

async function tellSpace(vectors: number, space: VectorSpace = SPACE): Promise<void> {
  const told = await askAsAgent('/sync/search-space', { method: 'PUT', body: JSON.stringify({ space, engine: 'qdrant_link', vectors }) });
  if (told.status !== 200) throw new Error(await told.text());
}
async function search(q: string, more: Record<string, string> = {}): Promise<SearchAnswer> {
  const response = await askAsAgent(`/api/search?${new URLSearchParams({ q, ...more }).toString()}`);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}
const numbers = (answer: SearchAnswer) => answer.results.map((hit) => Number.parseInt(hit.sha256, 16));

/** Assets 1 to `count`: every fourth red, green, blue, grey, each its own shade; their vectors. */
async function fill(count: number): Promise<Map<string, Float32Array>> {
  const colours = ['red', 'green', 'blue', 'grey'] as const;
  const all = Array.from({ length: count }, (_, i) => i + 1);
  for (let from = 0; from < count; from += 1_000) {
    const part = all.slice(from, from + 1_000);
    await (senders ??= createSender())({
      volumes: [volume()], assets: part.map((n) => asset(n, n % 8 === 1 ? { kind: 'video', mime: 'video/mp4' } : {})), locations: part.map((n) => location(n, `x/file${n}.jpg`)),
    });
  }
  await feedSearch(env, { budgetMs: 30_000 });
  return new Map(all.map((n) => [hashOf(n), toUnit((MEANS[colours[(n - 1) % 4] ?? 'grey'] ?? []).map((v, i) => v + (i === 3 ? n / count / 10 : 0)))]));
}
let senders: ReturnType<typeof createSender> | undefined;
beforeEach(() => { senders = undefined; });

describe('a search with a model', () => {
  it('shows what is meant, best first, down to the cut, and says who answered', async () => {
    const pictures = await fill(40);
    const agent = await startAgent(pictures);
    await tellSpace(40);
    const red = await search('red');
    expect(red).toMatchObject({ engine: 'qdrant_link', meaning: 'used', embedding: 'agent', space: KEY, literal: 0, total: 10 });
    expect(numbers(red)).toEqual([1, 5, 9, 13, 17, 21, 25, 29, 33, 37]);
    expect(red.results[0]).toMatchObject({ why: ['meaning'] });
    expect(red.results.map((hit) => hit.score)).toEqual(red.results.map((hit) => hit.score).sort((a, b) => (b ?? 0) - (a ?? 0)));
    expect(red.weaker).toBeGreaterThan(0);
    const weaker = await search('red', { weaker: '1', limit: '100' });
    expect(weaker.total).toBe(10 + red.weaker);
    expect(numbers(weaker).slice(0, 10)).toEqual(numbers(red));
    expect(await search('nonsense')).toMatchObject({ meaning: 'used', results: [], total: 0 });
    // Kept: the agent is not asked again, nor needed.
    const asked = agent.asked.length;
    expect(await search('  RED ')).toMatchObject({ embedding: 'kept', total: 10 });
    expect(agent.asked.length).toBe(asked);
    expect(agent.asked.filter((text) => text === NULL_PROMPT)).toHaveLength(1);
  });

  it('puts what is written first, without doubles, and pages and sorts the whole', async () => {
    const pictures = await fill(40);
    await senders?.({ assets: [asset(3, { revision: 9, description: 'a red balloon' }), asset(5, { revision: 9, description: 'red shoes' })] });
    await startAgent(pictures);
    await tellSpace(40);
    const whole = await search('red', { limit: '100' });
    expect(whole).toMatchObject({ literal: 2, total: 11 });
    expect(numbers(whole).slice(0, 2).sort()).toEqual([3, 5]);
    expect(whole.results.find((hit) => hit.sha256 === hashOf(5))).toMatchObject({ why: ['description', 'meaning'] });
    expect(whole.results.find((hit) => hit.sha256 === hashOf(3))?.why).toEqual(['description']);
    expect(new Set(numbers(whole)).size).toBe(11);
    for (const sort of ['relevance', 'newest', 'oldest']) {
      const paged: number[] = [];
      for (let offset = 0; offset < 11; offset += 3) paged.push(...numbers(await search('red', { sort, limit: '3', offset: String(offset) })));
      expect(paged).toEqual(numbers(await search('red', { sort, limit: '100' })));
      expect(paged.toSorted((a, b) => a - b)).toEqual(numbers(whole).toSorted((a, b) => a - b));
    }
  });

  it('leaves out what is gone, archived never, and shows a stack as its primary', async () => {
    const pictures = await fill(40);
    await senders?.({ stacks: [{ member_sha256: hashOf(5), primary_sha256: hashOf(2), type: 'raw', revision: 1, removed: false, basis: 'x' }], locations: [location(99, 'x/file9.jpg', { revision: 5 })], assets: [asset(99)] });
    await startAgent(pictures);
    await tellSpace(40);
    const red = numbers(await search('red', { limit: '100' }));
    expect(red).not.toContain(9);
    expect(red).not.toContain(5);
    expect(red).toContain(2);
    expect(new Set(red).size).toBe(red.length);
  });

  it('filters in D1 what the engine does not apply, asking for more until enough are left', async () => {
    const pictures = await fill(1_600);
    const agent = await startAgent(pictures);
    await tellSpace(1_600);
    const terms = [{ term: { kind: 'file_name' as const, text: 'file1599', whole: true }, negated: false }];
    const ask = () => findMeaning(env, { space: SPACE, engine: 'qdrant_link', vectors: 1_600 }, { text: 'blue', negated: [], terms, filter: (first) => buildFilter(terms, first), nowMs: Date.now() });
    const found = await ask();
    expect(agent.questions.map((q) => q.limit)).toEqual([1_000, 3_000]);
    expect(found.hits).toHaveLength(1);
    expect(found).toMatchObject({ state: 'used', shown: 1 });
  });

  it('drops what is negated, by what is written and by what is meant', async () => {
    const pictures = await fill(40);
    await startAgent(pictures);
    const space = { space: SPACE, engine: 'qdrant_link' as const, vectors: 40 };
    const found = await findMeaning(env, space, { text: '', negated: ['red', 'nonsense'], terms: [], filter: (first) => buildFilter([], first), nowMs: Date.now() });
    expect(found.unwanted.size).toBe(10);
    expect(found).toMatchObject({ state: 'used', hits: [] });
  });

  it('finds what looks alike, itself and its stack left out', async () => {
    const pictures = await fill(40);
    await senders?.({ stacks: [{ member_sha256: hashOf(5), primary_sha256: hashOf(1), type: 'raw', revision: 1, removed: false, basis: 'x' }] });
    await startAgent(pictures);
    expect(await search('', { like: hashOf(1) })).toMatchObject({ meaning: 'no_vectors', results: [] });
    await tellSpace(40);
    const alike = await search('', { like: hashOf(1), limit: '4' });
    expect(alike).toMatchObject({ embedding: 'asset', meaning: 'used', engine: 'qdrant_link', query: '' });
    expect(numbers(alike)).toEqual([9, 13, 17, 21]);
    expect(numbers(await search('', { like: hashOf(1), limit: '4', offset: '4' }))).toEqual([25, 29, 33, 37]);
    expect(await search('', { like: hashOf(777) })).toMatchObject({ results: [], total: 0 });
    expect((await askAsAgent('/api/search?like=abc')).status).toBe(400);
  });
});

describe('without a model', () => {
  const words = async (q: string) => { const answer = await search(q); return { meaning: answer.meaning, engine: answer.engine, found: numbers(answer) }; };

  it('words and filters answer, and the reason is said', async () => {
    const pictures = await fill(12);
    await senders?.({ assets: [asset(3, { revision: 9, description: 'red shoes' })] });
    expect(await words('red')).toEqual({ meaning: 'no_vectors', engine: 'words', found: [3] });
    await tellSpace(0);
    expect(await words('red')).toMatchObject({ meaning: 'no_vectors' });
    await tellSpace(12);
    expect(await words('red')).toEqual({ meaning: 'agent_away', engine: 'words', found: [3] });
    (await startAgent(pictures, { model: 'none' })).close();
    await startAgent(pictures, { model: 'none' });
    expect(await words('red')).toEqual({ meaning: 'no_model', engine: 'words', found: [3] });
    await startAgent(pictures, { model: 'wrong' });
    expect(await words('red')).toEqual({ meaning: 'no_model', engine: 'words', found: [3] });
    expect(await countRows('query_embeddings')).toBe(0);
    await startAgent(pictures, { engine: 'down' });
    expect(await words('red')).toEqual({ meaning: 'engine_down', engine: 'words', found: [3] });
    // Kept by now; with the agent gone the engine behind it is what is missing.
    for (const thing of open.splice(0)) thing.close();
    expect(await words('red')).toMatchObject({ meaning: 'engine_down', found: [3] });
    expect(await words('"red shoes"')).toMatchObject({ found: [3] });
  });

  it('any text is answered with a model too', async () => {
    await startAgent(await fill(8));
    await tellSpace(8);
    for (const q of ['x'.repeat(10_000), '"', '🏖️', '日本の海', 'हिन्दी', "'; DROP TABLE x", '\ud800', 'NEAR(', '-', '  ', 'a\u0000b']) {
      const answer = await search(q);
      expect(answer.query.length).toBeLessThanOrEqual(MAX_QUERY_CHARS);
      expect(['used', 'not_asked']).toContain(answer.meaning);
    }
  });
});

describe('what the agent tells', () => {
  const put = (path: string, body: unknown) => askAsAgent(path, { method: 'PUT', body: JSON.stringify(body) });

  it('the space, and embeddings ahead of it alone', async () => {
    const item = { text: ' Goa  Beach', vector: vectorToText(vectorOf('red')) };
    expect((await put('/sync/query-embeddings', { space: SPACE, items: [item] })).status).toBe(409);
    await tellSpace(1);
    expect((await put('/sync/query-embeddings', { space: SPACE, items: [item] })).status).toBe(200);
    expect(await env.DB.prepare('SELECT text, ahead FROM query_embeddings').first()).toEqual({ text: 'goa beach', ahead: 1 });
    expect((await put('/sync/query-embeddings', { space: SPACE, items: [{ ...item, vector: 'AAAA' }] })).status).toBe(400);
    expect((await put('/sync/query-embeddings', { space: { ...SPACE, dtype: 'fp32' }, items: [item] })).status).toBe(409);
    expect((await put('/sync/search-space', { space: SPACE, engine: 'magic', vectors: 1 })).status).toBe(400);
    expect((await postJson('/sync/query-embeddings', {})).status).toBe(404);
    // Another space: what was kept is of no use.
    await tellSpace(1, { ...SPACE, revision: 'bbbbbbbbbbbb' });
    expect(await countRows('query_embeddings')).toBe(0);
  });

  it('names to embed: places, albums, people, without those that are kept', async () => {
    await createSender()({
      volumes: [volume()], assets: [asset(1, { latitude: 44.17, longitude: 9.61 })], locations: [location(1, 'a/one.jpg')],
      evidence: [evidence('a/one.jpg', { albums: [{ key: 'k', title: 'Kite  Week' }], imports: [{ source: 'takeout', name: 'x', time_claims: [], latitude: null, longitude: null, gps_zone: null, description: null, favourite: null, archived: null, rating: null, people: ['Ottoline'], tags: [] }] })],
      places: [{ cell: '44.170,9.610', revision: 1, rank: 1, source: 'offline', street: 'Via X', neighbourhood: null, city: 'Levanto', region: 'Liguria', country: 'Italy', country_code: 'IT', distance_m: 1, zone: null }],
    });
    expect(await listMissingTexts(env.DB, KEY, 500)).toEqual(['italy', 'kite week', 'levanto', 'liguria', 'ottoline']);
    await keepEmbeddings(env.DB, KEY, [{ text: 'Italy', vector: 'x' }], true, 1);
    expect(await (await askAsAgent(`/sync/vocabulary?space=${encodeURIComponent(KEY)}`)).json()).toEqual({ texts: ['kite week', 'levanto', 'liguria', 'ottoline'] });
    expect((await askAsAgent('/sync/vocabulary')).status).toBe(400);
  });

  it('typed queries are kept up to a bound, the longest unused go first', async () => {
    const rows = (from: number, n: number) => Array.from({ length: n }, (_, i) => ({ text: `q${from + i}`, vector: 'x' }));
    await keepEmbeddings(env.DB, KEY, [{ text: 'ahead', vector: 'x' }], true, 0);
    await keepEmbeddings(env.DB, KEY, rows(0, KEPT_QUERIES), false, 1);
    await keepEmbeddings(env.DB, KEY, rows(KEPT_QUERIES, 10), false, 2);
    expect(await countRows('query_embeddings')).toBe(KEPT_QUERIES + 1);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM query_embeddings WHERE used_at_ms = 2 OR text = 'ahead'").first<number>('n')).toBe(11);
  });
});

// Last, for this isolate remembers it for some seconds.
describe('a slow agent', () => {
  it('is not waited for again at each key', async () => {
    const agent = await startAgent(await fill(4), { model: 'silent' });
    const first = Date.now();
    expect(await embedTexts(env, SPACE, ['r'], first)).toEqual({ ok: false, why: 'slow' });
    const again = Date.now();
    expect(again - first).toBeGreaterThan(1_000);
    expect(await embedTexts(env, SPACE, ['re'], again)).toEqual({ ok: false, why: 'slow' });
    expect(agent.asked).not.toContain('re');
    await keepEmbeddings(env.DB, KEY, [{ text: 're', vector: vectorToText(vectorOf('red')) }], false, 1);
    expect(await embedTexts(env, SPACE, ['re'], again)).toMatchObject({ ok: true, from: 'kept' });
    // Later it is asked once more.
    expect(await embedTexts(env, SPACE, ['red'], again + 60_000)).toEqual({ ok: false, why: 'slow' });
    expect(agent.asked).toContain('red');
  });
});
