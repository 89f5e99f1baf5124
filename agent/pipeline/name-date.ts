// What a file's name and mtime say about its time: evidence of one location, never of the bytes.
import type { TimeClaim } from '../../protocol/rows.ts';
import { wallMs } from '../../protocol/time.ts';
import { utcClaim } from './claims.ts';

/** Names are only believed between the first consumer photographs and the near future; `20250399` is no date. */
const EARLIEST_YEAR = 1900;
const LATEST_YEAR = 2099;
/** Longest name that file systems allow, so that no pattern is ever run over more. */
const MAX_NAME = 255;

/**
 * What stands between date and time: separators, or one of the words for "at" in the names that macOS and others give to
 * screenshots: at, um, à, a las / a la(s), alle (ore), às, om, kl., kello, в, о, o, v, la, a les, u, pukul, lúc, saat, vid,
 * ob, στις, في, ב, को, เวลา.
 */
const AT = '(?:at|um|à|a las?|a la\\(s\\)|a les|alle(?: ore)?|às|as|om|ob|kl\\.?|klo|kello|в|о|o|v|la|u|pukul|pada|lúc|saat|vid|от|στις|في|ב-?|को|เวลา)';
/** Before noon and after it, where a language puts them before the time. */
const BEFORE_NOON = '上午|凌晨|早上|清晨|午前|오전|ÖÖ';
const AFTER_NOON = '下午|傍晚|晚上|午後|오후|ÖS';
/** Digits of other scripts by their zeros: Arabic, Persian, Devanagari, Bengali, Thai. */
const ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50];
/** Thai years are 543 ahead; elsewhere, such a number is no year. */
const BUDDHIST_AHEAD = 543;
const THAI = /\p{Script=Thai}/u;
const HALF_BEFORE = `(?:(${BEFORE_NOON})|(${AFTER_NOON}))`;
/**
 * Date with time, parts joined by nothing or by one of `-_. :`. The digits must not go on, else a number of another meaning
 * would pass for a time; milliseconds and a counter of three digits may follow.
 */
const STAMP = new RegExp(
  `(?<!\\d)(\\d{4})([-_.:]?)(\\d{1,2})\\2(\\d{1,2})(?:[-_ T.,]{1,3}|,? ?${AT} ?|)(?: ?${HALF_BEFORE} ?)?(\\d{1,2})([-_.:h]?)(\\d{2})(?:\\8|m)?(\\d{2})(?:[.,_-]?\\d{3})?(?!\\d)`, 'iu');
/** Epoch in milliseconds as the whole name, or behind the mark of a program: Facebook's, WeChat's, LINE's bare numbers. */
const EPOCH_MS = /^(?:FB_IMG_|mmexport|wx_camera_|microMsg\.|IMG_)?(1\d{12})(?=[-_. (]|$)/i;
/** iOS screen recordings: epoch in seconds. */
const EPOCH_S = /^RPReplay_Final(1\d{9})(?!\d)/i;
/** A day alone, not inside of a longer word or number (a serial, a hash). */
const DAY = /(?<![\p{L}\d])(\d{4})([-_.]?)(\d{2})\2(\d{2})(?![\p{L}\d])/u;
/** A hash or an identifier: what looks like a date inside of it is none. */
const HEX_RUN = /[0-9a-f]{20,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** Claims of a location: a date in the name (wall time, or UTC for Pixel's `PXL_`), then the mtime. */
export function nameClaims(name: string, mtimeMs: number): TimeClaim[] {
  const claims: TimeClaim[] = [];
  const fromName = nameClaim(plainDigits(name.slice(0, MAX_NAME).normalize('NFC').replace(/[\u00a0\u202f\u2009\u3000]/g, ' ').replace(/[\u200e\u200f\u061c]/g, '')));
  if (fromName) claims.push(fromName);
  if (Number.isFinite(mtimeMs) && mtimeMs !== 0) claims.push(utcClaim('mtime', mtimeMs));
  return claims;
}

function plainDigits(name: string): string {
  return name.replace(/[٠-٩۰-۹०-९০-৯๐-๙]/g, (digit) => {
    const code = digit.charCodeAt(0);
    return String(code - (ZEROS.findLast((zero) => zero <= code) ?? code));
  });
}

function nameClaim(whole: string): TimeClaim | undefined {
  const epoch = EPOCH_MS.exec(whole);
  if (epoch) return utcClaim('name', Number(epoch[1]));
  const seconds = EPOCH_S.exec(whole);
  if (seconds) return utcClaim('name', Number(seconds[1]) * 1000);
  // A run of digits alone is no hash; one with letters in it is.
  const name = whole.replace(HEX_RUN, (run) => (/[a-f]/i.test(run) ? '#' : run));
  const thaiYear = THAI.test(name);
  const stamp = STAMP.exec(name);
  if (stamp && hasShape(stamp)) {
    const half = stamp[5] ? 'A' : stamp[6] ? 'P' : halfAfter(name.slice(stamp.index + stamp[0].length));
    const wall = wallOf(yearOf(stamp[1], thaiYear), stamp[3], stamp[4], stamp[7], stamp[9], stamp[10], half);
    if (wall !== undefined) {
      const ms = wallMs(wall);
      // Pixel's camera writes UTC into its names (its videos' containers agree with it to the second).
      if (/^PXL_/i.test(name) && ms !== undefined) return utcClaim('name', ms);
      return { source: 'name', wall, utc_ms: null, offset_minutes: null, offset_source: null };
    }
  }
  const day = DAY.exec(name);
  const wall = day ? wallOf(yearOf(day[1], thaiYear), day[3], day[4], '00', '00', '00', undefined) : undefined;
  return wall === undefined ? undefined : { source: 'name', wall, utc_ms: null, offset_minutes: null, offset_source: null };
}

/** One-digit months, days and hours (Finnish dates, 12-hour clocks) only where separators keep the parts apart. */
function hasShape(stamp: RegExpExecArray): boolean {
  const short = (i: number) => stamp[i]?.length === 1;
  return !((short(3) || short(4)) && stamp[2] === '') && !(short(7) && stamp[8] === '');
}

/** `PM`, `p.m.`, `p. m.`, `μ.μ.`, Arabic's ص and م behind the time. */
function halfAfter(after: string): 'A' | 'P' | undefined {
  const m = /^ ?(?:([ap])\.? ?m|([πμ])\.? ?μ|([صم]))(?!\p{L})/iu.exec(after);
  const letter = (m?.[1] ?? m?.[2] ?? m?.[3] ?? '').toLowerCase();
  return /^[aπص]$/.test(letter) ? 'A' : letter === '' ? undefined : 'P';
}

function yearOf(year = '', thai: boolean): string {
  return thai && Number(year) - BUDDHIST_AHEAD >= EARLIEST_YEAR ? String(Number(year) - BUDDHIST_AHEAD) : year;
}

function wallOf(year = '', month = '', day = '', hour = '', minute = '', second = '', half: 'A' | 'P' | undefined): string | undefined {
  const y = Number(year);
  if (y < EARLIEST_YEAR || y > LATEST_YEAR) return undefined;
  let h = Number(hour);
  if (half === 'P' && h < 12) h += 12;
  if (half === 'A' && h === 12) h = 0;
  const two = (text: string | number) => String(text).padStart(2, '0');
  const wall = `${year}-${two(month)}-${two(day)}T${two(h)}:${minute}:${second}`;
  return wallMs(wall) === undefined ? undefined : wall;
}
