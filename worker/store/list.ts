// `list --json`: whole lines, ordered by capture time then hash, unknown times last, one keyset page at a time.
import { LIST_PAGE_ROWS } from '../../protocol/limits.ts';
import type { ListLine } from '../../protocol/list.ts';
import type { LocationState } from '../../protocol/words.ts';
import { UNKNOWN_SORT_MS } from './timeline-items.ts';

/** What a line takes of an item. */
const ITEM = ['kind', 'width', 'height', 'duration_ms', 'taken_at', 'taken_at_source', 'utc_offset_minutes', 'utc_offset_source', 'latitude', 'longitude', 'favourite', 'archived', 'rating', 'description',
  'people', 'tags', 'albums', 'primary_sha256', 'members', 'live_sha256', 'cell'] as const;
const line = (from: string) => `t.sort_ms, t.sha256, t.kind, a.mime, a.size_bytes, t.width, t.height, t.duration_ms, t.taken_at, t.taken_at_source, t.utc_offset_minutes, t.utc_offset_source,
  t.latitude, t.longitude, a.camera, a.problems, t.favourite, t.archived, t.rating, t.description, t.people, t.tags, t.albums, t.primary_sha256, t.members, t.live_sha256,
  p.street, p.neighbourhood, p.city, p.region, p.country, p.country_code, p.distance_m, p.source AS place_source,
  (SELECT json_group_array(json_array(l.volume_id, coalesce(v.owner_label, v.label, l.volume_id), l.path, l.missing_since_ms) ORDER BY l.volume_id, l.path)
   FROM locations l LEFT JOIN volumes v ON v.volume_id = l.volume_id WHERE l.sha256 = t.sha256) AS locations
FROM ${from} CROSS JOIN assets a ON a.sha256 = t.sha256 LEFT JOIN places p ON p.cell = t.cell AND p.rank > 0`;
const LINE = line('timeline_items t INDEXED BY timeline_items_all');
export const LIST_KNOWN_SQL = `SELECT ${LINE} WHERE (t.sort_ms, t.sha256) > (?1, ?2) ORDER BY t.sort_ms, t.sha256 LIMIT ?3`;
export const LIST_UNKNOWN_SQL = `SELECT ${LINE} WHERE t.sort_ms = ?1 AND t.sha256 > ?2 ORDER BY t.sort_ms, t.sha256 LIMIT ?3`;

/** The same of trashed assets, as they were: `?1`, `?2` the cursor. */
export const LIST_TRASHED_SQL = `SELECT ${line(`(SELECT tr.sort_ms, tr.sha256, ${ITEM.map((c) => `tr.item->>'$.${c}' AS ${c}`).join(', ')} FROM trashed tr INDEXED BY trashed_by_sort
  WHERE (tr.sort_ms, tr.sha256) > (?1, ?2) AND tr.item <> '{}' ORDER BY tr.sort_ms, tr.sha256 LIMIT ?3) t`)} ORDER BY t.sort_ms, t.sha256`;
/** What has no time stands last, though its key is the least. */
const isKnown = (row: Row): boolean => row.sort_ms > UNKNOWN_SORT_MS;
const inOrder = (a: Row, b: Row): number => Number(isKnown(b)) - Number(isKnown(a)) || a.sort_ms - b.sort_ms || (a.sha256 < b.sha256 ? -1 : 1);

interface Row {
  trashed?: boolean;
  sort_ms: number; sha256: string; kind: ListLine['kind']; mime: string; size_bytes: number; width: number | null; height: number | null; duration_ms: number | null;
  taken_at: string | null; taken_at_source: ListLine['taken_at_source']; utc_offset_minutes: number | null; utc_offset_source: ListLine['utc_offset_source'];
  latitude: number | null; longitude: number | null; camera: string | null; problems: string;
  favourite: number; archived: number; rating: number | null; description: string | null; locations: string;
  people: string; tags: string; albums: string; primary_sha256: string | null; members: number; live_sha256: string | null;
  street: string | null; neighbourhood: string | null; city: string | null; region: string | null; country: string | null; country_code: string | null; distance_m: number | null; place_source: string | null;
}

/** Where a page ended: the last line's sort key. */
export interface ListCursor { sortMs: number; sha256: string }

export function formatCursor(cursor: ListCursor): string {
  return `${cursor.sortMs}.${cursor.sha256}`;
}

/** Undefined for text that is no cursor of ours. */
export function parseCursor(text: string): ListCursor | undefined {
  const m = /^(-?\d{1,16})\.([0-9a-f]{64})$/.exec(text);
  return m ? { sortMs: Number(m[1]), sha256: m[2] as string } : undefined;
}

