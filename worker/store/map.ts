// What the map reads: squares of a box as clusters, the newest in a box, how many there are. Reads only; every question's rows are
// bounded by the view, not by the library.
import * as z from 'zod';
import { COARSEST_LEVEL, FINEST_LEVEL, isInBox, LEVEL_STEP, levelForZoom, linesOf, project, squareAt, WORLD_PX, type Box, type Cluster } from '../../protocol/map.ts';
import { AssetKind } from '../../protocol/words.ts';
import { Tile, TILE_COLUMNS } from './timeline.ts';

/** Squares asked for at once: a view of 1,900 x 1,200 pixels has 2,280 of 32; a larger one is answered more coarsely. */
const MAX_SQUARES = 4_000;
/** Markers closer than this become one. */
const MERGE_PX = 60;
/** Squares followed from level to level in looking for the newest: more than are asked for, since those at the box's edge may have theirs outside. */
const FOLLOWED = 200;

const Square = z.object({
  square: z.number(), count: z.int(), latitude: z.number(), longitude: z.number(), west: z.number(), south: z.number(), east: z.number(), north: z.number(), newest_ms: z.number(), newest_id: z.int(),
});
type Square = z.infer<typeof Square>;

export const SQUARES_SQL = `SELECT s.* FROM json_each(?1) j CROSS JOIN map_squares s ON s.square = j.value WHERE s.count > 0`;
export const TOTAL_SQL = `SELECT coalesce(sum(count), 0) AS n, min(west) AS west, min(south) AS south, max(east) AS east, max(north) AS north FROM map_squares WHERE square BETWEEN ${4 ** COARSEST_LEVEL} AND ${2 * 4 ** COARSEST_LEVEL - 1}`;
export const COVERS_SQL = 'SELECT t.asset_id, t.sha256, t.kind, t.grid_version, t.color, coalesce(p.city, p.region, p.country) AS name FROM json_each(?1) j CROSS JOIN timeline_items t ON t.asset_id = j.value LEFT JOIN places p ON p.cell = t.cell WHERE t.shown = 1';
const Cover = z.object({ asset_id: z.int(), sha256: z.string(), kind: AssetKind, grid_version: z.int(), color: z.string().nullable(), name: z.string().nullable() });
const CHILDREN = 4 ** LEVEL_STEP;
/** `?2` to `?5`: west, south, east, north of the box. */
const lonIn = (from: string, to: string) => `CASE WHEN ?2 <= ?4 THEN ${to} >= ?2 AND ${from} <= ?4 ELSE ${to} >= ?2 OR ${from} <= ?4 END`;
/** Of the children of `?1` those with the newest: what is newest in all of them is in one of these. */
export const NEWEST_CHILDREN_SQL = `SELECT s.* FROM json_each(?1) j CROSS JOIN map_squares s ON s.square BETWEEN j.value * ${CHILDREN} AND j.value * ${CHILDREN} + ${CHILDREN - 1}
  WHERE s.count > 0 AND s.north >= ?3 AND s.south <= ?5 AND ${lonIn('s.west', 's.east')} ORDER BY s.newest_ms DESC LIMIT ${FOLLOWED}`;
// A square at home may hold all of a library: of each as many of its newest are looked at as are asked for, none older than ?7.
export const NEWEST_IN_SQL = `SELECT ${TILE_COLUMNS} FROM (
  SELECT i.value->>1 AS asset_id FROM json_each(?1) j, json_each((SELECT json_group_array(json_array(sort_ms, asset_id)) FROM (SELECT n.sort_ms, n.asset_id FROM timeline_items n INDEXED BY timeline_items_by_square
    WHERE n.square = j.value AND n.shown = 1 AND n.sort_ms >= ?7 AND n.latitude BETWEEN ?3 AND ?5 AND ${lonIn('n.longitude', 'n.longitude')} ORDER BY n.sort_ms DESC, n.asset_id DESC LIMIT ?6))) i
  ORDER BY i.value->>0 DESC, i.value->>1 DESC LIMIT ?6) k CROSS JOIN timeline_items USING (asset_id) ORDER BY sort_ms DESC, asset_id DESC`;

const Whole = z.object({ n: z.int(), west: z.number().nullable(), south: z.number().nullable(), east: z.number().nullable(), north: z.number().nullable() });

/** How many have a position, and how far they reach; undefined where none has. */
export async function readWhole(db: D1Database): Promise<{ count: number; box: Box } | undefined> {
  const { n, west, south, east, north } = Whole.parse(await db.prepare(TOTAL_SQL).first());
  return west === null || south === null || east === null || north === null ? undefined : { count: n, box: { west, south, east, north } };
}

export interface InView { count: number; exact: boolean }

