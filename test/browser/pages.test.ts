// Pages in a real browser, served by the real Worker on real D1 and R2: what a reader sees and does, with script and without.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { PIECE_TILES } from '../../protocol/limits.ts';
import type { AssetRow } from '../../protocol/rows.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { IDLE, presentVolume, startFakeAgent, type FakeAgent } from '../support/fake-agent.ts';
import { assetRow, createSeeder, drawRenditions, locationRow, rootRow, volumeRow, type Seeder } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

/** Enough for three pieces. */
const ASSETS = 480;
const SHAPES = [[4000, 3000], [3000, 4000], [4000, 2250], [3000, 3000]] as const;
const HOSTILE = 'DCIM/a\nb/\u202Egpj.<img src=x onerror=alert(1)>"\'&.jpg';

/** For what comes by itself; only a failure waits this long. */
const SOON = { timeout: 15_000 };

let site: Site;
let browser: Browser;
let agent: FakeAgent;
let seeder: Seeder;
let assets: AssetRow[];
let context: BrowserContext;
let close: (() => Promise<void>) | undefined;
let page: Page;
let said: string[];

/** Newest first: three a day, so that months and pieces are crossed. */
function makeAssets(): AssetRow[] {
  return Array.from({ length: ASSETS }, (_, i) => {
    const wall = new Date(Date.UTC(2023, 9, 21, 18) - Math.floor(i / 3) * 86_400_000 - (i % 3) * 600_000).toISOString().slice(0, 19);
    const [width, height] = SHAPES[i % SHAPES.length] ?? [1, 1];
    const video = i === 2;
    return assetRow(`asset ${i}`, i >= ASSETS - 2 ? null : wall, {
      width, height, color: '#6688aa', camera: i === 1 ? 'Pixel <b>9</b>' : 'iPhone 12 Pro', kind: video ? 'video' : 'image', duration_ms: video ? 42_000 : null,
      facets: { facts: 1, grid: i === 5 ? 0 : 2, preview: i < 8 && i !== 5 ? 2 : 0, proxy: 0 },
      ...(i === 4 ? { time_claims: [{ source: 'mtime' as const, wall, utc_ms: null, offset_minutes: null, offset_source: null }] } : {}),
    });
  });
}

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  assets = makeAssets();
  seeder = createSeeder(site);
  await seeder.push({
    volumes: [volumeRow('v-1', 'Blue SSD'), volumeRow('v-2', 'T7 Archive')], roots: [rootRow('r-1', 'v-1', 'DCIM'), rootRow('r-2', 'v-2', '')],
    problems: [{ volume_id: 'v-1', path: HOSTILE, revision: 1, code: 'damaged', reason: 'No picture <script>alert(2)</script> inside.', stage: 'decode', at_ms: 1, solved: false }],
  });
  // A few pictures are real; the rest share two, which is all that order and scrolling need.
  for (let i = 0; i < assets.length; i += 100) {
    const part = assets.slice(i, i + 100);
    await seeder.pushPack((await Promise.all(part.map((asset, j) => (i + j < 24 && asset.facets.grid ? drawRenditions(asset, i + j, asset.facets.preview ? ['grid', 'preview'] : ['grid']) : [])))).flat());
    await seeder.push({ assets: part.map((asset, j) => (i + j < 24 ? asset : { ...asset, facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } })), locations: part.map((asset, j) => locationRow(asset, (i + j) % 2 ? 'v-2' : 'v-1', `DCIM/IMG_${i + j}.JPG`)) });
  }
  const first = assets[0];
  if (!first) throw new Error('no assets');
  await seeder.push({ locations: [
    locationRow(first, 'v-1', HOSTILE, { fs_id: '9', inode: '42' }), locationRow(first, 'v-1', 'DCIM/linked.jpg', { fs_id: '9', inode: '42' }), locationRow(first, 'v-2', `${'long'.repeat(62)}.jpg`),
  ] });
  agent = await startFakeAgent(site, { scan: () => ({ job_id: 'job-1' }), drives: () => ({ volumes: [presentVolume('v-1', 'Blue SSD')], suggestions: [] }), add_root: ({ path }) => { throw new Error(`There is no folder ${path}.`); } });
  agent.present([presentVolume('v-1', 'Blue SSD')]);
  agent.say(IDLE);
});

