// Vectors by space and asset: what is still to be made, what is made, and what the engine has not got yet. Lists of work are tables
// of their own, as long as the work: a trigger notes each asset that gets a preview, so no stage has to think of it.
import type { StatementSync } from 'node:sqlite';
import { spaceKey, VectorSpace } from '../../protocol/vector.ts';
import type { AssetKind } from '../../protocol/words.ts';
import type { Catalog } from './catalog.ts';

/** A command that only looks needs no more of a catalog than this. */
interface Reads { prepare(sql: string): StatementSync }

/** `modelDir`: where the model that makes it was found; null where it was downloaded. */
export interface SpaceRow { id: number; key: string; space: VectorSpace; modelDir: string | null }

const CHOSEN = 'vectors_space';
const TOLD = 'search_space_told';

export function listSpaces(catalog: Reads): SpaceRow[] {
  return catalog.prepare('SELECT id, space, said, model_dir FROM vector_spaces ORDER BY id').all().map((r) => ({
    id: Number(r['id']), key: String(r['space']), space: VectorSpace.parse(JSON.parse(String(r['said']))), modelDir: String(r['model_dir']) || null,
  }));
}

/** The space that vectors are made in. It outlives the model: what was made can be written without one. */
export function chosenSpace(catalog: Reads): SpaceRow | undefined {
  const key = catalog.prepare('SELECT value FROM meta WHERE key = ?').get(CHOSEN)?.['value'];
  return listSpaces(catalog).find((s) => s.key === key);
}

/** From now on vectors are made in this space: every asset with a preview that has none in it is to be embedded. Idempotent. */
export function chooseSpace(catalog: Catalog, space: VectorSpace, modelDir: string | null): SpaceRow {
  const key = spaceKey(space);
  return catalog.transact(() => {
    catalog.prepare("INSERT INTO vector_spaces (space, said, model_dir) VALUES (?1, ?2, ?3) ON CONFLICT (space) DO UPDATE SET model_dir = excluded.model_dir").run(key, JSON.stringify(space), modelDir ?? '');
    const row = listSpaces(catalog).find((s) => s.key === key) as SpaceRow;
    if (catalog.getMeta(CHOSEN) !== key) {
      catalog.setMeta(CHOSEN, key);
      catalog.prepare('DELETE FROM vectors_to_make').run();
      catalog.prepare('DELETE FROM vectors_due').run();
      catalog.prepare('INSERT INTO vectors_due SELECT sha256 FROM assets a WHERE preview_version > 0 AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.space_id = ?1 AND v.sha256 = a.sha256)').run(row.id);
    }
    return row;
  });
}

// ── what is to be made ──

/** Versions are those of the renditions that are made (0: none), sizes are upright, in pixels. */
export interface VectorTask { sha256: string; newestMs: number; gridVersion: number; previewVersion: number; width: number | null; height: number | null }

const MOVED_AT_ONCE = 250;
/** How a hash is known to belong to some file, also to one that is missing (it may come back). */
const HAS_FILE = "EXISTS (SELECT 1 FROM files f INDEXED BY files_by_sha256 WHERE f.sha256 = d.sha256 AND f.seen_as = 'asset')";

/** The next assets to embed after `after`, newest file first (as catalog/proxies.ts has it). Those that `orderVectorsDue` has not put in order yet are not among them. */
export function listVectorsToMake(catalog: Reads, after: Pick<VectorTask, 'newestMs' | 'sha256'>, limit: number): VectorTask[] {
  return catalog.prepare(`SELECT m.newest_ms, m.sha256, a.grid_version, a.preview_version, a.facts ->> '$.width' AS width, a.facts ->> '$.height' AS height FROM vectors_to_make m LEFT JOIN assets a ON a.sha256 = m.sha256
    WHERE m.newest_ms <= ?1 AND (m.newest_ms < ?1 OR m.sha256 > ?2) ORDER BY m.newest_ms DESC, m.sha256 LIMIT ?3`).all(after.newestMs, after.sha256, limit)
    .map((r) => ({ sha256: String(r['sha256']), newestMs: Number(r['newest_ms']), gridVersion: Number(r['grid_version'] ?? 0), previewVersion: Number(r['preview_version'] ?? 0), width: r['width'] as number | null, height: r['height'] as number | null }));
}

