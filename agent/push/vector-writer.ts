// How the agent fills a vector engine: one interface, two engines, one conformance suite (test/vectors/).
import type { VectorSpace } from '../../protocol/vector.ts';
import type { AssetKind } from '../../protocol/words.ts';

/** The engine refuses for good (wrong key, a collection of another dimension): trying again is useless. The message is for people. */
export class EngineRefused extends Error { override name = 'EngineRefused'; }
/** The engine cannot be reached now: worth trying again. */
export class EngineUnreachable extends Error { override name = 'EngineUnreachable'; }

/** `vector` has length 1 and the space's dimension. `kind` and `camera` never change with a hash. */
export interface VectorItem { sha256: string; vector: Float32Array; kind: AssetKind; camera: string | null }

export interface VectorWriter {
  /** 'embedded', or a Qdrant's address: another one is filled anew. */
  readonly engine: string;
  /** Makes what the space needs (a collection, indexes). Idempotent; called before the first write and after trouble. */
  prepare(space: VectorSpace): Promise<void>;
  /** Kept for good when it resolves; the same hash again replaces. At most 500 items. */
  write(space: VectorSpace, items: readonly VectorItem[]): Promise<void>;
  remove(space: VectorSpace, sha256s: readonly string[]): Promise<void>;
  /** How many vectors of the space the engine has. A number below what was written means that it was emptied: then it is filled again. */
  count(space: VectorSpace): Promise<number>;
  /** Drops every other space: called once this one answers. */
  dropOthers(space: VectorSpace): Promise<void>;
}
