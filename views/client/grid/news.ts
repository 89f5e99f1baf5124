// What is new: at the very top it appears, elsewhere a pill says so and nothing moves. Pictures that were waited for come in.
import type { GridCore } from './core.ts';

/** A pointer that moved this recently is about to do something: nothing moves under it. */
const POINTER_RESTS_MS = 1_500;
/** News come in bursts while a drive is read. */
const REFRESH_EVERY_MS = 3_000;
/** News that come before the layout wait for it: it may have been made before them. */
const NOT_YET_MS = 300;

export function startNews(current: () => GridCore | undefined): void {
  const fresh = document.querySelector<HTMLElement>('#fresh');
  let pointerMs = -Infinity;
  let last = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  addEventListener('pointermove', () => { pointerMs = performance.now(); }, { passive: true });

  const look = async (): Promise<void> => {
    timer = undefined;
    last = performance.now();
    const grid = current();
    if (grid && !grid.whole && !grid.failed) { timer = setTimeout(() => void look(), NOT_YET_MS); return; }
    if (!grid?.whole) return;
    grid.mayMove = () => performance.now() - pointerMs > POINTER_RESTS_MS && !document.querySelector('dialog[open]') && !grid.element.contains(document.activeElement);
    grid.grewAbove = () => { if (fresh) fresh.hidden = false; };
    // A line that broke: the next news asks again.
    await grid.refresh().catch(() => undefined);
    const waiting = grid.stage.waiting();
    if (waiting) await grid.pieces.renew(grid.model, waiting.from, waiting.end);
  };
  const soon = (): void => { timer ??= setTimeout(() => void look(), Math.max(0, last + REFRESH_EVERY_MS - performance.now())); };
  document.body.addEventListener('live-library', soon);
  // What came between the page's making and the line's opening.
  document.body.addEventListener('live-open', soon);

  fresh?.addEventListener('click', (event) => {
    const grid = current();
    if (!grid?.whole) return;
    event.preventDefault();
    fresh.hidden = true;
    grid.jump(-Infinity);
  });
  addEventListener('scroll', () => { if (fresh && !fresh.hidden && current()?.atTop) fresh.hidden = true; }, { passive: true });
}
