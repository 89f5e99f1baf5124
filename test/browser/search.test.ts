// The search in a real browser: the box, suggestions, results while one types, chips, order, the viewer among what was found, what
// looks like one, the settings of the model. The model itself is played by the agent's end of the link, or away.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { PIECE_TILES } from '../../protocol/limits.ts';
import type { AgentOptions, AgentStatus, SearchStatus } from '../../protocol/link.ts';
import type { AssetRow } from '../../protocol/rows.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { IDLE, presentVolume, startFakeAgent, type FakeAgent } from '../support/fake-agent.ts';
import { assetRow, createSeeder, drawRenditions, locationRow, rootRow, volumeRow } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

/** A piece and a bit of beaches, a few hills. */
const BEACHES = PIECE_TILES + 60;
const HILLS = 12;
const SHAPES = [[4000, 3000], [3000, 4000], [4000, 2250]] as const;
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const SOON = { timeout: 15_000 };
const OPTIONS: AgentOptions = { proxies: true, geocoder: 'offline', nominatim_url: null, search_model: 'standard', model_dir: '/Volumes/Blue <b>SSD</b>/models' };

let site: Site;
let browser: Browser;
let agent: FakeAgent | undefined;
let chosen = OPTIONS;
let context: BrowserContext;
let close: (() => Promise<void>) | undefined;
let page: Page;
let said: string[];

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  const seeder = createSeeder(site);
  await seeder.push({ volumes: [volumeRow('v-1', 'Blue SSD')], roots: [rootRow('r-1', 'v-1', '')] });
  const assets: AssetRow[] = Array.from({ length: BEACHES + HILLS }, (_, i) => {
    const [width, height] = SHAPES[i % SHAPES.length] ?? [1, 1];
    const wall = new Date(Date.UTC(2023 - (i % 3), 5, 21, 18) - i * 3_600_000).toISOString().slice(0, 19);
    return assetRow(`found ${i}`, wall, { width, height, color: '#6688aa', kind: i === 4 ? 'video' : 'image', duration_ms: i === 4 ? 42_000 : null, facets: { facts: 1, grid: i >= BEACHES - 12 ? 2 : 0, preview: 0, proxy: 0 } });
  });
  await seeder.pushPack((await Promise.all(assets.map((asset, i) => (asset.facets.grid > 0 ? drawRenditions(asset, i, ['grid']) : [])))).flat());
  for (let i = 0; i < assets.length; i += 100) {
    const part = assets.slice(i, i + 100);
    await seeder.push({ assets: part, locations: part.map((asset, j) => locationRow(asset, 'v-1', i + j < BEACHES ? `beach_${i + j}.jpg` : `hill_${i + j}.jpg`)) });
  }
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
async function connect(search: Partial<SearchStatus> = {}, more: Partial<AgentStatus> = {}): Promise<void> {
  agent ??= await startFakeAgent(site, {
    options: () => chosen,
    set_options: (patch) => { if (patch.search_model === 'light') throw new Error('There is no room for another model.'); chosen = { ...chosen, ...patch }; return chosen; },
  });
  agent.present([presentVolume('v-1', 'Blue SSD')]);
  const status: SearchStatus = { profile: 'standard', state: 'ready', message: null, done_bytes: null, total_bytes: null, space: null, engine: 'embedded', ...search };
  agent.say({ ...IDLE, pending: { facts: 0, previews: 0, proxies: 0, vectors: 1_204 }, search: status, ...more });
  // Frames are taken in order: who asks for the status next may still be before this one.
  await expect.poll(async () => {
    const answer = await context.request.get('/search?q=zzz');
    return answer.text();
  }, SOON).toContain(search.state === 'failed' ? 'could not be loaded' : search.state === 'missing' ? 'there is no model' : search.state === 'downloading' ? 'being downloaded' : search.state === 'off' ? 'is off' : '1,204 to go');
}
const box = () => page.locator('#q');
const options = () => page.locator('#suggest [role="option"]');
const hashes = () => page.locator('.tile').evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute('href')?.slice(3, 67) ?? ''));
const place = () => page.evaluate<number>('scrollY');
const count = () => page.locator('.found-count').innerText();
const isFocused = () => page.evaluate<boolean>(`document.activeElement?.id === 'q'`);
const query = () => new URL(page.url()).searchParams.get('q');
async function forgetAll(): Promise<void> {
  await context.request.post('/search/forget', { form: {}, headers: { Origin: site.url } });
}

