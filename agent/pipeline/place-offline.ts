// Names a position without asking anybody: the country from borders, the city and its region from GeoNames' settlements.
// Says how far what it named lies off, and names nothing where nothing is near. Loads its tables at the first question.
import { around, distance } from 'geokdbush';
import KDBush from 'kdbush';
import { PLACE_FAR_M } from '../../protocol/place.ts';
import type { PlaceRow } from '../../protocol/rows.ts';
import { loadSettlements, type Settlements } from './place-tables.ts';
import { zoneAt } from './zone.ts';

/** What a geocoder says of a cell; the catalog adds cell, rank and revision. */
export type PlaceNames = Omit<PlaceRow, 'cell' | 'rank' | 'revision'>;

export interface OfflineGeocoder {
  /** Never throws for a position; a position that nothing is known of has null everywhere. */
  name(latitude: number, longitude: number): Promise<PlaceNames>;
}

/**
 * Radius of a settlement in kilometres by its population: 0.5 for a village, 3 for 100,000, 20 for ten million. An area that
 * grows a little slower than the people in it, as towns do.
 */
const VILLAGE_KM = 0.5;
const RADIUS_POWER = 0.4;
/** What lies this far outside is still in the place: a cell is 110 m wide and a settlement's position a choice. */
const EDGE_KM = 0.3;
/** The heart of a city, as a part of its radius: nothing within it is named after one of the small towns in it. */
const CORE = 0.45;
/** Cities of this size are looked for this far away; smaller ones are among the NEAREST when they matter. */
const CITY_PEOPLE = 50_000;
const CITY_KM = 30;
const NEAREST = 12;
/** Where no settlement of the country that the borders name is this near, but one of another is, that one's country holds. */
const DISPUTED_KM = 30;
/** Farther from all settlements than the midst of any desert: the borders' word for the sea there is not repeated. */
const SEA_KM = 500;
const UNINHABITED = 'AQ';
/** An error of a hundred metres in a position must not outweigh all other votes. */
const VOTE_KM = 0.3;
/** One city each, whose regions are quarters. */
const CITY_STATES = new Set(['HK', 'MO', 'SG', 'MC', 'GI', 'VA']);
const FAR_KM = PLACE_FAR_M / 1000;

/** The one offline geocoder of a process. */
export function createOfflineGeocoder(): OfflineGeocoder {
  let loading: Promise<(latitude: number, longitude: number) => Omit<PlaceNames, 'zone'>> | undefined;
  return {
    async name(latitude, longitude) {
      loading ??= load().catch((error: unknown) => { loading = undefined; throw error; });
      return { ...(await loading)(latitude, longitude), zone: await zoneAt(latitude, longitude) };
    },
  };
}

async function load(): Promise<(latitude: number, longitude: number) => Omit<PlaceNames, 'zone'>> {
  const [s, { iso1A2Code }] = await Promise.all([loadSettlements(), import('@rapideditor/country-coder')]);
  const countryNames = new Intl.DisplayNames(['en'], { type: 'region' });
  const cities = indexCities(s);
  return (latitude, longitude) => {
    const border = iso1A2Code([longitude, latitude], { level: 'territory' });
    const far = (i: number) => distance(longitude, latitude, s.longitude[i] ?? 0, s.latitude[i] ?? 0);
    // What lies beyond is let through too: there the search ends, which would else go on for the one settlement that fits.
    const of = (code: string | null) => around(s.index, longitude, latitude, NEAREST, FAR_KM, code === null ? undefined : (i) => s.countries[s.country[i] ?? 0] === code || far(i) > FAR_KM);
    let country = border;
    let near = of(border);
    const [first] = near;
    if (border === null || first === undefined || far(first) > DISPUTED_KM) {
      // At sea, in a land whose people the tables do not count, or where two states claim the same land.
      const [any] = around(s.index, longitude, latitude, 1, border === null ? FAR_KM : DISPUTED_KM);
      if (any !== undefined) {
        country = s.countries[s.country[any] ?? 0] ?? null;
        near = of(country);
      }
    }
    // The borders run far out into the sea.
    if (near.length === 0 && country !== UNINHABITED && around(s.index, longitude, latitude, 1, SEA_KM).length === 0) country = null;
    const code = s.countries.indexOf(country ?? '');
    const large = around(cities.index, longitude, latitude, undefined, CITY_KM).map((n) => cities.ids[n] ?? 0).filter((i) => s.country[i] === code);
    const region = CITY_STATES.has(country ?? '') ? null : voteRegion(s, near, far);
    const picked = pick(s, [...near, ...large], region, far);
    return {
      source: 'offline', street: null, neighbourhood: null, city: picked ? s.name(picked.i) : null, region: picked ? s.regions[s.region[picked.i] ?? 0] || null : null,
      country: country === null ? null : nameCountry(countryNames, country), country_code: country, distance_m: picked?.distance_m ?? null,
    };
  };
}

/** An index of the large ones alone, for those of them whose radius reaches far beyond the nearest village. */
function indexCities(s: Settlements): { index: KDBush; ids: number[] } {
  const ids: number[] = [];
  s.population.forEach((people, i) => { if (people >= CITY_PEOPLE && s.part[i] === 0) ids.push(i); });
  const index = new KDBush(ids.length);
  for (const i of ids) index.add(s.longitude[i] ?? 0, s.latitude[i] ?? 0);
  return { index: index.finish(), ids };
}

const radiusKm = (people: number) => VILLAGE_KM * (Math.max(people, 1_000) / 1_000) ** RADIUS_POWER;

/** The region that most of the settlements around lie in, the nearest counting most: parts of towns know it too. */
function voteRegion(s: Settlements, near: readonly number[], far: (i: number) => number): number {
  const votes = new Map<number, number>();
  for (const i of near) votes.set(s.region[i] ?? 0, (votes.get(s.region[i] ?? 0) ?? 0) + 1 / (far(i) + VOTE_KM) ** 2);
  return [...votes].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 0;
}

/**
 * What the position is in, or else what it is nearest to. In: within a settlement's radius, and not across a region's border
 * (a river between two cities); of several, the largest one whose heart this is, else the one whose radius it is deepest in.
 * Outside of all: the one whose edge is nearest.
 */
function pick(s: Settlements, candidates: readonly number[], region: number | null, far: (i: number) => number): { i: number; distance_m: number } | undefined {
  const found = [...new Set(candidates)].filter((i) => s.part[i] === 0).map((i) => ({ i, km: far(i), radius: radiusKm(s.population[i] ?? 0), people: s.population[i] ?? 0 }));
  const inside = found.filter((c) => c.km <= c.radius + EDGE_KM && (region === null || s.region[c.i] === region));
  const heart = inside.filter((c) => c.km <= c.radius * CORE).sort((a, b) => b.people - a.people)[0];
  const best = heart ?? inside.sort((a, b) => a.km / a.radius - b.km / b.radius)[0];
  if (best) return { i: best.i, distance_m: 0 };
  const nearest = found.sort((a, b) => a.km - a.radius - (b.km - b.radius))[0];
  return nearest ? { i: nearest.i, distance_m: Math.round(nearest.km * 1000) } : undefined;
}

/** `Macao`, not `Macao SAR China`. */
function nameCountry(names: Intl.DisplayNames, code: string): string {
  return (names.of(code) ?? code).replace(/ SAR China$/, '').replace(' & ', ' and ');
}
