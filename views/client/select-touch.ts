// Selecting by finger: a long touch begins, and without leaving the screen draws a run; at the edges the page goes along.
import { theGrid } from './grid/view.ts';
import { scrollNear, useClick } from './select.ts';

/** A finger that rests this long does not mean to open. */
const HOLD_MS = 350;
/** A finger that went further scrolls. */
const STILL_PX = 10;

export interface TouchSelect {
  /** False where nothing can be selected here. */
  begin(tile: Element): boolean;
  reach(index: number): void;
  over(x: number, y: number): void;
}

export function startTouch(select: TouchSelect): void {
  // The viewer's own fingers are elsewhere: a listener that may stop a scroll is kept off all that need none.
  const main = document.querySelector<HTMLElement>('#main');
  if (!main) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let finger: { x: number; y: number; tile: Element; held: boolean } | undefined;
  const scroll = () => {
    if (!finger?.held) return;
    scrollNear(finger.y);
    select.over(finger.x, finger.y);
    requestAnimationFrame(scroll);
  };
  const end = () => { clearTimeout(timer); finger = undefined; };

  main.addEventListener('touchstart', (event) => {
    end();
    const touch = event.touches.length === 1 ? event.touches[0] : undefined;
    const tile = event.target instanceof Element ? event.target.closest('a.tile') : null;
    if (!touch || !tile || !theGrid()?.element.contains(tile)) return;
    const mine = { x: touch.clientX, y: touch.clientY, tile, held: false };
    finger = mine;
    timer = setTimeout(() => {
      mine.held = select.begin(tile);
      if (mine.held) requestAnimationFrame(scroll);
    }, HOLD_MS);
  }, { passive: true });
  main.addEventListener('touchmove', (event) => {
    const touch = event.touches[0];
    if (!finger || !touch) return;
    if (finger.held) {
      event.preventDefault();
      finger.x = touch.clientX;
      finger.y = touch.clientY;
    } else if (Math.hypot(touch.clientX - finger.x, touch.clientY - finger.y) > STILL_PX) end();
  }, { passive: false });
  main.addEventListener('touchend', (event) => {
    if (finger?.held) { event.preventDefault(); useClick(); }
    end();
  }, { passive: false });
  main.addEventListener('touchcancel', end);
  // The menu that a long touch would bring.
  main.addEventListener('contextmenu', (event) => { if (finger) event.preventDefault(); });
}
