// The client against a real server on loopback that misbehaves, on a clock of the test's own: nothing here waits or is timed.
// The catalog is a real file, so that a restart is one.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openCatalog, type Catalog } from '../../../agent/catalog/catalog.ts';
import { createNominatim, NominatimAway, PUBLIC_NOMINATIM } from '../../../agent/pipeline/nominatim.ts';
import type { PlaceNames } from '../../../agent/pipeline/place-offline.ts';
import { SOFTWARE_VERSION } from '../../../protocol/versions.ts';
import { breakOff, flood, hangUp, HOUSE, json, raw, refuse, startFakeNominatim, type FakeNominatim } from '../../support/fake-nominatim.ts';

const OFFLINE: PlaceNames = { source: 'offline', street: null, neighbourhood: null, city: 'Offline Town', region: 'Offline Region', country: 'Offline Land', country_code: 'OL', distance_m: 4_300, zone: 'Europe/Rome' };
const HERE = [44.17, 9.612] as const;

let dir: string, catalog: Catalog, server: FakeNominatim, clock: { ms: number };
const never = new AbortController().signal;
const sleep = async (ms: number) => { clock.ms += ms; };
const restart = () => { catalog.close(); catalog = openCatalog(join(dir, 'catalog.db')); return client(); };
const client = (url = server.url) => createNominatim({ url, catalog, now: () => clock.ms, sleep });
const ask = (of: ReturnType<typeof client>, [latitude, longitude]: readonly [number, number] = HERE) => of.name(latitude, longitude, OFFLINE, never);
const away = async (promise: Promise<unknown>): Promise<NominatimAway> => {
  const error = await promise.then((value) => { throw new Error(`it answered ${JSON.stringify(value)}`); }, (e: unknown) => e);
  expect(error).toBeInstanceOf(NominatimAway);
  return error as NominatimAway;
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'jharokha-nominatim-'));
  catalog = openCatalog(join(dir, 'catalog.db'));
  clock = { ms: 1_700_000_000_000 };
  server = await startFakeNominatim(() => clock.ms);
});
afterEach(async () => { catalog.close(); await server.close(); rmSync(dir, { recursive: true, force: true }); });

describe('what it asks and what it understands', () => {
  test('a request names the software, the position and the language', async () => {
    await ask(client());
    expect(server.asked).toEqual([{
      at: clock.ms, path: '/reverse', userAgent: `Jharokha/${SOFTWARE_VERSION} (self-hosted photo library)`,
      query: { format: 'jsonv2', lat: '44.17', lon: '9.612', zoom: '18', addressdetails: '1', 'accept-language': 'en' },
    }]);
  });

  test('a house in a town: every field, and 0 m inside its box', async () => {
    expect(await ask(client())).toEqual({ source: 'nominatim', street: 'Via Roma', neighbourhood: 'Borgo', city: 'Levanto', region: 'Liguria', country: 'Italy', country_code: 'IT', distance_m: 0, zone: 'Europe/Rome' });
  });

  test('outside of the box the distance counts', async () => {
    server.answer = json({ ...HOUSE, lat: '44.18', lon: '9.612', boundingbox: ['44.1799', '44.1801', '9.6119', '9.6121'] });
    expect((await ask(client()))?.distance_m).toBe(1_112);
    server.answer = json({ ...HOUSE, boundingbox: 'nonsense' });
    expect((await ask(client()))?.distance_m).toBeLessThan(2);
  });

  test('in open country the offline town and its distance stand in', async () => {
    server.answer = json({ ...HOUSE, address: { path: 'Sentiero Azzurro', county: 'La Spezia', country: 'Italy', country_code: 'it' } });
    expect(await ask(client())).toMatchObject({ street: 'Sentiero Azzurro', neighbourhood: null, city: 'Offline Town', distance_m: 4_300, region: 'La Spezia', country: 'Italy' });
  });

  test('a server that knows nothing there has answered', async () => {
    server.answer = json({ error: 'Unable to geocode' });
    expect(await ask(client())).toBeUndefined();
    expect(JSON.parse(catalog.getMeta('nominatim') ?? '{}')).toMatchObject({ failures: 0 });
  });

  test('hostile text is cut and cleaned', async () => {
    server.answer = json({ ...HOUSE, address: { road: `a\u0000b\u202e\n${'x'.repeat(9_000)}`, town: ['an', 'array'], state: { an: 'object' }, country: 42, country_code: '../..' } });
    const names = await ask(client());
    expect(names?.street).toHaveLength(200);
    expect(names?.street).not.toMatch(/[\0\n]/);
    expect(names).toMatchObject({ city: 'Offline Town', region: 'Offline Region', country: '42', country_code: 'OL' });
  });

  test('without a server of its own the owner gets the public one', () => { expect(PUBLIC_NOMINATIM).toBe('https://nominatim.openstreetmap.org'); });
});

