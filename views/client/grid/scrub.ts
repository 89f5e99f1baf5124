// The scrubber at the right edge: years where they stand in the library, a mark at where the reader is, and a way to go
// anywhere by pointer, finger and key. On a phone a thumb that shows while one scrolls. Lands exactly where it points.
import { monthName, sayMonth } from '../../../protocol/day-words.ts';
import type { GridCore } from './core.ts';
import type { Model } from './model.ts';

/** Labels that stand closer would run into each other. */
const LABEL_PX = 22;
/** The thumb goes so long after the last movement. */
const THUMB_MS = 1_400;
/** A press that moved less is a click. */
const CLICK_PX = 4;
/** A grid shorter than this many screens needs no scrubber. */
const MIN_SCREENS = 3;

/** Returns what is called after every movement and change of the layout. */
export function startScrubber(current: () => GridCore | undefined): () => void {
  const years = document.querySelector<HTMLElement>('#years');
  const wide = matchMedia('(width >= 700px)');
  const scrub = document.createElement('div');
  scrub.className = 'scrub';
  scrub.hidden = true;
  scrub.tabIndex = 0;
  scrub.setAttribute('role', 'slider');
  scrub.setAttribute('aria-label', 'Place in the timeline');
  scrub.setAttribute('aria-orientation', 'vertical');
  scrub.setAttribute('aria-valuemin', '0');
  scrub.innerHTML = '<div class="scrub-years" aria-hidden="true"></div><div class="scrub-mark" aria-hidden="true"></div><div class="scrub-thumb" aria-hidden="true"></div><div class="scrub-label num" aria-hidden="true"></div>';
  const [list, mark, thumb, label] = [...scrub.children] as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  document.querySelector('#main')?.append(scrub);

  let drawn: Model | undefined;
  let height = 0;
  let dragging = false;
  let said = -1;
  let hide: ReturnType<typeof setTimeout> | undefined;
  const resized = new ResizeObserver(([entry]) => { height = entry?.contentRect.height ?? 0; drawn = undefined; follow(); });
  resized.observe(scrub);

  /** The share of the way that a group's title takes; the same scale for labels, mark and pointer. */
  const shareOf = (grid: GridCore, y: number) => (grid.lastY <= 0 ? 0 : Math.min(1, Math.max(0, y / grid.lastY)));
  const yAt = (grid: GridCore, clientY: number): number => {
    const box = scrub.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientY - box.top) / Math.max(1, box.height))) * grid.lastY;
  };
  /** At the very end the last month is what one came for, even where it is too short to reach the top. */
  const groupOf = (grid: GridCore, y: number) => (y >= grid.lastY - 1 && y > 0 ? grid.model.groups.length - 1 : grid.model.groupAt(y + grid.lead + 1));
  /** Months that share the last screen cannot all be at its top: what was gone to by key or click counts as long as nothing moves. */
  let chosen: { group: number; y: number } | undefined;
  const groupAt = (grid: GridCore, y: number) => (chosen && Math.abs(chosen.y - y) < 1 && chosen.group < grid.model.groups.length ? chosen.group : groupOf(grid, y));
  const goTo = (grid: GridCore, group: number): void => {
    chosen = undefined;
    grid.jumpToGroup(group);
    chosen = { group, y: grid.y };
    follow();
  };

  function follow(): void {
    const grid = current();
    const shown = grid !== undefined && grid.whole && grid.model.by !== 'none' && grid.model.height > MIN_SCREENS * grid.view;
    if (scrub.hidden === shown) scrub.hidden = !shown;
    if (!grid) return;
    const y = grid.y;
    const g = grid.count === 0 ? -1 : groupAt(grid, y);
    const key = grid.model.groups[g]?.key ?? -1;
    if (shown) {
      if (drawn !== grid.model && height > 0) { drawn = grid.model; said = -1; drawYears(grid); }
      const px = shareOf(grid, y) * height;
      mark.style.transform = thumb.style.transform = `translateY(${px}px)`;
      if (!wide.matches && y > 1) {
        scrub.classList.add('on');
        clearTimeout(hide);
        hide = setTimeout(() => { if (!dragging) scrub.classList.remove('on'); }, THUMB_MS);
      }
    }
    if (key === said) return;
    said = key;
    scrub.setAttribute('aria-valuemax', String(Math.max(0, grid.model.groups.length - 1)));
    scrub.setAttribute('aria-valuenow', String(Math.max(0, g)));
    scrub.setAttribute('aria-valuetext', key < 0 ? '' : sayMonth(key));
    markYear(years, list, key);
  }

  function drawYears(grid: GridCore): void {
    list.replaceChildren();
    let below = -Infinity;
    let year = NaN;
    for (const [g, group] of grid.model.groups.entries()) {
      const now = Math.floor(group.key / 100);
      if (now === year) continue;
      year = now;
      const px = shareOf(grid, g === 0 ? 0 : (grid.model.top[g] as number) - grid.lead) * height;
      if (px - below < LABEL_PX) continue;
      below = px;
      const entry = document.createElement('span');
      entry.className = 'scrub-year';
      entry.dataset['year'] = String(year);
      entry.dataset['label'] = entry.textContent = year === 0 ? 'No date' : String(year);
      entry.style.top = `${px}px`;
      list.append(entry);
    }
  }

  function point(grid: GridCore, clientY: number): void {
    const y = yAt(grid, clientY);
    const key = grid.model.groups[groupOf(grid, y)]?.key;
    label.textContent = key === undefined ? '' : sayMonth(key);
    label.style.transform = `translateY(${shareOf(grid, y) * height}px)`;
  }

  let startY = 0;
  let moved = false;
  let target: number | undefined;
  let queued = false;
  const go = (): void => {
    queued = false;
    const grid = current();
    if (grid && target !== undefined) grid.jump(target);
    target = undefined;
  };
  scrub.addEventListener('pointerdown', (event) => {
    const grid = current();
    if (!grid || event.button !== 0) return;
    event.preventDefault();
    scrub.focus({ preventScroll: true });
    scrub.setPointerCapture(event.pointerId);
    dragging = true;
    moved = false;
    startY = event.clientY;
    scrub.classList.add('on', 'held');
    point(grid, event.clientY);
  });
  scrub.addEventListener('pointermove', (event) => {
    const grid = current();
    if (!grid) return;
    point(grid, event.clientY);
    if (!dragging) return;
    moved ||= Math.abs(event.clientY - startY) >= CLICK_PX;
    if (!moved) return;
    target = yAt(grid, event.clientY);
    if (!queued) { queued = true; requestAnimationFrame(go); }
  });
  const end = (event: PointerEvent, done: boolean): void => {
    if (!dragging) return;
    dragging = false;
    scrub.classList.remove('on', 'held');
    const grid = current();
    if (!grid || !done) return;
    // A click on a year goes to where it begins; anywhere else to just there.
    const year = moved ? undefined : yearAt(list, event.clientX, event.clientY);
    const g = year === undefined ? -1 : grid.model.groups.findIndex((group) => Math.floor(group.key / 100) === year);
    if (g >= 0) goTo(grid, g);
    else grid.jump(yAt(grid, event.clientY));
  };
  scrub.addEventListener('pointerup', (event) => end(event, true));
  scrub.addEventListener('pointercancel', (event) => end(event, false));

  scrub.addEventListener('keydown', (event) => {
    const grid = current();
    if (!grid || event.ctrlKey || event.metaKey || event.altKey) return;
    const { groups } = grid.model;
    const now = groupAt(grid, grid.y);
    const year = Math.floor((groups[now]?.key ?? 0) / 100);
    const yearOf = (g: number) => Math.floor((groups[g]?.key ?? 0) / 100);
    let to: number;
    if (event.key === 'ArrowDown' || event.key === 'ArrowRight') to = now + 1;
    else if (event.key === 'ArrowUp' || event.key === 'ArrowLeft') to = now - 1;
    else if (event.key === 'Home') to = 0;
    else if (event.key === 'End') to = groups.length - 1;
    else if (event.key === 'PageDown') { to = now; while (to < groups.length - 1 && yearOf(to) === year) to++; }
    else if (event.key === 'PageUp') {
      // To the beginning of this year, or of the one before it.
      to = now;
      if (to > 0 && yearOf(to - 1) !== year) to--;
      const there = yearOf(to);
      while (to > 0 && yearOf(to - 1) === there) to--;
    } else return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === 'End') grid.jump(Infinity);
    else goTo(grid, Math.min(groups.length - 1, Math.max(0, to)));
    const key = groups[groupAt(grid, grid.y)]?.key;
    label.textContent = key === undefined ? '' : sayMonth(key);
    label.style.transform = `translateY(${shareOf(grid, grid.y) * height}px)`;
  });

  // The sheet of months (and the years of a page without a scrubber) go there on this page.
  years?.addEventListener('click', (event) => {
    const grid = current();
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || !grid?.whole || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const at = new URL(link.href).searchParams.get('at') ?? '';
    const month = at === 'none' ? 0 : Number(at.replace('-', '').padEnd(6, '9'));
    const g = grid.model.groups.findIndex((group) => group.key <= month);
    if (g < 0) return;
    event.preventDefault();
    if (years.matches(':popover-open')) years.hidePopover();
    goTo(grid, g);
  });
  return follow;
}

/** The year that is looked at, in the accent, with its month. */
function markYear(years: HTMLElement | null, list: HTMLElement, key: number): void {
  const year = Math.floor(key / 100);
  const text = key > 0 ? `${monthName(key % 100).slice(0, 3)} ${year}` : undefined;
  for (const entry of [...list.children, ...(years?.querySelectorAll('.year') ?? [])] as HTMLElement[]) {
    const from = Number(entry.dataset['year']);
    const here = year >= from && year <= Number(entry.dataset['until'] ?? from);
    if (here) entry.setAttribute('aria-current', 'true');
    else entry.removeAttribute('aria-current');
    const label = here && text ? text : entry.dataset['label'] ?? '';
    if (entry.textContent !== label) entry.textContent = label;
  }
}

function yearAt(list: HTMLElement, x: number, y: number): number | undefined {
  for (const entry of list.children as HTMLCollectionOf<HTMLElement>) {
    const box = entry.getBoundingClientRect();
    if (x >= box.left - 6 && x <= box.right + 6 && y >= box.top && y <= box.bottom) return Number(entry.dataset['year']);
  }
  return undefined;
}
