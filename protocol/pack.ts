// A pack of renditions on the wire: a JSON header line, then the bytes one after the other, in the header's order.
import * as z from 'zod';
import { MAX_PACK_ITEMS, MAX_RENDITION_BYTES } from './limits.ts';
import { Sha256 } from './words.ts';

export const PACK_MIME = 'application/x-jharokha-pack';

export const PackHeader = z.object({
  items: z.array(z.object({ key: z.string().max(120), sha256: Sha256, size_bytes: z.int().positive().max(MAX_RENDITION_BYTES) })).max(MAX_PACK_ITEMS),
});
export type PackHeader = z.infer<typeof PackHeader>;

export const PackAnswer = z.object({ stored: z.array(z.string()), rejected: z.array(z.object({ row: z.string(), reason: z.string() })) });
export type PackAnswer = z.infer<typeof PackAnswer>;

export interface PackItem { key: string; sha256: string; bytes: Uint8Array }

/** Writes a pack. `sha256` of each item is the hash of the rendition's own bytes, not of the original. */
export function encodePack(items: readonly PackItem[]): Uint8Array<ArrayBuffer> {
  const header: PackHeader = { items: items.map((i) => ({ key: i.key, sha256: i.sha256, size_bytes: i.bytes.byteLength })) };
  const head = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
  const out = new Uint8Array(head.byteLength + items.reduce((n, i) => n + i.bytes.byteLength, 0));
  out.set(head, 0);
  let at = head.byteLength;
  for (const item of items) { out.set(item.bytes, at); at += item.bytes.byteLength; }
  return out;
}

/** Reads a pack. Throws an Error that says what is wrong; the bytes are views into `pack`, not copies. */
export function decodePack(pack: Uint8Array): PackItem[] {
  const end = pack.indexOf(10);
  if (end < 0) throw new Error('pack has no header line');
  let json: unknown;
  try { json = JSON.parse(new TextDecoder().decode(pack.subarray(0, end))); } catch { throw new Error('pack header is not JSON'); }
  const parsed = PackHeader.safeParse(json);
  if (!parsed.success) throw new Error(`pack header: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`);
  const items: PackItem[] = [];
  let at = end + 1;
  for (const item of parsed.data.items) {
    if (at + item.size_bytes > pack.byteLength) throw new Error(`pack is cut short at ${item.key}`);
    items.push({ key: item.key, sha256: item.sha256, bytes: pack.subarray(at, at + item.size_bytes) });
    at += item.size_bytes;
  }
  if (at !== pack.byteLength) throw new Error(`pack has ${pack.byteLength - at} bytes too many`);
  return items;
}