describe('its pace', () => {
  const spacing = () => server.asked.slice(1).map((a, i) => a.at - (server.asked[i]?.at ?? 0));

  test('a second between requests, however many ask at once', async () => {
    const one = client();
    await Promise.all([ask(one), ask(one), ask(one), ask(one)]);
    expect(server.asked).toHaveLength(4);
    expect(Math.min(...spacing())).toBeGreaterThanOrEqual(1_000);
  });

  test('also across restarts, and when a request never came back', async () => {
    await ask(client());
    await ask(restart());
    server.misbehave(hangUp);
    await away(ask(restart()));
    await ask(restart());
    expect(server.asked).toHaveLength(4);
    expect(Math.min(...spacing())).toBeGreaterThanOrEqual(1_000);
  });

  test('the time of a request is in the catalog before it is sent', async () => {
    let kept: unknown;
    server.answer = (request, response) => { kept = JSON.parse(catalog.getMeta('nominatim') ?? '{}'); json(HOUSE)(request, response); };
    clock.ms += 5_000;
    await ask(client());
    expect(kept).toMatchObject({ url: server.url, last_ms: clock.ms });
  });

  test('another server does not inherit the trouble, but the pace', async () => {
    server.misbehave(refuse(429, { 'retry-after': '3600' }));
    await away(ask(client()));
    const other = await startFakeNominatim(() => clock.ms);
    try {
      const before = clock.ms;
      await ask(client(other.url));
      expect((other.asked[0]?.at ?? 0) - before).toBeGreaterThanOrEqual(1_000);
      expect((other.asked[0]?.at ?? 0) - before).toBeLessThan(2_000);
    } finally { await other.close(); }
  });

  test('a clock that was set back costs a second, not years', async () => {
    await ask(client());
    clock.ms -= 10 * 365 * 86_400_000;
    const before = clock.ms;
    await ask(restart());
    expect(clock.ms - before).toBeLessThan(2_000);
  });

  test('a state that nobody can read is like none', async () => {
    for (const bad of ['', 'null', '{"url":1}', '[', '{"url":"x","last_ms":null}']) {
      catalog.setMeta('nominatim', bad);
      expect((await ask(client()))?.street).toBe('Via Roma');
    }
  });
});

