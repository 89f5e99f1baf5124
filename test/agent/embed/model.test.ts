// The model's files: missing, damaged, downloaded from a hub that misbehaves. What is half must never look whole.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ModelDamaged, ModelMissing, type Embedder, type OpenOptions } from '../../../agent/pipeline/embed/embedder.ts';
import { openEmbedder } from '../../../agent/pipeline/embed/open.ts';
import { MODEL_FILES, PROFILES } from '../../../agent/pipeline/embed/profiles.ts';
import { writeOnnx } from '../../../scripts/onnx.ts';
import { startBadHub } from '../../support/bad-hub.ts';
import { cosine, colourPicture, towerDir } from '../../support/towers.ts';

const root = mkdtempSync(join(tmpdir(), 'jharokha-model-'));
const hub = await startBadHub(towerDir('siglip'));
const open: Embedder[] = [];
afterAll(async () => { await Promise.all(open.map((e) => e.close())); await hub.close(); rmSync(root, { recursive: true, force: true }); });

let n = 0;
let cacheDir = '';
beforeEach(() => { cacheDir = join(root, `cache-${n += 1}`); hub.setFaults(); hub.setRanges(true); });
const modelDir = (): string => join(cacheDir, PROFILES.standard.model);

/** Opens with the local hub and closes again; answers the space. */
async function tryOpen(dir: string | null, options: Partial<OpenOptions> = {}) {
  const e = await openEmbedder({ profile: 'standard', modelDir: dir, cacheDir }, { workers: 1, hub: hub.url, patience: { retryMs: 5, silentMs: 400 }, ...options });
  await e.close();
  return e.space;
}
async function failure(work: Promise<unknown>): Promise<Error> {
  return work.then(() => { throw new Error('it should have failed'); }, (error: unknown) => error as Error);
}
function copyTower(architecture: 'clip' | 'siglip' = 'siglip'): string {
  const dir = join(root, `copy-${n += 1}`);
  cpSync(towerDir(architecture), dir, { recursive: true });
  return dir;
}
const listing = (dir: string): string[] => readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => f.name).sort();

