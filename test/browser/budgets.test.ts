// What the first page may cost, in one place: bytes, requests, blocking time, shifts. Of a library that fills the window, in a browser that has kept nothing.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { openBrowser, openPage } from '../support/browser.ts';
import { assetRow, createSeeder, drawRenditions, locationRow, rootRow, volumeRow } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

/** Bytes after gzip, as a deployed site sends them; pictures as they are. */
const BUDGET = { documentBytes: 30_000, scriptBytes: 50_000, styleBytes: 15_000, requestsBesidesPictures: 9, pictures: 60, blockingMs: 600, shift: 0 };
const ASSETS = 240;

let site: Site;
let browser: Browser;

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  const seeder = createSeeder(site);
  const rows = Array.from({ length: ASSETS }, (_, i) => assetRow(`budget ${i}`, `2024-0${6 - Math.floor(i / 60)}-1${i % 6}T10:${String(i % 60).padStart(2, '0')}:00`, i % 3 ? {} : { width: 3000, height: 4000 }));
  for (let i = 0; i < rows.length; i += 60) await seeder.pushPack((await Promise.all(rows.slice(i, i + 60).map((row, k) => drawRenditions(row, i + k, ['grid'])))).flat());
  await seeder.push({ volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', 'DCIM')], assets: rows, locations: rows.map((row, i) => locationRow(row, 'v-1', `DCIM/${i}.jpg`)) });
});
afterAll(async () => { await browser?.close(); await site?.stop(); });

/** Shifts and what tasks take beyond 50 ms, from the page's first moment. */
const WATCH = `globalThis.seen = { shift: 0, blockingMs: 0 };
new PerformanceObserver((list) => { for (const each of list.getEntries()) seen.shift += each.value; }).observe({ type: 'layout-shift', buffered: true });
new PerformanceObserver((list) => { for (const each of list.getEntries()) seen.blockingMs += each.duration - 50; }).observe({ type: 'longtask', buffered: true });`;

for (const [name, viewport] of [['desktop', { width: 1440, height: 900 }], ['phone', { width: 390, height: 844 }]] as const) {
  test(`the first page keeps to its budget: ${name}`, async () => {
    const { context, page } = await openPage(browser, site.url, { viewport });
    await page.addInitScript(WATCH);
    const bytes: Record<string, number> = {};
    const asked: { type: string; url: string }[] = [];
    page.on('request', (request) => { asked.push({ type: request.resourceType(), url: request.url() }); });
    page.on('response', (response) => { void response.body().then((body) => { const type = response.request().resourceType(); bytes[type] = (bytes[type] ?? 0) + gzipSync(body).byteLength; }, () => undefined); });
    await page.goto('/');
    await expect.poll(() => page.evaluate("[...document.querySelectorAll('a.tile')].filter((tile) => { const box = tile.getBoundingClientRect(); return box.top < innerHeight && box.bottom > 0; }).every((tile) => tile.querySelector('img')?.complete)"), { timeout: 15_000 }).toBe(true);
    const seen = await page.evaluate('globalThis.seen') as { shift: number; blockingMs: number };
    const pictures = asked.filter(({ type }) => type === 'image').length;
    const others = asked.filter(({ type }) => type !== 'image').map(({ url }) => new URL(url).pathname);
    await context.close();
    expect(bytes['document']).toBeLessThanOrEqual(BUDGET.documentBytes);
    expect(bytes['script']).toBeLessThanOrEqual(BUDGET.scriptBytes);
    expect(bytes['stylesheet']).toBeLessThanOrEqual(BUDGET.styleBytes);
    expect(others.length, others.join(' ')).toBeLessThanOrEqual(BUDGET.requestsBesidesPictures);
    expect(pictures).toBeGreaterThan(5);
    expect(pictures).toBeLessThanOrEqual(BUDGET.pictures);
    expect(seen.blockingMs).toBeLessThanOrEqual(BUDGET.blockingMs);
    expect(seen.shift).toBe(BUDGET.shift);
  });
}
