// Cells: the grain at which places are named. A thousandth of a degree is 111 m at most, less than a city block counts.

/** `48.858,2.294`: the cell of a position in degrees, named by its centre. */
export function cellOf(latitude: number, longitude: number): string {
  return `${thousandths(latitude)},${thousandths(longitude)}`;
}

/** The centre of a cell in degrees, or undefined for text that names none. */
export function cellCentre(cell: string): { latitude: number; longitude: number } | undefined {
  const m = /^(-?\d{1,2}\.\d{3}),(-?\d{1,3}\.\d{3})$/.exec(cell);
  if (!m) return undefined;
  const latitude = Number(m[1]);
  const longitude = Number(m[2]);
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined;
}

function thousandths(degrees: number): string {
  // + 0 turns -0 into 0, which would be a cell of its own.
  return (Math.round(degrees * 1_000) / 1_000 + 0).toFixed(3);
}

/** Beyond this nothing is called near: the open sea, the ice. */
export const PLACE_FAR_M = 100_000;
/** Up to here a position is in the place; what names it may know its point only, not its extent. */
const IN_M = 500;

export interface NamedPlace { neighbourhood: string | null; city: string | null; region: string | null; country: string | null; distance_m: number | null }

/**
 * A place in a line for people, honest about how far off it is: `Levanto, Liguria, Italy`, or `near Levanto (4.3 km),
 * Liguria, Italy`, or the country alone where nothing is near. '' where nothing is known. No name twice in a row.
 */
export function placeLabel(place: NamedPlace): string {
  const metres = place.distance_m ?? 0;
  const near = metres <= PLACE_FAR_M;
  const name = near ? place.city || place.neighbourhood || null : null;
  const isCountry = name !== null && place.country !== null && fold(name) === fold(place.country);
  const names: string[] = [];
  for (const part of [name, near && !isCountry ? place.region : null, place.country]) {
    if (part && !names.some((n) => fold(n) === fold(part))) names.push(part);
  }
  if (name === null || metres <= IN_M) return names.join(', ');
  return [`near ${name} (${formatDistance(metres)})`, ...names.slice(1)].join(', ');
}

/** Réunion is Reunion. */
const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** `800 m`, `4.3 km`, `39 km`. */
export function formatDistance(metres: number): string {
  if (metres < 950) return `${Math.round(metres / 50) * 50} m`;
  const km = metres / 1_000;
  return `${km < 9.95 ? km.toFixed(1) : Math.round(km)} km`;
}
