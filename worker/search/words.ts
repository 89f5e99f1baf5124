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

/** Scripts without spaces between words: each character is a word, as in the index. */
const WORD = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー]\p{M}*|(?:(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー])[\p{L}\p{M}\p{N}_\u200c\u200d])+/gu;
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

export function splitQuery(text: string): Words {
  const quotations = findQuotations(text);
  const list: Word[] = [];
  let at = 0;
  let quote = 0;
  for (const match of text.matchAll(WORD)) {
    const start = match.index;
    const end = start + match[0].length;
    while (quote < quotations.length && (quotations[quote]?.end ?? 0) <= start) quote += 1;
    const q = quotations[quote];
    const gap = text.slice(at, start);
    const folded = foldText(match[0]).replaceAll(' ', '');
    if (folded === '') continue; // accents without a letter
    list.push({ start, end, raw: match[0], folded, gap, quote: q && q.start < start ? quote + 1 : 0, tied: list.length > 0 && gap.startsWith(':') && !/\s/.test(gap) });
    at = end;
  }
  return { text, list, quotations };
}

/** The words of a name as one key, in the spelling of `keyAt`. Empty where a name has no words. */
export function nameKey(name: string): string { return splitQuery(name).list.map((w) => w.folded).join(' '); }

/** Whether the word at `i` may be part of something that begins before it. */
export function isJoined(words: readonly Word[], i: number): boolean {
  const word = words[i];
  return word !== undefined && word.quote === 0 && !word.tied && !isNegatedByMinus(words, i);
}

/** `-goa`: a minus with nothing before it and a word right behind. */
export function isNegatedByMinus(words: readonly Word[], i: number): boolean {
  return /(?:^|[\s(,])[-−]$/.test(words[i]?.gap ?? '') && (i === 0 || (words[i]?.gap.length ?? 0) > 1);
}

/** Whether a word begins with a capital where its script has such. */
export function isCapital(word: Word): boolean { const first = word.raw.charAt(0); return first !== first.toLowerCase(); }
