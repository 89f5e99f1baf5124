// The queries that pages run: that each one goes through an index, pages by key, and cuts pieces as it says.
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test } from 'vitest';
import { groupCopies } from '../../worker/middleware/asset.tsx';
import { COUNT_SQL, DRIVE_SQL, FOLDER_SQL, writeDriveWords, listDrives } from '../../worker/store/drives.ts';
import { listProblemCounts, listProblems, PROBLEM_COUNTS_SQL, PROBLEM_TOTAL_SQL, PROBLEMS_SQL } from '../../worker/store/problem-pages.ts';
import { SCAN_SQL, VOLUME_SCANS_SQL } from '../../worker/store/scan-pages.ts';
import {
  cursorAfter, cursorAt, cursorOfMonth, cursorText, cutPiece, findUndated, listNewer, listOlder, MONTHS_SQL, NEWER_SQL, NEWEST, OLDER_SQL, parseCursor, TILE_SQL, UNDATED_SQL,
} from '../../worker/store/timeline.ts';
import { COPIES_SQL, DETAIL_SQL } from '../../worker/store/viewer.ts';
import { migrate } from './support.ts';

const DB = env.DB;
const UNKNOWN_SORT_MS = -8_640_000_000_000_000;
const ITEMS = 50;

async function plan(sql: string): Promise<string> {
  const values = Array.from({ length: new Set(sql.match(/\?\d/g)).size }, () => 1);
  const rows = await DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...values).all<{ detail: string }>();
  return rows.results.map((row) => row.detail).join('\n');
}

beforeAll(async () => {
  await migrate();
  // Two a day, three at the very same moment, the last two without a date, one that is not shown.
  const items = Array.from({ length: ITEMS }, (_, i) => {
    const ms = i >= ITEMS - 2 ? UNKNOWN_SORT_MS : Date.UTC(2023, 9, 21, 12) - Math.floor(Math.max(0, i - 2) / 2) * 86_400_000;
    const day = i >= ITEMS - 2 ? 0 : Number(new Date(ms).toISOString().slice(0, 10).replaceAll('-', ''));
    return [i + 1, String(i).padStart(64, '0'), ms, Math.floor(day / 100), day, i === 5 ? 0 : 1];
  });
  await DB.prepare(`INSERT INTO timeline_items (asset_id, sha256, kind, width, height, ratio, duration_ms, color, grid_version, preview_version, taken_at, taken_at_source, doubtful, utc_offset_minutes, utc_offset_source, sort_ms, month, day, shown)
    SELECT value->>0, value->>1, 'image', 4, 3, 'A', NULL, NULL, 2, 2, NULL, NULL, 0, NULL, NULL, value->>2, value->>3, value->>4, value->>5 FROM json_each(?1)`).bind(JSON.stringify(items)).run();
  await DB.prepare("INSERT INTO volumes (volume_id, revision, agent_id, identity, label, fs_type, read_only, first_seen_ms, last_seen_ms) VALUES ('v-1', 1, 'a', 'uuid', 'Blue SSD', 'apfs', 0, 1, 1)").run();
  await DB.prepare("INSERT INTO problems (volume_id, path, revision, code, reason, stage, at_ms) SELECT 'v-1', 'p' || value, 1, CASE WHEN value % 2 THEN 'empty' ELSE 'damaged' END, 'why', 'read', 1 FROM json_each('[1,2,3,4,5]')").run();
});

describe('plans', () => {
  test.each([
    ['undated', UNDATED_SQL, 'timeline_items_by_month'], ['a tile', TILE_SQL, 'sqlite_autoindex_assets'],
    ['an asset', DETAIL_SQL, 'sqlite_autoindex_assets'], ['its copies', COPIES_SQL, 'locations_by_sha256'], ['a drive', DRIVE_SQL, 'PRIMARY KEY'], ['a folder', FOLDER_SQL, 'PRIMARY KEY'],
    ['files on a drive', COUNT_SQL, 'PRIMARY KEY'], ['problems of a kind', PROBLEMS_SQL, 'problems_by_code'], ['kinds of problems', PROBLEM_COUNTS_SQL, 'problems_by_code'],
    ['scans of a drive', VOLUME_SCANS_SQL, 'scans_by_volume'], ['a scan', SCAN_SQL, 'PRIMARY KEY'],
  ])('%s: by an index, without sorting or scanning a table', async (_name, sql, index) => {
    const detail = await plan(sql);
    expect(detail).toContain(index);
    expect(detail).not.toContain('TEMP B-TREE');
    // A covering index may be walked; a table may not.
    expect(detail.replace(/SCAN \S+ USING COVERING INDEX/g, '')).not.toContain('SCAN');
  });

  test.each([['older', OLDER_SQL], ['newer', NEWER_SQL]])('%s tiles are sought in two parts of an index, whose keys alone are sorted', async (_name, sql) => {
    const detail = await plan(sql);
    expect(detail.match(/SEARCH timeline_items USING COVERING INDEX timeline_items_shown/g)).toHaveLength(2);
    expect(detail.replace(/SCAN (\(subquery-\d+\)|k)/g, '')).not.toContain('SCAN');
  });

  test('months come from the buckets alone, and problems are counted no further than shown', async () => {
    expect(await plan(MONTHS_SQL)).toBe('SCAN timeline_buckets');
    expect(PROBLEM_TOTAL_SQL).toContain('LIMIT');
  });
});

