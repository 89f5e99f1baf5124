// Where the map takes tiles from: nowhere, which is the default, or a server that the owner has chosen.
import { drizzle } from 'drizzle-orm/d1';
import { eq } from 'drizzle-orm';
import { checkTileUrl } from '../../protocol/tile-url.ts';
import { settings } from '../db/schema.ts';

const KEY = 'map_tiles';

/** The template of the tiles' addresses, or null while there are none. What is no template any more counts as none. */
export async function readTiles(db: D1Database): Promise<string | null> {
  const row = await drizzle(db).select().from(settings).where(eq(settings.key, KEY)).get();
  try { return row ? checkTileUrl(row.value) : null; } catch { return null; }
}

/** Null takes them away. The template must have been checked. */
export async function writeTiles(db: D1Database, template: string | null): Promise<void> {
  if (template === null) await drizzle(db).delete(settings).where(eq(settings.key, KEY));
  else await drizzle(db).insert(settings).values({ key: KEY, value: template }).onConflictDoUpdate({ target: settings.key, set: { value: template } });
}
