// The stage that embeds previews, on a real catalog with real pictures: which, in which order, what is kept after an end in the
// middle, and what becomes of pictures that cannot be had or read. The model is a stand-in with a mean colour for a vector.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskFullError } from '../../../agent/files/room.ts';
import {
  chooseSpace, chosenSpace, countSpace, countVectorsToMake, countVectorsToPush, dropSpaceSlice, listFailedVectors, listSpaces, listVectorsToWrite, markWritten, sweepVectorsSlice, type SpaceRow,
  type VectorTask,
} from '../../../agent/catalog/vectors.ts';
import { acknowledgeRenditions, readNextPack } from '../../../agent/catalog/spool.ts';
import type { Embedder } from '../../../agent/pipeline/embed/embedder.ts';
import { EmbedderDown, embedPending, picturesFor, RenditionsAway, type EmbedContext } from '../../../agent/pipeline/embed-pending.ts';
import { renditionKey } from '../../../protocol/rendition.ts';
import { GRID_DRAFT_VERSION, GRID_VERSION, PREVIEW_VERSION } from '../../../protocol/versions.ts';
import { createStandIn, spaceOf, type StandIn } from '../../support/stand-in-embedder.ts';
import { createScene, png, put, sha, type Scene } from '../scan/scene.ts';

const RED = 0xff0000, GREEN = 0x00ff00, BLUE = 0x0000ff;

