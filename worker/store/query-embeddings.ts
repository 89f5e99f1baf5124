// Embeddings of queries' words, kept for good so that a search needs no agent, and the space that searches are made in.
import * as z from 'zod';
import { SearchSpace, spaceKey, queryTextKey, type QueryEmbeddings } from '../../protocol/vector.ts';

/** What the owner typed, of one space: 2,000 times 4 KB is 8 MB. Beyond, the longest unused go; what was made ahead stays. */
export const KEPT_QUERIES = 2_000;
/** A use is noted once a day: a search must not write. */
const NOTE_USE_MS = 86_400_000;
const SPACE = 'search_space';

/** Null before any vector was made, and for what an older version wrote. */
export async function readSearchSpace(db: D1Database): Promise<SearchSpace | null> {
  return parseSpace(await db.prepare('SELECT value FROM settings WHERE key = ?1').bind(SPACE).first<string>('value'));
}

function parseSpace(value: string | null): SearchSpace | null {
  if (value === null) return null;
  try { return SearchSpace.parse(JSON.parse(value)); } catch (error) { if (error instanceof z.ZodError || error instanceof SyntaxError) return null; throw error; }
}

/** What each search must know first, in one question. `due`: some document waits to be written. */
export interface SearchState { homeZone: string | null; space: SearchSpace | null; due: boolean }

export async function readSearchState(db: D1Database): Promise<SearchState> {
  const row = await db.prepare(`SELECT (SELECT value FROM settings WHERE key = 'home_zone') AS home_zone, (SELECT value FROM settings WHERE key = ?1) AS space, EXISTS (SELECT 1 FROM search_due) AS due`)
    .bind(SPACE).first<{ home_zone: string | null; space: string | null; due: number }>();
  return { homeZone: row?.home_zone ?? null, space: parseSpace(row?.space ?? null), due: row?.due === 1 };
}

/** From now on searches are made in this space; embeddings of others are of no use any more. */
export async function writeSearchSpace(db: D1Database, space: SearchSpace): Promise<void> {
  await db.batch([
    db.prepare('INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value').bind(SPACE, JSON.stringify(space)),
    db.prepare('DELETE FROM query_embeddings WHERE space <> ?1').bind(spaceKey(space.space)),
  ]);
}

/** The kept vectors (as text) of these texts (queryTextKey), by text. */
export async function findEmbeddings(db: D1Database, space: string, texts: readonly string[], nowMs: number): Promise<Map<string, string>> {
  const { results } = await db.prepare('SELECT e.text, e.vector, e.used_at_ms, e.ahead FROM json_each(?2) j CROSS JOIN query_embeddings e ON e.space = ?1 AND e.text = j.value')
    .bind(space, JSON.stringify([...new Set(texts)])).all<{ text: string; vector: string; used_at_ms: number; ahead: number }>();
  const stale = results.filter((r) => r.ahead === 0 && r.used_at_ms < nowMs - NOTE_USE_MS).map((r) => r.text);
  if (stale.length > 0) await db.prepare('UPDATE query_embeddings SET used_at_ms = ?3 WHERE space = ?1 AND text IN (SELECT value FROM json_each(?2))').bind(space, JSON.stringify(stale), nowMs).run();
  return new Map(results.map((r) => [r.text, r.vector]));
}

const KEEP = `INSERT INTO query_embeddings (space, text, vector, ahead, used_at_ms) SELECT ?1, value->>0, value->>1, ?3, ?4 FROM json_each(?2) WHERE true
ON CONFLICT (space, text) DO UPDATE SET vector = excluded.vector, ahead = max(ahead, excluded.ahead) WHERE vector IS NOT excluded.vector OR ahead < excluded.ahead`;
export const FORGET_QUERIES_SQL = `DELETE FROM query_embeddings WHERE (space, text) IN (
  SELECT space, text FROM query_embeddings INDEXED BY query_embeddings_by_use WHERE space = ?1 AND ahead = 0 ORDER BY used_at_ms DESC LIMIT -1 OFFSET ?2)`;

/** Keeps embeddings of texts as they are looked up. `ahead`: made before anybody asked, and never forgotten. */
export async function keepEmbeddings(db: D1Database, space: string, items: QueryEmbeddings['items'], ahead: boolean, nowMs: number): Promise<void> {
  const rows = items.map((item) => [queryTextKey(item.text), item.vector]).filter(([text]) => text !== '');
  if (rows.length === 0) return;
  await db.batch([
    db.prepare(KEEP).bind(space, JSON.stringify(rows), ahead ? 1 : 0, nowMs),
    db.prepare(FORGET_QUERIES_SQL).bind(space, KEPT_QUERIES),
  ]);
}

export const LIBRARY_TEXTS_SQL = `SELECT text FROM (
  SELECT DISTINCT city AS text FROM places WHERE city > '' UNION SELECT DISTINCT region FROM places WHERE region > '' UNION SELECT DISTINCT country FROM places WHERE country > ''
  UNION SELECT title FROM albums UNION SELECT DISTINCT p.value FROM timeline_items t CROSS JOIN json_each(t.people) p WHERE t.people <> '[]')
WHERE length(text) BETWEEN 2 AND 100`;

/** Names of the library that have no embedding in this space yet, at most `limit`. */
export async function listMissingTexts(db: D1Database, space: string, limit: number): Promise<string[]> {
  // The lookup's spelling is JavaScript's; names are some thousands at most.
  const { results } = await db.prepare(LIBRARY_TEXTS_SQL).all<{ text: string }>();
  const texts = [...new Set(results.map((r) => queryTextKey(r.text)))].filter((text) => text !== '');
  const kept = new Set((await db.prepare('SELECT e.text FROM json_each(?2) j CROSS JOIN query_embeddings e ON e.space = ?1 AND e.text = j.value').bind(space, JSON.stringify(texts)).all<{ text: string }>()).results.map((r) => r.text));
  return texts.filter((text) => !kept.has(text)).sort().slice(0, limit);
}
