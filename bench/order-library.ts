// What the benches of orders share: files of the sizes that cameras write, on a folder that stands in for a drive, known to a catalog
// on disk as a scan would leave it. Their bytes are noise: nothing here decodes them.
import { spawnSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCatalog, type Catalog } from '../agent/catalog/catalog.ts';
import { putFile } from '../agent/catalog/files.ts';
import { putRoot } from '../agent/catalog/roots.ts';
import { putVolume } from '../agent/catalog/volumes.ts';
import { createFileAccess } from '../agent/files/access.ts';
import { createFileChanges } from '../agent/files/changes.ts';
import { seededRandom } from '../agent/files/faults.ts';
import { createOrders, type OrdersOptions } from '../agent/orders/orders.ts';
import { createVolumes } from '../agent/volumes/volumes.ts';
import type { OrderBody, Outcome } from '../protocol/orders.ts';

const SMALLEST_BYTES = 2_000_000;
const LARGEST_BYTES = 12_000_000;
/** Of the disk's free room, for the files and their copies. */
const SHARE_OF_DISK = 0.3;

export interface BenchLibrary { base: string; volumeId: string; top: string; paths: string[]; sha256s: string[]; bytes: number; catalog: Catalog; context(): OrdersOptions; remove(): void }

export async function makeLibrary(wanted: number): Promise<BenchLibrary> {
  const base = realpathSync(mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'jharokha-orders-bench-')));
  const { bavail, bsize } = statfsSync(base);
  const count = Math.min(wanted, Math.floor(bavail * bsize * SHARE_OF_DISK / ((SMALLEST_BYTES + LARGEST_BYTES) / 2)));
  const top = join(base, 'drive');
  mkdirSync(top);
  const volumesFile = join(base, 'volumes.json');
  writeFileSync(volumesFile, JSON.stringify([{ volume_id: 'uuid:bench', label: 'bench', mount_point: top, fs_type: 'ext4', removable: true }]));
  const volumes = createVolumes({ testFile: volumesFile });
  const catalog = openCatalog(join(base, 'catalog.db'));
  const volume = await volumes.get('uuid:bench');
  if (!volume) throw new Error('the bench has no drive');
  putVolume(catalog, volume);
  putRoot(catalog, volume.volume_id, '');
  const random = seededRandom(1);
  const noise = randomFillSync(Buffer.alloc(LARGEST_BYTES));
  const library: BenchLibrary = {
    base, volumeId: volume.volume_id, top, paths: [], sha256s: [], bytes: 0, catalog,
    context: () => ({
      catalog, files: createFileAccess(), changes: createFileChanges(), volumes, now: () => Date.now(), signal: new AbortController().signal, sidecarsOf: () => new Map(), inPackage: () => false, ownFolders: [],
      exportFacts: (sha256s) => Promise.resolve({ items: sha256s.map((sha256) => ({ sha256, taken_at: '2021-03-04T05:06:07', taken_at_source: 'exif_original' as const, utc_offset_minutes: 60, latitude: 44.17, longitude: 9.61, description: 'Harbour', favourite: true, rating: 4, tags: ['sea'], people: ['Zoë'], albums: ['Album'], camera: 'Camera', name: null })) }),
      onChange: () => {}, refresh: () => {}, onEnded: () => {}, warn: (line) => { throw new Error(line); },
    }),
    remove: () => { catalog.close(); rmSync(base, { recursive: true, force: true }); },
  };
  catalog.transact(() => {
    for (let i = 0; i < count; i += 1) {
      const dir = `2020/${Math.floor(i / 200)}`;
      const bytes = noise.subarray(0, SMALLEST_BYTES + Math.floor(random() * (LARGEST_BYTES - SMALLEST_BYTES)));
      bytes.writeUInt32BE(i, 0);
      mkdirSync(join(top, dir), { recursive: true });
      const path = join(top, dir, `IMG_${i}.jpg`);
      writeFileSync(path, bytes);
      const stat = lstatSync(path);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      putFile(catalog, {
        volume_id: volume.volume_id, dir, name: `IMG_${i}.jpg`, size_bytes: stat.size, mtime_ms: stat.mtimeMs, ctime_ms: stat.ctimeMs, birth_ms: stat.birthtimeMs, fs_id: volume.fs_id, inode: String(stat.ino),
        seen_as: 'asset', sha256, in_package: false, racy: false, read_version: 1, time_claims: [], missing_since_ms: null,
      });
      library.paths.push(path);
      library.sha256s.push(sha256);
      library.bytes += bytes.length;
    }
  });
  spawnSync('sync');
  return library;
}

/** Milliseconds that an order takes, from its plan to its last receipt. Throws where a file came to anything but `outcome`. */
export async function carryOut(library: BenchLibrary, round: number, body: OrderBody, outcome: Outcome): Promise<number> {
  const orders = createOrders(library.context());
  const id = `00000000-0000-4000-8000-${String(round).padStart(12, '0')}`;
  const started = performance.now();
  await orders.take([{ order_id: id, cancelled: false }], () => Promise.resolve({ order_id: id, given_at_ms: round, cancelled: false, body }));
  await orders.settled();
  const took = performance.now() - started;
  const bad = library.catalog.db.prepare('SELECT count(*) AS n FROM order_steps WHERE order_id = ? AND outcome IS NOT ?').get(id, outcome)?.['n'];
  if (bad !== 0) throw new Error(`of ${String(bad)} files something else became than ${outcome}`);
  return took;
}

/** With BENCH_COLD=1: what follows is read from the disk. */
export function dropCaches(): void {
  if (process.env['BENCH_COLD'] !== '1') return;
  spawnSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

export function median(values: readonly number[]): number { return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN; }
