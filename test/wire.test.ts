// Packs, keys, ratios, wall times and versions: what both sides must spell the same way.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { charRatio, ratioChar } from '../protocol/layout.ts';
import { decodePack, encodePack } from '../protocol/pack.ts';
import { parseRenditionKey, renditionKey } from '../protocol/rendition.ts';
import { offsetAtUtc, offsetAtWall, wallMs, wallText } from '../protocol/time.ts';
import { SOFTWARE_VERSION } from '../protocol/versions.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('hex');

describe('packs', () => {
  it('come back as they went, empty ones and bytes that look like headers too', () => {
    const items = ['a', '{"items":[]}\n', '\n\n\n'].map((text) => ({ key: `k-${text.length}`, sha256: sha(text), bytes: new TextEncoder().encode(text) }));
    expect(decodePack(encodePack(items)).map((i) => ({ ...i, bytes: [...i.bytes] }))).toEqual(items.map((i) => ({ ...i, bytes: [...i.bytes] })));
    expect(decodePack(encodePack([]))).toEqual([]);
  });
  it('are refused when cut anywhere', () => {
    const pack = encodePack([{ key: 'k', sha256: sha('abc'), bytes: new TextEncoder().encode('abc') }]);
    for (let end = 0; end < pack.byteLength; end += 1) expect(() => decodePack(pack.subarray(0, end)), String(end)).toThrow();
    expect(() => decodePack(new Uint8Array([...pack, 1]))).toThrow('too many');
  });
});

describe('keys', () => {
  it('parse what they spell and nothing else', () => {
    const id = { sha256: sha('x'), name: 'grid' as const, version: 2 };
    expect(parseRenditionKey(renditionKey(id))).toEqual(id);
    const key = renditionKey(id);
    for (const bad of [`/${key}`, `${key}/`, key.toUpperCase(), key.replace('grid', 'proxy'), key.replace('.2.', '.02.'), key.replace('.2.', '.0.'), `zz${key.slice(2)}`, key.replace('/', '//'), `${key}\n`]) expect(parseRenditionKey(bad), bad).toBeUndefined();
  });
});

describe('ratios', () => {
  it('are near the truth, exact for squares, and never absurd', () => {
    for (const [w, h] of [[4032, 3024], [3024, 4032], [16, 9], [1, 7], [3, 1]] as const) expect(Math.abs(charRatio(ratioChar(w, h)) / (w / h) - 1)).toBeLessThan(0.035);
    expect(charRatio(ratioChar(5, 5))).toBe(1);
    for (const [w, h] of [[null, 5], [0, 5], [5, 0], [-1, 5], [NaN, 1]] as const) expect(charRatio(ratioChar(w, h))).toBe(1);
    expect(charRatio(ratioChar(1e9, 1))).toBeCloseTo(8);
    expect(() => charRatio('!')).toThrow();
    expect(() => charRatio('AA')).toThrow();
  });
});

describe('wall times', () => {
  it('go there and back, in any year that has four digits', () => {
    for (const text of ['2024-02-29T23:59:59', '0001-01-01T00:00:00', '0099-12-31T12:00:00', '1969-12-31T23:59:59', '9999-12-31T23:59:59']) expect(wallText(wallMs(text) ?? NaN)).toBe(text);
    for (const text of ['2023-02-29T00:00:00', '2024-13-01T00:00:00', '2024-00-10T00:00:00', '2024-01-01T24:00:00', '2024-01-01T00:60:00', '2024-01-01 00:00:00', '24-1-1T0:0:0', '']) expect(wallMs(text), text).toBeUndefined();
  });
  it('know the zones’ rules, at the seams too', () => {
    expect(offsetAtUtc('Europe/Rome', Date.UTC(2024, 0, 1))).toBe(60);
    expect(offsetAtWall('Europe/Rome', '2024-07-01T00:00:00')).toBe(120);
    expect(offsetAtWall('Europe/Rome', '2024-03-31T01:59:59')).toBe(60);
    expect(offsetAtWall('Europe/Rome', '2024-03-31T03:00:00')).toBe(120);
    expect(offsetAtWall('Europe/Rome', '2024-10-27T02:30:00')).toBe(120);
    expect(offsetAtUtc('No/Where', 0)).toBeUndefined();
    expect(offsetAtUtc('UTC', NaN)).toBeUndefined();
  });
});

describe('versions', () => {
  it('say the package’s own', () => {
    expect(SOFTWARE_VERSION).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
  });
});
