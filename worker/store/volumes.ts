// Writes what the agent says of volumes. The owner's words about them are store/drives.ts's; a sync never changes them,
// but hands them on once: to the first row of a volume that replaces another, or of which an imported file spoke before.
import type { VolumeRow } from '../../protocol/rows.ts';
import { bulkUpsertSql, cleanText } from '../db/bulk.ts';

const REPLACES_AT = 11;
function wordOfReplaced(column: 'owner_label' | 'note'): string {
  return `coalesce((SELECT o.${column} FROM volumes o WHERE o.volume_id = value->>${REPLACES_AT}), (SELECT w.${column} FROM volume_words w WHERE w.volume_id = value->>0))`;
}

const UPSERT = bulkUpsertSql({
  table: 'volumes',
  columns: ['volume_id', 'revision', 'agent_id', 'identity', 'label', 'fs_type', 'capacity_bytes', 'free_bytes', 'read_only', 'first_seen_ms', 'last_seen_ms', 'replaces', 'owner_label', 'note'],
  key: ['volume_id'], assign: { forgotten_at_ms: 'NULL' }, keep: ['first_seen_ms', 'replaces', 'owner_label', 'note'],
  select: { owner_label: wordOfReplaced('owner_label'), note: wordOfReplaced('note') }, when: 'excluded.revision > volumes.revision',
});

export function upsertVolumes(db: D1Database, agentId: string, rows: readonly VolumeRow[], nowMs: number): D1PreparedStatement {
  return db.prepare(UPSERT).bind(JSON.stringify(rows.map((r) => [
    r.volume_id, r.revision, agentId, r.identity, cleanText(r.label), cleanText(r.fs_type), r.capacity_bytes, r.free_bytes, r.read_only, nowMs, nowMs, r.replaces ?? null,
  ])));
}

/**
 * Takes away the rows that were replaced once nothing lies on them any more, no folder and no file, not even a missing
 * one. What is done is forgotten, so that another volume may have that weak id later.
 */
export function retireReplaced(db: D1Database): D1PreparedStatement[] {
  return [
    db.prepare(`DELETE FROM volumes WHERE volume_id IN (SELECT n.replaces FROM volumes n WHERE n.replaces IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.volume_id = volumes.volume_id) AND NOT EXISTS (SELECT 1 FROM roots r WHERE r.volume_id = volumes.volume_id AND r.removed = 0)`),
    db.prepare('UPDATE volumes SET replaces = NULL WHERE replaces IS NOT NULL AND replaces NOT IN (SELECT volume_id FROM volumes)'),
  ];
}
