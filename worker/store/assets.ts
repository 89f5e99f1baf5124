// Assets as ingest writes them: guarded by revision, facets only ever rising. What pages show is timeline-items.ts's.
import type { AssetProblem, AssetRow } from '../../protocol/rows.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';

const UPSERT = bulkUpsertSql({
  table: 'assets',
  columns: [
    'sha256', 'revision', 'kind', 'mime', 'size_bytes', 'width', 'height', 'duration_ms', 'color', 'camera', 'lens', 'exposure', 'latitude', 'longitude',
    'gps_zone', 'content_identifier', 'time_claims', 'problems', 'motion', 'description', 'rating', 'tags',
    'facts_version', 'grid_version', 'preview_version', 'proxy_version', 'proxy_bytes', 'codec', 'added_at_ms',
  ],
  key: ['sha256'], keep: ['added_at_ms'],
  // Renditions are immutable and mentioned after they are in R2: what was mentioned once is there, so a catalog made
  // anew, which starts again at 0, takes no picture from a page.
  assign: {
    grid_version: 'max(assets.grid_version, excluded.grid_version)', preview_version: 'max(assets.preview_version, excluded.preview_version)',
    proxy_version: 'max(assets.proxy_version, excluded.proxy_version)', proxy_bytes: 'coalesce(excluded.proxy_bytes, assets.proxy_bytes)',
  },
  when: 'excluded.revision > assets.revision',
});

export const CHANGED_ASSETS_SQL = `SELECT j.key AS i FROM json_each(?1) j LEFT JOIN assets a ON a.sha256 = j.value->>0
WHERE a.revision IS NULL OR a.revision < j.value->>1`;

/** Rows (`i`, the index) that are new or newer than what is stored. */
export function selectChangedAssets(db: D1Database, rows: readonly AssetRow[]): D1PreparedStatement {
  return db.prepare(CHANGED_ASSETS_SQL).bind(JSON.stringify(rows.map((r) => [r.sha256, r.revision])));
}

export function upsertAssets(db: D1Database, rows: readonly AssetRow[], nowMs: number): D1PreparedStatement {
  return db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [
    r.sha256, r.revision, r.kind, cleanText(r.mime), r.size_bytes, r.width, r.height, r.duration_ms, r.color, cleanText(r.camera), cleanText(r.lens), r.exposure,
    r.latitude, r.longitude, cleanText(r.gps_zone), cleanText(r.content_identifier), r.time_claims, cleanProblems(r.problems),
    r.motion, cleanText(r.description), r.rating, r.tags.map(cleanText), r.facets.facts, r.facets.grid, r.facets.preview, r.facets.proxy, r.proxy_bytes, cleanText(r.codec ?? null), nowMs,
  ])));
}

function cleanProblems(problems: readonly AssetProblem[]): AssetProblem[] {
  return problems.map((p) => ({ code: p.code, reason: cleanText(p.reason) }));
}
