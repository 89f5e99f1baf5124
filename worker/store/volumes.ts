// Volumes: what the agent says of them, and the owner's words, which no sync writes.
import { asc } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { VolumeRow } from '../../protocol/rows.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';
import { volumes } from '../db/schema.ts';

const UPSERT = bulkUpsertSql({
  table: 'volumes',
  columns: ['volume_id', 'revision', 'agent_id', 'identity', 'label', 'fs_type', 'capacity_bytes', 'free_bytes', 'read_only', 'first_seen_ms', 'last_seen_ms'],
  key: ['volume_id'], keep: ['first_seen_ms'], when: 'excluded.revision > volumes.revision',
});

export type Volume = typeof volumes.$inferSelect;

export function upsertVolumes(db: D1Database, agentId: string, rows: readonly VolumeRow[], nowMs: number): D1PreparedStatement {
  return db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [
    r.volume_id, r.revision, agentId, r.identity, cleanText(r.label), cleanText(r.fs_type), r.capacity_bytes, r.free_bytes, r.read_only, nowMs, nowMs,
  ])));
}

/** All volumes ever seen, by id; a person has tens. */
export async function listVolumes(db: D1Database): Promise<Volume[]> {
  return drizzle(db).select().from(volumes).orderBy(asc(volumes.volume_id));
}

/** The name that people know a volume by. */
export function volumeName(volume: Pick<Volume, 'label' | 'owner_label'>): string {
  return volume.owner_label ?? volume.label;
}
