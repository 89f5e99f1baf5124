// A sidecar's bytes to what it says of a media file or of an album. Pure but for the zone table. All of it is hostile text:
// a field of the wrong shape is left out, a file that is no sidecar at all is refused with a reason.
import type { ImportFacts, TimeClaim } from '../../protocol/rows.ts';
import { claimsOf, utcClaim } from './claims.ts';
import { positionOf } from './facts.ts';
import { cleanNumber, cleanProse, cleanText } from './text.ts';
import { ReadError } from './types.ts';
import { readXmp, readXmpWords } from './xmp.ts';
import { zoneAt } from './zone.ts';

/** Real sidecars are under 100 KB, with every brush stroke of an edit a few MB. What is larger is not read. */
export const MAX_SIDECAR_BYTES = 8 * 2 ** 20;

const MAX_TITLE = 500;
const MAX_NAMES = 200;
/** Longest title that names a file: no file system takes longer names, but cut names keep their whole title. */
const MAX_MEDIA_TITLE = 1_000;
/** Beyond this no date exists (the bound of Date). */
const MAX_DATE_MS = 8.64e15;

export type SidecarFormat = 'takeout' | 'album' | 'xmp' | 'aae' | 'other';

export interface SidecarRead {
  format: SidecarFormat;
  /** Takeout's name of the media file, whole, before any cut or replacement. */
  title: string | null;
  /** What it says of a media file (takeout, xmp). */
  said: ImportFacts | null;
  /** An album folder's own file; null where the album has no title. */
  album: { title: string } | null;
}

/** Reads one sidecar. Throws ReadError (`too_large`, `damaged`) with a reason for people. */
export async function readSidecar(name: string, kind: 'xmp' | 'json' | 'aae', bytes: Buffer): Promise<SidecarRead> {
  if (bytes.length > MAX_SIDECAR_BYTES) throw tooLarge(bytes.length);
  if (kind === 'aae') return { format: 'aae', title: null, said: null, album: null };
  const text = decodeText(bytes);
  return kind === 'xmp' ? readXmpSidecar(name, text) : readJsonSidecar(name, text);
}

/** The refusal of a sidecar that is larger than any is; the scan says it without reading the file. */
export function tooLarge(sizeBytes: number): ReadError {
  return new ReadError('too_large', 'sidecar', `it has ${Math.ceil(sizeBytes / 2 ** 20)} MB; a sidecar has ${MAX_SIDECAR_BYTES / 2 ** 20} MB at most`);
}

/** UTF-8, or UTF-16 with its mark, as some programs write. */
function decodeText(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2))).swap16().toString('utf16le');
  const text = bytes.toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown): Fields { return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}; }

async function readJsonSidecar(name: string, text: string): Promise<SidecarRead> {
  let value: unknown;
  try { value = JSON.parse(text); } catch { throw new ReadError('damaged', 'sidecar', 'its JSON is broken or cut off'); }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ReadError('damaged', 'sidecar', 'it is JSON, but not of the shape that an export writes');
  const fields = value as Fields;
  const format = jsonFormat(fields);
  if (format === 'album') {
    const title = cleanText(fieldsOf(fields['albumData'])['title'] ?? fields['title'], MAX_TITLE);
    return { format, title: null, said: null, album: title === null ? null : { title } };
  }
  if (format === 'other') return { format, title: null, said: null, album: null };
  const title = typeof fields['title'] === 'string' && fields['title'].trim() !== '' ? fields['title'].slice(0, MAX_MEDIA_TITLE).toWellFormed() : null;
  return { format, title, said: await takeoutFacts(name, fields), album: null };
}

/** Keys that only a media file's sidecar has; each may be absent. */
const MEDIA_KEYS = ['photoTakenTime', 'creationTime', 'geoDataExif', 'imageViews', 'googlePhotosOrigin', 'photoLastModifiedTime', 'favorited', 'archived', 'trashed', 'people'];
/** Keys of an album's own file, beside its title. Its name is in the export's language, so that only its shape tells. */
const ALBUM_KEYS = ['access', 'date', 'enrichments'];

