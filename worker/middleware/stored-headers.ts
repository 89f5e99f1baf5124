// What every answer out of R2 carries, whether picture or video: set here in full, so that the busiest paths skip nothing.

const FOREVER = 'private, max-age=31536000, immutable';

export const STORED_HEADERS = { 'Cache-Control': FOREVER, 'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin', 'Content-Security-Policy': "default-src 'none'" };

/** Short and uncached: it may be on its way. */
export function noSuchFile(): Response {
  return new Response('No such rendition.\n', { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } });
}
