// Proxies in, small or in parts, checked byte for byte; and out again in ranges, as players ask for them.
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { PROXY_PART_BYTES } from '../../protocol/limits.ts';
import { proxyKey, proxyUrl } from '../../protocol/rendition.ts';
import { ask, askAsAgent, asset, createSender, hashOf, location, migrate, postJson, volume } from './support.ts';

beforeAll(migrate);

/** Bytes that begin as an MP4 does; each seed gives others. */
function mp4(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 1) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 255;
  bytes.set([0, 0, 0, 24, 0x66, 0x74, 0x79, 0x70]);
  return bytes;
}
async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((b) => b.toString(16).padStart(2, '0')).join('');
}
const idOf = (n: number) => ({ sha256: hashOf(n), version: 1 });
const path = (n: number) => `/sync/proxies/${hashOf(n)}/1`;
const put = async (n: number, bytes: Uint8Array<ArrayBuffer>, said?: string) => askAsAgent(`${path(n)}?sha256=${said ?? await sha256(bytes)}`, { method: 'PUT', body: bytes });
const start = (n: number, size: number, hash = hashOf(9)) => postJson(`${path(n)}/uploads`, { size_bytes: size, sha256: hash });
const part = async (n: number, upload: string, number: number, bytes: Uint8Array<ArrayBuffer>) => askAsAgent(`${path(n)}/uploads/${number}?upload_id=${encodeURIComponent(upload)}&sha256=${await sha256(bytes)}`, { method: 'PUT', body: bytes });

async function stored(n: number): Promise<R2ObjectBody> {
  const object = await env.RENDITIONS.get(proxyKey(idOf(n)));
  if (!object) throw new Error(`no proxy ${n}`);
  return object;
}

describe('a proxy in one request', () => {
  it('is stored once, whatever is sent later under its name', async () => {
    const bytes = mp4(5_000);
    for (const sent of [bytes, bytes, mp4(4_000, 2)]) {
      const response = await put(1, sent);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ stored: true, size_bytes: 5_000 });
    }
    expect(new Uint8Array(await (await stored(1)).arrayBuffer())).toEqual(bytes);
  });

  it('is refused with other bytes than were said, with bytes that are no MP4, without a hash, too large, and under no proxy\'s name', async () => {
    expect((await put(2, mp4(500), hashOf(3))).status).toBe(400);
    expect((await put(2, new Uint8Array(new TextEncoder().encode('<script>alert(1)</script><b></b>')))).status).toBe(400);
    expect((await put(2, new Uint8Array(0))).status).toBe(400);
    expect((await askAsAgent(path(2), { method: 'PUT', body: mp4(500) })).status).toBe(400);
    expect((await put(2, mp4(PROXY_PART_BYTES + 1))).status).toBe(413);
    for (const bad of ['/sync/proxies/xyz/1', `/sync/proxies/${hashOf(2)}/0`, `/sync/proxies/${hashOf(2)}/1.5`, `/sync/proxies/${hashOf(2).toUpperCase().replace('2', 'A')}/1`]) {
      expect((await askAsAgent(`${bad}?sha256=${await sha256(mp4(500))}`, { method: 'PUT', body: mp4(500) })).status, bad).toBe(400);
    }
    expect((await ask(`${path(2)}?sha256=${hashOf(1)}`, { method: 'PUT', body: mp4(500) })).status).toBe(401);
    expect(await env.RENDITIONS.head(proxyKey(idOf(2)))).toBeNull();
  });
});

