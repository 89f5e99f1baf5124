// What the agent does for the search, from previews to vectors in their engine, words ahead and answers to questions: on a real
// catalog, over HTTP, with a stand-in model and a tiny server in the Worker's place that can be away, emptied or refuse.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chosenSpace, countSpace, countVectorsToMake, countVectorsToPush, listSpaces } from '../../../agent/catalog/vectors.ts';
import { readOptions, writeOptions } from '../../../agent/catalog/options.ts';
import { acknowledgeRenditions, readNextPack } from '../../../agent/catalog/spool.ts';
import { createSearchWork, type SearchWork, type SearchWorkContext } from '../../../agent/commands/search-work.ts';
import { createEmbeddedWriter } from '../../../agent/push/embedded-writer.ts';
import { ModelDamaged, ModelMissing } from '../../../agent/pipeline/embed/embedder.ts';
import { listCommonWords } from '../../../agent/pipeline/common-words.ts';
import { parseRenditionKey, renditionUrl } from '../../../protocol/rendition.ts';
import { spaceKey, textToVector, type SearchProfile } from '../../../protocol/vector.ts';
import { startFakeSearchWorker, type FakeSearchWorker } from '../../support/fake-search-worker.ts';
import { createStandIn, spaceOf, type StandIn } from '../../support/stand-in-embedder.ts';
import { createScene, png, put, sha, type Scene } from '../scan/scene.ts';

const STANDARD = spaceKey(spaceOf('standard')), LIGHT = spaceKey(spaceOf('light'));
let scene: Scene, worker: FakeSearchWorker, model: StandIn, stop: AbortController, warned: string[];
const works: SearchWork[] = [];

beforeEach(async () => {
  scene = createScene();
  worker = await startFakeSearchWorker();
  model = createStandIn();
  stop = new AbortController();
  warned = [];
  await scene.addRoot();
});
afterEach(async () => {
  stop.abort();
  for (const work of works.splice(0)) await work.close();
  await worker.stop();
  scene.close();
});

function start(more: Partial<SearchWorkContext> = {}): SearchWork {
  const work = createSearchWork({
    catalog: scene.catalog, dataDir: '/nowhere', worker: worker.address, openEmbedder: model.open, options: () => readOptions(scene.catalog), background: true, workers: 2,
    engine: { kind: 'embedded', writer: createEmbeddedWriter(worker.address), query: () => Promise.reject(new Error('none')) },
    untilIdle: () => Promise.resolve(), signal: stop.signal, onChange: () => {}, warn: (line) => { warned.push(line); }, ...more,
  });
  works.push(work);
  return work;
}
async function until(what: string, check: () => boolean): Promise<void> {
  for (const end = Date.now() + 15_000; !check(); await sleep(10)) if (Date.now() > end) throw new Error(`${what} did not come: ${JSON.stringify({ asked: worker.asked.slice(-8), warned, told: worker.told })}`);
}
async function pictures(...seeds: number[]): Promise<void> {
  for (const seed of seeds) scene.picture(`${seed}.png`, seed);
  await scene.scan();
  for (let pack = readNextPack(scene.catalog); pack.length > 0; pack = readNextPack(scene.catalog)) {
    for (const item of pack) worker.previews.set(renditionUrl(parseRenditionKey(item.key) as never), item.bytes);
    acknowledgeRenditions(scene.catalog, pack.map((i) => i.key));
  }
}
const held = (space: string): string[] => [...worker.spaces.get(space)?.keys() ?? []].sort();
const active = (): string | undefined => { const last = worker.told.at(-1); return last && spaceKey(last.space); };
const choose = (work: SearchWork, profile: SearchProfile | 'off'): void => { writeOptions(scene.catalog, { search_model: profile }); work.optionsChanged(); };
const hashes = (...seeds: number[]): string[] => seeds.map((s) => sha(png(s))).sort();

