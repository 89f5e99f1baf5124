// Where hashes were last seen, and what each file there says (evidence). Only completeScan (scans.ts) makes one missing.
import type { EvidenceRow, ImportFacts, KnownLocations, LocationRow } from '../../protocol/rows.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';

const UPSERT_LOCATIONS = bulkUpsertSql({
  table: 'locations',
  columns: ['volume_id', 'path', 'revision', 'sha256', 'size_bytes', 'mtime_ms', 'fs_id', 'inode', 'in_package'],
  key: ['volume_id', 'path'],
  // A newer sighting is what ends being missing. What was verified were the bytes of that hash, not of another.
  assign: { missing_since_ms: 'NULL', ...Object.fromEntries(['verified_at_ms', 'damaged_at_ms'].map((c) => [c, `CASE WHEN locations.sha256 = excluded.sha256 THEN locations.${c} END`])) },
  when: 'excluded.revision > locations.revision',
});
const UPSERT_EVIDENCE = bulkUpsertSql({
  table: 'evidence', columns: ['volume_id', 'path', 'revision', 'time_claims', 'imports', 'albums'], key: ['volume_id', 'path'], when: 'excluded.revision > evidence.revision',
});
export const CHANGED_LOCATIONS_SQL = `SELECT j.key AS i, l.sha256 AS old FROM json_each(?1) j
LEFT JOIN locations l ON l.volume_id = j.value->>0 AND l.path = j.value->>1
WHERE l.revision IS NULL OR l.revision < j.value->>2`;
export const CHANGED_EVIDENCE_SQL = `SELECT j.key AS i, l.sha256 AS sha256 FROM json_each(?1) j
LEFT JOIN evidence e ON e.volume_id = j.value->>0 AND e.path = j.value->>1
LEFT JOIN locations l ON l.volume_id = j.value->>0 AND l.path = j.value->>1
WHERE e.revision IS NULL OR e.revision < j.value->>2`;
export const KNOWN_LOCATIONS_SQL = 'SELECT path FROM locations WHERE volume_id = ?1 AND path > ?2 AND missing_since_ms IS NULL ORDER BY path LIMIT ?3';

/** Paths in one answer to `GET /sync/locations`: some 0.5 MB of JSON. */
export const KNOWN_LOCATIONS_ROWS = 5_000;

const keys = (rows: readonly (LocationRow | EvidenceRow)[]) => JSON.stringify(rows.map((r) => [r.volume_id, r.path, r.revision]));

/** Rows (`i`) that are new or newer, each with the hash that was there (`old`, null where none). */
export function selectChangedLocations(db: D1Database, rows: readonly LocationRow[]): D1PreparedStatement {
  return db.prepare(CHANGED_LOCATIONS_SQL).bind(keys(rows));
}

export function upsertLocations(db: D1Database, rows: readonly LocationRow[]): D1PreparedStatement {
  return db.prepare(UPSERT_LOCATIONS).bind(JSON.stringify(rows.map((r) => [r.volume_id, r.path, r.revision, r.sha256, r.size_bytes, r.mtime_ms, r.fs_id, r.inode, r.in_package])));
}

/** Rows (`i`) that are new or newer, each with the hash of the stored location (null where none). */
export function selectChangedEvidence(db: D1Database, rows: readonly EvidenceRow[]): D1PreparedStatement {
  return db.prepare(CHANGED_EVIDENCE_SQL).bind(keys(rows));
}

export function upsertEvidence(db: D1Database, rows: readonly EvidenceRow[]): D1PreparedStatement {
  return db.prepare(UPSERT_EVIDENCE).bind(JSON.stringify(rows.map((r) => [r.volume_id, r.path, r.revision, r.time_claims, cleanImports(r.imports), r.albums.map((a) => ({ key: cleanText(a.key), title: cleanText(a.title) }))])));
}

/** Half characters and NULs in what a sidecar says would not survive the way to SQLite and back. */
function cleanImports(imports: readonly ImportFacts[]): ImportFacts[] {
  return imports.map((i) => ({ ...i, name: cleanText(i.name), description: cleanText(i.description), people: i.people.map(cleanText), tags: i.tags.map(cleanText) }));
}

/** Known paths of a volume after `after`, in byte order, those already missing left out; `next` is null at the end. */
export async function listKnownLocations(db: D1Database, volumeId: string, after: string): Promise<KnownLocations> {
  const { results } = await db.prepare(KNOWN_LOCATIONS_SQL).bind(volumeId, after, KNOWN_LOCATIONS_ROWS).all<{ path: string }>();
  const paths = results.map((r) => r.path);
  return { paths, next: paths.length === KNOWN_LOCATIONS_ROWS ? paths.at(-1) ?? null : null };
}
