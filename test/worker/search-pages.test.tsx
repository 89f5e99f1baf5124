// Pages of the search as they come from the Worker: without script, with hostile text, page by page, and the viewer within what was found.
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { PIECE_TILES } from '../../protocol/limits.ts';
import { MAX_QUERY_CHARS, MeaningState, type SearchAnswer } from '../../protocol/search.ts';
import { searchAddress, withQuery } from '../../views/parts/addresses.ts';
import { sayMeaning, saySimilarNothing, type MeaningFacts } from '../../views/parts/search-words.ts';
import { FoundWhole, SimilarPage, type SearchFacts } from '../../views/search.tsx';
import type { TileFacts } from '../../views/timeline.tsx';
import { readFound } from '../../worker/middleware/found.ts';
import { listHistory } from '../../worker/store/search-history.ts';
import { forgetNames } from '../../worker/store/vocabulary.ts';
import { listTiles, TILES_SQL } from '../../worker/store/timeline.ts';
import { ask, asset, createSender, exif, hashOf, location, migrate, volume } from './support.ts';

const PARTIAL = { 'HX-Request': 'true', 'HX-Request-Type': 'partial' };
const OWN = { Origin: 'http://127.0.0.1:8420', Host: '127.0.0.1:8420', 'Content-Type': 'application/x-www-form-urlencoded' };
/** More than two pieces. */
const BEACHES = 2 * PIECE_TILES + 30;

let emptyStart: string;

