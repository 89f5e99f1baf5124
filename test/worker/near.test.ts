// Look-alikes: rows as the agent sends them, in whatever pieces; which is best kept; the page with nothing, one and many; what is
// kept stays away until another comes.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NearRow } from '../../protocol/rows.ts';
import { readOrder } from '../../worker/store/orders.ts';
import { chooseBestOf, keepNear, listNear, MAX_NEAR_SHOWN, MOST_NEAR, type LookAlike, type NearCursor } from '../../worker/store/near.ts';
import { markUnresolved, resolveMarked } from '../../worker/store/timeline-items.ts';
import { ask, asset, batch, createSender, evidence, exif, hashOf, location, migrate, postJson, volume } from './support.ts';

let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

const row = (n: number, group: number, more: Partial<NearRow> = {}): NearRow => ({ member_sha256: hashOf(n), group_sha256: hashOf(group), spare_bytes: 1_000 * group, revision: 1, removed: false, ...more });
const library = (...numbers: number[]) => send({ volumes: [volume()], assets: numbers.map((n) => asset(n)), locations: numbers.map((n) => location(n, `album/${n}.jpg`)) });
/** Numbers of the members of each group that is listed. */
const listed = async () => (await listNear(env.DB, MOST_NEAR, 50)).groups.map(({ members }) => members.map((m) => Number.parseInt(m.sha256, 16)).toSorted((a, b) => a - b));
const get = async (path: string) => { const answer = await ask(path); return { status: answer.status, text: await answer.text() }; };
const form = (path: string, fields: [string, string][]) => ask(path, { method: 'POST', redirect: 'manual', headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'http://127.0.0.1:8420' }, body: new URLSearchParams(fields).toString() });

describe('rows of look-alikes', () => {
  it('come in pieces and repeats, and an older one changes nothing', async () => {
    await library(1, 2, 3, 4, 5);
    await send({ near: [row(1, 1), row(2, 1)] });
    await send({ near: [row(3, 3)] });
    // Half of a group is none yet.
    expect(await listed()).toEqual([[1, 2]]);
    await send({ near: [row(4, 3), row(1, 1), { ...row(2, 2), revision: 0 }] });
    expect(await listed()).toEqual([[3, 4], [1, 2]]);
    await send({ near: [row(5, 1, { revision: 2 }), row(4, 3, { revision: 2, removed: true }), row(3, 3, { revision: 2, removed: true })] });
    expect(await listed()).toEqual([[1, 2, 5]]);
    const answer = await send({ near: [{ ...row(1, 1), group_sha256: 'nonsense' }, { ...row(2, 1), spare_bytes: -1 }] as never });
    expect(answer.rejected.map((r) => r.row)).toEqual([`near 0 (${hashOf(1)})`, `near 1 (${hashOf(2)})`]);
  });

  it('may be left out by agents that know of none', async () => {
    const { near: _near, ...old } = batch(1, { volumes: [volume()] });
    expect((await postJson('/sync/batches', old)).status).toBe(200);
  });

  it('name what is not here, is trashed, or stands under another: that is not shown', async () => {
    await library(1, 2, 3, 4);
    await send({ near: [row(1, 1), row(2, 1), row(9, 1)], stacks: [{ member_sha256: hashOf(4), primary_sha256: hashOf(3), type: 'burst', basis: 'x', revision: 1, removed: false }] });
    await send({ near: [row(3, 3), row(4, 3)] });
    expect(await listed()).toEqual([[1, 2]]);
    await env.DB.batch([env.DB.prepare("INSERT INTO trashed (sha256, order_id, at_ms, sort_ms, item) VALUES (?, 'o', 1, 1, '{}')").bind(hashOf(2)), markUnresolved(env.DB, [hashOf(2)])]);
    await resolveMarked(env.DB, 1);
    expect(await listed()).toEqual([]);
  });

  it('are paged by what they take, without gap or repeat', async () => {
    const numbers = Array.from({ length: 30 }, (_, i) => i + 1);
    await library(...numbers);
    // Groups of two; pairs of groups take the same.
    await send({ near: numbers.map((n) => { const group = n - ((n - 1) % 2); return row(n, group, { spare_bytes: 100 * Math.floor(group / 4) }); }) });
    const seen: string[] = [];
    for (let after: NearCursor | null = MOST_NEAR; after;) {
      const page: Awaited<ReturnType<typeof listNear>> = await listNear(env.DB, after, 4);
      seen.push(...page.groups.map((g) => g.members[0]?.sha256 ?? ''));
      after = page.next;
    }
    expect(seen).toHaveLength(15);
    expect(new Set(seen).size).toBe(15);
    const big = Array.from({ length: 60 }, (_, i) => 100 + i);
    await library(...big);
    await send({ near: big.map((n) => row(n, 100, { spare_bytes: 1e9 })) });
    const [first] = (await listNear(env.DB, MOST_NEAR, 1)).groups;
    expect([first?.members.length, first?.more, first?.members[0]?.sha256]).toEqual([MAX_NEAR_SHOWN, true, hashOf(100)]);
  });
});

