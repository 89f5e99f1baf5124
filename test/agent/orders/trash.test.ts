// Trash, restore and empty as an owner meets them: what went comes back byte for byte, what is not what was ordered stays, and
// nothing of which no copy is left goes unasked.
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addRoot } from '../../../agent/pipeline/index.ts';
import { overwrite, XMP } from '../../support/orders-world.ts';
import { png, put } from '../scan/scene.ts';
import { at, createOrdersScene, hash, type OrdersScene } from './orders-scene.ts';

let s: OrdersScene;
beforeEach(() => { s = createOrdersScene(); });
afterEach(() => { s.close(); });

async function plugInRed(): Promise<string> {
  const red = s.drives.plugIn('red');
  s.all.push('uuid:red');
  writeFileSync(join(red, 'note.txt'), 'not a picture');
  await addRoot(s.ctx, red);
  return red;
}

/** Rows as they are told of, less what a rename touches. */
function rows(): unknown {
  const all = (sql: string): unknown[] => s.catalog.db.prepare(sql).all().map((r) => ({ ...r }));
  return {
    files: all('SELECT volume_id, dir, name, size_bytes, mtime_ms, fs_id, inode, seen_as, sha256, in_package, time_claims, imports, albums, missing_since_ms FROM files ORDER BY 1, 2, 3'),
    stacks: all('SELECT member_sha256, primary_sha256, type, basis FROM stacks WHERE removed = 0 ORDER BY 1'), sidecars: all('SELECT volume_id, dir, name, format, said, matched FROM sidecars ORDER BY 1, 2, 3'),
    assets: all('SELECT sha256, facts FROM assets ORDER BY 1'),
  };
}

/** Where a file of the trash lies. */
function trashOf(path: string): string {
  return s.at(String(s.catalog.db.prepare('SELECT trash_path FROM trash WHERE path = ?').get(path)?.['trash_path']));
}
/** Other bytes of the same size, at the same time. */
function damage(path: string): void {
  const { mtimeMs } = statSync(path);
  const bytes = readFileSync(path);
  bytes.set([bytes[1] === 0 ? 1 : 0], 1);
  put(path, bytes, mtimeMs / 1000);
}

