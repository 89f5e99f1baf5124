// bench serve: renditions a second of our Worker against a bare Worker that only reads R2: same run, same objects, same
// client, in alternating rounds so that a busy machine slows both.
import { createHash } from 'node:crypto';
import { Agent, get } from 'node:http';
import { PACK_MIME, encodePack, type PackItem } from '../protocol/pack.ts';
import { renditionKey, renditionUrl } from '../protocol/rendition.ts';
import { BENCH_TOKEN, startWorker } from './start-worker.ts';

const OBJECTS = 400;
/** A grid rendition, roughly. */
const OBJECT_BYTES = 20_000;
const ROUNDS = 8;
const PER_ROUND = Number(process.env['REQUESTS'] ?? 1_500);
const AT_ONCE = 12;

const BARE = `export default { async fetch(request, env) {
  const url = new URL(request.url);
  const parts = url.pathname.split('/');
  const object = await env.RENDITIONS.get(parts[2].slice(0, 2) + '/' + parts[2] + '/' + parts[3]);
  return object ? new Response(object.body, { headers: { 'Content-Type': 'image/webp' } }) : new Response('', { status: 404 });
} };`;

const ids = Array.from({ length: OBJECTS }, (_, i) => ({ sha256: createHash('sha256').update(String(i)).digest('hex'), name: 'grid' as const, version: 2 }));

async function fill(url: string): Promise<void> {
  for (let from = 0; from < OBJECTS; from += 100) {
    const items: PackItem[] = ids.slice(from, from + 100).map((id, i) => {
      const bytes = Buffer.alloc(OBJECT_BYTES, i + 1);
      bytes.write('RIFF', 0); bytes.write('WEBP', 8);
      return { key: renditionKey(id), sha256: createHash('sha256').update(bytes).digest('hex'), bytes };
    });
    const response = await fetch(`${url}/sync/renditions`, { method: 'POST', headers: { Authorization: `Bearer ${BENCH_TOKEN}`, 'Content-Type': PACK_MIME }, body: encodePack(items) });
    const answer = (await response.json()) as { stored: string[] };
    if (answer.stored.length !== items.length) throw new Error(`pack: ${response.status} ${JSON.stringify(answer).slice(0, 300)}`);
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

function fetchOne(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let size = 0;
      response.on('data', (chunk: Buffer) => { size += chunk.length; });
      response.on('end', () => (response.statusCode === 200 && size === OBJECT_BYTES ? resolve() : reject(new Error(`${url}: ${response.statusCode}, ${size} bytes`))));
      response.on('error', reject);
    }).on('error', reject);
  });
}

/** Seconds for `count` requests. */
async function round(base: string, count: number): Promise<number> {
  let next = 0;
  const t = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < count) {
      const id = ids[(next++ * 37) % OBJECTS];
      if (id) await fetchOne(base + renditionUrl(id));
    }
  }));
  return (performance.now() - t) / 1000;
}

const worker = await startWorker({ bareScript: BARE });
try {
  if (worker.bareUrl === undefined) throw new Error('the bare Worker did not start');
  await fill(worker.url);
  await round(worker.url, 300);
  await round(worker.bareUrl, 300);
  let ours = 0;
  let bare = 0;
  for (let i = 0; i < ROUNDS; i += 1) {
    // Each goes first in every other round.
    if (i % 2 === 0) { ours += await round(worker.url, PER_ROUND); bare += await round(worker.bareUrl, PER_ROUND); }
    else { bare += await round(worker.bareUrl, PER_ROUND); ours += await round(worker.url, PER_ROUND); }
  }
  const rate = (seconds: number) => Math.round((ROUNDS * PER_ROUND) / seconds);
  console.log(JSON.stringify({ bench: 'serve', ours_per_s: rate(ours), bare_per_s: rate(bare), ratio: Number((bare / ours).toFixed(3)) }));
} finally { agent.destroy(); await worker.stop(); }
