// GET /healthz: whether it runs, how much it holds, what waits. No token on loopback; reads one row a month.
import { Hono } from 'hono';
import type { Healthz } from '../../protocol/list.ts';
import { SOFTWARE_VERSION } from '../../protocol/versions.ts';
import type { App, Env } from '../env.ts';
import { getPresence, getStatus } from '../link/client.ts';
import { countShown } from '../store/buckets.ts';

export const healthz = new Hono<App>();

healthz.get('/healthz', async (c) => c.json(await readHealth(c.env)));

async function readHealth(env: Env): Promise<Healthz> {
  const [assets, presence, status] = await Promise.all([countShown(env.DB), getPresence(env), getStatus(env)]);
  return {
    ok: true, version: SOFTWARE_VERSION, assets,
    scanning: status ? status.phase === 'scanning' : null,
    pending: status?.pending ?? { facts: null, previews: null, proxies: null, vectors: null },
    agent: presence.connected ? 'connected' : 'away',
  };
}
