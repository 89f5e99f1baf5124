// The size of pictures: two buttons in the top line, and two fingers on a touch screen.
import type { GridCore } from './core.ts';
import { densityEnds, stepDensity } from './sizes.ts';

/** Fingers that went apart or together by this factor mean a step. */
const PINCH = 1.35;

/** Returns what steps the size, and without a step brings the buttons up to date. */
export function startDensity(current: () => GridCore | undefined): (by?: 1 | -1) => void {
  const [smaller, larger] = [-1, 1].map((by) => document.querySelector<HTMLButtonElement>(`[data-density="${by}"]`));
  const step = (by?: 1 | -1): void => {
    const grid = current();
    if (!grid) return;
    if (by !== undefined && stepDensity(grid.element, by)) grid.resize();
    const { smallest, largest } = densityEnds(grid.element);
    // Not `disabled`: the focus would be lost with the last step.
    smaller?.setAttribute('aria-disabled', String(smallest));
    larger?.setAttribute('aria-disabled', String(largest));
  };
  smaller?.addEventListener('click', () => step(-1));
  larger?.addEventListener('click', () => step(1));

  let apart = 0;
  const distance = ([a, b]: TouchList) => (a && b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0);
  const onGrid = (event: TouchEvent) => event.touches.length === 2 && event.target instanceof Node && current()?.element.contains(event.target) === true;
  document.addEventListener('touchstart', (event) => { apart = onGrid(event) ? distance(event.touches) : 0; }, { passive: true });
  document.addEventListener('touchmove', (event) => {
    if (apart === 0 || !onGrid(event)) return;
    const now = distance(event.touches);
    const by = now > apart * PINCH ? 1 : now < apart / PINCH ? -1 : undefined;
    if (by === undefined) return;
    apart = now;
    step(by);
  }, { passive: true });
  return step;
}
