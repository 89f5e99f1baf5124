// What the rest of the agent knows of a connected volume. Types only.
import type { VolumeIdentity } from '../../protocol/words.ts';

/** A volume that is connected now. */
export interface Volume {
  /** `uuid:…`, `marker:…` or `weak:…`: lasting but for the last. */
  volume_id: string;
  identity: VolumeIdentity;
  label: string;
  /** Absolute, without links. Never an identity. */
  mount_point: string;
  fs_type: string;
  capacity_bytes: number | null;
  free_bytes: number | null;
  read_only: boolean;
  removable: boolean;
  /** Names the file system for (fs_id, inode) pairs: the same for every mount of it. Null where inodes do not last. */
  fs_id: string | null;
  /** Names differ by more than case or Unicode form (false on APFS, HFS+, exFAT, FAT: there `A` and `a` are one name). */
  exact_names: boolean;
}

/** A mount as the operating system lists it, before it is known which volume it shows. */
export interface Mount {
  mount_point: string;
  fs_type: string;
  /** Device or share, for people and for weak identities. */
  source: string;
  /** The same text for every mount of one file system, e.g. `8:1`. */
  device: string;
  /** The folder of the file system that is mounted here, `/` but for bind mounts and subvolumes. */
  root: string;
  read_only: boolean;
  uuid: string | null;
  label: string | null;
  removable: boolean;
  /** A stand-in from JHAROKHA_TEST_VOLUMES, with its identity given. */
  given?: { volume_id: string; identity: VolumeIdentity };
}
