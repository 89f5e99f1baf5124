// Runs the Worker for this process: in Miniflare (npm start) or in wrangler dev (npm run dev), on the same data.
// Binds to loopback only, migrates before anything is served, and knows nothing of what the Worker does.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError, reason } from '../config.ts';
import { qdrantOf } from './vector-engine.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const LOOPBACK = '127.0.0.1';
/** wrangler gives up on slow machines late; first builds take some 10 s on two busy cores. */
const DEV_READY_MS = 60_000;

export interface WorkerHost {
  url: string;
  /** Resolves when the Worker ends by itself, with the reason. */
  ended: Promise<string>;
  close(): Promise<void>;
}

export interface HostOptions { dataDir: string; port: number; token: string }

/** Throws CommandError when `port` is taken, and says what to do. Port 0 is always free. */
export async function assertPortFree(port: number): Promise<void> {
  if (port === 0) return;
  await new Promise<void>((done, fail) => {
    const probe = createServer();
    probe.once('error', (error) => {
      const taken = 'code' in error && error.code === 'EADDRINUSE';
      fail(new CommandError(taken ? `Port ${port} is taken by another program. Choose another: npm start -- --port ${port + 1}` : `Cannot listen on ${LOOPBACK}:${port}: ${reason(error)}.`));
    });
    probe.listen(port, LOOPBACK, () => { probe.close(() => { done(); }); });
  });
}

/** Waits up to `patienceMs` for a port whose holder was just ended: the system closes its sockets after it is gone from the list of processes. */
export async function waitForPort(port: number, patienceMs: number): Promise<void> {
  const until = Date.now() + patienceMs;
  while (Date.now() < until) {
    if (await assertPortFree(port).then(() => true, () => false)) return;
    await new Promise((done) => { setTimeout(done, 50); });
  }
}

/** Where Miniflare and wrangler both keep D1, R2 and Durable Objects: wrangler appends `v3` to --persist-to itself. */
function persistTo(dataDir: string): string { return join(dataDir, 'worker'); }

async function createMiniflare(options: HostOptions, serve: boolean) {
  const [{ Miniflare, convertV4MiniflareOptions, Log, LogLevel }, { workerModules }] = await Promise.all([import('miniflare'), import('../../scripts/build.ts')]);
  // Its own goes to stdout, which is the command's answer alone.
  class StderrLog extends Log { protected override log(message: string): void { process.stderr.write(`${message}\n`); } }
  const mf = new Miniflare(convertV4MiniflareOptions({
    name: 'jharokha', host: LOOPBACK, port: serve ? options.port : 0, log: new StderrLog(LogLevel.ERROR),
    modules: await workerModules(),
    compatibilityDate: tomlValue('compatibility_date'), compatibilityFlags: ['nodejs_compat'],
    d1Databases: { DB: tomlValue('database_id') }, r2Buckets: { RENDITIONS: tomlValue('bucket_name') },
    // Else Miniflare forgets an object that nobody asked for 10 s, and each search after a pause reads all vectors anew (ADR 12).
    durableObjects: { LINK: { className: 'AgentLink', useSQLite: true }, VECTORS: { className: 'VectorIndex', useSQLite: true, unsafePreventEviction: true }, TRANSFERS: { className: 'Transfers', useSQLite: true } },
    bindings: bindingsOf(options),
    resourcePersistencePath: join(persistTo(options.dataDir), 'v3'),
  }));
  return mf;
}

/** What the Worker is told. Two of them are secrets: nothing prints these. */
function bindingsOf(options: HostOptions): Record<string, string> {
  const qdrant = qdrantOf(process.env);
  return { JHAROKHA_LOCAL: '1', JHAROKHA_TOKEN: options.token, ...(qdrant ? { QDRANT_URL: qdrant.url } : {}), ...(qdrant?.apiKey ? { QDRANT_API_KEY: qdrant.apiKey } : {}) };
}

/** One value of wrangler.toml, so that both ways of running name the same database and bucket. */
function tomlValue(key: string): string {
  const match = new RegExp(`^${key}\\s*=\\s*"([^"]+)"`, 'm').exec(readFileSync(join(ROOT, 'wrangler.toml'), 'utf8'));
  if (!match?.[1]) throw new Error(`wrangler.toml has no ${key}`);
  return match[1];
}

