// The push loop: renditions first, then the rows that mention them, then completions of scans. Anything may end at any
// line; what was not acknowledged is sent again, byte for byte.
import { randomUUID } from 'node:crypto';
import type { Catalog } from '../catalog/catalog.ts';
import { acknowledgeBatch, firstInOutbox, hasDirty, nextCompletion, removeCompletion, startNewEpoch, storeNextBatch } from '../catalog/outbox.ts';
import { acknowledgeReport, nextReport } from '../catalog/orders.ts';
import { acknowledgeRenditions, readNextPack } from '../catalog/spool.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { completeScan, fetchSyncState, pushBatch, pushOrderReport, pushPack, WorkerRefused, type WorkerAddress } from './client.ts';

export interface PushContext {
  catalog: Catalog;
  agentId: string;
  homeZone: string;
  worker: WorkerAddress;
  /** Throws where the Worker has no room to take more. */
  assertRoom(): void;
  /** Folder of proxies that wait (catalog/proxies.ts). */
  proxySpool: string;
  /** One line for people, e.g. about a rejected row. */
  warn(line: string): void;
}

export interface Pushed { batches: number; renditions: number; completions: number; refused: number }

/**
 * Agrees with the Worker on where to go on. Call once per connection, before pushAll. A Worker that lost what was
 * pushed (emptied, or restored from a backup) gets everything again under a new epoch.
 */
export async function agreeOnState(ctx: PushContext): Promise<void> {
  const state = await fetchSyncState(ctx.worker, ctx.agentId);
  if (state.protocol < PROTOCOL_VERSION) throw new WorkerRefused(409, { error: `the Worker speaks protocol ${state.protocol}, this agent ${PROTOCOL_VERSION}. Update the Worker.` });
  ctx.catalog.raiseRevision(state.max_revision);
  const epoch = ctx.catalog.getMeta('epoch');
  const acked = Number(ctx.catalog.getMeta('acked_seq') ?? '0');
  const stored = Number(ctx.catalog.prepare('SELECT max(seq) AS seq FROM outbox').get()?.['seq'] ?? 0);
  // A Worker that has seen more of this epoch than this catalog sent: the catalog is an old copy, and needs a new epoch.
  if (state.epoch === epoch && state.acked_seq >= acked && state.acked_seq <= Math.max(acked, stored)) {
    // Acknowledged there, answer lost here: the outbox's first batches are done.
    for (let first = firstInOutbox(ctx.catalog); first && first.seq <= state.acked_seq; first = firstInOutbox(ctx.catalog)) acknowledgeBatch(ctx.catalog, first.seq);
    return;
  }
  // A catalog made anew starts its own epoch at 1, whatever the Worker has of earlier ones.
  if (acked === 0 && state.epoch !== epoch) return;
  const emptied = state.epoch === null;
  ctx.warn(emptied ? 'The Worker has nothing of this library: pushing everything again.' : 'The Worker has another state of this library than was last pushed: pushing everything again.');
  startNewEpoch(ctx.catalog, randomUUID(), emptied);
}

/**
 * Pushes until nothing is left or `signal` aborts. With `mark`, one batch goes even when it carries nothing. Throws
 * WorkerUnreachable or WorkerRefused; everything stays where it was and the next call goes on.
 */
export async function pushAll(ctx: PushContext, options: { mark?: boolean; signal?: AbortSignal } = {}): Promise<Pushed> {
  const done: Pushed = { batches: 0, renditions: 0, completions: 0, refused: 0 };
  let mark = options.mark ?? false;
  let refusedId = 0;
  while (!options.signal?.aborted) {
    ctx.assertRoom();
    const pack = readNextPack(ctx.catalog);
    if (pack.length > 0) {
      const answer = await pushPack(ctx.worker, pack);
      for (const rejected of answer.rejected) ctx.warn(`Rendition ${rejected.row} was refused: ${rejected.reason}`);
      // A refused one would be refused for ever: it leaves the spool too, and its asset never mentions it.
      acknowledgeRenditions(ctx.catalog, answer.stored);
      const drop = ctx.catalog.prepare('DELETE FROM spool WHERE key = ?1');
      for (const rejected of answer.rejected) drop.run(rejected.row);
      if (answer.stored.length === 0 && answer.rejected.length === 0) throw new Error('the Worker took no rendition of a pack');
      done.renditions += answer.stored.length;
      // Then one batch, so that a long stream of renditions does not hold back the rows that mention them.
    }
    const stored = firstInOutbox(ctx.catalog);
    // Behind a batch that is on its way, for a receipt is newer than any row in it; and before the next, which tells what followed
    // from the receipts: a stack that ended with its files must end after it was written down what it was.
    const told = stored ? undefined : nextReport(ctx.catalog);
    if (told) {
      try { await pushOrderReport(ctx.worker, told.orderId, told.report); } catch (error) {
        if (!(error instanceof WorkerRefused)) throw error;
        // A Worker that does not know the order has no use for its receipts; they stay here.
        ctx.warn(`What became of an order was not taken: ${error.message}`);
      }
      acknowledgeReport(ctx.catalog, told.orderId, told.sent);
      continue;
    }
    const batch = stored ?? storeNext(ctx, mark);
    if (batch) {
      const answer = await pushBatch(ctx.worker, batch.body);
      for (const rejected of answer.rejected.slice(0, 20)) ctx.warn(`A row was refused: ${rejected.row}: ${rejected.reason}`);
      acknowledgeBatch(ctx.catalog, batch.seq);
      done.batches += 1;
      mark = false;
      continue;
    }
    const completion = pack.length === 0 ? nextCompletion(ctx.catalog, refusedId) : undefined;
    if (completion) {
      try { await completeScan(ctx.worker, completion.scanId, completion.body); } catch (error) {
        if (!(error instanceof WorkerRefused)) throw error;
        // It stays and is tried again with the next connection; the others need not wait for it.
        ctx.warn(`A completed scan was not taken: ${error.message}`);
        refusedId = completion.id;
        done.refused += 1;
        continue;
      }
      removeCompletion(ctx.catalog, completion.id);
      done.completions += 1;
      continue;
    }
    if (pack.length === 0) break;
  }
  return done;
}

function storeNext(ctx: PushContext, evenEmpty: boolean) {
  if (!evenEmpty && !hasDirty(ctx.catalog)) return undefined;
  const epoch = ctx.catalog.getMeta('epoch');
  if (!epoch) throw new Error('pushAll before agreeOnState');
  return storeNextBatch(ctx.catalog, { agentId: ctx.agentId, epoch, seq: Number(ctx.catalog.getMeta('acked_seq') ?? '0') + 1, homeZone: ctx.homeZone }, evenEmpty);
}
