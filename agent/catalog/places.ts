// Names of places by cell, kept for good: nobody is asked twice. A row waits to be pushed like every other.
import type { PlaceRow } from '../../protocol/rows.ts';
import type { Catalog } from './catalog.ts';

export type KeptPlace = Omit<PlaceRow, 'revision'>;

/** What is kept of a cell with at least this rank. */
export function readPlace(catalog: Catalog, cell: string, rank: number): KeptPlace | undefined {
  const row = catalog.prepare('SELECT rank, said FROM places WHERE cell = ?1 AND rank >= ?2').get(cell, rank);
  return row ? { ...(JSON.parse(String(row['said'])) as Omit<KeptPlace, 'cell' | 'rank'>), cell, rank: Number(row['rank']) } : undefined;
}

/** Keeps an answer unless a better one is there, and has what is kept pushed, again where the Worker lost it. In a transaction of its own or the caller's. */
export function keepPlace(catalog: Catalog, { cell, rank, ...said }: KeptPlace): void {
  catalog.transact(() => {
    const { street, neighbourhood, city, region, country, country_code, distance_m, zone, source } = said;
    catalog.prepare('INSERT INTO places (cell, rank, said, revision) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (cell) DO UPDATE SET rank = excluded.rank, said = excluded.said WHERE excluded.rank >= places.rank')
      .run(cell, rank, JSON.stringify({ source, street, neighbourhood, city, region, country, country_code, distance_m, zone }), 0);
    catalog.prepare('UPDATE places SET revision = ?2 WHERE cell = ?1').run(cell, catalog.nextRevision());
  });
}

/** Whether names wait to be pushed. */
export function hasPlacesToPush(catalog: Catalog): boolean {
  return catalog.prepare('SELECT 1 FROM places INDEXED BY places_to_push WHERE revision > pushed_revision LIMIT 1').get() !== undefined;
}
