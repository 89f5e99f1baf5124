// Which engine answers. (Stands in until the engines are there: a Qdrant behind the agent alone is asked.)
import type { VectorEngine } from '../../protocol/vector.ts';
import type { Env } from '../env.ts';
import { askAgent } from '../link/client.ts';
import { EngineDown, type VectorReader } from './reader.ts';

export function chooseReader(env: Env, engine: VectorEngine): VectorReader {
  if (engine !== 'qdrant_link') throw new EngineDown('There is no such engine yet.');
  return {
    query: async (question) => {
      try { return await askAgent(env, 'query_vectors', question, 1_500); } catch (error) { throw new EngineDown(error instanceof Error ? error.message : 'unknown'); }
    },
    count: async () => 0,
  };
}
