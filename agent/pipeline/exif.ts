// EXIF blocks to tags, with exifr for the TIFF structure, and small readers of two maker notes: Apple's for the
// Live Photo identifier, Nikon's for the zone of its clock.
import { realOffset } from '../../protocol/time.ts';
import type { MetaTags } from './claims.ts';
import { rawMetadataOf } from './text.ts';

/** Raw values: exifr would otherwise turn wall times into the machine's zone. Chunked reading is off, the block is in memory. */
const OPTIONS = {
  tiff: true, ifd0: true, exif: true, gps: true, ifd1: false, interop: false, makerNote: true, userComment: false,
  xmp: false, icc: false, iptc: false, jfif: false, ihdr: false, multiSegment: false,
  mergeOutput: false, sanitize: true, reviveValues: false, translateKeys: true, translateValues: false,
} as const;

type Group = Record<string, unknown>;

/** Tags of one EXIF block (a bare TIFF structure). Throws where exifr cannot follow it. */
export async function readExifBlock(block: Buffer): Promise<MetaTags> {
  const { default: exifr } = await import('exifr');
  const out = (await exifr.parse(block, OPTIONS as unknown as Parameters<typeof exifr.parse>[1])) as Record<string, unknown> | undefined;
  if (!out) throw new Error('no directory in the EXIF block');
  const ifd0 = group(out['ifd0']), exif = group(out['exif']), gps = group(out['gps']);
  const tags: MetaTags = {
    exifOriginal: exif['DateTimeOriginal'] ?? ifd0['DateTimeOriginal'], offsetOriginal: exif['OffsetTimeOriginal'] ?? exif['36881'],
    exifCreate: exif['CreateDate'] ?? exif['DateTimeDigitized'], offsetDigitized: exif['OffsetTimeDigitized'] ?? exif['36882'],
    exifModify: ifd0['ModifyDate'] ?? ifd0['DateTime'], offsetModify: exif['OffsetTime'] ?? exif['36880'],
    gpsDate: gps['GPSDateStamp'], gpsTime: gps['GPSTimeStamp'],
    make: ifd0['Make'], model: ifd0['Model'], lens: exif['LensModel'],
    exposureTime: exif['ExposureTime'], fNumber: exif['FNumber'], iso: exif['ISO'] ?? exif['ISOSpeedRatings'], focal: exif['FocalLength'],
    orientation: ifd0['Orientation'], exifDescription: ifd0['ImageDescription'], rating: ifd0['Rating'] || ifd0['18246'] || undefined,
    raw: { ...rawMetadataOf(ifd0), ...rawMetadataOf(exif), ...rawMetadataOf(gps) },
  };
  const latitude = degrees(gps['GPSLatitude'], gps['GPSLatitudeRef'], 'S');
  const longitude = degrees(gps['GPSLongitude'], gps['GPSLongitudeRef'], 'W');
  if (latitude !== undefined || longitude !== undefined) { tags.latitude = latitude ?? NaN; tags.longitude = longitude ?? NaN; }
  const note = out['makerNote'];
  if (note instanceof Uint8Array) {
    tags.contentIdentifier = appleContentIdentifier(note);
    tags.clockOffsetMinutes = nikonClockOffset(note);
  }
  return tags;
}

function group(value: unknown): Group { return value && typeof value === 'object' ? (value as Group) : {}; }

/** Signed degrees of an EXIF position (degrees, minutes, seconds); NaN where a part is no number; undefined where it is absent. */
function degrees(value: unknown, ref: unknown, negative: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const parts = (Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value as ArrayLike<unknown>) : [value]).map(Number);
  if (parts.length === 0) return undefined;
  const [d = NaN, m = 0, s = 0] = parts;
  const sum = d + m / 60 + s / 3600;
  return typeof ref === 'string' && ref.trim().toUpperCase().startsWith(negative) ? -sum : sum;
}

/** Tag 0x0011 of Apple's maker note (`Apple iOS`, a byte-order mark at 12, a directory at 14; offsets count from the note). */
export function appleContentIdentifier(note: Uint8Array): string | undefined {
  const b = Buffer.from(note.buffer, note.byteOffset, note.byteLength);
  if (b.length < 18 || b.toString('latin1', 0, 9) !== 'Apple iOS') return undefined;
  const little = b.toString('latin1', 12, 14) === 'II';
  const u16 = (at: number) => (little ? b.readUInt16LE(at) : b.readUInt16BE(at));
  const u32 = (at: number) => (little ? b.readUInt32LE(at) : b.readUInt32BE(at));
  const count = u16(14);
  for (let i = 0; i < count; i++) {
    const at = 16 + i * 12;
    if (at + 12 > b.length) return undefined;
    if (u16(at) !== 0x0011 || u16(at + 2) !== 2) continue;
    const length = u32(at + 4), start = u32(at + 8);
    if (length < 8 || length > 200 || start + length > b.length) return undefined;
    return b.toString('latin1', start, start + length).replace(/\0[\s\S]*$/, '').trim() || undefined;
  }
  return undefined;
}

/** A Nikon note starts so, with a TIFF structure of its own behind it (10 bytes on). */
const NIKON_START = Buffer.from('Nikon\0\x02', 'latin1');
const NIKON_TIFF_AT = 10;

/**
 * The zone that a Nikon's clock was set to, in minutes: tag 0x0024 of its maker note (WorldTime: signed minutes, then a byte
 * for summer time, which they do not hold).
 */
export function nikonClockOffset(note: Uint8Array): number | undefined {
  const b = Buffer.from(note.buffer, note.byteOffset, note.byteLength);
  if (b.length < 24 || !b.subarray(0, NIKON_START.length).equals(NIKON_START)) return undefined;
  const order = b.toString('latin1', NIKON_TIFF_AT, NIKON_TIFF_AT + 2);
  if (order !== 'II' && order !== 'MM') return undefined;
  const u16 = (at: number) => (order === 'II' ? b.readUInt16LE(at) : b.readUInt16BE(at));
  const u32 = (at: number) => (order === 'II' ? b.readUInt32LE(at) : b.readUInt32BE(at));
  const start = NIKON_TIFF_AT + u32(NIKON_TIFF_AT + 4);
  if (start + 2 > b.length) return undefined;
  for (let i = 0, count = u16(start); i < count; i++) {
    const at = start + 2 + i * 12;
    if (at + 12 > b.length) return undefined;
    if (u16(at) !== 0x0024 || u32(at + 4) !== 4) continue;
    const minutes = order === 'II' ? b.readInt16LE(at + 8) : b.readInt16BE(at + 8);
    return nikonOffset(minutes, b[at + 10]);
  }
  return undefined;
}

/** Zone and summer time as a Nikon keeps them, as one offset; undefined for what no clock keeps. */
export function nikonOffset(minutes: unknown, summer: unknown): number | undefined {
  if (typeof minutes !== 'number') return undefined;
  const offset = minutes + (summer === 1 ? 60 : 0);
  return realOffset(offset) === offset ? offset : undefined;
}
