// axe-core finds nothing on any page: every address that a link of the site leads to, one of each kind, light and dark, phone and
// desktop, and what opens over a page. Also what axe cannot see: targets large enough for a finger.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { cellOf } from '../../protocol/place.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { presentVolume, startFakeAgent, type FakeAgent } from '../support/fake-agent.ts';
import { assetRow, createSeeder, drawRenditions, evidenceRow, locationRow, placeRow, rootRow, volumeRow } from '../support/seed.ts';
import { SITE_TOKEN, startSite, type Site } from '../support/site.ts';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** All of axe's rules but those that it holds for experiments, and its rule of target sizes besides. None is left out. */
const ALL: RunOptions = { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } };
const COLOURS: RunOptions = { resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block'] };
/** The least that the crawl must have met, so that it cannot pass by finding nothing. */
const MUST_MEET = ['/', '/a/#', '/search', '/places', '/places/#/#/#', '/albums', '/albums/#', '/drives', '/problems', '/settings', '/edits', '/sidecars', '/progress'];

let site: Site;
let browser: Browser;
let agent: FakeAgent;
let page: Page;
let close: () => Promise<void>;
const hashes: string[] = [];

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  const opened = await openPage(browser, site.url, { viewport: DESKTOP });
  page = opened.page;
  close = () => opened.context.close();
  await opened.context.addInitScript(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
});
afterAll(async () => { await close?.(); await browser?.close(); await agent?.stop(); await site?.stop(); });

async function seed(): Promise<void> {
  const seeder = createSeeder(site);
  const rows = Array.from({ length: 24 }, (_, i) => assetRow(`axe ${i}`, i === 23 ? null : `2024-0${6 - (i % 3)}-1${i % 7}T10:00:00`, {
    latitude: 44.17, longitude: 9.61, gps_zone: 'Europe/Rome', camera: 'Box 12', ...(i % 2 ? { width: 3000, height: 4000 } : {}), ...(i === 4 ? { kind: 'video' as const, mime: 'video/mp4', duration_ms: 8_000 } : {}), description: i === 0 ? 'A <b>sentence</b>.' : null, tags: i < 3 ? ['harbour'] : [],
    ...(i === 6 ? { facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } } : {}),
  }));
  hashes.push(...rows.map((row) => row.sha256));
  await seeder.pushPack((await Promise.all(rows.slice(0, 6).map((row, i) => drawRenditions(row, i)))).flat());
  await seeder.push({
    volumes: [volumeRow('v-1', 'Blue SSD'), volumeRow('v-2', 'T7 Archive')], roots: [rootRow('r-1', 'v-1', 'DCIM'), rootRow('r-2', 'v-2', '')],
    assets: rows, locations: rows.map((row, i) => locationRow(row, i % 2 ? 'v-2' : 'v-1', `DCIM/${i}.jpg`)), evidence: rows.slice(0, 4).map((_, i) => evidenceRow(i % 2 ? 'v-2' : 'v-1', `DCIM/${i}.jpg`, { albums: [{ key: 'k', title: 'Trip to the sea' }] })),
    places: [placeRow(cellOf(44.17, 9.61), { city: 'Levanto', region: 'Liguria', country: 'Italy', country_code: 'IT', zone: 'Europe/Rome' })],
    problems: [{ volume_id: 'v-1', path: 'DCIM/broken.jpg', revision: 1, code: 'damaged', reason: 'No picture inside.', stage: 'decode', at_ms: 1, solved: false }],
  });
  const answer = await fetch(`${site.url}/api/corrections`, { method: 'POST', headers: { Authorization: `Bearer ${SITE_TOKEN}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ agent_id: 'agent-of-a-test', scope: { kind: 'assets', sha256s: hashes.slice(0, 2) }, change: { favourite: true } }) });
  if (!answer.ok) throw new Error(`correction: ${answer.status} ${await answer.text()}`);
}

async function run(options: RunOptions): Promise<string[]> {
  const found = await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`) as AxeResults;
  return found.violations.flatMap((violation) => violation.nodes.slice(0, 4).map((node) => `${violation.id}: ${node.target.join(' ')} ${node.any[0]?.message ?? node.all[0]?.message ?? node.none[0]?.message ?? violation.help}`));
}

/** All rules on both sizes, and colours in both schemes of both. */
async function check(name: string): Promise<string[]> {
  const wrong: string[] = [];
  const say = (where: string, list: string[]) => { wrong.push(...list.map((each) => `${name}, ${where}: ${each}`)); };
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.setViewportSize(DESKTOP);
  say('desktop, light', await run(ALL));
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  say('desktop, dark', await run(COLOURS));
  await page.setViewportSize(PHONE);
  say('phone, dark', await run(ALL));
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  say('phone, light', await run(COLOURS));
  await page.setViewportSize(DESKTOP);
  return wrong;
}

/** `/a/<hash>` and `/albums/7` are one page each; a query makes another only where it has the same path. */
function shapeOf(address: string): string {
  const path = new URL(address, site.url).pathname;
  return path.split('/').map((part, i, all) => (/^([0-9a-f]{16,}|\d+|.*%.*|v-\d|r-\d)$/.test(part) || (all[1] === 'places' && i > 1) || (i > 1 && !/^[a-z-]+$/.test(part)) ? '#' : part)).join('/');
}

test('the first page of an empty library', async () => {
  await page.goto('/');
  expect(await check('/ (empty)')).toEqual([]);
});

test('every page that a link leads to', async () => {
  await seed();
  agent = await startFakeAgent(site, { drives: () => ({ volumes: [presentVolume('v-1', 'Blue SSD')], suggestions: [] }) });
  agent.present([presentVolume('v-1', 'Blue SSD')]);
  const met = new Set<string>();
  const wrong: string[] = [];
  const queue = ['/', `/a/${hashes[0]}`, '/search', '/search?q=harbour', '/search?q=nothing+like+it', '/nothing-here', '/offline', '/edits', '/sidecars', '/progress'];
  const seen = new Set(queue.map(shapeOf));
  for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
    const answer = await page.goto(address);
    if (!(answer?.headers()['content-type'] ?? '').startsWith('text/html')) continue;
    met.add(shapeOf(address));
    expect(answer?.status(), address).toBe(address === '/nothing-here' ? 404 : 200);
    wrong.push(...await check(address));
    const links = await page.locator('a[href^="/"]:not([download], [href^="/originals/"])').evaluateAll((all) => all.map((each) => each.getAttribute('href') ?? ''));
    for (const link of links) {
      const shape = shapeOf(link);
      if (seen.has(shape)) continue;
      seen.add(shape);
      queue.push(link);
    }
  }
  expect(wrong).toEqual([]);
  expect(MUST_MEET.filter((shape) => !met.has(shape))).toEqual([]);
}, 120_000);

