// What a library says of assets, made of their hashes alone: for orders that are carried out without a Worker.
import type { ExportFacts } from '../../protocol/orders.ts';

export async function standInFacts(sha256s: readonly string[]): Promise<ExportFacts> {
  return {
    items: sha256s.map((sha256) => ({
      sha256, taken_at: `20${10 + Number.parseInt(sha256.slice(0, 1), 16)}-03-04T05:06:07`, taken_at_source: 'exif_original', utc_offset_minutes: 60, latitude: 48.1, longitude: 11.5, description: `Of ${sha256.slice(0, 6)}`,
      favourite: true, rating: 4, tags: ['a tag'], people: ['Somebody'], albums: ['An album'], camera: null, name: null,
    })),
  };
}
