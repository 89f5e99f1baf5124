// Everything the viewer says of one asset: its facts, place, albums, what it is stacked with, its copies. Reads only.
import * as z from 'zod';
import { AssetProblem, Exposure } from '../../protocol/rows.ts';
import { AssetKind, OffsetSource, PlaceSource, ProblemCode, StackType, TakenAtSource, ValueSource, type Sha256 } from '../../protocol/words.ts';
import { isMember, isShown, titleOf } from './album-members.ts';

/** JSON text in a column; what does not fit its schema reads as the fallback, for old rows must not break a page. */
function jsonOr<T>(schema: z.ZodType<T>, fallback: T): z.ZodType<T, string | null> {
  return z.string().nullable().transform((text): T => {
    try { return schema.parse(JSON.parse(text ?? 'null')); } catch { return fallback; }
  });
}

const AssetDetail = z.object({
  asset_id: z.int(), sha256: z.string(), kind: AssetKind, mime: z.string(), size_bytes: z.number(), width: z.int().nullable(), height: z.int().nullable(), duration_ms: z.int().nullable(),
  codec: z.string().nullable(), color: z.string().nullable(), camera: z.string().nullable(), lens: z.string().nullable(), exposure: jsonOr(Exposure.nullable(), null),
  latitude: z.number().nullable(), longitude: z.number().nullable(), position_source: ValueSource.nullable(), zone: z.string().nullable(), problems: jsonOr(z.array(AssetProblem), []),
  grid_version: z.int(), preview_version: z.int(), proxy_version: z.int(), proxy_bytes: z.number().nullable(), motion: z.int(),
  taken_at: z.string().nullable(), taken_at_source: TakenAtSource.nullable(), doubtful: z.int(), utc_offset_minutes: z.int().nullable(), utc_offset_source: OffsetSource.nullable(),
  time_basis: z.string().nullable(), sort_ms: z.number(), month: z.int(), day: z.int(), shown: z.int(),
  description: z.string().nullable(), description_source: ValueSource.nullable(), favourite: z.int(), archived: z.int(), rating: z.int().nullable(),
  people: jsonOr(z.array(z.string()), []), tags: jsonOr(z.array(z.string()), []),
  stack_type: StackType.nullable(), primary_sha256: z.string().nullable(), members: z.int(), live_sha256: z.string().nullable(), live_proxy_version: z.int(),
  /** Names of the place; rank 0 where they are still to come, null where there is no position. */
  place_rank: z.int().nullable(), place_source: PlaceSource.nullable(), street: z.string().nullable(), neighbourhood: z.string().nullable(),
  city: z.string().nullable(), region: z.string().nullable(), country: z.string().nullable(), country_code: z.string().nullable(), distance_m: z.number().nullable(),
  /** Whether the owner has said something of it. */
  own_time: z.int(), owner_time: z.int(), own_position: z.int(), own_description: z.int(),
});
export type AssetDetail = z.infer<typeof AssetDetail>;

const Copy = z.object({
  volume_id: z.string(), path: z.string(), fs_id: z.string().nullable(), inode: z.string().nullable(), missing_since_ms: z.number().nullable(), damaged_at_ms: z.number().nullable(),
  label: z.string().nullable(), problem_code: ProblemCode.nullable(), problem_reason: z.string().nullable(),
});
export type Copy = z.infer<typeof Copy>;

