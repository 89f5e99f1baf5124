// What people call a country, beside the name that its places carry: "USA", "Holland", "Deutschland". From the runtime's
// own tables, and a few common names that those lack.

/** Languages whose speakers search in them. */
const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'sv', 'hi', 'ja', 'zh'];
const COMMON: Record<string, string> = {
  US: 'USA America', GB: 'UK Britain Great Britain England', NL: 'Holland', CZ: 'Czechia Czech Republic', AE: 'UAE Emirates', KR: 'Korea South Korea', KP: 'North Korea', RU: 'Russia',
  CI: 'Ivory Coast', MM: 'Burma', TR: 'Turkey', CN: 'China', TW: 'Taiwan', VN: 'Vietnam', LA: 'Laos', VA: 'Vatican', SZ: 'Swaziland', MK: 'Macedonia', CV: 'Cape Verde', TL: 'East Timor',
};
const known = new Map<string, string[]>();
let tables: Intl.DisplayNames[] | undefined;

/** Names of the country of a two-letter code; empty for a code that nobody knows. */
export function countryNames(code: string): string[] {
  const upper = code.toUpperCase();
  let names = known.get(upper);
  if (!names) {
    tables ??= LANGUAGES.map((language) => new Intl.DisplayNames([language], { type: 'region', fallback: 'none' }));
    names = /^[A-Z]{2}$/.test(upper) ? [...tables.flatMap((table) => table.of(upper) ?? []), ...(COMMON[upper] ? [COMMON[upper]] : [])] : [];
    known.set(upper, names);
  }
  return names;
}
