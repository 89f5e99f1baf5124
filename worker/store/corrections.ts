// The owner's corrections: each is one edit that knows, for every asset, the touched fields of curation as they were and as
// they were made, so that it can be undone. Written in one transaction with the marks of what must be resolved again.
import * as z from 'zod';
import type { CorrectionChange, CorrectionScope } from '../../protocol/correction.ts';
import { cellOf } from '../../protocol/place.ts';
import { offsetAtWall, wallMs, wallText } from '../../protocol/time.ts';
import { cleanText, toJsonParts } from '../db/bulk.ts';
import { resolveMarked } from './timeline-items.ts';

const FIELDS = ['favourite', 'archived', 'rating', 'taken_at', 'utc_offset_minutes', 'time_shift_s', 'latitude', 'longitude', 'cell', 'no_position', 'description'] as const;
type Field = (typeof FIELDS)[number];
/** Restored together or not at all: half a position is another place. */
const POSITION: readonly Field[] = ['latitude', 'longitude', 'cell', 'no_position'];

/** Hashes in one mark; the resolver takes marks until its round is full. */
const MARK_HASHES = 2_000;
/** Another edit may take the same number at the same moment. */
const MAX_ATTEMPTS = 5;
const DAY_MS = 86_400_000;

export interface Edit { edit_id: number; at_ms: number; summary: string; assets: number; undone_at_ms: number | null; example: string | null }
export type CorrectOutcome =
  | { kind: 'done'; editId: number; assets: number }
  /** Everything is so already, or there is nothing in that scope. */
  | { kind: 'nothing' }
  /** Something else was changed after `afterEdit`. */
  | { kind: 'changed-meanwhile' };
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
function planChange(change: CorrectionChange): { set: Partial<Record<Field, string>>; constants: Partial<Record<Field | 'by_s', unknown>>; except: string } {
  const set: Partial<Record<Field, string>> = {};
  const constants: Partial<Record<Field | 'by_s', unknown>> = {};
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
  return { set, constants, except };
}

/**
 * Makes one edit of a change that was checked against its schema. `summary` is for people; with `afterEdit` (the number of
 * the newest edit that the owner had seen) a form that is sent twice changes nothing the second time.
 */
