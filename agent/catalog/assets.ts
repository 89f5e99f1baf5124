// Assets by hash: their facts, what has been made of them, and the spool of renditions not yet in R2.
import { createHash } from 'node:crypto';
import type { AssetFacts, AssetProblem } from '../../protocol/rows.ts';
import { renditionKey } from '../../protocol/rendition.ts';
import type { RenditionName } from '../../protocol/words.ts';
import type { Catalog } from './catalog.ts';
import { markLookDue, putLook, type Look } from './looks.ts';
import { markFoldersOf } from './relations.ts';

/** Raw metadata above this is a maker's note gone wild; it never leaves the catalog, so it is left out. */
const MAX_RAW_CHARS = 256 * 1024;
/** What the protocol takes. */
const MAX_PROBLEMS = 20;

/** `look`: of a final grid, where whoever made it looked. */
export interface RenditionBytes { bytes: Uint8Array; version: number; look?: Look | null | undefined }

export interface AssetRecord {
  sha256: string; size_bytes: number; facts: AssetFacts; facts_version: number;
  /** 0: not made yet, -1: cannot be made. */
  grid_version: number; preview_version: number; grid_pushed: number; preview_pushed: number;
}

export interface AssetWrite {
  facts: AssetFacts; rawMetadata: Record<string, unknown> | null; factsVersion: number;
  grid: RenditionBytes | null; preview: RenditionBytes | null;
  /** False where nothing is left to be made: what is missing then cannot be made. */
  unfinished: boolean;
}

export function getAsset(catalog: Catalog, sha256: string): AssetRecord | undefined {
  const row = catalog.prepare('SELECT sha256, size_bytes, facts, facts_version, grid_version, preview_version, grid_pushed, preview_pushed FROM assets WHERE sha256 = ?').get(sha256);
  return row ? ({ ...row, facts: JSON.parse(row['facts'] as string) as AssetFacts } as AssetRecord) : undefined;
}

/** The version of the reader that made its facts, or undefined for a hash that is no asset yet. */
export function factsVersion(catalog: Catalog, sha256: string): number | undefined {
  return catalog.prepare('SELECT facts_version FROM assets WHERE sha256 = ?').get(sha256)?.['facts_version'] as number | undefined;
}

/** Assets with a rendition still to be made. */
export function countUnfinished(catalog: Catalog): number {
  return catalog.prepare('SELECT count(*) AS n FROM assets WHERE preview_version = 0 OR grid_version IN (0, 1)').get()?.['n'] as number;
}

/** The next assets with a rendition still to be made, by hash after `after`. */
export function listUnfinished(catalog: Catalog, after: string, limit: number): string[] {
  return catalog.prepare('SELECT sha256 FROM assets WHERE (preview_version = 0 OR grid_version IN (0, 1)) AND sha256 > ? ORDER BY sha256 LIMIT ?').all(after, limit).map((r) => r['sha256'] as string);
}

function rawText(raw: Record<string, unknown> | null): string | null {
  if (!raw) return null;
  try {
    const text = JSON.stringify(raw, (_, v: unknown) => (typeof v === 'bigint' ? v.toString() : v));
    return text.length <= MAX_RAW_CHARS ? text : null;
  } catch { return null; }
}

/** The version after something was or was not made: never back to an older one, a failure only where nothing final is there. */
function nextVersion(old: number, made: RenditionBytes | null, unfinished: boolean, isFinal: (v: number) => boolean): number {
  if (made) return Math.max(old, made.version);
  if (unfinished || isFinal(old)) return old;
  return -1;
}

/** An odd grid version is a draft made from an embedded picture (protocol/versions.ts). */
const finalGrid = (v: number): boolean => v > 0 && v % 2 === 0;
const finalPreview = (v: number): boolean => v > 0;

