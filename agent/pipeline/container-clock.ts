// Whose movies keep to the standard. QuickTime says that a movie's creation time is UTC, and many cameras write what their
// clock shows: here the maker speaks, from the tags of one file. It is the weakest evidence, and the resolver lets the
// file's other times, its name and its position overrule it (protocol/container-time.ts).
import type { MetaTags } from './claims.ts';
import { cleanText } from './text.ts';

export interface ContainerClock { local: boolean; basis: string }

/**
 * Cameras whose clock knows no zone, so that their movies hold what it shows. Nikon: seen by users of piwigo-videojs (#98)
 * and of Nextcloud Memories (#1256). The others are makers of cameras that shipped without a zone setting; Lychee (#675,
 * #680) came to the same for the MOV and AVI files of digital cameras. Canon is left out on purpose: older models wrote
 * local time, those with a zone setting write UTC (PowerShot G15), and every Canon movie carries an EXIF date to decide by.
 * Sony keeps to UTC and names its offset; DJI has done both, and its names hold the local time.
 */
const CAMERAS_WITHOUT_ZONE = /^(nikon|pentax|casio|eastman kodak|kodak|olympus|fuji|minolta|konica|sanyo|ricoh|panasonic|hewlett|vivitar|reconyx)/i;
/** GoPro knows zones since the HERO11 (its firmware counts H22 and up): its users measured both. */
const GOPRO_WITH_ZONE = /^HERO ?(?:1[1-9]|[2-9]\d)\b|^MAX ?[2-9]/i;
const GOPRO_FIRMWARE_WITH_ZONE = /^H(?:2[2-9]|[3-9]\d)\./;
/** Motion-JPEG is what digital cameras recorded before about 2010, none of which knew a zone. */
const MOTION_JPEG = /^(?:jpeg|mjp[ab])$/i;

/** What the maker's habit says of this movie's clock, or null where nothing is known of it. */
export function containerClock(tags: MetaTags): ContainerClock | null {
  const signs = (tags.containerSigns ?? []).map((s) => cleanText(s) ?? '');
  const has = (pattern: RegExp) => signs.some((s) => pattern.test(s));
  const make = cleanText(tags.make) ?? '';
  const model = cleanText(tags.model) ?? '';
  // Android's own writer names its handlers so; Google's re-encoder says its name and keeps the moment.
  if (tags.androidVersion !== undefined || has(/^(?:Video|Sound)Handle$/) || has(/^ISO Media file produced by Google/)) return { local: false, basis: 'Android writes UTC into its movies' };
  if (/^go ?pro/i.test(make) || has(/^\W*GoPro\b/i)) {
    return GOPRO_WITH_ZONE.test(model) || has(GOPRO_FIRMWARE_WITH_ZONE) ? null : { local: true, basis: 'GoPros before the HERO11 write local time into their movies' };
  }
  if (/^apple\b/i.test(make) || has(/^Core Media /)) return { local: false, basis: 'Apple’s devices write UTC into their movies' };
  if (CAMERAS_WITHOUT_ZONE.test(make)) return { local: true, basis: `cameras by ${make.slice(0, 60)} write local time into their movies` };
  return has(MOTION_JPEG) ? { local: true, basis: 'a Motion-JPEG movie: cameras of that time wrote local time' } : null;
}
