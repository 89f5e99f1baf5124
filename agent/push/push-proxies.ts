// Proxies to the Worker, one step a call: a small one whole, a large one part by part. What was taken is kept in the catalog, so
// that an upload goes on after a crash; what the Worker has forgotten is begun again.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { acknowledgeProxy, nextProxyToPush, putNoProxy, readUpload, remakeProxy, spoolName, writeUpload, type ProxyUpload, type SpooledProxy } from '../catalog/proxies.ts';
import { PROXY_PART_BYTES } from '../../protocol/limits.ts';
import type { ProxyStored } from '../../protocol/proxy.ts';
import { completeProxyUpload, pushProxy, pushProxyPart, startProxyUpload, WorkerRefused } from './client.ts';
import type { PushContext } from './push.ts';

/**
 * One request's worth of the next proxy. 'none' where nothing waits. Throws WorkerUnreachable, and WorkerRefused (409) where the
 * Worker knows nothing of an upload that was under way: the next call begins it again.
 */
export async function pushProxyStep(ctx: PushContext): Promise<'none' | 'part' | 'whole'> {
  const next = nextProxyToPush(ctx.catalog);
  if (!next) return 'none';
  const path = join(ctx.proxySpool, spoolName(next.sha256, next.version));
  let file: FileHandle;
  try { file = await open(path, 'r'); } catch {
    // Not there, or not to be read: it can be made again.
    remakeProxy(ctx.catalog, next.sha256);
    return 'part';
  }
  try {
    const stored = await pushStep(ctx, next, file, (await file.stat()).size);
    if (!stored) return 'part';
    acknowledgeProxy(ctx.catalog, next, stored.size_bytes);
    writeUpload(ctx.catalog, null);
    rmSync(path, { force: true });
    return 'whole';
  } catch (error) {
    if (!(error instanceof WorkerRefused)) throw error;
    writeUpload(ctx.catalog, null);
    if (error.status === 409) throw error;
    // These bytes would be refused for ever.
    ctx.warn(`A small video was refused: ${error.message}`);
    putNoProxy(ctx.catalog, next.sha256, { code: 'other', reason: `its small video was refused (${error.message})`.slice(0, 300) });
    rmSync(path, { force: true });
    return 'part';
  } finally { await file.close(); }
}

/** The Worker's word that it has all of it, or undefined where more is to come. */
async function pushStep(ctx: PushContext, id: SpooledProxy, file: FileHandle, sizeBytes: number): Promise<ProxyStored | undefined> {
  if (sizeBytes <= PROXY_PART_BYTES) {
    const bytes = await readPart(file, 0, sizeBytes);
    return pushProxy(ctx.worker, id, hashOf(bytes), bytes);
  }
  const under = readUpload(ctx.catalog);
  const upload = under?.sha256 === id.sha256 && under.version === id.version ? under : undefined;
  if (!upload) {
    const fileHash = await hashFile(file, sizeBytes);
    const started = await startProxyUpload(ctx.worker, id, { size_bytes: sizeBytes, sha256: fileHash });
    if ('stored' in started) return started;
    writeUpload(ctx.catalog, { sha256: id.sha256, version: id.version, file_sha256: fileHash, upload_id: started.upload_id, etags: [] });
    return undefined;
  }
  const at = upload.etags.length * PROXY_PART_BYTES;
  if (at < sizeBytes) {
    const bytes = await readPart(file, at, Math.min(PROXY_PART_BYTES, sizeBytes - at));
    const { etag } = await pushProxyPart(ctx.worker, id, upload.upload_id, upload.etags.length + 1, hashOf(bytes), bytes);
    writeUpload(ctx.catalog, { ...upload, etags: [...upload.etags, etag] } satisfies ProxyUpload);
    return undefined;
  }
  return completeProxyUpload(ctx.worker, id, { upload_id: upload.upload_id, size_bytes: sizeBytes, sha256: upload.file_sha256, etags: upload.etags });
}

async function readPart(file: FileHandle, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error('a small video in the spool is shorter than it was');
    done += bytesRead;
  }
  return bytes;
}

async function hashFile(file: FileHandle, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < sizeBytes; at += PROXY_PART_BYTES) hash.update(await readPart(file, at, Math.min(PROXY_PART_BYTES, sizeBytes - at)));
  return hash.digest('hex');
}

function hashOf(bytes: Uint8Array): string { return createHash('sha256').update(bytes).digest('hex'); }
