// The map in a real browser: markers and the photos of the view, closer by click and key, back to the same view, the small map, a phone.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { AssetRow } from '../../protocol/rows.ts';
import { cellOf } from '../../protocol/place.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { assetRow, createSeeder, drawRenditions, locationRow, placeRow, rootRow, volumeRow } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

const SOON = { timeout: 15_000 };
const CITY = 'Lévanto <b>x</b>';
/** Name, how many, where. The last two are of one position each. */
const TOWNS: [name: string, count: number, latitude: number, longitude: number, step: number][] = [['Jaipur', 9, 26.92, 75.82, 0.004], [CITY, 6, 44.17, 9.61, 0.01], ['Suva', 2, -18.14, 178.44, 0], ['Apia', 1, -13.83, -171.77, 0]];

let site: Site;
let browser: Browser;
let assets: AssetRow[];
let context: BrowserContext;
let page: Page;
let said: string[];

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  const seeder = createSeeder(site);
  const spots = TOWNS.flatMap(([city, count, latitude, longitude, step]) => Array.from({ length: count }, (_, i) => ({ city, latitude: latitude + i * step, longitude: longitude + i * step })));
  assets = spots.map(({ latitude, longitude }, i) => assetRow(`m${i}`, new Date(Date.UTC(2024, 5, 1) - i * 86_400_000).toISOString().slice(0, 19), { latitude, longitude, gps_zone: 'Asia/Kolkata', facets: { facts: 1, grid: i === 3 ? 0 : 2, preview: 0, proxy: 0 } }));
  const places = new Map(spots.map(({ city, latitude, longitude }) => [cellOf(latitude, longitude), placeRow(cellOf(latitude, longitude), { city, region: 'R', country: 'C', country_code: 'IN' })]));
  await seeder.pushPack((await Promise.all(assets.map((each, i) => (each.facets.grid ? drawRenditions(each, i, ['grid']) : [])))).flat());
  await seeder.push({ volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', 'DCIM')], assets, locations: assets.map((each, i) => locationRow(each, 'v-1', `DCIM/${i}.jpg`)), places: [...places.values()] });
});

afterAll(async () => { await browser?.close(); await site?.stop(); });
afterEach(async () => { await context?.close(); expect(said).toEqual([]); });

async function open(path: string, options: BrowserContextOptions = {}): Promise<void> {
  ({ context, page, said } = await openPage(browser, site.url, { reducedMotion: 'reduce', ...options }));
  await page.goto(path);
}
const counts = async () => (await page.locator('.map-count').allTextContents()).map(Number).sort((a, b) => b - a);
/** The markers as they are when nothing is on its way. */
const expectCounts = (...expected: number[]) => expect.poll(counts, SOON).toEqual(expected);
const zoom = () => Number(new URL(page.url()).searchParams.get('at')?.split(',')[2]);

test('the world shows where photos are; a click goes closer, the view is in the address, back and loading again keep it', async () => {
  await open('/places');
  await page.getByRole('link', { name: 'Map', exact: true }).click();
  await expectCounts(9, 6, 3);
  await expect.poll(() => page.locator('.land').count(), SOON).toBeGreaterThan(170);
  expect(await page.locator('.map-name').allTextContents()).toContain('Canada');
  expect(await page.locator('#map-photos h2').textContent()).toMatch(/18 photos in view/);
  expect(await page.locator('#map-photos .tile').count()).toBe(18);
  // Neither script nor style was refused, and nothing was asked of anybody else.
  expect(await page.evaluate("performance.getEntriesByType('resource').map((each) => new URL(each.name).origin).filter((origin) => origin !== location.origin)")).toEqual([]);

  await page.getByRole('button', { name: /^9 photos, Jaipur/ }).click();
  await expect.poll(() => page.locator('#map-photos .tile').count(), SOON).toBe(9);
  await expect.poll(counts, SOON).not.toEqual([9, 6, 3]);
  expect(zoom()).toBeGreaterThan(8);
  await page.reload();
  await expect.poll(() => page.locator('#map-photos .tile').count(), SOON).toBe(9);

  // A photo opens over the map, steps among those of the view, and going back leaves the map as it was.
  const at = page.url();
  await page.locator('#map-photos .tile').first().click();
  await page.waitForSelector('#viewer[open] .viewer-body', SOON);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.url(), SOON).toContain(assets[1]?.sha256 ?? '');
  await page.goBack();
  await expect.poll(() => page.locator('#viewer[open]').count(), SOON).toBe(0);
  expect(page.url()).toBe(at);

  await page.getByRole('link', { name: 'Show all' }).click();
  await page.waitForURL('**/map/box/**', SOON);
  expect(await page.locator('a.tile').count()).toBe(9);
  await page.goBack();
  await expect.poll(() => page.locator('#map-photos .tile').count(), SOON).toBe(9);
  expect(page.url()).toBe(at);
});

