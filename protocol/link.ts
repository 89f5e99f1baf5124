// What goes over the agent's socket: frames both ways, and the requests that a page may make of the agent.
import * as z from 'zod';
import { IndexReport } from './report.ts';
import { ScanCounts } from './rows.ts';

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

/** What the agent is doing, for the progress line. `eta_s` is null until there is a rate worth trusting. */
export const AgentStatus = z.object({
  /** `proxies`: everything else is done, and small videos are made behind it. */
  phase: z.enum(['idle', 'scanning', 'rendering', 'pushing', 'proxies']),
  root: z.string().nullable(), counts: ScanCounts.nullable(),
  pending: Pending, rate_per_s: z.number().nullable(), eta_s: z.number().nullable(),
  questions: z.array(ScanQuestion),
  /** When each root's last complete scan ended. A scan without news writes no row, so only this says when one last looked. */
  completed: z.array(z.object({ root_id: z.string(), at_ms: z.int() })).optional(),
});
export type AgentStatus = z.infer<typeof AgentStatus>;

/** What the owner has chosen for the agent's own work. Kept in its catalog. */
export const AgentOptions = z.object({
  /** Whether small MP4s of videos are made. */
  proxies: z.boolean(),
  geocoder: z.enum(['offline', 'nominatim']),
  /** Address of the owner's Nominatim server; null is the public one, within its policy. */
  nominatim_url: z.string().max(500).nullable(),
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
  options: { args: z.object({}), result: AgentOptions },
  set_options: { args: AgentOptions.partial(), result: AgentOptions },
  /** Some asset lies in a cell that has no names yet: the agent asks `GET /sync/places/wanted` for them. */
  name_places: { args: z.object({}), result: z.object({}) },
  /** What exports' sidecars were matched to; `from` pages through both lists, REPORT_PAGE at a time. */
  sidecar_report: { args: z.object({ from: z.int().nonnegative() }), result: SidecarReport },
} as const;
export type RequestName = keyof typeof REQUESTS;
export type RequestArgs<N extends RequestName> = z.infer<(typeof REQUESTS)[N]['args']>;
export type RequestResult<N extends RequestName> = z.infer<(typeof REQUESTS)[N]['result']>;

/** What `/live` tells open pages. They fetch what they show themselves; an event carries no content. */
export const LIVE_EVENTS = ['presence', 'status', 'library', 'problems'] as const;
export type LiveEvent = (typeof LIVE_EVENTS)[number];
