// What is the same for everybody: script, stylesheet, mark, icons, manifest, the map's shapes, service worker and its page for no network. All built into modules beside the Worker's script, so that it needs no assets binding.
import { Hono } from 'hono';
import { FILES, SCRIPT_URL, STYLE_URL, type StaticFile } from '../../.build/static.ts';
import { OfflinePage } from '../../views/error-page.tsx';
import type { App } from '../env.ts';
import { NotFound } from '../errors.tsx';
import { sendPage } from '../middleware/page.tsx';

/** Names carry a hash of the content. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
const SHORT = 'public, max-age=3600';
/** A new build must take over at the next look. */
const ALWAYS_ASK = 'no-cache';

export const statics = new Hono<App>();

statics.get('/s/:name', (c) => send(`/s/${c.req.param('name')}`, IMMUTABLE));
for (const path of Object.keys(FILES).filter((each) => !each.startsWith('/s/'))) statics.get(path, () => send(path, path === '/sw.js' ? ALWAYS_ASK : SHORT));
statics.get('/offline', (c) => sendPage(c, <OfflinePage scriptUrl={SCRIPT_URL} styleUrl={STYLE_URL} />));

function send(path: string, cacheControl: string): Response {
  const file: StaticFile | undefined = FILES[path];
  if (!file) throw new NotFound('There is no such file.');
  return new Response(file.body, { headers: { 'Content-Type': file.mime, 'Cache-Control': cacheControl } });
}
