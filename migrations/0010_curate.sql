-- Grids of what the owner keeps apart: favourites, the archive, tags. A stack stands in them as its primary.

CREATE INDEX timeline_items_favourite ON timeline_items (sort_ms, asset_id) WHERE favourite = 1 AND primary_sha256 IS NULL;
CREATE INDEX timeline_items_archived ON timeline_items (sort_ms, asset_id) WHERE archived = 1 AND primary_sha256 IS NULL;

-- Each tag that timeline_items.tags holds, written with it.
CREATE TABLE asset_tags (tag TEXT NOT NULL, asset_id INTEGER NOT NULL, PRIMARY KEY (tag, asset_id)) WITHOUT ROWID;
INSERT INTO asset_tags (tag, asset_id) SELECT DISTINCT j.value, t.asset_id FROM timeline_items t, json_each(t.tags) j WHERE t.tags <> '[]';
