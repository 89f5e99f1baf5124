// Originals through the Worker on workerd: parts in, one stream out, never more held than was agreed; who may ask; and that a download
// which does not come whole breaks. The agent's end of the link and its pushes are played.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_HELD_PARTS, TRANSFER_PART_BYTES } from '../../protocol/limits.ts';
import type { WorkerFrame } from '../../protocol/link.ts';
import type { TransferPlan } from '../../protocol/transfer.ts';
import { openTransfers } from '../../worker/link/client.ts';
import { MAX_TRANSFERS } from '../../worker/link/transfers.ts';
import { ask, askAsAgent, asset, createSender, hashOf, location, migrate, volume, VOLUME } from './support.ts';

const close: (() => void)[] = [];
beforeEach(async () => { await reset(); await migrate(); });
afterEach(() => { for (const each of close.splice(0)) each(); });

interface Asked { transfer_id: string; sha256s: string[]; as: 'file' | 'zip' }
/** An agent that answers each `send_originals` so. */
async function playAgent(answer: (asked: Asked) => Partial<TransferPlan> | string): Promise<Asked[]> {
  const response = await askAsAgent('/link', { headers: { Upgrade: 'websocket' } });
  const socket = response.webSocket;
  if (!socket) throw new Error('no socket');
  const asked: Asked[] = [];
  const welcome = new Promise<void>((resolve) => {
    socket.addEventListener('message', (event) => {
      const frame = JSON.parse(event.data as string) as WorkerFrame;
      if (frame.type === 'welcome') { resolve(); return; }
      asked.push(frame.args as Asked);
      const said = answer(frame.args as Asked);
      socket.send(JSON.stringify(typeof said === 'string' ? { type: 'reply', id: frame.id, error: said }
        : { type: 'reply', id: frame.id, result: { name: 'IMG_1.jpg', size_bytes: 10, assets: 1, files: 1, left_out: { away: [], gone: 0 }, ...said } }));
    });
  });
  socket.accept();
  close.push(() => { try { socket.close(1000); } catch { /* closed */ } });
  socket.send(JSON.stringify({ type: 'hello', protocol: 1, agent_id: 'a1', version: '0', host: 'h' }));
  await welcome;
  return asked;
}
const PAGE = { 'Sec-Fetch-Site': 'same-origin' };
const zipOf = (numbers: number[], headers: Record<string, string> = PAGE) => ask('/originals.zip', { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify({ sha256s: numbers.map(hashOf) }) });
const push = (id: string, n: number, bytes: Uint8Array<ArrayBuffer>) => askAsAgent(`/sync/transfers/${id}/${n}`, { method: 'PUT', body: bytes, headers: { 'Content-Length': String(bytes.length) } });
const end = (id: string, outcome: string, reason: string | null = null) => askAsAgent(`/sync/transfers/${id}/end`, { method: 'POST', body: JSON.stringify({ outcome, reason }) });
const bytesOf = (size: number, seed = 1) => new Uint8Array(size).map((_, i) => (i * 7 + seed) & 255);
async function begun(plan: Partial<TransferPlan>): Promise<{ id: string; get(): Promise<Response> }> {
  await playAgent(() => ({ name: 'jharokha-originals.zip', ...plan }));
  const { address } = await (await zipOf([1])).json<{ address: string }>();
  return { id: address.slice('/originals/'.length, -'.zip'.length), get: () => ask(address, { headers: PAGE }) };
}
async function putAsset(n: number): Promise<void> {
  await createSender()({ volumes: [volume()], assets: [asset(n, { mime: 'image/heic' })], locations: [location(n, 'DCIM/x.heic')] });
}

