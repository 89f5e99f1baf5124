// GET /r/{sha256}/{name}.{version}.webp: renditions out of R2, private and immutable. The busiest path of all: it touches
// neither D1 nor the link, and sets its own headers.
import { Hono } from 'hono';
import { parseRenditionKey } from '../../protocol/rendition.ts';
import type { App } from '../env.ts';

const FOREVER = 'private, max-age=31536000, immutable';

export const renditions = new Hono<App>();

renditions.get('/r/:sha/:file', async (c) => {
  const sha = c.req.param('sha');
  const file = c.req.param('file');
  const key = `${sha.slice(0, 2)}/${sha}/${file}`;
  if (!parseRenditionKey(key)) return notHere();
  // The key says everything of the content, so it is the tag, and a match needs no look into R2.
  const etag = `"${sha}.${file}"`;
  const known = c.req.raw.headers.get('if-none-match');
  if (known !== null && (known === '*' || known.includes(etag))) return new Response(null, { status: 304, headers: { ...COMMON, ETag: etag } });
  const object = await c.env.RENDITIONS.get(key);
  if (!object) return notHere();
  return new Response(object.body, { headers: { ...COMMON, 'Content-Type': 'image/webp', 'Content-Length': String(object.size), ETag: etag } });
});

const COMMON = { 'Cache-Control': FOREVER, 'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin', 'Content-Security-Policy': "default-src 'none'" };

/** Short and uncached: the rendition may be on its way. */
function notHere(): Response {
  return new Response('No such rendition.\n', { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } });
}
