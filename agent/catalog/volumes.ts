// Volumes that were ever indexed, connected or not.
import type { VolumeIdentity } from '../../protocol/words.ts';
import type { Catalog } from './catalog.ts';

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
 * old locations are told to the Worker as moved from, so that no copy counts twice.
 */
export function adoptVolume(catalog: Catalog, oldId: string, next: KnownVolume, atMs: number, pathsPerCall: number): void {
  if (oldId === next.volume_id) return;
  catalog.transact(() => {
    putVolume(catalog, next);
    const paths = catalog.prepare("SELECT CASE WHEN dir = '' THEN name ELSE dir || '/' || name END AS path FROM files WHERE volume_id = ? AND sha256 IS NOT NULL AND pushed_revision > 0 ORDER BY dir, name").all(oldId).map((r) => r['path'] as string);
    const scanId = `adopt-${oldId}`;
    for (let at = 0; at < paths.length; at += pathsPerCall) {
      const body = { agent_id: catalog.agentId, volume_id: oldId, at_ms: atMs, missing: [], moved_from: paths.slice(at, at + pathsPerCall) };
      catalog.prepare('INSERT INTO completions (scan_id, body) VALUES (?, ?)').run(scanId, JSON.stringify(body));
    }
    const revision = catalog.nextRevision();
    const fsId = next.volume_id.slice(0, 60);
    catalog.prepare('UPDATE OR REPLACE files SET volume_id = ?, fs_id = CASE WHEN fs_id IS NULL THEN NULL ELSE ? END, revision = ?, pushed_revision = 0 WHERE volume_id = ?').run(next.volume_id, fsId, revision, oldId);
    catalog.prepare('UPDATE roots SET volume_id = ?, revision = ? WHERE volume_id = ?').run(next.volume_id, catalog.nextRevision(), oldId);
    catalog.prepare('UPDATE OR REPLACE problems SET volume_id = ?, revision = ?, pushed_revision = 0 WHERE volume_id = ?').run(next.volume_id, catalog.nextRevision(), oldId);
    catalog.prepare(`INSERT INTO problems (volume_id, path, code, reason, stage, at_ms, solved, revision) SELECT ?1, path, code, reason, stage, at_ms, 1, ?2 FROM problems WHERE volume_id = ?3 AND solved = 0`).run(oldId, catalog.nextRevision(), next.volume_id);
    catalog.prepare('UPDATE scans SET volume_id = ? WHERE volume_id = ?').run(next.volume_id, oldId);
    // The Worker takes what moved from a completed scan alone: the old identity's last one, which looked at nothing.
    const counts = JSON.stringify({ seen: 0, indexed: 0, changed: 0, moved: 0, unchanged: 0, duplicate: 0, sidecar: 0, ignored: 0, failed: 0 });
    catalog.prepare(`INSERT OR REPLACE INTO scans (scan_id, volume_id, root_id, state, started_ms, ended_ms, counts, vanished, reason, vanished_paths, revision, pushed_revision)
      VALUES (?1, ?2, '', 'completed', ?3, ?3, ?4, 0, 'The drive is known by its marker file now.', NULL, ?5, 0)`).run(scanId, oldId, atMs, counts, catalog.nextRevision());
    catalog.prepare('DELETE FROM volumes WHERE volume_id = ?').run(oldId);
  });
}
