// Places as pages show them: countries, their regions and cities, each with its count and newest picture. Reads only.
import * as z from 'zod';
import { AssetKind } from '../../protocol/words.ts';

const Cover = { sha256: z.string(), kind: AssetKind, grid_version: z.int(), color: z.string().nullable() };
const Country = z.object({ country_code: z.string(), country: z.string().nullable(), count: z.int(), cities: z.int(), ...Cover });
export type Country = z.infer<typeof Country>;
const City = z.object({ region: z.string().nullable(), city: z.string().nullable(), count: z.int(), ...Cover });
export type City = z.infer<typeof City>;

// Walks the names in their order and each cell's part of the index of items; nothing is sorted and no row of items is
// read but the covers'. With one max(), the bare asset_id is the newest one's.
const IN_PLACES = 'FROM places p INDEXED BY places_by_name CROSS JOIN timeline_items t INDEXED BY timeline_items_by_cell ON t.cell = p.cell AND t.shown = 1';
const COVER = 'i.sha256, i.kind, i.grid_version, i.color';
export const COUNTRIES_SQL = `SELECT k.country_code, k.country, k.count, k.cities, ${COVER} FROM (
  SELECT country_code, min(country) AS country, sum(count) AS count, count(*) AS cities, max(newest_ms), asset_id FROM (
    SELECT p.country_code, min(p.country) AS country, count(*) AS count, max(t.sort_ms) AS newest_ms, t.asset_id ${IN_PLACES} WHERE p.country_code > '' GROUP BY p.country_code, p.region, p.city)
  GROUP BY country_code) k
  CROSS JOIN timeline_items i ON i.asset_id = k.asset_id`;
export const CITIES_SQL = `SELECT k.region, k.city, k.count, ${COVER}
  FROM (SELECT p.region, p.city, count(*) AS count, max(t.sort_ms), t.asset_id ${IN_PLACES} WHERE p.country_code = ?1 GROUP BY p.region, p.city) k
  CROSS JOIN timeline_items i ON i.asset_id = k.asset_id`;
export const COUNTRY_NAME_SQL = 'SELECT min(p.country) AS name FROM places p INDEXED BY places_by_name WHERE p.country_code = ?1';
export const UNNAMED_SQL = `SELECT count(*) AS n FROM places p INDEXED BY places_by_rank CROSS JOIN timeline_items t INDEXED BY timeline_items_by_cell ON t.cell = p.cell AND t.shown = 1 WHERE p.rank = 0`;
export const NAMELESS_SQL = `SELECT count(*) AS n ${IN_PLACES} WHERE p.country_code IS NULL AND p.rank > 0`;

/** Countries that something shown lies in, most first. */
export async function listCountries(db: D1Database): Promise<Country[]> {
  const rows = z.array(Country).parse((await db.prepare(COUNTRIES_SQL).all()).results);
  return rows.sort((a, b) => b.count - a.count || (a.country_code < b.country_code ? -1 : 1));
}

/** Cities of a country, in the order of region and city. */
export async function listCities(db: D1Database, countryCode: string): Promise<City[]> {
  return z.array(City).parse((await db.prepare(CITIES_SQL).bind(countryCode).all()).results);
}

/** The country's name, or undefined where nothing lies in such a country. */
export async function findCountry(db: D1Database, countryCode: string): Promise<string | undefined> {
  return (await db.prepare(COUNTRY_NAME_SQL).bind(countryCode).first<{ name: string | null }>())?.name ?? undefined;
}

/** Assets with a position that has no name yet, and with one for which no name is known. */
export async function countNameless(db: D1Database): Promise<{ waiting: number; nowhere: number }> {
  const [waiting, nowhere] = await db.batch<{ n: number }>([db.prepare(UNNAMED_SQL), db.prepare(NAMELESS_SQL)]);
  return { waiting: waiting?.results[0]?.n ?? 0, nowhere: nowhere?.results[0]?.n ?? 0 };
}