describe('pieces', () => {
  test('older and newer walk the same tiles, each once, whatever shares a moment', async () => {
    const all = await listOlder(DB, NEWEST, 1_000);
    expect(all.length).toBe(ITEMS - 1);
    const seen: number[] = [];
    for (let cursor = NEWEST; ;) {
      const piece = await listOlder(DB, cursor, 4);
      const last = piece.at(-1);
      if (!last) break;
      seen.push(...piece.map((tile) => tile.asset_id));
      cursor = cursorAfter(last);
    }
    expect(seen).toEqual(all.map((tile) => tile.asset_id));
    const middle = all[20];
    if (!middle) throw new Error('too few');
    expect((await listNewer(DB, cursorAfter(middle), 3)).map((tile) => tile.asset_id)).toEqual(all.slice(17, 20).map((tile) => tile.asset_id));
    expect((await listOlder(DB, cursorAt(middle), 1))[0]?.asset_id).toBe(middle.asset_id);
    const undated = await findUndated(DB);
    expect((await listOlder(DB, undated ?? NEWEST, 9)).map((tile) => tile.day)).toEqual([0, 0]);
  });

  test('a piece ends with a whole day, unless the day is most of it', () => {
    const tile = (day: number, id: number) => ({ day, asset_id: id }) as never;
    const few = [1, 1, 1, 2, 2, 2, 3].map(tile);
    expect(cutPiece(few, 5, 'older').tiles.map((each) => each.day)).toEqual([1, 1, 1]);
    expect(cutPiece([1, 2, 2, 2, 2, 2].map(tile), 5, 'older').tiles.length).toBe(5);
    expect(cutPiece(few, 6, 'newer').tiles.map((each) => each.day)).toEqual([2, 2, 2, 3]);
    expect(cutPiece(few, 9, 'older')).toEqual({ tiles: few, more: false });
  });

  test('cursors and months are read back, and nothing else is', () => {
    for (const cursor of [NEWEST, { sortMs: UNKNOWN_SORT_MS, assetId: 7 }, { sortMs: 0, assetId: -1 }]) expect(parseCursor(cursorText(cursor))).toEqual(cursor);
    for (const text of ['', '1', '1.2.3', 'a.b', '1e9.1', '-1.-2']) expect(parseCursor(text)).toBeUndefined();
    expect(cursorOfMonth('2023-12')).toEqual({ sortMs: Date.UTC(2024, 0, 1), assetId: 0 });
    expect(cursorOfMonth('2023')).toEqual({ sortMs: Date.UTC(2024, 0, 1), assetId: 0 });
    for (const text of ['2023-13', '2023-00', '23', '9999-12', '2023-1']) expect(cursorOfMonth(text)).toBeUndefined();
  });
});

describe('problems, drives, copies', () => {
  test('problems are counted by kind and paged by path', async () => {
    expect(await listProblemCounts(DB)).toEqual([{ code: 'empty', count: 3 }, { code: 'damaged', count: 2 }]);
    const first = await listProblems(DB, 'empty', { volumeId: '', path: '' }, 2);
    expect(first.map((each) => each.path)).toEqual(['p1', 'p3']);
    expect((await listProblems(DB, 'empty', { volumeId: 'v-1', path: 'p3' }, 2)).map((each) => each.path)).toEqual(['p5']);
  });

  test('the owner’s name is kept apart from the drive’s own, and taken back when it is the same', async () => {
    expect(await writeDriveWords(DB, 'v-1', { label: ' Holidays ', note: '' })).toBe(true);
    // A drive that holds no folder and no file of ours is not shown; one with a folder is.
    expect((await listDrives(DB)).map((d) => d.volume_id)).not.toContain('v-1');
    await DB.prepare("INSERT INTO roots (root_id, revision, volume_id, path, excludes, removed) VALUES ('r-words', 1, 'v-1', 'Photos', '[]', 0)").run();
    expect((await listDrives(DB))[0]).toMatchObject({ owner_label: 'Holidays', label: 'Blue SSD', note: null });
    await writeDriveWords(DB, 'v-1', { label: 'Blue SSD', note: 'drawer' });
    expect((await listDrives(DB))[0]).toMatchObject({ owner_label: null, note: 'drawer' });
    expect(await writeDriveWords(DB, 'nowhere', { label: 'x', note: '' })).toBe(false);
  });

  test('one file under two paths is one copy; another drive, another inode or an unknown one is not', () => {
    const copy = (path: string, volume: string, inode: string | null, missing: number | null = null, damaged: number | null = null) => ({
      volume_id: volume, path, fs_id: inode === null ? null : '1', inode, missing_since_ms: missing, damaged_at_ms: damaged, label: volume, problem_code: null, problem_reason: null,
    });
    const groups = groupCopies([copy('a', 'v', '7'), copy('b', 'v', '7'), copy('c', 'v', '8'), copy('d', 'w', '7'), copy('e', 'w', null), copy('f', 'w', null), copy('g', 'v', '7', 5)], new Set(['w']));
    expect(groups.map((group) => [group.state, group.paths])).toEqual([['present', ['d']], ['present', ['e']], ['present', ['f']], ['away', ['a', 'b']], ['away', ['c']], ['missing', ['g']]]);
    // Whatever name its bytes were read by; what is gone is not damaged too.
    expect(groupCopies([copy('a', 'v', '7', null, 9), copy('b', 'v', '7'), copy('c', 'v', '8'), copy('d', 'w', '7', 5, 9)], new Set(['v'])).map((group) => group.damaged)).toEqual([true, false, false]);
  });
});
