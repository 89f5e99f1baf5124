// The owner's corrections: each is one edit that knows, for every asset, the touched fields of curation as they were and as
// they were made, so that it can be undone. Written in one transaction with the marks of what must be resolved again.
import * as z from 'zod';
import type { CorrectionChange, CorrectionScope } from '../../protocol/correction.ts';
import { cellOf } from '../../protocol/place.ts';
import { offsetAtWall, wallMs, wallText } from '../../protocol/time.ts';
import { cleanText, toJsonParts } from '../db/bulk.ts';
import { ALBUMS_AFTER, ALBUMS_BEFORE, mergedTags, TAGS_AFTER, TAGS_BEFORE, UNDO_ALBUMS, UNDO_TAGS, WRITE_ALBUMS } from './correction-lists.ts';
import { OWNER_FIELDS, POSITION_FIELDS, VALUE_FIELDS, type OwnerField } from './owner-fields.ts';
import { markSql, resolveMarked } from './timeline-items.ts';

type Field = Exclude<OwnerField, 'tags'>;
/** Each entry of these has a state of its own (correction-lists.ts). */
const LISTS = ['tags', 'albums'] as const;
type Touched = Field | (typeof LISTS)[number];

/** Another edit may take the same number at the same moment. */
const MAX_ATTEMPTS = 5;
const DAY_MS = 86_400_000;

export interface Edit { edit_id: number; at_ms: number; summary: string; assets: number; undone_at_ms: number | null; example: string | null }
export type CorrectOutcome =
  | { kind: 'done'; editId: number; assets: number }
  /** Everything is so already, or there is nothing in that scope. */
  | { kind: 'nothing' }
  /** Something else was changed after `afterEdit`. */
  | { kind: 'changed-meanwhile' }
  /** The change names albums that nothing can be put into or taken out of: there is none of that number, or it is smart or away. */
  | { kind: 'no-such-album'; albumIds: number[] };
export interface UndoOutcome {
  /** False where it was undone before; then nothing happens. */
  now: boolean;
  /** Assets of which something was restored, and of which a later edit was left alone. */
  restored: number; kept: number;
}

/** SQL that lists the hashes of a scope, with what `?1` then is. A Live Photo's video follows its still, so the still is meant. */
export function scopeSql(scope: CorrectionScope): { sql: string; value: unknown } {
  const still = "t.stack_type IS NOT 'live'";
  switch (scope.kind) {
    case 'assets': return {
      sql: `SELECT DISTINCT CASE WHEN t.stack_type = 'live' THEN t.primary_sha256 ELSE t.sha256 END AS sha256
        FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value CROSS JOIN timeline_items t ON t.asset_id = a.asset_id`, value: scope.sha256s,
    };
    case 'day': {
      const from = wallMs(dayWall(scope.day)) ?? 0;
      return { sql: `SELECT t.sha256 FROM timeline_items t INDEXED BY timeline_items_all WHERE t.sort_ms >= ?1->>0 AND t.sort_ms < ?1->>1 AND ${still}`, value: [from, wallMs(dayWall(scope.day)) === undefined ? 0 : from + DAY_MS] };
    }
    case 'camera': return {
      sql: `SELECT t.sha256 FROM assets a INDEXED BY assets_by_camera CROSS JOIN timeline_items t ON t.asset_id = a.asset_id
        WHERE a.camera = ?1->>0 AND t.day BETWEEN ?1->>1 AND ?1->>2 AND ${still}`, value: [scope.camera, scope.from ?? 0, scope.to ?? 99_999_999],
    };
    case 'place': return {
      sql: `SELECT t.sha256 FROM places p INDEXED BY places_by_name CROSS JOIN timeline_items t INDEXED BY timeline_items_by_cell ON t.cell = p.cell AND t.shown = 1
        WHERE p.country_code IS ?1->>0 AND p.region IS ?1->>1 AND p.city IS ?1->>2`, value: [scope.country_code, scope.region, scope.city],
    };
  }
}

