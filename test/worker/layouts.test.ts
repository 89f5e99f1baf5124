// The exact layout of every grid: its text, the pieces that its keys lead to, and that a piece reads a bounded number of rows.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeAll, describe, expect, it } from 'vitest';
import { charRatio, keyText, parseKey, ratioChar, readLayout, writeLayout, type GridLayout } from '../../protocol/layout.ts';
import { PIECE_TILES } from '../../protocol/limits.ts';
import { sayDayPlace } from '../../views/parts/words.ts';
import { ask, asset, createSender, evidence, exif, hashOf, location, migrate, volume } from './support.ts';
import { BETWEEN_SQL, CUTS_SQL } from '../../worker/store/layouts.ts';
import { markUnresolved, resolveMarked } from '../../worker/store/timeline-items.ts';
import { OLDER_SQL } from '../../worker/store/timeline.ts';

const MONTH_OF = ['2023-10', '2023-09', '2021-01', '2020-02'];
const COUNT = 1_300;
let send: ReturnType<typeof createSender>;
/** Number of each asset and its wall time, newest first as the timeline shows them; 7 without a date come last. */
const wall = (n: number): string | null => (n % 190 === 0 ? null : `${MONTH_OF[n % 10 < 6 ? 0 : n % 10 < 8 ? 1 : n % 10 < 9 ? 2 : 3]}-${String(1 + ((n * 7) % 28)).padStart(2, '0')}T10:${String(n % 60).padStart(2, '0')}:00`);
const RATIOS = [[4, 3], [3, 4], [1, 1], [16, 9], [20, 1], [null, null]] as const;

beforeAll(async () => {
  await reset();
  await migrate();
  send = createSender();
  const assets = Array.from({ length: COUNT }, (_, i) => i + 1).map((n) => {
    const time = wall(n);
    const [width, height] = RATIOS[n % RATIOS.length] ?? [1, 1];
    return asset(n, { width, height, latitude: 44.17, longitude: 9.61, gps_zone: 'Europe/Rome', time_claims: time === null ? [] : [exif(time)] });
  });
  await send({ volumes: [volume()], assets });
  await send({
    locations: assets.map((_, i) => location(i + 1, `${i + 1}.jpg`)),
    evidence: assets.map((_, i) => evidence(`${i + 1}.jpg`, { time_claims: [], albums: i % 3 === 0 ? [{ key: 'k', title: 'Goa' }] : [] })),
    places: [{ cell: '44.170,9.610', revision: 1, rank: 1, source: 'offline', street: null, neighbourhood: null, city: 'Levanto', region: 'Liguria', country: 'Italy', country_code: 'IT', distance_m: 100, zone: 'Europe/Rome' }],
  });
});

