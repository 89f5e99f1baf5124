// Two drives with a catalog that knows them, made once and copied for each run: orders are carried out there, and disturbed at any
// of their calls.
import { randomUUID } from 'node:crypto';
import { copyFileSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCatalog, type Catalog } from '../../agent/catalog/catalog.ts';
import { createFileAccess } from '../../agent/files/access.ts';
import { createFileChanges } from '../../agent/files/changes.ts';
import { createOrders, type Orders } from '../../agent/orders/orders.ts';
import { addRoot, scanAll } from '../../agent/pipeline/index.ts';
import { isInPackage } from '../../agent/pipeline/ignore.ts';
import { relateMarked } from '../../agent/pipeline/relate.ts';
import { sidecarsOfFolder } from '../../agent/pipeline/relate-folders.ts';
import { createVolumes } from '../../agent/volumes/volumes.ts';
import { OrderBody, type Order } from '../../protocol/orders.ts';
import { createScene, png, put, sha, type Scene } from '../agent/scan/scene.ts';
import { createFakeVolumes, type FakeVolumes, type Ground } from './fake-volumes.ts';
import { createTinyReader } from './tiny-reader.ts';
import { checkRows, watchDrives, type Watch } from './orders-check.ts';
import { standInFacts } from './orders-facts.ts';
import { hookAccess, hookCalls, hookCatalog, hookChanges, NO_HOOK, type Hook } from './orders-hooks.ts';

/** A sidecar that says little. */
export const XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"/></rdf:RDF></x:xmpmeta>';

export const DRIVES = ['blue', 'red'] as const;
export type DriveName = (typeof DRIVES)[number];

export const SCENARIOS = ['trash', 'duplicates', 'restore', 'empty', 'empty spares', 'copy', 'export', 'mend', 'verify'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** `ground`: where drives are made of them. */
export interface Templates { folder: string; ground: Ground | undefined; fresh: Template; trashed: Template; spared: Template; copying: Template; rotten: Template; remove(): void }
export interface Template { folder: string; ground: Ground | undefined; orders: Map<Scenario, OrderBody> }

/** A picture of other bytes and the same size: what a look at stats takes for the same file. */
function twinOf(seed: number): Buffer {
  const { length } = png(seed);
  for (let other = seed + 1; ; other += 1) if (png(other).length === length) return png(other);
}

/** Longer than what is read first, so that it is written in two. */
const BIG = Buffer.concat([png(12), Buffer.alloc(300_000, 3)]);

/** Other bytes under the same size and date, as a dying drive leaves them. */
export function rot(path: string): void {
  const { atime, mtime } = lstatSync(path);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1));
  utimesSync(path, atime, mtime);
}

/** The seed of a picture that is changed after it was indexed. */
const CHANGED = 3_000;

/** Makes a file that the file system may not allow; false where it does not. */
export function tryTo(work: () => void): boolean {
  try { work(); return true; } catch (error) {
    if (error instanceof Error && 'code' in error && ['EPERM', 'EINVAL', 'ENOENT', 'EIO', 'EILSEQ', 'ENAMETOOLONG'].includes(String(error.code))) return false;
    throw error;
  }
}

