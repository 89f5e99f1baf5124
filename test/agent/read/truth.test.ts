// Every file of the real media, compared field by field with what the reference programs read of it. Skipped, with the reason,
// where the media are not there.
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createReader } from '../../../agent/pipeline/reader.ts';
import { resolveTime } from '../../../protocol/resolve.ts';
import { AssetFacts } from '../../../protocol/rows.ts';
import { offsetText } from '../../../protocol/time.ts';
import { existingSource, identifySource, readBoth } from '../../support/file-source.ts';
import { findSharedMedia, readTruth, type TruthLine } from '../../support/shared-media.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

type Field = 'position' | 'asset' | 'pixels' | 'decodable';
/** Files that cannot give what truth.jsonl or the plain rule asks for, each with the reason why the file itself is at fault. */
const EXCEPTIONS: Record<string, Partial<Record<Field, string>>> = {
  'corrupt/nan-exif.jpg': { position: 'its longitude is 0/0, which ExifTool prints as 0; the hand-checked text says that the position must be rejected' },
  'corrupt/wrong.heic': { decodable: 'a sound JPEG under the name of a HEIC: heic-decode refuses it, content goes before the name here' },
  'corrupt/mov_named.JPG': { asset: 'only the beginning of a movie: its index lies behind the end of the file, so there is neither a frame nor a date' },
  'corrupt/black-seattle-truncated.heic': { pixels: 'the first 10 KB of a HEIC: the pixels lie behind the end of the file; its facts are read' },
  'corrupt/corrupted.heic': { asset: 'overwritten from its first box on' },
  'corrupt/65536-uint32-limit.png': { asset: 'a pixel bomb' },
  'raw/exiftool/CanonRaw.cr2': { pixels: 'a test file of ExifTool: its previews are cut down to 26 bytes of text' },
  'raw/exiftool/CanonRaw.cr3': { pixels: 'a test file of ExifTool: its previews are cut down to 26 bytes of text' },
  'raw/exiftool/CanonRaw.crw': { pixels: 'a test file of ExifTool: its previews are cut down to 29 bytes of text' },
  'raw/exiftool/Nikon.nef': { pixels: 'a test file of ExifTool: its previews are cut down to 26 bytes of text' },
  'raw/exiftool/KyoceraRaw.raw': { pixels: 'a test file of ExifTool: a header without any picture' },
  'video/Matroska.mkv': { pixels: '507 bytes: a header without any frame' },
  'video/QuickTime.mov': { pixels: '3.9 KB cut from a recording: an index whose frames are gone' },
  'video/quicktime-jpeg.mov': { pixels: 'its frames lie in another file (up500.jpg), which is not there and would not be opened' },
  'webp-avif-png-tiff/JXL.jxl': { asset: '22 bytes: a header without any picture' },
};

const media = findSharedMedia();
const describeMedia = describe.skipIf(media.dir === undefined);
if (media.reason) console.warn(`truth.test.ts is skipped: ${media.reason}`);

/** An absolute difference that ExifTool's six decimals explain. */
const DEGREES_SLACK = 1e-5;

describeMedia('the real media', () => {
  const reader = createReader({ heicWorkers: 2 });
  afterAll(() => reader.close());
  const dir = media.dir ?? '';
  const lines = media.dir === undefined ? [] : readTruth(media.dir);

  it('is all there, and every exception is about a file that exists', () => {
    expect(lines.length).toBeGreaterThan(400);
    const paths = new Set(lines.map((l) => l.path));
    for (const path of Object.keys(EXCEPTIONS)) expect(paths.has(path), path).toBe(true);
  });

  it.concurrent.each(lines.map((line) => [line.path, line] as const))('%s', async (path, line) => {
    const source = existingSource(join(dir, path));
    const type = identifySource(reader, source);
    const excused = EXCEPTIONS[path] ?? {};
    if (type.as !== 'asset') {
      expect(line.decodable, `${path} is ${JSON.stringify(type)}`).not.toBe(true);
      if (/\/\._/.test(path)) expect(type.as).toBe('ignored');
      if (path.endsWith('.xmp')) expect(type).toEqual({ as: 'sidecar', format: 'xmp' });
      return;
    }
    if (excused.asset) {
      expect(line.decodable).not.toBe(true);
      await expect(readBoth(reader, source)).rejects.toMatchObject({ name: 'ReadError', message: expect.stringMatching(/.{10}/) as string });
      return;
    }
    const { quick, rest } = await readBoth(reader, source);
    const { facts } = quick;
    expect(AssetFacts.safeParse({ ...facts, sha256: line.sha256, size_bytes: source.sizeBytes }).error).toBeUndefined();
    const found = factsLikeTruth(line, facts, rest?.problems ?? []);
    const wanted = { ...found, ...nonNull(line) };
    if (excused.decodable) { expect(found.decodable).toBe(true); delete wanted.decodable; delete found.decodable; }
    if (excused.position) for (const key of ['latitude', 'longitude'] as const) { expect(found[key]).toBeNull(); delete wanted[key]; delete found[key]; }
    expect(found).toEqual(wanted);
    const whole = { grid: (rest?.grid ?? quick.grid) !== null, preview: (rest?.preview ?? quick.preview) !== null, color: (rest?.color ?? facts.color) !== null };
    expect(whole).toEqual(excused.pixels ? { grid: false, preview: false, color: false } : { grid: true, preview: true, color: true });
    if (excused.pixels) expect(facts.problems.length).toBeGreaterThan(0);
  });

  /** What was read, in the fields and spelling of truth.jsonl. */
  function factsLikeTruth(line: TruthLine, facts: Awaited<ReturnType<typeof readBoth>>['quick']['facts'], restProblems: { code: string }[]): Partial<TruthLine> {
    const time = resolveTime({ claims: facts.time_claims, gpsZone: facts.gps_zone, homeZone: 'UTC', nowMs: Date.UTC(2030, 0, 1) });
    const keys = facts.time_claims.find((c) => c.source === 'quicktime_keys');
    const near = (mine: number | null, theirs: number | null) => (mine !== null && theirs !== null && Math.abs(mine - theirs) < DEGREES_SLACK ? theirs : mine);
    return {
      width: facts.width, height: facts.height, exif_taken_at: time.takenAt, exif_offset_minutes: time.offsetMinutes,
      latitude: near(facts.latitude, line.latitude), longitude: near(facts.longitude, line.longitude), content_identifier: facts.content_identifier,
      quicktime_creationdate: keys?.wall ? `${keys.wall.replace(/-/g, ':').replace('T', ' ')}${keys.offset_minutes === null ? '' : offsetText(keys.offset_minutes)}` : null,
      decodable: ![...facts.problems, ...restProblems].some((p) => ['truncated', 'damaged', 'too_large', 'unsupported', 'decoder_crashed', 'decoder_timeout'].includes(p.code)),
    };
  }
});

function nonNull(line: TruthLine): Partial<TruthLine> {
  const { path: _path, sha256: _sha256, file_type: _type, ...fields } = line;
  const known = ['width', 'height', 'exif_taken_at', 'exif_offset_minutes', 'latitude', 'longitude', 'content_identifier', 'quicktime_creationdate', 'decodable'];
  return Object.fromEntries(Object.entries(fields).filter(([key, value]) => value !== null && known.includes(key)));
}
