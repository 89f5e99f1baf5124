// What a library says, without what may differ between two runs of the same work: keys given out, revisions, clocks.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Everything that must be equal, as sorted lines that a diff can name. Call with the instance stopped. */
export function snapshotLibrary(dataDir: string): string[] {
  const db = openD1(dataDir);
  const mentioned = (sql: string) => db.prepare(sql).all().map((row) => JSON.stringify(row));
  try {
    return [
      ...mentioned('SELECT \'asset\' AS t, sha256, kind, mime, size_bytes, width, height, duration_ms, color, camera, latitude, longitude, time_claims, problems, facts_version, grid_version, preview_version FROM assets'),
      ...mentioned('SELECT \'location\' AS t, volume_id, path, sha256, size_bytes, mtime_ms, in_package, missing_since_ms IS NOT NULL AS missing FROM locations'),
      ...mentioned('SELECT \'evidence\' AS t, volume_id, path, time_claims FROM evidence'),
      ...mentioned('SELECT \'item\' AS t, sha256, taken_at, taken_at_source, utc_offset_minutes, sort_ms, month, day, ratio, grid_version, preview_version, shown FROM timeline_items'),
      // Characters of one moment may stand in the order of keys, which depends on who came first: so they are sorted.
      ...db.prepare('SELECT month, count, days FROM timeline_buckets').all().map((row) => JSON.stringify({ t: 'bucket', month: row['month'], count: row['count'], days: (JSON.parse(String(row['days'])) as [number, number, string][]).map(([day, n, ratios]) => [day, n, [...ratios].sort().join('')]) })),
      ...mentioned('SELECT \'problem\' AS t, volume_id, path, code, reason, stage FROM problems'),
      ...mentioned('SELECT \'root\' AS t, volume_id, path, excludes, removed FROM roots'),
      ...mentioned('SELECT \'unresolved\' AS t, count(*) AS n FROM unresolved'),
    ].sort();
  } finally { db.close(); }
}

/** Lines that one snapshot has and the other has not, for people. */
export function differences(a: readonly string[], b: readonly string[]): string[] {
  const inA = new Set(a);
  const inB = new Set(b);
  return [...a.filter((line) => !inB.has(line)).map((line) => `- ${line}`), ...b.filter((line) => !inA.has(line)).map((line) => `+ ${line}`)];
}

/** Miniflare names a database's file by a hash; ours is the one with our tables. Read-only. */
export function openD1(dataDir: string): DatabaseSync {
  const folder = join(dataDir, 'worker/v3/d1/miniflare-D1DatabaseObject');
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.sqlite')) continue;
    const db = new DatabaseSync(join(folder, name), { readOnly: true });
    if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'timeline_items'").get()) return db;
    db.close();
  }
  throw new Error(`no library in ${folder}`);
}
