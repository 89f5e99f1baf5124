import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { workerModules } from '/tmp/wt/t-map/scripts/build.ts';
import { squareOf } from '/tmp/wt/t-map/protocol/map.ts';
const N = 1_000_000;
const mf = new Miniflare(convertV4MiniflareOptions({ host: '127.0.0.1', port: 0, name: 'jharokha', modules: await workerModules(), compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'], d1Databases: { DB: 'jharokha' }, r2Buckets: { RENDITIONS: 'r' }, durableObjects: { LINK: { className: 'AgentLink', useSQLite: true }, VECTORS: { className: 'VectorIndex', useSQLite: true } }, bindings: { JHAROKHA_LOCAL: '1', JHAROKHA_TOKEN: 'x' } }));
const url = (await mf.ready).origin; const db = await mf.getD1Database('DB');
const M = '/tmp/wt/t-map/migrations/';
for (const name of (await readdir(M)).sort()) for (const st of (await readFile(M + name, 'utf8')).replace(/^\s*--.*$/gm, '').split(';')) if (st.trim()) await db.prepare(st).run();
let seed = 11; const rand = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
// 30 % at one home (70,000 at one spot), 40 % in 300 towns, 30 % along 3,000 trips of walks.
const towns = Array.from({ length: 300 }, () => [rand() * 110 - 50, rand() * 340 - 170] as const);
let walk = [46, 8] as [number, number];
const t0 = Date.now();
for (let i = 0; i < N; i += 5000) {
  const rows = Array.from({ length: 5000 }, (_, j) => {
    const n = i + j; let lat: number, lon: number; const r = rand();
    if (r < 0.07) { lat = 47.3769; lon = 8.5417; } else if (r < 0.3) { lat = 47.3769 + (rand() - 0.5) * 0.01; lon = 8.5417 + (rand() - 0.5) * 0.01; }
    else if (r < 0.7) { const t = towns[Math.floor(rand() * 300)]!; lat = t[0] + (rand() - 0.5) * 0.1; lon = t[1] + (rand() - 0.5) * 0.1; }
    else { if (n % 100 === 0) walk = [rand() * 120 - 55, rand() * 350 - 175]; walk[0] += (rand() - 0.5) * 0.01; walk[1] += (rand() - 0.5) * 0.01; [lat, lon] = walk; }
    const ms = Date.UTC(2024, 0, 1) - n * 300_000; const d = new Date(ms);
    return [n + 1, n.toString(16).padStart(64, '0'), ms, d.getUTCFullYear() * 100 + d.getUTCMonth() + 1, d.getUTCFullYear() * 10000 + (d.getUTCMonth() + 1) * 100 + d.getUTCDate(), lat, lon, squareOf({ latitude: lat, longitude: lon })];
  });
  const js = JSON.stringify(rows);
  await db.prepare(`INSERT INTO timeline_items (asset_id, sha256, kind, width, height, ratio, grid_version, preview_version, doubtful, sort_ms, month, day, shown, latitude, longitude, square) SELECT value->>0, value->>1, 'image', 4, 3, 'k', 2, 0, 0, value->>2, value->>3, value->>4, 1, value->>5, value->>6, value->>7 FROM json_each(?1)`).bind(js).run();
}
console.log('seeded', Date.now() - t0, 'ms');
await db.prepare('INSERT INTO map_due (square) SELECT DISTINCT square FROM timeline_items WHERE square IS NOT NULL').run();
console.log('finest squares', await db.prepare('SELECT count(*) AS n FROM map_due').first('n'));
const t1 = Date.now(); let asks = 0;
for (;;) { const a = await (await fetch(`${url}/map/clusters?w=0&s=0&e=1&n=1&zoom=2`)).json() as any; asks++; if (!a.waiting) break; }
console.log('squares built', Date.now() - t1, 'ms', asks, 'asks', await db.prepare('SELECT count(*) AS n FROM map_squares').first('n'), 'rows');
const time = async (path: string) => { const times: number[] = []; let size = 0, info = ''; for (let k = 0; k < 8; k++) { const s = performance.now(); const r = await fetch(url + path, { headers: path.includes('photos') ? { 'HX-Request-Type': 'partial' } : {} }); const text = await r.text(); times.push(performance.now() - s); size = text.length; if (path.includes('clusters')) { const a = JSON.parse(text); info = `${a.clusters.length} clusters`; } else info = `${r.status}`; } times.sort((a, b) => a - b); console.log(path.slice(0, 90), 'median', times[4]!.toFixed(1), 'ms', (size / 1000).toFixed(0), 'KB', info); };
const view = (lat: number, lon: number, zoom: number) => { const w = 1440 / 256 / 2 ** zoom * 360, h = w * 0.55 * Math.cos(lat * Math.PI / 180); const c = (x: number, m: number) => Math.max(-m, Math.min(m, x)).toFixed(5); return `w=${c(lon - w / 2, 900)}&s=${c(lat - h / 2, 90)}&e=${c(lon + w / 2, 900)}&n=${c(lat + h / 2, 90)}&zoom=${zoom}`; };
for (let z = 1; z <= 18; z += 1) await time(`/map/clusters?${view(47.3769, 8.5417, z)}`);
for (const z of [1, 2, 4, 6, 9, 12, 15, 18]) await time(`/map/photos?${view(47.3769, 8.5417, z)}`);
await time('/map/box/-180,-90,180,90'); await time('/map/box/8.53,47.37,8.55,47.38'); await time('/map/box/-10,35,30,60'); await time('/map/box/170,-50,-150,10');
for (const sql of ['SELECT 1']) await db.prepare(sql).all();
await mf.dispose(); process.exit(0);
