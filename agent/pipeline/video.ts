// Frames of videos, and pictures that only FFmpeg decodes, by way of one process of its own: started at need, ended when idle,
// killed when it hangs. Feeds it bytes from the FileSource, so that it never opens a path.
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PREVIEW_LONG_PX } from '../../protocol/limits.ts';
import { MAX_PIXELS } from './heic.ts';
import type { Pixels } from './render.ts';
import { siblingScript } from './sibling.ts';
import { ReadError, type FileSource } from './types.ts';
import type { BytesReply, FrameInfo, FrameJob, FrameReply, ReadRequest } from './video-worker.ts';

/** A 4K HEVC poster takes about a second; a slow drive may need many for the index of a long recording. */
const FRAME_TIMEOUT_MS = 60_000;
/** Not more is ever read for one request of the process. */
const MAX_READ_BYTES = 4_000_000;
const IDLE_MS = 20_000;

export interface FrameRead { info: FrameInfo; pixels: Pixels | null; code: Exclude<FrameReply['code'], null> | 'decoder_crashed' | 'decoder_timeout' | null; reason: string | null }
export interface FrameReaderOptions {
  timeoutMs?: number | undefined;
  /** For tests alone: another script that hangs or dies on purpose. */
  script?: URL | undefined;
}

interface Waiting { source: FileSource; job: FrameJob; resolve: (read: FrameRead) => void; reject: (error: Error) => void; readError: Error | null }

export class FrameReader {
  readonly #timeoutMs: number;
  readonly #script: URL;
  readonly #queue: Waiting[] = [];
  #child: ChildProcess | null = null;
  #busy: Waiting | null = null;
  #timer: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: FrameReaderOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? FRAME_TIMEOUT_MS;
    this.#script = options.script ?? siblingScript('video-worker', import.meta.url);
  }

  /** One upright frame of at most the preview's size. What cannot be decoded is an answer, not an error; a source that cannot be read throws its own error. */
  read(source: FileSource, format: string, still: boolean): Promise<FrameRead> {
    if (this.#closed) return Promise.reject(new ReadError('other', 'decode', 'the reader is closed'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ source, job: { type: 'frame', id: this.#nextId++, format, still, sizeBytes: source.sizeBytes, maxSide: PREVIEW_LONG_PX, maxPixels: MAX_PIXELS }, resolve, reject, readError: null });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) waiting.reject(new ReadError('other', 'decode', 'the reader is closed'));
    const child = this.#child;
    // An idle child does not hold the event loop; the wait for its end must.
    child?.ref();
    const ended = child && child.exitCode === null && child.signalCode === null ? new Promise((resolve) => child.once('exit', resolve)) : undefined;
    this.#stop();
    await ended;
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
    this.#timer = setTimeout(() => this.#fail('decoder_timeout', `the decoder did not answer within ${Math.round(this.#timeoutMs / 1000)} s`), this.#timeoutMs);
    child.send(waiting.job);
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(this.#script), [], { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' }, serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    child.on('message', (message: ReadRequest | FrameReply) => { if (child === this.#child) { if (message.type === 'read') void this.#feed(child, message); else this.#answer(message); } });
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

  #answer(reply: FrameReply): void {
    const waiting = this.#busy;
    if (!waiting || waiting.job.id !== reply.id) return;
    this.#release();
    if (waiting.readError) waiting.reject(waiting.readError);
    else {
      const p = reply.pixels;
      waiting.resolve({ info: reply.info, pixels: p && { data: Buffer.from(p.data.buffer, p.data.byteOffset, p.data.byteLength), width: p.width, height: p.height, channels: p.channels }, code: reply.code, reason: reply.reason });
    }
    this.#next();
  }

  #fail(code: 'decoder_crashed' | 'decoder_timeout', reason: string): void {
    const waiting = this.#busy;
    this.#stop();
    if (waiting) waiting.resolve({ info: { width: null, height: null, durationS: null }, pixels: null, code, reason });
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
