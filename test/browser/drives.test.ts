// Drives that come and go, and the trash, as their owner meets them: real processes, a real browser, folders that stand in for
// drives. A Live Photo goes to the trash and comes back byte for byte; with its drive away one is told which to plug in.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { ListLine } from '../../protocol/list.ts';
import { makeScene } from '../../scripts/demo-scenes.ts';
import { openBrowser, watchPage } from '../support/browser.ts';
import { createFakeVolumes, type FakeVolumes } from '../support/fake-volumes.ts';
import { freePort, runCommandAsync, startUp, stopUp, waitIdle, type Up } from '../support/instance.ts';
import { makePicture, makeVideo, phoneExif, setCreationTime } from '../support/make-media.ts';

const SOON = { timeout: 20_000 };
let drives: FakeVolumes;
let blue: string, old: string, dataDir: string;
let up: Up | undefined;
let browser: Browser;
let page: Page;
let said: string[];
let env: Record<string, string>;

function put(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  utimesSync(path, 1_600_000_000, 1_600_000_000);
}
/** Every file below a folder: its bytes by hash, and its time. */
function filesIn(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile() && !e.parentPath.includes('.jharokha-trash')).map((e) => {
    const path = join(e.parentPath, e.name);
    return [path.slice(folder.length + 1), `${createHash('sha256').update(readFileSync(path)).digest('hex')} ${lstatSync(path).mtimeMs}`] as const;
  }).sort());
}
async function list(...args: string[]): Promise<ListLine[]> {
  const { stdout } = await runCommandAsync(dataDir, ['list', '--json', ...args], env);
  return stdout.split('\n').filter(Boolean).map((line) => ListLine.parse(JSON.parse(line)));
}
const at = (lines: ListLine[], path: string) => lines.find((l) => l.locations.some((x) => x.path === path));

