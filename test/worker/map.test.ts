// The map: squares that add up at every zoom, boxes that equal brute force, refusals, tiles by the owner's choice alone.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { boxText, FINEST_LEVEL, flattenRing, isInBox, readBox, runsOf, squareAt, squareOf, type Box, type ClustersAnswer, type Position } from '../../protocol/map.ts';
import { checkTileUrl, OSM_TILES, tileOrigin } from '../../protocol/tile-url.ts';
import { readGrid } from '../../worker/middleware/grid.ts';
import { countGrid, gridStart, listGrid, type Grid } from '../../worker/store/grids.ts';
import { listNewestInBox, readMapView, readWhole } from '../../worker/store/map.ts';
import { rebuildSquares, refreshSquares } from '../../worker/store/map-squares.ts';
import { ask, asset, createSender, evidence, exif, hashOf, location, migrate, volume } from './support.ts';

let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

const WORLD: Box = { west: -180, south: -90, east: 180, north: 90 };
const ENOUGH_MS = 20_000;

/** A small generator: the same points each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => { state = (state * 48_271) % 2_147_483_647; return state / 2_147_483_647; };
}
/** Towns, lone points, the poles, both sides of the 180th meridian; every fifth position stands twice. */
function makePositions(count: number): Position[] {
  const next = random(7);
  const towns = Array.from({ length: 12 }, () => ({ latitude: next() * 140 - 70, longitude: next() * 360 - 180 }));
  const edges = [{ latitude: 90, longitude: 0 }, { latitude: -90, longitude: 12 }, { latitude: 12, longitude: 180 }, { latitude: 12, longitude: -180 }, { latitude: -16.5, longitude: 179.9999 }, { latitude: -16.5, longitude: -179.9999 }, { latitude: 0, longitude: 0 }];
  const made: Position[] = [...edges];
  while (made.length < count) {
    const town = towns[Math.floor(next() * towns.length)] ?? { latitude: 0, longitude: 0 };
    const lone = made.length % 4 === 0;
    const at = lone ? { latitude: next() * 180 - 90, longitude: next() * 360 - 180 } : { latitude: town.latitude + (next() - 0.5) * 0.05, longitude: Math.max(-180, Math.min(180, town.longitude + (next() - 0.5) * 0.05)) };
    made.push(made.length % 5 === 0 ? made.at(-3) ?? at : at);
  }
  return made;
}
async function put(positions: readonly Position[]): Promise<void> {
  await send({
    volumes: [volume()], locations: positions.map((_, i) => location(i + 1, `${i + 1}.jpg`)),
    assets: positions.map((at, i) => asset(i + 1, { ...at, gps_zone: 'Europe/Rome', time_claims: [exif(new Date(Date.UTC(2024, 0, 1) - ((i * 7_919) % 1_000) * 3_600_000).toISOString().slice(0, 19))] })),
  });
  expect(await refreshSquares(env.DB, ENOUGH_MS)).toBe(true);
}
const all = async (sql: string) => (await env.DB.prepare(sql).all<Record<string, number>>()).results;
const squares = () => all('SELECT * FROM map_squares ORDER BY square');
const archived = (n: number, revision: number) => evidence(`${n}.jpg`, { revision, imports: [{ source: 'takeout', name: 'x', time_claims: [], latitude: null, longitude: null, gps_zone: null, description: null, favourite: null, archived: true, rating: null, people: [], tags: [] }] });
const BOXES: Box[] = [WORLD, { west: -20, south: -35, east: 60, north: 72 }, { west: 170, south: -40, east: -160, north: 30 }, { west: 179.99, south: -17, east: -179.99, north: -16 }, { west: 12, south: 12, east: 12, north: 12 }, { west: -180, south: 80, east: 180, north: 90 }, { west: 180, south: 10, east: 180, north: 14 }];

