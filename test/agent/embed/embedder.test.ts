// The model at work, through the real transformers.js and onnxruntime, on small real towers of both architectures.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Embedder, OpenOptions } from '../../../agent/pipeline/embed/embedder.ts';
import { readModel } from '../../../agent/pipeline/embed/model.ts';
import { openEmbedder } from '../../../agent/pipeline/embed/open.ts';
import { PROFILES, promptsOf } from '../../../agent/pipeline/embed/profiles.ts';
import { embedPrompts, loadText } from '../../../agent/pipeline/embed/towers.ts';
import { SEARCH_PROFILES, spaceKey, toUnit, VectorSpace, type SearchProfile } from '../../../protocol/vector.ts';
import { buildAgent } from '../../../scripts/build.ts';
import { colourPicture, cosine, RGB, towerDir, type ColourName } from '../../support/towers.ts';

const root = mkdtempSync(join(tmpdir(), 'jharokha-embed-'));
const cacheDir = join(root, 'cache');
const opened: Embedder[] = [];
afterAll(async () => { await Promise.all(opened.map((e) => e.close())); rmSync(root, { recursive: true, force: true }); });

async function open(modelDir: string, options: Partial<OpenOptions> = {}, profile: SearchProfile = 'light'): Promise<Embedder> {
  const embedder = await openEmbedder({ profile, modelDir, cacheDir }, { workers: 1, ...options });
  opened.push(embedder);
  return embedder;
}
const shared = new Map<string, Promise<Embedder>>();
/** A test tower as it is, opened once for all that only ask it. */
function tower(architecture: 'clip' | 'siglip'): Promise<Embedder> {
  const e = shared.get(architecture) ?? open(towerDir(architecture));
  shared.set(architecture, e);
  return e;
}
let copies = 0;
/** A tower's folder of one's own, to be damaged. */
function copyTower(architecture: 'clip' | 'siglip'): string {
  const dir = join(root, `copy-${copies += 1}`);
  cpSync(towerDir(architecture), dir, { recursive: true });
  return dir;
}
const norm = (v: Float32Array): number => Math.sqrt(cosine(v, v));
const one = async (e: Embedder, text: string): Promise<Float32Array> => (await e.embedTexts([text]))[0] as Float32Array;

