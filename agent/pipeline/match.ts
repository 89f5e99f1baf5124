// Which sidecar belongs to which media file of a folder, by their names and by the titles that Takeout writes into its
// sidecars. Pure, linear (every rule is a look-up), and the same whatever the order of the names.
import { compareText } from '../../protocol/order.ts';
import type { SidecarFormat } from './sidecars.ts';
import { beginningKey, beginningsOf, foldName, kindOfName, mayBeBeginningOf, mayBeCut, mediaNamesOf, mediaStemsOf, originalOf, splitName, splitSidecarName, withoutMotionMark, type NameParts, type SidecarName } from './takeout-names.ts';

export { couldBeFor, originalOf, titleKey } from './takeout-names.ts';

/** The names in one folder; or any set of files and waiting sidecars that might belong together across parts of an export. */
export interface FolderNames {
  media: readonly { name: string; kind: 'image' | 'video' }[];
  sidecars: readonly { name: string; format: SidecarFormat; title: string | null }[];
}

/** `own`: it is this file's. Else it is its neighbour's: the original's, the still's, or that of the file it is a double of. */
export interface Match { sidecar: string; media: string; how: 'own' | 'edited' | 'live' | 'copy' }

interface Medium extends NameParts { name: string; kind: 'image' | 'video' }
interface Takeout extends SidecarName { name: string; title: string | null }

/** More than these under one key are no naming of Takeout's: a rule that would have to choose among them chooses none. */
const MAX_CANDIDATES = 16;

/** All matches, ordered by media file and sidecar. A media file has one Takeout sidecar and one XMP, save where several bear its very name. */
export function matchSidecars(folder: FolderNames): Match[] {
  const media = folder.media.map(({ name, kind }): Medium => ({ ...splitName(name.normalize('NFC')), name, kind })).sort(byName);
  const of = (format: SidecarFormat) => folder.sidecars.filter((s) => s.format === format).sort(byName);
  const matches = [...matchXmp(media, of('xmp')), ...matchTakeout(media, of('takeout'))];
  return matches.sort((a, b) => compareText(a.media, b.media) || compareText(a.sidecar, b.sidecar));
}

function byName(a: { name: string }, b: { name: string }): number { return compareText(a.name, b.name); }

/** Items by those of their keys that will be asked for: after the first rule these are few. */
function indexBy<T>(items: readonly T[], keysOf: (item: T) => readonly string[], asked: readonly string[]): Map<string, T[]> {
  const index = new Map<string, T[]>();
  const wanted = asked.length < items.length / 2 ? new Set(asked) : undefined;
  if (asked.length === 0) return index;
  for (const item of items) {
    for (const key of keysOf(item)) {
      if (wanted && !wanted.has(key)) continue;
      const known = index.get(key);
      if (!known) index.set(key, [item]); else if (known.at(-1) !== item) known.push(item);
    }
  }
  return index;
}

/**
 * `IMG_1.CR2.xmp` is for that file alone; `IMG_1.xmp` for every still of that stem (the RAW and its JPEG) that has no XMP
 * of its whole name, or for the videos where there is no still. The exact spelling goes before another case.
 */
function matchXmp(media: readonly Medium[], sidecars: readonly { name: string }[]): Match[] {
  const matches: Match[] = [];
  if (sidecars.length === 0) return matches;
  const served = new Set<Medium>();
  const asWritten = (name: string) => name;
  const caseless = (name: string) => name.normalize('NFC').toLowerCase();
  const stem = (name: string) => name.replace(/\.[^.]+$/, '');
  const withoutXmp = (name: string) => name.replace(/\.xmp$/i, '');
  const asked = new Set(sidecars.map(({ name }) => withoutXmp(caseless(name))));
  const near = media.filter((m) => { const name = caseless(m.name); return asked.has(name) || asked.has(stem(name)); });
  const stillStems = new Set(near.filter((m) => m.kind === 'image').map((m) => stem(caseless(m.name))));
  const ofStem = near.filter((m) => m.kind === 'image' || !stillStems.has(stem(caseless(m.name))));
  const rules: { fold: (name: string) => string; part: (name: string) => string; among: readonly Medium[] }[] = [
    { fold: asWritten, part: asWritten, among: near },
    { fold: caseless, part: asWritten, among: near },
    { fold: asWritten, part: stem, among: ofStem },
    { fold: caseless, part: stem, among: ofStem },
  ];
  for (const rule of rules) {
    const asking = sidecars.map(({ name }) => ({ name, key: withoutXmp(rule.fold(name)) }));
    const index = indexBy(rule.among.filter((m) => !served.has(m)), (m) => [rule.part(rule.fold(m.name))], asking.map(({ key }) => key));
    for (const { name, key } of asking) {
      const found = index.get(key) ?? [];
      // Only one sidecar can have the exact name; of several that fold to it the first by name speaks.
      index.delete(key);
      for (const m of found) { served.add(m); matches.push({ sidecar: name, media: m.name, how: 'own' }); }
    }
  }
  return matches;
}

