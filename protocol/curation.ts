// The file that keeps what the owner did (promise 3): NDJSON, a head, a line a thing, an end that says whether all of it is
// there. Everything is keyed by what lasts: hashes, keys of albums, ids of volumes. docs/adr/0017-curation-files.md has the rules.
import * as z from 'zod';
import { WallTime } from './rows.ts';
import { Sha256 } from './words.ts';

/** What this build writes; it reads all from 1 on. A newer file is refused, never read in part. */
export const CURATION_FORMAT = 'jharokha-curation';
export const CURATION_VERSION = 2;
/** Lines and bytes of one call of an import: a second of Worker time at most, and far below D1's 2 MB in one parameter. */
export const CURATION_CHUNK_LINES = 2_000;
export const MAX_CURATION_CHUNK_BYTES = 1_000_000;
/** The longest line, so that any fits a chunk. A description in characters of three bytes is 30 KB; longer lines are not ours. */
export const MAX_CURATION_LINE_BYTES = 900_000;
/** Of any text here: far above what the library takes, for a bound that it met once and raised later must not stop a file from being written. */
const MAX_TEXT = 100_000;
/** Assets of one edit of an import; more make another one, so that its undo stays one transaction of a bounded size. */
export const MAX_IMPORT_EDIT_ASSETS = 20_000;

/** In the order in which they stand in a file and are imported: an album before what lies in it. */
export const CURATION_PARTS = ['setting', 'volume', 'album', 'asset', 'member', 'alike'] as const;
export const CurationPart = z.enum(CURATION_PARTS);
export type CurationPart = z.infer<typeof CurationPart>;

const Text = z.string().max(MAX_TEXT).refine((text) => text.isWellFormed() && !text.includes('\0'), 'holds a NUL or half a character');
const TimeMs = z.int().min(0);
const TagList = z.array(Text.check(z.minLength(1))).max(20_000);
/** What the owner adds to the tags that were found, and takes away from them. */
export const Tags = z.object({ add: TagList, remove: TagList });
/** `own:` and the album's own lasting name, or `import:` and the key of the export's folder. */
export const AlbumRef = Text.max(600).regex(/^(?:own|import):./s, 'names no album');

/** A setting of the owner's. `changed_at_ms` null: nobody chose it, the first agent's machine gave it. */
export const SettingLine = z.object({ type: z.literal('setting'), key: z.literal('home_zone'), value: Text.min(1).max(60), changed_at_ms: TimeMs.nullable() });
/** The owner's words about a drive. */
export const VolumeLine = z.object({ type: z.literal('volume'), volume_id: Text.min(1).max(200), label: Text.nullable(), note: Text.nullable() });
/** An album that the owner made, or what the owner said of an imported one. `title` of an imported one is the export's. */
export const AlbumLine = z.object({
  type: z.literal('album'), album: AlbumRef, title: Text, owner_title: Text.nullable(), sort: z.string().regex(/^[a-z]{1,20}$/),
  cover: Sha256.nullable(), query: Text.nullable(), made_at_ms: TimeMs.nullable(), removed_at_ms: TimeMs.nullable(),
});
/** Everything that the owner said of one content; null: nothing said. Fields as the table `curation` has them. */
export const AssetLine = z.object({
  type: z.literal('asset'), sha256: Sha256, changed_at_ms: TimeMs,
  favourite: z.boolean().nullable(), archived: z.boolean().nullable(), rating: z.int().min(-1).max(5).nullable(),
  taken_at: WallTime.nullable(), utc_offset_minutes: z.int().min(-18 * 60).max(18 * 60).nullable(), time_shift_s: z.int().nullable(),
  /** `none`: what was found is wrong, and nothing else is known. */
  position: z.object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) }).or(z.literal('none')).nullable(),
  description: Text.nullable(),
  tags: Tags.nullable(),
});
/** An asset that the owner put into an album (`owner`), or took out of it against the import (`left`). */
export const MemberLine = z.object({ type: z.literal('member'), album: AlbumRef, sha256: Sha256, layer: z.enum(['owner', 'left']), position: z.number().nullable() });
/** One of some look-alikes of which the owner said that they are all to stay; those with one word (`kept`) are such a set. Since version 2. */
export const AlikeLine = z.object({ type: z.literal('alike'), sha256: Sha256, kept: z.uuid(), at_ms: TimeMs });

export const CurationLine = z.discriminatedUnion('type', [SettingLine, VolumeLine, AlbumLine, AssetLine, MemberLine, AlikeLine]);
export type CurationLine = z.infer<typeof CurationLine>;
export type SettingLine = z.infer<typeof SettingLine>;
export type VolumeLine = z.infer<typeof VolumeLine>;
export type AlbumLine = z.infer<typeof AlbumLine>;
export type AssetLine = z.infer<typeof AssetLine>;
export type MemberLine = z.infer<typeof MemberLine>;
export type AlikeLine = z.infer<typeof AlikeLine>;

const Counts = z.object({ setting: z.int().min(0), volume: z.int().min(0), album: z.int().min(0), asset: z.int().min(0), member: z.int().min(0), alike: z.int().min(0).default(0) });
export type CurationCounts = z.infer<typeof Counts>;
export const noCounts = (): CurationCounts => ({ setting: 0, volume: 0, album: 0, asset: 0, member: 0, alike: 0 });

/** First line. `content_sha256`: over all lines between head and end, with their line feeds; equal where nothing changed. */
export const CurationHead = z.object({
  type: z.literal('head'), format: z.literal(CURATION_FORMAT), version: z.int().min(1).max(CURATION_VERSION), exported_at: z.iso.datetime(), software: z.string().max(60),
  library: z.object({ assets: z.int().min(0) }), counts: Counts, content_sha256: Sha256,
});
export type CurationHead = z.infer<typeof CurationHead>;
/** Last line. `sha256`: over every byte before it. A file without it was cut short. */
export const CurationEnd = z.object({ type: z.literal('end'), lines: z.int().min(0), sha256: Sha256 });
export type CurationEnd = z.infer<typeof CurationEnd>;

/** `GET /sync/curation?part=&after=`: lines of one part, in the order of their keys; `next` is what to pass as `after`, null at the end. */
export const CurationPage = z.object({ lines: z.array(CurationLine), next: z.string().nullable(), assets: z.int().min(0) });
export type CurationPage = z.infer<typeof CurationPage>;

/** `POST /sync/curation`: lines of a file in its order. `edit_id`: of the edit that the last chunk made, which this one goes on with. */
export const CurationChunk = z.object({
  lines: z.array(CurationLine).min(1).max(CURATION_CHUNK_LINES), replace: z.boolean(), dry_run: z.boolean(), edit_id: z.int().positive().nullable(),
  /** For people: which file. */
  name: Text.max(200),
});
export type CurationChunk = z.infer<typeof CurationChunk>;

/**
 * What became of lines of one kind: written; as it was; left, because the library's own word stands; and, of all of these,
 * how many speak of something that is not in the library yet, and are kept for it.
 */
export const Imported = z.object({ applied: z.int(), unchanged: z.int(), kept: z.int(), waiting: z.int() });
export type Imported = z.infer<typeof Imported>;
export const ChunkAnswer = z.object({ imported: z.record(CurationPart, Imported), edit_id: z.int().nullable() });
export type ChunkAnswer = z.infer<typeof ChunkAnswer>;
