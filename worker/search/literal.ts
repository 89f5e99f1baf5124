// The literal half of a search: what is written of an asset. The query's text becomes words that FTS5 cannot take for
// operators; all of them must be there, the last one perhaps unfinished. Ranked by bm25, names before folders.
import type { ParsedQuery, SearchSort, Why } from '../../protocol/search.ts';
import { DOC_FIELDS, type DocField } from '../store/search-docs.ts';
import { phraseOf, quote, TRIGRAM_CHARS, type Filter } from '../store/search-filter.ts';
import { foldText, splitWords } from '../store/search-text.ts';

/** Candidates that are ranked and paged; who has more finds them by another word. */
export const MAX_LITERAL = 10_000;
/** FTS5 takes expressions 256 deep; nobody means the fortieth word literally. */
const MAX_WORDS = 40;
/** A part of a file's name made of letters alone: shorter ones are in half of all words ("red" in "hundred"). */
const MIN_LETTERS = 4;
/**
 * How much a word counts by where it is written, in the order of DOC_FIELDS. Small numbers: bm25 saturates, and takes 10 and
 * 8 for the same.
 */
const WEIGHTS = { names: 1.5, folders: 0.3, place: 1.5, description: 1, albums: 2, people: 4, tags: 1.5, camera: 0.4 } as const satisfies Record<DocField, number>;
/** Small words that say nothing by themselves: not asked for where others are. */
const SMALL = new Set(['a', 'an', 'the', 'of', 'in', 'on', 'at', 'to', 'and', 'or', 'with', 'from', 'for', 'by', 'my', 'our', 'me', 'der', 'die', 'das', 'und', 'mit', 'im', 'am', 'le', 'la', 'les', 'de', 'du', 'des', 'et', 'el', 'los', 'y', 'il', 'di']);

export interface WordQuery {
  /** For search_words; null where nothing can be asked. */
  match: string | null;
  /** For search_names: the text as a part of a name. */
  part: string | null;
  /** For the fields in which a hit is written: folded words, the last one a beginning. */
  words: string[]; unfinished: boolean;
}