describe('the owner\'s word that a group is fine', () => {
  it('holds while nobody else comes to it', async () => {
    await library(1, 2, 3, 4);
    await send({ near: [row(1, 1), row(2, 1), row(3, 3), row(4, 3)] });
    await keepNear(env.DB, [hashOf(1), hashOf(2)], false, 5);
    expect(await listed()).toEqual([[3, 4]]);
    // Sent again, under another leader, with more bytes: still the same two.
    await send({ near: [row(1, 2, { revision: 2 }), row(2, 2, { revision: 2 })] });
    expect(await listed()).toEqual([[3, 4]]);
    await library(5);
    await send({ near: [row(5, 2)] });
    expect((await listed()).toSorted()).toEqual([[1, 2, 5], [3, 4]]);
    await keepNear(env.DB, [hashOf(1), hashOf(2), hashOf(5)], false, 6);
    expect(await listed()).toEqual([[3, 4]]);
    // Two groups that were fine each, and are one now, are another group.
    await keepNear(env.DB, [hashOf(3), hashOf(4)], false, 7);
    await send({ near: [1, 2, 3, 4, 5].map((n) => row(n, 1, { revision: 9 })) });
    expect(await listed()).toEqual([[1, 2, 3, 4, 5]]);
  });

  it('is for all of a group that is too large to be shown, and is taken back for all', async () => {
    const big = Array.from({ length: MAX_NEAR_SHOWN + 20 }, (_, i) => 100 + i);
    await library(...big, 1, 2);
    await send({ near: [...big.map((n) => row(n, 100)), row(1, 1), row(2, 1)] });
    const page = (await get('/duplicates/near')).text;
    expect(page).toMatch(/‘Keep all’ keeps them too/);
    const section = page.split('class="dup dup-near"').find((part) => part.includes('more than can be shown')) ?? '';
    const fields = [...section.slice(section.indexOf('/near/keep')).matchAll(/type="hidden" name="(\w+)" value="(\w+)"/g)].map(([, name = '', value = '']): [string, string] => [name, value]);
    expect(fields).toHaveLength(MAX_NEAR_SHOWN + 1);
    expect((await form('/duplicates/near/keep', fields)).status).toBe(303);
    expect(await listed()).toEqual([[1, 2]]);
    await send({ near: [row(300, 100, { revision: 2 })], assets: [asset(300)], locations: [location(300, 'new.jpg')] });
    expect(await listed()).toHaveLength(2);
    await send({ near: [row(300, 100, { revision: 3, removed: true })] });
    expect(await listed()).toHaveLength(1);
    await form('/duplicates/near/unkeep', [['sha256', hashOf(100)]]);
    expect(await listed()).toHaveLength(2);
    expect(await env.DB.prepare('SELECT count(*) AS n FROM near_kept').first('n')).toBe(0);
  });

  it.each(['before', 'after'])('goes on to what one of them was edited into, whose group comes %s', async (when) => {
    await library(1, 2);
    await send({ near: [row(1, 1), row(2, 1)] });
    await keepNear(env.DB, [hashOf(1), hashOf(2)], false, 5);
    const group = { near: [row(1, 1, { revision: 6, removed: true }), row(3, 3, { revision: 6 }), row(2, 3, { revision: 6 })] };
    const edited = { assets: [asset(3, { revision: 7 })], locations: [location(3, 'album/1.jpg', { revision: 7 })], successors: [{ old_sha256: hashOf(1), new_sha256: hashOf(3), revision: 7 }] };
    for (const rows of when === 'before' ? [group, edited] : [edited, group]) await send(rows);
    expect(await listed()).toEqual([]);
    expect(await env.DB.prepare('SELECT count(DISTINCT kept) AS n, count(*) AS m FROM near_kept').first()).toEqual({ n: 1, m: 3 });
  });

  it('is given by a form of our own pages alone', async () => {
    await library(1, 2);
    await send({ near: [row(1, 1), row(2, 1)] });
    const fields: [string, string][] = [['sha256', hashOf(1)], ['sha256', hashOf(2)]];
    expect((await ask('/duplicates/near/keep', { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString() })).status).toBe(401);
    expect((await form('/duplicates/near/keep', [['sha256', hashOf(1)]])).status).toBe(400);
    expect((await form('/duplicates/near/keep', [['sha256', 'x'], ['sha256', 'y']])).status).toBe(400);
    expect(await listed()).toHaveLength(1);
    const kept = await form('/duplicates/near/keep', fields);
    expect([kept.status, kept.headers.get('location')]).toEqual([303, `/duplicates/near?kept=${hashOf(1)}`]);
    expect((await get(`/duplicates/near?kept=${hashOf(1)}`)).text).toMatch(/Undo[^]*No look-alikes found yet/);
    // And it can be taken back.
    expect((await form('/duplicates/near/unkeep', [['sha256', 'x']])).status).toBe(400);
    expect((await form('/duplicates/near/unkeep', [['sha256', hashOf(1)]])).headers.get('location')).toBe('/duplicates/near');
    expect(await listed()).toHaveLength(1);
    expect(await env.DB.prepare('SELECT count(*) AS n FROM near_kept').first('n')).toBe(0);
  });
});

