// Selecting and doing in a real browser: by check, run, drag, day, keys and finger; what is done shows at once, is saved in one
// go however many there are, and comes back by undo or where it could not be saved.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { AssetRow } from '../../protocol/rows.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { assetRow, createSeeder, locationRow, rootRow, volumeRow } from '../support/seed.ts';
import { SITE_TOKEN, startSite, type Site } from '../support/site.ts';

/** For what comes by itself; only a failure waits this long. */
const SOON = { timeout: 15_000 };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
/** Six a day; far behind them many of one second. */
const NEAR = 60;
const FAR = 10_500;

let site: Site;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let said: string[];
const assets: AssetRow[] = [];

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  const seeder = createSeeder(site);
  const facets = { facts: 1, grid: 0, preview: 0, proxy: 0 };
  const wall = (ms: number) => new Date(ms).toISOString().slice(0, 19);
  for (let i = 0; i < NEAR; i += 1) assets.push(assetRow(`near ${i}`, wall(Date.UTC(2023, 9, 21, 18) - Math.floor(i / 6) * 86_400_000 - (i % 6) * 600_000), { facets }));
  const far = assetRow('far', '2010-01-31T20:00:00', { facets });
  const all = [...assets, far];
  await seeder.push({ volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', '')], assets: all, locations: all.map((asset, i) => locationRow(asset, 'v-1', `${i}.jpg`)) });
  await copyAsset(far.sha256);
});

/** Many like this one, in a hundredth of the time that a sync of them takes. */
async function copyAsset(sha256: string): Promise<void> {
  const numbers = `(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${FAR - 1}) SELECT i FROM n)`;
  const copy = async (table: string, own: Record<string, string>) => {
    const columns = (await site.sql(`SELECT name FROM pragma_table_info('${table}')`)).map((row) => String(row['name']));
    await site.sql(`INSERT INTO ${table} (${columns.join(', ')}) SELECT ${columns.map((column) => own[column] ?? `t.${column}`).join(', ')} FROM ${numbers} CROSS JOIN ${table} t WHERE t.sha256 = '${sha256}'`);
  };
  const hash = "printf('%064x', i)";
  await copy('assets', { asset_id: '1000 + i', sha256: hash });
  await copy('locations', { sha256: hash, path: "'far/' || i || '.jpg'" });
  await copy('timeline_items', { asset_id: '1000 + i', sha256: hash });
  await site.sql(`UPDATE timeline_buckets AS b SET count = ${FAR}, days = json_array(json_array(20100131, ${FAR}, (SELECT replace(hex(zeroblob(${FAR})), '00', t.ratio) FROM timeline_items t WHERE t.sha256 = '${sha256}'))),
    cuts = (SELECT json_group_array(json_array(sort_ms, asset_id) ORDER BY n) FROM (SELECT sort_ms, asset_id, row_number() OVER (ORDER BY sort_ms DESC, asset_id DESC) - 1 AS n FROM timeline_items t WHERE t.month = b.month AND t.shown = 1) WHERE n % 200 = 0)
    WHERE month = 201001`);
}
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});
beforeEach(() => { said = []; });
afterEach(async () => {
  await context?.close();
  expect(said).toEqual([]);
});

async function open(path = '/', options: BrowserContextOptions = {}): Promise<void> {
  ({ context, page, said } = await openPage(browser, site.url, options));
  await page.goto(path);
  await page.locator('a.tile').first().waitFor();
}
const tile = (i: number) => page.locator(`a.tile[href^="/a/${assets[i]?.sha256 ?? ''}"]`);
const CHECK = { position: { x: 16, y: 16 } };
const check = (i: number) => tile(i).click(CHECK);
/** Numbers of those that look selected. */
const selected = async () => {
  const hashes = await page.locator('a.tile[aria-checked="true"]').evaluateAll((tiles) => tiles.map((each) => each.getAttribute('href')?.slice(3, 67)));
  return hashes.map((sha256) => assets.findIndex((asset) => asset.sha256 === sha256));
};
const count = () => page.locator('#doing-count').innerText();
const doing = (what: string) => page.locator(`#doing > [data-do="${what}"]`);
const toast = (text: string) => page.locator('.toast-line', { hasText: text });
const hearts = () => page.locator('a.tile.tile-favourite').count();
const middle = async (i: number) => { const box = await tile(i).boundingBox(); return { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + (box?.height ?? 0) / 2 }; };
const dayOf = (i: number) => tile(i).evaluate((element) => element.closest('.day')?.querySelector('.day-title')?.textContent);
async function newestEdit(): Promise<{ summary: string; assets: number; undone_at_ms: number | null }> {
  const answer = await fetch(`${site.url}/api/edits`, { headers: { Authorization: `Bearer ${SITE_TOKEN}` } });
  return (await answer.json() as { summary: string; assets: number; undone_at_ms: number | null }[])[0] ?? { summary: '', assets: 0, undone_at_ms: null };
}

