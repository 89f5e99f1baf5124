// bench verify: an order to verify, from its plan to its last receipt, against `sha256sum` on the same files. Both read the same bytes
// from the same state of the cache, in turns; the disk's own speed is in neither where the files fit into memory (BENCH_COLD=1 drops
// the caches before each, as root on Linux).
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { carryOut, dropCaches, makeLibrary, median } from './order-library.ts';

const WANTED = 0.9;
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);

const library = await makeLibrary(Number(process.env['FILES'] ?? 2_000));
try {
  const list = join(library.base, 'list');
  writeFileSync(list, library.paths.map((p) => `${p}\0`).join(''));
  const ratios: number[] = [];
  const best = { ours: Infinity, theirs: Infinity };
  const theirs = (): number => time(() => { if (spawnSync('sh', ['-c', `xargs -0 sha256sum < '${list}' > /dev/null`]).status !== 0) throw new Error('sha256sum failed'); });
  theirs();
  for (let round = 0; round < ROUNDS; round += 1) {
    dropCaches();
    const them = theirs();
    dropCaches();
    const us = await carryOut(library, round, { kind: 'verify', volume_id: library.volumeId, share: 100, slowly: false }, 'verified');
    ratios.push(them / us);
    best.ours = Math.min(best.ours, us);
    best.theirs = Math.min(best.theirs, them);
  }
  const speed = (ms: number) => `${Math.round(library.bytes / 1e3 / ms)} MB/s`;
  console.log(`${library.paths.length} files, ${(library.bytes / 1e9).toFixed(1)} GB: verify ${speed(best.ours)}, sha256sum ${speed(best.theirs)}; ${median(ratios).toFixed(2)} of its speed (wanted ${WANTED} or more; rounds ${ratios.map((r) => r.toFixed(2)).join(', ')})`);
  console.log(JSON.stringify({ bench: 'verify', files: library.paths.length, bytes: library.bytes, ratio: Number(median(ratios).toFixed(3)) }));
} finally { library.remove(); }
process.exit(0);

function time(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}
