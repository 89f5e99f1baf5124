// The catalog's tables: what the agent knows, so that it can stop anywhere and go on. node:sqlite, WAL.
// `revision` is one counter for all tables; a row waits to be pushed while revision > pushed_revision.

export const CATALOG_SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS volumes (
  volume_id TEXT PRIMARY KEY, identity TEXT NOT NULL, label TEXT NOT NULL, fs_type TEXT NOT NULL,
  capacity_bytes INTEGER, free_bytes INTEGER, read_only INTEGER NOT NULL, last_mount_point TEXT NOT NULL,
  -- The weak id that it had before its marker.
  replaces TEXT,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS roots (
  root_id TEXT PRIMARY KEY, volume_id TEXT NOT NULL, path TEXT NOT NULL, excludes TEXT NOT NULL DEFAULT '[]', removed INTEGER NOT NULL DEFAULT 0,
  -- Hash of the ignore rules of the last completed scan: a change of rules makes nothing missing.
  rules_hash TEXT, completed_ms INTEGER,
  -- The revision counter when the last completed scan ended: rows added since then may be where a moved file went.
  completed_revision INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Every file seen, assets or not, so that a re-scan is a walk of stats. dir is '' at the volume's top; path = dir/name.
CREATE TABLE IF NOT EXISTS files (
  volume_id TEXT NOT NULL, dir TEXT NOT NULL, name TEXT NOT NULL,
  -- birth_ms tells a file from another that was later given its inode. fs_id and inode only where inodes last.
  size_bytes INTEGER NOT NULL, mtime_ms REAL NOT NULL, ctime_ms REAL NOT NULL, birth_ms REAL NOT NULL, fs_id TEXT, inode TEXT,
  -- asset | sidecar | ignored | failed; sha256 only for assets. A row that is no asset any more keeps its sha256 until a
  -- completed scan has told the Worker so: what lists the copies of an asset asks for seen_as = 'asset' too.
  seen_as TEXT NOT NULL, sha256 TEXT, in_package INTEGER NOT NULL DEFAULT 0,
  -- 1 when mtime lay within 2 s of the read: hashed again next time.
  racy INTEGER NOT NULL DEFAULT 0,
  -- FACTS_VERSION of the reader that judged it: a newer one looks again. added_revision: the row's first revision.
  read_version INTEGER NOT NULL, added_revision INTEGER NOT NULL,
  time_claims TEXT NOT NULL DEFAULT '[]', missing_since_ms INTEGER,
  -- What pipeline/relate.ts found beside it: sidecars' words (ImportFacts) and the album folder it lies in (AlbumImport), as JSON.
  imports TEXT NOT NULL DEFAULT '[]', albums TEXT NOT NULL DEFAULT '[]',
  -- When all its bytes were last read and had this sha256: by a scan, or by an order to verify.
  verified_ms INTEGER,
  -- When a verification found other bytes under its size and date; NULL again once it is read anew, mended or found right.
  damaged_ms INTEGER,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (volume_id, dir, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_by_sha256 ON files (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX IF NOT EXISTS files_by_inode ON files (volume_id, inode) WHERE inode IS NOT NULL;
CREATE INDEX IF NOT EXISTS files_to_push ON files (revision) WHERE revision > pushed_revision AND sha256 IS NOT NULL AND seen_as = 'asset';
CREATE INDEX IF NOT EXISTS files_missing ON files (volume_id, sha256) WHERE missing_since_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS files_lost ON files (volume_id, dir, name) WHERE seen_as <> 'asset' AND sha256 IS NOT NULL;

-- Folders all of whose files were as their rows say (folder-stamps.ts): a hash over their stats, and what they count as.
-- Any change of a row that bears on it drops it.
CREATE TABLE IF NOT EXISTS folder_stamps (
  volume_id TEXT NOT NULL, dir TEXT NOT NULL, stamp TEXT NOT NULL, unchanged INTEGER NOT NULL, sidecar INTEGER NOT NULL, ignored INTEGER NOT NULL,
  PRIMARY KEY (volume_id, dir)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS files_insert_stamp AFTER INSERT ON files BEGIN DELETE FROM folder_stamps WHERE volume_id = NEW.volume_id AND dir = NEW.dir; END;
CREATE TRIGGER IF NOT EXISTS files_delete_stamp AFTER DELETE ON files BEGIN DELETE FROM folder_stamps WHERE volume_id = OLD.volume_id AND dir = OLD.dir; END;
CREATE TRIGGER IF NOT EXISTS files_update_stamp AFTER UPDATE OF volume_id, dir, name, size_bytes, mtime_ms, ctime_ms, inode, seen_as, sha256, racy, read_version, missing_since_ms ON files
BEGIN
  DELETE FROM folder_stamps WHERE volume_id = OLD.volume_id AND dir = OLD.dir;
  DELETE FROM folder_stamps WHERE volume_id = NEW.volume_id AND dir = NEW.dir;
END;

CREATE TABLE IF NOT EXISTS assets (
  sha256 TEXT PRIMARY KEY, kind TEXT NOT NULL, mime TEXT NOT NULL, size_bytes INTEGER NOT NULL,
  -- AssetFacts as JSON, and the raw metadata it was read from (never leaves the catalog).
  facts TEXT NOT NULL, raw_metadata TEXT,
  facts_version INTEGER NOT NULL,
  -- Made (0: not yet, -1: cannot be made, see problems) and, once the Worker has it, pushed.
  grid_version INTEGER NOT NULL DEFAULT 0, preview_version INTEGER NOT NULL DEFAULT 0,
  grid_pushed INTEGER NOT NULL DEFAULT 0, preview_pushed INTEGER NOT NULL DEFAULT 0,
  -- The small MP4 of a video or motion photo: as above (a still without one stays at 0). Size in bytes.
  proxy_version INTEGER NOT NULL DEFAULT 0, proxy_pushed INTEGER NOT NULL DEFAULT 0, proxy_bytes INTEGER,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS assets_to_push ON assets (revision) WHERE revision > pushed_revision;
-- Apple's identifier pairs a Live Photo's still and video wherever they lie on a volume.
CREATE INDEX IF NOT EXISTS assets_by_identifier ON assets (facts ->> '$.content_identifier') WHERE facts ->> '$.content_identifier' IS NOT NULL;
-- The second phase's work list.
CREATE INDEX IF NOT EXISTS assets_to_render ON assets (sha256) WHERE preview_version = 0 OR grid_version IN (0, 1);
-- Those of the stage that makes proxies, and of what it has made.
CREATE INDEX IF NOT EXISTS assets_to_proxy ON assets (sha256) WHERE proxy_version = 0 AND (kind = 'video' OR json_extract(facts, '$.motion') IS NOT NULL);
CREATE INDEX IF NOT EXISTS assets_with_proxy_to_push ON assets (sha256) WHERE proxy_version > proxy_pushed;

-- Sidecars as they were read (pipeline/sidecars.ts): said is JSON (ImportFacts or null). title: Takeout's name of the
-- media file; title_key: the same as names are compared (match.ts). album_title: of a folder's own file about an album.
CREATE TABLE IF NOT EXISTS sidecars (
  volume_id TEXT NOT NULL, dir TEXT NOT NULL, name TEXT NOT NULL, format TEXT NOT NULL, title TEXT, title_key TEXT, album_title TEXT, said TEXT NOT NULL,
  -- How many files it was matched to in its folder (all parts of an export that have it), and elsewhere by its title.
  -- A sidecar without media waits for them (matched NULL: not related yet). looked: the files that were known before it have
  -- been searched for its title.
  matched INTEGER, matched_by_title INTEGER NOT NULL DEFAULT 0, looked INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (volume_id, dir, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sidecars_waiting ON sidecars (title_key, looked) WHERE matched = 0 AND title_key IS NOT NULL;

-- Files without a sidecar of their own whose name is a title that some sidecar waits for. said: what it got from there.
CREATE TABLE IF NOT EXISTS title_candidates (
  volume_id TEXT NOT NULL, dir TEXT NOT NULL, name TEXT NOT NULL, title_key TEXT NOT NULL, said TEXT,
  PRIMARY KEY (volume_id, dir, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS title_candidates_by_key ON title_candidates (title_key);

-- Folders whose files changed and whose sidecars, pairs and albums must be looked at again. Written with the change.
CREATE TABLE IF NOT EXISTS folders_to_relate (volume_id TEXT NOT NULL, dir TEXT NOT NULL, PRIMARY KEY (volume_id, dir)) WITHOUT ROWID;
-- The same for what hangs on several folders: members of stacks (by hash) and titles (by key).
CREATE TABLE IF NOT EXISTS keys_to_relate (kind TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;

-- Folders with files, by the last part of their path (NFC): the parts of an export hold folders of one name.
CREATE TABLE IF NOT EXISTS related_folders (
  leaf TEXT NOT NULL, volume_id TEXT NOT NULL, dir TEXT NOT NULL,
  -- Holds a Takeout sidecar of a file; holds a file about an album, year folders' too.
  takeout INTEGER NOT NULL, album INTEGER NOT NULL,
  PRIMARY KEY (leaf, volume_id, dir)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS related_exports ON related_folders (leaf) WHERE takeout + album > 0;

-- Which file is shown under which, as found in each folder; the same pair of hashes may be found in several. With rowids:
-- the indexes by hash, which are written all over, would otherwise hold the folder's path in each entry.
CREATE TABLE IF NOT EXISTS relations (
  volume_id TEXT NOT NULL, dir TEXT NOT NULL, member_sha256 TEXT NOT NULL, primary_sha256 TEXT NOT NULL, type TEXT NOT NULL, basis TEXT NOT NULL,
  PRIMARY KEY (volume_id, dir, member_sha256)
);
CREATE INDEX IF NOT EXISTS relations_by_member ON relations (member_sha256);
CREATE INDEX IF NOT EXISTS relations_by_primary ON relations (primary_sha256);

-- What the relations come to, one row a member: the best of them, or removed.
CREATE TABLE IF NOT EXISTS stacks (
  member_sha256 TEXT PRIMARY KEY, primary_sha256 TEXT NOT NULL, type TEXT NOT NULL, basis TEXT NOT NULL, removed INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS stacks_to_push ON stacks (revision) WHERE revision > pushed_revision;
CREATE INDEX IF NOT EXISTS stacks_by_primary ON stacks (primary_sha256) WHERE removed = 0;

-- Who succeeds whom where a file was edited in place (successors.ts); and what paths held whose file could not be read just then.
CREATE TABLE IF NOT EXISTS successors (
  old_sha256 TEXT PRIMARY KEY, new_sha256 TEXT NOT NULL, revision INTEGER NOT NULL DEFAULT 0, pushed_revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS successors_noted ON successors (old_sha256) WHERE revision = 0;
CREATE INDEX IF NOT EXISTS successors_to_push ON successors (revision) WHERE revision > pushed_revision;
CREATE TABLE IF NOT EXISTS unread_edits (volume_id TEXT NOT NULL, dir TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (volume_id, dir, name)) WITHOUT ROWID;

-- Models of the search (VectorSpace as JSON), by the number that the tables below use. model_dir: where its files were; '' downloaded.
CREATE TABLE IF NOT EXISTS vector_spaces (id INTEGER PRIMARY KEY, space TEXT NOT NULL UNIQUE, said TEXT NOT NULL, model_dir TEXT NOT NULL);
-- Every vector that was made: float32 of unit length, little-endian. So each engine can be filled again without a drive and
-- without a model. failed: why none can be made (vector is empty then). With rowids: counting reads the index alone, not the vectors.
CREATE TABLE IF NOT EXISTS vectors (space_id INTEGER NOT NULL, sha256 TEXT NOT NULL, vector BLOB NOT NULL, failed TEXT, PRIMARY KEY (space_id, sha256));
CREATE INDEX IF NOT EXISTS vectors_failed ON vectors (space_id, sha256) WHERE failed IS NOT NULL;
-- Work lists, each as long as its work. Assets that got a preview; the same in the order in which they are embedded into the chosen
-- space; vectors that the engine has not got, and those that it must drop.
CREATE TABLE IF NOT EXISTS vectors_due (sha256 TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vectors_to_make (newest_ms REAL NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (newest_ms DESC, sha256)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vectors_to_write (space_id INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (space_id, sha256)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vectors_to_remove (space_id INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (space_id, sha256)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS asset_came_with_preview AFTER INSERT ON assets WHEN new.preview_version > 0 BEGIN INSERT OR IGNORE INTO vectors_due VALUES (new.sha256); END;
CREATE TRIGGER IF NOT EXISTS asset_got_preview AFTER UPDATE OF preview_version ON assets WHEN new.preview_version > 0 AND old.preview_version <= 0 BEGIN INSERT OR IGNORE INTO vectors_due VALUES (new.sha256); END;

-- What final grids look like (looks.ts): a hash of 64 bits in two halves, both NULL where a picture shows too little; fine: a
-- signature that confirms a match. The rest is the asset's, area in pixels, kept beside it so that all can be compared in one pass. With rowids: read by them.
CREATE TABLE IF NOT EXISTS looks (
  sha256 TEXT PRIMARY KEY, version INTEGER NOT NULL, hi INTEGER, lo INTEGER, fine BLOB,
  kind TEXT NOT NULL, size_bytes INTEGER NOT NULL, width INTEGER, height INTEGER, duration_ms INTEGER, area INTEGER NOT NULL
);
-- The best first, with their hashes, so that a million is neither sorted nor looked up.
CREATE INDEX IF NOT EXISTS looks_by_rank ON looks (area, size_bytes, sha256, hi, lo) WHERE hi IS NOT NULL;
CREATE TABLE IF NOT EXISTS looks_due (sha256 TEXT PRIMARY KEY) WITHOUT ROWID;
-- Look-alikes, one row a member, by the hash of the one that leads its group. spare_bytes: what the others of the group take.
CREATE TABLE IF NOT EXISTS near (
  member_sha256 TEXT PRIMARY KEY, group_sha256 TEXT NOT NULL, spare_bytes INTEGER NOT NULL, removed INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS near_to_push ON near (revision) WHERE revision > pushed_revision;

-- Names of places by cell, kept for good: nobody is asked twice.
CREATE TABLE IF NOT EXISTS places (
  cell TEXT PRIMARY KEY, rank INTEGER NOT NULL, said TEXT NOT NULL,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS places_to_push ON places (revision) WHERE revision > pushed_revision;

CREATE TABLE IF NOT EXISTS problems (
  volume_id TEXT NOT NULL, path TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, stage TEXT NOT NULL, at_ms INTEGER NOT NULL, solved INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (volume_id, path)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS scans (
  scan_id TEXT PRIMARY KEY, volume_id TEXT NOT NULL, root_id TEXT NOT NULL, state TEXT NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER,
  counts TEXT NOT NULL, vanished INTEGER NOT NULL DEFAULT 0, reason TEXT,
  -- For state 'question': the paths that were not found, as JSON, until the owner answers; after 'keep' (reason 'kept')
  -- they stay, so that the same ones are not asked about again.
  vanished_paths TEXT,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS scans_by_root ON scans (root_id, started_ms);

-- Orders as the owner gave them (protocol/orders.ts), and what they come to: one row a file, planned as a whole before the first
-- file is touched. A step with an outcome is its receipt. A row waits to be told while revision > pushed_revision.
CREATE TABLE IF NOT EXISTS orders (
  order_id TEXT PRIMARY KEY, kind TEXT NOT NULL, given_ms INTEGER NOT NULL, state TEXT NOT NULL, cancelled INTEGER NOT NULL DEFAULT 0,
  planned INTEGER NOT NULL DEFAULT 0, waiting_for TEXT, reason TEXT, ended_ms INTEGER,
  -- Of a copy or export, once it is planned: the folder that it goes to (OrderTarget as JSON).
  target TEXT,
  -- Sums over its steps, kept with each: an order may have a million, and every report says how far it is.
  files INTEGER NOT NULL DEFAULT 0, files_done INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, bytes_done INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL, pushed_revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- By itself: it may hold thousands of names, and the row above is written anew with each receipt.
CREATE TABLE IF NOT EXISTS order_bodies (order_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_open ON orders (given_ms, order_id) WHERE ended_ms IS NULL;
CREATE INDEX IF NOT EXISTS orders_to_push ON orders (revision) WHERE revision > pushed_revision;
CREATE TABLE IF NOT EXISTS order_steps (
  order_id TEXT NOT NULL, n INTEGER NOT NULL, unit INTEGER NOT NULL, role TEXT NOT NULL, volume_id TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT, size_bytes INTEGER NOT NULL,
  -- Where it goes or comes from: relative to the volume's top in the trash, absolute elsewhere.
  to_path TEXT,
  -- What is about to be done to the file, written before it is begun; NULL before, and after its end. began_ms: when; will: the
  -- outcome that a file that is put back ends with.
  doing TEXT, began_ms INTEGER, will TEXT,
  outcome TEXT, reason TEXT, at_ms INTEGER, done_bytes INTEGER NOT NULL DEFAULT 0,
  -- Of a restored or emptied file: the step that had trashed it.
  from_order TEXT, from_n INTEGER,
  revision INTEGER NOT NULL DEFAULT 0, pushed_revision INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (order_id, n)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS order_steps_open ON order_steps (order_id, unit, n) WHERE outcome IS NULL;
CREATE INDEX IF NOT EXISTS order_steps_begun ON order_steps (order_id, unit) WHERE doing IS NOT NULL;
CREATE INDEX IF NOT EXISTS order_steps_to_push ON order_steps (order_id, n) WHERE revision > pushed_revision;

-- What lies in the trash of its drive. file: its row of files as it was (JSON), for its return; path: where it lay.
CREATE TABLE IF NOT EXISTS trash (
  order_id TEXT NOT NULL, n INTEGER NOT NULL, unit INTEGER NOT NULL, role TEXT NOT NULL, volume_id TEXT NOT NULL, path TEXT NOT NULL, trash_path TEXT NOT NULL,
  sha256 TEXT NOT NULL, size_bytes INTEGER NOT NULL, file TEXT NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (order_id, n)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS trash_by_sha256 ON trash (sha256);

-- Completions that wait for the outbox to drain: only they make locations missing in the Worker.
CREATE TABLE IF NOT EXISTS completions (id INTEGER PRIMARY KEY, scan_id TEXT NOT NULL, body TEXT NOT NULL);

-- Batches as they will be sent, byte for byte, so that a repeat is the same batch.
CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, sent TEXT NOT NULL);

-- Renditions made and not yet in R2. Deleted when the Worker has acknowledged them.
CREATE TABLE IF NOT EXISTS spool (key TEXT PRIMARY KEY, sha256 TEXT NOT NULL, bytes BLOB NOT NULL, asset_sha256 TEXT NOT NULL) WITHOUT ROWID;
`;

/** Columns that a catalog from an earlier version lacks: table, column, definition as above. */
export const ADDED_COLUMNS: readonly (readonly [table: string, column: string, definition: string])[] = [
  ['volumes', 'replaces', 'TEXT'],
  ['files', 'imports', "TEXT NOT NULL DEFAULT '[]'"], ['files', 'albums', "TEXT NOT NULL DEFAULT '[]'"], ['files', 'verified_ms', 'INTEGER'], ['files', 'damaged_ms', 'INTEGER'],
  ['assets', 'proxy_version', 'INTEGER NOT NULL DEFAULT 0'], ['assets', 'proxy_pushed', 'INTEGER NOT NULL DEFAULT 0'], ['assets', 'proxy_bytes', 'INTEGER'],
];
