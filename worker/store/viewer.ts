// Everything the viewer says of one asset: its facts, its copies, its problems. Reads only.
import * as z from 'zod';
import { AssetProblem, Exposure } from '../../protocol/rows.ts';
import { AssetKind, OffsetSource, ProblemCode, TakenAtSource, type Sha256 } from '../../protocol/words.ts';

/** JSON text in a column; what does not fit its schema reads as the fallback, for old rows must not break a page. */
function jsonOr<T>(schema: z.ZodType<T>, fallback: T): z.ZodType<T, string | null> {
  return z.string().nullable().transform((text): T => {
    try { return schema.parse(JSON.parse(text ?? 'null')); } catch { return fallback; }
  });
}

const AssetDetail = z.object({
  asset_id: z.int(), sha256: z.string(), kind: AssetKind, mime: z.string(), size_bytes: z.number(), width: z.int().nullable(), height: z.int().nullable(), duration_ms: z.int().nullable(),
  color: z.string().nullable(), camera: z.string().nullable(), lens: z.string().nullable(), exposure: jsonOr(Exposure.nullable(), null),
  latitude: z.number().nullable(), longitude: z.number().nullable(), gps_zone: z.string().nullable(), problems: jsonOr(z.array(AssetProblem), []),
  grid_version: z.int(), preview_version: z.int(),
  taken_at: z.string().nullable(), taken_at_source: TakenAtSource.nullable(), doubtful: z.int(), utc_offset_minutes: z.int().nullable(), utc_offset_source: OffsetSource.nullable(),
  sort_ms: z.number(), month: z.int(), day: z.int(), shown: z.int(),
});
export type AssetDetail = z.infer<typeof AssetDetail>;

const Copy = z.object({
  volume_id: z.string(), path: z.string(), fs_id: z.string().nullable(), inode: z.string().nullable(), missing_since_ms: z.number().nullable(),
  label: z.string().nullable(), problem_code: ProblemCode.nullable(), problem_reason: z.string().nullable(),
});
export type Copy = z.infer<typeof Copy>;

export const DETAIL_SQL = `SELECT a.asset_id, a.sha256, a.kind, a.mime, a.size_bytes, a.width, a.height, a.duration_ms, a.color, a.camera, a.lens, a.exposure,
  a.latitude, a.longitude, a.gps_zone, a.problems, t.grid_version, t.preview_version, t.taken_at, t.taken_at_source, t.doubtful, t.utc_offset_minutes, t.utc_offset_source,
  t.sort_ms, t.month, t.day, t.shown
  FROM assets a JOIN timeline_items t ON t.asset_id = a.asset_id WHERE a.sha256 = ?1`;
export const COPIES_SQL = `SELECT l.volume_id, l.path, l.fs_id, l.inode, l.missing_since_ms, coalesce(v.owner_label, v.label) AS label, p.code AS problem_code, p.reason AS problem_reason
  FROM locations l LEFT JOIN volumes v ON v.volume_id = l.volume_id LEFT JOIN problems p ON p.volume_id = l.volume_id AND p.path = l.path
  WHERE l.sha256 = ?1 ORDER BY l.volume_id, l.path LIMIT ?2`;
/** A hash may lie in thousands of places (an empty poster frame, say); the panel names this many and counts on. */
export const MAX_COPIES_SHOWN = 50;

export async function findAsset(db: D1Database, sha256: Sha256): Promise<AssetDetail | undefined> {
  const row = await db.prepare(DETAIL_SQL).bind(sha256).first();
  return row ? AssetDetail.parse(row) : undefined;
}

/** Copies in the order of drive and path, at most `MAX_COPIES_SHOWN + 1`. */
export async function listCopies(db: D1Database, sha256: Sha256): Promise<Copy[]> {
  return z.array(Copy).parse((await db.prepare(COPIES_SQL).bind(sha256, MAX_COPIES_SHOWN + 1).all()).results);
}
