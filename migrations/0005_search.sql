-- Search: documents of words, flags that filters ask for, embeddings of queries. All derived (search_due rebuilds them) but the owner's history.

-- Assets whose document must be written again: filled by the resolver's transaction, emptied by worker/search/feed.ts.
CREATE TABLE search_due (asset_id INTEGER PRIMARY KEY);

-- One row an asset that is shown or archived; a stack's members are in their primary's. traits: bits of AssetTrait (worker/store/search-docs.ts).
CREATE TABLE search_docs (
  asset_id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, traits INTEGER NOT NULL,
  names TEXT NOT NULL, folders TEXT NOT NULL, place TEXT NOT NULL, description TEXT NOT NULL, albums TEXT NOT NULL, people TEXT NOT NULL, tags TEXT NOT NULL, camera TEXT NOT NULL
);
CREATE INDEX search_docs_by_sha256 ON search_docs (sha256);
CREATE VIRTUAL TABLE search_words USING fts5 (
  names, folders, place, description, albums, people, tags, camera,
  content = 'search_docs', content_rowid = 'asset_id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
-- Parts of file names.
CREATE VIRTUAL TABLE search_names USING fts5 (names, content = 'search_docs', content_rowid = 'asset_id', tokenize = 'trigram remove_diacritics 1');

-- Embeddings of queries, kept: asked for, or made ahead (common words, the library's own names). vector: base64 of float32.
CREATE TABLE query_embeddings (
  space TEXT NOT NULL, text TEXT NOT NULL, vector TEXT NOT NULL, ahead INTEGER NOT NULL, used_at_ms INTEGER NOT NULL,
  PRIMARY KEY (space, text)
) WITHOUT ROWID;
CREATE INDEX query_embeddings_by_use ON query_embeddings (space, ahead, used_at_ms);

-- What the owner searched for.
CREATE TABLE search_history (text TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX search_history_by_time ON search_history (at_ms);
