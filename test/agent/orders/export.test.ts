import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileChanges, withChangeFaults } from '../../../agent/files/changes.ts';
import { FileError } from '../../../agent/files/errors.ts';
import { seededRandom } from '../../../agent/files/faults.ts';
import { cleanFile, cleanFolder, fillFile, fillFolders, numberedNames, readTemplate, stemOf } from '../../../agent/orders/names.ts';
import { writeXmp } from '../../../agent/orders/xmp-write.ts';
import { addRoot } from '../../../agent/pipeline/index.ts';
import { relateMarked } from '../../../agent/pipeline/relate.ts';
import { scanRoot } from '../../../agent/pipeline/scan.ts';
import { readSidecar } from '../../../agent/pipeline/sidecars.ts';
import { ExportFacts, type OrderBody } from '../../../protocol/orders.ts';
import { createScene, png, put, sha, type Scene } from '../scan/scene.ts';
import { dyingChanges, filesIn, give, goOn, openCount, openOrders, picture } from './copies-scene.ts';

type Facts = ExportFacts['items'][number];

const hash = (seed: number) => sha(png(seed));

function facts(seed: number, more: Partial<Facts> = {}): Facts {
  return {
    sha256: hash(seed), taken_at: '2021-03-04T05:06:07', taken_at_source: 'exif_original', utc_offset_minutes: 60, latitude: null, longitude: null, description: null, favourite: false, rating: null,
    tags: [], people: [], albums: [], camera: null, name: null, ...more,
  };
}

describe('names', () => {
  test.each([
    ['a/b\\c:d', 'a-b-c-d'], ['..', ''], ['../../etc/passwd', '-..-etc-passwd'], ['.hidden', 'hidden'], ['  . x . ', 'x'], ['tab\tnul\0end', 'tabnulend'], ['CON', 'CON_'], ['lpt1.x', 'lpt1_.x'], ['console', 'console'],
    ['\u202egpj.exe', 'gpj.exe'], ['Zoë 東京 🏖️', 'Zoë 東京 🏖️'], ['cafe\u0301', 'cafe\u0301'], ['\ud800x', '\ufffdx'], ['<>"|?*', '------'], ['.jharokha-trash', 'jharokha-trash'], ['   ', ''],
  ])('a folder %j is called %j', (text, name) => { expect(cleanFolder(text)).toBe(name); });

  test('over-long ones are cut between characters, and keep their ending', () => {
    expect(Buffer.byteLength(cleanFolder('é'.repeat(300)))).toBe(240);
    expect(cleanFolder('👨‍👩‍👧‍👦'.repeat(30)).endsWith('👨‍👩‍👧‍👦')).toBe(true);
    const long = cleanFile('x'.repeat(500), '.HEIC');
    expect([Buffer.byteLength(long), long.endsWith('x.HEIC')]).toEqual([240, true]);
    expect(cleanFile('', '.jpg')).toBe('file.jpg');
    expect(cleanFile('aux', '.jpg')).toBe('aux_.jpg');
    expect(stemOf('.jpg')).toBe('.jpg');
  });

  test('seeds: whatever a name is made of, it is one part of a path, and short enough', () => {
    const random = seededRandom(7);
    const parts = ['/', '\\', '.', '..', ' ', '\0', '\n', 'a', 'é', 'e\u0301', '東', '🏖️', 'CON', ':', '\u202e', '\ud83c', '-', '.jpg', 'x'.repeat(90)];
    for (let i = 0; i < 3_000; i += 1) {
      const text = Array.from({ length: Math.floor(random() * 9) }, () => parts[Math.floor(random() * parts.length)] ?? '').join('');
      for (const name of [cleanFolder(text), cleanFile(text, '.jpg'), cleanFile('a', text)]) {
        expect(name, JSON.stringify(text)).not.toMatch(/[/\\\0\n:\u202e]|^\.|^\s|[\s.]$/);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(244);
        expect(name.isWellFormed()).toBe(true);
      }
      expect(cleanFile(text, '.jpg')).not.toBe('');
    }
  });

  test('a template collapses what is not known', () => {
    const none = { year: '', month: '', day: '', album: '', camera: '' };
    const all = { year: '2021', month: '03', day: '04', album: 'A/B', camera: 'X100' };
    const folders = (template: string, values: typeof all) => fillFolders(readTemplate(template), values);
    expect(folders('{year}/{month}/{album}', all)).toEqual(['2021', '03', 'A-B']);
    expect(folders('{year}/{month}/{album}', none)).toEqual([]);
    expect(folders('{year}-{month}/{camera}', { ...none, camera: 'X' })).toEqual(['X']);
    expect(folders('Pictures/{year}/../{album}//', { ...all, album: '..' })).toEqual(['Pictures', '2021']);
    expect(fillFile(readTemplate('{year}/{day} {name}'), 'IMG_1.HEIC', all)).toBe('04 IMG_1.HEIC');
    expect(fillFile(readTemplate('{year}'), 'IMG_1.HEIC', all)).toBe('IMG_1.HEIC');
    expect(() => readTemplate('{year}/{yaer}')).toThrow('{yaer}');
    expect(() => readTemplate('{name}/{year}')).toThrow('{name}');
    // What a value has in it is no field.
    expect(folders('{album}', { ...all, album: '{year}' })).toEqual(['{year}']);
  });

  test('files of a unit keep one stem', () => {
    const unit = [
      { role: 'asset', from: 'I.HEIC', to: 'I.HEIC' }, { role: 'asset', from: 'I.MOV', to: 'I.MOV' }, { role: 'sidecar', from: 'I.HEIC.xmp', to: 'I.HEIC.xmp' },
      { role: 'sidecar', from: 'I.AAE', to: 'I.AAE' }, { role: 'sidecar', from: 'I.HEIC.supplemental-metadata.json', to: 'I.HEIC.supplemental-metadata.json' }, { role: 'sidecar', from: 'other.json', to: 'other.json' },
    ] as const;
    expect(numberedNames(unit, 1, true)).toEqual(unit.map((u) => u.to));
    expect(numberedNames(unit, 3, true)).toEqual(['I (3).HEIC', 'I (3).MOV', 'I (3).HEIC.xmp', 'I (3).AAE', 'I (3).HEIC.supplemental-metadata.json', 'other (3).json']);
    const folds = [{ role: 'asset', from: 'i.jpg', to: 'i.jpg' }, { role: 'asset', from: 'I.JPG', to: 'I.JPG' }] as const;
    expect(numberedNames(folds, 1, false)).toEqual(['i.jpg', 'I (2).JPG']);
    expect(numberedNames(folds, 1, true)).toEqual(['i.jpg', 'I.JPG']);
  });
});

