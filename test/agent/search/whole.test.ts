// The search by meaning as the owner meets it, on real processes with the small real towers: from files on a drive to ranked
// answers, through a change of model, a rebuild and a kill, and without any model at all.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentStatus } from '../../../protocol/link.ts';
import { SearchAnswer } from '../../../protocol/search.ts';
import { fetchHealth, freePort, killGroup, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../../support/instance.ts';
import { colourPicture, towerDir, type ColourName } from '../../support/towers.ts';

const WAIT_MS = 60_000;
const COLOURS: ColourName[] = ['red', 'green', 'blue', 'yellow', 'black', 'white'];
const CLIP = ['--search-model', 'light', '--model-dir', towerDir('clip')], SIGLIP = ['--search-model', 'standard', '--model-dir', towerDir('siglip')];
let base: string, dataDir: string, folder: string, env: Record<string, string>, up: Up | undefined;
const hashes = new Map<ColourName, string>();

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'jharokha-search-'));
  dataDir = join(base, 'data');
  folder = join(base, 'Blue/Pictures');
  mkdirSync(folder, { recursive: true });
  env = { JHAROKHA_TEST_VOLUMES: join(base, 'volumes.json') };
  writeFileSync(join(base, 'volumes.json'), JSON.stringify([{ volume_id: 'uuid:blue', label: 'Blue', mount_point: join(base, 'Blue'), fs_type: 'ext4', removable: true, identity: 'uuid' }]));
  for (const [i, colour] of COLOURS.entries()) {
    const bytes = await colourPicture(colour, { format: 'jpeg' });
    hashes.set(colour, createHash('sha256').update(bytes).digest('hex'));
    // No name gives a colour away.
    writeFileSync(join(folder, `IMG_${1000 + i}.jpg`), bytes);
  }
});
afterEach(async () => {
  if (up) await stopUp(up);
  up = undefined;
  rmSync(base, { recursive: true, force: true });
});

interface Vectors { engine: string; model_state: string; space: string | null; searched_in: string | null; made: number; written: number; to_make: number; to_write: number; failed: unknown[]; message: string | null }
async function run<T>(...args: string[]): Promise<T> {
  const ran = await runCommandAsync(dataDir, [...args, '--json'], env);
  expect(ran.code, `${args.join(' ')}: ${ran.stderr}`).toBe(0);
  return JSON.parse(ran.stdout) as T;
}
const search = async (text: string): Promise<SearchAnswer> => SearchAnswer.parse(await run('search', text));
const vectors = (): Promise<Vectors> => run('vectors');
async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + WAIT_MS; !(await check()); await sleep(200)) if (Date.now() > end) throw new Error(`${what} did not come within ${WAIT_MS} ms\n${JSON.stringify(await vectors())}\n${up?.log() ?? ''}`);
}
const pending = async (): Promise<number | null | undefined> => up && (await fetchHealth(up.url))?.pending?.vectors;
const allIn = (model: string) => async (): Promise<boolean> => { const v = await vectors(); return v.searched_in?.startsWith(model) === true && v.written === COLOURS.length && v.to_write === 0; };

/** Vectors in the catalog, as another process sees it. */
function madeNow(): number {
  try {
    const db = new DatabaseSync(join(dataDir, 'catalog.db'), { readOnly: true });
    try { return Number(db.prepare('SELECT count(*) AS n FROM vectors').get()?.['n']); } finally { db.close(); }
  } catch { return 0; }
}

