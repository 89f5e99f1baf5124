// Operators: `before:2020`, `album:"Summer trip"`, `is:favourite`. One that is not known, or whose value the library does not know, stays words.
import { readDate } from './dates.ts';
import { fileTerm, typeTerm } from './find-kinds.ts';
import { findName, lookUp, type NameKind } from './find-names.ts';
import { dateTerm, RANK, type Found, type Reading } from './found.ts';
import { nameKey, splitQuery, withoutQuoteMarks } from './words.ts';

const NAMES: Record<string, readonly NameKind[]> = {
  in: ['place', 'album'], place: ['place'], camera: ['camera'], album: ['album'], person: ['person'], people: ['person'], with: ['person'], tag: ['tag'], drive: ['volume'], volume: ['volume'],
};
const DATES: Record<string, string> = { before: 'before', after: 'after', since: 'since', until: 'until', in: '', date: '', during: '', year: '' };
const TYPES = new Set(['type', 'is']);
const FILES = new Set(['file', 'filename', 'name']);
/** What completions write before a name that is no name by itself. */
export const NAME_OPERATORS: Record<NameKind, string> = { place: 'place', camera: 'camera', album: 'album', person: 'person', tag: 'tag', volume: 'drive' };

/** The operator that begins with word `i`. */
export function findOperator(reading: Reading, i: number): Found | undefined {
  const { list, text, quotations } = reading.words;
  const word = list[i];
  if (!word || word.quote !== 0 || word.tied || text.charAt(word.end) !== ':' || !isOperator(word.folded)) return undefined;
  const quotation = quotations.find((q) => q.start === word.end + 1);
  if (quotation) {
    const value = withoutQuoteMarks(text.slice(quotation.start, quotation.end));
    let to = i + 1;
    while (to < list.length && (list[to]?.start ?? Infinity) < quotation.end) to += 1;
    const meant = to > i + 1 ? meantByValue(reading, word.folded, value) : undefined;
    return meant ? { from: i, to, end: quotation.end, rank: RANK.operator, ...meant } : undefined;
  }
  const value = list[i + 1];
  if (!value || value.start - word.end > 3 || /\s/.test(value.gap) || !/^:[*.]*$/.test(value.gap) || value.quote !== 0) return undefined;
  return readOpenValue(reading, word.folded, i);
}

function isOperator(name: string): boolean { return Object.hasOwn(NAMES, name) || Object.hasOwn(DATES, name) || TYPES.has(name) || FILES.has(name); }

/** A value in quotation marks: all of it is the name. */
function meantByValue(reading: Reading, operator: string, value: string): Pick<Found, 'term' | 'label'> | undefined {
  if (FILES.has(operator)) return fileTerm(value.trim());
  const key = nameKey(value);
  if (TYPES.has(operator)) return typeTerm(key, true);
  for (const kind of NAMES[operator] ?? []) { const meant = lookUp(reading, kind, key); if (meant) return meant; }
  return Object.hasOwn(DATES, operator) ? readDateValue(reading, DATES[operator] ?? '', value) : undefined;
}

function readDateValue(reading: Reading, word: string, value: string): Pick<Found, 'term' | 'label'> | undefined {
  const words = splitQuery(word === '' ? value : `${word} ${value}`);
  const date = readDate({ ...reading, words }, 0, true);
  return date && date.to === words.list.length ? { term: dateTerm(date.ranges), label: date.label } : undefined;
}

/** A value without quotation marks: up to the next space, or as far as a name of the library goes ("place:new york"). */
function readOpenValue(reading: Reading, operator: string, i: number): Found | undefined {
  const { list, text } = reading.words;
  for (const kind of NAMES[operator] ?? []) {
    const found = findName(reading, kind, i + 1, true);
    if (found) return { ...found, from: i, rank: RANK.operator };
  }
  let to = i + 2;
  while (to < list.length && list[to]?.quote === 0 && !/[\s]/.test(list[to]?.gap ?? ' ')) to += 1;
  let end = list[to - 1]?.end ?? 0;
  if (FILES.has(operator)) while (text.charAt(end) === '*') end += 1;
  const value = text.slice((list[i]?.end ?? 0) + 1, end);
  const meant = FILES.has(operator) ? fileTerm(value) : TYPES.has(operator) ? typeTerm(nameKey(value), true) : Object.hasOwn(DATES, operator) ? readDateValue(reading, DATES[operator] ?? '', value) : undefined;
  return meant ? { from: i, to, end, rank: RANK.operator, ...meant } : undefined;
}
