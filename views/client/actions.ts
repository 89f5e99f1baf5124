// What is done to the selected: shown at once, saved behind, said in one line with the way back; what could not be saved is
// taken back, and that is said too. The bar and its forms are views/select.tsx's.
import { readPosition, readShift, readWall, type Typed } from '../../protocol/typed.ts';
import { pickAlbum } from './album-picker.ts';
import { NotSaved, planOrder, planZip, sendChange, undoChange, type Change } from './curation.ts';
import { theGrid, tileHash } from './grid/view.ts';
import { areFavourites, setHearts, startHearts } from './hearts.ts';
import { isOtherDialogOpen, isPageKey } from './keys.ts';
import { downloadAll, MAX_DOWNLOADS, save } from './download.ts';
import { clearSelection, collectSelected, knownSelected, MAX_SELECTED, selectAgain, selectedCount, SELECTION_EVENT } from './select.ts';
import { say } from './toast.ts';

/** Hashes that one change takes (protocol/correction.ts, which would bring all of zod). */
const MAX_CHANGED = 20_000;
/** How it stands is looked at, and said aloud, once the hand rests. */
const REST_MS = 200;
/** Quicker than this is not worth saying. */
const BUSY_MS = 300;
const ARCHIVE = '/archive';
const FAVOURITES = '/favourites';
/** Grids that hold what is archived too. */
const HOLDS_ARCHIVED = /^\/(?:albums\/|favourites|search|similar|tags\/|volumes\/)/;

interface Act {
  change: Change;
  /** `Archiving`, `Archived`, `archive`: while it is done, after it, and in the line that says it was not. */
  words: { doing: string; done: (count: string) => string; not: string };
  /** It leaves this grid. */
  leaves?: boolean;
  /** The layout is another one afterwards. */
  moves?: boolean;
  /** The selection has served. */
  ends?: boolean;
}

let busy = false;
const showNumber = (n: number) => n.toLocaleString('en-GB');

export function startActions(): void {
  const bar = document.querySelector<HTMLElement>('#doing');
  if (!bar) return;
  startHearts();
  let timer: ReturnType<typeof setTimeout> | undefined;
  document.body.addEventListener(SELECTION_EVENT, () => {
    const count = selectedCount();
    bar.hidden = count === 0;
    if (count > 0 && !busy) showCount(bar);
    clearTimeout(timer);
    timer = setTimeout(() => settle(bar), REST_MS);
  });
  bar.addEventListener('click', (event) => {
    const what = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-do]')?.dataset['do'] : undefined;
    if (!what) return;
    document.querySelector<HTMLElement>('#doing-more:popover-open')?.hidePopover();
    void act(what);
  });
  placeMore(bar);
  const keys: Record<string, string> = { f: 'favourite', e: 'archive', a: 'album', d: 'download', Delete: 'trash' };
  document.addEventListener('keydown', (event) => {
    const what = keys[event.key];
    if (!what || !isPageKey(event) || isOtherDialogOpen(null) || !theGrid() || (selectedCount() === 0 && !focused())) return;
    event.preventDefault();
    void act(what);
  });
}

function showCount(bar: HTMLElement): void {
  const words = bar.querySelector('#doing-count');
  if (words) words.textContent = `${showNumber(selectedCount())} selected`;
}

/** What the buttons say depends on what is selected; the count is read out. */
function settle(bar: HTMLElement): void {
  const count = selectedCount();
  const said = document.querySelector('#doing-said');
  const text = count === 0 ? (said?.textContent ? 'Nothing is selected.' : '') : `${showNumber(count)} selected`;
  if (said && said.textContent !== text) said.textContent = text;
  const of = theGrid()?.of ?? '';
  name(bar, 'favourite', allFavourite() ? 'Unfavourite' : 'Favourite');
  name(bar, 'archive', of === ARCHIVE ? 'Unarchive' : 'Archive');
  for (const button of bar.querySelectorAll<HTMLElement>('[data-do="leave"]')) button.hidden = albumOf(of) === undefined;
}
function name(bar: HTMLElement, what: string, word: string): void {
  for (const button of bar.querySelectorAll(`[data-do="${what}"]`)) {
    const label = button.querySelector('.doing-word');
    if (label && label.textContent !== word) label.textContent = word;
  }
}
function allFavourite(): boolean {
  if (selectedCount() > MAX_SELECTED) return false;
  const known = knownSelected();
  return known.length === selectedCount() && areFavourites(known);
}
function albumOf(of: string): number | undefined {
  const id = /^\/albums\/(\d+)(?:\/(?:newest|own))?$/.exec(of)?.[1];
  return id === undefined ? undefined : Number(id);
}

/** The tile that has the keys, where nothing is selected. */
function focused(): string | undefined {
  const tile = document.activeElement;
  return tile instanceof HTMLAnchorElement && tile.matches('a.tile') && theGrid()?.element.contains(tile) ? tileHash(tile) : undefined;
}

