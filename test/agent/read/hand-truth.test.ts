// The real media against the words that people wrote about them: times, offsets and where these came from (100 %, save what a
// file itself has wrong); and the real files that are too large to keep, from ExifTool's dumps of them.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { claimsOf } from '../../../agent/pipeline/claims.ts';
import { answerOf } from '../../../agent/pipeline/exiftool.ts';
import { nameClaims } from '../../../agent/pipeline/name-date.ts';
import { createReader } from '../../../agent/pipeline/reader.ts';
import { resolveTime, type ResolvedTime } from '../../../protocol/resolve.ts';
import { existingSource, identifySource } from '../../support/file-source.ts';
import { differences, expectedParses, HAND_EXCEPTIONS, HAND_TIMES, OTHER_TESTS, SPEAKS_OF_TIME, type HandTime } from '../../support/hand-times.ts';
import { findSharedMedia, readManifest } from '../../support/shared-media.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const media = findSharedMedia();
const dir = media.dir ?? '';
if (media.reason) console.warn(`hand-truth.test.ts is skipped: ${media.reason}`);
/** Far from UTC and no whole hour, so that a time which was read in the wrong zone cannot look right. */
const HOME_ZONE = 'Asia/Kolkata';
const found = (time: ResolvedTime) => ({ wall: time.takenAt, offset: time.offsetMinutes, source: time.source, offsetSource: time.offsetSource });

describe.skipIf(media.dir === undefined)('what was checked by hand', () => {
  const reader = createReader({ heicWorkers: 1 });
  afterAll(() => reader.close());
  const rows = media.dir === undefined ? [] : readManifest(dir);
  const wanted = media.dir === undefined ? {} : { ...expectedParses(dir), ...HAND_TIMES };

  it('is compared whole: no row that speaks of a time is left out', () => {
    const speaking = rows.filter((row) => SPEAKS_OF_TIME.test(`${row.tests} ${row.hand}`));
    expect(speaking.length).toBeGreaterThan(25);
    const left = speaking.filter((row) => !(row.path in wanted) && !(row.path in HAND_EXCEPTIONS) && !OTHER_TESTS.some((o) => o.path.test(row.path)));
    expect(left.map((row) => `${row.path}: ${row.tests} | ${row.hand}`)).toEqual([]);
    const paths = new Set(rows.map((row) => row.path));
    for (const path of [...Object.keys(HAND_TIMES), ...Object.keys(HAND_EXCEPTIONS)]) expect(paths.has(path), path).toBe(true);
  });

  it.each(Object.entries(wanted))('%s', async (path, want) => {
    expect(differences(want, found(await read(path)))).toEqual([]);
  });

  it('keeps what an exception’s file does say', async () => {
    const source = existingSource(join(dir, 'video/hello.3gp'));
    const type = identifySource(reader, source);
    if (type.as !== 'asset') throw new Error('no asset');
    const { facts } = await reader.quick(source, type);
    expect(facts.time_claims).toContainEqual(expect.objectContaining({ source: 'quicktime', utc_ms: Date.UTC(2014, 6, 15, 6, 58, 36) }));
    expect(found(await read('video/hello.3gp'))).toMatchObject({ wall: '2014-07-15T06:57:34', offset: 0, source: 'xmp' });
    expect(await read('timezone/time-created.jpg')).toMatchObject({ source: 'mtime' });
  });

  async function read(path: string): Promise<ResolvedTime> {
    const source = existingSource(join(dir, path));
    const type = identifySource(reader, source);
    if (type.as !== 'asset') throw new Error(`${path} is ${JSON.stringify(type)}`);
    const { facts } = await reader.quick(source, type);
    return resolveTime({ claims: [...facts.time_claims, ...reader.nameClaims(source.name, source.mtimeMs)], gpsZone: facts.gps_zone, homeZone: HOME_ZONE, nowMs: Date.UTC(2030, 0, 1), durationMs: facts.duration_ms });
  }
});

/** ExifTool's groups, which the dumps leave out: where each tag stands in pictures and in movies. */
const PICTURE_GROUPS: [RegExp, string][] = [[/^(DateTimeOriginal|CreateDate|OffsetTime\w*)$/, 'ExifIFD'], [/^GPS(Date|Time)Stamp$/, 'GPS'], [/^(Make|Model|ModifyDate|ImageDescription)$/, 'IFD0']];
const MOVIE_GROUPS: [RegExp, string][] = [[/^DateTimeOriginal$/, 'ExifIFD'], [/^(CreationDate|Make|Model|Android\w+)$/, 'Keys'], [/^CreationDateValue$/, 'XML'], [/^(Handler|Compressor)\w+$/, 'Track1'], [/^FirmwareVersion$/, 'UserData'], [/^CreateDate$/, 'QuickTime']];

