// The resolver: from everything that is said about an asset to the one answer that pages show (promise 6).
// Pure, and independent of the order in which facts came: claims are ranked, never "first come".
import { IMPORT_SOURCES, OFFSET_SOURCES, TAKEN_AT_SOURCES, type OffsetSource, type TakenAtSource, type ValueSource } from './words.ts';
import type { AlbumImport, ImportFacts, TimeClaim } from './rows.ts';
import { offsetAtUtc, offsetAtWall, wallMs, wallText } from './time.ts';

export interface ResolveInput {
  /** Claims from bytes, from every location's evidence, from imports and from the owner, in any order. */
  claims: readonly TimeClaim[];
  gpsZone: string | null;
  /** IANA zone for moments in UTC whose place is unknown. */
  homeZone: string;
  /** Now, in UTC milliseconds: what lies more than a day ahead is absurd. */
  nowMs: number;
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
  /** Where the claim was read in another way than its source usually means: why. */
  basis: string | null;
}

/** The first photograph that survives is from 1826. */
const EARLIEST_MS = Date.UTC(1826, 0, 1);
/** Cameras ship set to these days; a clock that was never set says them, and they are believed only if nothing else speaks. */
const UNSET_CLOCKS = new Set(['1970-01-01', '1904-01-01', '1980-01-01', '0000-00-00']);
const DAY_MS = 86_400_000;
/** What a claim may say: -12:00 to +14:00. */
const OFFSET_MIN = -12 * 60;
const OFFSET_MAX = 14 * 60;
/** Offsets that clocks really keep (tz database, today's): whole hours, and these. A difference is rounded to one of them. */
const ODD_OFFSETS = [-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];
/** A camera's clock may be off by this much and still be told from the next offset, 15 minutes away at the nearest. */
const UTC_DIFFERENCE_SLACK_MIN = 3;

interface Reading { claim: TimeClaim; wall: string; offset: number | null; offsetSource: OffsetSource | null; doubtful: boolean; rank: number }

/** Resolves the capture time by the design's order (DESIGN.md, Time). Never throws; hostile claims are at most ignored. */
export function resolveTime(input: ResolveInput): ResolvedTime {
  const readings: Reading[] = [];
  for (const claim of input.claims) {
    const reading = read(claim, input);
    if (reading) readings.push(reading);
  }
  readings.sort(compareReadings);
  const best = readings[0];
  if (!best) return { takenAt: null, source: null, offsetMinutes: null, offsetSource: null, doubtful: false, basis: null };
  const offset = resolveOffset(best, readings, input);
  const time: ResolvedTime = { takenAt: best.wall, source: best.claim.source, offsetMinutes: offset.minutes, offsetSource: offset.source, doubtful: best.doubtful, basis: best.claim.basis ?? null };
  return shift(time, input);
}

/** The owner's shift of a clock moves whatever was found; a time that the owner gave is already right. */
function shift(time: ResolvedTime, input: ResolveInput): ResolvedTime {
  const ms = time.takenAt === null ? undefined : wallMs(time.takenAt);
  if (!input.ownerShiftS || time.source === 'owner' || ms === undefined) return time;
  const moved = ms + input.ownerShiftS * 1000;
  if (Math.abs(moved) > 2.5e14) return time;
  return { ...time, takenAt: wallText(moved), source: 'owner', doubtful: isDoubtful(moved, wallText(moved), input.nowMs) };
}

function isDoubtful(ms: number, wall: string, nowMs: number): boolean {
  return ms < EARLIEST_MS || ms > nowMs + 2 * DAY_MS || UNSET_CLOCKS.has(wall.slice(0, 10));
}

function read(claim: TimeClaim, input: ResolveInput): Reading | undefined {
  const rank = TAKEN_AT_SOURCES.indexOf(claim.source);
  let offset = claim.offset_minutes;
  let offsetSource = claim.offset_source;
  // No value without its source (promise 9), and none that no clock keeps.
  if (offset === null || offsetSource === null || offset < OFFSET_MIN || offset > OFFSET_MAX) { offset = null; offsetSource = null; }
  if (input.ownerOffsetMinutes !== undefined && input.ownerOffsetMinutes !== null) { offset = input.ownerOffsetMinutes; offsetSource = 'owner'; }
  let wall: string;
  if (claim.wall !== null) {
    const ms = wallMs(claim.wall);
    if (ms === undefined) return undefined;
    wall = claim.wall;
  } else if (claim.utc_ms !== null && Math.abs(claim.utc_ms) < 8e15) {
    if (offset === null && input.gpsZone) {
      const zone = offsetAtUtc(input.gpsZone, claim.utc_ms);
      if (zone !== undefined) { offset = zone; offsetSource = 'gps_zone'; }
    }
    if (offset === null) { offset = offsetAtUtc(input.homeZone, claim.utc_ms) ?? 0; offsetSource = 'home'; }
    const ms = claim.utc_ms + offset * 60_000;
    if (ms < Date.UTC(0, 0, 1) - 1.9e12 * 30 || ms > 2.5e14) return undefined;
    wall = wallText(ms);
  } else return undefined;
  const ms = wallMs(wall);
  if (ms === undefined) return undefined;
  return { claim, wall, offset, offsetSource, doubtful: isDoubtful(ms, wall, input.nowMs), rank };
}

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
  return rank(a) - rank(b) || (a.offset ?? 0) - (b.offset ?? 0) || (a.claim.utc_ms ?? Infinity) - (b.claim.utc_ms ?? Infinity) || compareText(a.claim.basis ?? '', b.claim.basis ?? '');
}

