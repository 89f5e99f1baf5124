// Completions of what is typed: which, in which order, and that each is understood as what it says.
import { describe, expect, test } from 'vitest';
import { parseQuery } from '../../../worker/search/parse-query.ts';
import { MAX_SUGGESTIONS, suggest } from '../../../worker/search/complete.ts';
import { createDice } from '../../support/random.ts';
import { LIBRARY, NOW_MS } from './library.ts';

const texts = (typed: string, history: readonly string[] = [], limit = 6): string[] => suggest(LIBRARY, history, typed, NOW_MS, limit).map((s) => s.text);

describe('suggest', () => {
  test.each([
    ['zur', 'Zürich'], ['mum in go', 'mum in Goa'], ['new y', 'New York'], ['dogs new y', 'dogs New York'], ['ash', 'Asha Example'], ['bela', 'Bela Example'], ['summer t', 'Summer Trip'], ['wedd', 'album:Wedding'], ['ipho', 'Apple iPhone 14'], ['iphone 14', 'Apple iPhone 14'],
    ['bea', 'tag:beach'], ['golden', 'golden hour'], ['vid', 'Videos'], ['screen', 'Screenshots'], ['fav', 'Favourites'], ['june 20', 'June 2026'], ['jun', 'June 2026'], ['2019', '2019'], ['201', '2019'], ['last s', 'Last summer'], ['yest', 'Yesterday'], ['cafe', 'Café & Cake'], ['elo', 'Élodie Test'],
    ['album:wed', 'album:Wedding'], ['in:go', 'Goa'], ['place:go', 'place:Goa'], ['camera:can', 'camera:"Canon EOS R5"'], ['is:sc', 'is:Screenshots'], ['-goa -vid', '-goa -Videos'], ['on blue', 'on Blue SSD'], ['backu', 'drive:Backup'], ['cricket', 'Sports/Cricket'], ['nice', 'Nice'], ['in nic', 'in Nice'],
  ])('%s: %s', (typed, expected) => {
    expect([...texts(typed), ...(typed === expected ? [expected] : [])].map((t) => t.toLowerCase())).toContain(expected.toLowerCase());
  });

  test('history comes first, and alone where nothing is typed', () => {
    expect(texts('go', ['goa with mum', 'gone', 'other'])[0]).toBe('goa with mum');
    expect(texts('', ['a', 'b', 'c'], 2)).toEqual(['a', 'b']);
    expect(texts('go', ['go 1', 'go 2', 'go 3', 'go 4', 'go 5']).filter((t) => t.startsWith('go ')).length).toBe(3);
  });
  test('more pictures come first; counts are said', () => {
    expect(suggest(LIBRARY, [], 'zu', NOW_MS, 1)).toEqual([{ text: 'Zürich', label: 'Zurich, Switzerland', kind: 'place', count: 300 }]);
    // Paris is two towns of 33 together.
    expect(texts('pa').slice(0, 2)).toEqual(['Panaji', 'Paris']);
  });
  test('nothing where nothing begins so, in quotation marks, or behind a space', () => { for (const typed of ['qqqq', '"goa"', 'goa ', '"', '!!', '-']) expect(texts(typed), typed).toEqual([]); });
  test('as many as were asked for', () => {
    expect(suggest(LIBRARY, [], '20', NOW_MS, 3).length).toBe(3);
    expect(suggest(LIBRARY, [], '20', NOW_MS, 1_000).length).toBeLessThanOrEqual(MAX_SUGGESTIONS);
    expect(suggest(LIBRARY, ['go'], 'g', NOW_MS, 0)).toEqual([]);
  });

  test('each is understood as its kind, once, whatever stands before it', () => {
    const kinds: Record<string, string[]> = { place: ['place'], person: ['person'], album: ['album'], camera: ['camera'], tag: ['tag'], drive: ['volume'], date: ['date'], type: ['type', 'favourite'] };
    let seen = 0;
    for (let seed = 1; seed <= 300; seed += 1) {
      const dice = createDice(seed);
      const before = dice.some(2, () => dice.pick(['dogs', 'mum', 'in', 'without', '-', 'on', '"x y"', '"', 'in:', 'album:', '🎉', '\ud83d', 'shot with', '2019'])).join(' ');
      const typed = `${before}${dice.pick([' ', ''])}${dice.pick(['go', 'zur', 'ca', 'su', 'we', 'ju', '20', 'la', 'bl', 'mu', 'ip', 'be', 'vi', '京都', 'sa', 'ni', 'é', 'pa'])}`;
      const found = suggest(LIBRARY, [], typed, NOW_MS, 8);
      expect(new Set(found.map((f) => f.text)).size).toBe(found.length);
      for (const s of found) {
        seen += 1;
        const last = parseQuery(s.text, LIBRARY, NOW_MS, 'UTC').chips.at(-1);
        expect(kinds[s.kind], `${JSON.stringify(typed)} ${s.text}`).toContain(last?.term.kind);
        expect(s.label).not.toBe('');
      }
    }
    expect(seen).toBeGreaterThan(300);
  });
  test('a library of thousands of names answers each key', () => {
    const names = { ...LIBRARY, places: Array.from({ length: 5_000 }, (_, i) => ({ country_code: 'IN', country: 'India', region: `Region ${i % 90}`, city: `Ville ${i}`, assets: 1 })), tags: Array.from({ length: 5_000 }, (_, i) => `tag number ${i}`) };
    suggest(names, [], 'vil', NOW_MS, 8);
    // Some 3 ms; other tests share the processor.
    const begin = performance.now();
    for (let i = 0; i < 20; i += 1) suggest(names, [], `dogs in vil${'l'.repeat(i % 3)}`, NOW_MS, 8);
    expect((performance.now() - begin) / 20).toBeLessThan(400);
  });
});
