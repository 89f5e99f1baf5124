// Times as files spell them, and as names spell them.
import { describe, expect, it } from 'vitest';
import { claimsOf, parseOffset, parseTime } from '../../../agent/pipeline/claims.ts';
import { cameraName } from '../../../agent/pipeline/facts.ts';
import { nameClaims } from '../../../agent/pipeline/name-date.ts';
import { readXmp } from '../../../agent/pipeline/xmp.ts';
import { TimeClaim } from '../../../protocol/rows.ts';

describe('parseTime', () => {
  it('reads what cameras write', () => {
    const cases: [string, string, number | null][] = [
      ['2018:05:30 21:25:39', '2018-05-30T21:25:39', null],
      ['2018:05:30 21:25:39.123', '2018-05-30T21:25:39', null],
      ['2021-04-10T11:43:59+01:00', '2021-04-10T11:43:59', 60],
      ['2021:04:10 11:43:59-0330', '2021-04-10T11:43:59', -210],
      ['2024-04-22T14:38:09.526GMT+02:00', '2024-04-22T14:38:09', 120],
      ['2024:01:01 00:00:00Z', '2024-01-01T00:00:00', 0],
      ['1601:06:06 16:39:33', '1601-06-06T16:39:33', null],
      ['2003:08:30', '2003-08-30T00:00:00', null],
      ['2012:06:15 19:51:22\0garbage', '2012-06-15T19:51:22', null],
    ];
    for (const [text, wall, offset] of cases) expect(parseTime(text), text).toMatchObject({ wall, offset });
  });
  it('tells blanks from nonsense', () => {
    for (const blank of ['', '0000:00:00 00:00:00', '    :  :     :  :  ', undefined, null]) expect(parseTime(blank)).toBe('unset');
    for (const nonsense of ['2018:13:01 00:00:00', '2018:02:30 10:00:00', '2018:01:01 25:00:00', 'yesterday', 'NaN', 12, {}]) expect(parseTime(nonsense), String(nonsense)).toBe('absurd');
  });
  it('reads offsets and refuses others', () => {
    expect([parseOffset('+01:00'), parseOffset('-0930'), parseOffset('Z'), parseOffset('+14')]).toEqual([60, -570, 0, 840]);
    for (const bad of ['+25:00', 'x', '', '01:00', 3, undefined, '+01:75']) expect(parseOffset(bad)).toBeNull();
  });
});

describe('claimsOf', () => {
  it('gives each source its claim, with the offset that belongs to it', () => {
    const { claims, problems } = claimsOf({ raw: {}, exifOriginal: '2020:01:02 03:04:05', offsetModify: '+02:00', exifModify: '2021:01:01 00:00:00', gpsDate: '2020:01:02', gpsTime: [1, 4, 5], xmpDates: ['2020-01-02T03:04:05'], keysCreation: '2020:01:02 03:04:05+02:00', containerUtc: ['2020:01:02 01:04:05'] });
    expect(problems).toEqual([]);
    expect(claims).toContainEqual({ source: 'exif_original', wall: '2020-01-02T03:04:05', utc_ms: null, offset_minutes: 120, offset_source: 'exif' });
    expect(claims).toContainEqual({ source: 'quicktime_keys', wall: '2020-01-02T03:04:05', utc_ms: null, offset_minutes: 120, offset_source: 'quicktime_keys' });
    expect(claims).toContainEqual({ source: 'xmp', wall: '2020-01-02T03:04:05', utc_ms: null, offset_minutes: 120, offset_source: 'exif' });
    const utc = Date.UTC(2020, 0, 2, 1, 4, 5);
    expect(claims.filter((c) => c.utc_ms === utc).map((c) => c.source).sort()).toEqual(['gps', 'quicktime']);
    for (const claim of claims) expect(TimeClaim.safeParse(claim).success).toBe(true);
  });
  it('names absurd values and claims nothing of them', () => {
    const { claims, problems } = claimsOf({ raw: {}, exifOriginal: '2018:13:77 99:00:00', exifCreate: '0000:00:00 00:00:00', gpsDate: '2020:01:02', gpsTime: [NaN, 1, 2] });
    expect(claims).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'bad_metadata' });
  });
  it('drops a bare day beside a time on that day', () => {
    expect(claimsOf({ raw: {}, xmpDates: ['2006:10:29', '2006:10:29 06:27:51-05:00'] }).claims).toMatchObject([{ wall: '2006-10-29T06:27:51', offset_minutes: -300 }]);
  });
});

