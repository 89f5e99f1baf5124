// Asks a Qdrant that this Worker reaches by itself (QDRANT_URL). The client's browser build is what is bundled: it needs fetch alone.
import { QdrantClient } from '@qdrant/js-client-rest';
import { SEARCH_ASK_TIMEOUT_MS } from '../../protocol/limits.ts';
import { askQdrant, callQdrant, type QdrantAddress, qdrantCollection, QdrantCount, QdrantError, type QdrantOptions, readQdrantAddress, unlessMissing } from '../../protocol/qdrant.ts';
import { EngineDown, type VectorReader } from './reader.ts';

/** Nothing is asked before the first question; an address or a key that cannot be used is EngineDown then. */
export function createQdrantReader(options: QdrantOptions): VectorReader {
  async function ask<T>(work: (api: ReturnType<QdrantClient['api']>, address: QdrantAddress) => Promise<T>): Promise<T> {
    try {
      const address = readQdrantAddress(options);
      return await work(new QdrantClient(address.client).api(), address);
    } catch (error) {
      throw error instanceof QdrantError ? new EngineDown(error.message) : error;
    }
  }
  return {
    query: (question) => ask((api, address) => askQdrant(question, api, address, SEARCH_ASK_TIMEOUT_MS)),
    count: (space) => ask(async (api, address) => {
      const collection_name = await qdrantCollection(space);
      return (await callQdrant(address, AbortSignal.timeout(SEARCH_ASK_TIMEOUT_MS), QdrantCount, (init) => api.countPoints({ collection_name, exact: true }, init)).catch(unlessMissing({ count: 0 }))).count;
    }),
  };
}
