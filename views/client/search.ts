// The search box while one types: suggestions below it on every page, and on the search's own page results that follow. The last
// thing typed wins; what was asked before is let go. Without this file the box is a plain form.
import htmx from 'htmx.org';
import { isOtherDialogOpen, isPageKey } from './keys.ts';

const SUGGEST_AFTER_MS = 150;
const SEARCH_AFTER_MS = 250;
/** A hand-held keyboard covers half of the page: it goes when a search is meant. */
const TOUCH = matchMedia('(hover: none)');
const PARTIAL = { 'HX-Request': 'true', 'HX-Request-Type': 'partial' };

export function startSearch(): void {
  const form = document.querySelector<HTMLFormElement>('#search');
  const field = form?.querySelector<HTMLInputElement>('#q');
  const list = form?.querySelector<HTMLElement>('#suggest');
  if (!form || !field || !list) return;
  const results = form.hasAttribute('data-live') ? document.querySelector<HTMLElement>('#timeline') : null;
  const suggesting = createAsker(SUGGEST_AFTER_MS);
  const searching = createAsker(SEARCH_AFTER_MS);
  let active = -1;

  const options = () => [...list.querySelectorAll<HTMLElement>('[role="option"]')];
  const mark = (index: number): void => {
    active = index;
    for (const [i, option] of options().entries()) {
      option.setAttribute('aria-selected', String(i === index));
      if (i === index) option.scrollIntoView({ block: 'nearest' });
    }
    const id = options()[index]?.id;
    if (id) field.setAttribute('aria-activedescendant', id);
    else field.removeAttribute('aria-activedescendant');
  };
  const close = (): void => {
    suggesting.stop();
    list.hidden = true;
    field.setAttribute('aria-expanded', 'false');
    mark(-1);
  };
  const suggest = (afterMs?: number): void => suggesting.ask(`/search/suggest?q=${encodeURIComponent(field.value.toWellFormed())}`, (html) => {
    if (document.activeElement !== field) return;
    list.innerHTML = html;
    const any = options().length > 0;
    list.hidden = !any;
    field.setAttribute('aria-expanded', String(any));
    mark(-1);
  }, afterMs);

  const search = (afterMs?: number): void => {
    const address = addressOf(form);
    searching.ask(address, (html) => {
      if (!results) return;
      // Only what differs is put in: a picture that stays a result neither goes nor flashes.
      void htmx.swap({ sourceElement: results, target: results, swap: 'innerMorph', text: html }).then(() => scrollTo({ top: 0, behavior: 'instant' }));
      history.replaceState(history.state, '', address);
      const q = field.value.trim();
      document.title = `${q === '' ? '' : `${q.slice(0, 80)} · `}Search · Jharokha`;
    }, afterMs);
  };

  field.addEventListener('input', () => { suggest(); if (results) search(); });
  // The searches of before; the search's own page lists them itself.
  field.addEventListener('focus', () => { if (!results && list.hidden) suggest(0); });
  form.addEventListener('focusout', (event) => { if (!(event.relatedTarget instanceof Node && form.contains(event.relatedTarget))) close(); });
  // A press on the list leaves the focus, and with it the list, where it is.
  list.addEventListener('mousedown', (event) => event.preventDefault());

  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const count = options().length;
    if (event.key === 'Escape') { close(); field.blur(); }
    else if (event.key === 'ArrowDown' && list.hidden) suggest(0);
    else if (event.key === 'ArrowDown') mark(active + 1 >= count ? -1 : active + 1);
    else if (event.key === 'ArrowUp' && !list.hidden) mark(active < 0 ? count - 1 : active - 1);
    else if (event.key === 'Enter' && active >= 0) options()[active]?.click();
    else return;
    event.preventDefault();
  });

  form.addEventListener('submit', (event) => {
    close();
    if (!results) return;
    event.preventDefault();
    search(0);
    const q = field.value.trim();
    if (q !== '') void fetch('/search/history', { method: 'POST', body: new URLSearchParams({ q }), keepalive: true }).catch(() => undefined);
    if (TOUCH.matches) field.blur();
  });

  form.addEventListener('click', (event) => {
    if (!(event.target instanceof Element)) return;
    const forget = event.target.closest<HTMLElement>('[data-forget]');
    if (forget) {
      const one = forget.dataset['forget'] ?? '';
      void fetch('/search/forget', { method: 'POST', headers: PARTIAL, body: new URLSearchParams(one === '' ? {} : { text: one }) }).then(() => suggest(0), () => undefined);
      return;
    }
    if (event.target.closest('.search-clear')) {
      event.preventDefault();
      field.value = '';
      field.focus();
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
  });

  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || !isPageKey(event) || isOtherDialogOpen(null)) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}

/** The form's own address, without what is empty. */
function addressOf(form: HTMLFormElement): string {
  const pairs = [...new FormData(form)].flatMap(([key, value]) => (typeof value === 'string' && value.trim() !== '' ? [`${key}=${encodeURIComponent(value)}`] : []));
  return pairs.length === 0 ? '/search' : `/search?${pairs.join('&')}`;
}

/** Asks for fragments, one at a time: a newer question ends the older one, waiting or on its way. */
function createAsker(delayMs: number): { ask(address: string, show: (html: string) => void, afterMs?: number): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | null = null;
  const stop = (): void => { clearTimeout(timer); asking?.abort(); };
  return {
    stop,
    ask(address, show, afterMs = delayMs) {
      stop();
      timer = setTimeout(() => {
        const mine = new AbortController();
        asking = mine;
        // A line that broke leaves what is there; the next letter asks again.
        fetch(address, { headers: PARTIAL, signal: mine.signal }).then(async (answer) => {
          const html = await answer.text();
          if (!mine.signal.aborted && answer.ok) show(html);
        }).catch(() => undefined);
      }, afterMs);
    },
  };
}
