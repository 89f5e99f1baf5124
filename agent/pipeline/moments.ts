// Whether two files, or a file and a sidecar, can speak of the same moment. Pure; compares like with like: moments in UTC
// where both are known, else wall times, else a moment with a wall time whose offset nobody wrote.
import type { TimeClaim } from '../../protocol/rows.ts';
import { wallMs } from '../../protocol/time.ts';
import type { TakenAtSource } from '../../protocol/words.ts';

/** A Live Photo's video starts 1.5 s before its still and ends as long after it; containers are stamped at either end. */
export const SAME_MOMENT_MS = 3_000;
/** Offsets that clocks keep are whole quarters of an hour (tz database), from -12:00 to +14:00. */
const QUARTER_MS = 15 * 60_000;
const WIDEST_OFFSET_MS = 14 * 3_600_000;
/** What the bytes say of the capture, best first. Names, mtimes and sidecars are no witnesses of the bytes; GPS fixes lag. */
const STILL_SOURCES: readonly TakenAtSource[] = ['exif_original', 'xmp', 'exif_other'];
/** A container's creation time may be that of a re-encoding, and the Keys' rarely are: either may agree. */
const VIDEO_SOURCES: readonly TakenAtSource[] = ['quicktime_keys', 'quicktime', 'exif_original', 'xmp'];

interface Moment { utc: number | null; wall: number | null }

function momentOf(claim: TimeClaim): Moment | undefined {
  const offset = claim.offset_minutes === null ? null : claim.offset_minutes * 60_000;
  const wall = claim.wall === null ? undefined : wallMs(claim.wall);
  if (wall !== undefined) return { wall, utc: claim.utc_ms ?? (offset === null ? null : wall - offset) };
  return claim.utc_ms === null ? undefined : { utc: claim.utc_ms, wall: offset === null ? null : claim.utc_ms + offset };
}

export interface Timed { kind: 'image' | 'video'; time_claims: readonly TimeClaim[] }

/** A still's best source alone, a video's of every kind; empty where the bytes say nothing of the capture. */
function momentsOf(file: Timed): Moment[] {
  if (file.kind === 'video') return file.time_claims.filter((c) => VIDEO_SOURCES.includes(c.source)).flatMap((c) => momentOf(c) ?? []);
  const source = STILL_SOURCES.find((s) => file.time_claims.some((c) => c.source === s && momentOf(c)));
  return file.time_claims.filter((c) => c.source === source).flatMap((c) => momentOf(c) ?? []);
}

export function saysTime(file: Timed): boolean { return momentsOf(file).length > 0; }

function areSame(a: Moment, b: Moment): boolean {
  if (a.utc !== null && b.utc !== null) return Math.abs(a.utc - b.utc) <= SAME_MOMENT_MS;
  if (a.wall !== null && b.wall !== null) return Math.abs(a.wall - b.wall) <= SAME_MOMENT_MS;
  return isOffset((a.wall ?? b.wall ?? 0) - (a.utc ?? b.utc ?? 0));
}

/** True for a difference of wall time and UTC that some clock's offset explains, to within SAME_MOMENT_MS. */
function isOffset(ms: number): boolean {
  const rest = Math.abs(ms) % QUARTER_MS;
  return Math.abs(ms) <= WIDEST_OFFSET_MS + SAME_MOMENT_MS && Math.min(rest, QUARTER_MS - rest) <= SAME_MOMENT_MS;
}

/** True where both say a time and the times are one. */
export function timesAgree(a: Timed, b: Timed): boolean {
  const other = momentsOf(b);
  return momentsOf(a).some((m) => other.some((n) => areSame(m, n)));
}

/** True where both say a time and no two of them are within the widest offset of each other. */
export function timesAreFarApart(a: Timed, b: Timed): boolean {
  const [first, second] = [momentsOf(a), momentsOf(b)];
  const near = (m: Moment, n: Moment) => Math.abs((m.utc ?? m.wall ?? 0) - (n.utc ?? n.wall ?? 0)) <= WIDEST_OFFSET_MS + SAME_MOMENT_MS;
  return first.length > 0 && second.length > 0 && !first.some((m) => second.some((n) => near(m, n)));
}

/**
 * What a sidecar's moments (UTC) say of a file that it may be about. `agree`: they differ by an offset that clocks keep;
 * `near`: by no more than the widest one, as where its owner corrected the seconds; `silent`: one of them says nothing.
 */
export function compareWithSidecar(file: Timed, claims: readonly TimeClaim[]): 'agree' | 'near' | 'apart' | 'silent' {
  const said = claims.flatMap((c) => momentOf(c) ?? []);
  const own = momentsOf(file);
  if (said.length === 0 || own.length === 0) return 'silent';
  const gaps = own.flatMap((m) => said.map((n) => (m.utc ?? m.wall ?? 0) - (n.utc ?? n.wall ?? 0)));
  // A file's own UTC can be a guess from a wall time, and Google's too: both are given the room of an offset.
  return gaps.some(isOffset) ? 'agree' : gaps.some((gap) => Math.abs(gap) <= WIDEST_OFFSET_MS + SAME_MOMENT_MS) ? 'near' : 'apart';
}
