// Which assets are shown as one: Live Photos, edited copies, RAW with its picture. Pure: from the files of one folder, or
// those of a volume that carry one identifier, to relations between hashes. The order of the files shows in nothing.
import { compareText } from '../../protocol/order.ts';
import type { TimeClaim } from '../../protocol/rows.ts';
import type { StackType } from '../../protocol/words.ts';
import { originalOf } from './match.ts';
import { saysTime, timesAgree, timesAreFarApart } from './moments.ts';

export interface PairFile {
  name: string; sha256: string; kind: 'image' | 'video'; mime: string;
  /** Apple's: the same on a Live Photo's still and video. */
  content_identifier: string | null;
  duration_ms: number | null; time_claims: readonly TimeClaim[];
}

export interface Relation { member: string; primary: string; type: StackType; basis: string }

/** Why two files belong together, for people, best first: of a member's several relations the first of these wins. */
export const BASIS = {
  identifier: 'The same content identifier, in one folder',
  identifierOnDrive: 'The same content identifier, on one drive',
  motionName: 'The video part of a motion photo, by its name',
  stem: 'The same name, taken within seconds',
  raw: 'The same name: a RAW and its picture',
  apple: 'An edited copy, by Apple\'s name for it',
  edited: 'An edited copy, by its name',
  burstName: 'One burst, by the camera\'s names',
  burst: 'One burst: the same camera, within seconds, of the same thing',
} as const;
const BASIS_ORDER: readonly string[] = Object.values(BASIS);

/**
 * Longest video that is a Live Photo's by its name alone. Apple records 1.5 s on either side of the still, Samsung and
 * Google up to 3 s; encoders round up. A film of the same name as a picture is seldom this short.
 */
export const MAX_LIVE_MS = 5_000;
/** Apple's identifiers are on two files, and on the edited copies of them: far more than that is no identifier. */
export const MAX_SAME_IDENTIFIER = 50;
/** Files of one stem that are looked at: a folder holds some ten kinds of a picture, not thousands. */
const MAX_SAME_STEM = 20;

const LIVE_STILLS = new Set(['image/heic', 'image/heif', 'image/jpeg']);
const LIVE_VIDEOS = new Set(['video/quicktime', 'video/mp4']);

/** MIME types of RAW stills are the only private ones among pictures (identify.ts). */
function isRaw(file: PairFile): boolean { return file.mime.startsWith('image/x-'); }
function isLiveStill(file: PairFile): boolean { return file.kind === 'image' && LIVE_STILLS.has(file.mime); }

/** Text under which a name is found again: one form of accents, one case. */
function fold(text: string): string { return text.normalize('NFC').toLowerCase(); }

function stemOf(name: string): string {
  const at = name.lastIndexOf('.');
  return at > 0 ? name.slice(0, at) : name;
}

/** The stem of the original of `IMG_E1234`, which is what Apple's programs call an edited copy of `IMG_1234`. */
function appleOriginal(name: string): string | undefined {
  const m = /^(img_)e(\d{4,}.*)$/i.exec(stemOf(name));
  return m ? `${m[1]}${m[2]}` : undefined;
}

function originalStem(name: string): string | undefined { return appleOriginal(name) ?? originalOf(name); }

/** HEIC before JPEG before what else there is: what a phone wrote before what was made from it; then by name, then by hash. */
function compareFiles(a: PairFile, b: PairFile): number {
  const rank = (f: PairFile) => (isRaw(f) ? 3 : f.mime.startsWith('image/hei') ? 0 : f.mime === 'image/jpeg' ? 1 : 2);
  return rank(a) - rank(b) || compareText(a.name, b.name) || compareText(a.sha256, b.sha256);
}

/** Relations of one folder's files, at most one a member, each straight to the one that is shown. Linear in the files. */
export function pairFolder(files: readonly PairFile[]): Relation[] {
  const sorted = [...files].sort((a, b) => compareText(a.name, b.name));
  const byStem = Map.groupBy(sorted, (f) => fold(stemOf(f.name)));
  const relations: Relation[] = [];
  const relate = (member: PairFile, primary: PairFile | undefined, type: StackType, basis: string): void => {
    if (primary && primary.sha256 !== member.sha256) relations.push({ member: member.sha256, primary: primary.sha256, type, basis });
  };
  const live = pairByIdentifier(sorted);
  for (const { video, still } of live) relate(video, still, 'live', BASIS.identifier);
  const videos = new Set(live.map((p) => p.video.sha256));
  for (const file of sorted) {
    const same = (byStem.get(fold(stemOf(file.name))) ?? []).slice(0, MAX_SAME_STEM);
    if (file.kind === 'video' && !videos.has(file.sha256)) {
      relate(file, best(same, (still) => isLiveByName(file, still)), 'live', BASIS.stem);
      relate(file, motionStill(file, byStem), 'live', BASIS.motionName);
    }
    if (isRaw(file)) relate(file, best(same, (f) => f.kind === 'image' && LIVE_STILLS.has(f.mime) && (timesAgree(file, f) || !saysTime(file) || !saysTime(f))), 'raw', BASIS.raw);
    const original = originalStem(file.name);
    if (original !== undefined) relate(file, findOriginal(file, (byStem.get(fold(original)) ?? []).slice(0, MAX_SAME_STEM)), 'edited', appleOriginal(file.name) === undefined ? BASIS.edited : BASIS.apple);
  }
  return chooseStacks(relations);
}

