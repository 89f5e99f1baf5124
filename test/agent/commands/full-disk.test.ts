// A data folder on a disk that is really full, a small tmpfs: the command says so, in words and with the folder, nothing
// is lost, and with room again the same command ends with the library of an uninterrupted run. Needs root on Linux.
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort, runCommandAsync, startUp, stopUp, waitIdle, type Ran, type Up } from '../../support/instance.ts';
import { makeLibrary } from '../../support/library.ts';
import { differences, snapshotLibrary } from '../../support/snapshot.ts';

const base = mkdtempSync(join(tmpdir(), 'jharokha-full-'));
const disk = join(base, 'disk');
const library = join(base, 'library');
const dataDir = join(disk, 'data');
const ROOMY = '256m';
let mounted = false;

function mount(size: string): void {
  mkdirSync(disk, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk], { stdio: 'pipe' });
  mounted = true;
}
function unmount(): void {
  if (!mounted) return;
  // Lazily where something still holds it: it must not outlive the test.
  try { execFileSync('umount', [disk], { stdio: 'pipe' }); } catch { execFileSync('umount', ['-l', disk], { stdio: 'pipe' }); }
  mounted = false;
}
function resize(size: string): void { execFileSync('mount', ['-o', `remount,size=${size}`, disk], { stdio: 'pipe' }); }

/** Why this test cannot run here, or undefined. */
function whyNot(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a tmpfs';
  try { mount('1m'); unmount(); return undefined; } catch (error) { return `mount refuses: ${String(error).split('\n')[1] ?? String(error)}`; }
}
const reason = whyNot();

/** Takes what is left of the disk, to the last page. */
function fill(): void {
  const fd = openSync(join(disk, 'filler'), 'a');
  try {
    for (const size of [1 << 20, 4096]) {
      const block = Buffer.alloc(size);
      try { for (;;) writeSync(fd, block); } catch (error) { if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error; }
    }
  } finally { closeSync(fd); }
}

describe.skipIf(reason !== undefined)(`a full disk${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let whole: string[];
  let up: Up | undefined;
  const index = () => runCommandAsync(dataDir, ['index', library, '--json']);

  beforeAll(async () => {
    await makeLibrary(library);
    const calm = join(base, 'calm');
    const ran = await runCommandAsync(calm, ['index', library, '--json']);
    expect(ran.code, ran.stderr).toBe(3);
    whole = snapshotLibrary(calm);
    expect(whole.length).toBeGreaterThan(80);
  }, 120_000);
  beforeEach(() => { unmount(); });
  afterEach(async () => {
    if (up) await stopUp(up);
    up = undefined;
    unmount();
  });
  afterAll(() => {
    unmount();
    rmSync(base, { recursive: true, force: true });
  });

  function expectFull(ran: Ran): void {
    expect(ran.code, ran.stderr).toBe(1);
    expect(ran.stderr.trim().split('\n').at(-1)).toBe(`Jharokha stopped: The disk that holds the data folder ${dataDir} is full: Jharokha needs 16 MB free there. Make room, then scan again; it goes on where it stopped.`);
    expect(ran.stdout).toBe('');
  }
  async function expectWholeWithRoom(): Promise<void> {
    resize(ROOMY);
    rmSync(join(disk, 'filler'), { force: true });
    const again = await index();
    expect(again.code, again.stderr).toBe(3);
    expect(differences(whole, snapshotLibrary(dataDir))).toEqual([]);
    const doctor = await runCommandAsync(dataDir, ['doctor', '--json']);
    expect(JSON.parse(doctor.stdout), doctor.stderr).toMatchObject({ catalog: 'ok', renditions_missing: 0 });
  }

  // From no room for anything to room for nearly all of the 3 MB that the library takes.
  test.each(['8m', '18m', '19m'])('fills up by its own work, %s', async (size) => {
    mount(size);
    const ran = await index();
    expectFull(ran);
    // It stops before the end of the disk, so nobody else has cause to complain.
    expect(ran.stderr.trim().split('\n')).toHaveLength(1);
    await expectWholeWithRoom();
  });

  // Another program takes the last byte at some moment of the work.
  test.each([0, 100, 300])('is filled to the last byte by another, %s ms after the catalog is there', { timeout: 120_000 }, async (ms) => {
    mount('24m');
    const running = index();
    let ended = false;
    void running.then(() => { ended = true; });
    while (!ended && !existsSync(join(dataDir, 'catalog.db'))) await sleep(5);
    await sleep(ms);
    while (!ended) { fill(); await sleep(20); }
    expectFull(await running);
    await expectWholeWithRoom();
  });

  test('is full from the start, new or not', async () => {
    mount('24m');
    fill();
    const first = await index();
    expect(first.code).toBe(1);
    expect(first.stderr).toContain(dataDir);
    expect(first.stderr).toContain('full');
    resize(ROOMY);
    rmSync(join(disk, 'filler'));
    expect((await index()).code).toBe(3);
    fill();
    expectFull(await index());
    await expectWholeWithRoom();
  });

  test('a running instance says it once, serves its pages, and goes on when there is room', { timeout: 120_000 }, async () => {
    mount('18m');
    up = startUp(dataDir, await freePort(), [library]);
    const until = Date.now() + 30_000;
    while (Date.now() < until && !up.log().includes('is full')) await sleep(100);
    // One more try to push, after 5 s.
    await sleep(6_000);
    expect(up.log().match(/Could not store/g) ?? []).toHaveLength(1);
    expect((await fetch(`${up.url}/`)).status).toBe(200);
    resize(ROOMY);
    const ran = await index();
    expect(ran.code, ran.stderr).toBe(3);
    await waitIdle(up);
    await stopUp(up);
    up = undefined;
    expect(differences(whole, snapshotLibrary(dataDir))).toEqual([]);
  });
});
