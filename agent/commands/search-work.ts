// What the engine does for the search: the model, the embedding of pictures behind everything that people wait for, vectors to
// their engine beside it, words ahead, and the answers to questions about all that. Waits for nothing that the engine waits for.
import { join } from 'node:path';
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import { CommandError, reason } from '../config.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { chooseSpace, chosenSpace, countVectorsToMake, countVectorsToPush, listSpaces, readTold, sweepVectorsSlice, type SpaceRow, type VectorTask } from '../catalog/vectors.ts';
import type { Handlers } from '../link/socket.ts';
import type { Embedder, OpenEmbedder } from '../pipeline/embed/embedder.ts';
import { EmbedderDown, embedPending, RenditionsAway } from '../pipeline/embed-pending.ts';
import { fetchRendition, putSearchSpace, WorkerRefused, WorkerUnreachable, type WorkerAddress } from '../push/client.ts';
import { activateSpace, connectVectors, pushVectorStep, rebuildVectors, type VectorPushContext } from '../push/push-vectors.ts';
import { EngineRefused, EngineUnreachable } from '../push/vector-writer.ts';
import type { AgentOptions, SearchStatus } from '../../protocol/link.ts';
import { spaceKey, vectorToText } from '../../protocol/vector.ts';
import { embedAhead, embedNullPrompt } from './search-ahead.ts';
import { createSearchModel, type SearchModel } from './search-model.ts';
import type { ChosenEngine } from './vector-engine.ts';

export interface SearchWorkContext {
  catalog: Catalog; dataDir: string; worker: WorkerAddress; engine: ChosenEngine;
  openEmbedder: OpenEmbedder;
  options(): AgentOptions;
  /** Work in the background and fetch a model that is not here; else only `settle` works, with what is here. */
  background: boolean;
  /** Workers for pictures. */
  workers: number;
  /** Resolves once nothing is scanned or rendered. */
  untilIdle(): Promise<void>;
  signal: AbortSignal;
  onChange(): void;
  warn(line: string): void;
}

export interface SearchWork {
  handlers: Pick<Handlers, 'embed_query' | 'query_vectors' | 'rebuild_vectors'>;
  /** Something may be to be embedded or to be said: looks as soon as it can, in the background. */
  wake(): void;
  /** The link is up (again): the vector engine is looked at anew. */
  connected(): void;
  optionsChanged(): void;
  /** For a command that ends: embeds and writes all that it can with the model that is here. Never rejects. */
  settle(): Promise<void>;
  /** Opens the model that makes the space that is searched in, however long that takes; false where none is here. */
  warm(): Promise<boolean>;
  /** Writes what waits. Never rejects. */
  write(): Promise<void>;
  /** Resolves when no picture is being embedded. */
  rested(): Promise<void>;
  embedding(): boolean;
  /** Assets to embed; vectors to embed or write, null where nobody can tell without a model. */
  toMake(): number;
  pending(): number | null;
  status(): SearchStatus;
  close(): Promise<void>;
}

/** New vectors wait this long for company. */
const PUSH_SOON_MS = 1_000;
/** What is out of reach is tried again after these, the last one repeated; what refuses is left alone for longer. */
const RETRY_MS = [5_000, 15_000, 60_000] as const;
const REFUSED_RETRY_MS = 300_000;
/** What is gone or has come back is looked for so often. */
const SWEEP_EVERY_MS = 86_400_000;
const SWEPT = 'vectors_swept';
/** A question waits so long for a model that is being opened: less than the Worker waits for the answer. */
const OPEN_WAIT_MS = 1_000;
const LOADING = 'The model for the search is being loaded. Try again in a moment.';

