-- Look-alikes, as the agent found them: one row a member, by the one that leads its group (worker/store/near.ts). shown: its group
-- is not one that the owner said is fine.
CREATE TABLE near (
  member_sha256 TEXT PRIMARY KEY, group_sha256 TEXT NOT NULL, spare_bytes INTEGER NOT NULL, removed INTEGER NOT NULL, revision INTEGER NOT NULL, shown INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX near_by_group ON near (group_sha256);
-- Pages read groups by what they take, the most first.
CREATE INDEX near_shown ON near (spare_bytes, group_sha256) WHERE shown = 1;

-- What the owner said of look-alikes: those with one word (kept) are all to stay, and are not shown again while no other comes to them.
CREATE TABLE near_kept (sha256 TEXT PRIMARY KEY, kept TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