interface OwnRule {
  media: (m: Medium) => readonly string[];
  sidecar: (s: Takeout) => readonly string[];
  /** Several sidecars may bear one file's very name (two exports in one folder): all of them speak of it. */
  shared?: true;
  fits?: (s: Takeout, m: Medium) => boolean;
}

const literally = (s: Takeout): string[] => (s.number === 0 ? s.bodies : s.bodies.map((body) => `${body}(${s.number})`));
const withoutNumber = (m: Medium, name: string): string[] => (m.number > 0 ? [`${name}|${m.number}`] : []);

/** From the sidecar that bears the file's name to guesses; what a rule has matched is not the next one's. */
const OWN_RULES: readonly OwnRule[] = [
  { media: (m) => [m.name], sidecar: literally, shared: true },
  // `X(1).jpg` and `X.jpg(1).json`, `X.jpg.supplemental-metadata(1).json`.
  { media: (m) => withoutNumber(m, m.bare + m.extension), sidecar: (s) => (s.number > 0 ? s.bodies.map((body) => `${body}|${s.number}`) : []), shared: true },
  { media: (m) => [foldName(m.name)], sidecar: (s) => literally(s).map(foldName) },
  { media: (m) => withoutNumber(m, foldName(m.bare + m.extension)), sidecar: (s) => (s.number > 0 ? s.bodies.map((body) => `${foldName(body)}|${s.number}`) : []) },
  // The title, with what an export does to it, and the sidecar's number.
  { media: (m) => [foldName(m.name)], sidecar: (s) => (s.title === null ? [] : mediaNamesOf(s.title, s.number)) },
  // The name goes on where the sidecar's was cut.
  { media: (m) => beginningsOf(m), sidecar: (s) => (s.cut ? s.bodies.slice(-1).map((body) => beginningKey(body, s.number)) : []), fits: (s, m) => s.title === null || mayBeBeginningOf(s.title, m) },
  // A title without an extension: the export gave the file one.
  {
    media: (m) => (m.extension === '' ? [] : [foldName(m.stem), ...withoutNumber(m, foldName(m.bare))]),
    sidecar: (s) => s.bodies.filter((body) => splitName(body).extension === '').map((body) => (s.number === 0 ? foldName(body) : `${foldName(body)}|${s.number}`)),
    fits: (s) => s.title === null || splitName(s.title).extension === '',
  },
  // Two names that differ behind the sidecar's cut: the second sidecar has a number and its file has none.
  { media: (m) => [foldName(m.name)], sidecar: (s) => (s.cut && s.number > 0 && s.title !== null ? mediaNamesOf(s.title, 0) : []) },
];

function matchTakeout(media: readonly Medium[], names: readonly { name: string; title: string | null }[]): Match[] {
  const sidecars = names.map(({ name, title }): Takeout => ({ ...splitSidecarName(name), name, title }));
  const matches: Match[] = [];
  const served = new Set<Medium>();
  const used = new Set<Takeout>();
  for (const rule of OWN_RULES) {
    for (const [m, found] of proposeOwn(rule, media.filter((x) => !served.has(x)), sidecars.filter((x) => !used.has(x)))) {
      served.add(m);
      for (const s of found) { used.add(s); matches.push({ sidecar: s.name, media: m.name, how: 'own' }); }
    }
  }
  const asking = media.filter((m) => !served.has(m)).map((m) => ({ m, original: originalKey(m), still: stillKey(m), double: doubleKey(m) }));
  const byStem = indexNeighbours(sidecars, used, new Set(asking.flatMap((a) => [a.original ?? [], a.still ?? []].flat())));
  const doubles = indexDoubles(sidecars, new Set(asking.flatMap((a) => a.double ?? [])));
  for (const { m, original, still, double } of asking) {
    const neighbour = originalsSidecar(m, original, byStem) ?? stillsSidecar(m, still, byStem) ?? doublesSidecar(double, doubles);
    if (neighbour) matches.push({ sidecar: neighbour.sidecar.name, media: m.name, how: neighbour.how });
  }
  return matches;
}

/** What one rule says of the media and sidecars that are left; where two sidecars ask for one file, neither gets it, unless they share. */
function proposeOwn(rule: OwnRule, media: readonly Medium[], sidecars: readonly Takeout[]): Map<Medium, Takeout[]> {
  const asking = sidecars.map((s) => ({ s, keys: rule.sidecar(s) }));
  const index = indexBy(media, rule.media, asking.flatMap(({ keys }) => keys));
  const proposals = new Map<Medium, Takeout[]>();
  for (const { s, keys } of asking) {
    for (const key of keys) {
      const m = only(s, index.get(key) ?? [], rule);
      if (!m) continue;
      const others = proposals.get(m);
      if (others) others.push(s); else proposals.set(m, [s]);
      break;
    }
  }
  for (const [m, found] of proposals) if (found.length > 1 && !rule.shared) proposals.delete(m);
  return proposals;
}