describe('a folder of the owner', () => {
  it('is taken as it is, or as the hub lays it out beneath it', async () => {
    const direct = await tryOpen(copyTower());
    const nested = join(root, `nested-${n += 1}`);
    cpSync(towerDir('siglip'), join(nested, PROFILES.standard.model), { recursive: true });
    const below = await tryOpen(nested);
    expect(below.model).toBe(PROFILES.standard.model);
    expect(below.revision).toBe(direct.revision);
    expect(hub.asked).toEqual([]);
  });

  it('may hold another dtype, which is said, and no tokenizer_config.json', async () => {
    const dir = copyTower();
    for (const tower of ['vision', 'text']) {
      cpSync(join(dir, `onnx/${tower}_model_quantized.onnx`), join(dir, `onnx/${tower}_model.onnx`));
      rmSync(join(dir, `onnx/${tower}_model_quantized.onnx`));
    }
    rmSync(join(dir, 'tokenizer_config.json'));
    expect((await tryOpen(dir)).dtype).toBe('fp32');
  });

  it('that is empty, or lacks a file, is named with what it must hold', async () => {
    const empty = join(root, `empty-${n += 1}`);
    mkdirSync(empty);
    for (const dir of [empty, join(root, 'nowhere')]) {
      const error = await failure(tryOpen(dir));
      expect(error).toBeInstanceOf(ModelMissing);
      expect(error.message).toContain(dir);
      expect(error.message).toContain('--model-dir');
      for (const file of ['config.json', 'tokenizer.json', 'onnx/vision_model_quantized.onnx', '415 MB']) expect(error.message).toContain(file);
    }
    for (const file of ['preprocessor_config.json', 'tokenizer.json', 'onnx/text_model_quantized.onnx']) {
      const dir = copyTower();
      rmSync(join(dir, file));
      const error = await failure(tryOpen(dir));
      expect(error).toBeInstanceOf(ModelMissing);
      expect(error.message).toContain(file);
    }
    expect(hub.asked).toEqual([]);
  });

  const damages: [string, string, (path: string) => void][] = [
    ['half a tower of pictures', 'onnx/vision_model_quantized.onnx', (p) => { truncateSync(p, Math.floor(statSync(p).size / 2)); }],
    ['half a tower of words', 'onnx/text_model_quantized.onnx', (p) => { truncateSync(p, Math.floor(statSync(p).size / 2)); }],
    ['an empty tower', 'onnx/text_model_quantized.onnx', (p) => { writeFileSync(p, ''); }],
    ['a web page for a tower', 'onnx/vision_model_quantized.onnx', (p) => { writeFileSync(p, '<html>Sign in</html>'); }],
    ['a tower of other inputs', 'onnx/vision_model_quantized.onnx', (p) => { cpSync(join(towerDir('siglip'), 'onnx/text_model_quantized.onnx'), p); }],
    ['a tower of the other architecture', 'onnx/vision_model_quantized.onnx', (p) => { cpSync(join(towerDir('clip'), 'onnx/vision_model_quantized.onnx'), p); }],
    ['half a configuration', 'config.json', (p) => { truncateSync(p, 20); }],
    ['a web page for a configuration', 'config.json', (p) => { writeFileSync(p, '<!doctype html><title>Sign in</title>'); }],
    ['another architecture', 'config.json', (p) => { writeFileSync(p, '{"model_type":"bert"}'); }],
    ['sizes that make no sense', 'preprocessor_config.json', (p) => { writeFileSync(p, '{"image_mean":[0,0,0],"image_std":[0,1,1],"size":1e9}'); }],
    ['a tokenizer of nothing', 'tokenizer.json', (p) => { writeFileSync(p, '[]'); }],
    ['a tokenizer of an unknown kind', 'tokenizer.json', (p) => { writeFileSync(p, '{"model":{"type":"Riddle"},"added_tokens":[]}'); }],
  ];
  it.each(damages)('with %s is named, and not touched', async (_, file, damage) => {
    const dir = copyTower();
    damage(join(dir, file));
    const before = listing(dir);
    const error = await failure(tryOpen(dir));
    expect(error).toBeInstanceOf(ModelDamaged);
    expect(error.message).toContain(join(dir, file));
    expect(error.message).not.toContain('\n');
    expect(listing(dir)).toEqual(before);
  });

  it('whose towers make vectors of different lengths is refused', async () => {
    const dir = copyTower('clip');
    const path = join(dir, 'onnx/text_model_quantized.onnx');
    writeFileSync(path, writeOnnx({
      name: 'eight_numbers', inputs: [{ name: 'input_ids', type: 'int64', dims: ['batch', 'length'] }], outputs: [{ name: 'text_embeds', type: 'float', dims: ['batch', 8] }],
      nodes: [{ op: 'Gather', inputs: ['words', 'input_ids'], outputs: ['each'] }, { op: 'ReduceSum', inputs: ['each', 'second_axis'], outputs: ['text_embeds'], attributes: { keepdims: 0 } }],
      weights: [{ name: 'words', dims: [100, 8], data: new Float32Array(800).fill(1) }, { name: 'second_axis', dims: [1], data: BigInt64Array.from([1n]) }],
    }));
    const error = await failure(tryOpen(dir));
    expect(error).toBeInstanceOf(ModelDamaged);
    expect(error.message).toMatch(/vectors of 16 numbers and onnx\/text_model_quantized\.onnx of 8/);
  });

  it('is hashed once, and again when a file has changed', async () => {
    const dir = copyTower();
    const first = await tryOpen(dir);
    const known = join(cacheDir, 'known-models.json');
    expect(JSON.parse(readFileSync(known, 'utf8'))).toMatchObject({ [dir]: { revision: first.revision, dimension: 24 } });
    // What is remembered is believed: proof that nothing was hashed.
    writeFileSync(known, readFileSync(known, 'utf8').replace(first.revision, 'abcabcabcabc'));
    expect((await tryOpen(dir)).revision).toBe('abcabcabcabc');
    utimesSync(join(dir, 'onnx/text_model_quantized.onnx'), new Date(), new Date());
    expect((await tryOpen(dir)).revision).toBe(first.revision);
    writeFileSync(known, '{ half');
    expect((await tryOpen(dir)).revision).toBe(first.revision);
  });
});

