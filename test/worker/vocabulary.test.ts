// The library's names as queries are read with them: from real D1, in one batch, kept for some seconds, and completed while typing.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PlaceRow } from '../../protocol/rows.ts';
import { parseQuery } from '../../worker/search/parse-query.ts';
import { listSuggestions } from '../../worker/search/suggest.ts';
import { rememberSearch } from '../../worker/store/search-history.ts';
import { CAMERAS_SQL, forgetNames, MARK_SQL, MAX_ALBUMS, readNames, readNamesNow } from '../../worker/store/vocabulary.ts';
import { asset, createSender, evidence, exif, location, migrate, volume } from './support.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 10);
let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); forgetNames(); send = createSender(); });

function place(cell: string, more: Partial<PlaceRow> = {}): PlaceRow {
  return { cell, revision: 1, rank: 1, source: 'offline', street: null, neighbourhood: null, city: 'Panaji', region: 'Goa', country: 'India', country_code: 'IN', distance_m: 100, zone: 'Asia/Kolkata', ...more };
}
const takeout = (more: { people?: string[]; tags?: string[]; archived?: boolean }) => ({
  source: 'takeout' as const, name: 'x', time_claims: [], latitude: null, longitude: null, gps_zone: null, description: null, favourite: null, archived: null, rating: null, people: [], tags: [], ...more,
});
const at = (n: number, wall: string, more: Parameters<typeof asset>[1] = {}) => asset(n, { time_claims: [exif(wall)], latitude: 15.5, longitude: 73.83 + n / 1_000, gps_zone: 'Asia/Kolkata', ...more });

async function fill(): Promise<void> {
  await send({
    volumes: [volume()],
    assets: [at(1, '2019-02-03T10:00:00', { camera: 'Apple iPhone 14', tags: ['diving', 'golden hour'] }), at(2, '2022-06-05T10:00:00', { camera: 'Canon EOS R5', tags: ['diving'] }), at(3, '2022-06-06T10:00:00', { camera: 'Apple iPhone 14', latitude: null, longitude: null, gps_zone: null }), asset(4, { time_claims: [] })],
    locations: [1, 2, 3, 4].map((n) => location(n, `${n}.jpg`)),
    evidence: [
      evidence('1.jpg', { imports: [takeout({ people: ['Mum', 'Asha Example'] })], albums: [{ key: 'k/a', title: 'Summer Trip' }] }), evidence('2.jpg', { imports: [takeout({ people: ['Mum'] })], albums: [{ key: 'k/a', title: 'Summer Trip' }] }),
      evidence('4.jpg', { time_claims: [] }),
    ],
    places: [place('15.500,73.831'), place('15.500,73.832', { city: null })],
  });
}

