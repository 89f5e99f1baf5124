// The library's names for reading a query. (Stands in until worker/store/vocabulary.ts is there.)
import type { LibraryNames } from './parse-query.ts';

export async function readNames(_db: D1Database): Promise<LibraryNames> {
  return { places: [], cameras: [], albums: [], people: [], tags: [], volumes: [], days: null };
}
