// Keeps `/live` open while the page is seen, and turns its news into events that fragments wait for.
import type { LiveEvent } from '../../protocol/link.ts';

// Types only: the module itself brings all of zod. A name that is added there and not here fails to compile.
const LIVE_EVENTS = Object.keys({ presence: 0, status: 0, library: 0, problems: 0, orders: 0 } satisfies Record<LiveEvent, number>);

/** A browser opens six connections to one host: hidden pages must not hold any of them. */
export function startLive(): void {
  let source: EventSource | null = null;
  let closed = false;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource('/live');
    for (const name of LIVE_EVENTS) source.addEventListener(name, () => tell(name));
    // What happened between the page's making and now is unknown, so the small things are asked anew, and all of it by a
    // page that was hidden. After a broken line the server does the same by itself.
    const missed = closed ? LIVE_EVENTS : ['presence', 'status'];
    // From here on nothing is missed: a test that makes news waits for it.
    source.addEventListener('open', () => { document.documentElement.dataset['live'] = 'open'; for (const name of [...missed, 'open']) tell(name); }, { once: true });
  };
  const close = () => {
    if (!source) return;
    source.close();
    source = null;
    closed = true;
    delete document.documentElement.dataset['live'];
  };
  document.addEventListener('visibilitychange', () => { if (document.hidden) close(); else open(); });
  addEventListener('pagehide', close);
  addEventListener('pageshow', open);
  open();
}

function tell(name: string): void {
  document.body.dispatchEvent(new CustomEvent(`live-${name}`));
}
