// Pairs and stacks: the rules one by one, the real Live Photos with their decoys, and that no order shows.
import { readdirSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { chooseStacks, MAX_LIVE_MS, pairFolder, pairOnDrive, type PairFile, type Relation } from '../../../agent/pipeline/pairs.ts';
import { createReader } from '../../../agent/pipeline/reader.ts';
import type { TimeClaim } from '../../../protocol/rows.ts';
import { wallMs } from '../../../protocol/time.ts';
import { existingSource, readBoth } from '../../support/file-source.ts';
import { findSharedMedia } from '../../support/shared-media.ts';

vi.setConfig({ testTimeout: 60_000 });

const wall = (text: string, offset: number | null = null): TimeClaim => ({ source: 'exif_original', wall: text, utc_ms: null, offset_minutes: offset, offset_source: offset === null ? null : 'exif' });
const utc = (text: string): TimeClaim => ({ source: 'quicktime', wall: null, utc_ms: wallMs(text) ?? 0, offset_minutes: null, offset_source: null });
const keys = (text: string, offset: number): TimeClaim => ({ ...wall(text, offset), source: 'quicktime_keys' });

const MIME: Record<string, string> = { heic: 'image/heic', jpg: 'image/jpeg', gif: 'image/gif', png: 'image/png', dng: 'image/x-adobe-dng', nef: 'image/x-nikon-nef', mov: 'video/quicktime', mp4: 'video/mp4', mp: 'video/mp4', avi: 'video/x-msvideo' };
function file(name: string, more: Partial<PairFile> = {}): PairFile {
  const mime = MIME[name.toLowerCase().replace(/~\d+$/, '').split('.').pop() ?? ''] ?? 'video/mp4';
  const kind = mime.startsWith('video/') ? 'video' : 'image';
  return { name, sha256: name, kind, mime, content_identifier: null, duration_ms: kind === 'video' ? 2_000 : null, time_claims: [], ...more };
}
/** `member > primary type`, by name: the tests' hashes are names. */
const shown = (relations: readonly Relation[]): string[] => relations.map((r) => `${r.member} > ${r.primary} ${r.type}`);
const NOON = '2024-06-01T12:00:00';

describe('Live Photos', () => {
  test('one identifier pairs, whatever the names and times', () => {
    expect(shown(pairFolder([file('a.heic', { content_identifier: 'X', time_claims: [wall(NOON)] }), file('b.mov', { content_identifier: 'X', duration_ms: 60_000, time_claims: [utc('1999-01-01T00:00:00')] })]))).toEqual(['b.mov > a.heic live']);
  });
  test('two identifiers, or one on one side alone, keep equal names apart', () => {
    const times = { time_claims: [wall(NOON, 0)] };
    for (const [still, video] of [['X', 'Y'], ['X', null], [null, 'Y']] as const) {
      expect(pairFolder([file('a.heic', { content_identifier: still, ...times }), file('a.mov', { content_identifier: video, time_claims: [utc(NOON)] })])).toEqual([]);
    }
  });
  test('without identifiers: the same stem, within three seconds, and short', () => {
    const pair = (still: TimeClaim[], video: TimeClaim[], duration: number | null = 2_000) => shown(pairFolder([file('a.jpg', { time_claims: still }), file('a.mov', { time_claims: video, duration_ms: duration })]));
    const yes = ['a.mov > a.jpg live'];
    expect(pair([wall(NOON, 120)], [utc('2024-06-01T10:00:02')])).toEqual(yes);
    expect(pair([wall(NOON, 120)], [utc('2024-06-01T10:00:04')])).toEqual([]);
    expect(pair([wall(NOON, 120)], [keys('2024-06-01T11:59:58', 120)])).toEqual(yes);
    // Without an offset any clock's offset may lie between them, but no other difference.
    expect(pair([wall(NOON)], [utc('2024-06-01T06:15:01')])).toEqual(yes);
    expect(pair([wall(NOON)], [utc('2024-06-01T06:10:01')])).toEqual([]);
    expect(pair([wall(NOON)], [utc('2024-05-31T06:00:00')])).toEqual([]);
    expect(pair([wall(NOON)], [wall('2024-06-01T12:00:03')])).toEqual(yes);
    expect(pair([wall(NOON)], [wall('2024-06-01T11:00:00')])).toEqual([]);
    expect(pair([wall(NOON, 0)], [utc(NOON)], MAX_LIVE_MS)).toEqual(yes);
    expect(pair([wall(NOON, 0)], [utc(NOON)], MAX_LIVE_MS + 1)).toEqual([]);
    expect(pair([wall(NOON, 0)], [utc(NOON)], null)).toEqual([]);
    expect(pair([], [utc(NOON)])).toEqual([]);
    expect(pair([wall(NOON, 0)], [])).toEqual([]);
  });
  test('a name and an mtime are no witnesses', () => {
    const claims: TimeClaim[] = [{ ...wall(NOON), source: 'name' }, { ...utc(NOON), source: 'mtime' }];
    expect(pairFolder([file('a.jpg', { time_claims: claims }), file('a.mov', { time_claims: claims })])).toEqual([]);
  });
  test('a GIF, a PNG and an AVI are no parts of one', () => {
    for (const [still, video] of [['a.gif', 'a.mov'], ['a.png', 'a.mov'], ['a.jpg', 'a.avi']] as const) {
      expect(pairFolder([file(still, { time_claims: [wall(NOON, 0)] }), file(video, { time_claims: [utc(NOON)] })])).toEqual([]);
    }
  });
  test('the video part of an exported motion photo goes by its name', () => {
    expect(shown(pairFolder([file('PXL_1.MP.jpg', { time_claims: [wall(NOON, 0)] }), file('PXL_1.MP'), file('PXL_2.MP~2.jpg'), file('PXL_2.MP~2')]))).toEqual(['PXL_1.MP > PXL_1.MP.jpg live', 'PXL_2.MP~2 > PXL_2.MP~2.jpg live']);
    expect(pairFolder([file('PXL_1.MP.jpg', { time_claims: [wall(NOON, 0)] }), file('PXL_1.MP', { time_claims: [utc('2024-06-01T13:00:00')] })])).toEqual([]);
  });
  test('the HEIC goes before a JPEG of the same name', () => {
    const times = { time_claims: [wall(NOON, 0)] };
    expect(shown(pairFolder([file('a.jpg', times), file('a.heic', times), file('a.mov', { time_claims: [utc(NOON)] })]))).toEqual(['a.mov > a.heic live']);
  });
});

describe('edited copies', () => {
  test('a whole Apple set stands under its original, one level deep', () => {
    const set = [file('IMG_1234.HEIC', { content_identifier: 'X' }), file('IMG_1234.MOV', { content_identifier: 'X' }), file('IMG_E1234.HEIC', { content_identifier: 'X' }), file('IMG_E1234.MOV', { content_identifier: 'X' })];
    expect(shown(pairFolder(set))).toEqual(['IMG_1234.MOV > IMG_1234.HEIC live', 'IMG_E1234.HEIC > IMG_1234.HEIC edited', 'IMG_E1234.MOV > IMG_1234.HEIC edited']);
    // Where the original has no video of its own, the edited one plays.
    expect(shown(pairFolder(set.filter((f) => f.name !== 'IMG_1234.MOV')))).toContain('IMG_E1234.MOV > IMG_1234.HEIC live');
  });
  test('Takeout\'s edited copy goes under the original of its kind', () => {
    expect(shown(pairFolder([file('a.heic'), file('a-edited.jpg'), file('b.mp4'), file('b.jpg'), file('b-edited.mp4')]))).toEqual(['a-edited.jpg > a.heic edited', 'b-edited.mp4 > b.mp4 edited']);
  });
  test('not under a picture of another year', () => {
    expect(pairFolder([file('IMG_1234.JPG', { time_claims: [wall(NOON)] }), file('IMG_E1234.JPG', { time_claims: [wall('2019-06-01T12:00:00')] })])).toEqual([]);
  });
  test('the same bytes twice are never shown under themselves', () => {
    const copies = [file('IMG_1234.JPG', { sha256: 'same' }), file('IMG_E1234.JPG', { sha256: 'same' }), file('IMG_1234 (1).JPG', { sha256: 'same' })];
    expect(pairFolder(copies)).toEqual([]);
  });
});

describe('RAW', () => {
  const raw = (time: TimeClaim[], picture: TimeClaim[]) => shown(pairFolder([file('a.nef', { time_claims: time }), file('a.jpg', { time_claims: picture })]));
  test('stands under its picture where times agree or one has none', () => {
    expect(raw([wall(NOON)], [wall('2024-06-01T12:00:01')])).toEqual(['a.nef > a.jpg raw']);
    expect(raw([wall(NOON)], [])).toEqual(['a.nef > a.jpg raw']);
    expect(raw([wall(NOON)], [wall('2024-06-01T12:01:00')])).toEqual([]);
  });
  test('the original of an edit may be a RAW alone', () => {
    expect(shown(pairFolder([file('a.dng'), file('a-edited.jpg')]))).toEqual(['a-edited.jpg > a.dng edited']);
    expect(shown(pairFolder([file('a.dng'), file('a.jpg'), file('a-edited.jpg')]))).toEqual(['a-edited.jpg > a.jpg edited', 'a.dng > a.jpg raw']);
  });
});

describe('a drive', () => {
  test('a video finds the still of its identifier, the one of its name first', () => {
    const video = file('IMG_2.mov', { content_identifier: 'X' });
    const stills = [file('IMG_1.heic', { content_identifier: 'X' }), file('IMG_2.jpg', { content_identifier: 'X' }), file('IMG_2.heic', { content_identifier: 'Y' })];
    expect(pairOnDrive(video, stills)).toMatchObject({ member: 'IMG_2.mov', primary: 'IMG_2.jpg', type: 'live' });
    expect(pairOnDrive(video, [])).toBeUndefined();
    expect(pairOnDrive(file('IMG_2.mov'), stills)).toBeUndefined();
  });
});

describe('stacks', () => {
  const relation = (member: string, primary: string, type: Relation['type'] = 'edited'): Relation => ({ member, primary, type, basis: '' });
  test('are one level deep, and a circle is left open', () => {
    expect(shown(chooseStacks([relation('c', 'b'), relation('b', 'a')]))).toEqual(['b > a edited', 'c > a edited']);
    expect(shown(chooseStacks([relation('a', 'b'), relation('b', 'c'), relation('c', 'a')]))).toEqual(['a > c edited', 'b > c edited']);
    expect(chooseStacks([relation('a', 'a')])).toEqual([]);
  });
  test('a long chain is no deep recursion, and quick', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => relation(String(i).padStart(6, '0'), String(i + 1).padStart(6, '0')));
    expect(new Set(chooseStacks(chain).map((r) => r.primary))).toEqual(new Set(['050000']));
  });
});

