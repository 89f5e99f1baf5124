// Originals in a real browser, from a real instance with folders that stand in for drives: one and many come byte for byte, with
// their length; a drive that is pulled in the middle is a failed download; one that is away is named.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { openDataDir } from '../../agent/config.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { createFakeVolumes, type FakeVolumes } from '../support/fake-volumes.ts';
import { fetchList, freePort, startUp, stopUp, waitIdle, type Up } from '../support/instance.ts';
import { makeClip } from '../support/make-clip.ts';
import { makePicture } from '../support/make-media.ts';
import type { ListLine } from '../../protocol/list.ts';

const SOON = { timeout: 30_000 };
/** Larger than all that lies between a drive and a browser that does not read. */
const LARGE_BYTES = 200 * 1024 * 1024;

let drives: FakeVolumes;
let up: Up;
let data: string;
let browser: Browser;
let page: Page;
let said: string[];
let close: (() => Promise<void>) | undefined;
let lines: ListLine[];
const tops: Record<string, string> = {};
const of = (path: string): ListLine => { const line = lines.find((each) => each.locations.some((at) => at.path === path)); if (!line) throw new Error(`${path} is not listed: ${JSON.stringify(lines.map((l) => l.locations))}`); return line; };

beforeAll(async () => {
  drives = createFakeVolumes();
  for (const name of ['Blue', 'Old HDD', 'Pulled']) tops[name] = drives.plugIn(name);
  const put = async (drive: string, path: string, seed: number) => { const at = join(tops[drive] ?? '', path); writeFileSync(at, await makePicture({ seed, width: 64, height: 48 })); utimesSync(at, 1_600_000_000, 1_600_000_000); };
  await put('Blue', 'PXL_1.MP.jpg', 1);
  mkdirSync(join(tops['Blue'] ?? '', 'more'));
  await put('Blue', 'more/PXL_1.MP.jpg', 2);
  await put('Blue', 'more/Zürich.jpg', 3);
  await put('Old HDD', 'old.jpg', 4);
  await makeClip({ path: join(tops['Blue'] ?? '', 'film.mp4'), seconds: 1 });
  writeFileSync(join(tops['Blue'] ?? '', 'PXL_1.MP'), readFileSync(join(tops['Blue'] ?? '', 'film.mp4')));
  await put('Pulled', 'large.jpg', 5);
  const block = Buffer.alloc(8 * 1024 * 1024, 7);
  for (let size = 0; size < LARGE_BYTES; size += block.length) appendFileSync(join(tops['Pulled'] ?? '', 'large.jpg'), block);
  data = join(drives.folder, 'data');
  up = startUp(data, await freePort(), Object.values(tops), { JHAROKHA_TEST_VOLUMES: drives.file });
  browser = await openBrowser();
  await waitIdle(up);
  lines = await fetchList(up, data);
});
afterAll(async () => {
  await browser?.close();
  if (up) await stopUp(up);
  drives?.remove();
});
afterEach(async () => {
  await close?.();
  close = undefined;
});

async function open(path: string): Promise<void> {
  ({ page, said, close } = await openPage(browser, up.url));
  await page.goto(path);
}
async function downloadBy(work: () => Promise<unknown>) {
  const coming = page.waitForEvent('download', SOON);
  await work();
  return coming;
}
const tile = (path: string) => page.locator(`a.tile[href^="/a/${of(path).sha256}"]`);
async function select(...paths: string[]): Promise<void> {
  for (const path of paths) { await tile(path).hover(); await tile(path).click({ position: { x: 12, y: 12 } }); }
}
const unplug = async (name: string) => { drives.unplug(name); await expect.poll(async () => (await fetchList(up, data)).flatMap((l) => l.locations).filter((l) => l.volume === name && l.state === 'present').length, SOON).toBe(0); };
const replug = async (name: string) => { drives.replug(name); await expect.poll(async () => (await fetchList(up, data)).flatMap((l) => l.locations).filter((l) => l.volume === name && l.state === 'away').length, SOON).toBe(0); };

