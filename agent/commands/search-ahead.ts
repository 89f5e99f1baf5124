// Embeddings of words made ahead, so that a search works with this computer asleep: the null prompt, common words, then the names
// that the library itself knows. In small slices, for whoever asks now comes first; what the Worker has is not made again.
import type { Catalog } from '../catalog/catalog.ts';
import type { SpaceRow } from '../catalog/vectors.ts';
import { listCommonWords } from '../pipeline/common-words.ts';
import type { Embedder } from '../pipeline/embed/embedder.ts';
import { fetchVocabulary, putQueryEmbeddings, type WorkerAddress } from '../push/client.ts';
import { queryTextKey, vectorToText } from '../../protocol/vector.ts';

/** Embedded at once: some 0.1 s of the model, which is what a question may have to wait. */
const SLICE = 4;
/** In one request; the protocol takes 200. */
const PUSH = 100;
const DONE = 'words_ahead';

interface AheadContext {
  catalog: Catalog; worker: WorkerAddress; space: SpaceRow; embedder: Embedder; signal: AbortSignal;
  /** Waited for before each slice. */
  idle?: (() => Promise<void>) | undefined;
}

/** How far the list of common words got, for this life of the catalog: a Worker that lost everything gets them again. */
interface Done { space: string; epoch: string; words: number; list: number }

function readDone(catalog: Catalog, space: SpaceRow): Done {
  const fresh: Done = { space: space.key, epoch: catalog.getMeta('epoch') ?? '', words: 0, list: listCommonWords().length };
  const text = catalog.getMeta(DONE);
  const done = text ? JSON.parse(text) as Done : fresh;
  return done.space === fresh.space && done.epoch === fresh.epoch && done.list === fresh.list ? done : fresh;
}

/** The null prompt and no more: results are cut off by it, so it goes before the pictures. */
export async function embedNullPrompt(ctx: AheadContext): Promise<void> { await embedCommon(ctx, 1); }

/** Everything that is not in the Worker yet. Throws WorkerUnreachable, WorkerRefused, and what the embedder throws. */
export async function embedAhead(ctx: AheadContext): Promise<void> {
  await embedCommon(ctx, Infinity);
  const seen = new Set<string>();
  while (!ctx.signal.aborted) {
    const texts = [...new Set((await fetchVocabulary(ctx.worker, ctx.space.key)).map(queryTextKey))].filter((t) => t !== '' && !seen.has(t));
    if (texts.length === 0) return;
    for (const text of texts) seen.add(text);
    await embedAll(ctx, texts, () => {});
  }
}

async function embedCommon(ctx: AheadContext, upTo: number): Promise<void> {
  const done = readDone(ctx.catalog, ctx.space);
  await embedAll(ctx, listCommonWords().slice(done.words, upTo), (pushed) => {
    done.words += pushed;
    ctx.catalog.setMeta(DONE, JSON.stringify(done));
  });
}

async function embedAll(ctx: AheadContext, texts: readonly string[], onPushed: (count: number) => void): Promise<void> {
  let items: { text: string; vector: string }[] = [];
  for (let at = 0; at < texts.length && !ctx.signal.aborted; at += SLICE) {
    await ctx.idle?.();
    if (ctx.signal.aborted) return;
    const slice = texts.slice(at, at + SLICE);
    const vectors = await ctx.embedder.embedTexts(slice);
    items.push(...slice.map((text, i) => ({ text, vector: vectorToText(vectors[i] as Float32Array) })));
    if (items.length < PUSH && at + SLICE < texts.length) continue;
    await putQueryEmbeddings(ctx.worker, { space: ctx.space.space, items });
    onPushed(items.length);
    items = [];
  }
}
