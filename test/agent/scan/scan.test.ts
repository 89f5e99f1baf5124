// What a scan makes of files: every one counted once, none read twice, odd ones named, originals untouched.
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listCopies } from '../../../agent/catalog/files.ts';
import { putRoot } from '../../../agent/catalog/roots.ts';
import { compileExcludes } from '../../../agent/pipeline/ignore.ts';
import { addRoot, scanAll } from '../../../agent/pipeline/index.ts';
import { createScene, png, put, sha, sumOf, type Scene } from './scene.ts';

let s: Scene;
beforeEach(() => { s = createScene(); });
afterEach(() => { s.close(); });

function counts(report: { counts: object }): Record<string, number> {
  return Object.fromEntries(Object.entries(report.counts).filter(([, n]) => n !== 0));
}

describe('accounting', () => {
  test('every file seen counts under exactly one heading, and the parts add up', async () => {
    s.picture('a.png', 1);
    s.picture('trip/b.png', 2);
    put(s.at('trip/b copy.png'), png(2));
    put(s.at('trip/b.xmp'), '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta>');
    put(s.at('notes.txt'), 'hello');
    put(s.at('empty.jpg'), '');
    put(s.at('broken.jpg'), Buffer.from([0xff, 0xd8, 1, 2, 3]));
    symlinkSync(s.at('a.png'), s.at('link.png'));
    await s.addRoot();
    const first = await s.scan();
    expect(first.state).toBe('completed');
    expect(counts(first)).toEqual({ seen: 8, indexed: 2, duplicate: 1, sidecar: 1, ignored: 2, failed: 2 });
    expect(sumOf(first)).toBe(first.counts.seen);
    expect(first.failed.map((f) => [f.path, f.code]).sort()).toEqual([['broken.jpg', 'damaged'], ['empty.jpg', 'empty']]);

    const calls = { ...s.reader.calls };
    const second = await s.scan();
    expect(counts(second)).toEqual({ seen: 8, unchanged: 3, sidecar: 1, ignored: 2, failed: 2 });
    expect(second.failed.map((f) => f.code).sort()).toEqual(['damaged', 'empty']);
    // A re-scan is a walk of stats: nothing was opened, not even what failed.
    expect(s.reader.calls).toEqual(calls);
  });

  test('an unchanged scan leaves nothing to be pushed', async () => {
    s.picture('a.png', 1);
    put(s.at('empty.jpg'), '');
    await s.addRoot();
    await s.scan();
    for (const table of ['volumes', 'roots', 'files', 'assets', 'problems', 'scans']) s.catalog.db.exec(`UPDATE ${table} SET pushed_revision = revision`);
    await s.scan();
    for (const table of ['volumes', 'roots', 'files', 'assets', 'problems', 'scans']) {
      expect(s.catalog.db.prepare(`SELECT count(*) AS n FROM ${table} WHERE revision > pushed_revision`).get()?.['n'], table).toBe(0);
    }
  });

  test('a folder in which nothing changed is known by its stamp; any change of a file or a row drops it', async () => {
    s.picture('trip/a.png', 1);
    s.picture('trip/b.png', 2);
    put(s.at('trip/notes.txt'), 'hello');
    await s.addRoot();
    await s.scan();
    const stamps = () => Number(s.catalog.db.prepare("SELECT count(*) AS n FROM folder_stamps WHERE dir LIKE '%trip'").get()?.['n']);
    const expected = { seen: 3, unchanged: 2, ignored: 1 };
    expect(stamps()).toBe(0);
    expect(counts(await s.scan())).toEqual(expected);
    expect(stamps()).toBe(1);
    // It answers by itself, without the rows: what it says is what counts.
    s.catalog.db.exec('UPDATE folder_stamps SET unchanged = 20');
    expect(counts(await s.scan())).toEqual({ seen: 21, unchanged: 20, ignored: 1 });
    // To be read again, and seen to be what it was.
    s.catalog.db.exec("UPDATE files SET racy = 1 WHERE name = 'a.png'");
    expect(stamps()).toBe(0);
    expect(counts(await s.scan())).toEqual(expected);
    expect(counts(await s.scan())).toEqual(expected);
    expect(stamps()).toBe(1);
    put(s.at('trip/b.png'), png(3), 1_500_000_000);
    expect(counts(await s.scan())).toEqual({ seen: 3, unchanged: 1, changed: 1, ignored: 1 });
    expect(stamps()).toBe(0);
    await s.scan();
    rmSync(s.at('trip/a.png'));
    expect((await s.scan()).vanished).toBe(1);
    expect(stamps()).toBe(0);
    s.catalog.db.exec("UPDATE files SET seen_as = 'failed' WHERE name = 'b.png'");
    await s.scan();
    expect(stamps()).toBe(0);
  });

  test('a changed file is a new asset at the old path; a touched one is unchanged', async () => {
    s.picture('a.png', 1);
    s.picture('b.png', 2);
    await s.addRoot();
    await s.scan();
    put(s.at('a.png'), png(99), 1_650_000_000);
    utimesSync(s.at('b.png'), 1_650_000_000, 1_650_000_000);
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 2, changed: 1, unchanged: 1 });
    expect(listCopies(s.catalog, sha(png(99))).map((f) => f.name)).toEqual(['a.png']);
    expect(listCopies(s.catalog, sha(png(1)))).toEqual([]);
  });

  test('a file written within two seconds of its reading is hashed again once', async () => {
    writeFileSync(s.at('now.png'), png(1));
    await s.addRoot();
    await s.scan();
    const before = s.reader.calls.identify;
    s.ctx.now = () => Date.now() + 10_000;
    expect(counts(await s.scan())).toEqual({ seen: 1, unchanged: 1 });
    expect(s.reader.calls.identify).toBe(before + 1);
    await s.scan();
    expect(s.reader.calls.identify).toBe(before + 1);
    expect(s.reader.calls.quick).toBe(1);
  });

  test('originals and their folders are as they were', async () => {
    s.picture('x/a.png', 1);
    s.picture('x/a-later.png', 2);
    await s.addRoot();
    const look = (): unknown => readdirSync(s.top, { recursive: true, withFileTypes: true }).map((e) => { const t = statSync(join(e.parentPath, e.name)); return [e.name, t.size, t.mtimeMs, t.ctimeMs]; });
    const before = look();
    await s.scan();
    expect(look()).toEqual(before);
  });

  test('facts made by an older reader are read again, once', async () => {
    s.picture('a.png', 1);
    await s.addRoot();
    await s.scan();
    s.catalog.db.exec('UPDATE files SET read_version = 0; UPDATE assets SET facts_version = 0');
    expect(counts(await s.scan())).toEqual({ seen: 1, unchanged: 1 });
    expect(s.reader.calls.quick).toBe(2);
    await s.scan();
    expect(s.reader.calls.quick).toBe(2);
  });

  test('progress tells of every root, at its end too', async () => {
    for (let i = 1; i <= 20; i += 1) s.picture(`p${i}.png`, i);
    const root = await s.addRoot();
    const told: number[] = [];
    s.ctx.onProgress = (p) => { expect(p.root).toBe(root.root_id); told.push(p.counts.seen); };
    await s.scan();
    expect(told.at(-1)).toBe(20);
  });
});