afterAll(async () => {
  await browser?.close();
  await agent?.stop();
  await site?.stop();
});

afterEach(async () => {
  await close?.();
  expect(said).toEqual([]);
});

async function open(path: string, options: BrowserContextOptions = {}): Promise<void> {
  ({ context, page, said, close } = await openPage(browser, site.url, options));
  await page.goto(path);
}

function place(): Promise<number> {
  return page.evaluate<number>('scrollY');
}
function hashes(): Promise<string[]> {
  return page.locator('.tile').evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute('href')?.slice(3) ?? ''));
}
const expectedOrder = () => {
  return { dated: assets.slice(0, -2).map((asset) => asset.sha256), undated: assets.slice(-2).map((asset) => asset.sha256) };
};

describe('timeline', () => {
  test('shows tiles newest first, uncropped, in rows of one height', async () => {
    await open('/');
    const shown = await hashes();
    expect(shown).toEqual(expectedOrder().dated.slice(0, shown.length));
    expect(shown.length).toBeLessThanOrEqual(PIECE_TILES);
    const boxes = await page.locator('.day').first().locator('.tile').evaluateAll((tiles) => tiles.map((tile) => { const box = tile.getBoundingClientRect(); return { top: box.top, ratio: box.width / box.height, height: box.height }; }));
    boxes.forEach((box, i) => {
      const [width, height] = SHAPES[i % SHAPES.length] ?? [1, 1];
      // A ratio is known to 3.4 %; what differs is cropped.
      expect(Math.abs(Math.log(box.ratio / (width / height)))).toBeLessThan(0.045);
      expect(box.height).toBeCloseTo(boxes[0]?.height ?? 0, 0);
    });
    await expect(page.locator('.month-title').first().textContent()).resolves.toBe('October 2023');
    await expect(page.locator('.day-title').first().textContent()).resolves.toBe('Saturday, 21 October');
    await expect(page.locator('.badge').first().textContent()).resolves.toBe('0:42');
    await expect.poll(() => page.evaluate<number>(`document.querySelector('.tile img').naturalWidth`), SOON).toBeGreaterThan(0);
    await expect(page.locator('.dots').textContent()).resolves.toContain('T7 Archive, away');
  });

  test('has everything while it is scrolled, each once, one title a month', async () => {
    await open('/');
    await page.locator('.scrub').waitFor();
    const shown: string[] = [];
    const months: (string | null)[] = [];
    for (let last = -1; last !== await place();) {
      last = await place();
      await page.locator('.hold').first().waitFor({ state: 'detached' });
      for (const hash of await hashes()) if (!shown.includes(hash)) shown.push(hash);
      for (const month of await page.locator('.month-title').allTextContents()) if (!months.includes(month)) months.push(month);
      await page.mouse.wheel(0, 1200);
      await expect.poll(() => page.evaluate<boolean>(`scrollY >= ${last} + 1200 || scrollY + innerHeight >= document.documentElement.scrollHeight - 1`), SOON).toBe(true);
    }
    const { dated, undated } = expectedOrder();
    expect(shown.slice(0, dated.length)).toEqual(dated);
    expect(new Set(shown.slice(dated.length))).toEqual(new Set(undated));
    expect(months.at(-1)).toBe('No date');
  });

  test('says what is new without moving a reader who is further down', async () => {
    await open('/');
    await page.mouse.wheel(0, 1500);
    await expect.poll(place, SOON).toBeGreaterThan(1400);
    const top = () => page.locator('.tile').evaluateAll((tiles) => tiles.map((tile) => ({ id: tile.id, top: Math.round(tile.getBoundingClientRect().top) })).find((tile) => tile.top > 300));
    await expect.poll(top, SOON).toBeDefined();
    const seen = await top();
    await page.locator('html[data-live]').waitFor();
    const fresh = assetRow('fresh', '2023-10-22T09:00:00', { facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } });
    await seeder.push({ assets: [fresh], locations: [locationRow(fresh, 'v-1', 'DCIM/fresh.jpg')] });
    await page.locator('#fresh').waitFor({ state: 'visible' });
    expect(await top()).toEqual(seen);
    await page.locator('#fresh a').click();
    await page.locator(`a[href="/a/${fresh.sha256}"]`).waitFor();
    assets.unshift(fresh);
  });

  test('lets new photos appear by themselves for a reader at the top', async () => {
    await open('/');
    const newest = assetRow('newest', '2023-10-22T10:00:00', { facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } });
    await page.locator('.tile').first().waitFor();
    await seeder.push({ assets: [newest], locations: [locationRow(newest, 'v-1', 'DCIM/newest.jpg')] });
    await page.locator(`.tile[href="/a/${newest.sha256}"]`).waitFor();
    assets.unshift(newest);
    expect((await hashes())[0]).toBe(newest.sha256);
  });

  test('fits a phone: bar below, no sideways scrolling, a sheet of months', async () => {
    await open('/', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const bar = await page.locator('.rail').boundingBox();
    expect(bar?.width).toBe(390);
    expect((bar?.y ?? 0) + (bar?.height ?? 0)).toBeCloseTo(844, 0);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    const small = await page.locator('.rail a:visible, .top a:visible, .top button:visible').evaluateAll((all) => all.filter((each) => each.getBoundingClientRect().height < 44 && !each.matches('.top-title')).map((each) => each.outerHTML));
    expect(small).toEqual([]);
    // The first drive by its name, all others by their number.
    expect(await page.locator('.dots li:visible').evaluateAll((all) => all.map((each) => each.textContent))).toEqual(['Blue SSD, connected', '+1 more']);
    await page.locator('.jump').tap();
    await page.locator('.year-months a[aria-label="August 2023"]').tap();
    await expect.poll(() => page.locator('.month-title[data-month="202308"]').evaluate((title) => title.getBoundingClientRect().top), SOON).toBeLessThan(100);
  });
});

