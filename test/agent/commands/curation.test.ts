// The owner's way: favourites and corrections in a running library, into a file and by night; a file edited in place; then a
// library indexed afresh from the same folder that reads the file back. Whole processes, real Worker, real files.
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchNights } from '../../../agent/commands/curation-export.ts';
import { listCurationFiles } from '../../../agent/commands/curation-file.ts';
import { ListLine } from '../../../protocol/list.ts';
import { freePort, runCommandAsync, startUp, stopUp, waitIdle, type Ran, type Up } from '../../support/instance.ts';
import { makeLibrary } from '../../support/library.ts';

const top = mkdtempSync(join(tmpdir(), 'jharokha-curation-'));
const folder = join(top, 'photos');
const first = join(top, 'first');
const afresh = join(top, 'afresh');
let up: Up;

beforeAll(async () => {
  await makeLibrary(folder, 4);
  up = startUp(first, await freePort(), [folder]);
  await waitIdle(up);
});
afterAll(async () => { await stopUp(up); rmSync(top, { recursive: true, force: true }); });

const json = (ran: Ran): Record<string, unknown> => JSON.parse(ran.stdout) as Record<string, unknown>;
async function list(dataDir: string): Promise<ListLine[]> {
  const ran = await runCommandAsync(dataDir, ['list', '--json', '--all']);
  expect(ran.code, ran.stderr).toBe(0);
  return ran.stdout.trim().split('\n').map((line) => ListLine.parse(JSON.parse(line)));
}
const said = (lines: readonly ListLine[]) => lines.map((l) => [l.sha256, l.favourite, l.archived, l.description, l.taken_at, l.taken_at_source, l.latitude]);
const tokenOf = (): string => (JSON.parse(readFileSync(join(first, 'agent.json'), 'utf8')) as { token: string }).token;

/** The nights of a running instance, with a clock and a data folder of this test's own. */
async function checkNights(): Promise<void> {
  const dataDir = join(top, 'nights');
  let nowMs = new Date(2026, 4, 6, 12).getTime();
  let atRest = false;
  let url = 'http://127.0.0.1:9';
  const lines: string[] = [];
  const nights = watchNights({ worker: () => ({ url, token: tokenOf() }), dataDir, isAtRest: () => atRest, say: (line) => { lines.push(line); }, now: () => nowMs, everyMs: 5 });
  const files = () => listCurationFiles(join(dataDir, 'curation'));
  const some = (ms: number) => new Promise((done) => { setTimeout(done, ms); });
  await some(100);
  expect(lines).toEqual([]);
  // A Worker out of reach is said once, and tried again.
  atRest = true;
  await expect.poll(() => lines.length, { timeout: 10_000 }).toBe(1);
  url = up.url;
  await expect.poll(() => files().length, { timeout: 10_000 }).toBe(1);
  expect(lines).toHaveLength(1);
  // The next night nothing has changed; then the file is damaged, and so written anew.
  for (const [days, count] of [[1, 1], [2, 2]] as const) {
    nowMs = new Date(2026, 4, 6 + days, 4).getTime();
    if (count === 2) writeFileSync(files()[0] ?? '', 'damaged');
    await some(300);
    await expect.poll(() => files().length, { timeout: 10_000 }).toBe(count);
  }
  await nights.stop();
}

