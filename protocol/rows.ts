// The rows that the agent pushes and the batch that carries them. What these schemas refuse never reaches D1.
import * as z from 'zod';
import { MAX_PATH_LENGTH } from './limits.ts';
import { AssetKind, ImportSource, OffsetSource, PlaceSource, ProblemCode, ScanState, Sha256, StackType, TakenAtSource, VolumeIdentity } from './words.ts';

/** `YYYY-MM-DDTHH:MM:SS`, the wall time where the picture was taken; no zone. */
export const WallTime = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/);
const Revision = z.int().nonnegative();
export const VolumeId = z.string().min(1).max(200);
/** Relative to the volume's mount point, `/` between parts, no leading slash. */
export const Path = z.string().min(1).max(MAX_PATH_LENGTH);
const Text = z.string().max(1_000);
const Latitude = z.number().min(-90).max(90).nullable();
const Longitude = z.number().min(-180).max(180).nullable();
/** A caption; longer ones are cut by the reader, never refused. */
const Description = z.string().max(10_000).nullable();
const Names = z.array(z.string().min(1).max(200)).max(200);
/** Stars; -1 is XMP's "rejected". */
const Rating = z.int().min(-1).max(5).nullable();

/**
 * One thing that something says about when a picture was taken. Either a wall time (with or without an offset), or a
 * moment in UTC, in milliseconds. The resolver, not the reader, decides which claim wins. Only a movie's own creation time
 * (`quicktime`) may have both: what is written, read as UTC, and the same read as local time, as its maker is known to mean
 * it; the rest of the evidence decides (protocol/container-time.ts).
 */
export const TimeClaim = z.object({
  source: TakenAtSource,
  wall: WallTime.nullable(),
  utc_ms: z.int().nullable(),
  offset_minutes: z.int().min(-18 * 60).max(18 * 60).nullable(),
  offset_source: OffsetSource.nullable(),
  /** Why it is read as it is, where its source alone does not say (a movie's time: UTC, or local): the evidence, for people. */
  basis: z.string().max(200).nullable().optional(),
});
export type TimeClaim = z.infer<typeof TimeClaim>;

/** A problem that does not stop the asset from being shown: truncated, odd metadata. */
export const AssetProblem = z.object({ code: ProblemCode, reason: Text });
export type AssetProblem = z.infer<typeof AssetProblem>;

/** Exposure as the camera wrote it; seconds, f-number, ISO, millimetres. */
export const Exposure = z.object({
  time_s: z.number().positive().nullable(),
  f_number: z.number().positive().nullable(),
  iso: z.number().positive().nullable(),
  focal_mm: z.number().positive().nullable(),
});
export type Exposure = z.infer<typeof Exposure>;

