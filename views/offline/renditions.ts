// The pictures that were seen, in two generations: what is seen goes into the young one; when that is full the old one is
// dropped and the young one becomes it. So the least recently seen go, without a list of when each was seen.

/** Of one generation; there are two. */
export const MOST_RENDITIONS = 2_500;
export const MOST_BYTES = 125_000_000;

interface Ledger { young: 'a' | 'b'; count: number; bytes: number }
const LEDGER_CACHE = 'jharokha-ledger';
const LEDGER_URL = '/ledger';
const nameOf = (generation: 'a' | 'b') => `jharokha-renditions-${generation}`;

export interface Renditions {
  find(request: Request): Promise<Response | undefined>;
  keep(request: Request, response: Response): Promise<void>;
  forget(): Promise<void>;
}

/** `most` is smaller in tests alone. */
export function createRenditions(most = { count: MOST_RENDITIONS, bytes: MOST_BYTES }): Renditions {
  let ledger: Promise<Ledger> | undefined;
  // One change after the other: a generation must not turn in the middle of another's count.
  let queue: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>) => { queue = queue.then(work, work); return queue; };
  const open = async (which: 'young' | 'old') => {
    const { young } = await (ledger ??= readLedger());
    return caches.open(nameOf(which === 'young' ? young : other(young)));
  };

  const keep = (request: Request, response: Response) => inTurn(async () => {
    const young = await open('young');
    if (await young.match(request)) return;
    const body = await response.arrayBuffer();
    await young.put(request, new Response(body, { headers: response.headers }));
    const now = await (ledger ??= readLedger());
    let next = { ...now, count: now.count + 1, bytes: now.bytes + body.byteLength };
    if (next.count > most.count || next.bytes > most.bytes) {
      await caches.delete(nameOf(other(now.young)));
      next = { young: other(now.young), count: 0, bytes: 0 };
    }
    await writeLedger(next);
    ledger = Promise.resolve(next);
  });

  return {
    keep,
    async find(request) {
      const young = await (await open('young')).match(request);
      if (young) return young;
      const old = await (await open('old')).match(request);
      if (old) void keep(request, old.clone()).catch(() => undefined);
      return old;
    },
    forget: () => inTurn(async () => {
      await Promise.all([caches.delete(nameOf('a')), caches.delete(nameOf('b')), caches.delete(LEDGER_CACHE)]);
      ledger = undefined;
    }),
  };
}

function other(generation: 'a' | 'b'): 'a' | 'b' { return generation === 'a' ? 'b' : 'a'; }

async function readLedger(): Promise<Ledger> {
  const kept = await (await caches.open(LEDGER_CACHE)).match(LEDGER_URL);
  return kept ? await kept.json() as Ledger : { young: 'a', count: 0, bytes: 0 };
}
async function writeLedger(ledger: Ledger): Promise<void> {
  await (await caches.open(LEDGER_CACHE)).put(LEDGER_URL, new Response(JSON.stringify(ledger)));
}
