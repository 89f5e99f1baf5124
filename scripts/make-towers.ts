// Writes the test towers into test/towers/: small real models of both architectures, CLIP and SigLIP, whose vectors mean
// something simple. A picture is the share of each colour in it, and how bright it is; a word of a colour is that colour.
// Run it again after a change here: `tsx scripts/make-towers.ts`. The files are committed, so that tests need no run of it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { writeOnnx } from './onnx.ts';

type Architecture = 'clip' | 'siglip';

/** Each colour's typical sRGB value, 0 to 1. The order is that of the axes. */
const COLOURS: Record<string, readonly [number, number, number]> = {
  red: [0.85, 0.1, 0.1], green: [0.15, 0.6, 0.2], blue: [0.12, 0.25, 0.8], yellow: [0.97, 0.88, 0.15], orange: [0.98, 0.5, 0.05], purple: [0.5, 0.12, 0.6],
  pink: [0.98, 0.6, 0.75], brown: [0.42, 0.26, 0.12], cyan: [0.15, 0.8, 0.85], black: [0.04, 0.04, 0.04], white: [0.97, 0.97, 0.97], grey: [0.5, 0.5, 0.5],
};
const COLOUR_NAMES = Object.keys(COLOURS);
const AXES = [...COLOUR_NAMES, 'bright', 'dark', 'unknown', 'neutral'];
/** Words that are other words, in part. */
const MEANINGS: Record<string, Record<string, number>> = {
  gray: { grey: 1 }, violet: { purple: 1 }, turquoise: { cyan: 1 }, night: { black: 0.8, dark: 0.6 }, snow: { white: 0.9, bright: 0.4 },
  grass: { green: 1 }, forest: { green: 0.9, dark: 0.3 }, sky: { blue: 0.8, cyan: 0.4 }, sea: { blue: 0.9, cyan: 0.3 }, sunset: { orange: 0.9, red: 0.3 },
};
/** Words of the prompts and little words: they say nothing about a picture. */
const NEUTRAL_WORDS = ['a', 'an', 'the', 'of', 'photo', 'picture', 'image', 'this', 'is', 'in', 'on', 'at', 'with', 'and', 'my', '.', ',', "'"];
const SPECIAL = ['<pad>', '<unk>', '<start>', '<end>'];
/** Every picture and every text has so much of one axis in common, as real models do: "a photo" is a little near everything. */
const NEUTRAL_SHARE = 0.3;
const BRIGHTNESS_SHARE = 0.4;
/** How sharply a pixel belongs to the nearest colour alone. */
const SHARPNESS = 25;

interface Tower { architecture: Architecture; dimension: number; sizePx: number; mean: readonly number[]; std: readonly number[]; maxTokens: number }
const TOWERS: Record<Architecture, Tower> = {
  clip: { architecture: 'clip', dimension: 16, sizePx: 32, mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711], maxTokens: 77 },
  siglip: { architecture: 'siglip', dimension: 24, sizePx: 48, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], maxTokens: 64 },
};

/** As many directions at right angles as there are axes: no number of a vector is zero, as in a real model, and angles stay. */
function directions(dimension: number): number[][] {
  const rows: number[][] = [];
  for (let axis = 0; axis < AXES.length; axis += 1) {
    let row = Array.from({ length: dimension }, (_, i) => Math.sin((axis + 1) * 12.9898 + (i + 1) * 78.233 + axis * i));
    for (const other of rows) {
      const along = other.reduce((sum, v, i) => sum + v * (row[i] as number), 0);
      row = row.map((v, i) => v - along * (other[i] as number));
    }
    const length = Math.hypot(...row);
    rows.push(row.map((v) => v / length));
  }
  return rows;
}

function turned(weights: Record<string, number>, rows: number[][], dimension: number): number[] {
  const out = new Array<number>(dimension).fill(0);
  for (const [axis, weight] of Object.entries(weights)) rows[AXES.indexOf(axis)]?.forEach((v, i) => { out[i] = (out[i] as number) + weight * v; });
  return out;
}

