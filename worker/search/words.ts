// A query as words: each with its place in the text, what stands before it, and whether it is quoted. One pass, no backtracking.
import { foldText } from '../store/search-text.ts';

export interface Word {
  /** Of the text, in UTF-16 units; `end` is behind the last. */
  start: number; end: number;
  raw: string; folded: string;
  /** All that stands between the word before (or the text's start) and this one. */
  gap: string;
  /** Which quotation it stands in, from 1; 0 none. Quoted words are words and nothing else. */
  quote: number;
  /** The right side of a colon, as in `unknown:goa`: no name and no date by itself. */
  tied: boolean;
}
/** A quoted part: `start` is its opening mark, `end` is behind its closing one. */
export interface Quotation { start: number; end: number }
export interface Words { text: string; list: Word[]; quotations: Quotation[] }

const WORD = /[\p{L}\p{M}\p{N}_\u200c\u200d]+/gu;
/** Scripts without spaces between words: each character is a word, as in the index. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー]\p{M}*/gu;
const PLAIN = /^[\x20-\x7f]*$/;
const QUOTE_MARKS = /["“”„«»]/g;

/** Quotation marks, two by two from the left; the last of an odd number is none. */
export function findQuotations(text: string): Quotation[] {
  const marks = [...text.matchAll(QUOTE_MARKS)].map((m) => m.index);
  const found: Quotation[] = [];
  for (let i = 0; i + 1 < marks.length; i += 2) found.push({ start: marks[i] as number, end: (marks[i + 1] as number) + 1 });
  return found;
}

/** Where a quotation mark stands that has no partner; undefined where all have one. */
export function findLoneQuote(text: string): number | undefined {
  const marks = [...text.matchAll(QUOTE_MARKS)];
  return marks.length % 2 === 1 ? marks.at(-1)?.index : undefined;
}

export function withoutQuoteMarks(text: string): string { return text.replace(QUOTE_MARKS, ''); }

interface Run { start: number; raw: string }
function* findRuns(text: string): Generator<Run> {
  for (const { 0: raw, index } of text.matchAll(WORD)) {
    if (PLAIN.test(raw)) { yield { start: index, raw }; continue; }
    let at = 0;
    for (const unspaced of raw.matchAll(UNSPACED)) {
      if (unspaced.index > at) yield { start: index + at, raw: raw.slice(at, unspaced.index) };
      yield { start: index + unspaced.index, raw: unspaced[0] };
      at = unspaced.index + unspaced[0].length;
    }
    if (at < raw.length) yield { start: index + at, raw: raw.slice(at) };
  }
}

function foldWord(raw: string): string { return PLAIN.test(raw) ? raw.toLowerCase() : foldText(raw).replaceAll(' ', ''); }

export function splitQuery(text: string): Words {
  const quotations = findQuotations(text);
  const list: Word[] = [];
  let at = 0;
  let quote = 0;
  for (const { start, raw } of findRuns(text)) {
    const end = start + raw.length;
    while (quote < quotations.length && (quotations[quote]?.end ?? 0) <= start) quote += 1;
    const q = quotations[quote];
    const gap = text.slice(at, start);
    const folded = foldWord(raw);
    if (folded === '') continue; // accents without a letter
    list.push({ start, end, raw, folded, gap, quote: q && q.start < start ? quote + 1 : 0, tied: list.length > 0 && gap.startsWith(':') && !/\s/.test(gap) });
    at = end;
  }
  return { text, list, quotations };
}

/** The words of a name as one key, in the spelling of `keyAt`. Empty where a name has no words. */
export function nameKey(name: string): string {
  if (PLAIN.test(name)) return name.toLowerCase().match(/[a-z0-9_]+/g)?.join(' ') ?? '';
  return Array.from(findRuns(name), (run) => foldWord(run.raw)).filter((word) => word !== '').join(' ');
}

/** Whether the word at `i` may be part of something that begins before it. */
export function isJoined(words: readonly Word[], i: number): boolean {
  const word = words[i];
  return word !== undefined && word.quote === 0 && !word.tied && !isNegatedByMinus(words, i);
}

/** `-goa`: a minus with nothing before it and a word right behind. */
export function isNegatedByMinus(words: readonly Word[], i: number): boolean {
  const gap = words[i]?.gap ?? '';
  return (gap.endsWith('-') || gap.endsWith('−')) && /(?:^|[\s(,])[-−]$/.test(gap) && (i === 0 || gap.length > 1);
}

/** Whether a word begins with a capital where its script has such. */
export function isCapital(word: Word): boolean { const first = word.raw.charAt(0); return first !== first.toLowerCase(); }
