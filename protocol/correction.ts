// What the owner may correct, for which assets, and how what was typed is read. Pure; every refusal is a sentence for people.
import * as z from 'zod';
import { offsetAtUtc, wallMs } from './time.ts';
import { Sha256 } from './words.ts';

/** Clocks on Earth stand between these from UTC, in minutes. */
const OFFSET_MIN = -12 * 60;
const OFFSET_MAX = 14 * 60;
/** Hashes that one call may name: 67 bytes each, and D1 takes 2 MB in one parameter. */
export const MAX_CORRECTED_HASHES = 20_000;
/** No clock runs wrong by more than a wrong century. */
const MAX_SHIFT_S = 200 * 366 * 86_400;
export const MAX_DESCRIPTION_LENGTH = 10_000;
export const MAX_TAG_LENGTH = 200;
/** Tags, and albums, that one change may name. */
const MAX_NAMED = 50;
/** Seven decimals of a degree are a centimetre; more would only be noise that no longer compares. */
const POSITION_DECIMALS = 1e7;

const Day = z.int().min(0).max(99_991_231);
const Name = z.string().max(1_000).nullable();

/** Which assets: these, a day (yyyymmdd), all by one camera (between days, both included), all at one named place. */
export const CorrectionScope = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('assets'), sha256s: z.array(Sha256).min(1).max(MAX_CORRECTED_HASHES) }),
  z.object({ kind: z.literal('day'), day: Day }),
  z.object({ kind: z.literal('camera'), camera: z.string().min(1).max(1_000), from: Day.nullable().default(null), to: Day.nullable().default(null) }),
  z.object({ kind: z.literal('place'), country_code: Name, region: Name, city: Name }),
]);
export type CorrectionScope = z.infer<typeof CorrectionScope>;

const Wall = z.string().refine((wall) => wallMs(wall) !== undefined && !wall.startsWith('0000'), 'is no date and time of the calendar');
/** A tag that is added is trimmed; one that is taken away is named exactly as it was found. */
const NewTags = z.array(z.string().trim().min(1).max(MAX_TAG_LENGTH)).max(MAX_NAMED);
const FoundTags = z.array(z.string().min(1).max(10_000)).max(MAX_NAMED);
const AlbumIds = z.array(z.int().positive()).max(MAX_NAMED);
const meet = <T>(a: readonly T[] | undefined, b: readonly T[] | undefined): boolean => a?.some((each) => b?.includes(each)) ?? false;

const Shift = z.int().min(-MAX_SHIFT_S).max(MAX_SHIFT_S).refine((s) => s !== 0, 'moves nothing');

/** What becomes of them. Null takes the owner's word back, so that imports and the file speak again. */
export const CorrectionChange = z.object({
  /** Wall time; null also takes back the offset and the shift. */
  taken_at: Wall.nullable(),
  utc_offset_minutes: z.int().min(OFFSET_MIN).max(OFFSET_MAX).nullable(),
  /** IANA zone instead of an offset: each asset gets the offset of its own wall time there. */
  zone: z.string().max(60).refine((zone) => offsetAtUtc(zone, 0) !== undefined, 'is not a known time zone'),
  /** A clock that ran wrong, in seconds: adds to earlier shifts; a time that the owner gave stays, for it is right. */
  shift_s: Shift,
  /** As shift_s, for what is shown: a time that the owner gave moves too. */
  move_s: Shift,
  /** Degrees, or `none` where a position is wrong. */
  position: z.object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) }).or(z.literal('none')).nullable(),
  /** '' takes a wrong one away. */
  description: z.string().max(MAX_DESCRIPTION_LENGTH).nullable(),
  favourite: z.boolean().nullable(), archived: z.boolean().nullable(),
  /** Stars; 0 is the owner's word that there are none. */
  rating: z.int().min(0).max(5).nullable(),
  tags_add: NewTags, tags_remove: FoundTags,
  albums_add: AlbumIds, albums_remove: AlbumIds,
}).partial().strict()
  .refine((change) => Object.values(change).some((value) => (Array.isArray(value) ? value.length > 0 : value !== undefined)), 'changes nothing')
  .refine((change) => !meet(change.tags_add, change.tags_remove) && !meet(change.albums_add, change.albums_remove), 'adds and takes away the same')
  .refine((change) => [change.taken_at, change.shift_s, change.move_s].filter((value) => value !== undefined).length <= 1, 'sets and moves the time at once')
  .refine((change) => change.zone === undefined || change.utc_offset_minutes === undefined, 'has both a zone and an offset');
export type CorrectionChange = z.infer<typeof CorrectionChange>;

export const Correction = z.object({ scope: CorrectionScope, change: CorrectionChange });
export type Correction = z.infer<typeof Correction>;

/** What was typed as a value, or why it cannot be one. */
export type Typed<T> = { ok: true; value: T } | { ok: false; wrong: string };
const wrong = (text: string) => ({ ok: false, wrong: text }) as const;

