// One date in words, at one place of the query: a day, a month, a season, a holiday, a year, a decade, or "last weekend".
// dates.ts joins them to ranges. Ordinary words (may, march, sun, second) are dates only where something else says so.
import { dayLabel, dayOf, FIRST_YEAR, isDay, LAST_YEAR, MONTH_NAMES, months, rangeLabel, serialOf, serialOfDay, serials, weekday, yearOf, type DayRange } from './calendar.ts';
import type { Reading } from './found.ts';
import { HOLIDAYS, HOLIDAY_THINGS, OTHER_NEW_YEARS, type Holiday } from './holidays.ts';
import { isJoined, nameKey, type Word } from './words.ts';

export type Grain = 'day' | 'month' | 'season' | 'holiday' | 'year' | 'decade' | 'relative';
export interface Point {
  /** Index behind its last word. */
  to: number; grain: Grain;
  /** Null: it comes every year. */
  year: number | null;
  /** Its days in a year; undefined where it has none then (29 February). */
  in(year: number): DayRange | undefined;
  label(year: number | null): string;
}

const MONTHS = new Map<string, number>(MONTH_NAMES.flatMap((name, i) => [[name.toLowerCase(), i + 1], [name.slice(0, 3).toLowerCase(), i + 1]] as [string, number][]));
MONTHS.set('sept', 9);
/** Months that are words of another meaning, or somebody's name cut short: they need a year, a day, or "in" before them. */
const UNSURE_MONTHS = new Set([...[...MONTHS.keys()].filter((m) => m.length <= 3), 'sept', 'march', 'august']);
const SEASONS = new Map<string, [label: string, month: number]>([['spring', ['Spring', 3]], ['summer', ['Summer', 6]], ['autumn', ['Autumn', 9]], ['fall', ['Autumn', 9]], ['winter', ['Winter', 12]]]);
const WEEKDAYS = new Map(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'].map((d, i) => [d, i]));
const DECADES = new Map(['twenties', 'thirties', 'forties', 'fifties', 'sixties', 'seventies', 'eighties', 'nineties'].map((d, i) => [d, 20 + i * 10]));
const COUNTS = new Map([['a', 1], ['an', 1], ['one', 1], ['two', 2], ['three', 3], ['four', 4], ['five', 5], ['six', 6], ['seven', 7], ['eight', 8], ['nine', 9], ['ten', 10], ['eleven', 11], ['twelve', 12], ['few', 3], ['couple', 2]]);
/** Numbers before these, and behind those, are no years. */
const COUNTED = new Set(['km', 'miles', 'mile', 'm', 'meters', 'metres', 'ft', 'feet', 'px', 'pixels', 'people', 'steps', 'euros', 'euro', 'dollars', 'rupees', 'francs', 'kg', 'pieces', 'piece', 'words', 'rpm', 'watts', 'mm', 'stairs', 'calories']);
const NUMBERED = new Set(['iso', 'f', 'no', 'nr', 'number', 'room', 'route', 'highway', 'flight', 'model', 'page', 'gate', 'apollo', 'windows', 'peugeot']);

const HOLIDAY_BY_NAME = new Map<string, Holiday>(HOLIDAYS.flatMap((h) => h.names.map((n) => [nameKey(n), h] as [string, Holiday])));
const HOLIDAY_WORDS = 4;

const isBlank = (gap: string): boolean => /^\s+$/.test(gap);
const isLoose = (gap: string): boolean => /^[\s,.'’-]{1,3}$/.test(gap);

/** Reads the longest date that begins with word `i`. `led`: something before it says that a time comes. */
export function readPoint(reading: Reading, i: number, led: boolean): Point | undefined {
  const { list } = reading.words;
  if (!isReadable(list, i)) return undefined;
  let best: Point | undefined;
  for (const read of [readNumbers, readDayOfMonth, readMonth, readSeason, readHoliday, readRelative, readDecade, readYear]) {
    const point = read(reading, i, led);
    if (point && (!best || point.to > best.to)) best = point;
  }
  return best;
}

function isReadable(list: readonly Word[], i: number): boolean { const w = list[i]; return w !== undefined && w.quote === 0 && !w.tied; }
/** The word at `i` where it may go on what began before it. */
function next(list: readonly Word[], i: number): Word | undefined { return isJoined(list, i) ? list[i] : undefined; }

function number(word: Word | undefined, digits = 8): number | undefined {
  return word !== undefined && word.folded.length <= digits && /^[0-9]+$/.test(word.folded) ? Number(word.folded) : undefined;
}

/** A year that stands by something that makes it one. */
function sureYear(word: Word | undefined): number | undefined {
  const year = word?.folded.length === 4 ? number(word) : undefined;
  return year !== undefined && year >= FIRST_YEAR && year <= LAST_YEAR ? year : undefined;
}
/** "2022", behind a month or a season, perhaps with "of" between. */
function yearAfter(list: readonly Word[], i: number): { year: number; to: number } | undefined {
  const word = next(list, i);
  if (!word) return undefined;
  if ((word.folded === 'of' || word.folded === 'in') && isBlank(word.gap)) {
    const year = sureYear(next(list, i + 1));
    return year !== undefined && isBlank(list[i + 1]?.gap ?? '') && !isPartOfNumber(list, i + 1) ? { year, to: i + 2 } : undefined;
  }
  const year = sureYear(word);
  return year !== undefined && /^[\s,.'’/-]{1,3}$/.test(word.gap) && !isPartOfNumber(list, i) ? { year, to: i + 1 } : undefined;
}
/** 2022.5, 2022%: no year. A range's dash and a sentence's end may follow. */
function isPartOfNumber(list: readonly Word[], i: number): boolean {
  const gap = list[i + 1]?.gap;
  return gap !== undefined && /^[€$£%°_:*=.×]/.test(gap) && !/\s/.test(gap) && !/^\.{2,3}$/.test(gap);
}

const fixed = (to: number, grain: Grain, range: DayRange, label = rangeLabel(range)): Point => ({ to, grain, year: yearOf(range[0]), in: () => range, label: () => label });
const labelled = (name: string) => (year: number | null): string => (year === null ? name : `${name} ${year}`);

function dayPoint(to: number, year: number | null, month: number, first: number, last = first): Point | undefined {
  if (!isDay(year ?? 2000, month, first) || !isDay(year ?? 2000, month, last) || last < first) return undefined;
  return {
    to, grain: 'day', year, in: (y) => (isDay(y, month, first) && isDay(y, month, last) ? [y * 10_000 + month * 100 + first, y * 10_000 + month * 100 + last] : undefined),
    label: (y) => (first === last ? dayLabel(y, month, first) : `${first}–${dayLabel(y, month, last)}`),
  };
}
function monthPoint(to: number, year: number | null, month: number): Point {
  return { to, grain: 'month', year, in: (y) => months(y, month), label: labelled(MONTH_NAMES[month - 1] ?? '') };
}

/** Dates in figures: 2022-06-05, 2022-06, 5.6.2022, 5/6/22, 06/2022, 20220605. */
function readNumbers(reading: Reading, i: number): Point | undefined {
  const { list } = reading.words;
  const [w1, w2, w3] = [list[i], next(list, i + 1), next(list, i + 2)];
  const [a, b, c] = [number(w1), number(w2, 4), number(w3, 4)];
  if (!w1 || a === undefined || isGluedBefore(w1)) return undefined;
  if (w1.folded.length === 8) { const year = Math.floor(a / 10_000); return year >= FIRST_YEAR && year <= reading.thisYear ? dayPoint(i + 1, year, Math.floor(a / 100) % 100, a % 100) : undefined; }
  if (!w2 || b === undefined || !/^[./-]$/.test(w2.gap)) return undefined;
  if (w3 && c !== undefined && w3.gap === w2.gap && !isPartOfNumber(list, i + 2)) {
    if (sureYear(w1) !== undefined) return w2.folded.length <= 2 && w3.folded.length <= 2 ? dayPoint(i + 3, a, b, c) : undefined;
    const year = w3.folded.length === 2 && w2.gap !== '-' ? (c <= (reading.thisYear + 1) % 100 ? 2000 + c : 1900 + c) : sureYear(w3);
    if (year === undefined || w1.folded.length > 2 || w2.folded.length > 2) return undefined;
    const [first, second] = w2.gap === '/' && reading.monthFirst ? [b, a] : [a, b];
    return dayPoint(i + 3, year, second, first) ?? dayPoint(i + 3, year, first, second);
  }
  if (isPartOfNumber(list, i + 1)) return undefined;
  if (sureYear(w1) !== undefined && w2.folded.length === 2 && b >= 1 && b <= 12) return monthPoint(i + 2, a, b);
  // 1/2000 is a shutter's speed.
  if (sureYear(w2) !== undefined && w1.folded.length <= 2 && a >= 1 && a <= 12 && !(w1.folded === '1' && b === 2000)) return monthPoint(i + 2, b, a);
  return undefined;
}
/** Figures that go on something: a price, a fraction, a part of a name. */
function isGluedBefore(word: Word): boolean { return /[€$£#@/._:*=×+–]$/.test(word.gap) && !/^(?:.*\s)?\.{2,}$/.test(word.gap); }

/** A day of a month: 1 to 31, perhaps "1st". */
function dayNumber(word: Word | undefined): number | undefined {
  const m = word ? /^(\d{1,2})(?:st|nd|rd|th)?$/.exec(word.folded) : null;
  const day = m ? Number(m[1]) : 0;
  return day >= 1 && day <= 31 ? day : undefined;
}

/** 5 june 2022, the 5th of june, june 5 2022, 5-12 june. */
function readDayOfMonth(reading: Reading, i: number): Point | undefined {
  const { list } = reading.words;
  const w = list[i];
  const withYear = (to: number, month: number, first: number, last: number): Point | undefined => { const y = yearAfter(list, to); return dayPoint(y?.to ?? to, y?.year ?? null, month, first, last); };
  const first = dayNumber(w);
  if (first !== undefined && w && !isGluedBefore(w)) {
    let k = i + 1;
    let last = first;
    if (isSpanGap(next(list, k)) && dayNumber(list[k]) !== undefined) { last = dayNumber(list[k]) ?? first; k += 1; }
    else if (SPAN_WORDS.has(next(list, k)?.folded ?? '') && dayNumber(next(list, k + 1)) !== undefined) { last = dayNumber(list[k + 1]) ?? first; k += 2; }
    if (next(list, k)?.folded === 'of') k += 1;
    const month = MONTHS.get(next(list, k)?.folded ?? '');
    return month !== undefined && isLoose(list[k]?.gap ?? '') ? withYear(k + 1, month, first, last) : undefined;
  }
  const month = MONTHS.get(w?.folded ?? '');
  if (month === undefined) return undefined;
  let k = i + 1;
  if (next(list, k)?.folded === 'the') k += 1;
  const day = dayNumber(next(list, k));
  if (day === undefined || !isLoose(list[k]?.gap ?? '') || isPartOfNumber(list, k)) return undefined;
  const until = isSpanGap(next(list, k + 1)) ? dayNumber(list[k + 1]) : undefined;
  return until !== undefined ? withYear(k + 2, month, day, until) : withYear(k + 1, month, day, day);
}
const SPAN_WORDS = new Set(['to', 'until', 'till', 'through']);
/** Whether a dash stands before the word: "2019-2021", "2019 – 2021". */
export function isSpanGap(word: Word | undefined): boolean { return word !== undefined && /^\s?(?:[-–—‐−~]|\.{2,3}|…)\s?$/.test(word.gap); }

function readMonth(reading: Reading, i: number, led: boolean): Point | undefined {
  const { list } = reading.words;
  const name = list[i]?.folded ?? '';
  const month = MONTHS.get(name);
  if (month !== undefined) {
    const y = yearAfter(list, i + 1);
    if (y) return monthPoint(y.to, y.year, month);
    return led || !UNSURE_MONTHS.has(name) ? monthPoint(i + 1, null, month) : undefined;
  }
  // 2022 june 5
  const year = sureYear(list[i]);
  const after = next(list, i + 1);
  const second = year !== undefined ? MONTHS.get(after?.folded ?? '') : undefined;
  if (year === undefined || second === undefined || !after || !isLoose(after.gap)) return undefined;
  const day = dayNumber(next(list, i + 2));
  return (day !== undefined && isLoose(list[i + 2]?.gap ?? '') ? dayPoint(i + 3, year, second, day) : undefined) ?? monthPoint(i + 2, year, second);
}

/** Northern: spring is March to May. A winter is named by the year in which it begins. */
function seasonPoint(to: number, year: number | null, [name, month]: [string, number]): Point {
  return {
    to, grain: 'season', year, in: (y) => months(y, month, 3),
    label: (y) => (y !== null && month === 12 ? `${name} ${y}–${String((y + 1) % 100).padStart(2, '0')}` : labelled(name)(y)),
  };
}
function readSeason(reading: Reading, i: number, led: boolean): Point | undefined {
  const { list } = reading.words;
  const season = SEASONS.get(list[i]?.folded ?? '');
  if (season) {
    const y = yearAfter(list, i + 1);
    if (!y) return led && isTimeNotThing(list, i) ? seasonPoint(i + 1, null, season) : undefined;
    const more = next(list, y.to);
    const nextYear = more && /^[/–-]$/.test(more.gap) ? number(more, 4) : undefined;
    return seasonPoint(nextYear !== undefined && (nextYear === y.year + 1 || (more?.folded.length === 2 && nextYear === (y.year + 1) % 100)) ? y.to + 1 : y.to, y.year, season);
  }
  const year = sureYear(list[i]);
  const after = SEASONS.get(next(list, i + 1)?.folded ?? '');
  return year !== undefined && after && isBlank(list[i + 1]?.gap ?? '') ? seasonPoint(i + 2, year, after) : undefined;
}
/** "in spring flowers" is about flowers. */
const SEASON_THINGS = new Set(['flowers', 'flower', 'leaves', 'dress', 'clothes', 'colours', 'colors', 'foliage', 'jacket', 'coat', 'boots', 'blossom', 'blossoms', 'rolls', 'camp', 'house', 'hat', 'sports']);
function isTimeNotThing(list: readonly Word[], i: number): boolean { return !SEASON_THINGS.has(next(list, i + 1)?.folded ?? ''); }

function readHoliday(reading: Reading, i: number, led: boolean): Point | undefined {
  const { list } = reading.words;
  let key = '';
  let found: { holiday: Holiday; to: number } | undefined;
  for (let k = i; k < i + HOLIDAY_WORDS; k += 1) {
    const word = k === i ? list[i] : next(list, k);
    if (!word) break;
    key = key === '' ? word.folded : `${key} ${word.folded}`;
    const holiday = HOLIDAY_BY_NAME.get(key);
    if (holiday) found = { holiday, to: k + 1 };
  }
  if (!found || (found.holiday.label.startsWith('New') && OTHER_NEW_YEARS.has(list[i - 1]?.folded ?? ''))) return undefined;
  const { holiday } = found;
  if (next(list, found.to)?.folded === 's' && /^['’]$/.test(list[found.to]?.gap ?? '')) found.to += 1;
  const y = yearAfter(list, found.to);
  const point = { grain: 'holiday' as const, in: (year: number) => holiday.days(year), label: labelled(holiday.label) };
  if (y) return { ...point, to: y.to, year: y.year };
  const thing = next(list, found.to)?.folded ?? '';
  return !led && HOLIDAY_THINGS.has(thing) ? undefined : { ...point, to: found.to, year: null };
}

/** today, the day before yesterday, last summer, past 3 months, two weeks ago. */
function readRelative(reading: Reading, i: number): Point | undefined {
  const { list } = reading.words;
  const { today } = reading;
  const word = (k: number): string => (k === i || (isJoined(list, k) && isLoose(list[k]?.gap ?? '')) ? (list[k]?.folded ?? '') : '');
  const first = word(i);
  const relative = (to: number, range: DayRange, label?: string): Point => ({ ...fixed(to, 'relative', range, label), year: yearOf(range[0]) });
  if (first === 'today') return relative(i + 1, serials(today, today));
  if (first === 'yesterday') return relative(i + 1, serials(today - 1, today - 1));
  if (first === 'day' && word(i + 1) === 'before' && word(i + 2) === 'yesterday') return relative(i + 3, serials(today - 2, today - 2));
  if (first === 'last' && word(i + 1) === 'night') return relative(i + 2, serials(today - 1, today - 1));
  if (first === 'this' && /^(?:morning|afternoon|evening)$/.test(word(i + 1))) return relative(i + 2, serials(today, today));

  const direction = DIRECTIONS.get(first);
  if (direction !== undefined) {
    const count = countOf(list[i + 1], word(i + 1));
    const unit = count === undefined ? undefined : UNITS.get(word(i + 2));
    if (count !== undefined && unit && direction < 0) return relative(i + 3, pastUnits(today, count, unit));
    const one = first === 'past' ? UNITS.get(word(i + 1)) : undefined;
    if (one) return relative(i + 2, pastUnits(today, 1, one));
    return readStep(reading, i + 1, word(i + 1), direction, relative);
  }
  const count = countOf(list[i], first);
  if (count === undefined) return undefined;
  const k = word(i + 1) === 'of' && first === 'couple' ? i + 2 : i + 1;
  const unit = UNITS.get(word(k));
  return unit && word(k + 1) === 'ago' ? relative(k + 2, unitAt(today, unit, -count)) : undefined;
}
const DIRECTIONS = new Map([['last', -1], ['past', -1], ['previous', -1], ['this', 0], ['next', 1], ['coming', 1]]);
type Unit = 'day' | 'week' | 'weekend' | 'month' | 'year' | 'decade';
const UNITS = new Map<string, Unit>((['day', 'week', 'weekend', 'month', 'year', 'decade'] as const).flatMap((u) => [[u, u], [`${u}s`, u]] as [string, Unit][]));
UNITS.set('fortnight', 'week');
const MAX_COUNT = 999;
function countOf(word: Word | undefined, folded: string): number | undefined {
  const count = COUNTS.get(folded) ?? (folded === '' ? undefined : number(word, 3));
  return count !== undefined && count >= 1 && count <= MAX_COUNT ? count : undefined;
}

/** "last" and a unit, a season, a month, a weekday or a holiday: the nearest whole one on that side of today. */
function readStep(reading: Reading, k: number, name: string, direction: number, relative: (to: number, range: DayRange, label?: string) => Point): Point | undefined {
  const { today, thisYear } = reading;
  const unit = UNITS.get(name);
  if (unit && unit !== 'day' && !name.endsWith('s')) return relative(k + 1, unitAt(today, unit, name === 'fortnight' ? direction * 2 : direction));
  const day = WEEKDAYS.get(name);
  if (day !== undefined) {
    const back = (weekday(today) - day + 7) % 7;
    const at = direction < 0 ? today - (back || 7) : direction > 0 ? today + (7 - back) : today - weekday(today) + day;
    return relative(k + 1, serials(at, at));
  }
  const season = SEASONS.get(name);
  const month = MONTHS.get(name);
  const point = season ? seasonPoint(k + 1, null, season) : month !== undefined ? monthPoint(k + 1, null, month) : readHoliday(reading, k, true);
  if (!point || point.year !== null) return undefined;
  const now = dayOf(today);
  const candidates = [thisYear - 2, thisYear - 1, thisYear, thisYear + 1].flatMap((year) => { const range = point.in(year); return range ? [{ year, range }] : []; });
  // This winter is the one that lies in the present year's end, or that goes on now.
  const chosen = direction < 0 ? candidates.findLast((c) => c.range[1] < now)
    : direction > 0 ? candidates.find((c) => c.range[0] > now)
    : candidates.find((c) => c.range[0] <= now && now <= c.range[1]) ?? candidates.find((c) => c.year === thisYear);
  return chosen ? relative(point.to, chosen.range, point.label(chosen.year)) : undefined;
}

/** The whole unit so many before (negative) or after the present one; weeks begin on Monday. */
function unitAt(today: number, unit: Unit, steps: number): DayRange {
  const d = new Date(today * 86_400_000);
  const year = d.getUTCFullYear();
  const month = d.getUTCMonth() + 1;
  const monday = today - weekday(today);
  switch (unit) {
    case 'day': return serials(today + steps, today + steps);
    case 'week': return serials(monday + steps * 7, monday + steps * 7 + 6);
    case 'weekend': {
      // On a Saturday or Sunday "last weekend" is the one before.
      const saturday = monday + 5 + steps * 7;
      return serials(saturday, saturday + 1);
    }
    case 'month': { const at = year * 12 + month - 1 + steps; return months(Math.floor(at / 12), (((at % 12) + 12) % 12) + 1); }
    case 'year': return [months(year + steps, 1)[0], months(year + steps, 12)[1]];
    case 'decade': { const from = Math.floor(year / 10) * 10 + steps * 10; return [months(from, 1)[0], months(from + 9, 12)[1]]; }
  }
}
/** "past 3 months": from so long ago up to today. */
function pastUnits(today: number, count: number, unit: Unit): DayRange {
  if (unit === 'day') return serials(today - count, today);
  if (unit === 'week' || unit === 'weekend') return serials(today - count * 7, today);
  const d = new Date(today * 86_400_000);
  const back = count * (unit === 'month' ? 1 : unit === 'year' ? 12 : 120);
  const at = d.getUTCFullYear() * 12 + d.getUTCMonth() - back;
  const year = Math.floor(at / 12);
  const month = (((at % 12) + 12) % 12) + 1;
  return serials(serialOf(year, month, Math.min(d.getUTCDate(), serialOfDay(months(year, month)[1]) - serialOf(year, month, 1) + 1)), today);
}

/** 90s, the 1990s, nineties. "in her 20s" is somebody's age. */
function readDecade(reading: Reading, i: number): Point | undefined {
  const { list } = reading.words;
  const word = list[i];
  if (!word || isGluedBefore(word) || /^(?:her|his|my|their|our|your|iso)$/.test(list[i - 1]?.folded ?? '')) return undefined;
  let to = i + 1;
  let digits = /^(\d0|\d{3}0)s$/.exec(word.folded)?.[1];
  if (digits === undefined && /^(?:\d0|\d{3}0)$/.test(word.folded) && list[i + 1]?.folded === 's' && /^['’]$/.test(list[i + 1]?.gap ?? '')) { digits = word.folded; to = i + 2; }
  let from = digits === undefined ? DECADES.get(word.folded) : Number(digits);
  if (from === undefined) return undefined;
  if (from < 100) from += from <= reading.thisYear % 100 ? 2000 : 1900;
  if (from < FIRST_YEAR - 9 || from > LAST_YEAR) return undefined;
  const begin = from;
  return { to, grain: 'decade', year: begin, in: () => [months(begin, 1)[0], months(begin + 9, 12)[1]], label: () => `${begin}s` };
}

/** 2019; "the year 2019". Without context only a year that can have pictures. */
function readYear(reading: Reading, i: number, led: boolean): Point | undefined {
  const { list } = reading.words;
  const at = list[i]?.folded === 'year' && isJoined(list, i + 1) && isBlank(list[i + 1]?.gap ?? '') ? i + 1 : i;
  const word = list[at];
  const year = sureYear(word);
  if (!word || year === undefined || (year > reading.thisYear && !led && at === i)) return undefined;
  if (at === i && (isGluedBefore(word) || NUMBERED.has(list[i - 1]?.folded ?? ''))) return undefined;
  if (isPartOfNumber(list, at) || (COUNTED.has(next(list, at + 1)?.folded ?? '') && isBlank(list[at + 1]?.gap ?? ''))) return undefined;
  return { to: at + 1, grain: 'year', year, in: (y) => [months(y, 1)[0], months(y, 12)[1]], label: (y) => String(y ?? '') };
}
