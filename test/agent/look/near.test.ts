// Groups of look-alikes and bursts over real scans of folders: what is found, what is not, the same in whatever order it came, and
// how it falls apart.
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chooseSpace, putVector } from '../../../agent/catalog/vectors.ts';
import { renditionKey } from '../../../protocol/rendition.ts';
import { RenditionsAway } from '../../../agent/pipeline/embed-pending.ts';
import { countLooksDue } from '../../../agent/catalog/looks.ts';
import { openCatalog } from '../../../agent/catalog/catalog.ts';
import { lookPending } from '../../../agent/pipeline/look-pending.ts';
import { scanAll } from '../../../agent/pipeline/index.ts';
import { findNear, isNearDue } from '../../../agent/pipeline/near.ts';
import { relateMarked } from '../../../agent/pipeline/relate.ts';
import type { ByteFacts } from '../../../agent/pipeline/types.ts';
import { spaceOf } from '../../support/stand-in-embedder.ts';
import { sceneOf, VERSIONS } from '../../support/make-scene.ts';
import { createScene, put, type Scene } from '../scan/scene.ts';

const SIZE = { width: 800, height: 600 };
let s: Scene;
beforeEach(() => { s = createScene(); });
afterEach(() => { s.close(); });

const version = async (seed: number, name: string): Promise<Buffer> => (name === 'original' ? (await sceneOf(seed)).jpeg({ quality: 92 }) : (VERSIONS[name] as NonNullable<(typeof VERSIONS)[string]>)(await sceneOf(seed), SIZE)).toBuffer();
/** As a burst has it: what stands in front moves a little. */
const frame = async (seed: number, i: number, quality = 80): Promise<Buffer> => (await sceneOf(seed, SIZE, i * 0.01)).jpeg({ quality }).toBuffer();
const nothing = async (): Promise<undefined> => undefined;
/** All that the agent does behind previews. */
async function work(scene: Scene = s): Promise<void> {
  await scanAll(scene.ctx);
  await relateMarked(scene.ctx);
  await lookPending({ catalog: scene.catalog, fetchRendition: nothing });
  await relateMarked(scene.ctx);
  await findNear({ catalog: scene.catalog });
}
const rows = (sql: string, scene: Scene = s): Record<string, unknown>[] => scene.catalog.db.prepare(sql).all().map((r) => ({ ...r }));
const nameOf = (column: string) => `(SELECT min(CASE WHEN dir = '' THEN name ELSE dir || '/' || name END) FROM files f WHERE f.sha256 = ${column})`;
/** Groups by their members' paths. */
function groups(scene: Scene = s): string[] {
  return Object.values(Object.groupBy(rows(`SELECT group_sha256 AS g, ${nameOf('member_sha256')} AS path FROM near WHERE removed = 0 ORDER BY path`, scene), (r) => String(r['g']))).map((g) => (g ?? []).map((r) => String(r['path'])).join(' ')).sort();
}
function bursts(scene: Scene = s): string[] {
  return rows(`SELECT ${nameOf('member_sha256')} AS m, ${nameOf('primary_sha256')} AS p FROM stacks WHERE removed = 0 AND type = 'burst' ORDER BY 1`, scene).map((r) => `${String(r['m'])} > ${String(r['p'])}`);
}
const shot = (second: number, more: Partial<ByteFacts> = {}): Partial<ByteFacts> => ({
  camera: 'Canon EOS R6', time_claims: [{ source: 'exif_original', wall: `2024-05-06T07:08:${String(second).padStart(2, '0')}`, utc_ms: null, offset_minutes: null, offset_source: null }], ...more,
});

