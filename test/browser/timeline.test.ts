// The one grid module in a real browser: a library of some thousand over years with a big month, scrolled, flung, jumped in,
// resized, left and come back to; what is new, what fails, what is stale; nothing ever shifts.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { AssetRow } from '../../protocol/rows.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { assetRow, createSeeder, evidenceRow, locationRow, rootRow, volumeRow, type Seeder } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

const SHAPES = [[4000, 3000], [3000, 4000], [4000, 2250], [3000, 3000], [4000, 3000], [8000, 400], [1, 3000]] as const;
/** A month of 1,500 in a library of 3,000 that goes back 12 years. */
const BIG = 1_500;
const ALL = 3_000;
const SOON = { timeout: 15_000 };
const WATCH = `window.shifts = []; new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value); }).observe({ type: 'layout-shift', buffered: true });`;

let site: Site;
let browser: Browser;
let seeder: Seeder;
let order: string[];
let context: BrowserContext;
let page: Page;
let said: string[];

function makeAssets(): AssetRow[] {
  return Array.from({ length: ALL }, (_, i) => {
    const back = i < BIG ? (i / BIG) * 27 * 86_400_000 : (28 + (i - BIG) * 2.8) * 86_400_000;
    const [width, height] = SHAPES[i % 41 === 5 ? 5 : i % 97 === 6 ? 6 : (i * 7 + (i >> 3)) % 5] ?? [1, 1];
    return assetRow(`asset ${i}`, new Date(Date.UTC(2023, 9, 28, 18) - back - i * 1000).toISOString().slice(0, 19), { width, height, color: '#6688aa', facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } });
  });
}

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  seeder = createSeeder(site);
  const assets = makeAssets();
  await seeder.push({ volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', 'DCIM')] });
  for (let i = 0; i < ALL; i += 500) {
    const part = assets.slice(i, i + 500);
    const paths = part.map((_, j) => `DCIM/${i + j}.JPG`);
    await seeder.push({
      assets: part, locations: part.map((asset, j) => locationRow(asset, 'v-1', paths[j] ?? '')),
      evidence: i === 500 ? paths.slice(0, 300).map((path) => evidenceRow('v-1', path, { albums: [{ key: 'k/1', title: 'Boats' }] })) : [],
    });
  }
  order = assets.map((asset) => asset.sha256);
});
afterAll(async () => { await browser?.close(); await site?.stop(); });
afterEach(async () => {
  const shifts = page.isClosed() ? [] : await page.evaluate<number[]>('window.shifts ?? []').catch(() => []);
  await context?.close();
  expect(said).toEqual([]);
  expect(shifts.reduce((sum, each) => sum + each, 0)).toBe(0);
});

async function open(path: string, options: BrowserContextOptions = {}): Promise<void> {
  ({ context, page, said } = await openPage(browser, site.url, options));
  if (options.javaScriptEnabled !== false) await page.addInitScript(WATCH);
  await page.goto(path);
}
const viewHeight = () => page.viewportSize()?.height ?? 800;
/** Tiles in the window with where they stand. */
function seen(): Promise<{ sha: string; top: number }[]> {
  return page.locator('.tile').evaluateAll((tiles, view) => tiles.map((tile) => ({ sha: tile.getAttribute('href')?.slice(3, 67) ?? '', box: tile.getBoundingClientRect() }))
    .filter(({ box }) => box.bottom > 70 && box.top < view).map(({ sha, box }) => ({ sha, top: Math.round(box.top) })), viewHeight());
}
/** All that is in the window is there, and nothing has moved since it was last looked at. */
async function settled(): Promise<{ sha: string; top: number }[]> {
  let last = '';
  await expect.poll(async () => {
    const now = JSON.stringify(await seen());
    const waits = await page.locator('.hold').evaluateAll((holds, view) => holds.filter((hold) => { const box = hold.getBoundingClientRect(); return box.bottom > 0 && box.top < view; }).length, viewHeight());
    const still = now === last && waits === 0 && now !== '[]';
    last = now;
    return still;
  }, SOON).toBe(true);
  return JSON.parse(last) as { sha: string; top: number }[];
}
const whole = () => page.locator('.scrub:not([hidden])').waitFor();
const titleTop = (month: number) => page.locator(`.month-title[data-month="${month}"]`).evaluate((title) => title.getBoundingClientRect().top);
const middle = (tiles: { sha: string; top: number }[]) => tiles.filter(({ top }) => top > 150)[0] ?? { sha: '', top: 0 };

