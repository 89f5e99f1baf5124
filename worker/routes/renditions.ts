// GET /r/{sha256}/{name}.{version}.webp: renditions out of R2, private and immutable. The busiest path of all: it touches
// neither D1 nor the link.
import { Hono } from 'hono';
import { parseRenditionKey } from '../../protocol/rendition.ts';
import type { App } from '../env.ts';
import { noSuchFile, STORED_HEADERS } from '../middleware/stored-headers.ts';

export const renditions = new Hono<App>();

renditions.get('/r/:sha/:file', async (c) => {
  const sha = c.req.param('sha');
  const file = c.req.param('file');
  const key = `${sha.slice(0, 2)}/${sha}/${file}`;
  if (!parseRenditionKey(key)) return noSuchFile();
  // The key says everything of the content, so it is the tag, and a match needs no look into R2.
  const etag = `"${sha}.${file}"`;
  const known = c.req.raw.headers.get('if-none-match');
  if (known !== null && (known === '*' || known.includes(etag))) return new Response(null, { status: 304, headers: { ...STORED_HEADERS, ETag: etag } });
  const object = await c.env.RENDITIONS.get(key);
  if (!object) return noSuchFile();
  return new Response(object.body, { headers: { ...STORED_HEADERS, 'Content-Type': 'image/webp', 'Content-Length': String(object.size), ETag: etag } });
});
