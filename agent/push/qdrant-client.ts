// The agent's one connection to a Qdrant. The client is loaded when it is first needed: without QDRANT_URL it costs a start nothing.
import { callQdrant, type CallInit, type QdrantAddress, QdrantError } from '../../protocol/qdrant.ts';
import type { QdrantClient } from '@qdrant/js-client-rest';
import type * as z from 'zod';
import { EngineRefused, EngineUnreachable } from './vector-writer.ts';

export type QdrantApi = ReturnType<QdrantClient['api']>;

const opened = new Map<string, Promise<QdrantApi>>();

/** The same client for the same address and key: each has a pool of connections. */
export function openQdrant(address: QdrantAddress): Promise<QdrantApi> {
  const key = JSON.stringify(address.client);
  let api = opened.get(key);
  if (!api) {
    api = import('@qdrant/js-client-rest').then(({ QdrantClient }) => new QdrantClient(address.client).api());
    opened.set(key, api);
  }
  return api;
}

/** A call with its own deadline; its `result`. Throws QdrantError. */
export async function call<T>(address: QdrantAddress, timeoutMs: number, result: z.ZodType<T>, ask: (api: QdrantApi, init: CallInit) => Promise<{ data: unknown }>): Promise<T> {
  const api = await openQdrant(address);
  return callQdrant(address, AbortSignal.timeout(timeoutMs), result, (init) => ask(api, init));
}

/** The same failure in the words of the interface: whether trying again helps. */
export function toEngineError(error: unknown): unknown {
  if (!(error instanceof QdrantError)) return error;
  return error.trouble === 'refused' ? new EngineRefused(error.message) : new EngineUnreachable(error.message);
}
