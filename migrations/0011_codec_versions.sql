-- How a video's pictures are coded, as FFmpeg names it; NULL for stills, and until the file was read by a version that asks.
ALTER TABLE assets ADD COLUMN codec TEXT;
-- A month's version without its row, which is as large as the month.
CREATE INDEX timeline_buckets_versions ON timeline_buckets (month, version);
