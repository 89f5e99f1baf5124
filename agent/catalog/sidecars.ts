// Sidecars as they were read, and which files elsewhere their titles may mean. The rules are pipeline/relate.ts's.
import type { Catalog } from './catalog.ts';
import { markKey, type Folder } from './relations.ts';

export interface SidecarRow {
  name: string; format: string; title: string | null; title_key: string | null; album_title: string | null;
  /** ImportFacts as JSON, or `null`. */
  said: string;
  /** Null where its folder was not related since it was read. */
  matched: number | null;
}

/** Writes a sidecar that was just read, after its file's row and in its transaction. */
export function putSidecar(catalog: Catalog, { volume_id, dir }: Folder, s: Omit<SidecarRow, 'matched'>): void {
  catalog.prepare('INSERT OR REPLACE INTO sidecars (volume_id, dir, name, format, title, title_key, album_title, said) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    .run(volume_id, dir, s.name, s.format, s.title, s.title_key, s.album_title, s.said);
}

/** The sidecar of this name is gone or no sidecar any more; files elsewhere that it spoke of are looked at again. */
export function forgetSidecar(catalog: Catalog, volumeId: string, dir: string, name: string): void {
  const old = catalog.prepare('SELECT title_key, matched FROM sidecars WHERE volume_id = ? AND dir = ? AND name = ?').get(volumeId, dir, name);
  if (!old) return;
  if (old['title_key'] !== null && old['matched'] === 0) markKey(catalog, 'title', old['title_key'] as string);
  catalog.prepare('DELETE FROM sidecars WHERE volume_id = ? AND dir = ? AND name = ?').run(volumeId, dir, name);
}

/** A folder's sidecars, by name. */
export function listSidecars(catalog: Catalog, { volume_id, dir }: Folder): SidecarRow[] {
  return catalog.prepare('SELECT name, format, title, title_key, album_title, said, matched FROM sidecars WHERE volume_id = ? AND dir = ? ORDER BY name').all(volume_id, dir) as unknown as SidecarRow[];
}

/** How many files it was matched to; one that begins or ends to wait has its title looked at again. */
export function setMatched(catalog: Catalog, { volume_id, dir }: Folder, s: SidecarRow, matched: number): void {
  if (s.matched === matched) return;
  catalog.prepare('UPDATE sidecars SET matched = ?, matched_by_title = 0, looked = 0 WHERE volume_id = ? AND dir = ? AND name = ?').run(matched, volume_id, dir, s.name);
  if ((s.matched === 0) !== (matched === 0) && s.title_key !== null) markKey(catalog, 'title', s.title_key);
}

// ---- Titles ----

export interface Waiting extends Folder { name: string; title: string; said: string }

/** Takeout's sidecars without media in their own folder that speak of this title. */
export function listWaiting(catalog: Catalog, titleKey: string): Waiting[] {
  return catalog.prepare("SELECT volume_id, dir, name, title, said FROM sidecars INDEXED BY sidecars_waiting WHERE title_key = ? AND matched = 0 AND title_key IS NOT NULL ORDER BY volume_id, dir, name").all(titleKey) as unknown as Waiting[];
}

export function isWaitedFor(catalog: Catalog, titleKey: string): boolean {
  return catalog.prepare('SELECT 1 FROM sidecars INDEXED BY sidecars_waiting WHERE title_key = ? AND matched = 0 AND title_key IS NOT NULL LIMIT 1').get(titleKey) !== undefined;
}

export function anyWaiting(catalog: Catalog): boolean {
  return catalog.prepare('SELECT 1 FROM sidecars INDEXED BY sidecars_waiting WHERE matched = 0 AND title_key IS NOT NULL LIMIT 1').get() !== undefined;
}

/** Titles that wait and were not looked for yet among the files that are known. */
export function listTitlesToLook(catalog: Catalog): Set<string> {
  return new Set(catalog.prepare('SELECT DISTINCT title_key FROM sidecars INDEXED BY sidecars_waiting WHERE looked = 0 AND matched = 0 AND title_key IS NOT NULL', true).all().map((r) => (r as unknown as [string])[0]));
}

export function setLooked(catalog: Catalog, titleKeys: Iterable<string>): void {
  const set = catalog.prepare('UPDATE sidecars INDEXED BY sidecars_waiting SET looked = 1 WHERE title_key = ? AND matched = 0 AND title_key IS NOT NULL AND looked = 0');
  for (const key of titleKeys) set.run(key);
}

/** How many files elsewhere a waiting sidecar was matched to by its title. */
export function setMatchedByTitle(catalog: Catalog, s: Waiting, matched: number): void {
  catalog.prepare('UPDATE sidecars SET matched_by_title = ?1 WHERE volume_id = ?2 AND dir = ?3 AND name = ?4 AND matched_by_title <> ?1').run(matched, s.volume_id, s.dir, s.name);
}

export interface Candidate extends Folder { name: string; title_key: string; said: string | null }

/** A folder's candidates, by name. */
export function listCandidates(catalog: Catalog, { volume_id, dir }: Folder): Map<string, Candidate> {
  return new Map((catalog.prepare('SELECT volume_id, dir, name, title_key, said FROM title_candidates WHERE volume_id = ? AND dir = ?').all(volume_id, dir) as unknown as Candidate[]).map((c) => [c.name, c]));
}

export function listCandidatesOf(catalog: Catalog, titleKey: string): Candidate[] {
  return catalog.prepare('SELECT volume_id, dir, name, title_key, said FROM title_candidates INDEXED BY title_candidates_by_key WHERE title_key = ? ORDER BY volume_id, dir, name').all(titleKey) as unknown as Candidate[];
}

/** Adds a candidate that is not there, and has its title looked at again. */
export function addCandidate(catalog: Catalog, { volume_id, dir }: Folder, name: string, titleKey: string): void {
  catalog.prepare('INSERT INTO title_candidates (volume_id, dir, name, title_key) VALUES (?, ?, ?, ?) ON CONFLICT (volume_id, dir, name) DO NOTHING').run(volume_id, dir, name, titleKey);
  markKey(catalog, 'title', titleKey);
}

export function removeCandidate(catalog: Catalog, c: Candidate): void {
  catalog.prepare('DELETE FROM title_candidates WHERE volume_id = ? AND dir = ? AND name = ?').run(c.volume_id, c.dir, c.name);
  markKey(catalog, 'title', c.title_key);
}

export function setCandidateSaid(catalog: Catalog, c: Candidate, said: string | null): void {
  catalog.prepare('UPDATE title_candidates SET said = ? WHERE volume_id = ? AND dir = ? AND name = ?').run(said, c.volume_id, c.dir, c.name);
}

// ---- The report ----

/** Sidecars that say something of a file; others are about an album, or say nothing that is shown (AAE: Apple's list of edits). */
const ABOUT_MEDIA = "format IN ('takeout', 'xmp')";
const WITHOUT_MEDIA = `${ABOUT_MEDIA} AND coalesce(matched, 0) = 0 AND matched_by_title = 0`;
/** Files of Takeout's folders: those that hold a Takeout sidecar. Missing ones are not asked after. */
const EXPORTED = "related_folders r CROSS JOIN files f ON f.volume_id = r.volume_id AND f.dir = r.dir WHERE r.takeout = 1 AND f.seen_as = 'asset' AND f.missing_since_ms IS NULL";
/** Imports are our own JSON, in which a text cannot hold a bare quote. */
const WITHOUT_SIDECAR = `${EXPORTED} AND instr(f.imports, '"source":"takeout"') = 0`;

export interface SidecarCounts { sidecars: number; matched: number; without_media: number; media: number; media_with_sidecar: number; without_sidecar: number }

/** What sidecars were matched to, over the whole catalog. sidecars = matched + without_media; media = media_with_sidecar + without_sidecar. */
export function countSidecars(catalog: Catalog): SidecarCounts {
  const n = (sql: string) => Number(catalog.prepare(`SELECT count(*) AS n FROM ${sql}`).get()?.['n'] ?? 0);
  const [sidecars, withoutMedia] = [n(`sidecars WHERE ${ABOUT_MEDIA}`), n(`sidecars WHERE ${WITHOUT_MEDIA}`)];
  const [media, withoutSidecar] = [n(EXPORTED), n(WITHOUT_SIDECAR)];
  return { sidecars, matched: sidecars - withoutMedia, without_media: withoutMedia, media, media_with_sidecar: media - withoutSidecar, without_sidecar: withoutSidecar };
}

/** Sidecars without media, or media without sidecar, by place; `from` counts from zero. */
export function listUnmatched(catalog: Catalog, which: 'without_media' | 'without_sidecar', from: number, limit: number): (Folder & { name: string })[] {
  const rows = which === 'without_media'
    ? catalog.prepare(`SELECT volume_id, dir, name FROM sidecars WHERE ${WITHOUT_MEDIA} ORDER BY volume_id, dir, name LIMIT ? OFFSET ?`)
    : catalog.prepare(`SELECT f.volume_id, f.dir, f.name FROM ${WITHOUT_SIDECAR} ORDER BY f.volume_id, f.dir, f.name LIMIT ? OFFSET ?`);
  return rows.all(limit, from) as unknown as (Folder & { name: string })[];
}