describe('a download', () => {
  it('fetches every file once, tells how far it is, and needs no network after it', async () => {
    const told: [number, number | null][] = [];
    const space = await tryOpen(null, { onDownload: (done, total) => { told.push([done, total]); } });
    expect(space).toMatchObject({ profile: 'standard', model: PROFILES.standard.model, dtype: 'q8', dimension: 24 });
    expect(hub.asked.map((a) => a.file).sort()).toEqual([...MODEL_FILES].sort());
    const total = MODEL_FILES.reduce((sum, file) => sum + statSync(join(towerDir('siglip'), file)).size, 0);
    expect(told[0]).toEqual([0, total]);
    expect(told.at(-1)).toEqual([total, total]);
    expect(told.every(([done], i) => i === 0 || done >= (told[i - 1]?.[0] ?? 0))).toBe(true);
    expect(listing(modelDir()).some((f) => f.endsWith('.part'))).toBe(false);
    hub.setFaults({ file: '', does: 'refuse' });
    expect(await tryOpen(null)).toEqual(space);
    expect(hub.asked).toEqual([]);
    const e = await openEmbedder({ profile: 'standard', modelDir: null, cacheDir }, { workers: 1 });
    open.push(e);
    const [red] = await e.embedTexts(['red']);
    expect(cosine(red as Float32Array, await e.embedImage(await colourPicture('red')))).toBeGreaterThan(0.9);
  });

  it('that is cut off goes on where it was, byte for byte', async () => {
    hub.setFaults({ file: 'text_model_quantized.onnx', does: 'cut', times: 3 });
    await tryOpen(null);
    const ranges = hub.asked.filter((a) => a.file.endsWith('text_model_quantized.onnx')).map((a) => a.range);
    expect(ranges).toEqual([null, ...ranges.slice(1)]);
    expect(ranges).toHaveLength(4);
    expect(ranges.slice(1).every((r) => /^bytes=[1-9]\d*-$/.test(r ?? ''))).toBe(true);
    expect(readFileSync(join(modelDir(), 'onnx/text_model_quantized.onnx')).equals(readFileSync(join(towerDir('siglip'), 'onnx/text_model_quantized.onnx')))).toBe(true);
  });

  it('that is cut off starts anew where the server knows no parts', async () => {
    hub.setRanges(false);
    hub.setFaults({ file: 'vision_model_quantized.onnx', does: 'cut', times: 2 });
    await tryOpen(null);
    expect(hub.asked.filter((a) => a.file.endsWith('vision_model_quantized.onnx')).map((a) => a.range)).toEqual([null, null, null]);
  });

  it('that is always cut off ends, says so, and the next start goes on with what came', async () => {
    hub.setRanges(false);
    hub.setFaults({ file: 'text_model_quantized.onnx', does: 'cut' });
    const error = await failure(tryOpen(null));
    expect(error).toBeInstanceOf(ModelMissing);
    expect(error.message).toContain('--model-dir');
    expect(existsSync(join(modelDir(), 'onnx/text_model_quantized.onnx'))).toBe(false);
    hub.setFaults();
    await tryOpen(null);
    // All the others were there.
    expect(hub.asked.map((a) => a.file)).toEqual(['onnx/text_model_quantized.onnx']);
    expect(listing(modelDir()).some((f) => f.endsWith('.part'))).toBe(false);
  });

  it('goes on after a restart with the part that an earlier one left', async () => {
    hub.setFaults({ file: 'text_model_quantized.onnx', does: 'stall' });
    const stop = new AbortController();
    // Once something of the file has come.
    const came = (): boolean => existsSync(modelDir()) && readdirSync(modelDir(), { recursive: true, withFileTypes: true }).some((f) => f.name.startsWith('text_model_quantized.onnx') && f.name.endsWith('.part') && statSync(join(f.parentPath, f.name)).size > 0);
    const look = setInterval(() => { if (came()) { clearInterval(look); stop.abort(new Error('the agent ends')); } }, 20);
    const error = await failure(tryOpen(null, { signal: stop.signal, patience: { retryMs: 5, silentMs: 60_000 } }));
    expect(error.message).toBe('the agent ends');
    expect(listing(modelDir()).filter((f) => f.endsWith('.part'))).toHaveLength(1);
    hub.setFaults();
    await tryOpen(null);
    expect(hub.asked).toEqual([{ file: 'onnx/text_model_quantized.onnx', range: expect.stringMatching(/^bytes=[1-9]/) as string }]);
  });

  it('outlives a server that is busy, silent or gone for a moment', async () => {
    hub.setFaults({ file: 'config.json', does: 503, times: 2 }, { file: 'vision_model_quantized.onnx', does: 'stall', times: 1 }, { file: 'tokenizer.json', does: 'refuse', times: 2 });
    await tryOpen(null);
  });

  it.each([
    ['has no such file', { file: 'tokenizer.json', does: 404 }, /tokenizer\.json: the server answered 404/],
    ['wants a password', { file: '', does: 401 }, /answered 401/],
    ['is ill', { file: '', does: 500 }, /answered 500/],
    ['is a web page that asks for a password', { file: 'config.json', does: 'page' }, /web page/],
    ['sends something else under a model\'s name', { file: 'vision_model_quantized.onnx', does: 'garbage' }, /no ONNX model/],
    ['sends something else under a configuration\'s name', { file: 'tokenizer.json', does: 'garbage' }, /no JSON/],
    ['is not there', { file: '', does: 'refuse' }, /cannot be reached/],
    ['sends more than the disk holds', { file: 'vision_model_quantized.onnx', does: 'huge' }, /MB free, and \d+ MB are needed/],
  ] as const)('from a server that %s says what is wrong and what to do', async (_, fault, reason) => {
    hub.setFaults(fault);
    const error = await failure(tryOpen(null));
    expect(error).toBeInstanceOf(ModelMissing);
    expect(error.message).toMatch(reason);
    expect(error.message).toContain(PROFILES.standard.model);
    expect(error.message).toContain('--model-dir');
    expect(error.message).toContain('415 MB');
    expect(error.message).not.toMatch(/\n| at .*\.ts/);
    expect(error.message).toContain(/disk/.test(error.message) ? 'Make room' : 'Connect to the network');
  });

  it('into a folder that cannot be written says so', async () => {
    writeFileSync(cacheDir, 'a file where the folder should be');
    const error = await failure(tryOpen(null));
    expect(error).toBeInstanceOf(ModelMissing);
    expect(error.message).toMatch(/ENOTDIR|EEXIST/);
  });

  it('that went bad on our own disk is thrown away and fetched again', async () => {
    const space = await tryOpen(null);
    for (const file of ['onnx/text_model_quantized.onnx', 'config.json']) {
      const path = join(modelDir(), file);
      truncateSync(path, Math.floor(statSync(path).size / 2));
      const error = await failure(tryOpen(null));
      expect(error, file).toBeInstanceOf(ModelDamaged);
      expect(error.message).toContain(path);
      expect(existsSync(path)).toBe(false);
      expect(await tryOpen(null)).toEqual(space);
    }
  });
});
