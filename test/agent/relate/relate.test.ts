// The stage that finds what belongs together, over real scans of folders on disk: sidecars, albums and stacks as files come,
// change, move and go, in parts of an export and on drives that are away; and that a second run writes nothing.
import { mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countSidecars, listUnmatched } from '../../../agent/catalog/sidecars.ts';
import { openCatalog } from '../../../agent/catalog/catalog.ts';
import { addRoot, scanAll } from '../../../agent/pipeline/index.ts';
import type { ScanReport } from '../../../agent/pipeline/context.ts';
import { relateMarked } from '../../../agent/pipeline/relate.ts';
import { MAX_SIDECAR_BYTES } from '../../../agent/pipeline/sidecars.ts';
import type { ByteFacts } from '../../../agent/pipeline/types.ts';
import type { AlbumImport, ImportFacts, TimeClaim } from '../../../protocol/rows.ts';
import { createScene, png, put, sumOf, type Scene } from '../scan/scene.ts';

let s: Scene;
beforeEach(() => { s = createScene(); });
afterEach(() => { s.close(); });

/** A Takeout sidecar's JSON; `at` in seconds of UTC. */
function takeout(title: string, description = '', at = 1_500_000_000, more: object = {}): string {
  return JSON.stringify({ title, description, photoTakenTime: { timestamp: String(at) }, geoData: { latitude: 0, longitude: 0 }, ...more });
}
const album = (title: string): string => JSON.stringify({ title, description: '', access: 'protected', date: { timestamp: '1' } });
const exif = (text: string): Partial<ByteFacts> => ({ time_claims: [{ source: 'exif_original', wall: text, utc_ms: null, offset_minutes: null, offset_source: null } satisfies TimeClaim] });
const live = (identifier: string): Partial<ByteFacts> => ({ content_identifier: identifier, mime: 'image/heic' });
const liveVideo = (identifier: string): Partial<ByteFacts> => ({ content_identifier: identifier, kind: 'video', mime: 'video/quicktime', duration_ms: 2_000 });

/** Scans every root whose drive is there, then relates. */
async function run(scene: Scene = s): Promise<ScanReport[]> {
  const reports = await scanAll(scene.ctx);
  await relateMarked(scene.ctx);
  return reports;
}
function rows(scene: Scene, sql: string): Record<string, unknown>[] { return scene.catalog.db.prepare(sql).all(); }
const PATH = "CASE WHEN dir = '' THEN name ELSE dir || '/' || name END AS path";
/** The description of every import of each file that has some, by path. */
function said(scene: Scene = s): Record<string, (string | null)[]> {
  return Object.fromEntries(rows(scene, `SELECT ${PATH}, imports FROM files WHERE imports <> '[]' ORDER BY volume_id, 1`).map((r) => [String(r['path']), (JSON.parse(String(r['imports'])) as ImportFacts[]).map((i) => i.description)]));
}
function albums(scene: Scene = s): Record<string, string[]> {
  return Object.fromEntries(rows(scene, `SELECT ${PATH}, albums FROM files WHERE albums <> '[]' ORDER BY volume_id, 1`).map((r) => [String(r['path']), (JSON.parse(String(r['albums'])) as AlbumImport[]).map((a) => a.title)]));
}
/** Stacks that hold, by the paths of their hashes' first copies. */
function stacks(scene: Scene = s): string[] {
  const name = (column: string) => `(SELECT min(${PATH.replace(' AS path', '')}) FROM files f WHERE f.sha256 = s.${column})`;
  return rows(scene, `SELECT ${name('member_sha256')} AS m, ${name('primary_sha256')} AS p, type FROM stacks s WHERE removed = 0 ORDER BY 1`).map((r) => `${String(r['m'])} > ${String(r['p'])} ${String(r['type'])}`);
}
/** All that is derived, with its revisions: equal where nothing was written. */
function derived(): unknown {
  return {
    files: rows(s, 'SELECT volume_id, dir, name, imports, albums, revision FROM files ORDER BY 1, 2, 3'), stacks: rows(s, 'SELECT * FROM stacks'), relations: rows(s, 'SELECT * FROM relations'),
    sidecars: rows(s, 'SELECT * FROM sidecars'), candidates: rows(s, 'SELECT * FROM title_candidates'), folders: rows(s, 'SELECT * FROM related_folders'),
  };
}
async function expectStable(): Promise<void> {
  const before = derived();
  s.catalog.db.exec('INSERT OR IGNORE INTO folders_to_relate SELECT DISTINCT volume_id, dir FROM files');
  await relateMarked(s.ctx);
  expect(derived()).toEqual(before);
  expect(rows(s, 'SELECT * FROM folders_to_relate')).toEqual([]);
  expect(rows(s, 'SELECT * FROM keys_to_relate')).toEqual([]);
}