/** Puts a slice of what is due in order; false once nothing is left. What has a vector already, or no file any more, drops out. */
export function orderVectorsDue(catalog: Catalog, spaceId: number): boolean {
  return catalog.transact(() => {
    const due = catalog.prepare(`SELECT d.sha256, EXISTS (SELECT 1 FROM vectors v WHERE v.space_id = ?1 AND v.sha256 = d.sha256) AS made,
      (SELECT max(f.mtime_ms) FROM files f INDEXED BY files_by_sha256 WHERE f.sha256 = d.sha256 AND f.seen_as = 'asset') AS newest_ms FROM vectors_due d LIMIT ${MOVED_AT_ONCE}`).all(spaceId);
    const put = catalog.prepare('INSERT OR IGNORE INTO vectors_to_make (newest_ms, sha256) VALUES (?, ?)');
    const drop = catalog.prepare('DELETE FROM vectors_due WHERE sha256 = ?');
    for (const r of due) {
      if (!r['made'] && r['newest_ms'] !== null) put.run(r['newest_ms'] as number, r['sha256'] as string);
      drop.run(r['sha256'] as string);
    }
    return due.length === MOVED_AT_ONCE;
  });
}

export function countVectorsToMake(catalog: Reads): number {
  return Number(catalog.prepare('SELECT (SELECT count(*) FROM vectors_due) + (SELECT count(*) FROM vectors_to_make) AS n').get()?.['n'] ?? 0);
}

/** The vector is kept and the engine is to get it, in one transaction. */
export function putVector(catalog: Catalog, spaceId: number, task: Pick<VectorTask, 'sha256' | 'newestMs'>, vector: Float32Array): void {
  put(catalog, spaceId, task, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), null);
}

/** None can be made of it. */
export function putNoVector(catalog: Catalog, spaceId: number, task: Pick<VectorTask, 'sha256' | 'newestMs'>, reason: string): void {
  put(catalog, spaceId, task, new Uint8Array(0), reason);
}

function put(catalog: Catalog, spaceId: number, task: Pick<VectorTask, 'sha256' | 'newestMs'>, bytes: Uint8Array, failed: string | null): void {
  catalog.transact(() => {
    catalog.prepare('INSERT OR REPLACE INTO vectors (space_id, sha256, vector, failed) VALUES (?, ?, ?, ?)').run(spaceId, task.sha256, bytes, failed);
    catalog.prepare('DELETE FROM vectors_to_make WHERE newest_ms = ? AND sha256 = ?').run(task.newestMs, task.sha256);
    catalog.prepare('DELETE FROM vectors_to_remove WHERE space_id = ? AND sha256 = ?').run(spaceId, task.sha256);
    if (failed === null) catalog.prepare('INSERT OR IGNORE INTO vectors_to_write VALUES (?, ?)').run(spaceId, task.sha256);
  });
}

/** It is done or can no longer be had: off the list without a word. */
export function dropVectorTask(catalog: Catalog, task: Pick<VectorTask, 'sha256' | 'newestMs'>): void {
  catalog.prepare('DELETE FROM vectors_to_make WHERE newest_ms = ? AND sha256 = ?').run(task.newestMs, task.sha256);
}

/** The vector of an asset; undefined where none was made. */
export function readVector(catalog: Reads, spaceId: number, sha256: string): Float32Array | undefined {
  const bytes = catalog.prepare('SELECT vector FROM vectors WHERE space_id = ? AND sha256 = ? AND failed IS NULL').get(spaceId, sha256)?.['vector'] as Uint8Array | undefined;
  return bytes && new Float32Array(Uint8Array.from(bytes).buffer);
}

