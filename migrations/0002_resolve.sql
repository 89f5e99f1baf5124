-- What ingest must still do after a commit, and what it has done already; both empty or small at rest.

-- One row a batch whose assets (JSON list of hashes) are not yet resolved into timeline_items. Written with the batch's
-- rows and deleted with the resolver's, so that a crash between the two loses nothing.
CREATE TABLE unresolved (token TEXT PRIMARY KEY, sha256s TEXT NOT NULL) WITHOUT ROWID;

-- Parts of scans that made locations missing already: the same call again, perhaps after the files came back, does nothing.
CREATE TABLE completions (scan_id TEXT NOT NULL, part TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (scan_id, part)) WITHOUT ROWID;
