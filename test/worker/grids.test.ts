// Places and albums: the pages' counts, covers and order, paged by key in both directions, with names that mean harm.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AssetRow, PlaceRow } from '../../protocol/rows.ts';
import { loadGridPiece, readGrid } from '../../worker/middleware/grid.ts';
import { listAlbums } from '../../worker/store/album-pages.ts';
import { gridCursor, gridStart, listGrid, type Grid } from '../../worker/store/grids.ts';
import { countNameless, listCities, listCountries } from '../../worker/store/place-pages.ts';
import { placeAddress } from '../../views/parts/addresses.ts';
import { ask, asset, createSender, evidence, exif, hashOf, location, migrate, volume } from './support.ts';

let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

const HOSTILE = ['..', '.', '~', '~~', 'a/b', '<script>alert(1)</script>', '%2F..%2F', 'Ö\u202Epgj', '?#&=+ ', '\\', 'null', ''];

function place(cell: string, more: Partial<PlaceRow> = {}): PlaceRow {
  return { cell, revision: 1, rank: 1, source: 'offline', street: null, neighbourhood: null, city: 'Levanto', region: 'Liguria', country: 'Italy', country_code: 'IT', distance_m: 100, zone: 'Europe/Rome', ...more };
}
async function put(assets: AssetRow[], more: Parameters<ReturnType<typeof createSender>>[0] = {}): Promise<void> {
  await send({ volumes: [volume()], assets, locations: assets.map((a) => location(Number.parseInt(a.sha256, 16), `${Number.parseInt(a.sha256, 16)}.jpg`)), ...more });
}
const at = (n: number, latitude: number, longitude: number, wall = `2024-05-06T07:08:${String(n % 60).padStart(2, '0')}`) => asset(n, { latitude, longitude, gps_zone: 'Europe/Rome', time_claims: [exif(wall)] });
const get = async (path: string, headers: Record<string, string> = {}) => { const answer = await ask(path, { headers }); return { status: answer.status, text: await answer.text() }; };
const hashesIn = (html: string) => [...html.matchAll(/href="\/a\/([0-9a-f]{64})/g)].map((m) => Number.parseInt(m[1] ?? '', 16));

describe('places', () => {
  it('are counted by country and city, with the newest picture as the cover', async () => {
    await put([at(1, 44.17, 9.61), at(2, 44.17, 9.612), at(3, 43.77, 11.25), at(4, 48.2, 16.37), at(5, 0, -30), at(6, 10, 10)], {
      places: [place('44.170,9.610'), place('44.170,9.612'), place('43.770,11.250', { region: 'Toscana', city: 'Florence' }), place('48.200,16.370', { region: 'Wien', city: 'Wien', country: 'Austria', country_code: 'AT' }),
        place('0.000,-30.000', { city: null, region: null, country: null, country_code: null })],
    });
    await send({ evidence: [evidence('2.jpg', { imports: [{ source: 'takeout', name: 'x', time_claims: [], latitude: null, longitude: null, gps_zone: null, description: null, favourite: null, archived: true, rating: null, people: [], tags: [] }] })] });
    expect((await listCountries(env.DB)).map((c) => [c.country, c.count, c.cities, c.sha256])).toEqual([['Italy', 2, 2, hashOf(3)], ['Austria', 1, 1, hashOf(4)]]);
    expect((await listCities(env.DB, 'IT')).map((c) => [c.region, c.city, c.count])).toEqual([['Liguria', 'Levanto', 1], ['Toscana', 'Florence', 1]]);
    expect(await countNameless(env.DB)).toEqual({ waiting: 1, nowhere: 1 });
    const page = await get('/places');
    expect(page.text).toContain('2 countries. 1 photo with a position waits for a name; the agent gives it. For 1 photo no name is known, at sea perhaps.');
    expect((await get('/places/IT')).text).toContain('href="/places/IT/Liguria/Levanto"');
    const grid = await get('/places/IT/Liguria/Levanto');
    expect(hashesIn(grid.text)).toEqual([1]);
    expect(grid.text).toContain('?in=%2Fplaces%2FIT%2FLiguria%2FLevanto');
    for (const path of ['/places/FR', '/places/it', '/places/IT/Liguria/Nowhere', '/places/IT/~/Levanto', '/places/IT/%FF/x']) expect((await get(path)).status, path).toBe(404);
  });

  it('say that there are none', async () => {
    expect((await get('/places')).text).toContain('No photo has a position yet.');
  });

  it('whose names mean harm are one segment of an address and come back as they were', async () => {
    await put(HOSTILE.map((_, i) => at(i + 1, i, 1)), { places: HOSTILE.map((name, i) => place(`${i}.000,1.000`, { region: name, city: HOSTILE[(i + 1) % HOSTILE.length] ?? '' })) });
    for (const [i, name] of HOSTILE.entries()) {
      const address = placeAddress('IT', name, HOSTILE[(i + 1) % HOSTILE.length] ?? '');
      const path = new URL(address, 'http://x/').pathname;
      expect(readGrid(path)?.grid, JSON.stringify(name)).toEqual({ kind: 'place', country_code: 'IT', region: name, city: HOSTILE[(i + 1) % HOSTILE.length] });
      const page = await get(address);
      expect([page.status, hashesIn(page.text)], JSON.stringify(name)).toEqual([200, [i + 1]]);
      expect(page.text).not.toContain('<script>alert');
    }
    expect(new Set(HOSTILE.map((name) => placeAddress('IT', name, name))).size).toBe(HOSTILE.length);
    expect(placeAddress('IT', null, 'x')).not.toBe(placeAddress('IT', '~', 'x'));
  });
});

describe('albums', () => {
  const album = (n: number, ...titles: string[]) => evidence(`${n}.jpg`, { albums: titles.map((title) => ({ key: `k/${title}`, title })) });

  it('are listed by title with their count, a stack once, and none that is empty', async () => {
    await put([asset(1), asset(2, { kind: 'video' }), asset(3, { time_claims: [exif('2020-01-01T00:00:00')] })], {
      evidence: [album(1, 'Trip', 'B <b>'), album(2, 'Trip'), album(3, 'Trip')],
      stacks: [{ member_sha256: hashOf(2), primary_sha256: hashOf(1), type: 'live', basis: 'x', revision: 1, removed: false }],
    });
    const list = await listAlbums(env.DB, { title: '', albumId: 0 }, 10);
    expect(list).toMatchObject({ albums: [{ title: 'B <b>', count: 1 }, { title: 'Trip', count: 2, sha256: hashOf(1) }], next: null });
    const first = await listAlbums(env.DB, { title: '', albumId: 0 }, 1);
    expect(first.albums.map((a) => a.title)).toEqual(['B <b>']);
    expect((await listAlbums(env.DB, first.next ?? { title: '', albumId: 0 }, 1))).toMatchObject({ albums: [{ title: 'Trip' }], next: null });
    const page = await get('/albums');
    expect(page.text).toContain('B &lt;b&gt;');
    const trip = await get(`/albums/${list.albums[1]?.album_id}`);
    // Oldest first.
    expect(hashesIn(trip.text)).toEqual([3, 1]);
    expect(trip.text).toContain('2 photos and videos');
    await send({ evidence: [{ ...album(1), revision: 2 }] });
    expect((await listAlbums(env.DB, { title: '', albumId: 0 }, 10)).albums.map((a) => a.title)).toEqual(['Trip']);
    expect((await get('/albums/999')).status).toBe(404);
  });

  it('say that there are none', async () => {
    expect((await get('/albums')).text).toContain('No album yet');
  });
});

describe('pieces', () => {
  const grids: [name: string, grid: Grid, up: boolean][] = [
    ['a place', { kind: 'place', country_code: 'IT', region: 'Liguria', city: 'Levanto' }, false], ['an album', { kind: 'album', album_id: 1 }, true],
  ];
  it.each(grids)('of %s: both ways through the same tiles, each once, whatever shares a moment', async (_name, grid, up) => {
    const walls = Array.from({ length: 23 }, (_, i) => (i === 22 ? null : `2024-05-0${1 + Math.floor(i / 6)}T10:00:0${Math.floor((i % 6) / 3)}`));
    await put(walls.map((wall, i) => ({ ...at(i + 1, 44.17, i % 2 ? 9.61 : 9.612), time_claims: wall === null ? [] : [exif(wall)] })), {
      places: [place('44.170,9.610'), place('44.170,9.612')], evidence: walls.map((_, i) => evidence(`${i + 1}.jpg`, { time_claims: [], albums: [{ key: 'k', title: 'All' }] })),
    });
    const all = await listGrid(env.DB, grid, gridStart(grid), 'following', 100);
    expect(all.length).toBe(23);
    expect(all.at(-1)?.taken_at).toBeNull();
    const dated = all.slice(0, -1).map((tile) => tile.sort_ms);
    expect(dated).toEqual(dated.toSorted((a, b) => (up ? a - b : b - a)));
    const seen: string[] = [];
    for (let cursor = gridStart(grid); ;) {
      const part = await listGrid(env.DB, grid, cursor, 'following', 4);
      const last = part.at(-1);
      if (!last) break;
      seen.push(...part.map((tile) => tile.sha256));
      cursor = gridCursor(grid, last);
    }
    expect(seen).toEqual(all.map((tile) => tile.sha256));
    for (const [i, tile] of all.entries()) expect((await listGrid(env.DB, grid, gridCursor(grid, tile), 'preceding', 3)).map((t) => t.sha256)).toEqual(all.slice(Math.max(0, i - 3), i).map((t) => t.sha256));
    const whole = await loadGridPiece(env.DB, { grid, address: '/x' }, { near: all[20]?.sha256 });
    expect([whole.tiles.length, whole.older, whole.newer]).toEqual([23, null, null]);
    const rest = await loadGridPiece(env.DB, { grid, address: '/x' }, { from: `${gridCursor(grid, all[9] ?? all[0] as never).sortMs}.${all[9]?.asset_id}` });
    expect(rest.tiles.map((t) => t.sha256)).toEqual(all.slice(10).map((t) => t.sha256));
    expect(rest.newer).toContain('/x?until=');
  });

  it('the viewer steps inside the grid that it was opened from', async () => {
    await put([at(1, 44.17, 9.61), at(2, 0, 0.5), at(3, 44.17, 9.61)], { places: [place('44.170,9.610')] });
    const next = async (path: string) => /rel="next" href="\/a\/([0-9a-f]{64})([^"]*)"/.exec((await get(path)).text)?.slice(1);
    expect(await next(`/a/${hashOf(3)}`)).toEqual([hashOf(2), '']);
    expect(await next(`/a/${hashOf(3)}?in=%2Fplaces%2FIT%2FLiguria%2FLevanto`)).toEqual([hashOf(1), '?in=%2Fplaces%2FIT%2FLiguria%2FLevanto']);
    // An address that names no grid is not believed, least of all as a link.
    const odd = await get(`/a/${hashOf(3)}?in=${encodeURIComponent('javascript:alert(1)')}`);
    expect(odd.status).toBe(200);
    expect(odd.text).not.toContain('javascript');
  });
});
