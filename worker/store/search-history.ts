// What the owner searched for: kept until forgotten. (Stands in until s-search's.)
import { drizzle } from 'drizzle-orm/d1';
import { desc, eq, sql } from 'drizzle-orm';
import { searchHistory } from '../db/schema.ts';

export async function rememberSearch(db: D1Database, text: string, nowMs: number): Promise<void> {
  await drizzle(db).insert(searchHistory).values({ text: text.trim(), at_ms: nowMs, times: 1 }).onConflictDoUpdate({ target: searchHistory.text, set: { at_ms: nowMs, times: sql`times + 1` } });
}
export async function listHistory(db: D1Database, limit: number): Promise<string[]> {
  return (await drizzle(db).select({ text: searchHistory.text }).from(searchHistory).orderBy(desc(searchHistory.at_ms)).limit(limit)).map((row) => row.text);
}
/** One, or without `text` all. */
export async function forgetHistory(db: D1Database, text?: string): Promise<void> {
  await (text === undefined ? drizzle(db).delete(searchHistory) : drizzle(db).delete(searchHistory).where(eq(searchHistory.text, text)));
}
