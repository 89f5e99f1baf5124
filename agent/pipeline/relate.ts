// After each scan: what belongs together in the folders that changed. Sidecars are matched to files, albums to folders,
// assets to stacks; what comes of it is written into the catalog, and only rows that differ are pushed.
//
// The work is in the catalog's marks, written with each change (catalog/relations.ts), so a crash or a stop at any moment
// loses none of it. Folders are related in groups (relate-folders.ts), each in a transaction that also takes its marks; then
// titles (relate-titles.ts) and large stacks, which hang on several folders and are marked by key. A second run over the
// same files writes nothing.
import type { Catalog } from '../catalog/catalog.ts';
import { markNearDue } from '../catalog/looks.ts';
import { hasMarks, listMarkedKeys, nextMarkedFolder, putStacks, readConnected, unmarkKeys, type Folder } from '../catalog/relations.ts';
import type { ScanContext } from './context.ts';
import { chooseStacks } from './pairs.ts';
import { folderKey, groupOf, registerMarked, relateGroup } from './relate-folders.ts';
import { lookForTitles, relateTitles } from './relate-titles.ts';

/** The event loop gets a turn this often: the agent answers its socket meanwhile. */
const SLICE_MS = 8;
/**
 * Folders are related in transactions this long, for stacks are written all over their tables: a commit for each folder
 * wrote the same pages again and again, the more so the larger the catalog.
 */
const TRANSACTION_MS = 100;
/** Members whose stacks are settled in one transaction; what hangs on them comes with them. */
const MEMBERS_AT_ONCE = 2_000;

/**
 * Relates everything that is marked; false where nothing was. Ends early, with the rest still marked, where the signal says
 * so. Throws DiskFullError.
 */
export async function relateMarked(ctx: Pick<ScanContext, 'catalog' | 'signal'>): Promise<boolean> {
  const { catalog, signal } = ctx;
  if (!hasMarks(catalog)) return false;
  const pace = createPace();
  await relateFolders(catalog, signal, pace);
  if (!signal?.aborted) await lookForTitles(catalog, pace);
  if (!signal?.aborted) await relateTitles(catalog, pace);
  while (!signal?.aborted && settleStacks(catalog)) await pace();
  return true;
}

async function relateFolders(catalog: Catalog, signal: AbortSignal | undefined, pace: () => Promise<void>): Promise<void> {
  const done = new Set<string>();
  registerMarked(catalog);
  while (!signal?.aborted && relateSome(catalog, done)) await pace();
}

/** Groups in one transaction, for TRANSACTION_MS; false where none was left. */
function relateSome(catalog: Catalog, done: Set<string>): boolean {
  return catalog.transact(() => {
    const end = performance.now() + TRANSACTION_MS;
    let folder = nextMarkedFolder(catalog);
    for (; folder && performance.now() < end; folder = nextMarkedFolder(catalog)) {
      const group: Folder[] = groupOf(catalog, folder);
      for (const part of group) done.add(folderKey(part));
      relateGroup(catalog, group, done);
    }
    return folder !== undefined;
  });
}

/** Stacks of the next marked members and of all that hangs on them; false where none was left. */
function settleStacks(catalog: Catalog): boolean {
  const members = listMarkedKeys(catalog, 'member', MEMBERS_AT_ONCE);
  if (members.length === 0) return false;
  catalog.transact(() => {
    const connected = readConnected(catalog, members);
    if (!connected) return;
    putStacks(catalog, connected.hashes, chooseStacks(connected.relations));
    unmarkKeys(catalog, 'member', connected.hashes);
    markNearDue(catalog);
  });
  return true;
}

function createPace(): () => Promise<void> {
  let sliceEnd = performance.now() + SLICE_MS;
  return async () => {
    if (performance.now() < sliceEnd) return;
    await new Promise<void>((resolve) => { setImmediate(resolve); });
    sliceEnd = performance.now() + SLICE_MS;
  };
}
