// Completions of what is being typed: what was searched before, the library's own names, months and years, kinds. Pure.
// Each one is tried: its text, read as a query, has the chip that it promises.
import type { LibraryNames } from '../store/library-names.ts';
import { foldText } from '../store/search-text.ts';
import { dayOf, FIRST_YEAR, MONTH_NAMES, todayAt, yearOf } from './calendar.ts';
import { NAME_OPERATORS } from './find-operators.ts';
import type { NameKind } from './find-names.ts';
import { indexNames } from './name-index.ts';
import { parseQuery } from './parse-query.ts';
import { readableText } from './rest.ts';
import { isJoined, nameKey, splitQuery, withoutQuoteMarks } from './words.ts';

export interface Suggestion {
  /** The whole query as it would then be. */
  text: string;
  label: string;
  kind: 'history' | 'place' | 'person' | 'album' | 'camera' | 'tag' | 'drive' | 'date' | 'type';
  /** Assets, where that is known without counting. */
  count?: number;
}

/** Suggestions that are given at most. */
export const MAX_SUGGESTIONS = 20;
const MAX_PAST = 3;
/** Words at the end that a name may have begun with. */
const MAX_BEGUN_WORDS = 4;
const TYPES = ['Videos', 'Live photos', 'Motion photos', 'Screenshots', 'Panoramas', 'Selfies', 'RAW', 'Favourites'];
const TIMES = ['Today', 'Yesterday', 'Last weekend', 'Last week', 'Last month', 'Last year', 'This month', 'This year', 'Last summer', 'Last winter'];
const SEASONS = ['Summer', 'Winter', 'Spring', 'Autumn'];

interface Entry { key: string; name: string; label: string; kind: Exclude<Suggestion['kind'], 'history'>; count?: number }

/** At most `limit`, best first. `history` is newest first. Nothing typed: the newest searches. `nowMs` in UTC will do: only years and words come of it. */
export function suggest(names: LibraryNames, history: readonly string[], typed: string, nowMs: number, limit: number): Suggestion[] {
  const most = Math.min(limit, MAX_SUGGESTIONS);
  const text = readableText(typed);
  const past = history.filter((h) => foldText(h).startsWith(foldText(text)) && h !== typed).map((h): Suggestion => ({ text: h, label: h, kind: 'history' }));
  if (text.trim() === '') return past.slice(0, most);
  const found = past.slice(0, Math.min(MAX_PAST, most));
  const seen = new Set(found.map((f) => foldText(f.text)));
  for (const { entry, start, lead } of complete(names, text, nowMs)) {
    if (found.length >= most) break;
    const suggestion = write(names, text.slice(0, start), entry, lead, nowMs);
    if (!suggestion || seen.has(foldText(suggestion.text)) || suggestion.text === text.trim()) continue;
    seen.add(foldText(suggestion.text));
    found.push(suggestion);
  }
  return found;
}

interface Completion { entry: Entry; /** Where in the text its name begins. */ start: number; /** An operator that was typed before it: its kind alone. */ lead: string }

/** What the last words may be the begin of, best first: more words, a name's begin rather than one of its words, more pictures. */
function* complete(names: LibraryNames, text: string, nowMs: number): Generator<Completion> {
  const { list } = splitQuery(text);
  if (list.length === 0 || /\s$/.test(text) || list.at(-1)?.quote !== 0) return;
  const entries = listEntries(names, nowMs);
  for (let n = Math.min(MAX_BEGUN_WORDS, list.length); n >= 1; n -= 1) {
    const from = list.length - n;
    const first = list[from];
    if (!first || list.slice(from + 1).some((_, k) => !isJoined(list, from + 1 + k)) || first.quote !== 0) continue;
    const operator = first.tied ? list[from - 1] : undefined;
    const kinds = operator ? kindsOf(operator.folded) : undefined;
    if (first.tied && !kinds) continue;
    const key = list.slice(from).map((w) => w.folded).join(' ');
    if (key.length < 2 && /^[a-z0-9]$/.test(key) && !kinds) continue;
    const start = operator?.start ?? first.start;
    const lead = operator?.folded ?? '';
    const later: Entry[] = [];
    for (const entry of entries) {
      if (kinds && !kinds.has(entry.kind)) continue;
      if (entry.key.startsWith(key)) yield { entry, start, lead };
      else if (later.length < MAX_SUGGESTIONS && entry.key.includes(` ${key}`)) later.push(entry);
    }
    for (const entry of later) yield { entry, start, lead };
  }
}