test('colours are found by their words; after a change of model, a rebuild and an end, too', async () => {
  up = startUp(dataDir, await freePort(), [folder, ...CLIP], env);
  await waitIdle(up);
  await until('the vectors', allIn('light/'));
  expect(await pending()).toBe(0);
  const red = await search('red');
  expect(red).toMatchObject({ engine: 'embedded', meaning: 'used' });
  expect(red.results[0]?.sha256).toBe(hashes.get('red'));
  expect((await search('blue')).results[0]?.sha256).toBe(hashes.get('blue'));

  await run('status', ...SIGLIP);
  await until('the other space', allIn('standard/'));
  const after = await search('green');
  expect(after.space).toMatch(/^standard\//);
  expect(after.results[0]?.sha256).toBe(hashes.get('green'));

  const rebuilt = await run<Vectors>('vectors', 'rebuild');
  expect(rebuilt).toMatchObject({ made: COLOURS.length, written: COLOURS.length, to_make: 0, to_write: 0, failed: [], engine: 'embedded', model_state: 'ready' });
  expect((await search('yellow')).results[0]?.sha256).toBe(hashes.get('yellow'));
  await stopUp(up);
  up = undefined;
  // Kept words need no model; and a rebuild by a command of its own needs none either.
  await run('status', '--search-model', 'off');
  expect(await search('green')).toMatchObject({ meaning: 'used', embedding: 'kept', results: [{ sha256: hashes.get('green') }] });
  expect(await run<Vectors>('vectors', 'rebuild')).toMatchObject({ written: COLOURS.length, to_write: 0, model_state: 'off' });
  expect((await search('green')).results[0]?.sha256).toBe(hashes.get('green'));
});

test('killed while it embeds, it goes on after the next start', async () => {
  const port = await freePort();
  for (let i = 0; i < 60; i += 1) writeFileSync(join(folder, `MORE_${i}.jpg`), await colourPicture(COLOURS[i % COLOURS.length] as ColourName, { width: 200 + i, format: 'jpeg' }));
  const all = COLOURS.length + 60;
  up = startUp(dataDir, port, [folder, ...CLIP], env);
  while (madeNow() === 0) await sleep(10);
  killGroup(up);
  await up.ended;
  expect(madeNow()).toBeLessThan(all);
  up = startUp(dataDir, port, [], env);
  await waitIdle(up);
  await until('all vectors', async () => { const v = await vectors(); return v.written === all && v.to_make === 0; });
  expect((await search('red')).results.length).toBeGreaterThanOrEqual(11);
});

test('`index` alone embeds with a model that is here, and never looks for one that is not', async () => {
  const before = Date.now();
  const plain = await runCommandAsync(dataDir, ['index', folder, '--json'], env);
  expect(plain.code, plain.stderr).toBe(0);
  const tookMs = Date.now() - before;
  expect(await vectors()).toMatchObject({ made: 0, to_make: COLOURS.length, space: null, searched_in: null });
  expect((await search('red')).meaning).toBe('no_vectors');
  const withModel = await runCommandAsync(dataDir, ['sync', '--json', ...CLIP], env);
  expect(withModel.code, withModel.stderr).toBe(0);
  expect(await vectors()).toMatchObject({ made: COLOURS.length, written: COLOURS.length, to_make: 0 });
  expect((await search('red')).results[0]?.sha256).toBe(hashes.get('red'));
  expect(tookMs).toBeLessThan(WAIT_MS / 2);
});

test('without a model and a network everything else works, and says what is missing', async () => {
  up = startUp(dataDir, await freePort(), [folder], env);
  const health = await waitIdle(up);
  expect(health.assets).toBe(COLOURS.length);
  const status = async (): Promise<AgentStatus['search']> => (await run<{ status: AgentStatus }>('status')).status.search;
  await until('the message', async () => (await status())?.state === 'missing' && (await status())?.message !== null);
  expect((await status())?.message).toContain('--model-dir');
  expect(await pending()).toBeNull();
  expect(await search('red')).toMatchObject({ meaning: 'no_vectors', engine: 'words' });
});

test('choices that cannot be are refused and change nothing', async () => {
  for (const args of [['--search-model', 'best'], ['--model-dir', join(base, 'nowhere')], ['--model-dir', base, '--no-model-dir']]) {
    const ran = await runCommandAsync(dataDir, ['status', ...args], env);
    expect(ran.code, args.join(' ')).toBe(2);
  }
  expect((await runCommandAsync(dataDir, ['vectors', 'remake'], env)).code).toBe(2);
  await run('status', '--model-dir', base, '--search-model', 'off');
  expect((await run<{ status: AgentStatus }>('status')).status.search).toMatchObject({ profile: 'off', state: 'off' });
  await run('status', '--no-model-dir');
});
