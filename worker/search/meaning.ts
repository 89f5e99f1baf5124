// The half of a search that a model answers: what lies nearest to the words' vector, down to the cut for this query.
import type { MeaningState, SearchAnswer } from '../../protocol/search.ts';
import { spaceKey, type SearchSpace } from '../../protocol/vector.ts';
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';
import type { Env } from '../env.ts';
import { findItems } from '../store/search-hits.ts';
import type { Filter, TermOf } from '../store/search-filter.ts';
import { chooseReader } from './choose.ts';
import { cutHits, type Scored } from './cut.ts';
import { embedTexts, NULL_PROMPT } from './query-embedding.ts';
import { EngineDown, type VectorReader } from './reader.ts';

/** Candidates by meaning; where the engine cannot keep to all terms, more are asked for until enough are left. */
const CANDIDATES = [1_000, 3_000, 5_000] as const;
/** So many left after D1's filters are enough to page through. */
const ENOUGH = 300;
/** Of a text that results must not be: what lies above its own cut, at most. */
const NEGATED_CANDIDATES = 1_000;
/** A question to the engine takes so many terms; the rest are D1's, as all of them are anyway. */
const MAX_TERMS = 50;
/** An agent embeds 40 texts at once: the query, the null prompt and the negated ones. */
const MAX_NEGATED = 38;
/** The most that "More like this" shows. */
const MAX_SIMILAR = 200;

export interface MeaningHit extends Scored { assetId: number }
export interface Meaning {
  state: MeaningState; engine: SearchAnswer['engine']; embedding: SearchAnswer['embedding']; space: string | null;
  /** Best first, of which so many are shown and so many more are weaker matches. */
  hits: MeaningHit[]; shown: number; weaker: number;
  /** Assets that match a negated text. */
  unwanted: Set<number>;
}

export interface MeaningQuestion {
  /** '' where only negated texts are judged. */
  text: string; negated: readonly string[];
  terms: readonly TermOf[]; filter(first: number): Filter; nowMs: number;
}

export function noMeaning(state: MeaningState, space: string | null = null): Meaning {
  return { state, engine: 'words', embedding: null, space, hits: [], shown: 0, weaker: 0, unwanted: new Set() };
}

/** Never throws for what the agent or the engine does: `state` says why there is nothing. */
export async function findMeaning(env: Env, space: SearchSpace | null, question: MeaningQuestion): Promise<Meaning> {
  const negated = question.negated.slice(0, MAX_NEGATED);
  const texts = [...(question.text === '' ? [] : [question.text]), ...negated];
  if (texts.length === 0) return noMeaning('not_asked');
  if (!space || space.vectors === 0) return noMeaning('no_vectors');
  const key = spaceKey(space.space);
  const embedded = await embedTexts(env, space.space, [...texts, NULL_PROMPT], question.nowMs);
  if (!embedded.ok) return noMeaning(embedded.why, key);
  const ask = (text: string): Omit<VectorQuestion, 'limit' | 'terms'> => ({ space: space.space, near: { vector: embedded.vectors.get(text) ?? '' }, against: embedded.vectors.get(NULL_PROMPT) ?? null });
  return guarded(key, async () => {
    const reader = chooseReader(env, space.engine);
    const [found, ...unwanted] = await Promise.all([
      question.text === '' ? null : findNear(env, reader, { ...ask(question.text), terms: toTerms(question.terms) }, question.filter),
      ...negated.map((text) => findUnwanted(env, reader, ask(text))),
    ]);
    const cut = found ? cutHits(found.hits, found.answer) : { shown: 0, weaker: 0 };
    return { state: 'used', engine: space.engine, embedding: embedded.from, space: key, hits: found?.hits ?? [], ...cut, unwanted: new Set(unwanted.flat()) };
  });
}

/** What looks most like an asset, itself and its stack left out. */
export async function findLike(env: Env, space: SearchSpace | null, sha256: string, filter: (first: number) => Filter): Promise<Meaning> {
  if (!space || space.vectors === 0) return noMeaning('no_vectors');
  const key = spaceKey(space.space);
  return guarded(key, async () => {
    const answer = await chooseReader(env, space.engine).query({ space: space.space, near: { sha256 }, against: null, terms: [], limit: MAX_SIMILAR + 50 });
    // Mapped with the hits, so that a member's own stack is known by the one that stands for it.
    const [own, hits] = await Promise.all([findItems(env.DB, [sha256], filter), toHits(env, answer, filter)]);
    const others = hits.filter((hit) => hit.assetId !== own[0]?.assetId).slice(0, MAX_SIMILAR);
    return { state: 'used', engine: space.engine, embedding: 'asset', space: key, hits: others, shown: others.length, weaker: 0, unwanted: new Set() };
  });
}

async function guarded(key: string, work: () => Promise<Meaning>): Promise<Meaning> {
  try { return await work(); } catch (error) {
    // Whatever an engine does wrong, words and filters still answer.
    if (!(error instanceof EngineDown)) console.error('search engine:', error);
    return noMeaning('engine_down', key);
  }
}

const toTerms = (terms: readonly TermOf[]) => terms.filter(({ term }) => term.kind !== 'words').slice(0, MAX_TERMS);

async function findNear(env: Env, reader: VectorReader, question: Omit<VectorQuestion, 'limit'>, filter: (first: number) => Filter): Promise<{ answer: VectorAnswer; hits: MeaningHit[] }> {
  for (let step = 0; ; step += 1) {
    const limit = CANDIDATES[step] as number;
    const answer = await reader.query({ ...question, limit });
    const hits = await toHits(env, answer, filter);
    if (answer.applied.every(Boolean) || hits.length >= ENOUGH || answer.hits.length < limit || step === CANDIDATES.length - 1) return { answer, hits };
  }
}

/** The engine's hits as shown assets that the filter lets through, each once, best first. */
async function toHits(env: Env, answer: VectorAnswer, filter: (first: number) => Filter): Promise<MeaningHit[]> {
  const seen = new Set<number>();
  return (await findItems(env.DB, answer.hits.map((hit) => hit.sha256), filter)).flatMap(({ i, assetId }) => {
    const hit = answer.hits[i];
    if (!hit || seen.has(assetId)) return [];
    seen.add(assetId);
    return [{ assetId, score: hit.score, against: hit.against }];
  });
}

async function findUnwanted(env: Env, reader: VectorReader, question: Omit<VectorQuestion, 'limit' | 'terms'>): Promise<number[]> {
  const answer = await reader.query({ ...question, terms: [], limit: NEGATED_CANDIDATES });
  const { shown } = cutHits(answer.hits, answer);
  return (await findItems(env.DB, answer.hits.slice(0, shown).map((hit) => hit.sha256))).map((item) => item.assetId);
}
