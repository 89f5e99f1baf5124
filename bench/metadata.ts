// bench metadata: facts, zone and place of 10,000 stills by our readers, against plain `exiftool -stay_open` that reads the
// same tags of the same files, with as many processes as we are given cores. Neither side renders anything.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import sharp from 'sharp';
import { WANTED } from '../agent/pipeline/exiftool.ts';
import { createOfflineGeocoder } from '../agent/pipeline/place-offline.ts';
import { createReader } from '../agent/pipeline/reader.ts';
import type { FileSource } from '../agent/pipeline/types.ts';
import { cellCentre, cellOf } from '../protocol/place.ts';
import { createRandom, makeScene } from '../scripts/demo-scenes.ts';
import { phoneExif, withExif } from '../test/support/make-media.ts';
import { findSharedMedia } from '../test/support/shared-media.ts';

const FILES = Number(process.env['FILES'] ?? 10_000);
/** Of them, so many are real files of cameras, each many times, where those are at hand. */
const REAL_SHARE = 0.2;
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const CORES = availableParallelism();
/** Files that our side reads at the same time; the agent does the same. */
const AT_ONCE = CORES * 2;
const WANTED_RATIO = 3;
const CAMERA_FOLDERS = ['gps', 'heic', 'motion-photos', 'live-photos/pair-IMG_7943', 'live-photos/pair-train', 'timezone/timestamps'];
const PICTURE = /\.(jpe?g|hei[cf])$/i;
/** A capital is asked for more often than the open sea: pictures are taken around people. */
const CENTRES = [[48.86, 2.35], [35.68, 139.77], [40.71, -74], [-33.87, 151.21], [19.43, -99.13], [28.61, 77.21], [-1.29, 36.82], [64.15, -21.94], [44.15, 9.7], [-17.78, 177.37], [30.05, 31.24], [55.75, 37.62]] as const;

/** JPEGs of 1,600 px with what a phone writes, spread over the world and twenty years; and links to real files. */
async function makeStills(dir: string): Promise<string[]> {
  mkdirSync(dir, { recursive: true });
  const media = findSharedMedia().dir;
  const real = media === undefined ? [] : CAMERA_FOLDERS.flatMap((folder) => (existsSync(join(media, folder)) ? readdirSync(join(media, folder)).filter((n) => PICTURE.test(n)).map((n) => join(media, folder, n)) : []));
  const realCount = real.length === 0 ? 0 : Math.round(FILES * REAL_SHARE);
  const bases = await Promise.all(Array.from({ length: 20 }, async (_, i) => sharp((await makeScene(i)).bytes).jpeg({ quality: 82 }).toBuffer()));
  const random = createRandom(7);
  const paths: string[] = [];
  for (let i = 0; i < FILES; i += 1) {
    const from = i < realCount ? real[i % real.length] : undefined;
    const path = join(dir, `${String(i).padStart(5, '0')}${from === undefined ? '.jpg' : `-${basename(from)}`}`);
    paths.push(path);
    const [latitude, longitude] = CENTRES[i % CENTRES.length] ?? CENTRES[0];
    const position = { latitude: latitude + (random() - 0.5) * 3, longitude: longitude + (random() - 0.5) * 3 };
    const two = (n: number) => String(1 + Math.floor(random() * n)).padStart(2, '0');
    const taken = `${2005 + (i % 20)}:${two(12)}:${two(28)} ${two(22)}:${two(58)}:${two(58)}`;
    if (existsSync(path)) continue;
    if (from !== undefined) {
      const first = paths[i % real.length] ?? path;
      if (first === path) copyFileSync(from, path);
      else linkSync(first, path);
      continue;
    }
    writeFileSync(path, withExif(bases[i % bases.length] ?? Buffer.alloc(0), phoneExif({ taken, ...(i % 3 === 0 ? { offset: '+01:00' } : {}), orientation: 1 + (i % 8), ...position })));
  }
  return paths;
}

interface Run { ms: number; dated: number; positioned: number }

