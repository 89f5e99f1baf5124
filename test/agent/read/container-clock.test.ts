// Whose movies keep to UTC: what their tags tell of the maker, and the claims that come of it.
import { describe, expect, it } from 'vitest';
import { claimsOf, type MetaTags } from '../../../agent/pipeline/claims.ts';
import { containerClock } from '../../../agent/pipeline/container-clock.ts';
import { nikonClockOffset, nikonOffset } from '../../../agent/pipeline/exif.ts';
import { TimeClaim } from '../../../protocol/rows.ts';

const clock = (tags: Partial<MetaTags>) => { const found = containerClock({ raw: {}, ...tags }); return found === null ? 'unknown' : found.local ? 'local' : 'utc'; };

describe('containerClock', () => {
  it.each<[string, Partial<MetaTags>, string]>([
    ['an iPhone', { make: 'Apple', model: 'iPhone 8' }, 'utc'], ['an app on Apple’s framework', { containerSigns: ['Core Media Video', 'Core Media Data Handler'] }, 'utc'],
    ['an Android that names itself', { androidVersion: 13 }, 'utc'], ['an Android by its writer', { containerSigns: ['VideoHandle'] }, 'utc'], ['Google’s re-encoder', { containerSigns: ['ISO Media file produced by Google Inc.'] }, 'utc'],
    ['a GoPro by its encoder', { containerSigns: ['avc1', 'GoPro AVC encoder', 'HD5.02.02.60.00'] }, 'local'], ['a GoPro by its handler, with a length before it', { containerSigns: ['\tGoPro AVC'] }, 'local'], ['a HERO10', { make: 'GoPro', model: 'HERO10 Black' }, 'local'],
    ['a HERO11, which knows zones', { make: 'GoPro', model: 'HERO11 Black' }, 'unknown'], ['a HERO12 by its firmware', { containerSigns: ['GoPro H.265 encoder', 'H23.01.02.32.00'] }, 'unknown'],
    ['a Nikon', { make: 'NIKON CORPORATION', model: 'NIKON D90' }, 'local'], ['a Pentax', { make: 'PENTAX DIGITAL CAMERA' }, 'local'], ['a Panasonic', { make: 'Panasonic' }, 'local'],
    ['a Motion-JPEG', { containerSigns: ['Apple Video Media Handler', 'jpeg'] }, 'local'],
    ['a Canon, whose habit changed', { make: 'Canon', model: 'Canon PowerShot G15' }, 'unknown'], ['a Sony', { make: 'Sony' }, 'unknown'], ['a DJI', { make: 'DJI' }, 'unknown'],
    ['FFmpeg', { containerSigns: ['VideoHandler', 'Lavf58.29.100'] }, 'unknown'], ['nobody', {}, 'unknown'], ['nonsense', { make: {}, containerSigns: [null, 7, {}, '\0'] }, 'unknown'],
  ])('%s', (_, tags, want) => { expect(clock(tags)).toBe(want); });
});

describe('a container’s claims', () => {
  const written = { raw: {}, containerUtc: ['2020:07:15 18:33:43'] };
  const utc_ms = Date.UTC(2020, 6, 15, 18, 33, 43);
  const claim = (tags: MetaTags) => { const [c] = claimsOf(tags).claims; expect(TimeClaim.safeParse(c).error).toBeUndefined(); return c; };
  it('keep what is written, and beside it what the maker means', () => {
    expect(claim(written)).toEqual({ source: 'quicktime', wall: null, utc_ms, offset_minutes: null, offset_source: null, basis: null });
    expect(claim({ ...written, make: 'NIKON' })).toMatchObject({ wall: '2020-07-15T18:33:43', utc_ms, basis: 'cameras by NIKON write local time into their movies' });
    expect(claim({ ...written, make: 'Apple' })).toMatchObject({ wall: null, utc_ms, basis: 'Apple’s devices write UTC into their movies' });
    expect(claim({ ...written, make: `Nikon ${'x'.repeat(500)}` })?.basis?.length).toBeLessThan(200);
  });
  it('are sure where the time says UTC itself, and in files that always keep it', () => {
    expect(claim({ raw: {}, make: 'NIKON', containerUtc: ['2020:07:15 20:33:43+02:00'] })).toMatchObject({ wall: null, utc_ms });
    expect(claim({ raw: {}, make: 'NIKON', containerMoments: ['2020:07:15 18:33:43Z'] })).toMatchObject({ wall: null, utc_ms, basis: 'this kind of file keeps its time in UTC' });
    expect(claim({ ...written, androidVersion: 13, androidOffset: '+0530' })).toMatchObject({ utc_ms, offset_minutes: 330, offset_source: 'quicktime_keys' });
  });
  it('say nothing where nothing is written, and name nonsense', () => {
    expect(claimsOf({ raw: {}, containerUtc: ['0000:00:00 00:00:00'] })).toEqual({ claims: [], problems: [] });
    expect(claimsOf({ raw: {}, containerUtc: ['2020:02:31 00:00:00'] })).toMatchObject({ claims: [], problems: [{ code: 'bad_metadata' }] });
  });
});

describe('the zone of a Nikon’s clock', () => {
  /** A maker note of one tag, WorldTime. */
  function note(minutes: number, summer: number): Buffer {
    const b = Buffer.alloc(10 + 8 + 2 + 12 + 4);
    b.write('Nikon\0\x02\x10\0\0MM\0*', 'latin1');
    b.writeUInt32BE(8, 14); b.writeUInt16BE(1, 18); b.writeUInt16BE(0x24, 20); b.writeUInt16BE(7, 22); b.writeUInt32BE(4, 24); b.writeInt16BE(minutes, 28); b[30] = summer;
    return b;
  }
  it('is read with its summer time', () => {
    expect([nikonClockOffset(note(-420, 0)), nikonClockOffset(note(60, 1)), nikonClockOffset(note(345, 0))]).toEqual([-420, 120, 345]);
    expect([nikonOffset(17, 0), nikonOffset('60', 0), nikonOffset(undefined, 1), nikonClockOffset(note(5_000, 0))]).toEqual([undefined, undefined, undefined, undefined]);
  });
  it('survives notes that are cut or lie', () => {
    const whole = note(60, 0);
    for (let length = 0; length < whole.length; length += 1) expect(() => nikonClockOffset(whole.subarray(0, length))).not.toThrow();
    const far = Buffer.from(whole); far.writeUInt32BE(0xffffffff, 14); expect(nikonClockOffset(far)).toBeUndefined();
  });
  it('goes before an offset that belongs to an edit, and behind the date’s own', () => {
    const tags = { raw: {}, exifOriginal: '2008:03:15 07:44:21', exifModify: '2008:06:01 02:10:11', offsetModify: '+02:00', clockOffsetMinutes: -420 };
    expect(claimsOf(tags).claims[0]).toMatchObject({ offset_minutes: -420, offset_source: 'exif' });
    expect(claimsOf({ ...tags, offsetOriginal: '-06:00' }).claims[0]).toMatchObject({ offset_minutes: -360 });
  });
});
