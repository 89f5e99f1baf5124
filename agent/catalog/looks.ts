// Looks by asset (pipeline/look.ts makes them), what is still to be looked at, and the groups of look-alikes that were found.
// None of the hashes leave the catalog; the groups are pushed.
import type { AssetFacts } from '../../protocol/rows.ts';
import { GRID_VERSION, LOOK_VERSION } from '../../protocol/versions.ts';
import type { AssetKind } from '../../protocol/words.ts';
import type { Catalog } from './catalog.ts';
import { markFoldersOf } from './relations.ts';

/** A hash of 64 bits in two halves (signed, as JavaScript and SQLite both keep them), and a signature that confirms a match. */
export interface Look { hi: number; lo: number; fine: Int8Array }

const VERSION = 'looks_version';
const DUE = 'near_due';

/** When a catalog is opened: what was made by other rules is made anew, and so is what was never made. In a transaction. */
export function remakeOldLooks(catalog: Pick<Catalog, 'prepare' | 'getMeta' | 'setMeta'>): void {
  if (catalog.getMeta(VERSION) === String(LOOK_VERSION)) return;
  catalog.prepare(`INSERT OR IGNORE INTO looks_due SELECT sha256 FROM assets a WHERE grid_version >= ${GRID_VERSION} AND NOT EXISTS (SELECT 1 FROM looks l WHERE l.sha256 = a.sha256 AND l.version = ${LOOK_VERSION})`).run();
  catalog.prepare(`UPDATE looks SET hi = NULL, lo = NULL WHERE version < ${LOOK_VERSION} AND hi IS NOT NULL`).run();
  catalog.setMeta(VERSION, String(LOOK_VERSION));
}

// ── looks ──

type LookFacts = Pick<AssetFacts, 'sha256' | 'kind' | 'size_bytes' | 'width' | 'height' | 'duration_ms'>;

/** What a final grid looks like; null where it shows too little. Its folders are related anew, for it may be of a burst. In the caller's transaction. */
export function putLook(catalog: Catalog, facts: LookFacts, look: Look | null): void {
  const { sha256, kind, size_bytes, width, height, duration_ms } = facts;
  const fine = look && new Uint8Array(look.fine.buffer, look.fine.byteOffset, look.fine.byteLength);
  const { changes } = catalog.prepare(`INSERT INTO looks (sha256, version, hi, lo, fine, kind, size_bytes, width, height, duration_ms, area) VALUES (?, ${LOOK_VERSION}, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET
    version = excluded.version, hi = excluded.hi, lo = excluded.lo, fine = excluded.fine, kind = excluded.kind, size_bytes = excluded.size_bytes, width = excluded.width, height = excluded.height, duration_ms = excluded.duration_ms, area = excluded.area
    WHERE (version, hi, lo, fine, width, height, duration_ms) IS NOT (excluded.version, excluded.hi, excluded.lo, excluded.fine, excluded.width, excluded.height, excluded.duration_ms)`)
    .run(sha256, look?.hi ?? null, look?.lo ?? null, fine, kind, size_bytes, width, height, duration_ms, (width ?? 0) * (height ?? 0));
  catalog.prepare('DELETE FROM looks_due WHERE sha256 = ?').run(sha256);
  if (Number(changes) === 0 || look === null) return;
  markFoldersOf(catalog, sha256);
  markNearDue(catalog);
}

/** A final grid came without its look. */
export function markLookDue(catalog: Catalog, sha256: string): void { catalog.prepare('INSERT OR IGNORE INTO looks_due VALUES (?)').run(sha256); }

export function dropLookTask(catalog: Catalog, sha256: string): void { catalog.prepare('DELETE FROM looks_due WHERE sha256 = ?').run(sha256); }

export interface LookTask extends LookFacts { gridVersion: number }

/** The next assets to be looked at, by hash after `after`; one that is no asset any more has version 0. */
export function listLooksDue(catalog: Catalog, after: string, limit: number): LookTask[] {
  return catalog.prepare(`SELECT d.sha256, a.kind, a.size_bytes, a.grid_version, json_extract(a.facts, '$.width', '$.height', '$.duration_ms') AS rest FROM looks_due d LEFT JOIN assets a ON a.sha256 = d.sha256
    WHERE d.sha256 > ? ORDER BY d.sha256 LIMIT ?`).all(after, limit).map((r) => {
    const [width, height, duration_ms] = JSON.parse(String(r['rest'] ?? '[null,null,null]')) as (number | null)[];
    return { sha256: String(r['sha256']), kind: r['kind'] as AssetKind, size_bytes: Number(r['size_bytes']), width: width ?? null, height: height ?? null, duration_ms: duration_ms ?? null, gridVersion: Number(r['grid_version'] ?? 0) };
  });
}

export function countLooksDue(catalog: Catalog): number { return Number(catalog.prepare('SELECT count(*) AS n FROM looks_due').get()?.['n'] ?? 0); }

