// What this library's things are called: places, cameras, albums, people, tags, drives, and its first and last day.
// worker/store/vocabulary.ts reads them, worker/search/ finds them in a query.

export interface LibraryNames {
  places: readonly { country_code: string; country: string | null; region: string | null; city: string | null; assets: number }[];
  cameras: readonly string[];
  albums: readonly { album_id: number; title: string }[];
  people: readonly string[]; tags: readonly string[];
  volumes: readonly { volume_id: string; label: string }[];
  /** First and last day with a picture, yyyymmdd; null in an empty library. */
  days: { first: number; last: number } | null;
}
