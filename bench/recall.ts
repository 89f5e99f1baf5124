// bench recall: how often a caption finds its own picture among the first 1, 5 and 10, for the model whose weights are given by
// MODEL_DIR (PROFILE says which of the two it is taken for). The gallery is CAPTIONS, a JSON file
// [{file, captions: […]}] beside its pictures, or shared/media/caption-search where it is. Without weights there is nothing to
// measure, and that is said.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import * as z from 'zod';
import { openEmbedder } from '../agent/pipeline/embed/open.ts';
import { previewSize, WEBP } from '../agent/pipeline/render.ts';
import { spaceKey, SearchProfile } from '../protocol/vector.ts';
import { findSharedMedia } from '../test/support/shared-media.ts';

const Gallery = z.array(z.object({ file: z.string(), captions: z.array(z.string().min(1)).min(1) })).min(2);
const AT = [1, 5, 10] as const;

function skip(reason: string): never {
  console.log(`Nothing was measured: ${reason}`);
  console.log(JSON.stringify({ bench: 'recall', skipped: reason }));
  process.exit(0);
}

const modelDir = process.env['MODEL_DIR'];
if (!modelDir) skip('MODEL_DIR names no folder with the weights of a model');
const shared = findSharedMedia();
const captions = process.env['CAPTIONS'] ?? (shared.dir === undefined ? skip(shared.reason) : join(shared.dir, 'caption-search', 'captions.json'));
if (!existsSync(captions)) skip(`there is no ${captions}`);
const gallery = Gallery.parse(JSON.parse(readFileSync(captions, 'utf8')));

const temp = mkdtempSync(join(tmpdir(), 'jharokha-bench-recall-'));
const embedder = await openEmbedder({ profile: SearchProfile.parse(process.env['PROFILE'] ?? 'standard'), modelDir, cacheDir: temp }, { workers: availableParallelism() });
try {
  /** As the agent would see it: through the preview. */
  const pictures = await Promise.all(gallery.map(async ({ file }) => {
    const picture = sharp(readFileSync(join(dirname(captions), file))).autoOrient();
    const { width, height } = (await picture.metadata()).autoOrient;
    const size = previewSize(width, height);
    return embedder.embedImage(await picture.resize(size.width, size.height, { fit: 'fill' }).webp(WEBP).toBuffer());
  }));
  const texts = gallery.flatMap(({ captions: all }, i) => all.map((text) => ({ text, i })));
  const vectors = await embedder.embedTexts(texts.map((t) => t.text));
  const ranks = vectors.map((query, k) => {
    const scores = pictures.map((picture) => picture.reduce((sum, v, j) => sum + v * (query[j] as number), 0));
    const own = scores[texts[k]?.i ?? -1] as number;
    // Ties count against it.
    return scores.filter((s) => s >= own).length;
  });
  const recall = Object.fromEntries(AT.map((n) => [`recall_${n}`, Number((ranks.filter((r) => r <= n).length / ranks.length).toFixed(3))]));
  console.log(`${spaceKey(embedder.space)}: ${texts.length} captions against ${gallery.length} pictures; ${AT.map((n) => `recall@${n} ${recall[`recall_${n}`]}`).join(', ')}`);
  console.log(JSON.stringify({ bench: 'recall', space: spaceKey(embedder.space), gallery: gallery.length, captions: texts.length, ...recall }));
} finally {
  await embedder.close();
  rmSync(temp, { recursive: true, force: true });
}
