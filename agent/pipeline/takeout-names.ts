// The grammar of the names that Google Takeout gives to media files and sidecars: where they are cut, what is replaced, how
// doubles are numbered and edits marked. Pure; nothing here knows a folder. Every length is in UTF-16 units, as Google's are.
import { kindOfExtension, TAKEOUT_SUFFIX } from './identify.ts';

/** A media file's name is cut to this with its extension, or to 47 without it; its double's number comes on top. */
const MEDIA_CUT = 51;
const STEM_CUT = 47;
/** A sidecar's name is cut to 46 before `(1).json`; one less where the cut would have halved a character. */
const SHORTEST_CUT = 45;
const SUFFIX = `.${TAKEOUT_SUFFIX}`;

/**
 * What Takeout puts behind the name of an edited copy, by the export's language; and behind pictures that Google made of
 * another. Lower case, NFC.
 */
const EDITED = [
  'edited', 'bearbeitet', 'modifié', 'modifiée', 'editado', 'editada', 'ha editado', 'modificato', 'modificata', 'edytowane', 'bewerkt', '編集済み', 'redigerad', 'redigeret', 'redigert',
  'düzenlendi', 'muokattu', 'отредактировано', 'изменено', 'измененный', 'відредаговано', 'редактирано', 'измењено', 'editat', 'editată', 'upraveno', 'upravené', 'szerkesztve', 'szerkesztett',
  'uređeno', 'urejeno', 'redaguota', 'rediģēts', 'muudetud', 'επεξεργασμένο', '수정됨', '편집됨', '已修改', '已编辑', '编辑后', '已編輯', '編輯後', 'แก้ไข', 'đã chỉnh sửa', 'diedit', 'disunting', 'נערך', 'تم التعديل', 'معدل',
  'संपादित', 'breytt', 'effects', 'smile', 'mix',
].map((word) => `-${word}`.normalize('NFC'));
const EDITED_END = new RegExp(`(?:${EDITED.join('|')})$`, 'iu');
/** A cut mark must leave this much to be told from a name that ends so by itself. */
const SHORTEST_MARK = 3;

/** `(3)` at the end: a double's number. A blank before it makes it part of the name (`Trip (38)`, the Finder's `IMG (1)`). */
const NUMBER = /(?<=[^\s(])\(([1-9]\d{0,4})\)$/;

/** A name in its parts: `stem` as written, `bare` without its number (0: none), `extension` with its dot, or empty. */
export interface NameParts { stem: string; bare: string; number: number; extension: string }

/** Takes a name apart. Only what a picture or video is really called counts as extension: `com.snapchat` has none. */
export function splitName(name: string): NameParts {
  const at = name.lastIndexOf('.');
  const extension = at > 0 && isMediaExtension(name.slice(at + 1)) ? name.slice(at) : '';
  const stem = extension === '' ? name : name.slice(0, at);
  const numbered = NUMBER.exec(stem);
  return { stem, bare: numbered ? stem.slice(0, numbered.index) : stem, number: Number(numbered?.[1] ?? 0), extension };
}

/** `.MP` is the video of a Pixel's motion photo: no program knows it as an extension. */
function isMediaExtension(extension: string): boolean {
  const lower = extension.toLowerCase();
  return lower === 'mp' || kindOfExtension(lower) !== undefined;
}

/** A media file's kind by the extension that `splitName` found. */
export function kindOfName(parts: NameParts): 'image' | 'video' | undefined {
  const lower = parts.extension.slice(1).toLowerCase();
  return lower === 'mp' ? 'video' : kindOfExtension(lower);
}

/** Most names: nothing in them to replace. */
const PLAIN = /^(?:[a-zA-Z0-9 .()~-]|_(?!_))*$/;

/**
 * A name with all differences taken out that an export or a file system makes: Unicode form, case, and the characters that
 * Google replaces by `_` (which ones has changed over the years, so both sides lose them all).
 */
export function foldName(name: string): string {
  return PLAIN.test(name) ? name.toLowerCase() : name.normalize('NFC').toLowerCase().toWellFormed().replace(/[\p{Cc}\uFFFD<>:"/\\|?*%&#=¿{}@!+'`;_]+/gu, '_');
}

/** The first `length` units, without half a character at the end. */
function cut(text: string, length: number): string {
  return text.slice(0, isWhole(text, length) ? length : length - 1);
}

/** False where a cut at `length` would halve a character. */
function isWhole(text: string, length: number): boolean {
  return length >= text.length || !/[\uD800-\uDBFF]/.test(text.charAt(length - 1));
}

function numbered(text: string, number: number): string { return number === 0 ? text : `${text}(${number})`; }

/** Older exports write titles as HTML. */
function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,6})|(quot|apos|lt|gt|amp));/g, (whole, code: string | undefined, name: string | undefined) => {
    if (code !== undefined) return Number(code) > 0 && Number(code) < 0x110000 ? String.fromCodePoint(Number(code)) : whole;
    return { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' }[name ?? ''] ?? whole;
  });
}

