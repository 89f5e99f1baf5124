// The volumes connected now, each with its identity, and which of them a path lies on. Writes one thing only: our
// marker file, where the owner allowed it.
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, realpathSync, statfsSync, statSync, writeSync } from 'node:fs';
import { absolutePath, isForPeople, isPseudo, placeMounts, within, type Placed, type Size } from './identify.ts';
import { linuxSignature, listLinuxMounts } from './linux.ts';
import { listMacMounts, macSignature } from './macos.ts';
import type { Mount, Volume } from './types.ts';

export const MARKER_FILE = '.jharokha-volume';
/** Plugging in should show within two seconds; one look costs a read of /proc or of /Volumes. */
const WATCH_INTERVAL_MS = 1_500;
const MARKER_ID = /^[0-9a-zA-Z-]{8,64}$/;

export interface Found { volume: Volume; /** Relative to the mount point, '' for the mount point itself. */ path: string }

export interface Volumes {
  /** Volumes for people to see: no pseudo file systems, no system mounts; also those whose id is in `always`. */
  list(always?: ReadonlySet<string>): Promise<Volume[]>;
  /** A fresh look; undefined where it is not connected. */
  get(volumeId: string): Promise<Volume | undefined>;
  /** The volume of an absolute path that exists, links in it resolved. */
  find(path: string): Promise<Found | undefined>;
  /** Absolute mount points of the last look, so that a walk can tell where another file system begins. */
  mountPoints(): ReadonlySet<string>;
  /** Writes the marker file at the top of a volume that has only a weak identity and returns it with its new one. Only on the owner's word. */
  allowMarker(volumeId: string): Promise<Volume>;
  /** Calls back after a volume came or went; the returned function ends the watch. */
  watch(onChange: () => void): () => void;
}

export interface VolumesOptions {
  platform?: NodeJS.Platform;
  /**
   * JSON `[{volume_id, label, mount_point, fs_type, removable, identity?}]`, read at every look: plain folders that
   * stand in for drives, beside the real ones. A folder that is not there is a drive that is not connected. A test
   * seam: JHAROKHA_TEST_VOLUMES.
   */
  testFile?: string | undefined;
}

