// Vectors to their engine, one request a call, and the change to another space once that one is whole. What the engine has
// acknowledged leaves the list; anything may end at any line, and the same is then sent again.
import type { Catalog } from '../catalog/catalog.ts';
import {
  chosenSpace, countSpace, countVectorsToPush, dropSpaceSlice, forgetWritten, listSpaces, listVectorsToRemove, listVectorsToWrite, markRemoved, markWritten,
  readTold, writeTold, type SpaceRow,
} from '../catalog/vectors.ts';
import type { SearchSpace, VectorEngine } from '../../protocol/vector.ts';
import type { VectorWriter } from './vector-writer.ts';

/** Vectors in one request. */
const BATCH = 500;

export interface VectorPushContext {
  catalog: Catalog;
  writer: VectorWriter;
  /** What the Worker is told of who keeps the vectors. */
  engine: VectorEngine;
  /** Tells the Worker in which space to search. */
  putSearchSpace(body: SearchSpace): Promise<void>;
  warn(line: string): void;
}

/** `connect`, then this until 'none'. Throws EngineUnreachable, EngineRefused, WorkerUnreachable, WorkerRefused. */
export async function pushVectorStep(ctx: VectorPushContext): Promise<'none' | 'some'> {
  const { catalog, writer } = ctx;
  for (const row of listSpaces(catalog)) {
    const gone = listVectorsToRemove(catalog, row.id, BATCH);
    if (gone.length > 0) {
      await writer.remove(row.space, gone);
      markRemoved(catalog, row.id, gone);
      return 'some';
    }
    const items = listVectorsToWrite(catalog, row.id, BATCH);
    if (items.length > 0) {
      await writer.write(row.space, items);
      markWritten(catalog, row.id, items.map((i) => i.sha256));
      return 'some';
    }
  }
  return 'none';
}

const ENGINE = 'vectors_engine';

/**
 * Once per connection, before the first step: makes what the spaces need, and has everything written again where the engine is
 * another one than last time, or holds less than it was given. Returns how many vectors that concerns.
 */
export async function connectVectors(ctx: VectorPushContext): Promise<number> {
  const { catalog, writer } = ctx;
  const moved = catalog.getMeta(ENGINE) !== writer.engine;
  let again = 0;
  for (const row of listSpaces(catalog)) {
    await writer.prepare(row.space);
    const { written } = countSpace(catalog, row.id);
    if (written === 0 || (!moved && await writer.count(row.space) >= written)) continue;
    if (!moved) ctx.warn(`The vector index holds less than was stored in it: writing ${written.toLocaleString('en')} vectors again.`);
    forgetWritten(catalog, row.id);
    again += written;
  }
  if (moved) catalog.setMeta(ENGINE, writer.engine);
  return again;
}

/** The engine has nothing of any space any more, and is to get everything again. */
export async function rebuildVectors(ctx: VectorPushContext): Promise<number> {
  const { catalog, writer } = ctx;
  const spaces = listSpaces(catalog);
  const first = spaces[0];
  // A space that nobody has: every other one is dropped. A cut after this is an engine that holds too little, which connectVectors sees.
  if (first) await writer.dropOthers({ ...first.space, model: 'none', revision: '000000000000' });
  for (const row of spaces) {
    await writer.prepare(row.space);
    forgetWritten(catalog, row.id);
  }
  return countVectorsToPush(catalog);
}

/**
 * Tells the Worker where to search, where that is news. A first space answers from its first vector on; another one replaces it
 * only when everything that can be embedded is embedded and written. `settled`: nothing of it is being made now.
 */
export async function activateSpace(ctx: VectorPushContext, settled: boolean): Promise<'told' | 'waits' | 'known'> {
  const { catalog, writer, engine } = ctx;
  const chosen = chosenSpace(catalog);
  if (!chosen) return 'known';
  const whole = settled && countVectorsToPush(catalog, chosen.id) === 0;
  const epoch = catalog.getMeta('epoch') ?? '';
  const told = readTold(catalog);
  const as = `${engine} ${writer.engine}`;
  const same = told?.space === chosen.key && told.engine === as;
  // Of none at all the Worker makes no search: the first one is news.
  const known = same && told.epoch === epoch && (told.vectors > 0 || countSpace(catalog, chosen.id).written === 0);
  if (known && (told.whole || !whole)) {
    // Cut off before the others were gone.
    if (told.whole && whole && listSpaces(catalog).length > 1) await dropOtherSpaces(ctx, chosen);
    return 'known';
  }
  // Somebody else answers in full until this one can.
  if (told && !same && !whole) return 'waits';
  const { written } = countSpace(catalog, chosen.id);
  await ctx.putSearchSpace({ space: chosen.space, engine, vectors: written });
  writeTold(catalog, { space: chosen.key, engine: as, epoch, whole: whole || (same && told.whole), vectors: written });
  if (whole) await dropOtherSpaces(ctx, chosen);
  return 'told';
}

async function dropOtherSpaces(ctx: VectorPushContext, kept: SpaceRow): Promise<void> {
  await ctx.writer.dropOthers(kept.space);
  for (const row of listSpaces(ctx.catalog)) {
    if (row.id === kept.id) continue;
    while (dropSpaceSlice(ctx.catalog, row.id)) await new Promise((done) => { setImmediate(done); });
  }
}
