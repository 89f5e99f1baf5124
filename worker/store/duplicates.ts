// Duplicates: assets that lie in more than one file, those first that take the most room for nothing; each with its files,
// and which of them is best kept. Reads only; what is done about them is an order's.
import * as z from 'zod';
import { Tile, TILE_COLUMNS, type Cursor } from './timeline.ts';
import { DAY_MS } from './asset-copies.ts';

const Duplicate = Tile.extend({ spare_bytes: z.number(), files: z.int(), size_bytes: z.number() });
export type Duplicate = z.infer<typeof Duplicate>;
/** All that lie in several files, or only those with several on one drive: copies on different drives are backups too. */
export type DuplicateSet = 'all' | 'extra';
const SETS: Record<DuplicateSet, { bytes: string; among: string }> = {
  all: { bytes: 'c.spare_bytes', among: 'asset_copies c INDEXED BY asset_copies_by_spare WHERE c.counted = 1 AND c.files > 1' },
  extra: { bytes: 'c.extra_bytes', among: 'asset_copies c INDEXED BY asset_copies_by_extra WHERE c.counted = 1 AND c.files > c.drives' },
};
export function duplicatesSql(set: DuplicateSet): string {
  const { bytes, among } = SETS[set];
  return `SELECT k.spare_bytes, k.files, a.size_bytes, ${TILE_COLUMNS.split(', ').map((column) => `t.${column}`).join(', ')}
  FROM (SELECT ${bytes} AS spare_bytes, c.asset_id, c.files FROM ${among} AND (${bytes}, c.asset_id) < (?1, ?2) ORDER BY ${bytes} DESC, c.asset_id DESC LIMIT ?3) k
  CROSS JOIN timeline_items t ON t.asset_id = k.asset_id CROSS JOIN assets a ON a.asset_id = k.asset_id ORDER BY k.spare_bytes DESC, k.asset_id DESC`;
}
/** Paths of one asset that are shown; the rest is counted. */
export const MAX_PATHS = 60;
export const PATHS_SQL = `SELECT l.volume_id, l.path, l.fs_id, l.inode, l.in_package, l.verified_at_ms, l.damaged_at_ms, coalesce(e.albums, '[]') <> '[]' AS in_album, coalesce(e.imports, '[]') <> '[]' AS sidecar
  FROM locations l LEFT JOIN evidence e ON e.volume_id = l.volume_id AND e.path = l.path WHERE l.sha256 = ?1 AND l.missing_since_ms IS NULL ORDER BY l.volume_id, l.path LIMIT ?2`;
const PathRow = z.object({
  volume_id: z.string(), path: z.string(), fs_id: z.string().nullable(), inode: z.string().nullable(), in_package: z.int(),
  verified_at_ms: z.number().nullable(), damaged_at_ms: z.number().nullable(), in_album: z.int(), sidecar: z.int(),
});
export type PathRow = z.infer<typeof PathRow>;

/** One file under all of its paths. */
export interface CopyFile {
  paths: { volume_id: string; path: string }[];
  in_package: boolean; in_album: boolean; sidecar: boolean; damaged: boolean; verified_at_ms: number | null;
}
export interface DuplicateGroup { tile: Duplicate; copies: CopyFile[]; morePaths: boolean }
/** Before the first: `sortMs` is of spare bytes here. */
export const MOST_SPARE: Cursor = { sortMs: 9e15, assetId: 0 };

/** Groups after a cursor, at most `limit`; and where to go on where there are more. Sound and damaged files, none that is missing. */
export async function listDuplicates(db: D1Database, set: DuplicateSet, after: Cursor, limit: number): Promise<{ groups: DuplicateGroup[]; next: Cursor | null }> {
  const found = z.array(Duplicate).parse((await db.prepare(duplicatesSql(set)).bind(after.sortMs, after.assetId, limit + 1).all()).results);
  const tiles = found.slice(0, limit);
  const last = tiles.at(-1);
  const paths = tiles.length === 0 ? [] : await db.batch(tiles.map((tile) => db.prepare(PATHS_SQL).bind(tile.sha256, MAX_PATHS + 1)));
  return {
    groups: tiles.map((tile, i) => { const rows = z.array(PathRow).parse(paths[i]?.results ?? []); return { tile, copies: groupPaths(rows.slice(0, MAX_PATHS)), morePaths: rows.length > MAX_PATHS }; }),
    next: found.length > limit && last ? { sortMs: last.spare_bytes, assetId: last.asset_id } : null,
  };
}