describe('one original', () => {
  it('comes under its own name, with its type, and never from a cache', async () => {
    await putAsset(1);
    const bytes = bytesOf(10);
    const asked = await playAgent(({ transfer_id }) => {
      void push(transfer_id, 0, bytes).then(() => end(transfer_id, 'sent'));
      return { name: 'DCIM/\u202EÜber "1".heic' };
    });
    const response = await ask(`/originals/${hashOf(1)}`, { headers: PAGE });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/heic', 'content-disposition': "attachment; filename=\"_ber 1.heic\"; filename*=UTF-8''%C3%9Cber%201.heic",
      'cache-control': 'private, no-store, no-transform', 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin',
    });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(asked).toEqual([{ transfer_id: expect.any(String) as string, sha256s: [hashOf(1)], as: 'file' }]);
  });

  it('of a drive that is away says which to plug in, by the name its owner gave', async () => {
    await putAsset(1);
    await env.DB.prepare("UPDATE volumes SET owner_label = 'Red <b>', note = 'in the drawer'").run();
    await playAgent(() => ({ files: 0, assets: 0, size_bytes: 0, left_out: { away: [{ volume_id: VOLUME, label: 'x', assets: 1 }], gone: 0 } }));
    const response = await ask(`/originals/${hashOf(1)}`, { headers: PAGE });
    expect([response.status, await response.text()]).toEqual([422, expect.stringContaining('Plug in ‘Red &lt;b&gt;’ (in the drawer) to download the original.')]);
    expect((await ask(`/originals/${hashOf(2)}`, { headers: PAGE })).status).toBe(404);
  });

  it('cannot be had while the agent is away', async () => {
    await putAsset(1);
    expect((await ask(`/originals/${hashOf(1)}`, { headers: PAGE })).status).toBe(503);
  });
});

describe('a zip', () => {
  it('is planned, then fetched once; a form is led to it', async () => {
    const { id, get } = await begun({ size_bytes: 6, left_out: { away: [{ volume_id: 'uuid:2', label: 'Old HDD', assets: 3 }], gone: 1 } });
    const [first, second] = [await get(), await get()];
    expect([first.status, first.headers.get('content-type'), second.status]).toEqual([200, 'application/zip', 409]);
    await push(id, 0, bytesOf(6));
    await end(id, 'sent');
    expect(await first.arrayBuffer()).toHaveProperty('byteLength', 6);
    expect((await get()).status).toBe(409);
    const form = await ask('/originals.zip', { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...PAGE }, body: `sha256=${hashOf(1)}&sha256=${hashOf(2)}`, redirect: 'manual' });
    expect([form.status, form.headers.get('location')]).toEqual([303, expect.stringMatching(/^\/originals\/[0-9a-f-]{36}\.zip$/)]);
    expect(await (await zipOf([1])).json()).toMatchObject({ said: '3 are on ‘Old HDD’, which is away. 1 is not where it was, or changed since.' });
  });

  it('has at most 20,000 in it, and several at a time are too many', async () => {
    await playAgent(() => ({}));
    expect(await (await zipOf(Array.from({ length: 20_001 }, (_, i) => i))).json()).toEqual({ address: null, said: 'At most 20,000 photos and videos come in one zip. Select fewer.' });
    for (let i = 0; i < MAX_TRANSFERS; i += 1) expect(await (await zipOf([1])).json()).toMatchObject({ address: expect.any(String) as string });
    expect(await (await zipOf([1])).json()).toMatchObject({ address: null, said: expect.stringContaining('Several downloads') as string });
  });

  it('says why there is none: the agent’s own sentence, or the drive', async () => {
    await playAgent(() => '3 downloads of originals are under way.');
    expect(await (await zipOf([1])).json()).toEqual({ address: null, said: '3 downloads of originals are under way.' });
    expect((await zipOf([])).status).toBe(400);
  });
});