describe('sidecars beside their files', () => {
  test('are read, matched, and counted as sidecars', async () => {
    s.picture('a/x.png', 1);
    put(s.at('a/x.png.json'), takeout('x.png', 'of x', 1_500_000_000, { favorited: true, people: [{ name: 'A' }] }));
    put(s.at('a/y.png.json'), takeout('y.png', 'of y'));
    await s.addRoot();
    const [report] = await run();
    expect(report?.counts).toMatchObject({ seen: 3, indexed: 1, sidecar: 2, failed: 0 });
    expect(said()).toEqual({ 'a/x.png': ['of x'] });
    expect(countSidecars(s.catalog)).toEqual({ sidecars: 2, matched: 1, without_media: 1, media: 1, media_with_sidecar: 1, without_sidecar: 0 });
    expect(listUnmatched(s.catalog, 'without_media', 0, 10)).toMatchObject([{ dir: 'a', name: 'y.png.json' }]);
    await expectStable();
  });

  test('broken ones and huge ones are failures with a reason; the sum adds up; the rest is matched', async () => {
    s.picture('a/x.png', 1);
    put(s.at('a/x.png.json'), takeout('x.png', 'of x'));
    put(s.at('a/broken.png.json'), '{"title": "broken.png", "photoTaken');
    put(s.at('a/huge.png.json'), '{');
    truncateSync(s.at('a/huge.png.json'), 3_000_000_000);
    expect(statSync(s.at('a/huge.png.json')).size).toBeGreaterThan(MAX_SIDECAR_BYTES);
    await s.addRoot();
    const [report] = await run();
    expect(report && sumOf(report)).toBe(4);
    expect(report?.counts).toMatchObject({ indexed: 1, sidecar: 1, failed: 2 });
    expect(report?.failed.map((f) => [f.path, f.code]).sort()).toEqual([['a/broken.png.json', 'damaged'], ['a/huge.png.json', 'too_large']]);
    for (const f of report?.failed ?? []) expect(f.reason.length).toBeGreaterThan(10);
    expect(said()).toEqual({ 'a/x.png': ['of x'] });
    // The next scan reads none of them again and says the same.
    const [again] = await run();
    expect(again?.counts).toMatchObject({ seen: 4, unchanged: 1, sidecar: 1, failed: 2 });
  });

  test('unchanged ones are not read again; a catalog from before reads them once', async () => {
    s.picture('a/x.png', 1);
    put(s.at('a/x.png.json'), takeout('x.png', 'of x'));
    await s.addRoot();
    await run();
    const calls = s.reader.calls.identify;
    await run();
    expect(s.reader.calls.identify).toBe(calls);
    s.catalog.db.exec("DELETE FROM sidecars; UPDATE files SET imports = '[]', read_version = 1; UPDATE assets SET facts_version = 1");
    await run();
    expect(said()).toEqual({ 'a/x.png': ['of x'] });
  });

  test('one that comes later, changes, and goes', async () => {
    s.picture('a/x.png', 1);
    await s.addRoot();
    await run();
    expect(said()).toEqual({});
    put(s.at('a/x.png.json'), takeout('x.png', 'first'));
    await run();
    expect(said()).toEqual({ 'a/x.png': ['first'] });
    put(s.at('a/x.png.json'), takeout('x.png', 'second, longer'));
    await run();
    expect(said()).toEqual({ 'a/x.png': ['second, longer'] });
    put(s.at('a/x.png.json'), '{ broken');
    await run();
    expect(said()).toEqual({});
    put(s.at('a/x.png.json'), takeout('x.png', 'third'));
    await run();
    rmSync(s.at('a/x.png.json'));
    await run();
    expect(said()).toEqual({});
    expect(countSidecars(s.catalog).sidecars).toBe(0);
    await expectStable();
  });

  test('the file that comes later, is renamed, and goes', async () => {
    put(s.at('a/x.png.json'), takeout('x.png', 'of x'));
    s.picture('a/other.png', 9);
    await s.addRoot();
    await run();
    s.picture('a/x.png', 1);
    await run();
    expect(said()).toEqual({ 'a/x.png': ['of x'] });
    renameSync(s.at('a/x.png'), s.at('a/y.png'));
    await run();
    expect(said()).toEqual({});
    expect(countSidecars(s.catalog)).toMatchObject({ matched: 0, without_media: 1, media: 2, without_sidecar: 2 });
    renameSync(s.at('a/y.png'), s.at('a/x.png'));
    await run();
    expect(said()).toEqual({ 'a/x.png': ['of x'] });
    await expectStable();
  });

  test('what was pushed is pushed again only where it changed', async () => {
    s.picture('a/x.png', 1);
    s.picture('a/y.png', 2);
    await s.addRoot();
    await run();
    s.catalog.db.exec('UPDATE files SET pushed_revision = revision');
    put(s.at('a/x.png.json'), takeout('x.png', 'of x'));
    await run();
    expect(rows(s, "SELECT name FROM files WHERE revision > pushed_revision AND seen_as = 'asset'")).toEqual([{ name: 'x.png' }]);
  });

  test('two copies of one file keep what the sidecar beside each says', async () => {
    s.picture('a/x.png', 1);
    s.picture('b/x.png', 1);
    put(s.at('a/x.png.json'), takeout('x.png', 'in a'));
    put(s.at('b/x.png.json'), takeout('x.png', 'in b'));
    await s.addRoot();
    await run();
    expect(said()).toEqual({ 'a/x.png': ['in a'], 'b/x.png': ['in b'] });
  });
});