describe('selecting', () => {
  test('by check, click, run, day and drag; Escape clears, and a click opens again', async () => {
    await open();
    expect(await page.locator('#doing').isVisible()).toBe(false);
    await tile(1).hover();
    await check(1);
    expect([await selected(), await count()]).toEqual([[1], '1 selected']);
    // A click anywhere on a tile selects now, and with Shift the run from the last.
    await tile(3).click();
    await tile(9).click({ modifiers: ['Shift'] });
    expect(await selected()).toEqual([1, 3, 4, 5, 6, 7, 8, 9]);
    await tile(4).click({ modifiers: ['Shift'] });
    expect(await selected()).toEqual([1, 3, 4]);
    await tile(3).click();
    expect(await selected()).toEqual([1, 4]);
    await expect.poll(() => page.locator('#doing-said').textContent(), SOON).toBe('2 selected');

    const day = page.locator('.day', { has: tile(6) }).locator('.day-check');
    await day.click();
    expect([await selected(), await day.getAttribute('aria-pressed')]).toEqual([[1, 4, 6, 7, 8, 9, 10, 11], 'true']);
    await day.click();
    expect(await selected()).toEqual([1, 4]);
    await page.keyboard.press('Escape');
    expect([await selected(), await page.locator('#doing').isVisible(), await page.locator('a.tile[role]').count()]).toEqual([[], false, 0]);

    const [from, to] = [await tile(7).boundingBox(), await middle(9)];
    await page.mouse.move((from?.x ?? 0) + 14, (from?.y ?? 0) + 14);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 4 });
    await expect.poll(selected, SOON).toEqual([7, 8, 9]);
    const back = await middle(8);
    await page.mouse.move(back.x, back.y, { steps: 2 });
    await expect.poll(selected, SOON).toEqual([7, 8]);
    await page.mouse.up();
    expect(new URL(page.url()).pathname).toBe('/');
    await page.locator('#doing [data-do="clear"]').click();
    await tile(2).click();
    await page.locator(`.viewer-body[data-sha256="${assets[2]?.sha256 ?? ''}"]`).waitFor();
    expect(await page.locator('#doing').isVisible()).toBe(false);
  });

  test('by keys alone, and what is done with them', async () => {
    await open();
    await tile(2).focus();
    await page.keyboard.press('x');
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await expect.poll(selected, SOON).toEqual([2, 3, 4]);
    await page.keyboard.press('Shift+ArrowLeft');
    await expect.poll(selected, SOON).toEqual([2, 3]);
    expect(await page.evaluate('document.activeElement.href')).toContain(assets[3]?.sha256 ?? '-');
    await page.keyboard.press('f');
    expect(await hearts()).toBe(2);
    await toast('2 made favourites.').waitFor();
    expect(await newestEdit()).toMatchObject({ summary: 'Made favourite', assets: 2, undone_at_ms: null });
    await expect.poll(() => doing('favourite').innerText(), SOON).toBe('Unfavourite');
    await page.keyboard.press('Control+z');
    await toast('Undone.').waitFor();
    expect([await hearts(), (await newestEdit()).undone_at_ms === null]).toEqual([0, false]);
    // Escape closes the menu alone, and the focus is on its button again.
    const more = page.getByRole('button', { name: 'More to do' });
    await more.focus();
    await page.keyboard.press('Enter');
    await page.locator('#doing-more:popover-open').waitFor(SOON);
    await page.keyboard.press('Tab');
    expect(await page.evaluate("document.activeElement.closest('#doing-more') !== null")).toBe(true);
    await page.keyboard.press('Escape');
    await page.locator('#doing-more:popover-open').waitFor({ state: 'detached', ...SOON });
    expect([await selected(), await page.evaluate("document.activeElement.getAttribute('popovertarget')")]).toEqual([[2, 3], 'doing-more']);
    await page.keyboard.press('Control+a');
    await expect.poll(count, SOON).toBe(`${(NEAR + FAR).toLocaleString('en-GB')} selected`);
    await page.keyboard.press('Escape');
  });

  test('by a long touch, which opens nothing and plays nothing; then taps, and a finger that draws', async () => {
    await open('/', PHONE);
    const finger = await context.newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', at?: { x: number; y: number }) => finger.send('Input.dispatchTouchEvent', { type, touchPoints: at ? [at] : [] });
    await touch('touchStart', await middle(1));
    await expect.poll(selected, SOON).toEqual([1]);
    await touch('touchEnd');
    expect([await count(), await page.locator('.viewer-body').count()]).toEqual(['1 selected', 0]);
    await tile(0).tap();
    expect(await selected()).toEqual([0, 1]);
    await tile(0).tap();
    await touch('touchStart', await middle(2));
    await expect.poll(selected, SOON).toEqual([1, 2]);
    await touch('touchMove', await middle(4));
    await expect.poll(selected, SOON).toEqual([1, 2, 3, 4]);
    await touch('touchEnd');
    expect(await count()).toBe('4 selected');
    await page.locator('[popovertarget="doing-more"]').tap();
    await page.locator('#doing-more [data-do="archive"]').waitFor();
    expect(await page.locator('#doing-more [data-do="leave"]').isVisible()).toBe(false);
    await page.keyboard.press('Escape');
    await page.locator('#doing-more').waitFor({ state: 'hidden' });
    expect(await count()).toBe('4 selected');
    // A finger that moves at once scrolls.
    const at = await middle(3);
    const before = await page.evaluate<number>('scrollY');
    await touch('touchStart', at);
    for (const dy of [20, 60, 120]) await touch('touchMove', { x: at.x, y: at.y - dy });
    await touch('touchEnd');
    await expect.poll(() => page.evaluate<number>('scrollY'), SOON).toBeGreaterThan(before);
    expect(await count()).toBe('4 selected');
  });

  test('ten thousand, over pieces that were never loaded, in one change', async () => {
    await open();
    await check(3);
    await page.keyboard.press('Control+a');
    await tile(0).click();
    const asked: number[] = [];
    page.on('request', (request) => { if (request.url().endsWith('/api/corrections')) asked.push((JSON.parse(request.postData() ?? '{}') as { scope: { sha256s: string[] } }).scope.sha256s.length); });
    await doing('favourite').click();
    await toast(`${(NEAR + FAR - 1).toLocaleString('en-GB')} made favourites.`).waitFor({ timeout: 30_000 });
    expect(asked).toEqual([NEAR + FAR - 1]);
    expect(await newestEdit()).toMatchObject({ assets: NEAR + FAR - 1, undone_at_ms: null });
    expect(await tile(0).getAttribute('class')).not.toContain('tile-favourite');
    await toast('made favourites').locator('button').click();
    await toast('Undone.').waitFor({ timeout: 30_000 });
    expect(await hearts()).toBe(0);
  });
});

