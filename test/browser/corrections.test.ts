// The truth in a real browser: a corrected time moves a photo to its day and stays, places and albums, and what plays with its drive away.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { cellOf } from '../../protocol/place.ts';
import type { AgentOptions } from '../../protocol/link.ts';
import type { AssetRow } from '../../protocol/rows.ts';
import { PROXY_VERSION } from '../../protocol/versions.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { startFakeAgent, type FakeAgent } from '../support/fake-agent.ts';
import { makeVideo } from '../support/make-media.ts';
import { assetRow, createSeeder, drawRenditions, evidenceRow, locationRow, placeRow, rootRow, volumeRow, wallClaim, type Seeder } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

/** For what comes by itself; only a failure waits this long. */
const SOON = { timeout: 15_000 };
const CAMERA = 'Box <i>12</i>';
const FACETS = { facts: 1, grid: 2, preview: 2, proxy: 0 };
const PLACE = 'Lévanto / <b>north</b>';

let site: Site;
let browser: Browser;
let agent: FakeAgent | undefined;
let seeder: Seeder;
let context: BrowserContext;
let close: (() => Promise<void>) | undefined;
let page: Page;
let said: string[];
/** By name: photos p0 to p5, one a day backwards from 6 May 2024; a Live Photo `still` with its `moving` video; a motion photo `samsung`; `film`. */
const assets = new Map<string, AssetRow>();
const asset = (name: string): AssetRow => { const found = assets.get(name); if (!found) throw new Error(name); return found; };
const add = (name: string, row: AssetRow) => { assets.set(name, row); return row; };

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  seeder = createSeeder(site);
  for (let i = 0; i < 6; i += 1) {
    const near = i < 3 ? { latitude: 44.17 + i / 1000, longitude: 9.61, gps_zone: 'Europe/Rome' } : {};
    add(`p${i}`, assetRow(`p${i}`, `2024-05-0${6 - i}T10:00:00`, { camera: CAMERA, facets: FACETS, ...near }));
  }
  add('still', assetRow('still', '2024-05-07T10:00:00', { facets: FACETS, width: 3000, height: 4000 }));
  add('moving', assetRow('moving', '2024-05-07T08:00:01', { kind: 'video', mime: 'video/quicktime', duration_ms: 3000, width: 3000, height: 4000, facets: { ...FACETS, proxy: PROXY_VERSION }, proxy_bytes: 2_000 }));
  add('film', assetRow('film', '2024-05-08T10:00:00', { kind: 'video', mime: 'video/mp4', duration_ms: 30_000, width: 1920, height: 1080, facets: { ...FACETS, proxy: PROXY_VERSION }, proxy_bytes: 1_200_000 }));
  add('samsung', assetRow('samsung', '2024-05-09T10:00:00', { facets: { ...FACETS, proxy: PROXY_VERSION }, motion: { offset_bytes: 3_000_000, length_bytes: 400_000 }, proxy_bytes: 2_000 }));
  add('waiting', assetRow('waiting', '2024-05-08T09:00:00', { kind: 'video', mime: 'video/mp4', duration_ms: 5_000, facets: FACETS }));
  const rows = [...assets.values()];
  await seeder.pushPack((await Promise.all(rows.map((row, i) => drawRenditions(row, i)))).flat());
  await seeder.push({
    volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', 'DCIM')], assets: rows, locations: rows.map((row, i) => locationRow(row, 'v-1', `DCIM/${i}.jpg`)),
    evidence: rows.map((_, i) => evidenceRow('v-1', `DCIM/${i}.jpg`, i < 4 ? { albums: [{ key: 'k/1', title: 'Trip <b>' }] } : {})),
    stacks: [{ member_sha256: asset('moving').sha256, primary_sha256: asset('still').sha256, type: 'live', basis: 'the same identifier', revision: 1, removed: false }],
    places: [0, 1, 2].map((i) => placeRow(cellOf(44.17 + i / 1000, 9.61), { city: PLACE, region: 'Liguria', country: 'Italy', country_code: 'IT', distance_m: i === 2 ? 4_300 : 300, zone: 'Europe/Rome' })),
  });
  // No agent and no drive: everything here is shown and played without one.
  await putVideos();
});