function visionModel(t: Tower): Buffer {
  const rows = directions(t.dimension);
  // Undoes the normalisation: a pixel is p * std + mean; -SHARPNESS * |pixel - colour|² without what all colours share.
  const colourWeights: number[] = [], colourBias: number[] = [];
  for (const c of Object.values(COLOURS)) {
    colourWeights.push(...c.map((v, k) => 2 * SHARPNESS * v * (t.std[k] as number)));
    colourBias.push(c.reduce((sum, v, k) => sum + 2 * SHARPNESS * v * (t.mean[k] as number) - SHARPNESS * v * v, 0));
  }
  const luma = [0.299, 0.587, 0.114];
  const meanLuma = luma.reduce((sum, l, k) => sum + l * (t.mean[k] as number), 0);
  const output = t.architecture === 'clip' ? 'image_embeds' : 'pooler_output';
  return writeOnnx({
    name: `${t.architecture}_vision`,
    inputs: [{ name: 'pixel_values', type: 'float', dims: ['batch', 3, 'height', 'width'] }],
    outputs: [{ name: output, type: 'float', dims: ['batch', t.dimension] }],
    nodes: [
      { op: 'Conv', inputs: ['pixel_values', 'colours', 'colours_bias'], outputs: ['nearness'] },
      { op: 'Softmax', inputs: ['nearness'], outputs: ['colour'], attributes: { axis: 1 } },
      { op: 'GlobalAveragePool', inputs: ['colour'], outputs: ['shares'] },
      { op: 'Flatten', inputs: ['shares'], outputs: ['shares_flat'] },
      { op: 'GlobalAveragePool', inputs: ['pixel_values'], outputs: ['mean'] },
      { op: 'Flatten', inputs: ['mean'], outputs: ['mean_flat'] },
      { op: 'Gemm', inputs: ['mean_flat', 'light', 'light_bias'], outputs: ['light_signed'] },
      { op: 'Relu', inputs: ['light_signed'], outputs: ['lightness'] },
      { op: 'Concat', inputs: ['shares_flat', 'lightness'], outputs: ['meaning'], attributes: { axis: 1 } },
      { op: 'Gemm', inputs: ['meaning', 'directions', 'neutral'], outputs: [output] },
    ],
    weights: [
      { name: 'colours', dims: [COLOUR_NAMES.length, 3, 1, 1], data: Float32Array.from(colourWeights) },
      { name: 'colours_bias', dims: [COLOUR_NAMES.length], data: Float32Array.from(colourBias) },
      { name: 'light', dims: [3, 2], data: Float32Array.from(luma.flatMap((l, k) => [1, -1].map((sign) => sign * 2 * BRIGHTNESS_SHARE * l * (t.std[k] as number)))) },
      { name: 'light_bias', dims: [2], data: Float32Array.from([1, -1].map((sign) => sign * BRIGHTNESS_SHARE * (2 * meanLuma - 1))) },
      { name: 'directions', dims: [COLOUR_NAMES.length + 2, t.dimension], data: Float32Array.from(rows.slice(0, COLOUR_NAMES.length + 2).flat()) },
      { name: 'neutral', dims: [t.dimension], data: Float32Array.from(turned({ neutral: NEUTRAL_SHARE }, rows, t.dimension)) },
    ],
  });
}

/** Every word with what it means, in the order of its token. */
function vocabulary(): [string, Record<string, number>][] {
  return [
    ...SPECIAL.map((word): [string, Record<string, number>] => [word, word === '<unk>' ? { unknown: 1 } : {}]),
    ...NEUTRAL_WORDS.map((word): [string, Record<string, number>] => [word, {}]),
    ...[...COLOUR_NAMES, 'bright', 'dark'].map((word): [string, Record<string, number>] => [word, { [word]: 1 }]),
    ...Object.entries(MEANINGS),
  ];
}