describe('a stop or a crash', () => {
  test('between scan and relating loses nothing', async () => {
    const file = join(s.drives.folder, 'catalog.db');
    const first = createScene({ catalogFile: file });
    try {
      first.picture('a/x.png', 1);
      put(first.at('a/x.png.json'), takeout('x.png', 'of x'));
      await first.addRoot();
      await scanAll(first.ctx);
      expect(said(first)).toEqual({});
      expect(rows(first, 'SELECT dir FROM folders_to_relate')).toEqual([{ dir: 'a' }]);
      const catalog = openCatalog(file);
      await relateMarked({ catalog });
      catalog.close();
      expect(said(first)).toEqual({ 'a/x.png': ['of x'] });
    } finally { first.close(); }
  });

  test('a run that is told to stop leaves its marks', async () => {
    s.picture('a/x.png', 1);
    put(s.at('a/x.png.json'), takeout('x.png', 'of x'));
    await s.addRoot();
    await scanAll(s.ctx);
    await relateMarked({ catalog: s.catalog, signal: AbortSignal.abort() });
    expect(rows(s, 'SELECT dir FROM folders_to_relate')).toEqual([{ dir: 'a' }]);
    await relateMarked(s.ctx);
    expect(said()).toEqual({ 'a/x.png': ['of x'] });
  });

  test('a transaction that fails in the middle of a group changes nothing of it', async () => {
    s.picture('a/x.png', 1);
    s.picture('a/y.png', 2);
    for (const name of ['x.png', 'y.png']) put(s.at(`a/${name}.json`), takeout(name, name));
    await s.addRoot();
    await scanAll(s.ctx);
    s.catalog.db.exec("CREATE TRIGGER broken BEFORE UPDATE OF imports ON files WHEN NEW.name = 'y.png' BEGIN SELECT raise(ABORT, 'no'); END");
    await expect(relateMarked(s.ctx)).rejects.toThrow('no');
    expect(said()).toEqual({});
    s.catalog.db.exec('DROP TRIGGER broken');
    await relateMarked(s.ctx);
    expect(said()).toEqual({ 'a/x.png': ['x.png'], 'a/y.png': ['y.png'] });
  });
});

