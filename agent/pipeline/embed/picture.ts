// A picture made ready for a vision tower: decoded and shrunk by sharp to exactly the model's size (transformers.js shrinks
// without a low-pass filter), as the numbers that the model was trained on. Nothing resizes it after that.
import type { KernelEnum } from 'sharp';
import * as z from 'zod';
import { loadSharp } from '../render.ts';

const Edge = z.int().min(8).max(4_096);
const Box = z.object({ height: Edge, width: Edge });
const Triple = z.tuple([z.number(), z.number(), z.number()]);

/** The part of preprocessor_config.json that is used. */
const PreprocessorConfig = z.object({
  image_mean: Triple, image_std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]),
  rescale_factor: z.number().positive().default(1 / 255),
  do_normalize: z.boolean().default(true),
  do_center_crop: z.boolean().nullish(),
  resample: z.int().default(3),
  size: z.union([Edge, z.object({ shortest_edge: Edge }), Box]),
  crop_size: z.union([Edge, Box]).nullish(),
});

export interface PictureShape {
  widthPx: number; heightPx: number;
  /** Shrinks so that the shorter side is this long and cuts out the middle; null squashes the whole picture into the box. */
  shortestPx: number | null;
  kernel: keyof KernelEnum;
  scale: number; mean: [number, number, number]; std: [number, number, number];
}

/** PIL's numbers for its filters, as sharp calls the same. */
const KERNELS: Record<number, keyof KernelEnum> = { 0: 'nearest', 1: 'lanczos3', 2: 'linear', 3: 'cubic' };

/** Throws with a sentence for a configuration that cannot be followed. */
export function readPictureShape(json: unknown): PictureShape {
  const parsed = PreprocessorConfig.safeParse(json);
  if (!parsed.success) throw new Error(`${parsed.error.issues[0]?.path.join('.') ?? ''}: ${parsed.error.issues[0]?.message ?? ''}`);
  const c = parsed.data;
  const kernel = KERNELS[c.resample] ?? 'cubic';
  const numbers = { scale: c.rescale_factor, mean: c.do_normalize ? c.image_mean : [0, 0, 0] as [number, number, number], std: c.do_normalize ? c.image_std : [1, 1, 1] as [number, number, number] };
  if (typeof c.size === 'object' && 'height' in c.size) return { widthPx: c.size.width, heightPx: c.size.height, shortestPx: null, kernel, ...numbers };
  const shortestPx = typeof c.size === 'number' ? c.size : c.size.shortest_edge;
  const crop = c.do_center_crop === false || c.crop_size === null || c.crop_size === undefined ? shortestPx : c.crop_size;
  const box = typeof crop === 'number' ? { width: crop, height: crop } : crop;
  if (box.width > shortestPx || box.height > shortestPx) throw new Error('crop_size: larger than the picture that it is cut from');
  return { widthPx: box.width, heightPx: box.height, shortestPx, kernel, ...numbers };
}

/** Three planes of numbers, red first, as the tower takes them. Throws for what sharp cannot read whole. */
export async function readPicture(bytes: Uint8Array, shape: PictureShape): Promise<Float32Array> {
  const sharp = await loadSharp();
  const { widthPx, heightPx, shortestPx, kernel } = shape;
  let picture = sharp(bytes).autoOrient();
  if (shortestPx === null) picture = picture.resize(widthPx, heightPx, { fit: 'fill', kernel });
  else {
    picture = picture.resize(shortestPx, shortestPx, { fit: 'cover', kernel });
    if (widthPx !== shortestPx || heightPx !== shortestPx) picture = picture.extract({ left: Math.floor((shortestPx - widthPx) / 2), top: Math.floor((shortestPx - heightPx) / 2), width: widthPx, height: heightPx });
  }
  // What is transparent is seen on white.
  const { data, info } = await picture.flatten({ background: '#ffffff' }).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const area = widthPx * heightPx;
  if (info.channels !== 3 || data.length !== area * 3) throw new Error(`the picture has ${info.channels} channels where 3 are read`);
  return normalised(data, area, shape);
}

/** By tables: there are only 256 values, and this runs for every picture between two calls of the model. */
function normalised(rgb: Uint8Array, area: number, { scale, mean, std }: PictureShape): Float32Array {
  const [red, green, blue] = [0, 1, 2].map((k) => Float32Array.from({ length: 256 }, (_, v) => (v * scale - (mean[k] as number)) / (std[k] as number))) as [Float32Array, Float32Array, Float32Array];
  const out = new Float32Array(area * 3);
  for (let i = 0, at = 0; i < area; i += 1, at += 3) {
    out[i] = red[rgb[at] as number] as number;
    out[area + i] = green[rgb[at + 1] as number] as number;
    out[2 * area + i] = blue[rgb[at + 2] as number] as number;
  }
  return out;
}
