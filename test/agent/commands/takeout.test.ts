// What belongs together, as the owner sees it: a Takeout in two parts and a Live Photo whose folder is there twice, indexed
// by the real command, then `list --json`. One start of the program for all of it.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findRunning, remoteInstance } from '../../../agent/commands/instance.ts';
import { openDataDir } from '../../../agent/config.ts';
import { ListLine } from '../../../protocol/list.ts';
import type { SidecarReport } from '../../../protocol/link.ts';
import { IndexReport } from '../../../protocol/report.ts';
import { freePort, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../../support/instance.ts';
import { ASCII, makeAppleDouble, makeExif, makePicture, makeVideo, phoneExif, setCreationTime, type Field } from '../../support/make-media.ts';

const base = mkdtempSync(join(tmpdir(), 'jharokha-takeout-'));
const photos = (part: number) => join(base, 'library', `takeout-${part}`, 'Takeout', 'Google Photos');
const put = (path: string, bytes: Buffer | string): string => { mkdirSync(dirname(path), { recursive: true }); writeFileSync(path, bytes); return path; };
const shaOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
/** 2019-06-08T13:20:00Z */
const TAKEN_S = 1_560_000_000;
const sidecar = (title: string, more: object = {}): string => JSON.stringify({
  title, description: '', imageViews: '0', creationTime: { timestamp: '1570000000', formatted: '' }, photoTakenTime: { timestamp: String(TAKEN_S), formatted: '' },
  geoData: { latitude: 0, longitude: 0, altitude: 0, latitudeSpan: 0, longitudeSpan: 0 }, ...more,
});

const xmp = (description: string, rating: number): string => `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="${rating}">
  <dc:description><rdf:Alt><rdf:li xml:lang="x-default">${description}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>`;

let up: Up;
let lines: Map<string, ListLine>;
let report: IndexReport;
let sidecars: SidecarReport;
const sha: Record<string, string> = {};
const line = (name: string): ListLine => {
  const found = lines.get(sha[name] ?? '');
  if (!found) throw new Error(`${name} is not listed`);
  return found;
};

beforeAll(async () => {
  const year = (part: number, name: string) => join(photos(part), 'Photos from 2019', name);
  const trip = (part: number, name: string) => join(photos(part), 'Trip', name);
  const picture = (seed: number) => makePicture({ seed });
  // The first part: a picture in its year's folder and in an album, with a sidecar in each; and a sidecar whose file is in the second.
  sha['a'] = shaOf(put(year(1, 'a.jpg'), await picture(1)));
  put(year(1, 'a.jpg.supplemental-metadata.json'), sidecar('a.jpg', { description: 'On the ferry', favorited: true, people: [{ name: 'Somebody' }] }));
  put(year(1, 'metadata.json'), JSON.stringify({ title: 'Photos from 2019', description: '', access: 'protected', date: { timestamp: '1', formatted: '' } }));
  put(trip(1, 'metadata.json'), JSON.stringify({ title: 'Trip to the sea', description: '', access: 'protected', date: { timestamp: '1', formatted: '' } }));
  put(trip(1, 'a.jpg'), readFileSync(year(1, 'a.jpg')));
  put(trip(1, 'a.jpg.supplemental-metadata.json'), sidecar('a.jpg', { description: 'On the ferry', favorited: true, people: [{ name: 'Somebody' }] }));
  put(year(1, 'b.jpg.supplemental-metadata.json'), sidecar('b.jpg', { description: 'In the other part', trashed: true }));
  put(year(1, 'lost.jpg.supplemental-metadata.json'), sidecar('lost.jpg'));
  put(year(1, 'broken.jpg.json'), '{"title": "broken.jpg", "photoTakenTi');
  // The second part.
  sha['b'] = shaOf(put(year(2, 'b.jpg'), await picture(2)));
  sha['edited'] = shaOf(put(year(1, 'a-edited.jpg'), await picture(3)));
  sha['c'] = shaOf(put(trip(2, 'c.jpg'), await picture(4)));
  put(trip(2, 'c.jpg.supplemental-metadata.json'), sidecar('c.jpg', { geoData: { latitude: 54.5, longitude: 13.4, altitude: 0, latitudeSpan: 0, longitudeSpan: 0 } }));
  sha['alone'] = shaOf(put(year(2, 'alone.jpg'), await picture(5)));
  put(year(2, 'd.jpg.supplemental-metadata.json'), sidecar('d.jpg'));
  sha['d'] = shaOf(put(year(2, 'd.jpg'), await picture(7)));
  // A Live Photo by name and time, its folder there twice.
  const first = join(base, 'library', 'DCIM', '100APPLE');
  sha['still'] = shaOf(put(join(first, 'IMG_9.JPG'), await makePicture({ seed: 6, exif: phoneExif({ taken: '2021:07:01 12:00:01', offset: '+02:00' }) })));
  await makeVideo({ path: join(first, 'IMG_9.MOV'), format: 'mov' });
  setCreationTime(join(first, 'IMG_9.MOV'), Date.UTC(2021, 6, 1, 10, 0, 0));
  sha['video'] = shaOf(join(first, 'IMG_9.MOV'));
  for (const name of ['IMG_9.JPG', 'IMG_9.MOV']) put(join(base, 'library', 'copy of DCIM', name), readFileSync(join(first, name)));
  // A camera's folder: a RAW with its picture and one XMP for both, a picture with an XMP of its own, Apple's edited copy with its AAE, a zero-byte video.
  const camera = (name: string) => join(base, 'library', 'DCIM', '101CANON', name);
  const shot = { exif: [[0x9003, ASCII, '2022:03:04 05:06:07'] satisfies Field] };
  sha['raw'] = shaOf(put(camera('DSC_1.NEF'), makeExif({ ifd0: [[0x010f, ASCII, 'NIKON CORPORATION']], ...shot })));
  sha['jpeg'] = shaOf(put(camera('DSC_1.JPG'), await makePicture({ seed: 9, exif: makeExif(shot) })));
  put(camera('DSC_1.xmp'), xmp('Both at dawn', 4));
  sha['own'] = shaOf(put(camera('DSC_2.JPG'), await makePicture({ seed: 10, exif: makeExif({ exif: [[0x9003, ASCII, '2022:03:04 05:07:00']] }) })));
  put(camera('DSC_2.JPG.xmp'), xmp('By its whole name', 2));
  sha['IMG_1234'] = shaOf(put(camera('IMG_1234.JPG'), await makePicture({ seed: 11, exif: makeExif(shot) })));
  sha['IMG_E1234'] = shaOf(put(camera('IMG_E1234.JPG'), await makePicture({ seed: 12, exif: makeExif(shot) })));
  put(camera('IMG_1234.AAE'), '<?xml version="1.0"?><plist version="1.0"><dict/></plist>');
  put(camera('IMG_1234.MOV'), '');
  // Clutter of macOS, by its magic bytes; a real picture by that kind of name.
  put(join(first, '._IMG_9.JPG'), makeAppleDouble());
  sha['dotted'] = shaOf(put(join(first, '._real.jpg'), await picture(8)));

  const dataDir = join(base, 'data');
  up = startUp(dataDir, await freePort(), [join(base, 'library')], { TZ: 'UTC' });
  await waitIdle(up);
  const listed = await runCommandAsync(dataDir, ['list', '--json']);
  expect(listed.code, listed.stderr).toBe(0);
  lines = new Map(listed.stdout.trim().split('\n').map((text) => ListLine.parse(JSON.parse(text))).map((l) => [l.sha256, l]));
  const synced = await runCommandAsync(dataDir, ['sync', '--once', '--json']);
  expect(synced.code, synced.stderr).toBe(3);
  report = IndexReport.parse(JSON.parse(synced.stdout));
  const identity = openDataDir(dataDir);
  const worker = await findRunning(dataDir, identity.token);
  if (!worker) throw new Error('nothing answers');
  sidecars = await remoteInstance(worker, identity).ask('sidecar_report', { from: 0 });
}, 180_000);
afterAll(async () => {
  await stopUp(up);
  rmSync(base, { recursive: true, force: true });
});

describe('a Takeout in two parts', () => {
  test('what the sidecar says is taken over; one asset for the year\'s folder and the album', () => {
    expect(line('a')).toMatchObject({ taken_at: '2019-06-08T13:20:00', taken_at_source: 'takeout', description: 'On the ferry', favourite: true, people: ['Somebody'], albums: ['Trip to the sea'], archived: false });
    expect(line('a').locations).toHaveLength(2);
  });
  test('a file gets its sidecar from the other part; what was in the bin is archived', () => {
    expect(line('b')).toMatchObject({ taken_at: '2019-06-08T13:20:00', taken_at_source: 'takeout', description: 'In the other part', archived: true, favourite: false, albums: [] });
  });
  test('the album holds the files of both parts, and a year\'s folder is none', () => {
    expect(line('c')).toMatchObject({ albums: ['Trip to the sea'], latitude: 54.5, longitude: 13.4 });
    expect(line('d').albums).toEqual([]);
  });
  test('the edited copy stands under its original', () => {
    expect(line('edited').stack).toEqual({ role: 'member', primary: sha['a'] });
    expect(line('a').stack).toEqual({ role: 'primary', primary: sha['a'] });
    expect(line('edited')).toMatchObject({ taken_at_source: 'takeout', description: 'On the ferry' });
  });
});

test('a Live Photo whose folder is there twice: one stack, four locations', () => {
  const [still, video] = [line('still'), line('video')];
  expect(still).toMatchObject({ kind: 'image', stack: { role: 'primary', primary: sha['still'] }, live_video: sha['video'], taken_at: '2021-07-01T12:00:01', utc_offset_minutes: 120 });
  expect(video).toMatchObject({ kind: 'video', stack: { role: 'member', primary: sha['still'] }, live_video: null, taken_at: '2021-07-01T12:00:01', utc_offset_minutes: 120 });
  expect(still.locations.length + video.locations.length).toBe(4);
});

describe('a camera\'s folder', () => {
  test('a RAW stands under its picture, and one XMP speaks for both', () => {
    expect(line('jpeg')).toMatchObject({ stack: { role: 'primary', primary: sha['jpeg'] }, description: 'Both at dawn', rating: 4, live_video: null });
    expect(line('raw')).toMatchObject({ mime: 'image/x-nikon-nef', taken_at: '2022-03-04T05:06:07', stack: { role: 'member', primary: sha['jpeg'] }, description: 'Both at dawn', rating: 4 });
  });
  test('an XMP of a whole name speaks for that file alone', () => {
    expect(line('own')).toMatchObject({ stack: null, description: 'By its whole name', rating: 2 });
  });
  test('Apple\'s edited copy stands under its original; the AAE is a sidecar, the zero-byte video a named failure', () => {
    expect(line('IMG_1234')).toMatchObject({ stack: { role: 'primary', primary: sha['IMG_1234'] }, live_video: null });
    expect(line('IMG_E1234').stack).toEqual({ role: 'member', primary: sha['IMG_1234'] });
    expect(report.failed.find((f) => f.path.endsWith('IMG_1234.MOV'))?.reason).toMatch(/empty/i);
    // Six of the export's files, two of its folders, two XMP, one AAE.
    expect(report.sidecar).toBe(11);
  });
});

test('AppleDouble is ignored and counted; a picture of such a name is indexed', () => {
  expect(line('dotted').kind).toBe('image');
  expect(report.ignored).toBe(1);
});

describe('the report', () => {
  test('adds up, and names what is broken', () => {
    expect(report.seen).toBe(report.indexed + report.changed + report.moved + report.unchanged + report.duplicate + report.sidecar + report.ignored + report.failed.length);
    expect(report.failed.map((f) => f.path.split('/').at(-1)).sort()).toEqual(['IMG_1234.MOV', 'broken.jpg.json']);
  });
  test('says which sidecars have no file, and which files no sidecar', () => {
    const year = 'Takeout/Google Photos/Photos from 2019';
    expect(report.sidecars).toEqual({ sidecars: 8, matched: 7, without_media: 1, media: 7, media_with_sidecar: 6, without_sidecar: 1 });
    expect(sidecars).toEqual({
      sidecars: 8, matched: 7, media: 7, media_with_sidecar: 6,
      without_media: { total: 1, paths: [join(base, 'library/takeout-1', year, 'lost.jpg.supplemental-metadata.json')] },
      without_sidecar: { total: 1, paths: [join(base, 'library/takeout-2', year, 'alone.jpg')] },
    });
  });
});
