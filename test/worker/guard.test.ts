// Promise 10 on every route: no answer off loopback, none to another site's page, none to a machine without the token.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import worker from '../../worker/index.tsx';
import { TOKEN, ask, migrate } from './support.ts';

beforeAll(migrate);

const PATHS: [string, string][] = [
  ['GET', '/'], ['GET', '/healthz'], ['GET', '/live'], ['GET', '/link'], ['GET', `/r/${'0'.repeat(64)}/grid.2.webp`], ['GET', '/no/such/page'],
  ['POST', '/sync/batches'], ['POST', '/sync/renditions'], ['GET', '/sync/state?agent_id=a'], ['GET', '/sync/locations?volume_id=v'], ['POST', '/sync/scans/s/complete'],
  ['GET', '/api/list'], ['GET', '/api/status'], ['GET', '/api/volumes'], ['GET', '/api/problems'], ['GET', '/api/settings'], ['PUT', '/api/settings'], ['POST', '/api/request/drives'],
];
const MACHINE = PATHS.filter(([, path]) => /^\/(sync|api|link)/.test(path));

async function status(url: string, init: RequestInit = {}): Promise<number> {
  const response = await exports.default.fetch(new Request(url, init));
  await response.body?.cancel();
  return response.status;
}

describe('a Worker that was not started for loopback', () => {
  it.each(PATHS)('answers nothing to %s %s, token or not', async (method, path) => {
    const ctx = createExecutionContext();
    const { JHAROKHA_LOCAL: _, ...closed } = env;
    const response = await worker.fetch(new Request(`http://127.0.0.1${path}`, { method, headers: { Authorization: `Bearer ${TOKEN}` } }), closed, ctx);
    await waitOnExecutionContext(ctx);
    expect(response.status).toBe(503);
    expect(await response.text()).toMatch(/^Jharokha is closed[^<]*$/);
  });
});

describe('hosts', () => {
  it.each(['127.0.0.1', '127.0.0.1:8420', 'localhost:1', '[::1]:8420', 'LOCALHOST'])('answers under %s', async (host) => {
    expect(await status(`http://${host}/healthz`)).toBe(200);
  });
  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8420', '10.0.0.5', '0.0.0.0', '[::2]', 'jharokha.workers.dev'])('refuses %s on every path', async (host) => {
    for (const [method, path] of PATHS) expect(await status(`http://${host}${path}`, { method, headers: { Authorization: `Bearer ${TOKEN}` } }), path).toBe(403);
  });
  it.each(['evil.example', 'evil.example:8420', 'localhost.'])('refuses the Host header %j even where the URL says loopback', async (host) => {
    expect(await status('http://127.0.0.1/healthz', { headers: { Host: host } })).toBe(403);
  });
});

describe('other sites', () => {
  const home = 'http://127.0.0.1:8420';
  const post = (headers: Record<string, string>) => status(`${home}/api/request/drives`, { method: 'POST', body: '{}', headers: { Authorization: `Bearer ${TOKEN}`, ...headers } });

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:3000', 'http://localhost:8420', 'http://127.0.0.1:8420.evil.example'])('may not act: Origin %j', async (origin) => {
    expect(await post({ Origin: origin })).toBe(403);
    for (const path of ['/live', '/link']) expect(await status(home + path, { headers: { Origin: origin, Accept: 'text/event-stream', Authorization: `Bearer ${TOKEN}`, ...(path === '/link' ? { Upgrade: 'websocket' } : {}) } }), path).toBe(403);
  });
  it.each(['cross-site', 'same-site'])('may not act: Sec-Fetch-Site %s, not even by navigating', async (site) => {
    expect(await post({ 'Sec-Fetch-Site': site })).toBe(403);
    expect(await post({ 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'navigate' })).toBe(403);
  });
  it('may link to a page, and nothing more', async () => {
    expect(await status(`${home}/`, { headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' } })).toBe(200);
    for (const mode of ['no-cors', 'cors', 'websocket']) expect(await status(`${home}/`, { headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': mode } }), mode).toBe(403);
    expect(await status(`${home}/`, { headers: { 'Sec-Fetch-Site': 'cross-site' } })).toBe(403);
    expect(await status(`${home}/live`, { headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', Accept: 'text/event-stream' } })).toBe(403);
  });
  it('does not stand in the way of our own pages and tools', async () => {
    // 503: through the guard, and the agent is away.
    const sorts: Record<string, string>[] = [{}, { Origin: home }, { Origin: home, 'Sec-Fetch-Site': 'same-origin' }, { 'Sec-Fetch-Site': 'none' }];
    for (const headers of sorts) expect(await post(headers)).toBe(503);
  });
});

describe('tokens', () => {
  it.each(MACHINE)('%s %s needs one', async (method, path) => {
    for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Bearer wrong', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, `Basic ${TOKEN}`, TOKEN]) {
      const response = await ask(path, { method, ...(header === undefined ? {} : { headers: { Authorization: header } }) });
      expect(response.status, `${header}`).toBe(401);
      expect(await response.json()).toEqual({ error: expect.any(String) });
    }
  });
  it.each(['/sync//state?agent_id=a', '//sync/state?agent_id=a', '/%73ync/state?agent_id=a', '/Sync/state?agent_id=a', '/sync/state/?agent_id=a', '/x/../sync/state?agent_id=a', '/api/%6cist', '/api/../api/list'])('cannot be walked around by %s', async (path) => {
    expect([401, 404]).toContain((await ask(path)).status);
  });
  it('opens nothing where the Worker has none', async () => {
    const { JHAROKHA_TOKEN: _, ...without } = env;
    for (const header of ['Bearer undefined', 'Bearer ', `Bearer ${TOKEN}`]) {
      const response = await worker.fetch(new Request('http://127.0.0.1/api/list', { headers: { Authorization: header } }), without, createExecutionContext());
      expect(response.status).toBe(401);
    }
  });
});

describe('answers', () => {
  it('carry the security headers, errors too', async () => {
    const foreign = { headers: { 'Sec-Fetch-Site': 'cross-site' } };
    for (const [path, init] of [['/', {}], ['/', foreign], ['/healthz', {}], ['/no/such/page', {}], ['/api/list', {}]] as [string, RequestInit][]) {
      const response = await ask(path, init);
      const csp = response.headers.get('Content-Security-Policy') ?? '';
      expect(csp, path).toContain("script-src 'self'");
      expect(csp).not.toMatch(/script-src[^;]*unsafe/);
      expect(csp).toContain("frame-ancestors 'none'");
      expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect(response.headers.get('Referrer-Policy')).toBe('same-origin');
      expect(response.headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
      expect(response.headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
      expect(response.headers.get('Cache-Control')).toMatch(/private|no-store/);
    }
  });
  it('speak HTML to people, a fragment to htmx, JSON to machines', async () => {
    expect(await (await ask('/no/such/page')).text()).toMatch(/^<!doctype html><html.*<h1[^>]*>Not here<\/h1>/s);
    expect(await (await ask('/no/such/page', { headers: { 'HX-Request-Type': 'partial' } })).text()).toMatch(/^<p class="error" role="alert">/);
    expect(await (await ask('/api/nothing', { headers: { Authorization: `Bearer ${TOKEN}` } })).json()).toEqual({ error: expect.any(String) });
  });
  it('leak nothing of an unexpected error', async () => {
    const broken = { ...env, DB: { prepare() { throw new Error('secret detail'); } } as unknown as D1Database };
    const response = await worker.fetch(new Request('http://127.0.0.1/healthz'), broken, createExecutionContext());
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });
});
