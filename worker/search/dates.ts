// Dates of a query: single ones, ranges ("2019-2021", "between … and …"), open ones ("since 2020") and lists ("june or july 2020").
import { dayOf, FIRST_DAY, LAST_DAY, serialOfDay, type DayRange } from './calendar.ts';
import { isSpanGap, readPoint, type Point } from './date-points.ts';
import { dateTerm, isLedToDate, RANK, type Found, type Reading } from './found.ts';
import { isJoined, type Word } from './words.ts';

export interface DateFound { to: number; ranges: DayRange[]; label: string; /** Nothing but a month's name says so. */ bare: boolean }

const SPAN_WORDS = new Set(['to', 'until', 'till', 'through']);
const OPEN = new Map<string, 'since' | 'after' | 'before' | 'until'>([['since', 'since'], ['after', 'after'], ['before', 'before'], ['until', 'until'], ['till', 'until']]);
const MAX_LIST = 20;

/** What begins with word `i`, as a term. */
export function findDate(reading: Reading, i: number): Found | undefined {
  const date = readDate(reading, i, isLedToDate(reading.words.list, i));
  return date ? { from: i, to: date.to, term: dateTerm(date.ranges), label: date.label, rank: date.bare ? RANK.month : RANK.date } : undefined;
}

/** The longest date that begins with word `i`. */
export function readDate(reading: Reading, i: number, led: boolean): DateFound | undefined {
  const { list } = reading.words;
  const word = list[i];
  if (!word || word.quote !== 0 || word.tied) return undefined;
  const open = OPEN.get(word.folded);
  const point = (k: number): Point | undefined => (isJoined(list, k) ? readPoint(reading, skipThe(list, k), true) : undefined);
  if (open) { const at = point(i + 1); return at ? openRange(reading, open, at) : undefined; }
  if (word.folded === 'between' || word.folded === 'from') {
    const first = point(i + 1);
    const joint = first && isJoined(list, first.to) ? list[first.to]?.folded ?? '' : '';
    const last = first && (word.folded === 'between' ? joint === 'and' : SPAN_WORDS.has(joint)) ? point(first.to + 1) : undefined;
    if (first && last) return closedRange(reading, first, last);
    return undefined;
  }
  const first = readPoint(reading, i, led);
  if (!first) return undefined;
  return readSpan(reading, first) ?? readList(reading, first) ?? single(reading, first, !led);
}

function skipThe(list: readonly Word[], k: number): number { return list[k]?.folded === 'the' && isJoined(list, k + 1) ? k + 1 : k; }

/** "2019-2021", "june to august 2022", "2019-20". */
function readSpan(reading: Reading, first: Point): DateFound | undefined {
  const { list } = reading.words;
  const dash = isJoined(list, first.to) && isSpanGap(list[first.to]);
  const slash = list[first.to]?.gap === '/' && first.grain === 'year';
  if (dash || slash) {
    const word = list[first.to];
    // 2019-20, 2019/20
    if (first.grain === 'year' && first.year !== null && word && /^\d\d$/.test(word.folded) && !/\s/.test(word.gap) && Number(word.folded) > first.year % 100) {
      const last = Math.floor(first.year / 100) * 100 + Number(word.folded);
      const [from, to] = [first.in(first.year), first.in(last)];
      if (from && to) return { to: first.to + 1, ranges: [[from[0], to[1]]], label: `${first.year}–${last}`, bare: false };
    }
    const last = dash ? readPoint(reading, first.to, true) : undefined;
    return last ? closedRange(reading, first, last) : undefined;
  }
  if (!isJoined(list, first.to) || !SPAN_WORDS.has(list[first.to]?.folded ?? '')) return undefined;
  const last = isJoined(list, first.to + 1) ? readPoint(reading, first.to + 1, true) : undefined;
  return last && last.grain !== 'relative' ? closedRange(reading, first, last) : undefined;
}

