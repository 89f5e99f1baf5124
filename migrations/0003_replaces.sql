-- The weak id that a volume had before its marker, until nothing lies under that id any more.
ALTER TABLE volumes ADD COLUMN replaces TEXT;
