// The plans of orders to copy and to export: which files, from which drives, into which folder, and whether there is room. Unlike
// the orders about the trash they look at the drives too, for what they need is a place that can be written.
import { dirname, isAbsolute, normalize } from 'node:path';
import { getFile, joinPath, listCopies, type FileRow } from '../catalog/files.ts';
import type { NewStep, OrderTarget } from '../catalog/orders.ts';
import { listRoots } from '../catalog/roots.ts';
import { listVolumes } from '../catalog/volumes.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { FileError } from '../files/errors.ts';
import { absolutePath } from '../volumes/identify.ts';
import type { Volume } from '../volumes/types.ts';
import type { OrderOf, OrderPlan } from '../../protocol/orders.ts';
import { driveLabel, driveName, fileKey, look, sayBytes, type OrderContext } from './context.ts';
import { foldName, readTemplate, TemplateError } from './names.ts';
import { EMPTY_PLAN, listAway, sumUp, togetherWith } from './plan.ts';

type Body = OrderOf<'copy'> | OrderOf<'export'>;
type Planning = Pick<OrderContext, 'catalog' | 'sidecarsOf' | 'files' | 'volumes' | 'inPackage' | 'ownFolders'>;

/** Folders' own blocks, part files and journals: what a full drive is best never brought to. */
const RESERVE_BYTES = 16_000_000;

/** Why an order cannot be given: a sentence for people. */
class Blocked extends Error {}

export async function planCopies(ctx: Planning, body: Body): Promise<{ steps: NewStep[]; plan: OrderPlan; target: OrderTarget | undefined }> {
  try {
    const { volume, path } = body.kind === 'copy' ? await findDrive(ctx, body) : await findFolder(ctx, body);
    const connected = new Set((await ctx.volumes.list(new Set(listVolumes(ctx.catalog).map((v) => v.volume_id)))).map((v) => v.volume_id));
    const steps = planSteps(ctx, body, connected, volume);
    const away = new Map<string, Set<string>>();
    for (const s of steps) if (!s.outcome && s.role === 'asset' && !connected.has(s.volume_id)) away.set(s.volume_id, (away.get(s.volume_id) ?? new Set()).add(s.path));
    const there = steps.filter((s) => s.outcome === 'already').length;
    const notes = [there > 0 ? `Copies of ${there} are on ‘${volume.label}’ already; they are left as they are.` : '', noteOf(ctx.catalog, body, volume, path)].filter((note) => note !== '');
    const now = steps.filter((s) => s.outcome !== 'already' && (s.outcome !== undefined || connected.has(s.volume_id)));
    const plan = { ...sumUp(ctx.catalog, now), away: listAway(ctx.catalog, away), target: { volume_id: volume.volume_id, label: volume.label }, note: notes.length > 0 ? notes.join(' ') : null };
    const needed = steps.reduce((sum, s) => sum + (s.outcome ? 0 : s.size_bytes), 0);
    return { steps, plan: { ...plan, blocked: whyNotEnough(volume, needed) ?? (steps.length === 0 ? 'No file of these is known here.' : null) }, target: { volume_id: volume.volume_id, path, label: volume.label } };
  } catch (error) {
    if (error instanceof Blocked || error instanceof TemplateError) return { steps: [], plan: { ...EMPTY_PLAN, blocked: error.message }, target: undefined };
    throw error;
  }
}

function whyNotEnough(volume: Volume, needed: number): string | null {
  if (volume.free_bytes === null || needed === 0 || needed + RESERVE_BYTES <= volume.free_bytes) return null;
  return `‘${volume.label}’ has no room for these: they have ${sayBytes(needed)}, ${sayBytes(volume.free_bytes)} are free there, so ${sayBytes(needed + RESERVE_BYTES - volume.free_bytes)} are lacking.`;
}

/** Roots that a folder lies in, or that lie in it. */
export function rootsNear(catalog: Catalog, target: Pick<OrderTarget, 'volume_id' | 'path'>): { root_id: string; holds: boolean }[] {
  const inside = (path: string, folder: string) => folder === '' || path === folder || path.startsWith(`${folder}/`);
  return listRoots(catalog).filter((r) => r.volume_id === target.volume_id && (inside(target.path, r.path) || inside(r.path, target.path))).map((r) => ({ root_id: r.root_id, holds: inside(target.path, r.path) }));
}

function noteOf(catalog: Catalog, body: Body, volume: Volume, path: string): string {
  const indexed = rootsNear(catalog, { volume_id: volume.volume_id, path }).some((r) => r.holds);
  if (body.kind === 'export') return indexed ? 'This folder lies in one that is indexed, so what is exported will be indexed as further copies.' : '';
  return indexed ? '' : sayNotIndexed(volume.label);
}

