// The tables as drizzle sees them, for simple reads and writes. migrations/ decides; a test holds this to it.
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

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
  owner_label: text(), note: text(), first_seen_ms: integer().notNull(), last_seen_ms: integer().notNull(), replaces: text(), forgotten_at_ms: integer(),
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
  motion: text(), description: text(), rating: integer(), tags: text().notNull().default('[]'), proxy_version: integer().notNull().default(0), proxy_bytes: integer(), codec: text(),
}, (t) => [index('assets_by_camera').on(t.camera)]);

export const locations = sqliteTable('locations', {
  volume_id: text().notNull(), path: text().notNull(), revision: integer().notNull(), sha256: text().notNull(),
  size_bytes: integer().notNull(), mtime_ms: integer().notNull(), fs_id: text(), inode: text(), in_package: integer().notNull(), missing_since_ms: integer(),
  verified_at_ms: integer(), damaged_at_ms: integer(),
}, (t) => [primaryKey({ columns: [t.volume_id, t.path] }), index('locations_by_sha256').on(t.sha256)]);

export const evidence = sqliteTable('evidence', {
  volume_id: text().notNull(), path: text().notNull(), revision: integer().notNull(), time_claims: text().notNull(), imports: text().notNull().default('[]'), albums: text().notNull().default('[]'),
}, (t) => [primaryKey({ columns: [t.volume_id, t.path] })]);

export const scans = sqliteTable('scans', {
  scan_id: text().primaryKey(), revision: integer().notNull(), volume_id: text().notNull(), root_id: text().notNull(), state: text().notNull(),
  started_ms: integer().notNull(), ended_ms: integer(), counts: text().notNull(), vanished: integer().notNull(), reason: text(),
}, (t) => [index('scans_by_volume').on(t.volume_id, t.started_ms)]);

export const problems = sqliteTable('problems', {
  volume_id: text().notNull(), path: text().notNull(), revision: integer().notNull(), code: text().notNull(), reason: text().notNull(), stage: text().notNull(), at_ms: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.volume_id, t.path] }), index('problems_by_code').on(t.code)]);

export const curation = sqliteTable('curation', {
  sha256: text().primaryKey(), favourite: integer(), archived: integer(), rating: integer(), taken_at: text(), utc_offset_minutes: integer(), time_shift_s: integer(),
  latitude: real(), longitude: real(), cell: text(), no_position: integer(), description: text(), changed_at_ms: integer().notNull(), tags: text(),
}, (t) => [index('curation_by_cell').on(t.cell)]);

export const edits = sqliteTable('edits', {
  edit_id: integer().primaryKey(), at_ms: integer().notNull(), summary: text().notNull(), assets: integer().notNull(), undone_at_ms: integer(),
});

export const editRows = sqliteTable('edit_rows', {
  edit_id: integer().notNull(), sha256: text().notNull(), before: text().notNull(), after: text().notNull(),
}, (t) => [primaryKey({ columns: [t.edit_id, t.sha256] })]);

export const stacks = sqliteTable('stacks', {
  member_sha256: text().primaryKey(), primary_sha256: text().notNull(), type: text().notNull(), basis: text().notNull(), revision: integer().notNull(), removed: integer().notNull(),
}, (t) => [index('stacks_by_primary').on(t.primary_sha256)]);

export const places = sqliteTable('places', {
  cell: text().primaryKey(), rank: integer().notNull(), source: text(), street: text(), neighbourhood: text(), city: text(), region: text(), country: text(), country_code: text(),
  distance_m: real(), zone: text(),
}, (t) => [index('places_by_rank').on(t.rank), index('places_by_name').on(t.country_code, t.region, t.city)]);

export const albums = sqliteTable('albums', {
  album_id: integer().primaryKey(), import_key: text().unique(), title: text().notNull(), album_key: text(), owner_title: text(), sort: text().notNull().default('oldest'),
  cover_sha256: text(), query: text(), made_at_ms: integer(), removed_at_ms: integer(),
}, (t) => [uniqueIndex('albums_by_key').on(t.album_key)]);

