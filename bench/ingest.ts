// bench ingest: assets' facts a second into local D1, and whether the hundred-thousandth is as quick as the first.
// A month of 70,000 is in it, and batches are filled as the agent fills them, up to the protocol's bounds.
import { MAX_BATCH_BYTES, MAX_BATCH_ROWS } from '../protocol/limits.ts';
import type { AssetRow, EvidenceRow, LocationRow } from '../protocol/rows.ts';
import { BENCH_TOKEN, startWorker } from './start-worker.ts';

const ASSETS = Number(process.env['ASSETS'] ?? 100_000);
const SLICE = 10_000;
/** The middle of the library lies in one month (70 %): the slices from 15 % to 85 % of it. */
const BIG_MONTH_FROM = 0.15;
const BIG_MONTH_TO = 0.85;

const hash = (i: number) => {
  let x = (i + 1) * 2654435761 >>> 0;
  let out = '';
  for (let k = 0; k < 8; k += 1) { x ^= x << 13; x >>>= 0; x ^= x >>> 17; x ^= x << 5; x >>>= 0; out += x.toString(16).padStart(8, '0'); }
  return out;
};

/** As a walk meets them: cameras count upwards, so times mostly rise, with the disorder of several cameras in one folder. */
const JITTER_S = 6 * 3_600;

function wallOf(i: number): string {
  const share = i / ASSETS;
  const spread = (from: number, to: number, at: number) => from + (to - from) * at;
  const ms = share < BIG_MONTH_FROM ? spread(Date.UTC(2010, 0, 1), Date.UTC(2024, 6, 1), share / BIG_MONTH_FROM)
    : share < BIG_MONTH_TO ? spread(Date.UTC(2024, 6, 2), Date.UTC(2024, 6, 31), (share - BIG_MONTH_FROM) / (BIG_MONTH_TO - BIG_MONTH_FROM))
    : spread(Date.UTC(2024, 7, 1), Date.UTC(2026, 0, 1), (share - BIG_MONTH_TO) / (1 - BIG_MONTH_TO));
  return new Date(ms + ((i * 7919) % JITTER_S) * 1000).toISOString().slice(0, 19);
}

/** The rows of one asset as a camera's JPEG gives them. */
function rowsOf(i: number): { asset: AssetRow; location: LocationRow; evidence: EvidenceRow } {
  const sha256 = hash(i);
  const wall = wallOf(i);
  const path = `DCIM/${100 + Math.floor(i / 1000)}APPLE/IMG_${String(i).padStart(6, '0')}.JPG`;
  const asset: AssetRow = {
    sha256, revision: i * 3 + 1, kind: 'image', mime: 'image/jpeg', size_bytes: 2_000_000 + i, width: 4032, height: 3024, duration_ms: null, color: '#a08060',
    camera: 'Apple iPhone 12', lens: 'iPhone 12 back dual wide camera 4.2mm f/1.6', exposure: { time_s: 0.01, f_number: 1.6, iso: 100, focal_mm: 4.2 },
    latitude: 44.1 + (i % 100) / 1000, longitude: 9.6, gps_zone: 'Europe/Rome', content_identifier: null, motion: null, description: null, rating: null, tags: [], proxy_bytes: null,
    time_claims: [
      { source: 'exif_original', wall, utc_ms: null, offset_minutes: 120, offset_source: 'exif' },
      { source: 'gps', wall: null, utc_ms: Date.parse(`${wall}Z`) - 7_200_000, offset_minutes: null, offset_source: null },
    ],
    problems: [], facets: { facts: 1, grid: 2, preview: 0, proxy: 0 },
  };
  const location: LocationRow = { volume_id: 'uuid:8D6F-11E2', path, revision: i * 3 + 2, sha256, size_bytes: asset.size_bytes, mtime_ms: Date.parse(`${wall}Z`), fs_id: '66306', inode: String(1000 + i), in_package: false };
  const evidence: EvidenceRow = { volume_id: location.volume_id, path, revision: i * 3 + 2, time_claims: [{ source: 'mtime', wall: null, utc_ms: location.mtime_ms, offset_minutes: null, offset_source: null }], imports: [], albums: [] };
  return { asset, location, evidence };
}

const worker = await startWorker();
try {
  const headers = { Authorization: `Bearer ${BENCH_TOKEN}`, 'Content-Type': 'application/json' };
  const rates: number[] = [];
  let seq = 0;
  let next = 0;
  let last = '';
  const batchFrom = (from: number, end: number) => {
    const assets: AssetRow[] = []; const locations: LocationRow[] = []; const evidence: EvidenceRow[] = [];
    let bytes = 500;
    let i = from;
    for (; i < end && (assets.length + 1) * 3 <= MAX_BATCH_ROWS; i += 1) {
      const rows = rowsOf(i);
      const size = JSON.stringify(rows).length + 10;
      if (bytes + size > MAX_BATCH_BYTES) break;
      bytes += size;
      assets.push(rows.asset); locations.push(rows.location); evidence.push(rows.evidence);
    }
    seq += 1;
    return { to: i, body: JSON.stringify({ protocol: 1, agent_id: 'bench', epoch: 'e1', seq, home_zone: 'Europe/Rome', volumes: [], roots: [], assets, locations, evidence, scans: [], problems: [] }) };
  };
  while (next < ASSETS) {
    const sliceFrom = next;
    let spent = 0;
    while (next < Math.min(sliceFrom + SLICE, ASSETS)) {
      const batch = batchFrom(next, Math.min(sliceFrom + SLICE, ASSETS));
      const t = performance.now();
      const response = await fetch(`${worker.url}/sync/batches`, { method: 'POST', headers, body: batch.body });
      const answer = await response.text();
      spent += performance.now() - t;
      if (response.status !== 200 || !answer.includes('"rejected":[]')) throw new Error(`batch ${seq}: ${response.status} ${answer.slice(0, 300)}`);
      next = batch.to;
      last = batch.body;
    }
    const rate = (next - sliceFrom) / (spent / 1000);
    rates.push(rate);
    console.log(`${String(sliceFrom).padStart(7)} to ${String(next).padStart(7)}: ${Math.round(rate)} assets/s`);
  }
  const health = (await (await fetch(`${worker.url}/healthz`)).json()) as { assets: number };
  if (health.assets !== ASSETS) throw new Error(`the library has ${health.assets} assets, not ${ASSETS}`);
  const t = performance.now();
  const again = JSON.parse(last) as { seq: number };
  again.seq += 1;
  const repeat = await fetch(`${worker.url}/sync/batches`, { method: 'POST', headers, body: JSON.stringify(again) });
  if (repeat.status !== 200) throw new Error(`unchanged batch: ${repeat.status}`);
  console.log(`unchanged batch: ${Math.round(performance.now() - t)} ms`);
  const first = rates[0] ?? 0;
  console.log(JSON.stringify({ bench: 'ingest', assets: ASSETS, slowest_per_s: Math.round(Math.min(...rates)), last_to_first: Number(((rates.at(-1) ?? 0) / first).toFixed(2)), slowest_to_first: Number((Math.min(...rates) / first).toFixed(2)) }));
} finally { await worker.stop(); }