describe('look-alikes', () => {
  test('are grouped under the best of them; others are not', async () => {
    for (const [path, seed, name] of [['goa/a.jpg', 1, 'original'], ['sent/a.jpg', 1, 'sent'], ['edit/a.jpg', 1, 'brighter'], ['b.jpg', 2, 'original'], ['small/b.jpg', 2, 'half'], ['c.jpg', 3, 'original']] as const) put(s.at(path), await version(seed, name));
    // Exact copies are one asset, and no look-alike of itself.
    put(s.at('again/c.jpg'), await version(3, 'original'));
    await s.addRoot();
    await work();
    expect(groups()).toEqual(['b.jpg small/b.jpg', 'edit/a.jpg goa/a.jpg sent/a.jpg']);
    const [first] = rows(`SELECT ${nameOf('group_sha256')} AS leader, spare_bytes FROM near WHERE member_sha256 IN (SELECT sha256 FROM files WHERE name = 'b.jpg' AND dir = '')`);
    expect(first).toEqual({ leader: 'b.jpg', spare_bytes: (await version(2, 'half')).length });
    // Nothing is due, and a second run writes nothing.
    expect(isNearDue(s.catalog)).toBe(false);
    const before = rows('SELECT * FROM near');
    s.catalog.setMeta('near_due', '1');
    expect(await findNear({ catalog: s.catalog })).toBe(true);
    expect(rows('SELECT * FROM near')).toEqual(before);
  });

  test('are the same whatever order files came in', async () => {
    const files: [string, Buffer][] = [];
    for (const [seed, name] of [[1, 'original'], [1, 'sent'], [1, 'darker'], [2, 'original'], [2, 'poor'], [3, 'half'], [3, 'cropped'], [4, 'original']] as const) files.push([`${seed}-${name}.jpg`, await version(seed, name)]);
    const asFound: string[][] = [];
    for (const order of [files, files.toReversed(), [...files.slice(3), ...files.slice(0, 3)]]) {
      const scene = createScene();
      await scene.addRoot();
      for (const [name, bytes] of order) { put(scene.at(name), bytes); await work(scene); }
      asFound.push([...groups(scene), ...rows('SELECT member_sha256 AS m, group_sha256 AS g, spare_bytes AS b FROM near WHERE removed = 0 ORDER BY 1', scene).map((r) => JSON.stringify(r))]);
      scene.close();
    }
    expect(asFound[0]).toHaveLength(3 + 7);
    expect(asFound[1]).toEqual(asFound[0]);
    expect(asFound[2]).toEqual(asFound[0]);
  });

  test('are none once the files are gone, and again once they are back', async () => {
    const small = await version(1, 'half');
    put(s.at('a.jpg'), await version(1, 'original'));
    put(s.at('b.jpg'), small);
    await s.addRoot();
    await work();
    expect(groups()).toEqual(['a.jpg b.jpg']);
    rmSync(s.at('b.jpg'));
    await work();
    expect(s.missing()).toEqual(['b.jpg']);
    expect(groups()).toEqual([]);
    expect(rows('SELECT removed FROM near')).toEqual([{ removed: 1 }, { removed: 1 }]);
    put(s.at('b.jpg'), small);
    await work();
    expect(groups()).toEqual(['a.jpg b.jpg']);
  });

  test('are of one kind, shape and length', async () => {
    const [a, b] = [await version(1, 'original'), await version(1, 'sent')];
    const wide = await (await sceneOf(1)).resize(900, 400, { fit: 'fill' }).jpeg().toBuffer();
    put(s.at('a.jpg'), a); put(s.at('wide.jpg'), wide); put(s.at('film.jpg'), b);
    s.reader.facts.set('film.jpg', { kind: 'video', mime: 'video/mp4', duration_ms: 60_000 });
    for (const [name, seed, ms] of [['x.jpg', 'half', 60_900], ['y.jpg', 'poor', 62_500]] as const) { put(s.at(name), await version(1, seed)); s.reader.facts.set(name, { kind: 'video', mime: 'video/mp4', duration_ms: ms }); }
    await s.addRoot();
    await work();
    expect(groups()).toEqual(['film.jpg x.jpg']);
  });

  test('are confirmed by vectors where both have one', async () => {
    put(s.at('a.jpg'), await version(1, 'original'));
    put(s.at('b.jpg'), await version(1, 'half'));
    await s.addRoot();
    await work();
    expect(groups()).toEqual(['a.jpg b.jpg']);
    const space = chooseSpace(s.catalog, spaceOf('light'), null);
    const [a, b] = ['a.jpg', 'b.jpg'].map((name) => String(rows(`SELECT sha256 FROM files WHERE name = '${name}'`)[0]?.['sha256']));
    const vector = (sha256: string | undefined, ...v: number[]) => { putVector(s.catalog, space.id, { sha256: sha256 ?? '', newestMs: 0 }, Float32Array.from(v)); };
    vector(a, 1, 0, 0, 0);
    vector(b, 0, 1, 0, 0);
    s.catalog.db.exec('DELETE FROM vectors_due; DELETE FROM vectors_to_make');
    // Another space, and all of it made: the groups are looked at again.
    expect(isNearDue(s.catalog)).toBe(true);
    await findNear({ catalog: s.catalog });
    expect(groups()).toEqual([]);
    vector(b, 0.99, 0.14, 0, 0);
    s.catalog.setMeta('near_due', '1');
    await findNear({ catalog: s.catalog });
    expect(groups()).toEqual(['a.jpg b.jpg']);
  });

  test('are looked for anew by what is changed while they are looked for', async () => {
    for (const name of ['original', 'half', 'sent']) put(s.at(`${name}.jpg`), await version(1, name));
    await s.addRoot();
    await work();
    s.catalog.setMeta('near_due', 'before');
    const done = findNear({ catalog: s.catalog, idle: async () => { s.catalog.setMeta('near_due', 'meanwhile'); } });
    s.catalog.setMeta('near_due', 'meanwhile');
    await done;
    expect(isNearDue(s.catalog)).toBe(true);
    const stop = new AbortController();
    stop.abort();
    expect(await findNear({ catalog: s.catalog }, stop.signal)).toBe(false);
    expect(isNearDue(s.catalog)).toBe(true);
  });
});

