// What a vector of an asset or of a query is, which of them may be compared, and how they travel. No I/O.
import * as z from 'zod';
import { Sha256 } from './words.ts';

/** Two choices of a model: the better, multilingual one, and the one that is three times as fast. */
export const SEARCH_PROFILES = ['standard', 'light'] as const;
export const SearchProfile = z.enum(SEARCH_PROFILES);
export type SearchProfile = z.infer<typeof SearchProfile>;

/**
 * Everything that must be equal for two vectors to be comparable. `revision` is the first 12 hex digits of the SHA-256
 * over the weights, so that a folder of the same name with other weights is another space; `preprocessing` is our own
 * version of how pictures and words are made ready (VECTOR_PREPROCESSING).
 */
export const VectorSpace = z.object({
  profile: SearchProfile, model: z.string().min(1).max(200), revision: z.string().regex(/^[0-9a-f]{12}$/), dtype: z.string().min(1).max(20),
  preprocessing: z.int().positive(), dimension: z.int().min(2).max(4_096),
});
export type VectorSpace = z.infer<typeof VectorSpace>;

/** A space's name: the same for equal spaces alone. */
export const SpaceKey = z.string().min(1).max(300);
export function spaceKey(s: VectorSpace): string {
  return `${s.profile}/${s.model}@${s.revision}/${s.dtype}/p${s.preprocessing}/${s.dimension}`;
}

/** The space of a key that `spaceKey` made; undefined for other text. */
export function parseSpaceKey(key: string): VectorSpace | undefined {
  const [, profile, model, revision, dtype, preprocessing, dimension] = /^([a-z]+)\/(.+)@([0-9a-f]{12})\/([^/]+)\/p(\d+)\/(\d+)$/.exec(key) ?? [];
  return VectorSpace.safeParse({ profile, model, revision, dtype, preprocessing: Number(preprocessing), dimension: Number(dimension) }).data;
}

/** Who keeps the vectors and compares them. `qdrant_link`: a Qdrant that only the agent can reach. */
export const VectorEngine = z.enum(['embedded', 'qdrant', 'qdrant_link']);
export type VectorEngine = z.infer<typeof VectorEngine>;

/** `PUT /sync/search-space`: the space that searches are made in from now on, and by which engine. Told once all of its vectors are written. */
export const SearchSpace = z.object({ space: VectorSpace, engine: VectorEngine, vectors: z.int().nonnegative() });
export type SearchSpace = z.infer<typeof SearchSpace>;

/** A vector of unit length in eight bits: component i is about codes[i] * scale. */
export interface Quantised { scale: number; codes: Int8Array }

/** By the largest component, so that each vector uses the whole range: a scale of its own costs four bytes and wins most of a bit. */
export function quantise(vector: Float32Array): Quantised {
  let largest = 0;
  for (const v of vector) largest = Math.max(largest, Math.abs(v));
  const scale = largest === 0 ? 1 : largest / 127;
  const codes = new Int8Array(vector.length);
  for (let i = 0; i < vector.length; i += 1) codes[i] = Math.round((vector[i] as number) / scale);
  return { scale, codes };
}

/** The same direction with length 1. Throws for a vector without direction (zero, NaN): a model that gives one is broken. */
export function toUnit(vector: ArrayLike<number>): Float32Array {
  let sum = 0;
  for (let i = 0; i < vector.length; i += 1) sum += (vector[i] as number) ** 2;
  const length = Math.sqrt(sum);
  if (!Number.isFinite(length) || length === 0) throw new Error('a vector without direction');
  return Float32Array.from(vector, (v) => v / length);
}

/** Little-endian float32, as base64: how single vectors travel in JSON and lie in D1. */
export function vectorToText(vector: Float32Array): string {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  let text = '';
  for (let i = 0; i < bytes.length; i += 8_192) text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return btoa(text);
}

/** Undefined for text that is no vector of this dimension, or holds a NaN. */
export function textToVector(text: string, dimension: number): Float32Array | undefined {
  let binary: string;
  try { binary = atob(text); } catch { return undefined; }
  if (binary.length !== dimension * 4) return undefined;
  const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
  const vector = new Float32Array(bytes.buffer);
  return vector.every((v) => Number.isFinite(v)) ? vector : undefined;
}