describe('chooseBestOf', () => {
  const one = (sha256: string, more: Partial<LookAlike> = {}): LookAlike => ({ sha256, width: 400, height: 300, size_bytes: 1_000, camera: null, placed: 0, timed: 0, favourite: 0, albums: [], ...more });
  it.each<[string, LookAlike[], ReturnType<typeof chooseBestOf>]>([
    ['the most pixels before all else', [one('a', { camera: 'X', favourite: 1, albums: ['Goa'], size_bytes: 9_999 }), one('b', { width: 800 })], { best: { index: 1, why: 'pixels' }, lesser: [false, false] }],
    ['then what it says of itself', [one('a', { size_bytes: 9_999 }), one('b', { camera: 'X', placed: 1 })], { best: { index: 1, why: 'facts' }, lesser: [true, false] }],
    ['then a favourite', [one('a', { albums: ['Goa'] }), one('b', { favourite: 1 })], { best: { index: 1, why: 'favourite' }, lesser: [false, false] }],
    ['then an album', [one('a', { size_bytes: 2_000 }), one('b', { albums: ['Goa'] })], { best: { index: 1, why: 'album' }, lesser: [false, false] }],
    ['then the largest file', [one('a'), one('b', { size_bytes: 2_000 })], { best: { index: 1, why: 'bytes' }, lesser: [false, false] }],
    ['equal ones by their hashes', [one('b'), one('a'), one('c')], { best: { index: 1, why: 'same' }, lesser: [false, false, false] }],
    ['what tells it from all others, not from one', [one('a', { width: 100 }), one('b', { width: 800 }), one('c', { width: 800, camera: 'X' })], { best: { index: 2, why: 'facts' }, lesser: [true, true, false] }],
    ['of nothing, nothing', [], { best: undefined, lesser: [] }],
  ])('%s', (_, members, answer) => {
    expect(chooseBestOf(members)).toEqual(answer);
    // In whatever order they come.
    const turned = members.toReversed();
    const index = members.length - 1 - (answer.best?.index ?? 0);
    expect(chooseBestOf(turned)).toEqual({ best: answer.best && { ...answer.best, index }, lesser: answer.lesser.toReversed() });
  });
});

