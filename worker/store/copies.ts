// How safely originals are kept, as pages show it: counts from copy_counts (some rows, never the library), files that were
// found damaged, the tables by year and album, and where an album's originals lie. Reads only; asset-copies.ts keeps the rows.
import * as z from 'zod';
import { AlbumSort } from '../../protocol/words.ts';
import { DAY_MS } from './asset-copies.ts';
import { isMember, isShown, titleOf } from './album-members.ts';
import { Tile, TILE_COLUMNS } from './timeline.ts';

/** A copy that was not read for so long may have rotted unseen. */
export const STALE_DAYS = 180;
/** Members of an album that are looked at for where its originals lie: some 100 ms. */
export const ORIGINALS_COUNTED = 20_000;

/** Day before which a verification is long ago; never (0) is before it too. */
export const staleDay = (nowMs: number): number => Math.floor(nowMs / DAY_MS) - STALE_DAYS;

/** `?1`: staleDay. */
export const COUNTS_SQL = `SELECT kind, name, files, drives, day < ?1 AS stale, day = 0 AS never, sum(assets) AS assets, sum(spare_bytes) AS spare_bytes FROM copy_counts WHERE kind IN ('all', 'under', 'extra') GROUP BY 1, 2, 3, 4, 5, 6`;
export const DRIVE_COUNTS_SQL = `SELECT name AS volume_id, sum(copies) AS files, min(day) AS oldest_day, sum(CASE WHEN day = 0 THEN assets ELSE 0 END) AS never, sum(CASE WHEN day < ?1 THEN assets ELSE 0 END) AS stale, sum(assets) AS assets
  FROM copy_counts WHERE kind = 'drive' GROUP BY name`;
export const YEARS_SQL = `SELECT CAST(name AS INTEGER) AS year, sum(assets) AS assets, sum(CASE WHEN files >= 3 THEN assets ELSE 0 END) AS three, sum(CASE WHEN drives >= 2 THEN assets ELSE 0 END) AS two_drives, sum(CASE WHEN files = 1 THEN assets ELSE 0 END) AS one
  FROM copy_counts WHERE kind = 'year' GROUP BY name ORDER BY 1 DESC`;
export const DAMAGED_COUNTS_SQL = 'SELECT volume_id, count(*) AS n FROM locations INDEXED BY locations_damaged WHERE damaged_at_ms IS NOT NULL AND missing_since_ms IS NULL GROUP BY volume_id';

export interface CopyCounts {
  assets: number; one: number; together: number; nowhere: number; two_drives: number;
  stale: number; never: number;
  duplicates: number; spare_bytes: number;
  /** Those of the duplicates that have several files on one drive. */
  extra: number; extra_bytes: number;
  damaged: number;
  /** Assets of which the only copy is there. */
  only: Map<string, number>;
}

/** Assets of each sort, those under another that is kept the same left out; `spare_bytes` is of all. */
export async function countCopies(db: D1Database, nowMs: number): Promise<CopyCounts> {
  const [sorts, damaged] = await db.batch<{ kind: string; name: string; files: number; drives: number; stale: number; never: number; assets: number; spare_bytes: number; n: number }>([
    db.prepare(COUNTS_SQL).bind(staleDay(nowMs)), db.prepare(DAMAGED_COUNTS_SQL),
  ]);
  const counts: CopyCounts = { assets: 0, one: 0, together: 0, nowhere: 0, two_drives: 0, stale: 0, never: 0, duplicates: 0, spare_bytes: 0, extra: 0, extra_bytes: 0, damaged: 0, only: new Map() };
  for (const row of damaged?.results ?? []) counts.damaged += row.n;
  for (const { kind, name, files, drives, stale, never, assets, spare_bytes } of sorts?.results ?? []) {
    if (kind === 'extra') { counts.extra += assets; counts.extra_bytes += spare_bytes; continue; }
    counts.spare_bytes += spare_bytes;
    if (kind !== 'all') continue;
    counts.assets += assets;
    if (files === 0) counts.nowhere += assets;
    if (files === 1) { counts.one += assets; counts.only.set(name, (counts.only.get(name) ?? 0) + assets); }
    if (files > 1) counts.duplicates += assets;
    if (files > 1 && drives === 1) counts.together += assets;
    if (drives > 1) counts.two_drives += assets;
    if (files > 0 && stale === 1) counts.stale += assets;
    if (files > 0 && never === 1) counts.never += assets;
  }
  return counts;
}

