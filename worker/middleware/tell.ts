// Tells of a change of the library: search and map learn it behind the answer, open pages hear of it. Not a middleware of its own.
import { notifyPages } from '../link/client.ts';
import { feedBehind } from '../search/feed.ts';
import type { PageContext } from './page.tsx';

export async function tellLibrary(c: PageContext): Promise<void> {
  c.executionCtx.waitUntil(feedBehind(c.env));
  await notifyPages(c.env, 'library');
}
