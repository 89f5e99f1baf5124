// Which sidecar belongs to which file: every naming that is known of Takeout, XMP, the real cases and a real listing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { couldBeFor, matchSidecars, originalOf, titleKey, type FolderNames, type Match } from '../../../agent/pipeline/match.ts';
import { readSidecar } from '../../../agent/pipeline/sidecars.ts';
import { makeExport } from '../../../bench/export-names.ts';
import { createRandom } from '../../../scripts/demo-scenes.ts';
import { findSharedMedia } from '../../support/shared-media.ts';

const isVideo = (name: string) => /\.(mp4|mov|m4v|avi|mp)$|\.MP~\d$/i.test(name);
/** A folder by names alone: `.xmp` and `.json` are sidecars; `name.json = title` gives Takeout's title. */
function folder(...names: string[]): FolderNames {
  const media: FolderNames['media'][number][] = [];
  const sidecars: FolderNames['sidecars'][number][] = [];
  for (const entry of names) {
    const [name = '', title = null] = entry.split(' = ');
    if (/\.xmp$/i.test(name)) sidecars.push({ name, format: 'xmp', title });
    else if (/\.json$/i.test(name)) sidecars.push({ name, format: 'takeout', title });
    else media.push({ name, kind: isVideo(name) ? 'video' : 'image' });
  }
  return { media, sidecars };
}
const told = (matches: readonly Match[]): string[] => matches.map((m) => `${m.media} < ${m.sidecar} ${m.how}`).sort();
const match = (...names: string[]): string[] => told(matchSidecars(folder(...names)));

const S = '.supplemental-metadata';
const L45 = 'A_long_name_of_an_evening_by_the_sea_with_all';
const L47 = `${L45}_o`;

