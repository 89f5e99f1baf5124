// Groups of look-alikes, from the catalog alone, all of them anew: so they are the same whatever order files came in. In slices,
// for it runs beside everything else; what it was told of meanwhile makes it run again.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Catalog } from '../catalog/catalog.ts';
import { BEST_LOOK, clearNearDue, listLooks, listNear, putNear, readLook, readNearDue, removeNear, type LookDetails, type LookPlace, type NearMember } from '../catalog/looks.ts';
import { chosenSpace, countVectorsToMake, readVector } from '../catalog/vectors.ts';
import { LOOK_VERSION, NEAR_VERSION } from '../../protocol/versions.ts';
import { distance, looksSame, NEAR_BITS, NEAR_BITS_ALONE } from './look.ts';
import { createLookIndex } from './look-index.ts';

/** Cosine of two vectors of one picture. Not calibrated on a real model (docs/adr/0022-near-duplicates.md). */
const MIN_COSINE = 0.9;
/** Shapes (width by height) and durations of one picture may differ by these: a slight crop, another encoder. */
const MAX_SHAPE_RATIO = 1.08;
const MAX_DURATION_RATIO = 1.02;
/** Near hashes of one leader that are looked at, the nearest first: a film of stills from one place has thousands. */
const MAX_LOOKED_AT = 300;
const SLICE_MS = 8;
const READ_AT_ONCE = 2_000;
const WRITTEN_AT_ONCE = 500;
const BASIS = 'near_basis';

export interface NearContext {
  catalog: Catalog;
  /** Waited for between slices: what people wait for comes first. */
  idle?: (() => Promise<void>) | undefined;
}

/** What groups rest on beside the looks: the rules, and the vectors that confirm. */
function basisNow(catalog: Catalog): string {
  const space = chosenSpace(catalog);
  return `${LOOK_VERSION}.${NEAR_VERSION}.${space?.id ?? '-'}.${space !== undefined && countVectorsToMake(catalog) === 0 ? 'whole' : 'part'}`;
}

/** True where groups may not be what they should be. */
export function isNearDue(catalog: Catalog): boolean { return readNearDue(catalog) !== undefined || catalog.getMeta(BASIS) !== basisNow(catalog); }

/** Finds the groups and writes what differs. False where it was told to stop, or nothing was due; then nothing is said to be done. */
export async function findNear(ctx: NearContext, signal?: AbortSignal): Promise<boolean> {
  const { catalog } = ctx;
  if (!isNearDue(catalog)) return false;
  const due = readNearDue(catalog);
  const basis = basisNow(catalog);
  const pace = createPace(ctx.idle);
  const members = await groupLooks(catalog, pace, signal);
  if (!members) return false;
  catalog.assertRoom();
  await writeGroups(catalog, members, pace);
  catalog.transact(() => { clearNearDue(catalog, due); catalog.setMeta(BASIS, basis); });
  return true;
}

/**
 * Each picture that is not in a group yet, the best first, leads those that look like it: so a group is round one picture, and
 * no chain of small changes joins what nobody would call alike. Undefined where it was told to stop.
 */
