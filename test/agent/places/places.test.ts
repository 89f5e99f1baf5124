// The stage that names places: the catalog first, offline next, a server last; page by page, once each, whatever fails. The
// Worker's part is played by a table of cells and ranks; a catalog, the tables and the server are real.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCatalog, type Catalog } from '../../../agent/catalog/catalog.ts';
import { readOptions, writeOptions } from '../../../agent/catalog/options.ts';
import { keepPlace } from '../../../agent/catalog/places.ts';
import { acknowledgeBatch, startNewEpoch, storeNextBatch } from '../../../agent/catalog/outbox.ts';
import { createPlaces, type Places } from '../../../agent/pipeline/places.ts';
import { cellCentre } from '../../../protocol/place.ts';
import { PlaceRow, type Batch } from '../../../protocol/rows.ts';
import { PLACE_RANK_NOMINATIM, PLACE_RANK_OFFLINE } from '../../../protocol/versions.ts';
import { HOUSE, json, refuse, startFakeNominatim, type FakeNominatim } from '../../support/fake-nominatim.ts';

const LEVANTO = '44.170,9.612', TOKYO = '35.681,139.767', SEA = '40.000,-40.000';
const PAGE = 2;

/** What the Worker keeps of places, and how it answers for them. `refuses` holds cells whose rows it does not take. */
function createWorker(cells: string[]) {
  const rows = new Map<string, PlaceRow | null>(cells.map((cell) => [cell, null]));
  return {
    rows, refuses: new Set<string>(), wishes: 0, taken: 0, down: false,
    want(cell: string) { if (!rows.has(cell)) rows.set(cell, null); },
    label: (cell: string) => { const row = rows.get(cell); return row ? [row.rank, row.street, row.city, row.country] : null; },
    async wanted(rank: number) {
      this.wishes += 1;
      if (this.down) throw new Error('the Worker is away');
      return [...rows].filter(([, row]) => (row?.rank ?? 0) < rank).sort(([, a], [, b]) => (a?.rank ?? 0) - (b?.rank ?? 0)).slice(0, PAGE).map(([cell]) => ({ cell, ...cellCentre(cell) as { latitude: number; longitude: number } }));
    },
    take(batch: Batch) {
      for (const raw of batch.places) {
        const row = PlaceRow.parse(raw);
        this.taken += 1;
        const known = rows.get(row.cell);
        if (!this.refuses.has(row.cell) && (!known || row.rank >= known.rank)) rows.set(row.cell, row);
      }
    },
  };
}

let dir: string, catalog: Catalog, worker: ReturnType<typeof createWorker>, server: FakeNominatim, stop: AbortController, clock: { ms: number }, troubles: string[];
const stages: Places[] = [];
let seq = 0;

function push(): Promise<void> {
  if (worker.down) return Promise.reject(new Error('the Worker is away'));
  for (;;) {
    const batch = storeNextBatch(catalog, { agentId: 'a', epoch: 'e', seq: seq += 1, homeZone: 'UTC' }, false);
    if (!batch) return Promise.resolve();
    worker.take(JSON.parse(batch.body) as Batch);
    acknowledgeBatch(catalog, batch.seq);
  }
}
function stage(): Places {
  const places = createPlaces({
    catalog, signal: stop.signal, push, wanted: (rank) => worker.wanted(rank), options: () => readOptions(catalog), onTrouble: (error) => { troubles.push(String(error)); },
    clock: { now: () => clock.ms, sleep: async (ms) => { clock.ms += ms; } },
  });
  stages.push(places);
  return places;
}
/** Names everything, and lets the server finish. */
async function run(places: Places = stage()): Promise<void> { await places.settled(); await places.asked(30_000); }

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'jharokha-places-'));
  catalog = openCatalog(join(dir, 'catalog.db'));
  worker = createWorker([LEVANTO, TOKYO, SEA, '-16.800,179.990', '90.000,0.000']);
  stop = new AbortController();
  clock = { ms: 1_700_000_000_000 };
  server = await startFakeNominatim(() => clock.ms);
  troubles = [];
});
afterEach(async () => {
  stop.abort();
  for (const places of stages.splice(0)) await places.ended();
  catalog.close();
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});
const useServer = () => writeOptions(catalog, { geocoder: 'nominatim', nominatim_url: server.url });