beforeAll(async () => {
  drives = createFakeVolumes();
  blue = drives.plugIn('Blue SSD');
  old = drives.plugIn('Old HDD');
  for (let i = 0; i < 6; i += 1) put(join(blue, 'DCIM', `p${i}.jpg`), (await makeScene(i, 0.4)).bytes);
  put(join(old, 'Copies', 'p0.jpg'), readFileSync(join(blue, 'DCIM/p0.jpg')));
  put(join(blue, 'DCIM', 'IMG_9.JPG'), await makePicture({ width: 640, height: 480, seed: 6, exif: phoneExif({ taken: '2026:07:01 12:00:01', offset: '+02:00' }) }));
  await makeVideo({ path: join(blue, 'DCIM', 'IMG_9.MOV'), format: 'mov' });
  setCreationTime(join(blue, 'DCIM', 'IMG_9.MOV'), Date.UTC(2026, 6, 1, 10, 0, 0));
  put(join(blue, 'DCIM', 'IMG_9.AAE'), Buffer.from('<?xml version="1.0"?><plist version="1.0"><dict/></plist>'));
  dataDir = mkdtempSync(join(tmpdir(), 'jharokha-trash-'));
  env = { JHAROKHA_TEST_VOLUMES: drives.file };
  up = startUp(dataDir, await freePort(), [blue, old, '--no-proxies'], env);
  [browser] = await Promise.all([openBrowser(), waitIdle(up)]);
  const context = await browser.newContext({ baseURL: up.url, viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
  said = watchPage(page);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  if (up) await stopUp(up);
  drives?.remove();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Until the order on the page has ended. */
async function untilEnded(): Promise<string> {
  await page.locator('.order-state:not([aria-busy])').waitFor(SOON);
  return page.locator('.order-state').innerText();
}

test('a Live Photo goes to the trash as one, says what would go before, and comes back byte for byte', async () => {
  const before = { disk: filesIn(blue), list: await list() };
  const live = at(before.list, 'DCIM/IMG_9.JPG');
  expect(live?.live_video).toBe(at(before.list, 'DCIM/IMG_9.MOV')?.sha256);
  await page.goto(`/a/${live?.sha256 ?? ''}`);
  await page.keyboard.press('Delete');
  await page.getByRole('heading', { name: 'Move 1 photo or video to the trash?' }).waitFor(SOON);
  const words = await page.locator('main').innerText();
  expect(words).toContain('2 files');
  expect(words).toContain('1 sidecar that belongs to them');
  expect(words).toContain('no other copy is known anywhere');
  // The last copy asks by typing, and another word is not it: the browser holds the form back, and so does the Worker.
  await page.getByRole('textbox', { name: /no other copy/ }).fill('yes');
  await page.getByRole('button', { name: 'Move to the trash' }).click();
  expect(new URL(page.url()).pathname).toMatch(/^\/orders\/[0-9a-f-]+$/);
  expect(filesIn(blue)).toEqual(before.disk);
  await page.evaluate("document.querySelector('.order-form').noValidate = true");
  await page.getByRole('button', { name: 'Move to the trash' }).click();
  await page.getByText('Type the word trash').waitFor(SOON);
  expect(said.splice(0)).toEqual([expect.stringMatching(/^422 /)]);
  await page.getByRole('textbox', { name: /no other copy/ }).fill(' Trash ');
  // What one has typed outlives the news of a drive.
  await Promise.all([page.waitForResponse((r) => r.request().method() === 'GET' && /\/orders\/[0-9a-f-]+$/.test(r.url())), page.evaluate("document.body.dispatchEvent(new CustomEvent('live-presence'))")]);
  await page.waitForTimeout(200);
  expect(await page.getByRole('textbox', { name: /no other copy/ }).inputValue()).toBe(' Trash ');
  await page.getByRole('button', { name: 'Move to the trash' }).click();
  expect(await untilEnded()).toContain('3 in the trash');
  expect(Object.keys(filesIn(blue)).filter((path) => path.includes('IMG_9'))).toEqual([]);
  expect(await page.locator('.receipt').count()).toBe(3);
  await expect.poll(async () => (await list()).length, SOON).toBe(before.list.length - 2);
  expect((await list('--all')).filter((l) => l.trashed).map((l) => l.sha256).sort()).toEqual([live?.sha256, live?.live_video].sort());

  await page.goto('/trash');
  expect(await page.locator('.trash-tile').count()).toBe(1);
  await page.locator('html[data-live="open"]').waitFor(SOON);
  await page.locator('.trash-tile').click();
  // What is chosen stays so while its drive goes and comes.
  drives.unplug('Blue SSD');
  await page.getByText('What lies on a drive that is away').waitFor(SOON);
  expect(await page.locator('.trash-tile input:checked').count()).toBe(1);
  drives.replug('Blue SSD');
  await page.getByText('What lies on a drive that is away').waitFor({ state: 'detached', ...SOON });
  if (up) await waitIdle(up);
  expect(await page.locator('.trash-tile input:checked').count()).toBe(1);
  await page.getByRole('button', { name: 'Restore the chosen' }).click();
  expect(await untilEnded()).toContain('3 restored');
  expect(filesIn(blue)).toEqual(before.disk);
  await expect.poll(async () => JSON.stringify(await list()), SOON).toBe(JSON.stringify(before.list));
  await page.goto('/trash');
  await page.getByText('Nothing is in the trash.').waitFor(SOON);
  expect(said.splice(0)).toEqual([]);
});

// How soon is measured by `npm run bench -- presence`.
test('unplugging and plugging in show on an open page by themselves', async () => {
  await page.goto('/drives');
  await page.locator('html[data-live="open"]').waitFor(SOON);
  const dot = page.locator('#dots li', { hasText: 'Old HDD' });
  await expect.poll(() => dot.innerText(), SOON).toContain('connected');
  drives.unplug('Old HDD');
  await expect.poll(() => dot.innerText(), SOON).toContain('away');
  drives.replug('Old HDD');
  await expect.poll(() => dot.innerText(), SOON).toContain('connected');
  if (up) await waitIdle(up);
});

test('with the drive away one is told which to plug in; a copy that is away stays, and does not come back by itself', async () => {
  const lines = await list();
  const both = at(lines, 'DCIM/p0.jpg')?.sha256 ?? '';
  const onlyBlue = at(lines, 'DCIM/p1.jpg')?.sha256 ?? '';
  await page.goto(`/a/${onlyBlue}`);
  await page.keyboard.press('Delete');
  await page.getByRole('button', { name: 'Move to the trash' }).waitFor(SOON);
  await page.locator('html[data-live="open"]').waitFor(SOON);
  // While one still reads the question.
  drives.unplug('Blue SSD');
  await page.getByText('Plug in ‘Blue SSD’').waitFor(SOON);
  expect(await page.getByRole('button', { name: 'Move to the trash' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Back' }).click();
  // Of this one the other drive is here.
  await page.goto(`/a/${both}`);
  await page.keyboard.press('Delete');
  await page.getByText('1 file there stays, now and when it is plugged in').waitFor(SOON);
  await page.getByRole('button', { name: 'Move to the trash' }).click();
  expect(await untilEnded()).toContain('1 in the trash');
  expect(existsSync(join(old, 'Copies/p0.jpg'))).toBe(false);
  drives.replug('Blue SSD');
  if (up) await waitIdle(up);
  expect(existsSync(join(blue, 'DCIM/p0.jpg'))).toBe(true);
  expect((await list()).some((l) => l.sha256 === both)).toBe(false);
  await page.goto('/trash');
  await page.getByText('1 more on a drive').waitFor(SOON);
  await page.getByRole('button', { name: 'Restore everything' }).click();
  await untilEnded();
  await expect.poll(async () => (await list()).some((l) => l.sha256 === both), SOON).toBe(true);
  expect(said.splice(0)).toEqual([]);
});

test('what is selected goes as one order; all of it is put back by its page', async () => {
  const before = filesIn(blue);
  await page.goto('/');
  await page.locator('a.tile').nth(2).waitFor(SOON);
  await page.locator('a.tile').first().focus();
  for (const _ of [1, 2, 3]) { await page.keyboard.press('x'); await page.keyboard.press('ArrowRight'); }
  await page.locator('#doing:not([hidden])').waitFor(SOON);
  await page.locator('[data-do="trash"]:visible').first().click();
  await page.getByRole('heading', { name: 'Move 3 photos and videos to the trash?' }).waitFor(SOON);
  const word = page.getByRole('textbox', { name: /no other copy/ });
  if (await word.count() > 0) await word.fill('trash');
  await page.getByRole('button', { name: 'Move to the trash' }).click();
  expect(await untilEnded()).toMatch(/in the trash/);
  expect(Object.keys(filesIn(blue)).length).toBeLessThan(Object.keys(before).length);
  const csv = await page.request.get(await page.getByRole('link', { name: 'As a table (CSV)' }).getAttribute('href') ?? '');
  expect((await csv.text()).split('\r\n')[0]).toBe('n,outcome,reason,role,drive,volume_id,path,sha256,size_bytes,to,at');
  await page.getByRole('button', { name: 'Put it all back' }).click();
  expect(await untilEnded()).toMatch(/restored/);
  expect(filesIn(blue)).toEqual(before);
  await page.goto('/orders');
  expect(await page.locator('.order-row').count()).toBeGreaterThanOrEqual(4);
  expect(said.splice(0)).toEqual([]);
});

test('an export goes onto the drive that was shown, and not onto what has its path once it has left', async () => {
  const usb = drives.plugIn('USB stick');
  const before = filesIn(blue);
  await page.goto('/');
  await page.locator('a.tile').nth(2).waitFor(SOON);
  await page.locator('a.tile').first().focus();
  for (const _ of [1, 2]) { await page.keyboard.press('x'); await page.keyboard.press('ArrowRight'); }
  await page.locator('#doing:not([hidden])').waitFor(SOON);
  await page.getByRole('button', { name: 'More to do' }).click();
  await page.getByRole('button', { name: 'Export to a folder' }).click();
  await page.getByRole('heading', { name: /^Export 2 photos and videos/ }).waitFor(SOON);
  const folder = page.getByRole('combobox', { name: 'Into which folder' });
  await folder.fill(join(usb, 'nowhere/at/all'));
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText(`There is no folder ${join(usb, 'nowhere/at')}.`).waitFor(SOON);
  await folder.fill(join(usb, 'Export'));
  await page.getByRole('button', { name: 'Change' }).click();
  await page.getByText('Onto ‘USB stick’.').waitFor(SOON);
  await page.locator('html[data-live="open"]').waitFor(SOON);
  drives.unplug('USB stick', 'left_empty');
  await page.getByText('was to be on, is not connected').waitFor(SOON);
  expect(await page.getByRole('button', { name: 'Export', exact: true }).count()).toBe(0);
  // Nor by a page that did not hear of it.
  const answer = await page.request.post(`${page.url()}/give`, { headers: { Origin: new URL(page.url()).origin }, form: {} });
  expect([answer.status(), readdirSync(usb)]).toEqual([422, []]);
  drives.replug('USB stick');
  // It may be back before anybody told that it had left: a plan looks at the drive itself.
  await page.reload();
  await page.locator('html[data-live="open"]').waitFor(SOON);
  // What was changed and not looked up is not what is given.
  await page.getByRole('button', { name: 'Export', exact: true }).waitFor(SOON);
  await folder.fill(join(usb, 'Elsewhere'));
  await Promise.all([page.waitForResponse((r) => r.request().method() === 'GET' && /\/orders\/[0-9a-f-]+$/.test(r.url())), page.evaluate("document.body.dispatchEvent(new CustomEvent('live-presence'))")]);
  await page.waitForTimeout(200);
  expect(await folder.inputValue()).toBe(join(usb, 'Elsewhere'));
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  await page.getByText('Where it goes was changed just now.').waitFor(SOON);
  expect(said.splice(0)).toEqual([expect.stringMatching(/^422 /)]);
  await folder.fill(join(usb, 'Export'));
  await page.getByRole('button', { name: 'Change' }).click();
  await page.getByText('Onto ‘USB stick’.').waitFor(SOON);
  await page.getByRole('button', { name: 'Export', exact: true }).click(SOON);
  expect(await untilEnded()).toContain('7 exported');
  expect(readdirSync(usb)).toEqual(['Export']);
  await page.getByText(`→ ${join(usb, 'Export')}`).first().waitFor(SOON);
  const exported = Object.values(filesIn(usb)).map((v) => v.split(' ')[0]);
  const originals = new Set(Object.values(before).map((v) => v.split(' ')[0]));
  // A Live Photo with its edit, and a photo; each picture with an XMP.
  expect(exported.filter((hash) => originals.has(hash))).toHaveLength(4);
  expect(filesIn(blue)).toEqual(before);
  const again = await runCommandAsync(dataDir, ['export', join(blue, 'DCIM/p1.jpg'), '--to', join(usb, 'Export'), '--dry-run'], env);
  expect(again.stdout).toContain('onto USB stick');
  drives.unplug('USB stick');
  expect(said.splice(0)).toEqual([]);
});

test('a drive that is let go is listed no more, its photos stay, and a folder of it brings it back', async () => {
  const before = await list();
  const disk = filesIn(old);
  await page.goto('/drives');
  const row = page.locator('section.drive', { hasText: 'Old HDD' });
  await row.getByRole('link', { name: 'Name and note' }).click();
  await row.getByText('Forget this drive').click();
  await row.locator('.forget button').click({ timeout: 10_000 });
  await page.getByText('The drive is forgotten.').waitFor(SOON);
  expect(await page.locator('section.drive').count()).toBe(1);
  expect(filesIn(old)).toEqual(disk);
  const after = await list();
  expect(after.map((l) => l.sha256)).toEqual(before.map((l) => l.sha256));
  expect(after.flatMap((l) => l.locations).filter((x) => x.state !== 'missing').map((x) => x.volume_id)).not.toContain('uuid:Old HDD');
  const added = await runCommandAsync(dataDir, ['index', old, '--json'], env);
  expect(added.code, added.stderr).toBe(0);
  await expect.poll(async () => JSON.stringify(await list()), SOON).toBe(JSON.stringify(before));
  await page.goto('/drives');
  expect(await page.locator('section.drive').count()).toBe(2);
  expect(said.splice(0)).toEqual([]);
});
