// bench timeline: the timeline of made libraries in a real Chromium, with the figure that is wanted beside each. To repeat it:
//   npm run bench -- timeline                 all three sizes (1M is made once in some minutes and kept, 3 GB)
//   npm run bench -- timeline --size 10k      one of 10k, 100k, 1m
//   SECONDS=10 npm run bench -- timeline …    a shorter script of flings and jumps than the minute
// On a machine that does nothing else: all of it is about time.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { charRatio, readLayout } from '../protocol/layout.ts';
import { PIECE_TILES, PROTOCOL_VERSION } from '../protocol/limits.ts';
import { renditionUrl } from '../protocol/rendition.ts';
import { GRID_VERSION } from '../protocol/versions.ts';
import { openBrowser } from '../test/support/browser.ts';
import { assetRow, hashOf, locationRow } from '../test/support/seed.ts';
import { madeHash } from '../test/vectors/make-vectors.ts';
import { BENCH_TOKEN, startWorker } from './start-worker.ts';
import { LIBRARIES, seededFolder } from './timeline-data.ts';

/** What the bench knows of the page; nothing else here does. */
const AT = { grid: '#timeline', tile: '#timeline a.tile', held: '#timeline a.tile, #timeline .hold', whole: '#timeline .grid.exact', scrubber: '.scrub:not([hidden])' } as const;
const VIEWPORT = { width: 1440, height: 900 };
const SECONDS = Number(process.env['SECONDS'] ?? 60);
const JUMPS = 20;
const STATIC_TILES = 2_500;
const LATE_MS = 5_000;

const sizeAt = process.argv.indexOf('--size');
const sizes = sizeAt < 0 ? Object.keys(LIBRARIES) : [process.argv[sizeAt + 1] ?? ''];

const at = (list: readonly number[], share: number) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0;
const median = (list: readonly number[]) => at(list, 0.5);
let seed = 20_260;
const random = () => { seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32; return seed / 2 ** 32; };

/** Run in the page before anything of it: shifts, long tasks, and the most elements that the grid ever held. */
const WATCH = `(() => {
  const seen = globalThis.seen = { cls: 0, shifts: [], tasks: [], elements: 0 };
  new PerformanceObserver((list) => { for (const each of list.getEntries()) if (!each.hadRecentInput) { seen.cls += each.value; if (seen.shifts.length < 5) seen.shifts.push(each.sources.map((source) => source.node?.className ?? source.node?.nodeName).join(' ')); } }).observe({ type: 'layout-shift', buffered: true });
  new PerformanceObserver((list) => { for (const each of list.getEntries()) seen.tasks.push([each.startTime, each.duration]); }).observe({ type: 'longtask', buffered: true });
  setInterval(() => { seen.elements = Math.max(seen.elements, document.querySelector('${AT.grid}')?.getElementsByTagName('*').length ?? 0); }, 200);
})()`;
/** Resolves with the moments at which the window is full of boxes, and of pictures that are decoded. */
const FULL = (beganMs: string) => `new Promise((done) => {
  const since = ${beganMs};
  let boxes = 0;
  const look = () => {
    const now = performance.now();
    const inside = [...document.querySelectorAll('${AT.held}')].filter((each) => { const box = each.getBoundingClientRect(); return box.bottom > 70 && box.top < innerHeight && box.width > 0; });
    const spans = inside.map((each) => each.getBoundingClientRect());
    if (boxes === 0 && spans.length > 0 && Math.min(...spans.map((box) => box.top)) < 320 && Math.max(...spans.map((box) => box.bottom)) > innerHeight - 260) boxes = now;
    const ready = boxes > 0 && inside.every((each) => { const image = each.querySelector('img'); return image !== null && image.complete && image.naturalWidth > 0; });
    if (ready || now - since > ${LATE_MS}) done({ boxes: boxes === 0 ? ${LATE_MS} : boxes - since, pictures: now - since, full: ready });
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})`;

const rows: string[] = [];
const figures: Record<string, number> = {};
let name = '';
function say(what: string, value: number, unit: string, wanted?: number): void {
  const shown = Math.abs(value) >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(3);
  rows.push(`${name.padEnd(5)} ${what.padEnd(58)} ${shown.padStart(8)} ${unit.padEnd(6)} ${wanted === undefined ? '' : `wanted at most ${wanted}: ${value <= wanted ? 'met' : 'MISSED'}`}`);
  console.log(rows.at(-1));
  figures[`${name} ${what}`] = Number(value.toPrecision(4));
}