/** One file is one copy (promise 4), on whatever volumes its paths are. In the order of drive and path. */
export function groupPaths(rows: readonly PathRow[]): CopyFile[] {
  const files = new Map<string, CopyFile>();
  for (const { volume_id, path, fs_id, inode, verified_at_ms, ...row } of rows) {
    const key = JSON.stringify(fs_id === null || inode === null ? [volume_id, path] : [fs_id, inode, 0]);
    const file = files.get(key) ?? { paths: [], in_package: false, in_album: false, sidecar: false, damaged: false, verified_at_ms: null };
    files.set(key, file);
    file.paths.push({ volume_id, path });
    file.in_package ||= row.in_package === 1;
    file.in_album ||= row.in_album === 1;
    file.sidecar ||= row.sidecar === 1;
    file.damaged ||= row.damaged_at_ms !== null;
    if (verified_at_ms !== null) file.verified_at_ms = Math.max(file.verified_at_ms ?? 0, verified_at_ms);
  }
  return [...files.values()];
}

export interface Choice { connected: boolean; fixed: boolean; damaged: boolean; in_album: boolean; sidecar: boolean; verified_at_ms: number | null; paths: readonly { volume_id: string; path: string }[] }
/** Why one is best: by the first of these that tells it from all others; 'same': by nothing but the order. */
export type Best = { index: number; why: 'connected' | 'fixed' | 'verified' | 'sidecar' | 'album' | 'short' | 'same' };

/**
 * Which copy is best kept: one whose drive is connected, one that cannot be moved anyway (`fixed`), the one verified last
 * (by the day: one run verifies all), one with a sidecar beside it, which would go with it, one in an album's folder, the shortest path. Undefined where none is whole. The bytes are the same, so nothing else tells them apart; equal ones go by volume and path, so that it is the same one every time.
 */
export function chooseBest(copies: readonly Choice[]): Best | undefined {
  const length = (copy: Choice) => Math.min(...copy.paths.map(({ path }) => path.length));
  const marks: [Best['why'], (copy: Choice) => number][] = [
    ['connected', (copy) => Number(copy.connected)], ['fixed', (copy) => Number(copy.fixed)], ['verified', (copy) => Math.floor((copy.verified_at_ms ?? 0) / DAY_MS)],
    ['sidecar', (copy) => Number(copy.sidecar)], ['album', (copy) => Number(copy.in_album)], ['short', (copy) => -length(copy)],
  ];
  const name = (copy: Choice) => JSON.stringify([copy.paths[0]?.volume_id, copy.paths[0]?.path]);
  const whole = copies.map((copy, index) => ({ copy, index, marks: marks.map(([, of]) => of(copy)) })).filter(({ copy }) => !copy.damaged);
  whole.sort((a, b) => {
    const i = a.marks.findIndex((mark, at) => mark !== b.marks[at]);
    return i >= 0 ? (b.marks[i] ?? 0) - (a.marks[i] ?? 0) : name(a.copy) < name(b.copy) ? -1 : 1;
  });
  const [best, next] = whole;
  if (!best) return undefined;
  const told = next ? marks[best.marks.findIndex((mark, at) => mark !== next.marks[at])] : undefined;
  return { index: best.index, why: told?.[0] ?? 'same' };
}

export interface Suggestion {
  best: Best | undefined;
  /** Of each copy: whether it can go at all now, and whether it is suggested to. */
  copies: { can: boolean; tick: boolean }[];
  /** One can go while one that stays is connected, as an order wants it. */
  offered: boolean;
  /** Where it is not offered: volumes that would have to be connected; none where that would not help. */
  plugIn: string[];
}

/** What is suggested for a group: on each drive the best copy stays, for a copy on another drive is a backup. */
export function suggest(copies: readonly Choice[]): Suggestion {
  const best = chooseBest(copies);
  const driveOf = (copy: Choice) => copy.paths[0]?.volume_id ?? '';
  const kept = new Set([...Map.groupBy(copies, driveOf).values()].flatMap((own) => { const at = chooseBest(own); return at ? [own[at.index]] : []; }));
  const can = copies.map((copy) => copy.connected && !copy.fixed && !copy.damaged);
  const offered = best !== undefined && (copies[best.index]?.connected ?? false) && can.some((yes, i) => yes && i !== best.index);
  // What cannot be moved anyway helps only by staying, and one that stays is connected already where any is.
  const others = copies.filter((copy, i) => !copy.damaged && (i === best?.index || !copy.fixed));
  const away = others.filter((copy) => !copy.connected);
  return {
    best, offered, copies: copies.map((copy, i) => ({ can: can[i] ?? false, tick: offered && (can[i] ?? false) && !kept.has(copy) })),
    plugIn: offered || others.length < 2 ? [] : [...new Set(away.map(driveOf))],
  };
}
