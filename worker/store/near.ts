// Look-alikes: groups as the agent found them, each with its members and what tells them apart, which is best kept, and the
// owner's word that a group is fine. What is done about them otherwise is an order's.
import * as z from 'zod';
import type { NearRow } from '../../protocol/rows.ts';
import { bulkUpsertSql } from '../db/bulk.ts';
import { isMember, isShown, titleOf } from './album-members.ts';
import { Tile, TILE_COLUMNS } from './timeline.ts';

const UPSERT = bulkUpsertSql({
  table: 'near', columns: ['member_sha256', 'group_sha256', 'spare_bytes', 'removed', 'revision', 'shown'], key: ['member_sha256'], select: { shown: '0' }, assign: { shown: 'near.shown' }, when: 'excluded.revision > near.revision',
});
// A group is fine where all that are in it now were said to be fine together.
const SHOWN = `near.removed = 0 AND (SELECT max(nk.kept IS NULL) OR count(DISTINCT nk.kept) > 1 FROM near o INDEXED BY near_by_group LEFT JOIN near_kept nk ON nk.sha256 = o.member_sha256
  WHERE o.group_sha256 = near.group_sha256 AND o.removed = 0)`;
/** `groups`: a query of leaders. */
export const refreshNearSql = (groups: string): string => `UPDATE near SET shown = (${SHOWN}) WHERE group_sha256 IN (${groups}) AND shown IS NOT (${SHOWN})`;
/** `?1`: JSON list of groups. */
export const REFRESH_NEAR_SQL = refreshNearSql('SELECT value FROM json_each(?1)');
const KEEP = "INSERT INTO near_kept (sha256, kept, at_ms) SELECT value, ?2, ?3 FROM json_each(?1) WHERE true ON CONFLICT (sha256) DO UPDATE SET kept = excluded.kept, at_ms = excluded.at_ms";
/** The same of all that are in their groups now, which are too many to be shown. */
export const KEEP_WHOLE_SQL = `INSERT INTO near_kept (sha256, kept, at_ms) SELECT DISTINCT o.member_sha256, ?2, ?3 FROM json_each(?1) j CROSS JOIN near n ON n.member_sha256 = j.value CROSS JOIN near o INDEXED BY near_by_group ON o.group_sha256 = n.group_sha256
  WHERE n.removed = 0 AND o.removed = 0 ON CONFLICT (sha256) DO UPDATE SET kept = excluded.kept, at_ms = excluded.at_ms`;
const UNKEEP = `DELETE FROM near_kept WHERE kept = (SELECT kept FROM near_kept WHERE sha256 = ?1) AND sha256 IN (SELECT o.member_sha256 FROM near n CROSS JOIN near o ON o.group_sha256 = n.group_sha256 WHERE n.member_sha256 = ?1)`;
/** `?1`: JSON list of members, whose groups are looked at again. */
export const REFRESH_NEAR_OF_SQL = refreshNearSql('SELECT n.group_sha256 FROM json_each(?1) j CROSS JOIN near n ON n.member_sha256 = j.value');
export const NEAR_SQL = `SELECT DISTINCT n.spare_bytes, n.group_sha256 FROM near n INDEXED BY near_shown WHERE n.shown = 1 AND (n.spare_bytes, n.group_sha256) < (?1, ?2) ORDER BY n.spare_bytes DESC, n.group_sha256 DESC LIMIT ?3`;
/** What stands under another is seen there, and what the owner trashed has no row `t`. The one that leads comes first. */
export const NEAR_MEMBERS_SQL = `SELECT ${TILE_COLUMNS.split(', ').map((column) => `t.${column}`).join(', ')}, a.size_bytes, a.camera, t.latitude IS NOT NULL AS placed, t.taken_at_source NOT IN ('name', 'mtime') AS timed,
  (SELECT json_group_array(title) FROM (SELECT DISTINCT ${titleOf('b')} AS title FROM album_assets m CROSS JOIN albums b ON b.album_id = m.album_id WHERE m.sha256 = a.sha256 AND ${isMember('m')} AND ${isShown('b')} ORDER BY 1 LIMIT 3)) AS albums,
  (SELECT l.path FROM locations l WHERE l.sha256 = a.sha256 AND l.missing_since_ms IS NULL ORDER BY l.volume_id, l.path LIMIT 1) AS path
  FROM near n INDEXED BY near_by_group CROSS JOIN assets a ON a.sha256 = n.member_sha256 CROSS JOIN timeline_items t ON t.asset_id = a.asset_id
  WHERE n.group_sha256 = ?1 AND n.removed = 0 AND t.primary_sha256 IS NULL ORDER BY n.member_sha256 <> ?1, a.size_bytes DESC, a.sha256 LIMIT ?2`;
/** Members of one group that are shown; the others come when these are dealt with. */
export const MAX_NEAR_SHOWN = 40;