async function openWatched(browser: Browser, url: string): Promise<{ page: Page; cdp: CDPSession; close(): Promise<void> }> {
  const context = await browser.newContext({ baseURL: url, viewport: VIEWPORT });
  await context.addInitScript(WATCH);
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  return { page, cdp, close: () => context.close() };
}

/** Loads it anew three times, each in a browser without anything kept. */
async function benchLoad(browser: Browser, url: string): Promise<void> {
  const [paints, screens]: [number[], number[]] = [[], []];
  for (let i = 0; i < 3; i += 1) {
    const { page, close } = await openWatched(browser, url);
    await page.goto('/', { waitUntil: 'commit' });
    const { pictures } = await page.evaluate(FULL('0')) as { pictures: number };
    const paint: number = await page.evaluate("new Promise((done) => { new PerformanceObserver((list) => { for (const each of list.getEntriesByName('first-contentful-paint')) done(each.startTime); }).observe({ type: 'paint', buffered: true }); })");
    paints.push(paint);
    // Decoded is not yet shown.
    screens.push(Math.max(paint, pictures));
    await close();
  }
  say('first contentful paint', median(paints), 'ms', 1000);
  say('first screen of pictures, decoded', median(screens), 'ms', 1500);
}

/** Wheel events with the momentum of a touchpad, and a jump after every fourth fling. */
async function drive(page: Page, jump: (share: number) => Promise<void>): Promise<void> {
  await page.mouse.move(700, 450);
  const until = Date.now() + SECONDS * 1000;
  for (let fling = 0; Date.now() < until; fling += 1) {
    const direction = fling % 3 === 2 ? -1 : 1;
    for (let speed = 380; speed > 4; speed *= 0.94) await page.mouse.wheel(0, direction * speed);
    if (fling % 4 === 3) { await jump(random()); await page.mouse.move(700, 450); }
  }
}

interface TraceEvent { name: string; ph: string; ts: number; dur?: number; pid: number; tid: number; args?: { name?: string } }

/** Main-thread time of each frame: all tasks of the page's main thread from one commit of a frame to the next. */
function frameCosts(trace: Buffer): number[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const mains = new Set(traceEvents.filter((each) => each.name === 'thread_name' && each.args?.name === 'CrRendererMain').map((each) => `${each.pid} ${each.tid}`));
  // The page's own is the one with the most frames.
  return [...mains].map((thread) => costsOf(traceEvents, thread)).reduce((a, b) => (b.length > a.length ? b : a), []);
}
function costsOf(events: readonly TraceEvent[], thread: string): number[] {
  const of = events.filter((each) => `${each.pid} ${each.tid}` === thread).toSorted((a, b) => a.ts - b.ts);
  const costs: number[] = [];
  let cost = -1;
  let end = 0;
  for (const each of of) {
    if (each.name === 'Commit') { if (cost >= 0) costs.push(cost / 1000); cost = 0; }
    // Tasks within tasks count once.
    else if (each.ph === 'X' && each.name.endsWith('RunTask') && each.ts >= end) { end = each.ts + (each.dur ?? 0); if (cost >= 0) cost += each.dur ?? 0; }
  }
  return costs;
}

async function traced(browser: Browser, page: Page, work: () => Promise<void>): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'devtools.timeline.frame', '__metadata'] });
  await work();
  return frameCosts(await browser.stopTracing());
}

async function jumpTo(page: Page, share: number): Promise<void> {
  const scrubber = page.locator(AT.scrubber);
  const box = await scrubber.count() > 0 ? await scrubber.boundingBox() : null;
  if (box) await page.mouse.click(box.x + box.width / 2, box.y + 1 + share * (box.height - 2));
  else await page.evaluate(`scrollTo(0, ${share} * document.documentElement.scrollHeight)`);
}

