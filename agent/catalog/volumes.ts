// Volumes that were ever indexed, connected or not.
import { randomUUID } from 'node:crypto';
import type { VolumeIdentity } from '../../protocol/words.ts';
import type { Catalog } from './catalog.ts';
import { moveRelated } from './relations.ts';
import { queueCompletion } from './scans.ts';

export interface KnownVolume {
  volume_id: string; identity: VolumeIdentity; label: string; fs_type: string;
  capacity_bytes: number | null; free_bytes: number | null; read_only: boolean; mount_point: string;
}

/** Free space is told anew only when it moved by this share of the volume: each telling is a row written in D1. */
const FREE_SHARE = 0.01;

/** Remembers what is seen of a connected volume. A row is due to be pushed only where something worth telling changed. */
export function putVolume(catalog: Catalog, v: KnownVolume): void {
  const old = getVolume(catalog, v.volume_id);
  const freeMoved = Math.abs((old?.free_bytes ?? -1) - (v.free_bytes ?? -1)) > (v.capacity_bytes ?? 0) * FREE_SHARE;
  const same = old && old.identity === v.identity && old.label === v.label && old.fs_type === v.fs_type && old.capacity_bytes === v.capacity_bytes && old.read_only === v.read_only && !freeMoved;
  if (same && old.mount_point === v.mount_point) return;
  catalog.transact(() => {
    if (same) { catalog.prepare('UPDATE volumes SET last_mount_point = ? WHERE volume_id = ?').run(v.mount_point, v.volume_id); return; }
    catalog.prepare(`INSERT INTO volumes (volume_id, identity, label, fs_type, capacity_bytes, free_bytes, read_only, last_mount_point, revision)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (volume_id) DO UPDATE SET identity = excluded.identity, label = excluded.label, fs_type = excluded.fs_type,
      capacity_bytes = excluded.capacity_bytes, free_bytes = excluded.free_bytes, read_only = excluded.read_only, last_mount_point = excluded.last_mount_point, revision = excluded.revision`)
      .run(v.volume_id, v.identity, v.label, v.fs_type, v.capacity_bytes, v.free_bytes, Number(v.read_only), v.mount_point, catalog.nextRevision());
  });
}

export function getVolume(catalog: Catalog, volumeId: string): KnownVolume | undefined {
  const row = catalog.prepare('SELECT * FROM volumes WHERE volume_id = ?').get(volumeId);
  return row ? toVolume(row) : undefined;
}

export function listVolumes(catalog: Catalog): KnownVolume[] {
  return catalog.prepare('SELECT * FROM volumes ORDER BY volume_id').all().map(toVolume);
}

function toVolume(row: Record<string, unknown>): KnownVolume {
  return {
    volume_id: row['volume_id'] as string, identity: row['identity'] as VolumeIdentity, label: row['label'] as string, fs_type: row['fs_type'] as string,
    capacity_bytes: row['capacity_bytes'] as number | null, free_bytes: row['free_bytes'] as number | null, read_only: row['read_only'] === 1, mount_point: row['last_mount_point'] as string,
  };
}

/**
 * A weak volume got a marker: everything known under its old id is known under the new one, and is pushed again. The
 * old locations are told to the Worker as moved from, so that no copy counts twice, and what was missing as missing.
 */
