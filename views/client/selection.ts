// What is selected of a grid: runs of indices as long as its layout holds, and hashes, which outlive it. Pure; the gestures
// are select.ts's. Nothing here takes time by the tile but `unknown`, `list` and `moved`, however many are selected.

/** Whole numbers as sorted runs that neither overlap nor touch. */
export class Runs {
  /** from, end, from, end, …; an end is the first that is not in it. */
  #edges: number[];
  #size = 0;
  constructor(edges: readonly number[] = []) {
    this.#edges = [...edges];
    for (let i = 0; i < edges.length; i += 2) this.#size += (edges[i + 1] as number) - (edges[i] as number);
  }
  get size(): number { return this.#size; }
  copy(): Runs { return new Runs(this.#edges); }
  /** First and end of each run. */
  *all(): Generator<{ from: number; end: number }> {
    for (let i = 0; i < this.#edges.length; i += 2) yield { from: this.#edges[i] as number, end: this.#edges[i + 1] as number };
  }
  has(index: number): boolean { return this.#above(index) % 2 === 1; }
  add(from: number, end: number): void { this.#put(from, end, 1); }
  remove(from: number, end: number): void { this.#put(from, end, 0); }

  /** Edges that are at or below a number. */
  #above(index: number): number {
    let low = 0;
    let high = this.#edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#edges[middle] as number) <= index) low = middle + 1; else high = middle;
    }
    return low;
  }
  #put(from: number, end: number, inside: 0 | 1): void {
    if (end <= from) return;
    // Edges within [from, end] go; an end of its own is needed only where what it meets is of the other kind.
    const first = this.#above(from - 1);
    const last = this.#above(end);
    const edges: number[] = [];
    if (first % 2 !== inside) edges.push(from);
    if (last % 2 !== inside) edges.push(end);
    const gone = this.#edges.splice(first, last - first, ...edges);
    const sum = (list: readonly number[], at: number) => list.reduce((total, edge, i) => total + ((at + i) % 2 === 1 ? edge : -edge), 0);
    this.#size += sum(edges, first) - sum(gone, first);
  }
}

export class Selection {
  #runs = new Runs();
  /** Hashes by index, of whatever is known of this layout. */
  #hashes = new Map<number, string>();
  /** Selected, and where they stand is not known since the layout changed. */
  #afloat = new Set<string>();
  /** While a run is drawn: where it began, what was before it, and whether it selects. */
  #run: { anchor: number; on: boolean; base: Runs } | undefined;

  get count(): number { return this.#runs.size + this.#afloat.size; }
  /** Some stand at places that are not known. */
  get adrift(): boolean { return this.#afloat.size > 0; }
  /** Where a run from the last one begins. */
  get anchor(): number | undefined { return this.#run?.anchor; }

  /** Whether a tile that is seen is selected. One that was afloat has its place from here on. */
  meet(index: number, sha256: string): boolean {
    const known = this.#hashes.get(index);
    // The layout is not the one that it was taken for: from here on hashes alone are believed.
    if (known !== undefined && known !== sha256) this.#loosen();
    this.#hashes.set(index, sha256);
    if (this.#afloat.delete(sha256)) this.#runs.add(index, index + 1);
    return this.#runs.has(index);
  }
  has(index: number): boolean { return this.#runs.has(index); }

  /** Begins a run at an index, with that one alone. */
  begin(index: number, on: boolean): void {
    this.#run = { anchor: index, on, base: this.#runs.copy() };
    this.extend(index);
  }
  /** The run reaches from where it began to here, and no further than here. */
  extend(index: number): void {
    if (!this.#run) { this.begin(index, true); return; }
    const { anchor, on, base } = this.#run;
    this.#runs = base.copy();
    this.#set(Math.min(anchor, index), Math.max(anchor, index) + 1, on);
  }
  set(from: number, end: number, on: boolean): void {
    this.#run = undefined;
    this.#set(from, end, on);
  }
  hasAll(from: number, end: number): boolean {
    const rest = new Runs([from, end]);
    for (const run of this.#runs.all()) rest.remove(run.from, run.end);
    return rest.size === 0;
  }
  clear(): void {
    this.#runs = new Runs();
    this.#afloat.clear();
    this.#run = undefined;
  }
  #set(from: number, end: number, on: boolean): void {
    if (on) this.#runs.add(from, end); else this.#runs.remove(from, end);
    if (this.#afloat.size === 0) return;
    for (let i = from; i < end; i += 1) this.#afloat.delete(this.#hashes.get(i) ?? '');
  }

  /** What was asked for: the hashes from an index on, of this layout. */
  learn(from: number, hashes: readonly string[]): void {
    hashes.forEach((sha256, i) => {
      this.#hashes.set(from + i, sha256);
      // It was selected before under its hash, and now in a run: it counts once.
      if (this.#runs.has(from + i)) this.#afloat.delete(sha256);
    });
  }
  /** These are not selected, wherever they stand. */
  forget(hashes: readonly string[]): void { for (const sha256 of hashes) this.#afloat.delete(sha256); }
  /** These are, wherever they stand. */
  put(hashes: readonly string[], find: (sha256: string) => number | undefined): void {
    for (const sha256 of hashes) {
      const index = find(sha256);
      if (index === undefined) this.#afloat.add(sha256); else { this.#afloat.delete(sha256); this.#runs.add(index, index + 1); this.#hashes.set(index, sha256); }
    }
  }

  /** Runs of selected ones whose hashes are not known, each of at most `max`. */
  unknown(max: number): { from: number; end: number }[] {
    const out: { from: number; end: number }[] = [];
    for (const { from, end } of this.#runs.all()) {
      for (let i = from; i < end; i += 1) {
        if (this.#hashes.has(i)) continue;
        const last = out.at(-1);
        // A few that are known between two that are not cost less than another question.
        if (last && i < last.from + max && i - last.end < 100 && last.end >= from) last.end = i + 1; else out.push({ from: i, end: i + 1 });
      }
    }
    return out;
  }
  /** The hashes of all that are selected, as far as they are known. */
  list(): string[] {
    const out = [...this.#afloat];
    if (this.#hashes.size < this.#runs.size) {
      for (const [index, sha256] of this.#hashes) if (this.#runs.has(index)) out.push(sha256);
      return out;
    }
    for (const { from, end } of this.#runs.all()) for (let i = from; i < end; i += 1) { const sha256 = this.#hashes.get(i); if (sha256 !== undefined) out.push(sha256); }
    return out;
  }

  /** The layout is another one: hashes find their places, or wait for them. Returns how many were lost, for nobody had asked for their hashes. */
  moved(was: number, count: number, find: (sha256: string) => number | undefined): number {
    // Other sizes of the same: each that can be found stands where it stood.
    if (was === count && this.#standsStill(find)) { this.put([...this.#afloat], find); return 0; }
    const whole = was > 0 && this.#runs.size === was && this.#afloat.size === 0;
    const lost = this.#loosen();
    if (whole && lost > 0) { this.#afloat.clear(); this.#runs.add(0, count); return 0; }
    this.put([...this.#afloat], find);
    return lost;
  }
  #standsStill(find: (sha256: string) => number | undefined): boolean {
    for (const [index, sha256] of this.#hashes) if ((find(sha256) ?? index) !== index) return false;
    return true;
  }
  /** Hashes without places. Returns how many had no hash. */
  #loosen(): number {
    const kept = this.list();
    const lost = this.count - kept.length;
    this.#hashes.clear();
    this.clear();
    for (const sha256 of kept) this.#afloat.add(sha256);
    return lost;
  }
}
