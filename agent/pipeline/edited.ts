// Whether the new content of a path is the old one edited, or another picture that took its name: a card whose numbers began
// again, a file moved or copied over another. What is handed on to the wrong picture is worse than nothing handed on.
import type { AssetFacts, TimeClaim } from '../../protocol/rows.ts';

/** What both files say of themselves, and how their inodes were seen. Times in milliseconds; `birth_ms` 0: the file system tells none. */
export interface Seen { facts: AssetFacts; inode: string | null; birth_ms: number; ctime_ms: number }

/** A camera's own word on when, best first. Editors keep it; two pictures of one camera differ in it. */
const OWN_TIMES = ['exif_original', 'quicktime_keys', 'quicktime'] as const;

/** True for an edit. `certain` asks for a sign that it is the same picture; otherwise that nothing speaks against it is enough. */
export function isEdit(old: Seen, next: Seen, certain: boolean): boolean {
  const a = old.facts;
  const b = next.facts;
  if (a.kind !== b.kind) return false;
  if (a.content_identifier !== null && b.content_identifier !== null) return a.content_identifier === b.content_identifier;
  const sameTime = compareOwnTimes(a.time_claims, b.time_claims);
  const sameCamera = a.camera === null || b.camera === null || a.camera === b.camera;
  if (sameTime === true && sameCamera) return true;
  // The same pixels with another time: somebody put the clock right.
  if (a.color !== null && a.color === b.color && a.width === b.width && a.height === b.height && sameCamera) return true;
  if (sameTime === false || !sameCamera) return false;
  return !certain && !wasThereBefore(old, next);
}

/** Whether the best kind of claim that both have agrees; undefined where they have none in common. */
function compareOwnTimes(a: readonly TimeClaim[], b: readonly TimeClaim[]): boolean | undefined {
  for (const source of OWN_TIMES) {
    const ofA = a.filter((c) => c.source === source);
    const ofB = b.filter((c) => c.source === source);
    if (ofA.length > 0 && ofB.length > 0) return ofA.some((x) => ofB.some((y) => x.wall === y.wall && x.utc_ms === y.utc_ms));
  }
  return undefined;
}

/**
 * True where the new file is older than the old one's last change: it existed beside it and was moved over it. An editor
 * writes into the file itself (same inode), or saves anew and moves that over it: born later, or with the old birth kept.
 */
function wasThereBefore(old: Seen, next: Seen): boolean {
  const sameFile = old.inode !== null && old.inode === next.inode;
  return !sameFile && old.birth_ms > 0 && next.birth_ms > 0 && next.birth_ms !== old.birth_ms && next.birth_ms < old.ctime_ms;
}