describe('moves', () => {
  test('a rename is a move, without reading the file', async () => {
    s.picture('a/one.png', 1);
    s.picture('a/two.png', 2);
    await s.addRoot();
    await s.scan();
    const calls = { ...s.reader.calls };
    renameSync(s.at('a/one.png'), s.at('a/uno.png'));
    renameSync(s.at('a'), s.at('b'));
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 2, moved: 2 });
    expect(s.reader.calls).toEqual(calls);
    expect(report.vanished).toBe(0);
    expect(s.missing()).toEqual([]);
    const bodies = s.catalog.db.prepare('SELECT body FROM completions').all().map((r) => JSON.parse(r['body'] as string) as { moved_from: string[]; missing: string[] });
    expect(bodies.flatMap((b) => b.moved_from).sort()).toEqual(['a/one.png', 'a/two.png']);
    expect(bodies.flatMap((b) => b.missing)).toEqual([]);
  });

  test('without lasting inodes a move is known by its hash', async () => {
    s.close();
    s = createScene({ volume: { fs_type: 'exfat' } });
    s.picture('one.png', 1);
    await s.addRoot();
    await s.scan();
    mkdirSync(s.at('sub'));
    renameSync(s.at('one.png'), s.at('sub/one.png'));
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 1, moved: 1 });
    expect(s.reader.calls.quick).toBe(1);
    expect(s.catalog.db.prepare('SELECT inode, fs_id FROM files').all().map((r) => ({ ...r }))).toEqual([{ inode: null, fs_id: null }]);
  });

  test('a file that moved from one root to another is moved, not missing', async () => {
    s.picture('one/a.png', 1);
    s.picture('one/stay.png', 3);
    s.picture('two/b.png', 2);
    await s.addRoot('one');
    await s.addRoot('two');
    await scanAll(s.ctx);
    renameSync(s.at('one/a.png'), s.at('two/a.png'));
    const reports = await scanAll(s.ctx);
    expect(reports.map((r) => r.marked_missing)).toEqual([0, 0]);
    expect(s.missing()).toEqual([]);
    expect(listCopies(s.catalog, sha(png(1))).map((f) => f.dir)).toEqual(['two']);
  });

  test('deleting one of two copies is no move: that copy is missing', async () => {
    s.picture('a.png', 1);
    put(s.at('z.png'), png(1));
    await s.addRoot();
    await s.scan();
    rmSync(s.at('a.png'));
    const report = await s.scan();
    expect(report.counts.moved).toBe(0);
    expect(s.missing()).toEqual(['a.png']);
  });

  test('a missing file that is found elsewhere later is moved, and one that comes back is present', async () => {
    s.picture('a.png', 1);
    s.picture('b.png', 2);
    s.picture('c.png', 3);
    await s.addRoot();
    await s.scan();
    renameSync(s.at('a.png'), join(s.drives.folder, 'a.png'));
    renameSync(s.at('b.png'), join(s.drives.folder, 'b.png'));
    await s.scan();
    expect(s.missing()).toEqual(['a.png', 'b.png']);
    renameSync(join(s.drives.folder, 'a.png'), s.at('found.png'));
    renameSync(join(s.drives.folder, 'b.png'), s.at('b.png'));
    const report = await s.scan();
    expect(s.missing()).toEqual([]);
    expect(listCopies(s.catalog, sha(png(1))).map((f) => f.name)).toEqual(['found.png']);
    expect(counts(report)).toEqual({ seen: 3, moved: 1, unchanged: 2 });
    expect(s.reader.calls.quick).toBe(3);
  });

  test('a case rename or another Unicode form does not double an asset', async () => {
    s.close();
    s = createScene({ volume: { fs_type: 'exfat' } });
    const nfc = 'Café.png'.normalize('NFC');
    const nfd = 'Café.png'.normalize('NFD');
    s.picture(`dir/${nfc}`, 1);
    s.picture('dir/IMG.png', 2);
    await s.addRoot();
    await s.scan();
    renameSync(s.at(`dir/${nfc}`), s.at(`dir/${nfd}`));
    renameSync(s.at('dir/IMG.png'), s.at('dir/img.png'));
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 2, moved: 2 });
    expect(s.catalog.db.prepare('SELECT name FROM files ORDER BY name').all().map((r) => r['name'])).toEqual([nfd, 'img.png'].sort());
  });
});

