// Bursts: pictures that one camera took one right after the other of the same thing, shown as one. Pure, from the files of one
// folder. Careful, for stacking hides: without a camera, an own time to the second, names that count and a near look nothing is joined, unless the
// camera itself says so in the names.
import { compareText } from '../../protocol/order.ts';
import { wallMs } from '../../protocol/time.ts';
import type { Look } from '../catalog/looks.ts';
import { BURST_BITS, distance } from './look.ts';
import { BASIS, type PairFile, type Relation } from './pairs.ts';

export interface BurstFile extends PairFile {
  size_bytes: number; width: number | null; height: number | null; camera: string | null;
  look: Pick<Look, 'hi' | 'lo'> | undefined;
}

/** Longest time from one picture to the next, as written to the second. */
export const MAX_BURST_GAP_MS = 2_000;
/** Two that look alike are look-alikes; a finger that stayed down makes three. */
export const MIN_BURST = 3;
/** More is a film of stills, and not for one tile. */
export const MAX_BURST = 100;

/** Android's names: `IMG_20230325_101112_BURST001_COVER.jpg`, `00001IMG_00001_BURST20230325101112345.jpg`. */
function burstNamed(name: string): { id: string; cover: boolean } | undefined {
  const m = /^(?:(.*?)_BURST(\d{1,3})|\d{5}.*?_BURST(\d{14,17}))(_COVER)?\.[^.]+$/i.exec(name);
  const id = m?.[3] ?? (m?.[2] === undefined ? undefined : m[1]);
  return id === undefined ? undefined : { id: id.toLowerCase(), cover: m?.[4] !== undefined };
}

/** When the camera says that it was taken, in its own clock; undefined where it does not. Names, mtimes and sidecars are no witnesses. */
function takenMs(file: BurstFile): number | undefined {
  const wall = file.time_claims.find((claim) => claim.source === 'exif_original' && claim.wall !== null)?.wall;
  return wall === null || wall === undefined ? undefined : wallMs(wall);
}

/**
 * A camera's names count: alike but for their numbers, and the last one ends the name and orders pictures of one second. Versions of
 * one picture have all else in common with a burst, and names of their own (`x-edit`, `x (2)`, `x 2`).
 */
function countedName(name: string): { alike: string; count: number } | undefined {
  const stem = name.replace(/\.[^.]+$/, '').toLowerCase();
  const count = /[^\s(\d](\d+)$/.exec(stem)?.[1] ?? /^(\d+)$/.exec(stem)?.[1];
  return count === undefined ? undefined : { alike: stem.replace(/\d+/g, '#'), count: Number(count) };
}

/** Relations of one folder's bursts. `others`: what stands in a stack of another kind, over or under another: it stays out. */
export function findBursts(files: readonly BurstFile[], others: ReadonlySet<string>): Relation[] {
  const free = [...new Map(files.filter((f) => f.kind === 'image' && !others.has(f.sha256)).sort((a, b) => compareText(b.name, a.name)).map((f) => [f.sha256, f])).values()];
  const named = Map.groupBy(free, (f) => burstNamed(f.name)?.id);
  const unnamed = named.get(undefined) ?? [];
  named.delete(undefined);
  return [
    ...[...named.values()].filter((burst) => burst.length > 1).flatMap((burst) => relate(burst, BASIS.burstName)),
    ...[...Map.groupBy(unnamed.filter((f) => f.camera !== null && f.look), (f) => JSON.stringify([f.camera, f.mime, f.width, f.height, countedName(f.name)?.alike])).values()].flatMap((own) => runsOf(own).flatMap((burst) => relate(burst, BASIS.burst))),
  ];
}

/** Runs of one camera's pictures of one size and name, each near to the next in time and look. */
function runsOf(files: readonly BurstFile[]): BurstFile[][] {
  const timed = files.flatMap((file) => { const [at, named] = [takenMs(file), countedName(file.name)]; return at === undefined || !named ? [] : [{ file, at, count: named.count }]; })
    .sort((a, b) => a.at - b.at || a.count - b.count || compareText(a.file.name, b.file.name) || compareText(a.file.sha256, b.file.sha256));
  const runs: BurstFile[][] = [];
  let run: BurstFile[] = [];
  timed.forEach(({ file, at, count }, i) => {
    const last = timed[i - 1];
    const goes = last?.file.look && file.look && count !== last.count && at - last.at <= MAX_BURST_GAP_MS && distance(last.file.look, file.look) <= BURST_BITS;
    if (!goes) { runs.push(run); run = []; }
    run.push(file);
  });
  return [...runs, run].filter((r) => r.length >= MIN_BURST && r.length <= MAX_BURST);
}

/**
 * Under the one that the camera chose (`_COVER`), else the largest file: of pictures of one thing, by one encoder, the one with
 * the most detail takes the most bytes, and blur takes few. Then the first by its name, so that it is the same one every time.
 */
function relate(burst: readonly BurstFile[], basis: string): Relation[] {
  const rank = (f: BurstFile) => Number(burstNamed(f.name)?.cover ?? false);
  const [best, ...rest] = burst.toSorted((a, b) => rank(b) - rank(a) || b.size_bytes - a.size_bytes || compareText(a.name, b.name) || compareText(a.sha256, b.sha256));
  return best ? rest.map((file) => ({ member: file.sha256, primary: best.sha256, type: 'burst', basis })) : [];
}
