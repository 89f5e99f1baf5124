// bench setup: from a fresh clone to the first page, packages included, and what node_modules weighs; then a second
// start. The network's share is the machine's own; say it beside the figure.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WANTED = { firstS: 120, secondS: 3, modulesMb: 1_100 } as const;
const GIVE_UP_MS = 300_000;

const base = mkdtempSync(join(tmpdir(), 'jharokha-setup-'));
const clone = join(base, 'clone');
// The system's own Node and npm, as a newcomer has them: this script's PATH holds the project's Node 24.
const path = (process.env['PATH'] ?? '').split(':').filter((p) => !p.includes('node_modules')).join(':');
const env = Object.fromEntries(Object.entries({ ...process.env, PATH: path }).filter(([k]) => !k.startsWith('npm_') || k.startsWith('npm_config_registry')));
try {
  const cloned = spawnSync('git', ['clone', '--quiet', ROOT, clone], { encoding: 'utf8' });
  if (cloned.status !== 0) throw new Error(cloned.stderr);
  const first = await startToPage();
  const second = await startToPage();
  const megabytes = weigh(join(clone, 'node_modules')) / 1e6;
  console.log(`fresh clone to first page ${(first / 1000).toFixed(1)} s (wanted under ${WANTED.firstS}); second start ${(second / 1000).toFixed(2)} s (wanted under ${WANTED.secondS}); node_modules ${Math.round(megabytes)} MB (wanted under ${WANTED.modulesMb})`);
  console.log(JSON.stringify({ bench: 'setup', first_s: Number((first / 1000).toFixed(1)), second_s: Number((second / 1000).toFixed(2)), node_modules_mb: Math.round(megabytes) }));
} finally { rmSync(base, { recursive: true, force: true }); }
process.exit(0);

/** `npm start` until the first page has come whole, in milliseconds. */
async function startToPage(): Promise<number> {
  const port = await freePort();
  const started = performance.now();
  const child: ChildProcess = spawn('npm', ['start', '--', '--no-open', '--port', String(port), '--data', join(base, 'data')], { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => { log += chunk.toString(); });
  const ended = new Promise<void>((done) => { child.once('exit', () => { done(); }); });
  for (;;) {
    const ok = await fetch(`http://127.0.0.1:${port}/`).then(async (r) => { await r.text(); return r.ok; }, () => false);
    if (ok) break;
    if (child.exitCode !== null || performance.now() - started > GIVE_UP_MS) throw new Error(`npm start did not get there:\n${log}`);
    await new Promise((done) => { setTimeout(done, 20); });
  }
  const took = performance.now() - started;
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  await ended;
  return took;
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => { done(typeof address === 'object' && address ? address.port : 0); });
    });
  });
}

function weigh(folder: string): number {
  const seen = new Set<number>();
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const stat = statSync(join(entry.parentPath, entry.name));
    // Node's binary is hard-linked into its package: it lies on the disk once.
    if (!seen.has(stat.ino)) bytes += stat.size;
    seen.add(stat.ino);
  }
  return bytes;
}
