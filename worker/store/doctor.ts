// What `doctor` looks for between R2 and D1: renditions and proxies that nothing mentions (orphans of a crash or of an older
// version), and mentions of what is not there. Never touches an original; all of it can always be made again.
import { parseProxyKey, parseRenditionKey, proxyKey, renditionKey } from '../../protocol/rendition.ts';
import type { RenditionName } from '../../protocol/words.ts';
import { endUpload, parseUploadMark } from './proxies.ts';

/** A pack may be in R2 and its batch still on the way: younger objects are left alone. */
const ORPHAN_AGE_MS = 24 * 3_600_000;
/** Assets looked at in one call: three heads each at most, within the 1,000 subrequests of a paid plan. */
const CHECK_ASSETS = 200;
/** Left uploads ended in one call, three subrequests each; there are hardly ever any. */
const MARKS_AT_ONCE = 100;

export interface SweepResult { checked: number; swept: number; cursor: string | null }

type StoredName = RenditionName | 'proxy';

function parseStored(key: string): { sha256: string; name: StoredName; version: number } | undefined {
  const proxy = parseProxyKey(key);
  return proxy ? { ...proxy, name: 'proxy' } : parseRenditionKey(key);
}

/** Looks at one page of R2 and deletes what nothing mentions. */
export async function sweepRenditions(db: D1Database, bucket: R2Bucket, cursor: string | undefined, nowMs: number): Promise<SweepResult> {
  const page = await bucket.list({ limit: 1_000, ...(cursor ? { cursor } : {}) });
  const old = page.objects.filter((o) => nowMs - o.uploaded.getTime() > ORPHAN_AGE_MS);
  const marks = old.filter((o) => parseUploadMark(o.key)).slice(0, MARKS_AT_ONCE).map((o) => o.key);
  const ids = old.map((o) => ({ key: o.key, id: parseStored(o.key) })).filter((o) => !parseUploadMark(o.key));
  const hashes = [...new Set(ids.flatMap(({ id }) => (id ? [id.sha256] : [])))];
  const { results } = await db.prepare('SELECT a.sha256, a.grid_version AS grid, a.preview_version AS preview, a.proxy_version AS proxy FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value')
    .bind(JSON.stringify(hashes)).all<{ sha256: string } & Record<StoredName, number>>();
  const known = new Map(results.map((r) => [r.sha256, r]));
  const orphans = ids.filter(({ id }) => {
    const asset = id ? known.get(id.sha256) : undefined;
    return !id || !asset || asset[id.name] > id.version;
  }).map((o) => o.key);
  // An upload this old was left by its agent; its parts are in no list, and would stay.
  for (const mark of marks) await endUpload(bucket, mark);
  if (orphans.length > 0) await bucket.delete(orphans);
  return { checked: page.objects.length, swept: orphans.length + marks.length, cursor: page.truncated ? page.cursor : null };
}

export interface CheckResult { checked: number; missing: { sha256: string; name: StoredName }[]; next: number | null }

/** Looks whether the renditions and proxies that assets mention are there; `after` is an asset's key. */
export async function checkRenditions(db: D1Database, bucket: R2Bucket, after: number): Promise<CheckResult> {
  const { results } = await db.prepare(`SELECT asset_id, sha256, grid_version, preview_version, proxy_version FROM assets WHERE asset_id > ?1 ORDER BY asset_id LIMIT ${CHECK_ASSETS}`)
    .bind(after).all<{ asset_id: number; sha256: string; grid_version: number; preview_version: number; proxy_version: number }>();
  const missing: CheckResult['missing'] = [];
  for (const asset of results) {
    for (const [name, version] of [['grid', asset.grid_version], ['preview', asset.preview_version]] as const) {
      if (version > 0 && !(await bucket.head(renditionKey({ sha256: asset.sha256, name, version })))) missing.push({ sha256: asset.sha256, name });
    }
    if (asset.proxy_version > 0 && !(await bucket.head(proxyKey({ sha256: asset.sha256, version: asset.proxy_version })))) missing.push({ sha256: asset.sha256, name: 'proxy' });
  }
  return { checked: results.length, missing, next: results.length === CHECK_ASSETS ? results.at(-1)?.asset_id ?? null : null };
}
