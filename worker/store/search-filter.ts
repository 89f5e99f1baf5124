// Filters of a search as SQL over `timeline_items t`: for what words found, what the model found, and for filters alone.
// Archived assets are found; a stack's members are not, their primary stands for them. Every value travels as JSON in one
// parameter a term: D1 takes 100 parameters, and LIKE patterns of 50 bytes.
import { isMember } from './album-members.ts';
import { traitBit, type FilterTerm } from '../../protocol/search.ts';
import { foldText } from './search-text.ts';

export interface TermOf { term: FilterTerm; negated: boolean }
/** A condition, true or false and never NULL, and its parameters. */
export interface Filter { sql: string; binds: string[] }

/** Shortest text that the table of trigrams finds. */
export const TRIGRAM_CHARS = 3;
const DAY_MS = 86_400_000;
const SHOWN = 't.primary_sha256 IS NULL';
const IN_PLACES = (p: string) => `(SELECT p.cell FROM json_each(${p}) j CROSS JOIN places p INDEXED BY places_by_name ON p.country_code = j.value->>0
  WHERE (j.value->>1 IS NULL OR p.region = j.value->>1) AND (j.value->>2 IS NULL OR p.city = j.value->>2)) n`;
const DOC = (expression: string) => `(SELECT ${expression} FROM search_docs d WHERE d.asset_id = t.asset_id)`;

/** All terms hold. Parameters are numbered from `first`. */
export function buildFilter(terms: readonly TermOf[], first: number): Filter {
  const parts = [SHOWN];
  const binds: string[] = [];
  for (const { term, negated } of terms) {
    const condition = conditionOf(term, `?${first + binds.length}`);
    binds.push(JSON.stringify(condition.value));
    parts.push(negated ? `NOT coalesce((${condition.sql}), 0)` : `coalesce((${condition.sql}), 0)`);
    if (!negated && term.kind === 'date') parts.push(dayBounds(term.ranges));
  }
  return { sql: parts.join('\n  AND '), binds };
}

/** Every condition uses its one parameter, so that numbers and values stay in step. */
function conditionOf(term: FilterTerm, p: string): { sql: string; value: unknown } {
  switch (term.kind) {
    // Day 0 is unknown: in no range, and in what is not of a range.
    case 'date': return { sql: `t.day > 0 AND EXISTS (SELECT 1 FROM json_each(${p}) j WHERE t.day BETWEEN j.value->>0 AND j.value->>1)`, value: term.ranges };
    // By the indexes that hold cell and key alone: a country's assets are some thousands, the rows of the library many more.
    case 'place': return {
      sql: `t.asset_id IN (SELECT i.asset_id FROM ${IN_PLACES(p)} CROSS JOIN timeline_items i INDEXED BY timeline_items_by_cell ON i.cell = n.cell AND i.shown = 1
        UNION ALL SELECT i.asset_id FROM ${IN_PLACES(p)} CROSS JOIN timeline_items i INDEXED BY timeline_items_archived_by_cell ON i.cell = n.cell AND i.archived = 1)`,
      value: term.places.map((place) => [place.country_code, place.region, place.city]),
    };
    case 'camera': return { sql: `t.asset_id IN (SELECT a.asset_id FROM json_each(${p}) j CROSS JOIN assets a INDEXED BY assets_by_camera ON a.camera = j.value)`, value: term.cameras };
    case 'type': return typeCondition(term.type, p);
    case 'favourite': return { sql: `t.favourite = ${p}->>0`, value: [1] };
    // A stack is in an album with any of its members.
    case 'album': return {
      sql: `t.sha256 IN (SELECT coalesce(i.primary_sha256, i.sha256) FROM json_each(${p}) j CROSS JOIN album_assets m ON m.album_id = j.value AND ${isMember('m')} CROSS JOIN assets a ON a.sha256 = m.sha256 CROSS JOIN timeline_items i ON i.asset_id = a.asset_id)`,
      value: term.album_ids,
    };
    case 'person': return hasLine('people', p, term.names);
    case 'tag': return hasLine('tags', p, term.tags);
    case 'volume': return { sql: `EXISTS (SELECT 1 FROM locations l WHERE l.sha256 = t.sha256 AND l.missing_since_ms IS NULL AND l.volume_id IN (SELECT value FROM json_each(${p})))`, value: term.volume_ids };
    case 'file_name': return nameCondition(foldText(term.text), term.whole, p);
    case 'words': {
      const words = phraseOf(term.text);
      return words === null ? { sql: `${p} IS NULL`, value: '' } : { sql: `t.asset_id IN (SELECT rowid FROM search_words WHERE search_words MATCH (${p}->>0))`, value: [words] };
    }
  }
}

function typeCondition(type: Extract<FilterTerm, { kind: 'type' }>['type'], p: string): { sql: string; value: unknown } {
  if (type === 'photo') return { sql: `t.kind = ${p}->>0`, value: ['image'] };
  if (type === 'video') return { sql: `t.kind = ${p}->>0`, value: ['video'] };
  // The index is walked from end to end: it holds nothing but the bits, and 100,000 of them are a few milliseconds.
  return { sql: `t.asset_id IN (SELECT d.asset_id FROM search_docs d INDEXED BY search_docs_by_traits WHERE d.traits & (${p}->>0) <> 0)`, value: [traitBit(type)] };
}

/** One of the document's lines is one of these names. */
function hasLine(field: 'people' | 'tags', p: string, names: readonly string[]): { sql: string; value: unknown } {
  return { sql: DOC(`EXISTS (SELECT 1 FROM json_each(${p}) j WHERE instr(char(10) || d.${field} || char(10), char(10) || j.value || char(10)) > 0)`), value: names.map(foldText).filter((name) => name !== '') };
}

function nameCondition(folded: string, whole: boolean, p: string): { sql: string; value: unknown } {
  if (folded === '') return { sql: `${p} IS NULL`, value: '' };
  const names = 'char(10) || d.names || char(10)';
  const sql = whole ? `instr(${names}, char(10) || (${p}->>0) || char(10)) > 0 OR instr(${names}, char(10) || (${p}->>0) || '.') > 0` : `instr(d.names, ${p}->>0) > 0`;
  // The trigrams find few, and only those are looked at.
  if ([...folded].length < TRIGRAM_CHARS) return { sql: DOC(`(${sql})`), value: [folded] };
  return { sql: `t.asset_id IN (SELECT d.asset_id FROM search_names n CROSS JOIN search_docs d ON d.asset_id = n.rowid WHERE n.names MATCH (${p}->>1) AND (${sql}))`, value: [folded, quote(folded)] };
}

/** FTS5 text in quotes: nothing in it is an operator. */
export function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** The words of a text one after the other, or null where it has none. */
export function phraseOf(text: string): string | null {
  const folded = foldText(text);
  return /[\p{L}\p{N}\p{Co}]/u.test(folded) ? quote(folded) : null;
}

/** The same days as a range of the index that everything is listed by. */
function dayBounds(ranges: readonly (readonly [number, number])[]): string {
  const ms = (day: number) => Date.UTC(Math.floor(day / 10_000), Math.floor(day / 100) % 100 - 1, day % 100);
  const from = ms(Math.min(...ranges.map((r) => r[0])));
  const to = ms(Math.max(...ranges.map((r) => r[1]))) + DAY_MS;
  // Years below 100 are read as 19xx by the calendar, and bounds that are not numbers bound nothing.
  return Number.isFinite(from) && Number.isFinite(to) && ranges.every((r) => r[0] >= 1_000_000) ? `t.sort_ms >= ${from} AND t.sort_ms < ${to}` : 'true';
}
