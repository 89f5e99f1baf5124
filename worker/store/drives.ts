// Drives and the folders on them, as pages show them, and the owner's own words about a drive.
import * as z from 'zod';
import { VolumeIdentity } from '../../protocol/words.ts';

const Drive = z.object({
  volume_id: z.string(), identity: VolumeIdentity, label: z.string(), fs_type: z.string(), capacity_bytes: z.number().nullable(), free_bytes: z.number().nullable(),
  read_only: z.int(), owner_label: z.string().nullable(), note: z.string().nullable(), last_seen_ms: z.number(),
});
export type Drive = z.infer<typeof Drive>;

const Folder = z.object({
  root_id: z.string(), volume_id: z.string(), path: z.string(), label: z.string(), removed: z.int(),
  excludes: z.string().transform((text): string[] => { try { return z.array(z.string()).parse(JSON.parse(text)); } catch { return []; } }),
});
export type Folder = z.infer<typeof Folder>;
export interface DriveName { volume_id: string; label: string }

const DRIVE_COLUMNS = 'volume_id, identity, label, fs_type, capacity_bytes, free_bytes, read_only, owner_label, note, last_seen_ms';
const FOLDER_COLUMNS = 'r.root_id, r.volume_id, r.path, r.removed, r.excludes, coalesce(v.owner_label, v.label, r.volume_id) AS label';
export const DRIVE_SQL = `SELECT ${DRIVE_COLUMNS} FROM volumes WHERE volume_id = ?1`;
export const FOLDER_SQL = `SELECT ${FOLDER_COLUMNS} FROM roots r LEFT JOIN volumes v ON v.volume_id = r.volume_id WHERE r.root_id = ?1`;
/** Files that are known to be on a drive; missing ones are not. Walks that drive's part of the primary key. */
export const COUNT_SQL = 'SELECT count(*) AS n FROM locations WHERE volume_id = ?1 AND missing_since_ms IS NULL';
/** Longest label and note that an owner may write. */
export const MAX_LABEL_LENGTH = 80;
export const MAX_NOTE_LENGTH = 300;

/** All drives that hold a folder or a file we know; there are tens of them, never thousands. `forgotten`: those too that the owner let go. */
export async function listDrives(db: D1Database, forgotten = false): Promise<Drive[]> {
  const rows = await db.prepare(`SELECT ${DRIVE_COLUMNS} FROM volumes v
    WHERE ${forgotten ? '' : 'v.forgotten_at_ms IS NULL AND '}(EXISTS (SELECT 1 FROM roots r WHERE r.volume_id = v.volume_id AND r.removed = 0) OR EXISTS (SELECT 1 FROM locations l WHERE l.volume_id = v.volume_id)) ORDER BY volume_id`).all();
  return z.array(Drive).parse(rows.results).sort((a, b) => driveLabel(a).localeCompare(driveLabel(b), 'en') || (a.volume_id < b.volume_id ? -1 : 1));
}

export async function findDrive(db: D1Database, volumeId: string): Promise<Drive | undefined> {
  const row = await db.prepare(DRIVE_SQL).bind(volumeId).first();
  return row ? Drive.parse(row) : undefined;
}

/** The owner's name for it, else the one it gives itself. */
export function driveLabel(drive: Pick<Drive, 'owner_label' | 'label'>): string {
  return drive.owner_label ?? drive.label;
}

export async function countOnDrive(db: D1Database, volumeId: string): Promise<number> {
  return (await db.prepare(COUNT_SQL).bind(volumeId).first<{ n: number }>())?.n ?? 0;
}

/** Folders that are indexed now, in the order of drive and path. */
export async function listFolders(db: D1Database): Promise<Folder[]> {
  const rows = await db.prepare(`SELECT ${FOLDER_COLUMNS} FROM roots r LEFT JOIN volumes v ON v.volume_id = r.volume_id WHERE r.removed = 0`).all();
  return z.array(Folder).parse(rows.results).sort((a, b) => (a.volume_id === b.volume_id ? (a.path < b.path ? -1 : 1) : a.volume_id < b.volume_id ? -1 : 1));
}

export async function findFolder(db: D1Database, rootId: string): Promise<Folder | undefined> {
  const row = await db.prepare(FOLDER_SQL).bind(rootId).first();
  return row ? Folder.parse(row) : undefined;
}

/** The owner lets it go: it is listed no more. What is known of its photos stays. */
export async function forgetDrive(db: D1Database, volumeId: string, nowMs: number): Promise<boolean> {
  return (await db.prepare('UPDATE volumes SET forgotten_at_ms = ?2 WHERE volume_id = ?1').bind(volumeId, nowMs).run()).meta.changes > 0;
}

/** Sets the owner's words; empty text takes them back. Answers whether there is such a drive. */
export async function writeDriveWords(db: D1Database, volumeId: string, words: { label: string; note: string }): Promise<boolean> {
  const label = words.label.trim().slice(0, MAX_LABEL_LENGTH) || null;
  const note = words.note.trim().slice(0, MAX_NOTE_LENGTH) || null;
  const done = await db.prepare('UPDATE volumes SET owner_label = CASE WHEN ?2 = label THEN NULL ELSE ?2 END, note = ?3 WHERE volume_id = ?1').bind(volumeId, label, note).run();
  return done.meta.changes > 0;
}