describe('looks of a catalog from before', () => {
  test('are made from renditions, as far as they can be had, and made anew after another version', async () => {
    for (const seed of [1, 2, 3]) put(s.at(`${seed}.jpg`), await version(seed, 'original'));
    await s.addRoot();
    await scanAll(s.ctx);
    const kept = new Map(rows('SELECT key, bytes FROM spool').map((r) => [String(r['key']), r['bytes'] as Uint8Array]));
    s.catalog.db.exec('DELETE FROM spool');
    expect(countLooksDue(s.catalog)).toBe(3);
    // Nobody to be reached: it ends, and all wait.
    expect(await lookPending({ catalog: s.catalog, fetchRendition: async () => { throw new RenditionsAway('away'); } })).toMatchObject({ looked: 0 });
    expect(countLooksDue(s.catalog)).toBe(3);
    // One rendition is lost, one is broken: that one has no look, and is not tried again.
    const lost = String(rows('SELECT sha256 FROM assets ORDER BY sha256')[0]?.['sha256']), broken = String(rows('SELECT sha256 FROM assets ORDER BY sha256')[1]?.['sha256']);
    const report = await lookPending({ catalog: s.catalog, fetchRendition: async (id) => (id.sha256 === lost ? undefined : id.sha256 === broken ? new Uint8Array([1, 2, 3]) : kept.get(renditionKey(id))) });
    expect(report).toEqual({ looked: 2, waiting: 1 });
    expect(rows('SELECT sha256, hi IS NULL AS none FROM looks ORDER BY 1').map((r) => r['none'])).toEqual([1, 0]);
    expect(countLooksDue(s.catalog)).toBe(1);
  });

  test('all are due where the version has changed', async () => {
    const folder = s.at('catalog.db');
    const own = createScene({ catalogFile: folder });
    put(own.at('1.jpg'), await version(1, 'original'));
    await own.addRoot();
    await work(own);
    expect(countLooksDue(own.catalog)).toBe(0);
    own.catalog.db.exec("UPDATE looks SET version = 0; UPDATE meta SET value = '0' WHERE key = 'looks_version'");
    own.close();
    const again = openCatalog(folder);
    expect(countLooksDue(again)).toBe(1);
    again.close();
  });
});

