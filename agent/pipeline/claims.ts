// From the tags of a file to claims about its time. Decides nothing: the resolver ranks claims (protocol/resolve.ts).
import type { AssetProblem, TimeClaim } from '../../protocol/rows.ts';
import { OFFSET_MAX, OFFSET_MIN, offsetText, wallMs, wallText } from '../../protocol/time.ts';
import type { OffsetSource, TakenAtSource } from '../../protocol/words.ts';
import { containerClock } from './container-clock.ts';

/** The tags that facts are made of, from whichever reader found them; times as the file spells them. */
export interface MetaTags {
  exifOriginal?: unknown; offsetOriginal?: unknown;
  exifCreate?: unknown; offsetDigitized?: unknown;
  exifModify?: unknown; offsetModify?: unknown;
  /** The camera clock's own zone, from a maker note: minutes east of UTC. */
  clockOffsetMinutes?: number;
  gpsDate?: unknown; gpsTime?: unknown;
  /** GPS date and time in one text, as XMP spells it. */
  gpsMoment?: unknown;
  /** Dates in XMP that mean the capture, best first. */
  xmpDates?: unknown[];
  keysCreation?: unknown;
  /** A movie's creation time, which the QuickTime standard says is UTC, and cameras do not always. */
  containerUtc?: unknown[];
  /** Creation times of containers that have always been UTC (Matroska, ASF). */
  containerMoments?: unknown[];
  /** What tells who wrote a movie: handlers, encoders, firmware. And Android's version and offset, where it says them. */
  containerSigns?: unknown[]; androidVersion?: unknown; androidOffset?: unknown;
  /** Signed decimal degrees; NaN where the file says something that is no number. Undefined where it says nothing. */
  latitude?: number; longitude?: number;
  make?: unknown; model?: unknown; lens?: unknown;
  exposureTime?: unknown; fNumber?: unknown; iso?: unknown; focal?: unknown;
  contentIdentifier?: unknown;
  durationS?: unknown;
  /** A caption, as the three standards keep it; the video's title or description counts as XMP's. */
  xmpDescription?: unknown; iptcDescription?: unknown; exifDescription?: unknown;
  rating?: unknown; xmpKeywords?: unknown; iptcKeywords?: unknown;
  width?: unknown; height?: unknown; orientation?: unknown;
  raw: Record<string, unknown>;
}

/** What a row may carry (protocol/rows.ts). */
const MAX_CLAIMS = 20;

/** `badOffset`: an offset that stands there and that no clock keeps. */
export interface ParsedTime { wall: string; offset: number | null; dayOnly: boolean; badOffset: boolean }