/** All that lies in the squares which the box touches, at this zoom's grain; near ones together. */
export async function readMapView(db: D1Database, box: Box, zoom: number): Promise<{ clusters: Cluster[]; total: number }> {
  const [found, total] = await db.batch([squaresOf(db, box, zoom), db.prepare(TOTAL_SQL)]);
  const groups = mergeSquares(z.array(Square).parse(found?.results ?? []), zoom);
  const { results } = await db.prepare(COVERS_SQL).bind(JSON.stringify(groups.map((group) => group.newest_id))).all();
  const covers = new Map(z.array(Cover).parse(results).map(({ asset_id, ...cover }) => [asset_id, cover]));
  return {
    clusters: groups.map((group) => ({
      latitude: group.latitude / group.count, longitude: group.longitude / group.count, count: group.count,
      box: { west: group.west, south: group.south, east: group.east, north: group.north }, cover: covers.get(group.newest_id) ?? null,
    })),
    total: (total?.results[0] as { n: number } | undefined)?.n ?? 0,
  };
}

function squaresOf(db: D1Database, box: Box, zoom: number): D1PreparedStatement {
  return db.prepare(SQUARES_SQL).bind(JSON.stringify(keysOf(box, levelForZoom(zoom))));
}

/** Keys of the squares that a box touches, of a coarser level where they would be too many. */
function keysOf(box: Box, level: number): number[] {
  const { columns, rows } = linesOf(box, level);
  const wide = columns.reduce((n, [from, to]) => n + to - from + 1, 0);
  if (wide * (rows[1] - rows[0] + 1) > MAX_SQUARES && level > COARSEST_LEVEL) return keysOf(box, level - LEVEL_STEP);
  // Two runs of columns may share one at a coarse level.
  const keys = new Set<number>();
  for (const [from, to] of columns) for (let column = from; column <= to; column += 1) for (let row = rows[0]; row <= rows[1]; row += 1) keys.add(squareAt(level, column, row));
  return [...keys];
}

/** The largest first, and what is near one joins it; the joined one stays where its largest square is. */
function mergeSquares(squares: readonly Square[], zoom: number): Square[] {
  const world = WORLD_PX * 2 ** zoom;
  const groups: { group: Square; x: number; y: number }[] = [];
  for (const square of squares.toSorted((a, b) => b.count - a.count || a.square - b.square)) {
    const at = project({ latitude: square.latitude / square.count, longitude: square.longitude / square.count });
    const x = at.x * world;
    const y = at.y * world;
    const near = groups.find((each) => {
      const across = Math.abs(each.x - x);
      return Math.hypot(Math.min(across, world - across), each.y - y) < MERGE_PX;
    });
    if (!near) { groups.push({ group: { ...square }, x, y }); continue; }
    const { group } = near;
    // Beside the 180th meridian what joins may be a whole turn away.
    const turn = square.west - group.west > 180 ? -360 : square.west - group.west < -180 ? 360 : 0;
    const [latitude, longitude] = [group.latitude / group.count, group.longitude / group.count];
    group.count += square.count;
    group.latitude = latitude * group.count;
    group.longitude = longitude * group.count;
    group.west = Math.min(group.west, square.west + turn);
    group.east = Math.max(group.east, square.east + turn);
    group.south = Math.min(group.south, square.south);
    group.north = Math.max(group.north, square.north);
    if (square.newest_ms > group.newest_ms) { group.newest_ms = square.newest_ms; group.newest_id = square.newest_id; }
  }
  return groups.map((each) => each.group);
}

/** Squares that reach over the box's edge are counted whole, and then the number is not exact. */
function countInView(squares: readonly Square[], box: Box): InView {
  let count = 0;
  let exact = true;
  for (const square of squares) {
    const corners = [{ latitude: square.south, longitude: square.west }, { latitude: square.north, longitude: square.east }].map((corner) => isInBox(corner, box));
    if (corners.every(Boolean)) { count += square.count; continue; }
    // All of one that holds a single position is out.
    if (square.west === square.east && square.south === square.north) continue;
    count += square.count;
    exact = false;
  }
  return { count, exact };
}

/**
 * The newest in a box, at most `limit` (no more than are followed): from the box's squares down to the finest, at each level
 * those with the newest. A square that reaches over the box's edge is judged by all that lies in it. And how many there are.
 */
export async function listNewestInBox(db: D1Database, box: Box, zoom: number, limit: number): Promise<{ tiles: Tile[]; inView: InView }> {
  const sides = [box.west, box.south, box.east, box.north];
  const found = z.array(Square).parse((await squaresOf(db, box, zoom).all()).results);
  const inView = countInView(found, box);
  let squares = found.sort((a, b) => b.newest_ms - a.newest_ms).slice(0, FOLLOWED);
  if (squares[0] === undefined) return { tiles: [], inView };
  const keys = () => JSON.stringify(squares.map((each) => each.square));
  for (let level = Math.floor(Math.log2(squares[0].square) / 2); level < FINEST_LEVEL; level += LEVEL_STEP) {
    squares = z.array(Square).parse((await db.prepare(NEWEST_CHILDREN_SQL).bind(keys(), ...sides).all()).results);
  }
  // So many squares that lie wholly inside have each one at least as new as this.
  const whole = squares.filter((each) => isInBox({ latitude: each.south, longitude: each.west }, box) && isInBox({ latitude: each.north, longitude: each.east }, box));
  const since = whole[limit - 1]?.newest_ms ?? -Number.MAX_SAFE_INTEGER;
  return { tiles: z.array(Tile).parse((await db.prepare(NEWEST_IN_SQL).bind(keys(), ...sides, limit, since).all()).results), inView };
}
