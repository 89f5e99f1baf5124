// Which engine answers a search: the one that the agent said it filled, by the shortest way to it.
import type { VectorEngine } from '../../protocol/vector.ts';
import type { Env } from '../env.ts';
import { createEmbeddedReader } from './embedded.ts';
import { createLinkReader } from './link-reader.ts';
import { createQdrantReader } from './qdrant.ts';
import type { VectorReader } from './reader.ts';

/**
 * `engine`: who has the space's vectors (`PUT /sync/search-space`). A Qdrant is asked directly where this Worker is bound to one,
 * else through the agent. A binding alone decides nothing: until the agent has filled the Qdrant, the embedded index answers.
 */
export function chooseReader(env: Env, engine: VectorEngine): VectorReader {
  if (engine === 'embedded') return createEmbeddedReader(env);
  return env.QDRANT_URL ? createQdrantReader({ url: env.QDRANT_URL, apiKey: env.QDRANT_API_KEY }) : createLinkReader(env);
}
