// The map's arithmetic, shared by Worker and pages: positions as squares of a world in Web Mercator, boxes of positions, zooms.
// A square has one number: a leading 1, then for each level two bits (south, east), so that a parent is a shift away.

/** The finest squares: 38 m at the equator. */
export const FINEST_LEVEL = 20;
/** Levels that are kept: every other one, each square of which holds sixteen of the next. */
export const LEVEL_STEP = 2;
export const COARSEST_LEVEL = 2;
/** CSS pixels of the whole world at zoom 0. */
export const WORLD_PX = 256;
export const MIN_ZOOM = 0;
export const MAX_ZOOM = 18;
/** What Web Mercator makes a square world of; what lies beyond stands on its edge. */
export const MAX_LATITUDE = 85.05112878;

export interface Position { latitude: number; longitude: number }
/** Degrees. A box whose west is greater than its east reaches over the 180th meridian. */
export interface Box { west: number; south: number; east: number; north: number }

/** Where a position is in the world: 0 to 1 from the west and from the north. */
export function project({ latitude, longitude }: Position): { x: number; y: number } {
  const lat = (Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, latitude)) * Math.PI) / 180;
  return { x: (longitude + 180) / 360, y: 0.5 - Math.asinh(Math.tan(lat)) / (2 * Math.PI) };
}

/** The square at a level's column and row. */
export function squareAt(level: number, column: number, row: number): number {
  let square = 1;
  // Up to 41 bits: no bit operators.
  for (let bit = level - 1; bit >= 0; bit -= 1) square = square * 4 + ((row >> bit) & 1) * 2 + ((column >> bit) & 1);
  return square;
}

/** The finest square of a position. */
export function squareOf(position: Position): number {
  const { x, y } = project(position);
  return squareAt(FINEST_LEVEL, gridLine(x, FINEST_LEVEL), gridLine(y, FINEST_LEVEL));
}

/** The row or column of a level that a share of the world falls into. */
export function gridLine(share: number, level: number): number {
  const lines = 2 ** level;
  return Math.max(0, Math.min(lines - 1, Math.floor(share * lines)));
}

/** The kept level whose squares are 32 to 64 pixels wide at this zoom. */
export function levelForZoom(zoom: number): number {
  const level = Math.ceil((Math.round(zoom) + 2) / LEVEL_STEP) * LEVEL_STEP;
  return Math.max(COARSEST_LEVEL, Math.min(FINEST_LEVEL, level));
}

/** Columns and rows of a level that a box touches; two runs of columns where it reaches over the 180th meridian. */
export function linesOf(box: Box, level: number): { columns: [from: number, to: number][]; rows: [from: number, to: number] } {
  const column = (longitude: number) => gridLine((longitude + 180) / 360, level);
  const row = (latitude: number) => gridLine(project({ latitude, longitude: 0 }).y, level);
  const columns: [number, number][] = box.west <= box.east ? [[column(box.west), column(box.east)]] : [[column(box.west), 2 ** level - 1], [0, column(box.east)]];
  return { columns, rows: [row(box.north), row(box.south)] };
}

/**
 * The squares of a box as runs of finest squares, which is what an index by square can walk: large squares where they lie
 * inside, and no more than some `max` runs, so the runs' ends reach beyond the box.
 */
export function runsOf(box: Box, max: number): [from: number, to: number][] {
  const lines = linesOf(box, FINEST_LEVEL);
  interface Part { level: number; column: number; row: number }
  let open: Part[] = [{ level: 0, column: 0, row: 0 }];
  const closed: Part[] = [];
  // A breadth at a time: when the next one would be too many, what is left is taken whole.
  while (open.length > 0 && closed.length + open.length <= max) {
    const next: Part[] = [];
    for (const part of open) {
      const size = 2 ** (FINEST_LEVEL - part.level);
      const [left, top] = [part.column * size, part.row * size];
      const rowsIn = meet([top, top + size - 1], lines.rows);
      const columnsIn = lines.columns.map((run) => meet([left, left + size - 1], run));
      if (rowsIn === 'none' || columnsIn.every((each) => each === 'none')) continue;
      if ((rowsIn === 'all' && columnsIn.includes('all')) || part.level === FINEST_LEVEL) { closed.push(part); continue; }
      for (const [down, across] of [[0, 0], [0, 1], [1, 0], [1, 1]] as const) next.push({ level: part.level + 1, column: part.column * 2 + across, row: part.row * 2 + down });
    }
    open = next;
  }
  const runs = [...closed, ...open].map(({ level, column, row }): [number, number] => {
    const [square, size] = [squareAt(level, column, row), 4 ** (FINEST_LEVEL - level)];
    return [square * size, square * size + size - 1];
  }).sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last && last[1] + 1 === run[0]) last[1] = run[1];
    else joined.push(run);
  }
  return joined;
}

