// One line at the foot of the page that says what was done, with the way back where there is one. At most two at a time.
import { isTyped } from './keys.ts';

const SHOWN_MS = 8_000;
const MAX_SHOWN = 2;

interface Toast { line: HTMLElement; undo: (() => void) | undefined; timer?: ReturnType<typeof setTimeout> }
const shown: Toast[] = [];
let place: HTMLElement | undefined;
const emptied = new MutationObserver(() => { if (!place?.isConnected) stand(); });

/** Says it, with a button that undoes it; Ctrl or Cmd with Z does the same while it is the newest. */
export function say(text: string, undo?: () => Promise<void> | void): void {
  const line = document.createElement('div');
  line.className = 'toast-line';
  const words = document.createElement('span');
  words.className = 'toast-words';
  line.append(words);
  const toast: Toast = { line, undo: undo && (() => { drop(toast); void undo(); }) };
  if (toast.undo) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'toast-undo';
    button.textContent = 'Undo';
    button.setAttribute('aria-keyshortcuts', 'Control+Z Meta+Z');
    button.addEventListener('click', toast.undo);
    line.append(button);
  }
  for (const old of shown.slice(0, Math.max(0, shown.length + 1 - MAX_SHOWN))) drop(old);
  shown.push(toast);
  stand().append(line);
  // What is there before its words is read out when they come.
  words.textContent = text;
  // As long as someone points at it or stands in it, it stays.
  for (const event of ['pointerenter', 'focusin']) line.addEventListener(event, () => clearTimeout(toast.timer));
  for (const event of ['pointerleave', 'focusout']) line.addEventListener(event, () => wait(toast));
  wait(toast);
}

/** Must be called once, so that the place is there before anything is said in it. */
export function startToasts(): void {
  stand();
  document.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'z' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.defaultPrevented || isTyped(event)) return;
    const newest = shown.at(-1);
    if (!newest?.undo) return;
    event.preventDefault();
    newest.undo();
  });
  // A dialog makes all else unreachable while it is open, and may be emptied at any time: the lines move in and out with it.
  document.addEventListener('close', () => stand(), true);
}

/** Where the lines stand: in the topmost dialog. */
function stand(): HTMLElement {
  if (!place) {
    place = document.createElement('div');
    place.className = 'toasts';
    place.setAttribute('role', 'status');
  }
  const host = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body;
  if (place.parentElement === host) return place;
  host.append(place);
  emptied.disconnect();
  if (host !== document.body) emptied.observe(host, { childList: true });
  return place;
}

function wait(toast: Toast): void {
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => drop(toast), SHOWN_MS);
}

function drop(toast: Toast): void {
  clearTimeout(toast.timer);
  // Who stood on its button stands where they were before, not nowhere.
  toast.line.remove();
  const at = shown.indexOf(toast);
  if (at >= 0) shown.splice(at, 1);
}