/** Small videos where the agent's would be: what is played is what lies in R2. */
async function putVideos(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'jharokha-play-'));
  try {
    for (const [name, frames] of [['moving', 6], ['samsung', 6], ['film', 60]] as const) {
      const path = join(dir, `${name}.mp4`);
      await makeVideo({ path, width: 160, height: 120, frames, codec: 'libx264' });
      const { sha256 } = asset(name);
      await site.put(`${sha256.slice(0, 2)}/${sha256}/proxy.${PROXY_VERSION}.mp4`, await readFile(path));
    }
  } finally { await rm(dir, { recursive: true, force: true }); }
}

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
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const tile = (name: string) => page.locator(`a.tile[href^="/a/${asset(name).sha256}"]`);
/** The day that a tile stands under. */
const dayOf = (name: string) => tile(name).evaluate((element) => element.closest('.day')?.querySelector('.day-title')?.firstChild?.textContent?.trim());
const shown = () => page.locator('.tile').evaluateAll((tiles) => tiles.map((each) => each.getAttribute('href')?.slice(3, 67)));
const named = (...names: string[]) => names.map((name) => asset(name).sha256);
const viewer = (name: string) => page.locator(`.viewer-body[data-sha256="${asset(name).sha256}"]`);

const AGENT_OPTIONS: AgentOptions = { proxies: true, geocoder: 'offline', nominatim_url: null, search_model: 'off', model_dir: null };

