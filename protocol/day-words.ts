// Months and days in words, for the pages and for their script alike.
import { wallMs } from './time.ts';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** `October`, of 1 to 12. */
export function monthName(month: number): string {
  return MONTHS[month - 1] ?? '';
}
/** `October 2023` for 202310; month 0 is what has no date. */
export function sayMonth(month: number): string {
  return month === 0 ? 'No date' : `${monthName(month % 100) || 'Month'} ${Math.floor(month / 100)}`;
}
export function sayMonthShort(month: number): string {
  return monthName(month % 100).slice(0, 3);
}
/** `Saturday, 21 October` for 20231021. */
export function sayDay(day: number): string {
  if (day === 0) return 'When these were taken is not known';
  const ms = wallMs(`${dayText(day)}T00:00:00`);
  const weekday = ms === undefined ? '' : `${DAYS[new Date(ms).getUTCDay()] ?? ''}, `;
  return `${weekday}${day % 100} ${monthName(Math.floor(day / 100) % 100)}`;
}
/** `2023-10-21` for 20231021. */
export function dayText(day: number): string {
  const d = String(day).padStart(8, '0');
  return `${d.slice(0, 4)}-${d.slice(4, 6)}-${d.slice(6, 8)}`;
}
