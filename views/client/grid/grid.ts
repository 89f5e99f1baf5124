// Starts the grid of a page, whichever it is: timeline, search, place, album. There is one module for all of them.
import { startDensity } from './density.ts';
import { GridCore } from './core.ts';
import { keepPlace, keptPlace } from './place.ts';
import { startNews } from './news.ts';
import { startScrubber } from './scrub.ts';
import { setGrid, tileHash } from './view.ts';
import { startWalk } from './walk.ts';

export function startGrid(): void {
  const waiting = document.querySelector('[data-waiting]');
  if (waiting) document.body.addEventListener('live-library', () => location.reload(), { once: true });
  const timeline = document.querySelector<HTMLElement>('#timeline');
  if (!timeline) return;
  let grid: GridCore | undefined;
  const current = () => grid;
  const scrubber = startScrubber(current);
  const density = startDensity(current);

  const line = document.createElement('p');
  line.className = 'grid-trouble';
  line.setAttribute('role', 'status');
  timeline.after(line);
  const trouble = (failing: boolean): void => { line.textContent = failing ? 'No connection: the rest follows by itself.' : ''; };

  const begin = (reuse: ReadonlyMap<string, HTMLElement>): void => {
    const element = timeline.querySelector<HTMLElement>('.grid');
    setGrid(undefined);
    grid = undefined;
    if (!element) return;
    history.scrollRestoration = 'manual';
    const opened = grid = new GridCore(element, reuse);
    setGrid(opened);
    opened.moved = scrubber;
    opened.troubled = trouble;
    opened.rested = () => keepPlace(opened);
    density();
    void openWhole(timeline, opened, element).catch(() => undefined).finally(() => {
      opened.failed = !opened.whole;
      timeline.classList.toggle('grid-paged', opened.failed);
      element.classList.remove('placing');
      scrubber();
    });
  };

  // The search puts in other results while one types: what stays is not drawn anew. A line that changes among them is none of the grid's.
  let reuse: ReadonlyMap<string, HTMLElement> = new Map();
  timeline.addEventListener('htmx:before:swap', (event) => { if (event.target === timeline) reuse = grid?.close() ?? new Map<string, HTMLElement>(); });
  timeline.addEventListener('htmx:after:swap', (event) => { if (event.target === timeline) begin(reuse); });

  addEventListener('pagehide', () => { if (grid) keepPlace(grid); });
  startWalk(current, (by) => density(by));
  startNews(current);
  begin(reuse);
}

/** Asks for the whole layout. What is to be seen is hidden until its place is known, where that is not the page's own beginning. */
async function openWhole(timeline: HTMLElement, grid: GridCore, element: HTMLElement): Promise<void> {
  const address = new URL(location.href);
  const kept = keptPlace(grid.of);
  const near = kept === undefined ? address.searchParams.get('near') ?? undefined : undefined;
  const midst = element.dataset['begin'] === 'midst';
  if (midst || near || kept) element.classList.add('placing');
  const begin = midst ? await locate(grid) : undefined;
  await grid.open(begin, (model) => {
    if (kept) return kept;
    const at = near === undefined ? undefined : grid.pieces.find(model, near);
    return at === undefined ? undefined : { index: at };
  });
  // The links of pages are for pages; only what is beyond the longest layout is still behind one.
  const total = Number(element.dataset['total'] ?? 0);
  const more = timeline.querySelector<HTMLAnchorElement>('.more-older a');
  if (more && total > grid.count) {
    const next = new URL(more.href);
    next.searchParams.set('from', String(grid.count));
    more.href = next.pathname + next.search;
    timeline.classList.add('grid-more');
  }
}

async function locate(grid: GridCore): Promise<{ group: number; offset: number } | undefined> {
  const sha = grid.first && tileHash(grid.first);
  if (!sha) return undefined;
  const at = await grid.locate(sha);
  if (at === null) throw new Error('it stands in this grid no more');
  return at;
}
