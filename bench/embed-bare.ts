// The bare model for bench embed: one process, one thread, tensors made ahead; nothing but the model's call is timed. Tells too
// what making the tensors costs, in the processor's time, which what else the machine does hardly changes.
import { constants, setPriority } from 'node:os';
import { readPicture } from '../agent/pipeline/embed/picture.ts';
import { loadVision, type TowerSpec, type VisionTower } from '../agent/pipeline/embed/towers.ts';

export interface BareStart { spec: TowerSpec; pictures: Uint8Array[] }
/** CPU milliseconds for all the pictures: from bytes to tensors, and in the model. */
export interface BareDone { prepareCpuMs: number; modelCpuMs: number }

// As the agent's own processes, so that other work on the machine hinders both alike.
try { setPriority(constants.priority.PRIORITY_BELOW_NORMAL); } catch { /* then at the usual one */ }
let tower: VisionTower | undefined;
let tensors: Float32Array[] = [];
let prepareCpuMs = 0;

async function cpuMs(work: () => Promise<void>): Promise<number> {
  const started = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1_000;
}
const runModel = async (): Promise<void> => { for (const tensor of tensors) await tower?.embed(tensor); };
async function start({ spec, pictures }: BareStart): Promise<void> {
  const prepare = async (): Promise<void> => {
    tensors = [];
    for (const bytes of pictures) tensors.push(await readPicture(bytes, spec.shape));
  };
  tower = await loadVision(spec);
  // Once to warm up.
  await prepare();
  await runModel();
  prepareCpuMs = await cpuMs(prepare);
}

process.on('message', (message: BareStart | 'run') => {
  void (async () => {
    if (message !== 'run') await start(message);
    process.send?.({ prepareCpuMs, modelCpuMs: message === 'run' ? await cpuMs(runModel) : 0 } satisfies BareDone);
  })();
});
