// Opens the model of a profile: finds or fetches its files, sees that both towers work and make vectors of one length, and
// hands out an Embedder over their processes.
import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import type { VectorSpace } from '../../../protocol/vector.ts';
import { VECTOR_PREPROCESSING } from '../../../protocol/versions.ts';
import { downloadModel } from './download.ts';
import { ModelDamaged, ModelMissing, type Embedder, type ModelSource, type OpenEmbedder, type OpenOptions } from './embedder.ts';
import { cachedDir, findInFolder, hashModel, howToGet, isDownloaded, readModel, recallModel, rememberModel, stampModel, type Model } from './model.ts';
import { PROFILES, promptsOf } from './profiles.ts';
import { TowerPool } from './tower-pool.ts';
import { TowerUnloadable } from './towers.ts';

/** A model's memory is worth keeping between two pictures of a drive, not after them. */
const VISION_IDLE_MS = 30_000;
/** A query that has to load the tower first comes too late for its page. */
const TEXT_IDLE_MS = 15 * 60_000;

/** Throws ModelMissing or ModelDamaged with a sentence for people, or `signal`'s reason. */
export const openEmbedder: OpenEmbedder = async (source, options) => {
  const profile = PROFILES[source.profile];
  const owned = source.modelDir === null;
  const place = source.modelDir === null ? { dir: cachedDir(source.cacheDir, profile), name: profile.model } : await findInFolder(source.modelDir, profile);
  if (owned && !await isDownloaded(place.dir)) {
    if (options.download === false) throw new ModelMissing(`The search model ${profile.model} is not on this computer yet: npm start downloads it (about ${profile.downloadMb} MB). Or: ${howToGet(profile)}`);
    await downloadModel(place.dir, profile, options);
  }
  const model = await readModel(place.dir, place.name, profile).catch(async (error: unknown) => {
    if (owned && error instanceof ModelDamaged) await dropConfigs(place.dir);
    throw error;
  });
  options.signal?.throwIfAborted();
  const pools = {
    vision: new TowerPool({ spec: model.vision, size: Math.max(1, options.workers), idleMs: VISION_IDLE_MS, timeoutMs: options.jobTimeoutMs, script: options.script }),
    text: new TowerPool({ spec: model.text, size: 1, idleMs: TEXT_IDLE_MS, timeoutMs: options.jobTimeoutMs, script: options.script }),
  };
  const close = async (): Promise<void> => { await Promise.all([pools.vision.close(), pools.text.close()]); };
  const stop = (): void => { void close(); };
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const space = await spaceOf(source, model, pools, owned, options);
    return embedderOver(space, source, model, pools, close);
  } catch (error) {
    await close();
    options.signal?.throwIfAborted();
    throw error;
  } finally { options.signal?.removeEventListener('abort', stop); }
};

interface Pools { vision: TowerPool; text: TowerPool }

/** Finds out the revision and the dimension, or remembers them while no file has changed. */
async function spaceOf(source: ModelSource, model: Model, pools: Pools, owned: boolean, options: OpenOptions): Promise<VectorSpace> {
  const stamp = await stampModel(model);
  let known = await recallModel(source.cacheDir, model, stamp);
  if (!known) {
    const revision = await hashModel(model, options.signal);
    known = { stamp, revision, dimension: await probe(model, pools, owned) };
    options.signal?.throwIfAborted();
    await rememberModel(source.cacheDir, model, known);
  }
  return { profile: source.profile, model: model.name, revision: known.revision, dtype: model.dtype, preprocessing: VECTOR_PREPROCESSING, dimension: known.dimension };
}

/** Runs each tower once. Throws ModelDamaged; a file of our own that is at fault is removed, so that the next try fetches it again. */
async function probe(model: Model, pools: Pools, owned: boolean): Promise<number> {
  // One after the other: the second need not be loaded where the first is broken.
  const lengths: number[] = [];
  for (const pool of [pools.vision, pools.text]) {
    try { lengths.push((await pool.run({ kind: 'probe' })).length); } catch (error) {
      const spec = pool === pools.vision ? model.vision : model.text;
      const file = error instanceof TowerUnloadable ? error.file : spec.file;
      const message = error instanceof Error ? error.message : String(error);
      // A file that the machine had no memory for is a good file.
      const drop = owned && error instanceof TowerUnloadable && !/alloc|memory/i.test(message);
      if (drop) await rm(join(model.dir, file), { force: true });
      throw new ModelDamaged(`${join(model.dir, file)} cannot be used: ${message}${drop ? '. It was removed, so that the next try downloads it again' : ''}`);
    }
  }
  const [vision = 0, text = 0] = lengths;
  if (vision !== text) throw new ModelDamaged(`${join(model.dir, model.vision.file)} makes vectors of ${vision} numbers and ${model.text.file} of ${text}: they are not of one model`);
  return vision;
}

/** A half-written or foreign configuration in our own folder: all of the small files are fetched again. */
async function dropConfigs(dir: string): Promise<void> {
  for (const file of ['config.json', 'preprocessor_config.json', 'tokenizer_config.json', 'tokenizer.json']) await rm(join(dir, file), { force: true });
}

function embedderOver(space: VectorSpace, source: ModelSource, model: Model, pools: Pools, close: () => Promise<void>): Embedder {
  const damaged = (error: unknown): never => {
    if (error instanceof TowerUnloadable) throw new ModelDamaged(`${join(model.dir, error.file)} cannot be used: ${error.message}`);
    throw error;
  };
  const checked = (vector: Float32Array): Float32Array => {
    if (vector.length !== space.dimension) throw new ModelDamaged(`The search model in ${model.dir} has changed while it was in use`);
    return vector;
  };
  return {
    space,
    embedImage: (bytes) => pools.vision.run({ kind: 'picture', bytes }).then(checked, damaged),
    // The place within its own call is a text's turn, so that a single query overtakes a list of words.
    embedTexts: (texts) => Promise.all(texts.map((text, i) => pools.text.run({ kind: 'text', prompts: promptsOf(source.profile, text) }, i).then(checked, damaged))),
    close,
  };
}
