// What the resolver is given: everything that is known of an asset, in three layers, with the stack that it stands in.
import type { AssetInput, OwnerFacts, ResolvedAsset } from '../../protocol/resolve.ts';
import type { AlbumImport, ImportFacts, TimeClaim } from '../../protocol/rows.ts';
import type { StackType } from '../../protocol/words.ts';
import { ITEM_COLUMNS } from './item-columns.ts';
import { readMark } from './owner-fields.ts';

// A change of one asset may show in those that it is stacked with: they are resolved with it.
export const STACKED_WITH_SQL = `SELECT s.primary_sha256 AS sha256 FROM json_each(?1) j CROSS JOIN stacks s ON s.member_sha256 = j.value
UNION SELECT s.member_sha256 FROM json_each(?1) j CROSS JOIN stacks s ON s.primary_sha256 = j.value`;

/** It is somewhere, and the owner has not trashed it: what is trashed no location brings back. */
const LOCATED = (sha256: string) => `(EXISTS (SELECT 1 FROM locations l WHERE l.sha256 = ${sha256}) AND NOT EXISTS (SELECT 1 FROM trashed tr WHERE tr.sha256 = ${sha256}))`;
// A primary that is somewhere, and is not itself shown under another: then the member stands under it. Two rows that
// point at each other show both, never none.
const HELD = (stack: string) => `${stack}.removed = 0 AND ${LOCATED(`${stack}.primary_sha256`)}
  AND NOT EXISTS (SELECT 1 FROM stacks up WHERE up.member_sha256 = ${stack}.primary_sha256 AND up.removed = 0 AND ${LOCATED('up.primary_sha256')})`;
/** One row a hash of `?1` (JSON list) that is an asset, with what `timeline_items` holds of it now (`t_…`). */
export const RESOLVE_INPUT_SQL = `SELECT a.asset_id, a.sha256, a.kind, a.width, a.height, a.duration_ms, a.color, a.grid_version, a.preview_version, a.proxy_version,
  a.gps_zone, a.time_claims, a.latitude, a.longitude, a.description, a.rating, a.tags, a.motion,
  ${LOCATED('a.sha256')} AS located,
  (SELECT json_group_array(json(said)) FROM (SELECT DISTINCT json_array(json(e.time_claims), json(e.imports), json(e.albums)) AS said
    FROM locations l CROSS JOIN evidence e ON e.volume_id = l.volume_id AND e.path = l.path WHERE l.sha256 = a.sha256)) AS evidence,
  c.favourite AS c_favourite, c.archived AS c_archived, c.rating AS c_rating, c.taken_at AS c_taken_at, c.utc_offset_minutes AS c_utc_offset_minutes, c.time_shift_s AS c_time_shift_s,
  c.latitude AS c_latitude, c.longitude AS c_longitude, c.no_position AS c_no_position, c.description AS c_description, c.tags AS c_tags, c.changed_at_ms AS c_changed_at_ms,
  (SELECT p.zone FROM places p WHERE p.cell = c.cell) AS c_zone,
  (SELECT json_group_array(json_array(m.layer, coalesce(b.import_key, b.album_key), b.title)) FROM album_assets m CROSS JOIN albums b ON b.album_id = m.album_id WHERE m.sha256 = a.sha256) AS memberships,
  s.type AS stack_type, s.primary_sha256 AS primary_sha256,
  (SELECT json_group_array(json_array(m.member_sha256, m.type, ma.proxy_version)) FROM stacks m JOIN assets ma ON ma.sha256 = m.member_sha256
    WHERE m.primary_sha256 = a.sha256 AND ${HELD('m')} AND ${LOCATED('m.member_sha256')}) AS members,
  ${ITEM_COLUMNS.map((c) => `t.${c} AS t_${c}`).join(', ')}
FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value
LEFT JOIN curation c ON c.sha256 = a.sha256
LEFT JOIN stacks s ON s.member_sha256 = a.sha256 AND ${HELD('s')}
LEFT JOIN timeline_items t ON t.asset_id = a.asset_id`;

