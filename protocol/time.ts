// Wall times as text and as sortable numbers, and zones' offsets. Pure; the zone rules are the runtime's own (Intl).

const WALL = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})$/;

/** Milliseconds of a wall time read as if it were UTC: sorts and subtracts, means no moment. Undefined if it is no real date. */
export function wallMs(wall: string): number | undefined {
  const m = WALL.exec(wall);
  if (!m) return undefined;
  const [y, mo, d, h, mi, s] = m.slice(1).map(Number) as [number, number, number, number, number, number];
  if (mo < 1 || mo > 12 || h > 23 || mi > 59 || s > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(y, mo - 1, d);
  date.setUTCHours(h, mi, s, 0);
  return date.getUTCMonth() === mo - 1 && date.getUTCDate() === d ? date.getTime() : undefined;
}

/** The inverse of `wallMs`; also the wall time of a UTC moment once its offset has been added. */
export function wallText(ms: number): string {
  const d = new Date(ms);
  const p = (n: number, width = 2) => String(n).padStart(width, '0');
  return `${p(d.getUTCFullYear(), 4)}-${p(d.getUTCMonth() + 1)}-${p(d.getUTCDate())}T${p(d.getUTCHours())}:${p(d.getUTCMinutes())}:${p(d.getUTCSeconds())}`;
}

const formats = new Map<string, Intl.DateTimeFormat | null>();

function zoneFormat(zone: string): Intl.DateTimeFormat | null {
  let format = formats.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric', era: 'short' });
    } catch { format = null; }
    formats.set(zone, format);
  }
  return format;
}

/** Offset of an IANA zone at a UTC moment, in minutes (rounded); undefined for a zone that the runtime does not know. */
export function offsetAtUtc(zone: string, utcMs: number): number | undefined {
  const format = zoneFormat(zone);
  if (!format || !Number.isFinite(utcMs) || Math.abs(utcMs) > 8e15) return undefined;
  const part: Record<string, string> = {};
  for (const p of format.formatToParts(utcMs)) part[p.type] = p.value;
  const year = Number(part['year']) * (part['era'] === 'BC' ? -1 : 1);
  const shown = Date.UTC(2000, Number(part['month']) - 1, Number(part['day']), Number(part['hour']), Number(part['minute']), Number(part['second']));
  const local = new Date(shown).setUTCFullYear(year);
  return Math.round((local - Math.floor(utcMs / 1000) * 1000) / 60_000);
}

/** Offset of a zone at a wall time there. In the hour that happens twice the earlier moment is taken, in a gap the offset before it. */
export function offsetAtWall(zone: string, wall: string): number | undefined {
  const ms = wallMs(wall);
  if (ms === undefined) return undefined;
  const before = offsetAtUtc(zone, ms - 26 * 3_600_000);
  const after = offsetAtUtc(zone, ms + 26 * 3_600_000);
  if (before === undefined || after === undefined) return undefined;
  for (const offset of [before, after]) if (offsetAtUtc(zone, ms - offset * 60_000) === offset) return offset;
  return before;
}

/** What clocks keep: -12:00 to +14:00. */
export const OFFSET_MIN = -12 * 60;
export const OFFSET_MAX = 14 * 60;
/** Offsets that clocks really keep (tz database, today's): whole hours, and these. A difference is rounded to one of them. */
const ODD_OFFSETS = [-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];
/** A camera's clock may be off by this much and still be told from the next offset, 15 minutes away at the nearest. */
const UTC_DIFFERENCE_SLACK_MIN = 3;

/** The offset that clocks keep within three minutes of a difference; undefined where none does. */
export function realOffset(minutes: number): number | undefined {
  // `|| 0`: never -0, which is another value to who compares.
  const hours = Math.round(minutes / 60) * 60 || 0;
  return [hours, ...ODD_OFFSETS].find((real) => Math.abs(minutes - real) <= UTC_DIFFERENCE_SLACK_MIN && real >= OFFSET_MIN && real <= OFFSET_MAX);
}

/** `+05:45`, `-03:30`. */
export function offsetText(minutes: number): string {
  const abs = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${String(Math.floor(abs / 60)).padStart(2, '0')}:${String(abs % 60).padStart(2, '0')}`;
}
