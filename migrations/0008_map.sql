-- The map: assets by square (protocol/map.ts), and how many lie in each square of every other level. Squares are derived (map_due rebuilds them).

-- The finest square of a position; NULL without one. Two bits a level behind a leading 1: columns and rows of Web Mercator, their bits interleaved.
ALTER TABLE timeline_items ADD COLUMN square INTEGER;
UPDATE timeline_items SET square = (
  SELECT (1 << 40) | (x & 0x5555555555555555) | ((y & 0x5555555555555555) << 1) FROM (
    SELECT (x | (x << 1)) & 0x5555555555555555 AS x, (y | (y << 1)) & 0x5555555555555555 AS y FROM (
      SELECT (x | (x << 2)) & 0x3333333333333333 AS x, (y | (y << 2)) & 0x3333333333333333 AS y FROM (
        SELECT (x | (x << 4)) & 0x0F0F0F0F0F0F0F0F AS x, (y | (y << 4)) & 0x0F0F0F0F0F0F0F0F AS y FROM (
          SELECT (x | (x << 8)) & 0x00FF00FF00FF00FF AS x, (y | (y << 8)) & 0x00FF00FF00FF00FF AS y FROM (
            SELECT (x | (x << 16)) & 0x0000FFFF0000FFFF AS x, (y | (y << 16)) & 0x0000FFFF0000FFFF AS y FROM (
              SELECT max(0, min(1048575, CAST(floor((longitude + 180.0) / 360.0 * 1048576) AS INTEGER))) AS x,
                max(0, min(1048575, CAST(floor((0.5 - asinh(tan(radians(max(-85.05112878, min(85.05112878, latitude))))) / (2.0 * pi())) * 1048576) AS INTEGER))) AS y)))))))
WHERE latitude IS NOT NULL AND longitude IS NOT NULL;
-- Holds all that a box asks: who lies in it, in which order they are shown, and as what.
CREATE INDEX timeline_items_by_square ON timeline_items (square, sort_ms, asset_id, latitude, longitude) WHERE square IS NOT NULL AND shown = 1;

-- Only what is shown. latitude, longitude: sums, for the middle. newest_id: the newest asset's.
CREATE TABLE map_squares (
  square INTEGER PRIMARY KEY, count INTEGER NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
  west REAL, south REAL, east REAL, north REAL, newest_ms INTEGER, newest_id INTEGER
);
CREATE INDEX map_squares_empty ON map_squares (square) WHERE count = 0;
-- Finest squares to be counted again: marked in the resolver's transaction, emptied by worker/store/map-squares.ts.
CREATE TABLE map_due (square INTEGER PRIMARY KEY);
INSERT INTO map_due (square) SELECT DISTINCT square FROM timeline_items WHERE square IS NOT NULL;
