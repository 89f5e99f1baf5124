// bench search: the embedded vector index in real workerd, filled through the Worker's own route: recall against exact float32,
// time of a question plain and with the three commonest filters, cold start, memory. workerd's clock stands still while it
// computes, so times are round trips from here less those of an empty call to the same object, taken in turns.
// ROWS=100000 or ROWS=100000,1000000 chooses sizes; the larger one's data is kept in a folder of tmp between runs (KEEP=0: not).
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VectorAnswer, VectorQuestion } from '../protocol/link.ts';
import { vectorToText } from '../protocol/vector.ts';
import type { IndexStats } from '../worker/search/reader.ts';
import { createVectorMaker, madeHash } from '../test/vectors/make-vectors.ts';
import { call, DIMENSION, fillIndex, openSearchWorker, SPACE } from './search-data.ts';

const LIMIT = 100;
const SIZES = (process.env['ROWS'] ?? '100000,1000000').split(',').map(Number);
const QUESTIONS = Number(process.env['QUESTIONS'] ?? 60);
/** Questions whose exact answer is computed here, half like pictures, half like texts. */
const JUDGED = Number(process.env['JUDGED'] ?? 24);
const SEED = 7;
/** p95 in ms by rows, recall, bytes in memory at 100,000. */
const WANTED = { p95: (rows: number) => (rows <= 100_000 ? 12 : 90), recall: 0.98, bytes: 128e6 } as const;

const FILTERS: { name: string; terms: VectorQuestion['terms'] }[] = [
  { name: 'plain', terms: [] },
  { name: 'one year', terms: [{ term: { kind: 'date', ranges: [[20190101, 20191231]] }, negated: false }] },
  { name: 'one place', terms: [{ term: { kind: 'place', places: [{ country_code: 'IN', region: 'Goa', city: null }] }, negated: false }] },
  { name: 'videos', terms: [{ term: { kind: 'type', type: 'video' }, negated: false }] },
];

const told = async (url: string, question: VectorQuestion): Promise<VectorAnswer> => {
  const answer = await call<{ ok: boolean; value: VectorAnswer }>(url, question);
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  return answer.value;
};

/** Share of the exact `LIMIT` nearest that came, over all questions; `exact` in float32, row by row so that all fit in memory. */
function judgeAll(rows: number, vector: (i: number) => Float32Array, judged: { query: Float32Array; answer: VectorAnswer }[]): { recall: number[]; error: number } {
  const best = judged.map(() => ({ scores: new Float64Array(LIMIT).fill(-2), ids: new Int32Array(LIMIT), least: -2 }));
  const numbers = new Map<string, number>();
  for (const { answer } of judged) for (const hit of answer.hits) numbers.set(hit.sha256, -1);
  for (let i = 0; i < rows; i += 1) {
    const v = vector(i);
    const sha256 = madeHash(i);
    if (numbers.has(sha256)) numbers.set(sha256, i);
    for (const [n, { query }] of judged.entries()) {
      let dot = 0;
      for (let j = 0; j < DIMENSION; j += 1) dot += (v[j] as number) * (query[j] as number);
      const b = best[n] as (typeof best)[number];
      if (dot <= b.least) continue;
      const at = b.scores.indexOf(b.least);
      b.scores[at] = dot;
      b.ids[at] = i;
      b.least = Math.min(...b.scores);
    }
  }
  let error = 0;
  const recall = judged.map(({ query, answer }, n) => {
    const wanted = new Set((best[n] as (typeof best)[number]).ids);
    let found = 0;
    for (const hit of answer.hits) {
      const i = numbers.get(hit.sha256) as number;
      if (wanted.has(i)) found += 1;
      error = Math.max(error, Math.abs(hit.score - vector(i).reduce((sum, x, j) => sum + x * (query[j] as number), 0)));
    }
    return found / LIMIT;
  });
  return { recall, error };
}

/** The workerd that this process started last, on Linux. */
async function findWorkerd(): Promise<number | null> {
  if (!existsSync('/proc')) return null;
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).filter((p) => /^\d+$/.test(p))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (/^Name:\s+workerd$/m.test(status) && new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(status)) found.push(Number(pid));
    } catch { /* it ended meanwhile */ }
  }
  return found.length > 0 ? Math.max(...found) : null;
}
const residentBytes = (pid: number | null) => (pid === null ? null : Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024);
/** Milliseconds that all its threads were on a core: what the work costs, however busy the machine is. */
async function cpuMs(pid: number | null): Promise<number> {
  if (pid === null) return 0;
  let ns = 0;
  for (const task of await readdir(`/proc/${pid}/task`)) { try { ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]); } catch { /* a thread that ended */ } }
  return ns / 1e6;
}

const at95 = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] as number;
const middle = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;
const round = (n: number, digits = 2) => Number(n.toFixed(digits));

