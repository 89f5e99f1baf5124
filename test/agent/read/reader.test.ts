// The reader over small files made here: facts, upright sizes, renditions, and every kind of bad input that needs no real camera.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { turn } from '../../../agent/pipeline/decode.ts';
import { createReader } from '../../../agent/pipeline/reader.ts';
import type { Rendered } from '../../../agent/pipeline/types.ts';
import { resolveTime } from '../../../protocol/resolve.ts';
import { AssetFacts } from '../../../protocol/rows.ts';
import { GRID_VERSION, PREVIEW_VERSION } from '../../../protocol/versions.ts';
import { bytesSource, fileSource, readBoth } from '../../support/file-source.ts';
import { makeClip } from '../../support/make-clip.ts';
import { ASCII, cornerPixels, makeBombPng, makeExif, makePicture, makeVideo, phoneExif, RATIONAL, withExif, withSegment, withXmp } from '../../support/make-media.ts';

// Real decoders and a real ExifTool on a machine that others may use too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
const reader = createReader({ heicWorkers: 1 });
afterAll(() => reader.close());
const dir = mkdtempSync(join(tmpdir(), 'jharokha-read-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = (name: string, bytes: Buffer) => fileSource(dir, name, bytes);
const sizeOf = async (rendered: Rendered | null | undefined) => { const m = rendered ? await sharp(rendered.bytes).metadata() : null; return m ? [m.format, m.width, m.height] : null; };
const pixelAt = async (rendered: Rendered | null, x: number, y: number) => {
  const { data, info } = await sharp(rendered?.bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (Math.floor(y * (info.height - 1)) * info.width + Math.floor(x * (info.width - 1))) * 4;
  return [...data.subarray(at, at + 4)];
};

describe('pictures', () => {
  it('reads every format of sharp, small ones at their own size', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const) {
      const { quick } = await readBoth(reader, file(`a.${format}`, await makePicture({ format, width: 64, height: 48 })));
      expect(quick, format).toMatchObject({ unfinished: false, facts: { kind: 'image', width: 64, height: 48, problems: [] } });
      expect(AssetFacts.safeParse({ ...quick.facts, sha256: '0'.repeat(64), size_bytes: 1 }).success, format).toBe(true);
      expect(await sizeOf(quick.grid), format).toEqual(['webp', 64, 48]);
      expect(quick).toMatchObject({ grid: { version: GRID_VERSION }, preview: { version: PREVIEW_VERSION } });
      const [r = 0, g = 0, b = 0] = await pixelAt(quick.grid, 0.02, 0.9);
      expect(r > 150 && g < 100 && b < 100, `${format}: left is red, is ${r},${g},${b}`).toBe(true);
      expect(quick.facts.color).toMatch(/^#[0-9a-f]{6}$/);
    }
  });

  it('makes the grid of a large JPEG first and its preview later, both in their sizes', async () => {
    const { quick, rest } = await readBoth(reader, file('large.jpg', await makePicture({ width: 3_000, height: 2_250, exif: phoneExif({ taken: '2020:01:02 03:04:05' }) })));
    expect(quick).toMatchObject({ unfinished: true, preview: null, facts: { width: 3_000, height: 2_250 } });
    expect(await sizeOf(quick.grid)).toEqual(['webp', 587, 440]);
    expect(await sizeOf(rest?.preview)).toEqual(['webp', 1_600, 1_200]);
    expect(rest).toMatchObject({ grid: null, problems: [] });
  });

  it('caps very wide ones, and copes with one pixel', async () => {
    const wide = await readBoth(reader, file('wide.png', await makePicture({ format: 'png', width: 5_000, height: 100 })));
    expect([await sizeOf(wide.quick.grid), await sizeOf(wide.quick.preview)]).toEqual([['webp', 1_320, 26], ['webp', 1_600, 32]]);
    const tall = await readBoth(reader, file('tall.png', await makePicture({ format: 'png', width: 2, height: 9_000 })));
    expect([await sizeOf(tall.quick.grid), await sizeOf(tall.quick.preview)]).toEqual([['webp', 1, 440], ['webp', 1, 1_600]]);
    const dot = await readBoth(reader, file('dot.png', await makePicture({ format: 'png', width: 1, height: 1 })));
    expect(await sizeOf(dot.quick.grid)).toEqual(['webp', 1, 1]);
  });

  it('turns all eight orientations upright', async () => {
    const upright = await makePicture({ width: 80, height: 40 });
    for (let orientation = 1; orientation <= 8; orientation++) {
      // The inverse turn of the pixels, then the tag that undoes it.
      const base = sharp(cornerPixels(80, 40), { raw: { width: 80, height: 40, channels: 3 } });
      const turned = (degrees: number) => base.clone().rotate(degrees);
      const stored = { 1: base, 2: base.clone().flop(), 3: turned(180), 4: base.clone().flip(), 5: turned(270).flop(), 6: turned(270), 7: turned(90).flop(), 8: turned(90) }[orientation];
      const jpeg = withExif((await stored?.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()) ?? upright, phoneExif({ orientation, taken: '2020:01:02 03:04:05' }));
      const { quick } = await readBoth(reader, file(`o${orientation}.jpg`, jpeg));
      expect(quick.facts, `orientation ${orientation}`).toMatchObject({ width: 80, height: 40 });
      const [r = 0, g = 0] = await pixelAt(quick.grid, 0.1, 0.1);
      const byHand = await turn(sharp(jpeg), orientation).raw().toBuffer();
      expect(byHand.equals(await sharp(jpeg).autoOrient().raw().toBuffer()), `orientation ${orientation} turned by hand`).toBe(true);
      expect(g > 150 && r < 100, `orientation ${orientation}: the top left is green`).toBe(true);
    }
  });

  it('takes nonsense orientations as upright', async () => {
    for (const orientation of [0, 9, 65_535]) {
      const { quick } = await readBoth(reader, file(`bad-o${orientation}.jpg`, withExif(await makePicture({ width: 80, height: 40 }), phoneExif({ orientation, taken: '2020:01:02 03:04:05' }))));
      expect(quick.facts).toMatchObject({ width: 80, height: 40 });
    }
  });

  it('keeps transparency, takes the first frame, and converts colour to sRGB', async () => {
    const alpha = await readBoth(reader, file('alpha.png', await makePicture({ format: 'png', alpha: true })));
    expect((await pixelAt(alpha.quick.grid, 0.5, 0.95))[3]).toBe(0);
    expect((await pixelAt(alpha.quick.grid, 0.5, 0.05))[3]).toBe(255);
    const frames = await sharp([await makePicture({ format: 'png', seed: 1 }), await makePicture({ format: 'png', seed: 2 })], { join: { animated: true } }).gif().toBuffer();
    const animated = await readBoth(reader, file('moving.gif', frames));
    expect(animated.quick.facts).toMatchObject({ width: 64, height: 48 });
    expect(await sizeOf(animated.quick.grid)).toEqual(['webp', 64, 48]);
    // sRGB red is inside P3: stored in P3 its red is 234 of 255, and shown it must be full again.
    const p3 = await sharp({ create: { width: 32, height: 32, channels: 3, background: '#ff0000' } }).withIccProfile('p3').png().toBuffer();
    const [r = 0, g = 0, b = 0] = await pixelAt((await readBoth(reader, file('p3.png', p3))).quick.grid, 0.5, 0.5);
    expect(r > 248 && g < 12 && b < 12, `${r},${g},${b}`).toBe(true);
    const cmyk = await sharp({ create: { width: 32, height: 32, channels: 3, background: '#20c040' } }).toColourspace('cmyk').jpeg().toBuffer();
    const [cr = 0, cg = 0, cb = 0] = await pixelAt((await readBoth(reader, file('cmyk.jpg', cmyk))).quick.grid, 0.5, 0.5);
    expect(cg > cr + 40 && cg > cb + 40, `${cr},${cg},${cb}`).toBe(true);
    const deep = await sharp(cornerPixels(64, 48), { raw: { width: 64, height: 48, channels: 3 } }).toColourspace('rgb16').png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    const [dr = 0] = await pixelAt((await readBoth(reader, file('deep.png', deep))).quick.grid, 0.02, 0.9);
    expect(dr).toBeGreaterThan(180);
  });

  it('reads through FFmpeg what sharp cannot', async () => {
    const { quick } = await readBoth(reader, file('a.bmp', makeBmp(8, 4)));
    expect(quick.facts).toMatchObject({ mime: 'image/bmp', width: 8, height: 4, problems: [] });
    expect(await sizeOf(quick.grid)).toEqual(['webp', 8, 4]);
  });
});

/** A 24-bit BMP of one colour. */
function makeBmp(width: number, height: number): Buffer {
  const row = Math.ceil((width * 3) / 4) * 4;
  const b = Buffer.alloc(54 + row * height, 0x40);
  b.write('BM', 0, 'latin1'); b.writeUInt32LE(b.length, 2); b.writeUInt32LE(0, 6); b.writeUInt32LE(54, 10);
  b.writeUInt32LE(40, 14); b.writeInt32LE(width, 18); b.writeInt32LE(height, 22); b.writeUInt16LE(1, 26); b.writeUInt16LE(24, 28);
  b.fill(0, 30, 54);
  return b;
}

describe('facts', () => {
  it('reads what a phone writes', async () => {
    const exif = phoneExif({ taken: '2018:05:30 21:25:39', offset: '+02:00', latitude: 56.153775, longitude: 10.199317, gpsUtc: ['2018:05:30', 19, 25, 24] });
    const { quick } = await readBoth(reader, file('phone.jpg', await makePicture({ exif })));
    expect(quick.facts).toMatchObject({ camera: 'Apple iPhone 12 Pro', lens: 'iPhone 12 Pro back camera', gps_zone: 'Europe/Copenhagen', exposure: { f_number: 1.8, iso: 64, focal_mm: 5.7 } });
    expect(quick.facts.exposure?.time_s).toBeCloseTo(1 / 120, 3);
    expect(quick.facts.latitude).toBeCloseTo(56.153775, 5);
    expect(quick.facts.longitude).toBeCloseTo(10.199317, 5);
    const time = resolveTime({ claims: quick.facts.time_claims, gpsZone: quick.facts.gps_zone, homeZone: 'Asia/Tokyo', nowMs: Date.UTC(2026, 0, 1) });
    expect(time).toEqual({ takenAt: '2018-05-30T21:25:39', source: 'exif_original', offsetMinutes: 120, offsetSource: 'exif', doubtful: false, basis: null });
    expect(quick.rawMetadata).toMatchObject({ Model: 'iPhone 12 Pro' });
  });

  it('needs no ExifTool where there is nothing to find or exifr found it', async () => {
    // The path of these sources does not exist: asking ExifTool would leave a problem behind.
    for (const [name, bytes] of [['plain.jpg', await makePicture()], ['plain.png', await makePicture({ format: 'png' })], ['dated.jpg', await makePicture({ exif: phoneExif({ taken: '2020:01:02 03:04:05' }) })]] as const) {
      const { quick } = await readBoth(reader, bytesSource(name, bytes));
      expect(quick.facts.problems, name).toEqual([]);
    }
  });

  it('asks ExifTool where there is EXIF without a capture time', async () => {
    // exifr reads no dates from here; ExifTool knows the maker's own.
    const { quick } = await readBoth(reader, bytesSource('gone.jpg', await makePicture({ exif: phoneExif() })));
    expect(quick.facts.problems).toMatchObject([{ code: 'bad_metadata' }]);
    const there = await readBoth(reader, file('there.jpg', await makePicture({ exif: phoneExif() })));
    expect(there.quick.facts.problems).toEqual([]);
  });

  it('finds the EXIF block behind an XMP block, and dates in XMP alone', async () => {
    const both = withSegment(withXmp(await makePicture(), `xmlns:xmp='x' xmp:CreateDate='2019-01-01T00:00:00'`), 0xe2, Buffer.from('MPF\0'));
    const app1Last = Buffer.concat([both.subarray(0, both.length)]);
    const { quick } = await readBoth(reader, bytesSource('pixel.jpg', insertBehindApp(app1Last, phoneExif({ taken: '2022:07:24 23:06:50' }))));
    expect(quick.facts.time_claims[0]).toMatchObject({ source: 'exif_original', wall: '2022-07-24T23:06:50' });
    const xmp = await readBoth(reader, file('xmp.jpg', withXmp(await makePicture(), `exif:DateTimeOriginal='2019-05-21T10:45:52-03:00' exif:GPSLatitude='39,2.5N' exif:GPSLongitude='108,30W'`)));
    expect(xmp.quick.facts).toMatchObject({ latitude: 39.0416667, longitude: -108.5, gps_zone: 'America/Denver' });
    expect(xmp.quick.facts.time_claims).toContainEqual({ source: 'xmp', wall: '2019-05-21T10:45:52', utc_ms: null, offset_minutes: -180, offset_source: 'exif' });
  });

  it('gives null and a named problem for absurd metadata', async () => {
    const taken = '2020:01:02 03:04:05';
    const absurd: [string, Buffer, object][] = [
      ['nan gps', makeExif({ exif: [[0x9003, ASCII, taken]], gps: [[1, ASCII, 'N'], [2, RATIONAL, [0, 0, 0, 0, 0, 0]], [3, ASCII, 'E'], [4, RATIONAL, [0, 0, 0, 0, 0, 0]]] }), { latitude: null, longitude: null, gps_zone: null }],
      ['latitude 213', makeExif({ exif: [[0x9003, ASCII, taken]], gps: [[1, ASCII, 'N'], [2, RATIONAL, [213, 1, 0, 1, 0, 1]], [3, ASCII, 'E'], [4, RATIONAL, [10, 1, 0, 1, 0, 1]]] }), { latitude: null, problems: [{ code: 'bad_metadata' }] }],
      ['null island', makeExif({ exif: [[0x9003, ASCII, taken]], gps: [[1, ASCII, 'N'], [2, RATIONAL, [0, 1, 0, 1, 0, 1]], [3, ASCII, 'E'], [4, RATIONAL, [0, 1, 0, 1, 0, 1]]] }), { latitude: null, problems: [{ code: 'bad_metadata', reason: 'position 0,0 is doubtful' }] }],
      ['exposure 0/0', makeExif({ exif: [[0x9003, ASCII, taken], [0x829a, RATIONAL, [0, 0]], [0x829d, RATIONAL, [1, 0]]] }), { exposure: null }],
      ['control characters', makeExif({ ifd0: [[0x0110, ASCII, 'a\u0001\u0002b\nc']], exif: [[0x9003, ASCII, taken]] }), { camera: 'a b c' }],
      ['huge text', makeExif({ ifd0: [[0x0110, ASCII, 'x'.repeat(50_000)]], exif: [[0x9003, ASCII, taken]] }), { camera: 'x'.repeat(200) }],
    ];
    for (const [what, exif, want] of absurd) {
      const { quick } = await readBoth(reader, file(`${what.replace('/', ' of ')}.jpg`, await makePicture({ exif })));
      expect(quick.facts, what).toMatchObject(want);
      expect(AssetFacts.safeParse({ ...quick.facts, sha256: '0'.repeat(64), size_bytes: 1 }).success, what).toBe(true);
    }
    for (const date of ['0000:00:00 00:00:00', '    :  :     :  :  ', '2018:13:77 99:00:00']) {
      const { quick } = await readBoth(reader, file('date.jpg', await makePicture({ exif: phoneExif({ taken: date }) })));
      expect(quick.facts.time_claims, date).toEqual([]);
      expect(quick.facts.problems.length, date).toBe(date.startsWith('2018') ? 1 : 0);
    }
  });

  it('survives EXIF blocks with every byte broken in turn', async () => {
    const exif = phoneExif({ taken: '2018:05:30 21:25:39', offset: '+02:00', latitude: 56.1, longitude: 10.2 });
    const plain = await makePicture({ width: 8, height: 8 });
    const path = join(dir, 'phone.jpg');
    for (let i = 0; i < exif.length; i += 3) {
      const broken = Buffer.from(exif);
      broken[i] = (broken[i] ?? 0) ^ 0xff;
      const { quick } = await readBoth(reader, bytesSource('x.jpg', withExif(plain, broken), { path }));
      expect(AssetFacts.safeParse({ ...quick.facts, sha256: '0'.repeat(64), size_bytes: 1 }).success, `byte ${i}`).toBe(true);
    }
  });
});

/** Puts an EXIF segment behind the two first segments of a JPEG. */
function insertBehindApp(jpeg: Buffer, exif: Buffer): Buffer {
  let at = 2;
  for (let i = 0; i < 2; i++) at += 2 + jpeg.readUInt16BE(at + 2);
  const segment = withExif(Buffer.from([0xff, 0xd8]), exif).subarray(2);
  return Buffer.concat([jpeg.subarray(0, at), segment, jpeg.subarray(at)]);
}

describe('bad input', () => {
  it('shows a cut JPEG and PNG in part, and says so, in both phases', async () => {
    const noise = Buffer.from(Array.from({ length: 600 * 400 * 3 }, (_, i) => (i * 7_919) & 255));
    for (const [name, image] of [['cut.jpg', sharp(noise, { raw: { width: 600, height: 400, channels: 3 } }).jpeg()], ['cut.png', sharp(noise, { raw: { width: 600, height: 400, channels: 3 } }).png()]] as const) {
      const whole = await image.toBuffer();
      const { quick } = await readBoth(reader, file(name, whole.subarray(0, whole.length >> 1)));
      expect(quick.facts, name).toMatchObject({ width: 600, height: 400, problems: [{ code: 'truncated' }] });
      expect(await sizeOf(quick.grid), name).toEqual(['webp', 600, 400]);
    }
    const large = await makePicture({ width: 2_400, height: 1_800 });
    const { quick, rest } = await readBoth(reader, file('cut-large.jpg', large.subarray(0, large.length >> 1)));
    expect(quick.facts.problems).toMatchObject([{ code: 'truncated' }]);
    expect(await sizeOf(rest?.preview)).toEqual(['webp', 1_600, 1_200]);
  });

  it('names a wrong extension and reads by content', async () => {
    const { quick } = await readBoth(reader, file('really-a.mov', await makePicture()));
    expect(quick.facts).toMatchObject({ kind: 'image', problems: [{ code: 'bad_name' }] });
    expect((await readBoth(reader, file('noextension', await makePicture()))).quick.facts.problems).toEqual([]);
  });

  it('refuses a pixel bomb by its header, and takes 200 megapixels', async () => {
    await expect(readBoth(reader, file('bomb.png', makeBombPng(65_536)))).rejects.toMatchObject({ name: 'ReadError', code: 'too_large' });
    const large = await sharp({ create: { width: 16_320, height: 12_240, channels: 3, background: '#336699' } }).jpeg({ quality: 50 }).toBuffer();
    const { quick } = await readBoth(reader, file('200mp.jpg', large));
    expect(quick.facts).toMatchObject({ width: 16_320, height: 12_240, problems: [] });
    expect(quick.grid).not.toBeNull();
  });

  it('fails garbage behind a good magic number with a reason', async () => {
    const cases: [string, Buffer][] = [
      ['a.jpg', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(500, 7)])], ['a.png', Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(500)])],
      ['a.heic', Buffer.concat([Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), Buffer.alloc(500)])], ['a.webp', Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP', 'latin1'), Buffer.alloc(500)])],
      ['a.mp4', Buffer.concat([Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1'), Buffer.alloc(500)])], ['a.avi', Buffer.concat([Buffer.from('RIFF\0\0\0\0AVI ', 'latin1'), Buffer.alloc(500)])],
      ['a.jxl', Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.alloc(500)])], ['a.nef', Buffer.concat([Buffer.from('II*\0\x08\0\0\0', 'latin1'), Buffer.alloc(500)])],
    ];
    for (const [name, bytes] of cases) {
      const outcome = await readBoth(reader, file(name, bytes)).then(({ quick }) => quick.facts.problems.map((p) => p.code), (error: { name: string; code: string; message: string }) => (error.name === 'ReadError' && error.message.length > 5 ? [error.code] : [`threw ${error.message}`]));
      expect(outcome.some((code) => ['damaged', 'truncated', 'unsupported', 'not_media'].includes(code)), `${name}: ${outcome.join()}`).toBe(true);
    }
  });

  it('keeps the facts of a photo whose pixels are gone', async () => {
    const whole = await makePicture({ width: 600, height: 400, exif: phoneExif({ taken: '2020:01:02 03:04:05', latitude: 10, longitude: 20 }) });
    const { quick } = await readBoth(reader, file('headonly.jpg', whole.subarray(0, whole.indexOf(Buffer.from([0xff, 0xdb])))));
    expect(quick.facts).toMatchObject({ latitude: 10, longitude: 20, time_claims: [{ wall: '2020-01-02T03:04:05' }] });
    expect(quick.grid).toBeNull();
    expect(quick.facts.problems.length).toBeGreaterThan(0);
  });

  it('survives pictures with random bytes broken', async () => {
    let seed = 99;
    const next = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) % n;
    const path = join(dir, 'phone.jpg');
    for (const format of ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const) {
      const good = await makePicture({ format, ...(format === 'jpeg' ? { exif: phoneExif({ taken: '2020:01:02 03:04:05' }) } : {}) });
      for (let round = 0; round < 12; round++) {
        const bytes = Buffer.from(good);
        for (let k = 0; k <= round; k++) bytes[16 + next(bytes.length - 16)] = next(256);
        const outcome = await readBoth(reader, bytesSource(`x.${format}`, bytes, { path })).then(({ quick }) => AssetFacts.safeParse({ ...quick.facts, sha256: '0'.repeat(64), size_bytes: 1 }).success, (error: { name: string }) => error.name === 'ReadError');
        expect(outcome, `${format} round ${round}`).toBe(true);
      }
    }
  });
});

