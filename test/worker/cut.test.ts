// The cut as a mechanism, on made distributions: what stands out is shown, what does not is not, and nothing is an answer.
// Whether its numbers suit a real model's scores is not tested here: no weights are.
import { describe, expect, it } from 'vitest';
import { cutHits, type Scored, type Spread } from '../../worker/search/cut.ts';

/** A library of normal noise about 0.2 (deviation 0.02, as CLIP's cosines lie) with some scores put in; best first, the first 1,000. */
function library(size: number, put: readonly number[], seed = 1, against: number | null = 0.22): { hits: Scored[]; spread: Spread } {
  let state = seed;
  const random = () => { state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32; return (state + 1) / (2 ** 32 + 1); };
  const noise = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  const scores = [...Array.from({ length: size - put.length }, () => 0.2 + 0.02 * noise()), ...put];
  const mean = scores.reduce((a, b) => a + b, 0) / size;
  const deviation = Math.sqrt(scores.reduce((a, b) => a + (b - mean) ** 2, 0) / size);
  return { hits: scores.sort((a, b) => b - a).slice(0, 1_000).map((score) => ({ score, against: against === null ? null : against })), spread: { mean, deviation, looked_at: size } };
}
const shownOf = ({ hits, spread }: ReturnType<typeof library>) => cutHits(hits, spread).shown;
const unknown = (looked_at: number): Spread => ({ mean: null, deviation: null, looked_at });
const plain = (scores: number[], against: number | null): Scored[] => scores.map((score) => ({ score, against }));

describe('the cut', () => {
  it('shows needles alone, with and without the null prompt', () => {
    expect(shownOf(library(20_000, [0.34, 0.335, 0.33]))).toBe(3);
    expect(shownOf(library(20_000, [0.34, 0.335, 0.33], 2, null))).toBe(3);
    expect(shownOf(library(20_000, [0.34], 3))).toBe(1);
  });

  it('shows a broad topic, whose pictures are a third of the library', () => {
    const beaches = Array.from({ length: 300 }, (_, i) => 0.28 + 0.02 * (i / 300));
    const shown = shownOf(library(1_000, beaches));
    expect(shown).toBeGreaterThanOrEqual(300);
    expect(shown).toBeLessThan(330);
  });

  it('shows nothing for words that match nothing', () => {
    // Every picture matches "a photo" better than the words, and the best is what chance gives.
    for (const seed of [1, 2, 3, 4, 5]) expect(shownOf(library(20_000, [], seed, 0.29)), `seed ${seed}`).toBe(0);
    for (const seed of [1, 2, 3]) expect(shownOf(library(20_000, [], seed, null)), `seed ${seed}`).toBeLessThanOrEqual(1);
  });

  it('judges a tiny library by the null prompt alone', () => {
    expect(cutHits(plain([0.31, 0.3, 0.2, 0.19, 0.18], 0.25), unknown(5)).shown).toBe(2);
    expect(cutHits(plain([0.2, 0.19, 0.18], 0.25), unknown(3)).shown).toBe(0);
    expect(cutHits(plain([0.3], 0.25), unknown(1)).shown).toBe(1);
    expect(cutHits(plain([0.2], 0.25), unknown(1)).shown).toBe(0);
    // All of a tiny library can be meant.
    expect(cutHits(plain([0.31, 0.305, 0.3], 0.25), unknown(3)).shown).toBe(3);
  });

  it('ends at the deepest drop', () => {
    const gap = cutHits(plain([0.4, 0.39, 0.38, 0.26, 0.26, 0.25, 0.2, 0.2, 0.2, 0.19, 0.19, 0.19, 0.18, 0.18], 0.15), { mean: 0.2, deviation: 0.02, looked_at: 500 });
    expect(gap.shown).toBe(3);
  });

  it('shows all or none where all are equal, and nothing of nothing', () => {
    expect(cutHits(plain(Array.from({ length: 50 }, () => 0.3), 0.2), unknown(50)).shown).toBe(50);
    expect(cutHits(plain(Array.from({ length: 50 }, () => 0.2), 0.3), unknown(50))).toMatchObject({ shown: 0 });
    expect(cutHits(plain(Array.from({ length: 50 }, () => 0.2), null), unknown(50)).shown).toBe(0);
    expect(cutHits([], unknown(0))).toEqual({ shown: 0, weaker: 0 });
    expect(cutHits([], { mean: 0, deviation: 0, looked_at: 10 })).toEqual({ shown: 0, weaker: 0 });
  });

  it('shows no more where the engine knows no mean than where it does', () => {
    const { hits, spread } = library(20_000, [0.34, 0.335, 0.33]);
    expect(cutHits(hits, { ...spread, mean: null, deviation: null }).shown).toBeLessThanOrEqual(3);
    expect(cutHits(hits, { ...spread, mean: null, deviation: null }).shown).toBeGreaterThan(0);
  });

  it('offers a bounded number of weaker ones, of the upper part of the library', () => {
    const needle = library(20_000, [0.34]);
    expect(cutHits(needle.hits, needle.spread)).toEqual({ shown: 1, weaker: 200 });
    const cut = cutHits(plain([0.4, 0.21, 0.2, 0.19, ...Array.from({ length: 20 }, () => 0.15)], 0.2), { mean: 0.2, deviation: 0.01, looked_at: 400 });
    expect(cut).toEqual({ shown: 1, weaker: 2 });
    expect(cutHits(plain([0.2, 0.1], 0.3), unknown(2))).toEqual({ shown: 0, weaker: 2 });
  });

  it('does not end at one odd picture between good ones', () => {
    const mixed = plain([0.34, 0.335, 0.33, 0.328, 0.326], 0.2);
    (mixed[2] as Scored).against = 0.33;
    expect(cutHits(mixed, { mean: 0.25, deviation: 0.05, looked_at: 100 }).shown).toBe(5);
  });
});
