// The library's own names, for reading queries. Asked for at each key stroke, so a few bounded queries over indexes, kept
// in the isolate for some seconds. Reads only.
import type { LibraryNames } from './library-names.ts';
import { UNKNOWN_SORT_MS } from './timeline-items.ts';

/** Most of each; of places and albums those with most pictures and the newest, of the others the first by name. */
export const MAX_PLACES = 5_000;
export const MAX_ALBUMS = 2_000;
const MAX_CAMERAS = 500;
const MAX_VOLUMES = 200;
/** Different lists of people, and of tags, that pictures have. */
const MAX_LISTS = 5_000;
const MAX_PEOPLE = 2_000;
const MAX_TAGS = 5_000;

/** How long names are kept; longer where reading them takes long, so that it costs a twentieth of the time at most. */
const KEEP_MS = 10_000;
const KEEP_TIMES = 20;

export const NAMED_PLACES_SQL = `SELECT p.country_code, min(p.country) AS country, p.region, p.city, count(*) AS assets
FROM places p INDEXED BY places_by_name CROSS JOIN timeline_items t INDEXED BY timeline_items_by_cell ON t.cell = p.cell AND t.shown = 1
WHERE p.country_code > '' GROUP BY p.country_code, p.region, p.city ORDER BY assets DESC, p.country_code, p.region, p.city LIMIT ?1`;
/** Each value of an indexed column once, by a jump in the index from one to the next. */
const eachValue = (table: string, column: string, index: string, having: string): string => `WITH RECURSIVE each (value) AS (
  SELECT * FROM (SELECT ${column} FROM ${table} v INDEXED BY ${index} WHERE ${having} AND ${column} > '' ORDER BY ${column} LIMIT 1)
  UNION ALL SELECT (SELECT ${column} FROM ${table} v INDEXED BY ${index} WHERE ${having} AND ${column} > each.value ORDER BY ${column} LIMIT 1) FROM each WHERE each.value IS NOT NULL LIMIT ?1
) SELECT value FROM each WHERE value IS NOT NULL`;
export const CAMERAS_SQL = eachValue('assets', 'camera', 'assets_by_camera', 'camera IS NOT NULL');
export const PEOPLE_SQL = eachValue('timeline_items', 'people', 'timeline_items_by_people', "people <> '[]'");
export const TAGS_SQL = eachValue('timeline_items', 'tags', 'timeline_items_by_tags', "tags <> '[]'");
export const TITLES_SQL = 'SELECT album_id, title FROM albums b WHERE EXISTS (SELECT 1 FROM album_assets m WHERE m.album_id = b.album_id) ORDER BY album_id DESC LIMIT ?1';
const VOLUMES_SQL = 'SELECT volume_id, coalesce(owner_label, label) AS label FROM volumes ORDER BY volume_id LIMIT ?1';
export const DAYS_SQL = `SELECT (SELECT day FROM timeline_items t INDEXED BY timeline_items_shown WHERE shown = 1 AND sort_ms > ?1 ORDER BY sort_ms LIMIT 1) AS first,
(SELECT day FROM timeline_items t INDEXED BY timeline_items_shown WHERE shown = 1 AND sort_ms > ?1 ORDER BY sort_ms DESC LIMIT 1) AS last`;

let kept: { names: LibraryNames; text: string; untilMs: number } | undefined;

/** The names as they are, or were some seconds ago. */
export async function readNames(db: D1Database): Promise<LibraryNames> {
  const beginMs = Date.now();
  if (kept && beginMs < kept.untilMs) return kept.names;
  const read = await readNamesNow(db);
  const endMs = Date.now();
  // The same object while nothing has changed: what is made from it (worker/search/name-index.ts) is then kept too.
  const text = JSON.stringify(read);
  const names = kept?.text === text ? kept.names : read;
  kept = { names, text, untilMs: endMs + Math.max(KEEP_MS, (endMs - beginMs) * KEEP_TIMES) };
  return names;
}

/** After a change that must be seen at once; in this isolate. */
export function forgetNames(): void { kept = undefined; }

export async function readNamesNow(db: D1Database): Promise<LibraryNames> {
  const [places, cameras, people, tags, albums, volumes, days] = await db.batch<Record<string, unknown>>([
    db.prepare(NAMED_PLACES_SQL).bind(MAX_PLACES), db.prepare(CAMERAS_SQL).bind(MAX_CAMERAS), db.prepare(PEOPLE_SQL).bind(MAX_LISTS), db.prepare(TAGS_SQL).bind(MAX_LISTS),
    db.prepare(TITLES_SQL).bind(MAX_ALBUMS), db.prepare(VOLUMES_SQL).bind(MAX_VOLUMES), db.prepare(DAYS_SQL).bind(UNKNOWN_SORT_MS),
  ]);
  const values = (result: typeof places): string[] => (result?.results ?? []).map((r) => String(r['value']));
  const listed = (result: typeof places, most: number): string[] => [...new Set(values(result).flatMap((list) => JSON.parse(list) as string[]))].slice(0, most);
  const range = days?.results[0] as { first: number | null; last: number | null } | undefined;
  return {
    places: (places?.results ?? []) as unknown as LibraryNames['places'], cameras: values(cameras), people: listed(people, MAX_PEOPLE), tags: listed(tags, MAX_TAGS),
    albums: (albums?.results ?? []) as unknown as LibraryNames['albums'], volumes: (volumes?.results ?? []) as unknown as LibraryNames['volumes'],
    days: range && range.first !== null && range.last !== null ? { first: range.first, last: range.last } : null,
  };
}
