// Times as files spell them, and the other facts that are read as text.
import { describe, expect, it } from 'vitest';
import { claimsOf, parseOffset, parseTime } from '../../../agent/pipeline/claims.ts';
import { cameraName } from '../../../agent/pipeline/facts.ts';
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
    for (const bad of ['+25:00', '+00:60', '-13:00', '+14:30', 'x', '', '01:00', 3, undefined, '+01:75']) expect(parseOffset(bad), String(bad)).toBeNull();
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
  it('takes the offset that belongs to a date before any other', () => {
    const tags = { raw: {}, exifOriginal: '2020:01:02 03:04:05', exifCreate: '2020:01:02 03:04:05', exifModify: '2021:01:01 00:00:00' };
    const original = (more: object) => claimsOf({ ...tags, ...more }).claims.find((c) => c.source === 'exif_original')?.offset_minutes;
    expect(original({ offsetOriginal: '+01:00', offsetDigitized: '+02:00', offsetModify: '+03:00' })).toBe(60);
    // The digitized date says the same time, the other one another.
    expect(original({ offsetDigitized: '+02:00', offsetModify: '+03:00' })).toBe(120);
    expect(original({ offsetModify: '+03:00' })).toBe(180);
    expect(claimsOf({ ...tags, offsetOriginal: '+01:00', offsetModify: '+03:00' }).claims).toContainEqual(expect.objectContaining({ source: 'exif_other', wall: '2021-01-01T00:00:00', offset_minutes: 180 }));
  });
  it('names an impossible offset, wherever it stands, and keeps the time', () => {
    for (const offset of ['+25:00', '+00:60', '-14:00', 'local']) {
      const { claims, problems } = claimsOf({ raw: {}, exifOriginal: '2020:01:02 03:04:05', offsetOriginal: offset });
      expect(claims).toEqual([{ source: 'exif_original', wall: '2020-01-02T03:04:05', utc_ms: null, offset_minutes: null, offset_source: null }]);
      expect(problems).toEqual([{ code: 'bad_metadata', reason: `OffsetTimeOriginal is no offset: "${offset}"` }]);
    }
    expect(claimsOf({ raw: {}, xmpDates: ['2020-01-02T03:04:05+25:00'] })).toMatchObject({ claims: [{ wall: '2020-01-02T03:04:05', offset_minutes: null }], problems: [{ code: 'bad_metadata', reason: expect.stringContaining('+25:00') as string }] });
    for (const blank of ['', '   ', '   :  ', '\0\0', undefined, null]) expect(claimsOf({ raw: {}, exifOriginal: '2020:01:02 03:04:05', offsetOriginal: blank }).problems, JSON.stringify(blank)).toEqual([]);
  });
  it('names absurd values and claims nothing of them', () => {
    const { claims, problems } = claimsOf({ raw: {}, exifOriginal: '2018:13:77 99:00:00', exifCreate: '0000:00:00 00:00:00', gpsDate: '2020:01:02', gpsTime: [NaN, 1, 2] });
    expect(claims).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'bad_metadata' });
  });
  it('takes XMP’s GPS time where it says UTC and a receiver could have known it', () => {
    const gps = (gpsMoment: string) => claimsOf({ raw: {}, gpsMoment }).claims.map((c) => c.utc_ms);
    expect(gps('2023-11-15T12:30:00Z')).toEqual([Date.UTC(2023, 10, 15, 12, 30)]);
    for (const none of ['2023-11-15T12:30:00', '2023-11-15', '1899-12-30T01:00:14Z', 'soon']) expect(gps(none), none).toEqual([]);
  });
  it('says so where a date has no time', () => {
    expect(claimsOf({ raw: {}, xmpDates: ['2003-08-30'] }).claims).toMatchObject([{ wall: '2003-08-30T00:00:00', basis: 'XMP date says a day and no time' }]);
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
  it('reads caption, keywords and stars, in attributes, elements and lists', () => {
    const packet = `<rdf:Description xmp:Rating="4"><dc:description><rdf:Alt><rdf:li xml:lang="de-DE">Am See</rdf:li><rdf:li xml:lang="x-default">At the lake &amp; after&#xA;dinner</rdf:li></rdf:Alt></dc:description>
      <dc:subject><rdf:Bag><rdf:li>lake</rdf:li><rdf:li> Jörg &lt;3 </rdf:li><rdf:li></rdf:li></rdf:Bag></dc:subject></rdf:Description>`;
    expect(readXmp(packet)).toMatchObject({ rating: '4', xmpDescription: 'At the lake & after\ndinner', xmpKeywords: ['lake', 'Jörg <3'] });
    expect(readXmp('<xmp:Rating>-1</xmp:Rating>')).toMatchObject({ rating: '-1', xmpDescription: undefined });
  });
  it('survives packets that are cut or hostile', () => {
    for (const packet of ['', 'exif:DateTimeOriginal="', '<exif:DateTimeOriginal>', 'exif:GPSLatitude="x" exif:GPSLongitude="y"', '<dc:subject><rdf:li>', `<dc:subject>${'<rdf:li>x</rdf:li>'.repeat(20_000)}</dc:subject>`, '<dc:description><rdf:li>&#x110000;&#0;&#9999999;</rdf:li></dc:description>', `exif:DateTimeOriginal="${'9'.repeat(5_000)}"`]) expect(() => readXmp(packet)).not.toThrow();
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
