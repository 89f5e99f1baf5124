// What a person wrote about a picture: caption, stars, keywords; and what cameras put in their place, which is left out.
import type { MetaTags } from './claims.ts';
import { cleanNumber, cleanProse, cleanText } from './text.ts';

const MAX_KEYWORDS = 200;
/** Anything but signs and question marks, which are what is left of text in a lost encoding. */
const READABLE = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/** Captions that come from the factory: names of makers and formats, scene codes of phones, paths and file names. */
const FACTORY: RegExp[] = [
  /^[A-Z0-9 .,_-]*DIGITAL (?:STILL ?)?CAMERA[A-Z0-9 .]*$/, /^(?:KODAK )?Digital Still ?Camera$/i, /^(?:SONY DSC|SAMSUNG|SAMSUNG CAMERA PICTURES|OLYMPUS|MINOLTA|KONICA MINOLTA|NIKON|CANON|JENOPTIK|CASIO|HP|AppleMark|ASCII|JPEG)$/i,
  /^Exif[_ ]JPEG(?:[_ ](?:PICTURE|T?422|\d+))?$/i, /^(?:default|untitled|camera|image|picture|my beautiful picture|no description)$/i,
  /^<(?:KENOX|Digimax)[^>]*>$/i, /^LEAD Technologies/i, /^DCF \d/, /^File written by Adobe/i, /^Processed (?:with|by) \w+/i,
  // A path on the card, or the file's own name.
  /^\/?DCIM[\\/]/i, /^[\w() -]{1,60}\.(?:jpe?g|tiff?|heic|png|dng|mp4|mov)$/i,
  // Google's factory note (`Maker:S,Date:2017-9-20,Ver:6,Lens:Kan03`), Huawei's and Honor's scene codes.
  /^Maker:\w+,Date:/, /^(?:cof|sdr|hdr|rhdr|ptr|rptr|btf|fbt|edf|bty|nor|oznor\w*|mde|dav|fdr|binary comment)$/,
];

/**
 * The caption, or null. XMP before IPTC before EXIF (the Metadata Working Group reads them the other way round): programs
 * write all three alike, and where only one speaks for the owner it is rarely the one that cameras fill.
 */
export function descriptionOf(tags: MetaTags): string | null {
  for (const value of [tags.xmpDescription, tags.iptcDescription, tags.exifDescription]) {
    const text = cleanProse(value);
    if (text !== null && READABLE.test(text) && !FACTORY.some((junk) => junk.test(text)) && !isModel(text, tags)) return text;
  }
  return null;
}

/** The camera's own name, bare or as `GC-X1E Image` (JVC). */
function isModel(text: string, tags: MetaTags): boolean {
  const bare = text.toLowerCase().replace(/ image$/, '');
  return [tags.make, tags.model].some((name) => cleanText(name)?.toLowerCase() === bare);
}

/** Stars 1 to 5, or -1 for "rejected". 0 is "unrated", which cameras write into every file. */
export function ratingOf(value: unknown): number | null {
  const n = cleanNumber(value);
  const stars = n === null ? 0 : Math.round(n);
  return stars === -1 || (stars >= 1 && stars <= 5) ? stars : null;
}

/** Keywords, each once, in the file's order: XMP's, else IPTC's, which are the same words cut to 64 bytes. */
export function keywordsOf(tags: MetaTags): string[] {
  for (const list of [tags.xmpKeywords, tags.iptcKeywords]) {
    const words = (Array.isArray(list) ? (list as unknown[]) : [list]).map((w) => cleanText(w)).filter((w) => w !== null && READABLE.test(w));
    if (words.length > 0) return [...new Set(words as string[])].slice(0, MAX_KEYWORDS);
  }
  return [];
}
