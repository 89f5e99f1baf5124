// What no chip took, tidy: for words and for the model. And what a query is without one of its chips, or with its words quoted.
import { MAX_QUERY_CHARS, type Chip } from '../../protocol/search.ts';
import { cleanText } from '../db/bulk.ts';
import { PREPOSITIONS } from './found.ts';
import { NEGATIONS } from './negation.ts';
import { findLoneQuote, splitQuery, withoutQuoteMarks, type Word, type Words } from './words.ts';

/** Before a chip these say nothing any more. */
const LEADING_TO = new Set([...PREPOSITIONS, 'and', 'or', 'but', 'taken', 'shot', 'made', 'captured', 'filmed', 'my', 'our']);
const JOINTS = new Set(['and', 'or', 'but']);
/** At the begin of a query: what is asked for, not what is in the picture. */
const ASKING = new Set(['show', 'find', 'search', 'get', 'give', 'display', 'list', 'please', 'me', 'my', 'our']);
const AMOUNTS = new Set(['all', 'some', 'any', 'every']);
const PICTURES = new Set(['photo', 'photos', 'picture', 'pictures', 'pic', 'pics', 'image', 'images', 'photograph', 'photographs', 'snap', 'snaps']);
const OF = new Set(['of', 'from', 'with', 'showing', 'taken']);
const OWN = new Set(['my', 'our', 'the']);

/** Cleaned as `ParsedQuery.text` is: no half characters, no NUL, cut. As long as what was typed, up to the cut. */
export function readableText(text: string): string { return cleanText(text.slice(0, MAX_QUERY_CHARS)); }

