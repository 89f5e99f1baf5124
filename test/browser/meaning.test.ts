// Searching by meaning as people see it: real Worker, real embedded index, real browser; vectors and kept words are made by hand, in
// a space of eight directions of which the first is red and the second blue. (The whole way, from pictures through real towers to
// this page, is a test of its own.)
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { VectorSpace } from '../../protocol/vector.ts';
import type { AssetRow } from '../../protocol/rows.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { IDLE, presentVolume, startFakeAgent } from '../support/fake-agent.ts';
import { assetRow, createSeeder, locationRow, pushVectors, rootRow, volumeRow } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

const SPACE: VectorSpace = { profile: 'light', model: 'by-hand', revision: '0123456789ab', dtype: 'q8', preprocessing: 1, dimension: 8 };
const RED = 10;
const REDDISH = 6;
const BLUE = 10;
const OTHER = 34;
const SOON = { timeout: 15_000 };

let site: Site;
let browser: Browser;
let reds: string[];
let blues: string[];
/** Grey, and written `red`. */
let named: string;
let close: (() => Promise<void>) | undefined;
let page: Page;
let said: string[];

/** One direction, with a little of a second that differs from asset to asset. */
function lean(direction: number, n: number, share = 1): number[] {
  return Array.from({ length: 8 }, (_, i) => (i === direction ? share : 0) + (i === 3 + (n % 4) ? 0.05 + 0.01 * n + (1 - share) : 0));
}

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  const seeder = createSeeder(site);
  const make = (kind: string, count: number, color: string): AssetRow[] => Array.from({ length: count }, (_, i) => assetRow(`${kind} ${i}`, `20${20 + (i % 4)}-0${1 + (i % 8)}-11T10:00:00`, { color, width: i % 2 ? 3000 : 4000, height: i % 2 ? 4000 : 3000, facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } }));
  const [red, reddish, blue, other] = [make('red', RED, '#c03028'), make('reddish', REDDISH, '#a06058'), make('blue', BLUE, '#2858c0'), make('other', OTHER, '#888888')];
  const assets = [...red, ...reddish, ...blue, ...other];
  reds = red.map((asset) => asset.sha256);
  blues = blue.map((asset) => asset.sha256);
  named = other[0]?.sha256 ?? '';
  await seeder.push({
    volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', '')], assets,
    locations: assets.map((asset, i) => locationRow(asset, 'v-1', asset.sha256 === named ? 'red dress.jpg' : `IMG_${i}.jpg`)),
  });
  await pushVectors(site, SPACE, [
    ...red.map(({ sha256 }, i) => ({ sha256, vector: lean(0, i) })), ...reddish.map(({ sha256 }, i) => ({ sha256, vector: lean(0, i, 0.4) })),
    ...blue.map(({ sha256 }, i) => ({ sha256, vector: lean(1, i) })),
    // The last one has none yet.
    ...other.slice(0, -1).map(({ sha256 }, i) => ({ sha256, vector: lean(2, i) })),
  ], [{ text: 'a photo', vector: [0, 0, 1, 0, 0, 0, 0, 0.4] }, { text: 'red', vector: [1, 0, 0, 0, 0, 0, 0, 0.2] }, { text: 'blue', vector: [0, 1, 0, 0, 0, 0, 0, 0.2] }]);
});

afterAll(async () => {
  await browser?.close();
  await site?.stop();
});
afterEach(async () => {
  await close?.();
  expect(said).toEqual([]);
});

async function open(path: string, options: BrowserContextOptions = {}): Promise<void> {
  ({ page, said, close } = await openPage(browser, site.url, options));
  await page.goto(path);
}
const hashes = (inside = '.tile') => page.locator(inside).evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute('href')?.slice(3, 67) ?? ''));
const count = () => page.locator('.found-count').innerText();

test('what is written stands first, then what looks like it, and who answered is said', async () => {
  await open('/search?q=red');
  await expect(count()).resolves.toContain('By meaning and by words: embedded index.');
  expect(await page.locator('.found-title').allInnerTexts()).toEqual([expect.stringMatching(/^Written\s+1, in names/), expect.stringMatching(/^Looks like it\s/)]);
  const found = await hashes();
  expect(found[0]).toBe(named);
  expect(found.slice(1).sort()).toEqual([...reds].sort());
});

