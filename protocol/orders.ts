// Orders: what the owner wants done to originals, and the receipts that say what became of each file. An order is durable on
// both sides, known by its id, carried out once, and never wider than it was when it was given.
import * as z from 'zod';
import { Path, VolumeId, WallTime } from './rows.ts';
import { Sha256, TakenAtSource } from './words.ts';

/** Assets in one order; the owner's selection is cut into several above it. */
export const MAX_ORDER_ASSETS = 20_000;
/** Receipts in one report of the agent: some 300 KB. */
export const MAX_REPORT_RECEIPTS = 1_000;
/** Refused files that a plan names; the rest is counted. */
export const MAX_PLAN_REFUSED = 50;

/** Where an export puts a file, unless said otherwise. */
export const DEFAULT_TEMPLATE = '{year}/{month}';

export const OrderId = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID');
export const OrderKind = z.enum(['trash', 'restore', 'empty', 'verify', 'copy', 'export', 'mend']);
export type OrderKind = z.infer<typeof OrderKind>;

const Hashes = z.array(Sha256).min(1).max(MAX_ORDER_ASSETS);
/** Volumes that were connected when the order was given. On any other it never acts, now or later. */
const Volumes = z.array(VolumeId).max(200).default([]);
export const FilePlace = z.object({ volume_id: VolumeId, path: Path });
export type FilePlace = z.infer<typeof FilePlace>;

/** Of what lies in the trash only what lay at these places, or what that order moved there; each with what belongs to it. */
const PART_OF_TRASH = { files: z.array(FilePlace).min(1).max(MAX_ORDER_ASSETS).nullable().default(null), of_order: OrderId.nullable().default(null) };

export const OrderBody = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('trash'), sha256s: Hashes, volumes: Volumes,
    /** Only these copies of those assets: duplicates. Each asset then keeps a copy that was hashed just before. */
    copies: z.array(FilePlace).min(1).max(MAX_ORDER_ASSETS).nullable().default(null),
    /** The owner typed that the last known copies may go too. */
    last_copies: z.boolean().default(false),
  }),
  /** All that lies in the trash of these assets; null: of all. */
  z.object({ kind: z.literal('restore'), sha256s: Hashes.nullable(), volumes: Volumes, ...PART_OF_TRASH }),
  /** Unlinks what lies in the trash. `last_copies`: the owner typed that those may go of which no other copy is known. */
  z.object({ kind: z.literal('empty'), sha256s: Hashes.nullable(), volumes: Volumes, ...PART_OF_TRASH, last_copies: z.boolean().default(false) }),
  /** Hashes a drive again. `share`: of its files, in percent, those first that were not verified for longest. */
  z.object({ kind: z.literal('verify'), volume_id: VolumeId, share: z.int().min(1).max(100).default(100), slowly: z.boolean().default(false) }),
  // Empty places are those of a draft that the owner has yet to fill in: such an order cannot be given.
  /** Verified copies onto a drive, under `folder` (relative to its top), each at its path on the drive that it comes from. */
  z.object({ kind: z.literal('copy'), sha256s: Hashes, volume_id: VolumeId.or(z.literal('')).default(''), folder: z.string().max(1_000).default('') }),
  /**
   * Verified copies into a folder (an absolute path), by a template of `{year} {month} {day} {album} {camera} {name}`; curation as XMP
   * beside them. `volume_id`: the drive that the folder lay on when the order was shown. On another that has this path by then it never writes.
   */
  z.object({ kind: z.literal('export'), sha256s: Hashes, volume_id: VolumeId.or(z.literal('')).default(''), folder: z.string().max(4_096).default(''), template: z.string().max(500).default(DEFAULT_TEMPLATE), sidecars: z.boolean().default(true) }),
  /** Damaged files, as a verification found them: each goes into the trash, and a copy that was read just now takes its place. */
  z.object({ kind: z.literal('mend'), files: z.array(FilePlace).min(1).max(MAX_ORDER_ASSETS), volumes: Volumes }),
]);
export type OrderBody = z.infer<typeof OrderBody>;
export type OrderOf<K extends OrderKind> = Extract<OrderBody, { kind: K }>;

/** An order as the agent fetches it. */
export const Order = z.object({ order_id: OrderId, given_at_ms: z.int(), cancelled: z.boolean(), body: OrderBody });
export type Order = z.infer<typeof Order>;

/** `GET /sync/orders`: those that have not ended; each is fetched whole where it is new. */
export const OpenOrders = z.object({ orders: z.array(z.object({ order_id: OrderId, cancelled: z.boolean() })) });
export type OpenOrders = z.infer<typeof OpenOrders>;

/** `given`: the agent has not taken it yet. `waiting`: for a drive. `failed`: nothing could be begun. */
export const OrderState = z.enum(['given', 'running', 'waiting', 'done', 'cancelled', 'failed']);
export type OrderState = z.infer<typeof OrderState>;
export const ENDED_STATES: readonly OrderState[] = ['done', 'cancelled', 'failed'];
export function isEnded(state: OrderState): boolean { return ENDED_STATES.includes(state); }

