// The resolver: the design's order, its guesses named as guesses, and one answer whatever order the claims came in.
import { describe, expect, it } from 'vitest';
import { createDice } from '../test/support/random.ts';
import { resolveTime } from './resolve.ts';
import type { TimeClaim } from './rows.ts';
import { OFFSET_SOURCES, TAKEN_AT_SOURCES, type OffsetSource, type TakenAtSource } from './words.ts';

const NOW = Date.UTC(2026, 10, 1);
const wall = (source: TakenAtSource, text: string, offset: number | null = null, offsetSource: OffsetSource | null = offset === null ? null : 'exif'): TimeClaim => ({ source, wall: text, utc_ms: null, offset_minutes: offset, offset_source: offsetSource });
const utc = (source: TakenAtSource, ms: number): TimeClaim => ({ source, wall: null, utc_ms: ms, offset_minutes: null, offset_source: null });
const resolve = (claims: TimeClaim[], more: { gpsZone?: string | null; homeZone?: string; durationMs?: number } = {}) => resolveTime({ claims, gpsZone: null, homeZone: 'Europe/Rome', nowMs: NOW, ...more });

describe('resolveTime', () => {
  it('says nothing when nothing speaks', () => {
    expect(resolve([])).toEqual({ takenAt: null, source: null, offsetMinutes: null, offsetSource: null, doubtful: false, basis: null });
    expect(resolve([wall('exif_original', '2024-02-30T00:00:00'), wall('exif_original', '0000-00-00T00:00:00'), { ...utc('gps', 0), utc_ms: null }])).toMatchObject({ takenAt: null });
  });

  it('follows the design’s order of sources', () => {
    const claims = TAKEN_AT_SOURCES.map((source, i) => wall(source, `2020-01-01T00:00:${String(i).padStart(2, '0')}`));
    for (let i = 0; i < claims.length; i += 1) expect(resolve(claims.slice(i).reverse()).source).toBe(TAKEN_AT_SOURCES[i]);
  });

  it('believes a clock that was never set, or that is in the future, only when nothing else speaks', () => {
    expect(resolve([wall('exif_original', '1970-01-01T00:00:00'), utc('mtime', Date.UTC(2020, 5, 1, 10))])).toMatchObject({ source: 'mtime', takenAt: '2020-06-01T12:00:00', doubtful: false });
    expect(resolve([wall('exif_original', '1970-01-01T00:00:00')])).toMatchObject({ source: 'exif_original', doubtful: true });
    expect(resolve([wall('exif_original', '2199-01-01T00:00:00'), wall('name', '2021-01-01T00:00:00')])).toMatchObject({ source: 'name' });
    expect(resolve([wall('owner', '1802-01-01T00:00:00'), wall('exif_original', '2021-01-01T00:00:00')])).toMatchObject({ source: 'owner', takenAt: '1802-01-01T00:00:00' });
  });

  it('reads a moment in UTC in the place’s zone, else at home, and says which', () => {
    const moment = utc('quicktime', Date.UTC(2024, 6, 1, 12));
    expect(resolve([moment], { gpsZone: 'Asia/Kathmandu' })).toMatchObject({ takenAt: '2024-07-01T17:45:00', offsetMinutes: 345, offsetSource: 'gps_zone' });
    expect(resolve([moment])).toMatchObject({ takenAt: '2024-07-01T14:00:00', offsetMinutes: 120, offsetSource: 'home' });
    expect(resolve([moment], { gpsZone: 'No/Where', homeZone: 'No/Where' })).toMatchObject({ takenAt: '2024-07-01T12:00:00', offsetSource: 'home' });
  });

  it('finds the offset from the tag, the place, or the difference to a moment, in that order', () => {
    const text = '2024-07-01T14:00:02';
    expect(resolve([wall('exif_original', text, 60), utc('gps', Date.UTC(2024, 6, 1, 12))], { gpsZone: 'Asia/Tokyo' })).toMatchObject({ offsetMinutes: 60, offsetSource: 'exif' });
    expect(resolve([wall('exif_original', text), utc('gps', Date.UTC(2024, 6, 1, 12))], { gpsZone: 'Asia/Tokyo' })).toMatchObject({ offsetMinutes: 540, offsetSource: 'gps_zone' });
    expect(resolve([wall('exif_original', text), utc('gps', Date.UTC(2024, 6, 1, 12))])).toMatchObject({ offsetMinutes: 120, offsetSource: 'utc_difference' });
    expect(resolve([wall('exif_original', text)])).toMatchObject({ offsetMinutes: null, offsetSource: null });
  });

  it('takes a difference for an offset only where some clock keeps it, and never from an mtime', () => {
    const at = Date.UTC(2024, 6, 1, 14);
    const after = (minutes: number) => resolve([wall('exif_original', '2024-07-01T14:00:00'), utc('takeout', at - minutes * 60_000)]);
    for (const real of [-720, -570, 0, 60, 330, 345, 525, 840]) expect(after(real + 2), String(real)).toMatchObject({ offsetMinutes: real });
    for (const none of [7, 20, 15, 75, 900, -780, 4_000]) expect(after(none), String(none)).toMatchObject({ offsetMinutes: null });
    expect(resolve([wall('exif_original', '2024-07-01T14:00:00'), utc('mtime', at)])).toMatchObject({ offsetMinutes: null });
  });

  it('keeps no offset that no clock keeps or that names no source', () => {
    expect(resolve([wall('exif_original', '2024-07-01T14:00:00', 15 * 60)])).toMatchObject({ offsetMinutes: null });
    expect(resolve([wall('exif_original', '2024-07-01T14:00:00', 60, null)])).toMatchObject({ offsetMinutes: null, offsetSource: null });
  });

  it('keeps a day that a name says, and takes the time of that day from whatever knows it', () => {
    const day = wall('name', '2023-03-25T00:00:00');
    expect(resolve([day, utc('mtime', Date.UTC(2023, 2, 25, 9, 30))])).toMatchObject({ takenAt: '2023-03-25T10:30:00', source: 'mtime', basis: 'its name says the same day' });
    expect(resolve([day, utc('mtime', Date.UTC(2024, 2, 25, 9, 30))])).toMatchObject({ takenAt: '2023-03-25T00:00:00', source: 'name', offsetMinutes: null, basis: 'its name says a day and no time' });
    // Two copies: the earlier time of that day. And a name with a time beats any mtime.
    expect(resolve([day, utc('mtime', Date.UTC(2023, 2, 25, 12)), utc('mtime', Date.UTC(2023, 2, 25, 9, 30))])).toMatchObject({ takenAt: '2023-03-25T10:30:00' });
    expect(resolve([wall('name', '2023-03-25T10:11:12'), utc('mtime', Date.UTC(2023, 2, 25, 8))])).toMatchObject({ takenAt: '2023-03-25T10:11:12', source: 'name', basis: null });
    expect(resolve([day, wall('exif_original', '2023-03-24T23:59:00')])).toMatchObject({ source: 'exif_original', basis: null });
  });

  it('doubts the zeros of clocks and what lies before photography, and lets the owner mean them', () => {
    const believable = utc('mtime', Date.UTC(2020, 5, 1, 10));
    for (const text of ['1601-01-01T00:00:00', '0000-01-01T00:00:00', '0001-01-01T00:00:00', '1825-12-31T23:59:59', '1904-01-01T00:00:00', '1970-01-01T09:30:00', '1969-12-31T19:00:00', '1980-01-01T12:00:00', '1899-12-30T00:00:00', '2000-01-01T00:00:00', '2026-11-04T00:00:00']) {
      expect(resolve([wall('exif_original', text)]), text).toMatchObject({ takenAt: text, doubtful: true });
      expect(resolve([wall('exif_original', text), believable]), text).toMatchObject({ source: 'mtime', doubtful: false });
    }
    for (const text of ['1826-01-01T00:00:00', '1919-07-14T12:00:00', '1969-07-20T20:17:40', '1970-01-02T00:00:00', '1995-01-01T00:00:00', '2000-01-01T00:00:01', '2026-11-01T12:00:00']) expect(resolve([wall('exif_original', text), believable]), text).toMatchObject({ takenAt: text, doubtful: false });
    expect(resolve([wall('owner', '1970-01-01T00:00:00')])).toMatchObject({ doubtful: false });
    expect(resolve([wall('owner', '1500-01-01T00:00:00')])).toMatchObject({ doubtful: true });
    // The epoch as a moment is the evening before in the Americas and the morning in Asia: as doubtful everywhere.
    for (const homeZone of ['America/Los_Angeles', 'UTC', 'Asia/Tokyo']) expect(resolve([utc('takeout', 0)], { homeZone }).doubtful, homeZone).toBe(true);
  });

  it('tells moments before 1970 and before 1901', () => {
    expect(resolve([utc('takeout', Date.UTC(1960, 0, 1))])).toMatchObject({ takenAt: '1960-01-01T01:00:00', doubtful: false, offsetSource: 'home' });
    expect(resolve([utc('takeout', Date.UTC(1901, 0, 1))], { homeZone: 'UTC' })).toMatchObject({ takenAt: '1901-01-01T00:00:00', doubtful: false });
    expect(resolve([utc('mtime', -1)], { homeZone: 'UTC' })).toMatchObject({ takenAt: '1969-12-31T23:59:59', doubtful: true });
    expect(resolve([wall('exif_original', '1955-08-01T12:00:00'), utc('gps', Date.UTC(1955, 7, 1, 11))])).toMatchObject({ offsetMinutes: 60, offsetSource: 'utc_difference' });
  });

  it('gives one answer in whatever order the claims come', () => {
    for (let seed = 1; seed <= 5_000; seed += 1) {
      const { pick, some, shuffle } = createDice(seed);
      // Few distinct values, so that ties and agreements of every kind are common; both fields at once, as a movie's may be and a hostile row's.
      const claims = [0, ...some(6, () => 0)].map((): TimeClaim => ({
        source: pick(TAKEN_AT_SOURCES), wall: pick([null, '2020-01-01T10:00:00', '2020-01-01T12:00:00', '2020-01-01T00:00:00', '1970-01-01T00:00:00', '2020-13-01T00:00:00']),
        utc_ms: pick([null, Date.UTC(2020, 0, 1, 9), Date.UTC(2020, 0, 1, 10), Date.UTC(2020, 0, 1, 10, 30), 0, -8e15, Number.MAX_SAFE_INTEGER]), offset_minutes: pick([null, null, 60, 120, 999]), offset_source: pick([null, ...OFFSET_SOURCES]),
        basis: pick([undefined, null, 'the maker']),
      }));
      const more = { gpsZone: pick([null, 'Asia/Tokyo', 'Africa/Accra']), homeZone: pick(['Europe/Rome', 'UTC']), durationMs: pick([0, 1_800_000]) };
      const answer = resolve(claims, more);
      for (let k = 0; k < 4; k += 1) expect(resolve(shuffle(claims), more), `seed ${seed}`).toEqual(answer);
      expect(resolve([...claims, ...claims], more), `seed ${seed}, twice`).toEqual(answer);
      if (answer.takenAt === null) expect(answer.source).toBeNull(); else expect(answer.source).not.toBeNull();
      expect(answer.offsetMinutes === null).toBe(answer.offsetSource === null);
    }
  });
});
