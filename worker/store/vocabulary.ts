// The library's own names, for reading queries. Asked for at each key stroke, so a few bounded queries over indexes, kept
// in the isolate for some seconds. Reads only.
import { isShown, titleOf } from './album-members.ts';
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
export const TITLES_SQL = `SELECT album_id, ${titleOf('b')} AS title FROM albums b WHERE ${isShown('b')} AND EXISTS (SELECT 1 FROM album_assets m WHERE m.album_id = b.album_id) ORDER BY album_id DESC LIMIT ?1`;
const VOLUMES_SQL = 'SELECT volume_id, coalesce(owner_label, label) AS label FROM volumes ORDER BY volume_id LIMIT ?1';
export const DAYS_SQL = `SELECT (SELECT day FROM timeline_items t INDEXED BY timeline_items_shown WHERE shown = 1 AND sort_ms > ?1 ORDER BY sort_ms LIMIT 1) AS first,
(SELECT day FROM timeline_items t INDEXED BY timeline_items_shown WHERE shown = 1 AND sort_ms > ?1 ORDER BY sort_ms DESC LIMIT 1) AS last`;

/** Changes with every batch, edit and undo, and while something is not resolved yet: only then places are counted anew. */
export const MARK_SQL = `SELECT (SELECT coalesce(max(applied_at_ms), 0) || ':' || coalesce(max(seq), 0) || ':' || count(*) FROM batches) || '/' || (SELECT coalesce(max(edit_id), 0) || ':' || count(undone_at_ms) FROM edits) || '/' || (SELECT count(*) FROM unresolved) AS mark`;
/** What changes places without such a trace is seen then. */
const KEEP_PLACES_MS = 300_000;

interface CountedPlaces { places: LibraryNames['places']; mark: string; atMs: number }
let kept: { names: LibraryNames; text: string; untilMs: number; counted: CountedPlaces } | undefined;

/** The names as they are, or were some seconds ago. */
export async function readNames(db: D1Database): Promise<LibraryNames> {
  const beginMs = Date.now();
  if (kept && beginMs < kept.untilMs) return kept.names;
  const known = kept && beginMs - kept.counted.atMs < KEEP_PLACES_MS ? kept.counted : undefined;
  const { names: read, counted } = await readAll(db, known, beginMs);
  const endMs = Date.now();
  // The same object while nothing has changed: what is made from it (worker/search/name-index.ts) is then kept too.
  const text = JSON.stringify(read);
  const names = kept?.text === text ? kept.names : read;
  kept = { names, text, counted, untilMs: endMs + Math.max(KEEP_MS, (endMs - beginMs) * KEEP_TIMES) };
  return names;
}

/** After a change that must be seen at once; in this isolate. */
export function forgetNames(): void { kept = undefined; }

/** All of them, as they are. */
export async function readNamesNow(db: D1Database): Promise<LibraryNames> { return (await readAll(db, undefined, 0)).names; }

async function readAll(db: D1Database, known: CountedPlaces | undefined, nowMs: number): Promise<{ names: LibraryNames; counted: CountedPlaces }> {
  const counting = (): D1PreparedStatement[] => [db.prepare(MARK_SQL), db.prepare(NAMED_PLACES_SQL).bind(MAX_PLACES)];
  const toCounted = ([mark, places]: (D1Result<Record<string, unknown>> | undefined)[]): CountedPlaces => ({ places: (places?.results ?? []) as unknown as LibraryNames['places'], mark: String(mark?.results[0]?.['mark']), atMs: nowMs });
  const [cameras, people, tags, albums, volumes, days, mark, places] = await db.batch<Record<string, unknown>>([
    db.prepare(CAMERAS_SQL).bind(MAX_CAMERAS), db.prepare(PEOPLE_SQL).bind(MAX_LISTS), db.prepare(TAGS_SQL).bind(MAX_LISTS),
    db.prepare(TITLES_SQL).bind(MAX_ALBUMS), db.prepare(VOLUMES_SQL).bind(MAX_VOLUMES), db.prepare(DAYS_SQL).bind(UNKNOWN_SORT_MS), ...counting().slice(0, known ? 1 : 2),
  ]);
  const counted = !known ? toCounted([mark, places]) : String(mark?.results[0]?.['mark']) === known.mark ? known : toCounted(await db.batch<Record<string, unknown>>(counting()));
  const values = (result: typeof cameras): string[] => (result?.results ?? []).map((r) => String(r['value']));
  const listed = (result: typeof cameras, most: number): string[] => [...new Set(values(result).flatMap((list) => JSON.parse(list) as string[]))].slice(0, most);
  const range = days?.results[0] as { first: number | null; last: number | null } | undefined;
  const names = {
    places: counted.places, cameras: values(cameras), people: listed(people, MAX_PEOPLE), tags: listed(tags, MAX_TAGS),
    albums: (albums?.results ?? []) as unknown as LibraryNames['albums'], volumes: (volumes?.results ?? []) as unknown as LibraryNames['volumes'],
    days: range && range.first !== null && range.last !== null ? { first: range.first, last: range.last } : null,
  };
  return { names, counted };
}