describe('the box', () => {
  test('is on every page, `/` goes to it from anywhere, Escape leaves it, Enter searches', async () => {
    await open('/places');
    for (const path of ['/', '/places', '/albums', '/drives', '/settings', '/problems', '/edits', '/progress', '/folders/add', '/search']) {
      await page.goto(path);
      // The search's own page gives it the focus by itself, in a moment of its own.
      if (path === '/search') await expect.poll(isFocused, SOON).toBe(true);
      await page.evaluate('document.activeElement?.blur()');
      await page.keyboard.press('/');
      expect(await isFocused(), path).toBe(true);
      expect(await box().inputValue(), path).toBe('');
      await page.keyboard.press('Escape');
      expect(await isFocused(), path).toBe(false);
    }
    await page.goto('/settings');
    await page.locator('input[name="home_zone"], select[name="home_zone"]').focus();
    await page.keyboard.press('/');
    expect(await isFocused()).toBe(false);
    await page.locator('#main').focus();
    await page.keyboard.press('/');
    await page.keyboard.type('beach / hill');
    expect(await box().inputValue()).toBe('beach / hill');
    await page.keyboard.press('Enter');
    await page.waitForURL('/search?q=beach+%2F+hill');
    expect(await box().inputValue()).toBe('beach / hill');
  });

  test('lies still: suggestions come and go without moving anything', async () => {
    await open('/');
    const before = await page.locator('.tile').first().boundingBox();
    await box().click();
    await page.keyboard.type('vi');
    await options().first().waitFor();
    expect(await page.locator('.tile').first().boundingBox()).toEqual(before);
    await page.keyboard.press('Escape');
    await page.locator('#suggest').waitFor({ state: 'hidden' });
    expect(await box().getAttribute('aria-expanded')).toBe('false');
  });

  test('on a phone is a button that opens into a field of the whole line, and nothing is too wide or too small', async () => {
    await open('/', PHONE);
    expect((await box().boundingBox())?.width).toBe(44);
    await box().tap();
    await expect.poll(async () => (await box().boundingBox())?.width, SOON).toBeGreaterThan(350);
    expect((await box().boundingBox())?.height).toBe(44);
    expect(await page.evaluate(`getComputedStyle(document.querySelector('#q')).fontSize`)).toBe('16px');
    await page.keyboard.type('beach 2022 videos');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/search/);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    const small = await page.locator('#main a:visible, .top a:visible, .top button:visible, .rail > a:visible').evaluateAll((all) => all.filter((each) => !each.closest('p, .ideas-list') && !each.matches('.top-title, .tile') && each.getBoundingClientRect().height < 42).map((each) => each.outerHTML));
    expect(small).toEqual([]);
  });
});

