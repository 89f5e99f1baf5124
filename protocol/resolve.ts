// The resolver: from everything that is said about an asset to the one answer that pages show (promise 6).
// Pure, and independent of the order in which facts came: claims are ranked, never "first come".
import { compareText } from './order.ts';
import { IMPORT_SOURCES, OFFSET_SOURCES, TAKEN_AT_SOURCES, type OffsetSource, type TakenAtSource, type ValueSource } from './words.ts';
import type { AlbumImport, ImportFacts, TimeClaim } from './rows.ts';
import { readContainer, witnessesOf, type Witness } from './container-time.ts';
import { OFFSET_MAX, OFFSET_MIN, offsetAtUtc, offsetAtWall, realOffset, wallMs, wallText } from './time.ts';

export interface ResolveInput {
  /** Claims from bytes, from every location's evidence, from imports and from the owner, in any order. */
  claims: readonly TimeClaim[];
  gpsZone: string | null;
  /** IANA zone for moments in UTC whose place is unknown. */
  homeZone: string;
  /** Now, in UTC milliseconds: what lies more than a day ahead is absurd. */
  nowMs: number;
  /** A movie's length: cameras write its beginning or its end. */
  durationMs?: number | null;
  /** The owner's word on the offset alone, and on a clock that ran wrong by so many seconds. */
  ownerOffsetMinutes?: number | null;
  ownerShiftS?: number | null;
}

export interface ResolvedTime {
  /** Wall time, or null where nothing says anything. */
  takenAt: string | null;
  source: TakenAtSource | null;
  offsetMinutes: number | null;
  offsetSource: OffsetSource | null;
  /** Absurd (before photography, or in the future): shown, and marked as doubtful. */
  doubtful: boolean;
  /** Why the claim was read as it is, where its source alone does not say; in words, for people. */
  basis: string | null;
}

/** The first photograph that survives is from 1826. */
const EARLIEST_MS = Date.UTC(1826, 0, 1);
const DAY_MS = 86_400_000;
/**
 * Zeros of clocks and formats, believed only if nothing else speaks: Unix (and the evening before it, in the Americas),
 * QuickTime, DOS and FAT (and what a zone makes of them), OLE and .NET. The first second of 2000 and of some other years is
 * where cameras start whose battery was out; the rest of those days had real photographers.
 */
const ZERO_DAYS = new Set(['1970-01-01', '1969-12-31', '1904-01-01', '1903-12-31', '1980-01-01', '1979-12-31', '1979-11-30', '1899-12-30']);
const ZERO_SECONDS = new Set(['1900-01-01T00:00:00', '2000-01-01T00:00:00']);
/** Years 1 to 9999: what a wall time can spell. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

interface Reading {
  claim: TimeClaim; wall: string; offset: number | null; offsetSource: OffsetSource | null; doubtful: boolean; rank: number; basis: string | null;
  /** The moment is sure enough to measure other claims' offsets by. */
  utcMs: number | null;
}

/** Resolves the capture time by the design's order (DESIGN.md, Time). Never throws; hostile claims are at most ignored. */
export function resolveTime(input: ResolveInput): ResolvedTime {
  const readings: Reading[] = [];
  const witnesses = witnessesOf(input.claims, (ms) => isDoubtful(ms, safeWall(ms) ?? '', input.nowMs, null));
  for (const claim of input.claims) {
    const reading = read(claim, witnesses, input);
    if (reading) readings.push(reading);
  }
  readings.sort(compareReadings);
  const best = timeOfDay(readings);
  if (!best) return { takenAt: null, source: null, offsetMinutes: null, offsetSource: null, doubtful: false, basis: null };
  const offset = resolveOffset(best, readings, input);
  return shift({ takenAt: best.wall, source: best.claim.source, offsetMinutes: offset.minutes, offsetSource: offset.source, doubtful: best.doubtful, basis: best.basis }, input);
}

/**
 * The best reading; where that is a name which gives a day alone (WhatsApp's), the next one that knows the time on that day,
 * be it the file's mtime. It is shown as its own source, and the day is why it is believed.
 */
