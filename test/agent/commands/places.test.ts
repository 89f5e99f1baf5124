// Places as the owner meets them: named when a command ends, offline or by a server of his own, and the choice is kept.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ListLine } from '../../../protocol/list.ts';
import { startFakeNominatim, type FakeNominatim } from '../../support/fake-nominatim.ts';
import { fetchList, freePort, runCommandAsync, startUp, stopUp, waitIdle } from '../../support/instance.ts';
import { makePicture, phoneExif } from '../../support/make-media.ts';

let base: string, dataDir: string, server: FakeNominatim;
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'jharokha-named-'));
  dataDir = join(base, 'data');
  mkdirSync(join(base, 'pictures'));
  await put('levanto.jpg', 44.17, 9.612);
  await put('tokyo.jpg', 35.6812, 139.7671);
  await put('sea.jpg', 40.0004, -40.0004);
  server = await startFakeNominatim();
});
afterEach(async () => { await server.close(); rmSync(base, { recursive: true, force: true }); });

async function put(name: string, latitude: number, longitude: number): Promise<void> {
  writeFileSync(join(base, 'pictures', name), await makePicture({ seed: name.length, exif: phoneExif({ latitude, longitude }) }));
}
async function run(...args: string[]): Promise<string> {
  const ran = await runCommandAsync(dataDir, args);
  expect(ran.code, ran.stderr).toBe(0);
  return ran.stdout;
}
async function places(): Promise<Record<string, ListLine['place']>> {
  const lines = (await run('list', '--json')).trim().split('\n').map((line) => ListLine.parse(JSON.parse(line)));
  return Object.fromEntries(lines.map((line) => [line.locations[0]?.path.split('/').at(-1) ?? '', line.place]));
}

test('index ends with the places named, and the sea is nowhere', async () => {
  await run('index', join(base, 'pictures'), '--json');
  expect(await places()).toEqual({
    'levanto.jpg': { street: null, neighbourhood: null, city: 'Levanto', region: 'Liguria', country: 'Italy', country_code: 'IT', distance_m: 0, source: 'offline' },
    'tokyo.jpg': { street: null, neighbourhood: null, city: 'Tokyo', region: 'Tokyo', country: 'Japan', country_code: 'JP', distance_m: 0, source: 'offline' },
    'sea.jpg': null,
  });
});

test('with a server of the owner\'s own the street is there too, nothing is asked twice, and the choice is kept', async () => {
  await run('index', join(base, 'pictures'), '--geocoder', 'nominatim', '--geocoder-url', server.url, '--json');
  expect((await places())['levanto.jpg']).toMatchObject({ street: 'Via Roma', neighbourhood: 'Borgo', city: 'Levanto', source: 'nominatim', distance_m: 0 });
  expect(server.asked).toHaveLength(3);
  await put('another.jpg', 48.8584, 2.2945);
  await run('sync', '--once', '--json');
  expect(server.asked).toHaveLength(4);
  expect((await places())['another.jpg']?.source).toBe('nominatim');
  await put('more.jpg', 51.5007, -0.1246);
  await run('sync', '--once', '--geocoder', 'offline', '--json');
  expect(server.asked).toHaveLength(4);
  expect((await places())['more.jpg']).toMatchObject({ city: 'London', source: 'offline' });
  expect((await places())['levanto.jpg']?.source).toBe('nominatim');
});

test('a running instance names what it finds, and takes the choice from another command', async () => {
  const up = startUp(dataDir, await freePort(), [join(base, 'pictures')]);
  try {
    await waitIdle(up);
    expect((await places())['levanto.jpg']).toMatchObject({ city: 'Levanto', source: 'offline' });
    await put('another.jpg', 48.8584, 2.2945);
    await run('sync', '--once', '--geocoder-url', server.url, '--json');
    // By name at once; on a busy machine the server may have been asked meanwhile (whose every answer is one house).
    const first = (await places())['another.jpg'];
    expect([['offline', 'Paris'], ['nominatim', 'Levanto']]).toContainEqual([first?.source, first?.city]);
    const named = async () => (await fetchList(up, dataDir)).find((line) => line.locations[0]?.path.endsWith('/another.jpg'))?.place?.source;
    await expect.poll(named, { timeout: 30_000, interval: 100 }).toBe('nominatim');
    expect((await places())['another.jpg']?.street).toBe('Via Roma');
  } finally { await stopUp(up); }
});

test('a choice that is none is exit code 2', async () => {
  for (const args of [['--geocoder', 'google'], ['--geocoder-url', 'http://nominatim.example.org'], ['--geocoder-url', 'nonsense']]) {
    const ran = await runCommandAsync(dataDir, ['index', join(base, 'pictures'), ...args]);
    expect(ran.code, args.join(' ')).toBe(2);
    expect(ran.stderr).toContain(args[0]);
  }
  expect(server.asked).toEqual([]);
});
