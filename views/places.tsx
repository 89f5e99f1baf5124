// Places: countries, and a country's regions and cities, each with a picture and its count.
import { Page, type FrameFacts } from './frame.tsx';
import { Card, Crumbs, type Cover } from './grid.tsx';
import { Icon } from './parts/icon.tsx';
import { placeAddress } from './parts/addresses.ts';
import { elementId, sayCount, showName } from './parts/words.ts';

export interface CountryFacts extends Cover { country_code: string; country: string | null; count: number; cities: number }
export interface CityFacts extends Cover { region: string | null; city: string | null; count: number }

/** Pictures that are asked for at once; the rest waits until it is near. */
const EAGER = 12;

export function PlacesPage(props: { frame: FrameFacts; countries: CountryFacts[]; waiting: number; nowhere: number }) {
  const { countries, waiting, nowhere } = props;
  return (
    <Page frame={props.frame} title="Places" section="places">
      <div class="page wide">
        <PlacesHead current="list" />
        <p class="lead num">{sayNames(countries, waiting, nowhere)}</p>
        <ul class="tiles">
          {countries.map((country, i) => (
            <Card href={placeAddress(country.country_code)} cover={country} eager={i < EAGER} name={country.country ?? country.country_code}
              words={`${sayCount(country.count, 'photo', 'photos')}${country.cities > 1 ? ` · ${sayCount(country.cities, 'place')}` : ''}`} />
          ))}
        </ul>
      </div>
    </Page>
  );
}

/** The title of both ways to look at places, and the way from one to the other. */
export function PlacesHead(props: { current: 'list' | 'map' }) {
  return (
    <div class="places-head">
      <h1>Places</h1>
      <nav class="switch" aria-label="How places are shown">
        <a href="/places" aria-current={props.current === 'list' ? 'page' : undefined}><Icon name="album" small />List</a>
        <a href="/map" aria-current={props.current === 'map' ? 'page' : undefined}><Icon name="map" small />Map</a>
      </nav>
    </div>
  );
}

function sayNames(countries: readonly CountryFacts[], waiting: number, nowhere: number): string {
  if (countries.length === 0 && waiting === 0 && nowhere === 0) return 'No photo has a position yet. Cameras and phones write one where they know it, and you can set one beside any photo.';
  const parts = [
    countries.length > 0 ? `${sayCount(countries.length, 'country', 'countries')}.` : null,
    waiting > 0 ? `${sayCount(waiting, 'photo')} with a position ${waiting === 1 ? 'waits' : 'wait'} for a name; the agent gives it.` : null,
    nowhere > 0 ? `For ${sayCount(nowhere, 'photo')} no name is known, at sea perhaps.` : null,
  ];
  return parts.filter((part) => part !== null).join(' ');
}

/** Where a region stands on its country's page. */
export function regionId(region: string | null): string {
  return elementId('region', region ?? '');
}

export function CountryPage(props: { frame: FrameFacts; code: string; name: string; cities: CityFacts[] }) {
  const regions = new Map<string | null, CityFacts[]>();
  for (const city of props.cities) regions.set(city.region, [...(regions.get(city.region) ?? []), city]);
  return (
    <Page frame={props.frame} title={props.name} section="places">
      <div class="page wide">
        <Crumbs crumbs={[{ href: '/places', label: 'Places' }]} />
        <h1><bdi>{showName(props.name)}</bdi></h1>
        <p class="lead num">{sayCount(props.cities.reduce((n, city) => n + city.count, 0), 'photo')}</p>
        {[...regions].map(([region, cities]) => (
          <section class="section" id={regionId(region)}>
            <h2><bdi>{region === null ? 'No region' : showName(region)}</bdi></h2>
            <ul class="tiles">
              {cities.map((city) => (
                <Card href={placeAddress(props.code, city.region, city.city)} cover={city} eager={props.cities.indexOf(city) < EAGER} name={city.city ?? city.region ?? props.name} words={sayCount(city.count, 'photo')} />
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Page>
  );
}
