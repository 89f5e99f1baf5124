// The tiles of a grid: asked for in runs by key, kept a while outside the DOM, given up where the reader passed by.
import { PIECE_TILES } from '../../../protocol/limits.ts';
import type { Group, Model } from './model.ts';
import { tileHash } from './view.ts';

/** Questions on their way at once; the rest of a browser's six connections is for pictures. */
const MAX_ASKED = 3;
/** Tiles kept, in the DOM and out of it. */
const MAX_KEPT = 3_000;
const RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;

interface Run { model: Model; from: number; end: number; pieces: { group: Group; piece: number }[]; stop: AbortController }
interface Shelf { tiles: (HTMLElement | undefined)[]; have: Uint8Array; asked: Uint8Array }
export interface PieceNews {
  /** Tiles `[from, end)` of this model are there. */
  came(model: Model, from: number, end: number): void;
  /** What came does not belong to this layout: it has changed. */
  stale(): void;
  /** Asking fails at present, or no longer. */
  trouble(failing: boolean): void;
}

export class Pieces {
  /** What the titles of days say of the place. */
  readonly places = new Map<number, string>();
  readonly #of: string;
  readonly #news: PieceNews;
  readonly #shelves = new WeakMap<Group, Shelf>();
  readonly #byHash = new Map<string, { group: Group; offset: number }>();
  #runs: Run[] = [];
  #kept: { group: Group; piece: number; count: number }[] = [];
  #failures = 0;
  #outdated: Model | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #want: (() => void) | undefined;

