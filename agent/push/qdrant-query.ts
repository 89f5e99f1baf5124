// Answers a search's question for a Worker that cannot reach the Qdrant itself: the agent's side of `query_vectors`.
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';
import { SEARCH_ASK_TIMEOUT_MS } from '../../protocol/limits.ts';
import { askQdrant, type QdrantOptions, readQdrantAddress } from '../../protocol/qdrant.ts';
import { openQdrant, toEngineError } from './qdrant-client.ts';

/** So that its own sentence still reaches the Worker, which waits SEARCH_ASK_TIMEOUT_MS. */
const TIMEOUT_MS = SEARCH_ASK_TIMEOUT_MS - 300;

/** Throws EngineRefused or EngineUnreachable with a sentence that a page can show. */
export async function queryQdrant(options: QdrantOptions, question: VectorQuestion): Promise<VectorAnswer> {
  try {
    const address = readQdrantAddress(options);
    return await askQdrant(question, await openQdrant(address), address, TIMEOUT_MS);
  } catch (error) {
    throw toEngineError(error);
  }
}
