// Pixels to renditions: sizes, resizing, WebP. Knows nothing of files or formats.
import { GRID_HEIGHT_PX, GRID_MAX_WIDTH_PX, PREVIEW_LONG_PX, RENDITION_EFFORT, RENDITION_QUALITY } from '../../protocol/limits.ts';
import type { Look } from '../catalog/looks.ts';
import { meanColor } from './color.ts';
import { lookOf } from './look.ts';
import type { Sharp, SharpOptions } from 'sharp';

/** 8-bit interleaved pixels, sRGB unless said otherwise: grey, grey+alpha, RGB or RGBA. */
export interface Pixels { data: Buffer; width: number; height: number; channels: 1 | 2 | 3 | 4 }
export interface Size { width: number; height: number }

/** How every rendition is encoded. */
export const WEBP = { quality: RENDITION_QUALITY, effort: RENDITION_EFFORT } as const;
/** Longest side that WebP can hold, with which extreme panoramas must make do. */
const WEBP_MAX_PX = 16_383;

/** Size of the grid rendition of an upright picture; never larger than the picture. */
export function gridSize(width: number, height: number): Size {
  return scaled(width, height, Math.min(1, GRID_HEIGHT_PX / height, GRID_MAX_WIDTH_PX / width));
}

export function previewSize(width: number, height: number): Size {
  return scaled(width, height, Math.min(1, PREVIEW_LONG_PX / Math.max(width, height)));
}

function scaled(width: number, height: number, scale: number): Size {
  const side = (n: number) => Math.min(WEBP_MAX_PX, Math.max(1, Math.round(n * scale)));
  return { width: side(width), height: side(height) };
}

let loaded: Promise<typeof import('sharp').default> | undefined;
/** sharp, loaded at first need, with one thread an operation: the pool of operations is what uses the cores. */
export function loadSharp(): Promise<typeof import('sharp').default> {
  loaded ??= import('sharp').then(({ default: sharp }) => { sharp.concurrency(1); sharp.cache(false); return sharp; });
  return loaded;
}

/** Runs a pipeline to 8-bit sRGB pixels of exactly `size`. */
export async function toPixels(pipeline: Sharp, size: Size): Promise<Pixels> {
  const { data, info } = await pipeline.resize(size.width, size.height, { fit: 'fill', withoutEnlargement: false }).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels as Pixels['channels'] };
}

export async function fromPixels(pixels: Pixels, options: SharpOptions = {}): Promise<Sharp> {
  const sharp = await loadSharp();
  return sharp(pixels.data, { ...options, raw: { width: pixels.width, height: pixels.height, channels: pixels.channels } });
}

export async function toWebp(pixels: Pixels): Promise<Buffer> {
  return (await fromPixels(pixels)).webp(WEBP).toBuffer();
}

export interface RenderedGrid { bytes: Buffer; color: string | null; look: Look | null }

/** The grid rendition of pixels that are at least as large (a preview's, usually), the mean colour, and what it looks like. */
export async function renderGrid(pixels: Pixels, size: Size): Promise<RenderedGrid> {
  const small = pixels.width === size.width && pixels.height === size.height ? pixels : await toPixels(await fromPixels(pixels), size);
  const [bytes, look] = await Promise.all([toWebp(small), fromPixels(small).then(lookOf)]);
  return { bytes, color: meanColor(small), look };
}

/** Both renditions from pixels of the preview's size. */
export async function renderBoth(preview: Pixels, grid: Size): Promise<{ preview: Buffer; grid: RenderedGrid }> {
  const [previewBytes, gridDone] = await Promise.all([toWebp(preview), renderGrid(preview, grid)]);
  return { preview: previewBytes, grid: gridDone };
}