/** What replacement leaves of HTML in a file's name (`l_39_hiver`). */
const ENTITY_LEFT = /_(?:3[489]|6[02]|quot|apos|lt|gt|amp)_/g;

/** A title as it is and, where it differs, with its HTML taken back. */
function spellings(title: string): string[] {
  const text = title.normalize('NFC');
  const decoded = decodeEntities(text);
  return decoded === text ? [text] : [decoded, text];
}

/** The names that a media file of this title and number may have in an export, folded; uncut first. */
export function mediaNamesOf(title: string, number: number): string[] {
  return forms(title, number, true);
}

/** The same without extension: what the names of its edited copy and of its video begin with. */
export function mediaStemsOf(title: string, number: number): string[] {
  return forms(title, number, false);
}

function forms(title: string, number: number, withExtension: boolean): string[] {
  const [text = title, ...others] = spellings(title);
  const { stem, extension } = splitName(text);
  if (others.length === 0 && stem.length < SHORTEST_CUT) return [foldName(numbered(stem, number) + (withExtension ? extension : ''))];
  return [...new Set([text, ...others].flatMap((spelled) => cutForms(splitName(spelled), number, withExtension)))];
}

function cutForms({ stem, extension }: NameParts, number: number, withExtension: boolean): string[] {
  const cuts = stem.length < SHORTEST_CUT ? [] : [STEM_CUT, MEDIA_CUT - extension.length];
  // A character that the cut would halve has been seen kept whole (names of emoji).
  const lengths = [stem.length, ...cuts.flatMap((at) => (isWhole(stem, at) ? [at] : [at - 1, at + 1]))];
  return lengths.map((length) => foldName(numbered(stem.slice(0, length), number) + (withExtension ? extension : '')));
}

/** A Takeout sidecar's name: its number, and what may be the media file's name, best first. */
export interface SidecarName { number: number; bodies: string[]; /** So long that the media's name, not only the suffix, may be cut. */ cut: boolean }

/** Takes `X.jpg.supplemental-me(1).json` apart. The suffix may be cut anywhere; the number stands before or behind it. */
export function splitSidecarName(name: string): SidecarName {
  const whole = name.replace(/\.json$/i, '');
  const outer = NUMBER.exec(whole);
  const body = outer ? whole.slice(0, outer.index) : whole;
  let number = Number(outer?.[1] ?? 0);
  const at = body.lastIndexOf('.');
  const bodies = [body];
  if (at > 0 && SUFFIX.startsWith(body.slice(at).toLowerCase())) {
    const inner = number === 0 ? NUMBER.exec(body.slice(0, at)) : null;
    // `X.jpg(1).supplemental-metadata`; but `X(1).supplemental-…` may be a name without extension that ends so.
    if (inner && splitName(body.slice(0, inner.index)).extension !== '') { number = Number(inner[1]); bodies.unshift(body.slice(0, inner.index)); } else bodies.unshift(body.slice(0, at));
  }
  return { number, bodies, cut: body.normalize('NFC').length >= SHORTEST_CUT };
}

/** Keys by which a body that was cut finds the media file whose name goes on: the name's beginnings, folded, with its number. */
export function beginningsOf(parts: NameParts): string[] {
  const keys: string[] = [];
  for (let length = SHORTEST_CUT; length <= MEDIA_CUT; length += 1) {
    const base = parts.bare + parts.extension;
    if (base.length > length) keys.push(numbered(foldName(base.slice(0, length)), parts.number));
    // A number that belongs to the title itself stands before the cut, whole.
    const full = parts.stem + parts.extension;
    if (parts.number > 0 && full.length > length && length >= parts.stem.length) keys.push(foldName(full.slice(0, length)));
  }
  return keys;
}

