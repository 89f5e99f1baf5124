// What MANIFEST.tsv's hand-checked words say about times, offsets and their sources, file by file, in a form that tests can
// compare; used where readers are tested and where `list --json` is.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OffsetSource, TakenAtSource } from '../../protocol/words.ts';
import { readManifest } from './shared-media.ts';

/** What must be shown; undefined is not said. `utc` compares the moment, where the wall time is a guess at home. */
export interface HandTime { wall?: string; utc?: string; offset?: number | null; source?: TakenAtSource; offsetSource?: OffsetSource }

/** Read by hand from the manifest: its words are beside each. */
export const HAND_TIMES: Record<string, HandTime> = {
  // "name 2019-05-21 10:45:52", "date only in the name"
  'timezone/Screenshot 2019-05-21 at 10.45.52.png': { wall: '2019-05-21T10:45:52', source: 'name', offset: null },
  // "name 2020-01-30 09:57:18", "no EXIF, date only in the file name"
  'timezone/telegram_2020-01-30_09-57-18.jpg': { wall: '2020-01-30T09:57:18', source: 'name', offset: null },
  // "CreateDate and zone in separate tags": the zone of a Nikon's clock is in its maker note
  'timezone/createdate_timezone_separate.jpg': { wall: '2008-03-15T07:44:21', source: 'exif_original', offset: -420, offsetSource: 'exif' },
  // "no zone at all", but for its position (Oulu, in summer)
  'timezone/no_timezone.jpg': { wall: '2012-05-06T15:39:44', source: 'exif_original', offset: 180, offsetSource: 'gps_zone' },
  // "immich date priority"
  'timezone/date-priority-test.jpg': { wall: '2023-02-02T02:00:00', source: 'exif_original', offset: null },
  'timezone/datetimeoriginal-gps.jpg': { wall: '2025-12-01T11:30:00', source: 'exif_original', offset: -420, offsetSource: 'gps_zone' },
  'timezone/gps-datetime.jpg': { wall: '2023-11-15T04:30:00', utc: '2023-11-15T12:30:00Z', source: 'gps', offset: -480, offsetSource: 'gps_zone' },
  // "New Year photos, order must follow UTC"
  'timezone/timestamps/newyear_london.jpg': { wall: '2019-01-01T00:15:00', utc: '2019-01-01T00:15:00Z', source: 'exif_original', offset: 0, offsetSource: 'gps_zone' },
  'timezone/timestamps/newyear_sydney.jpg': { wall: '2019-01-01T00:15:00', utc: '2018-12-31T13:15:00Z', source: 'exif_original', offset: 660, offsetSource: 'gps_zone' },
  // "GPS gives the time zone of an EXIF date without offset"
  'gps/coffee-sf.jpg': { wall: '2014-07-11T08:44:34', source: 'exif_original', offset: -420, offsetSource: 'gps_zone' },
  'gps/gocon-tokyo.jpg': { wall: '2014-05-31T13:34:04', source: 'exif_original', offset: 540, offsetSource: 'gps_zone' },
  // "offset +02:00", "offset +01:00, no GPS"
  'heic/iphone12pro_classic_car_gps.heic': { offset: 120, source: 'exif_original', offsetSource: 'exif' },
  'heic/iphone13promax_gainmap.HEIC': { offset: 60, source: 'exif_original', offsetSource: 'exif' },
  'heic/iphone7_ios13_gps.heic': { offset: 120, source: 'exif_original', offsetSource: 'exif' },
  // "mvhd 2022-07-24T21:10:56Z; name says 2022-07-24 21:06:50.210 UTC; GPS 47.5383,-2.8919"
  'video/PXL_20220724_210650210.NIGHT.mp4': { wall: '2022-07-24T23:10:56', utc: '2022-07-24T21:10:56Z', source: 'quicktime', offset: 120, offsetSource: 'gps_zone' },
  // "Pentax 2005 camera MOV (cut)", "2005:08:11 14:03:54": local time, for no such camera knew a zone
  'video/QuickTime.mov': { wall: '2005-08-11T14:03:54', source: 'quicktime', offset: null },
  // "2003 digital camera Motion-JPEG MOV", "QuickTime CreateDate 2003-06-29 17:17:17"
  'video/quicktime-jpeg.mov': { wall: '2003-06-29T17:17:17', source: 'quicktime', offset: null },
  // "QuickTime with zero dates", "no date"
  'video/earth.mov': { source: 'mtime' },
  // "QuickTime CreateDate 2023-09-22T16:35:02Z (no offset)": the offset at home is a guess
  'video/mp42-hvc1.mp4': { utc: '2023-09-22T16:35:02Z', source: 'quicktime', offsetSource: 'home' },
  // "mvhd 2019-02-15 21:13:20Z"
  'video/rotate270.mp4': { utc: '2019-02-15T21:13:20Z', source: 'quicktime', offsetSource: 'home' },
  // "still 15:57:20, video 15:57:19+01:00; QuickTime CreateDate is a later re-encode"
  'live-photos/pair-IMG_7943/IMG_7943.HEIC': { wall: '2026-03-23T15:57:20', source: 'exif_original', offset: 60, offsetSource: 'exif' },
  'live-photos/pair-IMG_7943/IMG_7943_HEVC.MOV': { wall: '2026-03-23T15:57:19', source: 'quicktime_keys', offset: 60, offsetSource: 'quicktime_keys' },
  // "+01:00, GPS Northampton UK; still has GPSDateStamp 3 days off; video 1 s before still"
  'live-photos/pair-train/train.jpg': { wall: '2021-04-10T11:44:00', source: 'exif_original', offset: 60, offsetSource: 'exif' },
  'live-photos/pair-train/train.mov': { wall: '2021-04-10T11:43:59', source: 'quicktime_keys', offset: 60, offsetSource: 'quicktime_keys' },
};