describe('an export in parts', () => {
  const one = 'part-1/Takeout/Google Photos/Trip';
  const two = 'part-2/Takeout/Google Photos/Trip';

  test('a sidecar in one part, its file in the other; the album holds for both', async () => {
    put(s.at(`${one}/metadata.json`), album('Trip to the sea'));
    s.picture(`${one}/a.png`, 1);
    put(s.at(`${one}/a.png.json`), takeout('a.png', 'of a'));
    put(s.at(`${one}/b.png.json`), takeout('b.png', 'of b'));
    s.picture(`${two}/b.png`, 2);
    s.picture(`${two}/a-edited.png`, 3);
    await s.addRoot();
    await run();
    expect(said()).toEqual({ [`${one}/a.png`]: ['of a'], [`${two}/b.png`]: ['of b'], [`${two}/a-edited.png`]: ['of a'] });
    expect(Object.values(albums())).toEqual([['Trip to the sea'], ['Trip to the sea'], ['Trip to the sea']]);
    expect(countSidecars(s.catalog)).toMatchObject({ sidecars: 2, matched: 2, without_media: 0 });
    await expectStable();
    // The part with the sidecars goes: what it said goes with it.
    renameSync(s.at('part-1'), s.at('.jharokha-away'));
    await run();
    await run();
    expect(said()[`${two}/b.png`]).toBeUndefined();
    expect(albums()[`${two}/b.png`]).toBeUndefined();
    await expectStable();
  });

  test('the parts as two drives, the first away when the second comes', async () => {
    put(s.at(`${one}/metadata.json`), album('Trip'));
    put(s.at(`${one}/b.png.json`), takeout('b.png', 'of b'));
    await s.addRoot();
    await run();
    expect(countSidecars(s.catalog)).toMatchObject({ sidecars: 1, matched: 0, without_media: 1 });
    s.drives.unplug('blue');
    const top = s.drives.plugIn('red');
    put(join(top, two, 'b.png'), png(2));
    await addRoot(s.ctx, top);
    await run();
    expect(said()).toEqual({ [`${two}/b.png`]: ['of b'] });
    expect(albums()).toEqual({ [`${two}/b.png`]: ['Trip'] });
    await expectStable();
  });

  test('another account\'s folder of the same name takes nothing, and gives nothing', async () => {
    s.reader.facts.set('IMG_0001.png', exif('2017-07-14T04:40:00'));
    put(s.at(`${one}/IMG_0001.png.json`), takeout('IMG_0001.png', 'mine', 1_300_000_000));
    s.picture(`${two}/IMG_0001.png`, 2);
    await s.addRoot();
    await run();
    expect(said()).toEqual({});
    // Its own sidecar waits for nothing else's sake.
    put(s.at(`${two}/IMG_0001.png.json`), takeout('IMG_0001.png', 'its own'));
    await run();
    expect(said()).toEqual({ [`${two}/IMG_0001.png`]: ['its own'] });
    await expectStable();
  });

  test('a sidecar that has its file gives nothing to another of that name', async () => {
    s.picture(`${one}/x.png`, 1);
    put(s.at(`${one}/x.png.json`), takeout('x.png', 'of the first'));
    s.picture(`${two}/x.png`, 2);
    await s.addRoot();
    await run();
    expect(said()).toEqual({ [`${one}/x.png`]: ['of the first'] });
  });

  test('two parts that say different things of one name say nothing to a third', async () => {
    put(s.at('p1/Trip/x.png.json'), takeout('x.png', 'one'));
    put(s.at('p2/Trip/x.png.json'), takeout('x.png', 'two'));
    s.picture('p3/Trip/x.png', 1);
    await s.addRoot();
    await run();
    expect(said()).toEqual({});
    put(s.at('p2/Trip/x.png.json'), takeout('x.png', 'one'));
    await run();
    expect(said()).toEqual({ 'p3/Trip/x.png': ['one'] });
  });

  test('year folders are no albums, whatever their file says; the owner\'s own folder of an album\'s name is none either', async () => {
    for (const [i, [folder, title]] of [['Photos from 2019', 'Photos from 2019'], ['Fotos von 2019', 'Fotos von 2019'], ['Photos de 2019', 'Photos de 2019'], ['2019年の写真', '2019 年の写真'], ['2016-08-12', '2016-08-12']].entries()) {
      put(s.at(`t/${folder}/metadata.json`), album(title ?? ''));
      s.picture(`t/${folder}/${i}.png`, i + 1);
    }
    put(s.at('t/Trip 2019/metadata.json'), album('Trip 2019'));
    s.picture('t/Trip 2019/x.png', 20);
    s.picture('own/Trip 2019/y.png', 21);
    s.picture('elsewhere/Google Fotos/Trip 2019/z.png', 22);
    await s.addRoot();
    await run();
    expect(albums()).toEqual({ 't/Trip 2019/x.png': ['Trip 2019'], 'elsewhere/Google Fotos/Trip 2019/z.png': ['Trip 2019'] });
  });

  test('one key for all copies and spellings of an album\'s folder', async () => {
    for (const [i, dir] of ['a/Été', 'b/E\u0301te\u0301'.normalize('NFD')].entries()) {
      put(s.at(`${dir}/metadata.json`), album('Été'));
      s.picture(`${dir}/${i}.png`, i + 1);
    }
    await s.addRoot();
    await run();
    expect(new Set(rows(s, "SELECT albums FROM files WHERE albums <> '[]'").map((r) => r['albums'])).size).toBe(1);
  });
});

