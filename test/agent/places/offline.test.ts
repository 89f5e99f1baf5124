// The offline geocoder against the hand-checked text of the real media, and against places that everybody can look up: borders,
// states of one city, islands, the sea, the date line, the poles.
import { beforeAll, describe, expect, test } from 'vitest';
import { createOfflineGeocoder, type PlaceNames } from '../../../agent/pipeline/place-offline.ts';
import { loadSettlements } from '../../../agent/pipeline/place-tables.ts';
import { cellCentre, cellOf, placeLabel } from '../../../protocol/place.ts';
import { PlaceRow } from '../../../protocol/rows.ts';
import { PLACE_EXCEPTIONS, placeDifferences, readHandPlaces, type HandPlace } from '../../support/hand-places.ts';
import { findSharedMedia } from '../../support/shared-media.ts';

const geocoder = createOfflineGeocoder();
/** As the stage does it: the centre of the cell, and a row that the Worker takes. */
async function nameAt(latitude: number, longitude: number): Promise<PlaceNames> {
  const cell = cellOf(latitude, longitude);
  const centre = cellCentre(cell);
  if (!centre) throw new Error(`no cell for ${latitude}, ${longitude}`);
  const names = await geocoder.name(centre.latitude, centre.longitude);
  expect(PlaceRow.parse({ ...names, cell, rank: 1, revision: 1 })).toMatchObject(names);
  return names;
}

describe('places that everybody can look up', () => {
  test.each([
    // Borders: the nearest settlement lies in the other country.
    [46.2044, 6.1432, 'Geneva, Switzerland', 'CH'], [46.1934, 6.2364, 'Annemasse, Auvergne-Rhône-Alpes, France', 'FR'],
    [31.7587, -106.4869, 'El Paso, Texas, United States', 'US'], [31.738, -106.485, 'Ciudad Juárez, Chihuahua, Mexico', 'MX'],
    [43.7384, 7.4246, 'Monaco', 'MC'], [41.9022, 12.4539, 'Vatican City', 'VA'], [36.1408, -5.3536, 'Gibraltar', 'GI'], [36.168, -5.348, 'La Línea de la Concepción, Andalusia, Spain', 'ES'],
    [22.1987, 113.5439, 'Macau, Macao', 'MO'], [22.2816, 114.1585, 'Hong Kong', 'HK'], [22.543, 114.058, 'Shenzhen, Guangdong, China', 'CN'], [1.29, 103.85, 'Singapore', 'SG'],
    // Regions: the Hudson lies between, and Manhattan is the larger.
    [40.72, -74.07, 'Jersey City, New Jersey, United States', 'US'], [40.758, -73.9855, 'New York City, New York, United States', 'US'],
    // A great city, and small towns in its reach.
    [35.6812, 139.7671, 'Tokyo, Japan', 'JP'], [35.658, 139.7016, 'Tokyo, Japan', 'JP'], [48.8584, 2.2945, 'Paris, Île-de-France, France', 'FR'], [48.8049, 2.1204, 'Versailles, Île-de-France, France', 'FR'],
    [51.5007, -0.1246, 'London, England, United Kingdom', 'GB'], [34.147, -118.144, 'Pasadena, California, United States', 'US'], [37.859, -122.485, 'Sausalito, California, United States', 'US'],
    [44.146, 9.655, 'Monterosso al Mare, Liguria, Italy', 'IT'],
    // Islands and what belongs to a state far away.
    [62.01, -6.77, 'Tórshavn, Streymoy, Faroe Islands', 'FO'], [18.46, -66.1, 'San Juan, Puerto Rico', 'PR'], [-27.15, -109.43, 'Hanga Roa, Valparaiso, Chile', 'CL'], [78.22, 15.64, 'Longyearbyen, Svalbard, Svalbard and Jan Mayen', 'SJ'],
    // Two states claim it, or one that few know of holds it: as GeoNames has it.
    [44.95, 34.1, 'Simferopol, Crimea, Ukraine', 'UA'], [35.2, 33.36, 'Nicosia, Cyprus', 'CY'], [42.66, 21.16, 'Pristina, Kosovo', 'XK'],
  ])('%d, %d: %s', async (latitude, longitude, label, code) => {
    const names = await nameAt(latitude, longitude);
    expect(placeLabel(names)).toBe(label);
    expect(names.country_code).toBe(code);
    expect(names.distance_m).toBe(0);
  });

  test.each([
    [44.2, 9.58, /^near \S+.* \(\d+\.\d km\), Liguria, Italy$/], [27.988, 86.925, /^near .+ \(1\d km\), Koshi, Nepal$/], [-25.344, 131.036, /^near Yulara \(12 km\), Northern Territory, Australia$/],
    // The sea, less than 100 km off: what is near, and how far.
    [43.9, 9.2, /^near .+ \(\d\d km\), Liguria, Italy$/],
    // Either side of the date line, and on it.
    [-16.8, 179.99, /^near .+ \(\d\d km\), Northern, Fiji$/], [-16.85, -179.97, /^near .+ \(\d\d km\), Northern, Fiji$/], [-16.8, 180, /^near .+ \(\d\d km\), Northern, Fiji$/], [-16.8, -180, /^near .+ \(\d\d km\), Northern, Fiji$/],
  ])('%d, %d is honest about how far off it is', async (latitude, longitude, label) => {
    const names = await nameAt(latitude, longitude);
    expect(placeLabel(names)).toMatch(label);
    expect(names.distance_m).toBeGreaterThan(500);
  });

  test('the same distance from both sides of the date line', async () => {
    const [west, east] = [await nameAt(-16.8, 180), await nameAt(-16.8, -180)];
    expect(east).toEqual({ ...west, zone: east.zone });
  });

  test.each([[0, 0], [40, -40], [-48.876, -123.393], [90, 0], [90, 180], [80, -150]])('%d, %d is nowhere', async (latitude, longitude) => {
    const names = await nameAt(latitude, longitude);
    expect(placeLabel(names)).toBe('');
    expect(names).toMatchObject({ source: 'offline', city: null, region: null, country: null, country_code: null, distance_m: null });
  });

  test.each([[-90, 0], [-90, -180], [-77.85, 166.67]])('%d, %d is a country without a town', async (latitude, longitude) => {
    const names = await nameAt(latitude, longitude);
    expect(placeLabel(names)).toBe('Antarctica');
    expect(names.distance_m).toBeNull();
  });

  test('positions over the whole globe: each yields a row, and what is named is within reach', async () => {
    for (let latitude = -90; latitude <= 90; latitude += 7.5) for (let longitude = -180; longitude <= 180; longitude += 11.25) {
      const names = await nameAt(latitude, longitude);
      if (names.city !== null) expect(names.distance_m).toBeLessThanOrEqual(100_000);
      else expect([names.region, names.distance_m]).toEqual([null, null]);
      expect(names.zone).not.toBe('');
    }
  });
});