describe('one file is one copy', () => {
  test('nested roots are walked once, each under its own excludes', async () => {
    s.picture('pics/a.png', 1);
    s.picture('pics/2020/b.png', 2);
    s.picture('pics/2020/raw/c.png', 3);
    const outer = await s.addRoot('pics', ['2020']);
    await s.addRoot('pics/2020', ['raw']);
    const reports = await scanAll(s.ctx);
    expect(reports.map((r) => r.root_id)).toEqual([outer.root_id]);
    expect(reports[0] && counts(reports[0])).toEqual({ seen: 2, indexed: 2 });
    expect(s.catalog.db.prepare('SELECT count(*) AS n FROM files').get()?.['n']).toBe(2);
  });

  test('a nested root behind an excluded folder is walked all the same', async () => {
    s.picture('pics/private/deep/b.png', 2);
    s.picture('pics/private/no.png', 3);
    await s.addRoot('pics', ['private/']);
    await s.addRoot('pics/private/deep');
    const [report] = await scanAll(s.ctx);
    expect(report?.counts.indexed).toBe(1);
    expect(report?.skipped).toEqual([{ path: 'pics/private', reason: 'excluded' }]);
  });

  test('hard links are one copy by file system and inode, and read once', async () => {
    s.picture('a.png', 1);
    linkSync(s.at('a.png'), s.at('b.png'));
    mkdirSync(s.at('sub'));
    linkSync(s.at('a.png'), s.at('sub/c.png'));
    await s.addRoot();
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 3, indexed: 1, duplicate: 2 });
    expect(s.reader.calls.identify).toBe(1);
    const copies = listCopies(s.catalog, sha(png(1)));
    expect(copies.length).toBe(3);
    expect(new Set(copies.map((c) => `${c.fs_id} ${c.inode}`)).size).toBe(1);
    expect(copies[0]?.inode).toBe(String(statSync(s.at('a.png')).ino));
  });

  test('links are not followed, loops end, and a root given as a link is its target', async () => {
    s.picture('real/a.png', 1);
    symlinkSync(s.at('real/a.png'), s.at('real/link.png'));
    symlinkSync('..', s.at('real/loop'));
    symlinkSync(s.at('real'), s.at('door'));
    const root = await addRoot(s.ctx, s.at('door'));
    expect(root.path).toBe('real');
    expect(await addRoot(s.ctx, s.at('real'))).toEqual(root);
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 3, indexed: 1, ignored: 2 });
  });

  test('twins met at the same time are decoded once', async () => {
    for (let i = 0; i < 12; i += 1) put(s.at(`twin${i}.png`), png(5));
    s.ctx.concurrency = 6;
    await s.addRoot();
    expect(counts(await s.scan())).toEqual({ seen: 12, indexed: 1, duplicate: 11 });
    expect(s.reader.calls.quick).toBe(1);
  });
});

