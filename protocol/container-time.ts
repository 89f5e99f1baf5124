// Whether a movie's creation time is the UTC that QuickTime's standard asks for, or the local time that many cameras write
// there: decided by evidence, which is kept in words. Pure, and independent of the order of the claims.
import type { TimeClaim } from './rows.ts';
import { offsetText, realOffset, wallMs } from './time.ts';
import { TAKEN_AT_SOURCES, type TakenAtSource } from './words.ts';

/** Another time of the same file, to measure the container's by: a wall time read as if it were UTC, or a moment. */
export interface Witness { source: TakenAtSource; ms: number; utc: boolean }

/**
 * Sources that know the time by themselves. Not Takeout: Google reads the same container as UTC. Not an mtime: copying
 * programs set it from the container, each in its own reading. Not the owner, who outranks all of it anyway.
 */
const NAMES: Partial<Record<TakenAtSource, string>> = {
  exif_original: 'its EXIF date', quicktime_keys: 'its creation date with an offset', xmp: 'its XMP date', exif_other: 'its EXIF date', gps: 'its GPS time', name: 'its name',
};

/** The claims that may bear witness, best source first; `isDoubtful` judges a time, local or UTC. */
export function witnessesOf(claims: readonly TimeClaim[], isDoubtful: (ms: number) => boolean): Witness[] {
  const witnesses: Witness[] = [];
  for (const { source, wall, utc_ms: utcMs, offset_minutes: offset, offset_source: offsetSource } of claims) {
    if (!(source in NAMES)) continue;
    if (wall !== null) {
      const ms = wallMs(wall);
      // A day without a time is claimed at midnight.
      if (ms === undefined || isDoubtful(ms) || (source === 'name' && wall.endsWith('T00:00:00'))) continue;
      witnesses.push(offset !== null && offsetSource !== null ? { source, ms: ms - offset * 60_000, utc: true } : { source, ms, utc: false });
    } else if (utcMs !== null && !isDoubtful(utcMs)) witnesses.push({ source, ms: utcMs, utc: true });
  }
  const rank = (w: Witness) => TAKEN_AT_SOURCES.indexOf(w.source);
  return witnesses.sort((a, b) => rank(a) - rank(b) || a.ms - b.ms || Number(a.utc) - Number(b.utc));
}

/** How a container's time is to be read; `offset` in minutes where the evidence gives it. */
export interface ContainerReading { local: boolean; offset: number | null; basis: string | null }

/**
 * Reads the time of one container claim. The maker's word (a `basis`; with a `wall` it means local time) is believed until a
 * better witness contradicts it, save that a maker known for UTC is not contradicted: there a time that says the same is
 * one from a place at +00:00. `durationMs`: cameras write the beginning of a recording or its end. `zoneOffset`: of the
 * position at that time.
 */
export function readContainer(claim: TimeClaim & { utc_ms: number }, witnesses: readonly Witness[], durationMs: number, zoneOffset: number | undefined): ContainerReading {
  const maker = claim.basis ?? null;
  const byMaker: ContainerReading = { local: claim.wall !== null, offset: null, basis: maker };
  // An offset that the file names for it, or a place where both readings are one.
  if (claim.offset_minutes !== null) return { ...byMaker, local: false };
  if (zoneOffset === 0) return { local: false, offset: null, basis: byMaker.local ? 'local time was UTC at its place' : maker };
  const alwaysUtc = maker !== null && claim.wall === null;
  for (const witness of witnesses) {
    const verdict = hear(claim.utc_ms, witness, durationMs, alwaysUtc);
    if (!verdict) continue;
    // The maker's word and the witness's agree: the maker's is the simpler one to read, the offset is the witness's.
    return alwaysUtc ? { ...verdict, basis: maker } : verdict;
  }
  return byMaker;
}

/** What one witness makes of the container's time; undefined where they have nothing to do with each other. */
function hear(written: number, { source, ms, utc }: Witness, durationMs: number, alwaysUtc: boolean): ContainerReading | undefined {
  const says = NAMES[source] ?? source;
  const difference = (start: number) => realOffset((utc ? start - ms : ms - start) / 60_000);
  const starts = durationMs > 0 ? [written, written - durationMs] : [written];
  const found = starts.map(difference);
  if (found.includes(0)) {
    if (utc) return { local: false, offset: null, basis: `written in UTC: ${says} says the same` };
    return alwaysUtc ? { local: false, offset: 0, basis: null } : { local: true, offset: null, basis: `the camera wrote local time: ${says} says the same` };
  }
  const offset = found.find((o) => o !== undefined);
  if (offset === undefined) return undefined;
  if (!utc) return { local: false, offset, basis: `written in UTC: ${says} is ${offsetText(offset)} from it` };
  return alwaysUtc ? undefined : { local: true, offset, basis: `the camera wrote local time: it is ${offsetText(offset)} from ${says}` };
}