/** The dumps, what must come of them, and which evidence decided those that have nothing but a container's time. */
const DUMPS: Record<string, HandTime & { by?: RegExp }> = {
  'GOPR0533.json': { wall: '2020-07-15T18:33:43', offset: null, source: 'quicktime', by: /^GoPros/ },
  'MVI_1724.MOV.json': { wall: '2022-06-25T06:50:58', utc: '2022-06-25T04:50:58Z', offset: 120, source: 'exif_original', offsetSource: 'utc_difference' },
  'date-creation.mov.json': { wall: '2015-12-06T18:22:29', offset: 180, source: 'quicktime_keys' },
  'date-iphone8.mov.json': { wall: '2020-12-22T02:45:43', offset: 60, source: 'quicktime_keys' },
  'date-iphonex.mov.json': { wall: '2019-12-12T20:47:21', offset: -300, source: 'quicktime_keys' },
  'date.mov.json': { wall: '2015-06-10T14:06:09', offset: 180 },
  'datetime-zero.json': { wall: '2015-03-20T12:07:53', offset: null, source: 'exif_other' },
  'gopher-telegram.json': { utc: '2020-05-11T14:18:35Z', source: 'quicktime', offsetSource: 'home', by: /^Android/ },
  'iphone-mov.json': { wall: '2018-09-08T19:20:14', offset: 120, source: 'quicktime_keys' },
  'pxl-mp4.json': { utc: '2021-07-12T22:56:37Z', source: 'quicktime', offsetSource: 'home', by: /^Android/ },
  'quicktimeutc_off.json': { wall: '2012-07-11T07:16:01', offset: 120, source: 'quicktime_keys' },
  'quicktimeutc_on.json': { wall: '2012-07-11T07:16:01', offset: 120, source: 'quicktime_keys' },
  'sony_mp4_exiftool.json': { wall: '2021-07-06T15:51:36', offset: 120, source: 'quicktime_keys' },
  'timeoffset.json': { wall: '2023-10-02T13:20:17', offset: 120, source: 'exif_original', offsetSource: 'exif' },
  'motion/google_pixel2.jpg.json': { wall: '2018-03-18T19:21:15', utc: '2018-03-18T23:21:15Z', offset: -240, source: 'exif_original', offsetSource: 'utc_difference' },
  'motion/google_pixel4a.jpg.json': { wall: '2021-09-17T19:31:36', offset: -240, source: 'exif_original', offsetSource: 'exif' },
  'motion/google_pixel6.jpg.json': { wall: '2021-12-27T16:13:22', offset: 60, source: 'exif_original', offsetSource: 'exif' },
  'motion/google_pixel7pro.jpg.json': { wall: '2023-03-29T15:48:43', offset: 60, source: 'exif_original', offsetSource: 'exif' },
  'motion/samsung_galaxya71.jpg.json': { wall: '2023-04-24T13:03:58', offset: 120, source: 'exif_original', offsetSource: 'exif' },
  'motion/samsung_galaxys20.jpg.json': { wall: '2023-08-22T14:38:03', offset: 180, source: 'exif_original', offsetSource: 'exif' },
  'motion/samsung_galaxys20.mp4.json': { wall: '2023-08-22T14:38:06', utc: '2023-08-22T11:38:06Z', offset: 180, source: 'quicktime', offsetSource: 'utc_difference', by: /^Android/ },
  'motion/samsung_galaxys20fe.heif.json': { wall: '2022-04-23T08:59:35', offset: 120, source: 'exif_original', offsetSource: 'exif' },
  'motion/samsung_galaxys21ultra.jpg.json': { wall: '2021-10-11T11:34:27', offset: 120, source: 'exif_original', offsetSource: 'exif' },
  'motion/samsung_galaxys21ultra.mp4.json': { wall: '2021-10-11T11:34:29', utc: '2021-10-11T09:34:29Z', offset: 120, source: 'quicktime', offsetSource: 'utc_difference', by: /^Android/ },
};

describe.skipIf(media.dir === undefined)('real files that are too large to keep', () => {
  const dumps = join(dir, 'timezone/exiftool-dumps');
  it('are all here', () => {
    expect(readdirSync(dumps, { recursive: true }).map(String).filter((f) => f.endsWith('.json')).sort()).toEqual(Object.keys(DUMPS).sort());
  });

  it.each(Object.entries(DUMPS))('%s', (name, want) => {
    const time = resolveDump(readDump(name));
    expect(differences(want, found(time))).toEqual([]);
    if (want.by) expect(time.basis).toMatch(want.by); else expect(time.basis).toBeNull();
  });

  it('of which those with nothing but a container’s time are decided by a witness where the maker’s word is taken away', () => {
    const names = Object.keys(DUMPS).filter((name) => DUMPS[name]?.by && /samsung|GOPR/.test(name));
    const withoutMaker = names.map((name) => resolveDump(Object.fromEntries(Object.entries(readDump(name)).filter(([key]) => !/^(Make|Model|Android|Handler|Compressor)/.test(key)))).basis);
    // The Samsungs' names tell; the GoPro's name is a number, and its time would be taken for UTC.
    expect(withoutMaker).toEqual([null, 'written in UTC: its name is +03:00 from it', 'written in UTC: its name is +02:00 from it']);
  });

  /** One dump has lost its first bracket. */
  function readDump(name: string): Record<string, unknown> {
    const [dump] = JSON.parse(readFileSync(join(dumps, name), 'utf8').replace(/^\s*\[?/, '[')) as [Record<string, unknown>];
    return dump;
  }

  function resolveDump(dump: Record<string, unknown>): ResolvedTime {
    const groups = String(dump['MIMEType']).startsWith('video/') || /\.(mov|mp4)$/i.test(String(dump['SourceFile'])) ? MOVIE_GROUPS : PICTURE_GROUPS;
    const raw = Object.fromEntries(Object.entries(dump).flatMap(([key, value]) => { const group = groups.find(([pattern]) => pattern.test(key))?.[1]; return group ? [[`${group}:${key}`, value]] : []; }));
    const { claims } = claimsOf(answerOf(raw).tags);
    return resolveTime({ claims: [...claims, ...nameClaims(basename(String(dump['SourceFile'])), 0)], gpsZone: null, homeZone: HOME_ZONE, nowMs: Date.UTC(2030, 0, 1) });
  }
});
