// Installs what is missing before any npm script runs, quietly and once. Runs on the system's own Node (20 or newer),
// so it imports nothing but node:*. What it installs brings Node 24, first on PATH inside npm scripts.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const STAMP = join(MODULES, '.jharokha-installed');
/** Platform and machine are in the stamp: node_modules copied from another machine is made again. */
const PLATFORM = `${process.platform}-${process.arch}`;

const major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  console.error(`Jharokha needs Node 20 or newer to install itself; this is ${process.versions.node}. Install a newer Node, then run the same command again.`);
  process.exit(1);
}

const wanted = createHash('sha256').update(PLATFORM).update(readFileSync(join(ROOT, 'package-lock.json'))).update(readFileSync(fileURLToPath(import.meta.url))).digest('hex');
if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) process.exit(0);

console.error('Installing what Jharokha needs (once; about a minute on a quick line)…');
// No package's own script runs: some download extras that never load here, and fail on a closed network. The one that is
// needed links Node 24's binary, and runs after.
npm('install', '--no-save', '--ignore-scripts', '--loglevel=error', '--no-fund', '--no-audit');
npm('rebuild', 'node', '--loglevel=error', '--no-fund', '--no-audit');
prune();

const node = spawnSync(join(MODULES, '.bin', 'node'), ['--version'], { encoding: 'utf8' });
if (node.status !== 0 || !node.stdout.startsWith('v24.')) {
  console.error(`Node 24 did not install (${node.error?.message ?? node.stderr?.trim() ?? node.stdout}). Delete node_modules and try again; if it stays so, this platform (${PLATFORM}) has no prebuilt Node in npm.`);
  process.exit(1);
}
writeFileSync(STAMP, wanted);

function npm(...args) {
  // Started by npm, so its own path is known; the variables it set for this script must not steer the inner call.
  const env = Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^npm_(?!config_(registry|cache|userconfig|globalconfig|.*proxy|cafile|strict_ssl))/i.test(k)));
  const cli = process.env.npm_execpath;
  const run = cli && existsSync(cli) && /\.c?js$/.test(cli)
    ? spawnSync(process.execPath, [cli, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
    : spawnSync('npm', args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  if (run.status === 0) return;
  console.error(`npm ${args[0]} failed:\n${(run.stderr || run.stdout || run.error?.message || '').trim().split('\n').slice(0, 12).join('\n')}`);
  console.error('Nothing was started. Check the network (only the npm registry is needed) and free disk space (1 GB), then run the same command again.');
  process.exit(1);
}

/** Deletes what never loads here: other platforms' model runtimes (240 MB), Node's headers and docs (60 MB). */
function prune() {
  const runtimes = join(MODULES, 'onnxruntime-node', 'bin');
  for (const abi of list(runtimes)) {
    for (const platform of list(join(runtimes, abi))) {
      for (const arch of list(join(runtimes, abi, platform))) {
        if (`${platform}-${arch}` !== PLATFORM) rmSync(join(runtimes, abi, platform, arch), { recursive: true, force: true });
      }
    }
  }
  const packages = join(MODULES, 'node', 'node_modules');
  for (const name of list(packages)) for (const part of ['include', 'share', 'lib']) rmSync(join(packages, name, part), { recursive: true, force: true });
}

function list(dir) {
  return existsSync(dir) ? readdirSync(dir, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name) : [];
}
