// The viewer and its panel of facts for the routes that answer with them: the viewer's own, and the corrections'. Not a middleware of its own.
import { SCRIPT_URL, STYLE_URL } from '../../.build/static.ts';
import { Sha256, type LocationState } from '../../protocol/words.ts';
import { FactsBody, type FactsProps, type ViewerCopy } from '../../views/facts.tsx';
import { Viewer, ViewerPage } from '../../views/viewer.tsx';
import { NotFound } from '../errors.tsx';
import { findAsset, listAlbumsOf, listCopies, listMembers, MAX_COPIES_SHOWN, type AssetDetail, type Copy } from '../store/viewer.ts';
import { loadFoundNeighbours, readFound } from './found.ts';
import { loadNeighbours, readGrid } from './grid.ts';
import { findTile, type Tile } from '../store/timeline.ts';
import { findTrashed } from '../store/trash.ts';
import { loadConnected, sendFragment, sendPage, wantsFragment, type PageContext } from './page.tsx';

/** Neighbours on each side: the next one, and those that the strip shows, on a wide screen from edge to edge. */
const STRIP_TILES = 10;

/** `primary`: what the asset is shown under, where it is shown under another. */
export type LoadedFacts = FactsProps & { asset: AssetDetail; primary: Tile | undefined };

/** Throws NotFound where there is no such asset. `inside` is the grid's address as the request names it. */
export async function loadFacts(c: PageContext, sha256: string, inside: string | undefined): Promise<LoadedFacts> {
  const { asset, copies, moreCopies } = await loadCopies(c, sha256);
  const top = asset.primary_sha256 ?? sha256;
  const [members, albums, primary] = await Promise.all([
    asset.members > 0 || top !== sha256 ? listMembers(c.env.DB, top) : [], listAlbumsOf(c.env.DB, top), top === sha256 ? undefined : findTile(c.env.DB, top),
  ]);
  return {
    asset, copies, moreCopies, members, albums, primary,
    inside: inside === undefined ? undefined : (readGrid(inside) ?? readFound(inside))?.address,
  };
}

/** The asset and where its originals are. Throws NotFound where there is no such asset. */
export async function loadCopies(c: PageContext, sha256: string): Promise<{ asset: AssetDetail; copies: ViewerCopy[]; moreCopies: boolean }> {
  const asset = Sha256.safeParse(sha256).success ? await findAsset(c.env.DB, sha256) : undefined;
  if (!asset) {
    const trashed = await findTrashed(c.env.DB, sha256);
    throw new NotFound(!trashed ? 'There is no photo at this address. It may have been taken out of the library.' : trashed.files > 0 ? 'It was moved to the trash. The Trash page restores it.' : 'It was moved to the trash, and nothing of it lies there any more.');
  }
  const [copies, connected] = await Promise.all([listCopies(c.env.DB, sha256), loadConnected(c)]);
  return { asset, copies: groupCopies(copies.slice(0, MAX_COPIES_SHOWN), connected), moreCopies: copies.length > MAX_COPIES_SHOWN };
}

/** The whole viewer, as a page or as what the layer holds. */
export async function sendViewer(c: PageContext, facts: LoadedFacts, status: 200 | 422 = 200): Promise<Response> {
  const search = facts.inside === undefined ? undefined : readFound(facts.inside);
  // A member of a stack stands where its primary does.
  const place = facts.primary ?? facts.asset;
  const beside = search
    ? await loadFoundNeighbours(c.env, search.found, place.sha256, c.req.query('at'), STRIP_TILES)
    : await loadNeighbours(c.env.DB, place, facts.inside === undefined ? undefined : readGrid(facts.inside)?.grid, STRIP_TILES);
  const props = { facts, ...beside };
  if (wantsFragment(c)) return sendFragment(c, <Viewer {...props} />, status);
  return sendPage(c, <ViewerPage {...props} scriptUrl={SCRIPT_URL} styleUrl={STYLE_URL} />, status);
}

/** The panel alone for htmx, the whole viewer for a plain form. */
export async function sendFacts(c: PageContext, facts: LoadedFacts, status: 200 | 422 = 200): Promise<Response> {
  return wantsFragment(c) ? sendFragment(c, <FactsBody {...facts} />, status) : sendViewer(c, facts, status);
}

/** One file is one copy (promise 4): paths with one file system and inode on one volume are gathered. Present copies come first. */
export function groupCopies(copies: readonly Copy[], connected: ReadonlySet<string>): ViewerCopy[] {
  const groups = new Map<string, ViewerCopy>();
  for (const copy of copies) {
    const state: LocationState = copy.missing_since_ms !== null ? 'missing' : connected.has(copy.volume_id) ? 'present' : 'away';
    const file = copy.fs_id !== null && copy.inode !== null && state !== 'missing' ? `${copy.volume_id}\n${copy.fs_id}\n${copy.inode}` : `${copy.volume_id}\n\n${copy.path}`;
    const known = groups.get(file);
    const damaged = copy.damaged_at_ms !== null && state !== 'missing';
    if (known) { known.paths.push(copy.path); known.damaged ||= damaged; }
    else groups.set(file, { label: copy.label ?? copy.volume_id, state, damaged, paths: [copy.path], problem: copy.problem_code === null ? null : { code: copy.problem_code, reason: copy.problem_reason ?? '' } });
  }
  const order: LocationState[] = ['present', 'away', 'missing'];
  return [...groups.values()].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
}
