// Writes small ONNX files: the part of the format that the test towers need, in protobuf's own bytes. No library.

/** A weight tensor of a graph. */
export interface OnnxTensor { name: string; dims: number[]; data: Float32Array | BigInt64Array }
export interface OnnxNode { op: string; inputs: string[]; outputs: string[]; attributes?: Record<string, number | number[]> }
/** An input or output: a name in place of a size is one that changes from call to call. */
export interface OnnxValue { name: string; type: 'float' | 'int64'; dims: (number | string)[] }
export interface OnnxGraph { name: string; inputs: OnnxValue[]; outputs: OnnxValue[]; nodes: OnnxNode[]; weights: OnnxTensor[] }

const IR_VERSION = 8;
const OPSET = 17;
const ELEMENT = { float: 1, int64: 7 } as const;
const INT_ATTRIBUTE = 2, INTS_ATTRIBUTE = 7;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do { bytes.push((rest % 128) | (rest >= 128 ? 128 : 0)); rest = Math.floor(rest / 128); } while (rest > 0);
  return Buffer.from(bytes);
}
const int = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
function part(field: number, ...content: (Uint8Array | string)[]): Buffer {
  const body = Buffer.concat(content.map((c) => (typeof c === 'string' ? Buffer.from(c) : c)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

/** The bytes of a model file. Field numbers are those of onnx.proto. */
export function writeOnnx(graph: OnnxGraph): Buffer {
  const nodes = graph.nodes.map((n) => part(1,
    ...n.inputs.map((name) => part(1, name)), ...n.outputs.map((name) => part(2, name)), part(4, n.op),
    ...Object.entries(n.attributes ?? {}).map(([name, value]) => part(5, part(1, name),
      ...(typeof value === 'number' ? [int(3, value), int(20, INT_ATTRIBUTE)] : [...value.map((v) => int(8, v)), int(20, INTS_ATTRIBUTE)])))));
  const weights = graph.weights.map((w) => part(5,
    ...w.dims.map((d) => int(1, d)), int(2, w.data instanceof Float32Array ? ELEMENT.float : ELEMENT.int64), part(8, w.name),
    part(9, new Uint8Array(w.data.buffer, w.data.byteOffset, w.data.byteLength))));
  const value = (field: number, v: OnnxValue): Buffer => part(field, part(1, v.name), part(2, part(1,
    int(1, ELEMENT[v.type]), part(2, ...v.dims.map((d) => part(1, typeof d === 'number' ? int(1, d) : part(2, d)))))));
  return Buffer.concat([
    int(1, IR_VERSION), part(2, 'jharokha'),
    part(7, ...nodes, part(2, graph.name), ...weights, ...graph.inputs.map((v) => value(11, v)), ...graph.outputs.map((v) => value(12, v))),
    part(8, int(2, OPSET)),
  ]);
}