export function adoptVolume(catalog: Catalog, oldId: string, next: KnownVolume, atMs: number, pathsPerCall: number): void {
  if (oldId === next.volume_id) return;
  catalog.transact(() => {
    putVolume(catalog, next);
    // The Worker hands on the owner's label and note.
    catalog.prepare('UPDATE volumes SET replaces = ?, revision = ? WHERE volume_id = ?').run(oldId, catalog.nextRevision(), next.volume_id);
    // Those too that were never acknowledged: a batch with them may be on its way.
    const paths = (where: string) => catalog.prepare(`SELECT CASE WHEN dir = '' THEN name ELSE dir || '/' || name END AS path FROM files WHERE volume_id = ? AND sha256 IS NOT NULL ${where} ORDER BY dir, name`).all(oldId).map((r) => String(r['path']));
    tellPaths(catalog, oldId, { missing: [], moved_from: paths('') }, ADOPTED, atMs, pathsPerCall);
    // A pushed row ends being missing, so it is said again.
    tellPaths(catalog, next.volume_id, { missing: paths('AND missing_since_ms IS NOT NULL'), moved_from: [] }, ADOPTED, atMs, pathsPerCall);
    const revision = catalog.nextRevision();
    const fsId = next.volume_id.slice(0, 60);
    catalog.prepare('UPDATE OR REPLACE files SET volume_id = ?, fs_id = CASE WHEN fs_id IS NULL THEN NULL ELSE ? END, revision = ?, pushed_revision = 0 WHERE volume_id = ?').run(next.volume_id, fsId, revision, oldId);
    moveRelated(catalog, oldId, next.volume_id);
    catalog.prepare('UPDATE roots SET volume_id = ?, revision = ? WHERE volume_id = ?').run(next.volume_id, catalog.nextRevision(), oldId);
    catalog.prepare('UPDATE OR REPLACE problems SET volume_id = ?, revision = ?, pushed_revision = 0 WHERE volume_id = ?').run(next.volume_id, catalog.nextRevision(), oldId);
    catalog.prepare(`INSERT INTO problems (volume_id, path, code, reason, stage, at_ms, solved, revision) SELECT ?1, path, code, reason, stage, at_ms, 1, ?2 FROM problems WHERE volume_id = ?3 AND solved = 0`).run(oldId, catalog.nextRevision(), next.volume_id);
    catalog.prepare('UPDATE trash SET volume_id = ? WHERE volume_id = ?').run(next.volume_id, oldId);
    catalog.prepare('UPDATE order_steps SET volume_id = ? WHERE volume_id = ? AND outcome IS NULL').run(next.volume_id, oldId);
    catalog.prepare("UPDATE orders SET target = json_set(target, '$.volume_id', ?) WHERE target ->> '$.volume_id' = ? AND ended_ms IS NULL").run(next.volume_id, oldId);
    // A completion that still waits names the old id, and so must its scan.
    catalog.prepare('UPDATE scans SET volume_id = ? WHERE volume_id = ? AND scan_id NOT IN (SELECT scan_id FROM completions)').run(next.volume_id, oldId);
    catalog.prepare('DELETE FROM volumes WHERE volume_id = ?').run(oldId);
  });
}

const ADOPTED = 'The drive is known by its marker file now.';

/**
 * The owner lets a drive go: its folders are read no more, and nothing on it counts as a copy. What is known of its photos
 * stays, here and in the Worker, and nothing on the drive is touched; a folder that is added again brings all of it back.
 */
export function forgetVolume(catalog: Catalog, volumeId: string, atMs: number, pathsPerCall: number): void {
  catalog.transact(() => {
    catalog.prepare('UPDATE roots SET removed = 1, revision = ? WHERE volume_id = ? AND removed = 0').run(catalog.nextRevision(), volumeId);
    const missing = catalog.prepare(`SELECT CASE WHEN dir = '' THEN name ELSE dir || '/' || name END AS path FROM files WHERE volume_id = ? AND seen_as = 'asset' AND missing_since_ms IS NULL ORDER BY dir, name`).all(volumeId).map((r) => String(r['path']));
    tellPaths(catalog, volumeId, { missing, moved_from: [] }, 'The drive was forgotten.', atMs, pathsPerCall);
    catalog.prepare("INSERT OR IGNORE INTO folders_to_relate (volume_id, dir) SELECT DISTINCT volume_id, dir FROM files WHERE volume_id = ? AND missing_since_ms IS NULL").run(volumeId);
    catalog.prepare("UPDATE files SET missing_since_ms = ? WHERE volume_id = ? AND seen_as = 'asset' AND missing_since_ms IS NULL").run(atMs, volumeId);
    for (const scan of catalog.prepare("SELECT scan_id FROM scans WHERE volume_id = ? AND state = 'question'").all(volumeId)) {
      catalog.prepare("UPDATE scans SET state = 'stopped', reason = 'The drive was forgotten.', vanished_paths = NULL, revision = ? WHERE scan_id = ?").run(catalog.nextRevision(), String(scan['scan_id']));
    }
    // Seen again, it is told anew, and so known again.
    catalog.prepare('DELETE FROM volumes WHERE volume_id = ?').run(volumeId);
  });
}

/** Queues what became of paths. The Worker takes that from a completed scan alone: one that looked at nothing. */
function tellPaths(catalog: Catalog, volumeId: string, paths: { missing: string[]; moved_from: string[] }, reason: string, atMs: number, pathsPerCall: number): void {
  if (paths.missing.length === 0 && paths.moved_from.length === 0) return;
  const scanId = `told-${randomUUID()}`;
  const counts = JSON.stringify({ seen: 0, indexed: 0, changed: 0, moved: 0, unchanged: 0, duplicate: 0, sidecar: 0, ignored: 0, failed: 0 });
  queueCompletion(catalog, scanId, { agent_id: catalog.agentId, volume_id: volumeId, at_ms: atMs, ...paths }, pathsPerCall);
  catalog.prepare(`INSERT INTO scans (scan_id, volume_id, root_id, state, started_ms, ended_ms, counts, vanished, reason, vanished_paths, revision)
    VALUES (?1, ?2, '', 'completed', ?3, ?3, ?4, 0, ?6, NULL, ?5)`).run(scanId, volumeId, atMs, counts, catalog.nextRevision(), reason);
}
