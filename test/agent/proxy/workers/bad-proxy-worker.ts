// A process that misbehaves by the first bytes of its file: `hang` falls silent, `crash` dies by a signal, `once` dies the first
// time alone, `slow` works for long and says so, anything else answers.
import { existsSync, writeFileSync } from 'node:fs';
import type { BytesReply } from '../../../../agent/pipeline/av-source.ts';
import type { ProxyJob, ProxyReply } from '../../../../agent/pipeline/proxy-worker.ts';

let job: ProxyJob | undefined;
process.on('message', (message: ProxyJob | BytesReply) => {
  if (message.type === 'proxy') { job = message; process.send?.({ type: 'read', id: message.id, readId: 1, offset: 0, length: 64 }); return; }
  if (!job) return;
  const { id, path } = job;
  const text = Buffer.from(message.bytes ?? []).toString('latin1');
  writeFileSync(path, 'half a video');
  if (text.includes('hang')) for (;;) { /* as a decoder in an endless loop does */ }
  if (text.includes('crash')) process.kill(process.pid, 'SIGSEGV');
  if (text.includes('once') && !existsSync(`${path}.died`)) { writeFileSync(`${path}.died`, ''); process.kill(process.pid, 'SIGSEGV'); }
  const done = (): void => { process.send?.({ type: 'done', id, made: { width: 2, height: 2, durationS: 1, saidS: 1, sizeBytes: 12, sound: false }, code: null, reason: null } satisfies ProxyReply); };
  if (!text.includes('slow')) { done(); return; }
  let told = 0;
  const timer = setInterval(() => { told += 1; if (told < 20) process.send?.({ type: 'progress' }); else { clearInterval(timer); done(); } }, 100);
});
process.on('disconnect', () => process.exit(0));
