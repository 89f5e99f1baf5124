// One core's share of the bare loop that `bench index` is measured against: hash, one decode, two WebPs. Nothing else.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import sharp, { type Sharp } from 'sharp';
import decode from 'heic-decode';
import { GRID_HEIGHT_PX, GRID_MAX_WIDTH_PX, PREVIEW_LONG_PX, RENDITION_EFFORT, RENDITION_QUALITY } from '../protocol/limits.ts';

sharp.concurrency(1);
sharp.cache(false);
const webp = { quality: RENDITION_QUALITY, effort: RENDITION_EFFORT };

for (const path of workerData as string[]) {
  const bytes = readFileSync(path);
  createHash('sha256').update(bytes).digest('hex');
  let decoded: Sharp;
  if (/\.hei[cf]$/i.test(path)) {
    const image = await decode({ buffer: bytes });
    decoded = sharp(image.data, { raw: { width: image.width, height: image.height, channels: 4 } });
  } else decoded = sharp(bytes).rotate();
  const preview = await decoded.resize(PREVIEW_LONG_PX, PREVIEW_LONG_PX, { fit: 'inside', withoutEnlargement: true }).raw().toBuffer({ resolveWithObject: true });
  const from = sharp(preview.data, { raw: { width: preview.info.width, height: preview.info.height, channels: preview.info.channels } });
  await from.clone().webp(webp).toBuffer();
  await from.clone().resize(GRID_MAX_WIDTH_PX, GRID_HEIGHT_PX, { fit: 'inside' }).webp(webp).toBuffer();
}
parentPort?.postMessage('done');