/** `2024-05-06` and `7:08` or `07:08:09` as a wall time. */
export function readWall(date: string, time: string): Typed<string> {
  const d = /^(\d{1,4})-(\d{1,2})-(\d{1,2})$/.exec(date.trim());
  if (!d) return wrong('A date is written as in 2024-05-06.');
  const t = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(time.trim());
  if (!t) return wrong('A time is written as in 14:05 or 14:05:30.');
  const two = (text: string | undefined, width = 2) => (text ?? '0').padStart(width, '0');
  if (Number(d[1]) === 0) return wrong('There was no year 0.');
  const wall = `${two(d[1], 4)}-${two(d[2])}-${two(d[3])}T${two(t[1])}:${two(t[2])}:${two(t[3])}`;
  if (wallMs(wall) !== undefined) return { ok: true, value: wall };
  return wallMs(`${wall.slice(0, 10)}T00:00:00`) === undefined ? wrong('There is no such day in the calendar.') : wrong('There is no such time of day.');
}

/** `+02:00`, `UTC-3`, `+5:30`, `Z` as minutes, or the name of a zone. */
export function readZone(text: string): Typed<{ utc_offset_minutes: number } | { zone: string }> {
  const typed = text.trim().replace('−', '-');
  if (/^(z|utc|gmt)$/i.test(typed)) return { ok: true, value: { utc_offset_minutes: 0 } };
  const m = /^(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?$/i.exec(typed);
  if (m) {
    const minutes = (Number(m[2]) * 60 + Number(m[3] ?? 0)) * (m[1] === '-' ? -1 : 1);
    if (Number(m[3] ?? 0) > 59 || minutes < OFFSET_MIN || minutes > OFFSET_MAX) return wrong('No clock stands that far from UTC: offsets go from −12:00 to +14:00.');
    return { ok: true, value: { utc_offset_minutes: minutes } };
  }
  const zone = typed.replaceAll(' ', '_');
  if (zone === '' || zone.length > 60 || offsetAtUtc(zone, 0) === undefined) return wrong('That is no time zone that is known here. They are named as in Europe/Rome, or written as in +02:00.');
  return { ok: true, value: { zone } };
}

// One coordinate: decimal, or degrees, minutes and seconds; with a letter of the compass before it or behind it, or without.
const NUMBER = String.raw`([+-]?\d{1,4}(?:\.\d+)?)(?:\s*[°º](?:\s*(\d{1,2}(?:\.\d+)?)\s*['′’])?(?:\s*(\d{1,2}(?:\.\d+)?)\s*(?:["″”]|''))?)?`;
const COORDINATE = new RegExp(String.raw`(?:([NSEW])\s*${NUMBER}|${NUMBER}(?:\s*([NSEW]))?)`, 'giu');

/** Two coordinates as maps write them: `44.17, 9.61`, `44.17° N 9.61° W`, `44°10'12"N 9°36'36"E`. Latitude first, unless letters say otherwise. */
export function readPosition(text: string): Typed<{ latitude: number; longitude: number }> {
  const typed = text.trim().replaceAll('−', '-').slice(0, 200);
  const found = [...typed.matchAll(COORDINATE)];
  const left = typed.replaceAll(COORDINATE, '').replaceAll(/[\s,;()]/g, '');
  const how = 'A position is two numbers, as in 44.17, 9.61: first how far north, then how far east.';
  if (found.length !== 2 || left !== '') return wrong(how);
  const parts = found.map((m) => {
    const letter = (m[1] ?? m[8])?.toUpperCase();
    const [degrees = '0', minutes, seconds] = m[1] === undefined ? m.slice(5, 8) : m.slice(2, 5);
    const size = Math.abs(Number(degrees)) + Number(minutes ?? 0) / 60 + Number(seconds ?? 0) / 3600;
    const negative = degrees.startsWith('-') || letter === 'S' || letter === 'W';
    return { value: Math.round((negative ? -size : size) * POSITION_DECIMALS) / POSITION_DECIMALS + 0, axis: letter === undefined ? null : 'NS'.includes(letter) ? 'latitude' : 'longitude' };
  });
  const [first, second] = parts;
  if (!first || !second || (first.axis !== null && first.axis === second.axis)) return wrong(how);
  const swapped = first.axis === 'longitude' || second.axis === 'latitude';
  const [latitude, longitude] = swapped ? [second.value, first.value] : [first.value, second.value];
  if (Math.abs(latitude) > 90) return wrong(`A latitude lies between −90 and 90; ${latitude} does not.`);
  if (Math.abs(longitude) > 180) return wrong(`A longitude lies between −180 and 180; ${longitude} does not.`);
  return { ok: true, value: { latitude, longitude } };
}

/** Hours and minutes of a clock that was wrong, `later` forward, as seconds. Empty counts as 0. */
export function readShift(hours: string, minutes: string, sign: string): Typed<number> {
  const whole = (text: string) => (/^\d{1,7}$/.test(text.trim()) ? Number(text) : text.trim() === '' ? 0 : undefined);
  const h = whole(hours);
  const m = whole(minutes);
  if (h === undefined || m === undefined || (sign !== 'later' && sign !== 'earlier')) return wrong('Hours and minutes are whole numbers.');
  const seconds = (h * 60 + m) * 60;
  if (seconds === 0) return wrong('Say by how much: some hours or minutes.');
  if (seconds > MAX_SHIFT_S) return wrong('That is further than any clock is wrong.');
  return { ok: true, value: sign === 'later' ? seconds : -seconds };
}
