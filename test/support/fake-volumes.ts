// Plain folders that stand in for drives, through the seam that real processes use too (JHAROKHA_TEST_VOLUMES).
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeVolume { volume_id: string; label: string; mount_point: string; fs_type: string; removable: boolean; identity?: 'uuid' | 'marker' | 'weak' }

export interface FakeVolumes {
  /** For JHAROKHA_TEST_VOLUMES, or `createVolumes({ testFile })`. */
  file: string;
  /** Holds the drives' folders; beside them there is room for a data folder. */
  folder: string;
  /** Makes a drive's folder and connects it; returns its mount point. */
  plugIn(name: string, options?: Partial<FakeVolume>): string;
  /** The drive leaves: by default its folder is put aside too, as a mount point disappears. */
  unplug(name: string, mountPoint?: 'gone' | 'left_empty' | 'left_listed_and_empty'): void;
  /** The drive comes back with all it held. */
  replug(name: string): void;
  /** Another drive appears under the same mount point. */
  swap(name: string, volumeId: string): void;
  remove(): void;
}

/** Where the drives' folders are made, and what lies there. */
export interface Ground { base: string; fsType: string }

/** With a UUID unless `options` of a drive say otherwise; on ext4, or what `ground` is. */
export function createFakeVolumes(ground: Ground = { base: tmpdir(), fsType: 'ext4' }): FakeVolumes {
  const folder = realpathSync(mkdtempSync(join(ground.base, 'jharokha-drives-')));
  const file = join(folder, 'volumes.json');
  const known = new Map<string, FakeVolume>();
  const connected = new Map<string, FakeVolume>();
  const write = (): void => writeFileSync(file, JSON.stringify([...connected.values()]));
  const aside = (name: string): string => join(folder, `.aside-${name}`);
  write();
  return {
    file, folder,
    plugIn: (name, options = {}) => {
      const volume: FakeVolume = { volume_id: `uuid:${name}`, label: name, mount_point: join(folder, name), fs_type: ground.fsType, removable: true, ...options };
      mkdirSync(volume.mount_point, { recursive: true });
      known.set(name, volume);
      connected.set(name, volume);
      write();
      return volume.mount_point;
    },
    unplug: (name, mountPoint = 'gone') => {
      const volume = known.get(name);
      if (!volume) throw new Error(`no drive ${name}`);
      renameSync(volume.mount_point, aside(name));
      if (mountPoint !== 'gone') mkdirSync(volume.mount_point);
      if (mountPoint !== 'left_listed_and_empty') connected.delete(name);
      write();
    },
    replug: (name) => {
      const volume = known.get(name);
      if (!volume) throw new Error(`no drive ${name}`);
      rmSync(volume.mount_point, { recursive: true, force: true });
      renameSync(aside(name), volume.mount_point);
      connected.set(name, volume);
      write();
    },
    swap: (name, volumeId) => {
      const volume = known.get(name);
      if (!volume) throw new Error(`no drive ${name}`);
      connected.set(name, { ...volume, volume_id: volumeId });
      write();
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
