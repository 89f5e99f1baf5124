// Colour: the mean of a picture, and profiles for pixels that come without a container to carry them.
import type { Pixels } from './render.ts';

/** H.273 colour primaries: 12 is P3 with a D65 white, as phones write it; 1 is sRGB's own. */
export const PRIMARIES_P3 = 12;
/** Samples for the mean: more change no digit that an eye could see. */
const MEAN_SAMPLES = 20_000;

/** Mean colour `#rrggbb` of 8-bit pixels; transparent ones count as little as they show. Null where nothing shows. */
export function meanColor(pixels: Pixels): string | null {
  const { data, channels } = pixels;
  const count = Math.floor(data.length / channels);
  const step = Math.max(1, Math.floor(count / MEAN_SAMPLES));
  let r = 0, g = 0, b = 0, weight = 0;
  for (let i = 0; i < count; i += step) {
    const at = i * channels;
    const grey = channels < 3;
    const alpha = channels === 2 ? (data[at + 1] as number) : channels === 4 ? (data[at + 3] as number) : 255;
    r += (data[at] as number) * alpha;
    g += (data[grey ? at : at + 1] as number) * alpha;
    b += (data[grey ? at : at + 2] as number) * alpha;
    weight += alpha;
  }
  if (weight === 0) return null;
  return `#${[r, g, b].map((sum) => Math.round(sum / weight).toString(16).padStart(2, '0')).join('')}`;
}

/**
 * 8-bit RGB or RGBA pixels with an ICC profile as an uncompressed TIFF (TIFF 6.0, one strip): the way to hand both to sharp,
 * which takes no profile beside raw pixels.
 */
export function tiffWithProfile(pixels: Pixels, icc: Uint8Array): Buffer {
  const { data, width, height, channels } = pixels;
  const alpha = channels === 4;
  const entries: [number, number, number, number][] = [];
  const count = alpha ? 12 : 11;
  const directoryEnd = 8 + 2 + count * 12 + 4;
  const bitsAt = directoryEnd, iccAt = bitsAt + channels * 2, dataAt = iccAt + icc.length + (icc.length & 1);
  entries.push([256, 4, 1, width], [257, 4, 1, height], [258, 3, channels, bitsAt], [259, 3, 1, 1], [262, 3, 1, 2], [273, 4, 1, dataAt], [277, 3, 1, channels], [278, 4, 1, height], [279, 4, 1, data.length], [284, 3, 1, 1]);
  if (alpha) entries.push([338, 3, 1, 2]);
  entries.push([34675, 7, icc.length, iccAt]);
  const head = Buffer.alloc(dataAt);
  head.write('II*\0', 0, 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, n, value], i) => {
    const at = 10 + i * 12;
    head.writeUInt16LE(tag, at); head.writeUInt16LE(type, at + 2); head.writeUInt32LE(n, at + 4);
    if (type === 3 && n === 1) head.writeUInt16LE(value, at + 8); else head.writeUInt32LE(value, at + 8);
  });
  for (let c = 0; c < channels; c++) head.writeUInt16LE(8, bitsAt + c * 2);
  head.set(icc, iccAt);
  return Buffer.concat([head, data]);
}

let p3: Promise<Buffer | undefined> | undefined;
/** The Display P3 profile that libvips carries. */
export function displayP3Profile(): Promise<Buffer | undefined> {
  p3 ??= import('sharp').then(async ({ default: sharp }) => {
    const png = await sharp({ create: { width: 1, height: 1, channels: 3, background: '#000' } }).withIccProfile('p3').png().toBuffer();
    return (await sharp(png).metadata()).icc;
  });
  return p3;
}

/** True for profiles that need no conversion: sRGB under its usual names. */
export function isSrgbProfile(icc: Uint8Array): boolean {
  const text = Buffer.from(icc.buffer, icc.byteOffset, Math.min(icc.byteLength, 4_000)).toString('latin1').replace(/\0/g, '');
  return /sRGB/.test(text) && !/P3/.test(text);
}
