// What belongs together does not depend on the way there: random changes of a tree on two drives, related after every few,
// against a catalog made anew from the same files. By seed.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { openCatalog, type Catalog } from '../../../agent/catalog/catalog.ts';
import { dropFile, splitPath } from '../../../agent/catalog/files.ts';
import { countSidecars } from '../../../agent/catalog/sidecars.ts';
import { listRoots } from '../../../agent/catalog/roots.ts';
import { seededRandom } from '../../../agent/files/faults.ts';
import { addRoot, scanAll } from '../../../agent/pipeline/index.ts';
import { relateMarked } from '../../../agent/pipeline/relate.ts';
import type { TimeClaim } from '../../../protocol/rows.ts';
import { createScene, png, put, sha, type Scene } from '../scan/scene.ts';

let s: Scene | null = null;
afterEach(() => { s?.close(); s = null; });

const SEEDS = Number(process.env['JHAROKHA_TEST_SEEDS'] ?? 10);
const DIRS = ['p1/Trip', 'p2/Trip', 'p1/Photos from 2019', 'p2/Photos from 2019', 'moved', 'mine/Trip'];
const NAMES = ['IMG_0001', 'IMG_E0001', 'IMG_0002', 'IMG_0002-edited', 'photo'];
const PICTURES = new Map(Array.from({ length: 30 }, (_, n) => [sha(png(n)), n]));
const exif = (text: string): TimeClaim => ({ source: 'exif_original', wall: text, utc_ms: null, offset_minutes: null, offset_source: null });
const TIMES = ['2017-07-14T02:40:00', '2018-07-14T02:40:00'];

/** Facts follow from the bytes (the picture's number), as with a real reader; so names here carry none. */
function setFacts(scene: Scene): void {
  scene.reader.onQuick = (source) => {
    const n = PICTURES.get(sha(source.bytes ?? Buffer.alloc(0))) ?? 0;
    const video = source.name.endsWith('.mov');
    scene.reader.facts.set(source.name, {
      content_identifier: n % 2 === 0 ? `id${n % 3}` : null, time_claims: n % 3 === 0 ? [exif(TIMES[n % 4 === 0 ? 0 : 1] ?? '')] : [],
      ...(video ? { kind: 'video', mime: 'video/quicktime', duration_ms: 2_000 } : { mime: n % 5 === 0 ? 'image/x-adobe-dng' : 'image/heic' }),
    });
  };
  scene.ctx.concurrency = 1;
}

function isMissing(catalog: Catalog, volumeId: string, path: string): boolean {
  const { dir, name } = splitPath(path);
  return catalog.db.prepare('SELECT 1 FROM files WHERE volume_id = ? AND dir = ? AND name = ? AND missing_since_ms IS NOT NULL').get(volumeId, dir, name) !== undefined;
}

function derived(catalog: Catalog): unknown {
  const all = (sql: string): unknown[] => catalog.db.prepare(sql).all().map((r) => ({ ...r }));
  return {
    files: all("SELECT volume_id, dir, name, sha256, imports, albums FROM files WHERE seen_as = 'asset' ORDER BY 1, 2, 3"),
    sidecars: all('SELECT volume_id, dir, name, matched, matched_by_title FROM sidecars ORDER BY 1, 2, 3'),
    stacks: all('SELECT member_sha256, primary_sha256, type, basis FROM stacks WHERE removed = 0 ORDER BY 1'),
    folders: all('SELECT * FROM related_folders ORDER BY 1, 2, 3'),
    left: [...all('SELECT * FROM folders_to_relate'), ...all('SELECT * FROM keys_to_relate')],
    counts: countSidecars(catalog),
  };
}

let stacked = 0;
afterAll(() => { expect(stacked).toBeGreaterThan(SEEDS); });

test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))('a catalog kept through random changes says what a fresh one says (seed %i)', async (seed) => {
  s = createScene();
  const { ctx, top } = s;
  const red = s.drives.plugIn('red');
  setFacts(s);
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let mtime = 1_600_000_000;
  const at = (): string => join(pick([top, top, red]), pick(DIRS));
  // The suffix goes with the bytes: what is true of some bytes is true of all their copies.
  const media = (n: number): string => `${pick(NAMES)}.${n % 7 < 2 ? 'mov' : 'png'}`;
  for (const drive of [top, red]) await addRoot(ctx, drive);
  for (let round = 0; round < 6; round += 1) {
    for (let i = 0; i < 12; i += 1) {
      mtime += 1;
      const what = random();
      const n = Math.floor(random() * PICTURES.size);
      if (what < 0.45) put(join(at(), media(n)), png(n), mtime);
      else if (what < 0.75) put(join(at(), `${media(n)}.json`), JSON.stringify({ title: media(n), description: pick(['a', 'b']), photoTakenTime: { timestamp: String(Date.parse(`${pick(TIMES)}Z`) / 1000) } }), mtime);
      else if (what < 0.8) put(join(at(), 'metadata.json'), JSON.stringify({ title: pick(['Trip', 'Another']) }), mtime);
      else if (what < 0.85) put(join(at(), `${pick(NAMES)}.xmp`), `<x xmp:Rating="${n % 5}"/>`, mtime);
      else if (what < 0.93) rmSync(join(at(), `${media(n)}.json`), { force: true });
      // Within one drive, so that the file is found to have moved and leaves no missing row behind.
      else { const drive = pick([top, red]); const from = join(drive, pick(DIRS), media(n)); const to = join(drive, pick(DIRS), `${pick(NAMES)}${from.slice(-4)}`); if (existsSync(from) && !existsSync(to)) { mkdirSync(dirname(to), { recursive: true }); renameSync(from, to); } }
    }
    for (const report of await scanAll(ctx)) expect(report.state, report.reason ?? '').toBe('completed');
    await relateMarked(ctx);
  }
  // A file that was moved onto by another in the same round, or moved and overwritten, is missing rather than moved: its
  // row stays, and a fresh catalog has none. Taken away here as the owner's forgetting it would.
  for (const path of s.missing()) for (const volume of ['uuid:blue', 'uuid:red']) s.catalog.transact(() => { if (s && isMissing(s.catalog, volume, path)) dropFile(s.catalog, volume, path); });
  await relateMarked(ctx);
  const fresh = openCatalog(':memory:');
  try {
    const again = { ...ctx, catalog: fresh };
    for (const drive of [top, red]) await addRoot(again, drive);
    await scanAll(again, listRoots(fresh).toReversed());
    await relateMarked(again);
    const expected = derived(fresh) as { files: { imports: string }[]; stacks: unknown[]; left: unknown[] };
    expect(derived(s.catalog)).toEqual(expected);
    // A test of nothing would pass too.
    expect(expected.files.filter((f) => f.imports !== '[]').length + expected.stacks.length).toBeGreaterThan(0);
    stacked += expected.stacks.length;
    expect(expected.left).toEqual([]);
  } finally { fresh.close(); }
});