const TIME = /^\s*(\d{4})[:\-/.](\d{1,2})[:\-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?\s*(?:GMT|UTC)?(Z|[+-]\d{1,2}(?::?\d{2})?)?\s*(?:DST)?\s*$/i;

/** A time as metadata spell it. `unset` is a blank that cameras write for "no date"; `absurd` is anything that is no date. */
export function parseTime(value: unknown): ParsedTime | 'unset' | 'absurd' {
  if (typeof value !== 'string') return value === undefined || value === null ? 'unset' : 'absurd';
  const text = value.replace(/\0[\s\S]*$/, '').trim();
  if (/^[\s:0\-.TZ+/]*$/.test(text)) return 'unset';
  const m = TIME.exec(text);
  if (!m) return 'absurd';
  // A bare date means a day, not its midnight; still the best that the tag says.
  const part = (i: number) => (m[i] ?? '0').padStart(2, '0');
  const wall = `${m[1]}-${part(2)}-${part(3)}T${part(4)}:${part(5)}:${part(6)}`;
  if (wallMs(wall) === undefined) return 'absurd';
  const offset = parseOffset(m[7]);
  return { wall, offset, dayOnly: m[4] === undefined, badOffset: m[7] !== undefined && offset === null };
}

/** Minutes east of UTC from `+01:00`, `+0100`, `Z`; null for anything else and for what no clock keeps. */
export function parseOffset(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const text = value.replace(/\0[\s\S]*$/, '').trim();
  if (/^z$/i.test(text)) return 0;
  const m = /^([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(text);
  if (!m) return null;
  const minutes = (Number(m[2]) * 60 + Number(m[3] ?? 0)) * (m[1] === '-' ? -1 : 1);
  return minutes >= OFFSET_MIN && minutes <= OFFSET_MAX && Number(m[3] ?? 0) < 60 ? minutes : null;
}

/** An offset tag of EXIF, and the date that it belongs to. */
interface OffsetTag { label: string; value: unknown; of: unknown }

/** Claims from a file's own tags, and a problem for each value that is no time at all. */
export function claimsOf(tags: MetaTags): { claims: TimeClaim[]; problems: AssetProblem[] } {
  const claims: TimeClaim[] = [];
  const problems: AssetProblem[] = [];
  const days = new Set<TimeClaim>();
  const original: OffsetTag = { label: 'OffsetTimeOriginal', value: tags.offsetOriginal, of: tags.exifOriginal };
  const digitized: OffsetTag = { label: 'OffsetTimeDigitized', value: tags.offsetDigitized, of: tags.exifCreate };
  const modify: OffsetTag = { label: 'OffsetTime', value: tags.offsetModify, of: tags.exifModify };
  // The zone that the camera's clock was set to speaks for the dates that the camera wrote.
  const clock: OffsetTag = { label: 'TimeZone', value: tags.clockOffsetMinutes === undefined ? undefined : offsetText(tags.clockOffsetMinutes), of: tags.exifOriginal };
  for (const tag of [original, digitized, modify]) if (isImpossibleOffset(tag.value)) problems.push({ code: 'bad_metadata', reason: `${tag.label} is no offset: ${shown(tag.value)}` });
  const wallClaim = (source: TakenAtSource, label: string, value: unknown, offsets: OffsetTag[], offsetSource: OffsetSource): void => {
    const time = parseTime(value);
    if (time === 'unset') return;
    if (time === 'absurd') { problems.push({ code: 'bad_metadata', reason: `${label} is no date: ${shown(value)}` }); return; }
    if (time.badOffset) problems.push({ code: 'bad_metadata', reason: `${label} has no real offset: ${shown(value)}` });
    const offset = time.offset ?? offsetFor(time.wall, value, offsets);
    if (claims.some((c) => c.source === source && c.wall === time.wall && (offset === null || c.offset_minutes === offset))) return;
    const claim: TimeClaim = { source, wall: time.wall, utc_ms: null, offset_minutes: offset, offset_source: offset === null ? null : offsetSource };
    if (time.dayOnly) { claim.basis = `${label} says a day and no time`; days.add(claim); }
    claims.push(claim);
  };
  wallClaim('exif_original', 'DateTimeOriginal', tags.exifOriginal, [original, clock, modify, digitized], 'exif');
  wallClaim('quicktime_keys', 'creationdate', tags.keysCreation, [], 'quicktime_keys');
  for (const date of tags.xmpDates ?? []) wallClaim('xmp', 'XMP date', date, [], 'exif');
  wallClaim('exif_other', 'CreateDate', tags.exifCreate, [digitized, clock, modify, original], 'exif');
  wallClaim('exif_other', 'ModifyDate', tags.exifModify, [modify], 'exif');
  inheritOffsets(claims);
  addContainerClaims(tags, claims, problems);
  const gps = gpsMoment(tags.gpsDate, tags.gpsTime) ?? xmpMoment(tags.gpsMoment);
  if (gps !== undefined) claims.push(utcClaim('gps', gps));
  // A bare day says less than a time on that day does.
  const kept = claims.filter((c) => !days.has(c) || !claims.some((o) => !days.has(o) && o.source === c.source && o.wall?.slice(0, 10) === c.wall?.slice(0, 10)));
  return { claims: kept.slice(0, MAX_CLAIMS), problems: problems.slice(0, MAX_CLAIMS) };
}

/**
 * The offset for a date: its own tag's, else one whose date says the same time, else any that the file has. The last is how
 * ExifTool reads it too: programs write OffsetTime alone and mean the picture, if not always rightly.
 */
function offsetFor(wall: string, value: unknown, tags: OffsetTag[]): number | null {
  const known = tags.flatMap((tag) => { const offset = parseOffset(tag.value); return offset === null ? [] : [{ offset, of: tag.of }]; });
  const same = known.find((k) => { const other = parseTime(k.of); return typeof other === 'object' && other.wall === wall; });
  return (known.find((k) => k.of === value && value !== undefined) ?? same ?? known[0])?.offset ?? null;
}

/** An offset tag with something in it that is no offset; blanks are how cameras say nothing. */
function isImpossibleOffset(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return !/^[\s:\0]*$/.test(String(value)) && parseOffset(value) === null;
}

/**
 * A movie's time as it is written, read as the standard says (UTC), and what its maker's habit says of it: the reading as
 * local time stands beside it where the maker is known to write that. The resolver decides.
 */
function addContainerClaims(tags: MetaTags, claims: TimeClaim[], problems: AssetProblem[]): void {
  const clock = containerClock(tags);
  const offset = parseOffset(tags.androidOffset);
  const add = (value: unknown, always: boolean): void => {
    const time = parseTime(value);
    if (time === 'unset') return;
    const utc = time === 'absurd' ? undefined : wallMs(time.wall);
    if (time === 'absurd' || utc === undefined) { problems.push({ code: 'bad_metadata', reason: `the container's creation time is no date: ${shown(value)}` }); return; }
    const ms = utc - (time.offset ?? 0) * 60_000;
    if (claims.some((c) => c.source === 'quicktime' && c.utc_ms === ms)) return;
    const sure = always || time.offset !== null;
    claims.push({
      ...utcClaim('quicktime', ms), wall: clock?.local && !sure ? wallText(ms) : null,
      offset_minutes: offset, offset_source: offset === null ? null : 'quicktime_keys', basis: always ? 'this kind of file keeps its time in UTC' : sure ? 'its time says that it is UTC' : clock?.basis ?? null,
    });
  };
  for (const value of tags.containerUtc ?? []) add(value, false);
  for (const value of tags.containerMoments ?? []) add(value, true);
}

/** XMP repeats the EXIF dates, often without their offset: the same wall time in the same file has the same offset. */
function inheritOffsets(claims: TimeClaim[]): void {
  for (const claim of claims) {
    if (claim.source !== 'xmp' || claim.offset_minutes !== null) continue;
    const same = claims.find((c) => c.source !== 'xmp' && c.wall === claim.wall && c.offset_minutes !== null);
    if (same) { claim.offset_minutes = same.offset_minutes; claim.offset_source = same.offset_source; }
  }
}

/** A claim of a moment in UTC that knows no place. */
export function utcClaim(source: TakenAtSource, ms: number): TimeClaim {
  return { source, wall: null, utc_ms: Math.round(ms), offset_minutes: null, offset_source: null };
}

/** GPS's own epoch: a receiver that says an earlier day had no fix. */
const GPS_EPOCH_MS = Date.UTC(1980, 0, 6);

/** GPS date `YYYY:MM:DD` and time (three numbers, or `HH:MM:SS`), which are UTC; undefined where either is missing or nonsense. */
function gpsMoment(date: unknown, time: unknown): number | undefined {
  if (typeof date !== 'string') return undefined;
  const day = /^\s*(\d{4})[:-](\d{1,2})[:-](\d{1,2})/.exec(date);
  const clock = Array.isArray(time) ? time.map(Number) : typeof time === 'string' ? time.replace('Z', '').split(':').map(Number) : [];
  const [h, m, s] = clock;
  if (!day || h === undefined || m === undefined || s === undefined || ![h, m, s].every((n) => Number.isFinite(n) && n >= 0) || h > 23 || m > 59 || s >= 61) return undefined;
  const midnight = wallMs(`${day[1]}-${(day[2] ?? '').padStart(2, '0')}-${(day[3] ?? '').padStart(2, '0')}T00:00:00`);
  return midnight === undefined || midnight <= GPS_EPOCH_MS ? undefined : midnight + Math.floor(h * 3_600_000 + m * 60_000 + s * 1000);
}

/** XMP's GPS time, which is UTC and says so; one without a zone is left alone. */
function xmpMoment(value: unknown): number | undefined {
  const time = parseTime(value);
  const ms = typeof time === 'object' && time.offset !== null && !time.dayOnly ? wallMs(time.wall) : undefined;
  return ms === undefined || ms <= GPS_EPOCH_MS || typeof time !== 'object' ? undefined : ms - (time.offset ?? 0) * 60_000;
}

function shown(value: unknown): string { return JSON.stringify(String(value).slice(0, 40).toWellFormed()); }

