// Scrolling beyond the browsers' height limit: the page holds a span of the grid, which moves along before the reader is at its end.
// Pure: where the span begins (`origin`), and what a place in the grid is on the page.

/** Chromium cuts a box off at 16,777,216 px on a fine screen, Firefox at some 17.9 million. */
export const MAX_SPAN_PX = 12_000_000;

export interface Span { total: number; max: number; origin: number }

/** Height of the box on the page. */
export function spanHeight({ total, max }: Span): number {
  return Math.min(total, max);
}

/** The origin for a reader whose window begins at `y` of the grid: as it is while there is a good way to both ends, else so that the reader is in the middle. */
export function spanOrigin({ total, max, origin }: Span, y: number, view: number): number {
  if (total <= max) return 0;
  const last = total - max;
  const room = Math.min(max / 6, Math.max(view * 4, max / 12));
  const kept = Math.min(last, Math.max(0, origin));
  const nearTop = kept > 0 && y - kept < room;
  const nearEnd = kept < last && kept + max - (y + view) < room;
  if (!nearTop && !nearEnd) return kept;
  return Math.round(Math.min(last, Math.max(0, y + view / 2 - max / 2)));
}
