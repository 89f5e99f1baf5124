// Where the model's files are and what they are: the owner's folder or our own, the architecture, the dtype, the revision.
// Reads and checks; fetches nothing (download.ts) and runs nothing (towers.ts).
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import * as z from 'zod';
import { ModelDamaged, ModelMissing } from './embedder.ts';
import { readPictureShape, type PictureShape } from './picture.ts';
import { DTYPES, MODEL_FILES, type Dtype, type Profile } from './profiles.ts';
import type { Architecture, TowerSpec } from './towers.ts';

/** A folder with a model that looks whole. Its weights have not been read yet. */
export interface Model {
  dir: string;
  /** For people and for the name of the space. */
  name: string;
  dtype: Dtype;
  vision: TowerSpec;
  text: TowerSpec;
}

/** `siglip2` is what newer exports may call themselves; those of a fixed size work alike. */
const Config = z.object({
  model_type: z.enum(['clip', 'siglip', 'siglip2']).transform((t): Architecture => (t === 'clip' ? 'clip' : 'siglip')),
  text_config: z.object({ max_position_embeddings: z.int().min(4).max(4_096).optional() }).optional(),
});
const MAX_TOKENS: Record<Architecture, number> = { clip: 77, siglip: 64 };
const MAX_JSON_BYTES = 1_000_000;

/** What to do where no model is, in a sentence. */
export function howToGet(profile: Profile): string {
  return `Give a folder with --model-dir DIR that holds ${MODEL_FILES.filter((f) => f !== 'tokenizer_config.json').join(', ')} (${profile.model}, about ${profile.downloadMb} MB).`;
}

/** The folder within the owner's that holds the model: itself, or named after the model as the hub lays it out. Throws ModelMissing. */
export async function findInFolder(modelDir: string, profile: Profile): Promise<{ dir: string; name: string }> {
  const short = posix.basename(profile.model);
  for (const dir of [modelDir, join(modelDir, ...profile.model.split('/')), join(modelDir, short)]) {
    if (await isFile(join(dir, 'config.json'))) return { dir, name: basename(dir) === short ? profile.model : basename(dir).slice(0, 200) };
  }
  throw new ModelMissing(`There is no search model in ${modelDir}: config.json is missing there. ${howToGet(profile)}`);
}

/** Reads and checks all but the weights. Throws ModelMissing for a file that is not there, ModelDamaged for one that cannot be used. */
export async function readModel(dir: string, name: string, profile: Profile): Promise<Model> {
  const config = Config.safeParse(await readJson(dir, 'config.json', profile));
  if (!config.success) throw new ModelDamaged(`${join(dir, 'config.json')} is not of a CLIP or SigLIP model: ${config.error.issues[0]?.path.join('.') ?? ''} ${config.error.issues[0]?.message ?? ''}`);
  const shape = shapeOf(await readJson(dir, 'preprocessor_config.json', profile), dir);
  await checkTokenizer(dir, profile);
  const { files, dtype } = await findWeights(dir, profile);
  const architecture = config.data.model_type;
  const common = { dir, architecture, shape, maxTokens: config.data.text_config?.max_position_embeddings ?? MAX_TOKENS[architecture] };
  return { dir, name, dtype, vision: { ...common, tower: 'vision', file: files.vision }, text: { ...common, tower: 'text', file: files.text } };
}

function shapeOf(json: unknown, dir: string): PictureShape {
  try { return readPictureShape(json); } catch (error) { throw new ModelDamaged(`${join(dir, 'preprocessor_config.json')} cannot be used: ${(error as Error).message}`); }
}

async function findWeights(dir: string, profile: Profile): Promise<{ files: { vision: string; text: string }; dtype: Dtype }> {
  for (const [suffix, dtype] of DTYPES) {
    const files = { vision: `onnx/vision_model${suffix}.onnx`, text: `onnx/text_model${suffix}.onnx` };
    if (await isFile(join(dir, files.vision)) && await isFile(join(dir, files.text))) return { files, dtype };
  }
  throw new ModelMissing(`The search model in ${dir} is not whole: onnx/vision_model_quantized.onnx and onnx/text_model_quantized.onnx (or both of another dtype) are not both there. ${howToGet(profile)}`);
}

