// What a file is, from its first bytes before its name. Owns the tables of magic numbers and extensions; reads nothing itself.
import type { Identified } from './types.ts';

/** Extension -> family of contents that it may honestly hold. A family is a set of formats that programs mix freely. */
const FAMILY_BY_EXTENSION: Record<string, string> = {
  jpg: 'jpeg', jpeg: 'jpeg', jpe: 'jpeg', jfif: 'jpeg', mpo: 'jpeg', thm: 'jpeg', insp: 'jpeg',
  png: 'png', apng: 'png', webp: 'webp', gif: 'gif', avif: 'heif', avifs: 'heif', heic: 'heif', heif: 'heif', hif: 'heif', heics: 'heif',
  tif: 'tiff', tiff: 'tiff', bmp: 'bmp', dib: 'bmp', jxl: 'jxl', jp2: 'jp2', j2k: 'jp2', j2c: 'jp2', jpf: 'jp2', jpx: 'jp2', jpc: 'jp2', flif: 'flif', psd: 'psd', psb: 'psd',
  dng: 'raw', nef: 'raw', nrw: 'raw', cr2: 'raw', cr3: 'raw', crw: 'raw', raf: 'raw', arw: 'raw', sr2: 'raw', srf: 'raw', orf: 'raw', rw2: 'raw', rwl: 'raw',
  pef: 'raw', srw: 'raw', x3f: 'raw', mrw: 'raw', erf: 'raw', kdc: 'raw', dcr: 'raw', mos: 'raw', iiq: 'raw', '3fr': 'raw', fff: 'raw', mef: 'raw', gpr: 'raw', raw: 'raw',
  mp4: 'iso', m4v: 'iso', mov: 'iso', qt: 'iso', '3gp': 'iso', '3gpp': 'iso', '3g2': 'iso', lrv: 'iso', insv: 'iso',
  mkv: 'matroska', webm: 'matroska', avi: 'avi', divx: 'avi', wmv: 'asf', asf: 'asf', mts: 'mpegts', m2ts: 'mpegts', m2t: 'mpegts',
  mpg: 'mpegps', mpeg: 'mpegps', vob: 'mpegps', mod: 'mpegps', flv: 'flv', f4v: 'iso', ogv: 'ogg',
};
/** `.ts` is TypeScript far more often than a transport stream: only bytes can make it a video, never its name. */
const FAMILY_BY_FORMAT: Record<string, string> = {
  jpeg: 'jpeg', png: 'png', webp: 'webp', gif: 'gif', avif: 'heif', heic: 'heif', tiff: 'tiff', bmp: 'bmp', jxl: 'jxl', jp2: 'jp2', j2c: 'jp2', raw: 'raw',
  mp4: 'iso', mov: 'iso', '3gp': 'iso', matroska: 'matroska', webm: 'matroska', avi: 'avi', asf: 'asf', mpegts: 'mpegts', mpegps: 'mpegps', flv: 'flv', ogg: 'ogg',
};
const MIME_BY_RAW_EXTENSION: Record<string, string> = {
  dng: 'image/x-adobe-dng', nef: 'image/x-nikon-nef', nrw: 'image/x-nikon-nrw', cr2: 'image/x-canon-cr2', cr3: 'image/x-canon-cr3', crw: 'image/x-canon-crw', raf: 'image/x-fuji-raf',
  arw: 'image/x-sony-arw', orf: 'image/x-olympus-orf', rw2: 'image/x-panasonic-rw2', pef: 'image/x-pentax-pef', srw: 'image/x-samsung-srw', x3f: 'image/x-sigma-x3f', mrw: 'image/x-minolta-mrw',
};
/** Files that systems leave in folders of photos. Lower case. */
const SYSTEM_FILES = new Set(['.ds_store', 'thumbs.db', 'ehthumbs.db', 'ehthumbs_vista.db', 'desktop.ini', '.localized', '.nomedia', '.picasa.ini', 'picasa.ini', '.picasaoriginals', 'icon\r', '.hidden', '.bridgesort', '.bridgecache', '.bridgecachet', 'zbthumbnail.info', '.volumeicon.icns', '.jharokha-volume']);
/** Since 2024 Takeout puts this between name and `.json`, cut where the whole name grows too long. */
export const TAKEOUT_SUFFIX = 'supplemental-metadata';
const NOT_MEDIA = 'not a photo or video';

