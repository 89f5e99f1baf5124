// Finds metadata blocks (EXIF as TIFF, XMP text) inside the containers of pictures, without decoding anything.
// Every offset in a file is hostile: nothing is read past the buffer, and every loop is bounded.

export interface Blocks {
  /** EXIF blocks as bare TIFF structures, in file order. */
  exif: Buffer[];
  xmp: string[];
  /** Photoshop's image resources of a JPEG, where IPTC captions and keywords live. */
  iptc: Buffer[];
  /** The container holds some metadata that is not understood here (a zTXt profile, IPTC …): ExifTool may know more. */
  other: boolean;
  /** A part that the container announces lies behind the end of the file. */
  cut: boolean;
}

/** An EXIF block is at most 64 KiB in JPEG; 192 KiB and more occur in HEIC. A hostile length must not cost memory. */
const MAX_BLOCK_BYTES = 8_000_000;
const MAX_BLOCKS = 16;
const MAX_SEGMENTS = 4_000;

/** Blocks of the formats that carry metadata in known places. May throw RangeError on a broken container. */
export function findBlocks(format: string, bytes: Buffer): Blocks {
  const blocks: Blocks = { exif: [], xmp: [], iptc: [], other: false, cut: false };
  if (format === 'jpeg') scanJpeg(bytes, blocks);
  else if (format === 'png') scanPng(bytes, blocks);
  else if (format === 'webp') scanWebp(bytes, blocks);
  else if (format === 'heic' || format === 'avif') scanHeif(bytes, blocks);
  else if (format === 'jxl') scanJxl(bytes, blocks);
  else if (format === 'gif') { const at = bytes.indexOf('XMP DataXMP', 0, 'latin1'); if (at > 0) addXmp(blocks, bytes.subarray(at + 11, at + 11 + MAX_BLOCK_BYTES)); }
  else if (format === 'tiff') addExif(blocks, bytes, true);
  else if (format === 'jp2' || format === 'j2c') blocks.other = bytes.includes('uuid', 0, 'latin1');
  return blocks;
}

function addExif(blocks: Blocks, block: Buffer, whole = false): void {
  const order = block.toString('latin1', 0, 2);
  if ((order !== 'II' && order !== 'MM') || block.length < 8 || blocks.exif.length >= MAX_BLOCKS || (!whole && block.length > MAX_BLOCK_BYTES)) { blocks.other = true; return; }
  blocks.exif.push(block);
}

function addXmp(blocks: Blocks, block: Buffer): void {
  if (blocks.xmp.length >= MAX_BLOCKS) return;
  const start = block.indexOf('<', 0, 'latin1');
  const endTag = block.indexOf('</x:xmpmeta', 0, 'latin1');
  const end = endTag > 0 ? endTag + 12 : block.length;
  if (start >= 0 && end > start) blocks.xmp.push(block.toString('utf8', start, Math.min(end, start + MAX_BLOCK_BYTES)));
}

const XMP_HEADER = 'http://ns.adobe.com/xap/1.0/\0';

function scanJpeg(bytes: Buffer, blocks: Blocks): void {
  let at = 2;
  for (let n = 0; n < MAX_SEGMENTS && at + 4 <= bytes.length; n++) {
    if (bytes[at] !== 0xff) { blocks.other = true; return; }
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) { at++; continue; }
    if (marker === 0xd8 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) { at += 2; continue; }
    if (marker === 0xda || marker === 0xd9) return;
    const length = bytes.readUInt16BE(at + 2);
    const body = bytes.subarray(at + 4, at + 2 + length);
    if (marker === 0xe1) {
      if (body.toString('latin1', 0, 5) === 'Exif\0') addExif(blocks, body.subarray(6));
      else if (body.toString('latin1', 0, XMP_HEADER.length) === XMP_HEADER) addXmp(blocks, body.subarray(XMP_HEADER.length));
      else blocks.other = true;
    } else if (marker >= 0xe0 && marker <= 0xef && !isPlainSegment(marker, body)) {
      blocks.other = true;
      if (marker === 0xed && blocks.iptc.length < MAX_BLOCKS && body.toString('latin1', 0, 14) === 'Photoshop 3.0\0') blocks.iptc.push(body.subarray(14));
    }
    at += 2 + Math.max(2, length);
  }
}

