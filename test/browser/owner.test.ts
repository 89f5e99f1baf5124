// What the owner decides on a page and the agent carries out: excludes, a marker file, the answer to a scan's question.
// The agent's end of the link is played, with the pushes that the real one makes before it answers; all else is real.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ScanQuestion } from '../../protocol/link.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { IDLE, presentVolume, startFakeAgent, type FakeAgent } from '../support/fake-agent.ts';
import { assetRow, createSeeder, locationRow, rootRow, volumeRow, type Seeder } from '../support/seed.ts';
import { startSite, type Site } from '../support/site.ts';

const QUESTION: ScanQuestion = { scan_id: 'q-1', volume_id: 'v-1', label: 'Blue SSD', vanished: 60, known: 240, examples: ['DCIM/gone.jpg', 'DCIM/also <b>gone</b>.jpg'] };

let site: Site;
let browser: Browser;
let agent: FakeAgent;
let seeder: Seeder;
let revision = 10;
let markerRefusal: string | undefined;
let answerRefusal: string | undefined;
let markedCount = 60;
let close: (() => Promise<void>) | undefined;
let page: Page;
let said: string[];

beforeAll(async () => {
  [site, browser] = await Promise.all([startSite(), openBrowser()]);
  seeder = createSeeder(site);
  const asset = assetRow('one', '2023-05-06T12:00:00', { facets: { facts: 1, grid: 0, preview: 0, proxy: 0 } });
  await seeder.push({
    volumes: [volumeRow('v-1', 'Blue SSD'), volumeRow('weak:2', 'NO NAME', { identity: 'weak', fs_type: 'exfat' })],
    roots: [rootRow('r-1', 'v-1', 'DCIM', { excludes: ['Screenshots'] }), rootRow('r-2', 'weak:2', 'Card')],
    assets: [asset], locations: [locationRow(asset, 'v-1', 'DCIM/one.jpg')],
  });
  agent = await startFakeAgent(site, {
    set_excludes: async ({ root_id, excludes }) => {
      const bad = excludes.find((each) => each.includes('['));
      if (bad) throw new Error(`This exclude cannot be used: ${bad}`);
      await seeder.push({ roots: [rootRow(root_id, 'v-1', 'DCIM', { revision: revision += 1, excludes })] });
      return {};
    },
    allow_marker: async () => {
      if (markerRefusal) throw new Error(markerRefusal);
      await seeder.push({ volumes: [volumeRow('marker:2', 'NO NAME', { identity: 'marker', fs_type: 'exfat' })], roots: [rootRow('r-2', 'marker:2', 'Card', { revision: revision += 1 })] });
      agent.present([presentVolume('v-1', 'Blue SSD'), presentVolume('marker:2', 'NO NAME')]);
      return { volume_id: 'marker:2' };
    },
    answer_question: ({ answer }) => {
      if (answerRefusal) throw new Error(answerRefusal);
      agent.say(IDLE);
      return { marked: answer === 'gone' ? markedCount : 0 };
    },
  });
});

afterAll(async () => {
  await browser?.close();
  await agent?.stop();
  await site?.stop();
});

beforeEach(async () => {
  agent.present([presentVolume('v-1', 'Blue SSD'), presentVolume('weak:2', 'NO NAME')]);
  agent.say(IDLE);
  await open();
});
afterEach(async () => {
  await close?.();
  expect(said).toEqual([]);
});

async function open(options: BrowserContextOptions = {}): Promise<void> {
  await close?.();
  ({ page, said, close } = await openPage(browser, site.url, options));
}
/** The browser says each refused answer; that one, and nothing else, was to come. */
function expectRefused(status: number): void {
  expect(said.splice(0)).toEqual([expect.stringMatching(new RegExp(`^${status} `))]);
}

describe('excludes', () => {
  const box = () => page.locator('textarea[name="excludes"]');

  test('are shown, saved as lines, and shown again', async () => {
    await page.goto('/drives');
    await page.locator('#drive-v-1 a', { hasText: 'Change' }).click();
    await page.waitForURL('**/folders/r-1');
    expect(await box().inputValue()).toBe('Screenshots');
    await box().fill('Screenshots\n\n  *.psd  \n2019/raw/**\n</textarea><b>x</b>\n');
    await page.locator('button', { hasText: 'Save' }).click();
    await page.locator('[role="status"]', { hasText: 'Saved' }).waitFor();
    const lines = ['Screenshots', '*.psd', '2019/raw/**', '</textarea><b>x</b>'];
    expect(agent.asked.at(-1)).toEqual({ name: 'set_excludes', args: { root_id: 'r-1', excludes: lines } });
    expect(await box().inputValue()).toBe(lines.join('\n'));
    await page.goto('/drives');
    await expect(page.locator('#drive-v-1').innerText()).resolves.toContain('4 excludes');
  });

  test('a pattern that cannot be used is said, and what was typed stays', async () => {
    await page.goto('/folders/r-1');
    const before = await box().inputValue();
    await box().fill('fine\n[unclosed');
    await page.locator('button', { hasText: 'Save' }).click();
    await page.locator('[role="alert"]', { hasText: 'This exclude cannot be used: [unclosed' }).waitFor();
    expect(await box().inputValue()).toBe('fine\n[unclosed');
    expectRefused(422);
    await box().fill(`${'x'.repeat(1_001)}\nfine`);
    await page.locator('button', { hasText: 'Save' }).click();
    await page.locator('[role="alert"]', { hasText: 'One of the patterns is too long.' }).waitFor();
    expectRefused(422);
    await page.goto('/folders/r-1');
    expect(await box().inputValue()).toBe(before);
  });

  test('can be emptied', async () => {
    await page.goto('/folders/r-1');
    await box().fill('');
    await page.locator('button', { hasText: 'Save' }).click();
    await page.locator('[role="status"]', { hasText: 'Saved' }).waitFor();
    expect(agent.asked.at(-1)).toEqual({ name: 'set_excludes', args: { root_id: 'r-1', excludes: [] } });
    expect(await box().inputValue()).toBe('');
  });
});