describe('by title, in folders of other names', () => {
  test('the one file that fits, whichever comes first', async () => {
    s.reader.facts.set('IMG_0001.png', exif('2017-07-14T04:40:00'));
    for (const first of ['file', 'sidecar']) {
      const scene = createScene();
      scene.reader.facts = s.reader.facts;
      try {
        const steps = [() => scene.picture('moved/IMG_0001.png', 1), () => put(scene.at('Takeout/Trip/IMG_0001.png.json'), takeout('IMG_0001.png', 'found', 1_500_000_000))];
        mkdirSync(scene.at('moved'));
        await scene.addRoot();
        for (const step of first === 'file' ? steps : steps.toReversed()) { step(); await run(scene); }
        expect(said(scene), first).toEqual({ 'moved/IMG_0001.png': ['found'] });
        expect(countSidecars(scene.catalog)).toMatchObject({ sidecars: 1, matched: 1 });
      } finally { scene.close(); }
    }
  });

  test('two that fit are left alone, in either order; a copy of the one is not another', async () => {
    put(s.at('Takeout/Trip/IMG_0001.png.json'), takeout('IMG_0001.png', 'whose?'));
    s.picture('moved/IMG_0001.png', 1);
    s.picture('copy/IMG_0001.png', 1);
    await s.addRoot();
    await run();
    expect(said()).toEqual({ 'copy/IMG_0001.png': ['whose?'], 'moved/IMG_0001.png': ['whose?'] });
    s.picture('late/IMG_0001.png', 2);
    await run();
    expect(said()).toEqual({});
    expect(countSidecars(s.catalog)).toMatchObject({ matched: 0, without_media: 1 });
    rmSync(s.at('late'), { recursive: true });
    await run();
    await expectStable();
  });

  test('not one of another time, not a numbered one, not a name that says nothing', async () => {
    s.reader.facts.set('IMG_0001.png', exif('2011-01-01T00:00:00'));
    s.picture('moved/IMG_0001.png', 1);
    put(s.at('Takeout/Trip/IMG_0001.png.json'), takeout('IMG_0001.png', 'other time'));
    s.picture('moved/IMG_0002.png', 2);
    put(s.at('Takeout/Trip/IMG_0002.png(1).json'), takeout('IMG_0002.png', 'the second of two'));
    s.picture('moved/photo.png', 3);
    put(s.at('Takeout/Trip/photo.png.json'), takeout('photo.png', 'any'));
    await s.addRoot();
    await run();
    expect(said()).toEqual({});
    await expectStable();
  });

  test('not one that its own folder did not match: its name says more than its title', async () => {
    s.reader.facts.set('DSC_0103.png', exif('2017-07-14T04:40:00'));
    s.picture('Takeout/Trip/DSC_0103.png', 1);
    put(s.at('Takeout/Trip/DSC_0103.png(1).json'), takeout('DSC_0103.png', 'of the second of that name'));
    await s.addRoot();
    await run();
    expect(said()).toEqual({});
  });

  test('a sidecar that loses its file looks again among those that came meanwhile', async () => {
    put(s.at('Takeout/Trip/IMG_0001.png.json'), takeout('IMG_0001.png', 'found'));
    await s.addRoot();
    await run();
    s.picture('Takeout/Trip/IMG_0001.png', 1);
    await run();
    s.picture('moved/IMG_0001.png', 2);
    await run();
    expect(said()).toEqual({ 'Takeout/Trip/IMG_0001.png': ['found'] });
    renameSync(s.at('Takeout/Trip/IMG_0001.png'), s.at('Takeout/Trip/renamed.png'));
    await run();
    expect(said()).toEqual({ 'moved/IMG_0001.png': ['found'] });
    await expectStable();
  });

  test('of several sidecars of one title each finds its own file by the time', async () => {
    s.picture('moved/a/IMG_0001.png', 1);
    s.picture('moved/b/IMG_0001.png', 2);
    put(s.at('Takeout/A/IMG_0001.png.json'), takeout('IMG_0001.png', 'one', Date.UTC(2017, 6, 14, 2, 40) / 1000));
    put(s.at('Takeout/B/IMG_0001.png.json'), takeout('IMG_0001.png', 'two', Date.UTC(2018, 6, 14, 2, 40) / 1000));
    const times = ['2017-07-14T04:40:00', '2018-07-14T04:40:00'];
    s.reader.onQuick = (source) => { s.reader.facts.set('IMG_0001.png', exif(source.path.includes('/a/') ? times[0] ?? '' : times[1] ?? '')); };
    s.ctx.concurrency = 1;
    await s.addRoot();
    await run();
    expect(said()).toEqual({ 'moved/a/IMG_0001.png': ['one'], 'moved/b/IMG_0001.png': ['two'] });
  });

  test('the drive of the sidecar away, the file on another drive', async () => {
    put(s.at('Takeout/Trip/IMG_0001.png.json'), takeout('IMG_0001.png', 'found'));
    await s.addRoot();
    await run();
    s.drives.unplug('blue');
    const top = s.drives.plugIn('red');
    put(join(top, 'album of mine', 'IMG_0001.png'), png(7));
    await addRoot(s.ctx, top);
    await run();
    expect(said()).toEqual({ 'album of mine/IMG_0001.png': ['found'] });
    // The drive comes back without that sidecar: what it said goes.
    s.drives.replug('blue');
    rmSync(s.at('Takeout/Trip/IMG_0001.png.json'));
    await run();
    expect(said()).toEqual({});
    await expectStable();
  });
});

