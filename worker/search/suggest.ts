// Completions of what is being typed: what was searched before, the library's own names, months and years, kinds. Pure.
import type { LibraryNames } from '../store/library-names.ts';

export interface Suggestion {
  /** The whole query as it would then be. */
  text: string;
  label: string;
  kind: 'history' | 'place' | 'person' | 'album' | 'camera' | 'tag' | 'drive' | 'date' | 'type';
  /** Assets, where that is known without counting. */
  count?: number;
}

/** At most `limit`, best first. `history` is newest first. Nothing typed: the newest searches. */
export function suggest(_names: LibraryNames, _history: readonly string[], _typed: string, _nowMs: number, _limit: number): Suggestion[] {
  return [];
}
