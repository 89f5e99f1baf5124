// What is mounted on Linux, and its UUIDs: /proc/self/mountinfo, /dev/disk/by-*, else lsblk and blkid.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Mount } from './types.ts';

/** A dying drive can make blkid hang; identity is then weak rather than awaited. */
const TOOL_TIMEOUT_MS = 5_000;

export interface MountLine { id: string; device: string; root: string; mount_point: string; options: string; fs_type: string; source: string; superOptions: string }

/** Octal escapes of /proc back to characters. The kernel escapes only ASCII there (space, tab, newline, backslash, #). */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/**
 * Lines of /proc/self/mountinfo in mount order (proc(5)); a later one over the same mount point hides the earlier.
 * Lines of another shape are left out.
 */
export function parseMountinfo(text: string): MountLine[] {
  const byPoint = new Map<string, MountLine>();
  for (const line of text.split('\n')) {
    const parts = line.split(' ');
    const dash = parts.indexOf('-', 6);
    if (dash < 0 || parts.length < dash + 3) continue;
    const mount: MountLine = {
      id: parts[0] ?? '', device: parts[2] ?? '', root: unescapeOctal(parts[3] ?? '/'), mount_point: unescapeOctal(parts[4] ?? ''), options: parts[5] ?? '',
      fs_type: parts[dash + 1] ?? '', source: unescapeOctal(parts[dash + 2] ?? ''), superOptions: parts[dash + 3] ?? '',
    };
    byPoint.delete(mount.mount_point);
    byPoint.set(mount.mount_point, mount);
  }
  return [...byPoint.values()];
}

interface Disk { uuid: string | null; label: string | null; removable: boolean }

/** Device numbers (`8:1`) to what udev's links say. Read anew each time: a number is reused when drives change. */
function readLinks(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  let names: string[] = [];
  try { names = readdirSync(folder); } catch { return found; }
  for (const name of names) {
    try {
      const rdev = statSync(`${folder}/${name}`).rdev;
      // glibc's makedev: 12 low bits of major from bit 8, minor in bits 0..7 and from bit 20.
      const major = (rdev >>> 8) & 0xfff;
      const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
      found.set(`${major}:${minor}`, name.replace(/\\x([0-9a-f]{2})/g, (_, h: string) => String.fromCharCode(Number.parseInt(h, 16))));
    } catch { /* A link whose device has just gone. */ }
  }
  return found;
}

/** `lsblk -J -o MAJ:MIN,UUID,LABEL` as a map by device number; anything odd is skipped. */
export function parseLsblk(text: string): Map<string, { uuid: string | null; label: string | null }> {
  const found = new Map<string, { uuid: string | null; label: string | null }>();
  const str = (v: unknown): string | null => (typeof v === 'string' && v !== '' ? v : null);
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const n = node as Record<string, unknown>;
    const device = str(n['maj:min'])?.trim();
    if (device) found.set(device, { uuid: str(n['uuid']), label: str(n['label']) });
    if (Array.isArray(n['children'])) for (const child of n['children']) visit(child);
  };
  try {
    const json = JSON.parse(text) as { blockdevices?: unknown };
    if (Array.isArray(json.blockdevices)) for (const device of json.blockdevices) visit(device);
  } catch { /* No lsblk worth the name. */ }
  return found;
}

/** Answers of lsblk and blkid by mount and device: a mount's id is new whenever a drive is plugged in again. */
const asked = new Map<string, { uuid: string | null; label: string | null }>();

async function askTools(lines: readonly MountLine[]): Promise<void> {
  // A container often has no node for the device: no tool could read it either.
  const missing = lines.filter((l) => !asked.has(`${l.id}:${l.device}`) && existsSync(l.source));
  if (missing.length === 0) return;
  const run = promisify(execFile);
  // Both at once: each is some 15 ms of waiting, and a scan cannot begin before it knows its drive.
  const [lsblk, blkid] = await Promise.all([
    run('lsblk', ['-J', '-o', 'MAJ:MIN,UUID,LABEL'], { timeout: TOOL_TIMEOUT_MS }).then((r) => parseLsblk(r.stdout), () => new Map<string, { uuid: string | null; label: string | null }>()),
    Promise.all(missing.map((line) => run('blkid', ['-o', 'export', line.source], { timeout: TOOL_TIMEOUT_MS }).then((r) => r.stdout, () => ''))),
  ]);
  missing.forEach((line, i) => {
    let answer = lsblk.get(line.device) ?? { uuid: null, label: null };
    const text = blkid[i] ?? '';
    if (!answer.uuid) answer = { uuid: /^UUID=(.+)$/m.exec(text)?.[1] ?? null, label: /^LABEL=(.+)$/m.exec(text)?.[1] ?? answer.label };
    asked.set(`${line.id}:${line.device}`, answer);
  });
}

function isRemovable(line: MountLine): boolean {
  if (/^\/(run\/)?media\//.test(line.mount_point)) return true;
  try { return readFileSync(`/sys/dev/block/${line.device}/removable`, 'utf8').trim() === '1'; } catch { /* A partition: its disk says. */ }
  try { return readFileSync(`/sys/dev/block/${line.device}/../removable`, 'utf8').trim() === '1'; } catch { return false; }
}

/** Every mount there is, pseudo file systems included. */
export async function listLinuxMounts(): Promise<Mount[]> {
  const lines = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const uuids = readLinks('/dev/disk/by-uuid');
  const labels = readLinks('/dev/disk/by-label');
  const blocks = lines.filter((l) => l.source.startsWith('/dev/'));
  await askTools(blocks.filter((l) => !uuids.has(l.device)));
  return lines.map((line) => {
    const disk: Disk = line.source.startsWith('/dev/')
      ? { uuid: uuids.get(line.device) ?? asked.get(`${line.id}:${line.device}`)?.uuid ?? null, label: labels.get(line.device) ?? asked.get(`${line.id}:${line.device}`)?.label ?? null, removable: isRemovable(line) }
      : { uuid: null, label: null, removable: false };
    return {
      mount_point: line.mount_point, fs_type: line.fs_type, source: line.source, device: line.device, root: line.root,
      read_only: line.options.split(',').includes('ro') || line.superOptions.split(',').includes('ro'), ...disk,
    };
  });
}

/** Changes whenever something is mounted or unmounted. */
export function linuxSignature(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8');
}
