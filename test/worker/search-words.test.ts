// The search's documents and words on real D1: what is written of an asset is found, ranked, filtered and named, and the
// documents keep in step with the library whatever changes it and whatever crashes between.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ImportFacts, PlaceRow, StackRow } from '../../protocol/rows.ts';
import { traitBit, type AssetTrait, type FilterTerm, type SearchAnswer } from '../../protocol/search.ts';
import { feedSearch } from '../../worker/search/feed.ts';
import { findWords, toWordQuery } from '../../worker/search/literal.ts';
import { applyCorrection } from '../../worker/store/corrections.ts';
import { applyBatch } from '../../worker/store/ingest.ts';
import { DUE_FACTS_SQL, finishDue, readDue, writeDocs } from '../../worker/store/search-docs.ts';
import { DUE_CELLS_SQL, rebuildSearch } from '../../worker/store/search-due.ts';
import { buildFilter, type TermOf } from '../../worker/store/search-filter.ts';
import { findFiltered } from '../../worker/store/search-hits.ts';
import { foldText, splitWords } from '../../worker/store/search-text.ts';
import { forgetHistory, HISTORY_ROWS, listHistory, rememberSearch } from '../../worker/store/search-history.ts';
import { forgetNames } from '../../worker/store/vocabulary.ts';
import { askAsAgent, asset, batch, countRows, createSender, evidence, exif, hashOf, location, migrate, postJson, volume } from './support.ts';

beforeEach(async () => { await reset(); await migrate(); forgetNames(); });

function said(more: Partial<ImportFacts> = {}): ImportFacts {
  return { source: 'takeout', name: 'a.jpg.json', time_claims: [], latitude: null, longitude: null, gps_zone: null, description: null, favourite: null, archived: null, rating: null, people: [], tags: [], ...more };
}
function stack(member: number, primary: number, more: Partial<StackRow> = {}): StackRow {
  return { member_sha256: hashOf(member), primary_sha256: hashOf(primary), type: 'live', revision: 1, removed: false, basis: 'the same identifier', ...more };
}
function place(cell: string, more: Partial<PlaceRow> = {}): PlaceRow {
  return { cell, revision: 1, rank: 1, source: 'offline', street: null, neighbourhood: null, city: 'Levanto', region: 'Liguria', country: 'Italy', country_code: 'IT', distance_m: 300, zone: 'Europe/Rome', ...more };
}
const numberOf = (sha256: string) => Number.parseInt(sha256, 16);
async function search(q: string, more: Record<string, string> = {}): Promise<SearchAnswer> {
  const response = await askAsAgent(`/api/search?${new URLSearchParams({ q, ...more }).toString()}`);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}
/** The numbers of the assets that a search finds, in its order. */
const found = async (q: string, more: Record<string, string> = {}) => (await search(q, more)).results.map((hit) => numberOf(hit.sha256));
async function keyNumbers(keys: number[]): Promise<number[]> {
  const { results } = await env.DB.prepare('SELECT a.sha256 FROM json_each(?1) j CROSS JOIN assets a ON a.asset_id = j.value ORDER BY j.key').bind(JSON.stringify(keys)).all<{ sha256: string }>();
  return results.map((r) => numberOf(r.sha256));
}
async function filtered(...terms: TermOf[]): Promise<number[]> {
  await feedSearch(env, { budgetMs: 5_000 });
  return (await keyNumbers(await findFiltered(env.DB, (first) => buildFilter(terms, first), 'newest', 1_000))).sort((a, b) => a - b);
}
/** Every document as text, for the tables of words must say the same. */
async function snapshot(): Promise<unknown> {
  for (const table of ['search_words', 'search_names']) await env.DB.prepare(`INSERT INTO ${table} (${table}, rank) VALUES ('integrity-check', 1)`).run();
  return (await env.DB.prepare('SELECT sha256, traits, names, folders, place, description, albums, people, tags, camera FROM search_docs ORDER BY sha256').all()).results;
}