/** As the agent does it: one process, its ExifTool processes where exifr does not do. */
async function ours(paths: readonly string[]): Promise<Run & { named: number }> {
  const reader = createReader();
  const geocoder = createOfflineGeocoder();
  const cells = new Map<string, string | null>();
  let next = 0, dated = 0, positioned = 0;
  const started = performance.now();
  const one = async (): Promise<void> => {
    for (let path = paths[next]; path !== undefined; path = paths[next]) {
      next += 1;
      const bytes = readFileSync(path);
      const source: FileSource = { path, name: basename(path), sizeBytes: bytes.length, mtimeMs: statSync(path).mtimeMs, bytes, read: async (offset, length) => bytes.subarray(offset, offset + length) };
      const type = reader.identify(source.name, source.sizeBytes, bytes.subarray(0, 4096));
      if (type.as !== 'asset') continue;
      const facts = await reader.pictureFacts(source, type);
      if (facts.time_claims.length > 0) dated += 1;
      if (facts.latitude === null || facts.longitude === null) continue;
      positioned += 1;
      const cell = cellOf(facts.latitude, facts.longitude);
      const centre = cellCentre(cell);
      if (centre && !cells.has(cell)) cells.set(cell, (await geocoder.name(centre.latitude, centre.longitude)).country_code);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  const ms = performance.now() - started;
  await reader.close();
  return { ms, dated, positioned, named: [...cells.values()].filter((code) => code !== null).length };
}

/** ExifTool by itself: a process a core, each fed the next file while it reads one, so that it never waits for us. */
async function plain(paths: readonly string[], program: string): Promise<Run> {
  let next = 0, dated = 0, positioned = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: CORES }, () => new Promise<void>((done, fail) => {
    const child = spawn(program, ['-stay_open', 'True', '-@', '-'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let answer = '';
    let open = 0;
    const feed = (): void => {
      const path = paths[next];
      if (path !== undefined) {
        next += 1; open += 1;
        child.stdin.write(`-json\n-n\n${WANTED.map((tag) => `-${tag}`).join('\n')}\n${path}\n-execute\n`);
      } else if (open === 0) child.stdin.end('-stay_open\nFalse\n');
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line !== '{ready}') { answer += line; return; }
      const [tags] = JSON.parse(answer === '' ? '[{}]' : answer) as Record<string, unknown>[];
      answer = ''; open -= 1;
      if (tags?.['DateTimeOriginal'] ?? tags?.['CreateDate']) dated += 1;
      if (typeof tags?.['GPSLatitude'] === 'number') positioned += 1;
      feed();
    });
    child.once('error', fail);
    child.once('close', () => { done(); });
    feed();
    feed();
  })));
  return { ms: performance.now() - started, dated, positioned };
}

const paths = await makeStills(join(tmpdir(), 'jharokha-bench-files', `stills-${FILES}`));
const { exiftoolPath } = await import('exiftool-vendored');
const program = await exiftoolPath();
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const rate = (run: Run) => paths.length / (run.ms / 1000);
const runs: { ours: Awaited<ReturnType<typeof ours>>; plain: Run }[] = [];
// In turn, so that a slow minute of the machine falls on both.
for (let round = 0; round < ROUNDS; round += 1) runs.push({ plain: await plain(paths, program), ours: await ours(paths) });
const first = runs[0];
if (!first) throw new Error('ROUNDS must be 1 or more');
// A reader that finds nothing is quick: both must have found the same dates and positions, but for what we refuse (0,0, NaN).
if (first.ours.dated < first.plain.dated || first.ours.positioned < first.plain.positioned * 0.97) throw new Error(`found less than ExifTool: ${JSON.stringify(first)}`);
const ratio = median(runs.map((r) => r.plain.ms / r.ours.ms));
console.log(`${paths.length} stills: ours ${Math.round(median(runs.map((r) => rate(r.ours))))} a second with facts, zone and place (${first.ours.dated} dates, ${first.ours.positioned} positions, ${first.ours.named} cells named); exiftool -stay_open, ${CORES} processes, ${Math.round(median(runs.map((r) => rate(r.plain))))} a second with the tags alone: ${ratio.toFixed(2)} times its rate (wanted at least ${WANTED_RATIO})`);
console.log(JSON.stringify({ bench: 'metadata', files: paths.length, ratio: Number(ratio.toFixed(2)), ours_per_s: Math.round(median(runs.map((r) => rate(r.ours)))), exiftool_per_s: Math.round(median(runs.map((r) => rate(r.plain)))), rounds: runs.map((r) => Number((r.plain.ms / r.ours.ms).toFixed(2))) }));
process.exit(0);