describe('viewer', () => {
  test('opens over the timeline, steps by key, closes to the same place', async () => {
    await open('/');
    await page.mouse.wheel(0, 900);
    await expect.poll(place, SOON).toBeGreaterThan(850);
    const before = await place();
    const start = await page.locator('.tile').evaluateAll((tiles) => tiles.findIndex((tile) => tile.getBoundingClientRect().top > 200));
    const order = await hashes();
    await page.locator('.tile').nth(start).click();
    await page.locator(`.viewer-body[data-sha256="${order[start]}"]`).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/a/${order[start]}`);
    await page.keyboard.press('ArrowRight');
    await page.locator(`.viewer-body[data-sha256="${order[start + 1]}"]`).waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.locator(`.viewer-body[data-sha256="${order[start - 1]}"]`).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/a/${order[start - 1]}`);
    await page.keyboard.press('i');
    expect(await page.locator('.facts').isVisible()).toBe(false);
    await page.keyboard.press('i');
    expect(await page.locator('.facts').isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await page.locator('#viewer').waitFor({ state: 'hidden' });
    expect(new URL(page.url()).pathname).toBe('/');
    expect(Math.abs((await place()) - before)).toBeLessThan(2);
    await page.locator('.tile').nth(start).click();
    await page.locator('.viewer-body').waitFor();
    await page.goBack();
    await page.locator('#viewer').waitFor({ state: 'hidden' });
    expect(Math.abs((await place()) - before)).toBeLessThan(2);
    await page.goForward();
    await page.locator(`.viewer-body[data-sha256="${order[start]}"]`).waitFor();
  });

  test('says everything it knows, where it is from, and counts one file once', async () => {
    const first = assets.find((asset) => asset.sha256 === assetRow('asset 0', null).sha256);
    await open(`/a/${first?.sha256}`);
    const facts = await page.locator('.facts').innerText();
    expect(facts).toContain('Saturday, 21 October 2023');
    expect(facts).toContain('from the camera’s clock, zone not known');
    expect(facts).toContain('4,000 × 3,000');
    // IMG_0 and the hostile one on the first drive, the long one on the second: the link is no copy.
    expect(facts).toContain('3 copies');
    expect(facts).toContain('The same file is also seen as DCIM/linked.jpg: one copy.');
    expect(facts).toContain('⟨U+202E⟩');
    expect(facts).toContain('T7 Archive, away');
    expect(await page.locator('.picture-box .full').getAttribute('src')).toBe(`/r/${first?.sha256}/preview.2.webp`);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280);
    await page.keyboard.press('Escape');
    await page.waitForURL(/near=/);
    await page.locator(`a.tile[href="/a/${first?.sha256}"]`).waitFor();
  });

  test('shows a guess as a guess, and says what is still to come', async () => {
    await open(`/a/${assetRow('asset 4', null).sha256}`);
    await expect(page.locator('.guess').textContent()).resolves.toBe('from the file’s date: a guess');
    await page.goto(`/a/${assetRow('asset 41', null).sha256}`);
    await expect(page.locator('.stage-note').textContent()).resolves.toBe('A larger preview follows once ‘T7 Archive’ has been read.');
    await expect(page.locator('.facts').innerText()).resolves.toContain('One copy');
  });

  test('turns by a swipe and shows the facts as a sheet on a phone', async () => {
    await open(`/a/${assetRow('asset 7', null).sha256}`, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    expect(await page.locator('.facts').isVisible()).toBe(false);
    await page.locator('.stage-tools [data-viewer="facts"]').tap();
    expect(await page.locator('.facts').isVisible()).toBe(true);
    await page.locator('.facts-close').tap();
    const finger = await context.newCDPSession(page);
    await finger.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: 300, y: 400 }] });
    for (const x of [260, 200, 120]) await finger.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x, y: 402 }] });
    await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await page.locator(`.viewer-body[data-sha256="${assetRow('asset 8', null).sha256}"]`).waitFor();
  });
});

