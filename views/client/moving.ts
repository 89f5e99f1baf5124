// Live Photos move: on hover in a grid, once when the viewer opens, and when their button is pressed. A long touch selects (select-draw.ts).
import { CALM } from './calm.ts';

/** A pointer that only passes by starts nothing. */
const HOVER_MS = 150;

let playing: HTMLVideoElement | null = null;

export function startMoving(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => { clearTimeout(timer); stop(); };

  document.addEventListener('pointerover', (event) => {
    const tile = tileOf(event);
    if (event.pointerType === 'touch' || CALM.matches || !tile || tile.contains(event.relatedTarget as Node | null)) return;
    end();
    timer = setTimeout(() => playOver(tile), HOVER_MS);
  });
  document.addEventListener('pointerout', (event) => {
    const tile = tileOf(event);
    if (event.pointerType !== 'touch' && tile && !tile.contains(event.relatedTarget as Node | null)) end();
  });
}

function tileOf(event: Event): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>('.tile[data-live]') : null;
}

/** The video lies over the tile as long as it is asked for, and is gone afterwards with all that it loaded. */
function playOver(tile: HTMLElement): void {
  stop();
  const video = document.createElement('video');
  video.className = 'tile-moving';
  video.muted = true;
  video.playsInline = true;
  video.loop = true;
  video.disablePictureInPicture = true;
  video.src = tile.dataset['live'] ?? '';
  // Until its first frame is there the still shows through.
  video.addEventListener('playing', () => video.classList.add('seen'), { once: true });
  tile.append(video);
  playing = video;
  void video.play().catch(() => { if (playing === video) stop(); });
}

function stop(): void {
  if (!playing) return;
  playing.pause();
  playing.removeAttribute('src');
  playing.load();
  playing.remove();
  playing = null;
}

/** In the viewer: once on opening, without sound, where motion is welcome. */
export function playLiveOnce(layer: HTMLElement): void {
  stop();
  if (!CALM.matches) play(layer, true);
}

/** The button: with sound, from the start; pressed while it plays, it stops. */
export function playLive(layer: HTMLElement): void {
  const video = layer.querySelector<HTMLVideoElement>('.moving');
  if (video?.classList.contains('seen')) { video.pause(); settle(layer, video); } else play(layer, false);
}

function play(layer: HTMLElement, muted: boolean): void {
  const video = layer.querySelector<HTMLVideoElement>('.moving');
  if (!video) return;
  if (!video.src) {
    video.src = video.dataset['live'] ?? '';
    video.addEventListener('playing', () => { video.classList.add('seen'); mark(layer, true); });
    video.addEventListener('ended', () => settle(layer, video));
  }
  video.muted = muted;
  video.currentTime = 0;
  void video.play().catch(() => settle(layer, video));
}

function settle(layer: HTMLElement, video: HTMLVideoElement): void {
  video.classList.remove('seen');
  mark(layer, false);
}
function mark(layer: HTMLElement, on: boolean): void {
  layer.querySelector('[data-viewer="live"]')?.setAttribute('aria-pressed', String(on));
}
