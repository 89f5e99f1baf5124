// Zoom, pan and swipes of the viewer: one picture under one, two or no fingers. Only transforms change, so nothing is laid out anew.
import { drawPicture } from './viewer-stage.ts';

/** A finger that went this far means something; less is a tap. */
const SLOP_PX = 10;
/** A swipe turns the page when it went this far, or was this fast. */
const TURN_PX = 64;
const FLICK_PX_PER_MS = 0.45;
const CLOSE_PX = 110;
/** Two taps within this time and distance are a double tap. */
const DOUBLE_MS = 300;
const DOUBLE_PX = 40;
/** Beyond the preview's own pixels, for a closer look at them. */
const BEYOND = 2;
/** What has few pixels is enlarged by this much all the same. */
const MIN_MAX = 3;
/** A double click goes to the preview's pixels, or this far where they are hardly more than is seen. */
const DOUBLE_SCALE = 2;
const KEY_FACTOR = 1.5;
const WHEEL_RATE = 0.0022;
/** A trackpad says a pinch as small steps of the wheel with Ctrl. */
const PINCH_RATE = 0.011;
/** Between two pictures that are turned. */
const GAP_PX = 24;
const EASE_MS = 240;
/** Far enough after a pan for it to come to rest by itself. */
const GLIDE_MS = 160;

export interface ZoomHost {
  layer: HTMLElement;
  turn(way: 'newer' | 'older'): void;
  leave(): void;
  /** One tap on the picture by a finger. */
  tap(): void;
  /** The strip's link of the neighbour, to show it while the finger pulls it in. */
  beside(way: 'newer' | 'older'): HTMLElement | null;
}
export interface Zoom { by(key: '+' | '-' | '0'): void; reset(): void; isZoomed(): boolean }
interface Point { x: number; y: number }
type Doing = { what: 'wait' | 'pan' | 'pinch' | 'turn' | 'close' | 'none' };

