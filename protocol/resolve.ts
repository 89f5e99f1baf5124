// The resolver: from everything that is said about an asset to the one answer that pages show (promise 6).
// Pure, and independent of the order in which facts came: claims are ranked, never "first come".
import { OFFSET_SOURCES, TAKEN_AT_SOURCES, type OffsetSource, type TakenAtSource } from './words.ts';
import type { TimeClaim } from './rows.ts';
import { offsetAtUtc, offsetAtWall, wallMs, wallText } from './time.ts';

export interface ResolveInput {
  /** Claims from bytes, from every location's evidence, from imports and from the owner, in any order. */
  claims: readonly TimeClaim[];
  gpsZone: string | null;
  /** IANA zone for moments in UTC whose place is unknown. */
  homeZone: string;
  /** Now, in UTC milliseconds: what lies more than a day ahead is absurd. */
  nowMs: number;
}

export interface ResolvedTime {
  /** Wall time, or null where nothing says anything. */
  takenAt: string | null;
  source: TakenAtSource | null;
  offsetMinutes: number | null;
  offsetSource: OffsetSource | null;
  /** Absurd (before photography, or in the future): shown, and marked as doubtful. */
  doubtful: boolean;
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
  if (!best) return { takenAt: null, source: null, offsetMinutes: null, offsetSource: null, doubtful: false };
  const offset = resolveOffset(best, readings, input);
  return { takenAt: best.wall, source: best.claim.source, offsetMinutes: offset.minutes, offsetSource: offset.source, doubtful: best.doubtful };
}

function read(claim: TimeClaim, input: ResolveInput): Reading | undefined {
  const rank = TAKEN_AT_SOURCES.indexOf(claim.source);
  let offset = claim.offset_minutes;
  let offsetSource = claim.offset_source;
  // No value without its source (promise 9), and none that no clock keeps.
  if (offset === null || offsetSource === null || offset < OFFSET_MIN || offset > OFFSET_MAX) { offset = null; offsetSource = null; }
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
  const doubtful = ms < EARLIEST_MS || ms > input.nowMs + 2 * DAY_MS || UNSET_CLOCKS.has(wall.slice(0, 10));
  return { claim, wall, offset, offsetSource, doubtful, rank };
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
  return rank(a) - rank(b) || (a.offset ?? 0) - (b.offset ?? 0) || (a.claim.utc_ms ?? Infinity) - (b.claim.utc_ms ?? Infinity) || 0;
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
