-- Grids of what the owner keeps apart: favourites, the archive, tags. A stack stands in them as its primary.

CREATE INDEX timeline_items_favourite ON timeline_items (sort_ms, asset_id) WHERE favourite = 1 AND primary_sha256 IS NULL;
CREATE INDEX timeline_items_archived ON timeline_items (sort_ms, asset_id) WHERE archived = 1 AND primary_sha256 IS NULL;

-- Each tag that timeline_items.tags holds, written with it, in the order of a tag's grid: sort_ms and asset_id are those of
-- the tile that is shown, own_id is who carries the tag (that tile, or what stands under it).
CREATE TABLE asset_tags (tag TEXT NOT NULL, sort_ms INTEGER NOT NULL, asset_id INTEGER NOT NULL, own_id INTEGER NOT NULL, PRIMARY KEY (tag, sort_ms, asset_id, own_id)) WITHOUT ROWID;
CREATE INDEX asset_tags_by_own ON asset_tags (own_id);
INSERT INTO asset_tags (tag, sort_ms, asset_id, own_id) SELECT DISTINCT j.value, p.sort_ms, p.asset_id, t.asset_id
FROM timeline_items t CROSS JOIN json_each(t.tags) j CROSS JOIN assets a ON a.sha256 = coalesce(t.primary_sha256, t.sha256) CROSS JOIN timeline_items p ON p.asset_id = a.asset_id WHERE t.tags <> '[]';
