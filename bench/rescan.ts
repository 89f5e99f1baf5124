// bench rescan: 100,000 unchanged small files, against a bare Node walk with lstat. Both are processes of their own, so
// their start is in the figure. The Worker runs already, as it does beside a watching agent or on the edge.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { openDataDir } from '../agent/config.ts';
import { createEngine } from '../agent/commands/engine.ts';
import { startMiniflare } from '../agent/commands/worker-host.ts';
import { buildAgent } from '../scripts/build.ts';
import { openD1 } from '../test/support/snapshot.ts';

const FILES = Number(process.env['FILES'] ?? 100_000);
const PER_FOLDER = 500;
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const WANTED = 2;
/** Distinct pictures among them: the others are copies, so that making the library takes minutes, not hours. A re-scan sees no difference. */
const DISTINCT = 500;

const folder = join(tmpdir(), `jharokha-bench-small-${FILES}`);
if (!existsSync(join(folder, '.complete'))) {
  console.log(`Writing ${FILES} small files…`);
  const pictures = await Promise.all(Array.from({ length: DISTINCT }, (_, i) => sharp({ create: { width: 16, height: 12, channels: 3, background: { r: i % 256, g: (i * 7) % 256, b: Math.floor(i / 2) % 256 } } }).png().toBuffer()));
  // Files of the last two seconds are read once more (a change could hide behind an equal mtime): so they are older.
  const then = new Date(Date.now() - 3_600_000);
  for (let i = 0; i < FILES; i += 1) {
    const dir = join(folder, String(Math.floor(i / PER_FOLDER)));
    if (i % PER_FOLDER === 0) mkdirSync(dir, { recursive: true });
    const path = join(dir, `IMG_${i}.png`);
    writeFileSync(path, pictures[i % DISTINCT] ?? '');
    utimesSync(path, then, then);
  }
  writeFileSync(join(folder, '.complete'), '');
}

const dataDir = mkdtempSync(join(tmpdir(), 'jharokha-bench-'));
const identity = openDataDir(dataDir);
const host = await startMiniflare({ dataDir, port: 0, token: identity.token });
try {
  const worker = { url: host.url, token: identity.token };
  const engine = await createEngine({ dataDir, identity, worker, watch: false, warn: (line) => { console.error(line); } });
  const first = await engine.index(await engine.addFolders([folder]));
  await engine.close();
  if (first.indexed + first.duplicate !== FILES) throw new Error(`indexed ${first.indexed} and ${first.duplicate} of ${FILES}`);

  await buildAgent();
  const before = countRows();
  const run = (script: string, args: string[]) => {
    const started = performance.now();
    const done = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env: { ...process.env, UV_THREADPOOL_SIZE: '4' } });
    const ms = performance.now() - started;
    if (done.status !== 0) throw new Error(`${script}: ${done.stderr}`);
    return { ms, out: done.stdout };
  };
  const here = (name: string) => new URL(name, import.meta.url).pathname;
  const bare: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(run(here('./bare-walk.mjs'), [folder]).ms);
    const { ms, out } = run(here('./rescan-once.mjs'), [dataDir, worker.url, worker.token]);
    const report = JSON.parse(out) as { unchanged: number; seen: number };
    if (report.unchanged + 1 !== report.seen) throw new Error(`not unchanged: ${out.slice(0, 300)}`);
    ours.push(ms);
  }
  const after = countRows();
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const ratio = median(ours.map((ms, i) => ms / (bare[i] ?? ms)));
  const written = Object.keys(after).filter((table) => before[table] !== after[table]);
  console.log(`${FILES} files: bare walk ${Math.round(median(bare))} ms, re-scan ${Math.round(median(ours))} ms: ${ratio.toFixed(2)} times (wanted at most ${WANTED}); D1 tables that changed: ${written.join(', ') || 'none'}`);
  console.log(JSON.stringify({ bench: 'rescan', files: FILES, ratio: Number(ratio.toFixed(3)), bare_ms: Math.round(median(bare)), rescan_ms: Math.round(median(ours)), changed_tables: written }));
} finally {
  await host.close();
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit(0);

/** A fingerprint of every table's rows. */
function countRows(): Record<string, string> {
  const db = openD1(dataDir);
  const tables = ['volumes', 'roots', 'assets', 'locations', 'evidence', 'scans', 'problems', 'timeline_items', 'timeline_buckets', 'batches', 'agents', 'settings', 'curation', 'unresolved'];
  const out: Record<string, string> = {};
  for (const table of tables) {
    const columns = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all().map((r) => String(r['name']));
    const sum = columns.includes('revision') ? ', total(revision) AS r' : columns.includes('seq') ? ', max(seq) AS r' : '';
    out[table] = JSON.stringify(db.prepare(`SELECT count(*) AS n${sum} FROM ${table}`).get());
  }
  db.close();
  return out;
}