function asset(kind: 'image' | 'video', mime: string, format: string): Identified { return { as: 'asset', kind, mime, format }; }
function ascii(head: Buffer, from: number, to: number): string { return head.toString('latin1', from, to); }

const VIDEO_FAMILIES = new Set(['iso', 'matroska', 'avi', 'asf', 'mpegts', 'mpegps', 'flv', 'ogg']);

/** What a file of this extension (lower case, no dot) would be, by its name alone; undefined where it is no picture's or video's. */
export function kindOfExtension(extension: string): 'image' | 'video' | undefined {
  const family = FAMILY_BY_EXTENSION[extension];
  // An extension may also be the name of something that every object has.
  return typeof family !== 'string' ? undefined : VIDEO_FAMILIES.has(family) ? 'video' : 'image';
}

/** The extension in lower case without its dot, or empty. */
export function extensionOf(name: string): string {
  const at = name.lastIndexOf('.');
  return at > 0 || (at === 0 && name.startsWith('._')) ? name.slice(at + 1).toLowerCase() : '';
}

/**
 * What a file is. `head` is its first 4 KiB or less. Bytes decide; the name decides only between sidecars, RAW flavours
 * of one container, and whether unreadable bytes are a failure (named as media) or none of our business.
 */
export function identify(name: string, sizeBytes: number, head: Buffer): Identified {
  const lower = name.toLowerCase();
  const extension = extensionOf(name);
  if (SYSTEM_FILES.has(lower)) return { as: 'ignored', reason: 'a file of the operating system' };
  const named = FAMILY_BY_EXTENSION[extension];
  if (sizeBytes === 0 || head.length === 0) {
    if (named || (extension === '' && !name.startsWith('.')) || extension === 'xmp' || extension === 'aae') return { as: 'failed', code: 'empty', reason: 'the file is empty (0 bytes)' };
    return { as: 'ignored', reason: NOT_MEDIA };
  }
  if (head.length >= 4 && head.readUInt32BE(0) === 0x00051607) {
    return { as: 'ignored', reason: name.startsWith('._') ? 'AppleDouble: notes that macOS keeps beside another file' : 'AppleDouble: notes of macOS about another file, not the file itself' };
  }
  const byBytes = identifyBytes(extension, head);
  if (byBytes) return byBytes;
  const sidecar = identifySidecar(lower, extension, head);
  if (sidecar) return sidecar;
  if (named) return { as: 'failed', code: 'not_media', reason: `named .${extension}, but ${describeBytes(head)}` };
  return { as: 'ignored', reason: NOT_MEDIA };
}

/** The sentence for a file whose name tells another kind than its bytes; undefined where the name is honest or silent. */
export function wrongExtension(name: string, format: string): string | undefined {
  const extension = extensionOf(name);
  const named = FAMILY_BY_EXTENSION[extension];
  const real = FAMILY_BY_FORMAT[format];
  if (!named || !real || named === real) return undefined;
  // TIFF is the container of most RAW formats; an H.264 stream in MOD or a JPEG preview as RAW sidecar is common too.
  if ((named === 'raw' && real === 'tiff') || (named === 'tiff' && real === 'raw') || (named === 'mpegps' && real === 'mpegts')) return undefined;
  return `named .${extension}, but its content is ${format.toUpperCase()}`;
}

