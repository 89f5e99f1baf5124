// Caption, keywords and date from the IPTC records of a JPEG (IIM 4.2 inside Photoshop's image resources). Every length in a file
// is hostile: nothing is read past the buffer.
import type { MetaTags } from './claims.ts';

const IPTC_RESOURCE = 0x0404;
const MAX_RECORDS = 1_000;
const MAX_KEYWORDS = 500;

/** Tags of one APP13 body behind its `Photoshop 3.0\0`. Never throws. */
export function readIptc(resources: Buffer): MetaTags {
  const tags: MetaTags = { raw: {} };
  const records = findRecords(resources);
  if (records) readRecords(records, tags);
  return tags;
}

/** Photoshop's resources: `8BIM`, an id, a padded Pascal name, a length and padded bytes. */
function findRecords(b: Buffer): Buffer | undefined {
  for (let at = 0, n = 0; n < MAX_RECORDS && at + 12 <= b.length; n++) {
    if (b.toString('latin1', at, at + 4) !== '8BIM') return undefined;
    const id = b.readUInt16BE(at + 4);
    const name = (b[at + 6] ?? 0) + 1;
    const start = at + 6 + name + (name & 1) + 4;
    if (start > b.length) return undefined;
    const length = b.readUInt32BE(start - 4);
    if (id === IPTC_RESOURCE) return b.subarray(start, Math.min(b.length, start + length));
    at = start + length + (length & 1);
  }
  return undefined;
}

/** Data sets: 0x1C, record, number, length. 2:25 keyword, 2:55 and 2:60 day and time, 2:120 caption; 1:90 names the encoding. */
function readRecords(b: Buffer, tags: MetaTags): void {
  const keywords: Buffer[] = [];
  let caption: Buffer | undefined;
  let utf8 = false, day = '', time = '';
  for (let at = 0, n = 0; n < MAX_RECORDS && at + 5 <= b.length && b[at] === 0x1c; n++) {
    const record = b[at + 1], number = b[at + 2], length = b.readUInt16BE(at + 3);
    // A length above 32,767 is one of more bytes, which nobody writes for text.
    if (length > 0x7fff) break;
    const data = b.subarray(at + 5, Math.min(b.length, at + 5 + length));
    if (record === 1 && number === 90) utf8 = data.toString('latin1') === '\x1b%G';
    else if (record === 2 && number === 120) caption ??= data;
    else if (record === 2 && number === 55) day = data.toString('latin1');
    else if (record === 2 && number === 60) time = data.toString('latin1');
    else if (record === 2 && number === 25 && keywords.length < MAX_KEYWORDS) keywords.push(data);
    at += 5 + length;
  }
  if (caption) tags.iptcDescription = decode(caption, utf8);
  const date = dateOf(day, time);
  if (date) tags.xmpDates = [date];
  if (keywords.length > 0) tags.iptcKeywords = keywords.map((k) => decode(k, utf8));
}

/** `CCYYMMDD` and `HHMMSS±HHMM` as other metadata spell them; a day without a time is a day. */
function dateOf(day: string, time: string): string | undefined {
  const d = /^(\d{4})(\d{2})(\d{2})/.exec(day);
  const t = /^(\d{2})(\d{2})(\d{2})([+-]\d{4})?/.exec(time);
  return d ? `${d[1]}:${d[2]}:${d[3]}${t ? ` ${t[1]}:${t[2]}:${t[3]}${t[4] ?? ''}` : ''}` : undefined;
}

/** Without a named encoding programs write UTF-8 or the system's; bytes that are no UTF-8 are read as Latin-1. */
function decode(data: Buffer, utf8: boolean): string {
  const text = data.toString('utf8');
  return utf8 || !text.includes('\ufffd') ? text : data.toString('latin1');
}
