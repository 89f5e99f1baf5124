// Addresses of what pages link to. Names of places are hostile text: each becomes one segment that nothing can escape from.

/** The viewer; `inside` is the address of the grid that it steps in, none for the timeline. */
export function assetAddress(sha256: string, inside?: string | undefined, part = ''): string {
  return `/a/${sha256}${part}${inside ? `?in=${encodeURIComponent(inside)}` : ''}`;
}

export function albumAddress(albumId: number): string {
  return `/albums/${albumId}`;
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

/** The name that a decoded segment stands for. */
export function readPlaceSegment(segment: string): string | null {
  if (segment === '~') return null;
  return segment.startsWith('~~') ? segment.slice(2) : segment;
}
