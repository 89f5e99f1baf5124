// What sidecars say, in the shapes that exports and programs write, and in shapes that nobody should.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identify } from '../../../agent/pipeline/identify.ts';
import { MAX_SIDECAR_BYTES, readSidecar, tooLarge } from '../../../agent/pipeline/sidecars.ts';
import { ReadError } from '../../../agent/pipeline/types.ts';
import { ImportFacts } from '../../../protocol/rows.ts';
import { findSharedMedia } from '../../support/shared-media.ts';

const json = (value: unknown, name = 'a.jpg.json') => readSidecar(name, 'json', Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
const xmp = (text: string | Buffer, name = 'a.xmp') => readSidecar(name, 'xmp', typeof text === 'string' ? Buffer.from(text) : text);
const rdf = (attributes: string, body = '') => `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ${attributes}>${body}</rdf:Description></rdf:RDF></x:xmpmeta>`;
const taken = (timestamp: unknown) => ({ title: 'a.jpg', photoTakenTime: { timestamp } });
const NOTHING = { time_claims: [], latitude: null, longitude: null, gps_zone: null, description: null, favourite: null, archived: null, rating: null, people: [], tags: [] };

/** Everything that is said must be what a row may carry. */
async function said(read: Promise<{ said: ImportFacts | null }>): Promise<ImportFacts> {
  const { said: facts } = await read;
  return ImportFacts.parse(facts);
}

describe('Takeout', () => {
  it('says time, place, words and marks', async () => {
    const read = await json({
      title: 'a?.jpg', description: 'Two\r\nlines \u0007& "more"', photoTakenTime: { timestamp: '1592345678' }, creationTime: { timestamp: '1697872351' },
      geoData: { latitude: 43.6961, longitude: 7.2715 }, favorited: true, archived: true, people: [{ name: 'One' }, { name: ' Two ' }, { name: 'One' }],
    });
    expect(read).toEqual({
      format: 'takeout', title: 'a?.jpg', album: null,
      said: {
        ...NOTHING, source: 'takeout', name: 'a.jpg.json', time_claims: [{ source: 'takeout', wall: null, utc_ms: 1_592_345_678_000, offset_minutes: null, offset_source: null }],
        latitude: 43.6961, longitude: 7.2715, gps_zone: 'Europe/Paris', description: 'Two\nlines & "more"', favourite: true, archived: true, people: ['One', 'Two'],
      },
    });
    expect(ImportFacts.safeParse(read.said).success).toBe(true);
  });
  it('makes what Google\'s trash held archived, and nothing more', async () => {
    expect((await said(json({ ...taken('1'), trashed: true }))).archived).toBe(true);
    expect((await said(json({ ...taken('1'), trashed: true, archived: false }))).archived).toBe(true);
    expect((await said(json({ ...taken('1'), trashed: false }))).archived).toBeNull();
    expect((await said(json({ ...taken('1'), archived: false, favorited: false })))).toMatchObject({ archived: false, favourite: false });
  });
  it('tells times before 1970 and absurd ones, and leaves out what is no time', async () => {
    for (const [timestamp, ms] of [['-315619200', -315_619_200_000], ['-2177452800', -2_177_452_800_000], ['0', 0], [1_592_345_678, 1_592_345_678_000], ['253402300800', 253_402_300_800_000]] as const) {
      expect((await said(json(taken(timestamp)))).time_claims.map((c) => c.utc_ms), String(timestamp)).toEqual([ms]);
    }
    for (const bad of ['', 'soon', 'NaN', '1e300', '99999999999999999', null, true, {}, ['1'], []]) expect((await said(json(taken(bad)))).time_claims, JSON.stringify(bad)).toEqual([]);
    for (const bad of [null, 'x', 5, [], [{ timestamp: '1' }]]) expect((await said(json({ title: 'a.jpg', photoTakenTime: bad }))).time_claims).toEqual([]);
  });
  it('takes no impossible position, and the camera\'s where the owner gave none', async () => {
    const good = { latitude: -33.85, longitude: 151.2 };
    expect(await said(json({ ...taken('1'), geoData: { latitude: 0, longitude: 0 }, geoDataExif: good }))).toMatchObject({ ...good, gps_zone: 'Australia/Sydney' });
    expect(await said(json({ ...taken('1'), geoData: { latitude: 48.1, longitude: 11.5 }, geoDataExif: good }))).toMatchObject({ latitude: 48.1 });
    for (const bad of [{ latitude: 0, longitude: 0 }, { latitude: 213, longitude: 7 }, { latitude: 1, longitude: -181 }, { latitude: '43', longitude: '7' }, { latitude: null, longitude: 7 }, { latitude: 5 }, [], 'x', null]) {
      expect(await said(json({ ...taken('1'), geoData: bad })), JSON.stringify(bad)).toMatchObject({ latitude: null, longitude: null, gps_zone: null });
    }
    // JSON has no NaN; a number too large for one is Infinity.
    expect(await said(json('{"photoTakenTime": {"timestamp": "1"}, "geoData": {"latitude": 1e999, "longitude": 7}}'))).toMatchObject({ latitude: null });
  });
  it('leaves out single fields of the wrong shape and keeps the rest', async () => {
    const read = await json({ title: ['x'], description: { a: 1 }, photoTakenTime: { timestamp: '5' }, favorited: 'yes', archived: 1, people: [null, 'x', { name: 7 }, { name: '' }, [], { name: 'Kept' }], geoData: 'here' });
    expect(read.title).toBeNull();
    expect(read.said).toEqual({ ...NOTHING, source: 'takeout', name: 'a.jpg.json', time_claims: [expect.objectContaining({ utc_ms: 5_000 })], people: ['Kept'] });
    expect(await said(json({ ...taken('5'), people: { name: 'x' } }))).toMatchObject({ people: [] });
  });
  it('keeps to the bounds of a row', async () => {
    const facts = await said(json({ ...taken('5'), description: `${'x'.repeat(9_999)}\u{1f600}`, people: Array.from({ length: 5_000 }, (_, i) => ({ name: `${i} ${'n'.repeat(500)}\ud83d` })) }, 'n'.repeat(2_000)));
    expect(facts.description).toHaveLength(10_000);
    expect(facts.people).toHaveLength(200);
  });
  it('reads a byte-order mark and UTF-16', async () => {
    const text = JSON.stringify(taken('7'));
    for (const bytes of [Buffer.from(`\uFEFF${text}`), Buffer.from(`\uFEFF${text}`, 'utf16le'), Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()]) {
      expect((await readSidecar('a.json', 'json', bytes)).title).toBe('a.jpg');
    }
  });
});

describe('albums and other JSON', () => {
  it('knows an album by its shape, in any language', async () => {
    const date = { timestamp: '1697872351', formatted: 'x' };
    for (const [value, title] of [
      [{ title: 'Été', description: '', access: 'protected', date }, 'Été'],
      [{ title: 'Shared', access: 'shared', date, geoData: { latitude: 0, longitude: 0 }, enrichments: [] }, 'Shared'],
      [{ albumData: { title: 'iPhone', date } }, 'iPhone'],
    ] as const) {
      for (const name of ['metadata.json', 'metadati.json', 'métadonnées.json', 'Metadaten.json', 'メタデータ.json']) {
        expect(await json(value, name)).toEqual({ format: 'album', title: null, said: null, album: { title } });
        expect(identify(name, 100, Buffer.from(JSON.stringify(value))), name).toEqual({ as: 'sidecar', format: 'json' });
      }
    }
    expect(await json({ title: '', access: '', date })).toMatchObject({ format: 'album', album: null });
    expect(await json({ albumData: { title: 7_000 } })).toMatchObject({ format: 'album', album: { title: '7000' } });
    expect((await json({ albumData: { title: 'x'.repeat(9_000) } })).album?.title).toHaveLength(500);
  });
  it('takes nothing else for an album or a media file', async () => {
    for (const value of [{}, { printSubscriptions: [] }, { sharedAlbumComments: [] }, { userGeneratedMemoryTitles: [] }, { title: 'x' }, { title: 'x', description: 'y' }, { access: 'x', date: 1 }, { albumData: null }, { name: 'package' }]) {
      expect(await json(value), JSON.stringify(value)).toEqual({ format: 'other', title: null, said: null, album: null });
    }
    expect(await json({ ...taken('1'), access: 'x', date: {} })).toMatchObject({ format: 'takeout' });
    for (const text of ['{"name": "x", "dates": "y"}', '{"title": "x"}']) expect(identify('package.json', 100, Buffer.from(text))).toMatchObject({ as: 'ignored' });
  });
  it('refuses what is no JSON, or none of an export\'s, with a reason', async () => {
    for (const text of ['', '{', '{"title": "broken.jpg", "photoTakenTime": {"timesta', 'null', '[]', '"text"', '5', '\0\0\0', '[{"SourceFile": "a.jpg"}]']) {
      const failure: unknown = await json(text).catch((e: unknown) => e);
      expect(failure, text).toBeInstanceOf(ReadError);
      expect(failure).toMatchObject({ code: 'damaged', stage: 'sidecar' });
    }
  });
  it('lives with depth and size', async () => {
    await expect(json('['.repeat(1_000_000))).rejects.toThrow(ReadError);
    const deep = `${'{"a":'.repeat(300_000)}1${'}'.repeat(300_000)}`;
    expect((await json(`{"photoTakenTime": ${deep}, "title": ${deep}, "people": [${deep}]}`)).said).toMatchObject({ time_claims: [], people: [] });
    expect((await json('{"__proto__": {"photoTakenTime": 1}, "constructor": 2}')).format).toBe('other');
    const failure: unknown = await readSidecar('a.json', 'json', Buffer.alloc(MAX_SIDECAR_BYTES + 1)).catch((e: unknown) => e);
    expect(failure).toMatchObject({ code: 'too_large', message: 'it has 9 MB; a sidecar has 8 MB at most' });
    expect(tooLarge(2 ** 30).message).toContain('1024 MB');
  });
});

describe('XMP', () => {
  it('reads Lightroom\'s shape: attributes, and lists as elements', async () => {
    const facts = await said(xmp(rdf(`xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4" xmp:CreateDate="2019-05-21T10:45:52.12" exif:DateTimeOriginal="2019-05-21T10:45:52.12" photoshop:DateCreated="2019-05-21T10:45:52+02:00" exif:GPSLatitude="44,10.5N" exif:GPSLongitude="7,30.25W"`, `
      <dc:description><rdf:Alt><rdf:li xml:lang="de">Am Meer</rdf:li><rdf:li xml:lang="x-default">By the sea &amp; more&#xA;second line</rdf:li></rdf:Alt></dc:description>
      <dc:subject><rdf:Bag><rdf:li>Nice</rdf:li><rdf:li>sea</rdf:li></rdf:Bag></dc:subject>
      <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|France|Nice</rdf:li><rdf:li>Evening</rdf:li></rdf:Bag></lr:hierarchicalSubject>
      <Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Person One</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>`)));
    expect(facts).toEqual({
      ...NOTHING, source: 'xmp', name: 'a.xmp', time_claims: [{ source: 'xmp', wall: '2019-05-21T10:45:52', utc_ms: null, offset_minutes: 120, offset_source: 'exif' }],
      latitude: 44.175, longitude: -7.5041667, gps_zone: expect.any(String) as string, description: 'By the sea & more\nsecond line', rating: 4, people: ['Person One'], tags: ['Nice', 'sea', 'Evening'],
    });
  });
  it('reads digiKam\'s shape: regions with names, tags in a sequence', async () => {
    const facts = await said(xmp(rdf('xmp:Rating="0"', `
      <mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions stDim:w="10" stDim:h="10" stDim:unit="pixel"/>
       <mwg-rs:RegionList><rdf:Bag>
        <rdf:li><rdf:Description mwg-rs:Name="Person One" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5" stArea:y="0.5"/></rdf:Description></rdf:li>
        <rdf:li><rdf:Description mwg-rs:Name="Rex" mwg-rs:Type="Pet"/></rdf:li>
        <rdf:li rdf:parseType="Resource"><mwg-rs:Type>Face</mwg-rs:Type><mwg-rs:Name>Person &quot;Two&quot;</mwg-rs:Name></rdf:li>
        <rdf:li rdf:parseType="Resource"><mwg-rs:Type>Focus</mwg-rs:Type></rdf:li>
        <rdf:li><rdf:Description mwg-rs:Type="Face" mwg-rs:Name=""/></rdf:li>
       </rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
      <dc:subject><rdf:Seq><rdf:li>a</rdf:li><rdf:li> </rdf:li></rdf:Seq></dc:subject>
      <MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li MPReg:Rectangle="0,0,1,1" MPReg:PersonDisplayName="Person Three"/></rdf:Bag></MPRI:Regions></MP:RegionInfo>`)));
    expect(facts).toMatchObject({ rating: 0, people: ['Person One', 'Person "Two"', 'Person Three'], tags: ['a'], time_claims: [] });
  });
  it('reads darktable\'s and Apple\'s shapes', async () => {
    expect(await said(xmp(rdf('exif:DateTimeOriginal="2019:07:14 08:15:00.000" xmp:Rating="-1" exif:GPSLatitude="48,8.25S" exif:GPSLongitude="11,34.5E"', '<dc:subject><rdf:Seq><rdf:li>x</rdf:li></rdf:Seq></dc:subject>')))).toMatchObject({ rating: -1, latitude: -48.1375, longitude: 11.575, tags: ['x'], time_claims: [{ wall: '2019-07-14T08:15:00' }] });
    expect(await said(xmp(rdf('', '<exif:GPSLatitude>47.6754033</exif:GPSLatitude><exif:GPSLatitudeRef>N</exif:GPSLatitudeRef><exif:GPSLongitude>122.3173917</exif:GPSLongitude><exif:GPSLongitudeRef>W</exif:GPSLongitudeRef><dc:description>Plain</dc:description><photoshop:DateCreated>2022-09-03T17:48:26-07:00</photoshop:DateCreated>'))))
      .toMatchObject({ latitude: 47.6754033, longitude: -122.3173917, gps_zone: 'America/Los_Angeles', description: 'Plain', time_claims: [{ wall: '2022-09-03T17:48:26', offset_minutes: -420 }] });
    expect((await said(xmp(rdf('dc:description="As an attribute" fstop:favorite="1"'))))).toMatchObject({ description: 'As an attribute', favourite: true });
  });
  it('believes the capture\'s date alone of those that a program keeps', async () => {
    const facts = await said(xmp(rdf('xmp:CreateDate="2000-01-01T00:00:00" exif:DateTimeOriginal="2019-05-21T10:45:52"')));
    expect(facts.time_claims).toEqual([expect.objectContaining({ wall: '2019-05-21T10:45:52' })]);
    expect((await said(xmp(rdf('xmp:CreateDate="2001-02-03T04:05:06Z" exif:DateTimeOriginal="0000:00:00 00:00:00"')))).time_claims).toEqual([expect.objectContaining({ wall: '2001-02-03T04:05:06', offset_minutes: 0 })]);
  });
  it('leaves out what is impossible', async () => {
    for (const attributes of ['xmp:Rating="6"', 'xmp:Rating="many"', 'xmp:Rating="-2"', 'exif:GPSLatitude="213,0N" exif:GPSLongitude="7,0E"', 'exif:GPSLatitude="0,0N" exif:GPSLongitude="0,0E"', 'exif:GPSLatitude="NaN" exif:GPSLongitude="7,0E"', 'exif:GPSLatitude="7,0N"', 'exif:DateTimeOriginal="2019-13-40T99:00:00"', 'xmp:Rating=', 'dc:description="']) {
      expect(await said(xmp(rdf(attributes))), attributes).toEqual({ ...NOTHING, source: 'xmp', name: 'a.xmp' });
    }
  });
  it('reads UTF-16 and refuses what is no XMP', async () => {
    const text = `\uFEFF<?xpacket begin="" id=""?>${rdf('xmp:Rating="3"')}`;
    for (const bytes of [Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16(), Buffer.from(text)]) expect((await said(xmp(bytes))).rating).toBe(3);
    for (const other of ['', 'hello', '<html></html>', '\0\0\0\0', '{"a": 1}', '\xff\xfe']) await expect(xmp(other)).rejects.toMatchObject({ code: 'damaged' });
    await expect(xmp(Buffer.from([0xfe, 0xff, 0x00]))).rejects.toMatchObject({ code: 'damaged' });
  });
  it('expands no entity', async () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "lol">${Array.from({ length: 30 }, (_, i) => `<!ENTITY ${'abcdefghijklmnopqrstuvwxyzABCDEF'[i + 1]} "&${'abcdefghijklmnopqrstuvwxyzABCDEF'[i]};&${'abcdefghijklmnopqrstuvwxyzABCDEF'[i]};">`).join('')}<!ENTITY file SYSTEM "file:///etc/hostname">]>`;
    const facts = await said(xmp(`${bomb}${rdf('', '<dc:description><rdf:Alt><rdf:li>&E; &file; &#0; &#x110000;</rdf:li></rdf:Alt></dc:description>')}`));
    expect(facts.description).toBe('&E; &file; &#0; &#x110000;');
  });
  // Milliseconds where every search is linear; far beyond the test's time where one is not.
  it('gets through hostile text', async () => {
    const fill = (part: string) => part.repeat(Math.floor(4_000_000 / part.length));
    for (const part of ['<rdf:li ', '<rdf:li>', '<dc:subject ', '<dc:subject>', '<mwg-rs:RegionList>', 'mwg-rs:Name>', ' mwg-rs:Name="', ' mwg-rs:Name = ', ' dc:description="', ' dc:description=', '<', '&#', 'xml:lang=', '\n ', 'exif:GPSLatitude=', "xmp:Rating='"]) {
      const text = `<rdf:RDF ><dc:subject><mwg-rs:RegionList>${fill(part)}`;
      await said(xmp(text));
      await said(xmp(`${text}</mwg-rs:RegionList></dc:subject>`));
    }
  });
});

describe('AAE', () => {
  it('is recognised and says nothing', async () => {
    expect(await readSidecar('IMG_1.AAE', 'aae', Buffer.from('anything'))).toEqual({ format: 'aae', title: null, said: null, album: null });
  });
});

const media = findSharedMedia();
if (media.reason) console.warn(`sidecars.test.ts: the real sidecars are skipped: ${media.reason}`);
describe.skipIf(media.dir === undefined)('real sidecars', () => {
  const dir = media.dir ?? '';
  const read = (path: string) => readSidecar(path.slice(path.lastIndexOf('/') + 1), path.endsWith('.xmp') ? 'xmp' : 'json', readFileSync(join(dir, path)));
  it('reads every XMP', async () => {
    expect(await said(read('raw/canon_eos_6d.xmp'))).toEqual({ ...NOTHING, source: 'xmp', name: 'canon_eos_6d.xmp', time_claims: [expect.objectContaining({ source: 'xmp', wall: '2019-06-06T07:29:51' })] });
    for (const year of ['2000', '2010', '2020']) expect((await said(read(`timezone/${year}.xmp`))).time_claims).toEqual([expect.objectContaining({ wall: `${year}-09-27T14:35:33`, offset_minutes: 120 })]);
    expect(await said(read('exif-odd-cameras/photoprism/apple-test-2.xmp'))).toMatchObject({ description: 'Tulpen am See', tags: ['Krokus', 'Blume', 'Schöne Wiese'], gps_zone: 'Europe/Berlin', time_claims: [{ wall: '2021-03-24T13:07:29', offset_minutes: 60 }] });
    expect(await said(read('exif-odd-cameras/photoprism/photoshop.xmp'))).toMatchObject({ rating: 4, tags: ['desk', 'coffee', 'computer'], people: ['Gopher'], description: 'Example file for development' });
    expect(await said(read('exif-odd-cameras/photoprism/fstop-favorite.xmp'))).toMatchObject({ favourite: true });
    expect(await said(read('video/20240128_120909.mp4.xmp'))).toMatchObject({ rating: 3, tags: ['Travel'], gps_zone: 'Europe/Prague' });
  });
  it('reads the edges of Takeout', async () => {
    const edge = (name: string) => read(`takeout/derived-edge/${name}`);
    expect(await said(edge('archived_fav.jpg.json'))).toMatchObject({ favourite: true, archived: true, people: ['Test Person'], latitude: null });
    expect(await said(edge('trashed.jpg.json'))).toMatchObject({ archived: true });
    expect((await said(edge('epoch_zero.jpg.json'))).time_claims.map((c) => c.utc_ms)).toEqual([0]);
    expect((await said(edge('old_scan_1960.jpg.json'))).time_claims.map((c) => c.utc_ms)).toEqual([Date.UTC(1960, 0, 1)]);
    expect((await said(edge('photo_1901.jpg.supplemental-metadata.json'))).time_claims.map((c) => c.utc_ms)).toEqual([Date.UTC(1901, 0, 1)]);
    expect(await said(edge("l'été à Nice.jpg.supplemental-metadata.json"))).toMatchObject({ description: 'Plage "bleue" & soleil\nligne 2', gps_zone: 'Europe/Paris' });
    expect((await edge('metadata.json')).album).toEqual({ title: 'My album' });
    await expect(edge('broken.jpg.json')).rejects.toMatchObject({ code: 'damaged' });
    for (const name of ['print-subscriptions.json', 'shared_album_comments.json', 'user-generated-memory-titles.json']) expect((await edge(name)).format, name).toBe('other');
    expect((await read('takeout/photoprism/gphotos-album.json')).album).toEqual({ title: 'iPhone' });
    for (const name of readdirSync(join(dir, 'takeout/photoprism')).filter((n) => /^gphotos-\d/.test(n))) expect((await read(`takeout/photoprism/${name}`)).format, name).toBe('takeout');
  });
});
