// Albums as pages show them: each with its count and cover, in the order of titles. Reads only.
import * as z from 'zod';
import { AlbumSort, AssetKind } from '../../protocol/words.ts';
import { isMember, isShown, titleOf } from './album-members.ts';

const Album = z.object({
  album_id: z.int(), title: z.string(), query: z.string().nullable(), count: z.int(), sort: AlbumSort.catch('oldest'),
  sha256: z.string().nullable(), kind: AssetKind.nullable(), grid_version: z.int().nullable(), color: z.string().nullable(),
});
export type Album = z.infer<typeof Album>;
export interface AlbumCursor { title: string; albumId: number }

// Which albums a page holds: not an export's that nothing lies in any more; the owner's, also while they are empty.
const SHOWN = `${isShown('b')} AND (b.import_key IS NULL OR EXISTS (SELECT 1 FROM album_assets m WHERE m.album_id = b.album_id AND ${isMember('m')}))`;
const PAGE = `SELECT b.album_id, ${titleOf('b')} AS title, b.query, b.sort, b.cover_sha256 FROM albums b WHERE ${SHOWN} AND (${titleOf('b')} COLLATE NOCASE, b.album_id) > (?1, ?2) ORDER BY ${titleOf('b')} COLLATE NOCASE, b.album_id LIMIT ?3`;
// A member of a stack counts as its primary, once. The cover is the owner's while that lies inside (a smart album keeps no list), else the newest.
export const ALBUMS_SQL = `SELECT b.album_id, b.title, b.query, b.sort, coalesce(k.count, 0) AS count, i.sha256, i.kind, i.grid_version, i.color FROM (${PAGE}) b
  LEFT JOIN (SELECT m.album_id, count(DISTINCT coalesce(t.primary_sha256, t.sha256)) AS count, max(t.sort_ms), coalesce(t.primary_sha256, t.sha256) AS newest
    FROM (${PAGE}) shown CROSS JOIN album_assets m ON m.album_id = shown.album_id AND ${isMember('m')} CROSS JOIN assets a ON a.sha256 = m.sha256 CROSS JOIN timeline_items t ON t.asset_id = a.asset_id GROUP BY m.album_id) k ON k.album_id = b.album_id
  LEFT JOIN assets c ON c.sha256 = CASE WHEN b.query IS NOT NULL OR EXISTS (SELECT 1 FROM album_assets m WHERE m.album_id = b.album_id AND m.sha256 = b.cover_sha256 AND ${isMember('m')}) THEN coalesce(b.cover_sha256, k.newest) ELSE k.newest END
  LEFT JOIN timeline_items i ON i.asset_id = c.asset_id ORDER BY b.title COLLATE NOCASE, b.album_id`;

/** Albums after a cursor, by title, at most `limit`; and where to go on where there are more. */
export async function listAlbums(db: D1Database, after: AlbumCursor, limit: number): Promise<{ albums: Album[]; next: AlbumCursor | null }> {
  const albums = z.array(Album).parse((await db.prepare(ALBUMS_SQL).bind(after.title, after.albumId, limit + 1).all()).results);
  const shown = albums.slice(0, limit);
  const last = shown.at(-1);
  return { albums: shown, next: albums.length > limit && last ? { title: last.title, albumId: last.album_id } : null };
}
