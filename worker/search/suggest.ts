// Suggestions for the search box, with the library's names and the owner's history from D1. complete.ts makes them.
import { listHistory } from '../store/search-history.ts';
import { readNames } from '../store/vocabulary.ts';
import { MAX_SUGGESTIONS, suggest, type Suggestion } from './complete.ts';

export { suggest, type Suggestion } from './complete.ts';

/** At most `limit` completions of what is typed, best first. */
export async function listSuggestions(db: D1Database, typed: string, nowMs: number, limit: number): Promise<Suggestion[]> {
  const [names, history] = await Promise.all([readNames(db), listHistory(db, MAX_SUGGESTIONS, typed.trim())]);
  return suggest(names, history.map((h) => h.text), typed, nowMs, limit);
}
