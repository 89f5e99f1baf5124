// Orders on the Worker's side: drafts, what the agent is told, what its reports change, and that telling twice changes nothing.
import { reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OrderBody, OrderReport, Outcome, Receipt } from '../../protocol/orders.ts';
import { ListLine } from '../../protocol/list.ts';
import { cancelOrder, draftOrder, findOrder, giveOrder, listOpenOrders, listReceipts } from '../../worker/store/orders.ts';
import { countSpareTrash, findTrashed, listTrash, listTrashDrives, untrash, withMembers } from '../../worker/store/trash.ts';
import { filesAt, hashesElsewhere } from '../../worker/store/paths.ts';
import { ask, askAsAgent, asset, countRows, createSender, evidence, hashOf, item, location, migrate, postJson, settleFeed, volume, VOLUME } from './support.ts';
import './settle.ts';

const OTHER = 'uuid:2222';
const ALL = { atMs: Number.MAX_SAFE_INTEGER, sha256: '' };
let send: ReturnType<typeof createSender>;

beforeEach(async () => {
  await reset();
  await migrate();
  send = createSender();
  await send({
    volumes: [volume(), volume({ volume_id: OTHER, label: 'Old HDD' })],
    assets: [asset(1, { rating: 3 }), asset(2), asset(3, { kind: 'video', mime: 'video/quicktime' })],
    locations: [location(1, 'a.jpg'), location(1, 'copy/a.jpg', { volume_id: OTHER, inode: '11' }), location(2, 'b.heic'), location(3, 'b.mov')],
    evidence: [evidence('a.jpg'), evidence('b.heic', { albums: [{ key: 'goa', title: 'Goa' }] })],
    stacks: [{ member_sha256: hashOf(3), primary_sha256: hashOf(2), type: 'live', revision: 1, removed: false, basis: 'name' }],
  });
});

async function give(body: OrderBody): Promise<string> {
  const id = await draftOrder(env.DB, body, 'an order', 1_000);
  expect(await giveOrder(env.DB, id, body, 2_000)).toBe(true);
  return id;
}
const trashOf = (ns: number[], volumes = [VOLUME]): OrderBody => ({ kind: 'trash', sha256s: ns.map(hashOf), volumes, copies: null, last_copies: true });

function receipt(n: number, of: number, path: string, outcome: Outcome, more: Partial<Receipt> = {}): Receipt {
  return { n, unit: n, role: 'asset', volume_id: VOLUME, path, sha256: hashOf(of), size_bytes: 1000 + of, outcome, reason: null, to: outcome === 'trashed' ? `.jharokha-trash/x/${n}/${path}` : null, from: null, at_ms: 3_000 + n, ...more };
}
async function report(id: string, receipts: Receipt[], more: Partial<OrderReport> = {}): Promise<number> {
  const body: OrderReport = { revision: 10, state: 'done', progress: { files_done: receipts.length, files: receipts.length, bytes_done: 1, bytes: 1 }, waiting_for: null, reason: null, ended_at_ms: 5_000, receipts, ...more };
  const { status } = await postJson(`/sync/orders/${id}`, body);
  await settleFeed();
  return status;
}
async function list(all: boolean): Promise<ListLine[]> {
  const text = await (await askAsAgent(`/api/list?all=${all ? 1 : 0}`)).text();
  return text.split('\n').filter(Boolean).map((line) => ListLine.parse(JSON.parse(line)));
}