describe('suggestions', () => {
  test('are walked with the arrows, said to a screen reader, chosen with Enter', async () => {
    await open('/');
    await box().click();
    await page.keyboard.type('vi');
    await options().filter({ hasText: /^videos$/i }).waitFor();
    expect(await box().getAttribute('aria-expanded')).toBe('true');
    expect(await box().getAttribute('aria-activedescendant')).toBeNull();
    const all = await options().count();
    const index = await options().evaluateAll((each) => each.findIndex((one) => one.textContent?.toLowerCase() === 'videos'));
    for (let i = 0; i <= index; i++) await page.keyboard.press('ArrowDown');
    expect(await box().getAttribute('aria-activedescendant')).toBe(await options().nth(index).getAttribute('id'));
    expect(await page.locator('#suggest [aria-selected="true"]').count()).toBe(1);
    for (let i = index; i < all; i++) await page.keyboard.press('ArrowDown');
    expect(await box().getAttribute('aria-activedescendant')).toBeNull();
    for (let i = all; i > index; i--) await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.waitForURL(/q=videos$/i);
    await expect(count()).resolves.toContain('1 photo or video');
  });

  test('of an empty box are the searches of before, removed one by one or all', async () => {
    await open('/search?q=hill');
    await forgetAll();
    for (const q of ['hill', 'beach <i>2022</i>', 'שלום']) await page.goto(`/search?q=${encodeURIComponent(q)}`);
    await page.goto('/');
    await box().click();
    await expect.poll(() => options().allInnerTexts(), SOON).toEqual(['שלום', 'beach <i>2022</i>', 'hill']);
    await page.locator('#suggest [data-forget="beach <i>2022</i>"]').click();
    await expect.poll(() => options().allInnerTexts(), SOON).toEqual(['שלום', 'hill']);
    expect(await isFocused()).toBe(true);
    await options().nth(1).click();
    await page.waitForURL('/search?q=hill');
    await page.goto('/');
    await box().click();
    await page.locator('.suggest-head button').click();
    await page.locator('#suggest').waitFor({ state: 'hidden' });
    await page.goto('/search');
    expect(await page.locator('.recent').count()).toBe(0);
  });
});

