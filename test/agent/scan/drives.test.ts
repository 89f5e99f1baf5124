// Absence of a drive is never absence of a file (promise 2): drives that leave, lie, break or lose much at once.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCatalog } from '../../../agent/catalog/catalog.ts';
import { getScan, listQuestions, lastScan } from '../../../agent/catalog/scans.ts';
import { setExcludes, type Root } from '../../../agent/catalog/roots.ts';
import { listCopies } from '../../../agent/catalog/files.ts';
import { storeNextBatch } from '../../../agent/catalog/outbox.ts';
import { adoptVolume, getVolume } from '../../../agent/catalog/volumes.ts';
import { createFileAccess } from '../../../agent/files/access.ts';
import { adoptMarkedVolume } from '../../../agent/pipeline/index.ts';
import { renderPending } from '../../../agent/pipeline/render-pending.ts';
import { answerQuestion } from '../../../agent/pipeline/scan.ts';
import { MARKER_FILE } from '../../../agent/volumes/volumes.ts';
import type { ScanComplete } from '../../../protocol/rows.ts';
import { createScene, png, sha, sumOf, type Scene } from './scene.ts';

let s: Scene;
let root: Root;

async function fill(files: number): Promise<void> {
  for (let i = 1; i <= files; i += 1) s.picture(`${i % 2 ? 'odd' : 'even'}/p${String(i).padStart(3, '0')}.png`, i);
  root = await s.addRoot();
  expect((await s.scan()).counts.indexed).toBe(files);
}

beforeEach(() => { s = createScene(); });
afterEach(() => { s.close(); });

function nothingMissing(): void {
  expect(s.missing()).toEqual([]);
  const bodies = s.catalog.db.prepare('SELECT body FROM completions').all().map((r) => JSON.parse(r['body'] as string) as { missing: string[] });
  expect(bodies.flatMap((b) => b.missing)).toEqual([]);
}

describe('a drive that is not there', () => {
  test.each(['gone', 'left_empty', 'left_listed_and_empty'] as const)('unplugged before the scan, mount point %s', async (how) => {
    await fill(30);
    s.drives.unplug('blue', how);
    const report = await s.scan();
    expect(report.state).toBe(how === 'left_listed_and_empty' ? 'question' : 'stopped');
    nothingMissing();
    s.drives.replug('blue');
    expect((await s.scan()).counts).toMatchObject({ seen: 30, unchanged: 30 });
    expect(listQuestions(s.catalog)).toEqual([]);
  });

  test('a few files on an emptied mount point are asked about too, though below the threshold', async () => {
    await fill(5);
    s.drives.unplug('blue', 'left_listed_and_empty');
    const report = await s.scan();
    expect(report.question).toMatchObject({ vanished: 5, known: 5 });
    nothingMissing();
  });

  test.each(['gone', 'left_empty', 'left_listed_and_empty'] as const)('unplugged in the middle of a first scan, mount point %s', async (how) => {
    for (let i = 1; i <= 60; i += 1) s.picture(`d${i % 5}/p${i}.png`, i);
    root = await s.addRoot();
    s.reader.onQuick = () => { if (s.reader.calls.quick === 15) s.drives.unplug('blue', how); };
    const report = await s.scan();
    expect(report.state).toBe('stopped');
    expect(sumOf(report)).toBe(report.counts.seen);
    nothingMissing();
    s.reader.onQuick = null;
    s.drives.replug('blue');
    const again = await s.scan();
    expect(again.state).toBe('completed');
    expect(again.counts.seen).toBe(60);
    expect(again.counts.unchanged + again.counts.indexed).toBe(60);
    // What was read before the plug was pulled is not read again.
    expect(again.counts.unchanged).toBeGreaterThan(0);
    // No problem is left over from the moment it went.
    expect(s.catalog.db.prepare('SELECT count(*) AS n FROM problems WHERE solved = 0').get()?.['n']).toBe(0);
  });

  test('unplugged in the middle of a re-scan, by errors of the device', async () => {
    await fill(40);
    s.files.setFaults([{ match: '/odd/', op: 'lstat', error: 'EIO', after: 7 }]);
    const find = s.ctx.volumes.get;
    let asked = 0;
    s.ctx.volumes = { ...s.volumes, get: async (id) => { asked += 1; return asked > 1 ? undefined : find(id); } };
    const report = await s.scan();
    expect([report.state, report.reason]).toEqual(['stopped', 'The drive blue was unplugged.']);
    expect(report.failed).toEqual([]);
    nothingMissing();
  });

  test('another drive under the same name and mount point', async () => {
    await fill(30);
    s.drives.unplug('blue', 'left_empty');
    s.drives.swap('blue', 'uuid:other');
    s.picture('else.png', 900);
    const report = await s.scan();
    expect([report.state, report.reason]).toEqual(['stopped', 'Its drive is not connected.']);
    nothingMissing();
  });

  test('another drive takes its place during the scan', async () => {
    await fill(30);
    s.picture('odd/new.png', 500);
    s.reader.onQuick = () => { s.drives.unplug('blue', 'left_empty'); s.drives.swap('blue', 'uuid:other'); };
    const report = await s.scan();
    expect(report.state).toBe('stopped');
    nothingMissing();
    expect(lastScan(s.catalog, root.root_id)?.state).toBe('stopped');
  });

  test('the root\'s own folder is gone from a drive that is there', async () => {
    s.close();
    s = createScene();
    s.picture('pics/a.png', 1);
    root = await s.addRoot('pics');
    await s.scan();
    renameSync(s.at('pics'), s.at('elsewhere'));
    expect((await s.scan()).state).toBe('stopped');
    nothingMissing();
  });
});

