// Small videos as they are made: what comes out is decoded again, picture by picture. Clips are made here; real ones of
// ../shared/media come on top where they are.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { identify } from '../../../agent/pipeline/identify.ts';
import { findMotion } from '../../../agent/pipeline/motion.ts';
import { ratesFor } from '../../../agent/pipeline/proxy-settings.ts';
import { MAX_PROXY_BYTES } from '../../../protocol/limits.ts';
import { createProxyMaker, partOf } from '../../../agent/pipeline/proxy.ts';
import { bytesSource } from '../../support/file-source.ts';
import { makeClip, tagMp4, turnMp4, type ClipOptions } from '../../support/make-clip.ts';
import { readMp4 } from '../../support/read-mp4.ts';
import { findSharedMedia } from '../../support/shared-media.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });
const dir = mkdtempSync(join(tmpdir(), 'jharokha-proxies-'));
const maker = createProxyMaker();
afterAll(async () => { await maker.close(); rmSync(dir, { recursive: true, force: true }); });
const OUT = join(dir, 'out.mp4');

/** Through the maker as the stage does it: bytes read piece by piece, never by a path. */
async function make(name: string, bytes: Buffer) {
  const type = identify(name, bytes.length, bytes.subarray(0, 4096));
  const read = await maker.make(bytesSource(name, bytes, { whole: false }), type.as === 'asset' ? type.format : 'mp4', OUT);
  return { read, facts: read.made ? await readMp4(OUT) : null };
}
async function clip(name: string, options: Omit<ClipOptions, 'path'>): Promise<Buffer> {
  const path = join(dir, name);
  await makeClip({ ...options, path });
  return readFileSync(path);
}
const colourAt = (facts: { rgb: Buffer; width: number; height: number }, x: number, y: number) => {
  const at = (Math.floor(y * (facts.height - 1)) * facts.width + Math.floor(x * (facts.width - 1))) * 3;
  const [r = 0, g = 0, b = 0] = facts.rgb.subarray(at, at + 3);
  return r > 120 && g < 110 && b < 110 ? 'red' : b > 120 && r < 110 && g < 110 ? 'blue' : g > 120 && r < 110 && b < 110 ? 'green' : `${r},${g},${b}`;
};