test('weaker matches are a link away, and another one back', async () => {
  await open('/search?q=red');
  await page.locator('.found-end a', { hasText: `Show weaker matches (${REDDISH})` }).click();
  await page.waitForURL('/search?q=red&weaker=1');
  expect((await hashes()).length).toBe(1 + RED + REDDISH);
  await page.locator('.found-end a').click();
  await page.waitForURL('/search?q=red');
});

test('by meaning alone there are no titles; a date narrows it; by date it stands by the month', async () => {
  await open('/search?q=blue');
  expect(await page.locator('.found-title').count()).toBe(0);
  expect((await hashes()).sort()).toEqual([...blues].sort());
  await page.goto('/search?q=blue+2021');
  expect((await hashes()).length).toBeGreaterThan(0);
  expect((await hashes()).every((hash) => blues.includes(hash))).toBe(true);
  expect((await hashes()).length).toBeLessThan(BLUE);
  // Only what is near the window is there: a tall one holds all.
  await page.setViewportSize({ width: 1280, height: 6000 });
  await page.goto('/search?q=blue&sort=oldest');
  expect((await hashes()).length).toBe(BLUE);
  expect(await page.locator('.month-title').first().innerText()).toContain('2020');
});

test('the viewer steps through what looks like it', async () => {
  await open('/search?q=red');
  const order = await hashes();
  await page.locator('.tile').first().click();
  for (const hash of order.slice(0, 4)) {
    await page.locator(`.viewer-body[data-sha256="${hash}"]`).waitFor();
    await page.keyboard.press('ArrowRight');
  }
});

test('more like one: what lies nearest to it comes first, without itself, and one is walked to the next', async () => {
  await open(`/a/${reds[0]}`);
  await page.keyboard.press('l');
  await page.waitForURL(`/similar/${reds[0]}`);
  await expect(page.locator('.similar-head').innerText()).resolves.toContain('What looks most like it, best first, by the embedded index.');
  const order = await hashes();
  expect(order).not.toContain(reds[0]);
  expect(order.slice(0, RED - 1).sort()).toEqual(reds.slice(1).sort());
  await page.locator('.tile').nth(2).click();
  await page.locator(`.viewer-body[data-sha256="${order[2]}"]`).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.locator(`.viewer-body[data-sha256="${order[3]}"]`).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#viewer').waitFor({ state: 'hidden' });
  expect(new URL(page.url()).pathname).toBe(`/similar/${reds[0]}`);
});

test('more like one that no vector is there of: said, not guessed', async () => {
  await open(`/similar/${assetRow(`other ${OTHER - 1}`, null).sha256}`);
  await expect(page.locator('.similar-head').innerText()).resolves.toContain('The model has not looked at this one yet');
  expect(await page.locator('.tile').count()).toBe(0);
});

test('words that are new while the agent is away, refuses or keeps silent: words and filters answer, and it is said which it was', async () => {
  await open('/search?q=dress');
  await expect(count()).resolves.toContain('1 photo or video');
  await expect(count()).resolves.toContain('the Mac is asleep or away, and this search is new to it');
  let mode: 'refuse' | 'silent' = 'refuse';
  const agent = await startFakeAgent(site, { embed_query: () => (mode === 'refuse' ? Promise.reject(new Error('There is no model.')) : new Promise(() => undefined)) });
  try {
    agent.present([presentVolume('v-1', 'Blue SSD')]);
    agent.say({ ...IDLE, search: { profile: 'light', state: 'missing', message: 'Put the files into a folder.', done_bytes: null, total_bytes: null, space: null, engine: 'embedded' } });
    await expect.poll(async () => { await page.goto('/search?q=dress'); return count(); }, SOON).toContain('there is no model for searching by meaning. Put the files into a folder.');
    mode = 'silent';
    await page.goto('/search?q=dress');
    await expect(count()).resolves.toContain('did not answer in time');
    await expect(count()).resolves.toContain('1 photo or video');
  } finally { await agent.stop(); }
});

test('on a phone, in the dark', async () => {
  await open('/search?q=red', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' });
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  await page.locator('.tile').nth(1).tap();
  await page.locator('.viewer-body').waitFor();
  await page.goBack();
  await page.locator('#viewer').waitFor({ state: 'hidden' });
});
