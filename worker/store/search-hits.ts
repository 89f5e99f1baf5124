// What a search reads of the library beside its words: the assets behind hashes, lists by filters alone, an order by time,
// and the rows of one page. Keys travel as one JSON list: ten thousand of them are 70 KB.
import type { SearchSort } from '../../protocol/search.ts';
import { DOC_FIELDS, type DocField } from './search-docs.ts';
import { buildFilter, type Filter } from './search-filter.ts';
import { UNKNOWN_SORT_MS } from './timeline-items.ts';

/** By time; what has no date is last both ways. */
const ORDER = {
  newest: 't.sort_ms DESC, t.sha256 DESC',
  oldest: `t.sort_ms = ${UNKNOWN_SORT_MS}, t.sort_ms, t.sha256`,
} as const;

const FIND_ITEMS = (filter: string) => `SELECT json_group_array(json_array(i, asset_id)) AS found FROM (
  SELECT j.key AS i, t.asset_id FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value CROSS JOIN timeline_items m ON m.asset_id = a.asset_id
  CROSS JOIN assets p ON p.sha256 = coalesce(m.primary_sha256, m.sha256) CROSS JOIN timeline_items t ON t.asset_id = p.asset_id WHERE ${filter} ORDER BY i)`;

/** For each hash (`i`) the asset that is shown for it, a stack's primary for a member; those that are gone or filtered out are left out. */
export async function findItems(db: D1Database, sha256s: readonly string[], filter: (first: number) => Filter = (first) => buildFilter([], first)): Promise<{ i: number; assetId: number }[]> {
  if (sha256s.length === 0) return [];
  const { sql, binds } = filter(2);
  const found = await db.prepare(FIND_ITEMS(sql)).bind(JSON.stringify(sha256s), ...binds).first<string>('found');
  return (JSON.parse(found ?? '[]') as [number, number][]).map(([i, assetId]) => ({ i, assetId }));
}

/** Keys of all that a filter lets through, by time, at most `limit`. */
export async function findFiltered(db: D1Database, filter: (first: number) => Filter, sort: Exclude<SearchSort, 'relevance'>, limit: number): Promise<number[]> {
  const { sql, binds } = filter(2);
  const keys = await db.prepare(`SELECT json_group_array(asset_id) AS keys FROM (SELECT t.asset_id FROM timeline_items t WHERE ${sql} ORDER BY ${ORDER[sort]} LIMIT ?1)`).bind(limit, ...binds).first<string>('keys');
  return JSON.parse(keys ?? '[]') as number[];
}

/** A part of these keys by time. */
export async function pageByTime(db: D1Database, assetIds: readonly number[], sort: Exclude<SearchSort, 'relevance'>, offset: number, limit: number): Promise<number[]> {
  const keys = await db.prepare(`SELECT json_group_array(asset_id) AS keys FROM (
    SELECT t.asset_id FROM json_each(?1) j CROSS JOIN timeline_items t ON t.asset_id = j.value ORDER BY ${ORDER[sort]} LIMIT ?2 OFFSET ?3)`).bind(JSON.stringify(assetIds), limit, offset).first<string>('keys');
  return JSON.parse(keys ?? '[]') as number[];
}

export type PageRow = { asset_id: number; sha256: string } & Record<DocField, string>;

/** Hash and document of these assets, in their order; one that vanished meanwhile is left out. */
export async function readPage(db: D1Database, assetIds: readonly number[]): Promise<PageRow[]> {
  if (assetIds.length === 0) return [];
  const { results } = await db.prepare(`SELECT t.asset_id, t.sha256, ${DOC_FIELDS.map((f) => `coalesce(d.${f}, '') AS ${f}`).join(', ')}
    FROM json_each(?1) j CROSS JOIN timeline_items t ON t.asset_id = j.value LEFT JOIN search_docs d ON d.asset_id = t.asset_id ORDER BY j.key`).bind(JSON.stringify(assetIds)).all<PageRow>();
  return results;
}

export interface FileOf { sha256: string; taken_at: string | null; volume: string | null; path: string | null; files: number }

/** When each was taken and where its first file lies, for people at a command line. */
export async function listFilesOf(db: D1Database, sha256s: readonly string[]): Promise<FileOf[]> {
  const { results } = await db.prepare(`SELECT t.sha256, t.taken_at, (SELECT count(*) FROM locations l WHERE l.sha256 = t.sha256) AS files,
      f.path, coalesce(v.owner_label, v.label, f.volume_id) AS volume
    FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value CROSS JOIN timeline_items t ON t.asset_id = a.asset_id
    LEFT JOIN locations f ON f.sha256 = t.sha256 AND (f.volume_id, f.path) = (SELECT l.volume_id, l.path FROM locations l WHERE l.sha256 = t.sha256 ORDER BY l.missing_since_ms IS NOT NULL, l.volume_id, l.path LIMIT 1)
    LEFT JOIN volumes v ON v.volume_id = f.volume_id ORDER BY j.key`).bind(JSON.stringify(sha256s)).all<FileOf>();
  return results;
}