// ── what the engine has not got ──

export interface KeptVector { sha256: string; vector: Float32Array; kind: AssetKind; camera: string | null }

export function listVectorsToWrite(catalog: Reads, spaceId: number, limit: number): KeptVector[] {
  return catalog.prepare(`SELECT w.sha256, v.vector, a.kind, a.facts ->> '$.camera' AS camera FROM vectors_to_write w JOIN vectors v ON v.space_id = w.space_id AND v.sha256 = w.sha256
    JOIN assets a ON a.sha256 = w.sha256 WHERE w.space_id = ? LIMIT ?`).all(spaceId, limit)
    // Copied: a blob's bytes may start anywhere, and floats may not.
    .map((r) => ({ sha256: String(r['sha256']), vector: new Float32Array(Uint8Array.from(r['vector'] as Uint8Array).buffer), kind: String(r['kind']) as AssetKind, camera: r['camera'] as string | null }));
}

export function listVectorsToRemove(catalog: Reads, spaceId: number, limit: number): string[] {
  return catalog.prepare('SELECT sha256 FROM vectors_to_remove WHERE space_id = ? LIMIT ?').all(spaceId, limit).map((r) => String(r['sha256']));
}

/** The engine has them. */
export function markWritten(catalog: Catalog, spaceId: number, sha256s: readonly string[]): void { drop(catalog, 'vectors_to_write', spaceId, sha256s); }
/** The engine has them no more. */
export function markRemoved(catalog: Catalog, spaceId: number, sha256s: readonly string[]): void { drop(catalog, 'vectors_to_remove', spaceId, sha256s); }

function drop(catalog: Catalog, table: 'vectors_to_write' | 'vectors_to_remove', spaceId: number, sha256s: readonly string[]): void {
  catalog.transact(() => { for (const sha256 of sha256s) catalog.prepare(`DELETE FROM ${table} WHERE space_id = ? AND sha256 = ?`).run(spaceId, sha256); });
}

/** The engine was emptied, or is another one: it is to get every vector of the space again. */
export function forgetWritten(catalog: Catalog, spaceId: number): void {
  catalog.transact(() => {
    catalog.prepare('INSERT OR IGNORE INTO vectors_to_write SELECT space_id, sha256 FROM vectors WHERE space_id = ? AND failed IS NULL').run(spaceId);
    catalog.prepare('DELETE FROM vectors_to_remove WHERE space_id = ?').run(spaceId);
  });
}

/** What waits to be written or removed: all spaces, or one. */
export function countVectorsToPush(catalog: Reads, spaceId?: number): number {
  const of = spaceId === undefined ? '' : ' WHERE space_id = ?1';
  return Number(catalog.prepare(`SELECT (SELECT count(*) FROM vectors_to_write${of}) + (SELECT count(*) FROM vectors_to_remove${of}) AS n`).get(...(spaceId === undefined ? [] : [spaceId]))?.['n'] ?? 0);
}

export interface SpaceCounts { made: number; failed: number; written: number }

/** Reads an index from end to end: not for every status. */
export function countSpace(catalog: Reads, spaceId: number): SpaceCounts {
  const n = (sql: string): number => Number(catalog.prepare(sql).get(spaceId)?.['n'] ?? 0);
  const failed = n('SELECT count(*) AS n FROM vectors INDEXED BY vectors_failed WHERE space_id = ? AND failed IS NOT NULL');
  const made = n('SELECT count(*) AS n FROM vectors WHERE space_id = ?') - failed;
  return { made, failed, written: made - n('SELECT count(*) AS n FROM vectors_to_write WHERE space_id = ?') };
}

export function listFailedVectors(catalog: Reads, spaceId: number, limit: number): { sha256: string; reason: string }[] {
  return catalog.prepare('SELECT sha256, failed FROM vectors INDEXED BY vectors_failed WHERE space_id = ? AND failed IS NOT NULL ORDER BY sha256 LIMIT ?').all(spaceId, limit).map((r) => ({ sha256: String(r['sha256']), reason: String(r['failed']) }));
}

