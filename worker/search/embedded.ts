// The embedded engine as the Worker asks and feeds it: one Durable Object holds all vectors of the library.
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';
import type { Env } from '../env.ts';
import { EngineDown, type IndexColumns, type VectorReader } from './reader.ts';
import type { VectorIndex, Told } from './vector-index.ts';

/** The one VectorIndex of this library. */
export function openIndex(env: Env): DurableObjectStub<VectorIndex> {
  return env.VECTORS.get(env.VECTORS.idFromName('library'));
}

/** What filters ask of these assets, from now on: whole rows, replacing. Before or after their vectors. */
export async function setIndexColumns(env: Env, rows: readonly IndexColumns[]): Promise<void> {
  if (rows.length > 0) unwrap(await openIndex(env).setColumns([...rows]));
}

/** These assets are in no search any more. Unknown ones do not matter. */
export async function removeIndexColumns(env: Env, sha256s: readonly string[]): Promise<void> {
  if (sha256s.length > 0) unwrap(await openIndex(env).removeColumns([...sha256s]));
}

export function createEmbeddedReader(env: Env): VectorReader {
  return {
    query: (question: VectorQuestion): Promise<VectorAnswer> => asking(async () => unwrap(await openIndex(env).query(question))),
    count: (space: string): Promise<number> => asking(() => openIndex(env).count(space)),
  };
}

/** Errors cross the object's border without their class: a refusal is a value with a sentence. */
function unwrap<T>(told: Told<T>): T {
  if (told.ok) return told.value;
  throw new EngineDown(told.message);
}

async function asking<T>(work: () => Promise<T>): Promise<T> {
  try { return await work(); } catch (error) {
    if (error instanceof EngineDown) throw error;
    console.warn('the vector index did not answer:', error);
    throw new EngineDown('The vector index did not answer. The log of the Worker says more.');
  }
}
