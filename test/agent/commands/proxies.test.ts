// Small videos as the owner meets them, on real processes: made behind everything else, played in ranges with the drive in a
// drawer, turned off and on, and not lost by a kill in the middle.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort, fetchHealth, killGroup, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../../support/instance.ts';
import { makeClip } from '../../support/make-clip.ts';
import { openD1 } from '../../support/snapshot.ts';

const WAIT_MS = 60_000;
let base: string, dataDir: string, mount: string;
let env: Record<string, string>;
let up: Up | undefined;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'jharokha-videos-'));
  dataDir = join(base, 'data');
  mount = join(base, 'Blue');
  mkdirSync(join(mount, 'Videos'), { recursive: true });
  env = { JHAROKHA_TEST_VOLUMES: join(base, 'volumes.json') };
  writeFileSync(join(base, 'volumes.json'), JSON.stringify([{ volume_id: 'uuid:blue', label: 'Blue', mount_point: mount, fs_type: 'ext4', removable: true, identity: 'uuid' }]));
});
afterEach(async () => {
  if (up) await stopUp(up);
  up = undefined;
  rmSync(base, { recursive: true, force: true });
});

const pending = async (): Promise<number | null | undefined> => up && (await fetchHealth(up.url))?.pending.proxies;
async function until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = Date.now() + WAIT_MS; !(await check()); await sleep(200)) if (Date.now() > end) throw new Error(`${what} did not come within ${WAIT_MS} ms\n${up?.log() ?? ''}`);
}
function proxies(): { sha256: string; version: number; bytes: number }[] {
  const db = openD1(dataDir);
  try { return db.prepare('SELECT sha256, proxy_version AS version, proxy_bytes AS bytes FROM assets WHERE proxy_version > 0 ORDER BY sha256').all() as never; } finally { db.close(); }
}

test('a video plays and can be jumped into while its drive is away', async () => {
  await makeClip({ path: join(mount, 'Videos/a.mp4'), seconds: 4, sound: true });
  await makeClip({ path: join(mount, 'Videos/b.avi'), format: 'avi', codec: 'mpeg4' });
  up = startUp(dataDir, await freePort(), [join(mount, 'Videos')], env);
  await waitIdle(up);
  await until('two small videos in the library', async () => await pending() === 0 && proxies().length === 2);
  renameSync(mount, join(base, 'in a drawer'));
  writeFileSync(join(base, 'volumes.json'), '[]');
  for (const { sha256, version, bytes } of proxies()) {
    const part = await fetch(`${up.url}/r/${sha256}/proxy.${version}.mp4`, { headers: { Range: `bytes=100-` } });
    expect(part.status).toBe(206);
    expect(part.headers.get('Content-Range')).toBe(`bytes 100-${bytes - 1}/${bytes}`);
    expect((await part.arrayBuffer()).byteLength).toBe(bytes - 100);
  }
  expect(readdirSync(join(dataDir, 'proxies-spool'))).toEqual([]);
  const status = JSON.parse((await runCommandAsync(dataDir, ['status', '--json'], env)).stdout) as { pending: { proxies: number } };
  expect(status.pending.proxies).toBe(0);
});

test('none are made where the owner wants none, and then they are', async () => {
  await makeClip({ path: join(mount, 'Videos/a.mp4') });
  up = startUp(dataDir, await freePort(), [join(mount, 'Videos'), '--no-proxies'], env);
  await waitIdle(up);
  await sleep(1_500);
  expect(await pending()).toBe(0);
  expect(proxies()).toEqual([]);
  const ran = await runCommandAsync(dataDir, ['status', '--proxies', '--json'], env);
  expect(ran.code, ran.stderr).toBe(0);
  await until('one small video', async () => await pending() === 0 && proxies().length === 1);
  expect((await runCommandAsync(dataDir, ['status', '--proxies', '--no-proxies'], env)).code).toBe(2);
});

test('killed while it makes them, it makes the rest after the next start, each once', async () => {
  for (let i = 0; i < 4; i += 1) await makeClip({ path: join(mount, `Videos/${i}.mp4`), width: 640 + i * 2, height: 480, seconds: 12, fps: 30 });
  const port = await freePort();
  up = startUp(dataDir, port, [join(mount, 'Videos')], env);
  // In the middle of the work: some are made or being made.
  await until('the first small video', () => { try { return readdirSync(join(dataDir, 'proxies-spool')).length > 0; } catch { return false; } });
  killGroup(up);
  await up.ended;
  up = startUp(dataDir, port, [], env);
  await waitIdle(up);
  await until('four small videos', async () => await pending() === 0 && proxies().length === 4);
  expect(readdirSync(join(dataDir, 'proxies-spool'))).toEqual([]);
});
