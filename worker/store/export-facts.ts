// What an export says of assets (protocol/orders.ts): the resolver's answer, in one question for many. Reads only.
import * as z from 'zod';
import type { ExportFacts } from '../../protocol/orders.ts';

export const EXPORT_FACTS_SQL = `SELECT t.sha256, t.taken_at, t.taken_at_source, t.utc_offset_minutes, t.latitude, t.longitude, t.description, t.favourite, t.rating, t.tags, t.people, t.albums, a.camera,
  (SELECT l.path FROM locations l WHERE l.sha256 = t.sha256 ORDER BY l.missing_since_ms IS NOT NULL, l.volume_id, l.path LIMIT 1) AS path
  FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value CROSS JOIN timeline_items t ON t.asset_id = a.asset_id ORDER BY j.key`;

type Item = ExportFacts['items'][number];
type Row = Omit<Item, 'favourite' | 'tags' | 'people' | 'albums' | 'name'> & { favourite: number; tags: string; people: string; albums: string; path: string | null };

/** In the order of `sha256s`; those that the library does not show are left out. */
export async function readExportFacts(db: D1Database, sha256s: readonly string[]): Promise<ExportFacts> {
  const { results } = await db.prepare(EXPORT_FACTS_SQL).bind(JSON.stringify([...new Set(sha256s)])).all<Row>();
  return { items: results.map(({ path, ...row }) => ({ ...row, favourite: row.favourite === 1, tags: names(row.tags), people: names(row.people), albums: names(row.albums), name: path === null ? null : path.slice(path.lastIndexOf('/') + 1) })) };
}

const Names = z.array(z.string());

function names(json: string): string[] { return Names.parse(JSON.parse(json)); }