test('what opens over a page: the viewer, its facts, the keys, suggestions, the sheets of a phone', async () => {
  const wrong: string[] = [];
  await page.goto('/');
  await page.locator('a.tile').first().click();
  await page.locator('dialog.viewer[open]').waitFor();
  wrong.push(...await check('the viewer over the timeline'));
  await page.keyboard.press('i');
  wrong.push(...await check('the viewer, facts put away'));
  await page.goto('/');
  await page.keyboard.press('?');
  await page.locator('#help[open]').waitFor();
  wrong.push(...await check('the keys'));
  await page.keyboard.press('Escape');
  await page.locator('#q').fill('har');
  await page.locator('#suggest:not([hidden])').waitFor();
  wrong.push(...await check('suggestions'));
  expect(wrong).toEqual([]);
});

/** Small on purpose: links inside running text (exempt in WCAG 2.5.8), and what is only reached by keys. */
const SMALL_TARGETS = `(() => {
  const out = [];
  for (const each of document.querySelectorAll('a[href], button, select, summary, input:not([type="hidden"]), [role="slider"]')) {
    const style = getComputedStyle(each);
    if (!each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || each.matches('.skip, .hidden-text') || each.closest('[inert]')) continue;
    if (style.display === 'inline' && each.closest('p, dd, li, td, label')) continue;
    const own = each.matches('input[type="checkbox"], input[type="radio"]') ? each.closest('label') ?? each : each;
    const box = own.getBoundingClientRect();
    if (box.width === 0 || box.bottom < 0) continue;
    if (box.height < 43.5 || box.width < 43.5) out.push((each.id ? '#' + each.id : each.tagName.toLowerCase() + '.' + each.className) + ' ' + Math.round(box.width) + 'x' + Math.round(box.height));
  }
  return [...new Set(out)];
})()`;

test('on a phone everything to touch is 44 px or more', async () => {
  const { context, page: phone } = await openPage(browser, site.url, { viewport: PHONE, hasTouch: true, isMobile: true });
  const small: string[] = [];
  for (const address of ['/', `/a/${hashes[0]}`, '/search?q=harbour', '/places', '/albums', '/drives', '/problems', '/settings', '/edits']) {
    await phone.goto(address);
    small.push(...(await phone.evaluate(SMALL_TARGETS) as string[]).map((each) => `${address}: ${each}`));
  }
  await context.close();
  expect(small).toEqual([]);
});