describe('a drive that is there and gives trouble', () => {
  test('read errors in one folder', async () => {
    await fill(40);
    s.files.setFaults([{ match: '/odd$', op: 'list', error: 'EIO' }]);
    const report = await s.scan();
    expect(report.state).toBe('completed');
    expect(report.skipped.map((k) => k.path)).toEqual(['odd']);
    expect(report.counts).toMatchObject({ seen: 20, unchanged: 20 });
    nothingMissing();
    // Its parent cannot be listed: nor is anything below it gone.
    s.files.setFaults([{ match: `^${s.top}$`, op: 'list', error: 'EIO' }]);
    expect((await s.scan()).vanished).toBe(0);
    nothingMissing();
  });

  test('read errors of files leave them known', async () => {
    await fill(10);
    s.files.setFaults([{ match: 'p003', op: 'lstat', error: 'EIO' }]);
    const report = await s.scan();
    expect(report.failed.map((f) => [f.path, f.code])).toEqual([['odd/p003.png', 'unreadable']]);
    nothingMissing();
    expect(listCopies(s.catalog, sha(png(3))).length).toBe(1);
  });

  test('one read error after the other stops it', async () => {
    for (let i = 1; i <= 300; i += 1) s.picture(`p${i}.png`, i);
    await s.addRoot();
    s.files.setFaults([{ match: 'png$', op: 'read', error: 'EIO' }]);
    const report = await s.scan();
    expect([report.state, report.reason]).toEqual(['stopped', expect.stringContaining('one read error after the other') as string]);
    expect(report.counts.seen).toBeLessThan(300);
  });
});

test('faults for real processes come from a file that each scan reads anew', async () => {
  s.picture('a.png', 1);
  await s.addRoot();
  const faultsFile = join(s.drives.folder, 'faults.json');
  s.ctx.files = createFileAccess({ faultsFile });
  expect((await s.scan()).counts.indexed).toBe(1);
  writeFileSync(faultsFile, JSON.stringify([{ match: 'a.png', op: 'lstat', error: 'EIO' }]));
  expect((await s.scan()).failed.map((f) => f.path)).toEqual(['a.png']);
  rmSync(faultsFile);
  expect((await s.scan()).counts.unchanged).toBe(1);
});

