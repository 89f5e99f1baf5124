// Fills the Worker's embedded vector index: eight bits a component, in packs. There is nothing to set up.
import { encodeVectorPack, quantise, spaceKey } from '../../protocol/vector.ts';
import { countVectors, dropOtherVectors, pushVectorPack, removeVectors, WorkerRefused, WorkerUnreachable, type WorkerAddress } from './client.ts';
import { EngineRefused, EngineUnreachable, type VectorWriter } from './vector-writer.ts';

export function createEmbeddedWriter(worker: WorkerAddress): VectorWriter {
  return {
    engine: 'embedded',
    prepare: () => Promise.resolve(),
    write: (space, items) => (items.length === 0 ? Promise.resolve() : said(pushVectorPack(worker, encodeVectorPack(space, items.map(({ sha256, vector }) => ({ sha256, ...quantise(vector) })))))),
    remove: (space, sha256s) => (sha256s.length === 0 ? Promise.resolve() : said(removeVectors(worker, space, sha256s))),
    count: (space) => said(countVectors(worker, spaceKey(space))),
    dropOthers: (space) => said(dropOtherVectors(worker, space)),
  };
}

/** The Worker's errors in the words of engines. */
async function said<T>(call: Promise<T>): Promise<T> {
  try { return await call; } catch (error) {
    if (error instanceof WorkerUnreachable) throw new EngineUnreachable(error.message, { cause: error });
    if (error instanceof WorkerRefused) throw new EngineRefused(error.message, { cause: error });
    throw error;
  }
}
