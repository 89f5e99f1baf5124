// bench proxy: small videos as the agent makes them, against the `ffmpeg` command at the same settings, file by file and one after
// the other. Without that command it says so and gives our own times alone.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readSync, closeSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { identify } from '../agent/pipeline/identify.ts';
import { createProxyMaker, type ProxyMaker } from '../agent/pipeline/proxy.ts';
import { PROXY_ENCODING } from '../agent/pipeline/proxy-settings.ts';
import { PROXY_SHORT_PX } from '../protocol/limits.ts';
import { makeScene } from '../scripts/demo-scenes.ts';
import { makeClip } from '../test/support/make-clip.ts';
import { findSharedMedia } from '../test/support/shared-media.ts';

const WANTED_RATIO = 1.3;
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
/** A phone's film: 1080p, 30 pictures a second, 17 Mbit/s. */
const FILM = { width: 1920, height: 1080, fps: 30, seconds: 20, bitsPerS: 17_000_000 } as const;
const REAL = ['video/earth.mov', 'video/PXL_20220724_210650210.NIGHT.mp4', 'video/mp42-hvc1.mp4', 'video/webm.webm', 'video/wmv.wmv', 'live-photos/decoy-same-stem/IMG_1234.mp4'];

const cache = fileURLToPath(new URL('../.build/bench-proxy/', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'jharokha-proxy-bench-'));
try {
  const media = findSharedMedia().dir;
  const files = [await film(), ...REAL.flatMap((name) => (media !== undefined && existsSync(join(media, name)) ? [join(media, name)] : []))];
  const ffmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
  const rounds: { ours: number; theirs: number }[] = [];
  const each = files.map(() => ({ ours: Infinity, theirs: Infinity }));
  for (let round = 0; round < ROUNDS; round += 1) {
    const sum = { ours: 0, theirs: 0 };
    // A process of its own a round, as the agent starts one for each run of its stage.
    const maker = createProxyMaker();
    for (const [i, file] of files.entries()) {
      const best = each[i];
      if (!best) continue;
      const theirs = ffmpeg ? time(() => { runFfmpeg(file); }) : 0;
      const started = performance.now();
      await makeOne(maker, file);
      const ours = performance.now() - started;
      sum.ours += ours; sum.theirs += theirs;
      best.ours = Math.min(best.ours, ours); best.theirs = Math.min(best.theirs, theirs);
    }
    await maker.close();
    rounds.push(sum);
  }
  for (const [i, file] of files.entries()) console.log(`${basename(file)}: ${Math.round(each[i]?.ours ?? 0)} ms${ffmpeg ? `, ffmpeg ${Math.round(each[i]?.theirs ?? 0)} ms` : ''}`);
  const ratios = rounds.map((r) => r.ours / r.theirs).sort((a, b) => a - b);
  const ratio = ratios[Math.floor(ratios.length / 2)] ?? Number.NaN;
  if (ffmpeg) console.log(`${files.length} videos: ${ratio.toFixed(2)} times what ffmpeg takes (wanted at most ${WANTED_RATIO}; rounds ${ratios.map((r) => r.toFixed(2)).join(', ')})`);
  else console.log(`${files.length} videos: ${Math.round(rounds[0]?.ours ?? 0)} ms; there is no ffmpeg command here to compare with (apt install ffmpeg)`);
  console.log(JSON.stringify({ bench: 'proxy', files: files.length, ratio: ffmpeg ? Number(ratio.toFixed(3)) : null, ours_ms: Math.round(Math.min(...rounds.map((r) => r.ours))) }));
} finally { rmSync(out, { recursive: true, force: true }); }
process.exit(0);

/** The generated film, made once: a painted scene with a sensor's noise, over which the camera moves. */
async function film(): Promise<string> {
  const path = join(cache, 'film.mp4');
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const wide = { width: FILM.width + 600, height: FILM.height + 300 };
  const noise = await sharp({ create: { ...wide, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 14 } } }).png({ compressionLevel: 0 }).toBuffer();
  const scene = await sharp((await makeScene(3)).bytes).resize(wide.width, wide.height, { fit: 'fill' }).composite([{ input: noise, blend: 'soft-light' }]).removeAlpha().raw().toBuffer();
  await makeClip({
    ...FILM, path: `${path}.part`, sound: true,
    paint: (rgb, i) => {
      const x = Math.round(300 + 299 * Math.sin(i / 40)), y = Math.round(150 + 149 * Math.cos(i / 55));
      for (let row = 0; row < FILM.height; row += 1) scene.copy(rgb, row * FILM.width * 3, ((row + y) * wide.width + x) * 3, ((row + y) * wide.width + x + FILM.width) * 3);
    },
  });
  renameSync(`${path}.part`, path);
  return path;
}

function time(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function runFfmpeg(file: string): void {
  const e = PROXY_ENCODING;
  const shrink = `scale='if(gt(iw,ih),-2,min(iw,${PROXY_SHORT_PX}))':'if(gt(iw,ih),min(ih,${PROXY_SHORT_PX}),-2)':flags=bicubic,format=yuv420p`;
  execFileSync('nice', ['-n', '19', 'ffmpeg', '-hide_banner', '-loglevel', 'error', '-nostdin', '-y', '-i', file, '-vf', shrink, '-c:v', 'libx264', '-preset', e.preset, '-crf', String(e.crf), '-profile:v', 'high',
    '-maxrate', String(e.maxVideoBps), '-bufsize', String(e.maxVideoBps * 2), '-g', String(e.maxFps * e.keyEveryS), '-c:a', 'aac', '-b:a', String(e.soundBps), '-ac', '2', '-map_metadata', '-1', '-movflags', '+faststart', join(out, 'theirs.mp4')], { stdio: 'ignore' });
}

async function makeOne(maker: ProxyMaker, file: string): Promise<void> {
  const fd = openSync(file, 'r');
  try {
    const sizeBytes = statSync(file).size;
    const read = (offset: number, length: number): Promise<Buffer> => {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, sizeBytes - offset)));
      return Promise.resolve(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset)));
    };
    const type = identify(basename(file), sizeBytes, await read(0, 4_096));
    if (type.as !== 'asset') throw new Error(`${file} is no video`);
    const { made, reason } = await maker.make({ path: file, name: basename(file), sizeBytes, mtimeMs: 0, bytes: null, read }, type.format, join(out, 'ours.mp4'));
    if (!made) throw new Error(`${file}: ${reason ?? 'unknown'}`);
  } finally { closeSync(fd); }
}
