// The made libraries of bench timeline: 10k, 100k and 1M assets with one huge month and one huge day, all facts, and a picture
// for every asset. Written straight into the files of D1 and R2, kept in the system's temporary folder for the next time.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import sharp from 'sharp';
import { cellOf } from '../protocol/place.ts';
import { renditionKey } from '../protocol/rendition.ts';
import { GRID_VERSION, PREVIEW_VERSION } from '../protocol/versions.ts';
import { ratioChar } from '../protocol/layout.ts';
import { madeHash, mix } from '../test/vectors/make-vectors.ts';
import { startWorker } from './start-worker.ts';

export interface Library { size: number; bigMonth: { month: number; count: number }; bigDay: { day: number; count: number } }
/** A month and a day of those sizes where they fit; in the smallest the same shares of it. */
export const LIBRARIES: Record<string, Library> = Object.fromEntries(([['10k', 10_000, 4_000, 1_200], ['100k', 100_000, 70_000, 20_000], ['1m', 1_000_000, 70_000, 20_000]] as const)
  .map(([name, size, month, day]) => [name, { size, bigMonth: { month: 201807, count: month }, bigDay: { day: 20210612, count: day } }]));

const FIRST_YEAR = 2005;
const MONTHS = 252;
/** As phones and cameras make them; now and then a panorama, a screenshot's strip, or no size at all. */
const SHAPES: [width: number, height: number, weight: number][] = [[4032, 3024, 45], [3024, 4032, 25], [1920, 1080, 10], [1080, 1920, 6], [6000, 4000, 8], [3000, 3000, 4], [12_000, 600, 1], [600, 4000, 1]];
const PICTURES_PER_SHAPE = 8;
const CITIES = [['IT', 'Italy', 'Liguria', 'Levanto'], ['IN', 'India', 'Goa', 'Panaji'], ['JP', 'Japan', 'Kyoto', 'Kyoto'], ['PT', 'Portugal', 'Lisboa', 'Lisbon'], ['PE', 'Peru', 'Cusco', 'Cusco']] as const;
const SEED_VERSION = 3;

/** Wall time of asset `i`, as ms: the huge month, the huge day, and the rest evenly over twenty-one years, on six days a month. */
function wallOf(library: Library, i: number): number {
  const { size, bigMonth, bigDay } = library;
  const r = mix(i, 11);
  if (i < bigMonth.count) return Date.UTC(Math.floor(bigMonth.month / 100), (bigMonth.month % 100) - 1, 1 + (r % 31), 0, 0, mix(i, 12) % 86_400);
  if (i < bigMonth.count + bigDay.count) return Date.UTC(Math.floor(bigDay.day / 10_000), (Math.floor(bigDay.day / 100) % 100) - 1, bigDay.day % 100, 0, 0, mix(i, 12) % 86_400);
  const month = Math.floor(((i - bigMonth.count - bigDay.count) / (size - bigMonth.count - bigDay.count)) * MONTHS);
  return Date.UTC(FIRST_YEAR + Math.floor(month / 12), month % 12, 1 + (mix(month, r % 6) % 28), 0, 0, mix(i, 12) % 86_400);
}
function shapeOf(i: number): number {
  let at = mix(i, 13) % SHAPES.reduce((sum, [, , weight]) => sum + weight, 0);
  return SHAPES.findIndex(([, , weight]) => { at -= weight; return at < 0; });
}

