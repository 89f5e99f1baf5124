// Losing one side's state: the other brings it back. And a weak drive that the owner allows to be marked. Real processes.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataDir } from '../../../agent/config.ts';
import { ListLine } from '../../../protocol/list.ts';
import { freePort, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../../support/instance.ts';
import { makeLibrary } from '../../support/library.ts';
import { openD1 } from '../../support/snapshot.ts';

let base: string;
let dataDir: string;
let env: Record<string, string>;
let up: Up | undefined;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'jharokha-recovery-'));
  dataDir = join(base, 'data');
  mkdirSync(join(base, 'drive'));
  env = { JHAROKHA_TEST_VOLUMES: join(base, 'volumes.json') };
});
afterEach(async () => {
  if (up) await stopUp(up);
  up = undefined;
  rmSync(base, { recursive: true, force: true });
});
function mount(identity: 'uuid' | 'weak'): void {
  writeFileSync(env['JHAROKHA_TEST_VOLUMES'] ?? '', JSON.stringify([{ volume_id: `${identity}:drive`, label: 'Drive', mount_point: join(base, 'drive'), fs_type: 'ext4', removable: true, identity }]));
}
async function list(): Promise<ListLine[]> {
  const ran = await runCommandAsync(dataDir, ['list', '--json', '--all'], env);
  expect(ran.code, ran.stderr).toBe(0);
  return ran.stdout.trim().split('\n').map((line) => ListLine.parse(JSON.parse(line)));
}
const states = (lines: readonly ListLine[]) => lines.flatMap((l) => l.locations).reduce<Record<string, number>>((n, l) => ({ ...n, [l.state]: (n[l.state] ?? 0) + 1 }), {});

async function index(): Promise<ListLine[]> {
  const library = await makeLibrary(join(base, 'drive/Photos'), 6);
  up = startUp(dataDir, await freePort(), [library.dir], env);
  await waitIdle(up);
  const lines = await list();
  expect(lines.length).toBe(library.assets);
  return lines;
}
async function again(args: readonly string[] = []): Promise<void> {
  if (up) await stopUp(up);
  up = startUp(dataDir, await freePort(), args, env);
  await waitIdle(up);
}

test('a lost catalog is made anew: nothing doubles, and what went meanwhile is missing', async () => {
  mount('uuid');
  const before = await index();
  // What the owner corrected is in the library and no part of what is read again.
  const [first] = before;
  const corrected = await fetch(`${up?.url}/api/corrections`, {
    method: 'POST', headers: { Authorization: `Bearer ${openDataDir(dataDir).token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ scope: { kind: 'assets', sha256s: [first?.sha256] }, change: { taken_at: '1999-12-31T23:59:58', utc_offset_minutes: 345, description: 'As it was' } }),
  });
  expect(corrected.status, await corrected.text()).toBe(200);
  if (up) await stopUp(up);
  for (const name of readdirSync(dataDir)) if (name.startsWith('catalog.db')) rmSync(join(dataDir, name));
  rmSync(join(base, 'drive/Photos/Copies/again.jpg'));
  await again([join(base, 'drive/Photos')]);
  const after = await list();
  expect(after.map((l) => l.sha256).sort()).toEqual(before.map((l) => l.sha256).sort());
  expect(after.find((l) => l.sha256 === first?.sha256)).toMatchObject({ taken_at: '1999-12-31T23:59:58', taken_at_source: 'owner', utc_offset_minutes: 345, description: 'As it was' });
  const all = states(before)['present'] ?? 0;
  expect(states(after)).toEqual({ present: all - 1, missing: 1 });
});

test('a lost library is pushed again, pictures included', async () => {
  mount('uuid');
  const before = await index();
  if (up) await stopUp(up);
  rmSync(join(dataDir, 'worker'), { recursive: true });
  await again();
  // What was made anew for lack of a rendition comes with the next look at the drive.
  await runCommandAsync(dataDir, ['sync', '--once', '--json'], env);
  expect((await list()).map((l) => l.sha256)).toEqual(before.map((l) => l.sha256));
  const doctor = await runCommandAsync(dataDir, ['doctor', '--json'], env);
  expect(doctor.code, doctor.stderr).toBe(0);
  const report = JSON.parse(doctor.stdout) as { renditions_stored: number; renditions_missing: number };
  expect(report.renditions_missing).toBe(0);
  expect(report.renditions_stored).toBeGreaterThanOrEqual(before.length);
});

test('a weak drive asks about every absence until the owner allows a marker', async () => {
  mount('weak');
  const before = await index();
  rmSync(join(base, 'drive/Photos/Copies/again.jpg'));
  expect((await runCommandAsync(dataDir, ['sync', '--once', '--json'], env)).code).toBe(5);
  expect((await runCommandAsync(dataDir, ['confirm-missing', '--keep'], env)).code).toBe(0);
  expect(existsSync(join(base, 'drive/.jharokha-volume'))).toBe(false);

  const named = await fetch(`${up?.url}/drives/weak%3Adrive/words`, { method: 'POST', headers: { origin: up?.url ?? '' }, body: new URLSearchParams({ label: 'Holiday card', note: 'in the blue box' }) });
  expect(await named.text()).toContain('Holiday card');
  const { token } = JSON.parse(readFileSync(join(dataDir, 'agent.json'), 'utf8')) as { token: string };
  const asked = await fetch(`${up?.url}/api/request/allow_marker`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ volume_id: 'weak:drive' }) });
  const answer = await asked.text();
  expect(asked.status, answer).toBe(200);
  expect(existsSync(join(base, 'drive/.jharokha-volume'))).toBe(true);
  const { volume_id } = JSON.parse(answer) as { volume_id: string };
  expect(volume_id).toMatch(/^marker:/);
  // The very next page names it as the owner does, connected and no longer weak.
  const page = await (await fetch(`${up?.url}/drives`)).text();
  expect(page).toContain(`id="drive-${volume_id.replace(':', '_3a')}"`);
  expect(page).toContain('Holiday card');
  expect(page).toContain('Connected');
  for (let i = 0; i < 40; i += 1) {
    await sleep(500);
    if (up) await waitIdle(up);
    if ((await list()).every((l) => l.locations.every((at) => at.volume_id === volume_id))) break;
  }
  const after = await list();
  expect(after.map((l) => l.sha256)).toEqual(before.map((l) => l.sha256));
  expect([...new Set(after.flatMap((l) => l.locations.map((at) => at.volume_id)))]).toEqual([volume_id]);

  const drives = await (await fetch(`${up?.url}/api/volumes`, { headers: { authorization: `Bearer ${token}` } })).json();
  expect(drives).toMatchObject([{ volume_id, volume: 'Holiday card', note: 'in the blue box', identity: 'marker' }]);
  const db = openD1(dataDir);
  expect(db.prepare('SELECT volume_id FROM volumes').all().map((r) => r['volume_id'])).toEqual([volume_id]);
  db.close();

  // A drive with a lasting name need not ask about a single file.
  rmSync(join(base, 'drive/Photos/Copies/same file.jpg'));
  expect([0, 3]).toContain((await runCommandAsync(dataDir, ['sync', '--once', '--json'], env)).code);
  expect(states(await list())['missing']).toBeGreaterThanOrEqual(1);
});
