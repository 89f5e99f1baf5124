// What a search or "more like this" found, as grids: pieces for their pages, and neighbours for the viewer. Not a middleware of its own.
import type { GridLayout } from '../../protocol/layout.ts';
import { NEAR_TILES, PIECE_TILES } from '../../protocol/limits.ts';
import { SearchSort, type SearchAnswer } from '../../protocol/search.ts';
import { Sha256 } from '../../protocol/words.ts';
import { searchAddress, similarAddress, withQuery } from '../../views/parts/addresses.ts';
import type { Piece } from '../../views/timeline.tsx';
import type { Env } from '../env.ts';
import { findSimilar, runSearch } from '../search/search.ts';
import { listRatios, listTiles, type Tile } from '../store/timeline.ts';
import type { Where } from './page.tsx';

export type Found = { kind: 'search'; q: string; sort: SearchSort; weaker: boolean } | { kind: 'similar'; sha256: Sha256 };
export interface FoundGrid { found: Found; address: string }
export type RankedTile = Tile & { rank: number };
export interface FoundPiece { answer: SearchAnswer; piece: Piece }

/** How far an asset is looked for where its address does not say where it stands, or no longer truly. */
const LOOKED_THROUGH = 1_000;
/** No list of results is longer. */
const MAX_RANK = 10_000_000;

/** The search that an address names, with the address as we write it; undefined for any other. */
export function readFound(address: string): FoundGrid | undefined {
  let url: URL;
  try { url = new URL(address, 'http://localhost'); } catch { return undefined; }
  const similar = /^\/similar\/([^/]+)$/.exec(url.pathname);
  if (similar) {
    const sha256 = Sha256.safeParse(similar[1]);
    return sha256.success ? { found: { kind: 'similar', sha256: sha256.data }, address: similarAddress(sha256.data) } : undefined;
  }
  if (url.pathname !== '/search') return undefined;
  return findBy(url.searchParams.get('q') ?? '', url.searchParams.get('sort'), url.searchParams.get('weaker'));
}

/** A search as the parameters of an address say it. */
export function findBy(q: string, sort: string | null | undefined, weaker: string | null | undefined): FoundGrid & { found: Extract<Found, { kind: 'search' }> } {
  const order = SearchSort.safeParse(sort);
  const found = { kind: 'search' as const, q, sort: order.success ? order.data : 'relevance' as const, weaker: weaker === '1' };
  return { found, address: searchAddress(q, found) };
}

/** A piece of what was found: from a rank on, up to one, round an asset, or the first. */
export async function loadFoundPiece(env: Env, { found, address }: FoundGrid, at: Where): Promise<FoundPiece> {
  const until = readRank(at.until);
  const near = until === undefined && at.from === undefined && at.near !== undefined ? readRank(at.at) ?? await findRank(env, found, at.near) : undefined;
  const from = until !== undefined ? Math.max(0, until - PIECE_TILES) : readRank(at.from) ?? Math.max(0, (near ?? 0) - NEAR_TILES);
  const limit = until !== undefined ? Math.min(PIECE_TILES, until) : PIECE_TILES;
  const answer = await ask(env, found, from, limit);
  const end = from + limit;
  return {
    answer,
    piece: {
      tiles: await rankTiles(env, answer, from), inside: address,
      newer: from > 0 ? withQuery(address, { until: from }) : null, older: end < answer.total ? withQuery(address, { from: end }) : null,
    },
  };
}

/** The nearest on both sides among what was found, and where the asset stands there; none where it is not among it. `at` is the rank that the address gave, if any. */
export async function loadFoundNeighbours(env: Env, found: Found, sha256: string, at: string | undefined, count: number): Promise<{ before: RankedTile[]; behind: RankedTile[]; rank: number | undefined }> {
  const said = readRank(at);
  for (const [from, limit] of [...(said === undefined ? [] : [[Math.max(0, said - count), 2 * count + 1] as const]), [0, LOOKED_THROUGH] as const]) {
    const answer = await ask(env, found, from, limit);
    const index = answer.results.findIndex((hit) => hit.sha256 === sha256);
    if (index < 0) continue;
    const first = Math.max(0, index - count);
    const tiles = await rankTiles(env, { results: answer.results.slice(first, index + count + 1) }, from + first);
    const rank = from + index;
    return { before: tiles.filter((tile) => tile.rank < rank), behind: tiles.filter((tile) => tile.rank > rank), rank };
  }
  return { before: [], behind: [], rank: undefined };
}

