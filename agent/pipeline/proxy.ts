// Makes the small MP4 of a video by way of one process of its own (av-process.ts). Knows no catalog and no drive: a source in, a
// file in our own folder out.
import { rmSync } from 'node:fs';
import type { ProblemCode } from '../../protocol/words.ts';
import { AvProcess } from './av-process.ts';
import { MAX_PIXELS } from './heic.ts';
import type { ProxyJob, ProxyMade, ProxyReply } from './proxy-worker.ts';
import { siblingScript } from './sibling.ts';
import type { FileSource } from './types.ts';

/** Silence of the process, not the length of the work: a film may take an hour, but it tells every second that it goes on. A drive that must spin up, and the last pass over a large file, take some. */
const SILENCE_MS = 120_000;

export interface ProxyRead { made: ProxyMade | null; code: ProblemCode | null; reason: string | null }
export interface ProxyMakerOptions {
  silenceMs?: number | undefined;
  /** For tests alone: another script that hangs or dies on purpose. */
  script?: URL | undefined;
}

export interface ProxyMaker {
  /** Writes the MP4 to `path`. What cannot be made is an answer; a source that cannot be read throws its own error, and so does `signal`. Without an MP4 nothing stays at `path`. */
  make(source: FileSource, format: string, path: string, signal?: AbortSignal): Promise<ProxyRead>;
  close(): Promise<void>;
}

export function createProxyMaker(options: ProxyMakerOptions = {}): ProxyMaker {
  const child = new AvProcess<ProxyJob, ProxyReply>({ script: options.script ?? siblingScript('proxy-worker', import.meta.url), timeoutMs: options.silenceMs ?? SILENCE_MS, whileSilent: true });
  return {
    async make(source, format, path, signal) {
      let made: ProxyMade | null = null;
      const run = () => child.run(source, (id) => ({ type: 'proxy', id, format, sizeBytes: source.sizeBytes, maxPixels: MAX_PIXELS, path }), signal);
      try {
        let reply = await run();
        // What one file did to the process, an earlier one may have begun: a fresh process decides.
        if (reply.code === 'decoder_crashed') reply = await run();
        if (reply.type === 'done') made = reply.made;
        return { made, code: reply.code, reason: reply.reason };
      } finally { if (!made) rmSync(path, { force: true }); }
    },
    close: () => child.close(),
  };
}

/** A part of a source as a source of its own: the video inside a motion photo. */
export function partOf(source: FileSource, offset: number, length: number): FileSource {
  return {
    ...source, sizeBytes: length, bytes: source.bytes ? source.bytes.subarray(offset, offset + length) : null,
    read: (from, wanted) => source.read(offset + from, Math.max(0, Math.min(wanted, length - from))),
  };
}
