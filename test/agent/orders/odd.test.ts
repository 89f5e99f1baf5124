// Seeded loops over what single examples miss: names of every odd character, twins that differ in their case or their form alone,
// clocks that are off and jump, several orders delivered twice, at once and out of their order. On ext4, and on a real exFAT where
// one can be mounted. A seed that fails can be run again by itself.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isEnded, OrderBody, type Order, type OrderState } from '../../../protocol/orders.ts';
import { mountExfat } from '../../support/exfat.ts';
import type { Ground } from '../../support/fake-volumes.ts';
import { copyTree, indexDrives, openWorld, tryTo, XMP, type Template } from '../../support/orders-world.ts';
import { createDice, type Dice } from '../../support/random.ts';
import { createScene, png, put } from '../scan/scene.ts';

const DAY_MS = 86_400_000;
const PARTS = [' ', '.', '..', '\'', '"', '\n', '\r', '\t', '🐚', '👨‍👩‍👧', 'é', 'e\u0301', 'ß', 'İ', 'ı', '東', '\u202e', '\u200b', '\u00a0', '%', '%2f', '\\', '*', '?', ':', '|', '<b>', '&amp;', '-rf', '$(x)', '`x`', ';', '#', '~', 'CON', '\u0001', '=1+1', '{year}', '\ufffd', 'x'.repeat(60)];

/** One part of a path; what the file system does not take is left out. */
function oddName(dice: Dice): string {
  const name = dice.some(4, () => dice.pick(PARTS)).join('');
  // What begins with a dot is no picture of the owner's.
  return name.replace(/^\.+/, '').replaceAll('/', '') || 'plain';
}

/** Some twenty pictures and sidecars on two drives. */
async function makeOdd(dice: Dice, folder: string, ground: Ground | undefined): Promise<{ template: Template; hashes: string[] }> {
  const catalogFile = join(folder, 'catalog.sqlite');
  const scene = createScene({ catalogFile, ground });
  const red = scene.drives.plugIn('red');
  const folders = ['2019', oddName(dice), `${oddName(dice)}/${oddName(dice)}`];
  // Level by level: for a name that exFAT cannot hold mkdir says ENOENT, and a recursive one tries for ever.
  const makeFolder = (path: string): void => { if (!existsSync(path)) { makeFolder(dirname(path)); mkdirSync(path); } };
  const tryPut = (path: string, bytes: Uint8Array | string): boolean => tryTo(() => { makeFolder(dirname(path)); put(path, bytes); });
  for (let i = 0; i < 9; i += 1) {
    const dir = dice.pick(folders);
    const name = oddName(dice);
    if (!tryPut(join(scene.top, 'Photos', dir, `${name}${i}.png`), png(i + 1))) continue;
    if (dice.next() < 0.3) tryPut(join(scene.top, 'Photos', dir, `${name}${i}.png.xmp`), XMP);
    // Twins: one name in two cases, or in two forms; where the file system takes them for one, that one is written twice.
    if (dice.next() < 0.3) tryPut(join(scene.top, 'Photos', dir, `${name}${i}.PNG`), png(i + 101));
    if (dice.next() < 0.3) tryPut(join(scene.top, 'Photos', dir, `${name}${i}.png`.normalize(dice.pick(['NFC', 'NFD'] as const))), png(i + 201));
    if (dice.next() < 0.4) tryPut(join(red, dice.pick(['backup', dir]), `${dice.pick([name, oddName(dice)])}${i}.png`), png(i + 1));
  }
  put(join(red, 'backup/own.png'), png(301));
  await indexDrives(scene, red);
  const hashes = scene.catalog.db.prepare("SELECT DISTINCT sha256 FROM files WHERE seen_as = 'asset'").all().map((r) => String(r['sha256'])).sort();
  const template: Template = { folder: join(folder, 'template'), ground, orders: new Map() };
  mkdirSync(template.folder);
  for (const [name, mount] of [['blue', scene.top], ['red', red]] as const) copyTree(mount, join(template.folder, name));
  scene.catalog.close();
  copyFileSync(catalogFile, join(template.folder, 'catalog.sqlite'));
  scene.drives.remove();
  return { template, hashes };
}

