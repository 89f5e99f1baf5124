// From facts to what pages show: resolves every asset that ingest touched into timeline_items and rebuilds its months.
//
// Ingest commits rows first, and with them, in the same transaction, one `unresolved` row that names the touched hashes.
// The second transaction writes the resolver's answers and deletes that row. A crash between the two leaves the row, and
// whoever comes next (the repeated batch, any later one, the agent's first question) finishes the work: the library is
// the same as if nothing had happened. Two at once cannot write a stale answer: every statement of the second transaction
// holds only while `unresolved` is exactly what was read before the facts were.
import { ratioChar } from '../../protocol/layout.ts';
import { squareOf } from '../../protocol/map.ts';
import { cellOf } from '../../protocol/place.ts';
import { compareText } from '../../protocol/order.ts';
import { resolveAsset, type ResolvedAsset } from '../../protocol/resolve.ts';
import type { AlbumImport } from '../../protocol/rows.ts';
import { wallMs } from '../../protocol/time.ts';
import { bulkUpsertSql, toJsonParts } from '../db/bulk.ts';
import { writeCopies } from './asset-copies.ts';
import { rebuildBuckets } from './buckets.ts';
import { importAlbums } from './import-albums.ts';
import { ITEM_COLUMNS, STILL } from './item-columns.ts';
import { MARK_SQUARES_SQL } from './map-squares.ts';
import { readResolveInputs, toAssetInput, type ResolveRow } from './resolve-input.ts';
import { dueSql } from './search-due.ts';

/** Sorts after every real time when newest comes first: the least moment that JavaScript's Date knows. */
export const UNKNOWN_SORT_MS = -8_640_000_000_000_000;
/** Somebody else wrote in between, this many times in a row: then it is they who must finish. */
const MAX_ATTEMPTS = 20;
/** The zone when no agent has said one and the owner has set none. */
const DEFAULT_ZONE = 'UTC';

export type Item = Record<(typeof ITEM_COLUMNS)[number], string | number | null> & { asset_id: number; sha256: string; month: number; cell: string | null; square: number | null };

const UPSERT_ITEMS = bulkUpsertSql({
  table: 'timeline_items', columns: ITEM_COLUMNS, key: ['asset_id'],
  when: ITEM_COLUMNS.slice(1).map((c) => `timeline_items.${c} IS NOT excluded.${c}`).join(' OR '),
}, STILL);
const DELETE_ITEMS = `DELETE FROM timeline_items WHERE asset_id IN (SELECT value FROM json_each(?1)) AND ${STILL}`;
// A cell without names is a wish that the agent answers (GET /sync/places/wanted).
const WANT_PLACES = `INSERT INTO places (cell, rank) SELECT value, 0 FROM json_each(?1) WHERE ${STILL} ON CONFLICT (cell) DO NOTHING`;
// `?1`: of each whose tags or place in their grids changed: [own_id, shown asset_id, its sort_ms, tags].
const DROP_TAGS = `DELETE FROM asset_tags WHERE own_id IN (SELECT value->>0 FROM json_each(?1)) AND ${STILL}`;
const ADD_TAGS = `INSERT INTO asset_tags (tag, sort_ms, asset_id, own_id) SELECT n.value, j.value->>2, j.value->>1, j.value->>0 FROM json_each(?1) j CROSS JOIN json_each(j.value, '$[3]') n WHERE ${STILL} ON CONFLICT DO NOTHING`;
// Whatever was looked at: a file's new name or folder shows in no column of an item.
const MARK_DUE = dueSql(STILL);
const DELETE_UNRESOLVED = `DELETE FROM unresolved WHERE token IN (SELECT value FROM json_each(?1)) AND ${STILL}`;
// All that is marked, and of the first so many of them the hashes: one large edit leaves many marks, and one round must stay small.
const UNRESOLVED_SQL = `SELECT token, CASE WHEN first OR total <= ?1 THEN sha256s END AS sha256s
FROM (SELECT token, sha256s, sum(length(sha256s)) OVER (ORDER BY token) AS total, row_number() OVER (ORDER BY token) = 1 AS first FROM unresolved) ORDER BY token`;
/** Albums that are called otherwise than their export says, or that the owner has away. */
const NAMED_ALBUMS_SQL = 'SELECT coalesce(import_key, album_key) AS key, coalesce(owner_title, title) AS title, removed_at_ms IS NOT NULL AS removed FROM albums WHERE owner_title IS NOT NULL OR removed_at_ms IS NOT NULL';
/** Characters of hashes that one round resolves: some 4,000 assets, as many as a batch has rows. */
const ROUND_CHARS = 270_000;
/** Hashes in one mark: a round takes marks until it is full. */
const MARK_HASHES = 2_000;

