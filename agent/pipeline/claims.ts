// From the tags of a file to claims about its time. Decides nothing: the resolver ranks claims (protocol/resolve.ts).
import type { AssetProblem, TimeClaim } from '../../protocol/rows.ts';
import { wallMs } from '../../protocol/time.ts';
import type { OffsetSource, TakenAtSource } from '../../protocol/words.ts';

/** The tags that facts are made of, from whichever reader found them; times as the file spells them. */
export interface MetaTags {
  exifOriginal?: unknown; offsetOriginal?: unknown;
  exifCreate?: unknown; offsetDigitized?: unknown;
  exifModify?: unknown; offsetModify?: unknown;
  gpsDate?: unknown; gpsTime?: unknown;
  /** Dates in XMP that mean the capture, best first. */
  xmpDates?: unknown[];
  keysCreation?: unknown;
  /** A container's creation time, which its standard says is UTC (QuickTime, Matroska). */
  containerUtc?: unknown[];
  /** Signed decimal degrees; NaN where the file says something that is no number. Undefined where it says nothing. */
  latitude?: number; longitude?: number;
  make?: unknown; model?: unknown; lens?: unknown;
  exposureTime?: unknown; fNumber?: unknown; iso?: unknown; focal?: unknown;
  contentIdentifier?: unknown;
  durationS?: unknown;
  width?: unknown; height?: unknown; orientation?: unknown;
  raw: Record<string, unknown>;
}

/** What a row may carry (protocol/rows.ts). */
const MAX_CLAIMS = 20;

export interface ParsedTime { wall: string; offset: number | null; dayOnly: boolean }

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
  return { wall, offset: parseOffset(m[7]), dayOnly: m[4] === undefined };
}

/** Minutes east of UTC from `+01:00`, `+0100`, `Z`; null for anything else or beyond 18 hours. */
export function parseOffset(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const text = value.replace(/\0[\s\S]*$/, '').trim();
  if (/^z$/i.test(text)) return 0;
  const m = /^([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(text);
  if (!m) return null;
  const minutes = (Number(m[2]) * 60 + Number(m[3] ?? 0)) * (m[1] === '-' ? -1 : 1);
  return Math.abs(minutes) <= 18 * 60 && Number(m[3] ?? 0) < 60 ? minutes : null;
}

/** Claims from a file's own tags, and a problem for each value that is no time at all. */
export function claimsOf(tags: MetaTags): { claims: TimeClaim[]; problems: AssetProblem[] } {
  const claims: TimeClaim[] = [];
  const problems: AssetProblem[] = [];
  const days = new Set<TimeClaim>();
  const wallClaim = (source: TakenAtSource, label: string, value: unknown, offsets: unknown[], offsetSource: OffsetSource): void => {
    const time = parseTime(value);
    if (time === 'unset') return;
    if (time === 'absurd') { problems.push({ code: 'bad_metadata', reason: `${label} is no date: ${shown(value)}` }); return; }
    let offset = time.offset;
    for (const o of offsets) if (offset === null) offset = parseOffset(o);
    if (claims.some((c) => c.source === source && c.wall === time.wall && (offset === null || c.offset_minutes === offset))) return;
    const claim: TimeClaim = { source, wall: time.wall, utc_ms: null, offset_minutes: offset, offset_source: offset === null ? null : offsetSource };
    claims.push(claim);
    if (time.dayOnly) days.add(claim);
  };
  wallClaim('exif_original', 'DateTimeOriginal', tags.exifOriginal, [tags.offsetOriginal, tags.offsetModify, tags.offsetDigitized], 'exif');
  wallClaim('quicktime_keys', 'creationdate', tags.keysCreation, [], 'quicktime_keys');
  for (const date of tags.xmpDates ?? []) wallClaim('xmp', 'XMP date', date, [], 'exif');
  wallClaim('exif_other', 'CreateDate', tags.exifCreate, [tags.offsetDigitized, tags.offsetModify, tags.offsetOriginal], 'exif');
  wallClaim('exif_other', 'ModifyDate', tags.exifModify, [tags.offsetModify], 'exif');
  inheritOffsets(claims);
  for (const value of tags.containerUtc ?? []) {
    const time = parseTime(value);
    if (time === 'unset') continue;
    const utc = time === 'absurd' ? undefined : wallMs(time.wall);
    if (time === 'absurd' || utc === undefined) { problems.push({ code: 'bad_metadata', reason: `the container's creation time is no date: ${shown(value)}` }); continue; }
    const ms = utc - (time.offset ?? 0) * 60_000;
    if (!claims.some((c) => c.source === 'quicktime' && c.utc_ms === ms)) claims.push(utcClaim('quicktime', ms));
  }
  const gps = gpsMoment(tags.gpsDate, tags.gpsTime);
  if (gps !== undefined) claims.push(utcClaim('gps', gps));
  // A bare day says less than a time on that day does.
  const kept = claims.filter((c) => !days.has(c) || !claims.some((o) => !days.has(o) && o.source === c.source && o.wall?.slice(0, 10) === c.wall?.slice(0, 10)));
  return { claims: kept.slice(0, MAX_CLAIMS), problems: problems.slice(0, MAX_CLAIMS) };
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

/** GPS date `YYYY:MM:DD` and time (three numbers, or `HH:MM:SS`), which are UTC; undefined where either is missing or nonsense. */
function gpsMoment(date: unknown, time: unknown): number | undefined {
  if (typeof date !== 'string') return undefined;
  const day = /^\s*(\d{4})[:-](\d{1,2})[:-](\d{1,2})/.exec(date);
  const clock = Array.isArray(time) ? time.map(Number) : typeof time === 'string' ? time.replace('Z', '').split(':').map(Number) : [];
  const [h, m, s] = clock;
  if (!day || h === undefined || m === undefined || s === undefined || ![h, m, s].every((n) => Number.isFinite(n) && n >= 0) || h > 23 || m > 59 || s >= 61) return undefined;
  const midnight = wallMs(`${day[1]}-${(day[2] ?? '').padStart(2, '0')}-${(day[3] ?? '').padStart(2, '0')}T00:00:00`);
  // Before GPS's own epoch (1980) the receiver had no fix.
  return midnight === undefined || midnight <= Date.UTC(1980, 0, 6) ? undefined : midnight + Math.floor(h * 3_600_000 + m * 60_000 + s * 1000);
}

function shown(value: unknown): string { return JSON.stringify(String(value).slice(0, 40).toWellFormed()); }

