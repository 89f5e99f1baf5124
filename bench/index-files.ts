// Makes the files that `bench index` reads: 12-megapixel JPEGs as a camera writes them (own content each, EXIF, small
// embedded thumbnail absent as in most exports), and HEICs from ../shared/media where that exists.
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { makeScene } from '../scripts/demo-scenes.ts';
import { findSharedMedia } from '../test/support/shared-media.ts';

const MEGAPIXELS_12 = { width: 4032, height: 3024 };

/** JPEGs of 12 MP and some 4 MB: painted scenes with sensor noise, so that decoding costs what a photo costs. */
export async function makeJpegs(dir: string, count: number): Promise<string[]> {
  mkdirSync(dir, { recursive: true });
  const paths: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const path = join(dir, `DSC_${1000 + i}.jpg`);
    paths.push(path);
    if (existsSync(path)) continue;
    const scene = await makeScene(i);
    const noise = await sharp({ create: { ...MEGAPIXELS_12, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 9 } } }).png({ compressionLevel: 0 }).toBuffer();
    const bytes = await sharp(scene.bytes).resize(MEGAPIXELS_12.width, MEGAPIXELS_12.height, { fit: 'cover' }).composite([{ input: noise, blend: 'soft-light' }])
      .jpeg({ quality: 90 }).keepExif().toBuffer();
    writeFileSync(path, bytes);
  }
  return paths;
}

/** Real HEICs with the sizes that phones write, each also in variants with a few bytes behind its end, so that every hash differs. */
export function copyHeics(dir: string, variants: number): string[] {
  const media = findSharedMedia().dir;
  if (media === undefined) return [];
  mkdirSync(dir, { recursive: true });
  const paths: string[] = [];
  for (const name of readdirSync(join(media, 'heic')).filter((n) => /\.hei[cf]$/i.test(n))) {
    for (let v = 0; v < variants; v += 1) {
      const path = join(dir, `${v}-${name}`);
      paths.push(path);
      if (existsSync(path)) continue;
      if (v === 0) copyFileSync(join(media, 'heic', name), path);
      // A `free` box of eight bytes is what the format itself calls padding.
      else writeFileSync(path, Buffer.concat([readFileSync(join(media, 'heic', name)), ...Array.from({ length: v }, () => Buffer.from([0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65]))]));
    }
  }
  return paths;
}
