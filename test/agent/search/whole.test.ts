// The search by meaning as the owner meets it, on real processes with the small real towers: from files on a drive to ranked
// answers, through a change of model, a rebuild and a kill, and without any model at all.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { chosenSpace, countSpace, countVectorsToMake, countVectorsToPush, readTold } from '../../../agent/catalog/vectors.ts';
import type { AgentStatus } from '../../../protocol/link.ts';
import { SearchAnswer } from '../../../protocol/search.ts';
import { fetchHealth, fetchStatus, freePort, killGroup, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../../support/instance.ts';
import { colourPicture, towerDir, type ColourName } from '../../support/towers.ts';

const WAIT_MS = 60_000;
const COLOURS: ColourName[] = ['red', 'green', 'blue', 'yellow', 'black', 'white'];
const CLIP = ['--search-model', 'light', '--model-dir', towerDir('clip')], SIGLIP = ['--search-model', 'standard', '--model-dir', towerDir('siglip')];
interface Scene { base: string; dataDir: string; folder: string; env: Record<string, string>; up: Up | undefined }
let s: Scene, lonely: Scene;
const hashes = new Map<ColourName, string>();

async function makeScene(): Promise<Scene> {
  const base = mkdtempSync(join(tmpdir(), 'jharokha-search-'));
  const folder = join(base, 'Blue/Pictures');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(base, 'volumes.json'), JSON.stringify([{ volume_id: 'uuid:blue', label: 'Blue', mount_point: join(base, 'Blue'), fs_type: 'ext4', removable: true, identity: 'uuid' }]));
  for (const [i, colour] of COLOURS.entries()) {
    const bytes = await colourPicture(colour, { format: 'jpeg' });
    hashes.set(colour, createHash('sha256').update(bytes).digest('hex'));
    // No name gives a colour away.
    writeFileSync(join(folder, `IMG_${1000 + i}.jpg`), bytes);
  }
  return { base, dataDir: join(base, 'data'), folder, env: { JHAROKHA_TEST_VOLUMES: join(base, 'volumes.json') }, up: undefined };
}
async function endScene({ up, base }: Scene): Promise<void> {
  if (up) await stopUp(up);
  rmSync(base, { recursive: true, force: true });
}

// The one without a model tries for a quarter of a minute to get one: it does so while the others work.
beforeAll(async () => {
  lonely = await makeScene();
  lonely.up = startUp(lonely.dataDir, await freePort(), [lonely.folder], lonely.env);
});
beforeEach(async () => { s = await makeScene(); });
afterEach(() => endScene(s));
afterAll(() => endScene(lonely));

interface Vectors { engine: string; model_state: string; space: string | null; searched_in: string | null; made: number; written: number; to_make: number; to_write: number; failed: unknown[]; message: string | null }
async function run<T>(...args: string[]): Promise<T> {
  const ran = await runCommandAsync(s.dataDir, [...args, '--json'], s.env);
  expect(ran.code, `${args.join(' ')}: ${ran.stderr}`).toBe(0);
  return JSON.parse(ran.stdout) as T;
}
const search = async (text: string): Promise<SearchAnswer> => SearchAnswer.parse(await run('search', text));
const vectors = (): Promise<Vectors> => run('vectors');
async function until(what: string, check: () => boolean | Promise<boolean>, { up } = s): Promise<void> {
  for (const end = Date.now() + WAIT_MS; !(await check()); await sleep(50)) if (Date.now() > end) throw new Error(`${what} did not come within ${WAIT_MS} ms\n${JSON.stringify(look())}\n${up?.log() ?? ''}`);
}

/** What the catalog holds, as another process sees it: what `vectors` tells, without a process for each look. */
function look(): { made: number; written: number; toMake: number; toWrite: number; searchedIn: string } {
  const nothing = { made: 0, written: 0, toMake: -1, toWrite: -1, searchedIn: '' };
  try {
    const db = new DatabaseSync(join(s.dataDir, 'catalog.db'), { readOnly: true });
    try {
      const chosen = chosenSpace(db);
      return chosen ? { ...countSpace(db, chosen.id), toMake: countVectorsToMake(db), toWrite: countVectorsToPush(db), searchedIn: readTold(db)?.space ?? '' } : nothing;
    } finally { db.close(); }
  } catch { return nothing; }
}
const allIn = (model: string) => (): boolean => { const v = look(); return v.searchedIn.startsWith(model) && v.written === COLOURS.length && v.toWrite === 0; };