describe('words', () => {
  it('folds case, accents and forms, and makes words of scripts without spaces', () => {
    expect(foldText('  Crème  BRÛLÉE ½ Straße \u0000Ǆ')).toBe('creme brulee 1⁄2 strasse dz');
    expect(foldText('Cafe\u0301')).toBe('cafe');
    expect(splitWords(foldText('京都旅行2019'))).toEqual(['京', '都', '旅', '行', '2019']);
    expect(splitWords(foldText('हिन्दी फ़ोटो'))).toEqual(['हिन्दी', 'फ़ोटो'.normalize('NFKD').normalize('NFC')]);
    expect(foldText('İstanbul')).toBe('istanbul');
  });

  it('makes text that is never an operator', () => {
    expect(toWordQuery('NEAR(a b) OR "c', []).match).toBe('"near a" AND "b" AND "c"');
    expect(toWordQuery('the beach', []).match).toBe('"beach" *');
    expect(toWordQuery('the', []).match).toBe('"the" *');
    expect(toWordQuery('🏖️ !', [])).toMatchObject({ match: null, words: [] });
    expect(toWordQuery('🏖️', []).part).toBeNull();
    expect(toWordQuery('names: x*', []).match).toBe('"names" AND "x"');
    expect(toWordQuery('red', []).part).toBeNull();
    expect(toWordQuery('G_1', []).part).toBe('"g_1"');
  });

  it('finds by each field, says which, and ranks a person over a folder', async () => {
    const send = createSender();
    await send({
      volumes: [volume()],
      assets: [
        asset(1, { camera: 'Nikon D750', lens: 'Sigma Art' }), asset(2, { description: 'Harvest of olives' }), asset(3, { tags: ['Regatta'] }),
        asset(4), asset(5, { latitude: 44.17, longitude: 9.61 }), asset(6), asset(7), asset(8),
      ],
      locations: [location(1, 'a/x1.jpg'), location(2, 'a/x2.jpg'), location(3, 'a/x3.jpg'), location(4, 'a/x4.jpg'), location(5, 'a/x5.jpg'), location(6, 'Ottoline/x6.jpg'), location(7, 'a/Ottoline birthday.jpg'), location(8, 'a/x8.jpg')],
      evidence: [evidence('a/x4.jpg', { imports: [said({ people: ['Ottoline Émile'] })] }), evidence('a/x8.jpg', { albums: [{ key: 'k', title: 'Kite week' }] })],
      places: [place('44.170,9.610')],
    });
    expect(await search('"nikon"')).toMatchObject({ results: [{ sha256: hashOf(1), score: null, why: ['camera'] }], literal: 1, total: 1, engine: 'words', meaning: 'not_asked' });
    expect((await search('"olives"')).results).toMatchObject([{ sha256: hashOf(2), why: ['description'] }]);
    expect((await search('"regatta"')).results).toMatchObject([{ sha256: hashOf(3), why: ['tag'] }]);
    expect((await search('"levanto"')).results).toMatchObject([{ sha256: hashOf(5), why: ['place'] }]);
    expect((await search('"Italien"')).results).toMatchObject([{ sha256: hashOf(5), why: ['place'] }]);
    expect((await search('"kite"')).results).toMatchObject([{ sha256: hashOf(8), why: ['album'] }]);
    expect((await search('"ottoline"')).results.map((hit) => [numberOf(hit.sha256), hit.why[0]])).toEqual([[4, 'person'], [7, 'name'], [6, 'folder']]);
    expect(await found('emile')).toEqual([4]);
    expect(await found('ottoline emi')).toEqual([4]);
    expect(await found('emi ottoline nikon')).toEqual([]);
    // What is read as a chip filters, and the rest is searched for under it.
    expect(await search('levanto')).toMatchObject({ results: [{ sha256: hashOf(5), why: ['filter'] }], literal: 1, meaning: 'not_asked', parsed: { rest: '', chips: [{ negated: false }] } });
    expect((await found('photos -levanto')).sort()).toEqual([1, 2, 3, 4, 6, 7, 8]);
    expect(await found('levanto x5')).toEqual([5]);
    expect(await found('levanto x4')).toEqual([]);
    expect(await found('2019')).toEqual([]);
    expect(await found('"ottoline" without birthday')).toEqual([4, 6]);
    expect(await search('')).toMatchObject({ results: [], total: 0, meaning: 'not_asked' });
  });

  it('finds beginnings of the last word, parts of names, numbers of cameras, one and two characters of Japanese', async () => {
    await createSender()({
      volumes: [volume()], assets: [1, 2, 3, 4].map((n) => asset(n)),
      locations: [location(1, 'DCIM/IMG_20190607_1234.JPG'), location(2, 'x/beachparty.png'), location(3, 'x/2018京都旅行.jpg'), location(4, 'x/Cafe\u0301 über.jpg')],
    });
    expect(await found('img_2019')).toEqual([1]);
    expect(await found('0607_12')).toEqual([1]);
    expect(await found('hpart')).toEqual([2]);
    expect(await found('beachp')).toEqual([2]);
    expect(await found('京都')).toEqual([3]);
    expect(await found('旅')).toEqual([3]);
    expect(await found('都京')).toEqual([]);
    expect(await found('café ube')).toEqual([4]);
    expect(await found('CAFÉ')).toEqual([4]);
    expect(await found('img')).toEqual([1]);
    expect(await found('mg_2')).toEqual([1]);
  });

  it('answers any text whatever', async () => {
    await createSender()({ volumes: [volume()], assets: [asset(1)], locations: [location(1, 'हिन्दी फ़ोटो/a"b OR c*.jpg')] });
    expect(await found('हिन्दी')).toEqual([1]);
    expect(await found('हिन')).toEqual([1]);
    expect(await found('होन्दा')).toEqual([]);
    const hostile = [
      'x'.repeat(10_000), 'a '.repeat(5_000), '"', '""', '"a', 'AND', 'OR NOT NEAR(', 'NEAR("a" "b", 3)', '*', 'a*b*', '^a', '{names} : a', 'names:a', '-names:a', "'; DROP TABLE search_docs; --", '%', '_', '\\', '🏖️', '👩‍👩‍👧', '日本', 'に',
      'שלום', 'مرحبا', '\u0000', '\ud800', 'a\u0000b', '(((((((((((', '"'.repeat(400), '\u202e', 'a:b:c', '-', '--', '+', '()', '[]', '\n\t', 'ﬀ', 'İ', '0x41', '1e999', 'NULL', 'constructor', '__proto__', '㍿',
    ];
    for (const q of hostile) {
      for (const sort of ['relevance', 'newest']) expect(await search(q, { sort }), JSON.stringify(q.slice(0, 40))).toMatchObject({ engine: 'words' });
    }
    expect(await found('b OR c')).toEqual([1]);
    expect((await askAsAgent('/api/search?q=a&sort=best')).status).toBe(400);
    expect((await askAsAgent('/api/search?q=a&limit=0')).status).toBe(400);
    expect(await countRows('search_docs')).toBe(1);
  });

  it('pages without a gap or a double, and sorts by time with what has no date last', async () => {
    const numbers = Array.from({ length: 45 }, (_, i) => i + 1);
    await createSender()({
      volumes: [volume()], assets: numbers.map((n) => asset(n, { time_claims: n === 7 ? [] : [exif(`2024-01-${String(1 + (n * 7) % 28).padStart(2, '0')}T10:00:${String(n).padStart(2, '0')}`)] })),
      locations: numbers.map((n) => location(n, `trip/p${n}.jpg`)),
    });
    for (const sort of ['relevance', 'newest', 'oldest']) {
      const whole = await found('trip', { sort, limit: '500' });
      expect(new Set(whole)).toEqual(new Set(numbers));
      const paged: number[] = [];
      for (let offset = 0; offset < 45; offset += 10) paged.push(...await found('trip', { sort, limit: '10', offset: String(offset) }));
      expect(paged).toEqual(whole);
      if (sort === 'newest' || sort === 'oldest') expect(whole.at(-1)).toBe(7);
    }
    const newest = await found('trip', { sort: 'newest', limit: '500' });
    const oldest = await found('trip', { sort: 'oldest', limit: '500' });
    expect(oldest.slice(0, -1)).toEqual(newest.slice(0, -1).reverse());
    expect(await search('trip', { offset: '1000' })).toMatchObject({ results: [], total: 45 });
  });
});

