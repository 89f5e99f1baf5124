// The viewer's stage: drafts of pictures out of what a tile already shows, the preview over them when it has come, and a quiet
// sign where none comes.
import { CALM } from './calm.ts';

const BACK = '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="m12 19-7-7 7-7M19 12H5"/></svg>';
const OPEN_MS = 150;

/** What a tile or a link of the strip shows already, in the box that its picture will have. */
export function drawPicture(from: HTMLElement): HTMLElement {
  const picture = document.createElement('div');
  picture.className = 'picture';
  const box = document.createElement('div');
  box.className = 'picture-box';
  const image = from.querySelector('img');
  const [ratio, width] = (from.dataset['box'] ?? '').split(' ');
  box.style.setProperty('--r', ratio || String(image?.naturalHeight ? image.naturalWidth / image.naturalHeight : 1.5));
  box.style.setProperty('--w', width || '99999');
  const color = from.style.getPropertyValue('--c');
  if (color) box.style.setProperty('--c', color);
  if (image?.src) {
    const copy = new Image();
    copy.className = 'draft';
    copy.alt = '';
    copy.draggable = false;
    copy.decoding = 'sync';
    copy.addEventListener('error', () => copy.remove());
    copy.addEventListener('load', () => copy.classList.add('ready'));
    copy.src = image.src;
    box.append(copy);
  }
  picture.append(box);
  return picture;
}

/** The viewer before its own fragment has come, laid out as it will be. */
export function drawBody(tile: HTMLElement | null, back: string): HTMLElement {
  const body = document.createElement('div');
  body.className = 'viewer-body viewer-draft';
  const stage = document.createElement('div');
  stage.className = 'stage';
  const tools = document.createElement('div');
  tools.className = 'stage-tools';
  const close = document.createElement('a');
  close.className = 'icon-button';
  close.dataset['viewer'] = 'close';
  close.href = back;
  close.setAttribute('aria-label', 'Back');
  close.innerHTML = BACK;
  tools.append(close);
  const foot = document.createElement('div');
  foot.className = 'stage-foot';
  const strip = document.createElement('div');
  strip.className = 'strip';
  if (tile) stage.append(drawPicture(tile));
  stage.append(tools, foot, strip);
  const facts = document.createElement('aside');
  facts.className = 'facts';
  body.append(stage, facts);
  return body;
}

/** The picture grows out of its tile; resolves when it stands. */
export async function growFrom(tile: HTMLElement, box: HTMLElement | null): Promise<void> {
  if (CALM.matches || !box) return;
  const a = tile.getBoundingClientRect();
  const b = box.getBoundingClientRect();
  if (a.width === 0 || b.width === 0) return;
  const from = `translate(${a.x + a.width / 2 - b.x - b.width / 2}px, ${a.y + a.height / 2 - b.y - b.height / 2}px) scale(${a.width / b.width}, ${a.height / b.height})`;
  await box.animate([{ transform: from }, { transform: 'none' }], { duration: OPEN_MS, easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)' }).finished.catch(() => undefined);
}

/** The preview covers the draft only once it can be drawn whole; where neither comes, a quiet sign stands there. */
export function followPictures(layer: HTMLElement): void {
  const box = layer.querySelector<HTMLElement>('.picture-box');
  const full = box?.querySelector<HTMLImageElement>('img.full');
  const draft = box?.querySelector<HTMLImageElement>('img.draft');
  if (!box) return;
  const lost = (image: HTMLImageElement) => {
    image.remove();
    // A missing draft under a preview is no loss.
    if (image !== (full ?? draft)) return;
    if (!box.querySelector('img')) box.classList.add('lost');
    tell(layer, box.querySelector('img') ? 'The larger picture could not be loaded.' : 'The picture could not be loaded.', () => {
      box.classList.remove('lost');
      box.append(image);
      listen(image);
      image.src = String(image.src);
    });
  };
  const listen = (image: HTMLImageElement) => {
    image.addEventListener('load', () => image.classList.add('ready'), { once: true });
    image.addEventListener('error', () => lost(image), { once: true });
  };
  const watch = (image: HTMLImageElement) => {
    if (!image.complete) listen(image);
    else if (image.naturalWidth > 0) image.classList.add('ready');
    else lost(image);
  };
  if (draft) watch(draft);
  if (full) watch(full);
}

/** A line in the stage with the way to try again, or none. */
export function tell(layer: HTMLElement, text: string, again?: () => void): void {
  const foot = layer.querySelector('.stage-foot');
  if (!foot) return;
  clearTold(layer);
  const line = document.createElement('p');
  line.className = 'stage-note stage-told';
  line.setAttribute('role', 'alert');
  line.append(text);
  if (again) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'stage-again';
    button.textContent = 'Try again';
    button.addEventListener('click', () => { line.remove(); again(); });
    line.append(' ', button);
  }
  foot.append(line);
}
export function clearTold(layer: HTMLElement): void {
  layer.querySelector('.stage-told')?.remove();
}

/** Puts a link of the strip into its middle, the others in their order on both sides. */
export function centreStrip(link: HTMLElement): void {
  const strip = link.closest('.strip');
  const [before, behind] = [strip?.querySelector('.strip-before'), strip?.querySelector('.strip-behind')];
  if (!strip || !before || !behind) return;
  const links = [...strip.querySelectorAll<HTMLElement>('a')];
  const at = links.indexOf(link);
  for (const each of links) if (each === link) each.setAttribute('aria-current', 'true'); else each.removeAttribute('aria-current');
  before.replaceChildren(...links.slice(0, at));
  behind.replaceChildren(...links.slice(at + 1));
  strip.insertBefore(link, behind);
}