describe('results', () => {
  test('follow what is typed: the last word wins, focus and caret stay, the address is the search', async () => {
    await open('/search');
    const visits = await page.evaluate<number>('history.length');
    // A browser remembers 50 at most, and counts no further.
    expect(visits).toBeLessThan(45);
    await forgetAll();
    await box().click();
    await page.keyboard.type('beach', { delay: 20 });
    await expect.poll(count, SOON).toContain(`${BEACHES} photos and videos`);
    expect(query()).toBe('beach');
    // An answer that is late comes for nothing.
    let held: (() => void) | undefined;
    await page.route((url) => url.pathname === '/search' && url.searchParams.get('q') === 'beac', async (route) => { await new Promise<void>((resolve) => { held = resolve; }); await route.continue().catch(() => undefined); });
    await page.keyboard.press('Backspace');
    await expect.poll(() => held !== undefined, SOON).toBe(true);
    await box().fill('hill');
    await expect.poll(count, SOON).toContain(`${HILLS} photos and videos`);
    held?.();
    await page.waitForTimeout(300);
    expect([query(), await box().inputValue(), (await hashes()).length]).toEqual(['hill', 'hill', HILLS]);
    await page.keyboard.press('Home');
    await page.keyboard.type('a ');
    await expect.poll(query, SOON).toBe('a hill');
    expect([await isFocused(), await page.evaluate<number>(`document.querySelector('#q').selectionStart`)]).toEqual([true, 2]);
    // Typing is not yet searching: only what is meant is kept.
    await page.unroute(() => true).catch(() => undefined);
    await box().fill('hill');
    await expect.poll(count, SOON).toContain(`${HILLS} photos`);
    const kept = async () => { const answer = await context.request.get('/search/suggest?q='); return [...(await answer.text()).matchAll(/<bdi[^>]*>([^<]*)/g)].map((m) => m[1]); };
    expect(await kept()).toEqual([]);
    await page.keyboard.press('Enter');
    await expect.poll(kept, SOON).toEqual(['hill']);
    expect(await page.evaluate<number>('history.length') - visits).toBeLessThan(4);
    await page.locator('.search-clear').click();
    await page.locator('.found-start h1').waitFor();
    expect([query(), await box().inputValue()]).toEqual([null, '']);
  });

  test('keep their pictures while one types on', async () => {
    await open('/search?q=hill');
    const tile = await page.locator('.tile').first().elementHandle();
    await box().click();
    await page.keyboard.press('End');
    await page.keyboard.type('_');
    await expect.poll(query, SOON).toBe('hill_');
    expect(await tile?.evaluate((each) => each.isConnected)).toBe(true);
  });

  test('show what was understood, and each chip can be taken away', async () => {
    await open('/search?q=beach+2022+videos');
    await page.locator('.chip').nth(1).waitFor();
    expect(await page.locator('.chip').count()).toBe(2);
    await page.locator('.chip', { hasText: /video/i }).locator('.chip-off').click();
    await page.waitForURL(/q=beach%202022/);
    expect(await page.locator('.chip').count()).toBe(1);
    const years = Math.ceil((BEACHES - 1) / 3);
    await expect(count()).resolves.toMatch(new RegExp(`^(${years - 1}|${years}|${years + 1}) photos`));
    await page.locator('.chip .chip-off').click();
    await page.waitForURL('/search?q=beach');
    await expect(count()).resolves.toContain(`${BEACHES} photos and videos`);
    expect(await box().inputValue()).toBe('beach');
  });

  test('stand best first, newest or oldest, and grow as one reads on', async () => {
    // Only what is near the window is there: a tall one holds all.
    await open('/search?q=beach&sort=newest', { viewport: { width: 1280, height: 40_000 } });
    expect(await page.locator('.sorts [aria-current]').innerText()).toBe('Newest');
    await expect.poll(async () => (await hashes()).length, SOON).toBe(BEACHES);
    const all = await hashes();
    expect(new Set(all).size).toBe(BEACHES);
    await page.locator('.sorts a', { hasText: 'Oldest' }).click();
    await page.waitForURL(/sort=oldest/);
    await expect.poll(hashes, SOON).toEqual([...all].reverse());
    // The order stays while one types on.
    await box().click();
    await page.keyboard.press('End');
    await page.keyboard.type('_');
    await expect.poll(() => page.url(), SOON).toMatch(/q=beach_&sort=oldest/);
  });

  test('say what is connected, once they have answered, and the grid stays as it is', async () => {
    await open('/search?q=beach');
    const tile = await page.locator('.tile').first().elementHandle();
    await expect.poll(() => page.locator('#originals').innerText(), SOON).toMatch(/originals are on/);
    expect(await tile?.evaluate((each) => each.isConnected)).toBe(true);
    await box().click();
    await page.keyboard.press('End');
    await page.keyboard.type('_nothing');
    await expect.poll(() => page.locator('#originals').count(), SOON).toBe(0);
  });

  test('are walked by the viewer, and left for the same place', async () => {
    await open('/search?q=beach');
    await page.setViewportSize({ width: 1280, height: 20_000 });
    await expect.poll(async () => (await hashes()).length, SOON).toBeGreaterThan(150);
    const order = await hashes();
    await page.setViewportSize({ width: 1280, height: 800 });
    const thirtieth = page.locator(`a.tile[href^="/a/${order[30]}"]`);
    await page.evaluate('scrollTo(0, 0)');
    await page.mouse.move(600, 500);
    await expect.poll(async () => { if (await thirtieth.count() === 0) await page.mouse.wheel(0, 400); return thirtieth.count(); }, SOON).toBe(1);
    await thirtieth.scrollIntoViewIfNeeded();
    const before = await place();
    expect(before).toBeGreaterThan(0);
    await thirtieth.click();
    await page.locator(`.viewer-body[data-sha256="${order[30]}"]`).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.locator(`.viewer-body[data-sha256="${order[31]}"]`).waitFor();
    for (const i of [30, 29]) {
      await page.keyboard.press('ArrowLeft');
      await page.locator(`.viewer-body[data-sha256="${order[i]}"]`).waitFor();
    }
    await page.keyboard.press('Escape');
    await page.locator('#viewer').waitFor({ state: 'hidden' });
    expect([query(), await place()]).toEqual(['beach', before]);
    // Beyond what the page has: the way back brings the reader to it.
    await page.goto(`/a/${order[150]}?in=${encodeURIComponent('/search?q=beach')}&at=150`);
    await page.locator('[data-viewer="close"]').click();
    await page.waitForURL(/q=beach&near=/);
    await expect.poll(() => page.locator(`a.tile[href^="/a/${order[150]}"]`).evaluate((tile) => { const at = tile.getBoundingClientRect(); return at.top >= 0 && at.bottom <= 800; }), SOON).toBe(true);
  });

  test('typed ones are opened and left too', async () => {
    await open('/search');
    await box().click();
    await page.keyboard.type('hill');
    await expect.poll(count, SOON).toContain(`${HILLS} photos`);
    await page.keyboard.press('Escape');
    const order = await hashes();
    await page.locator('.tile').nth(3).click();
    await page.locator(`.viewer-body[data-sha256="${order[3]}"]`).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.locator(`.viewer-body[data-sha256="${order[4]}"]`).waitFor();
    await page.goBack();
    await page.locator('#viewer').waitFor({ state: 'hidden' });
    expect([query(), await page.title()]).toEqual(['hill', 'hill · Search · Jharokha']);
  });

  test('nothing found is an answer, with what may help', async () => {
    await open('/search?q=hill+1999');
    await expect(count()).resolves.toContain('Nothing found');
    await page.locator('.nothing a').first().click();
    await expect.poll(count, SOON).toContain(`${HILLS} photos and videos`);
  });

  test('hostile text is shown as it is and runs nowhere', async () => {
    const hostile = '<script>alert(1)</script><img src=x onerror=alert(2)> \u202Egpj "क्या" 日本 שלום 😀 ' + 'ل'.repeat(900);
    await open(`/search?q=${encodeURIComponent(hostile)}`);
    await expect(page.locator('.found-head').innerText()).resolves.toContain('Only the first 500 characters were read');
    expect(await page.locator('#main script, #main img[src="x"]').count()).toBe(0);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280);
    await page.goto('/search');
    await box().fill('<img src=x onerror=alert(3)>"\'&');
    await expect.poll(query, SOON).toBe('<img src=x onerror=alert(3)>"\'&');
    await page.locator('.nothing').waitFor();
    await page.keyboard.press('Enter');
    await page.goto('/');
    await box().click();
    await options().filter({ hasText: '<img src=x onerror=alert(3)>"\'&' }).waitFor();
    await page.locator('.suggest-head button').click();
    await page.locator('#suggest').waitFor({ state: 'hidden' });
  });
});