/**
 * The lines after `after` (null: from the start), at most LIST_PAGE_ROWS, and where to go on (null at the end). `isPresent`
 * says whether a volume is connected now. With `all` those too that the owner trashed.
 */
export async function listLines(db: D1Database, after: ListCursor | null, isPresent: (volumeId: string) => boolean, all: boolean): Promise<{ lines: ListLine[]; next: ListCursor | null }> {
  let rows: Row[] = [];
  if (!after || after.sortMs > UNKNOWN_SORT_MS) {
    const from = after ?? { sortMs: UNKNOWN_SORT_MS + 1, sha256: '' };
    rows.push(...(await db.prepare(LIST_KNOWN_SQL).bind(from.sortMs, from.sha256, LIST_PAGE_ROWS).all<Row>()).results);
  }
  if (rows.length < LIST_PAGE_ROWS) {
    const from = after && after.sortMs <= UNKNOWN_SORT_MS ? after.sha256 : '';
    rows.push(...(await db.prepare(LIST_UNKNOWN_SQL).bind(UNKNOWN_SORT_MS, from, LIST_PAGE_ROWS - rows.length).all<Row>()).results);
  }
  if (all) rows = [...rows, ...await listTrashed(db, after)].sort(inOrder).slice(0, LIST_PAGE_ROWS);
  const last = rows.at(-1);
  return { lines: rows.map((r) => toLine(r, isPresent)), next: last && rows.length === LIST_PAGE_ROWS ? { sortMs: last.sort_ms, sha256: last.sha256 } : null };
}

async function listTrashed(db: D1Database, after: ListCursor | null): Promise<Row[]> {
  const read = async (sortMs: number, sha256: string, limit: number) => (await db.prepare(LIST_TRASHED_SQL).bind(sortMs, sha256, limit).all<Row>()).results.map((row) => ({ ...row, trashed: true }));
  const isAtEnd = after !== null && after.sortMs <= UNKNOWN_SORT_MS;
  const known = isAtEnd ? [] : await read(after?.sortMs ?? UNKNOWN_SORT_MS + 1, after?.sha256 ?? '', LIST_PAGE_ROWS);
  if (known.length === LIST_PAGE_ROWS) return known;
  const unknown = (await read(UNKNOWN_SORT_MS, isAtEnd ? after.sha256 : '', LIST_PAGE_ROWS)).filter((row) => !isKnown(row));
  return [...known, ...unknown];
}

function toLine(r: Row, isPresent: (volumeId: string) => boolean): ListLine {
  const locations = JSON.parse(r.locations) as [string, string, string, number | null][];
  const state = (volumeId: string, missingSince: number | null): LocationState => (missingSince !== null ? 'missing' : isPresent(volumeId) ? 'present' : 'away');
  return {
    sha256: r.sha256, kind: r.kind, mime: r.mime, size_bytes: r.size_bytes, width: r.width, height: r.height, duration_ms: r.duration_ms,
    taken_at: r.taken_at, taken_at_source: r.taken_at_source, utc_offset_minutes: r.utc_offset_minutes, utc_offset_source: r.utc_offset_source,
    latitude: r.latitude, longitude: r.longitude, place: toPlace(r), camera: r.camera, description: r.description,
    favourite: r.favourite === 1, archived: r.archived === 1, rating: r.rating, albums: JSON.parse(r.albums) as string[], tags: JSON.parse(r.tags) as string[], people: JSON.parse(r.people) as string[],
    stack: toStack(r), live_video: r.live_sha256,
    locations: locations.map(([volume_id, volume, path, missing]) => ({ volume_id, volume, path, state: state(volume_id, missing) })),
    problems: JSON.parse(r.problems) as ListLine['problems'],
    ...(r.trashed ? { trashed: true as const } : {}),
  };
}

function toPlace(r: Row): ListLine['place'] {
  // Looked up and nowhere (the open sea) is as unknown as not looked up.
  if (r.place_source === null || [r.street, r.neighbourhood, r.city, r.region, r.country].every((name) => name === null)) return null;
  return { street: r.street, neighbourhood: r.neighbourhood, city: r.city, region: r.region, country: r.country, country_code: r.country_code, distance_m: r.distance_m, source: r.place_source };
}

function toStack(r: Row): ListLine['stack'] {
  if (r.primary_sha256 !== null) return { role: 'member', primary: r.primary_sha256 };
  return r.members > 0 ? { role: 'primary', primary: r.sha256 } : null;
}