describe('the timeline', () => {
  test('scrolls through everything in order with few elements, and far ones leave', async () => {
    await open('/');
    await whole();
    expect((await settled())[0]?.sha).toBe(order[0]);
    let last = -1;
    for (let turn = 0; turn < 25; turn++) {
      await page.mouse.wheel(0, 1500);
      const indices = (await settled()).map(({ sha }) => order.indexOf(sha));
      expect(indices).toEqual(indices.map((_, i) => (indices[0] ?? 0) + i));
      expect(indices.at(-1)).toBeGreaterThan(last);
      last = indices.at(-1) ?? 0;
    }
    expect(await page.locator('.grid *').count()).toBeLessThan(3_000);
    expect(await page.locator(`a[href="/a/${order[0]}"]`).count()).toBe(0);
    // A fling to the very end and back: what is passed by is not asked for.
    let asked = 0;
    page.on('request', (request) => { if (request.url().includes('/grid/piece')) asked++; });
    for (let turn = 0; turn < 20; turn++) await page.mouse.wheel(0, 20_000);
    await page.keyboard.press('End');
    expect((await settled()).at(-1)?.sha).toBe(order.at(-1));
    expect(asked).toBeLessThan(9);
    await page.keyboard.press('Home');
    expect((await settled())[0]?.sha).toBe(order[0]);
    expect(await page.evaluate('scrollY')).toBe(0);
  });

  test('the scrubber lands where it points, by mouse and by key', async () => {
    await open('/');
    await whole();
    const box = await page.locator('.scrub').boundingBox();
    if (!box) throw new Error('no scrubber');
    const x = box.x + 12;
    await page.mouse.move(x, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(x, box.y + box.height * 0.4);
    await page.mouse.move(x, box.y + box.height * 0.71, { steps: 4 });
    const label = await page.locator('.scrub-label').textContent();
    await page.mouse.up();
    await settled();
    expect(label).toMatch(/^[A-Z][a-z]+ 20\d\d$/);
    expect(await page.locator('.scrub').getAttribute('aria-valuetext')).toBe(label);
    const mark = await page.locator('.scrub-mark').boundingBox();
    expect(Math.abs((mark?.y ?? 0) - (box.y + box.height * 0.71))).toBeLessThan(3);
    // Labels of years never run into each other.
    const tops = await page.locator('.scrub-year').evaluateAll((years) => years.map((year) => year.getBoundingClientRect().top));
    tops.forEach((top, i) => { if (i > 0) expect(top - (tops[i - 1] ?? 0)).toBeGreaterThan(18); });

    await page.locator('.scrub').focus();
    const now = Number(await page.locator('.scrub').getAttribute('aria-valuenow'));
    await page.keyboard.press('ArrowDown');
    expect(Number(await page.locator('.scrub').getAttribute('aria-valuenow'))).toBe(now + 1);
    await page.keyboard.press('PageDown');
    const said = await page.locator('.scrub').getAttribute('aria-valuetext');
    expect(said).toMatch(/December/);
    await settled();
    const month = (await page.locator('.month-title').evaluateAll((titles) => titles.map((title) => ({ text: title.textContent, top: title.getBoundingClientRect().top })))).find(({ text }) => text === said);
    expect(month?.top).toBeGreaterThan(50);
    expect(month?.top).toBeLessThan(90);
    await page.keyboard.press('PageUp');
    await page.keyboard.press('PageUp');
    await page.keyboard.press('End');
    expect((await settled()).at(-1)?.sha).toBe(order.at(-1));
    await page.keyboard.press('Home');
    expect(await page.evaluate('scrollY')).toBe(0);
  });

  test('an address of a month or of a tile begins there, and what is above is above', async () => {
    await open('/?at=2020-06');
    await whole();
    await settled();
    expect(await titleTop(202006)).toBeLessThan(90);
    await page.mouse.wheel(0, -600);
    await settled();
    expect(await titleTop(202006)).toBeGreaterThan(300);
    await page.goto(`/?near=${order[777]}#a-${order[777]?.slice(0, 20)}`);
    await whole();
    const tiles = await settled();
    expect(tiles.map(({ sha }) => sha)).toContain(order[777]);
  });

  test('the place is kept through resize, size of pictures, reload, the viewer and the back button', async () => {
    await open('/');
    await whole();
    await page.locator('.scrub').focus();
    for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowDown');
    await page.mouse.move(500, 400);
    await page.mouse.wheel(0, 333);
    const before = middle(await settled());
    await page.setViewportSize({ width: 900, height: 800 });
    await expect.poll(async () => (await settled()).map(({ sha }) => sha), SOON).toContain(before.sha);
    await page.setViewportSize({ width: 1280, height: 800 });
    await settled();
    const rows = await page.locator('.row').evaluateAll((all) => all.map((row) => row.getBoundingClientRect().height));
    const kept = middle(await settled());
    await page.evaluate('document.activeElement.blur()');
    await page.keyboard.press('-');
    await expect.poll(async () => (await settled()).map(({ sha }) => sha), SOON).toContain(kept.sha);
    const smaller = await page.locator('.row').evaluateAll((all) => all.map((row) => row.getBoundingClientRect().height));
    expect(Math.max(...smaller)).toBeLessThan(Math.max(...rows));
    expect(await page.locator('.grid *').count()).toBeLessThan(3_000);
    await page.locator('[data-density="1"]').click();
    await expect.poll(() => page.evaluate<boolean>('history.state?.grid?.anchor != null'), SOON).toBe(true);
    const place = await settled();
    await expect.poll(() => page.evaluate<string>('history.state.grid.anchor.sha ?? ""'), SOON).not.toBe('');
    await page.reload();
    await whole();
    await expect.poll(settled, SOON).toEqual(place);
    await page.goto('/settings');
    await page.goBack();
    await whole();
    await expect.poll(settled, SOON).toEqual(place);
    const opened = middle(place);
    await page.locator(`a[href="/a/${opened.sha}"]`).click();
    await page.locator('.viewer-body').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#viewer').waitFor({ state: 'hidden' });
    await expect.poll(settled, SOON).toEqual(place);
  });

  test('arrows go from tile to tile, also where none is loaded; a focus outlives its tile', async () => {
    await open('/');
    await whole();
    await page.locator('.tile').first().focus();
    const at = () => page.evaluate<string>('document.activeElement?.getAttribute("href")?.slice(3, 67) ?? document.activeElement?.className ?? ""');
    await page.keyboard.press('ArrowRight');
    expect(await at()).toBe(order[1]);
    await page.keyboard.press('ArrowDown');
    const below = order.indexOf(await at());
    expect(below).toBeGreaterThan(2);
    await page.keyboard.press('End');
    await expect.poll(at, SOON).toBe(order.at(-1));
    await page.keyboard.press('ArrowLeft');
    await expect.poll(at, SOON).toBe(order.at(-2));
    await page.mouse.move(500, 400);
    await page.mouse.wheel(0, -30_000);
    await expect.poll(at, SOON).toMatch(/grid/);
    await page.mouse.wheel(0, 30_000);
    await expect.poll(at, SOON).toBe(order.at(-2));
    await page.keyboard.press('Enter');
    await page.locator(`.viewer-body[data-sha256="${order.at(-2)}"]`).waitFor();
  });

  test('what is new appears at the top, and moves nobody who is elsewhere', async () => {
    await open('/');
    await whole();
    await page.locator('html[data-live]').waitFor();
    const one = assetRow('one more', '2023-10-29T09:00:00', { facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } });
    await seeder.push({ assets: [one], locations: [locationRow(one, 'v-1', 'DCIM/one.jpg')] });
    await page.locator(`a[href="/a/${one.sha256}"]`).waitFor();
    order.unshift(one.sha256);
    await page.mouse.move(500, 400);
    await page.mouse.wheel(0, 2_000);
    const before = await settled();
    const two = assetRow('two more', '2023-10-29T10:00:00', { facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } });
    await seeder.push({ assets: [two], locations: [locationRow(two, 'v-1', 'DCIM/two.jpg')] });
    await page.locator('#fresh').waitFor({ state: 'visible' });
    order.unshift(two.sha256);
    expect(middle(await settled())).toEqual(middle(before));
    await page.locator('#fresh a').click();
    expect((await settled())[0]?.sha).toBe(two.sha256);
    expect(await page.locator('#fresh').isVisible()).toBe(false);
  });

  test('a piece that fails is asked for again, and one that is stale brings the layout of now', async () => {
    await open('/');
    await whole();
    let failing = true;
    await page.route('**/grid/piece*', (route) => (failing ? route.abort() : route.continue()));
    await page.keyboard.press('End');
    await page.locator('.grid-trouble', { hasText: 'No connection' }).waitFor();
    expect(await page.locator('.hold').count()).toBeGreaterThan(3);
    failing = false;
    expect((await settled()).at(-1)?.sha).toBe(order.at(-1));
    expect(await page.locator('.grid-trouble').isVisible()).toBe(false);
    // A page whose live line is cut does not hear of this one; the piece does.
    await page.route('**/live', (route) => route.abort());
    await page.goto('/settings');
    await page.goto('/');
    await whole();
    const old = assetRow('an old one', '2021-03-30T09:00:00', { facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } });
    await seeder.push({ assets: [old], locations: [locationRow(old, 'v-1', 'DCIM/old.jpg')] });
    await page.locator('.scrub').focus();
    for (let i = 0; i < 60 && await page.locator('.scrub').getAttribute('aria-valuetext') !== 'March 2021'; i++) await page.keyboard.press('ArrowDown');
    await page.locator(`a[href="/a/${old.sha256}"]`).waitFor();
    order.push(old.sha256);
    said = said.filter((line) => !line.includes('/live') && !line.includes('net::ERR_FAILED'));
  });

  test('a span that is much smaller than the grid moves along: every tile can be reached', async () => {
    ({ context, page, said } = await openPage(browser, site.url));
    await page.route('**/', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replace('class="grid"', 'class="grid" data-span="20000"') });
    });
    await page.goto('/');
    await whole();
    await page.mouse.move(500, 400);
    const indices = async () => (await settled()).map(({ sha }) => order.indexOf(sha));
    let last = (await indices())[0] ?? 0;
    for (let turn = 0; turn < 12; turn++) {
      await page.mouse.wheel(0, 3_500);
      const now = (await indices())[0] ?? 0;
      expect(now).toBeGreaterThan(last);
      last = now;
    }
    expect(await page.evaluate<number>('document.documentElement.scrollHeight')).toBeLessThan(21_000);
    const box = await page.locator('.scrub').boundingBox();
    await page.mouse.click((box?.x ?? 0) + 8, (box?.y ?? 0) + (box?.height ?? 0) - 1);
    await expect.poll(() => page.locator('.scrub').getAttribute('aria-valuetext'), SOON).toMatch(/201\d/);
    await settled();
    await page.mouse.move(500, 400);
    await page.mouse.wheel(0, -3_500);
    await settled();
    await page.keyboard.press('Home');
    expect((await indices())[0]).toBe(0);
  });
});