describe('doing', () => {
  test('archived ones leave at once and come back by undo, and so do those that could not be saved', async () => {
    await open();
    await check(0);
    await tile(1).click();
    await tile(0).waitFor();
    await page.keyboard.press('e');
    await tile(0).waitFor({ state: 'detached' });
    await toast('Archived 2.').locator('button').click();
    await toast('Undone.').waitFor();
    await tile(1).waitFor();
    expect([await dayOf(0), (await newestEdit()).undone_at_ms === null]).toEqual([await dayOf(1), false]);

    await page.route('**/api/corrections', (route) => route.abort());
    await check(0);
    await tile(1).click();
    await page.keyboard.press('e');
    await toast('Could not archive 2: Jharokha cannot be reached.').waitFor();
    await expect.poll(selected, SOON).toEqual([0, 1]);
    await page.keyboard.press('f');
    await toast('Could not make favourites of 2').waitFor();
    expect(await hearts()).toBe(0);
    // The two lines that were said, and no more.
    expect(await page.locator('.toast-line').count()).toBe(2);
  });

  test('a new album of what is selected; out of it again in the album itself', async () => {
    await open();
    for (const i of [12, 13, 14]) await check(i);
    await page.keyboard.press('a');
    await page.locator('.picker input').fill('Goa <b>2023</b>');
    await page.keyboard.press('Enter');
    await toast('Added 3 to ‘Goa <b>2023</b>’.').waitFor();
    await check(15);
    await doing('album').click();
    await page.locator('.picker input').fill('goa');
    await page.locator('.picker-list button', { hasText: 'Goa <b>2023</b>' }).click();
    await toast('Added 1 to').waitFor();
    await page.goto('/albums');
    await page.locator('.card', { hasText: 'Goa' }).click();
    await tile(13).waitFor();
    expect(await page.locator('a.tile').count()).toBe(4);
    await check(13);
    await page.locator('[popovertarget="doing-more"]').click();
    await page.locator('#doing-more [data-do="leave"]').click();
    await tile(13).waitFor({ state: 'detached' });
    await toast('Removed 1 from this album.').locator('button').click();
    await tile(13).waitFor();
  });

  test('a corrected time moves many; what cannot be read is said in the form', async () => {
    await open();
    const [before, after] = [await dayOf(8), await dayOf(2)];
    for (const i of [8, 9]) await check(i);
    await page.locator('[popovertarget="doing-more"]').click();
    await page.locator('#doing-more [data-do="time"]').click();
    await page.locator('dialog [name="days"]').fill('one');
    await page.keyboard.press('Enter');
    await page.locator('.doing-wrong', { hasText: 'whole numbers' }).waitFor();
    await page.locator('dialog [name="days"]').fill('1');
    await page.keyboard.press('Enter');
    await toast('Time of 2 corrected.').waitFor();
    await expect.poll(() => dayOf(8), SOON).toBe(after);
    expect(await dayOf(9)).toBe(after);
    await page.keyboard.press('Control+z');
    await toast('Undone.').waitFor();
    await expect.poll(() => dayOf(8), SOON).toBe(before);
  });

  test('without script nothing of it is shown', async () => {
    await open('/', { javaScriptEnabled: false });
    for (const part of ['#doing', '.doing-sheet', '.day-check', '.toasts']) expect(await page.locator(part).isVisible()).toBe(false);
  });
});
