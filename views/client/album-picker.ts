// A small dialog that asks for an album: one of those there are, or a new one.
import { listAlbums, makeAlbum, NotSaved, type Album } from './curation.ts';

/** Albums in the list at once; the rest is found by typing. */
const MAX_SHOWN = 60;

/** As one looks for it: whatever the case and the accents. */
function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim();
}

/** The album that was chosen, made where it is new; undefined where none was. `held`: those that hold it already. */
export function pickAlbum(held: readonly number[] = []): Promise<{ album_id: number; title: string } | undefined> {
  return new Promise((resolve) => {
    let chosen: { album_id: number; title: string } | undefined;
    const dialog = document.createElement('dialog');
    dialog.className = 'sheet picker';
    dialog.setAttribute('aria-label', 'Add to an album');
    dialog.innerHTML = `<div class="sheet-head"><h2>Add to an album</h2><form method="dialog"><button class="icon-button" aria-label="Close"><svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M18 6 6 18M6 6l12 12"/></svg></button></form></div>
      <form class="picker-new"><input type="text" name="title" aria-label="Find an album, or name a new one" placeholder="Find one, or name a new one" maxlength="200" autocomplete="off" dir="auto" enterkeyhint="done"><button class="button" type="submit">New album</button></form>
      <p class="picker-said small" role="status"></p><ul class="picker-list"></ul>`;
    const said = dialog.querySelector<HTMLElement>('.picker-said');
    const list = dialog.querySelector<HTMLElement>('.picker-list');
    const form = dialog.querySelector<HTMLFormElement>('.picker-new');
    const title = form?.querySelector('input');
    let albums: Album[] | undefined;
    const tell = (text: string) => { if (said) said.textContent = text; };
    const done = (album: { album_id: number; title: string }) => { chosen = album; dialog.close(); };

    const fill = () => {
      if (!albums) return;
      const wanted = fold(title?.value ?? '');
      const found = albums.filter((album) => fold(album.title).includes(wanted));
      list?.replaceChildren(...found.slice(0, MAX_SHOWN).map((album) => {
        const button = document.createElement('button');
        button.type = 'button';
        const name = document.createElement('bdi');
        name.textContent = album.title;
        const count = document.createElement('span');
        count.className = 'second num';
        const holds = held.includes(album.album_id);
        count.textContent = holds ? 'in it' : album.count.toLocaleString('en-GB');
        button.disabled = holds;
        button.append(name, count);
        button.addEventListener('click', () => done(album));
        const item = document.createElement('li');
        item.append(button);
        return item;
      }));
      const more = found.length - MAX_SHOWN;
      if (albums.length === 0) tell('There is no album yet: give the first one a name.');
      else if (found.length === 0) tell('None of that name: Enter makes it.');
      else tell(more > 0 ? `${more.toLocaleString('en-GB')} more: type to find one.` : '');
    };
    title?.addEventListener('input', fill);
    form?.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = title?.value.trim() ?? '';
      if (name === '') { tell('Give it a name first.'); title?.focus(); return; }
      // Two albums of one name would be told apart by nobody.
      const same = albums?.find((album) => fold(album.title) === fold(name) && !held.includes(album.album_id));
      if (same) { done(same); return; }
      makeAlbum(name).then((album_id) => done({ album_id, title: name }), (error: unknown) => tell(error instanceof NotSaved ? error.message : 'That did not work.'));
    });
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener('close', () => { dialog.remove(); resolve(chosen); });
    // Inside the viewer it is as dark as that.
    (document.querySelector('dialog.viewer[open], main.viewer') ?? document.body).append(dialog);
    dialog.showModal();
    // On a touch screen the keyboard would cover the list.
    if (matchMedia('(hover: hover)').matches) title?.focus();
    // A smart album holds what its search finds: nothing is put into it.
    listAlbums().then((all) => { albums = all.filter((album) => !album.smart); fill(); }, (error: unknown) => tell(error instanceof NotSaved ? error.message : 'The albums could not be read.'));
  });
}