export function startZoom(host: ZoomHost): Zoom {
  const { layer } = host;
  let [scale, x, y] = [1, 0, 0];
  const fingers = new Map<number, Point>();
  let doing: Doing = { what: 'none' };
  let start: Point = { x: 0, y: 0 };
  let last: Point & { at: number } = { x: 0, y: 0, at: 0 };
  let speed: Point = { x: 0, y: 0 };
  let gap = 0;
  let tapped: (Point & { at: number }) | null = null;
  let tapTimer: ReturnType<typeof setTimeout> | undefined;
  let restTimer: ReturnType<typeof setTimeout> | undefined;
  let peek: HTMLElement | null = null;

  const picture = () => layer.querySelector<HTMLElement>('.picture:not(.peek):not(.leaving)');
  const box = () => picture()?.querySelector<HTMLElement>('.picture-box') ?? null;
  // A video has its own controls, and its small version no more pixels than are seen.
  const canZoom = () => box() !== null && !layer.querySelector('.picture-box > video.full');

  const limits = (): { one: number; max: number } => {
    const image = box()?.querySelector<HTMLImageElement>('img.full') ?? box()?.querySelector('img');
    const width = box()?.offsetWidth ?? 1;
    const one = Math.max(1, (image?.naturalWidth ?? width) / width);
    return { one, max: Math.max(one * BEYOND, MIN_MAX) };
  };
  const draw = (eases = false): void => {
    const element = box();
    if (!element) return;
    element.classList.toggle('eases', eases);
    element.style.transform = scale === 1 && x === 0 && y === 0 ? '' : `translate(${x}px, ${y}px) scale(${scale})`;
    layer.classList.toggle('zoomed', scale > 1.01);
    // A layer of its own only while it moves: at rest the picture is drawn anew, as sharp as its pixels are.
    element.classList.add('moves');
    clearTimeout(restTimer);
    restTimer = setTimeout(() => element.classList.remove('moves'), EASE_MS + 60);
  };
  /** No edge is pulled further in than the stage's. */
  const hold = (): void => {
    const [stage, element] = [picture(), box()];
    if (!stage || !element) return;
    // Sizes with their fractions, before any transform: a rounded one would leave a gap at the edge.
    const [of, held] = [getComputedStyle(element), getComputedStyle(stage)];
    const [maxX, maxY] = [Math.max(0, (parseFloat(of.width) * scale - parseFloat(held.width)) / 2), Math.max(0, (parseFloat(of.height) * scale - parseFloat(held.height)) / 2)];
    x = Math.min(maxX, Math.max(-maxX, x));
    y = Math.min(maxY, Math.max(-maxY, y));
  };
  /** From the stage's middle, where the picture stands. */
  const fromMiddle = (at: Point): Point => {
    const rect = picture()?.getBoundingClientRect();
    return rect ? { x: at.x - rect.x - rect.width / 2, y: at.y - rect.y - rect.height / 2 } : { x: 0, y: 0 };
  };
  /** What is under the point stays under it. */
  const scaleTo = (to: number, at: Point): void => {
    const { max } = limits();
    const next = Math.min(max, Math.max(1, to));
    x = at.x - ((at.x - x) * next) / scale;
    y = at.y - ((at.y - y) * next) / scale;
    scale = next;
  };
  const reset = (): void => {
    [scale, x, y] = [1, 0, 0];
    fingers.clear();
    doing = { what: 'none' };
    dropPeek();
    layer.classList.remove('zoomed');
    layer.style.removeProperty('--solid');
  };
  const toggle = (at: Point): void => {
    if (!canZoom()) return;
    const { one } = limits();
    scaleTo(scale > 1.01 ? 1 : Math.max(one, DOUBLE_SCALE), at);
    hold();
    draw(true);
  };
  const dropPeek = (): void => { peek?.remove(); peek = null; };

  const onStage = (event: Event): boolean =>
    event.target instanceof Element && event.target.closest('.stage') !== null && layer.contains(event.target) && !event.target.closest('.stage-tools, .strip, .stage-foot, .show-bar, video[controls], button');

  layer.addEventListener('wheel', (event) => {
    if (!onStage(event) || !canZoom()) return;
    event.preventDefault();
    if (scale > 1 && !event.ctrlKey && Math.abs(event.deltaX) > Math.abs(event.deltaY)) x -= event.deltaX;
    else scaleTo(scale * Math.exp(-(event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY) * (event.ctrlKey ? PINCH_RATE : WHEEL_RATE)), fromMiddle({ x: event.clientX, y: event.clientY }));
    hold();
    draw();
  }, { passive: false });

  layer.addEventListener('dblclick', (event) => {
    if (!onStage(event) || (event.target instanceof Element && event.target.closest('.step')) || tapped) return;
    toggle(fromMiddle({ x: event.clientX, y: event.clientY }));
  });
  layer.addEventListener('dragstart', (event) => { if (onStage(event)) event.preventDefault(); });

  layer.addEventListener('pointerdown', (event) => {
    if (!onStage(event) || (event.pointerType === 'mouse' && (event.button !== 0 || scale === 1))) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size === 2 && canZoom()) {
      dropPeek();
      if (scale === 1) [x, y] = [0, 0];
      doing = { what: 'pinch' };
      gap = spread();
      start = middle();
      clearTimeout(tapTimer);
    } else if (fingers.size === 1) {
      doing = { what: 'wait' };
      start = { x: event.clientX, y: event.clientY };
      speed = { x: 0, y: 0 };
    } else doing = { what: 'none' };
    last = { x: event.clientX, y: event.clientY, at: event.timeStamp };
  });
  const spread = (): number => { const [a, b] = [...fingers.values()]; return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 1; };
  const middle = (): Point => { const [a, b] = [...fingers.values()]; return a && b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : { x: 0, y: 0 }; };

  addEventListener('pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (doing.what === 'pinch') {
      const [now, at] = [spread(), middle()];
      x += at.x - start.x;
      y += at.y - start.y;
      scaleTo((scale * now) / gap, fromMiddle(at));
      [gap, start] = [now, at];
      draw();
      return;
    }
    const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
    if (doing.what === 'wait' && Math.hypot(dx, dy) > SLOP_PX) {
      doing = { what: scale > 1 ? 'pan' : event.pointerType === 'mouse' ? 'none' : Math.abs(dx) > Math.abs(dy) ? 'turn' : dy > 0 ? 'close' : 'none' };
      layer.setPointerCapture(event.pointerId);
    }
    const passed = Math.max(1, event.timeStamp - last.at);
    speed = { x: 0.6 * speed.x + (0.4 * (event.clientX - last.x)) / passed, y: 0.6 * speed.y + (0.4 * (event.clientY - last.y)) / passed };
    if (doing.what === 'pan') {
      x += event.clientX - last.x;
      y += event.clientY - last.y;
      hold();
      draw();
    } else if (doing.what === 'turn') pullTurn(dx);
    else if (doing.what === 'close') pullClose(dy);
    last = { x: event.clientX, y: event.clientY, at: event.timeStamp };
  });

  const pullTurn = (dx: number): void => {
    const stage = picture();
    if (!stage) return;
    const link = host.beside(dx > 0 ? 'newer' : 'older');
    // At an end it gives way a little.
    const way = link ? dx : dx / 4;
    const side = dx > 0 ? -1 : 1;
    if (link && peek?.dataset['of'] !== link.getAttribute('href')) {
      dropPeek();
      peek = drawPicture(link);
      peek.classList.add('peek');
      peek.dataset['of'] = link.getAttribute('href') ?? '';
      stage.after(peek);
    }
    stage.style.transform = `translateX(${way}px)`;
    if (peek) peek.style.transform = `translateX(${way + side * (stage.clientWidth + GAP_PX)}px)`;
  };
  const endTurn = (dx: number, cancelled: boolean): void => {
    const stage = picture();
    if (!stage) return;
    const way = dx > 0 ? 'newer' : 'older';
    const goes = !cancelled && host.beside(way) !== null && (Math.abs(dx) > TURN_PX || speed.x * Math.sign(dx) > FLICK_PX_PER_MS);
    const to = goes ? Math.sign(dx) * (stage.clientWidth + GAP_PX) : 0;
    const gone = peek;
    for (const element of [stage, peek]) element?.classList.add('eases');
    stage.style.transform = to === 0 ? '' : `translateX(${to}px)`;
    if (gone) gone.style.transform = `translateX(${goes ? 0 : -Math.sign(dx) * (stage.clientWidth + GAP_PX)}px)`;
    void Promise.allSettled(stage.getAnimations().map((animation) => animation.finished)).then(() => {
      stage.classList.remove('eases');
      if (peek === gone) dropPeek(); else gone?.remove();
      if (goes && stage.isConnected) host.turn(way);
    });
  };
  const pullClose = (dy: number): void => {
    [x, y, scale] = [0, Math.max(0, dy), 1];
    const element = box();
    if (!element) return;
    element.style.transform = `translateY(${y}px) scale(${1 - Math.min(0.25, y / 1600)})`;
    element.classList.remove('eases');
    layer.style.setProperty('--solid', String(Math.max(0.35, 1 - y / 420).toFixed(3)));
  };
  const endClose = (cancelled: boolean): void => {
    const goes = !cancelled && (y > CLOSE_PX || speed.y > FLICK_PX_PER_MS);
    layer.style.removeProperty('--solid');
    if (goes) { host.leave(); return; }
    y = 0;
    draw(true);
  };
  const endPan = (): void => {
    x += speed.x * GLIDE_MS;
    y += speed.y * GLIDE_MS;
    hold();
    draw(true);
  };
  const endTap = (event: PointerEvent): void => {
    if (event.pointerType === 'mouse') return;
    const at = { x: event.clientX, y: event.clientY, at: event.timeStamp };
    if (tapped && at.at - tapped.at < DOUBLE_MS && Math.hypot(at.x - tapped.x, at.y - tapped.y) < DOUBLE_PX) {
      clearTimeout(tapTimer);
      toggle(fromMiddle(at));
      return;
    }
    tapped = at;
    // Long enough after for a browser that also says a double click.
    tapTimer = setTimeout(() => { tapped = null; host.tap(); }, DOUBLE_MS);
  };

  const end = (event: PointerEvent): void => {
    if (!fingers.delete(event.pointerId)) return;
    const cancelled = event.type === 'pointercancel';
    const { what } = doing;
    // The finger that stays pans on.
    if (what === 'pinch' && fingers.size === 1) {
      const left = [...fingers.values()][0] ?? start;
      doing = { what: scale > 1.01 ? 'pan' : 'none' };
      last = { ...left, at: event.timeStamp };
      speed = { x: 0, y: 0 };
      hold();
      draw(true);
      return;
    }
    if (fingers.size > 0) return;
    doing = { what: 'none' };
    if (what === 'turn') endTurn(event.clientX - start.x, cancelled);
    else if (what === 'close') endClose(cancelled);
    else if (what === 'pan') endPan();
    else if (what === 'wait' && !cancelled) endTap(event);
  };
  addEventListener('pointerup', end);
  addEventListener('pointercancel', end);
  addEventListener('resize', () => { if (scale > 1) { reset(); draw(); } });

  return {
    by: (key) => {
      if (!canZoom()) return;
      scaleTo(key === '0' ? 1 : key === '+' ? scale * KEY_FACTOR : scale / KEY_FACTOR, { x: 0, y: 0 });
      hold();
      draw(true);
    },
    reset,
    isZoomed: () => scale > 1.01,
  };
}
