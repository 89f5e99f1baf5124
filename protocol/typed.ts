// Reads what people type of times and places: a value, or a sentence that says why it cannot be one. Pure, and without a library:
// pages read with it too.
import { wallMs } from './time.ts';

/** No clock runs wrong by more than a wrong century. */
export const MAX_SHIFT_S = 200 * 366 * 86_400;
/** Seven decimals of a degree are a centimetre; more would only be noise that no longer compares. */
const POSITION_DECIMALS = 1e7;

/** What was typed as a value, or why it cannot be one. */
export type Typed<T> = { ok: true; value: T } | { ok: false; wrong: string };
export const wrong = (text: string) => ({ ok: false, wrong: text }) as const;

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