describe('one file, one sidecar', () => {
  // [sidecar, its title, media file, how]
  const cases: [string, string | null, string, Match['how'] | null][] = [
    ['a.jpg.json', 'a.jpg', 'a.jpg', 'own'],
    ['DSC_9.JPG(1).json', 'DSC_9.JPG', 'DSC_9(1).JPG', 'own'],
    ['DSC_9(1).JPG.json', 'DSC_9(1).JPG', 'DSC_9(1).JPG', 'own'],
    ['DSC_9.JPG(2).json', 'DSC_9.JPG', 'DSC_9(1).JPG', null],
    ['DSC_9.JPG(1).json', 'DSC_9.JPG', 'DSC_9.JPG', null],
    ['DSC_9.JPG.json', 'DSC_9.JPG', 'DSC_9(1).JPG', null],
    ['DSC_9.JPG.json', 'DSC_9.JPG', 'DSC_99.JPG', null],
    ['DSC_9.JPG.json', 'DSC_9.JPG', 'DSC_9.PNG', null],
    [`a.jpg${S}.json`, 'a.jpg', 'a.jpg', 'own'],
    [`a.jpg${S}(3).json`, 'a.jpg', 'a(3).jpg', 'own'],
    [`a.jpg(3)${S}.json`, 'a.jpg', 'a(3).jpg', 'own'],
    [`a(3).jpg${S}.json`, 'a(3).jpg', 'a(3).jpg', 'own'],
    [`a.jpg${S}(3).json`, 'a.jpg', 'a(2).jpg', null],
    ['Trip (38).jpg.json', 'Trip (38).jpg', 'Trip (38).jpg', 'own'],
    ['PXL_1~2.jpg.json', 'PXL_1~2.jpg', 'PXL_1~2.jpg', 'own'],
    ['PXL_1.MP.jpg.json', 'PXL_1.MP.jpg', 'PXL_1.MP', 'live'],
    ['PXL_1.MP.jpg.json', 'PXL_1.MP.jpg', 'PXL_1.MP4', 'live'],
    ['PXL_1.MP.jpg(1).json', 'PXL_1.MP.jpg', 'PXL_1.MP(1).MP4', 'live'],
    ['PXL_1.MP~2.jpg.json', 'PXL_1.MP~2.jpg', 'PXL_1.MP~2', 'live'],
    ['MVIMG_1.jpg.json', 'MVIMG_1.jpg', 'MVIMG_1.MP4', 'live'],
    ['IMG_7.HEIC.json', 'IMG_7.HEIC', 'IMG_7.MOV', 'live'],
    [`IMG_7.HEIC${S}(1).json`, 'IMG_7.HEIC', 'IMG_7(1).MP4', 'live'],
    ['IMG_7.HEIC.json', 'IMG_7.HEIC', 'IMG_7(1).MP4', null],
    ['IMG_7.MOV.json', 'IMG_7.MOV', 'IMG_7.HEIC', null],
    ['a.jpg.json', 'a.jpg', 'a-edited.jpg', 'edited'],
    ['a.HEIC.json', 'a.HEIC', 'a-edited.jpg', 'edited'],
    ['a.jpg(1).json', 'a.jpg', 'a-bearbeitet(1).jpg', 'edited'],
    ['a.jpg.json', 'a.jpg', 'a-bearbeitet(1).jpg', null],
    ['a.mp4.json', 'a.mp4', 'a-modifié.mp4', 'edited'],
    ['123.json', '123', '123-edited.jpg', 'edited'],
    ['123.json', '123', '123.jpg', 'own'],
    ['123(1).json', '123', '123(1).jpg', 'own'],
    [`IMG_1.JPG.json`, 'IMG_1.JPG', 'IMG_E1.JPG', null],
    [`IMG_1234.JPG.json`, 'IMG_1234.JPG', 'IMG_E1234.JPG', 'edited'],
    // Cut: the sidecar at 46 units, the file at 47 and its extension.
    [`${L45}_.json`, `${L47}pen_windows.jpg`, `${L47}.jpg`, 'own'],
    [`${L45}_(4).json`, `${L47}pen_windows.jpg`, `${L47}(4).jpg`, 'own'],
    [`${L45}_(4).json`, `${L47}pen_windows.jpg`, `${L47}(5).jpg`, null],
    [`${L45}_.json`, `${L47}pen_windows.jpg`, `${L47}(1).jpg`, 'copy'],
    [`${L45}_.json`, `${L47}pen_windows.jpg`, `${L45}_x.jpg`, null],
    [`${L45}_.json`, `${L47}pen_windows.HEIC`, `${L45}_.HEIC`, 'own'],
    ['a_name_of_forty_two_units_and_a_half_cut.j.json', 'a_name_of_forty_two_units_and_a_half_cut.jpg', 'a_name_of_forty_two_units_and_a_half_cut.jpg', 'own'],
    ['a_name_of_forty_four_units_in_all_so_it_is.jp.json', 'a_name_of_forty_four_units_in_all_so_it_is.jpg', 'a_name_of_forty_four_units_in_all_so_it_is.jpg', 'own'],
    ['a_name_of_forty_four_units_in_all_so_it_is.j(2).json', 'a_name_of_forty_four_units_in_all_so_it_is.jpg', 'a_name_of_forty_four_units_in_all_so_it_is(2).jpg', 'own'],
    // Replaced: what no file system takes, HTML in old exports, Unicode forms, case.
    ['what_ _1_.jpg.json', 'what? <1>.jpg', 'what_ _1_.jpg', 'own'],
    ['x.json', 'what? <1>.jpg', 'what_ _1_.jpg', 'own'],
    ['l_39_hiver.jpg.json', 'l&#39;hiver.jpg', "l'hiver.jpg", 'own'],
    ['l_39_hiver.jpg.json', 'l&#39;hiver.jpg', 'l_39_hiver.jpg', 'own'],
    ['Café.jpg.json'.normalize('NFD'), 'Café.jpg', 'Café.jpg'.normalize('NFC'), 'own'],
    ['Café.jpg.json', 'Café.jpg', 'Café-modifié.jpg'.normalize('NFD'), 'edited'],
    ['img_5.jpg.json', 'img_5.jpg', 'IMG_5.JPG', 'own'],
    ['IMG_5.JPG.JSON', 'IMG_5.JPG', 'IMG_5.JPG', 'own'],
  ];
  for (const [sidecar, title, media, how] of cases) {
    it(`${sidecar} ${how ? `is for ${media} (${how})` : `is not for ${media}`}`, () => {
      const files: FolderNames['media'] = [{ name: media, kind: isVideo(media) ? 'video' : 'image' }];
      const found = matchSidecars({ media: files, sidecars: [{ name: sidecar, format: 'takeout', title }] });
      expect(found).toEqual(how ? [{ sidecar, media, how }] : []);
      if (how && title !== null) {
        expect(couldBeFor(title, media)).toBe(true);
        expect(titleKey(media)).toBe(titleKey(title));
      }
    });
  }
  it('finds every length of the suffix, without any title', () => {
    for (let length = 1; length <= S.length; length += 1) {
      expect(match('b.jpg', `b.jpg${S.slice(0, length)}.json`)).toEqual([`b.jpg < b.jpg${S.slice(0, length)}.json own`]);
      expect(match('b(2).jpg', `b.jpg${S.slice(0, length)}(2).json`)).toHaveLength(1);
    }
    expect(match('b.jpg', 'b.jpg.supplemented.json')).toEqual([]);
  });
});

