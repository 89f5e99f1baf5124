// Drives that come and go, on real processes: folders stand in for volumes (JHAROKHA_TEST_VOLUMES, agent/volumes).
// The scan's own tests (test/agent/scan) do the same at every step; these see what the owner sees.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ListLine } from '../../../protocol/list.ts';
import { IndexReport } from '../../../protocol/report.ts';
import { fetchList, freePort, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../../support/instance.ts';
import { makeLibrary } from '../../support/library.ts';
import { openD1 } from '../../support/snapshot.ts';

const WAIT_MS = 40_000;
let base: string;
let dataDir: string;
let mount: string;
let env: Record<string, string>;
let up: Up | undefined;

function mountVolumes(volumes: { volume_id: string; label: string; mount_point: string }[]): void {
  writeFileSync(env['JHAROKHA_TEST_VOLUMES'] ?? '', JSON.stringify(volumes.map((v) => ({ ...v, fs_type: 'ext4', removable: true, identity: 'uuid' }))));
}
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'jharokha-drives-'));
  dataDir = join(base, 'data');
  mount = join(base, 'mnt/Blue');
  mkdirSync(mount, { recursive: true });
  env = { JHAROKHA_TEST_VOLUMES: join(base, 'volumes.json') };
  mountVolumes([{ volume_id: 'uuid:blue', label: 'Blue', mount_point: mount }]);
  await makeLibrary(join(mount, 'Photos'), 26);
});
afterEach(async () => {
  if (up) await stopUp(up);
  up = undefined;
  rmSync(base, { recursive: true, force: true });
});

async function listStates(): Promise<Record<string, number>> {
  const ran = await runCommandAsync(dataDir, ['list', '--json', '--all'], env);
  expect(ran.code, ran.stderr).toBe(0);
  return countStates(ran.stdout.trim().split('\n').map((line) => ListLine.parse(JSON.parse(line))));
}
function countStates(lines: readonly ListLine[]): Record<string, number> {
  const states: Record<string, number> = {};
  for (const line of lines) for (const l of line.locations) states[l.state] = (states[l.state] ?? 0) + 1;
  return states;
}
/** The same while it is waited for. */
const statesNow = async (): Promise<Record<string, number>> => (up ? countStates(await fetchList(up, dataDir)) : {});
async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`${what} did not come within ${WAIT_MS} ms\n${up?.log() ?? ''}`);
    await sleep(100);
  }
}
const missing = (): number => {
  const db = openD1(dataDir);
  try { return Number(db.prepare('SELECT count(*) AS n FROM locations WHERE missing_since_ms IS NOT NULL').get()?.['n']); } finally { db.close(); }
};

test('unplugged is away, an empty mount point and another drive change nothing, plugged in is present again', async () => {
  up = startUp(dataDir, await freePort(), [join(mount, 'Photos')], env);
  await waitIdle(up);
  const all = { present: 30 };
  expect(await listStates()).toEqual(all);

  // Unplugged: the mount point stays behind, empty.
  renameSync(mount, join(base, 'unplugged'));
  mkdirSync(mount);
  mountVolumes([]);
  await until('away', async () => (await statesNow())['away'] === 30);
  await runCommandAsync(dataDir, ['sync', '--once', '--json'], env);
  expect(missing()).toBe(0);
  // Everything can still be looked at.
  const page = await (await fetch(up.url)).text();
  const tiles = page.match(/\/r\/[0-9a-f]{64}\/grid\.\d+\.webp/g) ?? [];
  expect(tiles.length).toBeGreaterThan(20);
  expect((await fetch(`${up.url}${tiles[0]}`)).status).toBe(200);

  // Another drive under the same name and place.
  mountVolumes([{ volume_id: 'uuid:other', label: 'Blue', mount_point: mount }]);
  mkdirSync(join(mount, 'Photos'));
  await sleep(2_500);
  await runCommandAsync(dataDir, ['sync', '--once', '--json'], env);
  expect(await listStates()).toEqual({ away: 30 });
  expect(missing()).toBe(0);

  // The mount point left empty while the drive claims to be there (a half-mounted share).
  mountVolumes([{ volume_id: 'uuid:blue', label: 'Blue', mount_point: mount }]);
  rmSync(join(mount, 'Photos'), { recursive: true });
  await runCommandAsync(dataDir, ['sync', '--once', '--json'], env);
  expect(missing()).toBe(0);

  rmSync(mount, { recursive: true });
  renameSync(join(base, 'unplugged'), mount);
  await until('present', async () => (await statesNow())['present'] === 30);
  await waitIdle(up);
  const report = IndexReport.parse(JSON.parse((await runCommandAsync(dataDir, ['sync', '--once', '--json'], env)).stdout));
  expect(report).toMatchObject({ indexed: 0, changed: 0, moved: 0, questions: [] });
});

test('much gone at once asks with exit code 5, and only the answer marks', async () => {
  up = startUp(dataDir, await freePort(), [join(mount, 'Photos')], env);
  await waitIdle(up);
  for (const folder of ['2019', '2021', '2023', '2024', 'Phone', 'Copies']) rmSync(join(mount, 'Photos', folder), { recursive: true });
  const sync = await runCommandAsync(dataDir, ['sync', '--once', '--json'], env);
  expect(sync.code, sync.stdout + sync.stderr).toBe(5);
  const { questions } = IndexReport.parse(JSON.parse(sync.stdout));
  expect(questions.length).toBe(1);
  expect(missing()).toBe(0);
  const status = await runCommandAsync(dataDir, ['status'], env);
  expect(status.code).toBe(5);
  expect(status.stdout).toContain('Blue');
  const keep = await runCommandAsync(dataDir, ['confirm-missing', '--keep', '--json'], env);
  expect(keep.code, keep.stderr).toBe(0);
  expect(missing()).toBe(0);

  // Kept is kept: the same absence does not ask again. The owner may change their mind when more goes.
  rmSync(join(mount, 'Photos', 'Odd'), { recursive: true });
  const again = await runCommandAsync(dataDir, ['sync', '--once', '--json'], env);
  expect(again.code, again.stdout).toBe(5);
  const gone = await runCommandAsync(dataDir, ['confirm-missing', '--gone', '--json'], env);
  expect(gone.code, gone.stderr).toBe(0);
  await until('marked', async () => missing() === 30);
  expect(await listStates()).toEqual({ missing: 30 });
});

test('pages answer with the agent stopped', async () => {
  up = startUp(dataDir, await freePort(), [join(mount, 'Photos')], env);
  await waitIdle(up);
  const { url } = up;
  const { killAgentOnly } = await import('../../support/instance.ts');
  expect(killAgentOnly(dataDir)).toBe(true);
  await up.ended;
  for (const path of ['/', '/drives', '/problems', '/settings', '/progress', '/healthz']) expect((await fetch(`${url}${path}`)).status, path).toBe(200);
  // The next start ends the Worker that is left over.
  up = startUp(dataDir, await freePort(), [], env);
  await waitIdle(up);
});