describe('a corrected time', () => {
  test('moves the photo to its new day, stays after a re-index, and undo brings it back', async () => {
    // Only what is near the window is in the DOM: a tall one holds all.
    await open('/', { viewport: { width: 1280, height: 4_000 } });
    expect(await dayOf('p5')).toBe('Wednesday, 1 May');
    await tile('p5').click();
    await viewer('p5').waitFor();
    await page.locator('#fact-time .edit').click();
    await expect.poll(() => page.evaluate<string>('document.activeElement.name'), SOON).toBe('date');
    await page.locator('#viewer [name="date"]').fill('2024-05-05');
    await page.locator('#viewer [name="time"]').fill('23:30:00');
    await page.locator('#viewer [name="zone"]').selectOption('Asia/Tokyo');
    await page.keyboard.press('Enter');
    await page.locator('.toast', { hasText: 'Saved.' }).waitFor();
    const facts = await page.locator('.facts').innerText();
    expect(facts).toContain('Sunday, 5 May 2024');
    expect(facts).toContain('23:30, UTC+9 · as you set it, zone as you set it');
    await page.keyboard.press('Escape');
    await page.locator('#viewer').waitFor({ state: 'hidden' });
    await expect.poll(() => dayOf('p5'), SOON).toBe('Sunday, 5 May');

    await seeder.push({ assets: [{ ...asset('p5'), revision: 9, time_claims: [wallClaim('2011-01-01T00:00:00', 60)] }], evidence: [evidenceRow('v-1', 'DCIM/5.jpg', { revision: 9 })] });
    await page.goto('/');
    expect(await dayOf('p5')).toBe('Sunday, 5 May');
    await seeder.push({ assets: [{ ...asset('p5'), revision: 10 }] });

    await page.goto('/settings');
    await page.locator('a', { hasText: 'Changes, with their way back' }).click();
    await page.locator('.edit-row', { hasText: 'Time set to Sunday, 5 May 2024, 23:30' }).locator('button').click();
    await page.locator('.edit-row', { hasText: 'Undone.' }).waitFor();
    await page.goto('/');
    expect(await dayOf('p5')).toBe('Wednesday, 1 May');
  });

  test('of a whole day moves them all, and undo in the line brings them back', async () => {
    await open(`/a/${asset('film').sha256}`);
    await page.locator('#fact-time .edit').click();
    await page.locator('#viewer [name="time"]').fill('11:00:00');
    await page.locator('[name="scope"][value="day"]').check();
    const before = await page.locator('.facts').evaluate((panel) => panel.scrollTop);
    await page.locator('.correct button', { hasText: 'Save' }).click();
    await page.locator('.toast', { hasText: 'Saved for 2 photos and videos.' }).waitFor();
    expect(await page.locator('.facts').evaluate((panel) => panel.scrollTop)).toBe(before);
    await page.goto(`/a/${asset('waiting').sha256}`);
    await expect(page.locator('#fact-time').innerText()).resolves.toContain('10:00');
    await page.goBack();
    await page.goto('/edits');
    await page.locator('.edit-row', { hasText: 'Time moved by +1:00' }).locator('button').click();
    await page.locator('.edit-row', { hasText: 'Undone.' }).waitFor();
  });

  test('is refused in place with what was typed, and left by Escape without leaving the viewer', async () => {
    await open('/');
    await tile('p1').click();
    await viewer('p1').waitFor();
    await page.locator('#fact-place .edit').click();
    await page.locator('#viewer [name="position"]').fill('213, 9.61');
    await page.keyboard.press('Enter');
    await page.locator('[role="alert"]', { hasText: 'A latitude lies between −90 and 90' }).waitFor();
    await expect(page.locator('#viewer [name="position"]').inputValue()).resolves.toBe('213, 9.61');
    await page.locator('#viewer [name="position"]').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Escape');
    await page.locator('.correct').waitFor({ state: 'detached' });
    expect(await viewer('p1').isVisible()).toBe(true);
    // The refusal carries its status; the browser says so, and nothing else.
    expect(said.splice(0)).toEqual([`422 ${site.url}/a/${asset('p1').sha256}/edit/place`]);
  });

  test('a wrong clock is shifted for all of a camera, shown before it is done', async () => {
    await open(`/a/${asset('p3').sha256}`);
    await page.locator('a', { hasText: 'Its clock was wrong' }).click();
    await page.locator('#viewer [name="hours"]').fill('2');
    await page.locator('.clock-preview', { hasText: '6 photos and videos by this camera' }).waitFor();
    await expect(page.locator('.clock-preview').innerText()).resolves.toContain('This one: 10:00 → 12:00');
    await page.locator('#viewer [name="sign"]').selectOption('earlier');
    await page.locator('.clock-preview', { hasText: 'This one: 10:00 → 8:00' }).waitFor();
    await page.locator('.correct button', { hasText: 'Shift' }).click();
    await page.locator('.toast', { hasText: 'Saved for 6 photos and videos.' }).waitFor();
    await expect(page.locator('#fact-time').innerText()).resolves.toContain('8:00');
    await page.locator('.toast button', { hasText: 'Undo' }).click();
    await page.locator('.toast', { hasText: 'Undone.' }).waitFor();
    await expect(page.locator('#fact-time').innerText()).resolves.toContain('10:00');
  });

  test('works without script', async () => {
    await open(`/a/${asset('p4').sha256}`, { javaScriptEnabled: false });
    await page.locator('#fact-description .edit').click();
    await page.locator('[name="description"]').fill('Two boats\nand <b>a dog</b>');
    await page.locator('button', { hasText: 'Save' }).click();
    await expect(page.locator('#fact-description').innerText()).resolves.toContain('Two boats\nand <b>a dog</b>');
    await page.locator('.toast button', { hasText: 'Undo' }).click();
    await expect(page.locator('#fact-description').innerText()).resolves.toContain('None');
  });

  test('is corrected on a phone, in the sheet', async () => {
    await open(`/a/${asset('p4').sha256}`, PHONE);
    await page.locator('.stage-tools [data-viewer="facts"]').tap();
    await page.locator('#fact-description .edit').tap();
    await page.locator('[name="description"]').fill('A dog');
    await page.locator('.correct button', { hasText: 'Save' }).tap();
    await page.locator('.toast button', { hasText: 'Undo' }).tap();
    await page.locator('.toast', { hasText: 'Undone.' }).waitFor();
    expect(await page.locator('.facts').isVisible()).toBe(true);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  });
});