/** Says in the caller's transaction that these hashes must be resolved again. */
export function markUnresolved(db: D1Database, sha256s: Iterable<string>): D1PreparedStatement {
  return db.prepare('INSERT INTO unresolved (token, sha256s) VALUES (?1, ?2)').bind(crypto.randomUUID(), JSON.stringify([...sha256s]));
}

/**
 * SQL that marks the hashes of a query (column `sha256`), in parts that a round can take one by one; none where it gives none.
 * `token`: SQL of a text that nothing else is marked by.
 */
export const markSql = (hashes: string, token: string): string => `INSERT INTO unresolved (token, sha256s) SELECT ${token} || '-' || (n / ${MARK_HASHES}), json_group_array(sha256)
  FROM (SELECT h.sha256, row_number() OVER (ORDER BY h.sha256) - 1 AS n FROM (${hashes}) h) GROUP BY n / ${MARK_HASHES}`;

/** Resolves all that is marked, in rounds of a bounded size. Returns whether anything that pages show has changed. Idempotent; safe to run twice at once. */
export async function resolveMarked(db: D1Database, nowMs: number): Promise<boolean> {
  let changed = false;
  for (let lost = 0; lost < MAX_ATTEMPTS;) {
    const [marked, zone, named] = await db.batch<{ token: string; sha256s: string | null; value: string; key: string; title: string; removed: number }>([
      db.prepare(UNRESOLVED_SQL).bind(ROUND_CHARS), db.prepare("SELECT value FROM settings WHERE key = 'home_zone'"), db.prepare(NAMED_ALBUMS_SQL),
    ]);
    if (!marked || marked.results.length === 0) return changed;
    const tokens = JSON.stringify(marked.results.map((r) => r.token));
    const taken = marked.results.filter((r) => r.sha256s !== null);
    const hashes = new Set(taken.flatMap((r) => JSON.parse(r.sha256s ?? '[]') as string[]));
    const rows = await readResolveInputs(db, hashes);
    const titles = new Map(named?.results.map((album) => [album.key, album.removed === 1 ? null : album.title]));
    const plan = planWrites(rows, { homeZone: zone?.results[0]?.value ?? DEFAULT_ZONE, titles, nowMs });

    const statements = toJsonParts(plan.items.map((item) => ITEM_COLUMNS.map((c) => item[c]))).map((part) => db.prepare(UPSERT_ITEMS).bind(part, tokens));
    if (plan.gone.length > 0) statements.push(db.prepare(DELETE_ITEMS).bind(JSON.stringify(plan.gone), tokens));
    if (plan.cells.size > 0) statements.push(db.prepare(WANT_PLACES).bind(JSON.stringify([...plan.cells]), tokens));
    for (const part of toJsonParts(plan.tags)) statements.push(db.prepare(DROP_TAGS).bind(part, tokens), db.prepare(ADD_TAGS).bind(part, tokens));
    if (plan.squares.size > 0) statements.push(db.prepare(MARK_SQUARES_SQL).bind(JSON.stringify([...plan.squares]), tokens));
    statements.push(...writeCopies(db, [...rows.values()].map((r) => r.asset_id), tokens));
    statements.push(...importAlbums(db, plan.albums, tokens));
    if (rows.size > 0) statements.push(db.prepare(MARK_DUE).bind(JSON.stringify([...rows.values()].map((r) => r.asset_id)), tokens));
    // Without a condition of their own: built from timeline_items as they then are, they are right whoever wrote those.
    if (plan.months.size > 0) statements.push(...rebuildBuckets(db, [...plan.months], nowMs));
    statements.push(db.prepare(DELETE_UNRESOLVED).bind(JSON.stringify(taken.map((r) => r.token)), tokens));
    const done = await db.batch(statements);
    if ((done.at(-1)?.meta.changes ?? 0) === 0) { lost += 1; continue; }
    changed ||= plan.items.length > 0 || plan.gone.length > 0;
    if (taken.length === marked.results.length) return changed;
  }
  return true;
}

interface Plan { items: Item[]; gone: number[]; months: Set<number>; cells: Set<string>; squares: Set<number>; albums: Map<string, ResolvedAsset['albums']>; tags: [ownId: number, shownId: number, sortMs: number, tags: string[]][] }

/** `titles`: by an album's key what it is called instead; null: it is away. */
interface Setting { homeZone: string; titles: ReadonlyMap<string, string | null>; nowMs: number }

