// Drives as a command names them: by label, by id, or by where they are mounted.
import { resolve } from 'node:path';
import * as z from 'zod';
import { CommandError, EXIT } from '../config.ts';
import { callWorker } from '../push/client.ts';
import type { Instance } from './instance.ts';

const Drive = z.object({ volume_id: z.string(), volume: z.string(), label: z.string(), mount_point: z.string().nullable(), files: z.int(), state: z.enum(['present', 'away']) });
export type NamedDrive = z.infer<typeof Drive>;

export async function listDrives(instance: Instance): Promise<NamedDrive[]> {
  return z.array(Drive).parse(await (await callWorker(instance.worker, '/api/volumes')).json());
}

/** The drive of that name. Throws CommandError that lists those there are. */
export function findDrive(drives: readonly NamedDrive[], name: string): NamedDrive {
  const found = drives.filter((d) => d.volume_id === name || d.volume === name || d.label === name || d.mount_point === resolve(name));
  const names = drives.map((d) => JSON.stringify(d.volume)).join(', ') || 'none';
  if (found.length > 1) throw new CommandError(`More than one drive is called ${JSON.stringify(name)}: name it by its id (${found.map((d) => d.volume_id).join(', ')}).`, EXIT.usage);
  if (!found[0]) throw new CommandError(`There is no drive ${JSON.stringify(name)}. The drives: ${names}.`, EXIT.usage);
  return found[0];
}
