// Plans: what goes with what, what stays, what is counted, and that it is told in the time of a breath.
import { linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planOrder } from '../../../agent/orders/plan.ts';
import { addRoot } from '../../../agent/pipeline/index.ts';
import { sidecarsOfFolder } from '../../../agent/pipeline/relate-folders.ts';
import { OrderBody, type OrderOf } from '../../../protocol/orders.ts';
import { XMP } from '../../support/orders-world.ts';
import { png, put } from '../scan/scene.ts';
import { createOrdersScene, hash, type OrdersScene } from './orders-scene.ts';

let s: OrdersScene;
beforeEach(() => { s = createOrdersScene(); });
afterEach(() => { s.close(); });

/** Units of the plan, each as its paths. */
function units(draft: Parameters<OrdersScene['body']>[0]): string[][] {
  const { steps } = planOrder({ catalog: s.catalog, sidecarsOf: (folder) => sidecarsOfFolder(s.catalog, folder) }, 'id', s.body(draft) as OrderOf<'trash'>);
  const out: string[][] = [];
  for (const step of steps) (out[step.unit] ??= []).push(`${step.path}${step.outcome ? ` ${step.outcome}` : ''}`);
  return out.map((u) => u.sort());
}

async function plugInRed(): Promise<string> {
  const red = s.drives.plugIn('red');
  s.all.push('uuid:red');
  mkdirSync(join(red, 'x'), { recursive: true });
  await addRoot(s.ctx, red);
  return red;
}

function live(...names: string[]): void {
  for (const name of names) s.reader.facts.set(name, { content_identifier: 'L', ...(name.endsWith('.mov') ? { kind: 'video' as const, mime: 'video/quicktime', duration_ms: 2_000 } : { mime: 'image/heic' }) });
}

