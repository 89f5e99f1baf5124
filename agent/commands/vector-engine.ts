// Which engine keeps the vectors: a Qdrant where the environment names one, else the Worker's embedded index. The one place where
// the agent reads these variables; the key is handed on and never said.
import { createEmbeddedWriter } from '../push/embedded-writer.ts';
import type { WorkerAddress } from '../push/client.ts';
import type { VectorWriter } from '../push/vector-writer.ts';
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';
import { isAtHome } from '../../protocol/nominatim-url.ts';
import type { QdrantOptions } from '../../protocol/qdrant.ts';
import type { VectorEngine } from '../../protocol/vector.ts';
import { CommandError } from '../config.ts';

export interface ChosenEngine {
  kind: VectorEngine;
  writer: VectorWriter;
  /** A question that the Worker cannot ask by itself. */
  query(question: VectorQuestion): Promise<VectorAnswer>;
}

/** QDRANT_URL and QDRANT_API_KEY as they were given; null without an address. */
export function qdrantOf(env: NodeJS.ProcessEnv): QdrantOptions | null {
  const url = env['QDRANT_URL']?.trim();
  const apiKey = env['QDRANT_API_KEY']?.trim();
  return url ? { url, ...(apiKey ? { apiKey } : {}) } : null;
}

/** Never throws: an address that cannot be used is refused by each call, with a sentence. */
export async function chooseEngine(env: NodeJS.ProcessEnv, worker: WorkerAddress): Promise<ChosenEngine> {
  const qdrant = qdrantOf(env);
  if (!qdrant) return { kind: 'embedded', writer: createEmbeddedWriter(worker), query: () => Promise.reject(new CommandError('This agent keeps no vectors in a Qdrant.')) };
  const [{ createQdrantWriter }, { queryQdrant }] = await Promise.all([import('../push/qdrant-writer.ts'), import('../push/qdrant-query.ts')]);
  return { kind: isOverLink(qdrant.url, worker.url) ? 'qdrant_link' : 'qdrant', writer: createQdrantWriter(qdrant), query: (question) => queryQdrant(qdrant, question) };
}

/** A Worker elsewhere cannot ask a Qdrant that is at home: it asks the agent. */
export function isOverLink(qdrantUrl: string, workerUrl: string): boolean { return isHome(qdrantUrl) && !isHome(workerUrl); }

function isHome(url: string): boolean { return isAtHome(URL.parse(url)?.hostname ?? ''); }
