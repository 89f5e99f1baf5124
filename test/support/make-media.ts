// Small pictures and videos made on the spot, for tests that run without the folder of real media. Deterministic: the same
// arguments give the same bytes on the same machine.
import { readFileSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';

export interface PictureOptions { width?: number; height?: number; format?: 'jpeg' | 'png' | 'webp' | 'avif' | 'gif' | 'tiff'; exif?: Buffer; alpha?: boolean; seed?: number }

/** RGB(A) pixels: a red left half, a blue right half, a green top-left corner, so that any turn shows. */
export function cornerPixels(width: number, height: number, alpha = false, seed = 0): Buffer {
  const channels = alpha ? 4 : 3;
  const data = Buffer.alloc(width * height * channels);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const at = (y * width + x) * channels;
    const green = x < width / 4 && y < height / 4;
    data[at] = !green && x < width / 2 ? 220 : 20;
    data[at + 1] = green ? 200 : (seed * 37) % 60;
    data[at + 2] = !green && x >= width / 2 ? 220 : 20;
    if (alpha) data[at + 3] = y < height / 2 ? 255 : 0;
  }
  return data;
}

/** An encoded picture, with an EXIF block in JPEG where one is given. */
export async function makePicture(options: PictureOptions = {}): Promise<Buffer> {
  const { width = 64, height = 48, format = 'jpeg', alpha = false, seed = 0 } = options;
  const image = sharp(cornerPixels(width, height, alpha, seed), { raw: { width, height, channels: alpha ? 4 : 3 } });
  const bytes = await image.toFormat(format, format === 'jpeg' ? { quality: 92, chromaSubsampling: '4:4:4' } : {}).toBuffer();
  return options.exif ? withExif(bytes, options.exif) : bytes;
}

/** TIFF field types. */
export const ASCII = 2, SHORT = 3, LONG = 4, RATIONAL = 5, UNDEFINED = 7;
export type Field = [tag: number, type: number, value: string | number[] | Buffer];
export interface ExifDirectories { ifd0?: Field[]; exif?: Field[]; gps?: Field[] }

/** A little-endian EXIF block (bare TIFF) of the given directories. Rationals are flat lists: numerator, denominator, … */
export function makeExif({ ifd0 = [], exif = [], gps = [] }: ExifDirectories): Buffer {
  const head = Buffer.from('II*\0\u0008\0\0\0', 'latin1');
  const size = (fields: Field[]) => 2 + fields.length * 12 + 4 + fields.reduce((sum, f) => sum + extra(f), 0);
  const first: Field[] = [...ifd0];
  if (exif.length) first.push([0x8769, LONG, [0]]);
  if (gps.length) first.push([0x8825, LONG, [0]]);
  const exifAt = 8 + size(first), gpsAt = exifAt + (exif.length ? size(exif) : 0);
  for (const f of first) { if (f[0] === 0x8769) f[2] = [exifAt]; if (f[0] === 0x8825) f[2] = [gpsAt]; }
  return Buffer.concat([head, directory(first, 8), ...(exif.length ? [directory(exif, exifAt)] : []), ...(gps.length ? [directory(gps, gpsAt)] : [])]);
}

function encode([, type, value]: Field): { bytes: Buffer; count: number } {
  if (Buffer.isBuffer(value)) return { bytes: value, count: value.length };
  if (typeof value === 'string') { const bytes = Buffer.from(`${value}\0`, 'latin1'); return { bytes, count: bytes.length }; }
  const bytes = Buffer.alloc(value.length * (type === SHORT ? 2 : 4));
  value.forEach((v, i) => (type === SHORT ? bytes.writeUInt16LE(v, i * 2) : bytes.writeUInt32LE(v >>> 0, i * 4)));
  return { bytes, count: type === RATIONAL ? value.length / 2 : value.length };
}

function extra(field: Field): number { const { bytes } = encode(field); return bytes.length > 4 ? bytes.length + (bytes.length & 1) : 0; }

function directory(fields: Field[], at: number): Buffer {
  const sorted = [...fields].sort((a, b) => a[0] - b[0]);
  const head = Buffer.alloc(2 + sorted.length * 12 + 4);
  head.writeUInt16LE(sorted.length, 0);
  const tail: Buffer[] = [];
  let next = at + head.length;
  sorted.forEach((field, i) => {
    const { bytes, count } = encode(field);
    const entry = 2 + i * 12;
    head.writeUInt16LE(field[0], entry); head.writeUInt16LE(field[1], entry + 2); head.writeUInt32LE(count, entry + 4);
    if (bytes.length <= 4) bytes.copy(head, entry + 8);
    else { const padded = bytes.length & 1 ? Buffer.concat([bytes, Buffer.alloc(1)]) : bytes; head.writeUInt32LE(next, entry + 8); tail.push(padded); next += padded.length; }
  });
  return Buffer.concat([head, ...tail]);
}

/** A JPEG with an APP1 segment put behind its start. */
export function withSegment(jpeg: Buffer, marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255]);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}