describe('offline', () => {
  test('every cell that is wanted is named and pushed, over several pages, and then nothing is wanted', async () => {
    await run();
    expect(worker.label(LEVANTO)).toEqual([PLACE_RANK_OFFLINE, null, 'Levanto', 'Italy']);
    expect(worker.label(TOKYO)).toEqual([PLACE_RANK_OFFLINE, null, 'Tokyo', 'Japan']);
    expect(worker.label(SEA)).toEqual([PLACE_RANK_OFFLINE, null, null, null]);
    expect([...worker.rows.values()].every((row) => row !== null)).toBe(true);
    expect(worker.taken).toBe(worker.rows.size);
    expect(server.asked).toEqual([]);
    const wishes = worker.wishes;
    await run();
    expect([worker.taken, worker.wishes]).toEqual([worker.rows.size, wishes + 1]);
    expect(troubles).toEqual([]);
  });

  test('what the catalog has is pushed again without being looked up', async () => {
    keepPlace(catalog, { cell: LEVANTO, rank: PLACE_RANK_OFFLINE, source: 'offline', street: null, neighbourhood: null, city: 'From the catalog', region: null, country: null, country_code: null, distance_m: null, zone: null });
    await push();
    worker.rows.set(LEVANTO, null);
    await run();
    expect(worker.label(LEVANTO)?.[2]).toBe('From the catalog');
  });

  test('a Worker that was emptied gets them again, also when it took up a new epoch', async () => {
    await run();
    for (const cell of worker.rows.keys()) worker.rows.set(cell, null);
    startNewEpoch(catalog, 'another', true);
    await run();
    expect([...worker.rows.values()].every((row) => row !== null)).toBe(true);
  });

  test('a row that the Worker refuses is not tried for ever', async () => {
    worker.refuses.add(LEVANTO);
    await run();
    expect(worker.label(LEVANTO)).toBeNull();
    expect(worker.label(TOKYO)?.[2]).toBe('Tokyo');
  });

  test('a Worker that is away is no trouble for anybody but the names', async () => {
    worker.down = true;
    await run();
    expect(troubles).toHaveLength(1);
    worker.down = false;
    await run();
    expect(worker.label(LEVANTO)?.[2]).toBe('Levanto');
  });

  test('a wish that comes while it works is not lost', async () => {
    const places = stage();
    places.wake();
    const wanted = worker.wanted.bind(worker);
    let first = true;
    worker.wanted = async (rank) => { const page = await wanted(rank); if (page.length === 0 && first) { first = false; worker.want('48.858,2.294'); places.wake(); } return page; };
    await run(places);
    expect(worker.label('48.858,2.294')?.[2]).toBe('Paris');
    expect(places.naming()).toBe(false);
  });
});

describe('a Nominatim server', () => {
  test('offline names are there before it is asked; then its answers replace them, once a cell', async () => {
    useServer();
    const before: unknown[] = [];
    server.answer = (request, response) => { before.push(worker.label(LEVANTO)?.[0]); json(HOUSE)(request, response); };
    await run();
    expect(before[0]).toBe(PLACE_RANK_OFFLINE);
    expect(worker.label(LEVANTO)).toEqual([PLACE_RANK_NOMINATIM, 'Via Roma', 'Levanto', 'Italy']);
    expect(new Set(server.asked.map((a) => `${a.query['lat']},${a.query['lon']}`)).size).toBe(worker.rows.size);
    expect(server.asked).toHaveLength(worker.rows.size);
    expect(troubles).toEqual([]);
  });

  test('no second request for a cell: not after a restart, not for a Worker that was emptied', async () => {
    useServer();
    await run();
    const asked = server.asked.length;
    catalog.close();
    catalog = openCatalog(join(dir, 'catalog.db'));
    for (const cell of worker.rows.keys()) worker.rows.set(cell, null);
    await run();
    expect(server.asked).toHaveLength(asked);
    expect(worker.label(TOKYO)?.slice(0, 2)).toEqual([PLACE_RANK_NOMINATIM, 'Via Roma']);
  });

  test('"nothing there" is an answer too: the offline name stays and it is not asked again', async () => {
    useServer();
    server.answer = json({ error: 'Unable to geocode' });
    await run();
    expect(worker.label(LEVANTO)).toEqual([PLACE_RANK_NOMINATIM, null, 'Levanto', 'Italy']);
    expect(worker.rows.get(LEVANTO)?.source).toBe('offline');
    const asked = server.asked.length;
    await run();
    expect(server.asked).toHaveLength(asked);
  });

  test('one that fails twice is asked again, and the others do not suffer', async () => {
    useServer();
    server.misbehave(refuse(500), refuse(429, { 'retry-after': '3' }));
    await run();
    expect([...worker.rows.values()].map((row) => row?.rank)).toEqual([...worker.rows].map(() => PLACE_RANK_NOMINATIM));
    expect(server.asked).toHaveLength(worker.rows.size + 2);
    expect(troubles.join()).toMatch(/answered 500/);
  });

  test('a cell that it always fails on holds up none of the others', async () => {
    useServer();
    server.answer = (request, response) => { (request.url?.includes('lat=44.17') ? refuse(500) : json(HOUSE))(request, response); };
    await run();
    const ranks = [...worker.rows].map(([cell, row]) => [cell, row?.rank]);
    expect(ranks.filter(([, rank]) => rank !== PLACE_RANK_NOMINATIM)).toEqual([[LEVANTO, PLACE_RANK_OFFLINE]]);
  });

  test('one that asks to be left alone is left alone, and the names offline are there', async () => {
    useServer();
    server.answer = refuse(429, { 'retry-after': '86400' });
    await run();
    await run();
    expect(server.asked).toHaveLength(1);
    expect(worker.label(TOKYO)).toEqual([PLACE_RANK_OFFLINE, null, 'Tokyo', 'Japan']);
  });

  test('an owner who goes back to offline ends the asking', async () => {
    useServer();
    server.answer = (request, response) => { writeOptions(catalog, { geocoder: 'offline' }); json(HOUSE)(request, response); };
    await run();
    expect(server.asked).toHaveLength(1);
  });

  test('it ends at once when the agent does, and what was answered is kept', async () => {
    useServer();
    let answered = 0;
    server.answer = (request, response) => { answered += 1; if (answered === 2) stop.abort(); else json(HOUSE)(request, response); };
    const places = stage();
    await run(places);
    await places.ended();
    expect(server.asked).toHaveLength(2);
    expect(catalog.prepare('SELECT count(*) AS n FROM places WHERE rank = ?').get(PLACE_RANK_NOMINATIM)).toEqual({ n: 1 });
    expect(troubles).toEqual([]);
  });
});
