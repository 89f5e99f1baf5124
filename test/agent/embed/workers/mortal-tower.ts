// A tower's process that dies or hangs over certain pictures, as native code can. Everything else is the real one's.
import type { TowerRequest } from '../../../../agent/pipeline/embed/tower-worker.ts';

process.on('message', (request: TowerRequest) => {
  if (request.type !== 'job' || request.job.kind !== 'picture') return;
  const word = Buffer.from(request.job.bytes.subarray(0, 4)).toString('latin1');
  if (word === 'DIE!') process.kill(process.pid, 'SIGKILL');
  if (word === 'HANG') for (;;) { /* never again */ }
});
await import('../../../../agent/pipeline/embed/tower-worker.ts');
