// One search, from the query's text to ranked hits: understand, words, meaning, cut, sort.
import { MAX_QUERY_CHARS, type SearchAnswer, type SearchSort } from '../../protocol/search.ts';
import type { Env } from '../env.ts';

export interface SearchRequest {
  text: string; sort: SearchSort;
  /** Show what the cut left out. */
  weaker: boolean;
  /** Of the ranked list. */
  offset: number; limit: number;
  nowMs: number;
}

/** Answers any text whatever; never throws for what was typed. */
export async function runSearch(_env: Env, request: SearchRequest): Promise<SearchAnswer> {
  const text = request.text.slice(0, MAX_QUERY_CHARS);
  return {
    query: text, parsed: { text, cut: text.length < request.text.length, chips: [], rest: text, phrases: [] }, engine: 'words', meaning: 'no_vectors', embedding: null, space: null,
    sort: request.sort, results: [], literal: 0, total: 0, weaker: 0, took_ms: 0,
  };
}

/** The assets that look most like one. Empty where it has no vector. */
export async function findSimilar(_env: Env, _sha256: string, request: Pick<SearchRequest, 'offset' | 'limit'>): Promise<SearchAnswer> {
  return runSearch(_env, { text: '', sort: 'relevance', weaker: false, nowMs: 0, ...request });
}
