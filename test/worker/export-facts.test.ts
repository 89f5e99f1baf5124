// What the Worker says of assets that are exported: the resolver's word, the owner's before the file's.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { ExportFacts, MAX_FACTS_ASSETS } from '../../protocol/orders.ts';
import { EXPORT_FACTS_SQL } from '../../worker/store/export-facts.ts';
import { ask, asset, createSender, evidence, exif, hashOf, location, migrate, mtime, postJson, volume } from './support.ts';

beforeEach(async () => { await reset(); await migrate(); });

async function facts(...ns: number[]): Promise<ExportFacts['items']> {
  const answer = await postJson('/sync/orders/facts', { sha256s: ns.map(hashOf) });
  expect(answer.status).toBe(200);
  return ExportFacts.parse(await answer.json()).items;
}

describe('facts for an export', () => {
  it('are the resolver\u2019s answer', async () => {
    await createSender()({
      volumes: [volume()],
      assets: [
        asset(1, { time_claims: [exif('2024-05-06T07:08:09', 120)], latitude: 44.17, longitude: 9.61, gps_zone: 'Europe/Rome', camera: 'Fujifilm X100V', description: 'Harbour', rating: 4, tags: ['sea', 'boats'] }),
        asset(2, { time_claims: [] }),
      ],
      locations: [location(1, 'photos/DSCF1.JPG'), location(2, 'b.jpg')],
      evidence: [evidence('photos/DSCF1.JPG', { albums: [{ key: 'k1', title: 'Cinque Terre' }] }), evidence('b.jpg', { time_claims: [mtime(1_700_000_000_000)] })],
    });
    const [one, two] = await facts(1, 2);
    expect(one).toEqual({
      sha256: hashOf(1), taken_at: '2024-05-06T07:08:09', taken_at_source: 'exif_original', utc_offset_minutes: 120, latitude: 44.17, longitude: 9.61, description: 'Harbour', favourite: false, rating: 4,
      tags: ['boats', 'sea'], people: [], albums: ['Cinque Terre'], camera: 'Fujifilm X100V', name: 'DSCF1.JPG',
    });
    expect(two).toMatchObject({ taken_at_source: 'mtime', name: 'b.jpg', albums: [] });
  });

  it('have the owner\u2019s corrections in them', async () => {
    await createSender()({ volumes: [volume()], assets: [asset(1, { latitude: 1, longitude: 2, description: 'wrong' })], locations: [location(1, 'a.jpg')], evidence: [evidence('a.jpg')] });
    const line = { type: 'asset', sha256: hashOf(1), changed_at_ms: 5, favourite: true, archived: null, rating: 2, taken_at: '1999-12-31T23:59:58', utc_offset_minutes: -300, time_shift_s: null, position: { latitude: -33.5, longitude: 151.25 }, description: 'right', tags: { add: ['mine'], remove: [] } };
    expect((await postJson('/sync/curation', { lines: [line], replace: false, dry_run: false, edit_id: null, name: 'test' })).status).toBe(200);
    expect((await facts(1))[0]).toMatchObject({ taken_at: '1999-12-31T23:59:58', taken_at_source: 'owner', utc_offset_minutes: -300, latitude: -33.5, longitude: 151.25, description: 'right', favourite: true, rating: 2, tags: ['mine'] });
  });

  it('leave out what the library does not have, say each once, and keep the order', async () => {
    await createSender()({ volumes: [volume()], assets: [asset(1), asset(2)], locations: [location(1, 'a.jpg'), location(2, 'b.jpg')], evidence: [evidence('a.jpg'), evidence('b.jpg')] });
    expect((await facts(2, 9, 1, 2)).map((f) => f.sha256)).toEqual([hashOf(2), hashOf(1)]);
  });

  it('are refused for a question of another shape, for too many, and without the token', async () => {
    for (const body of ['{}', '{"sha256s":[]}', '{"sha256s":["x"]}', '[', JSON.stringify({ sha256s: Array.from({ length: MAX_FACTS_ASSETS + 1 }, (_, i) => hashOf(i)) })]) expect((await postJson('/sync/orders/facts', body)).status, body.slice(0, 40)).toBe(400);
    expect((await ask('/sync/orders/facts', { method: 'POST', body: JSON.stringify({ sha256s: [hashOf(1)] }) })).status).toBe(401);
  });

  it('are read by keys, not by walking the library', async () => {
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${EXPORT_FACTS_SQL}`).bind('[]').all<{ detail: string }>();
    expect(results.map((r) => r.detail).filter((d) => /^SCAN (a|t|l)\b/.test(d))).toEqual([]);
  });
});
