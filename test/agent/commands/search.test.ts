// `search` as an owner types it: words, chips and files, with no model there; and what it says when nothing is found.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SearchAnswer } from '../../../protocol/search.ts';
import { runCommandAsync } from '../../support/instance.ts';
import { makePicture, phoneExif } from '../../support/make-media.ts';

let base: string, dataDir: string;
const run = (...args: string[]) => runCommandAsync(dataDir, args);
async function search(...args: string[]): Promise<SearchAnswer> {
  const ran = await run('search', ...args, '--json');
  expect(ran.code, ran.stderr).toBe(0);
  const lines = ran.stdout.trim().split('\n');
  expect(lines).toHaveLength(1);
  return SearchAnswer.parse(JSON.parse(lines[0] ?? ''));
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'jharokha-search-'));
  dataDir = join(base, 'data');
  mkdirSync(join(base, 'pictures'));
  for (const [i, name] of ['harbour at dawn.jpg', 'Harbour (2).jpg', 'kitchen.jpg'].entries()) {
    writeFileSync(join(base, 'pictures', name), await makePicture({ seed: i + 1, exif: phoneExif(i === 1 ? { latitude: 44.17, longitude: 9.612 } : {}) }));
  }
  const indexed = await run('index', join(base, 'pictures'), '--json');
  expect(indexed.code, indexed.stderr).toBe(0);
});
afterAll(() => { rmSync(base, { recursive: true, force: true }); });

test('finds by name and by place, and says in JSON who answered and why', async () => {
  const harbour = await search('harbour');
  expect(harbour).toMatchObject({ query: 'harbour', engine: 'words', literal: 2, total: 2, embedding: null, sort: 'relevance' });
  expect(harbour.results.map((hit) => [hit.score, hit.why])).toEqual([[null, ['name']], [null, ['name']]]);
  expect((await search('harbour', 'dawn')).results).toHaveLength(1);
  expect((await search('harbour', '--limit', '1')).results).toHaveLength(1);
  const place = await search('Levanto');
  expect(place).toMatchObject({ parsed: { chips: [{ term: { kind: 'place' } }] }, total: 1 });
  expect(place.results[0]?.why).toEqual(['filter']);
  expect((await search('-Levanto', 'harbour')).results).toHaveLength(1);
});

test('says in words what was found, and what is missing', async () => {
  const ran = await run('search', 'harbour', 'dawn');
  expect(ran.code).toBe(0);
  expect(ran.stdout).toMatch(/pictures\/harbour at dawn\.jpg {2}\[name\]\n1 found by words and filters\.\nBy words alone: /);
  const nothing = await run('search', 'walrus');
  expect(nothing.code).toBe(0);
  expect(nothing.stdout).toContain('Nothing found, by words and filters.');
});

test('takes no question for a question: usage, and which word was wrong', async () => {
  for (const [args, word] of [[[], 'Say what'], [['  '], 'Say what'], [['a', '--sort', 'best'], '--sort'], [['a', '--limit', '0'], '--limit'], [['--like', 'abc'], '--like'], [['a', '--like', 'a'.repeat(64)], 'not both']] as const) {
    const ran = await run('search', ...args);
    expect(ran.code, ran.stderr).toBe(2);
    expect(ran.stderr).toContain(word);
  }
  expect(await search('--like', 'a'.repeat(64))).toMatchObject({ results: [], total: 0 });
});
