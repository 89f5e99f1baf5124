// Capture times as D1 keeps them: evidence of names decides a movie's time whenever it comes, and old or absurd dates are kept.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TimeClaim } from '../../protocol/rows.ts';
import { ask, asset, createSender, evidence, exif, hashOf, librarySnapshot, location, migrate, volume, settleFeed } from './support.ts';

beforeEach(async () => { await reset(); await migrate(); });

const movie = (basis: string | null, wall: string | null = null): TimeClaim => ({ source: 'quicktime', wall, utc_ms: Date.UTC(2019, 4, 6, 10, 11, 12), offset_minutes: null, offset_source: null, basis });
const name = (wall: string): TimeClaim => ({ source: 'name', wall, utc_ms: null, offset_minutes: null, offset_source: null });
async function item(n: number) {
  return env.DB.prepare('SELECT taken_at, taken_at_source, utc_offset_minutes, utc_offset_source, doubtful, time_basis, day FROM timeline_items WHERE sha256 = ?').bind(hashOf(n)).first<Record<string, unknown>>();
}

describe('capture times in the library', () => {
  const rows = {
    volumes: [volume()],
    assets: [asset(1, { kind: 'video', mime: 'video/mp4', duration_ms: 4_000, time_claims: [movie(null)] }), asset(2, { kind: 'video', mime: 'video/mp4', duration_ms: 1_500_000, time_claims: [movie(null)] }), asset(3, { kind: 'video', mime: 'video/mp4', time_claims: [movie('GoPro', '2019-05-06T10:11:12')] })],
    locations: [location(1, '20190506_101112.mp4'), location(2, '20190506_114612.mp4'), location(3, 'GX010001.MP4')],
    evidence: [evidence('20190506_101112.mp4', { time_claims: [name('2019-05-06T10:11:12')] }), evidence('20190506_114612.mp4', { time_claims: [name('2019-05-06T11:46:12')] }), evidence('GX010001.MP4')],
  };

  it('are decided by a name, whichever row is first', async () => {
    await createSender()(rows);
    expect(await item(1)).toMatchObject({ taken_at: '2019-05-06T10:11:12', taken_at_source: 'quicktime', utc_offset_minutes: null, time_basis: 'the camera wrote local time: its name says the same' });
    // The name says the beginning of 25 minutes, the container their end.
    expect(await item(2)).toMatchObject({ taken_at: '2019-05-06T12:11:12', utc_offset_minutes: 120, utc_offset_source: 'utc_difference' });
    expect(await item(3)).toMatchObject({ taken_at: '2019-05-06T10:11:12', time_basis: 'GoPro' });
    const whole = await librarySnapshot();
    for (const order of [['evidence', 'locations', 'assets', 'volumes'], ['locations', 'assets', 'volumes', 'evidence'], ['assets', 'evidence', 'volumes', 'locations']] as const) {
      await settleFeed(); await reset(); await migrate();
      const send = createSender();
      for (const list of order) await send({ [list]: rows[list] });
      expect(await librarySnapshot()).toEqual(whole);
    }
  });

  it('say in the viewer what they were, the zone, where it is from, and why it is believed', async () => {
    await createSender()(rows);
    const said = async (n: number) => (await (await ask(`/a/${hashOf(n)}`)).text()).match(/id="fact-time".*?<\/div>/s)?.[0].replace(/<[^>]*>/g, '') ?? '';
    expect(await said(1)).toContain('10:11');
    expect(await said(1)).toContain('the camera wrote local time: its name says the same');
    expect(await said(2)).toContain('UTC+2');
    expect(await said(2)).toContain('written in UTC: its name is +02:00 from it');
    expect(await said(3)).toContain('GoPro');
  });

  it('may lie before 1970, and absurd ones are shown and doubted', async () => {
    const walls = ['1919-07-14T12:00:00', '1601-06-06T16:39:33', '0001-01-01T00:00:00', '9999-12-31T23:59:59', '1904-01-01T00:00:00'];
    await createSender()({ volumes: [volume()], assets: walls.map((wall, i) => asset(i + 1, { time_claims: [exif(wall, null)] })), locations: walls.map((_, i) => location(i + 1, `${i}.jpg`)), evidence: walls.map((_, i) => evidence(`${i}.jpg`, { time_claims: [] })) });
    for (const [i, wall] of walls.entries()) expect(await item(i + 1), wall).toMatchObject({ taken_at: wall, doubtful: i === 0 ? 0 : 1, day: Number(wall.slice(0, 10).replaceAll('-', '')) });
    for (const i of walls.keys()) expect((await (await ask(`/a/${hashOf(i + 1)}`)).text()).includes('hard to believe'), walls[i]).toBe(i > 0);
  });
});