describe('a server that is busy or ill', () => {
  const sent = { bytes: 0 };
  test.each([
    ['429', refuse(429), /asked too much/], ['500', refuse(500), /answered 500/], ['502', refuse(502), /answered 502/], ['403', refuse(403), /answered 403/], ['404', refuse(404), /answered 404/],
    ['no JSON', raw('<html>'), /not Nominatim/], ['half of JSON', raw('{"lat": "1"'), /not Nominatim/], ['nothing', raw(''), /not Nominatim/], ['bytes', raw(Buffer.from([0xff, 0xfe, 0])), /not Nominatim/],
    ['null', json(null), /not Nominatim/], ['a list', json([HOUSE]), /not Nominatim/], ['another error', json({ error: 'Internal' }), /not Nominatim/], ['no address', json({ lat: '1', lon: '2' }), /not Nominatim/],
    ['a text for the address', json({ ...HOUSE, address: 'Via Roma' }), /not Nominatim/], ['no number', json({ ...HOUSE, lat: 'north' }), /not Nominatim/], ['NaN', json({ ...HOUSE, lon: 'NaN' }), /not Nominatim/], ['another planet', json({ ...HOUSE, lat: 300 }), /not Nominatim/], ['null degrees', json({ ...HOUSE, lat: null }), /not Nominatim/],
    ['a redirect', refuse(302, { location: 'http://127.0.0.1:1/' }), /./], ['a closed socket', hangUp, /./], ['half a body', breakOff, /./], ['a body without end', flood(sent), /far too large/],
  ])('%s: nothing is kept, the next one waits', async (_name, answer, why) => {
    server.misbehave(answer);
    const error = await away(ask(client()));
    expect(error.message).toMatch(why);
    expect(error.waitMs).toBe(2_000);
    const failed = clock.ms;
    expect((await ask(client()))?.street).toBe('Via Roma');
    expect(server.asked).toHaveLength(2);
    expect((server.asked[1]?.at ?? 0) - failed).toBeGreaterThanOrEqual(2_000);
  });

  test('of a body without end only a little was taken', () => {
    expect(sent.bytes).toBeGreaterThan(200_000);
    expect(sent.bytes).toBeLessThan(20_000_000);
  });

  test('one that hangs is given up', async () => {
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => { expect(ms).toBe(15_000); return AbortSignal.abort(new DOMException('late', 'TimeoutError')); });
    try {
      server.misbehave(() => {});
      expect((await away(ask(client()))).message).toMatch(/in time/);
    } finally { vi.restoreAllMocks(); }
  });

  test('one that is not there at all', async () => {
    const { url } = server;
    await server.close();
    expect((await away(ask(client(url)))).message).toMatch(/ECONNREFUSED|connect/);
  });

  test('pauses double to an hour, are kept over restarts, and end with the first answer', async () => {
    const waits: number[] = [];
    for (let i = 0; i < 14; i += 1) {
      server.misbehave(refuse(503));
      const error = await away(ask(restart()));
      waits.push(error.waitMs);
      clock.ms += error.waitMs;
    }
    expect(waits.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect(waits.at(-1)).toBe(3_600_000);
    await ask(restart());
    server.misbehave(refuse(503));
    expect((await away(ask(restart()))).waitMs).toBe(2_000);
  });

  test('while it is to be left alone nothing is sent, after a restart neither', async () => {
    server.misbehave(refuse(429, { 'retry-after': '600' }));
    expect((await away(ask(client()))).waitMs).toBe(600_000);
    clock.ms += 300_000;
    const error = await away(ask(restart()));
    expect(error.waitMs).toBe(300_000);
    expect(error.message).toMatch(/left alone for another 5 min/);
    expect(server.asked).toHaveLength(1);
    clock.ms += 300_000;
    await ask(restart());
    expect(server.asked).toHaveLength(2);
  });

  test.each([
    ['a date', () => new Date(clock.ms + 120_000).toUTCString(), 120_000], ['years', () => '999999999', 86_400_000], ['the past', () => new Date(0).toUTCString(), 2_000], ['nonsense', () => 'soon', 2_000], ['a negative', () => '-5', 2_000],
  ])('Retry-After as %s', async (_name, value, waitMs) => {
    server.misbehave(refuse(429, { 'retry-after': value() }));
    const error = await away(ask(client()));
    expect(Math.abs(error.waitMs - waitMs)).toBeLessThanOrEqual(1_000);
  });

  test('an end that comes while it waits is an end', async () => {
    const stop = new AbortController();
    const waiting = createNominatim({ url: server.url, catalog, now: () => clock.ms, sleep: async (_ms, signal) => { stop.abort(); signal.throwIfAborted(); } });
    await ask(waiting);
    await expect(waiting.name(...HERE, OFFLINE, stop.signal)).rejects.toThrow(/abort/i);
    expect(server.asked).toHaveLength(1);
  });
});
