// A small dialog that asks for an album: one of those there are, or a new one.
import { listAlbums, makeAlbum, NotSaved, type Album } from './curation.ts';

/** The album that was chosen, made where it is new; undefined where none was. `held`: those that hold it already. */
export function pickAlbum(held: readonly number[] = []): Promise<{ album_id: number; title: string } | undefined> {
  return new Promise((resolve) => {
    let chosen: { album_id: number; title: string } | undefined;
    const dialog = document.createElement('dialog');
    dialog.className = 'sheet picker';
    dialog.setAttribute('aria-label', 'Add to an album');
    dialog.innerHTML = `<div class="sheet-head"><h2>Add to an album</h2><form method="dialog"><button class="icon-button" aria-label="Close"><svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M18 6 6 18M6 6l12 12"/></svg></button></form></div>
      <form class="picker-new"><input type="text" name="title" aria-label="Name of a new album" placeholder="New album" maxlength="200" autocomplete="off" dir="auto" enterkeyhint="done"><button class="button" type="submit">Make</button></form>
      <p class="picker-said small" role="status"></p><ul class="picker-list"></ul>`;
    const said = dialog.querySelector<HTMLElement>('.picker-said');
    const list = dialog.querySelector<HTMLElement>('.picker-list');
    const form = dialog.querySelector<HTMLFormElement>('.picker-new');
    const title = form?.querySelector('input');
    const tell = (text: string) => { if (said) said.textContent = text; };
    const done = (album: { album_id: number; title: string }) => { chosen = album; dialog.close(); };

    const fill = (albums: readonly Album[]) => {
      for (const album of albums) {
        const button = document.createElement('button');
        button.type = 'button';
        const name = document.createElement('bdi');
        name.textContent = album.title;
        const count = document.createElement('span');
        count.className = 'second num';
        const holds = held.includes(album.album_id);
        count.textContent = holds ? 'in it' : String(album.count);
        button.disabled = holds;
        button.append(name, count);
        button.addEventListener('click', () => done(album));
        const item = document.createElement('li');
        item.append(button);
        list?.append(item);
      }
      if (albums.length === 0) tell('There is no album yet: give the first one a name.');
    };
    form?.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = title?.value.trim() ?? '';
      if (name === '') { tell('Give it a name first.'); title?.focus(); return; }
      makeAlbum(name).then((album_id) => done({ album_id, title: name }), (error: unknown) => tell(error instanceof NotSaved ? error.message : 'That did not work.'));
    });
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener('close', () => { dialog.remove(); resolve(chosen); });
    document.body.append(dialog);
    dialog.showModal();
    // A smart album holds what its search finds: nothing is put into it.
    listAlbums().then((albums) => fill(albums.filter((album) => !album.smart)), (error: unknown) => tell(error instanceof NotSaved ? error.message : 'The albums could not be read.'));
  });
}