describe('squares', () => {
  it('add up to all that is shown at every zoom, and each level to the one above', async () => {
    const positions = makePositions(400);
    await put(positions);
    for (let zoom = 0; zoom <= 18; zoom += 1) {
      // Where the world is too many squares for one question, they are coarser, and still all of it.
      const view = await readMapView(env.DB, WORLD, zoom);
      expect(view.clusters.reduce((n, each) => n + each.count, 0), `zoom ${zoom}`).toBe(400);
      const { inView } = await listNewestInBox(env.DB, WORLD, zoom, 1);
      expect({ ...view, inView }).toMatchObject({ total: 400, inView: { count: 400, exact: true } });
      expect(view.clusters.every((each) => each.cover !== null && each.box.west <= each.box.east && each.box.south <= each.box.north)).toBe(true);
    }
    for (let level = 2; level <= FINEST_LEVEL; level += 2) expect(await all(`SELECT sum(count) AS n FROM map_squares WHERE square BETWEEN ${4 ** level} AND ${2 * 4 ** level - 1}`), `level ${level}`).toEqual([{ n: 400 }]);
    expect((await readWhole(env.DB))?.box).toEqual(WORLD);
    // The nearest zoom tells towns apart that the farthest does not.
    expect((await readMapView(env.DB, WORLD, 5)).clusters.length).toBeGreaterThan((await readMapView(env.DB, WORLD, 1)).clusters.length);
  });

  it('follow what is archived, comes back, moves and goes, and equal those that are made anew', async () => {
    const positions = makePositions(60);
    await put(positions);
    const before = await squares();
    await send({ evidence: [archived(1, 2), archived(2, 2), archived(9, 2)] });
    expect(await refreshSquares(env.DB, ENOUGH_MS)).toBe(true);
    expect((await readMapView(env.DB, WORLD, 3)).total).toBe(57);
    await send({ assets: [asset(9, { revision: 2, latitude: 5, longitude: 5 })] });
    await refreshSquares(env.DB, ENOUGH_MS);
    const after = await squares();
    expect(after).not.toEqual(before);
    await rebuildSquares(env.DB);
    expect(await squares()).toEqual([]);
    expect(await refreshSquares(env.DB, ENOUGH_MS)).toBe(true);
    expect(await squares()).toEqual(after);
    await send({ evidence: [1, 2, 9].map((n) => evidence(`${n}.jpg`, { revision: 3 })) });
    await send({ assets: [asset(9, { revision: 3, ...positions[8], gps_zone: 'Europe/Rome', time_claims: [exif(new Date(Date.UTC(2024, 0, 1) - ((8 * 7_919) % 1_000) * 3_600_000).toISOString().slice(0, 19))] })] });
    await refreshSquares(env.DB, ENOUGH_MS);
    expect(await squares()).toEqual(before);
    expect(await all('SELECT square FROM map_due')).toEqual([]);
  });

  it('of a library from before are those that the resolver gives', async () => {
    await put(makePositions(120));
    const given = await all('SELECT asset_id, square FROM timeline_items ORDER BY asset_id');
    await env.DB.prepare('UPDATE timeline_items SET square = NULL').run();
    const fill = env.TEST_MIGRATIONS.flatMap((each) => each.queries).find((sql) => /^UPDATE timeline_items SET square/m.test(sql));
    await env.DB.prepare(fill ?? '').run();
    expect(await all('SELECT asset_id, square FROM timeline_items ORDER BY asset_id')).toEqual(given);
    expect(given.filter((row) => row['square'] === null)).toEqual([]);
  });

  it('are numbered so that a parent is a shift away', () => {
    const at = { latitude: 47.37, longitude: 8.54 };
    expect(squareOf(at)).toBeLessThan(2 ** 41);
    expect(Math.floor(squareOf(at) / 4 ** (FINEST_LEVEL - 2))).toBe(squareAt(2, 2, 1));
    expect([squareOf({ latitude: 90, longitude: 180 }), squareOf({ latitude: -90, longitude: -180 })]).toEqual([squareAt(FINEST_LEVEL, 2 ** FINEST_LEVEL - 1, 0), squareAt(FINEST_LEVEL, 0, 2 ** FINEST_LEVEL - 1)]);
  });
});

