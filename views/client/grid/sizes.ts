// The measures of a grid: those of the look (tokens.css), and the size of pictures that the reader chose, which outlives the page.
import type { Sizes } from './model.ts';

/** What a grid measures by, with the page's bars. */
export interface PageSizes extends Sizes { bar: number; foot: number }

const DENSITY_KEY = 'jharokha-density';

/** Heights of rows that can be chosen, small ones first. */
function rowHeights(style: CSSStyleDeclaration): number[] {
  return style.getPropertyValue('--row-sizes').trim().split(/\s+/).map(Number);
}
export function readSizes(element: HTMLElement): PageSizes {
  const style = getComputedStyle(element);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const px = (name: string) => { const text = style.getPropertyValue(name).trim(); return Math.round(parseFloat(text) * (text.endsWith('rem') ? rem : 1)) || 0; };
  const rows = rowHeights(style);
  return {
    width: Math.max(40, Math.floor(element.getBoundingClientRect().width)), row: rows[Math.min(rows.length - 1, readDensity(rows.length))] ?? 220, gap: px('--gap'),
    monthTitle: px('--month-title'), dayTitle: px('--day-title'), partTitle: px('--part-title'), partGap: px('--part-gap'), bar: px('--bar'), foot: px('--foot'),
  };
}

/** The chosen size, counted from the smallest; the last but one unless the reader chose. */
function readDensity(count: number): number {
  try {
    const kept = Number(localStorage.getItem(DENSITY_KEY) ?? NaN);
    return Number.isInteger(kept) && kept >= 0 && kept < count ? kept : count - 2;
  } catch { return held ?? count - 2; }
}
/** Without storage it holds for this page. */
let held: number | undefined;

/** A step larger or smaller; false at the end. */
export function stepDensity(element: HTMLElement, by: 1 | -1): boolean {
  const count = rowHeights(getComputedStyle(element)).length;
  const next = readDensity(count) + by;
  if (next < 0 || next >= count) return false;
  held = next;
  try { localStorage.setItem(DENSITY_KEY, String(next)); } catch { /* held above */ }
  return true;
}
export function densityEnds(element: HTMLElement): { smallest: boolean; largest: boolean } {
  const count = rowHeights(getComputedStyle(element)).length;
  const now = readDensity(count);
  return { smallest: now === 0, largest: now === count - 1 };
}
