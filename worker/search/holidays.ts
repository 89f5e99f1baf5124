// Days that have names: fixed ones, Easter by its rule, Diwali by table. Each with the days around it on which it is photographed.
import { serialOf, serials, weekday, type DayRange } from './calendar.ts';

export interface Holiday { label: string; /** Spellings, folded, words apart by a blank. */ names: readonly string[]; /** Undefined where its day in that year is not known here. */ days(year: number): DayRange | undefined }

/** Western Easter Sunday's serial number (the anonymous Gregorian rule, Meeus, Astronomical Algorithms, chapter 8). */
export function easterSunday(year: number): number {
  const a = year % 19, b = Math.floor(year / 100), c = year % 100;
  const h = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  return serialOf(year, Math.floor(n / 31), (n % 31) + 1);
}

/** The day of Lakshmi Puja as India keeps it, month and day, 2000 to 2035: a new moon of October or November. */
const DIWALI_FROM = 2000;
const DIWALI = [
  1026, 1114, 1104, 1025, 1112, 1101, 1021, 1109, 1028, 1017, 1105, 1026, 1113, 1103, 1023, 1111, 1030, 1019,
  1107, 1027, 1114, 1104, 1024, 1112, 1031, 1020, 1108, 1029, 1017, 1105, 1026, 1114, 1102, 1022, 1110, 1030,
];
/** Lakshmi Puja's serial number; undefined outside the table. */
export function diwaliDay(year: number): number | undefined {
  const day = DIWALI[year - DIWALI_FROM];
  return day === undefined ? undefined : serialOf(year, Math.floor(day / 100), day % 100);
}

const fixed = (month: number, day: number, before = 0, after = 0) => (year: number): DayRange => serials(serialOf(year, month, day) - before, serialOf(year, month, day) + after);
/** The n-th weekday (Monday is 0) of a month. */
const nth = (n: number, day: number, month: number) => (year: number): number => { const first = serialOf(year, month, 1); return first + ((day - weekday(first) + 7) % 7) + (n - 1) * 7; };

export const HOLIDAYS: readonly Holiday[] = [
  { label: 'Christmas', names: ['christmas', 'xmas'], days: fixed(12, 24, 0, 2) },
  { label: 'Christmas Eve', names: ['christmas eve', 'xmas eve'], days: fixed(12, 24) },
  { label: 'Christmas Day', names: ['christmas day', 'xmas day'], days: fixed(12, 25) },
  { label: 'Boxing Day', names: ['boxing day'], days: fixed(12, 26) },
  // Of a year: the night into it.
  { label: 'New Year', names: ['new year', 'new years', 'new year s'], days: fixed(1, 1, 1) },
  { label: 'New Year’s Eve', names: ['new year s eve', 'new years eve', 'new year eve'], days: fixed(12, 31) },
  { label: 'New Year’s Day', names: ['new year s day', 'new years day', 'new year day'], days: fixed(1, 1) },
  { label: 'Easter', names: ['easter', 'easter weekend'], days: (y) => serials(easterSunday(y) - 2, easterSunday(y) + 1) },
  { label: 'Easter Sunday', names: ['easter sunday'], days: (y) => serials(easterSunday(y), easterSunday(y)) },
  { label: 'Easter Monday', names: ['easter monday'], days: (y) => serials(easterSunday(y) + 1, easterSunday(y) + 1) },
  { label: 'Good Friday', names: ['good friday'], days: (y) => serials(easterSunday(y) - 2, easterSunday(y) - 2) },
  // From Dhanteras to Bhai Dooj.
  { label: 'Diwali', names: ['diwali', 'deepavali', 'divali', 'दिवाली', 'दीपावली'], days: (y) => { const d = diwaliDay(y); return d === undefined ? undefined : serials(d - 2, d + 2); } },
  { label: 'Halloween', names: ['halloween'], days: fixed(10, 31) },
  { label: 'Valentine’s Day', names: ['valentine s day', 'valentines day', 'valentine day'], days: fixed(2, 14) },
  { label: 'St Patrick’s Day', names: ['st patrick s day', 'st patricks day', 'saint patrick s day'], days: fixed(3, 17) },
  { label: 'April Fools’ Day', names: ['april fools', 'april fools day', 'april fool s day'], days: fixed(4, 1) },
  { label: 'Bonfire Night', names: ['bonfire night', 'guy fawkes night'], days: fixed(11, 5) },
  { label: 'Bastille Day', names: ['bastille day'], days: fixed(7, 14) },
  { label: 'Thanksgiving', names: ['thanksgiving', 'thanksgiving day'], days: (y) => serials(nth(4, 3, 11)(y), nth(4, 3, 11)(y)) },
];
/** Words behind a holiday that make it a kind of thing: a Christmas tree is photographed in all of December. */
export const HOLIDAY_THINGS = new Set(('tree trees market markets lights light dinner lunch breakfast party parties decoration decorations card cards sweater sweaters jumper jumpers present presents gift gifts cake cakes pudding '
  + 'pumpkin pumpkins hat hats island carol carols stocking stockings wreath wreaths ornament ornaments cookie cookies show fireworks resolution resolutions egg eggs bunny bunnies basket costume costumes turkey lamb lily mass table song songs play lamp lamps rangoli sweets').split(' '));
/** "Chinese new year" is another day, and not in the table. */
export const OTHER_NEW_YEARS = new Set(['chinese', 'lunar', 'tamil', 'persian', 'jewish', 'islamic', 'bengali', 'thai', 'tibetan', 'punjabi']);