function best(files: readonly PairFile[], fits: (file: PairFile) => boolean): PairFile | undefined {
  return files.filter(fits).sort(compareFiles)[0];
}

/** Only where neither has an identifier: one that has belongs to the other that has the same, and to nothing else. */
function isLiveByName(video: PairFile, still: PairFile): boolean {
  return isLiveStill(still) && LIVE_VIDEOS.has(video.mime) && still.content_identifier === null && video.content_identifier === null
    && video.duration_ms !== null && video.duration_ms <= MAX_LIVE_MS && timesAgree(video, still);
}

/** Google's export of a motion photo `X.MP.jpg` has its video as `X.MP`; so has one of `X.MP~2.jpg`. Its container often says no time. */
function motionStill(video: PairFile, byStem: ReadonlyMap<string, PairFile[]>): PairFile | undefined {
  if (!/\.MP(~\d+)?$/i.test(video.name) || video.content_identifier !== null || (video.duration_ms ?? 0) > MAX_LIVE_MS) return undefined;
  const stills = (byStem.get(fold(video.name)) ?? []).slice(0, MAX_SAME_STEM);
  return best(stills, (still) => isLiveStill(still) && still.content_identifier === null && (timesAgree(video, still) || !saysTime(video) || !saysTime(still)));
}

/** The original of an edited copy: of the same kind, and of the same extension before others. Editing keeps the day of the capture. */
function findOriginal(copy: PairFile, originals: readonly PairFile[]): PairFile | undefined {
  const extension = fold(copy.name.slice(stemOf(copy.name).length));
  const fits = originals.filter((f) => f.kind === copy.kind && f.sha256 !== copy.sha256 && !timesAreFarApart(copy, f));
  return best(fits, (f) => fold(f.name).endsWith(extension) && !isRaw(f)) ?? best(fits, () => true);
}

/** Videos with the still of the same identifier, of one folder. */
function pairByIdentifier(files: readonly PairFile[]): { video: PairFile; still: PairFile }[] {
  const marked = files.filter((f) => f.content_identifier !== null && (f.kind === 'video' || isLiveStill(f)));
  return [...Map.groupBy(marked, (f) => f.content_identifier).values()].flatMap((group) => {
    const stills = group.filter((f) => f.kind === 'image').sort(compareStills);
    const byStem = new Map(stills.toReversed().map((f) => [fold(stemOf(f.name)), f]));
    return group.filter((f) => f.kind === 'video').flatMap((video) => {
      const still = byStem.get(fold(stemOf(video.name))) ?? stills[0];
      return still ? [{ video, still }] : [];
    });
  });
}

/** An original before its edited copies, which carry its identifier too. */
function compareStills(a: PairFile, b: PairFile): number {
  return Number(originalStem(a.name) !== undefined) - Number(originalStem(b.name) !== undefined) || compareFiles(a, b);
}

/** A video without a still in its folder, and the files with its identifier on its volume (at most MAX_SAME_IDENTIFIER). */
export function pairOnDrive(video: PairFile, others: readonly PairFile[]): Relation | undefined {
  if (video.kind !== 'video' || video.content_identifier === null) return undefined;
  const [pair] = pairByIdentifier([video, ...others.filter((f) => f.kind === 'image' && f.content_identifier === video.content_identifier && f.sha256 !== video.sha256)]);
  return pair && { member: video.sha256, primary: pair.still.sha256, type: 'live', basis: BASIS.identifierOnDrive };
}

/** Better first, by what is said, then by hashes: a total order over all that a choice depends on. */
function compareRelations(a: Relation, b: Relation): number {
  const rank = (r: Relation) => { const at = BASIS_ORDER.indexOf(r.basis); return at < 0 ? BASIS_ORDER.length : at; };
  return rank(a) - rank(b) || compareText(a.member, b.member) || compareText(a.primary, b.primary) || compareText(a.type, b.type);
}

/**
 * What relations come to: for each member the best of them, straight to the one that is shown at last (a stack is one
 * level deep). One that would close a circle is passed by. An edited copy's video is `edited` where the original has a
 * video of its own: that one plays. What stands in a stack of another kind is of no burst: bursts come last, and their
 * pictures stand alone. Linear, but for one sort.
 */
export function chooseStacks(relations: readonly Relation[]): Relation[] {
  const chosen = new Map<string, Relation>();
  const up = new Map<string, string>();
  const rootOf = (hash: string): string => {
    let root = hash;
    for (let next = up.get(root); next !== undefined; next = up.get(root)) root = next;
    for (let at = hash, next = up.get(at); next !== undefined && at !== root; at = next, next = up.get(at)) up.set(at, root);
    return root;
  };
  const others = new Set<string>();
  for (const relation of [...relations].sort(compareRelations)) {
    if (chosen.has(relation.member) || rootOf(relation.primary) === relation.member) continue;
    if (relation.type !== 'burst') others.add(relation.member).add(relation.primary);
    else if (others.has(relation.member) || others.has(relation.primary)) continue;
    chosen.set(relation.member, relation);
    up.set(relation.member, relation.primary);
  }
  const withVideo = new Set([...chosen.values()].filter((r) => r.type === 'live').map((r) => r.primary));
  return [...chosen.values()].map((r) => {
    const primary = rootOf(r.member);
    const type = r.type === 'live' && primary !== r.primary && withVideo.has(primary) ? 'edited' : r.type;
    return { ...r, primary, type };
  }).sort((a, b) => compareText(a.member, b.member));
}