describe('odd things on a drive', () => {
  test('pipes and sockets are never opened', async () => {
    s.picture('a.png', 1);
    execFileSync('mkfifo', [s.at('pipe.png')]);
    await s.addRoot();
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 2, indexed: 1, ignored: 1 });
  });

  test('names with newlines, emoji, right-to-left marks and 255 bytes are indexed; bytes that are no UTF-8 are named', async () => {
    const names = ['a\nb.png', '😀 🏔️.png', '\u202eexe.png', `${'ü'.repeat(125)}x.png`, ' lead and trail .png', '-rf.png', 'q\'"`$(x);.png'];
    names.forEach((name, i) => { s.picture(name, i + 1); });
    writeFileSync(Buffer.concat([Buffer.from(`${s.top}/caf`), Buffer.from([0xe9]), Buffer.from('.png')]), png(50));
    await s.addRoot();
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 8, indexed: 7, failed: 1 });
    expect(report.failed).toEqual([{ path: 'caf\\xe9.png', code: 'bad_name', reason: expect.stringContaining('UTF-8') as string }]);
    expect(s.catalog.db.prepare('SELECT name FROM files').all().map((r) => r['name']).sort()).toEqual(names.sort());
    expect(counts(await s.scan())).toEqual({ seen: 8, unchanged: 7, failed: 1 });
  });

  test('a folder that cannot be read is named, and what was known in it stays', async () => {
    s.picture('ok/a.png', 1);
    s.picture('locked/b.png', 2);
    s.picture('locked/deep/c.png', 3);
    await s.addRoot();
    await s.scan();
    s.files.setFaults([{ match: '/locked$', op: 'list', error: 'EACCES' }]);
    const report = await s.scan();
    expect(report.state).toBe('completed');
    expect(report.skipped).toEqual([{ path: 'locked', reason: expect.stringContaining('permission') as string }]);
    expect(s.missing()).toEqual([]);
    expect(s.catalog.db.prepare('SELECT path, code FROM problems WHERE solved = 0').all().map((r) => ({ ...r }))).toEqual([{ path: 'locked', code: 'unreadable' }]);
    s.files.setFaults([]);
    await s.scan();
    expect(s.catalog.db.prepare('SELECT count(*) AS n FROM problems WHERE solved = 0').get()?.['n']).toBe(0);
  });

  test('a file that changes while it is read is read once more, then named and tried again next time', async () => {
    s.picture('a.png', 1);
    await s.addRoot();
    s.files.setFaults([{ match: 'a.png', op: 'read', effect: 'changes', times: 1 }]);
    expect(counts(await s.scan())).toEqual({ seen: 1, indexed: 1 });
    s.picture('b.png', 2);
    s.files.setFaults([{ match: 'b.png', op: 'read', effect: 'changes' }]);
    const report = await s.scan();
    expect(report.failed).toEqual([{ path: 'b.png', code: 'changed_while_read', reason: expect.any(String) as string }]);
    s.files.setFaults([]);
    expect(counts(await s.scan())).toEqual({ seen: 2, unchanged: 1, indexed: 1 });
    expect(s.catalog.db.prepare('SELECT count(*) AS n FROM problems WHERE solved = 0').get()?.['n']).toBe(0);
  });

  test('a file that really grows in mid-read is not indexed under a hash of neither state', async () => {
    put(s.at('big.png'), Buffer.concat([png(1), Buffer.alloc(3_000_000)]));
    await s.addRoot();
    const open = s.files.open;
    let grown = 0;
    s.ctx.files = { ...s.files, open: async (path) => { const f = await open(path); if (grown < 1) { grown += 1; appendFileSync(path, 'more'); } return f; } };
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 1, indexed: 1 });
    expect(listCopies(s.catalog, sha(readFileSync(s.at('big.png')))).length).toBe(1);
  });

  test('a file that vanishes while read is named; others go on', async () => {
    s.picture('a.png', 1);
    s.picture('b.png', 2);
    await s.addRoot();
    s.files.setFaults([{ match: 'a.png', op: 'read', effect: 'vanishes' }]);
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 2, indexed: 1, failed: 1 });
    expect(report.failed[0]?.code).toBe('vanished');
    rmSync(s.at('a.png'));
    s.files.setFaults([]);
    await s.scan();
    expect(s.catalog.db.prepare('SELECT count(*) AS n FROM problems WHERE solved = 0').get()?.['n']).toBe(0);
  });

  test('our own folders, trash, backups and other programs\' packages are passed by, each by name', async () => {
    s.picture('a.png', 1);
    for (const [i, dir] of ['data', '.jharokha-trash', '.Trashes/501', '.Trash', 'Backups.backupdb', 'X.sparsebundle', 'Cat Previews.lrdata', 'Film.fcpbundle', '@eaDir', '$RECYCLE.BIN'].entries()) s.picture(`${dir}/x.png`, 10 + i);
    put(s.at('.jharokha-volume'), '{}');
    await s.addRoot();
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 2, indexed: 1, ignored: 1 });
    expect(report.skipped.map((k) => k.path).sort()).toEqual(['data', '.jharokha-trash', '.Trashes', '.Trash', 'Backups.backupdb', 'X.sparsebundle', 'Cat Previews.lrdata', 'Film.fcpbundle', '@eaDir', '$RECYCLE.BIN'].sort());
  });

  test('of a Photos library only the originals are read, and they take no orders', async () => {
    s.picture('P.photoslibrary/originals/0/a.png', 1);
    s.picture('P.photoslibrary/resources/derivatives/b.png', 2);
    s.picture('P.photoslibrary/database/c.png', 3);
    put(s.at('P.photoslibrary/info.png'), png(4));
    s.picture('plain.png', 5);
    await s.addRoot();
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 3, indexed: 2, ignored: 1 });
    expect(s.catalog.db.prepare('SELECT name, in_package FROM files ORDER BY name').all().map((r) => ({ ...r }))).toEqual([{ name: 'a.png', in_package: 1 }, { name: 'plain.png', in_package: 0 }]);
  });

  test('a folder that is another drive is not crossed into', async () => {
    s.picture('a.png', 1);
    s.drives.plugIn('red', { mount_point: s.at('mnt/red') });
    s.picture('mnt/red/b.png', 2);
    await s.addRoot();
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 1, indexed: 1 });
    expect(report.skipped).toEqual([{ path: 'mnt/red', reason: 'another drive is mounted here (red)' }]);
  });

  test('excludes: names, paths, stars', async () => {
    for (const [i, p] of ['a.png', 'b.tmp.png', 'sub/a.png', 'sub/deep/er/c.png', 'Private/d.png', 'x/private.png', 'top/only/e.png', 'in/top/only/f.png'].entries()) s.picture(p, i + 1);
    await s.addRoot('', ['*.tmp.png', 'Private/', 'sub/**/c.png', '/top/only']);
    await s.scan();
    expect(s.catalog.db.prepare("SELECT CASE WHEN dir = '' THEN name ELSE dir || '/' || name END AS p FROM files ORDER BY p").all().map((r) => r['p']))
      .toEqual(['a.png', 'in/top/only/f.png', 'sub/a.png', 'x/private.png']);
  });

  test('an exclude of many stars takes no time, and still finds what it names', () => {
    const many = compileExcludes([`${'*a'.repeat(20)}*b`, 'IMG*2019*(edit)?*.jp*g', '*toString*x'], true);
    const started = performance.now();
    expect(many('a'.repeat(250), false)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect([`${'xa'.repeat(20)}b`, 'deep/IMG_2019_2019 (edit)1.jpeg', '1toString toString.x'].map((path) => many(path, false))).toEqual([true, true, true]);
    expect(['IMG_2019 (edit).jpg', 'IMG/2019(edit)1.jpg', 'toStringx/y'].map((path) => many(path, false))).toEqual([false, false, false]);
  });

  test('a full disk under the catalog stops the scan in words; the next one goes on', async () => {
    for (let i = 1; i <= 60; i += 1) s.picture(`p${i}.png`, i);
    await s.addRoot();
    const pages = s.catalog.db.prepare('PRAGMA page_count').get()?.['page_count'] as number;
    s.catalog.db.exec(`PRAGMA max_page_count = ${pages + 6}`);
    const report = await s.scan();
    expect(report.state).toBe('stopped');
    expect(report.reason).toMatch(/full/);
    s.catalog.db.exec('PRAGMA max_page_count = 1000000');
    const next = await s.scan();
    expect(next.state).toBe('completed');
    expect(next.counts.indexed + next.counts.unchanged).toBe(60);
    expect(s.catalog.db.prepare('SELECT count(*) AS n FROM assets').get()?.['n']).toBe(60);
    expect(s.catalog.db.prepare('SELECT count(*) AS n FROM spool').get()?.['n']).toBe(120);
  });

  test('a file that is no picture any more is told as missing, and back again as present', async () => {
    s.picture('a.png', 1);
    s.picture('b.png', 2);
    await s.addRoot();
    await s.scan();
    put(s.at('a.png'), 'now a text', 1_650_000_000);
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 2, unchanged: 1, ignored: 1 });
    expect(report.marked_missing).toBe(1);
    expect(listCopies(s.catalog, sha(png(1)))).toEqual([]);
    expect((await s.scan()).vanished).toBe(0);
    s.picture('a.png', 1);
    await s.scan();
    expect(listCopies(s.catalog, sha(png(1))).length).toBe(1);
  });

  test('an abort stops cleanly and concludes nothing', async () => {
    for (let i = 1; i <= 40; i += 1) s.picture(`p${i}.png`, i);
    await s.addRoot();
    const stop = new AbortController();
    s.ctx.signal = stop.signal;
    s.reader.onQuick = () => { if (s.reader.calls.quick === 10) stop.abort(); };
    const report = await s.scan();
    expect([report.state, report.reason]).toEqual(['stopped', 'It was stopped.']);
    expect(report.counts.seen).toBeLessThan(40);
    s.ctx.signal = undefined;
    expect((await s.scan()).counts).toMatchObject({ seen: 40, failed: 0 });
  });

  test('a root that is not there, or is a file, says so', async () => {
    await expect(addRoot(s.ctx, s.at('nowhere'))).rejects.toThrow(/nowhere cannot be used/);
    put(s.at('f.png'), png(1));
    await expect(addRoot(s.ctx, s.at('f.png'))).rejects.toThrow(/not a folder/);
    const root = putRoot(s.catalog, 'uuid:blue', 'gone');
    const report = await s.scan(root);
    expect([report.state, report.reason]).toEqual(['stopped', 'The folder gone is not there.']);
  });

  test.skipIf(process.getuid?.() === 0)('a file without permission is named', async () => {
    s.picture('a.png', 1);
    chmodSync(s.at('a.png'), 0);
    await s.addRoot();
    expect((await s.scan()).failed[0]?.code).toBe('unreadable');
  });
});

