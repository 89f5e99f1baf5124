-- Search: documents of words, flags that filters ask for, embeddings of queries. All derived (search_due rebuilds them) but the owner's history.

-- Assets whose document must be written again: filled by the resolver's transaction, emptied by worker/search/feed.ts.
-- mark: another one each time, so that what was marked again meanwhile is not taken for done.
CREATE TABLE search_due (asset_id INTEGER PRIMARY KEY, mark INTEGER NOT NULL);
INSERT INTO search_due (asset_id, mark) SELECT asset_id, random() >> 11 FROM timeline_items;

-- One row an asset that is shown or archived; a stack's members are in their primary's. traits: bits of AssetTrait (worker/store/search-docs.ts).
-- Words are folded (worker/store/search-text.ts), one name a line. mark: search_due's when it was written.
CREATE TABLE search_docs (
  asset_id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, traits INTEGER NOT NULL, mark INTEGER NOT NULL,
  names TEXT NOT NULL, folders TEXT NOT NULL, place TEXT NOT NULL, description TEXT NOT NULL, albums TEXT NOT NULL, people TEXT NOT NULL, tags TEXT NOT NULL, camera TEXT NOT NULL
);
CREATE INDEX search_docs_by_sha256 ON search_docs (sha256);
CREATE INDEX search_docs_by_traits ON search_docs (traits);
CREATE VIRTUAL TABLE search_words USING fts5 (
  names, folders, place, description, albums, people, tags, camera,
  content = 'search_docs', content_rowid = 'asset_id', tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co'", prefix = '2 3'
);
-- Parts of file names.
CREATE VIRTUAL TABLE search_names USING fts5 (names, content = 'search_docs', content_rowid = 'asset_id', tokenize = 'trigram');

-- What is archived is found too, and no other index leads from a place's name to it.
CREATE INDEX timeline_items_archived_by_cell ON timeline_items (cell) WHERE cell IS NOT NULL AND archived = 1;

-- Embeddings of queries, kept: asked for, or made ahead (common words, the library's own names). vector: base64 of float32.
CREATE TABLE query_embeddings (
  space TEXT NOT NULL, text TEXT NOT NULL, vector TEXT NOT NULL, ahead INTEGER NOT NULL, used_at_ms INTEGER NOT NULL,
  PRIMARY KEY (space, text)
) WITHOUT ROWID;
CREATE INDEX query_embeddings_by_use ON query_embeddings (space, ahead, used_at_ms);

-- What the owner searched for.
CREATE TABLE search_history (text TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX search_history_by_time ON search_history (at_ms);