/** The one candidate that fits; of a still and its video the still. Undefined where that leaves a choice. */
function only(s: Takeout, candidates: readonly Medium[], rule: OwnRule): Medium | undefined {
  if (candidates.length > MAX_CANDIDATES) return undefined;
  const fitting = candidates.filter((m) => rule.fits?.(s, m) ?? true);
  const stills = fitting.filter((m) => m.kind === 'image');
  return fitting.length === 1 ? fitting[0] : stills.length === 1 ? stills[0] : undefined;
}

interface Neighbour { sidecar: Takeout; stem: string; extension: string; kind: 'image' | 'video' | undefined; present: boolean }

/** Sidecars by the stem of the file that they are for, as the neighbours of that file would spell it. */
function indexNeighbours(sidecars: readonly Takeout[], used: ReadonlySet<Takeout>, asked: ReadonlySet<string>): Map<string, Neighbour[]> {
  const index = new Map<string, Neighbour[]>();
  if (asked.size === 0) return index;
  for (const s of sidecars) {
    const title = s.title ?? s.bodies[0] ?? '';
    const keys = mediaStemsOf(title, s.number).flatMap((stem) => [stem, withoutMotionMark(stem)]).filter((key) => asked.has(key));
    if (keys.length === 0) continue;
    const parts = splitName(title);
    const neighbour: Neighbour = { sidecar: s, stem: s.number > 0 ? `${parts.stem}(${s.number})` : parts.stem, extension: parts.extension.toLowerCase(), kind: kindOfName(parts), present: used.has(s) };
    for (const key of new Set(keys)) {
      const known = index.get(key);
      if (!known) index.set(key, [neighbour]); else if (known.length < MAX_CANDIDATES) known.push(neighbour);
    }
  }
  return index;
}

interface Found { sidecar: Takeout; how: 'edited' | 'live' | 'copy' }

function originalKey(m: Medium): string | undefined { const original = originalOf(m.name); return original === undefined ? undefined : foldName(original); }
function stillKey(m: Medium): string | undefined { return m.kind === 'video' ? withoutMotionMark(foldName(m.stem)) : undefined; }
function doubleKey(m: Medium): string | undefined { return m.number > 0 && mayBeCut(m) ? foldName(m.bare + m.extension) : undefined; }

/** An edited copy takes its original's: the same kind of file before another, the same extension before another of its kind. */
function originalsSidecar(m: Medium, key: string | undefined, byStem: Map<string, Neighbour[]>): Found | undefined {
  if (key === undefined) return undefined;
  const rank = (n: Neighbour) => (n.extension === m.extension.toLowerCase() ? 0 : n.kind === m.kind ? 1 : n.kind === undefined ? 2 : m.kind === 'video' ? 3 : 4);
  const best = bestOf(byStem.get(key) ?? [], originalOf(m.name), (n) => (rank(n) < 4 ? rank(n) : undefined));
  return best && { sidecar: best.sidecar, how: 'edited' };
}

/** The video of a Live Photo or motion photo has none of its own: it takes its still's, HEIC before others. */
function stillsSidecar(m: Medium, key: string | undefined, byStem: Map<string, Neighbour[]>): Found | undefined {
  if (key === undefined) return undefined;
  const rank = (n: Neighbour) => (n.kind !== 'image' ? undefined : (n.present ? 0 : 2) + (/^\.hei[cf]$/.test(n.extension) ? 0 : 1));
  const best = bestOf(byStem.get(key) ?? [], m.stem, rank);
  return best && { sidecar: best.sidecar, how: 'live' };
}

/** The best of those that are spelled as the file is, before those that only fold to the same (`a&b`, `a+b`). */
function bestOf(candidates: readonly Neighbour[], stem: string | undefined, rank: (n: Neighbour) => number | undefined): Neighbour | undefined {
  let best: { neighbour: Neighbour; rank: number } | undefined;
  for (const neighbour of candidates) {
    const among = rank(neighbour);
    if (among === undefined) continue;
    const own = among + (neighbour.stem.normalize('NFC') === stem ? 0 : MAX_CANDIDATES);
    // Candidates come ordered by name: among equals the first.
    if (!best || own < best.rank) best = { neighbour, rank: own };
  }
  return best?.neighbour;
}

/** Names that Takeout cut, to the one sidecar without a number; null where numbered ones exist, so that each double has its own. */
function indexDoubles(sidecars: readonly Takeout[], asked: ReadonlySet<string>): Map<string, Takeout | null> {
  const index = new Map<string, Takeout | null>();
  for (const s of asked.size === 0 ? [] : sidecars) {
    if (s.title === null) continue;
    for (const name of mediaNamesOf(s.title, 0).filter((n) => asked.has(n))) index.set(name, s.number > 0 || index.has(name) ? null : s);
  }
  return index;
}

/** A name that was cut so far that its edit's mark is gone became `X(1).jpg`, without a sidecar: it takes that of `X.jpg`. */
function doublesSidecar(key: string | undefined, doubles: Map<string, Takeout | null>): Found | undefined {
  const sidecar = key === undefined ? null : doubles.get(key);
  return sidecar ? { sidecar, how: 'copy' } : undefined;
}