describe('filters', () => {
  const term = (t: FilterTerm): TermOf => ({ term: t, negated: false });
  const not = (t: FilterTerm): TermOf => ({ term: t, negated: true });

  it('hold, and hold not, each with what is unknown on the negated side', async () => {
    const send = createSender();
    await send({
      volumes: [volume(), volume({ volume_id: 'uuid:2', label: 'Red' })],
      assets: [
        asset(1, { time_claims: [exif('2019-12-31T23:00:00')], camera: 'Canon EOS R', latitude: 44.17, longitude: 9.61 }),
        asset(2, { kind: 'video', mime: 'video/mp4', time_claims: [exif('2020-01-01T01:00:00')], tags: ['Sea'] }),
        asset(3, { time_claims: [] }),
        asset(4, { mime: 'image/x-nikon-nef', time_claims: [exif('2021-05-05T01:00:00')] }),
      ],
      locations: [location(1, 'a/one.jpg'), location(2, 'a/two.mp4'), location(3, 'a/Screenshot 3.png', { volume_id: 'uuid:2' }), location(4, 'a/four.nef')],
      evidence: [evidence('a/one.jpg', { imports: [said({ people: ['Ada Example'] })], albums: [{ key: 'k', title: 'Sea' }] })],
      places: [place('44.170,9.610')],
    });
    await applyCorrection(env.DB, { scope: { kind: 'assets', sha256s: [hashOf(2)] }, change: { favourite: true }, summary: 'x', nowMs: 1 });
    const albumId = (await env.DB.prepare('SELECT album_id FROM albums').first<number>('album_id')) ?? 0;
    const cases: [FilterTerm, number[]][] = [
      [{ kind: 'date', ranges: [[20190101, 20191231]] }, [1]],
      [{ kind: 'date', ranges: [[20191231, 20191231], [20210101, 20219999]] }, [1, 4]],
      [{ kind: 'place', places: [{ country_code: 'IT', region: null, city: null }] }, [1]],
      [{ kind: 'place', places: [{ country_code: 'IT', region: 'Liguria', city: 'Genoa' }, { country_code: 'IT', region: 'Liguria', city: null }] }, [1]],
      [{ kind: 'place', places: [{ country_code: 'FR', region: null, city: null }] }, []],
      [{ kind: 'camera', cameras: ['Canon EOS R', 'other'] }, [1]],
      [{ kind: 'type', type: 'video' }, [2]],
      [{ kind: 'type', type: 'photo' }, [1, 3, 4]],
      [{ kind: 'type', type: 'screenshot' }, [3]],
      [{ kind: 'type', type: 'raw' }, [4]],
      [{ kind: 'favourite' }, [2]],
      [{ kind: 'album', album_ids: [albumId, 999] }, [1]],
      [{ kind: 'person', names: ['ada example'] }, [1]],
      [{ kind: 'person', names: ['ada'] }, []],
      [{ kind: 'tag', tags: ['SEA'] }, [2]],
      [{ kind: 'volume', volume_ids: ['uuid:2'] }, [3]],
      [{ kind: 'file_name', text: 'ne.jp', whole: false }, [1]],
      [{ kind: 'file_name', text: 'wo', whole: false }, [2]],
      [{ kind: 'file_name', text: 'one', whole: true }, [1]],
      [{ kind: 'file_name', text: 'ONE.JPG', whole: true }, [1]],
      [{ kind: 'file_name', text: 'on', whole: true }, []],
      [{ kind: 'file_name', text: '"', whole: false }, []],
      [{ kind: 'words', text: 'screenshot' }, [3]],
      [{ kind: 'words', text: '🏖' }, []],
    ];
    for (const [t, expected] of cases) {
      expect(await filtered(term(t)), JSON.stringify(t)).toEqual(expected);
      expect(await filtered(not(t)), `not ${JSON.stringify(t)}`).toEqual([1, 2, 3, 4].filter((n) => !expected.includes(n)));
    }
    expect(await filtered(term({ kind: 'type', type: 'photo' }), not({ kind: 'camera', cameras: ['Canon EOS R'] }), term({ kind: 'date', ranges: [[20190101, 20229999]] }))).toEqual([4]);
    // Words and filters together, on their own side of the parameters.
    expect(await keyNumbers(await findWords(env.DB, toWordQuery('a', []), buildFilter([not({ kind: 'favourite' }), term({ kind: 'type', type: 'photo' })], 4)))).toEqual(expect.arrayContaining([1, 3, 4]));
    expect(await filtered(...Array.from({ length: 50 }, () => not({ kind: 'tag', tags: ['Sea'] })))).toEqual([1, 3, 4]);
  });

  it('find the archived, and a stack as its primary', async () => {
    const send = createSender();
    await send({
      volumes: [volume()], places: [place('44.170,9.610')],
      assets: [asset(1, { latitude: 44.17, longitude: 9.61 }), asset(2, { kind: 'video', mime: 'video/quicktime' }), asset(3), asset(4, { mime: 'image/x-sony-arw' }), asset(5, { latitude: 44.17, longitude: 9.61 })],
      locations: [location(1, 'a/IMG_1.HEIC'), location(2, 'b/clip_77.MOV'), location(3, 'a/IMG_3.JPG'), location(4, 'a/IMG_3.ARW'), location(5, 'a/old.jpg')],
      evidence: [evidence('b/clip_77.MOV', { albums: [{ key: 'k', title: 'Clips' }] })], stacks: [stack(2, 1), stack(4, 3, { type: 'raw' })],
    });
    await applyCorrection(env.DB, { scope: { kind: 'assets', sha256s: [hashOf(5)] }, change: { archived: true }, summary: 'x', nowMs: 1 });
    expect(await filtered()).toEqual([1, 3, 5]);
    expect(await filtered(term({ kind: 'place', places: [{ country_code: 'IT', region: null, city: null }] }))).toEqual([1, 5]);
    expect(await filtered(not({ kind: 'place', places: [{ country_code: 'IT', region: null, city: null }] }))).toEqual([3]);
    expect(await filtered(term({ kind: 'type', type: 'live' }))).toEqual([1]);
    expect(await filtered(term({ kind: 'type', type: 'raw' }))).toEqual([3]);
    expect(await filtered(term({ kind: 'album', album_ids: [(await env.DB.prepare('SELECT album_id FROM albums').first<number>('album_id')) ?? 0] }))).toEqual([1]);
    expect(await found('"clip_77"')).toEqual([1]);
    expect(await found('"clips"')).toEqual([1]);
    expect(await found('old')).toEqual([5]);
  });

  it('know kinds of pictures by their names, cautiously', async () => {
    const names: [string, AssetTrait[], Parameters<typeof asset>[1]?][] = [
      ['Screen Shot 2020-01-01 at 10.00.00.png', ['screenshot']], ['Bildschirmfoto 2020-01-01 um 10.png', ['screenshot']], ["Capture d’écran 2020.png", ['screenshot']], ['スクリーンショット 2020.png', ['screenshot']], ['截屏2020.png', ['screenshot']],
      ['Skärmavbild 2020.png', ['screenshot']], ['स्क्रीनशॉट 2020.png', ['screenshot']], ['IMG_1.PNG', []], ['PANO_2020.jpg', ['panorama']], ['wide.jpg', ['panorama'], { camera: 'Apple iPhone 12', width: 9_000, height: 3_000 }],
      ['banner.jpg', [], { width: 9_000, height: 3_000 }], ['tall.png', ['screenshot'], { width: 1_000, height: 4_000, tags: ['Screenshot'] }], ['a.jpg', ['selfie'], { lens: 'iPhone 12 front camera 2.71mm f/2.2' }], ['selfie-2.jpg', ['selfie']], ['Pancake.jpg', []], ['Panorama Hotel room.mp4', [], { kind: 'video' }],
    ];
    await createSender()({ volumes: [volume()], assets: names.map(([, , more], i) => asset(i + 1, more)), locations: names.map(([name], i) => location(i + 1, `x/${name}`)) });
    await feedSearch(env, { budgetMs: 5_000 });
    for (const [i, [name, traits]] of names.entries()) {
      const bits = await env.DB.prepare('SELECT traits FROM search_docs WHERE sha256 = ?').bind(hashOf(i + 1)).first<number>('traits');
      const plain = traitBit('photo') | traitBit('video');
      expect((bits ?? 0) & ~plain, name).toBe(traits.reduce((sum, t) => sum | traitBit(t), 0));
    }
  });
});

