// An album's order by hand: every tile has a whole number as its position, far from the next, and a moved one gets the number
// between its new neighbours. What was put in since has none and stands behind (grid-sets.ts).
import type { AlbumSort } from '../../protocol/words.ts';
import { isMember } from './album-members.ts';
import { ALBUM_OWN_SET } from './grid-sets.ts';
import { albumKind, setOf } from './grids.ts';

/** Positions stand so far apart: twenty moves into the same gap fit before all are numbered anew. */
const STEP = 2 ** 20;

export type MoveTo = 'first' | 'last' | { before: string } | { after: string };

/** Gives every tile of an album the position that it has in an order. A row of the owner's carries it, for an order is the owner's word. */
export function numberSql(sort: AlbumSort): string {
  const { sql, ascending } = setOf(albumKind(sort));
  return `INSERT INTO album_assets (album_id, sha256, layer, position) SELECT ?1->>0, a.sha256, 'owner', n * ${STEP} FROM (
    SELECT k.asset_id, row_number() OVER (ORDER BY k.key_ms ${ascending ? 'ASC' : 'DESC'}, k.asset_id ${ascending ? 'ASC' : 'DESC'}) AS n FROM (${sql}) k) x CROSS JOIN assets a ON a.asset_id = x.asset_id WHERE true
    ON CONFLICT (album_id, sha256, layer) DO UPDATE SET position = excluded.position`;
}

/** Sets the order; going over to the owner's begins with the order that was. */
export async function setAlbumSort(db: D1Database, albumId: number, from: AlbumSort, sort: AlbumSort): Promise<void> {
  const statements = [db.prepare('UPDATE albums SET sort = ?2 WHERE album_id = ?1').bind(albumId, sort)];
  // An order by hand that was left is found again as it was.
  if (sort === 'own' && from !== 'own' && !(await isNumbered(db, albumId))) statements.push(db.prepare(numberSql(from)).bind(JSON.stringify([albumId])));
  await db.batch(statements);
}

async function isNumbered(db: D1Database, albumId: number): Promise<boolean> {
  return (await db.prepare('SELECT 1 AS n FROM album_assets m WHERE m.album_id = ?1 AND m.position IS NOT NULL LIMIT 1').bind(albumId).first('n')) !== null;
}

export const KEY_OF_SQL = `SELECT k.key_ms FROM (${ALBUM_OWN_SET}) k WHERE k.asset_id = (SELECT asset_id FROM assets WHERE sha256 = ?2)`;
/** Keys on both sides of a key (`?2`), without the asset that is moved (`?3`). */
export const BESIDE_SQL = `SELECT max(CASE WHEN k.key_ms < ?2 THEN k.key_ms END) AS below, min(CASE WHEN k.key_ms > ?2 THEN k.key_ms END) AS above, max(k.key_ms) AS last, min(k.key_ms) AS first, count(*) FILTER (WHERE k.key_ms = ?2) AS same
  FROM (${ALBUM_OWN_SET}) k WHERE k.asset_id <> (SELECT asset_id FROM assets WHERE sha256 = ?3)`;
const SET_POSITION_SQL = `INSERT INTO album_assets (album_id, sha256, layer, position) SELECT ?1, ?2, 'owner', ?3 WHERE EXISTS (SELECT 1 FROM albums WHERE album_id = ?1)
  ON CONFLICT (album_id, sha256, layer) DO UPDATE SET position = excluded.position`;
/** Rows of what the album shows as this tile: of a stack all that lie inside, so that none keeps an older place. */
export const CLEAR_MEMBERS_SQL = `UPDATE album_assets AS m SET position = NULL WHERE m.album_id = ?1 AND m.position IS NOT NULL AND m.sha256 IN (SELECT k.member_sha256 FROM stacks k WHERE k.primary_sha256 = ?2) AND ${isMember('m')}`;

/** Moves a tile of an album that is in the owner's order. False where it, or what it should stand beside, is not in there. */
export async function moveInAlbum(db: D1Database, albumId: number, sha256: string, to: MoveTo): Promise<boolean> {
  const of = JSON.stringify([albumId]);
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    if ((await keyOf(db, of, sha256)) === null) return false;
    const anchor = typeof to === 'string' ? 0 : await keyOf(db, of, 'before' in to ? to.before : to.after);
    if (anchor === null) return false;
    const beside = await db.prepare(BESIDE_SQL).bind(of, anchor, sha256).first<{ below: number | null; above: number | null; first: number | null; last: number | null; same: number }>();
    const position = beside?.first == null ? STEP : between(to, anchor, { ...beside, first: beside.first, last: beside.last ?? beside.first });
    if (position !== undefined) {
      await db.batch([db.prepare(CLEAR_MEMBERS_SQL).bind(albumId, sha256), db.prepare(SET_POSITION_SQL).bind(albumId, sha256, position)]);
      return true;
    }
    await db.prepare(numberSql('own')).bind(of).run();
  }
  throw new Error(`album ${albumId} has no room for ${sha256}`);
}

async function keyOf(db: D1Database, of: string, sha256: string): Promise<number | null> {
  return db.prepare(KEY_OF_SQL).bind(of, sha256).first<number>('key_ms');
}

/** The number for the new place; undefined where there is none free. */
function between(to: MoveTo, anchor: number, beside: { below: number | null; above: number | null; first: number; last: number; same: number }): number | undefined {
  if (to === 'first') return beside.first - STEP;
  // Behind what has no position yet there is no number, until all have one.
  if (to === 'last') return beside.last > MAX_POSITION ? undefined : beside.last + STEP;
  const [low, high] = 'before' in to ? [beside.below ?? anchor - 2 * STEP, anchor] : [anchor, beside.above ?? anchor + 2 * STEP];
  const middle = Math.floor((low + high) / 2);
  return beside.same > 1 || high > MAX_POSITION || middle <= low || middle >= high ? undefined : middle;
}
const MAX_POSITION = 5e14;
