// The part of a grid that is in the DOM: rows near the window, each in its day, at the exact place that the layout gives it.
import { sayDay, sayMonth } from '../../../protocol/day-words.ts';
import { CALM } from '../calm.ts';
import { RATIOS } from './pack.ts';
import type { Model, RowPlace } from './model.ts';

/** A picture that takes longer comes gently; one that is there at once does not blink. */
const LATE_MS = 120;
const FADE_MS = 160;

export interface StageView { from: number; end: number; origin: number }
interface Drawn { element: HTMLElement; place: RowPlace; part: number; holds: number }
interface DrawnPart { element: HTMLElement; title: HTMLElement | undefined; month: HTMLElement | undefined; place: HTMLElement | undefined; rows: number; group: number; section: number }

export class Stage {
  readonly #canvas: HTMLElement;
  readonly #tileAt: (index: number) => HTMLElement | undefined;
  readonly #placeOf: (day: number) => string | undefined;
  #model: Model;
  #origin = 0;
  #rows = new Map<number, Drawn>();
  #parts = new Map<number, DrawnPart>();
  readonly #rowOf = new WeakMap<Element, Drawn>();
  readonly #since = new WeakMap<Element, number>();
  #holds: HTMLElement[] = [];

  constructor(canvas: HTMLElement, model: Model, tileAt: (index: number) => HTMLElement | undefined, placeOf: (day: number) => string | undefined) {
    this.#canvas = canvas;
    this.#model = model;
    this.#tileAt = tileAt;
    this.#placeOf = placeOf;
    // Neither event rises, but both can be caught on their way down.
    canvas.addEventListener('load', (event) => this.#loaded(event.target), true);
    canvas.addEventListener('error', (event) => { if (event.target instanceof HTMLImageElement) event.target.closest('.tile')?.classList.add('tile-lost'); }, true);
  }

  /** Rows `[from, end)` and no others; tiles that are known go in where `fill` says so. Returns whether any tile came. */
  draw(from: number, end: number, fill: boolean): boolean {
    for (const [row, drawn] of this.#rows) if (row < from || row >= end) this.#remove(row, drawn);
    let came = false;
    // Upwards from what is drawn, then downwards: so each has the one behind it to stand before.
    let first = from;
    while (first < end && !this.#rows.has(first)) first++;
    if (first === end) first = from;
    for (let row = first - 1; row >= from; row--) came = this.#add(row, fill) || came;
    for (let row = first; row < end; row++) if (!this.#rows.has(row)) came = this.#add(row, fill) || came;
    return came;
  }
  /** Puts tiles that are there by now in the place of their boxes. */
  fill(from = 0, end = this.#model.count): boolean {
    let came = false;
    for (const drawn of this.#rows.values()) if (drawn.place.end > from && drawn.place.from < end) came = this.#fillRow(drawn) || came;
    for (const part of this.#parts.values()) this.#sayPlace(part);
    return came;
  }

  /** Another layout: what stands the same in it stays in the DOM. */
  setModel(model: Model): void {
    const before = this.#model;
    const old = this.#rows;
    const oldParts = this.#parts;
    this.#model = model;
    this.#rows = new Map();
    this.#parts = new Map();
    const groups = new Map(model.groups.map((group, g) => [group.key, g]));
    for (const [id, part] of oldParts) {
      const g = groups.get(before.groups[part.group]?.key ?? -1);
      const section = g === undefined ? -1 : model.groups[g]?.sections.findIndex((_, s) => this.#partId(g, s) === id) ?? -1;
      if (g === undefined || section < 0) continue;
      part.group = g;
      part.section = section;
      part.rows = 0;
      this.#parts.set(id, part);
    }
    for (const drawn of old.values()) {
      const g = groups.get(before.groups[drawn.place.group]?.key ?? -1);
      const shift = g === undefined ? 0 : (model.start[g] as number) - (before.start[drawn.place.group] as number);
      const from = drawn.place.from + shift;
      const row = g === undefined || from >= model.count ? -1 : model.rowOf(from);
      const place = row < 0 ? undefined : model.row(row);
      const same = place && place.group === g && place.from === from && place.end - place.from === drawn.place.end - drawn.place.from
        && this.#partId(place.group, place.section) === drawn.part && [...drawn.element.children].every((child, i) => child === this.#tileAt(from + i));
      if (!same) { this.#empty(drawn); drawn.element.remove(); continue; }
      drawn.place = place;
      this.#rows.set(row, drawn);
      this.#setRow(drawn);
      const part = this.#parts.get(drawn.part);
      if (part) part.rows++;
    }
    for (const [id, part] of oldParts) {
      if (this.#parts.get(id) === part && part.rows > 0) { this.#setPart(part); continue; }
      this.#parts.delete(id);
      part.element.remove();
      part.month?.remove();
    }
  }
  /** The grid's height at which the canvas begins. */
  setOrigin(origin: number): void {
    if (origin === this.#origin) return;
    this.#origin = origin;
    for (const part of this.#parts.values()) this.#setPart(part);
  }

  indexOf(tile: Element): number | undefined {
    const row = tile.parentElement;
    const drawn = row ? this.#rowOf.get(row) : undefined;
    if (!row || !drawn) return undefined;
    const at = [...row.children].indexOf(tile);
    return at < 0 ? undefined : drawn.place.from + at;
  }
  tileAt(index: number): HTMLElement | undefined {
    const tile = this.#tileAt(index);
    return tile?.isConnected ? tile : undefined;
  }
  /** First and last tile that wait for a picture, of those in the DOM. */
  waiting(): { from: number; end: number } | undefined {
    let range: { from: number; end: number } | undefined;
    for (const { element, place } of this.#rows.values()) {
      if (element.querySelector('.tile-wait, .tile-lost')) range = { from: Math.min(range?.from ?? Infinity, place.from), end: Math.max(range?.end ?? 0, place.end) };
    }
    return range;
  }

  #add(row: number, fill: boolean): boolean {
    const place = this.#model.row(row);
    const id = this.#partId(place.group, place.section);
    const part = this.#parts.get(id) ?? this.#addPart(id, place);
    part.rows++;
    const element = document.createElement('div');
    element.className = 'row';
    const drawn: Drawn = { element, place, part: id, holds: 0 };
    this.#rowOf.set(element, drawn);
    for (let index = place.from; index < place.end; index++) {
      const tile = fill ? this.#tileAt(index) : undefined;
      if (tile) this.#enter(tile);
      else drawn.holds++;
      element.append(tile ?? this.#hold(index));
    }
    this.#setRow(drawn);
    const next = this.#rows.get(row + 1);
    part.element.insertBefore(element, next?.part === id ? next.element : null);
    this.#rows.set(row, drawn);
    return drawn.holds < place.end - place.from;
  }
  #remove(row: number, drawn: Drawn): void {
    this.#empty(drawn);
    drawn.element.remove();
    this.#rows.delete(row);
    const part = this.#parts.get(drawn.part);
    if (!part || --part.rows > 0) return;
    this.#parts.delete(drawn.part);
    part.element.remove();
    part.month?.remove();
  }
  #empty(drawn: Drawn): void {
    for (const child of [...drawn.element.children] as HTMLElement[]) {
      if (child.className === 'hold') this.#holds.push(child);
      else leave(child);
    }
  }
  #fillRow(drawn: Drawn): boolean {
    let came = false;
    for (let i = 0, child = drawn.element.firstElementChild; child; i++) {
      const next: Element | null = child.nextElementSibling;
      const tile = this.#tileAt(drawn.place.from + i);
      if (tile && tile !== child) {
        this.#enter(tile);
        child.replaceWith(tile);
        if (child.className === 'hold') { drawn.holds--; this.#holds.push(child as HTMLElement); }
        came = true;
      }
      child = next;
    }
    return came;
  }

  #addPart(id: number, { group, section }: RowPlace): DrawnPart {
    const of = this.#model.groups[group];
    const facts = of?.sections[section];
    const element = document.createElement('section');
    element.className = 'day';
    const part: DrawnPart = { element, title: undefined, month: undefined, place: undefined, rows: 0, group, section };
    const day = (of?.key ?? 0) * 100 + (facts?.day ?? 0);
    element.dataset['day'] = String(day);
    if (this.#model.by === 'day') {
      const title = document.createElement('h3');
      title.className = 'day-title';
      title.textContent = sayDay(day);
      element.append(title);
      part.title = title;
      this.#sayPlace(part);
    } else if (facts?.part) {
      const title = document.createElement('h2');
      title.className = 'month-title found-title';
      title.textContent = facts.part.title;
      const words = document.createElement('span');
      words.className = 'num';
      words.textContent = facts.part.words;
      title.append(' ', words);
      element.append(title);
    }
    if (section === 0 && this.#model.by !== 'none') {
      const month = document.createElement('h2');
      month.className = 'month-title';
      month.dataset['month'] = String(of?.key ?? 0);
      month.textContent = sayMonth(of?.key ?? 0);
      part.month = month;
    }
    // Parts are few: the first that stands behind is found by looking.
    let behind: DrawnPart | undefined;
    for (const each of this.#parts.values()) {
      const after = each.group > group || (each.group === group && each.section > section);
      if (after && (!behind || each.group < behind.group || (each.group === behind.group && each.section < behind.section))) behind = each;
    }
    const ref = behind ? behind.month ?? behind.element : null;
    if (part.month) this.#canvas.insertBefore(part.month, ref);
    this.#canvas.insertBefore(element, ref);
    this.#setPart(part);
    this.#parts.set(id, part);
    return part;
  }
  #setPart(part: DrawnPart): void {
    const group = this.#model.groups[part.group];
    const section = group?.sections[part.section];
    const top = (this.#model.top[part.group] as number) - this.#origin;
    part.element.style.cssText = `top:${top + (section?.top ?? 0)}px;height:${section?.height ?? 0}px`;
    if (part.month) part.month.style.cssText = `top:${top}px`;
  }
  #setRow({ element, place }: Drawn): void {
    element.style.cssText = `top:${place.inside}px;height:${place.height}px;width:${place.width}px`;
  }
  /** Named within its page, whatever numbers groups have just now. */
  #partId(group: number, section: number): number {
    const of = this.#model.groups[group];
    return this.#model.by === 'none' ? section : (of?.key ?? 0) * 100 + (of?.sections[section]?.day ?? 0);
  }
  #sayPlace(part: DrawnPart): void {
    const text = part.title && !part.place ? this.#placeOf(Number(part.element.dataset['day'])) : undefined;
    if (!text) return;
    const place = document.createElement('span');
    place.textContent = text;
    part.title?.append(' ', place);
    part.place = place;
  }

  #hold(index: number): HTMLElement {
    let hold = this.#holds.pop();
    if (!hold) { hold = document.createElement('div'); hold.className = 'hold'; }
    hold.style.setProperty('--r', this.#model.ratio(index).toFixed(4));
    return hold;
  }
  #enter(tile: HTMLElement): void {
    const image = tile.querySelector('img');
    if (!image) return;
    const put = image.dataset['src'];
    if (put) { image.src = put; delete image.dataset['src']; }
    if (!image.complete) this.#since.set(image, performance.now());
  }
  #loaded(target: EventTarget | null): void {
    if (!(target instanceof HTMLImageElement)) return;
    const since = this.#since.get(target);
    if (since !== undefined && performance.now() - since > LATE_MS && !CALM.matches) target.animate([{ opacity: 0 }, { opacity: 1 }], FADE_MS);
    this.#since.delete(target);
  }
}

/** A picture that has not come when its tile goes is not waited for: others need the line. */
function leave(tile: HTMLElement): void {
  // Nor does a Live Photo lie over it still when it comes back.
  tile.querySelector('.tile-moving')?.remove();
  const image = tile.querySelector('img');
  if (!image || image.complete) return;
  image.dataset['src'] = image.getAttribute('src') ?? '';
  image.removeAttribute('src');
}

/** The ratio that the page gave a tile. */
export function ratioOf(tile: HTMLElement): number {
  return Number(tile.style.getPropertyValue('--r')) || RATIOS[31] || 1;
}
