// Runs the real command line as processes of its own, for tests that kill, restart and ask it like an owner would.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDataDir } from '../../agent/config.ts';
import type { AgentStatus } from '../../protocol/link.ts';
import { ListLine } from '../../protocol/list.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NODE = join(ROOT, 'node_modules/.bin/node');
const MAIN = join(ROOT, 'agent/start.mjs');
// No test may fetch a model of the search from the world: nothing answers at that port.
const ENV = { HF_ENDPOINT: 'http://127.0.0.1:9/', ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` };

export interface Up { child: ChildProcess; url: string; log(): string; ended: Promise<number | null> }

/** A port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    // Below the ports that systems give to outgoing connections: one of those could be taken again before it is used.
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const free = await new Promise<boolean>((done) => {
      const server = createServer();
      server.once('error', () => { done(false); });
      server.listen(port, '127.0.0.1', () => { server.close(() => { done(true); }); });
    });
    if (free) return port;
  }
}

/** Starts `up` in a process group of its own, so that a test can kill all of it or only the agent. Does not wait. */
export function startUp(dataDir: string, port: number, args: readonly string[] = [], env: Record<string, string> = {}): Up {
  const child = spawn(NODE, [MAIN, 'up', ...args, '--data', dataDir, '--port', String(port), '--no-open'], { cwd: ROOT, env: { ...ENV, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => { log += chunk.toString(); });
  return { child, url: `http://127.0.0.1:${port}`, log: () => log, ended: new Promise((done) => { child.once('exit', (code) => { done(code); }); }) };
}

export interface Health { ok: boolean; assets: number | null; scanning: boolean | null; agent: string; pending: { facts: number | null; previews: number | null; proxies: number | null; vectors: number | null } }

export async function fetchHealth(url: string): Promise<Health | undefined> {
  try { return await (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) })).json() as Health; } catch { return undefined; }
}

/** Waits until the agent is connected, has nothing to do, and has said so twice; fails with the log otherwise. */
export async function waitIdle(up: Up, timeoutMs = 120_000): Promise<Health> {
  const until = Date.now() + timeoutMs;
  for (let quiet = 0; ;) {
    const health = await fetchHealth(up.url);
    const idle = health?.agent === 'connected' && health.scanning === false && health.pending.facts === 0 && health.pending.previews === 0;
    quiet = idle ? quiet + 1 : 0;
    if (health && quiet >= 3) return health;
    if (up.child.exitCode !== null || up.child.signalCode !== null) throw new Error(`up ended with ${up.child.exitCode ?? up.child.signalCode ?? ''}:\n${up.log()}`);
    if (Date.now() > until) throw new Error(`not idle after ${timeoutMs} ms: ${JSON.stringify(health)}\n${up.log()}`);
    await sleep(200);
  }
}

/** Asks it to end as Ctrl-C does and waits. */
export async function stopUp(up: Up): Promise<number | null> {
  if (up.child.exitCode === null && up.child.signalCode === null && up.child.pid !== undefined) {
    process.kill(up.child.pid, 'SIGTERM');
  }
  const late = sleep(20_000, null, { ref: false }).then(() => { killGroup(up); return null; });
  return Promise.race([up.ended, late]);
}

/** SIGKILL for the whole group: agent, Worker and helpers at once, as when the machine's power goes. */
export function killGroup(up: Up): void {
  if (up.child.pid === undefined) return;
  try { process.kill(-up.child.pid, 'SIGKILL'); } catch { /* ended already */ }
}

/** SIGKILL for the agent alone: its Worker is left over. Returns false where it had not written its run file yet. */
export function killAgentOnly(dataDir: string): boolean {
  try {
    const run = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')) as { pid: number };
    process.kill(run.pid, 'SIGKILL');
    return true;
  } catch { return false; }
}

/** SIGKILL for the Worker alone, which the agent starts again. Returns false where there was none at that moment. */
export function killWorkerOnly(up: Up): boolean {
  const { stdout } = spawnSync('pgrep', ['-g', String(up.child.pid ?? 0), '-f', 'workerd serve'], { encoding: 'utf8' });
  const pids = stdout.split('\n').filter(Boolean).map(Number);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length > 0;
}

// Looks at a running instance without a process for each, for what is waited for; the commands themselves are run once.

/** What `status` tells; null where the agent is away. */
export async function fetchStatus(up: Up, dataDir: string): Promise<AgentStatus | null> {
  return ((await (await askApi(up, dataDir, '/api/status')).json()) as { status: AgentStatus | null }).status;
}

/** What `list --all` tells of a small library: the first page. */
export async function fetchList(up: Up, dataDir: string): Promise<ListLine[]> {
  const text = await (await askApi(up, dataDir, '/api/list?all=1')).text();
  return text.trim().split('\n').filter(Boolean).map((line) => ListLine.parse(JSON.parse(line)));
}

function askApi(up: Up, dataDir: string, path: string): Promise<Response> {
  return fetch(`${up.url}${path}`, { headers: { Authorization: `Bearer ${openDataDir(dataDir).token}` }, signal: AbortSignal.timeout(20_000) });
}

export interface Ran { code: number | null; stdout: string; stderr: string }

/** Runs one command to its end. */
export function runCommand(dataDir: string, args: readonly string[], env: Record<string, string> = {}): Ran {
  const done = spawnSync(NODE, [MAIN, ...args, '--data', dataDir], { cwd: ROOT, env: { ...ENV, ...env }, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024, timeout: 180_000 });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

/** The same without blocking, for commands that talk to an instance of this very process. */
export function runCommandAsync(dataDir: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = spawn(NODE, [MAIN, ...args, '--data', dataDir], { cwd: ROOT, env: { ...ENV, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (c: Buffer) => { stdout += c.toString(); });
  child.stderr.on('data', (c: Buffer) => { stderr += c.toString(); });
  return new Promise((done) => { child.once('close', (code) => { done({ code, stdout, stderr }); }); });
}
