// bench presence: how soon an open page hears that a drive came or went, and what watching for it costs while nothing happens. Real
// processes; folders stand in for drives, so what a kernel takes to mount a real one comes on top.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFakeVolumes } from '../test/support/fake-volumes.ts';
import { freePort, startUp, stopUp, waitIdle } from '../test/support/instance.ts';

const WANTED = { noticedMs: 3_000, coreShare: 0.01 } as const;
const PLUGS = 10;
const IDLE_MS = 60_000;
/** USER_HZ: Linux tells CPU time in hundredths of a second. */
const TICK_MS = 10;

const drives = createFakeVolumes();
const dataDir = mkdtempSync(join(tmpdir(), 'jharokha-presence-'));
const top = drives.plugIn('Blue SSD');
writeFileSync(join(top, 'notes.txt'), 'a drive without pictures');
const up = startUp(dataDir, await freePort(), [top, '--no-proxies', '--search-model', 'off'], { JHAROKHA_TEST_VOLUMES: drives.file });
try {
  await waitIdle(up);
  const events = await listen(`${up.url}/live`);
  const took: number[] = [];
  for (let i = 0; i < PLUGS; i += 1) {
    // At no fixed place in the agent's own rhythm.
    await sleep(1_500 + i * 137);
    const heard = events.next();
    const started = performance.now();
    if (i % 2 === 0) drives.unplug('Blue SSD'); else drives.replug('Blue SSD');
    await heard;
    took.push(performance.now() - started);
  }
  events.close();
  await waitIdle(up);
  await sleep(3_000);
  const agent = Number((JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')) as { pid: number }).pid);
  const before = cpuMs(agent);
  await sleep(IDLE_MS);
  const share = (cpuMs(agent) - before) / IDLE_MS;
  took.sort((a, b) => a - b);
  const [median, worst] = [took[Math.floor(took.length / 2)] ?? 0, took.at(-1) ?? 0];
  console.log(`an open page hears of a drive after ${Math.round(median)} ms in the middle, ${Math.round(worst)} ms at most (wanted ${WANTED.noticedMs}); the whole agent at rest takes ${(share * 100).toFixed(2)} % of a core (wanted under ${WANTED.coreShare * 100} %)`);
  console.log(JSON.stringify({ bench: 'presence', median_ms: Math.round(median), worst_ms: Math.round(worst), idle_core_share: Number(share.toFixed(4)), of_wanted: Number((share / WANTED.coreShare).toFixed(2)) }));
} finally {
  await stopUp(up);
  drives.remove();
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit(0);

/** User and system time of a process, in milliseconds. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** `presence` events of the pages' stream, one a call of `next`. */
async function listen(url: string): Promise<{ next(): Promise<void>; close(): void }> {
  const abort = new AbortController();
  const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: abort.signal });
  if (!response.body) throw new Error('no stream');
  let wake: (() => void) | undefined;
  void (async () => {
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += new TextDecoder().decode(chunk);
      for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
        if (/^event: presence$/m.test(text.slice(0, at))) { wake?.(); wake = undefined; }
        text = text.slice(at + 2);
      }
    }
  })().catch(() => undefined);
  return { next: () => new Promise((done) => { wake = done; }), close: () => { abort.abort(); } };
}