describe('on macOS', () => {
  beforeEach(() => { s.close(); s = createScene({ platform: 'darwin' }); });

  test('a placeholder is never opened', async () => {
    s.picture('cloud.png', 1);
    s.picture('here.png', 2);
    put(s.at('.other.png.icloud'), 'bplist');
    s.files.setFaults([{ match: 'cloud.png', op: 'lstat', effect: 'dataless' }, { match: 'cloud.png|icloud', op: 'open', error: 'EIO' }]);
    await s.addRoot();
    const report = await s.scan();
    expect(counts(report)).toEqual({ seen: 3, indexed: 1, ignored: 2 });
    expect(s.catalog.db.prepare('SELECT path, code FROM problems ORDER BY path').all().map((r) => ({ ...r }))).toEqual([{ path: '.other.png.icloud', code: 'placeholder' }, { path: 'cloud.png', code: 'placeholder' }]);
  });

  test('a known file that the cloud took back is still there', async () => {
    s.picture('a.png', 1);
    s.picture('b.png', 2);
    await s.addRoot();
    await s.scan();
    s.files.setFaults([{ match: 'a.png', op: 'lstat', effect: 'dataless' }]);
    renameSync(s.at('b.png'), s.at('.b.png.icloud'));
    const report = await s.scan();
    expect(report.vanished).toBe(0);
    expect(counts(report)).toEqual({ seen: 2, unchanged: 1, ignored: 1 });
    expect(s.missing()).toEqual([]);
  });

  test('a refusal by the privacy settings is explained', async () => {
    s.picture('Pictures/a.png', 1);
    s.files.setFaults([{ match: 'Pictures$', op: 'list', error: 'EPERM' }]);
    await s.addRoot();
    await s.scan();
    const row = s.catalog.db.prepare('SELECT code, reason FROM problems').get();
    expect(row?.['code']).toBe('privacy');
    expect(row?.['reason']).toMatch(/System Settings/);
  });
});