export function createSearchWork(ctx: SearchWorkContext): SearchWork {
  const { catalog } = ctx;
  const cacheDir = join(ctx.dataDir, 'models');
  const model = createSearchModel({
    openEmbedder: ctx.openEmbedder, workers: ctx.workers, mayDownload: ctx.background, onChange: ctx.onChange, onRetry: () => { wake(); },
    source: () => { const o = ctx.options(); return o.search_model === 'off' ? null : { profile: o.search_model, modelDir: o.model_dir, cacheDir }; },
  });
  const pushing: VectorPushContext = { catalog, writer: ctx.engine.writer, engine: ctx.engine.kind, putSearchSpace: (body) => putSearchSpace(ctx.worker, body), warn: ctx.warn };
  // Ends what works with the model that is open now.
  let modelStop = new AbortController();
  const said = new Set<string>();
  function warnOnce(line: string): void { if (!ctx.signal.aborted && !said.has(line)) { said.add(line); ctx.warn(line); } }

  // ── embedding ──
  let run: Promise<void> | undefined;
  let embedRun: Promise<unknown> | undefined;
  let again = false;
  let retryTimer: NodeJS.Timeout | undefined;
  let tries = 0;
  const suspects = new Map<string, VectorTask>();
  // Whether the last look down the list found all that there is: what was not to be had then (a preview that is lost) holds up nothing.
  let lookedThrough = false;
  const idle = ctx.background ? ctx.untilIdle : undefined;

  function wake(): void {
    if (ctx.signal.aborted || !ctx.background) return;
    again = true;
    run ??= loop().catch((error: unknown) => { warnOnce(`Nothing is embedded for the search now: ${reason(error)}`); retryIn(RETRY_MS.at(-1) ?? 60_000); }).finally(() => { run = undefined; ctx.onChange(); if (again) wake(); });
  }
  function retryIn(ms: number): void {
    clearTimeout(retryTimer);
    if (ctx.background && !ctx.signal.aborted) retryTimer = setTimeout(wake, ms).unref();
  }
  function nextWait(): number { tries += 1; return RETRY_MS[Math.min(tries, RETRY_MS.length) - 1] ?? 60_000; }

  async function loop(): Promise<void> {
    while (again && !ctx.signal.aborted) {
      again = false;
      await idle?.();
      pushSoon(0);
      const embedder = ctx.signal.aborted ? undefined : await model.open();
      if (embedder) await embed(embedder);
    }
  }

  async function embed(embedder: Embedder): Promise<void> {
    const mine = AbortSignal.any([ctx.signal, modelStop.signal]);
    const { model_dir } = ctx.options();
    const row = chosenSpace(catalog)?.key === spaceKey(embedder.space) ? chosenSpace(catalog) as SpaceRow : chooseSpace(catalog, embedder.space, model_dir);
    lookedThrough = false;
    // A first space is told of before it has anything; only then the Worker keeps words of it.
    await pushNow();
    if (isToldOf(row)) await worded(() => embedNullPrompt(ahead(row, embedder, mine)));
    if (mine.aborted) return;
    const started = embedPictures(row, embedder, mine);
    embedRun = started;
    ctx.onChange();
    try { await started; } finally { embedRun = undefined; ctx.onChange(); }
    if (mine.aborted) return;
    await pushNow();
    // Minutes of work: for an instance that stays.
    if (ctx.background && lookedThrough && isToldOf(row)) await worded(() => embedAhead(ahead(row, embedder, mine)));
  }
  const isToldOf = (row: SpaceRow): boolean => readTold(catalog)?.space === row.key;
  const ahead = (space: SpaceRow, embedder: Embedder, signal: AbortSignal) => ({ catalog, worker: ctx.worker, space, embedder, signal, idle });

  async function embedPictures(row: SpaceRow, embedder: Embedder, signal: AbortSignal): Promise<void> {
    if (countVectorsToMake(catalog) > 0) {
      let away = false;
      try {
        const report = await embedPending({
          catalog, space: row, embedder, workers: ctx.workers, suspects, idle,
          fetchRendition: async (id, stop) => {
            try { return await fetchRendition(ctx.worker, id, stop); } catch (error) {
              if (!(error instanceof WorkerUnreachable)) throw error;
              away = true;
              throw new RenditionsAway(error.message, { cause: error });
            }
          },
          onMade: (r) => { if (r.made > 0) { tries = 0; model.worked(); } ctx.onChange(); pushSoon(); },
        }, signal);
        lookedThrough = !away && !signal.aborted;
        if (report.waiting > 0) retryIn(away ? nextWait() : REFUSED_RETRY_MS);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof EmbedderDown) {
          await model.crashed(error.message);
          again = true;
          return;
        }
        // A full disk, for one.
        warnOnce(`Nothing is embedded for the search now: ${reason(error)}`);
        retryIn(RETRY_MS.at(-1) ?? 60_000);
        return;
      }
    } else lookedThrough = true;
    if (lookedThrough && Date.now() - Number(catalog.getMeta(SWEPT) ?? 0) > SWEEP_EVERY_MS) await sweep(row, signal);
  }

  async function sweep(row: SpaceRow, signal: AbortSignal): Promise<void> {
    const alsoDue = countVectorsToMake(catalog) === 0;
    for (const space of listSpaces(catalog)) {
      for (let after: string | null = ''; after !== null && !signal.aborted;) {
        after = sweepVectorsSlice(catalog, space.id, after, alsoDue && space.id === row.id);
        await breathe();
        await idle?.();
      }
    }
    if (signal.aborted) return;
    catalog.setMeta(SWEPT, String(Date.now()));
    if (alsoDue && countVectorsToMake(catalog) > 0) again = true;
  }

  /** Words ahead are a comfort: what stands in their way is said and tried again later. */
  async function worded(work: () => Promise<void>): Promise<void> {
    try { await work(); } catch (error) {
      if (ctx.signal.aborted || modelStop.signal.aborted) return;
      retryIn(RETRY_MS.at(-1) ?? 60_000);
      if (!(error instanceof WorkerUnreachable)) warnOnce(`No words are embedded ahead now: ${reason(error)}`);
    }
  }

  // ── vectors to their engine ──
  let pushRun: Promise<void> | undefined;
  let pushTimer: NodeJS.Timeout | undefined;
  let looked = false;
  let pushTries = 0;
  let engineTrouble: string | null = null;

  function pushSoon(afterMs: number = PUSH_SOON_MS): void {
    if (ctx.signal.aborted || !ctx.background || chosenSpace(catalog) === undefined) return;
    if (afterMs === 0) { clearTimeout(pushTimer); pushTimer = undefined; }
    pushTimer ??= setTimeout(() => { pushTimer = undefined; void pushNow(); }, afterMs).unref();
  }
  /** One at a time; whoever comes while it runs waits for it, and what came since goes with the next. Never rejects. */
  async function pushNow(): Promise<void> {
    if (pushRun) await pushRun;
    if (ctx.signal.aborted || chosenSpace(catalog) === undefined) return;
    pushRun ??= pushAll().then(() => { pushTries = 0; engineTrouble = null; }, (error: unknown) => {
      looked = false;
      if (ctx.signal.aborted) return;
      const refused = error instanceof EngineRefused || error instanceof WorkerRefused;
      const away = error instanceof EngineUnreachable || error instanceof WorkerUnreachable;
      // A Worker out of reach says nothing of the engine; a Qdrant does.
      engineTrouble = refused || (away && ctx.engine.kind !== 'embedded') ? `The vectors cannot be stored: ${reason(error)}` : null;
      if (!away || engineTrouble) warnOnce(engineTrouble ?? `The vectors cannot be stored: ${reason(error)}`);
      pushTries += 1;
      clearTimeout(pushTimer);
      pushTimer = undefined;
      pushSoon(refused ? REFUSED_RETRY_MS : RETRY_MS[Math.min(pushTries, RETRY_MS.length) - 1] ?? 60_000);
    }).finally(() => { pushRun = undefined; ctx.onChange(); });
    await pushRun;
  }
  async function pushAll(): Promise<void> {
    if (!looked) { await connectVectors(pushing); looked = true; }
    while (!ctx.signal.aborted && await pushVectorStep(pushing) === 'some') ctx.onChange();
    if (ctx.signal.aborted) return;
    await activateSpace(pushing, isSettled());
    if (old && !listSpaces(catalog).some((s) => s.key === old?.key)) { await old.model.close(); old = undefined; }
  }
  /** Nothing of the chosen space is still to come. */
  function isSettled(): boolean { return countVectorsToMake(catalog) === 0 || (lookedThrough && embedRun === undefined); }

  // ── questions ──
  let old: { key: string; model: SearchModel } | undefined;
  /** The model of a space that still answers while another one is made, if it is still here. */
  function openOld(row: SpaceRow): SearchModel {
    if (old?.key !== row.key) {
      void old?.model.close();
      old = { key: row.key, model: createSearchModel({ openEmbedder: ctx.openEmbedder, workers: 1, mayDownload: false, onChange: () => {}, onRetry: () => {}, source: () => ({ profile: row.space.profile, modelDir: row.modelDir, cacheDir }) }) };
    }
    return old.model;
  }
  async function openFor(space: string): Promise<Embedder> {
    if (ctx.options().search_model === 'off') throw new CommandError('Searching by meaning is turned off on this computer (--search-model off).');
    const mine = model.current();
    if (mine && spaceKey(mine.space) === space) return mine;
    const row = listSpaces(catalog).find((s) => s.key === space);
    const isChosen = row === undefined || row.key === chosenSpace(catalog)?.key;
    // What was chosen last may not be what is wanted now; whichever makes this space will do.
    for (const candidate of isChosen && !mine ? [model] : row ? [openOld(row)] : []) {
      if (candidate.state().state === 'downloading') throw new CommandError('The model for the search is being downloaded.');
      const opened = await Promise.race([candidate.open(), sleep(OPEN_WAIT_MS, 'late' as const, { ref: false })]);
      if (opened === 'late') throw new CommandError(LOADING);
      if (opened && spaceKey(opened.space) === space) return opened;
    }
    throw new CommandError(model.state().message ?? `The model that made these vectors is not on this computer any more (${space}).`);
  }

  const handlers: SearchWork['handlers'] = {
    embed_query: async ({ space, texts }) => ({ vectors: (await (await openFor(space)).embedTexts(texts)).map(vectorToText) }),
    query_vectors: (question) => ctx.engine.query(question),
    rebuild_vectors: async () => {
      if (listSpaces(catalog).length === 0) throw new CommandError('There are no vectors yet.');
      // After whatever is on its way, and before anything else.
      while (pushRun) await pushRun;
      let vectors = 0;
      const mine = pushRun = rebuildVectors(pushing).then((n) => { vectors = n; }).finally(() => { pushRun = undefined; });
      await mine;
      looked = true;
      ctx.onChange();
      pushSoon(0);
      return { vectors };
    },
  };

  return {
    handlers, wake,
    connected: () => { looked = false; tries = pushTries = 0; pushSoon(0); wake(); },
    optionsChanged: () => {
      // The stage must not go on with a model that is closed under it.
      if (model.isStale()) { modelStop.abort(); modelStop = new AbortController(); suspects.clear(); }
      void model.sourceChanged().then(wake);
    },
    async settle() {
      if (ctx.background) return;
      try {
        for (again = true; again && !ctx.signal.aborted;) {
          again = false;
          const embedder = await model.open();
          if (embedder) await embed(embedder);
        }
        await pushNow();
      } catch (error) { warnOnce(`Nothing is embedded for the search now: ${reason(error)}`); }
    },
    write: pushNow,
    async warm() {
      const space = readTold(catalog)?.space;
      const opened = space === undefined ? undefined : await model.open();
      return opened !== undefined && spaceKey(opened.space) === space;
    },
    async rested() { while (embedRun && !ctx.signal.aborted) await embedRun.catch(() => {}); },
    embedding: () => embedRun !== undefined && countVectorsToMake(catalog) > 0,
    toMake: () => countVectorsToMake(catalog),
    pending() {
      const toPush = countVectorsToPush(catalog);
      const { state } = status();
      if (state === 'ready') return toPush + countVectorsToMake(catalog);
      return state === 'off' || toPush > 0 ? toPush : null;
    },
    status,
    async close() {
      modelStop.abort();
      clearTimeout(retryTimer);
      clearTimeout(pushTimer);
      await model.close();
      await old?.model.close();
      await run;
      await pushRun?.catch(() => {});
    },
  };

  function status(): SearchStatus {
    const { state, message, done_bytes, total_bytes } = model.state();
    return { profile: ctx.options().search_model, state, message: engineTrouble?.slice(0, 1_000) ?? message, done_bytes, total_bytes, space: chosenSpace(catalog)?.key ?? null, engine: ctx.engine.kind };
  }
}
