// The agent's socket and the pages' stream: presence is a lease, the newest socket wins, requests come back or end in a
// sentence, and pages hear of what changed. No assertion here waits for a clock: leases are made to be over.
import { evictDurableObject, runDurableObjectAlarm, reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentFrame, AgentStatus, PresentVolume, WorkerFrame } from '../../protocol/link.ts';
import { PRESENCE_LEASE_MS } from '../../protocol/limits.ts';
import { MAX_LISTENERS } from '../../worker/link/live-listeners.ts';
import { getPresence, getStatus, openLink, wakePlaces } from '../../worker/link/client.ts';
import { TOKEN, ask, askAsAgent, asset, createSender, location, migrate, postJson, problem, volume, VOLUME } from './support.ts';

const open: { close(): void }[] = [];
beforeEach(async () => { await reset(); await migrate(); });
afterEach(() => { for (const thing of open.splice(0)) thing.close(); });

/** A queue that a test can wait on. */
function createQueue<T>() {
  const items: T[] = [];
  const waiters: ((item: T) => void)[] = [];
  return {
    push(item: T) { const waiter = waiters.shift(); if (waiter) waiter(item); else items.push(item); },
    next: () => new Promise<T>((resolve) => { const item = items.shift(); if (item !== undefined) resolve(item); else waiters.push(resolve); }),
  };
}

async function connect() {
  const response = await askAsAgent('/link', { headers: { Upgrade: 'websocket' } });
  const socket = response.webSocket;
  if (!socket) throw new Error(`no socket: ${response.status}`);
  const frames = createQueue<WorkerFrame>();
  const closed = new Promise<{ code: number; reason: string }>((resolve) => socket.addEventListener('close', (e) => resolve({ code: e.code, reason: e.reason })));
  socket.addEventListener('message', (e) => frames.push(JSON.parse(e.data as string) as WorkerFrame));
  socket.accept();
  open.push({ close: () => { try { socket.close(1000); } catch { /* closed already */ } } });
  return { socket, frames, closed, send: (frame: AgentFrame) => socket.send(JSON.stringify(frame)) };
}
async function greet(agentId = 'a1') {
  const link = await connect();
  link.send({ type: 'hello', protocol: 1, agent_id: agentId, version: '0.1.0', host: 'mac' });
  expect(await link.frames.next()).toEqual({ type: 'welcome', protocol: 1 });
  return link;
}
const connected = (volume_id: string, more: Partial<PresentVolume> = {}): PresentVolume => ({ volume_id, label: 'Blue SSD', mount_point: '/Volumes/Blue', fs_type: 'exfat', capacity_bytes: 1, free_bytes: 1, read_only: false, removable: true, ...more });
const idle: AgentStatus = { phase: 'idle', root: null, counts: null, pending: { facts: 0, previews: 3, proxies: null, vectors: null }, rate_per_s: null, eta_s: null, questions: [] };

/** Frames are handled in order, so an answered request means that all before it was taken in. */
async function settle(link: Awaited<ReturnType<typeof greet>>) {
  const asked = postJson('/api/request/drives', {});
  const frame = await link.frames.next();
  if (frame.type !== 'request') throw new Error(frame.type);
  link.send({ type: 'reply', id: frame.id, result: { volumes: [], suggestions: [] } });
  expect((await asked).status).toBe(200);
}