describe('the tables', () => {
  // They come from two packages: an update of either that no longer fits the other shows here.
  test('nearly all settlements know their region, and nine in ten cities how many live in them', async () => {
    const s = await loadSettlements();
    const { length } = s.population;
    expect(length).toBeGreaterThan(150_000);
    expect(s.countries.length).toBeGreaterThan(240);
    expect(s.region.filter((r) => r === 0).length / length).toBeLessThan(0.01);
    expect(s.population.filter((p) => p > 0).length).toBeGreaterThan(105_000);
    expect(s.part.filter((p) => p === 1).length).toBeGreaterThan(5_000);
    const people = (name: string, code: string) => s.population.reduce((most, p, i) => (p > most && s.countries[s.country[i] ?? 0] === code && s.name(i) === name ? p : most), 0);
    expect(people('Tokyo', 'JP')).toBeGreaterThan(8_000_000);
    expect(people('Düsseldorf', 'DE')).toBeGreaterThan(500_000);
    expect(people('Levanto', 'IT')).toBeGreaterThan(3_000);
  });
});

const media = findSharedMedia();

describe.skipIf(media.dir === undefined)(`hand-checked places of ${media.dir === undefined ? `nothing (skipped: ${media.reason})` : 'shared/media'}`, () => {
  let truths: HandPlace[] = [];
  beforeAll(() => { truths = readHandPlaces(media.dir ?? ''); });

  test('town, region and country are those of the text, each exception named', async () => {
    expect(truths.length).toBeGreaterThanOrEqual(20);
    const wrong: string[] = [];
    for (const truth of truths) wrong.push(...placeDifferences(truth, await nameAt(truth.latitude, truth.longitude)));
    expect(wrong).toEqual([]);
  });

  test('every exception is about a file that is there', () => {
    const paths = new Set(truths.map((t) => t.path));
    expect(Object.keys(PLACE_EXCEPTIONS).filter((path) => !paths.has(path))).toEqual([]);
  });
});
