// `/places`: countries, a country's regions and cities, and the grid of a place.
import { Hono } from 'hono';
import { GridPage } from '../../views/grid.tsx';
import { CountryPage, PlacesPage, regionId } from '../../views/places.tsx';
import { placeAddress } from '../../views/parts/addresses.ts';
import { sayThings } from '../../views/parts/words.ts';
import type { App } from '../env.ts';
import { NotFound } from '../errors.tsx';
import { loadGridPiece, readGrid } from '../middleware/grid.ts';
import { loadFrame, readWhere, sendPage } from '../middleware/page.tsx';
import { countNameless, findCountry, listCities, listCountries } from '../store/place-pages.ts';
import { countScope } from '../store/corrections.ts';

export const places = new Hono<App>();

places.get('/places', async (c) => {
  const [frame, countries, counts] = await Promise.all([loadFrame(c), listCountries(c.env.DB), countNameless(c.env.DB)]);
  return sendPage(c, <PlacesPage frame={frame} countries={countries} {...counts} />);
});

places.get('/places/:country', async (c) => {
  const code = c.req.param('country');
  const [name, cities] = await Promise.all([findCountry(c.env.DB, code), listCities(c.env.DB, code)]);
  if (cities.length === 0) throw new NotFound('No photo was taken in such a country.');
  return sendPage(c, <CountryPage frame={await loadFrame(c)} code={code} name={name ?? code} cities={cities} />);
});

// The address as it came: a name may hold anything, so the router's own decoding is not asked.
places.get('/places/:country/:region/:city', async (c) => {
  const at = readGrid(new URL(c.req.url).pathname);
  if (at?.grid.kind !== 'place') throw new NotFound('There is no such place.');
  const { country_code, region, city } = at.grid;
  const piece = await loadGridPiece(c.env.DB, at, readWhere(c));
  const [frame, name, count] = await Promise.all([loadFrame(c), findCountry(c.env.DB, country_code), countScope(c.env.DB, at.grid)]);
  if (count.assets === 0) throw new NotFound('No photo was taken there.');
  const crumbs = [{ href: '/places', label: 'Places' }, { href: placeAddress(country_code), label: name ?? country_code }, ...(region === null || city === null ? [] : [{ href: `${placeAddress(country_code)}#${regionId(region)}`, label: region }])];
  return sendPage(c, <GridPage frame={frame} section="places" title={city ?? region ?? name ?? country_code} lead={sayThings(count.assets)} crumbs={crumbs} piece={piece} empty="Nothing more here." />);
});
