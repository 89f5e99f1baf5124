// The name that a download of a preview or a proxy gets: the asset's own, with the ending of what is really in it.
import { fitName, nameless, splitName } from '../../protocol/file-name.ts';

/** Pages and menus show no more of a name. */
const MAX_STEM_CHARS = 60;

/** `IMG_4711.webp` for `DCIM/IMG_4711.HEIC`; `jharokha-0123abcd.webp` where nothing is left of the name. */
export function downloadName(path: string | undefined, sha256: string, ending: 'webp' | 'mp4'): string {
  const stem = [...splitName(fitName(path ?? '')).stem].slice(0, MAX_STEM_CHARS).join('').trim();
  return `${stem === '' ? nameless(sha256) : stem}.${ending}`;
}
