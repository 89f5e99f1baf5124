// How many of the nearest are worth showing. These models know no distance beyond which nothing is meant: the best picture
// for one query scores lower than noise for another. So each query is judged by itself, in deviations of the library:
//  - does a picture stand out of what chance gives in a library of this size (a needle), or
//  - does it match the words clearly better than it matches "a photo", and lie well above the middle (a broad topic)?
// Then the list ends at its deepest drop. Nothing may be left, and that is an answer. Tested on made distributions; on real
// weights these numbers are untried.

/** Above the largest deviation that chance would give among so many. */
const Z_ABOVE_CHANCE = 0.5;
/** Half of a broad topic lies less than one deviation above the middle, where the middle itself is full of it. */
const Z_BROAD = 0.6;
/** Better than the null prompt by so many deviations: a match of the words, not of pictures in general. */
const GAP_DEVIATIONS = 0.75;
/** Below so many vectors a mean says nothing: then the null prompt alone decides. */
const FEW = 12;
/** At least so far above the middle as this share of the best: beside a needle, what is merely better than most is not meant. */
const SHARE_OF_BEST = 0.5;
/** A step down of this share of the way from the best to the middle ends the list. */
const DROP_SHARE = 0.3;
/** So many in a row that are not good end the list: one odd picture between good ones does not. */
const BAD_RUN = 8;
/** Weaker matches that are offered beyond the cut: so many, and none below the middle. */
const WEAKER_MOST = 200;
/** A deviation below this is no distribution: all the same. */
const FLAT = 1e-6;

export interface Scored { score: number; against: number | null }
/** Of the cosine over all that was looked at; null where the engine does not know. */
export interface Spread { mean: number | null; deviation: number | null; looked_at: number }
export interface Cut { shown: number; weaker: number }

/** `hits` best first. Returns how many of them to show, and how many after those are weaker matches. */
export function cutHits(hits: readonly Scored[], spread: Spread): Cut {
  const best = hits[0];
  if (!best) return { shown: 0, weaker: 0 };
  const { mean, deviation } = spreadOf(hits, spread);
  const few = spread.looked_at < FEW;
  const flat = deviation < FLAT;
  // The largest of n normal values lies about here.
  const chance = Math.sqrt(2 * Math.log(Math.max(2, spread.looked_at)));
  const isGood = (hit: Scored) => {
    const gap = hit.against === null ? null : hit.score - hit.against;
    if (few || flat) return gap === null ? !flat && hit.score > mean : gap > FLAT;
    if (hit.score - mean < SHARE_OF_BEST * (best.score - mean)) return false;
    const z = (hit.score - mean) / deviation;
    return z >= chance + Z_ABOVE_CHANCE || (gap !== null && gap >= GAP_DEVIATIONS * deviation && z >= Z_BROAD);
  };
  let shown = 0;
  for (let i = 0, bad = 0; i < hits.length && bad < BAD_RUN; i += 1) {
    if (isGood(hits[i] as Scored)) { shown = i + 1; bad = 0; } else bad += 1;
  }
  if (!flat) shown = Math.min(shown, endOfDrop(hits, shown, best.score - (few ? best.against ?? mean : mean)));
  let weaker = 0;
  for (let i = shown; i < hits.length && weaker < WEAKER_MOST; i += 1, weaker += 1) {
    if (!few && !flat && (hits[i] as Scored).score < mean) break;
  }
  return { shown, weaker };
}

/** Where the deepest step between neighbours is deep enough, the list ends above it. */
function endOfDrop(hits: readonly Scored[], shown: number, range: number): number {
  let at = shown;
  let deepest = DROP_SHARE * Math.max(range, FLAT);
  for (let i = 1; i < shown; i += 1) {
    const step = (hits[i - 1] as Scored).score - (hits[i] as Scored).score;
    if (step > deepest) { deepest = step; at = i; }
  }
  return at;
}

function spreadOf(hits: readonly Scored[], spread: Spread): { mean: number; deviation: number } {
  if (spread.mean !== null && spread.deviation !== null) return { mean: spread.mean, deviation: spread.deviation };
  // The lower half of what came back stands for the library: too high a middle, so that less is shown, never more.
  const tail = hits.slice(Math.floor(hits.length / 2));
  const mean = tail.reduce((sum, h) => sum + h.score, 0) / tail.length;
  const deviation = Math.sqrt(hits.reduce((sum, h) => sum + (h.score - mean) ** 2, 0) / hits.length);
  return { mean, deviation };
}
