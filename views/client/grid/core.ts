// One grid on the page: its layout, the window on it, and what is asked for. The other modules of this folder use it.
import { readLayout, ratioLevel, type GridLayout } from '../../../protocol/layout.ts';
import { PIECE_TILES } from '../../../protocol/limits.ts';
import { layGroup, makeGroup, Model, readGroup, type Group, type Part } from './model.ts';
import { Pieces } from './pieces.ts';
import { readSizes, type PageSizes } from './sizes.ts';
import { MAX_SPAN_PX, spanHeight, spanOrigin } from './span.ts';
import { ratioOf, Stage } from './stage.ts';
import { GRID_LAYOUT_EVENT, GRID_TILES_EVENT, type GridView } from './view.ts';

/** Screens that are drawn above and below the one that is seen, and tiles at which that ends. */
const OVERSCAN = 1;
const MAX_TILES = 420;
/** Screens a second beyond which nothing is read: only boxes pass by. */
const FLING = 5;
const SETTLED_MS = 90;
/** A task of the layout is cut off after this. */
const SLICE_MS = 10;
/** Between the top line and what was jumped to. */
const LEAD_PX = 8;
/** A layout that does not agree with its pieces is asked for again, but not in a circle. */
const STALE_AFTER_MS = 1_000;

/** A tile that keeps its place: its row stands `dy` below the window's top. */
export interface Anchor { key: number; offset: number; dy: number; sha: string | undefined; version: number }

export class GridCore implements GridView {
  readonly element: HTMLElement;
  readonly of: string;
  readonly pieces: Pieces;
  readonly stage: Stage;
  model: Model;
  /** Whether the layout of the whole grid is there. */
  whole = false;
  /** It could not be had: the page stays as it came, with its links. */
  failed = false;
  /** Called after every frame that moved, and after every change of the layout. */
  moved: (() => void) | undefined;
  /** Called when pieces cannot be had, and when they can again. */
  troubled: ((failing: boolean) => void) | undefined;
  /** Called when the reader rests. */
  rested: (() => void) | undefined;
  #sizes: PageSizes;
  #parts: readonly Part[];
  #version = 0;
  #origin = 0;
  #top = 0;
  #view = innerHeight;
  #queued = false;
  #lastY = 0;
  #lastMs = 0;
  #fast = false;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #refreshing: Promise<void> | undefined;
  #again = false;
  #staleMs = -Infinity;
  #staleTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #maxSpan: number;
  readonly #stop = new AbortController();
  readonly #resizing: ResizeObserver;
  readonly #tiles: HTMLElement[];
  readonly #complete: boolean;

