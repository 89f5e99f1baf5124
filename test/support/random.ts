// Seeded choices for property tests: a failure prints its seed and can be run again.
import { seededRandom } from '../../agent/files/faults.ts';

export interface Dice { next(): number; pick<T>(items: readonly T[]): T; some<T>(most: number, make: () => T): T[]; shuffle<T>(items: readonly T[]): T[] }

export function createDice(seed: number): Dice {
  const next = seededRandom(seed);
  const below = (n: number) => Math.floor(next() * n);
  return {
    next,
    pick: <T>(items: readonly T[]): T => items[below(items.length)] as T,
    some: (most, make) => Array.from({ length: below(most + 1) }, make),
    shuffle<T>(items: readonly T[]): T[] {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i -= 1) { const j = below(i + 1); [out[i], out[j]] = [out[j] as T, out[i] as T]; }
      return out;
    },
  };
}