function resolveOffset(best: Reading, all: readonly Reading[], input: ResolveInput): { minutes: number | null; source: OffsetSource | null } {
  if (best.offset !== null) return { minutes: best.offset, source: best.offsetSource };
  // A file's mtime and a bare date in a name say nothing about where the camera was.
  if (input.gpsZone) {
    const minutes = offsetAtWall(input.gpsZone, best.wall);
    if (minutes !== undefined) return { minutes, source: 'gps_zone' };
  }
  const wall = wallMs(best.wall);
  if (wall === undefined) return { minutes: null, source: null };
  for (const other of all) {
    if (other.claim.utc_ms === null || other.claim.source === 'mtime') continue;
    const minutes = realOffset((wall - other.claim.utc_ms) / 60_000);
    if (minutes !== undefined) return { minutes, source: 'utc_difference' };
  }
  return { minutes: null, source: null };
}

function realOffset(minutes: number): number | undefined {
  const hours = Math.round(minutes / 60) * 60;
  return [hours, ...ODD_OFFSETS].find((real) => Math.abs(minutes - real) <= UTC_DIFFERENCE_SLACK_MIN && real >= OFFSET_MIN && real <= OFFSET_MAX);
}

/** Code unit order: the same everywhere, which a locale's is not. */
function compareText(a: string, b: string): number { return a < b ? -1 : a > b ? 1 : 0; }

/** What the owner said of an asset; null: nothing. */
export interface OwnerFacts {
  taken_at: string | null; utc_offset_minutes: number | null; time_shift_s: number | null;
  latitude: number | null; longitude: number | null; no_position: boolean;
  /** '' takes a wrong one away. */
  description: string | null;
  favourite: boolean | null; archived: boolean | null; rating: number | null;
  /** IANA zone at the owner's position, once the agent has looked it up. */
  zone: string | null;
}

/** All that is known of one asset, in three layers; the lists in any order. */
export interface AssetInput {
  file: { time_claims: readonly TimeClaim[]; latitude: number | null; longitude: number | null; gps_zone: string | null; description: string | null; rating: number | null; tags: readonly string[] };
  /** One entry a location: what its name and mtime, its sidecars and its folder say. */
  evidence: readonly { time_claims: readonly TimeClaim[]; imports: readonly ImportFacts[]; albums: readonly AlbumImport[] }[];
  owner: OwnerFacts | null;
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
  /** By key, one a key. */
  albums: AlbumImport[];
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
    claims, gpsZone: position?.zone ?? null, homeZone: input.homeZone, nowMs: input.nowMs, ownerOffsetMinutes: owner?.utc_offset_minutes ?? null, ownerShiftS: owner?.time_shift_s ?? null,
  });
  const albums = new Map<string, AlbumImport>();
  for (const album of input.evidence.flatMap((e) => e.albums)) {
    const known = albums.get(album.key);
    if (!known || compareText(album.title, known.title) < 0) albums.set(album.key, album);
  }
  return {
    time, position, description: resolveDescription(input, imports),
    favourite: owner?.favourite ?? imports.some((i) => i.favourite === true),
    archived: owner?.archived ?? imports.some((i) => i.archived === true),
    rating: owner?.rating ?? imports.find((i) => i.rating !== null)?.rating ?? file.rating,
    people: distinct(imports.flatMap((i) => i.people)), tags: distinct([...file.tags, ...imports.flatMap((i) => i.tags)]),
    albums: [...albums.values()].sort((a, b) => compareText(a.key, b.key)),
  };
}

/** The better source first; among equals an order that depends on nothing but what they say. */
function compareImports(a: ImportFacts, b: ImportFacts): number {
  return IMPORT_SOURCES.indexOf(a.source) - IMPORT_SOURCES.indexOf(b.source) || compareText(a.name, b.name) || compareText(JSON.stringify(a), JSON.stringify(b));
}

function resolvePosition({ file, owner, still }: AssetInput, imports: readonly ImportFacts[]): ResolvedAsset['position'] {
  if (owner?.no_position) return null;
  if (owner?.latitude != null && owner.longitude !== null) return { latitude: owner.latitude, longitude: owner.longitude, source: 'owner', zone: owner.zone };
  if (still?.position) return still.position;
  const own = file.latitude !== null && file.longitude !== null ? { latitude: file.latitude, longitude: file.longitude, source: 'file' as const, zone: file.gps_zone } : null;
  const imported = imports.find((i) => i.latitude !== null && i.longitude !== null);
  if (imported?.latitude == null || imported.longitude === null) return own;
  const same = own && Math.abs(own.latitude - imported.latitude) < SAME_PLACE_DEGREES && Math.abs(own.longitude - imported.longitude) < SAME_PLACE_DEGREES;
  return same ? own : { latitude: imported.latitude, longitude: imported.longitude, source: imported.source, zone: imported.gps_zone };
}

function resolveDescription({ file, owner }: AssetInput, imports: readonly ImportFacts[]): ResolvedAsset['description'] {
  if (owner?.description != null) return owner.description === '' ? null : { text: owner.description, source: 'owner' };
  const imported = imports.find((i) => i.description !== null && i.description !== '');
  if (imported?.description) return { text: imported.description, source: imported.source };
  return file.description ? { text: file.description, source: 'file' } : null;
}

function distinct(names: readonly string[]): string[] { return [...new Set(names)].sort(compareText); }