describe('what goes', () => {
  test('a Live Photo goes whole, whichever half is asked for, with its sidecars', async () => {
    live('l.png', 'l.mov');
    s.picture('l.png', 1);
    s.picture('l.mov', 2);
    put(s.at('l.aae'), '<plist/>');
    put(s.at('l.png.xmp'), XMP);
    await s.addRoot();
    await s.index();
    const whole = [['l.aae', 'l.mov', 'l.png', 'l.png.xmp']];
    expect(units({ kind: 'trash', sha256s: [hash(1)] })).toEqual(whole);
    expect(units({ kind: 'trash', sha256s: [hash(2)] })).toEqual(whole);
    expect(units({ kind: 'trash', sha256s: [hash(2), hash(1)] })).toEqual(whole);
    expect(await s.plan({ kind: 'trash', sha256s: [hash(2)] })).toMatchObject({ assets: 2, files: 2, sidecars: 2, last_copies: 2, away: [], blocked: null });
  });

  test('a RAW pair goes whole, and in each folder by itself', async () => {
    s.reader.facts.set('p.dng', { mime: 'image/x-adobe-dng' });
    s.reader.facts.set('p.png', { mime: 'image/jpeg' });
    for (const dir of ['a', 'b']) { s.picture(`${dir}/p.png`, 1); s.picture(`${dir}/p.dng`, 2); }
    await s.addRoot();
    await s.index();
    expect(units({ kind: 'trash', sha256s: [hash(2)] })).toEqual([['a/p.dng', 'a/p.png'], ['b/p.dng', 'b/p.png']]);
  });

  test('a shared sidecar stays while one of its files stays, and makes one unit of those that go', async () => {
    s.picture('IMG_1.png', 1);
    s.picture('IMG_1.jpg', 2);
    s.picture('IMG_1.dng', 3);
    put(s.at('IMG_1.xmp'), XMP);
    await s.addRoot();
    await s.index();
    expect(units({ kind: 'trash', sha256s: [hash(1)] })).toEqual([['IMG_1.png']]);
    expect(units({ kind: 'trash', sha256s: [hash(1), hash(2)] }).flat()).not.toContain('IMG_1.xmp');
    expect(units({ kind: 'trash', sha256s: [hash(1), hash(2), hash(3)] })).toEqual([['IMG_1.dng', 'IMG_1.jpg', 'IMG_1.png', 'IMG_1.xmp']]);
  });

  test('a Takeout sidecar goes with its picture and its edited copy', async () => {
    s.picture('T.png', 1);
    s.picture('T-edited.png', 2);
    put(s.at('T.png.json'), JSON.stringify({ title: 'T.png', photoTakenTime: { timestamp: '1500000000' } }));
    await s.addRoot();
    await s.index();
    expect(units({ kind: 'trash', sha256s: [hash(1)] })).toEqual([['T.png']]);
    expect(units({ kind: 'trash', sha256s: [hash(1), hash(2)] })).toEqual([['T-edited.png', 'T.png', 'T.png.json']]);
  });

  test('paths of one file are one file', async () => {
    s.picture('a/one.png', 1);
    mkdirSync(s.at('b'));
    linkSync(s.at('a/one.png'), s.at('b/two.png'));
    await s.addRoot();
    await s.index();
    expect(units({ kind: 'trash', sha256s: [hash(1)] })).toEqual([['a/one.png'], ['b/two.png']]);
    expect(await s.plan({ kind: 'trash', sha256s: [hash(1)] })).toMatchObject({ assets: 1, files: 1, bytes: png(1).length, last_copies: 1, drives: [{ volume_id: 'uuid:blue', files: 1 }] });
    // In the trash too.
    await s.give({ kind: 'trash', sha256s: [hash(1)], last_copies: true });
    expect(await s.plan({ kind: 'empty' })).toMatchObject({ assets: 1, files: 1, last_copies: 1 });
  });

  test('other programs’ libraries take no orders', async () => {
    s.picture('Lib.photoslibrary/originals/0/x.png', 1);
    s.picture('out.png', 1);
    await s.addRoot();
    await s.index();
    expect(units({ kind: 'trash', sha256s: [hash(1)] })).toEqual([['out.png'], ['Lib.photoslibrary/originals/0/x.png refused']]);
    expect(await s.plan({ kind: 'trash', sha256s: [hash(1)] })).toMatchObject({ files: 1, last_copies: 0, refused: { total: 1, files: [{ path: 'Lib.photoslibrary/originals/0/x.png' }] } });
    const watch = s.watch();
    const id = await s.give({ kind: 'trash', sha256s: [hash(1)] });
    expect(s.outcomes(id)).toEqual({ 'Lib.photoslibrary/originals/0/x.png': 'refused', 'out.png': 'trashed' });
    expect(await s.wrong(watch)).toEqual([]);
  });
});

describe('what is counted', () => {
  test('a copy on a drive that is away stays, is named, and counts; a missing one does not', async () => {
    const red = await plugInRed();
    s.picture('a.png', 1);
    s.picture('gone.png', 2);
    s.picture('gone too.png', 2);
    put(join(red, 'a.png'), png(1));
    await s.addRoot();
    await s.index();
    s.catalog.db.exec("UPDATE files SET missing_since_ms = 1 WHERE name = 'gone too.png'");
    s.drives.unplug('red');
    const plan = await s.plan({ kind: 'trash', sha256s: [hash(1), hash(2)], volumes: ['uuid:blue'] });
    expect(plan).toMatchObject({ files: 2, last_copies: 1, away: [{ volume_id: 'uuid:red', label: 'red', files: 1 }] });
  });

  test('chosen copies alone go; what belongs to them goes where no copy of them stays', async () => {
    live('l.png', 'l copy.png', 'l.mov');
    s.picture('a/l.png', 1);
    s.picture('a/l copy.png', 1);
    s.picture('a/l.mov', 2);
    s.picture('b/l.png', 1);
    s.picture('b/l.mov', 2);
    await s.addRoot();
    await s.index();
    const copies = (...paths: string[]) => paths.map((path) => ({ volume_id: 'uuid:blue', path }));
    expect(units({ kind: 'trash', sha256s: [hash(1)], copies: copies('b/l.png') })).toEqual([['b/l.mov', 'b/l.png']]);
    expect(units({ kind: 'trash', sha256s: [hash(1)], copies: copies('a/l copy.png') })).toEqual([['a/l copy.png']]);
    expect(units({ kind: 'trash', sha256s: [hash(1)], copies: copies('a/l copy.png', 'a/l.png') })).toEqual([['a/l copy.png', 'a/l.mov', 'a/l.png']]);
  });

  test('nothing is planned for what nobody knows', async () => {
    expect(await s.plan({ kind: 'trash', sha256s: ['0'.repeat(64)] })).toMatchObject({ files: 0, assets: 0, last_copies: 0 });
    expect(await s.plan({ kind: 'restore' })).toMatchObject({ files: 0 });
  });
});

