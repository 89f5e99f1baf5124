// The gate: what runs at the same time stays within the capacity, in order, and a failure frees its place.
import { describe, expect, it } from 'vitest';
import { createGate } from '../../../agent/pipeline/gate.ts';

describe('createGate', () => {
  it('never lets more run than fit, and runs everything', async () => {
    const gate = createGate(10);
    let now = 0, most = 0;
    const order: number[] = [];
    const costs = [4, 4, 4, 25, 1, 9, 2, 0];
    await Promise.all(costs.map((cost, i) => gate.run(cost, async () => {
      now += Math.min(cost, 10);
      most = Math.max(most, now);
      order.push(i);
      await new Promise((resolve) => setImmediate(resolve));
      now -= Math.min(cost, 10);
    })));
    expect(most).toBeLessThanOrEqual(10);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
  it('goes on after a failure', async () => {
    const gate = createGate(1);
    await expect(gate.run(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(gate.run(1, () => Promise.resolve('fine'))).resolves.toBe('fine');
  });
});