async function listen(headers: Record<string, string> = {}) {
  const response = await ask('/live', { headers });
  expect(response.headers.get('Content-Type')).toContain('text/event-stream');
  const reader = response.body?.getReader();
  if (!reader) throw new Error('no stream');
  open.push({ close: () => void reader.cancel().catch(() => undefined) });
  const decoder = new TextDecoder();
  let text = '';
  return {
    reader,
    /** Reads on until each of these events was told; all that was read. */
    async until(...events: string[]): Promise<string> {
      while (!events.every((event) => text.includes(`event: ${event}\n`))) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the stream ended: ${text}`);
        text += decoder.decode(value, { stream: true });
      }
      const seen = text;
      text = '';
      return seen;
    },
    async first(): Promise<string> { return decoder.decode((await reader.read()).value); },
  };
}

describe('presence', () => {
  it('is away before anyone came, and connected with its volumes after', async () => {
    expect(await getPresence(env)).toEqual({ connected: false, volumes: [] });
    expect(await (await ask('/healthz')).json()).toMatchObject({ ok: true, assets: 0, agent: 'away', scanning: null, pending: { facts: null, previews: null } });
    const link = await greet();
    link.send({ type: 'presence', volumes: [connected(VOLUME)], lease_ms: PRESENCE_LEASE_MS });
    link.send({ type: 'status', status: { ...idle, phase: 'scanning' } });
    await settle(link);
    expect((await getPresence(env)).volumes.map((v) => v.volume_id)).toEqual([VOLUME]);
    expect(await (await ask('/healthz')).json()).toMatchObject({ agent: 'connected', scanning: true, pending: { facts: 0, previews: 3 } });
  });

  it('runs out by itself: no goodbye, and yet away, and the pages hear of it', async () => {
    const link = await greet();
    link.send({ type: 'presence', volumes: [connected(VOLUME)], lease_ms: PRESENCE_LEASE_MS });
    await settle(link);
    const live = await listen();
    link.send({ type: 'presence', volumes: [connected(VOLUME)], lease_ms: 0 });
    await settle(link);
    expect(await getPresence(env)).toEqual({ connected: false, volumes: [] });
    expect(await getStatus(env)).toBeNull();
    await runDurableObjectAlarm(openLink(env));
    await live.until('presence');
  });

  it('ends at a clean goodbye, but outlives a broken line and the object’s sleep', async () => {
    const link = await greet();
    link.send({ type: 'presence', volumes: [connected(VOLUME)], lease_ms: PRESENCE_LEASE_MS });
    await settle(link);
    await evictDurableObject(openLink(env));
    expect((await getPresence(env)).volumes).toHaveLength(1);
    await settle(link);
    const live = await listen();
    link.socket.close(1000, 'stopped');
    await live.until('presence');
    expect((await getPresence(env)).connected).toBe(false);
  });

  it('shows in locations: present, away, missing', async () => {
    const send = createSender();
    await send({ volumes: [volume(), volume({ volume_id: 'uuid:2' })], assets: [asset(1)], locations: [location(1, 'a.jpg'), location(1, 'b.jpg'), location(1, 'c.jpg', { volume_id: 'uuid:2' })] });
    await env.DB.prepare("UPDATE locations SET missing_since_ms = 1 WHERE path = 'b.jpg'").run();
    const link = await greet();
    link.send({ type: 'presence', volumes: [connected(VOLUME)], lease_ms: PRESENCE_LEASE_MS });
    await settle(link);
    const line = JSON.parse(new TextDecoder().decode(await (await askAsAgent('/api/list')).arrayBuffer())) as { locations: { state: string }[] };
    expect(line.locations.map((l) => l.state)).toEqual(['present', 'missing', 'away']);
    expect(await (await askAsAgent('/api/volumes')).json()).toMatchObject([{ volume_id: VOLUME, state: 'present', mount_point: '/Volumes/Blue' }, { volume_id: 'uuid:2', state: 'away', mount_point: null }]);
  });
});

describe('places to name', () => {
  it('the agent is told, its answer is not waited for, and nobody minds when it is away', async () => {
    await wakePlaces(env);
    const link = await greet();
    await wakePlaces(env);
    const frame = await link.frames.next();
    expect(frame).toMatchObject({ type: 'request', name: 'name_places', args: {} });
    // An answer that nobody reads disturbs nothing.
    if (frame.type === 'request') link.send({ type: 'reply', id: frame.id, result: {} });
    await settle(link);
  });
});

describe('the socket', () => {
  it('is refused without the token and without an upgrade', async () => {
    expect((await ask('/link', { headers: { Upgrade: 'websocket' } })).status).toBe(401);
    expect((await askAsAgent('/link')).status).toBe(400);
    expect((await ask('/link', { headers: { Upgrade: 'websocket', Authorization: `Bearer ${TOKEN}`, Origin: 'http://evil.example' } })).status).toBe(403);
  });

  it('of the same agent that came last takes over', async () => {
    const old = await greet();
    const fresh = await greet();
    expect(await old.closed).toMatchObject({ code: 4001 });
    await settle(fresh);
    expect((await getPresence(env)).connected).toBe(true);
  });

  it('is closed on frames that are none, by name of the reason', async () => {
    for (const [frame, code] of [['{', 4003], ['{"type":"x"}', 4003], ['{"type":"presence","volumes":[],"lease_ms":1}', 4003], ['x'.repeat(1_000_001), 1009], [JSON.stringify({ type: 'hello', protocol: 99, agent_id: 'a', version: '', host: '' }), 4002]] as const) {
      const link = await connect();
      link.socket.send(frame);
      expect(await link.closed, frame.slice(0, 40)).toMatchObject({ code });
    }
    expect((await getPresence(env)).connected).toBe(false);
  });
});

describe('requests', () => {
  it('come back with the agent’s answer, or its sentence', async () => {
    const link = await greet();
    const asked = postJson('/api/request/browse', { path: '/Users' });
    const frame = await link.frames.next();
    if (frame.type !== 'request') throw new Error(frame.type);
    expect(frame).toMatchObject({ name: 'browse', args: { path: '/Users' } });
    link.send({ type: 'reply', id: 'unknown', result: {} });
    link.send({ type: 'reply', id: frame.id, result: { path: '/Users', parent: '/', folders: [{ name: 'me', path: '/Users/me' }] } });
    expect(await (await asked).json()).toEqual({ path: '/Users', parent: '/', folders: [{ name: 'me', path: '/Users/me' }] });

    const refused = postJson('/api/request/add_root', { path: '/nowhere' });
    const second = await link.frames.next();
    if (second.type === 'request') link.send({ type: 'reply', id: second.id, error: 'There is no folder /nowhere.' });
    const response = await refused;
    expect([response.status, await response.json()]).toEqual([422, { error: 'There is no folder /nowhere.' }]);

    const odd = postJson('/api/request/browse', { path: '/' });
    const third = await link.frames.next();
    if (third.type === 'request') link.send({ type: 'reply', id: third.id, result: { nonsense: true } });
    expect((await odd).status).toBe(422);
  });

  it('end at once when the agent is away or leaves', async () => {
    expect((await postJson('/api/request/drives', {})).status).toBe(503);
    const link = await greet();
    const asked = postJson('/api/request/drives', {});
    await link.frames.next();
    link.socket.close(1000, 'bye');
    expect((await asked).status).toBe(503);
  });

  it('are checked before the agent hears of them', async () => {
    await greet();
    expect((await postJson('/api/request/browse', { path: 7 })).status).toBe(400);
    expect((await postJson('/api/request/browse', 'no json')).status).toBe(400);
    for (const name of ['nonsense', 'constructor', '__proto__', 'toString']) expect((await postJson(`/api/request/${name}`, {})).status).toBe(404);
  });
});

describe('live', () => {
  it('tells pages of what ingest changed, and of nothing when it changed nothing', async () => {
    const live = await listen();
    const send = createSender();
    await send({ assets: [asset(1)], locations: [location(1, 'a.jpg')], problems: [problem('p')] });
    await live.until('library', 'problems');
    await send({ assets: [asset(1)], locations: [location(1, 'a.jpg')], problems: [problem('p')] });
    const link = await greet();
    link.send({ type: 'status', status: idle });
    expect(await live.until('status')).not.toContain('event: library');
  });

  it('tells a page that comes back everything once', async () => {
    const live = await listen({ 'Last-Event-ID': '5' });
    expect(await live.until('presence', 'status', 'library', 'problems')).toContain('retry: ');
  });

  it('forgets pages that left, and bounds those that stay', async () => {
    const streams = await Promise.all(Array.from({ length: MAX_LISTENERS }, () => listen()));
    for (const s of streams) await s.first();
    const more = await ask('/live');
    expect(more.status).toBe(503);
    await more.body?.cancel();
    await streams[0]?.reader.cancel();
    // What left is noticed when its stream closes; ask until it is.
    await expect.poll(async () => { await openLink(env).notify('library'); return openLink(env).countListeners(); }, { timeout: 20_000 }).toBeLessThan(MAX_LISTENERS);
  });
});
