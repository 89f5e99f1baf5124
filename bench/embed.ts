// bench embed: pictures a second and core, from a rendition's bytes to a vector, beside the bare model call on the same tensors
// in as many processes. With the weights of a real model (MODEL_DIR, PROFILE) it measures that one; without, models of the two
// profiles' cost that mean nothing, and says so. On a machine that does other things, too, the model's share of the processor's
// time says more than the ratio.
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { findInFolder, readModel } from '../agent/pipeline/embed/model.ts';
import { openEmbedder } from '../agent/pipeline/embed/open.ts';
import { PROFILES } from '../agent/pipeline/embed/profiles.ts';
import { WEBP } from '../agent/pipeline/render.ts';
import { SearchProfile } from '../protocol/vector.ts';
import { towerDir } from '../test/support/towers.ts';
import type { BareDone, BareStart } from './embed-bare.ts';
import { makeHeavyTower } from './heavy-tower.ts';

const CORES = Number(process.env['CORES'] ?? availableParallelism());
const PICTURES = Number(process.env['PICTURES'] ?? 24);
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const WANTED = 0.85;
/** A preview of 1,600 px, and a grid rendition of 440 px high. */
const RENDITIONS = { preview: [1_600, 1_200], grid: [587, 440] } as const;
/** Layers that take about as long as the real towers do in 8 bits on one thread (PLATFORM: 119 and 33 ms). */
const COSTS = { standard: { patchPx: 16, layers: 9 }, light: { patchPx: 32, layers: 8 } } as const;

interface Subject { profile: SearchProfile; dir: string; weights: 'real' | 'made up' }
const temp = mkdtempSync(join(tmpdir(), 'jharokha-bench-embed-'));
const median = (list: number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
const now = (): number => performance.now();

/** Detail as a photograph has it: coarse noise beneath fine. */
async function makePicture(width: number, height: number): Promise<Buffer> {
  const noise = (w: number, h: number, sigma: number) => sharp({ create: { width: w, height: h, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma } } }).png().toBuffer();
  const coarse = await sharp(await noise(40, 30, 60)).resize(width, height, { fit: 'fill', kernel: 'cubic' }).png().toBuffer();
  const fine = await sharp(await noise(Math.round(width / 3), Math.round(height / 3), 40)).resize(width, height, { fit: 'fill', kernel: 'cubic' }).png().toBuffer();
  return sharp(coarse).composite([{ input: fine, blend: 'soft-light' }]).webp(WEBP).toBuffer();
}

function subjects(): Subject[] {
  const dir = process.env['MODEL_DIR'];
  if (dir) return [{ profile: SearchProfile.parse(process.env['PROFILE'] ?? 'standard'), dir, weights: 'real' }];
  console.log('MODEL_DIR names no folder with weights: models of the same cost, whose vectors mean nothing, are measured in their place.');
  return (['standard', 'light'] as const).map((profile) => {
    const made = join(temp, profile);
    makeHeavyTower(made, towerDir(profile === 'standard' ? 'siglip' : 'clip'), COSTS[profile]);
    return { profile, dir: made, weights: 'made up' };
  });
}

const ask = (child: ChildProcess, message: BareStart | 'run'): Promise<BareDone> => new Promise((resolve, reject) => {
  child.once('message', (done: BareDone) => { resolve(done); });
  child.once('exit', () => { reject(new Error('the bare model ended')); });
  child.send(message);
});

try {
  for (const { profile, dir, weights } of subjects()) {
    const place = await findInFolder(dir, PROFILES[profile]);
    const { vision } = await readModel(place.dir, place.name, PROFILES[profile]);
    for (const [rendition, [width, height]] of Object.entries(RENDITIONS)) {
      const pictures = await Promise.all(Array.from({ length: PICTURES }, () => makePicture(width, height)));
      const embedder = await openEmbedder({ profile, modelDir: dir, cacheDir: temp }, { workers: CORES });
      const bare = Array.from({ length: CORES }, () => fork(fileURLToPath(new URL('./embed-bare.ts', import.meta.url)), [], { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' }, serialization: 'advanced' }));
      // Each bare process does the pictures that would be its share.
      await Promise.all(bare.map((child, i) => ask(child, { spec: vision, pictures: pictures.filter((_, k) => k % CORES === i) })));
      const ours = async (): Promise<void> => { await Promise.all(pictures.map((bytes) => embedder.embedImage(bytes))); };
      await ours();
      const times: { ours: number; bare: number; share: number; prepareMs: number; modelMs: number }[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const started = now();
        const cpu = await Promise.all(bare.map((child) => ask(child, 'run')));
        const between = now();
        await ours();
        const [prepare, model] = [cpu.reduce((sum, c) => sum + c.prepareCpuMs, 0), cpu.reduce((sum, c) => sum + c.modelCpuMs, 0)];
        times.push({ bare: between - started, ours: now() - between, share: model / (prepare + model), prepareMs: prepare / PICTURES, modelMs: model / PICTURES });
      }
      for (const child of bare) { child.removeAllListeners('exit'); child.kill(); }
      await embedder.close();
      const rate = (ms: number): number => (PICTURES / ms) * 1_000 / CORES;
      const ratio = median(times.map((t) => t.bare / t.ours));
      const share = median(times.map((t) => t.share));
      const [our, plain] = [rate(median(times.map((t) => t.ours))), rate(median(times.map((t) => t.bare)))];
      const kb = Math.round(median(pictures.map((p) => p.length)) / 1_000);
      console.log(`${profile} (${weights} weights) from ${rendition} renditions of ${kb} KB: ${our.toFixed(1)} pictures a second and core, the bare model ${plain.toFixed(1)}; ratio ${ratio.toFixed(2)} (wanted at least ${WANTED})${ratio < WANTED ? ' ✗' : ''}; of the processor's time ${(share * 100).toFixed(0)} % are the model's`);
      console.log(JSON.stringify({ bench: 'embed', profile, weights, rendition, cores: CORES, pictures: PICTURES, per_s_core: Number(our.toFixed(2)), bare_per_s_core: Number(plain.toFixed(2)), ratio: Number(ratio.toFixed(3)), wanted: WANTED, cpu_share: Number(share.toFixed(3)), prepare_cpu_ms: Number(median(times.map((t) => t.prepareMs)).toFixed(1)), model_cpu_ms: Number(median(times.map((t) => t.modelMs)).toFixed(1)), rounds: times.map((t) => Number((t.bare / t.ours).toFixed(2))) }));
    }
  }
} finally { rmSync(temp, { recursive: true, force: true }); }
