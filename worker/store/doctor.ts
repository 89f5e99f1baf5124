// What `doctor` looks for between R2 and D1: renditions that nothing mentions (orphans of a crash or of an older render
// version), and mentions whose rendition is not there. Never touches an original; a rendition can always be made again.
import { parseRenditionKey, renditionKey } from '../../protocol/rendition.ts';

/** A pack may be in R2 and its batch still on the way: younger objects are left alone. */
const ORPHAN_AGE_MS = 24 * 3_600_000;
/** Assets looked at in one call: two heads each, within the 1,000 subrequests of a paid plan. */
const CHECK_ASSETS = 200;

export interface SweepResult { checked: number; swept: number; cursor: string | null }

/** Looks at one page of R2 and deletes what nothing mentions. */
export async function sweepRenditions(db: D1Database, bucket: R2Bucket, cursor: string | undefined, nowMs: number): Promise<SweepResult> {
  const page = await bucket.list({ limit: 1_000, ...(cursor ? { cursor } : {}) });
  const old = page.objects.filter((o) => nowMs - o.uploaded.getTime() > ORPHAN_AGE_MS);
  const ids = old.map((o) => ({ key: o.key, id: parseRenditionKey(o.key) }));
  const hashes = [...new Set(ids.flatMap(({ id }) => (id ? [id.sha256] : [])))];
  const { results } = await db.prepare('SELECT a.sha256, a.grid_version, a.preview_version FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value')
    .bind(JSON.stringify(hashes)).all<{ sha256: string; grid_version: number; preview_version: number }>();
  const known = new Map(results.map((r) => [r.sha256, r]));
  const orphans = ids.filter(({ id }) => {
    const asset = id ? known.get(id.sha256) : undefined;
    return !id || !asset || (id.name === 'grid' ? asset.grid_version : asset.preview_version) > id.version;
  }).map((o) => o.key);
  if (orphans.length > 0) await bucket.delete(orphans);
  return { checked: page.objects.length, swept: orphans.length, cursor: page.truncated ? page.cursor : null };
}

export interface CheckResult { checked: number; missing: { sha256: string; name: 'grid' | 'preview' }[]; next: number | null }

/** Looks whether the renditions that assets mention are there; `after` is an asset's key. */
export async function checkRenditions(db: D1Database, bucket: R2Bucket, after: number): Promise<CheckResult> {
  const { results } = await db.prepare(`SELECT asset_id, sha256, grid_version, preview_version FROM assets WHERE asset_id > ?1 ORDER BY asset_id LIMIT ${CHECK_ASSETS}`)
    .bind(after).all<{ asset_id: number; sha256: string; grid_version: number; preview_version: number }>();
  const missing: CheckResult['missing'] = [];
  for (const asset of results) {
    for (const [name, version] of [['grid', asset.grid_version], ['preview', asset.preview_version]] as const) {
      if (version > 0 && !(await bucket.head(renditionKey({ sha256: asset.sha256, name, version })))) missing.push({ sha256: asset.sha256, name });
    }
  }
  return { checked: results.length, missing, next: results.length === CHECK_ASSETS ? results.at(-1)?.asset_id ?? null : null };
}
