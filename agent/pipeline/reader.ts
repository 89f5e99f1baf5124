// The readers of files behind one door: bytes to facts and renditions, in two phases. Owns ExifTool, the HEIC threads and the
// FFmpeg process, all started at need; writes nothing and knows nothing of the catalog.
import type { AssetProblem } from '../../protocol/rows.ts';
import { GRID_DRAFT_VERSION, GRID_VERSION, PREVIEW_VERSION } from '../../protocol/versions.ts';
import type { ProblemCode } from '../../protocol/words.ts';
import type { MetaTags } from './claims.ts';
import { displayP3Profile, isSrgbProfile, PRIMARIES_P3, tiffWithProfile } from './color.ts';
import { findBlocks } from './container.ts';
import { decodePixels, decodeToWebp, messageOf, readHeader, turn, type Decoded } from './decode.ts';
import { readExifBlock } from './exif.ts';
import { createExifTool, type ExifToolAnswer } from './exiftool.ts';
import { addProblem, factsOf } from './facts.ts';
import { createGate } from './gate.ts';
import { HeicPool } from './heic.ts';
import type { HeicPixels } from './heic-worker.ts';
import { identify, wrongExtension } from './identify.ts';
import { readIptc } from './iptc.ts';
import { findMotion } from './motion.ts';
import { nameClaims } from './name-date.ts';
import { readRawPreview } from './raw.ts';
import { fromPixels, gridSize, loadSharp, previewSize, renderBoth, renderGrid, toPixels, toWebp, type Pixels, type RenderedGrid, type Size } from './render.ts';
import { cleanNumber, rawMetadataOf } from './text.ts';
import { ReadError, type ByteFacts, type FileSource, type Identified, type QuickRead, type Reader, type RestRead } from './types.ts';
import { FrameReader } from './video.ts';
import { readXmp } from './xmp.ts';

export interface ReaderOptions {
  /** HEIC decoding threads, some 290 MB each; default: one a core. */
  heicWorkers?: number;
  /** ExifTool processes; default 2. */
  exiftoolProcesses?: number;
  /** After so long a decoder is taken for hung and ended. */
  decodeTimeoutMs?: number;
  /** For tests alone: scripts that hang or crash on purpose in place of the decoders. */
  heicWorkerScript?: URL;
  videoWorkerScript?: URL;
}

type AssetType = Extract<Identified, { as: 'asset' }>;
const EXIFTOOL_PROCESSES = 2;
/** A picture file larger than this is not read into memory: its facts come from ExifTool, and the problem is named. */
const MAX_PICTURE_BYTES = 600_000_000;
/**
 * JPEGs up to this long side get both renditions in the first phase: their preview is cheap, and the file need not be read from
 * the drive a second time. Larger ones are decoded twice, each time at the scale that serves (DCT scaling): for 12 MP the grid
 * takes a fifth of the whole time, and both decodes together no more than one decode for both.
 */
const JPEG_AT_ONCE_PX = 2_000;
/** A draft whose shape differs more than this from the picture shows something else (a crop, letterbox bars). */
const DRAFT_ASPECT_SLACK = 0.02;
/** Pixels of pictures that are decoded in full at the same time: two usual photos, or one of any size. */
const FULL_DECODE_PIXELS = 26_000_000;
/** Stills that sharp has no decoder for. */
const STILLS_FOR_FFMPEG = new Set(['jxl', 'bmp', 'jp2', 'j2c']);

