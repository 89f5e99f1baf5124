// Who holds a data folder, and where it can be reached: a lock that dies with its process, and a run file that says
// the address. Also ends a Worker process that a killed start left behind.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';

const RunFile = z.object({ pid: z.int(), url: z.string(), started_ms: z.int(), worker_processes: z.array(z.object({ pid: z.int(), started: z.string() })) });
export type RunFile = z.infer<typeof RunFile>;

export interface DataLock { release(): void }

/**
 * Takes the data folder's lock, or undefined when another process holds it. It is an SQLite write lock on a file of its
 * own, so the system drops it however the process ends; a pid file would outlive a SIGKILL.
 */
export function takeLock(dataDir: string): DataLock | undefined {
  const db = new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (at INTEGER);');
  } catch (error) {
    db.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) return undefined;
    throw error;
  }
  return { release: () => { db.close(); } };
}

/** The run file, or undefined where there is none or it cannot be understood. */
export function readRunFile(dataDir: string): RunFile | undefined {
  try {
    const parsed = RunFile.safeParse(JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch { return undefined; }
}

/** Says where this process can be reached, with the Worker processes that it started. Whole or not at all. */
export function writeRunFile(dataDir: string, url: string): void {
  const run: RunFile = { pid: process.pid, url, started_ms: Date.now(), worker_processes: childWorkers(process.pid) };
  writeFileSync(join(dataDir, 'run.json.tmp'), JSON.stringify(run), { mode: 0o600 });
  renameSync(join(dataDir, 'run.json.tmp'), join(dataDir, 'run.json'));
}

export function removeRunFile(dataDir: string): void { rmSync(join(dataDir, 'run.json'), { force: true }); }

/**
 * Ends Worker processes that a killed start left over. Call with the lock held. A process is ended only if the run file
 * names it, it is a workerd, and it began at the recorded time: a pid that was given away since is left alone.
 */
export async function endLeftovers(dataDir: string): Promise<number> {
  const run = readRunFile(dataDir);
  if (!run) return 0;
  let ended = 0;
  for (const left of run.worker_processes) {
    if (!isSameWorker(left)) continue;
    try { process.kill(left.pid, 'SIGTERM'); } catch { continue; }
    ended += 1;
    for (let i = 0; i < 40 && isSameWorker(left); i += 1) {
      if (i === 20) { try { process.kill(left.pid, 'SIGKILL'); } catch { /* gone already */ } }
      await new Promise((done) => { setTimeout(done, 50); });
    }
  }
  removeRunFile(dataDir);
  return ended;
}

function isSameWorker(left: { pid: number; started: string }): boolean {
  return processes().some((p) => p.pid === left.pid && p.started === left.started && /workerd|wrangler/.test(p.command));
}

function childWorkers(parent: number): { pid: number; started: string }[] {
  const all = processes();
  const found: { pid: number; started: string }[] = [];
  const parents = new Set([parent]);
  // Two generations: wrangler starts workerd itself.
  for (let round = 0; round < 4; round += 1) {
    for (const p of all) {
      if (!parents.has(p.parent) || parents.has(p.pid)) continue;
      parents.add(p.pid);
      if (/workerd|wrangler/.test(p.command)) found.push({ pid: p.pid, started: p.started });
    }
  }
  return found;
}

interface Process { pid: number; parent: number; started: string; command: string }

/** Every process, as `ps` prints it on Linux and macOS alike; empty where there is no ps. */
function processes(): Process[] {
  if (process.platform === 'linux') return linuxProcesses();
  let text: string;
  try { text = execFileSync('ps', ['-axo', 'pid=,ppid=,lstart=,command='], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } }); } catch { return []; }
  return parsePs(text);
}

/** `ps -axo pid=,ppid=,lstart=,command=`: lstart is five words in the C locale. */
export function parsePs(text: string): Process[] {
  const out: Process[] = [];
  for (const line of text.split('\n')) {
    const m = /^\s*(\d+)\s+(\d+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line);
    if (m) out.push({ pid: Number(m[1]), parent: Number(m[2]), started: m[3] as string, command: m[4] as string });
  }
  return out;
}

/** Linux from /proc: a minimal system has no ps. Field 22 of stat is the start time in ticks since boot. */
function linuxProcesses(): Process[] {
  const out: Process[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      out.push({ pid: Number(entry), parent: Number(fields[1]), started: fields[19] ?? '', command: readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ') });
    } catch { /* ended meanwhile */ }
  }
  return out;
}