export function sayNotIndexed(label: string): string {
  return `The folder on ‘${label}’ is not indexed: add it to the library, or these copies count for nothing when others are trashed.`;
}

// ---- Where to ----

async function findDrive(ctx: Planning, body: OrderOf<'copy'>): Promise<{ volume: Volume; path: string }> {
  const volume = await ctx.volumes.get(body.volume_id);
  if (!volume) throw new Blocked(`‘${driveName(ctx.catalog, body.volume_id)}’ is not connected. Plug it in to copy to it.`);
  if (isAbsolute(body.folder)) throw new Blocked('Say the folder as it lies on that drive, without a slash before it.');
  const parts = body.folder.split('/').filter((part) => part !== '');
  if (parts.some((part) => part === '.' || part === '..')) throw new Blocked('The folder must be named without . and .. parts.');
  const path = parts.join('/');
  assertFolder(ctx, volume, path);
  return { volume, path };
}

async function findFolder(ctx: Planning, body: OrderOf<'export'>): Promise<{ volume: Volume; path: string }> {
  readTemplate(body.template);
  if (!isAbsolute(body.folder)) throw new Blocked(`‘${body.folder}’ is not a whole path. Say the folder from the top, like /Volumes/Red/Export.`);
  if (body.folder.split('/').some((part) => part === '.' || part === '..')) throw new Blocked('The folder must be named without . and .. parts.');
  const folder = normalize(body.folder).replace(/(?<=.)\/+$/, '');
  if (body.volume_id !== '' && !(await ctx.volumes.get(body.volume_id))) throw new Blocked(`${capital(sayDrive(ctx.catalog, body.volume_id))}, which ${folder} was to be on, is not connected. Plug it in, or choose another folder.`);
  const there = guard(folder, () => look(ctx.files, folder));
  if (there && !there.isDirectory() && !there.isSymbolicLink()) throw new Blocked(`${folder} is a file. An export needs a folder.`);
  const above = there ? folder : dirname(folder);
  const parent = guard(above, () => look(ctx.files, above));
  if (!parent) throw new Blocked(`There is no folder ${above}. Make it first, or choose another.`);
  // Links are followed once, here: what the order names from now on is the folder that they lead to.
  const real = guard(above, () => ctx.files.realpath(above));
  if (guard(real, () => look(ctx.files, real))?.isDirectory() !== true) throw new Blocked(`${above} is no folder.`);
  const found = await ctx.volumes.find(real);
  if (!found) throw new Blocked(`It cannot be told which drive ${above} lies on.`);
  // The folder that its drive was mounted on may have stayed, and lies on the computer's own disk.
  if (body.volume_id !== '' && found.volume.volume_id !== body.volume_id) throw new Blocked(`${folder} was to be on ${sayDrive(ctx.catalog, body.volume_id)}, and lies on ‘${found.volume.label}’ now. Plug that drive in where it was, or choose the folder anew.`);
  const path = there ? found.path : joinPath(found.path, folder.slice(folder.lastIndexOf('/') + 1));
  assertFolder(ctx, found.volume, path);
  return { volume: found.volume, path };
}

function sayDrive(catalog: Catalog, volumeId: string): string {
  const label = driveLabel(catalog, volumeId);
  return label === undefined ? 'the drive' : `‘${label}’`;
}

function capital(text: string): string { return text.charAt(0).toUpperCase() + text.slice(1); }

function guard<T>(path: string, work: () => T): T {
  try { return work(); } catch (error) {
    if (error instanceof FileError) throw new Blocked(`${path} cannot be looked at: ${error.message}`);
    throw error;
  }
}

/** A place that may be written, with nothing but folders on the way. */
function assertFolder(ctx: Planning, volume: Volume, path: string): void {
  if (volume.read_only) throw new Blocked(`‘${volume.label}’ can only be read.`);
  const parts = path === '' ? [] : path.split('/');
  if (parts.some((part) => part.toLowerCase().startsWith('.jharokha'))) throw new Blocked('The folder lies in one of Jharokha’s own, which no scan looks into. Choose another.');
  const absolute = absolutePath(volume.mount_point, path);
  if (ctx.ownFolders.some((own) => absolute === own || absolute.startsWith(`${own}/`))) throw new Blocked('The folder lies in Jharokha’s own data. Choose another.');
  if (ctx.inPackage(path)) throw new Blocked('The folder lies inside another program’s library. Choose another.');
  for (let n = 1; n <= parts.length; n += 1) {
    const absolute = absolutePath(volume.mount_point, parts.slice(0, n).join('/'));
    const stat = guard(absolute, () => look(ctx.files, absolute));
    if (!stat) return;
    if (!stat.isDirectory()) throw new Blocked(`${absolute} is ${stat.isSymbolicLink() ? 'a link' : 'a file'}. A folder is needed there.`);
  }
}