describe('from a preview to an answer', () => {
  it('embeds, writes, tells where to search, and makes words ahead, the null prompt first', async () => {
    await pictures(1, 2, 3);
    worker.vocabulary = ['levanto', 'blue ssd'];
    const work = start();
    work.wake();
    await until('the library\'s own names', () => worker.texts.get(STANDARD)?.has('blue ssd') === true);
    expect(held(STANDARD)).toEqual(hashes(1, 2, 3));
    expect(worker.told.at(-1)).toMatchObject({ engine: 'embedded', vectors: 3 });
    expect(active()).toBe(STANDARD);
    const texts = [...worker.texts.get(STANDARD)?.keys() ?? []];
    expect(texts[0]).toBe('a photo');
    expect(new Set(texts)).toEqual(new Set([...listCommonWords(), 'levanto', 'blue ssd']));
    expect(work.pending()).toBe(0);
    expect(work.status()).toMatchObject({ profile: 'standard', state: 'ready', message: null, space: STANDARD, engine: 'embedded' });
    // Nothing new: nothing is said or made again.
    const before = { told: worker.told.length, images: model.images, texts: model.texts.length };
    work.connected();
    await sleep(300);
    expect({ told: worker.told.length, images: model.images, texts: model.texts.length }).toEqual(before);
    // A later asset costs its own vector, and no change of space.
    await pictures(4);
    work.wake();
    await until('the new one', () => held(STANDARD).length === 4);
    expect(worker.told.length).toBe(before.told);
    expect(warned).toEqual([]);
  });

  it('a library without assets is searched too, and its first asset is news', async () => {
    const work = start();
    work.wake();
    await until('the space', () => worker.told.at(-1)?.vectors === 0);
    await pictures(1);
    work.wake();
    await until('its first vector', () => worker.told.at(-1)?.vectors === 1);
  });

  it('goes on after a kill where it stopped: nothing is made twice, nothing is missing', async () => {
    await pictures(1, 2, 3, 4, 5);
    const first = start({ workers: 1 });
    model.onImage = () => { if (model.images === 3) { model.onImage = null; stop.abort(); } };
    first.wake();
    await until('the end', () => stop.signal.aborted);
    await first.close();
    works.length = 0;
    expect(countVectorsToMake(scene.catalog)).toBe(3);
    stop = new AbortController();
    start().wake();
    await until('all', () => held(STANDARD).length === 5);
    // The third one was at work when it ended.
    expect(model.images).toBe(6);
  });

  it('an answer that was lost on its way costs a repeat and no vector', async () => {
    await pictures(1, 2);
    let lost = 0;
    worker.answer = (asked) => (asked === 'POST /sync/vectors' && lost < 1 ? ((lost += 1), -1) : 0);
    start().wake();
    await until('both', () => countVectorsToPush(scene.catalog) === 0 && held(STANDARD).length === 2);
    expect(lost).toBe(1);
  });

  it('previews of a Worker that is away wait for it', async () => {
    await pictures(1, 2);
    worker.answer = () => 503;
    const work = start();
    work.wake();
    await until('a try', () => worker.asked.some((a) => a.startsWith('GET /r/')));
    await work.rested();
    expect(countVectorsToMake(scene.catalog)).toBe(2);
    expect(work.pending()).toBe(2);
    worker.answer = () => 0;
    work.connected();
    await until('both', () => held(STANDARD).length === 2 && worker.told.at(-1)?.vectors === 2);
    expect(warned).toEqual([]);
  });

  it('words ahead go on where they stopped', async () => {
    let pushes = 0;
    worker.answer = (asked) => (asked === 'PUT /sync/query-embeddings' && (pushes += 1) > 4 ? 503 : 0);
    const first = start();
    first.wake();
    await until('some words', () => pushes > 4);
    stop.abort();
    await first.close();
    const kept = worker.texts.get(STANDARD)?.size ?? 0;
    expect(kept).toBe(1 + 3 * 100);
    model.texts.length = 0;
    stop = new AbortController();
    worker.answer = () => 0;
    start().wake();
    await until('all words', () => worker.texts.get(STANDARD)?.size === listCommonWords().length);
    // Those that the Worker has are not made again; the model's own warming word comes on top.
    expect(model.texts.length).toBe(listCommonWords().length - kept + 1);
  });

  it('a refusal is said once, and tried again with the next connection', async () => {
    await pictures(1);
    worker.answer = (asked) => (asked === 'POST /sync/vectors' ? 400 : 0);
    const work = start();
    work.wake();
    await until('the message', () => work.status().message !== null);
    expect(work.status().message).toContain('fault 400');
    expect(work.pending()).toBe(1);
    worker.answer = () => 0;
    work.connected();
    await until('it', () => held(STANDARD).length === 1 && work.status().message === null);
    expect(warned.length).toBe(1);
  });
});