/** The rows that are new or newer, and their groups looked at again. */
export function writeNear(db: D1Database, rows: readonly NearRow[]): D1PreparedStatement[] {
  return [
    db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [r.member_sha256, r.group_sha256, r.spare_bytes, r.removed, r.revision]))),
    db.prepare(REFRESH_NEAR_SQL).bind(JSON.stringify([...new Set(rows.map((r) => r.group_sha256))])),
  ];
}

/** Takes that word back, by one that it was about. */
export async function unkeepNear(db: D1Database, sha256: string): Promise<void> {
  await db.batch([db.prepare(UNKEEP).bind(sha256), db.prepare(REFRESH_NEAR_OF_SQL).bind(JSON.stringify([sha256]))]);
}

/** The owner says that these (`whole`: and all others of their group) are to stay: their group is shown again only when another comes to it. */
export async function keepNear(db: D1Database, sha256s: readonly string[], whole: boolean, nowMs: number): Promise<void> {
  const hashes = JSON.stringify(sha256s);
  await db.batch([db.prepare(whole ? KEEP_WHOLE_SQL : KEEP).bind(hashes, crypto.randomUUID(), nowMs), db.prepare(REFRESH_NEAR_OF_SQL).bind(hashes)]);
}

const Member = Tile.extend({ size_bytes: z.number(), camera: z.string().nullable(), placed: z.int(), timed: z.int().nullable(), albums: z.string().transform((text) => JSON.parse(text) as string[]), path: z.string().nullable() });
export type NearMember = z.infer<typeof Member>;
export interface NearCursor { spareBytes: number; sha256: string }
export const MOST_NEAR: NearCursor = { spareBytes: 9e15, sha256: '' };

/** Groups after a cursor, those first whose others take the most, at most `limit`; and where to go on where there are more. */
export async function listNear(db: D1Database, after: NearCursor, limit: number): Promise<{ groups: { members: NearMember[]; more: boolean }[]; next: NearCursor | null }> {
  const { results } = await db.prepare(NEAR_SQL).bind(after.spareBytes, after.sha256, limit + 1).all<{ spare_bytes: number; group_sha256: string }>();
  const shown = results.slice(0, limit);
  const last = shown.at(-1);
  const members = shown.length === 0 ? [] : await db.batch(shown.map((group) => db.prepare(NEAR_MEMBERS_SQL).bind(group.group_sha256, MAX_NEAR_SHOWN + 1)));
  return {
    // Of a group whose others were trashed since, nothing is left to choose from.
    groups: members.map(({ results: rows }) => ({ members: z.array(Member).parse(rows.slice(0, MAX_NEAR_SHOWN)), more: rows.length > MAX_NEAR_SHOWN })).filter((group) => group.members.length > 1),
    next: results.length > limit && last ? { spareBytes: last.spare_bytes, sha256: last.group_sha256 } : null,
  };
}

export type LookAlike = Pick<NearMember, 'sha256' | 'width' | 'height' | 'size_bytes' | 'camera' | 'placed' | 'timed' | 'favourite' | 'albums'>;
export type BestOf = { index: number; why: 'pixels' | 'facts' | 'favourite' | 'album' | 'bytes' | 'same' };

/**
 * Which of several look-alikes is best kept: the one with the most pixels, then the one that says most of itself (camera, place,
 * its own time), a favourite, one in an album, the largest file; by the first of these that tells it from all others. `lesser`:
 * those that have fewer pixels or say less, and hold nothing of the owner's, so that nothing is lost with them.
 */
export function chooseBestOf(members: readonly LookAlike[]): { best: BestOf | undefined; lesser: boolean[] } {
  const pixels = (m: LookAlike) => (m.width ?? 0) * (m.height ?? 0);
  const facts = (m: LookAlike) => Number(m.camera !== null) + m.placed + (m.timed ?? 0);
  const marks: [BestOf['why'], (m: LookAlike) => number][] = [['pixels', pixels], ['facts', facts], ['favourite', (m) => m.favourite], ['album', (m) => Math.min(m.albums.length, 1)], ['bytes', (m) => m.size_bytes]];
  const apart = (a: LookAlike, b: LookAlike) => marks.find(([, of]) => of(a) !== of(b));
  const [first, next] = members.toSorted((a, b) => { const [, of] = apart(a, b) ?? []; return of ? of(b) - of(a) : a.sha256 < b.sha256 ? -1 : 1; });
  if (!first) return { best: undefined, lesser: [] };
  return {
    best: { index: members.indexOf(first), why: (next && apart(first, next)?.[0]) ?? 'same' },
    lesser: members.map((m) => m !== first && m.favourite === 0 && m.albums.length === 0 && (pixels(m) < pixels(first) || facts(m) < facts(first))),
  };
}
