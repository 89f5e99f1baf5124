// Names of renditions, in R2 and in URLs. Immutable: hash, name and render version are all in the key (promise 5).
import type { RenditionName, Sha256 } from './words.ts';

export interface RenditionId { sha256: Sha256; name: RenditionName; version: number }

/** R2 key, `{first two digits}/{sha256}/{name}.{version}.webp`. */
export function renditionKey(id: RenditionId): string {
  return `${id.sha256.slice(0, 2)}/${id.sha256}/${id.name}.${id.version}.webp`;
}

/** The path of its page address, immutable and private. */
export function renditionUrl(id: RenditionId): string {
  return `/r/${id.sha256}/${id.name}.${id.version}.webp`;
}

const KEY = /^([0-9a-f]{2})\/(\1[0-9a-f]{62})\/(grid|preview)\.([1-9][0-9]{0,5})\.webp$/;

/** The id a key spells, or undefined where it is no key of ours. */
export function parseRenditionKey(key: string): RenditionId | undefined {
  const m = KEY.exec(key);
  if (!m) return undefined;
  return { sha256: m[2] as string, name: m[3] as RenditionName, version: Number(m[4]) };
}
