// The vectors of a query's words: kept ones from D1, others from the agent, which are then kept for good.
import { SEARCH_ASK_TIMEOUT_MS } from '../../protocol/limits.ts';
import type { MeaningState } from '../../protocol/search.ts';
import { queryTextKey, spaceKey, textToVector, type VectorSpace } from '../../protocol/vector.ts';
import type { Env } from '../env.ts';
import { AgentAway, AgentRefused } from '../errors.tsx';
import { askAgent } from '../link/client.ts';
import { findEmbeddings, keepEmbeddings } from '../store/query-embeddings.ts';

/** What every picture matches about equally: its score beside the query's tells a match from a picture. */
export const NULL_PROMPT = 'a photo';
/** After a time-out nobody waits again for so long: who types would wait at each key. */
const SLOW_MEMORY_MS = 5_000;

/** A timer may end a little early. */
const TIMER_SLACK_MS = 50;

/** Until when the agent is taken to be slow, in this isolate. */
let slowUntilMs = 0;

export type Embedded =
  /** Vectors (as text) by the text that was asked for. */
  | { ok: true; vectors: Map<string, string>; from: 'kept' | 'agent' }
  | { ok: false; why: Extract<MeaningState, 'agent_away' | 'no_model' | 'slow'> };

/** The vectors of all of these texts, or why not. `from` speaks of the first one. Never throws for what the agent does. */
export async function embedTexts(env: Env, space: VectorSpace, texts: readonly string[], nowMs: number): Promise<Embedded> {
  const key = spaceKey(space);
  const keys = texts.map(queryTextKey);
  const vectors = await findEmbeddings(env.DB, key, keys, nowMs);
  const missing = [...new Set(keys)].filter((text) => !isVector(vectors.get(text), space));
  if (missing.length > 0) {
    if (nowMs < slowUntilMs) return { ok: false, why: 'slow' };
    const asked = Date.now();
    let answer: { vectors: string[] };
    try { answer = await askAgent(env, 'embed_query', { space: key, texts: missing }, SEARCH_ASK_TIMEOUT_MS); } catch (error) {
      if (error instanceof AgentRefused) return { ok: false, why: 'no_model' };
      if (!(error instanceof AgentAway)) throw error;
      // The link says the same of an agent that is not there and of one that does not answer; only the clock tells them apart.
      if (Date.now() - asked < SEARCH_ASK_TIMEOUT_MS - TIMER_SLACK_MS) return { ok: false, why: 'agent_away' };
      slowUntilMs = Date.now() + SLOW_MEMORY_MS;
      return { ok: false, why: 'slow' };
    }
    const made = missing.map((text, i) => ({ text, vector: answer.vectors[i] ?? '' }));
    if (made.some((item) => !isVector(item.vector, space))) return { ok: false, why: 'no_model' };
    await keepEmbeddings(env.DB, key, made, false, nowMs);
    for (const item of made) vectors.set(item.text, item.vector);
  }
  const byText = new Map(texts.map((text, i) => [text, vectors.get(keys[i] ?? '') ?? '']));
  return { ok: true, vectors: byText, from: missing.includes(keys[0] ?? '') ? 'agent' : 'kept' };
}

const isVector = (text: string | undefined, space: VectorSpace) => text !== undefined && textToVector(text, space.dimension) !== undefined;