/** `rest` of a query as FTS5 text. Any text gives a query that FTS5 takes, or none. */
export function toWordQuery(rest: string, phrases: readonly string[]): WordQuery {
  const quoted = phrases.map(phraseOf).filter((phrase) => phrase !== null);
  let loose = rest;
  for (const phrase of phrases) loose = loose.replace(phrase, ' ');
  loose = loose.replace(/["“”„«»]/g, ' ');
  // One written word may be several of the tokenizer's (IMG_1234, 京都): then they stand one after the other.
  const written = foldTextWords(loose);
  const strong = written.filter((words) => words.length > 1 || !SMALL.has(words[0] ?? ''));
  const asked = (strong.length > 0 || quoted.length > 0 ? strong : written).slice(0, MAX_WORDS);
  const last = asked.at(-1)?.at(-1) ?? '';
  // One character begins half of all words; and a character of an unspaced script is a word already.
  const unfinished = asked.length > 0 && asked.at(-1) === written.at(-1) && [...last].length > 1;
  const terms = [...quoted, ...asked.map((words, i) => `${quote(words.join(' '))}${unfinished && i === asked.length - 1 ? ' *' : ''}`)].slice(0, MAX_WORDS);
  const whole = foldText(loose);
  const enough = [...whole].length >= (/^[\p{L}\p{M}\s]*$/u.test(whole) ? MIN_LETTERS : TRIGRAM_CHARS);
  return {
    match: terms.length > 0 ? terms.join(' AND ') : null, part: enough && quoted.length === 0 ? quote(whole) : null,
    words: [...phrases.flatMap((phrase) => splitWords(foldText(phrase))), ...asked.flat()], unfinished,
  };
}

/** The words of each written word. */
function foldTextWords(text: string): string[][] {
  return text.split(/\s+/).map((word) => splitWords(foldText(word))).filter((words) => words.length > 0);
}

/** What every hit must have written in it, whoever found it: the quoted words. Null where none are. */
export function phrasesMatch(parsed: Pick<ParsedQuery, 'phrases'>): string | null {
  const quoted = parsed.phrases.map(phraseOf).filter((phrase) => phrase !== null);
  return quoted.length > 0 ? quoted.slice(0, MAX_WORDS).join(' AND ') : null;
}

// A name that only holds the text comes after words that are it. Materialised: bm25 is known while FTS5 itself is read, and
// nowhere else.
const FOUND = `f AS MATERIALIZED (SELECT rowid AS asset_id, bm25(search_words, ${DOC_FIELDS.map((f) => WEIGHTS[f]).join(', ')}) AS rank FROM search_words WHERE search_words MATCH ?1)`;
const PARTS = 'p AS MATERIALIZED (SELECT rowid AS asset_id, 0 AS rank FROM search_names WHERE search_names MATCH ?2)';
// A share of the best rank (all are negative), rounded so that equals come newest first.
const ORDER: Record<SearchSort, string> = { relevance: 'round(k.rank / (SELECT min(rank) FROM f), 2) DESC, t.sort_ms DESC, t.asset_id DESC', newest: 't.sort_ms DESC, t.asset_id DESC', oldest: 't.sort_ms, t.asset_id' };

/** The keys of assets in which the words are written and for which the filter (numbered from ?4) holds, best first. */
export async function findWords(db: D1Database, query: WordQuery, filter: Filter, sort: SearchSort = 'relevance'): Promise<number[]> {
  const sources = [...(query.match === null ? [] : [['f', FOUND] as const]), ...(query.part === null ? [] : [['p', PARTS] as const])];
  if (sources.length === 0) return [];
  const keys = await db.prepare(`WITH ${sources.map(([, sql]) => sql).join(', ')}
    SELECT json_group_array(asset_id) AS keys FROM (
      SELECT t.asset_id FROM (SELECT asset_id, min(rank) AS rank FROM (${sources.map(([name]) => `SELECT * FROM ${name}`).join(' UNION ALL ')}) WHERE ?1 IS NOT NULL AND ?2 IS NOT NULL GROUP BY asset_id) k
      CROSS JOIN timeline_items t ON t.asset_id = k.asset_id WHERE ${filter.sql} ORDER BY ${ORDER[sort === 'relevance' && query.match === null ? 'newest' : sort]} LIMIT ?3)`)
    .bind(query.match ?? '', query.part ?? '', MAX_LITERAL, ...filter.binds).first<string>('keys');
  return JSON.parse(keys ?? '[]') as number[];
}

/** Which word each field is called, best first. */
const WHY: readonly [DocField, Why][] = [['people', 'person'], ['names', 'name'], ['albums', 'album'], ['place', 'place'], ['description', 'description'], ['tags', 'tag'], ['camera', 'camera'], ['folders', 'folder']];

/** The fields of a document in which words of the query are written, those with most of them first. */
export function whyWords(doc: Record<DocField, string>, query: WordQuery): Why[] {
  const part = query.part === null ? '' : query.part.slice(1, -1).replaceAll('""', '"');
  const found = WHY.map(([field, why], i) => {
    const words = splitWords(doc[field]);
    const all = new Set(words);
    const last = query.words.length - 1;
    const hits = query.words.filter((word, n) => all.has(word) || (query.unfinished && n === last && words.some((w) => w.startsWith(word)))).length;
    return { why, i, hits: hits || (field === 'names' && part !== '' && doc.names.includes(part) ? 1 : 0) };
  });
  const fields = found.filter((f) => f.hits > 0).sort((a, b) => b.hits - a.hits || a.i - b.i).map((f) => f.why);
  // Where the tokenizer found more than we do, the name is what most searches are found by.
  return fields.length > 0 ? fields : ['name'];
}