describe('an order', () => {
  it('is nobody’s business while it is a draft, is given once, and is fetched whole', async () => {
    const body = trashOf([1]);
    const id = await draftOrder(env.DB, body, 'an order', 1_000);
    expect(await listOpenOrders(env.DB)).toEqual({ orders: [] });
    expect(await giveOrder(env.DB, id, body, 2_000)).toBe(true);
    expect(await giveOrder(env.DB, id, body, 2_000)).toBe(false);
    expect(await (await askAsAgent('/sync/orders')).json()).toEqual({ orders: [{ order_id: id, cancelled: false }] });
    expect(await (await askAsAgent(`/sync/orders/${id}`)).json()).toEqual({ order_id: id, given_at_ms: 2_000, cancelled: false, body });
    expect((await askAsAgent('/sync/orders/00000000-0000-0000-0000-000000000000')).status).toBe(404);
    expect((await askAsAgent('/sync/orders/nonsense')).status).toBe(400);
    expect((await ask(`/sync/orders/${id}`)).status).toBe(401);
  });

  it('that is a draft is swept a day later, and forgotten when it is left', async () => {
    const old = await draftOrder(env.DB, trashOf([1]), 'old', 1_000);
    const left = await draftOrder(env.DB, trashOf([1]), 'left', 1_000 + 86_400_001);
    expect(await findOrder(env.DB, old)).toBeUndefined();
    expect(await cancelOrder(env.DB, left)).toBe(true);
    expect(await countRows('orders')).toBe(0);
  });

  it('that is given up says so to the agent and stays open until it has ended there', async () => {
    const id = await give(trashOf([1]));
    await cancelOrder(env.DB, id);
    expect((await listOpenOrders(env.DB)).orders).toEqual([{ order_id: id, cancelled: true }]);
    await report(id, [], { state: 'cancelled' });
    expect((await listOpenOrders(env.DB)).orders).toEqual([]);
    expect(await cancelOrder(env.DB, id)).toBe(false);
  });

  it('is told of by revision: an older word never lies over a newer one', async () => {
    const id = await give(trashOf([1]));
    await report(id, [], { revision: 20, state: 'waiting', waiting_for: VOLUME, ended_at_ms: null, reason: 'Plug in ‘Blue SSD’ to go on.' });
    await report(id, [], { revision: 19, state: 'running', ended_at_ms: null });
    expect(await findOrder(env.DB, id)).toMatchObject({ state: 'waiting', waiting_for: VOLUME });
  });

  it('takes no report that is none, and none of an order that it does not know', async () => {
    const id = await give(trashOf([1]));
    expect((await postJson(`/sync/orders/${id}`, { state: 'done' })).status).toBe(400);
    expect(await report('00000000-0000-4000-8000-000000000000', [])).toBe(404);
  });

  it('is given by nobody but our own pages and the token', async () => {
    const form = { method: 'POST', body: `kind=trash&sha256=${hashOf(1)}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } };
    expect((await ask('/orders/plan', form)).status).toBe(401);
    expect((await ask('/orders/plan', { ...form, headers: { ...form.headers, Origin: 'https://example.com', 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(403);
    expect((await ask('/trash', { ...form, body: 'do=empty-all' })).status).toBe(401);
    expect((await ask('/orders/plan', { ...form, headers: { ...form.headers, 'Sec-Fetch-Site': 'same-origin' }, redirect: 'manual' })).status).toBe(303);
  });

  it('is refused where it cannot be read', async () => {
    for (const body of [{ kind: 'burn' }, { kind: 'trash', sha256s: [] }, { kind: 'trash', sha256s: ['x'] }, { kind: 'verify' }, [], 'x']) expect((await postJson('/orders/plan', body)).status).toBe(400);
    expect((await postJson('/orders', { kind: 'empty', sha256s: null })).status).toBe(400);
  });
});

describe('the trash', () => {
  it('holds an asset once its copies on the drives of the order are there; copies that are away do not bring it back', async () => {
    const before = await list(false);
    const id = await give(trashOf([1]));
    await report(id, [receipt(0, 1, 'a.jpg', 'trashed')]);
    expect(await item(1)).toBeNull();
    expect((await list(false)).map((l) => l.sha256)).toEqual(before.map((l) => l.sha256).filter((sha256) => sha256 !== hashOf(1)));
    const line = (await list(true)).find((l) => l.sha256 === hashOf(1));
    expect(line).toMatchObject({ trashed: true, rating: 3, taken_at: '2024-05-06T07:08:09', locations: [{ volume_id: OTHER, path: 'copy/a.jpg' }] });
    expect((await list(true)).map((l) => l.sha256)).toEqual(before.map((l) => l.sha256));
    // A scan of the other drive, with a newer revision, finds it again.
    await send({ locations: [location(1, 'copy/a.jpg', { volume_id: OTHER, inode: '11', revision: 7 }), location(1, 'new/a.jpg', { revision: 8, inode: '77' })] });
    expect(await item(1)).toBeNull();
    expect(await listTrash(env.DB, ALL, 10)).toMatchObject([{ sha256: hashOf(1), files: 1, copies: 2 }]);
    expect(await listTrashDrives(env.DB)).toEqual([{ volume_id: VOLUME, files: 1, bytes: 1001 }]);
  });

  it('does not hold an asset of which a copy on a drive of the order could not go', async () => {
    const id = await give(trashOf([1], [VOLUME, OTHER]));
    await report(id, [receipt(0, 1, 'a.jpg', 'trashed'), receipt(1, 1, 'copy/a.jpg', 'changed', { volume_id: OTHER })]);
    expect(await item(1)).not.toBeNull();
    expect(await findTrashed(env.DB, hashOf(1))).toBeUndefined();
    expect(await countRows('trash_files')).toBe(1);
    expect((await list(false)).find((l) => l.sha256 === hashOf(1))?.locations.map((l) => l.path)).toEqual(['copy/a.jpg']);
  });

  it('holds no asset for a duplicate that went: the asset stays', async () => {
    const id = await give({ kind: 'trash', sha256s: [hashOf(1)], volumes: [VOLUME, OTHER], copies: [{ volume_id: VOLUME, path: 'a.jpg' }], last_copies: false });
    await report(id, [receipt(0, 1, 'a.jpg', 'trashed')]);
    expect(await item(1)).not.toBeNull();
    expect(await countRows('trash_files')).toBe(1);
  });

  it('gives back what is restored with its albums and its stack, and a late repeat of the trash order takes nothing away again', async () => {
    const id = await give(trashOf([2, 3]));
    const trashed = [receipt(0, 2, 'b.heic', 'trashed', { unit: 0 }), receipt(1, 3, 'b.mov', 'trashed', { unit: 0 })];
    await report(id, trashed);
    expect([await item(2), await item(3)]).toEqual([null, null]);
    // One tile: the video is shown as one with its still.
    expect(await listTrash(env.DB, ALL, 10)).toMatchObject([{ sha256: hashOf(2) }]);
    const back = await give({ kind: 'restore', sha256s: [hashOf(2)], files: null, of_order: null, volumes: [VOLUME] });
    // The agent pushes the rows first, then the receipts.
    await send({ locations: [location(2, 'b.heic', { revision: 20 }), location(3, 'b.mov', { revision: 20 })], evidence: [evidence('b.heic', { revision: 20, albums: [{ key: 'goa', title: 'Goa' }] })] });
    expect(await item(2)).toBeNull();
    const restored = [receipt(0, 2, 'b.heic', 'restored', { unit: 0, from: { order_id: id, n: 0 } }), receipt(1, 3, 'b.mov', 'restored', { unit: 0, from: { order_id: id, n: 1 } })];
    await report(back, restored);
    const lines = await list(false);
    expect(lines.find((l) => l.sha256 === hashOf(2))).toMatchObject({ albums: ['Goa'], live_video: hashOf(3), stack: { role: 'primary' } });
    expect(await countRows('trash_files')).toBe(0);
    await report(id, trashed);
    await report(back, restored);
    expect(await list(false)).toEqual(lines);
    expect(await countRows('trash_files')).toBe(0);
  });

  it('keeps a deleted hash out: a copy that comes later is shown in the trash, and comes back by a word', async () => {
    const id = await give(trashOf([2, 3]));
    await report(id, [receipt(0, 2, 'b.heic', 'trashed'), receipt(1, 3, 'b.mov', 'trashed')]);
    const empty = await give({ kind: 'empty', sha256s: null, files: null, of_order: null, volumes: [VOLUME], last_copies: true });
    await report(empty, [receipt(0, 2, 'b.heic', 'emptied', { from: { order_id: id, n: 0 } }), receipt(1, 3, 'b.mov', 'emptied', { from: { order_id: id, n: 1 } })]);
    expect(await listTrash(env.DB, ALL, 10)).toEqual([]);
    await send({ locations: [location(2, 'again.heic', { revision: 30, volume_id: OTHER, inode: '22' })] });
    expect(await item(2)).toBeNull();
    expect(await listTrash(env.DB, ALL, 10)).toMatchObject([{ sha256: hashOf(2), files: 0, copies: 1 }]);
    expect(await untrash(env.DB, [hashOf(1), hashOf(2)], 9_000)).toEqual([hashOf(2)]);
    expect(await item(2)).not.toBeNull();
  });

  it('holds what could not be put back, and drops what is not there any more', async () => {
    const id = await give(trashOf([1]));
    await report(id, [receipt(0, 1, 'a.jpg', 'name_taken', { to: '.jharokha-trash/x/0/a.jpg', reason: 'Another file has its name now.' })]);
    expect(await countRows('trash_files')).toBe(1);
    expect(await item(1)).not.toBeNull();
    const back = await give({ kind: 'restore', sha256s: null, files: null, of_order: null, volumes: [VOLUME] });
    await report(back, [receipt(0, 1, 'a.jpg', 'gone', { from: { order_id: id, n: 0 } })]);
    expect(await countRows('trash_files')).toBe(0);
  });

  it('takes with a tile all that is shown as one with it', async () => {
    expect((await withMembers(env.DB, [hashOf(2)])).sort()).toEqual([hashOf(2), hashOf(3)]);
    expect(await withMembers(env.DB, [hashOf(3)])).toEqual([hashOf(3)]);
  });

  it('pages without gap or repeat', async () => {
    const ns = Array.from({ length: 45 }, (_, i) => i + 100);
    await send({ assets: ns.map((n) => asset(n)), locations: ns.map((n) => location(n, `many/${n}.jpg`)) });
    const id = await give(trashOf(ns));
    await report(id, ns.map((n, i) => receipt(i, n, `many/${n}.jpg`, 'trashed', { at_ms: 3_000 })));
    const seen: string[] = [];
    for (let before = ALL; ;) {
      const page = await listTrash(env.DB, before, 10);
      seen.push(...page.map((t) => t.sha256));
      const last = page.at(-1);
      if (!last || page.length < 10) break;
      before = { atMs: last.at_ms, sha256: last.sha256 };
    }
    expect(seen).toHaveLength(45);
    expect(new Set(seen).size).toBe(45);
    const page = await (await ask('/trash')).text();
    expect(page.match(/class="trash-tile"/g)).toHaveLength(45);
  });
});

describe('what was mended', () => {
  it('is sound again; the damaged bytes lie in the trash, and the asset is not trashed', async () => {
    const look = await give({ kind: 'verify', volume_id: VOLUME, share: 100, slowly: false });
    await report(look, [receipt(0, 1, 'a.jpg', 'damaged')]);
    const id = await give({ kind: 'mend', files: [{ volume_id: VOLUME, path: 'a.jpg' }], volumes: [VOLUME, OTHER] });
    await report(id, [receipt(0, 1, 'a.jpg', 'trashed', { sha256: hashOf(99), to: `.jharokha-trash/${id}/0/a.jpg` }), receipt(1, 1, 'a.jpg', 'copied', { unit: 0, to: 'a.jpg', at_ms: 9_000 })]);
    expect(await item(1)).not.toBeNull();
    expect(await countSpareTrash(env.DB)).toBe(1);
    expect(await env.DB.prepare("SELECT sha256, verified_at_ms, damaged_at_ms FROM locations WHERE path = 'a.jpg'").first()).toEqual({ sha256: hashOf(1), verified_at_ms: 9_000, damaged_at_ms: null });
    expect(await (await ask('/trash')).text()).toContain('The photo of one file stays');
  });
});

describe('receipts', () => {
  it('are listed in their order, kept as they first came, and downloaded as a table and as JSON', async () => {
    const id = await give(trashOf([1]));
    await report(id, [receipt(0, 1, '=cmd()"a",\nb.jpg', 'trashed'), receipt(1, 2, 'b.heic', 'refused', { reason: 'The drive can only be read.' })]);
    await report(id, [receipt(0, 1, 'another', 'failed')]);
    expect((await listReceipts(env.DB, id, -1)).map((r) => [r.path, r.outcome])).toEqual([['=cmd()"a",\nb.jpg', 'trashed'], ['b.heic', 'refused']]);
    const csv = await (await ask(`/orders/${id}/receipts.csv`)).text();
    expect(csv).toContain('"\'=cmd()""a"",\nb.jpg"');
    const json = await (await ask(`/orders/${id}/receipts.json`)).json() as { receipts: { path: string }[] };
    expect(json.receipts.map((r) => r.path)).toEqual(['=cmd()"a",\nb.jpg', 'b.heic']);
    const page = await (await ask(`/orders/${id}`)).text();
    expect(page).toContain('The drive can only be read.');
    expect(page).not.toContain('=cmd()"a"');
  });

  it('of a verification mark the file: read and right, or damaged', async () => {
    const id = await give({ kind: 'verify', volume_id: VOLUME, share: 100, slowly: false });
    await report(id, [receipt(0, 1, 'a.jpg', 'verified', { at_ms: 7_000 }), receipt(1, 2, 'b.heic', 'damaged', { at_ms: 7_001 })]);
    const { results } = await env.DB.prepare('SELECT path, verified_at_ms, damaged_at_ms FROM locations WHERE volume_id = ? AND path IN (?, ?) ORDER BY path').bind(VOLUME, 'a.jpg', 'b.heic').all();
    expect(results).toEqual([{ path: 'a.jpg', verified_at_ms: 7_000, damaged_at_ms: null }, { path: 'b.heic', verified_at_ms: null, damaged_at_ms: 7_001 }]);
    const again = await give({ kind: 'verify', volume_id: VOLUME, share: 100, slowly: false });
    await report(again, [receipt(0, 2, 'b.heic', 'verified', { at_ms: 8_000 })]);
    expect(await env.DB.prepare("SELECT verified_at_ms, damaged_at_ms FROM locations WHERE path = 'b.heic'").first()).toEqual({ verified_at_ms: 8_000, damaged_at_ms: null });
  });
});

describe('paths', () => {
  const hashes = async (volumeId: string, path: string, trashed = false) => (await filesAt(env.DB, volumeId, path, trashed)).map((f) => f.sha256);

  it('lead to the file, to all below a folder, and to what lay there', async () => {
    expect(await filesAt(env.DB, VOLUME, 'a.jpg', false)).toEqual([{ volume_id: VOLUME, path: 'a.jpg', sha256: hashOf(1) }]);
    expect((await hashes(VOLUME, '')).sort()).toEqual([hashOf(1), hashOf(2), hashOf(3)]);
    expect(await hashes(OTHER, 'copy')).toEqual([hashOf(1)]);
    expect(await hashes(VOLUME, 'a')).toEqual([]);
    const id = await give(trashOf([1]));
    await report(id, [receipt(0, 1, 'a.jpg', 'trashed')]);
    expect(await hashes(VOLUME, 'a.jpg')).toEqual([]);
    expect(await hashes(VOLUME, 'a.jpg', true)).toEqual([hashOf(1)]);
  });

  it('tell which of them lie in other files too', async () => {
    const files = await filesAt(env.DB, VOLUME, '', false);
    expect([...await hashesElsewhere(env.DB, files)]).toEqual([hashOf(1)]);
    expect([...await hashesElsewhere(env.DB, [...files, ...await filesAt(env.DB, OTHER, '', false)])]).toEqual([]);
  });
});