describe('the XMP of an export', () => {
  const back = async (f: Facts) => (await readSidecar('a.jpg.xmp', 'xmp', Buffer.from(writeXmp(f)))).said;

  test('is read again as it was said', async () => {
    const said = await back(facts(1, {
      latitude: -33.856784, longitude: 151.215297, description: 'A & B <c> "d" \'e\'\nsecond line ]]> 東京 🏖️', favourite: true, rating: 3, tags: ['sea & sand', '<b>', '日本'], people: ['Zoë "Z" O\u2019Neil'], utc_offset_minutes: -210,
    }));
    expect(said).toMatchObject({ description: 'A & B <c> "d" \'e\'\nsecond line ]]> 東京 🏖️', favourite: true, rating: 3, tags: ['sea & sand', '<b>', '日本'], people: ['Zoë "Z" O\u2019Neil'] });
    expect(said?.latitude).toBeCloseTo(-33.856784, 9);
    expect(said?.longitude).toBeCloseTo(151.215297, 9);
    expect(said?.time_claims).toMatchObject([{ wall: '2021-03-04T05:06:07', offset_minutes: -210 }]);
  });

  test('says nothing that is not known, and no guess as the capture\u2019s time', async () => {
    expect(await back(facts(1, { taken_at: null, taken_at_source: null }))).toMatchObject({ time_claims: [], latitude: null, description: null, favourite: null, rating: null, tags: [], people: [] });
    expect(writeXmp(facts(1, { taken_at_source: 'mtime' }))).not.toContain('2021');
    expect((await back(facts(1, { utc_offset_minutes: null })))?.time_claims).toMatchObject([{ wall: '2021-03-04T05:06:07', offset_minutes: null }]);
    expect(writeXmp(facts(1, { rating: 5 }))).not.toContain('Favourite');
  });

  test('hostile words stay words', async () => {
    for (const text of ['</rdf:li></rdf:Alt></dc:description><xmp:Rating>5</xmp:Rating>', '<!ENTITY x SYSTEM "file:///etc/passwd">&x;', '&amp;lt;', '\u0000\u0008\ufffe\ud800']) {
      const said = await back(facts(1, { description: `x${text}`, tags: [`x${text}`] }));
      expect(said?.rating).toBeNull();
      if (!text.includes('\0')) expect([said?.description, said?.tags[0]]).toEqual([`x${text}`, `x${text}`]);
    }
    // eslint-disable-next-line no-control-regex
    expect(writeXmp(facts(1, { description: 'a\u0000\u0008\u001f\ufffeb' }))).not.toMatch(/[\u0000\u0008\u001f\ufffe]/);
  });

  test('positions come back to the centimetre that is kept of them', async () => {
    const random = seededRandom(3);
    for (let i = 0; i < 300; i += 1) {
      const [latitude, longitude] = [random() * 180 - 90, random() * 360 - 180];
      const said = await back(facts(1, { latitude, longitude }));
      expect(Math.abs((said?.latitude ?? 99) - latitude) + Math.abs((said?.longitude ?? 999) - longitude))
        .toBeLessThan(1.1e-7);
    }
  });
});