describe('where it goes', () => {
  test('into a folder at the top of the outermost root', async () => {
    s.picture('Photos/2019/in/a.png', 1);
    s.picture('Photos/b.png', 2);
    await s.addRoot('Photos/2019');
    await s.addRoot('Photos');
    await s.index();
    await s.give({ kind: 'trash', sha256s: [hash(1), hash(2)], last_copies: true });
    const paths = s.catalog.db.prepare('SELECT trash_path FROM trash').all().map((r) => String(r['trash_path']));
    expect(paths.every((p) => /^Photos\/\.jharokha-trash\/[0-9a-f-]{36}\/\d\/[ab]\.png$/.test(p)), String(paths)).toBe(true);
  });

  test('of a whole volume: at its top, from its top', async () => {
    s.picture('top.png', 1);
    s.picture('Photos/b.png', 2);
    await s.addRoot();
    await s.addRoot('Photos');
    await s.index();
    const watch = s.watch();
    await s.give({ kind: 'trash', sha256s: [hash(1), hash(2)], last_copies: true });
    expect(s.catalog.db.prepare("SELECT count(*) AS n FROM trash WHERE trash_path LIKE '.jharokha-trash/%'").get()).toEqual({ n: 2 });
    expect(await s.wrong(watch)).toEqual([]);
    await s.give({ kind: 'restore' });
    expect(await s.wrong(watch)).toEqual([]);
  });
});

describe('thousands', () => {
  /** Rows as a scan would have written them, with a sidecar each. */
  function fill(count: number, folders: number): string[] {
    const hashes = Array.from({ length: count }, (_, i) => i.toString(16).padStart(64, '0'));
    s.catalog.transact(() => {
      const row = s.catalog.db.prepare("INSERT INTO files (volume_id, dir, name, size_bytes, mtime_ms, ctime_ms, birth_ms, fs_id, inode, seen_as, sha256, read_version, added_revision, revision) VALUES ('uuid:blue', ?, ?, 9, 1, 1, 1, 'f', ?, ?, ?, 1, 1, 1)");
      hashes.forEach((sha256, i) => {
        row.run(`d${i % folders}`, `${i}.png`, String(i), 'asset', sha256);
        row.run(`d${i % folders}`, `${i}.png.xmp`, null, 'sidecar', null);
      });
    });
    return hashes;
  }
  const sidecarsOf = (folder: { dir: string }): Map<string, string[]> => new Map(s.catalog.db.prepare("SELECT name FROM files WHERE dir = ? AND seen_as = 'asset'").all(folder.dir).map((r) => [String(r['name']), [`${String(r['name'])}.xmp`]]));

  /** Seconds of a core, whatever else it has to do. */
  const cpuOf = (work: () => void): number => { const before = process.cpuUsage(); work(); const { user, system } = process.cpuUsage(before); return (user + system) / 1e6; };

  test.each([[1], [500]])('with a sidecar each in %i folders take no longer for each the more they are', (folders) => {
    const of = (count: number): number => {
      const body = OrderBody.parse({ kind: 'trash', sha256s: fill(count, folders), volumes: ['uuid:blue'] }) as OrderOf<'trash'>;
      let planned: ReturnType<typeof planOrder> | undefined;
      const cpu = cpuOf(() => { planned = planOrder({ catalog: s.catalog, sidecarsOf }, 'id', body); });
      expect(planned?.plan).toMatchObject({ files: count, sidecars: count, last_copies: count });
      expect(planned?.steps).toHaveLength(2 * count);
      return cpu;
    };
    const few = of(2_500);
    s.catalog.db.exec('DELETE FROM files');
    const many = of(20_000);
    // Eight times as many: what grows with the square takes 64 times.
    expect(many / few).toBeLessThan(24);
  });
});
