// Which files a download of originals holds, from which copies, and what they are called in it. Looks at files; opens none.
import { setImmediate as yieldNow } from 'node:timers/promises';
import { fitName, nameless, splitName } from '../../protocol/file-name.ts';
import type { RequestArgs } from '../../protocol/link.ts';
import type { TransferPlan } from '../../protocol/transfer.ts';
import { getFile, joinPath, listCopies, type FileRow } from '../catalog/files.ts';
import { getVolume } from '../catalog/volumes.ts';
import { isDataless, type FileAccess } from '../files/access.ts';
import { FileError } from '../files/errors.ts';
import { DriveLeft, type OrderContext, type Run } from '../orders/context.ts';
import { togetherWith } from '../orders/plan.ts';
import { absolutePath } from '../volumes/identify.ts';

/** Looks at files stop here and the catalog is believed: the page waits, and a disk that has to seek for each of 20,000 takes minutes. */
const LOOK_MS = 4_000;
const LOOKS_AT_ONCE = 200;

/** A file to be sent: its size is promised, its bytes are hashed on the way. */
export interface Original {
  name: string; size_bytes: number; mtime_ms: number;
  /** Null of a sidecar, whose bytes nobody has hashed. */
  sha256: string | null;
  /** Where it may be read, the best first. */
  places: { volume_id: string; path: string }[];
}
export interface Originals { files: Original[]; assets: number; left_out: TransferPlan['left_out'] }

export type OriginalsContext = Pick<OrderContext, 'catalog' | 'files' | 'sidecarsOf'>;

export async function findOriginals(ctx: OriginalsContext, run: Run, { sha256s, as }: Pick<RequestArgs<'send_originals'>, 'sha256s' | 'as'>): Promise<Originals> {
  const looker = createLooker(ctx.files, run);
  const related = new Map<string, Map<string, string[]>>();
  const seen = new Set<string>();
  const units: Original[][] = [];
  const away = new Map<string, number>();
  let [assets, gone] = [0, 0];
  for (const asked of sha256s) {
    const together = (as === 'zip' ? togetherWith(ctx.catalog, asked) : [asked]).filter((sha256) => !seen.has(sha256));
    const unit: Original[] = [];
    let missing: FileRow[] | undefined;
    // Those that belong together come from one folder where they can.
    let folder: string | undefined;
    for (const sha256 of together) {
      seen.add(sha256);
      const copies = listCopies(ctx.catalog, sha256);
      const found: FileRow[] = [];
      for (const copy of copies.sort((a, b) => Number(folderOf(b) === folder) - Number(folderOf(a) === folder))) if (await looker.size(copy) === copy.size_bytes) found.push(copy);
      const [best] = found;
      if (!best) { missing ??= copies; continue; }
      folder ??= folderOf(best);
      unit.push({ name: fitName(best.name) || nameless(sha256), size_bytes: best.size_bytes, mtime_ms: best.mtime_ms, sha256, places: found.map(placeOf) });
      if (as === 'zip') unit.push(...await sidecarsBeside(best));
    }
    if (unit.length > 0) { units.push(unit); assets += 1; }
    if (!missing) continue;
    const drive = missing.find((copy) => !looker.isHere(copy.volume_id))?.volume_id;
    if (drive === undefined) gone += 1; else away.set(drive, (away.get(drive) ?? 0) + 1);
  }

  async function sidecarsBeside(media: FileRow): Promise<Original[]> {
    const known = related.get(folderOf(media)) ?? ctx.sidecarsOf({ volume_id: media.volume_id, dir: media.dir });
    related.set(folderOf(media), known);
    const found: Original[] = [];
    for (const name of known.get(media.name) ?? []) {
      const row = getFile(ctx.catalog, media.volume_id, media.dir, name);
      const key = `${folderOf(media)}/${name}`;
      if (!row || seen.has(key)) continue;
      seen.add(key);
      // Another program may have written it since: its size is what it is now.
      const size = await looker.size(row);
      if (size !== undefined) found.push({ name: fitName(name) || 'sidecar', size_bytes: size, mtime_ms: row.mtime_ms, sha256: null, places: [placeOf(row)] });
    }
    return found;
  }

  nameAll(units);
  return {
    files: units.flat(), assets,
    left_out: { gone, away: [...away].map(([volume_id, n]) => ({ volume_id, label: getVolume(ctx.catalog, volume_id)?.label ?? volume_id, assets: n })).sort((a, b) => b.assets - a.assets) },
  };
}

function folderOf(file: Pick<FileRow, 'volume_id' | 'dir'>): string { return `${file.volume_id}\0${file.dir}`; }
function placeOf(file: FileRow): Original['places'][number] { return { volume_id: file.volume_id, path: joinPath(file.dir, file.name) }; }

/** Sizes of files as they are now, or undefined where one is not there to be read; as the catalog has them once LOOK_MS are over. */
function createLooker(files: FileAccess, run: Run) {
  const mounts = new Map<string, string | undefined>();
  const until = Date.now() + LOOK_MS;
  let looks = 0;
  return {
    isHere: (volumeId: string) => mounts.get(volumeId) !== undefined,
    size: async (file: FileRow): Promise<number | undefined> => {
      if (!mounts.has(file.volume_id)) mounts.set(file.volume_id, await run.at(file.volume_id).then((volume) => volume.mount_point, (error: unknown) => { if (error instanceof DriveLeft) return undefined; throw error; }));
      const mount = mounts.get(file.volume_id);
      if (mount === undefined) return undefined;
      looks += 1;
      if (looks % LOOKS_AT_ONCE === 0) await yieldNow();
      if (Date.now() > until) return file.size_bytes;
      try {
        const stat = files.lstat(absolutePath(mount, joinPath(file.dir, file.name)));
        return stat.isFile() && !isDataless(stat, files.platform) ? stat.size : undefined;
      } catch (error) {
        if (error instanceof FileError) return undefined;
        throw error;
      }
    },
  };
}

/** Makes every name different from every other, as file systems that know no case see them; what belongs together keeps one stem. */
export function nameAll(units: readonly (readonly { name: string; sha256: string | null }[])[]): void {
  const taken = new Set<string>();
  const next = new Map<string, number>();
  const key = (name: string) => name.toLowerCase();
  const give = (files: readonly { name: string; sha256: string | null }[]): void => {
    const stems = files.filter((file) => file.sha256 !== null).map((file) => splitName(file.name).stem);
    const cut = files.map(({ name }) => {
      const stem = stems.find((each) => key(name).startsWith(key(each))) ?? splitName(name).stem;
      return { stem: name.slice(0, stem.length), rest: name.slice(stem.length) };
    });
    // The same name twice among those that belong together: each for itself.
    if (files.length > 1 && new Set(files.map((file) => key(file.name))).size < files.length) { for (const file of files) give([file]); return; }
    const first = key(files[0]?.name ?? '');
    for (let n = next.get(first) ?? 1; ; n += 1) {
      const names = cut.map(({ stem, rest }) => (n === 1 ? stem + rest : `${stem} (${n})${rest}`));
      if (names.some((name) => taken.has(key(name)))) continue;
      next.set(first, n + 1);
      for (const [i, name] of names.entries()) { taken.add(key(name)); const file = files[i]; if (file) file.name = name; }
      return;
    }
  };
  for (const unit of units) give(unit);
}