describe('a scan that asks', () => {
  beforeEach(async () => {
    agent.say({ ...IDLE, questions: [QUESTION] });
    await page.goto('/');
    await page.locator('.notice a', { hasText: 'Decide' }).click();
    await page.locator('h1', { hasText: '60 files were not found' }).waitFor();
  });

  test('is answered: keep everything', async () => {
    await expect(page.locator('#main').innerText()).resolves.toContain('DCIM/also <b>gone</b>.jpg');
    await page.locator('button', { hasText: 'Keep everything' }).click();
    await page.locator('[role="status"]', { hasText: 'Everything stays as it is.' }).waitFor();
    expect(agent.asked.at(-1)).toEqual({ name: 'answer_question', args: { scan_id: 'q-1', answer: 'keep' } });
    expect(await page.locator('.notice').count()).toBe(0);
    await page.goBack();
    await page.reload();
    await page.locator('h1', { hasText: 'Nothing to decide' }).waitFor();
  });

  test('is answered: they are gone', async () => {
    markedCount = 60;
    await page.locator('button', { hasText: 'They are gone' }).click();
    await page.locator('[role="status"]', { hasText: 'Marked as missing.' }).waitFor();
    expect(agent.asked.at(-1)).toEqual({ name: 'answer_question', args: { scan_id: 'q-1', answer: 'gone' } });
    expect(await page.locator('.notice').count()).toBe(0);
  });

  test('hears that they were there again', async () => {
    markedCount = 0;
    await page.locator('button', { hasText: 'They are gone' }).click();
    await page.locator('[role="status"]', { hasText: 'All of them were there again' }).waitFor();
  });

  test('still asks when the answer was refused, and says why', async () => {
    answerRefusal = 'Plug in the drive first.';
    await page.locator('button', { hasText: 'They are gone' }).click();
    await page.locator('[role="alert"]', { hasText: 'Plug in the drive first.' }).waitFor();
    answerRefusal = undefined;
    expectRefused(422);
    await page.locator('button', { hasText: 'Keep everything' }).click();
    await page.locator('[role="status"]', { hasText: 'Everything stays as it is.' }).waitFor();
  });

  test('works without script', async () => {
    await open({ javaScriptEnabled: false });
    await page.goto('/drives/question/q-1');
    await page.locator('button', { hasText: 'Keep everything' }).click();
    await page.locator('[role="status"]', { hasText: 'Everything stays as it is.' }).waitFor();
  });
});

// Last, for the drive's identity changes for good.
describe('a drive without a lasting name', () => {
  const row = (id: string) => page.locator(`[id="drive-${id.replace(':', '_3a')}"]`);

  test('is not offered a marker while it is away', async () => {
    agent.present([presentVolume('v-1', 'Blue SSD')]);
    await page.goto('/drives');
    await row('weak:2').locator('.said', { hasText: 'no lasting name' }).waitFor();
    expect(await row('weak:2').locator('button', { hasText: 'marker' }).count()).toBe(0);
  });

  test('says in place why it could not be marked', async () => {
    markerRefusal = 'The marker file could not be written: the drive is full.';
    await page.goto('/drives');
    await row('weak:2').locator('button', { hasText: 'Allow a marker file' }).click();
    await row('weak:2').locator('[role="alert"]', { hasText: 'the drive is full' }).waitFor();
    expect(await row('weak:2').locator('button', { hasText: 'Allow a marker file' }).count()).toBe(1);
    markerRefusal = undefined;
    expectRefused(422);
  });

  test('is marked in place, on the owner’s word', async () => {
    await page.goto('/drives');
    await row('weak:2').locator('button', { hasText: 'Allow a marker file' }).click();
    await row('marker:2').locator('[role="status"]', { hasText: 'now has a lasting name' }).waitFor();
    expect(agent.asked.at(-1)).toEqual({ name: 'allow_marker', args: { volume_id: 'weak:2' } });
    const text = await row('marker:2').innerText();
    expect(text).toContain('Connected');
    expect(text).toContain('Card');
    expect(await page.locator('button', { hasText: 'marker' }).count()).toBe(0);
    expect(await row('weak:2').count()).toBe(0);
    await page.reload();
    await row('marker:2').locator('.drive-name', { hasText: 'NO NAME' }).waitFor();
    expect(await row('weak:2').count()).toBe(0);
  });
});

test('with the agent away a question is not called answered, and nothing typed is lost', async () => {
  const at = performance.now();
  await agent.stop();
  // The Worker says goodbye too; a socket that waits for it in vain takes 10 s.
  expect(performance.now() - at).toBeLessThan(5_000);
  await page.goto('/drives/question/q-1');
  await page.locator('h1', { hasText: 'Not to be decided now' }).waitFor();
  await page.goto('/folders/r-1');
  await page.locator('textarea[name="excludes"]').fill('typed while away');
  await page.locator('button', { hasText: 'Save' }).click();
  await page.locator('[role="alert"]', { hasText: 'The agent is away' }).waitFor();
  expect(await page.locator('textarea[name="excludes"]').inputValue()).toBe('typed while away');
  expectRefused(503);
});
