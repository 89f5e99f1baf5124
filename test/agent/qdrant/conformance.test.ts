// The suite that every vector engine must pass, on a real Qdrant: the one that QDRANT_URL (and QDRANT_API_KEY) names. Its own spaces'
// collections are made and deleted; a server that holds a library's vectors is left alone, for the suite drops what is not its own.
import { QdrantClient } from '@qdrant/js-client-rest';
import { afterAll, beforeAll, test } from 'vitest';
import { createQdrantWriter } from '../../../agent/push/qdrant-writer.ts';
import { queryQdrant } from '../../../agent/push/qdrant-query.ts';
import { isOurCollection, readQdrantAddress } from '../../../protocol/qdrant.ts';
import type { FilterTerm } from '../../../protocol/search.ts';
import { createQdrantReader } from '../../../worker/search/qdrant.ts';
import { describeVectorEngine, type OpenedEngine } from '../../vectors/conformance.ts';

const url = process.env['QDRANT_URL'] ?? '';
const options = { url, apiKey: process.env['QDRANT_API_KEY'] };
/** This file's own check that a collection is one of the suite's: a space of model `conformance`. */
const MADE_BY_SUITE = 'conformance';

/** Names of collections of ours, and whether the suite made them. */
async function listOurs(): Promise<{ name: string; suite: boolean }[]> {
  const client = new QdrantClient(readQdrantAddress(options).client);
  const { collections } = await client.getCollections();
  return Promise.all(collections.filter((c) => isOurCollection(c.name)).map(async ({ name }) => ({
    name, suite: String((await client.getCollection(name)).config.metadata?.['jharokha_space'] ?? '').includes(`/${MADE_BY_SUITE}@`),
  })));
}

async function clear(): Promise<void> {
  const ours = await listOurs();
  const foreign = ours.filter((c) => !c.suite);
  if (foreign.length > 0) throw new Error(`The Qdrant that QDRANT_URL names holds a library's vectors (${foreign.map((c) => c.name).join(', ')}): give the suite an empty one.`);
  const client = new QdrantClient(readQdrantAddress(options).client);
  for (const { name } of ours) await client.deleteCollection(name);
}

const keeps = (term: FilterTerm) => term.kind === 'camera' || (term.kind === 'type' && (term.type === 'video' || term.type === 'photo'));

function openWith(query: OpenedEngine['reader']['query'] | undefined): () => Promise<OpenedEngine> {
  return async () => {
    await clear();
    const writer = createQdrantWriter(options);
    const reader = createQdrantReader(options);
    const prepared = new Set<string>();
    return {
      async put(space, items) {
        if (!prepared.has(space.revision)) { await writer.prepare(space); prepared.add(space.revision); }
        await writer.write(space, items);
      },
      remove: writer.remove, dropOthers: writer.dropOthers, keeps,
      reader: query ? { query, count: reader.count } : reader,
      close: clear,
    };
  };
}

if (url === '') {
  test.skip('vector engine: qdrant (skipped: QDRANT_URL names no server)', () => {});
} else {
  beforeAll(clear);
  afterAll(clear);
  describeVectorEngine('qdrant', openWith(undefined));
  describeVectorEngine('qdrant, asked by the agent', openWith((question) => queryQdrant(options, question)));
}