// One library for all: what a search feeds itself with is written behind the answers, and must not lose its tables meanwhile.
beforeAll(async () => {
  await migrate();
  emptyStart = (await get('/search')).text;
  const send = createSender();
  const assets = Array.from({ length: BEACHES + 3 }, (_, i) => asset(i + 1, { time_claims: [exif(`${2020 + (i % 4)}-05-06T07:${String(Math.floor(i / 60)).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}`)], kind: i === 1 ? 'video' : 'image', duration_ms: i === 1 ? 42_000 : null }));
  for (let i = 0; i < assets.length; i += 200) {
    const part = assets.slice(i, i + 200);
    await send({ volumes: [volume()], assets: part, locations: part.map((each, j) => location(i + j + 1, `${i + j < BEACHES ? 'beach' : 'mountain'}_${i + j}.jpg`, { sha256: each.sha256 })) });
  }
  // The names of the empty library are kept for some seconds.
  forgetNames();
});
const get = async (path: string, headers: Record<string, string> = {}) => { const answer = await ask(path, { headers }); return { status: answer.status, text: await answer.text() }; };
const post = (path: string, form: Record<string, string>) => ask(path, { method: 'POST', headers: OWN, body: new URLSearchParams(form).toString(), redirect: 'manual' });
const tilesIn = (html: string) => [...html.matchAll(/<a class="tile[^"]*"[^>]*href="([^"]+)"/g)].map((m) => (m[1] ?? '').replaceAll('&amp;', '&'));
const hashesIn = (html: string) => tilesIn(html).map((href) => href.slice(3, 67));
const linkIn = (html: string, rel: 'next' | 'prev') => new RegExp(`rel="${rel}"[^>]*href="(/search[^"]+)"`).exec(html)?.[1]?.replaceAll('&amp;', '&');

describe('what was found', () => {
  it('comes in bounded pieces, each result once, forwards and backwards, as page and as fragment', async () => {
    const first = await get('/search?q=beach');
    expect(first.text).toMatch(new RegExp(`${BEACHES} photos and videos`));
    const seen: string[] = [];
    let address: string | undefined = '/search?q=beach';
    let last = '';
    for (let pages = 0; address && pages < 9; pages++) {
      const piece = await get(address, pages === 0 ? {} : PARTIAL);
      expect(tilesIn(piece.text).length).toBeLessThanOrEqual(PIECE_TILES);
      seen.push(...hashesIn(piece.text));
      last = address;
      address = linkIn(piece.text, 'next');
    }
    expect([seen.length, new Set(seen).size]).toEqual([BEACHES, BEACHES]);
    const back = linkIn((await get(last)).text, 'prev');
    expect(back).toContain('until=');
    const before = await get(back ?? '');
    expect(hashesIn(before.text)).toEqual(seen.slice(PIECE_TILES, 2 * PIECE_TILES));
    expect((await get('/search?q=beach', PARTIAL)).text).toMatch(/^<div class="found-head">/);
  });

  it('is walked by the viewer, wherever the address says that one stands', async () => {
    const page = (await get('/search?q=beach&from=100')).text;
    const hrefs = tilesIn(page);
    const hashes = hashesIn(page);
    expect(hrefs[7]).toBe(`/a/${hashes[7]}?in=%2Fsearch%3Fq%3Dbeach&at=107`);
    for (const at of ['&at=107', '', '&at=3', '&at=999999', '&at=x']) {
      const viewer = (await get(`/a/${hashes[7]}?in=%2Fsearch%3Fq%3Dbeach${at}`)).text;
      expect(viewer, at).toContain(`rel="prev" href="/a/${hashes[6]}?in=%2Fsearch%3Fq%3Dbeach&amp;at=106"`);
      expect(viewer, at).toContain(`href="/a/${hashes[8]}?in=%2Fsearch%3Fq%3Dbeach&amp;at=108"`);
      expect(viewer, at).toContain(`href="/search?q=beach&amp;near=${hashes[7]}&amp;at=107#a-${hashes[7]?.slice(0, 20)}"`);
    }
    const back = await get(`/search?q=beach&near=${hashes[7]}&at=107`);
    expect(hashesIn(back.text)).toContain(hashes[7]);
    expect(linkIn(back.text, 'prev')).toBe('/search?q=beach&until=67');
    // One that is not among the results has no neighbours there, and the page is still a page.
    const odd = await get(`/a/${hashOf(BEACHES + 1)}?in=%2Fsearch%3Fq%3Dbeach`);
    expect([odd.status, odd.text.includes('rel="prev"'), odd.text.includes('rel="next"')]).toEqual([200, false, false]);
  });

  it('by date stands by the month, newest or oldest first', async () => {
    const newest = (await get('/search?q=mountain&sort=newest')).text;
    const oldest = (await get('/search?q=mountain&sort=oldest')).text;
    expect(hashesIn(newest)).toEqual([...hashesIn(oldest)].reverse());
    expect(newest).toContain('class="month-title" data-month="202');
    expect((await get('/search?q=mountain&sort=sideways')).text).not.toContain('class="month-title" data-month="202');
  });

  it('says what was understood, with a way to take it away or to take it as words', async () => {
    const page = (await get('/search?q=beach+2021')).text;
    expect(page).toMatch(/class="chip-off" href="\/search\?q=beach"/);
    expect(page).toMatch(/class="chip-words" href="\/search\?q=beach%20%222021%22"/);
    expect(hashesIn(page).length).toBeLessThan(BEACHES / 3);
    const none = (await get('/search?q=mountain+1999')).text;
    expect(none).toContain('Nothing found');
    expect(none).toMatch(/<a href="\/search\?q=mountain">Search without/);
  });

  test('tiles of results are read by an index, in the order of the results', async () => {
    const plan = (await env.DB.prepare(`EXPLAIN QUERY PLAN ${TILES_SQL}`).bind('[]').all<{ detail: string }>()).results.map((row) => row.detail).join('\n');
    expect(plan).toContain('sqlite_autoindex_assets');
    expect(plan.replace(/SCAN j VIRTUAL TABLE[^\n]*/g, '')).not.toContain('SCAN');
    expect((await listTiles(env.DB, [hashOf(9), hashOf(99_999), hashOf(2)])).map((tile) => tile.sha256)).toEqual([hashOf(9), hashOf(2)]);
  });
});

describe('hostile text', () => {
  const QUERIES = [
    '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' OR 1=1 --", '"', '""""', '*', 'NEAR(a b)', 'a AND OR NOT', '()', '\u202Egpj.exe', '\u0000\u0001', 'שלום עולם', 'क्या समुद्र तट', '日本の海', '😀👨‍👩‍👧 🏖️',
    '%', '_', '\\', '&amp;', '#', '?q=1&sort=oldest', 'a'.repeat(10_000), `a${'😀'.repeat(400)}`, '\ud800', '-', '--', 'é'.repeat(600),
  ];
  it('is searched for, shown as it is, and runs nowhere', async () => {
    for (const q of QUERIES) {
      const name = JSON.stringify(q.slice(0, 40));
      const page = await get(`/search?q=${encodeURIComponent(q.toWellFormed())}`);
      expect(page.status, name).toBe(200);
      expect(page.text, name).not.toMatch(/<script>|<img src=x/);
      expect([...page.text.matchAll(/<h1/g)].length, name).toBe(1);
      for (const path of ['/search/suggest', '/search']) {
        const part = await get(`${path}?q=${encodeURIComponent(q.toWellFormed())}`, PARTIAL);
        expect(part.status, name).toBe(200);
        expect(part.text, name).not.toMatch(/<script>|<img src=x/);
      }
    }
    // None of a name's own direction reaches the page around it.
    expect((await get(`/search?q=${encodeURIComponent('\u202Egpj')}`)).text).toContain('⟨U+202E⟩gpj');
    expect((await get(`/search?q=${'a'.repeat(10_000)}`)).text).toContain(`Only the first ${MAX_QUERY_CHARS} characters were read`);
  });

  test('addresses of searches are read back, and no others', () => {
    for (const q of QUERIES.map((each) => each.toWellFormed())) {
      for (const more of [{}, { sort: 'oldest' as const }, { weaker: true }]) {
        const address = searchAddress(q, more);
        expect(readFound(address)).toEqual({ found: { kind: 'search', q, sort: 'relevance', weaker: false, ...more }, address });
      }
    }
    expect(readFound(`/similar/${hashOf(5)}`)).toEqual({ found: { kind: 'similar', sha256: hashOf(5) }, address: `/similar/${hashOf(5)}` });
    for (const bad of ['/similar/1', '/similar', '/searching?q=a', '/places/IT', 'http://[', '/', '']) expect(readFound(bad), bad).toBeUndefined();
    // Whatever an address names as its grid, links lead to this site alone.
    for (const evil of ['https://evil.example/search?q=a', '//evil.example/search?q=a']) expect(readFound(evil)?.address).toBe('/search?q=a');
    expect(withQuery('/search?q=a', { from: 1 })).toBe('/search?q=a&from=1');
  });
});

describe('searches of before', () => {
  it('are kept when meant, not while typing, not for another site, and are forgotten one by one or all', async () => {
    const kept = async () => (await listHistory(env.DB, 9)).map(({ text }) => text).sort();
    await post('/search/forget', {});
    await get('/search?q=beach');
    await get('/search?q=bea', PARTIAL);
    await get('/search?q=beach&from=10');
    await get(`/search?q=mountain&near=${hashOf(3)}&at=1`);
    await get('/search?q=evil', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' });
    await get('/search?q=early', { 'Sec-Purpose': 'prefetch' });
    await get('/search?q=%20%20');
    expect(await kept()).toEqual(['beach']);
    expect((await post('/search/history', { q: 'mountain <b>' })).status).toBe(204);
    await post('/search/history', { q: '   ' });
    expect(await kept()).toEqual(['beach', 'mountain <b>']);
    const suggested = (await get('/search/suggest?q=')).text;
    expect(suggested).toContain('mountain &lt;b&gt;');
    expect((await get('/search')).text).toContain('mountain &lt;b&gt;');
    expect((await post('/search/forget', { text: 'beach' })).headers.get('location')).toBe('/search');
    expect(await kept()).toEqual(['mountain <b>']);
    expect((await post('/search/forget', { back: 'settings' })).headers.get('location')).toBe('/settings?done=history');
    expect(await kept()).toEqual([]);
    expect((await get('/search/suggest?q=')).text).toBe('');
  });

  it('begins with what the library offers, and says when it is empty', async () => {
    expect(emptyStart).toContain('the library is empty');
    const page = (await get('/search')).text;
    expect(page).toContain('href="/search?q=May%202023"');
    expect(page).toContain('href="/search?q=videos"');
  });
});

describe('who answered', () => {
  const AWAY: MeaningFacts = { status: undefined, agentAway: true, pendingVectors: null };
  const there = (state: 'off' | 'missing' | 'downloading' | 'loading' | 'ready' | 'failed', message: string | null = null): MeaningFacts => ({
    agentAway: false, pendingVectors: 1_204, status: { profile: 'standard', state, message, done_bytes: state === 'downloading' ? 120e6 : null, total_bytes: state === 'downloading' ? 415e6 : null, space: null, engine: 'embedded' },
  });
  const say = (meaning: MeaningState, facts: MeaningFacts, engine: SearchAnswer['engine'] = 'words') => { const said = sayMeaning({ meaning, engine }, facts); return [said.text, said.more, said.link?.label].filter(Boolean).join(' '); };

  test('is said in one sentence for each state, with what is missing and how to get it', () => {
    const all = MeaningState.options.map((state) => say(state, there('ready'), state === 'used' ? 'embedded' : 'words'));
    expect(new Set(all).size).toBe(all.length);
    expect(say('used', there('ready'), 'embedded')).toBe('By meaning and by words: embedded index.');
    expect(say('used', there('ready'), 'qdrant_link')).toBe('By meaning and by words: Qdrant, asked through the agent.');
    expect(say('agent_away', AWAY)).toContain('this search is new to it. Start Jharokha there');
    expect(say('slow', there('ready'))).toContain('did not answer in time');
    expect(say('engine_down', there('ready', 'Qdrant says: wrong key.'))).toMatch(/cannot be asked now.*Qdrant says: wrong key\. Settings/);
    expect(say('no_model', there('missing', 'Put the files into a folder.'))).toMatch(/there is no model.*Put the files into a folder\. Settings/);
    expect(say('no_model', there('ready'))).toContain('did not take this search');
    expect(say('no_model', there('failed', 'half a file'))).toContain('could not be loaded. half a file Settings');
    expect(say('no_vectors', there('off'))).toContain('is off. Choose a model in the Settings');
    expect(say('no_vectors', there('downloading'))).toContain('is being downloaded, 120 MB of 415 MB.');
    expect(say('no_vectors', there('loading'))).toContain('is being loaded');
    expect(say('no_vectors', there('ready'))).toContain('1,204 to go');
    expect(say('no_vectors', AWAY)).toContain('Start Jharokha on the computer that has them');
    for (const text of all.slice(2)) expect(text).toMatch(/^Words and filters only: /);
    expect(saySimilarNothing({ meaning: 'no_vectors', engine: 'words' }, there('ready')).text).toMatch(/^There is nothing to compare with yet: /);
    expect(saySimilarNothing({ meaning: 'used', engine: 'embedded' }, there('ready')).text).toContain('has not looked at this one yet');
  });

  const tile = (n: number, rank: number): TileFacts => ({ sha256: hashOf(n), kind: 'image', width: 4, height: 3, duration_ms: null, color: null, favourite: 0, grid_version: 2, taken_at: null, month: 0, day: 0, live_sha256: null, live_proxy_version: 0, rank });
  const answer = (more: Partial<SearchAnswer>): SearchAnswer => ({
    query: 'red', parsed: { text: 'red', cut: false, chips: [], rest: 'red', phrases: [] }, engine: 'embedded', meaning: 'used', embedding: 'kept', space: 's', sort: 'relevance', results: [], literal: 0, total: 3, weaker: 0, took_ms: 3, ...more,
  });
  const facts = (more: Partial<SearchAnswer>, rest: Partial<SearchFacts> = {}): SearchFacts => ({
    ...there('ready'), answer: answer(more), chips: [], weaker: false, piece: { tiles: [tile(1, 0), tile(2, 1), tile(3, 2)], inside: '/search?q=red', older: null, newer: null }, ...rest,
  });

  test('what is written stands before what looks like it, under titles only where there is both', () => {
    const both = String(<FoundWhole {...facts({ literal: 1 })} />);
    expect(both).toMatch(/Written.*01\?in.*Looks like it.*02\?in.*03\?in/s);
    for (const literal of [0, 3]) expect(String(<FoundWhole {...facts({ literal })} />)).not.toMatch(/Written|Looks like it/);
  });

  test('weaker matches are offered with their number, at the end and where nothing was found', () => {
    const link = 'href="/search?q=red&amp;weaker=1">Show weaker matches (41)';
    expect(String(<FoundWhole {...facts({ weaker: 41 })} />)).toContain(link);
    expect(String(<FoundWhole {...facts({ weaker: 41, total: 0 })} />)).toContain(link);
    expect(String(<FoundWhole {...facts({ weaker: 41 }, { piece: { tiles: [tile(1, 0)], inside: '/search?q=red', older: '/search?q=red&from=1', newer: null } })} />)).not.toContain('weaker');
    expect(String(<FoundWhole {...facts({ weaker: 0 }, { weaker: true })} />)).toContain('href="/search?q=red">Leave weaker matches out');
  });

  test('a chip that is negated looks so, and quotes around words can be left off', () => {
    const chip = { term: { kind: 'words' as const, text: 'snow' }, negated: true, label: 'Not: snow', text: '-snow' };
    const html = String(<FoundWhole {...facts({ total: 0, parsed: { text: 'x', cut: false, chips: [chip], rest: 'x', phrases: ['x y'] }, query: '"x y" -snow' }, { chips: [{ chip, without: '"x y"', quoted: null }] })} />);
    expect(html).toMatch(/class="chip chip-not".*<bdi>Not: snow/);
    expect(html).toContain('href="/search?q=x%20y%20%20-snow"');
  });

  test('what looks like one shows that one first and walks among the rest', () => {
    const frame = { scriptUrl: '/s', styleUrl: '/c', drives: [], agentAway: false, problems: 0, status: null };
    const piece = { tiles: [tile(2, 0), tile(3, 1)], inside: `/similar/${hashOf(1)}`, older: null, newer: null };
    const html = String(<SimilarPage frame={frame} tile={tile(1, 0)} search={{ ...facts({ query: '' }), piece }} />);
    expect(html).toContain(`class="similar-of" href="/a/${hashOf(1)}"`);
    expect(html).toContain(`href="/a/${hashOf(3)}?in=%2Fsimilar%2F${hashOf(1)}&amp;at=1"`);
    expect(html).toContain('by the embedded index');
  });

  it('is said on a page for one that no vector is there of, and an asset that is not there is not found', async () => {
    const page = await get(`/similar/${hashOf(4)}`);
    expect([page.status, page.text.includes('There is nothing to compare with yet')]).toEqual([200, true]);
    for (const path of [`/similar/${hashOf(99_999)}`, '/similar/xyz', '/similar/%3Cscript%3E']) expect((await get(path)).status, path).toBe(404);
    expect((await get(`/a/${hashOf(4)}`)).text).toContain(`href="/similar/${hashOf(4)}"`);
  });
});
