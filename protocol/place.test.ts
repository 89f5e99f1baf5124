// A place in a line for people, and which servers may be asked.
import { describe, expect, test } from 'vitest';
import { checkNominatimUrl } from './nominatim-url.ts';
import { formatDistance, placeLabel, type NamedPlace } from './place.ts';

const levanto: NamedPlace = { neighbourhood: null, city: 'Levanto', region: 'Liguria', country: 'Italy', distance_m: 0 };

describe('placeLabel', () => {
  test.each([
    [{}, 'Levanto, Liguria, Italy'],
    [{ distance_m: null }, 'Levanto, Liguria, Italy'],
    [{ distance_m: 480 }, 'Levanto, Liguria, Italy'],
    [{ distance_m: 4_321 }, 'near Levanto (4.3 km), Liguria, Italy'],
    [{ distance_m: 81_753 }, 'near Levanto (82 km), Liguria, Italy'],
    [{ distance_m: 100_001 }, 'Italy'],
    [{ distance_m: 400_000, country: null }, ''],
    [{ region: null }, 'Levanto, Italy'],
    [{ city: null }, 'Liguria, Italy'],
    [{ city: null, neighbourhood: 'Vallesanta', distance_m: 900 }, 'near Vallesanta (900 m), Liguria, Italy'],
    [{ city: null, region: null, distance_m: null }, 'Italy'],
    [{ city: '', region: '', country: '', distance_m: 700 }, ''],
    [{ city: null, region: null, country: null }, ''],
    [{ city: 'Tokyo', region: 'Tokyo', country: 'Japan' }, 'Tokyo, Japan'],
    [{ city: 'Monaco', region: 'Municipality of Monaco', country: 'Monaco' }, 'Monaco'],
    [{ city: 'Saint-Paul', region: 'Reunion', country: 'Réunion', distance_m: 8_600 }, 'near Saint-Paul (8.6 km), Reunion'],
  ] satisfies [Partial<NamedPlace>, string][])('%j is %s', (more, label) => { expect(placeLabel({ ...levanto, ...more })).toBe(label); });

  test('distances in the unit that people use', () => {
    expect([510, 949, 951, 4_321, 9_949, 9_951, 12_345].map(formatDistance)).toEqual(['500 m', '950 m', '1.0 km', '4.3 km', '9.9 km', '10 km', '12 km']);
  });
});

describe('checkNominatimUrl', () => {
  test.each([
    ['https://nominatim.example.org', 'https://nominatim.example.org'], ['https://maps.example.org/nominatim/', 'https://maps.example.org/nominatim'], ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://localhost:8080/', 'http://localhost:8080'], ['http://[::1]:8080', 'http://[::1]:8080'], ['http://192.168.1.9', 'http://192.168.1.9'], ['http://172.20.0.2', 'http://172.20.0.2'], ['http://nas:8080', 'http://nas:8080'], ['http://nas.local', 'http://nas.local'],
  ])('%s is asked', (text, url) => { expect(checkNominatimUrl(text)).toBe(url); });
  test.each(['', 'nominatim', 'ftp://example.org', 'file:///etc/passwd', 'http://nominatim.example.org', 'http://172.32.0.1', 'http://127.0.0.1.example.org', 'https://a:b@example.org', 'https://example.org/?q=1', 'https://example.org/#x'])('%s is not', (text) => {
    expect(() => checkNominatimUrl(text)).toThrow(/\w+\.$|\.$|\)\.$/);
  });
});
