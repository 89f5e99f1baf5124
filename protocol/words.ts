// The project's vocabulary as enums: one list for agent, Worker, D1 and `list --json`. See docs/terms.md.
import * as z from 'zod';

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');
export type Sha256 = z.infer<typeof Sha256>;

export const AssetKind = z.enum(['image', 'video']);
export type AssetKind = z.infer<typeof AssetKind>;

/** Where a capture time came from, best first: the order is the design's and the resolver's. */
export const TAKEN_AT_SOURCES = [
  'owner', 'exif_original', 'quicktime_keys', 'xmp', 'exif_other', 'quicktime', 'takeout', 'gps', 'name', 'mtime',
] as const;
export const TakenAtSource = z.enum(TAKEN_AT_SOURCES);
export type TakenAtSource = z.infer<typeof TakenAtSource>;

/** Where the offset came from, best first. `home` is a guess and is shown as one. */
export const OFFSET_SOURCES = ['owner', 'exif', 'quicktime_keys', 'gps_zone', 'utc_difference', 'home'] as const;
export const OffsetSource = z.enum(OFFSET_SOURCES);
export type OffsetSource = z.infer<typeof OffsetSource>;

export const RenditionName = z.enum(['grid', 'preview']);
export type RenditionName = z.infer<typeof RenditionName>;

/** A volume is known by its file system's UUID, by our marker file, or only by weak signs. */
export const VolumeIdentity = z.enum(['uuid', 'marker', 'weak']);
export type VolumeIdentity = z.infer<typeof VolumeIdentity>;

export const LocationState = z.enum(['present', 'away', 'missing']);
export type LocationState = z.infer<typeof LocationState>;

export const ScanState = z.enum(['running', 'completed', 'stopped', 'question']);
export type ScanState = z.infer<typeof ScanState>;

export const StackRole = z.enum(['primary', 'member']);
/** Why assets are shown as one. In an edited stack the original is the primary, in a RAW stack the developed picture. */
export const StackType = z.enum(['live', 'raw', 'edited', 'burst']);
export type StackType = z.infer<typeof StackType>;

/** Whose word an import is, best first: a program that the owner works with before an export. */
export const IMPORT_SOURCES = ['xmp', 'takeout'] as const;
export const ImportSource = z.enum(IMPORT_SOURCES);
export type ImportSource = z.infer<typeof ImportSource>;

/** Which layer a value that is shown came from, best first (promise 6). */
export const VALUE_SOURCES = ['owner', ...IMPORT_SOURCES, 'file'] as const;
export const ValueSource = z.enum(VALUE_SOURCES);
export type ValueSource = z.infer<typeof ValueSource>;

/** The order of an album; `own` is made by hand. */
export const AlbumSort = z.enum(['oldest', 'newest', 'own']);
export type AlbumSort = z.infer<typeof AlbumSort>;

/** Who named a place: the tables that come with the agent, or a Nominatim server. */
export const PlaceSource = z.enum(['offline', 'nominatim']);
export type PlaceSource = z.infer<typeof PlaceSource>;

/** What a file turned out to be, in promise 8's sum: every file seen is counted under exactly one. */
export const SEEN_AS = ['indexed', 'changed', 'moved', 'unchanged', 'duplicate', 'sidecar', 'ignored', 'failed'] as const;
export type SeenAs = (typeof SEEN_AS)[number];

/** Why a file or folder could not be read or used. The reason text beside it is for people. */
export const ProblemCode = z.enum([
  'unreadable', 'vanished', 'changed_while_read', 'empty', 'truncated', 'damaged', 'too_large', 'unsupported',
  'not_media', 'bad_name', 'bad_metadata', 'privacy', 'placeholder', 'decoder_crashed', 'decoder_timeout', 'disk_full', 'other',
]);
export type ProblemCode = z.infer<typeof ProblemCode>;
