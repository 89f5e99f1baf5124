// The few facts that are wanted of an XMP packet: dates of the capture, a position, make and model; caption, stars, tags and
// people. No XML parser: a packet is hostile text, and these properties occur only as attributes, as simple elements or as
// lists of them (XMP specification, part 1, 7.5 to 7.7). Declarations are not read, so no entity can expand.
import type { MetaTags } from './claims.ts';

/** Capture dates, best first. `xmp:CreateDate` is the file's own creation in some programs, so it comes last. */
const DATES = ['exif:DateTimeOriginal', 'photoshop:DateCreated', 'exif:DateTimeDigitized', 'xmp:CreateDate', 'xap:CreateDate'];

/** Tags of one packet; properties that are absent stay undefined. Never throws. */
export function readXmp(packet: string, words: XmpWords = readXmpWords(packet)): MetaTags {
  const tags: MetaTags = { xmpDates: [], raw: {} };
  for (const name of DATES) {
    const value = property(packet, name);
    if (value === undefined) continue;
    tags.xmpDates?.push(value);
    tags.raw[name] = value.slice(0, 100);
  }
  tags.gpsMoment = property(packet, 'exif:GPSTimeStamp');
  tags.make = property(packet, 'tiff:Make');
  tags.model = property(packet, 'tiff:Model');
  tags.lens = property(packet, 'aux:Lens');
  tags.rating = words.rating;
  tags.xmpDescription = words.description;
  if (words.tags.length > 0) tags.xmpKeywords = words.tags;
  const latitude = position(property(packet, 'exif:GPSLatitude'), property(packet, 'exif:GPSLatitudeRef'), 'S');
  const longitude = position(property(packet, 'exif:GPSLongitude'), property(packet, 'exif:GPSLongitudeRef'), 'W');
  if (latitude !== undefined && longitude !== undefined) { tags.latitude = latitude; tags.longitude = longitude; }
  return tags;
}

function property(packet: string, name: string): string | undefined {
  const attribute = packet.indexOf(`${name}=`);
  if (attribute >= 0) {
    const quote = packet[attribute + name.length + 1];
    const end = quote === '"' || quote === "'" ? packet.indexOf(quote, attribute + name.length + 2) : -1;
    if (end > 0 && end - attribute < 1_000) return unescape(packet.slice(attribute + name.length + 2, end));
  }
  const element = packet.indexOf(`<${name}>`);
  if (element < 0) return undefined;
  const end = packet.indexOf('<', element + name.length + 2);
  return end > 0 && end - element < 1_000 ? unescape(packet.slice(element + name.length + 2, end)).trim() || undefined : undefined;
}

/** What a packet says of its picture beyond time and place; as written, unbounded: whoever keeps it cleans it. */
export interface XmpWords { description: string | undefined; rating: string | undefined; favourite: string | undefined; tags: string[]; people: string[] }

/** Caption, stars, tags and people of one packet. Never throws, and looks at each part of the packet a few times at most. */
export function readXmpWords(packet: string): XmpWords {
  return {
    description: caption(packet),
    rating: property(packet, 'xmp:Rating') ?? property(packet, 'xap:Rating'),
    favourite: property(packet, 'fstop:favorite'),
    // A tag in a tree (`Places|France|Nice`) is told by its own name; programs list its parents as tags too where they mean them.
    tags: [...list(packet, 'dc:subject'), ...list(packet, 'lr:hierarchicalSubject').map((path) => path.slice(path.lastIndexOf('|') + 1))],
    people: [...list(packet, 'Iptc4xmpExt:PersonInImage'), ...regionNames(packet)],
  };
}

/** The items of `rdf:Bag`, `rdf:Seq` or `rdf:Alt`, the one for every language first. */
const ITEM = /<rdf:li((?:\s[^<>]*)?)>([^<]*)<\/rdf:li\s*>/g;

/** A list property's items; a program that writes a single value without a list is understood. */
function list(packet: string, name: string): string[] {
  const body = element(packet, name);
  if (body === undefined) return [];
  const items = [...body.matchAll(ITEM)].map((m) => ({ text: unescape(m[2] ?? '').trim(), first: /xml:lang\s*=\s*["']x-default["']/.test(m[1] ?? '') }));
  if (items.length === 0 && !body.includes('<')) return [unescape(body).trim()].filter(Boolean);
  return [...items.filter((i) => i.first), ...items.filter((i) => !i.first)].map((i) => i.text).filter(Boolean);
}

/** Captions are as long as people make them, which `property` does not expect. */
function caption(packet: string): string | undefined {
  const [text] = list(packet, 'dc:description');
  if (text !== undefined) return text;
  const m = /\sdc:description\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/.exec(packet);
  return m ? unescape(m[1] ?? m[2] ?? '').trim() || undefined : undefined;
}

/** What lies between the first `<name …>` and its end; undefined where there is none. */
function element(packet: string, name: string): string | undefined {
  const start = new RegExp(`<${name}(?:\\s[^<>]*)?>`).exec(packet);
  // An element that is closed at once (`<name/>`) holds nothing.
  if (!start || start[0].endsWith('/>')) return undefined;
  const from = start.index + start[0].length;
  const end = packet.indexOf(`</${name}`, from);
  return end < 0 ? undefined : packet.slice(from, end);
}

const REGION_PART = /<rdf:li[\s>]|(?:^|[\s<])(?:mwg-rs:(Name|Type)|MPReg:(PersonDisplayName))(?:\s*=\s*(?:"([^"<]{0,1000})"|'([^'<]{0,1000})')|>([^<]{0,1000})<)/g;

/** Names of faces that a program marked in the picture (MWG regions, Microsoft's people tags); pets, bar codes and focus points are no people. */
function regionNames(packet: string): string[] {
  const names: string[] = [];
  for (const listName of ['mwg-rs:RegionList', 'MPRI:Regions']) {
    let region = { name: '', type: '' };
    const end = () => { if (region.name !== '' && (region.type === '' || region.type.toLowerCase() === 'face')) names.push(region.name); };
    for (const m of (element(packet, listName) ?? '').matchAll(REGION_PART)) {
      const text = unescape(m[3] ?? m[4] ?? m[5] ?? '').trim();
      if (m[1] === undefined && m[2] === undefined) { end(); region = { name: '', type: '' }; } else if (m[1] === 'Type') region.type = text; else region.name ||= text;
    }
    end();
  }
  return names;
}

function unescape(text: string): string {
  return text.replace(/&(?:(quot|apos|lt|gt|amp)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi, (whole, name: string | undefined, decimal: string | undefined, hex: string | undefined) => {
    if (name !== undefined) return { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' }[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? '0', 16) : Number(decimal);
    return code > 0 && code < 0x110000 ? String.fromCodePoint(code) : whole;
  });
}

/**
 * `39,2.6806N` or `39,2,40N` (XMP specification, part 2, GPSCoordinate), or plain decimal degrees, whose hemisphere some
 * programs (Apple's) write as a property of its own.
 */
function position(value: string | undefined, hemisphere: string | undefined, negative: string): number | undefined {
  if (value === undefined) return undefined;
  const m = /^\s*([+-]?\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?(?:,(\d+(?:\.\d+)?))?\s*([NSEW])?\s*$/i.exec(value);
  if (!m) return NaN;
  const sum = Number(m[1]) + Number(m[2] ?? 0) / 60 + Number(m[3] ?? 0) / 3600;
  const side = (m[4] ?? hemisphere ?? '').trim().toUpperCase();
  return side === negative && sum > 0 ? -sum : sum;
}
