// GET /r/{sha256}/proxy.{version}.mp4: the small video of an asset out of R2, in ranges, so that a page can seek in what it has
// not loaded. Private and immutable like renditions.ts, and as short: neither D1 nor the link is asked.
import { Hono } from 'hono';
import { parseProxyKey } from '../../protocol/rendition.ts';
import type { App } from '../env.ts';
import { noSuchFile, STORED_HEADERS } from '../middleware/stored-headers.ts';
import { readRange } from '../middleware/range.ts';

export const proxies = new Hono<App>();

proxies.get('/r/:sha/:file{proxy\\..+}', async (c) => {
  const sha = c.req.param('sha');
  const key = `${sha.slice(0, 2)}/${sha}/${c.req.param('file')}`;
  if (!parseProxyKey(key)) return noSuchFile();
  const head = await c.env.RENDITIONS.head(key);
  if (!head) return noSuchFile();
  const asked = c.req.raw.headers;
  const headers = { ...STORED_HEADERS, 'Content-Type': 'video/mp4', 'Accept-Ranges': 'bytes', ETag: head.httpEtag };
  const known = asked.get('if-none-match');
  if (known !== null && (known === '*' || known.includes(head.httpEtag))) return new Response(null, { status: 304, headers });
  if (c.req.raw.method === 'HEAD') return new Response(null, { headers: { ...headers, 'Content-Length': String(head.size) } });

  // A part of another version would not fit to what the asker has: then all of it, as If-Range says.
  const ifRange = asked.get('if-range');
  const range = ifRange === null || ifRange === head.httpEtag ? readRange(asked.get('range'), head.size) : undefined;
  if (range === 'none') return new Response(null, { status: 416, headers: { ...headers, 'Content-Range': `bytes */${head.size}`, 'Cache-Control': 'no-store' } });
  const object = await c.env.RENDITIONS.get(key, range ? { range } : {});
  if (!object) return noSuchFile();
  if (!range) return new Response(object.body, { headers: { ...headers, 'Content-Length': String(head.size) } });
  return new Response(object.body, {
    status: 206, headers: { ...headers, 'Content-Length': String(range.length), 'Content-Range': `bytes ${range.offset}-${range.offset + range.length - 1}/${head.size}` },
  });
});
