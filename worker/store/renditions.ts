// Renditions in R2: stores a pack's items, each checked against its hash. Idempotent by key, for keys are immutable.
import type { PackAnswer, PackItem } from '../../protocol/pack.ts';
import { parseRenditionKey } from '../../protocol/rendition.ts';
import { sha256Hex } from './digest.ts';

/** Workers hold six connections open at once; more would only wait. */
const PUTS_AT_ONCE = 6;

/** Stores what is sound and rejects the rest by key and reason. `stored` names what is in R2 now, new or not. */
export async function storeRenditions(bucket: R2Bucket, items: readonly PackItem[]): Promise<PackAnswer> {
  const answer: PackAnswer = { stored: [], rejected: [] };
  const queue = items[Symbol.iterator]();
  const work = async () => {
    for (const item of queue) {
      const reason = await storeOne(bucket, item);
      if (reason === undefined) answer.stored.push(item.key); else answer.rejected.push({ row: item.key, reason });
    }
  };
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, work));
  return answer;
}

async function storeOne(bucket: R2Bucket, item: PackItem): Promise<string | undefined> {
  if (!parseRenditionKey(item.key)) return 'this is no key of a rendition';
  if (!isWebp(item.bytes)) return 'these bytes are no WebP';
  if (await sha256Hex(item.bytes as Uint8Array<ArrayBuffer>) !== item.sha256) return 'the bytes do not have the hash that was said';
  // One call: R2 itself refuses where the key exists.
  await bucket.put(item.key, item.bytes, { httpMetadata: { contentType: 'image/webp' }, onlyIf: { etagDoesNotMatch: '*' } });
  return undefined;
}

/** `RIFF????WEBP`: served under our own origin, so nothing else may pass for a picture. */
function isWebp(bytes: Uint8Array): boolean {
  const at = (offset: number, text: string) => [...text].every((char, i) => bytes[offset + i] === char.charCodeAt(0));
  return bytes.byteLength > 12 && at(0, 'RIFF') && at(8, 'WEBP');
}