describe('a folder', () => {
  it('gives one sidecar to a file, its edited copy and its video', () => {
    expect(match('IMG_7.HEIC', 'IMG_7.MP4', 'IMG_7-edited.HEIC', 'IMG_7.HEIC.json = IMG_7.HEIC')).toEqual([
      'IMG_7-edited.HEIC < IMG_7.HEIC.json edited', 'IMG_7.HEIC < IMG_7.HEIC.json own', 'IMG_7.MP4 < IMG_7.HEIC.json live',
    ]);
  });
  it('gives each its own before its neighbour\'s', () => {
    expect(match('a.jpg', 'a-edited.jpg', 'a.mp4', 'a.jpg.json = a.jpg', 'a-edited.jpg.json = a-edited.jpg', 'a.mp4.json = a.mp4')).toEqual([
      'a-edited.jpg < a-edited.jpg.json own', 'a.jpg < a.jpg.json own', 'a.mp4 < a.mp4.json own',
    ]);
  });
  it('keeps doubles apart', () => {
    expect(match('a.jpg', 'a(1).jpg', 'a(2).jpg', 'a.jpg.json = a.jpg', 'a.jpg(1).json = a.jpg', `a.jpg${S}(2).json = a.jpg`)).toEqual([
      'a(1).jpg < a.jpg(1).json own', `a(2).jpg < a.jpg${S}(2).json own`, 'a.jpg < a.jpg.json own',
    ]);
  });
  it('believes the title where the names were cut to one', () => {
    const media = [`${L45}_1.jpg`, `${L45}_2.jpg`];
    expect(match(...media, `${L45}_.json = ${L45}_2.jpg`, `${L45}_(1).json = ${L45}_1.jpg`)).toEqual([`${media[0]} < ${L45}_(1).json own`, `${media[1]} < ${L45}_.json own`]);
    // Without titles there is a choice, and so no answer.
    expect(match(...media, `${L45}_.json`)).toEqual([]);
    // The title's own file lies elsewhere: its neighbour in the alphabet does not get it.
    expect(match(`${L45}_1.jpg`, `${L45}_.json = ${L45}_2.jpg`)).toEqual([]);
  });
  it('gives a cut sidecar to the still, and to its video as the still\'s', () => {
    expect(match(`${L47}.jpg`, `${L47}.mp4`, `${L45}_.json = ${L47}pen.jpg`)).toEqual([`${L47}.jpg < ${L45}_.json own`, `${L47}.mp4 < ${L45}_.json live`]);
  });
  it('takes a forgotten double for one only where no double has a sidecar of its own', () => {
    const title = `${L47}pen.jpg`;
    expect(match(`${L47}.jpg`, `${L47}(1).jpg`, `${L45}_.json = ${title}`)).toEqual([`${L47}(1).jpg < ${L45}_.json copy`, `${L47}.jpg < ${L45}_.json own`]);
    expect(match(`${L47}.jpg`, `${L47}(1).jpg`, `${L47}(2).jpg`, `${L45}_.json = ${title}`, `${L45}_(2).json = ${L47}pal.jpg`)).toHaveLength(2);
  });
  it('keeps names apart that differ by case, Unicode form or a replaced character', () => {
    expect(match('a.jpg', 'A.JPG', 'a.jpg.json', 'A.JPG.json')).toEqual(['A.JPG < A.JPG.json own', 'a.jpg < a.jpg.json own']);
    const [nfc, nfd] = ['é.jpg'.normalize('NFC'), 'é.jpg'.normalize('NFD')];
    expect(match(nfc, nfd, `${nfc}.json`, `${nfd}.json`)).toEqual([`${nfc} < ${nfc}.json own`, `${nfd} < ${nfd}.json own`].sort());
    expect(match('a&b.jpg', 'a_b.jpg', 'a_b.jpg.json = a_b.jpg', 'a&b.jpg.json = a&b.jpg')).toHaveLength(2);
    expect(match('a+b-edited.jpg', 'a+b.mp4', 'a&b.jpg.json = a&b.jpg', 'a+b.jpg.json = a+b.jpg')).toEqual(['a+b-edited.jpg < a+b.jpg.json edited', 'a+b.mp4 < a+b.jpg.json live']);
    // One sidecar that could be either's goes to none.
    expect(match('a&b.jpg', 'a+b.jpg', 'a_b.jpg.json = a?b.jpg')).toEqual([]);
  });
  it('takes both sidecars of two exports in one folder', () => {
    expect(match('a.jpg', 'a.jpg.json = a.jpg', `a.jpg${S}.json = a.jpg`)).toHaveLength(2);
  });
  it('asks albums, other JSON and AAE for nothing', () => {
    const sidecars = [{ name: 'a.jpg.json', format: 'album', title: null }, { name: 'a.json', format: 'other', title: null }, { name: 'a.AAE', format: 'aae', title: null }] as const;
    expect(matchSidecars({ media: [{ name: 'a.jpg', kind: 'image' }], sidecars })).toEqual([]);
  });
});

