// Three layers, stacks, albums and places as ingest and the resolver keep them: the same whatever comes first.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ImportFacts, PlaceRow, StackRow, TimeClaim } from '../../protocol/rows.ts';
import { askAsAgent, asset, createSender, evidence, exif, hashOf, item, librarySnapshot, location, migrate, volume, settleFeed } from './support.ts';

beforeEach(async () => { await reset(); await migrate(); });

function said(more: Partial<ImportFacts> = {}): ImportFacts {
  return { source: 'takeout', name: 'a.jpg.json', time_claims: [], latitude: null, longitude: null, gps_zone: null, description: null, favourite: null, archived: null, rating: null, people: [], tags: [], ...more };
}
function stack(member: number, primary: number, more: Partial<StackRow> = {}): StackRow {
  return { member_sha256: hashOf(member), primary_sha256: hashOf(primary), type: 'live', revision: 1, removed: false, basis: 'the same identifier', ...more };
}
function place(cell: string, more: Partial<PlaceRow> = {}): PlaceRow {
  return { cell, revision: 1, rank: 1, source: 'offline', street: null, neighbourhood: null, city: 'Levanto', region: 'Liguria', country: 'Italy', country_code: 'IT', distance_m: 4300, zone: 'Europe/Rome', ...more };
}
async function lines(): Promise<Record<string, unknown>[]> {
  return (await (await askAsAgent('/api/list')).text()).trim().split('\n').map((l) => JSON.parse(l) as Record<string, unknown>);
}

const pair = () => ({
  volumes: [volume()],
  assets: [
    asset(1, { time_claims: [exif('2024-05-06T07:08:09', 120)], latitude: 44.17, longitude: 9.61, gps_zone: 'Europe/Rome' }),
    asset(2, { kind: 'video', mime: 'video/quicktime', duration_ms: 2800, time_claims: [exif('2024-05-06T05:08:10')], facets: { facts: 1, grid: 2, preview: 0, proxy: 1 }, proxy_bytes: 9000 }),
  ],
  locations: [location(1, 'IMG_1.HEIC'), location(2, 'IMG_1.MOV')], evidence: [evidence('IMG_1.HEIC'), evidence('IMG_1.MOV')], stacks: [stack(2, 1)],
});

describe('stacks', () => {
  it('shows a Live Photo once, and its video takes the time and place of the still', async () => {
    await createSender()(pair());
    expect(await item(1)).toMatchObject({ shown: 1, members: 1, live_sha256: hashOf(2), live_proxy_version: 1 });
    expect(await item(2)).toMatchObject({ shown: 0, stack_type: 'live', primary_sha256: hashOf(1), taken_at: '2024-05-06T07:08:09', utc_offset_minutes: 120, latitude: 44.17 });
  });

  it('comes to the same whichever row is first', async () => {
    const rows = pair();
    await createSender()(rows);
    const whole = await librarySnapshot();
    for (const order of [['stacks', 'assets', 'locations', 'evidence', 'volumes'], ['locations', 'stacks', 'evidence', 'volumes', 'assets'], ['assets', 'evidence', 'locations', 'stacks', 'volumes']] as const) {
      await settleFeed(); await reset(); await migrate();
      const send = createSender();
      for (const list of order) await send({ [list]: rows[list] });
      expect(await librarySnapshot()).toEqual(whole);
    }
  });

  it('shows a member by itself while its primary is nowhere, and again when the word is taken back', async () => {
    const send = createSender();
    const rows = pair();
    await send({ ...rows, locations: [location(2, 'IMG_1.MOV')] });
    expect(await item(2)).toMatchObject({ shown: 1, primary_sha256: null });
    await send({ locations: [location(1, 'IMG_1.HEIC')] });
    expect(await item(2)).toMatchObject({ shown: 0, taken_at: '2024-05-06T07:08:09' });
    await send({ stacks: [stack(2, 1, { revision: 2, removed: true })] });
    expect(await item(2)).toMatchObject({ shown: 1, primary_sha256: null, taken_at: '2024-05-06T05:08:10' });
    expect(await item(1)).toMatchObject({ members: 0, live_sha256: null });
  });

  it('never hides both of two that point at each other', async () => {
    await createSender()({ ...pair(), stacks: [stack(2, 1), stack(1, 2)] });
    expect([await item(1), await item(2)]).toMatchObject([{ shown: 1 }, { shown: 1 }]);
  });

  it('lets a chain settle when its top comes last', async () => {
    const send = createSender();
    await send({ ...pair(), stacks: [stack(2, 1), stack(1, 3, { type: 'edited' })] });
    expect(await item(2)).toMatchObject({ shown: 0 });
    await send({ assets: [asset(3)], locations: [location(3, 'IMG_0.HEIC')] });
    expect([await item(1), await item(2)]).toMatchObject([{ shown: 0, primary_sha256: hashOf(3) }, { shown: 1, primary_sha256: null }]);
  });
});

