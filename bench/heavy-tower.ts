// Models of a real one's cost without its weights: 16- or 32-pixel patches through layers of the real widths, random numbers in
// them. What it makes means nothing; how long it takes is what counts.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../agent/files/faults.ts';
import { writeOnnx, type OnnxNode, type OnnxTensor } from '../scripts/onnx.ts';

const WIDTH = 768;
const SIZE_PX = 224;
/** Layers of different weights; more would make the file larger and the run no slower. */
const DISTINCT = 2;

export interface Cost { patchPx: number; layers: number }

function numbers(name: string, dims: number[], random: () => number): OnnxTensor {
  const scale = 2 / Math.sqrt(dims.at(-2) ?? 1);
  return { name, dims, data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (random() - 0.5) * scale) };
}

/** Writes a model folder whose tower of pictures costs this much; `like` is a test tower to take the rest from. */
export function makeHeavyTower(dir: string, like: string, cost: Cost): void {
  const random = seededRandom(1);
  cpSync(like, dir, { recursive: true });
  mkdirSync(join(dir, 'onnx'), { recursive: true });
  const config = JSON.parse(readFileSync(join(dir, 'preprocessor_config.json'), 'utf8')) as { size: Record<string, number>; crop_size?: Record<string, number> };
  for (const sizes of [config.size, config.crop_size ?? {}]) for (const key of Object.keys(sizes)) sizes[key] = SIZE_PX;
  writeFileSync(join(dir, 'preprocessor_config.json'), JSON.stringify(config));
  const clip = config.crop_size !== undefined;
  const tokens = (SIZE_PX / cost.patchPx) ** 2;
  const weights: OnnxTensor[] = [
    numbers('patch', [WIDTH, 3, cost.patchPx, cost.patchPx], random),
    { name: 'as_tokens', dims: [3], data: BigInt64Array.from([1n, BigInt(WIDTH), BigInt(tokens)]) },
    ...Array.from({ length: DISTINCT }, (_, i) => [numbers(`up${i}`, [WIDTH, 4 * WIDTH], random), numbers(`down${i}`, [4 * WIDTH, WIDTH], random)]).flat(),
  ];
  const nodes: OnnxNode[] = [
    { op: 'Conv', inputs: ['pixel_values', 'patch'], outputs: ['patches'], attributes: { strides: [cost.patchPx, cost.patchPx] } },
    { op: 'Reshape', inputs: ['patches', 'as_tokens'], outputs: ['columns'] },
    { op: 'Transpose', inputs: ['columns'], outputs: ['x0'], attributes: { perm: [0, 2, 1] } },
  ];
  for (let i = 0; i < cost.layers; i += 1) nodes.push(
    { op: 'MatMul', inputs: [`x${i}`, `up${i % DISTINCT}`], outputs: [`wide${i}`] },
    { op: 'Tanh', inputs: [`wide${i}`], outputs: [`bent${i}`] },
    { op: 'MatMul', inputs: [`bent${i}`, `down${i % DISTINCT}`], outputs: [`back${i}`] },
    { op: 'Add', inputs: [`x${i}`, `back${i}`], outputs: [`x${i + 1}`] },
  );
  const output = clip ? 'image_embeds' : 'pooler_output';
  nodes.push({ op: 'ReduceMean', inputs: [`x${cost.layers}`], outputs: [output], attributes: { keepdims: 0, axes: [1] } });
  writeFileSync(join(dir, 'onnx/vision_model_quantized.onnx'), writeOnnx({ name: 'heavy', inputs: [{ name: 'pixel_values', type: 'float', dims: ['batch', 3, SIZE_PX, SIZE_PX] }], outputs: [{ name: output, type: 'float', dims: ['batch', WIDTH] }], nodes, weights }));
  writeFileSync(join(dir, 'onnx/text_model_quantized.onnx'), writeOnnx({
    name: 'light_text', inputs: [{ name: 'input_ids', type: 'int64', dims: ['batch', 'length'] }], outputs: [{ name: clip ? 'text_embeds' : output, type: 'float', dims: ['batch', WIDTH] }],
    nodes: [{ op: 'Gather', inputs: ['words', 'input_ids'], outputs: ['each'] }, { op: 'ReduceMean', inputs: ['each'], outputs: [clip ? 'text_embeds' : output], attributes: { keepdims: 0, axes: [1] } }],
    weights: [numbers('words', [100, WIDTH], random)],
  }));
}
