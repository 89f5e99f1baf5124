// What is mounted on macOS: `mount`, and `diskutil info -plist` for each device once. Tested on recorded outputs only.
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Mount } from './types.ts';
import { parsePlist } from './plist.ts';

/** diskutil waits on sleeping drives; past this the identity is weak for now. */
const TOOL_TIMEOUT_MS = 10_000;

export interface MacMountLine { source: string; mount_point: string; fs_type: string; options: string[] }

/** Lines of `mount`: `SOURCE on MOUNT POINT (type, option, …)`. Mount points may hold ` on ` and brackets themselves. */
export function parseMacMounts(text: string): MacMountLine[] {
  const lines: MacMountLine[] = [];
  for (const line of text.split('\n')) {
    const m = /^(.+?) on (\/.*) \(([^()]*)\)$/.exec(line);
    if (!m) continue;
    const [fsType, ...options] = (m[3] ?? '').split(', ');
    lines.push({ source: m[1] ?? '', mount_point: m[2] ?? '', fs_type: fsType ?? '', options });
  }
  return lines;
}

export interface MacDisk { uuid: string | null; label: string | null; removable: boolean }

/** What `diskutil info -plist DEVICE` says; keys that are missing or of another type are unknown. */
export function readDiskutilInfo(plist: string): MacDisk {
  const value = parsePlist(plist);
  const dict = value && typeof value === 'object' && !Array.isArray(value) ? value : {};
  const text = (key: string): string | null => { const v = dict[key]; return typeof v === 'string' && v !== '' ? v : null; };
  const flag = (key: string): boolean => dict[key] === true;
  return {
    uuid: text('VolumeUUID') ?? text('DiskUUID'), label: text('VolumeName'),
    removable: flag('RemovableMedia') || flag('RemovableMediaOrExternalDevice') || flag('Ejectable') || dict['Internal'] === false,
  };
}

const asked = new Map<string, MacDisk>();

/** Every mount there is. */
export async function listMacMounts(): Promise<Mount[]> {
  const run = promisify(execFile);
  const { stdout } = await run('/sbin/mount', [], { timeout: TOOL_TIMEOUT_MS });
  const mounts: Mount[] = [];
  for (const line of parseMacMounts(stdout)) {
    const key = `${line.source}\0${line.mount_point}\0${deviceNumber(line.mount_point)}`;
    let disk = asked.get(key);
    if (!disk && line.source.startsWith('/dev/')) {
      disk = await run('/usr/sbin/diskutil', ['info', '-plist', line.source], { timeout: TOOL_TIMEOUT_MS }).then((r) => readDiskutilInfo(r.stdout), () => undefined);
      if (disk) asked.set(key, disk);
    }
    mounts.push({
      mount_point: line.mount_point, fs_type: line.fs_type, source: line.source, device: line.source, root: '/',
      read_only: line.options.includes('read-only'), uuid: disk?.uuid ?? null, label: disk?.label ?? null, removable: disk?.removable ?? false,
    });
  }
  return mounts;
}

function deviceNumber(path: string): number {
  try { return statSync(path).dev; } catch { return 0; }
}

/** Changes whenever a drive appears under /Volumes or leaves it, without asking any tool. */
export function macSignature(): string {
  try { return readdirSync('/Volumes').map((n) => `${n}\0${deviceNumber(`/Volumes/${n}`)}`).join('\n'); } catch { return ''; }
}
