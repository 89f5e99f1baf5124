// A real exFAT in a file, for what plain folders cannot show: no hard links, no inodes that last, names of one case, characters that
// no name may hold. Needs root on Linux, a loop device, and Debian's exfatprogs and exfat-fuse where the kernel has no exFAT itself.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ground } from './fake-volumes.ts';

const SIZE_BYTES = 256 * 1024 * 1024;

export interface Exfat extends Ground { remove(): void }

/** Mounts a new one; a sentence where this machine cannot. */
export function mountExfat(): Exfat | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount an exFAT';
  const folder = mkdtempSync(join(tmpdir(), 'jharokha-exfat-'));
  const [image, base] = [join(folder, 'image'), join(folder, 'mounted')];
  const run = (command: string, ...args: string[]): string => execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' }).trim();
  let device = '';
  try {
    mkdirSync(base);
    writeFileSync(image, '');
    truncateSync(image, SIZE_BYTES);
    run('mkfs.exfat', image);
    device = run('losetup', '-f', '--show', image);
    if (/^\s*exfat$/m.test(readFileSync('/proc/filesystems', 'utf8'))) run('mount', '-t', 'exfat', device, base);
    else run('mount.exfat-fuse', device, base);
  } catch (error) {
    if (device !== '') run('losetup', '-d', device);
    rmSync(folder, { recursive: true, force: true });
    return `no exFAT can be mounted here: ${(error instanceof Error ? error.message : String(error)).split('\n').filter(Boolean).slice(0, 2).join(' ')}`;
  }
  return {
    base, fsType: 'exfat',
    remove: () => {
      // Lazily where something still holds it: it must not outlive the run.
      try { run('umount', base); } catch { run('umount', '-l', base); }
      run('losetup', '-d', device);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
