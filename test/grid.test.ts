// The exact layout of grids: packing, finding, and the span that moves along beyond the browsers' height limit.
import { describe, expect, test } from 'vitest';
import { levelRatio, ratioChar, type LayoutGroup } from '../protocol/layout.ts';
import { layGroup, Model, readGroup, type Sizes } from '../views/client/grid/model.ts';
import { packRows, RowBuffer } from '../views/client/grid/pack.ts';
import { spanHeight, spanOrigin } from '../views/client/grid/span.ts';
import { createDice } from './support/random.ts';

const SIZES: Sizes = { width: 1200, row: 220, gap: 4, monthTitle: 62, dayTitle: 49, partTitle: 48, partGap: 10 };
const random = createDice(7).next;
const PANORAMA = 62;
const HAIR = 0;

function levels(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => { const n = random(); return n < 0.03 ? PANORAMA : n < 0.05 ? HAIR : 24 + Math.floor(random() * 16); });
}
function pack(of: Uint8Array, width: number, row = 220, gap = 4) {
  const buffer = new RowBuffer();
  const bottom = packRows(of, 0, of.length, 0, { width, row, gap }, buffer);
  return { bottom, rows: buffer.take() };
}
const text = (of: Uint8Array) => Array.from(of, (level) => ratioChar(levelRatio(level) * 10_000, 10_000)).join('');

describe('packing', () => {
  test('each tile is in one row, rows fill the width, and only the last keeps the height instead', () => {
    for (let round = 0; round < 200; round++) {
      const of = levels(1 + Math.floor(random() * 60));
      const width = 200 + Math.floor(random() * 2400);
      const row = [64, 150, 220, 320][round % 4] as number;
      const gap = round % 2 ? 2 : 4;
      const { rows, bottom } = pack(of, width, row, gap);
      expect(rows.first[0]).toBe(0);
      let top = 0;
      rows.first.forEach((first, r) => {
        const end = rows.first[r + 1] ?? of.length;
        expect(end).toBeGreaterThan(first);
        expect(rows.top[r]).toBe(top);
        const height = rows.height[r] as number;
        const ratios = [...of.slice(first, end)].reduce((sum, level) => sum + levelRatio(level), 0);
        const natural = (width - gap * (end - first - 1)) / ratios;
        if (r < rows.first.length - 1) expect(rows.width[r]).toBe(width);
        // Drawn uncropped, to the half pixel that a whole height costs.
        if (rows.width[r] === width) expect(Math.abs(height - natural)).toBeLessThanOrEqual(0.5);
        else { expect(height).toBe(row); expect(rows.width[r]).toBeLessThan(width); }
        top += height + gap;
      });
      expect(bottom).toBe(top - gap);
    }
  });

  test('what is known of a beginning stands when the rest comes: all rows but the last', () => {
    for (let round = 0; round < 100; round++) {
      const of = levels(80);
      const part = 10 + Math.floor(random() * 60);
      const [begin, all] = [pack(of.slice(0, part), 900).rows, pack(of, 900).rows];
      const stable = begin.first.length - 1;
      expect([...begin.first.slice(0, stable)]).toEqual([...all.first.slice(0, stable)]);
      expect([...begin.height.slice(0, stable)]).toEqual([...all.height.slice(0, stable)]);
    }
  });

  test('nothing, one, panoramas and hairs', () => {
    expect(pack(new Uint8Array(), 900)).toMatchObject({ bottom: 0 });
    expect(pack(new Uint8Array(), 900).rows.first.length).toBe(0);
    const one = pack(Uint8Array.of(31), 900).rows;
    expect([one.height[0], one.width[0]]).toEqual([220, 220]);
    const wide = pack(Uint8Array.of(PANORAMA, PANORAMA, PANORAMA), 900).rows;
    expect([...wide.first]).toEqual([0, 1, 2]);
    expect(wide.height[0]).toBe(Math.round(900 / 8));
    expect(pack(new Uint8Array(500).fill(HAIR), 390, 150, 2).rows.first.length).toBeGreaterThan(10);
    expect(pack(Uint8Array.of(HAIR), 40, 320).rows.height[0]).toBe(320);
  });

  test('a million tiles in less than a frame or three', () => {
    const of = levels(1_000_000);
    pack(of, 1100);
    const start = performance.now();
    const { rows } = pack(of, 1200);
    const ms = performance.now() - start;
    expect(rows.first.length).toBeGreaterThan(150_000);
    // Some 15 ms alone on a desktop; the limit leaves room for a machine that does other things.
    expect(ms).toBeLessThan(250);
  });
});

