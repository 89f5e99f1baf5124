// The committed test towers (scripts/make-towers.ts), and pictures that their vectors can tell apart.
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

/** Folder of a test tower, as --model-dir takes it. */
export function towerDir(architecture: 'clip' | 'siglip'): string {
  return fileURLToPath(new URL(`../towers/${architecture}`, import.meta.url));
}

export const RGB = { red: '#d81a1a', green: '#269933', blue: '#1f40cc', yellow: '#f7e026', orange: '#fa800d', purple: '#801f99', pink: '#fa99bf', black: '#0a0a0a', white: '#f7f7f7', grey: '#808080' } as const;
export type ColourName = keyof typeof RGB;

/** A picture of one colour with some of another at its left. */
export function colourPicture(colour: ColourName, options: { width?: number; height?: number; beside?: ColourName; share?: number; format?: 'jpeg' | 'png' | 'webp' } = {}): Promise<Buffer> {
  const { width = 160, height = 120, beside, share = 0.2, format = 'webp' } = options;
  const base = sharp({ create: { width, height, channels: 3, background: RGB[colour] } });
  const part = Math.max(1, Math.round(width * share));
  return (beside ? base.composite([{ input: { create: { width: part, height, channels: 3, background: RGB[beside] } }, left: 0, top: 0 }]) : base).toFormat(format).toBuffer();
}

export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
}
