// What MANIFEST.tsv's hand-checked words say about places, in a form that tests can compare; used where the tables are tested
// and where `list --json` is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { placeLabel, type NamedPlace } from '../../protocol/place.ts';

export interface HandPlace { path: string; latitude: number; longitude: number; place: string }

/**
 * Files whose hand-checked place is worded otherwise than the tables can: what is expected instead, and why. Everything else
 * must have the town, the region and the country that the text names.
 */
export const PLACE_EXCEPTIONS: Record<string, { label: string; why: string }> = {
  'gps/IMG_6455.jpg': { label: 'near Bridgeport (34 km), California, United States', why: 'Lee Vining has 200 people and is in no table; Bridgeport is the seat of the same Mono County' },
  'gps/Iceland-P3.jpg': { label: 'near Laugar (82 km), Northeast, Iceland', why: 'Askja and the Highlands are uninhabited: no settlement within 80 km' },
  'gps/beach_sand.jpg': { label: 'near Darnall (8.6 km), KwaZulu-Natal, South Africa', why: 'Zinkwazi Beach has 700 people and is in no table; Darnall is the next town, in the same municipality of KwaDukuza' },
  'gps/hochuferweg.jpg': { label: 'near Sassnitz (3.1 km), Mecklenburg-Vorpommern, Germany', why: 'the text names the island and its peninsula; Sassnitz is the town on it' },
  'gps/chameleon_lime.jpg': { label: 'near Saint-Paul (8.6 km), Reunion', why: 'the text names the region as the country; Saint-Paul is the municipality of Saint-Gilles' },
  'gps/mongolia.jpeg': { label: 'Khujirt, Övörhangay, Mongolia', why: 'the text names the valley; its province is spelt as GeoNames does (Ovorkhangai)' },
  'gps/smallFiji.JPG': { label: 'near Nadi (6.3 km), Western, Fiji', why: 'the text names the island (Viti Levu) and not the division (Western)' },
  'gps/thompson-springs.jpg': { label: 'near Clifton (4.9 km), Colorado, United States', why: 'the text names the county; Clifton is a town of it' },
  'gps/aarhus.jpg': { label: 'Århus, Central Jutland, Denmark', why: 'Aarhus, spelt as GeoNames does' },
};

export function readHandPlaces(dir: string): HandPlace[] {
  return readFileSync(join(dir, 'MANIFEST.tsv'), 'utf8').split('\n').flatMap((line) => {
    const [path = '', , , , , , text = ''] = line.split('\t');
    const place = /place \(hand, from the coordinates\): ([^|;]+)/.exec(text)?.[1]?.replace(/\s*\([^)]*\)/g, '').trim();
    const position = / lat=(-?[\d.]+); lon=(-?[\d.]+)/.exec(text);
    return place && position ? [{ path, latitude: Number(position[1]), longitude: Number(position[2]), place }] : [];
  });
}

/** What differs from the hand-checked words, in words; empty: nothing. */
export function placeDifferences({ path, place }: HandPlace, names: NamedPlace & { country_code: string | null }): string[] {
  const exception = PLACE_EXCEPTIONS[path];
  const label = placeLabel(names);
  if (exception) return label === exception.label ? [] : [`${path}: ${label}, not ${exception.label}`];
  // `Arezzo, Tuscany, IT`: town, region where there are three parts, country code. `Moab area`, `Cape Town`: the town's name begins it.
  const parts = place.split(',').map((part) => part.trim());
  const [town = '', code] = [parts[0], parts.at(-1)];
  const wrong: string[] = [];
  if (!names.city || !town.startsWith(names.city)) wrong.push(`${path}: ${names.city} is not ${town}`);
  if (parts.length > 2 && names.region !== parts[1]) wrong.push(`${path}: ${names.region} is not ${parts[1]}`);
  if (names.country_code !== code) wrong.push(`${path}: ${names.country_code} is not ${code}`);
  return wrong;
}