async function readJson(dir: string, file: string, profile: Profile): Promise<unknown> {
  const path = join(dir, file);
  let text: string;
  try {
    if ((await stat(path)).size > MAX_JSON_BYTES) throw new ModelDamaged(`${path} is too large to be what its name says`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof ModelDamaged) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new ModelMissing(`The search model in ${dir} is not whole: ${file} is missing. ${howToGet(profile)}`);
    throw new ModelDamaged(`${path} cannot be read: ${(error as Error).message}`);
  }
  try { return JSON.parse(text) as unknown; } catch { throw new ModelDamaged(`${path} is no JSON${/^\s*</.test(text) ? ' but a web page' : ''}`); }
}

/** Its ends alone: the large model's vocabulary has 34 MB, which only the process that needs it reads. */
async function checkTokenizer(dir: string, profile: Profile): Promise<void> {
  const path = join(dir, 'tokenizer.json');
  if (!await isFile(path)) throw new ModelMissing(`The search model in ${dir} is not whole: tokenizer.json is missing. ${howToGet(profile)}`);
  if (!await looksLikeJson(path)) throw new ModelDamaged(`${path} is no JSON object, or not a whole one`);
}

/** Whether a file begins and ends as an object in JSON does. */
export async function looksLikeJson(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const ends = [0, Math.max(0, size - 64)].map(async (at) => { const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, at); return buffer.toString('latin1', 0, bytesRead).trim(); });
    const [start = '', end = ''] = await Promise.all(ends);
    return start.startsWith('{') && end.endsWith('}');
  } finally { await file.close(); }
}

async function isFile(path: string): Promise<boolean> {
  try { return (await stat(path)).isFile(); } catch { return false; }
}

/** What was once found out about weights at a place, so that 400 MB are not hashed at each start. */
const Known = z.object({ stamp: z.string(), revision: z.string().regex(/^[0-9a-f]{12}$/), dimension: z.int().positive() });
export type KnownModel = z.infer<typeof Known>;
const KnownModels = z.record(z.string(), Known);
const knownPath = (cacheDir: string): string => join(cacheDir, 'known-models.json');

/** Changes when one of the files does that make a vector. */
export async function stampModel(model: Model): Promise<string> {
  const files = ['config.json', 'preprocessor_config.json', 'tokenizer.json', ...weightFiles(model)];
  const parts = await Promise.all(files.map(async (file) => { const s = await stat(join(model.dir, file)); return `${file} ${s.size} ${s.mtimeMs}`; }));
  return parts.join('\n');
}

/** What is known of the model while its files are as they were. */
export async function recallModel(cacheDir: string, model: Model, stamp: string): Promise<KnownModel | undefined> {
  const known = (await readKnown(cacheDir))[model.dir];
  return known?.stamp === stamp ? known : undefined;
}

/** Keeps it; that it cannot be written costs the next start a second. */
export async function rememberModel(cacheDir: string, model: Model, known: KnownModel): Promise<void> {
  const all = { ...await readKnown(cacheDir), [model.dir]: known };
  const part = `${knownPath(cacheDir)}.${process.pid}.part`;
  try {
    await mkdir(cacheDir, { recursive: true });
    await writeFile(part, JSON.stringify(all));
    await rename(part, knownPath(cacheDir));
  } catch { /* hashed again at the next start */ }
}

async function readKnown(cacheDir: string): Promise<z.infer<typeof KnownModels>> {
  try { return KnownModels.parse(JSON.parse(await readFile(knownPath(cacheDir), 'utf8'))); } catch { return {}; }
}

/** First 12 hex digits of the SHA-256 over both towers' weights. */
export async function hashModel(model: Model, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for (const file of weightFiles(model)) {
    for await (const chunk of createReadStream(join(model.dir, file), { highWaterMark: 1_048_576, signal })) hash.update(chunk as Buffer);
  }
  return hash.digest('hex').slice(0, 12);
}

function weightFiles(model: Model): string[] { return [model.vision.file, model.text.file]; }

/** Whether the model is all there in our own folder, where only whole files ever get their names. */
export async function isDownloaded(dir: string): Promise<boolean> {
  return (await Promise.all(MODEL_FILES.map((file) => isFile(join(dir, file))))).every(Boolean);
}

/** Our own folder for a profile's model. */
export function cachedDir(cacheDir: string, profile: Profile): string { return join(cacheDir, ...profile.model.split('/')); }

