// The folders that the owner asks for: adding them, browsing to them, and offering likely ones. Names of folders only
// leave the computer by the page that asked; files are never listed.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DiskFullError } from '../files/room.ts';
import { CommandError, EXIT, reason } from '../config.ts';
import { listRoots, type Root } from '../catalog/roots.ts';
import { addRoot } from '../pipeline/index.ts';
import type { ScanContext } from '../pipeline/context.ts';
import type { Volumes } from '../volumes/volumes.ts';
import type { RequestResult } from '../../protocol/link.ts';

/** Folders shown in one browse; a folder with more is better typed. */
const MAX_BROWSED = 1_000;
const LIKELY = ['Pictures', 'Photos', 'DCIM', 'Photographs', 'Camera', 'Takeout', 'Bilder', 'Fotos', 'Images'];

/** A path as the owner types it: `~` is home, relative to where the command runs. */
export function expandPath(path: string): string {
  const trimmed = path.trim();
  if (trimmed === '~') return homedir();
  return resolve(trimmed.startsWith('~/') ? join(homedir(), trimmed.slice(2)) : trimmed);
}

/**
 * Adds a folder as a root, or returns the one that holds it already. Throws CommandError that says what is wrong with
 * the path; nothing is added then.
 */
export async function addFolder(ctx: ScanContext, path: string): Promise<Root> {
  const absolute = expandPath(path);
  let isDirectory: boolean;
  try { isDirectory = statSync(absolute).isDirectory(); } catch (error) {
    throw new CommandError(`${absolute}: ${reason(error)}. Is its drive plugged in?`, EXIT.usage);
  }
  if (!isDirectory) throw new CommandError(`${absolute} is a file. Name the folder it lies in.`, EXIT.usage);
  try { readdirSync(absolute); } catch (error) {
    const hint = process.platform === 'darwin' ? ' Allow the terminal in System Settings → Privacy & Security → Files and Folders (or Full Disk Access).' : '';
    throw new CommandError(`${absolute} cannot be read: ${reason(error)}.${hint}`, EXIT.usage);
  }
  const found = await ctx.volumes.find(absolute);
  const holding = found && listRoots(ctx.catalog).find((r) => r.volume_id === found.volume.volume_id && (r.path === '' || found.path === r.path || found.path.startsWith(`${r.path}/`)));
  if (holding) return holding;
  try { return await addRoot(ctx, absolute); } catch (error) {
    // A full disk is not the fault of what was typed.
    throw error instanceof DiskFullError ? error : new CommandError(reason(error), EXIT.usage);
  }
}

/** Folders inside `path` (home when empty), dot-folders left out. */
export function browse(path: string): RequestResult<'browse'> {
  const absolute = path === '' ? homedir() : expandPath(path);
  let folders: { name: string; path: string }[];
  try {
    folders = readdirSync(absolute, { withFileTypes: true }).filter((e) => e.isDirectory() && !e.name.startsWith('.')).map((e) => ({ name: e.name, path: join(absolute, e.name) }));
  } catch (error) { throw new CommandError(`${absolute} cannot be opened: ${reason(error)}.`); }
  folders.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return { path: absolute, parent: dirname(absolute) === absolute ? null : dirname(absolute), folders: folders.slice(0, MAX_BROWSED) };
}

/** Drives to offer, and likely folders on them and at home. */
export async function offerDrives(volumes: Volumes): Promise<RequestResult<'drives'>> {
  const list = await volumes.list();
  const suggestions: RequestResult<'drives'>['suggestions'] = [];
  const offer = (path: string, label: string, why: string) => { if (existsSync(path) && !suggestions.some((s) => s.path === path)) suggestions.push({ path, label, why }); };
  for (const name of LIKELY) offer(join(homedir(), name), name, 'in your home folder');
  for (const v of list) {
    for (const name of LIKELY) if (v.mount_point !== '/') offer(join(v.mount_point, name), name, `on ‘${v.label}’`);
    if (v.removable) offer(v.mount_point, v.label, 'the whole drive');
  }
  return { volumes: list.map(presentVolume), suggestions };
}

export function presentVolume(v: Awaited<ReturnType<Volumes['list']>>[number]): RequestResult<'drives'>['volumes'][number] {
  return { volume_id: v.volume_id, label: v.label, mount_point: v.mount_point, fs_type: v.fs_type, capacity_bytes: v.capacity_bytes, free_bytes: v.free_bytes, read_only: v.read_only, removable: v.removable };
}

/** Where a root lies now, or undefined while its volume is away. */
export async function locateRoot(volumes: Volumes, root: Root): Promise<string | undefined> {
  const volume = await volumes.get(root.volume_id);
  return volume ? join(volume.mount_point, root.path) : undefined;
}
