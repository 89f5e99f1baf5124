// Pictures that show something, by number: soft colours under sharp shapes, so that no two look alike, and versions of one as
// programs make them (other sizes, qualities, brightness, a slight crop).
import sharp, { type Sharp } from 'sharp';
import { seededRandom } from '../../agent/files/faults.ts';

export interface SceneSize { width: number; height: number }

/** Pixels of scene `seed`; `moved` shifts what stands in front by that share of the width, as from one moment to the next. */
export async function sceneOf(seed: number, { width, height }: SceneSize = { width: 800, height: 600 }, moved = 0): Promise<Sharp> {
  const random = seededRandom(seed);
  const ground = Buffer.from(Array.from({ length: 7 * 5 * 3 }, () => Math.floor(random() * 256)));
  const back = await sharp(ground, { raw: { width: 7, height: 5, channels: 3 } }).resize(width, height, { fit: 'fill', kernel: 'cubic' }).png().toBuffer();
  const shapes = Array.from({ length: 14 }, (_, i) => {
    const front = i === 13;
    const [x, y, r, c] = [(front ? 0.25 + moved : random()) * width, random() * height, (front ? 0.12 : 0.04 + random() * 0.12) * width, Math.floor(random() * 0xffffff)];
    const fill = `#${c.toString(16).padStart(6, '0')}`;
    return i % 2 === 0 ? `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}"/>` : `<rect x="${x - r}" y="${y - r / 2}" width="${2 * r}" height="${r}" fill="${fill}" transform="rotate(${Math.floor(random() * 180)} ${x} ${y})"/>`;
  });
  return sharp(await sharp(back).composite([{ input: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`) }]).png({ compressionLevel: 1 }).toBuffer());
}

/** What programs make of a picture without making it another one. */
export const VERSIONS: Record<string, (picture: Sharp, size: SceneSize) => Sharp> = {
  half: (p, { width }) => p.resize(Math.round(width / 2)).jpeg({ quality: 85 }),
  sent: (p) => p.resize(500, 500, { fit: 'inside' }).jpeg({ quality: 55 }),
  poor: (p) => p.jpeg({ quality: 25 }),
  brighter: (p) => p.modulate({ brightness: 1.12 }).jpeg(),
  darker: (p) => p.modulate({ brightness: 0.8 }).jpeg(),
  cropped: (p, { width, height }) => p.extract({ left: Math.round(width * 0.005), top: Math.round(height * 0.005), width: Math.round(width * 0.99), height: Math.round(height * 0.99) }).jpeg(),
};
