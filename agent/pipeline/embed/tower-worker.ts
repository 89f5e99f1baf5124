// The process that runs one tower. Speaks only with tower-pool.ts; loads its tower at the first message and then answers one
// job at a time. It may be ended at any moment.
import { constants, setPriority } from 'node:os';
import { toUnit } from '../../../protocol/vector.ts';
import { readPicture } from './picture.ts';
import { embedPrompts, loadText, loadVision, TowerUnloadable, type TextTower, type TowerSpec, type VisionTower } from './towers.ts';

/** `probe`: the vector of nothing in particular, to see that the tower works and how long its vectors are. */
export type TowerJob = { kind: 'picture'; bytes: Uint8Array } | { kind: 'text'; prompts: readonly string[] } | { kind: 'probe' };
export type TowerRequest = { type: 'load'; spec: TowerSpec } | { type: 'job'; id: number; job: TowerJob };
export type TowerReply =
  | { type: 'loaded' }
  | { type: 'unloadable'; file: string; message: string }
  | { type: 'vector'; id: number; vector: Float32Array }
  | { type: 'refused'; id: number; message: string };

let spec: TowerSpec | undefined;
let vision: VisionTower | undefined;
let text: TextTower | undefined;

async function load(wanted: TowerSpec): Promise<void> {
  spec = wanted;
  // Pictures make way for what someone waits for.
  if (wanted.tower === 'vision') try { setPriority(constants.priority.PRIORITY_BELOW_NORMAL); } catch { /* then at the usual one */ }
  if (wanted.tower === 'vision') vision = await loadVision(wanted); else text = await loadText(wanted);
}

async function run(job: TowerJob): Promise<Float32Array> {
  if (job.kind === 'text' && text) return embedPrompts(text, job.prompts);
  if (job.kind === 'picture' && vision && spec) return toUnit(await vision.embed(await readPicture(job.bytes, spec.shape)));
  if (job.kind === 'probe' && vision && spec) return toUnit(await vision.embed(Float32Array.from({ length: 3 * spec.shape.widthPx * spec.shape.heightPx }, (_, i) => Math.sin(i))));
  if (job.kind === 'probe' && text) return embedPrompts(text, ['a photo']);
  throw new Error('this tower takes no such job');
}

const reply = (message: TowerReply): void => { process.send?.(message); };

process.on('message', (request: TowerRequest) => {
  const failed = (error: unknown, id: number | null): void => {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof TowerUnloadable) reply({ type: 'unloadable', file: error.file, message });
    else if (id === null) reply({ type: 'unloadable', file: spec?.file ?? '', message });
    else reply({ type: 'refused', id, message });
  };
  if (request.type === 'load') load(request.spec).then(() => { reply({ type: 'loaded' }); }, (error: unknown) => { failed(error, null); });
  else run(request.job).then((vector) => { reply({ type: 'vector', id: request.id, vector }); }, (error: unknown) => { failed(error, request.id); });
});
// The agent is gone: nobody reads what would come.
process.on('disconnect', () => { process.exit(0); });