/** The readers of one agent. `close` must be called before the process ends. `pictureFacts` reads a still's metadata alone, without rendering. */
export function createReader(options: ReaderOptions = {}): Reader & { pictureFacts(source: FileSource, type: AssetType): Promise<ByteFacts> } {
  const exiftool = createExifTool({ processes: options.exiftoolProcesses ?? EXIFTOOL_PROCESSES });
  const heic = new HeicPool({ workers: options.heicWorkers, timeoutMs: options.decodeTimeoutMs, script: options.heicWorkerScript });
  const gate = createGate(FULL_DECODE_PIXELS);
  const frames = new FrameReader({ timeoutMs: options.decodeTimeoutMs, script: options.videoWorkerScript });

  async function quick(source: FileSource, type: AssetType): Promise<QuickRead> {
    const read = type.kind === 'video' ? await quickVideo(source, type) : type.format === 'raw' ? await quickRaw(source, type) : await quickPicture(source, type);
    const wrong = wrongExtension(source.name, type.format);
    if (wrong) addProblem(read.facts, { code: 'bad_name', reason: wrong });
    return read;
  }

  /** What a picture's metadata says; sizes and colour are still to come. */
  async function pictureFacts(source: FileSource, type: AssetType, bytes: Buffer | null): Promise<{ facts: ByteFacts; tags: MetaTags; cut: boolean }> {
    const { tags, problems, cut } = await readPictureTags(source, type, bytes);
    const facts = await factsOf(type.kind, type.mime, tags);
    for (const problem of problems) addProblem(facts, problem);
    if (bytes) facts.motion = findMotion(type.format, bytes);
    return { facts, tags, cut };
  }

  async function quickPicture(source: FileSource, type: AssetType): Promise<QuickRead> {
    const bytes = await wholeFile(source);
    const { facts, tags, cut } = await pictureFacts(source, type, bytes);
    const read: QuickRead = { facts, rawMetadata: rawMetadataOf(tags.raw), grid: null, preview: null, unfinished: false };
    if (!bytes) { addProblem(facts, { code: 'too_large', reason: 'the file is too large to be decoded' }); return read; }
    try {
      if (type.format === 'heic') await quickHeic(bytes, read, cut);
      else if (STILLS_FOR_FFMPEG.has(type.format)) await quickFrame(source, type, read, true);
      else await quickSharp(source, bytes, type, read, cleanNumber(tags.orientation) ?? 1);
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      if (isNothing(facts)) throw error;
      const truncated = cut && error.code === 'damaged';
      addProblem(facts, truncated ? { code: 'truncated', reason: `the file ends too early (${error.message})` } : { code: error.code, reason: error.message });
    }
    return read;
  }

  /** exifr over the metadata blocks; ExifTool where there are blocks and no capture time came out of them. */
  async function readPictureTags(source: FileSource, type: AssetType, bytes: Buffer | null): Promise<{ tags: MetaTags; problems: AssetProblem[]; cut: boolean }> {
    const problems: AssetProblem[] = [];
    const tags: MetaTags = { raw: {} };
    let ask = bytes === null, cut = false;
    if (bytes) {
      const blocks = safely(() => findBlocks(type.format, bytes), { exif: [], xmp: [], iptc: [], other: true, cut: false });
      ask = blocks.other;
      cut = blocks.cut;
      for (const block of blocks.exif) {
        try { mergeTags(tags, await readExifBlock(block)); } catch { ask = true; }
      }
      for (const packet of blocks.xmp) mergeTags(tags, readXmp(packet));
      for (const block of blocks.iptc) mergeTags(tags, readIptc(block));
      if (blocks.exif.length + blocks.xmp.length > 0) ask = true;
      if (tags.exifOriginal !== undefined || (tags.exifCreate !== undefined && !blocks.other && type.format !== 'tiff')) ask = false;
    }
    if (!ask) return { tags, problems, cut };
    try { mergeTags(tags, (await exiftool.read(source.path)).tags); } catch (error) {
      if (bytes === null || tags.exifOriginal === undefined) problems.push({ code: 'bad_metadata', reason: `its metadata cannot be read (${messageOf(error)})` });
    }
    return { tags, problems, cut };
  }

  async function quickSharp(source: FileSource, bytes: Buffer, type: AssetType, read: QuickRead, orientation: number): Promise<void> {
    const { facts } = read;
    const header = await readHeader(bytes);
    setSize(facts, header.width, header.height);
    const large = type.format === 'jpeg' && Math.max(header.width, header.height) > JPEG_AT_ONCE_PX;
    const size = large ? gridSize(header.width, header.height) : previewSize(header.width, header.height);
    let decoded: Decoded;
    // JPEG is decoded at the scale that is asked for; everything else in full, at up to 8 bytes a pixel.
    const cost = type.format === 'jpeg' ? 0 : header.width * header.height;
    try { decoded = await gate.run(cost, () => decodePixels(bytes, size)); } catch (error) {
      // libjpeg gives up where FFmpeg's decoder goes on: what can be shown of a damaged photo is shown.
      const rescued = type.format === 'jpeg' && error instanceof ReadError && error.code !== 'too_large' ? await rescue(source, header, orientation) : null;
      if (!rescued) throw error;
      addProblem(facts, { code: 'damaged', reason: `the picture is damaged (${messageOf(error)})` });
      await setBoth(read, rescued);
      return;
    }
    if (decoded.problem) addProblem(facts, decoded.problem);
    if (!large) { await setBoth(read, decoded.pixels); return; }
    setGrid(read, await renderGrid(decoded.pixels, size));
    read.unfinished = true;
  }

  /** A damaged JPEG through FFmpeg, upright; null where that fails too. */
  async function rescue(source: FileSource, upright: Size, orientation: number): Promise<Pixels | null> {
    const frame = await frames.read(source, 'jpeg', true);
    if (!frame.pixels) return null;
    return toPixels(turn(await fromPixels(frame.pixels), orientation), previewSize(upright.width, upright.height));
  }

  async function setBoth(read: QuickRead, preview: Pixels): Promise<void> {
    const size = read.facts.width !== null && read.facts.height !== null ? gridSize(read.facts.width, read.facts.height) : gridSize(preview.width, preview.height);
    const done = await renderBoth(preview, size);
    setGrid(read, done.grid);
    read.preview = { bytes: done.preview, version: PREVIEW_VERSION };
  }

  function setGrid(read: QuickRead, { bytes, look, color }: RenderedGrid): void {
    read.grid = { bytes, version: GRID_VERSION, look };
    read.facts.color = color;
  }

  async function quickHeic(bytes: Buffer, read: QuickRead, cut: boolean): Promise<void> {
    const { facts } = read;
    const first = await heic.decode('thumbnail', bytes);
    setSize(facts, first.width, first.height);
    const draft = first.pixels;
    // Of a file that was cut short the draft may be all that is left, or black: the whole decode decides at once.
    if (draft && !cut && sameShape(draft, first) && (draft.height >= 160 || draft.height >= first.height / 4)) {
      const pixels = await toSrgb(pixelsOf(draft), first.icc, first.primaries);
      const grid = await renderGrid(pixels, gridSize(pixels.width, pixels.height));
      read.grid = { bytes: grid.bytes, version: GRID_DRAFT_VERSION };
      facts.color = grid.color;
      read.unfinished = true;
      return;
    }
    await setBoth(read, await heicPreview(bytes));
  }

  /** One full decode to sRGB pixels of the preview's size. */
  async function heicPreview(bytes: Buffer): Promise<Pixels & { full: { width: number; height: number } }> {
    const full = await heic.decode('full', bytes);
    if (!full.pixels) throw new ReadError('damaged', 'decode', 'the picture has no pixels');
    const small = await toPixels(await fromPixels(pixelsOf(full.pixels), { limitInputPixels: false }), previewSize(full.pixels.width, full.pixels.height));
    return { ...(await toSrgb(small, full.icc, full.primaries)), full: { width: full.pixels.width, height: full.pixels.height } };
  }

  async function quickRaw(source: FileSource, type: AssetType): Promise<QuickRead> {
    const answer = await readRawTags(source.path);
    const facts = await factsOf(type.kind, type.mime, answer.tags);
    const read: QuickRead = { facts, rawMetadata: rawMetadataOf(answer.tags.raw), grid: null, preview: null, unfinished: false };
    const { preview, problem } = await readRawPreview(exiftool, source.path, answer);
    const turned = typeof answer.tags.orientation === 'number' && answer.tags.orientation >= 5 && answer.tags.orientation <= 8;
    const width = cleanNumber(answer.tags.width), height = cleanNumber(answer.tags.height);
    // A RAW's own size is its sensor's; a directory may hold only that of a thumbnail, so the larger of both is believed.
    if (width && height && (!preview || width * height >= preview.width * preview.height)) setSize(facts, turned ? height : width, turned ? width : height);
    else if (preview) setSize(facts, preview.width, preview.height);
    if (problem) addProblem(facts, problem);
    if (preview) {
      const done = await renderBoth(preview.pixels, gridSize(preview.width, preview.height));
      setGrid(read, done.grid);
      read.preview = { bytes: done.preview, version: PREVIEW_VERSION };
    } else if (isNothing(facts)) throw new ReadError(problem?.code ?? 'damaged', 'read', problem?.reason ?? 'this RAW cannot be read');
    return read;
  }

  async function readRawTags(path: string): Promise<ExifToolAnswer> {
    try { return await exiftool.read(path); } catch (error) { throw new ReadError('damaged', 'read', `this RAW cannot be read (${messageOf(error)})`); }
  }

  async function quickVideo(source: FileSource, type: AssetType): Promise<QuickRead> {
    let tags: MetaTags = { raw: {} };
    let failed: AssetProblem | null = null;
    try { tags = (await exiftool.read(source.path)).tags; } catch (error) { failed = { code: 'bad_metadata', reason: `its metadata cannot be read (${messageOf(error)})` }; }
    const facts = await factsOf(type.kind, type.mime, tags);
    if (failed) addProblem(facts, failed);
    const read: QuickRead = { facts, rawMetadata: rawMetadataOf(tags.raw), grid: null, preview: null, unfinished: false };
    await quickFrame(source, type, read, false);
    if (facts.width === null) {
      const width = cleanNumber(tags.width), height = cleanNumber(tags.height);
      if (width && height) setSize(facts, width, height);
    }
    return read;
  }

  /** A frame by FFmpeg, and both renditions of it. A file that yields neither frame nor facts is a ReadError. */
  async function quickFrame(source: FileSource, type: AssetType, read: QuickRead, still: boolean): Promise<void> {
    const { facts } = read;
    const frame = await frames.read(source, type.format, still);
    if (frame.info.width && frame.info.height) setSize(facts, frame.info.width, frame.info.height);
    if (!still) facts.codec = frame.info.codec;
    if (!still && frame.info.durationS !== null) facts.duration_ms = Math.round(frame.info.durationS * 1000);
    if (frame.pixels) { await setBoth(read, frame.pixels); return; }
    const code: ProblemCode = frame.code ?? 'damaged';
    const reason = code === 'not_media' ? frame.reason ?? 'it holds no picture' : `no picture of it can be shown (${frame.reason ?? 'unknown'})`;
    if (code === 'not_media' || isNothing(facts)) throw new ReadError(code, 'decode', reason);
    addProblem(facts, { code, reason });
  }

  async function rest(source: FileSource, facts: ByteFacts): Promise<RestRead> {
    const answer: RestRead = { grid: null, preview: null, problems: [], width: facts.width, height: facts.height, color: facts.color };
    try {
      const format = formatOfMime(facts.mime);
      if (facts.kind === 'video' || STILLS_FOR_FFMPEG.has(format)) {
        const frame = await frames.read(source, format, facts.kind !== 'video');
        if (frame.pixels) await answerBoth(answer, frame.pixels, frame.info.width && frame.info.height ? { width: frame.info.width, height: frame.info.height } : frame.pixels);
        else answer.problems.push({ code: frame.code ?? 'damaged', reason: `no picture of it can be shown (${frame.reason ?? 'unknown'})` });
        return answer;
      }
      if (format === 'raw') {
        const { preview, problem } = await readRawPreview(exiftool, source.path, await readRawTags(source.path));
        if (preview) await answerBoth(answer, preview.pixels, { width: facts.width ?? preview.width, height: facts.height ?? preview.height });
        if (problem) answer.problems.push(problem);
        return answer;
      }
      const bytes = await wholeFile(source);
      if (!bytes) { answer.problems.push({ code: 'too_large', reason: 'the file is too large to be decoded' }); return answer; }
      if (format === 'heic') {
        const preview = await heicPreview(bytes);
        await answerBoth(answer, preview, preview.full);
        return answer;
      }
      const header = facts.width !== null && facts.height !== null ? { width: facts.width, height: facts.height } : await readHeader(bytes);
      const lenient = facts.problems.some((p) => p.code === 'truncated' || p.code === 'damaged');
      const cost = format === 'jpeg' ? 0 : header.width * header.height;
      const size = previewSize(header.width, header.height);
      const direct = lenient ? undefined : await gate.run(cost, () => decodeToWebp(bytes, size));
      if (direct) { answer.preview = { bytes: direct, version: PREVIEW_VERSION }; return answer; }
      const { pixels, problem } = await gate.run(cost, () => decodePixels(bytes, size, { lenient }));
      if (problem) answer.problems.push(problem);
      answer.preview = { bytes: await toWebp(pixels), version: PREVIEW_VERSION };
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      answer.problems.push({ code: error.code, reason: error.message.slice(0, 300) });
    }
    return answer;
  }

  async function answerBoth(answer: RestRead, pixels: Pixels, full: Size): Promise<void> {
    const done = await renderBoth(pixels, gridSize(full.width, full.height));
    Object.assign(answer, { width: full.width, height: full.height, color: done.grid.color, grid: { bytes: done.grid.bytes, version: GRID_VERSION, look: done.grid.look }, preview: { bytes: done.preview, version: PREVIEW_VERSION } } satisfies Partial<RestRead>);
  }

  return {
    identify, quick, rest, nameClaims,
    async pictureFacts(source, type) { return (await pictureFacts(source, type, await wholeFile(source))).facts; },
    async close() { await Promise.all([exiftool.close(), heic.close(), frames.close()]); },
  };
}