describe('without script', () => {
  test('all of it is links and forms', async () => {
    await open('/', { javaScriptEnabled: false });
    await box().fill('beach');
    await box().press('Enter');
    await page.waitForURL('/search?q=beach');
    const first = await hashes();
    await page.locator('a[rel="next"]').click();
    expect((await hashes()).some((hash) => first.includes(hash))).toBe(false);
    await page.locator('a[rel="prev"]').click();
    expect(await hashes()).toEqual(first);
    await page.locator('.tile').nth(5).click();
    await page.locator('.step-older').click();
    expect(page.url()).toContain(first[6] ?? 'none');
    await page.locator('[data-viewer="close"]').click();
    expect(page.url()).toContain('q=beach&near=');
    await page.locator('.sorts a', { hasText: 'Oldest' }).click();
    await box().fill('hill');
    await box().press('Enter');
    await page.waitForURL('/search?q=hill&sort=oldest');
    await page.goto('/search');
    await page.locator('.recent a').first().waitFor();
    await page.locator('.start-head button').click();
    await page.waitForURL('/search');
    expect(await page.locator('.recent').count()).toBe(0);
    await page.locator('.ideas a', { hasText: 'videos' }).click();
    await expect(count()).resolves.toContain('1 photo or video');
  });
});

describe('more like one', () => {
  test('is asked for in the viewer by key and by button, and says what it waits for', async () => {
    await open('/search?q=hill');
    const order = await hashes();
    await page.locator('.tile').first().click();
    await page.locator(`.viewer-body[data-sha256="${order[0]}"]`).waitFor();
    await page.keyboard.press('l');
    await page.waitForURL(`/similar/${order[0]}`);
    await expect(page.locator('.similar-head').innerText()).resolves.toContain('There is nothing to compare with yet');
    await page.locator('.similar-of').click();
    await page.waitForURL(`/a/${order[0]}`);
    await page.locator('[data-viewer="similar"]').click();
    await page.waitForURL(`/similar/${order[0]}`);
    await page.keyboard.press('?');
    await expect(page.locator('#help').innerText()).resolves.toContain('More like this one');
  });
});

