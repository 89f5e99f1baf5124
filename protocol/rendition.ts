// Names of renditions and proxies, in R2 and in URLs. Immutable: hash, name and render version are all in the key (promise 5).
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

/** The small MP4 of a video, or of the video inside a motion photo. */
export interface ProxyId { sha256: Sha256; version: number }

/** R2 key, beside the renditions of the same asset: `{first two digits}/{sha256}/proxy.{version}.mp4`. */
export function proxyKey(id: ProxyId): string {
  return `${id.sha256.slice(0, 2)}/${id.sha256}/proxy.${id.version}.mp4`;
}

/** The path of its page address. Immutable like a rendition's, and answered in ranges. */
export function proxyUrl(id: ProxyId): string {
  return `/r/${id.sha256}/proxy.${id.version}.mp4`;
}

const PROXY_KEY = /^([0-9a-f]{2})\/(\1[0-9a-f]{62})\/proxy\.([1-9][0-9]{0,5})\.mp4$/;

/** The id that a proxy's key spells, or undefined where it is none. */
export function parseProxyKey(key: string): ProxyId | undefined {
  const m = PROXY_KEY.exec(key);
  return m ? { sha256: m[2] as string, version: Number(m[3]) } : undefined;
}