async function measure(rows: number) {
  const folder = join(tmpdir(), `jharokha-bench-search-${rows}-${DIMENSION}`);
  const stamp = join(folder, 'filled.json');
  const maker = createVectorMaker({ dimension: DIMENSION, seed: SEED, assets: rows });
  const made = JSON.stringify({ rows, DIMENSION, SEED, layout: 1 });
  let fillS: number | null = null;
  if (!existsSync(stamp) || (await readFile(stamp, 'utf8')) !== made) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const at = await openSearchWorker(folder);
    try { fillS = await fillIndex(at, rows, maker.asset); } finally { await at.stop(); }
    await writeFile(stamp, made);
  }
  // What comes first: the second tier's signs are made by the first question ever; every later start only reads them.
  let firstMs: number | null = null;
  const question = (near: Float32Array, terms: VectorQuestion['terms'] = []): VectorQuestion => ({ space: SPACE, near: { vector: vectorToText(near) }, against: null, terms, limit: LIMIT });
  const warm = async () => {
    const at = await openSearchWorker(folder);
    await call(`${at.door}/floor`, {});
    const pid = await findWorkerd();
    const rssBefore = residentBytes(pid);
    const cpuBefore = await cpuMs(pid);
    const started = performance.now();
    await told(at.door, question(maker.imageQuery(1_000_000)));
    return { at, ms: performance.now() - started, cpu: (await cpuMs(pid)) - cpuBefore, rssBefore, pid };
  };
  if (fillS !== null) { const first = await warm(); firstMs = first.ms; await first.at.stop(); }
  const { at, ms: coldMs, cpu: coldCpu, rssBefore, pid } = await warm();
  try {
    const stats = await call<IndexStats>(`${at.door}/stats`);
    const rss = residentBytes(pid);
    const queries = Array.from({ length: QUESTIONS }, (_, i) => (i % 2 === 0 ? maker.imageQuery(i) : maker.textQuery(i)));
    const times = new Map<string, number[]>(FILTERS.map((f) => [f.name, []]));
    const floors: number[] = [];
    const cpu = new Map<string, number>();
    let floorCpu = 0;
    const passed = new Map<string, number>();
    for (const [i, query] of [...queries.slice(0, 10), ...queries].entries()) {
      for (const { name, terms } of FILTERS) {
        const q = question(query, terms);
        const cpuA = await cpuMs(pid);
        const a = performance.now();
        await call(`${at.door}/floor`, q);
        const b = performance.now();
        const cpuB = await cpuMs(pid);
        const c = performance.now();
        const answer = await told(at.door, q);
        const d = performance.now();
        if (i < 10) continue;
        cpu.set(name, (cpu.get(name) ?? 0) + (await cpuMs(pid)) - cpuB);
        floorCpu += cpuB - cpuA;
        floors.push(b - a);
        times.get(name)?.push(d - c);
        passed.set(name, answer.looked_at);
      }
    }
    const floor = middle(floors);
    const figures = FILTERS.map(({ name }) => ({ name, p50: middle(times.get(name) ?? []) - floor, p95: at95(times.get(name) ?? []) - floor, looked: passed.get(name) ?? 0, cpu: pid === null ? null : ((cpu.get(name) ?? 0) - floorCpu / FILTERS.length) / queries.length }));
    for (const f of figures) console.log(`${rows} vectors, ${f.name} (${f.looked} pass): p50 ${round(f.p50)} ms, p95 ${round(f.p95)} ms (wanted under ${WANTED.p95(rows)}), above a floor of ${round(floor)} ms${f.cpu === null ? '' : `; on a core ${round(f.cpu)} ms each`}`);
    const judged = await Promise.all(queries.slice(0, JUDGED).map(async (query) => ({ query, answer: await told(at.door, question(query)) })));
    const { recall, error } = judgeAll(rows, maker.asset, judged);
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const recalls = { all: mean(recall), pictures: mean(recall.filter((_, i) => i % 2 === 0)), texts: mean(recall.filter((_, i) => i % 2 === 1)) };
    console.log(`recall@${LIMIT} ${round(recalls.all, 4)} (pictures ${round(recalls.pictures, 4)}, texts ${round(recalls.texts, 4)}; wanted ${WANTED.recall}), scores off by ${round(error, 5)} at most; tier ${stats.tier}`);
    console.log(`cold start ${round(coldMs, 0)} ms (${round(coldCpu, 0)} on a core)${firstMs === null ? '' : `, the very first ${round(firstMs, 0)} ms`}${fillS === null ? '' : `; filled in ${round(fillS, 1)} s`}; memory ${round(stats.bytes / 1e6, 1)} MB${rows <= 100_000 ? ` (wanted under ${WANTED.bytes / 1e6})` : ''}${rss === null || rssBefore === null ? '' : `, workerd grew by ${round((rss - rssBefore) / 1e6, 0)} MB to ${round(rss / 1e6, 0)}`}; on disk ${round(stats.disk_bytes / 1e6, 0)} MB; load ${loadavg().map((l) => l.toFixed(1)).join(' ')}`);
    return { rows, tier: stats.tier, floor_ms: round(floor), questions: figures.map((f) => ({ name: f.name, looked: f.looked, p50_ms: round(f.p50), p95_ms: round(f.p95), cpu_ms: f.cpu === null ? null : round(f.cpu) })), recall_at_100: round(recalls.all, 4), recall_pictures: round(recalls.pictures, 4), recall_texts: round(recalls.texts, 4), cold_ms: round(coldMs, 0), cold_cpu_ms: round(coldCpu, 0), first_ms: firstMs === null ? null : round(firstMs, 0), fill_s: fillS === null ? null : round(fillS, 1), memory_mb: round(stats.bytes / 1e6, 1), rss_growth_mb: rss === null || rssBefore === null ? null : round((rss - rssBefore) / 1e6, 0), disk_mb: round(stats.disk_bytes / 1e6, 0) };
  } finally {
    await at.stop();
    if (process.env['KEEP'] === '0') await rm(folder, { recursive: true, force: true });
  }
}

const results = [];
for (const rows of SIZES) results.push(await measure(rows));
console.log(JSON.stringify({ bench: 'search', dimension: DIMENSION, limit: LIMIT, load: round(loadavg()[0] as number, 1), vectors: results }));
process.exit(0);