const get = async (path: string, headers: Record<string, string> = {}) => { const answer = await ask(path, { headers }); return { status: answer.status, etag: answer.headers.get('ETag'), text: await answer.text() }; };
const layoutOf = async (of: string, more = ''): Promise<GridLayout> => readLayout((await get(`/grid/layout?of=${encodeURIComponent(of)}${more}`)).text);
const hashesIn = (html: string) => [...html.matchAll(/href="\/a\/([0-9a-f]{64})/g)].map((m) => m[1] ?? '');
const countIn = (layout: GridLayout) => layout.groups.reduce((n, group) => n + group.days.reduce((m, day) => m + day.ratios.length, 0), 0);

/** All tiles by the layout's keys alone. */
async function walk(of: string, layout: GridLayout): Promise<string[]> {
  const all: string[] = [];
  for (const group of layout.groups) {
    const count = group.days.reduce((n, day) => n + day.ratios.length, 0);
    expect(group.cuts.length).toBe(Math.ceil(count / PIECE_TILES));
    for (const [piece, cut] of group.cuts.entries()) {
      const n = Math.min(PIECE_TILES, count - piece * PIECE_TILES);
      const run = hashesIn((await get(`/grid/piece?of=${encodeURIComponent(of)}&from=${cut}&n=${n}`)).text);
      expect(run.length).toBe(n);
      all.push(...run);
    }
  }
  return all;
}

describe('the text of a layout', () => {
  it('comes back as it was, at about a byte a tile', () => {
    const groups = Array.from({ length: 120 }, (_, g) => ({
      key: 202001 + g, version: 1_700_000_000_000 + g, cuts: Array.from({ length: 42 }, (_, i) => keyText(1_700_000_000_000 - i * 1e7, 900_000 - i)),
      days: Array.from({ length: 28 }, (_, d) => ({ day: d + 1, ratios: ratioChar(4, 3 + (d % 3)).repeat(298) })),
    }));
    const layout: GridLayout = { by: 'day', version: 7, keys: groups.map((group) => group.key), groups };
    const text = writeLayout(layout);
    expect(readLayout(text)).toEqual(layout);
    expect(text.length / countIn(layout)).toBeLessThan(1.3);
    expect(readLayout(writeLayout({ by: 'none', version: 0, keys: [], groups: [] }))).toEqual({ by: 'none', version: 0, keys: [], groups: [] });
    expect(() => readLayout('{"by":"day"}\nnonsense')).toThrow('not a layout');
  });

  it('has keys of any time and id, and no others', () => {
    for (const [ms, id] of [[0, 0], [-8_640_000_000_000_000, 5], [9e15, 4_000_000], [-1, 1]] as const) expect(parseKey(keyText(ms, id))).toEqual({ sortMs: ms, assetId: id });
    for (const text of ['', '1', '1.', '.1', '1.-1', 'zzzzzzzzzzzz.1', 'a b.1', '1.1;']) expect(parseKey(text), text).toBeUndefined();
  });

  it('has a ratio for every shape', () => {
    for (const [w, h] of [[4, 3], [3, 4], [1, 1], [8, 1], [1, 8]] as const) expect(Math.abs(Math.log2(charRatio(ratioChar(w, h)) / (w / h)))).toBeLessThan(0.05);
    expect([charRatio(ratioChar(null, 3)), charRatio(ratioChar(20, 1)), charRatio(ratioChar(0, 0))]).toEqual([1, 8, 1]);
  });
});

describe('the timeline', () => {
  it('is laid out whole, in the order of its pieces', async () => {
    const layout = await layoutOf('/');
    expect(layout.by).toBe('day');
    expect(layout.keys).toEqual([202310, 202309, 202101, 202002, 0]);
    expect(countIn(layout)).toBe(COUNT);
    const { results } = await env.DB.prepare('SELECT sha256, ratio FROM timeline_items WHERE shown = 1 ORDER BY sort_ms DESC, asset_id DESC').all<{ sha256: string; ratio: string }>();
    expect(await walk('/', layout)).toEqual(results.map((row) => row.sha256));
    expect(layout.groups.flatMap((group) => group.days.map((day) => day.ratios)).join('')).toBe(results.map((row) => row.ratio).join(''));
  });

  it('joins months in one piece, and says their versions and places', async () => {
    const layout = await layoutOf('/');
    const [october, september] = layout.groups;
    const last = october?.cuts.at(-1) ?? '';
    const piece = (await get(`/grid/piece?of=/&from=${last}&n=390`)).text;
    const versions = JSON.parse((/data-versions="([^"]*)"/.exec(piece)?.[1] ?? '').replaceAll('&quot;', '"')) as Record<string, number>;
    expect(versions).toMatchObject({ 202310: october?.version, 202309: september?.version });
    const places = JSON.parse((/data-places="([^"]*)"/.exec(piece)?.[1] ?? '').replaceAll('&quot;', '"')) as Record<string, string>;
    expect(new Set(Object.values(places))).toEqual(new Set(['Levanto, Italy']));
  });

  it('reads as little where hundreds share one second', async () => {
    const burst = Array.from({ length: 900 }, (_, i) => asset(10_000 + i, { time_claims: [exif('2019-05-05T05:05:05')] }));
    await send({ assets: burst, locations: burst.map((_, i) => location(10_000 + i, `burst-${i}.jpg`)) });
    const group = (await layoutOf('/')).groups.find(({ key }) => key === 201905);
    expect(await walk('/', { by: 'day', version: 0, keys: [201905], groups: group ? [group] : [] })).toHaveLength(900);
    const key = parseKey(group?.cuts[3] ?? '');
    expect((await env.DB.prepare(OLDER_SQL).bind(key?.sortMs, key?.assetId, 100).all()).meta.rows_read).toBeLessThanOrEqual(500);
    const from = parseKey(group?.cuts[2] ?? '');
    const found = await env.DB.prepare(BETWEEN_SQL).bind(201905, key?.sortMs, key?.assetId, from?.sortMs, from?.assetId).all<{ n: number }>();
    expect([found.results[0]?.n, found.meta.rows_read <= 2 * PIECE_TILES]).toEqual([PIECE_TILES, true]);
    await env.DB.batch([env.DB.prepare("DELETE FROM locations WHERE path LIKE 'burst-%'"), markUnresolved(env.DB, burst.map((each) => each.sha256))]);
    await resolveMarked(env.DB, Date.now());
  });

  it('tells what changed since, and nothing twice', async () => {
    const before = await layoutOf('/');
    const { etag } = await get('/grid/layout?of=/');
    expect((await get('/grid/layout?of=/', { 'If-None-Match': etag ?? '' })).status).toBe(304);
    const fresh = asset(5_000, { time_claims: [exif('2021-01-30T10:00:00')] });
    await send({ assets: [fresh], locations: [location(5_000, 'fresh.jpg')] });
    expect((await get('/grid/layout?of=/', { 'If-None-Match': etag ?? '' })).status).toBe(200);
    const since = await layoutOf('/', `&since=${before.version}`);
    expect([since.keys, since.groups.map((group) => group.key)]).toEqual([before.keys, [202101]]);
    expect(since.version).toBeGreaterThan(before.version);
    expect(countIn(await layoutOf('/'))).toBe(COUNT + 1);
    expect((await layoutOf('/', `&since=${since.version}`)).groups).toEqual([]);
  });

  it('is the same where the migration found the pieces of a library of before', async () => {
    const sql = env.TEST_MIGRATIONS.flatMap((migration) => migration.queries).find((query) => query.includes('UPDATE timeline_buckets SET cuts'));
    const cuts = async () => (await env.DB.prepare('SELECT month, cuts FROM timeline_buckets ORDER BY month').all()).results;
    const before = await cuts();
    await env.DB.prepare("UPDATE timeline_buckets SET cuts = '[]'").run();
    await env.DB.prepare(sql ?? '').run();
    expect(await cuts()).toEqual(before);
  });

  it('says where an asset stands', async () => {
    const layout = await layoutOf('/');
    for (const group of layout.groups) {
      const count = group.days.reduce((n, day) => n + day.ratios.length, 0);
      const all = JSON.parse((await get(`/grid/hashes?of=/&from=${group.cuts[0]}&n=${count}`)).text) as string[];
      for (const offset of [0, 1, PIECE_TILES - 1, PIECE_TILES, PIECE_TILES + 1, count - 1].filter((each) => each < count)) {
        expect(JSON.parse((await get(`/grid/locate?of=/&sha256=${all[offset]}`)).text)).toEqual({ group: group.key, offset });
      }
    }
    expect(JSON.parse((await get(`/grid/locate?of=/&sha256=${hashOf(999_999)}`)).text)).toBeNull();
  });

  it('reads a bounded number of rows for a piece and for a place in it', async () => {
    const read = async (sql: string, ...values: unknown[]) => (await env.DB.prepare(sql).bind(...values).all()).meta.rows_read;
    const layout = await layoutOf('/');
    const key = parseKey(layout.groups[0]?.cuts[2] ?? '');
    expect(await read(OLDER_SQL, key?.sortMs, (key?.assetId ?? 0) + 1, PIECE_TILES)).toBeLessThanOrEqual(5 * PIECE_TILES);
    expect(await read(CUTS_SQL, 202310)).toBe(1);
    const next = parseKey(layout.groups[0]?.cuts[3] ?? '');
    expect(await read(BETWEEN_SQL, 202310, next?.sortMs, next?.assetId, key?.sortMs, key?.assetId)).toBeLessThanOrEqual(2 * PIECE_TILES);
  });
});

describe('grids of their own', () => {
  it('are laid out in their own order: a place newest first, an album oldest first', async () => {
    for (const of of ['/places/IT/Liguria/Levanto', '/albums/1']) {
      const layout = await layoutOf(of);
      expect(layout.by).toBe('month');
      const all = await walk(of, layout);
      expect(new Set(all).size).toBe(all.length);
      expect(all.length).toBe(of === '/albums/1' ? Math.ceil(COUNT / 3) : COUNT);
      expect(layout.keys).toEqual(of === '/albums/1' ? [202002, 202101, 202309, 202310, 0] : [202310, 202309, 202101, 202002, 0]);
      expect(JSON.parse((await get(`/grid/locate?of=${of}&sha256=${all[PIECE_TILES + 3]}`)).text)).toHaveProperty('offset');
      const page = (await get(`${of}`)).text;
      expect(hashesIn(page)[0]).toBe(all[0]);
    }
  });

  it('are laid out for a search by rank', async () => {
    const of = '/search?q=levanto';
    const layout = await layoutOf(of);
    expect([layout.by, layout.keys]).toEqual(['none', [0]]);
    expect(countIn(layout)).toBeGreaterThan(COUNT - 50);
    const all = await walk(of, layout);
    expect(new Set(all).size).toBe(all.length);
    expect(JSON.parse((await get(`/grid/locate?of=${encodeURIComponent(of)}&sha256=${all[250]}`)).text)).toEqual({ group: 0, offset: 250 });
    expect(countIn(await layoutOf('/search?q=zzqqxx'))).toBe(0);
  });

  it('refuse what is no grid, no key and no count', async () => {
    for (const path of ['/grid/layout?of=', '/grid/layout?of=/settings', '/grid/layout?of=/&since=x', '/grid/piece?of=/&from=x&n=3', '/grid/piece?of=/&from=1.1', '/grid/piece?of=/search?q=a&from=1.1&n=2', '/grid/hashes?of=/&from=1.1&n=-1', '/grid/locate?of=/&sha256=x']) {
      expect((await get(path)).status, path).toBe(400);
    }
  });
});

describe('a day is said with its place', () => {
  const at = (city: string | null, n: number, more = {}) => ({ city, country: 'Italy', distance_m: 100, n, ...more });
  it('the main town, both of two, no town that is far', () => {
    expect(sayDayPlace([])).toBe('');
    expect(sayDayPlace([at('Florence', 9), at('Pisa', 1)])).toBe('Florence, Italy');
    expect(sayDayPlace([at('Florence', 5), at('Pisa', 4)])).toBe('Florence and Pisa, Italy');
    expect(sayDayPlace([at('Vienna', 5, { country: 'Austria' }), at('Pisa', 4)])).toBe('Vienna and Pisa');
    expect(sayDayPlace([at('Pisa', 3, { distance_m: 30_000 })])).toBe('Near Pisa, Italy');
    expect(sayDayPlace([at('Pisa', 3, { distance_m: 300_000 })])).toBe('Italy');
    expect(sayDayPlace([at('Singapore', 3, { country: 'Singapore' })])).toBe('Singapore');
    expect(sayDayPlace([at(null, 3, { country: null })])).toBe('');
  });
});
