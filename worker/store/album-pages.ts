// Albums as pages show them: each with its count and newest picture, in the order of titles. Reads only.
import * as z from 'zod';
import { AssetKind } from '../../protocol/words.ts';
import { isMember } from './album-members.ts';

const Album = z.object({ album_id: z.int(), title: z.string(), count: z.int(), sha256: z.string(), kind: AssetKind, grid_version: z.int(), color: z.string().nullable() });
export type Album = z.infer<typeof Album>;
export interface AlbumCursor { title: string; albumId: number }

// A member of a stack counts as its primary, once. An album that nothing lies in any more is not shown.
export const ALBUMS_SQL = `SELECT k.album_id, k.title, k.count, i.sha256, i.kind, i.grid_version, i.color FROM (
  SELECT b.album_id, b.title, count(DISTINCT coalesce(t.primary_sha256, t.sha256)) AS count, max(t.sort_ms), coalesce(t.primary_sha256, t.sha256) AS cover
  FROM (SELECT album_id, title FROM albums b WHERE (title, album_id) > (?1, ?2) ORDER BY title, album_id LIMIT ?3) b
  CROSS JOIN album_assets m ON m.album_id = b.album_id AND ${isMember('m')} CROSS JOIN assets a ON a.sha256 = m.sha256 CROSS JOIN timeline_items t ON t.asset_id = a.asset_id GROUP BY b.title, b.album_id) k
  CROSS JOIN assets c ON c.sha256 = k.cover CROSS JOIN timeline_items i ON i.asset_id = c.asset_id ORDER BY k.title, k.album_id`;
const TITLES_SQL = 'SELECT album_id, title FROM albums WHERE (title, album_id) > (?1, ?2) ORDER BY title, album_id LIMIT ?3';

/** Albums after a cursor, by title; looks at `limit` of them, and says where to go on where there are more. */
export async function listAlbums(db: D1Database, after: AlbumCursor, limit: number): Promise<{ albums: Album[]; next: AlbumCursor | null }> {
  const [albums, titles] = await db.batch<Record<string, unknown>>([
    db.prepare(ALBUMS_SQL).bind(after.title, after.albumId, limit), db.prepare(TITLES_SQL).bind(after.title, after.albumId, limit + 1),
  ]);
  const looked = z.array(z.object({ album_id: z.int(), title: z.string() })).parse(titles?.results ?? []);
  const last = looked.length > limit ? looked[limit - 1] : undefined;
  return { albums: z.array(Album).parse(albums?.results ?? []), next: last ? { title: last.title, albumId: last.album_id } : null };
}

export async function findAlbumTitle(db: D1Database, albumId: number): Promise<string | undefined> {
  return (await db.prepare('SELECT title FROM albums WHERE album_id = ?1').bind(albumId).first<string>('title')) ?? undefined;
}

export const ALBUM_COUNT_SQL = `SELECT count(DISTINCT coalesce(t.primary_sha256, t.sha256)) AS n FROM album_assets m CROSS JOIN assets a ON a.sha256 = m.sha256 CROSS JOIN timeline_items t ON t.asset_id = a.asset_id WHERE m.album_id = ?1 AND ${isMember('m')}`;

/** How many an album shows. */
export async function countAlbum(db: D1Database, albumId: number): Promise<number> {
  return (await db.prepare(ALBUM_COUNT_SQL).bind(albumId).first<number>('n')) ?? 0;
}
