// Writes what the agent says of volumes. The owner's words about them are store/drives.ts's; no sync touches those.
import type { VolumeRow } from '../../protocol/rows.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';

const UPSERT = bulkUpsertSql({
  table: 'volumes',
  columns: ['volume_id', 'revision', 'agent_id', 'identity', 'label', 'fs_type', 'capacity_bytes', 'free_bytes', 'read_only', 'first_seen_ms', 'last_seen_ms'],
  key: ['volume_id'], keep: ['first_seen_ms'], when: 'excluded.revision > volumes.revision',
});

export function upsertVolumes(db: D1Database, agentId: string, rows: readonly VolumeRow[], nowMs: number): D1PreparedStatement {
  return db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [
    r.volume_id, r.revision, agentId, r.identity, cleanText(r.label), cleanText(r.fs_type), r.capacity_bytes, r.free_bytes, r.read_only, nowMs, nowMs,
  ])));
}
