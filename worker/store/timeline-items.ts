// From facts to what pages show: resolves every asset that ingest touched into timeline_items and rebuilds its months.
//
// Ingest commits rows first, and with them, in the same transaction, one `unresolved` row that names the touched hashes.
// The second transaction writes the resolver's answers and deletes that row. A crash between the two leaves the row, and
// whoever comes next (the repeated batch, any later one, the agent's first question) finishes the work: the library is
// the same as if nothing had happened. Two at once cannot write a stale answer: every statement of the second transaction
// holds only while `unresolved` is exactly what was read before the facts were.
import { ratioChar } from '../../protocol/layout.ts';
import { resolveTime } from '../../protocol/resolve.ts';
import type { TimeClaim } from '../../protocol/rows.ts';
import { wallMs } from '../../protocol/time.ts';
import { bulkUpsertSql } from '../db/bulk.ts';
import { parseClaims } from './assets.ts';
import { rebuildBuckets } from './buckets.ts';

/** Sorts after every real time when newest comes first: the least moment that JavaScript's Date knows. */
export const UNKNOWN_SORT_MS = -8_640_000_000_000_000;
/** Somebody else wrote in between, this many times in a row: then it is they who must finish. */
const MAX_ATTEMPTS = 20;
/** The zone when no agent has said one and the owner has set none. */
const DEFAULT_ZONE = 'UTC';

const COLUMNS = [
  'asset_id', 'sha256', 'kind', 'width', 'height', 'ratio', 'duration_ms', 'color', 'grid_version', 'preview_version', 'taken_at', 'taken_at_source',
  'doubtful', 'utc_offset_minutes', 'utc_offset_source', 'sort_ms', 'month', 'day', 'shown',
] as const;
type Item = Record<(typeof COLUMNS)[number], string | number | null> & { asset_id: number; month: number };

// What was read is still all there is.
const STILL = '(SELECT json_group_array(token ORDER BY token) FROM unresolved) = ?2';
const UPSERT_ITEMS = bulkUpsertSql({
  table: 'timeline_items', columns: COLUMNS, key: ['asset_id'],
  when: COLUMNS.slice(1).map((c) => `timeline_items.${c} IS NOT excluded.${c}`).join(' OR '),
}, STILL);
const DELETE_ITEMS = `DELETE FROM timeline_items WHERE asset_id IN (SELECT value FROM json_each(?1)) AND ${STILL}`;
const DELETE_UNRESOLVED = 'DELETE FROM unresolved WHERE (SELECT json_group_array(token ORDER BY token) FROM unresolved) = ?1';
const UNRESOLVED_SQL = 'SELECT token, sha256s FROM unresolved ORDER BY token';
export const RESOLVE_INPUT_SQL = `SELECT a.asset_id, a.sha256, a.kind, a.width, a.height, a.duration_ms, a.color, a.grid_version, a.preview_version, a.gps_zone, a.time_claims,
  (SELECT count(*) FROM (SELECT 1 FROM locations l WHERE l.sha256 = a.sha256 LIMIT 1)) AS located,
  (SELECT json_group_array(json(claims)) FROM (SELECT DISTINCT e.time_claims AS claims FROM locations l CROSS JOIN evidence e ON e.volume_id = l.volume_id AND e.path = l.path WHERE l.sha256 = a.sha256)) AS evidence,
  c.archived, c.taken_at AS owner_taken_at, c.utc_offset_minutes AS owner_offset,
  ${COLUMNS.map((c) => `t.${c} AS t_${c}`).join(', ')}
FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value
LEFT JOIN curation c ON c.sha256 = a.sha256
LEFT JOIN timeline_items t ON t.asset_id = a.asset_id`;

interface Input {
  asset_id: number; sha256: string; kind: string; width: number | null; height: number | null; duration_ms: number | null; color: string | null;
  grid_version: number; preview_version: number; gps_zone: string | null; time_claims: string; located: number; evidence: string;
  archived: number | null; owner_taken_at: string | null; owner_offset: number | null;
  t_asset_id: number | null; t_month: number | null;
}

/** Says in the caller's transaction that these hashes must be resolved again. */
export function markUnresolved(db: D1Database, sha256s: Iterable<string>): D1PreparedStatement {
  return db.prepare('INSERT INTO unresolved (token, sha256s) VALUES (?1, ?2)').bind(crypto.randomUUID(), JSON.stringify([...sha256s]));
}

