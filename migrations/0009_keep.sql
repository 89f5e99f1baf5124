-- What an imported file of curation says of things that are not here yet, and which successors wait for their inheritance.

-- The owner's words about drives that no agent has told of so far: the first row of such a volume takes them over.
CREATE TABLE volume_words (volume_id TEXT PRIMARY KEY, owner_label TEXT, note TEXT) WITHOUT ROWID;

-- handed_at_ms NULL: waits until the old content is nowhere any more (worker/store/successors.ts).
CREATE INDEX successors_by_handed ON successors (handed_at_ms);
