// A drive that gets a marker is known by another id from then on: the owner's words about it go along, once, and the row
// of the old id goes when nothing lies on it any more.
import { reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RootRow } from '../../protocol/rows.ts';
import { asset, batch, createSender, hashOf, location, migrate, postJson, scan, volume } from './support.ts';

const WEAK = 'weak:1';
const MARKED = 'marker:1';
type Send = ReturnType<typeof createSender>;
let send: Send;

const weak = (more = {}) => volume({ volume_id: WEAK, identity: 'weak', label: 'NO NAME', ...more });
const marked = (more = {}) => volume({ volume_id: MARKED, identity: 'marker', label: 'NO NAME', revision: 5, replaces: WEAK, ...more });
const root = (volumeId: string, revision: number, more: Partial<RootRow> = {}): RootRow => ({ root_id: 'r1', revision, volume_id: volumeId, path: 'Card', excludes: [], removed: false, ...more });

async function words(): Promise<Record<string, [string | null, string | null]>> {
  const { results } = await env.DB.prepare('SELECT volume_id, owner_label, note FROM volumes ORDER BY volume_id').all<{ volume_id: string; owner_label: string | null; note: string | null }>();
  return Object.fromEntries(results.map((r) => [r.volume_id, [r.owner_label, r.note]]));
}
async function moveAway(id: string, paths: string[]): Promise<void> {
  await send({ scans: [scan({ scan_id: id, volume_id: WEAK })] });
  const answer = await postJson(`/sync/scans/${id}/complete`, { agent_id: 'a1', volume_id: WEAK, at_ms: 9, missing: [], moved_from: paths });
  expect(answer.status).toBe(200);
}

beforeEach(async () => {
  await reset();
  await migrate();
  send = createSender();
  await send({ volumes: [weak()], roots: [root(WEAK, 1)], assets: [asset(1), asset(2)], locations: [location(1, 'Card/a.jpg', { volume_id: WEAK }), location(2, 'Card/b.jpg', { volume_id: WEAK })] });
  await env.DB.prepare("UPDATE volumes SET owner_label = 'Holiday card', note = 'in the blue box'").run();
});

describe('a volume that replaces another', () => {
  it('takes over the owner’s words, and the old row goes with the last of its files', async () => {
    await send({ volumes: [marked()], roots: [root(MARKED, 5)], locations: [location(1, 'Card/a.jpg', { volume_id: MARKED, revision: 5 }), location(2, 'Card/b.jpg', { volume_id: MARKED, revision: 5 })] });
    expect(await words()).toEqual({ [MARKED]: ['Holiday card', 'in the blue box'], [WEAK]: ['Holiday card', 'in the blue box'] });
    await moveAway('s1', ['Card/a.jpg']);
    expect(Object.keys(await words())).toEqual([MARKED, WEAK]);
    await moveAway('s2', ['Card/b.jpg']);
    expect(await words()).toEqual({ [MARKED]: ['Holiday card', 'in the blue box'] });
    const { results } = await env.DB.prepare('SELECT volume_id, sha256, missing_since_ms FROM locations ORDER BY sha256').all();
    expect(results).toEqual([1, 2].map((n) => ({ volume_id: MARKED, sha256: hashOf(n), missing_since_ms: null })));
  });

  it('does so once: what the owner then changes stays, and a repeat brings nothing back', async () => {
    const rows = { volumes: [marked()], roots: [root(MARKED, 5)] };
    await send(rows);
    await env.DB.prepare('UPDATE volumes SET owner_label = NULL, note = ? WHERE volume_id = ?').bind('on the shelf', MARKED).run();
    await postJson('/sync/batches', batch(2, rows));
    await send({ volumes: [marked({ revision: 6, free_bytes: 7 })] });
    expect((await words())[MARKED]).toEqual([null, 'on the shelf']);
    expect(await env.DB.prepare('SELECT free_bytes FROM volumes WHERE volume_id = ?').bind(MARKED).first('free_bytes')).toBe(7);
  });

  it('leaves an old row that still holds a folder or a file', async () => {
    await send({ volumes: [marked()], roots: [root(MARKED, 5), root(WEAK, 5, { root_id: 'r2' })] });
    await moveAway('s1', ['Card/a.jpg', 'Card/b.jpg']);
    // Neither file is elsewhere, so both are marked missing and stay; the folder alone would do as well.
    expect(Object.keys(await words())).toEqual([MARKED, WEAK]);
    await env.DB.prepare('DELETE FROM locations').run();
    await send({ volumes: [marked({ revision: 7 })] });
    expect(Object.keys(await words())).toEqual([MARKED, WEAK]);
    await send({ volumes: [marked({ revision: 8 })], roots: [root(WEAK, 8, { root_id: 'r2', removed: true })] });
    expect(Object.keys(await words())).toEqual([MARKED]);
  });

  it('lets another drive have the weak id later, without the words of the first', async () => {
    await env.DB.prepare('DELETE FROM locations').run();
    await send({ volumes: [marked()], roots: [root(MARKED, 5)] });
    expect(Object.keys(await words())).toEqual([MARKED]);
    await send({ volumes: [weak({ revision: 9 }), marked({ revision: 9 })] });
    expect(await words()).toEqual({ [MARKED]: ['Holiday card', 'in the blue box'], [WEAK]: [null, null] });
    await send({ volumes: [marked({ revision: 10 })] });
    expect(Object.keys(await words())).toEqual([MARKED, WEAK]);
  });

  it('needs no old row, and an id that is none is refused', async () => {
    await send({ volumes: [marked({ replaces: 'weak:never seen' })] });
    expect((await words())[MARKED]).toEqual([null, null]);
    expect((await send({ volumes: [marked({ revision: 6, replaces: 'a\0b' })] })).rejected).toMatchObject([{ reason: 'replaces: holds a NUL or half a character' }]);
  });
});
