// The queries' two promises to the database: drizzle's tables are the migrations', and no query walks a big table.
import { env } from 'cloudflare:workers';
import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as schema from '../../worker/db/schema.ts';
import { CHANGED_ASSETS_SQL } from '../../worker/store/assets.ts';
import { ALBUM_LIST_SQL } from '../../worker/store/albums.ts';
import { COUNT_SHOWN_SQL, DROP_EMPTY_BUCKETS_SQL, REBUILD_BUCKETS_SQL } from '../../worker/store/buckets.ts';
import { LIST_KNOWN_SQL, LIST_TRASHED_SQL, LIST_UNKNOWN_SQL } from '../../worker/store/list.ts';
import { CHANGED_EVIDENCE_SQL, CHANGED_LOCATIONS_SQL, KNOWN_LOCATIONS_SQL } from '../../worker/store/locations.ts';
import { DELETE_SOLVED_SQL, LIST_PROBLEMS_SQL } from '../../worker/store/problems.ts';
import { ADD_COUNTS_SQL, DELETE_COPIES_SQL, UPSERT_COPIES_SQL } from '../../worker/store/asset-copies.ts';
import { ALBUM_ORIGINALS_SQL, ALBUMS_KEPT_SQL, COUNTS_SQL, DAMAGED_SQL, DRIVE_COUNTS_SQL, ONLY_COUNTS_SQL, ORIGINALS_SQL, YEARS_SQL } from '../../worker/store/copies.ts';
import { duplicatesSql, PATHS_SQL } from '../../worker/store/duplicates.ts';
import { KEEP_WHOLE_SQL, NEAR_MEMBERS_SQL, NEAR_SQL, REFRESH_NEAR_OF_SQL, REFRESH_NEAR_SQL } from '../../worker/store/near.ts';
import { DELETE_MOVED_EVIDENCE_SQL, DELETE_MOVED_SQL, MARK_GONE_SQL, MARK_MISSING_SQL, MOVED_SQL } from '../../worker/store/scans.ts';
import { ALBUMS_SQL } from '../../worker/store/album-pages.ts';
import { CITIES_SQL, COUNTRIES_SQL, COUNTRY_NAME_SQL, NAMELESS_SQL, UNNAMED_SQL } from '../../worker/store/place-pages.ts';
import { BETWEEN_SQL, BUCKETS_SQL, CUTS_SQL, DAY_PLACES_SQL, layoutSql, RUN_SQL } from '../../worker/store/layouts.ts';
import { HASHES_SQL, NEWER_SQL, OLDER_SQL, RATIOS_SQL } from '../../worker/store/timeline.ts';
import { countSql, GRID_KINDS, gridSql, OWN_KEY_SQL, VERIFIED_KEY_SQL } from '../../worker/store/grids.ts';
import { BESIDE_SQL, CLEAR_MEMBERS_SQL, KEY_OF_SQL, numberSql } from '../../worker/store/album-order.ts';
import { HAS_BELOW_SQL, MISSING_SQL, SUBFOLDERS_SQL } from '../../worker/store/folder-pages.ts';
import { TAG_COUNTS_SQL } from '../../worker/store/tag-pages.ts';
import { COVERS_SQL, NEWEST_CHILDREN_SQL, NEWEST_IN_SQL, SQUARES_SQL, TOTAL_SQL } from '../../worker/store/map.ts';
import { COUNT_FINEST_SQL, countParentsSql } from '../../worker/store/map-squares.ts';
import { ASSET_ALBUMS_SQL, DETAIL_SQL, STACK_SQL } from '../../worker/store/viewer.ts';
import { EDITS_SQL, scopeSql, undoSql } from '../../worker/store/corrections.ts';
import { HOME_ITEMS_SQL } from '../../worker/store/settings.ts';
import { COUNT_ASSETS_SQL, COUNT_MEMBERS_SQL } from '../../worker/store/curation-import.ts';
import { EXPORT_ASSETS_SQL, EXPORT_MEMBERS_SQL } from '../../worker/store/curation-export.ts';
import { ALONG_SQL, HAND_FIELDS_SQL, HAND_KEPT_SQL, HAND_MEMBERS_SQL, HAND_ROWS_SQL, HAND_SHOWN_SQL, TAKE_SQL, WAITING_SQL } from '../../worker/store/successors.ts';
import { CHANGED_STACKS_SQL } from '../../worker/store/stacks.ts';
import { WAITING_FOR_ZONE_SQL, WANTED_SQL } from '../../worker/store/places.ts';
import { RESOLVE_INPUT_SQL, STACKED_WITH_SQL } from '../../worker/store/resolve-input.ts';
import { CAMERAS_SQL, DAYS_SQL, NAMED_PLACES_SQL, PEOPLE_SQL, TAGS_SQL, TITLES_SQL } from '../../worker/store/vocabulary.ts';
import { ORDERS_SQL, OPEN_ORDERS_SQL, OUTCOMES_SQL, RECEIPTS_SQL, VERIFIED_SQL } from '../../worker/store/orders.ts';
import { AT_PATH_SQL, BELOW_PATH_SQL, ELSEWHERE_SQL, TRASHED_AT_SQL } from '../../worker/store/paths.ts';
import { DROP_EVIDENCE_SQL, DROP_LOCATIONS_SQL, MARK_TRASHED_SQL, TRASH_SQL } from '../../worker/store/trash.ts';
import { migrate } from './support.ts';

