-- The timeline's exact layout and its pieces; what the owner orders: tags, albums of their own, and what a file hands on to its successor.

-- Where each piece of the month begins: JSON [[sort_ms, asset_id], …], one for every 200 tiles, newest first (worker/store/buckets.ts).
ALTER TABLE timeline_buckets ADD COLUMN cuts TEXT NOT NULL DEFAULT '[]';
UPDATE timeline_buckets SET cuts = (SELECT json_group_array(json_array(sort_ms, asset_id) ORDER BY n) FROM (
  SELECT sort_ms, asset_id, row_number() OVER (ORDER BY sort_ms DESC, asset_id DESC) - 1 AS n FROM timeline_items t WHERE t.month = timeline_buckets.month AND t.shown = 1) WHERE n % 200 = 0);

-- What the owner adds to the tags that were found, and takes away from them: JSON {"add": […], "remove": […]}, sorted; NULL: nothing.
ALTER TABLE curation ADD COLUMN tags TEXT;

-- album_key: an owner's album's lasting name (a UUID), which exports of curation use. An imported album has its import_key.
ALTER TABLE albums ADD COLUMN album_key TEXT;
-- The owner's name for an imported album; `title` stays what the export says.
ALTER TABLE albums ADD COLUMN owner_title TEXT;
-- 'oldest', 'newest' or 'own' (album_assets.position).
ALTER TABLE albums ADD COLUMN sort TEXT NOT NULL DEFAULT 'oldest';
ALTER TABLE albums ADD COLUMN cover_sha256 TEXT;
-- A smart album holds what this search finds.
ALTER TABLE albums ADD COLUMN query TEXT;
ALTER TABLE albums ADD COLUMN made_at_ms INTEGER;
-- Set while the owner has it away; an undo brings it back.
ALTER TABLE albums ADD COLUMN removed_at_ms INTEGER;
CREATE UNIQUE INDEX albums_by_key ON albums (album_key) WHERE album_key IS NOT NULL;
-- layer: 'import', 'owner' (put in by the owner), or 'left' (taken out by the owner, against the import).
ALTER TABLE album_assets ADD COLUMN position REAL;

-- A file was edited in place and its old content is nowhere else: the new content takes over what the owner did (promise 3).
CREATE TABLE successors (old_sha256 TEXT PRIMARY KEY, new_sha256 TEXT NOT NULL, revision INTEGER NOT NULL, handed_at_ms INTEGER) WITHOUT ROWID;
CREATE INDEX successors_by_new ON successors (new_sha256);
