// The whole way of a search by meaning, from files to a page: real agent, real towers through transformers.js, real Worker and
// embedded index, real browser. Then the agent goes, and what was asked once is still answered.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { openDataDir } from '../../agent/config.ts';
import { createEngine, type Engine } from '../../agent/commands/engine.ts';
import { startMiniflare, type WorkerHost } from '../../agent/commands/worker-host.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { colourPicture, towerDir, type ColourName } from '../support/towers.ts';

/** Pictures of each colour; their names say nothing of it. */
const COLOURS: readonly ColourName[] = ['red', 'green', 'blue', 'yellow', 'black', 'white'];
const EACH = 3;

const folder = mkdtempSync(join(tmpdir(), 'jharokha-towers-'));
const hashes = new Map<ColourName, string[]>();
let host: WorkerHost;
let engine: Engine | undefined;
let browser: Browser;

beforeAll(async () => {
  const pictures = join(folder, 'pictures');
  const dataDir = join(folder, 'data');
  const identity = openDataDir(dataDir);
  mkdirSync(pictures);
  for (const [i, colour] of COLOURS.entries()) {
    for (let n = 0; n < EACH; n += 1) {
      const bytes = await colourPicture(colour, { format: 'jpeg', width: 480, height: 300 + n * 20, beside: 'grey', share: 0.1 + n * 0.05 });
      writeFileSync(join(pictures, `IMG_${2_000 + n * COLOURS.length + i}.jpg`), bytes);
      hashes.set(colour, [...(hashes.get(colour) ?? []), createHash('sha256').update(bytes).digest('hex')]);
    }
  }
  [host, browser] = await Promise.all([startMiniflare({ dataDir, port: 0, token: identity.token }), openBrowser()]);
  engine = await createEngine({ dataDir, identity, worker: { url: host.url, token: identity.token }, watch: false });
  await engine.handlers.set_options({ search_model: 'light', model_dir: towerDir('clip'), proxies: false });
  const report = await engine.index(await engine.addFolders([pictures]));
  expect(report.indexed).toBe(COLOURS.length * EACH);
  expect(await engine.warmSearch()).toBe(true);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await engine?.close();
  await host?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function look(query: string): Promise<{ found: string[]; text: string }> {
  const { page, said, close } = await openPage(browser, host.url);
  await page.goto('/');
  await page.keyboard.press('/');
  await page.keyboard.type(query);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/search');
  await page.locator('.found-count, .nothing, .empty').first().waitFor();
  const found = await tiles(page);
  const text = await page.locator('#main').innerText();
  await close();
  expect(said).toEqual([]);
  return { found, text };
}
const tiles = (page: Page) => page.locator('.tile').evaluateAll((all) => all.map((tile) => tile.getAttribute('href')?.slice(3, 67) ?? ''));

test('red finds the red pictures, and the page names the engine', async () => {
  for (const colour of ['red', 'blue', 'yellow'] as const) {
    const { found, text } = await look(colour);
    expect(found.toSorted(), colour).toEqual(hashes.get(colour)?.toSorted());
    expect(text).toContain('embedded index');
  }
});

test('a word that no picture is like finds nothing', async () => {
  const { found, text } = await look('zebra');
  expect(found).toEqual([]);
  expect(text).toContain('Nothing found');
});

test('more like this, from a picture', async () => {
  const [first, ...others] = hashes.get('green') ?? [];
  const { page, said, close } = await openPage(browser, host.url);
  await page.goto(`/similar/${first}`);
  await page.locator('.tile').first().waitFor();
  expect((await tiles(page)).filter((sha256) => sha256 !== first).slice(0, others.length).toSorted()).toEqual(others.toSorted());
  await close();
  expect(said).toEqual([]);
});

test('with the agent gone, what was asked before is still answered, and the rest says why it is not', async () => {
  await engine?.close();
  engine = undefined;
  const again = await look('red');
  expect(again.found.toSorted()).toEqual(hashes.get('red')?.toSorted());
  expect(again.text).toContain('embedded index');
  const fresh = await look('greenish thing');
  expect(fresh.found).toEqual([]);
  expect(fresh.text).toContain('asleep or away');
});
