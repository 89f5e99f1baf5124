// One model of the search over its life: opened when it is first wanted, tried again with longer and longer waits where it cannot
// be had, opened anew after a crash. Says how that goes; embeds nothing by itself.
import type { Embedder, ModelSource, OpenEmbedder } from '../pipeline/embed/embedder.ts';
import { ModelDamaged, ModelMissing } from '../pipeline/embed/embedder.ts';
import { NULL_PROMPT } from '../pipeline/common-words.ts';
import { reason } from '../config.ts';
import type { SearchStatus } from '../../protocol/link.ts';

export type ModelState = Pick<SearchStatus, 'state' | 'message' | 'done_bytes' | 'total_bytes'>;

export interface SearchModel {
  state(): ModelState;
  /** The model, opened if need be; undefined where none is wanted or none can be had now. Never rejects. */
  open(): Promise<Embedder | undefined>;
  /** The model, if it is open and warm. */
  current(): Embedder | undefined;
  /** Whether what is open, or being opened, is for another source than is wanted now. */
  isStale(): boolean;
  /** Another source may be wanted: what is open for the old one is closed, and the new one may be tried at once. */
  sourceChanged(): Promise<void>;
  /** It no longer answers: the next `open` opens it anew, at first at once, after CRASHES without `worked` in between only after a wait. */
  crashed(why: string): Promise<void>;
  /** It did something: crashes before this are forgiven. */
  worked(): void;
  close(): Promise<void>;
}

export interface ModelContext {
  openEmbedder: OpenEmbedder;
  /** What is wanted now; null for none. */
  source(): ModelSource | null;
  workers: number;
  /** Whether what is not on this computer may be fetched. */
  mayDownload: boolean;
  onChange(): void;
  /** The wait is over: opening may be tried again. */
  onRetry(): void;
}

/** A network that came back, a disk that was tidied: looked at again after these, the last one repeated. */
const RETRY_MS = [60_000, 300_000, 900_000, 3_600_000] as const;
const CRASHES = 3;
const MAX_MESSAGE = 1_000;

export function createSearchModel(ctx: ModelContext): SearchModel {
  let state: ModelState = idle('missing', null);
  let opening: Promise<Embedder | undefined> | undefined;
  let open: Embedder | undefined;
  let stop = new AbortController();
  let openedFor = '';
  let closed = false;
  let failures = 0;
  let crashes = 0;
  let retryAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const keyOf = (source: ModelSource | null): string => JSON.stringify(source);
  function say(next: ModelState): void {
    state = { ...next, message: next.message?.slice(0, MAX_MESSAGE) ?? null };
    ctx.onChange();
  }
  function wait(): void {
    const ms = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 3_600_000;
    failures += 1;
    retryAt = Date.now() + ms;
    clearTimeout(timer);
    timer = setTimeout(ctx.onRetry, ms).unref();
  }

  async function tryOpen(source: ModelSource): Promise<Embedder | undefined> {
    const mine = stop = new AbortController();
    openedFor = keyOf(source);
    let embedder: Embedder | undefined;
    say(idle('loading', null));
    try {
      embedder = await ctx.openEmbedder(source, {
        workers: ctx.workers, signal: mine.signal, download: ctx.mayDownload,
        onDownload: (done, total) => {
          if (mine.signal.aborted) return;
          say(done === total ? idle('loading', null) : { state: 'downloading', message: null, done_bytes: done, total_bytes: total });
        },
      });
      // The first words take several times as long as the next ones: nobody is to wait for that.
      await embedder.embedTexts([NULL_PROMPT]);
      if (mine.signal.aborted) { await embedder.close(); return undefined; }
      failures = 0;
      open = embedder;
      say(idle('ready', null));
      return embedder;
    } catch (error) {
      await embedder?.close().catch(() => {});
      if (closed || mine.signal.aborted) return undefined;
      say(error instanceof ModelMissing ? idle('missing', error.message) : idle('failed', error instanceof ModelDamaged ? error.message : `The model for the search could not be opened: ${reason(error)}`));
      wait();
      return undefined;
    }
  }

  async function shut(): Promise<void> {
    stop.abort();
    await opening?.catch(() => {});
    const was = open;
    open = undefined;
    await was?.close().catch(() => {});
  }

  return {
    state: () => (ctx.source() === null ? idle('off', null) : state),
    current: () => open,
    open() {
      const source = ctx.source();
      if (closed || !source) return Promise.resolve(undefined);
      if (open) return Promise.resolve(open);
      if (Date.now() < retryAt) return Promise.resolve(undefined);
      return opening ??= tryOpen(source).finally(() => { opening = undefined; });
    },
    isStale: () => (open ?? opening) !== undefined && keyOf(ctx.source()) !== openedFor,
    async sourceChanged() {
      const source = ctx.source();
      if (source && keyOf(source) === openedFor && (open || opening)) return;
      await shut();
      failures = crashes = retryAt = 0;
      clearTimeout(timer);
      say(idle(source ? 'missing' : 'off', null));
    },
    async crashed(why) {
      await shut();
      crashes += 1;
      if (crashes < CRASHES) { say(idle('loading', null)); return; }
      say(idle('failed', `The model for the search stopped answering: ${why}`));
      wait();
    },
    worked() { crashes = 0; },
    async close() {
      closed = true;
      clearTimeout(timer);
      await shut();
    },
  };
}

function idle(state: ModelState['state'], message: string | null): ModelState { return { state, message, done_bytes: null, total_bytes: null }; }