describe('without script', () => {
  test('every page is a plain page', async () => {
    await open('/', { javaScriptEnabled: false });
    const first = await hashes();
    await page.locator('a[rel="next"]').click();
    const second = await hashes();
    expect(second).toEqual(assets.slice(0, -2).map((asset) => asset.sha256).slice(first.length, first.length + second.length));
    await page.locator('a[rel="prev"]').click();
    expect((await hashes()).at(-1)).toBe(first.at(-1));
    await page.locator('.tile').nth(3).click();
    const before = page.url();
    await page.locator('.step-older').click();
    expect(page.url()).not.toBe(before);
    await page.locator('[data-viewer="close"]').click();
    expect(page.url()).toContain('near=');
    await page.goto('/drives');
    await page.locator('#drive-v-2 a', { hasText: 'Name and note' }).click();
    await page.locator('#drive-v-2 input[name="note"]').fill('in the office drawer');
    await page.locator('#drive-v-2 button', { hasText: 'Save' }).click();
    await expect(page.locator('#drive-v-2').innerText()).resolves.toContain('in the office drawer');
    await page.goto('/folders/r-2/remove');
    await expect(page.locator('h1').innerText()).resolves.toContain('Stop reading');
    await page.goto('/folders/add');
    await page.locator('input[name="path"]').last().fill('/nowhere');
    await page.locator('button', { hasText: 'Add' }).last().click();
    await expect(page.locator('[role="alert"]').innerText()).resolves.toBe('There is no folder /nowhere.');
    // The refusal carries its status; the browser says so, and nothing else.
    expect(said.splice(0).every((line) => line.startsWith('422 '))).toBe(true);
  });
});

