// Hand-overs and imports are undone like any edit: tags and albums with the rest (needs correction-lists.ts).
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, expect, it } from 'vitest';
import { ChunkAnswer } from '../../protocol/curation.ts';
import { applyCorrection, listEdits, undoEdit } from '../../worker/store/corrections.ts';
import { asset, countRows, createSender, hashOf, item, location, migrate, postJson, volume } from './support.ts';

let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

it('a hand-over with albums and tags', async () => {
  await send({ volumes: [volume()], assets: [asset(1)], locations: [location(1, 'a.jpg')] });
  await env.DB.prepare("INSERT INTO albums (album_id, album_key, title, sort) VALUES (7, 'key', 'Best', 'own')").run();
  await applyCorrection(env.DB, { scope: { kind: 'assets', sha256s: [hashOf(1)] }, change: { favourite: true, tags_add: ['sea'], albums_add: [7] }, summary: 'x', nowMs: 1 });
  await send({ assets: [asset(2, { revision: 4 })], locations: [location(2, 'a.jpg', { revision: 4 })], successors: [{ old_sha256: hashOf(1), new_sha256: hashOf(2), revision: 5 }] });
  expect(await item(2)).toMatchObject({ favourite: 1, tags: '["sea"]', albums: '["Best"]' });
  const [edit] = await listEdits(env.DB, 1e9, 1);
  expect(await undoEdit(env.DB, edit?.edit_id ?? 0, 5)).toMatchObject({ now: true, restored: 1, kept: 0 });
  expect(await item(2)).toMatchObject({ favourite: 0, tags: '[]', albums: '[]' });
  expect((await env.DB.prepare('SELECT sha256 FROM album_assets').all()).results).toEqual([{ sha256: hashOf(1) }]);
});

it('an import with albums and tags, in a mixed chunk', async () => {
  await send({ volumes: [volume()], assets: [asset(1), asset(2)], locations: [location(1, 'a.jpg'), location(2, 'b.jpg')] });
  const lines = [
    { type: 'album', album: 'own:a', title: 'Sea', owner_title: null, sort: 'own', cover: null, query: null, made_at_ms: 1, removed_at_ms: null },
    { type: 'asset', sha256: hashOf(1), changed_at_ms: 1_000, favourite: null, archived: null, rating: 4, taken_at: null, utc_offset_minutes: null, time_shift_s: null, position: null, description: null, tags: { add: ['sun'], remove: [] } },
    ...[1, 2].map((n) => ({ type: 'member', album: 'own:a', sha256: hashOf(n), layer: 'owner', position: n })),
  ];
  const { edit_id } = ChunkAnswer.parse(await (await postJson('/sync/curation', { replace: false, dry_run: false, edit_id: null, name: 'f', lines })).json());
  expect(await item(1)).toMatchObject({ rating: 4, tags: '["sun"]', albums: '["Sea"]' });
  expect(await undoEdit(env.DB, edit_id ?? 0, 5)).toMatchObject({ now: true, restored: 2, kept: 0 });
  expect(await item(1)).toMatchObject({ rating: null, tags: '[]', albums: '[]' });
  expect([await countRows('album_assets'), await countRows('curation')]).toEqual([0, 0]);
});