describe('grids', () => {
  test('a place is reached from its country, and the viewer steps inside it', async () => {
    await open('/places');
    await page.locator('.card', { hasText: 'Italy' }).click();
    await page.locator('.card', { hasText: PLACE }).click();
    await expect(page.locator('h1').innerText()).resolves.toBe(PLACE);
    expect(await shown()).toEqual(named('p0', 'p1', 'p2'));
    await tile('p1').click();
    await viewer('p1').waitFor();
    await expect(page.locator('#fact-place').innerText()).resolves.toContain(`${PLACE}, Liguria, Italy`);
    await page.keyboard.press('ArrowRight');
    await viewer('p2').waitFor();
    await expect(page.locator('#fact-place').innerText()).resolves.toContain(`Near ${PLACE}`);
    await expect(page.locator('#fact-place').innerText()).resolves.toContain('(4.3 km)');
    expect(await page.locator('.step-older').count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.locator('#viewer').waitFor({ state: 'hidden' });
    expect(new URL(page.url()).pathname).toMatch(/^\/places\/IT\/Liguria\/L/);
    await page.reload();
    expect(await shown()).toEqual(named('p0', 'p1', 'p2'));
  });

  test('an album is shown oldest first, and the viewer steps inside it', async () => {
    await open('/albums');
    await page.locator('.card', { hasText: 'Trip <b>' }).click();
    expect(await shown()).toEqual(named('p3', 'p2', 'p1', 'p0'));
    await tile('p3').click();
    await viewer('p3').waitFor();
    await page.keyboard.press('ArrowRight');
    await viewer('p2').waitFor();
    await expect(page.locator('.facts').innerText()).resolves.toContain('Trip <b>');
  });

  test('are reached on a phone, with the rest behind one button', async () => {
    await open('/places', PHONE);
    expect(await page.locator('.rail > a:visible, .rail > button:visible').count()).toBe(5);
    await page.locator('.rail-more').tap();
    await page.locator('.rail-end a', { hasText: 'Settings' }).tap();
    await page.waitForURL(/settings/);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  });
});

describe('with the drive away', () => {
  const moves = (selector: string) => expect.poll(() => page.evaluate<number>(`(() => { const v = document.querySelector(${JSON.stringify(selector)}); return v && !v.paused ? v.currentTime : 0 })()`), SOON).toBeGreaterThan(0.05);

  /** A finger comes down on a tile and stays there; what comes back lifts it. */
  async function rest(name: string): Promise<() => Promise<void>> {
    const box = await tile(name).boundingBox();
    const finger = await context.newCDPSession(page);
    await finger.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: (box?.x ?? 0) + 20, y: (box?.y ?? 0) + 20 }] });
    return async () => {
      await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
      await finger.detach();
    };
  }

  test('a Live Photo plays on hover, without sound, and stops on leaving', async () => {
    await open('/');
    await expect(tile('still').locator('.badge').innerText()).resolves.toBe('LIVE');
    expect(await tile('moving').count()).toBe(0);
    await tile('still').hover();
    await moves('.tile-moving');
    expect(await page.evaluate<boolean>(`document.querySelector('.tile-moving').muted`)).toBe(true);
    await page.mouse.move(5, 400);
    await page.locator('.tile-moving').waitFor({ state: 'detached' });
  });

  test('a Live Photo under a resting finger is selected, and neither opened nor played', async () => {
    await open('/', PHONE);
    const lift = await rest('still');
    await page.locator('a.tile[aria-checked="true"]').waitFor();
    await lift();
    expect(new URL(page.url()).pathname).toBe('/');
    expect(await page.locator('.viewer-body, .tile-moving').count()).toBe(0);
    await tile('still').tap();
    await tile('still').tap();
    await viewer('still').waitFor();
  });

  test('a motion photo plays on hover and when it is opened, by a mouse or a finger, though it is one file', async () => {
    await open('/');
    await tile('samsung').hover();
    await moves('.tile-moving');
    await page.mouse.move(5, 400);
    await page.locator('.tile-moving').waitFor({ state: 'detached' });
    await tile('samsung').click();
    await viewer('samsung').waitFor();
    await moves('.picture-box .moving');
    await expect(page.locator('.facts').innerText()).resolves.toContain('Motion photo');
    await close?.();
    expect(said).toEqual([]);
    await open('/', PHONE);
    await tile('samsung').tap();
    await moves('.picture-box .moving');
  });

  test('a Live Photo moves once when it is opened, and again by its button; stays still where motion is unwelcome', async () => {
    await open('/');
    await tile('still').click();
    await moves('.picture-box .moving');
    await page.locator('.live-button[aria-pressed="false"]').waitFor(SOON);
    await page.locator('.live-button').click();
    await moves('.picture-box .moving');
    expect(await page.evaluate<boolean>(`document.querySelector('.moving').muted`)).toBe(false);
    await expect(page.locator('.facts').innerText()).resolves.toContain('Video of the Live Photo');
    await close?.();
    await open('/', { reducedMotion: 'reduce' });
    await tile('still').hover();
    await page.waitForTimeout(600);
    expect(await page.locator('.tile-moving').count()).toBe(0);
    await tile('still').click();
    await viewer('still').waitFor();
    await page.waitForTimeout(400);
    expect(await page.evaluate<boolean>(`document.querySelector('.moving').paused`)).toBe(true);
    await page.locator('.live-button').click();
    await moves('.picture-box .moving');
  });

  test('a video plays and seeks', async () => {
    await open(`/a/${asset('film').sha256}`);
    await expect(page.locator('.facts').innerText()).resolves.toContain('Blue SSD, away');
    await expect(page.locator('.facts').innerText()).resolves.toContain('A small version of 1.2 MB is kept here');
    await expect.poll(() => page.evaluate<number>(`document.querySelector('video.full').duration`), SOON).toBeCloseTo(30, 0);
    await page.evaluate(`(() => { const v = document.querySelector('video.full'); v.muted = true; v.currentTime = 20; return v.play(); })()`);
    await expect.poll(() => page.evaluate<number>(`document.querySelector('video.full').currentTime`), SOON).toBeGreaterThan(20.2);
    const ranged = await context.request.get(`/r/${asset('film').sha256}/proxy.${PROXY_VERSION}.mp4`, { headers: { Range: 'bytes=10-19' } });
    expect([ranged.status(), (await ranged.body()).length]).toEqual([206, 10]);
  });

  test('a video without a small version says what it waits for', async () => {
    await open(`/a/${asset('waiting').sha256}`);
    await expect(page.locator('.stage-note').innerText()).resolves.toBe('A still from the video, 0:05 long. A small version that plays here is made once ‘Blue SSD’ is connected.');
    expect(await page.locator('video').count()).toBe(0);
  });
});

