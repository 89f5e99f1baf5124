// Organising in a real browser: an album's life, an order by hand, an album that a search fills, folders of a drive; with and without script.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { AssetRow } from '../../protocol/rows.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { assetRow, createSeeder, drawRenditions, locationRow, rootRow, volumeRow } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

const FACETS = { facts: 1, grid: 2, preview: 2, proxy: 0 };
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const FOLDER = 'Goa <b>22';

let site: Site;
let browser: Browser;
let close: (() => Promise<void>) | undefined;
let page: Page;
let said: string[];
let assets: AssetRow[];

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  const seeder = createSeeder(site);
  assets = Array.from({ length: 8 }, (_, i) => assetRow(`o${i}`, `2024-05-0${8 - i}T10:00:00`, { facets: FACETS, tags: i < 3 ? ['beach <i>', 'sea'] : [], description: i < 4 ? 'boats at dawn' : null, ...(i % 3 === 1 ? { width: 3000, height: 4000 } : {}) }));
  await seeder.pushPack((await Promise.all(assets.map((row, i) => drawRenditions(row, i)))).flat());
  await seeder.push({
    volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', 'Pictures')], assets, locations: assets.map((row, i) => locationRow(row, 'v-1', `Pictures/${i < 5 ? FOLDER : 'Home'}/${i}.jpg`)),
    stacks: [{ member_sha256: assets[7]?.sha256 ?? '', primary_sha256: assets[6]?.sha256 ?? '', type: 'edited', basis: 'its name', revision: 1, removed: false }],
  });
});
afterAll(async () => { await browser?.close(); await site?.stop(); });
afterEach(async () => { expect(said).toEqual([]); await close?.(); });

async function open(path: string, options: BrowserContextOptions = {}): Promise<void> {
  ({ page, said, close } = await openPage(browser, site.url, options));
  await page.goto(path);
}
const hash = (i: number) => assets[i]?.sha256 ?? '';
const shown = () => page.locator('a.tile').evaluateAll((tiles) => tiles.map((tile) => (tile as unknown as { pathname: string }).pathname.slice(3)));
const names = async () => (await shown()).map((sha256) => assets.findIndex((row) => row.sha256 === sha256));
/** As t-select's bar does it: from the page itself, without a token. */
const correct = (change: unknown, ...numbers: number[]) => page.evaluate(async (body) => {
  const answer = await fetch('/api/corrections', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  return (await answer.json()) as { edit_id: number; assets: number };
}, { scope: { kind: 'assets', sha256s: numbers.map(hash) }, change });

describe('an album', () => {
  test('is made, filled from a page, renamed, ordered, deleted and brought back', async () => {
    await open('/albums');
    await page.locator('.empty', { hasText: 'No album yet' }).waitFor();
    await page.locator('summary', { hasText: 'New album' }).click();
    await page.locator('[name="title"]').fill('Trip <b>one</b>');
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: 'Trip <b>one</b>' }).waitFor();
    const id = Number(new URL(page.url()).pathname.split('/')[2]);
    expect(await correct({ albums_add: [id], rating: 4 }, 0, 1, 2, 3)).toMatchObject({ assets: 4 });
    await page.reload();
    expect(await names()).toEqual([3, 2, 1, 0]);
    await page.locator('summary', { hasText: 'Rename' }).click();
    await page.locator('.album-tools [name="title"]').fill('Goa');
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: /^Goa$/ }).waitFor();
    await page.locator('.segments button', { hasText: 'Newest first' }).click();
    await page.locator('.segments [aria-pressed="true"]', { hasText: 'Newest first' }).waitFor();
    expect(await names()).toEqual([0, 1, 2, 3]);

    await page.locator('a', { hasText: 'Arrange' }).click();
    await page.locator('.arrange li').nth(3).locator('[title="To the beginning"]').click();
    await page.locator('[role="status"]', { hasText: 'Moved.' }).waitFor();
    await page.locator('.arrange li').nth(1).locator('button', { hasText: 'Cover' }).click();
    await page.locator('.arrange li').nth(1).locator('.badge', { hasText: 'Cover' }).waitFor();
    await page.locator('.crumbs a', { hasText: 'Goa' }).click();
    expect(await names()).toEqual([3, 0, 1, 2]);
    // The viewer steps in that order.
    await page.locator('a.tile').nth(0).click();
    await page.locator(`#viewer .viewer-body`).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(new RegExp(hash(0)));
    await page.keyboard.press('Escape');

    await page.locator('button', { hasText: 'Delete album' }).click();
    await page.locator('[role="status"]', { hasText: '‘Goa’ is deleted.' }).waitFor();
    expect(await page.locator('.card').count()).toBe(0);
    await page.locator('[role="status"] button', { hasText: 'Undo' }).click();
    await page.locator('[role="status"]', { hasText: 'The album is back.' }).waitFor();
    expect(await names()).toEqual([3, 0, 1, 2]);
  });

  test('fills itself from a search, made without script on a phone', async () => {
    await open('/search?q=boats', { ...PHONE, javaScriptEnabled: false });
    await page.locator('summary', { hasText: 'Save as album' }).click();
    await page.locator('.save-album [name="title"]').fill('Boats');
    await page.locator('.save-album button', { hasText: 'Save' }).click();
    expect(await names()).toEqual([0, 1, 2, 3]);
    await expect(page.locator('.grid-head .lead').innerText()).resolves.toContain('4 photos and videos, found by ‘boats’');
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await page.locator('summary', { hasText: 'Rename' }).click();
    await page.locator('.album-tools [name="title"]').fill(' ');
    await page.locator('.album-tools .fold button').click();
    await page.locator('[role="alert"]', { hasText: 'An album needs a name.' }).waitFor();
    expect(said.splice(0)).toEqual([expect.stringContaining('422')]);
    await page.goto('/albums');
    await page.locator('.card', { hasText: 'Fills itself' }).locator('img').waitFor();
  });
});