beforeAll(migrate);

describe('schema.ts', () => {
  it('has every table and column of the migrations, with type, null and key', async () => {
    // FTS5 tables (and those that SQLite keeps for them) are derived and unknown to drizzle.
    const { results } = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'search_words*' AND name NOT GLOB 'search_names*' AND name <> 'd1_migrations' ORDER BY name").all<{ name: string }>();
    const tables = (Object.values(schema) as SQLiteTable[]).map((t) => getTableConfig(t)).sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(tables.map((t) => t.name)).toEqual(results.map((r) => r.name));
    for (const table of tables) {
      const { results: columns } = await env.DB.prepare(`SELECT name, type, "notnull" AS required, pk FROM pragma_table_info('${table.name}')`).all<{ name: string; type: string; required: number; pk: number }>();
      const key = new Set(table.primaryKeys.flatMap((k) => k.columns.map((c) => c.name)));
      expect(table.columns.map((c) => [c.name, c.getSQLType().toUpperCase(), c.primary || key.has(c.name)])).toEqual(columns.map((c) => [c.name, c.type, c.pk > 0]));
      for (const column of columns) if (column.pk === 0) expect(table.columns.find((c) => c.name === column.name)?.notNull, `${table.name}.${column.name}`).toBe(column.required === 1);
    }
  });
});

/** Tables that grow with the library; the others hold tens of rows. */
const BIG = ['assets', 'locations', 'evidence', 'timeline_items', 'problems', 'curation', 'r', 'a', 'l', 'o', 'e', 't', 'p', 'c', 's', 'v', 'm', 'up', 'ma', 'stacks', 'places', 'album_assets', 'asset_tags', 'g', 'edit_rows', 'map_squares', 'n', 'receipts', 'trash_files', 'trashed', 'tr', 'tf', 'asset_copies', 'copy_counts', 'near', 'near_kept', 'nk'];

const QUERIES: Record<string, string> = {
  ORDERS_SQL, OPEN_ORDERS_SQL, OUTCOMES_SQL, RECEIPTS_SQL, VERIFIED_SQL, AT_PATH_SQL, BELOW_PATH_SQL, ELSEWHERE_SQL, TRASHED_AT_SQL, DROP_EVIDENCE_SQL, DROP_LOCATIONS_SQL, MARK_TRASHED_SQL, TRASH_SQL,
  CHANGED_ASSETS_SQL, CHANGED_LOCATIONS_SQL, CHANGED_EVIDENCE_SQL, KNOWN_LOCATIONS_SQL, RESOLVE_INPUT_SQL, STACKED_WITH_SQL, CHANGED_STACKS_SQL, WANTED_SQL, WAITING_FOR_ZONE_SQL, REBUILD_BUCKETS_SQL, DROP_EMPTY_BUCKETS_SQL, COUNT_SHOWN_SQL,
  OLDER_SQL, NEWER_SQL, HASHES_SQL, RATIOS_SQL, BUCKETS_SQL, RUN_SQL, CUTS_SQL, BETWEEN_SQL, DAY_PLACES_SQL, ...Object.fromEntries(GRID_KINDS.map((kind) => [`LAYOUT_${kind}`, layoutSql(kind)])),
  LIST_KNOWN_SQL, LIST_UNKNOWN_SQL, LIST_PROBLEMS_SQL, DELETE_SOLVED_SQL, MOVED_SQL, DELETE_MOVED_SQL, DELETE_MOVED_EVIDENCE_SQL, MARK_MISSING_SQL,
  COUNTRIES_SQL, CITIES_SQL, COUNTRY_NAME_SQL, UNNAMED_SQL, NAMELESS_SQL, ALBUMS_SQL, DETAIL_SQL, STACK_SQL, ASSET_ALBUMS_SQL,
  ...Object.fromEntries(GRID_KINDS.flatMap((kind) => [[`GRID_${kind}`, gridSql(kind, 'following')], [`GRID_${kind}_BACK`, gridSql(kind, 'preceding')], [`GRID_${kind}_COUNT`, countSql(kind)]])),
  OWN_KEY_SQL, KEY_OF_SQL, BESIDE_SQL, CLEAR_MEMBERS_SQL, NUMBER: numberSql('oldest'), NUMBER_OWN: numberSql('own'), SUBFOLDERS_SQL, MISSING_SQL, HAS_BELOW_SQL, TAG_COUNTS_SQL,
  SQUARES_SQL, TOTAL_SQL, COVERS_SQL, NEWEST_CHILDREN_SQL, NEWEST_IN_SQL, COUNT_FINEST_SQL, COUNT_PARENTS: countParentsSql(4),
  EDITS_SQL, DAY_SCOPE: scopeSql({ kind: 'day', day: 20240506 }).sql, CAMERA_SCOPE: scopeSql({ kind: 'camera', camera: 'x', from: null, to: null }).sql,
  PLACE_SCOPE: scopeSql({ kind: 'place', country_code: 'IT', region: null, city: 'x' }).sql, ASSETS_SCOPE: scopeSql({ kind: 'assets', sha256s: [] }).sql,
  COUNT_ASSETS_SQL, COUNT_MEMBERS_SQL, EXPORT_ASSETS_SQL, EXPORT_MEMBERS_SQL, ALONG_SQL, HAND_FIELDS_SQL, HAND_KEPT_SQL, HAND_MEMBERS_SQL, HAND_ROWS_SQL, HAND_SHOWN_SQL, TAKE_SQL, WAITING_SQL,
  ADD_COUNTS_SQL, DELETE_COPIES_SQL, UPSERT_COPIES_SQL, MARK_GONE_SQL, COUNTS_SQL, DRIVE_COUNTS_SQL, ONLY_COUNTS_SQL, YEARS_SQL, ALBUMS_KEPT_SQL, ALBUM_ORIGINALS_SQL, ORIGINALS_SQL, DAMAGED_SQL,
  DUPLICATES_SQL: duplicatesSql('all'), EXTRA_SQL: duplicatesSql('extra'), PATHS_SQL, VERIFIED_KEY_SQL, KEEP_WHOLE_SQL, NEAR_MEMBERS_SQL, NEAR_SQL, REFRESH_NEAR_OF_SQL, REFRESH_NEAR_SQL,
  CAMERAS_SQL, DAYS_SQL, NAMED_PLACES_SQL, PEOPLE_SQL, TAGS_SQL, TITLES_SQL,
  UNDO_COUNT: undoSql(['taken_at', 'latitude']).count, ...Object.fromEntries(undoSql(['taken_at', 'latitude', 'tags', 'albums']).restore.map((sql, i) => [`UNDO_RESTORE_${i}`, sql])), UNDO_LISTS: undoSql(['tags', 'albums']).count, ALBUM_LIST_SQL, UNDO_SWEEP: undoSql(['taken_at']).sweep,
};

