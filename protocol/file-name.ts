// Names of files for other computers: hostile text made fit for any file system and any reader.

/** What no file system, or no reader, should meet in a name: controls, separators, what Windows forbids, marks that turn text about. */
// oxlint-disable-next-line no-control-regex
const UNFIT = /[\u0000-\u001f\u007f-\u009f\\/:*?"<>|\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g;
/** Of the 255 bytes of a name; the rest is room for a number. */
const MAX_NAME_BYTES = 200;
const encoder = new TextEncoder();

/** The last part of a path without what is unfit, cut to a length that any file system takes; '' where nothing is left. */
export function fitName(path: string): string {
  const { stem, ending } = splitName((path.split('/').at(-1) ?? '').toWellFormed().normalize('NFC'));
  const chars = [...stem.replace(UNFIT, ' ').replace(/\s+/g, ' ').replace(/^[\s.]+|[\s.]+$/g, '')];
  while (chars.length > 0 && encoder.encode(chars.join('') + ending).length > MAX_NAME_BYTES) chars.length -= Math.max(1, chars.length >> 4);
  const fit = chars.join('').trim();
  return fit === '' ? '' : fit + ending;
}

/** `IMG_4711` and `.HEIC`. */
export function splitName(name: string): { stem: string; ending: string } {
  const ending = /\.[A-Za-z0-9]{1,5}$/.exec(name)?.[0] ?? '';
  return { stem: name.slice(0, name.length - ending.length), ending };
}

/** The name that stands for one of which nothing was left. */
export function nameless(sha256: string): string { return `jharokha-${sha256.slice(0, 8)}`; }
