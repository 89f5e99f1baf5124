// One character an asset is all that the layout of the timeline needs: its aspect ratio, quantised.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Ratios from 1:8 to 8:1 on 63 logarithmic steps (so that a square is exact); a step is 6.8 %, so a tile is at most 3.4 % off and cropped to fit. */
const OCTAVES = 3;

/** The character for `width / height`; unknown or absurd sizes are shown as squares. */
export function ratioChar(width: number | null, height: number | null): string {
  const r = width && height && width > 0 && height > 0 ? width / height : 1;
  const level = Math.round(((Math.log2(r) + OCTAVES) / (2 * OCTAVES)) * 62);
  return ALPHABET[Math.min(62, Math.max(0, level))] as string;
}

/** The ratio that a character stands for. Throws where it is none of ours. */
export function charRatio(char: string): number {
  const level = ALPHABET.indexOf(char);
  if (level < 0 || char.length !== 1) throw new Error(`not a ratio character: ${JSON.stringify(char)}`);
  return 2 ** ((level / 62) * 2 * OCTAVES - OCTAVES);
}
