-- The library as the Worker keeps it. Append-only from here: later changes are new files.
-- Hashes are lower-case hex text; times end in _ms (UTC) or are wall time text; sizes end in _bytes.

CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE agents (
  agent_id TEXT PRIMARY KEY, epoch TEXT NOT NULL, acked_seq INTEGER NOT NULL, max_revision INTEGER NOT NULL,
  home_zone TEXT NOT NULL, seen_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- One row a batch that was applied, the mark that an unchanged re-sync still writes; the last few are kept.
CREATE TABLE batches (
  agent_id TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, applied_at_ms INTEGER NOT NULL, answer TEXT NOT NULL,
  PRIMARY KEY (agent_id, epoch, seq)
) WITHOUT ROWID;

CREATE TABLE volumes (
  volume_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, agent_id TEXT NOT NULL, identity TEXT NOT NULL, label TEXT NOT NULL, fs_type TEXT NOT NULL,
  capacity_bytes INTEGER, free_bytes INTEGER, read_only INTEGER NOT NULL,
  -- Owner's words, never written by a sync.
  owner_label TEXT, note TEXT,
  first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE roots (
  root_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, volume_id TEXT NOT NULL, path TEXT NOT NULL, excludes TEXT NOT NULL, removed INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE assets (
  asset_id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
  kind TEXT NOT NULL, mime TEXT NOT NULL, size_bytes INTEGER NOT NULL, width INTEGER, height INTEGER, duration_ms INTEGER,
  color TEXT, camera TEXT, lens TEXT, exposure TEXT, latitude REAL, longitude REAL, gps_zone TEXT, content_identifier TEXT,
  time_claims TEXT NOT NULL, problems TEXT NOT NULL,
  facts_version INTEGER NOT NULL, grid_version INTEGER NOT NULL, preview_version INTEGER NOT NULL,
  added_at_ms INTEGER NOT NULL
);

CREATE TABLE locations (
  volume_id TEXT NOT NULL, path TEXT NOT NULL, revision INTEGER NOT NULL, sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, mtime_ms INTEGER NOT NULL, fs_id TEXT, inode TEXT, in_package INTEGER NOT NULL,
  -- Set by a completed scan alone (promise 2). Present and away are never stored.
  missing_since_ms INTEGER,
  PRIMARY KEY (volume_id, path)
) WITHOUT ROWID;
CREATE INDEX locations_by_sha256 ON locations (sha256);

CREATE TABLE evidence (
  volume_id TEXT NOT NULL, path TEXT NOT NULL, revision INTEGER NOT NULL, time_claims TEXT NOT NULL,
  PRIMARY KEY (volume_id, path)
) WITHOUT ROWID;

CREATE TABLE scans (
  scan_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, volume_id TEXT NOT NULL, root_id TEXT NOT NULL, state TEXT NOT NULL,
  started_ms INTEGER NOT NULL, ended_ms INTEGER, counts TEXT NOT NULL, vanished INTEGER NOT NULL, reason TEXT
) WITHOUT ROWID;
CREATE INDEX scans_by_volume ON scans (volume_id, started_ms);

CREATE TABLE problems (
  volume_id TEXT NOT NULL, path TEXT NOT NULL, revision INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, stage TEXT NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (volume_id, path)
) WITHOUT ROWID;
CREATE INDEX problems_by_code ON problems (code);

-- What the owner did, keyed by hash: it outlives re-indexing, moves and new catalogs.
CREATE TABLE curation (
  sha256 TEXT PRIMARY KEY, favourite INTEGER NOT NULL DEFAULT 0, archived INTEGER NOT NULL DEFAULT 0, rating INTEGER,
  taken_at TEXT, utc_offset_minutes INTEGER, description TEXT, changed_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- The resolver's answer, one row an asset that has a location: what pages read.
CREATE TABLE timeline_items (
  asset_id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL,
  kind TEXT NOT NULL, width INTEGER, height INTEGER, ratio TEXT NOT NULL, duration_ms INTEGER, color TEXT,
  grid_version INTEGER NOT NULL, preview_version INTEGER NOT NULL,
  -- Wall time as text, and as milliseconds read as if UTC; unknown sorts last, in month 0.
  taken_at TEXT, taken_at_source TEXT, doubtful INTEGER NOT NULL, utc_offset_minutes INTEGER, utc_offset_source TEXT,
  sort_ms INTEGER NOT NULL, month INTEGER NOT NULL, day INTEGER NOT NULL,
  -- 0 when it is kept out of the timeline (archived, trashed, a stack's member).
  shown INTEGER NOT NULL
);
CREATE INDEX timeline_items_shown ON timeline_items (sort_ms, asset_id, day, ratio) WHERE shown = 1;
CREATE INDEX timeline_items_by_month ON timeline_items (month, sort_ms, asset_id, day, ratio) WHERE shown = 1;
CREATE INDEX timeline_items_all ON timeline_items (sort_ms, sha256);

-- Per month (yyyymm): its count, and `days` = JSON [[yyyymmdd, count, ratio characters newest first], …], newest first.
CREATE TABLE timeline_buckets (month INTEGER PRIMARY KEY, count INTEGER NOT NULL, days TEXT NOT NULL, version INTEGER NOT NULL);