describe('there and back', () => {
  test('bytes, times, rows, sidecars and stacks are as they were', async () => {
    s.reader.facts.set('l.png', { content_identifier: 'L', mime: 'image/heic' });
    s.reader.facts.set('l.mov', { content_identifier: 'L', kind: 'video', mime: 'video/quicktime', duration_ms: 2_000 });
    s.picture('2019/l.png', 1);
    s.picture('2019/l.mov', 2);
    s.picture('2019/b.png', 3);
    put(s.at('2019/b.png.xmp'), XMP);
    put(s.at('2019/l.aae'), '<plist/>');
    await s.addRoot();
    await s.index();
    const [before, watch] = [rows(), s.watch()];
    const id = await s.give({ kind: 'trash', sha256s: [hash(1), hash(3)], last_copies: true });
    expect(s.state(id)).toBe('done');
    expect(s.outcomes(id)).toEqual({ '2019/b.png': 'trashed', '2019/b.png.xmp': 'trashed', '2019/l.aae': 'trashed', '2019/l.mov': 'trashed', '2019/l.png': 'trashed' });
    expect(await s.wrong(watch)).toEqual([]);
    expect(s.catalog.db.prepare("SELECT count(*) AS n FROM files WHERE seen_as IN ('asset', 'sidecar')").get()).toEqual({ n: 0 });
    // It can be read without us: a line a file.
    const manifest = readFileSync(join(dirname(dirname(trashOf('2019/b.png'))), 'manifest.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l) as { path: string; sha256: string | null });
    expect(manifest.map((m) => m.path).sort()).toEqual(['2019/b.png', '2019/b.png.xmp', '2019/l.aae', '2019/l.mov', '2019/l.png']);

    const back = await s.give({ kind: 'restore' });
    expect(new Set(Object.values(s.outcomes(back)))).toEqual(new Set(['restored']));
    expect(await s.wrong(watch)).toEqual([]);
    expect(rows()).toEqual(before);
    expect(s.trash()).toEqual([]);
    expect(existsSync(join(s.top, '.jharokha-trash', id))).toBe(false);
  });

  test('into a folder that is gone, and never over another file', async () => {
    for (const [i, name] of ['a', 'b', 'c'].entries()) s.picture(`x/y/${name}.png`, i);
    await s.addRoot();
    await s.index();
    await s.give({ kind: 'trash', sha256s: [0, 1, 2].map(hash), last_copies: true });
    rmSync(s.at('x'), { recursive: true });
    put(s.at('x/y/b.png'), 'somebody else');
    const watch = s.watch();
    watch.added(s.at('x/y/b.png'));
    const id = await s.give({ kind: 'restore' });
    expect(s.outcomes(id)).toEqual({ 'x/y/a.png': 'restored', 'x/y/b.png': 'name_taken', 'x/y/c.png': 'restored' });
    expect(s.trash()).toEqual(['x/y/b.png']);
    expect(watch.check(s.catalog)).toEqual([]);
    // Once the name is free, it goes.
    unlinkSync(s.at('x/y/b.png'));
    expect(s.outcomes(await s.give({ kind: 'restore' }))).toEqual({ 'x/y/b.png': 'restored' });
    expect(readFileSync(s.at('x/y/b.png'))).toEqual(png(1));
  });

  test('what was put back by hand, or taken out of the trash, keeps nothing there', async () => {
    s.reader.facts.set('l.png', { content_identifier: 'L', mime: 'image/heic' });
    s.reader.facts.set('l.mov', { content_identifier: 'L', kind: 'video', mime: 'video/quicktime', duration_ms: 2_000 });
    for (const [i, name] of ['l.png', 'l.mov', 'hand.png', 'taken.png'].entries()) s.picture(name, i);
    await s.addRoot();
    await s.index();
    await s.give({ kind: 'trash', sha256s: [0, 2, 3].map(hash), last_copies: true });
    rmSync(trashOf('l.mov'));
    renameSync(trashOf('hand.png'), s.at('hand.png'));
    rmSync(trashOf('taken.png'));
    put(s.at('taken.png'), png(77));
    const id = await s.give({ kind: 'restore' });
    expect(s.outcomes(id)).toEqual({ 'hand.png': 'restored', 'l.mov': 'gone', 'l.png': 'restored', 'taken.png': 'gone' });
    expect(s.trash()).toEqual([]);
    expect(readFileSync(s.at('taken.png'))).toEqual(png(77));
  });
});

describe('not what was ordered', () => {
  beforeEach(async () => {
    s.picture('a.png', 1);
    s.picture('b.png', 2);
    await s.addRoot();
    await s.index();
  });
  const trashBoth = () => s.give({ kind: 'trash', sha256s: [hash(1), hash(2)], last_copies: true });

  test('other bytes of the same size and time are put back; another size is not touched', async () => {
    damage(s.at('a.png'));
    overwrite(s.at('b.png'), true, 3);
    const watch = s.watch();
    const id = await trashBoth();
    expect(s.outcomes(id)).toEqual({ 'a.png': 'changed', 'b.png': 'changed' });
    expect(s.steps(id)[0]?.reason).toContain('put back');
    expect(await s.wrong(watch).then((w) => w.filter((x) => !x.startsWith('not in the catalog')))).toEqual([]);
  });

  test('put back while another takes the name: it stays in the trash, and the receipt says where', async () => {
    damage(s.at('a.png'));
    const watch = s.watch();
    s.setHook(at('moveNoReplace', 1, () => { put(s.at('a.png'), 'somebody else'); watch.added(s.at('a.png')); }));
    const id = await trashBoth();
    const [step] = s.steps(id);
    expect(step).toMatchObject({ path: 'a.png', outcome: 'name_taken' });
    expect(step?.reason).toContain(step?.to_path ?? 'nowhere');
    expect(existsSync(s.at(step?.to_path ?? 'nowhere'))).toBe(true);
    expect(watch.check(s.catalog)).toEqual([]);
    expect(s.trash()).toEqual(['a.png', 'b.png']);
    // And comes back once it can.
    unlinkSync(s.at('a.png'));
    watch.removed(s.at('a.png'));
    await s.give({ kind: 'restore' });
    expect(readFileSync(s.at('a.png'))[1]).toBe(0);
  });

  test('a link, a folder or nothing under the name is left as it is', async () => {
    renameSync(s.at('a.png'), s.at('real.png'));
    symlinkSync(s.at('real.png'), s.at('a.png'));
    rmSync(s.at('b.png'));
    mkdirSync(s.at('b.png'));
    expect(s.outcomes(await trashBoth())).toEqual({ 'a.png': 'changed', 'b.png': 'changed' });
    expect(readFileSync(s.at('real.png'))).toEqual(png(1));
    rmSync(s.at('b.png'), { recursive: true });
    rmSync(s.at('a.png'));
    expect(s.outcomes(await trashBoth())).toEqual({ 'a.png': 'gone', 'b.png': 'gone' });
  });

  test.each([['a folder', (p: string) => { mkdirSync(p); writeFileSync(join(p, 'inside.png'), 'x'); }], ['a link', (p: string) => { symlinkSync('/etc/hostname', p); }]])('%s that takes the name as it is moved is put back', async (_what, make) => {
    s.setHook(at('moveIntoNew', 1, () => { renameSync(s.at('a.png'), s.at('aside.png')); make(s.at('a.png')); }));
    const id = await trashBoth();
    expect(s.outcomes(id)['a.png']).toBe('changed');
    expect(existsSync(s.at('a.png')) || existsSync(s.at('a.png/inside.png'))).toBe(true);
    expect(s.trash()).toEqual(['b.png']);
    expect(readFileSync(s.at('aside.png'))).toEqual(png(1));
  });

  test('changed in the trash: it is not emptied, and comes back as it is', async () => {
    await trashBoth();
    damage(trashOf('a.png'));
    const id = await s.give({ kind: 'empty', last_copies: true });
    expect(s.outcomes(id)).toEqual({ 'a.png': 'changed', 'b.png': 'emptied' });
    const back = await s.give({ kind: 'restore' });
    expect(s.steps(back)).toMatchObject([{ outcome: 'restored' }]);
    expect(s.steps(back)[0]?.reason).toContain('not those that were trashed');
  });

  test('without the list of its order the trash is restored and emptied all the same', async () => {
    await trashBoth();
    rmSync(join(dirname(dirname(trashOf('a.png'))), 'manifest.jsonl'));
    expect(s.outcomes(await s.give({ kind: 'restore', sha256s: [hash(1)] }))).toEqual({ 'a.png': 'restored' });
    expect(s.outcomes(await s.give({ kind: 'empty', last_copies: true }))).toEqual({ 'b.png': 'emptied' });
  });

  test('changed between the reading and the unlinking: it stays', async () => {
    await trashBoth();
    const path = trashOf('a.png');
    // The commit that says that it is about to be removed comes after it was read.
    let reads = 0;
    s.setHook({ before: (op, p) => { if (op === 'read' && p === path) reads += 1; if (op === 'commit' && reads === 1) { reads = 2; damage(path); } } });
    expect(s.outcomes(await s.give({ kind: 'empty', last_copies: true }))).toEqual({ 'a.png': 'changed', 'b.png': 'emptied' });
  });
});

describe('of what lies in the trash a part', () => {
  test('by where it lay, or by the order that moved it; what belongs to it comes with it', async () => {
    s.picture('x/a.png', 1);
    put(s.at('x/a.png.xmp'), XMP);
    s.picture('y/a.png', 1);
    s.picture('y/b.png', 2);
    await s.addRoot();
    await s.index();
    const first = await s.give({ kind: 'trash', sha256s: [hash(1)], copies: [{ volume_id: 'uuid:blue', path: 'x/a.png' }] });
    const second = await s.give({ kind: 'trash', sha256s: [hash(1), hash(2)], last_copies: true });
    expect([s.steps(first).length, s.steps(second).length]).toEqual([2, 2]);
    expect(await s.plan({ kind: 'empty', files: [{ volume_id: 'uuid:blue', path: 'y/a.png' }] })).toMatchObject({ files: 1, sidecars: 0 });
    expect(s.outcomes(await s.give({ kind: 'restore', of_order: first, sha256s: [hash(1)] }))).toEqual({ 'x/a.png': 'restored', 'x/a.png.xmp': 'restored' });
    expect(s.trash()).toHaveLength(2);
    expect(s.outcomes(await s.give({ kind: 'empty', files: [{ volume_id: 'uuid:blue', path: 'y/a.png' }] }))).toEqual({ 'y/a.png': 'emptied' });
    expect(s.outcomes(await s.give({ kind: 'restore', of_order: second }))).toEqual({ 'y/b.png': 'restored' });
  });
});

describe('copies', () => {
  /** two.png on blue and on red; returns red's mount point. */
  async function putOnBoth(): Promise<string> {
    const red = await plugInRed();
    s.picture('two.png', 2);
    put(join(red, 'two.png'), png(2));
    await s.addRoot();
    await s.index();
    return red;
  }
  const choose = (...paths: string[]) => paths.map((path) => ({ volume_id: 'uuid:blue', path }));

  test('the last one goes by words alone, out of the folder and out of the trash', async () => {
    s.picture('one.png', 1);
    await putOnBoth();
    const sha256s = [hash(1), hash(2)];
    expect(s.outcomes(await s.give({ kind: 'trash', sha256s, volumes: ['uuid:blue'] }))).toEqual({ 'one.png': 'last_copy', 'two.png': 'trashed' });
    await s.give({ kind: 'trash', sha256s, volumes: ['uuid:blue'], last_copies: true });
    expect(s.outcomes(await s.give({ kind: 'empty' }))).toEqual({ 'one.png': 'last_copy', 'two.png': 'emptied' });
    expect(s.outcomes(await s.give({ kind: 'empty', last_copies: true }))).toEqual({ 'one.png': 'emptied' });
  });

  test('a copy that is away does not let the trash be emptied, nor does one that is damaged', async () => {
    const red = await putOnBoth();
    await s.give({ kind: 'trash', sha256s: [hash(2)], volumes: ['uuid:blue'] });
    s.drives.unplug('red');
    const id = await s.give({ kind: 'empty', volumes: ['uuid:blue'] });
    expect(s.outcomes(id)).toEqual({ 'two.png': 'last_copy' });
    expect(s.steps(id)[0]?.reason).toContain('‘red’');
    s.drives.replug('red');
    damage(join(red, 'two.png'));
    expect(s.outcomes(await s.give({ kind: 'empty' }))).toEqual({ 'two.png': 'last_copy' });
  });

  test('a good copy that went between an interruption and the next start is missed', async () => {
    const red = await putOnBoth();
    await s.give({ kind: 'trash', sha256s: [hash(2)], volumes: ['uuid:blue'] });
    // It ends as it is about to remove; when it goes on, the other copy is not what it was.
    s.setHook(at('remove', 1, () => { throw new Error('the end'); }));
    const id = await s.give({ kind: 'empty' });
    expect(s.state(id)).toBe('waiting');
    expect(s.warnings).toHaveLength(1);
    damage(join(red, 'two.png'));
    await s.wake();
    expect(s.outcomes(id)).toEqual({ 'two.png': 'last_copy' });
    expect(existsSync(trashOf('two.png'))).toBe(true);
  });

  test('duplicates keep a copy that was read just now: not a damaged one, not a hard link, not one of the chosen', async () => {
    s.picture('a.png', 1);
    s.picture('a copy.png', 1);
    s.picture('b.png', 2);
    s.picture('b copy.png', 2);
    s.picture('c.png', 3);
    linkSync(s.at('c.png'), s.at('c link.png'));
    s.picture('d.png', 4);
    s.picture('d copy.png', 4);
    await s.addRoot();
    await s.index();
    damage(s.at('b copy.png'));
    const watch = s.watch();
    const id = await s.give({ kind: 'trash', sha256s: [1, 2, 3, 4].map(hash), copies: choose('a.png', 'b.png', 'c.png', 'd.png', 'd copy.png') });
    expect(s.outcomes(id)).toEqual({ 'a.png': 'trashed', 'b.png': 'last_copy', 'c.png': 'last_copy', 'd.png': 'last_copy', 'd copy.png': 'last_copy' });
    expect(watch.check(s.catalog)).toEqual([]);
    // Words about last copies do not make a duplicate of the only one.
    expect(s.outcomes(await s.give({ kind: 'trash', sha256s: [hash(3)], copies: choose('c.png'), last_copies: true }))).toEqual({ 'c.png': 'last_copy' });
  });

  test('the same file under the path of another volume is no second copy', async () => {
    s.picture('Photos/a.png', 1);
    // A part of the drive, mounted once more, that the system calls another volume.
    s.drives.plugIn('again', { mount_point: s.at('Photos'), fs_type: 'exfat' });
    s.all.push('uuid:again');
    await s.addRoot('Photos');
    s.catalog.db.exec('DELETE FROM roots');
    const { putRoot } = await import('../../../agent/catalog/roots.ts');
    putRoot(s.catalog, 'uuid:blue', 'Photos');
    putRoot(s.catalog, 'uuid:again', '');
    await s.index();
    s.catalog.transact(() => s.catalog.db.exec("INSERT OR IGNORE INTO files (volume_id, dir, name, size_bytes, mtime_ms, ctime_ms, birth_ms, seen_as, sha256, in_package, racy, read_version, added_revision, time_claims, revision) SELECT 'uuid:blue', 'Photos', name, size_bytes, mtime_ms, ctime_ms, birth_ms, seen_as, sha256, in_package, racy, read_version, added_revision, time_claims, revision FROM files WHERE volume_id = 'uuid:again'"));
    expect(s.catalog.db.prepare('SELECT count(*) AS n FROM files WHERE sha256 = ?').get(hash(1))).toEqual({ n: 2 });
    expect(s.outcomes(await s.give({ kind: 'trash', sha256s: [hash(1)], copies: choose('Photos/a.png') }))).toEqual({ 'Photos/a.png': 'last_copy' });
    expect(existsSync(s.at('Photos/a.png'))).toBe(true);
  });

  test('two orders that each spare what the other takes leave one', async () => {
    const red = await plugInRed();
    s.picture('a.png', 1);
    put(join(red, 'a.png'), png(1));
    await s.addRoot();
    await s.index();
    await s.give({ kind: 'trash', sha256s: [hash(1)], copies: choose('a.png') });
    const id = await s.give({ kind: 'trash', sha256s: [hash(1)], copies: [{ volume_id: 'uuid:red', path: 'a.png' }] });
    expect(s.outcomes(id)).toEqual({ 'a.png': 'last_copy' });
  });

  test('both names of one file go, and come back as one file', async () => {
    s.picture('a.png', 1);
    linkSync(s.at('a.png'), s.at('b.png'));
    await s.addRoot();
    await s.index();
    const watch = s.watch();
    await s.give({ kind: 'trash', sha256s: [hash(1)], last_copies: true });
    expect(existsSync(s.at('a.png')) || existsSync(s.at('b.png'))).toBe(false);
    await s.give({ kind: 'restore' });
    expect(await s.wrong(watch)).toEqual([]);
    expect(statSync(s.at('a.png')).ino).toBe(statSync(s.at('b.png')).ino);
  });
});

describe('odd names', () => {
  const NAMES = ['new\nline.png', '"quo\'tes`.png', '-rf.png', '🐚🏔️.png', 'e\u0301.png', `${'x'.repeat(251)}.png`, 'space .png', ' lead.png', 'dot..png', '\u202Egnp.a.png', '__proto__.png', 'manifest.jsonl.png', '*?.png', '\\back.png', '%41.png', '\t.png', 'toString.png'];
  test.each([['with hard links', true], ['without', false]])('go and come back, %s', async (_how, links) => {
    s.close();
    s = createOrdersScene({ links });
    NAMES.forEach((name, i) => { s.picture(`${i % 2 ? '' : '__proto__/ -\n/'}${name}`, i); });
    await s.addRoot();
    await s.index();
    const watch = s.watch();
    const id = await s.give({ kind: 'trash', sha256s: NAMES.map((_, i) => hash(i)), last_copies: true });
    expect(s.steps(id).map((x) => x.outcome)).toEqual(NAMES.map(() => 'trashed'));
    expect(await s.wrong(watch)).toEqual([]);
    await s.give({ kind: 'restore' });
    expect(await s.wrong(watch)).toEqual([]);
    await s.give({ kind: 'trash', sha256s: NAMES.map((_, i) => hash(i)), last_copies: true });
    await s.give({ kind: 'empty', last_copies: true });
    expect(await s.wrong(watch)).toEqual([]);
    expect(s.trash()).toEqual([]);
  });

  test('a path that would be too long in the trash stays where it is', async () => {
    // A root so deep that there is no room for the folders of a trash in it.
    const length = 4_075 - s.top.length - 1;
    let path = 'root';
    while (path.length < length) path += `/${'d'.repeat(Math.min(200, length - path.length - 1))}`;
    s.picture(`${path}/a.png`, 1);
    await s.addRoot(path);
    await s.index();
    const watch = s.watch();
    const id = await s.give({ kind: 'trash', sha256s: [hash(1)], last_copies: true });
    expect(Object.values(s.outcomes(id))).toEqual(['refused']);
    expect(await s.wrong(watch)).toEqual([]);
  });
});