async function groupLooks(catalog: Catalog, pace: () => Promise<void>, signal: AbortSignal | undefined): Promise<Map<string, NearMember> | undefined> {
  const looks = await readLooks(catalog, pace);
  const index = createLookIndex(looks.hi, looks.lo);
  await pace();
  const taken = new Uint8Array(looks.row.length);
  const found = new Map<string, NearMember>();
  const space = chosenSpace(catalog);
  const vectorOf = (sha256: string) => (space ? readVector(catalog, space.id, sha256) : undefined);
  for (let leader = 0; leader < taken.length; leader += 1) {
    if (signal?.aborted) return undefined;
    await pace();
    if (taken[leader]) continue;
    const bitsTo = (at: number) => distance({ hi: looks.hi[leader] as number, lo: looks.lo[leader] as number }, { hi: looks.hi[at] as number, lo: looks.lo[at] as number });
    // Those before it lead groups of their own, and did not take it.
    const near = index.near(leader, NEAR_BITS).filter((at) => at > leader && !taken[at]);
    if (near.length === 0) continue;
    const first = readLook(catalog, looks.row[leader] as number);
    if (!first?.takesPart) continue;
    const own = vectorOf(first.sha256);
    const group: LookDetails[] = [];
    for (const at of near.map((at) => ({ at, bits: bitsTo(at) })).sort((a, b) => a.bits - b.bits || a.at - b.at).slice(0, MAX_LOOKED_AT)) {
      const other = readLook(catalog, looks.row[at.at] as number);
      if (!other?.takesPart || !isSameShape(first, other) || !looksSame(first.fine, other.fine)) continue;
      const vector = own && vectorOf(other.sha256);
      if (own && vector ? cosine(own, vector) < MIN_COSINE : at.bits > NEAR_BITS_ALONE) continue;
      taken[at.at] = 1;
      group.push(other);
    }
    if (group.length === 0) continue;
    const spareBytes = group.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    for (const { sha256 } of [first, ...group]) found.set(sha256, { sha256, group: first.sha256, spareBytes });
  }
  return found;
}

interface Looks { row: Float64Array; hi: Int32Array; lo: Int32Array }

/** In the order of listLooks. */
async function readLooks(catalog: Catalog, pace: () => Promise<void>): Promise<Looks> {
  const [row, hi, lo]: [number[], number[], number[]] = [[], [], []];
  for (let after: LookPlace | null = BEST_LOOK; after;) {
    const page = listLooks(catalog, after, READ_AT_ONCE);
    for (const look of page.looks) { row.push(look[0]); hi.push(look[1]); lo.push(look[2]); }
    after = page.next;
    await pace();
  }
  return { row: Float64Array.from(row), hi: Int32Array.from(hi), lo: Int32Array.from(lo) };
}

function isSameShape(a: LookDetails, b: LookDetails): boolean {
  const within = (x: number, y: number, ratio: number) => x <= y * ratio && y <= x * ratio;
  if (a.kind !== b.kind) return false;
  if (a.kind === 'video' && (a.duration_ms === null || b.duration_ms === null || !within(a.duration_ms, b.duration_ms, MAX_DURATION_RATIO))) return false;
  if (a.width === null || a.height === null || b.width === null || b.height === null) return true;
  return within(a.width * b.height, b.width * a.height, MAX_SHAPE_RATIO);
}

/** Of vectors of unit length. */
function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Makes the groups exactly these; rows that are as they were are not pushed again. In short transactions: whoever comes after a crash finds it still due. */
async function writeGroups(catalog: Catalog, members: Map<string, NearMember>, pace: () => Promise<void>): Promise<void> {
  const changed = new Map(members);
  const gone: string[] = [];
  for (let after = '', full = true; full;) {
    const rows = listNear(catalog, after, READ_AT_ONCE);
    for (const row of rows) {
      const now = members.get(row.sha256);
      if (!now) gone.push(row.sha256);
      else if (now.group === row.group && now.spareBytes === row.spareBytes) changed.delete(row.sha256);
    }
    after = rows.at(-1)?.sha256 ?? after;
    full = rows.length === READ_AT_ONCE;
    await pace();
  }
  const write = [...gone.map((sha256) => () => { removeNear(catalog, sha256); }), ...[...changed.values()].map((member) => () => { putNear(catalog, member); })];
  for (let from = 0; from < write.length; from += WRITTEN_AT_ONCE) {
    catalog.transact(() => { for (const one of write.slice(from, from + WRITTEN_AT_ONCE)) one(); });
    await pace();
  }
}

function createPace(idle: (() => Promise<void>) | undefined): () => Promise<void> {
  let sliceEnd = performance.now() + SLICE_MS;
  return async () => {
    if (performance.now() < sliceEnd) return;
    await breathe();
    await idle?.();
    sliceEnd = performance.now() + SLICE_MS;
  };
}
