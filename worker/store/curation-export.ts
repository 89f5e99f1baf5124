// What the owner did, as lines of a file (protocol/curation.ts), page by page in the order of lasting keys. Reads only.
import { CURATION_PARTS, Tags, type AlbumLine, type AlikeLine, type AssetLine, type CurationLine, type CurationPage, type CurationPart, type MemberLine, type SettingLine, type VolumeLine } from '../../protocol/curation.ts';
import { cleanText } from '../db/bulk.ts';
import { ofOwner } from './album-members.ts';
import { readMark } from './owner-fields.ts';
import { HOME_ZONE_CHOSEN } from './settings.ts';

/** Lines of one page. */
const PAGE_LINES = 2_000;
/** A page of long descriptions ends here. */
const PAGE_CHARS = 500_000;
/** Albums that one page looks through. */
const PAGE_ALBUMS = 100;

/** An album's lasting name; NULL for one that has none, which nothing makes. */
export const ALBUM_REF = (b: string) => `CASE WHEN ${b}.album_key IS NOT NULL THEN 'own:' || ${b}.album_key ELSE 'import:' || ${b}.import_key END`;
// An imported album of which the owner has said nothing is the import's alone.
const SAID = `(b.album_key IS NOT NULL OR b.owner_title IS NOT NULL OR b.sort <> 'oldest' OR b.cover_sha256 IS NOT NULL OR b.query IS NOT NULL OR b.removed_at_ms IS NOT NULL
  OR EXISTS (SELECT 1 FROM album_assets m WHERE m.album_id = b.album_id AND ${ofOwner('m')}))`;
export const EXPORT_ASSETS_SQL = `SELECT c.*, EXISTS (SELECT 1 FROM assets a WHERE a.sha256 = c.sha256) AS here FROM curation c WHERE c.sha256 > ?1 ORDER BY c.sha256 LIMIT ?2`;
const ALBUMS_SQL = `SELECT * FROM (SELECT ${ALBUM_REF('b')} AS album, b.* FROM albums b WHERE ${SAID}) WHERE album > ?1 ORDER BY album LIMIT ?2`;
const MEMBERS_OF_SQL = `SELECT * FROM (SELECT ${ALBUM_REF('b')} AS album, b.album_id FROM albums b WHERE EXISTS (SELECT 1 FROM album_assets m WHERE m.album_id = b.album_id AND ${ofOwner('m')})) WHERE album >= ?1 ORDER BY album LIMIT ?2`;
export const EXPORT_MEMBERS_SQL = `SELECT m.sha256, m.layer, m.position FROM album_assets m WHERE m.album_id = ?1 AND (m.sha256, m.layer) > (?2, ?3) AND ${ofOwner('m')} ORDER BY m.sha256, m.layer LIMIT ?4`;
const VOLUMES_SQL = `SELECT volume_id, coalesce(v.owner_label, w.owner_label) AS owner_label, coalesce(v.note, w.note) AS note FROM (SELECT volume_id FROM volumes UNION SELECT volume_id FROM volume_words) x
LEFT JOIN volumes v USING (volume_id) LEFT JOIN (SELECT * FROM volume_words WHERE volume_id NOT IN (SELECT volume_id FROM volumes)) w USING (volume_id)
WHERE volume_id > ?1 AND (v.owner_label IS NOT NULL OR v.note IS NOT NULL OR w.owner_label IS NOT NULL OR w.note IS NOT NULL) ORDER BY volume_id LIMIT ?2`;
export const EXPORT_ALIKE_SQL = 'SELECT sha256, kept, at_ms FROM near_kept WHERE sha256 > ?1 ORDER BY sha256 LIMIT ?2';

/** Lines of one part after a cursor of `next` ('' begins), and how many assets the library has. */
export async function readCuration(db: D1Database, part: CurationPart, after: string): Promise<CurationPage> {
  const { lines, next } = await PARTS[part](db, after);
  return { lines, next, assets: part === CURATION_PARTS[0] ? (await db.prepare('SELECT count(*) AS n FROM assets').first<number>('n')) ?? 0 : 0 };
}

type Page = Pick<CurationPage, 'lines' | 'next'>;
const PARTS: Record<CurationPart, (db: D1Database, after: string) => Promise<Page>> = {
  setting: readSettingLines,
  volume: (db, after) => readByKey<VolumeRow>(db, VOLUMES_SQL, after, (r) => r.volume_id, toVolume),
  album: (db, after) => readByKey<AlbumRow>(db, ALBUMS_SQL, after, (r) => r.album, toAlbum),
  asset: (db, after) => readByKey<AssetRow>(db, EXPORT_ASSETS_SQL, after, (r) => r.sha256, toAsset),
  member: readMembers,
  alike: (db, after) => readByKey<Omit<AlikeLine, 'type'>>(db, EXPORT_ALIKE_SQL, after, (r) => r.sha256, (r) => ({ type: 'alike', ...r })),
};