describe('XMP', () => {
  it('serves every still of its stem, and a file of its whole name alone', () => {
    expect(match('IMG_1.CR2', 'IMG_1.JPG', 'IMG_1.MOV', 'IMG_1.xmp')).toEqual(['IMG_1.CR2 < IMG_1.xmp own', 'IMG_1.JPG < IMG_1.xmp own']);
    expect(match('IMG_1.CR2', 'IMG_1.JPG', 'IMG_1.CR2.xmp')).toEqual(['IMG_1.CR2 < IMG_1.CR2.xmp own']);
    expect(match('IMG_1.CR2', 'IMG_1.JPG', 'IMG_1.CR2.xmp', 'IMG_1.xmp')).toEqual(['IMG_1.CR2 < IMG_1.CR2.xmp own', 'IMG_1.JPG < IMG_1.xmp own']);
    expect(match('a.mp4', 'a.XMP')).toEqual(['a.mp4 < a.XMP own']);
    expect(match('noext', 'noext.xmp')).toEqual(['noext < noext.xmp own']);
    expect(match('IMG_1.JPG', 'IMG_2.xmp', 'IMG_1.CR2.xmp', 'IMG-1.xmp')).toEqual([]);
    // What only Google replaces makes two names here.
    expect(match('a_b.jpg', 'a&b.xmp', 'a_b.png.xmp')).toEqual([]);
  });
  it('prefers the exact spelling and is content with another', () => {
    expect(match('img_1.jpg', 'IMG_1.JPG', 'IMG_1.xmp')).toEqual(['IMG_1.JPG < IMG_1.xmp own', 'img_1.jpg < IMG_1.xmp own']);
    expect(match('img_1.jpg', 'IMG_1.JPG', 'IMG_1.xmp', 'img_1.xmp')).toEqual(['IMG_1.JPG < IMG_1.xmp own', 'img_1.jpg < img_1.xmp own']);
  });
  it('stands beside Takeout\'s', () => {
    expect(match('a.jpg', 'a.jpg.json = a.jpg', 'a.xmp')).toEqual(['a.jpg < a.jpg.json own', 'a.jpg < a.xmp own']);
  });
});