/** Segments that hold no facts: JFIF, ICC profiles, multi-picture tables, JUMBF and gain maps, Adobe's colour transform. */
function isPlainSegment(marker: number, body: Buffer): boolean {
  if (marker === 0xeb || marker === 0xee) return true;
  const name = body.toString('latin1', 0, 12);
  return marker === 0xe0 ? /^(JFIF|JFXX)\0/.test(name) : marker === 0xe2 ? /^(ICC_PROFILE|MPF\0|urn:iso)/.test(name) : false;
}

function scanPng(bytes: Buffer, blocks: Blocks): void {
  let at = 8;
  for (let n = 0; n < MAX_SEGMENTS * 25 && at + 12 <= bytes.length; n++) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const body = bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + length));
    if (type === 'eXIf') addExif(blocks, body.toString('latin1', 0, 4) === 'Exif' ? body.subarray(6) : body);
    else if (type === 'iTXt' && body.toString('latin1', 0, 17) === 'XML:com.adobe.xmp') { if (body[18] === 0) addXmp(blocks, body.subarray(18)); else blocks.other = true; }
    else if (type === 'zTXt' && body.toString('latin1', 0, 16) === 'Raw profile type') blocks.other = true;
    else if ((type === 'tEXt' || type === 'iTXt' || type === 'zTXt') && /^(Creation Time|Raw profile type|exif:|date:create)/i.test(body.toString('latin1', 0, 24))) blocks.other = true;
    else if (type === 'IEND') return;
    at += 12 + length;
  }
}

function scanWebp(bytes: Buffer, blocks: Blocks): void {
  let at = 12;
  for (let n = 0; n < MAX_SEGMENTS * 25 && at + 8 <= bytes.length; n++) {
    const type = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + length));
    if (type === 'EXIF') addExif(blocks, body.toString('latin1', 0, 4) === 'Exif' ? body.subarray(6) : body);
    else if (type === 'XMP ') addXmp(blocks, body);
    at += 8 + length + (length & 1);
  }
}

export interface Box { type: string; start: number; end: number; cut: boolean }

/** Boxes between two offsets; stops at the first that does not fit. */
export function* boxes(bytes: Buffer, from: number, to: number): Generator<Box> {
  let at = from;
  for (let n = 0; n < MAX_SEGMENTS && at + 8 <= to; n++) {
    let size = bytes.readUInt32BE(at);
    let header = 8;
    if (size === 1) { if (at + 16 > to) return; size = Number(bytes.readBigUInt64BE(at + 8)); header = 16; }
    else if (size === 0) size = to - at;
    if (size < header) return;
    yield { type: bytes.toString('latin1', at + 4, at + 8), start: at + header, end: Math.min(to, at + size), cut: at + size > to };
    at += size;
  }
}

/** JPEG XL's container has plain `Exif` and `xml ` boxes (ISO 18181-2); `brob` ones are compressed and left to ExifTool. */
function scanJxl(bytes: Buffer, blocks: Blocks): void {
  if (bytes.length < 12 || bytes.readUInt32BE(0) !== 12) return;
  for (const box of boxes(bytes, 0, bytes.length)) {
    if (box.type === 'Exif') addExifItem(blocks, bytes.subarray(box.start, box.end));
    else if (box.type === 'xml ') addXmp(blocks, bytes.subarray(box.start, box.end));
    else if (box.type === 'brob') blocks.other = true;
  }
}

/** An Exif item starts with the distance from its own fifth byte to the TIFF header (ISO 23008-12, A.2.1). */
function addExifItem(blocks: Blocks, item: Buffer): void {
  if (item.length < 12) return;
  const skip = item.readUInt32BE(0);
  const start = 4 + skip;
  if (start + 8 <= item.length && (item.toString('latin1', start, start + 2) === 'II' || item.toString('latin1', start, start + 2) === 'MM')) { addExif(blocks, item.subarray(start)); return; }
  const found = item.toString('latin1', 0, 64).search(/II\*\0|MM\0\*/);
  if (found >= 0) addExif(blocks, item.subarray(found)); else blocks.other = true;
}