async function readByKey<R>(db: D1Database, sql: string, after: string, key: (row: R) => string, toLine: (row: R) => CurationLine): Promise<Page> {
  const { results } = await db.prepare(sql).bind(after, PAGE_LINES).all<R>();
  const lines: CurationLine[] = [];
  let chars = 0;
  for (const row of results) {
    const line = toLine(row);
    lines.push(line);
    chars += JSON.stringify(line).length;
    if (chars > PAGE_CHARS) return { lines, next: key(row) };
  }
  const last = results.at(-1);
  return { lines, next: last && results.length === PAGE_LINES ? key(last) : null };
}

async function readSettingLines(db: D1Database): Promise<Page> {
  const { results } = await db.prepare("SELECT key, value FROM settings WHERE key IN ('home_zone', ?1)").bind(HOME_ZONE_CHOSEN).all<{ key: string; value: string }>();
  const zone = results.find((r) => r.key === 'home_zone');
  const chosen = results.find((r) => r.key === HOME_ZONE_CHOSEN);
  const line: SettingLine[] = zone ? [{ type: 'setting', key: 'home_zone', value: zone.value, changed_at_ms: chosen ? Number(chosen.value) : null }] : [];
  return { lines: line, next: null };
}

interface VolumeRow { volume_id: string; owner_label: string | null; note: string | null }
function toVolume(r: VolumeRow): VolumeLine { return { type: 'volume', volume_id: r.volume_id, label: cleanText(r.owner_label), note: cleanText(r.note) }; }

interface AlbumRow { album: string; title: string; owner_title: string | null; sort: string; cover_sha256: string | null; query: string | null; made_at_ms: number | null; removed_at_ms: number | null }
function toAlbum(r: AlbumRow): AlbumLine {
  return {
    type: 'album', album: r.album, title: cleanText(r.title), owner_title: cleanText(r.owner_title), sort: r.sort, cover: r.cover_sha256, query: cleanText(r.query),
    made_at_ms: r.made_at_ms, removed_at_ms: r.removed_at_ms,
  };
}

interface AssetRow {
  sha256: string; favourite: number | null; archived: number | null; rating: number | null; taken_at: string | null; utc_offset_minutes: number | null; time_shift_s: number | null;
  latitude: number | null; longitude: number | null; no_position: number | null; description: string | null; tags: string | null; changed_at_ms: number;
}
function toAsset(r: AssetRow): AssetLine {
  return {
    type: 'asset', sha256: r.sha256, changed_at_ms: r.changed_at_ms, favourite: readMark(r.favourite), archived: readMark(r.archived), rating: r.rating,
    taken_at: r.taken_at, utc_offset_minutes: r.utc_offset_minutes, time_shift_s: r.time_shift_s,
    position: r.no_position === 1 ? 'none' : r.latitude === null || r.longitude === null ? null : { latitude: r.latitude, longitude: r.longitude },
    description: cleanText(r.description), tags: r.tags === null ? null : Tags.parse(JSON.parse(r.tags)),
  };
}

/** Cursor: JSON of album, hash and layer. One album after the other, so that no page sorts more than it shows. */
async function readMembers(db: D1Database, after: string): Promise<Page> {
  const [from = '', fromHash = '', fromLayer = ''] = after === '' ? [] : readCursor(after);
  const { results: albums } = await db.prepare(MEMBERS_OF_SQL).bind(from, PAGE_ALBUMS).all<{ album: string; album_id: number }>();
  const lines: MemberLine[] = [];
  for (const { album, album_id } of albums) {
    const at = album === from ? [fromHash, fromLayer] : ['', ''];
    const left = PAGE_LINES - lines.length;
    const { results } = await db.prepare(EXPORT_MEMBERS_SQL).bind(album_id, ...at, left).all<Pick<MemberLine, 'sha256' | 'layer' | 'position'>>();
    for (const r of results) lines.push({ type: 'member', album, ...r });
    const last = results.at(-1);
    if (last && results.length === left) return { lines, next: JSON.stringify([album, last.sha256, last.layer]) };
  }
  const last = albums.at(-1);
  // '~' sorts after every hash: this album is done.
  return { lines, next: last && albums.length === PAGE_ALBUMS ? JSON.stringify([last.album, '~', '']) : null };
}

function readCursor(after: string): string[] {
  try { const parts: unknown = JSON.parse(after); return Array.isArray(parts) ? parts.map(String) : []; } catch { return []; }
}
