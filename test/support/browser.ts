// A real browser for tests: an installed Chrome or Chromium, never a download.
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';

const PLACES = [
  process.env['JHAROKHA_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable', '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Throws, saying what to install, where there is none: a test without its browser has failed. */
export function findBrowser(): string {
  const path = PLACES.find((place) => place && existsSync(place));
  if (!path) throw new Error('No Chrome or Chromium was found. Install one, or name it in JHAROKHA_CHROMIUM.');
  return path;
}

/** Without service workers, unless a context asks for them: what they answer goes past `page.route`, and what they keep into the next page. */
export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: findBrowser(), args: FLAGS, headless: true });
  const newContext = browser.newContext.bind(browser);
  browser.newContext = (options) => newContext({ serviceWorkers: 'block', ...options });
  return browser;
}

/** Collects what a page must never say: errors, refused styles and scripts, requests that failed. */
export function watchPage(page: Page): string[] {
  const said: string[] = [];
  page.on('console', (message) => {
    // A response that failed is said with its address below.
    if ((message.type() === 'error' || message.type() === 'warning') && !/^(Failed to load resource|Service Worker registration blocked by Playwright)/.test(message.text())) said.push(message.text());
  });
  page.on('response', (response) => { if (response.status() >= 400) said.push(`${response.status()} ${response.url()}`); });
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('dialog', (dialog) => { said.push(`a dialog opened: ${dialog.message()}`); void dialog.dismiss(); });
  return said;
}

export interface OpenedPage { context: BrowserContext; page: Page; said: string[]; close(): Promise<void> }

/** A browser's pages by site and options: a new one costs more than all that a test does in it, so it is kept for the next. */
const kept = new WeakMap<Browser, Map<string, Promise<Page>>>();

/**
 * A page of a site, watched and on its way to nowhere; desktop, unless said otherwise. Asked for again after `close`, it is
 * the same one: no cookie, storage, route or listener is left, but what was fetched and the page's history. A test that leaves more behind (a session of
 * the developer tools, a network that is off) closes the context instead.
 */
export async function openPage(browser: Browser, siteUrl: string, options: BrowserContextOptions = {}): Promise<OpenedPage> {
  const pages = kept.get(browser) ?? new Map<string, Promise<Page>>();
  kept.set(browser, pages);
  const key = JSON.stringify([siteUrl, options]);
  let page = await pages.get(key);
  if (!page || page.isClosed()) {
    const opened = browser.newContext({ baseURL: siteUrl, viewport: { width: 1280, height: 800 }, ...options }).then((context) => context.newPage());
    pages.set(key, opened);
    page = await opened;
  }
  return handOut(page, siteUrl);
}

function handOut(page: Page, siteUrl: string): OpenedPage {
  const close = async (): Promise<void> => {
    page.removeAllListeners();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    if (page.url().startsWith(siteUrl)) await page.evaluate('localStorage.clear(); sessionStorage.clear()');
    // Nothing may lie under the pointer of the next one.
    await page.mouse.move(0, 0);
    await page.context().clearCookies();
    // It ends what was going on, and its connection to /live.
    await page.goto(`${siteUrl}/favicon.svg`);
  };
  return { context: page.context(), page, said: watchPage(page), close };
}
