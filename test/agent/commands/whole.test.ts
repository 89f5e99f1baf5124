// The main job on real input: `npm start -- ../shared/media --no-open`, then `list --json`, compared with the ground
// truth field by field. The reader's own test (test/agent/read) does the same without the Worker in between; this one
// sees what the owner sees.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ListLine } from '../../../protocol/list.ts';
import { IndexReport } from '../../../protocol/report.ts';
import { differences, expectedParses, HAND_TIMES } from '../../support/hand-times.ts';
import { freePort, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../../support/instance.ts';
import { placeDifferences, readHandPlaces } from '../../support/hand-places.ts';
import { findSharedMedia } from '../../support/shared-media.ts';
import { openD1 } from '../../support/snapshot.ts';

interface Truth {
  path: string; sha256: string; decodable: boolean | null; width: number | null; height: number | null; exif_taken_at: string | null; exif_offset_minutes: number | null;
  latitude: number | null; longitude: number | null; quicktime_creationdate: string | null; content_identifier: string | null;
}

/** Six decimals are 0.1 m; ExifTool prints that many or more. */
const DEGREES = 1e-5;

/**
 * Fields where the file itself, not our code, is at fault, or where the design's order rightly shows something else than
 * the EXIF field that the truth lists.
 */
const EXCEPTIONS: { path: string; fields: (keyof Truth)[]; why: string }[] = [
  { path: 'corrupt/nan-exif.jpg', fields: ['latitude', 'longitude'], why: 'its longitude is 0/0, which ExifTool prints as 0; the hand-checked text says that the position must be rejected' },
];

const media = findSharedMedia();

describe.skipIf(media.dir === undefined)(`the main job on ${media.dir === undefined ? `nothing (skipped: ${media.reason})` : 'shared/media'}`, () => {
  const folder = media.dir ?? '';
  const dataDir = mkdtempSync(join(tmpdir(), 'jharokha-main-'));
  let up: Up;
  let lines: ListLine[];
  let report: IndexReport;
  const identifiers = new Map<string, string | null>();
  /** Names of the sidecars that were matched, by path from `takeout/` on. */
  const imports = new Map<string, string[]>();
  const claims = new Map<string, { source: string; wall: string | null; offset_minutes: number | null }[]>();

  beforeAll(async () => {
    up = startUp(dataDir, await freePort(), [folder]);
    await waitIdle(up, 400_000);
    const listed = await runCommandAsync(dataDir, ['list', '--json']);
    expect(listed.code, listed.stderr).toBe(0);
    lines = listed.stdout.trim().split('\n').map((line) => ListLine.parse(JSON.parse(line)));
    const synced = await runCommandAsync(dataDir, ['sync', '--once', '--json']);
    expect(synced.code, synced.stderr).toBe(3);
    report = IndexReport.parse(JSON.parse(synced.stdout));
    await stopUp(up);
    const db = openD1(dataDir);
    for (const row of db.prepare('SELECT path, imports FROM evidence').all()) {
      const path = String(row['path']);
      const at = path.indexOf('takeout/');
      if (at >= 0) imports.set(path.slice(at), (JSON.parse(String(row['imports'])) as { name: string }[]).map((i) => i.name));
    }
    for (const row of db.prepare('SELECT sha256, content_identifier, time_claims FROM assets').all()) {
      identifiers.set(String(row['sha256']), row['content_identifier'] as string | null);
      claims.set(String(row['sha256']), JSON.parse(String(row['time_claims'])) as never);
    }
    db.close();
  }, 600_000);
  afterAll(() => { rmSync(dataDir, { recursive: true, force: true }); });

  const truths = media.dir === undefined ? [] : readFileSync(join(folder, 'truth.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Truth);

  test('every decodable file is there, once per hash, with its location', () => {
    const bySha = new Map(lines.map((line) => [line.sha256, line]));
    expect(bySha.size).toBe(lines.length);
    const absent = truths.filter((t) => t.decodable === true && !bySha.get(t.sha256)?.locations.some((l) => l.path.endsWith(`/${t.path}`) && l.state === 'away' || l.state === 'present' && l.path.endsWith(t.path)));
    expect(absent.map((t) => t.path)).toEqual([]);
  });

  test('every field that the truth knows is equal', () => {
    const bySha = new Map(lines.map((line) => [line.sha256, line]));
    const wrong: string[] = [];
    for (const truth of truths) {
      const line = bySha.get(truth.sha256);
      if (!line) continue;
      const excepted = new Set(EXCEPTIONS.filter((e) => e.path === truth.path).flatMap((e) => e.fields));
      const compare = (field: keyof Truth, found: unknown, equal: boolean) => { if (truth[field] !== null && !equal && !excepted.has(field)) wrong.push(`${truth.path}: ${field} is ${JSON.stringify(found)}, not ${JSON.stringify(truth[field])}`); };
      compare('width', line.width, line.width === truth.width);
      compare('height', line.height, line.height === truth.height);
      compare('exif_taken_at', line.taken_at, line.taken_at === truth.exif_taken_at);
      compare('exif_offset_minutes', line.utc_offset_minutes, line.utc_offset_minutes === truth.exif_offset_minutes);
      compare('latitude', line.latitude, line.latitude !== null && Math.abs(line.latitude - (truth.latitude ?? 0)) < DEGREES);
      compare('longitude', line.longitude, line.longitude !== null && Math.abs(line.longitude - (truth.longitude ?? 0)) < DEGREES);
      compare('content_identifier', identifiers.get(truth.sha256), identifiers.get(truth.sha256) === truth.content_identifier);
    }
    expect(wrong).toEqual([]);
  });

  test('times, offsets and their sources are what was checked by hand', () => {
    const bySha = new Map(lines.map((line) => [line.sha256, line]));
    const wrong: string[] = [];
    for (const [path, want] of Object.entries({ ...expectedParses(folder), ...HAND_TIMES })) {
      const truth = truths.find((t) => t.path === path);
      const line = truth && bySha.get(truth.sha256);
      if (!line) { wrong.push(`${path} is not listed`); continue; }
      // A Live Photo's video takes its still's time; what it says itself is compared in test/agent/read.
      if (line.stack?.role === 'member') continue;
      wrong.push(...differences(want, { wall: line.taken_at, offset: line.utc_offset_minutes, source: line.taken_at_source, offsetSource: line.utc_offset_source }).map((d) => `${path}: ${d}`));
    }
    expect(wrong).toEqual([]);
  });

  test('what belongs together is together, and decoys stay apart', () => {
    const at = (path: string): ListLine => {
      const line = lines.find((l) => l.locations.some((location) => location.path.endsWith(`/${path}`)));
      if (!line) throw new Error(`${path} is not listed`);
      return line;
    };
    for (const [still, video] of [['pair-IMG_7943/IMG_7943.HEIC', 'pair-IMG_7943/IMG_7943_HEVC.MOV'], ['pair-train/train.jpg', 'pair-train/train.mov']] as const) {
      const [s, v] = [at(`live-photos/${still}`), at(`live-photos/${video}`)];
      expect([s.live_video, s.stack], still).toEqual([v.sha256, { role: 'primary', primary: s.sha256 }]);
      expect([v.stack, v.taken_at, v.utc_offset_minutes], video).toEqual([{ role: 'member', primary: s.sha256 }, s.taken_at, s.utc_offset_minutes]);
      // Its own four decimals say the same place; they are kept for what they say.
      expect(v.latitude, video).toBeCloseTo(s.latitude ?? 0, 3);
    }
    // The two of decoy-swapped-names are copies of one of each true pair, so they are paired, each with its own.
    expect(at('decoy-swapped-names/IMG_0001.HEIC').live_video).toBe(at('pair-IMG_7943/IMG_7943_HEVC.MOV').sha256);
    for (const path of ['decoy-same-stem/IMG_1234.jpg', 'decoy-same-stem/IMG_1234.mp4', 'same-stem-zero-mov/2018-04-12 19_24_49.jpg', 'same-stem-zero-mov/2018-04-12 19_24_49.gif']) {
      expect([at(`live-photos/${path}`).live_video, at(`live-photos/${path}`).stack], path).toEqual([null, null]);
    }
    expect(at('edited-set/IMG_E4120.JPG').stack).toEqual({ role: 'member', primary: at('edited-set/IMG_4120.JPG').sha256 });
    for (const path of ['samsung-one-ui-6.heic', 'synthetic_microvideo_v1.jpg', 'synthetic_motionphoto_v2.MP.jpg', 'synthetic_samsung_sef.jpg']) expect(at(`motion-photos/${path}`).live_video, path).toBe(at(`motion-photos/${path}`).sha256);
    expect(at('motion-photos/google_motion_photo_broken.jpg').live_video).toBeNull();
    expect(at('raw/canon_eos_6d.dng').stack).toBeNull();
  });

  test('what is stacked is what the truth says, and nothing else: the decoys stay apart', () => {
    // The swapped decoys are copies of the true pairs' files under each other's names.
    const nameOf = (sha256: string) => lines.find((l) => l.sha256 === sha256)?.locations.filter((l) => !l.path.includes('/decoy-swapped-names/')).map((l) => l.path.slice(l.path.lastIndexOf('/') + 1)).toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1))[0];
    const stacks = lines.flatMap((l) => (l.stack?.role === 'member' && l.locations.some((at) => at.path.includes('/live-photos/')) ? [`${nameOf(l.sha256)} > ${nameOf(l.stack.primary)}`] : []));
    expect(stacks.toSorted()).toEqual(['IMG_7943_HEVC.MOV > IMG_7943.HEIC', 'IMG_E4120.JPG > IMG_4120.JPG', 'train.mov > train.jpg']);
    const live = lines.filter((l) => l.live_video !== null && l.locations.some((at) => at.path.includes('/live-photos/')));
    expect(live.map((l) => `${nameOf(l.sha256)} plays ${nameOf(l.live_video ?? '')}`).toSorted()).toEqual(['IMG_7943.HEIC plays IMG_7943_HEVC.MOV', 'train.jpg plays train.mov']);
  });

  test('over the whole library nothing else is stacked', () => {
    const firstPath = (sha256: string) => lines.find((l) => l.sha256 === sha256)?.locations.map((l) => l.path).toSorted()[0];
    const stacks = lines.flatMap((l) => (l.stack?.role === 'member' && !l.locations.some((at) => at.path.includes('/live-photos/')) ? [`${firstPath(l.sha256)} > ${firstPath(l.stack.primary)}`] : []));
    expect(stacks.toSorted()).toEqual([]);
  });

  test('each of the 35 names of Takeout has its sidecar, or has none where it must not', () => {
    const cases = readFileSync(join(folder, 'takeout/derived-real-names/EXPECTED.tsv'), 'utf8').trim().split('\n').slice(1).map((row) => row.split('\t'));
    expect(cases).toHaveLength(35);
    const wrong: string[] = [];
    for (const [name = '', sidecar = '', file = '', expected = ''] of cases) {
      const found = imports.get(`takeout/derived-real-names/${name}/${file}`);
      const want = expected.startsWith('NO match') ? [] : [sidecar];
      if (JSON.stringify(found) !== JSON.stringify(want)) wrong.push(`${name}: ${file} has ${JSON.stringify(found)}, not ${JSON.stringify(want)}`);
    }
    expect(wrong).toEqual([]);
    // And what they say is taken over: no capture time of its own is in this file.
    const old = lines.find((l) => l.locations.some((location) => location.path.endsWith('derived-edge/old_scan_1960.jpg')));
    expect([old?.taken_at?.slice(0, 4), old?.taken_at_source]).toEqual(['1960', 'takeout']);
    const archived = lines.find((l) => l.locations.some((location) => location.path.endsWith('derived-edge/archived_fav.jpg')));
    expect([archived?.archived, archived?.favourite]).toEqual([true, true]);
  });

  test('every position has the names of its place', () => {
    const positioned = lines.filter((l) => l.latitude !== null);
    expect(positioned.length).toBeGreaterThan(40);
    const wrong: string[] = [];
    for (const hand of readHandPlaces(folder)) {
      const truth = truths.find((t) => t.path === hand.path);
      const place = lines.find((l) => l.sha256 === truth?.sha256)?.place;
      wrong.push(...(place ? placeDifferences(hand, place) : [`${hand.path} has no place`]));
    }
    expect(wrong).toEqual([]);
    const unnamed = positioned.filter((l) => l.place?.country === undefined || l.place.country === null).flatMap((l) => l.locations.map((location) => location.path));
    expect(unnamed).toEqual([]);
  });

  test('the report adds up, and what is not shown is a named failure or a sidecar', () => {
    const sum = report.indexed + report.changed + report.moved + report.unchanged + report.duplicate + report.sidecar + report.ignored + report.failed.length;
    expect(report.seen).toBe(sum);
    for (const failure of report.failed) expect(failure.reason.length).toBeGreaterThan(10);
    for (const [path, reason] of [['live-photos/same-stem-zero-mov/2018-04-12 19_24_49.mov', /empty/i], ['takeout/derived-edge/broken.jpg.json', /JSON/]] as const) expect(report.failed.find((f) => f.path === join(folder, path))?.reason, path).toMatch(reason);
    const known = new Set(lines.map((line) => line.sha256));
    const failed = new Set(report.failed.map((f) => f.path));
    const unexplained = truths.filter((t) => t.decodable === true && !known.has(t.sha256) && !failed.has(join(folder, t.path)));
    expect(unexplained.map((t) => t.path)).toEqual([]);
  });
});
