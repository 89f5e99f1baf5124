// Asks a Qdrant that only the agent reaches, over the link: on the loopback of the owner's computer while the Worker is elsewhere.
import { SEARCH_ASK_TIMEOUT_MS } from '../../protocol/limits.ts';
import type { VectorQuestion } from '../../protocol/link.ts';
import { parseSpaceKey } from '../../protocol/vector.ts';
import type { Env } from '../env.ts';
import { AgentAway, AgentRefused } from '../errors.tsx';
import { askAgent } from '../link/client.ts';
import { EngineDown, type VectorReader } from './reader.ts';

/** A hash that no file has: a question for its neighbours has no hits, and still says how many vectors there are. */
const NOBODY = '0'.repeat(64);

/** An agent that is away, slow or refuses is EngineDown, with its own sentence. */
export function createLinkReader(env: Env): VectorReader {
  async function query(question: VectorQuestion) {
    try {
      return await askAgent(env, 'query_vectors', question, SEARCH_ASK_TIMEOUT_MS);
    } catch (error) {
      if (error instanceof AgentAway || error instanceof AgentRefused) throw new EngineDown(error.message);
      throw error;
    }
  }
  return {
    query,
    async count(key) {
      const space = parseSpaceKey(key);
      if (!space) throw new EngineDown('No vectors have such a name.');
      return (await query({ space, near: { sha256: NOBODY }, against: null, terms: [], limit: 1 })).looked_at;
    },
  };
}