describe('a small video', () => {
  it('is an H.264 MP4 with its index first, whatever the container was', async () => {
    for (const [name, options] of [
      ['a.mp4', { sound: true }], ['a.mov', { format: 'mov', sound: true }], ['a.mkv', { format: 'matroska', sound: true }],
      ['a.avi', { format: 'avi', codec: 'mpeg4', sound: true }], ['a.ts', { format: 'mpegts', sound: true }], ['a.wmv', { format: 'asf', codec: 'mpeg4' }], ['silent.mp4', {}],
    ] as const) {
      const { read, facts } = await make(name, await clip(name, { seconds: 3, width: 96, height: 64, ...options }));
      expect(read, name).toMatchObject({ code: null, made: { width: 96, height: 64, sound: 'sound' in options } });
      expect(facts, name).toMatchObject({ codec: 'h264', pixelFormat: 'yuv420p', width: 96, height: 64, sound: 'sound' in options ? 'aac' : null, turned: false });
      expect(facts?.boxes.indexOf('moov'), name).toBeLessThan(facts?.boxes.indexOf('mdat') ?? -1);
      expect(Math.abs((facts?.durationS ?? 0) - (read.made?.saidS ?? 0)), `${name} lasts ${facts?.durationS}`).toBeLessThanOrEqual(0.2);
      expect(facts?.durationS, name).toBeCloseTo(3, 0);
      expect(facts?.frames, name).toBeGreaterThanOrEqual(29);
      if (facts) expect([colourAt(facts, 0.05, 0.9), colourAt(facts, 0.95, 0.9), colourAt(facts, 0.1, 0.1)], name).toEqual(['red', 'blue', 'green']);
    }
  });

  it('has 480 pixels on its short side at most, even sizes, and is never larger than the video', async () => {
    for (const [width, height, wanted] of [[1280, 720, [854, 480]], [540, 960, [480, 854]], [480, 480, [480, 480]], [66, 50, [66, 50]], [2000, 20, [2000, 20]]] as const) {
      const { read } = await make('s.mp4', await clip('s.mp4', { seconds: 0.4, width, height }));
      expect([read.made?.width, read.made?.height], `${width}x${height}`).toEqual(wanted);
    }
    // Odd sizes, which H.264 does not know but older formats do.
    const { read, facts } = await make('odd.avi', await clip('odd.avi', { seconds: 0.4, width: 65, height: 49, format: 'avi', codec: 'mpeg4' }));
    expect([read.made?.width, read.made?.height, facts?.width, facts?.height]).toEqual([64, 48, 64, 48]);
  });

  it('stands upright without being told to', async () => {
    // Green is in the top-left corner of what was filmed; turned clockwise by 90 it comes to the top right, by 270 to the bottom left.
    for (const [degrees, size, x, y] of [[90, [48, 64], 0.9, 0.1], [180, [64, 48], 0.9, 0.9], [270, [48, 64], 0.1, 0.9]] as const) {
      const path = join(dir, `turn${degrees}.mp4`);
      await makeClip({ path });
      turnMp4(path, degrees);
      const { facts } = await make('t.mp4', readFileSync(path));
      expect([facts?.width, facts?.height, facts?.turned], `${degrees}`).toEqual([...size, false]);
      if (facts) expect(colourAt(facts, x, y), `${degrees}`).toBe('green');
    }
  });

  it('tells nothing of the original: no place, no title', async () => {
    const bytes = tagMp4(await clip('tagged.mp4', { sound: true }), { '\u00a9xyz': '+46.1234+009.5678/', '\u00a9nam': 'the secret title' });
    const av = await import('node-av');
    await using said = await av.Demuxer.open(bytes);
    expect(Object.values(said.getFormatContext().metadata?.getAll() ?? {})).toEqual(expect.arrayContaining(['the secret title', '+46.1234+009.5678/']));
    expect((await make('tagged.mp4', bytes)).read.code).toBeNull();
    const out = readFileSync(OUT);
    expect(out.includes('secret title') || out.includes('+46.1234') || out.includes('\u00a9xyz', 0, 'latin1')).toBe(false);
  });

  it('can be jumped into every two seconds, has 30 pictures a second at most, and keeps within its rate', async () => {
    const { facts } = await make('long.mp4', await clip('long.mp4', { seconds: 9, width: 320, height: 240, fps: 60, noise: true, sound: true }));
    expect(facts?.longestGopS).toBeLessThanOrEqual(2.1);
    expect(facts?.framesPerS).toBeLessThanOrEqual(30.5);
    expect(facts?.framesPerS).toBeGreaterThan(28);
    expect(Math.abs((facts?.durationS ?? 0) - 9)).toBeLessThanOrEqual(0.2);
    // A minute of the worst there is must stay within 6 MB; what a buffer of two seconds may be ahead counts less the longer it is.
    expect(readFileSync(OUT).length).toBeLessThanOrEqual((9 * 6_000_000) / 60 + 180_000);
  });

  it('shows film for HDR screens in the usual colours', async () => {
    const { read, facts } = await make('hdr.mp4', await clip('hdr.mp4', { width: 160, height: 120, hdr: true }));
    expect(read.code).toBeNull();
    expect(facts).toMatchObject({ codec: 'h264', pixelFormat: 'yuv420p' });
    // Neither black nor white: what a wrong curve gives.
    expect(facts?.luma).toBeGreaterThan(40);
    expect(facts?.luma).toBeLessThan(180);
    if (facts) expect(colourAt(facts, 0.05, 0.9)).toBe('red');
  });
});

describe('the rate', () => {
  it('falls so that no film passes the limit, and ends where nothing could be seen; a length that cannot be is left aside', () => {
    const hour = 3_600, large = 50e9;
    expect(ratesFor(2 * hour, large, true)).toEqual({ videoBps: 700_000, soundBps: 80_000 });
    for (const hours of [3, 5, 8, 11]) {
      const rates = ratesFor(hours * hour, large, true);
      expect(((rates?.videoBps ?? Infinity) + 80_000) * hours * hour / 8, `${hours} h`).toBeLessThan(MAX_PROXY_BYTES);
      expect(rates?.videoBps).toBeGreaterThan(100_000);
    }
    expect(ratesFor(13 * hour, large, true)).toBeNull();
    expect(ratesFor(1e9, 1_000_000, true)).toEqual({ videoBps: 700_000, soundBps: 80_000 });
    expect(ratesFor(null, 1_000, false)).toEqual({ videoBps: 700_000, soundBps: 0 });
  });
});