test('the keyboard moves, zooms and opens; the world goes round; what stands at one spot opens as a grid', async () => {
  await open('/map?at=-16,179,4');
  await expectCounts(2);
  const single = page.locator('.map-photo.tile');
  expect(await single.getAttribute('aria-label')).toBe('Photo, Apia');
  // Both sides of the 180th meridian are in one view.
  const box = await single.boundingBox();
  expect(box && box.x > 0 && box.x + box.width < 1280).toBe(true);
  await page.locator('#map').focus();
  await page.keyboard.press('+');
  await expect.poll(zoom, SOON).toBe(5);
  for (let i = 0; i < 4; i += 1) await page.keyboard.press('ArrowRight');
  // Beyond the meridian the address names the same place by its own longitude.
  await expect.poll(() => Number(new URL(page.url()).searchParams.get('at')?.split(',')[1]), SOON).toBeLessThan(-160);
  await expect.poll(() => single.count(), SOON).toBe(1);
  await single.focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('#viewer[open] .viewer-body', SOON);
  await page.keyboard.press('Escape');
  await expect.poll(() => page.locator('#viewer[open]').count(), SOON).toBe(0);
  await page.goto('/map?at=-18.14,178.44,9');
  await page.getByRole('button', { name: /^2 photos, Suva/ }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/map/box/178.44,-18.14,178.44,-18.14', SOON);
  expect(await page.locator('a.tile').count()).toBe(2);
});

test('a drag that begins on a marker moves the map and opens nothing; what cannot be loaded is said, and asked again', async () => {
  await open('/map?at=44.19,9.63,11');
  const marker = page.locator('.map-photo').first();
  await marker.waitFor(SOON);
  const [box, before] = [await marker.boundingBox(), page.url()];
  if (!box) throw new Error('no marker');
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + 120, box.y + 60, { steps: 5 });
  await page.mouse.up();
  await expect.poll(() => page.url(), SOON).not.toBe(before);
  expect(new URL(page.url()).pathname).toBe('/map');
  expect(await page.locator('#viewer[open]').count()).toBe(0);

  // Until it is said: a question of the drag may still be on its way.
  await page.route('**/map/clusters*', (route) => route.abort());
  await page.locator('#map').focus();
  await page.keyboard.press('-');
  await page.getByText('could not be loaded').waitFor(SOON);
  await page.unroute('**/map/clusters*');
  await page.getByText('could not be loaded').waitFor({ state: 'hidden', ...SOON });
  await expectCounts(6);
  expect(said.filter((each) => !each.includes('/map/clusters'))).toEqual([]);
});

test('the small map beside a photo needs no script and leads to its place; tiles that fail leave the countries', async () => {
  await open(`/a/${assets[9]?.sha256}`, { javaScriptEnabled: false });
  expect(await page.locator('.fact-map circle').count()).toBe(2);
  await context.close();
  await open(`/a/${assets[9]?.sha256}`, { colorScheme: 'light' });
  await expect.poll(() => page.evaluate(() => performance.getEntriesByType('resource').filter((each) => each.name.includes('/s/world-')).length), SOON).toBeGreaterThan(0);
  await page.locator('.fact-map').click();
  await page.waitForURL('**/map?at=44.17*,9.61*,11', SOON);
  await page.locator('.map-place').first().waitFor(SOON);
  expect(await page.locator('.map-place').first().textContent()).toBe(CITY);

  await page.goto('/settings#map-tiles');
  await page.getByText('A server of your choice').click();
  await page.getByLabel('Address of its tiles').fill('https://tiles.invalid/{z}/{x}/{y}.png');
  await page.locator('#map-tiles').getByRole('button', { name: 'Save' }).click();
  await page.waitForURL('**/settings?done=map*', SOON);
  const asked: string[] = [];
  await page.route('https://tiles.invalid/**', (route) => { asked.push(route.request().url()); return route.abort(); });
  await page.goto('/map?at=40,10,4');
  await expect.poll(() => asked.length, SOON).toBeGreaterThan(3);
  await expect.poll(() => page.locator('.land').count(), SOON).toBeGreaterThan(170);
  await expectCounts(6);
  await page.goto('/settings');
  await page.getByText('Countries and coasts').click();
  await page.locator('#map-tiles').getByRole('button', { name: 'Save' }).click();
  await page.waitForURL('**/settings?done=map*', SOON);
});

test('on a phone the map is above its photos, nothing is wider than the screen, and without script the list is named', async () => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  await open('/map', phone);
  await expectCounts(9, 6, 3);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  const [map, photos] = [await page.locator('#map').boundingBox(), await page.locator('#map-photos').boundingBox()];
  expect((photos?.y ?? 0) >= (map?.y ?? 0) + (map?.height ?? 0)).toBe(true);
  await page.getByRole('button', { name: /^6 photos/ }).tap();
  await expect.poll(() => page.locator('#map-photos .tile').count(), SOON).toBe(6);
  await context.close();
  await open('/map', { ...phone, javaScriptEnabled: false });
  await page.getByRole('link', { name: 'The list of places' }).click();
  await page.waitForURL('**/places', SOON);
});
