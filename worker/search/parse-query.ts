// What a query means: dates, places, people, cameras, types and the rest, read from its words. Pure; the library's own names
// come as LibraryNames. Each reader says what begins with a word; of what overlaps the longest holds, then the lower rank.
import { MAX_QUERY_CHARS, type Chip, type FilterTerm, type ParsedQuery } from '../../protocol/search.ts';
import type { LibraryNames } from '../store/library-names.ts';
import { FIRST_YEAR, todayAt, yearOf, dayOf } from './calendar.ts';
import { findDate, sortRanges } from './dates.ts';
import { findKinds } from './find-kinds.ts';
import { findNames } from './find-names.ts';
import { findOperator } from './find-operators.ts';
import { MAX_RANGES, MAX_VALUES, type Found, type Reading } from './found.ts';
import { contains, indexNames } from './name-index.ts';
import { findNegated } from './negation.ts';
import { readableText, readPhrases, readRest } from './rest.ts';
import { splitQuery } from './words.ts';

export type { LibraryNames } from '../store/library-names.ts';
export { quoteChip, removeChip } from './rest.ts';

/** Chips of one query; what comes behind them stays words. A vector question takes 50 terms. */
export const MAX_CHIPS = 40;
/** Zones where 5/6 is the 6th of May. */
const MONTH_FIRST_ZONES = /^(?:America\/(?:New_York|Chicago|Denver|Los_Angeles|Phoenix|Anchorage|Juneau|Sitka|Nome|Metlakatla|Yakutat|Adak|Detroit|Boise|Menominee|Indiana\/|Kentucky\/|North_Dakota\/)|Pacific\/Honolulu|US\/)/;

interface Held extends Found { negated: boolean; start: number; end: number }

/** `homeZone`: IANA zone in which "today" is meant. Never throws, whatever is typed. */
export function parseQuery(text: string, names: LibraryNames, nowMs: number, homeZone: string): ParsedQuery {
  const read = readableText(text);
  const reading = createReading(read, names, nowMs, homeZone);
  const held = joinAlternatives(reading, resolveOverlaps(reading, findAll(reading))).slice(0, MAX_CHIPS);
  const chips = held.map((h): Chip => ({ term: h.term, negated: h.negated, label: h.label, text: read.slice(h.start, h.end), at: h.start }));
  return { text: read, cut: text.length > MAX_QUERY_CHARS, chips, rest: readRest(reading.words, held), phrases: readPhrases(reading.words, held) };
}

export function createReading(text: string, names: LibraryNames, nowMs: number, homeZone: string): Reading {
  const index = indexNames(names);
  const today = todayAt(nowMs, homeZone);
  const thisYear = yearOf(dayOf(today));
  // A wrong clock in a camera must not make "in december" a list of centuries.
  const last = Math.max(FIRST_YEAR, Math.min(index.lastYear ?? thisYear, thisYear + 1));
  const first = Math.min(last, Math.max(index.firstYear ?? last, FIRST_YEAR, last - MAX_RANGES + 1));
  return { words: splitQuery(text), names: index, today, thisYear, years: Array.from({ length: last - first + 1 }, (_, i) => first + i), monthFirst: MONTH_FIRST_ZONES.test(homeZone) };
}

function findAll(reading: Reading): (Found & { negated?: true })[] {
  const byWord = new Map<number, Found[]>();
  for (const [i, word] of reading.words.list.entries()) {
    if (word.quote !== 0 || word.tied) continue;
    const found = [findOperator(reading, i), findDate(reading, i)].filter((f) => f !== undefined).concat(findNames(reading, i), findKinds(reading, i));
    if (found.length > 0) byWord.set(i, found);
  }
  return [...[...byWord.values()].flat(), ...findNegated(reading, byWord)];
}

/** Of what overlaps the longest holds, then the lower rank; in the order of the text. */
function resolveOverlaps({ words: { list } }: Reading, found: readonly (Found & { negated?: true })[]): Held[] {
  const placed = found.map((f): Held => ({ ...f, negated: f.negated === true, start: f.start ?? list[f.from]?.start ?? 0, end: f.end ?? list[f.to - 1]?.end ?? 0 }));
  placed.sort((a, b) => b.end - b.start - (a.end - a.start) || a.rank - b.rank || a.from - b.from);
  const taken = new Set<number>();
  const held: Held[] = [];
  for (const f of placed) {
    let free = true;
    for (let i = f.from; i < f.to && free; i += 1) free = !taken.has(i);
    if (!free) continue;
    for (let i = f.from; i < f.to; i += 1) taken.add(i);
    held.push(f);
  }
  return held.sort((a, b) => a.start - b.start);
}

/** "Goa or Mumbai" is one term, of which either will do; so is "Goa and Mumbai", for nothing lies in both. */
function joinAlternatives(reading: Reading, held: readonly Held[]): Held[] {
  const joined: Held[] = [];
  for (const next of held) {
    const last = joined.at(-1);
    const between = last ? reading.words.text.slice(last.end, next.start).trim().toLowerCase() : '';
    const isOr = between === 'or';
    const isAnd = between === 'and' || /^[&,/-]$/.test(between);
    const term = last && !next.negated && (isOr || isAnd) ? joinTerms(last.term, next.term, isAnd) : undefined;
    if (!last || !term) { joined.push(next); continue; }
    joined[joined.length - 1] = { ...last, term, to: next.to, end: next.end, label: `${last.label} or ${next.label.replace(/^(?:Camera|Album|Tag|Drive): /, '')}` };
  }
  return joined;
}

function joinTerms(a: FilterTerm, b: FilterTerm, isAnd: boolean): FilterTerm | undefined {
  const both = <T>(x: readonly T[], y: readonly T[]): T[] => [...new Set([...x, ...y])].slice(0, MAX_VALUES);
  if (a.kind === 'place' && b.kind === 'place') return isAnd && a.places.some((p) => b.places.some((q) => contains(p, q) || contains(q, p))) ? undefined : { kind: 'place', places: both(a.places, b.places) };
  if (a.kind === 'camera' && b.kind === 'camera') return { kind: 'camera', cameras: both(a.cameras, b.cameras) };
  if (isAnd) return undefined;
  if (a.kind === 'date' && b.kind === 'date') return { kind: 'date', ranges: sortRanges([...a.ranges, ...b.ranges]).slice(-MAX_RANGES) };
  if (a.kind === 'person' && b.kind === 'person') return { kind: 'person', names: both(a.names, b.names) };
  if (a.kind === 'album' && b.kind === 'album') return { kind: 'album', album_ids: both(a.album_ids, b.album_ids) };
  if (a.kind === 'tag' && b.kind === 'tag') return { kind: 'tag', tags: both(a.tags, b.tags) };
  if (a.kind === 'volume' && b.kind === 'volume') return { kind: 'volume', volume_ids: both(a.volume_ids, b.volume_ids) };
  return undefined;
}