describe('stacks', () => {
  beforeEach(() => { s.reader.facts.set('IMG_1.png', live('X')).set('IMG_1.mov', liveVideo('X')); });

  test('a Live Photo whose folder is copied twice: one stack, four locations', async () => {
    for (const dir of ['a', 'copies/a', 'copies/b']) { s.picture(`${dir}/IMG_1.png`, 1); s.picture(`${dir}/IMG_1.mov`, 2); }
    await s.addRoot();
    await run();
    expect(stacks()).toEqual(['a/IMG_1.mov > a/IMG_1.png live']);
    expect(rows(s, "SELECT count(*) AS n FROM files WHERE seen_as = 'asset'")).toEqual([{ n: 6 }]);
    await expectStable();
    // One copy loses its still: the others hold the pair.
    s.catalog.db.exec('UPDATE stacks SET pushed_revision = revision');
    rmSync(s.at('a'), { recursive: true });
    await run();
    expect(stacks()).toEqual(['a/IMG_1.mov > a/IMG_1.png live']);
    expect(rows(s, 'SELECT * FROM stacks WHERE revision > pushed_revision')).toEqual([]);
  });

  test('a still in another folder of the drive, whichever comes first; not one on another drive', async () => {
    s.picture('videos/IMG_1.mov', 2);
    await s.addRoot();
    await run();
    expect(stacks()).toEqual([]);
    const red = s.drives.plugIn('red');
    put(join(red, 'IMG_1.png'), png(1));
    await addRoot(s.ctx, red);
    await run();
    expect(stacks()).toEqual([]);
    s.picture('stills/IMG_1.png', 1);
    await run();
    expect(stacks()).toHaveLength(1);
    await expectStable();
    // The still moves on: the pair holds; it leaves the drive for good: the pair goes.
    renameSync(s.at('stills'), s.at('pictures'));
    await run();
    expect(stacks()).toHaveLength(1);
    put(s.at('pictures/IMG_1.png'), png(3));
    s.reader.facts.delete('IMG_1.png');
    await run();
    expect(stacks()).toEqual([]);
    expect(rows(s, 'SELECT removed FROM stacks')).toEqual([{ removed: 1 }]);
    await expectStable();
  });

  test('a still beside it goes before one elsewhere on the drive, whichever comes first', async () => {
    // The same identifier on two stills: the phone's, and a JPEG that was made from it and would be the better by name.
    s.reader.facts.set('A.png', live('X'));
    for (const first of ['beside', 'elsewhere']) {
      const scene = createScene();
      scene.reader.facts = s.reader.facts;
      try {
        const steps = [() => scene.picture('b/IMG_1.png', 1), () => scene.picture('a/A.png', 3)];
        scene.picture('b/IMG_1.mov', 2);
        await scene.addRoot();
        for (const step of first === 'beside' ? steps : steps.toReversed()) { step(); await run(scene); }
        expect(stacks(scene), first).toEqual(['b/IMG_1.mov > b/IMG_1.png live']);
      } finally { scene.close(); }
    }
    // By folder first also where the name speaks for the other one.
    const scene = createScene();
    scene.reader.facts = new Map([...s.reader.facts, ['Z.png', live('X')]]);
    try {
      scene.picture('b/Z.png', 4);
      scene.picture('b/IMG_1.mov', 2);
      scene.picture('a/IMG_1.png', 1);
      await scene.addRoot();
      await run(scene);
      expect(stacks(scene)).toEqual(['b/IMG_1.mov > b/Z.png live']);
    } finally { scene.close(); }
  });

  test('two folders whose stills and videos are crossed end, and pair', async () => {
    s.reader.facts.set('IMG_2.png', live('Y')).set('IMG_2.mov', liveVideo('Y'));
    s.picture('a/IMG_1.png', 1);
    s.picture('b/IMG_1.mov', 2);
    s.picture('b/IMG_2.png', 3);
    s.picture('a/IMG_2.mov', 4);
    await s.addRoot();
    await run();
    expect(stacks()).toEqual(['a/IMG_2.mov > b/IMG_2.png live', 'b/IMG_1.mov > a/IMG_1.png live']);
    await expectStable();
  });

  test('better facts of a known file make a pair, in every folder that holds it', async () => {
    const facts = s.reader.facts;
    s.reader.facts = new Map([['IMG_1.mov', { kind: 'video', mime: 'video/quicktime' }]]);
    for (const dir of ['a', 'b']) { s.picture(`${dir}/IMG_1.png`, 1); s.picture(`${dir}/IMG_1.mov`, 2); }
    await s.addRoot();
    await run();
    expect(stacks()).toEqual([]);
    s.reader.facts = facts;
    s.catalog.db.exec('UPDATE files SET read_version = 1; UPDATE assets SET facts_version = 1');
    await run();
    expect(stacks()).toEqual(['a/IMG_1.mov > a/IMG_1.png live']);
    expect(rows(s, 'SELECT count(*) AS n FROM relations')).toEqual([{ n: 2 }]);
  });

  test('an edited copy found in one folder hangs under the original of another', async () => {
    s.picture('a/IMG_1.png', 1);
    s.picture('a/IMG_1.mov', 2);
    // The still of `a` is the edited copy of another picture in `b`: all stand under that one.
    s.picture('b/x.png', 5);
    s.picture('b/x-edited.png', 1);
    s.reader.facts.set('x-edited.png', live('X'));
    await s.addRoot();
    await run();
    expect(stacks()).toEqual(['a/IMG_1.mov > b/x.png live', 'a/IMG_1.png > b/x.png edited']);
    rmSync(s.at('b/x.png'));
    writeFileSync(s.at('b/x.png'), 'no picture any more');
    await run();
    expect(stacks()).toEqual(['a/IMG_1.mov > a/IMG_1.png live']);
    await expectStable();
  });
});

describe('a drive that got its marker', () => {
  test('keeps what was found on it', async () => {
    s.close();
    s = createScene({ volume: { volume_id: 'weak:1', identity: 'weak' } });
    s.picture('a/x.png', 1);
    put(s.at('a/x.png.json'), takeout('x.png', 'of x'));
    await s.addRoot();
    await run();
    const { adoptMarkedVolume } = await import('../../../agent/pipeline/index.ts');
    const weak = await s.ctx.volumes.get('weak:1');
    if (!weak) throw new Error('no volume');
    adoptMarkedVolume(s.ctx, 'weak:1', { ...weak, volume_id: 'marker:1', identity: 'marker' });
    await relateMarked(s.ctx);
    expect(said()).toEqual({ 'a/x.png': ['of x'] });
    expect(countSidecars(s.catalog)).toMatchObject({ sidecars: 1, matched: 1, media: 1 });
    expect(rows(s, "SELECT * FROM related_folders WHERE volume_id = 'weak:1'")).toEqual([]);
    await expectStable();
  });
});