describe('videos', () => {
  it('gives a poster frame, upright size and duration', async () => {
    for (const format of ['mp4', 'mov', 'avi', 'matroska', 'mpegts', 'asf'] as const) {
      const path = join(dir, `v.${{ matroska: 'mkv', mpegts: 'mts', asf: 'wmv' }[format as string] ?? format}`);
      await makeVideo({ path, format, width: 96, height: 64 });
      const source = { ...bytesSource(path.split('/').pop() ?? '', readFileSync(path)), path };
      const { quick } = await readBoth(reader, source);
      expect(quick.facts, format).toMatchObject({ kind: 'video', width: 96, height: 64, problems: [], codec: 'mpeg4' });
      expect(quick.facts.duration_ms, format).toBeGreaterThan(2_000);
      expect(quick.facts.duration_ms, format).toBeLessThan(4_000);
      const again = await reader.rest(source, quick.facts);
      expect(again, `${format} again`).toMatchObject({ width: 96, height: 64, problems: [], preview: { version: PREVIEW_VERSION } });
      const [r = 0, , b = 0] = await pixelAt(quick.grid, 0.05, 0.9);
      expect(r > b + 80, `${format}: left is red`).toBe(true);
    }
  });

  it('names one that holds sound and no picture, and a movie of no bytes, and reads the next', async () => {
    for (const format of ['mp4', 'mov'] as const) {
      const path = join(dir, `sound.${format}`);
      await makeClip({ path, format, picture: false, sound: true });
      await expect(readBoth(reader, { ...bytesSource(`sound.${format}`, readFileSync(path)), path })).rejects.toMatchObject({ name: 'ReadError', code: 'not_media', message: expect.stringContaining('it holds sound and no picture') as string });
    }
    expect(reader.identify('IMG_1.MOV', 0, Buffer.alloc(0))).toMatchObject({ as: 'failed', reason: expect.stringMatching(/empty/i) as string });
    const path = join(dir, 'next.mp4');
    await makeVideo({ path });
    expect((await readBoth(reader, { ...bytesSource('next.mp4', readFileSync(path)), path })).quick.facts.problems).toEqual([]);
  });
});
