// An XMP sidecar with what the library says of an asset, as agent/pipeline/xmp.ts and other programs read it. Pure.
import type { ExportFacts } from '../../protocol/orders.ts';

type Facts = ExportFacts['items'][number];

/**
 * The packet; of an asset that the library does not have one that says nothing. A favourite is no rating: it is `xmp:Label`, which Lightroom and
 * digiKam show and filter by, and `fstop:favorite`, which is read back as one; as a keyword it would come back as a tag that
 * nobody gave. A date that is only a file's own is a guess, and is not handed on as the capture's.
 */
export function writeXmp(facts: Facts | undefined): string { return packet(facts ? propertiesOf(facts) : []); }

function propertiesOf(facts: Facts): string[] {
  const properties: string[] = [];
  const simple = (name: string, value: string | null): void => { if (value !== null) properties.push(`   <${name}>${escape(value)}</${name}>`); };
  const list = (name: string, kind: 'Bag' | 'Alt', items: readonly string[]): void => {
    if (items.length > 0) properties.push(`   <${name}><rdf:${kind}>${items.map((i) => `<rdf:li${kind === 'Alt' ? ' xml:lang="x-default"' : ''}>${escape(i)}</rdf:li>`).join('')}</rdf:${kind}></${name}>`);
  };
  const date = facts.taken_at === null || facts.taken_at_source === 'mtime' ? null : `${facts.taken_at}${offset(facts.utc_offset_minutes)}`;
  simple('exif:DateTimeOriginal', date);
  simple('photoshop:DateCreated', date);
  if (facts.latitude !== null && facts.longitude !== null) {
    simple('exif:GPSLatitude', degrees(facts.latitude, 'N', 'S'));
    simple('exif:GPSLongitude', degrees(facts.longitude, 'E', 'W'));
  }
  simple('xmp:Rating', facts.rating === null ? null : String(facts.rating));
  if (facts.favourite) { simple('xmp:Label', 'Favourite'); simple('fstop:favorite', '1'); }
  list('dc:description', 'Alt', facts.description ? [facts.description] : []);
  list('dc:subject', 'Bag', facts.tags);
  list('Iptc4xmpExt:PersonInImage', 'Bag', facts.people);
  return properties;
}

function packet(properties: readonly string[]): string {
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Jharokha">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:fstop="http://www.fstopapp.com/xmp/">
${properties.join('\n')}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;
}

/** What XML 1.0 has no way to hold is left out; a carriage return would otherwise be read as a line feed. */
function escape(text: string): string {
  return text.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '').replace(/[&<>"'\r]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;', '\r': '&#13;' })[c] ?? '');
}

function offset(minutes: number | null): string {
  if (minutes === null) return '';
  const two = (n: number) => String(n).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

/** `39,2.68060000N`: degrees and minutes, as XMP writes a coordinate; eight places are a hundredth of a millimetre. */
function degrees(value: number, positive: string, negative: string): string {
  const minutes = Math.round(Math.abs(value) * 60 * 1e8) / 1e8;
  const whole = Math.floor(minutes / 60);
  return `${whole},${(minutes - whole * 60).toFixed(8)}${value < 0 ? negative : positive}`;
}