/** `Photos` on blue and all of red, as a scan leaves them; the catalog's file is whole. */
export async function indexDrives(scene: Scene, red: string): Promise<void> {
  await scene.addRoot('Photos');
  await addRoot(scene.ctx, red);
  await scanAll(scene.ctx);
  await relateMarked(scene.ctx);
  scene.catalog.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

/** Makes the drives as they are before each scenario. */
export async function makeTemplates(ground?: Ground): Promise<Templates> {
  const folder = mkdtempSync(join(tmpdir(), 'jharokha-orders-'));
  const file = join(folder, 'catalog.sqlite');
  const scene = createScene({ catalogFile: file, ground });
  const red = scene.drives.plugIn('red');
  const at = (path: string): string => scene.at(`Photos/${path}`);
  const identifier = 'A-B-C';
  scene.reader.facts.set('live.png', { content_identifier: identifier, mime: 'image/heic' });
  scene.reader.facts.set('live.mov', { content_identifier: identifier, kind: 'video', mime: 'video/quicktime', duration_ms: 2_000 });
  scene.reader.facts.set('pair.dng', { mime: 'image/x-adobe-dng' });
  scene.reader.facts.set('pair.png', { mime: 'image/jpeg' });
  put(at('2019/a.png'), png(1));
  put(at('2019/a.png.xmp'), XMP);
  put(join(red, 'backup/a copy.png'), png(1));
  put(at('2019/live.png'), png(2));
  put(at('2019/live.mov'), png(3));
  put(at('2019/live.aae'), '<plist/>');
  put(at('2019/pair.png'), png(4));
  put(at('2019/pair.dng'), png(5));
  put(at('2020/dup.png'), png(6));
  put(at('2020/dup again.png'), png(6));
  put(join(red, 'dup.png'), png(6));
  put(at('2020/changed.png'), png(CHANGED));
  if (!tryTo(() => { put(at('2020/-rf \n\'"🐚‮.png'), png(8)); })) put(at('2020/-rf \'🐚‮.png'), png(8));
  put(at('2020/link one.png'), png(9));
  if (!tryTo(() => { linkSync(at('2020/link one.png'), at('2019/link two.png')); })) put(at('2019/link two.png'), png(9));
  put(at('2020/stays.png'), png(10));
  put(at('2021/big.png'), BIG);
  put(at('2021/twice.png'), png(13));
  put(join(red, 'backup/twice.png'), png(13));
  put(join(red, 'red.png'), png(11));
  await indexDrives(scene, red);

  const mounts: Record<DriveName, string> = { blue: scene.top, red };
  const keep = (name: string): Template => {
    const to = join(folder, name);
    for (const drive of DRIVES) copyTree(mounts[drive], join(to, drive));
    copyFileSync(file, join(to, 'catalog.sqlite'));
    return { folder: to, ground, orders: new Map() };
  };
  const volumes = DRIVES.map((d) => `uuid:${d}`);
  const all = [1, 2, 4, 6, CHANGED, 8, 9, 11].map((seed) => sha(png(seed)));
  const trash = OrderBody.parse({ kind: 'trash', sha256s: all, volumes, last_copies: true });
  const duplicates = OrderBody.parse({
    kind: 'trash', sha256s: [sha(png(1)), sha(png(6)), sha(png(9))], volumes,
    copies: [{ volume_id: 'uuid:blue', path: 'Photos/2019/a.png' }, { volume_id: 'uuid:blue', path: 'Photos/2020/dup.png' }, { volume_id: 'uuid:blue', path: 'Photos/2020/dup again.png' }, { volume_id: 'uuid:blue', path: 'Photos/2020/link one.png' }],
  });
  // Same size and time, other bytes: only a hash can tell. So each run of these has something to put back.
  put(at('2020/changed.png'), twinOf(CHANGED));
  const fresh = keep('fresh');
  fresh.orders.set('trash', trash).set('duplicates', duplicates);

  // On the target one name is taken by another file, and one by the same.
  put(join(red, 'Copies/Photos/2020/stays.png'), png(20));
  put(join(red, 'Copies/Photos/2019/live.mov'), png(3));
  const copying = keep('copying');
  const sha256s = [...[1, 2, 4, 6, CHANGED, 8, 9, 10].map((seed) => sha(png(seed))), sha(BIG)];
  copying.orders.set('copy', OrderBody.parse({ kind: 'copy', sha256s, volume_id: 'uuid:red', folder: 'Copies' }))
    .set('export', OrderBody.parse({ kind: 'export', sha256s, volume_id: 'uuid:red', folder: 'Export', template: '{year}/{album}' }));
  rmSync(join(red, 'Copies'), { recursive: true });
  for (const path of [at('2019/a.png'), at('2020/dup.png'), at('2021/twice.png'), join(red, 'dup.png'), join(red, 'red.png')]) rot(path);
  const rotten = keep('rotten');
  const places = (volume_id: string, paths: string[]) => paths.map((path) => ({ volume_id, path }));
  rotten.orders.set('mend', OrderBody.parse({ kind: 'mend', volumes, files: [...places('uuid:blue', ['Photos/2019/a.png', 'Photos/2020/dup.png', 'Photos/2020/dup again.png', 'Photos/2021/twice.png']), ...places('uuid:red', ['dup.png', 'red.png'])] }))
    .set('verify', OrderBody.parse({ kind: 'verify', volume_id: 'uuid:blue' }));
  scene.catalog.close();
  scene.drives.remove();

  // What an order leaves is what the next one finds.
  const after = async (body: OrderBody, name: string): Promise<Template> => {
    const world = openWorld(fresh);
    await world.run(body);
    const to = join(folder, name);
    for (const drive of DRIVES) copyTree(world.mounts[drive], join(to, drive));
    world.catalog().db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    world.letGo();
    copyFileSync(world.catalogFile, join(to, 'catalog.sqlite'));
    world.remove();
    return { folder: to, ground, orders: new Map() };
  };
  const trashed = await after(trash, 'trashed');
  trashed.orders.set('restore', OrderBody.parse({ kind: 'restore', sha256s: null, volumes })).set('empty', OrderBody.parse({ kind: 'empty', sha256s: null, volumes, last_copies: true }));
  const spared = await after(OrderBody.parse({ ...trash, volumes: ['uuid:blue'] }), 'spared');
  spared.orders.set('empty spares', OrderBody.parse({ kind: 'empty', sha256s: null, volumes }));
  return { folder, ground, fresh, trashed, spared, copying, rotten, remove: () => { rmSync(folder, { recursive: true, force: true }); } };
}

export function templateOf(templates: Templates, scenario: Scenario): { template: Template; body: OrderBody } {
  for (const template of [templates.fresh, templates.trashed, templates.spared, templates.copying, templates.rotten]) {
    const body = template.orders.get(scenario);
    if (body) return { template, body };
  }
  throw new Error(`no order for ${scenario}`);
}

/** With times and hard links as they are. */
export function copyTree(from: string, to: string, links = new Map<number, string>()): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const [a, b] = [join(from, name), join(to, name)];
    const stat = lstatSync(a);
    if (stat.isDirectory()) { copyTree(a, b, links); continue; }
    const linked = stat.nlink > 1 ? links.get(stat.ino) : undefined;
    if (linked !== undefined) { linkSync(linked, b); continue; }
    links.set(stat.ino, b);
    copyFileSync(a, b);
    utimesSync(b, stat.mtimeMs / 1000, stat.mtimeMs / 1000);
  }
}