describe('the stage that embeds pictures', () => {
  let scene: Scene, model: StandIn, embedder: Embedder, space: SpaceRow;
  const worker = new Map<string, Uint8Array>();
  let fetched: string[];
  beforeEach(async () => {
    scene = createScene();
    model = createStandIn();
    embedder = await model.open({ profile: 'standard', modelDir: null, cacheDir: '' }, { workers: 1 });
    worker.clear();
    fetched = [];
    await scene.addRoot();
  });
  afterEach(() => { scene.close(); });
  const choose = (): void => { space = chooseSpace(scene.catalog, spaceOf(), null); };
  const context = (more: Partial<EmbedContext> = {}): EmbedContext => ({
    catalog: scene.catalog, space, embedder, workers: 1, suspects: new Map(),
    fetchRendition: (id) => { fetched.push(id.sha256); return Promise.resolve(worker.get(renditionKey(id))); }, ...more,
  });
  /** Everything in the spool goes to the Worker, as a push does. */
  function push(): void {
    for (let pack = readNextPack(scene.catalog); pack.length > 0; pack = readNextPack(scene.catalog)) {
      for (const item of pack) worker.set(item.key, item.bytes);
      acknowledgeRenditions(scene.catalog, pack.map((i) => i.key));
    }
  }
  const made = (): string[] => listVectorsToWrite(scene.catalog, space.id, 1_000).map((v) => v.sha256);

  it('embeds every asset with a preview, newest first, from the spool or from the Worker', async () => {
    scene.picture('a.png', RED, 1_500_000_000);
    scene.picture('b.png', GREEN, 1_700_000_000);
    await scene.scan();
    push();
    scene.picture('c.png', BLUE, 1_600_000_000);
    put(scene.at('d-later.png'), png(77), 1_650_000_000);
    await scene.scan();
    choose();
    expect(countVectorsToMake(scene.catalog)).toBe(3);
    const order: number[] = [];
    model.onImage = (bytes) => { order.push(bytes.length); };
    expect(await embedPending(context())).toEqual({ made: 3, failed: 0, waiting: 0 });
    expect(fetched).toEqual([sha(png(GREEN)), sha(png(RED))]);
    const kept = listVectorsToWrite(scene.catalog, space.id, 10);
    expect(new Map(kept.map((v) => [v.sha256, v.vector.indexOf(Math.max(...v.vector))]))).toEqual(new Map([[sha(png(RED)), 0], [sha(png(GREEN)), 1], [sha(png(BLUE)), 2]]));
    expect(kept.every((v) => Math.abs(Math.hypot(...v.vector) - 1) < 1e-6 && v.kind === 'image' && v.camera === null)).toBe(true);
    expect(countVectorsToMake(scene.catalog)).toBe(0);
    expect(await embedPending(context())).toEqual({ made: 0, failed: 0, waiting: 0 });
  });

  it('goes on after an end in the middle, and makes none twice', async () => {
    for (let i = 1; i <= 6; i += 1) scene.picture(`${i}.png`, i * 1_000);
    await scene.scan();
    choose();
    const stop = new AbortController();
    const first = await embedPending(context({ onMade: (r) => { if (r.made === 2) stop.abort(); } }), stop.signal);
    expect(first.made).toBe(2);
    expect(countVectorsToMake(scene.catalog)).toBe(4);
    // What was made has also been noted for the engine, in the same breath.
    expect(made()).toHaveLength(2);
    expect((await embedPending(context())).made).toBe(4);
    expect(model.images).toBe(6);
    expect(countSpace(scene.catalog, space.id)).toEqual({ made: 6, failed: 0, written: 0 });
  });

  it('takes in what comes while it works', async () => {
    scene.picture('a.png', 1);
    await scene.scan();
    choose();
    let more: Promise<unknown> | undefined;
    const report = await embedPending(context({ idle: async () => { if (!more) { scene.picture('b.png', 2); more = scene.scan(); } await more; } }));
    expect(report.made).toBe(2);
  });

  it('as many are at work at once as there are workers, and each waits for what people wait for', async () => {
    for (let i = 1; i <= 8; i += 1) scene.picture(`${i}.png`, i);
    await scene.scan();
    choose();
    let now = 0, most = 0, waited = 0;
    model.onImage = async () => { now += 1; most = Math.max(most, now); await new Promise((done) => { setTimeout(done, 10); }); now -= 1; };
    await embedPending(context({ workers: 3, idle: () => { waited += 1; return Promise.resolve(); } }));
    expect(most).toBe(3);
    expect(waited).toBe(8);
  });

  it('a picture that the model cannot read is named, and holds up nobody', async () => {
    scene.picture('good.png', 1);
    scene.picture('bad.png', 2);
    await scene.scan();
    choose();
    scene.catalog.db.prepare('UPDATE spool SET bytes = ? WHERE asset_sha256 = ?').run(Buffer.from('no picture'), sha(png(2)));
    expect(await embedPending(context())).toEqual({ made: 1, failed: 1, waiting: 0 });
    expect(listFailedVectors(scene.catalog, space.id, 9)).toEqual([{ sha256: sha(png(2)), reason: expect.stringContaining('unsupported image format') as string }]);
    expect(countVectorsToMake(scene.catalog)).toBe(0);
    expect(made()).toEqual([sha(png(1))]);
  });

  it('a vector of another length or without direction is no vector', async () => {
    for (const seed of [1, 2]) scene.picture(`${seed}.png`, seed);
    await scene.scan();
    choose();
    const wrong = [new Float32Array(3).fill(1), new Float32Array(4)];
    const report = await embedPending(context({ embedder: { ...embedder, embedImage: (bytes) => { const v = wrong.pop(); return v ? Promise.resolve(v) : embedder.embedImage(bytes); } } }));
    expect(report.failed + report.made).toBe(2);
    expect(listFailedVectors(scene.catalog, space.id, 9).length).toBeGreaterThan(0);
    expect(listVectorsToWrite(scene.catalog, space.id, 9).every((v) => v.vector.length === 4)).toBe(true);
  });

  it('with the Worker away nothing is lost, and it goes on when it is back', async () => {
    for (let i = 1; i <= 3; i += 1) scene.picture(`${i}.png`, i);
    await scene.scan();
    push();
    choose();
    let asked = 0;
    const away = context({ fetchRendition: () => { asked += 1; return Promise.reject(new RenditionsAway('away')); } });
    expect(await embedPending(away)).toMatchObject({ made: 0, failed: 0, waiting: 3 });
    expect(asked).toBe(1);
    expect(countVectorsToMake(scene.catalog)).toBe(3);
    expect((await embedPending(context())).made).toBe(3);
  });

  it('takes the smallest rendition with the model’s pixels: a final grid, else the preview', () => {
    const names = (task: Partial<VectorTask>) => picturesFor({ sha256: sha(png(1)), newestMs: 0, gridVersion: GRID_VERSION, previewVersion: PREVIEW_VERSION, width: 4_000, height: 3_000, ...task }).map((id) => `${id.name} ${id.version}`);
    const both = [`grid ${GRID_VERSION}`, `preview ${PREVIEW_VERSION}`];
    const previewAlone = [`preview ${PREVIEW_VERSION}`];
    expect(names({})).toEqual(both);
    expect(names({ width: 3_000, height: 4_000 })).toEqual(both);
    // 440 high and 165 wide; 1,320 wide and 165 high.
    expect(names({ width: 1_500, height: 4_000 })).toEqual(previewAlone);
    expect(names({ width: 8_000, height: 1_000 })).toEqual(previewAlone);
    // Not enlarged, so that the preview has no more of it.
    expect(names({ width: 100, height: 80 })).toEqual(both);
    expect(names({ gridVersion: GRID_DRAFT_VERSION })).toEqual(previewAlone);
    expect(names({ width: null, height: null })).toEqual(previewAlone);
  });

  it('a rendition that the Worker has lost is replaced by the other; where both are, it waits for the day that they are made again', async () => {
    for (let i = 1; i <= 2; i += 1) scene.picture(`${i}.png`, i);
    await scene.scan();
    push();
    worker.delete(renditionKey({ sha256: sha(png(1)), name: 'preview', version: PREVIEW_VERSION }));
    worker.delete(renditionKey({ sha256: sha(png(1)), name: 'grid', version: GRID_VERSION }));
    worker.delete(renditionKey({ sha256: sha(png(2)), name: 'grid', version: GRID_VERSION }));
    choose();
    expect(await embedPending(context())).toEqual({ made: 1, failed: 0, waiting: 1 });
    // As doctor does it: the preview is to be made again, and then it is.
    scene.catalog.db.prepare('UPDATE assets SET preview_version = 0, preview_pushed = 0 WHERE sha256 = ?').run(sha(png(1)));
    expect(await embedPending(context())).toMatchObject({ made: 0 });
    expect(countVectorsToMake(scene.catalog)).toBe(0);
    scene.catalog.db.prepare('UPDATE assets SET preview_version = ? WHERE sha256 = ?').run(PREVIEW_VERSION, sha(png(1)));
    worker.set(renditionKey({ sha256: sha(png(1)), name: 'preview', version: PREVIEW_VERSION }), png(1));
    expect(await embedPending(context())).toEqual({ made: 1, failed: 0, waiting: 0 });
  });

  it('a model that ends is told from a picture that is bad; whichever picture ends it twice is given up', async () => {
    for (const [i, seed] of [RED, GREEN, BLUE].entries()) scene.picture(`${i}.png`, seed, 1_600_000_000 + i);
    await scene.scan();
    choose();
    const poison = scene.catalog.prepare('SELECT bytes FROM spool WHERE asset_sha256 = ? AND key LIKE ?').get(sha(png(GREEN)), '%preview%')?.['bytes'] as Uint8Array;
    model.onImage = (bytes) => { if (Buffer.from(bytes).equals(Buffer.from(poison))) model.crash(); };
    const suspects: EmbedContext['suspects'] = new Map();
    let downs = 0;
    for (let tries = 0; tries < 5 && countVectorsToMake(scene.catalog) > 0; tries += 1) {
      try { await embedPending(context({ suspects, workers: 2 })); } catch (error) {
        expect(error).toBeInstanceOf(EmbedderDown);
        downs += 1;
        embedder = await model.open({ profile: 'standard', modelDir: null, cacheDir: '' }, { workers: 2 });
      }
    }
    expect(downs).toBe(2);
    expect(listFailedVectors(scene.catalog, space.id, 9)).toEqual([{ sha256: sha(png(GREEN)), reason: 'The model crashed on it twice.' }]);
    expect(countSpace(scene.catalog, space.id)).toEqual({ made: 2, failed: 1, written: 0 });
  });

  it('stops at a full disk with everything kept', async () => {
    for (let i = 1; i <= 3; i += 1) scene.picture(`${i}.png`, i);
    await scene.scan();
    choose();
    let checks = 0;
    const full = { ...scene.catalog, assertRoom: () => { checks += 1; if (checks === 2) throw new DiskFullError('/data'); } };
    await expect(embedPending(context({ catalog: full }))).rejects.toThrow(DiskFullError);
    expect(countSpace(scene.catalog, space.id).made).toBe(1);
    expect((await embedPending(context())).made).toBe(2);
  });
});