/** `taken` are the chips' parts of the text. */
export function readRest(words: Words, taken: readonly { start: number; end: number }[]): string {
  const { text, list } = words;
  const free = list.filter((w) => !taken.some((t) => w.start < t.end && w.end > t.start));
  const dropped = new Set<Word>();
  for (const t of taken) {
    // "dogs in [Goa]", "[Goa] and beach"
    let behind = t.start;
    for (const word of free.slice(0, free.findLastIndex((w) => w.end <= t.start) + 1).reverse()) {
      if (!isDroppable(word, LEADING_TO) || !/^[\s(]*$/.test(text.slice(word.end, behind))) break;
      dropped.add(word);
      behind = word.start;
    }
    const after = free.find((w) => w.start >= t.end);
    if (after && isDroppable(after, JOINTS) && /^\s*$/.test(text.slice(t.end, after.start))) dropped.add(after);
  }
  const kept = trimNoise(free.filter((w) => !dropped.has(w)));
  const compose = (keep: readonly Word[]): string => {
    const keeps = new Set(keep);
    const gone = new Uint8Array(text.length);
    for (const t of taken) gone.fill(1, t.start, t.end);
    for (const w of list) if (!keeps.has(w)) gone.fill(1, w.start, w.end);
    let out = '';
    for (let i = 0; i < text.length; i += 1) out += gone[i] === 1 ? ' ' : text.charAt(i);
    return tidy(withoutQuoteMarks(out));
  };
  const rest = compose(kept);
  if (rest !== '' || taken.length > 0) return rest;
  return compose(free) || tidySpaces(withoutQuoteMarks(text));
}

function isDroppable(word: Word | undefined, words: ReadonlySet<string>): boolean { return word !== undefined && word.quote === 0 && !word.tied && words.has(word.folded); }

/** Without "show me all my photos of" before and "pictures" behind; nor what leads to a word that is not typed yet. */
function trimNoise(words: readonly Word[]): Word[] {
  let from = 0;
  let to = words.length;
  const at = (k: number, set: ReadonlySet<string>): boolean => k < to && isDroppable(words[k], set);
  for (;;) {
    if (at(from, ASKING)) { from += words[from]?.folded === 'search' && words[from + 1]?.folded === 'for' ? 2 : 1; continue; }
    if (at(from, AMOUNTS) && (at(from + 1, PICTURES) || at(from + 1, OWN))) { from += 1; continue; }
    if (at(from, OWN) && at(from + 1, PICTURES)) { from += 1; continue; }
    if (at(from, PICTURES) && (at(from + 1, OF) || from + 1 >= to)) { from += 2; while (at(from, OWN)) from += 1; continue; }
    break;
  }
  while (to > from && (isDroppable(words[to - 1], PICTURES) || isDroppable(words[to - 1], LEADING_TO) || isDroppable(words[to - 1], NEGATIONS) || words[to - 1]?.folded === 'please')) to -= 1;
  return words.slice(from, Math.max(from, to));
}

/** Marks of direction and control characters; joiners inside words stay. */
const UNSEEN = /[\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffd]/gu;
function tidySpaces(text: string): string { return text.replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim(); }
function tidy(text: string): string {
  const plain = tidySpaces(text).replace(/\( ?\)/g, ' ');
  let from = 0;
  let to = plain.length;
  const isLoose = (c: string): boolean => /[\s,;:.!?&/–—-]/.test(c);
  while (from < to && isLoose(plain.charAt(from))) from += 1;
  while (to > from && isLoose(plain.charAt(to - 1))) to -= 1;
  const kept = plain.slice(from, to).replace(/\s+/g, ' ');
  return /[\p{L}\p{N}\p{So}]/u.test(kept) ? kept : '';
}

/** Quoted words that no chip took, each with at least one letter or figure. */
export function readPhrases(words: Words, taken: readonly { start: number; end: number }[]): string[] {
  return words.quotations.filter((q) => !taken.some((t) => q.start < t.end && q.end > t.start)).map((q) => tidySpaces(withoutQuoteMarks(words.text.slice(q.start, q.end)))).filter((p) => /[\p{L}\p{N}]/u.test(p));
}

/** Where a chip's words stand; a chip of another text at their first place outside quotation marks. */
function locate(text: string, chip: Pick<Chip, 'text' | 'at'>): number {
  if (chip.at !== undefined && text.startsWith(chip.text, chip.at)) return chip.at;
  const { quotations } = splitQuery(text);
  for (let at = text.indexOf(chip.text); at >= 0; at = text.indexOf(chip.text, at + 1)) if (!quotations.some((q) => at > q.start && at < q.end)) return at;
  return -1;
}

/** The query without a chip's words: spaces tidy, no "in" left behind. The query itself where they are not in it. */
export function removeChip(query: string, chip: Pick<Chip, 'text' | 'at'>): string {
  const text = readableText(query);
  const at = locate(text, chip);
  if (at < 0 || chip.text === '') return text;
  let left = text.slice(0, at);
  let right = text.slice(at + chip.text.length);
  // "without people or cars": the word of negation is the other one's too.
  const [first] = splitQuery(right).list;
  const [negation] = splitQuery(chip.text).list;
  if (first && negation && /^\s+$/.test(first.gap) && (first.folded === 'or' || first.folded === 'nor') && NEGATIONS.has(negation.folded) && negation.start === 0) right = ` ${negation.raw}${right.slice(first.end)}`;
  const before = splitQuery(left).list;
  while (isDroppable(before.at(-1), LEADING_TO) && /^[\s(]*$/.test(left.slice(before.at(-1)?.end))) left = left.slice(0, before.pop()?.start);
  if (/^[\s,;&]*$/.test(left)) { left = ''; right = right.replace(/^[\s,;&]+/, ''); const joint = splitQuery(right).list[0]; if (joint?.start === 0 && isDroppable(joint, JOINTS)) right = right.slice(joint.end); }
  if (/^[\s,;&]*$/.test(right)) { right = ''; left = left.trimEnd().replace(/[,;&]$/, ''); }
  else if (/,\s*$/.test(left) && /^\s*,/.test(right)) right = right.replace(/^\s*,/, '');
  const rest = `${left} ${right}`.replace(/\s+/g, ' ').replace(/\( ?\)/g, '').trim();
  const words = splitQuery(rest);
  // "photos of" without what they were of
  if (words.list.length === 0) return /\p{So}/u.test(rest) ? rest : '';
  return trimNoise(words.list).length === 0 && words.list.every((w) => w.quote === 0) ? '' : rest;
}

/** The query with a chip's words quoted, so that they are searched for as they are written. */
export function quoteChip(query: string, chip: Pick<Chip, 'text' | 'at'>): string {
  const text = readableText(query);
  const at = locate(text, chip);
  if (at < 0 || chip.text === '') return text;
  const lone = findLoneQuote(text);
  const blank = (part: string, from: number): string => (lone !== undefined && lone >= from && lone < from + part.length ? `${part.slice(0, lone - from)} ${part.slice(lone - from + 1)}` : part);
  return `${blank(text.slice(0, at), 0)}"${withoutQuoteMarks(chip.text)}"${blank(text.slice(at + chip.text.length), at + chip.text.length)}`.replace(/\s+/g, ' ').trim();
}