describe('readXmp', () => {
  it('reads attributes and elements', () => {
    const attributes = readXmp(`<rdf:Description exif:DateTimeOriginal="2019-05-21T10:45:52+02:00" exif:GPSLatitude='39,2.5S' exif:GPSLongitude="108,30W"/>`);
    expect(attributes).toMatchObject({ xmpDates: ['2019-05-21T10:45:52+02:00'], latitude: -(39 + 2.5 / 60), longitude: -108.5 });
    expect(readXmp('<photoshop:DateCreated>2003-08-30</photoshop:DateCreated>').xmpDates).toEqual(['2003-08-30']);
  });
  it('survives packets that are cut or hostile', () => {
    for (const packet of ['', 'exif:DateTimeOriginal="', '<exif:DateTimeOriginal>', 'exif:GPSLatitude="x" exif:GPSLongitude="y"', `exif:DateTimeOriginal="${'9'.repeat(5_000)}"`]) expect(() => readXmp(packet)).not.toThrow();
  });
});

describe('nameClaims', () => {
  const wall = (name: string) => nameClaims(name, 0)[0]?.wall;
  it('reads the names that phones and programs give', () => {
    const cases: [string, string][] = [
      ['IMG_20190521_104552.jpg', '2019-05-21T10:45:52'],
      ['VID_20190521_104552123.mp4', '2019-05-21T10:45:52'],
      ['IMG_20190521_104552_BURST001.jpg', '2019-05-21T10:45:52'],
      ['20190521_104552.heic', '2019-05-21T10:45:52'],
      ['IMG-20190521-WA0001.jpg', '2019-05-21T00:00:00'],
      ['signal-2021-03-04-101112.jpg', '2021-03-04T10:11:12'],
      ['signal-2021-03-04-10-11-12-345.jpg', '2021-03-04T10:11:12'],
      ['telegram_2020-01-30_09-57-18.jpg', '2020-01-30T09:57:18'],
      ['photo_2020-01-30_09-57-18.jpg', '2020-01-30T09:57:18'],
      ['Screenshot_20200130-095718.png', '2020-01-30T09:57:18'],
      ['Screenshot_2020-01-30-09-57-18-123_com.app.jpg', '2020-01-30T09:57:18'],
      ['Screenshot 2019-05-21 at 10.45.52.png', '2019-05-21T10:45:52'],
      ['Screen Shot 2019-05-21 at 1.45.52 PM.png', '2019-05-21T13:45:52'],
      ['Screenshot 2023-01-02 at 01.11.12\u202fPM.png', '2023-01-02T13:11:12'],
      ['WhatsApp Image 2020-01-30 at 09.57.18.jpeg', '2020-01-30T09:57:18'],
      ['2018-04-12 19.24.49.jpg', '2018-04-12T19:24:49'],
      ['2018-04-12 19_24_49.mov', '2018-04-12T19:24:49'],
      ['Bildschirmfoto 2019-05-21 um 10.45.52.png', '2019-05-21T10:45:52'],
    ];
    for (const [name, want] of cases) expect(wall(name), name).toBe(want);
  });
  it('takes PXL names and epochs as UTC', () => {
    expect(nameClaims('PXL_20220724_210650210.NIGHT.mp4', 0)).toEqual([{ source: 'name', wall: null, utc_ms: Date.UTC(2022, 6, 24, 21, 6, 50), offset_minutes: null, offset_source: null }]);
    expect(nameClaims('FB_IMG_1523423423423.jpg', 0)[0]).toMatchObject({ source: 'name', utc_ms: 1_523_423_423_423 });
  });
  it('does not read other numbers as dates', () => {
    for (const name of ['IMG_1234.jpg', 'DSC00123.ARW', '20259999_104552.jpg', '000000000285.jpg', '12345678901234567890.jpg', 'a9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.jpg', '30001231_101010.jpg']) expect(wall(name), name).toBeUndefined();
  });
  it('puts the mtime last, as UTC', () => {
    const claims = nameClaims('IMG_20190521_104552.jpg', 1_600_000_000_123.7);
    expect(claims.map((c) => c.source)).toEqual(['name', 'mtime']);
    expect(claims[1]?.utc_ms).toBe(1_600_000_000_124);
    for (const claim of claims) expect(TimeClaim.safeParse(claim).success).toBe(true);
  });
});

describe('cameraName', () => {
  it('says the maker once and without its legal form', () => {
    const cases: [unknown, unknown, string | null][] = [
      ['Apple', 'iPhone 12 Pro', 'Apple iPhone 12 Pro'], ['Canon', 'Canon EOS 40D', 'Canon EOS 40D'], ['NIKON CORPORATION', 'NIKON D3', 'NIKON D3'],
      ['SAMSUNG', 'Galaxy S25 Ultra', 'SAMSUNG Galaxy S25 Ultra'], ['OLYMPUS IMAGING CORP.  ', 'u1020,S1020 ', 'OLYMPUS u1020,S1020'], [undefined, 'X100', 'X100'], ['Sony', '', 'Sony'], [undefined, NaN, null], ['\0\0', '\u0007', null],
    ];
    for (const [make, model, want] of cases) expect(cameraName(make, model)).toBe(want);
  });
});