test('colours are found by their words; after a change of model, a rebuild and an end, too', async () => {
  const up = s.up = startUp(s.dataDir, await freePort(), [s.folder, ...CLIP], s.env);
  await waitIdle(up);
  await until('the vectors', allIn('light/'));
  // It is told a moment after.
  await until('that nothing is left', async () => (await fetchHealth(up.url))?.pending.vectors === 0);
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
  s.up = undefined;
  // Kept words need no model; and a rebuild by a command of its own needs none either.
  await run('status', '--search-model', 'off');
  expect(await search('green')).toMatchObject({ meaning: 'used', embedding: 'kept', results: [{ sha256: hashes.get('green') }] });
  expect(await run<Vectors>('vectors', 'rebuild')).toMatchObject({ written: COLOURS.length, to_write: 0, model_state: 'off' });
  expect((await search('green')).results[0]?.sha256).toBe(hashes.get('green'));
});

test('killed while it embeds, it goes on after the next start', async () => {
  const port = await freePort();
  for (let i = 0; i < 60; i += 1) writeFileSync(join(s.folder, `MORE_${i}.jpg`), await colourPicture(COLOURS[i % COLOURS.length] as ColourName, { width: 200 + i, format: 'jpeg' }));
  const all = COLOURS.length + 60;
  s.up = startUp(s.dataDir, port, [s.folder, ...CLIP], s.env);
  while (look().made === 0) await sleep(10);
  killGroup(s.up);
  await s.up.ended;
  expect(look().made).toBeLessThan(all);
  s.up = startUp(s.dataDir, port, [], s.env);
  await waitIdle(s.up);
  await until('all vectors', () => { const v = look(); return v.written === all && v.toMake === 0; });
  expect(await vectors()).toMatchObject({ made: all, written: all, to_make: 0, to_write: 0 });
  expect((await search('red')).results.length).toBeGreaterThanOrEqual(11);
});

test('`index` alone embeds with a model that is here, and never looks for one that is not', async () => {
  const before = Date.now();
  const plain = await runCommandAsync(s.dataDir, ['index', s.folder, '--json'], s.env);
  expect(plain.code, plain.stderr).toBe(0);
  const tookMs = Date.now() - before;
  expect(await vectors()).toMatchObject({ made: 0, to_make: COLOURS.length, space: null, searched_in: null });
  expect((await search('red')).meaning).toBe('no_vectors');
  const withModel = await runCommandAsync(s.dataDir, ['sync', '--json', ...CLIP], s.env);
  expect(withModel.code, withModel.stderr).toBe(0);
  expect(await vectors()).toMatchObject({ made: COLOURS.length, written: COLOURS.length, to_make: 0 });
  expect((await search('red')).results[0]?.sha256).toBe(hashes.get('red'));
  expect(tookMs).toBeLessThan(WAIT_MS / 2);
});

test('choices that cannot be are refused and change nothing', async () => {
  for (const args of [['--search-model', 'best'], ['--model-dir', join(s.base, 'nowhere')], ['--model-dir', s.base, '--no-model-dir']]) {
    const ran = await runCommandAsync(s.dataDir, ['status', ...args], s.env);
    expect(ran.code, args.join(' ')).toBe(2);
  }
  expect((await runCommandAsync(s.dataDir, ['vectors', 'remake'], s.env)).code).toBe(2);
  await run('status', '--model-dir', s.base, '--search-model', 'off');
  expect((await run<{ status: AgentStatus }>('status')).status.search).toMatchObject({ profile: 'off', state: 'off' });
  await run('status', '--no-model-dir');
});

test('without a model and a network everything else works, and says what is missing', async () => {
  await endScene(s);
  s = lonely;
  const { up } = s;
  if (!up) throw new Error('it does not run');
  expect((await waitIdle(up)).assets).toBe(COLOURS.length);
  const status = async (): Promise<AgentStatus['search']> => (await fetchStatus(up, s.dataDir))?.search;
  await until('the message', async () => { const search = await status(); return search?.state === 'missing' && search.message !== null; });
  expect((await run<{ status: AgentStatus }>('status')).status.search?.message).toContain('--model-dir');
  expect((await fetchHealth(up.url))?.pending.vectors).toBeNull();
  expect(await search('red')).toMatchObject({ meaning: 'no_vectors', engine: 'words' });
});
