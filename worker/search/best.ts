// The best few of many scores. Pure.

export interface Hit { sha256: string; score: number; against: number | null }

/** Keeps the `limit` highest scores, of equal ones those whose id comes first by `compare`. */
export class Best {
  /** Lowest score that may still come in. */
  least = Number.NEGATIVE_INFINITY;
  private readonly limit: number;
  private readonly compare: (a: number, b: number) => number;
  /** A heap with the worst on top. */
  private readonly scores: number[] = [];
  private readonly ids: number[] = [];

  constructor(limit: number, compare: (a: number, b: number) => number) {
    this.limit = limit;
    this.compare = compare;
  }

  private isWorse(scoreA: number, idA: number, scoreB: number, idB: number): boolean {
    return scoreA !== scoreB ? scoreA < scoreB : this.compare(idA, idB) > 0;
  }

  offer(score: number, id: number): void {
    const { scores, ids } = this;
    if (scores.length < this.limit) {
      let at = scores.length;
      for (; at > 0; ) {
        const up = (at - 1) >> 1;
        if (!this.isWorse(score, id, scores[up] as number, ids[up] as number)) break;
        scores[at] = scores[up] as number;
        ids[at] = ids[up] as number;
        at = up;
      }
      scores[at] = score;
      ids[at] = id;
    } else {
      if (!this.isWorse(scores[0] as number, ids[0] as number, score, id)) return;
      let at = 0;
      for (;;) {
        let down = 2 * at + 1;
        if (down >= scores.length) break;
        if (down + 1 < scores.length && this.isWorse(scores[down + 1] as number, ids[down + 1] as number, scores[down] as number, ids[down] as number)) down += 1;
        if (!this.isWorse(scores[down] as number, ids[down] as number, score, id)) break;
        scores[at] = scores[down] as number;
        ids[at] = ids[down] as number;
        at = down;
      }
      scores[at] = score;
      ids[at] = id;
    }
    if (scores.length === this.limit) this.least = scores[0] as number;
  }

  /** Best first. */
  take(): { score: number; id: number }[] {
    return this.scores.map((score, i) => ({ score, id: this.ids[i] as number })).sort((a, b) => b.score - a.score || this.compare(a.id, b.id));
  }
}

const BINS = 4_096;
/** Where there are more, the bins are filled from every sixteenth: a million numbers are looked at once instead of three times. */
const SAMPLED_ABOVE = 200_000;

/**
 * About the `wanted` ids with the highest scores, and at most twice as many: of the last bin all come that have room. Never
 * fewer than wanted up to SAMPLED_ABOVE; beyond, a few may be missing at the lower end.
 */
export function pickBest(ids: Uint32Array, scores: Float32Array, wanted: number): Uint32Array {
  if (ids.length <= wanted) return ids;
  const step = ids.length > SAMPLED_ABOVE ? 16 : 1;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < ids.length; i += step) {
    const s = scores[i] as number;
    if (s < low) low = s;
    if (s > high) high = s;
  }
  const perBin = BINS / (high - low);
  if (!Number.isFinite(perBin)) return ids.slice(0, wanted);
  const binOf = (score: number) => Math.floor((score - low) * perBin);
  const bins = new Uint32Array(BINS + 1);
  for (let i = 0; i < ids.length; i += step) { const bin = binOf(scores[i] as number); bins[bin] = (bins[bin] as number) + 1; }
  let last = BINS;
  let count = (bins[last] as number) * step;
  while (count < wanted && last > 0) { last -= 1; count += (bins[last] as number) * step; }
  const out = new Uint32Array(2 * wanted);
  let room = out.length - (count - (bins[last] as number) * step);
  // Below this no bin counts; the rounding of a bin's edge is left to binOf.
  const edge = low + (last - 1) / perBin;
  let n = 0;
  for (let i = 0; i < ids.length && n < out.length; i += 1) {
    const score = scores[i] as number;
    if (score < edge) continue;
    const bin = binOf(score);
    if (bin < last || (bin === last && room <= 0)) continue;
    if (bin === last) room -= 1;
    out[n] = ids[i] as number;
    n += 1;
  }
  return out.subarray(0, n);
}
