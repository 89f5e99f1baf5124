// How the Worker asks for what is near: one interface, two engines (embedded.ts, qdrant.ts), one conformance suite (test/vectors/).
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';

/** The engine cannot be reached, refuses, or holds something else than it should. The message is for people. */
export class EngineDown extends Error { override name = 'EngineDown'; }

export interface VectorReader {
  /**
   * The nearest `limit` assets, best first, equal scores by hash. Terms that the engine can keep to are kept to (`applied`
   * says which), exactly; the others are the caller's, who asks for more then. `near.sha256` without a vector: no hits.
   * An asset's own vector never answers itself. Throws EngineDown.
   */
  query(question: VectorQuestion): Promise<VectorAnswer>;
  /** Vectors of a space that could answer. Throws EngineDown. */
  count(space: string): Promise<number>;
}

/** What filters ask of an asset, as the embedded index keeps it beside the vectors. Fed by worker/search/feed.ts after the resolver. */
export interface IndexColumns {
  sha256: string;
  /** yyyymmdd; 0 unknown. */
  day: number;
  /** Bits of AssetTrait (traitBit). */
  traits: number;
  favourite: boolean;
  /** Shown in searches: located somewhere and no stack's member. An asset without columns is not shown. */
  shown: boolean;
  country_code: string | null; region: string | null; city: string | null; camera: string | null;
}

/** How the embedded index looks for what is near: at every row, or at signs first (index-memory.ts). */
export type IndexTier = 'exact' | 'coarse';
/** What the embedded index says of itself. */
export interface IndexStats {
  /** Slots given to assets, and vectors of the space in memory. */
  slots: number; rows: number;
  space: string | null; tier: IndexTier | null;
  /** What the space takes in memory; what everything takes on disk. */
  bytes: number; disk_bytes: number;
  /** Reading the space into memory, as far as the clock moved: workerd's stands still between I/O. */
  load_ms: number | null;
}
