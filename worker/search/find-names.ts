// The library's own names in a query: places, people, albums, tags, drives, cameras. The longest at each word of each kind.
import type { FilterTerm } from '../../protocol/search.ts';
import { isCommon } from './common-words.ts';
import { isLedToCamera, isLedToPlace, MAX_VALUES, RANK, type Found, type Reading } from './found.ts';
import { MAX_NAME_WORDS } from './name-index.ts';
import { isCapital, isJoined, type Word } from './words.ts';

export type NameKind = 'place' | 'person' | 'album' | 'tag' | 'volume' | 'camera';
interface Meant { term: FilterTerm; label: string }

/** What a key means as a name of this kind, if the library knows it. */
export function lookUp(reading: Reading, kind: NameKind, key: string): Meant | undefined {
  const { names } = reading;
  switch (kind) {
    case 'place': { const p = names.places.get(key); return p && { term: { kind, places: p.places.slice(0, MAX_VALUES) }, label: p.label }; }
    case 'person': { const p = names.people.get(key) ?? names.firstNames.get(key); return p && { term: { kind, names: p.names.slice(0, MAX_VALUES) }, label: p.label }; }
    case 'album': { const a = names.albums.get(key); return a && { term: { kind, album_ids: a.ids.slice(0, MAX_VALUES) }, label: `Album: ${a.label}` }; }
    case 'tag': { const t = names.tags.get(key); return t && { term: { kind, tags: t.tags.slice(0, MAX_VALUES) }, label: `Tag: ${t.label}` }; }
    case 'volume': { const v = names.volumes.get(key); return v && { term: { kind, volume_ids: v.ids.slice(0, MAX_VALUES) }, label: `Drive: ${v.label}` }; }
    case 'camera': return lookUpCamera(reading, key, false);
  }
}

const CAMERA_ALIASES = new Map([['fuji', 'fujifilm']]);
/** `begun`: the last word may be the begin of one ("iph"). */
function lookUpCamera(reading: Reading, key: string, begun: boolean): Meant | undefined {
  const { names } = reading;
  const known = names.cameras.get(key) ?? names.cameras.get(CAMERA_ALIASES.get(key) ?? '');
  const meant = (cameras: readonly string[], label: string): Meant => ({ term: { kind: 'camera', cameras: cameras.slice(0, MAX_VALUES) }, label: `Camera: ${label}` });
  if (known) return meant(known.cameras, known.label);
  if (!begun || key.length < 2) return undefined;
  const cameras = names.cameraNames.filter((c) => ` ${c.key}`.includes(` ${key}`)).map((c) => c.name);
  return cameras.length > 0 ? meant(cameras, key) : undefined;
}

/** The longest name of a kind that begins with word `i`; `sure`: something says that such a name comes, so ordinary words count too. */
export function findName(reading: Reading, kind: NameKind, i: number, sure: boolean): Found | undefined {
  const { list } = reading.words;
  const begun = kind === 'camera' && sure;
  const alias = kind === 'camera' && CAMERA_ALIASES.has(list[i]?.folded ?? '');
  if (!begun && !alias && !reading.names.begins.has(list[i]?.folded ?? '')) return undefined;
  let key = '';
  let best: Found | undefined;
  for (let k = i; k < Math.min(list.length, i + MAX_NAME_WORDS); k += 1) {
    const word = list[k];
    // Behind an operator the first word is tied to it.
    if (!word || word.quote !== 0 || (k > i && (!isJoined(list, k) || /[;:|]/.test(word.gap)))) break;
    key = key === '' ? word.folded : `${key} ${word.folded}`;
    const meant = begun ? lookUpCamera(reading, key, true) : lookUp(reading, kind, key);
    if (meant && (sure || isClear(reading, kind, i, k + 1, key))) best = { from: i, to: k + 1, ...meant, rank: RANK[kind] };
  }
  return best;
}

/** Every name that begins with word `i`. */
export function findNames(reading: Reading, i: number): Found[] {
  const { list } = reading.words;
  const found = ([['place', isLedToPlace(list, i)], ['person', false], ['album', false], ['tag', list[i]?.gap.endsWith('#') === true || list[i - 1]?.folded === 'tagged'], ['volume', isDriveWord(list[i - 1])], ['camera', isLedToCamera(list, i)]] as [NameKind, boolean][])
    .flatMap(([kind, sure]) => findName(reading, kind, i, sure && kind !== 'camera') ?? (kind === 'camera' && sure ? findLedCamera(reading, i) : undefined) ?? []);
  for (const one of found) {
    // "mum's birthday"
    if (one.term.kind === 'person' && list[one.to]?.folded === 's' && /^['’]$/.test(list[one.to]?.gap ?? '')) one.to += 1;
    if (one.term.kind === 'tag' && list[i]?.gap.endsWith('#')) one.start = (list[i]?.start ?? 1) - 1;
  }
  const album = findNamedAlbum(reading, i);
  return album ? [...found, album] : found;
}

/** "shot with apple": ordinary words are cameras there, but a number or two letters alone are not. */
function findLedCamera(reading: Reading, i: number): Found | undefined {
  const before = reading.words.list[i - 1]?.folded ?? '';
  if (!LED_TO_CAMERA.has(reading.words.list[i - 2]?.folded ?? '') && before !== 'camera') return undefined;
  const word = reading.words.list[i];
  return word && word.folded.length >= 3 && /\p{L}/u.test(word.folded) ? findName(reading, 'camera', i, true) : undefined;
}
const LED_TO_CAMERA = new Set(['shot', 'taken', 'made', 'captured', 'photographed', 'filmed']);

function isDriveWord(word: Word | undefined): boolean { return /^(?:on|drive|disk|volume)$/.test(word?.folded ?? ''); }

/** "album goa", "goa album": a title of one word, which by itself is a word like any other. */
function findNamedAlbum(reading: Reading, i: number): Found | undefined {
  const { list } = reading.words;
  if (list[i]?.folded === 'album' && isJoined(list, i + 1)) {
    const found = findName(reading, 'album', i + 1, true);
    return found ? { ...found, from: i } : undefined;
  }
  const found = findName(reading, 'album', i, true);
  return found && isJoined(list, found.to) && list[found.to]?.folded === 'album' ? { ...found, to: found.to + 1 } : undefined;
}

/** Whether words are meant as this name though nothing says so. */
function isClear(reading: Reading, kind: NameKind, from: number, to: number, key: string): boolean {
  const words = reading.words.list.slice(from, to);
  const [first] = words;
  if (!first) return false;
  const capital = words.every((w) => isCapital(w));
  const common = words.every((w) => isCommon(w.folded));
  switch (kind) {
    case 'place': return words.length > 1 ? !common || capital : (first.folded.length > 2 || /[^a-z]/.test(first.folded) || key === 'uk' || first.raw === first.raw.toUpperCase()) && (!common || capital);
    // A whole name that is an ordinary word, or a first name that is one, with a capital alone.
    case 'person': return !common || capital;
    // A title of one word is found in the documents' words; as a filter it would take away what else such a word means.
    case 'album': case 'tag': case 'volume': return words.length > 1 ? /[^\d ]/.test(key) : (/\d/.test(key) && /\p{L}/u.test(key)) || (/[^\p{sc=Latin}\d]/u.test(key) && key.length > 3);
    // One that tells: not "pro", not "14".
    case 'camera': return words.some((w) => !isCommon(w.folded) && (w.folded.length >= 3 || /^(?=.*\d)(?=.*\p{L})/u.test(w.folded)) && /\p{L}/u.test(w.folded)) && !/^\d+$/.test(first.folded);
  }
}