describe('originalOf', () => {
  it('knows edited copies in many languages, cut marks and Apple\'s', () => {
    for (const [name, original] of [
      ['X-edited.jpg', 'X'], ['X-EDITED.JPG', 'X'], ['X-modifié(1).jpg', 'X(1)'], ['X(1)-edited.jpg', 'X(1)'], ['X-bearbeitet.HEIC', 'X'], ['X-編集済み.jpg', 'X'], ['X-отредактировано.jpg', 'X'],
      ['X-ha editado.jpg', 'X'], ['X-düzenlendi.jpg', 'X'], ['X~2-edited.jpg', 'X~2'], ['a-b-edited.jpg', 'a-b'], ['IMG_E1234.JPG', 'IMG_1234'], ['IMG_E1234(1).HEIC', 'IMG_1234(1)'],
      ['X-modifié.jpg'.normalize('NFD'), 'X'], [`${'n'.repeat(43)}-edi.jpg`, 'n'.repeat(43)], ['PXL_1.PORTRAIT-edited.jpg', 'PXL_1.PORTRAIT'],
    ] as const) expect(originalOf(name), name).toBe(original);
  });
  it('leaves other names alone', () => {
    for (const name of ['X.jpg', '-edited.jpg', 'edited.jpg', 'credited.jpg', 'X-edi.jpg', 'IMG_EDIT.JPG', 'IMG_E12.JPG', 'X-edited-2.jpg', '', '.', '()']) expect(originalOf(name), name).toBeUndefined();
  });
});

describe('across parts', () => {
  it('finds by title what could belong together, and nothing else', () => {
    for (const [title, media] of [['IMG_7.HEIC', 'IMG_7.JPG'], ['IMG_7.HEIC', 'IMG_70.HEIC'], ['a.jpg', 'b.jpg'], ['a.mp4', 'a.jpg'], ['a.jpg', 'a-b.jpg'], [`${L45}_1.jpg`, `${L45}_2.jpg`]] as const) expect(couldBeFor(title, media), `${title} ${media}`).toBe(false);
    for (const [title, media] of [['a.jpg', 'a(1).jpg'], ['a(1).jpg', 'a(1).jpg'], ['A?.jpg', 'a_.JPG'], ['PXL_1.MP.jpg', 'PXL_1.MP']] as const) {
      expect(couldBeFor(title, media), `${title} ${media}`).toBe(true);
      expect(titleKey(title)).toBe(titleKey(media));
    }
  });
});

