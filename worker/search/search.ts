// One search, from the query's text to ranked hits: understand, words, meaning, cut, sort.
import type { SearchAnswer, SearchSort } from '../../protocol/search.ts';
import type { Env } from '../env.ts';
import { parseQuery } from './parse-query.ts';

export interface SearchRequest {
  text: string; sort: SearchSort;
  /** Show what the cut left out. */
  weaker: boolean;
  /** Of the ranked list. */
  offset: number; limit: number;
  nowMs: number;
}

/** Answers any text whatever; never throws for what was typed. (Stands in: parts of paths, years and videos.) */
export async function runSearch(env: Env, request: SearchRequest): Promise<SearchAnswer> {
  const parsed = parseQuery(request.text, { places: [], cameras: [], albums: [], people: [], tags: [], volumes: [], days: null }, request.nowMs, 'UTC');
  const words = parsed.rest.replaceAll('"', ' ').split(/\s+/).filter(Boolean);
  const wheres = [...words.map(() => 'EXISTS (SELECT 1 FROM locations l WHERE l.sha256 = t.sha256 AND instr(lower(l.path), lower(?)))')];
  const values: (string | number)[] = [...words];
  for (const { term } of parsed.chips) {
    if (term.kind === 'date') { wheres.push('t.day BETWEEN ? AND ?'); values.push(...(term.ranges[0] ?? [])); } else wheres.push("t.kind = 'video'");
  }
  const order = request.sort === 'oldest' ? 'ASC' : 'DESC';
  const { results } = await env.DB.prepare(`SELECT sha256 FROM timeline_items t WHERE shown = 1 AND ${wheres.slice(0, 20).join(' AND ') || '0'} ORDER BY sort_ms ${order}, asset_id ${order}`).bind(...values.slice(0, 40)).all<{ sha256: string }>();
  return {
    query: parsed.text, parsed, engine: 'words', meaning: words.length === 0 ? 'not_asked' : 'no_vectors', embedding: null, space: null, sort: request.sort,
    results: results.slice(request.offset, request.offset + request.limit).map(({ sha256 }) => ({ sha256, score: null, why: [words.length > 0 ? 'name' : 'filter'] })), literal: results.length, total: results.length, weaker: 0, took_ms: 0,
  };
}

/** The assets that look most like one. Empty where it has no vector. (Stands in: never any.) */
export async function findSimilar(_env: Env, _sha256: string, _request: Pick<SearchRequest, 'offset' | 'limit'>): Promise<SearchAnswer> {
  const parsed = { text: '', cut: false, chips: [], rest: '', phrases: [] };
  return { query: '', parsed, engine: 'words', meaning: 'no_vectors', embedding: null, space: null, sort: 'relevance', results: [], literal: 0, total: 0, weaker: 0, took_ms: 0 };
}