export interface World {
  drives: FakeVolumes; mounts: Record<DriveName, string>; catalogFile: string; watch: Watch; ids: string[]; links: boolean;
  catalog(): Catalog;
  /** What happens at calls from now on. */
  setHook(hook: Hook | null): void;
  orders(): Orders;
  orderOf(body: OrderBody): Order;
  /** Gives an order and waits until nothing more can be done. */
  give(order: Order): Promise<void>;
  run(body: OrderBody): Promise<string>;
  state(orderId: string): string;
  /** Everything that must hold now, after a repetition of all orders and after a scan too. */
  verify(): Promise<string[]>;
  /** The catalog is closed: another process is to use it. */
  letGo(): void;
  remove(): void;
}

let given = 0;

/** A copy of a template as drives, with its catalog. */
export function openWorld(template: Template, options: { links?: boolean; clock?: { offMs: number } } = {}): World {
  const drives = createFakeVolumes(template.ground);
  const own = mkdtempSync(join(tmpdir(), 'jharokha-orders-catalog-'));
  const mounts = {} as Record<DriveName, string>;
  for (const drive of DRIVES) {
    mounts[drive] = drives.plugIn(drive);
    copyTree(join(template.folder, drive), mounts[drive]);
  }
  const catalogFile = join(own, 'catalog.sqlite');
  copyFileSync(join(template.folder, 'catalog.sqlite'), catalogFile);
  let catalog: Catalog | undefined;
  let orders: Orders | undefined;
  let hook = NO_HOOK;
  // What stands in for a drive is a folder of a file system that keeps inodes, unless it is said to be another.
  const inodes = template.ground === undefined;
  const list = DRIVES.map((d) => ({ volume_id: `uuid:${d}`, mount_point: mounts[d] }));
  const bodies = new Map<string, Order>();
  const open = (): Catalog => catalog ??= openCatalog(catalogFile);
  const volumes = createVolumes({ testFile: drives.file });
  const world: World = {
    drives, mounts, catalogFile, links: options.links ?? true, ids: [],
    watch: watchDrives(list, open(), { inodes }),
    catalog: open,
    setHook: (next) => { hook = next ?? NO_HOOK; },
    orders: () => orders ??= createOrders({
      catalog: hookCatalog(open(), () => hook), files: hookAccess(createFileAccess(), () => hook), changes: hookChanges(createFileChanges({ calls: hookCalls(world.links, () => hook) }), () => hook), volumes,
      now: () => Date.now() + (options.clock?.offMs ?? 0), signal: new AbortController().signal, sidecarsOf: (folder) => sidecarsOfFolder(open(), folder), inPackage: isInPackage, ownFolders: [], exportFacts: standInFacts, refresh: () => undefined, onChange: () => undefined, onEnded: () => undefined, warn: () => undefined,
    }),
    orderOf: (asked) => {
      // A template's export names its folder as it lies on the drive.
      const body = asked.kind === 'export' ? { ...asked, folder: join(mounts.red, asked.folder) } : asked;
      const order: Order = { order_id: randomUUID(), given_at_ms: 1_700_000_000_000 + (given += 1), cancelled: false, body };
      bodies.set(order.order_id, order);
      world.ids.push(order.order_id);
      return order;
    },
    give: async (order) => {
      await world.orders().take([{ order_id: order.order_id, cancelled: order.cancelled }], async () => order);
      await world.orders().settled();
    },
    run: async (body) => { const order = world.orderOf(body); await world.give(order); return order.order_id; },
    state: (orderId) => String(open().db.prepare('SELECT state FROM orders WHERE order_id = ?').get(orderId)?.['state']),
    verify: async () => {
      hook = NO_HOOK;
      const wrong = world.watch.check(open());
      const before = world.watch.snapshot(open());
      for (const id of world.ids) { const order = bodies.get(id); if (order) await world.give(order); }
      if (world.watch.snapshot(open()) !== before) wrong.push('a repetition of the order changed something');
      const ctx = { files: createFileAccess(), volumes, catalog: open(), reader: createTinyReader(), now: () => Date.now(), concurrency: 2 };
      const reports = await scanAll(ctx);
      for (const r of reports) if (r.state !== 'completed') wrong.push(`the scan is ${r.state}: ${r.reason ?? ''}`);
      await relateMarked(ctx);
      wrong.push(...checkRows(list, open(), (path) => readFileSync(path).subarray(1, 4).toString('latin1') === 'PNG', { inodes }));
      return wrong;
    },
    letGo: () => { catalog?.close(); catalog = undefined; orders = undefined; },
    remove: () => { catalog?.close(); drives.remove(); rmSync(own, { recursive: true, force: true }); },
  };
  return world;
}

/** Somebody else writes other bytes over a file: in place, or as another file under its name. */
export function overwrite(path: string, inPlace: boolean, length?: number): void {
  const bytes = Buffer.from(readFileSync(path));
  const next = length === undefined ? bytes : Buffer.concat([bytes, Buffer.alloc(length, 7)]);
  next.set([(next[1] ?? 0) ^ 0x55], Math.min(1, next.length - 1));
  if (inPlace) { writeFileSync(path, next); return; }
  const aside = `${path}.new`;
  writeFileSync(aside, next);
  renameSync(aside, path);
}
