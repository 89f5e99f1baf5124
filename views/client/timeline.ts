// The timeline's own doing: joins pieces where they meet, keeps the reader's place, marks the year, shows what is new.
import htmx from 'htmx.org';

/** Within this of the top the reader looks at the newest, and new photos may appear by themselves. */
const AT_TOP_PX = 80;
/** A pointer that moved this recently is about to do something: nothing moves under it. */
const POINTER_RESTS_MS = 1_500;
/** News come in bursts while a drive is read. */
const REFRESH_EVERY_MS = 3_000;

export function startTimeline(): void {
  const waiting = document.querySelector('[data-waiting]');
  if (waiting) document.body.addEventListener('live-library', () => location.reload(), { once: true });
  const timeline = document.querySelector<HTMLElement>('#timeline');
  if (!timeline) return;
  keepPlace(timeline);
  followYears(timeline);
  // Places and albums are grids of their own: they have no news and no newest page.
  const grid = timeline.hasAttribute('data-grid');
  if (!grid) showFresh(timeline);
  closeYearsAfterJump();
  // A page that begins in the midst shows what was asked for, not the link to what is before it.
  const newer = timeline.querySelector<HTMLElement>('.more-newer');
  if (newer && !location.hash) scrollBy(0, newer.offsetHeight);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Home' && !grid && !timeline.hasAttribute('data-first') && event.target === document.body) { event.preventDefault(); location.assign('/'); }
  });
}

/** A piece that is put in above must not push away what is being looked at. */
function keepPlace(timeline: HTMLElement): void {
  let anchor: Element | null = null;
  let top = 0;
  timeline.addEventListener('htmx:before:swap', () => {
    anchor = firstSeen(timeline);
    top = anchor?.getBoundingClientRect().top ?? 0;
  });
  timeline.addEventListener('htmx:after:swap', () => {
    joinPieces(timeline);
    const moved = anchor?.isConnected ? anchor.getBoundingClientRect().top - top : 0;
    if (Math.abs(moved) > 0.5) scrollBy({ top: moved, behavior: 'instant' });
    anchor = null;
  });
}

function firstSeen(timeline: HTMLElement): Element | null {
  for (const tile of timeline.querySelectorAll('.tile')) if (tile.getBoundingClientRect().bottom > 0) return tile;
  return null;
}

/** Where two pieces meet, a month has two titles and a day two rows: they become one. */
function joinPieces(timeline: HTMLElement): void {
  const seen = new Map<string, HTMLElement>();
  let month: string | undefined;
  // A list that stands still: `children` would move under the loop as parts are joined.
  for (const part of timeline.querySelectorAll<HTMLElement>(':scope > *')) {
    if (part.matches('.month-title')) {
      if (part.dataset['month'] === month) part.remove();
      month = part.dataset['month'];
    } else if (part.matches('.day')) {
      const day = part.dataset['day'] ?? '';
      const before = seen.get(day);
      if (before && before === part.previousElementSibling) {
        before.querySelector('.row')?.append(...(part.querySelector('.row')?.children ?? []));
        part.remove();
      } else seen.set(day, part);
    }
  }
}

/** The year that is looked at, in the accent. */
function followYears(timeline: HTMLElement): void {
  const years = [...document.querySelectorAll<HTMLElement>('.year')];
  if (years.length === 0) return;
  let queued = false;
  const follow = () => {
    queued = false;
    let month = '';
    let name = '';
    for (const title of timeline.querySelectorAll<HTMLElement>('.month-title')) {
      if (title.getBoundingClientRect().top > innerHeight * 0.4 && month !== '') break;
      month = title.dataset['month'] ?? '';
      name = title.textContent ?? '';
    }
    // At the very end the last month is what one came for, even where it is too short to reach the top.
    const last = [...timeline.querySelectorAll<HTMLElement>('.month-title')].at(-1);
    if (last && !timeline.querySelector('.more-older') && scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2) {
      month = last.dataset['month'] ?? '';
      name = last.textContent ?? '';
    }
    const year = Math.floor(Number(month) / 100);
    for (const entry of years) {
      const here = year >= Number(entry.dataset['year']) && year <= Number(entry.dataset['until']);
      if (here) entry.setAttribute('aria-current', 'true');
      else entry.removeAttribute('aria-current');
      // A label of its own length: the entry stays where it is, whatever it says.
      const label = here && year > 0 ? `${name.slice(0, 3)} ${year}` : entry.dataset['label'] ?? '';
      if (entry.textContent !== label) entry.textContent = label;
    }
  };
  addEventListener('scroll', () => { if (!queued) { queued = true; requestAnimationFrame(follow); } }, { passive: true });
  timeline.addEventListener('htmx:after:swap', follow);
  follow();
}

function showFresh(timeline: HTMLElement): void {
  const fresh = document.querySelector<HTMLElement>('#fresh');
  let pointerMs = 0;
  let last = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  addEventListener('pointermove', () => { pointerMs = Date.now(); }, { passive: true });
  const refresh = () => {
    timer = undefined;
    last = Date.now();
    const calm = Date.now() - pointerMs > POINTER_RESTS_MS && !document.querySelector('dialog[open]') && !timeline.contains(document.activeElement);
    if (timeline.hasAttribute('data-first') && scrollY < AT_TOP_PX && calm) void htmx.ajax('GET', '/', { source: timeline, target: timeline, swap: 'innerMorph' });
    else if (fresh) fresh.hidden = false;
  };
  document.body.addEventListener('live-library', () => { timer ??= setTimeout(refresh, Math.max(0, last + REFRESH_EVERY_MS - Date.now())); });
}

/** The sheet of months on a phone closes when the same page is jumped within. */
function closeYearsAfterJump(): void {
  const years = document.querySelector<HTMLElement>('#years');
  years?.addEventListener('click', (event) => { if (event.target instanceof HTMLAnchorElement && years.matches(':popover-open')) years.hidePopover(); });
}
