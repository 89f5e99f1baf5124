// bench index: a first index to all renditions, through the real agent and Worker, against a bare loop over the same
// files with all cores. Also when everything became browsable, and vipsthumbnail where it is installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DatabaseSync } from 'node:sqlite';
import { openDataDir } from '../agent/config.ts';
import { createEngine } from '../agent/commands/engine.ts';
import { startMiniflare } from '../agent/commands/worker-host.ts';
import { copyHeics, makeJpegs } from './index-files.ts';

const JPEGS = Number(process.env['JPEGS'] ?? 60);
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

async function indexed(folder: string, count: number): Promise<{ whole: number; browsable: number; rssMb: number }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'jharokha-bench-'));
  const identity = openDataDir(dataDir);
  const host = await startMiniflare({ dataDir, port: 0, token: identity.token });
  const engine = await createEngine({ dataDir, identity, worker: { url: host.url, token: identity.token }, watch: false, warn: (line) => { console.error(line); } });
  try {
    const ids = await engine.addFolders([folder]);
    const db = new DatabaseSync(join(dataDir, 'catalog.db'), { readOnly: true });
    const shown = db.prepare('SELECT count(*) AS n FROM assets WHERE grid_pushed > 0');
    let browsable = 0;
    let rss = 0;
    const started = performance.now();
    const poll = setInterval(() => {
      rss = Math.max(rss, process.memoryUsage().rss);
      if (browsable === 0 && Number(shown.get()?.['n']) >= count) browsable = performance.now() - started;
    }, 20);
    const report = await engine.index(ids);
    const whole = performance.now() - started;
    clearInterval(poll);
    const previews = Number(db.prepare('SELECT count(*) AS n FROM assets WHERE preview_pushed > 0').get()?.['n']);
    db.close();
    if (report.indexed !== count || previews !== count) throw new Error(`indexed ${report.indexed} and rendered ${previews} of ${count}: ${JSON.stringify(report.failed.slice(0, 3))}`);
    return { whole, browsable: browsable || whole, rssMb: rss / 2 ** 20 };
  } finally {
    await engine.close();
    await host.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const base = join(tmpdir(), 'jharokha-bench-files');
mkdirSync(base, { recursive: true });
const sets = [
  { name: 'JPEG' as const, folder: join(base, 'jpeg'), files: await makeJpegs(join(base, 'jpeg'), JPEGS) },
  { name: 'HEIC' as const, folder: join(base, 'heic'), files: copyHeics(join(base, 'heic'), HEIC_VARIANTS) },
];
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
for (const set of sets) {
  if (set.files.length === 0) { console.log(`${set.name}: skipped, ../shared/media is not here and HEIC cannot be made without an encoder`); continue; }
  const runs: { bare: number; whole: number; browsable: number; rssMb: number }[] = [];
  // In turn, so that a slow minute of the machine falls on both.
  for (let round = 0; round < ROUNDS; round += 1) {
    const floor = await bare(set.files);
    runs.push({ bare: floor, ...(await indexed(set.folder, set.files.length)) });
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