describe('in the viewer', () => {
  test('the original comes under its name, byte for byte', async () => {
    await open(`/a/${of('more/Zürich.jpg').sha256}`);
    const download = await downloadBy(() => page.locator('[data-viewer="original"]').click());
    expect(download.suggestedFilename()).toBe('Zürich.jpg');
    expect(readFileSync(await download.path()).equals(readFileSync(join(tops['Blue'] ?? '', 'more/Zürich.jpg')))).toBe(true);
    expect(said).toEqual([]);
    const answer = await fetch(`${up.url}/originals/${of('more/Zürich.jpg').sha256}`, { headers: { Authorization: `Bearer ${openDataDir(data).token}` } });
    expect([answer.headers.get('content-length'), answer.headers.get('content-type')]).toEqual([String((await answer.arrayBuffer()).byteLength), 'image/jpeg']);
  });

  test('of a drive that is away it says which to plug in', async () => {
    await unplug('Old HDD');
    try {
      await open(`/a/${of('old.jpg').sha256}`);
      expect(await page.locator('[data-viewer="original"]').count()).toBe(0);
      await page.getByRole('button', { name: 'Plug in ‘Old HDD’ to download the original.' }).click();
      expect(await page.locator('#original-away').innerText()).toBe('Plug in ‘Old HDD’ to download the original.');
    } finally { await replug('Old HDD'); }
  });
});

describe('of a selection', () => {
  test('a zip comes with what belongs together, and says what is away', async () => {
    await unplug('Old HDD');
    try {
      await open('/');
      await select('PXL_1.MP.jpg', 'more/PXL_1.MP.jpg', 'more/Zürich.jpg', 'old.jpg');
      const download = await downloadBy(() => page.keyboard.press('d'));
      await page.locator('.toast-line', { hasText: '1 is on ‘Old HDD’, which is away.' }).waitFor(SOON);
      expect(download.suggestedFilename()).toBe('jharokha-originals.zip');
      const read = spawnSync('python3', ['-c', 'import zipfile,sys,json,hashlib\nz=zipfile.ZipFile(sys.argv[1])\nprint(json.dumps({i.filename:[hashlib.sha256(z.read(i)).hexdigest(),i.date_time[0]] for i in z.infolist()}))', await download.path()], { encoding: 'utf8' });
      const files = JSON.parse(read.stdout) as Record<string, [string, number]>;
      const names = Object.keys(files).sort();
      expect(names.length).toBe(4);
      expect(names.filter((name) => name.includes('(2)')).every((name) => name.startsWith('PXL_1.MP (2)'))).toBe(true);
      expect(Object.values(files).map(([sha256]) => sha256).sort()).toEqual([of('PXL_1.MP.jpg').sha256, of('PXL_1.MP').sha256, of('more/PXL_1.MP.jpg').sha256, of('more/Zürich.jpg').sha256].sort());
      expect(files['Zürich.jpg']?.[1]).toBe(2020);
      expect(said).toEqual([]);
    } finally { await replug('Old HDD'); }
  });

  test('with every drive away the preview comes, and which drive has the original is said', async () => {
    await unplug('Old HDD');
    try {
      await open('/');
      await select('old.jpg');
      const download = await downloadBy(() => page.keyboard.press('d'));
      expect(download.suggestedFilename()).toBe('old.webp');
      await page.locator('.toast-line', { hasText: 'Only previews were downloaded. Plug in ‘Old HDD’ to download the original.' }).waitFor(SOON);
    } finally { await replug('Old HDD'); }
  });
});

describe('a drive that is pulled in the middle', () => {
  test('ends the browser’s download as failed, never as a short file', async () => {
    await open(`/a/${of('large.jpg').sha256}`);
    const download = await downloadBy(() => page.locator('[data-viewer="original"]').click());
    drives.unplug('Pulled');
    try { expect(await download.failure()).not.toBeNull(); } finally { await replug('Pulled'); }
    expect(up.log()).toContain('A download of an original broke: ‘large.jpg’ on ‘Pulled’');
  });

  test('and that of a reader who had stopped reading, which is then begun again and comes whole', async () => {
    const headers = { Authorization: `Bearer ${openDataDir(data).token}` };
    const address = `${up.url}/originals/${of('large.jpg').sha256}`;
    const outcome = new Promise<{ whole: boolean; bytes: number }>((done) => {
      get(address, { headers }, (answer) => {
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => { bytes += chunk.length; });
        answer.on('end', () => { done({ whole: answer.complete, bytes }); });
        answer.on('error', () => { done({ whole: false, bytes }); });
        answer.pause();
        setTimeout(() => { drives.unplug('Pulled'); answer.resume(); }, 1_500);
      });
    });
    try {
      const ended = await outcome;
      // What was open may be read on from memory, but the last part never leaves.
      expect([ended.whole, ended.bytes < of('large.jpg').size_bytes]).toEqual([false, true]);
    } finally { await replug('Pulled'); }
    const again = await fetch(address, { headers });
    expect((await again.arrayBuffer()).byteLength).toBe(of('large.jpg').size_bytes);
  });
});
