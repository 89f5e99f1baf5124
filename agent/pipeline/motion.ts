// Motion photos: finds the video that a phone has put behind a still. Four ways of saying so are known (Google's MicroVideo and
// MotionPhoto in XMP, Samsung's trailer, the `mpvd` box of HEIC); none of them is believed before a whole MP4 stands there.
import type { AssetFacts } from '../../protocol/rows.ts';
import { boxes, findBlocks } from './container.ts';

export type Motion = NonNullable<AssetFacts['motion']>;

/** Samsung's type of a trailer entry that holds the video (the SEF layout, as ExifTool's Samsung.pm describes it). */
const SEF_VIDEO = 'MotionPhoto_Data';
const MAX_SEF_ENTRIES = 100;
/** Items in a Container directory: picture, gain map, video, and room. */
const MAX_ITEMS = 20;
/** Top-level boxes that an MP4 may have; anything else behind its last known one belongs to the still's trailer. */
const MP4_BOXES = /^(ftyp|moov|mdat|moof|mfra|free|skip|wide|uuid|udta|meta|sidx|styp|pdin|iods)$/;

/** Where the video lies in a still's bytes, or null. Never throws. */
export function findMotion(format: string, bytes: Buffer): Motion | null {
  try {
    for (const offset of format === 'jpeg' ? jpegOffsets(bytes) : format === 'heic' ? heicOffsets(bytes) : []) {
      const length = videoLength(bytes, offset);
      if (length !== null) return { offset_bytes: offset, length_bytes: length };
    }
  } catch { /* a container that breaks off holds no video to be trusted */ }
  return null;
}

function* jpegOffsets(bytes: Buffer): Generator<number> {
  for (const packet of findBlocks('jpeg', bytes).xmp) {
    if (!/MotionPhoto|MicroVideo/.test(packet)) continue;
    const fromEnd = [directoryOffset(packet), numberOf(packet, 'MicroVideoOffset')];
    for (const distance of fromEnd) if (distance !== null && distance < bytes.length) yield bytes.length - distance;
  }
  yield* sefOffsets(bytes);
}

function* heicOffsets(bytes: Buffer): Generator<number> {
  for (const box of boxes(bytes, 0, bytes.length)) if (box.type === 'mpvd') yield box.start;
  yield* sefOffsets(bytes);
}

/** `…:Name="123"` or `<…:Name>123<` anywhere in a packet. */
function numberOf(packet: string, name: string): number | null {
  const m = new RegExp(`:${name}\\s*(?:=\\s*["']|>\\s*)(\\d{1,12})`).exec(packet);
  const value = m ? Number(m[1]) : 0;
  return value > 0 ? value : null;
}

/** Distance from the file's end to the item that calls itself a motion photo: its length and those of the items behind it. */
function directoryOffset(packet: string): number | null {
  const items = packet.split(/<rdf:li\b/).slice(1, 1 + MAX_ITEMS);
  const at = items.findIndex((item) => /:Semantic\s*(?:=\s*["']|>\s*)MotionPhoto/.test(item));
  if (at < 0) return null;
  let distance = 0;
  for (const item of items.slice(at)) {
    const length = numberOf(item, 'Length');
    if (length === null) return null;
    distance += length + (numberOf(item, 'Padding') ?? 0);
  }
  return distance;
}

/** Samsung writes `SEFH`, a directory that counts backwards, its length and `SEFT` at the very end. Little-endian. */
function* sefOffsets(bytes: Buffer): Generator<number> {
  const end = bytes.length;
  if (end < 20 || bytes.toString('latin1', end - 4) !== 'SEFT') return;
  const head = end - 8 - bytes.readUInt32LE(end - 8);
  if (head < 0 || bytes.toString('latin1', head, head + 4) !== 'SEFH') return;
  const count = Math.min(bytes.readUInt32LE(head + 8), MAX_SEF_ENTRIES);
  for (let i = 0; i < count; i += 1) {
    const entry = head + 12 + i * 12;
    const start = head - bytes.readUInt32LE(entry + 4);
    if (start < 0 || start + 8 > head) continue;
    const nameLength = bytes.readUInt32LE(start + 4);
    if (nameLength < 200 && bytes.toString('latin1', start + 8, start + 8 + nameLength) === SEF_VIDEO) yield start + 8 + nameLength;
  }
}

/** Bytes of the MP4 that stands at `offset`: from `ftyp`, over whole boxes, with an index and with media; null where there is none. */
function videoLength(bytes: Buffer, offset: number): number | null {
  if (bytes.toString('latin1', offset + 4, offset + 8) !== 'ftyp') return null;
  let end = offset;
  const seen = new Set<string>();
  for (const box of boxes(bytes, offset, bytes.length)) {
    if (box.cut || !MP4_BOXES.test(box.type)) break;
    seen.add(box.type);
    end = box.end;
  }
  return seen.has('moov') && (seen.has('mdat') || seen.has('moof')) ? end - offset : null;
}
