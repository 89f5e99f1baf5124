// Fills a Qdrant: a collection for each space, a point for each hash. The catalog keeps every vector, so nothing here is the only copy.
import * as z from 'zod';
import {
  type CallInit, isOurCollection, MAX_QDRANT_HITS, MAX_QDRANT_POINTS, qdrantCollection, QdrantCount, QdrantError, qdrantNumbers, type QdrantOptions, qdrantPointId,
  type QdrantAddress, readQdrantAddress, unlessMissing,
} from '../../protocol/qdrant.ts';
import { spaceKey, type VectorSpace } from '../../protocol/vector.ts';
import { call, type QdrantApi, toEngineError } from './qdrant-client.ts';
import type { VectorItem, VectorWriter } from './vector-writer.ts';

/** Points of one upsert: 256 of 768 numbers are 2 MB of JSON. */
const UPSERT_POINTS = 256;
/** How long a call may take. A write waits until its points are in the collection, which a busy disk delays. */
const TIMEOUTS = { callMs: 10_000, writeMs: 30_000 };
/** Facts that never change with a hash: a filter over them is exact, and no curation ever has to be written here. */
const INDEXED = ['kind', 'camera'] as const;
/** Under this name the collection's metadata says which space it is (Qdrant 1.16 and later keep it; others pass it over). */
const SPACE = 'jharokha_space';

const Made = z.boolean();
/** `acknowledged` is kept in Qdrant's log, and that is enough for all but the last. */
const Updated = z.object({ status: z.enum(['acknowledged', 'completed', 'wait_timeout']) });
const Collection = z.object({
  config: z.object({
    params: z.object({ vectors: z.object({ size: z.int(), distance: z.string() }).or(z.record(z.string(), z.unknown())).nullish() }),
    metadata: z.record(z.string(), z.unknown()).nullish(),
  }),
  payload_schema: z.record(z.string(), z.unknown()),
});
const Collections = z.object({ collections: z.array(z.object({ name: z.string() })) });

