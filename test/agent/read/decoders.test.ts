// Decoders that hang or crash take down themselves and one picture, never the agent; and both kinds end with the reader.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { HeicPool } from '../../../agent/pipeline/heic.ts';
import { createReader } from '../../../agent/pipeline/reader.ts';
import { FrameReader } from '../../../agent/pipeline/video.ts';
import { bytesSource, fileSource, identifySource, readBoth } from '../../support/file-source.ts';
import { makeVideo } from '../../support/make-media.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const heicScript = new URL('./workers/bad-heic-worker.ts', import.meta.url);
const videoScript = new URL('./workers/bad-video-worker.ts', import.meta.url);
const heicFile = (word: string) => Buffer.concat([Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), Buffer.from(word)]);
const dir = mkdtempSync(join(tmpdir(), 'jharokha-decoders-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('HEIC threads', () => {
  const pool = new HeicPool({ workers: 1, timeoutMs: 1_500, script: heicScript });
  afterAll(() => pool.close());

  it('goes on after a crash, an exit and a hang', async () => {
    await expect(pool.decode('full', heicFile('fine'))).resolves.toMatchObject({ width: 8, height: 8 });
    await expect(pool.decode('full', heicFile('crash'))).rejects.toMatchObject({ code: 'decoder_crashed' });
    await expect(pool.decode('full', heicFile('exit'))).rejects.toMatchObject({ code: 'decoder_crashed' });
    await expect(pool.decode('full', heicFile('hang'))).rejects.toMatchObject({ code: 'decoder_timeout' });
    await expect(pool.decode('full', heicFile('fine'))).resolves.toMatchObject({ width: 8 });
  });

  it('serves what waited behind a hanging job', async () => {
    const hanging = pool.decode('full', heicFile('hang'));
    const waiting = pool.decode('thumbnail', heicFile('fine'));
    await expect(hanging).rejects.toMatchObject({ code: 'decoder_timeout' });
    await expect(waiting).resolves.toMatchObject({ width: 8 });
  });

  it('refuses work after close, and rejects what waits', async () => {
    const closing = new HeicPool({ workers: 1, timeoutMs: 60_000, script: heicScript });
    const running = closing.decode('full', heicFile('hang'));
    const queued = closing.decode('full', heicFile('fine'));
    const both = Promise.allSettled([running, queued]);
    await closing.close();
    expect((await both).map((r) => r.status)).toEqual(['rejected', 'rejected']);
    await expect(closing.decode('full', heicFile('fine'))).rejects.toThrow('closed');
  });
});

describe('a reader whose decoders misbehave', () => {
  const reader = createReader({ heicWorkers: 1, decodeTimeoutMs: 1_500, heicWorkerScript: heicScript, videoWorkerScript: videoScript });
  afterAll(() => reader.close());

  it('fails a HEIC that yields nothing, by name and reason, and reads the next', async () => {
    for (const [word, code] of [['crash', 'decoder_crashed'], ['hang', 'decoder_timeout']] as const) {
      await expect(readBoth(reader, fileSource(dir, `${word}.heic`, heicFile(word)))).rejects.toMatchObject({ name: 'ReadError', code });
    }
    const { quick, rest } = await readBoth(reader, fileSource(dir, 'fine.heic', heicFile('fine')));
    expect(quick.facts).toMatchObject({ width: 8, height: 8, color: '#c8c8c8' });
    expect(rest?.preview ?? quick.preview).not.toBeNull();
  });

  it('names a video whose decoder crashed or hung, and reads the next', async () => {
    for (const [word, code] of [['crash', 'decoder_crashed'], ['hang', 'decoder_timeout']] as const) {
      const source = fileSource(dir, `${word}.avi`, Buffer.from(`RIFF\0\0\0\0AVI LIST${word}`, 'latin1'));
      const type = identifySource(reader, source);
      if (type.as !== 'asset') throw new Error('no asset');
      const outcome = await reader.quick(source, type).then((q) => q.facts.problems, (e: unknown) => [e]);
      expect(outcome).toContainEqual(expect.objectContaining({ code }));
    }
    const { quick } = await readBoth(reader, fileSource(dir, 'fine.avi', Buffer.from('RIFF\0\0\0\0AVI LISTfine', 'latin1')));
    expect(quick.grid).not.toBeNull();
  });
});

describe('the FFmpeg process', () => {
  it('reads a source piece by piece, without opening its path, and hands on the source\'s own errors', async () => {
    const frames = new FrameReader();
    try {
      const path = join(dir, 'a.mp4');
      await makeVideo({ path, width: 96, height: 64 });
      const { readFileSync } = await import('node:fs');
      const bytes = readFileSync(path);
      const read = await frames.read(bytesSource('a.mp4', bytes, { whole: false }), 'mp4', false);
      expect(read).toMatchObject({ code: null, info: { width: 96, height: 64 } });
      expect(read.info.durationS).toBeCloseTo(3, 0);
      const broken = { ...bytesSource('a.mp4', bytes, { whole: false }), read: () => Promise.reject(Object.assign(new Error('i/o error'), { code: 'EIO' })) };
      await expect(frames.read(broken, 'mp4', false)).rejects.toMatchObject({ code: 'EIO' });
      await expect(frames.read(bytesSource('a.mp4', bytes), 'mp4', false)).resolves.toMatchObject({ code: null });
    } finally { await frames.close(); }
  });
});
