// One tower of a model, loaded through transformers.js from a folder, with one thread. Runs in a process of its own (tower-worker.ts).
// One picture or text at a time: in an 8-bit model what else is in a batch changes the numbers, and the same text must
// always give the same vector.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toUnit } from '../../../protocol/vector.ts';
import type { PictureShape } from './picture.ts';

export type Architecture = 'clip' | 'siglip';

/** What a process needs to know to load its tower. */
export interface TowerSpec {
  dir: string;
  tower: 'vision' | 'text';
  /** Path of the weights within `dir`, such as `onnx/text_model_quantized.onnx`. */
  file: string;
  architecture: Architecture;
  shape: PictureShape;
  maxTokens: number;
}

/** A tower that cannot be loaded; `file` is what of the folder is at fault. */
export class TowerUnloadable extends Error {
  readonly file: string;
  constructor(file: string, message: string) { super(message); this.name = 'TowerUnloadable'; this.file = file; }
}

export interface VisionTower { embed(pixels: Float32Array): Promise<Float32Array> }
export interface TextTower { embed(text: string): Promise<Float32Array> }

type Library = typeof import('@huggingface/transformers');
let loaded: Promise<Library> | undefined;

/** The library, which is told to use no network and to print nothing. */
function loadLibrary(): Promise<Library> {
  loaded ??= import('@huggingface/transformers').then((library) => {
    Object.assign(library.env, { allowRemoteModels: false, useFSCache: false, logLevel: library.LogLevel.NONE });
    return library;
  });
  return loaded;
}

/** The weights as transformers.js' model of this architecture. Throws TowerUnloadable. */
async function loadWeights(spec: TowerSpec) {
  const library = await loadLibrary();
  const models = {
    clip: { vision: library.CLIPVisionModelWithProjection, text: library.CLIPTextModelWithProjection },
    siglip: { vision: library.SiglipVisionModel, text: library.SiglipTextModel },
  };
  const name = spec.file.replace(/^onnx\//, '').replace(/\.onnx$/, '');
  try {
    return await models[spec.architecture][spec.tower].from_pretrained(spec.dir, {
      // The file is named whole, so the name of the dtype that adds nothing to it.
      model_file_name: name, dtype: 'fp32', device: 'cpu', local_files_only: true,
      session_options: { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' },
    });
  } catch (error) { throw new TowerUnloadable(spec.file, firstLine(error)); }
}

/** Loads the tower of pictures. Throws TowerUnloadable. */
export async function loadVision(spec: TowerSpec): Promise<VisionTower> {
  const { Tensor } = await loadLibrary();
  const model = await loadWeights(spec);
  const dims = [1, 3, spec.shape.heightPx, spec.shape.widthPx];
  return { embed: async (pixels) => vectorOf(await model({ pixel_values: new Tensor('float32', pixels, dims) }), spec) };
}

/** Loads the tower of words. Throws TowerUnloadable. */
export async function loadText(spec: TowerSpec): Promise<TextTower> {
  const { PreTrainedTokenizer, Tensor } = await loadLibrary();
  const model = await loadWeights(spec);
  let tokenizer: InstanceType<typeof PreTrainedTokenizer>;
  try {
    const config = await readFile(join(spec.dir, 'tokenizer_config.json'), 'utf8').catch(() => '{}');
    tokenizer = new PreTrainedTokenizer(JSON.parse(await readFile(join(spec.dir, 'tokenizer.json'), 'utf8')) as object, JSON.parse(config) as object);
  } catch (error) { throw new TowerUnloadable('tokenizer.json', firstLine(error)); }
  const siglip = spec.architecture === 'siglip';
  const padding = tokenizer.pad_token_id ?? 0;
  return {
    async embed(text) {
      // SigLIP was trained on small letters, and reads the last of its 64 places, so that all of them must be there.
      const ids = tokenizer.encode(siglip ? text.toLowerCase() : text);
      // The end's token stays where the text is cut: CLIP reads the vector there.
      const cut = ids.length > spec.maxTokens ? [...ids.slice(0, spec.maxTokens - 1), ids.at(-1) as number] : ids;
      if (siglip) while (cut.length < spec.maxTokens) cut.push(padding);
      const tensor = (values: readonly number[]) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
      return vectorOf(await model({ input_ids: tensor(cut), attention_mask: tensor(cut.map(() => 1)) }), spec);
    },
  };
}

/** Averages over several prompts; each counts the same. */
export async function embedPrompts(tower: TextTower, prompts: readonly string[]): Promise<Float32Array> {
  const units: Float32Array[] = [];
  for (const prompt of prompts) units.push(toUnit(await tower.embed(prompt)));
  return toUnit(Float32Array.from(units[0] ?? [], (_, i) => units.reduce((sum, unit) => sum + (unit[i] as number), 0) / units.length));
}

function vectorOf(outputs: Record<string, { data: unknown; dims: readonly number[] } | undefined>, spec: TowerSpec): Float32Array {
  const name = spec.architecture === 'siglip' ? 'pooler_output' : spec.tower === 'vision' ? 'image_embeds' : 'text_embeds';
  const output = outputs[name];
  if (!output || output.dims.length !== 2 || output.dims[0] !== 1 || !(output.data instanceof Float32Array)) throw new TowerUnloadable(spec.file, `it gives no vector called ${name}`);
  return output.data;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 300) ?? '';
}