function timeOfDay(sorted: readonly Reading[]): Reading | undefined {
  const best = sorted[0];
  if (!best || !isDayOnly(best.claim)) return best;
  const timed = sorted.find((r) => !r.doubtful && !isDayOnly(r.claim) && r.wall.slice(0, 10) === best.wall.slice(0, 10));
  return timed ? { ...timed, basis: timed.basis ?? 'its name says the same day' } : { ...best, basis: best.basis ?? 'its name says a day and no time' };
}

/** A name with a day and no time is claimed at midnight, and a picture that was taken in that very second loses nothing by it. */
function isDayOnly(claim: TimeClaim): boolean { return claim.source === 'name' && claim.wall !== null && claim.wall.endsWith('T00:00:00'); }

/** The owner's shift of a clock moves whatever was found; a time that the owner gave is already right. */
function shift(time: ResolvedTime, input: ResolveInput): ResolvedTime {
  const ms = time.takenAt === null ? undefined : wallMs(time.takenAt);
  if (!input.ownerShiftS || time.source === 'owner' || ms === undefined) return time;
  const moved = ms + input.ownerShiftS * 1000;
  if (!(moved >= FIRST_MS && moved <= LAST_MS)) return time;
  return { ...time, takenAt: wallText(moved), source: 'owner', doubtful: isDoubtful(moved, wallText(moved), input.nowMs, 'owner') };
}

/** Absurd, or the zero of a clock; the owner may mean that very day. */
function isDoubtful(ms: number, wall: string, nowMs: number, source: TakenAtSource | null): boolean {
  return ms < EARLIEST_MS || ms > nowMs + 2 * DAY_MS || (source !== 'owner' && (ZERO_DAYS.has(wall.slice(0, 10)) || ZERO_SECONDS.has(wall)));
}

function read(claim: TimeClaim, witnesses: readonly Witness[], input: ResolveInput): Reading | undefined {
  const rank = TAKEN_AT_SOURCES.indexOf(claim.source);
  let offset = claim.offset_minutes;
  let offsetSource = claim.offset_source;
  // No value without its source (promise 9), and none that no clock keeps.
  if (offset === null || offsetSource === null || offset < OFFSET_MIN || offset > OFFSET_MAX) { offset = null; offsetSource = null; }
  let { wall, utc_ms: utcMs } = claim;
  let basis = claim.basis ?? null;
  if (claim.source === 'quicktime' && utcMs !== null && Number.isSafeInteger(utcMs)) {
    const zoneOffset = input.gpsZone ? offsetAtUtc(input.gpsZone, utcMs) : undefined;
    const container = readContainer({ ...claim, utc_ms: utcMs, offset_minutes: offset }, witnesses, input.durationMs ?? 0, zoneOffset);
    basis = container.basis;
    wall = container.local ? safeWall(utcMs) ?? null : null;
    if (container.local && wall === null) return undefined;
    // The place's own zone is better than a difference.
    if (offset === null && container.offset !== null && zoneOffset === undefined) { offset = container.offset; offsetSource = 'utc_difference'; }
  }
  if (input.ownerOffsetMinutes !== undefined && input.ownerOffsetMinutes !== null) { offset = input.ownerOffsetMinutes; offsetSource = 'owner'; }
  if (wall === null) {
    if (utcMs === null || Math.abs(utcMs) > 8e15) return undefined;
    if (offset === null && input.gpsZone) {
      const zone = offsetAtUtc(input.gpsZone, utcMs);
      if (zone !== undefined) { offset = zone; offsetSource = 'gps_zone'; }
    }
    if (offset === null) { offset = offsetAtUtc(input.homeZone, utcMs) ?? 0; offsetSource = 'home'; }
    wall = safeWall(utcMs + offset * 60_000) ?? null;
  } else utcMs = null;
  const ms = wall === null ? undefined : wallMs(wall);
  if (wall === null || ms === undefined) return undefined;
  // A clock's zero in UTC is another wall time in every zone.
  const zero = utcMs !== null && (utcMs === 0 || isDoubtful(utcMs, safeWall(utcMs) ?? '', input.nowMs, claim.source));
  return { claim, wall, offset, offsetSource, doubtful: zero || isDoubtful(ms, wall, input.nowMs, claim.source), rank, basis, utcMs };
}

function safeWall(ms: number): string | undefined { return ms >= FIRST_MS && ms <= LAST_MS ? wallText(ms) : undefined; }