function dayWall(day: number): string {
  const text = String(day).padStart(8, '0');
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}T00:00:00`;
}

/** For each touched field the SQL of its new value (`?2`: constants, `c`: the row of curation, `s`: of the scope), and which rows stay as they are. */
function planChange(change: CorrectionChange): { set: Partial<Record<Field, string>>; constants: Partial<Record<Touched | 'by_s', unknown>>; except: string } {
  const set: Partial<Record<Field, string>> = {};
  const constants: Partial<Record<Touched | 'by_s', unknown>> = {};
  let except = 'false';
  const put = (field: Field, value: unknown) => { set[field] = `?2->>'${field}'`; constants[field] = value; };
  const by = change.shift_s ?? change.move_s;
  if (change.taken_at !== undefined) {
    put('taken_at', change.taken_at);
    if (change.taken_at === null) { put('utc_offset_minutes', null); put('time_shift_s', null); }
  }
  if (change.utc_offset_minutes !== undefined) put('utc_offset_minutes', change.utc_offset_minutes);
  if (change.zone !== undefined) set.utc_offset_minutes = 's.utc_offset_minutes';
  if (by !== undefined) {
    constants.by_s = by;
    const shifted = "nullif(coalesce(c.time_shift_s, 0) + (?2->>'by_s'), 0)";
    if (change.shift_s !== undefined) { set.time_shift_s = shifted; except = 'c.taken_at IS NOT NULL'; } else {
      set.time_shift_s = `CASE WHEN c.taken_at IS NULL THEN ${shifted} ELSE c.time_shift_s END`;
      // A time that would leave the calendar stays.
      set.taken_at = "CASE WHEN c.taken_at IS NOT NULL THEN coalesce(strftime('%Y-%m-%dT%H:%M:%S', c.taken_at, (?2->>'by_s') || ' seconds'), c.taken_at) END";
    }
  }
  if (change.position !== undefined) {
    const at = change.position === null || change.position === 'none' ? null : change.position;
    put('latitude', at?.latitude ?? null);
    put('longitude', at?.longitude ?? null);
    put('cell', at ? cellOf(at.latitude, at.longitude) : null);
    put('no_position', change.position === 'none' ? 1 : null);
  }
  if (change.description !== undefined) put('description', cleanText(change.description));
  for (const field of ['favourite', 'archived'] as const) if (change[field] !== undefined) put(field, change[field] === null ? null : Number(change[field]));
  if (change.rating !== undefined) put('rating', change.rating);
  const tags = new Map([...(change.tags_add ?? []).map((tag) => [cleanText(tag), 'add']), ...(change.tags_remove ?? []).map((tag) => [cleanText(tag), 'remove'])] as [string, string][]);
  if (tags.size > 0) constants.tags = [...tags];
  return { set, constants, except };
}

/** The albums of a change as correction-lists.ts takes them, or those among them that are none. */
async function planAlbums(db: D1Database, change: CorrectionChange): Promise<{ albums: [id: number, what: 'put' | 'take', imported: number][]; unknown: number[] }> {
  const [put, take] = [new Set(change.albums_add), new Set(change.albums_remove)];
  if (put.size + take.size === 0) return { albums: [], unknown: [] };
  const { results } = await db.prepare('SELECT b.album_id, b.import_key IS NOT NULL AS imported FROM json_each(?1) j CROSS JOIN albums b ON b.album_id = j.value WHERE b.removed_at_ms IS NULL AND b.query IS NULL')
    .bind(JSON.stringify([...put, ...take])).all<{ album_id: number; imported: number }>();
  const known = new Set(results.map((album) => album.album_id));
  return { albums: results.map((album) => [album.album_id, put.has(album.album_id) ? 'put' : 'take', album.imported]), unknown: [...put, ...take].filter((id) => !known.has(id)) };
}

// An album shows a stack by its primary, whichever of it lies inside: all of it is taken out.
const membersSql = (scope: string): string => `SELECT t.sha256 FROM (${scope}) o CROSS JOIN stacks k ON k.primary_sha256 = o.sha256 CROSS JOIN assets a ON a.sha256 = k.member_sha256
  CROSS JOIN timeline_items t ON t.asset_id = a.asset_id AND t.primary_sha256 = o.sha256`;

/**
 * Makes one edit of a change that was checked against its schema. `summary` is for people; with `afterEdit` (the number of
 * the newest edit that the owner had seen) a form that is sent twice changes nothing the second time.
 */
export async function applyCorrection(db: D1Database, args: { scope: CorrectionScope; change: CorrectionChange; summary: string; nowMs: number; afterEdit?: number | undefined }): Promise<CorrectOutcome> {
  const { set, constants, except } = planChange(args.change);
  const { albums, unknown } = await planAlbums(db, args.change);
  if (unknown.length > 0) return { kind: 'no-such-album', albumIds: unknown };
  if (albums.length > 0) constants.albums = albums;
  const fields = VALUE_FIELDS.filter((field) => set[field] !== undefined);
  const scope = scopeSql(args.scope);
  const sources = args.change.zone === undefined
    ? [{ sql: scope.sql, value: JSON.stringify(scope.value) }]
    : (await listOffsets(db, scope, args.change)).map((value) => ({ sql: 'SELECT value->>0 AS sha256, value->>1 AS utc_offset_minutes FROM json_each(?1)', value }));
  const made = JSON.stringify(constants);
  const insertRows = (source: string, of: (field: Field) => string, tagsAfter: string) => {
    const pairs = (each: (field: Field) => string, tags: string, list: string) => [...fields.map((field) => `'${field}', ${each(field)}`), ...(constants.tags ? [`'tags', json(${tags})`] : []), ...(constants.albums ? [`'albums', json(${list})`] : [])].join(', ');
    return `INSERT INTO edit_rows (edit_id, sha256, before, after)
    SELECT ?3, x.sha256, x.before, x.after FROM (
      SELECT s.sha256, json_object(${pairs((field) => `c.${field}`, TAGS_BEFORE, ALBUMS_BEFORE)}) AS before, json_object(${pairs(of, tagsAfter, ALBUMS_AFTER)}) AS after
      FROM (${source}) s LEFT JOIN curation c ON c.sha256 = s.sha256 WHERE ?2 IS NOT NULL AND NOT (${except})) x
    WHERE x.before IS NOT x.after ON CONFLICT DO NOTHING`;
  };
  const inserts = sources.map((source) => ({ sql: insertRows(source.sql, (field) => set[field] ?? 'NULL', TAGS_AFTER), value: source.value }));
  if (albums.some(([, what]) => what === 'take')) inserts.push({ sql: insertRows(membersSql(scope.sql), (field) => `c.${field}`, TAGS_BEFORE), value: JSON.stringify(scope.value) });
  const written = [...fields, ...(constants.tags ? ['tags'] : [])];
  const writeCuration = `INSERT INTO curation (sha256, ${written.join(', ')}, changed_at_ms)
    SELECT r.sha256, ${[...fields.map((field) => `r.after->>'${field}'`), ...(constants.tags ? [mergedTags('c.tags')] : [])].join(', ')}, ?2 FROM edit_rows r LEFT JOIN curation c ON c.sha256 = r.sha256 WHERE r.edit_id = ?1
    ON CONFLICT (sha256) DO UPDATE SET ${[...written, 'changed_at_ms'].map((field) => `${field} = excluded.${field}`).join(', ')}`;

  for (let attempt = 1; ; attempt += 1) {
    const newest = await newestEdit(db);
    if (args.afterEdit !== undefined && newest !== args.afterEdit) return { kind: 'changed-meanwhile' };
    const id = newest + 1;
    try {
      const done = await db.batch<{ assets: number }>([
        db.prepare('INSERT INTO edits (edit_id, at_ms, summary, assets) VALUES (?1, ?2, ?3, 0)').bind(id, args.nowMs, cleanText(args.summary)),
        ...inserts.map(({ sql, value }) => db.prepare(sql).bind(value, made, id)),
        ...(written.length > 0 ? [db.prepare(writeCuration).bind(id, args.nowMs)] : []),
        ...(albums.length > 0 ? WRITE_ALBUMS.map((sql) => db.prepare(sql).bind(id)) : []),
        markEdit(db, id),
        db.prepare(albums.length > 0 ? COUNT_STACKS_SQL : 'UPDATE edits SET assets = (SELECT count(*) FROM edit_rows r WHERE r.edit_id = ?1) WHERE edit_id = ?1 RETURNING assets').bind(id),
        db.prepare('DELETE FROM edits WHERE edit_id = ?1 AND assets = 0').bind(id),
      ]);
      const assets = done.at(-2)?.results[0]?.assets ?? 0;
      if (assets === 0) return { kind: 'nothing' };
      await resolveMarked(db, args.nowMs);
      return { kind: 'done', editId: id, assets };
    } catch (error) {
      // Only the number of the edit is unique here: someone else took it, and nothing of this was written.
      if (!(error instanceof Error && error.message.includes('UNIQUE')) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** Of a stack that was taken out of an album each member has a row; people see one. */
const COUNT_STACKS_SQL = `UPDATE edits SET assets = (SELECT count(DISTINCT coalesce(t.primary_sha256, t.sha256)) FROM edit_rows r CROSS JOIN assets a ON a.sha256 = r.sha256 CROSS JOIN timeline_items t ON t.asset_id = a.asset_id
  WHERE r.edit_id = ?1) WHERE edit_id = ?1 RETURNING assets`;

/** The number of the newest edit, 0 where there is none. */
export async function newestEdit(db: D1Database): Promise<number> {
  return (await db.prepare('SELECT coalesce(max(edit_id), 0) AS n FROM edits').first<number>('n')) ?? 0;
}

/** Hash and offset of each asset of a scope, as JSON lists of a bounded size: offsets change with the date, and only the runtime knows them. */
async function listOffsets(db: D1Database, scope: { sql: string; value: unknown }, change: CorrectionChange): Promise<string[]> {
  const zone = change.zone ?? '';
  const { results } = await db.prepare(`SELECT s.sha256, t.taken_at FROM (${scope.sql}) s CROSS JOIN assets a ON a.sha256 = s.sha256 CROSS JOIN timeline_items t ON t.asset_id = a.asset_id`)
    .bind(JSON.stringify(scope.value)).all<{ sha256: string; taken_at: string | null }>();
  // Zones change their offset on the hour, or close enough to it.
  const known = new Map<string, number | undefined>();
  return toJsonParts(results.flatMap(({ sha256, taken_at }) => {
    const ms = wallMs(change.taken_at ?? taken_at ?? '');
    if (ms === undefined) return [];
    const hour = `${wallText(ms + (change.shift_s ?? change.move_s ?? 0) * 1000).slice(0, 13)}:00:00`;
    if (!known.has(hour)) known.set(hour, offsetAtWall(zone, hour));
    const offset = known.get(hour);
    return offset === undefined ? [] : [[sha256, offset]];
  }));
}

/** Marks all assets of an edit. */
function markEdit(db: D1Database, editId: number, condition = 'true'): D1PreparedStatement {
  return db.prepare(markSql(`SELECT r.sha256 FROM edit_rows r WHERE r.edit_id = ?1 AND ${condition}`, '?2')).bind(editId, crypto.randomUUID());
}

// Only an edit that stands can be undone: in one transaction with the undoing, so that two at once undo it once.
const STANDS = '(SELECT undone_at_ms FROM edits WHERE edit_id = ?1) IS NULL';
const EMPTY = OWNER_FIELDS.map((field) => `${field} IS NULL`).join(' AND ');

/** SQL of an undo over what an edit touched; `c` is curation, `r` the edit's row. Exported for the test of their plans. */
export function undoSql(touched: readonly Touched[]): { count: string; restore: string[]; sweep: string } {
  const fields = VALUE_FIELDS.filter((field) => touched.includes(field));
  const groups = [...fields.filter((field) => !POSITION_FIELDS.includes(field)).map((field) => [field]), ...(fields.some((field) => POSITION_FIELDS.includes(field)) ? [POSITION_FIELDS] : [])];
  const holds = (group: readonly Field[]) => `(${group.map((field) => `c.${field} IS (r.after->>'${field}')`).join(' AND ')})`;
  const changed = (group: readonly Field[]) => `(${group.map((field) => `(r.before->>'${field}') IS NOT (r.after->>'${field}')`).join(' OR ')})`;
  const some = groups.map((group) => `(${changed(group)} AND ${holds(group)})`);
  const kept = groups.map((group) => `(${changed(group)} AND NOT ${holds(group)})`);
  const sets: [column: string, value: string][] = groups.flatMap((group) => group.map((field): [string, string] => [field, `CASE WHEN ${holds(group)} THEN r.before->>'${field}' ELSE c.${field} END`]));
  if (touched.includes('tags')) { some.push(UNDO_TAGS.some); kept.push(UNDO_TAGS.kept); sets.push(['tags', UNDO_TAGS.value]); }
  const columns = sets.map(([column]) => column);
  // The row may have been swept since: then nothing stands in it, and what was comes back into a new one.
  const curation = sets.length === 0 ? [] : [`INSERT INTO curation (sha256, ${columns.join(', ')}, changed_at_ms) SELECT r.sha256, ${sets.map(([, value]) => value).join(', ')}, ?2
    FROM edit_rows r LEFT JOIN curation c ON c.sha256 = r.sha256 WHERE r.edit_id = ?1 AND (${some.join(' OR ')}) AND ${STANDS}
    ON CONFLICT (sha256) DO UPDATE SET ${[...columns, 'changed_at_ms'].map((column) => `${column} = excluded.${column}`).join(', ')}`];
  const albums = touched.includes('albums');
  return {
    count: `SELECT sum(${[...some, ...(albums ? [UNDO_ALBUMS.some] : [])].join(' OR ')}) AS restored, sum(${[...kept, ...(albums ? [UNDO_ALBUMS.kept] : [])].join(' OR ')}) AS kept
      FROM edit_rows r LEFT JOIN curation c ON c.sha256 = r.sha256 WHERE r.edit_id = ?1 AND ${STANDS}`,
    restore: [...curation, ...(albums ? UNDO_ALBUMS.write(STANDS) : [])],
    sweep: `DELETE FROM curation WHERE sha256 IN (SELECT r.sha256 FROM edit_rows r WHERE r.edit_id = ?1) AND ${EMPTY} AND ${STANDS}`,
  };
}

/** Restores what an edit changed, where it still is what that edit made it. Undefined where there is no such edit. */
export async function undoEdit(db: D1Database, editId: number, nowMs: number): Promise<UndoOutcome | undefined> {
  const edit = await db.prepare('SELECT e.undone_at_ms, (SELECT r.after FROM edit_rows r WHERE r.edit_id = e.edit_id LIMIT 1) AS after FROM edits e WHERE e.edit_id = ?1')
    .bind(editId).first<{ undone_at_ms: number | null; after: string }>();
  if (!edit) return undefined;
  const named = Object.keys(z.record(z.string(), z.unknown()).parse(JSON.parse(edit.after)));
  const sql = undoSql([...VALUE_FIELDS, ...LISTS].filter((field) => named.includes(field)));
  const done = await db.batch<{ restored: number | null; kept: number | null }>([
    db.prepare(sql.count).bind(editId),
    ...sql.restore.map((each) => db.prepare(each).bind(...(each.includes('?2') ? [editId, nowMs] : [editId]))),
    db.prepare(sql.sweep).bind(editId),
    markEdit(db, editId, STANDS),
    db.prepare('UPDATE edits SET undone_at_ms = ?2 WHERE edit_id = ?1 AND undone_at_ms IS NULL').bind(editId, nowMs),
  ]);
  await resolveMarked(db, nowMs);
  const counts = done[0]?.results[0];
  return { now: (done.at(-1)?.meta.changes ?? 0) > 0, restored: counts?.restored ?? 0, kept: counts?.kept ?? 0 };
}

export const EDITS_SQL = `SELECT e.edit_id, e.at_ms, e.summary, e.assets, e.undone_at_ms, (SELECT r.sha256 FROM edit_rows r WHERE r.edit_id = e.edit_id LIMIT 1) AS example
  FROM edits e WHERE e.edit_id < ?1 ORDER BY e.edit_id DESC LIMIT ?2`;

/** Edits older than `before`, newest first, each with one of its assets. */
export async function listEdits(db: D1Database, before: number, limit: number): Promise<Edit[]> {
  return (await db.prepare(EDITS_SQL).bind(before, limit).all<Edit>()).results;
}

export async function findEdit(db: D1Database, editId: number): Promise<Edit | undefined> {
  const edit = (await listEdits(db, editId + 1, 1))[0];
  return edit?.edit_id === editId ? edit : undefined;
}

/** How many assets a scope holds, and how many of those have a capture time that the owner gave. */
export async function countScope(db: D1Database, scope: CorrectionScope): Promise<{ assets: number; own: number }> {
  const { sql, value } = scopeSql(scope);
  const row = await db.prepare(`SELECT count(*) AS assets, coalesce(sum(c.taken_at IS NOT NULL), 0) AS own FROM (${sql}) s LEFT JOIN curation c ON c.sha256 = s.sha256`).bind(JSON.stringify(value)).first<{ assets: number; own: number }>();
  return { assets: row?.assets ?? 0, own: row?.own ?? 0 };
}