/** Results that a page shows as one grid. */
const MAX_GRID_RESULTS = 5_000;

/** The layout of what was found, as far as a grid goes: by relevance one group, by date one a month; keys are ranks. */
export async function findLayout(env: Env, { found }: FoundGrid): Promise<GridLayout> {
  return layOut(env, await ask(env, found, 0, MAX_GRID_RESULTS));
}

async function layOut(env: Env, answer: SearchAnswer): Promise<GridLayout> {
  const by = answer.sort === 'relevance' ? 'none' : 'month';
  const groups: { key: number; from: number; ratios: string[] }[] = [];
  for (const [rank, { ratio, month }] of (await listRatios(env.DB, answer.results.map((hit) => hit.sha256))).entries()) {
    const key = by === 'none' ? 0 : month;
    if (groups.at(-1)?.key !== key) groups.push({ key, from: rank, ratios: [] });
    groups.at(-1)?.ratios.push(ratio);
  }
  return {
    by, version: 0, keys: groups.map(({ key }) => key),
    groups: groups.map(({ key, from, ratios }) => ({
      key, version: 0, days: [{ day: 0, ratios: ratios.join('') }], cuts: Array.from({ length: Math.ceil(ratios.length / PIECE_TILES) }, (_, piece) => String(from + piece * PIECE_TILES)),
    })),
  };
}

/** Where an asset stands among what was found: its group and its place there, from 0; undefined where it is not among the first. */
export async function locateFound(env: Env, { found }: FoundGrid, sha256: string): Promise<{ group: number; offset: number } | undefined> {
  const answer = await ask(env, found, 0, MAX_GRID_RESULTS);
  const rank = answer.results.findIndex((hit) => hit.sha256 === sha256);
  if (rank < 0 || rank >= LOOKED_THROUGH) return undefined;
  // Cuts are ranks, so the group that holds one is the last that begins at or before it.
  const group = (await layOut(env, answer)).groups.findLast(({ cuts }) => Number(cuts[0]) <= rank);
  return group && { group: group.key, offset: rank - Number(group.cuts[0]) };
}

/** All that was found, as far as a grid goes; `more`: there is more than that. */
export async function findAll(env: Env, { found }: FoundGrid): Promise<{ sha256s: string[]; more: boolean }> {
  const { results, total } = await ask(env, found, 0, MAX_GRID_RESULTS);
  return { sha256s: results.map((hit) => hit.sha256), more: total > results.length };
}

/** What was found from a rank on. */
export async function findIn(env: Env, { found }: FoundGrid, from: number, n: number): Promise<SearchAnswer['results']> {
  return (await ask(env, found, from, n)).results;
}

export async function rankedRun(env: Env, at: FoundGrid, from: number, n: number): Promise<RankedTile[]> {
  return rankTiles(env, { results: await findIn(env, at, from, n) }, from);
}

function ask(env: Env, found: Found, offset: number, limit: number): Promise<SearchAnswer> {
  if (found.kind === 'similar') return findSimilar(env, found.sha256, { offset, limit });
  return runSearch(env, { text: found.q, sort: found.sort, weaker: found.weaker, offset, limit, nowMs: Date.now() });
}

async function findRank(env: Env, found: Found, sha256: string): Promise<number | undefined> {
  const index = (await ask(env, found, 0, LOOKED_THROUGH)).results.findIndex((hit) => hit.sha256 === sha256);
  return index < 0 ? undefined : index;
}

async function rankTiles(env: Env, answer: Pick<SearchAnswer, 'results'>, from: number): Promise<RankedTile[]> {
  const ranks = new Map(answer.results.map((hit, i) => [hit.sha256, from + i]));
  const tiles = await listTiles(env.DB, answer.results.map((hit) => hit.sha256));
  return tiles.map((tile) => ({ ...tile, rank: ranks.get(tile.sha256) ?? from }));
}

/** A rank out of an address; undefined for anything else. */
function readRank(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,8}$/.test(text) ? Math.min(MAX_RANK, Number(text)) : undefined;
}
