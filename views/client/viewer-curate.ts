// What the owner does to the one in the viewer: favourite, archive, stars, tags, albums. Shown at once, saved behind, with the way back.
import htmx from 'htmx.org';
import { pickAlbum } from './album-picker.ts';
import { NotSaved, sendChange, undoChange, type Change } from './curation.ts';
import { setHearts } from './hearts.ts';
import { say } from './toast.ts';

export interface CurateHost {
  layer: HTMLElement;
  /** Something of what is shown was changed; `moves`: the grid behind may show it elsewhere, or no longer. */
  changed(moves: boolean): void;
}
export interface Curate { mark(field: 'favourite' | 'archived'): void; press(control: HTMLElement): boolean; addAlbum(): void }

const MARKS = {
  favourite: { on: 'Added to favourites.', off: 'Taken out of favourites.' },
  archived: { on: 'In the archive: kept, and not in the timeline.', off: 'Back in the timeline.' },
} as const;

export function startCurate(host: CurateHost): Curate {
  const { layer } = host;
  const body = () => layer.querySelector<HTMLElement>('.viewer-body[data-sha256]:not(.viewer-draft)');
  const shownNow = () => body()?.dataset['sha256'];

  /** Shows it, saves it, and says so; what could not be saved is taken back. */
  const change = async (sha256: string, what: Change, words: string, show: (on: boolean) => void): Promise<void> => {
    const moves = what.archived !== undefined;
    show(true);
    try {
      const edit = await sendChange([sha256], what);
      host.changed(moves);
      await refresh(sha256);
      say(words, edit === null ? undefined : async () => {
        show(false);
        try { await undoChange(edit); say('Undone.'); } catch (error) { show(true); say(sayWhy(error)); }
        host.changed(moves);
        await refresh(sha256);
      });
    } catch (error) {
      show(false);
      say(sayWhy(error));
    }
  };
  /** The panel as it now is, unless a form is open in it. */
  const refresh = async (sha256: string): Promise<void> => {
    const facts = layer.querySelector<HTMLElement>('.facts');
    if (!facts || shownNow() !== sha256 || facts.querySelector('.correct')) return;
    const inside = body()?.dataset['in'];
    // An address of the panel alone: there is no form of that name.
    await htmx.ajax('GET', `/a/${sha256}/edit/none${inside ? `?in=${encodeURIComponent(inside)}` : ''}`, { source: facts, target: facts, swap: 'innerMorph' });
  };

  const mark = (field: 'favourite' | 'archived'): void => {
    const sha256 = shownNow();
    const button = layer.querySelector<HTMLElement>(`[data-viewer="${field}"]`);
    if (!sha256 || !button) return;
    const on = button.getAttribute('aria-pressed') !== 'true';
    const tile = document.getElementById(body()?.dataset['tile'] ?? '');
    const stands = body()?.dataset['stands'] ?? sha256;
    void change(sha256, { [field]: on }, on ? MARKS[field].on : MARKS[field].off, (done) => {
      const now = done === on;
      if (shownNow() === sha256) layer.querySelector(`[data-viewer="${field}"]`)?.setAttribute('aria-pressed', String(now));
      if (field === 'archived') tile?.classList.toggle('tile-leaving', now);
      // A member's heart is its own, and not that of what it is shown under.
      else if (stands === sha256) setHearts([sha256], now);
    });
  };
  const rate = (button: HTMLElement): void => {
    const sha256 = shownNow();
    if (!sha256) return;
    const stars = button.getAttribute('aria-pressed') === 'true' ? 0 : Number(button.getAttribute('value'));
    const before = Number(layer.querySelector('.star[aria-pressed="true"]')?.getAttribute('value') ?? 0);
    void change(sha256, { rating: stars }, stars === 0 ? 'No stars.' : stars === 1 ? 'One star.' : `${stars} stars.`, (done) => { if (shownNow() === sha256) showStars(layer, done ? stars : before); });
  };
  const tag = (name: string, add: boolean): void => {
    const sha256 = shownNow();
    if (!sha256 || name === '') return;
    void change(sha256, add ? { tags_add: [name] } : { tags_remove: [name] }, add ? 'Tag added.' : 'Tag taken away.', () => undefined);
  };
  const addAlbum = (): void => {
    const sha256 = shownNow();
    if (!sha256) return;
    const held = [...layer.querySelectorAll('[data-viewer="unalbum"]')].map((each) => Number(each.getAttribute('value')));
    void pickAlbum(held).then((album) => { if (album) void change(sha256, { albums_add: [album.album_id] }, `Added to ‘${album.title}’.`, () => undefined); });
  };
  const takeOut = (button: HTMLElement): void => {
    const sha256 = shownNow();
    if (!sha256) return;
    void change(sha256, { albums_remove: [Number(button.getAttribute('value'))] }, `Taken out of ‘${button.dataset['name'] ?? ''}’.`, (done) => button.closest('dd')?.toggleAttribute('hidden', done));
  };

  layer.addEventListener('submit', (event) => {
    if (!(event.target instanceof HTMLFormElement) || !event.target.matches('.tag-form')) return;
    event.preventDefault();
    const field = event.target.querySelector('input');
    const name = field?.value.trim() ?? '';
    if (field) field.value = '';
    tag(name, true);
  });

  return {
    mark, addAlbum,
    press: (control) => {
      const what = control.dataset['viewer'];
      if (what === 'favourite' || what === 'archived') mark(what);
      else if (what === 'rate') rate(control);
      else if (what === 'untag') tag(control.getAttribute('value') ?? '', false);
      else if (what === 'album') addAlbum();
      else if (what === 'unalbum') takeOut(control);
      else return false;
      return true;
    },
  };
}

function showStars(layer: HTMLElement, stars: number): void {
  for (const star of layer.querySelectorAll('.star')) {
    const n = Number(star.getAttribute('value'));
    star.classList.toggle('star-on', n <= stars);
    star.setAttribute('aria-pressed', String(n === stars));
  }
}

function sayWhy(error: unknown): string {
  return `That was not saved. ${error instanceof NotSaved ? error.message : 'Something went wrong.'}`;
}
