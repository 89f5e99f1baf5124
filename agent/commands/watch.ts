// Watches the folders being indexed and says which of them changed, in bursts. A change only ever leads to a scan: the
// scan decides what it means. Where the system cannot watch, the periodic scan still comes.
import type { AsyncSubscription } from '@parcel/watcher';

/** A burst of changes (a card being copied in) becomes one scan, this long after its last event… */
const SETTLE_MS = 1_500;
/** …but a scan comes at least this often while a burst lasts. */
const SETTLE_MAX_MS = 20_000;
/** Network drives and full watch tables give no events: every root is walked this often all the same. */
const PERIODIC_MS = 30 * 60_000;

export interface WatchedRoot { rootId: string; path: string }
export interface RootWatcher { set(roots: readonly WatchedRoot[]): Promise<void>; close(): Promise<void> }

export function watchRoots(options: { ignore: readonly string[]; onChange(rootIds: string[]): void; warn(line: string): void }): RootWatcher {
  const active = new Map<string, { path: string; subscription: AsyncSubscription | undefined }>();
  const pending = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let burstSince = 0;
  let closed = false;
  const flush = () => {
    timer = undefined; burstSince = 0;
    const ids = [...pending];
    pending.clear();
    if (!closed && ids.length > 0) options.onChange(ids);
  };
  const touch = (rootId: string) => {
    pending.add(rootId);
    burstSince ||= Date.now();
    clearTimeout(timer);
    timer = setTimeout(flush, Math.max(0, Math.min(SETTLE_MS, burstSince + SETTLE_MAX_MS - Date.now())));
  };
  const periodic = setInterval(() => { if (!closed && active.size > 0) options.onChange([...active.keys()]); }, PERIODIC_MS);

  const start = async (root: WatchedRoot) => {
    const entry: { path: string; subscription: AsyncSubscription | undefined } = { path: root.path, subscription: undefined };
    active.set(root.rootId, entry);
    try {
      const { subscribe } = await import('@parcel/watcher');
      const subscription = await subscribe(root.path, (error, events) => {
        // An error here is the drive leaving or a full event queue: a scan finds out which.
        if (error || events.length > 0) touch(root.rootId);
      }, { ignore: [...options.ignore, '**/.jharokha-trash/**'] });
      if (closed || active.get(root.rootId) !== entry) await subscription.unsubscribe();
      else entry.subscription = subscription;
    } catch (error) {
      options.warn(`Cannot watch ${root.path} for changes (${error instanceof Error ? error.message : String(error)}); it is looked through every ${PERIODIC_MS / 60_000} minutes instead.`);
    }
  };
  const stop = async (rootId: string) => {
    const entry = active.get(rootId);
    active.delete(rootId);
    await entry?.subscription?.unsubscribe().catch(() => { /* its drive has left */ });
  };
  return {
    set: async (roots) => {
      const wanted = new Map(roots.map((r) => [r.rootId, r]));
      for (const [rootId, entry] of active) if (wanted.get(rootId)?.path !== entry.path) await stop(rootId);
      for (const root of roots) if (!active.has(root.rootId)) await start(root);
    },
    close: async () => {
      closed = true;
      clearTimeout(timer); clearInterval(periodic);
      for (const rootId of [...active.keys()]) await stop(rootId);
    },
  };
}
