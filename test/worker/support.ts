// What tests of the Worker share: a migrated database, calls through the whole Worker, and rows as an agent makes them.
import { applyD1Migrations } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { isFeeding } from '../../worker/search/feed.ts';
import type { AssetRow, Batch, EvidenceRow, LocationRow, ProblemRow, ScanRow, TimeClaim, VolumeRow } from '../../protocol/rows.ts';

export const TOKEN = 'test-token';
export const VOLUME = 'uuid:1111';

export async function migrate(): Promise<void> {
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
}

/** A request through the Worker's own entry, as from the page's own origin. */
export function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return exports.default.fetch(new Request(`http://127.0.0.1:8420${path}`, init));
}

/** The same with the agent's token. */
export function askAsAgent(path: string, init: RequestInit = {}): Promise<Response> {
  return ask(path, { ...init, headers: { Authorization: `Bearer ${TOKEN}`, ...(init.headers as Record<string, string> | undefined) } });
}

export function postJson(path: string, body: unknown): Promise<Response> {
  return askAsAgent(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
}

/** A feed of a test's library takes milliseconds; one that fails ends too. */
const SETTLE_MS = 10_000;

/** Waits until nothing feeds the search any more. Before the library is emptied (settle.ts does so after each test). */
export async function settleFeed(): Promise<void> {
  for (const until = Date.now() + SETTLE_MS; isFeeding(); ) {
    if (Date.now() > until) throw new Error('The search is still being fed.');
    await new Promise((done) => { setTimeout(done, 5); });
  }
}

export function hashOf(n: number): string {
  return n.toString(16).padStart(64, '0');
}

/** The asset as pages read it, or null where it is not shown. */
export async function item(n: number): Promise<Record<string, unknown> | null> {
  return env.DB.prepare('SELECT * FROM timeline_items WHERE sha256 = ?').bind(hashOf(n)).first<Record<string, unknown>>();
}

export function exif(wall: string, offset: number | null = null): TimeClaim {
  return { source: 'exif_original', wall, utc_ms: null, offset_minutes: offset, offset_source: offset === null ? null : 'exif' };
}

export function mtime(ms: number): TimeClaim {
  return { source: 'mtime', wall: null, utc_ms: ms, offset_minutes: null, offset_source: null };
}

export function asset(n: number, more: Partial<AssetRow> = {}): AssetRow {
  return {
    sha256: hashOf(n), revision: 1, kind: 'image', mime: 'image/jpeg', size_bytes: 1000 + n, width: 400, height: 300, duration_ms: null, color: '#aabbcc',
    camera: null, lens: null, exposure: null, latitude: null, longitude: null, gps_zone: null, content_identifier: null, motion: null, description: null, rating: null, tags: [], proxy_bytes: null,
    time_claims: [exif('2024-05-06T07:08:09', 120)], problems: [], facets: { facts: 1, grid: 2, preview: 0, proxy: 0 }, ...more,
  };
}

export function location(n: number, path: string, more: Partial<LocationRow> = {}): LocationRow {
  return { volume_id: VOLUME, path, revision: 1, sha256: hashOf(n), size_bytes: 1000 + n, mtime_ms: 1_700_000_000_000, fs_id: '1', inode: String(n), in_package: false, ...more };
}

export function evidence(path: string, more: Partial<EvidenceRow> = {}): EvidenceRow {
  return { volume_id: VOLUME, path, revision: 1, time_claims: [mtime(1_700_000_000_000)], imports: [], albums: [], ...more };
}

export function volume(more: Partial<VolumeRow> = {}): VolumeRow {
  return { volume_id: VOLUME, revision: 1, identity: 'uuid', label: 'Blue SSD', fs_type: 'exfat', capacity_bytes: 1e12, free_bytes: 5e11, read_only: false, ...more };
}

export function scan(more: Partial<ScanRow> = {}): ScanRow {
  return {
    scan_id: 's1', revision: 1, volume_id: VOLUME, root_id: 'r1', state: 'completed', started_ms: 1, ended_ms: 2, vanished: 0, reason: null,
    counts: { seen: 0, indexed: 0, changed: 0, moved: 0, unchanged: 0, duplicate: 0, sidecar: 0, ignored: 0, failed: 0 }, ...more,
  };
}

export function problem(path: string, more: Partial<ProblemRow> = {}): ProblemRow {
  return { volume_id: VOLUME, path, revision: 1, code: 'truncated', reason: 'ends too early', stage: 'decode', at_ms: 5, solved: false, ...more };
}

export function batch(seq: number, rows: Partial<Batch> = {}): Batch {
  return { protocol: 1, agent_id: 'a1', epoch: 'e1', seq, home_zone: 'Europe/Rome', volumes: [], roots: [], assets: [], locations: [], evidence: [], scans: [], problems: [], stacks: [], places: [], successors: [], near: [], ...rows };
}

/** Sends batches of one epoch with rising numbers, and fails the test unless each is taken. */
export function createSender(epoch = 'e1', agentId = 'a1'): (rows: Partial<Batch>) => Promise<{ acked_seq: number; rejected: { row: string; reason: string }[] }> {
  let seq = 0;
  return async (rows) => {
    seq += 1;
    const response = await postJson('/sync/batches', batch(seq, { epoch, agent_id: agentId, ...rows }));
    if (response.status !== 200) throw new Error(`batch ${seq}: ${response.status} ${await response.text()}`);
    return response.json();
  };
}

/** Everything that pages and lists read, without what differs by when or in which order things came. */
export async function librarySnapshot(): Promise<unknown> {
  const all = async (sql: string) => (await env.DB.prepare(sql).all()).results;
  return {
    items: await all('SELECT sha256, ratio, taken_at, taken_at_source, utc_offset_minutes, utc_offset_source, doubtful, sort_ms, month, day, shown, grid_version, preview_version FROM timeline_items ORDER BY sha256'),
    buckets: await all('SELECT month, count, days FROM timeline_buckets ORDER BY month'),
    locations: await all('SELECT volume_id, path, sha256, revision, missing_since_ms FROM locations ORDER BY volume_id, path'),
    unresolved: await all('SELECT * FROM unresolved'),
  };
}

export async function countRows(table: string): Promise<number> {
  return (await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<number>('n')) ?? 0;
}

/** The real database, which also sums the rows that D1 says each transaction wrote. */
export function meterWrites(db: D1Database): { db: D1Database; rowsWritten(): number } {
  let written = 0;
  const metered = new Proxy(db, {
    get(target, name) {
      if (name === 'batch') {
        return async (statements: D1PreparedStatement[]) => {
          const done = await target.batch(statements);
          for (const d of done) written += d.meta.rows_written;
          return done;
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { db: metered, rowsWritten: () => written };
}

/** The real database, where `then` runs once between the first read of `sql` and the moment its reader hears of it. */
export function interruptRead(db: D1Database, sql: string, then: () => Promise<unknown>): D1Database {
  let armed = true;
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => new Proxy(statement, {
    get(target, name) {
      if (name === 'bind') return (...values: unknown[]) => wrap(target.bind(...values));
      if (name === 'all') return async () => { const result = await target.all(); if (armed) { armed = false; await then(); } return result; };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return new Proxy(db, {
    get(target, name) {
      if (name === 'prepare') return (text: string) => (text === sql ? wrap(target.prepare(text)) : target.prepare(text));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
