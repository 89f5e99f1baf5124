// One character an asset is all that the layout of the timeline needs: its aspect ratio, quantised.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Ratios from 1:8 to 8:1 on 63 logarithmic steps (so that a square is exact); a step is 6.8 %, so a tile is at most 3.4 % off and cropped to fit. */
const OCTAVES = 3;

/** The character for `width / height`; unknown or absurd sizes are shown as squares. */
export function ratioChar(width: number | null, height: number | null): string {
  return ALPHABET[ratioLevel(width && height && width > 0 && height > 0 ? width / height : 1)] as string;
}
/** The nearest level to a ratio. */
export function ratioLevel(ratio: number): number {
  return Math.min(62, Math.max(0, Math.round(((Math.log2(ratio) + OCTAVES) / (2 * OCTAVES)) * 62)));
}

/** The ratio that a character stands for. Throws where it is none of ours. */
export function charRatio(char: string): number {
  const level = ALPHABET.indexOf(char);
  if (level < 0 || char.length !== 1) throw new Error(`not a ratio character: ${JSON.stringify(char)}`);
  return levelRatio(level);
}

/** The ratio of a level, from 0 to 62. */
export function levelRatio(level: number): number {
  return 2 ** ((level / 62) * 2 * OCTAVES - OCTAVES);
}
const LEVELS = new Uint8Array(128).fill(255);
for (let level = 0; level < 63; level++) LEVELS[ALPHABET.charCodeAt(level)] = level;
/** Levels of a text of ratio characters, written into an array from a place on. Throws where one is none of ours. */
export function readLevels(text: string, into: Uint8Array, at: number): void {
  for (let i = 0; i < text.length; i++) {
    const level = LEVELS[text.charCodeAt(i)] ?? 255;
    if (level > 62) throw new Error(`not a ratio character: ${JSON.stringify(text[i])}`);
    into[at + i] = level;
  }
}

/** A run of tiles under one title: a month of the timeline, of a place or an album; all of a search. */
export interface LayoutGroup {
  /** yyyymm; 0 for what has no date, and for a grid without groups. */
  key: number;
  /** Moves with what is in it; 0 where nobody counts. */
  version: number;
  /** In the grid's order. `day` is the day of the month, 0 where days are not told apart; a ratio is one character (`ratioChar`). */
  days: { day: number; ratios: string }[];
  /** Keys of its first tile and of every 200th after it (`PIECE_TILES`): what a piece is asked for by. Opaque to a page. */
  cuts: string[];
}
export interface GridLayout {
  /** What the titles of the grid say. */
  by: 'day' | 'month' | 'none';
  /** The highest version of all: what a later question names as `since`. */
  version: number;
  /** Keys of all groups in the grid's order, of which `groups` holds those that changed since. */
  keys: number[];
  groups: LayoutGroup[];
}

/** The wire: one line of JSON, then a line a group. Some 1.03 bytes a tile and 14 a piece. */
export function writeLayout({ by, version, keys, groups }: GridLayout): string {
  const lines = [JSON.stringify({ by, version, keys })];
  for (const group of groups) lines.push(`${group.key} ${group.version} ${group.cuts.join(',')} ${group.days.map(({ day, ratios }) => String(day).padStart(2, '0') + ratios).join(',')}`);
  return lines.join('\n');
}

/** Throws where the text is not what `writeLayout` writes. */
export function readLayout(text: string): GridLayout {
  const end = text.indexOf('\n');
  const head = JSON.parse(end < 0 ? text : text.slice(0, end)) as Pick<GridLayout, 'by' | 'version' | 'keys'>;
  const groups = end < 0 ? [] : text.slice(end + 1).split('\n').map((line): LayoutGroup => {
    const [key, version, cuts, days] = line.split(' ');
    if (key === undefined || version === undefined || cuts === undefined || days === undefined) throw new Error(`not a layout: ${JSON.stringify(line.slice(0, 80))}`);
    return {
      key: Number(key), version: Number(version), cuts: cuts === '' ? [] : cuts.split(','),
      days: days === '' ? [] : days.split(',').map((part) => ({ day: Number(part.slice(0, 2)), ratios: part.slice(2) })),
    };
  });
  return { by: head.by, version: head.version, keys: head.keys, groups };
}

/** Where a tile stands in a grid that is in the order of (time, id), as an address says it. */
export function keyText(sortMs: number, assetId: number): string {
  return `${sortMs.toString(36)}.${assetId.toString(36)}`;
}
/** Undefined for anything that `keyText` does not write. */
export function parseKey(text: string): { sortMs: number; assetId: number } | undefined {
  const m = /^(-?[0-9a-z]{1,11})\.([0-9a-z]{1,11})$/.exec(text);
  if (!m) return undefined;
  const [sortMs, assetId] = [parseInt(m[1] ?? '', 36), parseInt(m[2] ?? '', 36)];
  return Number.isSafeInteger(sortMs) && Number.isSafeInteger(assetId) ? { sortMs, assetId } : undefined;
}