/** The folder of a library, made where it is not there yet. Keyed by size and by everything that its rows depend on. */
export async function seededFolder(name: string): Promise<string> {
  const library = LIBRARIES[name];
  if (!library) throw new Error(`There is no library ${name}: ${Object.keys(LIBRARIES).join(', ')}.`);
  const hash = createHash('sha256').update(`${SEED_VERSION} ${JSON.stringify(library)} ${GRID_VERSION} ${PREVIEW_VERSION}`);
  for (const file of [...readdirSync('migrations').filter((each) => each.endsWith('.sql')).sort().map((each) => join('migrations', each)), 'worker/store/buckets.ts']) hash.update(readFileSync(file));
  const folder = join(tmpdir(), `jharokha-bench-timeline-${name}-${hash.digest('hex').slice(0, 10)}`);
  if (existsSync(folder)) return folder;
  const part = `${folder}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  const began = performance.now();
  const blobs = await drawPictures(part);
  writeRows(part, library);
  await rebuildAll(part);
  writeObjects(part, blobs, library);
  await rename(part, folder);
  console.log(`made ${folder} in ${((performance.now() - began) / 1000).toFixed(0)} s; delete it to have it made anew`);
  return folder;
}

/** Migrations, and a few real pictures of every shape, over the Worker's own D1 and R2. */
async function drawPictures(folder: string): Promise<Set<string>> {
  const worker = await startWorker({ folder });
  const bucket = await worker.mf.getR2Bucket('RENDITIONS', 'jharokha');
  const blobs = new Set<string>();
  for (const [s, [width, height]] of SHAPES.entries()) {
    for (let p = 0; p < PICTURES_PER_SHAPE; p += 1) {
      const ratio = width / height;
      const out = { width: Math.round(Math.min(1320, 440 * ratio)), height: Math.round(Math.min(440, 1320 / ratio)) };
      // Grain, so that it weighs and decodes like a photograph.
      const hue = (s * 67 + p * 41) % 360;
      const svg = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${out.width}" height="${out.height}"><defs><linearGradient id="a" x2="1" y2="1"><stop stop-color="hsl(${hue} 60% 40%)"/><stop offset="1" stop-color="hsl(${(hue + 80) % 360} 70% 75%)"/></linearGradient><filter id="n"><feTurbulence baseFrequency=".${3 + (p % 5)}" numOctaves="3" seed="${s * 9 + p}"/><feColorMatrix values="0 0 0 0 .5 0 0 0 0 .5 0 0 0 0 .5 0 0 0 .5 0"/></filter></defs><rect width="100%" height="100%" fill="url(#a)"/><rect width="100%" height="100%" filter="url(#n)"/></svg>`);
      const key = `pool/${s}-${p}`;
      await bucket.put(key, await sharp(svg).webp({ quality: 78, effort: 2 }).toBuffer());
      blobs.add(key);
    }
  }
  await worker.stop();
  return blobs;
}

/** The one SQLite file of an object class in a folder of Miniflare's. */
function fileOf(folder: string, kind: string): string {
  const dir = join(folder, kind);
  const name = readdirSync(dir).find((each) => each.endsWith('.sqlite') && each !== 'metadata.sqlite');
  if (!name) throw new Error(`No database in ${dir}: Miniflare keeps it elsewhere now.`);
  return join(dir, name);
}

