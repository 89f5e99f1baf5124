// The report of indexing: promise 8's numbers, which add up, with a path and a reason for each failure.
import * as z from 'zod';

export const PathReason = z.object({ path: z.string(), reason: z.string() });
export type PathReason = z.infer<typeof PathReason>;

/**
 * What sidecars were matched to, over all that is indexed: sidecars = matched + without_media. The media are those of
 * Takeout's folders: media = media_with_sidecar + without_sidecar.
 */
export const SidecarSummary = z.object({ sidecars: z.int(), matched: z.int(), without_media: z.int(), media: z.int(), media_with_sidecar: z.int(), without_sidecar: z.int() });
export type SidecarSummary = z.infer<typeof SidecarSummary>;

/** The last line of `index --json`. seen = indexed + changed + moved + unchanged + duplicate + sidecar + ignored + failed.length. */
export const IndexReport = z.object({
  seen: z.int(), indexed: z.int(), changed: z.int(), moved: z.int(), unchanged: z.int(), duplicate: z.int(), sidecar: z.int(), ignored: z.int(),
  failed: z.array(PathReason),
  /** Folders that were not entered, and why: packages, our own, unreadable ones. */
  skipped: z.array(PathReason),
  /** Roots whose scan did not complete: the drive left, or the owner must answer. */
  stopped: z.array(PathReason),
  /** Scans that wait for `confirm-missing`. */
  questions: z.array(z.string()),
  /** Where there are sidecars. */
  sidecars: SidecarSummary.optional(),
});
export type IndexReport = z.infer<typeof IndexReport>;

/** Entries of `failed` and `skipped` that one frame of the link carries; the rest is asked for page by page. */
export const REPORT_PAGE = 1_000;

export function emptyReport(): IndexReport {
  return { seen: 0, indexed: 0, changed: 0, moved: 0, unchanged: 0, duplicate: 0, sidecar: 0, ignored: 0, failed: [], skipped: [], stopped: [], questions: [] };
}