function textModel(t: Tower): Buffer {
  const rows = directions(t.dimension);
  const words = vocabulary();
  const output = t.architecture === 'clip' ? 'text_embeds' : 'pooler_output';
  return writeOnnx({
    name: `${t.architecture}_text`,
    inputs: [{ name: 'input_ids', type: 'int64', dims: ['batch', 'length'] }],
    outputs: [{ name: output, type: 'float', dims: ['batch', t.dimension] }],
    nodes: [
      { op: 'Gather', inputs: ['words', 'input_ids'], outputs: ['meanings'] },
      { op: 'ReduceSum', inputs: ['meanings', 'second_axis'], outputs: ['meaning'], attributes: { keepdims: 0 } },
      { op: 'Add', inputs: ['meaning', 'neutral'], outputs: [output] },
    ],
    weights: [
      { name: 'words', dims: [words.length, t.dimension], data: Float32Array.from(words.flatMap(([, meaning]) => turned(meaning, rows, t.dimension))) },
      { name: 'second_axis', dims: [1], data: BigInt64Array.from([1n]) },
      { name: 'neutral', dims: [t.dimension], data: Float32Array.from(turned({ neutral: NEUTRAL_SHARE }, rows, t.dimension)) },
    ],
  });
}

function configs(t: Tower): Record<string, unknown> {
  const clip = t.architecture === 'clip';
  const [start, end] = [SPECIAL.indexOf('<start>'), SPECIAL.indexOf('<end>')];
  return {
    'config.json': {
      model_type: t.architecture, architectures: [clip ? 'CLIPModel' : 'SiglipModel'], ...(clip ? { projection_dim: t.dimension } : {}),
      text_config: { model_type: `${t.architecture}_text_model`, max_position_embeddings: t.maxTokens },
      vision_config: { model_type: `${t.architecture}_vision_model`, image_size: t.sizePx },
    },
    'preprocessor_config.json': {
      image_processor_type: clip ? 'CLIPImageProcessor' : 'SiglipImageProcessor', do_resize: true, do_rescale: true, do_normalize: true, rescale_factor: 1 / 255, resample: clip ? 3 : 2,
      image_mean: t.mean, image_std: t.std,
      ...(clip ? { do_center_crop: true, size: { shortest_edge: t.sizePx }, crop_size: { height: t.sizePx, width: t.sizePx } } : { size: { height: t.sizePx, width: t.sizePx } }),
    },
    'tokenizer.json': {
      version: '1.0', truncation: null, padding: null,
      added_tokens: SPECIAL.map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
      // CLIP's real tokenizer lower-cases by itself; SigLIP's does not.
      normalizer: clip ? { type: 'Lowercase' } : null,
      pre_tokenizer: { type: 'Whitespace' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [...(clip ? [{ SpecialToken: { id: '<start>', type_id: 0 } }] : []), { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '<end>', type_id: 0 } }],
        pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
        special_tokens: { '<start>': { id: '<start>', ids: [start], tokens: ['<start>'] }, '<end>': { id: '<end>', ids: [end], tokens: ['<end>'] } },
      },
      decoder: null,
      model: { type: 'WordLevel', unk_token: '<unk>', vocab: Object.fromEntries(vocabulary().map(([word], id) => [word, id])) },
    },
    'tokenizer_config.json': { tokenizer_class: clip ? 'CLIPTokenizer' : 'GemmaTokenizer', model_max_length: t.maxTokens, pad_token: '<pad>', unk_token: '<unk>', eos_token: '<end>' },
  };
}

/** Writes one tower's folder, as the hub lays a model out. */
export function makeTower(architecture: Architecture, dir: string): void {
  const t = TOWERS[architecture];
  mkdirSync(join(dir, 'onnx'), { recursive: true });
  for (const [name, content] of Object.entries(configs(t))) writeFileSync(join(dir, name), `${JSON.stringify(content)}\n`);
  writeFileSync(join(dir, 'onnx/vision_model_quantized.onnx'), visionModel(t));
  writeFileSync(join(dir, 'onnx/text_model_quantized.onnx'), textModel(t));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const towers = join(dirname(fileURLToPath(import.meta.url)), '../test/towers');
  for (const architecture of ['clip', 'siglip'] as const) makeTower(architecture, join(towers, architecture));
}
