// `/favourites`, `/archive`, `/tags` and a tag's grid.
import { Hono } from 'hono';
import { KeptPage, TagPage, TagsPage } from '../../views/kept.tsx';
import { withQuery } from '../../views/parts/addresses.ts';
import type { App } from '../env.ts';
import { NotFound } from '../errors.tsx';
import { loadGridPiece, readGrid } from '../middleware/grid.ts';
import { loadFrame, readWhere, sendPage } from '../middleware/page.tsx';
import { countGrid } from '../store/grids.ts';
import { listTags } from '../store/tag-pages.ts';

const TAGS_SHOWN = 500;

export const kept = new Hono<App>();

for (const kind of ['favourites', 'archive'] as const) {
  kept.get(`/${kind}`, async (c) => {
    const grid = { kind };
    const piece = await loadGridPiece(c.env.DB, { grid, address: `/${kind}` }, readWhere(c));
    const [frame, count] = await Promise.all([loadFrame(c), countGrid(c.env.DB, grid)]);
    return sendPage(c, <KeptPage frame={frame} kind={kind} count={count} piece={piece} />);
  });
}

kept.get('/tags', async (c) => {
  const after = c.req.query('after') ?? '';
  const tags = await listTags(c.env.DB, after, TAGS_SHOWN + 1);
  const shown = tags.slice(0, TAGS_SHOWN);
  const next = tags.length > TAGS_SHOWN ? withQuery('/tags', { after: shown.at(-1)?.tag ?? '' }) : null;
  return sendPage(c, <TagsPage frame={await loadFrame(c)} tags={shown} next={next} first={after === ''} />);
});

// The address as it came: a name may hold anything, so the router's own decoding is not asked.
kept.get('/tags/:tag', async (c) => {
  const at = readGrid(new URL(c.req.url).pathname);
  if (at?.grid.kind !== 'tag') throw new NotFound('There is no such tag.');
  const piece = await loadGridPiece(c.env.DB, at, readWhere(c));
  const [frame, count] = await Promise.all([loadFrame(c), countGrid(c.env.DB, at.grid)]);
  if (count === 0) throw new NotFound('Nothing carries such a tag.');
  return sendPage(c, <TagPage frame={frame} tag={at.grid.tag} count={count} piece={piece} />);
});