function jsonFormat(fields: Fields): 'takeout' | 'album' | 'other' {
  const has = (key: string) => Object.hasOwn(fields, key);
  if (has('photoTakenTime')) return 'takeout';
  if (typeof fields['albumData'] === 'object' && fields['albumData'] !== null) return 'album';
  if (typeof fields['title'] === 'string' && ALBUM_KEYS.some(has) && !MEDIA_KEYS.some(has)) return 'album';
  return MEDIA_KEYS.some(has) ? 'takeout' : 'other';
}

async function takeoutFacts(name: string, fields: Fields): Promise<ImportFacts> {
  const position = takeoutPosition(fields['geoData']) ?? takeoutPosition(fields['geoDataExif']);
  const people = Array.isArray(fields['people']) ? fields['people'].map((person) => fieldsOf(person)['name']) : [];
  // A thing that Google's trash holds is kept and put aside, never given away by a sidecar (promise 1).
  const archived = fields['trashed'] === true ? true : flag(fields['archived']);
  return {
    source: 'takeout', name: cleanName(name), time_claims: takenClaims(fields['photoTakenTime']), ...await placeOf(position),
    description: cleanProse(fields['description']), favourite: flag(fields['favorited']), archived, rating: null, people: cleanNames(people), tags: [],
  };
}

/** Seconds since 1970 in UTC, as text. 0 is what Takeout writes for a file without a date: the resolver believes it last. */
function takenClaims(value: unknown): TimeClaim[] {
  const seconds = cleanNumber(fieldsOf(value)['timestamp']);
  if (seconds === null || Array.isArray(fieldsOf(value)['timestamp']) || Math.abs(seconds * 1000) > MAX_DATE_MS) return [];
  return [utcClaim('takeout', seconds * 1000)];
}

function takeoutPosition(value: unknown): { latitude: number; longitude: number } | null {
  const { latitude, longitude } = fieldsOf(value);
  return typeof latitude === 'number' && typeof longitude === 'number' ? positionOf({ latitude, longitude }, []) : null;
}

async function placeOf(position: { latitude: number; longitude: number } | null): Promise<Pick<ImportFacts, 'latitude' | 'longitude' | 'gps_zone'>> {
  return position ? { ...position, gps_zone: await zoneAt(position.latitude, position.longitude) } : { latitude: null, longitude: null, gps_zone: null };
}

async function readXmpSidecar(name: string, text: string): Promise<SidecarRead> {
  if (!/<(?:rdf:RDF|x:xmpmeta|x:xapmeta|rdf:Description)[\s>]/.test(text)) throw new ReadError('damaged', 'sidecar', 'it holds no XMP');
  const words = readXmpWords(text);
  const tags = readXmp(text, words);
  const said: ImportFacts = {
    source: 'xmp', name: cleanName(name), time_claims: bestDate(claimsOf({ xmpDates: tags.xmpDates ?? [], raw: {} }).claims), ...await placeOf(positionOf(tags, [])),
    description: cleanProse(words.description), favourite: words.favourite === '1' ? true : null, archived: null,
    rating: stars(words.rating), people: cleanNames(words.people), tags: cleanNames(words.tags),
  };
  return { format: 'xmp', title: null, said, album: null };
}

/**
 * The capture's date alone, which readXmp puts first: programs leave the others (a scan's, the file's own) as they were when
 * the owner corrects the capture, and the resolver would believe the earliest. It may take the offset from one of them that
 * tells the same wall time.
 */
function bestDate(claims: readonly TimeClaim[]): TimeClaim[] {
  const [best] = claims;
  return best ? [claims.find((c) => c.wall === best.wall && c.offset_minutes !== null) ?? best] : [];
}

/** XMP's stars are a real number: -1 rejected, 0 none. */
function stars(value: string | undefined): number | null {
  const n = cleanNumber(value);
  return n !== null && n >= -1 && n <= 5 ? Math.round(n) + 0 : null;
}

function flag(value: unknown): boolean | null { return typeof value === 'boolean' ? value : null; }
function cleanName(name: string): string { return name.slice(0, 1_000).toWellFormed(); }

function cleanNames(values: readonly unknown[]): string[] {
  const names = new Set<string>();
  for (const value of values) {
    const name = typeof value === 'string' ? cleanText(value) : null;
    if (name !== null) names.add(name);
    if (names.size === MAX_NAMES) break;
  }
  return [...names];
}