/** Hashes of stills, by asset, of these. */
export function readHashes(catalog: Catalog, sha256s: Iterable<string>): Map<string, Pick<Look, 'hi' | 'lo'>> {
  const read = catalog.prepare('SELECT hi, lo FROM looks WHERE sha256 = ? AND hi IS NOT NULL');
  return new Map([...sha256s].flatMap((sha256) => { const r = read.get(sha256); return r ? [[sha256, { hi: Number(r['hi']), lo: Number(r['lo']) }] as const] : []; }));
}

// ── all of them, to be compared ──

/** After which to go on: `area` in pixels. */
export interface LookPlace { area: number; sizeBytes: number; sha256: string }
export const BEST_LOOK: LookPlace = { area: Number.MAX_SAFE_INTEGER, sizeBytes: 0, sha256: '' };
export interface LookPage { looks: [row: number, hi: number, lo: number][]; next: LookPlace | null }

/** The best first: the most pixels, then the most bytes; equal ones by their hashes, so that rows' numbers show in nothing. */
export function listLooks(catalog: Catalog, after: LookPlace, limit: number): LookPage {
  const rows = catalog.prepare(`SELECT rowid, hi, lo, area, size_bytes, sha256 FROM looks INDEXED BY looks_by_rank WHERE hi IS NOT NULL AND (area, size_bytes, sha256) < (?, ?, ?)
    ORDER BY area DESC, size_bytes DESC, sha256 DESC LIMIT ?`, true).all(after.area, after.sizeBytes, after.sha256, limit) as unknown as [number, number, number, number, number, string][];
  const last = rows.at(-1);
  return { looks: rows.map(([row, hi, lo]) => [row, hi, lo]), next: last && rows.length === limit ? { area: last[3], sizeBytes: last[4], sha256: last[5] } : null };
}

/** `takesPart`: some file holds it, as far as is known, and it is not shown under another. */
export interface LookDetails { sha256: string; fine: Int8Array; kind: AssetKind; width: number | null; height: number | null; duration_ms: number | null; size_bytes: number; takesPart: boolean }

export function readLook(catalog: Catalog, row: number): LookDetails | undefined {
  const r = catalog.prepare(`SELECT l.sha256, l.fine, l.kind, l.width, l.height, l.duration_ms, l.size_bytes, NOT EXISTS (SELECT 1 FROM stacks s WHERE s.member_sha256 = l.sha256 AND s.removed = 0)
    AND EXISTS (SELECT 1 FROM files f INDEXED BY files_by_sha256 WHERE f.sha256 = l.sha256 AND f.seen_as = 'asset' AND f.missing_since_ms IS NULL) AS part FROM looks l WHERE l.rowid = ?`).get(row);
  if (!r) return undefined;
  const { part, fine, ...rest } = r;
  return { ...rest as unknown as Omit<LookDetails, 'fine' | 'takesPart'>, fine: new Int8Array(fine as Uint8Array), takesPart: part === 1 };
}

// ── groups ──

/** Something changed that groups hang on: a look, a file, a stack. In the transaction of the change. */
export function markNearDue(catalog: Catalog): void { catalog.setMeta(DUE, String(catalog.nextRevision())); }
/** What `clearNearDue` is given once the groups are written; undefined where nothing changed since. */
export function readNearDue(catalog: Catalog): string | undefined { return catalog.getMeta(DUE) || undefined; }
export function clearNearDue(catalog: Catalog, was: string | undefined): void { if (catalog.getMeta(DUE) === was) catalog.setMeta(DUE, ''); }

export interface NearMember { sha256: string; group: string; spareBytes: number }

export function listNear(catalog: Catalog, after: string, limit: number): NearMember[] {
  return catalog.prepare('SELECT member_sha256, group_sha256, spare_bytes FROM near WHERE removed = 0 AND member_sha256 > ? ORDER BY member_sha256 LIMIT ?').all(after, limit)
    .map((r) => ({ sha256: String(r['member_sha256']), group: String(r['group_sha256']), spareBytes: Number(r['spare_bytes']) }));
}

/** In the caller's transaction. */
export function putNear(catalog: Catalog, { sha256, group, spareBytes }: NearMember): void {
  catalog.prepare(`INSERT INTO near (member_sha256, group_sha256, spare_bytes, removed, revision) VALUES (?, ?, ?, 0, ?) ON CONFLICT (member_sha256) DO UPDATE SET
    group_sha256 = excluded.group_sha256, spare_bytes = excluded.spare_bytes, removed = 0, revision = excluded.revision`).run(sha256, group, spareBytes, catalog.nextRevision());
}
export function removeNear(catalog: Catalog, sha256: string): void {
  catalog.prepare('UPDATE near SET removed = 1, revision = ? WHERE member_sha256 = ? AND removed = 0').run(catalog.nextRevision(), sha256);
}
