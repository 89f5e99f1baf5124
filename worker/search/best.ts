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

/** About the `wanted` ids with the highest scores: never fewer where there are as many, and at most twice as many, for of the last bin all come that have room. */
export function pickBest(ids: Uint32Array, scores: Float32Array, wanted: number): Uint32Array {
  if (ids.length <= wanted) return ids;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const s of scores) { if (s < low) low = s; if (s > high) high = s; }
  const width = (high - low) / BINS;
  if (!(width > 0)) return ids.slice(0, wanted);
  const binOf = (score: number) => Math.floor((score - low) / width);
  const bins = new Uint32Array(BINS + 1);
  for (const s of scores) bins[binOf(s)] = (bins[binOf(s)] as number) + 1;
  let last = BINS;
  let count = bins[last] as number;
  while (count < wanted && last > 0) { last -= 1; count += bins[last] as number; }
  const out = new Uint32Array(Math.min(count, 2 * wanted));
  let room = out.length - (count - (bins[last] as number));
  let n = 0;
  for (let i = 0; i < ids.length; i += 1) {
    const bin = binOf(scores[i] as number);
    if (bin < last || (bin === last && room <= 0)) continue;
    if (bin === last) room -= 1;
    out[n] = ids[i] as number;
    n += 1;
  }
  return out;
}