describe('a proxy in parts', () => {
  const whole = mp4(2 * PROXY_PART_BYTES + 1_234, 5);
  const cut = (i: number): Uint8Array<ArrayBuffer> => new Uint8Array(whole.subarray(i * PROXY_PART_BYTES, (i + 1) * PROXY_PART_BYTES));
  const parts = [cut(0), cut(1), cut(2)] as const;

  it('is put together from parts that may be repeated, and completed as often as is asked', async () => {
    const said = { size_bytes: whole.byteLength, sha256: await sha256(whole) };
    const { upload_id } = await (await start(10, said.size_bytes, said.sha256)).json() as { upload_id: string };
    const etags: string[] = [];
    for (const [i, bytes] of parts.entries()) {
      await part(10, upload_id, i + 1, bytes);
      const response = await part(10, upload_id, i + 1, bytes);
      expect(response.status).toBe(200);
      etags.push(((await response.json()) as { etag: string }).etag);
    }
    expect(await env.RENDITIONS.head(proxyKey(idOf(10)))).toBeNull();
    for (let i = 0; i < 2; i += 1) {
      const done = await postJson(`${path(10)}/uploads/complete`, { ...said, upload_id, etags });
      expect(done.status).toBe(200);
      expect(await done.json()).toEqual({ stored: true, size_bytes: whole.byteLength });
    }
    const object = await stored(10);
    expect(object.customMetadata).toEqual({ sha256: said.sha256 });
    expect(await sha256(new Uint8Array(await object.arrayBuffer()))).toBe(said.sha256);
    expect((await env.RENDITIONS.list({ prefix: `${proxyKey(idOf(10))}.` })).objects).toEqual([]);
    // Whoever begins it again is told that it is there.
    expect(await (await start(10, said.size_bytes, said.sha256)).json()).toEqual({ stored: true, size_bytes: whole.byteLength });
  });

  it('ends the upload that was left when it is begun again, and the old one takes no more', async () => {
    const first = await (await start(11, whole.byteLength)).json() as { upload_id: string };
    await part(11, first.upload_id, 1, parts[0]);
    const second = await (await start(11, whole.byteLength)).json() as { upload_id: string };
    expect(second.upload_id).not.toBe(first.upload_id);
    expect((await part(11, first.upload_id, 2, parts[1])).status).toBe(409);
    expect((await part(11, second.upload_id, 1, parts[0])).status).toBe(200);
  });

  it('refuses parts with a wrong hash, a first one that is no MP4, and completions that do not fit', async () => {
    const { upload_id } = await (await start(12, whole.byteLength)).json() as { upload_id: string };
    expect((await askAsAgent(`${path(12)}/uploads/1?upload_id=${upload_id}&sha256=${hashOf(1)}`, { method: 'PUT', body: parts[0] })).status).toBe(400);
    expect((await part(12, upload_id, 1, parts[1])).status).toBe(400);
    expect((await part(12, upload_id, 0, parts[0])).status).toBe(400);
    expect((await part(12, 'never-begun', 1, parts[0])).status).toBe(409);
    const { etag } = await (await part(12, upload_id, 1, parts[0])).json() as { etag: string };
    const complete = (etags: string[], size = whole.byteLength) => postJson(`${path(12)}/uploads/complete`, { upload_id, size_bytes: size, sha256: hashOf(9), etags });
    expect((await complete([etag])).status).toBe(400);
    expect((await complete([etag, 'x', 'y'])).status).toBe(409);
    expect((await complete([etag], PROXY_PART_BYTES - 7)).status).toBe(409);
    expect(await env.RENDITIONS.head(proxyKey(idOf(12)))).toBeNull();
  });
});