/** Starts the Worker in Miniflare; `port` 0 takes a free one. Resolves when it is migrated and answers. */
export async function startMiniflare(options: HostOptions): Promise<WorkerHost> {
  await assertPortFree(options.port);
  const mf = await createMiniflare(options, true);
  try {
    const url = await mf.ready;
    await migrate(await mf.getD1Database('DB'));
    return { url: url.origin, ended: new Promise(() => {}), close: () => mf.dispose() };
  } catch (error) {
    await mf.dispose();
    throw error;
  }
}

/** Starts `wrangler dev` on the same data, with reload on change. */
export async function startWranglerDev(options: HostOptions): Promise<WorkerHost> {
  await assertPortFree(options.port);
  const mf = await createMiniflare(options, false);
  await mf.ready;
  await migrate(await mf.getD1Database('DB'));
  await mf.dispose();
  const child = spawn(join(ROOT, 'node_modules/.bin/wrangler'), [
    'dev', '--ip', LOOPBACK, '--port', String(options.port), '--persist-to', persistTo(options.dataDir), '--show-interactive-dev-session=false',
    ...Object.entries(bindingsOf(options)).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
  ], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' } });
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { tail = (tail + chunk.toString()).slice(-4_000); process.stderr.write(chunk); });
  const ended = new Promise<string>((done) => { child.once('exit', (code) => { done(`wrangler dev ended with code ${code}`); }); });
  const url = `http://${LOOPBACK}:${options.port}`;
  const close = async () => { child.kill('SIGTERM'); await ended; };
  const until = Date.now() + DEV_READY_MS;
  for (;;) {
    if (child.exitCode !== null) throw new CommandError(`wrangler dev did not start:\n${tail}`);
    const up = await fetch(`${url}/healthz`).then((r) => r.ok, () => false);
    if (up) return { url, ended, close };
    if (Date.now() > until) { await close(); throw new CommandError(`wrangler dev did not answer within ${DEV_READY_MS / 1000} s:\n${tail}`); }
    await new Promise((done) => { setTimeout(done, 200); });
  }
}

interface Database { prepare(sql: string): { bind(...values: unknown[]): { run(): Promise<unknown> }; all<T>(): Promise<{ results: T[] }>; run(): Promise<unknown> }; batch(statements: never[]): Promise<unknown> }

/**
 * Applies migrations/ in order, each once, in wrangler's own table so that `wrangler d1 migrations` agrees. A database
 * that a newer version migrated is refused untouched.
 */
export async function migrate(db: unknown): Promise<void> {
  const d1 = db as Database;
  await d1.prepare('CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)').run();
  const applied = new Set((await d1.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()).results.map((r) => r.name));
  const files = readdirSync(join(ROOT, 'migrations')).filter((f) => f.endsWith('.sql')).sort();
  for (const name of applied) {
    if (!files.includes(name)) throw new CommandError(`The library was migrated by a newer Jharokha (${name}). Update Jharokha, or choose another folder with --data DIR. Nothing was changed.`);
  }
  for (const file of files) {
    if (applied.has(file)) continue;
    const statements = splitStatements(readFileSync(join(ROOT, 'migrations', file), 'utf8'));
    const batch = [...statements.map((sql) => d1.prepare(sql)), d1.prepare('INSERT INTO d1_migrations (name) VALUES (?1)').bind(file)];
    await d1.batch(batch as never[]);
  }
}

/** Statements of a migration: split at semicolons that end a line, outside of trigger bodies (BEGIN … END;). */
export function splitStatements(sql: string): string[] {
  const out: string[] = [];
  let current = '';
  for (const line of sql.split('\n')) {
    const bare = line.replace(/--.*$/, '');
    if (!bare.trim()) continue;
    current += `${bare}\n`;
    const inTrigger = /\bBEGIN\b/i.test(current) && !/\bEND\s*;\s*$/i.test(current);
    if (/;\s*$/.test(bare) && !inTrigger) { out.push(current.trim()); current = ''; }
  }
  if (current.trim()) out.push(current.trim());
  return out;
}