async function benchScript(browser: Browser, url: string): Promise<void> {
  const { page, cdp, close } = await openWatched(browser, url);
  let wire = 0;
  const layouts = new Set<string>();
  await cdp.send('Network.enable');
  cdp.on('Network.responseReceived', (event) => { if (event.response.url.includes('/grid/layout')) layouts.add(event.requestId); });
  cdp.on('Network.loadingFinished', (event) => { if (layouts.has(event.requestId)) wire += event.encodedDataLength; });
  await page.goto('/');
  await page.evaluate(FULL('performance.now()'));
  await page.locator(AT.whole).first().waitFor({ timeout: 20_000 }).catch(() => { console.log(`${name} the grid has no exact layout: what follows is of a paged one`); });
  const loaded = await page.evaluate('performance.now()') as number;
  say('layout over the wire an asset', wire / (LIBRARIES[name]?.size ?? 1), 'B', 1.3);

  // Jumps first: afterwards what is near is kept.
  const [boxes, pictures]: [number[], number[]] = [[], []];
  for (let i = 0; i < JUMPS; i += 1) {
    const share = random();
    // Asked before the click, so that its time is in it; the window is emptied of what it shows now by the jump itself.
    await page.evaluate(`void (globalThis.jumped = new Promise((done) => { const began = { ms: 0 }; addEventListener('pointerdown', () => { began.ms = performance.now(); }, { once: true, capture: true }); addEventListener('scroll', () => { done(began.ms || performance.now()); }, { once: true, capture: true }); setTimeout(() => done(0), 3000); }).then((began) => began === 0 ? null : ${FULL('began')}))`);
    await jumpTo(page, share);
    const found = await page.evaluate('globalThis.jumped') as { boxes: number; pictures: number } | null;
    if (found) { boxes.push(found.boxes); pictures.push(found.pictures); }
  }
  if (boxes.length > 0) {
    say(`${boxes.length} jumps: placeholders, slowest`, Math.max(...boxes), 'ms', 100);
    say(`${boxes.length} jumps: pictures, median`, median(pictures), 'ms');
    say(`${boxes.length} jumps: pictures, slowest`, Math.max(...pictures), 'ms', 500);
  }

  let peak = 0;
  const heap = setInterval(() => { void cdp.send('Runtime.getHeapUsage').then(({ usedSize }) => { peak = Math.max(peak, usedSize); }, () => undefined); }, 1000);
  const live = await traced(browser, page, () => drive(page, (share) => jumpTo(page, share)));
  clearInterval(heap);
  const seen = await page.evaluate('globalThis.seen') as { cls: number; shifts: string[]; tasks: [number, number][]; elements: number };
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  if (seen.cls > 0) console.log(`  shifts: ${seen.shifts.join(' | ')}`);
  say('cumulative layout shift over all of it', seen.cls, '', 0);
  const late = seen.tasks.filter(([start]) => start > loaded).map(([, duration]) => duration);
  say('tasks over 50 ms after load', late.length, '', 0);
  say('longest task after load (0: none over 50)', Math.max(0, ...late), 'ms', 50);
  say('most elements in the grid', seen.elements, '', 3000);
  say('JavaScript heap, after collection', usedSize / 1e6, 'MB', 150);
  say('JavaScript heap, peak', peak / 1e6, 'MB');
  await close();

  const still = await benchStatic(browser, url);
  say(`main thread a frame, median (${live.length} frames)`, median(live), 'ms');
  say('main thread a frame, 99 %', at(live, 0.99), 'ms');
  say(`  static page, median (${still.length} frames)`, median(still), 'ms');
  say('  static page, 99 %', at(still, 0.99), 'ms');
  say('ratio of medians', median(live) / Math.max(0.001, median(still)), '', 1.5);
  say('ratio of 99 %', at(live, 0.99) / Math.max(0.001, at(still, 0.99)), '', 1.5);
}