describe('much gone at once', () => {
  test('more than the threshold: the question is asked, nothing is marked; each answer does what it says', async () => {
    await fill(60);
    rmSync(s.at('odd'), { recursive: true });
    const report = await s.scan();
    expect(report.state).toBe('question');
    expect(report.question).toMatchObject({ vanished: 30, known: 60, label: 'blue' });
    expect(report.question?.examples.length).toBe(10);
    nothingMissing();
    // Asked again, it is one question under one name: an answer on its way finds it.
    const again = await s.scan();
    expect(again.scan_id).toBe(report.scan_id);
    expect(listQuestions(s.catalog).map((q) => q.scan_id)).toEqual([again.scan_id]);
    await expect(answerQuestion(s.ctx, 'another', 'gone')).rejects.toThrow(/asks nothing/);

    expect(await answerQuestion(s.ctx, again.scan_id, 'keep')).toEqual({ marked: 0 });
    nothingMissing();
    expect((await s.scan()).state).toBe('completed');
    nothingMissing();

    // One more is gone: the kept ones and it are asked about.
    rmSync(s.at('even/p002.png'));
    const third = await s.scan();
    expect(third.question?.vanished).toBe(31);
    s.picture('odd/p001.png', 1);
    expect(await answerQuestion(s.ctx, third.scan_id, 'gone')).toEqual({ marked: 30 });
    expect(s.missing().length).toBe(30);
    expect(s.missing()).not.toContain('odd/p001.png');
    const body = JSON.parse(s.catalog.db.prepare('SELECT body FROM completions').get()?.['body'] as string) as { missing: string[]; volume_id: string };
    expect([body.volume_id, body.missing.length]).toEqual(['uuid:blue', 30]);
  });

  test('gone is not believed while the drive is away', async () => {
    await fill(60);
    rmSync(s.at('odd'), { recursive: true });
    const report = await s.scan();
    s.drives.unplug('blue');
    await expect(answerQuestion(s.ctx, report.scan_id, 'gone')).rejects.toThrow(/Plug in/);
    nothingMissing();
  });

  test('few: they are marked at once, and the Worker is told in calls of a bounded size', async () => {
    await fill(60);
    rmSync(s.at('odd/p001.png'));
    rmSync(s.at('even/p002.png'));
    const report = await s.scan();
    expect([report.state, report.marked_missing]).toEqual(['completed', 2]);
    expect(s.missing()).toEqual(['even/p002.png', 'odd/p001.png']);
    expect((await s.scan()).vanished).toBe(0);
    expect(s.catalog.db.prepare('SELECT count(*) AS n FROM completions').get()?.['n']).toBe(1);
  });

  test('a folder of many that was renamed is moved, and asks nothing', async () => {
    await fill(60);
    renameSync(s.at('odd'), s.at('renamed'));
    const report = await s.scan();
    expect([report.state, report.counts.moved, report.vanished]).toEqual(['completed', 30, 0]);
    nothingMissing();
  });
});

describe('rules', () => {
  test('a change of excludes makes nothing missing, and later what is excluded stays known', async () => {
    await fill(10);
    rmSync(s.at('even/p002.png'));
    setExcludes(s.catalog, root.root_id, ['odd/']);
    const report = await s.scan();
    expect([report.state, report.vanished, report.marked_missing]).toEqual(['completed', 1, 0]);
    expect(report.reason).toMatch(/excluded has changed/);
    nothingMissing();
    // Now the rules are as at the last complete scan: what lies in a listed folder may be marked, the excluded not.
    await s.scan();
    expect(s.missing()).toEqual(['even/p002.png']);
  });

  test('a single excluded file stays known', async () => {
    await fill(4);
    setExcludes(s.catalog, root.root_id, ['p001.png']);
    await s.scan();
    await s.scan();
    expect(s.missing()).toEqual([]);
    expect(listCopies(s.catalog, sha(png(1))).length).toBe(1);
  });
});

