-- What the owner ordered to be done with originals, and what became of each file.

CREATE TABLE orders (
  order_id TEXT PRIMARY KEY, kind TEXT NOT NULL,
  -- The order as it was given (protocol/orders.ts), and what it is called on pages.
  body TEXT NOT NULL, title TEXT NOT NULL,
  given_at_ms INTEGER NOT NULL, state TEXT NOT NULL, cancelled INTEGER NOT NULL DEFAULT 0,
  -- The agent's word, by its revision: how far it is, what it waits for, why it ended so.
  revision INTEGER NOT NULL DEFAULT 0, progress TEXT NOT NULL, waiting_for TEXT, reason TEXT, ended_at_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX orders_by_time ON orders (given_at_ms, order_id);
CREATE INDEX orders_open ON orders (given_at_ms) WHERE ended_at_ms IS NULL;

CREATE TABLE receipts (
  order_id TEXT NOT NULL, n INTEGER NOT NULL, unit INTEGER NOT NULL, role TEXT NOT NULL, volume_id TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT,
  size_bytes INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT, to_path TEXT, at_ms INTEGER NOT NULL,
  PRIMARY KEY (order_id, n)
) WITHOUT ROWID;
CREATE INDEX receipts_by_outcome ON receipts (order_id, outcome);

-- Files that lie in the trash of their drive now, by the order that moved them.
CREATE TABLE trash_files (
  order_id TEXT NOT NULL, n INTEGER NOT NULL, role TEXT NOT NULL, volume_id TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT, size_bytes INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (order_id, n)
) WITHOUT ROWID;
CREATE INDEX trash_files_by_sha256 ON trash_files (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX trash_files_by_volume ON trash_files (volume_id);

-- Assets that the owner trashed. While a hash stands here no scan brings it back: it is in no timeline_items. item: that row
-- as it was (JSON). The row stays when the trash is emptied, for a copy may come with a drive that was away.
CREATE TABLE trashed (sha256 TEXT PRIMARY KEY, order_id TEXT NOT NULL, at_ms INTEGER NOT NULL, sort_ms INTEGER NOT NULL, item TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX trashed_by_time ON trashed (at_ms, sha256);
CREATE INDEX trashed_by_sort ON trashed (sort_ms, sha256);

-- When the bytes at this place were last read and were those of its hash.
ALTER TABLE locations ADD COLUMN verified_at_ms INTEGER;
-- Set by a verification that read other bytes under an unchanged size and time; NULL: nothing is known against it.
ALTER TABLE locations ADD COLUMN damaged_at_ms INTEGER;
-- Set while the owner has let the drive go; a newer word of the agent takes it back.
ALTER TABLE volumes ADD COLUMN forgotten_at_ms INTEGER;