describe('imports', () => {
  it('outrank what the file says of its place and words, and keep the order of times', async () => {
    await createSender()({
      volumes: [volume()], assets: [asset(1, { description: 'from the file', latitude: 10, longitude: 10, gps_zone: 'Africa/Lagos' })], locations: [location(1, 'a.jpg')],
      evidence: [evidence('a.jpg', { imports: [said({ description: 'Grandmother', favourite: true, people: ['B', 'A'], latitude: 44.17, longitude: 9.61, gps_zone: 'Europe/Rome', time_claims: [{ source: 'takeout', wall: null, utc_ms: 1, offset_minutes: null, offset_source: null }] })], albums: [{ key: 'takeout/Trip', title: 'Trip' }] })],
    });
    expect(await item(1)).toMatchObject({ taken_at: '2024-05-06T07:08:09', description: 'Grandmother', description_source: 'takeout', favourite: 1, latitude: 44.17, position_source: 'takeout', cell: '44.170,9.610' });
    expect((await lines())[0]).toMatchObject({ description: 'Grandmother', favourite: true, people: ['A', 'B'], albums: ['Trip'], place: null });
  });

  it('an archived one leaves the timeline, not the list', async () => {
    await createSender()({ volumes: [volume()], assets: [asset(1)], locations: [location(1, 'a.jpg')], evidence: [evidence('a.jpg', { imports: [said({ archived: true })] })] });
    expect(await item(1)).toMatchObject({ shown: 0, archived: 1 });
    expect((await lines())[0]).toMatchObject({ archived: true });
  });

  it('two copies whose sidecars disagree give one answer, whichever is scanned first', async () => {
    const copy = (folder: string, says: Partial<ImportFacts>, title: string) => ({ locations: [location(1, `${folder}/x.jpg`)], evidence: [evidence(`${folder}/x.jpg`, { imports: [said(says)], albums: [{ key: 'k', title }] })] });
    const taken = (ms: number): TimeClaim[] => [{ source: 'takeout', wall: null, utc_ms: ms, offset_minutes: null, offset_source: null }];
    const a = copy('a', { description: 'one', time_claims: taken(Date.UTC(2018, 1, 2, 3)), latitude: 44.17, longitude: 9.61, gps_zone: 'Europe/Rome', favourite: false, rating: 2, people: ['A'] }, 'Trip');
    const b = copy('b', { description: 'two', time_claims: taken(Date.UTC(2017, 1, 2, 3)), latitude: 35.68, longitude: 139.7, gps_zone: 'Asia/Tokyo', favourite: true, rating: 5, people: ['B'] }, 'trip');
    const answers: unknown[] = [];
    for (const order of [[a, b], [b, a]]) {
      await settleFeed(); await reset(); await migrate();
      const send = createSender();
      await send({ volumes: [volume()], assets: [asset(1, { time_claims: [] })] });
      for (const rows of order) await send(rows);
      const { locations, ...line } = (await lines())[0] ?? {};
      expect(locations).toHaveLength(2);
      answers.push([await item(1), line]);
    }
    expect(answers[0]).toEqual(answers[1]);
    // And it is an answer: one description, both people, the earlier of two times of one source in the zone of the place that was chosen.
    expect(answers[0]).toMatchObject([{ favourite: 1, taken_at_source: 'takeout', day: 20_170_202 }, { people: ['A', 'B'], albums: ['Trip'], description: expect.stringMatching(/^(one|two)$/) as string }]);
  });

  it('an album follows its members', async () => {
    const send = createSender();
    await send({ volumes: [volume()], assets: [asset(1)], locations: [location(1, 'a.jpg')], evidence: [evidence('a.jpg', { albums: [{ key: 'k', title: 'Trip' }] })] });
    const members = async () => (await env.DB.prepare("SELECT a.title, m.sha256 FROM album_assets m JOIN albums a USING (album_id) WHERE m.layer = 'import'").all()).results;
    expect(await members()).toEqual([{ title: 'Trip', sha256: hashOf(1) }]);
    await send({ evidence: [evidence('a.jpg', { revision: 2 })] });
    expect(await members()).toEqual([]);
  });
});

describe('places', () => {
  it('are wanted by cell, named once, and shown with their distance', async () => {
    const send = createSender();
    await send({ volumes: [volume()], assets: [asset(1, { latitude: 44.17, longitude: 9.61, gps_zone: 'Europe/Rome' })], locations: [location(1, 'a.jpg')] });
    const wanted = async (rank: number) => (await (await askAsAgent(`/sync/places/wanted?rank=${rank}`)).json<{ places: unknown[] }>()).places;
    expect(await wanted(1)).toEqual([{ cell: '44.170,9.610', latitude: 44.17, longitude: 9.61 }]);
    await send({ places: [place('44.170,9.610')] });
    expect(await wanted(1)).toEqual([]);
    expect(await wanted(100)).toHaveLength(1);
    expect((await lines())[0]).toMatchObject({ place: { city: 'Levanto', distance_m: 4300, source: 'offline' } });
    await send({ places: [place('44.170,9.610', { rank: 100, source: 'nominatim', city: 'Monterosso al Mare', revision: 2 })] });
    await send({ places: [place('44.170,9.610', { revision: 3 })] });
    expect((await lines())[0]).toMatchObject({ place: { city: 'Monterosso al Mare', source: 'nominatim' } });
  });

  it("give an owner's position its zone", async () => {
    const send = createSender();
    await env.DB.prepare("INSERT INTO curation (sha256, latitude, longitude, cell, changed_at_ms) VALUES (?, 35.0, 139.0, '35.000,139.000', 1)").bind(hashOf(1)).run();
    await send({ volumes: [volume()], assets: [asset(1, { time_claims: [exif('2024-05-06T07:08:09')] })], locations: [location(1, 'a.jpg')] });
    expect(await item(1)).toMatchObject({ position_source: 'owner', utc_offset_minutes: null });
    await send({ places: [place('35.000,139.000', { city: 'Odawara', zone: 'Asia/Tokyo' })] });
    expect(await item(1)).toMatchObject({ utc_offset_minutes: 540, utc_offset_source: 'gps_zone' });
  });
});