describe('what is kept apart', () => {
  test('is reached from the albums: favourites, archive, tags', async () => {
    await open('/albums');
    const edit = await correct({ favourite: true, archived: true }, 5);
    for (const [name, list] of [['Favourites', [5]], ['Archive', [5]]] as const) {
      await page.goto('/albums');
      await page.locator('.pinned a', { hasText: name }).click();
      await page.locator('h1', { hasText: name }).waitFor();
      expect(await names()).toEqual(list);
    }
    await page.evaluate((id) => fetch(`/api/edits/${id}/undo`, { method: 'POST' }), edit.edit_id);
    await page.goto('/favourites');
    await page.locator('.empty', { hasText: 'No favourite yet' }).waitFor();
    await page.goto('/tags');
    await page.locator('.chip', { hasText: 'beach <i>' }).click();
    await page.locator('h1', { hasText: 'beach <i>' }).waitFor();
    expect(await names()).toEqual([0, 1, 2]);
  });

  test('a stack says how many it holds', async () => {
    await open('/', { viewport: { width: 1280, height: 2600 } });
    await expect(page.locator(`a.tile[href*="${hash(6)}"] .badge-stack`).innerText()).resolves.toContain('2');
  });
});

test('a drive’s folders are walked with the drive away', async () => {
  await open('/drives');
  await page.locator('.folder a.path').click();
  await page.locator('.card', { hasText: FOLDER }).click();
  await page.locator('h1', { hasText: FOLDER }).waitFor();
  expect(await names()).toEqual([0, 1, 2, 3, 4]);
  await expect(page.locator('.grid-head .lead').innerText()).resolves.toContain('‘Blue SSD’ is away');
  await page.locator('.crumbs a', { hasText: 'Blue SSD' }).click();
  await page.locator('.card', { hasText: 'Pictures' }).waitFor();
});