function identifyBytes(extension: string, head: Buffer): Identified | undefined {
  if (head.length < 2) return undefined;
  const b0 = head[0];
  if (b0 === 0xff && head[1] === 0xd8 && head[2] === 0xff) return asset('image', 'image/jpeg', 'jpeg');
  if (b0 === 0x89 && ascii(head, 1, 4) === 'PNG') return asset('image', 'image/png', 'png');
  if (ascii(head, 0, 4) === 'GIF8') return asset('image', 'image/gif', 'gif');
  const four = ascii(head, 0, 4);
  if (four === 'RIFF' && head.length >= 12) return identifyRiff(ascii(head, 8, 12));
  if (four === 'II*\0' || four === 'MM\0*' || four === 'MM\0+' || four === 'II+\0') return identifyTiff(extension, head);
  if (four === 'IIRO' || four === 'IIRS' || four === 'MMOR') return raw('orf');
  if (four === 'IIU\0') return raw('rw2');
  if (four === 'FOVb') return raw('x3f');
  if (four === '\0MRM') return raw('mrw');
  if (ascii(head, 0, 15) === 'FUJIFILMCCD-RAW') return raw('raf');
  if ((four === 'II\x1a\0' || four === 'MM\0\x1a') && ascii(head, 6, 10) === 'HEAP') return raw('crw');
  if (ascii(head, 0x19, 0x20) === 'ARECOYK') return raw('raw');
  if (ascii(head, 4, 8) === 'ftyp' && head.length >= 12) return identifyFtyp(head);
  if (head.length >= 12 && head.readUInt32BE(0) === 12 && ascii(head, 4, 8) === 'JXL ') return asset('image', 'image/jxl', 'jxl');
  if (b0 === 0xff && head[1] === 0x0a) return asset('image', 'image/jxl', 'jxl');
  if (head.length >= 12 && head.readUInt32BE(0) === 12 && ascii(head, 4, 8) === 'jP  ') return asset('image', 'image/jp2', 'jp2');
  if (head.length >= 4 && head.readUInt32BE(0) === 0xff4fff51) return asset('image', 'image/j2c', 'j2c');
  if (four === 'FLIF') return { as: 'failed', code: 'unsupported', reason: 'FLIF pictures cannot be read' };
  if (four === '8BPS') return { as: 'failed', code: 'unsupported', reason: 'Photoshop documents cannot be read' };
  if (four === 'BM' + ascii(head, 2, 4) && head.length >= 30 && isBmp(head)) return asset('image', 'image/bmp', 'bmp');
  return identifyVideoBytes(extension, head);
}

function identifyVideoBytes(extension: string, head: Buffer): Identified | undefined {
  if (head.length < 8) return undefined;
  const u32 = head.readUInt32BE(0);
  if (u32 === 0x1a45dfa3) {
    const text = ascii(head, 0, 128);
    return text.includes('webm') ? asset('video', 'video/webm', 'webm') : text.includes('matroska') ? asset('video', 'video/x-matroska', 'matroska') : undefined;
  }
  // QuickTime before `ftyp` was invented starts with one of its other atoms, of a plausible size.
  const atom = ascii(head, 4, 8);
  if ((atom === 'moov' || atom === 'mdat' || atom === 'wide' || atom === 'pnot' || ((atom === 'free' || atom === 'skip') && ['mov', 'mp4', 'm4v', 'qt'].includes(extension))) && (u32 >= 8 || u32 === 1 || u32 === 0)) return asset('video', 'video/quicktime', 'mov');
  if (u32 === 0x3026b275 && head.readUInt32BE(4) === 0x8e66cf11) return extension === 'wma' ? { as: 'ignored', reason: NOT_MEDIA } : asset('video', 'video/x-ms-wmv', 'asf');
  if (ascii(head, 0, 4) === 'FLV\x01') return asset('video', 'video/x-flv', 'flv');
  if (ascii(head, 0, 4) === 'OggS') return ascii(head, 0, 256).includes('theora') ? asset('video', 'video/ogg', 'ogg') : { as: 'ignored', reason: NOT_MEDIA };
  if (u32 === 0x000001ba || u32 === 0x000001b3) return asset('video', 'video/mpeg', 'mpegps');
  if (isTransportStream(head, 0, 188) || isTransportStream(head, 4, 192)) return asset('video', 'video/mp2t', 'mpegts');
  return undefined;
}

/** Five sync bytes in step: enough that text (`G` is 0x47) does not pass for video. */
function isTransportStream(head: Buffer, from: number, step: number): boolean {
  for (let i = 0; i < 5; i++) if (head[from + i * step] !== 0x47) return false;
  return true;
}

function identifyRiff(type: string): Identified | undefined {
  if (type === 'WEBP') return asset('image', 'image/webp', 'webp');
  if (type === 'AVI ') return asset('video', 'video/x-msvideo', 'avi');
  return type === 'WAVE' ? { as: 'ignored', reason: NOT_MEDIA } : undefined;
}

function raw(extension: string): Identified { return asset('image', MIME_BY_RAW_EXTENSION[extension] ?? 'image/x-raw', 'raw'); }

