// The WebAssembly of the vector index is what its script writes, and each of its loops does what it says.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeScanWasm } from '../../scripts/make-scan-wasm.ts';
import { mix } from '../vectors/make-vectors.ts';

type Loop = (rows: number, stride: number, picked: number, count: number, query: number, result: number) => void;
/** Node's types leave it out, for they are without a browser's. */
const { WebAssembly } = globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object; Instance: new (module: object) => { exports: unknown } } };
const bytes = makeScanWasm();
const loops = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as { memory: { buffer: ArrayBuffer }; dot: Loop; differ: Loop; weigh: Loop };
const [ROWS, PICKED, QUERY, RESULT] = [0, 40_000, 42_000, 60_000];
const bitsOf = (n: number) => n.toString(2).replaceAll('0', '').length;

describe('scan.wasm', () => {
  it('is what scripts/make-scan-wasm.ts writes', () => {
    expect(Buffer.from(bytes).equals(readFileSync('worker/search/scan.wasm'))).toBe(true);
  });

  it.each([16, 64, 96, 128, 768])('sums, counts and weighs as plain loops do, over rows of %i bytes', (stride) => {
    const memory = loops.memory.buffer;
    const rows = new Int8Array(memory, ROWS, stride * 40).map((_, i) => mix(i, stride) & 255);
    new Int8Array(memory, ROWS, rows.length).set(rows);
    const picked = Uint32Array.from([39, 0, 7, 7, 21]);
    new Uint32Array(memory, PICKED, picked.length).set(picked);
    const result = new Int32Array(memory, RESULT, picked.length + 1);
    const run = (loop: Loop) => { result.fill(-1); loop(ROWS, stride, PICKED, picked.length, QUERY, RESULT); return [...result]; };
    const row = (r: number) => rows.subarray(r * stride, (r + 1) * stride);
    const wanted = (of: (row: Int8Array) => number) => [...picked].map((r) => of(row(r))).concat(-1);

    const query = Int16Array.from({ length: stride }, (_, i) => (mix(i, 3) % 8_191) - 4_095);
    new Int16Array(memory, QUERY, stride).set(query);
    if (stride % 64 === 0) expect(run(loops.dot)).toEqual(wanted((v) => v.reduce((sum, x, i) => sum + x * (query[i] as number), 0)));

    const signs = Uint8Array.from({ length: stride }, (_, i) => mix(i, 4) & 255);
    new Uint8Array(memory, QUERY, stride).set(signs);
    expect(run(loops.differ)).toEqual(wanted((v) => v.reduce((sum, x, i) => sum + bitsOf((x & 255) ^ (signs[i] as number)), 0)));

    const planes = Uint8Array.from({ length: stride * 4 }, (_, i) => mix(i, 5) & 255);
    new Uint8Array(memory, QUERY, planes.length).set(planes);
    expect(run(loops.weigh)).toEqual(wanted((v) => v.reduce((sum, x, i) => sum + [0, 1, 2, 3].reduce((s, p) => s + 2 ** p * bitsOf(x & (planes[(i >> 4) * 64 + p * 16 + (i & 15)] as number)), 0), 0)));
  });

  it('does nothing for no rows', () => {
    new Int32Array(loops.memory.buffer, RESULT, 1)[0] = 77;
    loops.dot(ROWS, 64, PICKED, 0, QUERY, RESULT);
    expect(new Int32Array(loops.memory.buffer, RESULT, 1)[0]).toBe(77);
  });
});
