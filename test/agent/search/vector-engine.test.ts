// Which engine the environment chooses, who is asked for it, and that a key is never part of what is said.
import { expect, test } from 'vitest';
import { chooseEngine, isOverLink, qdrantOf } from '../../../agent/commands/vector-engine.ts';
import { spaceOf } from '../../support/stand-in-embedder.ts';

const WORKER = { url: 'http://127.0.0.1:8420', token: 't' };
const KEY = 'a-key-that-nobody-may-read';

test('the embedded index, unless an address is given', async () => {
  for (const env of [{}, { QDRANT_URL: '' }, { QDRANT_URL: '  ', QDRANT_API_KEY: KEY }]) {
    expect(qdrantOf(env)).toBeNull();
    expect((await chooseEngine(env, WORKER)).kind).toBe('embedded');
  }
  const chosen = await chooseEngine({ QDRANT_URL: 'http://127.0.0.1:6333', QDRANT_API_KEY: KEY }, WORKER);
  expect(chosen.kind).toBe('qdrant');
  expect(chosen.writer.engine).toBe('http://127.0.0.1:6333');
  expect((await chooseEngine({ QDRANT_URL: 'http://127.0.0.1:6333' }, { ...WORKER, url: 'https://photos.example.com' })).kind).toBe('qdrant_link');
});

test('a Qdrant at home is asked over the link by a Worker elsewhere alone', () => {
  expect(isOverLink('http://localhost:6333', 'https://photos.example.com')).toBe(true);
  expect(isOverLink('http://[::1]:6333', 'https://photos.example.com')).toBe(true);
  expect(isOverLink('http://localhost:6333', 'http://127.0.0.1:8420')).toBe(false);
  expect(isOverLink('https://qdrant.example.com', 'https://photos.example.com')).toBe(false);
});

test('an address that cannot be used is refused with a sentence, and the key stays unsaid', async () => {
  for (const url of ['no address', 'ftp://127.0.0.1', `http://user:${KEY}@127.0.0.1:6333`, 'http://127.0.0.1:9']) {
    const { writer } = await chooseEngine({ QDRANT_URL: url, QDRANT_API_KEY: KEY }, WORKER);
    const error = await writer.count(spaceOf()).then(() => undefined, (e: unknown) => e as Error);
    expect(error?.name, url).toMatch(/^Engine/);
    expect(`${error?.message} ${writer.engine}`, url).not.toContain(KEY);
  }
});