/** What became of one file. The first line: what was ordered was done; the others: it was not, and nothing was lost. */
export const Outcome = z.enum([
  'trashed', 'restored', 'emptied', 'verified', 'copied', 'exported', 'already',
  // Not there; other bytes than were ordered (put back); its drive left; it would be the last copy; another file has its name;
  // the drive or its owner does not let it; the drive failed; the order was cancelled; it went with another path of the same file.
  'gone', 'changed', 'away', 'last_copy', 'name_taken', 'refused', 'failed', 'cancelled', 'same_file',
  // Of a verification: other bytes under an unchanged size and time; other bytes and the file says so (an edit).
  'damaged', 'edited',
]);
export type Outcome = z.infer<typeof Outcome>;
export const DONE_OUTCOMES: readonly Outcome[] = ['trashed', 'restored', 'emptied', 'verified', 'copied', 'exported', 'already', 'same_file'];
export function isDone(outcome: Outcome): boolean { return DONE_OUTCOMES.includes(outcome); }

export const Receipt = z.object({
  /** Numbers from 0 in the order of the plan. */
  n: z.int().nonnegative(),
  /** Files of one unit go together or not at all. */
  unit: z.int().nonnegative(),
  role: z.enum(['asset', 'sidecar']),
  volume_id: VolumeId, path: Path, sha256: Sha256.nullable(), size_bytes: z.int().nonnegative(),
  outcome: Outcome, reason: z.string().max(1_000).nullable(),
  /** Where it lies now: relative to the volume's top for a trashed file, to the top of the drive that it was copied to, absolute for an exported one. */
  to: z.string().max(8_192).nullable(),
  /** Of a restored or emptied file: the receipt that had trashed it. */
  from: z.object({ order_id: OrderId, n: z.int().nonnegative() }).nullable(),
  at_ms: z.int(),
});
export type Receipt = z.infer<typeof Receipt>;

export const OrderProgress = z.object({ files_done: z.int(), files: z.int(), bytes_done: z.number(), bytes: z.number() });
export type OrderProgress = z.infer<typeof OrderProgress>;

/** `POST /sync/orders/{order_id}`: idempotent by revision and by receipt number. */
export const OrderReport = z.object({
  revision: z.int().nonnegative(), state: OrderState, progress: OrderProgress,
  /** The drive that it waits for. */
  waiting_for: VolumeId.nullable(),
  reason: z.string().max(1_000).nullable(), ended_at_ms: z.int().nullable(),
  receipts: z.array(Receipt).max(MAX_REPORT_RECEIPTS),
});
export type OrderReport = z.infer<typeof OrderReport>;

/** What an order would do, told before it is given. Files are counted as files, not as paths (promise 4). */
export const OrderPlan = z.object({
  assets: z.int(), files: z.int(), sidecars: z.int(), bytes: z.number(),
  /** Where they lie, with the files there. */
  drives: z.array(z.object({ volume_id: z.string(), label: z.string(), files: z.int(), bytes: z.number() })),
  /** Copies that stay because their drive is not connected. */
  away: z.array(z.object({ volume_id: z.string(), label: z.string(), files: z.int() })),
  /** Assets of which no copy would be left anywhere. */
  last_copies: z.int(),
  refused: z.object({ total: z.int(), files: z.array(z.object({ path: z.string(), reason: z.string() })).max(MAX_PLAN_REFUSED) }),
  /** The drive that copies would go onto. */
  target: z.object({ volume_id: VolumeId, label: z.string() }).nullable().optional(),
  /** Why it cannot be given at all: a sentence for people. */
  blocked: z.string().nullable(),
  /** What else is to be known before: a sentence for people. */
  note: z.string().nullable().optional(),
});
export type OrderPlan = z.infer<typeof OrderPlan>;

/** Hashes of one question for facts: some 100 KB of answer, a fraction of a second of Worker time. */
export const MAX_FACTS_ASSETS = 500;
/** `POST /sync/orders/facts`: what an export needs of each asset. */
export const FactsQuestion = z.object({ sha256s: z.array(Sha256).min(1).max(MAX_FACTS_ASSETS) });
/** As the resolver has it; assets that the library does not have are left out. `name`: of a file that holds it. */
export const ExportFacts = z.object({
  items: z.array(z.object({
    sha256: Sha256, taken_at: WallTime.nullable(), taken_at_source: TakenAtSource.nullable(), utc_offset_minutes: z.int().nullable(), latitude: z.number().nullable(), longitude: z.number().nullable(),
    description: z.string().nullable(), favourite: z.boolean(), rating: z.int().nullable(), tags: z.array(z.string()), people: z.array(z.string()), albums: z.array(z.string()),
    camera: z.string().nullable(), name: z.string().nullable(),
  })).max(MAX_FACTS_ASSETS),
});
export type ExportFacts = z.infer<typeof ExportFacts>;