/**
 * Believable before doubtful, then the design's order, then the earlier wall time, then the one with an offset (the better
 * source, then the lower), then the earlier moment. A total order over all that the answer depends on, so that the order
 * of the claims cannot show in it.
 */
function compareReadings(a: Reading, b: Reading): number {
  if (a.doubtful !== b.doubtful && a.claim.source !== 'owner' && b.claim.source !== 'owner') return a.doubtful ? 1 : -1;
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.wall !== b.wall) return a.wall < b.wall ? -1 : 1;
  const rank = (r: Reading) => (r.offsetSource === null ? OFFSET_SOURCES.length : OFFSET_SOURCES.indexOf(r.offsetSource));
  return rank(a) - rank(b) || (a.offset ?? 0) - (b.offset ?? 0) || (a.utcMs ?? Infinity) - (b.utcMs ?? Infinity) || compareText(a.basis ?? '', b.basis ?? '');
}

function resolveOffset(best: Reading, all: readonly Reading[], input: ResolveInput): { minutes: number | null; source: OffsetSource | null } {
  if (best.offset !== null) return { minutes: best.offset, source: best.offsetSource };
  if (input.gpsZone) {
    const minutes = offsetAtWall(input.gpsZone, best.wall);
    if (minutes !== undefined) return { minutes, source: 'gps_zone' };
  }
  const wall = wallMs(best.wall);
  if (wall === undefined || isDayOnly(best.claim)) return { minutes: null, source: null };
  for (const other of all) {
    // A file's mtime says nothing about where the camera was.
    if (other.utcMs === null || other.doubtful || other.claim.source === 'mtime') continue;
    const minutes = other.offsetSource === 'utc_difference' && other.offset !== null ? other.offset : realOffset((wall - other.utcMs) / 60_000);
    if (minutes !== undefined) return { minutes, source: 'utc_difference' };
  }
  return { minutes: null, source: null };
}

/** What the owner said of an asset; null: nothing. */
export interface OwnerFacts {
  taken_at: string | null; utc_offset_minutes: number | null; time_shift_s: number | null;
  latitude: number | null; longitude: number | null; no_position: boolean;
  /** '' takes a wrong one away. */
  description: string | null;
  favourite: boolean | null; archived: boolean | null; rating: number | null;
  /** What is added to the tags that were found, and what is taken from them. */
  tags: { add: readonly string[]; remove: readonly string[] };
  /** IANA zone at the owner's position, once the agent has looked it up. */
  zone: string | null;
}

/** All that is known of one asset, in three layers; the lists in any order. */
export interface AssetInput {
  file: { time_claims: readonly TimeClaim[]; latitude: number | null; longitude: number | null; gps_zone: string | null; description: string | null; rating: number | null; tags: readonly string[]; duration_ms?: number | null };
  /** One entry a location: what its name and mtime, its sidecars and its folder say. */
  evidence: readonly { time_claims: readonly TimeClaim[]; imports: readonly ImportFacts[]; albums: readonly AlbumImport[] }[];
  owner: OwnerFacts | null;
  /** Albums that the owner put it into, and keys of those that it was taken out of, whatever an export says. */
  albums: { put: readonly AlbumImport[]; left: readonly string[] };
  /** The still's answer, where the asset is a Live Photo's video: it was taken then and there. */
  still: ResolvedAsset | null;
  homeZone: string;
  nowMs: number;
}

export interface ResolvedAsset {
  time: ResolvedTime;
  position: { latitude: number; longitude: number; source: ValueSource; zone: string | null } | null;
  description: { text: string; source: ValueSource } | null;
  favourite: boolean; archived: boolean; rating: number | null;
  people: string[]; tags: string[];
  /** By key, one a key: all that hold it, and those that exports say. */
  albums: AlbumImport[]; imported_albums: AlbumImport[];
}

/** Two positions this close (some 200 m) are one: then the file's own is the exacter. */
const SAME_PLACE_DEGREES = 0.002;

