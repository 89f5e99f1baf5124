// What the owner searched for, newest first: suggestions of the search box. The owner's own, kept by no index's rebuild.
import { cleanText } from '../db/bulk.ts';

/** Searches that are kept; beyond, the oldest go. */
export const HISTORY_ROWS = 200;

export interface PastSearch { text: string; at_ms: number; times: number }

/** Notes a search; one that is there already comes to the front. Blank text is not noted. */
export async function rememberSearch(db: D1Database, text: string, nowMs: number): Promise<void> {
  const said = cleanText(text.trim());
  if (said === '') return;
  await db.batch([
    db.prepare('INSERT INTO search_history (text, at_ms, times) VALUES (?1, ?2, 1) ON CONFLICT (text) DO UPDATE SET at_ms = excluded.at_ms, times = times + 1').bind(said, nowMs),
    db.prepare('DELETE FROM search_history WHERE text IN (SELECT text FROM search_history ORDER BY at_ms DESC LIMIT -1 OFFSET ?1)').bind(HISTORY_ROWS),
  ]);
}

/** Newest first; `containing` (any case) keeps those with it. */
export async function listHistory(db: D1Database, limit: number, containing = ''): Promise<PastSearch[]> {
  const { results } = await db.prepare('SELECT text, at_ms, times FROM search_history INDEXED BY search_history_by_time WHERE instr(lower(text), lower(?2)) > 0 OR ?2 = \'\' ORDER BY at_ms DESC LIMIT ?1')
    .bind(limit, cleanText(containing)).all<PastSearch>();
  return results;
}

/** Forgets one search, or all where `text` is null. */
export async function forgetHistory(db: D1Database, text: string | null): Promise<void> {
  await (text === null ? db.prepare('DELETE FROM search_history') : db.prepare('DELETE FROM search_history WHERE text = ?1').bind(text)).run();
}