/** The format behind a stored MIME type: what `identify` once said. */
export function formatOfMime(mime: string): string {
  const known: Record<string, string> = {
    'image/heic': 'heic', 'image/heif': 'heic', 'image/jxl': 'jxl', 'image/bmp': 'bmp', 'image/jp2': 'jp2', 'video/mp4': 'mp4', 'video/quicktime': 'mov', 'video/3gpp': '3gp', 'video/webm': 'webm',
    'video/x-matroska': 'matroska', 'video/x-msvideo': 'avi', 'video/x-ms-wmv': 'asf', 'video/mp2t': 'mpegts', 'video/mpeg': 'mpegps', 'video/x-flv': 'flv', 'video/ogg': 'ogg',
  };
  return known[mime] ?? (mime.startsWith('image/x-') ? 'raw' : mime.slice(mime.indexOf('/') + 1));
}

/** The whole of a picture file, or null where it is too large for memory. */
async function wholeFile(source: FileSource): Promise<Buffer | null> {
  if (source.bytes) return source.bytes;
  if (source.sizeBytes > MAX_PICTURE_BYTES) return null;
  return source.read(0, source.sizeBytes);
}

/** Fills what is still missing: the first reader that knows a tag is believed. */
function mergeTags(into: MetaTags, more: MetaTags): void {
  const { raw, xmpDates, containerUtc, latitude, longitude, ...rest } = more;
  for (const [key, value] of Object.entries(rest)) if (value !== undefined && value !== null && (into as unknown as Record<string, unknown>)[key] === undefined) (into as unknown as Record<string, unknown>)[key] = value;
  const known = into.latitude !== undefined && Number.isFinite(into.latitude) && Number.isFinite(into.longitude ?? NaN);
  if (!known && latitude !== undefined && longitude !== undefined && into.latitude === undefined) { into.latitude = latitude; into.longitude = longitude; }
  if (xmpDates?.length) into.xmpDates = [...new Set([...(into.xmpDates ?? []), ...xmpDates])];
  if (containerUtc?.length) into.containerUtc = [...new Set([...(into.containerUtc ?? []), ...containerUtc])];
  into.raw = { ...raw, ...into.raw };
}