export function withExif(jpeg: Buffer, exif: Buffer): Buffer { return withSegment(jpeg, 0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif])); }
export function withXmp(jpeg: Buffer, properties: string): Buffer {
  const packet = `<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description ${properties}/></rdf:RDF></x:xmpmeta>`;
  return withSegment(jpeg, 0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${packet}`, 'latin1'));
}

/** The usual EXIF of a phone: capture time, offset, camera, orientation, and a position where one is given. */
export function phoneExif(options: { taken?: string; offset?: string; orientation?: number; latitude?: number; longitude?: number; gpsUtc?: [date: string, h: number, m: number, s: number] } = {}): Buffer {
  const gps: Field[] = [];
  if (options.latitude !== undefined && options.longitude !== undefined) {
    gps.push([1, ASCII, options.latitude < 0 ? 'S' : 'N'], [2, RATIONAL, degreeParts(options.latitude)], [3, ASCII, options.longitude < 0 ? 'W' : 'E'], [4, RATIONAL, degreeParts(options.longitude)]);
  }
  if (options.gpsUtc) gps.push([7, RATIONAL, [options.gpsUtc[1], 1, options.gpsUtc[2], 1, options.gpsUtc[3], 1]], [29, ASCII, options.gpsUtc[0]]);
  const exif: Field[] = [[0x829a, RATIONAL, [1, 120]], [0x829d, RATIONAL, [18, 10]], [0x8827, SHORT, [64]], [0x920a, RATIONAL, [57, 10]], [0xa434, ASCII, 'iPhone 12 Pro back camera']];
  if (options.taken) exif.push([0x9003, ASCII, options.taken]);
  if (options.offset) exif.push([0x9011, ASCII, options.offset]);
  return makeExif({ ifd0: [[0x010f, ASCII, 'Apple'], [0x0110, ASCII, 'iPhone 12 Pro'], [0x0112, SHORT, [options.orientation ?? 1]]], exif, gps });
}

function degreeParts(value: number): number[] {
  const abs = Math.abs(value);
  const d = Math.floor(abs), m = Math.floor((abs - d) * 60);
  return [d, 1, m, 1, Math.round((abs - d - m / 60) * 3600 * 10_000), 10_000];
}

/** A PNG that says it is `side` pixels square and holds almost nothing: a decompression bomb's header. */
export function makeBombPng(side: number): Buffer {
  const chunk = (type: string, body: Buffer): Buffer => {
    const typed = Buffer.concat([Buffer.from(type, 'latin1'), body]);
    const out = Buffer.alloc(typed.length + 8);
    out.writeUInt32BE(body.length, 0);
    typed.copy(out, 4);
    out.writeUInt32BE(crc32(typed), typed.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0); header.writeUInt32BE(side, 4); header[8] = 8; header[9] = 2;
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', Buffer.from('789c030000000001', 'hex')), chunk('IEND', Buffer.alloc(0))]);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) { crc ^= byte; for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1; }
  return ~crc >>> 0;
}

/** AppleDouble: the magic, the version, and nothing of use. */
export function makeAppleDouble(): Buffer { return Buffer.concat([Buffer.from('0005160700020000', 'hex'), Buffer.alloc(4088)]); }

/** A short video without sound, `format` and `codec` as FFmpeg calls its muxers and encoders. Two frames a second. */
export async function makeVideo(options: { width?: number; height?: number; frames?: number; codec?: 'mpeg4' | 'libx264'; format?: 'mp4' | 'mov' | 'avi' | 'matroska' | 'mpegts' | 'asf'; path: string }): Promise<void> {
  const av = await import('node-av');
  av.Log.setLevel(av.AV_LOG_QUIET);
  const { width = 64, height = 48, frames = 6, format = 'mp4', path } = options;
  const timeBase = { num: 1, den: 2 };
  const encoder = await av.Encoder.create((options.codec ?? 'mpeg4') as Parameters<typeof av.Encoder.create>[0], { bitrate: '400K' });
  const muxer = await av.Muxer.open(path, { format } as Parameters<typeof av.Muxer.open>[1]);
  const stream = muxer.addStream(encoder);
  const rgb = cornerPixels(width, height);
  const yuv = new av.SoftwareScaleContext();
  yuv.getContext(width, height, av.AV_PIX_FMT_RGB24, width, height, av.AV_PIX_FMT_YUV420P);
  for (let i = 0; i < frames; i++) {
    const source = av.Frame.fromVideoBuffer(rgb, { width, height, format: av.AV_PIX_FMT_RGB24, timeBase });
    const frame = new av.Frame();
    frame.alloc();
    Object.assign(frame, { width, height, format: av.AV_PIX_FMT_YUV420P });
    frame.allocBuffer();
    await yuv.scaleFrame(frame, source);
    frame.pts = BigInt(i);
    frame.timeBase = new av.Rational(timeBase.num, timeBase.den);
    for await (const packet of encoder.packets(frame)) if (packet) await muxer.writePacket(packet, stream);
    source.free();
    frame.free();
  }
  for await (const packet of encoder.packets(null)) if (packet) await muxer.writePacket(packet, stream);
  await muxer.close();
  encoder.close();
  yuv.freeContext();
}

/** The container's creation time: seconds since 1904, in the movie header (ISO 14496-12, 8.2.2). */
export function setCreationTime(path: string, utcMs: number): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf('mvhd', 0, 'latin1');
  if (at < 0 || bytes[at + 4] !== 0) throw new Error('no movie header of version 0');
  bytes.writeUInt32BE(utcMs / 1000 + 2_082_844_800, at + 8);
  writeFileSync(path, bytes);
}