/** Never throws: an address or a key that cannot be used is refused by each call. `timeouts` for tests. */
export function createQdrantWriter(options: QdrantOptions, timeouts = TIMEOUTS): VectorWriter {
  let address: QdrantAddress | undefined, unusable: unknown;
  try { address = readQdrantAddress(options); } catch (error) { unusable = error; }

  async function ask<T>(timeoutMs: number, result: z.ZodType<T>, make: (api: QdrantApi, init: CallInit) => Promise<{ data: unknown }>): Promise<T> {
    if (!address) throw unusable;
    return call(address, timeoutMs, result, make);
  }

  const refuse = (why: string) => new QdrantError('refused', `The Qdrant at ${address?.href} ${why}`);

  async function prepare(space: VectorSpace): Promise<void> {
    const collection_name = await qdrantCollection(spaceKey(space));
    let found = await read(collection_name);
    if (!found) {
      await create(collection_name, space);
      found = await read(collection_name);
      if (!found) throw new QdrantError('unreachable', `The Qdrant at ${address?.href} lost its collection ${collection_name} as it was made.`);
    }
    check(collection_name, found, space);
    // Before the first point: an index that is there as the graph is built makes filtered searches exact and quick.
    for (const field_name of INDEXED) {
      if (!(field_name in found.payload_schema)) await ask(timeouts.writeMs, Updated, (api, init) => api.createFieldIndex({ collection_name, wait: true, field_name, field_schema: 'keyword' }, init));
    }
  }

  function read(collection_name: string): Promise<z.infer<typeof Collection> | undefined> {
    return ask(timeouts.callMs, Collection, (api, init) => api.getCollection({ collection_name }, init)).catch(unlessMissing(undefined));
  }

  async function create(collection_name: string, space: VectorSpace): Promise<void> {
    try {
      await ask(timeouts.writeMs, Made, (api, init) => api.createCollection({
        collection_name,
        // Floats on disk, eight bits of each in memory: a quarter of the room, and what is found is scored by the floats.
        vectors: { size: space.dimension, distance: 'Cosine', on_disk: true },
        // A few numbers of a vector are far larger than all others: cut off, they leave the rest their steps.
        quantization_config: { scalar: { type: 'int8', quantile: 0.99, always_ram: true } },
        on_disk_payload: true,
        strict_mode_config: { enabled: true, unindexed_filtering_retrieve: false, unindexed_filtering_update: false, max_query_limit: MAX_QDRANT_HITS, upsert_max_batchsize: MAX_QDRANT_POINTS },
        metadata: { [SPACE]: spaceKey(space) },
      }, init));
    } catch (error) {
      // Two who make it at once: the other's will do, if it is the same.
      if (!(error instanceof QdrantError) || error.trouble !== 'refused' || !(await read(collection_name))) throw error;
    }
  }

  function check(name: string, { config }: z.infer<typeof Collection>, space: VectorSpace): void {
    const { vectors } = config.params;
    const said = config.metadata?.[SPACE];
    const hint = 'Delete that collection, and it is made and filled again.';
    if (vectors?.['size'] !== space.dimension) throw refuse(`keeps vectors of ${String(vectors?.['size'] ?? 'another kind')} in ${name}, where this model's have ${space.dimension} numbers. ${hint}`);
    if (vectors['distance'] !== 'Cosine') throw refuse(`compares by ${String(vectors['distance'])} in ${name}, not by cosine. ${hint}`);
    if (said !== undefined && said !== spaceKey(space)) throw refuse(`keeps another model's vectors in ${name}. ${hint}`);
  }

  async function upsert(collection_name: string, items: readonly VectorItem[], wait: boolean): Promise<void> {
    const points = items.map(({ sha256, vector, kind, camera }) => ({ id: qdrantPointId(sha256), vector: qdrantNumbers(vector), payload: { sha256, kind, ...(camera !== null && { camera }) } }));
    const { status } = await ask(timeouts.writeMs, Updated, (api, init) => api.upsertPoints({ collection_name, wait, points }, init));
    if (wait && status !== 'completed') throw new QdrantError('unreachable', `The Qdrant at ${address?.href} took vectors and did not write them in time.`);
  }

  async function write(space: VectorSpace, items: readonly VectorItem[]): Promise<void> {
    const wrong = items.find(({ vector }) => vector.length !== space.dimension);
    if (wrong) throw new QdrantError('refused', `The vector of ${wrong.sha256} has ${wrong.vector.length} numbers, where its model's have ${space.dimension}.`);
    const collection_name = await qdrantCollection(spaceKey(space));
    try {
      // Qdrant applies them in order: when the last is written, all are.
      for (let at = 0; at < items.length; at += UPSERT_POINTS) await upsert(collection_name, items.slice(at, at + UPSERT_POINTS), at + UPSERT_POINTS >= items.length);
    } catch (error) {
      if (!(error instanceof QdrantError) || error.trouble !== 'missing') throw error;
      await prepare(space);
      throw new QdrantError('unreachable', `The Qdrant at ${address?.href} had lost its collection ${collection_name}; it was made again, and is to be filled again.`);
    }
  }

  async function remove(space: VectorSpace, sha256s: readonly string[]): Promise<void> {
    if (sha256s.length === 0) return;
    const collection_name = await qdrantCollection(spaceKey(space));
    for (let at = 0; at < sha256s.length; at += MAX_QDRANT_POINTS) {
      const points = sha256s.slice(at, at + MAX_QDRANT_POINTS).map(qdrantPointId);
      await ask(timeouts.writeMs, Updated, (api, init) => api.deletePoints({ collection_name, wait: true, points }, init)).catch(unlessMissing(undefined));
    }
  }

  async function count(space: VectorSpace): Promise<number> {
    const collection_name = await qdrantCollection(spaceKey(space));
    return (await ask(timeouts.callMs, QdrantCount, (api, init) => api.countPoints({ collection_name, exact: true }, init)).catch(unlessMissing({ count: 0 }))).count;
  }

  async function dropOthers(space: VectorSpace): Promise<void> {
    const current = await qdrantCollection(spaceKey(space));
    const { collections } = await ask(timeouts.callMs, Collections, (api, init) => api.getCollections({}, init));
    for (const { name } of collections) {
      if (name !== current && isOurCollection(name)) await ask(timeouts.writeMs, Made, (api, init) => api.deleteCollection({ collection_name: name }, init)).catch(unlessMissing(false));
    }
  }

  return {
    engine: address?.href ?? 'qdrant',
    prepare: (space) => inWords(prepare(space)),
    write: (space, items) => inWords(write(space, items)),
    remove: (space, sha256s) => inWords(remove(space, sha256s)),
    count: (space) => inWords(count(space)),
    dropOthers: (space) => inWords(dropOthers(space)),
  };
}

function inWords<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => { throw toEngineError(error); });
}
