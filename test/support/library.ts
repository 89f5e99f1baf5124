// A small library for tests of whole processes, the same every time: pictures of several folders and shapes, copies,
// a hard link, sidecars, clutter and files that cannot be read.
import { copyFileSync, linkSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeScene } from '../../scripts/demo-scenes.ts';

/** Higher than a grid rendition in every shape, and no larger: most of the work on a picture is its pixels. */
const SCALE = 0.6;

export interface Library { dir: string; assets: number; failed: number }

export async function makeLibrary(dir: string, pictures = 24): Promise<Library> {
  const put = (path: string, bytes: Buffer | string, at: Date) => {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), bytes);
    utimesSync(join(dir, path), at, at);
  };
  const then = new Date('2020-05-01T10:00:00Z');
  const scenes = [];
  for (let i = 0; i < pictures; i += 1) scenes.push(await makeScene(i, SCALE));
  for (const scene of scenes) put(`${scene.folder}/${scene.name}`, scene.bytes, scene.takenAt);
  const [first, second] = scenes;
  if (!first || !second) throw new Error('a library needs two pictures');
  mkdirSync(join(dir, 'Copies'), { recursive: true });
  copyFileSync(join(dir, first.folder, first.name), join(dir, 'Copies', 'again.jpg'));
  linkSync(join(dir, second.folder, second.name), join(dir, 'Copies', 'same file.jpg'));
  put('Odd/empty.jpg', '', then);
  put('Odd/not a picture.jpg', 'this is text', then);
  put('Odd/cut short.jpg', first.bytes.subarray(0, Math.floor(first.bytes.length / 2)), then);
  put('Odd/line\nbreak <b>.jpg', (await makeScene(900, SCALE)).bytes, then);
  put('Odd/notes.txt', 'ignored', then);
  put(`${first.folder}/${first.name}.xmp`, '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>', then);
  put(`${first.folder}/._${first.name}`, Buffer.concat([Buffer.from([0, 5, 0x16, 7, 0, 2, 0, 0]), Buffer.alloc(4_088)]), then);
  return { dir, assets: pictures + 2, failed: 2 };
}
