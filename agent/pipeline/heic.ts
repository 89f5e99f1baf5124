// The pool of HEIC decoding threads: bounded, started at need, ended when idle. A thread that hangs or dies takes its job
// with it and nothing else.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { HeicJob, HeicReply } from './heic-worker.ts';
import { siblingScript } from './sibling.ts';
import { ReadError } from './types.ts';

/** A 200 MP Samsung picture takes 10 s on a fast core; six times that is a hang. */
export const DECODE_TIMEOUT_MS = 60_000;
/** sharp's own limit; a 200 MP phone picture passes. */
export const MAX_PIXELS = 0x3fff * 0x3fff;
/** WASM memory never shrinks: after a picture this large the thread is replaced (a 12 MP one holds 290 MB, this one 1 GB). */
const RECYCLE_PIXELS = 60_000_000;
/** Threads that found no work for so long give their 290 MB back. */
const IDLE_MS = 20_000;

export interface HeicPoolOptions {
  workers?: number | undefined;
  timeoutMs?: number | undefined;
  /** For tests alone: another script that hangs or dies on purpose. */
  script?: URL | undefined;
}
export type HeicDecoded = Extract<HeicReply, { ok: true }>;
interface Waiting { job: HeicJob; resolve: (reply: HeicDecoded) => void; reject: (error: Error) => void }
interface Thread { worker: Worker; busy: Waiting | null; timer: NodeJS.Timeout | undefined; idle: NodeJS.Timeout | undefined }

export class HeicPool {
  readonly size: number;
  readonly #timeoutMs: number;
  readonly #script: URL;
  readonly #threads = new Set<Thread>();
  readonly #queue: Waiting[] = [];
  #nextId = 1;
  #closed = false;

  constructor(options: HeicPoolOptions = {}) {
    this.size = Math.max(1, options.workers ?? availableParallelism());
    this.#timeoutMs = options.timeoutMs ?? DECODE_TIMEOUT_MS;
    this.#script = options.script ?? siblingScript('heic-worker', import.meta.url);
  }

  /** Decodes; jobs for thumbnails overtake those for whole pictures. Throws ReadError (damaged, too_large, decoder_timeout, decoder_crashed). */
  decode(want: HeicJob['want'], bytes: Uint8Array): Promise<HeicDecoded> {
    if (this.#closed) return Promise.reject(new ReadError('other', 'decode', 'the reader is closed'));
    return new Promise((resolve, reject) => {
      const waiting = { job: { id: this.#nextId++, want, bytes, maxPixels: MAX_PIXELS }, resolve, reject };
      const firstFull = want === 'thumbnail' ? this.#queue.findIndex((w) => w.job.want === 'full') : -1;
      if (firstFull >= 0) this.#queue.splice(firstFull, 0, waiting); else this.#queue.push(waiting);
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) waiting.reject(new ReadError('other', 'decode', 'the reader is closed'));
    await Promise.all([...this.#threads].map((thread) => this.#end(thread, new ReadError('other', 'decode', 'the reader is closed'))));
  }

  #dispatch(): void {
    while (this.#queue.length) {
      let thread = [...this.#threads].find((t) => t.busy === null);
      if (!thread) {
        if (this.#threads.size >= this.size) return;
        thread = this.#start();
      }
      const waiting = this.#queue.shift();
      if (!waiting) return;
      this.#give(thread, waiting);
    }
  }

  #start(): Thread {
    // No inherited loader flags: Node strips the types of this plain script itself.
    const worker = new Worker(this.#script, { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' } });
    const thread: Thread = { worker, busy: null, timer: undefined, idle: undefined };
    worker.on('message', (reply: HeicReply) => this.#answer(thread, reply));
    worker.on('error', (error) => void this.#end(thread, new ReadError('decoder_crashed', 'decode', `the decoder crashed: ${error.message}`)));
    worker.on('exit', () => void this.#end(thread, new ReadError('decoder_crashed', 'decode', 'the decoder ended unexpectedly')));
    this.#threads.add(thread);
    return thread;
  }

  #give(thread: Thread, waiting: Waiting): void {
    clearTimeout(thread.idle);
    thread.busy = waiting;
    thread.worker.ref();
    thread.timer = setTimeout(() => void this.#end(thread, new ReadError('decoder_timeout', 'decode', `the decoder did not answer within ${Math.round(this.#timeoutMs / 1000)} s`)), this.#timeoutMs);
    thread.worker.postMessage(waiting.job);
  }

  #answer(thread: Thread, reply: HeicReply): void {
    const waiting = thread.busy;
    if (!waiting || waiting.job.id !== reply.id) return;
    clearTimeout(thread.timer);
    thread.busy = null;
    thread.worker.unref();
    const huge = (reply.width ?? 0) * (reply.height ?? 0) > RECYCLE_PIXELS && waiting.job.want === 'full';
    if (reply.ok) waiting.resolve(reply); else waiting.reject(new ReadError(reply.code, 'decode', reply.message));
    if (huge) void this.#end(thread, new ReadError('other', 'decode', 'recycled'));
    else {
      thread.idle = setTimeout(() => { if (!thread.busy) void this.#end(thread, new ReadError('other', 'decode', 'idle')); }, IDLE_MS);
      thread.idle.unref();
      this.#dispatch();
    }
  }

  async #end(thread: Thread, error: ReadError): Promise<void> {
    if (!this.#threads.delete(thread)) return;
    clearTimeout(thread.timer);
    clearTimeout(thread.idle);
    const waiting = thread.busy;
    thread.busy = null;
    waiting?.reject(error);
    thread.worker.ref();
    await thread.worker.terminate().catch(() => undefined);
    if (!this.#closed) this.#dispatch();
  }
}
