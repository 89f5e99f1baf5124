// The real site for tests and for looking: the built Worker in Miniflare with real D1 and R2, on throw-away data and a free port.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { workerModules } from '../../scripts/build.ts';

export const SITE_TOKEN = 'token-of-a-test';
const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url));

/** `put` lays an object into R2, and `sql` writes into D1, past every check of the sync. */
export interface Site { url: string; sql(text: string): Promise<Record<string, unknown>[]>; put(key: string, bytes: Uint8Array): Promise<void>; stop(): Promise<void> }

/** Starts a site without any data; `port` 0 is any free one. `alter` makes another build of its script and its service worker. */
export async function startSite(port = 0, alter: (code: string) => string = (code) => code): Promise<Site> {
  const data = await mkdtemp(join(tmpdir(), 'jharokha-site-'));
  const mf = new Miniflare(convertV4MiniflareOptions({
    host: '127.0.0.1', port, name: 'jharokha', modules: (await workerModules()).map((module) => (typeof module.contents === 'string' ? { ...module, contents: alter(module.contents) } : module.path === 'sw.bin' ? { ...module, contents: new TextEncoder().encode(alter(new TextDecoder().decode(module.contents))) } : module)), compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'],
    d1Databases: { DB: 'jharokha' }, r2Buckets: { RENDITIONS: 'jharokha-renditions' }, durableObjects: { LINK: { className: 'AgentLink', useSQLite: true }, VECTORS: { className: 'VectorIndex', useSQLite: true }, TRANSFERS: { className: 'Transfers', useSQLite: true } },
    bindings: { JHAROKHA_LOCAL: '1', JHAROKHA_TOKEN: SITE_TOKEN },
    defaultPersistRoot: data, d1Persist: join(data, 'd1'), r2Persist: join(data, 'r2'), durableObjectsPersist: join(data, 'do'),
  }));
  const url = (await mf.ready).origin;
  const db = await mf.getD1Database('DB');
  for (const name of (await readdir(MIGRATIONS)).filter((each) => each.endsWith('.sql')).sort()) {
    const sql = (await readFile(join(MIGRATIONS, name), 'utf8')).replace(/^\s*--.*$/gm, '');
    for (const statement of sql.split(';')) if (statement.trim()) await db.prepare(statement).run();
  }
  const bucket = await mf.getR2Bucket('RENDITIONS');
  return { url, sql: async (text) => (await db.prepare(text).all()).results, put: async (key, bytes) => { await bucket.put(key, bytes); }, stop: async () => { await mf.dispose(); await rm(data, { recursive: true, force: true }); } };
}