describe('documents', () => {
  const rows = () => ({
    volumes: [volume()], assets: [asset(1, { latitude: 44.17, longitude: 9.61 }), asset(2), asset(3)],
    locations: [location(1, 'a/one.jpg'), location(2, 'a/two.jpg'), location(3, 'a/three.jpg')], evidence: [evidence('a/two.jpg', { albums: [{ key: 'k', title: 'Zoo' }] })],
  });

  it('follow a rename, a copy, a correction, names of places, an album, a file that goes', async () => {
    const send = createSender();
    await send(rows());
    expect(await found('one')).toEqual([1]);
    await send({ locations: [location(1, 'b/uno.jpg', { revision: 2 })] });
    expect(await found('uno')).toEqual([1]);
    await applyCorrection(env.DB, { scope: { kind: 'assets', sha256s: [hashOf(2)] }, change: { description: 'a walrus' }, summary: 'x', nowMs: 1 });
    expect(await found('walrus')).toEqual([2]);
    await applyCorrection(env.DB, { scope: { kind: 'assets', sha256s: [hashOf(2)] }, change: { description: null }, summary: 'x', nowMs: 2 });
    expect(await found('walrus')).toEqual([]);
    expect(await found('levanto')).toEqual([]);
    await send({ places: [place('44.170,9.610')] });
    expect(await found('levanto')).toEqual([1]);
    await applyCorrection(env.DB, { scope: { kind: 'assets', sha256s: [hashOf(1)] }, change: { archived: true }, summary: 'x', nowMs: 3 });
    await send({ places: [place('44.170,9.610', { rank: 100, source: 'nominatim', neighbourhood: 'Vallesanta', revision: 2 })] });
    expect(await found('vallesanta')).toEqual([1]);
    // A title that is less takes the album's place, for members that this batch does not name.
    await send({ evidence: [evidence('a/three.jpg', { albums: [{ key: 'k', title: 'Aquarium' }] })] });
    expect((await found('aquarium')).sort()).toEqual([2, 3]);
    expect(await found('zoo')).toEqual([]);
    await send({ locations: [location(4, 'a/two.jpg', { revision: 5 })], assets: [asset(4)] });
    expect(await found('two')).toEqual([4]);
    expect(await env.DB.prepare('SELECT count(*) AS n FROM search_docs WHERE sha256 = ?').bind(hashOf(2)).first<number>('n')).toBe(0);
    await snapshot();
  });

  it('cost nothing where nothing changed: no mark, no document, no word', async () => {
    const send = createSender();
    await send({ ...rows(), places: [place('44.170,9.610')] });
    await feedSearch(env, { budgetMs: 5_000 });
    const before = await snapshot();
    const marks = (await env.DB.prepare('SELECT asset_id, mark FROM search_docs ORDER BY asset_id').all()).results;
    await send({ ...rows(), places: [place('44.170,9.610')] });
    expect(await countRows('search_due')).toBe(0);
    expect((await env.DB.prepare('SELECT asset_id, mark FROM search_docs ORDER BY asset_id').all()).results).toEqual(marks);
    expect(await snapshot()).toEqual(before);
  });

  it('follow a stack that is made and unmade', async () => {
    const send = createSender();
    await send(rows());
    expect(await found('two')).toEqual([2]);
    await send({ stacks: [stack(2, 1)] });
    expect(await found('two')).toEqual([1]);
    await send({ locations: [location(2, 'a/deux.jpg', { revision: 3 })] });
    expect(await found('deux')).toEqual([1]);
    await send({ stacks: [stack(2, 1, { revision: 2, removed: true })] });
    expect(await found('deux')).toEqual([2]);
    expect(await found('one')).toEqual([1]);
    await snapshot();
  });

  it('are not lost by a crash between reading, writing and ending', async () => {
    // Past the route, behind whose answer the feed would run.
    await applyBatch(env.DB, batch(1, rows()), 1);
    const due = await readDue(env.DB, 0, 100);
    // Read, and nothing written: all is still due.
    await writeDocs(env.DB, due);
    // Written, and not ended: it is done again.
    expect(await countRows('search_due')).toBe(3);
    expect(await feedSearch(env, { budgetMs: 5_000 })).toBe(true);
    expect(await countRows('search_due')).toBe(0);
    expect(await found('one')).toEqual([1]);
    await snapshot();
  });

  it('are never overwritten by an older reading, nor is its mark taken for the newer one', async () => {
    await applyBatch(env.DB, batch(1, rows()), 1);
    const old = await readDue(env.DB, 0, 100);
    await applyBatch(env.DB, batch(2, { locations: [location(1, 'b/uno.jpg', { revision: 2 })] }), 2);
    // The older reader comes late, in every order with the newer one.
    await writeDocs(env.DB, old);
    await finishDue(env.DB, old);
    expect(await found('uno')).toEqual([1]);
    await writeDocs(env.DB, old);
    await finishDue(env.DB, old);
    // What it wrote elsewhere (the index's columns) was older than what is stored: due once more.
    expect(await countRows('search_due')).toBeGreaterThan(0);
    expect(await feedSearch(env, { budgetMs: 5_000 })).toBe(true);
    expect(await found('uno')).toEqual([1]);
    await snapshot();
  });

  it('are the same after a rebuild, by the token route', async () => {
    const send = createSender();
    await send({ ...rows(), places: [place('44.170,9.610')], stacks: [stack(3, 2)] });
    await feedSearch(env, { budgetMs: 5_000 });
    const before = await snapshot();
    expect(before).toHaveLength(2);
    expect((await postJson('/sync/search/rebuild', {})).status).toBe(200);
    await feedSearch(env, { budgetMs: 5_000 });
    expect(await snapshot()).toEqual(before);
    await rebuildSearch(env.DB);
    await rebuildSearch(env.DB);
    expect(await found('levanto')).toEqual([1]);
    expect(await snapshot()).toEqual(before);
  });

  it('are read and marked by indexes', async () => {
    const plan = async (sql: string, ...binds: unknown[]) => (await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...binds).all<{ detail: string }>()).results.map((r) => r.detail).join('\n');
    for (const [sql, ...binds] of [[DUE_FACTS_SQL, 0, 10], [DUE_CELLS_SQL, '[]']] as const) expect(await plan(sql, ...binds)).not.toMatch(/SCAN (a|t|l|d|m|mt|ma|k|timeline_items|locations|assets)\b(?! VIRTUAL)/);
  });
});

describe('history', () => {
  it('comes newest first, each once, bounded, and is forgotten', async () => {
    await rememberSearch(env.DB, ' goa ', 1);
    await rememberSearch(env.DB, 'red car', 2);
    await rememberSearch(env.DB, 'goa', 3);
    await rememberSearch(env.DB, '   ', 4);
    expect(await listHistory(env.DB, 10)).toEqual([{ text: 'goa', at_ms: 3, times: 2 }, { text: 'red car', at_ms: 2, times: 1 }]);
    expect(await listHistory(env.DB, 10, 'CAR')).toMatchObject([{ text: 'red car' }]);
    await forgetHistory(env.DB, 'goa');
    expect(await listHistory(env.DB, 10)).toMatchObject([{ text: 'red car' }]);
    for (let i = 0; i < HISTORY_ROWS + 3; i += 1) await rememberSearch(env.DB, `q${i}`, 10 + i);
    expect(await countRows('search_history')).toBe(HISTORY_ROWS);
    await forgetHistory(env.DB, null);
    expect(await countRows('search_history')).toBe(0);
  });
});
