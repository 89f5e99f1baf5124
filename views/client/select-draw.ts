// Drawing a run of tiles: with a mouse from a check (or from anywhere while selecting), with a finger after a long touch.
// Near the edges of the window the page goes along.

/** A mouse that went this far draws. */
const DRAG_PX = 6;
/** A finger that rests this long does not mean to open. */
const HOLD_MS = 350;
/** A finger that went further scrolls. */
const STILL_PX = 10;
/** So near to an edge the page goes along, by at most so much a frame. */
const EDGE_PX = 72;
const STEP_PX = 24;

export interface Draw {
  /** Where a tile of the grid stands. */
  indexOf(target: EventTarget | null): number | undefined;
  /** Whether a mouse may draw from here. */
  mayDraw(event: PointerEvent): boolean;
  begin(index: number): void;
  /** To what is under a point. */
  over(x: number, y: number): void;
}

let used = false;
/** Whether the click that comes belongs to what was drawn. */
export function takeClick(): boolean {
  const was = used;
  used = false;
  return was;
}
function useClick(): void {
  used = true;
  setTimeout(() => { used = false; }, 0);
}

export function startDraw(draw: Draw): void {
  startMouse(draw);
  startFinger(draw);
}

function startMouse(draw: Draw): void {
  let from: { x: number; y: number; index: number } | undefined;
  let stop: (() => void) | undefined;
  const at = { x: 0, y: 0 };
  document.addEventListener('pointerdown', (event) => {
    const index = draw.indexOf(event.target);
    const plain = event.pointerType === 'mouse' && event.button === 0 && !event.shiftKey && !event.ctrlKey && !event.metaKey;
    from = plain && index !== undefined && draw.mayDraw(event) ? { x: event.clientX, y: event.clientY, index } : undefined;
  });
  // The link's own way of being dragged.
  document.addEventListener('dragstart', (event) => { if (from) event.preventDefault(); });
  document.addEventListener('pointermove', (event) => {
    if (!from) return;
    at.x = event.clientX;
    at.y = event.clientY;
    if (stop || Math.hypot(at.x - from.x, at.y - from.y) < DRAG_PX) return;
    draw.begin(from.index);
    stop = follow(draw, at);
  });
  const end = () => {
    if (stop) useClick();
    stop?.();
    from = stop = undefined;
  };
  document.addEventListener('pointerup', end);
  document.addEventListener('pointercancel', end);
}

function startFinger(draw: Draw): void {
  // The viewer's own fingers are elsewhere: a listener that may stop a scroll is kept off all that need none.
  const main = document.querySelector<HTMLElement>('#main');
  if (!main) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let finger: { x: number; y: number } | undefined;
  let stop: (() => void) | undefined;
  const end = () => {
    clearTimeout(timer);
    stop?.();
    finger = stop = undefined;
  };
  main.addEventListener('touchstart', (event) => {
    end();
    const touch = event.touches.length === 1 ? event.touches[0] : undefined;
    const index = draw.indexOf(event.target);
    if (!touch || index === undefined) return;
    const at = { x: touch.clientX, y: touch.clientY };
    finger = at;
    timer = setTimeout(() => { draw.begin(index); stop = follow(draw, at); }, HOLD_MS);
  }, { passive: true });
  main.addEventListener('touchmove', (event) => {
    const touch = event.touches[0];
    if (!finger || !touch) return;
    if (!stop) {
      if (Math.hypot(touch.clientX - finger.x, touch.clientY - finger.y) > STILL_PX) end();
      return;
    }
    event.preventDefault();
    finger.x = touch.clientX;
    finger.y = touch.clientY;
  }, { passive: false });
  main.addEventListener('touchend', (event) => {
    // What was selected is not also opened.
    if (stop) event.preventDefault();
    end();
  }, { passive: false });
  main.addEventListener('touchcancel', end);
  // The menu that a long touch would bring.
  main.addEventListener('contextmenu', (event) => { if (finger) event.preventDefault(); });
}

/** Draws to a point, frame by frame, wherever it moves and the page under it. */
function follow(draw: Draw, at: { readonly x: number; readonly y: number }): () => void {
  const top = document.querySelector('.top')?.getBoundingClientRect().bottom ?? 0;
  let frame = 0;
  const step = () => {
    const past = at.y < top + EDGE_PX ? at.y - top - EDGE_PX : Math.max(0, at.y - innerHeight + EDGE_PX);
    if (past !== 0) scrollBy({ top: Math.max(-STEP_PX, Math.min(STEP_PX, past / 3)), behavior: 'instant' });
    draw.over(at.x, at.y);
    frame = requestAnimationFrame(step);
  };
  frame = requestAnimationFrame(step);
  // Where it ended counts, also when no frame came since.
  return () => { cancelAnimationFrame(frame); draw.over(at.x, at.y); };
}
