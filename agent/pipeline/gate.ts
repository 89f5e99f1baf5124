// Bounds what is decoded at the same time by its pixels, so that a few huge pictures cannot fill the memory together.

export interface Gate {
  /** Runs `work` as soon as `cost` fits beside what runs; a cost above the whole capacity runs alone. In order of asking. */
  run<T>(cost: number, work: () => Promise<T>): Promise<T>;
}

export function createGate(capacity: number): Gate {
  let used = 0;
  const waiting: { cost: number; start: () => void }[] = [];
  const admit = (): void => {
    for (let first = waiting[0]; first && (used === 0 || used + first.cost <= capacity); first = waiting[0]) {
      waiting.shift();
      used += first.cost;
      first.start();
    }
  };
  return {
    async run(cost, work) {
      const bounded = Math.min(Math.max(1, cost), capacity);
      await new Promise<void>((start) => { waiting.push({ cost: bounded, start }); admit(); });
      try { return await work(); } finally { used -= bounded; admit(); }
    },
  };
}