describe('the Mac', () => {
  test('cannot be asked while the agent is away, and pages say so', async () => {
    await open('/sidecars');
    await expect(page.locator('[role="status"].said').innerText()).resolves.toContain('The agent is away');
    await page.goto('/settings');
    await expect(page.locator('#main').innerText()).resolves.toContain('The agent is away, so what it does cannot be changed now');
    expect(await page.locator('#mac').count()).toBe(0);
    agent = await startFakeAgent(site, {
      options: () => AGENT_OPTIONS, set_options: (patch) => ({ ...AGENT_OPTIONS, ...patch }),
      sidecar_report: ({ from }) => ({ sidecars: 12, matched: 9, media: 20, media_with_sidecar: 9, without_media: { total: 3, paths: from === 0 ? ['Takeout/a<b>.json', 'Takeout/b.json'] : ['Takeout/c.json'] }, without_sidecar: { total: 11, paths: from === 0 ? ['Takeout/x.jpg'] : [] } }),
    });
  });

  test('makes small videos and names places as it is told, and a bad address is refused with what was typed', async () => {
    await open('/settings');
    await page.locator('[name="geocoder"][value="nominatim"]').check();
    await page.locator('[name="nominatim_url"]').fill('ftp://places');
    await page.locator('#mac button').click();
    await page.locator('[role="alert"]', { hasText: 'begins with http://' }).waitFor();
    await expect(page.locator('[name="nominatim_url"]').inputValue()).resolves.toBe('ftp://places');
    expect(await page.locator('[name="geocoder"][value="nominatim"]').isChecked()).toBe(true);
    expect(said.splice(0)).toEqual([`422 ${site.url}/settings/mac`]);
    await page.locator('[name="proxies"]').uncheck();
    await page.locator('[name="nominatim_url"]').fill('http://127.0.0.1:8080/nominatim');
    await page.locator('#mac button').click();
    await page.locator('[role="status"]', { hasText: 'Saved.' }).waitFor();
    expect(agent?.asked.filter((each) => each.name === 'set_options').at(-1)?.args).toEqual({ proxies: false, geocoder: 'nominatim', nominatim_url: 'http://127.0.0.1:8080/nominatim' });
  });

  test('reports which sidecars found their photo, page by page', async () => {
    await open('/problems');
    await page.locator('a', { hasText: 'Sidecars of exports' }).click();
    const text = await page.locator('#main').innerText();
    expect(text).toContain('Takeout/a<b>.json');
    expect(text).toMatch(/9\s+matched to their photo\s+3\s+without a photo\s+12\s+sidecars/);
    await page.locator('a[rel="next"]').click();
    await expect(page.locator('#main').innerText()).resolves.toContain('Takeout/c.json');
    await page.locator('a', { hasText: 'To the start' }).click();
  });

  test('new pages have one title, list the keys, and say nothing to the console', async () => {
    await open('/');
    for (const path of ['/places', '/places/IT', '/albums', '/albums/1', '/edits', '/sidecars']) {
      await page.goto(path);
      await page.keyboard.press('?');
      await page.locator('#help').waitFor({ state: 'visible' });
      expect(await page.locator('h1').count(), path).toBe(1);
    }
  });
});
