// What a person wrote about a picture, and what cameras and programs put in its place.
import { describe, expect, it } from 'vitest';
import { descriptionOf, keywordsOf, ratingOf } from '../../../agent/pipeline/caption.ts';
import { factsOf } from '../../../agent/pipeline/facts.ts';
import { readIptc } from '../../../agent/pipeline/iptc.ts';
import { AssetFacts } from '../../../protocol/rows.ts';

const exif = (text: unknown, more: object = {}) => descriptionOf({ raw: {}, exifDescription: text, ...more });

/** APP13 behind its header: Photoshop resources, of which one holds IPTC data sets of [record, number, bytes]. */
function app13(sets: [number, number, Buffer][], before = Buffer.alloc(0)): Buffer {
  const records = Buffer.concat(sets.map(([record, number, data]) => { const head = Buffer.from([0x1c, record, number, 0, 0]); head.writeUInt16BE(data.length, 3); return Buffer.concat([head, data]); }));
  const head = Buffer.from('8BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(records.length, 8);
  return Buffer.concat([before, head, records]);
}

describe('descriptionOf', () => {
  it.each([
    'OLYMPUS DIGITAL CAMERA         ', 'SONY DSC', 'MINOLTA DIGITAL CAMERA', 'KONICA MINOLTA DIGITAL CAMERA', 'KODAK Digital Still Camera', 'VIVITAR DIGITAL CAMERA', 'SAMSUNG', 'SAMSUNG CAMERA PICTURES', 'Exif_JPEG_PICTURE', 'Exif_JPEG_422', 'EXIF JPEG PICTURE',
    'DCIM\\100MEDIA\\DJI_0001.JPG', 'DCIM/100GOPRO/GOPR0001.JPG', 'IMG_1234.JPG', 'default', 'untitled', 'Untitled', 'DCF 1.0', '<KENOX S730  / Samsung S730>', '<Digimax S600>', 'My beautiful picture', 'Maker:S,Date:2017-9-20,Ver:6,Lens:Kan03,Act:Lar02,E-Y',
    'cof', 'oznorWO', 'hdr', 'sdr', '   ', '\0\0\0', '???', '-', '', 'AppleMark', 'LEAD Technologies Inc. V1.01', undefined, null, {}, NaN,
  ])('leaves out %j', (text) => { expect(exif(text)).toBe(null); });

  it('keeps what people write, in any language', () => {
    for (const text of ['At the lake', 'Oma mit ihrer ersten digital camera', 'Sony', '湖のほとり', '🎂', '1984', 'IMG_1234.JPG, the best one', 'Default settings of my life']) expect(exif(text), text).toBe(text);
    expect(exif('GC-X1E Image', { model: 'GC-X1E' })).toBeNull();
    expect(exif('Sony', { make: 'SONY' })).toBeNull();
  });
  it('keeps lines, and drops control characters, lone surrogates and what is too long', () => {
    expect(exif(' one\r\n two\u2028three\u0007\t four \n\n\n\nfive\0 ')).toBe('one\ntwo\nthree four\n\nfive');
    expect(exif('a\ud800b')).toBe('a\ufffdb');
    expect(exif('x'.repeat(50_000))?.length).toBe(10_000);
  });
  it('takes the first that says something: XMP, IPTC, EXIF', () => {
    expect(descriptionOf({ raw: {}, xmpDescription: 'a', iptcDescription: 'b', exifDescription: 'c' })).toBe('a');
    expect(descriptionOf({ raw: {}, xmpDescription: 'untitled', iptcDescription: '', exifDescription: 'c' })).toBe('c');
  });
});

describe('ratingOf and keywordsOf', () => {
  it('knows 1 to 5 and "rejected"; 0 is what cameras write', () => {
    expect(['5', 4, '3.0', '-1', 0, '0', 6, 99, -2, 'x', undefined, NaN].map(ratingOf)).toEqual([5, 4, 3, -1, null, null, null, null, null, null, null, null]);
  });
  it('gives each word once, cleaned and bounded; XMP’s before IPTC’s', () => {
    expect(keywordsOf({ raw: {}, xmpKeywords: ['lake', ' lake ', 'Jörg\0', '????', '', 7, 'x'.repeat(500)] })).toEqual(['lake', 'Jörg', '7', 'x'.repeat(200)]);
    expect(keywordsOf({ raw: {}, xmpKeywords: ['a'], iptcKeywords: ['b'] })).toEqual(['a']);
    expect(keywordsOf({ raw: {}, xmpKeywords: ['??'], iptcKeywords: 'one word' })).toEqual(['one word']);
    expect(keywordsOf({ raw: {}, xmpKeywords: Array.from({ length: 900 }, (_, i) => `k${i}`) })).toHaveLength(200);
  });
  it('fits the row', async () => {
    const facts = await factsOf('image', 'image/jpeg', { raw: {}, xmpDescription: 'x'.repeat(20_000), rating: '5', xmpKeywords: Array.from({ length: 900 }, (_, i) => `${i}`.repeat(300)) });
    expect(AssetFacts.safeParse({ ...facts, sha256: '0'.repeat(64), size_bytes: 1 }).error).toBeUndefined();
    expect(facts).toMatchObject({ rating: 5 });
  });
});

describe('readIptc', () => {
  const utf8 = (text: string) => Buffer.from(text, 'utf8');
  it('reads caption, keywords and date behind other resources', () => {
    const other = Buffer.from('8BIM\x03\xed\x03abc\0\0\0\x03xyz\0', 'latin1');
    expect(readIptc(app13([[1, 90, Buffer.from('\x1b%G', 'latin1')], [2, 25, utf8('See')], [2, 25, utf8('Jörg')], [2, 55, utf8('20080315')], [2, 60, utf8('074421-0700')], [2, 120, utf8('Am See')]], other))).toMatchObject({ iptcDescription: 'Am See', iptcKeywords: ['See', 'Jörg'], xmpDates: ['2008:03:15 07:44:21-0700'] });
    expect(readIptc(app13([[2, 55, utf8('20080315')]])).xmpDates).toEqual(['2008:03:15']);
    expect(readIptc(app13([[2, 60, utf8('074421')]])).xmpDates).toBeUndefined();
  });
  it('reads bytes that are no UTF-8 as Latin-1, unless they are said to be', () => {
    expect(readIptc(app13([[2, 120, Buffer.from('J\xf6rg', 'latin1')]])).iptcDescription).toBe('Jörg');
    expect(readIptc(app13([[2, 120, utf8('Jörg')]])).iptcDescription).toBe('Jörg');
  });
  it('survives what is cut or lies', () => {
    const whole = app13([[2, 25, utf8('lake')], [2, 120, utf8('caption')]]);
    for (let length = 0; length < whole.length; length += 1) expect(() => readIptc(whole.subarray(0, length))).not.toThrow();
    const lies = Buffer.from(whole); lies.writeUInt32BE(0xffffffff, 8); expect(() => readIptc(lies)).not.toThrow();
    expect(readIptc(app13([[2, 25, Buffer.alloc(0x9000)]])).iptcKeywords).toBeUndefined();
  });
});