describe('spaces in the catalog', () => {
  let scene: Scene;
  beforeEach(async () => { scene = createScene(); await scene.addRoot(); });
  afterEach(() => { scene.close(); });
  async function embedAll(profile: 'standard' | 'light'): Promise<SpaceRow> {
    const space = chooseSpace(scene.catalog, spaceOf(profile), null);
    const embedder = await createStandIn().open({ profile, modelDir: null, cacheDir: '' }, { workers: 1 });
    await embedPending({ catalog: scene.catalog, space, embedder, workers: 1, suspects: new Map(), fetchRendition: () => Promise.resolve(undefined) });
    return space;
  }

  it('another model embeds everything again; neither touches the other', async () => {
    for (let i = 1; i <= 3; i += 1) scene.picture(`${i}.png`, i);
    await scene.scan();
    const one = await embedAll('standard');
    markWritten(scene.catalog, one.id, listVectorsToWrite(scene.catalog, one.id, 9).map((v) => v.sha256));
    const two = chooseSpace(scene.catalog, spaceOf('light'), '/models');
    expect(countVectorsToMake(scene.catalog)).toBe(3);
    await embedAll('light');
    expect(countSpace(scene.catalog, one.id)).toEqual({ made: 3, failed: 0, written: 3 });
    expect(countSpace(scene.catalog, two.id)).toEqual({ made: 3, failed: 0, written: 0 });
    expect(listVectorsToWrite(scene.catalog, one.id, 9)).toEqual([]);
    // The one that was chosen before is whole: nothing is made again.
    chooseSpace(scene.catalog, spaceOf('standard'), null);
    expect(chosenSpace(scene.catalog)?.key).toBe(one.key);
    expect(countVectorsToMake(scene.catalog)).toBe(0);
    while (dropSpaceSlice(scene.catalog, two.id));
    expect(listSpaces(scene.catalog).map((s) => s.key)).toEqual([one.key]);
    expect(countVectorsToPush(scene.catalog)).toBe(0);
    expect(countSpace(scene.catalog, one.id).made).toBe(3);
  });

  it('an asset that no file holds any more loses its vector, and gets one again when it comes back', async () => {
    scene.picture('a.png', 1);
    scene.picture('b.png', 2);
    await scene.scan();
    const space = await embedAll('standard');
    markWritten(scene.catalog, space.id, listVectorsToWrite(scene.catalog, space.id, 9).map((v) => v.sha256));
    // Edited in place: what it was is gone.
    put(scene.at('a.png'), png(3));
    await scene.scan();
    expect(sweepVectorsSlice(scene.catalog, space.id, '', true)).toBeNull();
    expect(countSpace(scene.catalog, space.id)).toMatchObject({ made: 1 });
    expect(scene.catalog.prepare('SELECT sha256 FROM vectors_to_remove').all()).toEqual([{ sha256: sha(png(1)) }]);
    put(scene.at('a.png'), png(1));
    await scene.scan();
    sweepVectorsSlice(scene.catalog, space.id, '', true);
    await embedAll('standard');
    expect(countSpace(scene.catalog, space.id).made).toBe(2);
    expect(scene.catalog.prepare('SELECT sha256 FROM vectors_to_remove').all()).toEqual([]);
    // A file that is only missing may come back: it keeps what it has.
    sweepVectorsSlice(scene.catalog, space.id, '', true);
    expect(countVectorsToMake(scene.catalog)).toBe(0);
  });
});