describe('a weak identity', () => {
  beforeEach(() => { s.close(); s = createScene({ volume: { volume_id: 'weak:blue', identity: 'weak' } }); });

  test('never marks anything missing without asking', async () => {
    await fill(300);
    rmSync(s.at('odd/p001.png'));
    const report = await s.scan();
    expect(report.question).toMatchObject({ vanished: 1 });
    nothingMissing();
    await answerQuestion(s.ctx, report.scan_id, 'gone');
    expect(s.missing()).toEqual(['odd/p001.png']);
  });

  test('becomes lasting by a marker that the owner allowed; what was known goes along', async () => {
    await fill(10);
    s.catalog.db.exec('UPDATE files SET pushed_revision = revision');
    const marked = await s.volumes.allowMarker('weak:blue');
    expect(marked.identity).toBe('marker');
    expect(marked.volume_id).toBe(`marker:${(JSON.parse(readFileSync(s.at(MARKER_FILE), 'utf8')) as { id: string }).id}`);
    adoptMarkedVolume(s.ctx, 'weak:blue', marked);
    const calls = s.reader.calls.identify;
    const report = await s.scan();
    expect(report.volume_id).toBe(marked.volume_id);
    // The marker itself is the one file more.
    expect(report.counts).toMatchObject({ seen: 11, unchanged: 10, ignored: 1 });
    expect(s.reader.calls.identify).toBe(calls);
    const bodies = s.catalog.db.prepare('SELECT body FROM completions').all().map((r) => JSON.parse(r['body'] as string) as { volume_id: string; moved_from: string[] });
    expect(bodies.map((b) => [b.volume_id, b.moved_from.length])).toEqual([['weak:blue', 10]]);
    expect(await s.volumes.get('weak:blue')).toBeUndefined();
    expect(storeNextBatch(s.catalog, { agentId: 'a', epoch: 'e', seq: 1, homeZone: 'UTC' }, false)?.body).toContain('"replaces":"weak:blue"');
  });

  test('keeps what is missing missing, and tells so under the new identity', async () => {
    await fill(10);
    rmSync(s.at('odd/p001.png'));
    await answerQuestion(s.ctx, (await s.scan()).scan_id, 'gone');
    s.catalog.db.exec('DELETE FROM completions');
    const marked = await s.volumes.allowMarker('weak:blue');
    adoptMarkedVolume(s.ctx, 'weak:blue', marked);
    expect((await s.scan()).question).toBeNull();
    expect(s.missing()).toEqual(['odd/p001.png']);
    const told = s.catalog.db.prepare('SELECT c.body, s.volume_id, s.state FROM completions c JOIN scans s USING (scan_id) ORDER BY c.id').all().map((r) => ({ ...JSON.parse(r['body'] as string) as ScanComplete, scanned: r['volume_id'], state: r['state'] }));
    expect(told).toMatchObject([{ volume_id: 'weak:blue', scanned: 'weak:blue', state: 'completed', missing: [] }, { volume_id: marked.volume_id, scanned: marked.volume_id, state: 'completed', missing: ['odd/p001.png'], moved_from: [] }]);
    expect(told[0]?.moved_from).toHaveLength(10);
  });

  test('can be replaced in a catalog from before there was such a thing', async () => {
    await fill(2);
    const folder = mkdtempSync(join(tmpdir(), 'jharokha-catalog-'));
    try {
      s.catalog.db.exec(`VACUUM INTO '${join(folder, 'old.db')}'`);
      const old = new DatabaseSync(join(folder, 'old.db'));
      old.exec('ALTER TABLE volumes DROP COLUMN replaces');
      old.close();
      const catalog = openCatalog(join(folder, 'old.db'));
      const before = getVolume(catalog, 'weak:blue');
      if (!before) throw new Error('the volume is lost');
      adoptVolume(catalog, 'weak:blue', { ...before, volume_id: 'marker:blue', identity: 'marker' }, 1, 100);
      expect(catalog.db.prepare('SELECT volume_id, replaces FROM volumes').all()).toEqual([{ volume_id: 'marker:blue', replaces: 'weak:blue' }]);
      catalog.close();
    } finally { rmSync(folder, { recursive: true, force: true }); }
  });

  test('a completion that waits keeps the identity that it was made under', async () => {
    await fill(10);
    rmSync(s.at('odd/p001.png'));
    const { scan_id } = await s.scan();
    await answerQuestion(s.ctx, scan_id, 'gone');
    adoptMarkedVolume(s.ctx, 'weak:blue', await s.volumes.allowMarker('weak:blue'));
    expect(getScan(s.catalog, scan_id)?.volume_id).toBe('weak:blue');
  });
});

