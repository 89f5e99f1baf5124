// The exact layout of a whole grid: where every group, day, row and tile stands, from ratios alone. Pure.
import { readLevels, type GridLayout, type LayoutGroup } from '../../../protocol/layout.ts';
import { packRows, RATIOS, RowBuffer, type Rows, type RowSize } from './pack.ts';

/** Heights of what stands between the rows, and the rows' own measures, in CSS px. */
export interface Sizes extends RowSize { monthTitle: number; dayTitle: number; partTitle: number; partGap: number }
/** A named part of a grid without groups: from this tile on. */
export interface Part { at: number; title: string; words: string }

/** A run of rows under one title of its own: a day, or all of a group. */
export interface Section { day: number; part: Part | undefined; start: number; end: number; top: number; height: number; firstRow: number; endRow: number }
export interface Group {
  key: number; version: number; cuts: readonly string[]; levels: Uint8Array; days: readonly { day: number; start: number }[];
  /** What `lay` made of it. */
  sections: Section[]; rows: Rows; height: number;
}
/** A row as the stage draws it; `top` is within the whole grid, `inside` within its section. */
export interface RowPlace { group: number; section: number; row: number; top: number; inside: number; height: number; width: number; from: number; end: number }

const buffer = new RowBuffer();

/** What the wire says of a group, unpacked and not yet laid. */
export function readGroup(from: LayoutGroup): Group {
  const levels = new Uint8Array(from.days.reduce((n, { ratios }) => n + ratios.length, 0));
  let at = 0;
  const days = from.days.map(({ day, ratios }) => {
    readLevels(ratios, levels, at);
    const start = at;
    at += ratios.length;
    return { day, start };
  });
  return makeGroup(from, levels, days);
}
export function makeGroup({ key, version, cuts }: Pick<LayoutGroup, 'key' | 'version' | 'cuts'>, levels: Uint8Array, days: Group['days']): Group {
  return { key, version, cuts, levels, days, sections: [], rows: buffer.take(), height: 0 };
}

/** Gives a group its rows and its height. */
export function layGroup(group: Group, by: GridLayout['by'], sizes: Sizes, parts: readonly Part[]): void {
  const count = group.levels.length;
  const cutAt = by === 'none' ? parts.filter(({ at }) => at < count).map((part) => ({ day: 0, start: part.at, part })) : group.days.map((day) => ({ ...day, part: undefined }));
  const begins = cutAt.length === 0 && count > 0 ? [{ day: 0, start: 0, part: undefined }] : cutAt;
  let y = by === 'none' ? 0 : sizes.monthTitle;
  group.sections = begins.map(({ day, start, part }, i): Section => {
    const end = begins[i + 1]?.start ?? count;
    const firstRow = buffer.count;
    const top = y;
    const title = part ? sizes.partTitle : by === 'day' ? sizes.dayTitle : by === 'month' ? sizes.partGap : 0;
    y = packRows(group.levels, start, end, y + title, sizes, buffer);
    return { day, part, start, end, top, height: y - top, firstRow, endRow: buffer.count };
  });
  group.rows = buffer.take();
  group.height = y;
}

/** All groups in their order, laid, with what is needed to find anything by place or by number. */
export class Model {
  readonly by: GridLayout['by'];
  readonly groups: readonly Group[];
  readonly sizes: Sizes;
  readonly count: number;
  readonly rowCount: number;
  readonly height: number;
  /** Number of each group's first tile, first row, and its top; each with one more at the end. */
  readonly start: Float64Array;
  readonly rowStart: Float64Array;
  readonly top: Float64Array;

  constructor(by: GridLayout['by'], groups: readonly Group[], sizes: Sizes) {
    this.by = by;
    this.groups = groups;
    this.sizes = sizes;
    this.start = new Float64Array(groups.length + 1);
    this.rowStart = new Float64Array(groups.length + 1);
    this.top = new Float64Array(groups.length + 1);
    for (const [g, group] of groups.entries()) {
      this.start[g + 1] = at(this.start, g) + group.levels.length;
      this.rowStart[g + 1] = at(this.rowStart, g) + group.rows.first.length;
      this.top[g + 1] = at(this.top, g) + group.height;
    }
    this.count = at(this.start, groups.length);
    this.rowCount = at(this.rowStart, groups.length);
    this.height = at(this.top, groups.length);
  }

