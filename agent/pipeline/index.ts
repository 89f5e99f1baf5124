// The pipeline's way in for commands: add a folder, scan what there is, answer. Holds no stage of its own.
import { adoptVolume, putVolume } from '../catalog/volumes.ts';
import { listRoots, putRoot, type Root } from '../catalog/roots.ts';
import { compileExcludes } from './ignore.ts';
import type { ConnectedVolume, ScanContext, ScanReport } from './context.ts';
import { COMPLETION_PATHS, scanRoots } from './scan.ts';

/** The protocol's bounds on a root's excludes. */
const MAX_EXCLUDES = 200;
const MAX_EXCLUDE_LENGTH = 1_000;

/**
 * Adds a folder by its absolute path; a link to it is resolved first. Without `excludes` a root that is there already
 * keeps its own. Throws, in words for people, for what is no folder, for our own data folder and for odd excludes.
 */
export async function addRoot(ctx: Pick<ScanContext, 'files' | 'volumes' | 'catalog' | 'ownFolders'>, path: string, excludes?: readonly string[]): Promise<Root> {
  let real: string;
  try { real = ctx.files.realpath(path); } catch (error) { throw new Error(`The folder ${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error }); }
  if (!ctx.files.lstat(real).isDirectory()) throw new Error(`${path} is not a folder.`);
  if (ctx.ownFolders?.some((own) => real === own || real.startsWith(`${own}/`))) throw new Error(`${path} is Jharokha's own data folder.`);
  if (excludes) checkExcludes(excludes);
  const found = await ctx.volumes.find(real);
  if (!found) throw new Error(`It cannot be told which drive ${path} lies on.`);
  putVolume(ctx.catalog, found.volume);
  return putRoot(ctx.catalog, found.volume.volume_id, found.path, excludes);
}

/** Throws, in words for people, for excludes that cannot be kept or used. */
export function checkExcludes(excludes: readonly string[]): void {
  if (excludes.length > MAX_EXCLUDES) throw new Error(`At most ${MAX_EXCLUDES} lines of excludes are kept.`);
  const long = excludes.find((e) => e.length > MAX_EXCLUDE_LENGTH);
  if (long) throw new Error(`An exclude is longer than ${MAX_EXCLUDE_LENGTH} characters: ${long.slice(0, 60)}…`);
  for (const one of excludes) {
    try { compileExcludes([one], true); } catch { throw new Error(`This exclude cannot be used: ${one.slice(0, 100)}`); }
  }
}

/** Scans all roots whose drive is connected, or those given. The rest give a report that says so. */
export async function scanAll(ctx: ScanContext, roots?: readonly Root[]): Promise<ScanReport[]> {
  return scanRoots(ctx, roots ?? listRoots(ctx.catalog));
}

/** After a marker was written on the owner's word: what was known under the weak identity is known under the new one. */
export function adoptMarkedVolume(ctx: Pick<ScanContext, 'catalog' | 'now'>, weakId: string, marked: ConnectedVolume): void {
  adoptVolume(ctx.catalog, weakId, marked, ctx.now(), COMPLETION_PATHS);
}
