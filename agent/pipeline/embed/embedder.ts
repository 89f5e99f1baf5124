// The model at work: pictures and words to vectors of one space. Towers run in workers with one thread each.
import type { SearchProfile, VectorSpace } from '../../../protocol/vector.ts';

/** No model is there and none can be had: no network, no such folder. The message says what is missing and how to get it. */
export class ModelMissing extends Error { override name = 'ModelMissing'; }
/** A model is there and cannot be used: half a file, another architecture. The message names the file. */
export class ModelDamaged extends Error { override name = 'ModelDamaged'; }

export interface ModelSource {
  profile: SearchProfile;
  /** The owner's folder with the model's files, or null: downloaded into `cacheDir` at first use. */
  modelDir: string | null;
  cacheDir: string;
}

export interface Embedder {
  readonly space: VectorSpace;
  /** One picture, any format that sharp reads, as a vector of length 1. Rejects for a picture that cannot be read (Error) without harm to the others. Many may be asked at once. */
  embedImage(bytes: Uint8Array): Promise<Float32Array>;
  /** Each text as typed, averaged over the model's prompts, length 1. Never waits behind pictures. */
  embedTexts(texts: readonly string[]): Promise<Float32Array[]>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Workers for pictures; words have one of their own. */
  workers: number;
  signal?: AbortSignal;
  /** False: what is not on this computer is ModelMissing, without a look at the network. */
  download?: boolean;
  onDownload?(done: number, total: number | null): void;
  /** Where models are fetched from, when not from the public hub (or what HF_ENDPOINT names). */
  hub?: string;
  /** Waits between two tries and for a silent server, in ms; for tests, which have no minutes. */
  patience?: { retryMs: number; silentMs: number };
  /** A picture that takes longer is given up, and its process with it. */
  jobTimeoutMs?: number;
  /** For tests alone: another script for the towers' processes, one that hangs or dies on purpose. */
  script?: URL;
}

export type OpenEmbedder = (source: ModelSource, options: OpenOptions) => Promise<Embedder>;
