// A decoding thread that misbehaves by what its job holds: `hang` spins, `crash` throws, anything else answers.
import { parentPort } from 'node:worker_threads';
import type { HeicJob, HeicReply } from '../../../../agent/pipeline/heic-worker.ts';

parentPort?.on('message', (job: HeicJob) => {
  const text = Buffer.from(job.bytes).toString('latin1');
  if (text.includes('hang')) for (;;) { /* as a decoder in an endless loop does: no event is served */ }
  if (text.includes('crash')) throw new Error('memory access out of bounds');
  if (text.includes('exit')) process.exit(3);
  const reply: HeicReply = { id: job.id, ok: true, width: 8, height: 8, pixels: { data: new Uint8Array(192).fill(200), width: 8, height: 8, channels: 3 }, icc: null, primaries: null };
  parentPort?.postMessage(reply);
});
