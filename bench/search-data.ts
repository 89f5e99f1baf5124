// What benches of the search share: a made library's vectors and columns in the Worker's own index, and a door to it.
import { Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { traitBit } from '../protocol/search.ts';
import { encodeVectorPack, quantise, VECTOR_PACK_MIME, type VectorSpace } from '../protocol/vector.ts';
import { workerModules } from '../scripts/build.ts';
import { madeHash, mix } from '../test/vectors/make-vectors.ts';
import type { IndexColumns } from '../worker/search/reader.ts';
import { BENCH_TOKEN } from './start-worker.ts';

export const DIMENSION = 768;
const PACK = 1_000;
export const SPACE: VectorSpace = { profile: 'standard', model: 'made', revision: '0123456789ab', dtype: 'fp32', preprocessing: 1, dimension: DIMENSION };

/** Beside ours, in the same workerd: passes questions on to the same object, and calls that do nothing, for the floor. */
const DOOR = `export default { async fetch(request, env) {
  const index = env.VECTORS.get(env.VECTORS.idFromName('library'));
  const path = new URL(request.url).pathname;
  const body = request.method === 'POST' ? await request.json() : null;
  if (path === '/columns') return Response.json(await index.setColumns(body));
  if (path === '/stats') return Response.json(await index.stats());
  if (path === '/floor') return Response.json({ count: await index.count('none'), body });
  return Response.json(await index.query(body));
} };`;

export const PLACES = [['IN', 'Goa', 'Panaji'], ['IN', 'Karnataka', 'Bengaluru'], ['IN', 'Kerala', 'Kochi'], ['PT', 'Lisboa', 'Lisbon'], ['GB', 'England', 'London'], [null, null, null]] as const;

/** Columns of asset `i`: twelve years in order of numbers, a tenth videos, six places. */
export function columnsOf(i: number, rows: number): IndexColumns {
  const place = PLACES[mix(Math.floor(i / 60), 5) % PLACES.length] ?? PLACES[0];
  const video = mix(i, 6) % 10 === 0;
  const days = Math.floor((i / rows) * 12 * 336);
  return {
    sha256: madeHash(i), day: (2014 + Math.floor(days / 336)) * 10_000 + (1 + Math.floor((days % 336) / 28)) * 100 + 1 + (days % 28), traits: traitBit(video ? 'video' : 'photo'), favourite: mix(i, 8) % 20 === 0, shown: true,
    country_code: place[0], region: place[1], city: place[2], camera: ['Canon EOS R6', 'Pixel 8', 'iPhone 15'][mix(i, 9) % 3] ?? null,
  };
}

/** `url` is the Worker's, `door` the one below's. */
export interface Opened { url: string; door: string; stop(): Promise<void> }

/** The built Worker and the door to its index, on the data of `folder`. */
export async function openSearchWorker(folder: string): Promise<Opened> {
  const common = { compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'], unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] };
  const mf = new Miniflare({
    ...convertV4MiniflareOptions({ host: '127.0.0.1', port: 0, workers: [
      { name: 'jharokha', modules: await workerModules(), ...common, d1Databases: { DB: 'jharokha' }, r2Buckets: { RENDITIONS: 'jharokha-renditions' }, durableObjects: { LINK: { className: 'AgentLink', useSQLite: true }, VECTORS: { className: 'VectorIndex', useSQLite: true, unsafePreventEviction: true }, TRANSFERS: { className: 'Transfers', useSQLite: true } }, bindings: { JHAROKHA_LOCAL: '1', JHAROKHA_TOKEN: BENCH_TOKEN } },
      { name: 'door', modules: true, script: DOOR, ...common, durableObjects: { VECTORS: { className: 'VectorIndex', scriptName: 'jharokha', useSQLite: true, unsafePreventEviction: true } } },
    ] }),
    resourcePersistencePath: folder,
  });
  await mf.ready;
  return { url: (await mf.unsafeGetDirectURL('jharokha')).origin, door: (await mf.unsafeGetDirectURL('door')).origin, stop: () => mf.dispose() };
}

export async function call<T>(url: string, body?: unknown): Promise<T> {
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${(await response.text()).slice(0, 300)}`);
  return (await response.json()) as T;
}
/** Columns, then packs over the Worker's route; seconds. */
export async function fillIndex(at: Opened, rows: number, vector: (i: number) => Float32Array): Promise<number> {
  let spent = 0;
  for (let from = 0; from < rows; from += PACK) {
    const numbers = Array.from({ length: Math.min(PACK, rows - from) }, (_, i) => from + i);
    const pack = encodeVectorPack(SPACE, numbers.map((i) => ({ sha256: madeHash(i), ...quantise(vector(i)) })));
    const started = performance.now();
    await call(`${at.door}/columns`, numbers.map((i) => columnsOf(i, rows)));
    const response = await fetch(`${at.url}/sync/vectors`, { method: 'POST', headers: { Authorization: `Bearer ${BENCH_TOKEN}`, 'Content-Type': VECTOR_PACK_MIME }, body: pack });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    spent += performance.now() - started;
    if (from % 100_000 === 0) console.error(`  ${from} of ${rows} written, ${(spent / 1000).toFixed(1)} s`);
  }
  return spent / 1000;
}
