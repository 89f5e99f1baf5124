// Names of places by cell. The resolver leaves a stub (rank 0) for each cell that something lies in, the agent names them,
// and a better answer replaces a lesser one.
import { cellCentre } from '../../protocol/place.ts';
import type { PlaceRow, WantedPlace } from '../../protocol/rows.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';

// A tie goes to the newer word only where it says something else.
const UPSERT = bulkUpsertSql({
  table: 'places', columns: ['cell', 'rank', 'source', 'street', 'neighbourhood', 'city', 'region', 'country', 'country_code', 'distance_m', 'zone'], key: ['cell'],
  when: 'excluded.rank >= places.rank',
});
export const WANTED_SQL = 'SELECT cell FROM places INDEXED BY places_by_rank WHERE rank < ?1 ORDER BY rank LIMIT ?2';
// Only an owner's position takes its zone from here; a file's and a sidecar's come with theirs.
export const WAITING_FOR_ZONE_SQL = "SELECT c.sha256 FROM json_each(?1) j CROSS JOIN curation c INDEXED BY curation_by_cell ON c.cell = j.value";

export function upsertPlaces(db: D1Database, rows: readonly PlaceRow[]): D1PreparedStatement {
  return db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [
    r.cell, r.rank, r.source, cleanText(r.street), cleanText(r.neighbourhood), cleanText(r.city), cleanText(r.region), cleanText(r.country), r.country_code, r.distance_m, r.zone,
  ])));
}

/** Hashes whose corrected position lies in one of these cells. */
export function selectWaitingForZone(db: D1Database, rows: readonly PlaceRow[]): D1PreparedStatement {
  return db.prepare(WAITING_FOR_ZONE_SQL).bind(JSON.stringify(rows.map((r) => r.cell)));
}

/** Cells whose names are below `rank`, at most `limit`, with their centres in degrees. */
export async function listWantedPlaces(db: D1Database, rank: number, limit: number): Promise<WantedPlace[]> {
  const { results } = await db.prepare(WANTED_SQL).bind(rank, limit).all<{ cell: string }>();
  return results.flatMap(({ cell }) => { const centre = cellCentre(cell); return centre ? [{ cell, ...centre }] : []; });
}
