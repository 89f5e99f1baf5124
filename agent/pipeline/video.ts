// Frames of videos, and pictures that only FFmpeg decodes, by way of one process of its own (av-process.ts).
import { PREVIEW_LONG_PX } from '../../protocol/limits.ts';
import { AvProcess, type ProcessFailure } from './av-process.ts';
import { MAX_PIXELS } from './heic.ts';
import type { Pixels } from './render.ts';
import { siblingScript } from './sibling.ts';
import type { FileSource } from './types.ts';
import type { FrameInfo, FrameJob, FrameReply } from './video-worker.ts';

/** A 4K HEVC poster takes about a second; a slow drive may need many for the index of a long recording. */
const FRAME_TIMEOUT_MS = 60_000;

export interface FrameRead { info: FrameInfo; pixels: Pixels | null; code: FrameReply['code'] | ProcessFailure['code']; reason: string | null }
export interface FrameReaderOptions {
  timeoutMs?: number | undefined;
  /** For tests alone: another script that hangs or dies on purpose. */
  script?: URL | undefined;
}

export class FrameReader {
  readonly #process: AvProcess<FrameJob, FrameReply>;

  constructor(options: FrameReaderOptions = {}) {
    this.#process = new AvProcess({ script: options.script ?? siblingScript('video-worker', import.meta.url), timeoutMs: options.timeoutMs ?? FRAME_TIMEOUT_MS });
  }

  /** One upright frame of at most the preview's size. What cannot be decoded is an answer, not an error; a source that cannot be read throws its own error. */
  async read(source: FileSource, format: string, still: boolean): Promise<FrameRead> {
    const reply = await this.#process.run(source, (id) => ({ type: 'frame', id, format, still, sizeBytes: source.sizeBytes, maxSide: PREVIEW_LONG_PX, maxPixels: MAX_PIXELS }));
    if (reply.type === 'failed') return { info: { width: null, height: null, durationS: null, codec: null }, pixels: null, code: reply.code, reason: reply.reason };
    const p = reply.pixels;
    return { info: reply.info, pixels: p && { data: Buffer.from(p.data.buffer, p.data.byteOffset, p.data.byteLength), width: p.width, height: p.height, channels: p.channels }, code: reply.code, reason: reply.reason };
  }

  close(): Promise<void> { return this.#process.close(); }
}