export interface ResolveRow {
  asset_id: number; sha256: string; kind: string; width: number | null; height: number | null; duration_ms: number | null; color: string | null;
  grid_version: number; preview_version: number; proxy_version: number; located: number;
  stack_type: StackType | null; primary_sha256: string | null;
  /** Members that stand under it, and whose proxy moves when it is played: a live member's, or its own for a motion photo. */
  members: number; live_sha256: string | null; live_proxy_version: number;
  t_asset_id: number | null; t_month: number | null; t_tags: string | null; t_primary_sha256: string | null; t_sort_ms: number | null; t_square: number | null;
  /** Albums that an export put it into, as they are stored. */
  imported: AlbumImport[];
  input: Pick<AssetInput, 'file' | 'evidence' | 'owner' | 'albums'>;
}

/** Reads these hashes and those that are stacked with them, two steps far: a primary's primary decides whether it holds members. */
export async function readResolveInputs(db: D1Database, hashes: ReadonlySet<string>): Promise<Map<string, ResolveRow>> {
  const all = new Set(hashes);
  for (let step = 0, from = [...all]; step < 2 && from.length > 0; step += 1) {
    const { results } = await db.prepare(STACKED_WITH_SQL).bind(JSON.stringify(from)).all<{ sha256: string }>();
    from = results.map((r) => r.sha256).filter((sha256) => !all.has(sha256));
    for (const sha256 of from) all.add(sha256);
  }
  const { results } = await db.prepare(RESOLVE_INPUT_SQL).bind(JSON.stringify([...all])).all<Raw>();
  return new Map(results.map((raw) => [raw.sha256, toRow(raw)]));
}

export function toAssetInput(row: ResolveRow, still: ResolvedAsset | null, homeZone: string, nowMs: number): AssetInput {
  return { ...row.input, still, homeZone, nowMs };
}

interface Raw extends Omit<ResolveRow, 'members' | 'live_sha256' | 'live_proxy_version' | 'imported' | 'input'> {
  gps_zone: string | null; time_claims: string; latitude: number | null; longitude: number | null; description: string | null; rating: number | null; tags: string; motion: string | null;
  evidence: string; members: string; memberships: string;
  c_favourite: number | null; c_archived: number | null; c_rating: number | null; c_taken_at: string | null; c_utc_offset_minutes: number | null; c_time_shift_s: number | null;
  c_latitude: number | null; c_longitude: number | null; c_no_position: number | null; c_description: string | null; c_tags: string | null; c_changed_at_ms: number | null; c_zone: string | null;
}

function toRow(raw: Raw): ResolveRow {
  const members = JSON.parse(raw.members) as [string, StackType, number][];
  const live = members.filter(([, type]) => type === 'live').sort(([a], [b]) => (a < b ? -1 : 1))[0];
  const own = raw.motion === null ? undefined : [raw.sha256, raw.proxy_version] as const;
  const file = {
    time_claims: JSON.parse(raw.time_claims) as TimeClaim[], latitude: raw.latitude, longitude: raw.longitude, gps_zone: raw.gps_zone,
    description: raw.description, rating: raw.rating, tags: JSON.parse(raw.tags) as string[], duration_ms: raw.duration_ms,
  };
  const evidence = (JSON.parse(raw.evidence) as [TimeClaim[], ImportFacts[], AlbumImport[]][]).map(([time_claims, imports, albums]) => ({ time_claims, imports, albums }));
  const memberships = JSON.parse(raw.memberships) as [layer: 'import' | 'owner' | 'left', key: string, title: string][];
  const inLayer = (which: string): AlbumImport[] => memberships.filter(([layer]) => layer === which).map(([, key, title]) => ({ key, title }));
  return {
    ...raw, imported: inLayer('import'), members: members.length, live_sha256: live?.[0] ?? own?.[0] ?? null, live_proxy_version: live?.[2] ?? own?.[1] ?? 0,
    input: { file, evidence, owner: raw.c_changed_at_ms === null ? null : toOwner(raw), albums: { put: inLayer('owner'), left: inLayer('left').map((album) => album.key) } },
  };
}

function toOwner(raw: Raw): OwnerFacts {
  return {
    taken_at: raw.c_taken_at, utc_offset_minutes: raw.c_utc_offset_minutes, time_shift_s: raw.c_time_shift_s, latitude: raw.c_latitude, longitude: raw.c_longitude,
    no_position: raw.c_no_position === 1, description: raw.c_description, favourite: readMark(raw.c_favourite), archived: readMark(raw.c_archived), rating: raw.c_rating, zone: raw.c_zone,
    tags: JSON.parse(raw.c_tags ?? '{"add":[],"remove":[]}') as OwnerFacts['tags'],
  };
}