  constructor(of: string, news: PieceNews) {
    this.#of = of;
    this.#news = news;
    addEventListener('online', () => this.#again());
  }

  tile(model: Model, index: number): HTMLElement | undefined {
    const g = model.groupOf(index);
    const group = model.groups[g];
    return group && this.#shelves.get(group)?.tiles[index - (model.start[g] as number)];
  }
  hash(model: Model, index: number): string | undefined {
    const tile = this.tile(model, index);
    return tile && tileHash(tile);
  }
  find(model: Model, sha256: string): number | undefined {
    const known = this.#byHash.get(sha256);
    const g = known ? model.groups.indexOf(known.group) : -1;
    return known && g >= 0 ? (model.start[g] as number) + known.offset : undefined;
  }

  /** Puts tiles that are there already (those of the page) in their place. */
  adopt(group: Group, offset: number, tiles: readonly HTMLElement[]): void {
    const shelf = this.#shelf(group);
    tiles.forEach((tile, i) => this.#put(group, shelf, offset + i, tile));
    for (let piece = Math.floor(offset / PIECE_TILES); piece * PIECE_TILES < offset + tiles.length; piece++) {
      const end = Math.min(group.levels.length, (piece + 1) * PIECE_TILES);
      let whole = true;
      for (let i = piece * PIECE_TILES; i < end && whole; i++) whole = shelf.tiles[i] !== undefined;
      if (whole && !shelf.have[piece]) this.#keep(group, shelf, piece, end - piece * PIECE_TILES);
    }
  }
  /** Lets go of a group that is no longer part of the layout. */
  forget(group: Group): void {
    for (const tile of this.#shelves.get(group)?.tiles ?? []) if (tile && this.#byHash.get(tileHash(tile))?.group === group) this.#byHash.delete(tileHash(tile));
    this.#shelves.delete(group);
    this.#kept = this.#kept.filter((each) => each.group !== group);
  }
  /** All tiles of a group as far as they are known, to be put in another. */
  known(group: Group): readonly (HTMLElement | undefined)[] {
    return this.#shelves.get(group)?.tiles ?? [];
  }

  /** Asks for what is missing of `[from, end)`, first for what is seen, and lets go of questions about what is not near. */
  want(model: Model, seen: { from: number; end: number }, near: { from: number; end: number }): void {
    this.#want = () => this.want(model, seen, near);
    for (const run of this.#runs) if (run.model === model && (run.end <= near.from || run.from >= near.end)) run.stop.abort();
    // A layout that is known to be old is not asked with: the new one is on its way.
    if (this.#retry !== undefined || model === this.#outdated) return;
    for (const range of [seen, { from: seen.end, end: near.end }, { from: near.from, end: seen.from }]) this.#askRange(model, range.from, range.end, MAX_ASKED);
  }
  /** Everything of `[from, end)` of a model that is not shown yet; resolves also where it could not be had. */
  async load(model: Model, from: number, end: number): Promise<void> {
    await Promise.allSettled(this.#askRange(model, from, end, Infinity));
  }
  /** Asks anew for these, although they are there: they waited for a picture. */
  async renew(model: Model, from: number, end: number): Promise<void> {
    this.#eachPiece(model, from, end, (_group, shelf, piece) => { shelf.have[piece] = 0; });
    await this.load(model, from, end);
  }

  /** The layout was asked for and is as it was. */
  trustAgain(): void { this.#outdated = undefined; }

  #askRange(model: Model, from: number, end: number, most: number): Promise<void>[] {
    const asked: Promise<void>[] = [];
    let run: Run | undefined;
    const send = () => { if (run) asked.push(this.#ask(run)); run = undefined; };
    this.#eachPiece(model, from, end, (group, shelf, piece, start, stop) => {
      if (this.#runs.length + (run ? 1 : 0) > most) return false;
      if (shelf.have[piece] || shelf.asked[piece]) { send(); return start < end; }
      // Small groups are joined until a run is about a piece.
      if (run && stop - run.from > PIECE_TILES) send();
      if (start >= end && !run) return false;
      if (!run && this.#runs.length >= most) return false;
      run ??= { model, from: start, end: stop, pieces: [], stop: new AbortController() };
      run.end = stop;
      run.pieces.push({ group, piece });
      return true;
    });
    send();
    return asked;
  }
  /** Calls for each piece from `from` on until told to stop; beyond `end` too, for small groups are joined. */
  #eachPiece(model: Model, from: number, end: number, each: (group: Group, shelf: Shelf, piece: number, start: number, stop: number) => boolean | void): void {
    if (model.count === 0 || from >= end) return;
    for (let g = model.groupOf(from); g < model.groups.length; g++) {
      const group = model.groups[g] as Group;
      const base = model.start[g] as number;
      const shelf = this.#shelf(group);
      for (let piece = Math.max(0, Math.floor((from - base) / PIECE_TILES)); piece < group.cuts.length; piece++) {
        const start = base + piece * PIECE_TILES;
        const stop = Math.min(base + group.levels.length, start + PIECE_TILES);
        const goOn = each(group, shelf, piece, start, stop);
        if (goOn === false || (goOn === undefined && stop >= end)) return;
      }
    }
  }

  async #ask(run: Run): Promise<void> {
    const first = run.pieces[0];
    const from = first?.group.cuts[first.piece];
    if (!first || from === undefined) return;
    this.#runs.push(run);
    for (const { group, piece } of run.pieces) this.#shelf(group).asked[piece] = 1;
    let html: string | undefined;
    try {
      const answer = await fetch(`/grid/piece?of=${encodeURIComponent(this.#of)}&from=${encodeURIComponent(from)}&n=${run.end - run.from}`, { signal: run.stop.signal });
      if (!answer.ok) throw new Error(`${answer.status}`);
      html = await answer.text();
    } catch { /* said below */ }
    for (const { group, piece } of run.pieces) this.#shelf(group).asked[piece] = 0;
    this.#runs = this.#runs.filter((each) => each !== run);
    if (html === undefined) {
      if (!run.stop.signal.aborted) this.#fail();
    } else {
      if (this.#failures > 0) { this.#failures = 0; this.#news.trouble(false); }
      this.#take(run, html);
    }
    if (this.#retry === undefined) this.#want?.();
  }

  #take(run: Run, html: string): void {
    const holder = document.createElement('template');
    holder.innerHTML = html;
    const facts = holder.content.querySelector('template');
    const versions = JSON.parse(facts?.dataset['versions'] ?? '{}') as Record<string, number>;
    for (const [day, text] of Object.entries(JSON.parse(facts?.dataset['places'] ?? '{}') as Record<string, string>)) if (!this.places.has(Number(day))) this.places.set(Number(day), text);
    const tiles = [...holder.content.querySelectorAll<HTMLElement>('.tile')];
    let at = 0;
    let stale = tiles.length !== run.end - run.from;
    for (const { group, piece } of run.pieces) {
      const start = piece * PIECE_TILES;
      const count = Math.min(group.levels.length, start + PIECE_TILES) - start;
      // A month that is no longer counted is gone.
      if (group.version !== 0 && versions[group.key] !== group.version) stale = true;
      else if (at + count <= tiles.length) {
        const shelf = this.#shelf(group);
        for (let i = 0; i < count; i++) this.#put(group, shelf, start + i, this.#used(shelf.tiles[start + i], tiles[at + i] as HTMLElement));
        this.#keep(group, shelf, piece, count);
      }
      at += count;
    }
    this.#news.came(run.model, run.from, run.end);
    if (stale) { this.#outdated = run.model; this.#news.stale(); }
  }

  /** The element that shows the same already, so that nothing flashes; else the new one. */
  #used(before: HTMLElement | undefined, tile: HTMLElement): HTMLElement {
    const known = this.#byHash.get(tileHash(tile));
    const old = before?.id === tile.id ? before : known && this.#shelves.get(known.group)?.tiles[known.offset];
    return old && old.getAttribute('href') === tile.getAttribute('href') && old.getAttribute('aria-label') === tile.getAttribute('aria-label') && pictureOf(old) === pictureOf(tile) ? old : tile;
  }
  #put(group: Group, shelf: Shelf, offset: number, tile: HTMLElement): void {
    shelf.tiles[offset] = tile;
    this.#byHash.set(tileHash(tile), { group, offset });
  }
  #keep(group: Group, shelf: Shelf, piece: number, count: number): void {
    shelf.have[piece] = 1;
    this.#kept.push({ group, piece, count });
  }
  /** Lets go of what is far from here. */
  sweep(model: Model, index: number): void {
    let total = this.#kept.reduce((n, each) => n + each.count, 0);
    if (total <= MAX_KEPT) return;
    const far = new Map(model.groups.map((group, g) => [group, model.start[g] as number]));
    const distance = (each: { group: Group; piece: number }) => Math.abs((far.get(each.group) ?? Infinity) + each.piece * PIECE_TILES - index);
    this.#kept.sort((a, b) => distance(a) - distance(b));
    for (let last = this.#kept.at(-1); last && total > MAX_KEPT; last = this.#kept.at(-1)) {
      this.#kept.pop();
      total -= last.count;
      const shelf = this.#shelf(last.group);
      shelf.have[last.piece] = 0;
      for (let i = last.piece * PIECE_TILES; i < last.piece * PIECE_TILES + last.count; i++) {
        const tile = shelf.tiles[i];
        // What is looked at stays, however far it seems.
        if (tile && !tile.isConnected) { this.#byHash.delete(tileHash(tile)); shelf.tiles[i] = undefined; }
      }
    }
  }

  #fail(): void {
    this.#failures += 1;
    this.#news.trouble(true);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#again(), Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (this.#failures - 1)));
  }
  #again(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#want?.();
  }
  #shelf(group: Group): Shelf {
    let shelf = this.#shelves.get(group);
    if (!shelf) this.#shelves.set(group, shelf = { tiles: [], have: new Uint8Array(group.cuts.length), asked: new Uint8Array(group.cuts.length) });
    return shelf;
  }
}

/** Of a picture whose loading was put off as well. */
function pictureOf(tile: Element): string | undefined {
  const image = tile.querySelector('img');
  return image?.dataset['src'] ?? image?.getAttribute('src') ?? undefined;
}
