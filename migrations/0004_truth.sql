-- Three layers of what is known of an asset (extraction, imports, the owner), stacks, places, albums, proxies.

ALTER TABLE assets ADD COLUMN motion TEXT;
ALTER TABLE assets ADD COLUMN description TEXT;
ALTER TABLE assets ADD COLUMN rating INTEGER;
ALTER TABLE assets ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE assets ADD COLUMN proxy_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN proxy_bytes INTEGER;
-- A camera's clock is corrected for all that it took.
CREATE INDEX assets_by_camera ON assets (camera) WHERE camera IS NOT NULL;

-- What sidecars say of the file beside them, and the album whose folder it lies in.
ALTER TABLE evidence ADD COLUMN imports TEXT NOT NULL DEFAULT '[]';
ALTER TABLE evidence ADD COLUMN albums TEXT NOT NULL DEFAULT '[]';

CREATE TABLE stacks (
  member_sha256 TEXT PRIMARY KEY, primary_sha256 TEXT NOT NULL, type TEXT NOT NULL, basis TEXT NOT NULL, revision INTEGER NOT NULL, removed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX stacks_by_primary ON stacks (primary_sha256);

-- One row a cell that some asset lies in (protocol/place.ts). rank 0: wanted from the agent.
CREATE TABLE places (
  cell TEXT PRIMARY KEY, rank INTEGER NOT NULL, source TEXT, street TEXT, neighbourhood TEXT, city TEXT, region TEXT, country TEXT, country_code TEXT,
  distance_m REAL, zone TEXT
) WITHOUT ROWID;
CREATE INDEX places_by_rank ON places (rank);
CREATE INDEX places_by_name ON places (country_code, region, city);

CREATE TABLE albums (
  album_id INTEGER PRIMARY KEY,
  -- The export's own key; NULL for an album that the owner made.
  import_key TEXT UNIQUE, title TEXT NOT NULL
);
-- layer: 'import' follows the resolver, 'owner' is curation.
CREATE TABLE album_assets (album_id INTEGER NOT NULL, sha256 TEXT NOT NULL, layer TEXT NOT NULL, PRIMARY KEY (album_id, sha256, layer)) WITHOUT ROWID;
CREATE INDEX album_assets_by_sha256 ON album_assets (sha256);

-- The owner's layer anew: NULL everywhere means that the owner has said nothing, which 0 could not.
CREATE TABLE curation_next (
  sha256 TEXT PRIMARY KEY, favourite INTEGER, archived INTEGER, rating INTEGER,
  -- A capture time instead of what was found; or an offset alone; or a shift in seconds of whatever is found.
  taken_at TEXT, utc_offset_minutes INTEGER, time_shift_s INTEGER,
  -- A position instead of what was found; no_position = 1 takes a wrong one away.
  latitude REAL, longitude REAL, cell TEXT, no_position INTEGER,
  -- '' takes a wrong one away.
  description TEXT,
  changed_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO curation_next (sha256, favourite, archived, rating, taken_at, utc_offset_minutes, description, changed_at_ms)
SELECT sha256, nullif(favourite, 0), nullif(archived, 0), rating, taken_at, utc_offset_minutes, description, changed_at_ms FROM curation;
DROP TABLE curation;
ALTER TABLE curation_next RENAME TO curation;
CREATE INDEX curation_by_cell ON curation (cell) WHERE cell IS NOT NULL;

-- What the owner changed, so that it can be undone: for each asset the fields as they were and as they were made (JSON objects).
CREATE TABLE edits (edit_id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, summary TEXT NOT NULL, assets INTEGER NOT NULL, undone_at_ms INTEGER);
CREATE TABLE edit_rows (edit_id INTEGER NOT NULL, sha256 TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, PRIMARY KEY (edit_id, sha256)) WITHOUT ROWID;

ALTER TABLE timeline_items ADD COLUMN time_basis TEXT;
ALTER TABLE timeline_items ADD COLUMN latitude REAL;
ALTER TABLE timeline_items ADD COLUMN longitude REAL;
ALTER TABLE timeline_items ADD COLUMN position_source TEXT;
ALTER TABLE timeline_items ADD COLUMN cell TEXT;
ALTER TABLE timeline_items ADD COLUMN description TEXT;
ALTER TABLE timeline_items ADD COLUMN description_source TEXT;
ALTER TABLE timeline_items ADD COLUMN favourite INTEGER NOT NULL DEFAULT 0;
ALTER TABLE timeline_items ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE timeline_items ADD COLUMN rating INTEGER;
ALTER TABLE timeline_items ADD COLUMN people TEXT NOT NULL DEFAULT '[]';
ALTER TABLE timeline_items ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE timeline_items ADD COLUMN albums TEXT NOT NULL DEFAULT '[]';
-- The asset's own proxy; and for a primary the asset whose proxy moves with it (itself for a motion photo).
ALTER TABLE timeline_items ADD COLUMN proxy_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE timeline_items ADD COLUMN stack_type TEXT;
ALTER TABLE timeline_items ADD COLUMN primary_sha256 TEXT;
ALTER TABLE timeline_items ADD COLUMN members INTEGER NOT NULL DEFAULT 0;
ALTER TABLE timeline_items ADD COLUMN live_sha256 TEXT;
ALTER TABLE timeline_items ADD COLUMN live_proxy_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX timeline_items_by_cell ON timeline_items (cell, sort_ms) WHERE cell IS NOT NULL AND shown = 1;