/** "2019 or 2020", "june and july 2022": any of them will do. */
function readList(reading: Reading, first: Point): DateFound | undefined {
  const { list } = reading.words;
  const points = [first];
  let joined = false;
  for (let at = first; points.length < MAX_LIST;) {
    const word = isJoined(list, at.to) ? list[at.to] : undefined;
    const isWord = word?.folded === 'and' || word?.folded === 'or';
    const isMark = word !== undefined && /^\s*[,&]\s*$/.test(word.gap);
    if (!word || (!isWord && !isMark)) break;
    const k = isWord ? at.to + 1 : at.to;
    const point = isJoined(list, k) ? readPoint(reading, k, true) : undefined;
    if (!point || point.grain !== first.grain || first.grain === 'relative') break;
    joined = true;
    points.push(point);
    at = point;
  }
  const last = points.at(-1);
  if (!joined || !last) return undefined;
  const year = points.every((p) => p.year === null || p === last) ? last.year : null;
  const all = points.map((p) => (p.year === null && year !== null ? { ...p, year } : p));
  const label = all.map((p, n) => p.label(n < all.length - 1 && p.year === year ? (first.grain === 'year' ? p.year : null) : p.year)).join(' or ');
  return { to: last.to, ranges: sortRanges(all.flatMap((p) => rangesOf(reading, p))), label, bare: false };
}

function single(reading: Reading, point: Point, bare: boolean): DateFound | undefined {
  const ranges = rangesOf(reading, point);
  return ranges.length > 0 ? { to: point.to, ranges, label: point.label(point.year), bare: bare && point.grain === 'month' && point.year === null } : undefined;
}

function rangesOf(reading: Reading, point: Point): DayRange[] {
  return (point.year === null ? reading.years : [point.year]).flatMap((year) => { const range = point.in(year); return range ? [range] : []; });
}

/** One that comes every year, at its last time that has begun. */
function latest(reading: Reading, point: Point): DayRange | undefined {
  if (point.year !== null) return point.in(point.year);
  const now = dayOf(reading.today);
  for (let year = reading.thisYear; year > reading.thisYear - 8; year -= 1) { const range = point.in(year); if (range && range[0] <= now) return range; }
  return undefined;
}

function openRange(reading: Reading, open: 'since' | 'after' | 'before' | 'until', point: Point): DateFound | undefined {
  const range = latest(reading, point);
  if (!range) return undefined;
  const ranges: Record<typeof open, DayRange> = {
    since: [range[0], LAST_DAY], after: [dayOf(serialOfDay(range[1]) + 1), LAST_DAY], before: [FIRST_DAY, dayOf(serialOfDay(range[0]) - 1)], until: [FIRST_DAY, range[1]],
  };
  const year = point.year ?? Math.floor(range[0] / 10_000);
  return { to: point.to, ranges: [ranges[open]], label: `${open.charAt(0).toUpperCase()}${open.slice(1)} ${point.label(year)}`, bare: false };
}

/** From the first one's begin to the last one's end; one that lacks a year takes the other's. Turned round where they stand so. */
function closedRange(reading: Reading, first: Point, last: Point): DateFound | undefined {
  const to = last.to;
  if (first.year === null && last.year === null) {
    const ranges = reading.years.flatMap((year) => { const range = between(first, year, last, year); return range ? [range] : []; });
    return ranges.length > 0 ? { to, ranges, label: `${first.label(null)} – ${last.label(null)}`, bare: false } : undefined;
  }
  const y1 = first.year ?? last.year ?? 0;
  const y2 = last.year ?? y1;
  const range = first.year === null ? between(first, y1, last, y2, -1) : last.year === null ? between(first, y1, last, y2) : undefined;
  const [a, b] = [first.in(y1), last.in(y2)];
  if (!a || !b) return undefined;
  const label = first.grain === 'year' && last.grain === 'year' ? `${Math.min(y1, y2)}–${Math.max(y1, y2)}`
    : first.year === null ? `${first.label(null)} – ${last.label(y2)}` : `${first.label(y1)} – ${last.label(last.year)}`;
  return { to, ranges: [range ?? [Math.min(a[0], b[0]), Math.max(a[1], b[1])]], label, bare: false };
}

/** December to February: the end lies in the next year, or the begin in the one before. */
function between(first: Point, y1: number, last: Point, y2: number, step: -1 | 1 = 1): DayRange | undefined {
  const [a, b] = [first.in(y1), last.in(y2)];
  if (!a || !b) return undefined;
  if (a[0] <= b[1]) return [a[0], b[1]];
  const [c, d] = step < 0 ? [first.in(y1 - 1), b] : [a, last.in(y2 + 1)];
  return c && d ? [c[0], d[1]] : undefined;
}

export function sortRanges(ranges: readonly DayRange[]): DayRange[] { return [...ranges].sort((a, b) => a[0] - b[0] || a[1] - b[1]); }
