// bench search-request: whole `/api/search` requests over 100,000 assets with documents and vectors, in the real Worker:
// words, meaning, filters and all of them together, each query's embedding kept. Also how fast documents are made.
import { GRID_VERSION } from '../protocol/versions.ts';
import type { AssetRow, EvidenceRow, LocationRow, PlaceRow } from '../protocol/rows.ts';
import { encodeVectorPack, MAX_VECTOR_PACK_ITEMS, quantise, toUnit, vectorToText, VECTOR_PACK_MIME, type VectorSpace } from '../protocol/vector.ts';
import type { SearchAnswer } from '../protocol/search.ts';
import { BENCH_TOKEN, startWorker } from './start-worker.ts';

const ASSETS = Number(process.env['ASSETS'] ?? 100_000);
const ROUNDS = Number(process.env['ROUNDS'] ?? 12);
const WANTED_P95_MS = 100;
const PER_BATCH = 500;
const SPACE: VectorSpace = { profile: 'standard', model: 'bench', revision: 'bbbbbbbbbbbb', dtype: 'q8', preprocessing: 1, dimension: 768 };

const CITIES = ['Levanto', 'Panaji', 'Kyoto', 'Lisbon', 'Uppsala', 'Montreal', 'Cusco', 'Cairo', 'Hobart', 'Reykjavik'];
const COUNTRIES = [['Italy', 'IT'], ['India', 'IN'], ['Japan', 'JP'], ['Portugal', 'PT'], ['Sweden', 'SE'], ['Canada', 'CA'], ['Peru', 'PE'], ['Egypt', 'EG'], ['Australia', 'AU'], ['Iceland', 'IS']] as const;
const THINGS = ['beach', 'mountain', 'birthday', 'wedding', 'concert', 'garden', 'harbour', 'market', 'snow', 'kitchen', 'festival', 'lake', 'train', 'museum', 'picnic', 'forest', 'river', 'temple', 'bridge', 'castle'];
const CAMERAS = ['Apple iPhone 12', 'Canon EOS R6', 'Nikon D750', 'Google Pixel 7', 'Fujifilm X-T4', 'Sony ILCE-7M3'];
/** The first query of each kind is named in the output. */
const QUERIES: Record<string, string[]> = {
  words: ['beach', 'img_01234', 'kyoto market', '"snow festival"', 'harb', 'nikon d750', 'wedding lisbon'],
  meaning: ['sunset over the sea', 'dogs playing', 'people laughing at a table', 'a red car', 'stadium lights'],
  filters: ['videos from 2019', 'june 2022', 'screenshots', 'Italy', '2015-2017', 'videos in Japan'],
  both: ['sunset over the sea in Portugal', 'dogs playing 2021', 'birthday cake videos', 'a red car -snow', 'stadium lights in Canada last year'],
};

let state = 12_345;
const random = () => { state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32; return state / 2 ** 32; };
const gauss = () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
const hash = (i: number) => (BigInt(i + 1) * 0x9e3779b97f4a7c15n & 0xffffffffffffffffn).toString(16).padStart(64, '0');
const pick = <T>(list: readonly T[], i: number): T => list[i % list.length] as T;
const TOPICS = Array.from({ length: 40 }, () => toUnit(Array.from({ length: SPACE.dimension }, gauss)));

function rowsOf(i: number): { asset: AssetRow; location: LocationRow; evidence: EvidenceRow } {
  const wall = new Date(Date.UTC(2010, 0, 1) + i * (15.5 * 365 * 86_400_000 / ASSETS)).toISOString().slice(0, 19);
  const city = Math.floor(i / 37) % CITIES.length;
  const kind = i % 12 === 5 ? 'video' : 'image';
  const event = `${wall.slice(0, 4)} ${pick(THINGS, Math.floor(i / 100))} ${pick(THINGS, Math.floor(i / 100) * 7 + 3)}`;
  const path = i % 40 === 3 ? `Desktop/Screenshot ${i}.png` : `Pictures/${wall.slice(0, 4)}/${event}/IMG_${String(i).padStart(6, '0')}.${kind === 'video' ? 'MOV' : 'JPG'}`;
  const asset: AssetRow = {
    sha256: hash(i), revision: i * 2 + 1, kind, mime: kind === 'video' ? 'video/quicktime' : 'image/jpeg', size_bytes: 2_000_000 + i, width: 4_032, height: 3_024, duration_ms: kind === 'video' ? 9_000 : null, color: '#a08060',
    camera: pick(CAMERAS, Math.floor(i / 11)), lens: null, exposure: null, latitude: i % 3 === 0 ? null : 10 + city + Math.floor(i / 370) % 50 / 1_000, longitude: i % 3 === 0 ? null : 20, gps_zone: null, content_identifier: null, motion: null,
    description: i % 9 === 0 ? `${pick(THINGS, i)} with everybody near the ${pick(THINGS, i + 5)}` : null, rating: null, tags: i % 15 === 0 ? [pick(THINGS, i + 2)] : [], proxy_bytes: null,
    time_claims: [{ source: 'exif_original', wall, utc_ms: null, offset_minutes: 120, offset_source: 'exif' }], problems: [], facets: { facts: 1, grid: GRID_VERSION, preview: 0, proxy: 0 },
  };
  const location: LocationRow = { volume_id: 'uuid:B', path, revision: i * 2 + 2, sha256: asset.sha256, size_bytes: asset.size_bytes, mtime_ms: Date.parse(`${wall}Z`), fs_id: '1', inode: String(i), in_package: false };
  return { asset, location, evidence: { volume_id: 'uuid:B', path, revision: i * 2 + 2, time_claims: [], imports: [], albums: i % 5 === 0 ? [{ key: event, title: event }] : [] } };
}