describe('a box', () => {
  it('holds what brute force finds, over the 180th meridian and at the poles too, newest first', async () => {
    const positions = makePositions(300);
    await put(positions);
    const next = random(99);
    const boxes = [...BOXES, ...Array.from({ length: 40 }, (): Box => {
      const size = 10 ** (next() * 4 - 2);
      const [west, south] = [next() * 360 - 180, next() * 170 - 85];
      const east = west + Math.min(300, size * 2);
      return { west, south, east: east > 180 ? east - 360 : east, north: Math.min(90, south + size) };
    })];
    let found = 0;
    for (const box of boxes) {
      const grid: Extract<Grid, { kind: 'box' }> = { kind: 'box', box };
      const expected = positions.flatMap((at, i) => (isInBox(at, box) ? [hashOf(i + 1)] : [])).sort();
      const tiles = await listGrid(env.DB, grid, gridStart(grid), 'following', 1_000);
      found += tiles.length;
      expect(tiles.map((tile) => tile.sha256).sort(), boxText(box)).toEqual(expected);
      expect(tiles.map((tile) => tile.sort_ms)).toEqual(tiles.map((tile) => tile.sort_ms).toSorted((a, b) => b - a));
      expect(await countGrid(env.DB, grid)).toBe(expected.length);
      for (const [zoom, limit] of [[1, 30], [7, 100]] as const) expect((await listNewestInBox(env.DB, box, zoom, limit)).tiles.map((tile) => tile.sha256), boxText(box)).toEqual(tiles.slice(0, limit).map((tile) => tile.sha256));
    }
    expect(found).toBeGreaterThan(400);
  });

  it('is at most so many runs of squares, which hold all of it', () => {
    const next = random(3);
    for (const box of BOXES) {
      const runs = runsOf(box, 96);
      expect(runs.length).toBeLessThanOrEqual(96);
      for (let i = 0; i < 200; i += 1) {
        const at = { latitude: box.south + next() * (box.north - box.south), longitude: box.west <= box.east ? box.west + next() * (box.east - box.west) : 180 - next() * (180 - box.west) };
        expect(runs.some(([from, to]) => squareOf(at) >= from && squareOf(at) <= to)).toBe(true);
      }
    }
  });

  it('is named by its address, which comes back as it was', () => {
    const at = readGrid('/map/box/170,-20,-170,10.123456');
    expect(at).toEqual({ grid: { kind: 'box', box: { west: 170, south: -20, east: -170, north: 10.123456 } }, address: '/map/box/170,-20,-170,10.12346' });
    expect(readGrid(at?.address ?? '')?.address).toBe(at?.address);
    for (const each of BOXES) expect(boxText(readBox(boxText(each).split(',')) ?? WORLD)).toBe(boxText(each));
  });

  it('has a page, and the viewer steps in it', async () => {
    await put([{ latitude: 44.1, longitude: 9.6 }, { latitude: 44.11, longitude: 9.61 }, { latitude: 10, longitude: 10 }]);
    const page = await (await ask('/map/box/9.5,44,9.7,44.2')).text();
    expect(page).toContain('2 photos and videos');
    expect([...page.matchAll(/href="\/a\/([0-9a-f]{64})\?in=%2Fmap%2Fbox%2F9\.5%2C44%2C9\.7%2C44\.2/g)]).toHaveLength(2);
    const viewer = await (await ask(`/a/${hashOf(1)}?in=${encodeURIComponent('/map/box/9.5,44,9.7,44.2')}`)).text();
    expect(viewer).toContain('class="fact-map" href="/map?at=44.10000,9.60000,11"');
    expect(viewer).toMatch(new RegExp(`(next|prev)" href="/a/${hashOf(2)}`));
    expect((await ask('/map/box/1,1,2,2')).status).toBe(404);
  });
});

describe('the map', () => {
  it('says where nothing is yet, and leads there from the list', async () => {
    const empty = await (await ask('/map')).text();
    expect(empty).toContain('No photo has a position yet');
    expect(empty).not.toContain('id="map"');
    expect(await (await ask('/places')).text()).toContain('href="/map"');
    await put([{ latitude: 44.1, longitude: 9.6 }]);
    const page = await (await ask('/map')).text();
    expect(page).toContain('data-whole="9.6,44.1,9.6,44.1"');
    expect(page).toContain('<a href="/places">The list of places</a>');
    for (const [, address] of page.matchAll(/(?:data-land|data-land-fine|src|href)="(\/s\/[^"]+)"/g)) {
      const answer = await ask(address ?? '');
      expect([answer.status, answer.headers.get('Cache-Control')], address).toEqual([200, 'public, max-age=31536000, immutable']);
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(1_000);
    }
    const world = await ask('/s/world-2.0.2-1.svg');
    expect([world.status, world.headers.get('Content-Type')]).toEqual([200, 'image/svg+xml']);
    expect(await world.text()).toContain('id="land"');
  });

  it('answers with clusters of a view, and refuses what is none', async () => {
    await put([{ latitude: 44.1, longitude: 9.6 }, { latitude: 44.1, longitude: 9.6001 }, { latitude: -16, longitude: 179.99 }, { latitude: -16, longitude: -179.99 }]);
    const get = async (query: string) => (await ask(`/map/clusters?${query}`)).json<ClustersAnswer>();
    expect(await get('w=9&s=44&e=10&n=45&zoom=8')).toMatchObject({ total: 4, waiting: false, clusters: [{ count: 2, latitude: 44.1, box: { west: 9.6, east: 9.6001 }, cover: { sha256: hashOf(1) } }] });
    // One marker over the 180th meridian, and its reach goes on beyond it.
    const over = await get('w=175&s=-20&e=185&n=-10&zoom=6');
    expect(over.clusters.map((each) => each.count)).toEqual([2]);
    expect((over.clusters[0]?.box.east ?? 0) - (over.clusters[0]?.box.west ?? 0)).toBeCloseTo(0.02, 5);
    expect((await get('w=-600&s=-90&e=600&n=90&zoom=0')).clusters.reduce((n, each) => n + each.count, 0)).toBe(4);
    for (const query of ['', 'w=NaN&s=0&e=1&n=1&zoom=3', 'w=0&s=2&e=1&n=1&zoom=3', 'w=0&s=-91&e=1&n=1&zoom=3', 'w=1e9&s=0&e=1&n=1&zoom=3', 'w=0&s=0&e=1&n=1&zoom=99', 'w=0&s=0&e=1&n=1&zoom=', 'w=0&s=0&e=1&n=1&zoom=-1', 'w=0&s=0&e=Infinity&n=1&zoom=3', 'w=0&s=0&e=1&n=1&zoom=3;DROP']) {
      const answer = await ask(`/map/clusters?${query}`);
      expect([answer.status, await answer.text()], query).toEqual([400, expect.stringMatching(/A view has a/)]);
    }
    for (const path of ['/map/box/1', '/map/box/a,b,c,d', '/map/box/0,5,1,4', '/map/box/0,0,0,0,0']) expect((await ask(path)).status, path).toBe(400);
    const photos = await (await ask('/map/photos?w=9&s=44&e=10&n=45&zoom=8', { headers: { 'HX-Request-Type': 'partial' } })).text();
    expect(photos).toContain('<span class="num">2</span> photos in view');
    expect(photos).toContain('href="/map/box/9,44,10,45"');
    expect(await (await ask('/map/photos?w=1&s=1&e=2&n=2&zoom=8', { headers: { 'HX-Request-Type': 'partial' } })).text()).toContain('No photo in this part of the map');
  });

  it('shows another server’s tiles only when the owner has chosen it, on this page alone', async () => {
    await put([{ latitude: 1, longitude: 1 }]);
    const policy = async (path: string) => (await ask(path)).headers.get('Content-Security-Policy') ?? '';
    const choose = (fields: Record<string, string>) => ask('/settings/map', { method: 'POST', body: new URLSearchParams(fields), headers: { Origin: 'http://127.0.0.1:8420' }, redirect: 'manual' });
    expect(await policy('/map')).toContain("img-src 'self' data:;");
    expect((await choose({ tiles: 'own', tile_url: 'https://tiles.example.org/a/{z}/{x}/{y}.png?k=1' })).status).toBe(303);
    expect(await policy('/map')).toContain("img-src 'self' data: https://tiles.example.org;");
    expect(await policy('/places')).toContain("img-src 'self' data:;");
    const wrong = await choose({ tiles: 'own', tile_url: 'http://tiles.example.org/{z}/{x}/{y}.png"><script>' });
    expect([wrong.status, await wrong.text()]).toEqual([422, expect.stringContaining('Tiles are taken over https only.')]);
    expect(await policy('/map')).toContain('https://tiles.example.org');
    expect((await choose({ tiles: 'osm' })).status).toBe(303);
    expect(await policy('/map')).toContain(`img-src 'self' data: ${tileOrigin(OSM_TILES)};`);
    expect(await (await ask('/settings')).text()).toMatch(/value="osm" checked/);
    await choose({ tiles: 'none' });
    expect(await policy('/map')).toContain("img-src 'self' data:;");
    expect((await choose({ tiles: 'both' })).status).toBe(422);
  });

  it('takes only templates of https servers', () => {
    expect(checkTileUrl(' https://a.example/{z}/{x}/{y}.png ')).toBe('https://a.example/{z}/{x}/{y}.png');
    for (const bad of ['', 'https://a.example/{z}/{x}.png', 'http://a.example/{z}/{x}/{y}', 'https://u:p@a.example/{z}/{x}/{y}', 'https://{z}.example/{x}/{y}', 'https://a.example/{s}/{z}/{x}/{y}', 'javascript:alert({z}{x}{y})', "https://a.example; script-src 'unsafe-inline'/{z}/{x}/{y}", `https://a.example/{z}/{x}/{y}${'a'.repeat(600)}`]) expect(() => checkTileUrl(bad), bad).toThrow();
  });
});

describe('shapes', () => {
  it('over the 180th meridian are drawn on both sides, and one round the pole down to the edge', () => {
    expect(flattenRing([[10, 0], [20, 0], [20, 10], [10, 0]])).toEqual([[[10, 0], [20, 0], [20, 10], [10, 0]]]);
    expect(flattenRing([[179, 0], [-179, 0], [-179, 2], [179, 0]])).toEqual([[[179, 0], [181, 0], [181, 2], [179, 0]], [[-181, 0], [-179, 0], [-179, 2], [-181, 0]]]);
    const [pole] = flattenRing([[-180, -80], [-90, -70], [0, -75], [90, -70], [180, -80], [-180, -80]]);
    expect(pole?.slice(-2).map((point) => point[1])).toEqual([-90, -90]);
  });
});
