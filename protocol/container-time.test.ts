// A movie's own creation time: UTC as the standard says, or local time as many cameras write it; told apart by evidence.
import { describe, expect, it } from 'vitest';
import { resolveTime } from './resolve.ts';
import type { TimeClaim } from './rows.ts';
import type { TakenAtSource } from './words.ts';

const NOW = Date.UTC(2026, 10, 1);
const WRITTEN = Date.UTC(2019, 4, 6, 10, 11, 12);
/** The three kinds that the reader makes: of nobody known, of a maker that keeps to UTC, of one that writes local time. */
const plain: TimeClaim = { source: 'quicktime', wall: null, utc_ms: WRITTEN, offset_minutes: null, offset_source: null, basis: null };
const apple: TimeClaim = { ...plain, basis: 'Apple’s devices write UTC into their movies' };
const gopro: TimeClaim = { ...plain, wall: '2019-05-06T10:11:12', basis: 'GoPros before the HERO11 write local time into their movies' };

const wall = (source: TakenAtSource, text: string, offset: number | null = null): TimeClaim => ({ source, wall: text, utc_ms: null, offset_minutes: offset, offset_source: offset === null ? null : 'exif' });
const utc = (source: TakenAtSource, ms: number): TimeClaim => ({ source, wall: null, utc_ms: ms, offset_minutes: null, offset_source: null });
const resolve = (claims: TimeClaim[], more: { gpsZone?: string; durationMs?: number } = {}) => resolveTime({ claims, gpsZone: null, homeZone: 'Europe/Rome', nowMs: NOW, ...more });
const minutes = (n: number) => n * 60_000;