/** What the bytes alone say; the same for every copy. `width`, `height` are upright, in pixels. */
export const AssetFacts = z.object({
  sha256: Sha256,
  kind: AssetKind,
  mime: z.string().max(100),
  size_bytes: z.int().nonnegative(),
  width: z.int().positive().nullable(),
  height: z.int().positive().nullable(),
  duration_ms: z.int().nonnegative().nullable(),
  /** How a video's pictures are coded, as FFmpeg names it (`hevc`); left out by agents that do not ask. */
  codec: z.string().max(40).nullable().optional(),
  /** Mean colour `#rrggbb`, shown while the grid rendition loads. */
  color: z.string().regex(/^#[0-9a-f]{6}$/).nullable(),
  camera: Text.nullable(),
  lens: Text.nullable(),
  exposure: Exposure.nullable(),
  latitude: Latitude,
  longitude: Longitude,
  /** IANA zone at the position, looked up offline by the agent. */
  gps_zone: z.string().max(60).nullable(),
  /** Apple's identifier that ties a Live Photo's still and video. */
  content_identifier: z.string().max(200).nullable(),
  /** The video inside a motion photo: where its bytes lie in the file. */
  motion: z.object({ offset_bytes: z.int().nonnegative(), length_bytes: z.int().positive() }).nullable().default(null),
  description: Description.default(null),
  rating: Rating.default(null),
  tags: Names.default([]),
  time_claims: z.array(TimeClaim).max(20),
  problems: z.array(AssetProblem).max(20),
});
export type AssetFacts = z.infer<typeof AssetFacts>;

/** Facets that are already in the Worker's hands (0: not yet). A rendition is mentioned after it is in R2. */
export const Facets = z.object({ facts: z.int().nonnegative(), grid: z.int().nonnegative(), preview: z.int().nonnegative(), proxy: z.int().nonnegative().default(0) });
export type Facets = z.infer<typeof Facets>;

export const AssetRow = AssetFacts.extend({
  revision: Revision, facets: Facets,
  /** Size of the proxy in bytes, once there is one. */
  proxy_bytes: z.int().positive().nullable().default(null),
});
export type AssetRow = z.infer<typeof AssetRow>;

export const VolumeRow = z.object({
  volume_id: VolumeId, revision: Revision, identity: VolumeIdentity, label: Text, fs_type: z.string().max(60),
  capacity_bytes: z.int().nonnegative().nullable(), free_bytes: z.int().nonnegative().nullable(), read_only: z.boolean(),
  /** The weak id that this volume had before its marker: a new row takes over the owner's words from that one. */
  replaces: VolumeId.optional(),
});
export type VolumeRow = z.infer<typeof VolumeRow>;

export const RootRow = z.object({
  root_id: z.string().min(1).max(100), revision: Revision, volume_id: VolumeId,
  /** Relative to the mount point; empty is the whole volume. */
  path: z.string().max(MAX_PATH_LENGTH),
  excludes: z.array(Text).max(200), removed: z.boolean(),
});
export type RootRow = z.infer<typeof RootRow>;

/** Where a hash was last seen. One file under two paths has one (fs_id, inode): it is one copy (promise 4). */
export const LocationRow = z.object({
  volume_id: VolumeId, path: Path, revision: Revision, sha256: Sha256, size_bytes: z.int().nonnegative(), mtime_ms: z.int(),
  /** File system and inode as text (both can pass 2^53); null where the file system has no lasting inodes. */
  fs_id: z.string().max(60).nullable(), inode: z.string().max(40).nullable(),
  /** Lies inside another program's package, which takes no orders (promise 1). */
  in_package: z.boolean(),
});
export type LocationRow = z.infer<typeof LocationRow>;

/**
 * What a sidecar says of the file beside it: one entry of the imports layer (promise 6). The agent matches sidecars to
 * files; null and empty mean that it says nothing.
 */
export const ImportFacts = z.object({
  source: ImportSource,
  /** The sidecar's name, for people. */
  name: z.string().max(1_000),
  time_claims: z.array(TimeClaim).max(10),
  latitude: Latitude, longitude: Longitude, gps_zone: z.string().max(60).nullable(),
  description: Description, favourite: z.boolean().nullable(), archived: z.boolean().nullable(), rating: Rating,
  people: Names, tags: Names,
});
export type ImportFacts = z.infer<typeof ImportFacts>;

/** An album that an export keeps as a folder. `key` is the same for every part and copy of that folder. */
export const AlbumImport = z.object({ key: z.string().min(1).max(500), title: z.string().min(1).max(500) });
export type AlbumImport = z.infer<typeof AlbumImport>;

/** What one file says beyond its bytes: its name, its mtime, the sidecars and the album that it lies beside. */
export const EvidenceRow = z.object({
  volume_id: VolumeId, path: Path, revision: Revision, time_claims: z.array(TimeClaim).max(20),
  imports: z.array(ImportFacts).max(8).default([]), albums: z.array(AlbumImport).max(8).default([]),
});
export type EvidenceRow = z.infer<typeof EvidenceRow>;

/** Promise 8's numbers. `seen` is the sum of the others. */
export const ScanCounts = z.object({
  seen: z.int(), indexed: z.int(), changed: z.int(), moved: z.int(), unchanged: z.int(), duplicate: z.int(), sidecar: z.int(), ignored: z.int(), failed: z.int(),
});
export type ScanCounts = z.infer<typeof ScanCounts>;

export const ScanRow = z.object({
  scan_id: z.string().min(1).max(100), revision: Revision, volume_id: VolumeId, root_id: z.string().max(100), state: ScanState,
  started_ms: z.int(), ended_ms: z.int().nullable(), counts: ScanCounts,
  /** Locations that were not found; above the threshold the state is `question` and they are not marked. */
  vanished: z.int().nonnegative(),
  /** Why it stopped, for people. */
  reason: Text.nullable(),
});
export type ScanRow = z.infer<typeof ScanRow>;

/** A file that could not be read or a folder that was skipped (promise 8). `solved` takes it off the page. */
export const ProblemRow = z.object({
  volume_id: VolumeId, path: z.string().max(MAX_PATH_LENGTH), revision: Revision, code: ProblemCode, reason: Text,
  /** The stage that met it: walk, hash, read, decode, render, … */
  stage: z.string().max(40), at_ms: z.int(), solved: z.boolean(),
});
export type ProblemRow = z.infer<typeof ProblemRow>;

/**
 * One asset that is shown under another. A member has one primary at most; a primary that is itself a member shows none.
 * `removed` takes the row's word back.
 */
export const StackRow = z.object({
  member_sha256: Sha256, primary_sha256: Sha256, type: StackType, revision: Revision, removed: z.boolean(),
  /** Why they belong together, for people: the identifier, the name, the sidecar. */
  basis: z.string().max(200),
});
export type StackRow = z.infer<typeof StackRow>;

/**
 * An asset that looks like others: every row of a group names the one that leads it. `spare_bytes`: what the group's others take,
 * by which groups are listed. `removed`: it looks like nothing any more.
 */
export const NearRow = z.object({ member_sha256: Sha256, group_sha256: Sha256, spare_bytes: z.int().nonnegative(), revision: Revision, removed: z.boolean() });
export type NearRow = z.infer<typeof NearRow>;

/**
 * A file was edited in place: `new_sha256` stands where `old_sha256` stood, and the agent knows no other location of the old
 * one, present, away or missing. The new one takes over what the owner did with the old one.
 */
export const SuccessorRow = z.object({ old_sha256: Sha256, new_sha256: Sha256, revision: Revision });
export type SuccessorRow = z.infer<typeof SuccessorRow>;

/**
 * The names of a place, by cell (protocol/place.ts). The Worker says which cells it wants; a better answer (`rank`)
 * replaces a lesser one. `distance_m`: from the cell to what was named; `zone`: IANA.
 */
export const PlaceRow = z.object({
  cell: z.string().regex(/^-?\d{1,2}\.\d{3},-?\d{1,3}\.\d{3}$/), revision: Revision, rank: z.int().positive(), source: PlaceSource,
  street: Text.nullable(), neighbourhood: Text.nullable(), city: Text.nullable(), region: Text.nullable(), country: Text.nullable(),
  country_code: z.string().regex(/^[A-Z]{2}$/).nullable(), distance_m: z.number().nonnegative().nullable(), zone: z.string().max(60).nullable(),
});
export type PlaceRow = z.infer<typeof PlaceRow>;

/** `GET /sync/places/wanted?rank=`: cells whose names are below that rank, with their centres in degrees. */
export const WantedPlaces = z.object({ places: z.array(z.object({ cell: PlaceRow.shape.cell, latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })).max(5_000) });
export type WantedPlace = z.infer<typeof WantedPlaces>['places'][number];

export const Batch = z.object({
  protocol: z.int(), agent_id: z.string().min(1).max(100), epoch: z.string().min(1).max(100), seq: z.int().positive(),
  /** The zone of the agent's machine: shown times without any offset are read in it, and said to be guesses. */
  home_zone: z.string().max(60),
  volumes: z.array(z.unknown()), roots: z.array(z.unknown()), assets: z.array(z.unknown()), locations: z.array(z.unknown()),
  evidence: z.array(z.unknown()), scans: z.array(z.unknown()), problems: z.array(z.unknown()),
  stacks: z.array(z.unknown()).default([]), places: z.array(z.unknown()).default([]), successors: z.array(z.unknown()).default([]),
  near: z.array(z.unknown()).default([]),
});
export type Batch = z.infer<typeof Batch>;

/** The lists of a batch and the schema of each one's rows: a row that fails is rejected alone, by name and reason. */
export const BATCH_ROWS = {
  volumes: VolumeRow, roots: RootRow, assets: AssetRow, locations: LocationRow, evidence: EvidenceRow, scans: ScanRow, problems: ProblemRow, stacks: StackRow, places: PlaceRow, successors: SuccessorRow, near: NearRow,
} as const;
export type BatchList = keyof typeof BATCH_ROWS;

export const Rejected = z.object({ row: z.string(), reason: z.string() });
export type Rejected = z.infer<typeof Rejected>;
export const BatchAnswer = z.object({ acked_seq: z.int(), rejected: z.array(Rejected) });
export type BatchAnswer = z.infer<typeof BatchAnswer>;

/** `GET /sync/state`: what the Worker has of this agent. `max_revision` seeds a new catalog's counter. */
export const SyncState = z.object({ protocol: z.int(), epoch: z.string().nullable(), acked_seq: z.int(), max_revision: z.int() });
export type SyncState = z.infer<typeof SyncState>;

/** `POST /sync/scans/{scan_id}/complete`: the only call that may make locations missing. At most 5,000 paths a call. */
export const ScanComplete = z.object({
  agent_id: z.string(), volume_id: VolumeId, at_ms: z.int(),
  missing: z.array(Path).max(5_000),
  /** Old paths of files that were found again under another name: their rows are removed, not marked. */
  moved_from: z.array(Path).max(5_000),
});
export type ScanComplete = z.infer<typeof ScanComplete>;

/** `GET /sync/locations?volume_id=&after=`: known paths of a volume in byte order, for a catalog made anew. */
export const KnownLocations = z.object({ paths: z.array(z.string()), next: z.string().nullable() });
export type KnownLocations = z.infer<typeof KnownLocations>;