/** The key of a cut body, to be looked up among `beginningsOf`. */
export function beginningKey(body: string, number: number): string { return numbered(foldName(body), number); }

/** Whether a file's name is the beginning of what the title says, cut at whatever length; the title may lack the extension. */
export function mayBeBeginningOf(title: string, parts: NameParts): boolean {
  return spellings(title).some((text) => {
    const { stem, extension } = splitName(text);
    const fits = extension === '' || foldName(extension) === foldName(parts.extension);
    return fits && parts.bare.length >= SHORTEST_CUT && foldName(stem).startsWith(foldName(parts.bare));
  });
}

/** Whether a stem is so long that Takeout may have cut an edit's mark off it (`X…Y(1).jpg` for `X…Y-edited.jpg`). */
export function mayBeCut(parts: NameParts): boolean { return parts.bare.length >= Math.min(STEM_CUT, MEDIA_CUT - parts.extension.length); }

/**
 * For an edited copy's name (`X-edited.jpg`, `X-modifié(1).jpg`, the mark in any language or cut by the export; Apple's
 * `IMG_E1234`) the stem of the original, with its number: `X`, `X(1)`, `IMG_1234`; NFC, case as written. Else undefined.
 * A name proves nothing: whoever asks must find the original.
 */
export function originalOf(name: string): string | undefined {
  const { bare, number } = splitName(name.normalize('NFC'));
  const apple = /^(IMG_)E(\d{4,})$/i.exec(bare);
  if (apple) return numbered(`${apple[1]}${apple[2]}`, number);
  const original = withoutMark(bare);
  return original === undefined ? undefined : numbered(original, number);
}

function withoutMark(bare: string): string | undefined {
  const mark = EDITED_END.exec(bare);
  if (mark) return mark.index > 0 ? bare.slice(0, mark.index) : undefined;
  const at = bare.lastIndexOf('-');
  const rest = bare.slice(at).toLowerCase();
  const isCut = (bare.length === STEM_CUT || bare.length === STEM_CUT - 1) && at > 0 && rest.length >= SHORTEST_MARK;
  return isCut && EDITED.some((word) => word.startsWith(rest)) ? bare.slice(0, at) : undefined;
}

/** Without the `.MP` that a Pixel puts into the names of motion photos, still and video (`X.MP.jpg`, `X.MP`, `X.MP~2.jpg`). */
export function withoutMotionMark(stem: string): string { return stem.replace(/\.mp((?:~\d+)?(?:\(\d+\))?)$/i, '$1'); }

/**
 * The key under which a title and the names of all files that it could be for are found together (the file itself, its
 * doubles, its edited copies, its video, cut or not): what a waiting sidecar is stored under, and what a media file in
 * another part of the export is looked up by. Coarse on purpose; `couldBeFor` and then `matchSidecars` decide.
 */
export function titleKey(title: string): string {
  const { bare } = splitName(spellings(title)[0] ?? title);
  const short = cut(bare, STEM_CUT);
  const original = splitName(originalOf(short) ?? short).bare;
  return foldName(cut(withoutMotionMark(original), SHORTEST_CUT)).replace(ENTITY_LEFT, '_');
}

/** Whether a sidecar with this title, under whatever number, could be for a media file of this name. */
export function couldBeFor(title: string, mediaName: string): boolean {
  const parts = splitName(mediaName.normalize('NFC'));
  const named = splitName(spellings(title)[0] ?? title);
  const numbers = new Set([0, parts.number]);
  const name = foldName(parts.stem + parts.extension);
  const stem = foldName(parts.stem);
  const original = originalOf(mediaName);
  const isVideo = kindOfName(parts) === 'video' || parts.extension === '';
  for (const number of numbers) {
    if (mediaNamesOf(title, number).includes(name)) return true;
    const stems = mediaStemsOf(title, number);
    if (named.extension === '' && stems.includes(stem)) return true;
    if (original !== undefined && stems.includes(foldName(original))) return true;
    if (isVideo && kindOfName(named) === 'image' && stems.some((s) => withoutMotionMark(s) === withoutMotionMark(stem))) return true;
  }
  return parts.number > 0 && mayBeCut(parts) && mediaNamesOf(title, 0).includes(foldName(parts.bare + parts.extension));
}