describe('engines and spaces', () => {
  it('an engine that was emptied is filled again from the catalog, without a model', async () => {
    await pictures(1, 2, 3);
    const first = start();
    first.wake();
    await until('all', () => held(STANDARD).length === 3 && worker.told.at(-1)?.vectors === 3);
    worker.spaces.clear();
    const images = model.images;
    model.onOpen = () => { throw new ModelMissing('no network'); };
    await first.close();
    const second = start();
    second.connected();
    await until('all again', () => held(STANDARD).length === 3);
    expect(model.images).toBe(images);
    expect(warned.join()).toContain('writing 3 vectors again');
    expect(second.status()).toMatchObject({ state: 'missing', message: 'no network' });
  });

  it('rebuild empties the engine and writes everything again', async () => {
    await pictures(1, 2, 3);
    const work = start();
    work.wake();
    await until('all', () => worker.told.at(-1)?.vectors === 3);
    worker.spaces.get(STANDARD)?.set('f'.repeat(64), new Int8Array(4));
    expect(await work.handlers.rebuild_vectors({})).toEqual({ vectors: 3 });
    await until('all again', () => held(STANDARD).length === 3 && countVectorsToPush(scene.catalog) === 0);
    expect(held(STANDARD)).toEqual(hashes(1, 2, 3));
    expect(active()).toBe(STANDARD);
  });

  it('another model embeds again behind the old one, which answers until the new one is whole; then the old one is dropped', async () => {
    await pictures(1, 2, 3);
    const work = start({ workers: 1 });
    work.wake();
    await until('the first space', () => worker.told.at(-1)?.vectors === 3);
    let release = (): void => {};
    const held2 = new Promise<void>((done) => { release = done; });
    model.onImage = () => (model.images === 5 ? held2 : undefined);
    choose(work, 'light');
    await until('the middle of the second', () => model.images === 5);
    expect(active()).toBe(STANDARD);
    expect(held(STANDARD).length).toBe(3);
    // Words are embedded in the space that is asked for, by the model that made it.
    const { vectors: [asked] } = await work.handlers.embed_query({ space: STANDARD, texts: ['red'] });
    expect(textToVector(asked as string, 4)).toBeDefined();
    expect(model.opened.map((s) => s.profile)).toEqual(['standard', 'light', 'standard']);
    release();
    await until('the second space', () => active() === LIGHT && worker.spaces.size === 1);
    expect(held(LIGHT)).toEqual(hashes(1, 2, 3));
    expect(worker.told.at(-1)?.vectors).toBe(3);
    await until('one space', () => listSpaces(scene.catalog).length === 1);
    expect(chosenSpace(scene.catalog)?.key).toBe(LIGHT);
    // No vector of one space was ever written into the other: the stand-ins differ in the last number.
    expect([...worker.spaces.get(LIGHT)?.values() ?? []].map((codes) => codes[3])).toEqual([127, 127, 127]);
    await expect(work.handlers.embed_query({ space: STANDARD, texts: ['red'] })).rejects.toThrow('not on this computer any more');
  });

  it('another engine is filled before the Worker is told of it', async () => {
    await pictures(1, 2);
    const first = start();
    first.wake();
    await until('all', () => worker.told.at(-1)?.vectors === 2);
    await first.close();
    const other = await startFakeSearchWorker();
    try {
      let down = true;
      other.answer = () => (down ? 503 : 0);
      const told = worker.told.length;
      const second = start({ engine: { kind: 'qdrant', writer: { ...createEmbeddedWriter(other.address), engine: 'http://127.0.0.1:6333' }, query: () => Promise.reject(new Error('none')) } });
      second.connected();
      await until('trouble', () => second.status().message !== null);
      expect(worker.told.length).toBe(told);
      down = false;
      second.connected();
      await until('the other engine', () => worker.told.at(-1)?.engine === 'qdrant');
      expect([...other.spaces.get(STANDARD)?.keys() ?? []].sort()).toEqual(hashes(1, 2));
    } finally { stop.abort(); await other.stop(); }
  });

  it('a vector whose asset is gone leaves the engine', async () => {
    await pictures(1, 2);
    put(scene.at('1.png'), png(3));
    const work = start();
    work.wake();
    await until('all', () => worker.told.at(-1)?.vectors === 2);
    await pictures();
    scene.catalog.setMeta('vectors_swept', '0');
    work.wake();
    await until('the change', () => JSON.stringify(held(STANDARD)) === JSON.stringify(hashes(2, 3)));
    // The catalog hears of it a moment after the engine has it.
    await until('the catalog', () => JSON.stringify(countSpace(scene.catalog, listSpaces(scene.catalog)[0]?.id ?? 0)) === JSON.stringify({ made: 2, failed: 0, written: 2 }));
  });
});