const worker = await startWorker();
const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
  const response = await fetch(worker.url + path, { ...init, headers: { Authorization: `Bearer ${BENCH_TOKEN}`, 'Content-Type': 'application/json', ...(init.headers as Record<string, string> | undefined) } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
  return text === '' ? null : JSON.parse(text);
};
const search = (q: string) => call(`/api/search?${new URLSearchParams({ q }).toString()}`) as Promise<SearchAnswer>;
const db = await worker.mf.getD1Database('DB', 'jharokha');
const countDue = async () => (await db.prepare('SELECT count(*) AS n FROM search_due').first<number>('n')) ?? 0;
/** Miniflare's own connection may have been closed while nobody used it. */
const due = () => countDue().catch(countDue);

try {
  const places: PlaceRow[] = CITIES.flatMap((city, c) => Array.from({ length: 50 }, (_, k): PlaceRow => ({
    cell: `${(10 + c + k / 1_000).toFixed(3)},20.000`, revision: 1, rank: 1, source: 'offline', street: null, neighbourhood: null, city, region: `${city} region`, country: pick(COUNTRIES, c)[0], country_code: pick(COUNTRIES, c)[1], distance_m: 100, zone: null,
  })));
  let seq = 0;
  let began = performance.now();
  for (let from = 0; from < ASSETS; from += PER_BATCH) {
    const rows = Array.from({ length: Math.min(PER_BATCH, ASSETS - from) }, (_, k) => rowsOf(from + k));
    seq += 1;
    await call('/sync/batches', { method: 'POST', body: JSON.stringify({
      protocol: 1, agent_id: 'bench', epoch: 'e1', seq, home_zone: 'Europe/Rome', volumes: [], roots: [], scans: [], problems: [], places: seq === 1 ? places : [],
      assets: rows.map((r) => r.asset), locations: rows.map((r) => r.location), evidence: rows.map((r) => r.evidence),
    }) });
  }
  const ingestS = (performance.now() - began) / 1_000;
  const left = await due();
  began = performance.now();
  for (let before = left; before > 0;) {
    await search('x');
    const now = await due();
    if (now === before && performance.now() - began > 300_000) throw new Error(`${now} documents are not made`);
    before = now;
  }
  const feedS = (performance.now() - began) / 1_000;
  console.log(`${ASSETS} assets in ${ingestS.toFixed(1)} s (${Math.round(ASSETS / ingestS)} a second), their documents behind it; ${left} were left, ${Math.round(left / Math.max(feedS, 0.001))} a second`);

  for (let from = 0; from < ASSETS; from += MAX_VECTOR_PACK_ITEMS) {
    const items = Array.from({ length: Math.min(MAX_VECTOR_PACK_ITEMS, ASSETS - from) }, (_, k) => {
      const topic = pick(TOPICS, (from + k) * 7);
      return { sha256: hash(from + k), ...quantise(toUnit(topic.map((v) => v + 0.05 * gauss()))) };
    });
    await call('/sync/vectors', { method: 'POST', body: encodeVectorPack(SPACE, items), headers: { 'Content-Type': VECTOR_PACK_MIME } });
  }
  await call('/sync/search-space', { method: 'PUT', body: JSON.stringify({ space: SPACE, engine: 'embedded', vectors: ASSETS }) });
  // What each query leaves for the model, kept as after a first search.
  const texts = new Set(['a photo']);
  for (const q of Object.values(QUERIES).flat()) { const { parsed } = await search(q); texts.add(parsed.rest); for (const chip of parsed.chips) if (chip.term.kind === 'words') texts.add(chip.term.text); }
  texts.delete('');
  await call('/sync/query-embeddings', { method: 'PUT', body: JSON.stringify({ space: SPACE, items: [...texts].map((text, i) => ({ text, vector: vectorToText(toUnit(pick(TOPICS, i * 3).map((v) => v + 0.03 * gauss()))) })) }) });

  const all: number[] = [];
  const took: Record<string, number[]> = {};
  let first = 0;
  for (let round = 0; round < ROUNDS + 1; round += 1) {
    for (const [kind, queries] of Object.entries(QUERIES)) {
      for (const q of queries) {
        const t = performance.now();
        const answer = await search(q);
        const ms = performance.now() - t;
        if (round === 0) { first ||= ms; console.log(`  ${kind.padEnd(8)} ${q.padEnd(36)} ${answer.meaning}, ${answer.literal} literal of ${answer.total}, ${answer.parsed.chips.length} chips, ${Math.round(ms)} ms, of them ${answer.took_ms} inside`); continue; }
        all.push(ms);
        (took[kind] ??= []).push(ms);
        (took[q] ??= []).push(ms);
      }
    }
  }
  const at = (list: number[], share: number) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0;
  for (const [name, list] of Object.entries(took)) console.log(`${name.padEnd(36)} p50 ${at(list, 0.5).toFixed(1)} ms, p95 ${at(list, 0.95).toFixed(1)} ms`);
  console.log(`whole requests over ${ASSETS} assets: p50 ${at(all, 0.5).toFixed(1)} ms, p95 ${at(all, 0.95).toFixed(1)} ms (wanted under ${WANTED_P95_MS}); the first ${Math.round(first)} ms`);
  console.log(JSON.stringify({ bench: 'search-request', assets: ASSETS, p50_ms: Number(at(all, 0.5).toFixed(1)), p95_ms: Number(at(all, 0.95).toFixed(1)), first_ms: Math.round(first), documents_per_s: Math.round(left / Math.max(feedS, 0.001)) }));
} finally { await worker.stop(); }