async function correct(sha256s: string[], change: object): Promise<void> {
  const response = await fetch(`${up.url}/api/corrections`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenOf()}` }, body: JSON.stringify({ scope: { kind: 'assets', sha256s }, change }) });
  expect(response.status, await response.clone().text()).toBe(200);
}

describe('what the owner did', () => {
  it('is kept in a file, follows an edited file, and comes back into a library indexed afresh', async () => {
    const before = await list(first);
    // A picture of one path alone, with the camera's own time.
    const edited = before.find((l) => l.locations.length === 1 && l.taken_at_source === 'exif_original' && l.mime === 'image/jpeg' && l.problems.length === 0);
    const others = before.filter((l) => l !== edited);
    if (!edited || !others[0] || !others[1]) throw new Error('the library has no picture to edit');
    await correct([edited.sha256], { favourite: true, description: 'At the sea\n“here” <b>' });
    await correct([others[0].sha256], { archived: true, position: { latitude: 44.17, longitude: 9.61 } });
    await correct([others[1].sha256], { taken_at: '1999-12-31T23:59:59', utc_offset_minutes: -210 });

    // Beside the running instance; a second time nothing has changed.
    const once = await runCommandAsync(first, ['curation', 'export', '--json']);
    expect(once.code, once.stderr).toBe(0);
    expect(json(once)).toMatchObject({ written: true, counts: { asset: 3, album: 0, member: 0 } });
    expect(json(await runCommandAsync(first, ['curation', 'export', '--json']))).toMatchObject({ written: false, file: json(once)['file'] });
    expect(readdirSync(join(first, 'curation')).filter((name) => !/^curation-\d{4}-\d\d-\d\dT\d{6}\.ndjson$/.test(name))).toEqual([]);
    expect(statSync(String(json(once)['file'])).mode & 0o077).toBe(0);

    await checkNights();

    // Saved anew by another program, which keeps the metadata.
    const path = String(before.find((l) => l === edited)?.locations[0]?.path);
    const file = join(folder, path.slice(path.indexOf('photos/') + 'photos/'.length));
    const bytes = await sharp(file).negate().withMetadata().jpeg().toBuffer();
    writeFileSync(`${file}.tmp~`, bytes);
    copyFileSync(`${file}.tmp~`, file);
    rmSync(`${file}.tmp~`);
    utimesSync(file, new Date('2021-01-01'), new Date('2021-01-01'));
    expect((await runCommandAsync(first, ['sync', '--once'])).code).toBe(3);
    const now = await list(first);
    const successor = now.find((l) => l.locations.some((at) => at.path === path));
    expect(successor).toMatchObject({ favourite: true, description: 'At the sea\n“here” <b>' });
    expect(successor?.sha256).not.toBe(edited.sha256);
    expect(now.filter((l) => l.locations.length > 0).some((l) => l.sha256 === edited.sha256)).toBe(false);

    // To a place of the owner's choice; never over something else.
    const kept = join(top, 'kept.ndjson');
    expect((await runCommandAsync(first, ['curation', 'export', kept])).code).toBe(0);
    expect((await runCommandAsync(first, ['curation', 'export', kept])).code).toBe(0);
    expect((await runCommandAsync(first, ['curation', 'export', file])).code).toBe(2);

    // Another data folder, nobody running: the command starts an instance for itself. Read back before anything is indexed.
    const ran = await runCommandAsync(afresh, ['curation', 'import', kept, '--dry-run', '--json']);
    expect(ran.code, ran.stderr).toBe(0);
    expect(json(ran)).toMatchObject({ dry_run: true, edits: [], imported: { asset: { applied: 4, waiting: 4 } } });
    expect(json(await runCommandAsync(afresh, ['curation', 'import', kept, '--json']))).toMatchObject({ imported: { asset: { applied: 4, unchanged: 0, kept: 0, waiting: 4 } } });
    expect((await runCommandAsync(afresh, ['index', folder])).code).toBe(3);
    expect(said(await list(afresh))).toEqual(said(now.filter((l) => l.locations.length > 0)));
    const again = await runCommandAsync(afresh, ['curation', 'import', kept]);
    expect(again.stdout).toMatch(/Photos and videos: 0 applied, 4 as they were, 1 wait for files/);
    expect(json(await runCommandAsync(afresh, ['curation', 'export', '--json']))['content_sha256']).toBe((JSON.parse(readFileSync(kept, 'utf8').split('\n')[0] ?? '') as { content_sha256: string }).content_sha256);

    // What is damaged, or not there, or asked wrongly.
    writeFileSync(kept, readFileSync(kept).subarray(0, -40));
    const cut = await runCommandAsync(afresh, ['curation', 'import', kept, '--json']);
    expect([cut.code, cut.stdout, cut.stderr]).toEqual([1, '', expect.stringMatching(/cut short in line \d+\. Nothing was imported/)]);
    expect((await runCommandAsync(afresh, ['curation', 'import', join(top, 'nowhere')])).code).toBe(2);
    expect((await runCommandAsync(afresh, ['curation'])).code).toBe(2);
    expect((await runCommandAsync(afresh, ['curation', 'export', '--dry-run'])).code).toBe(2);
  });
});
