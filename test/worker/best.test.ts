// The best few of many: in order, ties as told, and never many more than wanted.
import { describe, expect, it } from 'vitest';
import { Best, pickBest } from '../../worker/search/best.ts';
import { mix } from '../vectors/make-vectors.ts';

describe('Best', () => {
  it.each([1, 2, 7, 100, 3_000])('keeps the highest %i as a sort would, ties by the lower id', (limit) => {
    const scores = Array.from({ length: 2_000 }, (_, i) => mix(i, 1) % 150);
    const best = new Best(limit, (a, b) => a - b);
    for (const [id, score] of scores.entries()) if (score >= best.least) best.offer(score, id);
    expect(best.take()).toEqual(scores.map((score, id) => ({ score, id })).sort((a, b) => b.score - a.score || a.id - b.id).slice(0, limit));
  });
});

describe('pickBest', () => {
  const ids = Uint32Array.from({ length: 5_000 }, (_, i) => i * 3);
  const pick = (score: (i: number) => number, wanted: number) => pickBest(ids, Float32Array.from(ids, (_, i) => score(i)), wanted);

  it('takes all of the highest, and few others', () => {
    const scores = Array.from(ids, (_, i) => mix(i, 2) / 1e9);
    const picked = new Set(pick((i) => scores[i] as number, 400));
    const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
    for (const i of order.slice(0, 400)) expect(picked.has(i * 3)).toBe(true);
    expect(picked.size).toBeLessThan(420);
  });

  it('is not swamped by equal scores, nor loses a higher one among them', () => {
    expect(pick(() => 1, 300)).toHaveLength(300);
    const picked = pick((i) => (i % 50 === 49 ? 2 : i === 7 ? -1 : 1), 300);
    expect(picked.length).toBeLessThanOrEqual(600);
    expect(Array.from(ids).filter((_, i) => i % 50 === 49).every((id) => picked.includes(id))).toBe(true);
  });

  it('takes all where there are no more', () => {
    expect(pick((i) => i, 5_000)).toHaveLength(5_000);
  });
});
