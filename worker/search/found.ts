// What a reader of queries found among the words, before it is decided which of several that overlap holds.
import type { FilterTerm } from '../../protocol/search.ts';
import type { DayRange } from './calendar.ts';
import type { NameIndex } from './name-index.ts';
import type { Word, Words } from './words.ts';

export interface Found {
  /** Words `from` up to, not with, `to`. */
  from: number; to: number;
  /** Of the text, where it is more than the words (quotation marks, `*.`). */
  start?: number; end?: number;
  term: FilterTerm; label: string;
  /** Of two of one length the lower one holds. */
  rank: number;
}

/** What all readers look at. */
export interface Reading {
  words: Words; names: NameIndex;
  /** Serial number of the day that is "today". */
  today: number; thisYear: number;
  /** The library's years, for dates that come again ("in december"). */
  years: readonly number[];
  /** 5/6/2022 is the 6th of May. */
  monthFirst: boolean;
}

export const RANK = { operator: 0, file: 1, date: 2, place: 3, person: 4, month: 5, album: 6, volume: 7, camera: 8, type: 9, tag: 10, words: 11 } as const;
/** As FilterTerm bounds its lists. */
export const MAX_VALUES = 100;
export const MAX_RANGES = 200;

/** Words that lead to a place, a time or a thing and say nothing without it. */
export const PREPOSITIONS = new Set(['in', 'at', 'from', 'during', 'on', 'of', 'near', 'around', 'to', 'by', 'with', 'for', 'throughout', 'the', 'a', 'an']);
const BEFORE_PLACE = new Set(['in', 'at', 'from', 'near', 'around', 'to', 'visiting', 'towards', 'outside', 'inside', 'across']);
const BEFORE_DATE = new Set(['in', 'on', 'during', 'of', 'at', 'from', 'for', 'throughout', 'since', 'by']);
const BEFORE_CAMERA = new Set(['with', 'on', 'by', 'using', 'from', 'camera']);

/** The word before `i`, over "the", where nothing but space is between. */
function leading(list: readonly Word[], i: number): string {
  for (let k = i - 1; k >= 0 && k >= i - 2; k -= 1) {
    const word = list[k];
    if (!word || word.quote !== 0 || !/^\s+$/.test(list[k + 1]?.gap ?? '')) return '';
    if (word.folded !== 'the' && word.folded !== 'my') return word.folded;
  }
  return '';
}
export function isLedToPlace(list: readonly Word[], i: number): boolean { return BEFORE_PLACE.has(leading(list, i)); }
export function isLedToDate(list: readonly Word[], i: number): boolean { return BEFORE_DATE.has(leading(list, i)); }
export function isLedToCamera(list: readonly Word[], i: number): boolean { return BEFORE_CAMERA.has(leading(list, i)); }

export function dateTerm(ranges: readonly DayRange[]): FilterTerm { return { kind: 'date', ranges: ranges.slice(-MAX_RANGES) }; }
