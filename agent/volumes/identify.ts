// From mounts to volumes: which file system has which lasting identity. Pure but for what it is handed.
import { createHash } from 'node:crypto';
import { basename, posix } from 'node:path';
import type { Mount, Volume } from './types.ts';

/** Inodes that survive a remount. Others (FAT, exFAT, network, FUSE, overlay) make them up as they go. */
const LASTING_INODES = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'zfs', 'bcachefs', 'jfs', 'reiserfs', 'ntfs3', 'apfs', 'hfs', 'hfsplus', 'tmpfs']);
/** File systems on which two spellings of one name (case, Unicode form) are one file. */
const FOLDING = new Set(['apfs', 'hfs', 'hfsplus', 'exfat', 'vfat', 'msdos', 'fat', 'fat32', 'ntfs', 'smbfs', 'cifs']);
/** Not places where people keep photographs. */
const PSEUDO = new Set([
  'proc', 'sysfs', 'devtmpfs', 'devpts', 'devfs', 'cgroup', 'cgroup2', 'securityfs', 'debugfs', 'tracefs', 'configfs', 'pstore', 'bpf', 'mqueue', 'hugetlbfs',
  'autofs', 'binfmt_misc', 'fusectl', 'nsfs', 'rpc_pipefs', 'efivarfs', 'selinuxfs', 'ramfs', 'squashfs', 'fuse.portal', 'fuse.gvfsd-fuse', 'fuse.lxcfs', 'fuse.snapfuse',
]);
/** Real file systems that nobody indexes by choice. */
const SYSTEM_MOUNTS = /^\/(boot|efi|snap|proc|sys|dev|run(?!\/media)|private\/var\/vm|System\/Volumes\/(?!Data$)[^/]+|var\/lib\/(docker|containerd|kubelet))(\/|$)/;

/** False for what the drives page does not show. tmpfs can be a root, but is not offered. */
export function isForPeople(mount: Mount): boolean {
  return mount.given !== undefined || (!isPseudo(mount) && mount.fs_type !== 'tmpfs' && !SYSTEM_MOUNTS.test(mount.mount_point));
}

export function isPseudo(mount: Mount): boolean {
  return PSEUDO.has(mount.fs_type);
}

export interface Size { capacity_bytes: number | null; free_bytes: number | null }

/** One mount with the volume it shows; `base` is the folder of the volume that appears at the mount point. */
export interface Placed { mount: Mount; volume: Volume; base: string }

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}

/**
 * Gives every mount its volume. Bind mounts of a file system that is also mounted further up are the same volume; a
 * subtree mounted alone is a volume of its own, `#` and the subtree behind the file system's id. Two different devices
 * that claim one identity (a cloned drive) are both weak: which is which cannot be told.
 */
export function placeMounts(mounts: readonly Mount[], sizeOf: (m: Mount) => Size, markerOf: (m: Mount) => string | null): Placed[] {
  const claims = new Map<string, Set<string>>();
  const wanted = mounts.map((mount) => {
    const marker = mount.uuid || mount.given?.identity === 'uuid' || mount.given?.identity === 'marker' ? null : markerOf(mount);
    const claim = marker ? `marker:${marker}` : mount.given ? mount.given.volume_id : mount.uuid ? `uuid:${mount.uuid.toLowerCase()}` : null;
    if (claim) claims.set(claim, (claims.get(claim) ?? new Set()).add(mount.given ? mount.mount_point : mount.device));
    return { mount, claim, marker };
  });
  const primaries: Placed[] = [];
  const placed: Placed[] = [];
  // Mounts of the top of a file system first, so that deeper ones find the volume that they are part of.
  for (const { mount, claim, marker } of [...wanted].sort((a, b) => a.mount.root.length - b.mount.root.length)) {
    const whole = mount.given ? undefined : primaries.find((p) => !p.mount.given && p.mount.device === mount.device && within(p.mount.root, mount.root) !== undefined);
    if (whole) { placed.push({ mount, volume: whole.volume, base: within(whole.mount.root, mount.root) ?? '' }); continue; }
    const size = sizeOf(mount);
    const unique = claim !== null && claims.get(claim)?.size === 1;
    const label = mount.label || (mount.mount_point === '/' ? 'This computer' : basename(mount.mount_point));
    const fsId = unique ? claim : `weak:${short([mount.fs_type, mount.source, mount.label ?? '', size.capacity_bytes ?? ''].join('\0'))}`;
    const identity = !unique ? 'weak' : marker ? 'marker' : (mount.given?.identity ?? 'uuid');
    const volume: Volume = {
      volume_id: mount.root === '/' || marker || mount.given ? fsId : subtreeId(fsId, mount.root),
      identity, label, mount_point: mount.mount_point, fs_type: mount.fs_type, ...size, read_only: mount.read_only, removable: mount.removable,
      fs_id: LASTING_INODES.has(mount.fs_type) ? (fsId.length <= 60 ? fsId : short(fsId)) : null,
      exact_names: !FOLDING.has(mount.fs_type),
    };
    const entry = { mount, volume, base: '' };
    primaries.push(entry);
    placed.push(entry);
  }
  return placed;
}

function subtreeId(fsId: string, root: string): string {
  const id = `${fsId}#${root}`;
  return id.length <= 200 ? id : `${fsId}#${short(root)}`;
}

/** `path` relative to `folder`, '' where they are the same, undefined where it lies elsewhere. Both absolute. */
export function within(folder: string, path: string): string | undefined {
  if (path === folder) return '';
  const prefix = folder.endsWith('/') ? folder : `${folder}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

/** A path of the volume as an absolute one. */
export function absolutePath(mountPoint: string, path: string): string {
  return path === '' ? mountPoint : posix.join(mountPoint, path);
}