export const albumAssets = sqliteTable('album_assets', {
  album_id: integer().notNull(), sha256: text().notNull(), layer: text().notNull(), position: real(),
}, (t) => [primaryKey({ columns: [t.album_id, t.sha256, t.layer] }), index('album_assets_by_sha256').on(t.sha256)]);

export const timelineItems = sqliteTable('timeline_items', {
  asset_id: integer().primaryKey(), sha256: text().notNull(),
  kind: text().notNull(), width: integer(), height: integer(), ratio: text().notNull(), duration_ms: integer(), color: text(),
  grid_version: integer().notNull(), preview_version: integer().notNull(),
  taken_at: text(), taken_at_source: text(), doubtful: integer().notNull(), utc_offset_minutes: integer(), utc_offset_source: text(),
  sort_ms: integer().notNull(), month: integer().notNull(), day: integer().notNull(), shown: integer().notNull(), time_basis: text(),
  latitude: real(), longitude: real(), position_source: text(), cell: text(), description: text(), description_source: text(),
  favourite: integer().notNull().default(0), archived: integer().notNull().default(0), rating: integer(),
  people: text().notNull().default('[]'), tags: text().notNull().default('[]'), albums: text().notNull().default('[]'),
  proxy_version: integer().notNull().default(0), stack_type: text(), primary_sha256: text(), members: integer().notNull().default(0),
  live_sha256: text(), live_proxy_version: integer().notNull().default(0), square: integer(),
});

export const timelineBuckets = sqliteTable('timeline_buckets', {
  month: integer().primaryKey(), count: integer().notNull(), days: text().notNull(), version: integer().notNull(), cuts: text().notNull().default('[]'),
}, (t) => [index('timeline_buckets_versions').on(t.month, t.version)]);

export const successors = sqliteTable('successors', {
  old_sha256: text().primaryKey(), new_sha256: text().notNull(), revision: integer().notNull(), handed_at_ms: integer(),
}, (t) => [index('successors_by_new').on(t.new_sha256), index('successors_by_handed').on(t.handed_at_ms)]);

export const volumeWords = sqliteTable('volume_words', { volume_id: text().primaryKey(), owner_label: text(), note: text() });

export const assetTags = sqliteTable('asset_tags', {
  tag: text().notNull(), sort_ms: integer().notNull(), asset_id: integer().notNull(), own_id: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.tag, t.sort_ms, t.asset_id, t.own_id] }), index('asset_tags_by_own').on(t.own_id)]);

export const unresolved = sqliteTable('unresolved', { token: text().primaryKey(), sha256s: text().notNull() });

export const completions = sqliteTable('completions', {
  scan_id: text().notNull(), part: text().notNull(), at_ms: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.scan_id, t.part] })]);

export const searchDue = sqliteTable('search_due', { asset_id: integer().primaryKey(), mark: integer().notNull() });

export const searchDocs = sqliteTable('search_docs', {
  asset_id: integer().primaryKey(), sha256: text().notNull(), traits: integer().notNull(), mark: integer().notNull(),
  names: text().notNull(), folders: text().notNull(), place: text().notNull(), description: text().notNull(), albums: text().notNull(), people: text().notNull(), tags: text().notNull(), camera: text().notNull(),
}, (t) => [index('search_docs_by_sha256').on(t.sha256), index('search_docs_by_traits').on(t.traits)]);

export const queryEmbeddings = sqliteTable('query_embeddings', {
  space: text().notNull(), text: text().notNull(), vector: text().notNull(), ahead: integer().notNull(), used_at_ms: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.space, t.text] }), index('query_embeddings_by_use').on(t.space, t.ahead, t.used_at_ms)]);