async function plan(sql: string): Promise<string[]> {
  const count = Math.max(0, ...[...sql.matchAll(/\?(\d+)/g)].map((m) => Number(m[1])));
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...Array.from({ length: count }, () => '[]')).all<{ detail: string }>();
  return results.map((r) => r.detail);
}
const scansOf = (details: string[]) => details.filter((d) => !d.includes('VIRTUAL TABLE') && BIG.some((table) => new RegExp(`^SCAN ${table}\\b`).test(d)));

describe('query plans', () => {
  it.each(Object.keys(QUERIES))('%s walks no big table', async (name) => {
    const details = await plan(QUERIES[name] ?? '');
    expect(details.length).toBeGreaterThan(0);
    expect(scansOf(details), details.join('\n')).toEqual([]);
  });
  it('lists need no sorting', async () => {
    for (const sql of [LIST_KNOWN_SQL, LIST_UNKNOWN_SQL, LIST_PROBLEMS_SQL, KNOWN_LOCATIONS_SQL, HOME_ITEMS_SQL]) {
      expect((await plan(sql)).filter((d) => d.includes('B-TREE FOR ORDER BY')), sql).toEqual([]);
    }
  });
  it('lists of copies go on by one seek of all of their key', async () => {
    for (const kind of ['copies', 'copies-only', 'copies-stale'] as const) {
      const plans = (await Promise.all([gridSql(kind, 'following'), gridSql(kind, 'preceding')].map(plan))).map((details) => details.join('\n'));
      for (const text of plans) expect(text).toMatch(/SEARCH c USING (COVERING )?INDEX asset_copies_\w+ \(.*\((sort_ms|verified_ms),asset_id\)/);
      for (const text of plans) expect(text).not.toContain('B-TREE FOR ORDER BY');
    }
    for (const [set, column] of [['all', 'spare_bytes'], ['extra', 'extra_bytes']] as const) expect((await plan(duplicatesSql(set))).join('\n')).toContain(`((${column},asset_id)<(?,?))`);
  });
  it('groups of look-alikes are read off their index', async () => {
    const details = (await plan(NEAR_SQL)).join('\n');
    expect(details).toMatch(/SEARCH n USING (COVERING )?INDEX near_shown \(\(spare_bytes,group_sha256\)<\(\?,\?\)\)/);
    expect(details).not.toContain('B-TREE');
  });
  it('the list of what is trashed reads a page of its index', async () => {
    const details = await plan(LIST_TRASHED_SQL);
    expect(details.filter((d) => /SEARCH tr USING INDEX trashed_by_sort/.test(d))).toHaveLength(1);
    expect(scansOf(details)).toEqual(['SCAN t']);
  });
  it('would notice one that does', async () => {
    expect(scansOf(await plan('SELECT * FROM assets WHERE lens = ?1'))).toHaveLength(1);
  });
});