async function act(what: string): Promise<void> {
  if (what === 'clear') { clearSelection(); return; }
  if (busy) return;
  const of = theGrid()?.of ?? '';
  const one = selectedCount() === 0 ? focused() : undefined;
  const hashes = one === undefined ? undefined : [one];
  const count = hashes ? 1 : selectedCount();
  if (count === 0) return;
  if (count > MAX_SELECTED) { say(`At most ${showNumber(MAX_SELECTED)} at once: select fewer.`); return; }
  if (what === 'favourite') {
    const on = !(hashes ? areFavourites(hashes) : allFavourite());
    await apply(hashes, { change: { favourite: on }, leaves: !on && of === FAVOURITES, words: on
      ? { doing: 'Saving', done: (n) => `${n} made ${n === '1' ? 'a favourite' : 'favourites'}.`, not: 'make favourites of' } : { doing: 'Saving', done: (n) => `${n} no longer ${n === '1' ? 'a favourite' : 'favourites'}.`, not: 'take out of the favourites' } });
  } else if (what === 'archive') {
    const on = of !== ARCHIVE;
    await apply(hashes, { change: { archived: on }, leaves: !on || !HOLDS_ARCHIVED.test(of), moves: true, ends: true, words: on
      ? { doing: 'Archiving', done: (n) => `Archived ${n}.`, not: 'archive' } : { doing: 'Bringing back', done: (n) => `${n} back in the timeline.`, not: 'bring back' } });
  } else if (what === 'album') {
    const album = await pickAlbum();
    if (album) await apply(hashes, { change: { albums_add: [album.album_id] }, ends: true, words: { doing: 'Adding', done: (n) => `Added ${n} to ‘${album.title}’.`, not: 'add' } });
  } else if (what === 'leave') {
    const album = albumOf(of);
    if (album !== undefined) await apply(hashes, { change: { albums_remove: [album] }, leaves: true, moves: true, ends: true, words: { doing: 'Removing', done: (n) => `Removed ${n} from this album.`, not: 'remove' } });
  } else if (what === 'time' || what === 'place') {
    const change = await askForm(what, count);
    if (change) await apply(hashes, { change, moves: true, ends: true, words: { doing: 'Saving', done: (n) => `${what === 'time' ? 'Time' : 'Place'} of ${n} corrected.`, not: `correct the ${what} of` } });
  } else if (what === 'trash' || what === 'export' || what === 'copy') {
    // A page of its own says what would be done, on which drives, and asks.
    await run('Looking up', count, async () => {
      try { location.assign(await planOrder(what, hashes ?? await collectSelected())); } catch (error) { say(sayWhy(error)); }
    });
  } else if (what === 'download') {
    await run('Looking up', count, async () => {
      try {
        const all = hashes ?? await collectSelected();
        const { address, said } = await planZip(all);
        if (address) save(address);
        // With every drive away: what is kept here.
        else if (count <= MAX_DOWNLOADS) {
          const missing = await downloadAll(all);
          say(`${missing > 0 ? `${showNumber(missing)} could not be downloaded: there is no preview yet, or Jharokha cannot be reached.` : 'Only previews were downloaded.'} ${said ?? ''}`);
          return;
        }
        if (said) say(said);
      } catch (error) { say(sayWhy(error)); }
    });
  }
}

/** Nothing else is begun meanwhile; what takes its time says so in the bar. */
async function run(words: string, count: number, work: () => Promise<void>): Promise<void> {
  const bar = document.querySelector<HTMLElement>('#doing');
  busy = true;
  const timer = setTimeout(() => {
    const said = bar?.querySelector('#doing-count');
    if (said) said.textContent = `${words} ${showNumber(count)}…`;
    bar?.setAttribute('aria-busy', 'true');
  }, BUSY_MS);
  try { await work(); } finally {
    clearTimeout(timer);
    busy = false;
    bar?.removeAttribute('aria-busy');
    if (bar) showCount(bar);
  }
}

