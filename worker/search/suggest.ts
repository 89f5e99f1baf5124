// What may be meant by what is typed so far: names of the library and words that are understood. (Stands in: places and types alone.)
import type { LibraryNames } from './parse-query.ts';

export interface Suggestion { text: string; kind: string }

const TYPES = ['videos', 'live photos', 'screenshots', 'panoramas', 'selfies', 'favourites'];

/** Whole queries: what is typed, with its last word completed. Best first. */
export function suggest(text: string, names: LibraryNames, limit: number): Suggestion[] {
  const [, before = '', last = ''] = /^(.*?)(\S+)$/su.exec(text) ?? [];
  if (last === '') return [];
  const starts = (name: string) => name.toLowerCase().startsWith(last.toLowerCase());
  const places = names.places.flatMap(({ country, region, city }) => city ?? region ?? country ?? []).filter(starts).map((name) => ({ text: before + name, kind: 'place' }));
  return [...places, ...TYPES.filter(starts).map((name) => ({ text: before + name, kind: 'type' }))].slice(0, limit);
}
