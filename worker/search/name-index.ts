// The library's names, folded, for looking words up. Made once for each LibraryNames that is read from D1.
import type { LibraryNames } from '../store/library-names.ts';
import { nameKey, splitQuery, type Word } from './words.ts';

export type Place = { country_code: string; region: string | null; city: string | null };
export interface PlaceName { places: Place[]; label: string }
interface Camera { name: string; words: Word[]; key: string }

export interface NameIndex {
  places: ReadonlyMap<string, PlaceName>;
  albums: ReadonlyMap<string, { ids: number[]; label: string }>;
  people: ReadonlyMap<string, { names: string[]; label: string }>;
  /** First names that one person alone has. */
  firstNames: ReadonlyMap<string, { names: string[]; label: string }>;
  tags: ReadonlyMap<string, { tags: string[]; label: string }>;
  volumes: ReadonlyMap<string, { ids: string[]; label: string }>;
  /** Every run of words of a camera's name. */
  cameras: ReadonlyMap<string, { cameras: string[]; label: string }>;
  cameraNames: readonly Camera[];
  /** With which words any of them begins. */
  begins: ReadonlySet<string>;
  firstYear: number | null; lastYear: number | null;
}

/** Longest name in words that is looked for. */
export const MAX_NAME_WORDS = 12;
const MAX_CAMERA_WORDS = 6;

/** What people type for a country, by its code. */
const SHORT_COUNTRIES: Record<string, readonly string[]> = {
  GB: ['uk', 'u k', 'great britain', 'britain', 'united kingdom'], US: ['usa', 'u s a', 'u s', 'united states', 'united states of america', 'america', 'the states', 'us'], AE: ['uae', 'u a e', 'emirates'], NL: ['holland', 'netherlands'],
  CZ: ['czech republic', 'czechia'], KR: ['korea', 'south korea'], TR: ['turkey', 'turkiye'], RU: ['russia'], VN: ['vietnam', 'viet nam'], CI: ['ivory coast'], MM: ['burma', 'myanmar'], MK: ['macedonia'], CN: ['china', 'prc'],
  HK: ['hong kong'], MO: ['macau', 'macao'], BA: ['bosnia'], CV: ['cape verde'], VA: ['vatican', 'vatican city'], DE: ['deutschland'], CH: ['schweiz', 'suisse', 'svizzera'], IN: ['bharat'], ES: ['espana'], IT: ['italia'], AT: ['osterreich'], NZ: ['aotearoa'],
};

const indexes = new WeakMap<LibraryNames, NameIndex>();

export function indexNames(names: LibraryNames): NameIndex {
  let index = indexes.get(names);
  if (!index) indexes.set(names, index = buildIndex(names));
  return index;
}

function buildIndex(names: LibraryNames): NameIndex {
  const cameraNames = names.cameras.map((name) => ({ name, words: splitQuery(name).list, key: nameKey(name) })).filter((c) => c.words.length > 0);
  const index = {
    places: indexPlaces(names.places), cameras: indexCameras(cameraNames), cameraNames,
    albums: group(names.albums, (a) => a.title, (a, into: { ids: number[]; label: string } | undefined) => ({ ids: [...(into?.ids ?? []), a.album_id], label: into?.label ?? a.title })),
    people: group(names.people, (p) => p, (p, into: { names: string[]; label: string } | undefined) => ({ names: [...(into?.names ?? []), p], label: into?.label ?? p })),
    firstNames: indexFirstNames(names.people),
    tags: group(names.tags, (t) => t, (t, into: { tags: string[]; label: string } | undefined) => ({ tags: [...(into?.tags ?? []), t], label: into?.label ?? t })),
    volumes: group(names.volumes, (v) => v.label, (v, into: { ids: string[]; label: string } | undefined) => ({ ids: [...(into?.ids ?? []), v.volume_id], label: into?.label ?? v.label })),
    firstYear: names.days ? Math.floor(names.days.first / 10_000) : null, lastYear: names.days ? Math.floor(names.days.last / 10_000) : null,
  };
  const begins = new Set<string>();
  for (const map of [index.places, index.albums, index.people, index.firstNames, index.tags, index.volumes, index.cameras]) for (const key of map.keys()) begins.add(key.split(' ', 1)[0] ?? '');
  return { ...index, begins };
}