export async function applyCorrection(db: D1Database, args: { scope: CorrectionScope; change: CorrectionChange; summary: string; nowMs: number; afterEdit?: number | undefined }): Promise<CorrectOutcome> {
  const { set, constants, except } = planChange(args.change);
  const fields = FIELDS.filter((field) => set[field] !== undefined);
  const scope = scopeSql(args.scope);
  const sources = args.change.zone === undefined
    ? [{ sql: scope.sql, value: JSON.stringify(scope.value) }]
    : (await listOffsets(db, scope, args.change)).map((value) => ({ sql: 'SELECT value->>0 AS sha256, value->>1 AS utc_offset_minutes FROM json_each(?1)', value }));
  const made = JSON.stringify(constants);
  const pairs = (of: (field: Field) => string) => fields.map((field) => `'${field}', ${of(field)}`).join(', ');
  const insertRows = (source: string) => `INSERT INTO edit_rows (edit_id, sha256, before, after)
    SELECT ?3, x.sha256, x.before, x.after FROM (
      SELECT s.sha256, json_object(${pairs((field) => `c.${field}`)}) AS before, json_object(${pairs((field) => set[field] ?? 'NULL')}) AS after
      FROM (${source}) s LEFT JOIN curation c ON c.sha256 = s.sha256 WHERE ?2 IS NOT NULL AND NOT (${except})) x
    WHERE x.before IS NOT x.after`;
  const writeCuration = `INSERT INTO curation (sha256, ${fields.join(', ')}, changed_at_ms) SELECT sha256, ${fields.map((field) => `after->>'${field}'`).join(', ')}, ?2 FROM edit_rows WHERE edit_id = ?1
    ON CONFLICT (sha256) DO UPDATE SET ${[...fields, 'changed_at_ms'].map((field) => `${field} = excluded.${field}`).join(', ')}`;

  for (let attempt = 1; ; attempt += 1) {
    const newest = await newestEdit(db);
    if (args.afterEdit !== undefined && newest !== args.afterEdit) return { kind: 'changed-meanwhile' };
    const id = newest + 1;
    try {
      const done = await db.batch<{ assets: number }>([
        db.prepare('INSERT INTO edits (edit_id, at_ms, summary, assets) VALUES (?1, ?2, ?3, 0)').bind(id, args.nowMs, cleanText(args.summary)),
        ...sources.map((source) => db.prepare(insertRows(source.sql)).bind(source.value, made, id)),
        db.prepare(writeCuration).bind(id, args.nowMs),
        markEdit(db, id),
        db.prepare('UPDATE edits SET assets = (SELECT count(*) FROM edit_rows r WHERE r.edit_id = ?1) WHERE edit_id = ?1 RETURNING assets').bind(id),
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

/** The marks of all assets of an edit (`?1`), in parts that a round of the resolver can take one by one. */
function markEdit(db: D1Database, editId: number, condition = 'true'): D1PreparedStatement {
  return db.prepare(`INSERT INTO unresolved (token, sha256s)
    SELECT ?2 || '-' || (n / ${MARK_HASHES}), json_group_array(sha256) FROM (SELECT r.sha256, row_number() OVER (ORDER BY r.sha256) - 1 AS n FROM edit_rows r WHERE r.edit_id = ?1)
    WHERE ${condition} GROUP BY n / ${MARK_HASHES}`).bind(editId, crypto.randomUUID());
}

// Only an edit that stands can be undone: in one transaction with the undoing, so that two at once undo it once.
const STANDS = '(SELECT undone_at_ms FROM edits WHERE edit_id = ?1) IS NULL';
const EMPTY = FIELDS.map((field) => `${field} IS NULL`).join(' AND ');

/** SQL of an undo over these fields; `c` is curation, `r` the edit's row. Exported for the test of their plans. */
export function undoSql(fields: readonly Field[]): { count: string; restore: string; sweep: string } {
  const groups = [...fields.filter((field) => !POSITION.includes(field)).map((field) => [field]), ...(fields.some((field) => POSITION.includes(field)) ? [POSITION] : [])];
  const holds = (group: readonly Field[]) => `(${group.map((field) => `c.${field} IS (r.after->>'${field}')`).join(' AND ')})`;
  const changed = (group: readonly Field[]) => `(${group.map((field) => `(r.before->>'${field}') IS NOT (r.after->>'${field}')`).join(' OR ')})`;
  const some = groups.map((group) => `(${changed(group)} AND ${holds(group)})`).join(' OR ');
  const sets = groups.flatMap((group) => group.map((field) => `${field} = CASE WHEN ${holds(group)} THEN r.before->>'${field}' ELSE c.${field} END`));
  return {
    count: `SELECT sum(${some}) AS restored, sum(${groups.map((group) => `(${changed(group)} AND NOT ${holds(group)})`).join(' OR ')}) AS kept
      FROM edit_rows r CROSS JOIN curation c ON c.sha256 = r.sha256 WHERE r.edit_id = ?1 AND ${STANDS}`,
    restore: `UPDATE curation AS c SET ${sets.join(', ')}, changed_at_ms = ?2 FROM edit_rows r WHERE r.edit_id = ?1 AND r.sha256 = c.sha256 AND (${some}) AND ${STANDS}`,
    sweep: `DELETE FROM curation WHERE sha256 IN (SELECT r.sha256 FROM edit_rows r WHERE r.edit_id = ?1) AND ${EMPTY} AND ${STANDS}`,
  };
}

/** Restores what an edit changed, where it still is what that edit made it. Undefined where there is no such edit. */
export async function undoEdit(db: D1Database, editId: number, nowMs: number): Promise<UndoOutcome | undefined> {
  const edit = await db.prepare('SELECT e.undone_at_ms, (SELECT r.after FROM edit_rows r WHERE r.edit_id = e.edit_id LIMIT 1) AS after FROM edits e WHERE e.edit_id = ?1')
    .bind(editId).first<{ undone_at_ms: number | null; after: string }>();
  if (!edit) return undefined;
  const named = Object.keys(z.record(z.string(), z.unknown()).parse(JSON.parse(edit.after)));
  const sql = undoSql(FIELDS.filter((field) => named.includes(field)));
  const done = await db.batch<{ restored: number | null; kept: number | null }>([
    db.prepare(sql.count).bind(editId),
    db.prepare(sql.restore).bind(editId, nowMs),
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
