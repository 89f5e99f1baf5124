// The name that a download gets: the asset's own, with the ending of what is really in it. Names of files are hostile text.

/** What no file system, or no reader, should meet in a name: controls, separators, what Windows forbids, marks that turn text about. */
// oxlint-disable-next-line no-control-regex
const UNFIT = /[\u0000-\u001f\u007f-\u009f\\/:*?"<>|\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g;
/** Room for the ending within the 255 bytes of a name, in any script. */
const MAX_STEM_CHARS = 60;

/** `IMG_4711.webp` for `DCIM/IMG_4711.HEIC`; `jharokha-0123abcd.webp` where nothing is left of the name. */
export function downloadName(path: string | undefined, sha256: string, ending: 'webp' | 'mp4'): string {
  const last = (path ?? '').split('/').at(-1)?.toWellFormed() ?? '';
  const stem = [...last.replace(/\.[A-Za-z0-9]{1,5}$/, '').replace(UNFIT, ' ').replace(/\s+/g, ' ').replace(/^[\s.]+|[\s.]+$/g, '')].slice(0, MAX_STEM_CHARS).join('').trim();
  return `${stem === '' ? `jharokha-${sha256.slice(0, 8)}` : stem}.${ending}`;
}