/** True where a file gave no fact that would make an asset worth showing without a picture. */
function isNothing(facts: ByteFacts): boolean {
  return facts.width === null && facts.time_claims.length === 0 && facts.latitude === null && facts.camera === null && facts.duration_ms === null;
}

function setSize(facts: ByteFacts, width: number, height: number): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) return;
  facts.width = width;
  facts.height = height;
}

function sameShape(draft: { width: number; height: number }, full: { width: number; height: number }): boolean {
  const ratio = (draft.width / draft.height) / (full.width / full.height);
  return ratio > 1 - DRAFT_ASPECT_SLACK && ratio < 1 + DRAFT_ASPECT_SLACK;
}

function pixelsOf(pixels: HeicPixels): Pixels {
  return { data: Buffer.from(pixels.data.buffer, pixels.data.byteOffset, pixels.data.byteLength), width: pixels.width, height: pixels.height, channels: pixels.channels };
}

/** Converts small pixels by their profile, or by their primaries where these are P3. */
async function toSrgb(pixels: Pixels, icc: Uint8Array | null, primaries: number | null): Promise<Pixels> {
  if (pixels.channels < 3) return pixels;
  const profile = icc ? (isSrgbProfile(icc) ? null : icc) : primaries === PRIMARIES_P3 ? await displayP3Profile() : null;
  if (!profile) return pixels;
  const sharp = await loadSharp();
  try { return await toPixels(sharp(tiffWithProfile(pixels, profile)), pixels); } catch { return pixels; }
}

function safely<T>(work: () => T, otherwise: T): T { try { return work(); } catch { return otherwise; } }