/** A pack of `POST /sync/vectors`: a JSON head, then for each hash its scale (float32) and its codes. */
export const VECTOR_PACK_MIME = 'application/x-jharokha-vectors';
/** 1,000 vectors of 768 bytes: under a megabyte. */
export const MAX_VECTOR_PACK_ITEMS = 1_000;
export const MAX_VECTOR_PACK_BYTES = 5_000_000;
const VectorPackHead = z.object({ space: VectorSpace, sha256s: z.array(Sha256).min(1).max(MAX_VECTOR_PACK_ITEMS) });

export interface PackedVector extends Quantised { sha256: string }

/** Throws for a vector of another dimension. */
export function encodeVectorPack(space: VectorSpace, items: readonly PackedVector[]): Uint8Array<ArrayBuffer> {
  const wrong = items.find((i) => i.codes.length !== space.dimension);
  if (wrong) throw new Error(`the vector of ${wrong.sha256} has ${wrong.codes.length} numbers instead of ${space.dimension}`);
  const head = new TextEncoder().encode(JSON.stringify({ space, sha256s: items.map((i) => i.sha256) }));
  const each = 4 + space.dimension;
  const out = new Uint8Array(4 + head.length + items.length * each);
  const view = new DataView(out.buffer);
  view.setUint32(0, head.length, true);
  out.set(head, 4);
  let at = 4 + head.length;
  for (const { scale, codes } of items) {
    view.setFloat32(at, scale, true);
    out.set(new Uint8Array(codes.buffer, codes.byteOffset, codes.length), at + 4);
    at += each;
  }
  return out;
}

/** Throws Error with a sentence for anything that is no such pack. */
export function decodeVectorPack(bytes: Uint8Array): { space: VectorSpace; items: PackedVector[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headLength = bytes.length >= 4 ? view.getUint32(0, true) : Number.POSITIVE_INFINITY;
  if (4 + headLength > bytes.length) throw new Error('the pack ends too early');
  let json: unknown;
  try { json = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(4, 4 + headLength))); } catch { throw new Error('its head is no JSON'); }
  const head = VectorPackHead.safeParse(json);
  if (!head.success) throw new Error(`its head: ${head.error.issues[0]?.path.join('.') ?? ''} ${head.error.issues[0]?.message ?? ''}`);
  const { space, sha256s } = head.data;
  const each = 4 + space.dimension;
  if (bytes.length !== 4 + headLength + sha256s.length * each) throw new Error(`it should hold ${sha256s.length} vectors of ${space.dimension}`);
  const items = sha256s.map((sha256, i) => {
    const at = 4 + headLength + i * each;
    const scale = view.getFloat32(at, true);
    if (!(scale > 0) || !Number.isFinite(scale)) throw new Error(`vector ${i} has no scale`);
    const codes = new Int8Array(space.dimension);
    codes.set(new Int8Array(bytes.buffer, bytes.byteOffset + at + 4, space.dimension));
    return { sha256, scale, codes };
  });
  return { space, items };
}

/** `POST /sync/vectors/remove`. */
export const VectorRemoval = z.object({ space: VectorSpace, sha256s: z.array(Sha256).min(1).max(5_000) });
/** `POST /sync/vectors/drop-others`: every space but this one. */
export const VectorDrop = z.object({ space: VectorSpace });

/** Embeddings of words, made ahead or kept: `PUT /sync/query-embeddings`. */
export const QueryEmbeddings = z.object({ space: VectorSpace, items: z.array(z.object({ text: z.string().min(1).max(300), vector: z.string().max(30_000) })).max(200) });
export type QueryEmbeddings = z.infer<typeof QueryEmbeddings>;

/** `GET /sync/vocabulary?space=`: names of the library (places, albums, people) whose embedding is not kept yet. */
export const Vocabulary = z.object({ texts: z.array(z.string().max(300)).max(2_000) });

/** How a query's text is looked up and embedded: one spelling of it. */
export function queryTextKey(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim().slice(0, 300);
}
