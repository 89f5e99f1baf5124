// Days as yyyymmdd and as serial numbers (days since 1970-01-01), and which day a query's "today" is. Gregorian throughout.
import { offsetAtUtc } from '../../protocol/time.ts';

export type DayRange = [first: number, last: number];

const DAY_MS = 86_400_000;
/** Ends of ranges that are open: before and after anything that has a day. Day 0 is "unknown" and in no range. */
export const FIRST_DAY = 10_101;
export const LAST_DAY = 99_991_231;
/** The oldest photograph. */
export const FIRST_YEAR = 1826;
/** Years that are years where a word such as "since" says so. */
export const LAST_YEAR = 2100;

export const MONTH_NAMES = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'] as const;

export function serialOf(year: number, month: number, day: number): number {
  return Math.floor(new Date(0).setUTCFullYear(year, month - 1, day) / DAY_MS);
}
export function dayOf(serial: number): number {
  const d = new Date(serial * DAY_MS);
  return Math.min(LAST_DAY, Math.max(FIRST_DAY, d.getUTCFullYear() * 10_000 + (d.getUTCMonth() + 1) * 100 + d.getUTCDate()));
}
export function serialOfDay(day: number): number { return serialOf(Math.floor(day / 10_000), Math.floor(day / 100) % 100, day % 100); }
export function yearOf(day: number): number { return Math.floor(day / 10_000); }
/** Whether there is such a day. */
export function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && dayOf(serialOf(year, month, day)) === year * 10_000 + month * 100 + day;
}
/** `count` months from the month's first to the last one's end. */
export function months(year: number, month: number, count = 1): DayRange {
  return [dayOf(serialOf(year, month, 1)), dayOf(serialOf(year, month + count, 1) - 1)];
}
export function serials(first: number, last: number): DayRange { return [dayOf(first), dayOf(last)]; }

/** Monday is 0. */
export function weekday(serial: number): number { return (((serial + 3) % 7) + 7) % 7; }

/** Today's serial number where the owner is at home. A zone that nobody knows is UTC. */
export function todayAt(nowMs: number, homeZone: string): number {
  const now = Number.isFinite(nowMs) && Math.abs(nowMs) < 8e15 ? nowMs : 0;
  return Math.floor((now + (offsetAtUtc(homeZone, now) ?? 0) * 60_000) / DAY_MS);
}

/** "5 June 2022"; "5 June" without a year. */
export function dayLabel(year: number | null, month: number, day: number): string {
  return `${day} ${MONTH_NAMES[month - 1] ?? ''}${year === null ? '' : ` ${year}`}`;
}

/** A range in words, as short as it may be: "June 2022", "5–12 June 2022", "2019–2021". */
export function rangeLabel([first, last]: DayRange): string {
  const [y1, m1, d1] = [yearOf(first), Math.floor(first / 100) % 100, first % 100];
  const [y2, m2, d2] = [yearOf(last), Math.floor(last / 100) % 100, last % 100];
  const whole = d1 === 1 && last === months(y2, m2)[1];
  if (whole && m1 === 1 && m2 === 12) return y1 === y2 ? String(y1) : `${y1}–${y2}`;
  const month = (m: number) => MONTH_NAMES[m - 1] ?? '';
  if (whole) return y1 === y2 ? (m1 === m2 ? `${month(m1)} ${y1}` : `${month(m1)}–${month(m2)} ${y1}`) : `${month(m1)} ${y1} – ${month(m2)} ${y2}`;
  if (first === last) return dayLabel(y1, m1, d1);
  if (y1 === y2) return m1 === m2 ? `${d1}–${dayLabel(y1, m1, d2)}` : `${dayLabel(null, m1, d1)} – ${dayLabel(y2, m2, d2)}`;
  return `${dayLabel(y1, m1, d1)} – ${dayLabel(y2, m2, d2)}`;
}
