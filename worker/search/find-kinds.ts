// Kinds of pictures and names of files in a query: videos, screenshots, favourites, IMG_2041, *.heic.
import type { AssetTrait, FilterTerm } from '../../protocol/search.ts';
import { RANK, type Found, type Reading } from './found.ts';
import { isJoined, isNegatedByMinus, type Word } from './words.ts';

const TYPES: readonly [AssetTrait, label: string, names: string][] = [
  ['video', 'Videos', 'video,videos,clip,clips,movie,movies,video clip,video clips,footage,videos only,only videos'],
  ['live', 'Live Photos', 'live photo,live photos,live picture,live pictures'],
  ['motion', 'Motion photos', 'motion photo,motion photos,motion picture,motion pictures'],
  ['screenshot', 'Screenshots', 'screenshot,screenshots,screen shot,screen shots,screen capture,screen captures,screengrab,screengrabs'],
  ['panorama', 'Panoramas', 'panorama,panoramas,pano,panos'],
  ['selfie', 'Selfies', 'selfie,selfies'],
  ['raw', 'RAW', 'raw,raws,raw photo,raw photos,raw picture,raw pictures,raw image,raw images,raw file,raw files'],
  ['photo', 'Photos', 'only photos,photos only,only pictures,pictures only,stills only,only stills'],
];
const TYPE_BY_NAME = new Map(TYPES.flatMap(([type, label, names]) => names.split(',').map((n) => [n, { type, label }])));
/** Behind `type:` and `is:`, and where nothing else was typed. */
const PHOTO_WORDS = new Set(['photo', 'photos', 'picture', 'pictures', 'still', 'stills', 'image', 'images']);
const FAVOURITES = new Set(['favourite', 'favourites', 'favorite', 'favorites', 'starred', 'favs', 'faves', 'fav']);
const MAX_TYPE_WORDS = 2;
/** Raw fish is no RAW file. */
const RAW_THINGS = new Set(['fish', 'meat', 'food', 'egg', 'eggs', 'chicken', 'salmon', 'tuna', 'beef', 'vegetables', 'milk', 'onion', 'onions', 'material', 'materials', 'steak', 'oysters', 'wood', 'dough', 'honey']);

const ENDINGS = new Set('heic heif jpg jpeg jpe png gif webp avif tif tiff bmp dng cr2 cr3 nef arw raf orf rw2 srw pef mov mp4 m4v avi mkv wmv 3gp mts m2ts mpg mpeg webm jxl'.split(' '));
/** What cameras and phones call their files: letters, then digits. */
const CAMERA_NAME = /^_?(?:img|dsc|dscf|dscn|dscn|pxl|vid|mvi|mov|gopr|gp|gx|gh|dji|pano|cimg|sam|imgp|mg|p|dscf|wp|sdc|hpim|kif|stc|r0|burst|mvimg)_?\d{3,}/;
const MAX_FILE_CHARS = 300;

/** Type words and `is:` words. */
export function typeTerm(key: string, explicit: boolean): { term: FilterTerm; label: string } | undefined {
  if (FAVOURITES.has(key)) return { term: { kind: 'favourite' }, label: 'Favourites' };
  const type = TYPE_BY_NAME.get(key) ?? (explicit && key === 'live' ? TYPE_BY_NAME.get('live photo') : explicit && key === 'motion' ? TYPE_BY_NAME.get('motion photo') : undefined);
  if (type) return { term: { kind: 'type', type: type.type }, label: type.label };
  return explicit && PHOTO_WORDS.has(key) ? { term: { kind: 'type', type: 'photo' }, label: 'Photos' } : undefined;
}

export function findKinds(reading: Reading, i: number): Found[] {
  const { list } = reading.words;
  const found: Found[] = [];
  let key = '';
  for (let k = i; k < i + MAX_TYPE_WORDS; k += 1) {
    const word = list[k];
    if (!word || (k > i && (!isJoined(list, k) || !/^[\s-]+$/.test(word.gap)))) break;
    key = key === '' ? word.folded : `${key} ${word.folded}`;
    // "photos", and nothing else at all
    const meant = typeTerm(key, list.length === 1);
    if (!meant || (key === 'raw' && RAW_THINGS.has(list[k + 1]?.folded ?? ''))) continue;
    found.push({ from: i, to: k + 1, ...meant, rank: RANK.type });
  }
  const file = findFile(reading, i);
  return file ? [...found, file] : found;
}

/** IMG_2041, IMG_2041.HEIC, holiday-3.jpg, *.heic, .mov */
function findFile(reading: Reading, i: number): Found | undefined {
  const { list, text } = reading.words;
  const word = list[i];
  if (!word) return undefined;
  // An ending alone: behind a dot with nothing before it but `*`.
  const dot = /(?:^|\s)(\*?\.)$/.exec(word.gap);
  if (dot && ENDINGS.has(word.folded) && !isGluedAfter(list, i)) {
    return { from: i, to: i + 1, start: word.start - (dot[1]?.length ?? 0), term: { kind: 'file_name', text: `.${word.raw}`, whole: false }, label: `File: *.${word.raw}`, rank: RANK.file };
  }
  if (i > 0 ? !/[\s(]$/.test(word.gap) && !isNegatedByMinus(list, i) : !/^(?:|.*[\s(])$|^[-−]$/s.test(word.gap)) return undefined;
  let to = i + 1;
  let ending = -1;
  // The rest of a name has no space in it.
  for (let k = i + 1; k < list.length && isJoined(list, k) && !/\s/.test(list[k]?.gap ?? ' ') && /^[-.()~+]*$/.test(list[k]?.gap ?? ' '); k += 1) {
    to = k + 1;
    if (list[k]?.gap === '.' && ENDINGS.has(list[k]?.folded ?? '')) ending = k;
  }
  if (ending > 0) to = ending + 1;
  const isName = CAMERA_NAME.test(word.folded) || (word.folded.includes('_') && /\d/.test(word.folded)) || ending > 0 || (/^(?:img|vid)$/.test(word.folded) && /^\d{6,}$/.test(list[i + 1]?.folded ?? '') && to > i + 1);
  if (!isName) return undefined;
  const name = text.slice(word.start, list[to - 1]?.end);
  return name.length <= MAX_FILE_CHARS ? { from: i, to, term: { kind: 'file_name', text: name, whole: ending > 0 }, label: `File: ${name}`, rank: RANK.file } : undefined;
}
function isGluedAfter(list: readonly Word[], i: number): boolean { const gap = list[i + 1]?.gap; return gap !== undefined && !/\s/.test(gap); }

/** The term for `file:`. Undefined for one without letters or figures. */
export function fileTerm(name: string): { term: FilterTerm; label: string } | undefined {
  const plain = name.replace(/^\*+/, '').replace(/\*+$/, '').slice(0, MAX_FILE_CHARS);
  if (!/[\p{L}\p{N}]/u.test(plain)) return undefined;
  const ending = plain.lastIndexOf('.');
  return { term: { kind: 'file_name', text: plain, whole: plain === name && ending > 0 && ENDINGS.has(plain.slice(ending + 1).toLowerCase()) }, label: `File: ${name.slice(0, MAX_FILE_CHARS)}` };
}
