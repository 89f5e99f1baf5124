// Proxies in R2: small ones in one put, large ones as multipart uploads. What is checked before anything is kept: the key, the
// hash of every byte that came, and that it is an MP4. A key is never overwritten.
import { PROXY_PART_BYTES } from '../../protocol/limits.ts';
import type { PartStored, ProxyStored, UploadComplete, UploadStart, UploadStarted } from '../../protocol/proxy.ts';
import { parseProxyKey, proxyKey, type ProxyId } from '../../protocol/rendition.ts';
import { sha256Hex } from './digest.ts';

/** What was sent cannot be taken. `again`: the upload itself must be begun again; else these bytes are not what was said. */
export class ProxyRefused extends Error {
  readonly again: boolean;
  constructor(message: string, again = false) { super(message); this.name = 'ProxyRefused'; this.again = again; }
}

/** An upload that is under way leaves its id here: R2 lists no uploads, and one that was left must be found to be ended. */
const MARK = '.upload';
export function uploadMarkKey(key: string): string { return `${key}${MARK}`; }

/** The key of the proxy whose upload this mark names, or undefined where it is none. */
export function parseUploadMark(key: string): ProxyId | undefined { return key.endsWith(MARK) ? parseProxyKey(key.slice(0, -MARK.length)) : undefined; }

const MIME = { contentType: 'video/mp4' };

/** What is in the store under this id, or undefined. */
export async function findProxy(bucket: R2Bucket, id: ProxyId): Promise<ProxyStored | undefined> {
  const object = await bucket.head(proxyKey(id));
  return object ? { stored: true, size_bytes: object.size } : undefined;
}

/** A whole proxy of at most one part. Throws ProxyRefused for bytes that are not what was said. */
export async function storeProxy(bucket: R2Bucket, id: ProxyId, bytes: Uint8Array<ArrayBuffer>, sha256: string): Promise<ProxyStored> {
  await checkBytes(bytes, sha256, true);
  await bucket.put(proxyKey(id), bytes, { httpMetadata: MIME, customMetadata: { sha256 }, onlyIf: { etagDoesNotMatch: '*' } });
  // Another agent's proxy may have been there first: it is its size that counts.
  return await findProxy(bucket, id) ?? { stored: true, size_bytes: bytes.byteLength };
}

/** Begins an upload, and ends the one that was left over for the same proxy. */
export async function startUpload(bucket: R2Bucket, id: ProxyId, said: UploadStart): Promise<UploadStarted> {
  const there = await findProxy(bucket, id);
  if (there) return there;
  const key = proxyKey(id);
  await endUpload(bucket, uploadMarkKey(key));
  const upload = await bucket.createMultipartUpload(key, { httpMetadata: MIME, customMetadata: { sha256: said.sha256 } });
  await bucket.put(uploadMarkKey(key), upload.uploadId);
  return { upload_id: upload.uploadId };
}

/** One part, by number from 1. Throws ProxyRefused (again) where there is no such upload (any more): it must be begun again. */
export async function storePart(bucket: R2Bucket, id: ProxyId, uploadId: string, part: number, bytes: Uint8Array<ArrayBuffer>, sha256: string): Promise<PartStored> {
  await checkBytes(bytes, sha256, part === 1);
  const { etag } = await orConflict(() => bucket.resumeMultipartUpload(proxyKey(id), uploadId).uploadPart(part, bytes));
  return { etag };
}

/** Makes one object of all parts. Again after it was done: the same answer. */
export async function completeUpload(bucket: R2Bucket, id: ProxyId, said: UploadComplete): Promise<ProxyStored> {
  const key = proxyKey(id);
  if (said.etags.length !== Math.ceil(said.size_bytes / PROXY_PART_BYTES)) throw new ProxyRefused(`${said.size_bytes} bytes are not ${said.etags.length} parts.`);
  if (!(await bucket.head(key))) {
    await orConflict(() => bucket.resumeMultipartUpload(key, said.upload_id).complete(said.etags.map((etag, i) => ({ partNumber: i + 1, etag }))));
    const size = (await bucket.head(key))?.size;
    if (size !== said.size_bytes) {
      await bucket.delete(key);
      throw new ProxyRefused(`The parts came to ${size ?? 0} bytes, not ${said.size_bytes}.`, true);
    }
  }
  await bucket.delete(uploadMarkKey(key));
  return await findProxy(bucket, id) ?? { stored: true, size_bytes: said.size_bytes };
}

/** Ends the upload that a mark names, and takes the mark away. */
export async function endUpload(bucket: R2Bucket, markKey: string): Promise<void> {
  const mark = await bucket.get(markKey);
  if (!mark) return;
  const uploadId = await mark.text();
  // Completed or ended long ago: nothing is left to be ended.
  await bucket.resumeMultipartUpload(markKey.slice(0, -MARK.length), uploadId).abort().catch(() => undefined);
  await bucket.delete(markKey);
}

async function checkBytes(bytes: Uint8Array<ArrayBuffer>, sha256: string, first: boolean): Promise<void> {
  if (bytes.byteLength === 0) throw new ProxyRefused('There are no bytes.');
  if (first && !isMp4(bytes)) throw new ProxyRefused('These bytes are no MP4.');
  if (await sha256Hex(bytes) !== sha256) throw new ProxyRefused('The bytes do not have the hash that was said.');
}

/** `????ftyp`: served under our own origin, so nothing else may pass for a video. */
function isMp4(bytes: Uint8Array): boolean {
  return bytes.byteLength > 16 && [...'ftyp'].every((char, i) => bytes[4 + i] === char.charCodeAt(0));
}

/** R2 names its refusals by numbers from 10000; they will not change by asking again. */
async function orConflict<T>(work: () => Promise<T>): Promise<T> {
  try { return await work(); } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (/\(10\d{3}\)/.test(text)) throw new ProxyRefused('This upload is not there, or not as said. Begin it again.', true);
    throw error;
  }
}
