// One line of `list --json`: the whole of what the library says of an asset. Null is unknown.
import * as z from 'zod';
import { AssetProblem, WallTime } from './rows.ts';
import { AssetKind, LocationState, OffsetSource, Sha256, StackRole, TakenAtSource } from './words.ts';

export const ListPlace = z.object({
  street: z.string().nullable(), neighbourhood: z.string().nullable(), city: z.string().nullable(), region: z.string().nullable(),
  country: z.string().nullable(), country_code: z.string().nullable(), distance_m: z.number().nullable(), source: z.string().nullable(),
});

export const ListLine = z.object({
  sha256: Sha256, kind: AssetKind, mime: z.string(), size_bytes: z.int(), width: z.int().nullable(), height: z.int().nullable(), duration_ms: z.int().nullable(),
  taken_at: WallTime.nullable(), taken_at_source: TakenAtSource.nullable(), utc_offset_minutes: z.int().nullable(), utc_offset_source: OffsetSource.nullable(),
  latitude: z.number().nullable(), longitude: z.number().nullable(), place: ListPlace.nullable(), camera: z.string().nullable(), description: z.string().nullable(),
  favourite: z.boolean(), archived: z.boolean(), rating: z.int().nullable(), albums: z.array(z.string()), tags: z.array(z.string()), people: z.array(z.string()),
  stack: z.object({ role: StackRole, primary: Sha256 }).nullable(), live_video: Sha256.nullable(),
  locations: z.array(z.object({ volume_id: z.string(), volume: z.string(), path: z.string(), state: LocationState })),
  problems: z.array(AssetProblem),
  /** With `--all`, of what lies in the trash or was deleted from it; the line is as it was then. */
  trashed: z.literal(true).optional(),
});
export type ListLine = z.infer<typeof ListLine>;

export const Healthz = z.object({
  ok: z.boolean(), version: z.string(), assets: z.int().nullable(), scanning: z.boolean().nullable(),
  pending: z.object({ facts: z.int().nullable(), previews: z.int().nullable(), proxies: z.int().nullable(), vectors: z.int().nullable() }),
  agent: z.enum(['connected', 'away']),
});
export type Healthz = z.infer<typeof Healthz>;