async function apply(given: readonly string[] | undefined, { change, words, leaves, moves, ends }: Act): Promise<void> {
  await run(words.doing, given?.length ?? selectedCount(), async () => {
    let hashes: readonly string[];
    try { hashes = given ?? await collectSelected(); } catch { say('Nothing was done: Jharokha cannot be reached to say which are selected.'); return; }
    const n = showNumber(hashes.length);
    const grid = theGrid();
    const takeBack = change.favourite === undefined ? undefined : setHearts(hashes, change.favourite === true);
    if (leaves) grid?.drop(new Set(hashes));
    if (ends || leaves) clearSelection();

    const edits: number[] = [];
    try {
      for (let i = 0; i < hashes.length; i += MAX_CHANGED) {
        const edit = await sendChange(hashes.slice(i, i + MAX_CHANGED), change);
        if (edit !== null) edits.push(edit);
      }
    } catch (error) {
      const left = await undoAll(edits).then(() => false, () => true);
      takeBack?.();
      if (leaves) await grid?.refresh().catch(() => undefined);
      if (!given && (ends || leaves)) selectAgain(hashes);
      say(left ? `Only a part of ${n} was saved: ${sayWhy(error)} The rest can be done again.` : `Could not ${words.not} ${n}: ${sayWhy(error)}`);
      return;
    }
    if (moves || leaves) await grid?.refresh().catch(() => undefined);
    if (edits.length === 0) { say(hashes.length === 1 ? 'It was so already.' : 'They were so already.'); return; }
    const undo = async (): Promise<void> => {
      takeBack?.();
      const wrong = await undoAll(edits).then(() => undefined, sayWhy);
      if (wrong !== undefined && takeBack) setHearts(hashes, change.favourite === true);
      if (moves || leaves) await grid?.refresh().catch(() => undefined);
      if (wrong === undefined) say('Undone.'); else say(`Not undone: ${wrong}`, undo);
    };
    say(words.done(n), undo);
  });
}

/** The last first; what was undone is not undone again by another try. */
async function undoAll(edits: number[]): Promise<void> {
  for (let edit = edits.at(-1); edit !== undefined; edit = edits.at(-1)) {
    await undoChange(edit);
    edits.pop();
  }
}

function sayWhy(error: unknown): string {
  return error instanceof NotSaved ? error.message : 'That did not work.';
}

/** Asks with a form; undefined where it was left. */
function askForm(what: 'time' | 'place', count: number): Promise<Change | undefined> {
  const copy = document.querySelector<HTMLTemplateElement>(`#doing-${what}`)?.content.cloneNode(true);
  const dialog = copy instanceof DocumentFragment ? copy.querySelector('dialog') : null;
  const form = dialog?.querySelector<HTMLFormElement>('.form');
  if (!dialog || !form) return Promise.resolve(undefined);
  const wrong = dialog.querySelector('.doing-wrong');
  const title = dialog.querySelector('.doing-for');
  if (title) title.textContent = count === 1 ? 'Of 1 that is selected. It can be undone.' : `Of all ${showNumber(count)} that are selected. It can be undone.`;
  return new Promise((resolve) => {
    let change: Change | undefined;
    form.addEventListener('submit', (event) => {
      const read = what === 'time' ? readTime(form) : readPlace(form, event.submitter);
      if (read.ok) { change = read.value; return; }
      event.preventDefault();
      if (wrong) wrong.textContent = read.wrong;
    });
    // Who types into one of the two ways means it.
    form.addEventListener('input', (event) => {
      const part = event.target instanceof Element ? event.target.closest('.doing-fields') : null;
      const radio = part && form.querySelector<HTMLInputElement>(`[name="how"][value="${part.classList.contains('doing-set') ? 'set' : 'move'}"]`);
      if (radio) radio.checked = true;
    });
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener('close', () => { dialog.remove(); resolve(change); });
    document.body.append(dialog);
    dialog.showModal();
    form.querySelector<HTMLElement>('input[type="text"]')?.focus();
  });
}

function field(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === 'string' ? value : '';
}

function readTime(form: HTMLFormElement): Typed<Change> {
  if (field(form, 'how') === 'set') {
    const wall = readWall(field(form, 'date'), field(form, 'time'));
    return wall.ok ? { ok: true, value: { taken_at: wall.value } } : wall;
  }
  const days = field(form, 'days').trim();
  const hours = field(form, 'hours').trim();
  if (!/^\d{0,5}$/.test(days) || !/^\d{0,6}$/.test(hours)) return { ok: false, wrong: 'Days, hours and minutes are whole numbers.' };
  const shift = readShift(String(Number(days) * 24 + Number(hours)), field(form, 'minutes'), field(form, 'sign'));
  return shift.ok ? { ok: true, value: { move_s: shift.value } } : shift;
}

function readPlace(form: HTMLFormElement, button: HTMLElement | null): Typed<Change> {
  if (button instanceof HTMLButtonElement && button.value === 'none') return { ok: true, value: { position: 'none' } };
  const position = readPosition(field(form, 'position'));
  return position.ok ? { ok: true, value: { position: position.value } } : position;
}

/** The menu stands over its button. */
function placeMore(bar: HTMLElement): void {
  const menu = bar.querySelector<HTMLElement>('#doing-more');
  menu?.addEventListener('beforetoggle', () => {
    const box = bar.querySelector('[popovertarget="doing-more"]')?.getBoundingClientRect();
    if (!box) return;
    menu.style.right = `${Math.max(8, innerWidth - box.right - 8)}px`;
    menu.style.bottom = `${innerHeight - box.top + 12}px`;
  });
}