describe('readNames', () => {
  it('reads an empty library', async () => {
    expect(await readNamesNow(env.DB)).toEqual({ places: [], cameras: [], albums: [], people: [], tags: [], volumes: [], days: null });
  });

  it('reads each name once, places with their counts, the first and the last day', async () => {
    await fill();
    expect(await readNamesNow(env.DB)).toEqual({
      places: [{ country_code: 'IN', country: 'India', region: 'Goa', city: null, assets: 1 }, { country_code: 'IN', country: 'India', region: 'Goa', city: 'Panaji', assets: 1 }],
      cameras: ['Apple iPhone 14', 'Canon EOS R5'], albums: [{ album_id: expect.any(Number) as number, title: 'Summer Trip' }], people: expect.arrayContaining(['Mum', 'Asha Example']) as string[], tags: ['diving', 'golden hour'],
      volumes: [{ volume_id: 'uuid:1111', label: 'Blue SSD' }], days: { first: 20190203, last: 20220606 },
    });
    expect((await readNamesNow(env.DB)).people).toHaveLength(2);
  });

  it('says the drive’s name that the owner gave', async () => {
    await fill();
    await env.DB.prepare("UPDATE volumes SET owner_label = 'Attic'").run();
    expect((await readNamesNow(env.DB)).volumes.map((v) => v.label)).toEqual(['Attic']);
  });

  it('reads the query of an issue with the names of a real library', async () => {
    await fill();
    const parsed = parseQuery('mum in Goa summer 2022 -diving iphone 14 "golden hour"', await readNames(env.DB), NOW_MS, 'UTC');
    expect(parsed.chips.map((c) => c.label)).toEqual(['Mum', 'Goa, India', 'Summer 2022', 'Not: diving', 'Camera: iPhone 14']);
    expect(parsed).toMatchObject({ rest: 'golden hour', phrases: ['golden hour'] });
  });

  it('keeps its answer for some seconds, without asking again', async () => {
    await fill();
    let batches = 0;
    const counted = new Proxy(env.DB, { get(target, name) { if (name === 'batch') batches += 1; const value: unknown = Reflect.get(target, name, target); return typeof value === 'function' ? (value.bind(target) as unknown) : value; } });
    const first = await readNames(counted);
    await send({ volumes: [volume({ label: 'Green SSD', revision: 2 })] });
    expect(await readNames(counted)).toBe(first);
    expect(batches).toBe(1);
    forgetNames();
    expect((await readNames(counted)).volumes.map((v) => v.label)).toEqual(['Green SSD']);
    expect(batches).toBe(2);
  });

  it('after its time reads anew: what has not changed stays the same object, places are counted where a batch came or the owner changed something', async () => {
    await fill();
    const real = Date.now;
    const asked: string[] = [];
    const watched = new Proxy(env.DB, { get(target, name) { if (name === 'prepare') return (sql: string) => { asked.push(sql); return target.prepare(sql); }; const value: unknown = Reflect.get(target, name, target); return typeof value === 'function' ? (value.bind(target) as unknown) : value; } });
    // Statements are made each time; how many batches there were says whether the places were counted.
    const counts = () => asked.filter((sql) => sql === MARK_SQL).length;
    try {
      let later = 0;
      const readLater = async () => { later += 60_000; const at = later; Date.now = () => real() + at; return readNames(watched); };
      const first = await readNames(watched);
      expect([await readLater(), counts()]).toEqual([first, 2]);
      expect(await readLater()).toBe(first);
      await env.DB.prepare("UPDATE volumes SET owner_label = 'Attic'").run();
      const renamed = await readLater();
      expect(renamed.volumes.map((v) => v.label)).toEqual(['Attic']);
      expect([counts(), renamed.places]).toEqual([4, first.places]);
      await send({ assets: [at(7, '2020-01-01T10:00:00', { latitude: 48.2, longitude: 16.37 })], locations: [location(7, '7.jpg')], places: [place('48.200,16.370', { region: 'Wien', city: 'Wien', country: 'Austria', country_code: 'AT' })] });
      const more = await readLater();
      expect([counts(), more.places.map((p) => p.country_code)]).toEqual([6, ['AT', 'IN', 'IN']]);
      // Five minutes later in any case.
      await env.DB.prepare("UPDATE places SET city = 'Vienna' WHERE country_code = 'AT'").run();
      later += 300_000;
      expect((await readLater()).places.map((p) => p.city)).toContain('Vienna');
    } finally { Date.now = real; }
  });

  it('is bounded, newest albums first, and leaves out empty ones', async () => {
    await env.DB.prepare(`INSERT INTO albums (title) SELECT 'Album ' || value FROM json_each(?1)`).bind(JSON.stringify(Array.from({ length: MAX_ALBUMS + 50 }, (_, i) => i))).run();
    expect((await readNamesNow(env.DB)).albums).toEqual([]);
    await env.DB.prepare("INSERT INTO album_assets (album_id, sha256, layer) SELECT album_id, 'x', 'owner' FROM albums").run();
    const { albums } = await readNamesNow(env.DB);
    expect(albums).toHaveLength(MAX_ALBUMS);
    expect(albums[0]?.title).toBe(`Album ${MAX_ALBUMS + 49}`);
  });

  it('jumps from name to name, thousands of pictures between them', async () => {
    await env.DB.prepare(`INSERT INTO assets (sha256, revision, kind, mime, size_bytes, camera, time_claims, problems, facts_version, grid_version, preview_version, added_at_ms)
      SELECT 'h' || value, 1, 'photo', 'image/jpeg', 1, 'Camera ' || (value % 3), '[]', '[]', 1, 1, 1, 1 FROM json_each(?1)`).bind(JSON.stringify(Array.from({ length: 5_000 }, (_, i) => i))).run();
    const done = await env.DB.prepare(CAMERAS_SQL).bind(500).all();
    expect(done.results).toEqual([{ value: 'Camera 0' }, { value: 'Camera 1' }, { value: 'Camera 2' }]);
    // D1 counts rows of the index that were looked at.
    expect(done.meta.rows_read).toBeLessThan(50);
  });
});

describe('listSuggestions', () => {
  it('completes names of the library and searches of before', async () => {
    await fill();
    await rememberSearch(env.DB, 'mum on the beach', NOW_MS);
    expect(await listSuggestions(env.DB, 'mu', NOW_MS, 5)).toEqual([{ text: 'mum on the beach', label: 'mum on the beach', kind: 'history' }, { text: 'Mum', label: 'Mum', kind: 'person' }]);
    expect(await listSuggestions(env.DB, 'dogs in g', NOW_MS, 5)).toEqual([]);
    expect(await listSuggestions(env.DB, 'dogs in go', NOW_MS, 1)).toEqual([{ text: 'dogs in Goa', label: 'Goa, India', kind: 'place', count: 2 }]);
    expect(await listSuggestions(env.DB, '', NOW_MS, 5)).toEqual([{ text: 'mum on the beach', label: 'mum on the beach', kind: 'history' }]);
  });
});
