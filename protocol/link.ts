// What goes over the agent's socket: frames both ways, and the requests that a page may make of the agent.
import * as z from 'zod';
import { OrderBody, OrderPlan } from './orders.ts';
import { IndexReport } from './report.ts';
import { ScanCounts } from './rows.ts';
import { FilterTerm } from './search.ts';
import { MAX_ZIP_ASSETS, TransferId, TransferPlan } from './transfer.ts';
import { SpaceKey, VectorEngine, VectorSpace } from './vector.ts';
import { Sha256 } from './words.ts';

export const Pending = z.object({ facts: z.int().nullable(), previews: z.int().nullable(), proxies: z.int().nullable(), vectors: z.int().nullable() });
export type Pending = z.infer<typeof Pending>;

/** A volume that is connected now. `mount_point` is for people; nothing is keyed by it. */
export const PresentVolume = z.object({
  volume_id: z.string(), label: z.string(), mount_point: z.string(), fs_type: z.string(),
  capacity_bytes: z.number().nullable(), free_bytes: z.number().nullable(), read_only: z.boolean(), removable: z.boolean(),
});
export type PresentVolume = z.infer<typeof PresentVolume>;

/** A scan that found too much gone and waits for the owner's word (promise 2). */
export const ScanQuestion = z.object({ scan_id: z.string(), volume_id: z.string(), label: z.string(), vanished: z.int(), known: z.int(), examples: z.array(z.string()).max(10) });
export type ScanQuestion = z.infer<typeof ScanQuestion>;

/** The model of the search, as the agent has it. `message` is for people: what is missing and how to get it, or what failed. */
export const SearchStatus = z.object({
  profile: z.enum(['standard', 'light', 'off']),
  state: z.enum(['off', 'missing', 'downloading', 'loading', 'ready', 'failed']),
  message: z.string().max(1_000).nullable(),
  /** Of a download. */
  done_bytes: z.int().nullable(), total_bytes: z.int().nullable(),
  space: SpaceKey.nullable(), engine: VectorEngine,
});
export type SearchStatus = z.infer<typeof SearchStatus>;

/** What the agent is doing, for the progress line. `eta_s` is null until there is a rate worth trusting. */
export const AgentStatus = z.object({
  /** `embedding` and `proxies`: everything else is done, and vectors, then small videos, are made behind it. */
  phase: z.enum(['idle', 'scanning', 'rendering', 'pushing', 'embedding', 'proxies']),
  root: z.string().nullable(), counts: ScanCounts.nullable(),
  pending: Pending, rate_per_s: z.number().nullable(), eta_s: z.number().nullable(),
  questions: z.array(ScanQuestion),
  /** When each root's last complete scan ended. A scan without news writes no row, so only this says when one last looked. */
  completed: z.array(z.object({ root_id: z.string(), at_ms: z.int() })).optional(),
  search: SearchStatus.optional(),
  /** Grids whose look (agent/pipeline/look.ts) is still to be made. */
  looks: z.int().nonnegative().optional(),
});
export type AgentStatus = z.infer<typeof AgentStatus>;

/** What the owner has chosen for the agent's own work. Kept in its catalog. */
export const AgentOptions = z.object({
  /** Whether small MP4s of videos are made. */
  proxies: z.boolean(),
  geocoder: z.enum(['offline', 'nominatim']),
  /** Address of the owner's Nominatim server; null is the public one, within its policy. */
  nominatim_url: z.string().max(500).nullable(),
  /** Which model embeds pictures and words. */
  search_model: z.enum(['standard', 'light', 'off']),
  /** A folder that holds the model's files; null downloads them at first use. */
  model_dir: z.string().max(4_096).nullable(),
});
export type AgentOptions = z.infer<typeof AgentOptions>;

/** Promise 8 for sidecars: sidecars = matched + without_media.total; the others say which files an export left without one. */
export const SidecarReport = z.object({
  sidecars: z.int(), matched: z.int(), media: z.int(), media_with_sidecar: z.int(),
  without_media: z.object({ total: z.int(), paths: z.array(z.string()) }),
  without_sidecar: z.object({ total: z.int(), paths: z.array(z.string()) }),
});
export type SidecarReport = z.infer<typeof SidecarReport>;

export const AgentFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), protocol: z.int(), agent_id: z.string(), version: z.string(), host: z.string() }),
  z.object({ type: z.literal('presence'), volumes: z.array(PresentVolume).max(200), lease_ms: z.int() }),
  z.object({ type: z.literal('status'), status: AgentStatus }),
  z.object({ type: z.literal('reply'), id: z.string(), result: z.unknown().optional(), error: z.string().optional() }),
]);
export type AgentFrame = z.infer<typeof AgentFrame>;

export const WorkerFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('welcome'), protocol: z.int() }),
  z.object({ type: z.literal('request'), id: z.string(), name: z.string(), args: z.unknown() }),
]);
export type WorkerFrame = z.infer<typeof WorkerFrame>;

/** A folder that the page may offer to index. */
export const Suggestion = z.object({ path: z.string(), label: z.string(), why: z.string() });
export const FolderEntry = z.object({ name: z.string(), path: z.string() });