function meet([from, to]: [number, number], [first, last]: [number, number]): 'all' | 'some' | 'none' {
  return to < first || from > last ? 'none' : from >= first && to <= last ? 'all' : 'some';
}

export function isInBox({ latitude, longitude }: Position, box: Box): boolean {
  return latitude >= box.south && latitude <= box.north && (box.west <= box.east ? longitude >= box.west && longitude <= box.east : longitude >= box.west || longitude <= box.east);
}

/** Four numbers as a box; undefined for anything that is none. Longitudes beyond the 180th meridian are brought round. */
export function readBox(parts: readonly (string | null | undefined)[]): Box | undefined {
  if (parts.length !== 4 || !parts.every((part) => typeof part === 'string' && /^-?\d{1,4}(\.\d{1,15})?$/.test(part))) return undefined;
  const [west = 0, south = 0, east = 0, north = 0] = parts.map(Number);
  if (Math.abs(west) > 900 || Math.abs(east) > 900 || Math.abs(south) > 90 || Math.abs(north) > 90 || south > north || east < west - 360) return undefined;
  if (east - west >= 360) return { west: -180, south, east: 180, north };
  const round = (longitude: number) => (Math.abs(longitude) <= 180 ? longitude : ((((longitude + 180) % 360) + 360) % 360) - 180);
  return { west: round(west), south, east: round(east), north };
}

/** A box as addresses name it, to the metre, outwards: what lies on its edge stays in. */
export function boxText({ west, south, east, north }: Box): string {
  const low = (degrees: number) => Math.floor(degrees * 1e5 + 1e-4) / 1e5;
  const high = (degrees: number) => Math.ceil(degrees * 1e5 - 1e-4) / 1e5;
  return [low(west), low(south), high(east), high(north)].map((degrees) => String(Number(degrees.toFixed(5)) + 0)).join(',');
}

/** Where a share of the world is; the other way round than `project`. */
export function unproject({ x, y }: { x: number; y: number }): Position {
  return { longitude: x * 360 - 180, latitude: (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI };
}

/**
 * A ring of `[longitude, latitude]` on a globe as rings on a flat map: where it steps over the 180th meridian it goes on
 * beyond it, and is then drawn on both sides; one round the south pole is closed along the map's lower edge.
 */
export function flattenRing(ring: readonly (readonly number[])[]): [longitude: number, latitude: number][][] {
  let turn = 0;
  let crosses = false;
  const flat = ring.map(([longitude = 0, latitude = 0], i): [number, number] => {
    const step = longitude - (ring[i - 1]?.[0] ?? longitude);
    if (Math.abs(step) > 180) { turn += step > 0 ? -360 : 360; crosses = true; }
    return [longitude + turn, latitude];
  });
  const [first, last] = [flat[0], flat.at(-1)];
  if (!crosses || !first || !last) return [flat];
  if (turn !== 0) flat.push([last[0], -90], [first[0], -90]);
  const beyond = flat.reduce((most, [longitude]) => Math.max(most, longitude), -Infinity) > 180 ? -360 : 360;
  return [flat, flat.map(([longitude, latitude]) => [longitude + beyond, latitude])];
}

/** One marker: so many assets about there. `cover` is one of them, the newest that the squares know of. */
export interface Cluster {
  latitude: number; longitude: number; count: number;
  /** What it reaches over; `east` may be beyond 180. */
  box: Box;
  cover: { sha256: string; kind: 'image' | 'video'; grid_version: number; color: string | null; /** What its place is called. */ name: string | null } | null;
}
export interface ClustersAnswer {
  clusters: Cluster[];
  /** Assets with a position, anywhere. */
  total: number;
  /** Some positions are not yet counted: to be asked again soon. */
  waiting: boolean;
}