function anyOrder(dice: Dice, hashes: readonly string[]): OrderBody {
  const some = dice.shuffle(hashes).slice(0, 1 + Math.floor(dice.next() * hashes.length));
  const volumes = dice.pick([['uuid:blue'], ['uuid:red'], ['uuid:blue', 'uuid:red']]);
  const last_copies = dice.next() < 0.5;
  switch (dice.pick(['trash', 'trash', 'restore', 'empty', 'copy', 'export', 'verify'] as const)) {
    case 'trash': return OrderBody.parse({ kind: 'trash', sha256s: some, volumes, last_copies });
    case 'restore': return OrderBody.parse({ kind: 'restore', sha256s: dice.next() < 0.5 ? null : some, volumes });
    case 'empty': return OrderBody.parse({ kind: 'empty', sha256s: dice.next() < 0.5 ? null : some, volumes, last_copies });
    case 'copy': return OrderBody.parse({ kind: 'copy', sha256s: some, volume_id: 'uuid:red', folder: dice.pick(['', 'Copies', 'backup']) });
    case 'export': return OrderBody.parse({ kind: 'export', sha256s: some, volume_id: 'uuid:red', folder: 'Export', template: dice.pick(['', '{year}/{album}', '{year}']) });
    case 'verify': return OrderBody.parse({ kind: 'verify', volume_id: dice.pick(['uuid:blue', 'uuid:red']) });
  }
}

async function runSeed(seed: number, ground: Ground | undefined): Promise<string[]> {
  const dice = createDice(seed);
  const folder = mkdtempSync(join(tmpdir(), 'jharokha-odd-'));
  try {
    const { template, hashes } = await makeOdd(dice, folder, ground);
    const clock = { offMs: dice.pick([0, -DAY_MS, DAY_MS]) };
    const world = openWorld(template, { links: dice.next() < 0.5, clock });
    try {
      const given = Array.from({ length: 2 + Math.floor(dice.next() * 4) }, () => world.orderOf(anyOrder(dice, hashes)));
      // Each at least once, some twice; by ones and twos, whatever came first; and all of them once more.
      const sent = dice.shuffle([...given, ...given.filter(() => dice.next() < 0.5)]);
      const deliver = async (orders: readonly Order[]): Promise<void> => {
        await world.orders().take(orders.map(({ order_id }) => ({ order_id, cancelled: false })), async (id) => given.find((o) => o.order_id === id) as Order);
        if (dice.next() < 0.7) await world.orders().settled();
        if (dice.next() < 0.3) clock.offMs = dice.pick([0, -DAY_MS, DAY_MS]);
      };
      while (sent.length > 0) await deliver(sent.splice(0, dice.pick([1, 2])));
      await deliver(given);
      await world.orders().settled();
      const open = given.filter((o) => !isEnded(world.state(o.order_id) as OrderState)).map((o) => `${o.body.kind} is ${world.state(o.order_id)}`);
      return [...open, ...await world.verify()];
    } finally { world.remove(); }
  } finally { rmSync(folder, { recursive: true, force: true }); }
}

async function runSeeds(first: number, count: number, ground?: Ground): Promise<string[]> {
  const wrong: string[] = [];
  for (let seed = first; seed < first + count; seed += 1) wrong.push(...(await runSeed(seed, ground)).map((line) => `seed ${seed}: ${line}`));
  return wrong;
}

const COUNT = Number(process.env['SEEDS'] ?? 30);
const FIRST = Number(process.env['SEED'] ?? 1);

test('odd names, clocks that jump, orders twice and out of order: each file is where its receipt says', async () => {
  expect(await runSeeds(FIRST, COUNT)).toEqual([]);
}, 600_000);

const exfat = mountExfat();
describe.skipIf(typeof exfat === 'string')(`on exFAT${typeof exfat === 'string' ? ` (skipped: ${exfat})` : ''}`, () => {
  afterAll(() => { if (typeof exfat !== 'string') exfat.remove(); });
  test('the same', async () => {
    if (typeof exfat !== 'string') expect(await runSeeds(FIRST + 1_000, COUNT, exfat)).toEqual([]);
  }, 600_000);
});