describe('a made export', () => {
  it('comes out as it was made, in whatever order the names come', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      for (const { names, expected } of makeExport(400, seed)) {
        expect(told(matchSidecars(names))).toEqual(told(expected));
        const random = createRandom(seed + 1_000);
        const shuffled = <T>(list: readonly T[]): T[] => list.map((item) => ({ item, at: random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
        expect(matchSidecars({ media: shuffled(names.media), sidecars: shuffled(names.sidecars) })).toEqual(matchSidecars(names));
      }
    }
  });
  it('is independent of the order also where names collide', () => {
    const parts = ['a', 'A', 'a_', 'a&', 'a(1)', 'a_(1)', 'é', 'e\u0301', L45, L47, `${L47}x`];
    const random = createRandom(7);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    for (let round = 0; round < 300; round += 1) {
      const names = new Set<string>();
      for (let i = 0; i < 12; i += 1) names.add(`${pick(parts)}${pick(['', '-edited', '.MP'])}${pick(['', '(1)', '(2)'])}${pick(['.jpg', '.HEIC', '.mp4', ''])}`);
      for (let i = 0; i < 10; i += 1) { const base = `${pick(parts)}${pick(['.jpg', '.HEIC', '.MP.jpg', ''])}`; names.add(`${base}${pick(['', S, '.supp'])}${pick(['', '(1)', '(2)'])}.json${pick([` = ${base}`, ''])}`); }
      const list = [...new Map([...names].map((n) => [n.split(' = ')[0], n])).values()];
      const once = matchSidecars(folder(...list));
      expect(matchSidecars(folder(...list.toReversed()))).toEqual(once);
      expect(new Set(once.filter((m) => m.how !== 'own').map((m) => m.media)).size).toBe(once.filter((m) => m.how !== 'own').length);
    }
  });
  it('lives with hostile names', () => {
    const names = ['', '.', '..', '.json', '(1).json', '\ud83d.jpg', '\ud83d.jpg.json', `${'('.repeat(250)}.jpg`, `${'a.'.repeat(120)}json`, `${'-edited'.repeat(35)}.jpg`, 'constructor', 'x.constructor.json', '__proto__', '__proto__.json', '\0.jpg', `${'&'.repeat(200)}.jpg`];
    expect(() => matchSidecars(folder(...names))).not.toThrow();
    for (const name of names) { expect(() => titleKey(name)).not.toThrow(); expect(() => couldBeFor(name, name)).not.toThrow(); }
  });
});

const media = findSharedMedia();
if (media.reason) console.warn(`match.test.ts: the real names are skipped: ${media.reason}`);
describe.skipIf(media.dir === undefined)('the real names', () => {
  const takeout = join(media.dir ?? '', 'takeout');
  const cases = media.dir === undefined ? [] : readFileSync(join(takeout, 'derived-real-names', 'EXPECTED.tsv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split('\t'));
  const HOW: Record<string, Match['how'] | null> = { match: 'own', 'match-edited': 'edited', 'NO match': null, 'match (video part, no extension)': 'live', 'match (live video uses the still\'s sidecar)': 'live', 'match (forgotten duplicate)': 'copy' };
  it('has 35 cases', () => { expect(cases).toHaveLength(35); });
  it.each(cases)('%s: %s and %s: %s (%s)', async (id = '', sidecar = '', file = '', expected = '') => {
    expect(Object.keys(HOW)).toContain(expected);
    const dir = join(takeout, 'derived-real-names', id);
    expect(readdirSync(dir).sort()).toEqual([sidecar, file].sort());
    const { format, title } = await readSidecar(sidecar, 'json', readFileSync(join(dir, sidecar)));
    const how = HOW[expected] ?? null;
    expect(matchSidecars({ media: [{ name: file, kind: isVideo(file) ? 'video' : 'image' }], sidecars: [{ name: sidecar, format, title }] })).toEqual(how ? [{ sidecar, media: file, how }] : []);
    if (how) { expect(couldBeFor(title ?? '', file)).toBe(true); expect(titleKey(title ?? '')).toBe(titleKey(file)); }
  });
  it.each(['derived-edge', 'photoprism'])('matches every file of %s', async (name) => {
    const dir = join(takeout, name);
    const all = readdirSync(dir);
    const sidecars = [];
    for (const n of all.filter((x) => x.endsWith('.json'))) {
      const read = await readSidecar(n, 'json', readFileSync(join(dir, n))).catch(() => null);
      if (read) sidecars.push({ name: n, format: read.format, title: read.title });
    }
    const files = all.filter((n) => !n.endsWith('.json'));
    const matches = matchSidecars({ media: files.map((n) => ({ name: n, kind: 'image' as const })), sidecars });
    expect(matches.map((m) => m.media).sort()).toEqual(files.sort());
    expect(new Set(matches.map((m) => m.how))).toEqual(new Set(['own']));
  });
  it('leaves no file of a real listing without a sidecar', () => {
    const folders = new Map<string, string[]>();
    for (const line of readFileSync(join(takeout, 'listings', 'small.lst'), 'utf8').split('\n')) {
      const m = /^\s*\d+\s+\d{4}-\d\d-\d\d \d\d:\d\d\s+Takeout\/[^/]+\/(.*)\/([^/]+)$/.exec(line);
      if (m) folders.set(m[1] ?? '', [...(folders.get(m[1] ?? '') ?? []), m[2] ?? '']);
    }
    let files = 0;
    for (const names of folders.values()) {
      const all = folder(...names.filter((n) => n !== 'métadonnées.json'));
      const matches = matchSidecars(all);
      files += all.media.length;
      expect(new Set(matches.map((m) => m.media)).size).toBe(all.media.length);
      expect(new Set(matches.map((m) => m.sidecar)).size).toBe(all.sidecars.length);
      expect(matches.filter((m) => m.how === 'edited')).toHaveLength(all.media.length - all.sidecars.length);
    }
    expect(files).toBe(483);
  });
});
