// Scripts, stylesheets, the mark, the manifest and the map's shapes: built into the Worker or beside it (scripts/build.ts), so that it needs no assets binding.
import { Hono } from 'hono';
import { FILES } from '../../.build/static.ts';
import type { App } from '../env.ts';
import { NotFound } from '../errors.tsx';

/** Names carry a hash of the content. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
const SHORT = 'public, max-age=3600';

export const statics = new Hono<App>();

statics.get('/s/:name', (c) => {
  const file = FILES[`/s/${c.req.param('name')}`];
  if (!file) throw new NotFound('There is no such file.');
  return c.body(file.body, 200, { 'Content-Type': file.mime, 'Cache-Control': IMMUTABLE });
});
for (const path of ['/favicon.svg', '/site.webmanifest']) {
  statics.get(path, (c) => {
    const file = FILES[path];
    if (!file) throw new NotFound('There is no such file.');
    return c.body(file.body, 200, { 'Content-Type': file.mime, 'Cache-Control': SHORT });
  });
}
