// Starts the built Worker in Miniflare on throw-away data for benches: bundle, migrations, one free port on loopback.
import { readFile, mkdtemp, rm, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { workerModules } from '../scripts/build.ts';

export const BENCH_TOKEN = 'bench-token';
/** Miniflare keeps each D1 and R2 under this id in its folder. */
const R2_NAME = 'jharokha-renditions';

/** A second Worker beside ours, for comparison: a module's source that gets the same R2 bucket as RENDITIONS. */
export interface Started { url: string; bareUrl: string | undefined; mf: Miniflare; stop(): Promise<void> }

/** `folder`: data that is kept, made where there is none. `entry`: a module's source that stands before ours and imports it as `./worker.js`. */
export async function startWorker(options: { bareScript?: string; folder?: string; entry?: string } = {}): Promise<Started> {
  const data = options.folder ?? await mkdtemp(join(tmpdir(), 'jharokha-bench-'));
  const entry = options.entry === undefined ? [] : [{ type: 'ESModule' as const, path: 'entry.js', contents: options.entry }];
  const common = { compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'], r2Buckets: { RENDITIONS: R2_NAME } };
  const workers = [{
    name: 'jharokha', modules: [...entry, ...await workerModules()], ...common,
    d1Databases: { DB: 'jharokha' }, durableObjects: { LINK: { className: 'AgentLink', useSQLite: true }, VECTORS: { className: 'VectorIndex', useSQLite: true }, TRANSFERS: { className: 'Transfers', useSQLite: true } },
    bindings: { JHAROKHA_LOCAL: '1', JHAROKHA_TOKEN: BENCH_TOKEN },
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  }];
  const bare = options.bareScript === undefined ? [] : [{ name: 'bare', modules: true, script: options.bareScript, ...common, unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] }];
  // One folder for D1, R2 and Durable Objects. The older per-product options (d1Persist and so on) are dropped in silence.
  const mf = new Miniflare({ ...convertV4MiniflareOptions({ host: '127.0.0.1', port: 0, workers: [...workers, ...bare] }), resourcePersistencePath: data });
  await mf.ready;
  const db = await mf.getD1Database('DB', 'jharokha');
  const made = options.folder !== undefined && (await db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'timeline_buckets'").first<number>('n')) === 1;
  if (!made) for (const name of (await readdir('migrations')).filter((n) => n.endsWith('.sql')).sort()) {
    const sql = await readFile(join('migrations', name), 'utf8');
    for (const statement of sql.replace(/^\s*--.*$/gm, '').split(';')) if (statement.trim()) await db.prepare(statement).run();
  }
  const url = (await mf.unsafeGetDirectURL('jharokha')).origin;
  return {
    url, mf, bareUrl: options.bareScript === undefined ? undefined : (await mf.unsafeGetDirectURL('bare')).origin,
    stop: async () => { await mf.dispose(); if (options.folder === undefined) await rm(data, { recursive: true, force: true }); },
  };
}