describe('bursts', () => {
  const burst = async (names: readonly string[], seconds: readonly number[], more: (i: number) => Partial<ByteFacts> = () => ({})): Promise<void> => {
    for (const [i, name] of names.entries()) { put(s.at(name), await frame(1, i, i === 1 ? 92 : 80)); s.reader.facts.set(name.split('/').at(-1) ?? name, shot(seconds[i] ?? 0, more(i))); }
    await s.addRoot();
    await work();
  };

  test('are shown under the largest file, and are no look-alikes of each other', async () => {
    await burst(['IMG_9.jpg', 'IMG_10.jpg', 'IMG_11.jpg', 'IMG_12.jpg'], [1, 1, 2, 4]);
    expect(bursts()).toEqual(['IMG_11.jpg > IMG_10.jpg', 'IMG_12.jpg > IMG_10.jpg', 'IMG_9.jpg > IMG_10.jpg']);
    expect(groups()).toEqual([]);
    // One goes: three are still a burst; another: they are not.
    rmSync(s.at('IMG_10.jpg'));
    await work();
    expect(bursts().map((b) => b.split(' > ')[1])).toEqual([expect.stringMatching(/IMG_(9|11|12)/), expect.any(String)]);
    rmSync(s.at('IMG_11.jpg'));
    await work();
    expect(bursts()).toEqual([]);
  });

  test.each([
    ['two are none', ['a1.jpg', 'a2.jpg'], [1, 2], undefined],
    ['a gap ends them', ['a1.jpg', 'a2.jpg', 'a3.jpg', 'a4.jpg'], [1, 2, 5, 6], undefined],
    ['two cameras have none in common', ['a1.jpg', 'a2.jpg', 'a3.jpg', 'a4.jpg'], [1, 2, 3, 4], (i: number) => ({ camera: i % 2 === 0 ? 'Canon EOS R6' : 'Pixel 8' })],
    ['no camera, no burst', ['a1.jpg', 'a2.jpg', 'a3.jpg'], [1, 2, 3], () => ({ camera: null })],
    ['no own time, no burst', ['20240506_a1.jpg', '20240506_a2.jpg', '20240506_a3.jpg'], [1, 2, 3], () => ({ time_claims: [] })],
    ['versions of one picture are none', ['a1.jpg', 'a1-edit.jpg', 'a1_web.jpg', 'b.jpg'], [1, 1, 1, 1], undefined],
    ['numbered copies are none', ['a1.jpg', 'a1 (1).jpg', 'a1 (2).jpg', 'a1 (3).jpg', 'a1 2.jpg', 'a1 3.jpg', 'a1 4.jpg'], [1, 1, 1, 1, 1, 1, 1], undefined],
    ['other names are of others', ['a1.jpg', 'b2.jpg', 'c3.jpg'], [1, 2, 3], undefined],
    ['other sizes are other pictures', ['a1.jpg', 'a2.jpg', 'a3.jpg'], [1, 2, 3], (i: number) => ({ width: 800 + i })],
  ])('%s', async (_, names, seconds, more) => {
    await burst(names, seconds, more);
    expect(bursts()).toEqual([]);
  });

  test('a panorama of different pictures is none', async () => {
    for (let i = 0; i < 5; i += 1) { put(s.at(`p${i}.jpg`), await version(20 + i, 'original')); s.reader.facts.set(`p${i}.jpg`, shot(i)); }
    await s.addRoot();
    await work();
    expect(bursts()).toEqual([]);
  });

  test('by the names that the camera gave, under its cover, without a time', async () => {
    for (const [i, name] of ['IMG_20240506_070809_BURST001.jpg', 'IMG_20240506_070809_BURST002_COVER.jpg', '00000IMG_00000_BURST20240506070809123.jpg', '00001IMG_00001_BURST20240506070809123_COVER.jpg', 'IMG_20240506_070809.jpg'].entries()) put(s.at(name), await version(i + 1, 'original'));
    await s.addRoot();
    await work();
    expect(bursts()).toEqual(['00000IMG_00000_BURST20240506070809123.jpg > 00001IMG_00001_BURST20240506070809123_COVER.jpg', 'IMG_20240506_070809_BURST001.jpg > IMG_20240506_070809_BURST002_COVER.jpg']);
  });

  test('a stack of another kind wins, in whatever folder', async () => {
    await burst(['IMG_1.jpg', 'IMG_2.jpg', 'IMG_3.jpg', 'IMG_4.jpg', 'IMG_5.jpg'], [1, 1, 1, 2, 2]);
    expect(bursts()).toHaveLength(4);
    // A RAW of the one that they all stand under.
    put(s.at('IMG_2.png'), await (await sceneOf(1, SIZE, 0.01)).png().toBuffer());
    s.reader.facts.set('IMG_2.png', shot(1, { mime: 'image/x-canon-cr3' }));
    await work();
    expect(rows("SELECT type FROM stacks WHERE removed = 0 AND type <> 'burst'")).toEqual([{ type: 'raw' }]);
    expect(bursts()).toHaveLength(3);
    expect(bursts().join()).not.toContain('IMG_2');
  });

  test('are the same in a copy of their folder, and whatever order files came in', async () => {
    const names = ['a/I1.jpg', 'a/I2.jpg', 'a/I3.jpg', 'b/I2.jpg', 'b/I3.jpg', 'b/I1.jpg'];
    const found: string[][] = [];
    for (const order of [names, names.toReversed()]) {
      const scene = createScene();
      await scene.addRoot();
      for (const name of order) {
        const i = Number(/\d/.exec(name)?.[0]);
        put(scene.at(name), await frame(1, i, i === 2 ? 92 : 80));
        scene.reader.facts.set(name.split('/')[1] ?? '', shot(i));
        await work(scene);
      }
      found.push(bursts(scene));
      scene.close();
    }
    expect(found[0]).toEqual(['a/I1.jpg > a/I2.jpg', 'a/I3.jpg > a/I2.jpg']);
    expect(found[1]).toEqual(found[0]);
  });
});
