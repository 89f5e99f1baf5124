// bench index: a first index to all renditions, through the real agent and Worker, against a bare loop over the same
// files with all cores. Also when everything became browsable, and vipsthumbnail where it is installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { copyHeics, makeJpegs } from './index-files.ts';

const JPEGS = Number(process.env['JPEGS'] ?? 150);
const HEIC_VARIANTS = Number(process.env['HEIC_VARIANTS'] ?? 3);
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const CORES = availableParallelism();
const WANTED = { JPEG: { whole: 1.25, browsable: 0.6 }, HEIC: { whole: 1.25, browsable: 0.35 } } as const;

async function bare(files: readonly string[]): Promise<number> {
  const started = performance.now();
  await Promise.all(Array.from({ length: CORES }, (_, core) => new Promise<void>((done, fail) => {
    const worker = new Worker(new URL('./bare-worker.ts', import.meta.url), { workerData: files.filter((_file, i) => i % CORES === core), execArgv: [] });
    worker.once('error', fail);
    worker.once('exit', () => { done(); });
  })));
  return performance.now() - started;
}

interface Indexed { whole: number; browsable: number; rssMb: number }

/** In a process of its own, as the agent is, with the settings that package.json starts it with: its memory and its threads are the agent's alone. */
function indexed(folder: string, count: number): Indexed {
  const done = spawnSync(process.execPath, [fileURLToPath(new URL('./index-once.ts', import.meta.url)), folder, String(count)], { encoding: 'utf8', env: { ...process.env, UV_THREADPOOL_SIZE: String(Math.max(4, CORES + 2)), MALLOC_ARENA_MAX: '4' } });
  const last = done.stdout.trim().split('\n').at(-1) ?? '';
  if (done.status !== 0 || !last.startsWith('{')) throw new Error(`index-once: ${done.stderr}${done.stdout}`);
  return JSON.parse(last) as Indexed;
}

const base = join(tmpdir(), 'jharokha-bench-files');
mkdirSync(base, { recursive: true });
const only = process.env['SET'];
const sets = [
  { name: 'JPEG' as const, folder: join(base, 'jpeg'), files: await makeJpegs(join(base, 'jpeg'), JPEGS) },
  { name: 'HEIC' as const, folder: join(base, 'heic'), files: copyHeics(join(base, 'heic'), HEIC_VARIANTS) },
];
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
for (const set of sets.filter((s) => only === undefined || s.name === only)) {
  if (set.files.length === 0) { console.log(`${set.name}: skipped, ../shared/media is not here and HEIC cannot be made without an encoder`); continue; }
  const runs: { bare: number; whole: number; browsable: number; rssMb: number }[] = [];
  // In turn, so that a slow minute of the machine falls on both.
  for (let round = 0; round < ROUNDS; round += 1) {
    const floor = await bare(set.files);
    runs.push({ bare: floor, ...indexed(set.folder, set.files.length) });
  }
  const ratio = median(runs.map((r) => r.whole / r.bare));
  const share = median(runs.map((r) => r.browsable / r.whole));
  const vips = spawnSync('vipsthumbnail', ['--version']).status === 0 ? timeVips(set.files) : null;
  console.log(`${set.name}: ${set.files.length} files, bare ${Math.round(median(runs.map((r) => r.bare)))} ms, indexed ${Math.round(median(runs.map((r) => r.whole)))} ms: ${ratio.toFixed(2)} times (wanted at most ${WANTED[set.name].whole}); browsable after ${Math.round(share * 100)} % (wanted at most ${WANTED[set.name].browsable * 100} %); agent ${Math.round(Math.max(...runs.map((r) => r.rssMb)))} MB at most${vips === null ? '; vipsthumbnail is not installed' : `; vipsthumbnail, a process a file, ${Math.round(vips)} ms`}`);
  console.log(JSON.stringify({ bench: 'index', set: set.name, files: set.files.length, ratio: Number(ratio.toFixed(3)), browsable_share: Number(share.toFixed(3)), rounds: runs.map((r) => Number((r.whole / r.bare).toFixed(2))) }));
}

/** Two renditions a file, one process each, as many at once as there are cores. It hashes nothing and reads no facts. */
function timeVips(files: readonly string[]): number | null {
  const out = mkdtempSync(join(tmpdir(), 'jharokha-vips-'));
  try {
    const started = performance.now();
    execFileSync('xargs', ['-0', '-P', String(CORES), '-n', '1', 'sh', '-c', `vipsthumbnail "$0" -s 1600 -o ${out}/%s-p.webp[Q=80,effort=2] && vipsthumbnail "$0" -s 1320x440 -o ${out}/%s-g.webp[Q=80,effort=2]`], { input: files.join('\0'), stdio: ['pipe', 'ignore', 'ignore'] });
    return performance.now() - started;
  } catch { return null; } finally { rmSync(out, { recursive: true, force: true }); }
}
process.exit(0);
