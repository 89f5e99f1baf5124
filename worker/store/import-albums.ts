// Albums that an export brought, as the resolver finds them: membership follows the assets, the owner's own stays apart.
import type { AlbumImport } from '../../protocol/rows.ts';
import { STILL } from './item-columns.ts';
import { DUE_ALBUMS_SQL } from './search-due.ts';

// A title is kept from the first that named it, and the least of several that come at once, so it does not depend on who came first in a batch.
const ADD_ALBUMS = `INSERT INTO albums (import_key, title) SELECT value->>0, min(value->>1) FROM json_each(?1) WHERE ${STILL} GROUP BY value->>0
ON CONFLICT (import_key) DO UPDATE SET title = min(albums.title, excluded.title) WHERE min(albums.title, excluded.title) IS NOT albums.title`;
// Before the title changes: whose documents hold it.
const DUE = DUE_ALBUMS_SQL(STILL);
const DROP_MEMBERS = `DELETE FROM album_assets WHERE layer = 'import' AND sha256 IN (SELECT value FROM json_each(?1)) AND ${STILL}`;
const ADD_MEMBERS = `INSERT INTO album_assets (album_id, sha256, layer) SELECT a.album_id, value->>1, 'import' FROM json_each(?1) j CROSS JOIN albums a ON a.import_key = j.value->>0
WHERE ${STILL} ON CONFLICT DO NOTHING`;

/** Statements that give each of these hashes exactly these imported albums, while what was read is still all there is. */
export function importAlbums(db: D1Database, albums: ReadonlyMap<string, readonly AlbumImport[]>, tokens: string): D1PreparedStatement[] {
  if (albums.size === 0) return [];
  const named = [...albums.values()].flat();
  const statements = [db.prepare(DROP_MEMBERS).bind(JSON.stringify([...albums.keys()]), tokens)];
  if (named.length === 0) return statements;
  const members = [...albums].flatMap(([sha256, list]) => list.map((a) => [a.key, sha256]));
  const titles = JSON.stringify(named.map((a) => [a.key, a.title]));
  return [
    db.prepare(DUE).bind(titles, tokens), db.prepare(ADD_ALBUMS).bind(titles, tokens), ...statements,
    db.prepare(ADD_MEMBERS).bind(JSON.stringify(members), tokens),
  ];
}
