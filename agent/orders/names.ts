// Names of copies: parts of a path that any drive can hold, the template of an export, and the next free name of a unit, whose
// files keep one stem. Pure. All text is hostile: it comes from files, albums and cameras.

/** What a template may name. */
export const TEMPLATE_FIELDS = ['year', 'month', 'day', 'album', 'camera', 'name'] as const;
type Field = (typeof TEMPLATE_FIELDS)[number];

/** File systems take 255 bytes (or UTF-16 units); what is left over is for ` (1234)` and `.xmp`. */
const MAX_NAME_BYTES = 240;
/** Beyond any ending that says what a file is. */
const MAX_EXTENSION_BYTES = 30;

export function stemOf(name: string): string { return name.replace(/(?<=.)\.[^.]*$/s, ''); }
function extensionOf(name: string): string { return name.slice(stemOf(name).length); }

/** As a volume that takes two spellings for one name compares them. */
export function foldName(name: string): string { return name.normalize('NFC').toLowerCase().normalize('NFC'); }

/** Marks that turn the direction of text, so that `gpj.exe` reads as a picture, and others that are not seen. */
const UNSEEN = /[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;
/** Separators of some system, and what Windows and its file systems refuse. */
const REFUSED = /[/\\:*?"<>|]/g;
/** Names that Windows gives to devices, whatever their ending. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i;

function cleanText(text: string): string {
  return text.toWellFormed().replace(UNSEEN, '').replace(REFUSED, '-').replace(/^[\s.]+/, '').replace(/[\s.]+$/, '');
}

/** Cut between characters as people count them, so that no accent or skin tone is torn off. */
function cut(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let out = '';
  let bytes = 0;
  for (const { segment } of new Intl.Segmenter().segment(text.slice(0, maxBytes))) {
    bytes += Buffer.byteLength(segment);
    if (bytes > maxBytes) break;
    out += segment;
  }
  return out;
}

/** A folder's name, or '' where nothing is left of it. Letters of every script are kept as they are. */
export function cleanFolder(text: string): string {
  const name = cut(cleanText(text), MAX_NAME_BYTES).replace(/[\s.]+$/, '');
  return name.replace(RESERVED, '$&_');
}

/** A file's name with its extension; never empty. */
export function cleanFile(stem: string, extension: string): string {
  const ending = cut(extension.toWellFormed().replace(UNSEEN, '').replace(REFUSED, '-').replace(/[\s.]+$/, ''), MAX_EXTENSION_BYTES);
  const name = cut(cleanText(stem), MAX_NAME_BYTES - Buffer.byteLength(ending)).replace(/[\s.]+$/, '') || 'file';
  return `${name}${ending}`.replace(RESERVED, '$&_');
}

/** File systems whose names are those of Windows, as Linux and macOS call them; `fuseblk` is NTFS or exFAT. */
const WINDOWS_NAMES = new Set(['exfat', 'vfat', 'msdos', 'fat32', 'ntfs', 'ntfs3', 'ntfs-3g', 'fuseblk', 'cifs', 'smb3', 'smbfs']);

/** A path as a drive of this kind can hold it: itself, wherever it can. */
export function fitPath(path: string, fsType: string): string {
  if (!WINDOWS_NAMES.has(fsType.toLowerCase()) || path === '') return path;
  const folders = path.split('/');
  const name = folders.pop() ?? '';
  return [...folders.map((folder) => cleanFolder(folder) || 'folder'), cleanFile(stemOf(name), extensionOf(name))].join('/');
}

export interface Template { folders: string[]; /** How a file is called, with `{name}` for its own stem; null: as it is. */ file: string | null }

/** Throws a sentence for people where it names what is not known. */
export function readTemplate(text: string): Template {
  const unknown = [...text.matchAll(/\{([^{}/]*)\}/g)].find((m) => !(TEMPLATE_FIELDS as readonly string[]).includes(m[1] ?? ''));
  if (unknown) throw new TemplateError(`The template has ${unknown[0]}, which is not known. It may have ${TEMPLATE_FIELDS.map((f) => `{${f}}`).join(', ')}.`);
  const parts = text.split('/');
  const file = parts.at(-1)?.includes('{name}') ? parts.pop() ?? null : null;
  if (parts.some((part) => part.includes('{name}'))) throw new TemplateError('In the template {name} may only stand in the last part, where it names the file.');
  return { folders: parts, file };
}

export class TemplateError extends Error {}

export type Values = Record<Exclude<Field, 'name'>, string>;

/** The folders of a template for one asset; a part of which nothing is known is left out. */
export function fillFolders({ folders }: Template, values: Values): string[] {
  return folders.map((part) => cleanFolder(fill(part, values))).filter((part) => part !== '');
}

/** The name of a media file by a template. */
export function fillFile({ file }: Template, name: string, values: Values): string {
  const stem = stemOf(name);
  return cleanFile(file === null ? stem : fill(file, { ...values, name: stem }) || stem, extensionOf(name));
}

function fill(part: string, values: Partial<Record<Field, string>>): string {
  const fields = [...part.matchAll(/\{([a-z]+)\}/g)].map((m) => m[1] as Field);
  if (fields.length > 0 && fields.every((field) => !values[field])) return '';
  return part.replace(/\{([a-z]+)\}/g, (_, field: Field) => values[field] ?? '');
}

export interface UnitName { role: 'asset' | 'sidecar'; /** As it is called where it comes from. */ from: string; /** Of a media file: as it is to be called. A sidecar follows the one that it speaks of. */ to: string }

/** What the files of a unit are called under the `number`th of their names: `a (2).jpg` beside `a (2).mov` and `a (2).jpg.xmp`. */
export function numberedNames(unit: readonly UnitName[], number: number, exactNames: boolean): string[] {
  // The longest first: of `a.jpg.xmp` the file is `a.jpg` before `a`.
  const media = unit.filter((f) => f.role === 'asset').map((f) => ({ from: f.from, to: numbered(f.to, number) })).sort((a, b) => b.from.length - a.from.length);
  const names: string[] = [];
  const used = new Set<string>();
  for (const file of unit) {
    const name = file.role === 'asset' ? numbered(file.to, number) : sidecarName(file, media, number);
    const key = (text: string) => (exactNames ? text : foldName(text));
    // Two of one unit that would have one name, by a template or on a volume that folds case.
    let own = name;
    for (let n = 2; used.has(key(own)); n += 1) own = numbered(name, n);
    used.add(key(own));
    names.push(own);
  }
  return names;
}

function numbered(name: string, number: number): string {
  return number === 1 ? name : `${stemOf(name)} (${number})${extensionOf(name)}`;
}

/** A sidecar is found by the name of its file, or by its stem. */
function sidecarName(sidecar: UnitName, media: readonly { from: string; to: string }[], number: number): string {
  for (const part of [(name: string) => name, stemOf]) {
    const m = media.find(({ from }) => sidecar.from.startsWith(part(from)) && sidecar.to.endsWith(sidecar.from.slice(part(from).length)));
    if (m) return `${part(m.to)}${sidecar.from.slice(part(m.from).length)}`;
  }
  return numbered(sidecar.to, number);
}
