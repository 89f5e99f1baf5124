// Proxies by asset: what is still to be made, what is made and not yet in the Worker, and what became of it. The bytes lie in a
// folder of their own beside the catalog (proxySpool); their names say which asset and version they are of.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AssetFacts, AssetProblem } from '../../protocol/rows.ts';
import { PROXY_VERSION } from '../../protocol/versions.ts';
import { addProblem } from './assets.ts';
import type { Catalog } from './catalog.ts';

/** Where made proxies wait for the Worker: data that can be made again, and too large for the catalog. */
export function proxySpool(dataDir: string): string { return join(dataDir, 'proxies-spool'); }

export function spoolName(sha256: string, version: number): string { return `${sha256}.${version}.mp4`; }

/** As the partial index has it: videos, and stills with a video inside. */
const TO_MAKE = "proxy_version = 0 AND (kind = 'video' OR json_extract(facts, '$.motion') IS NOT NULL)";
const TO_PUSH = 'proxy_version > proxy_pushed';

/** Where a list of what is to be made goes on: after this one. */
export interface ProxyCursor { newestMs: number; sha256: string }
export interface ProxyTask extends ProxyCursor { facts: AssetFacts }

/**
 * The next assets without a proxy, newest file first: mtime is what the catalog can sort by without reading every claim, and
 * for what comes from a camera it is the capture.
 */
export function listProxiesToMake(catalog: Catalog, after: ProxyCursor, limit: number): ProxyTask[] {
  return catalog.prepare(`SELECT a.sha256, a.facts, max(f.mtime_ms) AS newest_ms FROM assets a INDEXED BY assets_to_proxy JOIN files f INDEXED BY files_by_sha256 ON f.sha256 = a.sha256 AND f.seen_as = 'asset' AND f.missing_since_ms IS NULL
    WHERE ${TO_MAKE.replaceAll('facts', 'a.facts').replaceAll('kind', 'a.kind')} GROUP BY a.sha256 HAVING newest_ms < ?1 OR (newest_ms = ?1 AND a.sha256 > ?2) ORDER BY newest_ms DESC, a.sha256 LIMIT ?3`)
    .all(after.newestMs, after.sha256, limit).map((r) => ({ sha256: String(r['sha256']), newestMs: Number(r['newest_ms']), facts: JSON.parse(String(r['facts'])) as AssetFacts }));
}

export function countProxiesToMake(catalog: Catalog): number {
  return Number(catalog.prepare(`SELECT count(*) AS n FROM assets INDEXED BY assets_to_proxy WHERE ${TO_MAKE}`).get()?.['n'] ?? 0);
}

export function countProxiesToPush(catalog: Catalog): number {
  return Number(catalog.prepare(`SELECT count(*) AS n FROM assets INDEXED BY assets_with_proxy_to_push WHERE ${TO_PUSH}`).get()?.['n'] ?? 0);
}

/** The MP4 lies in the spool: it may be pushed. In one transaction, with what is to be said of it. */
export function putProxy(catalog: Catalog, sha256: string, problem: AssetProblem | null): void {
  setProxy(catalog, sha256, PROXY_VERSION, problem);
}

/** None can be made of it; the problem says why. */
export function putNoProxy(catalog: Catalog, sha256: string, problem: AssetProblem): void {
  setProxy(catalog, sha256, -1, problem);
}

function setProxy(catalog: Catalog, sha256: string, version: number, problem: AssetProblem | null): void {
  catalog.transact(() => {
    catalog.prepare('UPDATE assets SET proxy_version = ? WHERE sha256 = ?').run(version, sha256);
    // Parts of what lay there before must not be joined with parts of this.
    if (readUpload(catalog)?.sha256 === sha256) writeUpload(catalog, null);
    const row = problem ? catalog.prepare('SELECT facts FROM assets WHERE sha256 = ?').get(sha256) : undefined;
    if (!problem || !row) return;
    const facts = JSON.parse(String(row['facts'])) as AssetFacts;
    if (addProblem(facts, problem)) catalog.prepare('UPDATE assets SET facts = ?, revision = ? WHERE sha256 = ?').run(JSON.stringify(facts), catalog.nextRevision(), sha256);
  });
}

export interface SpooledProxy { sha256: string; version: number }

/** The next one that the Worker has not got. */
export function nextProxyToPush(catalog: Catalog): SpooledProxy | undefined {
  const row = catalog.prepare(`SELECT sha256, proxy_version FROM assets INDEXED BY assets_with_proxy_to_push WHERE ${TO_PUSH} LIMIT 1`).get();
  return row ? { sha256: String(row['sha256']), version: Number(row['proxy_version']) } : undefined;
}

/** The Worker has it: the asset may now mention it (promise 5). */
export function acknowledgeProxy(catalog: Catalog, proxy: SpooledProxy, sizeBytes: number): void {
  catalog.transact(() => {
    catalog.prepare('UPDATE assets SET proxy_pushed = ?2, proxy_bytes = ?3, revision = ?4 WHERE sha256 = ?1 AND proxy_pushed < ?2').run(proxy.sha256, proxy.version, sizeBytes, catalog.nextRevision());
  });
}

/** Its MP4 is not where it should be, or is not what it should be: it is made again. */
export function remakeProxy(catalog: Catalog, sha256: string): void {
  catalog.prepare('UPDATE assets SET proxy_version = 0 WHERE sha256 = ? AND proxy_version > 0').run(sha256);
}

/** An upload in parts that is under way, kept so that it goes on after a crash. One at a time. */
export interface ProxyUpload { sha256: string; version: number; file_sha256: string; upload_id: string; etags: string[] }
const UPLOAD = 'proxy_upload';

export function readUpload(catalog: Catalog): ProxyUpload | undefined {
  const text = catalog.getMeta(UPLOAD);
  return text ? JSON.parse(text) as ProxyUpload : undefined;
}

export function writeUpload(catalog: Catalog, upload: ProxyUpload | null): void { catalog.setMeta(UPLOAD, upload ? JSON.stringify(upload) : ''); }

/** Bytes that wait in the spool. */
export function spooledBytes(folder: string): number {
  let sum = 0;
  for (const name of listSpool(folder)) sum += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  return sum;
}

/**
 * Brings spool and catalog together at the start: files that no asset waits for (left by a crash, or pushed) go, and an asset
 * whose file is gone is made again. Returns how many files went.
 */
export function sweepProxies(catalog: Catalog, folder: string): number {
  const waiting = new Map(catalog.prepare(`SELECT sha256, proxy_version FROM assets INDEXED BY assets_with_proxy_to_push WHERE ${TO_PUSH}`).all().map((r) => [spoolName(String(r['sha256']), Number(r['proxy_version'])), String(r['sha256'])]));
  let swept = 0;
  for (const name of listSpool(folder)) {
    if (waiting.delete(name)) continue;
    rmSync(join(folder, name), { force: true });
    swept += 1;
  }
  for (const sha256 of waiting.values()) remakeProxy(catalog, sha256);
  return swept;
}

function listSpool(folder: string): string[] {
  try { return readdirSync(folder); } catch { return []; }
}