  /** Takes over what the page came with: its tiles stand where the whole layout will have them. */
  constructor(element: HTMLElement, reuse: ReadonlyMap<string, HTMLElement>) {
    this.element = element;
    this.of = element.dataset['of'] ?? '/';
    this.#maxSpan = Number(element.dataset['span']) || MAX_SPAN_PX;
    this.#parts = JSON.parse(element.dataset['parts'] ?? '[]') as Part[];
    this.#complete = element.hasAttribute('data-complete');
    this.#sizes = readSizes(element);
    this.pieces = new Pieces(this.of, {
      came: (model, from, end) => { if (model === this.model && this.stage.fill(from, end)) this.#tellTiles(); },
      stale: () => this.#stale(),
      trouble: (failing) => this.troubled?.(failing),
    });
    const by = (element.dataset['by'] ?? 'none') as GridLayout['by'];
    const groups = new Map<number, { tiles: HTMLElement[]; days: { day: number; start: number }[] }>();
    for (const section of element.querySelectorAll<HTMLElement>('.day')) {
      const day = by === 'none' ? 0 : Number(section.dataset['day']);
      const key = Math.floor(day / 100);
      const group = groups.get(key) ?? { tiles: [], days: [] };
      groups.set(key, group);
      group.days.push({ day: day % 100, start: group.tiles.length });
      group.tiles.push(...[...section.querySelectorAll<HTMLElement>('.tile')].map((tile) => reuse.get(tile.id) ?? tile));
      const place = section.querySelector('.day-title span')?.textContent;
      if (place) this.pieces.places.set(day, place);
    }
    this.#tiles = [...groups.values()].flatMap(({ tiles }) => tiles);
    const laid = [...groups].map(([key, { tiles, days }]) => {
      const group = makeGroup({ key, version: 0, cuts: [] }, Uint8Array.from(tiles, (tile) => ratioLevel(ratioOf(tile))), days);
      this.pieces.adopt(group, 0, tiles);
      return this.#lay(group, by);
    });
    this.model = new Model(by, laid, this.#sizes);
    this.stage = new Stage(element, this.model, (index) => this.pieces.tile(this.model, index), (day) => this.pieces.places.get(day));
    element.replaceChildren();
    element.classList.add('exact');
    this.#measure();
    element.style.height = `${this.model.height}px`;
    this.draw(true);
    addEventListener('scroll', () => this.#queue(), { passive: true, signal: this.#stop.signal });
    addEventListener('resize', () => { this.#view = innerHeight; this.#queue(); }, { passive: true, signal: this.#stop.signal });
    this.#resizing = new ResizeObserver(() => this.#resized());
    this.#resizing.observe(element.parentElement ?? element);
  }
  /** The page's tiles, for the grid that follows in the same place. */
  close(): Map<string, HTMLElement> {
    this.#stop.abort();
    this.#resizing.disconnect();
    clearTimeout(this.#settle);
    return new Map([...this.element.querySelectorAll<HTMLElement>('.tile')].map((tile) => [tile.id, tile]));
  }

  get count(): number { return this.model.count; }
  get y(): number { return scrollY - this.#top + this.#origin; }
  get view(): number { return this.#view; }
  /** The highest that the window's top can be in the grid. */
  get lastY(): number { return Math.max(0, this.model.height - this.#view + this.lead); }
  /** So far below the window's top begins what is jumped to. */
  get lead(): number { return this.#sizes.bar + LEAD_PX; }
  get first(): HTMLElement | undefined { return this.#tiles[0]; }
  get atTop(): boolean { return this.y < 1; }

  indexOf(tile: Element): number | undefined { return this.stage.indexOf(tile); }
  tileAt(index: number): HTMLElement | undefined { return this.stage.tileAt(index); }
  find(sha256: string): number | undefined { return this.pieces.find(this.model, sha256); }
  rangeOf(index: number): { from: number; end: number } { return this.model.rangeOf(index); }
  step(index: number, way: 'left' | 'right' | 'up' | 'down'): number { return this.model.step(index, way); }
  indexAt(x: number, y: number): number | undefined {
    if (this.count === 0) return undefined;
    return this.model.tileInRow(this.model.rowAt(y + this.y), x - this.element.getBoundingClientRect().left);
  }
  reveal(index: number): void {
    const row = this.model.row(this.model.rowOf(index));
    const y = this.y;
    const above = row.top - this.lead;
    const below = row.top + row.height + LEAD_PX + this.#sizes.foot - this.#view;
    if (y > above) this.jump(above);
    else if (y < below) this.jump(below);
  }
  async hashes(from: number, end: number): Promise<string[]> {
    const out: string[] = [];
    const model = this.model;
    for (let index = from; index < end;) {
      const hash = this.pieces.hash(model, index);
      if (hash !== undefined) { out.push(hash); index++; continue; }
      const { from: start, key } = this.#cutAt(model, index);
      const asked = await askJson<string[]>(`/grid/hashes?of=${encodeURIComponent(this.of)}&from=${encodeURIComponent(key)}&n=${end - start}`);
      const got = asked.slice(index - start);
      if (got.length === 0) throw new Error('the grid has changed');
      out.push(...got);
      index += got.length;
    }
    return out;
  }
  drop(sha256s: ReadonlySet<string>): void {
    const gone = new Map<Group, Set<number>>();
    for (const sha of sha256s) {
      const index = this.find(sha);
      if (index === undefined) continue;
      const g = this.model.groupOf(index);
      const group = this.model.groups[g] as Group;
      gone.set(group, (gone.get(group) ?? new Set()).add(index - (this.model.start[g] as number)));
    }
    if (gone.size === 0) return;
    // The truth of these is asked for again, also where nothing came of it and the server has nothing new to say.
    this.#version = Math.min(this.#version, ...[...gone.keys()].map((group) => group.version - 1));
    const anchor = this.anchor();
    const groups = this.model.groups.flatMap((group) => {
      const out = gone.get(group);
      if (!out) return [group];
      const kept = [...group.levels.keys()].filter((i) => !out.has(i));
      if (kept.length === 0) return [];
      const tiles = this.pieces.known(group);
      // Its pieces no longer agree with the server's: what is not there is asked for when the truth has come.
      const days = group.days.map(({ day, start }) => ({ day, start: kept.filter((i) => i < start).length })).filter(({ start }, d, all) => start < (all[d + 1]?.start ?? kept.length));
      const left = this.#lay(makeGroup({ key: group.key, version: -1, cuts: [] }, Uint8Array.from(kept, (i) => group.levels[i] as number), days), this.model.by);
      kept.forEach((old, i) => { const tile = tiles[old]; if (tile) this.pieces.adopt(left, i, [tile]); });
      this.pieces.forget(group);
      return [left];
    });
    this.commit(new Model(this.model.by, groups, this.#sizes), anchor);
  }
  refresh(): Promise<void> {
    if (this.#refreshing) { this.#again = true; return this.#refreshing; }
    this.#refreshing = (async () => {
      do { this.#again = false; await this.#update(false); } while (this.#again);
    })().finally(() => { this.#refreshing = undefined; });
    return this.#refreshing;
  }

  /** The window's top at this height of the grid. */
  jump(y: number): void {
    const to = Math.max(-this.#top, Math.min(this.lastY, y));
    this.#lastMs = 0;
    this.#moveTo(to);
    this.draw(true);
  }
  /** A group's title below the top line. */
  jumpToGroup(g: number): void { this.jump(g === 0 ? -this.#top : (this.model.top[g] as number) - this.lead); }
  /** A tile in the middle of the window. */
  jumpToTile(index: number): void {
    const row = this.model.row(this.model.rowOf(index));
    this.jump(row.top - Math.max(this.lead, (this.#view - row.height) / 2));
  }

  /** What keeps its place: the focused tile, else what is in the middle. None at the very top. */
  anchor(): Anchor | undefined {
    const y = this.y;
    if (y < 1 || this.count === 0) return undefined;
    const active = document.activeElement;
    const focused = active && this.element.contains(active) ? this.indexOf(active) : undefined;
    let row = this.model.row(this.model.rowAt(y + this.#view * 0.4));
    if (focused !== undefined) {
      const own = this.model.row(this.model.rowOf(focused));
      if (own.top > y - own.height && own.top < y + this.#view) row = own;
    }
    const index = focused !== undefined && focused >= row.from && focused < row.end ? focused : row.from;
    const group = this.model.groups[row.group] as Group;
    return { key: group.key, version: group.version, offset: index - (this.model.start[row.group] as number), dy: row.top - y, sha: this.pieces.hash(this.model, index) };
  }
  /** The window's top at which an anchor stands where it stood. */
  yOf(anchor: Anchor, model = this.model): number {
    const known = model.groupByKey(anchor.key);
    if (known < 0) {
      // Its group is gone: what follows it takes its place.
      const next = model.groups.findIndex((group) => group.key < anchor.key);
      return (next < 0 ? model.height : model.top[next] as number) - this.lead;
    }
    const index = (model.start[known] as number) + Math.min(anchor.offset, (model.groups[known]?.levels.length ?? 1) - 1);
    return model.row(model.rowOf(index)).top - anchor.dy;
  }

  /** Another layout; the anchor keeps its place, or the window the very top. */
  commit(model: Model, anchor: Anchor | undefined): void {
    const y = anchor ? this.yOf(anchor, model) : this.y;
    this.model = model;
    const focused = document.activeElement?.id;
    this.stage.setModel(model);
    this.#moveTo(Math.min(y, Math.max(-this.#top, model.height - this.#view + this.lead)));
    this.draw(true);
    if (focused && document.activeElement === document.body && focused.startsWith('a-')) document.getElementById(focused)?.focus({ preventScroll: true });
    document.body.dispatchEvent(new CustomEvent(GRID_LAYOUT_EVENT));
  }
  /** Draws what is near; `still` where nothing flies past. */
  draw(still: boolean): void {
    const { model } = this;
    if (model.count === 0) return;
    const y = this.y;
    const over = this.#view * OVERSCAN;
    const last = this.whole || this.#complete ? model.rowCount : Math.max(1, model.rowCount - 1);
    const seen = { from: model.rowAt(y), end: Math.min(last, model.rowAt(y + this.#view) + 1) };
    let [from, end] = [model.rowAt(y - over), Math.min(last, model.rowAt(y + this.#view + over) + 1)];
    // Small tiles on a large screen: fewer of those that nobody sees yet.
    const tiles = (a: number, b: number) => (b > a ? model.row(b - 1).end - model.row(a).from : 0);
    if (tiles(from, end) > MAX_TILES) {
      const spare = Math.max(0, MAX_TILES - tiles(seen.from, seen.end)) / Math.max(1, tiles(from, end) - tiles(seen.from, seen.end));
      from = seen.from - Math.floor((seen.from - from) * spare);
      end = seen.end + Math.floor((end - seen.end) * spare);
    }
    let came = this.stage.draw(from, end, still);
    if (still) {
      came = this.stage.fill() || came;
      if (this.whole && seen.end > seen.from) {
        const [near, after] = [model.row(from), model.row(Math.max(from, end - 1))];
        this.pieces.want(model, { from: model.row(seen.from).from, end: model.row(seen.end - 1).end }, { from: near.from, end: after.end });
      }
    }
    if (came) this.#tellTiles();
    this.moved?.();
  }

  /** Asks for the whole layout and puts the page's tiles into it. Rejects where it cannot be had. */
  async open(begin: { group: number; offset: number } | undefined, target: (model: Model) => Anchor | { index: number } | undefined): Promise<void> {
    await this.#update(true, begin, target);
  }

  async #update(fresh: boolean, begin?: { group: number; offset: number }, target?: (model: Model) => Anchor | { index: number } | undefined): Promise<void> {
    const since = fresh ? 0 : this.#version;
    const answer = await fetch(`/grid/layout?of=${encodeURIComponent(this.of)}${since > 0 ? `&since=${since}` : ''}`);
    if (!answer.ok) throw new Error(`${answer.status}`);
    const layout = readLayout(await answer.text());
    const old = new Map(this.model.groups.map((group) => [group.key, group]));
    const changed = new Map<number, Group>();
    let slice = performance.now();
    for (const each of layout.groups) {
      const group = readGroup(each);
      const known = old.get(group.key);
      // Nobody counts these: what looks the same is the same.
      if (this.whole && known && known.version === group.version && isSame(known, group)) continue;
      changed.set(group.key, group);
      if (performance.now() - slice > SLICE_MS) { await rest(); slice = performance.now(); }
    }
    const keys = new Set(layout.keys);
    const kept = layout.keys.every((key) => changed.has(key) || (this.whole && old.has(key)));
    // What is not there and has not come: the months are another's than those of before.
    if (!kept) { if (!fresh) await this.#update(true); return; }
    this.#version = layout.version;
    if (this.whole && changed.size === 0 && [...old.keys()].every((key) => keys.has(key))) return;
    let sizes: PageSizes;
    do {
      sizes = this.#sizes;
      for (const group of changed.values()) {
        this.#lay(group, layout.by);
        if (performance.now() - slice > SLICE_MS) { await rest(); slice = performance.now(); }
      }
    } while (sizes !== this.#sizes);
    const model = new Model(layout.by, layout.keys.map((key) => changed.get(key) ?? old.get(key) as Group), sizes);
    if (!this.whole) { this.#join(model, begin, target); return; }
    let anchor = this.anchor();
    const free = this.mayMove?.() ?? true;
    const before = this.count;
    const index = anchor ? indexOf(anchor, this.model) : 0;
    if (anchor && changed.has(anchor.key) && anchor.sha) anchor = { ...anchor, ...await this.#locate(anchor.sha, model) };
    // At the top but busy: what is seen stays, and the new is above it.
    if (!anchor && !free && this.count > 0) {
      const sha = this.pieces.hash(this.model, 0);
      const place = sha ? await this.#locate(sha, model) : undefined;
      if (place) anchor = { key: place.key, offset: place.offset, dy: this.model.row(0).top - this.y, sha, version: 0 };
    }
    const y = anchor ? this.yOf(anchor, model) : this.y;
    // What will be seen is there before it is shown, so that nothing blinks.
    if (model.count > 0) await this.pieces.load(model, model.row(model.rowAt(y)).from, model.row(model.rowAt(y + this.#view)).end);
    this.commit(sizes === this.#sizes ? model : this.#relaid(model), anchor);
    for (const [key, group] of old) if (!keys.has(key) || changed.has(key)) this.pieces.forget(group);
    if (anchor && model.count > before && indexOf(anchor, model) > index) this.grewAbove?.();
  }
  /** Whether things may move for what is new; and what is called when it came where it is not seen. */
  mayMove: (() => boolean) | undefined;
  grewAbove: (() => void) | undefined;

  /** The first whole layout: the page's own tiles are put into it, and stay where they are seen. */
  #join(model: Model, begin: { group: number; offset: number } | undefined, target: ((model: Model) => Anchor | { index: number } | undefined) | undefined): void {
    const g = begin ? model.groupByKey(begin.group) : this.model.groups[0] ? model.groupByKey(this.model.groups[0].key) : -1;
    const first = g < 0 ? -1 : (model.start[g] as number) + (begin?.offset ?? 0);
    if (g < 0 || first >= model.count) throw new Error('the page is not of this grid');
    const pageVersion = Number(this.element.dataset['version'] ?? 0);
    let at = 0;
    for (let h = g; h < model.groups.length && at < this.#tiles.length; h++) {
      const group = model.groups[h] as Group;
      const offset = Math.max(0, first + at - (model.start[h] as number));
      const tiles = this.#tiles.slice(at, at + group.levels.length - offset);
      at += tiles.length;
      const fits = group.version <= pageVersion && tiles.every((tile, i) => ratioLevel(ratioOf(tile)) === group.levels[offset + i]);
      if (fits) this.pieces.adopt(group, offset, tiles);
    }
    const y = this.y;
    const shift = this.model.count > 0 ? model.row(model.rowOf(first)).top - this.model.row(0).top : 0;
    for (const group of this.model.groups) this.pieces.forget(group);
    const to = target?.(model);
    this.whole = true;
    this.model = model;
    this.stage.setModel(model);
    this.#moveTo(to === undefined ? y + shift : 'index' in to ? 0 : this.yOf(to));
    if (to && 'index' in to) this.jumpToTile(to.index);
    else this.draw(true);
    document.body.dispatchEvent(new CustomEvent(GRID_LAYOUT_EVENT));
  }
  /** Where an asset stands in the whole grid; null where it stands there no more. Rejects where it cannot be asked. */
  locate(sha: string): Promise<{ group: number; offset: number } | null> {
    return askJson(`/grid/locate?of=${encodeURIComponent(this.of)}&sha256=${sha}`);
  }
  async #locate(sha: string, model: Model): Promise<{ key: number; offset: number } | undefined> {
    try {
      const at = await this.locate(sha);
      return at === null || model.groupByKey(at.group) < 0 ? undefined : { key: at.group, offset: at.offset };
    } catch { return undefined; }
  }
  /** The key of the piece that holds an index, and where that begins. */
  #cutAt(model: Model, index: number): { from: number; key: string } {
    const g = model.groupOf(index);
    const group = model.groups[g] as Group;
    const base = model.start[g] as number;
    const piece = Math.floor((index - base) / PIECE_TILES);
    const key = group.cuts[piece];
    if (key === undefined) throw new Error('the grid is changing');
    return { from: base + piece * PIECE_TILES, key };
  }

  #lay(group: Group, by: GridLayout['by']): Group { layGroup(group, by, this.#sizes, this.#parts); return group; }
  #relaid(model: Model): Model { for (const group of model.groups) this.#lay(group, model.by); return new Model(model.by, model.groups, this.#sizes); }

  /** Sizes have changed: the page's, or those that the reader chose. */
  resize(): void {
    const anchor = this.anchor();
    this.#sizes = readSizes(this.element);
    this.#measure();
    this.#view = innerHeight;
    this.commit(this.#relaid(this.model), anchor);
  }
  #resized(): void {
    const sizes = readSizes(this.element);
    if (sizes.width !== this.#sizes.width || sizes.row !== this.#sizes.row || sizes.gap !== this.#sizes.gap) this.resize();
    else { this.#measure(); this.#queue(); }
  }
  #measure(): void { this.#top = Math.round(this.element.getBoundingClientRect().top + scrollY); }

  #moveTo(y: number): void {
    const span = { total: this.model.height, max: this.#maxSpan, origin: this.#origin };
    this.#origin = spanOrigin(span, y, this.#view);
    this.stage.setOrigin(this.#origin);
    const height = `${spanHeight(span)}px`;
    if (this.element.style.height !== height) this.element.style.height = height;
    const to = Math.round(y - this.#origin + this.#top);
    if (to !== Math.round(scrollY)) scrollTo({ top: to, behavior: 'instant' });
  }
  #queue(): void {
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame((ms) => this.#frame(ms));
  }
  #frame(ms: number): void {
    this.#queued = false;
    const y = this.y;
    const origin = spanOrigin({ total: this.model.height, max: this.#maxSpan, origin: this.#origin }, y, this.#view);
    if (origin !== this.#origin) this.#moveTo(y);
    const speed = this.#lastMs === 0 ? 0 : Math.abs(y - this.#lastY) / Math.max(1, ms - this.#lastMs) / this.#view * 1000;
    this.#lastY = y;
    this.#lastMs = ms;
    this.#fast = speed > FLING;
    this.draw(!this.#fast);
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => this.#settled(), SETTLED_MS);
  }
  #settled(): void {
    this.#lastMs = 0;
    if (this.#fast) { this.#fast = false; this.draw(true); }
    if (this.whole && this.count > 0) this.pieces.sweep(this.model, this.model.row(this.model.rowAt(this.y)).from);
    this.rested?.();
  }
  #stale(): void {
    const wait = this.#staleMs + STALE_AFTER_MS - performance.now();
    clearTimeout(this.#staleTimer);
    this.#staleTimer = setTimeout(() => {
      this.#staleMs = performance.now();
      const before = this.model;
      // Nothing changed, or it could not be asked: the pieces are asked for once more all the same.
      void this.refresh().catch(() => undefined).then(() => { if (this.model === before) { this.pieces.trustAgain(); this.draw(true); } });
    }, Math.max(0, wait));
  }
  #tellTiles(): void { document.body.dispatchEvent(new CustomEvent(GRID_TILES_EVENT)); }
}

async function askJson<T>(address: string): Promise<T> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return await answer.json() as T;
}
function indexOf(anchor: Anchor, model: Model): number {
  return (model.start[Math.max(0, model.groupByKey(anchor.key))] as number) + anchor.offset;
}
function isSame(a: Group, b: Group): boolean {
  return a.levels.length === b.levels.length && a.cuts.every((cut, i) => cut === b.cuts[i]) && a.levels.every((level, i) => level === b.levels[i]);
}
function rest(): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve); });
}