// ── spaces that come and go ──

/** What the Worker was told to search in. `epoch`: of the catalog (another one: the Worker lost what it was told). `whole`: all of them were written by then. */
export interface ToldSpace { space: string; engine: string; epoch: string; whole: boolean; vectors: number }

export function readTold(catalog: Reads): ToldSpace | undefined {
  const text = catalog.prepare('SELECT value FROM meta WHERE key = ?').get(TOLD)?.['value'];
  return typeof text === 'string' && text !== '' ? JSON.parse(text) as ToldSpace : undefined;
}

export function writeTold(catalog: Catalog, told: ToldSpace | null): void { catalog.setMeta(TOLD, told ? JSON.stringify(told) : ''); }

const DROPPED_AT_ONCE = 1_000;

/** Drops a slice of a space that no longer answers; false once nothing of it is left. */
export function dropSpaceSlice(catalog: Catalog, spaceId: number): boolean {
  return catalog.transact(() => {
    const slice = catalog.prepare(`DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors WHERE space_id = ? LIMIT ${DROPPED_AT_ONCE})`).run(spaceId);
    if (Number(slice.changes) === DROPPED_AT_ONCE) return true;
    for (const table of ['vectors_to_write', 'vectors_to_remove'] as const) catalog.prepare(`DELETE FROM ${table} WHERE space_id = ?`).run(spaceId);
    catalog.prepare('DELETE FROM vector_spaces WHERE id = ?').run(spaceId);
    return false;
  });
}

const SWEPT_AT_ONCE = 500;

/**
 * Looks at a slice of hashes after `after`: a vector whose asset no file holds any more goes, here and in the engine; with
 * `alsoDue`, an asset that came back without its vector is due again (only while nothing else is to be made). Returns where to go on, or null at the end.
 */
export function sweepVectorsSlice(catalog: Catalog, spaceId: number, after: string, alsoDue: boolean): string | null {
  return catalog.transact(() => {
    const vectors = catalog.prepare(`SELECT d.sha256, d.failed IS NULL AS has, ${HAS_FILE} AS kept FROM vectors d WHERE d.space_id = ?1 AND d.sha256 > ?2 ORDER BY d.sha256 LIMIT ${SWEPT_AT_ONCE}`).all(spaceId, after);
    const assets = !alsoDue ? [] : catalog.prepare(`SELECT d.sha256, d.preview_version > 0 AND ${HAS_FILE} AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.space_id = ?1 AND v.sha256 = d.sha256) AS due
      FROM assets d WHERE d.sha256 > ?2 ORDER BY d.sha256 LIMIT ${SWEPT_AT_ONCE}`).all(spaceId, after);
    const ends = [vectors, assets].flatMap((rows) => (rows.length === SWEPT_AT_ONCE ? [String(rows.at(-1)?.['sha256'])] : []));
    const end = ends.length > 0 ? ends.reduce((a, b) => (a < b ? a : b)) : null;
    const inSlice = (r: Record<string, unknown>): boolean => end === null || String(r['sha256']) <= end;
    for (const r of vectors.filter((v) => !v['kept'] && inSlice(v))) {
      const sha256 = String(r['sha256']);
      catalog.prepare('DELETE FROM vectors WHERE space_id = ? AND sha256 = ?').run(spaceId, sha256);
      catalog.prepare('DELETE FROM vectors_to_write WHERE space_id = ? AND sha256 = ?').run(spaceId, sha256);
      // Also where it was not written: an answer may have been lost.
      if (r['has']) catalog.prepare('INSERT OR IGNORE INTO vectors_to_remove VALUES (?, ?)').run(spaceId, sha256);
    }
    for (const r of assets.filter((a) => a['due'] && inSlice(a))) catalog.prepare('INSERT OR IGNORE INTO vectors_due VALUES (?)').run(String(r['sha256']));
    return end;
  });
}
