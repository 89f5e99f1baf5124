// The Qdrant client in workerd: it loads, asks by fetch, and a server that is not there is a sentence. And who is asked: a binding,
// the agent over the link, or the embedded index.
import { reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VectorAnswer, VectorQuestion, WorkerFrame } from '../../protocol/link.ts';
import { parseSpaceKey, spaceKey, type VectorSpace, vectorToText } from '../../protocol/vector.ts';
import type { Env } from '../../worker/env.ts';
import { chooseReader } from '../../worker/search/choose.ts';
import { createQdrantReader } from '../../worker/search/qdrant.ts';
import { EngineDown } from '../../worker/search/reader.ts';
import { askAsAgent, hashOf, migrate } from './support.ts';

const SPACE: VectorSpace = { profile: 'standard', model: 'a/model', revision: '0123456789ab', dtype: 'q8', preprocessing: 1, dimension: 4 };
const QUESTION: VectorQuestion = { space: SPACE, near: { vector: vectorToText(new Float32Array([1, 0, 0, 0])) }, against: null, terms: [], limit: 10 };
/** Nothing listens on it: a connection is refused at once. */
const NOBODY = 'http://127.0.0.1:1';

beforeEach(async () => { await reset(); await migrate(); });

async function fails(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(() => undefined, (e: unknown) => e);
  if (!(error instanceof Error)) throw new Error('it did not fail');
  return error;
}

describe('a Qdrant that this Worker is bound to', () => {
  it('is EngineDown where it cannot be reached, without its key', async () => {
    for (const work of [createQdrantReader({ url: NOBODY, apiKey: 'the-secret-key' }).query(QUESTION), createQdrantReader({ url: NOBODY, apiKey: 'the-secret-key' }).count(spaceKey(SPACE))]) {
      const error = await fails(work);
      expect(error).toBeInstanceOf(EngineDown);
      expect(error.message).toMatch(/^The Qdrant at http:\/\/127\.0\.0\.1:1 (cannot be reached|is not running)/);
      expect(`${error.message}${error.stack}`).not.toContain('secret');
    }
  });

  it('is asked where the agent filled one, however the agent reaches it', async () => {
    const bound: Env = { ...env, QDRANT_URL: NOBODY };
    expect((await fails(chooseReader(bound, 'qdrant').query(QUESTION))).message).toContain(NOBODY);
    expect((await fails(chooseReader(bound, 'qdrant_link').query(QUESTION))).message).toContain(NOBODY);
  });

  it('is not asked before it is filled: the embedded index answers', async () => {
    const bound: Env = { ...env, QDRANT_URL: NOBODY };
    expect(await chooseReader(bound, 'embedded').query(QUESTION)).toMatchObject({ hits: [], looked_at: 0 });
    expect(await chooseReader(bound, 'embedded').count(spaceKey(SPACE))).toBe(0);
  });
});

describe('a Qdrant that only the agent reaches', () => {
  const sockets: WebSocket[] = [];
  afterEach(() => { for (const socket of sockets.splice(0)) { try { socket.close(1000); } catch { /* closed already */ } } });

  /** An agent that answers `query_vectors` by `answer`: what it returns, or the sentence that it throws. Undefined: never. */
  async function connect(answer: (question: VectorQuestion) => VectorAnswer | undefined): Promise<VectorQuestion[]> {
    const asked: VectorQuestion[] = [];
    const socket = (await askAsAgent('/link', { headers: { Upgrade: 'websocket' } })).webSocket;
    if (!socket) throw new Error('no socket');
    sockets.push(socket);
    const welcome = new Promise<void>((resolve) => {
      socket.addEventListener('message', (event) => {
        const frame = JSON.parse(event.data as string) as WorkerFrame;
        if (frame.type === 'welcome') resolve();
        if (frame.type !== 'request') return;
        expect(frame.name).toBe('query_vectors');
        asked.push(frame.args as VectorQuestion);
        try {
          const result = answer(frame.args as VectorQuestion);
          if (result) socket.send(JSON.stringify({ type: 'reply', id: frame.id, result }));
        } catch (error) { socket.send(JSON.stringify({ type: 'reply', id: frame.id, error: (error as Error).message })); }
      });
    });
    socket.accept();
    socket.send(JSON.stringify({ type: 'hello', protocol: 1, agent_id: 'a1', version: '0.1.0', host: 'mac' }));
    await welcome;
    return asked;
  }
  const reader = () => chooseReader({ ...env, QDRANT_URL: undefined } as unknown as Env, 'qdrant_link');
  const ANSWER: VectorAnswer = { hits: [{ sha256: hashOf(1), score: 0.5, against: null }], applied: [], mean: null, deviation: null, looked_at: 12 };

  it('answers over the link', async () => {
    const asked = await connect(() => ANSWER);
    expect(await reader().query(QUESTION)).toEqual(ANSWER);
    expect(asked).toEqual([QUESTION]);
    expect(await chooseReader({ ...env, QDRANT_URL: undefined } as unknown as Env, 'qdrant').query(QUESTION)).toEqual(ANSWER);
  });

  it('is counted by a question that has no hits', async () => {
    const asked = await connect(() => ({ ...ANSWER, hits: [] }));
    expect(await reader().count(spaceKey(SPACE))).toBe(12);
    expect(asked).toEqual([{ space: SPACE, near: { sha256: hashOf(0) }, against: null, terms: [], limit: 1 }]);
    expect(await fails(reader().count('no key'))).toBeInstanceOf(EngineDown);
  });

  it('is EngineDown with the agent\'s sentence, or while the agent is away or slow', async () => {
    expect(await fails(reader().query(QUESTION))).toBeInstanceOf(EngineDown);
    await connect(() => { throw new Error('The Qdrant at http://127.0.0.1:6333 is not running.'); });
    const refused = await fails(reader().query(QUESTION));
    expect(refused).toBeInstanceOf(EngineDown);
    expect(refused.message).toBe('The Qdrant at http://127.0.0.1:6333 is not running.');
    for (const socket of sockets.splice(0)) socket.close(1000);
    await connect(() => undefined);
    const slow = await fails(reader().query(QUESTION));
    expect(slow).toBeInstanceOf(EngineDown);
    expect(slow.message).toMatch(/did not answer in time/);
  });
});

it('reads a space back from its key', () => {
  for (const space of [SPACE, { ...SPACE, profile: 'light' as const, model: 'folder/with@sign/p1', dimension: 768 }]) expect(parseSpaceKey(spaceKey(space))).toEqual(space);
  for (const key of ['', 'no key', `${spaceKey(SPACE)}x`, spaceKey(SPACE).replace('standard', 'other')]) expect(parseSpaceKey(key)).toBeUndefined();
});