describe('the model', () => {
  test('away, and the page says what to do; the settings cannot be changed and say so', async () => {
    await open('/search?q=hill');
    await expect(count()).resolves.toMatch(/Words and filters only:.*Start Jharokha/);
    await page.goto('/settings');
    await expect(page.locator('#search-model').innerText()).resolves.toContain('The agent is away');
    expect(await page.locator('#search-model [type="radio"]').count()).toBe(0);
    for (const [model, status] of [['light', 503], ['huge', 422]] as const) {
      const answer = await context.request.post('/settings/search', { form: { search_model: model }, headers: { Origin: site.url } });
      expect([answer.status(), (await answer.text()).includes('Search')]).toEqual([status, true]);
    }
  });

  test('missing, on its way, broken or off: each has its sentence', async () => {
    await open('/search?q=hill');
    await connect({ state: 'missing', message: 'Put its files into a <b>folder</b>.' });
    await page.goto('/search?q=hill');
    await expect(count()).resolves.toContain('there is no model for searching by meaning. Put its files into a <b>folder</b>. Settings');
    await page.locator('.found-by a').click();
    await page.waitForURL('/settings#search-model');
    await expect(page.locator('#search-model').innerText()).resolves.toMatch(/Missing\s+Put its files into a <b>folder<\/b>\./);
    await connect({ state: 'downloading', done_bytes: 120_000_000, total_bytes: 415_000_000 });
    await page.goto('/search?q=hill');
    await expect(count()).resolves.toContain('is being downloaded, 120 MB of 415 MB.');
    await connect({ state: 'failed', message: 'model.onnx ends too early.' });
    await page.goto('/search?q=hill');
    await expect(count()).resolves.toContain('could not be loaded. model.onnx ends too early.');
    await connect({ state: 'off', profile: 'off' });
    await page.goto('/search?q=hill');
    await expect(count()).resolves.toContain('searching by meaning is off');
  });

  test('is chosen in the settings, and choosing back is the way back', async () => {
    await open('/settings');
    await connect();
    await page.goto('/settings');
    const section = page.locator('#search-model');
    const text = await section.innerText();
    expect(text).toContain('Ready');
    expect(text).toContain('1,204 to go');
    expect(text).toContain('The embedded index, inside Jharokha');
    expect(text).toContain('/Volumes/Blue <b>SSD</b>/models');
    for (const [model, after] of [['off', 'off'], ['standard', 'standard']] as const) {
      await section.locator(`[value="${model}"]`).check();
      await section.locator('button', { hasText: 'Save' }).click();
      await page.locator('[role="status"]', { hasText: 'Saved.' }).waitFor();
      expect(agent?.asked.filter((each) => each.name === 'set_options').at(-1)?.args).toEqual({ search_model: model });
      expect(await section.locator(`[value="${after}"]`).isChecked()).toBe(true);
    }
    await section.locator('[value="light"]').check();
    await section.locator('button', { hasText: 'Save' }).click();
    await expect(section.locator('[role="alert"]').innerText()).resolves.toBe('There is no room for another model.');
    expect(said.splice(0)).toEqual([`422 ${site.url}/settings/search`]);
    await page.goto('/search?q=hill');
    await page.goto('/settings');
    await page.locator('button', { hasText: 'Forget recent searches' }).click();
    await page.locator('[role="status"]', { hasText: 'forgotten' }).waitFor();
    expect(await page.locator('button', { hasText: 'Forget recent searches' }).count()).toBe(0);
  });

  test('at work is told in the line at the top', async () => {
    await open('/');
    await connect({}, { phase: 'embedding' });
    await page.locator('.status-text', { hasText: 'Looking at photos for the search: 1,204 to go' }).waitFor();
    await page.goto('/progress');
    await expect(page.locator('#main').innerText()).resolves.toContain('1,204 to look at for the search');
  });
});
