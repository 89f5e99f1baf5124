// Albums as the owner makes and keeps them: making, naming, the order, the cover, taking one away and bringing it back.
// What lies in them is the corrections' (corrections.ts); an album is never deleted, for exports and undos name it.
import * as z from 'zod';
import { MAX_ALBUM_TITLE_LENGTH } from '../../protocol/limits.ts';
import { AlbumSort } from '../../protocol/words.ts';
import { cleanText } from '../db/bulk.ts';
import { isMember, isShown, titleOf } from './album-members.ts';
import { markSql, resolveMarked } from './timeline-items.ts';

export const Album = z.object({
  album_id: z.int(), title: z.string(), import_key: z.string().nullable(), import_title: z.string(), sort: AlbumSort.catch('oldest'), cover_sha256: z.string().nullable(), query: z.string().nullable(), removed_at_ms: z.number().nullable(),
});
export type Album = z.infer<typeof Album>;

/** The albums that can be put into, by title, with how many assets lie inside each (members of stacks counted alone). */
export const ALBUM_LIST_SQL = `SELECT b.album_id, ${titleOf('b')} AS title, b.query IS NOT NULL AS smart, b.import_key IS NULL AS own, (SELECT count(DISTINCT m.sha256) FROM album_assets m WHERE m.album_id = b.album_id AND ${isMember('m')}) AS count
  FROM albums b WHERE ${isShown('b')} ORDER BY ${titleOf('b')}, b.album_id LIMIT ?1`;
const MAX_LISTED = 2_000;

/** Albums by title, at most 2,000. `count` is null for a smart one: only its search knows. */
export async function listAlbumNames(db: D1Database): Promise<{ album_id: number; title: string; count: number | null; smart: boolean }[]> {
  const { results } = await db.prepare(ALBUM_LIST_SQL).bind(MAX_LISTED).all<{ album_id: number; title: string; count: number; smart: number; own: number }>();
  // An export's album that nothing lies in any more is not shown; the owner's own is, for it waits to be filled.
  return results.filter((album) => album.own === 1 || album.count > 0).map(({ album_id, title, count, smart }) => ({ album_id, title, count: smart === 1 ? null : count, smart: smart === 1 }));
}

/** One album, also while it is away. */
export async function findAlbum(db: D1Database, albumId: number): Promise<Album | undefined> {
  const row = await db.prepare(`SELECT album_id, ${titleOf('b')} AS title, import_key, title AS import_title, sort, cover_sha256, query, removed_at_ms FROM albums b WHERE album_id = ?1`).bind(albumId).first();
  return row ? Album.parse(row) : undefined;
}

/** Titles of these albums. */
export async function listTitles(db: D1Database, albumIds: readonly number[]): Promise<Map<number, string>> {
  if (albumIds.length === 0) return new Map();
  const { results } = await db.prepare(`SELECT b.album_id, ${titleOf('b')} AS title FROM json_each(?1) j CROSS JOIN albums b ON b.album_id = j.value`).bind(JSON.stringify(albumIds)).all<{ album_id: number; title: string }>();
  return new Map(results.map((album) => [album.album_id, album.title]));
}

/** What was typed as a title, ready to be kept; or why it cannot be one. */
export function readTitle(typed: string): { ok: true; title: string } | { ok: false; wrong: string } {
  const title = cleanText(typed).replaceAll(/\s+/g, ' ').trim();
  if (title === '') return { ok: false, wrong: 'An album needs a name.' };
  return title.length > MAX_ALBUM_TITLE_LENGTH ? { ok: false, wrong: `A name has at most ${MAX_ALBUM_TITLE_LENGTH} characters.` } : { ok: true, title };
}

/** Makes an album under a name that lasts; with a query a smart one. */
export async function makeAlbum(db: D1Database, args: { title: string; query: string | null; nowMs: number }): Promise<number> {
  const row = await db.prepare('INSERT INTO albums (title, album_key, query, sort, made_at_ms) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING album_id')
    .bind(args.title, crypto.randomUUID(), args.query, args.query === null ? 'oldest' : 'newest', args.nowMs).first<{ album_id: number }>();
  if (!row) throw new Error('the album was not written');
  return row.album_id;
}

/** Gives another name; an imported album given its export's own name follows the export again. */
export async function renameAlbum(db: D1Database, albumId: number, title: string, nowMs: number): Promise<void> {
  await change(db, albumId, nowMs, db.prepare('UPDATE albums SET owner_title = CASE WHEN import_key IS NULL THEN NULL ELSE nullif(?2, title) END, title = CASE WHEN import_key IS NULL THEN ?2 ELSE title END WHERE album_id = ?1').bind(albumId, title));
}

/** Takes an album away, or brings it back. What lies in it stays as it is. */
export async function setAlbumRemoved(db: D1Database, albumId: number, removed: boolean, nowMs: number): Promise<void> {
  await change(db, albumId, nowMs, db.prepare('UPDATE albums SET removed_at_ms = ?2 WHERE album_id = ?1').bind(albumId, removed ? nowMs : null));
}

const MARK_ALBUM = markSql('SELECT DISTINCT m.sha256 FROM album_assets m WHERE m.album_id = ?1', '?2');

/** In one transaction with the marks of all that carries the album's name. */
async function change(db: D1Database, albumId: number, nowMs: number, statement: D1PreparedStatement): Promise<void> {
  await db.batch([statement, db.prepare(MARK_ALBUM).bind(albumId, crypto.randomUUID())]);
  await resolveMarked(db, nowMs);
}

/** The cover; null: the newest picture. */
export async function setCover(db: D1Database, albumId: number, sha256: string | null): Promise<void> {
  await db.prepare('UPDATE albums SET cover_sha256 = ?2 WHERE album_id = ?1').bind(albumId, sha256).run();
}