describe('the model', () => {
  it('that cannot be had holds up nothing, says so, and is tried at once when the owner names another', async () => {
    await pictures(1);
    model.onOpen = (source) => { if (source.modelDir === null) throw new ModelMissing('There is no network.'); };
    const work = start();
    work.wake();
    await until('the message', () => work.status().message !== null);
    expect(work.status()).toMatchObject({ state: 'missing', message: 'There is no network.', space: null });
    expect(work.pending()).toBeNull();
    expect(work.embedding()).toBe(false);
    await expect(work.handlers.embed_query({ space: STANDARD, texts: ['red'] })).rejects.toThrow('There is no network.');
    work.wake();
    await sleep(50);
    // Not with each wake: a network that is away stays so for a while.
    expect(model.opened.length).toBe(1);
    writeOptions(scene.catalog, { model_dir: '/models' });
    work.optionsChanged();
    await until('it', () => held(STANDARD).length === 1);
  });

  it('that is damaged is told from one that is missing', async () => {
    model.onOpen = () => { throw new ModelDamaged('/models/vision.onnx is half a file.'); };
    const work = start();
    work.wake();
    await until('the message', () => work.status().state === 'failed');
    expect(work.status().message).toBe('/models/vision.onnx is half a file.');
  });

  it('off makes nothing, and on again goes on', async () => {
    await pictures(1);
    writeOptions(scene.catalog, { search_model: 'off' });
    const work = start();
    work.wake();
    await sleep(100);
    expect(model.opened).toEqual([]);
    expect(work.status().state).toBe('off');
    expect(work.pending()).toBe(0);
    await expect(work.handlers.embed_query({ space: STANDARD, texts: ['red'] })).rejects.toThrow('turned off');
    choose(work, 'standard');
    await until('it', () => held(STANDARD).length === 1);
  });

  it('that is slow to load does not keep a question waiting', async () => {
    let release = (): void => {};
    const slow = new Promise<void>((done) => { release = done; });
    model.onOpen = () => slow;
    const work = start();
    work.wake();
    const before = Date.now();
    await expect(work.handlers.embed_query({ space: STANDARD, texts: ['red'] })).rejects.toThrow('being loaded');
    expect(Date.now() - before).toBeLessThan(1_400);
    release();
    await until('the model', () => work.status().state === 'ready');
    const { vectors } = await work.handlers.embed_query({ space: STANDARD, texts: ['red', 'blue sky'] });
    expect(vectors.map((v) => textToVector(v, 4)?.length)).toEqual([4, 4]);
    await expect(work.handlers.embed_query({ space: LIGHT, texts: ['red'] })).rejects.toThrow('not on this computer any more');
  });

  it('that ends in the middle is opened again; one that ends at once each time is left alone for a while', async () => {
    await pictures(1, 2, 3);
    let ends = 0;
    model.onImage = () => { if (ends < 1) { ends += 1; model.crash(); } };
    const work = start({ workers: 1 });
    work.wake();
    await until('all', () => held(STANDARD).length === 3);
    expect(model.opened.length).toBe(2);
    await pictures(4, 5, 6, 7, 8);
    model.onImage = () => { model.crash(); };
    work.wake();
    await until('an end', () => work.status().state === 'failed');
    expect(model.opened.length).toBeLessThanOrEqual(6);
    expect(countVectorsToMake(scene.catalog)).toBeGreaterThan(0);
  });
});

describe('a command that ends', () => {
  it('embeds with a model that is here, and is told not to fetch one', async () => {
    await pictures(1, 2);
    const downloads: (boolean | undefined)[] = [];
    const work = start({ background: false, openEmbedder: (source, options) => { downloads.push(options.download); return model.open(source, options); } });
    work.wake();
    await sleep(50);
    expect(model.opened).toEqual([]);
    await work.settle();
    expect(downloads).toEqual([false]);
    expect(held(STANDARD)).toEqual(hashes(1, 2));
    expect(worker.told.at(-1)?.vectors).toBe(2);
    expect([...worker.texts.get(STANDARD)?.keys() ?? []]).toEqual(['a photo']);
  });

  it('without one it does nothing and says nothing', async () => {
    await pictures(1);
    model.onOpen = () => { throw new ModelMissing('not here'); };
    const work = start({ background: false });
    await work.settle();
    expect(worker.asked.filter((a) => !a.startsWith('GET /r/'))).toEqual([]);
    expect(warned).toEqual([]);
  });
});
