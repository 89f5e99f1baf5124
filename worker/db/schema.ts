// The tables as drizzle sees them, for simple reads and writes. migrations/ decides; a test holds this to it.
import { index, integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const settings = sqliteTable('settings', { key: text().primaryKey(), value: text().notNull() });

export const agents = sqliteTable('agents', {
  agent_id: text().primaryKey(), epoch: text().notNull(), acked_seq: integer().notNull(), max_revision: integer().notNull(),
  home_zone: text().notNull(), seen_at_ms: integer().notNull(),
});

export const batches = sqliteTable('batches', {
  agent_id: text().notNull(), epoch: text().notNull(), seq: integer().notNull(), applied_at_ms: integer().notNull(), answer: text().notNull(),
}, (t) => [primaryKey({ columns: [t.agent_id, t.epoch, t.seq] })]);

export const volumes = sqliteTable('volumes', {
  volume_id: text().primaryKey(), revision: integer().notNull(), agent_id: text().notNull(), identity: text().notNull(), label: text().notNull(), fs_type: text().notNull(),
  capacity_bytes: integer(), free_bytes: integer(), read_only: integer().notNull(),
  owner_label: text(), note: text(), first_seen_ms: integer().notNull(), last_seen_ms: integer().notNull(), replaces: text(),
});

export const roots = sqliteTable('roots', {
  root_id: text().primaryKey(), revision: integer().notNull(), volume_id: text().notNull(), path: text().notNull(), excludes: text().notNull(), removed: integer().notNull(),
});

export const assets = sqliteTable('assets', {
  asset_id: integer().primaryKey(), sha256: text().notNull().unique(), revision: integer().notNull(),
  kind: text().notNull(), mime: text().notNull(), size_bytes: integer().notNull(), width: integer(), height: integer(), duration_ms: integer(),
  color: text(), camera: text(), lens: text(), exposure: text(), latitude: real(), longitude: real(), gps_zone: text(), content_identifier: text(),
  time_claims: text().notNull(), problems: text().notNull(),
  facts_version: integer().notNull(), grid_version: integer().notNull(), preview_version: integer().notNull(), added_at_ms: integer().notNull(),
});

export const locations = sqliteTable('locations', {
  volume_id: text().notNull(), path: text().notNull(), revision: integer().notNull(), sha256: text().notNull(),
  size_bytes: integer().notNull(), mtime_ms: integer().notNull(), fs_id: text(), inode: text(), in_package: integer().notNull(), missing_since_ms: integer(),
}, (t) => [primaryKey({ columns: [t.volume_id, t.path] }), index('locations_by_sha256').on(t.sha256)]);

export const evidence = sqliteTable('evidence', {
  volume_id: text().notNull(), path: text().notNull(), revision: integer().notNull(), time_claims: text().notNull(),
}, (t) => [primaryKey({ columns: [t.volume_id, t.path] })]);

export const scans = sqliteTable('scans', {
  scan_id: text().primaryKey(), revision: integer().notNull(), volume_id: text().notNull(), root_id: text().notNull(), state: text().notNull(),
  started_ms: integer().notNull(), ended_ms: integer(), counts: text().notNull(), vanished: integer().notNull(), reason: text(),
}, (t) => [index('scans_by_volume').on(t.volume_id, t.started_ms)]);

export const problems = sqliteTable('problems', {
  volume_id: text().notNull(), path: text().notNull(), revision: integer().notNull(), code: text().notNull(), reason: text().notNull(), stage: text().notNull(), at_ms: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.volume_id, t.path] }), index('problems_by_code').on(t.code)]);

export const curation = sqliteTable('curation', {
  sha256: text().primaryKey(), favourite: integer().notNull().default(0), archived: integer().notNull().default(0), rating: integer(),
  taken_at: text(), utc_offset_minutes: integer(), description: text(), changed_at_ms: integer().notNull(),
});

export const timelineItems = sqliteTable('timeline_items', {
  asset_id: integer().primaryKey(), sha256: text().notNull(),
  kind: text().notNull(), width: integer(), height: integer(), ratio: text().notNull(), duration_ms: integer(), color: text(),
  grid_version: integer().notNull(), preview_version: integer().notNull(),
  taken_at: text(), taken_at_source: text(), doubtful: integer().notNull(), utc_offset_minutes: integer(), utc_offset_source: text(),
  sort_ms: integer().notNull(), month: integer().notNull(), day: integer().notNull(), shown: integer().notNull(),
});

export const timelineBuckets = sqliteTable('timeline_buckets', {
  month: integer().primaryKey(), count: integer().notNull(), days: text().notNull(), version: integer().notNull(),
});

export const unresolved = sqliteTable('unresolved', { token: text().primaryKey(), sha256s: text().notNull() });

export const completions = sqliteTable('completions', {
  scan_id: text().notNull(), part: text().notNull(), at_ms: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.scan_id, t.part] })]);
