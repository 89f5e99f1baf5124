// The drives by id, with what pages say of them: name, note, whether they are connected. Not a middleware of its own.
import type { OriginalsFacts } from '../../views/copies.tsx';
import type { DriveName } from '../../views/parts/drive-names.tsx';
import { NotFound } from '../errors.tsx';
import { askAgent, notifyPages } from '../link/client.ts';
import type { OnDrives } from '../store/copies.ts';
import { driveLabel, findDrive, forgetDrive, listDrives, type Drive } from '../store/drives.ts';
import { loadConnected, type PageContext } from './page.tsx';

export interface KnownDrive extends DriveName { volume_id: string; connected: boolean; readOnly: boolean }
/** Answers for any id: one that is not known is away, under its id. */
export type KnownDrives = (volumeId: string) => KnownDrive;

export async function loadKnownDrives(c: PageContext): Promise<KnownDrives> {
  const [drives, connected] = await Promise.all([listDrives(c.env.DB, true), loadConnected(c)]);
  const known = new Map(drives.map((drive) => [drive.volume_id, drive]));
  return (volume_id) => {
    const drive = known.get(volume_id);
    return { volume_id, label: drive ? driveLabel(drive) : volume_id, note: drive?.note ?? null, connected: connected.has(volume_id), readOnly: drive?.read_only === 1 };
  };
}

/** Whether originals are at hand: one connected drive is enough for each. `capped`: there are more that were not looked at. */
export function sumOriginals(all: readonly OnDrives[], drives: KnownDrives, capped: boolean): OriginalsFacts {
  const facts = { assets: 0, away: 0, nowhere: 0 };
  const missed = new Map<string, number>();
  for (const { drives: on, assets } of all) {
    facts.assets += assets;
    if (on.length === 0) facts.nowhere += assets;
    if (on.length === 0 || on.some((id) => drives(id).connected)) continue;
    facts.away += assets;
    for (const id of on) missed.set(id, (missed.get(id) ?? 0) + assets);
  }
  const named = [...missed].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([id]) => drives(id));
  return { ...facts, drives: named, capped };
}

/** The owner lets a drive go, on both sides. Throws where there is none, and where the agent cannot be asked. */
export async function letDriveGo(c: PageContext, volumeId: string): Promise<Drive> {
  const drive = await findDrive(c.env.DB, volumeId);
  if (!drive) throw new NotFound('There is no such drive.');
  await askAgent(c.env, 'forget_volume', { volume_id: drive.volume_id });
  await forgetDrive(c.env.DB, drive.volume_id, Date.now());
  c.executionCtx.waitUntil(notifyPages(c.env, 'presence'));
  return drive;
}