/** Files whose hand-checked words name a time that is not what is shown, each with why. */
export const HAND_EXCEPTIONS: Record<string, string> = {
  'video/hello.3gp': 'its mvhd (06:58:36Z) is when it was transcoded; the XMP that the transcoder kept says 06:57:34Z, which truth.jsonl lists, and XMP goes before a container',
  'timezone/time-created.jpg': 'the file holds an IPTC time without a day (14:30:00+00:00): no date can be made of it',
};

/** Words about a time in the manifest; rows that have them must be in one of the lists above, or be one of these. */
export const SPEAKS_OF_TIME = /\d{4}[-:]\d{2}[-:]\d{2}|\d{2}:\d{2}:\d{2}|[+-]\d{2}:\d{2}\b|no date\b|time zone|date only|New Year|date priority|zone in|no zone/;
export const OTHER_TESTS: { path: RegExp; why: string }[] = [
  { path: /^takeout\//, why: 'times of Takeout’s sidecars: tested where sidecars are' },
  { path: /\.(json|xmp|lst|aae)$/i, why: 'not a picture; the expected parses among them are compared below' },
  { path: /^corrupt\//, why: 'the digits are a hash or a size' },
];

/** Expected parses that other projects keep beside their pictures (`a.jpg`, `a.json`): moment and offset. */
export function expectedParses(dir: string): Record<string, HandTime> {
  const found: Record<string, HandTime> = {};
  for (const { path } of readManifest(dir)) {
    if (!path.endsWith('.json')) continue;
    const stem = path.slice(0, -5);
    const picture = ['.jpg', '.jpeg', '.png'].map((ext) => stem + ext).find((p) => existsSync(join(dir, p)));
    if (!picture) continue;
    const { creationDate: ms, creationDateOffset: offset } = JSON.parse(readFileSync(join(dir, path), 'utf8')) as { creationDate?: unknown; creationDateOffset?: unknown };
    if (typeof ms !== 'number') continue;
    const m = typeof offset === 'string' ? /^([+-])(\d{2}):(\d{2})$/.exec(offset) : null;
    const minutes = m ? (Number(m[2]) * 60 + Number(m[3])) * (m[1] === '-' ? -1 : 1) : undefined;
    // Without an offset, that project keeps the wall time as if it were UTC.
    found[picture] = { wall: new Date(ms + (minutes ?? 0) * 60_000).toISOString().slice(0, 19), ...(minutes === undefined ? {} : { offset: minutes }) };
  }
  return found;
}

/** What differs from what was said by hand, in words; empty: nothing. */
export function differences(want: HandTime, found: { wall: string | null; offset: number | null; source: string | null; offsetSource: string | null }): string[] {
  const wrong: string[] = [];
  const compare = (name: string, got: unknown, wanted: unknown) => { if (wanted !== undefined && got !== wanted) wrong.push(`${name} is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`); };
  compare('wall time', found.wall, want.wall);
  compare('offset', found.offset, want.offset);
  compare('source', found.source, want.source);
  compare('offset source', found.offsetSource, want.offsetSource);
  if (want.utc !== undefined) compare('moment', found.wall === null || found.offset === null ? null : Date.parse(`${found.wall}Z`) - found.offset * 60_000, Date.parse(want.utc));
  return wrong;
}
