// Copies in a real browser: duplicates that follow what is connected without losing a tick, what a form asks for, pages without script.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openBrowser, openPage } from '../support/browser.ts';
import { IDLE, presentVolume, startFakeAgent, type FakeAgent } from '../support/fake-agent.ts';
import { assetRow, createSeeder, drawRenditions, locationRow, rootRow, volumeRow } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

const [BLUE, T7] = [presentVolume('v-1', 'Blue SSD'), presentVolume('v-2', 'T7 Archive')];
let site: Site;
let browser: Browser;
let agent: FakeAgent;
let page: Page;
let said: string[];
let seeder: ReturnType<typeof createSeeder>;
let close: (() => Promise<void>) | undefined;
const rows = Array.from({ length: 4 }, (_, i) => assetRow(`copy ${i}`, `202${i}-05-06T10:00:00`, { size_bytes: 1_000_000 * (9 - i) }));

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  seeder = createSeeder(site);
  await seeder.pushPack((await Promise.all(rows.map((row, i) => drawRenditions(row, i, ['grid', 'preview'])))).flat());
  const put = (i: number, volume: string, path: string) => { const row = rows[i]; if (!row) throw new Error('no such row'); return locationRow(row, volume, path); };
  await seeder.push({
    volumes: [volumeRow('v-1', 'Blue SSD'), volumeRow('v-2', 'T7 Archive')], roots: [rootRow('r-1', 'v-1', 'DCIM'), rootRow('r-2', 'v-2', '')], assets: rows,
    locations: [put(0, 'v-1', 'a.jpg'), put(0, 'v-1', 'again & <b>/a.jpg'), put(0, 'v-2', 'a.jpg'), put(1, 'v-1', 'b.jpg'), put(1, 'v-2', 'b.jpg'), put(2, 'v-1', 'c.jpg'), put(3, 'v-2', 'd.jpg')],
  });
  agent = await startFakeAgent(site);
  agent.present([BLUE]);
  agent.say(IDLE);
});
afterAll(async () => { await browser?.close(); await agent?.stop(); await site?.stop(); });
afterEach(async () => { await close?.(); expect(said).toEqual([]); agent.present([BLUE]); });

async function open(path: string, options: BrowserContextOptions = {}): Promise<void> {
  ({ page, said, close } = await openPage(browser, site.url, options));
  await page.goto(path);
}