/** Deterministic: one order a seed. */
function shuffle<T>(list: readonly T[], seed: number): T[] {
  return list.map((value, i) => ({ value, key: createHash('md5').update(`${seed} ${i}`).digest('hex') })).sort((a, b) => (a.key < b.key ? -1 : 1)).map((x) => x.value);
}

const media = findSharedMedia();
if (media.reason) console.warn(`The real Live Photos are skipped: ${media.reason}`);

describe.skipIf(media.dir === undefined)('the real Live Photos', () => {
  const reader = createReader({ heicWorkers: 1 });
  afterAll(() => reader.close());
  const base = join(media.dir ?? '', 'live-photos');
  /** By MANIFEST.tsv: pairs by their identifier, the edited set, and the decoys, which stay apart. */
  const TRUTH: Record<string, string[]> = {
    'decoy-same-stem': [], 'decoy-swapped-names': [], 'same-stem-zero-mov': [],
    'edited-set': ['IMG_E4120.JPG > IMG_4120.JPG edited'],
    'pair-IMG_7943': ['IMG_7943_HEVC.MOV > IMG_7943.HEIC live'], 'pair-train': ['train.mov > train.jpg live'],
  };
  const read = async (folder: string): Promise<PairFile[]> => {
    const files: PairFile[] = [];
    for (const name of readdirSync(join(base, folder))) {
      const source = existingSource(join(base, folder, name));
      const type = reader.identify(name, source.sizeBytes, (source.bytes ?? Buffer.alloc(0)).subarray(0, 4096));
      if (type.as !== 'asset') continue;
      const { quick } = await readBoth(reader, source);
      files.push({ ...quick.facts, name, sha256: createHash('sha256').update(source.bytes ?? '').digest('hex') });
    }
    return files;
  };
  const named = (files: readonly PairFile[], relations: readonly Relation[]) => relations.map((r) => [r.member, r.primary].map((sha) => files.filter((f) => f.sha256 === sha).map((f) => f.name).sort((a, b) => a.length - b.length)[0]).join(' > ') + ` ${r.type}`);

  test('the folders are those that the truth knows', () => { expect(readdirSync(base).sort()).toEqual(Object.keys(TRUTH).sort()); });
  test.each(Object.entries(TRUTH))('%s', async (folder, expected) => {
    const files = await read(folder);
    expect(files.length).toBeGreaterThan(1);
    expect(named(files, pairFolder(files))).toEqual(expected);
    for (let seed = 0; seed < 10; seed += 1) expect(pairFolder(shuffle(files, seed))).toEqual(pairFolder(files));
  });
  test('all of them in one folder come to the same, in any order', async () => {
    const files = (await Promise.all(Object.keys(TRUTH).map(read))).flat();
    const together = pairFolder(files);
    // The swapped decoys are copies of the true pairs' files: together they are those pairs.
    expect(together.map((r) => r.type).sort()).toEqual(['edited', 'live', 'live']);
    for (let seed = 0; seed < 10; seed += 1) expect(pairFolder(shuffle(files, seed))).toEqual(together);
  });
});