describe('a movie’s creation time', () => {
  it('is UTC where nothing speaks against it, shown at home as a guess', () => {
    expect(resolve([plain])).toEqual({ takenAt: '2019-05-06T12:11:12', source: 'quicktime', offsetMinutes: 120, offsetSource: 'home', doubtful: false, basis: null });
    expect(resolve([apple])).toMatchObject({ takenAt: '2019-05-06T12:11:12', offsetSource: 'home', basis: apple.basis });
    expect(resolve([plain], { gpsZone: 'Asia/Tokyo' })).toMatchObject({ takenAt: '2019-05-06T19:11:12', offsetMinutes: 540, offsetSource: 'gps_zone' });
  });

  it('is local where the maker writes that, with the place’s offset if there is one', () => {
    expect(resolve([gopro])).toEqual({ takenAt: '2019-05-06T10:11:12', source: 'quicktime', offsetMinutes: null, offsetSource: null, doubtful: false, basis: gopro.basis });
    expect(resolve([gopro], { gpsZone: 'Asia/Tokyo' })).toMatchObject({ takenAt: '2019-05-06T10:11:12', offsetMinutes: 540, offsetSource: 'gps_zone' });
    expect(resolve([gopro], { gpsZone: 'Africa/Accra' })).toMatchObject({ takenAt: '2019-05-06T10:11:12', offsetMinutes: 0, offsetSource: 'gps_zone', basis: 'local time was UTC at its place' });
  });

  it('is local where the name says the same time', () => {
    expect(resolve([plain, wall('name', '2019-05-06T10:11:12')])).toMatchObject({ takenAt: '2019-05-06T10:11:12', source: 'quicktime', offsetMinutes: null, basis: 'the camera wrote local time: its name says the same' });
    expect(resolve([plain, wall('name', '2019-05-06T10:11:12')], { gpsZone: 'Asia/Tokyo' })).toMatchObject({ takenAt: '2019-05-06T10:11:12', offsetMinutes: 540, offsetSource: 'gps_zone' });
    // A phone that keeps to UTC, in a place at +00:00.
    expect(resolve([apple, wall('name', '2019-05-06T10:11:12')])).toMatchObject({ takenAt: '2019-05-06T10:11:12', offsetMinutes: 0, offsetSource: 'utc_difference', basis: apple.basis });
  });

  it('is UTC with an offset where the name is a real offset from it, whoever made the camera', () => {
    for (const [name, offset] of [['2019-05-06T12:11:14', 120], ['2019-05-06T15:56:12', 345], ['2019-05-06T00:41:12', -570], ['2019-05-06T19:11:12', 540]] as const) {
      for (const claim of [plain, gopro, apple]) expect(resolve([claim, wall('name', name)]), name).toMatchObject({ source: 'quicktime', takenAt: `${name.slice(0, 17)}12`, offsetMinutes: offset, offsetSource: 'utc_difference' });
    }
    expect(resolve([plain, wall('name', '2019-05-06T12:11:14')]).basis).toBe('written in UTC: its name is +02:00 from it');
    expect(resolve([gopro, wall('name', '2019-05-06T10:36:12')])).toMatchObject({ basis: gopro.basis, offsetMinutes: null });
    // Another day: the name is of something else.
    expect(resolve([plain, wall('name', '2020-12-22T08:21:42')])).toMatchObject({ offsetSource: 'home', basis: null });
  });

  it('knows that a camera may write the end of a recording', () => {
    const long = { durationMs: minutes(25) };
    const started = wall('name', '2019-05-06T11:46:12');
    expect(resolve([plain, started], long)).toMatchObject({ takenAt: '2019-05-06T12:11:12', offsetMinutes: 120, offsetSource: 'utc_difference' });
    expect(resolve([plain, started])).toMatchObject({ offsetSource: 'home' });
    expect(resolve([plain, wall('name', '2019-05-06T09:46:12')], long)).toMatchObject({ takenAt: '2019-05-06T10:11:12', offsetMinutes: null });
  });

  it('is measured by GPS time and by Pixel’s names', () => {
    expect(resolve([gopro, utc('gps', WRITTEN - minutes(120))])).toMatchObject({ takenAt: '2019-05-06T10:11:12', offsetMinutes: 120, offsetSource: 'utc_difference', basis: 'the camera wrote local time: it is +02:00 from its GPS time' });
    expect(resolve([gopro, utc('gps', WRITTEN + 2_000)])).toMatchObject({ takenAt: '2019-05-06T12:11:12', offsetSource: 'home', basis: 'written in UTC: its GPS time says the same' });
    expect(resolve([plain, utc('name', WRITTEN - 9_000)])).toMatchObject({ takenAt: '2019-05-06T12:11:12', basis: 'written in UTC: its name says the same' });
  });

  it('does not take the word of those who read the same container', () => {
    // Google's Takeout and copying programs read it as UTC: that they agree proves nothing.
    expect(resolve([gopro, utc('takeout', WRITTEN), utc('mtime', WRITTEN)])).toMatchObject({ takenAt: '2019-05-06T10:11:12', basis: gopro.basis });
    expect(resolve([plain, wall('name', '2019-05-06T00:00:00')])).toMatchObject({ offsetSource: 'home', basis: null });
    expect(resolve([plain, wall('exif_other', '1970-01-01T00:00:00')])).toMatchObject({ source: 'quicktime', basis: null });
  });

  it('gives other times of the file their offset only where it is UTC', () => {
    expect(resolve([plain, wall('exif_original', '2019-05-06T12:11:12')])).toMatchObject({ source: 'exif_original', offsetMinutes: 120, offsetSource: 'utc_difference' });
    // Both local: no offset can be had of it, and +00:00 would be a lie.
    expect(resolve([plain, wall('exif_original', '2019-05-06T10:11:12')])).toMatchObject({ source: 'exif_original', offsetMinutes: null });
    expect(resolve([gopro, wall('exif_original', '2019-05-06T10:11:12')])).toMatchObject({ offsetMinutes: null });
    expect(resolve([apple, wall('exif_original', '2019-05-06T10:11:12')])).toMatchObject({ offsetMinutes: 0, offsetSource: 'utc_difference' });
    expect(resolve([plain, wall('exif_original', '2019-05-06T11:46:12')], { durationMs: minutes(25) })).toMatchObject({ source: 'exif_original', takenAt: '2019-05-06T11:46:12', offsetMinutes: 120 });
  });

  it('believes an offset that the file names for it', () => {
    expect(resolve([{ ...apple, offset_minutes: 330, offset_source: 'quicktime_keys' }])).toMatchObject({ takenAt: '2019-05-06T15:41:12', offsetMinutes: 330, offsetSource: 'quicktime_keys' });
  });

  it('listens to the better witness, and to two copies the same in any order', () => {
    const exif = wall('xmp', '2019-05-06T12:11:12'), name = wall('name', '2019-05-06T10:11:12');
    expect(resolve([{ ...plain }, name, { ...exif, wall: '1970-01-01T00:00:00' }]).basis).toContain('local time');
    const two = [plain, name, wall('name', '2019-05-06T12:11:12')];
    expect(resolve([...two].reverse())).toEqual(resolve(two));
  });
});
