// Which engine keeps the vectors: a Qdrant where the environment names one, else the Worker's embedded index. The one place that
// reads these variables for the agent; the key is handed on and never said.
import { createEmbeddedWriter } from '../push/embedded-writer.ts';
import type { WorkerAddress } from '../push/client.ts';
import type { VectorWriter } from '../push/vector-writer.ts';
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';
import type { VectorEngine } from '../../protocol/vector.ts';
import { CommandError } from '../config.ts';

export interface ChosenEngine {
  kind: VectorEngine;
  writer: VectorWriter;
  /** A question that the Worker cannot ask by itself. */
  query(question: VectorQuestion): Promise<VectorAnswer>;
}

/** Null where none is named. */
export function qdrantOf(env: NodeJS.ProcessEnv): { url: string; apiKey: string | null } | null {
  const url = env['QDRANT_URL']?.trim();
  if (!url) return null;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new CommandError(`QDRANT_URL is no address of a Qdrant (http:// or https://): ${JSON.stringify(url.replace(/\/\/[^@/]*@/, '//…@'))}.`);
  return { url, apiKey: env['QDRANT_API_KEY']?.trim() || null };
}

export async function chooseEngine(env: NodeJS.ProcessEnv, worker: WorkerAddress): Promise<ChosenEngine> {
  const qdrant = qdrantOf(env);
  if (!qdrant) return { kind: 'embedded', writer: createEmbeddedWriter(worker), query: () => Promise.reject(new CommandError('This agent keeps no vectors in a Qdrant.')) };
  throw new CommandError('This build has no Qdrant writer yet.');
}

/** A Worker elsewhere cannot ask a Qdrant on this computer's loopback: it asks the agent. */
export function isOverLink(qdrantUrl: string, workerUrl: string): boolean { return isLoopback(qdrantUrl) && !isLoopback(workerUrl); }

function isLoopback(url: string): boolean { return /^(127(\.\d+){3}|localhost|\[::1\])$/.test(new URL(url).hostname); }
