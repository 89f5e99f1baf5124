// `?` opens the list of keys.
import { isOtherDialogOpen, isPageKey } from './keys.ts';

export function startHelp(): void {
  const help = document.querySelector<HTMLDialogElement>('#help');
  if (!help) return;
  document.addEventListener('keydown', (event) => {
    if (event.key !== '?' || !isPageKey(event) || isOtherDialogOpen(help)) return;
    event.preventDefault();
    if (help.open) help.close();
    else help.showModal();
  });
  help.addEventListener('click', (event) => { if (event.target === help) help.close(); });
}