describe('the second phase', () => {
  test('finishes what the first left, and stops at nothing but what cannot be made', async () => {
    s.picture('a-later.png', 1);
    s.picture('b-norest.png', 2);
    s.picture('c.png', 3);
    await s.addRoot();
    await s.scan();
    const versions = (): unknown => s.catalog.db.prepare('SELECT grid_version AS g, preview_version AS p FROM assets ORDER BY sha256 = ? DESC, sha256 = ? DESC').all(sha(png(1)), sha(png(2))).map((r) => [r['g'], r['p']]);
    expect(versions()).toEqual([[1, 0], [1, 0], [2, 2]]);
    expect(await renderPending(s.ctx)).toEqual({ rendered: 1, failed: 1, away: 0 });
    expect(versions()).toEqual([[2, 2], [-1, -1], [2, 2]]);
    const facts = JSON.parse(s.catalog.db.prepare('SELECT facts FROM assets WHERE sha256 = ?').get(sha(png(2)))?.['facts'] as string) as { problems: unknown[] };
    expect(facts.problems).toEqual([{ code: 'decoder_crashed', reason: 'The decoder crashed on it.' }]);
    expect(await renderPending(s.ctx)).toEqual({ rendered: 0, failed: 0, away: 0 });
    expect(s.reader.calls.rest).toBe(2);
    for (const row of s.catalog.db.prepare('SELECT sha256, bytes FROM spool').all()) expect(sha(row['bytes'] as Uint8Array)).toBe(row['sha256']);
  });

  test('a drive that is away leaves it for later; another copy in reach will do', async () => {
    s.picture('a-later.png', 1);
    s.picture('b-later.png', 2);
    const red = s.drives.plugIn('red');
    mkdirSync(join(red, 'x'));
    await s.addRoot();
    await s.scan();
    s.drives.unplug('blue');
    expect(await renderPending(s.ctx)).toEqual({ rendered: 0, failed: 0, away: 2 });
    s.drives.replug('blue');
    expect(await renderPending(s.ctx)).toEqual({ rendered: 2, failed: 0, away: 0 });
  });

  test('a file that is another one now is not rendered under the old hash', async () => {
    s.picture('a-later.png', 1);
    await s.addRoot();
    await s.scan();
    s.picture('a-later.png', 0x010001);
    expect(await renderPending(s.ctx)).toMatchObject({ rendered: 0, failed: 0, away: 1 });
    // Even where size and mtime lie: the bytes are hashed.
    s.picture('a-later.png', 2, 1_600_000_001);
    s.catalog.db.exec('UPDATE files SET inode = NULL');
    s.catalog.db.prepare('UPDATE files SET size_bytes = ?').run(png(2).length);
    expect(await renderPending(s.ctx)).toMatchObject({ rendered: 0, failed: 0, away: 1 });
    expect(s.reader.calls.rest).toBe(0);
  });

  test('unplugged in the middle: what is left is made when it is back', async () => {
    for (let i = 1; i <= 20; i += 1) s.picture(`p${i}-later.png`, i);
    await s.addRoot();
    await s.scan();
    const { rest } = s.reader;
    s.reader.rest = async (source, facts) => { if (s.reader.calls.rest === 8) s.drives.unplug('blue'); return rest(source, facts); };
    const report = await renderPending(s.ctx);
    expect(report.rendered + report.away).toBe(20);
    expect(report.failed).toBe(0);
    expect(report.away).toBeGreaterThan(0);
    s.reader.rest = rest;
    s.drives.replug('blue');
    expect((await renderPending(s.ctx)).rendered).toBe(report.away);
  });
});