/** A TIFF is a RAW by its name (one container serves a dozen makers), by Canon's mark, or by a DNG version in its first directory. */
function identifyTiff(extension: string, head: Buffer): Identified {
  if (FAMILY_BY_EXTENSION[extension] === 'raw') return raw(extension);
  if (ascii(head, 8, 10) === 'CR') return raw('cr2');
  if (hasFirstDirectoryTag(head, 0xc612)) return raw('dng');
  return asset('image', 'image/tiff', 'tiff');
}

function hasFirstDirectoryTag(head: Buffer, tag: number): boolean {
  const little = head[0] === 0x49;
  const u16 = (at: number) => (at + 2 <= head.length ? (little ? head.readUInt16LE(at) : head.readUInt16BE(at)) : 0);
  const start = head.length >= 8 ? (little ? head.readUInt32LE(4) : head.readUInt32BE(4)) : 0;
  const count = u16(start);
  for (let i = 0; i < count && start + 2 + i * 12 + 2 <= head.length; i++) if (u16(start + 2 + i * 12) === tag) return true;
  return false;
}

const HEIC_BRANDS = new Set(['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'hevm', 'hevs', 'mif1', 'msf1', 'mif2']);

function identifyFtyp(head: Buffer): Identified {
  const end = Math.min(head.readUInt32BE(0), head.length);
  const brands: string[] = [ascii(head, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(ascii(head, at, at + 4));
  const major = brands[0] ?? '';
  if (major === 'crx ') return raw('cr3');
  if (major === 'jxl ') return asset('image', 'image/jxl', 'jxl');
  if (major === 'avif' || major === 'avis') return asset('image', 'image/avif', 'avif');
  if (HEIC_BRANDS.has(major)) {
    const plain = major === 'mif1' || major === 'msf1' || major === 'mif2';
    if (plain && brands.includes('avif') && !brands.some((b) => b.startsWith('he'))) return asset('image', 'image/avif', 'avif');
    return asset('image', plain && !brands.some((b) => b.startsWith('hei')) ? 'image/heif' : 'image/heic', 'heic');
  }
  if (/^M4[ABP] $/.test(major) || major === 'aax ') return { as: 'ignored', reason: NOT_MEDIA };
  if (major === 'qt  ') return asset('video', 'video/quicktime', 'mov');
  if (major.startsWith('3g')) return asset('video', 'video/3gpp', '3gp');
  return asset('video', 'video/mp4', 'mp4');
}

/** A BMP's second header has one of six sizes, and its colour planes are always one. */
function isBmp(head: Buffer): boolean {
  const size = head.readUInt32LE(14);
  return [12, 40, 52, 56, 64, 108, 124].includes(size) && head.readUInt16LE(size === 12 ? 22 : 26) === 1;
}

function identifySidecar(lower: string, extension: string, head: Buffer): Identified | undefined {
  if (extension === 'xmp') return { as: 'sidecar', format: 'xmp' };
  if (extension === 'aae') return { as: 'sidecar', format: 'aae' };
  if (extension !== 'json') return undefined;
  // Takeout's: named after a media file (its name may be cut short), or with one of the keys that Takeout always writes.
  const stem = lower.slice(0, -5).replace(/\(\d+\)$/, '');
  const text = head.toString('utf8');
  if (/"(photoTakenTime|albumData|creationTime|googlePhotosOrigin)"/.test(text)) return { as: 'sidecar', format: 'json' };
  const last = extensionOf(stem);
  if (FAMILY_BY_EXTENSION[last] || (last !== '' && TAKEOUT_SUFFIX.startsWith(last))) return { as: 'sidecar', format: 'json' };
  // An album's own file is named in the export's language: it is known by its keys (pipeline/sidecars.ts).
  return /"title"\s*:/.test(text) && /"(access|date|enrichments)"\s*:/.test(text) ? { as: 'sidecar', format: 'json' } : undefined;
}

function describeBytes(head: Buffer): string {
  let zeros = 0, printable = 0;
  for (const byte of head) { if (byte === 0) zeros++; else if (byte >= 32 || byte === 9 || byte === 10 || byte === 13) printable++; }
  if (zeros === head.length) return 'it holds only zeros (a failed copy?)';
  if (ascii(head, 0, 4) === 'PK\x03\x04') return 'it is a ZIP archive or an office document';
  if (ascii(head, 0, 5) === '%PDF-') return 'it is a PDF';
  if (printable === head.length && head.length > 0 && !head.includes(0x80)) return 'it holds text';
  return 'its bytes are of no known picture or video';
}
