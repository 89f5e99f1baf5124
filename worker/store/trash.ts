// The trash: what lies in it on which drive, which assets the owner trashed, and what a receipt changes of both. While an asset
// stands in `trashed`, no location brings it back.
import * as z from 'zod';
import type { OrderBody, Receipt } from '../../protocol/orders.ts';
import { AssetKind } from '../../protocol/words.ts';
import { ITEM_COLUMNS } from './item-columns.ts';
import { markUnresolved, resolveMarked } from './timeline-items.ts';

const ITEM = `json_object(${ITEM_COLUMNS.map((c) => `'${c}', t.${c}`).join(', ')})`;
// `?1`: receipts as below.
const KEEP_FILES = `INSERT INTO trash_files (order_id, n, role, volume_id, path, sha256, size_bytes, at_ms)
SELECT ?2, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`;
export const DROP_LOCATIONS_SQL = `DELETE FROM locations WHERE (volume_id, path, sha256) IN (SELECT value->>2, value->>3, value->>4 FROM json_each(?1) WHERE value->>1 = 'asset')`;
export const DROP_EVIDENCE_SQL = `DELETE FROM evidence WHERE (volume_id, path) IN (SELECT value->>2, value->>3 FROM json_each(?1) WHERE value->>1 = 'asset')
AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.volume_id = evidence.volume_id AND l.path = evidence.path)`;
// An asset is trashed once its copies on the drives that the order may touch are; `?3`: those drives, `?4`: the moment.
export const MARK_TRASHED_SQL = `INSERT INTO trashed (sha256, order_id, at_ms, sort_ms, item)
SELECT h.sha256, ?2, ?4, coalesce(t.sort_ms, 0), CASE WHEN t.asset_id IS NULL THEN '{}' ELSE ${ITEM} END
FROM (SELECT DISTINCT value->>4 AS sha256 FROM json_each(?1) WHERE value->>1 = 'asset') h CROSS JOIN assets a ON a.sha256 = h.sha256 LEFT JOIN timeline_items t ON t.asset_id = a.asset_id
WHERE NOT EXISTS (SELECT 1 FROM locations l WHERE l.sha256 = h.sha256 AND l.missing_since_ms IS NULL AND l.volume_id IN (SELECT value FROM json_each(?3))) ON CONFLICT (sha256) DO NOTHING`;
const DROP_FILES = 'DELETE FROM trash_files WHERE (order_id, n) IN (SELECT value->>0, value->>1 FROM json_each(?1))';
const UNMARK = 'DELETE FROM trashed WHERE sha256 IN (SELECT value FROM json_each(?1))';

/** What receipts that were not known before change here, and the assets that must be resolved again. */
export function trashStatements(db: D1Database, orderId: string, body: OrderBody, receipts: readonly Receipt[]): { statements: D1PreparedStatement[]; touched: Set<string> } {
  const statements: D1PreparedStatement[] = [];
  const touched = new Set<string>();
  const assets = (list: readonly Receipt[]) => list.flatMap((r) => (r.role === 'asset' && r.sha256 !== null ? [r.sha256] : []));
  if (body.kind === 'trash' || body.kind === 'mend') {
    // Where it could not be put back it lies in the trash too.
    const row = (r: Receipt) => [r.n, r.role, r.volume_id, r.path, r.sha256, r.size_bytes, r.at_ms];
    const inTrash = receipts.filter((r) => r.to !== null && r.outcome !== 'copied');
    const gone = JSON.stringify(receipts.filter((r) => r.outcome === 'trashed').map(row));
    if (inTrash.length > 0) statements.push(db.prepare(KEEP_FILES).bind(JSON.stringify(inTrash.map(row)), orderId), db.prepare(DROP_LOCATIONS_SQL).bind(gone), db.prepare(DROP_EVIDENCE_SQL).bind(gone));
    const trashed = receipts.filter((r) => r.outcome === 'trashed' || r.outcome === 'same_file');
    for (const sha256 of assets(trashed)) touched.add(sha256);
    // Of a mended file only its damaged bytes lie there.
    if (body.kind === 'trash' && body.copies === null && trashed.length > 0) statements.push(db.prepare(MARK_TRASHED_SQL).bind(JSON.stringify(trashed.map(row)), orderId, JSON.stringify(body.volumes), trashed.at(-1)?.at_ms ?? 0));
  } else if (body.kind === 'restore' || body.kind === 'empty') {
    const out = receipts.filter((r) => r.from !== null && (r.outcome === 'restored' || r.outcome === 'emptied' || r.outcome === 'gone'));
    if (out.length > 0) statements.push(db.prepare(DROP_FILES).bind(JSON.stringify(out.map((r) => [r.from?.order_id, r.from?.n]))));
    const back = assets(receipts.filter((r) => r.outcome === 'restored'));
    if (back.length > 0) statements.push(db.prepare(UNMARK).bind(JSON.stringify(back)));
    for (const sha256 of back) touched.add(sha256);
  }
  return { statements, touched };
}

const Tile = z.object({
  sha256: z.string(), at_ms: z.number(), kind: AssetKind, width: z.int().nullable(), height: z.int().nullable(), color: z.string().nullable(), grid_version: z.int(), taken_at: z.string().nullable(),
  duration_ms: z.int().nullable(), files: z.int(), bytes: z.number(), copies: z.int(),
});
export type TrashTile = z.infer<typeof Tile>;

