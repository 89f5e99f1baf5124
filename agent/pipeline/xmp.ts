// The few facts that are wanted of an XMP packet: dates of the capture, a position, make and model. No XML parser: a packet
// is hostile text, and these properties occur only as attributes or as simple elements (XMP specification, part 1, 7.5).
import type { MetaTags } from './claims.ts';

/** Capture dates, best first. `xmp:CreateDate` is the file's own creation in some programs, so it comes last. */
const DATES = ['exif:DateTimeOriginal', 'photoshop:DateCreated', 'exif:DateTimeDigitized', 'xmp:CreateDate', 'xap:CreateDate'];

/** Tags of one packet; properties that are absent stay undefined. Never throws. */
export function readXmp(packet: string): MetaTags {
  const tags: MetaTags = { xmpDates: [], raw: {} };
  for (const name of DATES) {
    const value = property(packet, name);
    if (value === undefined) continue;
    tags.xmpDates?.push(value);
    tags.raw[name] = value.slice(0, 100);
  }
  tags.make = property(packet, 'tiff:Make');
  tags.model = property(packet, 'tiff:Model');
  tags.lens = property(packet, 'aux:Lens');
  const latitude = position(property(packet, 'exif:GPSLatitude'), 'S');
  const longitude = position(property(packet, 'exif:GPSLongitude'), 'W');
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

function unescape(text: string): string {
  return text.replace(/&(quot|apos|lt|gt|amp);/g, (_, name: string) => ({ quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' })[name] ?? '');
}

/** `39,2.6806N` or `39,2,40N` (XMP specification, part 2, GPSCoordinate), or plain decimal degrees. */
function position(value: string | undefined, negative: string): number | undefined {
  if (value === undefined) return undefined;
  const m = /^\s*([+-]?\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?(?:,(\d+(?:\.\d+)?))?\s*([NSEW])?\s*$/i.exec(value);
  if (!m) return NaN;
  const sum = Number(m[1]) + Number(m[2] ?? 0) / 60 + Number(m[3] ?? 0) / 3600;
  return (m[4] ?? '').toUpperCase() === negative ? -sum : sum;
}