function planWrites(rows: ReadonlyMap<string, ResolveRow>, { homeZone, titles, nowMs }: Setting): Plan {
  const plan: Plan = { items: [], gone: [], months: new Set(), cells: new Set(), squares: new Set(), albums: new Map(), tags: [] };
  const resolved = new Map<string, ResolvedAsset>();
  const resolve = (row: ResolveRow): ResolvedAsset => {
    const known = resolved.get(row.sha256);
    if (known) return known;
    // A stack is one level deep (resolve-input.ts), so the still is never itself waiting for another.
    const still = row.stack_type === 'live' && row.primary_sha256 !== null ? rows.get(row.primary_sha256) : undefined;
    const answer = resolveAsset(toAssetInput(row, still ? resolve(still) : null, homeZone, nowMs));
    resolved.set(row.sha256, answer);
    return answer;
  };
  for (const row of rows.values()) {
    // Missing locations count: missing deletes nothing (promise 2). None at all means that the content is nowhere any more.
    if (row.located === 0) {
      if (row.t_asset_id !== null) { plan.gone.push(row.t_asset_id); plan.months.add(row.t_month ?? 0); plan.albums.set(row.sha256, []); plan.tags.push([row.asset_id, row.asset_id, 0, []]); markSquares(plan, row.t_square); }
      continue;
    }
    const answer = resolve(row);
    const shown = row.primary_sha256 === null ? row : rows.get(row.primary_sha256);
    if (shown) {
      const sortMs = sortOf(resolve(shown).time);
      const tags = JSON.stringify(answer.tags);
      const same = row.t_tags === tags && row.t_primary_sha256 === row.primary_sha256 && shown.t_sort_ms === sortMs;
      if (!same && (tags !== '[]' || (row.t_tags ?? '[]') !== '[]')) plan.tags.push([row.asset_id, shown.asset_id, sortMs, answer.tags]);
    }
    if (differs(row.imported, answer.imported_albums)) plan.albums.set(row.sha256, answer.imported_albums);
    const item = toItem(row, answer, titles);
    const before = row as unknown as Record<string, unknown>;
    const changed = ITEM_COLUMNS.filter((c) => before[`t_${c}`] !== item[c]);
    if (changed.length === 0) continue;
    plan.items.push(item);
    if (changed.includes('cell') && item.cell !== null) plan.cells.add(item.cell);
    if (changed.some((c) => c === 'square' || c === 'latitude' || c === 'longitude' || c === 'sort_ms' || c === 'shown')) markSquares(plan, row.t_square, item.square);
    if (!changed.some((c) => c === 'ratio' || c === 'sort_ms' || c === 'shown')) continue;
    plan.months.add(item.month);
    if (row.t_month !== null) plan.months.add(row.t_month);
  }
  return plan;
}

const sortOf = (time: ResolvedAsset['time']): number => (time.takenAt === null ? undefined : wallMs(time.takenAt)) ?? UNKNOWN_SORT_MS;

/** Whether stored albums are others than an export says now, or one of them has a lesser title (import-albums.ts keeps the least). */
function differs(stored: readonly AlbumImport[], said: readonly AlbumImport[]): boolean {
  const titles = new Map(stored.map((album) => [album.key, album.title]));
  return titles.size !== said.length || said.some((album) => { const title = titles.get(album.key); return title === undefined || compareText(album.title, title) < 0; });
}

/** Squares whose count, extent or newest may be another now. */
function markSquares(plan: Plan, ...squares: (number | null)[]): void {
  for (const square of squares) if (square !== null) plan.squares.add(square);
}

function toItem(row: ResolveRow, { time, position, description, ...rest }: ResolvedAsset, titles: Setting['titles']): Item {
  const sortMs = sortOf(time);
  const day = time.takenAt === null || sortMs === UNKNOWN_SORT_MS ? 0 : Number(time.takenAt.slice(0, 10).replaceAll('-', ''));
  return {
    asset_id: row.asset_id, sha256: row.sha256, kind: row.kind, width: row.width, height: row.height, ratio: ratioChar(row.width, row.height),
    duration_ms: row.duration_ms, color: row.color, grid_version: row.grid_version, preview_version: row.preview_version,
    taken_at: time.takenAt, taken_at_source: time.source, doubtful: time.doubtful ? 1 : 0, utc_offset_minutes: time.offsetMinutes, utc_offset_source: time.offsetSource, time_basis: time.basis,
    sort_ms: sortMs, month: Math.floor(day / 100), day, shown: rest.archived || row.primary_sha256 !== null ? 0 : 1,
    latitude: position?.latitude ?? null, longitude: position?.longitude ?? null, position_source: position?.source ?? null, cell: position ? cellOf(position.latitude, position.longitude) : null,
    description: description?.text ?? null, description_source: description?.source ?? null, favourite: rest.favourite ? 1 : 0, archived: rest.archived ? 1 : 0, rating: rest.rating,
    people: JSON.stringify(rest.people), tags: JSON.stringify(rest.tags), albums: JSON.stringify(rest.albums.flatMap((a) => titles.get(a.key) === undefined ? a.title : titles.get(a.key) ?? [])),
    proxy_version: row.proxy_version, stack_type: row.stack_type, primary_sha256: row.primary_sha256, members: row.members,
    live_sha256: row.live_sha256, live_proxy_version: row.live_proxy_version, square: position ? squareOf(position) : null,
  };
}
