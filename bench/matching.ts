// bench matching: sidecars matched to media files by name, 100,000 names against 200,000, in folders of realistic sizes and
// all in one folder. Every look must be linear: twice the names may take 2.2 times the processor's time (which, unlike the
// clock's, does not hold what else the machine does).
import { matchSidecars } from '../agent/pipeline/match.ts';
import { makeExport, type MadeFolder } from './export-names.ts';

const NAMES = Number(process.env['NAMES'] ?? 100_000);
const ROUNDS = Number(process.env['ROUNDS'] ?? 7);
const WANTED = 2.2;
const SEED = 1;

/** What is measured: a name and what it does with one folder's names; answers what it found, so that nothing is optimised away. */
const SUBJECTS: readonly { name: string; run: (folder: MadeFolder) => number }[] = [
  { name: 'sidecars', run: ({ names }) => matchSidecars(names).length },
];

for (const { name, run } of SUBJECTS) {
  for (const oneFolder of [false, true]) {
    const sets = [NAMES, NAMES * 2].map((count) => makeExport(count, SEED, { oneFolder }));
    const times: number[][] = [[], []];
    let found = 0;
    // By turns, so that what the machine does beside it falls on both; the first round warms up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [i, folders] of sets.entries()) {
        const started = process.cpuUsage();
        found = 0;
        for (const folder of folders) found += run(folder);
        const { user, system } = process.cpuUsage(started);
        if (round > 0) times[i]?.push((user + system) / 1000);
      }
    }
    const [once = NaN, twice = NaN] = times.map((list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN);
    const ratio = twice / once;
    const where = oneFolder ? 'one folder' : `${sets[1]?.length ?? 0} folders`;
    console.log(`${name}, ${where}: ${NAMES} names ${once.toFixed(0)} ms, ${NAMES * 2} names ${twice.toFixed(0)} ms, ${found} found; ${ratio.toFixed(2)} times (wanted at most ${WANTED})${ratio > WANTED ? ' ✗' : ''}`);
    console.log(JSON.stringify({ bench: 'matching', subject: name, one_folder: oneFolder, names: NAMES, cpu_ms: Math.round(once), twice_cpu_ms: Math.round(twice), ratio: Number(ratio.toFixed(2)), wanted: WANTED }));
  }
}