describe('a proxy out', () => {
  const bytes = mp4(1_000, 7);
  const url = proxyUrl(idOf(20));
  beforeAll(async () => { expect((await put(20, bytes)).status).toBe(200); });
  const range = async (value: string, more: Record<string, string> = {}) => {
    const response = await ask(url, { headers: { Range: value, ...more } });
    return { status: response.status, range: response.headers.get('Content-Range'), length: response.headers.get('Content-Length'), bytes: new Uint8Array(await response.arrayBuffer()) };
  };

  it('comes whole, private and immutable, and says that it takes ranges', async () => {
    const response = await ask(url);
    expect(response.status).toBe(200);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'video/mp4', 'content-length': '1000', 'accept-ranges': 'bytes', 'cache-control': 'private, max-age=31536000, immutable', 'x-content-type-options': 'nosniff',
    });
    const head = await ask(url, { method: 'HEAD', headers: { Range: 'bytes=0-1' } });
    expect(head.status).toBe(200);
    expect(head.headers.get('Content-Length')).toBe('1000');
    expect(await head.text()).toBe('');
    const known = await ask(url, { headers: { 'If-None-Match': response.headers.get('ETag') ?? '' } });
    expect(known.status).toBe(304);
  });

  it('comes in the range that was asked: closed, open, from the end, past the end', async () => {
    for (const [asked, from, to] of [['bytes=0-0', 0, 1], ['bytes=100-199', 100, 200], ['bytes=0-', 0, 1000], ['bytes=990-', 990, 1000], ['bytes=-10', 990, 1000], ['bytes=-5000', 0, 1000], ['bytes=900-99999', 900, 1000]] as const) {
      expect(await range(asked), asked).toEqual({ status: 206, range: `bytes ${from}-${to - 1}/1000`, length: String(to - from), bytes: bytes.slice(from, to) });
    }
  });

  it('is 416 where nothing is there, and whole where the range is nonsense or several', async () => {
    for (const asked of ['bytes=1000-', 'bytes=5000-6000', 'bytes=-0']) expect(await range(asked), asked).toMatchObject({ status: 416, range: 'bytes */1000' });
    for (const asked of ['bytes=5-2', 'bytes=-', 'bytes=a-b', 'items=0-5', 'bytes=0-1,5-6', 'bytes=0-99999999999999999999']) expect(await range(asked), asked).toMatchObject({ status: 200, range: null, length: '1000' });
  });

  it('honours If-Range: the part of what the asker has, else all', async () => {
    const etag = (await ask(url)).headers.get('ETag') ?? '';
    expect(await range('bytes=0-9', { 'If-Range': etag })).toMatchObject({ status: 206 });
    expect(await range('bytes=0-9', { 'If-Range': '"other"' })).toMatchObject({ status: 200, length: '1000' });
  });

  it('is not found plainly', async () => {
    for (const bad of [proxyUrl(idOf(999)), `/r/${hashOf(20)}/proxy.1.webm`, `/r/${hashOf(20)}/proxy.01.mp4`, `/r/${hashOf(20)}/proxy.1.mp4.upload`]) {
      const response = await ask(bad, { headers: { Range: 'bytes=0-1' } });
      expect(response.status, bad).toBe(404);
      expect(response.headers.get('Cache-Control')).toBe('no-store');
    }
  });
});

describe('doctor', () => {
  it('keeps proxies that are mentioned or young, names those that are missing, and ends uploads that were left', async () => {
    const { checkRenditions, sweepRenditions } = await import('../../worker/store/doctor.ts');
    await put(30, mp4(600, 30));
    await put(31, mp4(600, 31));
    const { upload_id } = await (await start(32, 2 * PROXY_PART_BYTES)).json() as { upload_id: string };
    const facets = { facts: 1, grid: 0, preview: 0, proxy: 1 };
    await createSender('doctor', 'doctor')({ volumes: [volume()], assets: [30, 33].map((n) => asset(n, { kind: 'video', mime: 'video/mp4', facets, proxy_bytes: 600 })), locations: [30, 33].map((n) => location(n, `v${n}.mp4`)) });
    expect(await sweepRenditions(env.DB, env.RENDITIONS, undefined, Date.now())).toMatchObject({ swept: 0 });
    await sweepRenditions(env.DB, env.RENDITIONS, undefined, Date.now() + 25 * 3_600_000);
    expect(await env.RENDITIONS.head(proxyKey(idOf(30)))).not.toBeNull();
    expect(await env.RENDITIONS.head(proxyKey(idOf(31)))).toBeNull();
    expect((await env.RENDITIONS.list({ prefix: `00/${hashOf(32)}` })).objects).toEqual([]);
    expect((await part(32, upload_id, 1, mp4(PROXY_PART_BYTES))).status).toBe(409);
    expect((await checkRenditions(env.DB, env.RENDITIONS, 0)).missing).toContainEqual({ sha256: hashOf(33), name: 'proxy' });
  });
});