describe('text pages', () => {
  test('names from files are shown, and nothing in them runs', async () => {
    await open('/problems');
    const text = await page.locator('#main').innerText();
    expect(text).toContain('DCIM/a↵b/⟨U+202E⟩gpj.<img src=x onerror=alert(1)>');
    expect(text).toContain('<script>alert(2)</script>');
    expect(await page.locator('#main img, #main script').count()).toBe(0);
    await expect(page.locator('.rail-count').innerText()).resolves.toContain('1');
    await page.locator('button', { hasText: 'Try again' }).click();
    await page.locator('[role="status"]', { hasText: 'scanned again' }).waitFor();
    expect(agent.asked.at(-1)).toEqual({ name: 'scan', args: { root_id: null } });
  });

  test('a drive is named in place', async () => {
    await open('/drives');
    const row = page.locator('#drive-v-1');
    await row.locator('a', { hasText: 'Name and note' }).click();
    await row.locator('input[name="label"]').fill('Blue <i>one</i>');
    await row.locator('button', { hasText: 'Save' }).click();
    await row.locator('.drive-name', { hasText: 'Blue <i>one</i>' }).waitFor();
    expect(page.url()).toBe(`${site.url}/drives`);
    await row.locator('a', { hasText: 'Name and note' }).click();
    await row.locator('input[name="label"]').fill('');
    await row.locator('button', { hasText: 'Save' }).click();
    await row.locator('.drive-name', { hasText: 'Blue SSD' }).waitFor();
    const focus = () => page.evaluate<string>('document.activeElement.textContent');
    expect(await focus()).toBe('Name and note');
    await row.locator('a', { hasText: 'Name and note' }).click();
    await row.locator('a', { hasText: 'Leave it' }).click();
    await row.locator('.drive-words').waitFor({ state: 'detached' });
    expect(await focus()).toBe('Name and note');
    agent.say({ ...IDLE, phase: 'scanning' });
    await row.locator('button', { hasText: 'Scan now' }).click();
    await row.locator('[role="status"]', { hasText: 'Scanning now' }).waitFor();
    expect(await focus()).toBe('Scanning now');
    agent.say({ ...IDLE, phase: 'scanning', root: '/Volumes/Blue SSD/Pictures' });
    await page.locator('.status-text', { hasText: 'Pictures' }).waitFor();
    expect(await focus()).toBe('Scanning now');
    agent.say(IDLE);
    await row.locator('[role="status"]').waitFor({ state: 'detached' });
    expect(await focus()).toBe('Scan now');
    expect(agent.asked.at(-1)).toEqual({ name: 'scan', args: { root_id: 'r-1' } });
    await seeder.push({ problems: [{ volume_id: 'v-1', path: 'DCIM/empty.jpg', revision: 2, code: 'empty', reason: 'There is nothing in it.', stage: 'hash', at_ms: 2, solved: false }] });
    await page.locator('.rail-count', { hasText: '2' }).waitFor();
  });

  test('progress and a question come live, and move nothing', async () => {
    await open('/');
    const before = await page.locator('.tile').first().boundingBox();
    agent.say({
      ...IDLE, phase: 'scanning', root: '/Volumes/Blue SSD/Pictures', pending: { facts: 2796, previews: 0, proxies: null, vectors: null }, eta_s: 720,
      counts: { seen: 1204, indexed: 1204, changed: 0, moved: 0, unchanged: 0, duplicate: 0, sidecar: 0, ignored: 0, failed: 0 },
      questions: [{ scan_id: 'q-1', volume_id: 'v-1', label: 'Blue SSD', vanished: 60, known: 240, examples: ['DCIM/gone.jpg'] }],
    });
    await page.locator('.status-text', { hasText: 'Reading Pictures: 1,204 of about 4,000, 12 minutes left' }).waitFor();
    expect(await page.locator('.tile').first().boundingBox()).toEqual(before);
    await page.locator('.notice a').click();
    await page.locator('h1', { hasText: '60 files were not found' }).waitFor();
    await expect(page.locator('#main').innerText()).resolves.toContain('DCIM/gone.jpg');
    agent.present([]);
    await page.locator('.dots', { hasText: 'Blue SSD, away' }).waitFor();
    agent.present([presentVolume('v-1', 'Blue SSD')]);
    await page.locator('.dots li.away').nth(1).waitFor({ state: 'detached' });
    agent.say(IDLE);
    await page.locator('.notice').waitFor({ state: 'detached' });
  });

  test('settings keep a zone that exists and refuse one that does not', async () => {
    await open('/settings');
    await page.locator('[name="home_zone"]').selectOption('Asia/Tokyo');
    await page.locator('form:has([name="home_zone"]) button', { hasText: 'Save' }).click();
    await page.locator('[role="status"]', { hasText: 'Saved' }).waitFor();
    await expect(page.locator('[name="home_zone"]').inputValue()).resolves.toBe('Asia/Tokyo');
    const refused = await context.request.post('/settings/home-zone', { form: { home_zone: 'Mars/Olympus' }, headers: { Origin: site.url } });
    expect(refused.status()).toBe(422);
  });

  test('`?` lists the keys on every page, and pages say nothing to the console', async () => {
    await open('/');
    for (const path of ['/', '/?at=2023', '/?at=none', '/drives', '/folders/add', '/folders/r-1', '/folders/r-1/remove', '/progress', '/problems', '/problems?code=damaged', '/settings', '/drives/question/none']) {
      await page.goto(path);
      await page.keyboard.press('?');
      await page.locator('#help').waitFor({ state: 'visible' });
      await page.keyboard.press('Escape');
      await page.locator('#help').waitFor({ state: 'hidden' });
      expect(await page.locator('h1').count(), path).toBe(1);
    }
  });
});
