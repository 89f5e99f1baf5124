// Writes worker/search/scan.wasm: three loops over rows of bytes with WebAssembly's 128-bit instructions, put together here
// byte by byte, for a compiler would be a dependency for 300 bytes. worker/search/scan.ts says what each does.
// A test holds that the file in the repository is what this writes. Run: tsx scripts/make-scan-wasm.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const OUT = fileURLToPath(new URL('../worker/search/scan.wasm', import.meta.url));

type Code = readonly number[];

/** LEB128, unsigned; of numbers below 64 the signed form is the same. */
function leb(n: number): number[] {
  const out: number[] = [];
  let rest = n;
  do { const low = rest & 0x7f; rest >>>= 7; out.push(rest ? low | 0x80 : low); } while (rest);
  return out;
}
function signed(n: number): number[] {
  const out: number[] = [];
  let rest = n;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40)) return [...out, low];
    out.push(low | 0x80);
  }
}
const text = (s: string) => [...leb(s.length), ...Buffer.from(s, 'ascii')];
const list = (items: readonly Code[]) => [...leb(items.length), ...items.flat()];
const section = (id: number, body: Code) => [id, ...leb(body.length), ...body];
const simd = (op: number) => [0xfd, ...leb(op)];

const I32 = 0x7f;
const V128 = 0x7b;
const get = (i: number) => [0x20, ...leb(i)];
const set = (i: number) => [0x21, ...leb(i)];
const tee = (i: number) => [0x22, ...leb(i)];
const num = (n: number) => [0x41, ...signed(n)];
const ADD = [0x6a];
const MUL = [0x6c];
const LESS = [0x49];
const loop = (body: Code) => [0x03, 0x40, ...body, 0x0b];
const when = (body: Code) => [0x04, 0x40, ...body, 0x0b];
const AGAIN = [0x0d, 0];
const load32 = [0x28, 2, 0];
const store32 = [0x36, 2, 0];
const load128 = (offset: number) => [...simd(0), 0, ...leb(offset)];
const zero128 = [...simd(12), ...new Array<number>(16).fill(0)];
const lane = (i: number) => [...simd(27), i];
const EXTEND_LOW = simd(135);
const EXTEND_HIGH = simd(136);
const DOT = simd(186);
const ADD32 = simd(174);
const ADD16 = simd(142);
const XOR = simd(81);
const AND = simd(78);
const POPCOUNT = simd(98);
const PAIRS_TO_16 = simd(125);
const PAIRS_TO_32 = simd(127);
const SHIFT_LEFT_32 = simd(171);

// Parameters of every loop, then its locals.
const [ROWS, STRIDE, PICKED, COUNT, QUERY, RESULT] = [0, 1, 2, 3, 4, 5];
const [K, J, ROW, SUM, PART, BITS] = [6, 7, 8, 9, 10, 11];
const LOCALS = [[3, I32], [3, V128]];

/** For each of COUNT picked rows: `each` with ROW at its first byte, whose four lanes of SUM go to RESULT as one number. */
function overRows(each: Code): Code {
  return [...get(COUNT), ...when([
    ...num(0), ...set(K),
    ...loop([
      ...get(ROWS), ...get(PICKED), ...get(K), ...num(4), ...MUL, ...ADD, ...load32, ...get(STRIDE), ...MUL, ...ADD, ...set(ROW),
      ...zero128, ...set(SUM),
      ...each,
      ...get(RESULT), ...get(K), ...num(4), ...MUL, ...ADD,
      ...get(SUM), ...lane(0), ...get(SUM), ...lane(1), ...ADD, ...get(SUM), ...lane(2), ...ADD, ...get(SUM), ...lane(3), ...ADD,
      ...store32,
      ...get(K), ...num(1), ...ADD, ...tee(K), ...get(COUNT), ...LESS, ...AGAIN,
    ]),
  ])];
}

/** J from 0 to STRIDE in steps of 16. */
function overBytes(each: Code): Code {
  return [...num(0), ...set(J), ...loop([...each, ...get(J), ...num(16), ...ADD, ...tee(J), ...get(STRIDE), ...LESS, ...AGAIN])];
}

const rowBytes = [...get(ROW), ...get(J), ...ADD, ...load128(0)];
/** Bytes of the query beside those of the row, `width` bytes for each. */
const queryAt = (width: number) => [...get(QUERY), ...get(J), ...num(width), ...MUL, ...ADD];

/** Four steps at once, for reckoning addresses took longer than the products: STRIDE is a multiple of 64 here. J is the query's address, ROW moves on. */
const dot = overRows([
  ...get(QUERY), ...set(J),
  ...loop([
    ...[0, 16, 32, 48].flatMap((at) => [
      ...get(ROW), ...load128(at), ...set(PART),
      ...get(SUM),
      ...get(PART), ...EXTEND_LOW, ...get(J), ...load128(2 * at), ...DOT, ...ADD32,
      ...get(PART), ...EXTEND_HIGH, ...get(J), ...load128(2 * at + 16), ...DOT, ...ADD32,
      ...set(SUM),
    ]),
    ...get(ROW), ...num(64), ...ADD, ...set(ROW),
    ...get(J), ...num(128), ...ADD, ...tee(J), ...get(QUERY), ...get(STRIDE), ...num(2), ...MUL, ...ADD, ...LESS, ...AGAIN,
  ]),
]);

const differ = overRows([
  ...zero128, ...set(PART),
  ...overBytes([...get(PART), ...rowBytes, ...queryAt(1), ...load128(0), ...XOR, ...POPCOUNT, ...PAIRS_TO_16, ...ADD16, ...set(PART)]),
  ...get(PART), ...PAIRS_TO_32, ...set(SUM),
]);

/** The four planes of 16 bytes lie one behind the other: plane p of the bytes from J at QUERY + 4 J + 16 p. */
const weigh = overRows(overBytes([
  ...rowBytes, ...set(BITS),
  ...zero128, ...set(PART),
  ...[3, 2, 1, 0].flatMap((plane) => [
    ...get(PART), ...num(1), ...SHIFT_LEFT_32,
    ...get(BITS), ...queryAt(4), ...load128(16 * plane), ...AND, ...POPCOUNT, ...PAIRS_TO_16, ...PAIRS_TO_32, ...ADD32, ...set(PART),
  ]),
  ...get(SUM), ...get(PART), ...ADD32, ...set(SUM),
]));

export function makeScanWasm(): Uint8Array {
  const functions: [string, Code][] = [['dot', dot], ['differ', differ], ['weigh', weigh]];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, list([[0x60, ...list(Array.from({ length: 6 }, () => [I32])), 0]])),
    ...section(3, list(functions.map(() => [0]))),
    ...section(5, list([[0, 1]])),
    ...section(7, list([[...text('memory'), 2, 0], ...functions.map(([name], i) => [...text(name), 0, ...leb(i)])])),
    ...section(10, list(functions.map(([, code]) => { const body = [...list(LOCALS), ...code, 0x0b]; return [...leb(body.length), ...body]; }))),
  ]);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const bytes = makeScanWasm();
  writeFileSync(OUT, bytes);
  console.error(`worker/search/scan.wasm: ${bytes.length} bytes`);
}
