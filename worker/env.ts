// The Worker's bindings. Nothing else in worker/ reads them untyped.
import type { AgentLink } from './link/agent-link.ts';
import type { Transfers } from './link/transfers.ts';
import type { VectorIndex } from './search/vector-index.ts';

export interface Env {
  DB: D1Database;
  RENDITIONS: R2Bucket;
  LINK: DurableObjectNamespace<AgentLink>;
  VECTORS: DurableObjectNamespace<VectorIndex>;
  TRANSFERS: DurableObjectNamespace<Transfers>;
  /**
   * Set only by `npm start` and `npm run dev`, which bind to loopback. Without it the Worker is deployed, and until
   * sign-in exists it answers nothing at all (promise 10).
   */
  JHAROKHA_LOCAL?: string;
  /** The agent's bearer token, made by the agent and kept in its data folder. */
  JHAROKHA_TOKEN?: string;
  /** A Qdrant that this Worker reaches by itself. Without it, vectors are in the embedded index, or the agent is asked. */
  QDRANT_URL?: string;
  QDRANT_API_KEY?: string;
}

/** Hono's generics for every router of the Worker. */
export interface App {
  Bindings: Env;
  /** `imageOrigin`: from where else this page shows pictures; only the map, and only when the owner has chosen a server of tiles. */
  Variables: { imageOrigin?: string };
}
