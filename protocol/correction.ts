// What the owner may correct, and for which assets. Pure; how what was typed is read is in typed.ts.
import * as z from 'zod';
import { offsetAtUtc, wallMs } from './time.ts';
import { MAX_SHIFT_S, wrong, type Typed } from './typed.ts';
import { Sha256 } from './words.ts';

export { readPosition, readShift, readWall, type Typed } from './typed.ts';

/** Clocks on Earth stand between these from UTC, in minutes. */
const OFFSET_MIN = -12 * 60;
const OFFSET_MAX = 14 * 60;
/** Hashes that one call may name: 67 bytes each, and D1 takes 2 MB in one parameter. */
export const MAX_CORRECTED_HASHES = 20_000;
export const MAX_DESCRIPTION_LENGTH = 10_000;
export const MAX_TAG_LENGTH = 200;
/** Tags, and albums, that one change may name. */
const MAX_NAMED = 50;

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
