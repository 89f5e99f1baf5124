// Originals on their way to a browser: what the agent says it will send, and what became of it. Their bytes go in parts
// (docs/sync-protocol.md, Originals); nothing of them is kept.
import * as z from 'zod';
import { VolumeId } from './rows.ts';

/** Assets in one zip: as many as in one order. */
export const MAX_ZIP_ASSETS = 20_000;

export const TransferId = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID');
export type TransferId = z.infer<typeof TransferId>;

/** What is sent. With no files nothing is, and `left_out` says why. */
export const TransferPlan = z.object({
  /** As the file is called that it comes from: hostile text. Of a zip the name that it gets. */
  name: z.string().max(4_096),
  /** Exact, of a zip too: its entries are stored as they are. */
  size_bytes: z.int().nonnegative(),
  assets: z.int().nonnegative(), files: z.int().nonnegative(),
  left_out: z.object({
    /** Assets, in whole or in part, of which every copy is on a drive that is not connected. */
    away: z.array(z.object({ volume_id: VolumeId, label: z.string(), assets: z.int().positive() })),
    /** Those of which no copy is where it was, or as it was. */
    gone: z.int().nonnegative(),
  }),
});
export type TransferPlan = z.infer<typeof TransferPlan>;

/** `room`: whether the next part may come now; if not, the agent asks until it may. */
export const PartTaken = z.object({ room: z.boolean() });
export type PartTaken = z.infer<typeof PartTaken>;

/** `changed`: other bytes than were indexed. `away`: its drive left. `stopped`: the agent was ended. Only `sent` is a whole file. */
export const TransferEnd = z.object({ outcome: z.enum(['sent', 'changed', 'away', 'failed', 'stopped']), reason: z.string().max(1_000).nullable() });
export type TransferEnd = z.infer<typeof TransferEnd>;
