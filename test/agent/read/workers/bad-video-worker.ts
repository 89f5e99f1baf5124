// An FFmpeg process that misbehaves by the first bytes of its file: `hang` spins, `crash` dies by a signal, anything else answers.
import type { BytesReply } from '../../../../agent/pipeline/av-source.ts';
import type { FrameJob } from '../../../../agent/pipeline/video-worker.ts';

const jobs = new Map<number, FrameJob>();
process.on('message', (message: FrameJob | BytesReply) => {
  if (message.type === 'frame') { jobs.set(message.id, message); process.send?.({ type: 'read', id: message.id, readId: message.id, offset: 0, length: 64 }); return; }
  const job = jobs.get(message.readId);
  const text = Buffer.from(message.bytes ?? []).toString('latin1');
  if (text.includes('hang')) for (;;) { /* as a decoder in an endless loop does */ }
  if (text.includes('crash')) process.kill(process.pid, 'SIGSEGV');
  process.send?.({ type: 'done', id: job?.id, info: { width: 4, height: 4, durationS: 1 }, pixels: { data: new Uint8Array(48).fill(90), width: 4, height: 4, channels: 3 }, code: null, reason: null });
});
