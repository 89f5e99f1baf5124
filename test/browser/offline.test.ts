// The site as an app that opens without network: what was seen is still there, what was not is refused decently, a new build takes
// over, and nothing stale is shown while the site answers. In a real browser with its real service worker.
import { afterAll, beforeAll, expect, test } from 'vitest';
import sharp from 'sharp';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { assetRow, createSeeder, drawRenditions, locationRow, rootRow, volumeRow } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

const SOON = { timeout: 15_000 };
let site: Site | undefined;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const assets = Array.from({ length: 8 }, (_, i) => assetRow(`kept ${i}`, `2024-05-08T1${9 - i}:00:00`));

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  const seeder = createSeeder(site);
  await seeder.pushPack((await Promise.all(assets.map((row, i) => drawRenditions(row, i)))).flat());
  await seeder.push({ volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', 'DCIM')], assets, locations: assets.map((row, i) => locationRow(row, 'v-1', `DCIM/${i}.jpg`)) });
  context = await browser.newContext({ baseURL: site.url, viewport: { width: 1280, height: 800 }, serviceWorkers: 'allow' });
  page = await context.newPage();
});
afterAll(async () => { await browser?.close(); await site?.stop(); });

/** Addresses of everything that is kept, by the cache's name without its build. */
const kept = (): Promise<Record<string, string[]>> => page.evaluate(`(async () => {
  const found = {};
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) (found[name.split('-')[1]] ??= []).push(new URL(request.url).pathname);
  }
  return found;
})()`);
const cacheNames = (): Promise<string[]> => page.evaluate('caches.keys()');
const decoded = (): Promise<number> => page.evaluate("[...document.querySelectorAll('a.tile img')].filter((image) => image.complete && image.naturalWidth > 0).length");
const shownHashes = () => page.locator('a.tile').evaluateAll((tiles) => tiles.map((each) => each.getAttribute('href')?.slice(3, 67)));

test('is an app to install', async () => {
  await page.goto('/');
  const href = await page.locator('link[rel="manifest"]').getAttribute('href') ?? '';
  const manifest = await (await page.request.get(href)).json() as { name: string; start_url: string; display: string; icons: { src: string; sizes: string; purpose?: string; type: string }[] };
  expect(manifest).toMatchObject({ name: 'Jharokha', start_url: '/', display: 'standalone' });
  for (const icon of manifest.icons.filter((each) => each.type === 'image/png')) {
    const { width, height } = await sharp(await (await page.request.get(icon.src)).body()).metadata();
    const size = `${width}x${height}`;
    expect(size, icon.src).toBe(icon.sizes);
  }
  expect(manifest.icons.some((icon) => icon.purpose === 'maskable')).toBe(true);
  // What Chromium itself finds missing for an installation.
  const client = await context.newCDPSession(page);
  const { installabilityErrors } = await client.send('Page.getInstallabilityErrors');
  // A test's own context is a private one.
  expect(installabilityErrors.map((each) => each.errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
  const script = await page.request.get('/sw.js');
  expect(script.headers()).toMatchObject({ 'cache-control': 'no-cache', 'content-type': 'text/javascript; charset=utf-8' });
});

test('keeps what was seen from the first visit on, and nothing else', async () => {
  await expect.poll(async () => { const found = await kept(); return [found['page']?.includes('/'), found['renditions']?.length]; }, SOON).toEqual([true, assets.length]);
  await page.goto('/albums');
  await page.goto('/settings');
  await page.goto('/');
  // The layer's page and its preview.
  await page.locator('a.tile').first().click();
  await page.locator('dialog.viewer[open]').waitFor();
  await expect.poll(async () => (await kept())['renditions']?.some((path) => path.includes('/preview.')), SOON).toBe(true);
  await page.evaluate(() => Promise.all(['/api/search?q=x', '/healthz', '/r/nothing/grid.1.webp', '/a/nothing'].map((path) => fetch(path))));
  const found = await kept();
  for (const path of Object.values(found).flat()) expect(path).not.toMatch(/^\/(api|sync|link|live|healthz|progress|settings|sw\.js)|nothing/);
  expect(found['page']).toContain('/albums');
});

test('shows what the library is now while the site answers', async () => {
  const seeder = createSeeder(site as Site, 'agent-2');
  const fresh = assetRow('newest', '2024-06-01T10:00:00');
  await seeder.pushPack(await drawRenditions(fresh, 99));
  await seeder.push({ assets: [fresh], locations: [locationRow(fresh, 'v-1', 'DCIM/new.jpg')] });
  await page.goto('/');
  await expect.poll(shownHashes, SOON).toContain(fresh.sha256);
  expect(await page.locator('html').getAttribute('data-kept')).toBeNull();
  // Another site's form is refused as without a service worker, for it goes past it.
  const other = await context.newPage();
  await other.goto(`data:text/html,<form method=post action="${(site as Site).url}/settings/home-zone"><input name=home_zone value=UTC><button>Win</button></form>`);
  const [answer] = await Promise.all([other.waitForResponse((response) => response.url().endsWith('/home-zone')), other.getByRole('button').click()]);
  expect(answer.status()).toBe(403);
  await other.close();
  await expect.poll(decoded, SOON).toBe(assets.length + 1);
});

test('opens without network: the timeline, its pictures, the viewer; a page that was not kept says so', async () => {
  const port = Number(new URL((site as Site).url).port);
  const old = await (await fetch(`${(site as Site).url}/sw.js`)).text();
  await site?.stop();
  site = undefined;
  await page.goto('/?near=nowhere');
  await expect.poll(decoded, SOON).toBe(assets.length + 1);
  await expect(page.locator('.kept-line').innerText()).resolves.toBe('Not connected: showing what was kept');
  await page.reload();
  await expect.poll(decoded, SOON).toBe(assets.length + 1);
  await page.goto('/places');
  await expect(page.locator('h1').innerText()).resolves.toBe('Not connected');
  expect(new URL(page.url()).pathname).toBe('/places');
  await page.getByRole('link', { name: 'To the photos' }).click();
  await page.locator('a.tile').first().waitFor();

  // The site comes back, of another build and with nothing in it: neither an old page nor an old script is left.
  const build = /jharokha-shell-(?:\$\{)?"?\+?([0-9a-f]{10})|"([0-9a-f]{10})"/.exec(old)?.slice(1).find(Boolean) ?? '';
  expect(build).toMatch(/^[0-9a-f]{10}$/);
  site = await startSite(port, (code) => code.replaceAll(build, 'fffffffff0'));
  await expect.poll(async () => { await page.goto('/'); return page.locator('h1').innerText(); }, SOON).toBe('Where are your photos?');
  await expect.poll(async () => [...new Set((await cacheNames()).flatMap((name) => /-(?:shell|page|grid)-(.*)/.exec(name)?.[1] ?? []))], SOON).toEqual(['fffffffff0']);
});

test('the settings page forgets it', async () => {
  await page.goto('/settings');
  await expect.poll(() => page.locator('#kept-said').innerText(), SOON).toMatch(/pictures are kept/);
  await page.getByRole('button', { name: 'Forget what is kept' }).click();
  await expect.poll(() => page.locator('#kept-said').innerText(), SOON).toBe('No pictures are kept in this browser now.');
  expect((await kept())['renditions'] ?? []).toEqual([]);
});
