// What is an edit of a file and what is another one under its name, over the real scan and on real files.
import { renameSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ByteFacts } from '../../../agent/pipeline/types.ts';
import { isEdit, type Seen } from '../../../agent/pipeline/edited.ts';
import type { AssetFacts, TimeClaim } from '../../../protocol/rows.ts';
import { createScene, png, put, sha, type Scene } from './scene.ts';

const at = (wall: string): TimeClaim => ({ source: 'exif_original', wall, utc_ms: null, offset_minutes: null, offset_source: null });
const seen = (facts: Partial<AssetFacts>, more: Partial<Seen> = {}): Seen => ({
  facts: { kind: 'image', color: '#111111', width: 4, height: 3, camera: null, content_identifier: null, time_claims: [], ...facts } as AssetFacts, inode: '1', birth_ms: 1_000, ctime_ms: 2_000, ...more,
});

describe('an edit', () => {
  const shot = { time_claims: [at('2024-01-01T10:00:00')], camera: 'X100' };
  it.each([
    ['cropped, with the camera’s time kept', seen(shot), seen({ ...shot, color: '#222222', width: 2 }, { inode: '2', birth_ms: 9_000 }), true, true],
    ['the clock put right, pixels as they were', seen(shot), seen({ camera: 'X100', time_claims: [at('2024-01-01T11:00:00')] }), true, true],
    ['saved without any metadata', seen(shot), seen({ color: '#222222' }, { inode: '2', birth_ms: 9_000 }), true, false],
    ['another picture of the same camera under the same name', seen(shot), seen({ camera: 'X100', time_claims: [at('2024-06-01T10:00:00')], color: '#222222' }), false, false],
    ['another camera', seen(shot), seen({ ...shot, camera: 'Phone', color: '#222222' }), false, false],
    ['a video in place of a still', seen(shot), seen({ ...shot, kind: 'video' }), false, false],
    ['a file that was there before, moved over it', seen({}), seen({ color: '#222222' }, { inode: '2', birth_ms: 1_500 }), false, false],
    ['written into in place, whatever its birth', seen({}), seen({ color: '#222222' }, { birth_ms: 1_500 }), true, false],
    ['saved anew with the birth kept', seen({}), seen({ color: '#222222' }, { inode: '2' }), true, false],
    ['another moment of Apple’s', seen({ ...shot, content_identifier: 'A' }), seen({ ...shot, content_identifier: 'B' }), false, false],
  ])('%s', (_name, old, next, edit, certain) => {
    expect(isEdit(old, next, false)).toBe(edit);
    expect(isEdit(old, next, true)).toBe(certain);
  });
});

describe('over a scan', () => {
  let s: Scene;
  beforeEach(async () => { s = createScene(); await s.addRoot(); });
  afterEach(() => { s.close(); });

  /** Each seed is a picture of another colour; the reader of tests is told so. */
  const paint = (path: string, seed: number, facts: Partial<ByteFacts> = {}): void => {
    s.reader.facts.set(path.split('/').at(-1) ?? path, { color: `#${String(seed).padStart(6, '0')}`, ...facts });
    s.picture(path, seed);
  };
  /** Written beside it and moved over it, as programs save. */
  const save = (path: string, seed: number, facts: Partial<ByteFacts> = {}): void => {
    paint(path, seed, facts);
    put(s.at(`${path}.tmp~`), png(seed), 1_600_000_000 + seed);
    renameSync(s.at(`${path}.tmp~`), s.at(path));
  };
  const noted = (): [number, number, boolean][] => s.catalog.db.prepare('SELECT old_sha256, new_sha256, revision > pushed_revision AS due FROM successors').all()
    .map((r): [number, number, boolean] => [seedOf(r['old_sha256'] as string), seedOf(r['new_sha256'] as string), r['due'] === 1]).sort((a, b) => a[0] - b[0]);
  const seedOf = (hash: string): number => Array.from({ length: 20 }, (_, i) => i).find((i) => sha(png(i)) === hash) ?? -1;

  it('notes what was saved in place, by either way of saving, and along a chain', async () => {
    paint('a.png', 1);
    paint('b.png', 2);
    await s.scan();
    save('a.png', 3);
    paint('b.png', 4);
    await s.scan();
    expect(noted()).toEqual([[1, 3, true], [2, 4, true]]);
    save('a.png', 5);
    await s.scan();
    expect(noted()).toEqual([[1, 3, true], [2, 4, true], [3, 5, true]]);
  });

  it('is not where another known file was moved or copied over it', async () => {
    paint('a.png', 1);
    paint('b.png', 2);
    await s.scan();
    s.reader.facts.set('a.png', { color: '#000002' });
    renameSync(s.at('b.png'), s.at('a.png'));
    await s.scan();
    expect(noted()).toEqual([]);
  });

  it('waits while the old content lies elsewhere: on the drive, on one that is away, or missing', async () => {
    const green = s.drives.plugIn('green');
    put(`${green}/copy.png`, png(1));
    paint('a.png', 1);
    paint('kept/a.png', 2);
    paint('c.png', 6);
    s.reader.facts.set('copy.png', { color: '#000001' });
    const [blue, other] = [await s.addRoot(), await (await import('../../../agent/pipeline/index.ts')).addRoot(s.ctx, green)];
    await s.scan(blue);
    await s.scan(other);
    s.drives.unplug('green');
    save('a.png', 3);
    // The original moves aside in the same moment.
    renameSync(s.at('kept/a.png'), s.at('kept/a-orig.png'));
    paint('kept/a.png', 4);
    rmSync(s.at('c.png'));
    await s.scan(blue);
    expect(noted()).toEqual([[1, 3, false], [2, 4, false]]);
    expect(s.missing()).toEqual(['c.png']);
    // A missing file's name taken by another picture is no edit of it.
    paint('c.png', 7);
    await s.scan(blue);
    expect(noted()).toHaveLength(2);
    // The backup gets the same edit: now the old content is nowhere.
    s.drives.plugIn('green');
    put(`${green}/copy.png`, png(3), 1_600_000_100);
    await s.scan(other);
    expect(noted()).toEqual([[1, 3, true], [2, 4, false]]);
  });

  it('is known again after half of it was seen, if it is surely the same picture', async () => {
    const shot = { time_claims: [at('2024-01-01T10:00:00')] };
    paint('a.png', 1, shot);
    paint('b.png', 2);
    await s.scan();
    for (const name of ['a.png', 'b.png']) put(s.at(name), '');
    await s.scan();
    save('a.png', 3, shot);
    save('b.png', 4);
    await s.scan();
    expect(noted()).toEqual([[1, 3, true]]);
  });

  it('says nothing before a scan is complete, and says it after the next one', async () => {
    paint('a.png', 1);
    await s.scan();
    save('a.png', 3);
    const stop = new AbortController();
    s.ctx.signal = stop.signal;
    s.reader.onQuick = () => { stop.abort(new Error('stop')); };
    expect((await s.scan()).state).toBe('stopped');
    expect(noted()).toEqual([[1, 3, false]]);
    delete s.ctx.signal;
    s.reader.onQuick = null;
    expect((await s.scan()).state).toBe('completed');
    expect(noted()).toEqual([[1, 3, true]]);
  });

  it('taken back leads back', async () => {
    paint('a.png', 1);
    await s.scan();
    save('a.png', 3);
    await s.scan();
    save('a.png', 1);
    await s.scan();
    expect(noted()).toEqual([[1, 3, true], [3, 1, true]]);
  });
});
