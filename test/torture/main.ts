// `npm run torture [-- COUNT [SEED]]`: 200 crash runs by default, the seed printed so that any of them can be repeated.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLibrary } from '../support/library.ts';
import { runBaseline, runCrash } from './crash.ts';

const count = Number(process.argv[2] ?? 200);
const first = Number(process.argv[3] ?? Date.now() % 1_000_000);
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(first)) { console.error('npm run torture -- [COUNT [SEED]]'); process.exit(2); }
const folder = mkdtempSync(join(tmpdir(), 'jharokha-torture-'));
let kills = 0;
let broken = 0;
try {
  await makeLibrary(folder);
  const baseline = await runBaseline(folder);
  console.log(`${count} runs from seed ${first}; an uninterrupted run takes ${Math.round(baseline.durationMs)} ms and gives ${baseline.snapshot.length} rows.`);
  for (let i = 0; i < count; i += 1) {
    const outcome = await runCrash(first + i, folder, baseline);
    kills += outcome.kills.length;
    if (outcome.differences.length > 0) {
      broken += 1;
      console.log(`seed ${outcome.seed} (${outcome.kills.join(', ')}): ${outcome.differences.length} differences\n${outcome.differences.slice(0, 20).join('\n')}\n${outcome.report}`);
    } else if ((i + 1) % 10 === 0) console.log(`${i + 1} runs, ${kills} kills, ${broken} broken`);
  }
} finally { rmSync(folder, { recursive: true, force: true }); }
console.log(`${count} runs, ${kills} SIGKILLs, ${broken} broken libraries. SIGKILL shows crashes of processes, not a loss of power.`);
process.exit(broken === 0 ? 0 : 1);
