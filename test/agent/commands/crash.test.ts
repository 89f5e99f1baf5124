// SIGKILL at seeded moments of an index and sync, on real processes: the library equals the uninterrupted one.
// `npm run torture` does 200 of these.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLibrary } from '../../support/library.ts';
import { runBaseline, runCrash, type Baseline } from '../../torture/crash.ts';

const RUNS = 8;
const SEED = 20_261_123;
const folder = mkdtempSync(join(tmpdir(), 'jharokha-crash-library-'));
let baseline: Baseline;

beforeAll(async () => {
  await makeLibrary(folder);
  baseline = await runBaseline(folder);
}, 180_000);
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

test('the uninterrupted run has something to lose', () => {
  expect(baseline.snapshot.filter((line) => line.includes('"t":"asset"')).length).toBe(26);
  expect(baseline.snapshot.filter((line) => line.includes('"t":"item"') && line.includes('"preview_version":2')).length).toBeGreaterThan(20);
  expect(baseline.snapshot.some((line) => line.includes('"t":"problem"'))).toBe(true);
});

for (let i = 0; i < RUNS; i += 1) {
  test(`killed with seed ${SEED + i}`, { timeout: 300_000 }, async () => {
    const outcome = await runCrash(SEED + i, folder, baseline);
    expect(outcome.kills.length).toBeGreaterThan(0);
    expect(outcome.differences, outcome.report).toEqual([]);
  });
}