describe('the page', () => {
  it('says that there are none yet', async () => {
    const page = await get('/duplicates/near');
    expect(page.status).toBe(200);
    expect(page.text).toContain('No look-alikes found yet');
    expect((await get('/duplicates')).text).toContain('href="/duplicates/near"');
    expect((await get('/duplicates/near?from=nonsense')).status).toBe(400);
  });

  it('names what tells them apart, ticks the lesser ones, and asks for a plan of what is ticked', async () => {
    await send({
      volumes: [volume()],
      assets: [asset(1, { width: 4032, height: 3024, size_bytes: 3_100_000, camera: 'Apple iPhone 15', latitude: 15.5, longitude: 73.8 }), asset(2, { width: 1600, height: 1200, size_bytes: 400_000, time_claims: [] }), asset(3, { width: 1600, height: 1200, size_bytes: 300_000, time_claims: [exif('2024-05-06T07:08:09')] })],
      locations: [location(1, 'Goa/IMG_1.HEIC', { size_bytes: 3_100_000 }), location(2, 'Pictures/IMG-20240506-WA0001.jpg'), location(3, 'odd <b>/x.jpg')], evidence: [evidence('Goa/IMG_1.HEIC', { albums: [{ key: 'k', title: 'Goa <i>' }] })],
      near: [row(1, 1), row(2, 1), row(3, 1)],
    });
    const { text } = await get('/duplicates/near');
    expect(text).toContain('4032 × 3024, 3.1 MB, Apple iPhone 15, with its place, in the album <bdi>Goa &lt;i&gt;</bdi>');
    expect(text).toContain('1600 × 1200, 400 KB, no camera named, without a place, <bdi>WhatsApp</bdi>');
    expect(text).toContain('in <bdi>odd &lt;b&gt;</bdi>');
    expect(text).toContain('Best kept: it has the most pixels');
    const ticks = [...text.matchAll(/<input type="checkbox" name="sha256" value="([0-9a-f]{64})"( checked="")?/g)].map((m) => [Number.parseInt(m[1] ?? '', 16), m[2] !== undefined]);
    expect(ticks).toEqual([[1, false], [2, true], [3, true]]);
    const planned = await form('/orders/plan', [['kind', 'trash'], ['sha256', hashOf(2)], ['sha256', hashOf(3)]]);
    expect(planned.status).toBe(303);
    const order = await readOrder(env.DB, planned.headers.get('location')?.split('/').at(-1) ?? '');
    expect(order?.body).toMatchObject({ kind: 'trash', sha256s: [hashOf(2), hashOf(3)], copies: null });
    // With none ticked nothing is asked for.
    const none = await form('/orders/plan', [['kind', 'trash']]);
    expect([none.status, await none.text()]).toEqual([400, expect.stringContaining('Nothing was ticked')]);
  });

  it('goes on to more, and ends', async () => {
    const numbers = Array.from({ length: 50 }, (_, i) => i + 1);
    await library(...numbers);
    await send({ near: numbers.map((n) => row(n, n - ((n - 1) % 2))) });
    const first = (await get('/duplicates/near')).text;
    expect(first.match(/class="dup dup-near"/g)).toHaveLength(20);
    const next = /rel="next" href="([^"]+)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const second = (await get(next)).text;
    expect(second.match(/class="dup dup-near"/g)).toHaveLength(5);
    expect(second).not.toContain('rel="next"');
    expect((await get(`/duplicates/near?from=0-${hashOf(0)}`)).text).toContain('No more look-alikes.');
  });
});
