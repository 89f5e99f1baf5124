// The embedded engine as the Worker asks and feeds it: one Durable Object holds all vectors of the library.
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';
import { spaceKey, type VectorSpace } from '../../protocol/vector.ts';
import type { Env } from '../env.ts';
import { BadRequest } from '../errors.tsx';
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

/** The agent's pack, as it came; on disk when it resolves. Throws BadRequest with a sentence for what is none. */
export async function putVectors(env: Env, pack: Uint8Array): Promise<{ stored: number }> {
  return accepted(await openIndex(env).put(pack));
}

export async function removeVectors(env: Env, space: VectorSpace, sha256s: readonly string[]): Promise<{ removed: number }> {
  return accepted(await openIndex(env).remove(spaceKey(space), [...sha256s]));
}

/** Vectors of a space, shown or not. */
export async function countVectors(env: Env, space: string): Promise<number> {
  return openIndex(env).count(space);
}

export async function dropOtherVectors(env: Env, space: VectorSpace): Promise<{ dropped: number }> {
  return accepted(await openIndex(env).dropOthers(spaceKey(space)));
}

export function createEmbeddedReader(env: Env): VectorReader {
  return {
    query: (question: VectorQuestion): Promise<VectorAnswer> => asking(async () => unwrap(await openIndex(env).query(question))),
    count: (space: string): Promise<number> => asking(() => openIndex(env).count(space)),
  };
}

function accepted<T>(told: Told<T>): T {
  if (told.ok) return told.value;
  throw new BadRequest(told.message);
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
