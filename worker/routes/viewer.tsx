// `/a/:sha256`: the viewer, as a page and as the layer over the timeline.
import { Hono } from 'hono';
import type { LocationState } from '../../protocol/words.ts';
import { Sha256 } from '../../protocol/words.ts';
import { Viewer, ViewerPage, type ViewerCopy } from '../../views/viewer.tsx';
import { SCRIPT_URL, STYLE_URL } from '../../.build/static.ts';
import type { App } from '../env.ts';
import { NotFound } from '../errors.tsx';
import { loadConnected, sendFragment, sendPage, wantsFragment } from '../middleware/page.tsx';
import { cursorAfter, listNewer, listOlder } from '../store/timeline.ts';
import { findAsset, listCopies, MAX_COPIES_SHOWN, type Copy } from '../store/viewer.ts';

/** Neighbours on each side: the next one, and those that the strip shows. */
const STRIP_TILES = 6;

export const viewer = new Hono<App>();

viewer.get('/a/:sha256', async (c) => {
  const sha256 = c.req.param('sha256');
  const asset = Sha256.safeParse(sha256).success ? await findAsset(c.env.DB, sha256) : undefined;
  if (!asset) throw new NotFound('There is no photo at this address. It may have been taken out of the library.');
  const cursor = cursorAfter(asset);
  const [copies, connected, older, newer] = await Promise.all([
    listCopies(c.env.DB, sha256), loadConnected(c), listOlder(c.env.DB, cursor, STRIP_TILES), listNewer(c.env.DB, cursor, STRIP_TILES),
  ]);
  const props = { asset, copies: groupCopies(copies.slice(0, MAX_COPIES_SHOWN), connected), moreCopies: copies.length > MAX_COPIES_SHOWN, older, newer };
  if (wantsFragment(c)) return sendFragment(c, <Viewer {...props} />);
  return sendPage(c, <ViewerPage {...props} scriptUrl={SCRIPT_URL} styleUrl={STYLE_URL} />);
});

/** One file is one copy (promise 4): paths with one file system and inode on one volume are gathered. Present copies come first. */
export function groupCopies(copies: readonly Copy[], connected: ReadonlySet<string>): ViewerCopy[] {
  const groups = new Map<string, ViewerCopy>();
  for (const copy of copies) {
    const state: LocationState = copy.missing_since_ms !== null ? 'missing' : connected.has(copy.volume_id) ? 'present' : 'away';
    const file = copy.fs_id !== null && copy.inode !== null && state !== 'missing' ? `${copy.volume_id}\n${copy.fs_id}\n${copy.inode}` : `${copy.volume_id}\n\n${copy.path}`;
    const known = groups.get(file);
    if (known) known.paths.push(copy.path);
    else groups.set(file, { label: copy.label ?? copy.volume_id, state, paths: [copy.path], problem: copy.problem_code === null ? null : { code: copy.problem_code, reason: copy.problem_reason ?? '' } });
  }
  const order: LocationState[] = ['present', 'away', 'missing'];
  return [...groups.values()].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
}