  /** The group that a tile's number lies in. */
  groupOf(index: number): number { return Math.max(0, Math.min(this.groups.length - 1, lastAtMost(this.start, index, this.groups.length))); }
  /** The group that stands at a height. */
  groupAt(y: number): number { return Math.max(0, Math.min(this.groups.length - 1, lastAtMost(this.top, y, this.groups.length))); }
  groupByKey(key: number): number { return this.groups.findIndex((group) => group.key === key); }

  /** The number of the row at a height, or of the nearest below a title. */
  rowAt(y: number): number {
    if (this.rowCount === 0) return 0;
    const g = this.groupAt(y);
    const tops = this.groups[g]?.rows.top ?? new Int32Array();
    const inside = y - at(this.top, g);
    return Math.min(this.rowCount - 1, at(this.rowStart, g) + Math.max(0, lastAtMost(tops, inside, tops.length)));
  }
  /** The row that a tile stands in. */
  rowOf(index: number): number {
    const g = this.groupOf(index);
    const first = this.groups[g]?.rows.first ?? new Uint32Array();
    return at(this.rowStart, g) + Math.max(0, lastAtMost(first, index - at(this.start, g), first.length));
  }
  row(row: number): RowPlace {
    const g = Math.max(0, lastAtMost(this.rowStart, row, this.groups.length));
    const group = this.groups[g] as Group;
    const r = row - at(this.rowStart, g);
    const section = lastSection(group.sections, r);
    const top = at(group.rows.top, r);
    const base = at(this.start, g);
    const endOfRow = r + 1 < group.rows.first.length ? at(group.rows.first, r + 1) : group.levels.length;
    return {
      group: g, section, row, top: at(this.top, g) + top, inside: top - (group.sections[section]?.top ?? 0), height: at(group.rows.height, r), width: at(group.rows.width, r),
      from: base + at(group.rows.first, r), end: base + endOfRow,
    };
  }

  ratio(index: number): number {
    const g = this.groupOf(index);
    return RATIOS[this.groups[g]?.levels[index - at(this.start, g)] ?? 31] ?? 1;
  }
  /** Left edge and width of a tile in its row. */
  boxOf(index: number, place = this.row(this.rowOf(index))): { left: number; width: number } {
    const gaps = this.sizes.gap * (place.end - place.from - 1);
    let sum = 0;
    let before = 0;
    for (let i = place.from; i < place.end; i++) { if (i === index) before = sum; sum += this.ratio(i); }
    const unit = (place.width - gaps) / sum;
    return { left: before * unit + (index - place.from) * this.sizes.gap, width: this.ratio(index) * unit };
  }
  /** The tile of a row whose box holds `x`, or the nearest. */
  tileInRow(row: number, x: number): number {
    const place = this.row(row);
    let best = place.from;
    for (let i = place.from; i < place.end; i++) { const box = this.boxOf(i, place); if (x >= box.left - this.sizes.gap / 2) best = i; }
    return best;
  }
  /** The neighbour as the eye sees it; the same tile at an end. */
  step(index: number, way: 'left' | 'right' | 'up' | 'down'): number {
    if (way === 'left') return Math.max(0, index - 1);
    if (way === 'right') return Math.min(this.count - 1, index + 1);
    const row = this.rowOf(index);
    const next = row + (way === 'up' ? -1 : 1);
    if (next < 0 || next >= this.rowCount) return index;
    const box = this.boxOf(index);
    const beside = this.row(next);
    const middle = box.left + box.width / 2;
    return middle > beside.width ? beside.end - 1 : this.tileInRow(next, middle);
  }
  /** The section that a tile lies in, by numbers. */
  rangeOf(index: number): { from: number; end: number } {
    const place = this.row(this.rowOf(index));
    const section = this.groups[place.group]?.sections[place.section];
    const base = at(this.start, place.group);
    return section ? { from: base + section.start, end: base + section.end } : { from: index, end: index + 1 };
  }
}

function lastSection(sections: readonly Section[], row: number): number {
  let low = 0;
  let high = sections.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((sections[middle]?.firstRow ?? 0) <= row) low = middle; else high = middle - 1;
  }
  return low;
}

/** The last of the first `n` numbers, which rise, that is at most `value`; -1 where none is. */
function lastAtMost(numbers: Float64Array | Int32Array | Uint32Array, value: number, n: number): number {
  let low = -1;
  let high = n - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((numbers[middle] as number) <= value) low = middle; else high = middle - 1;
  }
  return low;
}
function at(numbers: Float64Array | Int32Array | Uint32Array | Uint16Array, i: number): number {
  return numbers[i] as number;
}
