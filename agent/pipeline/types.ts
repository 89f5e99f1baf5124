// What the stages of the pipeline hand to each other. Types only.
import type { Look } from '../catalog/looks.ts';
import type { AssetFacts, AssetProblem, TimeClaim } from '../../protocol/rows.ts';
import type { ProblemCode } from '../../protocol/words.ts';

/** Access to one file's bytes, made by agent/files; readers never open a path themselves (ExifTool, a process of its own, is the exception). */
export interface FileSource {
  /** Absolute path, for ExifTool and for messages. */
  path: string;
  /** Base name as the file system gives it. */
  name: string;
  sizeBytes: number;
  mtimeMs: number;
  /** The whole content when it was small enough to be read in one go (WHOLE_FILE_BYTES), else null. */
  bytes: Buffer | null;
  /** Reads up to `length` bytes from `offset`; shorter only at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A rendition's bytes (WebP) and its render version; of a final grid also what it looks like. */
export interface Rendered { bytes: Buffer; version: number; look?: Look | null }

export type ByteFacts = Omit<AssetFacts, 'sha256' | 'size_bytes'>;

/** First phase, from one read: facts, and the grid rendition where it is cheap; the preview too where that is cheap. */
export interface QuickRead {
  facts: ByteFacts;
  rawMetadata: Record<string, unknown> | null;
  grid: Rendered | null;
  preview: Rendered | null;
  /** True when the second phase has still something to make (a preview, or a final grid over a draft). */
  unfinished: boolean;
}

/** Second phase: what was still missing. `null` for a rendition that cannot be made; the problems say why. */
export interface RestRead { grid: Rendered | null; preview: Rendered | null; problems: AssetProblem[]; width: number | null; height: number | null; color: string | null }

/** What a file is, by its first bytes before its name. */
export type Identified =
  | { as: 'asset'; kind: 'image' | 'video'; mime: string; format: string }
  | { as: 'sidecar'; format: 'xmp' | 'json' | 'aae' }
  | { as: 'ignored'; reason: string }
  | { as: 'failed'; code: ProblemCode; reason: string };

/** The readers of files. One per agent; `close` ends ExifTool and the decoding workers. */
export interface Reader {
  /** `head` is the first 4 KiB (or less). Never throws. */
  identify(name: string, sizeBytes: number, head: Buffer): Identified;
  /** Throws ReadError for a file that yields no asset at all; a file that yields a part returns it with problems. */
  quick(source: FileSource, type: Extract<Identified, { as: 'asset' }>): Promise<QuickRead>;
  rest(source: FileSource, facts: ByteFacts): Promise<RestRead>;
  /** What the file's name and mtime say about its time: evidence of a location, not of the bytes. */
  nameClaims(name: string, mtimeMs: number): TimeClaim[];
  close(): Promise<void>;
}

/** A file that cannot be read as media, with the reason that the owner will see. */
export class ReadError extends Error {
  readonly code: ProblemCode;
  readonly stage: string;
  constructor(code: ProblemCode, stage: string, message: string) { super(message); this.name = 'ReadError'; this.code = code; this.stage = stage; }
}