describe('the parts', () => {
  it('are held two at most while nobody reads, and each is taken once, in its turn', async () => {
    const size = 5 * TRANSFER_PART_BYTES;
    const { id, get } = await begun({ size_bytes: size });
    const transfers = openTransfers(env);
    const { runInDurableObject } = await import('cloudflare:test');
    await runInDurableObject(transfers, (object) => { object.patience.wait_ms = 50; });
    const part = bytesOf(TRANSFER_PART_BYTES);
    expect(await (await push(id, 0, part)).json()).toEqual({ room: true });
    expect(await (await push(id, 1, part)).json()).toEqual({ room: false });
    expect(await (await push(id, 0, part)).json()).toEqual({ room: false });
    expect(MAX_HELD_PARTS).toBe(2);
    expect([(await push(id, 2, part)).status, (await push(id, 4, part)).status]).toEqual([409, 409]);
    expect(await (await askAsAgent(`/sync/transfers/${id}/wait`, { method: 'POST' })).json()).toEqual({ room: false });
    expect((await askAsAgent(`/sync/transfers/${id}/2`, { method: 'PUT', body: bytesOf(TRANSFER_PART_BYTES + 1), headers: { 'Content-Length': String(TRANSFER_PART_BYTES + 1) } })).status).toBe(413);

    // A reader who stops after the first bytes makes no more room than he has taken.
    const reader = (await get()).body?.getReader();
    if (!reader) throw new Error('no body');
    let read = (await reader.read()).value?.length ?? 0;
    let taken = 2;
    while ((await push(id, taken, part)).ok) taken += 1;
    expect(taken).toBeLessThan(5);
    await runInDurableObject(transfers, (object) => { object.patience.wait_ms = 20_000; });
    const pushing = (async () => { for (let n = taken; n < 5; n += 1) { while (!(await (await askAsAgent(`/sync/transfers/${id}/wait`, { method: 'POST' })).json<{ room: boolean }>()).room); await push(id, n, part); } await end(id, 'sent'); })();
    for (let next = await reader.read(); !next.done; next = await reader.read()) read += next.value.length;
    await pushing;
    expect(read).toBe(size);
  });

  it('that end early, or with a word that all is not well, break the stream', async () => {
    for (const [outcome, reason] of [['changed', 'other bytes'], ['sent', null]] as const) {
      const { id, get } = await begun({ size_bytes: 100 });
      const response = await get();
      await push(id, 0, bytesOf(40));
      const read = response.arrayBuffer().then((bytes) => `whole with ${bytes.byteLength}`, () => 'broken');
      await end(id, outcome, reason);
      expect(await read, outcome).toBe('broken');
      expect((await push(id, 1, bytesOf(60))).status).toBe(410);
      const again = await get();
      expect([again.status, (await again.text()).includes(reason ?? 'broke')]).toEqual([410, true]);
    }
  });

  it('are wanted no more once the browser has gone, and a transfer that nobody fetches ends by itself', async () => {
    const { id, get } = await begun({ size_bytes: 3 * TRANSFER_PART_BYTES });
    const response = await get();
    await push(id, 0, bytesOf(TRANSFER_PART_BYTES));
    await response.body?.cancel();
    await expect.poll(async () => (await askAsAgent(`/sync/transfers/${id}/wait`, { method: 'POST' })).status, { timeout: 20_000 }).toBe(410);

    const { runInDurableObject } = await import('cloudflare:test');
    await runInDurableObject(openTransfers(env), (object) => { object.patience = { ...object.patience, unfetched_ms: 20, look_ms: 10 }; });
    const other = await begun({ size_bytes: 10 });
    await expect.poll(async () => (await askAsAgent(`/sync/transfers/${other.id}/wait`, { method: 'POST' })).status, { timeout: 20_000 }).toBe(410);
    expect((await other.get()).status).toBe(410);
  });

  it('an agent that falls silent breaks it', async () => {
    const { runInDurableObject } = await import('cloudflare:test');
    await runInDurableObject(openTransfers(env), (object) => { object.patience = { ...object.patience, silent_ms: 50, look_ms: 10 }; });
    const { get } = await begun({ size_bytes: 10 });
    expect(await (await get()).arrayBuffer().then(() => 'whole', () => 'broken')).toBe('broken');
  });
});

describe('who may ask', () => {
  it('is a page of ours or who has the token; parts need the token', async () => {
    await putAsset(1);
    await playAgent(() => ({}));
    const id = crypto.randomUUID();
    const status = async (path: string, init: RequestInit = {}) => (await ask(path, init)).status;
    const foreign = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' };
    for (const headers of [{}, foreign, { Authorization: 'Bearer wrong' }] as Record<string, string>[]) {
      expect(await status(`/originals/${hashOf(1)}`, { headers })).toBe(401);
      expect(await status(`/originals/${id}.zip`, { headers })).toBe(401);
    }
    expect(await status('/originals.zip', { method: 'POST', body: '{}' })).toBe(401);
    expect(await status('/originals.zip', { method: 'POST', body: '{}', headers: { Origin: 'https://evil.example' } })).toBe(403);
    for (const [method, path] of [['PUT', `/sync/transfers/${id}/0`], ['POST', `/sync/transfers/${id}/wait`], ['POST', `/sync/transfers/${id}/end`]] as const) {
      expect(await status(path, { method, headers: PAGE, body: 'x' })).toBe(401);
      expect(await status(path, { method, headers: { ...foreign, Origin: 'https://evil.example' }, body: 'x' })).toBe(403);
    }
    expect((await askAsAgent(`/originals/${id}.zip`)).status).toBe(404);
    expect((await push('nonsense', 0, bytesOf(1))).status).toBe(400);
    expect((await push(id, 0, bytesOf(1))).status).toBe(410);
  });
});