function kindsOf(operator: string): Set<Entry['kind']> | undefined {
  const kind = (Object.keys(NAME_OPERATORS) as NameKind[]).find((k) => NAME_OPERATORS[k] === operator);
  if (kind) return new Set([kind === 'volume' ? 'drive' : kind]);
  return operator === 'in' ? new Set(['place', 'album', 'date']) : operator === 'is' || operator === 'type' ? new Set(['type']) : undefined;
}

const TERM_KINDS: Record<Entry['kind'], readonly string[]> = { place: ['place'], person: ['person'], album: ['album'], camera: ['camera'], tag: ['tag'], drive: ['volume'], date: ['date'], type: ['type', 'favourite'] };
const OPERATORS: Partial<Record<Entry['kind'], string>> = { place: NAME_OPERATORS.place, person: NAME_OPERATORS.person, album: NAME_OPERATORS.album, camera: NAME_OPERATORS.camera, tag: NAME_OPERATORS.tag, drive: NAME_OPERATORS.volume };

/** The query with a name at its end: as it is where that is understood, else behind its operator. */
function write(names: LibraryNames, before: string, entry: Entry, lead: string, nowMs: number): Suggestion | undefined {
  const name = withoutQuoteMarks(entry.name).replace(/\s+/g, ' ').trim();
  const operator = OPERATORS[entry.kind];
  const forms = [...(lead !== '' && !operator ? [`${lead}:${name}`] : []), ...(lead === '' || lead === 'in' || !operator ? [name] : []), ...(operator ? [/^[\p{L}\p{N}]+$/u.test(name) ? `${operator}:${name}` : `${operator}:"${name}"`] : [])];
  for (const form of forms) {
    const text = `${before}${form}`;
    const understood = parseQuery(text, names, nowMs, 'UTC').chips.some((c) => TERM_KINDS[entry.kind].includes(c.term.kind) && (c.at ?? 0) <= before.length && (c.at ?? 0) + c.text.length >= text.length);
    if (understood) return { text, label: entry.label, kind: entry.kind, ...(entry.count === undefined ? {} : { count: entry.count }) };
  }
  return undefined;
}

const kept = new WeakMap<LibraryNames, { today: number; entries: Entry[] }>();

/** The library's names, those with most pictures first, and the times that it has. Made anew with the day. */
function listEntries(names: LibraryNames, nowMs: number): Entry[] {
  const today = dayOf(todayAt(nowMs, 'UTC'));
  const known = kept.get(names);
  if (known?.today === today) return known.entries;
  const index = indexNames(names);
  const places = new Map<string, Entry & { count: number }>();
  for (const p of names.places) {
    for (const [key, name] of new Map([p.country, p.region, p.city].flatMap((n) => (n === null ? [] : [[nameKey(n), n] as const])))) {
      const entry = places.get(key);
      if (entry) entry.count += p.assets;
      else places.set(key, { key, name, label: index.places.get(key)?.label ?? name, kind: 'place', count: p.assets });
    }
  }
  const plain = (kind: Entry['kind'], list: readonly string[]): Entry[] => [...new Map(list.map((name) => [nameKey(name), name])).entries()].map(([key, name]) => ({ key, name, label: name, kind }));
  const entries = [
    ...plain('person', names.people), ...[...places.values()].sort((a, b) => b.count - a.count), ...plain('album', names.albums.map((a) => a.title)), ...plain('type', TYPES),
    ...plain('camera', names.cameras), ...plain('tag', names.tags), ...plain('drive', names.volumes.map((v) => v.label)), ...listTimes(names, today),
  ].filter((e) => e.key !== '');
  kept.set(names, { today, entries });
  return entries;
}

/** Months, seasons and years that the library has, newest first. */
function listTimes(names: LibraryNames, today: number): Entry[] {
  const last = Math.min(names.days?.last ?? today, today);
  const first = Math.max(names.days?.first ?? today, FIRST_YEAR * 10_000);
  const entry = (name: string): Entry => ({ key: nameKey(name), name, label: name, kind: 'date' });
  const years = Array.from({ length: Math.max(0, yearOf(last) - yearOf(first) + 1) }, (_, i) => yearOf(last) - i);
  const months = years.flatMap((year) => MONTH_NAMES.map((name, i) => ({ name: `${name} ${year}`, month: year * 100 + i + 1 })).filter((m) => m.month >= Math.floor(first / 100) && m.month <= Math.floor(last / 100)).reverse());
  return [...TIMES.map(entry), ...years.map((y) => entry(String(y))), ...months.map((m) => entry(m.name)), ...years.flatMap((y) => SEASONS.map((s) => entry(`${s} ${y}`)))];
}