describe('an export', () => {
  let scene: Scene;
  let out: string;
  let known: Facts[];
  let asked: number;
  beforeEach(() => { scene = createScene(); out = realpathSync(mkdtempSync(join(tmpdir(), 'export-'))); known = []; asked = 0; });
  afterEach(() => { scene.close(); rmSync(out, { recursive: true, force: true }); });

  const order = (seeds: number[], rest: Partial<Extract<OrderBody, { kind: 'export' }>> = {}): OrderBody => ({ kind: 'export', sha256s: seeds.map(hash), volume_id: '', folder: out, template: '{year}/{month}/{album}', sidecars: true, ...rest });
  const options = () => ({ exportFacts: (sha256s: readonly string[]) => { asked += 1; return Promise.resolve({ items: known.filter((f) => sha256s.includes(f.sha256)) }); } });
  async function library(): Promise<void> {
    await scene.addRoot();
    await scene.scan();
    await relateMarked(scene.ctx);
  }
  function pair(member: number, primary: number): void {
    scene.catalog.db.prepare("INSERT INTO stacks (member_sha256, primary_sha256, type, basis, removed, revision) VALUES (?, ?, 'live', 'test', 0, 1)").run(hash(member), hash(primary));
  }

  test('goes by the template, with what the library says beside each file, and touches no original', async () => {
    scene.picture('x/a.png', 1);
    scene.picture('x/b.png', 2);
    scene.picture('y/c.png', 3);
    put(scene.at('x/a.AAE'), '<plist/>');
    await library();
    known = [facts(1, { albums: ['Sea/Side', 'Other'], description: 'Hi', favourite: true }), facts(2, { taken_at: null }), facts(3, { albums: ['..'] })];
    const before = picture(scene.top);
    const { steps, order: done } = await give(scene, order([1, 2, 3]), options());
    expect(done).toMatchObject({ state: 'done', reason: null });
    expect(filesIn(out)).toEqual(['2021/03/Sea-Side/a.AAE', '2021/03/Sea-Side/a.png', '2021/03/Sea-Side/a.png.xmp', '2021/03/c.png', '2021/03/c.png.xmp', 'b.png', 'b.png.xmp']);
    expect(steps.every((s) => s.outcome === 'exported')).toBe(true);
    expect(steps.find((s) => s.path === 'x/a.png')?.to_path).toBe(join(out, '2021/03/Sea-Side/a.png'));
    expect(steps.find((s) => s.path === 'x/a.png.xmp')?.sha256).toBe(sha(readFileSync(join(out, '2021/03/Sea-Side/a.png.xmp'))));
    expect((await readSidecar('a', 'xmp', readFileSync(join(out, '2021/03/Sea-Side/a.png.xmp')))).said).toMatchObject({ description: 'Hi', favourite: true });
    expect(statSync(join(out, 'b.png')).mtimeMs).toBe(statSync(scene.at('x/b.png')).mtimeMs);
    expect(picture(scene.top)).toEqual(before);
    expect(asked).toBe(1);
    // Once more: all are there, and none is written a second time.
    const again = await give(scene, order([1, 2, 3]), options(), '00000000-0000-4000-8000-000000000002');
    expect(again.steps.map((s) => s.outcome)).toEqual(again.steps.map(() => 'already'));
    expect(filesIn(out)).toHaveLength(7);
    // Corrected since: the file is there already, and its older XMP is left as it is and named.
    known = known.map((f) => ({ ...f, rating: 1 }));
    const third = await give(scene, order([1]), options(), '00000000-0000-4000-8000-000000000003');
    expect(third.steps.map((s) => [s.path, s.outcome])).toEqual([['x/a.png', 'already'], ['x/a.AAE', 'already'], ['x/a.png.xmp', 'name_taken']]);
    expect(filesIn(out)).toHaveLength(7);
  });

  test('without sidecars writes the files alone', async () => {
    scene.picture('a.png', 1);
    put(scene.at('a.AAE'), '<plist/>');
    await library();
    await give(scene, order([1], { sidecars: false }), options());
    expect(filesIn(out)).toEqual(['a.png']);
  });

  test('an XMP of the source makes place for ours', async () => {
    scene.picture('a.png', 1);
    put(scene.at('a.png.XMP'), '<x:xmpmeta><rdf:RDF>old</rdf:RDF></x:xmpmeta>');
    await library();
    known = [facts(1)];
    const { steps } = await give(scene, order([1]), options());
    expect(filesIn(out)).toEqual(['2021/03/a.png', '2021/03/a.png.xmp']);
    expect(readFileSync(join(out, '2021/03/a.png.xmp'), 'utf8')).toContain('Jharokha');
    expect(steps).toHaveLength(2);
  });

  test('Live pairs lie together under one stem; two of one name get two', async () => {
    scene.picture('1/I.png', 1);
    scene.picture('1/I.mov.png', 2);
    scene.picture('2/I.png', 3);
    await library();
    scene.catalog.db.exec("UPDATE files SET name = 'I.MOV' WHERE name = 'I.mov.png'");
    put(scene.at('1/I.MOV'), png(2));
    pair(2, 1);
    // The video's own time is another day's: it goes where its still goes.
    known = [facts(1), facts(2, { taken_at: '2019-01-01T00:00:00' }), facts(3)];
    await give(scene, order([3, 2]), options());
    expect(filesIn(out)).toEqual(['I (2).png', 'I (2).png.xmp', 'I.MOV', 'I.MOV.xmp', 'I.png', 'I.png.xmp'].map((n) => `2021/03/${n}`));
    rmSync(join(out, '2021'), { recursive: true });
    put(join(out, '2021/03/I.MOV'), 'mine');
    await give(scene, order([1, 2, 3]), options(), '00000000-0000-4000-8000-000000000002');
    expect(filesIn(out)).toEqual(['I (2).MOV', 'I (2).MOV.xmp', 'I (2).png', 'I (2).png.xmp', 'I.MOV', 'I.png', 'I.png.xmp'].map((n) => `2021/03/${n}`));
    expect(readFileSync(join(out, '2021/03/I.MOV'), 'utf8')).toBe('mine');
  });

  test('hostile names of files become plain ones, with their own bytes', async () => {
    const names = ['...png', 'a:b*?.png', 'CON.png', 'n\u202egnp.png', 'e\u0301.png', '\u00e9.png', `${'l'.repeat(250)}.png`, ' x .png', 'line\nfeed.png', '-rf.png'];
    names.forEach((name, i) => { scene.picture(`h/${name}`, i + 1); });
    await library();
    const { steps } = await give(scene, order(names.map((_, i) => i + 1), { template: '{album}' }), { ...options(), exportFacts: (s) => Promise.resolve({ items: names.map((_, i) => facts(i + 1, { albums: [['../../..', '/etc', 'a\0b', '.jharokha-trash'][i % 4] ?? ''] })).filter((f) => s.includes(f.sha256)) }) });
    for (const s of steps) {
      expect(s.outcome, s.path).toBe('exported');
      expect(s.to_path?.startsWith(`${out}/`)).toBe(true);
      if (s.role === 'asset') expect(sha(readFileSync(s.to_path ?? ''))).toBe(s.sha256);
    }
    const there = filesIn(out);
    expect(there).toContain('-etc/a-b--.png');
    expect(there).toContain('ab/CON_.png');
    expect(there.filter((f) => f.endsWith('.png'))).toHaveLength(names.length);
    expect(there.some((f) => f.split('/').some((part) => part.startsWith('.')))).toBe(false);
  });

  test('on a volume that folds names two that fold together are two', async () => {
    const usb = scene.drives.plugIn('usb', { fs_type: 'exfat' });
    for (const [name, seed] of [['caf\u00e9.png', 1], ['CAFE\u0301.png', 2], ['x.png', 3], ['X.PNG', 4]] as const) scene.picture(`${seed}/${name}`, seed);
    await library();
    await give(scene, order([1, 2, 3, 4], { folder: join(usb, 'out'), sidecars: false }), options());
    expect(new Set(filesIn(usb).map((f) => f.normalize('NFC').toLowerCase())).size).toBe(4);
    await give(scene, order([1, 2, 3, 4], { sidecars: false }), options(), '00000000-0000-4000-8000-000000000002');
    expect(filesIn(out).sort()).toEqual(['caf\u00e9.png', 'CAFE\u0301.png', 'x.png', 'X.PNG'].sort());
  });

  test.each([
    ['relative/folder', /not a whole path/], ['OUT/a/b', /There is no folder .*\/a\. Make it first/], ['OUT/file', /is a file/], ['OUT/file/below', /no folder/], ['OUT/../x', /\. and \.\./], ['TOP/.jharokha-trash', /Jharokha’s own/],
    ['TOP/.jharokha-trash/in', /Jharokha’s own/], ['TOP/L.photoslibrary/x', /another program/],
  ])('is refused for the folder %s', async (folder, said) => {
    scene.picture('a.png', 1);
    await library();
    put(join(out, 'file'), 'x');
    mkdirSync(scene.at('.jharokha-trash'));
    mkdirSync(scene.at('L.photoslibrary'));
    const { order: done } = await give(scene, order([1], { folder: folder.replace('OUT', out).replace('TOP', scene.top) }), options());
    expect(done).toMatchObject({ state: 'failed', reason: expect.stringMatching(said) as string });
  });

  test('is refused for a template that names what is not known, and where there is no room', async () => {
    scene.picture('a.png', 1);
    await library();
    expect((await openOrders(scene, options()).orders.plan(order([1], { template: '{yaer}' }))).blocked).toMatch(/\{yaer\}/);
    const small = { ...options(), volumes: { ...scene.volumes, find: async (path: string) => { const f = await scene.volumes.find(path); return f && { ...f, volume: { ...f.volume, free_bytes: 5 } }; } } };
    expect((await openOrders(scene, small).orders.plan(order([1]))).blocked).toMatch(/has no room/);
  });

  test('follows a link to its folder once, and makes the last part', async () => {
    scene.picture('a.png', 1);
    await library();
    mkdirSync(join(out, 'real'));
    symlinkSync(join(out, 'real'), join(out, 'link'));
    await give(scene, order([1], { folder: `${join(out, 'link')}/new/`, template: '', sidecars: false }), options());
    expect(filesIn(join(out, 'real'))).toEqual(['new/a.png']);
  });

  test('into an indexed folder is allowed, and said', async () => {
    scene.picture('a.png', 1);
    await library();
    const { orders, order: done } = await give(scene, order([1], { folder: scene.at('out') }), options());
    expect(done.state).toBe('done');
    expect((await orders.plan(order([1], { folder: scene.at('out') }))).note).toMatch(/will be indexed/);
    expect((await orders.plan(order([1]))).note).toBeNull();
    expect((await scene.scan()).counts.duplicate).toBe(1);
  });

  test('names what is away, does the rest, and waits for the drive', async () => {
    const green = scene.drives.plugIn('green');
    scene.picture('a.png', 1);
    put(join(green, 'g.png'), png(9));
    await library();
    await scanRoot(scene.ctx, await addRoot(scene.ctx, green));
    scene.drives.unplug('green');
    expect(await openOrders(scene, options()).orders.plan(order([1, 9]))).toMatchObject({ files: 1, away: [{ label: 'green', files: 1 }], blocked: null });
    expect((await give(scene, order([1, 9], { sidecars: false }), options())).order).toMatchObject({ state: 'waiting', waiting_for: 'uuid:green' });
    scene.drives.replug('green');
    expect((await goOn(scene, options())).order.state).toBe('done');
    expect(filesIn(out)).toEqual(['a.png', 'g.png']);
  });

  test('without its Worker it waits, says why, and goes on', async () => {
    scene.picture('a.png', 1);
    await library();
    const { order: done, warned } = await give(scene, order([1]), { exportFacts: () => Promise.reject(new Error('the Worker is out of reach')) });
    expect(done).toMatchObject({ state: 'waiting', reason: 'the Worker is out of reach' });
    expect(warned).toHaveLength(1);
    expect((await goOn(scene, options())).order.state).toBe('done');
  });

  test('a drive whose mount point is left empty gets nothing onto the disk below it', async () => {
    const usb = scene.drives.plugIn('usb');
    for (let i = 1; i <= 5; i += 1) scene.picture(`p${i}.png`, i);
    await library();
    let named = 0;
    const changes = withChangeFaults(createFileChanges(), (_, op) => { if (op === 'moveNoReplace' && (named += 1) === 2) { scene.drives.unplug('usb', 'left_empty'); throw new FileError('vanished', 'ENOENT', 'gone'); } return undefined; });
    const { order: done } = await give(scene, order([1, 2, 3, 4, 5], { folder: join(usb, 'out'), sidecars: false, template: '' }), { ...options(), changes });
    expect(done).toMatchObject({ state: 'waiting', waiting_for: 'uuid:usb' });
    expect(filesIn(usb)).toEqual([]);
    scene.drives.replug('usb');
    expect((await goOn(scene, options())).order.state).toBe('done');
    expect(filesIn(usb)).toEqual([1, 2, 3, 4, 5].map((i) => `out/p${i}.png`));
  });

  test('not into our own data', async () => {
    scene.picture('a.png', 1);
    await library();
    for (const folder of [out, join(out, 'data')]) expect(await openOrders(scene, { ...options(), ownFolders: [out] }).orders.plan(order([1], { folder }))).toMatchObject({ blocked: expect.stringMatching(/own data/) });
    expect(await openOrders(scene, { ...options(), ownFolders: [`${out}x`] }).orders.plan(order([1]))).toMatchObject({ blocked: null });
  });

  test('onto the drive that its folder lay on when it was given, and never onto what has that path by then', async () => {
    const usb = scene.drives.plugIn('usb');
    scene.picture('a.png', 1);
    await library();
    const asked = order([1], { folder: join(usb, 'out') });
    const { target } = await openOrders(scene, options()).orders.plan(asked);
    expect(target).toEqual({ volume_id: 'uuid:usb', label: 'usb' });
    const given = { ...asked, volume_id: target?.volume_id ?? '' } as OrderBody;
    scene.drives.unplug('usb', 'left_empty');
    const { order: done, steps } = await give(scene, given, options());
    expect(done).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^The drive, which .*\/out was to be on, is not connected\. Plug it in, or choose another folder\.$/) });
    expect([steps, filesIn(usb)]).toEqual([[], []]);
    // A drive that the library knows is named; another one under its path is none.
    scene.drives.replug('usb');
    await addRoot(scene.ctx, usb);
    scene.drives.swap('usb', 'uuid:other');
    const swapped = await give(scene, given, options(), '00000000-0000-4000-8000-000000000002');
    expect(swapped.order).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^‘usb’, which .*\/out was to be on, is not connected/) });
  });

  test.each(['before', 'after'] as const)('dying %s each call: the next run goes on and finishes', async (when) => {
    const make = async (): Promise<Record<string, string>> => {
      scene.picture('1/I.png', 1);
      scene.picture('1/J.png', 2);
      scene.picture('2/I.png', 3);
      await library();
      pair(2, 1);
      known = [facts(1, { description: 'one' }), facts(2), facts(3)];
      return picture(scene.top);
    };
    await make();
    const counting = dyingChanges(Infinity);
    await give(scene, order([1, 3]), { ...options(), changes: counting });
    const whole = filesIn(out);
    expect(whole).toHaveLength(6);
    for (let at = 0; at < counting.calls.length; at += 1) {
      scene.close();
      scene = createScene();
      rmSync(out, { recursive: true });
      mkdirSync(out);
      const before = await make();
      await give(scene, order([1, 3]), { ...options(), changes: dyingChanges(at, when) });
      const done = await goOn(scene, options());
      expect(done.order.state, counting.calls[at]).toBe('done');
      expect(openCount(scene)).toBe(0);
      expect(done.steps.every((s) => s.outcome === 'exported'), counting.calls[at]).toBe(true);
      // Which of two of one name was first may differ.
      expect(filesIn(out)).toHaveLength(6);
      for (const s of done.steps) expect(sha(readFileSync(s.to_path ?? ''))).toBe(s.sha256);
      expect(picture(scene.top)).toEqual(before);
    }
  });
});
