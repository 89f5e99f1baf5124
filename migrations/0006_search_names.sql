-- The library's names for reading queries: each list of people and of tags once, by jumps in an index (worker/store/vocabulary.ts).
CREATE INDEX timeline_items_by_people ON timeline_items (people) WHERE people <> '[]';
CREATE INDEX timeline_items_by_tags ON timeline_items (tags) WHERE tags <> '[]';
