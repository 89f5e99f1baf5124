// Keeps the map's squares, documents, words and the vector index's columns in step with the library: takes what is due (store/search-due.ts) in
// slices. Runs behind every change and, briefly, before every search. Two at once do some work twice and no harm.
import type { Env } from '../env.ts';
import { refreshSquares } from '../store/map-squares.ts';
import { finishDue, readDue, writeDocs, type DueAsset } from '../store/search-docs.ts';
import { removeIndexColumns, setIndexColumns } from './embedded.ts';
import type { IndexColumns } from './reader.ts';

/** Assets in one slice: some 30 ms of D1, so that a page that asks meanwhile waits no longer. */
const SLICE = 500;
/** Behind a change. A Worker may work on for 30 s after its answer. */
export const FEED_BEHIND_MS = 20_000;
/** Before a search: what one batch of the agent brings is through in that time. */
export const FEED_BEFORE_SEARCH_MS = 400;

/** The map's share of it: some 50 slices. */
const FEED_MAP_MS = 2_000;

/** While changes come closer together than this, the agent is busy storing: it goes first. */
const QUIET_MS = 1_000;
/** Then a slice is followed by a pause so many times as long: the agent loses a fifth of its rate at most. */
const PAUSE_TIMES = 4;

/** When the last change was told, in this isolate. */
let changedAtMs = 0;
/** Until when another request of this isolate feeds; a time, for a request that is ended clears no flag. */
let feedingUntilMs = 0;

/** Feeds behind a change, unless somebody here does so already: who does goes on until nothing is due. */
export async function feedBehind(env: Env): Promise<void> {
  changedAtMs = Date.now();
  if (isFeeding()) return;
  feedingUntilMs = Date.now() + FEED_BEHIND_MS;
  // The map first: it is quick, and a search feeds for itself.
  try { await refreshSquares(env.DB, FEED_MAP_MS); } catch (error) { console.error('map squares:', error); }
  try { await feedSearch(env, { budgetMs: FEED_BEHIND_MS, yields: true }); } catch (error) { console.error('search feed:', error); } finally { feedingUntilMs = 0; }
}

/** Whether this isolate feeds behind a change now: a test must not take the library away under it. */
export function isFeeding(): boolean { return Date.now() < feedingUntilMs; }

/** Feeds until nothing is due or the time is over; with `yields` gently while changes come. Returns whether nothing is. Columns that cannot be written leave their assets due; their words are there. */
export async function feedSearch(env: Env, options: { budgetMs: number; yields?: boolean }): Promise<boolean> {
  const until = Date.now() + options.budgetMs;
  let after = 0;
  let progress = false;
  for (;;) {
    const beganMs = Date.now();
    const due = await readDue(env.DB, after, SLICE);
    const last = due.at(-1);
    if (!last) {
      if (after === 0) return true;
      // What was marked behind our back, or lies before where we were; without progress it is what cannot be done now.
      if (!progress) return false;
      after = 0;
      progress = false;
      continue;
    }
    await writeDocs(env.DB, due);
    try {
      await setColumns(env, due);
      await finishDue(env.DB, due);
      progress = true;
    } catch (error) { console.error('search columns:', error); }
    after = last.assetId;
    const nowMs = Date.now();
    if (nowMs >= until) return false;
    if (options.yields && nowMs - changedAtMs < QUIET_MS) await new Promise((done) => { setTimeout(done, Math.min(QUIET_MS, (nowMs - beganMs) * PAUSE_TIMES)); });
  }
}

async function setColumns(env: Env, due: readonly DueAsset[]): Promise<void> {
  const shown = due.flatMap((d): IndexColumns[] => (d.doc && d.sha256 ? [{ sha256: d.sha256, traits: d.doc.traits, shown: true, ...d.facts }] : []));
  const gone = due.flatMap((d) => (!d.doc && d.sha256 ? [d.sha256] : []));
  if (shown.length > 0) await setIndexColumns(env, shown);
  if (gone.length > 0) await removeIndexColumns(env, gone);
}