function writeRows(folder: string, library: Library): void {
  const db = new DatabaseSync(fileOf(folder, 'd1/miniflare-D1DatabaseObject'));
  db.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN');
  const insert = (table: string, row: object) => db.prepare(`INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${Object.keys(row).map((column) => `:${column}`).join(', ')})`);
  const cells = Array.from({ length: 500 }, (_, c) => ({ c, latitude: 10 + c / 1000, longitude: 20, cell: cellOf(10 + c / 1000, 20) }));
  for (const { c, cell } of cells) {
    const [code, country, region, city] = CITIES[c % CITIES.length] ?? CITIES[0];
    db.prepare('INSERT INTO places (cell, rank, source, city, region, country, country_code, distance_m) VALUES (?, 1, ?, ?, ?, ?, ?, 100)').run(cell, 'offline', city, region, country, code);
  }
  db.prepare("INSERT INTO volumes (volume_id, revision, agent_id, identity, label, fs_type, capacity_bytes, free_bytes, read_only, first_seen_ms, last_seen_ms) VALUES ('uuid:B', 1, 'bench', 'uuid', 'Blue SSD', 'apfs', 4e12, 1e12, 0, 1, 1)").run();
  db.prepare("INSERT INTO roots (root_id, revision, volume_id, path, excludes, removed) VALUES ('r1', 1, 'uuid:B', 'Pictures', '[]', 0)").run();
  const asset = { asset_id: 0, sha256: '', revision: 0, kind: 'image', mime: 'image/jpeg', size_bytes: 3_000_000, width: 0 as number | null, height: 0 as number | null, color: '', camera: '', latitude: 0 as number | null, longitude: 0 as number | null, time_claims: '', problems: '[]', facts_version: 1, grid_version: GRID_VERSION, preview_version: 0, added_at_ms: 1 };
  const item = { asset_id: 0, sha256: '', kind: 'image', width: 0 as number | null, height: 0 as number | null, ratio: '', color: '', grid_version: GRID_VERSION, preview_version: 0, taken_at: '', taken_at_source: 'exif_original', doubtful: 0, sort_ms: 0, month: 0, day: 0, shown: 1, latitude: 0 as number | null, longitude: 0 as number | null, cell: null as string | null };
  const location = { volume_id: 'uuid:B', path: '', revision: 0, sha256: '', size_bytes: 3_000_000, mtime_ms: 0, in_package: 0 };
  const [putAsset, putItem, putLocation] = [insert('assets', asset), insert('timeline_items', item), insert('locations', location)];
  for (let i = 0; i < library.size; i += 1) {
    const sha256 = madeHash(i);
    const ms = wallOf(library, i);
    const wall = new Date(ms).toISOString().slice(0, 19);
    const unknown = mix(i, 14) % 400 === 0;
    const [w, h] = SHAPES[shapeOf(i)] ?? [1, 1];
    const [width, height] = unknown ? [null, null] : [w, h];
    const place = mix(i, 15) % 3 === 0 ? undefined : cells[mix(Math.floor(i / 40), 16) % cells.length];
    const color = `#${(mix(i, 17) & 0x7f7f7f | 0x404040).toString(16).padStart(6, '0')}`;
    const at = { latitude: place?.latitude ?? null, longitude: place?.longitude ?? null };
    putAsset.run({ ...asset, ...at, asset_id: i + 1, sha256, revision: i * 2 + 1, width, height, color, camera: `Camera ${i % 6}`, time_claims: JSON.stringify([{ source: 'exif_original', wall, utc_ms: null, offset_minutes: 120, offset_source: 'exif' }]) });
    putItem.run({ ...item, ...at, asset_id: i + 1, sha256, width, height, ratio: ratioChar(width, height), color, taken_at: wall, sort_ms: ms, month: Number(wall.slice(0, 4) + wall.slice(5, 7)), day: Number(wall.slice(0, 10).replaceAll('-', '')), cell: place?.cell ?? null });
    putLocation.run({ ...location, path: `Pictures/${wall.slice(0, 7)}/IMG_${String(i).padStart(7, '0')}.JPG`, revision: i * 2 + 2, sha256, mtime_ms: ms });
  }
  db.exec('COMMIT');
  db.close();
}

/** Every asset's picture is one of the pool, under its own key: objects of R2 that share their bytes. */
function writeObjects(folder: string, pool: ReadonlySet<string>, library: Library): void {
  const db = new DatabaseSync(fileOf(folder, 'r2/miniflare-R2BucketObject'));
  db.exec('PRAGMA synchronous = OFF; BEGIN');
  const copy = db.prepare('INSERT INTO _mf_objects SELECT ?1, blob_id, version, size, etag, uploaded, checksums, http_metadata, custom_metadata FROM _mf_objects WHERE key = ?2');
  for (let i = 0; i < library.size; i += 1) {
    const key = `pool/${shapeOf(i)}-${i % PICTURES_PER_SHAPE}`;
    if (!pool.has(key)) throw new Error(`no picture ${key}`);
    copy.run(renditionKey({ sha256: madeHash(i), name: 'grid', version: GRID_VERSION }), key);
  }
  db.exec('COMMIT');
  db.close();
}

/** The buckets by the Worker's own SQL, on the file itself. */
async function rebuildAll(folder: string): Promise<void> {
  const { REBUILD_BUCKETS_SQL } = await import(new URL('../worker/store/buckets.ts', import.meta.url).href) as { REBUILD_BUCKETS_SQL: string };
  const db = new DatabaseSync(fileOf(folder, 'd1/miniflare-D1DatabaseObject'));
  const months = db.prepare('SELECT DISTINCT month FROM timeline_items').all().map((row) => row['month']);
  db.prepare(REBUILD_BUCKETS_SQL).run(JSON.stringify(months), Date.now());
  db.close();
}
