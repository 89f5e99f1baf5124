// One process that runs FFmpeg, started at need, ended when idle, killed when it hangs. Hands it one job at a time and feeds it
// bytes from the FileSource, so that it never opens a path of the owner's. What the jobs are is video.ts's and proxy.ts's.
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BytesReply, ReadRequest } from './av-source.ts';
import { ReadError, type FileSource } from './types.ts';

/** Not more is ever read for one request of the process. */
const MAX_READ_BYTES = 4_000_000;
const IDLE_MS = 20_000;

/** The process died or hung over a job: an answer about the file, not an error of ours. */
export interface ProcessFailure { type: 'failed'; code: 'decoder_crashed' | 'decoder_timeout'; reason: string }

export interface AvProcessOptions {
  script: URL;
  /** A job without an answer for so long is taken for hung. */
  timeoutMs: number;
  /** The time counts from the last sign of life, for jobs that may rightly take an hour. */
  whileSilent?: boolean;
}

interface Waiting<Job, Reply> { source: FileSource; job: Job; resolve: (reply: Reply | ProcessFailure) => void; reject: (error: Error) => void; readError: Error | null }

export class AvProcess<Job extends { id: number }, Reply extends { type: 'done'; id: number }> {
  readonly #options: AvProcessOptions;
  readonly #queue: Waiting<Job, Reply>[] = [];
  #child: ChildProcess | null = null;
  #busy: Waiting<Job, Reply> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: AvProcessOptions) { this.#options = options; }

  /** The job's answer, or how the process failed over it. Throws the source's own error, and where `signal` or `close` ended it. */
  run(source: FileSource, job: (id: number) => Job, signal?: AbortSignal): Promise<Reply | ProcessFailure> {
    if (this.#closed) return Promise.reject(new ReadError('other', 'decode', 'the reader is closed'));
    let drop: () => void = () => undefined;
    const answer = new Promise<Reply | ProcessFailure>((resolve, reject) => {
      const waiting: Waiting<Job, Reply> = { source, job: job(this.#nextId++), resolve, reject, readError: null };
      drop = () => { this.#drop(waiting); };
      this.#queue.push(waiting);
    });
    signal?.addEventListener('abort', drop, { once: true });
    if (signal?.aborted) drop();
    this.#next();
    return answer.finally(() => { signal?.removeEventListener('abort', drop); });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) waiting.reject(new ReadError('other', 'decode', 'the reader is closed'));
    const child = this.#child;
    // An idle child does not hold the event loop; the wait for its end must.
    child?.ref();
    const ended = child && child.exitCode === null && child.signalCode === null ? new Promise((resolve) => child.once('exit', resolve)) : undefined;
    this.#busy?.reject(new ReadError('other', 'decode', 'the reader is closed'));
    this.#stop();
    await ended;
  }

  /** Nobody wants this one any more: it leaves the queue, or takes the process with it. */
  #drop(waiting: Waiting<Job, Reply>): void {
    const at = this.#queue.indexOf(waiting);
    if (at >= 0) this.#queue.splice(at, 1);
    else if (this.#busy === waiting) this.#stop();
    waiting.reject(new ReadError('other', 'decode', 'it was stopped'));
    this.#next();
  }

  #next(): void {
    if (this.#busy || this.#closed) return;
    const waiting = this.#queue.shift();
    if (!waiting) return;
    this.#busy = waiting;
    clearTimeout(this.#idle);
    const child = (this.#child ??= this.#start());
    child.ref();
    child.channel?.ref();
    this.#watch();
    child.send(waiting.job);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const { timeoutMs } = this.#options;
    this.#timer = setTimeout(() => this.#fail('decoder_timeout', `the decoder did not answer within ${Math.round(timeoutMs / 1000)} s`), timeoutMs);
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(this.#options.script), [], { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' }, serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    child.on('message', (message: ReadRequest | Reply | { type: 'progress' }) => {
      if (child !== this.#child || !this.#busy) return;
      if (this.#options.whileSilent) this.#watch();
      if (message.type === 'read') void this.#feed(child, message as ReadRequest);
      else if (message.type === 'done') this.#answer(message as Reply);
    });
    child.on('error', (error) => { if (child === this.#child) this.#fail('decoder_crashed', `the decoder could not run: ${error.message}`); });
    child.on('exit', (code, signal) => { if (child === this.#child) this.#fail('decoder_crashed', `the decoder crashed (${signal ?? `exit ${code}`})`); });
    return child;
  }

  async #feed(child: ChildProcess, request: ReadRequest): Promise<void> {
    const waiting = this.#busy;
    if (!waiting || waiting.job.id !== request.id) return;
    let bytes: Buffer | null = null;
    try {
      const { source } = waiting;
      const length = Math.min(request.length, MAX_READ_BYTES);
      bytes = source.bytes ? source.bytes.subarray(request.offset, request.offset + length) : await source.read(request.offset, length);
    } catch (error) { waiting.readError = error instanceof Error ? error : new Error(String(error)); }
    if (child === this.#child && child.connected) child.send({ type: 'bytes', readId: request.readId, bytes } satisfies BytesReply);
  }

  #answer(reply: Reply): void {
    const waiting = this.#busy;
    if (!waiting || waiting.job.id !== reply.id) return;
    this.#release();
    if (waiting.readError) waiting.reject(waiting.readError);
    else waiting.resolve(reply);
    this.#next();
  }

  #fail(code: ProcessFailure['code'], reason: string): void {
    const waiting = this.#busy;
    this.#stop();
    if (waiting?.readError) waiting.reject(waiting.readError);
    else waiting?.resolve({ type: 'failed', code, reason });
    this.#next();
  }

  #release(): void {
    this.#busy = null;
    clearTimeout(this.#timer);
    this.#child?.unref();
    this.#child?.channel?.unref();
    this.#idle = setTimeout(() => { if (!this.#busy) this.#stop(); }, IDLE_MS);
    this.#idle.unref();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#idle);
    this.#busy = null;
    const child = this.#child;
    this.#child = null;
    child?.kill('SIGKILL');
  }
}
