// The owner's settings, a handful of keys. Changing the home zone resolves again what was guessed from it.
import * as z from 'zod';
import { drizzle } from 'drizzle-orm/d1';
import { offsetAtUtc } from '../../protocol/time.ts';
import { settings } from '../db/schema.ts';
import { markUnresolved, resolveMarked } from './timeline-items.ts';

/** Whether the runtime knows this IANA zone. */
export function isZone(zone: string): boolean {
  return offsetAtUtc(zone, 0) !== undefined;
}

/** The zones that this runtime knows, with the present one among them in any case; empty where it cannot list them. */
export function listZones(present: string): string[] {
  try {
    const zones = new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', present]);
    return zones.size > 3 ? [...zones].sort() : [];
  } catch { return []; }
}

export const Settings = z.object({
  /** IANA zone for moments in UTC whose place is unknown; taken from the first agent's machine until the owner sets it. */
  home_zone: z.string().max(60).refine(isZone, 'is not a known time zone').nullable(),
});
export type Settings = z.infer<typeof Settings>;
export const SettingsPatch = z.object({ home_zone: z.string().max(60).refine(isZone, 'is not a known time zone') }).partial().strict();
export type SettingsPatch = z.infer<typeof SettingsPatch>;

/** Assets resolved again in one go after the home zone changed. */
const RESOLVE_CHUNK = 4_000;
export const HOME_ITEMS_SQL = "SELECT asset_id, sha256 FROM timeline_items WHERE asset_id > ?1 AND utc_offset_source = 'home' ORDER BY asset_id LIMIT ?2";

export async function readSettings(db: D1Database): Promise<Settings> {
  const rows = await drizzle(db).select().from(settings);
  return { home_zone: rows.find((r) => r.key === 'home_zone')?.value ?? null };
}

/** When the owner chose the home zone; there is none while it is the first agent's. */
export const HOME_ZONE_CHOSEN = 'home_zone_chosen_ms';

/**
 * Writes what the patch names. Returns whether pages show something else now. Safe to repeat after a crash. `chosenMs`: when
 * the owner chose so, null where nobody did.
 */
export async function writeSettings(db: D1Database, patch: SettingsPatch, nowMs: number, chosenMs: number | null = nowMs): Promise<boolean> {
  if (patch.home_zone === undefined) return false;
  const put = (key: string, value: string) => drizzle(db).insert(settings).values({ key, value }).onConflictDoUpdate({ target: settings.key, set: { value } });
  await drizzle(db).batch([put('home_zone', patch.home_zone), ...(chosenMs === null ? [] : [put(HOME_ZONE_CHOSEN, String(chosenMs))])]);
  let changed = false;
  for (let after = 0; ;) {
    const { results } = await db.prepare(HOME_ITEMS_SQL).bind(after, RESOLVE_CHUNK).all<{ asset_id: number; sha256: string }>();
    const last = results.at(-1);
    if (!last) return changed;
    await markUnresolved(db, results.map((r) => r.sha256)).run();
    changed = (await resolveMarked(db, nowMs)) || changed;
    after = last.asset_id;
  }
}

/** The first agent's zone becomes the library's: a laptop that travels must not shift the timeline. */
export function adoptHomeZone(db: D1Database, zone: string): D1PreparedStatement {
  return db.prepare("INSERT INTO settings (key, value) VALUES ('home_zone', ?1) ON CONFLICT (key) DO NOTHING").bind(zone);
}