// Those of which something lies in a trash, or a copy on some drive; and of what is shown as one, what it is shown as.
const IN_TRASH = `(EXISTS (SELECT 1 FROM trash_files tf WHERE tf.sha256 = tr.sha256) OR EXISTS (SELECT 1 FROM locations l WHERE l.sha256 = tr.sha256))
  AND NOT EXISTS (SELECT 1 FROM trashed p WHERE p.sha256 = tr.item->>'$.primary_sha256')`;
export const TRASH_SQL = `SELECT tr.sha256, tr.at_ms, a.kind, a.width, a.height, a.color, a.grid_version, tr.item->>'$.taken_at' AS taken_at, a.duration_ms,
  (SELECT count(*) FROM trash_files tf WHERE tf.sha256 = tr.sha256) AS files, (SELECT coalesce(sum(tf.size_bytes), 0) FROM trash_files tf WHERE tf.sha256 = tr.sha256) AS bytes,
  (SELECT count(*) FROM locations l WHERE l.sha256 = tr.sha256 AND l.missing_since_ms IS NULL) AS copies
  FROM trashed tr INDEXED BY trashed_by_time CROSS JOIN assets a ON a.sha256 = tr.sha256 WHERE (tr.at_ms, tr.sha256) < (?1, ?2) AND ${IN_TRASH} ORDER BY tr.at_ms DESC, tr.sha256 DESC LIMIT ?3`;
export const TRASH_DRIVES_SQL = 'SELECT tf.volume_id, count(*) AS files, sum(tf.size_bytes) AS bytes FROM trash_files tf INDEXED BY trash_files_by_volume GROUP BY tf.volume_id';

/** Trashed assets before a moment, the latest first. */
export async function listTrash(db: D1Database, before: { atMs: number; sha256: string }, limit: number): Promise<TrashTile[]> {
  return z.array(Tile).parse((await db.prepare(TRASH_SQL).bind(before.atMs, before.sha256, limit).all()).results);
}

/** What lies in the trash of each drive. */
export async function listTrashDrives(db: D1Database): Promise<{ volume_id: string; files: number; bytes: number }[]> {
  return (await db.prepare(TRASH_DRIVES_SQL).all<{ volume_id: string; files: number; bytes: number }>()).results;
}

/** Files in a trash whose photo stays: duplicates, and damaged ones that were mended. */
export async function countSpareTrash(db: D1Database): Promise<number> {
  return (await db.prepare("SELECT count(*) AS n FROM trash_files tf WHERE tf.role = 'asset' AND NOT EXISTS (SELECT 1 FROM trashed tr WHERE tr.sha256 = tf.sha256)").first<{ n: number }>())?.n ?? 0;
}

/** Whether the owner has trashed it, and whether anything of it lies in a trash. */
export async function findTrashed(db: D1Database, sha256: string): Promise<{ at_ms: number; files: number } | undefined> {
  const row = await db.prepare('SELECT tr.at_ms, (SELECT count(*) FROM trash_files tf WHERE tf.sha256 = tr.sha256) AS files FROM trashed tr WHERE tr.sha256 = ?1').bind(sha256).first<{ at_ms: number; files: number }>();
  return row ?? undefined;
}

/** Those of these assets (all: null) of which nothing lies in a trash: their copies are on drives, and come back by a word alone. */
export async function untrash(db: D1Database, sha256s: readonly string[] | null, nowMs: number): Promise<string[]> {
  const { results } = await db.prepare(`SELECT tr.sha256 FROM trashed tr WHERE NOT EXISTS (SELECT 1 FROM trash_files tf WHERE tf.sha256 = tr.sha256) AND EXISTS (SELECT 1 FROM locations l WHERE l.sha256 = tr.sha256)
    AND (?1 IS NULL OR tr.sha256 IN (SELECT value FROM json_each(?1)))`).bind(sha256s === null ? null : JSON.stringify(sha256s)).all<{ sha256: string }>();
  const hashes = results.map((r) => r.sha256);
  if (hashes.length === 0) return hashes;
  await db.batch([db.prepare(UNMARK).bind(JSON.stringify(hashes)), markUnresolved(db, hashes)]);
  await resolveMarked(db, nowMs);
  return hashes;
}

/** Of a tile all that is shown as one with it. */
export async function withMembers(db: D1Database, sha256s: readonly string[]): Promise<string[]> {
  const { results } = await db.prepare(`SELECT value AS sha256 FROM json_each(?1) UNION
    SELECT s.member_sha256 FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value CROSS JOIN timeline_items t ON t.asset_id = a.asset_id AND t.members > 0
      CROSS JOIN stacks s ON s.primary_sha256 = j.value AND s.removed = 0 CROSS JOIN assets ma ON ma.sha256 = s.member_sha256 CROSS JOIN timeline_items m ON m.asset_id = ma.asset_id AND m.primary_sha256 = j.value`)
    .bind(JSON.stringify(sha256s)).all<{ sha256: string }>();
  return results.map((r) => r.sha256);
}

/** Pictures of these assets, in their order; what stands under another is left out, for that one is shown. */
export async function listPlanTiles(db: D1Database, sha256s: readonly string[]): Promise<{ sha256: string; color: string | null; grid_version: number }[]> {
  return (await db.prepare(`SELECT a.sha256, a.color, a.grid_version FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value LEFT JOIN timeline_items t ON t.asset_id = a.asset_id
    WHERE t.primary_sha256 IS NULL OR t.primary_sha256 NOT IN (SELECT value FROM json_each(?1)) ORDER BY j.key`).bind(JSON.stringify(sha256s)).all<{ sha256: string; color: string | null; grid_version: number }>()).results;
}
