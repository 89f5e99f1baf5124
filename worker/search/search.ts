// One search, from the query's text to ranked hits: understand, words, meaning, cut, sort. Archived assets are found like
// others; a stack is found as its primary.
import type { ParsedQuery, SearchAnswer, SearchHit, SearchSort, Why } from '../../protocol/search.ts';
import type { Env } from '../env.ts';
import { readSearchState, type SearchState } from '../store/query-embeddings.ts';
import { buildFilter, type Filter, type TermOf } from '../store/search-filter.ts';
import { findFiltered, pageByTime, readPage } from '../store/search-hits.ts';
import { readNames } from '../store/vocabulary.ts';
import { FEED_BEFORE_SEARCH_MS, feedSearch } from './feed.ts';
import { findLike, findMeaning, type Meaning } from './meaning.ts';
import { parseQuery } from './parse-query.ts';
import { findWords, MAX_LITERAL, phrasesMatch, toWordQuery, whyWords, type WordQuery } from './literal.ts';

export interface SearchRequest {
  text: string; sort: SearchSort;
  /** Show what the cut left out. */
  weaker: boolean;
  /** Of the ranked list. */
  offset: number; limit: number;
  nowMs: number;
}

/** Answers any text whatever; never throws for what was typed. */
export async function runSearch(env: Env, request: SearchRequest): Promise<SearchAnswer> {
  const started = Date.now();
  const [{ homeZone, space }, names] = await Promise.all([begin(env), readNames(env.DB)]);
  const parsed = parseQuery(request.text.toWellFormed().replaceAll('\0', ' '), names, request.nowMs, homeZone ?? 'UTC');
  const terms: TermOf[] = parsed.chips.map(({ term, negated }) => ({ term, negated }));
  const negated = terms.flatMap((t) => (t.term.kind === 'words' && t.negated ? [t.term.text] : []));
  const words = toWordQuery(parsed.rest, parsed.phrases);
  const text = meaningText(parsed);
  const filter = (first: number) => withPhrases(buildFilter(terms, first), parsed, first);
  // Quotes around nothing ask for nothing.
  const asksWords = words.match !== null || words.part !== null || text !== '';

  const [literal, meaning] = await Promise.all([
    asksWords ? findWords(env.DB, words, buildFilter(terms, 4), request.sort) : terms.length > 0 ? findFiltered(env.DB, filter, request.sort === 'oldest' ? 'oldest' : 'newest', MAX_LITERAL) : [],
    findMeaning(env, space, { text, negated, terms, filter, nowMs: request.nowMs }),
  ]);
  return answer(env, request, started, parsed, literal, meaning, asksWords ? words : null);
}

/** The assets that look most like one. Empty where it has no vector. */
export async function findSimilar(env: Env, sha256: string, request: Pick<SearchRequest, 'offset' | 'limit'>): Promise<SearchAnswer> {
  const started = Date.now();
  const { space } = await begin(env);
  const parsed: ParsedQuery = { text: '', cut: false, chips: [], rest: '', phrases: [] };
  return answer(env, { ...request, sort: 'relevance', weaker: false }, started, parsed, [], await findLike(env, space, sha256, (first) => buildFilter([], first)), null);
}

/** A search right after indexing finds what came; where more is due than fits, what there is. */
async function begin(env: Env): Promise<SearchState> {
  const state = await readSearchState(env.DB);
  if (state.due) await feedSearch(env, { budgetMs: FEED_BEFORE_SEARCH_MS });
  return state;
}

/** What the model is asked: the rest without its quoted parts, for those are meant literally. */
function meaningText(parsed: ParsedQuery): string {
  let text = parsed.rest;
  for (const phrase of parsed.phrases) text = text.replace(phrase, ' ');
  return text.replace(/["“”„«»]/g, ' ').replace(/\s+/g, ' ').trim();
}

/** Quoted words must be written somewhere, whoever found the asset. */
function withPhrases(filter: Filter, parsed: ParsedQuery, first: number): Filter {
  const phrases = phrasesMatch(parsed);
  if (phrases === null) return filter;
  return { sql: `${filter.sql} AND t.asset_id IN (SELECT rowid FROM search_words WHERE search_words MATCH ?${first + filter.binds.length})`, binds: [...filter.binds, phrases] };
}

async function answer(env: Env, request: Pick<SearchRequest, 'sort' | 'weaker' | 'offset' | 'limit'>, started: number, parsed: ParsedQuery, found: readonly number[], meaning: Meaning, words: WordQuery | null): Promise<SearchAnswer> {
  const literal = meaning.unwanted.size === 0 ? found : found.filter((id) => !meaning.unwanted.has(id));
  const isLiteral = new Set(literal);
  const others = meaning.hits.map((hit) => hit.assetId);
  const isNew = (id: number) => !isLiteral.has(id) && !meaning.unwanted.has(id);
  const shown = others.slice(0, meaning.shown).filter(isNew);
  const weaker = others.slice(meaning.shown, meaning.shown + meaning.weaker).filter(isNew);
  const ranked = [...literal, ...shown, ...(request.weaker ? weaker : [])];
  const page = request.sort === 'relevance' ? ranked.slice(request.offset, request.offset + request.limit) : await pageByTime(env.DB, ranked, request.sort, request.offset, request.limit);

  const scores = new Map(meaning.hits.map((hit) => [hit.assetId, hit.score]));
  const close = new Set(others.slice(0, meaning.shown));
  const results = (await readPage(env.DB, page)).map((row): SearchHit => {
    const literally = isLiteral.has(row.asset_id);
    const why: Why[] = literally ? (words ? whyWords(row, words) : ['filter']) : [];
    if (!literally || close.has(row.asset_id)) why.push('meaning');
    return { sha256: row.sha256, score: scores.get(row.asset_id) ?? null, why };
  });
  return {
    query: parsed.text, parsed, engine: meaning.engine, meaning: meaning.state, embedding: meaning.embedding, space: meaning.space,
    sort: request.sort, results, literal: literal.length, total: ranked.length, weaker: request.weaker ? 0 : weaker.length, took_ms: Date.now() - started,
  };
}
