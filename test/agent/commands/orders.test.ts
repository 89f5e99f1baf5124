// Orders by the command line, against a running instance with two drives: each kind as a dry run, in JSON and for real, and the
// wrong words. What orders do in every trouble is test/agent/orders'.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFakeVolumes, type FakeVolumes } from '../../support/fake-volumes.ts';
import { freePort, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../../support/instance.ts';
import { makePicture } from '../../support/make-media.ts';

let drives: FakeVolumes;
let blue: string, red: string, dataDir: string;
let env: Record<string, string>;
let up: Up;

const run = (...args: string[]) => runCommandAsync(dataDir, args, env);
async function json(...args: string[]): Promise<Record<string, unknown> & { receipts?: { path: string; outcome: string; to_path: string | null }[] }> {
  const { stdout, stderr } = await run(...args, '--json');
  try { return JSON.parse(stdout) as Record<string, unknown>; } catch { throw new Error(`no JSON: ${stdout}${stderr}`); }
}
const outcomes = (answer: Awaited<ReturnType<typeof json>>) => Object.fromEntries((answer.receipts ?? []).map((r) => [r.path, r.outcome]));
function put(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  utimesSync(path, 1_600_000_000, 1_600_000_000);
}
/** What lies below, outside of the trash. */
const files = (top: string) => readdirSync(top, { recursive: true, withFileTypes: true }).filter((e) => e.isFile() && !e.parentPath.includes('.jharokha-trash')).map((e) => join(e.parentPath, e.name).slice(top.length + 1)).sort();

beforeAll(async () => {
  drives = createFakeVolumes();
  blue = drives.plugIn('Blue');
  red = drives.plugIn('Red');
  const pictures = await Promise.all([1, 2, 3].map((seed) => makePicture({ width: 64, height: 48, seed })));
  pictures.forEach((bytes, i) => { put(join(blue, `P/${i}.jpg`), bytes); });
  put(join(blue, 'P/again.jpg'), pictures[0] as Buffer);
  put(join(red, 'kept.jpg'), pictures[1] as Buffer);
  dataDir = mkdtempSync(join(tmpdir(), 'jharokha-orders-cli-'));
  env = { JHAROKHA_TEST_VOLUMES: drives.file };
  up = startUp(dataDir, await freePort(), [blue, red, '--no-proxies'], env);
  await waitIdle(up);
}, 120_000);
afterAll(async () => {
  if (up) await stopUp(up);
  drives?.remove();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('by the command line', () => {
  test('duplicates are listed, with what they take', async () => {
    const { stdout, code } = await run('duplicates', '--json');
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as { files?: { paths?: string[] }[] });
    expect(JSON.stringify(lines)).toMatch(/P\/again\.jpg/);
    expect(JSON.stringify(lines)).toMatch(/kept\.jpg/);
  });

  test('a path is that file alone: in the trash, out of it, and for good', async () => {
    expect((await run('trash', join(blue, 'P/again.jpg'), '--dry-run')).stdout).toMatch(/^1 file of 1 photo or video, .*Nothing was done\.\n {2}Blue: 1 file\n/);
    expect(await json('trash', join(blue, 'P/again.jpg'), '--dry-run')).toMatchObject({ kind: 'trash', dry_run: true, files: 1, last_copies: 0 });
    expect(outcomes(await json('trash', join(blue, 'P/again.jpg')))).toEqual({ 'P/again.jpg': 'trashed' });
    expect(files(blue)).toEqual(['P/0.jpg', 'P/1.jpg', 'P/2.jpg']);
    // The last copy only by a word.
    const kept = await run('trash', join(blue, 'P/0.jpg'));
    expect([kept.code, kept.stderr]).toEqual([1, expect.stringMatching(/no other copy is known/)]);
    expect(outcomes(await json('trash', join(blue, 'P/0.jpg'), '--last-copies'))).toEqual({ 'P/0.jpg': 'trashed' });
    // Both are of one hash; each is restored and emptied by itself.
    expect(await json('empty-trash', join(blue, 'P/again.jpg'), '--dry-run')).toMatchObject({ kind: 'empty', files: 1 });
    expect(outcomes(await json('restore', join(blue, 'P/0.jpg')))).toEqual({ 'P/0.jpg': 'restored' });
    expect(outcomes(await json('empty-trash', join(blue, 'P/again.jpg')))).toEqual({ 'P/again.jpg': 'emptied' });
    expect(files(blue)).toEqual(['P/0.jpg', 'P/1.jpg', 'P/2.jpg']);
    expect((await run('empty-trash')).code).not.toBe(0);
  });

  test('verify, copy and export', async () => {
    expect(await json('verify', 'Red', '--dry-run')).toMatchObject({ kind: 'verify', files: 1 });
    expect(outcomes(await json('verify', red))).toEqual({ 'kept.jpg': 'verified' });
    expect(await json('copy', join(blue, 'P'), '--to', 'Red', '--into', 'Copies', '--dry-run')).toMatchObject({ files: 2, target: { label: 'Red' }, note: expect.stringContaining('already') });
    expect(existsSync(join(red, 'Copies'))).toBe(false);
    expect(outcomes(await json('copy', join(blue, 'P'), '--to', 'Red', '--into', 'Copies'))).toEqual({ 'P/0.jpg': 'copied', 'P/1.jpg': 'already', 'P/2.jpg': 'copied' });
    expect(readFileSync(join(red, 'Copies/P/0.jpg'))).toEqual(readFileSync(join(blue, 'P/0.jpg')));
    const folder = join(drives.folder, 'out');
    expect((await run('export', join(blue, 'P/2.jpg'), '--to', folder, '--no-sidecars', '--dry-run')).stdout).toContain('onto ');
    expect(existsSync(folder)).toBe(false);
    const exported = await json('export', join(blue, 'P/2.jpg'), '--to', folder, '--no-sidecars', '--template', '');
    expect(exported.receipts).toMatchObject([{ outcome: 'exported', to_path: join(folder, '2.jpg') }]);
    expect(files(folder)).toEqual(['2.jpg']);
    const inside = await run('export', join(blue, 'P/2.jpg'), '--to', join(dataDir, 'x'), '--dry-run');
    expect([inside.code, inside.stdout]).toEqual([1, expect.stringContaining('own data')]);
  });

  test.each([
    [['trash'], /Say which/], [['trash', '/nowhere/at/all.jpg'], /Nothing of the library lies at/], [['restore', '/nowhere.jpg'], /Nothing in the trash lay at/], [['copy', '/x', '--to', 'Nobody'], /There is no drive "Nobody"/],
    [['verify', 'Nobody'], /There is no drive "Nobody"/], [['export', '/x'], /--to FOLDER/], [['forget', 'Nobody'], /There is no drive "Nobody"/],
  ])('%j says what is wrong', async (args, words) => {
    const { code, stderr, stdout } = await run(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(words);
  });

  test('a drive that is away is asked for; one that never comes again is let go', async () => {
    drives.unplug('Red');
    await expect.poll(async () => (await run('volumes')).stdout, { timeout: 20_000 }).toContain('○ Red');
    expect((await run('verify', 'Red')).stderr).toMatch(/is away/);
    expect((await run('forget', 'Red', '--dry-run')).code).toBe(0);
    expect((await run('volumes')).stdout).toContain('Red');
    expect((await run('forget', 'Red')).code).toBe(0);
    expect((await run('volumes')).stdout).not.toContain('Red');
  });
});