test('duplicates follow what is connected, keep what was ticked, and ask for just that', async () => {
  await open('/duplicates');
  await page.locator('html[data-live="open"]').waitFor();
  const groups = page.locator('.dup');
  expect(await groups.count()).toBe(2);
  const [first, second] = [groups.nth(0), groups.nth(1)];
  expect(await first.locator('input[type="checkbox"]').evaluateAll((all) => all.map((each) => (each as unknown as { checked: boolean }).checked))).toEqual([false, true]);
  expect(await second.locator('.dup-end').textContent()).toBe('Plug in ‘T7 Archive’ to tidy this up.');
  await first.locator('input[type="checkbox"]').nth(0).check();
  await first.locator('input[type="checkbox"]').nth(1).uncheck();
  agent.present([BLUE, T7]);
  await second.locator('button').waitFor();
  expect(await first.locator('input[type="checkbox"]').evaluateAll((all) => all.map((each) => (each as unknown as { checked: boolean }).checked))).toEqual([true, false, false]);
  // A copy on another drive is a backup: nothing is suggested.
  expect(await second.locator('input[type="checkbox"]:checked').count()).toBe(0);
  await page.route('**/orders/plan', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>plan</title>' }));
  const [request] = await Promise.all([page.waitForRequest('**/orders/plan'), first.locator('button').click()]);
  const fields = new URLSearchParams(request.postData() ?? '');
  // A line break in a form's field travels as CRLF.
  expect([...fields]).toEqual([['kind', 'trash'], ['sha256', rows[0]?.sha256], ['copies', 'ticked'], ['copy', 'v-1\r\na.jpg']]);
});

test('drives say what only they have, and offer to verify once they are connected', async () => {
  await open('/drives');
  await page.locator('html[data-live="open"]').waitFor();
  const t7 = page.locator('#drive-v-2');
  expect(await t7.locator('.drive-health').textContent()).toBe('1 only here · not verified yet, plug it in to verify');
  expect(await t7.locator('button', { hasText: 'Verify now' }).count()).toBe(0);
  // What is being typed below stays.
  await t7.locator('a', { hasText: 'Name and note' }).click();
  await t7.locator('[name="note"]').fill('in the office');
  agent.present([BLUE, T7]);
  await t7.locator('button', { hasText: 'Verify now' }).waitFor();
  expect(await t7.locator('[name="note"]').inputValue()).toBe('in the office');
  expect(await t7.locator('form[action="/orders"] input').evaluateAll((all) => all.map((each) => [each.getAttribute('name'), each.getAttribute('value')]))).toEqual([['kind', 'verify'], ['volume_id', 'v-2']]);
});

test('the viewer says where the originals are as drives come and go, and nothing else of it moves', async () => {
  await open(`/a/${rows[0]?.sha256 ?? ''}`);
  await page.locator('html[data-live="open"]').waitFor();
  const t7 = page.locator('.facts .copy', { hasText: 'T7 Archive' });
  await t7.filter({ hasText: 'away' }).waitFor();
  expect(await page.locator('.facts dt', { hasText: 'copies' }).textContent()).toBe('3 copies');
  await page.evaluate("document.querySelector('.picture').dataset.same = 'yes'");
  // A form that is open, and what is typed in it.
  await page.locator('#fact-description .edit').click();
  await page.locator('.facts textarea').fill('half a sent');
  agent.present([T7]);
  await t7.filter({ hasText: 'connected' }).waitFor();
  await page.locator('.facts .copy', { hasText: 'Blue SSD, away' }).first().waitFor();
  expect(await page.locator('.facts textarea').inputValue()).toBe('half a sent');
  expect(await page.evaluate("[document.activeElement.tagName, document.querySelector('.picture').dataset.same]")).toEqual(['TEXTAREA', 'yes']);
  const download = page.locator('[data-viewer="original"]');
  await download.focus();
  agent.present([]);
  await page.getByRole('button', { name: /^Plug in .* to download the original/ }).waitFor();
  expect([await download.count(), await page.evaluate('document.activeElement.id')]).toEqual([0, 'viewer']);
  agent.present([BLUE]);
  await download.waitFor();
  // What was kept of the next one is of before.
  await page.locator('.strip a[aria-current] ~ a, .strip-before a, .strip-behind a').first().click();
  await page.locator(`.viewer-body:not([data-sha256="${rows[0]?.sha256 ?? ''}"])`).waitFor();
});

test('a damaged file is said to be damaged, is no copy, and can be mended once the other drive is here', async () => {
  const asset = `asset_id = (SELECT asset_id FROM timeline_items WHERE sha256 = '${rows[1]?.sha256 ?? ''}')`;
  const set = async (damaged: string, files: number, on: string) => {
    await site.sql(`UPDATE locations SET damaged_at_ms = ${damaged} WHERE volume_id = 'v-1' AND path = 'b.jpg'`);
    await site.sql(`UPDATE asset_copies SET files = ${files}, on_drives = '${on}' WHERE ${asset}`);
  };
  await set(String(Date.now()), 1, '["v-2"]');
  await open(`/a/${rows[1]?.sha256 ?? ''}`);
  expect(await page.locator('.facts dt', { hasText: 'cop' }).textContent()).toBe('One copy');
  expect(await page.locator('[data-viewer="original"]').count()).toBe(0);
  await page.locator('.facts .copy', { hasText: 'Blue SSD' }).getByRole('link', { name: 'damaged' }).click();
  await page.waitForURL('**/copies/damaged');
  await page.locator('html[data-live="open"]').waitFor();
  await page.getByText(/Plug in ‘T7 Archive’ to mend it/).waitFor({ timeout: 10_000 });
  agent.present([BLUE, T7]);
  await page.getByRole('button', { name: 'Put a whole copy in its place' }).waitFor();
  await set('NULL', 2, '["v-1","v-2"]');
});

test('numbers lead to what they count, also without script', async () => {
  for (const options of [{}, { javaScriptEnabled: false }]) {
    await open('/drives', options);
    await page.locator('a.button', { hasText: 'Copies' }).click();
    await page.locator('.sum-link', { hasText: 'have only one copy' }).click();
    await page.locator('h1', { hasText: 'Only one copy' }).waitFor();
    await page.locator('a.tile').nth(1).waitFor();
    expect(await page.locator('a.tile').evaluateAll((tiles) => tiles.map((tile) => (tile as unknown as { pathname: string }).pathname.slice(3)))).toEqual([rows[3]?.sha256, rows[2]?.sha256]);
    await page.goBack();
    await page.locator('a', { hasText: '1 only on ‘T7 Archive’' }).click();
    await page.locator('h1', { hasText: 'Only on T7 Archive' }).waitFor();
    expect(await page.locator('a.tile').count()).toBe(1);
    await close?.();
  }
});

test('look-alikes are chosen from without script, on a phone and in the dark, and go away once all are kept', async () => {
  const [a, b] = [rows[2], rows[3]];
  if (!a || !b) throw new Error('no such rows');
  const near = (member: string) => ({ member_sha256: member, group_sha256: a.sha256, spare_bytes: b.size_bytes, revision: 1, removed: false });
  await seeder.push({ near: [near(a.sha256), near(b.sha256)] });
  for (const colorScheme of ['light', 'dark'] as const) {
    await open('/duplicates/near', { viewport: { width: 390, height: 844 }, colorScheme });
    expect(await page.locator('.dup-near li').count()).toBe(2);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await page.locator('.dup-near img').first().evaluate((img) => (img as unknown as { decode(): Promise<void>; naturalWidth: number }).decode().then(() => (img as unknown as { naturalWidth: number }).naturalWidth))).toBeGreaterThan(0);
    await close?.();
  }
  await open('/duplicates/near', { javaScriptEnabled: false });
  const group = page.locator('.dup-near');
  await group.locator('input[type="checkbox"]').nth(1).check();
  const [request] = await Promise.all([page.waitForRequest('**/orders/plan'), group.getByRole('button', { name: 'Move what is ticked' }).click()]);
  expect([...new URLSearchParams(request.postData() ?? '')]).toEqual([['kind', 'trash'], ['sha256', b.sha256]]);
  await page.goto('/duplicates/near');
  await group.getByRole('button', { name: 'Keep all' }).click();
  await page.getByText('No look-alikes found yet').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await group.waitFor();
});