/** Writes facts and whatever renditions came with them, inside the caller's transaction. Existing renditions stay. */
export function putAsset(catalog: Catalog, a: AssetWrite): void {
  const old = catalog.prepare('SELECT grid_version, preview_version FROM assets WHERE sha256 = ?').get(a.facts.sha256);
  // Better facts of a known asset may make or break a pair wherever it lies; a new one's folder is marked with its file.
  if (old) markFoldersOf(catalog, a.facts.sha256);
  const oldGrid = (old?.['grid_version'] as number | undefined) ?? 0;
  const oldPreview = (old?.['preview_version'] as number | undefined) ?? 0;
  spoolNewer(catalog, a.facts.sha256, 'grid', a.grid, oldGrid);
  spoolNewer(catalog, a.facts.sha256, 'preview', a.preview, oldPreview);
  catalog.prepare(`INSERT INTO assets (sha256, kind, mime, size_bytes, facts, raw_metadata, facts_version, grid_version, preview_version, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (sha256) DO UPDATE SET kind = excluded.kind, mime = excluded.mime, facts = excluded.facts, raw_metadata = excluded.raw_metadata, facts_version = excluded.facts_version,
    grid_version = excluded.grid_version, preview_version = excluded.preview_version, revision = excluded.revision`)
    .run(a.facts.sha256, a.facts.kind, a.facts.mime, a.facts.size_bytes, JSON.stringify(a.facts), rawText(a.rawMetadata), a.factsVersion,
      nextVersion(oldGrid, a.grid, a.unfinished, finalGrid), nextVersion(oldPreview, a.preview, a.unfinished, finalPreview), catalog.nextRevision());
  noteLook(catalog, a.facts, a.grid);
}

function noteLook(catalog: Catalog, facts: AssetFacts, grid: RenditionBytes | null): void {
  if (!grid || !finalGrid(grid.version)) return;
  if (grid.look === undefined) markLookDue(catalog, facts.sha256);
  else putLook(catalog, facts, grid.look);
}

/** Adds a problem once, within the bound that a row may carry; false where it is there already or there is no room. */
export function addProblem(facts: Pick<AssetFacts, 'problems'>, problem: AssetProblem): boolean {
  if (facts.problems.length >= MAX_PROBLEMS || facts.problems.some((p) => p.code === problem.code && p.reason === problem.reason)) return false;
  facts.problems.push(problem);
  return true;
}

export interface RestWrite {
  grid: RenditionBytes | null; preview: RenditionBytes | null; problems: readonly AssetProblem[];
  width: number | null; height: number | null; color: string | null;
}

/** The second phase's result, in the caller's transaction: after it nothing is left to be made of this asset. */
export function putRest(catalog: Catalog, sha256: string, rest: RestWrite): void {
  const asset = getAsset(catalog, sha256);
  if (!asset) return;
  spoolNewer(catalog, sha256, 'grid', rest.grid, asset.grid_version);
  spoolNewer(catalog, sha256, 'preview', rest.preview, asset.preview_version);
  const facts: AssetFacts = { ...asset.facts, width: rest.width ?? asset.facts.width, height: rest.height ?? asset.facts.height, color: rest.color ?? asset.facts.color };
  for (const problem of rest.problems) addProblem(facts, problem);
  const text = JSON.stringify(facts);
  catalog.prepare('UPDATE assets SET facts = ?, grid_version = ?, preview_version = ?, revision = CASE WHEN facts IS NOT ?1 THEN ? ELSE revision END WHERE sha256 = ?')
    .run(text, nextVersion(asset.grid_version, rest.grid, false, finalGrid), nextVersion(asset.preview_version, rest.preview, false, finalPreview), catalog.nextRevision(), sha256);
  noteLook(catalog, facts, rest.grid);
}

function spoolNewer(catalog: Catalog, sha256: string, name: RenditionName, made: RenditionBytes | null, oldVersion: number): void {
  if (!made || made.version <= oldVersion) return;
  catalog.prepare('INSERT OR REPLACE INTO spool (key, sha256, bytes, asset_sha256) VALUES (?, ?, ?, ?)')
    .run(renditionKey({ sha256, name, version: made.version }), createHash('sha256').update(made.bytes).digest('hex'), made.bytes, sha256);
}