interface ItemPlace { method: number; extents: { offset: number; length: number }[] }

/** HEIF keeps metadata as items: `iinf` names them, `iloc` says where they are (ISO 14496-12, 8.11). */
function scanHeif(bytes: Buffer, blocks: Blocks): void {
  let meta: Box | undefined;
  for (const box of boxes(bytes, 0, bytes.length)) { if (box.type === 'meta') meta ??= box; if (box.cut) blocks.cut = true; }
  if (!meta) { blocks.other = true; return; }
  const kinds = new Map<number, string>();
  let places = new Map<number, ItemPlace>();
  let idat: Box | undefined;
  try {
    for (const box of boxes(bytes, meta.start + 4, meta.end)) {
      if (box.type === 'iinf') readItemKinds(bytes, box, kinds);
      else if (box.type === 'iloc') places = readItemPlaces(bytes, box);
      else if (box.type === 'idat') idat = box;
    }
  } catch { blocks.other = true; return; }
  for (const [id, kind] of kinds) {
    if (kind !== 'Exif' && kind !== 'mime') continue;
    const place = places.get(id);
    const data = place && readItem(bytes, place, idat);
    if (!data) { blocks.other = true; continue; }
    if (kind === 'Exif') addExifItem(blocks, data);
    else if (data.toString('latin1', 0, 300).includes('xmpmeta') || data.toString('latin1', 0, 300).includes('xpacket')) addXmp(blocks, data);
  }
}

function readItemKinds(bytes: Buffer, box: Box, kinds: Map<number, string>): void {
  const version = bytes[box.start] as number;
  const first = box.start + (version === 0 ? 6 : 8);
  for (const entry of boxes(bytes, first, box.end)) {
    if (entry.type !== 'infe') continue;
    const v = bytes[entry.start] as number;
    if (v < 2) continue;
    const id = v === 2 ? bytes.readUInt16BE(entry.start + 4) : bytes.readUInt32BE(entry.start + 4);
    const at = entry.start + (v === 2 ? 8 : 10);
    kinds.set(id, bytes.toString('latin1', at, at + 4));
  }
}

function readItemPlaces(bytes: Buffer, box: Box): Map<number, ItemPlace> {
  const places = new Map<number, ItemPlace>();
  const version = bytes[box.start] as number;
  const sizes = bytes.readUInt16BE(box.start + 4);
  const offsetSize = sizes >> 12, lengthSize = (sizes >> 8) & 15, baseSize = (sizes >> 4) & 15, indexSize = version > 0 ? sizes & 15 : 0;
  let at = box.start + 6;
  const take = (size: number): number => { const v = size === 0 ? 0 : size === 8 ? Number(bytes.readBigUInt64BE(at)) : bytes.readUIntBE(at, size); at += size; return v; };
  const count = take(version < 2 ? 2 : 4);
  for (let i = 0; i < count && i < 65_536 && at < box.end; i++) {
    const id = take(version < 2 ? 2 : 4);
    const method = version > 0 ? take(2) & 15 : 0;
    take(2);
    const base = take(baseSize);
    const extents: ItemPlace['extents'] = [];
    const n = take(2);
    for (let e = 0; e < n && at < box.end; e++) { take(indexSize); const offset = base + take(offsetSize); extents.push({ offset, length: take(lengthSize) }); }
    places.set(id, { method, extents });
  }
  return places;
}

function readItem(bytes: Buffer, place: ItemPlace, idat: Box | undefined): Buffer | undefined {
  const parts: Buffer[] = [];
  let total = 0;
  for (const extent of place.extents.slice(0, MAX_BLOCKS)) {
    const base = place.method === 1 ? idat?.start : place.method === 0 ? 0 : undefined;
    if (base === undefined) return undefined;
    const start = base + extent.offset;
    total += extent.length;
    if (start >= bytes.length || total > MAX_BLOCK_BYTES) return undefined;
    parts.push(bytes.subarray(start, Math.min(bytes.length, start + extent.length)));
  }
  return parts.length === 1 ? parts[0] : parts.length ? Buffer.concat(parts) : undefined;
}