/** What is on a drive: files found whole, assets, those of them not verified for long and never, when the longest ago was (null: never), damaged files, assets that are nowhere else. */
export interface DriveCopies { files: number; assets: number; stale: number; never: number; oldest_ms: number | null; damaged: number; only: number }
export const NO_COPIES: DriveCopies = { files: 0, assets: 0, stale: 0, never: 0, oldest_ms: null, damaged: 0, only: 0 };
export const ONLY_COUNTS_SQL = "SELECT name AS volume_id, sum(assets) AS n FROM copy_counts WHERE kind = 'all' AND files = 1 GROUP BY name";

/** By drive; drives without any are left out. */
export async function countDriveCopies(db: D1Database, nowMs: number): Promise<Map<string, DriveCopies>> {
  const [drives, only, damaged] = await db.batch<{ volume_id: string; files: number; oldest_day: number; never: number; stale: number; assets: number; n: number }>([
    db.prepare(DRIVE_COUNTS_SQL).bind(staleDay(nowMs)), db.prepare(ONLY_COUNTS_SQL), db.prepare(DAMAGED_COUNTS_SQL),
  ]);
  const all = new Map((drives?.results ?? []).map(({ volume_id, files, assets, stale, never, oldest_day }): [string, DriveCopies] => [volume_id, { ...NO_COPIES, files, assets, stale, never, oldest_ms: oldest_day === 0 ? null : oldest_day * DAY_MS }]));
  for (const { volume_id, n } of only?.results ?? []) all.set(volume_id, { ...(all.get(volume_id) ?? NO_COPIES), only: n });
  for (const { volume_id, n } of damaged?.results ?? []) all.set(volume_id, { ...(all.get(volume_id) ?? NO_COPIES), damaged: n });
  return all;
}

/** Of so many assets: those with three copies or more, on two drives or more, with one copy. */
export interface Kept { assets: number; three: number; two_drives: number; one: number }
export type YearKept = Kept & { year: number };

/** Newest first; 0 is what has no date, last. */
export async function listYearsKept(db: D1Database): Promise<YearKept[]> {
  return (await db.prepare(YEARS_SQL).all<YearKept>()).results;
}

const TITLE = `${titleOf('b')} COLLATE NOCASE`;
// Albums that a search fills hold no list; an empty one has nothing to say.
const ALBUM_PAGE = `SELECT b.album_id, ${titleOf('b')} AS title, b.sort FROM albums b WHERE ${isShown('b')} AND b.query IS NULL AND EXISTS (SELECT 1 FROM album_assets m WHERE m.album_id = b.album_id AND ${isMember('m')})
  AND (${TITLE}, b.album_id) > (?1, ?2) ORDER BY ${TITLE}, b.album_id LIMIT ?3`;
export const ALBUMS_KEPT_SQL = `SELECT b.album_id, b.title, b.sort, count(*) AS assets, sum(c.files >= 3) AS three, sum(c.drives >= 2) AS two_drives, sum(c.files = 1) AS one
  FROM (${ALBUM_PAGE}) b CROSS JOIN (SELECT DISTINCT m.album_id, m.sha256 FROM (${ALBUM_PAGE}) shown CROSS JOIN album_assets m ON m.album_id = shown.album_id AND ${isMember('m')}) inside ON inside.album_id = b.album_id
  CROSS JOIN assets a ON a.sha256 = inside.sha256 CROSS JOIN asset_copies c ON c.asset_id = a.asset_id AND c.counted = 1 GROUP BY b.album_id ORDER BY b.title COLLATE NOCASE, b.album_id`;