export const DETAIL_SQL = `SELECT a.asset_id, a.sha256, a.kind, a.mime, a.size_bytes, a.width, a.height, a.duration_ms, a.codec, a.color, a.camera, a.lens, a.exposure, a.problems,
  a.proxy_bytes, a.motion IS NOT NULL AS motion, t.grid_version, t.preview_version, t.proxy_version, t.taken_at, t.taken_at_source, t.doubtful, t.utc_offset_minutes, t.utc_offset_source, t.time_basis,
  t.sort_ms, t.month, t.day, t.shown, t.latitude, t.longitude, t.position_source, CASE WHEN t.position_source = 'file' THEN a.gps_zone ELSE p.zone END AS zone,
  t.description, t.description_source, t.favourite, t.archived, t.rating, t.people, t.tags, t.stack_type, t.primary_sha256, t.members, t.live_sha256, t.live_proxy_version,
  p.rank AS place_rank, p.source AS place_source, p.street, p.neighbourhood, p.city, p.region, p.country, p.country_code, p.distance_m,
  (c.taken_at IS NOT NULL OR c.utc_offset_minutes IS NOT NULL OR c.time_shift_s IS NOT NULL) AS own_time, c.taken_at IS NOT NULL AS owner_time,
  (c.latitude IS NOT NULL OR c.no_position IS NOT NULL) AS own_position, c.description IS NOT NULL AS own_description
  FROM assets a JOIN timeline_items t ON t.asset_id = a.asset_id LEFT JOIN places p ON p.cell = t.cell LEFT JOIN curation c ON c.sha256 = a.sha256 WHERE a.sha256 = ?1`;
export const STACK_SQL = `SELECT t.sha256, t.kind, t.stack_type, t.duration_ms, t.width, t.height, t.color, t.grid_version, a.mime, a.size_bytes FROM stacks s CROSS JOIN assets a ON a.sha256 = s.member_sha256 CROSS JOIN timeline_items t ON t.asset_id = a.asset_id
  WHERE s.primary_sha256 = ?1 AND s.removed = 0 AND t.primary_sha256 = ?1 ORDER BY t.asset_id LIMIT ?2`;
export const ASSET_ALBUMS_SQL = `SELECT DISTINCT b.album_id, ${titleOf('b')} AS title FROM album_assets m CROSS JOIN albums b ON b.album_id = m.album_id WHERE m.sha256 = ?1 AND ${isMember('m')} AND ${isShown('b')} ORDER BY title, b.album_id`;
export const COPIES_SQL = `SELECT l.volume_id, l.path, l.fs_id, l.inode, l.missing_since_ms, l.damaged_at_ms, coalesce(v.owner_label, v.label) AS label, p.code AS problem_code, p.reason AS problem_reason
  FROM locations l LEFT JOIN volumes v ON v.volume_id = l.volume_id LEFT JOIN problems p ON p.volume_id = l.volume_id AND p.path = l.path
  WHERE l.sha256 = ?1 ORDER BY l.volume_id, l.path LIMIT ?2`;
/** A hash may lie in thousands of places (an empty poster frame, say); the panel names this many and counts on. */
export const MAX_COPIES_SHOWN = 50;

/** More are never shown as one but by an export gone wrong. */
export const MAX_MEMBERS_SHOWN = 30;

const Member = z.object({
  sha256: z.string(), kind: AssetKind, stack_type: StackType, duration_ms: z.int().nullable(), width: z.int().nullable(), height: z.int().nullable(), color: z.string().nullable(), grid_version: z.int(),
  mime: z.string(), size_bytes: z.number(),
});
export type Member = z.infer<typeof Member>;

/** What stands under it, at most `MAX_MEMBERS_SHOWN`. */
export async function listMembers(db: D1Database, sha256: Sha256): Promise<Member[]> {
  return z.array(Member).parse((await db.prepare(STACK_SQL).bind(sha256, MAX_MEMBERS_SHOWN).all()).results);
}

/** Albums that hold it, by title. */
export async function listAlbumsOf(db: D1Database, sha256: Sha256): Promise<{ album_id: number; title: string }[]> {
  return (await db.prepare(ASSET_ALBUMS_SQL).bind(sha256).all<{ album_id: number; title: string }>()).results;
}

export async function findAsset(db: D1Database, sha256: Sha256): Promise<AssetDetail | undefined> {
  const row = await db.prepare(DETAIL_SQL).bind(sha256).first();
  return row ? AssetDetail.parse(row) : undefined;
}

/** Copies in the order of drive and path, at most `MAX_COPIES_SHOWN + 1`. */
export async function listCopies(db: D1Database, sha256: Sha256): Promise<Copy[]> {
  return z.array(Copy).parse((await db.prepare(COPIES_SQL).bind(sha256, MAX_COPIES_SHOWN + 1).all()).results);
}
