// What a file's name and mtime say about its time: evidence of one location, never of the bytes.
import type { TimeClaim } from '../../protocol/rows.ts';
import { wallMs } from '../../protocol/time.ts';
import { utcClaim } from './claims.ts';

/** Names are only believed between the first consumer photographs and the near future; `20250399` is no date. */
const EARLIEST_YEAR = 1900;
const LATEST_YEAR = 2099;

/**
 * Date with time, parts joined by nothing or by one of `-_. :`. Between date and time stand at most a few separators, a `T`,
 * or a word for "at". The digits must not go on, else a number of another meaning would pass for a time.
 */
const STAMP = /(?<!\d)(\d{4})([-_.:]?)(\d{2})\2(\d{2})(?:[-_ T.,]{1,3}|,? ?(?:at|um|à|a las|om|kl\.?|klo) ?|)(\d{2}|(?<= )\d(?=[.:]))([-_.:h]?)(\d{2})(?:\6|m)?(\d{2})(?:[.,_-]?\d{3})?(?!\d)/i;
/** Epoch in milliseconds as whole name part: `FB_IMG_1523423423423`, `mmexport1523423423423`, `1523423423423.jpg`. */
const EPOCH_MS = /^(?:FB_IMG_|mmexport|received_|IMG_)?(1[0-9]{12})(?!\d)/i;
const DAY = /(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)/;

/** Claims of a location: a date in the name (wall time, or UTC for Pixel's `PXL_`), then the mtime. */
export function nameClaims(name: string, mtimeMs: number): TimeClaim[] {
  const claims: TimeClaim[] = [];
  const fromName = nameClaim(name.normalize('NFC').replace(/[\u00a0\u202f]/g, ' '));
  if (fromName) claims.push(fromName);
  if (Number.isFinite(mtimeMs) && mtimeMs !== 0) claims.push(utcClaim('mtime', mtimeMs));
  return claims;
}

function nameClaim(name: string): TimeClaim | undefined {
  const stamp = STAMP.exec(name);
  if (stamp) {
    const wall = wallOf(stamp[1], stamp[3], stamp[4], stamp[5], stamp[7], stamp[8], name.slice(stamp.index + stamp[0].length));
    if (wall !== undefined) {
      const ms = wallMs(wall);
      // Pixel's camera writes UTC into its names (its videos' containers agree with it to the second).
      if (/^PXL_/i.test(name) && ms !== undefined) return utcClaim('name', ms);
      return { source: 'name', wall, utc_ms: null, offset_minutes: null, offset_source: null };
    }
  }
  const epoch = EPOCH_MS.exec(name);
  if (epoch) return utcClaim('name', Number(epoch[1]));
  const day = DAY.exec(name);
  const wall = day ? wallOf(day[1], day[3], day[4], '00', '00', '00', '') : undefined;
  return wall === undefined ? undefined : { source: 'name', wall, utc_ms: null, offset_minutes: null, offset_source: null };
}

function wallOf(year = '', month = '', day = '', hour = '', minute = '', second = '', after = ''): string | undefined {
  const y = Number(year);
  if (y < EARLIEST_YEAR || y > LATEST_YEAR) return undefined;
  const half = /^ ?([AP])\.?M\b/i.exec(after)?.[1]?.toUpperCase();
  let h = Number(hour);
  if (half === 'P' && h < 12) h += 12;
  if (half === 'A' && h === 12) h = 0;
  const wall = `${year}-${month}-${day}T${String(h).padStart(2, '0')}:${minute}:${second}`;
  return wallMs(wall) === undefined ? undefined : wall;
}