export function createVolumes(options: VolumesOptions = {}): Volumes {
  const platform = options.platform ?? process.platform;
  const testFile = options.testFile ?? process.env['JHAROKHA_TEST_VOLUMES'];
  let points = new Set<string>();

  const look = async (): Promise<Placed[]> => {
    const real = platform === 'darwin' ? await listMacMounts() : await listLinuxMounts();
    const mounts = [...real.filter((m) => !isPseudo(m)), ...readTestMounts(testFile)].filter((m) => isFolder(m.mount_point));
    const placed = placeMounts(mounts, sizeOf, readMarker);
    points = new Set(placed.map((p) => p.mount.mount_point));
    return placed;
  };
  const distinct = (placed: readonly Placed[]): Placed[] => [...new Map(placed.map((p) => [p.volume.volume_id, p])).values()];

  const volumes: Volumes = {
    list: async (always) => distinct((await look()).filter((p) => p.base === '' && (isForPeople(p.mount) || always?.has(p.volume.volume_id)))).map((p) => p.volume),
    get: async (volumeId) => (await look()).find((p) => p.volume.volume_id === volumeId)?.volume,
    find: async (path) => findVolume(realpathSync.native(path), await look()),
    mountPoints: () => points,
    allowMarker: async (volumeId) => {
      const found = await volumes.get(volumeId);
      if (!found) throw new Error('That drive is not connected. Plug it in first.');
      if (found.identity !== 'weak') return found;
      if (found.read_only) throw new Error(`${found.label} cannot be written to, so it cannot be marked`);
      writeMarker(found.mount_point);
      const marked = (await look()).find((p) => p.volume.mount_point === found.mount_point)?.volume;
      if (!marked || marked.identity !== 'marker') throw new Error(`the marker of ${found.label} could not be read back`);
      return marked;
    },
    watch: (onChange) => {
      const signature = (): string => {
        try { return (platform === 'darwin' ? macSignature() : linuxSignature()) + testSignature(testFile); } catch { return ''; }
      };
      let last = signature();
      const timer = setInterval(() => {
        const now = signature();
        if (now === last) return;
        last = now;
        onChange();
      }, WATCH_INTERVAL_MS);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
  return volumes;
}

function isFolder(path: string): boolean {
  try { return statSync(path).isDirectory(); } catch { return false; }
}

function sizeOf(mount: Mount): Size {
  try {
    const s = statfsSync(mount.mount_point);
    return { capacity_bytes: s.blocks * s.bsize, free_bytes: s.bavail * s.bsize };
  } catch { return { capacity_bytes: null, free_bytes: null }; }
}

function readMarker(mount: Mount): string | null {
  try {
    const json = JSON.parse(readFileSync(`${mount.mount_point}/${MARKER_FILE}`, 'utf8')) as { id?: unknown };
    return typeof json.id === 'string' && MARKER_ID.test(json.id) ? json.id : null;
  } catch { return null; }
}

/** Never over an existing file: one that is there and unreadable to us stays as it is, and the caller's check fails. */
function writeMarker(mountPoint: string): void {
  const path = `${mountPoint}/${MARKER_FILE}`;
  let fd: number;
  try { fd = openSync(path, 'wx'); } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why = code === 'EEXIST' ? 'a file of that name is there already, and it is none of ours' : code === 'ENOSPC' ? 'the drive is full' : code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 'the drive does not let itself be written to' : String(code ?? error);
    throw new Error(`The marker file ${path} could not be written: ${why}.`, { cause: error });
  }
  try {
    writeSync(fd, `${JSON.stringify({ id: randomUUID(), about: 'Jharokha knows this drive by this file. It may be deleted.' })}\n`);
    fsyncSync(fd);
  } finally { closeSync(fd); }
}

/**
 * The longest mount point above the path wins where its device is the path's; on macOS a firmlink (/Users) leads to
 * another volume than its mount point says, so there the device decides and the path is sought below that volume.
 */
export function findVolume(path: string, placed: readonly Placed[]): Found | undefined {
  const above = placed.filter((p) => within(p.mount.mount_point, path) !== undefined).sort((a, b) => b.mount.mount_point.length - a.mount.mount_point.length);
  const best = above[0];
  if (!best) return undefined;
  const rest = within(best.mount.mount_point, path) ?? '';
  const plain: Found = { volume: best.volume, path: [best.base, rest].filter((x) => x !== '').join('/') };
  if (best.mount.given || best.base !== '') return plain;
  const dev = deviceOf(path);
  if (dev === undefined || dev.dev === deviceOf(best.mount.mount_point)?.dev) return plain;
  for (const other of placed) {
    const there = deviceOf(absolutePath(other.mount.mount_point, path.slice(1)));
    if (other.base === '' && !other.mount.given && there?.dev === dev.dev && there.ino === dev.ino) return { volume: other.volume, path: path.slice(1) };
  }
  return plain;
}

function deviceOf(path: string): { dev: number; ino: number } | undefined {
  try { const s = statSync(path); return { dev: s.dev, ino: s.ino }; } catch { return undefined; }
}

interface TestVolume { volume_id: string; label: string; mount_point: string; fs_type: string; removable: boolean; identity?: 'uuid' | 'marker' | 'weak' }

function readTestMounts(file: string | undefined): Mount[] {
  if (!file) return [];
  let list: TestVolume[];
  try { list = JSON.parse(readFileSync(file, 'utf8')) as TestVolume[]; } catch { return []; }
  return list.flatMap((v) => {
    let point: string;
    try { point = realpathSync.native(v.mount_point); } catch { return []; }
    return [{
      mount_point: point, fs_type: v.fs_type, source: `test:${v.label}`, device: `test:${v.volume_id}`, root: '/', read_only: false, uuid: null, label: v.label,
      removable: v.removable, given: { volume_id: v.volume_id, identity: v.identity ?? 'uuid' },
    }];
  });
}

function testSignature(file: string | undefined): string {
  if (!file) return '';
  try {
    const text = readFileSync(file, 'utf8');
    return text + readTestMounts(file).map((m) => m.mount_point).join('\0');
  } catch { return ''; }
}
