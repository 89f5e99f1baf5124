// The slideshow: one picture after another over the whole screen, each for four seconds from when it is seen, videos to their end.
import { CALM } from './calm.ts';
import { pictureReady } from './viewer-fetch.ts';

const SHOWN_MS = 4_000;
const FADE_MS = 700;
/** The bar of controls goes after this long without a move. */
const AWAKE_MS = 2_500;
/** A picture that has not come by then is passed over. */
const PATIENCE_MS = 8_000;

export interface SlideshowHost {
  layer: HTMLElement;
  /** To the next one; false where there is none. */
  next(): Promise<boolean>;
  /** The address of the next picture, where there is one. */
  nextPicture(): string | undefined;
  say(text: string): void;
}
export interface Slideshow { toggle(): void; pause(): void; stop(): void; isOn(): boolean }

export function startSlideshow(host: SlideshowHost): Slideshow {
  const { layer } = host;
  let on = false;
  let paused = false;
  /** Each wait is worth something only while nothing else happened. */
  let round = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let awake: ReturnType<typeof setTimeout> | undefined;
  let bar: HTMLElement | null = null;
  let lock: WakeLockSentinel | null = null;

  const stop = (): void => {
    if (!on) return;
    on = paused = false;
    round += 1;
    clearTimeout(timer);
    layer.classList.remove('show', 'awake');
    bar?.remove();
    bar = null;
    layer.querySelector('.leaving')?.remove();
    layer.querySelector('[data-viewer="slideshow"]')?.setAttribute('aria-pressed', 'false');
    void lock?.release().catch(() => undefined);
    lock = null;
    layer.focus();
  };
  const start = (): void => {
    on = true;
    paused = false;
    layer.classList.add('show');
    bar = drawBar();
    layer.append(bar);
    wake();
    // The screen stays on where the browser lets it.
    void navigator.wakeLock?.request('screen').then((got) => { if (on) lock = got; else void got.release(); }, () => undefined);
    host.say('Slideshow. Space pauses it, Escape ends it.');
    layer.focus();
    void wait();
  };
  const drawBar = (): HTMLElement => {
    const made = document.createElement('div');
    made.className = 'show-bar';
    for (const [name, words, doIt] of [['pause', 'Pause', () => pause()], ['stop', 'End the slideshow', () => stop()]] as const) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'button';
      button.dataset['show'] = name;
      button.textContent = words;
      button.addEventListener('click', doIt);
      made.append(button);
    }
    return made;
  };
  const wake = (): void => {
    if (!on) return;
    layer.classList.add('awake');
    clearTimeout(awake);
    awake = setTimeout(() => layer.classList.remove('awake'), AWAKE_MS);
  };

  /** Waits until what is shown has had its time. */
  const wait = async (): Promise<void> => {
    const mine = (round += 1);
    clearTimeout(timer);
    const video = layer.querySelector<HTMLVideoElement>('.picture:not(.leaving) video.full');
    if (video && await plays(video)) {
      if (mine === round && !video.ended) video.addEventListener('ended', () => { if (mine === round) void go(); }, { once: true });
      else if (mine === round) void go();
      return;
    }
    const full = layer.querySelector<HTMLImageElement>('.picture:not(.leaving) img.full');
    if (full && !full.complete) await Promise.race([full.decode().catch(() => undefined), new Promise((done) => { setTimeout(done, PATIENCE_MS); })]);
    if (mine !== round || paused) return;
    timer = setTimeout(() => { if (mine === round) void go(); }, SHOWN_MS);
  };
  const plays = async (video: HTMLVideoElement): Promise<boolean> => {
    try { await video.play(); return true; } catch { /* not without a gesture: then without sound, or as a still */ }
    video.muted = true;
    try { await video.play(); return true; } catch { return false; }
  };
  const go = async (): Promise<void> => {
    const mine = (round += 1);
    const coming = host.nextPicture();
    if (coming) await Promise.race([pictureReady(coming), new Promise((done) => { setTimeout(done, PATIENCE_MS); })]);
    if (mine !== round) return;
    const old = layer.querySelector<HTMLElement>('.picture:not(.leaving)');
    const more = await host.next();
    if (!on || mine !== round) return;
    if (!more) { stop(); host.say('That was the last one.'); return; }
    if (old && !CALM.matches) fade(old);
    void wait();
  };
  /** The old one lies over the new one and goes. */
  const fade = (old: HTMLElement): void => {
    old.classList.add('leaving');
    old.querySelector('video')?.remove();
    layer.querySelector('.stage')?.append(old);
    void old.animate([{ opacity: 1 }, { opacity: 0 }], { duration: FADE_MS, easing: 'ease-in-out', fill: 'forwards' }).finished.catch(() => undefined).then(() => old.remove());
  };
  const pause = (): void => {
    if (!on) return;
    paused = !paused;
    const button = bar?.querySelector('[data-show="pause"]');
    if (button) button.textContent = paused ? 'Go on' : 'Pause';
    wake();
    const video = layer.querySelector<HTMLVideoElement>('.picture:not(.leaving) video.full');
    if (!paused) { void wait(); return; }
    round += 1;
    clearTimeout(timer);
    video?.pause();
  };

  for (const event of ['pointermove', 'pointerdown', 'focusin'] as const) layer.addEventListener(event, wake);
  return { toggle: () => { if (on) stop(); else start(); }, pause, stop, isOn: () => on };
}