describe('what cannot be made', () => {
  it('is named: no picture, nothing, no video at all', async () => {
    const sound = await clip('sound.mp4', { picture: false, sound: true });
    expect((await make('sound.mp4', sound)).read).toMatchObject({ made: null, code: 'not_media', reason: expect.stringContaining('sound') });
    expect((await make('empty.mp4', Buffer.alloc(0))).read).toMatchObject({ made: null, code: 'damaged' });
    expect((await make('noise.mp4', Buffer.alloc(50_000, 'noise'))).read).toMatchObject({ made: null, code: 'damaged' });
    expect((await maker.make(bytesSource('x.xyz', sound), 'xyz', OUT)).code).toBe('unsupported');
    expect(existsSync(OUT)).toBe(false);
  });

  it('is made as far as it goes where the file was cut off', async () => {
    const whole = await clip('whole.mp4', { seconds: 12, width: 320, height: 240, indexFirst: true, noise: true });
    const { read } = await make('cut.mp4', whole.subarray(0, Math.floor(whole.length / 2)));
    expect(read.made?.saidS).toBeCloseTo(12, 0);
    expect(read.made?.durationS).toBeGreaterThan(3);
    expect(read.made?.durationS).toBeLessThan(9);
    // Its index lay behind the cut.
    const late = await clip('late.mp4', { seconds: 2 });
    expect((await make('late.mp4', late.subarray(0, late.length - 200))).read).toMatchObject({ made: null, code: 'damaged' });
  });

  it('hands on the errors of the source, and goes on with the next', async () => {
    const bytes = await clip('fine.mp4', {});
    const broken = { ...bytesSource('a.mp4', bytes, { whole: false }), read: () => Promise.reject(Object.assign(new Error('i/o error'), { code: 'EIO' })) };
    await expect(maker.make(broken, 'mp4', OUT)).rejects.toMatchObject({ code: 'EIO' });
    expect((await make('fine.mp4', bytes)).read.code).toBeNull();
  });
});

describe('a process that misbehaves', () => {
  const source = (word: string) => bytesSource(`${word}.mp4`, Buffer.from(word));
  const bad = createProxyMaker({ silenceMs: 1_000, script: new URL('./workers/bad-proxy-worker.ts', import.meta.url) });
  afterAll(() => bad.close());

  it('is named after a crash or a silence, leaves no file, and the next is made', async () => {
    for (const [word, code] of [['crash', 'decoder_crashed'], ['hang', 'decoder_timeout'], ['fine', null]] as const) {
      expect((await bad.make(source(word), 'mp4', OUT)).code, word).toBe(code);
      expect(existsSync(OUT), word).toBe(code === null);
    }
  });

  it('is given a second chance after a crash, and all the time it needs while it goes on', async () => {
    expect((await bad.make(source('once'), 'mp4', join(dir, 'once.mp4'))).code).toBeNull();
    expect((await bad.make(source('slow'), 'mp4', OUT)).code).toBeNull();
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const running = bad.make(source('slow'), 'mp4', OUT, stop.signal);
    setTimeout(() => { stop.abort(); }, 300);
    await expect(running).rejects.toThrow('stopped');
    expect(existsSync(OUT)).toBe(false);
    await expect(bad.make(source('fine'), 'mp4', OUT, stop.signal)).rejects.toThrow('stopped');
    expect((await bad.make(source('fine'), 'mp4', OUT)).code).toBeNull();
  });
});

const media = findSharedMedia();
describe.skipIf(media.dir === undefined)(`real videos of ${media.dir === undefined ? `nothing (skipped: ${media.reason})` : 'shared/media'}`, () => {
  /** Cut-down samples without a whole picture: the reason each one is named for. */
  const WITHOUT = ['Matroska.mkv', 'QuickTime.mov', 'quicktime-jpeg.mov'];
  const folder = join(media.dir ?? '', 'video');
  const names = media.dir === undefined ? [] : readdirSync(folder).filter((name) => !name.endsWith('.xmp'));

  it.each(names)('%s', async (name) => {
    const { read, facts } = await make(name, readFileSync(join(folder, name)));
    if (WITHOUT.includes(name)) { expect(read).toMatchObject({ made: null, code: 'damaged' }); return; }
    expect(read.code, read.reason ?? '').toBeNull();
    expect(facts).toMatchObject({ codec: 'h264', pixelFormat: 'yuv420p', turned: false });
    expect(facts?.boxes.indexOf('moov')).toBeLessThan(facts?.boxes.indexOf('mdat') ?? -1);
    expect(Math.abs((facts?.durationS ?? 0) - (read.made?.saidS ?? 0))).toBeLessThanOrEqual(0.2);
    expect(Math.min(facts?.width ?? 0, facts?.height ?? 0)).toBeLessThanOrEqual(480);
    if (name === 'rotate270.mp4') expect([facts?.width, facts?.height]).toEqual([60, 80]);
  });

  it.each(['samsung-one-ui-6.heic', 'synthetic_samsung_sef.jpg', 'synthetic_microvideo_v1.jpg', 'synthetic_motionphoto_v2.MP.jpg'])('the video inside the motion photo %s', async (name) => {
    const bytes = readFileSync(join(media.dir ?? '', 'motion-photos', name));
    const motion = findMotion(name.endsWith('.heic') ? 'heic' : 'jpeg', bytes);
    if (!motion) throw new Error('no motion photo');
    const read = await maker.make(partOf(bytesSource(name, bytes, { whole: false }), motion.offset_bytes, motion.length_bytes), 'mp4', OUT);
    expect(read.code, read.reason ?? '').toBeNull();
    expect(await readMp4(OUT)).toMatchObject({ codec: 'h264', pixelFormat: 'yuv420p', turned: false });
  });
});