/** Resolves an asset from its layers. Pure; the order of evidence, imports and claims shows in nothing. */
export function resolveAsset(input: AssetInput): ResolvedAsset {
  const { file, owner } = input;
  const imports = input.evidence.flatMap((e) => e.imports).sort(compareImports);
  const position = resolvePosition(input, imports);
  const claims = [...file.time_claims, ...input.evidence.flatMap((e) => e.time_claims), ...imports.flatMap((i) => i.time_claims)];
  if (owner?.taken_at) {
    claims.push({ source: 'owner', wall: owner.taken_at, utc_ms: null, offset_minutes: owner.utc_offset_minutes, offset_source: owner.utc_offset_minutes === null ? null : 'owner' });
  }
  const ownTime = owner !== null && (owner.taken_at !== null || owner.utc_offset_minutes !== null || owner.time_shift_s !== null);
  // The zone of a doubtful position would shift the hour: resolvePosition has left such ones out.
  const time = input.still && !ownTime ? input.still.time : resolveTime({
    claims, gpsZone: position?.zone ?? null, homeZone: input.homeZone, nowMs: input.nowMs, durationMs: file.duration_ms ?? null, ownerOffsetMinutes: owner?.utc_offset_minutes ?? null, ownerShiftS: owner?.time_shift_s ?? null,
  });
  const imported = distinctAlbums(input.evidence.flatMap((e) => e.albums));
  const tags = distinct([...file.tags, ...imports.flatMap((i) => i.tags), ...(owner?.tags.add ?? [])]);
  return {
    time, position, description: resolveDescription(input, imports),
    favourite: owner?.favourite ?? imports.some((i) => i.favourite === true),
    archived: owner?.archived ?? imports.some((i) => i.archived === true),
    rating: owner?.rating ?? imports.find((i) => i.rating !== null)?.rating ?? file.rating,
    people: distinct(imports.flatMap((i) => i.people)), tags: tags.filter((tag) => !owner?.tags.remove.includes(tag)),
    imported_albums: imported, albums: distinctAlbums([...imported, ...input.albums.put]).filter((album) => !input.albums.left.includes(album.key)),
  };
}

/** The better source first; among equals an order that depends on nothing but what they say. */
function compareImports(a: ImportFacts, b: ImportFacts): number {
  return IMPORT_SOURCES.indexOf(a.source) - IMPORT_SOURCES.indexOf(b.source) || compareText(a.name, b.name) || compareText(scalars(a), scalars(b));
}

/** What is picked from one import alone; the lists of all are joined, and their order in a row means nothing. */
function scalars(i: ImportFacts): string { return JSON.stringify([i.description, i.latitude, i.longitude, i.gps_zone, i.rating]); }

function resolvePosition({ file, owner, still }: AssetInput, imports: readonly ImportFacts[]): ResolvedAsset['position'] {
  if (owner?.no_position) return null;
  if (owner?.latitude != null && owner.longitude !== null) return { latitude: owner.latitude, longitude: owner.longitude, source: 'owner', zone: owner.zone };
  const own = file.latitude !== null && file.longitude !== null ? { latitude: file.latitude, longitude: file.longitude, source: 'file' as const, zone: file.gps_zone } : null;
  const imported = imports.find((i) => i.latitude !== null && i.longitude !== null);
  const better = still?.position ?? (imported?.latitude == null || imported.longitude === null ? null
    : { latitude: imported.latitude, longitude: imported.longitude, source: imported.source, zone: imported.gps_zone });
  if (!better) return own;
  const same = own && Math.abs(own.latitude - better.latitude) < SAME_PLACE_DEGREES && Math.abs(own.longitude - better.longitude) < SAME_PLACE_DEGREES;
  return same ? own : better;
}

function resolveDescription({ file, owner }: AssetInput, imports: readonly ImportFacts[]): ResolvedAsset['description'] {
  if (owner?.description != null) return owner.description === '' ? null : { text: owner.description, source: 'owner' };
  const imported = imports.find((i) => i.description !== null && i.description !== '');
  if (imported?.description) return { text: imported.description, source: imported.source };
  return file.description ? { text: file.description, source: 'file' } : null;
}

function distinct(names: readonly string[]): string[] { return [...new Set(names)].sort(compareText); }

/** One a key, with the least of its titles, in the order of keys. */
function distinctAlbums(all: readonly AlbumImport[]): AlbumImport[] {
  const albums = new Map<string, AlbumImport>();
  for (const album of all) {
    const known = albums.get(album.key);
    if (!known || compareText(album.title, known.title) < 0) albums.set(album.key, album);
  }
  return [...albums.values()].sort((a, b) => compareText(a.key, b.key));
}
