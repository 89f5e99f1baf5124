// What a query means: dates, places, people, cameras, types and the rest, read from its words. Pure; the library's own names come as `Vocabulary`.
import { MAX_QUERY_CHARS, type Chip, type ParsedQuery } from '../../protocol/search.ts';

/** Names that this library knows (worker/store/vocabulary.ts reads them). */
export interface LibraryNames {
  places: readonly { country_code: string; country: string | null; region: string | null; city: string | null; assets: number }[];
  cameras: readonly string[];
  albums: readonly { album_id: number; title: string }[];
  people: readonly string[]; tags: readonly string[];
  volumes: readonly { volume_id: string; label: string }[];
  /** First and last day with a picture, yyyymmdd; null in an empty library. */
  days: { first: number; last: number } | null;
}

/** `homeZone`: IANA zone in which "today" is meant. Never throws, whatever is typed. (Stands in: years and videos alone.) */
export function parseQuery(text: string, _names: LibraryNames, _nowMs: number, _homeZone: string): ParsedQuery {
  const cut = text.slice(0, MAX_QUERY_CHARS);
  const chips: Chip[] = [];
  for (const [word] of cut.matchAll(/(?<!["\w])(?:(?:19|20)\d\d|videos?)(?!["\w])/g)) {
    chips.push({ term: /^\d/.test(word) ? { kind: 'date', ranges: [[Number(word) * 10_000, Number(word) * 10_000 + 9_999]] } : { kind: 'type', type: 'video' }, negated: false, label: /^\d/.test(word) ? word : 'Videos', text: word });
  }
  const rest = chips.reduce((left, chip) => removeChip(left, chip), cut);
  return { text: cut, cut: cut.length < text.length, chips, rest, phrases: [...cut.matchAll(/"([^"]+)"/g)].map((m) => m[1] ?? '') };
}

export function removeChip(text: string, chip: Chip): string { return text.replace(chip.text, '').replace(/\s+/g, ' ').trim(); }
export function quoteChip(text: string, chip: Chip): string { return text.replace(chip.text, `"${chip.text}"`); }
