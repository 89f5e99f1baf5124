// bench pairing: pairs of one huge folder (pure), and the whole relate stage over a catalog of a Takeout in two parts, each
// with twice the names against the names: linear work takes twice the time. Names are files and sidecars together.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { putAsset } from '../agent/catalog/assets.ts';
import { openCatalog, type Catalog } from '../agent/catalog/catalog.ts';
import { putFile } from '../agent/catalog/files.ts';
import { countSidecars, putSidecar } from '../agent/catalog/sidecars.ts';
import { titleKey } from '../agent/pipeline/match.ts';
import { pairFolder, type PairFile } from '../agent/pipeline/pairs.ts';
import { relateMarked } from '../agent/pipeline/relate.ts';
import type { ImportFacts, TimeClaim } from '../protocol/rows.ts';

const NAMES = Number(process.env['NAMES'] ?? 100_000);
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const WANTED = 2.2;
/** Names in one album's folder, over both parts. */
const PER_FOLDER = 1_000;
const SET = 10;

interface Media { part: 1 | 2; file: PairFile }
interface Sidecar { part: 1 | 2; name: string; title: string; at: number }

/** Ten names that belong together: a Live Photo, a picture with RAW and edited copy, a picture in the other part, an orphan. */
function setOf(i: number): { media: Media[]; sidecars: Sidecar[] } {
  const n = String(i).padStart(6, '0');
  const at = 1_400_000_000 + i * 60;
  const claims: TimeClaim[] = [{ source: 'exif_original', wall: null, utc_ms: at * 1000, offset_minutes: null, offset_source: null }];
  const media = (name: string, mime: string, more: Partial<PairFile> = {}, part: 1 | 2 = 1): Media => ({
    part, file: { name, sha256: createHash('sha256').update(name).digest('hex'), kind: mime.startsWith('video/') ? 'video' : 'image', mime, content_identifier: null, duration_ms: null, time_claims: claims, ...more },
  });
  const sidecar = (title: string): Sidecar => ({ part: 1, name: `${title}.json`, title, at });
  const live = { content_identifier: `ID-${n}` };
  return {
    media: [
      media(`IMG_${n}.HEIC`, 'image/heic', live), media(`IMG_${n}.MOV`, 'video/quicktime', { ...live, duration_ms: 2_000 }),
      media(`DSC_${n}.jpg`, 'image/jpeg'), media(`DSC_${n}.dng`, 'image/x-adobe-dng'), media(`DSC_${n}-edited.jpg`, 'image/jpeg'), media(`PXL_${n}.jpg`, 'image/jpeg', {}, 2),
    ],
    sidecars: [sidecar(`IMG_${n}.HEIC`), sidecar(`DSC_${n}.jpg`), sidecar(`PXL_${n}.jpg`), sidecar(`LOST_${n}.jpg`)],
  };
}

function fill(catalog: Catalog, names: number): void {
  const at = (part: number, i: number) => ({ volume_id: 'uuid:bench', dir: `part-${part}/Takeout/Google Photos/Album ${Math.floor((i * SET) / PER_FOLDER)}` });
  const file = { size_bytes: 1, mtime_ms: 1, ctime_ms: 1, birth_ms: 1, fs_id: null, inode: null, in_package: false, racy: false, read_version: 1, time_claims: [], missing_since_ms: null };
  const nothing = {
    size_bytes: 1, width: 4_032, height: 3_024, color: '#808080', camera: 'Apple iPhone 12', lens: null, exposure: null, latitude: null, longitude: null, gps_zone: null, motion: null, description: null, rating: null, tags: [], problems: [],
  };
  catalog.transact(() => {
    for (let i = 0; i * SET < names; i += 1) {
      const set = setOf(i);
      for (const { part, file: facts } of set.media) {
        putAsset(catalog, { facts: { ...nothing, ...facts, time_claims: [...facts.time_claims] }, rawMetadata: null, factsVersion: 1, grid: null, preview: null, unfinished: false });
        putFile(catalog, { ...file, ...at(part, i), name: facts.name, seen_as: 'asset', sha256: facts.sha256 });
      }
      for (const { part, name, title, at: seconds } of set.sidecars) {
        const said: ImportFacts = {
          source: 'takeout', name, time_claims: [{ source: 'takeout', wall: null, utc_ms: seconds * 1000, offset_minutes: null, offset_source: null }],
          latitude: null, longitude: null, gps_zone: null, description: null, favourite: null, archived: null, rating: null, people: [], tags: [],
        };
        putFile(catalog, { ...file, ...at(part, i), name, seen_as: 'sidecar', sha256: null });
        putSidecar(catalog, at(part, i), { name, format: 'takeout', title, title_key: titleKey(title), album_title: null, said: JSON.stringify(said) });
      }
    }
  });
}

async function relateMs(names: number): Promise<{ first: number; second: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'jharokha-bench-'));
  const catalog = openCatalog(join(dir, 'catalog.db'));
  try {
    fill(catalog, names);
    // What the filling left to be written is not the stage's work.
    catalog.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const started = performance.now();
    await relateMarked({ catalog });
    const first = performance.now() - started;
    const counts = countSidecars(catalog);
    const sets = names / SET;
    if (counts.matched !== sets * 3 || counts.without_media !== sets) throw new Error(`matched ${counts.matched} of ${counts.sidecars} sidecars`);
    const stacked = catalog.prepare('SELECT count(*) AS n FROM stacks').get()?.['n'];
    if (stacked !== sets * 3) throw new Error(`${String(stacked)} stacks`);
    const again = performance.now();
    catalog.prepare("INSERT INTO folders_to_relate VALUES ('uuid:bench', 'part-1/Takeout/Google Photos/Album 0')").run();
    await relateMarked({ catalog });
    return { first, second: performance.now() - again };
  } finally {
    catalog.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function pairMs(names: number): number {
  const files = Array.from({ length: names / SET }, (_, i) => setOf(i).media.map((m) => m.file)).flat();
  const started = performance.now();
  const relations = pairFolder(files);
  const took = performance.now() - started;
  if (relations.length !== (names / SET) * 3) throw new Error(`${relations.length} pairs`);
  return took;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const results: Record<string, number> = {};
async function compare(what: string, measure: (names: number) => number | Promise<number>): Promise<void> {
  await measure(NAMES / 10);
  const once: number[] = [];
  const twice: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) { once.push(await measure(NAMES)); twice.push(await measure(NAMES * 2)); }
  const ratio = median(twice.map((ms, i) => ms / (once[i] ?? ms)));
  results[`${what}_ratio`] = Number(ratio.toFixed(3));
  results[`${what}_ms`] = Math.round(median(once));
  console.log(`${what}: ${NAMES} names ${Math.round(median(once))} ms, ${NAMES * 2} names ${Math.round(median(twice))} ms: ${ratio.toFixed(2)} times (wanted at most ${WANTED})`);
}
const incremental: number[] = [];
await compare('pairs', pairMs);
await compare('relate', async (names) => { const { first, second } = await relateMs(names); if (names === NAMES * 2) incremental.push(second); return first; });
console.log(`one folder of ${PER_FOLDER} names again, among ${NAMES * 2}: ${Math.round(median(incremental))} ms`);
console.log(JSON.stringify({ bench: 'pairing', names: NAMES, ...results, one_folder_ms: Math.round(median(incremental)) }));
