// What must not be: "-people", "without snow", "no screenshots", "not in Goa", `-"deep snow"`.
import { RANK, type Found, type Reading } from './found.ts';
import { isJoined, isNegatedByMinus, withoutQuoteMarks, type Quotation, type Word } from './words.ts';

export interface Negated extends Found { negated: true }

/** Words that say it; a minus does too. */
export const NEGATIONS = new Set(['without', 'no', 'not', 'except', 'excluding', 'exclude']);
const FILLERS = new Set(['in', 'at', 'on', 'from', 'any', 'the', 'a', 'an', 'with', 'of', 'for', 'my', 'during']);
const MAX_FILLERS = 3;
/** "not only", "no 5": nothing is taken away. */
const NOT_NEGATED = new Set(['only', 'just', 'sure', 'one', ...NEGATIONS]);
const MAX_WORDS_CHARS = 300;

/** Negated terms: those of `found` (by the word that they begin with) behind a mark of negation, and single words behind one. */
export function findNegated(reading: Reading, found: ReadonlyMap<number, readonly Found[]>): Negated[] {
  const { list, text, quotations } = reading.words;
  const negated: Negated[] = [];
  const take = (from: number, start: number, target: number): void => {
    const known = found.get(target) ?? [];
    for (const f of known) negated.push({ ...f, from, start, label: `Not: ${f.label}`, negated: true });
    const word = list[target];
    if (known.length === 0 && word && !NOT_NEGATED.has(word.folded) && !/^\d+$/.test(word.folded)) negated.push(...toWords(reading, from, start, target));
  };
  // "without people or cars"
  const takeMore = (after: number): void => {
    for (let at = endOf(found.get(after), after); OR.has(list[at]?.folded ?? '') && isJoined(list, at) && isJoined(list, at + 1) && isSpaced(list[at + 1]); at = endOf(found.get(at + 1), at + 1)) take(at, list[at]?.start ?? 0, at + 1);
  };
  for (const [i, word] of list.entries()) {
    if (word.quote !== 0) continue;
    if (isNegatedByMinus(list, i)) { take(i, word.start - 1, i); continue; }
    if (word.tied || !NEGATIONS.has(word.folded)) continue;
    let target = i + 1;
    while (target <= i + MAX_FILLERS && FILLERS.has(list[target]?.folded ?? '') && isSpaced(list[target])) target += 1;
    const next = list[target];
    const quotation = next && next.quote > 0 ? quotations[next.quote - 1] : undefined;
    if (quotation && isFirstIn(list, target, quotation)) negated.push(...toPhrase(reading, i, word.start, target, quotation));
    else if (isSpaced(next) && isJoined(list, target)) {
      take(i, word.start, target);
      takeMore(target);
    }
  }
  for (const quotation of quotations) {
    if (!/(?:^|[\s(,])[-−]$/.test(text.slice(0, quotation.start))) continue;
    const first = list.findIndex((w) => w.start > quotation.start);
    if (first >= 0 && isFirstIn(list, first, quotation)) negated.push(...toPhrase(reading, first, quotation.start - 1, first, quotation));
  }
  return negated;
}

const OR = new Set(['or', 'nor']);
function endOf(found: readonly Found[] | undefined, i: number): number { return Math.max(i + 1, ...(found ?? []).map((f) => f.to)); }
function isSpaced(word: Word | undefined): boolean { return word !== undefined && /^\s+$/.test(word.gap); }
function isFirstIn(list: readonly Word[], i: number, q: Quotation): boolean { return (list[i]?.start ?? 0) > q.start && (list[i]?.end ?? Infinity) < q.end && (list[i - 1]?.end ?? 0) <= q.start; }

/** The word itself and what is glued to it ("t-shirt"). */
function toWords({ words: { list, text } }: Reading, from: number, start: number, target: number): Negated[] {
  let to = target + 1;
  while (isJoined(list, to) && /^[-'’.&+/]$/.test(list[to]?.gap ?? '')) to += 1;
  const said = text.slice(list[target]?.start, list[to - 1]?.end);
  if (said.length > MAX_WORDS_CHARS) return [];
  return [{ from, to, start, term: { kind: 'words', text: said }, label: `Not: ${said}`, rank: RANK.words, negated: true }];
}

function toPhrase({ words: { list, text } }: Reading, from: number, start: number, target: number, quotation: Quotation): Negated[] {
  let to = target;
  while (to < list.length && (list[to]?.end ?? Infinity) <= quotation.end) to += 1;
  const said = withoutQuoteMarks(text.slice(quotation.start, quotation.end)).replace(/\s+/g, ' ').trim();
  if (said.length > MAX_WORDS_CHARS) return [];
  return [{ from, to, start, end: quotation.end, term: { kind: 'words', text: said }, label: `Not: ${said}`, rank: RANK.words, negated: true }];
}
