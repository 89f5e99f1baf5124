// The first page of an empty library in a real browser: with the agent away, with it there, and while it reads.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, watchPage } from '../support/browser.ts';
import { IDLE, presentVolume, startFakeAgent, type FakeAgent } from '../support/fake-agent.ts';
import { assetRow, createSeeder, locationRow, rootRow, volumeRow } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
let browser: Browser;
let agent: FakeAgent | undefined;
let page: Page;
let said: string[];

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  page = await browser.newPage({ baseURL: site.url });
  said = watchPage(page);
});

afterAll(async () => {
  await browser?.close();
  await agent?.stop();
  await site?.stop();
});

test('says what to do, step by step, until the first photo is there', async () => {
  await page.goto('/');
  await expect(page.locator('h1').innerText()).resolves.toBe('Where are your photos?');
  await expect(page.locator('#main').innerText()).resolves.toContain('Start Jharokha on the computer that has them');

  agent = await startFakeAgent(site, {
    drives: () => ({ volumes: [presentVolume('v-1', 'Blue SSD')], suggestions: [{ path: '/Users/me/Pictures', label: 'Pictures', why: 'your own pictures' }] }),
    browse: ({ path }) => ({ path, parent: '/Volumes', folders: [{ name: '2019 <b>Goa</b>', path: `${path}/2019 <b>Goa</b>` }] }),
    add_root: ({ path }) => ({ root_id: 'r-1', path }),
  });
  agent.present([presentVolume('v-1', 'Blue SSD')]);
  await page.setViewportSize({ width: 390, height: 500 });
  await page.goto('/');
  await page.locator('button', { hasText: 'Look inside' }).click();
  // What was asked for is seen, above the bar, without scrolling for it.
  await expect.poll(async () => { const box = await page.locator('#browse a').last().boundingBox(); return (box?.y ?? 999) + (box?.height ?? 0); }).toBeLessThan(436);
  await page.locator('#browse a', { hasText: '2019 <b>Goa</b>' }).click();
  await page.locator('#browse .path', { hasText: '/Volumes/Blue SSD/2019 <b>Goa</b>' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/');
  await page.locator('#browse button', { hasText: 'Add this folder' }).click();
  await page.waitForURL(/\/drives/);
  expect(agent.asked.at(-1)).toEqual({ name: 'add_root', args: { path: '/Volumes/Blue SSD/2019 <b>Goa</b>' } });

  const seeder = createSeeder(site);
  await seeder.push({ volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', '2019')] });
  agent.say({ ...IDLE, phase: 'scanning', root: '/Volumes/Blue SSD/2019', counts: { seen: 7, indexed: 7, changed: 0, moved: 0, unchanged: 0, duplicate: 0, sidecar: 0, ignored: 0, failed: 0 } });
  await page.goto('/');
  await page.locator('h1', { hasText: 'Reading your photos' }).waitFor();

  const first = assetRow('the first', '2020-02-29T12:00:00', { facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } });
  await seeder.push({ assets: [first], locations: [locationRow(first, 'v-1', '2019/first.jpg')] });
  await page.locator(`a.tile[href="/a/${first.sha256}"]`).waitFor();
  await expect(page.locator('.day-title').innerText()).resolves.toBe('Saturday, 29 February');
  expect(said).toEqual([]);
});
