// `npm run torture [-- orders|exfat|whole|index [COUNT [SEED [KINDS]]]]`: runs that are disturbed or killed at seeded moments, the seed
// printed so that any of them can be repeated. `index`: crashes while a library is indexed and synced. `orders`: every call that an
// order makes, with everything that can happen there; KINDS (copy,mend): those orders alone, for which a seed is another run.
// `exfat`: the same on a real exFAT, where this machine can mount one. `whole`: orders of a Worker and an agent, both killed. None of them: all, shorter.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLibrary } from '../support/library.ts';
import { mountExfat } from '../support/exfat.ts';
import type { Ground } from '../support/fake-volumes.ts';
import { runBaseline, runCrash } from './crash.ts';
import { occurring, prepareTable, sayOutcome, showTable, torture } from './orders.ts';
import { makeWholeTemplate, runWhole } from './whole-orders.ts';

const [part, ...rest] = process.argv.slice(2);
const [given, seed = Date.now() % 1_000_000] = rest.slice(0, 2).map(Number);
const kinds = rest[2]?.split(',');
/** Runs of each part, alone and among the others. */
const PARTS = { orders: { run: (count: number) => tortureOrders(count), alone: 1_000, among: 250 }, exfat: { run: tortureExfat, alone: 500, among: 100 }, whole: { run: tortureWhole, alone: 50, among: 10 }, index: { run: tortureIndex, alone: 200, among: 20 } };
const ok = (part === undefined || part in PARTS) && [given ?? 1, seed].every(Number.isInteger) && (given ?? 1) >= 1;
if (!ok) { console.error('npm run torture [-- orders|exfat|whole|index [COUNT [SEED [KINDS]]]]'); process.exit(2); }
let broken = 0;
for (const [name, { run, alone, among }] of Object.entries(PARTS)) if (part === undefined || part === name) broken += await run(given ?? (part ? alone : among));
console.log('SIGKILL shows crashes of processes, not a loss of power.');
process.exit(broken === 0 ? 0 : 1);

async function tortureExfat(count: number): Promise<number> {
  const ground = mountExfat();
  if (typeof ground === 'string') { console.log(`Orders on exFAT: not run, ${ground}.`); return 0; }
  try { return await tortureOrders(count, ground); } finally { ground.remove(); }
}

async function tortureOrders(count: number, ground?: Ground): Promise<number> {
  const table = await prepareTable(ground);
  try {
    const cells = occurring(table).filter((c) => !kinds || kinds.includes(c.kind));
    console.log(`Orders${ground ? ` on ${ground.fsType}` : ''}: ${count} runs from seed ${seed} over ${cells.length} cells that can occur.`);
    const report = await torture(table, count, seed, cells, (done) => { if (done % 100 === 0) console.log(`${done} runs`); });
    console.log(`${showTable(table)}\n`);
    const why = new Map<string, string[]>();
    for (const c of table.cells) if (c.why !== null) why.set(c.why, [...(why.get(c.why) ?? []), `${c.kind} ${c.op} × ${c.fault}`]);
    for (const [reason, list] of why) console.log(`- ${reason}: ${list.join(', ')}`);
    for (const outcome of report.broken) console.log(sayOutcome(outcome));
    const losses = report.broken.filter((o) => o.wrong.some((w) => w.startsWith('LOST'))).length;
    console.log(`${report.runs} runs in ${Math.round(report.ms / 1000)} s, the fewest in a cell ${Math.min(...cells.map((c) => c.runs))}; ${report.kills} SIGKILLs; ${losses} losses, ${report.broken.length} broken.`);
    return report.broken.length;
  } finally { table.remove(); }
}

async function tortureWhole(count: number): Promise<number> {
  const template = await makeWholeTemplate();
  let [kills, wrong] = [0, 0];
  try {
    console.log(`Orders of a whole instance: ${count} runs from seed ${seed}.`);
    for (let i = 0; i < count; i += 1) {
      const outcome = await runWhole(template, seed + i);
      kills += outcome.kills.length;
      if (outcome.wrong.length > 0) {
        wrong += 1;
        console.log(`seed ${outcome.seed} (${outcome.kills.join('; ')}):\n  ${outcome.wrong.slice(0, 12).join('\n  ')}\n${outcome.log}`);
      } else if ((i + 1) % 10 === 0) console.log(`${i + 1} runs, ${kills} kills, ${wrong} broken`);
    }
  } finally { template.remove(); }
  console.log(`${count} runs, ${kills} SIGKILLs, ${wrong} broken.`);
  return wrong;
}

async function tortureIndex(count: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'jharokha-torture-'));
  let kills = 0;
  let wrong = 0;
  try {
    await makeLibrary(folder);
    const baseline = await runBaseline(folder);
    console.log(`Index: ${count} runs from seed ${seed}; an uninterrupted run takes ${Math.round(baseline.durationMs)} ms and gives ${baseline.snapshot.length} rows.`);
    for (let i = 0; i < count; i += 1) {
      const outcome = await runCrash(seed + i, folder, baseline);
      kills += outcome.kills.length;
      if (outcome.differences.length > 0) {
        wrong += 1;
        console.log(`seed ${outcome.seed} (${outcome.kills.join(', ')}): ${outcome.differences.length} differences\n${outcome.differences.slice(0, 20).join('\n')}\n${outcome.report}`);
      } else if ((i + 1) % 10 === 0) console.log(`${i + 1} runs, ${kills} kills, ${wrong} broken`);
    }
  } finally { rmSync(folder, { recursive: true, force: true }); }
  console.log(`${count} runs, ${kills} SIGKILLs, ${wrong} broken libraries.`);
  return wrong;
}