/** Resolves all that is marked. Returns whether anything that pages show has changed. Idempotent; safe to run twice at once. */
export async function resolveMarked(db: D1Database, nowMs: number): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const [marked, zone] = await db.batch<{ token: string; sha256s: string; value: string }>([
      db.prepare(UNRESOLVED_SQL), db.prepare("SELECT value FROM settings WHERE key = 'home_zone'"),
    ]);
    if (!marked || marked.results.length === 0) return false;
    const tokens = JSON.stringify(marked.results.map((r) => r.token));
    const hashes = new Set(marked.results.flatMap((r) => JSON.parse(r.sha256s) as string[]));
    const { results } = await db.prepare(RESOLVE_INPUT_SQL).bind(JSON.stringify([...hashes])).all<Input>();
    const plan = planWrites(results, zone?.results[0]?.value ?? DEFAULT_ZONE, nowMs);

    const statements: D1PreparedStatement[] = [];
    if (plan.items.length > 0) statements.push(db.prepare(UPSERT_ITEMS).bind(JSON.stringify(plan.items.map((item) => COLUMNS.map((c) => item[c]))), tokens));
    if (plan.gone.length > 0) statements.push(db.prepare(DELETE_ITEMS).bind(JSON.stringify(plan.gone), tokens));
    // Without a condition of their own: built from timeline_items as they then are, they are right whoever wrote those.
    if (plan.months.size > 0) statements.push(...rebuildBuckets(db, [...plan.months], nowMs));
    statements.push(db.prepare(DELETE_UNRESOLVED).bind(tokens));
    const done = await db.batch(statements);
    if ((done.at(-1)?.meta.changes ?? 0) > 0) return plan.items.length > 0 || plan.gone.length > 0;
  }
  return true;
}

function planWrites(inputs: readonly Input[], homeZone: string, nowMs: number): { items: Item[]; gone: number[]; months: Set<number> } {
  const items: Item[] = [];
  const gone: number[] = [];
  const months = new Set<number>();
  for (const input of inputs) {
    // Missing locations count: missing deletes nothing (promise 2). None at all means that the content is nowhere any more.
    if (input.located === 0) {
      if (input.t_asset_id !== null) { gone.push(input.t_asset_id); months.add(input.t_month ?? 0); }
      continue;
    }
    const item = resolveItem(input, homeZone, nowMs);
    const before = input as unknown as Record<string, unknown>;
    const changed = COLUMNS.filter((c) => before[`t_${c}`] !== item[c]);
    if (changed.length === 0) continue;
    items.push(item);
    if (!changed.some((c) => c === 'ratio' || c === 'sort_ms' || c === 'shown')) continue;
    months.add(item.month);
    if (input.t_month !== null) months.add(input.t_month);
  }
  return { items, gone, months };
}

function resolveItem(input: Input, homeZone: string, nowMs: number): Item {
  const claims: TimeClaim[] = [...parseClaims(input.time_claims), ...(JSON.parse(input.evidence) as TimeClaim[][]).flat()];
  if (input.owner_taken_at !== null) {
    claims.push({ source: 'owner', wall: input.owner_taken_at, utc_ms: null, offset_minutes: input.owner_offset, offset_source: input.owner_offset === null ? null : 'owner' });
  }
  const time = resolveTime({ claims, gpsZone: input.gps_zone, homeZone, nowMs });
  const sortMs = time.takenAt === null ? undefined : wallMs(time.takenAt);
  const day = time.takenAt === null || sortMs === undefined ? 0 : Number(time.takenAt.slice(0, 10).replaceAll('-', ''));
  return {
    asset_id: input.asset_id, sha256: input.sha256, kind: input.kind, width: input.width, height: input.height, ratio: ratioChar(input.width, input.height),
    duration_ms: input.duration_ms, color: input.color, grid_version: input.grid_version, preview_version: input.preview_version,
    taken_at: time.takenAt, taken_at_source: time.source, doubtful: time.doubtful ? 1 : 0, utc_offset_minutes: time.offsetMinutes, utc_offset_source: time.offsetSource,
    sort_ms: sortMs ?? UNKNOWN_SORT_MS, month: Math.floor(day / 100), day, shown: input.archived === 1 ? 0 : 1,
  };
}
