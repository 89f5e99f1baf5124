// `npm run demo`: makes a small synthetic library, the same every time, and starts on it. Nothing of it is a real photo.
import { mkdirSync, existsSync, writeFileSync, utimesSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { makeScene } from './demo-scenes.ts';

const dir = join(process.env['JHAROKHA_DEMO'] ?? join(homedir(), '.jharokha-demo'));
const photos = join(dir, 'Photos');
const COUNT = 120;

if (!existsSync(join(photos, '.complete'))) {
  console.error(`Painting ${COUNT} pictures into ${photos} …`);
  mkdirSync(photos, { recursive: true });
  for (let i = 0; i < COUNT; i += 1) {
    const scene = await makeScene(i);
    const folder = join(photos, scene.folder);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, scene.name), scene.bytes);
    utimesSync(join(folder, scene.name), scene.takenAt, scene.takenAt);
  }
  writeFileSync(join(photos, '.complete'), '');
}
const child = spawn('node', ['agent/start.mjs', 'up', photos, '--data', join(dir, 'data'), ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { child.kill(signal); });
child.on('exit', (code) => { process.exit(code ?? 1); });