// ---- What ----

interface Unit { key: string; files: FileRow[] }

function planSteps(ctx: Planning, body: Body, connected: ReadonlySet<string>, target: Volume): NewStep[] {
  const { catalog } = ctx;
  const units: Unit[] = [];
  const seen = new Set<string>();
  for (const asked of body.sha256s) {
    const together = togetherWith(catalog, asked).filter((sha256) => !seen.has(sha256));
    const files: FileRow[] = [];
    for (const sha256 of together) {
      seen.add(sha256);
      const copy = chooseSource(listCopies(catalog, sha256), connected, files[0], body.kind);
      if (copy) files.push(copy);
    }
    if (files[0]) units.push({ key: `${files[0].volume_id}\0${files[0].dir}\0${files[0].name}`, files });
  }
  units.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const related = new Map<string, Map<string, string[]>>();
  const steps: NewStep[] = [];
  units.forEach(({ files }, unit) => {
    const going: FileRow[] = [];
    for (const file of files) {
      const ended = body.kind === 'copy' ? endedAlready(ctx, file, target) : undefined;
      steps.push({ unit, role: 'asset', volume_id: file.volume_id, path: joinPath(file.dir, file.name), sha256: file.sha256, size_bytes: file.size_bytes, ...ended });
      if (!ended) going.push(file);
    }
    const sidecars = body.kind === 'copy' || body.sidecars ? listSidecars(ctx, related, going) : [];
    const made = body.kind === 'export' && body.sidecars ? going.map((f) => ({ volume_id: f.volume_id, path: `${joinPath(f.dir, f.name)}.xmp`, size_bytes: 0 })) : [];
    const ours = new Set(made.map((m) => foldName(m.path)));
    for (const sidecar of [...sidecars.filter((s) => !ours.has(foldName(s.path))), ...made]) steps.push({ unit, role: 'sidecar', sha256: null, ...sidecar });
  });
  return steps;
}

/** On a drive that is here, beside the others of its unit where it can be, and outside other programs' libraries. */
function chooseSource(copies: readonly FileRow[], connected: ReadonlySet<string>, beside: FileRow | undefined, kind: Body['kind']): FileRow | undefined {
  const rank = (f: FileRow) => (kind === 'copy' && f.in_package ? 4 : 0) + (connected.has(f.volume_id) ? 0 : 2) + (beside && f.volume_id === beside.volume_id && f.dir === beside.dir ? 0 : 1) + (f.in_package ? 0.5 : 0);
  return [...copies].sort((a, b) => rank(a) - rank(b))[0];
}

/** Of a copy: it is on that drive, by whatever path; or it must not come from where it lies. */
function endedAlready(ctx: Planning, file: FileRow, target: Volume): Pick<NewStep, 'outcome' | 'reason' | 'to_path'> | undefined {
  const there = listCopies(ctx.catalog, file.sha256 ?? '').find((copy) => copy.volume_id === target.volume_id && isThere(ctx, target, copy));
  if (there) return { outcome: 'already', reason: 'A copy of it is on that drive.', to_path: joinPath(there.dir, there.name) };
  return file.in_package ? { outcome: 'refused', reason: 'It lies inside another program’s library, whose folders are not copied. Export it instead.' } : undefined;
}

/** As the catalog has it: a look, no read. What has changed meanwhile is no copy. */
function isThere(ctx: Planning, target: Volume, copy: FileRow): boolean {
  try {
    const stat = look(ctx.files, absolutePath(target.mount_point, joinPath(copy.dir, copy.name)));
    return stat !== undefined && stat.isFile() && stat.size === copy.size_bytes && stat.mtimeMs === copy.mtime_ms;
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}

function listSidecars(ctx: Planning, related: Map<string, Map<string, string[]>>, files: readonly FileRow[]): Pick<NewStep, 'volume_id' | 'path' | 'size_bytes'>[] {
  const found = new Map<string, Pick<NewStep, 'volume_id' | 'path' | 'size_bytes'>>();
  for (const file of files) {
    const folder = `${file.volume_id}\0${file.dir}`;
    const known = related.get(folder) ?? ctx.sidecarsOf({ volume_id: file.volume_id, dir: file.dir });
    related.set(folder, known);
    for (const name of known.get(file.name) ?? []) {
      const row = getFile(ctx.catalog, file.volume_id, file.dir, name);
      if (row) found.set(fileKey(row), { volume_id: row.volume_id, path: joinPath(row.dir, row.name), size_bytes: row.size_bytes });
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
