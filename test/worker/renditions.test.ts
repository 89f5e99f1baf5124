// Packs in, pictures out: every item checked against its hash, nothing overwritten, served as immutable.
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { MAX_PACK_BYTES } from '../../protocol/limits.ts';
import { encodePack, type PackItem } from '../../protocol/pack.ts';
import { renditionKey, renditionUrl } from '../../protocol/rendition.ts';
import { ask, askAsAgent, hashOf, migrate } from './support.ts';

beforeAll(migrate);

async function webp(n: number, text = `RIFF0000WEBPVP8 ${n}`): Promise<PackItem> {
  const bytes = new TextEncoder().encode(text);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return { key: renditionKey({ sha256: hashOf(n), name: 'grid', version: 2 }), sha256: [...digest].map((b) => b.toString(16).padStart(2, '0')).join(''), bytes };
}
const send = (pack: BodyInit) => askAsAgent('/sync/renditions', { method: 'POST', body: pack });
const urlOf = (n: number) => renditionUrl({ sha256: hashOf(n), name: 'grid', version: 2 });

describe('packs', () => {
  it('stores every item, and the same pack again changes nothing', async () => {
    const items = await Promise.all(Array.from({ length: 30 }, (_, n) => webp(n)));
    const first = (await (await send(encodePack(items))).json()) as { stored: string[] };
    expect(first.stored.sort()).toEqual(items.map((i) => i.key).sort());
    const before = await env.RENDITIONS.head(items[0]?.key ?? '');
    const again = (await (await send(encodePack(items))).json()) as { stored: string[]; rejected: unknown[] };
    expect(again.stored).toHaveLength(30);
    expect(again.rejected).toEqual([]);
    expect((await env.RENDITIONS.head(items[0]?.key ?? ''))?.version).toBe(before?.version);
  });

  it('never overwrites a key, even with sound bytes', async () => {
    await send(encodePack([await webp(100)]));
    await send(encodePack([await webp(100, 'RIFF0000WEBPother picture')]));
    expect(await (await env.RENDITIONS.get((await webp(100)).key))?.text()).toBe('RIFF0000WEBPVP8 100');
  });

  it('rejects an item with a wrong hash, a foreign key or bytes that are no picture, and stores the others', async () => {
    const good = await webp(200);
    const liar = { ...(await webp(201)), sha256: hashOf(1) };
    const keys = ['../../etc/passwd', 'aa/grid.2.webp', `00/${hashOf(202)}/proxy.1.webp`, `ff/${hashOf(202)}/grid.1.webp`, `00/${hashOf(202)}/grid.0.webp`];
    const foreign = await Promise.all(keys.map(async (key) => ({ ...(await webp(202)), key })));
    const html = await webp(203, '<script>alert(1)</script>');
    const answer = (await (await send(encodePack([liar, ...foreign, html, good]))).json()) as { stored: string[]; rejected: { row: string }[] };
    expect(answer.stored).toEqual([good.key]);
    expect(answer.rejected.map((r) => r.row).sort()).toEqual([liar.key, ...keys, html.key].sort());
    expect(await env.RENDITIONS.head(liar.key)).toBeNull();
    expect(await env.RENDITIONS.head(html.key)).toBeNull();
  });

  it('refuses a pack that is cut short, too long, or none, and stores nothing of it', async () => {
    const pack = encodePack([await webp(300), await webp(301)]);
    for (const bad of [pack.slice(0, -1), pack.slice(0, 20), new Uint8Array([...pack, 0]), new Uint8Array(0), new Uint8Array([10]), new TextEncoder().encode('{"items":[{"key":"x","sha256":"y","size_bytes":-5}]}\n')]) {
      const response = await send(bad);
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ error: expect.stringContaining('pack') });
    }
    expect(await env.RENDITIONS.head((await webp(300)).key)).toBeNull();
  });

  it('refuses one that is too large', async () => {
    expect((await send(new Uint8Array(MAX_PACK_BYTES + 1))).status).toBe(413);
  });
});

describe('pictures', () => {
  it('are private and immutable, and known ones cost no bytes', async () => {
    await send(encodePack([await webp(400)]));
    const response = await ask(urlOf(400));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('RIFF0000WEBPVP8 400');
    expect(response.headers.get('Content-Type')).toBe('image/webp');
    expect(response.headers.get('Cache-Control')).toBe('private, max-age=31536000, immutable');
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    const etag = response.headers.get('ETag') ?? '';
    const again = await ask(urlOf(400), { headers: { 'If-None-Match': `W/"other", ${etag}` } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    expect((await ask(urlOf(400), { headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
  });

  it('are not found plainly, and not remembered as missing', async () => {
    for (const path of [urlOf(999), '/r/x/y', `/r/${hashOf(400)}/grid.2.jpg`, `/r/${hashOf(400)}/..%2f..%2fx`]) {
      const response = await ask(path);
      expect(response.status, path).toBe(404);
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(await response.text()).not.toContain('<');
    }
  });
});