export const searchHistory = sqliteTable('search_history', { text: text().primaryKey(), at_ms: integer().notNull(), times: integer().notNull() }, (t) => [index('search_history_by_time').on(t.at_ms)]);

export const mapSquares = sqliteTable('map_squares', {
  square: integer().primaryKey(), count: integer().notNull(), latitude: real().notNull(), longitude: real().notNull(),
  west: real(), south: real(), east: real(), north: real(), newest_ms: integer(), newest_id: integer(),
});

export const mapDue = sqliteTable('map_due', { square: integer().primaryKey() });

export const orders = sqliteTable('orders', {
  order_id: text().primaryKey(), kind: text().notNull(), body: text().notNull(), title: text().notNull(), given_at_ms: integer().notNull(), state: text().notNull(), cancelled: integer().notNull().default(0),
  revision: integer().notNull().default(0), progress: text().notNull(), waiting_for: text(), reason: text(), ended_at_ms: integer(),
}, (t) => [index('orders_by_time').on(t.given_at_ms, t.order_id), index('orders_open').on(t.given_at_ms)]);

export const receipts = sqliteTable('receipts', {
  order_id: text().notNull(), n: integer().notNull(), unit: integer().notNull(), role: text().notNull(), volume_id: text().notNull(), path: text().notNull(), sha256: text(),
  size_bytes: integer().notNull(), outcome: text().notNull(), reason: text(), to_path: text(), at_ms: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.order_id, t.n] }), index('receipts_by_outcome').on(t.order_id, t.outcome)]);

export const trashFiles = sqliteTable('trash_files', {
  order_id: text().notNull(), n: integer().notNull(), role: text().notNull(), volume_id: text().notNull(), path: text().notNull(), sha256: text(), size_bytes: integer().notNull(), at_ms: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.order_id, t.n] }), index('trash_files_by_sha256').on(t.sha256), index('trash_files_by_volume').on(t.volume_id)]);

export const trashed = sqliteTable('trashed', {
  sha256: text().primaryKey(), order_id: text().notNull(), at_ms: integer().notNull(), sort_ms: integer().notNull(), item: text().notNull(),
}, (t) => [index('trashed_by_time').on(t.at_ms, t.sha256), index('trashed_by_sort').on(t.sort_ms, t.sha256)]);

export const assetCopies = sqliteTable('asset_copies', {
  asset_id: integer().primaryKey(), sort_ms: integer().notNull(), year: integer().notNull(), counted: integer().notNull(),
  files: integer().notNull(), drives: integer().notNull(), on_drives: text().notNull(), by_drive: text().notNull(), one_drive: text(),
  safety: integer().notNull(), spare_bytes: integer().notNull(), extra_bytes: integer().notNull(), verified_ms: integer().notNull(), damaged: integer().notNull(),
}, (t) => [index('asset_copies_by_safety').on(t.safety, t.sort_ms), index('asset_copies_only').on(t.one_drive, t.sort_ms), index('asset_copies_by_verified').on(t.verified_ms), index('asset_copies_by_spare').on(t.spare_bytes), index('asset_copies_by_extra').on(t.extra_bytes)]);

export const copyCounts = sqliteTable('copy_counts', {
  kind: text().notNull(), name: text().notNull(), files: integer().notNull(), drives: integer().notNull(), day: integer().notNull(),
  assets: integer().notNull(), copies: integer().notNull(), spare_bytes: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.kind, t.name, t.files, t.drives, t.day] })]);

export const near = sqliteTable('near', {
  member_sha256: text().primaryKey(), group_sha256: text().notNull(), spare_bytes: integer().notNull(), removed: integer().notNull(), revision: integer().notNull(), shown: integer().notNull(),
}, (t) => [index('near_by_group').on(t.group_sha256), index('near_shown').on(t.spare_bytes, t.group_sha256)]);

export const nearKept = sqliteTable('near_kept', { sha256: text().primaryKey(), kept: text().notNull(), at_ms: integer().notNull() });