describe.each(['clip', 'siglip'] as const)('a %s model', (architecture) => {
  const dimension = architecture === 'clip' ? 16 : 24;

  it('puts the pictures of a colour next to its word, and nothing next to a word that it does not know', async () => {
    const e = await tower(architecture);
    expect(e.space).toEqual({ profile: 'light', model: architecture, revision: expect.stringMatching(/^[0-9a-f]{12}$/) as string, dtype: 'q8', preprocessing: 1, dimension });
    expect(VectorSpace.safeParse(e.space).success).toBe(true);
    const names = Object.keys(RGB) as ColourName[];
    const pictures = await Promise.all(names.map(async (name) => e.embedImage(await colourPicture(name))));
    for (const v of pictures) { expect(v).toHaveLength(dimension); expect(norm(v)).toBeCloseTo(1, 5); }
    const nothing = await one(e, 'a photo');
    for (const [i, word] of names.entries()) {
      const query = await one(e, word);
      expect(norm(query)).toBeCloseTo(1, 5);
      const scores = pictures.map((p) => cosine(p, query));
      const others = scores.filter((_, k) => k !== i);
      expect(scores[i], word).toBeGreaterThan(0.9);
      expect(Math.max(...others), word).toBeLessThan(0.4);
      expect(cosine(pictures[i] as Float32Array, nothing)).toBeLessThan(scores[i] as number);
    }
    const zebra = await one(e, 'zebra');
    for (const p of pictures) expect(cosine(p, zebra)).toBeLessThan(cosine(p, nothing));
  });

  it('gives nearly the same vector for the same picture in another format or size', async () => {
    const e = await tower(architecture);
    const first = await e.embedImage(await colourPicture('green', { beside: 'yellow', width: 640, height: 480 }));
    for (const [format, width, height] of [['jpeg', 640, 480], ['png', 640, 480], ['webp', 331, 249], ['jpeg', 1601, 1200], ['webp', 41, 31]] as const) {
      const v = await e.embedImage(await colourPicture('green', { beside: 'yellow', format, width, height }));
      expect(cosine(first, v), `${format} ${width}x${height}`).toBeGreaterThan(0.98);
    }
  });

  it('takes pictures of every odd kind', async () => {
    const e = await tower(architecture);
    const red = await one(e, 'red');
    const white = await one(e, 'white');
    const create = (width: number, height: number, background: string | { r: number; g: number; b: number; alpha: number }, channels: 3 | 4 = 3) => sharp({ create: { width, height, channels, background } });
    expect(cosine(red, await e.embedImage(await create(1, 1, RGB.red).png().toBuffer()))).toBeGreaterThan(0.9);
    expect(cosine(red, await e.embedImage(await create(16_000, 3, RGB.red).webp().toBuffer()))).toBeGreaterThan(0.9);
    expect(cosine(red, await e.embedImage(await create(2, 9_000, RGB.red).png().toBuffer()))).toBeGreaterThan(0.9);
    // Transparent is white, whatever colour it hides.
    expect(cosine(white, await e.embedImage(await create(50, 50, { r: 255, g: 0, b: 0, alpha: 0 }, 4).png().toBuffer()))).toBeGreaterThan(0.9);
    // Grey alone, and with alpha; 16 bits; CMYK.
    expect(cosine(white, await e.embedImage(await create(50, 50, '#ffffff').greyscale().png().toBuffer()))).toBeGreaterThan(0.9);
    expect(cosine(white, await e.embedImage(await create(50, 50, { r: 255, g: 255, b: 255, alpha: 0.5 }, 4).greyscale().png().toBuffer()))).toBeGreaterThan(0.9);
    expect(cosine(red, await e.embedImage(await create(50, 50, RGB.red).toColourspace('rgb16').png().toBuffer()))).toBeGreaterThan(0.9);
    expect(cosine(red, await e.embedImage(await create(50, 50, RGB.red).toColourspace('cmyk').jpeg().toBuffer()))).toBeGreaterThan(0.8);
  });

  it('reads words in any spelling, and long or strange texts', async () => {
    const e = await tower(architecture);
    const red = await one(e, 'red');
    expect(await one(e, 'RED')).toEqual(red);
    expect(await one(e, '  red\n')).toEqual(red);
    expect(cosine(red, await one(e, 'blue'))).toBeLessThan(0.5);
    const strange = ['', '🌊'.repeat(50), 'लाल', 'あか', '"; DROP TABLE --', '\ud800', '$& {q}', 'word '.repeat(5_000)];
    const vectors = await e.embedTexts(strange);
    expect(vectors).toHaveLength(strange.length);
    for (const v of vectors) expect(norm(v)).toBeCloseTo(1, 5);
    // What is cut off is the end, and the beginning still counts.
    expect(cosine(red, await one(e, `red ${'a '.repeat(300)} blue`))).toBeGreaterThan(0.9);
    expect(await e.embedTexts([])).toEqual([]);
  });

  it('counts every prompt the same, however long its vector is', async () => {
    const dir = towerDir(architecture);
    const text = await loadText((await readModel(dir, 'test', PROFILES.light)).text);
    const [red, blue] = [toUnit(await text.embed('red red red')), toUnit(await text.embed('blue'))];
    const both = await embedPrompts(text, ['red red red', 'blue']);
    expect(cosine(both, toUnit(red.map((v, i) => v + (blue[i] as number))))).toBeCloseTo(1, 5);
    expect(cosine(both, red)).toBeCloseTo(cosine(both, blue), 5);
    // Each profile asks in its own words; what is searched for stands in each of them.
    for (const profile of SEARCH_PROFILES) {
      expect(promptsOf(profile, ' a  red\nbus ').every((p) => p.includes('a red bus'))).toBe(true);
      expect(new Set(promptsOf(profile, 'x')).size).toBeGreaterThan(1);
    }
    const [standard, light] = [await open(dir, {}, 'standard'), await open(dir, {}, 'light')];
    expect(spaceKey(standard.space)).not.toBe(spaceKey(light.space));
  });

  it('rejects a picture that cannot be read, and reads the next', async () => {
    const e = await tower(architecture);
    const good = await colourPicture('red', { format: 'jpeg', width: 800, height: 600 });
    const results = await Promise.allSettled([e.embedImage(new Uint8Array(0)), e.embedImage(Buffer.from('no picture')), e.embedImage(good.subarray(0, good.length / 2)), e.embedImage(good)]);
    expect(results.map((r) => r.status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
    for (const r of results.slice(0, 3)) expect((r as PromiseRejectedResult).reason).toBeInstanceOf(Error);
  });

  it('lives through a process that dies or hangs over a picture', async () => {
    const e = await open(towerDir(architecture), { script: new URL('./workers/mortal-tower.ts', import.meta.url), jobTimeoutMs: 3_000 });
    const picture = await colourPicture('blue');
    const all = await Promise.allSettled([picture, Buffer.from('DIE!'), picture, Buffer.from('HANG'), picture].map((bytes) => e.embedImage(bytes)));
    expect(all.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(String((all[1] as PromiseRejectedResult).reason)).toMatch(/SIGKILL/);
    expect(String((all[3] as PromiseRejectedResult).reason)).toMatch(/did not answer/);
    await one(e, 'red');
    // Words do not wait for a picture that hangs.
    const hanging = e.embedImage(Buffer.from('HANG')).catch(() => 'given up');
    expect(await Promise.race([hanging, one(e, 'blue')])).toBeInstanceOf(Float32Array);
    expect(await hanging).toBe('given up');
  });

  it('can be closed while it works', async () => {
    const e = await open(towerDir(architecture), { workers: 2 });
    const picture = await colourPicture('blue');
    const busy = Array.from({ length: 20 }, () => e.embedImage(picture));
    const words = e.embedTexts(['red', 'blue', 'green']);
    const settled = Promise.allSettled([...busy, words]);
    await e.close();
    expect((await settled).some((r) => r.status === 'rejected')).toBe(true);
    await expect(e.embedImage(picture)).rejects.toThrow(/closed/);
    await expect(e.embedTexts(['red'])).rejects.toThrow(/closed/);
    await e.close();
  });

  it('is another space with other weights, and the same space at the next start', async () => {
    const dir = copyTower(architecture);
    const before = (await open(dir)).space;
    expect((await open(dir)).space).toEqual(before);
    const path = join(dir, 'onnx/text_model_quantized.onnx');
    const bytes = readFileSync(path);
    // A number within the weights of a word.
    bytes.writeFloatLE(0.123, bytes.indexOf('words') + 400);
    writeFileSync(path, bytes);
    const after = (await open(dir)).space;
    expect(after.revision).not.toBe(before.revision);
    expect(spaceKey({ ...after, model: before.model })).not.toBe(spaceKey(before));
  });
});

it('runs from the agent\'s bundle as from its source', async () => {
  const { path } = await buildAgent();
  const e = await open(towerDir('clip'), { script: pathToFileURL(join(dirname(path), 'tower-worker.js')) });
  expect(cosine(await one(e, 'red'), await e.embedImage(await colourPicture('red')))).toBeGreaterThan(0.9);
  expect(e.space).toEqual((await tower('clip')).space);
});

it('stops while it is being opened, and leaves no process behind', async () => {
  const processes = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap').length;
  const before = processes();
  const stop = new AbortController();
  const opening = openEmbedder({ profile: 'light', modelDir: copyTower('clip'), cacheDir }, { workers: 1, signal: stop.signal });
  await vi.waitFor(() => { expect(processes()).toBeGreaterThan(before); }, { timeout: 10_000, interval: 5 });
  stop.abort(new Error('the agent ends'));
  await expect(opening).rejects.toThrow('the agent ends');
  // Ended already; Node forgets it a moment later.
  await vi.waitFor(() => { expect(processes()).toBeLessThanOrEqual(before); }, { timeout: 1_000, interval: 5 });
});

it('never gives both architectures one space', async () => {
  const [clip, siglip] = [await tower('clip'), await tower('siglip')];
  expect(clip.space.revision).not.toBe(siglip.space.revision);
  expect(clip.space.dimension).not.toBe(siglip.space.dimension);
});

it('lets a single query overtake a list of words', async () => {
  const e = await tower('siglip');
  await one(e, 'red');
  let done = false;
  const list = e.embedTexts(Array.from({ length: 300 }, (_, i) => `word ${i}`)).then(() => { done = true; });
  await setTimeout(5);
  await one(e, 'blue');
  expect(done).toBe(false);
  await list;
});
