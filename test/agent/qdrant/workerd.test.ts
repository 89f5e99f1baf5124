// The reader in real workerd, bundled as the Worker is: the client's browser build asks by fetch alone, follows no redirect with the
// key, and gives up in time. Against the fault server: no conformance.
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createQdrantWriter } from '../../../agent/push/qdrant-writer.ts';
import { SEARCH_ASK_TIMEOUT_MS } from '../../../protocol/limits.ts';
import type { VectorQuestion } from '../../../protocol/link.ts';
import { type VectorSpace, vectorToText } from '../../../protocol/vector.ts';
import { cut, cutHalfway, fail, type QdrantFault, type QdrantFaultServer, say, silence, startQdrantFaultServer } from '../../support/qdrant-fault-server.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const KEY = 'the-secret-key-42';
const SPACE: VectorSpace = { profile: 'light', model: 'a/model', revision: '0123456789ab', dtype: 'q8', preprocessing: 1, dimension: 4 };
const hashOf = (n: number) => n.toString(16).padStart(64, '0');
const QUESTION: VectorQuestion = { space: SPACE, near: { vector: vectorToText(new Float32Array([1, 0, 0, 0])) }, against: vectorToText(new Float32Array([0, 1, 0, 0])), terms: [], limit: 10 };
const ENTRY = `
  import { createQdrantReader } from './worker/search/qdrant.ts';
  export default { async fetch(request) {
    const { url, apiKey, question } = await request.json();
    try { return Response.json(await createQdrantReader({ url, apiKey }).query(question)); } catch (error) { return Response.json({ name: error.name, message: error.message }, { status: 500 }); }
  } };`;

/** As scripts/build.ts bundles the Worker. */
async function bundle(contents: string): Promise<string> {
  const result = await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' }, bundle: true, write: false, minify: true, legalComments: 'none', format: 'esm', target: 'es2023',
    conditions: ['workerd', 'worker', 'browser'], mainFields: ['browser', 'module', 'main'], external: ['node:*', 'cloudflare:*'], absWorkingDir: ROOT,
  });
  return result.outputFiles[0]?.text ?? '';
}

let server: QdrantFaultServer, mf: Miniflare, script: string;
beforeAll(async () => {
  server = await startQdrantFaultServer();
  server.apiKey = KEY;
  script = await bundle(ENTRY);
  mf = new Miniflare(convertV4MiniflareOptions({ host: '127.0.0.1', name: 'reader', modules: true, script, compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] }));
  await mf.ready;
  const writer = createQdrantWriter({ url: server.url, apiKey: KEY });
  await writer.prepare(SPACE);
  await writer.write(SPACE, [1, 2, 3].map((n) => ({ sha256: hashOf(n), vector: new Float32Array([Math.cos(n / 10), Math.sin(n / 10), 0, 0]), kind: 'image', camera: null })));
});
afterAll(async () => { await mf.dispose(); await server.stop(); });

async function ask(question: VectorQuestion, url = server.url): Promise<{ status: number; body: { name?: string; message?: string } }> {
  const response = await mf.dispatchFetch('http://reader/', { method: 'POST', body: JSON.stringify({ url, apiKey: KEY, question }) });
  return { status: response.status, body: await response.json() as { name?: string; message?: string } };
}

describe('the reader in workerd', () => {
  test('asks and understands', async () => {
    const { status, body } = await ask(QUESTION);
    expect(status).toBe(200);
    expect(body).toMatchObject({ hits: [1, 2, 3].map((n) => ({ sha256: hashOf(n), score: expect.closeTo(Math.cos(n / 10), 5), against: expect.closeTo(Math.sin(n / 10), 5) })), looked_at: 3 });
    expect((await ask({ ...QUESTION, near: { sha256: hashOf(3) } })).body).toMatchObject({ hits: [{ sha256: hashOf(2) }, { sha256: hashOf(1) }] });
  });

  const FAULTS: [string, QdrantFault, RegExp][] = [
    ['silent', silence, /did not answer in time/], ['cut', cut, /cannot be reached/], ['cut in the middle of an answer', cutHalfway, /connection broke|not whole/], ['locked', say(401, 'text/plain', 'no'), /does not take the key/],
    ['in trouble', fail(500, 'x'), /in trouble \(500\)/], ['sending elsewhere', say(307, 'text/plain', '', { location: 'https://elsewhere.example.org/' }), /sends elsewhere, which is not followed/], ['a page', say(200, 'text/html', '<html>'), /is no Qdrant/],
  ];
  test.each(FAULTS)('is EngineDown with a sentence where Qdrant is %s', async (_name, fault, sentence) => {
    server.always = fault;
    const started = performance.now();
    try {
      const { status, body } = await ask(QUESTION);
      expect([status, body.name]).toEqual([500, 'EngineDown']);
      expect(body.message).toMatch(sentence);
      expect(body.message).not.toContain(KEY);
      expect(performance.now() - started).toBeLessThan(SEARCH_ASK_TIMEOUT_MS + 1_000);
    } finally { server.always = undefined; }
  });

  test('takes its part of the Worker: the browser build, without a network stack of its own', async () => {
    const without = await bundle(`import { spaceKey } from './protocol/vector.ts'; import { VectorAnswer } from './protocol/link.ts'; export default { spaceKey, VectorAnswer };`);
    const added = gzipSync(script, { level: 9 }).length - gzipSync(without, { level: 9 }).length;
    expect(script).not.toMatch(/undici|node:net|node:tls/);
    expect(added).toBeLessThan(12_000);
  });
});
