// The time zone at a position, offline. Owns the one lazily loaded table.

let lookup: ((latitude: number, longitude: number) => string) | undefined;

/** IANA zone at a position, or null where the table knows none. The first call loads the table. */
export async function zoneAt(latitude: number, longitude: number): Promise<string | null> {
  if (!lookup) {
    const loaded: unknown = (await import('@photostructure/tz-lookup')).default;
    lookup = loaded as (latitude: number, longitude: number) => string;
  }
  try { return lookup(latitude, longitude) || null; } catch { return null; }
}