/** By key; "&" is also found as "and". */
function group<T, V>(items: readonly T[], nameOf: (item: T) => string, merge: (item: T, into: V | undefined) => V): Map<string, V> {
  const map = new Map<string, V>();
  for (const item of items) {
    const name = nameOf(item);
    const keys = new Set([nameKey(name), ...(name.includes('&') ? [nameKey(name.replaceAll('&', ' and '))] : [])]);
    for (const key of keys) if (key !== '') map.set(key, merge(item, map.get(key)));
  }
  return map;
}

function indexFirstNames(people: readonly string[]): NameIndex['firstNames'] {
  const map = new Map<string, { names: string[]; label: string }>();
  const keys = new Map<string, string>();
  for (const name of people) {
    const key = nameKey(name);
    const first = key.split(' ')[0] ?? '';
    if (first === '') continue;
    // The same name in two spellings is one person, another one makes the first name ambiguous.
    if (keys.has(first) && keys.get(first) !== key) { map.delete(first); keys.set(first, '\0'); continue; }
    keys.set(first, key);
    if (key !== first) map.set(first, { names: [...(map.get(first)?.names ?? []), name], label: map.get(first)?.label ?? name });
  }
  return map;
}

/** Countries, regions and cities by name; those of one name together. */
function indexPlaces(rows: LibraryNames['places']): NameIndex['places'] {
  const found = new Map<string, { places: Map<string, Place>; names: Set<string>; countries: Map<string, string> }>();
  const add = (name: string | null, key: string, place: Place, country: string | null): void => {
    if (name === null || key === '') return;
    let entry = found.get(key);
    if (!entry) found.set(key, entry = { places: new Map(), names: new Set(), countries: new Map() });
    entry.places.set(JSON.stringify([place.country_code, place.region, place.city]), place);
    entry.names.add(name);
    entry.countries.set(place.country_code, country ?? place.country_code);
  };
  const keys = new Map<string, string[]>();
  const keysOf = (name: string): string[] => {
    let known = keys.get(name);
    if (!known) {
      const plain = name.replace(/\s*\([^)]*\)/g, '').replace(/ SAR China$/, '');
      keys.set(name, known = [...new Set([name, plain, name.replaceAll('&', ' and ')].map(nameKey))]);
    }
    return known;
  };
  const countries = new Set<string>();
  for (const { country_code, country, region, city } of rows) {
    if (!countries.has(country_code)) {
      countries.add(country_code);
      const place = { country_code, region: null, city: null };
      for (const key of country === null ? [] : keysOf(country)) add(country, key, place, country);
      for (const key of SHORT_COUNTRIES[country_code] ?? []) add(country ?? country_code, nameKey(key), place, country);
    }
    for (const key of region === null ? [] : keysOf(region)) add(region, key, { country_code, region, city: null }, country);
    for (const key of city === null ? [] : keysOf(city)) add(city, key, { country_code, region, city }, country);
  }
  const index = new Map<string, PlaceName>();
  for (const [key, { places, names, countries: within }] of found) {
    // A town in a region or country of its own name is in that one already.
    const all = [...places.values()];
    const kept = all.filter((p) => !all.some((q) => q !== p && contains(q, p)));
    const name = [...names][0] ?? key;
    const country = within.size === 1 ? [...within.values()][0] : undefined;
    index.set(key, { places: kept, label: country === undefined || country === name ? name : `${name}, ${country}` });
  }
  return index;
}

/** Whether a place is the other one or holds it. */
export function contains(outer: Place, inner: Place): boolean {
  return outer.country_code === inner.country_code && (outer.region === null || outer.region === inner.region) && (outer.city === null || outer.city === inner.city);
}

function indexCameras(cameras: readonly Camera[]): NameIndex['cameras'] {
  const map = new Map<string, { cameras: string[]; label: string }>();
  for (const { name, words } of cameras) {
    for (let from = 0; from < words.length; from += 1) {
      for (let to = from + 1; to <= Math.min(words.length, from + MAX_CAMERA_WORDS); to += 1) {
        const key = words.slice(from, to).map((w) => w.folded).join(' ');
        const known = map.get(key);
        if (!known) map.set(key, { cameras: [name], label: name.slice(words[from]?.start, words[to - 1]?.end) });
        else if (known.cameras.at(-1) !== name) known.cameras.push(name);
      }
    }
  }
  return map;
}