describe('model', () => {
  const wire: LayoutGroup[] = [202310, 202309, 202201].map((key) => ({ key, version: 1, cuts: ['x'], days: [21, 20, 3].map((day) => ({ day, ratios: text(levels(1 + Math.floor(random() * 50))) })) }));
  const groups = wire.map((each) => { const group = readGroup(each); layGroup(group, 'day', SIZES, []); return group; });
  const model = new Model('day', groups, SIZES);

  test('finds every tile and row again', () => {
    for (let index = 0; index < model.count; index++) {
      const place = model.row(model.rowOf(index));
      expect(index >= place.from && index < place.end).toBe(true);
      expect(model.rowOf(place.from)).toBe(model.rowAt(place.top));
      expect(model.rowOf(place.from)).toBe(model.rowAt(place.top + place.height - 1));
      const box = model.boxOf(index);
      expect(model.tileInRow(model.rowOf(index), box.left + box.width / 2)).toBe(index);
      const range = model.rangeOf(index);
      expect(index >= range.from && index < range.end).toBe(true);
    }
    expect(model.row(model.rowCount - 1).end).toBe(model.count);
    expect(model.rangeOf(0)).toEqual({ from: 0, end: wire[0]?.days[0]?.ratios.length });
  });

  test('goes on as the eye does, and stops at the ends', () => {
    expect(model.step(0, 'left')).toBe(0);
    expect(model.step(0, 'up')).toBe(0);
    expect(model.step(model.count - 1, 'right')).toBe(model.count - 1);
    expect(model.step(model.count - 1, 'down')).toBe(model.count - 1);
    let index = 0;
    const seen = new Set<number>();
    for (let next = model.step(index, 'down'); next !== index; next = model.step(index, 'down')) { index = next; seen.add(model.rowOf(index)); }
    expect(seen.size).toBe(model.rowCount - 1);
  });

  test('parts of a grid without groups have titles of their own', () => {
    const group = readGroup({ key: 0, version: 0, cuts: ['0'], days: [{ day: 0, ratios: text(levels(30)) }] });
    layGroup(group, 'none', SIZES, [{ at: 0, title: 'Written', words: '' }, { at: 12, title: 'Looks like it', words: '' }, { at: 90, title: 'Beyond', words: '' }]);
    expect(group.sections.map(({ start, end }) => [start, end])).toEqual([[0, 12], [12, 30]]);
    expect(group.rows.top[0]).toBe(SIZES.partTitle);
  });

  test('of nothing there is nothing', () => {
    const none = new Model('day', [], SIZES);
    expect([none.count, none.height, none.rowCount, none.rowAt(100)]).toEqual([0, 0, 0, 0]);
  });
});

describe('span', () => {
  const MAX = 12_000;
  const VIEW = 800;
  test('scrolling by any step reaches every place of a grid of any height, there and back', () => {
    for (const total of [500, 12_000, 12_001, 13_000, 60_000, 1_000_000]) {
      for (const way of [1, -1]) {
        let origin = 0;
        let y = way > 0 ? 0 : Math.max(0, total - VIEW);
        origin = spanOrigin({ total, max: MAX, origin }, y, VIEW);
        for (let step = 0; step < 20_000; step++) {
          const local = y - origin;
          // What the browser allows is what the box holds.
          expect(local).toBeGreaterThanOrEqual(0);
          const most = spanHeight({ total, max: MAX, origin }) - Math.min(VIEW, total);
          expect(local).toBeLessThanOrEqual(most);
          const next = Math.min(most, Math.max(0, local + way * (50 + Math.floor(random() * 1_500)))) + origin;
          if (next === y) break;
          y = next;
          origin = spanOrigin({ total, max: MAX, origin }, y, VIEW);
        }
        expect(y).toBe(way > 0 ? Math.max(0, total - Math.min(VIEW, total)) : 0);
      }
    }
  });
  test('a jump lands exactly, anywhere', () => {
    for (let round = 0; round < 500; round++) {
      const total = 50_000_000;
      const y = Math.floor(random() * (total - VIEW));
      const origin = spanOrigin({ total, max: 12_000_000, origin: Math.floor(random() * 38_000_000) }, y, VIEW);
      expect(y - origin >= 0 && y - origin <= 12_000_000 - VIEW).toBe(true);
    }
  });
});