const AlbumKept = z.object({ album_id: z.int(), title: z.string(), sort: AlbumSort.catch('oldest'), assets: z.int(), three: z.int(), two_drives: z.int(), one: z.int() });
export type AlbumKept = z.infer<typeof AlbumKept>;
export interface AlbumCursor { title: string; albumId: number }

/** Albums after a cursor, by title, at most `limit`; and where to go on where there are more. Looks at every member of those. */
export async function listAlbumsKept(db: D1Database, after: AlbumCursor, limit: number): Promise<{ albums: AlbumKept[]; next: AlbumCursor | null }> {
  const albums = z.array(AlbumKept).parse((await db.prepare(ALBUMS_KEPT_SQL).bind(after.title, after.albumId, limit + 1).all()).results);
  const shown = albums.slice(0, limit);
  const last = shown.at(-1);
  return { albums: shown, next: albums.length > limit && last ? { title: last.title, albumId: last.album_id } : null };
}

const Damaged = Tile.extend({ volume_id: z.string(), path: z.string(), damaged_at_ms: z.number(), files: z.int(), on_drives: z.string().transform(readDrives) });
export type Damaged = z.infer<typeof Damaged>;
export interface FileCursor { volumeId: string; path: string }
export const DAMAGED_SQL = `SELECT l.volume_id, l.path, l.damaged_at_ms, c.files, c.on_drives, ${TILE_COLUMNS.split(', ').map((column) => `t.${column}`).join(', ')}
  FROM locations l INDEXED BY locations_damaged CROSS JOIN assets a ON a.sha256 = l.sha256 CROSS JOIN timeline_items t ON t.asset_id = a.asset_id CROSS JOIN asset_copies c ON c.asset_id = a.asset_id
  WHERE l.damaged_at_ms IS NOT NULL AND l.missing_since_ms IS NULL AND (l.volume_id, l.path) > (?1, ?2) AND (?3 IS NULL OR l.volume_id = ?3) ORDER BY l.volume_id, l.path LIMIT ?4`;

/** Files whose bytes are no longer those that they had, after a cursor, by drive and path; of one drive where it is named. Each with how many whole copies there are of what it held, and where. */
export async function listDamaged(db: D1Database, volumeId: string | null, after: FileCursor, limit: number): Promise<Damaged[]> {
  const from = volumeId !== null && after.volumeId < volumeId ? { volumeId, path: '' } : after;
  return z.array(Damaged).parse((await db.prepare(DAMAGED_SQL).bind(from.volumeId, from.path, volumeId, limit).all()).results);
}

/** How many assets lie on just these drives. */
export interface OnDrives { drives: string[]; assets: number }
export const ALBUM_ORIGINALS_SQL = `SELECT c.on_drives, count(*) AS assets FROM (SELECT DISTINCT m.sha256 FROM album_assets m WHERE m.album_id = ?1 AND ${isMember('m')} LIMIT ?2) inside
  CROSS JOIN assets a ON a.sha256 = inside.sha256 CROSS JOIN asset_copies c ON c.asset_id = a.asset_id GROUP BY c.on_drives`;
export const ORIGINALS_SQL = 'SELECT c.on_drives, count(*) AS assets FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value CROSS JOIN asset_copies c ON c.asset_id = a.asset_id GROUP BY c.on_drives';

/** Where an album's originals lie, of at most ORIGINALS_COUNTED of them. */
export async function listAlbumOriginals(db: D1Database, albumId: number): Promise<OnDrives[]> {
  return readOnDrives(await db.prepare(ALBUM_ORIGINALS_SQL).bind(albumId, ORIGINALS_COUNTED).all());
}

/** Where the originals of these assets lie. */
export async function listOriginals(db: D1Database, sha256s: readonly string[]): Promise<OnDrives[]> {
  return readOnDrives(await db.prepare(ORIGINALS_SQL).bind(JSON.stringify(sha256s)).all());
}

function readOnDrives({ results }: D1Result): OnDrives[] {
  return (results as { on_drives: string; assets: number }[]).map(({ on_drives, assets }) => ({ drives: readDrives(on_drives), assets }));
}
function readDrives(text: string): string[] {
  return JSON.parse(text) as string[];
}
