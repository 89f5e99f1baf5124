// `npm test`: everything that must hold, in the order in which it fails soonest. `--only check` leaves the tests out.
// Installs what tests need of the system where it may (Debian, as root): a browser, without which the browser tests fail and say so, and
// exFAT, without which its tests are skipped and say so.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findBrowser } from '../test/support/browser.ts';
import { buildStatic, buildWorker } from './build.ts';

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;
const failures: string[] = [];

function run(title: string, command: string, args: string[]): boolean {
  const started = Date.now();
  console.log(`\n── ${title}`);
  const done = spawnSync(command, args, { stdio: 'inherit' });
  const ok = done.status === 0;
  console.log(`${ok ? '✓' : '✗'} ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) failures.push(title);
  return ok;
}

function hasBrowser(): boolean {
  try { return findBrowser() !== ''; } catch { return false; }
}

function ensurePackages(): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const packages = [...(hasBrowser() ? [] : ['chromium', 'fonts-dejavu-core']), ...(existsSync('/usr/sbin/mkfs.exfat') ? [] : ['exfatprogs', 'exfat-fuse'])];
  if (packages.length === 0) return;
  console.log(`Installing ${packages.join(', ')}…`);
  const apt = (...args: string[]) => spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  apt('update', '-qq');
  apt('install', '-y', '-qq', '--no-install-recommends', ...packages);
}

await buildStatic();
run('Types: agent, protocol, tests', 'tsc', ['-p', 'tsconfig.json']);
run('Types: Worker and views', 'tsc', ['-p', 'worker/tsconfig.json']);
run('Types: islands', 'tsc', ['-p', 'views/client/tsconfig.json']);
run('Types: service worker', 'tsc', ['-p', 'views/offline/tsconfig.json']);
run('Lint', 'oxlint', ['--quiet', '.']);
if (only !== 'check') {
  ensurePackages();
  await buildWorker();
  run('Tests', 'vitest', ['run']);
}
console.log(failures.length === 0 ? '\nAll well.' : `\nFailed: ${failures.join(', ')}`);
process.exit(failures.length === 0 ? 0 : 1);