describe('elsewhere', () => {
  test('an album is a grid of the same kind, by months', async () => {
    await open('/albums');
    await page.locator('.card', { hasText: 'Boats' }).click();
    await page.locator('.exact .tile').first().waitFor();
    const first = await settled();
    expect(order).toContain(first[0]?.sha);
    await page.keyboard.press('End');
    const last = await settled();
    expect(last.at(-1)?.sha).not.toBe(first[0]?.sha);
    expect(await page.locator('.day-title').count()).toBe(0);
    expect(await page.locator('.month-title').first().textContent()).toBe('October 2023');
  });

  test('on a phone a thumb goes with the scrolling, and goes where it is drawn', async () => {
    await open('/', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await whole();
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(390);
    const finger = await context.newCDPSession(page);
    await page.evaluate('scrollTo(0, 3000)');
    await page.locator('.scrub.on').waitFor();
    const thumb = await page.locator('.scrub-thumb').boundingBox();
    expect([thumb?.width, thumb?.height]).toEqual([44, 44]);
    const [x, y] = [(thumb?.x ?? 0) + 30, (thumb?.y ?? 0) + 22];
    // It goes after a while: a slow machine looked too long.
    await page.evaluate('scrollBy(0, 1)');
    await page.locator('.scrub.on').waitFor();
    await finger.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
    for (const to of [y + 100, y + 250, y + 400]) await finger.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x, y: to }] });
    await page.locator('.scrub.held').waitFor();
    // The last move arrives when the browser has drawn the one before.
    await expect.poll(async () => { const now = await page.locator('.scrub-thumb').boundingBox(); return Math.abs((now?.y ?? 0) + 22 - (y + 400)); }, SOON).toBeLessThan(3);
    const label = await page.locator('.scrub-label').textContent();
    await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await settled();
    expect(await page.locator('.scrub').getAttribute('aria-valuetext')).toBe(label);
    expect(label).not.toBe('October 2023');
  });

  test('without script there are pages with links', async () => {
    await open('/', { javaScriptEnabled: false });
    expect(await page.locator('.tile').count()).toBeGreaterThan(99);
    await page.locator('.more-older a').click();
    expect(await page.locator('.more-newer a').isVisible()).toBe(true);
  });
});
