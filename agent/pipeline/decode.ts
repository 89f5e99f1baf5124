// Encoded pictures to upright sRGB pixels with sharp: strict first, then as much as can be shown, with the problem named.
import type { AssetProblem } from '../../protocol/rows.ts';
import { MAX_PIXELS } from './heic.ts';
import { loadSharp, toPixels, WEBP, type Pixels, type Size } from './render.ts';
import { ReadError } from './types.ts';

export interface Header extends Size { format: string; pages: number; problem: AssetProblem | null; oriented: boolean }

/**
 * Upright size from the header alone. Throws ReadError: too_large beyond the pixel limit, damaged where there is no header.
 */
export async function readHeader(bytes: Buffer): Promise<Header> {
  const sharp = await loadSharp();
  let meta: Awaited<ReturnType<ReturnType<typeof sharp>['metadata']>>;
  try { meta = await sharp(bytes, { limitInputPixels: false, failOn: 'none' }).metadata(); } catch (error) { throw failure(error); }
  const width = meta.autoOrient?.width ?? meta.width, height = meta.autoOrient?.height ?? meta.height;
  if (!width || !height) throw new ReadError('damaged', 'decode', 'the picture has no size');
  if (width * height > MAX_PIXELS) throw new ReadError('too_large', 'decode', `${width} x ${height} pixels are more than can be decoded`);
  return { width, height, format: meta.format ?? '', pages: meta.pages ?? 1, problem: null, oriented: (meta.orientation ?? 1) > 1 };
}

export interface Decoded { pixels: Pixels; problem: AssetProblem | null }

/**
 * Pixels of exactly `size`, upright, first frame. A file that only a forgiving decoder shows comes with the problem. `lenient`
 * skips the strict attempt for files that are known to fail it. `orientation` applies a rotation that the picture itself does not
 * carry (a RAW's preview).
 */
export async function decodePixels(bytes: Buffer, size: Size, options: { lenient?: boolean; orientation?: number } = {}): Promise<Decoded> {
  const sharp = await loadSharp();
  const open = (failOn: 'error' | 'none') => {
    const input = sharp(bytes, { failOn, limitInputPixels: MAX_PIXELS, pages: 1, sequentialRead: true });
    return options.orientation !== undefined ? turn(input, options.orientation) : input.autoOrient();
  };
  // `error` passes over libjpeg's warnings: thousands of sound camera files have a stray marker that costs no pixel.
  let problem: AssetProblem | null = null;
  if (!options.lenient) {
    try { return { pixels: await toPixels(open('error'), size), problem: null }; } catch (error) { problem = isCut(bytes) ? TRUNCATED : problemOf(error); }
  }
  try { return { pixels: await toPixels(open('none'), size), problem }; } catch (error) { throw failure(error); }
}

/**
 * The picture at `size` as WebP in one pass, or undefined where only the careful way (decodePixels) will do. No pixel
 * becomes a JavaScript buffer on this way: 6 MB a picture that the collector would have to clear.
 */
export async function decodeToWebp(bytes: Buffer, size: Size): Promise<Buffer | undefined> {
  const sharp = await loadSharp();
  try {
    return await sharp(bytes, { failOn: 'error', limitInputPixels: MAX_PIXELS, pages: 1, sequentialRead: true }).autoOrient()
      .resize(size.width, size.height, { fit: 'fill', withoutEnlargement: false }).toColourspace('srgb').webp(WEBP).toBuffer();
  } catch { return undefined; }
}

/** EXIF's eight orientations as mirrors and turns (sharp always mirrors before it turns). */
export function turn(input: import('sharp').Sharp, orientation: number): import('sharp').Sharp {
  switch (orientation) {
    case 2: return input.flop();
    case 3: return input.rotate(180);
    case 4: return input.flip();
    case 5: return input.flop().rotate(270);
    case 6: return input.rotate(90);
    case 7: return input.flop().rotate(90);
    case 8: return input.rotate(270);
    default: return input;
  }
}

const TRUNCATED: AssetProblem = { code: 'truncated', reason: 'the file ends too early: the rest of the picture is missing' };

/** Whether a JPEG or PNG lacks its end. Asked of the bytes, not of the decoder's words (see problemOf). */
function isCut(bytes: Buffer): boolean {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return bytes.lastIndexOf(Buffer.from([0xff, 0xd9])) < bytes.lastIndexOf(Buffer.from([0xff, 0xda]));
  if (bytes.subarray(1, 4).toString('latin1') === 'PNG') return bytes.lastIndexOf('IEND', undefined, 'latin1') < 0;
  return false;
}

/**
 * What a decoder's complaint means to the owner. libvips keeps one buffer of messages for all its threads, so with
 * several files at work the words may be another file's or none: they choose the kind, and are never shown.
 */
export function problemOf(error: unknown): AssetProblem {
  const message = messageOf(error);
  if (/pixel limit|exceeds|too large/i.test(message)) return { code: 'too_large', reason: 'more pixels than can be decoded' };
  if (/premature|truncat|read error|unexpected end|end of (file|stream)|not enough|EOF|out of order read|unable to load .*strip/i.test(message)) return TRUNCATED;
  return { code: 'damaged', reason: 'the picture is damaged: parts of it may be missing or wrong' };
}

function failure(error: unknown): ReadError {
  if (error instanceof ReadError) return error;
  const { code, reason } = problemOf(error);
  return new ReadError(code, 'decode', /unsupported image format/i.test(messageOf(error)) ? 'the picture cannot be decoded' : reason);
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim().slice(0, 160);
}