/** What a vector engine is asked: what lies nearest to a vector (or to an asset), under terms of which it may apply those that it can. */
export const VectorQuestion = z.object({
  space: VectorSpace,
  near: z.union([z.object({ vector: z.string() }), z.object({ sha256: z.string() })]),
  /** A null prompt's vector: its score comes back beside each hit. */
  against: z.string().nullable(),
  terms: z.array(z.object({ term: FilterTerm, negated: z.boolean() })).max(50),
  limit: z.int().positive().max(5_000),
});
export type VectorQuestion = z.infer<typeof VectorQuestion>;
/** Best first. `applied`: for each term, whether the engine kept to it. `mean` and `deviation` of the cosine over all that was looked at, where the engine knows. */
export const VectorAnswer = z.object({
  hits: z.array(z.object({ sha256: z.string(), score: z.number(), against: z.number().nullable() })),
  applied: z.array(z.boolean()), mean: z.number().nullable(), deviation: z.number().nullable(), looked_at: z.int(),
});
export type VectorAnswer = z.infer<typeof VectorAnswer>;

/**
 * Requests from pages to the agent, by name: the arguments and the answer. Errors come back as a sentence that a
 * page can show as it is.
 */
export const REQUESTS = {
  /** Drives seen now, and folders worth offering (Pictures, DCIM). */
  drives: { args: z.object({}), result: z.object({ volumes: z.array(PresentVolume), suggestions: z.array(Suggestion) }) },
  /** Folders inside one folder; names only, never files. */
  browse: { args: z.object({ path: z.string() }), result: z.object({ path: z.string(), parent: z.string().nullable(), folders: z.array(FolderEntry) }) },
  add_root: { args: z.object({ path: z.string() }), result: z.object({ root_id: z.string(), path: z.string() }) },
  remove_root: { args: z.object({ root_id: z.string() }), result: z.object({}) },
  set_excludes: { args: z.object({ root_id: z.string(), excludes: z.array(z.string()) }), result: z.object({}) },
  /** Scan one root, or all where null; `retry` also reads again what failed before. Ask `job` how it goes. */
  scan: { args: z.object({ root_id: z.string().nullable(), retry: z.boolean().optional() }), result: z.object({ job_id: z.string() }) },
  /** How a scan that was asked for goes; `from` pages through failed and skipped, REPORT_PAGE at a time. Done: everything found is rendered and pushed. */
  job: { args: z.object({ job_id: z.string(), from: z.int().nonnegative() }), result: z.object({ done: z.boolean(), report: IndexReport.nullable(), more: z.boolean() }) },
  /** The owner's answer to a scan's question: `gone` marks them missing, `keep` leaves everything as it is. */
  answer_question: { args: z.object({ scan_id: z.string(), answer: z.enum(['gone', 'keep']) }), result: z.object({ marked: z.int() }) },
  /** The owner allows our one marker file at the top of a volume that has no lasting identity of its own. */
  allow_marker: { args: z.object({ volume_id: z.string() }), result: z.object({ volume_id: z.string() }) },
  /** The owner lets a drive go: its folders are read no more and nothing on it counts as a copy. Nothing on it is touched. */
  forget_volume: { args: z.object({ volume_id: z.string() }), result: z.object({}) },
  options: { args: z.object({}), result: AgentOptions },
  set_options: { args: AgentOptions.partial(), result: AgentOptions },
  /** Some asset lies in a cell that has no names yet: the agent asks `GET /sync/places/wanted` for them. */
  name_places: { args: z.object({}), result: z.object({}) },
  /** What exports' sidecars were matched to; `from` pages through both lists, REPORT_PAGE at a time. */
  sidecar_report: { args: z.object({ from: z.int().nonnegative() }), result: SidecarReport },
  /** Embeddings of queries, each averaged over the model's prompts, as base64 (vectorToText). Refused where the agent has no model for this space. */
  embed_query: { args: z.object({ space: SpaceKey, texts: z.array(z.string().min(1).max(300)).min(1).max(40) }), result: z.object({ vectors: z.array(z.string()) }) },
  /** A question to a Qdrant that only the agent reaches (worker/search/reader.ts has the same shape). */
  query_vectors: { args: VectorQuestion, result: VectorAnswer },
  /** What an order would do, looked up now; nothing is done. */
  plan_order: { args: z.object({ body: OrderBody }), result: OrderPlan },
  /** There are orders to take, or some to give up: the agent asks `GET /sync/orders` for them. */
  take_orders: { args: z.object({}), result: z.object({}) },
  /** Answers what will be sent and then pushes it, part by part, to `/sync/transfers/{transfer_id}`: one file as it is, or a zip of them and of what belongs to them. */
  send_originals: { args: z.object({ transfer_id: TransferId, sha256s: z.array(Sha256).min(1).max(MAX_ZIP_ASSETS), as: z.enum(['file', 'zip']) }), result: TransferPlan },
  /** Writes all vectors of the catalog into the engine anew; the status says how it goes. */
  rebuild_vectors: { args: z.object({}), result: z.object({ vectors: z.int() }) },
} as const;
export type RequestName = keyof typeof REQUESTS;
export type RequestArgs<N extends RequestName> = z.infer<(typeof REQUESTS)[N]['args']>;
export type RequestResult<N extends RequestName> = z.infer<(typeof REQUESTS)[N]['result']>;

/** What `/live` tells open pages. They fetch what they show themselves; an event carries no content. */
export const LIVE_EVENTS = ['presence', 'status', 'library', 'problems', 'orders'] as const;
export type LiveEvent = (typeof LIVE_EVENTS)[number];
