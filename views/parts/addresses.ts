// Addresses of what pages link to. Names of places are hostile text: each becomes one segment that nothing can escape from.
import { boxText, type Box, type Position } from '../../protocol/map.ts';
import type { SearchSort } from '../../protocol/search.ts';
import type { AlbumSort } from '../../protocol/words.ts';

/** The viewer; `inside` is the address of the grid that it steps in, none for the timeline; `rank` where in a search it stands. */
export function assetAddress(sha256: string, inside?: string | undefined, part = '', rank?: number): string {
  return `/a/${sha256}${part}${inside ? `?in=${encodeURIComponent(inside)}${rank === undefined ? '' : `&at=${rank}`}` : ''}`;
}

/** The file itself, from its drive. */
export function originalAddress(sha256: string): string { return `/originals/${sha256}`; }

/** A search: all of it is in its address, and what is as usual is left out. */
export function searchAddress(q: string, more: { sort?: SearchSort; weaker?: boolean } = {}): string {
  return withQuery('/search', { ...(q === '' ? {} : { q }), ...(more.sort === undefined || more.sort === 'relevance' ? {} : { sort: more.sort }), ...(more.weaker ? { weaker: 1 } : {}) });
}

/** Where the originals of what a search finds lie. */
export function foundOriginalsAddress(q: string, weaker = false): string {
  return withQuery('/search/originals', { q, ...(weaker ? { weaker: 1 } : {}) });
}

export function similarAddress(sha256: string): string {
  return `/similar/${sha256}`;
}

/** An address with further parameters; half a character, which a cut may leave, has no address. */
export function withQuery(address: string, more: Record<string, string | number>): string {
  const pairs = Object.entries(more).map(([key, value]) => `${key}=${encodeURIComponent(String(value).toWellFormed())}`).join('&');
  return pairs === '' ? address : `${address}${address.includes('?') ? '&' : '?'}${pairs}`;
}

/** An album in its order; the oldest first is the plain one. */
export function albumAddress(albumId: number, sort: AlbumSort = 'oldest'): string {
  return `/albums/${albumId}${sort === 'oldest' ? '' : `/${sort}`}`;
}

export function tagAddress(tag: string): string {
  return `/tags/${placeSegment(tag)}`;
}

/** A folder of a volume; '' is its top. */
export function folderAddress(volumeId: string, path: string): string {
  return `/volumes/${placeSegment(volumeId)}/folders${path.split('/').filter((name) => name !== '').map((name) => `/${placeSegment(name)}`).join('')}`;
}

/** Originals by how safely they are kept; `one` of a drive: those that lie there alone. */
export type CopyList = 'one' | 'together' | 'nowhere' | 'unverified' | 'damaged';
export function copiesAddress(list: CopyList, volumeId?: string): string {
  return `/copies/${list}${volumeId === undefined ? '' : `/${placeSegment(volumeId)}`}`;
}

/** `/places`, `/places/IT`, `/places/IT/Liguria/Levanto`. */
export function placeAddress(...names: (string | null)[]): string {
  return `/places${names.map((name) => `/${placeSegment(name)}`).join('')}`;
}

// `~` alone is no name, and before a name it guards those that an address would swallow (`.`, `..`) or that begin with it.
function placeSegment(name: string | null): string {
  if (name === null) return '~';
  return encodeURIComponent(/^(?:~.*|\.{1,2}|)$/su.test(name) ? `~~${name}` : name);
}

export const BOX_PATH = '/map/box/';

/** The grid of a part of the map: `/map/box/9.5,44,9.8,44.3`. */
export function boxAddress(box: Box): string {
  return `${BOX_PATH}${boxText(box)}`;
}

/** The map with a position in its middle. */
export function mapAddress({ latitude, longitude }: Position, zoom: number): string {
  return `/map?at=${latitude.toFixed(5)},${longitude.toFixed(5)},${zoom}`;
}

/** The name that a decoded segment stands for. */
export function readPlaceSegment(segment: string): string | null {
  if (segment === '~') return null;
  return segment.startsWith('~~') ? segment.slice(2) : segment;
}
