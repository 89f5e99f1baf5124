// The grids of pages as one: their layouts, runs of tiles by key, hashes, and where a tile stands. Not a middleware of its own.
import { parseKey, type GridLayout } from '../../protocol/layout.ts';
import { PIECE_TILES } from '../../protocol/limits.ts';
import { Sha256 } from '../../protocol/words.ts';
import { sayDayPlace } from '../../views/parts/words.ts';
import type { PieceFacts } from '../../views/timeline.tsx';
import type { Env } from '../env.ts';
import { BadRequest } from '../errors.tsx';
import { gridCursorAt, listGrid, listGridHashes, type Grid } from '../store/grids.ts';
import { findOffset, listDayPlaces, readGridLayout, readTimelineLayout, readTimelineRun, type DayPlace } from '../store/layouts.ts';
import { findTile, listHashesFrom, listOlder, type Tile } from '../store/timeline.ts';
import { findIn, findLayout, locateFound, readFound, type FoundGrid, rankedRun } from './found.ts';
import { readGrid } from './grid.ts';

/** `inside` is the address that the viewer gets; none for the timeline. */
export type AnyGrid = { inside: string | undefined } & ({ kind: 'timeline' } | { kind: 'set'; grid: Grid } | { kind: 'found'; found: FoundGrid });

/** The grid that an address of a page names. */
export function findGrid(address: string): AnyGrid | undefined {
  if (address === '/') return { kind: 'timeline', inside: undefined };
  const set = readGrid(address);
  if (set) return { kind: 'set', grid: set.grid, inside: set.address };
  const found = readFound(address);
  return found && { kind: 'found', found, inside: found.address };
}

export async function loadLayout(env: Env, of: AnyGrid, since: number): Promise<GridLayout> {
  if (of.kind === 'timeline') return readTimelineLayout(env.DB, since);
  return of.kind === 'set' ? readGridLayout(env.DB, of.grid) : findLayout(env, of.found);
}

/** `n` tiles from the one of this key on, with what the page checks them by. */
export async function loadRun(env: Env, of: AnyGrid, from: string, n: number): Promise<PieceFacts> {
  if (of.kind === 'found') return { tiles: await rankedRun(env, of.found, readRank(from), n), versions: {}, places: {} };
  if (of.kind === 'set') return { tiles: await listRun(env, of, from, n), versions: {}, places: {} };
  const key = readKey(from);
  const { tiles, versions, places } = await readTimelineRun(env.DB, { sortMs: key.sortMs, assetId: key.assetId + 1 }, n);
  return { tiles, versions, places: sayDayPlaces(places) };
}

/** What the titles of these tiles' days say of the place. */
export async function loadDayPlaces(db: D1Database, tiles: readonly Tile[]): Promise<Record<number, string>> {
  return sayDayPlaces(await listDayPlaces(db, tiles.map((tile) => tile.asset_id)));
}
function sayDayPlaces(places: readonly DayPlace[]): Record<number, string> {
  return Object.fromEntries([...Map.groupBy(places, (place) => place.day)].map(([day, list]) => [day, sayDayPlace(list)]));
}

export async function listRunHashes(env: Env, of: AnyGrid, from: string, n: number): Promise<string[]> {
  if (of.kind === 'found') return (await findIn(env, of.found, readRank(from), n)).map((hit) => hit.sha256);
  const key = readKey(from);
  return of.kind === 'timeline' ? listHashesFrom(env.DB, { sortMs: key.sortMs, assetId: key.assetId + 1 }, n) : listGridHashes(env.DB, of.grid, gridCursorAt(of.grid, key), n);
}

/** Its group and its place there, from 0; undefined where it does not stand in this grid. */
export async function locateTile(env: Env, of: AnyGrid, sha256: string): Promise<{ group: number; offset: number } | undefined> {
  const hash = Sha256.safeParse(sha256);
  if (!hash.success) throw new BadRequest('`sha256` is no hash.');
  if (of.kind === 'found') return locateFound(env, of.found, hash.data);
  const tile = await findTile(env.DB, hash.data);
  if (!tile) return undefined;
  if (of.kind === 'timeline') return tile.shown === 1 ? { group: tile.month, offset: await findOffset(env.DB, tile) } : undefined;
  const layout = await readGridLayout(env.DB, of.grid);
  const group = layout.groups.find(({ key }) => key === (layout.by === 'month' ? tile.month : 0));
  for (const [piece, cut] of (group?.cuts ?? []).entries()) {
    const index = (await listRun(env, of, cut, PIECE_TILES)).findIndex((each) => each.sha256 === hash.data);
    if (index >= 0) return { group: group?.key ?? 0, offset: piece * PIECE_TILES + index };
  }
  return undefined;
}

function listRun(env: Env, of: Extract<AnyGrid, { kind: 'timeline' | 'set' }>, from: string, n: number): Promise<Tile[]> {
  const key = readKey(from);
  return of.kind === 'timeline' ? listOlder(env.DB, { sortMs: key.sortMs, assetId: key.assetId + 1 }, n) : listGrid(env.DB, of.grid, gridCursorAt(of.grid, key), 'following', n);
}

function readKey(text: string): { sortMs: number; assetId: number } {
  const key = parseKey(text);
  if (!key) throw new BadRequest('`from` names no place in the grid.');
  return key;
}
function readRank(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw new BadRequest('`from` names no place in the grid.');
  return Number(text);
}