/** The same tiles as a page that only stands there, moved by the same script. */
async function benchStatic(browser: Browser, url: string): Promise<number[]> {
  const { page, close } = await openWatched(browser, url);
  const html = await staticPage(url);
  await page.route('**/static-tiles', (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto('/static-tiles');
  const costs = await traced(browser, page, () => drive(page, async (share) => { await page.evaluate(`scrollTo(0, ${share} * document.documentElement.scrollHeight)`); }));
  await close();
  return costs;
}

/** Tiles of the huge month, in rows as the grid packs them, each at its place. */
async function staticPage(url: string): Promise<string> {
  const layout = readLayout(await (await fetch(`${url}/grid/layout?of=/`)).text());
  const group = layout.groups.find(({ key }) => key === LIBRARIES[name]?.bigMonth.month);
  const ratios = [...group?.days.map((day) => day.ratios).join('') ?? ''].slice(0, STATIC_TILES).map(charRatio);
  const [width, height, gap] = [1260, 196, 4];
  const tiles: string[] = [];
  let [x, y, row]: [number, number, number[]] = [0, 100, []];
  const flush = () => {
    const scale = Math.min(2, (width - gap * (row.length - 1)) / row.reduce((sum, ratio) => sum + ratio * height, 0));
    let left = 80;
    for (const ratio of row) {
      const sha256 = madeHash(tiles.length);
      tiles.push(`<a class="tile" href="/a/${sha256}" style="position:absolute;left:${left.toFixed(1)}px;top:${y.toFixed(1)}px;width:${(ratio * height * scale).toFixed(1)}px;height:${(height * scale).toFixed(1)}px;overflow:hidden;background:#887766"><img src="${renditionUrl({ sha256, name: 'grid', version: GRID_VERSION })}" alt="" loading="lazy" decoding="async" style="width:100%;height:100%;object-fit:cover"></a>`);
      left += ratio * height * scale + gap;
    }
    y += height * scale + gap;
    [x, row] = [0, []];
  };
  for (const ratio of ratios) { row.push(ratio); x += ratio * height + gap; if (x >= width) flush(); }
  if (row.length > 0) flush();
  return `<!doctype html><html lang="en"><title>Static tiles</title><body style="margin:0;position:relative;height:${Math.ceil(y)}px">${tiles.join('')}</body></html>`;
}

/** Time of the Worker for a piece: whole requests one after the other, less what a request costs that does nothing. */
async function benchPiece(url: string): Promise<void> {
  const layout = readLayout(await (await fetch(`${url}/grid/layout?of=/`)).text());
  const cuts = layout.groups.flatMap((group) => group.cuts.map((cut, i) => ({ cut, whole: (i + 1) * PIECE_TILES <= group.days.reduce((n, day) => n + day.ratios.length, 0) }))).filter(({ whole }) => whole);
  const time = async (path: string) => { const began = performance.now(); const answer = await fetch(url + path); await answer.arrayBuffer(); if (!answer.ok) throw new Error(`${path}: ${answer.status}`); return performance.now() - began; };
  const [pieces, nothing]: [number[], number[]] = [[], []];
  for (let i = 0; i < 220; i += 1) {
    const { cut } = cuts[Math.floor(random() * cuts.length)] ?? { cut: '' };
    const [piece, none] = [await time(`/grid/piece?of=/&from=${cut}&n=${PIECE_TILES}`), await time('/favicon.svg')];
    if (i >= 20) { pieces.push(piece); nothing.push(none); }
  }
  say('Worker, a piece of 200 tiles, median', median(pieces) - median(nothing), 'ms', 5);
  say('Worker, a piece of 200 tiles, 95 %', at(pieces, 0.95) - at(nothing, 0.95), 'ms');
}

/** Before ours: counts what each answer reads of D1. */
const COUNTING = `import app from './worker.js';
export { AgentLink, VectorIndex } from './worker.js';
const REAL = Symbol();
export default { fetch(request, env, ctx) {
  let read = 0;
  const add = (result) => { read += result.meta?.rows_read ?? 0; return result; };
  const wrap = (real) => ({ [REAL]: real, bind: (...values) => wrap(real.bind(...values)), all: async () => add(await real.all()), run: async () => add(await real.run()), raw: (options) => real.raw(options),
    first: async (column) => { const row = add(await real.all()).results[0] ?? null; return column === undefined || row === null ? row : row[column]; } });
  const DB = { prepare: (sql) => wrap(env.DB.prepare(sql)), batch: async (list) => (await env.DB.batch(list.map((each) => each[REAL]))).map(add), exec: (sql) => env.DB.exec(sql) };
  return Promise.resolve(app.fetch(request, { ...env, DB }, ctx)).then((answer) => { if (answer.status === 101) return answer; const out = new Response(answer.body, answer); out.headers.set('x-rows-read', String(read)); return out; });
} };`;

async function benchRows(folder: string): Promise<void> {
  const worker = await startWorker({ folder, entry: COUNTING });
  try {
    const rowsOf = async (path: string) => { const answer = await fetch(worker.url + path); const text = await answer.text(); if (!answer.ok) throw new Error(`${path}: ${answer.status}`); return { read: Number(answer.headers.get('x-rows-read')), text }; };
    const layout = await rowsOf('/grid/layout?of=/');
    const cut = readLayout(layout.text).groups.find(({ key }) => key === LIBRARIES[name]?.bigMonth.month)?.cuts[5] ?? '';
    await rowsOf('/');
    say('D1 rows read: the page', (await rowsOf('/')).read, 'rows');
    say('D1 rows read: the whole layout (two a month)', layout.read, 'rows');
    say('D1 rows read: a piece in the huge month', (await rowsOf(`/grid/piece?of=/&from=${cut}&n=${PIECE_TILES}`)).read, 'rows');
    say('D1 rows read: the viewer’s page', (await rowsOf(`/a/${madeHash(7)}`)).read, 'rows');
  } finally { await worker.stop(); }
}

/** A thousand new assets into the huge month against as many into an empty one, on a copy. */
async function benchIngest(folder: string): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), 'jharokha-bench-'));
  await cp(join(folder, 'd1'), join(copy, 'd1'), { recursive: true });
  const worker = await startWorker({ folder: copy });
  try {
    let seq = 0;
    const push = async (month: string, label: string) => {
      let spent = 0;
      for (let from = 0; from < 1000; from += 250) {
        const assets = Array.from({ length: 250 }, (_, i) => assetRow(hashOf(`${label} ${from + i}`), `${month}-${String(1 + ((from + i) % 28)).padStart(2, '0')}T12:${String(i % 60).padStart(2, '0')}:07`, { revision: 9_000_000 + seq * 1000 + i }));
        seq += 1;
        const body = JSON.stringify({ protocol: PROTOCOL_VERSION, agent_id: 'bench', epoch: 'e1', seq, home_zone: 'Europe/Rome', volumes: [], roots: [], scans: [], problems: [], evidence: [], assets, locations: assets.map((asset, i) => locationRow(asset, 'uuid:B', `new/${label}/${from + i}.jpg`, { revision: 9_500_000 + seq * 1000 + i })) });
        const began = performance.now();
        const answer = await fetch(`${worker.url}/sync/batches`, { method: 'POST', headers: { Authorization: `Bearer ${BENCH_TOKEN}`, 'Content-Type': 'application/json' }, body });
        const text = await answer.text();
        spent += performance.now() - began;
        if (!answer.ok || !text.includes('"rejected":[]')) throw new Error(`batch: ${answer.status} ${text.slice(0, 200)}`);
      }
      return spent;
    };
    await push('2031-01', 'warm');
    const [empty, huge]: [number[], number[]] = [[], []];
    const big = String(LIBRARIES[name]?.bigMonth.month ?? 0);
    for (let i = 0; i < 3; i += 1) { empty.push(await push(`203${i + 2}-05`, `empty ${i}`)); huge.push(await push(`${big.slice(0, 4)}-${big.slice(4)}`, `huge ${i}`)); }
    say('ingest of 1,000 assets into an empty month', median(empty), 'ms');
    say('ingest of 1,000 assets into the huge month', median(huge), 'ms');
    say('ratio', median(huge) / median(empty), '', 3);
  } finally { await worker.stop(); await rm(copy, { recursive: true, force: true }); }
}

for (name of sizes) {
  const folder = await seededFolder(name);
  const worker = await startWorker({ folder });
  const browser = await openBrowser();
  try {
    await fetch(`${worker.url}/`).then((answer) => answer.arrayBuffer());
    await benchLoad(browser, worker.url);
    await benchScript(browser, worker.url);
    await benchPiece(worker.url);
  } finally { await browser.close(); await worker.stop(); }
  await benchRows(folder);
  await benchIngest(folder);
}
console.log(`\n${rows.join('\n')}`);
console.log(JSON.stringify({ bench: 'timeline', seconds: SECONDS, ...figures }));
